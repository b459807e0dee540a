/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/turns.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

/* The runs of one flow in memory that have limits. */
struct cs_turn {
	char *flow;                  /* NAMESPACE/NAME */
	bool simulated;
	cs_alone alone;
	unsigned concurrent;         /* 0: as many as come */
	size_t placed;
	json_t *subjects;            /* of those on a place: subject -> how many */
	cs_live **queue; size_t n, cap;
	struct cs_turn *next;
};

static bool over(const cs_run *r)
{
	return cs_run_state_terminal(cs_run_state_name(r->state));
}

/* ---- finding ----------------------------------------------------------------------------------------- */

static cs_turn *turn_of(cs_engine *e, const cs_run *r, const cs_flow_settings *s)
{
	CS_AUTOFREE char *full = cs_xasprintf("%s/%s", r->flow->ns, r->flow->name);
	for (cs_turn *t = e->turns; t != NULL; t = t->next)
		if (t->simulated == r->simulated && strcmp(t->flow, full) == 0)
			return t;
	cs_turn *t = cs_xcalloc(1, sizeof *t);
	t->flow = CS_STEAL(full);
	t->simulated = r->simulated;
	t->alone = s->alone;
	t->concurrent = s->concurrent;
	t->subjects = json_object();
	t->next = e->turns;
	return e->turns = t;
}

/* ---- places ------------------------------------------------------------------------------------------ */

static bool fits(const cs_turn *t, const cs_run *r)
{
	if (t->concurrent > 0 && t->placed >= t->concurrent)
		return false;
	if (t->alone == CS_ALONE_FLOW)
		return t->placed == 0;
	return t->alone != CS_ALONE_SUBJECT || r->subject == NULL || json_object_get(t->subjects, r->subject) == NULL;
}

static void count_subject(cs_turn *t, const cs_run *r, int by)
{
	if (r->subject == NULL)
		return;
	json_int_t n = json_integer_value(json_object_get(t->subjects, r->subject)) + by;
	if (n > 0)
		json_object_set_new(t->subjects, r->subject, json_integer(n));
	else
		json_object_del(t->subjects, r->subject);
}

static void place(cs_live *l)
{
	l->placed = true;
	l->turn->placed++;
	count_subject(l->turn, l->run, 1);
}

static void leave_queue(cs_turn *t, const cs_live *l)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->queue[i] != l)
			continue;
		memmove(&t->queue[i], &t->queue[i + 1], (t->n - i - 1) * sizeof(cs_live *));
		t->n--;
		return;
	}
}

static void enqueue(cs_turn *t, cs_live *l)
{
	if (t->n == t->cap) {
		t->cap = t->cap > 0 ? t->cap * 2 : 16;
		t->queue = cs_xrealloc(t->queue, t->cap * sizeof(cs_live *));
	}
	t->queue[t->n++] = l;
}

/* Those whose turn has come are looked at again; each takes its place when it is stepped. */
static void wake(cs_engine *e, const cs_turn *t)
{
	size_t free_places = t->alone == CS_ALONE_FLOW ? 1 : t->concurrent > 0 ? t->concurrent - (t->placed < t->concurrent ? t->placed : t->concurrent) : t->n;
	for (size_t i = 0; i < t->n && free_places > 0; i++) {
		if (!fits(t, t->queue[i]->run))
			continue;
		cs_runs_ready(e, t->queue[i]);
		free_places--;
	}
}

/* Is R awaited by a run on a place of T, be it by way of others? Behind that one it would wait for ever. */
static bool shares_place(cs_engine *e, const cs_turn *t, const cs_run *r)
{
	while (r->awaited) {         /* each was made before the one that it awaits */
		const cs_live *l = cs_runs_get(e, r->parent);
		if (l == NULL)
			return false;
		if (l->turn == t && l->placed)
			return true;
		r = l->run;
	}
	return false;
}

/* ---- the way of a run -------------------------------------------------------------------------------- */

void cs_turns_join(cs_engine *e, cs_live *l)
{
	const cs_run *r = l->run;
	const cs_flow_settings *s = cs_workspace_flow_settings(e->ws, r->flow->name);
	l->background = s != NULL && s->background;
	l->placed = false;
	l->turn = NULL;
	if (s == NULL || r->shadow || (s->alone == CS_ALONE_NONE && s->concurrent == 0))
		return;
	l->turn = turn_of(e, r, s);
	if (shares_place(e, l->turn, r)) {
		l->turn = NULL;
		return;
	}
	if (r->state == CS_RUN_CREATED)
		enqueue(l->turn, l);
	else if (!over(r))
		place(l);
}

bool cs_turns_may_start(void *engine, const cs_run *r)
{
	cs_live *l = r->owner;
	if (l == NULL || l->turn == NULL || l->placed)
		return true;
	cs_turn *t = l->turn;
	if (shares_place(engine, t, r)) {    /* a run that is just made says only now who awaits it */
		leave_queue(t, l);
		l->turn = NULL;
		return true;
	}
	if (!fits(t, r))
		return false;
	for (size_t i = 0; i < t->n && t->queue[i] != l; i++)
		if (fits(t, t->queue[i]->run))       /* it was there first, and will be stepped */
			return false;
	leave_queue(t, l);
	place(l);
	return true;
}

void cs_turns_follow(cs_engine *e, cs_live *l)
{
	cs_turn *t = l->turn;
	if (t == NULL)
		return;
	if (over(l->run)) {
		leave_queue(t, l);
		if (l->placed) {
			l->placed = false;
			t->placed--;
			count_subject(t, l->run, -1);
		}
		wake(e, t);
	} else if (!l->placed && l->run->state != CS_RUN_CREATED && l->run->state != CS_RUN_CANCELLING) {
		place(l);            /* the operator took it up again: that asks for no turn */
	}
}

/* ---- all of them ------------------------------------------------------------------------------------- */

void cs_turns_free(cs_engine *e)
{
	while (e->turns != NULL) {
		cs_turn *t = e->turns;
		e->turns = t->next;
		json_decref(t->subjects);
		free(t->queue);
		free(t->flow);
		free(t);
	}
}

struct gathered {
	cs_live **list;
	size_t n;
};

static void gather(const void *node, VISIT visit, void *ctx)
{
	struct gathered *g = ctx;
	if (visit == postorder || visit == leaf)
		g->list[g->n++] = *(cs_live *const *)node;
}

static int by_age(const void *a, const void *b)
{
	int64_t x = (*(cs_live *const *)a)->run->created_seq, y = (*(cs_live *const *)b)->run->created_seq;
	return (x > y) - (x < y);
}

void cs_turns_renew(cs_engine *e)
{
	CS_AUTOFREE cs_live **list = cs_xcalloc(e->n_runs + 1, sizeof(cs_live *));
	struct gathered g = { .list = list };
	cs_turns_free(e);
	twalk_r(e->runs, gather, &g);
	qsort(g.list, g.n, sizeof(cs_live *), by_age);
	for (size_t i = 0; i < g.n; i++)
		cs_turns_join(e, g.list[i]);
	for (const cs_turn *t = e->turns; t != NULL; t = t->next)
		wake(e, t);
	for (size_t i = 0; i < g.n; i++)     /* those that need no turn any more */
		if (g.list[i]->turn == NULL && g.list[i]->run->state == CS_RUN_CREATED)
			cs_runs_ready(e, g.list[i]);
}
