/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/expr_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *kind; int rank; } kinds[] = {
	[JSON_NULL] = { "null", 0 },
	[JSON_FALSE] = { "boolean", 1 },
	[JSON_TRUE] = { "boolean", 2 },
	[JSON_INTEGER] = { "number", 3 },
	[JSON_REAL] = { "number", 3 },
	[JSON_STRING] = { "string", 4 },
	[JSON_ARRAY] = { "array", 5 },
	[JSON_OBJECT] = { "object", 6 },
};

const char *cs_value_kind(const json_t *v)
{
	return kinds[json_typeof(v)].kind;
}

json_t *cs_value_number(double d)
{
	if (fabs(d) <= (double)CS_JQ_INT_MAX && d == (double)(json_int_t)d)
		return json_integer((json_int_t)d);
	return json_real(d);
}

/* ---- order ------------------------------------------------------------------------------ */

static int sign_of(bool less, bool more)
{
	return less ? -1 : more;
}

/* Exact also where the integer has no double of its own. */
static int compare_int_real(json_int_t i, double d)
{
	if (d >= 9223372036854775808.0)
		return -1;
	if (d < -9223372036854775808.0)
		return 1;
	json_int_t whole = (json_int_t)d;
	if (i != whole)
		return i < whole ? -1 : 1;
	return sign_of(d > (double)whole, d < (double)whole);
}

static int compare_numbers(const json_t *a, const json_t *b)
{
	bool ia = json_is_integer(a), ib = json_is_integer(b);
	if (ia && ib)
		return sign_of(json_integer_value(a) < json_integer_value(b),
			       json_integer_value(a) > json_integer_value(b));
	if (ia)
		return compare_int_real(json_integer_value(a), json_real_value(b));
	if (ib)
		return -compare_int_real(json_integer_value(b), json_real_value(a));
	return sign_of(json_real_value(a) < json_real_value(b), json_real_value(a) > json_real_value(b));
}

static int compare_bytes(const char *a, size_t na, const char *b, size_t nb)
{
	int r = memcmp(a, b, na < nb ? na : nb);
	return r ? r : sign_of(na < nb, na > nb);
}

static int compare_key(const void *a, const void *b)
{
	const char *const *ka = a, *const *kb = b;
	return compare_bytes(*ka, strlen(*ka), *kb, strlen(*kb));
}

static const char **sorted_keys(const json_t *object)
{
	size_t n = json_object_size(object), i = 0;
	const char **keys = cs_xcalloc(n + 1, sizeof(*keys));
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)object, key, value)
		keys[i++] = key;
	qsort(keys, n, sizeof(*keys), compare_key);
	return keys;
}

/* How much deeper and, over the whole comparison, how many more: a small value that holds another many
 * times over is a big one to compare. */
typedef struct effort {
	unsigned depth;
	size_t *nodes;
} effort;

static bool spend(effort *left)
{
	if (left->depth == 0 || *left->nodes == 0)
		return false;
	left->depth--;
	--*left->nodes;
	return true;
}

static int compare(const json_t *a, const json_t *b, effort left, int *ret);

static int compare_arrays(const json_t *a, const json_t *b, effort left, int *ret)
{
	size_t na = json_array_size(a), nb = json_array_size(b);
	for (size_t i = 0; i < na && i < nb; i++) {
		int rc = compare(json_array_get(a, i), json_array_get(b, i), left, ret);
		if (rc < 0 || *ret)
			return rc;
	}
	*ret = sign_of(na < nb, na > nb);
	return 0;
}

/* First the sorted keys as arrays, then the values in that order. */
static int compare_objects(const json_t *a, const json_t *b, effort left, int *ret)
{
	size_t na = json_object_size(a), nb = json_object_size(b);
	CS_AUTOFREE const char **ka = sorted_keys(a);
	CS_AUTOFREE const char **kb = sorted_keys(b);
	*ret = 0;
	for (size_t i = 0; i < na && i < nb && !*ret; i++)
		*ret = compare_key(&ka[i], &kb[i]);
	if (!*ret)
		*ret = sign_of(na < nb, na > nb);
	for (size_t i = 0; i < na && !*ret; i++) {
		int rc = compare(json_object_get(a, ka[i]), json_object_get(b, ka[i]), left, ret);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int compare(const json_t *a, const json_t *b, effort left, int *ret)
{
	int ra = kinds[json_typeof(a)].rank, rb = kinds[json_typeof(b)].rank;
	*ret = 0;
	if (ra != rb)
		*ret = ra - rb;
	if (ra != rb || a == b)
		return 0;
	if (!spend(&left))
		return CS_ETOOBIG;
	if (json_is_number(a))
		*ret = compare_numbers(a, b);
	else if (json_is_string(a))
		*ret = compare_bytes(json_string_value(a), json_string_length(a),
				     json_string_value(b), json_string_length(b));
	else if (json_is_array(a))
		return compare_arrays(a, b, left, ret);
	else if (json_is_object(a))
		return compare_objects(a, b, left, ret);
	return 0;
}

int cs_value_compare(const json_t *a, const json_t *b, int *ret)
{
	size_t nodes = CS_EXPR_RESULT_NODES;
	return compare(a, b, (effort){ CS_EXPR_VALUE_DEPTH, &nodes }, ret);
}

static int equal(const json_t *a, const json_t *b, effort left, bool *ret)
{
	int order = 0, rc = 0;
	*ret = a == b;
	if (*ret || kinds[json_typeof(a)].rank != kinds[json_typeof(b)].rank)
		return 0;
	if (!spend(&left))
		return CS_ETOOBIG;
	if (json_is_array(a)) {
		*ret = json_array_size(a) == json_array_size(b);
		for (size_t i = 0; i < json_array_size(a) && *ret && rc == 0; i++)
			rc = equal(json_array_get(a, i), json_array_get(b, i), left, ret);
		return rc;
	}
	if (json_is_object(a)) {
		const char *key;
		json_t *value;
		*ret = json_object_size(a) == json_object_size(b);
		json_object_foreach((json_t *)a, key, value) {
			const json_t *other = *ret && rc == 0 ? json_object_get(b, key) : NULL;
			*ret = other != NULL;
			if (!other)
				break;
			rc = equal(value, other, left, ret);
		}
		return rc;
	}
	rc = compare(a, b, left, &order);
	*ret = order == 0;
	return rc;
}

int cs_value_equal(const json_t *a, const json_t *b, bool *ret)
{
	size_t nodes = CS_EXPR_RESULT_NODES;
	return equal(a, b, (effort){ CS_EXPR_VALUE_DEPTH, &nodes }, ret);
}

/* ---- text ------------------------------------------------------------------------------- */

static int write_value(const json_t *v, cs_buf *out, unsigned depth);

static void write_string(const char *s, size_t n, cs_buf *out)
{
	static const char from[] = "\b\t\r\n\f\"\\", to[] = "btrnf\"\\";
	cs_buf_addc(out, '"');
	size_t done = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F)
			continue;
		cs_buf_add(out, s + done, i - done);
		done = i + 1;
		const char *at = c ? strchr(from, c) : NULL;
		if (at)
			cs_buf_addf(out, "\\%c", to[at - from]);
		else
			cs_buf_addf(out, "\\u%04x", c);
	}
	cs_buf_add(out, s + done, n - done);
	cs_buf_addc(out, '"');
}

/* The digits of TEXT (ECMAScript's form of a number) without its leading zeros; *ret_point says after
 * how many of them the point stands. */
static size_t take_digits(const char *text, char digits[40], int *ret_point)
{
	size_t n = 0;
	int point = 0;
	bool fraction = false;
	for (; *text && *text != 'e'; text++) {
		if (*text == '.') {
			fraction = true;
			continue;
		}
		if (*text != '0' || n)
			digits[n++] = *text;
		if (fraction ? n == 0 : n > 0)
			point += fraction ? -1 : 1;
	}
	*ret_point = point + (*text ? (int)strtol(text + 1, NULL, 10) : 0);
	return n;
}

/* The significant digits of a double, when 15 say it all: then every correct printer gives the same. */
static bool short_digits(double d, char digits[40], int *ret_point)
{
	char text[40];
	if (cs_json_number(d, text, sizeof(text)) < 0)
		return false;
	size_t n = take_digits(text + (text[0] == '-'), digits, ret_point);
	while (n && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	return n > 0 && n <= 15;
}

/* As jq's own printer lays digits out. */
static int write_real(double d, cs_buf *out)
{
	char digits[40];
	int point;
	if (d == 0 && !signbit(d))
		return cs_buf_addc(out, '0');
	if (!isfinite(d) || !short_digits(d, digits, &point))
		return CS_EXPR_ASK_JQ;
	int n = (int)strlen(digits);
	if (d < 0)
		cs_buf_addc(out, '-');
	if (point <= -4 || point > n + 15) {
		cs_buf_addc(out, digits[0]);
		if (n > 1)
			cs_buf_addf(out, ".%s", digits + 1);
		return cs_buf_addf(out, "e%c%02d", point - 1 < 0 ? '-' : '+', abs(point - 1));
	}
	if (point <= 0)
		return cs_buf_addf(out, "0.%.*s%s", -point, "0000", digits);
	if (point >= n)
		return cs_buf_addf(out, "%s%.*s", digits, point - n, "000000000000000");
	return cs_buf_addf(out, "%.*s.%s", point, digits, digits + point);
}

static int write_array(const json_t *v, cs_buf *out, unsigned depth)
{
	cs_buf_addc(out, '[');
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (i)
			cs_buf_addc(out, ',');
		int rc = write_value(json_array_get(v, i), out, depth);
		if (rc)
			return rc;
	}
	return cs_buf_addc(out, ']');
}

typedef struct member {
	const char *key;
	size_t len;
	const json_t *value;
} member;

static int compare_member(const void *a, const void *b)
{
	const member *ma = a, *mb = b;
	return compare_bytes(ma->key, ma->len, mb->key, mb->len);
}

/* The keys in their order, not as they came: what is read from the log again comes in another one than what was
 * just made. The programs for jq do the same (jq_program.c). */
static int write_object(const json_t *v, cs_buf *out, unsigned depth)
{
	size_t n = 0, len;
	CS_AUTOFREE member *members = cs_xcalloc(json_object_size(v) + 1, sizeof *members);
	const char *key;
	json_t *value;
	json_object_keylen_foreach((json_t *)(uintptr_t)v, key, len, value)
		members[n++] = (member){ key, len, value };
	qsort(members, n, sizeof *members, compare_member);
	cs_buf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			cs_buf_addc(out, ',');
		write_string(members[i].key, members[i].len, out);
		cs_buf_addc(out, ':');
		int rc = write_value(members[i].value, out, depth);
		if (rc)
			return rc;
	}
	return cs_buf_addc(out, '}');
}

static int write_value(const json_t *v, cs_buf *out, unsigned depth)
{
	if (depth == 0)
		return CS_ETOOBIG;
	switch (json_typeof(v)) {
	case JSON_NULL:    return cs_buf_adds(out, "null");
	case JSON_FALSE:   return cs_buf_adds(out, "false");
	case JSON_TRUE:    return cs_buf_adds(out, "true");
	case JSON_INTEGER: return cs_buf_addf(out, "%lld", (long long)json_integer_value(v));
	case JSON_REAL:    return write_real(json_real_value(v), out);
	case JSON_STRING:  write_string(json_string_value(v), json_string_length(v), out); return out->failed;
	case JSON_ARRAY:   return write_array(v, out, depth - 1);
	case JSON_OBJECT:  return write_object(v, out, depth - 1);
	}
	return CS_EINTERNAL;
}

int cs_value_tostring(const json_t *v, cs_buf *out)
{
	if (json_is_string(v))
		return cs_buf_add(out, json_string_value(v), json_string_length(v));
	return write_value(v, out, CS_EXPR_VALUE_DEPTH);
}

/* ---- limits ----------------------------------------------------------------------------- */

typedef struct budget { size_t nodes, bytes; } budget;

static bool weigh(const json_t *v, unsigned depth, budget *left)
{
	size_t bytes = json_is_string(v) ? json_string_length(v) : 0;
	if (depth == 0 || left->nodes == 0 || bytes > left->bytes)
		return false;
	left->nodes--;
	left->bytes -= bytes;
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!weigh(json_array_get(v, i), depth - 1, left))
			return false;
	const char *key;
	size_t len;
	json_t *value;
	json_object_keylen_foreach((json_t *)v, key, len, value) {
		if (len > left->bytes || !weigh(value, depth - 1, left))
			return false;
		left->bytes -= len;
	}
	return true;
}

int cs_value_weigh(const json_t *v)
{
	budget left = { CS_EXPR_RESULT_NODES, CS_EXPR_RESULT_MAX };
	return weigh(v, CS_JSON_DEPTH, &left) ? 0 : CS_ETOOBIG;
}
