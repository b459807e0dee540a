/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A snapshot may be anything: nothing of it is taken that a fold could not have made. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"
#include "core/snapshot.h"
#include "core/snapshot_values.h"

enum { LIST_MAX = 1000000 };

/* ---- hearings --------------------------------------------------------------------------------------------- */

/* Marks what LIST numbers; a strategy without filters has its one mark all the same. */
static bool load_marks(const json_t *list, int n, bool *met, int *ret_n)
{
	size_t i;
	json_t *one;
	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, one) {
		json_int_t at = json_is_integer(one) ? json_integer_value(one) : -1;
		if (at < 0 || (at > 0 && at >= n) || met[at])
			return false;
		met[at] = true;
		++*ret_n;
	}
	return true;
}

static bool events_fit(const json_t *inbox)
{
	size_t i;
	json_t *one;
	json_array_foreach(inbox, i, one)
		if (!json_is_object(json_object_get(one, "event")))
			return false;
	return true;
}

static bool hearing_fits(const cs_listen *l, bool each, const cs_hearing *h)
{
	int most = l->to.n_filters > 0 ? l->to.n_filters : 1;
	return h->inbox != NULL && h->items != NULL && h->keys != NULL && h->current_filter < most && events_fit(h->inbox) &&
	       (!h->handling || (h->current != NULL && each));
}

static int load_hearing(cs_loading *l, const cs_task *t, const json_t *o, cs_hearing **ret)
{
	static const char *const more[] = { "met", "until_met", NULL };
	if (t->kind != CS_TASK_LISTEN)
		return cs_misfit(l, "hearing");
	cs_hearing *h = cs_hearing_new(t->listen);
	int until = t->listen->until_events != NULL ? t->listen->until_events->n_filters : 0;
	int rc = cs_members_load(l, &cs_snapshot_hearing, o, more, h);
	if (rc == CS_OK && !hearing_fits(t->listen, t->listen->each, h))
		rc = cs_misfit(l, "hearing");
	if (rc == CS_OK && !(load_marks(json_object_get(o, "met"), t->listen->to.n_filters, h->met, &h->n_met) &&
			     load_marks(json_object_get(o, "until_met"), until, h->until_met, &h->n_until_met)))
		rc = cs_misfit(l, "met");
	if (rc == CS_OK)
		*ret = h;
	else
		cs_hearing_free(h);
	return rc;
}

static int load_kept(cs_loading *l, cs_run *r, const json_t *kept)
{
	const char *ref;
	json_t *o;
	if (!json_is_object(kept))
		return cs_misfit(l, "kept");
	json_object_foreach((json_t *)(uintptr_t)kept, ref, o) {
		const cs_task *t = cs_flow_task(l->flow, ref);
		if (r->kept == NULL)
			r->kept = cs_xcalloc((size_t)r->flow->n_tasks + 1, sizeof(cs_hearing *));
		int rc = t != NULL ? load_hearing(l, t, o, &r->kept[t->id]) : cs_misfit(l, "kept");
		if (rc != CS_OK)
			return rc;
	}
	return CS_OK;
}

/* ---- frames ----------------------------------------------------------------------------------------------- */

static int load_call(cs_loading *l, const json_t *o, bool inner, cs_call *c)
{
	static const char *const more[] = { "outer", NULL };
	const json_t *outer = json_object_get(o, "outer");
	int rc = cs_members_load(l, &cs_snapshot_call, o, more, c);
	if (rc == CS_OK && ((c->reverses[0] != '\0' || outer != NULL) && c->name == NULL))
		rc = cs_misfit(l, "call");
	if (rc != CS_OK || outer == NULL)
		return rc;
	c->outer = cs_xcalloc(1, sizeof *c->outer);
	rc = inner ? cs_misfit(l, "outer") : load_call(l, outer, true, c->outer);
	return rc == CS_OK && c->outer->phase != CS_CALL_PROBING ? cs_misfit(l, "outer") : rc;
}

/* Are F's members those of a frame of its kind? */
static bool frame_fits(const cs_frame *f)
{
	cs_task_kind kind = f->task != NULL && !f->lane ? f->task->kind : CS_TASK_DO;
	int branches = kind == CS_TASK_FORK ? f->task->n_children : 0;
	return (f->call != NULL) == (kind == CS_TASK_CALL) && (f->hearing != NULL) == (kind == CS_TASK_LISTEN) &&
	       (f->items != NULL) == (kind == CS_TASK_FOR) && (f->fault != NULL) == (f->fault_ref != NULL) && f->done != NULL &&
	       f->occurrence >= 0 && f->winner < (branches > 0 ? branches : 0) && (f->sub_end == NULL || f->sub_id[0] != '\0');
}

static bool attach_lane(cs_frame *f, cs_frame *up)
{
	const cs_task *t = f->task;
	if (up->kids == NULL || t->parent != up->task->id || up->task->children[t->index] != t->id || up->kids[t->index] != NULL)
		return false;
	up->kids[t->index] = f;
	return true;
}

static bool attach(cs_run *r, cs_frame *f, cs_frame *up)
{
	if (f->lane)
		return attach_lane(f, up);
	bool reverses = f->call != NULL && f->call->reverses[0] != '\0';
	const cs_frame *in = reverses ? r->root : cs_frame_of_parent(r, f->task);
	if (in != up || up->child != NULL || r->live[f->task->id] != NULL)
		return false;
	up->child = f;
	r->live[f->task->id] = f;
	return true;
}

static int fill_frame(cs_loading *l, const json_t *o, cs_frame *f)
{
	static const char *const more[] = { "task", "in", "call", "hearing", NULL };
	const json_t *call = json_object_get(o, "call"), *hearing = json_object_get(o, "hearing");
	int rc = cs_members_load(l, &cs_snapshot_frame, o, more, f);
	if (rc == CS_OK && call != NULL) {
		f->call = cs_xcalloc(1, sizeof *f->call);
		rc = load_call(l, call, false, f->call);
	}
	if (rc == CS_OK && hearing != NULL)
		rc = f->task != NULL ? load_hearing(l, f->task, hearing, &f->hearing) : cs_misfit(l, "hearing");
	if (rc != CS_OK)
		return rc;
	if (f->task != NULL && !f->lane && f->task->kind == CS_TASK_FORK)
		f->kids = cs_xcalloc((size_t)(f->task->n_children > 0 ? f->task->n_children : 1), sizeof(cs_frame *));
	return frame_fits(f) ? CS_OK : cs_misfit(l, "frame");
}

static int load_frame(cs_loading *l, cs_run *r, const json_t *o, cs_frame **seen, size_t n)
{
	const char *ref = cs_json_str(o, "task");
	const cs_task *t = ref != NULL ? cs_flow_task(l->flow, ref) : NULL;
	json_int_t up = cs_json_int_or(o, "in", -1);
	if ((t == NULL) != (n == 0) || (n > 0 && (up < 0 || up >= (json_int_t)n)) || (n == 0 && json_object_get(o, "in") != NULL))
		return cs_misfit(l, "task");
	cs_frame *f = cs_frame_new(t, n > 0 ? seen[up] : NULL);
	int rc = fill_frame(l, o, f);
	if (rc == CS_OK && n == 0)
		r->root = f;
	else if (rc == CS_OK && !attach(r, f, seen[up]))
		rc = cs_misfit(l, "in");
	if (rc != CS_OK)
		cs_frame_free(f);
	else
		seen[n] = f;
	return rc;
}

/* What can be told when all of them are there: each fork has its lanes, and what is next is in reach. */
static bool whole(const cs_run *r, const cs_frame *f)
{
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		if (f->kids[i] == NULL)
			return false;
	return f->next < 0 || cs_frame_of_parent(r, &r->flow->tasks[f->next]) == f;
}

static int load_frames(cs_loading *l, cs_run *r, const json_t *list)
{
	size_t n = json_array_size(list);
	if (n == 0 || n > LIST_MAX)
		return cs_misfit(l, "frames");
	CS_AUTOFREE cs_frame **seen = cs_xcalloc(n, sizeof(cs_frame *));
	for (size_t i = 0; i < n; i++) {
		int rc = load_frame(l, r, json_array_get(list, i), seen, i);
		if (rc != CS_OK)
			return rc;
	}
	for (size_t i = 0; i < n; i++)
		if (!whole(r, seen[i]))
			return cs_misfit(l, "next");
	return CS_OK;
}

/* ---- items and reversals ------------------------------------------------------------------------------------ */

static const char *item_state(const char *word)
{
	static const char *const states[] = { "pending", "approved", "rejected", "answered", "open" };
	for (size_t i = 0; word != NULL && i < CS_ARRAY_LEN(states); i++)
		if (strcmp(states[i], word) == 0)
			return states[i];
	return NULL;
}

static int load_item(cs_loading *l, cs_run *r, const json_t *o)
{
	static const char *const more[] = { "state", NULL };
	cs_item *item = cs_xcalloc(1, sizeof *item);
	r->items = cs_xrealloc(r->items, (r->n_items + 1) * sizeof(cs_item *));
	r->items[r->n_items] = item;
	int rc = cs_members_load(l, &cs_snapshot_item, o, more, item);
	bool twice = rc == CS_OK && cs_run_item(r, item->id) != NULL;
	r->n_items++;
	item->state = item_state(cs_json_str(o, "state"));
	if (rc == CS_OK && (twice || item->id[0] == '\0' || item->published == NULL || item->state == NULL))
		rc = cs_misfit(l, "item");
	item->kind = cs_json_str_or(item->published, "kind", "approval");
	item->decided_by = cs_json_str(item->decision, "by");
	return rc;
}

static bool reversal_fits(const cs_run *r, const cs_reversal *v)
{
	if (v->task < 0 || v->key[0] == '\0' || v->occurrence < 0 || (v->run[0] != '\0' && v->name == NULL))
		return false;
	for (const cs_reversal *w = r->reversals; w < v; w++)
		if (w->seq > v->seq || strcmp(w->key, v->key) == 0)
			return false;
	return true;
}

static int load_lists(cs_loading *l, cs_run *r, const json_t *items, const json_t *reversals)
{
	size_t i, n = json_array_size(reversals);
	json_t *o;
	int rc = json_is_array(items) && json_is_array(reversals) && n <= LIST_MAX ? CS_OK : cs_misfit(l, "items");
	json_array_foreach(items, i, o)
		if (rc == CS_OK)
			rc = load_item(l, r, o);
	if (rc != CS_OK || n == 0)
		return rc;
	r->reversals = cs_xcalloc(n, sizeof *r->reversals);
	for (; rc == CS_OK && r->n_reversals < n; r->n_reversals++) {
		cs_reversal *v = &r->reversals[r->n_reversals];
		rc = cs_members_load(l, &cs_snapshot_reversal, json_array_get(reversals, r->n_reversals), NULL, v);
		if (rc == CS_OK && !reversal_fits(r, v))
			rc = cs_misfit(l, "reversal");
	}
	return rc;
}

static int load_below(cs_loading *l, cs_run *r, const json_t *list)
{
	size_t n = json_array_size(list);
	int rc = json_is_array(list) && n <= LIST_MAX ? CS_OK : cs_misfit(l, "below");
	if (rc != CS_OK || n == 0)
		return rc;
	r->below = cs_xcalloc(n, sizeof *r->below);
	for (size_t i = 0; rc == CS_OK && i < n; i++) {
		cs_below *b = &r->below[i];
		rc = cs_members_load(l, &cs_snapshot_below, json_array_get(list, i), NULL, b);
		if (rc == CS_OK && (b->run[0] == '\0' || b->of[0] == '\0' || b->task < 0 || b->occurrence < 0 || cs_below_has(r, b->run)))
			rc = cs_misfit(l, "below");
		r->n_below++;
	}
	return rc;
}

/* ---- the run -------------------------------------------------------------------------------------------------- */

static int load_occurrences(cs_loading *l, cs_run *r, const json_t *o)
{
	const char *ref;
	json_t *n;
	if (!json_is_object(o))
		return cs_misfit(l, "occurrences");
	json_object_foreach((json_t *)(uintptr_t)o, ref, n) {
		const cs_task *t = cs_flow_task(l->flow, ref);
		if (t == NULL || json_integer_value(n) <= 0 || json_integer_value(n) > INT32_MAX)
			return cs_misfit(l, "occurrences");
		r->occurrences[t->id] = (int)json_integer_value(n);
	}
	return CS_OK;
}

static bool corrections_fit(const json_t *list)
{
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
		if (cs_json_str(one, "in") == NULL || cs_json_str(one, "path") == NULL || json_object_get(one, "value") == NULL)
			return false;
	return true;
}

/* {function: [how often each answer was used]}, each by an event. */
static bool fixtures_fit(const cs_run *r)
{
	const char *function;
	json_t *counts, *n;
	size_t i;
	json_object_foreach(r->fixtures, function, counts) {
		if (!json_is_array(counts) || json_array_size(counts) > CS_FIXTURE_ANSWERS)
			return false;
		json_array_foreach(counts, i, n)
			if (!json_is_integer(n) || json_integer_value(n) < 0 || json_integer_value(n) > r->last_seq)
				return false;
	}
	return true;
}

static bool run_fits(const cs_run *r, const char *id)
{
	bool begun = r->root != NULL && r->root->started_seq > 0;
	return strcmp(r->id, id) == 0 && r->origin[0] != '\0' && !cs_run_state_terminal(cs_run_state_name(r->state)) && r->input != NULL &&
	       r->last_seq >= r->created_seq && r->created_seq > 0 && corrections_fit(r->corrections) && fixtures_fit(r) &&
	       (begun ? r->start != NULL && r->context != NULL : r->state != CS_RUN_RUNNING && r->state != CS_RUN_WAITING);
}

int cs_snapshot_load(const char *id, const cs_flow *flow, const json_t *doc, cs_run **ret, cs_err *err)
{
	cs_loading l = { .flow = flow, .values = json_object_get(doc, "values"), .err = err };
	cs_run *r = cs_run_new(id, flow);
	int rc = cs_members_load(&l, &cs_snapshot_run, json_object_get(doc, "run"), NULL, r);
	if (rc == CS_OK)
		rc = load_frames(&l, r, json_object_get(doc, "frames"));
	if (rc == CS_OK)
		rc = load_occurrences(&l, r, json_object_get(doc, "occurrences"));
	if (rc == CS_OK)
		rc = load_kept(&l, r, json_object_get(doc, "kept"));
	if (rc == CS_OK)
		rc = load_lists(&l, r, json_object_get(doc, "items"), json_object_get(doc, "reversals"));
	if (rc == CS_OK)
		rc = load_below(&l, r, json_object_get(doc, "below"));
	if (rc == CS_OK && !run_fits(r, id))
		rc = cs_misfit(&l, "run");
	if (rc == CS_OK)
		*ret = r;
	else
		cs_run_free(r);
	return rc;
}
