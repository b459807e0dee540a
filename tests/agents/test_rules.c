/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include "agents/rules.h"
#include "base/mem.h"
#include "tests/support/perform.h"

static cs_rules *agent;
static cs_performer rules;

static int setup(void **state)
{
	(void)state;
	agent = cs_rules_new();
	rules = cs_rules_performer(agent);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cs_rules_free(agent);
	return 0;
}

static cs_outcome *decide(const char *list, const char *input)
{
	json_t *def CS_AUTOJSON = json_pack("{s:o}", "rules", json_of(list));
	json_t *in CS_AUTOJSON = json_of(input);
	cs_err err = { 0 };
	cs_effect e = { .task = "/do/0/x", .key = "", .call = "labeller", .class = CS_EFFECT_PURE, .def = def, .input = in };
	return perform_effect(&rules, &e, &err);
}

static void gives(const char *list, const char *input, const char *want)
{
	cs_outcome *o CS_AUTOOUTCOME = decide(list, input);
	json_t *w CS_AUTOJSON = json_of(want);
	if (o->kind != CS_OUTCOME_DONE)
		fail_msg("%s: %s", input, cs_json_str(o->error, "detail"));
	if (!cs_json_equal(o->result, w))
		fail_msg("%s did not give %s", input, want);
}

static void fails(const char *list, const char *input, const char *type, const char *says)
{
	cs_outcome *o CS_AUTOOUTCOME = decide(list, input);
	assert_int_equal(o->kind, CS_OUTCOME_REJECTED);
	assert_string_equal(cs_json_str(o->error, "type") + sizeof CS_ERROR_BASE - 1, type);
	if (!strstr(cs_json_str(o->error, "detail"), says))
		fail_msg("\"%s\" does not say %s", cs_json_str(o->error, "detail"), says);
}

static void the_first_rule_that_holds_gives(void **state)
{
	(void)state;
	static const char list[] = "[{\"field\":\".subject\",\"matches\":\"(?i)\\\\binvoice\\\\b\",\"give\":{\"label\":\"billing\"}},"
		"{\"field\":\".amount\",\"over\":500,\"under\":1000,\"give\":\"large\"},"
		"{\"field\":\".tags[1].name\",\"equals\":{\"a\":1},\"give\":2},{\"give\":null}]";
	gives(list, "{\"subject\":\"Your Invoice 7\",\"amount\":600}", "{\"label\":\"billing\"}");
	gives(list, "{\"subject\":\"invoices\",\"amount\":500.5}", "\"large\"");
	gives(list, "{\"amount\":500}", "null");
	gives(list, "{\"amount\":1000}", "null");
	gives(list, "{\"amount\":\"600\"}", "null");
	gives(list, "{\"tags\":[0,{\"name\":{\"a\":1.0}}]}", "2");
	gives(list, "{\"subject\":5}", "null");
	gives(list, "[]", "null");
	gives("[{\"field\":\".\",\"equals\":3,\"give\":true},{\"give\":false}]", "3", "true");
	gives("[{\"field\":\".[0]\",\"equals\":3,\"give\":true},{\"give\":false}]", "[3]", "true");
}

static void no_rule_is_an_error_that_says_what_to_add(void **state)
{
	(void)state;
	fails("[{\"field\":\".a\",\"equals\":1,\"give\":1}]", "{}", "runtime", "only give");
}

static void a_rule_that_cannot_be_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *list, *says;
	} rows[] = {
		{ "[]", "1 to" }, { "{}", "1 to" }, { "[{\"field\":\".a\"}]", "give" }, { "[{\"field\":\".a\",\"give\":1}]", "go together" },
		{ "[{\"equals\":1,\"give\":1}]", "go together" }, { "[{\"give\":1},{\"field\":\".a\",\"matches\":\"(\",\"give\":1}]", "rule 2" },
		{ "[{\"field\":\".a\",\"matches\":5,\"give\":1}]", "pattern" }, { "[{\"field\":\".a\",\"over\":\"5\",\"give\":1}]", "number" },
		{ "[{\"field\":\"a\",\"equals\":5,\"give\":1}]", "plain path" }, { "[{\"field\":\".a|b\",\"equals\":5,\"give\":1}]", "plain path" },
		{ "[{\"field\":\".a[\",\"equals\":5,\"give\":1}]", "plain path" }, { "[{\"field\":\"..\",\"equals\":5,\"give\":1}]", "plain path" },
		{ "[{\"field\":\".a\",\"equal\":5,\"give\":1}]", "\"equal\"" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++)
		fails(rows[i].list, "{}", "configuration", rows[i].says);
}

static void a_pattern_that_searches_for_ever_is_an_error(void **state)
{
	(void)state;
	fails("[{\"field\":\".a\",\"matches\":\"^(a+)+$\",\"give\":1},{\"give\":2}]",
	      "{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}", "runtime", "rule 1");
}

static void *many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 300; i++) {
		char *list CS_AUTOFREE = cs_xasprintf("[{\"field\":\".a\",\"matches\":\"x%d\",\"give\":1},{\"give\":2}]", i);
		gives(list, "{\"a\":\"y\"}", "2");
	}
	return NULL;
}

static void threads_share_patterns(void **state)
{
	(void)state;
	pthread_t t[4];
	for (size_t i = 0; i < CS_ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, many, NULL), 0);
	for (size_t i = 0; i < CS_ARRAY_LEN(t); i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_holds_gives),
		cmocka_unit_test(no_rule_is_an_error_that_says_what_to_add),
		cmocka_unit_test(a_rule_that_cannot_be_is_named),
		cmocka_unit_test(a_pattern_that_searches_for_ever_is_an_error),
		cmocka_unit_test(threads_share_patterns),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
