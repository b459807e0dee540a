/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where many runs wait, those that only wait leave memory: they are decided, expire, hear of changed rules
 * and survive a restart as if they had stayed. */
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
#include "tests/support/world.h"

enum { RUNS = 40, KEEP = 4 };

#define HEAD "document: { dsl: '1.0.3', namespace: test, name: f, version: '1.0.0' }\ndo:\n"
#define FLOW HEAD "  - well: { call: approve, with: { title: Well?, expire: PT48H } }\n  - end: { set: { n: '${ $start.n }' } }\n"

static atomic_llong ahead_ms;

static int64_t shifted(void *ctx)
{
	(void)ctx;
	return cs_clock_wall_ms() + atomic_load(&ahead_ms);
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

static int tear_down(void **state)
{
	world_free(*state);
	free(*state);
	return 0;
}

static int64_t count(world *w, const char *sql)
{
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return cs_json_int_or(json_array_get(rows, 0), "n", -1);
}

/* Until so many of all runs are out of memory. */
static void await_parked(world *w, int parked, int runs)
{
	for (int i = 0; i < 1000; i++, usleep(10000)) {
		CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s}", "cmd", "status"));
		if (cs_json_int_or(ok, "parked", -1) == parked && cs_json_int_or(ok, "runs", -1) == runs)
			return;
	}
	fail_msg("not %d of %d runs are parked", parked, runs);
}

static void await_count(world *w, const char *sql, int n)
{
	for (int i = 0; i < 1000 && count(w, sql) != n; i++)
		usleep(10000);
	assert_int_equal(count(w, sql), n);
}

static void begin(world *w, const char *flow)
{
	world_file(w, "flows/f.yaml", flow);
	world_start(w);
	for (int i = 0; i < RUNS; i++)
		free(world_run(w, "f", NULL, json_pack("{s:i}", "n", i)));
	await_count(w, "SELECT count(*) AS n FROM item WHERE state = 'pending'", RUNS);
}

static void test_what_is_decided_out_of_memory_goes_on(void **state)
{
	world *w = *state;
	begin(w, FLOW);
	await_parked(w, RUNS - KEEP, RUNS);
	CS_AUTOJSON json_t *items = world_rows(w, "SELECT id FROM item ORDER BY id");
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item)
		json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	await_count(w, "SELECT count(*) AS n FROM run WHERE state = 'completed'", RUNS);
	await_parked(w, 0, 0);
	world_verify(w);
}

static void test_what_expires_out_of_memory_goes_on(void **state)
{
	world *w = *state;
	begin(w, FLOW);
	await_parked(w, RUNS - KEEP, RUNS);
	atomic_store(&ahead_ms, INT64_C(49) * 3600 * 1000);
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "settle")));
	await_count(w, "SELECT count(*) AS n FROM item WHERE state IN ('pending', 'proposed')", 0);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE type = 'approval.expired'"), RUNS);
	await_parked(w, 0, 0);
	world_verify(w);
}

static void test_a_restart_parks_them_again(void **state)
{
	world *w = *state;
	begin(w, FLOW);
	await_parked(w, RUNS - KEEP, RUNS);
	int64_t events = count(w, "SELECT count(*) AS n FROM event WHERE run <> ''");
	world_stop(w);
	world_start(w);
	await_parked(w, RUNS - KEEP, RUNS);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE run <> ''"), events);
	world_verify(w);
}

/* A gate that a changed rule lets through, wherever its run is. */
static void test_changed_rules_reach_what_is_out_of_memory(void **state)
{
	world *w = *state;
	world_file(w, "connectors/mail.yaml", "connector: mail\nkind: http\nurl: https://mail.example.com\nmode: dry\noperations:\n"
		   "  send: { effect: unsafe, request: { method: POST, path: /send, body: '${ . }' } }\n");
	begin(w, HEAD "  - mail: { call: mail.send, with: { to: a } }\n");
	await_parked(w, RUNS - KEEP, RUNS);
	world_file(w, "policies/free.yaml", "policy: free\nrules: [ { name: mail, when: { call: mail.send }, then: allow } ]\n");
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	await_count(w, "SELECT count(*) AS n FROM item WHERE state IN ('pending', 'proposed')", 0);
	await_count(w, "SELECT count(*) AS n FROM run WHERE ended IS NULL", 0);
	world_verify(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_decided_out_of_memory_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_expires_out_of_memory_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_restart_parks_them_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_rules_reach_what_is_out_of_memory, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
