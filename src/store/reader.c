/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/reader.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "store/event_bytes.h"
#include "store/schema.h"
#include "store/sql.h"

int cs_reader_open(const char *dir, cs_reader **ret, cs_err *err)
{
	sqlite3 *db;
	int rc = cs_schema_open_reader(dir, &db, err);
	if (rc)
		return rc;
	cs_reader *r = cs_xcalloc(1, sizeof *r);
	r->db = db;
	*ret = r;
	return CS_OK;
}

void cs_reader_close(cs_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < CS_READER_QUERIES; i++) {
		sqlite3_finalize(r->query[i].st);
		free(r->query[i].sql);
	}
	sqlite3_finalize(r->body);
	sqlite3_close(r->db);
	free(r);
}

int cs_reader_hold(cs_reader *r, cs_err *err)
{
	int rc = r->held ? CS_OK : cs_sql_run(r->db, "BEGIN", err);
	if (!rc)
		r->held++;
	return rc;
}

void cs_reader_release(cs_reader *r)
{
	if (r->held && --r->held == 0)
		sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
}

static int give_event(cs_reader *r, sqlite3_stmt *st, cs_event_fn *fn, void *ctx, cs_err *err)
{
	cs_event ev;
	CS_AUTOJSON json_t *data = NULL;
	cs_event_from_row(st, &ev);
	int rc = cs_data_read(r->db, &r->body, cs_sql_text(st, CS_EVENT_DATA_COLUMN),
			      (size_t)sqlite3_column_bytes(st, CS_EVENT_DATA_COLUMN), &data, err);
	if (rc)
		return rc;
	ev.data = data;
	return fn(ctx, &ev);
}

static int each_event(cs_reader *r, sqlite3_stmt *st, cs_event_fn *fn, void *ctx, cs_err *err)
{
	int step, rc = CS_OK;
	while (!rc && (step = sqlite3_step(st)) != SQLITE_DONE) {
		if (step == SQLITE_ROW)
			rc = give_event(r, st, fn, ctx, err);
		else
			rc = cs_sql_err(err, r->db, "reading events");
	}
	return rc;
}

/* Not kept: FN may read more events, by the same reader, while this one is open. */
int cs_reader_events(cs_reader *r, const char *run, int64_t from_seq, int64_t to_seq, cs_event_fn *fn,
		     void *ctx, cs_err *err)
{
	bool all = !run || !run[0];
	const char *sql = all
		? "SELECT " CS_EVENT_COLUMNS " FROM event WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq"
		: "SELECT " CS_EVENT_COLUMNS " FROM event WHERE run = ?3 AND seq BETWEEN ?1 AND ?2 ORDER BY seq";
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, r->db, "reading events");
	cs_sql_bind(st, "ii", from_seq, to_seq);
	if (!all)
		sqlite3_bind_text(st, 3, run, -1, SQLITE_STATIC);
	return each_event(r, st, fn, ctx, err);
}

typedef struct one_event {
	cs_event_fn *fn;
	void *ctx;
	bool found;
} one_event;

static int take_one(void *ctx, const cs_event *ev)
{
	one_event *one = ctx;
	one->found = true;
	return one->fn(one->ctx, ev);
}

int cs_reader_event(cs_reader *r, int64_t seq, cs_event_fn *fn, void *ctx, cs_err *err)
{
	one_event one = { fn, ctx, false };
	int rc = cs_reader_events(r, NULL, seq, seq, take_one, &one, err);
	if (!rc && !one.found)
		return cs_err_set(err, CS_ENOTFOUND, "there is no event %lld", (long long)seq);
	return rc;
}

int cs_reader_body(cs_reader *r, const char *hex, json_t **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_EVENT_MAX);
	int rc = cs_body_read(r->db, &r->body, hex, &text, err);
	return rc ? rc : cs_json_parse(text.data, text.len, ret, err);
}

int64_t cs_reader_last_seq(cs_reader *r)
{
	int64_t seq;
	return cs_sql_int(r->db, "SELECT max(seq) FROM event", 0, &seq, NULL) ? 0 : seq;
}

/* ---- queries --------------------------------------------------------------------------- */

static int kept_query(cs_reader *r, const char *sql, sqlite3_stmt **ret, cs_err *err)
{
	for (size_t i = 0; i < CS_READER_QUERIES; i++) {
		if (r->query[i].sql && strcmp(r->query[i].sql, sql) == 0) {
			*ret = r->query[i].st;
			return CS_OK;
		}
	}
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v3(r->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, r->db, sql);
	unsigned slot = r->next_query++ % CS_READER_QUERIES;
	sqlite3_finalize(r->query[slot].st);
	free(r->query[slot].sql);
	r->query[slot].sql = cs_xstrdup(sql);
	*ret = r->query[slot].st = st;
	return CS_OK;
}

static void bind_json(sqlite3_stmt *st, int column, const json_t *v)
{
	if (json_is_integer(v))
		sqlite3_bind_int64(st, column, json_integer_value(v));
	else if (json_is_boolean(v))
		sqlite3_bind_int64(st, column, json_is_true(v));
	else if (json_is_real(v))
		sqlite3_bind_double(st, column, json_real_value(v));
	else if (json_is_string(v))
		sqlite3_bind_text64(st, column, json_string_value(v), json_string_length(v), SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite3_bind_null(st, column);
}

static json_t *column_json(sqlite3_stmt *st, int i)
{
	switch (sqlite3_column_type(st, i)) {
	case SQLITE_INTEGER:
		return json_integer(sqlite3_column_int64(st, i));
	case SQLITE_FLOAT:
		return json_real(sqlite3_column_double(st, i));
	case SQLITE_TEXT:
		return json_stringn(cs_sql_text(st, i), (size_t)sqlite3_column_bytes(st, i));
	default:
		return json_null();
	}
}

static int row_json(sqlite3_stmt *st, json_t *rows, cs_err *err)
{
	json_t *row = json_object();
	json_array_append_new(rows, row);
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		json_t *v = column_json(st, i);
		if (!v)   /* jansson takes no text that is not UTF-8 */
			return cs_err_set(err, CS_EIO, "the column %s holds what is not text; run capstan verify",
					  sqlite3_column_name(st, i));
		json_object_set_new(row, sqlite3_column_name(st, i), v);
	}
	return CS_OK;
}

static int all_rows(cs_reader *r, sqlite3_stmt *st, json_t *rows, cs_err *err)
{
	int step, rc = CS_OK;
	while (!rc && (step = sqlite3_step(st)) != SQLITE_DONE) {
		if (step == SQLITE_ROW)
			rc = row_json(st, rows, err);
		else
			rc = cs_sql_err(err, r->db, "reading the database");
	}
	return rc;
}

int cs_reader_query(cs_reader *r, const char *sql, const json_t *params, json_t **ret_rows, cs_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = kept_query(r, sql, &st, err);
	if (rc)
		return rc;
	CS_AUTOJSON json_t *rows = json_array();
	for (size_t i = 0; i < json_array_size(params); i++)
		bind_json(st, (int)i + 1, json_array_get(params, i));
	rc = all_rows(r, st, rows, err);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (!rc)
		*ret_rows = CS_STEAL(rows);
	return rc;
}

/* ---- short ids ------------------------------------------------------------------------- */

static int find_id(cs_reader *r, const char *table, const char *part, char ret[CS_ID_SIZE], cs_err *err)
{
	char id[CS_ID_SIZE];
	size_t n = strlen(part);
	if (n == 0 || n > CS_ID_LEN)
		return cs_err_set(err, CS_ENOTFOUND, "there is no %s %.*s", table, 80, part);
	for (size_t i = 0; i <= n; i++)
		id[i] = (char)toupper((unsigned char)part[i]);
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id FROM %s WHERE id >= ?1 AND id < ?1 || '~'"
		" UNION SELECT id FROM %s WHERE substr(id, -?2) = ?1 LIMIT 2", table, table);
	CS_AUTOJSON json_t *params = json_pack("[s, i]", id, (int)n);
	CS_AUTOJSON json_t *rows = NULL;
	if (!params)
		return cs_err_set(err, CS_ENOTFOUND, "there is no %s by that name: it is not UTF-8", table);
	int rc = cs_reader_query(r, sql, params, &rows, err);
	if (rc)
		return rc;
	if (json_array_size(rows) == 0)
		return cs_err_set(err, CS_ENOTFOUND, "there is no %s %s", table, part);
	if (json_array_size(rows) > 1)
		return cs_err_set(err, CS_EINVAL, "%s fits more than one %s; give more of the id", part, table);
	const char *found = cs_json_str(json_array_get(rows, 0), "id");
	if (!found || strlen(found) != CS_ID_LEN)
		return cs_err_set(err, CS_EIO, "the %s %s has a broken id; run capstan verify", table, part);
	memcpy(ret, found, CS_ID_SIZE);
	return CS_OK;
}

int cs_reader_find_run(cs_reader *r, const char *part, char ret[CS_ID_SIZE], cs_err *err)
{
	return find_id(r, "run", part, ret, err);
}

int cs_reader_find_item(cs_reader *r, const char *part, char ret[CS_ID_SIZE], cs_err *err)
{
	return find_id(r, "item", part, ret, err);
}
