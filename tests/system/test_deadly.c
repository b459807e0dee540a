/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expressions that take libjq down, never end, eat memory or look outside: each faults its task
 * with an `expression` error, the runs beside it go on, and nothing of the environment leaks. */
#include "tests/system/live.h"

#include <stdio.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"

static const char canary[] = "ca7a51e0f00dbeef";

/* Those that must fault; each kills, hangs or looks outside. */
static const char *const deadly[] = {
	"nan|todate", "[range(1e12)]|last", "infinite|todate", "\"a\"|indices(\"\")",
	"[.]|until(false; .)", "def f: f; f", "reduce range(1e12) as $i (0; . + $i)",
	"[limit(100000000; repeat(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"))]|length",
	"reduce range(300000) as $i (null; [.])", "null|.[2147483646] = 1", "(\"x\" * 100000) * 100000 | length",
	"error(\"on purpose\")", "error(null)", "{} + 1", "first(empty)",
	"env", "env.CAPSTAN_CANARY", "$ENV", "$ENV.CAPSTAN_CANARY", "env|tostring", "\"\\(env)\"", "[env]|map(keys)",
	"$ENV|keys", "input", "[inputs]", "input_filename", "halt", "halt_error", "debug", "now", "$__prog_args",
	"get_search_list", "modulemeta", "\"a\"|ltrimstr(env)", "getpath([\"a\"]) = env",
};

/* Whether it faults when it runs or is refused before: an expression error, never a value. */
static void assert_deadly(live *v, const char *text)
{
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'a':{'set':{'n':1}}}"));
	CS_AUTOFREE char *whole = cs_xasprintf("${ %s }", text);
	json_t *set = cs_json_pointer(doc, "/do/0/a/set");
	json_object_set_new(set, "n", json_string(whole));
	CS_AUTOJSON json_t *reply = world_try(&v->w, json_pack("{s:s, s:O, s:{}}", "cmd", "run", "definition", doc, "input"));
	const char *refused = json_string_value(cs_json_get_path(reply, "error.message"));
	if (refused != NULL) {
		if (strstr(refused, "does not load") == NULL)
			fail_msg("%s: refused with: %s", text, refused);
		return;
	}
	const char *run = json_string_value(cs_json_get_path(reply, "ok.run"));
	json_decref(world_await(&v->w, run, "completed faulted"));
	CS_AUTOJSON json_t *end = live_end(v, run);
	CS_AUTOFREE char *said = cs_json_text(end);
	const char *type = json_string_value(cs_json_get_path(end, "error.type"));
	if (type == NULL || strstr(type, "/expression") == NULL)
		fail_msg("%s: %s", text, said);
	if (strstr(said, canary) != NULL)
		fail_msg("%s: the environment leaks: %s", text, said);
}

static void test_each_faults_its_task_and_nothing_else_suffers(void **state)
{
	live *v = *state;
	for (size_t i = 0; i < CS_ARRAY_LEN(deadly); i++) {
		CS_AUTOFREE char *beside = live_run(v, FLOW("{'s':{'set':{'n':'${ [.l[] | . + 1] | add }'}}},{'p':{'call':'shop.post','with':{'n':'${ .n }'}}},"
							    "{'e':{'set':{'ok':'${ [.ok] | all }'}}}"), "{'l':[1,2,3]}");
		assert_deadly(v, deadly[i]);
		CS_AUTOJSON json_t *end = live_end(v, beside);
		CS_AUTOFREE char *text = cs_json_text(end);
		if (!json_is_true(cs_json_get_path(end, "output.ok")))
			fail_msg("beside %s: %s", deadly[i], text);
	}
	json_decref(live_sent(v, "/post/9", CS_ARRAY_LEN(deadly)));
}

/* A try takes it like any other error. */
static void test_a_deadly_expression_is_caught_by_a_try(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'t':{'try':[{'a':{'set':{'n':'${ nan|todate }'}}}],'catch':{'errors':{'with':{'type':"
						 "'https://open-workflow-specification.org/spec/1.0.0/errors/expression'}},'as':'e','do':[{'h':{'set':{'at':'${ $e.instance }'}}}]}}}"), "{}");
	CS_AUTOJSON json_t *end = live_end(v, run);
	assert_string_equal(json_string_value(cs_json_get_path(end, "output.at")), "/do/0/t/try/0/a");
}

/* Many at once: the children are killed and replaced, and those behind them are answered. */
static void test_many_at_once_do_not_starve_the_others(void **state)
{
	live *v = *state;
	char *bad[6];
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++)
		bad[i] = live_run(v, FLOW("{'a':{'set':{'n':'${ [range(1e12)] | last }'}}}"), "{}");
	CS_AUTOFREE char *good = live_run(v, FLOW("{'a':{'set':{'n':'${ [.l[] | . * 2] | add }'}}}"), "{'l':[1,2]}");
	json_decref(world_await(&v->w, good, "completed"));
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++) {
		json_decref(world_await(&v->w, bad[i], "faulted"));
		free(bad[i]);
	}
}

/* The engine ends while expressions run: it does not wait for them for ever, and they find nothing
 * gone that they still use. */
static void test_an_engine_ends_while_expressions_run(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *a = live_run(v, FLOW("{'a':{'set':{'n':'${ [range(1e12)] | last }'}}}"), "{}");
	CS_AUTOFREE char *b = live_run(v, FLOW("{'a':{'set':{'n':'${ [.] | until(false; .) }'}}}"), "{}");
	world_stop(&v->w);
	world_start(&v->w);
	json_decref(world_await(&v->w, a, "faulted"));
	json_decref(world_await(&v->w, b, "faulted"));
}

/* I14, as far as expressions go: what stands in the environment is in no file of the workspace. */
static void test_the_environment_is_in_no_file(void **state)
{
	live *v = *state;
	static const char *const names[] = { "capstan.db", "capstan.db-wal", "anchor" };
	for (size_t i = 0; i < CS_ARRAY_LEN(deadly); i++)
		if (strstr(deadly[i], "env") != NULL || strstr(deadly[i], "ENV") != NULL)
			assert_deadly(v, deadly[i]);
	size_t read = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		CS_AUTOFREE char *path = cs_xasprintf("%s/%s/%s", v->w.dir, CS_STATE_DIR, names[i]);
		CS_AUTOBUF cs_buf bytes;
		cs_buf_init(&bytes, (size_t)64 << 20);
		if (!cs_file_exists(path))
			continue;
		assert_int_equal(cs_file_read(path, &bytes, NULL), CS_OK);
		read += bytes.len;
		if (memmem(bytes.data, bytes.len, canary, sizeof canary - 1) != NULL)
			fail_msg("the environment is in %s", path);
	}
	assert_true(read > 10000);
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, live_set_up, live_tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(test_each_faults_its_task_and_nothing_else_suffers),
		LIVE(test_a_deadly_expression_is_caught_by_a_try),
		LIVE(test_many_at_once_do_not_starve_the_others),
		LIVE(test_an_engine_ends_while_expressions_run),
		LIVE(test_the_environment_is_in_no_file),
	};
	setenv("CAPSTAN_CANARY", canary, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
