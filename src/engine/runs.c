/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runs in memory: found by id, listed when ready, woken when due, folded from the log. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "core/record.h"
#include "engine/hearers.h"
#include "engine/outlets.h"
#include "engine/parked.h"
#include "engine/snapshot.h"
#include "engine/turns.h"

enum { RETURN_RUNS = 1024 };

static int by_id(const void *a, const void *b)
{
	return strcmp(((const cs_live *)a)->run->id, ((const cs_live *)b)->run->id);
}

cs_live *cs_runs_add(cs_engine *e, cs_run *r, cs_bundle *b)
{
	cs_live *l = cs_xcalloc(1, sizeof *l);
	l->run = r;
	l->bundle = b;
	r->owner = l;
	if (tsearch(l, &e->runs, by_id) == NULL)
		abort();
	e->n_runs++;
	cs_parked was = cs_parked_drop(e, r->id);
	l->due = was.due;
	cs_turns_join(e, l);
	cs_hearers_join(e, l);
	if (was.unseen)              /* whoever brings it back: it has its step of the start now */
		cs_runs_ready(e, l);
	return l;
}

cs_live *cs_runs_get(cs_engine *e, const char *id)
{
	cs_run key = { 0 };
	cs_live probe = { .run = &key };
	if (strlen(id) != CS_ID_LEN)
		return NULL;
	memcpy(key.id, id, CS_ID_SIZE);
	cs_live **found = tfind(&probe, &e->runs, by_id);
	return found != NULL ? *found : NULL;
}

static void *grown(void *list, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return list;
	*cap = *cap > 0 ? *cap * 2 : 64;
	return cs_xrealloc(list, *cap * size);
}

void cs_runs_ready(cs_engine *e, cs_live *l)
{
	if (l->ready || l->gone)
		return;
	l->ready = true;
	cs_ready *lane = &e->lanes[l->background];
	lane->list = grown(lane->list, lane->n, &lane->cap, sizeof(cs_live *));
	lane->list[lane->n++] = l;
}

static size_t take(cs_ready *lane, cs_live **ret, size_t most)
{
	size_t n = lane->n < most ? lane->n : most;
	if (n == 0)
		return 0;
	memcpy(ret, lane->list, n * sizeof(cs_live *));
	memmove(lane->list, lane->list + n, (lane->n - n) * sizeof(cs_live *));
	lane->n -= n;
	return n;
}

size_t cs_runs_take(cs_engine *e, cs_live **ret, size_t most)
{
	size_t kept = most / 8 < e->lanes[1].n ? most / 8 : e->lanes[1].n;
	size_t n = take(&e->lanes[0], ret, most - kept);
	return n + take(&e->lanes[1], ret + n, most - n);
}

size_t cs_runs_waiting(const cs_engine *e)
{
	return e->lanes[0].n + e->lanes[1].n;
}

/* ---- clocks: a heap by time; an entry whose run has another time by now is passed over ----------------- */

static void heap_swap(cs_due *h, size_t a, size_t b)
{
	cs_due t = h[a];
	h[a] = h[b];
	h[b] = t;
}

void cs_runs_due(cs_engine *e, cs_live *l)
{
	/* What is due by now has just had its chance: something else holds it, and will wake it. */
	int64_t at = cs_run_due(l->run, e->step.now);
	if (at == l->due)
		return;
	l->due = at;
	if (at == 0)
		return;
	e->heap = grown(e->heap, e->n_heap, &e->cap_heap, sizeof *e->heap);
	size_t i = e->n_heap++;
	e->heap[i].at = at;
	memcpy(e->heap[i].run, l->run->id, CS_ID_SIZE);
	for (; i > 0 && e->heap[(i - 1) / 2].at > e->heap[i].at; i = (i - 1) / 2)
		heap_swap(e->heap, i, (i - 1) / 2);
}

static void heap_drop(cs_engine *e)
{
	e->heap[0] = e->heap[--e->n_heap];
	for (size_t i = 0;;) {
		size_t least = i;
		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < e->n_heap; k++)
			if (e->heap[k].at < e->heap[least].at)
				least = k;
		if (least == i)
			return;
		heap_swap(e->heap, i, least);
		i = least;
	}
}

int cs_runs_fire(cs_engine *e, int64_t now, cs_err *err)
{
	while (e->n_heap > 0 && e->heap[0].at <= now) {
		cs_live *l = cs_runs_get(e, e->heap[0].run);
		if (l == NULL && cs_parked_due(e, e->heap[0].run) == e->heap[0].at) {
			l = cs_runs_load(e, e->heap[0].run, err);
			if (l == NULL)
				return err != NULL && err->code != 0 ? err->code : CS_EINTERNAL;
		}
		if (l != NULL && l->due == e->heap[0].at) {
			l->due = 0;
			cs_runs_ready(e, l);
		}
		heap_drop(e);
	}
	return CS_OK;
}

int64_t cs_runs_next_due(cs_engine *e)
{
	while (e->n_heap > 0) {      /* what nobody waits for any more is no clock to wait for */
		const cs_live *l = cs_runs_get(e, e->heap[0].run);
		if ((l != NULL ? l->due : cs_parked_due(e, e->heap[0].run)) == e->heap[0].at)
			return e->heap[0].at;
		heap_drop(e);
	}
	return 0;
}

static void ready_one(const void *node, VISIT visit, void *engine)
{
	if (visit == postorder || visit == leaf)
		cs_runs_ready(engine, *(cs_live *const *)node);
}

int cs_runs_all_ready(cs_engine *e, cs_err *err)
{
	int rc = cs_parked_all_back(e, err);
	if (rc == CS_OK)
		twalk_r(e->runs, ready_one, e);
	return rc;
}

/* ---- leaving memory ------------------------------------------------------------------------------------- */

void cs_runs_retire(cs_engine *e, cs_live *l)
{
	if (l->gone)
		return;
	cs_turns_follow(e, l);
	l->gone = true;
	e->gone = grown(e->gone, e->n_gone, &e->cap_gone, sizeof(cs_live *));
	e->gone[e->n_gone++] = l;
}

static void live_free(void *p)
{
	cs_live *l = p;
	cs_run_free(l->run);
	free(l);
}

void cs_runs_leave(cs_engine *e, cs_live *l)
{
	cs_hearers_leave(e, l);
	tdelete(l, &e->runs, by_id);
	e->n_runs--;
	if (e->opts.fixtures.forget != NULL)
		e->opts.fixtures.forget(e->opts.fixtures.ctx, l->run->id);
	live_free(l);
}

void cs_runs_sweep(cs_engine *e)
{
	cs_parked_sweep(e);
	for (size_t i = 0; i < e->n_gone; i++) {
		cs_live *l = e->gone[i];
		if (!cs_run_state_terminal(cs_run_state_name(l->run->state))) {
			l->gone = false;     /* begun again in the same group */
			cs_runs_ready(e, l);
			continue;
		}
		if (l->ready) {              /* still listed: it leaves after its turn */
			l->gone = false;
			continue;
		}
		cs_runs_leave(e, l);
	}
	e->n_gone = 0;
}

void cs_runs_free(cs_engine *e)
{
	tdestroy(e->runs, live_free);
	e->runs = NULL;
	cs_parked_free(e);
	cs_topics_free(e);
	cs_once_free(e);
	free(e->lanes[0].list);
	free(e->lanes[1].list);
	cs_turns_free(e);
	free(e->gone);
	free(e->heap);
	free(e->open);
}

/* ---- from the log ---------------------------------------------------------------------------------------- */

struct folding {
	cs_engine *e;
	const char *definition;      /* what the run has now; NULL: what it began with */
	cs_run *run;
	cs_bundle *bundle;
	cs_record *record;
	cs_err *err;
};

/* The fixtures of this process hear which of their answers the run has used up. */
static void tell_fixtures(cs_engine *e, const cs_run *r)
{
	const char *function;
	json_t *counts, *n;
	size_t i;
	if (e->opts.fixtures.used == NULL)
		return;
	json_object_foreach(r->fixtures, function, counts)
		json_array_foreach(counts, i, n)
			for (json_int_t k = 0; k < json_integer_value(n); k++)
				e->opts.fixtures.used(e->opts.fixtures.ctx, r->id, function, i + 1);
}

static int fold_one(void *ctx, const cs_event *ev)
{
	struct folding *f = ctx;
	if (f->run == NULL) {
		f->bundle = cs_bundle_by_hash(f->e, f->definition != NULL ? f->definition : cs_json_str_or(ev->data, "definition", ""), f->err);
		if (f->bundle == NULL)
			return CS_EINTERNAL;
		f->run = cs_run_new(ev->run, f->bundle->flow);
		f->run->copied_seq = f->e->copied_seq;
	}
	f->e->folded++;
	return cs_run_fold(f->run, ev, f->err);
}

static int record_one(void *ctx, const cs_event *ev)
{
	struct folding *f = ctx;
	cs_record_add(f->record, ev);
	return 0;
}

int cs_runs_record(cs_engine *e, const char *run, cs_record **ret, cs_err *err)
{
	struct folding f = { .e = e, .record = cs_record_new(), .err = err };
	int rc = cs_reader_events(e->reader, run, 0, INT64_MAX, record_one, &f, err);
	if (rc != CS_OK) {
		cs_record_free(f.record);
		return rc;
	}
	*ret = f.record;
	return CS_OK;
}

/* From its snapshot on, where it has one that fits. A run that took another definition since folds under it from its
 * beginning: what it had done by then is the same in both (core/adopt.h). */
static cs_live *load_with(cs_engine *e, const char *id, const char *definition, cs_err *err)
{
	struct folding f = { .e = e, .definition = definition, .err = err };
	size_t snapshot = 0;
	(void)cs_snapshot_find(e, id, definition, &f.run, &f.bundle, &snapshot);
	int rc = cs_reader_events(e->reader, id, f.run != NULL ? f.run->last_seq + 1 : 0, INT64_MAX, fold_one, &f, err);
	if (rc == CS_OK && f.run == NULL)
		rc = cs_err_set(err, CS_ENOTFOUND, "there is no run %s; `capstan runs` lists them", id);
	if (rc == CS_OK && f.run->replays[0] != '\0')
		rc = cs_runs_record(e, f.run->replays, &f.run->record, err);
	if (rc != CS_OK) {
		cs_run_free(f.run);
		return NULL;
	}
	tell_fixtures(e, f.run);
	cs_live *l = cs_runs_add(e, f.run, f.bundle);
	l->snapshot = snapshot;
	return l;
}

cs_live *cs_runs_load(cs_engine *e, const char *id, cs_err *err)
{
	cs_live *l = cs_runs_get(e, id);
	if (l != NULL)
		return l;
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *params = json_pack("[s]", id);
	if (cs_reader_query(e->reader, "SELECT definition FROM run WHERE id = ?1", params, &rows, err) != CS_OK)
		return NULL;
	return load_with(e, id, cs_json_str(json_array_get(rows, 0), "definition"), err);
}

/* Each intent that has no end ended with the process that made it. */
static int crash(cs_engine *e, cs_live *l, cs_err *err)
{
	for (int i = 0; i < l->run->flow->n_tasks; i++) {
		const cs_frame *f = l->run->live[i];
		if (f == NULL || f->call == NULL || f->call->phase != CS_CALL_INTENT)
			continue;
		int rc = cs_target_crashed(e, l->run, f, err);
		if (rc == CS_OK)
			rc = cs_run_outcome(l->run, &e->step, i, NULL, err);
		if (rc != CS_OK)
			return rc;
	}
	return CS_OK;
}

static int by_age(const void *a, const void *b)
{
	int64_t x = (*(cs_live *const *)a)->run->created_seq, y = (*(cs_live *const *)b)->run->created_seq;
	return (x > y) - (x < y);
}

static int note_open(void *engine, const cs_open_run *o)
{
	cs_engine *e = engine;
	e->open = grown(e->open, e->n_open, &e->cap_open, sizeof *e->open);
	e->open[e->n_open++] = *o;
	return CS_OK;
}

static int load_open(cs_engine *e, const cs_open_run *o, cs_err *err)
{
	cs_live *l = cs_runs_get(e, o->id);
	if (l == NULL)
		l = load_with(e, o->id, o->definition, err);
	if (l == NULL)
		return err != NULL && err->code != 0 ? err->code : CS_EINTERNAL;
	cs_runs_ready(e, l);
	return CS_OK;
}

static int recover_one(cs_engine *e, const cs_open_run *o, cs_err *err)
{
	const cs_bundle *b = cs_bundle_by_hash(e, o->definition, err);
	if (b == NULL)
		return err != NULL && err->code != 0 ? err->code : CS_EINTERNAL;
	if (!cs_parked_may_stay_out(e, o, b->flow))
		return load_open(e, o, err);
	cs_parked_stay_out(e, o->id);
	return CS_OK;
}

int cs_runs_recover(cs_engine *e, cs_err *err)
{
	int rc = cs_reader_open_runs(e->reader, note_open, e, err);
	for (size_t i = 0; i < e->n_open && rc == CS_OK; i++)
		rc = recover_one(e, &e->open[i], err);
	for (size_t i = 0; i < e->n_open && rc == CS_OK; i++) {      /* all are there: now each hears of what it awaits */
		const cs_live *l = cs_runs_get(e, e->open[i].id);
		rc = l != NULL ? cs_run_subs_look(l->run, &e->step, err) : CS_OK;
	}
	return rc;
}

/* What came back before, and what it asked, is done with first; but a few come always, so that no load keeps them out. */
int cs_runs_return(cs_engine *e, cs_err *err)
{
	size_t most = cs_parked_keep(e) < RETURN_RUNS ? cs_parked_keep(e) : RETURN_RUNS;
	int rc = CS_OK;
	if (cs_runs_waiting(e) + e->evaluating >= most)
		most = (most + 7) / 8;
	for (; e->next_open < e->n_open && most > 0 && rc == CS_OK; e->next_open++) {
		const cs_open_run *o = &e->open[e->next_open];
		if (!cs_parked_unseen(e, o->id))
			continue;
		rc = load_open(e, o, err);
		most--;
	}
	if (e->n_unseen == 0) {
		cs_freep(&e->open);
		e->n_open = e->cap_open = e->next_open = 0;
	}
	return rc;
}

/* After all that may hear of it is there. */
int cs_runs_crash(cs_engine *e, cs_err *err)
{
	CS_AUTOFREE cs_live **list = cs_xcalloc(e->n_runs + 1, sizeof(cs_live *));
	size_t n = 0;
	int rc = CS_OK;
	for (size_t i = 0; i < CS_ARRAY_LEN(e->lanes); i++)
		for (size_t k = 0; k < e->lanes[i].n; k++)
			list[n++] = e->lanes[i].list[k];
	qsort(list, n, sizeof(cs_live *), by_age);
	for (size_t i = 0; i < n && rc == CS_OK; i++)
		rc = crash(e, list[i], err);
	return rc;
}
