/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forks whose branches end differently: what a fault, a race or a hold leaves open beside it. */
#include "tests/system/live.h"

#include <time.h>

#define BRANCHES(list) "{'fork':{'branches':[" list "]}}"
#define RAISE "{'raise':{'error':{'type':'https://example.com/errors/boom','status':500,'title':'boom'}}}"
#define POST(n) "{'call':'shop.post','with':{'n':" n "}}"
#define SLOW "{'call':'shop.slow','with':{}}"

static json_t *output_of(live *v, const char *run)
{
	CS_AUTOJSON json_t *end = live_end(v, run);
	json_t *output = json_object_get(end, "output");
	CS_AUTOFREE char *text = cs_json_text(end);
	if (output == NULL)
		fail_msg("it faulted: %s", text);
	return json_incref(output);
}

static void assert_caught(live *v, const char *flow)
{
	CS_AUTOFREE char *run = live_run(v, flow, "{}");
	CS_AUTOJSON json_t *output = output_of(v, run);
	assert_true(json_is_true(json_object_get(output, "caught")));
	world_verify(&v->w);
}

#define TRY(body) "{'t':{'try':[" body "],'catch':{'do':[{'h':{'set':{'caught':true}}}]}}}"

static void test_a_try_around_takes_a_branch_s_error(void **state)
{
	assert_caught(*state, FLOW(TRY("{'f':" BRANCHES("{'a':" RAISE "},{'b':{'set':{'x':1}}},{'c':{'do':[{'d':{'set':{'y':1}}}]}}") "}")));
	assert_caught(*state, FLOW(TRY("{'o':{'do':[{'f':" BRANCHES("{'a':{'do':[{'i':{'do':[{'r':" RAISE "}]}}]}},{'b':{'set':{'x':1}}}") "}]}}")));
	assert_caught(*state, FLOW(TRY("{'l':{'for':{'in':'${ [1,2] }'},'do':[{'i':{'do':[{'f':" BRANCHES("{'b':{'set':{'x':1}}},{'r':" RAISE "}") "}]}}]}}")));
}

/* Ids of the attempts begun after the first fault: the others of a faulted fork start nothing more. */
static void assert_nothing_begins_after_the_fault(live *v, const char *run)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) AS n FROM event WHERE run = '%s' AND type = 'attempt.intent' AND seq > "
					     "(SELECT min(seq) FROM event WHERE run = '%s' AND type = 'task.faulted')", run, run);
	CS_AUTOJSON json_t *rows = world_rows(&v->w, sql);
	assert_int_equal(cs_json_int_or(json_array_get(rows, 0), "n", -1), 0);
}

#define BUSY "{'b':{'do':[{'b1':" SLOW "},{'b2':" SLOW "},{'b3':" SLOW "}]}}"
#define BUSY_TOO "{'c':{'do':[{'c0':{'call':'shop.look','with':{'n':1}}},{'c1':" SLOW "},{'c2':" SLOW "}]}}"
#define LATE "{'a':{'do':[{'a1':" POST("1") "},{'a2':" RAISE "}]}}"

static void test_beside_a_caught_fault_nothing_more_begins(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW(TRY("{'f':" BRANCHES(BUSY "," BUSY_TOO "," LATE) "}")), "{}");
	CS_AUTOJSON json_t *output = output_of(v, run);
	assert_true(json_is_true(json_object_get(output, "caught")));
	assert_nothing_begins_after_the_fault(v, run);
}

static void test_beside_a_fault_nobody_takes_nothing_more_begins(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'f':" BRANCHES(BUSY "," BUSY_TOO "," LATE) "}"), "{}");
	json_decref(world_await(&v->w, run, "faulted"));
	assert_nothing_begins_after_the_fault(v, run);
	assert_true(world_count(&v->w, run, "attempt.intent") == world_count(&v->w, run, "attempt.done"));
}

static void test_the_loser_of_a_race_is_awaited_and_starts_nothing_more(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'f':{'fork':{'compete':true,'branches':[" BUSY ",{'w':" POST("2") "}]}}}"), "{}");
	CS_AUTOJSON json_t *output = output_of(v, run);
	assert_true(json_is_true(json_object_get(output, "ok")));
	assert_int_equal(world_count(&v->w, run, "attempt.intent"), 2);
	assert_int_equal(world_count(&v->w, run, "attempt.done"), 2);
}

/* An approval that is over its grace and held back must not keep the clock of its neighbour. */
static void test_what_is_held_does_not_stop_the_clock_beside_it(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'f':" BRANCHES(
		"{'a':{'call':'shop.put','with':{'to':'ann','text':'hi'}}},"
		"{'b':{'try':[{'r':" RAISE "}],'catch':{'retry':{'delay':{'milliseconds':400},'limit':{'attempt':{'count':2}}},"
		"'do':[{'h':{'set':{'caught':true}}}]}}}") "}"), "{}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	json_decref(world_ask(&v->w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 1)));
	live_decide(v, item, "approve", NULL);
	for (int i = 0; i < 300 && world_count(&v->w, run, "task.caught") < 3; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	assert_int_equal(world_count(&v->w, run, "task.caught"), 3);
	json_decref(live_sent(v, "/put/", 0));
	json_decref(world_ask(&v->w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 0)));
	json_decref(output_of(v, run));
	json_decref(live_sent(v, "/put/", 1));
}

/* Twelve outputs that fit each, and together do not: the engine and the other runs go on. */
static void test_what_fits_no_event_faults_its_task_and_nothing_else(void **state)
{
	live *v = *state;
	CS_AUTOBUF cs_buf flow;
	cs_buf_init(&flow, 65536);
	(void)cs_buf_adds(&flow, "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'do':["
				 "{'a':{'set':{'s':'${ [range(100000)] | map(\\\"0123456789012345678901234567890123456789012345678901234567890123\\\") | add }'}}},"
				 "{'f':{'fork':{'branches':[");
	for (int i = 0; i < 12; i++)
		(void)cs_buf_addf(&flow, "%s{'b%d':{'set':{'s':'${ .s }'}}}", i > 0 ? "," : "", i);
	(void)cs_buf_adds(&flow, "]}}}]}");
	CS_AUTOFREE char *run = live_run(v, cs_buf_str(&flow), "{}");
	json_decref(world_await(&v->w, run, "completed faulted"));
	CS_AUTOJSON json_t *end = world_event(&v->w, run, "run.faulted");
	assert_non_null(end);
	assert_non_null(strstr(cs_json_str_or(json_object_get(end, "error"), "type", ""), "/runtime"));
	assert_string_equal(cs_json_str(end, "task"), "/do/1/f");
	CS_AUTOFREE char *after = live_run(v, FLOW("{'a':{'set':{'caught':true}}}"), "{}");
	json_decref(output_of(v, after));
	world_verify(&v->w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_try_around_takes_a_branch_s_error, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_beside_a_caught_fault_nothing_more_begins, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_beside_a_fault_nobody_takes_nothing_more_begins, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_the_loser_of_a_race_is_awaited_and_starts_nothing_more, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_held_does_not_stop_the_clock_beside_it, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_what_fits_no_event_faults_its_task_and_nothing_else, live_set_up, live_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
