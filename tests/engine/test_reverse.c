/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run did is taken back: in reverse order, once each, over restarts, by the operator or by
 * itself; and what cannot be taken back waits for a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "tests/support/acts.h"

#define CONNECTOR \
	"connector: shop\nkind: http\nurl: https://shop.example.com\nmode: live\noperations:\n" \
	"  order:\n    effect: keyed\n    input: { type: object }\n    request: { method: POST, path: /o, body: '${ . }' }\n" \
	"    result: '${ { id: .number } }'\n    fails: '${ .ok == false }'\n" \
	"    reverse: { call: shop.void, with: { id: '${ .result.id }', what: '${ .input.what }' } }\n" \
	"  void:\n    effect: keyed\n    input: { type: object, required: [ id ] }\n    request: { method: POST, path: /v, body: '${ . }' }\n" \
	"    reverse: none\n" \
	"  send:\n    effect: unsafe\n    input: { type: object }\n    request: { method: POST, path: /s, body: '${ . }' }\n    reverse: none\n"
#define ORDERS "function: shop.order\nanswers:\n  - when: { what: refused }\n    give: { ok: false, number: 0 }\n" \
	"  - when: { what: odd }\n    give: { number: 'x' }\n  - give: { number: 7, ok: true }\n"
#define VOIDS "function: shop.void\nanswers:\n  - when: { what: bad }\n    fail: { type: communication, status: 409, title: Conflict, outcome: rejected }\n" \
	"    times: 1\n  - give: { void: true }\n"
#define FLOW(body) "document: { dsl: '1.0.3', namespace: test, name: t, version: '1.0.0' }\ndo:\n" body
#define ORDER(name, what) "  - " name ": { call: shop.order, with: { what: " what " } }\n"
#define RAISE "  - stop: { raise: { error: { type: https://x.example/e, status: 500, title: No more } } }\n"

static void set_up(world *w, const char *on_fault, const char *flow)
{
	CS_AUTOFREE char *settings = cs_xasprintf("workspace: test\nmode: simulate\napprovals: { grace: PT0S }\nflows: { t: { on-fault: %s } }\n", on_fault);
	world_new(w, settings);
	world_file(w, "connectors/shop.yaml", CONNECTOR);
	world_file(w, "fixtures/order.yaml", ORDERS);
	world_file(w, "fixtures/void.yaml", VOIDS);
	world_file(w, "flows/t.yaml", flow);
	world_start(w);
}

/* The tasks whose reversal came to TYPE, in order: "b a". */
static char *taken_back(world *w, const char *run, const char *type)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT task FROM event WHERE run = '%s' AND type = '%s' ORDER BY seq", run, type);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	char *all = cs_xstrdup("");
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		const char *ref = cs_json_str_or(row, "task", "");
		char *more = cs_xasprintf("%s%s%s", all, *all ? " " : "", strrchr(ref, '/') + 1);
		free(all);
		all = more;
	}
	return all;
}

static void a_fault_takes_back_what_was_done_in_reverse_order(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", FLOW(ORDER("a", "one") ORDER("b", "two") ORDER("c", "three") RAISE));
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	json_decref(world_await(&w, run, "compensated"));
	CS_AUTOFREE char *order = taken_back(&w, run, "reversal.reversed");
	assert_string_equal(order, "c b a");
	CS_AUTOJSON json_t *intent = world_event(&w, run, "attempt.intent");
	assert_string_equal(cs_json_str_or(intent, "call", ""), "shop.void");
	CS_AUTOJSON json_t *input = world_json("{'id':7,'what':'one'}");
	assert_true(json_equal(json_object_get(intent, "input"), input));
	CS_AUTOJSON json_t *item = world_item(&w);
	assert_string_equal(cs_json_str_or(item, "kind", ""), "notice");
	assert_int_equal(world_count(&w, run, "run.faulted"), 0);
	world_finish(&w);
}

static void what_was_not_done_is_not_taken_back(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", FLOW(ORDER("a", "one") "  - b: { if: '${ false }', call: shop.order, with: { what: two } }\n" ORDER("c", "refused")));
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	json_decref(world_await(&w, run, "compensated"));
	CS_AUTOFREE char *order = taken_back(&w, run, "reversal.reversed");
	assert_string_equal(order, "a");
	world_finish(&w);
}

static void a_fault_is_kept_unless_said_otherwise_and_rolled_back_by_the_operator(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", FLOW(ORDER("a", "one") ORDER("b", "two") RAISE));
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	json_decref(world_await(&w, run, "faulted"));
	assert_int_equal(world_count(&w, run, "reversal.begun"), 0);
	world_stop(&w);
	world_start(&w);
	world_control(&w, run, "rollback", NULL);
	json_decref(world_await(&w, run, "compensated"));
	CS_AUTOFREE char *order = taken_back(&w, run, "reversal.reversed");
	assert_string_equal(order, "b a");
	CS_AUTOJSON json_t *open = world_rows(&w, "SELECT id FROM item WHERE state = 'open' AND kind = 'fault'");
	assert_int_equal(json_array_size(open), 0);
	CS_AUTOJSON json_t *again = world_refused(&w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "rollback"));
	assert_non_null(strstr(cs_json_str_or(again, "message", ""), "illegal-transition"));
	world_finish(&w);
}

static void a_completed_run_is_rolled_back_whole_or_one_task_alone(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", FLOW(ORDER("a", "one") ORDER("b", "two")));
	CS_AUTOFREE char *one = world_run(&w, "t", NULL, NULL), *two = world_run(&w, "t", NULL, NULL);
	json_decref(world_await(&w, one, "completed"));
	json_decref(world_await(&w, two, "completed"));
	CS_AUTOJSON json_t *none = world_refused(&w, json_pack("{s:s, s:s, s:s, s:s}", "cmd", "control", "run", one, "verb", "rollback", "task", "z"));
	assert_non_null(strstr(cs_json_str_or(none, "message", ""), "z"));
	json_decref(world_ask(&w, json_pack("{s:s, s:s, s:s, s:s}", "cmd", "control", "run", one, "verb", "rollback", "task", "a")));
	json_decref(world_await(&w, one, "compensated"));
	CS_AUTOFREE char *alone = taken_back(&w, one, "reversal.reversed");
	assert_string_equal(alone, "a");
	world_control(&w, two, "rollback", NULL);
	json_decref(world_await(&w, two, "compensated"));
	CS_AUTOFREE char *all = taken_back(&w, two, "reversal.reversed");
	assert_string_equal(all, "b a");
	world_finish(&w);
}

static void what_cannot_be_taken_back_waits_for_a_person(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", FLOW(ORDER("a", "one") ORDER("b", "bad") RAISE));
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	json_decref(world_await(&w, run, "stuck"));
	assert_int_equal(world_count(&w, run, "reversal.reversed"), 0);
	world_stop(&w);
	world_start(&w);
	CS_AUTOJSON json_t *item = world_item(&w);
	assert_string_equal(cs_json_str_or(item, "kind", ""), "fault");
	world_control(&w, run, "retry", NULL);
	json_decref(world_await(&w, run, "compensated"));
	CS_AUTOFREE char *order = taken_back(&w, run, "reversal.reversed");
	assert_string_equal(order, "b a");
	CS_AUTOJSON json_t *keys = world_rows(&w, "SELECT DISTINCT key FROM attempt WHERE call = 'shop.void'");
	assert_int_equal(json_array_size(keys), 3);          /* b twice, each under a key of its own; a */
	world_finish(&w);
}

static void what_cannot_be_taken_back_is_waived_with_a_reason(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", FLOW(ORDER("a", "one") ORDER("b", "odd") "  - c: { call: shop.order, with: { what: bad } }\n" RAISE));
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	json_decref(world_await(&w, run, "stuck"));
	CS_AUTOJSON json_t *bare = world_refused(&w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "waive"));
	assert_non_null(strstr(cs_json_str_or(bare, "message", ""), "--note"));
	world_control(&w, run, "waive", "voided by hand");
	json_decref(world_await(&w, run, "compensated"));
	CS_AUTOFREE char *order = taken_back(&w, run, "reversal.reversed"), *left = taken_back(&w, run, "reversal.waived");
	assert_string_equal(order, "b a");
	assert_string_equal(left, "c");
	world_finish(&w);
}

static void taking_back_is_asked_for_and_the_question_outlives_a_restart(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", FLOW(ORDER("a", "one") ORDER("b", "two") RAISE));
	world_stop(&w);
	world_file(&w, "policies/p.yaml", "policy: p\nrules: [ { name: voids, when: { call: shop.void }, then: ask } ]\n");
	world_start(&w);
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	for (int i = 0; i < 2; i++) {
		CS_AUTOJSON json_t *item = world_item(&w);
		assert_string_equal(cs_json_str_or(item, "call", ""), "shop.void");
		world_stop(&w);
		world_start(&w);
		json_decref(world_decide(&w, cs_json_str_or(item, "id", ""), json_pack("{s:s}", "verb", "approve")));
		while (world_count(&w, run, "reversal.reversed") == i)
			;
	}
	json_decref(world_await(&w, run, "compensated"));
	assert_int_equal(world_count(&w, run, "approval.consumed"), 2);
	world_finish(&w);
}

static void a_refused_taking_back_is_stuck_not_passed_over(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", FLOW(ORDER("a", "one") RAISE));
	world_stop(&w);
	world_file(&w, "policies/p.yaml", "policy: p\nrules: [ { name: voids, when: { call: shop.void }, then: ask } ]\n");
	world_start(&w);
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	CS_AUTOJSON json_t *item = world_item(&w);
	json_decref(world_decide(&w, cs_json_str_or(item, "id", ""), json_pack("{s:s}", "verb", "reject")));
	json_decref(world_await(&w, run, "stuck"));
	world_finish(&w);
}

static void a_cancelled_run_takes_back_what_it_did_where_its_flow_says_so(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", FLOW(ORDER("a", "one") "  - wait: { wait: PT1H }\n"));
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	json_decref(world_await(&w, run, "waiting"));
	world_control(&w, run, "cancel", NULL);
	json_decref(world_await(&w, run, "compensated"));
	CS_AUTOFREE char *order = taken_back(&w, run, "reversal.reversed");
	assert_string_equal(order, "a");
	world_finish(&w);
}

static void a_caught_error_takes_nothing_back(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", FLOW(ORDER("a", "one") "  - t: { try: [ { s: { raise: { error: { type: https://x.example/e, status: 500 } } } } ], catch: { } }\n"));
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	assert_int_equal(world_count(&w, run, "reversal.registered"), 1);
	assert_int_equal(world_count(&w, run, "reversal.begun"), 0);
	world_finish(&w);
}

static void a_replay_has_nothing_to_take_back(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", FLOW(ORDER("a", "one")));
	CS_AUTOFREE char *run = world_run(&w, "t", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	CS_AUTOJSON json_t *ok = world_ask(&w, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
	const char *replay = cs_json_str_or(ok, "run", "");
	json_decref(world_await(&w, replay, "completed"));
	assert_int_equal(world_count(&w, replay, "reversal.registered"), 0);
	world_finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_takes_back_what_was_done_in_reverse_order),
		cmocka_unit_test(what_was_not_done_is_not_taken_back),
		cmocka_unit_test(a_fault_is_kept_unless_said_otherwise_and_rolled_back_by_the_operator),
		cmocka_unit_test(a_completed_run_is_rolled_back_whole_or_one_task_alone),
		cmocka_unit_test(what_cannot_be_taken_back_waits_for_a_person),
		cmocka_unit_test(what_cannot_be_taken_back_is_waived_with_a_reason),
		cmocka_unit_test(taking_back_is_asked_for_and_the_question_outlives_a_restart),
		cmocka_unit_test(a_refused_taking_back_is_stuck_not_passed_over),
		cmocka_unit_test(a_cancelled_run_takes_back_what_it_did_where_its_flow_says_so),
		cmocka_unit_test(a_caught_error_takes_nothing_back),
		cmocka_unit_test(a_replay_has_nothing_to_take_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
