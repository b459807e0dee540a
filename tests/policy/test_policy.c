/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules: the first that holds decides, and what none names is as careful as its class. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "policy/policy.h"
#include "tests/json.h"

/* The answer of RULES (a JSON list, '…' for "…") to mail.send with ARGS, of which TAINTED are tainted. */
static cs_policy_verdict decide_at(const char *rules, cs_effect_class class, const char *args, const char *tainted, int64_t now)
{
	CS_AUTOFREE char *text = cs_xasprintf("[{'policy':'p','rules':%s}]", rules);
	CS_AUTOJSON json_t *docs = json_quoted(text);
	CS_AUTOJSON json_t *a = json_quoted(args);
	CS_AUTOJSON json_t *t = json_quoted(tainted);
	CS_AUTOJSON json_t *touches = json_quoted("['message','personal']");
	cs_policy *p = NULL;
	cs_err err = { 0 };
	cs_policy_verdict v;
	if (cs_policy_new(docs, &p, &err) != CS_OK)
		fail_msg("%s", err.msg);
	cs_policy_query q = { .call = "mail.send", .flow = "onboarding", .mode = "live", .touches = touches, .effect = class,
			      .args = a, .tainted = t, .now = now };
	if (cs_policy_decide(p, &q, &v, &err) != CS_OK)
		fail_msg("%s", err.msg);
	v.why = "";                  /* its words go with the rules */
	cs_policy_free(p);
	return v;
}

static cs_policy_verdict decide(const char *rules, cs_effect_class class, const char *args, const char *tainted)
{
	return decide_at(rules, class, args, tainted, 1000);
}

static void the_first_rule_that_holds_decides(void **state)
{
	(void)state;
	static const char rules[] =
		"[{'name':'other','when':{'call':'mail.read'},'then':'allow'},{'name':'no','when':{'call':'mail.*'},'then':'deny'},"
		"{'name':'yes','when':{'call':'mail.send'},'then':'allow'}]";
	cs_policy_verdict v = decide(rules, CS_EFFECT_UNSAFE, "{}", "[]");
	assert_int_equal(v.answer, CS_POLICY_DENY);
	assert_string_equal(v.rule, "policy p/no");
	assert_int_equal(strlen(v.hash), 64);
}

static void where_no_rule_holds_unsafe_asks_and_keyed_asks_when_tainted(void **state)
{
	(void)state;
	static const struct { cs_effect_class class; const char *tainted; cs_policy_answer answer; } rows[] = {
		{ CS_EFFECT_UNSAFE, "[]", CS_POLICY_ASK }, { CS_EFFECT_UNSAFE, "['to']", CS_POLICY_ASK },
		{ CS_EFFECT_KEYED, "[]", CS_POLICY_ALLOW }, { CS_EFFECT_KEYED, "['to']", CS_POLICY_ASK },
		{ CS_EFFECT_PROBE, "[]", CS_POLICY_ALLOW }, { CS_EFFECT_PROBE, "['to']", CS_POLICY_ASK },
		{ CS_EFFECT_READ, "['to']", CS_POLICY_ALLOW }, { CS_EFFECT_PURE, "['to']", CS_POLICY_ALLOW },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_policy_verdict v = decide("[]", rows[i].class, "{'to':'x'}", rows[i].tainted);
		if (v.answer != rows[i].answer || strncmp(v.rule, "default/", 8) != 0)
			fail_msg("%s tainted %s: %d by %s", cs_effect_class_name(rows[i].class), rows[i].tainted, (int)v.answer, v.rule);
	}
}

static void i16_a_rule_names_every_tainted_argument(void **state)
{
	(void)state;
	static const char rules[] = "[{'name':'text','when':{'tainted':['text','subject']},'then':'allow'}]";
	assert_int_equal(decide(rules, CS_EFFECT_UNSAFE, "{}", "['text']").answer, CS_POLICY_ALLOW);
	assert_int_equal(decide(rules, CS_EFFECT_UNSAFE, "{}", "['text','to']").answer, CS_POLICY_ASK);
	assert_int_equal(decide(rules, CS_EFFECT_UNSAFE, "{}", "['to']").answer, CS_POLICY_ASK);
	static const char clean[] = "[{'name':'clean','when':{'tainted':false},'then':'allow'}]";
	assert_int_equal(decide(clean, CS_EFFECT_UNSAFE, "{}", "[]").answer, CS_POLICY_ALLOW);
	assert_int_equal(decide(clean, CS_EFFECT_UNSAFE, "{}", "['to']").answer, CS_POLICY_ASK);
}

static void every_condition_of_a_rule_must_hold(void **state)
{
	(void)state;
	static const struct { const char *when; bool holds; } rows[] = {
		{ "{'call':'mail.send','flow':'onboarding'}", true }, { "{'call':'mail.send','flow':'other'}", false },
		{ "{'call':['x','mail.*']}", true }, { "{'mode':'simulate'}", false }, { "{'effect':'unsafe'}", true },
		{ "{'touches':'personal'}", true }, { "{'touches':['billing']}", false }, { "{'agent':'*'}", false },
		{ "{'matches':{'field':'.to','pattern':'@example[.]com$'}}", true },
		{ "{'matches':{'field':'.to','pattern':'@example[.]org$'}}", false },
		{ "{'over':{'field':'.sum','value':100}}", true }, { "{'over':{'field':'.sum','value':200}}", false },
		{ "{'over':{'field':'.to','value':1}}", true },      /* what is no number is not under any limit */
		{ "{'under':{'field':'.sum','value':200}}", true }, { "{'under':{'field':'.to','value':200}}", false },
		{ "{'phase_of_the_moon':'full'}", false }, { "{}", true },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOFREE char *rules = cs_xasprintf("[{'name':'r','when':%s,'then':'deny'}]", rows[i].when);
		cs_policy_verdict v = decide(rules, CS_EFFECT_UNSAFE, "{'to':'a@example.com','sum':150}", "[]");
		if ((v.answer == CS_POLICY_DENY) != rows[i].holds)
			fail_msg("%s %s", rows[i].when, rows[i].holds ? "does not hold" : "holds");
	}
}

static void a_rule_that_has_run_out_holds_no_more(void **state)
{
	(void)state;
	static const char rules[] = "[{'name':'r','when':{},'then':'allow','expires':'2027-03-01'}]";
	int64_t end = INT64_C(1803945599000);        /* 2027-03-01T23:59:59Z */
	assert_int_equal(decide_at(rules, CS_EFFECT_UNSAFE, "{}", "[]", end).answer, CS_POLICY_ALLOW);
	assert_int_equal(decide_at(rules, CS_EFFECT_UNSAFE, "{}", "[]", end + 1).answer, CS_POLICY_ASK);
	static const char never[] = "[{'name':'r','when':{},'then':'allow','expires':'some day'}]";
	assert_int_equal(decide(never, CS_EFFECT_UNSAFE, "{}", "[]").answer, CS_POLICY_ASK);
}

static void drafting_is_not_sending(void **state)
{
	(void)state;
	static const char rules[] = "[{'name':'no','when':{'touches':'message'},'then':'deny'}]";
	assert_int_equal(decide(rules, CS_EFFECT_PURE, "{}", "[]").answer, CS_POLICY_ALLOW);
	assert_int_equal(decide(rules, CS_EFFECT_READ, "{}", "[]").answer, CS_POLICY_ALLOW);
	static const char named[] = "[{'name':'no','when':{'effect':'read'},'then':'deny'}]";
	assert_int_equal(decide(named, CS_EFFECT_READ, "{}", "[]").answer, CS_POLICY_DENY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_holds_decides),
		cmocka_unit_test(where_no_rule_holds_unsafe_asks_and_keyed_asks_when_tainted),
		cmocka_unit_test(i16_a_rule_names_every_tainted_argument),
		cmocka_unit_test(every_condition_of_a_rule_must_hold),
		cmocka_unit_test(a_rule_that_has_run_out_holds_no_more),
		cmocka_unit_test(drafting_is_not_sending),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
