/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/leash.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "engine/outlet_priv.h"

enum { OUT, BACK, CUT };
enum { MARGIN_MS = 60000, SECOND_LOOK = 4 };         /* the second look comes after this part of the margin */

static int64_t margin_ns(const cs_engine *e)
{
	return (e->opts.overdue_ms > 0 ? e->opts.overdue_ms : MARGIN_MS) * INT64_C(1000000);
}

static int64_t limit_ns(const cs_engine *e, const cs_leash *l)
{
	return l->timeout_ms * INT64_C(1000000) + margin_ns(e);
}

cs_leash *cs_leash_new(cs_engine *e, const char *run, int task, const cs_pass *p)
{
	cs_leash *l = cs_xcalloc(1, sizeof *l);
	atomic_init(&l->refs, 2);            /* the list's, and the performer's */
	atomic_init(&l->state, OUT);
	atomic_init(&l->begun_ns, 0);
	memcpy(l->run, run, CS_ID_SIZE);
	l->task = task;
	l->outlet = p->outlet;
	l->target = p->target;
	l->probe = p->probe;
	if (l->outlet != NULL)
		atomic_fetch_add(&l->outlet->refs, 1);
	if (l->target != NULL)
		atomic_fetch_add(&l->target->refs, 1);
	if (e->n_leashes == e->cap_leashes) {
		e->cap_leashes = e->cap_leashes > 0 ? e->cap_leashes * 2 : 64;
		e->leashes = cs_xrealloc(e->leashes, e->cap_leashes * sizeof(cs_leash *));
	}
	l->at = e->n_leashes;
	e->leashes[e->n_leashes++] = l;
	return l;
}

void cs_leash_unref(cs_leash *l)
{
	if (l == NULL || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	cs_outlet_unref(l->outlet);
	cs_target_unref(l->target);
	free(l);
}

void cs_leash_end(cs_engine *e, cs_leash *l)
{
	if (l == NULL || l->at >= e->n_leashes || e->leashes[l->at] != l)
		return;
	e->leashes[l->at] = e->leashes[--e->n_leashes];
	e->leashes[l->at]->at = l->at;
	cs_leash_unref(l);
}

void cs_leash_begin(cs_leash *l)
{
	atomic_store(&l->begun_ns, cs_clock_mono_ns());
}

bool cs_leash_back(cs_leash *l)
{
	int out = OUT;
	return atomic_compare_exchange_strong(&l->state, &out, BACK);
}

bool cs_leash_is_cut(const cs_leash *l)
{
	return atomic_load(&l->state) == CUT;
}

/* ---- looking ------------------------------------------------------------------------------------------- */

static void cut(cs_engine *e, cs_leash *l)
{
	int out = OUT;
	if (!atomic_compare_exchange_strong(&l->state, &out, CUT))
		return;                      /* its answer is on its way */
	cs_message *m = cs_xcalloc(1, sizeof *m);
	m->kind = CS_MESSAGE_OUTCOME;
	memcpy(m->run, l->run, CS_ID_SIZE);
	m->task = l->task;
	m->outcome = cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_TIMEOUT, 0, "no answer at all",
				       "what performs it did not come back, long after the %lld ms that it had; what it says now is dropped",
				       (long long)l->timeout_ms);
	m->outlet = CS_STEAL(l->outlet);
	m->target = CS_STEAL(l->target);
	m->probe = l->probe;
	m->leash = l;
	atomic_fetch_add(&l->refs, 1);
	if (l->on_worker)
		cs_workers_lost(e->agents);
	(void)cs_engine_post(e, m);
}

/* When L is to be looked at again. */
static int64_t look(cs_engine *e, cs_leash *l, int64_t now)
{
	int64_t begun = atomic_load(&l->begun_ns);
	if (begun == 0 || atomic_load(&l->state) != OUT)
		return now + limit_ns(e, l);
	if (now < begun + limit_ns(e, l))
		return begun + limit_ns(e, l);
	if (l->late_ns == 0)
		l->late_ns = now;
	int64_t last = l->late_ns + margin_ns(e) / SECOND_LOOK;
	if (now < last)
		return last;
	cut(e, l);
	return now + limit_ns(e, l);
}

void cs_leashes_look(cs_engine *e)
{
	int64_t now = e->n_leashes > 0 ? cs_clock_mono_ns() : 0, next = INT64_MAX;
	if (e->n_leashes == 0 || now < e->leash_look_ns)
		return;
	for (size_t i = 0; i < e->n_leashes; i++) {
		int64_t at = look(e, e->leashes[i], now);
		if (at < next)
			next = at;
	}
	e->leash_look_ns = next;
}

void cs_leash_watch(cs_engine *e, const cs_leash *l)
{
	int64_t at = cs_clock_mono_ns() + limit_ns(e, l);
	if (e->n_leashes == 1 || at < e->leash_look_ns)
		e->leash_look_ns = at;
}

int64_t cs_leashes_wait_ms(const cs_engine *e, int64_t most)
{
	if (e->n_leashes == 0)
		return most;
	int64_t left = e->leash_look_ns - cs_clock_mono_ns();
	left = left > 0 ? left / 1000000 + 1 : 0;
	return left < most ? left : most;
}

void cs_leashes_free(cs_engine *e)
{
	while (e->n_leashes > 0)
		cs_leash_unref(e->leashes[--e->n_leashes]);
	free(e->leashes);
}
