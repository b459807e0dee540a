/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

struct pair {
	const json_t *a, *b;
};

/* Pairs still to be compared; on the heap, because values may be deep. */
struct work {
	struct pair *pairs;
	size_t len, cap;
};

static void later(struct work *w, const json_t *a, const json_t *b)
{
	if (w->len == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 32;
		w->pairs = cs_xrealloc(w->pairs, w->cap * sizeof *w->pairs);
	}
	w->pairs[w->len++] = (struct pair){ a, b };
}

static bool equal_numbers(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b))
		return json_integer_value(a) == json_integer_value(b);
	if (json_is_real(a) && json_is_real(b))
		return json_real_value(a) >= json_real_value(b) && json_real_value(a) <= json_real_value(b);
	double r = json_real_value(json_is_real(a) ? a : b);
	json_int_t i = json_integer_value(json_is_real(a) ? b : a);
	/* Compared as integers: a double rounds those beyond 2^53. */
	if (!(r >= -0x1p63 && r < 0x1p63))
		return false;
	json_int_t whole = (json_int_t)r;
	return whole == i && !((double)whole < r) && !((double)whole > r);
}

static bool compare_arrays(struct work *w, const json_t *a, const json_t *b)
{
	size_t n = json_array_size(a);
	if (n != json_array_size(b))
		return false;
	for (size_t i = 0; i < n; i++)
		later(w, json_array_get(a, i), json_array_get(b, i));
	return true;
}

static bool compare_objects(struct work *w, const json_t *a, const json_t *b)
{
	json_t *v = (json_t *)a;
	if (json_object_size(a) != json_object_size(b))
		return false;
	for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
		const json_t *other = json_object_getn(b, json_object_iter_key(it), json_object_iter_key_len(it));
		if (!other)
			return false;
		later(w, json_object_iter_value(it), other);
	}
	return true;
}

static bool compare(struct work *w, const json_t *a, const json_t *b)
{
	if (a == b)
		return true;
	if (!a || !b)
		return false;
	if (json_is_number(a) && json_is_number(b))
		return equal_numbers(a, b);
	if (json_typeof(a) != json_typeof(b))
		return false;
	switch (json_typeof(a)) {
	case JSON_OBJECT:
		return compare_objects(w, a, b);
	case JSON_ARRAY:
		return compare_arrays(w, a, b);
	case JSON_STRING:
		return json_string_length(a) == json_string_length(b) &&
		       memcmp(json_string_value(a), json_string_value(b), json_string_length(a)) == 0;
	default:
		return true;
	}
}

bool cs_json_equal(const json_t *a, const json_t *b)
{
	struct work w = { 0 };
	bool equal = compare(&w, a, b);
	while (equal && w.len > 0) {
		w.len--;
		equal = compare(&w, w.pairs[w.len].a, w.pairs[w.len].b);
	}
	free(w.pairs);
	return equal;
}
