/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folds of what is taken back: a list of reversals, of which one at a time is an attempt. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/fold.h"

static cs_reversal *reversal_of(const cs_run *r, const cs_event *ev)
{
	const char *key = cs_json_str_or(ev->data, "key", "");
	for (size_t i = 0; i < r->n_reversals; i++)
		if (strcmp(r->reversals[i].key, key) == 0)
			return &r->reversals[i];
	return NULL;
}

/* At its place by seq: the list is in the order in which things were done. */
static cs_reversal *insert(cs_run *r, int64_t seq)
{
	r->reversals = cs_xrealloc(r->reversals, (r->n_reversals + 1) * sizeof *r->reversals);
	size_t at = r->n_reversals++;
	for (; at > 0 && r->reversals[at - 1].seq > seq; at--)
		r->reversals[at] = r->reversals[at - 1];
	r->reversals[at] = (cs_reversal){ .seq = seq };
	return &r->reversals[at];
}

static bool known(const cs_run *r, const char *key)
{
	for (size_t i = 0; i < r->n_reversals; i++)
		if (strcmp(r->reversals[i].key, key) == 0)
			return true;
	return false;
}

int cs_run_join_reversals(cs_run *r, const cs_event *ev, const cs_task *t)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(ev->data, "reversals"), i, one) {
		const char *key = cs_json_str_or(one, "key", ""), *run = cs_json_str_or(one, "run", "");
		if (strlen(key) >= CS_HEX_SIZE || strlen(run) != CS_ID_LEN)
			return CS_EINTERNAL;
		if (known(r, key))           /* it has ended before, and was taken up again */
			continue;
		cs_reversal *v = insert(r, cs_json_int_or(one, "seq", ev->seq));
		memcpy(v->key, key, strlen(key) + 1);
		memcpy(v->run, run, CS_ID_SIZE);
		v->name = cs_xstrdup(cs_json_str_or(one, "name", ""));
		v->task = t->id;
		v->occurrence = ev->occurrence;
	}
	return CS_OK;
}

static int registered(cs_run *r, const cs_event *ev, const cs_task *t)
{
	const char *key = cs_json_str_or(ev->data, "key", "");
	cs_frame *f = r->live[t->id];
	if (f == NULL || f->call == NULL || strlen(key) >= CS_HEX_SIZE || reversal_of(r, ev) != NULL)
		return CS_EINTERNAL;
	cs_reversal *v = insert(r, ev->seq);
	v->task = t->id;
	v->occurrence = ev->occurrence;
	v->tainted = f->call->args_tainted || f->call->result_tainted;
	memcpy(v->key, key, strlen(key) + 1);
	memcpy(v->once, f->call->once, sizeof v->once);
	cs_json_put(&v->input, f->call->args);
	cs_json_put(&v->result, json_object_get(ev->data, "result"));
	f->call->registered = true;
	return CS_OK;
}

/* The frame of the attempt hangs below the root: nothing else is live when something is taken back. */
static int begun(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_reversal *v = reversal_of(r, ev);
	if (v == NULL || r->root->child != NULL || r->live[t->id] != NULL)
		return CS_EINTERNAL;
	if (v->run[0] != '\0') {        /* its attempt is one of that run */
		v->tries = (unsigned)cs_json_int_or(ev->data, "n", 1);
		v->state = CS_REVERSAL_OPEN;
		return CS_OK;
	}
	cs_frame *f = cs_frame_new(t, r->root);
	f->occurrence = ev->occurrence;
	f->started_at = ev->at;
	f->started_seq = ev->seq;
	cs_json_put(&f->input, v->input);
	f->input_tainted = v->tainted;
	f->call = cs_xcalloc(1, sizeof *f->call);
	f->call->name = cs_xstrdup(cs_json_str_or(ev->data, "call", ""));
	memcpy(f->call->reverses, v->key, sizeof f->call->reverses);
	f->call->logical = v->tries = (unsigned)cs_json_int_or(ev->data, "n", 1);
	f->call->args_tainted = v->tainted;
	v->state = CS_REVERSAL_OPEN;
	r->root->child = f;
	r->live[t->id] = f;
	return CS_OK;
}

static void over(cs_run *r, const cs_task *t)
{
	cs_frame *f = r->live[t->id];
	if (!cs_frame_reverses(f))
		return;
	r->live[t->id] = NULL;
	r->root->child = NULL;
	cs_frame_free(f);
}

static int reversed(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_reversal *v = reversal_of(r, ev);
	if (v == NULL)
		return CS_EINTERNAL;
	v->state = CS_REVERSAL_REVERSED;
	over(r, t);
	return CS_OK;
}

static int failed(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_reversal *v = reversal_of(r, ev);
	if (v == NULL)
		return CS_EINTERNAL;
	if (cs_frame_reverses(r->live[t->id]) && r->live[t->id]->call->logical > v->tries)
		v->tries = r->live[t->id]->call->logical;    /* the next has another key */
	v->state = CS_REVERSAL_STUCK;
	cs_json_put(&v->error, json_object_get(ev->data, "error"));
	over(r, t);
	return CS_OK;
}

static int waived(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_reversal *v = reversal_of(r, ev);
	(void)t;
	if (v == NULL)
		return CS_EINTERNAL;
	v->state = CS_REVERSAL_WAIVED;
	return CS_OK;
}

int cs_run_fold_reversal(cs_run *r, const cs_event *ev, const cs_task *t)
{
	static const struct {
		const char *type;
		int (*fold)(cs_run *r, const cs_event *ev, const cs_task *t);
	} folds[] = {
		{ "reversal.registered", registered }, { "reversal.begun", begun }, { "reversal.reversed", reversed },
		{ "reversal.failed", failed }, { "reversal.waived", waived },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(folds); i++)
		if (strcmp(folds[i].type, ev->type) == 0)
			return folds[i].fold(r, ev, t);
	return CS_EINTERNAL;
}

/* What is to be taken back, and for whom; going on with it leaves that as it is. */
static void limit(cs_run *r, const cs_event *ev)
{
	const char *why = cs_json_str_or(ev->data, "why", ""), *only = cs_json_str_or(ev->data, "only", "");
	const char *root = cs_json_str_or(ev->data, "root", ""), *within = cs_json_str(ev->data, "within");
	if (strcmp(why, "retry") == 0 || strcmp(why, "waive") == 0)
		return;
	const cs_task *t = within != NULL ? cs_flow_task(r->flow, within) : NULL;
	r->within = t != NULL ? t->id : -1;
	if (strlen(only) < sizeof r->only)
		memcpy(r->only, only, strlen(only) + 1);
	if (strlen(root) < sizeof r->led_by)
		memcpy(r->led_by, root, strlen(root) + 1);
}

int cs_run_fold_compensating(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)t;
	r->state = CS_RUN_COMPENSATING;
	if (json_object_get(ev->data, "error") != NULL)
		cs_json_put(&r->error, json_object_get(ev->data, "error"));
	limit(r, ev);
	for (size_t i = 0; i < r->n_reversals; i++)          /* the operator has had a look: once more */
		if (r->reversals[i].state == CS_REVERSAL_STUCK)
			r->reversals[i].state = CS_REVERSAL_REGISTERED;
	return CS_OK;
}
