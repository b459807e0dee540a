/* SPDX-License-Identifier: GPL-3.0-or-later */
/* workflows/agency, the workspace that we ship: it is held to what it says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "flow/workspace.h"
#include "tests/data.h"

static char *agency_dir(void)
{
	const char *tree = getenv("CS_TEST_SRCDIR");
	return cs_path_join(tree ? tree : ".", "workflows/agency");
}

static cs_workspace *agency(void)
{
	char *dir CS_AUTOFREE = agency_dir();
	cs_workspace *w = NULL;
	cs_diags d;
	cs_err err = { 0 };
	cs_diags_init(&d);
	int r = cs_workspace_load(dir, false, &d, &w, &err);
	for (size_t i = 0; i < d.n; i++)
		print_error("%s:%u:%u: %s\n", d.items[i].file, d.items[i].line, d.items[i].col, d.items[i].message);
	assert_int_equal(d.n, 0);
	cs_diags_fini(&d);
	if (r < 0)
		fail_msg("%s", err.msg);
	return w;
}

static const cs_flow *onboarding(const cs_workspace *w)
{
	const cs_flow *f = cs_workspace_flow(w, "client-onboarding");
	assert_non_null(f);
	return f;
}

static unsigned calls_of(const cs_flow *f, const char *name)
{
	unsigned n = 0;
	for (int i = 0; i < f->n_tasks; i++)
		n += f->tasks[i].call && strcmp(f->tasks[i].call, name) == 0;
	return n;
}

static void it_loads_without_a_finding_and_simulates(void **state)
{
	(void)state;
	cs_workspace *w = agency();
	const char *name;
	json_t *connector;
	assert_false(w->live_wish);
	json_object_foreach(w->connectors, name, connector)
		assert_string_equal(cs_json_str_or(connector, "mode", "unsaid"), "dry");
	cs_workspace_free(w);
}

static void one_flow_uses_all_five_agents(void **state)
{
	(void)state;
	static const char *const roles[] = { "intake", "qualification", "billing", "content", "delivery" };
	cs_workspace *w = agency();
	const cs_flow *f = onboarding(w);
	for (size_t i = 0; i < CS_ARRAY_LEN(roles); i++) {
		const cs_function *role = cs_workspace_function(w, roles[i]);
		assert_non_null(role);
		assert_int_equal(role->kind, CS_FUNCTION_AGENT);
		assert_true(calls_of(f, roles[i]) > 0);
	}
	assert_int_equal(calls_of(f, "approve"), 1);
	assert_true(calls_of(f, "mail.send") > 0);
	assert_int_equal(calls_of(f, "billing.create"), 1);
	cs_workspace_free(w);
}

static bool has_fixture(const cs_workspace *w, const char *function)
{
	size_t i;
	json_t *doc;
	json_array_foreach(w->fixtures, i, doc)
		if (strcmp(cs_json_str_or(doc, "function", ""), function) == 0)
			return true;
	return false;
}

static void what_is_not_a_rule_has_answers_and_what_asks_has_a_runbook(void **state)
{
	(void)state;
	cs_workspace *w = agency();
	for (size_t i = 0; i < w->n_functions; i++) {
		const cs_function *fn = w->functions[i];
		if (strcmp(fn->performer, "rules") != 0 && !has_fixture(w, fn->name))
			fail_msg("%s has no answers in fixtures/", fn->name);
	}
	for (size_t k = 0; k < w->n_flows; k++) for (int i = 0; i < w->flows[k]->n_tasks; i++) {
		const cs_task *t = &w->flows[k]->tasks[i];
		const json_t *with = json_object_get(t->def, "with"), *ask = json_object_get(t->metadata, "ask");
		const char *name = cs_json_str(ask, "runbook") ? cs_json_str(ask, "runbook") : cs_json_str(with, "runbook");
		char *text CS_AUTOFREE = name ? cs_workspace_runbook(w, name) : NULL;
		if (name && !text)
			fail_msg("%s names the runbook %s, which is not there", t->ref, name);
	}
	cs_workspace_free(w);
}

/* Every line of the week is an input that the flow takes. */
static void its_inputs_pass_the_flows_own_schema(void **state)
{
	(void)state;
	cs_workspace *w = agency();
	const cs_flow *f = onboarding(w);
	char *path CS_AUTOFREE = cs_path_join(w->dir, "inputs/week.jsonl");
	cs_buf text CS_AUTOBUF;
	cs_err err = { 0 };
	unsigned n = 0;
	cs_buf_init(&text, 1 << 16);
	assert_int_equal(cs_file_read(path, &text, &err), CS_OK);
	for (const char *line = cs_buf_str(&text); *line; n++) {
		size_t len = strcspn(line, "\n");
		json_t *input CS_AUTOJSON = NULL;
		assert_int_equal(cs_json_parse(line, len, &input, &err), CS_OK);
		assert_true(cs_schema_valid(f->input_schema, input));
		line += len + (line[len] == '\n');
	}
	assert_true(n >= 5);
	cs_workspace_free(w);
}

static json_t *of_the_standard(const char *name)
{
	char *path CS_AUTOFREE = data_path_or_skip("openworkflow", name);
	json_t *doc = NULL;
	cs_source *src CS_CLEANUP(cs_source_freep) = NULL;
	cs_err err = { 0 };
	if (cs_yaml_load(path, NULL, &doc, &src, &err) < 0)
		fail_msg("%s", err.msg);
	return doc;
}

static void its_flows_pass_the_standards_own_schema(void **state)
{
	(void)state;
	json_t *document CS_AUTOJSON = of_the_standard("schema/workflow.yaml");
	cs_workspace *w = agency();
	cs_schema *schema CS_CLEANUP(cs_schema_freep) = NULL;
	cs_schema_error *errors = NULL;
	size_t n = 0;
	cs_err err = { 0 };
	if (cs_schema_new(document, CS_SCHEMA_2020_12, NULL, &schema, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(w->n_flows, 4);
	for (size_t k = 0; k < w->n_flows; k++) {
		int r = cs_schema_check(schema, w->flows[k]->def, 5, &errors, &n, &err);
		for (size_t i = 0; i < n; i++)
			print_error("%s: %s %s\n", w->flows[k]->name, errors[i].instance, errors[i].message);
		cs_schema_errors_free(errors, n);
		assert_int_equal(r, 1);
	}
	json_t *broken CS_AUTOJSON = json_deep_copy(onboarding(w)->def);
	json_object_set_new(json_object_get(broken, "document"), "colour", json_string("blue"));
	assert_int_equal(cs_schema_check(schema, broken, 0, NULL, NULL, &err), 0);
	cs_workspace_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_loads_without_a_finding_and_simulates),
		cmocka_unit_test(one_flow_uses_all_five_agents),
		cmocka_unit_test(what_is_not_a_rule_has_answers_and_what_asks_has_a_runbook),
		cmocka_unit_test(its_inputs_pass_the_flows_own_schema),
		cmocka_unit_test(its_flows_pass_the_standards_own_schema),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
