/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What awaited runs did is taken back with the run that awaited them: one list, the latest first, over
 * restarts; what is stuck is asked for there, once. */
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
	"    reverse: { call: shop.void, with: { what: '${ .input.what }' } }\n" \
	"  void:\n    effect: keyed\n    input: { type: object }\n    request: { method: POST, path: /v, body: '${ . }' }\n    reverse: none\n"
#define VOIDS "function: shop.void\nanswers:\n  - when: { what: bad }\n    fail: { type: communication, status: 409, title: Conflict, outcome: rejected }\n" \
	"    times: 1\n  - give: { void: true }\n"
#define ASK "policy: p\nrules: [ { name: voids, when: { call: shop.void }, then: ask } ]\n"
#define ORDER(name, what) "  - " name ": { call: shop.order, with: { what: " what " } }\n"
#define SUB(name, flow) "  - " name ": { run: { workflow: { namespace: test, name: " flow ", version: '1.0.0' } } }\n"
#define RAISE "  - stop: { raise: { error: { type: https://x.example/e, status: 500, title: No more } } }\n"

static void flow(world *w, const char *name, const char *tasks)
{
	CS_AUTOFREE char *file = cs_xasprintf("flows/%s.yaml", name);
	CS_AUTOFREE char *text = cs_xasprintf("document: { dsl: '1.0.3', namespace: test, name: %s, version: '1.0.0' }\ndo:\n%s", name, tasks);
	world_file(w, file, text);
}

static void set_up(world *w, const char *on_fault, const char *outer, const char *inner, const char *inmost)
{
	CS_AUTOFREE char *settings = cs_xasprintf("workspace: test\nmode: simulate\napprovals: { grace: PT0S }\nflows: { outer: { on-fault: %s } }\n", on_fault);
	world_new(w, settings);
	world_file(w, "connectors/shop.yaml", CONNECTOR);
	world_file(w, "fixtures/order.yaml", "function: shop.order\nanswers:\n  - give: { number: 7 }\n");
	world_file(w, "fixtures/void.yaml", VOIDS);
	flow(w, "outer", outer);
	flow(w, "inner", inner);
	flow(w, "inmost", inmost != NULL ? inmost : ORDER("z", "zed"));
	world_start(w);
}

/* What the outside was asked to void, in order: "b c a". */
static char *voided(world *w)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT json_extract(i.data, '$.input.what') AS what FROM event i JOIN event d ON d.run = i.run"
		" AND d.type = 'attempt.done' AND json_extract(d.data, '$.key') = json_extract(i.data, '$.key') WHERE i.type = 'attempt.intent'"
		" AND json_extract(i.data, '$.call') = 'shop.void' ORDER BY d.seq");
	char *all = cs_xstrdup("");
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		char *more = cs_xasprintf("%s%s%s", all, *all ? " " : "", cs_json_str_or(row, "what", "?"));
		free(all);
		all = more;
	}
	return all;
}

static void expect_voided(world *w, const char *want)
{
	CS_AUTOFREE char *have = voided(w);
	assert_string_equal(have, want);
}

static char *child_of(world *w, const char *run)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id FROM run WHERE parent = '%s' ORDER BY id", run);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return cs_xstrdup(cs_json_str_or(json_array_get(rows, 0), "id", ""));
}

static void a_fault_takes_back_what_awaited_runs_did_in_one_order(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", ORDER("a", "one") SUB("s", "inner") ORDER("b", "two") RAISE, ORDER("c", "three") SUB("n", "inmost") ORDER("d", "four"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "two four zed three one");
	assert_int_equal(world_count(&w, run, "reversal.reversed"), 5);
	CS_AUTOFREE char *child = child_of(&w, run);
	json_decref(world_await(&w, child, "compensated"));
	CS_AUTOJSON json_t *items = world_rows(&w, "SELECT kind, run FROM item WHERE state = 'open'");
	assert_int_equal(json_array_size(items), 1);             /* the notice, on the outer run */
	assert_string_equal(cs_json_str_or(json_array_get(items, 0), "run", ""), run);
	world_finish(&w);
}

static void branches_are_taken_back_by_the_time_at_which_each_was_done(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", "  - f:\n      fork:\n        branches:\n          - x: { run: { workflow: { namespace: test, name: inner, version: '1.0.0' } } }\n"
	       "          - y: { do: [ { k: { call: shop.order, with: { what: k } } }, { w: { wait: PT0.3S } }, { l: { call: shop.order, with: { what: l } } } ] }\n",
	       ORDER("c", "c") "  - w: { wait: PT0.15S }\n" ORDER("d", "d") "  - v: { wait: PT0.3S }\n" ORDER("e", "e"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	CS_AUTOJSON json_t *done = world_rows(&w, "SELECT json_extract(i.data, '$.input.what') AS what FROM event i WHERE i.type = 'reversal.registered'");
	assert_int_equal(json_array_size(done), 5);
	world_control(&w, run, "rollback", NULL);
	json_decref(world_await(&w, run, "compensated"));
	assert_int_equal(world_count(&w, run, "reversal.reversed"), 5);
	world_finish(&w);                      /* the invariants look at the order */
}

static void the_operator_rolls_a_completed_run_back_over_restarts(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", ORDER("a", "one") SUB("s", "inner") ORDER("b", "two"), ORDER("c", "three") ORDER("d", "four"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	world_stop(&w);
	world_file(&w, "policies/p.yaml", ASK);
	world_start(&w);
	world_control(&w, run, "rollback", NULL);
	for (int i = 0; i < 4; i++) {
		CS_AUTOJSON json_t *item = world_item(&w);
		world_stop(&w);
		world_start(&w);
		assert_int_equal(world_count(&w, run, "reversal.reversed"), i);
		json_decref(world_decide(&w, cs_json_str_or(item, "id", ""), json_pack("{s:s}", "verb", "approve")));
		while (world_count(&w, run, "reversal.reversed") == i)
			;
		world_settle(&w);
	}
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "two four three one");
	CS_AUTOJSON json_t *again = world_refused(&w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "rollback"));
	assert_non_null(strstr(cs_json_str_or(again, "message", ""), "illegal-transition"));
	world_finish(&w);
}

static void what_is_stuck_is_named_on_the_root_and_retried_there(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", ORDER("a", "one") SUB("s", "inner") RAISE, ORDER("c", "bad") ORDER("d", "four"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "stuck"));
	CS_AUTOFREE char *child = child_of(&w, run);
	world_stop(&w);
	world_start(&w);
	CS_AUTOJSON json_t *items = world_rows(&w, "SELECT id, run, title, kind FROM item WHERE state = 'open'");
	assert_int_equal(json_array_size(items), 1);
	assert_string_equal(cs_json_str_or(json_array_get(items, 0), "run", ""), run);
	assert_non_null(strstr(cs_json_str_or(json_array_get(items, 0), "title", ""), child));
	CS_AUTOJSON json_t *no = world_refused(&w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", child, "verb", "retry"));
	assert_non_null(strstr(cs_json_str_or(no, "message", ""), run));
	world_control(&w, run, "retry", NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "four bad one");
	world_finish(&w);
}

static void what_is_stuck_is_waived_on_the_root(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", ORDER("a", "one") SUB("s", "inner") RAISE, ORDER("c", "three") ORDER("d", "bad"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "stuck"));
	world_control(&w, run, "waive", "voided by hand");
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "three one");
	CS_AUTOFREE char *child = child_of(&w, run);
	assert_int_equal(world_count(&w, child, "reversal.waived"), 1);
	assert_int_equal(world_count(&w, run, "reversal.waived"), 1);
	world_finish(&w);
}

static void a_cancelled_run_takes_back_what_its_cancelled_inner_run_did(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", ORDER("a", "one") SUB("s", "inner"), ORDER("c", "three") "  - w: { wait: PT1H }\n", NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "waiting"));
	CS_AUTOFREE char *child = child_of(&w, run);
	json_decref(world_await(&w, child, "waiting"));
	world_control(&w, run, "cancel", NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "three one");
	world_finish(&w);
}

/* Also where nothing but the inner run, still at work, has done anything. */
static void a_fault_beside_an_inner_run_takes_back_what_that_did(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", "  - f:\n      fork:\n        branches:\n          - x: { run: { workflow: { namespace: test, name: inner, version: '1.0.0' } } }\n"
	       "          - y: { do: [ { w: { wait: PT0.5S } }, { r: { raise: { error: { type: https://x.example/e, status: 500 } } } } ] }\n",
	       ORDER("c", "three") "  - w: { wait: PT1H }\n", NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "three");
	world_finish(&w);
}

static void a_caught_fault_of_an_inner_run_keeps_its_reversals(void **state)
{
	(void)state;
	world w;
	set_up(&w, "compensate", "  - t: { try: [ { s: { run: { workflow: { namespace: test, name: inner, version: '1.0.0' } } } } ], catch: { } }\n" ORDER("b", "two"),
	       ORDER("c", "three") RAISE, NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	expect_voided(&w, "");
	world_control(&w, run, "rollback", NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "two three");
	world_finish(&w);
}

static void one_task_alone_is_all_that_its_run_did_and_the_rest_later(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", ORDER("a", "one") SUB("s", "inner") ORDER("b", "two"), ORDER("c", "three") ORDER("d", "four"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	json_decref(world_ask(&w, json_pack("{s:s, s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "rollback", "task", "s")));
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "four three");
	world_control(&w, run, "rollback", NULL);
	while (world_count(&w, run, "run.compensated") < 2)
		;
	expect_voided(&w, "four three two one");
	world_finish(&w);
}

static void what_is_not_awaited_is_taken_back_on_its_own(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", ORDER("a", "one") "  - s: { run: { workflow: { namespace: test, name: inner, version: '1.0.0' }, await: false } }\n", ORDER("c", "three"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	CS_AUTOFREE char *child = child_of(&w, run);
	json_decref(world_await(&w, child, "completed"));
	world_control(&w, run, "rollback", NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "one");
	world_control(&w, child, "rollback", NULL);
	json_decref(world_await(&w, child, "compensated"));
	expect_voided(&w, "one three");
	world_finish(&w);
}

/* An inner run that its operator rolled back before has nothing left to be taken back. */
static void what_was_taken_back_before_is_not_taken_back_again(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", ORDER("a", "one") SUB("s", "inner"), ORDER("c", "three"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	CS_AUTOFREE char *child = child_of(&w, run);
	world_control(&w, child, "rollback", NULL);
	json_decref(world_await(&w, child, "compensated"));
	world_control(&w, run, "rollback", NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "three one");
	world_finish(&w);
}

/* The item that waits now, approved. */
static void let_go(world *w)
{
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str_or(item, "id", ""), json_pack("{s:s}", "verb", "approve")));
	world_settle(w);
}

/* An inner run is still at it by its operator's word when the outer one is rolled back: what it takes back itself is
 * taken back in the outer one's list too, once, and also where the engine is restarted in between. */
static void what_an_inner_run_is_taking_back_itself_is_awaited(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", ORDER("a", "one") SUB("s", "inner") ORDER("b", "two"), ORDER("c", "three") SUB("n", "inmost") ORDER("d", "four"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	CS_AUTOFREE char *child = child_of(&w, run);
	world_stop(&w);
	world_file(&w, "policies/p.yaml", ASK);
	world_start(&w);
	world_control(&w, child, "rollback", NULL);
	world_settle(&w);
	world_control(&w, run, "rollback", NULL);      /* `two` first, which waits too */
	world_settle(&w);
	for (int i = 0; i < 5; i++) {
		let_go(&w);
		if (i % 2 == 0)
			continue;
		world_stop(&w);
		world_start(&w);
	}
	json_decref(world_await(&w, run, "compensated"));
	json_decref(world_await(&w, child, "compensated"));
	assert_int_equal(world_count(&w, run, "run.stuck"), 0);
	assert_int_equal(world_count(&w, run, "reversal.reversed"), 5);
	CS_AUTOJSON json_t *sent = world_rows(&w, "SELECT key FROM attempt WHERE call = 'shop.void'");
	assert_int_equal(json_array_size(sent), 5);
	world_finish(&w);
}

/* A part only: the rest of that run is taken back for the outer one when it has ended. */
static void what_an_inner_run_leaves_of_itself_is_taken_back_after_it(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", ORDER("a", "one") SUB("s", "inner"), ORDER("c", "three") ORDER("d", "four"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	CS_AUTOFREE char *child = child_of(&w, run);
	world_stop(&w);
	world_file(&w, "policies/p.yaml", ASK);
	world_start(&w);
	json_decref(world_ask(&w, json_pack("{s:s, s:s, s:s, s:s}", "cmd", "control", "run", child, "verb", "rollback", "task", "c")));
	world_settle(&w);
	world_control(&w, run, "rollback", NULL);
	for (int i = 0; i < 3; i++)
		let_go(&w);
	json_decref(world_await(&w, run, "compensated"));
	assert_int_equal(world_count(&w, run, "run.stuck"), 0);
	expect_voided(&w, "three four one");     /* the operator had one of it taken back first */
	world_finish(&w);
}

/* What it cannot take back is asked for where its operator began it; then the outer run is retried. */
static void an_inner_run_that_is_stuck_by_itself_is_named(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", ORDER("a", "one") SUB("s", "inner"), ORDER("c", "bad"), NULL);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "completed"));
	CS_AUTOFREE char *child = child_of(&w, run);
	world_control(&w, child, "rollback", NULL);
	json_decref(world_await(&w, child, "stuck"));
	world_control(&w, run, "rollback", NULL);
	json_decref(world_await(&w, run, "stuck"));
	CS_AUTOJSON json_t *why = world_event(&w, run, "run.stuck");
	assert_non_null(strstr(cs_json_str_or(json_object_get(why, "error"), "detail", ""), "capstan retry"));
	assert_non_null(strstr(cs_json_str_or(json_object_get(why, "error"), "detail", ""), child));
	world_control(&w, child, "retry", NULL);
	json_decref(world_await(&w, child, "compensated"));
	world_control(&w, run, "retry", NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "bad one");
	world_finish(&w);
}

#define FORK(x, y) "  - f:\n      fork:\n        branches:\n" x y
#define BRANCH_SUB(flow) "          - x: { run: { workflow: { namespace: test, name: " flow ", version: '1.0.0' } } }\n"
#define BRANCH_FAULT "          - y: { do: [ { k: { call: shop.order, with: { what: two } } }, { w: { wait: PT0.3S } }, " \
	"{ r: { raise: { error: { type: https://x.example/e, status: 500 } } } } ] }\n"

/* The run further in is paused when the one that awaits it faults: it is ended, and what it did is taken back with
 * the rest, in one order. */
static void begin_paused_below(world *w, const char *on_fault)
{
	set_up(w, on_fault, ORDER("a", "one") SUB("s", "inner"), FORK(BRANCH_SUB("inmost"), BRANCH_FAULT),
	       "  - u: { wait: PT0.1S }\n" ORDER("z", "zed") "  - v: { wait: PT1H }\n");
}

static void a_fault_takes_back_what_a_run_further_in_did_that_is_paused(void **state)
{
	(void)state;
	world w;
	begin_paused_below(&w, "compensate");
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "zed two one");
	CS_AUTOFREE char *child = child_of(&w, run);
	CS_AUTOFREE char *low = child_of(&w, child);
	json_decref(world_await(&w, low, "compensated"));
	world_stop(&w);
	world_start(&w);
	world_settle(&w);
	expect_voided(&w, "zed two one");
	world_finish(&w);
}

static void a_rollback_takes_back_what_a_run_further_in_did_over_restarts(void **state)
{
	(void)state;
	world w;
	begin_paused_below(&w, "keep");
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "faulted"));
	CS_AUTOFREE char *child = child_of(&w, run);
	CS_AUTOFREE char *low = child_of(&w, child);
	json_decref(world_await(&w, low, "paused"));
	world_stop(&w);
	world_file(&w, "policies/p.yaml", ASK);
	world_start(&w);
	world_control(&w, run, "rollback", NULL);
	for (int i = 0; i < 3; i++) {
		world_settle(&w);
		world_stop(&w);
		world_start(&w);
		let_go(&w);
	}
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "zed two one");
	world_finish(&w);
}

/* Where nothing but that one has done anything, and what it did alone by its task. */
static void a_rollback_of_one_task_reaches_the_runs_further_in(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", ORDER("a", "one") SUB("s", "inner"), FORK(BRANCH_SUB("inmost"), "          - y: { do: [ { w: { wait: PT0.3S } }, "
	       "{ r: { raise: { error: { type: https://x.example/e, status: 500 } } } } ] }\n"), ORDER("z", "zed") "  - v: { wait: PT1H }\n");
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "faulted"));
	json_decref(world_ask(&w, json_pack("{s:s, s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "rollback", "task", "s")));
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "zed");
	world_finish(&w);
}

/* Its retry takes the paused one up, and what that did is in the list once. */
static void a_run_further_in_that_goes_on_is_taken_back_once(void **state)
{
	(void)state;
	world w;
	set_up(&w, "keep", SUB("s", "inner"), FORK(BRANCH_SUB("inmost"), "          - y: { do: [ { w: { wait: PT0.2S } }, { k: { call: shop.order, with: { what: bad } } } ] }\n"),
	       ORDER("z", "zed") "  - v: { wait: PT1S }\n");
	world_stop(&w);
	world_file(&w, "fixtures/order.yaml", "function: shop.order\nanswers:\n  - when: { what: bad }\n    fail: { type: communication, status: 409, title: Conflict, "
		   "outcome: rejected }\n    times: 1\n  - give: { number: 7 }\n");
	world_file(&w, "fixtures/void.yaml", "function: shop.void\nanswers:\n  - give: { void: true }\n");
	world_start(&w);
	CS_AUTOFREE char *run = world_run(&w, "outer", NULL, NULL);
	json_decref(world_await(&w, run, "faulted"));
	world_control(&w, run, "retry", NULL);
	json_decref(world_await(&w, run, "completed"));
	world_control(&w, run, "rollback", NULL);
	json_decref(world_await(&w, run, "compensated"));
	expect_voided(&w, "bad zed");
	world_finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_takes_back_what_awaited_runs_did_in_one_order),
		cmocka_unit_test(branches_are_taken_back_by_the_time_at_which_each_was_done),
		cmocka_unit_test(the_operator_rolls_a_completed_run_back_over_restarts),
		cmocka_unit_test(what_is_stuck_is_named_on_the_root_and_retried_there),
		cmocka_unit_test(what_is_stuck_is_waived_on_the_root),
		cmocka_unit_test(a_cancelled_run_takes_back_what_its_cancelled_inner_run_did),
		cmocka_unit_test(a_fault_beside_an_inner_run_takes_back_what_that_did),
		cmocka_unit_test(a_caught_fault_of_an_inner_run_keeps_its_reversals),
		cmocka_unit_test(one_task_alone_is_all_that_its_run_did_and_the_rest_later),
		cmocka_unit_test(what_is_not_awaited_is_taken_back_on_its_own),
		cmocka_unit_test(what_was_taken_back_before_is_not_taken_back_again),
		cmocka_unit_test(what_an_inner_run_is_taking_back_itself_is_awaited),
		cmocka_unit_test(what_an_inner_run_leaves_of_itself_is_taken_back_after_it),
		cmocka_unit_test(an_inner_run_that_is_stuck_by_itself_is_named),
		cmocka_unit_test(a_fault_takes_back_what_a_run_further_in_did_that_is_paused),
		cmocka_unit_test(a_rollback_takes_back_what_a_run_further_in_did_over_restarts),
		cmocka_unit_test(a_rollback_of_one_task_reaches_the_runs_further_in),
		cmocka_unit_test(a_run_further_in_that_goes_on_is_taken_back_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
