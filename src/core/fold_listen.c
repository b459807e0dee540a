/* SPDX-License-Identifier: GPL-3.0-or-later */
/* State + event -> state, of listen: the inbox, what was taken from it, and what was made of it. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/fold.h"

static cs_frame *listener(const cs_run *r, const cs_task *t)
{
	cs_frame *f = r->live[t->id];
	return f != NULL && f->hearing != NULL ? f : NULL;
}

int cs_run_fold_received(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *f = listener(r, t);
	json_t *event = json_object_get(ev->data, "event");
	if (f == NULL || !json_is_object(event))
		return CS_EINTERNAL;
	json_array_append_new(f->hearing->inbox, json_pack("{s:O, s:b}", "event", event, "tainted", (int)cs_json_true(ev->data, "tainted")));
	f->hearing->received++;
	return CS_OK;
}

/* The foreach of one event begins: its own variables, the event as what `.` is. */
static void enter(cs_run *r, cs_frame *f, json_t *item, bool tainted)
{
	f->hearing->handling = true;
	json_decref(f->vars);
	f->vars = json_object();
	if (f->task->each != NULL)
		json_object_set(f->vars, f->task->each, item);
	if (f->task->at != NULL)
		json_object_set_new(f->vars, f->task->at, json_integer((json_int_t)json_array_size(f->hearing->items)));
	f->vars_tainted = tainted;
	json_decref(f->last);
	f->last = json_incref(item);
	f->last_tainted = tainted;
	f->next = cs_frame_first(r, f);
}

/* Which filter of S, whose marks are MET, has had its event. *ret_first: it had none before. */
static int mark(bool *met, int *n_met, int n, const cs_event *ev, int *ret_first)
{
	json_int_t i = cs_json_int_or(ev->data, "filter", -1);
	if (i < 0 || (i > 0 && i >= n))
		return CS_EINTERNAL;
	*ret_first = met[i] ? -1 : (int)i;
	if (!met[i])
		++*n_met;
	met[i] = true;
	return CS_OK;
}

void cs_run_keep_hearing(cs_run *r, cs_frame *f)
{
	cs_hearing *h = CS_STEAL(f->hearing);
	if (r->kept == NULL)
		r->kept = cs_xcalloc((size_t)r->flow->n_tasks, sizeof(cs_hearing *));
	if (h->handling) {
		json_array_insert(h->inbox, 0, h->current);
		if (h->current_filter >= 0) {
			h->met[h->current_filter] = false;
			h->n_met--;
		}
	}
	h->handling = h->over = false;
	h->received = 0;             /* of the entry to come; a replay counts so too */
	cs_hearing_free(r->kept[f->task->id]);
	r->kept[f->task->id] = h;
}

cs_hearing *cs_run_take_hearing(cs_run *r, const cs_task *t)
{
	if (r->kept != NULL && r->kept[t->id] != NULL)
		return CS_STEAL(r->kept[t->id]);
	return cs_hearing_new(t->listen);
}

void cs_run_forget_hearings(cs_run *r, const cs_task *caught)
{
	for (int i = 0; r->kept != NULL && i < r->flow->n_tasks; i++) {
		int up = i;
		while (up >= 0 && up != caught->id)
			up = r->flow->tasks[up].parent;
		if (up < 0)
			continue;
		cs_hearing_free(r->kept[i]);
		r->kept[i] = NULL;
	}
}

int cs_run_fold_consumed(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *f = listener(r, t);
	if (f == NULL || json_array_size(f->hearing->inbox) == 0 || f->hearing->handling)
		return CS_EINTERNAL;
	cs_hearing *h = f->hearing;
	bool until = cs_json_true(ev->data, "until");
	if (until && t->listen->until_events == NULL)
		return CS_EINTERNAL;
	int first = -1;
	int rc = until ? mark(h->until_met, &h->n_until_met, t->listen->until_events->n_filters, ev, &first)
		       : mark(h->met, &h->n_met, t->listen->to.n_filters, ev, &first);
	if (rc != CS_OK)
		return rc;
	CS_AUTOJSON json_t *head = json_incref(json_array_get(h->inbox, 0));
	json_array_remove(h->inbox, 0);
	json_object_update(h->keys, json_object_get(ev->data, "keys"));
	cs_frame_forget(f);
	if (until)
		return CS_OK;
	bool tainted = cs_json_true(head, "tainted");
	CS_AUTOJSON json_t *item = cs_event_read(json_object_get(head, "event"), t->listen->read);
	h->tainted = h->tainted || tainted;
	cs_json_put(&h->current, t->listen->each ? head : NULL);
	h->current_filter = first;
	if (t->listen->each)
		enter(r, f, item, tainted);
	else
		json_array_append(h->items, item);
	return CS_OK;
}

int cs_run_fold_passed(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)ev;
	cs_frame *f = listener(r, t);
	if (f == NULL || json_array_size(f->hearing->inbox) == 0)
		return CS_EINTERNAL;
	json_array_remove(f->hearing->inbox, 0);
	cs_frame_forget(f);
	return CS_OK;
}

int cs_run_fold_handled(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *f = listener(r, t);
	if (f == NULL || !f->hearing->handling)
		return CS_EINTERNAL;
	cs_hearing *h = f->hearing;
	json_t *output = json_object_get(ev->data, "output"), *context = json_object_get(ev->data, "context");
	bool tainted = cs_json_true(ev->data, "tainted");
	json_array_append(h->items, output != NULL ? output : f->last);
	h->tainted = h->tainted || tainted;
	if (context != NULL) {
		json_decref(r->context);
		r->context = json_incref(context);
		r->context_tainted = r->context_tainted || tainted;
	}
	h->handling = false;
	json_decref(f->vars);
	f->vars = NULL;
	f->vars_tainted = false;
	f->next = -1;
	cs_frame_forget(f);
	return CS_OK;
}
