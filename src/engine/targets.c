/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The breakers, one for each connector and host: events of the workspace, of no run. What waits for one that is
 * open stays planned, and is stepped again when it is closed, or half-open with nobody on the way. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "engine/outlet_priv.h"

/* Hosts of a connector beside which those are forgotten of which nothing is to be known. */
enum { TARGETS_KEPT = 256, HOST_MAX = 256 };

void cs_target_unref(cs_target *t)
{
	if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	json_decref(t->waiting);
	free(t->host);
	free(t);
}

/* ---- who waits --------------------------------------------------------------------------------------------- */

void cs_waiting_add(json_t **waiting, const char *run)
{
	if (*waiting == NULL)
		*waiting = json_object();
	json_object_set_new(*waiting, run, json_true());
}

int cs_waiting_wake(cs_engine *e, json_t *waiting, size_t n, cs_err *err)
{
	for (void *it; n > 0 && (it = json_object_iter(waiting)) != NULL; n--) {
		char id[CS_ID_SIZE];
		snprintf(id, sizeof id, "%s", json_object_iter_key(it));
		json_object_del(waiting, id);
		cs_live *l = cs_runs_load(e, id, err);
		if (l == NULL)
			return err != NULL && err->code != 0 ? err->code : CS_EINTERNAL;
		cs_runs_ready(e, l);
	}
	return CS_OK;
}

/* ---- which ------------------------------------------------------------------------------------------------- */

static bool forgettable(const cs_target *t)
{
	return t->breaker.state == CS_BREAKER_CLOSED && t->breaker.n_failed == 0 && json_object_size(t->waiting) == 0 && atomic_load(&t->refs) == 1;
}

static void forget(cs_outlet *o)
{
	size_t kept = 0;
	for (size_t i = 0; i < o->n_targets; i++) {
		if (forgettable(o->targets[i]))
			cs_target_unref(o->targets[i]);
		else
			o->targets[kept++] = o->targets[i];
	}
	o->n_targets = kept;
}

cs_target *cs_outlet_target(cs_outlet *o, const char *host)
{
	for (size_t i = 0; i < o->n_targets; i++)
		if (strcmp(o->targets[i]->host, host) == 0)
			return o->targets[i];
	if (o->n_targets % TARGETS_KEPT == TARGETS_KEPT - 1)
		forget(o);
	cs_target *t = cs_xcalloc(1, sizeof *t);
	t->host = cs_xstrdup(host);
	atomic_init(&t->refs, 1);
	o->targets = cs_xrealloc(o->targets, (o->n_targets + 1) * sizeof(cs_target *));
	o->targets[o->n_targets++] = t;
	return t;
}

cs_target *cs_target_of(cs_outlet *o, const cs_call *c)
{
	char host[HOST_MAX];
	return cs_breaker_target(cs_json_str(c->request, "url"), host, sizeof host) ? cs_outlet_target(o, host) : NULL;
}

bool cs_target_lets(cs_target *t, const char *run)
{
	if (t->breaker.state == CS_BREAKER_CLOSED || (t->breaker.state == CS_BREAKER_HALF_OPEN && t->probe[0] == '\0'))
		return true;
	cs_waiting_add(&t->waiting, run);
	return false;
}

/* ---- events ------------------------------------------------------------------------------------------------ */

/* DATA is taken over. */
static int write(cs_engine *e, const char *type, json_t *data, int64_t cause, cs_err *err)
{
	CS_AUTOJSON json_t *owned = data;
	cs_event ev = { .at = e->step.now, .type = type, .data = owned, .actor = "engine", .cause = cause };
	return cs_engine_append(e, &ev, err);
}

static int open_item(cs_engine *e, const cs_outlet *o, cs_target *t, const json_t *error, int64_t cause, cs_err *err)
{
	e->step.new_id(e, t->item);
	CS_AUTOFREE char *title = cs_xasprintf("%s: %s fails, and what goes there waits", o->name, t->host);
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O?}", "item", t->item, "kind", "breaker", "title", title, "next", "wait",
				 "call", o->name, "connector", o->name, "target", t->host, "error", error);
	json_object_set_new(data, "action", json_string("It is tried again by itself, one call at first, and this closes when that answers. "
							"Look at what is wrong there; `capstan connectors` says when it is tried."));
	return write(e, "item.opened", data, cause, err);
}

static int close_item(cs_engine *e, cs_target *t, int64_t cause, cs_err *err)
{
	json_t *data = json_pack("{s:s, s:s}", "item", t->item, "how", "closed");
	t->item[0] = '\0';
	return write(e, "item.closed", data, cause, err);
}

/* TYPE with DATA, taken over, of T: written, folded, and the item with it. */
static int move(cs_engine *e, const cs_outlet *o, cs_target *t, const char *type, json_t *data, const json_t *error, int64_t cause, cs_err *err)
{
	CS_AUTOJSON json_t *owned = data;
	bool trips = strcmp(type, "breaker.opened") == 0 && t->breaker.state == CS_BREAKER_CLOSED;
	json_object_set_new(owned, "connector", json_string(o->name));
	json_object_set_new(owned, "target", json_string(t->host));
	if (error != NULL)
		json_object_set(owned, "error", (json_t *)(uintptr_t)error);
	int rc = trips && t->item[0] == '\0' ? open_item(e, o, t, error, cause, err) : CS_OK;
	if (rc == CS_OK && t->item[0] != '\0' && trips)
		json_object_set_new(owned, "item", json_string(t->item));
	if (rc == CS_OK)
		rc = write(e, type, json_incref(owned), cause, err);
	if (rc == CS_OK)
		rc = cs_breaker_fold(&t->breaker, type, owned, err);
	if (rc != CS_OK)
		return rc;
	atomic_store(&t->shut, t->breaker.state != CS_BREAKER_CLOSED);
	if (t->breaker.state == CS_BREAKER_CLOSED && t->item[0] != '\0')
		return close_item(e, t, cause, err);
	return CS_OK;
}

static int judge(cs_engine *e, const cs_outlet *o, cs_target *t, cs_breaker_word word, bool probe, const json_t *error, int64_t cause, cs_err *err)
{
	json_t *data = NULL;
	const char *type = cs_breaker_step(&t->breaker, &o->rules.breaker, word, probe, e->step.now, (uint64_t)cs_store_last_seq(e->store), &data);
	if (probe)
		t->probe[0] = '\0';
	return type != NULL ? move(e, o, t, type, data, word == CS_BREAKER_OK ? NULL : error, cause, err) : CS_OK;
}

int cs_target_ended(cs_engine *e, const cs_message *m, cs_breaker_word word, int64_t cause, const json_t *error, cs_err *err)
{
	return m->target != NULL ? judge(e, m->outlet, m->target, word, m->probe, error, cause, err) : CS_OK;
}

/* The log does not say which attempt a half-open breaker had let through; what was open when the engine ended may be it. */
int cs_target_crashed(cs_engine *e, cs_run *r, const cs_frame *f, cs_err *err)
{
	const cs_function *fn = e->step.function(e, r, f->call->name != NULL ? f->call->name : f->task->call);
	const char *name = fn != NULL && !f->call->simulated ? cs_function_outlet(fn) : NULL;
	cs_outlet *o = name != NULL ? cs_outlet_of(e, name) : NULL;
	cs_target *t = o != NULL ? cs_target_of(o, f->call) : NULL;
	CS_AUTOJSON json_t *error = cs_error_new("communication", "the engine stopped before the end of this attempt was known", NULL);
	return t != NULL ? judge(e, o, t, cs_breaker_judge(NULL), true, error, r->last_seq, err) : CS_OK;
}

/* ---- clocks ------------------------------------------------------------------------------------------------ */

int cs_targets_fire(cs_engine *e, cs_outlet *o, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; rc == CS_OK && i < o->n_targets; i++) {
		const char *type = cs_breaker_wake(&o->targets[i]->breaker, e->step.now);
		if (type != NULL)
			rc = move(e, o, o->targets[i], type, json_object(), NULL, 0, err);
	}
	return rc;
}

int64_t cs_targets_due(const cs_outlet *o, bool waited_for)
{
	int64_t due = 0;
	for (size_t i = 0; i < o->n_targets; i++) {
		const cs_target *t = o->targets[i];
		if (t->breaker.state == CS_BREAKER_OPEN && (due == 0 || t->breaker.until < due) && (!waited_for || json_object_size(t->waiting) > 0))
			due = t->breaker.until;
	}
	return due;
}

int cs_targets_settle(cs_engine *e, cs_outlet *o, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; rc == CS_OK && i < o->n_targets; i++) {
		cs_target *t = o->targets[i];
		bool one = t->breaker.state == CS_BREAKER_HALF_OPEN && t->probe[0] == '\0';
		if (json_object_size(t->waiting) > 0 && (one || t->breaker.state == CS_BREAKER_CLOSED))
			rc = cs_waiting_wake(e, t->waiting, one ? 1 : SIZE_MAX, err);
	}
	return rc;
}

/* ---- from the log ------------------------------------------------------------------------------------------ */

static void recover_one(cs_engine *e, const json_t *row)
{
	cs_target *t = cs_outlet_target(cs_outlet_of(e, cs_json_str_or(row, "connector", "")), cs_json_str_or(row, "target", ""));
	const char *state = cs_json_str_or(row, "state", "closed"), *failures = cs_json_str(row, "failures");
	CS_AUTOJSON json_t *times = NULL;
	size_t i;
	json_t *time;
	for (int s = CS_BREAKER_CLOSED; s <= CS_BREAKER_HALF_OPEN; s++)
		if (strcmp(cs_breaker_state_name((cs_breaker_state)s), state) == 0)
			t->breaker.state = (cs_breaker_state)s;
	t->breaker.until = cs_json_int_or(row, "until", 0);
	t->breaker.trips = (unsigned)cs_json_int_or(row, "trips", 0);
	if (failures != NULL)
		(void)cs_json_parse(failures, strlen(failures), &times, NULL);
	json_array_foreach(times, i, time)
		if (i < CS_BREAKER_FAILURES)
			t->breaker.failed[t->breaker.n_failed++] = json_integer_value(time);
	snprintf(t->item, sizeof t->item, "%s", cs_json_str_or(row, "item", ""));
	atomic_store(&t->shut, t->breaker.state != CS_BREAKER_CLOSED);
}

int cs_targets_recover(cs_engine *e, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	size_t i;
	json_t *row;
	/* One that was put away is not said again until it has closed. */
	int rc = cs_reader_query(e->reader, "SELECT b.connector, b.target, b.state, b.failures, b.until, b.trips, i.id AS item FROM breaker AS b"
				 " LEFT JOIN item AS i ON i.id = b.item AND i.state = 'open' WHERE b.state <> 'closed' OR b.failures IS NOT NULL", NULL, &rows, err);
	json_array_foreach(rows, i, row)
		recover_one(e, row);
	return rc;
}

void cs_outlets_dismissed(cs_engine *e, const char *item)
{
	for (size_t i = 0; i < e->n_outlets; i++)
		for (size_t k = 0; k < e->outlets[i]->n_targets; k++)
			if (strcmp(e->outlets[i]->targets[k]->item, item) == 0)
				e->outlets[i]->targets[k]->item[0] = '\0';
}
