/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the database into segments. A segment has every event from its first to its last, so that the
 * chain can be followed through it; which of them leave the database is another matter. Of a run
 * that has left, all events up to the last segment's have: whether its first event is here tells. */
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/segment.h"
#include "store/sql.h"
#include "store/store_impl.h"
#include "store/transfer.h"

#define TERMINAL "('completed','faulted','cancelled','compensated')"
/* Runs that nobody waits for any more. ?1: before when they have ended. */
#define OVER "(SELECT id FROM run AS r WHERE state IN " TERMINAL " AND ended < ?1" \
	" AND NOT EXISTS (SELECT 1 FROM item AS i WHERE i.run = r.id AND i.state IN ('proposed','pending','approved','rejected','answered','open'))" \
	" AND NOT EXISTS (SELECT 1 FROM run AS p WHERE p.id = r.parent AND p.state NOT IN " TERMINAL "))"
/* Events that stay here though they are in a segment too: they are looked for by their type, or by a table. */
#define STAYS "type IN ('log.archived','log.imported','run.imported','run.adopted','run.corrected') OR seq IN (SELECT seq FROM start_event)" \
	" OR seq IN (SELECT published_seq FROM item WHERE state IN ('proposed','pending','approved','rejected','answered','open'))" \
	" OR seq IN (SELECT seq FROM timer WHERE state = 'armed')"
/* ?2: the last event that is in a segment. */
#define LEAVES "seq <= ?2 AND (run = '' OR run IN " OVER ") AND NOT (" STAYS ")"

/* Bodies that events named which have left; in this connection only, and of no consequence when they are lost. */
#define LEFT_BODIES "CREATE TEMP TABLE IF NOT EXISTS left_body (hash BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID"

typedef struct archiving {
	cs_store *s;
	cs_segment_writer *w;
	sqlite3_stmt *body;
	int64_t before;                /* wall ms */
	int64_t first, last;           /* of the segment */
	uint8_t head[CS_HASH_LEN];     /* before the first, then as far as it was read */
	cs_buf bytes;
	cs_err *err;
} archiving;

static void archiving_fini(archiving *a)
{
	cs_segment_writer_free(a->w);
	sqlite3_finalize(a->body);
	cs_buf_fini(&a->bytes);
}

/* ---- writing a segment ------------------------------------------------------------------------ */

static int each_named(const char *text, size_t len, int (*fn)(void *ctx, const char *hex), void *ctx, int64_t seq, cs_err *err)
{
	CS_AUTOJSON json_t *data = NULL;
	const char *name;
	json_t *value;
	if (!cs_data_may_have_body(text, len))
		return CS_OK;
	if (cs_json_parse(text, len, &data, NULL))
		return cs_err_set(err, CS_EIO, "event %lld: its data is not JSON; run capstan verify", (long long)seq);
	json_object_foreach(data, name, value) {
		size_t n = strlen(name);
		int rc = n > 0 && name[n - 1] == '@' && json_is_string(value) ? fn(ctx, json_string_value(value)) : CS_OK;
		if (rc)
			return rc;
	}
	return CS_OK;
}

static int take_body(void *ctx, const char *hex)
{
	archiving *a = ctx;
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_EVENT_MAX);
	int rc = cs_body_read(a->s->db, &a->body, hex, &text, a->err);
	return rc ? rc : cs_segment_put_body(a->w, hex, text.data, text.len, a->err);
}

/* The event as it is hashed, and held to its hash: what does not fit is not archived. */
static int take_row(archiving *a, sqlite3_stmt *st)
{
	cs_event ev;
	uint8_t hash[CS_HASH_LEN];
	cs_event_from_row(st, &ev);
	const char *data = cs_sql_text(st, CS_EVENT_DATA_COLUMN);
	size_t len = (size_t)sqlite3_column_bytes(st, CS_EVENT_DATA_COLUMN);
	int rc = cs_event_hash(a->s->hasher, a->head, &ev, data, len, &a->bytes, hash);
	if (rc || ev.seq != a->last + 1 || memcmp(hash, ev.hash, sizeof hash) != 0)
		return cs_err_set(a->err, CS_EIO, "event %lld is not what its hash says, and nothing is archived; run capstan verify", (long long)(a->last + 1));
	rc = each_named(data, len, take_body, a, ev.seq, a->err);
	if (!rc)
		rc = cs_segment_put_event(a->w, a->bytes.data, a->bytes.len, hash, a->err);
	memcpy(a->head, hash, sizeof hash);
	a->last = ev.seq;
	return rc;
}

/* Up to what is too young, to the segment's size, and never as far as the last signed event: that stays here. */
static int fill(archiving *a)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	cs_store *s = a->s;
	if (sqlite3_prepare_v2(s->db, "SELECT " CS_EVENT_COLUMNS " FROM event WHERE seq >= ?1 AND seq < ?2 ORDER BY seq", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(a->err, s->db, "reading the log");
	cs_sql_bind(st, "ii", a->first, s->signed_last.seq);
	int step, rc = CS_OK;
	while (!rc && a->last - a->first + 1 < CS_SEGMENT_EVENTS && cs_segment_size(a->w) < CS_SEGMENT_BYTES && (step = sqlite3_step(st)) != SQLITE_DONE) {
		if (step != SQLITE_ROW)
			return cs_sql_err(a->err, s->db, "reading the log");
		bool imported = strncmp(cs_sql_text(st, 6), CS_IMPORTED_ACTOR, sizeof CS_IMPORTED_ACTOR - 1) == 0;
		if (!imported && sqlite3_column_int64(st, 1) >= a->before)   /* another log's time says nothing of this one's */
			break;
		rc = take_row(a, st);
	}
	return rc;
}

/* ---- reading it back --------------------------------------------------------------------------- */

typedef struct checking {
	const archiving *a;
	sqlite3_stmt *st;
	int64_t seen;
	json_t *bodies;                /* of the frame */
	int64_t seq;
} checking;

static int is_there(void *ctx, const char *hex)
{
	const checking *k = ctx;
	return json_object_get(k->bodies, hex) ? CS_OK : CS_EIO;
}

/* Each event against its row. */
static int check_row(void *ctx, const cs_segment_row *row)
{
	checking *k = ctx;
	size_t len;
	const char *data = cs_segment_data(row, &len);
	bool same = sqlite3_step(k->st) == SQLITE_ROW && sqlite3_column_int64(k->st, 0) == row->seq &&
		    sqlite3_column_bytes(k->st, 1) == CS_HASH_LEN && memcmp(sqlite3_column_blob(k->st, 1), row->hash, CS_HASH_LEN) == 0;
	k->bodies = row->bodies;
	k->seen++;
	if (same && data && each_named(data, len, is_there, k, row->seq, NULL) == CS_OK)
		return CS_OK;
	return cs_err_set(k->a->err, CS_EIO, "event %lld was read back from the archive as another: nothing was taken out of the database; check the disk",
			  (long long)row->seq);
}

static int read_back(const archiving *a, const cs_segment *seg)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	checking k = { .a = a };
	if (sqlite3_prepare_v2(a->s->db, "SELECT seq, hash FROM event WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(a->err, a->s->db, "reading the log");
	cs_sql_bind(st, "ii", seg->first, seg->last);
	k.st = st;
	int rc = cs_segment_signed(a->s->dir, seg, a->s->signer.public, a->err);
	if (!rc)
		rc = cs_segment_read(a->s->dir, seg, seg->first, seg->last, check_row, &k, a->err);
	if (!rc && k.seen != seg->last - seg->first + 1)
		rc = cs_err_set(a->err, CS_EIO, "the archive was read back shorter than it was written: nothing was taken out of the database; check the disk");
	return rc;
}

/* ---- taking it out of the database ---------------------------------------------------------------- */

static int note_body(void *ctx, const char *hex)
{
	archiving *a = ctx;
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	uint8_t hash[CS_HASH_LEN];
	if (cs_unhex(hex, hash, sizeof hash))
		return CS_OK;
	if (sqlite3_prepare_v2(a->s->db, "INSERT INTO temp.left_body (hash) VALUES (?1) ON CONFLICT DO NOTHING", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(a->err, a->s->db, "noting a body");
	cs_sql_bind(st, "b", (const void *)hash, sizeof hash);
	return cs_sql_done(st, "noting a body", a->err);
}

static int note_bodies(archiving *a)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	sqlite3 *db = a->s->db;
	if (sqlite3_prepare_v2(db, "SELECT seq, data FROM event WHERE " LEAVES " AND instr(data, '@\":\"') > 0", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(a->err, db, "looking for bodies");
	cs_sql_bind(st, "ii", a->before, a->last);
	int step, rc = CS_OK;
	while (!rc && (step = sqlite3_step(st)) != SQLITE_DONE)
		rc = step == SQLITE_ROW ? each_named(cs_sql_text(st, 1), (size_t)sqlite3_column_bytes(st, 1), note_body, a, sqlite3_column_int64(st, 0), a->err)
					: cs_sql_err(a->err, db, "looking for bodies");
	return rc;
}

static int prune(archiving *a, int64_t *ret_pruned)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	sqlite3 *db = a->s->db;
	if (sqlite3_prepare_v2(db, "DELETE FROM event WHERE " LEAVES, -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(a->err, db, "taking events out of the database");
	cs_sql_bind(st, "ii", a->before, a->last);
	int rc = cs_sql_done(st, "taking events out of the database", a->err);
	*ret_pruned = sqlite3_changes64(db);
	return rc;
}

static json_t *told(const cs_segment *seg, const cs_archive_step *step)
{
	char before[CS_HEX_SIZE], hash[CS_HEX_SIZE];
	cs_hex(seg->before, CS_HASH_LEN, before);
	cs_hex(seg->hash, CS_HASH_LEN, hash);
	return json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:I}", "file", step->file, "first", (json_int_t)seg->first, "last", (json_int_t)seg->last,
			 "before", before, "hash", hash, "trailer", seg->trailer, "bytes", (json_int_t)step->bytes);
}

/* The event and the deletion are in one group: there is never neither. */
static int take_out(archiving *a, const cs_segment *seg, int64_t now, const char *actor, cs_archive_step *step)
{
	CS_AUTOJSON json_t *data = told(seg, step);
	cs_event ev = { .at = now, .type = "log.archived", .actor = actor, .data = data };
	int rc = cs_sql_run(a->s->db, LEFT_BODIES, a->err);
	if (!rc)
		rc = cs_store_append(a->s, &ev, a->err);
	if (!rc)
		rc = note_bodies(a);
	return rc ? rc : prune(a, &step->pruned);
}

/* ---- bodies ------------------------------------------------------------------------------------- */

static int keep_body(void *ctx, const char *hex)
{
	archiving *a = ctx;
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	uint8_t hash[CS_HASH_LEN];
	if (cs_unhex(hex, hash, sizeof hash))
		return CS_OK;
	if (sqlite3_prepare_v2(a->s->db, "DELETE FROM temp.left_body WHERE hash = ?1", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(a->err, a->s->db, "keeping a body");
	cs_sql_bind(st, "b", (const void *)hash, sizeof hash);
	return cs_sql_done(st, "keeping a body", a->err);
}

/* What an event names that is here still, or a definition is, stays. */
static int keep_named(archiving *a)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	sqlite3 *db = a->s->db;
	if (sqlite3_prepare_v2(db, "SELECT seq, data FROM event WHERE instr(data, '@\":\"') > 0", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(a->err, db, "looking for bodies");
	int step, rc = CS_OK;
	while (!rc && (step = sqlite3_step(st)) != SQLITE_DONE)
		rc = step == SQLITE_ROW ? each_named(cs_sql_text(st, 1), (size_t)sqlite3_column_bytes(st, 1), keep_body, a, sqlite3_column_int64(st, 0), a->err)
					: cs_sql_err(a->err, db, "looking for bodies");
	return rc ? rc : cs_sql_run(db, "DELETE FROM temp.left_body WHERE lower(hex(hash)) IN (SELECT definition FROM run)", a->err);
}

static int sweep(archiving *a, int64_t *ret)
{
	sqlite3 *db = a->s->db;
	int rc = keep_named(a);
	if (!rc)
		rc = cs_sql_run(db, "DELETE FROM body WHERE hash IN (SELECT hash FROM temp.left_body)", a->err);
	*ret = rc ? 0 : sqlite3_changes64(db);
	return rc ? rc : cs_sql_run(db, "DELETE FROM temp.left_body", a->err);
}

/* ---- one step ------------------------------------------------------------------------------------- */

/* Is there anything that would leave? */
static int any_leaves(const archiving *a, int64_t from, bool *ret)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	sqlite3 *db = a->s->db;
	if (sqlite3_prepare_v2(db, "SELECT 1 FROM event WHERE seq >= ?3 AND at < ?1 AND " LEAVES " LIMIT 1", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(a->err, db, "looking for what is old");
	cs_sql_bind(st, "iii", a->before, a->s->signed_last.seq - 1, from);
	int step = sqlite3_step(st);
	*ret = step == SQLITE_ROW;
	return step == SQLITE_ROW || step == SQLITE_DONE ? CS_OK : cs_sql_err(a->err, db, "looking for what is old");
}

static int write_segment(archiving *a, cs_segment *seg, cs_archive_step *step)
{
	int rc = fill(a);
	if (rc || a->last < a->first)
		return rc;
	step->raw = (int64_t)cs_segment_size(a->w);
	rc = cs_segment_finish(a->w, a->s->dir, &a->s->signer, seg, &step->bytes, a->err);
	if (!rc)
		rc = read_back(a, seg);
	CS_AUTOFREE char *name = cs_segment_name(seg);
	snprintf(step->file, sizeof step->file, "%s", name);
	return rc;
}

static int measure(const cs_store *s, cs_archive_step *step, cs_err *err)
{
	int64_t pages = 0, free_pages = 0;
	int rc = cs_sql_int(s->db, "PRAGMA page_count", 0, &pages, err);
	if (!rc)
		rc = cs_sql_int(s->db, "PRAGMA freelist_count", 0, &free_pages, err);
	step->db_bytes = pages * s->page_size;
	step->db_free = free_pages * s->page_size;
	return rc;
}

/* Where the last segment ends is where this one begins. */
static int begin_after(archiving *a)
{
	CS_CLEANUP(cs_segments_fini) cs_segments all = { .list = NULL };
	int rc = cs_segments_load(a->s->db, &all, a->err);
	if (rc)
		return rc;
	if (all.n > 0)
		memcpy(a->head, all.list[all.n - 1].hash, CS_HASH_LEN);
	a->first = cs_segments_last(&all) + 1;
	a->last = a->first - 1;
	a->w = cs_segment_writer_new(a->first, a->head);
	return CS_OK;
}

static int archive(archiving *a, int64_t now, const char *actor, cs_archive_step *step)
{
	cs_segment seg;
	bool any = false;
	int rc = any_leaves(a, a->first, &any);
	if (!rc && any)
		rc = write_segment(a, &seg, step);
	if (rc || a->last < a->first)
		return rc;
	step->first = a->first;
	step->last = a->last;
	rc = take_out(a, &seg, now, actor, step);
	if (!rc)
		rc = any_leaves(a, a->last + 1, &step->more);
	return rc || step->more ? rc : sweep(a, &step->bodies);
}

int cs_store_archive(cs_store *s, int64_t before, int64_t now, const char *actor, cs_archive_step *ret, cs_err *err)
{
	CS_CLEANUP(archiving_fini) archiving a = { .s = s, .before = before, .err = err };
	cs_archive_step step = { .first = 0 };
	cs_buf_init(&a.bytes, CS_EVENT_MAX + 4096);
	if (s->dead || !s->in_group)
		return cs_err_set(err, CS_EINTERNAL, "the archive is written in a commit group");
	if (!s->signer.signs)
		return cs_err_set(err, CS_EUNAVAIL, "a segment of the archive is signed with the workspace's key, and there is none");
	int rc = begin_after(&a);
	if (!rc)
		rc = archive(&a, now, actor, &step);
	if (!rc)
		rc = measure(s, &step, err);
	if (!rc)
		*ret = step;
	return rc;
}
