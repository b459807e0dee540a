/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keywords about the items of arrays (Core 2020-12, section 10.3.1; Validation, 6.4). */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

int cs_eval_max_items(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = json_array_size(f->value);

	return n <= k->count ? 1 : cs_fail(r, f, k, "must have at most %zu item%s; has %zu", k->count, k->count == 1 ? "" : "s", n);
}

int cs_eval_min_items(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = json_array_size(f->value);

	return n >= k->count ? 1 : cs_fail(r, f, k, "must have at least %zu item%s; has %zu", k->count, k->count == 1 ? "" : "s", n);
}

int cs_eval_prefix(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = json_array_size(f->value);
	int ok = 1;

	n = n < k->n ? n : k->n;
	for (size_t i = 0; i < n; i++) {
		int rc = cs_schema_item_run(r, f, k->kids[i], i, json_array_get(f->value, i));

		if (rc < 0 || (rc == 0 && cs_run_enough(r)))
			return rc;
		ok &= rc;
	}
	int rc = cs_seen_items(r, f, 0, n);

	return rc < 0 ? rc : ok;
}

int cs_eval_items(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = json_array_size(f->value);
	int ok = 1;

	if (k->kids[0]->never && n > k->count)
		return cs_fail(r, f, k, "must have at most %zu item%s; has %zu", k->count, k->count == 1 ? "" : "s", n);
	for (size_t i = k->count; i < n; i++) {
		int rc = cs_schema_item_run(r, f, k->kids[0], i, json_array_get(f->value, i));

		if (rc < 0 || (rc == 0 && cs_run_enough(r)))
			return rc;
		ok &= rc;
	}
	int rc = cs_seen_items(r, f, k->count, n);

	return rc < 0 ? rc : ok;
}

static int contained(cs_run *r, const cs_frame *f, const cs_check *k, size_t *ret_found)
{
	size_t n = json_array_size(f->value);

	for (size_t i = 0; i < n; i++) {
		int rc = cs_schema_item_run(r, f, k->kids[0], i, json_array_get(f->value, i));

		if (rc > 0) {
			++*ret_found;
			/* Draft 7 knows no unevaluatedItems, so this is 2020-12's rule alone. */
			rc = cs_seen_items(r, f, i, i + 1);
		}
		if (rc < 0)
			return rc;
		if (!f->track && k->most == SIZE_MAX && *ret_found >= k->count)
			return 0;
	}
	return 0;
}

int cs_eval_contains(cs_run *r, const cs_frame *f, const cs_check *k)
{
	bool gather = r->gather;
	size_t found = 0;

	r->gather = false;
	int rc = contained(r, f, k, &found);

	r->gather = gather;
	if (rc < 0)
		return rc;
	if (found < k->count)
		return cs_fail(r, f, k, "must hold at least %zu item%s of the form the schema asks for; holds %zu", k->count,
			       k->count == 1 ? "" : "s", found);
	if (found > k->most)
		return cs_fail(r, f, k, "must hold at most %zu item%s of the form the schema names; holds %zu", k->most,
			       k->most == 1 ? "" : "s", found);
	return 1;
}

/* -- uniqueItems -------------------------------------------------------------------------- */

/* Equal values have equal hashes, so only items of one hash are compared. */
typedef struct hashed {
	uint64_t hash;
	size_t index;
} hashed;

static uint64_t hash_text(const char *s, size_t n, uint64_t h)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3ULL;
	return h ^ (h >> 29);
}

static int hash_value(cs_run *r, const json_t *v, unsigned depth, uint64_t *ret);

static int hash_members(cs_run *r, const json_t *v, unsigned depth, uint64_t *ret)
{
	uint64_t sum = 0x6f, one;
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)v, key, member) {
		int rc = hash_value(r, member, depth + 1, &one);

		if (rc < 0)
			return rc;
		/* A sum, because the order of members does not count. */
		sum += hash_text(key, strlen(key), one * 3);
	}
	*ret = sum * 0x9e3779b97f4a7c15ULL;
	return 0;
}

static int hash_items(cs_run *r, const json_t *v, unsigned depth, uint64_t *ret)
{
	uint64_t h = 0x61, one;
	size_t i;
	json_t *item;

	json_array_foreach(v, i, item) {
		int rc = hash_value(r, item, depth + 1, &one);

		if (rc < 0)
			return rc;
		h = (h ^ one) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 31;
	}
	*ret = h;
	return 0;
}

static int hash_value(cs_run *r, const json_t *v, unsigned depth, uint64_t *ret)
{
	if (depth > CS_SCHEMA_FRAMES)
		return cs_err_set(r->err, CS_ETOOBIG, "the value is nested too deep to be compared");
	if (cs_schema_step_run(r, 1) < 0)
		return CS_ETOOBIG;
	if (json_is_object(v))
		return hash_members(r, v, depth, ret);
	if (json_is_array(v))
		return hash_items(r, v, depth, ret);
	if (json_is_number(v))
		*ret = cs_number_hash(v);
	else if (json_is_string(v))
		*ret = hash_text(json_string_value(v), json_string_length(v), 0xcbf29ce484222325ULL);
	else
		*ret = (uint64_t)json_typeof(v);
	return 0;
}

static int cmp_hashed(const void *a, const void *b)
{
	const hashed *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static int find_twins(cs_run *r, const json_t *list, const hashed *h, size_t n, size_t ret_twins[2])
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n && h[j].hash == h[i].hash; j++) {
			if (cs_schema_step_run(r, 1) < 0)
				return CS_ETOOBIG;
			if (!cs_json_equal(json_array_get(list, h[i].index), json_array_get(list, h[j].index)))
				continue;
			ret_twins[0] = h[i].index;
			ret_twins[1] = h[j].index;
			return 1;
		}
	}
	return 0;
}

int cs_eval_unique(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = json_array_size(f->value), twins[2];

	if (n < 2)
		return 1;
	CS_AUTOFREE hashed *h = calloc(n, sizeof *h);

	if (h == NULL)
		return cs_err_set(r->err, CS_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		int rc = hash_value(r, json_array_get(f->value, i), 0, &h[i].hash);

		if (rc < 0)
			return rc;
		h[i].index = i;
	}
	qsort(h, n, sizeof *h, cmp_hashed);
	int rc = find_twins(r, f->value, h, n, twins);

	if (rc <= 0)
		return rc < 0 ? rc : 1;
	CS_AUTOFREE char *shown = cs_schema_shown(json_array_get(f->value, twins[0]));

	return cs_fail(r, f, k, "items must differ; items %zu and %zu are both %s", twins[0] + 1, twins[1] + 1, shown);
}
