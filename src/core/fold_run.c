/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folds of run.*. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/copied.h"
#include "core/fold.h"

static json_t *member(const cs_event *ev, const char *name)
{
	return ev->data != NULL ? json_object_get(ev->data, name) : NULL;
}

int cs_run_fold_created(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)t;
	r->state = CS_RUN_CREATED;
	r->created_at = r->started_at = ev->at;
	r->simulated = ev->simulated;
	r->shadow = cs_json_true(ev->data, "shadow");
	r->ask_again = cs_json_true(ev->data, "ask");
	r->input_tainted = cs_json_true(ev->data, "tainted");
	cs_json_put(&r->input, member(ev, "input"));
	if (r->input == NULL)
		r->input = json_object();
	cs_json_put(&r->patch, member(ev, "patch"));
	cs_json_put(&r->chain, member(ev, "chain"));
	free(r->subject);
	r->subject = cs_xstrdup(cs_json_str(ev->data, "subject"));
	r->created_seq = ev->seq;
	r->doubtful = ev->seq < r->copied_seq || cs_json_true(r->chain, CS_CHAIN_COPIED);
	free(r->from);
	r->from = cs_xstrdup(cs_json_str(ev->data, "from"));
	r->clock = cs_json_int_or(ev->data, "clock", 0);
	cs_frame_free(r->root);
	r->root = cs_frame_new(NULL, NULL);
	const char *parent = cs_json_str_or(ev->data, "parent", "");
	if (strlen(parent) == CS_ID_LEN)
		memcpy(r->parent, parent, CS_ID_SIZE);
	bool called = member(ev, "caller") != NULL;
	const char *replays = called ? cs_json_str_or(ev->data, "replays", "") : parent;
	if (strlen(replays) == CS_ID_LEN)
		memcpy(r->replays, replays, CS_ID_SIZE);
	r->awaited = called && !cs_json_true(ev->data, "detached");
	const char *origin = cs_json_str_or(ev->data, "origin", r->id);
	if (strlen(origin) == CS_ID_LEN)
		memcpy(r->origin, origin, CS_ID_SIZE);
	return CS_OK;
}

int cs_run_fold_started(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)t;
	r->state = CS_RUN_RUNNING;
	/* A replay keeps the clock of the run that it replays. */
	r->started_at = cs_json_int_or(ev->data, "clock", ev->at);
	r->deadline = cs_json_int_or(ev->data, "deadline", 0);
	cs_json_put(&r->start, member(ev, "input") != NULL ? member(ev, "input") : r->input);
	cs_json_put(&r->context, r->start);
	r->context_tainted = r->input_tainted;
	cs_frame_free(r->root);
	r->root = cs_frame_new(NULL, NULL);
	r->root->started_at = ev->at;
	r->root->started_seq = ev->seq;
	r->root->next = cs_frame_first(r, r->root);
	cs_json_put(&r->root->last, r->start);
	r->root->last_tainted = r->input_tainted;
	return CS_OK;
}

int cs_run_fold_state(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)t;
	static const struct {
		const char *type;
		cs_run_state to;
	} states[] = {
		{ "run.blocked", CS_RUN_WAITING },     { "run.unblocked", CS_RUN_RUNNING },
		{ "run.pausing", CS_RUN_PAUSING },     { "run.paused", CS_RUN_PAUSED },
		{ "run.resumed", CS_RUN_RUNNING },     { "run.cancelling", CS_RUN_CANCELLING },
		{ "run.cancelled", CS_RUN_CANCELLED },
		{ "run.compensated", CS_RUN_COMPENSATED }, { "run.stuck", CS_RUN_STUCK },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(states); i++)
		if (strcmp(states[i].type, ev->type) == 0)
			r->state = states[i].to;
	return CS_OK;
}

int cs_run_fold_completed_run(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)t;
	r->state = CS_RUN_COMPLETED;
	cs_json_put(&r->output, member(ev, "output"));
	return CS_OK;
}

int cs_run_fold_faulted_run(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)t;
	r->state = CS_RUN_FAULTED;
	cs_json_put(&r->error, member(ev, "error"));
	return CS_OK;
}

/* It is somebody else's, here to be looked at: what was open there is over here. */
int cs_run_fold_imported(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)ev;
	(void)t;
	r->imported = true;
	if (!cs_run_state_terminal(cs_run_state_name(r->state)))
		r->state = CS_RUN_CANCELLED;
	return CS_OK;
}

/* The faults that nobody caught are lifted, each where it stands; those tasks begin again. */
static void lift_faults(cs_frame *f)
{
	if (f == NULL)
		return;
	if (f->fault != NULL) {
		cs_json_put(&f->fault, NULL);
		free(CS_STEAL(f->fault_ref));
		cs_frame_forget(f);
	}
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		lift_faults(f->kids[i]);
	lift_faults(f->child);
}

int cs_run_fold_retried(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)ev;
	(void)t;
	r->state = CS_RUN_RUNNING;
	r->deadline = 0;             /* the operator took it up again: its time is theirs to watch */
	cs_json_put(&r->error, NULL);
	lift_faults(r->root);
	return CS_OK;
}
