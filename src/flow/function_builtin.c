/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The functions that need no file: approve, ask, notify, until, http. */
#include "flow/function.h"

#include <string.h>
#include <threads.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/ask.h"
#include "flow/check.h"
#include "flow/flow_priv.h"

static const cs_key approve_keys[] = {
	{ "title", CS_IS_STRING | CS_KEY_REQUIRED }, { "summary", CS_IS_STRING }, { "show", CS_IS_ANY },
	{ "allow", CS_IS_ARRAY }, { "expire", CS_IS_STRING }, { "on-expiry", CS_IS_STRING }, { "runbook", CS_IS_STRING },
	{ "subject", CS_IS_STRING }, { "escalate", CS_IS_ARRAY }, { "remind", CS_IS_ARRAY }, { "back", CS_IS_STRING },
	{ "rounds", CS_IS_INTEGER },
	{ "covers", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
};
static const cs_key ask_keys[] = {
	{ "title", CS_IS_STRING | CS_KEY_REQUIRED }, { "form", CS_IS_OBJECT | CS_IS_BOOL }, { "show", CS_IS_ANY },
	{ "expire", CS_IS_STRING }, { "escalate", CS_IS_ARRAY }, { NULL, 0 },
};
static const cs_key notify_keys[] = {
	{ "title", CS_IS_STRING | CS_KEY_REQUIRED }, { "body", CS_IS_STRING }, { "action", CS_IS_STRING | CS_KEY_REQUIRED },
	{ "level", CS_IS_STRING }, { "via", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
};

static const cs_key until_keys[] = {
	{ "at", CS_IS_STRING }, { "before", CS_IS_ANY }, { "after", CS_IS_ANY }, { "hours", CS_IS_STRING }, { NULL, 0 },
};

static const struct {
	const char *name;
	cs_function_kind kind;
	cs_effect_class effect;
	int64_t timeout_ms;
	const cs_key *keys;       /* of `with`; NULL: flow_call.c knows */
	const char *what;
} rows[] = {
	{ "approve", CS_FUNCTION_BUILTIN, CS_EFFECT_PURE, 0, approve_keys, "the 'with' of approve" },
	{ "ask", CS_FUNCTION_BUILTIN, CS_EFFECT_PURE, 0, ask_keys, "the 'with' of ask" },
	{ "notify", CS_FUNCTION_BUILTIN, CS_EFFECT_PURE, 0, notify_keys, "the 'with' of notify" },
	{ "until", CS_FUNCTION_BUILTIN, CS_EFFECT_PURE, 0, until_keys, "the 'with' of until" },
	{ "http", CS_FUNCTION_HTTP, CS_EFFECT_UNSAFE, 30000, NULL, NULL },
	{ "openapi", CS_FUNCTION_HTTP, CS_EFFECT_UNSAFE, 30000, NULL, NULL },
	{ "run.shell", CS_FUNCTION_PROCESS, CS_EFFECT_UNSAFE, 600000, NULL, NULL },
	{ "run.script", CS_FUNCTION_PROCESS, CS_EFFECT_UNSAFE, 600000, NULL, NULL },
};

/* Of the design, but not of this version. */
static const char *const later_names[] = { "recall", "remember", NULL };

static cs_function builtins[CS_ARRAY_LEN(rows)];
static once_flag builtins_once = ONCE_FLAG_INIT;

static void make_builtins(void)
{
	json_t *none = json_array();
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_function *f = &builtins[i];
		f->kind = rows[i].kind;
		f->name = cs_xstrdup(rows[i].name);
		f->performer = f->kind == CS_FUNCTION_HTTP ? cs_xstrdup("http") : f->kind == CS_FUNCTION_PROCESS ? cs_xstrdup("shell") : NULL;
		f->effect = rows[i].effect;
		f->timeout_ms = rows[i].timeout_ms;
		f->attempts = 1;
		f->touches = json_incref(none);
		f->def = json_pack("{s:s}", "builtin", rows[i].name);
		cs_json_digest(f->def, f->hash);
	}
	json_decref(none);
}

const cs_function *cs_function_builtin(const char *name)
{
	call_once(&builtins_once, make_builtins);
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}

const char *cs_function_builtin_name(size_t i)
{
	return i < CS_ARRAY_LEN(rows) ? rows[i].name : NULL;
}

bool cs_function_builtin_later(const char *name)
{
	for (const char *const *w = later_names; *w; w++)
		if (strcmp(*w, name) == 0)
			return true;
	return false;
}

void cs_check_allow(cs_check *c, const json_t *obj)
{
	static const char *const words[] = { "accept", "edit", "respond", "reject", NULL };
	const json_t *list = json_object_get(obj, "allow"), *item;
	if (!json_is_array(list))
		return;
	size_t i, mark = cs_check_push(c, "allow");
	if (json_array_size(list) == 0)
		cs_check_error(c, "'allow' is empty; name at least one of accept, edit, respond, reject");
	json_array_foreach(list, i, item) {
		const char *text = json_string_value(item);
		size_t k = 0;
		while (text && words[k] && strcmp(words[k], text) != 0)
			k++;
		size_t inner = cs_check_push_index(c, i);
		if (!text)
			cs_check_error(c, "'allow' lists words: accept, edit, respond, reject");
		else if (!words[k])
			cs_check_unknown(c, "the answer", text, words);
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

static void check_expire(cs_check *c, const json_t *with)
{
	const char *text = cs_json_str(with, "expire");
	int64_t ms;
	if (text && !strstr(text, "${"))
		cs_check_duration_key(c, with, "expire", &ms);
}

static void check_approve(cs_check *c, const json_t *with)
{
	static const char *const words[] = { "reject", "escalate", NULL };
	cs_check_allow(c, with);
	cs_check_remind(c, with);
	cs_check_word(c, with, "on-expiry", words);
}

static void check_form(cs_check *c, const json_t *with)
{
	const json_t *form = json_object_get(with, "form");
	cs_schema *s = NULL;
	cs_err err = { 0 };
	if (!form)
		return;
	size_t mark = cs_check_push(c, "form");
	if (cs_schema_new(form, CS_SCHEMA_2020_12, NULL, &s, &err) < 0)
		cs_check_error(c, "%s", err.msg);
	cs_schema_free(s);
	cs_check_pop(c, mark);
}

/* What is written out is tried at once; what is an expression, when it has its value. */
static void check_until(cs_check *c, const json_t *with)
{
	static const char *const parts[] = { "at", "before", "after" }, *const hours[] = { "working", NULL };
	cs_check_word(c, with, "hours", hours);
	if (json_object_size(with) == 0)
		cs_check_error(c, "until what? Say 'at', 'before', 'after' or 'hours'");
	for (size_t i = 0; i < CS_ARRAY_LEN(parts); i++) {
		json_t *v = json_object_get(with, parts[i]);
		int64_t ms = 0;
		cs_err err = { 0 };
		if (!v || (json_is_string(v) && strstr(json_string_value(v), "${")) || json_is_object(v))
			continue;
		int rc = i == 0 ? cs_time_parse(json_string_value(v), &ms, &err) : cs_duration_value(v, &ms, &err);
		if (rc != CS_OK)
			cs_check_error_key(c, parts[i], "%s", err.msg);
	}
}

void cs_builtin_check(cs_check *c, const char *name, const json_t *with)
{
	static const char *const levels[] = { "info", "warning", "error", NULL };
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].name, name) != 0 || !rows[i].keys)
			continue;
		if (!cs_check_object(c, with, rows[i].keys, rows[i].what))
			return;
		check_expire(c, with);
		if (rows[i].keys != notify_keys)
			cs_check_escalate(c, with);
		if (rows[i].keys == approve_keys)
			check_approve(c, with);
		if (rows[i].keys == ask_keys)
			check_form(c, with);
		if (rows[i].keys == until_keys)
			check_until(c, with);
		const char *level = cs_json_str(with, "level");
		if (level && !strstr(level, "${"))
			cs_check_word(c, with, "level", levels);
	}
}

/* ---- what a run calls it with --------------------------------------------------------------------------------- */

enum { KEYS_MAX = 16 };

/* The table for values: a length of time may have been worked out. */
static void keys_of_values(const cs_key *keys, bool partly, cs_key ret[KEYS_MAX + 1])
{
	size_t n = 0;
	for (; n < KEYS_MAX && keys[n].name != NULL; n++) {
		ret[n] = keys[n];
		if (partly)
			ret[n].is &= ~(unsigned)CS_KEY_REQUIRED;
		if (strcmp(keys[n].name, "expire") == 0)
			ret[n].is |= CS_IS_OBJECT;
	}
	ret[n] = (cs_key){ NULL, 0 };
}

/* New reference. */
static json_t *without_nulls(const json_t *args, const cs_key *keys)
{
	json_t *said = json_copy((json_t *)(uintptr_t)args);
	for (; keys->name != NULL; keys++)
		if (!(keys->is & CS_KEY_REQUIRED) && json_is_null(json_object_get(said, keys->name)))
			json_object_del(said, keys->name);
	return said;
}

static void check_values(cs_check *c, const cs_key *keys, const json_t *args, bool partly)
{
	static const char *const levels[] = { "info", "warning", "error", NULL }, *const ends[] = { "reject", "escalate", NULL };
	int64_t ms;
	cs_check_duration_key(c, args, "expire", &ms);
	cs_check_allow(c, args);
	cs_check_escalate(c, args);
	cs_check_remind(c, args);
	cs_check_runbook(c, args);
	(void)cs_check_word(c, args, "level", levels);
	(void)cs_check_word(c, args, "on-expiry", ends);
	check_form(c, args);
	if (!partly && keys == approve_keys)
		cs_check_rounds(c, args);
}

int cs_function_builtin_args(const char *name, const json_t *args, bool partly, cs_err *err)
{
	cs_key keys[KEYS_MAX + 1];
	size_t i = 0;
	cs_diags d;
	cs_check c;
	while (i < CS_ARRAY_LEN(rows) && strcmp(rows[i].name, name) != 0)
		i++;
	if (i == CS_ARRAY_LEN(rows) || rows[i].keys == NULL)
		return CS_OK;
	keys_of_values(rows[i].keys, partly, keys);
	CS_AUTOJSON json_t *said = without_nulls(args, rows[i].keys);
	cs_diags_init(&d);
	cs_check_init(&c, NULL, NULL, &d);
	if (cs_check_object(&c, said, keys, rows[i].what) && rows[i].keys != until_keys)
		check_values(&c, rows[i].keys, said, partly);
	int rc = d.n == 0 ? CS_OK : cs_err_set(err, CS_EINVAL, "%s", d.items[0].message);
	cs_diags_fini(&d);
	return rc;
}
