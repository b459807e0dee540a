/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/sim_net.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "core/http_request.h"

enum { BODY_MAX = 1 << 20, LATE_MS = 30000 };

/* A call under way. */
struct sim_flight {
	const cs_effect *effect;     /* valid until DONE */
	cs_outcome_fn *done;
	void *ctx;
	cs_outcome *outcome;         /* NULL: it has not left */
	int64_t due;
};

void sim_net_init(sim_net *n, sim_chance *chance)
{
	*n = (sim_net){ .chance = chance, .ledger = json_array(), .happened = json_object(), .sent = json_object() };
}

void sim_net_fini(sim_net *n)
{
	json_decref(n->ledger);
	json_decref(n->happened);
	json_decref(n->sent);
	free(n->flights);
}

static json_int_t count(json_t *o, const char *key)
{
	json_int_t times = cs_json_int_or(o, key, 0) + 1;
	json_object_set_new(o, key, json_integer(times));
	return times;
}

bool sim_net_happened(const sim_net *n, const char *key)
{
	return cs_json_int_or(n->happened, key, 0) > 0;
}

/* ---- leaving --------------------------------------------------------------------------------------------- */

static void write_ledger(sim_net *n, const cs_effect *e)
{
	const char *url = cs_json_str_or(e->rendered, "url", ""), *rest = strstr(url, "://");
	const char *path = rest != NULL ? rest + 3 + strcspn(rest + 3, "/?") : "/";
	char digest[CS_HEX_SIZE];
	CS_AUTOBUF cs_buf body;
	cs_buf_init(&body, BODY_MAX);
	if (cs_http_render_body(e->rendered, &body, NULL) != CS_OK)
		n->wrong(n->ctx, "the request of %s cannot be rendered", e->task);
	cs_hash_hex(cs_buf_str(&body), body.len, digest);
	json_array_append_new(n->ledger, json_pack("{s:s, s:s, s:s, s:s, s:I}", "method", cs_json_str_or(e->rendered, "method", ""), "path", path,
						   "digest", digest, "key", e->class == CS_EFFECT_KEYED ? e->key : "", "at", (json_int_t)(n->log_ms > sim_time_latest_ms() ? n->log_ms : sim_time_latest_ms())));
	if (count(n->sent, e->key) > 1 && e->class == CS_EFFECT_UNSAFE)
		n->wrong(n->ctx, "I3: the unsafe key %.12s of %s is sent a second time", e->key, e->task);
}

/* A provider that goes by the key does once what comes twice. */
static void happen(sim_net *n, const cs_effect *e)
{
	if (e->class == CS_EFFECT_KEYED && sim_net_happened(n, e->key))
		return;
	count(n->happened, e->key);
}

static cs_outcome *done_outcome(sim_net *n, const cs_effect *e)
{
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	happen(n, e);
	o->result = json_pack("{s:b, s:I}", "ok", 1, "v", (json_int_t)sim_draw(n->chance, 100));
	return o;
}

static cs_outcome *failed(cs_outcome_kind kind, int status)
{
	return cs_outcome_failed(kind, CS_ERROR_COMMUNICATION, status, NULL, "so it came in the simulation");
}

/* How it ends is known when it leaves; who sent it hears of it later. */
static cs_outcome *end_of(sim_net *n, const cs_effect *e)
{
	unsigned p = n->calm ? 99 : (unsigned)sim_draw(n->chance, 100);
	if (p < 6)                   /* no connection was to be had */
		return failed(CS_OUTCOME_NOT_SENT, 0);
	write_ledger(n, e);
	if (p < 12)
		return failed(CS_OUTCOME_REJECTED, 422);
	if (p < 18)
		return failed(e->class == CS_EFFECT_UNSAFE ? CS_OUTCOME_AMBIGUOUS : CS_OUTCOME_TRANSIENT, 503);
	if (p < 26)                  /* cut before it got there */
		return failed(CS_OUTCOME_AMBIGUOUS, 0);
	if (p < 36) {                /* cut on the way back */
		happen(n, e);
		return failed(CS_OUTCOME_AMBIGUOUS, 0);
	}
	return done_outcome(n, e);
}

static void leave(sim_net *n, sim_flight *f)
{
	const cs_effect *e = f->effect;
	bool open = e->gate == NULL || e->gate(e->gate_ctx);
	if (open && (n->held || n->off) && cs_effect_class_sends(e->class))
		n->wrong(n->ctx, "I12: %s leaves while everything is held", e->task);
	f->outcome = open ? end_of(n, e) : failed(CS_OUTCOME_NOT_SENT, 0);
	bool late = f->outcome->kind == CS_OUTCOME_AMBIGUOUS && sim_one_in(n->chance, 3);
	f->due = sim_time_ms() + (late ? LATE_MS : (int64_t)sim_draw(n->chance, 120));
}

/* ---- on the way ------------------------------------------------------------------------------------------ */

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	sim_net *n = self;
	n->arrives(n->ctx, e);
	if (!n->calm && sim_one_in(n->chance, 50))
		return cs_err_set(err, CS_EUNAVAIL, "the simulated network takes nothing");
	sim_flight *f = cs_xcalloc(1, sizeof *f);
	*f = (sim_flight){ .effect = e, .done = done, .ctx = ctx, .due = sim_time_ms() };
	if (n->n == n->cap) {
		n->cap = n->cap > 0 ? n->cap * 2 : 16;
		n->flights = cs_xrealloc(n->flights, n->cap * sizeof *n->flights);
	}
	n->flights[n->n++] = f;
	return CS_OK;
}

cs_performer sim_net_performer(sim_net *n)
{
	return (cs_performer){ .kind = "http", .perform = perform, .self = n };
}

static int simulate(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	sim_net *n = self;
	(void)err;
	if (!e->simulated)
		n->wrong(n->ctx, "I10: %s is live, and is answered by a fixture", e->task);
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = json_pack("{s:b, s:i}", "simulated", 1, "v", 0);
	done(ctx, o);
	return CS_OK;
}

cs_performer sim_net_fixture(sim_net *n)
{
	return (cs_performer){ .kind = "fixture", .perform = simulate, .self = n };
}

static void land(sim_flight *f)
{
	f->done(f->ctx, f->outcome);
	free(f);
}

bool sim_net_move(sim_net *n)
{
	size_t can = 0, at = 0;
	for (size_t i = 0; i < n->n; i++)
		can += n->flights[i]->due <= sim_time_ms();
	if (can == 0)
		return false;
	for (size_t nth = sim_draw(n->chance, can) + 1; nth > 0; at++)
		nth -= n->flights[at]->due <= sim_time_ms();
	sim_flight *f = n->flights[at - 1];
	if (f->outcome == NULL) {
		leave(n, f);
		return true;
	}
	n->flights[at - 1] = n->flights[--n->n];
	land(f);
	return true;
}

int64_t sim_net_due(const sim_net *n)
{
	int64_t due = 0;
	for (size_t i = 0; i < n->n; i++)
		if (due == 0 || n->flights[i]->due < due)
			due = n->flights[i]->due;
	return due;
}

void sim_net_drop(sim_net *n)
{
	for (size_t i = 0; i < n->n; i++) {
		if (n->flights[i]->outcome == NULL)
			n->flights[i]->outcome = failed(CS_OUTCOME_AMBIGUOUS, 0);
		land(n->flights[i]);
	}
	n->n = 0;
}
