/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* An array index in plain digits without leading zeros; false for anything else. */
static bool parse_index(const char *s, size_t n, size_t *ret)
{
	size_t v = 0;
	if (n == 0 || n > 9 || (n > 1 && s[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (size_t)(s[i] - '0');
	}
	*ret = v;
	return true;
}

static json_t *child_of(const json_t *v, const char *name, size_t n)
{
	size_t i;
	if (json_is_object(v))
		return json_object_getn(v, name, n);
	if (json_is_array(v) && parse_index(name, n, &i))
		return json_array_get(v, i);
	return NULL;
}

json_t *cs_json_get_path(const json_t *v, const char *dotted)
{
	json_t *at = (json_t *)v;
	if (!*dotted)
		return at;
	for (const char *s = dotted; at; s++) {
		size_t n = strcspn(s, ".");
		at = n ? child_of(at, s, n) : NULL;
		s += n;
		if (!*s)
			break;
	}
	return at;
}

static const char *const type_names[] = {
	[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",    [JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
	[JSON_REAL] = "a number",    [JSON_TRUE] = "a true value", [JSON_FALSE] = "a false value",
};

/* A shallow copy of V that may be changed; an object when V is absent or null. */
static json_t *open_copy(const json_t *v)
{
	json_t *copy = !v || json_is_null(v) ? json_object() : json_copy((json_t *)v);
	if (!copy)
		abort();
	return copy;
}

/* Puts VALUE (stolen) under the first N bytes of NAME. */
static int set_child(json_t *v, const char *name, size_t n, json_t *value, cs_err *err)
{
	CS_AUTOJSON json_t *held = value;
	int len = n < 80 ? (int)n : 80;
	size_t i;
	if (json_is_object(v)) {
		if (json_object_setn(v, name, n, held) < 0)
			return cs_err_set(err, CS_EINVAL, "\"%.*s\" cannot be a key; keys are UTF-8", len, name);
		return 0;
	}
	if (!json_is_array(v))
		return cs_err_set(err, CS_EINVAL, "\"%.*s\" lies below %s; only objects and arrays hold values", len, name,
				  type_names[json_typeof(v)]);
	if (!parse_index(name, n, &i) || i > json_array_size(v))
		return cs_err_set(err, CS_EINVAL, "\"%.*s\" is no place in an array of %zu; give a number from 0 to %zu", len,
				  name, json_array_size(v), json_array_size(v));
	if ((i == json_array_size(v) ? json_array_append(v, held) : json_array_set(v, i, held)) < 0)
		abort();
	return 0;
}

static int check_path(const char *dotted, cs_err *err)
{
	size_t parts = 1, n = strlen(dotted);
	for (size_t i = 0; i < n; i++)
		parts += dotted[i] == '.';
	if (n == 0 || dotted[0] == '.' || dotted[n - 1] == '.' || strstr(dotted, ".."))
		return cs_err_set(err, CS_EINVAL, "a path has an empty part; write it as a.b.0");
	if (parts > CS_JSON_DEPTH)
		return cs_err_set(err, CS_ETOOBIG, "a path has more than %d parts; make it shorter", CS_JSON_DEPTH);
	return 0;
}

int cs_json_with_path(const json_t *v, const char *dotted, json_t *value, json_t **ret, cs_err *err)
{
	/* The values along the path, from the root down; a part without one starts an object. */
	const json_t *along[CS_JSON_DEPTH];
	size_t at[CS_JSON_DEPTH], len[CS_JSON_DEPTH], n = 0;
	int r = check_path(dotted, err);
	if (r < 0)
		return r;
	for (const char *s = dotted; *s; n++) {
		along[n] = v;
		at[n] = (size_t)(s - dotted);
		len[n] = strcspn(s, ".");
		v = v ? child_of(v, s, len[n]) : NULL;
		s += len[n];
		s += *s == '.';
	}
	json_t *below = json_incref(value);
	while (n-- > 0) {
		json_t *copy = open_copy(along[n]);
		r = set_child(copy, dotted + at[n], len[n], below, err);
		below = copy;
		if (r < 0) {
			json_decref(below);
			return r;
		}
	}
	*ret = below;
	return 0;
}

/* One part of a JSON pointer with ~0 and ~1 undone; false when it has another ~. */
static bool unescape(const char *s, size_t n, cs_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		if (c == '~') {
			i++;
			if (i == n || (s[i] != '0' && s[i] != '1'))
				return false;
			c = s[i] == '0' ? '~' : '/';
		}
		if (cs_buf_addc(out, c) < 0)
			return false;
	}
	return true;
}

json_t *cs_json_pointer(const json_t *v, const char *pointer)
{
	json_t *at = (json_t *)v;
	CS_AUTOBUF cs_buf part;
	cs_buf_init(&part, strlen(pointer));
	while (at && *pointer) {
		if (*pointer++ != '/')
			return NULL;
		size_t n = strcspn(pointer, "/");
		cs_buf_reset(&part);
		if (!unescape(pointer, n, &part))
			return NULL;
		at = child_of(at, cs_buf_str(&part), part.len);
		pointer += n;
	}
	return at;
}

const char *cs_json_str(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

const char *cs_json_str_or(const json_t *obj, const char *key, const char *def)
{
	const char *s = cs_json_str(obj, key);
	return s ? s : def;
}

int64_t cs_json_int_or(const json_t *obj, const char *key, int64_t def)
{
	const json_t *v = json_object_get(obj, key);
	return json_is_integer(v) ? json_integer_value(v) : def;
}

bool cs_json_true(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key));
}

bool cs_json_lists(const json_t *list, const char *word)
{
	size_t i;
	json_t *one;
	json_array_foreach((json_t *)(uintptr_t)list, i, one)
		if (word && json_is_string(one) && strcmp(json_string_value(one), word) == 0)
			return true;
	return false;
}

void cs_json_put(json_t **slot, json_t *value)
{
	json_t *old = *slot;
	*slot = json_incref(value);
	json_decref(old);
}
