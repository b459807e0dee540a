/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A start with many runs that wait has few of them in memory at once, and each goes on as if all had been there:
 * whatever was changed, came due or is asked of it before its turn has come. The coordinator is turned by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "flow/workspace.h"
#include "tests/support/invariants.h"
#include "tests/support/world.h"

enum { RUNS = 40, KEEP = 4, TURNS = 2000 };

#define HEAD "document: { dsl: '1.0.3', namespace: test, name: f, version: '1.0.0' }\ndo:\n"
#define FLOW HEAD "  - well: { call: approve, with: { title: Well?, expire: PT48H } }\n  - end: { set: { n: '${ $start.n }' } }\n"
#define MAILS HEAD "  - mail: { call: mail.send, with: { to: a } }\n"
#define MAIL "connector: mail\nkind: http\nurl: https://mail.example.com\nmode: dry\noperations:\n" \
	"  send: { effect: keyed, request: { method: POST, path: /send, body: '${ . }' } }\n"
#define RULE(then) "policy: mail\nrules: [ { name: mail, when: { call: mail.send }, then: " then " } ]\n"
#define WORKSPACE "workspace: test\nmode: simulate\napprovals: { grace: PT0S }\n"

static atomic_llong ahead_ms;

static int64_t shifted(void *ctx)
{
	(void)ctx;
	return cs_clock_wall_ms() + atomic_load(&ahead_ms);
}

/* On the coordinator's own thread: nothing of a turn is left when it is over. */
static void at_once(void *ctx, cs_job_fn *run, cs_job_fn *drop, void *job, bool background)
{
	(void)ctx;
	(void)drop;
	(void)background;
	run(job);
}

static int set_up(void **state)
{
	world *w = calloc(1, sizeof *w);
	atomic_store(&ahead_ms, 0);
	world_new(w, NULL);
	w->opts.keep_runs = KEEP;
	w->opts.clock = (cs_engine_clock){ .now_ms = shifted };
	*state = w;
	return 0;
}

static void let_fall(world *w)
{
	cs_engine_drop(w->engine);
	w->engine = NULL;
}

static int tear_down(void **state)
{
	world *w = *state;
	let_fall(w);
	world_free(w);
	free(w);
	return 0;
}

static int count(world *w, const char *sql)
{
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return (int)cs_json_int_or(json_array_get(rows, 0), "n", -1);
}

/* ---- by hand ------------------------------------------------------------------------------------------- */

static void open_world(world *w)
{
	cs_workspace *ws = NULL;
	cs_err err = { 0 };
	cs_diags d;
	cs_diags_init(&d);
	assert_int_equal(cs_workspace_load(w->dir, false, &d, &ws, &err), CS_OK);
	cs_diags_fini(&d);
	w->opts.jobs.give = at_once;
	if (cs_engine_open(ws, &w->opts, &w->engine, &err) != CS_OK)
		fail_msg("%s", err.msg);
}

static void answered(void *ctx, json_t *reply)
{
	*(json_t **)ctx = reply;
}

/* REPLY is there when it was taken; NULL until then. */
static void ask(world *w, json_t *request, json_t **reply)
{
	json_object_set_new(request, "actor", json_string("operator:tester"));
	assert_int_equal(cs_engine_send(w->engine, request, answered, reply, NULL), CS_OK);
}

static json_t *taken(world *w, json_t *request)
{
	json_t *reply = NULL;
	ask(w, request, &reply);
	for (int i = 0; reply == NULL && i < TURNS; i++)
		(void)cs_engine_turn(w->engine);
	assert_non_null(json_object_get(reply, "ok"));
	return reply;
}

static void finish(world *w)
{
	int turns = 0;
	while (cs_engine_turn(w->engine))
		assert_true(++turns < TURNS);
	char why[512];
	cs_engine_failure(w->engine, why, sizeof why);
	assert_string_equal(why, "");
}

static void check(world *w)
{
	world_verify(w);
	let_fall(w);
	CS_AUTOFREE char *dir = cs_xasprintf("%s/%s", w->dir, CS_STATE_DIR);
	CS_AUTOJSON json_t *broken = invariants_broken(dir, NULL);
	if (json_array_size(broken) > 0)
		fail_msg("%s", json_string_value(json_array_get(broken, 0)));
}

/* RUNS runs of FLOW as far as they come, and the engine is gone. */
static void begin(world *w, const char *flow)
{
	world_file(w, "flows/f.yaml", flow);
	open_world(w);
	for (int i = 0; i < RUNS; i++)
		json_decref(taken(w, json_pack("{s:s, s:s, s:{s:i}}", "cmd", "run", "flow", "f", "input", "n", i)));
	finish(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'waiting'"), RUNS);
	let_fall(w);
}

static int in_memory(world *w)
{
	CS_AUTOJSON json_t *reply = taken(w, json_pack("{s:s}", "cmd", "status"));
	const json_t *ok = json_object_get(reply, "ok");
	return (int)(cs_json_int_or(ok, "runs", 0) - cs_json_int_or(ok, "parked", 0));
}

/* ---- the promises -------------------------------------------------------------------------------------- */

static void a_start_has_few_in_memory_and_says_how_many_are_to_come(void **state)
{
	world *w = *state;
	begin(w, FLOW);
	int events = count(w, "SELECT count(*) AS n FROM event WHERE run <> ''");
	open_world(w);
	assert_int_equal(count(w, "SELECT json_extract(data, '$.recovered') AS n FROM event WHERE type = 'engine.started' ORDER BY seq DESC LIMIT 1"), RUNS);
	CS_AUTOJSON json_t *first = taken(w, json_pack("{s:s}", "cmd", "status"));
	assert_true(cs_json_int_or(json_object_get(first, "ok"), "ready", 0) > RUNS - 2 * KEEP);
	CS_AUTOJSON json_t *busy = taken(w, json_pack("{s:s}", "cmd", "settle"));
	assert_true(cs_json_true(json_object_get(busy, "ok"), "busy"));
	int turns = 0, most = 0;
	do {
		int now = in_memory(w);
		most = now > most ? now : most;
		assert_true(++turns < TURNS);
	} while (cs_engine_turn(w->engine));
	assert_true(most <= 2 * KEEP);
	CS_AUTOJSON json_t *last = taken(w, json_pack("{s:s}", "cmd", "status"));
	assert_int_equal(cs_json_int_or(json_object_get(last, "ok"), "ready", -1), 0);
	assert_int_equal(cs_json_int_or(json_object_get(last, "ok"), "parked", -1), RUNS - KEEP);
	assert_int_equal(cs_json_int_or(json_object_get(last, "ok"), "runs", -1), RUNS);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE run <> ''"), events);
	check(w);
}

static void what_came_due_while_no_engine_ran_is_due(void **state)
{
	world *w = *state;
	begin(w, FLOW);
	atomic_store(&ahead_ms, INT64_C(49) * 3600 * 1000);
	open_world(w);
	finish(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE type = 'approval.expired'"), RUNS);
	check(w);
}

/* The clock of one that was not asked for anything is known from when it was seen. */
static void what_comes_due_afterwards_is_due(void **state)
{
	world *w = *state;
	begin(w, FLOW);
	open_world(w);
	finish(w);
	atomic_store(&ahead_ms, INT64_C(49) * 3600 * 1000);
	finish(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE type = 'approval.expired'"), RUNS);
	check(w);
}

static void rules_changed_while_no_engine_ran_reach_all_also_where_it_is_lost_on_the_way(void **state)
{
	world *w = *state;
	world_file(w, "connectors/mail.yaml", MAIL);
	world_file(w, "policies/mail.yaml", RULE("ask"));
	begin(w, MAILS);
	world_file(w, "policies/mail.yaml", RULE("allow"));
	for (int turns = 1; turns <= 3; turns++) {       /* each time a little further */
		open_world(w);
		for (int i = 0; i < turns; i++)
			(void)cs_engine_turn(w->engine);
		int done = count(w, "SELECT count(*) AS n FROM run WHERE ended IS NOT NULL");
		assert_true(done < RUNS);
		let_fall(w);
	}
	open_world(w);
	finish(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'completed'"), RUNS);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE type = 'run.completed'"), RUNS);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM item WHERE state IN ('proposed', 'pending')"), 0);
	check(w);
}

static void who_is_decided_before_its_turn_goes_on_once(void **state)
{
	world *w = *state;
	begin(w, FLOW);
	CS_AUTOJSON json_t *items = world_rows(w, "SELECT id, digest FROM item ORDER BY id DESC");
	json_t *replies[RUNS] = { NULL }, *item;
	size_t i;
	assert_int_equal(json_array_size(items), RUNS);
	open_world(w);
	json_array_foreach(items, i, item)
		ask(w, json_pack("{s:s, s:O, s:{s:s, s:O}}", "cmd", "decide", "item", json_object_get(item, "id"), "decision",
				 "verb", "approve", "digest", json_object_get(item, "digest")), &replies[i]);
	finish(w);
	for (i = 0; i < RUNS; i++) {
		assert_non_null(json_object_get(replies[i], "ok"));
		json_decref(replies[i]);
	}
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'completed'"), RUNS);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE type = 'run.completed'"), RUNS);
	check(w);
}

/* A reload of no rules brings all back and steps none: but these have not had the step of the start. */
static void who_comes_back_by_another_way_is_stepped_too(void **state)
{
	world *w = *state;
	begin(w, FLOW);
	open_world(w);
	world_file(w, "flows/g.yaml", "document: { dsl: '1.0.3', namespace: test, name: g, version: '1.0.0' }\ndo:\n  - a: { set: { n: 1 } }\n");
	json_decref(taken(w, json_pack("{s:s}", "cmd", "reload")));
	finish(w);
	atomic_store(&ahead_ms, INT64_C(49) * 3600 * 1000);
	finish(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE type = 'approval.expired'"), RUNS);
	check(w);
}

static void who_listens_hears_what_comes_first(void **state)
{
	world *w = *state;
	begin(w, HEAD "  - hear: { listen: { to: { one: { with: { type: paid } } } } }\n");
	open_world(w);
	json_decref(taken(w, json_pack("{s:s, s:{s:s, s:i}}", "cmd", "emit", "event", "type", "paid", "data", 1)));
	finish(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'completed'"), RUNS);
	check(w);
}

static void who_has_a_place_keeps_it(void **state)
{
	world *w = *state;
	world_file(w, "capstan.yaml", WORKSPACE "flows: { f: { concurrent: 40 } }\n");
	begin(w, FLOW);
	open_world(w);
	json_decref(taken(w, json_pack("{s:s, s:s, s:{s:i}}", "cmd", "run", "flow", "f", "input", "n", RUNS)));
	finish(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'created'"), 1);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'waiting'"), RUNS);
	check(w);
}

static void who_awaits_another_hears_of_its_end(void **state)
{
	world *w = *state;
	world_file(w, "flows/g.yaml", "document: { dsl: '1.0.3', namespace: test, name: g, version: '1.0.0' }\ndo:\n"
		   "  - pause: { wait: { hours: 1 } }\n");
	world_file(w, "flows/f.yaml", HEAD "  - sub: { run: { workflow: { namespace: test, name: g, version: '1.0.0' } } }\n");
	open_world(w);
	for (int i = 0; i < RUNS; i++)
		json_decref(taken(w, json_pack("{s:s, s:s, s:{s:i}}", "cmd", "run", "flow", "f", "input", "n", i)));
	finish(w);
	let_fall(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'waiting'"), 2 * RUNS);
	atomic_store(&ahead_ms, INT64_C(2) * 3600 * 1000);
	open_world(w);
	finish(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE state = 'completed'"), 2 * RUNS);
	check(w);
}

/* The operator's word is for the run that had the key: it has it still where it is not back yet. */
static void who_is_to_repeat_an_effect_has_its_key_before_its_turn(void **state)
{
	world *w = *state;
	world_file(w, "connectors/mail.yaml", "connector: mail\nkind: http\nurl: https://mail.example.com\nmode: live\noperations:\n"
		   "  send: { effect: unsafe, once: '${ .to }', request: { method: POST, path: /send, body: '${ . }' } }\n");
	world_file(w, "fixtures/mail.yaml", "function: mail.send\nanswers:\n"
		   "  - fail: { type: communication, title: Reset, outcome: ambiguous }\n    times: 1\n  - give: { sent: true }\n");
	world_file(w, "policies/mail.yaml", RULE("allow"));
	world_file(w, "flows/mail.yaml", "document: { dsl: '1.0.3', namespace: test, name: mail, version: '1.0.0' }\ndo:\n"
		   "  - mail: { call: mail.send, with: { to: a } }\n");
	begin(w, FLOW);
	open_world(w);
	json_decref(taken(w, json_pack("{s:s, s:s}", "cmd", "run", "flow", "mail")));
	finish(w);
	CS_AUTOJSON json_t *open = world_rows(w, "SELECT id FROM item WHERE kind = 'in-doubt' AND state = 'open'");
	json_decref(taken(w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 1)));
	json_decref(taken(w, json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "cmd", "decide", "item", cs_json_str_or(json_array_get(open, 0), "id", ""),
				       "decision", "verb", "resolve", "how", "repeat", "word", "repeat")));
	finish(w);
	let_fall(w);
	open_world(w);
	CS_AUTOJSON json_t *second = taken(w, json_pack("{s:s, s:s}", "cmd", "run", "flow", "mail"));
	finish(w);
	assert_int_equal(world_count(w, cs_json_str_or(json_object_get(second, "ok"), "run", ""), "attempt.awaits"), 1);
	json_decref(taken(w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 0)));
	finish(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM run WHERE name = 'mail' AND state = 'completed'"), 2);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE type = 'attempt.intent'"), 2);
	check(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_start_has_few_in_memory_and_says_how_many_are_to_come, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_came_due_while_no_engine_ran_is_due, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_comes_due_afterwards_is_due, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rules_changed_while_no_engine_ran_reach_all_also_where_it_is_lost_on_the_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_decided_before_its_turn_goes_on_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_comes_back_by_another_way_is_stepped_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_listens_hears_what_comes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_has_a_place_keeps_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_awaits_another_hears_of_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_to_repeat_an_effect_has_its_key_before_its_turn, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
