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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_try_past_the_window_of_its_key_asks_first),
		cmocka_unit_test(what_certainly_did_not_happen_is_tried_again_past_any_window),
		cmocka_unit_test(a_cancelled_run_says_of_each_try_that_is_left_whether_it_may_have_happened),
		cmocka_unit_test(a_fault_elsewhere_leaves_no_effect_unknown_in_silence),
		cmocka_unit_test(tries_that_never_were_do_not_count),
		cmocka_unit_test(what_is_in_doubt_is_awaited_by_a_cancel_and_by_a_timeout),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
