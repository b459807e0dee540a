/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/parked.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

enum { SOON_MS = 60000, TRIM_AFTER = 4096, FIRST_ROOM = 1024 };

/* ---- the table: open addressing in one piece, so that what stays keeps no page of what left -------------- */

static size_t slot_of(const cs_engine *e, const char *run)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (const char *p = run; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 32) & (e->cap_parked - 1);
}

/* RUN's entry, or the empty one where it would stand. */
static cs_parked *entry_of(const cs_engine *e, const char *run)
{
	size_t i = slot_of(e, run);
	while (e->parked[i].run[0] != '\0' && strcmp(e->parked[i].run, run) != 0)
		i = (i + 1) & (e->cap_parked - 1);
	return &e->parked[i];
}

static cs_parked *find(const cs_engine *e, const char *run)
{
	cs_parked *p = e->n_parked > 0 ? entry_of(e, run) : NULL;
	return p != NULL && p->run[0] != '\0' ? p : NULL;
}

static void make_room(cs_engine *e)
{
	cs_parked *old = e->parked;
	size_t n = e->cap_parked;
	if (2 * (e->n_parked + 1) <= n)
		return;
	e->cap_parked = n > 0 ? 2 * n : FIRST_ROOM;
	e->parked = cs_xcalloc(e->cap_parked, sizeof *e->parked);
	for (size_t i = 0; i < n; i++)
		if (old[i].run[0] != '\0')
			*entry_of(e, old[i].run) = old[i];
	free(old);
}

/* Those behind it move up, as far as their own place. */
static void take_out(cs_engine *e, cs_parked *p)
{
	size_t mask = e->cap_parked - 1, hole = (size_t)(p - e->parked);
	e->n_unseen -= p->unseen;
	for (size_t i = (hole + 1) & mask; e->parked[i].run[0] != '\0'; i = (i + 1) & mask) {
		size_t own = slot_of(e, e->parked[i].run);
		if (((i - own) & mask) < ((i - hole) & mask))
			continue;
		e->parked[hole] = e->parked[i];
		hole = i;
	}
	e->parked[hole] = (cs_parked){ .due = 0 };
	e->n_parked--;
}

static cs_parked *put_in(cs_engine *e, const char *run)
{
	make_room(e);
	cs_parked *p = entry_of(e, run);
	memcpy(p->run, run, CS_ID_SIZE);
	e->n_parked++;
	return p;
}

/* ---- leaving --------------------------------------------------------------------------------------------- */

/* Nothing but a person's word or a clock moves this task on. */
static bool only_waits(const cs_frame *f)
{
	if (f->call != NULL && f->call->phase != CS_CALL_ASKING)
		return false;
	return f->asked == 0 && f->hearing == NULL && f->emitted == NULL && f->sub_id[0] == '\0' && f->sub_again[0] == '\0';
}

static bool may_leave(const cs_engine *e, const cs_live *l)
{
	const cs_run *r = l->run;
	if (l->ready || l->gone || r->state != CS_RUN_WAITING || r->shadow || r->record != NULL || r->parent[0] != '\0')
		return false;
	if (l->turn != NULL || l->heard_by != NULL || !cs_run_at_rest(r) || (l->due > 0 && l->due < e->step.now + SOON_MS))
		return false;
	for (int i = 0; i < r->flow->n_tasks; i++)
		if (r->live[i] != NULL && !only_waits(r->live[i]))
			return false;
	return true;
}

size_t cs_parked_keep(const cs_engine *e)
{
	return e->opts.keep_runs > 0 ? e->opts.keep_runs : CS_PARKED_KEEP;
}

void cs_parked_note(cs_engine *e, cs_live *l)
{
	if (l->parking || e->n_runs <= cs_parked_keep(e) + e->n_parking || !may_leave(e, l))
		return;
	if (e->n_parking == e->cap_parking) {
		e->cap_parking = e->cap_parking > 0 ? e->cap_parking * 2 : 64;
		e->parking = cs_xrealloc(e->parking, e->cap_parking * sizeof *e->parking);
	}
	l->parking = true;
	e->parking[e->n_parking++] = l;
}

static void leave(cs_engine *e, cs_live *l)
{
	put_in(e, l->run->id)->due = l->due;
	e->untrimmed++;
	cs_runs_leave(e, l);
}

void cs_parked_sweep(cs_engine *e)
{
	for (size_t i = 0; i < e->n_parking; i++) {
		cs_live *l = e->parking[i];
		l->parking = false;
		if (may_leave(e, l))
			leave(e, l);
	}
	e->n_parking = 0;
	if (e->untrimmed >= TRIM_AFTER && cs_runs_waiting(e) == 0) {
		(void)malloc_trim(0);
		e->untrimmed = 0;
	}
}

/* ---- left out by the start ------------------------------------------------------------------------------- */

bool cs_parked_may_stay_out(const cs_engine *e, const cs_open_run *o, const cs_flow *f)
{
	const cs_flow_settings *s = cs_workspace_flow_settings(e->ws, f->name);
	bool shares = s != NULL && (s->alone != CS_ALONE_NONE || s->concurrent > 0);
	return o->waits && f->n_listens == 0 && f->n_subs == 0 && !shares && e->n_runs >= cs_parked_keep(e);
}

void cs_parked_stay_out(cs_engine *e, const char *run)
{
	put_in(e, run)->unseen = true;
	e->n_unseen++;
}

bool cs_parked_unseen(const cs_engine *e, const char *run)
{
	const cs_parked *p = find(e, run);
	return p != NULL && p->unseen;
}

/* ---- coming back ----------------------------------------------------------------------------------------- */

cs_parked cs_parked_drop(cs_engine *e, const char *run)
{
	cs_parked *p = find(e, run);
	cs_parked was = { .due = 0 };
	if (p != NULL) {
		was = *p;
		take_out(e, p);
	}
	return was;
}

bool cs_parked_is(const cs_engine *e, const char *run)
{
	return find(e, run) != NULL;
}

int64_t cs_parked_due(const cs_engine *e, const char *run)
{
	const cs_parked *p = find(e, run);
	return p != NULL ? p->due : 0;
}

int cs_parked_all_back(cs_engine *e, cs_err *err)
{
	size_t n = 0;
	if (e->n_parked == 0)
		return CS_OK;
	CS_AUTOFREE cs_parked *list = cs_xcalloc(e->n_parked, sizeof *list);
	for (size_t i = 0; i < e->cap_parked; i++)
		if (e->parked[i].run[0] != '\0')
			list[n++] = e->parked[i];
	for (size_t i = 0; i < n; i++)
		if (cs_runs_load(e, list[i].run, err) == NULL)
			return err != NULL && err->code != 0 ? err->code : CS_EINTERNAL;
	return CS_OK;
}

void cs_parked_free(cs_engine *e)
{
	free(e->parked);
	free(e->parking);
}
