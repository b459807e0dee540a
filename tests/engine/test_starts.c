/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events start runs: each what it should, once, over restarts and changed files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "tests/support/acts.h"

#define HEAD "workspace: w\nmode: simulate\napprovals: { grace: PT0S }\n"
#define DOC(name) "document: { dsl: '1.0.3', namespace: t, name: " name ", version: '1.0.0' }\n"
#define KEEP "do: [ { keep: { set: { got: '${ $start }' } } } ]\n"

static int set_up(void **state)
{
	world *w = calloc(1, sizeof *w);
	*state = w;
	return 0;
}

static void restart(world *w)
{
	world_stop(w);
	world_start(w);
	world_settle(w);
}

/* The inputs of the runs of FLOW, in the order in which they were made. */
static void assert_inputs(world *w, const char *flow, const char *want)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT data FROM event WHERE type = 'run.created' AND json_extract(data, '$.name') = '%s' ORDER BY seq", flow);
	CS_AUTOJSON json_t *rows = world_rows(w, sql), *inputs = json_array(), *expected = world_json(want), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		CS_AUTOJSON json_t *data = world_json(cs_json_str(row, "data"));
		json_array_append(inputs, json_object_get(data, "input"));
	}
	CS_AUTOFREE char *got = cs_json_text(inputs);
	if (!cs_json_equal(inputs, expected))
		fail_msg("the inputs are %s", got);
}

static int count(world *w, const char *type, const char *how)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT seq FROM event WHERE type = '%s' AND ('%s' = '' OR json_extract(data, '$.how') = '%s')", type, how, how);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return (int)json_array_size(rows);
}

static void test_an_event_starts_the_flow_that_is_scheduled_on_it(void **state)
{
	world *w = *state;
	world_new(w, HEAD);
	world_file(w, "flows/data.yaml", DOC("data") "schedule: { on: { one: { with: { type: heart.low } } } }\n" KEEP);
	world_file(w, "flows/whole.yaml", DOC("whole") "schedule: { on: { one: { with: { type: heart.low, data: '${ .bpm < 40 }' } } }, read: envelope }\n"
		   "do: [ { keep: { set: { t: '${ $workflow.input[0].type }' } } } ]\n");
	world_file(w, "flows/jq.yaml", DOC("jq") "schedule: { on: { one: { with: { type: '${ .type | startswith(\"heart\") }' } } } }\n" KEEP);
	world_start(w);
	world_say(w, "{'type':'heart.high','data':{'bpm':200}}");
	world_say(w, "{'type':'heart.low','data':{'bpm':50},'id':'1'}");
	assert_inputs(w, "data", "[[{'bpm':50}]]");
	assert_int_equal(world_runs_of(w, "whole"), 0);
	assert_inputs(w, "jq", "[[{'bpm':200}],[{'bpm':50}]]");
	CS_AUTOJSON json_t *ok = world_emit(w, "{'type':'heart.low','data':{'bpm':30},'id':'2'}");
	assert_int_equal(json_array_size(json_object_get(ok, "started")), 2);
	world_settle(w);
	world_say(w, "{'type':'heart.low','data':{'bpm':30},'id':'2'}");
	assert_int_equal(world_runs_of(w, "data"), 2);
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT state FROM run WHERE name = 'whole'");
	assert_string_equal(cs_json_str(json_array_get(rows, 0), "state"), "completed");
}

static void test_all_gathers_what_belongs_together_over_restarts(void **state)
{
	world *w = *state;
	world_new(w, HEAD);
	world_file(w, "flows/both.yaml", DOC("both")
		   "schedule:\n  on:\n    all:\n"
		   "      - { with: { type: paid }, correlate: { order: { from: .data.order } } }\n"
		   "      - { with: { type: packed }, correlate: { order: { from: .data.order } } }\n" KEEP);
	world_start(w);
	world_say(w, "{'type':'paid','data':{'order':1,'p':1}}");
	world_say(w, "{'type':'paid','data':{'order':2,'p':1}}");
	restart(w);
	world_say(w, "{'type':'packed','data':{'order':3}}");
	world_say(w, "{'type':'packed','data':{'order':2}}");
	assert_inputs(w, "both", "[[{'order':2,'p':1},{'order':2}]]");
	restart(w);
	world_say(w, "{'type':'packed','data':{'order':2}}");
	assert_int_equal(world_runs_of(w, "both"), 1);
	world_say(w, "{'type':'packed','data':{'order':1}}");
	assert_inputs(w, "both", "[[{'order':2,'p':1},{'order':2}],[{'order':1,'p':1},{'order':1}]]");
	assert_int_equal(count(w, "start.ended", "started"), 2);
}

static void test_any_gathers_until_its_condition_or_its_event(void **state)
{
	world *w = *state;
	world_new(w, HEAD);
	world_file(w, "flows/three.yaml", DOC("three") "schedule: { on: { any: [ { with: { type: a } }, { with: { type: b } } ], until: '(. | length) == 3' } }\n" KEEP);
	world_file(w, "flows/end.yaml", DOC("end") "schedule: { on: { any: [ { with: { type: a } } ], until: { one: { with: { type: stop } } } } }\n" KEEP);
	world_file(w, "flows/first.yaml", DOC("first") "schedule: { on: { any: [ { with: { type: b } } ] } }\n" KEEP);
	world_start(w);
	world_say(w, "{'type':'stop'}");
	world_say(w, "{'type':'a','data':1}");
	world_say(w, "{'type':'b','data':2}");
	assert_inputs(w, "first", "[[2]]");
	assert_int_equal(world_runs_of(w, "three"), 0);
	restart(w);
	world_say(w, "{'type':'a','data':3}");
	assert_inputs(w, "three", "[[1,2,3]]");
	world_say(w, "{'type':'stop','data':9}");
	assert_inputs(w, "end", "[[1,3]]");
}

static void test_one_business_value_starts_one_run_of_whatever_flow(void **state)
{
	world *w = *state;
	world_new(w, HEAD "flows:\n"
		  "  call: { starts: [ { on: { type: booked }, with: '${ { id: .data.id, who: .data.who } }', once: '${ .data.id }' } ] }\n"
		  "  other: { starts: [ { on: { type: booked }, once: '${ .data.id }' }, { on: { type: moved }, once: '${ .data.id }' } ] }\n");
	world_file(w, "flows/call.yaml", DOC("call") KEEP);
	world_file(w, "flows/other.yaml", DOC("other") KEEP);
	world_start(w);
	world_say(w, "{'type':'booked','data':{'id':'x','who':'a','more':1}}");
	assert_inputs(w, "call", "[{'id':'x','who':'a'}]");
	assert_int_equal(world_runs_of(w, "other"), 0);
	restart(w);
	world_say(w, "{'type':'booked','data':{'id':'x','who':'b'}}");
	world_say(w, "{'type':'moved','data':{'id':'x'}}");
	assert_int_equal(world_runs_of(w, "call") + world_runs_of(w, "other"), 1);
	assert_int_equal(count(w, "start.ended", "known"), 4);
	world_say(w, "{'type':'moved','data':{'id':'y','n':2}}");
	assert_inputs(w, "other", "[{'id':'y','n':2}]");
}

static void test_what_cannot_be_told_starts_nothing_and_says_so(void **state)
{
	world *w = *state;
	world_new(w, HEAD "flows:\n  call: { starts: [ { on: { type: booked }, once: '${ .data.id }' }, { on: { type: bad }, with: '${ .data | length | error }' } ] }\n");
	world_file(w, "flows/call.yaml", DOC("call") KEEP);
	world_start(w);
	world_say(w, "{'type':'booked','data':{}}");
	world_say(w, "{'type':'bad','data':{}}");
	assert_int_equal(world_runs_of(w, "call"), 0);
	assert_int_equal(count(w, "start.ended", "failed"), 2);
	CS_AUTOJSON json_t *item = world_item(w);
	assert_string_equal(cs_json_str(item, "title"), "An event did not start call");
	assert_int_equal(count(w, "item.opened", ""), 1);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "dismiss")));
	CS_AUTOJSON json_t *open = world_rows(w, "SELECT id FROM item WHERE state = 'open'");
	assert_int_equal(json_array_size(open), 0);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "dismiss")));
}

static void test_a_flow_that_starts_itself_is_stopped_and_the_inbox_says_so(void **state)
{
	world *w = *state;
	world_new(w, HEAD);
	world_file(w, "flows/a.yaml", DOC("a") "schedule: { on: { one: { with: { type: ping } } } }\ndo: [ { out: { emit: { event: { with: { source: '/a', type: pong } } } } } ]\n");
	world_file(w, "flows/b.yaml", DOC("b") "schedule: { on: { one: { with: { type: pong } } } }\ndo: [ { out: { emit: { event: { with: { source: '/b', type: ping } } } } } ]\n");
	world_start(w);
	world_say(w, "{'type':'ping'}");
	assert_int_equal(world_runs_of(w, "a"), 101);
	assert_int_equal(count(w, "start.ended", "refused"), 1);
	CS_AUTOJSON json_t *item = world_item(w);
	assert_string_equal(cs_json_str(item, "title"), "a starts itself without end");
}

static void test_a_changed_definition_begins_anew_and_an_unchanged_one_goes_on(void **state)
{
	world *w = *state;
	world_new(w, HEAD);
	world_file(w, "flows/same.yaml", DOC("same") "schedule: { on: { all: [ { with: { type: a } }, { with: { type: b } } ] } }\n" KEEP);
	world_file(w, "flows/new.yaml", DOC("new") "schedule: { on: { all: [ { with: { type: a } }, { with: { type: b } } ] } }\n" KEEP);
	world_start(w);
	world_say(w, "{'type':'a','data':1}");
	world_file(w, "flows/new.yaml", DOC("new") "schedule: { on: { all: [ { with: { type: b } }, { with: { type: a } } ] } }\n" KEEP);
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	assert_int_equal(count(w, "start.cleared", ""), 1);
	restart(w);
	world_say(w, "{'type':'b','data':2}");
	assert_inputs(w, "same", "[[1,2]]");
	assert_int_equal(world_runs_of(w, "new"), 0);
	world_say(w, "{'type':'a','data':3}");
	assert_inputs(w, "new", "[[2,3]]");
}

#define GATE "do: [ { gate: { call: approve, with: { title: Go on } } } ]\n"

static char *run(world *w, const char *flow, const char *input)
{
	return world_run(w, flow, NULL, world_json(input));
}

static const char *state_of(world *w, const char *id)
{
	static char state[32];
	world_settle(w);
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT state FROM run WHERE id = '%s'", id);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	snprintf(state, sizeof state, "%s", cs_json_str_or(json_array_get(rows, 0), "state", ""));
	return state;
}

static void approve(world *w, const char *id)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id, digest FROM item WHERE run = '%s' AND state = 'pending'", id);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	const json_t *row = json_array_get(rows, 0);
	assert_non_null(row);
	json_decref(world_decide(w, cs_json_str(row, "id"), json_pack("{s:s, s:s}", "verb", "approve", "digest", cs_json_str(row, "digest"))));
	world_settle(w);
}

static void control(world *w, const char *id, const char *verb)
{
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", id, "verb", verb)));
	world_settle(w);
}

static void test_one_at_a_time_queues_the_others_in_order_over_restarts(void **state)
{
	world *w = *state;
	world_new(w, HEAD "flows: { f: { one-at-a-time: flow } }\n");
	world_file(w, "flows/f.yaml", DOC("f") GATE);
	world_start(w);
	CS_AUTOFREE char *a = run(w, "f", "{}"), *b = run(w, "f", "{}"), *c = run(w, "f", "{}"), *d = run(w, "f", "{}");
	assert_string_equal(state_of(w, a), "waiting");
	assert_string_equal(state_of(w, b), "created");
	restart(w);
	assert_string_equal(state_of(w, b), "created");
	assert_string_equal(state_of(w, c), "created");
	control(w, c, "cancel");
	assert_string_equal(state_of(w, c), "cancelled");
	assert_string_equal(state_of(w, b), "created");
	control(w, a, "pause");
	assert_string_equal(state_of(w, b), "created");
	control(w, a, "resume");
	approve(w, a);
	assert_string_equal(state_of(w, a), "completed");
	assert_string_equal(state_of(w, b), "waiting");
	assert_string_equal(state_of(w, d), "created");
	control(w, b, "cancel");
	assert_string_equal(state_of(w, d), "waiting");
	assert_int_equal(world_count(w, c, "run.started"), 0);
}

static void test_one_at_a_time_by_subject_holds_apart_what_is_about_the_same(void **state)
{
	world *w = *state;
	world_new(w, HEAD "flows: { f: { subject: '${ $start.who }', one-at-a-time: subject, concurrent: 2 } }\n");
	world_file(w, "flows/f.yaml", DOC("f") GATE);
	world_start(w);
	CS_AUTOFREE char *a1 = run(w, "f", "{'who':'a'}"), *a2 = run(w, "f", "{'who':'a'}"), *b1 = run(w, "f", "{'who':'b'}");
	CS_AUTOFREE char *c1 = run(w, "f", "{'who':'c'}");
	assert_string_equal(state_of(w, a1), "waiting");
	assert_string_equal(state_of(w, a2), "created");
	assert_string_equal(state_of(w, b1), "waiting");
	assert_string_equal(state_of(w, c1), "created");     /* both places are taken */
	approve(w, b1);
	assert_string_equal(state_of(w, a2), "created");     /* first in the queue, but a1 is about the same */
	assert_string_equal(state_of(w, c1), "waiting");
	approve(w, a1);
	assert_string_equal(state_of(w, a2), "waiting");
}

static void test_changed_limits_hold_for_those_that_are_queued(void **state)
{
	world *w = *state;
	world_new(w, HEAD "flows: { f: { concurrent: 1 } }\n");
	world_file(w, "flows/f.yaml", DOC("f") GATE);
	world_start(w);
	CS_AUTOFREE char *a = run(w, "f", "{}"), *b = run(w, "f", "{}"), *c = run(w, "f", "{}");
	assert_string_equal(state_of(w, b), "created");
	world_file(w, "capstan.yaml", HEAD "flows: { f: { concurrent: 2 } }\n");
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	assert_string_equal(state_of(w, b), "waiting");
	assert_string_equal(state_of(w, c), "created");
	world_file(w, "capstan.yaml", HEAD);
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	assert_string_equal(state_of(w, c), "waiting");
	assert_string_equal(state_of(w, a), "waiting");
}

static void test_a_faulted_run_frees_its_place_and_takes_it_back_on_retry(void **state)
{
	world *w = *state;
	world_new(w, HEAD "flows: { f: { one-at-a-time: flow } }\n");
	world_file(w, "flows/f.yaml", DOC("f") "do: [ { no: { if: '$start.bad', raise: { error: { type: x, status: 400, title: No } } } }, { gate: { call: approve, with: { title: Go } } } ]\n");
	world_start(w);
	CS_AUTOFREE char *a = run(w, "f", "{'bad':true}"), *b = run(w, "f", "{'bad':false}"), *c = run(w, "f", "{'bad':false}");
	assert_string_equal(state_of(w, a), "faulted");
	assert_string_equal(state_of(w, b), "waiting");
	assert_string_equal(state_of(w, c), "created");
	control(w, a, "retry");
	assert_string_equal(state_of(w, a), "faulted");
	assert_string_equal(state_of(w, c), "created");
	approve(w, b);
	assert_string_equal(state_of(w, c), "waiting");
}

static void test_an_event_started_run_waits_for_its_turn_like_any_other(void **state)
{
	world *w = *state;
	world_new(w, HEAD "flows: { f: { one-at-a-time: flow, lane: background, starts: [ { on: { type: go } } ] } }\n");
	world_file(w, "flows/f.yaml", DOC("f") GATE);
	world_start(w);
	CS_AUTOFREE char *a = run(w, "f", "{}");
	CS_AUTOJSON json_t *ok = world_emit(w, "{'type':'go','data':{'n':1}}");
	const char *b = json_string_value(json_array_get(json_object_get(ok, "started"), 0));
	assert_non_null(b);
	assert_string_equal(state_of(w, b), "created");
	approve(w, a);
	assert_string_equal(state_of(w, b), "waiting");
}

/* jq is looked for by the filter, by `until`, and by `with` and `once` together. */
static void test_without_jq_events_wait_and_a_notice_says_so(void **state)
{
	static const char *const flows[] = {
		DOC("f") "schedule: { on: { one: { with: { type: go, data: '${ [.n] | any(. > 1) }' } } } }\n" KEEP,
		DOC("f") "schedule: { on: { any: [ { with: { type: go } } ], until: '[.[] | .n] | any(. > 1)' } }\n" KEEP,
		DOC("f") KEEP,
	};
	world *w = *state;
	for (size_t i = 0; i < sizeof flows / sizeof *flows; i++) {
		world_new(w, HEAD "flows:\n  f: { starts: [ { on: { type: when }, with: '${ [.data] }', once: '${ [.id] | map(.) }' },\n"
			  "    { on: { type: then }, with: { a: '${ [.data] | first }', b: '${ [.data] | last }' }, once: '${ [.data.n] | add }' } ] }\n");
		world_file(w, "flows/f.yaml", flows[i]);
		world_start(w);
		const char *exe = w->opts.exe, *type = i < 2 ? "go" : "then";
		if (exe == NULL)
			skip();
		w->opts.exe = "/nowhere/capstan";
		restart(w);
		CS_AUTOFREE char *event = cs_xasprintf("{'type':'%s','data':{'n':2}}", type);
		world_say(w, event);
		assert_int_equal(world_runs_of(w, "f"), 0);
		assert_int_equal(count(w, "start.passed", ""), 0);
		assert_int_equal(count(w, "start.ended", ""), 0);
		CS_AUTOJSON json_t *rows = world_rows(w, "SELECT title FROM item WHERE state = 'open'");
		assert_int_equal(json_array_size(rows), 1);
		assert_non_null(strstr(cs_json_str_or(json_array_get(rows, 0), "title", ""), "jq cannot be started"));
		w->opts.exe = exe;
		restart(w);
		assert_int_equal(world_runs_of(w, "f"), 1);
		world_verify(w);
		if (i + 1 < sizeof flows / sizeof *flows)
			world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down_verified)
		TEST(test_an_event_starts_the_flow_that_is_scheduled_on_it),
		TEST(test_all_gathers_what_belongs_together_over_restarts),
		TEST(test_any_gathers_until_its_condition_or_its_event),
		TEST(test_one_business_value_starts_one_run_of_whatever_flow),
		TEST(test_what_cannot_be_told_starts_nothing_and_says_so),
		TEST(test_a_flow_that_starts_itself_is_stopped_and_the_inbox_says_so),
		TEST(test_a_changed_definition_begins_anew_and_an_unchanged_one_goes_on),
		TEST(test_one_at_a_time_queues_the_others_in_order_over_restarts),
		TEST(test_one_at_a_time_by_subject_holds_apart_what_is_about_the_same),
		TEST(test_changed_limits_hold_for_those_that_are_queued),
		TEST(test_a_faulted_run_frees_its_place_and_takes_it_back_on_retry),
		TEST(test_without_jq_events_wait_and_a_notice_says_so),
		TEST(test_an_event_started_run_waits_for_its_turn_like_any_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
