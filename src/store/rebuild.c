/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include "base/json.h"
#include "store/event_bytes.h"
#include "store/projection.h"
#include "store/schema.h"
#include "store/segment.h"
#include "store/sql.h"
#include "store/store_impl.h"

/* ---- folding a whole log ---------------------------------------------------------------- */

static int fold_row(sqlite3 *log, sqlite3_stmt **body, sqlite3_stmt *st, cs_fold *f, cs_err *err)
{
	cs_event ev;
	CS_AUTOJSON json_t *data = NULL;
	cs_event_from_row(st, &ev);
	cs_event_type t = cs_event_type_find(ev.type);
	if (t == CS_EV_COUNT)
		return cs_err_set(err, CS_EUNSUPPORTED, "event %lld: its type %.64s is unknown to this version",
				  (long long)ev.seq, ev.type);
	int rc = cs_data_read(log, body, cs_sql_text(st, CS_EVENT_DATA_COLUMN),
			      (size_t)sqlite3_column_bytes(st, CS_EVENT_DATA_COLUMN), &data, err);
	ev.data = data;
	return rc ? rc : cs_fold_event(f, t, &ev, err);
}

typedef struct folding {
	cs_fold *f;
	cs_err *err;
} folding;

static int fold_archived(void *ctx, const cs_segment_row *row)
{
	const folding *g = ctx;
	CS_CLEANUP(cs_segment_event_fini) cs_segment_event e = { .head = NULL };
	int rc = cs_segment_event_of(row, true, &e, g->err);
	cs_event_type t = rc ? CS_EV_COUNT : cs_event_type_find(e.ev.type);
	if (!rc && t == CS_EV_COUNT)
		return cs_err_set(g->err, CS_EUNSUPPORTED, "event %lld: its type %.64s is unknown to this version", (long long)row->seq, e.ev.type);
	return rc ? rc : cs_fold_event(g->f, t, &e.ev, g->err);
}

/* What is in segments, in order; *ret_last is the last of it. */
static int fold_segments(sqlite3 *log, const char *dir, cs_fold *f, int64_t *ret_last, cs_err *err)
{
	CS_CLEANUP(cs_segments_fini) cs_segments all = { .list = NULL };
	folding g = { f, err };
	int rc = cs_segments_load(log, &all, err);
	for (size_t i = 0; !rc && i < all.n; i++)
		rc = cs_segment_read(dir, &all.list[i], all.list[i].first, all.list[i].last, fold_archived, &g, err);
	*ret_last = cs_segments_last(&all);
	return rc;
}

/* Those of the database that come after SEQ. */
static int fold_database(sqlite3 *log, cs_fold *f, const char *type, int64_t seq, cs_err *err)
{
	CS_AUTOSTMT sqlite3_stmt *body = NULL;
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(log, "SELECT " CS_EVENT_COLUMNS " FROM event WHERE (?1 IS NULL OR type = ?1) AND seq > ?2 ORDER BY seq", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, log, "reading the log");
	cs_sql_bind(st, "si", type, seq);
	int step, rc = CS_OK;
	while (!rc && (step = sqlite3_step(st)) != SQLITE_DONE)
		rc = step == SQLITE_ROW ? fold_row(log, &body, st, f, err) : cs_sql_err(err, log, "reading the log");
	return rc;
}

int cs_fold_log(sqlite3 *log, const char *dir, cs_fold *f, const char *type, cs_err *err)
{
	int64_t last = 0;
	int rc = dir ? fold_segments(log, dir, f, &last, err) : CS_OK;
	if (!rc)
		rc = fold_database(log, f, type, last, err);
	return rc ? rc : cs_fold_settle(f, err);
}

static int rebuild_in_group(cs_store *s, cs_err *err)
{
	for (const cs_table *t = cs_schema_projections; t->name; t++) {
		CS_AUTOFREE char *sql = cs_xasprintf("DELETE FROM %s", t->name);
		int rc = cs_sql_run(s->db, sql, err);
		if (rc)
			return rc;
	}
	int rc = cs_sql_run(s->db, "DELETE FROM snapshot", err);
	return rc ? rc : cs_fold_log(s->db, s->dir, s->fold, NULL, err);
}

int cs_store_rebuild(cs_store *s, cs_err *err)
{
	int rc = cs_store_begin(s, err);
	if (rc)
		return rc;
	rc = rebuild_in_group(s, err);
	if (rc) {
		cs_store_rollback(s);
		return rc;
	}
	return cs_store_commit(s, err);
}

/* ---- comparing -------------------------------------------------------------------------- */

typedef struct side {
	sqlite3_stmt *st;
	bool row;       /* st stands on one */
} side;

typedef struct comparison {
	const cs_table *table;
	side have, want;
	cs_row_fn *fn;
	void *ctx;
} comparison;

static json_t *value_json(sqlite3_stmt *st, int i)
{
	switch (sqlite3_column_type(st, i)) {
	case SQLITE_INTEGER:
		return json_integer(sqlite3_column_int64(st, i));
	case SQLITE_FLOAT:
		return json_real(sqlite3_column_double(st, i));
	case SQLITE_TEXT: {
		json_t *s = json_stringn(cs_sql_text(st, i), (size_t)sqlite3_column_bytes(st, i));
		return s ? s : json_string("(not UTF-8)");
	}
	case SQLITE_BLOB:
		return json_string("(bytes)");
	default:
		return json_null();
	}
}

static json_t *row_json(const side *s)
{
	if (!s->row)
		return json_null();
	json_t *row = json_object();
	for (int i = 0; i < sqlite3_column_count(s->st); i++)
		json_object_set_new(row, sqlite3_column_name(s->st, i), value_json(s->st, i));
	return row;
}

static int differs(const comparison *c, bool have, bool want)
{
	const side *keyed = have ? &c->have : &c->want;
	json_t *key = json_array();
	for (int i = 0; i < c->table->key_columns; i++)
		json_array_append_new(key, value_json(keyed->st, i));
	CS_AUTOJSON json_t *row = json_pack("{s:s, s:o, s:o, s:o}", "table", c->table->name, "key", key,
					    "have", have ? row_json(&c->have) : json_null(),
					    "want", want ? row_json(&c->want) : json_null());
	return c->fn(c->ctx, row);
}

/* By type, then by bytes: a number and its text are not the same. */
static int compare_value(sqlite3_stmt *a, sqlite3_stmt *b, int i)
{
	int ta = sqlite3_column_type(a, i), tb = sqlite3_column_type(b, i);
	if (ta != tb)
		return ta < tb ? -1 : 1;
	if (ta == SQLITE_INTEGER) {
		int64_t va = sqlite3_column_int64(a, i), vb = sqlite3_column_int64(b, i);
		return (va > vb) - (va < vb);
	}
	if (ta == SQLITE_NULL)
		return 0;
	const void *pa = sqlite3_column_blob(a, i), *pb = sqlite3_column_blob(b, i);
	int na = sqlite3_column_bytes(a, i), nb = sqlite3_column_bytes(b, i);
	int order = na && nb ? memcmp(pa, pb, (size_t)(na < nb ? na : nb)) : 0;
	return order ? order : (na > nb) - (na < nb);
}

static int compare_columns(const comparison *c, int from, int to)
{
	int order = 0;
	for (int i = from; !order && i < to; i++)
		order = compare_value(c->have.st, c->want.st, i);
	return order;
}

static int step(side *s, cs_err *err)
{
	int rc = sqlite3_step(s->st);
	s->row = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? CS_OK : cs_sql_err(err, sqlite3_db_handle(s->st), "comparing");
}

/* The order of the two current rows by key; a side that has ended is behind all. */
static int key_order(const comparison *c)
{
	if (!c->have.row || !c->want.row)
		return c->have.row ? -1 : 1;
	return compare_columns(c, 0, c->table->key_columns);
}

static int compare_row(comparison *c, cs_err *err)
{
	int order = key_order(c), rc = CS_OK;
	if (order || compare_columns(c, 0, sqlite3_column_count(c->want.st)))
		rc = differs(c, order <= 0, order >= 0);
	if (!rc && order <= 0)
		rc = step(&c->have, err);
	if (!rc && order >= 0)
		rc = step(&c->want, err);
	return rc;
}

static int prepare_side(side *s, sqlite3 *db, const char *sql, cs_err *err)
{
	if (sqlite3_prepare_v2(db, sql, -1, &s->st, NULL) != SQLITE_OK)
		return cs_sql_err(err, db, sql);
	return step(s, err);
}

static int compare_table(const cs_table *t, sqlite3 *have, sqlite3 *want, cs_row_fn *fn, void *ctx, cs_err *err)
{
	comparison c = { .table = t, .fn = fn, .ctx = ctx };
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT * FROM %s ORDER BY %s", t->name, t->key);
	int rc = prepare_side(&c.have, have, sql, err);
	if (!rc)
		rc = prepare_side(&c.want, want, sql, err);
	while (!rc && (c.have.row || c.want.row))
		rc = compare_row(&c, err);
	sqlite3_finalize(c.have.st);
	sqlite3_finalize(c.want.st);
	return rc;
}

static int fold_to_scratch(sqlite3 *log, const char *dir, sqlite3 *scratch, cs_err *err)
{
	cs_fold *f = cs_fold_new(scratch);
	int rc = cs_sql_run(log, "BEGIN", err);
	if (!rc)
		rc = cs_fold_log(log, dir, f, NULL, err);
	cs_fold_free(f);
	return rc;
}

int cs_store_rebuild_check(const char *dir, cs_row_fn *fn, void *ctx, cs_err *err)
{
	sqlite3 *log, *scratch = NULL;
	int rc = cs_schema_open_reader(dir, &log, err);
	if (rc)
		return rc;
	rc = cs_schema_open_scratch(&scratch, err);
	if (!rc)
		rc = fold_to_scratch(log, dir, scratch, err);
	for (const cs_table *t = cs_schema_projections; !rc && t->name; t++)
		rc = compare_table(t, log, scratch, fn, ctx, err);
	sqlite3_close(scratch);
	sqlite3_close(log);
	return rc;
}
