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

enum { BEGUN = 1000000, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

#define MAIL "{'m':{'call':'shop.mail','with':{'to':'x'}}}"
#define SLOW_PAIR(first) "{'f':{'fork':{'branches':[{'a':{'do':[" first ",{'e':{'set':{'x':1},'then':'end'}}]}},{'b':" \
	"{'do':[" MAIL ",{'n':{'set':{'y':1}}}]}}]}}},{'z':{'set':{'z':1}}}"
#define ONCE_SAID "{'d':{'call':'approve','with':{'title':'end it?'}}}"

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
		"{'b':{'try':[{'r':{'raise':{'error':{'type':'https://serverlessworkflow.io/spec/1.0.0/errors/runtime','status':500}}}}],"
		"'catch':{'retry':{'delay':'PT1H'}}}}",
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
