/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the log knows of a connector: the mode that was set by command, its last use and last error. */
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

int cs_view_connector(cs_reader *r, const char *name, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *params = json_pack("[s]", name);
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *error = NULL;
	if (!params)
		return cs_err_set(err, CS_EINVAL, "the connector's name is not UTF-8");
	int rc = cs_view_take(&hold, r, err);
	if (!rc)
		rc = cs_reader_query(r, one_sql, params, &rows, err);
	const json_t *row = json_array_get(rows, 0);
	if (!rc)
		rc = last_error(r, cs_json_int_or(row, "error_seq", 0), &error, err);
	if (rc)
		return rc;
	*ret = json_pack("{s:O, s:O, s:o, s:O}", "command", json_object_get(row, "command"), "in_flight", json_object_get(row, "in_flight"),
			 "last_used", cs_view_time_json(json_object_get(row, "last_used")), "last_error", error);
	return CS_OK;
}
