/* SPDX-License-Identifier: GPL-3.0-or-later */
/* use.extensions: what stands before and after a task, as dsl-reference.md says under "Extension". */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "tests/core/sim.h"
#include "tests/json.h"

#define NOTE(word) "{'note':{'set':{'now':'" word "'},'export':{'as':{'said':'${ [ $context.said, \\'" word "\\', $task.reference ] }'}}}}"

static void assert_json(const json_t *have, const char *want)
{
	CS_AUTOJSON json_t *w = json_quoted(want);
	CS_AUTOFREE char *text = have != NULL ? cs_json_text(have) : NULL;
	if (!json_equal((json_t *)(uintptr_t)have, w))
		fail_msg("%s\nis not\n%s", text != NULL ? text : "nothing", want);
}

/* The references of the tasks that ended so, in order. */
static void assert_ended(const sim *s, const char *type, const char *want)
{
	CS_AUTOJSON json_t *refs = json_array();
	size_t i;
	json_t *row;
	json_array_foreach(s->log, i, row)
		if (strcmp(cs_json_str(row, "type"), type) == 0)
			json_array_append(refs, json_object_get(row, "task"));
	assert_json(refs, want);
}

static void both_lists_run_around_the_task_and_change_no_data(void **state)
{
	(void)state;
	sim s;
	sim_new_using(&s, "{'extensions':[{'log':{'extend':'set','before':[" NOTE("in") "],'after':[" NOTE("out") "]}}]}",
		      "{'a':{'set':{'x':'${ .n }'},'output':{'as':{'y':'${ .x }'}}}}", "{'n':5}");
	assert_string_equal(sim_state(&s), "completed");
	assert_json(s.run->output, "{'y':5}");
	assert_json(s.run->context, "{'said':[[null,'in','/do/0/a'],'out','/do/0/a']}");
	assert_ended(&s, "task.completed", "['/do/0/a/extensions/log/before/0/note','/do/0/a/extensions/log/before','/do/0/a',"
					   "'/do/0/a/extensions/log/after/0/note','/do/0/a/extensions/log/after','/do/0/a/extensions/log']");
	sim_free(&s);
}

static void only_its_kind_of_task_is_extended_and_no_extension_is(void **state)
{
	(void)state;
	static const struct { const char *extend; int times; } kinds[] = {
		{ "set", 2 }, { "composite", 1 }, { "wait", 0 }, { "all", 4 }, { "for", 1 }, { "call", 0 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++) {
		CS_AUTOFREE char *use = cs_xasprintf("{'extensions':[{'e':{'extend':'%s','before':[" NOTE("in") "]}}]}", kinds[i].extend);
		sim s;
		sim_new_using(&s, use, "{'d':{'do':[{'a':{'set':{'x':1}}},{'f':{'for':{'in':'[ 1 ]'},'do':[{'b':{'set':{'x':2}}}]}}]}}", "{}");
		assert_string_equal(sim_state(&s), "completed");
		CS_AUTOFREE char *log = cs_json_text(s.log);
		int times = 0;
		for (const char *p = log; (p = strstr(p, "/extensions/e/before/0/note")) != NULL; p++)
			times++;
		assert_int_equal(times, kinds[i].times);
		sim_free(&s);
	}
}

static void when_is_looked_at_once_for_both_lists_and_sees_the_task(void **state)
{
	(void)state;
	static const struct { const char *when, *context; } ways[] = {
		{ "$task.name == \\'a\\'", "{'said':[[null,'in','/do/0/a'],'out','/do/0/a']}" },
		{ "$task.set.x == 1 and .n == 5", "{'said':[[null,'in','/do/0/a'],'out','/do/0/a']}" },
		{ "$task.name == \\'b\\'", "{'n':5}" },
		{ "$context.said == null and $task.input.n == 5", "{'said':[[null,'in','/do/0/a'],'out','/do/0/a']}" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(ways); i++) {
		CS_AUTOFREE char *use = cs_xasprintf("{'extensions':[{'log':{'extend':'set','when':'%s','before':[" NOTE("in") "],'after':[" NOTE("out") "]}}]}",
						     ways[i].when);
		sim s;
		sim_new_using(&s, use, "{'a':{'set':{'x':1}}}", "{'n':5}");
		assert_string_equal(sim_state(&s), "completed");
		assert_json(s.run->context, ways[i].context);
		sim_free(&s);
	}
}

static void exit_before_the_task_gives_its_output_and_the_task_never_begins(void **state)
{
	(void)state;
	sim s;
	sim_new_using(&s,
		"{'extensions':[{'out':{'extend':'call','before':[" NOTE("in") "],'after':[" NOTE("out") "]}},"
		"{'mock':{'extend':'call','when':'$task.call == \\'shop.mail\\'','before':[{'m':{'set':{'id':7,'n':'${ .n }'},'then':'exit'}},"
		"{'no':{'set':{'id':8}}}],'after':[{'no':{'set':{'x':1}}}]}}]}",
		"{'a':{'call':'shop.mail','with':{'to':'x'},'output':{'as':{'got':'${ .id }','of':'${ .n }'}},'export':{'as':{'said':'${ . }'}},'then':'z'}},"
		"{'b':{'set':{'wrong':true}}},{'z':{'set':{'end':'${ . }','t':'${ $tasks.a }'}}}", "{'n':5}");
	assert_string_equal(sim_state(&s), "completed");
	assert_int_equal(s.dispatched, 0);
	assert_json(s.run->output, "{'end':{'got':7,'of':5},'t':{'got':7,'of':5}}");
	assert_json(s.run->context, "{'said':[{'got':7,'of':5},'out','/do/0/a']}");
	sim_free(&s);
}

static void a_task_that_is_skipped_is_not_extended_and_its_if_is_first(void **state)
{
	(void)state;
	sim s;
	sim_new_using(&s, "{'extensions':[{'log':{'extend':'all','before':[" NOTE("in") "]}}]}",
		      "{'a':{'if':'.n == 1','set':{'x':1}}},{'f':{'fork':{'compete':true,'branches':[{'p':{'if':'.n == 1','set':{'x':1}}},{'q':{'wait':'PT1H'}}]}}}",
		      "{'n':5}");
	assert_ended(&s, "task.skipped", "['/do/0/a','/do/1/f/fork/branches/0/p']");
	assert_string_equal(sim_state(&s), "completed");
	sim_free(&s);
}

static void where_a_task_leads_counts_when_its_after_is_over(void **state)
{
	(void)state;
	sim s;
	sim_new_using(&s, "{'extensions':[{'o':{'extend':'switch','after':[" NOTE("out") "]}},{'i':{'extend':'all','after':[" NOTE("in") "]}}]}",
		      "{'a':{'switch':[{'k':{'when':'.n == 5','then':'c'}}]}},{'b':{'set':{'wrong':1}}},{'c':{'set':{'right':1},'then':'end'}},{'d':{'set':{'wrong':2}}}",
		      "{'n':5}");
	assert_string_equal(sim_state(&s), "completed");
	assert_json(s.run->output, "{'right':1}");
	assert_json(s.run->context, "{'said':[[[null,'in','/do/0/a'],'out','/do/0/a'],'in','/do/2/c']}");
	sim_free(&s);
}

static void a_fault_in_an_extension_is_the_tasks_and_retry_begins_where_it_stood(void **state)
{
	(void)state;
	sim s;
	sim_new_using(&s, "{'extensions':[{'guard':{'extend':'set','before':[{'look':{'call':'shop.look','with':{'to':'x'}}}],'after':[{'mail':{'call':'shop.mail','with':{'to':'y'}}}]}}]}",
		      "{'t':{'try':[{'a':{'set':{'x':1}}}],'catch':{'errors':{'with':{'status':500}},'do':[{'n':{'call':'notify','with':{'title':'x','body':'y','action':'none'}}}]}}}", "{}");
	assert_int_equal(s.dispatched, 1);
	sim_outcome(&s, CS_OUTCOME_REJECTED, NULL);
	assert_string_equal(sim_state(&s), "faulted");
	assert_ended(&s, "task.faulted", "['/do/0/t/try/0/a/extensions/guard/before/0/look']");
	assert_int_equal(sim_control(&s, "retry"), CS_OK);
	sim_crash(&s);
	assert_int_equal(s.dispatched, 3);
	sim_outcome(&s, CS_OUTCOME_DONE, "{}");
	assert_int_equal(s.dispatched, 4);
	sim_crash(&s);                                  /* an unsafe effect of an extension is in doubt like any other */
	assert_string_equal(sim_state(&s), "waiting");
	assert_string_equal(sim_item(&s)->kind, "in-doubt");
	assert_int_equal(sim_decide(&s, "{'verb':'resolve','how':'happened','value':{}}"), CS_OK);
	assert_string_equal(sim_state(&s), "completed");
	assert_json(s.run->output, "{'x':1}");
	sim_free(&s);
}

static void what_an_extension_did_is_no_task_of_the_flow(void **state)
{
	(void)state;
	sim s;
	sim_new_using(&s, "{'extensions':[{'log':{'extend':'set','when':'$task.name == \\'a\\'','before':[{'b':{'set':{'x':'from the extension'}}}]}}]}",
		      "{'a':{'set':{'x':1}}},{'c':{'set':{'seen':'${ $tasks.b }','all':'${ $tasks.a.x }'}}},{'b':{'set':{'ok':'${ .seen }','all':'${ .all }'}}}", "{}");
	assert_string_equal(sim_state(&s), "completed");
	assert_json(s.run->output, "{'ok':null,'all':1}");
	sim_free(&s);
}

/* An answer leads back past the extensions of both tasks, and its rounds are counted all the same. */
static void an_answer_goes_back_through_extensions_and_its_rounds_count(void **state)
{
	(void)state;
	sim s;
	sim_new_using(&s, "{'extensions':[{'log':{'extend':'all','before':[" NOTE("in") "],'after':[" NOTE("out") "]}}]}",
		      "{'draft':{'set':{'n':'${ .n }','note':'${ $tasks.ok.note }'}}},{'ok':{'call':'approve','with':{'title':'T','show':'${ . }','back':'draft','rounds':1}}}", "{'n':5}");
	assert_int_equal(sim_decide(&s, "{'verb':'respond','value':'shorter','note':'shorter'}"), CS_OK);
	sim_crash(&s);
	assert_string_equal(sim_state(&s), "waiting");
	assert_json(json_object_get(sim_item(&s)->published, "value"), "{'n':5,'note':'shorter'}");
	assert_int_equal(cs_json_int_or(sim_item(&s)->published, "round", 0), 2);
	sim_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_lists_run_around_the_task_and_change_no_data),
		cmocka_unit_test(only_its_kind_of_task_is_extended_and_no_extension_is),
		cmocka_unit_test(when_is_looked_at_once_for_both_lists_and_sees_the_task),
		cmocka_unit_test(exit_before_the_task_gives_its_output_and_the_task_never_begins),
		cmocka_unit_test(a_task_that_is_skipped_is_not_extended_and_its_if_is_first),
		cmocka_unit_test(where_a_task_leads_counts_when_its_after_is_over),
		cmocka_unit_test(a_fault_in_an_extension_is_the_tasks_and_retry_begins_where_it_stood),
		cmocka_unit_test(an_answer_goes_back_through_extensions_and_its_rounds_count),
		cmocka_unit_test(what_an_extension_did_is_no_task_of_the_flow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
