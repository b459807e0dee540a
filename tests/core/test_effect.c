/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An effect from its plan to its end: keys, tries, doubt, gates, grace. The machine alone, on a
 * clock that the test sets. */
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

#define MAIL "{'m':{'call':'shop.mail','with':{'to':'x'}}}"
#define BILL "{'m':{'call':'shop.bill','with':{'to':'x'}}}"
#define LOOK "{'m':{'call':'shop.look','with':{'to':'x'}}}"

/* Keeps a text of the log while the log goes on. */
#define KEPT(name, s, type, member) char name[CS_HEX_SIZE]; snprintf(name, sizeof name, "%s", sim_text(s, type, member))

/* ---- sending ------------------------------------------------------------------------------------------ */

static void an_effect_goes_once_and_its_result_goes_on(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, MAIL, "{}");
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(sim_count(&s, "attempt.intent"), 1);
	assert_string_equal(sim_text(&s, "attempt.intent", "class"), "unsafe");
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(s.dispatched, 1);
	sim_outcome(&s, CS_OUTCOME_DONE, "{'id':7}");
	assert_string_equal(sim_state(&s), "completed");
	sim_free(&s);
}

static void what_is_held_stays_planned_and_goes_when_it_may(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, "{'d':{'call':'approve','with':{'title':'go'}}}," MAIL, "{}");
	s.shut = true;
	assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(sim_count(&s, "attempt.intent"), 0);
	assert_int_equal(s.dispatched, 0);
	assert_string_equal(sim_state(&s), "waiting");
	s.shut = false;
	sim_step(&s);
	assert_int_equal(s.dispatched, 1);
	sim_free(&s);
}

static void i3_a_technical_retry_keeps_key_and_digest(void **state)
{
	(void)state;
	static const struct { const char *flow; cs_outcome_kind kind; } ways[] = {
		{ MAIL, CS_OUTCOME_NOT_SENT }, { BILL, CS_OUTCOME_AMBIGUOUS }, { BILL, CS_OUTCOME_TRANSIENT },
		{ LOOK, CS_OUTCOME_AMBIGUOUS },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(ways); i++) {
		sim s;
		sim_new(&s, ways[i].flow, "{}");
		KEPT(key, &s, "attempt.intent", "key");
		KEPT(digest, &s, "attempt.intent", "digest");
		sim_outcome(&s, ways[i].kind, NULL);
		assert_int_equal(s.dispatched, 1);
		sim_at(&s, BEGUN + SECOND - 1);
		assert_int_equal(s.dispatched, 1);       /* not before its delay */
		sim_at(&s, BEGUN + SECOND);
		assert_int_equal(s.dispatched, 2);
		assert_string_equal(sim_text(&s, "attempt.intent", "key"), key);
		assert_string_equal(sim_text(&s, "attempt.intent", "digest"), digest);
		sim_outcome(&s, CS_OUTCOME_DONE, "{}");
		assert_string_equal(sim_state(&s), "completed");
		sim_free(&s);
	}
}

static void every_task_and_every_round_has_a_key_of_its_own(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, "{'l':{'for':{'each':'x','in':'${ .l }'},'do':[" MAIL "]}}", "{'l':[1,2]}");
	KEPT(first, &s, "attempt.intent", "key");
	sim_outcome(&s, CS_OUTCOME_DONE, "{}");
	assert_int_equal(s.dispatched, 2);
	assert_string_not_equal(sim_text(&s, "attempt.intent", "key"), first);
	sim_free(&s);
}

static void tries_are_bounded_and_a_refusal_is_final(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, LOOK, "{}");
	sim_outcome(&s, CS_OUTCOME_TRANSIENT, NULL);
	sim_at(&s, BEGUN + SECOND);
	sim_outcome(&s, CS_OUTCOME_TRANSIENT, NULL);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(s.dispatched, 2);
	assert_string_equal(sim_state(&s), "faulted");
	sim_free(&s);
	sim_new(&s, LOOK, "{}");
	sim_outcome(&s, CS_OUTCOME_REJECTED, NULL);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(s.dispatched, 1);
	assert_string_equal(sim_state(&s), "faulted");
	sim_free(&s);
}

/* ---- doubt ---------------------------------------------------------------------------------------------- */

static void i6_an_unsafe_effect_in_doubt_waits_for_the_operator(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, MAIL, "{}");
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	sim_at(&s, BEGUN + 100 * HOUR);
	sim_crash(&s);
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
	assert_string_equal(sim_item(&s)->kind, "in-doubt");
	assert_string_equal(sim_state(&s), "waiting");
	assert_int_equal(sim_decide(&s, "{'verb':'dismiss'}"), CS_EREFUSED);
	assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_EREFUSED);
	assert_int_equal(sim_decide(&s, "{'verb':'resolve','how':'perhaps'}"), CS_EINVAL);
	assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
	assert_int_equal(sim_decide(&s, "{'verb':'resolve','how':'happened','value':{'id':7}}"), CS_OK);
	assert_string_equal(sim_state(&s), "completed");
	assert_int_equal(s.dispatched, 1);
	sim_free(&s);
}

static void what_did_not_happen_is_raised_into_the_flow(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, "{'t':{'try':[" MAIL "],'catch':{'do':[{'h':{'set':{'caught':true}}}]}}}", "{}");
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	assert_int_equal(sim_count(&s, "task.caught"), 0);       /* never one in doubt */
	assert_int_equal(sim_decide(&s, "{'verb':'resolve','how':'did-not'}"), CS_OK);
	assert_int_equal(sim_count(&s, "task.caught"), 1);
	assert_string_equal(sim_state(&s), "completed");
	assert_int_equal(s.dispatched, 1);
	sim_free(&s);
}

static void repeat_wants_its_word_and_has_a_new_key(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, MAIL, "{}");
	KEPT(key, &s, "attempt.intent", "key");
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	assert_int_equal(sim_decide(&s, "{'verb':'resolve','how':'repeat'}"), CS_EREFUSED);
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(sim_decide(&s, "{'verb':'resolve','how':'repeat','word':'repeat'}"), CS_OK);
	assert_int_equal(s.dispatched, 2);
	assert_string_not_equal(sim_text(&s, "attempt.intent", "key"), key);
	sim_free(&s);
}

static void a_crash_ends_each_open_intent_as_its_class_says(void **state)
{
	(void)state;
	static const struct { const char *flow; bool again; } ways[] = { { MAIL, false }, { BILL, true }, { LOOK, true } };
	for (size_t i = 0; i < CS_ARRAY_LEN(ways); i++) {
		sim s;
		sim_new(&s, ways[i].flow, "{}");
		KEPT(key, &s, "attempt.intent", "key");
		sim_crash(&s);
		sim_at(&s, BEGUN + SECOND);
		assert_string_equal(sim_text(&s, "attempt.ambiguous", "how"), "crash");
		assert_int_equal(s.dispatched, ways[i].again ? 2 : 1);
		if (ways[i].again)
			assert_string_equal(sim_text(&s, "attempt.intent", "key"), key);
		else
			assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
		sim_free(&s);
	}
}

static void a_keyed_one_past_its_window_or_its_tries_is_in_doubt(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, BILL, "{}");
	s.step.now = BEGUN + HOUR;
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
	sim_free(&s);
	sim_new(&s, BILL, "{}");
	sim_outcome(&s, CS_OUTCOME_AMBIGUOUS, NULL);
	sim_at(&s, BEGUN + SECOND);
	sim_outcome(&s, CS_OUTCOME_TRANSIENT, NULL);      /* no failure can be stated: it may have happened before */
	sim_at(&s, BEGUN + 10 * SECOND);
	assert_int_equal(s.dispatched, 2);
	assert_int_equal(sim_call(&s)->phase, CS_CALL_IN_DOUBT);
	sim_free(&s);
}

/* ---- the gate ------------------------------------------------------------------------------------------- */

static void gated(sim *s, int64_t grace_ms, int64_t expire_ms)
{
	sim_new(s, "{'d':{'call':'approve','with':{'title':'go'}}}," MAIL, "{}");
	s->verdict = CS_VERDICT_ASK;
	s->step.grace_ms = grace_ms;
	s->step.expire_ms = expire_ms;
	assert_int_equal(sim_decide(s, "{'verb':'approve'}"), CS_OK);
	assert_string_equal(sim_item(s)->state, "pending");
	assert_int_equal(s->dispatched, 0);
}

static void i7_an_approval_is_consumed_by_one_intent_once_its_grace_is_over(void **state)
{
	(void)state;
	sim s;
	gated(&s, 30 * SECOND, 0);
	KEPT(digest, &s, "approval.published", "digest");
	KEPT(id, &s, "approval.published", "item");
	assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
	sim_at(&s, BEGUN + 30 * SECOND - 1);
	assert_int_equal(s.dispatched, 0);
	sim_at(&s, BEGUN + 30 * SECOND);
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(sim_count(&s, "approval.consumed"), 2);     /* the decision before it, and this */
	assert_string_equal(sim_text(&s, "approval.consumed", "item"), id);
	assert_string_equal(sim_text(&s, "attempt.intent", "approval"), id);
	assert_string_equal(sim_text(&s, "attempt.intent", "digest"), digest);
	assert_null(sim_item(&s));
	sim_free(&s);
}

static void undo_is_for_as_long_as_the_grace(void **state)
{
	(void)state;
	sim s;
	gated(&s, 30 * SECOND, 0);
	assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
	sim_at(&s, BEGUN + 29 * SECOND);
	assert_int_equal(sim_decide(&s, "{'verb':'undo'}"), CS_OK);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(s.dispatched, 0);
	assert_string_equal(sim_item(&s)->state, "pending");
	assert_int_equal(sim_decide(&s, "{'verb':'reject'}"), CS_OK);
	s.step.now += 30 * SECOND;
	assert_int_equal(sim_decide(&s, "{'verb':'undo'}"), CS_EREFUSED);
	assert_string_equal(sim_state(&s), "faulted");
	sim_free(&s);
}

static void what_expires_is_never_a_yes(void **state)
{
	(void)state;
	sim s;
	gated(&s, 0, HOUR);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(sim_count(&s, "approval.expired"), 1);
	assert_int_equal(s.dispatched, 0);
	assert_string_equal(sim_state(&s), "faulted");
	sim_free(&s);
	/* An approval that nobody could use in time, too. */
	gated(&s, 30 * SECOND, HOUR);
	s.shut = true;
	assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
	sim_at(&s, BEGUN + HOUR);
	s.shut = false;
	sim_at(&s, BEGUN + HOUR + 1);
	assert_int_equal(s.dispatched, 0);
	assert_string_equal(sim_state(&s), "faulted");
	sim_free(&s);
}

static void a_rejected_gate_sends_nothing_and_is_403(void **state)
{
	(void)state;
	sim s;
	gated(&s, 0, 0);
	assert_int_equal(sim_decide(&s, "{'verb':'reject'}"), CS_OK);
	assert_int_equal(s.dispatched, 0);
	assert_string_equal(sim_state(&s), "faulted");
	assert_int_equal(cs_json_int_or(s.run->error, "status", 0), 403);
	sim_free(&s);
}

static void the_digest_that_was_shown_must_be_the_one_that_waits(void **state)
{
	(void)state;
	sim s;
	gated(&s, 30 * SECOND, 0);
	assert_int_equal(sim_decide(&s, "{'verb':'approve','digest':'00'}"), CS_EREFUSED);
	assert_string_equal(sim_item(&s)->state, "pending");
	CS_AUTOFREE char *right = cs_xasprintf("{'verb':'approve','digest':'%s'}", sim_item(&s)->digest);
	assert_int_equal(sim_decide(&s, right), CS_OK);
	assert_int_equal(sim_decide(&s, right), CS_OK);          /* the same once more */
	assert_int_equal(sim_decide(&s, "{'verb':'reject'}"), CS_EREFUSED);
	assert_int_equal(sim_count(&s, "approval.approved"), 2);  /* of the decision, and of this */
	sim_free(&s);
}

/* The operator approved other bytes than would go now. */
static void an_approval_of_another_input_is_void(void **state)
{
	(void)state;
	sim s;
	gated(&s, 30 * SECOND, 0);
	assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
	cs_call *c = (cs_call *)(uintptr_t)sim_call(&s);
	json_decref(c->args);
	c->args = json_pack("{s:s}", "to", "someone else");
	sim_at(&s, BEGUN + 30 * SECOND);
	assert_int_equal(s.dispatched, 0);
	assert_int_equal(sim_count(&s, "approval.voided"), 1);
	assert_string_equal(sim_item(&s)->state, "pending");     /* proposed again, as it is now */
	sim_free(&s);
}

static void rules_that_now_deny_void_what_was_approved(void **state)
{
	(void)state;
	sim s;
	gated(&s, 30 * SECOND, 0);
	assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
	s.verdict = CS_VERDICT_DENY;
	sim_at(&s, BEGUN + 30 * SECOND);
	assert_int_equal(s.dispatched, 0);
	assert_int_equal(sim_count(&s, "approval.voided"), 1);
	assert_string_equal(sim_state(&s), "faulted");
	sim_free(&s);
}

static void an_edit_is_a_proposal_of_its_own(void **state)
{
	(void)state;
	sim s;
	gated(&s, 0, 0);
	KEPT(first, &s, "approval.published", "digest");
	assert_int_equal(sim_decide(&s, "{'verb':'edit','value':{'to':3}}"), CS_EINVAL);
	assert_int_equal(sim_decide(&s, "{'verb':'edit','value':{'to':'y'}}"), CS_OK);
	assert_int_equal(s.dispatched, 0);
	assert_string_not_equal(sim_text(&s, "approval.published", "digest"), first);
	assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
	assert_int_equal(s.dispatched, 1);
	assert_string_equal(json_string_value(cs_json_get_path(sim_call(&s)->request, "body.to")), "y");
	sim_free(&s);
}

static void a_gate_and_its_grace_survive_a_crash(void **state)
{
	(void)state;
	sim s;
	gated(&s, 30 * SECOND, 0);
	KEPT(digest, &s, "approval.published", "digest");
	sim_crash(&s);
	assert_int_equal(sim_decide(&s, "{'verb':'approve'}"), CS_OK);
	sim_crash(&s);
	sim_at(&s, BEGUN + 29 * SECOND);
	assert_int_equal(s.dispatched, 0);
	sim_at(&s, BEGUN + 30 * SECOND);
	assert_int_equal(s.dispatched, 1);
	assert_string_equal(sim_text(&s, "attempt.intent", "digest"), digest);
	assert_string_equal(sim_text(&s, "attempt.intent", "class"), "unsafe");
	sim_free(&s);
}

/* ---- control ---------------------------------------------------------------------------------------------- */

static void a_cancelled_run_begins_nothing_and_awaits_what_is_open(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, MAIL ",{'p':{'call':'shop.pay','with':{'to':'x'}}}", "{}");
	assert_int_equal(sim_control(&s, "cancel"), CS_OK);
	assert_string_equal(sim_state(&s), "cancelling");
	sim_outcome(&s, CS_OUTCOME_DONE, "{}");
	assert_string_equal(sim_state(&s), "cancelled");
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(sim_control(&s, "resume"), CS_EREFUSED);
	sim_free(&s);
}

static void a_paused_run_begins_nothing_until_it_is_resumed(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, MAIL ",{'p':{'call':'shop.pay','with':{'to':'x'}}}", "{}");
	assert_int_equal(sim_control(&s, "pause"), CS_OK);
	assert_string_equal(sim_state(&s), "pausing");
	sim_outcome(&s, CS_OUTCOME_DONE, "{}");
	assert_string_equal(sim_state(&s), "paused");
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(s.dispatched, 1);
	assert_int_equal(sim_control(&s, "resume"), CS_OK);
	assert_int_equal(s.dispatched, 2);
	sim_free(&s);
}

static void a_retried_run_begins_a_new_logical_attempt(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, MAIL, "{}");
	KEPT(key, &s, "attempt.intent", "key");
	sim_outcome(&s, CS_OUTCOME_REJECTED, NULL);
	assert_string_equal(sim_state(&s), "faulted");
	assert_int_equal(sim_control(&s, "retry"), CS_OK);
	assert_int_equal(s.dispatched, 2);
	assert_string_not_equal(sim_text(&s, "attempt.intent", "key"), key);
	sim_free(&s);
}

/* ---- time ---------------------------------------------------------------------------------------------------- */

static void i11_a_wait_ends_at_its_time_once_and_never_early(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, "{'w':{'wait':'PT10S'}}," MAIL, "{}");
	assert_int_equal(cs_run_due(s.run, 0), BEGUN + 10 * SECOND);
	sim_at(&s, BEGUN + 10 * SECOND - 1);
	assert_int_equal(s.dispatched, 0);
	sim_crash(&s);
	assert_int_equal(s.dispatched, 0);
	sim_at(&s, BEGUN + 10 * SECOND);
	assert_int_equal(s.dispatched, 1);
	sim_at(&s, BEGUN + HOUR);
	assert_int_equal(s.dispatched, 1);
	sim_free(&s);
}

/* ---- taint --------------------------------------------------------------------------------------------------- */

static void i16_what_was_read_outside_taints_the_arguments_made_of_it(void **state)
{
	(void)state;
	sim s;
	sim_new(&s, LOOK ",{'p':{'call':'shop.pay','with':{'to':'${ .to }'}}}", "{}");
	sim_outcome(&s, CS_OUTCOME_DONE, "{'to':'evil'}");
	assert_int_equal(s.dispatched, 2);
	assert_true(sim_call(&s)->args_tainted);
	assert_string_equal(json_string_value(json_array_get(sim_call(&s)->tainted_args, 0)), "to");
	sim_free(&s);
	sim_new(&s, LOOK ",{'p':{'call':'shop.pay','with':{'to':'fixed'}}}", "{}");
	sim_outcome(&s, CS_OUTCOME_DONE, "{'to':'evil'}");
	assert_false(sim_call(&s)->args_tainted);
	sim_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_effect_goes_once_and_its_result_goes_on),
		cmocka_unit_test(what_is_held_stays_planned_and_goes_when_it_may),
		cmocka_unit_test(i3_a_technical_retry_keeps_key_and_digest),
		cmocka_unit_test(every_task_and_every_round_has_a_key_of_its_own),
		cmocka_unit_test(tries_are_bounded_and_a_refusal_is_final),
		cmocka_unit_test(i6_an_unsafe_effect_in_doubt_waits_for_the_operator),
		cmocka_unit_test(what_did_not_happen_is_raised_into_the_flow),
		cmocka_unit_test(repeat_wants_its_word_and_has_a_new_key),
		cmocka_unit_test(a_crash_ends_each_open_intent_as_its_class_says),
		cmocka_unit_test(a_keyed_one_past_its_window_or_its_tries_is_in_doubt),
		cmocka_unit_test(i7_an_approval_is_consumed_by_one_intent_once_its_grace_is_over),
		cmocka_unit_test(undo_is_for_as_long_as_the_grace),
		cmocka_unit_test(what_expires_is_never_a_yes),
		cmocka_unit_test(a_rejected_gate_sends_nothing_and_is_403),
		cmocka_unit_test(the_digest_that_was_shown_must_be_the_one_that_waits),
		cmocka_unit_test(an_approval_of_another_input_is_void),
		cmocka_unit_test(rules_that_now_deny_void_what_was_approved),
		cmocka_unit_test(an_edit_is_a_proposal_of_its_own),
		cmocka_unit_test(a_gate_and_its_grace_survive_a_crash),
		cmocka_unit_test(a_cancelled_run_begins_nothing_and_awaits_what_is_open),
		cmocka_unit_test(a_paused_run_begins_nothing_until_it_is_resumed),
		cmocka_unit_test(a_retried_run_begins_a_new_logical_attempt),
		cmocka_unit_test(i11_a_wait_ends_at_its_time_once_and_never_early),
		cmocka_unit_test(i16_what_was_read_outside_taints_the_arguments_made_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
