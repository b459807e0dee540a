/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/show.h"

#define MINUTE 60000
#define HOUR (60 * MINUTE)

int64_t cs_show_ms(const json_t *obj, const char *key)
{
	const char *s = cs_json_str(obj, key);
	int64_t ms = 0;

	return s && cs_time_parse(s, &ms, NULL) == CS_OK ? ms : 0;
}

const char *cs_show_age(const json_t *obj, const char *key, char out[CS_SHOW_SIZE], int64_t *ret_next)
{
	int64_t at = cs_show_ms(obj, key), age;

	out[0] = '\0';
	if (!at)
		return out;
	age = cs_clock_wall_ms() - at;
	if (age < 0)
		age = -age;
	if (age < MINUTE)
		(void)snprintf(out, CS_SHOW_SIZE, "<1m");
	else
		cs_duration_show(age, out, CS_SHOW_SIZE);
	if (ret_next)
		*ret_next = MINUTE - age % MINUTE;
	return out;
}

const char *cs_show_took(const json_t *obj, char out[CS_SHOW_SIZE])
{
	int64_t from = cs_show_ms(obj, "started"), to = cs_show_ms(obj, "ended");

	out[0] = '\0';
	if (from)
		cs_duration_show((to ? to : cs_clock_wall_ms()) - from, out, CS_SHOW_SIZE);
	return out;
}

const char *cs_show_cost(const json_t *obj, char out[CS_SHOW_SIZE])
{
	int64_t micro = cs_json_int_or(obj, "cost", 0);

	out[0] = '\0';
	if (micro > 0)
		(void)snprintf(out, CS_SHOW_SIZE, "%.*f USD", micro < 10000 ? 4 : 2, (double)micro / 1e6);
	return out;
}

const char *cs_show_id(const char *id, char out[CS_SHOW_SIZE])
{
	size_t n = id ? strlen(id) : 0;

	if (n > 12 && strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == n)
		(void)snprintf(out, CS_SHOW_SIZE, "%.4s…%s", id, id + n - 4);
	else
		(void)snprintf(out, CS_SHOW_SIZE, "%.24s", id ? id : "");
	return out;
}

const char *cs_show_name(const char *ref)
{
	const char *slash = ref ? strrchr(ref, '/') : NULL;

	return slash ? slash + 1 : ref;
}

static const struct { const char *state, *mark; unsigned style; } states[] = {
	{ "completed", "✓", CS_ST_GOOD }, { "done", "✓", CS_ST_GOOD }, { "approved", "✓", CS_ST_GOOD },
	{ "consumed", "✓", CS_ST_GOOD }, { "answered", "✓", CS_ST_GOOD }, { "edited", "✓", CS_ST_GOOD },
	{ "compensated", "↩", CS_ST_DIM },
	{ "running", "▶", CS_ST_BAR }, { "compensating", "▶", CS_ST_WAIT }, { "cancelling", "▶", CS_ST_WAIT },
	{ "waiting", "…", CS_ST_WAIT }, { "pending", "…", CS_ST_WAIT }, { "created", "…", CS_ST_DIM },
	{ "retry-wait", "…", CS_ST_WAIT }, { "pausing", "‖", CS_ST_WAIT }, { "paused", "‖", CS_ST_WAIT },
	{ "in-doubt", "?", CS_ST_BAD }, { "stuck", "✗", CS_ST_BAD }, { "faulted", "✗", CS_ST_BAD },
	{ "failed", "✗", CS_ST_BAD }, { "open", "…", CS_ST_WAIT }, { "closed", "✓", CS_ST_DIM }, { "expired", "✗", CS_ST_BAD }, { "rejected", "✗", CS_ST_REMOVED },
	{ "cancelled", "–", CS_ST_DIM }, { "skipped", "–", CS_ST_DIM }, { "withdrawn", "–", CS_ST_DIM },
	{ "void", "–", CS_ST_DIM },
};

unsigned cs_show_state(const char *state)
{
	for (size_t i = 0; state && i < CS_ARRAY_LEN(states); i++)
		if (strcmp(states[i].state, state) == 0)
			return states[i].style;
	return CS_ST_TEXT;
}

const char *cs_show_mark(const char *state)
{
	for (size_t i = 0; state && i < CS_ARRAY_LEN(states); i++)
		if (strcmp(states[i].state, state) == 0)
			return states[i].mark;
	return "·";
}

bool cs_show_is(const char *state, const char *const *list)
{
	for (; state && *list; list++)
		if (strcmp(state, *list) == 0)
			return true;
	return false;
}

/* A list of texts, each of one line, is a line each. */
static bool show_texts(cs_pager *p, unsigned style, int indent, const char *label, const json_t *v)
{
	size_t i;
	json_t *one;

	if (json_array_size(v) == 0)
		return false;
	json_array_foreach((json_t *)v, i, one)
		if (!json_is_string(one) || strpbrk(json_string_value(one), "\r\n"))
			return false;
	json_array_foreach((json_t *)v, i, one) {
		CS_AUTOFREE char *line = cs_xasprintf("- %s", json_string_value(one));

		cs_pager_add(p, style, indent, i == 0 ? label : NULL, line);
	}
	return true;
}

void cs_show_value(cs_pager *p, unsigned style, int indent, const char *label, const json_t *v)
{
	CS_AUTOBUF cs_buf b = { 0 };

	if (!v || json_is_null(v))
		return;
	if (json_is_string(v)) {
		cs_pager_add(p, style, indent, label, json_string_value(v));
		return;
	}
	if (show_texts(p, style, indent, label, v))
		return;
	cs_buf_init(&b, 16u << 20);
	if (cs_json_write_pretty(v, &b) < 0)
		cs_pager_add(p, CS_ST_BAD, indent, label, "(too large to show: `capstan --json show` writes it)");
	else
		cs_pager_add(p, style, indent, label, cs_buf_str(&b));
}

void cs_show_error(cs_pager *p, int indent, const json_t *error)
{
	static const char *const known[] = { "title", "type", "status", "detail", "instance", NULL };
	const char *title = cs_json_str(error, "title"), *type = cs_show_name(cs_json_str(error, "type")), *key;
	json_int_t status = cs_json_int_or(error, "status", 0);
	CS_AUTOFREE char *head = NULL;
	json_t *v;

	if (!json_is_object(error) || !title) {
		cs_show_value(p, CS_ST_BAD, indent, _("Error"), error);
		return;
	}
	head = status ? cs_xasprintf("%s (%s %lld)", title, type ? type : "", (long long)status) : cs_xstrdup(title);
	cs_pager_add(p, CS_ST_BAD, indent, _("Error"), head);
	cs_show_value(p, CS_ST_TEXT, indent, NULL, json_object_get(error, "detail"));
	if (cs_json_str(error, "instance"))
		cs_pager_add(p, CS_ST_TEXT, indent, _("At"), cs_json_str(error, "instance"));
	json_object_foreach((json_t *)(uintptr_t)error, key, v)
		if (!cs_show_is(key, known))
			cs_show_value(p, CS_ST_TEXT, indent, key, v);
}

static void diff_line(cs_pager *p, unsigned style, const char *sign, const char *path, const json_t *v)
{
	CS_AUTOFREE char *label = cs_xasprintf("%s %s", sign, *path ? path : "value");
	CS_AUTOBUF cs_buf b = { 0 };

	cs_buf_init(&b, 16u << 20);
	(void)cs_json_write_pretty(v, &b);
	cs_pager_add(p, style, 0, NULL, label);
	cs_pager_add(p, style, 4, NULL, json_is_string(v) ? json_string_value(v) : cs_buf_str(&b));
}

#define SHORT 24

/* Two short values are one line. */
static bool short_change(cs_pager *p, const char *path, const json_t *a, const json_t *b)
{
	CS_AUTOFREE char *from = cs_json_text(a), *to = cs_json_text(b), *label = cs_xasprintf("~ %s", *path ? path : "value"), *text = NULL;

	if (strlen(from) > SHORT || strlen(to) > SHORT || strlen(label) > SHORT)
		return false;
	text = cs_xasprintf("%s → %s", from, to);
	cs_pager_add(p, CS_ST_CHANGED, 16, label, text);
	return true;
}

static bool diff_at(cs_pager *p, const char *path, const json_t *a, const json_t *b);

static bool diff_members(cs_pager *p, const char *path, const json_t *a, const json_t *b)
{
	const char *key;
	json_t *v;
	bool any = false;

	json_object_foreach((json_t *)a, key, v) {
		CS_AUTOFREE char *sub = cs_xasprintf("%s%s%s", path, *path ? "." : "", key);

		any |= diff_at(p, sub, v, json_object_get(b, key));
	}
	json_object_foreach((json_t *)b, key, v) {
		CS_AUTOFREE char *sub = cs_xasprintf("%s%s%s", path, *path ? "." : "", key);

		if (!json_object_get(a, key))
			any |= diff_at(p, sub, NULL, v);
	}
	return any;
}

static bool diff_elements(cs_pager *p, const char *path, const json_t *a, const json_t *b)
{
	size_t n = json_array_size(a) > json_array_size(b) ? json_array_size(a) : json_array_size(b);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		CS_AUTOFREE char *sub = cs_xasprintf("%s%s%zu", path, *path ? "." : "", i);

		any |= diff_at(p, sub, json_array_get(a, i), json_array_get(b, i));
	}
	return any;
}

static bool diff_at(cs_pager *p, const char *path, const json_t *a, const json_t *b)
{
	if (a && b && cs_json_equal(a, b))
		return false;
	if (json_is_object(a) && json_is_object(b))
		return diff_members(p, path, a, b);
	if (json_is_array(a) && json_is_array(b))
		return diff_elements(p, path, a, b);
	if (a && b && short_change(p, path, a, b))
		return true;
	if (a)
		diff_line(p, CS_ST_REMOVED, "-", path, a);
	if (b)
		diff_line(p, CS_ST_ADDED, "+", path, b);
	return true;
}

bool cs_show_diff(cs_pager *p, const json_t *a, const json_t *b)
{
	return diff_at(p, "", a, b);
}

void cs_show_fields(cs_pager *p, const json_t *fields, int indent)
{
	size_t i;
	json_t *f;

	json_array_foreach((json_t *)fields, i, f)
		cs_show_value(p, CS_ST_TEXT, indent, cs_json_str_or(f, "label", ""), json_object_get(f, "value"));
}

const char *cs_show_replayed(const json_t *row)
{
	return strcmp(cs_json_str_or(row, "kind", ""), "sub") == 0 ? NULL : cs_json_str(row, "parent");
}
