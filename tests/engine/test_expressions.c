/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What expressions give in a run, on the real engine: loose mode, an object's order, the default of a switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "tests/support/acts.h"

#define DOC(more, body) "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'}," more "'do':[" body "]}"
#define LOOSE "'evaluate':{'language':'jq','mode':'loose'},"

static char *begin(world *w, const char *flow, const char *input)
{
	CS_AUTOJSON json_t *doc = world_json(flow);
	return world_run(w, NULL, doc, world_json(input));
}

static void assert_ends(world *w, const char *run, const char *type, const char *member, const char *value)
{
	json_decref(world_await(w, run, "completed faulted"));
	CS_AUTOJSON json_t *data = world_event(w, run, type), *want = world_json(value);
	CS_AUTOFREE char *text = cs_json_text(data);
	if (!cs_json_equal(json_object_get(data, member), want))
		fail_msg("ended with %s", text);
}

static void gives(world *w, const char *flow, const char *input, const char *output)
{
	CS_AUTOFREE char *run = begin(w, flow, input);
	assert_ends(w, run, "run.completed", "output", output);
}

static void test_a_loose_text_is_its_value_or_itself(void **state)
{
	gives(*state, DOC(LOOSE, "{'a':{'set':{'n':'.n','sum':'[.l[] | . + 1] | add','hi':'Hello there','word':'hello','url':'https://a.example/x','bad':'.n.x',"
		    "'marked':'${ .n }','none':'$nobody','l':['.l','length + 1',7]}}}"), "{'n':2,'l':[1,2]}",
	      "{'n':2,'sum':5,'hi':'Hello there','word':'hello','url':'https://a.example/x','bad':'.n.x','marked':2,'none':'$nobody','l':[[1,2],3,7]}");
	gives(*state, DOC(LOOSE, "{'a':{'set':'.n'}},{'b':{'set':{'v':'. + 1'},'output':{'as':'it is ('}}}"), "{'n':2}", "'it is ('");
	gives(*state, DOC("", "{'a':{'set':{'n':'.n'}}}"), "{'n':2}", "{'n':'.n'}");
	/* What the data holds is data, however it looks. */
	gives(*state, DOC(LOOSE, "{'a':{'set':{'n':'.n'}}},{'b':{'set':{'m':'.n','o':'$input'}}}"), "{'n':'1 + 1'}", "{'m':'1 + 1','o':{'n':'1 + 1'}}");
}

static void test_a_condition_that_fails_faults_in_loose_mode_too(void **state)
{
	CS_AUTOFREE char *run = begin(*state, DOC(LOOSE, "{'a':{'if':'.n.x','set':{'v':1}}}"), "{'n':2}");
	CS_AUTOJSON json_t *row = world_await(*state, run, "completed faulted");
	assert_string_equal(cs_json_str_or(row, "state", ""), "faulted");
}

/* Made here, given by jq, and read from the log again. */
static void test_an_object_in_a_text_is_the_same_live_and_after_a_restart(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, DOC("",
		"{'a':{'set':{'o':'${ {z: .z, b: 1, a: {y: 1, x: 2}} }'}}},"
		"{'b':{'set':{'o':'${ .o }','now':'${ \\\"\\\\(.o)\\\" }','jq':'${ [.o] | map(tostring) | first }'}}},"
		"{'w':{'listen':{'to':{'one':{'with':{'type':'go'}}}},'output':{'as':'${ $tasks.b }'}}},"
		"{'c':{'set':{'same':'${ [.now, .jq, \\\"\\\\(.o)\\\", (.o | tojson)] | unique }'}}}"), "{'z':0}");
	json_decref(world_await(w, run, "waiting"));
	world_restart(w);
	json_decref(world_ask(w, world_json("{'cmd':'emit','event':{'type':'go'}}")));
	assert_ends(w, run, "run.completed", "output", "{'same':['{\\\"a\\\":{\\\"x\\\":2,\\\"y\\\":1},\\\"b\\\":1,\\\"z\\\":0}']}");
}

static void test_the_default_of_a_switch_holds_wherever_it_stands(void **state)
{
#define SWITCH "{'s':{'switch':[{'else':{'then':'three'}},{'one':{'when':'.n == 1','then':'two'}},{'many':{'when':'[.n] | any(. > 5)','then':'end'}}]}}," \
	"{'two':{'set':{'was':'one'},'then':'end'}},{'three':{'set':{'was':'else'}}}"
	gives(*state, DOC("", SWITCH), "{'n':1}", "{'was':'one'}");
	gives(*state, DOC("", SWITCH), "{'n':6}", "{'n':6}");
	gives(*state, DOC("", SWITCH), "{'n':2}", "{'was':'else'}");
#undef SWITCH
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down_verified)
	const struct CMUnitTest tests[] = {
		T(test_a_loose_text_is_its_value_or_itself),
		T(test_a_condition_that_fails_faults_in_loose_mode_too),
		T(test_an_object_in_a_text_is_the_same_live_and_after_a_restart),
		T(test_the_default_of_a_switch_holds_wherever_it_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
