/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing an event of a run: appended to the open group, then folded into the run at once. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/fold.h"
#include "core/life.h"

enum { TITLE_BYTES = 400 };   /* of an error's title in the inbox; all of it is in the error */

/* What a dry connector answers in a live run is simulated, and its attempt says so. */
static bool simulated(const cs_run *r, const cs_task *task, const char *type)
{
	const cs_frame *f = task != NULL && strncmp(type, "attempt.", 8) == 0 ? r->live[task->id] : NULL;
	return r->simulated || (f != NULL && f->call != NULL && f->call->simulated);
}

static int put(cs_run *r, cs_step *s, const cs_event *ev, const cs_task *task, cs_err *err)
{
	cs_event own = *ev;
	cs_life_before before = { 0 };
	if (s->life != 0)
		cs_life_look(r, task, &before);
	int rc = s->append(s->ctx, &own, err);
	if (rc == CS_OK)
		rc = cs_run_fold_event(r, &own, task, err);
	if (rc == CS_OK && s->life != 0)
		return cs_life_tell(r, s, &own, task, &before, err);
	json_decref(before.keys);
	return rc;
}

/* An attempt has ended, whatever its record weighs: it ends without what does not fit. */
static int put_lighter(cs_run *r, cs_step *s, const cs_event *ev, const cs_task *task, cs_err *err)
{
	CS_AUTOJSON json_t *data = json_copy(ev->data);
	cs_event lighter = *ev;
	json_object_del(data, "record");
	lighter.data = data;
	int rc = put(r, s, &lighter, task, err);
	if (rc != CS_ETOOBIG)
		return rc;
	json_object_del(data, "result");
	json_object_set_new(data, "error", cs_error_new("runtime", "what came back is larger than an event of the log may be", task->ref));
	return put(r, s, &lighter, task, err);
}

/* What no event can hold faults its task, not the engine. CS_EAGAIN: the task is over, nobody may look at its
 * frame any more. */
static int put_fault(cs_run *r, cs_step *s, const cs_event *ev, const cs_task *task, const char *detail, cs_err *err)
{
	CS_AUTOJSON json_t *data = json_pack("{s:o}", "error", cs_error_new("runtime", detail, task->ref));
	if (cs_frame_reverses(r->live[task->id]))
		json_object_set_new(data, "key", json_string(cs_call_reverses(r->live[task->id]->call)));
	cs_event fault = *ev;
	fault.type = cs_frame_reverses(r->live[task->id]) ? "reversal.failed" : "task.faulted";
	fault.simulated = r->simulated;
	fault.data = data;
	int rc = put(r, s, &fault, task, err);
	r->cut_short = true;
	return rc != CS_OK ? rc : CS_EAGAIN;
}

/* Is EV one of those in whose place its task may end? */
static bool may_fault(const cs_event *ev, const cs_task *task)
{
	static const char *const begun[] = { "task.started", "task.completed", "attempt.intent", "approval.published", "event.emitted", "child.ended" };
	if (task == NULL)
		return false;
	for (size_t i = 0; i < CS_ARRAY_LEN(begun); i++)
		if (strcmp(begun[i], ev->type) == 0)
			return true;
	return strcmp(ev->type, "item.opened") == 0 && strcmp(cs_json_str_or(ev->data, "kind", ""), "notice") == 0;
}

static int put_too_big(cs_run *r, cs_step *s, const cs_event *ev, const cs_task *task, int rc, cs_err *err)
{
	if (may_fault(ev, task))
		return put_fault(r, s, ev, task, "a value of this task is larger than an event of the log may be; keep less in it", err);
	return task != NULL && strncmp(ev->type, "attempt.", 8) == 0 ? put_lighter(r, s, ev, task, err) : rc;
}

/* The log did not take it, and has nothing of it. One run's data ends that run's task; the others go on. */
static int put_misfit(cs_run *r, cs_step *s, const cs_event *ev, const cs_task *task, const cs_err *why, cs_err *err)
{
	CS_AUTOFREE char *detail = cs_xasprintf("the log cannot take what this task writes: %s; correct what the task is given", why->msg);
	return put_fault(r, s, ev, task, detail, err);
}

int cs_run_write_as(cs_run *r, cs_step *s, const char *actor, const char *type, const cs_task *task, int occurrence, json_t *data, cs_err *err)
{
	CS_AUTOJSON json_t *owned = data != NULL ? data : json_object();
	cs_event ev = {
		.at = s->now, .task = task != NULL ? task->ref : NULL, .occurrence = occurrence, .type = type,
		.actor = actor, .cause = s->cause != 0 ? s->cause : r->last_seq,
		.simulated = simulated(r, task, type), .data = owned,
	};
	memcpy(ev.run, r->id, sizeof ev.run);
	int64_t before = r->last_seq;
	cs_err why = { 0 };
	int rc = put(r, s, &ev, task, &why);
	if (rc != CS_OK && err != NULL)
		*err = why;
	if (rc == CS_EINVAL && r->last_seq == before && may_fault(&ev, task))
		return put_misfit(r, s, &ev, task, &why, err);
	return rc == CS_ETOOBIG ? put_too_big(r, s, &ev, task, rc, err) : rc;
}

static bool goes_on(const char *type)
{
	return strncmp(type, "task.", 5) == 0 || strncmp(type, "attempt.", 8) == 0;
}

int cs_run_write(cs_run *r, cs_step *s, const char *type, const cs_task *task, int occurrence, json_t *data, cs_err *err)
{
	const char *actor = s->actor != NULL ? s->actor : "engine";
	if (r->state == CS_RUN_WAITING && goes_on(type)) {
		int rc = cs_run_write_as(r, s, "engine", "run.unblocked", NULL, 0, NULL, err);
		if (rc != CS_OK) {
			json_decref(data);
			return rc;
		}
	}
	return cs_run_write_as(r, s, actor, type, task, occurrence, data, err);
}

static int title_length(const char *title)
{
	size_t n = strnlen(title, TITLE_BYTES);
	while (n > 0 && ((unsigned char)title[n] & 0xc0) == 0x80)
		n--;
	return (int)n;
}

int cs_run_write_fault(cs_run *r, cs_step *s, json_t *error, const char *at, const char *next, cs_err *err)
{
	if (s->compensates != NULL && (cs_reversals_left(r) || cs_run_sub_is_open(r) || r->n_below > 0) && s->compensates(s->ctx, r))
		return cs_run_write(r, s, "run.compensating", NULL, 0,
				    json_pack("{s:s, s:O, s:s}", "why", "fault", "error", error, "task", at), err);
	int rc = cs_run_write(r, s, "run.faulted", NULL, 0, json_pack("{s:O, s:s}", "error", error, "task", at), err);
	if (rc != CS_OK || r->awaited)   /* who awaits it has the error now, and the item if nobody takes it */
		return rc;
	char id[CS_ID_SIZE];
	s->new_id(s->ctx, id);
	const char *title = cs_json_str_or(error, "title", "error");
	CS_AUTOFREE char *text = cs_xasprintf("%s faulted: %.*s", r->flow->name, title_length(title), title);
	return cs_run_write(r, s, "item.opened", NULL, 0,
			    json_pack("{s:s, s:s, s:s, s:s, s:O, s:s}", "item", id, "kind", "fault", "title", text,
				      "next", next, "error", error, "at", at), err);
}
