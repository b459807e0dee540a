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
	r->dir = cs_xstrdup(dir);
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
	sqlite3_finalize(r->begin);
	sqlite3_finalize(r->commit);
	cs_segments_fini(&r->segments);      /* a statement of the database is in it */
	sqlite3_close(r->db);
	free(r->lost);
	free(r->dir);
	free(r);
}

int cs_reader_hold(cs_reader *r, cs_err *err)
{
	int rc = r->held ? CS_OK : cs_sql_keep(r->db, "BEGIN", &r->begin, err);
	if (!rc && !r->held)
		rc = cs_sql_done(r->begin, "reading", err);
	if (!rc)
		r->held++;
	return rc;
}

void cs_reader_release(cs_reader *r)
{
	if (r->held && --r->held == 0 && cs_sql_keep(r->db, "COMMIT", &r->commit, NULL) == CS_OK)
		(void)cs_sql_done(r->commit, "reading", NULL);
}

int cs_reader_give(cs_reader *r, sqlite3_stmt *st, cs_event_fn *fn, void *ctx, cs_err *err)
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
			rc = cs_reader_give(r, st, fn, ctx, err);
		else
			rc = cs_sql_err(err, r->db, "reading events");
	}
	return rc;
}

/* Not kept: FN may read more events, by the same reader, while this one is open. */
static int database_events(cs_reader *r, const char *run, int64_t from_seq, int64_t to_seq, cs_event_fn *fn, void *ctx, cs_err *err)
{
	const char *sql = run == NULL
		? "SELECT " CS_EVENT_COLUMNS " FROM event WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq"
		: "SELECT " CS_EVENT_COLUMNS " FROM event WHERE run = ?3 AND seq BETWEEN ?1 AND ?2 ORDER BY seq";
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, r->db, "reading events");
	cs_sql_bind(st, "ii", from_seq, to_seq);
	if (run != NULL)
		sqlite3_bind_text(st, 3, run, -1, SQLITE_STATIC);
	return each_event(r, st, fn, ctx, err);
}

typedef struct archived {
	char member[64];             /* how an event of the run has it in its bytes; "": any */
	cs_event_fn *fn;
	void *ctx;
	bool stopped;                /* by FN, whatever the segment is */
	cs_err *err;
} archived;

static int give_archived(void *ctx, const cs_segment_row *row)
{
	archived *a = ctx;
	CS_CLEANUP(cs_segment_event_fini) cs_segment_event e = { .head = NULL };
	if (a->member[0] && !memmem(row->bytes, row->len, a->member, strlen(a->member)))
		return CS_OK;
	int rc = cs_segment_event_of(row, true, &e, a->err);
	/* The data of another event may have that text too. */
	if (rc || (a->member[0] && !strstr(a->member, e.ev.run[0] ? e.ev.run : "\"\"")))
		return rc;
	rc = a->fn(a->ctx, &e.ev);
	a->stopped = rc != 0;
	return rc;
}

void cs_reader_note_lost(cs_reader *r, const char *why)
{
	free(r->lost);
	r->lost = why ? cs_xstrdup(why) : NULL;
}

const char *cs_reader_lost(const cs_reader *r)
{
	return r->lost;
}

static int archived_events(cs_reader *r, const char *run, int64_t from_seq, int64_t to_seq, cs_event_fn *fn, void *ctx, cs_err *err)
{
	archived a = { .fn = fn, .ctx = ctx };
	if (run != NULL)
		snprintf(a.member, sizeof a.member, "\"run\":\"%.*s\"", CS_ID_LEN, run);
	/* FN may read too, and find a newer segment: the list may move. */
	for (size_t i = 0; i < r->segments.n && r->segments.list[i].first <= to_seq; i++) {
		const cs_segment s = r->segments.list[i];
		cs_err why = { 0 };
		a.err = &why;
		int rc = s.last >= from_seq ? cs_segment_read(r->dir, &s, from_seq, to_seq, give_archived, &a, &why) : CS_OK;
		if (rc && !a.stopped) {
			cs_reader_note_lost(r, rc == CS_ENOMEM ? NULL : why.msg);
			return cs_err_set(err, rc, "%s", why.msg);
		}
		if (rc)
			return rc;
	}
	return CS_OK;
}

/* From where to where RUN's events have left the database, of which the first tells: *to 0 where they have not. */
static int where_left(cs_reader *r, const char *run, int64_t *from, int64_t *to, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[s]", run);
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(r, "SELECT created_seq AS seq, EXISTS (SELECT 1 FROM event WHERE event.seq = created_seq) AS here FROM run WHERE id = ?1",
				 params, &rows, err);
	const json_t *row = json_array_get(rows, 0);
	*from = cs_json_int_or(row, "seq", 0);
	*to = !rc && row != NULL && cs_json_int_or(row, "here", 1) == 0 ? cs_segments_last(&r->segments) : 0;
	return rc;
}

static int here(cs_reader *r, int64_t seq, bool *ret, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[I]", (json_int_t)seq);
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(r, "SELECT 1 AS here FROM event WHERE seq = ?1", params, &rows, err);
	*ret = json_array_size(rows) > 0;
	return rc;
}

/* What of [from_seq, to_seq] is to be read from segments: *from to *to, none where *to < *from. */
static int archived_range(cs_reader *r, const char *run, int64_t from_seq, int64_t to_seq, int64_t *from, int64_t *to, cs_err *err)
{
	bool in_database = false;
	int rc = cs_segments_load(r->db, &r->segments, err);
	*from = from_seq < 1 ? 1 : from_seq;
	*to = cs_segments_last(&r->segments);
	if (rc || *to < *from)
		return rc;
	if (from_seq == to_seq)
		rc = here(r, from_seq, &in_database, err);
	if (!rc && !in_database && run != NULL) {
		int64_t created;
		rc = where_left(r, run, &created, to, err);
		*from = created > *from ? created : *from;
	}
	*to = in_database ? 0 : *to < to_seq ? *to : to_seq;
	return rc;
}

static int read_events(cs_reader *r, const char *run, int64_t from_seq, int64_t to_seq, cs_event_fn *fn, void *ctx, cs_err *err)
{
	int64_t from, to;
	int rc = archived_range(r, run, from_seq, to_seq, &from, &to, err);
	if (rc || to < from)
		return rc ? rc : database_events(r, run, from_seq, to_seq, fn, ctx, err);
	rc = archived_events(r, run, from, to, fn, ctx, err);
	return rc || to_seq <= to ? rc : database_events(r, run, to + 1, to_seq, fn, ctx, err);
}

/* Held: between the look at what was archived and the reading of the rest an archiving may be committed. */
int cs_reader_events(cs_reader *r, const char *run, int64_t from_seq, int64_t to_seq, cs_event_fn *fn, void *ctx, cs_err *err)
{
	int rc = cs_reader_hold(r, err);
	if (rc)
		return rc;
	cs_reader_note_lost(r, NULL);
	rc = read_events(r, run && run[0] ? run : NULL, from_seq, to_seq, fn, ctx, err);
	cs_reader_release(r);
	return rc;
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
