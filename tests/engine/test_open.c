/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An engine without a thread: what it does, it does when it is turned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/json.h"
#include "tests/support/world.h"

enum { TURNS_MAX = 100 };

static const char flow[] =
	"document: { dsl: '1.0.3', namespace: test, name: f, version: '1.0.0' }\n"
	"do: [ { one: { set: { n: '${ $start.n }' } } }, { two: { set: { n: '${ [ .n, 1 ] | add }' } } } ]\n";

/* Jobs that nobody does until the test says so. */
struct bench {
	cs_job_fn *run, *drop;
	void *job;
	int given;
};

static void keep_job(void *ctx, cs_job_fn *run, cs_job_fn *drop, void *job, bool background)
{
	struct bench *b = ctx;
	(void)background;
	assert_null(b->job);
	*b = (struct bench){ run, drop, job, b->given + 1 };
}

static void do_job(struct bench *b)
{
	void *job = b->job;
	b->job = NULL;
	b->run(job);
}

static void keep_reply(void *ctx, json_t *reply)
{
	*(json_t **)ctx = reply;
}

static void open_engine(world *w, struct bench *b)
{
	cs_diags d;
	cs_workspace *ws = NULL;
	cs_err err = { 0 };
	cs_diags_init(&d);
	assert_int_equal(cs_workspace_load(w->dir, false, &d, &ws, &err), CS_OK);
	cs_diags_fini(&d);
	w->opts.jobs = (cs_engine_jobs){ keep_job, b };
	if (cs_engine_open(ws, &w->opts, &w->engine, &err) != CS_OK)
		fail_msg("%s", err.msg);
}

static void turn_out(world *w)
{
	int n = 0;
	while (cs_engine_turn(w->engine))
		assert_true(++n < TURNS_MAX);
}

static void send_run(world *w, json_t **reply)
{
	json_t *req = json_pack("{s:s, s:s, s:{s:i}, s:s}", "cmd", "run", "flow", "f", "input", "n", 2, "actor", "operator:tester");
	assert_int_equal(cs_engine_send(w->engine, req, keep_reply, reply, NULL), CS_OK);
}

static void begin(world *w, struct bench *b)
{
	world_new(w, NULL);
	world_file(w, "flows/f.yaml", flow);
	open_engine(w, b);
}

static void end(world *w)
{
	cs_engine_drop(w->engine);
	w->engine = NULL;
	world_verify(w);
	world_free(w);
}

static void nothing_happens_between_two_turns(void **state)
{
	world w;
	struct bench b = { .given = 0 };
	json_t *reply = NULL;
	(void)state;
	begin(&w, &b);
	assert_false(cs_engine_turn(w.engine));
	send_run(&w, &reply);
	assert_null(reply);
	assert_true(cs_engine_turn(w.engine));
	assert_non_null(reply);
	const char *run = cs_json_str(json_object_get(reply, "ok"), "run");
	assert_non_null(run);
	turn_out(&w);
	assert_int_equal(b.given, 1);        /* the second task asks jq, and waits for the answer */
	assert_int_equal(world_count(&w, run, "run.completed"), 0);
	do_job(&b);
	assert_int_equal(world_count(&w, run, "run.completed"), 0);
	turn_out(&w);
	assert_int_equal(world_count(&w, run, "run.completed"), 1);
	json_decref(reply);
	end(&w);
}

static void an_engine_dropped_in_its_work_is_taken_up_where_its_log_ends(void **state)
{
	world w;
	struct bench b = { .given = 0 };
	json_t *reply = NULL;
	(void)state;
	begin(&w, &b);
	send_run(&w, &reply);
	turn_out(&w);
	assert_non_null(b.job);
	cs_engine_drop(w.engine);
	b.drop(b.job);
	b.job = NULL;
	open_engine(&w, &b);
	turn_out(&w);
	assert_int_equal(b.given, 2);
	do_job(&b);
	turn_out(&w);
	assert_int_equal(world_count(&w, cs_json_str(json_object_get(reply, "ok"), "run"), "run.completed"), 1);
	json_decref(reply);
	end(&w);
}

enum { ROUNDS = 900 };

static int64_t wall = 1700000000000, hurry;

static int64_t wall_ms(void *ctx)
{
	(void)ctx;
	return wall += hurry;
}

static int steps_done(world *w)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT count(*) AS n FROM event WHERE type = 'task.completed'");
	return (int)cs_json_int_or(json_array_get(rows, 0), "n", -1);
}

static void turn_with_rounds(world *w, struct bench *b, int64_t ms_a_look)
{
	world_new(w, NULL);
	world_file(w, "flows/f.yaml", "document: { dsl: '1.0.3', namespace: test, name: f, version: '1.0.0' }\n"
		   "do: [ { all: { for: { in: '${ $start.list }' }, do: [ { one: { set: { n: 1 } } } ] } } ]\n");
	hurry = ms_a_look;
	w->opts.clock = (cs_engine_clock){ .now_ms = wall_ms };
	open_engine(w, b);
	json_t *list = json_array(), *reply = NULL;
	for (int i = 0; i < ROUNDS; i++)
		json_array_append_new(list, json_integer(i));
	json_t *req = json_pack("{s:s, s:s, s:{s:o}, s:s}", "cmd", "run", "flow", "f", "input", "list", list, "actor", "operator:tester");
	assert_int_equal(cs_engine_send(w->engine, req, keep_reply, &reply, NULL), CS_OK);
	assert_true(cs_engine_turn(w->engine));
	assert_non_null(reply);              /* who asked does not wait for all of it */
	assert_in_range(steps_done(w), 1, 300);
	json_decref(reply);
}

static void steps_share_a_commit_as_long_as_nobody_waits(void **state)
{
	world w;
	struct bench b = { .given = 0 };
	(void)state;
	turn_with_rounds(&w, &b, 0);
	assert_true(cs_engine_turn(w.engine));
	assert_true(steps_done(&w) >= ROUNDS);
	end(&w);
}

static void what_only_looks_on_waits_no_longer_than_a_moment(void **state)
{
	world w;
	struct bench b = { .given = 0 };
	(void)state;
	turn_with_rounds(&w, &b, 40);
	int before = steps_done(&w);
	assert_true(cs_engine_turn(w.engine));
	assert_in_range(steps_done(&w) - before, 1, 300);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happens_between_two_turns),
		cmocka_unit_test(an_engine_dropped_in_its_work_is_taken_up_where_its_log_ends),
		cmocka_unit_test(steps_share_a_commit_as_long_as_nobody_waits),
		cmocka_unit_test(what_only_looks_on_waits_no_longer_than_a_moment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
