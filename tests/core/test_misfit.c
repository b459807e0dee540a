/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data of a flow that no event can hold as it is: it faults its task, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "tests/core/sim.h"

enum { BEGUN = 1000000, SECOND = 1000 };

/* What goes into an item as it is: the inbox could not show it, and the log not take it. */
static void what_a_built_in_says_is_of_its_type_or_faults_the_task(void **state)
{
	(void)state;
	static const struct { const char *call, *with; bool good; } rows[] = {
		{ "approve", "'title':'${ .n }'", false },           { "approve", "'title':'${ .nothing }'", false },
		{ "approve", "'title':'${ .o }'", false },           { "ask", "'title':'${ .n }'", false },
		{ "notify", "'title':'${ .n }','action':'a'", false }, { "notify", "'title':'x','action':'${ .n }'", false },
		{ "notify", "'title':'x','action':'a','body':'${ .o }'", false }, { "notify", "'title':'x','action':'a','level':'${ .t }'", false },
		{ "approve", "'title':'x','summary':'${ .n }'", false }, { "approve", "'title':'x','subject':'${ .o }'", false },
		{ "approve", "'title':'x','runbook':'${ .n }'", false },
		{ "approve", "'title':'${ .t }','summary':'${ .nothing }'", true }, { "notify", "'title':'x','action':'a','body':'${ .nothing }'", true },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOFREE char *flow = cs_xasprintf("{'d':{'call':'%s','with':{%s}}}", rows[i].call, rows[i].with);
		sim s;
		sim_begin(&s, flow, "{'n':5,'o':{'a':1},'t':'text'}", CS_VERDICT_ALLOW, 0, 0);
		if (strcmp(sim_state(&s), "faulted") != 0 && !rows[i].good)
			fail_msg("%s %s", rows[i].call, rows[i].with);
		assert_int_equal(strcmp(sim_state(&s), "faulted") != 0, rows[i].good);
		if (!rows[i].good) {
			assert_int_equal(cs_json_int_or(s.run->error, "status", 0), 400);
			assert_int_equal(sim_count(&s, "approval.published"), 0);
			assert_string_equal(sim_text(&s, "item.opened", "kind"), "fault");
		}
		sim_free(&s);
	}
}

static void a_gates_title_is_a_text_or_faults_the_task(void **state)
{
	(void)state;
	sim s;
	sim_begin(&s, "{'mail':{'call':'shop.mail','with':{'to':'x'},'metadata':{'ask':{'title':'${ . }'}}}}", "{'who':'ann'}", CS_VERDICT_ASK, 0, 0);
	assert_string_equal(sim_state(&s), "faulted");
	assert_int_equal(cs_json_int_or(s.run->error, "status", 0), 400);
	assert_int_equal(sim_count(&s, "approval.published"), 0);
	sim_free(&s);
}

/* Whatever the log does not take of a task ends that task; the machine, and with it the other runs, goes on. */
static void an_event_that_does_not_fit_faults_its_task_alone(void **state)
{
	(void)state;
	static const struct { const char *misfit, *flow; } rows[] = {
		{ "approval.published", "{'call':'approve','with':{'title':'x'}}" },
		{ "item.opened", "{'call':'notify','with':{'title':'x','action':'a'}}" },
		{ "event.emitted", "{'emit':{'event':{'with':{'type':'a.b'}}}}" },
		{ "attempt.intent", "{'call':'shop.mail','with':{'to':'a'}}" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOFREE char *flow = cs_xasprintf("{'w':{'wait':{'seconds':1}}},{'t':{'try':[{'d':%s}],'catch':{'as':'e','do':["
						      "{'c':{'set':{'why':'${ $e.detail }'}}}]}}}", rows[i].flow);
		sim s;
		sim_new(&s, flow, "{}");
		s.misfit = rows[i].misfit;
		sim_at(&s, BEGUN + SECOND);
		assert_string_equal(sim_state(&s), "completed");
		assert_int_equal(sim_count(&s, "task.faulted"), 1);
		assert_int_equal(sim_count(&s, rows[i].misfit), 0);
		CS_AUTOFREE char *said = cs_json_text(s.log);
		assert_non_null(strstr(said, "has no text title; correct what the task is given"));
		sim_crash(&s);
		assert_string_equal(sim_state(&s), "completed");
		sim_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_built_in_says_is_of_its_type_or_faults_the_task),
		cmocka_unit_test(a_gates_title_is_a_text_or_faults_the_task),
		cmocka_unit_test(an_event_that_does_not_fit_faults_its_task_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
