/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tasks that hold others, and those that only make a value: do set switch for fork raise emit. */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/json.h"
#include "base/mem.h"

/* The list at KEY of OBJ as children of ID. */
static void build_children(cs_build *b, int id, json_t *obj, const char *key, bool branches, const char *what)
{
	int *ids = NULL, n = 0;
	size_t mark = cs_check_push(&b->c, key);
	cs_build_list(b, json_object_get(obj, key), id, false, branches, what, &ids, &n);
	cs_check_pop(&b->c, mark);
	b->f->tasks[id].children = ids;
	b->f->tasks[id].n_children = n;
}

void cs_build_do(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	(void)sibs;
	build_children(b, id, def, "do", false, "'do'");
}

static bool is_expression(const json_t *v)
{
	const char *s = json_string_value(v);
	return s && strncmp(s + strspn(s, " \t\n"), "${", 2) == 0;
}

void cs_build_set(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	(void)sibs;
	const json_t *v = json_object_get(def, "set");
	size_t mark = cs_check_push(&b->c, "set");
	if (json_is_string(v) && !b->loose && !is_expression(v))
		cs_check_error(&b->c, "'set' must be a mapping or one expression; write it as '${ … }'");
	else if (json_is_object(v) && json_object_size(v) == 0)
		cs_check_error(&b->c, "'set' is empty; say what to set");
	else
		cs_build_template(b, v, cs_build_mode(b, CS_TEMPLATE_STRICT), &b->f->tasks[id].body);
	cs_check_pop(&b->c, mark);
}

static void build_case(cs_build *b, cs_switch_case *k, json_t *item, const cs_siblings *sibs, bool *default_seen)
{
	static const cs_key keys[] = { { "when", CS_IS_STRING }, { "then", CS_IS_STRING | CS_KEY_REQUIRED }, { NULL, 0 } };
	const char *name = json_object_iter_key(json_object_iter(item));
	json_t *def = json_object_get(item, name);
	k->name = cs_xstrdup(name);
	size_t mark = cs_check_push(&b->c, name);
	if (cs_check_object(&b->c, def, keys, "a case")) {
		cs_build_template_key(b, def, "when", CS_TEMPLATE_BARE, &k->when);
		k->then = cs_build_then(b, def, sibs);
		if (!json_object_get(def, "when")) {
			if (*default_seen)
				cs_check_error(&b->c, "a switch has at most one case without 'when'; give '%.80s' a condition", name);
			*default_seen = true;
		}
	}
	cs_check_pop(&b->c, mark);
}

void cs_build_switch(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	json_t *list = json_object_get(def, "switch"), *item;
	size_t i, mark = cs_check_push(&b->c, "switch");
	cs_task *t = &b->f->tasks[id];
	bool default_seen = false;
	if (json_array_size(list) == 0)
		cs_check_error(&b->c, "'switch' is empty; it needs at least one case");
	t->cases = cs_xcalloc(json_array_size(list) + 1, sizeof *t->cases);
	json_array_foreach(list, i, item) {
		size_t inner = cs_check_push_index(&b->c, i);
		if (json_is_object(item) && json_object_size(item) == 1)
			build_case(b, &t->cases[t->n_cases++], item, sibs, &default_seen);
		else
			cs_check_error(&b->c, "each case is one name with its definition, like '- name: { when: …, then: … }'");
		cs_check_pop(&b->c, inner);
	}
	cs_check_pop(&b->c, mark);
	cs_build_warn_cases(b, t, def);
}

/* `in`: an expression, or a list of objects written out. */
static void build_in(cs_build *b, cs_task *t, const json_t *loop)
{
	const json_t *in = json_object_get(loop, "in"), *item;
	size_t i, mark = cs_check_push(&b->c, "in");
	json_array_foreach(in, i, item) {
		size_t inner = cs_check_push_index(&b->c, i);
		cs_check_type(&b->c, item, CS_IS_OBJECT, "an item of a written out 'in'");
		cs_check_pop(&b->c, inner);
	}
	cs_check_pop(&b->c, mark);
	cs_build_template_key(b, loop, "in", cs_build_mode(b, CS_TEMPLATE_BARE), &t->in);
}

void cs_build_for(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	static const cs_key keys[] = {
		{ "each", CS_IS_STRING }, { "in", CS_IS_STRING | CS_IS_ARRAY | CS_KEY_REQUIRED }, { "at", CS_IS_STRING }, { NULL, 0 },
	};
	(void)sibs;
	cs_task *t = &b->f->tasks[id];
	json_t *loop = json_object_get(def, "for");
	size_t mark = cs_check_push(&b->c, "for");
	if (cs_check_object(&b->c, loop, keys, "'for'")) {
		build_in(b, t, loop);
		cs_build_variable(b, loop, "each", "item", &t->each);
		cs_build_variable(b, loop, "at", "index", &t->at);
		if (t->each && t->at && strcmp(t->each, t->at) == 0)
			cs_check_error(&b->c, "'each' and 'at' cannot both be '%s'", t->each);
	}
	cs_check_pop(&b->c, mark);
	size_t around = b->n_vars;
	cs_build_enter(b, t->each);
	cs_build_enter(b, t->at);
	cs_build_template_key(b, def, "while", CS_TEMPLATE_BARE, &t->loop_while);
	build_children(b, id, def, "do", false, "'do'");
	cs_build_leave(b, around);
}

void cs_build_fork(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	static const cs_key keys[] = {
		{ "branches", CS_IS_ARRAY | CS_KEY_REQUIRED }, { "compete", CS_IS_BOOL }, { NULL, 0 },
	};
	(void)sibs;
	json_t *fork = json_object_get(def, "fork");
	size_t mark = cs_check_push(&b->c, "fork");
	if (cs_check_object(&b->c, fork, keys, "'fork'")) {
		b->f->tasks[id].compete = cs_json_true(fork, "compete");
		build_children(b, id, fork, "branches", true, "'branches'");
	}
	cs_check_pop(&b->c, mark);
}

bool cs_check_error_definition(cs_build *b, const json_t *v)
{
	static const cs_key keys[] = {
		{ "type", CS_IS_STRING | CS_KEY_REQUIRED }, { "status", CS_IS_INTEGER | CS_KEY_REQUIRED },
		{ "title", CS_IS_STRING }, { "detail", CS_IS_STRING }, { "instance", CS_IS_STRING }, { NULL, 0 },
	};
	if (!cs_check_object(&b->c, v, keys, "an error"))
		return false;
	if (json_string_length(json_object_get(v, "type")) == 0) {
		cs_check_error(&b->c, "an error's 'type' cannot be empty; write a URI");
		return false;
	}
	return true;
}

void cs_build_raise(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	static const cs_key keys[] = { { "error", CS_IS_OBJECT | CS_IS_STRING | CS_KEY_REQUIRED }, { NULL, 0 } };
	(void)sibs;
	json_t *raise = json_object_get(def, "raise");
	size_t mark = cs_check_push(&b->c, "raise");
	if (cs_check_object(&b->c, raise, keys, "'raise'")) {
		json_t *error = json_object_get(raise, "error");
		cs_check saved;
		bool named = json_is_string(error);
		cs_check_push(&b->c, "error");
		if (named)
			error = cs_use_find(b, "errors", json_string_value(error), &saved);
		if (error && cs_check_error_definition(b, error))
			cs_build_template(b, error, cs_build_mode(b, CS_TEMPLATE_STRICT), &b->f->tasks[id].body);
		if (named && error)
			cs_use_done(b, &saved);
	}
	cs_check_pop(&b->c, mark);
}

void cs_build_emit(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	static const cs_key emit_keys[] = { { "event", CS_IS_OBJECT | CS_KEY_REQUIRED }, { NULL, 0 } };
	static const cs_key event_keys[] = { { "with", CS_IS_OBJECT | CS_KEY_REQUIRED }, { NULL, 0 } };
	static const char *const texts[] = {
		"id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "specversion",
	};
	(void)sibs;
	json_t *emit = json_object_get(def, "emit"), *event = json_object_get(emit, "event");
	json_t *with = json_object_get(event, "with");
	size_t mark = cs_check_push(&b->c, "emit");
	if (cs_check_object(&b->c, emit, emit_keys, "'emit'")) {
		cs_check_push(&b->c, "event");
		if (cs_check_object(&b->c, event, event_keys, "'event'")) {
			cs_check_push(&b->c, "with");
			if (!json_object_get(with, "type"))
				cs_check_error(&b->c, "an event needs 'type'");
			for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++) {
				json_t *v = json_object_get(with, texts[i]);
				size_t inner = cs_check_push(&b->c, texts[i]);
				if (v)
					cs_check_type(&b->c, v, CS_IS_STRING, "this attribute of an event");
				cs_check_pop(&b->c, inner);
			}
			cs_build_template(b, with, cs_build_mode(b, CS_TEMPLATE_STRICT), &b->f->tasks[id].body);
		}
	}
	cs_check_pop(&b->c, mark);
}
