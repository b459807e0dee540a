/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fold of run.*. */
#include "store/projection.h"
#include <string.h>
#include "base/json.h"
#include "store/sql.h"

/* The words of STATES.md for the events whose name is not their state. */
static const cs_fold_word states[] = {
	{ "blocked", "waiting" }, { "unblocked", "running" }, { NULL, NULL },
};

static const char *state_of(const cs_event *ev)
{
	return cs_fold_state(states, ev);
}

static int fold_start_key(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *key = cs_json_str(ev->data, "key");
	if (!key || cs_fold_imported(ev))
		return CS_OK;
	return cs_fold_do(f, CS_FOLD_START_KEY, err, "sss", key, ev->run, cs_json_str(ev->data, "key_digest"));
}

int cs_fold_run_created(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const json_t *d = ev->data;
	sqlite3_stmt *st;
	int rc = cs_fold_get(f, CS_FOLD_RUN_CREATE, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "ssssssisssssii", ev->run, cs_json_str(d, "flow"), cs_json_str(d, "name"),
		    cs_json_str(d, "version"), cs_json_str(d, "definition"), cs_json_str_or(d, "kind", "flow"),
		    ev->at, cs_json_str(d, "parent"), cs_json_str(d, "origin"), cs_json_str(d, "subject"),
		    cs_json_str(d, "title"), cs_json_str(d, "key"), (int64_t)ev->simulated, ev->seq);
	if (json_object_get(d, "input"))
		sqlite3_bind_int64(st, 15, ev->seq);
	else
		sqlite3_bind_null(st, 15);
	rc = cs_sql_done(st, "folding run.created", err);
	return rc ? rc : fold_start_key(f, ev, err);
}

int cs_fold_run_started(cs_fold *f, const cs_event *ev, cs_err *err)
{
	sqlite3_stmt *st;
	int rc = cs_fold_get(f, CS_FOLD_RUN_START, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "sii", ev->run, ev->at, ev->seq);
	if (json_object_get(ev->data, "input"))
		sqlite3_bind_int64(st, 4, ev->seq);
	else
		sqlite3_bind_null(st, 4);
	return cs_sql_done(st, "folding run.started", err);
}

int cs_fold_run_moved(cs_fold *f, const cs_event *ev, cs_err *err)
{
	return cs_fold_do(f, CS_FOLD_RUN_MOVE, err, "siis", ev->run, ev->at, ev->seq, state_of(ev));
}

int cs_fold_run_resumed(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *to = cs_json_str_or(ev->data, "to", "running");
	if (strcmp(to, "running") != 0 && strcmp(to, "waiting") != 0)
		return cs_err_set(err, CS_EINVAL, "event run.resumed: goes to running or waiting, not to %s", to);
	return cs_fold_do(f, CS_FOLD_RUN_MOVE, err, "siis", ev->run, ev->at, ev->seq, to);
}

int cs_fold_run_ended(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const json_t *error = json_object_get(ev->data, "error");
	return cs_fold_do(f, CS_FOLD_RUN_END, err, "siiss", ev->run, ev->at, ev->seq, cs_fold_verb(ev),
			  cs_json_str(error, "title"));
}

int cs_fold_run_retried(cs_fold *f, const cs_event *ev, cs_err *err)
{
	int rc = cs_fold_do(f, CS_FOLD_RUN_RETRY_TASKS, err, "si", ev->run, ev->seq);
	return rc ? rc : cs_fold_do(f, CS_FOLD_RUN_RETRY, err, "sii", ev->run, ev->at, ev->seq);
}

/* Also from an end: then what was done is taken back in a segment of its own. */
int cs_fold_run_compensating(cs_fold *f, const cs_event *ev, cs_err *err)
{
	return cs_fold_do(f, CS_FOLD_RUN_COMPENSATE, err, "siis", ev->run, ev->at, ev->seq,
			  cs_json_str(json_object_get(ev->data, "error"), "title"));
}

int cs_fold_run_adopted(cs_fold *f, const cs_event *ev, cs_err *err)
{
	return cs_fold_do(f, CS_FOLD_RUN_ADOPT, err, "siiss", ev->run, ev->at, ev->seq, cs_json_str(ev->data, "new"),
			  cs_json_str(ev->data, "version"));
}

int cs_fold_run_imported(cs_fold *f, const cs_event *ev, cs_err *err)
{
	return cs_fold_do(f, CS_FOLD_RUN_IMPORT, err, "sii", ev->run, ev->at, ev->seq);
}

int cs_fold_run_corrected(cs_fold *f, const cs_event *ev, cs_err *err)
{
	return cs_fold_do(f, CS_FOLD_RUN_ADOPT, err, "siiss", ev->run, ev->at, ev->seq, cs_json_str(ev->data, "new"),
			  cs_json_str(ev->data, "version"));
}
