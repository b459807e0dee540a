/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/check.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"

enum { SENTENCE_MAX = 900, NAME_SHOWN = 80, KEYS_SHOWN = 24, INTERVAL_MIN_MS = 1000 };

void cs_check_init(cs_check *c, const char *file, const cs_source *src, cs_diags *d)
{
	c->file = src ? cs_source_file(src) : file;
	c->src = src;
	c->d = d;
	c->path[0] = '\0';
	c->len = 0;
}

/* Appends KEY with ~ and / written as RFC 6901 says. */
size_t cs_check_push(cs_check *c, const char *key)
{
	size_t mark = c->len, need = 1;
	for (const char *p = key; *p; p++)
		need += *p == '~' || *p == '/' ? 2 : 1;
	if (c->len + need < sizeof c->path) {
		char *out = c->path + c->len;
		*out++ = '/';
		for (const char *p = key; *p; p++) {
			if (*p == '~' || *p == '/') {
				*out++ = '~';
				*out++ = *p == '~' ? '0' : '1';
			} else {
				*out++ = *p;
			}
		}
		*out = '\0';
		c->len += need;
	} else {
		c->len += sizeof c->path;     /* nothing below fits either until this is popped */
	}
	return mark;
}

size_t cs_check_push_index(cs_check *c, size_t index)
{
	char text[24];
	snprintf(text, sizeof text, "%zu", index);
	return cs_check_push(c, text);
}

void cs_check_pop(cs_check *c, size_t mark)
{
	c->len = mark;
	if (mark < sizeof c->path)
		c->path[mark] = '\0';
}

static void report(cs_check *c, bool warning, const char *pointer, bool key, const char *fmt, va_list ap)
{
	char text[SENTENCE_MAX];
	vsnprintf(text, sizeof text, fmt, ap);
	unsigned line = 0, col = 0;
	if (c->src)
		cs_source_at(c->src, pointer, key, &line, &col);
	cs_diags_add(c->d, warning, c->file, line, col, "%s", text);
}

void cs_check_error(cs_check *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	report(c, false, c->path, false, fmt, ap);
	va_end(ap);
}

void cs_check_error_key(cs_check *c, const char *key, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	size_t mark = cs_check_push(c, key);
	report(c, false, c->path, true, fmt, ap);
	cs_check_pop(c, mark);
	va_end(ap);
}

void cs_check_warn(cs_check *c, const char *key, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	size_t mark = key ? cs_check_push(c, key) : c->len;
	report(c, true, c->path, key != NULL, fmt, ap);
	cs_check_pop(c, mark);
	va_end(ap);
}

void cs_check_place(const cs_check *c, const char *pointer, unsigned *line, unsigned *col)
{
	char whole[CS_CHECK_PATH + 256];
	snprintf(whole, sizeof whole, "%s%s", c->path, pointer);
	*line = *col = 0;
	if (c->src)
		cs_source_at(c->src, whole, 0, line, col);
}

static void report_below(cs_check *c, bool warning, const char *pointer, const char *fmt, va_list ap)
{
	char whole[CS_CHECK_PATH + 256];
	snprintf(whole, sizeof whole, "%s%s", c->path, pointer);
	report(c, warning, whole, false, fmt, ap);
}

void cs_check_error_below(cs_check *c, const char *pointer, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	report_below(c, false, pointer, fmt, ap);
	va_end(ap);
}

void cs_check_warn_below(cs_check *c, const char *pointer, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	report_below(c, true, pointer, fmt, ap);
	va_end(ap);
}

static unsigned type_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return CS_IS_OBJECT;
	case JSON_ARRAY: return CS_IS_ARRAY;
	case JSON_STRING: return CS_IS_STRING;
	case JSON_INTEGER: return CS_IS_INTEGER | CS_IS_NUMBER;
	case JSON_REAL: return CS_IS_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE: return CS_IS_BOOL;
	case JSON_NULL: return CS_IS_NULL;
	}
	return 0;
}

static const struct {
	unsigned is;
	const char *word;
} type_words[] = {
	{ CS_IS_OBJECT, "a mapping" }, { CS_IS_ARRAY, "a list" }, { CS_IS_STRING, "a text" },
	{ CS_IS_INTEGER, "a whole number" }, { CS_IS_NUMBER, "a number" }, { CS_IS_BOOL, "true or false" },
	{ CS_IS_NULL, "null" },
};

/* "a text or a mapping" */
static void type_list(unsigned is, char *out, size_t size)
{
	if (is & CS_IS_NUMBER)
		is &= ~(unsigned)CS_IS_INTEGER;
	size_t n = 0;
	out[0] = '\0';
	for (size_t i = 0; i < CS_ARRAY_LEN(type_words); i++) {
		if (!(is & type_words[i].is))
			continue;
		int w = snprintf(out + n, size - n, "%s%s", n ? " or " : "", type_words[i].word);
		n += w > 0 && (size_t)w < size - n ? (size_t)w : 0;
	}
}

static const char *type_word(const json_t *v)
{
	unsigned is = type_of(v);
	if (json_is_true(v) || json_is_false(v))
		return json_is_true(v) ? "true" : "false";
	for (size_t i = 0; i < CS_ARRAY_LEN(type_words); i++)
		if (is & type_words[i].is)
			return type_words[i].word;
	return "nothing";
}

bool cs_check_type(cs_check *c, const json_t *v, unsigned is, const char *what)
{
	if (type_of(v) & is)
		return true;
	char allowed[128];
	type_list(is, allowed, sizeof allowed);
	const char *hint = "";
	if (c->src && (is & CS_IS_STRING) && (type_of(v) & (CS_IS_NUMBER | CS_IS_BOOL)))
		hint = "; put it in quotes";
	cs_check_error(c, "%s must be %s, not %s%s", what, allowed, type_word(v), hint);
	return false;
}

void cs_check_unknown(cs_check *c, const char *what, const char *name, const char *const *names)
{
	const char *near = cs_suggest(name, names);
	cs_check_error(c, "%s '%.*s' is not known%s%s%s", what, NAME_SHOWN, name,
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	cs_diags_suggest(c->d, near);
}

static const cs_key *find_key(const cs_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

static void unknown_key(cs_check *c, const cs_key *keys, const char *key, const char *what)
{
	const char *names[64];
	char list[400];
	size_t n = 0, len = 0;
	list[0] = '\0';
	for (; keys->name && n < CS_ARRAY_LEN(names) - 1; keys++) {
		if (keys->is & CS_KEY_LATER)
			continue;
		names[n++] = keys->name;
		int w = n > KEYS_SHOWN ? 0 : snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "", keys->name);
		len += w > 0 && (size_t)w < sizeof list - len ? (size_t)w : 0;
	}
	names[n] = NULL;
	const char *near = cs_suggest(key, names);
	if (near)
		cs_check_error_key(c, key, "unknown key '%.*s' in %s; did you mean '%s'?", NAME_SHOWN, key, what, near);
	else
		cs_check_error_key(c, key, "unknown key '%.*s' in %s; it may have: %s", NAME_SHOWN, key, what, list);
	cs_diags_suggest(c->d, near);
}

static bool check_member(cs_check *c, const cs_key *keys, const char *key, const json_t *v, const char *what)
{
	const cs_key *k = find_key(keys, key);
	if (!k) {
		unknown_key(c, keys, key, what);
		return false;
	}
	if (k->is & CS_KEY_LATER) {
		cs_check_error_key(c, key, "'%s' in %s is known, but this version does not obey it yet; remove it", key, what);
		return false;
	}
	char name[NAME_SHOWN];
	snprintf(name, sizeof name, "'%s'", key);
	size_t mark = cs_check_push(c, key);
	bool ok = cs_check_type(c, v, k->is, name);
	cs_check_pop(c, mark);
	return ok;
}

bool cs_check_object(cs_check *c, const json_t *v, const cs_key *keys, const char *what)
{
	if (!cs_check_type(c, v, CS_IS_OBJECT, what))
		return false;
	bool ok = true;
	const char *key;
	json_t *member;
	json_object_foreach((json_t *)(uintptr_t)v, key, member)
		ok &= check_member(c, keys, key, member, what);
	for (; keys->name; keys++) {
		if ((keys->is & CS_KEY_REQUIRED) && !json_object_get(v, keys->name)) {
			cs_check_error(c, "%s needs '%s'", what, keys->name);
			ok = false;
		}
	}
	return ok;
}

int cs_check_word(cs_check *c, const json_t *obj, const char *key, const char *const *words)
{
	const json_t *v = json_object_get(obj, key);
	if (!v)
		return -1;
	const char *text = json_string_value(v);
	for (int i = 0; text && words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	char list[200];
	size_t len = 0;
	for (int i = 0; words[i]; i++) {
		int w = snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", words[i]);
		len += w > 0 && (size_t)w < sizeof list - len ? (size_t)w : 0;
	}
	size_t mark = cs_check_push(c, key);
	if (text)
		cs_check_error(c, "'%s' cannot be '%.*s'; write one of: %s", key, NAME_SHOWN, text, list);
	else
		cs_check_error(c, "'%s' must be one of: %s", key, list);
	cs_check_pop(c, mark);
	return -1;
}

static const struct {
	const char *name;
	int64_t ms;
} duration_units[] = {
	{ "days", 86400000 }, { "hours", 3600000 }, { "minutes", 60000 }, { "seconds", 1000 }, { "milliseconds", 1 },
};

static bool duration_object(cs_check *c, const json_t *v, int64_t *ret_ms)
{
	static const cs_key keys[] = {
		{ "days", CS_IS_INTEGER }, { "hours", CS_IS_INTEGER }, { "minutes", CS_IS_INTEGER },
		{ "seconds", CS_IS_INTEGER }, { "milliseconds", CS_IS_INTEGER }, { NULL, 0 },
	};
	if (!cs_check_object(c, v, keys, "a duration"))
		return false;
	if (json_object_size(v) == 0) {
		cs_check_error(c, "a duration needs at least one of days, hours, minutes, seconds, milliseconds");
		return false;
	}
	int64_t sum = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(duration_units); i++) {
		int64_t n = cs_json_int_or(v, duration_units[i].name, 0);
		if (n < 0 || n > INT64_C(1000000000000) / duration_units[i].ms) {
			size_t mark = cs_check_push(c, duration_units[i].name);
			cs_check_error(c, "'%s' must be between 0 and some 30 years", duration_units[i].name);
			cs_check_pop(c, mark);
			return false;
		}
		sum += n * duration_units[i].ms;
	}
	*ret_ms = sum;
	return true;
}

bool cs_check_duration(cs_check *c, const json_t *v, int64_t *ret_ms)
{
	if (json_is_object(v))
		return duration_object(c, v, ret_ms);
	if (!cs_check_type(c, v, CS_IS_STRING | CS_IS_OBJECT, "a duration"))
		return false;
	const char *text = json_string_value(v);
	if (strstr(text, "${")) {
		cs_check_error(c, "a duration from an expression is part of the language, but this version does not run it yet; write it out, like PT30S");
		return false;
	}
	cs_err err = { 0 };
	if (cs_duration_parse(text, ret_ms, &err) < 0) {
		cs_check_error(c, "'%.*s' is not a duration; write it like PT30S, PT4H or P2D", NAME_SHOWN, text);
		return false;
	}
	return true;
}

bool cs_check_duration_key(cs_check *c, const json_t *obj, const char *key, int64_t *ret_ms)
{
	const json_t *v = json_object_get(obj, key);
	if (!v)
		return true;
	size_t mark = cs_check_push(c, key);
	bool ok = cs_check_duration(c, v, ret_ms);
	cs_check_pop(c, mark);
	return ok;
}

bool cs_check_interval_key(cs_check *c, const json_t *obj, const char *key, int64_t *ret_ms)
{
	int64_t ms = 0;
	if (json_object_get(obj, key) == NULL || !cs_check_duration_key(c, obj, key, &ms))
		return false;
	if (ms >= INTERVAL_MIN_MS) {
		*ret_ms = ms;
		return true;
	}
	size_t mark = cs_check_push(c, key);
	cs_check_error(c, "'%s' must be a second or more", key);
	cs_check_pop(c, mark);
	return false;
}

bool cs_check_cron_key(cs_check *c, const json_t *obj, const char *key, cs_cron *ret)
{
	const char *text = cs_json_str(obj, key);
	cs_err err = { 0 };
	if (text == NULL)
		return false;
	if (cs_cron_parse(text, ret, &err) == CS_OK)
		return true;
	size_t mark = cs_check_push(c, key);
	cs_check_error(c, "%s", err.msg);
	cs_check_pop(c, mark);
	return false;
}
