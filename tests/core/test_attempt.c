/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "Attempt at an effect", line by line: windows, tries, and what becomes of another try that never comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "tests/core/sim.h"

enum { BEGUN = 1000000, SECOND = 1000, HOUR = 3600 * SECOND };

#define BILL "{'m':{'call':'shop.bill','with':{'to':'x'}}}"
#define LOOK "{'m':{'call':'shop.look','with':{'to':'x'}}}"
#define MAIL "{'m':{'call':'shop.mail','with':{'to':'x'}}}"
/* Keeps a text of the log while the log goes on. */
#define KEPT(name, s, type, member) char name[CS_HEX_SIZE]; snprintf(name, sizeof name, "%s", sim_text(s, type, member))
#define FORK(other) "{'f':{'fork':{'branches':[" BILL "," other "]}}}"

/* retry-wait --timer--> in-doubt: the provider may have forgotten the key by then. */
static void a_try_past_the_window_of_its_key_asks_first(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, BILL, "{}");
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	assert_int_equal(sim_call(&s)->phase, CS_CALL_RETRY_WAIT);
	sim_at(&s, BEGUN + HOUR);                /* the engine was not there in between */
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
	assert_string_equal(sim_item(&s)->kind, "in-doubt");
	sim_crash(&s);
	assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
	assert_int_equal(s.dispatched, 1);
	sim_free(&s);
}

static void what_certainly_did_not_happen_is_tried_again_past_any_window(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, BILL, "{}");
	sim_outcome(&s, CS_OUTCOME_NOT_SENT, NULL);
	sim_at(&s, BEGUN + 3 * HOUR);
	assert_int_equal(s.dispatched, 2);
	sim_free(&s);
}

/* retry-wait --cancel--> in-doubt | failed */
static void a_cancelled_run_says_of_each_try_that_is_left_whether_it_may_have_happened(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, BILL, "{}");
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	assert_int_equal(sim_control(&s, "cancel"), CS_OK);
	assert_string_equal(sim_state(&s), "cancelling");
	assert_string_equal(sim_item(&s)->kind, "in-doubt");
	sim_at(&s, BEGUN + HOUR);
	assert_string_equal(sim_state(&s), "cancelling");        /* it waits for what is in doubt */
	cs_err why = { 0 };
	assert_int_equal(cs_run_require(s.run, "pause", &why), CS_EREFUSED);
	assert_non_null(strstr(why.msg, "capstan resolve"));     /* and that is what is possible */
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(sim_decide(&s, "{'verb':'resolve','how':'did-not'}"), CS_OK);
	assert_string_equal(sim_state(&s), "cancelled");
	sim_free(&s);
	sim_new(&s, BILL, "{}");
	sim_outcome(&s, CS_OUTCOME_TRANSIENT, NULL);
	assert_int_equal(sim_control(&s, "cancel"), CS_OK);
	assert_string_equal(sim_state(&s), "cancelled");
	assert_int_equal(sim_count(&s, "attempt.failed"), 1);
	assert_int_equal(sim_count(&s, "item.opened"), 0);
	sim_free(&s);
	sim_new(&s, LOOK, "{}");                         /* a read did nothing, whatever became of it */
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	assert_int_equal(sim_control(&s, "cancel"), CS_OK);
	assert_string_equal(sim_state(&s), "cancelled");
	assert_int_equal(sim_count(&s, "item.opened"), 0);
	sim_free(&s);
}

/* Who reads the inbox after a fault finds the effect that nobody knows of. */
static void a_fault_elsewhere_leaves_no_effect_unknown_in_silence(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, FORK("{'r':{'do':[{'w':{'wait':'PT10S'}},{'x':{'raise':{'error':{'type':'https://x.example/e','status':500}}}}]}}"), "{}");
	assert_int_equal(s.dispatched, 1);
	s.step.now = BEGUN + 9500;
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);             /* to be tried again at 10.5 s */
	sim_at(&s, BEGUN + 10 * SECOND);
	assert_string_equal(sim_state(&s), "faulted");
	assert_int_equal(sim_count(&s, "item.opened"), 2);       /* the doubt and the fault */
	assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
	sim_free(&s);
}

/* What was held back before its first byte has used up no try. */
static void tries_that_never_were_do_not_count(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, BILL, "{}");
	for (int i = 1; i <= 3; i++) {
		s.shut = true;
		sim_outcome(&s, CS_OUTCOME_NOT_SENT, NULL);
		s.shut = false;
		sim_at(&s, BEGUN + i * 10 * SECOND);
		assert_int_equal(s.dispatched, 1 + i);
	}
	sim_outcome(&s, CS_OUTCOME_TRANSIENT, NULL);             /* the first that counts, of two */
	sim_at(&s, BEGUN + 60 * SECOND);
	assert_int_equal(s.dispatched, 5);
	sim_free(&s);
}

/* in-doubt is left by nobody but the operator: no verb of the run, no clock, no restart. */
static void what_is_in_doubt_is_awaited_by_a_cancel_and_by_a_timeout(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, "{'t':{'do':[" MAIL "],'timeout':{'after':'PT5S'}}}", "{}");
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(sim_count(&s, "task.faulted"), 0);      /* the error comes after it is resolved */
	assert_int_equal(sim_control(&s, "cancel"), CS_OK);
	sim_at(&s, BEGUN + 2 * HOUR);
	assert_string_equal(sim_state(&s), "cancelling");
	assert_int_equal(sim_control(&s, "cancel"), CS_EREFUSED);
	assert_int_equal(sim_control(&s, "retry"), CS_EREFUSED);
	assert_int_equal(sim_decide(&s, "{'verb':'resolve','how':'happened'}"), CS_OK);
	assert_string_equal(sim_state(&s), "cancelled");
	sim_free(&s);
}

/* ---- probing ---- */

#define MAKE "{'m':{'call':'shop.make','with':{'to':'x'}}}"

/* shop.make, ambiguous at 1 s, asked about when its 10 s are over. */
static void make_and_lose(sim *s)
{
	sim_new(s, MAKE, "{}");
	s->step.now = BEGUN + SECOND;
	sim_outcome(s, CS_OUTCOME_AMBIGUOUS, NULL);
	assert_int_equal(s->dispatched, 1);
	sim_at(s, BEGUN + 10 * SECOND - 1);
	assert_int_equal(s->dispatched, 1);              /* what is still on its way is not absent */
	assert_string_equal(sim_state(s), "waiting");
	sim_at(s, BEGUN + 10 * SECOND);
	assert_int_equal(s->dispatched, 2);
	assert_string_equal(sim_text(s, "attempt.intent", "call"), "shop.find");
	assert_string_equal(sim_text(s, "attempt.intent", "class"), "read");
	assert_int_equal(sim_count(s, "item.opened"), 0);
}

static void what_its_probe_finds_is_done_with_what_was_found(void **state)
{
	(void)state;
	sim s;
	make_and_lose(&s);
	sim_outcome(&s, CS_OUTCOME_DONE, "{'total':1,'id':7}");
	assert_string_equal(sim_state(&s), "completed");
	assert_int_equal(s.dispatched, 2);
	CS_AUTOJSON json_t *want = json_pack("{s:i, s:i}", "total", 1, "id", 7);
	assert_true(json_equal(s.run->output, want));
	sim_free(&s);
}

static void what_its_probe_does_not_find_is_sent_again_under_its_key(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, MAKE, "{}");
	KEPT(key, &s, "attempt.intent", "key");
	sim_free(&s);
	make_and_lose(&s);
	sim_outcome(&s, CS_OUTCOME_DONE, "{'total':0}");
	sim_at(&s, BEGUN + 20 * SECOND);
	assert_int_equal(s.dispatched, 3);
	assert_string_equal(sim_text(&s, "attempt.intent", "call"), "shop.make");
	assert_string_equal(sim_text(&s, "attempt.intent", "key"), key);
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);             /* the last of its tries: it is asked about once more */
	sim_at(&s, BEGUN + 40 * SECOND);
	assert_int_equal(s.dispatched, 4);
	sim_outcome(&s, CS_OUTCOME_DONE, "{'total':0}");
	assert_string_equal(sim_state(&s), "faulted");           /* it has not happened, and that is known */
	assert_int_equal(s.dispatched, 4);
	sim_free(&s);
}

static void a_probe_without_an_answer_leaves_it_in_doubt(void **state)
{
	(void)state;
	static const struct { cs_outcome_kind kind; const char *result; } ends[] = {
		{ CS_OUTCOME_AMBIGUOUS, NULL }, { CS_OUTCOME_REJECTED, NULL }, { CS_OUTCOME_NOT_SENT, NULL }, { CS_OUTCOME_DONE, "7" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(ends); i++) {
		sim s;
		make_and_lose(&s);
		sim_outcome(&s, ends[i].kind, ends[i].result);
		sim_at(&s, BEGUN + HOUR);
		assert_string_equal(sim_state(&s), "waiting");
		assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
		assert_string_equal(sim_item(&s)->kind, "in-doubt");
		assert_int_equal(s.dispatched, 2);
		assert_int_equal(sim_decide(&s, "{'verb':'resolve','how':'happened','value':{'id':7}}"), CS_OK);
		assert_string_equal(sim_state(&s), "completed");
		sim_free(&s);
	}
}

static void a_probe_outlives_any_crash_and_sends_nothing_twice(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, MAKE, "{}");
	sim_crash(&s);                                   /* in intent */
	assert_int_equal(s.dispatched, 1);
	sim_crash(&s);                                   /* while it waits to ask */
	sim_at(&s, BEGUN + 10 * SECOND);
	assert_int_equal(s.dispatched, 2);
	sim_crash(&s);                                   /* while it asks: it is a read */
	sim_at(&s, BEGUN + 20 * SECOND);
	assert_int_equal(s.dispatched, 3);
	assert_string_equal(sim_text(&s, "attempt.intent", "call"), "shop.find");
	sim_outcome(&s, CS_OUTCOME_DONE, "{'total':1}");
	assert_string_equal(sim_state(&s), "completed");
	assert_int_equal(s.dispatched, 3);
	sim_free(&s);
}

/* Nothing is left to be asked for ever: who holds it hears of it. */
static void a_question_that_cannot_be_asked_in_time_is_the_operators(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, MAKE, "{}");
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	s.shut = true;
	sim_at(&s, BEGUN + 15 * SECOND - 1);
	assert_int_equal(sim_count(&s, "item.opened"), 0);
	assert_int_equal(cs_run_due(s.run, s.step.now), BEGUN + 15 * SECOND);
	sim_at(&s, BEGUN + 15 * SECOND);
	assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
	assert_int_equal(s.dispatched, 1);
	sim_free(&s);
	sim_new(&s, MAKE, "{}");                         /* asked for the first time long after: asked all the same */
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(s.dispatched, 2);
	sim_free(&s);
}

static void pause_and_cancel_wait_for_what_a_probe_says(void **state)
{
	(void)state;
	sim s;
	make_and_lose(&s);
	assert_int_equal(sim_control(&s, "pause"), CS_OK);
	assert_string_equal(sim_state(&s), "pausing");
	sim_outcome(&s, CS_OUTCOME_DONE, "{'total':1}");
	assert_string_equal(sim_state(&s), "paused");
	assert_int_equal(sim_call(&s)->phase, CS_CALL_DONE);
	sim_free(&s);
	sim_new(&s, MAKE, "{}");
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	assert_int_equal(sim_control(&s, "cancel"), CS_OK);
	assert_string_equal(sim_state(&s), "cancelling");
	sim_at(&s, BEGUN + 10 * SECOND);
	assert_int_equal(s.dispatched, 2);
	sim_outcome(&s, CS_OUTCOME_DONE, "{'total':0}");
	assert_string_equal(sim_state(&s), "cancelled");
	assert_int_equal(sim_count(&s, "item.opened"), 0);
	assert_int_equal(s.dispatched, 2);
	sim_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_try_past_the_window_of_its_key_asks_first),
		cmocka_unit_test(what_certainly_did_not_happen_is_tried_again_past_any_window),
		cmocka_unit_test(a_cancelled_run_says_of_each_try_that_is_left_whether_it_may_have_happened),
		cmocka_unit_test(a_fault_elsewhere_leaves_no_effect_unknown_in_silence),
		cmocka_unit_test(tries_that_never_were_do_not_count),
		cmocka_unit_test(what_is_in_doubt_is_awaited_by_a_cancel_and_by_a_timeout),
		cmocka_unit_test(what_its_probe_finds_is_done_with_what_was_found),
		cmocka_unit_test(what_its_probe_does_not_find_is_sent_again_under_its_key),
		cmocka_unit_test(a_probe_without_an_answer_leaves_it_in_doubt),
		cmocka_unit_test(a_probe_outlives_any_crash_and_sends_nothing_twice),
		cmocka_unit_test(a_question_that_cannot_be_asked_in_time_is_the_operators),
		cmocka_unit_test(pause_and_cancel_wait_for_what_a_probe_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
