/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the log knows of a connector: the mode that was set by command, its breakers, its last use and last error. */
#include <string.h>
#include "view/row.h"

/* Of what was really sent. An error is looked for among the last thousand. */
static const char one_sql[] =
	"SELECT (SELECT value FROM setting WHERE name = 'connector:' || ?1) AS command,"
	" (SELECT count(*) FROM attempt WHERE ended IS NULL AND state = 'intent' AND connector = ?1 AND simulated = 0) AS in_flight,"
	" (SELECT max(started) FROM attempt WHERE connector = ?1 AND simulated = 0) AS last_used,"
	" (SELECT max(seq) FROM (SELECT state, seq FROM attempt WHERE connector = ?1 AND simulated = 0 ORDER BY started DESC LIMIT 1000)"
	" WHERE state IN ('failed', 'in-doubt', 'retry-wait')) AS error_seq";

/* {title, status, at, run}; null where there was none. */
static int last_error(cs_reader *r, int64_t seq, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[I]", (json_int_t)seq);
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *data = NULL;
	int rc = seq > 0 ? cs_reader_query(r, "SELECT at, run FROM event WHERE seq = ?1", params, &rows, err) : CS_OK;
	if (!rc && seq > 0)
		rc = cs_view_data(r, seq, &data, err);
	if (rc)
		return rc;
	const json_t *row = json_array_get(rows, 0), *error = json_object_get(data, "error");
	*ret = row == NULL || error == NULL ? json_null() :
	       json_pack("{s:O?, s:O?, s:o, s:O}", "title", json_object_get(error, "title"), "status", json_object_get(error, "status"), "at",
			 cs_view_time_json(json_object_get(row, "at")), "run", json_object_get(row, "run"));
	return CS_OK;
}

static const cs_view_column breaker_columns[] = {
	{ "target", "target", CS_VIEW_PLAIN }, { "state", "state", CS_VIEW_PLAIN }, { "until", "until", CS_VIEW_TIME },
	{ "trips", "trips", CS_VIEW_PLAIN }, { "error", "error", CS_VIEW_PLAIN }, { NULL, NULL, CS_VIEW_PLAIN },
};

/* Those that are not closed. */
static int breakers_of(cs_reader *r, const json_t *params, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	json_t *list = json_array(), *row;
	size_t i;
	int rc = cs_reader_query(r, "SELECT * FROM breaker WHERE connector = ?1 AND state <> 'closed' ORDER BY target", params, &rows, err);
	json_array_foreach(rows, i, row)
		json_array_append_new(list, cs_view_object(row, breaker_columns));
	*ret = list;
	return rc;
}

int cs_view_add_breaker(cs_reader *r, json_t *item, cs_err *err)
{
	static const char *const members[] = { "target", "until", "trips" };
	CS_AUTOJSON json_t *params = json_pack("[O]", json_object_get(item, "id"));
	CS_AUTOJSON json_t *rows = NULL;
	if (strcmp(cs_json_str_or(item, "kind", ""), "breaker") != 0)
		return CS_OK;
	int rc = cs_reader_query(r, "SELECT * FROM breaker WHERE item = ?1", params, &rows, err);
	if (rc || json_array_size(rows) == 0)
		return rc;
	CS_AUTOJSON json_t *now = cs_view_object(json_array_get(rows, 0), breaker_columns);
	json_object_set(item, "breaker", json_object_get(now, "state"));
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		json_object_set(item, members[i], json_object_get(now, members[i]));
	return CS_OK;
}

int cs_view_connector(cs_reader *r, const char *name, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *params = json_pack("[s]", name);
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *error = NULL;
	CS_AUTOJSON json_t *breakers = NULL;
	if (!params)
		return cs_err_set(err, CS_EINVAL, "the connector's name is not UTF-8");
	int rc = cs_view_take(&hold, r, err);
	if (!rc)
		rc = cs_reader_query(r, one_sql, params, &rows, err);
	const json_t *row = json_array_get(rows, 0);
	if (!rc)
		rc = last_error(r, cs_json_int_or(row, "error_seq", 0), &error, err);
	if (!rc)
		rc = breakers_of(r, params, &breakers, err);
	if (rc)
		return rc;
	*ret = json_pack("{s:O, s:O, s:O, s:o, s:O}", "breakers", breakers, "command", json_object_get(row, "command"), "in_flight", json_object_get(row, "in_flight"),
			 "last_used", cs_view_time_json(json_object_get(row, "last_used")), "last_error", error);
	return CS_OK;
}
