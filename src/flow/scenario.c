/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/scenario.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/check.h"

static const char *const states[] = { "completed", "faulted", "cancelled", "waiting", "running", "paused", "compensated", "stuck", NULL };

static const cs_flow *check_flow(cs_check *c, const cs_workspace *w, const json_t *doc)
{
	const char *name = cs_json_str(doc, "flow");
	const cs_flow *f = w && name ? cs_workspace_flow(w, name) : NULL;
	if (!w || !name || f)
		return f;
	const char **names CS_AUTOFREE = cs_xcalloc(w->n_flows + 1, sizeof *names);
	for (size_t i = 0; i < w->n_flows; i++)
		names[i] = w->flows[i]->name;
	size_t mark = cs_check_push(c, "flow");
	cs_check_unknown(c, "the flow", name, names);
	cs_check_pop(c, mark);
	return NULL;
}

/* The task that a decision is about, by its name or its reference. */
static void check_task(cs_check *c, const cs_flow *f, const json_t *decision)
{
	const char *name = cs_json_str(decision, "task");
	if (!f || !name)
		return;
	const char **names CS_AUTOFREE = cs_xcalloc((size_t)f->n_tasks + 1, sizeof *names);
	for (int i = 0; i < f->n_tasks; i++) {
		if (strcmp(f->tasks[i].name, name) == 0 || strcmp(f->tasks[i].ref, name) == 0)
			return;
		names[i] = f->tasks[i].name;
	}
	size_t mark = cs_check_push(c, "task");
	cs_check_unknown(c, "the task", name, names);
	cs_check_pop(c, mark);
}

static void check_decision(cs_check *c, const cs_flow *f, const json_t *decision)
{
	static const cs_key keys[] = {
		{ "task", CS_IS_STRING | CS_KEY_REQUIRED }, { "accept", CS_IS_BOOL }, { "value", CS_IS_ANY }, { "note", CS_IS_STRING },
		{ "word", CS_IS_STRING }, { "resolve", CS_IS_STRING }, { "always", CS_IS_BOOL }, { NULL, 0 },
	};
	static const char *const ways[] = { "happened", "did-not", "repeat", NULL };
	if (!cs_check_object(c, decision, keys, "a decision"))
		return;
	cs_check_word(c, decision, "resolve", ways);
	check_task(c, f, decision);
	if (json_object_size(decision) - (json_object_get(decision, "always") != NULL) <= 1)
		cs_check_error(c, "a decision needs 'accept', 'value', 'note' or 'resolve'");
	if (json_is_false(json_object_get(decision, "accept")) && json_object_get(decision, "value"))
		cs_check_error_key(c, "value", "what is rejected has no value; say why with 'note'");
}

static void check_event(cs_check *c, const json_t *event)
{
	static const cs_key keys[] = {
		{ "after", CS_IS_STRING | CS_IS_OBJECT }, { "type", CS_IS_STRING | CS_KEY_REQUIRED }, { "data", CS_IS_ANY },
		{ "source", CS_IS_STRING }, { "id", CS_IS_STRING }, { "subject", CS_IS_STRING }, { NULL, 0 },
	};
	int64_t ms;
	if (cs_check_object(c, event, keys, "an event"))
		cs_check_duration_key(c, event, "after", &ms);
}

static void check_calls(cs_check *c, const cs_workspace *w, const json_t *expect, const char *key)
{
	const json_t *list = json_object_get(expect, key), *name;
	size_t i, mark = cs_check_push(c, key);
	json_array_foreach(list, i, name) {
		size_t inner = cs_check_push_index(c, i);
		if (cs_check_type(c, name, CS_IS_STRING, "each of these") && w && !cs_workspace_function(w, json_string_value(name)))
			cs_check_unknown(c, "the function", json_string_value(name), w->callables);
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

static void check_expect(cs_check *c, const cs_workspace *w, const json_t *expect)
{
	static const cs_key keys[] = {
		{ "state", CS_IS_STRING }, { "effects", CS_IS_ARRAY }, { "never", CS_IS_ARRAY }, { "output", CS_IS_ANY },
		{ "runs", CS_IS_INTEGER }, { NULL, 0 },
	};
	if (!cs_check_object(c, expect, keys, "'expect'"))
		return;
	if (json_object_size(expect) == 0)
		cs_check_error(c, "'expect' is empty; then nothing is tested");
	cs_check_word(c, expect, "state", states);
	check_calls(c, w, expect, "effects");
	check_calls(c, w, expect, "never");
	if (json_integer_value(json_object_get(expect, "runs")) < 0)
		cs_check_error_key(c, "runs", "'runs' is how many there must be; it cannot be less than 0");
}

/* When it begins, and how long its clock goes on. */
static void check_clock(cs_check *c, const json_t *doc)
{
	const char *from = cs_json_str(doc, "from");
	int64_t ms;
	cs_check_duration_key(c, doc, "until", &ms);
	if (from && cs_time_parse(from, &ms, NULL) != CS_OK)
		cs_check_error_key(c, "from", "'%.40s' is not a time; write one like 2026-01-01T00:00:00Z", from);
}

bool cs_scenario_check(const cs_workspace *w, const json_t *doc, const cs_source *src, cs_diags *d)
{
	static const cs_key keys[] = {
		{ "scenario", CS_IS_STRING | CS_KEY_REQUIRED }, { "flow", CS_IS_STRING | CS_KEY_REQUIRED }, { "input", CS_IS_ANY },
		{ "decide", CS_IS_ARRAY }, { "emit", CS_IS_ARRAY }, { "expect", CS_IS_OBJECT | CS_KEY_REQUIRED },
		{ "from", CS_IS_STRING }, { "until", CS_IS_STRING | CS_IS_OBJECT }, { NULL, 0 },
	};
	cs_check c;
	size_t errors = d->errors, i;
	const json_t *item;
	cs_check_init(&c, NULL, src, d);
	if (!cs_check_object(&c, doc, keys, "a scenario"))
		return false;
	const cs_flow *f = check_flow(&c, w, doc);
	check_clock(&c, doc);
	size_t mark = cs_check_push(&c, "decide");
	json_array_foreach(json_object_get(doc, "decide"), i, item) {
		size_t inner = cs_check_push_index(&c, i);
		check_decision(&c, f, item);
		cs_check_pop(&c, inner);
	}
	cs_check_pop(&c, mark);
	mark = cs_check_push(&c, "emit");
	json_array_foreach(json_object_get(doc, "emit"), i, item) {
		size_t inner = cs_check_push_index(&c, i);
		check_event(&c, item);
		cs_check_pop(&c, inner);
	}
	cs_check_pop(&c, mark);
	mark = cs_check_push(&c, "expect");
	check_expect(&c, w, json_object_get(doc, "expect"));
	cs_check_pop(&c, mark);
	return d->errors == errors;
}
