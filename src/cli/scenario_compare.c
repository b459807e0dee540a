/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a scenario expects against what happened, and what happened as a scenario. */
#include <string.h>

#include "cli/scenario.h"

#define SENT_SQL "SELECT call FROM attempt WHERE state = 'done' AND class IN ('keyed','probe','unsafe') AND run = ?1 " \
	"GROUP BY key ORDER BY min(started), min(seq)"
#define TRIED_SQL "SELECT DISTINCT call FROM attempt WHERE run = ?1"

/* One effect, two questions: nothing that goes out is ever asked for twice. */
#define ASKED_TWICE_SQL "SELECT call FROM attempt WHERE approval IS NOT NULL AND run = ?1 GROUP BY key HAVING count(DISTINCT approval) > 1 " \
	"UNION SELECT call FROM item WHERE run = ?1 AND state = 'consumed' AND call NOT IN ('approve','ask') " \
	"GROUP BY call, task, occurrence, digest HAVING count(*) > 1"

static void differ(json_t *differences, char *text)
{
	json_array_append_new(differences, json_string(text));
	free(text);
}

static int calls(cs_reader *reader, const char *sql, const char *run, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[s]", run);
	CS_AUTOJSON json_t *rows = NULL;
	int r = cs_reader_query(reader, sql, params, &rows, err);
	if (r < 0)
		return r;
	json_t *list = json_array(), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		json_array_append(list, json_object_get(row, "call"));
	*ret = list;
	return CS_OK;
}

static bool contains(const json_t *list, const json_t *v)
{
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
		if (json_equal(one, v))
			return true;
	return false;
}

/* In this order, others between them allowed. */
static void compare_effects(const json_t *want, const json_t *sent, json_t *differences)
{
	size_t i, at = 0;
	json_t *name;
	json_array_foreach(want, i, name) {
		size_t from = at;
		while (at < json_array_size(sent) && !json_equal(json_array_get(sent, at), name))
			at++;
		if (at++ < json_array_size(sent))
			continue;
		CS_AUTOFREE char *all = cs_json_text(sent);
		differ(differences, cs_xasprintf(contains(sent, name) ? "effects: %s did not go out at its place; in order: %s"
								      : "effects: %s did not go out; what did: %s",
						 json_string_value(name), all));
		at = from;
	}
}

/* Is every member that WANT names in GOT, and equal? Lists are equal whole. */
static bool covers(const json_t *want, const json_t *got)
{
	const char *key;
	json_t *member;
	if (!json_is_object(want) || !json_is_object(got))
		return got && cs_json_equal(want, got);
	json_object_foreach((json_t *)(uintptr_t)want, key, member)
		if (!covers(member, json_object_get(got, key)))
			return false;
	return true;
}

static void compare_state(const char *want, const json_t *run, json_t *differences)
{
	const char *state = cs_json_str_or(run, "state", "?");
	if (!want || strcmp(want, state) == 0)
		return;
	const json_t *error = json_object_get(run, "error"), *item = json_array_get(json_object_get(run, "items"), 0);
	CS_AUTOFREE char *why = json_is_object(error) ? cs_json_text(error) : NULL;
	const char *title = cs_json_str(item, "title");
	differ(differences, cs_xasprintf("state: expected %s, was %s%s%s", want, state, why || title ? ": " : "",
					 why ? why : title ? title : ""));
}

int cs_scenario_compare(cs_reader *reader, const char *run, const json_t *expect, json_t *differences, cs_err *err)
{
	CS_AUTOJSON json_t *row = NULL;
	CS_AUTOJSON json_t *sent = NULL;
	CS_AUTOJSON json_t *tried = NULL;
	CS_AUTOJSON json_t *twice = NULL;
	int r = cs_view_run(reader, run, &row, err);
	if (r == CS_OK)
		r = calls(reader, SENT_SQL, run, &sent, err);
	if (r == CS_OK)
		r = calls(reader, TRIED_SQL, run, &tried, err);
	if (r == CS_OK)
		r = calls(reader, ASKED_TWICE_SQL, run, &twice, err);
	if (r < 0)
		return r;
	size_t i;
	json_t *name;
	json_array_foreach(twice, i, name)
		differ(differences, cs_xasprintf("%s was asked for twice", json_string_value(name)));
	compare_state(cs_json_str(expect, "state"), row, differences);
	compare_effects(json_object_get(expect, "effects"), sent, differences);
	json_array_foreach(json_object_get(expect, "never"), i, name)
		if (contains(tried, name))
			differ(differences, cs_xasprintf("never: %s was called", json_string_value(name)));
	const json_t *output = json_object_get(expect, "output"), *got = json_object_get(row, "output");
	if (output && !covers(output, got)) {
		CS_AUTOFREE char *want_text = cs_json_text(output);
		CS_AUTOFREE char *got_text = cs_json_text(got);
		differ(differences, cs_xasprintf("output: expected %s, was %s", want_text, got_text));
	}
	return CS_OK;
}

/* ---- recording ------------------------------------------------------------------------------- */

typedef struct recording {
	json_t *tasks;               /* item -> name of its task */
	json_t *values;              /* item -> the value it was edited to */
	json_t *decide;
} recording;

static const char *last_part(const char *ref)
{
	const char *slash = strrchr(ref, '/');
	return slash ? slash + 1 : ref;
}

static void record_answer(recording *k, const cs_event *ev, const char *item, json_t *accept)
{
	const char *task = cs_json_str(k->tasks, item);
	if (!task) {
		json_decref(accept);
		return;
	}
	json_t *d = json_pack("{s:s}", "task", task);
	json_t *value = json_object_get(ev->data, "value"), *note = json_object_get(ev->data, "note");
	if (accept)
		json_object_set_new(d, "accept", accept);
	if (json_is_true(accept))
		value = json_object_get(k->values, item);
	if (value && !json_is_false(accept))
		json_object_set(d, "value", value);
	if (json_is_string(note))
		json_object_set(d, "note", note);
	json_array_append_new(k->decide, d);
}

static int record_event(void *ctx, const cs_event *ev)
{
	recording *k = ctx;
	const char *item = cs_json_str(ev->data, "item");
	if (strcmp(ev->type, "attempt.resolved") == 0 && ev->task[0])
		json_array_append_new(k->decide, json_pack("{s:s, s:O*, s:O*}", "task", last_part(ev->task), "resolve",
							   json_object_get(ev->data, "how"), "value", json_object_get(ev->data, "value")));
	if (!item)
		return 0;
	if (strcmp(ev->type, "approval.published") == 0 && ev->task[0])
		json_object_set_new(k->tasks, item, json_string(last_part(ev->task)));
	else if (strcmp(ev->type, "approval.edited") == 0 && cs_json_str(ev->data, "next"))
		json_object_set(k->values, cs_json_str(ev->data, "next"), json_object_get(ev->data, "value"));
	else if (strcmp(ev->type, "approval.approved") == 0)
		record_answer(k, ev, item, json_true());
	else if (strcmp(ev->type, "approval.rejected") == 0)
		record_answer(k, ev, item, json_false());
	else if (strcmp(ev->type, "approval.answered") == 0)
		record_answer(k, ev, item, NULL);
	else if (strcmp(ev->type, "approval.undone") == 0 && json_array_size(k->decide) > 0)
		json_array_remove(k->decide, json_array_size(k->decide) - 1);
	return 0;
}

/* V without the times in it, which are others in every run; NULL: it is one, or a list with one. */
static json_t *timeless(json_t *v)
{
	int64_t ms;
	size_t i;
	const char *key;
	json_t *inner;
	if (json_is_string(v))
		return cs_time_parse(json_string_value(v), &ms, NULL) == CS_OK ? NULL : json_incref(v);
	json_array_foreach(v, i, inner) {
		CS_AUTOJSON json_t *kept = timeless(inner);
		if (!kept || !json_equal(kept, inner))
			return NULL;
	}
	if (!json_is_object(v))
		return json_incref(v);
	json_t *out = json_object();
	json_object_foreach(v, key, inner) {
		CS_AUTOJSON json_t *kept = timeless(inner);
		if (kept)
			json_object_set(out, key, kept);
	}
	return out;
}

int cs_scenario_record(cs_reader *reader, const char *run, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *row = NULL;
	CS_AUTOJSON json_t *sent = NULL;
	CS_AUTOJSON json_t *tasks = json_object();
	CS_AUTOJSON json_t *values = json_object();
	CS_AUTOJSON json_t *decide = json_array();
	recording k = { tasks, values, decide };
	int r = cs_view_run(reader, run, &row, err);
	if (r == CS_OK)
		r = calls(reader, SENT_SQL, run, &sent, err);
	if (r == CS_OK)
		r = cs_reader_events(reader, run, 1, INT64_MAX, record_event, &k, err);
	if (r < 0)
		return r;
	const char *name = cs_json_str_or(row, "name", "run");
	json_t *expect = json_pack("{s:O, s:O}", "state", json_object_get(row, "state"), "effects", sent);
	CS_AUTOJSON json_t *output = timeless(json_object_get(row, "output"));
	if (output && !json_is_null(output))
		json_object_set(expect, "output", output);
	*ret = json_pack("{s:o, s:s, s:O, s:O, s:o}", "scenario", json_sprintf("%s as in %s", name, run), "flow", name, "input",
			 json_object_get(row, "input"), "decide", decide, "expect", expect);
	return CS_OK;
}
