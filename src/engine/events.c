/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CloudEvents between runs, and from outside: each (source, id) once, offered in the group that
 * wrote it to every live run that listens. */
#include <search.h>
#include <string.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/frame.h"
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

/* What is under way while the runs in memory are walked. */
struct offer {
	cs_engine *e;
	const cs_run *from;
	json_t *event;
	bool tainted;
	json_t *taken;               /* ids of the runs that received it; NULL: nobody asks */
	int rc;
	cs_err *err;
};

static void offer_one(const void *node, VISIT visit, void *ctx)
{
	struct offer *o = ctx;
	cs_live *l = *(cs_live *const *)node;
	bool taken = false;
	if ((visit != postorder && visit != leaf) || o->rc != CS_OK)
		return;
	/* What a simulated run says is heard by simulated runs, and the other way round. */
	if (o->from != NULL && o->from->simulated != l->run->simulated)
		return;
	o->rc = cs_run_offer(l->run, &o->e->step, o->event, o->tainted, &taken, o->err);
	if (!taken)
		return;
	cs_runs_ready(o->e, l);
	if (o->taken != NULL)
		json_array_append_new(o->taken, json_string(l->run->id));
}

static int offer(struct offer *o, int64_t cause)
{
	int64_t before = o->e->step.cause;
	o->e->step.cause = cause;
	twalk_r(o->e->runs, offer_one, o);
	o->e->step.cause = before;
	return o->rc;
}

int cs_events_offer(void *engine, const cs_run *from, json_t *event, bool tainted, int64_t cause, cs_err *err)
{
	struct offer o = { .e = engine, .from = from, .event = event, .tainted = tainted, .err = err };
	int rc = offer(&o, cause);
	return rc != CS_OK ? rc : cs_starters_offer(engine, from, event, tainted, cause, err);
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

struct room {
	bool full;
	char run[CS_ID_SIZE];
};

static void look_for_room(const void *node, VISIT visit, void *ctx)
{
	struct room *room = ctx;
	const cs_run *r = (*(cs_live *const *)node)->run;
	if (visit != postorder && visit != leaf)
		return;
	for (int i = 0; r->flow->n_listens > 0 && i < r->flow->n_tasks; i++)
		if (r->live[i] != NULL && r->live[i]->hearing != NULL && json_array_size(r->live[i]->hearing->inbox) >= INBOX_MAX) {
			room->full = true;
			memcpy(room->run, r->id, CS_ID_SIZE);
		}
}

/* What nobody looks at must not grow without end. */
static int check_room(cs_engine *e, cs_err *err)
{
	struct room room = { 0 };
	twalk_r(e->runs, look_for_room, &room);
	if (!room.full)
		return CS_OK;
	return cs_err_set(err, CS_EREFUSED, "run %s has %d events that it has not looked at; look at it with `capstan show`, then emit again",
			  room.run, INBOX_MAX);
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
		rc = check_room(e, err);
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
