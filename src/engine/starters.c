/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/starters.h"

#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/json.h"
#include "core/copied.h"
#include "core/starter.h"
#include "engine/hearers.h"
#include "engine/start.h"

enum { ONCE_BYTES = 4096 };

/* ---- which there are --------------------------------------------------------------------------------- */

static void add(cs_engine *e, const cs_flow *flow, const cs_start *start, size_t index)
{
	char id[CS_ID_SIZE];
	e->step.new_id(e, id);
	e->starters = cs_xrealloc(e->starters, (e->n_starters + 1) * sizeof(cs_starter *));
	e->starters[e->n_starters++] = cs_starter_new(id, flow, start, index, e->ws->exprs);
}

/* Of several versions of a flow, the one that a request by its name would start. */
static bool is_newest(const cs_workspace *ws, const cs_flow *flow)
{
	CS_AUTOFREE char *full = cs_xasprintf("%s/%s", flow->ns, flow->name);
	return cs_workspace_flow(ws, full) == flow;
}

static void build(cs_engine *e)
{
	for (size_t i = 0; i < e->ws->n_flows; i++) {
		const cs_flow *flow = e->ws->flows[i];
		const cs_flow_settings *s = cs_workspace_flow_settings(e->ws, flow->name);
		if (!is_newest(e->ws, flow))
			continue;
		if (flow->schedule != NULL && flow->schedule->on != NULL)
			add(e, flow, NULL, 0);
		for (size_t k = 0; s != NULL && k < s->n_starts; k++)
			if (s->starts[k].on != NULL)
				add(e, flow, &s->starts[k], k);
	}
	cs_hearers_note_life(e);
}

static cs_starter *by_name(const cs_engine *e, const char *name)
{
	for (size_t i = 0; i < e->n_starters; i++)
		if (strcmp(e->starters[i]->name, name) == 0)
			return e->starters[i];
	return NULL;
}

static int clear(cs_engine *e, const char *starter, cs_err *err)
{
	return cs_command_write(e, "start.cleared", json_pack("{s:s}", "starter", starter), err);
}

int cs_starters_load(cs_engine *e, cs_err *err)
{
	cs_starter **old = e->starters;
	size_t n = e->n_starters;
	int rc = CS_OK;
	e->starters = NULL;
	e->n_starters = 0;
	build(e);
	for (size_t i = 0; i < n; i++) {
		cs_starter *to = by_name(e, old[i]->name);
		if (to != NULL)
			cs_starter_take_over(to, old[i]);
		else if (rc == CS_OK && (old[i]->n_inbox > 0 || old[i]->n_gatherings > 0))
			rc = clear(e, old[i]->name, err);
		cs_starter_free(old[i]);
	}
	free(old);
	return rc;
}

void cs_starters_free(cs_engine *e)
{
	for (size_t i = 0; i < e->n_starters; i++)
		cs_starter_free(e->starters[i]);
	free(e->starters);
	e->starters = NULL;
	e->n_starters = 0;
}

/* ---- from the log ------------------------------------------------------------------------------------ */

struct folding {
	cs_starter *st;
	cs_err *err;
};

static int fold_one(void *ctx, const cs_event *ev)
{
	struct folding *f = ctx;
	return cs_starter_fold(f->st, ev, f->err);
}

/* What is left of a definition that is no more: one event for each name. */
static int clear_once(cs_engine *e, json_t *cleared, const char *starter, cs_err *err)
{
	if (json_object_get(cleared, starter) != NULL)
		return CS_OK;
	json_object_set_new(cleared, starter, json_true());
	return clear(e, starter, err);
}

int cs_starters_recover(cs_engine *e, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *cleared = json_object();
	build(e);
	int rc = cs_reader_query(e->reader, "SELECT seq AS at, starter FROM start_event UNION ALL SELECT consumed, starter FROM start_event"
				 " WHERE consumed IS NOT NULL ORDER BY at", NULL, &rows, err);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		const char *name = cs_json_str_or(row, "starter", "");
		struct folding f = { .st = by_name(e, name), .err = err };
		if (rc == CS_OK)
			rc = f.st == NULL ? clear_once(e, cleared, name, err)
					  : cs_reader_event(e->reader, cs_json_int_or(row, "at", 0), fold_one, &f, err);
	}
	return rc;
}

/* ---- what is offered --------------------------------------------------------------------------------- */

json_t *cs_starters_chain(const cs_run *from)
{
	if (from == NULL)
		return NULL;
	json_t *chain = from->chain != NULL ? json_copy(from->chain) : json_object();
	CS_AUTOFREE char *full = cs_xasprintf("%s/%s", from->flow->ns, from->flow->name);
	json_object_set_new(chain, full, json_true());
	if (from->doubtful)
		json_object_set_new(chain, CS_CHAIN_COPIED, json_true());
	return chain;
}

/* LIFE: only to those that name one of these events. */
static int offer(cs_engine *e, const cs_run *from, unsigned life, json_t *event, bool tainted, int64_t cause, cs_err *err)
{
	bool simulated = cs_engine_simulated(e);
	int rc = CS_OK;
	/* What a simulated run says starts nothing that is real, and the other way round. */
	if (e->n_starters == 0 || (from != NULL && from->simulated != simulated))
		return CS_OK;
	CS_AUTOJSON json_t *chain = cs_starters_chain(from);
	for (size_t i = 0; i < e->n_starters && rc == CS_OK; i++) {
		bool taken = false;
		if (life == 0 || (e->starters[i]->life & life) != 0)
			rc = cs_starter_offer(e->starters[i], &e->step, event, chain, tainted, simulated, cause, &taken, err);
	}
	return rc;
}

int cs_starters_offer(cs_engine *e, const cs_run *from, json_t *event, bool tainted, int64_t cause, cs_err *err)
{
	return offer(e, from, 0, event, tainted, cause, err);
}

int cs_starters_tell(cs_engine *e, const cs_run *from, int kind, json_t *event, bool tainted, int64_t cause, cs_err *err)
{
	return (cs_starters_life(e) & 1U << kind) != 0 ? offer(e, from, 1U << kind, event, tainted, cause, err) : CS_OK;
}

unsigned cs_starters_life(const cs_engine *e)
{
	unsigned named = 0;
	for (size_t i = 0; i < e->n_starters; i++)
		named |= e->starters[i]->life;
	return named;
}

/* ---- starting ---------------------------------------------------------------------------------------- */

/* One open item for one reason; the trace has every case. */
static int notice(cs_engine *e, const cs_starter *st, const char *title, const char *why, const char *action, bool simulated, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[s]", title);
	CS_AUTOJSON json_t *rows = NULL;
	char key[CS_HEX_SIZE], id[CS_ID_SIZE];
	cs_json_digest(params, key);
	if (json_object_get(e->group_events, key) != NULL)
		return CS_OK;
	int rc = cs_reader_query(e->reader, "SELECT id FROM item WHERE run = '' AND state = 'open' AND title = ?1", params, &rows, err);
	if (rc != CS_OK || json_array_size(rows) > 0)
		return rc;
	json_object_set_new(e->group_events, key, json_true());
	e->step.new_id(e, id);
	CS_AUTOJSON json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "item", id, "kind", "notice", "title", title, "next", "dismiss",
					     "body", why, "action", action, "starter", st->name);
	cs_event ev = { .at = e->step.now, .type = "item.opened", .actor = "engine", .simulated = simulated, .data = data,
			.cause = cs_store_last_seq(e->store) };
	return cs_engine_append(e, &ev, err);
}

static int give_up(cs_engine *e, cs_starter *st, const cs_whole *g, const char *why, cs_err *err)
{
	CS_AUTOFREE char *title = cs_xasprintf("An event did not start %s", st->flow->name);
	int rc = cs_starter_end(st, &e->step, g->gathering->id, "failed", json_pack("{s:s}", "why", why), err);
	return rc != CS_OK ? rc : notice(e, st, title, why, "Mend the entry in capstan.yaml, then emit the event again under another id", g->simulated, err);
}

/* Would the flow start itself once too often? Counted from its first such start, over an hour. */
static bool loops(cs_engine *e, cs_starter *st, const json_t *chain)
{
	CS_AUTOFREE char *full = cs_xasprintf("%s/%s", st->flow->ns, st->flow->name);
	if (json_object_get(chain, full) == NULL)
		return false;
	if (e->step.now - st->loops_since >= CS_STARTS_LOOP_MS) {
		st->loops_since = e->step.now;
		st->loops = 0;
	}
	return ++st->loops > CS_STARTS_LOOP_MAX;
}

static int refuse_loop(cs_engine *e, cs_starter *st, const cs_whole *g, cs_err *err)
{
	CS_AUTOFREE char *title = cs_xasprintf("%s starts itself without end", st->flow->name);
	CS_AUTOFREE char *why = cs_xasprintf("Events that runs of %s led to have started it %d times within an hour. The next ones start nothing.",
					     st->flow->name, CS_STARTS_LOOP_MAX);
	int rc = cs_starter_end(st, &e->step, g->gathering->id, "refused", json_pack("{s:s}", "why", why), err);
	return rc != CS_OK ? rc : notice(e, st, title, why, "Emit an event of another type, or narrow what starts the flow; `capstan why` names the chain",
					 g->simulated, err);
}

/* The run that a business value has started, or NULL. New reference. */
static int known_value(cs_engine *e, const char *value, bool simulated, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[s, i]", value, (int)simulated);
	CS_AUTOJSON json_t *rows = NULL;
	char key[CS_HEX_SIZE];
	cs_json_digest(params, key);
	json_t *run = json_object_get(e->group_events, key);
	if (run == NULL) {
		int rc = cs_reader_query(e->reader, "SELECT run FROM start_once WHERE value = ?1 AND simulated = ?2", params, &rows, err);
		if (rc != CS_OK)
			return rc;
		run = json_object_get(json_array_get(rows, 0), "run");
	}
	*ret = run != NULL ? json_incref(run) : NULL;
	return CS_OK;
}

/* NULL: it is larger than a business value may be. */
static char *canonical(const json_t *v)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, ONCE_BYTES);
	return cs_json_canonical(v, &text) == CS_OK ? cs_buf_steal(&text) : NULL;
}

static void note_value(cs_engine *e, const char *value, bool simulated, const char *run)
{
	CS_AUTOJSON json_t *params = json_pack("[s, i]", value, (int)simulated);
	char key[CS_HEX_SIZE];
	cs_json_digest(params, key);
	json_object_set_new(e->group_events, key, json_string(run));
}

static int start_run(cs_engine *e, cs_starter *st, const cs_whole *g, const char *value, json_t *chain, bool simulated, cs_err *err)
{
	char run[CS_ID_SIZE];
	CS_AUTOJSON json_t *more = json_object();
	if (g->gathering->id < e->copied_seq)    /* the other copy has gathered it too */
		json_object_set_new(chain, CS_CHAIN_COPIED, json_true());
	if (json_object_size(chain) > 0)
		json_object_set(more, "chain", chain);
	if (g->tainted)
		json_object_set_new(more, "tainted", json_true());
	const cs_start_order o = { .flow = st->flow, .input = g->input, .actor = "engine", .cause = g->gathering->consumed,
				   .simulated = simulated, .more = more };
	int64_t id = g->gathering->id;
	int rc = cs_start_run(e, &o, run, err);
	if (rc != CS_OK)
		return rc;
	json_t *data = json_pack("{s:s, s:b}", "run", run, "simulated", (int)simulated);
	if (value != NULL) {
		json_object_set(data, "once", g->once);
		note_value(e, value, simulated, run);
	}
	if (e->started != NULL)
		json_array_append_new(e->started, json_string(run));
	return cs_starter_end(st, &e->step, id, "started", data, err);
}

static int begin(void *engine, cs_starter *st, const cs_whole *g, cs_err *err)
{
	cs_engine *e = engine;
	bool simulated = g->simulated || cs_engine_simulated(e);
	CS_AUTOFREE char *value = NULL;
	CS_AUTOJSON json_t *known = NULL;
	CS_AUTOJSON json_t *chain = cs_gathering_chain(g->gathering);
	if (g->failure != NULL)
		return give_up(e, st, g, g->failure, err);
	if (cs_bundle_of_flow(e, st->flow) == NULL)
		return give_up(e, st, g, "a role that the flow calls does not load; see `capstan check`", err);
	if (g->once != NULL) {
		value = canonical(g->once);
		if (value == NULL)
			return give_up(e, st, g, "`once` gives a value that is too large to be kept", err);
		int rc = known_value(e, value, simulated, &known, err);
		if (rc != CS_OK)
			return rc;
	}
	if (known != NULL)
		return cs_starter_end(st, &e->step, g->gathering->id, "known", json_pack("{s:O, s:O}", "run", known, "once", g->once), err);
	if (loops(e, st, chain))
		return refuse_loop(e, st, g, err);
	return start_run(e, st, g, value, chain, simulated, err);
}

bool cs_starters_ready(const cs_engine *e)
{
	for (size_t i = 0; i < e->n_starters; i++)
		if (e->starters[i]->ready)
			return true;
	return false;
}

static int say_lost(cs_engine *e, cs_starter *st, cs_err *err)
{
	CS_AUTOFREE char *title = cs_xasprintf("Events for %s wait, because jq cannot be started", st->flow->name);
	CS_AUTOFREE char *why = cs_xasprintf("%s. Nothing that came is lost: it is looked at again with the next event, and when the engine "
					     "starts.", st->lost);
	return notice(e, st, title, why, "See that capstan's own program is in its place and may be run, then start the engine again",
		      cs_engine_simulated(e), err);
}

/* Without end would be one group without end: what a start of this pass offers is for the next. */
int cs_starters_step(cs_engine *e, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; i < e->n_starters && rc == CS_OK; i++) {
		cs_starter *st = e->starters[i];
		if (!st->ready)
			continue;
		rc = cs_starter_step(st, &e->step, begin, e, err);
		if (rc == CS_OK && st->lost != NULL)
			rc = say_lost(e, st, err);
	}
	return rc;
}

void cs_starters_answer(cs_engine *e, const cs_message *m)
{
	for (size_t i = 0; i < e->n_starters; i++) {
		if (strcmp(e->starters[i]->probe->id, m->run) != 0)
			continue;
		cs_run_answer(e->starters[i]->probe, &m->asked, m->value, m->failure, m->unasked);
		/* While it waits for an evaluator, an answer that comes late is no reason to ask again at once. */
		e->starters[i]->ready |= e->starters[i]->lost == NULL;
	}
}
