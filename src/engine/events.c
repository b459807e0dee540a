/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CloudEvents between runs, and from outside: each (source, id) once, offered in the group that
 * wrote it to every live run that listens. */
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/frame.h"
#include "engine/hearers.h"
#include "engine/starters.h"

enum { INBOX_MAX = 10000 };

int cs_events_fresh(void *engine, const cs_run *from, const json_t *event, bool *ret, cs_err *err)
{
	cs_engine *e = engine;
	int simulated = from != NULL && from->simulated;
	CS_AUTOJSON json_t *params = json_pack("[s, s, i]", cs_json_str_or(event, "source", ""), cs_json_str_or(event, "id", ""), simulated);
	CS_AUTOJSON json_t *rows = NULL;
	char key[CS_HEX_SIZE];
	cs_json_digest(params, key);
	*ret = false;
	if (json_object_get(e->group_events, key) != NULL)
		return CS_OK;
	int rc = cs_reader_query(e->reader, "SELECT seq FROM event_seen WHERE source = ?1 AND id = ?2 AND simulated = ?3", params, &rows, err);
	if (rc != CS_OK || json_array_size(rows) > 0)
		return rc;
	json_object_set_new(e->group_events, key, json_true());
	*ret = true;
	return CS_OK;
}

/* An event on its way to those that may listen for it. */
struct offer {
	cs_engine *e;
	const cs_run *from;
	json_t *event;
	bool tainted;
	bool life;                   /* what the log says of FROM itself */
	json_t *taken;               /* ids of the runs that received it; NULL: nobody asks */
	cs_err *err;
};

static int offer_one(const struct offer *o, cs_live *l)
{
	bool taken = false;
	/* What a simulated run says is heard by simulated runs, and the other way round. */
	if (o->from != NULL && o->from->simulated != l->run->simulated)
		return CS_OK;
	if (o->life && o->from == l->run)
		return CS_OK;
	int rc = o->life ? cs_run_offer_life(l->run, &o->e->step, o->event, o->tainted, INBOX_MAX, &taken, o->err)
			 : cs_run_offer(l->run, &o->e->step, o->event, o->tainted, &taken, o->err);
	if (!taken)
		return rc;
	cs_runs_ready(o->e, l);
	if (o->taken != NULL)
		json_array_append_new(o->taken, json_string(l->run->id));
	return rc;
}

static int offer(const struct offer *o, int64_t cause)
{
	CS_AUTOFREE cs_live **list = NULL;
	size_t n = cs_hearers_of(o->e, cs_json_str_or(o->event, "type", ""), &list);
	int64_t before = o->e->step.cause;
	int rc = CS_OK;
	o->e->step.cause = cause;
	for (size_t i = 0; i < n && rc == CS_OK; i++)
		rc = offer_one(o, list[i]);
	o->e->step.cause = before;
	return rc;
}

int cs_events_offer(void *engine, const cs_run *from, json_t *event, bool tainted, int64_t cause, cs_err *err)
{
	const struct offer o = { .e = engine, .from = from, .event = event, .tainted = tainted, .err = err };
	int rc = offer(&o, cause);
	return rc != CS_OK ? rc : cs_starters_offer(engine, from, event, tainted, cause, err);
}

/* No entry of its own: what is received names the entry that it is. */
int cs_events_tell(void *engine, const cs_run *from, int kind, json_t *event, bool tainted, int64_t cause, cs_err *err)
{
	cs_engine *e = engine;
	const struct offer o = { .e = e, .from = from, .event = event, .tainted = tainted, .life = true, .err = err };
	const char *actor = e->step.actor;
	e->step.actor = NULL;        /* what a person did to that run, they did not do to those that hear of it */
	int rc = (e->life_of_runs & 1U << kind) != 0 ? offer(&o, cause) : CS_OK;
	if (rc == CS_OK)
		rc = cs_starters_tell(e, from, kind, event, tainted, cause, err);
	e->step.actor = actor;
	return rc;
}

/* ---- from the command line -------------------------------------------------------------------------- */

static void fill(json_t *event, const char *name, json_t *value)
{
	if (json_object_get(event, name) == NULL)
		json_object_set(event, name, value);
	json_decref(value);
}

static int check(const json_t *event, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_CLOUDEVENT_MAX);
	if (cs_json_canonical(event, &text) != CS_OK)
		return cs_err_set(err, CS_ETOOBIG, "an event has at most %d bytes; put what is larger into a file and send its name", CS_CLOUDEVENT_MAX);
	CS_AUTOJSON json_t *invalid = cs_event_complaint(event, "");
	if (invalid != NULL)
		return cs_err_set(err, CS_EINVAL, "%s", cs_json_str_or(invalid, "detail", cs_json_str_or(invalid, "title", "this is no CloudEvent")));
	return CS_OK;
}

static bool is_full(const cs_run *r)
{
	for (int i = 0; r->flow->n_listens > 0 && i < r->flow->n_tasks; i++)
		if (r->live[i] != NULL && r->live[i]->hearing != NULL && json_array_size(r->live[i]->hearing->inbox) >= INBOX_MAX)
			return true;
	return false;
}

/* What nobody looks at must not grow without end. */
static int check_room(cs_engine *e, const json_t *event, cs_err *err)
{
	CS_AUTOFREE cs_live **list = NULL;
	size_t n = cs_hearers_of(e, cs_json_str_or(event, "type", ""), &list);
	for (size_t i = 0; i < n; i++)
		if (is_full(list[i]->run))
			return cs_err_set(err, CS_EREFUSED, "run %s has %d events that it has not looked at; look at it with `capstan show`, then emit again",
					  list[i]->run->id, INBOX_MAX);
	return CS_OK;
}

/* To those that listen and to what starts runs; what can be told at once has started when this returns. */
static int deliver(struct offer *o, int64_t cause, json_t *started)
{
	cs_engine *e = o->e;
	int rc = offer(o, cause);
	if (rc == CS_OK)
		rc = cs_starters_offer(e, NULL, o->event, o->tainted, cause, o->err);
	e->started = started;
	if (rc == CS_OK)
		rc = cs_starters_step(e, o->err);
	e->started = NULL;
	return rc;
}

int cs_command_emit(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *event = json_deep_copy(json_object_get(req, "event"));
	if (!json_is_object(event))
		return cs_err_set(err, CS_EINVAL, "emit needs an event with a type");
	char id[CS_ID_SIZE], at[CS_TIME_SIZE];
	e->step.new_id(e, id);
	cs_time_format(e->step.now, at);
	fill(event, "id", json_string(id));
	fill(event, "source", json_sprintf("/%s/operator", e->ws->name != NULL ? e->ws->name : "workspace"));
	fill(event, "time", json_string(at));
	json_object_set_new(event, "specversion", json_string("1.0"));
	bool fresh = true, tainted = cs_json_true(req, "tainted");
	int rc = check(event, err);
	if (rc == CS_OK)
		rc = check_room(e, event, err);
	if (rc == CS_OK)
		rc = cs_events_fresh(e, NULL, event, &fresh, err);
	CS_AUTOJSON json_t *runs = json_array();
	json_t *data = json_pack("{s:O}", "event", event);
	if (tainted)
		json_object_set_new(data, "tainted", json_true());
	if (rc == CS_OK && fresh)
		rc = cs_command_write(e, "event.emitted", CS_STEAL(data), err);
	json_decref(data);
	struct offer o = { .e = e, .event = event, .tainted = tainted, .taken = runs, .err = err };
	CS_AUTOJSON json_t *started = json_array();
	if (rc == CS_OK && fresh)
		rc = deliver(&o, cs_store_last_seq(e->store), started);
	if (rc == CS_OK)
		*ret = json_pack("{s:O, s:O, s:b, s:O, s:O}", "id", json_object_get(event, "id"), "source", json_object_get(event, "source"),
				 "existing", (int)!fresh, "runs", runs, "started", started);
	return rc;
}
