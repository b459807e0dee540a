/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Agents of kind text on the real engine: pure, pinned, the same after a restart and in a replay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "tests/support/acts.h"

static const char flow[] =
	"document: { dsl: '1.0.3', namespace: test, name: letter, version: '1.0.0' }\n"
	"do:\n"
	"  - well: { call: approve, with: { title: Well? } }\n"
	"  - write: { call: letter, with: { name: '${ $start.name }', n: 2 } }\n";

static int set_up(void **state)
{
	world *w = world_for(state, NULL);
	world_file(w, "agents/letter.yaml", "agent: letter\nkind: text\ninput: { type: object, required: [ name ] }\noutput: { type: string, minLength: 4 }\ntext: { file: prompts/letter.md }\n");
	world_file(w, "prompts/letter.md", "Dear ${ .name },\n${ [range(.n)] | length } things.\n");
	world_file(w, "flows/letter.yaml", flow);
	return 0;
}

static void accept_all(world *w)
{
	CS_AUTOJSON json_t *item = world_item(w);
	CS_AUTOJSON json_t *ok = world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve"));
	assert_non_null(ok);
}

static void assert_letter(world *w, const char *run, const char *text)
{
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	CS_AUTOJSON json_t *done = world_event(w, run, "run.completed");
	if (done == NULL) {
		CS_AUTOJSON json_t *fault = world_event(w, run, "run.faulted");
		CS_AUTOFREE char *why = cs_json_text(fault);
		fail_msg("%s %s", cs_json_str_or(row, "state", ""), why);
	}
	assert_string_equal(cs_json_str_or(done, "output", ""), text);
}

static void test_a_text_is_pinned_over_reload_and_restart(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOFREE char *run = world_run(w, "letter", NULL, world_json("{'name':'Ada'}"));
	CS_AUTOJSON json_t *asked = world_item(w);
	assert_non_null(asked);
	world_file(w, "prompts/letter.md", "Hello ${ .name }!");
	CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s}", "cmd", "reload"));
	assert_non_null(ok);
	world_stop(w);
	world_start(w);
	accept_all(w);
	assert_letter(w, run, "Dear Ada,\n2 things.\n");
	CS_AUTOFREE char *next = world_run(w, "letter", NULL, world_json("{'name':'Bo'}"));
	accept_all(w);
	assert_letter(w, next, "Hello Bo!");
	world_verify(w);
}

static void test_a_replay_makes_the_text_anew_where_its_input_changed(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOFREE char *run = world_run(w, "letter", NULL, world_json("{'name':'Ada'}"));
	accept_all(w);
	assert_letter(w, run, "Dear Ada,\n2 things.\n");
	CS_AUTOJSON json_t *same = world_ask(w, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
	assert_letter(w, cs_json_str(same, "run"), "Dear Ada,\n2 things.\n");
	CS_AUTOJSON json_t *other = world_ask(w, json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "cmd", "replay", "run", run, "set", "path", "name", "value", "Cy"));
	assert_letter(w, cs_json_str(other, "run"), "Dear Cy,\n2 things.\n");
	world_verify(w);
}

static void test_a_text_is_held_to_its_schemas(void **state)
{
	world *w = *state;
	world_file(w, "prompts/letter.md", "${ .name }");
	world_start(w);
	CS_AUTOFREE char *run = world_run(w, "letter", NULL, world_json("{'name':'Ada'}"));
	accept_all(w);
	CS_AUTOJSON json_t *row = world_await(w, run, "faulted");
	assert_non_null(strstr(cs_json_str_or(row, "error_title", ""), "alid"));
	world_verify(w);
}

static void test_an_expression_that_fails_is_the_task_s_error(void **state)
{
	world *w = *state;
	world_file(w, "prompts/letter.md", "${ .name + 1 }");
	world_start(w);
	CS_AUTOFREE char *run = world_run(w, "letter", NULL, world_json("{'name':'Ada'}"));
	accept_all(w);
	CS_AUTOJSON json_t *row = world_await(w, run, "faulted");
	CS_AUTOJSON json_t *data = world_event(w, run, "run.faulted");
	assert_non_null(row);
	assert_non_null(strstr(cs_json_str_or(json_object_get(data, "error"), "type", ""), "/expression"));
	world_verify(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_text_is_pinned_over_reload_and_restart, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_replay_makes_the_text_anew_where_its_input_changed, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_text_is_held_to_its_schemas, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_an_expression_that_fails_is_the_task_s_error, set_up, world_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
