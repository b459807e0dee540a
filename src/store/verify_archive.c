/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walk through the segments. What the database has of these events too must be the same. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "store/event_bytes.h"
#include "store/event_types.h"
#include "store/segment.h"
#include "store/sql.h"
#include "store/verify_impl.h"

typedef struct walk {
	cs_verifier *v;
	sqlite3_stmt *kept;            /* events of the database */
	sqlite3_stmt *signed_at;       /* checkpoints */
	bool has_kept, has_signed;     /* they stand on a row */
	json_t *here;                  /* run -> true, where its first event is in the database */
	cs_err *err;
} walk;

static void walk_fini(walk *w)
{
	sqlite3_finalize(w->kept);
	sqlite3_finalize(w->signed_at);
	json_decref(w->here);
}

static int step(walk *w, sqlite3_stmt *st, bool *ret)
{
	int rc = sqlite3_step(st);
	*ret = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? CS_OK : cs_sql_err(w->err, w->v->db, "verifying");
}

/* The same event in the database, byte for byte, with its bodies. */
static int check_kept(walk *w, const cs_segment_row *row)
{
	cs_verifier *v = w->v;
	uint8_t hash[CS_HASH_LEN];
	cs_event ev;
	int rc = cs_verify_columns(v, w->kept, row->seq);
	if (rc)
		return rc;
	cs_event_from_row(w->kept, &ev);
	const char *data = cs_sql_text(w->kept, CS_EVENT_DATA_COLUMN);
	size_t len = (size_t)sqlite3_column_bytes(w->kept, CS_EVENT_DATA_COLUMN);
	rc = cs_event_hash(v->hasher, row->before, &ev, data, len, &v->bytes, hash);
	if (rc)
		return cs_err_set(w->err, rc, "event %lld: too large to be one of ours", (long long)ev.seq);
	if (memcmp(hash, row->hash, sizeof hash) != 0 || memcmp(ev.hash, hash, sizeof hash) != 0)
		return cs_verify_found(v, row->seq, "event %lld: is another in the database than in the archive: it was changed", (long long)row->seq);
	rc = cs_verify_named_bodies(v, &ev, data, len, w->err);
	return rc ? rc : step(w, w->kept, &w->has_kept);
}

/* Of a run whose first event is in the database all are. */
static int check_in_database(walk *w, const cs_segment_row *row, const cs_event *ev)
{
	int64_t at = w->has_kept ? sqlite3_column_int64(w->kept, 0) : INT64_MAX;
	if (at < row->seq)
		return cs_verify_found(w->v, row->seq, "event %lld: the database has one before it that has no place in the log", (long long)row->seq);
	if (at == row->seq) {
		if (strcmp(ev->type, "run.created") == 0)
			json_object_set_new(w->here, ev->run, json_true());
		return check_kept(w, row);
	}
	if (ev->run[0] && json_object_get(w->here, ev->run))
		return cs_verify_found(w->v, row->seq, "event %lld: is missing in the database, which has its run: it was deleted; the archive has it still",
				       (long long)row->seq);
	return CS_OK;
}

static int check_signed(walk *w, const cs_segment_row *row)
{
	if (!w->has_signed || sqlite3_column_int64(w->signed_at, 0) != row->seq)
		return CS_OK;
	if (sqlite3_column_bytes(w->signed_at, 1) != CS_HASH_LEN || memcmp(sqlite3_column_blob(w->signed_at, 1), row->hash, CS_HASH_LEN) != 0)
		return cs_verify_found(w->v, row->seq, "event %lld: is not the one that its checkpoint signed: the log was rewritten up to here",
				       (long long)row->seq);
	return step(w, w->signed_at, &w->has_signed);
}

/* Bodies are beside the event, a definition is in the database. */
static int check_bodies(walk *w, const cs_segment_row *row, const cs_event *ev)
{
	CS_AUTOJSON json_t *d = NULL;
	bool created = strcmp(ev->type, "run.created") == 0;
	size_t len;
	const char *data = cs_segment_data(row, &len), *name;
	json_t *value;
	if (!created && !cs_data_may_have_body(data, len))
		return CS_OK;
	if (cs_json_parse(data, len, &d, NULL))
		return cs_verify_found(w->v, row->seq, "event %lld: its data is not JSON", (long long)row->seq);
	json_object_foreach(d, name, value) {
		size_t n = strlen(name);
		const char *hex = json_is_string(value) ? json_string_value(value) : "";
		if (n > 0 && name[n - 1] == '@' && !json_object_get(row->bodies, hex))
			return cs_verify_found(w->v, row->seq, "event %lld: the body of %s is not in the archive", (long long)row->seq, name);
		int rc = created && strcmp(name, "definition") == 0 && strlen(hex) == CS_HEX_SIZE - 1
				 ? cs_verify_body_there(w->v, row->seq, name, hex, w->err) : CS_OK;
		if (rc)
			return rc;
	}
	return CS_OK;
}

static int check_row(void *ctx, const cs_segment_row *row)
{
	walk *w = ctx;
	cs_verifier *v = w->v;
	CS_CLEANUP(cs_segment_event_fini) cs_segment_event e = { .head = NULL };
	if (cs_segment_event_of(row, false, &e, NULL))
		return cs_verify_found(v, row->seq, "event %lld: is not one of capstan's", (long long)row->seq);
	if (cs_event_type_find(e.ev.type) == CS_EV_COUNT)
		return cs_verify_found(v, row->seq, "event %lld: its type %.64s is unknown to this version", (long long)row->seq, e.ev.type);
	int rc = cs_verify_anchored(v, &e.ev);
	if (!rc)
		rc = check_bodies(w, row, &e.ev);
	if (!rc)
		rc = check_in_database(w, row, &e.ev);
	if (!rc)
		rc = check_signed(w, row);
	memcpy(v->head, row->hash, CS_HASH_LEN);
	v->report.events = row->seq;
	return rc;
}

/* A segment that is gone or was changed is what was found, not a failure to look. */
static int told(walk *w, int64_t first, int rc, const cs_err *why)
{
	if (rc == CS_OK || w->v->report.finding[0])
		return rc;
	if (rc == CS_EUNAVAIL || rc == CS_EIO)
		return cs_verify_found(w->v, first, "%.480s", why->msg);
	if (w->err)
		*w->err = *why;
	return rc;
}

static int check_segment(walk *w, const cs_segment *s)
{
	cs_verifier *v = w->v;
	cs_err why = { 0 }, *outer = w->err;
	if (memcmp(s->before, v->head, CS_HASH_LEN) != 0)
		return cs_verify_found(v, s->first, "the segment of the archive from event %lld on does not follow the one before it", (long long)s->first);
	int rc = v->has_public ? cs_segment_signed(v->dir, s, v->public, &why) : CS_OK;
	w->err = &why;
	if (!rc)
		rc = cs_segment_read(v->dir, s, s->first, s->last, check_row, w, &why);
	w->err = outer;
	return told(w, s->first, rc, &why);
}

static int prepare(walk *w, int64_t last)
{
	sqlite3 *db = w->v->db;
	if (sqlite3_prepare_v2(db, "SELECT " CS_EVENT_COLUMNS " FROM event WHERE seq <= ?1 ORDER BY seq", -1, &w->kept, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "SELECT seq, hash FROM checkpoint WHERE seq <= ?1 ORDER BY seq", -1, &w->signed_at, NULL) != SQLITE_OK)
		return cs_sql_err(w->err, db, "verifying");
	cs_sql_bind(w->kept, "i", last);
	cs_sql_bind(w->signed_at, "i", last);
	int rc = step(w, w->kept, &w->has_kept);
	return rc ? rc : step(w, w->signed_at, &w->has_signed);
}

int cs_verify_segments(cs_verifier *v, cs_err *err)
{
	CS_CLEANUP(walk_fini) walk w = { .v = v, .here = json_object(), .err = err };
	CS_CLEANUP(cs_segments_fini) cs_segments all = { .list = NULL };
	cs_err why = { 0 };
	int rc = cs_segments_load(v->db, &all, &why);
	if (rc)
		return told(&w, 1, rc, &why);
	if (all.n == 0)
		return CS_OK;
	rc = prepare(&w, cs_segments_last(&all));
	for (size_t i = 0; !rc && i < all.n; i++)
		rc = check_segment(&w, &all.list[i]);
	if (!rc && w.has_kept)
		rc = cs_verify_found(v, v->report.events, "the database has an event before %lld that has no place in the log", (long long)v->report.events);
	v->report.archived = cs_segments_last(&all);
	v->report.segments = (int64_t)all.n;
	return rc;
}
