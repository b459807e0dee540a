/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `call` may name beside the workspace's own, on the real engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "tests/support/world.h"

#define FLOW(use, body) "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'use':{" use "},'do':[" body "]}"

static int set_up(void **state)
{
	world *w = calloc(1, sizeof *w);
	world_new(w, NULL);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	world_free(*state);
	free(*state);
	return 0;
}

/* Runs FLOW with INPUT to its end; the data of its last event. */
static json_t *end_of(world *w, const char *flow, const char *input, char **ret_run)
{
	CS_AUTOJSON json_t *doc = world_json(flow);
	char *run = world_run(w, NULL, doc, world_json(input));
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	json_t *data = world_event(w, run, strcmp(cs_json_str(row, "state"), "completed") == 0 ? "run.completed" : "run.faulted");
	if (ret_run != NULL)
		*ret_run = run;
	else
		free(run);
	return data;
}

static void gives(world *w, const char *flow, const char *input, const char *output)
{
	CS_AUTOJSON json_t *data = end_of(w, flow, input, NULL);
	CS_AUTOJSON json_t *want = world_json(output);
	CS_AUTOFREE char *text = cs_json_text(data);
	if (!cs_json_equal(json_object_get(data, "output"), want))
		fail_msg("ended with %s", text);
}

/* ---- functions ------------------------------------------------------------------------------------------- */

#define ADD "'functions':{'add':{'input':{'schema':{'document':{'type':'object','required':['a','b']," \
	"'properties':{'a':{'type':'integer'},'b':{'type':'integer'}}}}},'set':{'sum':'${ .a + .b }'}}}"

static void test_a_function_gets_with_as_its_input_and_gives_its_output(void **state)
{
	world_start(*state);
	gives(*state, FLOW(ADD, "{'x':{'call':'add','with':{'a':'${ .n }','b':2},'output':{'as':'{got: .sum}'}}}"), "{'n':1}", "{'got':3}");
	gives(*state, FLOW(ADD, "{'l':{'for':{'in':'.l'},'do':[{'x':{'call':'add','with':{'a':'${ $item }','b':'${ $index }'}}}]}}"),
	      "{'l':[5,6,7]}", "{'sum':9}");
	world_verify(*state);
}

static void test_a_function_checks_what_it_is_given(void **state)
{
	world_start(*state);
	CS_AUTOJSON json_t *data = end_of(*state, FLOW(ADD, "{'x':{'call':'add','with':{'a':1}}}"), "{}", NULL);
	const json_t *error = json_object_get(data, "error");
	assert_non_null(strstr(cs_json_str(error, "type"), "/validation"));
	assert_string_equal(cs_json_str(error, "instance"), "/do/0/x/call/add");
	gives(*state, FLOW(ADD, "{'t':{'try':[{'x':{'call':'add','with':{'a':1}}}],'catch':{'do':[{'h':{'set':{'caught':true}}}]}}}"),
	      "{}", "{'caught':true}");
	world_verify(*state);
}

static void test_functions_call_functions_and_end_only_themselves(void **state)
{
	world_start(*state);
	gives(*state,
	      FLOW("'functions':{'twice':{'do':[{'one':{'call':'inc','with':{'n':'${ .n }'}}},{'two':{'call':'inc','with':{'n':'${ .n }'},'then':'exit'}},"
		   "{'never':{'set':{'n':'0'}}}]},'inc':{'set':{'n':'${ .n + 1 }'}}}",
		   "{'a':{'call':'twice','with':{'n':'${ .n }'}}},{'b':{'call':'twice','with':{'n':'${ .n }'}}}"),
	      "{'n':1}", "{'n':5}");
	world_verify(*state);
}

static void test_a_function_of_a_catalog_is_kept_as_it_was_over_a_restart(void **state)
{
	world *w = *state;
	world_file(w, "lib/functions/greet/1.0.0/function.yaml",
		   "do:\n  - pause: { wait: { milliseconds: 300 } }\n  - say: { set: { text: '${ \"Hello \\(.who)\" }' } }\n");
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("'catalogs':{'team':{'endpoint':'file://./lib'}}",
						  "{'g':{'call':'greet:1.0.0@team','with':{'who':'${ .name }'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, world_json("{'name':'Ada'}"));
	world_file(w, "lib/functions/greet/1.0.0/function.yaml", "set: { text: changed }\n");
	world_stop(w);
	world_start(w);
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *data = world_event(w, run, "run.completed");
	assert_string_equal(cs_json_str(json_object_get(data, "output"), "text"), "Hello Ada");
	world_verify(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_function_gets_with_as_its_input_and_gives_its_output, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_function_checks_what_it_is_given, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_functions_call_functions_and_end_only_themselves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_function_of_a_catalog_is_kept_as_it_was_over_a_restart, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
