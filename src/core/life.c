/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/life.h"

#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

#define TYPE(name) "io.serverlessworkflow." name ".v1"

/* The member of its data that says when; the name is what an id says of it. */
static const struct {
	const char *type, *name, *at;
} kinds[] = {
	[CS_LIFE_RUN_STARTED] = { TYPE("workflow.started"), "workflow.started", "startedAt" },
	[CS_LIFE_RUN_SUSPENDED] = { TYPE("workflow.suspended"), "workflow.suspended", "suspendedAt" },
	[CS_LIFE_RUN_RESUMED] = { TYPE("workflow.resumed"), "workflow.resumed", "resumedAt" },
	[CS_LIFE_RUN_CORRELATING] = { TYPE("workflow.correlation-started"), "workflow.correlation-started", "startedAt" },
	[CS_LIFE_RUN_CORRELATED] = { TYPE("workflow.correlation-completed"), "workflow.correlation-completed", "completedAt" },
	[CS_LIFE_RUN_CANCELLED] = { TYPE("workflow.cancelled"), "workflow.cancelled", "cancelledAt" },
	[CS_LIFE_RUN_FAULTED] = { TYPE("workflow.faulted"), "workflow.faulted", "faultedAt" },
	[CS_LIFE_RUN_COMPLETED] = { TYPE("workflow.completed"), "workflow.completed", "completedAt" },
	[CS_LIFE_RUN_STATUS] = { TYPE("workflow.status-changed"), "workflow.status-changed", "updatedAt" },
	[CS_LIFE_TASK_CREATED] = { TYPE("task.created"), "task.created", "createdAt" },
	[CS_LIFE_TASK_STARTED] = { TYPE("task.started"), "task.started", "startedAt" },
	[CS_LIFE_TASK_SUSPENDED] = { TYPE("task.suspended"), "task.suspended", "suspendedAt" },
	[CS_LIFE_TASK_RESUMED] = { TYPE("task.resumed"), "task.resumed", "resumedAt" },
	[CS_LIFE_TASK_RETRIED] = { TYPE("task.retried"), "task.retried", "retriedAt" },
	[CS_LIFE_TASK_CANCELLED] = { TYPE("task.cancelled"), "task.cancelled", "cancelledAt" },
	[CS_LIFE_TASK_FAULTED] = { TYPE("task.faulted"), "task.faulted", "faultedAt" },
	[CS_LIFE_TASK_COMPLETED] = { TYPE("task.completed"), "task.completed", "completedAt" },
	[CS_LIFE_TASK_STATUS] = { TYPE("task.status-changed"), "task.status-changed", "updatedAt" },
};

const char *cs_life_type(cs_life kind)
{
	return kinds[kind].type;
}

static unsigned bit(cs_life kind)
{
	return 1U << kind;
}

static bool is_type(const cs_event_want *w)
{
	return w->literal != NULL && strcmp(w->name, "type") == 0;
}

static unsigned named_by(const cs_event_want *w)
{
	unsigned named = 0;
	for (int i = 0; i < CS_LIFE_COUNT; i++) {
		CS_AUTOJSON json_t *type = json_string(kinds[i].type);
		if (cs_want_met(w, type))
			named |= bit((cs_life)i);
	}
	return named;
}

unsigned cs_life_named(const cs_strategy *s)
{
	unsigned named = 0;
	for (int i = 0; i < s->n_filters; i++)
		for (int k = 0; k < s->filters[i].n_wants; k++)
			if (is_type(&s->filters[i].wants[k]))
				named |= named_by(&s->filters[i].wants[k]);
	return named;
}

static bool asked(const cs_strategy *s, const json_t *type)
{
	for (int i = 0; i < s->n_filters; i++)
		for (int k = 0; k < s->filters[i].n_wants; k++)
			if (is_type(&s->filters[i].wants[k]) && cs_want_met(&s->filters[i].wants[k], type))
				return true;
	return false;
}

bool cs_life_asked(const cs_listen *l, const json_t *event)
{
	const json_t *type = json_object_get(event, "type");
	return asked(&l->to, type) || (l->until_events != NULL && asked(l->until_events, type));
}

unsigned cs_life_of(const cs_listen *l)
{
	return cs_life_named(&l->to) | (l->until_events != NULL ? cs_life_named(l->until_events) : 0);
}

/* ---- telling ----------------------------------------------------------------------------------------- */

/* One entry of the log, on its way to those that want it. */
struct telling {
	const cs_run *r;
	cs_step *s;
	const cs_event *ev;
	const cs_life_before *before;
	cs_err *err;
	int rc;
};

static json_t *new_event(const struct telling *w, cs_life kind, const char *task)
{
	const cs_flow *f = w->r->flow;
	bool of_task = kind >= CS_LIFE_TASK_CREATED;
	char at[CS_TIME_SIZE];
	cs_time_format(w->ev->at, at);
	json_t *data = json_pack("{s:o, s:s}", of_task ? "workflow" : "name", json_sprintf("%s-%s.%s", f->name, w->r->id, f->ns),
				 kinds[kind].at, at);
	if (of_task)
		json_object_set_new(data, "task", json_string(task));
	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:o}", "specversion", "1.0",
			 "id", json_sprintf("%lld/%s%s", (long long)w->ev->seq, kinds[kind].name, of_task ? task : ""),
			 "source", json_sprintf("/%s/%s/%s", f->ns, f->name, f->version), "type", kinds[kind].type,
			 "subject", w->r->id, "time", at, "datacontenttype", "application/json", "data", data);
}

/* MORE is taken over: further members of its data, left out where an event has no room for them. */
static void tell(struct telling *w, cs_life kind, const char *task, json_t *more, bool tainted)
{
	CS_AUTOJSON json_t *owned = more;
	if (w->rc != CS_OK || (w->s->life & bit(kind)) == 0)
		return;
	CS_AUTOJSON json_t *event = new_event(w, kind, task);
	json_object_update(json_object_get(event, "data"), owned);
	CS_AUTOJSON json_t *invalid = cs_event_complaint(event, "");
	if (invalid != NULL) {
		json_t *data = json_object_get(event, "data");
		json_object_del(data, "correlationKeys");
		if (json_object_get(data, "error") != NULL)
			json_object_set_new(data, "error", cs_error_new("runtime",
				"the error is larger than an event may be; `capstan show` of the run has it", task != NULL ? task : ""));
	}
	w->rc = w->s->tell(w->s->ctx, w->r, (int)kind, event, tainted, w->ev->seq, w->err);
}

static void tell_status(struct telling *w, cs_life kind, const char *task, const char *status)
{
	if ((w->s->life & bit(kind)) != 0)
		tell(w, kind, task, json_pack("{s:s}", "status", status), false);
}

/* What an error says may come from anywhere. */
static void tell_error(struct telling *w, cs_life kind, const char *task, json_t *error)
{
	tell(w, kind, task, json_pack("{s:O*}", "error", error), true);
}

/* ---- of a task --------------------------------------------------------------------------------------- */

static void task_began(struct telling *w, const cs_task *t)
{
	tell(w, CS_LIFE_TASK_CREATED, t->ref, NULL, false);
	tell_status(w, CS_LIFE_TASK_STATUS, t->ref, "running");
	tell(w, CS_LIFE_TASK_STARTED, t->ref, NULL, false);
	if (t->kind == CS_TASK_LISTEN)
		tell(w, CS_LIFE_RUN_CORRELATING, NULL, NULL, false);
}

/* A task that is done at once has one entry for all of it. */
static void task_ends(struct telling *w, const cs_task *t)
{
	if (!w->before->live)
		task_began(w, t);
}

static void task_completed(struct telling *w, const cs_task *t)
{
	task_ends(w, t);
	if (t->kind == CS_TASK_LISTEN)
		tell(w, CS_LIFE_RUN_CORRELATED, NULL, json_pack("{s:O*}", "correlationKeys", w->before->keys), w->before->tainted);
	tell_status(w, CS_LIFE_TASK_STATUS, t->ref, "completed");
	tell(w, CS_LIFE_TASK_COMPLETED, t->ref, NULL, false);
}

/* Its condition was false: it never was. Its gate was not passed, and the flow goes on: it was. */
static void task_skipped(struct telling *w, const cs_task *t)
{
	if (w->before->live)
		task_completed(w, t);
}

static void task_faulted(struct telling *w, const cs_task *t)
{
	task_ends(w, t);
	tell_status(w, CS_LIFE_TASK_STATUS, t->ref, "faulted");
	tell_error(w, CS_LIFE_TASK_FAULTED, t->ref, json_object_get(w->ev->data, "error"));
}

static void task_cancelled(struct telling *w, const cs_task *t)
{
	tell_status(w, CS_LIFE_TASK_STATUS, t->ref, "cancelled");
	tell(w, CS_LIFE_TASK_CANCELLED, t->ref, NULL, false);
}

static void task_retried(struct telling *w, const cs_task *t)
{
	tell(w, CS_LIFE_TASK_RETRIED, t->ref, NULL, false);
}

static void task_caught(struct telling *w, const cs_task *t)
{
	if (json_object_get(w->ev->data, "due") != NULL)
		task_retried(w, t);
}

/* ---- of a run ---------------------------------------------------------------------------------------- */

static void run_created(struct telling *w, const cs_task *t)
{
	(void)t;
	tell_status(w, CS_LIFE_RUN_STATUS, NULL, "pending");
}

static void run_started(struct telling *w, const cs_task *t)
{
	const cs_flow *f = w->r->flow;
	(void)t;
	tell_status(w, CS_LIFE_RUN_STATUS, NULL, "running");
	tell(w, CS_LIFE_RUN_STARTED, NULL, json_pack("{s:{s:s, s:s, s:s}}", "definition", "name", f->name, "namespace", f->ns, "version", f->version),
	     false);
}

static void each_live(struct telling *w, cs_life kind, const char *status)
{
	for (int i = 0; i < w->r->flow->n_tasks; i++) {
		if (w->r->live[i] == NULL)
			continue;
		tell_status(w, CS_LIFE_TASK_STATUS, w->r->flow->tasks[i].ref, status);
		tell(w, kind, w->r->flow->tasks[i].ref, NULL, false);
	}
}

static void run_paused(struct telling *w, const cs_task *t)
{
	(void)t;
	each_live(w, CS_LIFE_TASK_SUSPENDED, "suspended");
	tell_status(w, CS_LIFE_RUN_STATUS, NULL, "suspended");
	tell(w, CS_LIFE_RUN_SUSPENDED, NULL, NULL, false);
}

static void run_goes_on(struct telling *w, const cs_task *t)
{
	(void)t;
	tell_status(w, CS_LIFE_RUN_STATUS, NULL, "running");
	tell(w, CS_LIFE_RUN_RESUMED, NULL, NULL, false);
}

static void run_resumed(struct telling *w, const cs_task *t)
{
	run_goes_on(w, t);
	each_live(w, CS_LIFE_TASK_RESUMED, "running");
}

static void run_completed(struct telling *w, const cs_task *t)
{
	(void)t;
	tell_status(w, CS_LIFE_RUN_STATUS, NULL, "completed");
	tell(w, CS_LIFE_RUN_COMPLETED, NULL, NULL, false);
}

static void run_faulted(struct telling *w, const cs_task *t)
{
	(void)t;
	tell_status(w, CS_LIFE_RUN_STATUS, NULL, "faulted");
	tell_error(w, CS_LIFE_RUN_FAULTED, NULL, json_object_get(w->ev->data, "error"));
}

static void run_cancelled(struct telling *w, const cs_task *t)
{
	(void)t;
	tell_status(w, CS_LIFE_RUN_STATUS, NULL, "cancelled");
	tell(w, CS_LIFE_RUN_CANCELLED, NULL, NULL, false);
}

/* A fault whose reversals come first is told here: it is the run's own end. */
static void run_compensating(struct telling *w, const cs_task *t)
{
	const char *why = cs_json_str_or(w->ev->data, "why", "");
	if (strcmp(why, "fault") == 0)
		run_faulted(w, t);
	else if (strcmp(why, "cancel") == 0)
		run_cancelled(w, t);
}

static const struct {
	const char *type;
	bool of_task;
	void (*tell)(struct telling *w, const cs_task *t);
} entries[] = {
	{ "task.completed", true, task_completed }, { "task.started", true, task_began },
	{ "task.skipped", true, task_skipped },     { "task.faulted", true, task_faulted },
	{ "task.cancelled", true, task_cancelled }, { "task.caught", true, task_caught },
	{ "attempt.retry", true, task_retried },
	{ "run.created", false, run_created },      { "run.started", false, run_started },
	{ "run.paused", false, run_paused },        { "run.resumed", false, run_resumed },
	{ "run.retried", false, run_goes_on },      { "run.completed", false, run_completed },
	{ "run.faulted", false, run_faulted },      { "run.cancelled", false, run_cancelled },
	{ "run.compensating", false, run_compensating },
};

/* ---- before and after ---------------------------------------------------------------------------------- */

/* Two listeners whose foreach each other's tasks wake would never come to an end. */
static bool in_handling(const cs_run *r, const cs_task *t)
{
	for (int i = t->parent; i >= 0; i = r->flow->tasks[i].parent) {
		const cs_hearing *h = r->live[i] != NULL ? r->live[i]->hearing : NULL;
		const char *type = h != NULL && h->handling ? cs_json_str_or(json_object_get(h->current, "event"), "type", "") : "";
		for (int k = 0; k < CS_LIFE_COUNT; k++)
			if (strcmp(type, kinds[k].type) == 0)
				return true;
	}
	return false;
}

void cs_life_look(const cs_run *r, const cs_task *t, cs_life_before *ret)
{
	const cs_frame *f = t != NULL ? r->live[t->id] : NULL;
	*ret = (cs_life_before){ .live = f != NULL, .quiet = t != NULL && in_handling(r, t) };
	if (f == NULL || f->hearing == NULL)
		return;
	ret->tainted = f->hearing->tainted;
	if (json_object_size(f->hearing->keys) > 0)
		ret->keys = json_incref(f->hearing->keys);
}

int cs_life_tell(const cs_run *r, cs_step *s, const cs_event *ev, const cs_task *t, cs_life_before *before, cs_err *err)
{
	CS_AUTOJSON json_t *keys = CS_STEAL(before->keys);
	const cs_life_before known = { .live = before->live, .tainted = before->tainted, .keys = keys };
	struct telling w = { .r = r, .s = s, .ev = ev, .before = &known, .err = err };
	if (r->shadow || before->quiet)
		return CS_OK;
	for (size_t i = 0; i < CS_ARRAY_LEN(entries); i++)
		if (strcmp(entries[i].type, ev->type) == 0 && (!entries[i].of_task || t != NULL))
			entries[i].tell(&w, t);
	return w.rc;
}
