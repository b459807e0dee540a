/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An engine that archives what is over: open runs go on, and what was archived can still be replayed, retried
 * and explained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "tests/support/acts.h"

#define HEAD(name) "document: { dsl: '1.0.3', namespace: test, name: " name ", version: '1.0.0' }\ndo:\n"

static int set_up(void **state)
{
	world *w = world_for(state, NULL);
	world_file(w, "flows/done.yaml", HEAD("done") "  - a: { set: { n: '${ $start.n }' } }\n  - b: { set: { n: '${ .n }' } }\n");
	world_file(w, "flows/asks.yaml", HEAD("asks") "  - well: { call: approve, with: { title: Well? } }\n  - end: { set: { by: '${ .by }' } }\n");
	world_file(w, "flows/breaks.yaml", HEAD("breaks") "  - a: { set: { n: 1 } }\n"
		   "  - b: { raise: { error: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/runtime', status: 500, title: Broken } } }\n");
	world_start(w);
	return 0;
}

/* All that there is, once the engine has signed it. */
static void archive(world *w)
{
	bool more = true;
	for (int i = 0; i < 40 && more; i++) {
		CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s, s:i}", "cmd", "archive", "older", 0));
		more = cs_json_int_or(ok, "first", 0) == 0;
		if (more)
			usleep(300000);      /* it signs when it is idle */
	}
	assert_false(more);
}

static void run_to(world *w, const char *flow, const char *state, char **ret)
{
	*ret = world_run(w, flow, NULL, json_pack("{s:i}", "n", 5));
	json_decref(world_await(w, *ret, state));
	world_settle(w);
}

static void an_open_run_goes_on_while_the_others_are_archived(void **state)
{
	world *w = *state;
	char *done = NULL, *open = NULL;
	run_to(w, "asks", "waiting", &open);
	run_to(w, "done", "completed", &done);
	archive(w);
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) AS n FROM event WHERE run = '%s'", done);
	assert_true(world_number(w, sql) <= 1);    /* the last signed event stays, whosever it is */
	world_stop(w);
	world_start(w);
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:s}", "verb", "approve", "digest", cs_json_str_or(item, "digest", ""))));
	json_decref(world_await(w, open, "completed"));
	CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s, s:s}", "cmd", "replay", "run", done));
	json_decref(world_await(w, cs_json_str(ok, "run"), "completed"));
	CS_AUTOJSON json_t *end = world_event(w, done, "run.completed");
	assert_int_equal(cs_json_int_or(json_object_get(end, "output"), "n", 0), 5);
	CS_AUTOJSON json_t *log = world_rows(w, "SELECT actor FROM event WHERE type = 'log.archived'");
	assert_int_equal(strncmp(cs_json_str_or(json_array_get(log, 0), "actor", ""), "operator:", 9), 0);
	world_verify(w);
	archive(w);
	world_verify(w);
	free(done);
	free(open);
}

static void a_fault_that_waits_keeps_its_run_and_one_put_away_is_still_retried(void **state)
{
	world *w = *state;
	char *run = NULL;
	run_to(w, "breaks", "faulted", &run);
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) AS n FROM event WHERE run = '%s'", run);
	archive(w);
	assert_true(world_number(w, sql) > 0);     /* its item is in the inbox */
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "dismiss")));
	world_settle(w);
	archive(w);
	assert_true(world_number(w, sql) <= 1);    /* the last signed event stays, whosever it is */
	world_stop(w);
	world_start(w);
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "retry")));
	json_decref(world_await(w, run, "faulted"));
	world_settle(w);
	assert_int_equal(world_count(w, run, "run.faulted"), 2);       /* one archived, one here */
	assert_int_equal(world_count(w, run, "run.created"), 1);
	world_verify(w);
	world_stop(w);
	world_start(w);
	CS_AUTOJSON json_t *error = world_refused(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "pause"));
	assert_non_null(json_object_get(error, "message"));
	world_verify(w);
	free(run);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_open_run_goes_on_while_the_others_are_archived),
		TEST(a_fault_that_waits_keeps_its_run_and_one_put_away_is_still_retried),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
