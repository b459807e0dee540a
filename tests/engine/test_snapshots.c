/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A long run comes back to memory from its snapshot and the few events since; a snapshot that is not the
 * engine's own, of this log and this definition, is passed over, and the run is what its log says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "base/json.h"
#include "tests/support/world.h"

enum { ROUNDS = 40, EVERY = 20, STEP = 10 };

#define HEAD "document: { dsl: '1.0.3', namespace: test, name: f, version: '1.0.0' }\ndo:\n"
#define ROUND "  - each:\n      for: { each: x, in: '${ $start.l }' }\n      do:\n        - well: { call: approve, with: { title: Well? } }\n" \
	      "        - note: { set: { x: '${ $x }' }, export: { as: '${ { n: $x } }' } }\n"
#define FLOW HEAD ROUND "  - end: { set: { n: '${ $context.n }' } }\n"
#define SETTINGS "workspace: test\nmode: simulate\napprovals: { grace: PT0S }\nretention: { snapshot-every: %d }\n"

static void settings(world *w, int every)
{
	CS_AUTOFREE char *text = cs_xasprintf(SETTINGS, every);
	world_file(w, "capstan.yaml", text);
}

static int set_up(void **state)
{
	world *w = calloc(1, sizeof *w);
	world_new(w, NULL);
	settings(w, EVERY);
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

static int64_t folded(world *w)
{
	CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s}", "cmd", "status"));
	return cs_json_int_or(ok, "folded", -1);
}

static int64_t of_runs(world *w)
{
	return count(w, "SELECT count(*) AS n FROM event WHERE run <> ''");
}

static char *begin(world *w, int rounds)
{
	json_t *l = json_array();
	for (int i = 0; i < rounds; i++)
		json_array_append_new(l, json_integer(i));
	world_file(w, "flows/f.yaml", FLOW);
	world_start(w);
	return world_run(w, "f", NULL, json_pack("{s:o}", "l", l));
}

static void pass(world *w, int gates)
{
	for (int i = 0; i < gates; i++) {
		world_settle(w);
		CS_AUTOJSON json_t *item = world_item(w);
		json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	}
	world_settle(w);
}

static void assert_ends(world *w, const char *run, int rounds)
{
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	CS_AUTOJSON json_t *end = world_event(w, run, "run.completed");
	assert_string_equal(cs_json_str_or(row, "state", ""), "completed");
	assert_int_equal(cs_json_int_or(json_object_get(end, "output"), "n", -1), rounds - 1);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM event WHERE type = 'task.completed' AND task = '/do/0/each/for/do/0/well'"), 0);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM snapshot"), 0);
	world_verify(w);
}

static void sql(const world *w, const char *text)
{
	sqlite3 *db = NULL;
	char *why = NULL;
	CS_AUTOFREE char *path = cs_xasprintf("%s/.capstan/capstan.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	sqlite3_close(db);
}

static void again(world *w)
{
	world_stop(w);
	world_start(w);
	world_settle(w);
}

static void test_what_is_read_of_a_long_run_does_not_grow(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, ROUNDS);
	for (int i = 0; i < ROUNDS; i += STEP) {
		pass(w, STEP - (i == 0));
		again(w);
		assert_true(of_runs(w) > EVERY * (i / STEP + 1) * 2);
		assert_in_range(folded(w), 0, 2 * EVERY);
	}
	pass(w, 1);
	assert_ends(w, run, ROUNDS);
}

static void test_each_park_and_return_reads_what_came_since(void **state)
{
	world *w = *state;
	w->opts.keep_runs = 1;
	CS_AUTOFREE char *run = begin(w, ROUNDS);
	for (int i = 0; i < 2; i++)
		free(world_run(w, "f", NULL, json_pack("{s:[i, i, i]}", "l", 1, 2, 3)));
	for (int i = 0; i < ROUNDS; i++) {
		world_settle(w);
		CS_AUTOFREE char *ask = cs_xasprintf("SELECT id FROM item WHERE run = '%s' AND state = 'pending'", run);
		CS_AUTOJSON json_t *rows = world_rows(w, ask);
		json_decref(world_decide(w, cs_json_str(json_array_get(rows, 0), "id"), json_pack("{s:s}", "verb", "approve")));
	}
	world_settle(w);
	assert_true(folded(w) < (int64_t)ROUNDS * (2 * EVERY));
	assert_true(of_runs(w) * ROUNDS / 2 > (int64_t)ROUNDS * (2 * EVERY));
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	assert_string_equal(cs_json_str_or(row, "state", ""), "completed");
	world_verify(w);
}

static void test_a_snapshot_that_does_not_fit_is_passed_over(void **state)
{
	static const struct {
		const char *what, *sql;
	} rows[] = {
		{ "another context", "UPDATE snapshot SET state = replace(state, '\"n\":', '\"m\":')" },
		{ "cut off", "UPDATE snapshot SET state = substr(state, 1, length(state) / 2)" },
		{ "empty", "UPDATE snapshot SET state = ''" },
		{ "no JSON of ours", "UPDATE snapshot SET state = '[[[[[[[[[[[[[[[[[[[[[[[['" },
		{ "another key", "UPDATE snapshot SET mac = replace(replace(replace(mac, 'a', 'b'), '1', '2'), '3', '4')" },
		{ "no key", "UPDATE snapshot SET mac = ''" },
		{ "an older layout", "UPDATE snapshot SET layout = substr(layout, 2) || '0'" },
		{ "another event", "UPDATE snapshot SET seq = seq - 1, hash = (SELECT lower(hex(hash)) FROM event e WHERE e.seq = snapshot.seq - 1)" },
		{ "another hash", "UPDATE snapshot SET hash = definition" },
		{ "another definition", "UPDATE snapshot SET definition = hash" },
	};
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, ROUNDS);
	pass(w, STEP - 1);
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		assert_int_equal(count(w, "SELECT count(*) AS n FROM snapshot"), 1);
		world_stop(w);
		sql(w, rows[i].sql);
		world_start(w);
		world_settle(w);
		if (folded(w) != of_runs(w))
			fail_msg("%s: %lld of %lld events were read", rows[i].what, (long long)folded(w), (long long)of_runs(w));
		pass(w, 3);          /* and it has made another by then */
		again(w);
		assert_in_range(folded(w), 0, 2 * EVERY);
	}
	pass(w, ROUNDS - STEP + 1 - 3 * (int)CS_ARRAY_LEN(rows));
	assert_ends(w, run, ROUNDS);
}

static void test_a_table_of_snapshots_that_is_gone_is_made_again(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, ROUNDS);
	pass(w, STEP - 1);
	world_stop(w);
	sql(w, "DROP TABLE snapshot");
	world_start(w);
	world_settle(w);
	assert_int_equal(folded(w), of_runs(w));
	pass(w, STEP);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM snapshot"), 1);
	pass(w, ROUNDS - 2 * STEP + 1);
	assert_ends(w, run, ROUNDS);
}

static void test_the_snapshot_of_another_run_is_passed_over(void **state)
{
	world *w = *state;
	free(begin(w, ROUNDS));
	pass(w, STEP);
	CS_AUTOFREE char *other = world_run(w, "f", NULL, json_pack("{s:[i, i, i, i, i, i]}", "l", 0, 1, 2, 3, 4, 5));
	pass(w, 5);
	world_stop(w);
	CS_AUTOFREE char *change = cs_xasprintf("DELETE FROM snapshot WHERE run = '%s'; UPDATE snapshot SET run = '%s'", other, other);
	sql(w, change);
	world_start(w);
	world_settle(w);
	assert_int_equal(folded(w), of_runs(w));
	pass(w, 1);
	CS_AUTOJSON json_t *end = world_event(w, other, "run.completed");
	assert_int_equal(cs_json_int_or(json_object_get(end, "output"), "n", -1), 5);
	world_verify(w);
}

static void test_a_run_with_another_definition_is_not_what_its_snapshot_was(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, STEP);
	pass(w, STEP - 1);
	world_stop(w);
	settings(w, 100000);             /* so that the old one stays where it is */
	world_file(w, "flows/f.yaml", HEAD ROUND "  - end: { set: { n: '${ $context.n }', more: true } }\n");
	world_start(w);
	json_decref(world_ask(w, json_pack("{s:s, s:s}", "cmd", "adopt", "run", run)));
	again(w);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM snapshot"), 1);
	assert_int_equal(folded(w), of_runs(w));
	pass(w, 1);
	CS_AUTOJSON json_t *end = world_event(w, run, "run.completed");
	assert_true(cs_json_true(json_object_get(end, "output"), "more"));
	world_verify(w);
}

static void test_none_are_kept_where_none_are_wanted(void **state)
{
	world *w = *state;
	settings(w, 0);
	CS_AUTOFREE char *run = begin(w, STEP);
	pass(w, STEP - 1);
	assert_int_equal(count(w, "SELECT count(*) AS n FROM snapshot"), 0);
	again(w);
	assert_int_equal(folded(w), of_runs(w));
	pass(w, 1);
	assert_ends(w, run, STEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_read_of_a_long_run_does_not_grow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_park_and_return_reads_what_came_since, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_snapshot_that_does_not_fit_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_table_of_snapshots_that_is_gone_is_made_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_snapshot_of_another_run_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_run_with_another_definition_is_not_what_its_snapshot_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_none_are_kept_where_none_are_wanted, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
