/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/sim_net.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "core/http_request.h"

enum { BODY_MAX = 1 << 20, LATE_MS = 30000, TIMEOUT_MS = 60000 };

/* A call under way. */
struct sim_flight {
	const cs_effect *effect;     /* valid until DONE */
	cs_outcome_fn *done;
	void *ctx;
	cs_outcome *outcome;         /* NULL: it has not left */
	int64_t due;
	int64_t wall_end, passed_end;        /* its time is over at the first of these */
};

void sim_net_init(sim_net *n, sim_chance *chance)
{
	*n = (sim_net){ .chance = chance, .ledger = json_array(), .happened = json_object(), .sent = json_object(),
			 .late = json_array() };
}

void sim_net_fini(sim_net *n)
{
	json_decref(n->ledger);
	json_decref(n->happened);
	json_decref(n->sent);
	json_decref(n->late);
	free(n->flights);
}

static json_int_t count(json_t *o, const char *key)
{
	json_int_t times = cs_json_int_or(o, key, 0) + 1;
	json_object_set_new(o, key, json_integer(times));
	return times;
}

/* Who can be asked whether it happened does it as often as it is told to. */
static void happen_probed(sim_net *n, const char *key)
{
	if (count(n->happened, key) > 1)
		n->wrong(n->ctx, "I3: what can be asked about happens a second time, under the key %.12s", key);
}

void sim_net_settle(sim_net *n)
{
	for (size_t i = json_array_size(n->late); i-- > 0;) {
		const json_t *one = json_array_get(n->late, i);
		if (sim_time_ms() < cs_json_int_or(one, "wall", 0) && sim_time_passed_ms() < cs_json_int_or(one, "passed", 0))
			continue;
		happen_probed(n, cs_json_str_or(one, "key", ""));
		json_array_remove(n->late, i);
	}
}

bool sim_net_happened(sim_net *n, const char *key)
{
	sim_net_settle(n);
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
	if (e->class == CS_EFFECT_PROBE)
		happen_probed(n, e->key);
	else
		count(n->happened, e->key);
}

/* Who sent it is told that nobody knows, and it happens all the same, within its time. */
static void happen_late(sim_net *n, const sim_flight *f)
{
	int64_t left = f->passed_end - sim_time_passed_ms(), after = left > 0 ? (int64_t)sim_draw(n->chance, (uint64_t)left) : 0;
	json_array_append_new(n->late, json_pack("{s:s, s:I, s:I}", "key", f->effect->key, "wall", (json_int_t)(f->wall_end - left + after), "passed",
						 (json_int_t)(f->passed_end - left + after)));
}

static cs_outcome *done_outcome(sim_net *n, const cs_effect *e)
{
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	happen(n, e);
	o->result = json_pack("{s:b, s:I}", "ok", 1, "v", (json_int_t)sim_draw(n->chance, 100));
	const char *about = n->asks_about(n->ctx, e->key);
	if (about != NULL)
		json_object_set_new(o->result, "total", json_integer(sim_net_happened(n, about)));
	return o;
}

static cs_outcome *failed(cs_outcome_kind kind, int status)
{
	return cs_outcome_failed(kind, CS_ERROR_COMMUNICATION, status, NULL, "so it came in the simulation");
}

/* How it ends is known when it leaves; who sent it hears of it later. */
static cs_outcome *end_of(sim_net *n, const sim_flight *f)
{
	const cs_effect *e = f->effect;
	unsigned p = n->calm ? 99 : (unsigned)sim_draw(n->chance, 100);
	if (p < 6)                   /* no connection was to be had */
		return failed(CS_OUTCOME_NOT_SENT, 0);
	write_ledger(n, e);
	if (p < 12)
		return failed(CS_OUTCOME_REJECTED, 422);
	if (p < 18)
		return failed(e->class == CS_EFFECT_UNSAFE ? CS_OUTCOME_AMBIGUOUS : CS_OUTCOME_TRANSIENT, 503);
	if (p < 26 && e->class == CS_EFFECT_PROBE && sim_one_in(n->chance, 2)) {
		happen_late(n, f);
		return failed(CS_OUTCOME_AMBIGUOUS, 0);
	}
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
	bool over = sim_time_passed_ms() >= f->passed_end || sim_time_ms() >= f->wall_end;
	bool open = e->gate == NULL || e->gate(e->gate_ctx);
	if (over && e->class == CS_EFFECT_PROBE)     /* what is given so much time does not leave after it */
		open = false;
	if (open && (n->held || n->off) && cs_effect_class_sends(e->class))
		n->wrong(n->ctx, "I12: %s leaves while everything is held", e->task);
	if (open && n->shut)
		n->wrong(n->ctx, "I12: %s leaves while the breaker is open", e->task);
	f->outcome = open ? end_of(n, f) : failed(CS_OUTCOME_NOT_SENT, 0);
	bool late = f->outcome->kind == CS_OUTCOME_AMBIGUOUS && sim_one_in(n->chance, 3);
	f->due = sim_time_ms() + (late ? LATE_MS : (int64_t)sim_draw(n->chance, 120));
}

/* ---- on the way ------------------------------------------------------------------------------------------ */

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	sim_net *n = self;
	n->arrives(n->ctx, e);
	if (n->most > 0 && n->n >= n->most)
		n->wrong(n->ctx, "%s is one call more at once than the limit of its connector", e->task);
	if (!n->calm && sim_one_in(n->chance, 50))
		return cs_err_set(err, CS_EUNAVAIL, "the simulated network takes nothing");
	sim_flight *f = cs_xcalloc(1, sizeof *f);
	int64_t time = e->timeout_ms > 0 ? e->timeout_ms : TIMEOUT_MS;
	*f = (sim_flight){ .effect = e, .done = done, .ctx = ctx, .due = sim_time_ms(), .wall_end = sim_time_ms() + time,
			   .passed_end = sim_time_passed_ms() + time };
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
