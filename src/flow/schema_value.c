/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keywords about one value by itself (Validation 2020-12, sections 6.1 to 6.3 and 7). */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

static char *kinds_text(unsigned kinds)
{
	static const struct {
		unsigned kind;
		const char *text;
	} WORDS[] = {
		{ CS_KIND_STRING, "text" }, { CS_KIND_NUMBER, "a number" }, { CS_KIND_INTEGER, "a whole number" },
		{ CS_KIND_BOOL, "true or false" }, { CS_KIND_ARRAY, "a list" }, { CS_KIND_OBJECT, "an object" },
		{ CS_KIND_NULL, "null" },
	};
	CS_AUTOBUF cs_buf b;

	cs_buf_init(&b, 256);
	cs_buf_adds(&b, "be ");
	if (kinds & CS_KIND_NUMBER)
		kinds &= ~(unsigned)CS_KIND_INTEGER;
	for (size_t i = 0; i < CS_ARRAY_LEN(WORDS); i++) {
		if ((kinds & WORDS[i].kind) == 0)
			continue;
		kinds &= ~WORDS[i].kind;
		cs_buf_adds(&b, b.len == 3 ? "" : kinds == 0 ? " or " : ", ");
		cs_buf_adds(&b, WORDS[i].text);
	}
	return cs_buf_steal(&b);
}

int cs_eval_type(cs_run *r, const cs_frame *f, const cs_check *k)
{
	if ((cs_json_kind(f->value) & k->count) != 0)
		return 1;
	if (!r->gather)
		return 0;
	CS_AUTOFREE char *must = kinds_text((unsigned)k->count);

	return cs_fail_must(r, f, k, CS_SORT_KIND, must);
}

/* "must MUST VALUE; is …" with the keyword's own value. */
static int fail_limit(cs_run *r, const cs_frame *f, const cs_check *k, cs_sort sort, const char *must)
{
	if (!r->gather)
		return 0;
	CS_AUTOFREE char *limit = cs_schema_shown(k->value);
	CS_AUTOFREE char *all = cs_xasprintf("%s %s", must, limit);

	return cs_fail_must(r, f, k, sort, all);
}

int cs_eval_const(cs_run *r, const cs_frame *f, const cs_check *k)
{
	return cs_json_equal(k->value, f->value) ? 1 : fail_limit(r, f, k, CS_SORT_TAG, "be");
}

/* Words are listed bare, as they are written in YAML. */
static bool is_word(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/");

	return n > 0 && n <= 40 && s[n] == '\0';
}

static int fail_enum(cs_run *r, const cs_frame *f, const cs_check *k)
{
	enum { SHOWN = 12 };
	size_t i, n = json_array_size(k->value);
	json_t *v;
	CS_AUTOBUF cs_buf b;

	cs_buf_init(&b, 4096);
	cs_buf_adds(&b, n > 1 ? "be one of " : n == 1 ? "be " : "not be there: no value is allowed");
	json_array_foreach(k->value, i, v) {
		CS_AUTOFREE char *shown = cs_schema_shown(v);

		if (i == SHOWN) {
			cs_buf_adds(&b, ", …");
			break;
		}
		cs_buf_adds(&b, i > 0 ? ", " : "");
		cs_buf_adds(&b, json_is_string(v) && is_word(json_string_value(v)) ? json_string_value(v) : shown);
	}
	return cs_fail_must(r, f, k, n == 1 ? CS_SORT_TAG : CS_SORT_KIND, cs_buf_str(&b));
}

int cs_eval_enum(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t i, n = json_array_size(k->value);

	if (cs_schema_step_run(r, n / 16) < 0)
		return CS_ETOOBIG;
	for (i = 0; i < n; i++)
		if (cs_json_equal(json_array_get(k->value, i), f->value))
			return 1;
	return r->gather ? fail_enum(r, f, k) : 0;
}

/* -- numbers ------------------------------------------------------------------------------ */

int cs_eval_multiple(cs_run *r, const cs_frame *f, const cs_check *k)
{
	return cs_number_multiple(f->value, k->value) ? 1 : fail_limit(r, f, k, CS_SORT_DETAIL, "be a multiple of");
}

int cs_eval_maximum(cs_run *r, const cs_frame *f, const cs_check *k)
{
	return cs_number_cmp(f->value, k->value) <= 0 ? 1 : fail_limit(r, f, k, CS_SORT_DETAIL, "be at most");
}

int cs_eval_minimum(cs_run *r, const cs_frame *f, const cs_check *k)
{
	return cs_number_cmp(f->value, k->value) >= 0 ? 1 : fail_limit(r, f, k, CS_SORT_DETAIL, "be at least");
}

int cs_eval_below(cs_run *r, const cs_frame *f, const cs_check *k)
{
	return cs_number_cmp(f->value, k->value) < 0 ? 1 : fail_limit(r, f, k, CS_SORT_DETAIL, "be less than");
}

int cs_eval_above(cs_run *r, const cs_frame *f, const cs_check *k)
{
	return cs_number_cmp(f->value, k->value) > 0 ? 1 : fail_limit(r, f, k, CS_SORT_DETAIL, "be more than");
}

/* -- text --------------------------------------------------------------------------------- */

/* Code points: bytes that do not continue one. */
static size_t characters(const json_t *text)
{
	const char *s = json_string_value(text);
	size_t len = json_string_length(text), n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

int cs_eval_max_length(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = characters(f->value);

	return n <= k->count ? 1 : cs_fail(r, f, k, "must have at most %zu character%s; has %zu", k->count,
					   k->count == 1 ? "" : "s", n);
}

int cs_eval_min_length(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = characters(f->value);

	if (n >= k->count)
		return 1;
	if (n == 0)
		return cs_fail(r, f, k, "must not be empty");
	return cs_fail(r, f, k, "must have at least %zu characters; has %zu", k->count, n);
}

int cs_eval_pattern(cs_run *r, const cs_frame *f, const cs_check *k)
{
	const char *s = json_string_value(f->value);
	size_t len = json_string_length(f->value);
	int rc = cs_regex_match(k->regexes[0], s, len, 0, NULL, NULL);

	if (rc > 0)
		return 1;
	if (rc < 0)
		return cs_err_set(r->err, rc, "the pattern %.200s takes too long on a text of %zu bytes; write a simpler one",
				  json_string_value(k->value), len);
	if (!r->gather)
		return 0;
	CS_AUTOFREE char *pattern = cs_schema_cut(json_string_value(k->value));
	CS_AUTOFREE char *must = cs_xasprintf("match the pattern %s", pattern);

	return cs_fail_must(r, f, k, CS_SORT_DETAIL, must);
}

int cs_eval_format(cs_run *r, const cs_frame *f, const cs_check *k)
{
	const cs_format *format = k->extra;

	if (format->ok(json_string_value(f->value), json_string_length(f->value)))
		return 1;
	if (!r->gather)
		return 0;
	CS_AUTOFREE char *must = cs_xasprintf("be %s", format->what);

	return cs_fail_must(r, f, k, CS_SORT_DETAIL, must);
}
