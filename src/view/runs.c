/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs and the state of the whole. */
#include <string.h>
#include "base/clock.h"
#include "view/row.h"

static const cs_view_column columns[] = {
	{ "run", "id", CS_VIEW_PLAIN }, { "flow", "flow", CS_VIEW_PLAIN }, { "name", "name", CS_VIEW_PLAIN },
	{ "version", "version", CS_VIEW_PLAIN }, { "state", "state", CS_VIEW_PLAIN },
	{ "started", "started", CS_VIEW_TIME }, { "ended", "ended", CS_VIEW_TIME }, { "parent", "parent", CS_VIEW_PLAIN },
	{ "origin", "origin", CS_VIEW_PLAIN }, { "simulated", "simulated", CS_VIEW_BOOL }, { "cost", "cost", CS_VIEW_PLAIN },
	{ "kind", "kind", CS_VIEW_PLAIN }, { "title", "title", CS_VIEW_PLAIN }, { "subject", "subject", CS_VIEW_PLAIN },
	{ "key", "key", CS_VIEW_PLAIN }, { "created", "created", CS_VIEW_TIME }, { "updated", "updated", CS_VIEW_TIME },
	{ "definition", "definition", CS_VIEW_PLAIN }, { "last_seq", "last_seq", CS_VIEW_PLAIN },
	{ NULL, NULL, CS_VIEW_PLAIN },
};

/* The values lie in the events that brought them. */
static int add_values(cs_reader *r, const json_t *row, json_t *run, cs_err *err)
{
	CS_AUTOJSON json_t *in = NULL;
	CS_AUTOJSON json_t *end = NULL;
	int rc = cs_view_data(r, cs_json_int_or(row, "input_seq", 0), &in, err);
	if (!rc)
		rc = cs_view_data(r, cs_json_int_or(row, "end_seq", 0), &end, err);
	if (rc)
		return rc;
	static const char *const ends[] = { "output", "error" };
	json_t *input = json_object_get(in, "input");
	json_object_set(run, "input", input ? input : json_null());
	for (size_t i = 0; i < CS_ARRAY_LEN(ends); i++) {
		json_t *v = json_object_get(end, ends[i]);
		json_object_set(run, ends[i], v ? v : json_null());
	}
	return CS_OK;
}

static int runs_of(cs_reader *r, const char *sql, const json_t *params, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *runs = json_array();
	int rc = cs_reader_query(r, sql, params, &rows, err);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		json_t *run = cs_view_object(row, columns);
		json_array_append_new(runs, run);
		rc = add_values(r, row, run, err);
		if (rc)
			return rc;
	}
	if (!rc)
		*ret = CS_STEAL(runs);
	return rc;
}

int cs_view_runs(cs_reader *r, const cs_view_filter *filter, const char *before_id, int limit, json_t **ret, cs_err *err)
{
	static const cs_view_filter none;
	const cs_view_filter *f = filter ? filter : &none;
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *params = json_pack("[s?, s?, s?, i]", f->state, f->flow, before_id, limit < 1 ? 1 : limit);
	if (!params)
		return cs_err_set(err, CS_EINVAL, "the filter is not UTF-8");
	int rc = cs_view_take(&hold, r, err);
	return rc ? rc : runs_of(r, "SELECT * FROM run WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR flow = ?2 OR name = ?2)"
				 " AND id < coalesce(?3, '~') ORDER BY id DESC LIMIT ?4", params, ret, err);
}

int cs_view_run(cs_reader *r, const char *run, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *params = json_pack("[s]", run);
	CS_AUTOJSON json_t *runs = NULL;
	CS_AUTOJSON json_t *items = NULL;
	int rc = cs_view_take(&hold, r, err);
	if (!rc)
		rc = cs_view_need_run(r, run, err);
	if (!rc)
		rc = runs_of(r, "SELECT * FROM run WHERE id = ?1", params, &runs, err);
	if (!rc)
		rc = cs_reader_query(r, "SELECT id, kind, title, state, call, confirm FROM item WHERE run = ?1"
				     " AND state IN ('proposed','pending','open') ORDER BY id", params, &items, err);
	if (rc)
		return rc;
	json_t *one = json_array_get(runs, 0);
	json_object_set(one, "items", items);
	*ret = json_incref(one);
	return CS_OK;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int add_counts(cs_reader *r, json_t *status, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	json_t *runs = json_object(), *row;
	json_int_t running = 0, waiting = 0;
	size_t i;
	json_object_set_new(status, "runs", runs);
	int rc = cs_reader_query(r, "SELECT state, count(*) AS n FROM run GROUP BY state ORDER BY state", NULL, &rows, err);
	json_array_foreach(rows, i, row) {
		const char *state = cs_json_str_or(row, "state", "");
		json_int_t n = cs_json_int_or(row, "n", 0);
		json_object_set_new(runs, state, json_integer(n));
		if (strcmp(state, "running") == 0 || strcmp(state, "created") == 0)
			running += n;
		if (strcmp(state, "waiting") == 0 || strcmp(state, "paused") == 0)
			waiting += n;
	}
	json_object_set_new(status, "running", json_integer(running));
	json_object_set_new(status, "waiting", json_integer(waiting));
	return rc;
}

static int add_settings(cs_reader *r, json_t *status, cs_err *err)
{
	static const char prefix[] = "connector:";
	CS_AUTOJSON json_t *rows = NULL;
	json_t *connectors = json_object(), *row;
	size_t i;
	json_object_set_new(status, "live", json_false());
	json_object_set_new(status, "hold", json_false());
	json_object_set_new(status, "hold_why", json_null());
	json_object_set_new(status, "connectors", connectors);
	int rc = cs_reader_query(r, "SELECT name, value FROM setting ORDER BY name", NULL, &rows, err);
	json_array_foreach(rows, i, row) {
		const char *name = cs_json_str_or(row, "name", ""), *value = cs_json_str_or(row, "value", "");
		if (strncmp(name, prefix, sizeof prefix - 1) == 0)
			json_object_set_new(connectors, name + sizeof prefix - 1, json_string(value));
		else if (strcmp(name, "hold.why") == 0)
			json_object_set_new(status, "hold_why", json_string(value));
		else
			json_object_set_new(status, name, json_boolean(strcmp(value, "on") == 0));
	}
	return rc;
}

int cs_view_status(cs_reader *r, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *status = json_object();
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_view_take(&hold, r, err);
	if (!rc)
		rc = add_counts(r, status, err);
	if (!rc)
		rc = add_settings(r, status, err);
	CS_AUTOJSON json_t *now = json_pack("[I]", (json_int_t)cs_clock_wall_ms());
	if (!rc)
		rc = cs_reader_query(r, "SELECT (SELECT count(*) FROM item WHERE state IN ('proposed','pending','open')) AS inbox,"
				     " (SELECT count(*) FROM item WHERE state = 'pending' AND snoozed_until > ?1) AS snoozed,"
				     " (SELECT max(seq) FROM event) AS seq,"
				     " (SELECT at FROM event ORDER BY seq DESC LIMIT 1) AS at", now, &rows, err);
	if (rc)
		return rc;
	const json_t *row = json_array_get(rows, 0);
	json_object_set(status, "snoozed", json_object_get(row, "snoozed"));
	json_object_set(status, "inbox", json_object_get(row, "inbox"));
	json_object_set_new(status, "last_seq", json_integer(cs_json_int_or(row, "seq", 0)));
	json_object_set_new(status, "last_at", cs_view_time_json(json_object_get(row, "at")));
	*ret = CS_STEAL(status);
	return CS_OK;
}
