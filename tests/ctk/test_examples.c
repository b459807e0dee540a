/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The specification's examples: each is checked by the program; what runs on one machine runs, with
 * stand-ins for the hosts outside, to the state and output that tests/ctk/examples.yaml gives for it,
 * once as it is and once with the engine killed at every rest; the rest is refused in plain words.
 * They are in $CAPSTAN_OPENWORKFLOW/examples, else beside the checkout. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "flow/yaml.h"
#include "tests/ctk/gherkin.h"
#include "tests/ctk/kit.h"
#include "tests/ctk/steps.h"
#include "tests/data.h"

enum { SKIPPED = 77, ROWS_MAX = 256, STEPS_MAX = 64, FILE_MAX = 1 << 20 };

/* A row of the table, acted out as a scenario. */
struct turn {
	const json_t *row;
	bool killed;
};

static char *examples;               /* the folder */
static json_t *table;
static struct turn turns[ROWS_MAX];
static struct CMUnitTest tests[ROWS_MAX];
static size_t n_tests;

static char *read_text(const char *path)
{
	CS_AUTOBUF cs_buf text;
	cs_err err = { 0 };
	cs_buf_init(&text, FILE_MAX);
	if (cs_file_read(path, &text, &err) != CS_OK)
		fail_msg("%s", err.msg);
	return cs_xstrdup(cs_buf_str(&text));
}

static void add(scenario *s, const char *text, char *doc)
{
	assert_true(s->n_steps < STEPS_MAX);
	s->steps[s->n_steps] = (step){ .text = cs_xstrdup(text), .doc = doc, .line = (unsigned)s->n_steps + 1 };
	s->n_steps++;
}

/* The step TEXT with the member KEY of the row below it, where the row has one. */
static void add_member(scenario *s, const json_t *row, const char *key, const char *text)
{
	const json_t *v = json_object_get(row, key);
	if (v != NULL)
		add(s, text, cs_json_text(v));
}

/* What the example names and leaves to the workspace; JSON is YAML. */
static void add_files(scenario *s, const json_t *row)
{
	const char *path;
	json_t *v;
	json_object_foreach(json_object_get(row, "files"), path, v) {
		CS_AUTOFREE char *text = cs_xasprintf("the workspace has a file '%s':", path);
		add(s, text, cs_json_text(v));
	}
}

/* The example starts by itself, for events or at its time; the steps that follow look at its run. */
static void add_schedule(scenario *s, const json_t *row, char *text)
{
	CS_AUTOFREE char *look = cs_xasprintf("the workflow '%s' is looked at", cs_json_str_or(row, "scheduled", ""));
	CS_AUTOFREE char *clock = cs_xasprintf("the clock moves to %s", cs_json_str_or(row, "until", ""));
	size_t i;
	json_t *event;
	add(s, "the workspace has a file 'flows/example.yaml':", text);
	add(s, "the engine serves the workspace", NULL);
	json_array_foreach(json_object_get(row, "emit"), i, event)
		add(s, "the event is emitted:", cs_json_text(event));
	if (json_object_get(row, "until") != NULL)
		add(s, clock, NULL);
	add(s, look, NULL);
}

static void add_run(scenario *s, const json_t *row)
{
	size_t i;
	json_t *event;
	add_member(s, row, "input", "given the workflow input is:");
	add(s, "the workflow is started", NULL);
	json_array_foreach(json_object_get(row, "emit"), i, event)
		add(s, "the event is emitted:", cs_json_text(event));
	add(s, "the clock runs on", NULL);
}

static void add_end(scenario *s, const json_t *row)
{
	const char *state = cs_json_str_or(row, "state", "completed");
	const char *say = strcmp(state, "waiting") == 0	  ? "the workflow should be waiting"
			  : strcmp(state, "faulted") == 0 ? "the workflow should fault"
							  : "the workflow should complete";
	CS_AUTOFREE char *waited = cs_xasprintf("the workflow should have waited %s", cs_json_str_or(row, "waited", ""));
	add(s, say, NULL);
	add_member(s, row, "output", "the workflow should complete with output:");
	add_member(s, row, "like", "the workflow output should be like:");
	add_member(s, row, "error", "the workflow should fault with error:");
	add_member(s, row, "asked", "outside should have been asked:");
	if (json_object_get(row, "waited") != NULL)
		add(s, waited, NULL);
}

static void test_example(void **state)
{
	const struct turn *t = *state;
	CS_AUTOFREE char *path = cs_path_join(examples, cs_json_str_or(t->row, "example", ""));
	scenario s = { .steps = cs_xcalloc(STEPS_MAX, sizeof(step)) };
	bool refused = json_object_get(t->row, "refused") != NULL;
	add(&s, "a workflow with definition:", read_text(path));
	add_files(&s, t->row);
	add_member(&s, t->row, "answers", "outside answers:");
	add(&s, "the workflow is checked", NULL);
	if (refused) {
		add_member(&s, t->row, "refused", "the workflow should be refused with:");
	} else {
		add(&s, "the workflow should be in order", NULL);
		if (json_object_get(t->row, "scheduled") != NULL)
			add_schedule(&s, t->row, read_text(path));
		else
			add_run(&s, t->row);
		add_end(&s, t->row);
	}
	scenario_play(&s, t->killed ? DEATHS_AT_REST : DEATHS_NONE);
	for (size_t i = 0; i < s.n_steps; i++) {
		free(s.steps[i].text);
		free(s.steps[i].doc);
	}
	free(s.steps);
}

static const json_t *row_of(const char *name)
{
	size_t i;
	json_t *row;
	json_array_foreach(table, i, row)
		if (strcmp(cs_json_str_or(row, "example", ""), name) == 0)
			return row;
	return NULL;
}

/* Nothing is passed over: each file has a row, and each row says what of the text gives its end. */
static void test_every_example_has_its_row(void **state)
{
	CS_CLEANUP(cs_strv_freep) char **names = NULL;
	cs_err err = { 0 };
	size_t i;
	json_t *row;
	(void)state;
	assert_int_equal(cs_dir_list(examples, ".yaml", &names, &err), CS_OK);
	for (size_t k = 0; names[k] != NULL; k++)
		if (row_of(names[k]) == NULL)
			fail_msg("%s has no row in tests/ctk/examples.yaml", names[k]);
	json_array_foreach(table, i, row)
		if (cs_json_str(row, "says") == NULL)
			fail_msg("the row of %s names no section", cs_json_str_or(row, "example", "?"));
}

static void add_test(const json_t *row, bool killed)
{
	if (n_tests == ROWS_MAX) {
		fprintf(stderr, "more than %d examples\n", ROWS_MAX);
		exit(1);
	}
	turns[n_tests] = (struct turn){ row, killed };
	char *name = cs_xasprintf("%s%s", cs_json_str_or(row, "example", "?"), killed ? ", killed at every rest" : "");
	tests[n_tests] = (struct CMUnitTest){ .name = name, .test_func = test_example, .initial_state = &turns[n_tests] };
	n_tests++;
}

/* Rows without a file are of examples that are not there: more may be tried than are given. */
static void add_rows(void)
{
	size_t i;
	json_t *row;
	json_array_foreach(table, i, row) {
		CS_AUTOFREE char *path = cs_path_join(examples, cs_json_str_or(row, "example", ""));
		if (access(path, R_OK) != 0)
			continue;
		add_test(row, false);
		if (json_object_get(row, "refused") == NULL)
			add_test(row, true);
	}
}

int main(int argc, char **argv)
{
	int status = 0;
	if (kit_is_engine(argc, argv, &status))
		return status;
	examples = data_path("openworkflow", "examples");
	if (access(examples, R_OK) != 0) {
		printf("skipped: the specification's examples are not in %s; name the folder in CAPSTAN_OPENWORKFLOW\n", examples);
		free(examples);
		return SKIPPED;
	}
	CS_AUTOFREE char *path = kit_path("examples.yaml"), *text = read_text(path);
	cs_err err = { 0 };
	if (cs_yaml_parse(path, text, strlen(text), &table, NULL, &err) != CS_OK) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	add_rows();
	tests[n_tests++] = (struct CMUnitTest)cmocka_unit_test(test_every_example_has_its_row);
	int failed = kit_run("examples", tests, n_tests, argc > 1 ? argv[1] : NULL);
	for (size_t i = 0; i < n_tests - 1; i++)
		free((char *)(uintptr_t)tests[i].name);
	json_decref(table);
	free(examples);
	return failed;
}
