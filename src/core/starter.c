/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/starter.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/life.h"
#include "core/match.h"

/* ---- life ------------------------------------------------------------------------------------------- */

/* What it waits for is part of its name: what was gathered for another is not for it. */
static char *name_of(const cs_flow *flow, const cs_start *start, size_t index)
{
	char digest[CS_HEX_SIZE];
	if (start != NULL)
		return cs_xasprintf("%s/%s/starts/%zu@%.12s", flow->ns, flow->name, index, start->digest);
	cs_json_digest(json_object_get(flow->def, "schedule"), digest);
	return cs_xasprintf("%s/%s/schedule@%.12s", flow->ns, flow->name, digest);
}

cs_starter *cs_starter_new(const char *id, const cs_flow *flow, const cs_start *start, size_t index, cs_exprset *exprs)
{
	cs_starter *st = cs_xcalloc(1, sizeof *st);
	st->name = name_of(flow, start, index);
	st->flow = flow;
	st->start = start;
	st->listen = start != NULL ? &st->entry : flow->schedule->on;
	if (start != NULL)
		st->entry = (cs_listen){ .to = { .how = CS_LISTEN_ONE, .filters = start->on, .n_filters = 1 }, .read = CS_READ_ENVELOPE };
	st->life = cs_life_of(st->listen);
	st->probe = cs_run_new(id, flow);
	st->probe->root = cs_frame_new(NULL, NULL);
	st->probe->exprs = start != NULL ? exprs : NULL;
	return st;
}

static void heard_fini(cs_heard *h)
{
	json_decref(h->event);
	json_decref(h->chain);
}

static void gathering_free(cs_gathering *g)
{
	for (size_t i = 0; i < g->n_heard; i++)
		heard_fini(&g->heard[i]);
	free(g->heard);
	json_decref(g->items);
	json_decref(g->keys);
	free(g->met);
	free(g->until_met);
	free(g);
}

void cs_starter_free(cs_starter *st)
{
	if (st == NULL)
		return;
	for (size_t i = 0; i < st->n_inbox; i++)
		heard_fini(&st->inbox[i]);
	for (size_t i = 0; i < st->n_gatherings; i++)
		gathering_free(st->gatherings[i]);
	free(st->inbox);
	free(st->gatherings);
	cs_run_free(st->probe);
	free(st->name);
	free(st->lost);
	free(st);
}

void cs_starter_take_over(cs_starter *st, cs_starter *old)
{
	st->inbox = CS_STEAL(old->inbox);
	st->n_inbox = old->n_inbox;
	st->gatherings = CS_STEAL(old->gatherings);
	st->n_gatherings = old->n_gatherings;
	st->loops_since = old->loops_since;
	st->loops = old->loops;
	st->ready = st->n_inbox > 0 || st->n_gatherings > 0;
	old->n_inbox = old->n_gatherings = 0;
}

/* ---- fold ------------------------------------------------------------------------------------------- */

static cs_gathering *find(const cs_starter *st, int64_t id)
{
	for (size_t i = 0; i < st->n_gatherings; i++)
		if (st->gatherings[i]->id == id)
			return st->gatherings[i];
	return NULL;
}

static int fold_received(cs_starter *st, const cs_event *ev)
{
	json_t *event = json_object_get(ev->data, "event"), *chain = json_object_get(ev->data, "chain");
	if (!json_is_object(event))
		return CS_EINTERNAL;
	st->inbox = cs_xrealloc(st->inbox, (st->n_inbox + 1) * sizeof *st->inbox);
	st->inbox[st->n_inbox++] = (cs_heard){ .seq = ev->seq, .event = json_incref(event), .chain = chain != NULL ? json_incref(chain) : NULL,
					       .tainted = cs_json_true(ev->data, "tainted"), .simulated = ev->simulated };
	return CS_OK;
}

/* Out of the inbox, whose member it was. */
static bool take(cs_starter *st, int64_t seq, cs_heard *ret)
{
	for (size_t i = 0; i < st->n_inbox; i++) {
		if (st->inbox[i].seq != seq)
			continue;
		*ret = st->inbox[i];
		memmove(&st->inbox[i], &st->inbox[i + 1], (st->n_inbox - i - 1) * sizeof *st->inbox);
		st->n_inbox--;
		return true;
	}
	return false;
}

static cs_gathering *gathering_new(cs_starter *st, int64_t id)
{
	const cs_listen *l = st->listen;
	cs_gathering *g = cs_xcalloc(1, sizeof *g);
	g->id = id;
	g->items = json_array();
	g->keys = json_object();
	g->met = cs_xcalloc((size_t)l->to.n_filters + 1, sizeof *g->met);
	g->until_met = cs_xcalloc((size_t)(l->until_events != NULL ? l->until_events->n_filters : 0) + 1, sizeof *g->until_met);
	st->gatherings = cs_xrealloc(st->gatherings, (st->n_gatherings + 1) * sizeof(cs_gathering *));
	st->gatherings[st->n_gatherings++] = g;
	return g;
}

static int fold_consumed(cs_starter *st, const cs_event *ev)
{
	const cs_listen *l = st->listen;
	int64_t id = cs_json_int_or(ev->data, "gathering", 0);
	json_int_t filter = cs_json_int_or(ev->data, "filter", -1);
	bool until = cs_json_true(ev->data, "until");
	int n = until ? (l->until_events != NULL ? l->until_events->n_filters : -1) : l->to.n_filters;
	cs_heard h;
	if (filter < 0 || n < 0 || (filter > 0 && filter >= n) || !take(st, cs_json_int_or(ev->data, "received", 0), &h))
		return CS_EINTERNAL;
	cs_gathering *g = find(st, id);
	if (g == NULL)
		g = gathering_new(st, id);
	bool *met = until ? g->until_met : g->met;
	int *n_met = until ? &g->n_until_met : &g->n_met;
	*n_met += !met[filter];
	met[filter] = true;
	json_object_update(g->keys, json_object_get(ev->data, "keys"));
	g->heard = cs_xrealloc(g->heard, (g->n_heard + 1) * sizeof *g->heard);
	g->heard[g->n_heard++] = h;
	if (!until)
		json_array_append_new(g->items, cs_event_read(h.event, l->read));
	g->consumed = ev->seq;
	g->unseen = true;
	return CS_OK;
}

static int fold_passed(cs_starter *st, const cs_event *ev)
{
	cs_heard h;
	if (!take(st, cs_json_int_or(ev->data, "received", 0), &h))
		return CS_EINTERNAL;
	heard_fini(&h);
	return CS_OK;
}

static int fold_ended(cs_starter *st, const cs_event *ev)
{
	int64_t id = cs_json_int_or(ev->data, "gathering", 0);
	for (size_t i = 0; i < st->n_gatherings; i++) {
		if (st->gatherings[i]->id != id)
			continue;
		gathering_free(st->gatherings[i]);
		memmove(&st->gatherings[i], &st->gatherings[i + 1], (st->n_gatherings - i - 1) * sizeof(cs_gathering *));
		st->n_gatherings--;
		return CS_OK;
	}
	return CS_EINTERNAL;
}

int cs_starter_fold(cs_starter *st, const cs_event *ev, cs_err *err)
{
	static const struct {
		const char *type;
		int (*fold)(cs_starter *st, const cs_event *ev);
	} folds[] = {
		{ "start.received", fold_received }, { "start.consumed", fold_consumed }, { "start.passed", fold_passed },
		{ "start.ended", fold_ended },
	};
	int rc = CS_EINTERNAL;
	for (size_t i = 0; i < CS_ARRAY_LEN(folds); i++)
		if (strcmp(folds[i].type, ev->type) == 0)
			rc = folds[i].fold(st, ev);
	st->ready = true;
	return rc == CS_OK ? rc : cs_err_set(err, rc, "event %lld (%s) does not fit what waits for %s; run `capstan verify`",
					     (long long)ev->seq, ev->type, st->name);
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static int put(cs_starter *st, cs_step *s, const char *type, json_t *data, bool simulated, int64_t cause, cs_err *err)
{
	CS_AUTOJSON json_t *owned = data;
	json_object_set_new(owned, "starter", json_string(st->name));
	cs_event ev = { .at = s->now, .type = type, .actor = "engine", .cause = cause, .simulated = simulated, .data = owned };
	int rc = s->append(s->ctx, &ev, err);
	return rc != CS_OK ? rc : cs_starter_fold(st, &ev, err);
}

int cs_starter_offer(cs_starter *st, cs_step *s, json_t *event, json_t *chain, bool tainted, bool simulated, int64_t cause,
		     bool *ret_taken, cs_err *err)
{
	const cs_listen *l = st->listen;
	*ret_taken = false;
	if (!cs_strategy_may_match(&l->to, event) && (l->until_events == NULL || !cs_strategy_may_match(l->until_events, event)))
		return CS_OK;
	json_t *data = json_pack("{s:O}", "event", event);
	if (tainted)
		json_object_set_new(data, "tainted", json_true());
	if (chain != NULL)
		json_object_set(data, "chain", chain);
	*ret_taken = true;
	return put(st, s, "start.received", data, simulated, cause, err);
}

int cs_starter_end(cs_starter *st, cs_step *s, int64_t id, const char *how, json_t *more, cs_err *err)
{
	const cs_gathering *g = find(st, id);
	json_t *data = more != NULL ? more : json_object();
	if (g == NULL) {
		json_decref(data);
		return cs_err_set(err, CS_EINTERNAL, "nothing is gathered under %lld", (long long)id);
	}
	json_object_set_new(data, "gathering", json_integer(id));
	json_object_set_new(data, "how", json_string(how));
	bool simulated = false;
	for (size_t i = 0; i < g->n_heard; i++)
		simulated = simulated || g->heard[i].simulated;
	return put(st, s, "start.ended", data, simulated, g->consumed, err);
}

/* ---- looking at one --------------------------------------------------------------------------------- */

static cs_view_of view(cs_starter *st, cs_step *s)
{
	return (cs_view_of){ .r = st->probe, .s = s, .seq = st->probe->root, .memo = st->probe->root };
}

/* What a gathering would make of the event: G NULL is one that is yet to begin, which `until` cannot. */
static int choose(cs_starter *st, cs_match *m, const cs_gathering *g, bool *ret_until, int *ret_filter)
{
	static const bool none[1];
	const cs_listen *l = st->listen;
	CS_AUTOFREE bool *fresh = g == NULL ? cs_xcalloc((size_t)l->to.n_filters + 1, sizeof *fresh) : NULL;
	int rc = CS_OK;
	*ret_filter = -1;
	*ret_until = false;
	m->settled = g != NULL ? g->keys : NULL;
	if (g != NULL && l->until_events != NULL && l->to.how == CS_LISTEN_ANY)
		rc = cs_match_choose(m, l->until_events, g->until_met != NULL ? g->until_met : none, ret_filter);
	*ret_until = rc == CS_OK && *ret_filter >= 0;
	if (rc == CS_OK && *ret_filter < 0)
		rc = cs_match_choose(m, &l->to, g != NULL ? g->met : fresh, ret_filter);
	return rc;
}

static int pass(cs_starter *st, cs_step *s, const cs_heard *h, const char *why, cs_err *err)
{
	json_t *data = json_pack("{s:I}", "received", (json_int_t)h->seq);
	if (why != NULL)
		json_object_set_new(data, "why", json_string(why));
	return put(st, s, "start.passed", data, h->simulated, h->seq, err);
}

static int consume(cs_starter *st, cs_step *s, const cs_heard *h, int64_t gathering, bool until, int filter, json_t *keys, cs_err *err)
{
	int64_t seq = h->seq;
	bool simulated = h->simulated;
	if (gathering == seq && st->n_gatherings >= CS_GATHERINGS_MAX) {
		int rc = cs_starter_end(st, s, st->gatherings[0]->id, "dropped",
					json_pack("{s:s}", "why", "too many wait for what belongs to them; the oldest is let go"), err);
		if (rc != CS_OK)
			return rc;
	}
	json_t *data = json_pack("{s:I, s:I, s:i}", "received", (json_int_t)seq, "gathering", (json_int_t)gathering, "filter", filter);
	if (until)
		json_object_set_new(data, "until", json_true());
	if (json_object_size(keys) > 0)
		json_object_set(data, "keys", keys);
	return put(st, s, "start.consumed", data, simulated, seq, err);
}

/* What is looked at stays where it is: that jq cannot be started says nothing about the event. */
static int wait_for_evaluator(cs_starter *st, const cs_err *why)
{
	free(st->lost);
	st->lost = cs_xstrdup(why->msg);
	cs_frame_forget(st->probe->root);
	return CS_EAGAIN;
}

static int look_at_next(cs_starter *st, cs_step *s, cs_err *err)
{
	const cs_heard h = st->inbox[0];
	CS_AUTOJSON json_t *event = json_incref(h.event);
	CS_AUTOJSON json_t *keys = json_object();
	cs_err lost = { 0 };
	cs_match m = { .v = view(st, s), .event = event, .keys = keys, .lost = &lost };
	bool until = false;
	int filter = -1, rc = CS_OK;
	int64_t into = h.seq;
	for (size_t i = 0; i < st->n_gatherings && rc == CS_OK && filter < 0; i++) {
		rc = choose(st, &m, st->gatherings[i], &until, &filter);
		into = st->gatherings[i]->id;
	}
	if (rc == CS_OK && filter < 0) {
		rc = choose(st, &m, NULL, &until, &filter);
		into = h.seq;
	}
	if (rc == CS_EUNAVAIL)
		rc = wait_for_evaluator(st, &lost);
	else if (rc == CS_OK)
		rc = filter < 0 ? pass(st, s, &h, m.why, err) : consume(st, s, &h, into, until, filter, keys, err);
	if (rc != CS_EAGAIN)
		cs_frame_forget(st->probe->root);
	free(m.why);
	return rc;
}

/* ---- a run from what is gathered -------------------------------------------------------------------- */

static int is_whole(cs_starter *st, cs_step *s, cs_gathering *g, bool *ret, cs_err *why)
{
	const cs_listen *l = st->listen;
	cs_view_of v = view(st, s);
	*ret = false;
	if (l->until_events != NULL && l->to.how == CS_LISTEN_ANY)
		*ret = g->n_until_met >= (l->until_events->how == CS_LISTEN_ALL ? l->until_events->n_filters : 1);
	else if (l->until == NULL || l->to.how != CS_LISTEN_ANY)
		*ret = g->n_met >= (l->to.how == CS_LISTEN_ALL ? l->to.n_filters : 1);
	else
		return cs_look_true(&v, CS_PHASE_UNTIL, l->until, g->items, ret, why);
	return CS_OK;
}

/* `with` and `once`, each with `.` the event. Both are looked at before either is waited for. */
static int shape(cs_starter *st, cs_step *s, const cs_gathering *g, json_t **ret_input, json_t **ret_once, cs_err *why)
{
	cs_view_of v = view(st, s);
	json_t *event = g->heard[0].event, *data = json_object_get(event, "data");
	int rc = CS_OK, other = CS_OK;
	if (st->start == NULL)
		*ret_input = json_incref(g->items);
	else if (st->start->with != NULL)
		rc = cs_look(&v, CS_PHASE_BODY, st->start->with, event, ret_input, why);
	else
		*ret_input = data != NULL ? json_incref(data) : json_object();
	if (st->start != NULL && st->start->once != NULL && (rc == CS_OK || rc == CS_EAGAIN))
		other = cs_look(&v, CS_PHASE_ITEM, st->start->once, event, ret_once, why);
	return rc == CS_EAGAIN || other == CS_OK ? rc : other;
}

json_t *cs_gathering_chain(const cs_gathering *g)
{
	json_t *chain = json_object();
	for (size_t i = 0; i < g->n_heard; i++)
		json_object_update(chain, g->heard[i].chain);
	return chain;
}

static int finish(cs_starter *st, cs_step *s, cs_gathering *g, cs_starter_begin_fn *begin, void *ctx, cs_err *err)
{
	CS_AUTOJSON json_t *input = NULL, *once = NULL;
	cs_err why = { 0 };
	int64_t id = g->id;
	int rc = shape(st, s, g, &input, &once, &why);
	if (rc == CS_EUNAVAIL)
		return wait_for_evaluator(st, &why);
	if (rc == CS_EAGAIN)
		return rc;
	cs_whole out = { .gathering = g, .input = input, .once = once };
	if (rc != CS_OK)
		out.failure = why.msg[0] != '\0' ? why.msg : "an expression failed";
	else if (st->start != NULL && st->start->once != NULL && json_is_null(once))
		out.failure = "`once` gives null for it, so nobody can tell whether it started a run before";
	for (size_t i = 0; i < g->n_heard; i++) {
		out.tainted = out.tainted || g->heard[i].tainted;
		out.simulated = out.simulated || g->heard[i].simulated;
	}
	cs_frame_forget(st->probe->root);
	rc = begin(ctx, st, &out, err);
	if (rc == CS_OK && find(st, id) != NULL)
		rc = cs_err_set(err, CS_EINTERNAL, "what was gathered for %s was neither started nor ended", st->name);
	return rc;
}

/* The first gathering that something was added to. *ret_none: there is none. */
static int finish_next(cs_starter *st, cs_step *s, cs_starter_begin_fn *begin, void *ctx, bool *ret_none, cs_err *err)
{
	cs_gathering *g = NULL;
	for (size_t i = 0; i < st->n_gatherings && g == NULL; i++)
		if (st->gatherings[i]->unseen)
			g = st->gatherings[i];
	*ret_none = g == NULL;
	if (g == NULL)
		return CS_OK;
	bool whole = false;
	cs_err why = { 0 };
	int rc = is_whole(st, s, g, &whole, &why);
	if (rc == CS_EUNAVAIL)
		return wait_for_evaluator(st, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK) {           /* a condition that fails on what came would fail for ever */
		cs_frame_forget(st->probe->root);
		cs_whole out = { .gathering = g, .failure = why.msg };
		return begin(ctx, st, &out, err);
	}
	if (whole)
		return finish(st, s, g, begin, ctx, err);
	g->unseen = false;
	cs_frame_forget(st->probe->root);
	return CS_OK;
}

int cs_starter_step(cs_starter *st, cs_step *s, cs_starter_begin_fn *begin, void *ctx, cs_err *err)
{
	int rc = CS_OK;
	st->ready = false;
	free(CS_STEAL(st->lost));
	while (rc == CS_OK) {
		bool none = false;
		rc = finish_next(st, s, begin, ctx, &none, err);
		if (rc == CS_OK && none && st->n_inbox == 0)
			break;
		if (rc == CS_OK && none)
			rc = look_at_next(st, s, err);
	}
	st->ready = false;
	return rc == CS_EAGAIN ? CS_OK : rc;
}
