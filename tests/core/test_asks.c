/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a gate and a decision ask, and what ends them: grace against expiry, pauses, and the end of
 * the flow elsewhere. The machine alone, on a clock that the test sets. */
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

enum { BEGUN = 1000000, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

#define MAIL "{'m':{'call':'shop.mail','with':{'to':'x'}}}"
#define SLOW_PAIR(first) "{'f':{'fork':{'branches':[{'a':{'do':[" first ",{'e':{'set':{'x':1},'then':'end'}}]}},{'b':" \
	"{'do':[" MAIL ",{'n':{'set':{'y':1}}}]}}]}}},{'z':{'set':{'z':1}}}"
#define ONCE_SAID "{'d':{'call':'approve','with':{'title':'end it?'}}}"

#define TRIES_LATER "{'b':{'try':[{'r':{'raise':{'error':{'type':'https://serverlessworkflow.io/spec/1.0.0/errors/runtime'," \
	"'status':500}}}}],'catch':{'retry':{'delay':'PT1H'}}}}"

/* A run of FLOW whose effects ask. */
static void asking(sim *s, const char *flow, int64_t grace, int64_t expire)
{
	sim_begin(s, flow, "{}", CS_VERDICT_ASK, grace, expire);
}

/* ---- the end of the flow elsewhere ---------------------------------------------------------------------- */

static const cs_item *item_at(const sim *s, const char *name)
{
	for (size_t i = 0; i < s->run->n_items; i++) {
		const cs_item *item = s->run->items[i];
		if (item->task >= 0 && strcmp(s->flow->tasks[item->task].name, name) == 0)
			return item;
	}
	return NULL;
}

static int answer(sim *s, const char *task, const char *verb)
{
	const cs_item *item = item_at(s, task);
	char id[CS_ID_SIZE], next[CS_ID_SIZE];
	assert_non_null(item);
	memcpy(id, item->id, sizeof id);
	CS_AUTOJSON json_t *d = json_pack("{s:s}", "verb", verb);
	cs_err err = { 0 };
	s->step.actor = "operator:test";
	int rc = cs_run_decide(s->run, &s->step, id, d, next, &err);
	s->step.actor = NULL;
	sim_step(s);
	return rc;
}

static void a_branch_that_ends_the_flow_withdraws_what_the_others_ask(void **state)
{
	(void)state;
	for (int crash = 0; crash < 2; crash++) {
		sim s;
		asking(&s, SLOW_PAIR(ONCE_SAID), 0, 0);
		assert_int_equal((int)s.run->n_items, 2);
		if (crash)
			sim_crash(&s);
		assert_int_equal(answer(&s, "d", "approve"), CS_OK);
		assert_int_equal(sim_count(&s, "approval.withdrawn"), 1);
		assert_int_equal((int)s.run->n_items, 0);
		assert_int_equal(s.dispatched, 0);
		assert_string_equal(sim_state(&s), "completed");
		assert_int_equal(sim_count(&s, "task.cancelled"), 2);       /* m, and what it stands in */
		assert_string_equal(sim_text(&s, "task.completed", "none"), "");
		sim_free(&s);
	}
}

/* Approved, its grace runs, and the flow ends: it is not sent. */
static void an_approval_whose_flow_ends_within_its_grace_sends_nothing(void **state)
{
	(void)state;
	sim s;
	asking(&s, SLOW_PAIR(ONCE_SAID), 30 * SECOND, 0);
	assert_int_equal(answer(&s, "d", "approve"), CS_OK);
	sim_at(&s, BEGUN + 20 * SECOND);
	assert_int_equal(answer(&s, "m", "approve"), CS_OK);
	sim_at(&s, BEGUN + 30 * SECOND);                 /* the decision takes effect, and ends the flow */
	assert_string_equal(sim_state(&s), "completed");
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(sim_count(&s, "attempt.intent"), 0);
	assert_int_equal(sim_count(&s, "approval.withdrawn"), 1);
	sim_free(&s);
}

/* What is outside already is awaited, and its answer is kept. */
static void a_branch_that_ends_the_flow_awaits_what_is_outside(void **state)
{
	(void)state;
	sim s;
	asking(&s, SLOW_PAIR(ONCE_SAID), 0, 0);
	assert_int_equal(answer(&s, "m", "approve"), CS_OK);
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(answer(&s, "d", "approve"), CS_OK);
	assert_string_equal(sim_state(&s), "running");
	sim_outcome(&s, CS_OUTCOME_DONE, "{'id':7}");
	assert_string_equal(sim_state(&s), "completed");
	assert_int_equal(sim_count(&s, "task.cancelled"), 0);
	assert_int_equal(sim_count(&s, "attempt.done"), 1);
	sim_free(&s);
}

static void waits_and_listeners_end_with_the_flow(void **state)
{
	(void)state;
	static const char *const others[] = {
		"{'b':{'wait':'PT1H'}}", "{'b':{'listen':{'to':{'one':{'with':{'type':'a'}}}}}}",
		"{'b':{'do':[{'c':{'fork':{'branches':[{'p':{'wait':'PT1H'}},{'q':{'wait':'PT2H'}}]}}}]}}",
		TRIES_LATER,
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(others); i++) {
		CS_AUTOFREE char *flow = cs_xasprintf("{'f':{'fork':{'branches':[{'a':{'do':[" ONCE_SAID ",{'e':{'set':{'x':1},'then':'end'}}]}},%s]}}}", others[i]);
		sim s;
		asking(&s, flow, 0, 0);
		assert_int_equal(answer(&s, "d", "approve"), CS_OK);
		if (strcmp(sim_state(&s), "completed") != 0)
			fail_msg("%s: %s", others[i], sim_state(&s));
		sim_free(&s);
	}
}

/* ---- expiry, grace, pauses --------------------------------------------------------------------------------- */

static void an_approval_in_time_takes_effect_before_the_expiry(void **state)
{
	(void)state;
	sim s;
	asking(&s, MAIL, 30 * SECOND, 10 * SECOND);
	sim_at(&s, BEGUN + 6 * SECOND);
	assert_int_equal(answer(&s, "m", "approve"), CS_OK);
	assert_int_equal(sim_item(&s)->grace_until, BEGUN + 8 * SECOND);     /* half of what is left */
	sim_at(&s, BEGUN + 7 * SECOND);
	assert_int_equal(answer(&s, "m", "undo"), CS_OK);
	assert_int_equal(answer(&s, "m", "approve"), CS_OK);
	sim_at(&s, cs_run_due(s.run, s.step.now));
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(sim_count(&s, "approval.expired"), 0);
	sim_free(&s);
}

static void nothing_is_answered_after_its_expiry(void **state)
{
	(void)state;
	sim s;
	asking(&s, MAIL, 0, MINUTE);
	assert_int_equal(sim_control(&s, "pause"), CS_OK);
	s.step.now = BEGUN + MINUTE;
	assert_int_equal(answer(&s, "m", "approve"), CS_EREFUSED);
	assert_int_equal(answer(&s, "m", "reject"), CS_EREFUSED);
	assert_int_equal(sim_count(&s, "approval.expired"), 0);              /* a paused run goes nowhere */
	assert_int_equal(sim_control(&s, "resume"), CS_OK);
	assert_int_equal(sim_count(&s, "approval.expired"), 1);
	assert_int_equal(s.dispatched, 0);
	sim_free(&s);
}

static void approved_while_paused_goes_when_resumed(void **state)
{
	(void)state;
	sim s;
	asking(&s, MAIL, SECOND, 0);
	assert_int_equal(sim_control(&s, "pause"), CS_OK);
	assert_int_equal(answer(&s, "m", "approve"), CS_OK);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(s.dispatched, 0);
	assert_int_equal(answer(&s, "m", "undo"), CS_EREFUSED);              /* its grace is over all the same */
	assert_int_equal(sim_control(&s, "resume"), CS_OK);
	assert_int_equal(s.dispatched, 1);
	sim_free(&s);
}

/* Approved, then held up past its expiry: it does not go, and the operator hears of it. */
static void an_approval_held_past_its_expiry_is_told(void **state)
{
	(void)state;
	sim s;
	asking(&s, MAIL, SECOND, MINUTE);
	s.shut = true;
	assert_int_equal(answer(&s, "m", "approve"), CS_OK);
	sim_at(&s, BEGUN + 30 * SECOND);
	assert_int_equal(sim_count(&s, "approval.consumed"), 0);
	sim_at(&s, BEGUN + MINUTE);
	s.shut = false;
	sim_step(&s);
	assert_int_equal(sim_count(&s, "approval.expired"), 1);
	assert_int_equal(s.dispatched, 0);
	bool told = false;
	for (size_t i = 0; i < s.run->n_items; i++)
		told = told || strcmp(s.run->items[i]->kind, "notice") == 0;
	assert_true(told);
	assert_string_equal(sim_state(&s), "faulted");
	sim_free(&s);
}

/* At the very millisecond at which the grace ends the decision stands. */
static void undo_and_the_end_of_the_grace_never_both_win(void **state)
{
	(void)state;
	static const char *const verbs[] = { "approve", "reject" };
	for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++)
		for (int64_t late = -1; late <= 1; late++) {
			sim s;
			asking(&s, MAIL, SECOND, 0);
			assert_int_equal(answer(&s, "m", verbs[i]), CS_OK);
			s.step.now = BEGUN + SECOND + late;
			int rc = answer(&s, "m", "undo");
			assert_int_equal(rc, late < 0 ? CS_OK : CS_EREFUSED);
			assert_int_equal(sim_count(&s, "approval.consumed") + sim_count(&s, "approval.settled"), late < 0 ? 0 : 1);
			sim_free(&s);
		}
}

/* ---- answers that go back ------------------------------------------------------------------------------------ */

#define LETTER(ask) "{'letter':{'set':{'text':'${ .who }','note':'${ $tasks.mail.note }'}}}," \
	"{'mail':{'call':'shop.mail','with':{'to':'${ $tasks.letter.text }'},'metadata':{'ask':{" ask "}}}},{'after':{'set':{'mail':'${ $tasks.mail }','in':'${ . }'}}}"

static const json_t *output_of(const sim *s, const char *task)
{
	for (size_t i = json_array_size(s->log); i-- > 0;) {
		const json_t *row = json_array_get(s->log, i), *output = json_object_get(json_object_get(row, "data"), "output");
		const char *ref = cs_json_str_or(row, "task", "");
		if (output != NULL && strstr(ref, task) != NULL && strcmp(strstr(ref, task), task) == 0)
			return output;
	}
	return NULL;
}

static int note(sim *s, const char *verb, const char *text)
{
	CS_AUTOFREE char *d = cs_xasprintf("{'verb':'%s','note':'%s'}", verb, text);
	return sim_decide(s, d);
}

static void an_answer_goes_back_with_its_note_and_what_came_in_before(void **state)
{
	(void)state;
	for (int crash = 0; crash < 2; crash++) {
		sim s;
		sim_begin(&s, LETTER("'back':'letter','rounds':2"), "{'who':'ann'}", CS_VERDICT_ASK, SECOND, 0);
		assert_string_equal(cs_json_str_or(output_of(&s, "letter"), "text", ""), "ann");
		assert_int_equal(note(&s, "respond", "shorter"), CS_OK);
		if (crash)
			sim_crash(&s);
		sim_at(&s, BEGUN + SECOND);
		if (crash)
			sim_crash(&s);
		assert_string_equal(cs_json_str_or(output_of(&s, "letter"), "text", ""), "ann");
		assert_string_equal(cs_json_str_or(output_of(&s, "letter"), "note", ""), "shorter");
		assert_int_equal(cs_json_int_or(sim_item(&s)->published, "round", 0), 2);
		assert_int_equal(s.dispatched, 0);
		assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
		sim_at(&s, BEGUN + 2 * SECOND);
		assert_int_equal(s.dispatched, 1);
		sim_outcome(&s, CS_OUTCOME_DONE, "{'id':7}");
		assert_string_equal(sim_state(&s), "completed");
		assert_int_equal(cs_json_int_or(json_object_get(output_of(&s, "after"), "mail"), "id", 0), 7);
		sim_free(&s);
	}
}

static void after_its_rounds_an_answer_is_a_rejection(void **state)
{
	(void)state;
	sim s;
	sim_begin(&s, LETTER("'back':'letter','rounds':2"), "{'who':'ann'}", CS_VERDICT_ASK, 0, 0);
	for (int round = 1; round <= 2; round++) {
		assert_int_equal(cs_json_int_or(sim_item(&s)->published, "round", 0), round);
		assert_int_equal(note(&s, "respond", "again"), CS_OK);
		assert_string_equal(sim_state(&s), "waiting");
	}
	assert_int_equal(note(&s, "respond", "enough"), CS_OK);
	assert_string_equal(sim_text(&s, "approval.settled", "decision"), "rejected");
	assert_string_equal(sim_state(&s), "faulted");
	assert_int_equal(cs_json_int_or(s.run->error, "status", 0), 403);
	sim_free(&s);
	/* The rounds are of one asking: a retry by the operator begins them anew. */
	sim_begin(&s, LETTER("'back':'letter','rounds':1"), "{'who':'ann'}", CS_VERDICT_ASK, 0, 0);
	assert_int_equal(note(&s, "respond", "again"), CS_OK);
	assert_int_equal(note(&s, "respond", "enough"), CS_OK);
	assert_string_equal(sim_state(&s), "faulted");
	assert_int_equal(sim_control(&s, "retry"), CS_OK);
	assert_int_equal(cs_json_int_or(sim_item(&s)->published, "round", 0), 1);
	sim_free(&s);
}

static void a_decision_goes_back_as_a_gate_does(void **state)
{
	(void)state;
	sim s;
	sim_begin(&s, "{'letter':{'set':{'text':'${ $tasks.ok.note }'}}},{'ok':{'call':'approve','with':{'title':'so?',"
		  "'show':'${ . }','back':'letter','rounds':1},'output':{'as':'${ .decision }'}}}", "{}", CS_VERDICT_ALLOW, 0, 0);
	assert_int_equal(note(&s, "respond", "warmer"), CS_OK);
	assert_string_equal(cs_json_str_or(output_of(&s, "letter"), "text", ""), "warmer");
	assert_int_equal(note(&s, "respond", "no"), CS_OK);
	assert_string_equal(sim_state(&s), "completed");
	assert_string_equal(json_string_value(s.run->output), "rejected");
	sim_free(&s);
}

/* In a loop each round of it has its own rounds. */
static void rounds_are_counted_for_each_iteration(void **state)
{
	(void)state;
	sim s;
	sim_begin(&s, "{'l':{'for':{'each':'x','in':'${ .l }'},'do':[{'a':{'set':{'v':'${ $x }'}}},{'m':{'call':'shop.mail','with':{'to':'x'},"
		  "'metadata':{'ask':{'back':'a','rounds':1}}}}]}}", "{'l':[1,2]}", CS_VERDICT_ASK, 0, 0);
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(note(&s, "respond", "again"), CS_OK);
		assert_int_equal(cs_json_int_or(output_of(&s, "/a"), "v", 0), i);
		assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
		assert_int_equal(s.dispatched, i);
		sim_outcome(&s, CS_OUTCOME_DONE, "{}");
	}
	assert_string_equal(sim_state(&s), "completed");
	sim_free(&s);
}

/* ---- what a refusal leads to -------------------------------------------------------------------------------- */

static void a_refused_gate_raises_goes_on_or_ends_as_it_says(void **state)
{
	(void)state;
	static const struct { const char *ask, *verb, *end; int status; bool after; } ways[] = {
		{ "", "reject", "faulted", 403, false },
		{ "'on-reject':'raise'", "reject", "faulted", 403, false },
		{ "'on-reject':'continue'", "reject", "completed", 0, true },
		{ "'on-reject':'end'", "reject", "completed", 0, false },
		{ "'allow':['respond'],'on-reject':'continue'", "respond", "completed", 0, true },
		{ "'back':'letter','rounds':1,'on-reject':'continue','expire':'PT1M'", NULL, "faulted", 408, false },
		{ "'on-expiry':'continue','expire':'PT1M'", NULL, "completed", 0, true },
		{ "'on-expiry':'end','expire':'PT1M'", NULL, "completed", 0, false },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(ways); i++) {
		CS_AUTOFREE char *flow = cs_xasprintf(LETTER("%s"), ways[i].ask);
		sim s;
		sim_begin(&s, flow, "{'who':'ann'}", CS_VERDICT_ASK, 0, 0);
		if (ways[i].verb != NULL)
			assert_int_equal(note(&s, ways[i].verb, "no"), CS_OK);
		else
			sim_at(&s, BEGUN + MINUTE);
		if (strcmp(sim_state(&s), ways[i].end) != 0)
			fail_msg("%s: %s", ways[i].ask, sim_state(&s));
		assert_int_equal(s.dispatched, 0);
		if (ways[i].status > 0)
			assert_int_equal(cs_json_int_or(s.run->error, "status", 0), ways[i].status);
		assert_int_equal(output_of(&s, "after") != NULL, ways[i].after);
		if (ways[i].after) {
			assert_string_equal(cs_json_str_or(json_object_get(output_of(&s, "after"), "in"), "text", ""), "ann");
			const char *word = ways[i].verb == NULL ? "expired" : strcmp(ways[i].verb, "respond") == 0 ? "answered" : "rejected";
			assert_string_equal(cs_json_str_or(json_object_get(output_of(&s, "after"), "mail"), "decision", ""), word);
		}
		sim_free(&s);
	}
}

/* ---- reminders and escalations --------------------------------------------------------------------------------- */

static void reminders_and_escalations_come_at_their_dates_over_restarts(void **state)
{
	(void)state;
	sim s;
	sim_begin(&s, LETTER("'expire':'PT10H','remind':['PT5H','10%'],'escalate':[{'after':'PT4H','to':'bea'},{'after':'PT2H'}]"),
		  "{'who':'ann'}", CS_VERDICT_ASK, 0, 0);
	static const struct { int hour, escalated, reminded; const char *to; } steps[] = {
		{ 1, 0, 1, "" }, { 2, 1, 1, "" }, { 4, 2, 1, "bea" }, { 5, 2, 2, "bea" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(steps); i++) {
		int64_t at = BEGUN + steps[i].hour * (int64_t)HOUR;
		assert_int_equal(cs_run_due(s.run, s.step.now), at);
		sim_at(&s, at - 1);
		sim_at(&s, at);
		sim_crash(&s);
		sim_at(&s, at);
		assert_int_equal(sim_count(&s, "approval.escalated"), steps[i].escalated);
		assert_int_equal(sim_count(&s, "approval.reminded"), steps[i].reminded);
		assert_string_equal(sim_text(&s, "approval.escalated", "to"), steps[i].to);
		assert_int_equal((int)sim_item(&s)->level, steps[i].escalated);
		assert_string_equal(sim_item(&s)->state, "pending");
	}
	sim_at(&s, BEGUN + 10 * (int64_t)HOUR);
	assert_string_equal(sim_state(&s), "faulted");
	assert_int_equal(sim_count(&s, "approval.expired"), 1);
	sim_free(&s);
}

/* Escalated instead of expired: it waits on, one level higher, and is answered as ever. */
static void what_escalates_on_expiry_never_expires(void **state)
{
	(void)state;
	static const char *const flows[] = {
		LETTER("'expire':'PT1H','on-expiry':'escalate','remind':['50%']"),
		"{'mail':{'call':'approve','with':{'title':'x','expire':'PT1H','on-expiry':'escalate','remind':['50%']}}}",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(flows); i++) {
		sim s;
		sim_begin(&s, flows[i], "{'who':'ann'}", CS_VERDICT_ASK, 0, 0);
		sim_at(&s, BEGUN + HOUR / 2);
		assert_int_equal(sim_count(&s, "approval.reminded"), 1);
		sim_at(&s, BEGUN + 100 * (int64_t)HOUR);
		assert_int_equal(sim_count(&s, "approval.expired"), 0);
		assert_int_equal((int)sim_item(&s)->level, 1);
		assert_int_equal(cs_run_due(s.run, s.step.now), 0);
		assert_int_equal(sim_decide(&s, "{'verb':'reject'}"), CS_OK);
		assert_string_equal(sim_state(&s), i == 0 ? "faulted" : "completed");
		sim_free(&s);
	}
}

static void a_decided_item_neither_reminds_nor_escalates(void **state)
{
	(void)state;
	sim s;
	sim_begin(&s, LETTER("'remind':['PT1M'],'escalate':[{'after':'PT2M'}]"), "{'who':'ann'}", CS_VERDICT_ASK, HOUR, 0);
	assert_int_equal(note(&s, "reject", "no"), CS_OK);
	assert_int_equal(cs_run_due(s.run, s.step.now), BEGUN + HOUR);
	sim_at(&s, BEGUN + 10 * MINUTE);
	assert_int_equal(sim_count(&s, "approval.escalated") + sim_count(&s, "approval.reminded"), 0);
	assert_int_equal(sim_decide(&s, "{'verb':'undo'}"), CS_OK);       /* pending again: what is due by now comes */
	assert_int_equal(sim_count(&s, "approval.escalated"), 1);
	assert_int_equal(sim_count(&s, "approval.reminded"), 1);
	sim_free(&s);
}

/* Who put it off is not reminded before, but an escalation brings it back. */
static void a_snooze_holds_reminders_back_and_ends_with_an_escalation(void **state)
{
	(void)state;
	sim s;
	sim_begin(&s, LETTER("'remind':['PT1M'],'escalate':[{'after':'PT1H'}]"), "{'who':'ann'}", CS_VERDICT_ASK, 0, 0);
	CS_AUTOFREE char *until = cs_xasprintf("{'verb':'snooze','until':%d}", BEGUN + 10 * MINUTE);
	assert_int_equal(sim_decide(&s, until), CS_OK);
	sim_at(&s, BEGUN + MINUTE);
	assert_int_equal(sim_count(&s, "approval.reminded"), 0);
	assert_int_equal(cs_run_due(s.run, s.step.now), BEGUN + 10 * MINUTE);
	sim_at(&s, BEGUN + 10 * MINUTE);
	assert_int_equal(sim_count(&s, "approval.reminded"), 1);
	CS_AUTOFREE char *longer = cs_xasprintf("{'verb':'snooze','until':%d}", BEGUN + 2 * HOUR);
	assert_int_equal(sim_decide(&s, longer), CS_OK);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal((int)sim_item(&s)->snoozed_until, 0);
	sim_free(&s);
}

/* The nearest word holds: beside the call, then the rule, then capstan.yaml. */
static void the_settings_of_the_call_come_before_the_rules_and_the_workspaces(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *rule = json_quoted("{'expire':'PT2H','on-reject':'continue','runbook':'rule.md'}");
	CS_AUTOJSON json_t *workspace = json_quoted("{'remind':['50%'],'escalate':[{'after':'PT3H'}]}");
	static const struct { const char *ask; bool rule; int64_t expires, remind, escalate; const char *reject, *runbook; } rows[] = {
		{ "", false, 4 * (int64_t)HOUR, 2 * (int64_t)HOUR, 3 * (int64_t)HOUR, "", "" },
		{ "", true, 2 * (int64_t)HOUR, HOUR, 3 * (int64_t)HOUR, "continue", "rule.md" },
		{ "'expire':'PT1H','remind':['PT1M'],'escalate':[{'after':'PT2M'}],'on-reject':'end','runbook':'own.md'", true, HOUR, MINUTE, 2 * MINUTE, "end", "own.md" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOFREE char *flow = cs_xasprintf("{'d':{'call':'approve','with':{'title':'go'},'output':{'as':'${ $input }'}}}," LETTER("%s"), rows[i].ask);
		sim s;
		sim_begin(&s, flow, "{'who':'ann'}", CS_VERDICT_ASK, 0, 4 * (int64_t)HOUR);
		s.ask = rows[i].rule ? rule : NULL;
		s.step.approvals = workspace;
		assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
		const json_t *p = sim_item(&s)->published;
		assert_int_equal(cs_json_int_or(p, "expires", 0), BEGUN + rows[i].expires);
		assert_int_equal(json_integer_value(json_array_get(json_object_get(p, "remind"), 0)), BEGUN + rows[i].remind);
		assert_int_equal(cs_json_int_or(json_array_get(json_object_get(p, "escalate"), 0), "at", 0), BEGUN + rows[i].escalate);
		assert_string_equal(cs_json_str_or(p, "on_reject", ""), rows[i].reject);
		assert_string_equal(cs_json_str_or(p, "runbook", ""), rows[i].runbook);
		sim_free(&s);
	}
}

/* What an expression made of it is held to the same words as what is written out. */
static void a_setting_that_cannot_be_faults_the_task(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"'expire':'${ .bad }'", "'escalate':['${ .bad }']", "'remind':['${ .bad }']", "'escalate':[{'after':'${ .bad }'}]",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++) {
		CS_AUTOFREE char *flow = cs_xasprintf("{'d':{'call':'approve','with':{'title':'x',%s}}}", bad[i]);
		sim s;
		sim_begin(&s, flow, "{'bad':'soon'}", CS_VERDICT_ALLOW, 0, 0);
		assert_string_equal(sim_state(&s), "faulted");
		assert_int_equal(cs_json_int_or(s.run->error, "status", 0), 400);
		sim_free(&s);
	}
}

/* The task is over when its moment cannot be read, and the run goes on in what catches that. */
static void a_moment_that_cannot_be_read_is_an_error_to_catch(void **state)
{
	(void)state;
	sim s;
	sim_begin(&s, "{'t':{'try':[{'u':{'call':'until','with':{'at':'${ .at }'}}}],"
		   "'catch':{'as':'e','do':[{'c':{'set':{'was':'${ $e.status }'}}}]}}}",
		  "{\"at\":\"2026-02-30T00:00:00Z\"}", CS_VERDICT_ASK, 0, 0);
	assert_string_equal(sim_state(&s), "completed");
	assert_int_equal(sim_count(&s, "timer.armed"), 0);
	assert_int_equal(sim_count(&s, "task.faulted"), 1);
	sim_crash(&s);
	assert_string_equal(sim_state(&s), "completed");
	sim_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_branch_that_ends_the_flow_withdraws_what_the_others_ask),
		cmocka_unit_test(an_approval_whose_flow_ends_within_its_grace_sends_nothing),
		cmocka_unit_test(a_branch_that_ends_the_flow_awaits_what_is_outside),
		cmocka_unit_test(waits_and_listeners_end_with_the_flow),
		cmocka_unit_test(an_approval_in_time_takes_effect_before_the_expiry),
		cmocka_unit_test(nothing_is_answered_after_its_expiry),
		cmocka_unit_test(approved_while_paused_goes_when_resumed),
		cmocka_unit_test(an_approval_held_past_its_expiry_is_told),
		cmocka_unit_test(undo_and_the_end_of_the_grace_never_both_win),
		cmocka_unit_test(an_answer_goes_back_with_its_note_and_what_came_in_before),
		cmocka_unit_test(after_its_rounds_an_answer_is_a_rejection),
		cmocka_unit_test(a_decision_goes_back_as_a_gate_does),
		cmocka_unit_test(rounds_are_counted_for_each_iteration),
		cmocka_unit_test(a_refused_gate_raises_goes_on_or_ends_as_it_says),
		cmocka_unit_test(reminders_and_escalations_come_at_their_dates_over_restarts),
		cmocka_unit_test(what_escalates_on_expiry_never_expires),
		cmocka_unit_test(a_decided_item_neither_reminds_nor_escalates),
		cmocka_unit_test(a_snooze_holds_reminders_back_and_ends_with_an_escalation),
		cmocka_unit_test(the_settings_of_the_call_come_before_the_rules_and_the_workspaces),
		cmocka_unit_test(a_setting_that_cannot_be_faults_the_task),
		cmocka_unit_test(a_moment_that_cannot_be_read_is_an_error_to_catch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
