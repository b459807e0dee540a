/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machines by the book: what the specification lists is allowed, every other pair of state and
 * event is refused. The tables below are written from its text, not from the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "core/machine.h"

/* One arrow of the specification. Where it names no event, the word is that of the log. */
struct arrow {
	const char *from, *event, *to;
};

static const struct arrow run[] = {
	{ "created", "start", "running" },
	{ "running", "block", "waiting" },          { "waiting", "unblock", "running" },
	{ "running", "pause", "pausing" },          { "running", "pause", "paused" },
	{ "waiting", "pause", "pausing" },          { "waiting", "pause", "paused" },
	{ "pausing", "settle", "paused" },          /* last intent ends */
	{ "paused", "resume", "running" },
	{ "running", "complete", "completed" },     /* all done */
	{ "running", "fault", "faulted" },          /* on-fault keep */
	{ "faulted", "retry", "running" },
	/* not terminal --cancel--> cancelling --no open intent--> cancelled */
	{ "created", "cancel", "cancelling" },      { "running", "cancel", "cancelling" },
	{ "waiting", "cancel", "cancelling" },      { "pausing", "cancel", "cancelling" },
	{ "paused", "cancel", "cancelling" },       { "cancelling", "settle", "cancelled" },
	{ "running", "fault", "compensating" },     /* on-fault compensate */
	{ "cancelling", "settle", "compensating" },
	{ "faulted", "rollback", "compensating" },  { "completed", "rollback", "compensating" },
	/* By "terminal: … left only by segments that the operator begins (retry, correct, rollback)". */
	{ "cancelled", "rollback", "compensating" },  { "compensated", "rollback", "compensating" },
	{ "compensating", "settle", "compensated" },    /* all reversed */
	{ "compensating", "fault", "stuck" },       /* a reversal fails */
	{ "stuck", "retry", "compensating" },       { "stuck", "waive", "compensating" },
	/* WORKSPACE, "What is pinned, what is live": adopt leaves the state as it is. */
	{ "running", "adopt", "running" },          { "waiting", "adopt", "waiting" },
	{ "paused", "adopt", "paused" },            { "faulted", "adopt", "faulted" },
	{ "paused", "correct", "paused" },          { "waiting", "correct", "waiting" },
	{ "faulted", "correct", "faulted" },
	/* Beyond the text: an input that breaks the flow's schema never starts. */
	{ "created", "fault", "faulted" },
};

static const struct arrow attempt[] = {
	{ "planned", "dispatch", "intent" },
	{ "intent", "ok", "done" },
	{ "intent", "not-sent", "retry-wait" },     { "intent", "not-sent", "failed" },
	{ "intent", "rejected", "failed" },
	{ "intent", "transient", "retry-wait" },
	{ "intent", "ambiguous", "retry-wait" },    /* pure, read, keyed */
	{ "intent", "ambiguous", "in-doubt" },      /* unsafe */
	{ "intent", "ambiguous", "probing" },       /* probe */
	{ "probing", "found", "done" },             { "probing", "absent", "retry-wait" },
	{ "probing", "unknown", "in-doubt" },
	{ "in-doubt", "happened", "done" },         { "in-doubt", "did-not", "failed" },
	{ "in-doubt", "repeat", "superseded" },
	{ "retry-wait", "timer", "planned" },
	{ "retry-wait", "timer", "failed" },        /* n = max */
	{ "retry-wait", "timer", "in-doubt" },      /* keyed with any ambiguous end */
	/* Beyond the text: a run that is cancelled, or a race that is lost, tries nothing again. */
	{ "retry-wait", "cancel", "failed" },       { "retry-wait", "cancel", "in-doubt" },
	/* Beyond the text, by its guard [n = max]: the last try fails without the wait in between. */
	{ "intent", "transient", "failed" },        { "intent", "ambiguous", "failed" },
	{ "probing", "absent", "failed" },
};

static const struct arrow approval[] = {
	{ "proposed", "publish", "pending" },
	{ "pending", "approve", "approved" },       { "pending", "reject", "rejected" },
	{ "pending", "respond", "answered" },       { "pending", "edit", "edited" },
	{ "pending", "snooze", "pending" },         { "pending", "delegate", "pending" },
	{ "pending", "remind", "pending" },         { "pending", "escalate", "pending" },
	{ "pending", "expire", "expired" },         { "pending", "withdraw", "withdrawn" },
	{ "pending", "void", "void" },
	{ "approved", "undo", "pending" },          { "rejected", "undo", "pending" },
	{ "answered", "undo", "pending" },
	{ "rejected", "settle", "settled" },        { "answered", "settle", "settled" },   /* grace ends */
	{ "approved", "consume", "consumed" },      { "approved", "expire", "expired" },
	{ "approved", "withdraw", "withdrawn" },    { "approved", "void", "void" },
	/* Beyond the text: a run may also end while such a decision's grace runs. */
	{ "rejected", "withdraw", "withdrawn" },    { "answered", "withdraw", "withdrawn" },
};

static const struct arrow timer[] = {
	{ "armed", "due", "fired" }, { "armed", "cancel", "cancelled" },
};

/* The text gives a task's states; its arrows follow from the events of the log. */
static const struct arrow task[] = {
	{ "pending", "start", "running" },          { "pending", "complete", "completed" },
	{ "pending", "skip", "skipped" },           { "pending", "fault", "faulted" },
	{ "running", "complete", "completed" },     { "running", "fault", "faulted" },
	{ "running", "catch", "running" },          { "running", "cancel", "cancelled" },
	{ "running", "skip", "skipped" },           /* `on-reject: continue` */
	{ "running", "wait", "waiting" },           { "waiting", "go-on", "running" },
	{ "waiting", "cancel", "cancelled" },       { "waiting", "fault", "faulted" },
	{ "waiting", "complete", "completed" },
};

static const struct arrow reversal[] = {
	{ "none", "register", "registered" },       /* operation done, reversal declared */
	{ "registered", "begin", "open" },          /* an attempt with its own key */
	{ "open", "done", "reversed" },             { "open", "fail", "stuck" },
	/* The operator's, as in the run's machine. */
	{ "stuck", "retry", "registered" },         { "stuck", "waive", "waived" },
};

static const struct arrow breaker[] = {
	{ "closed", "fail", "open" },               /* k failures in the window */
	{ "open", "time", "half-open" },            { "half-open", "ok", "closed" },
	{ "half-open", "fail", "open" },            { "half-open", "ambiguous", "open" },
	/* The failures before the kth, which the log counts. */
	{ "closed", "fail", "closed" },
};

static const struct book {
	const char *name;
	const struct arrow *arrows;
	size_t n;
	const char *first;
} books[] = {
	{ "run", run, CS_ARRAY_LEN(run), "created" },
	{ "task", task, CS_ARRAY_LEN(task), "pending" },
	{ "attempt", attempt, CS_ARRAY_LEN(attempt), "planned" },
	{ "approval", approval, CS_ARRAY_LEN(approval), "proposed" },
	{ "timer", timer, CS_ARRAY_LEN(timer), "armed" },
	{ "reversal", reversal, CS_ARRAY_LEN(reversal), "none" },
	{ "breaker", breaker, CS_ARRAY_LEN(breaker), "closed" },
};

static const cs_machine *machine(const char *name)
{
	for (size_t i = 0; cs_machines[i] != NULL; i++)
		if (strcmp(cs_machines[i]->name, name) == 0)
			return cs_machines[i];
	fail_msg("there is no machine %s", name);
	return NULL;
}

static bool listed(const struct book *b, const char *from, const char *event, const char *to)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->arrows[i].from, from) == 0 && strcmp(b->arrows[i].event, event) == 0 &&
		    (to == NULL || strcmp(b->arrows[i].to, to) == 0))
			return true;
	return false;
}

static bool in_list(const char *const *list, const char *word)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

static void walk_pair(const struct book *b, const cs_machine *m, const char *from, const char *event)
{
	bool want = listed(b, from, event, NULL);
	cs_err err = { 0 };
	if (cs_machine_allows(m, from, event) != want)
		fail_msg("%s: %s --%s--> is %s", b->name, from, event, want ? "refused" : "allowed");
	int rc = cs_machine_require(m, from, event, &err);
	assert_int_equal(rc, want ? CS_OK : CS_EREFUSED);
	if (!want && (strncmp(err.msg, "illegal-transition", 18) != 0 || strstr(err.msg, from) == NULL))
		fail_msg("%s: %s --%s--> is refused with: %s", b->name, from, event, err.msg);
	for (size_t k = 0; m->states[k] != NULL; k++)
		if (cs_machine_has(m, from, event, m->states[k]) != listed(b, from, event, m->states[k]))
			fail_msg("%s: %s --%s--> %s is %s", b->name, from, event, m->states[k],
				 listed(b, from, event, m->states[k]) ? "refused" : "allowed");
}

static void test_every_pair_is_as_the_specification_lists_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(books); i++) {
		const cs_machine *m = machine(books[i].name);
		assert_string_equal(m->states[0], books[i].first);
		for (size_t s = 0; m->states[s] != NULL; s++)
			for (size_t e = 0; m->events[e] != NULL; e++)
				walk_pair(&books[i], m, m->states[s], m->events[e]);
	}
}

/* Nothing of the specification is lost because a machine does not know the word. */
static void test_every_word_of_the_specification_is_known(void **state)
{
	(void)state;
	size_t machines = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(books); i++) {
		const cs_machine *m = machine(books[i].name);
		for (size_t k = 0; k < books[i].n; k++) {
			const struct arrow *a = &books[i].arrows[k];
			if (!in_list(m->states, a->from) || !in_list(m->states, a->to) || !in_list(m->events, a->event))
				fail_msg("%s does not know %s --%s--> %s", m->name, a->from, a->event, a->to);
		}
	}
	while (cs_machines[machines] != NULL)
		machines++;
	assert_int_equal(machines, CS_ARRAY_LEN(books));
}

static void test_words_of_nobody_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; cs_machines[i] != NULL; i++) {
		assert_int_equal(cs_machine_require(cs_machines[i], cs_machines[i]->states[0], "no-such-event", NULL), CS_EREFUSED);
		assert_int_equal(cs_machine_require(cs_machines[i], "no-such-state", cs_machines[i]->events[0], NULL), CS_EREFUSED);
	}
}

/* I15, as far as the tables go: only the operator's retry and rollback leave a terminal state; adopt and correct keep it. */
static void test_a_terminal_run_is_left_by_the_operator_alone(void **state)
{
	(void)state;
	static const char *const terminal[] = { "completed", "faulted", "cancelled", "compensated" };
	for (size_t s = 0; cs_machine_run.states[s] != NULL; s++) {
		const char *name = cs_machine_run.states[s];
		bool ends = false;
		for (size_t i = 0; i < CS_ARRAY_LEN(terminal); i++)
			ends = ends || strcmp(terminal[i], name) == 0;
		assert_int_equal(cs_run_state_terminal(name), ends);
		for (size_t e = 0; ends && cs_machine_run.events[e] != NULL; e++) {
			const char *event = cs_machine_run.events[e];
			bool faulted = strcmp(name, "faulted") == 0;
			bool may = (faulted && (strcmp(event, "retry") == 0 || strcmp(event, "adopt") == 0 || strcmp(event, "correct") == 0)) || strcmp(event, "rollback") == 0;
			assert_int_equal(cs_machine_allows(&cs_machine_run, name, event), may);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair_is_as_the_specification_lists_it),
		cmocka_unit_test(test_every_word_of_the_specification_is_known),
		cmocka_unit_test(test_words_of_nobody_are_refused),
		cmocka_unit_test(test_a_terminal_run_is_left_by_the_operator_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
