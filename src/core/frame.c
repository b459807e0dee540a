/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/frame.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/record.h"

cs_frame *cs_frame_new(const cs_task *task, cs_frame *parent)
{
	cs_frame *f = cs_xcalloc(1, sizeof *f);
	f->task = task;
	f->parent = parent;
	f->next = -1;
	f->winner = -1;
	f->leads = CS_THEN_CONTINUE;
	f->done = json_object();
	if (f->done == NULL)
		abort();
	return f;
}

cs_hearing *cs_hearing_new(const cs_listen *l)
{
	cs_hearing *h = cs_xcalloc(1, sizeof *h);
	int n = l->until_events != NULL ? l->until_events->n_filters : 0;
	h->inbox = json_array();
	h->items = json_array();
	h->keys = json_object();
	h->met = cs_xcalloc((size_t)l->to.n_filters + 1, sizeof *h->met);
	h->until_met = cs_xcalloc((size_t)n + 1, sizeof *h->until_met);
	if (h->inbox == NULL || h->items == NULL || h->keys == NULL)
		abort();
	return h;
}

void cs_hearing_free(cs_hearing *h)
{
	if (h == NULL)
		return;
	json_decref(h->inbox);
	json_decref(h->current);
	json_decref(h->items);
	json_decref(h->keys);
	free(h->met);
	free(h->until_met);
	free(h);
}

static void call_free(cs_call *c)
{
	if (c == NULL)
		return;
	if (c->credential != NULL)
		explicit_bzero(c->credential, strlen(c->credential));
	free(c->credential);
	json_decref(c->policy);
	json_decref(c->once_value);
	free(c->editor);
	free(c->name);
	json_decref(c->args);
	json_decref(c->tainted_args);
	json_decref(c->request);
	json_decref(c->result);
	json_decref(c->error);
	call_free(c->outer);
	free(c);
}

void cs_frame_forget(cs_frame *f)
{
	for (size_t i = 0; i < f->n_answers; i++) {
		json_decref(f->answers[i].value);
		free(f->answers[i].failure);
	}
	free(f->answers);
	f->answers = NULL;
	f->n_answers = 0;
	f->asked = 0;
	f->generation++;
}

void cs_frame_free(cs_frame *f)
{
	if (f == NULL)
		return;
	cs_frame_free(f->child);
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		cs_frame_free(f->kids[i]);
	free(f->kids);
	cs_frame_forget(f);
	call_free(f->call);
	json_decref(f->raw);
	json_decref(f->input);
	json_decref(f->vars);
	json_decref(f->done);
	json_decref(f->tainted);
	json_decref(f->last);
	json_decref(f->items);
	json_decref(f->fault);
	json_decref(f->emitted);
	json_decref(f->rounds);
	json_decref(f->came);
	json_decref(f->sub_end);
	cs_hearing_free(f->hearing);
	free(f->fault_ref);
	free(f);
}

cs_frame *cs_frame_of_parent(const cs_run *r, const cs_task *task)
{
	if (task->parent < 0)
		return r->root;
	cs_frame *f = r->live[task->parent];
	if (f == NULL || f->kids == NULL)
		return f;
	return f->kids[task->index];
}

cs_frame *cs_frame_siblings(cs_frame *seq)
{
	while (seq->task != NULL && seq->task->role == CS_ROLE_EXTENSION)
		seq = seq->parent;
	return seq;
}

cs_frame *cs_frame_task(cs_frame *f)
{
	return f->lane ? f->parent : f;
}

static const int *children(const cs_run *r, const cs_frame *f, int *ret_n)
{
	if (f->task == NULL) {
		*ret_n = r->flow->n_roots;
		return r->flow->roots;
	}
	*ret_n = f->handler ? f->task->n_handler : f->task->n_children;
	return f->handler ? f->task->handler : f->task->children;
}

int cs_frame_first(const cs_run *r, const cs_frame *f)
{
	if (f->lane)
		return f->task->id;
	int n;
	const int *ids = children(r, f, &n);
	return n > 0 ? ids[0] : -1;
}

int cs_frame_after(const cs_run *r, const cs_task *t, int then)
{
	if (then >= 0)
		return then;
	if (then != CS_THEN_CONTINUE)
		return -1;
	const cs_task *parent = t->parent < 0 ? NULL : &r->flow->tasks[t->parent];
	if (parent != NULL && parent->kind == CS_TASK_FORK)
		return -1;
	int n = r->flow->n_roots;
	const int *ids = r->flow->roots;
	if (parent != NULL) {
		n = t->in_handler ? parent->n_handler : parent->n_children;
		ids = t->in_handler ? parent->handler : parent->children;
	}
	return t->index + 1 < n ? ids[t->index + 1] : -1;
}

void cs_frame_merge_done(cs_frame *outer, const cs_frame *inner)
{
	json_object_update_missing(outer->done, inner->done);
	if (inner->tainted == NULL)
		return;
	if (outer->tainted == NULL)
		outer->tainted = json_object();
	json_object_update_missing(outer->tainted, inner->tainted);
}

void cs_frame_enter_iteration(cs_run *r, cs_frame *f, size_t i)
{
	(void)r;
	f->iteration = i;
	f->iterating = true;
	json_decref(f->vars);
	f->vars = json_object();
	json_object_set(f->vars, f->task->each, json_array_get(f->items, i));
	json_object_set_new(f->vars, f->task->at, json_integer((json_int_t)i));
}

cs_call *cs_frame_end_probe(cs_frame *f)
{
	cs_call *outer = CS_STEAL(f->call->outer);
	call_free(f->call);
	f->call = outer;
	return outer;
}

bool cs_frame_effect_open(const cs_frame *f)
{
	if (f == NULL)
		return false;
	if (f->call != NULL && (f->call->phase == CS_CALL_INTENT || f->call->outer != NULL))
		return true;
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		if (cs_frame_effect_open(f->kids[i]))
			return true;
	return cs_frame_effect_open(f->child);
}

bool cs_frame_intent_open(const cs_frame *f)
{
	if (f == NULL)
		return false;
	if (f->call != NULL && f->call->phase == CS_CALL_INTENT)
		return true;
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		if (cs_frame_intent_open(f->kids[i]))
			return true;
	return cs_frame_intent_open(f->child);
}

/* ---- the run --------------------------------------------------------------------------------- */

cs_run *cs_run_new(const char *id, const cs_flow *flow)
{
	cs_run *r = cs_xcalloc(1, sizeof *r);
	memcpy(r->id, id, CS_ID_LEN);
	memcpy(r->origin, id, CS_ID_LEN);
	r->flow = cs_flow_ref(flow);
	r->within = -1;
	size_t n = flow->n_tasks > 0 ? (size_t)flow->n_tasks : 1;
	r->occurrences = cs_xcalloc(n, sizeof *r->occurrences);
	r->live = cs_xcalloc(n, sizeof(cs_frame *));
	return r;
}

static void item_free(cs_item *i)
{
	json_decref(i->published);
	json_decref(i->decision);
	free(i);
}

void cs_run_free(cs_run *r)
{
	if (r == NULL)
		return;
	cs_frame_free(r->root);
	for (size_t i = 0; i < r->n_items; i++)
		item_free(r->items[i]);
	free(r->items);
	for (size_t i = 0; i < r->n_reversals; i++) {
		json_decref(r->reversals[i].input);
		json_decref(r->reversals[i].result);
		json_decref(r->reversals[i].error);
		free(r->reversals[i].name);
	}
	free(r->reversals);
	free(r->below);
	cs_record_free(r->record);
	json_decref(r->input);
	json_decref(r->start);
	json_decref(r->context);
	json_decref(r->corrections);
	json_decref(r->assumed);
	json_decref(r->output);
	json_decref(r->error);
	json_decref(r->patch);
	json_decref(r->descriptor);
	json_decref(r->stand_ins);
	json_decref(r->chain);
	json_decref(r->fixtures);
	free(r->subject);
	free(r->from);
	for (int i = 0; r->kept != NULL && i < r->flow->n_tasks; i++)
		cs_hearing_free(r->kept[i]);
	free(r->kept);
	free(r->occurrences);
	free(r->live);
	cs_flow_unref(r->flow);
	free(r);
}

cs_item *cs_run_item(const cs_run *r, const char *id)
{
	for (size_t i = 0; i < r->n_items; i++)
		if (strcmp(r->items[i]->id, id) == 0)
			return r->items[i];
	return NULL;
}

const char *cs_run_state_name(cs_run_state s)
{
	static const char *const names[] = {
		[CS_RUN_CREATED] = "created", [CS_RUN_RUNNING] = "running", [CS_RUN_WAITING] = "waiting",
		[CS_RUN_PAUSING] = "pausing", [CS_RUN_PAUSED] = "paused", [CS_RUN_COMPLETED] = "completed",
		[CS_RUN_FAULTED] = "faulted", [CS_RUN_CANCELLING] = "cancelling",
		[CS_RUN_CANCELLED] = "cancelled", [CS_RUN_COMPENSATING] = "compensating",
		[CS_RUN_COMPENSATED] = "compensated", [CS_RUN_STUCK] = "stuck",
	};
	return names[s];
}
