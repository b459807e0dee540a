/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run's row follows each of its events, though it is written once a group. */
#include "tests/store/fixture.h"
#include <stdlib.h>
#include <string.h>
#include "store/touched.h"

enum { RUNS = CS_TOUCHED_MAX + 50 };

/* The rows that are not where the run's last event left them. */
static void all_follow(const char *dir, const char *runs)
{
	CS_AUTOFREE char *behind = fixture_value(dir, "SELECT count(*) FROM run WHERE last_seq <> (SELECT max(seq) FROM event WHERE event.run = run.id)"
						      " OR updated <> (SELECT at FROM event WHERE seq = last_seq)");
	CS_AUTOFREE char *all = fixture_value(dir, "SELECT count(*) FROM run");
	assert_string_equal(behind, "0");
	assert_string_equal(all, runs);
}

static void add(cs_store *s, const char *run, const char *task, const char *type)
{
	(void)fixture_append(s, run, task, task != NULL, type, NULL);
}

static void a_group_leaves_each_run_at_its_last_event(void **state)
{
	cs_store *s = fixture_open(*state);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	add(s, RUN_A, NULL, "run.created");
	add(s, RUN_A, "/do/0/a", "task.completed");
	add(s, RUN_B, NULL, "run.created");
	add(s, RUN_A, "/do/1/b", "task.completed");
	add(s, RUN_B, "/do/0/a", "task.completed");
	add(s, RUN_B, NULL, "run.completed");
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
	all_follow(*state, "2");
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	add(s, RUN_B, NULL, "run.retried");
	add(s, RUN_B, "/do/1/b", "task.started");
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
	all_follow(*state, "2");
	cs_store_close(s);
}

static void what_is_taken_back_moves_no_row(void **state)
{
	cs_store *s = fixture_open(*state);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	add(s, RUN_A, NULL, "run.created");
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	add(s, RUN_A, "/do/0/a", "task.started");
	cs_store_rollback(s);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	add(s, RUN_B, NULL, "run.created");
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
	all_follow(*state, "2");
	cs_store_close(s);
}

static void more_runs_than_are_noted_follow_too(void **state)
{
	static char ids[RUNS][CS_ID_SIZE];
	cs_idgen gen = { 0 };
	cs_store *s = fixture_open(*state);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	for (int i = 0; i < RUNS; i++) {
		cs_id_next(&gen, 1700000000000, ids[i]);
		add(s, ids[i], NULL, "run.created");
	}
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < RUNS; i++)
			add(s, ids[i], "/do/0/a", round == 0 ? "task.started" : "task.completed");
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
	all_follow(*state, "2098");
	assert_int_equal(cs_store_rebuild(s, NULL), CS_OK);
	all_follow(*state, "2098");
	cs_store_close(s);
}

static void runs_are_told_apart_and_the_last_word_counts(void **state)
{
	(void)state;
	static cs_touched t;
	cs_idgen gen = { 0 };
	char first[CS_ID_SIZE], id[CS_ID_SIZE];
	cs_id_next(&gen, 1, first);
	assert_true(cs_touched_note(&t, first, 10, 1));
	for (int i = 1; i < CS_TOUCHED_MAX; i++) {
		cs_id_next(&gen, 1 + i % 3, id);
		assert_true(cs_touched_note(&t, id, 10 + i, 1 + i));
		cs_touched_written(&t, id);
	}
	cs_id_next(&gen, 9, id);
	assert_false(cs_touched_note(&t, id, 1, 1));
	cs_touched_written(&t, id);
	assert_true(cs_touched_note(&t, first, 99, 98));
	assert_int_equal(t.n, CS_TOUCHED_MAX);
	assert_int_equal(t.list[0].at, 99);
	assert_int_equal(t.list[0].seq, 98);
	assert_false(t.list[0].written);
	assert_true(t.list[CS_TOUCHED_MAX - 1].written);
	cs_touched_clear(&t);
	assert_true(cs_touched_note(&t, id, 7, 6));
	assert_int_equal(t.n, 1);
	assert_string_equal(t.list[0].run, id);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(a_group_leaves_each_run_at_its_last_event), T(what_is_taken_back_moves_no_row),
		T(more_runs_than_are_noted_follow_too), cmocka_unit_test(runs_are_told_apart_and_the_last_word_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
