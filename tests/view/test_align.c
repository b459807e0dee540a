/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The alignment is a longest common subsequence: held against the textbook's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/mem.h"
#include "view/align.h"

#define MOST 12

static unsigned roll(uint64_t *x, unsigned n)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (unsigned)(*x >> 33) % n;
}

/* Distinct numbers under MOST * 2, in a random order. */
static size_t fill(uint64_t *x, long *out)
{
	long all[MOST * 2];
	size_t n = roll(x, MOST + 1);
	for (size_t i = 0; i < MOST * 2; i++)
		all[i] = (long)i;
	for (size_t i = 0; i < n; i++) {
		size_t j = i + roll(x, (unsigned)(MOST * 2 - i));
		out[i] = all[j];
		all[j] = all[i];
	}
	return n;
}

static size_t textbook(const long *a, size_t na, const long *b, size_t nb)
{
	size_t best[MOST + 1][MOST + 1] = { { 0 } };
	for (size_t i = 1; i <= na; i++) {
		for (size_t j = 1; j <= nb; j++) {
			size_t skip = best[i - 1][j] > best[i][j - 1] ? best[i - 1][j] : best[i][j - 1];
			best[i][j] = a[i - 1] == b[j - 1] ? best[i - 1][j - 1] + 1 : skip;
		}
	}
	return best[na][nb];
}

static void the_alignment_is_a_longest_common_subsequence(void **state)
{
	(void)state;
	uint64_t x = 88172645463325252u;
	for (int round = 0; round < 3000; round++) {
		long a[MOST], b[MOST], pos[MOST], was[MOST];
		size_t na = fill(&x, a), nb = fill(&x, b), kept = 0;
		for (size_t i = 0; i < nb; i++) {
			pos[i] = -1;
			for (size_t j = 0; j < na; j++)
				pos[i] = a[j] == b[i] ? (long)j : pos[i];
			was[i] = pos[i];
		}
		cs_align(pos, nb);
		long before = -1;
		for (size_t i = 0; i < nb; i++) {
			if (pos[i] < 0)
				continue;
			assert_int_equal(pos[i], was[i]);
			assert_true(pos[i] > before);
			before = pos[i];
			kept++;
		}
		assert_int_equal(kept, textbook(a, na, b, nb));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_alignment_is_a_longest_common_subsequence) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
