/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A listen task: what is offered to it goes into its inbox, and is looked at in order, one at a
 * time; its foreach is over before the next is looked at.
 * Source: dsl-reference.md, "Listen", "Event Consumption Strategy", "Correlation". */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"
#include "core/life.h"
#include "core/match.h"
#include "core/record.h"

/* ---- what is offered -------------------------------------------------------------------------------- */

static bool open_for_events(const cs_run *r)
{
	return r->state == CS_RUN_RUNNING || r->state == CS_RUN_WAITING || r->state == CS_RUN_PAUSING || r->state == CS_RUN_PAUSED;
}

static int receive(cs_run *r, cs_step *s, const cs_frame *f, json_t *event, bool tainted, cs_err *err)
{
	json_t *data = json_pack("{s:O}", "event", event);
	if (tainted)
		json_object_set_new(data, "tainted", json_true());
	return cs_run_write(r, s, "event.received", f->task, f->occurrence, data, err);
}

/* ROOM 0: it is no event of the lifecycle. */
static bool may_want(const cs_frame *f, const json_t *event, size_t room)
{
	const cs_listen *l = f->task->listen;
	if (room > 0 && (!cs_life_asked(l, event) || json_array_size(f->hearing->inbox) >= room))
		return false;
	return cs_strategy_may_match(&l->to, event) || (l->until_events != NULL && cs_strategy_may_match(l->until_events, event));
}

static int offer(cs_run *r, cs_step *s, json_t *event, bool tainted, size_t room, bool *ret_taken, cs_err *err)
{
	*ret_taken = false;
	if (r->flow->n_listens == 0 || r->shadow || !open_for_events(r))
		return CS_OK;
	for (int i = 0; i < r->flow->n_tasks; i++) {
		const cs_frame *f = r->live[i];
		if (f == NULL || f->hearing == NULL || f->stopped)
			continue;
		if (!may_want(f, event, room))
			continue;
		int rc = receive(r, s, f, event, tainted, err);
		if (rc != CS_OK)
			return rc;
		*ret_taken = true;
	}
	return CS_OK;
}

int cs_run_offer(cs_run *r, cs_step *s, json_t *event, bool tainted, bool *ret_taken, cs_err *err)
{
	return offer(r, s, event, tainted, 0, ret_taken, err);
}

int cs_run_offer_life(cs_run *r, cs_step *s, json_t *event, bool tainted, size_t room, bool *ret_taken, cs_err *err)
{
	return offer(r, s, event, tainted, room, ret_taken, err);
}

/* ---- looking at one ---------------------------------------------------------------------------------- */

static int write_looked(cs_run *r, cs_step *s, const cs_frame *f, const cs_match *m, int filter, bool until, cs_err *err)
{
	json_t *data = json_pack("{s:O?, s:O?}", "id", json_object_get(m->event, "id"), "source", json_object_get(m->event, "source"));
	if (filter >= 0)
		json_object_set_new(data, "filter", json_integer(filter));
	if (until)
		json_object_set_new(data, "until", json_true());
	if (json_object_size(m->keys) > 0)
		json_object_set(data, "keys", m->keys);
	if (filter < 0 && m->why != NULL)
		json_object_set_new(data, "why", json_string(m->why));
	return cs_run_write(r, s, filter >= 0 ? "event.consumed" : "event.passed", f->task, f->occurrence, data, err);
}

static cs_view_of view(cs_run *r, cs_step *s, cs_frame *f)
{
	return (cs_view_of){ .r = r, .s = s, .seq = f, .memo = f, .task = f->task, .raw = f->raw, .input = f->input };
}

/* The oldest in the inbox: consumed by `until`, by `to`, or passed. */
static int look_at_next(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_listen *l = f->task->listen;
	CS_AUTOJSON json_t *keys = json_object();
	CS_AUTOJSON json_t *event = json_incref(json_object_get(json_array_get(f->hearing->inbox, 0), "event"));
	cs_err lost = { 0 };
	cs_match m = { .v = view(r, s, f), .settled = f->hearing->keys, .event = event, .keys = keys, .lost = &lost };
	bool until = l->until_events != NULL && l->to.how == CS_LISTEN_ANY;
	int filter = -1;
	int rc = until ? cs_match_choose(&m, l->until_events, f->hearing->until_met, &filter) : CS_OK;
	until = until && filter >= 0;
	if (rc == CS_OK && filter < 0)
		rc = cs_match_choose(&m, &l->to, f->hearing->met, &filter);
	if (rc == CS_OK)
		rc = write_looked(r, s, f, &m, filter, until, err);
	else if (rc == CS_EUNAVAIL)      /* the event is no reason to pass it by */
		rc = cs_step_raise_expr(r, s, f->task, f->occurrence, &lost, err);
	free(m.why);
	return rc;
}

/* ---- the end of one, and of all ------------------------------------------------------------------------ */

/* foreach.output and foreach.export of the event that was just handled. *ret_error: what it breaks. */
static int shape_item(cs_view_of *v, cs_frame *f, json_t **ret_output, json_t **ret_context, json_t **ret_error, cs_err *why)
{
	const cs_listen *l = f->task->listen;
	CS_AUTOJSON json_t *output = json_incref(f->last);
	v->raw_output = f->last;
	if (l->item_as != NULL) {
		json_t *out = NULL;
		int rc = cs_look(v, CS_PHASE_ITEM, l->item_as, f->last, &out, why);
		if (rc != CS_OK)
			return rc;
		json_decref(output);
		output = out;
	}
	*ret_error = cs_schema_complaint(l->item_schema, output, "The item's output", f->task->ref);
	if (*ret_error == NULL && l->context_as != NULL) {
		v->output = output;
		int rc = cs_look(v, CS_PHASE_CONTEXT, l->context_as, output, ret_context, why);
		v->output = NULL;
		if (rc != CS_OK)
			return rc;
		*ret_error = cs_schema_complaint(l->context_schema, *ret_context, "The exported context", f->task->ref);
	}
	*ret_output = CS_STEAL(output);
	return CS_OK;
}

static int end_item(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_listen *l = f->task->listen;
	CS_AUTOJSON json_t *output = NULL, *context = NULL, *error = NULL;
	cs_view_of v = view(r, s, f);
	cs_err why = { 0 };
	int rc = shape_item(&v, f, &output, &context, &error, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK)
		return cs_step_raise_expr(r, s, f->task, f->occurrence, &why, err);
	if (error != NULL)
		return cs_step_raise(r, s, f->task, f->occurrence, error, err);
	json_t *data = json_object();
	if (output != f->last)
		json_object_set(data, "output", output);
	if (context != NULL)
		json_object_set(data, "context", context);
	if (f->last_tainted || cs_look_tainted(&v, l->item_as, f->last_tainted) || cs_look_tainted(&v, l->context_as, f->last_tainted))
		json_object_set_new(data, "tainted", json_true());
	return cs_run_write(r, s, "event.handled", f->task, f->occurrence, data, err);
}

/* Is there nothing more to listen for? A condition is looked at once for each event. */
static int is_over(cs_run *r, cs_step *s, cs_frame *f, bool *ret, cs_err *why)
{
	const cs_listen *l = f->task->listen;
	cs_hearing *h = f->hearing;
	*ret = h->over || r->ending;
	if (*ret)
		return CS_OK;
	if (l->to.how != CS_LISTEN_ANY || (l->until == NULL && l->until_events == NULL)) {
		*ret = h->n_met >= (l->to.how == CS_LISTEN_ALL ? l->to.n_filters : 1);
		return CS_OK;
	}
	if (l->until_events != NULL) {
		const cs_strategy *u = l->until_events;
		*ret = h->n_until_met >= (u->how == CS_LISTEN_ALL ? u->n_filters : 1);
		return CS_OK;
	}
	if (json_array_size(h->items) == h->checked)
		return CS_OK;
	cs_view_of v = view(r, s, f);
	int rc = cs_look_true(&v, CS_PHASE_UNTIL, l->until, h->items, ret, why);
	if (rc == CS_OK && !*ret) {
		h->checked = json_array_size(h->items);
		cs_frame_forget(f);
	}
	return rc;
}

/* A replay hears what its record heard, and never waits for more. */
static int hear_again(cs_run *r, cs_step *s, cs_frame *f, bool *ret_more, cs_err *err)
{
	cs_recorded rec = { 0 };
	json_t *next = NULL;
	if (cs_record_find(r->record, f->task->ref, f->occurrence, &rec) == CS_OK)
		next = json_array_get(rec.received, f->hearing->received);
	*ret_more = next != NULL;
	if (next != NULL)
		return receive(r, s, f, json_object_get(next, "event"), cs_json_true(next, "tainted"), err);
	CS_AUTOJSON json_t *error = cs_error_new("timeout", "the run that this replays received no more events here", f->task->ref);
	return cs_step_raise(r, s, f->task, f->occurrence, error, err);
}

static int end_listening(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	cs_view_of v = view(r, s, f);
	v.seq = f->parent;
	CS_AUTOJSON json_t *items = json_incref(f->hearing->items);
	return cs_step_finish(&v, f->occurrence, items, f->hearing->tainted, NULL, err);
}

int cs_step_listen(cs_run *r, cs_step *s, cs_frame *f, bool *ret_more, cs_err *err)
{
	const cs_task *t = f->task;
	int rc = CS_OK;
	while (rc == CS_OK && r->live[t->id] == f) {     /* an expression that fails takes the task away */
		cs_hearing *h = f->hearing;
		if (h->handling && f->next >= 0) {
			*ret_more = true;
			return CS_OK;
		}
		if (h->handling) {
			rc = end_item(r, s, f, err);
			continue;
		}
		bool over = false, heard = json_array_size(h->inbox) > 0;
		cs_err why = { 0 };
		rc = is_over(r, s, f, &over, &why);
		if (rc != CS_OK)
			return rc == CS_EAGAIN ? rc : cs_step_raise_expr(r, s, t, f->occurrence, &why, err);
		if (over)
			return end_listening(r, s, f, err);
		if (!heard && !r->shadow)
			return CS_OK;
		rc = heard ? look_at_next(r, s, f, err) : hear_again(r, s, f, &heard, err);
	}
	return rc;
}
