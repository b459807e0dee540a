/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "Did you mean": the member of a schema nearest to an unknown key. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

enum { LONGEST = 40, LEVELS = 8, LOOKS = 2000 };

typedef struct search {
	const char *key, *best;
	size_t distance;         /* of the best; one more than what is near enough */
	size_t looks;            /* a bound on the work: schemas are hostile */
} search;

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Letters to change, add, drop or swap with a neighbour (optimal string alignment). */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST + 1], n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && up2[j - 2] + 1 < row[j])
				row[j] = up2[j - 2] + 1;
		}
	}
	return rows[n % 3][m];
}

static void look(search *s, const cs_node *node, unsigned level)
{
	const cs_check *known = cs_schema_beside(node, "properties");

	for (size_t i = 0; known != NULL && i < known->n && s->looks > 0; i++, s->looks--) {
		size_t d = distance(s->key, known->keys[i]);

		if (d < s->distance) {
			s->distance = d;
			s->best = known->keys[i];
		}
	}
	for (size_t i = 0; level < LEVELS && i < node->n; i++) {
		const cs_check *k = &node->checks[i];

		for (size_t j = 0; k->rule->in_place && k->kids != NULL && j < k->n && s->looks > 0; j++, s->looks--)
			if (k->kids[j] != NULL)
				look(s, k->kids[j], level + 1);
	}
}

const char *cs_schema_suggest(const cs_node *node, const char *key)
{
	size_t len = strlen(key);
	/* One slip in a short word, up to three in a long one; and never a word all new. */
	search s = { .key = key, .distance = len < 3 ? 1 : len < 6 ? 2 : len < 10 ? 3 : 4, .looks = LOOKS };

	look(&s, node, 0);
	return s.best;
}
