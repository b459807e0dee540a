/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/machine.h"

#include <string.h>
#include "base/buf.h"
#include "base/mem.h"

#define STATES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define MACHINE(id, word, states_, events_)                                                       \
	const cs_machine cs_machine_##id = { word, states_, events_, id##_arrows, CS_ARRAY_LEN(id##_arrows) }

static const cs_arrow run_arrows[] = {
	{ "created", "start", "running" },
	{ "created", "fault", "faulted" },           /* the input breaks the flow's schema */
	{ "created", "cancel", "cancelling" },
	{ "running", "block", "waiting" },
	{ "waiting", "unblock", "running" },
	{ "running", "pause", "pausing" },
	{ "running", "pause", "paused" },
	{ "waiting", "pause", "pausing" },
	{ "waiting", "pause", "paused" },
	{ "pausing", "settle", "paused" },           /* the last intent ended */
	{ "paused", "resume", "running" },
	{ "running", "complete", "completed" },
	{ "running", "fault", "faulted" },
	{ "running", "cancel", "cancelling" },
	{ "waiting", "cancel", "cancelling" },
	{ "pausing", "cancel", "cancelling" },
	{ "paused", "cancel", "cancelling" },
	{ "cancelling", "settle", "cancelled" },
	{ "running", "adopt", "running" },
	{ "waiting", "adopt", "waiting" },
	{ "paused", "adopt", "paused" },
	{ "faulted", "adopt", "faulted" },
	{ "waiting", "correct", "waiting" },
	{ "paused", "correct", "paused" },
	{ "faulted", "correct", "faulted" },
	{ "faulted", "retry", "running" },
	{ "running", "fault", "compensating" },      /* on-fault: compensate, and there is something to take back */
	{ "cancelling", "settle", "compensating" },
	{ "faulted", "rollback", "compensating" },
	{ "completed", "rollback", "compensating" },
	{ "cancelled", "rollback", "compensating" },
	{ "compensated", "rollback", "compensating" },       /* what was left the first time */
	{ "compensating", "settle", "compensated" }, /* all is taken back */
	{ "compensating", "fault", "stuck" },        /* a reversal failed */
	{ "stuck", "retry", "compensating" },
	{ "stuck", "waive", "compensating" },
};
MACHINE(run, "run",
	STATES("created", "running", "waiting", "pausing", "paused", "completed", "faulted", "cancelling", "cancelled",
	       "compensating", "compensated", "stuck"),
	STATES("start", "block", "unblock", "pause", "settle", "resume", "complete", "fault", "cancel", "retry", "rollback", "waive", "adopt", "correct"));

static const cs_arrow reversal_arrows[] = {
	{ "none", "register", "registered" },
	{ "registered", "begin", "open" },           /* an attempt with its own key */
	{ "open", "done", "reversed" },
	{ "open", "fail", "stuck" },
	{ "stuck", "retry", "registered" },
	{ "stuck", "waive", "waived" },
};
MACHINE(reversal, "reversal", STATES("none", "registered", "open", "reversed", "stuck", "waived"),
	STATES("register", "begin", "done", "fail", "retry", "waive"));

static const cs_arrow task_arrows[] = {
	{ "pending", "start", "running" },
	{ "pending", "complete", "completed" },      /* a task without effect: one event */
	{ "pending", "skip", "skipped" },
	{ "pending", "fault", "faulted" },
	{ "running", "complete", "completed" },
	{ "running", "fault", "faulted" },
	{ "running", "catch", "running" },           /* a try goes on in its handler */
	{ "running", "skip", "skipped" },            /* a gate that was not passed, where the flow goes on or ends all the same */
	{ "running", "cancel", "cancelled" },
	{ "running", "wait", "waiting" },
	{ "waiting", "go-on", "running" },
	{ "waiting", "cancel", "cancelled" },
	{ "waiting", "fault", "faulted" },
	{ "waiting", "complete", "completed" },
};
MACHINE(task, "task",
	STATES("pending", "running", "waiting", "completed", "skipped", "faulted", "cancelled"),
	STATES("start", "complete", "skip", "fault", "catch", "cancel", "wait", "go-on"));

static const cs_arrow attempt_arrows[] = {
	{ "planned", "dispatch", "intent" },
	{ "intent", "ok", "done" },
	{ "intent", "not-sent", "retry-wait" },
	{ "intent", "not-sent", "failed" },
	{ "intent", "rejected", "failed" },
	{ "intent", "transient", "retry-wait" },
	{ "intent", "transient", "failed" },
	{ "intent", "ambiguous", "retry-wait" },     /* pure, read; keyed within its window */
	{ "intent", "ambiguous", "in-doubt" },       /* unsafe; keyed past its window or its tries */
	{ "intent", "ambiguous", "failed" },         /* pure and read, tries used up */
	{ "intent", "ambiguous", "probing" },        /* probe: it is asked */
	{ "probing", "found", "done" },
	{ "probing", "absent", "retry-wait" },
	{ "probing", "absent", "failed" },           /* tries used up */
	{ "probing", "unknown", "in-doubt" },
	{ "in-doubt", "happened", "done" },
	{ "in-doubt", "did-not", "failed" },
	{ "in-doubt", "repeat", "superseded" },
	{ "retry-wait", "timer", "planned" },
	{ "retry-wait", "timer", "failed" },         /* another run was before it under its business key */
	{ "retry-wait", "timer", "in-doubt" },       /* keyed, past its window */
	{ "retry-wait", "cancel", "failed" },        /* it has not happened */
	{ "retry-wait", "cancel", "in-doubt" },      /* it may have happened */
};
MACHINE(attempt, "attempt",
	STATES("planned", "intent", "probing", "retry-wait", "in-doubt", "done", "failed", "superseded"),
	STATES("dispatch", "ok", "not-sent", "rejected", "transient", "ambiguous", "found", "absent", "unknown", "happened", "did-not",
	       "repeat", "timer", "cancel"));

static const cs_arrow approval_arrows[] = {
	{ "proposed", "publish", "pending" },
	{ "pending", "approve", "approved" },
	{ "pending", "reject", "rejected" },
	{ "pending", "respond", "answered" },
	{ "pending", "edit", "edited" },
	{ "pending", "snooze", "pending" },
	{ "pending", "delegate", "pending" },
	{ "pending", "remind", "pending" },
	{ "pending", "escalate", "pending" },        /* one level higher */
	{ "pending", "expire", "expired" },
	{ "pending", "withdraw", "withdrawn" },
	{ "pending", "void", "void" },
	{ "approved", "undo", "pending" },
	{ "rejected", "undo", "pending" },
	{ "answered", "undo", "pending" },
	{ "approved", "consume", "consumed" },
	{ "approved", "expire", "expired" },
	{ "approved", "withdraw", "withdrawn" },
	{ "approved", "void", "void" },
	{ "rejected", "settle", "settled" },
	{ "answered", "settle", "settled" },
	{ "rejected", "withdraw", "withdrawn" },
	{ "answered", "withdraw", "withdrawn" },
};
MACHINE(approval, "approval",
	STATES("proposed", "pending", "approved", "rejected", "answered", "edited", "expired", "withdrawn",
	       "void", "consumed", "settled"),
	STATES("publish", "approve", "reject", "respond", "edit", "snooze", "delegate", "remind", "escalate", "expire", "withdraw",
	       "void", "undo", "consume", "settle"));

static const cs_arrow timer_arrows[] = {
	{ "armed", "due", "fired" },
	{ "armed", "cancel", "cancelled" },
};
MACHINE(timer, "timer", STATES("armed", "fired", "cancelled"), STATES("due", "cancel"));

static const cs_arrow breaker_arrows[] = {
	{ "closed", "fail", "closed" },              /* fewer than open it, within the window */
	{ "closed", "fail", "open" },
	{ "open", "time", "half-open" },
	{ "half-open", "ok", "closed" },
	{ "half-open", "fail", "open" },             /* twice as long */
	{ "half-open", "ambiguous", "open" },
};
MACHINE(breaker, "breaker", STATES("closed", "open", "half-open"), STATES("fail", "time", "ok", "ambiguous"));

const cs_machine *const cs_machines[] = {
	&cs_machine_run, &cs_machine_task, &cs_machine_attempt, &cs_machine_approval, &cs_machine_timer, &cs_machine_breaker,
	&cs_machine_reversal, NULL,
};

bool cs_machine_has(const cs_machine *m, const char *state, const char *event, const char *to)
{
	for (size_t i = 0; i < m->n_arrows; i++) {
		const cs_arrow *a = &m->arrows[i];
		if (strcmp(a->from, state) == 0 && strcmp(a->event, event) == 0 &&
		    (to == NULL || strcmp(a->to, to) == 0))
			return true;
	}
	return false;
}

bool cs_machine_allows(const cs_machine *m, const char *state, const char *event)
{
	return cs_machine_has(m, state, event, NULL);
}

/* What happens by itself, and is nobody's to command. */
static bool by_itself(const char *event)
{
	static const char *const events[] = { "block", "unblock", "settle", "start", "complete", "fault", NULL };
	for (size_t i = 0; events[i] != NULL; i++)
		if (strcmp(events[i], event) == 0)
			return true;
	return false;
}

int cs_machine_require(const cs_machine *m, const char *state, const char *event, cs_err *err)
{
	if (cs_machine_allows(m, state, event))
		return CS_OK;

	CS_AUTOBUF cs_buf possible;
	cs_buf_init(&possible, 512);
	const char *last = "";
	for (size_t i = 0; i < m->n_arrows; i++) {
		const cs_arrow *a = &m->arrows[i];
		if (strcmp(a->from, state) != 0 || strcmp(a->event, last) == 0 || by_itself(a->event))
			continue;
		(void)cs_buf_addf(&possible, "%s%s", possible.len > 0 ? ", " : "", a->event);
		last = a->event;
	}
	return cs_err_set(err, CS_EREFUSED, "illegal-transition: a%s %s that is %s cannot %s; possible: %s",
			  strchr("aeiou", m->name[0]) != NULL ? "n" : "", m->name, state, event,
			  possible.len > 0 ? cs_buf_str(&possible) : "nothing");
}

bool cs_run_state_terminal(const char *state)
{
	static const char *const terminal[] = { "completed", "faulted", "cancelled", "compensated", NULL };
	for (size_t i = 0; terminal[i] != NULL; i++)
		if (strcmp(terminal[i], state) == 0)
			return true;
	return false;
}
