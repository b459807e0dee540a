/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run: workflow. The run that a task starts is one run for one occurrence, pinned, led along with
 * the one that started it, and heard of when it ends, over restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "tests/support/acts.h"

#define DOC(name) "document: { dsl: '1.0.3', namespace: test, name: " name ", version: '1.0.0' }\n"
#define CALL(name, input) "{ run: { workflow: { namespace: test, name: " name ", version: latest, input: " input " } } }"

static const char *const files[][2] = {
	{ "flows/twice.yaml", DOC("twice") "input: { schema: { document: { type: object, required: [ n ], properties: { n: { type: integer } } } } }\n"
		"do:\n  - t: { set: { twice: '${ $start.n * 2 }', s: '${ $workflow.id }' } }\n" },
	{ "flows/plain.yaml", DOC("plain") "do:\n  - a: " CALL("twice", "{ n: '${ .n }' }") "\n  - b: { set: { got: '${ .twice }' } }\n" },
	{ "flows/fault.yaml", DOC("fault") "do:\n  - r: { raise: { error: { type: 'https://x.example/late', status: 409, title: Late } } }\n" },
	{ "flows/catch.yaml", DOC("catch") "do:\n  - t:\n      try: [ { a: " CALL("fault", "{}") " } ]\n      catch: { errors: { with: { status: 409 } }, as: e, do: [ { c: { set: { caught: '${ $e.title }' } } } ] }\n"
		"  - u:\n      try: [ { a: " CALL("twice", "{ n: no }") " } ]\n      catch: { as: e, do: [ { c: { set: { caught: '${ $e.status }' } } } ] }\n" },
	{ "flows/gate.yaml", DOC("gate") "do:\n  - said: { emit: { event: { with: { type: a.b, source: 'https://x.example' } } } }\n"
		"  - g: { call: approve, with: { title: Go, show: '${ $start.n }' } }\n"
		"  - no: { if: '.decision != \"accepted\"', raise: { error: { type: 'https://x.example/no', status: 403, title: 'No' } } }\n"
		"  - v: { set: { v: '${ $tasks.g.value }' } }\n" },
	{ "flows/above.yaml", DOC("above") "do:\n  - a: " CALL("gate", "{ n: '${ .n }' }") "\n" },
	{ "flows/top.yaml", DOC("top") "do:\n  - a: " CALL("above", "{ n: '${ .n }' }") "\n" },
	{ "flows/timed.yaml", DOC("timed") "do:\n  - a: { run: { workflow: { namespace: test, name: gate, version: latest, input: { n: 1 } } }, timeout: { after: { milliseconds: 50 } } }\n" },
	{ "flows/race.yaml", DOC("race") "do:\n  - f: { fork: { compete: true, branches: [ { a: " CALL("gate", "{ n: 1 }") " }, { b: { set: { won: b } } } ] } }\n" },
	{ "flows/free.yaml", DOC("free") "do:\n  - a: { run: { workflow: { namespace: test, name: gate, version: latest, input: { n: 1 } }, await: false } }\n"
		"  - b: { set: { in: '${ . }' } }\n" },
	{ "flows/shell.yaml", DOC("shell") "do:\n  - a: { run: { shell: { command: 'echo \"$1\"', arguments: [ '${ .word }' ] }, await: false }, output: { as: '{ out: . }' } }\n" },
};

static int set_up(void **state)
{
	world *w = world_for(state, NULL);
	for (size_t i = 0; i < CS_ARRAY_LEN(files); i++)
		world_file(w, files[i][0], files[i][1]);
	world_start(w);
	return 0;
}

static void assert_ends(world *w, const char *run, const char *state, const char *output)
{
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted cancelled");
	assert_string_equal(cs_json_str(row, "state"), state);
	CS_AUTOJSON json_t *data = world_event(w, run, "run.completed");
	CS_AUTOJSON json_t *want = world_json(output);
	CS_AUTOFREE char *text = cs_json_text(data);
	if (strcmp(state, "completed") == 0 && !cs_json_equal(json_object_get(data, "output"), want))
		fail_msg("ended with %s, not %s", text, output);
}

/* The run that RUN started last. */
static char *child_of(world *w, const char *run)
{
	CS_AUTOJSON json_t *data = world_event(w, run, "task.started");
	assert_non_null(cs_json_str(data, "run"));
	return cs_xstrdup(cs_json_str(data, "run"));
}

static json_int_t count(world *w, const char *sql)
{
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return json_integer_value(json_object_get(json_array_get(rows, 0), "n"));
}

static void answer(world *w, const char *verb)
{
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:O}", "verb", verb, "digest", json_object_get(item, "digest"))));
}

static void its_output_is_the_tasks_and_it_is_a_run_of_its_own(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "plain", NULL, world_json("{'n':21}"));
	assert_ends(w, run, "completed", "{'got':42}");
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT id, parent, kind, origin, name FROM run WHERE parent IS NOT NULL");
	assert_int_equal(json_array_size(rows), 1);
	const json_t *row = json_array_get(rows, 0);
	assert_string_equal(cs_json_str(row, "parent"), run);
	assert_string_equal(cs_json_str(row, "kind"), "sub");
	assert_string_equal(cs_json_str(row, "name"), "twice");
	assert_null(cs_json_str(row, "origin"));         /* keys of its effects are its own */
	assert_int_equal(world_count(w, run, "child.ended"), 1);
}

static void its_error_can_be_caught_and_opens_no_item_of_its_own(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "catch", NULL, world_json("{}"));
	assert_ends(w, run, "completed", "{'caught':400}");
	assert_int_equal(count(w, "SELECT count(*) AS n FROM item"), 0);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'faulted'"), 2);
}

static void what_waits_inside_waits_outside_and_goes_on_after_restarts(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "top", NULL, world_json("{'n':3}"));
	CS_AUTOJSON json_t *waiting = world_await(w, run, "waiting");
	assert_non_null(waiting);
	json_decref(world_item(w));
	world_restart(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'waiting'"), 3);
	answer(w, "approve");
	assert_ends(w, run, "completed", "{'v':3}");
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run"), 3);
}

static void retry_goes_on_with_the_run_that_faulted(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "above", NULL, world_json("{'n':3}"));
	json_decref(world_await(w, run, "waiting"));
	CS_AUTOFREE char *child = child_of(w, run);
	answer(w, "reject");
	json_decref(world_await(w, run, "faulted"));
	assert_int_equal(count(w, "SELECT count(*) AS n FROM item WHERE kind = 'fault'"), 1);
	world_restart(w);
	world_control(w, run, "retry", NULL);                        /* raises again: what was decided is decided */
	json_decref(world_await(w, run, "faulted"));
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run"), 2);
	assert_int_equal(world_count(w, child, "run.retried"), 1);
	assert_int_equal(world_count(w, child, "event.emitted"), 1);
	assert_int_equal(world_count(w, run, "child.ended"), 2);
}

/* The helper fails once, then answers. */
static void helped(world *w)
{
	world_file(w, "agents/helper.yaml", "agent: helper\nkind: model\nmodel: { prompt: Help. }\neffect: read\n");
	world_file(w, "fixtures/helper.yaml", "function: helper\nanswers: [ { fail: { type: runtime, status: 409 }, times: 1 }, { give: { t: 1 } } ]\n");
	world_file(w, "flows/helped.yaml", DOC("helped") "do:\n  - said: { emit: { event: { with: { type: a.b, source: 'https://x.example' } } } }\n  - h: { call: helper }\n");
	world_file(w, "flows/over.yaml", DOC("over") "do:\n  - a: " CALL("helped", "{}") "\n  - b: { set: { t: '${ .t }' } }\n");
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
}

static void what_was_done_inside_is_not_done_again_when_retried(void **state)
{
	world *w = *state;
	for (int direct = 0; direct < 2; direct++) {
		helped(w);
		CS_AUTOFREE char *run = world_run(w, "over", NULL, world_json("{}"));
		json_decref(world_await(w, run, "faulted"));
		CS_AUTOFREE char *child = child_of(w, run);
		if (direct) {            /* the operator mended the inner run first: the outer one takes what it gave */
			world_control(w, child, "retry", NULL);
			json_decref(world_await(w, child, "completed"));
			world_restart(w);
		}
		world_control(w, run, "retry", NULL);
		assert_ends(w, run, "completed", "{'t':1}");
		assert_int_equal(world_count(w, child, "event.emitted"), 1);
		assert_int_equal(world_count(w, child, "run.retried"), 1);
	}
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run"), 4);
}

static void pause_resume_and_cancel_reach_it(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "top", NULL, world_json("{'n':3}"));
	json_decref(world_item(w));
	world_control(w, run, "pause", NULL);
	world_restart(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'paused'"), 3);
	world_control(w, run, "resume", NULL);
	json_decref(world_await(w, run, "waiting"));
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'paused'"), 0);
	world_control(w, run, "cancel", NULL);
	json_decref(world_await(w, run, "cancelled"));
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'cancelled'"), 3);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM item WHERE state = 'pending'"), 0);
}

static void a_timeout_and_a_lost_race_cancel_it(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *timed = world_run(w, "timed", NULL, world_json("{}"));
	json_decref(world_await(w, timed, "faulted"));
	CS_AUTOJSON json_t *fault = world_event(w, timed, "run.faulted");
	assert_int_equal(cs_json_int_or(json_object_get(fault, "error"), "status", 0), 408);
	CS_AUTOFREE char *race = world_run(w, "race", NULL, world_json("{}"));
	assert_ends(w, race, "completed", "{'won':'b'}");
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'cancelled' AND kind = 'sub'"), 2);
}

static void what_is_not_awaited_goes_on_alone(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "free", NULL, world_json("{'x':1}"));
	assert_ends(w, run, "completed", "{'in':{'x':1}}");
	answer(w, "reject");
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT id FROM run WHERE parent IS NOT NULL");
	json_decref(world_await(w, cs_json_str(json_array_get(rows, 0), "id"), "faulted"));
	assert_int_equal(count(w, "SELECT count(*) AS n FROM item WHERE kind = 'fault'"), 1);     /* nobody else has its error */
}

static void a_process_that_is_not_awaited_keeps_its_gate_and_its_attempt(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "shell", NULL, world_json("{'word':'hello'}"));
	assert_ends(w, run, "completed", "{'out':{'word':'hello'}}");
	world_restart(w);
	CS_AUTOJSON json_t *item = world_item(w);
	assert_string_equal(cs_json_str(item, "call"), "run.shell");
	answer(w, "approve");
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT id FROM run WHERE parent IS NOT NULL");
	const char *child = cs_json_str(json_array_get(rows, 0), "id");
	json_decref(world_await(w, child, "completed"));
	assert_int_equal(world_count(w, child, "attempt.intent"), 1);
	CS_AUTOJSON json_t *intent = world_event(w, child, "attempt.intent");
	const json_t *shell = json_object_get(json_object_get(intent, "input"), "shell");
	assert_string_equal(json_string_value(json_array_get(json_object_get(shell, "arguments"), 0)), "hello");
}

static void a_changed_file_does_not_reach_what_has_begun(void **state)
{
	world *w = *state;
	world_file(w, "flows/late.yaml", DOC("late") "do:\n  - g: { call: approve, with: { title: Go } }\n  - a: " CALL("twice", "{ n: 4 }") "\n");
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	CS_AUTOFREE char *run = world_run(w, "late", NULL, world_json("{}"));
	json_decref(world_await(w, run, "waiting"));
	world_file(w, "flows/twice.yaml", DOC("twice") "do:\n  - t: { set: { other: true } }\n");
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	world_restart(w);
	answer(w, "approve");
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *data = world_event(w, run, "run.completed");
	assert_int_equal(cs_json_int_or(json_object_get(data, "output"), "twice", 0), 8);
	CS_AUTOFREE char *next = world_run(w, "plain", NULL, world_json("{'n':21}"));
	assert_ends(w, next, "completed", "{'got':null}");
}

static void a_replay_replays_it_too_and_says_nothing(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "above", NULL, world_json("{'n':3}"));
	json_decref(world_await(w, run, "waiting"));
	CS_AUTOFREE char *child = child_of(w, run);
	answer(w, "approve");
	assert_ends(w, run, "completed", "{'v':3}");
	CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
	const char *shadow = cs_json_str(ok, "run");
	assert_ends(w, shadow, "completed", "{'v':3}");
	CS_AUTOFREE char *shadowed = child_of(w, shadow);
	CS_AUTOJSON json_t *created = world_event(w, shadowed, "run.created");
	assert_string_equal(cs_json_str(created, "replays"), child);
	assert_string_equal(cs_json_str(created, "origin"), child);
	assert_true(cs_json_true(created, "shadow"));
	assert_int_equal(world_count(w, shadowed, "approval.published"), 0);
	CS_AUTOJSON json_t *said = world_event(w, shadowed, "event.emitted");
	assert_true(cs_json_true(said, "shadow"));
}

#define OLD "document: { dsl: '1.0.3', namespace: test, name: one, version: '1.0.0' }\n"
#define NEW "document: { dsl: '1.0.3', namespace: test, name: one, version: '2.0.0' }\n"

/* Its own flow in another version; both have the one place. */
static void a_run_does_not_wait_for_its_turn_behind_the_one_that_awaits_it(void **state)
{
	world *w = *state;
	world_file(w, "capstan.yaml", "workspace: w\nmode: simulate\napprovals: { grace: PT0S }\nflows: { one: { one-at-a-time: flow } }\n");
	world_file(w, "flows/one-old.yaml", OLD "do:\n  - a: " CALL("between", "{}") "\n");
	world_file(w, "flows/between.yaml", DOC("between") "do:\n  - a: " CALL("one", "{}") "\n");
	world_file(w, "flows/one-new.yaml", NEW "do:\n  - g: { call: approve, with: { title: Go } }\n");
	world_restart(w);
	CS_AUTOFREE char *outer = world_run(w, "test/one:1.0.0", NULL, json_object());
	CS_AUTOJSON json_t *item = world_item(w);
	CS_AUTOFREE char *other = world_run(w, "test/one:2.0.0", NULL, json_object());
	world_restart(w);
	world_settle(w);
	json_decref(world_await(w, other, "created"));       /* any other one waits for its turn */
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:s}", "verb", "approve", "digest", cs_json_str(item, "digest"))));
	json_decref(world_await(w, outer, "completed"));
	json_decref(world_await(w, other, "waiting"));
}

/* To rest, or to one run more than there may be: what starts itself without end comes to none. */
static void settle_within(world *w, const char *flow, size_t most)
{
	int64_t until = cs_clock_mono_ns() + INT64_C(60000000000);
	for (bool busy = true; busy && world_runs_of(w, flow) <= most;) {
		CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s}", "cmd", "settle"));
		busy = cs_json_true(ok, "busy");
		assert_true(cs_clock_mono_ns() < until);
	}
}

/* The event that starts it comes from a run that it runs. */
static void a_flow_that_its_inner_runs_start_again_is_stopped(void **state)
{
	world *w = *state;
	world_file(w, "flows/ring.yaml", DOC("ring") "schedule: { on: { one: { with: { type: ring } } } }\ndo:\n  - a: " CALL("bell", "{}") "\n");
	world_file(w, "flows/bell.yaml", DOC("bell") "do:\n  - a: { emit: { event: { with: { type: ring, source: 'https://x.example' } } } }\n");
	world_restart(w);
	json_decref(world_ask(w, json_pack("{s:s, s:o}", "cmd", "emit", "event", world_json("{'type':'ring'}"))));
	settle_within(w, "ring", 101);
	assert_int_equal(world_runs_of(w, "ring"), 101);
	CS_AUTOJSON json_t *item = world_item(w);
	assert_string_equal(cs_json_str(item, "title"), "ring starts itself without end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_output_is_the_tasks_and_it_is_a_run_of_its_own, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(its_error_can_be_caught_and_opens_no_item_of_its_own, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(what_waits_inside_waits_outside_and_goes_on_after_restarts, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(retry_goes_on_with_the_run_that_faulted, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(what_was_done_inside_is_not_done_again_when_retried, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(pause_resume_and_cancel_reach_it, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(a_timeout_and_a_lost_race_cancel_it, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(what_is_not_awaited_goes_on_alone, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(a_process_that_is_not_awaited_keeps_its_gate_and_its_attempt, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(a_changed_file_does_not_reach_what_has_begun, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(a_replay_replays_it_too_and_says_nothing, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(a_run_does_not_wait_for_its_turn_behind_the_one_that_awaits_it, set_up, world_tear_down_verified),
		cmocka_unit_test_setup_teardown(a_flow_that_its_inner_runs_start_again_is_stopped, set_up, world_tear_down_verified),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
