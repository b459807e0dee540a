/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_impl.h"
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "store/anchor.h"
#include "store/schema.h"
#include "store/sql.h"

/* Larger, and the checkpoint that is due stalls a commit for longer than it saves. */
#define CHECKPOINT_IDLE ((int64_t)1024 * 1024)
#define CHECKPOINT_BUSY ((int64_t)8 * 1024 * 1024)

static const char *const kept_sql[KEEP_COUNT] = {
	[KEEP_BEGIN] = "BEGIN IMMEDIATE",
	[KEEP_COMMIT] = "COMMIT",
	[KEEP_EPOCH] = "SELECT value FROM meta WHERE name = 'epoch'",
	[KEEP_EPOCH_SET] = "INSERT INTO meta (name, value) VALUES ('epoch', ?1)"
			   " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	[KEEP_INCARNATION] = "INSERT INTO meta (name, value) VALUES ('incarnation', ?1)"
			     " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	[KEEP_HEAD] = "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1",
	[KEEP_EVENT] = "INSERT INTO event (" CS_EVENT_COLUMNS ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
	[KEEP_BODY] = "INSERT INTO body (hash, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
	[KEEP_SETTING] = "SELECT value FROM setting WHERE name = ?1",
	[KEEP_ONCE] = "SELECT state, run, task, attempt, digest, n, seq FROM once_key WHERE key = ?1",
};

static int keep(cs_store *s, keep_statement which, sqlite3_stmt **ret, cs_err *err)
{
	int rc = cs_sql_keep(s->db, kept_sql[which], &s->kept[which], err);
	if (!rc)
		*ret = s->kept[which];
	return rc;
}

static int sign_tail(cs_store *s, cs_err *err);

static int refuse_dead(const cs_store *s, cs_err *err)
{
	return cs_err_set(err, CS_EUNAVAIL, "the store takes nothing more: %s", s->why_dead);
}

/* After this nothing is written: what the disk holds is known only by reading it again. */
static int die(cs_store *s, int rc, const cs_err *why, cs_err *err)
{
	s->dead = true;
	s->in_group = false;
	snprintf(s->why_dead, sizeof s->why_dead, "%.500s", why->msg);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	if (err)
		*err = *why;
	return rc;
}

bool cs_store_dead(const cs_store *s)
{
	return s->dead;
}

static int on_wal(void *ctx, sqlite3 *db, const char *name, int pages)
{
	(void)db, (void)name;
	cs_store *s = ctx;
	s->wal_pages = pages;
	if (pages < s->checkpointed_pages)   /* started again from its beginning */
		s->checkpointed_pages = 0;
	return SQLITE_OK;
}

static int read_head(cs_store *s, cs_err *err)
{
	sqlite3_stmt *st;
	int rc = keep(s, KEEP_HEAD, &st, err);
	if (rc)
		return rc;
	int step = sqlite3_step(st);
	s->seq = 0;
	memset(s->head, 0, sizeof s->head);
	if (step == SQLITE_ROW) {
		s->seq = sqlite3_column_int64(st, 0);
		if (sqlite3_column_bytes(st, 1) == CS_HASH_LEN)
			memcpy(s->head, sqlite3_column_blob(st, 1), CS_HASH_LEN);
		else
			rc = cs_err_set(err, CS_EIO, "the last event has no hash; run capstan verify");
	} else if (step != SQLITE_DONE) {
		rc = cs_sql_err(err, s->db, "reading the end of the log");
	}
	sqlite3_reset(st);
	s->committed_seq = s->seq;
	memcpy(s->committed_head, s->head, sizeof s->head);
	return rc ? rc : cs_checkpoint_last(s->db, &s->signed_last, err);
}

/* The log must reach its anchor: what was cut off, or put back from an older copy, is not gone on
 * with, and the next anchor does not wipe the trace away. */
static int check_anchor(cs_store *s, cs_err *err)
{
	int64_t seq = 0;
	uint8_t hash[CS_HASH_LEN];
	cs_err why = { 0 };
	int rc = cs_anchor_read(s->dir, &seq, hash, &why);
	if (rc == CS_ENOTFOUND)
		return CS_OK;
	if (rc)
		return cs_err_set(err, CS_EUNAVAIL, "%s; run capstan verify, and restore a backup", why.msg);
	if (seq <= s->seq && (seq != s->seq || memcmp(hash, s->head, CS_HASH_LEN) == 0))
		return CS_OK;
	return cs_err_set(err, CS_EUNAVAIL, "%s: the log ends at event %lld, its anchor holds %s event %lld: the end was cut off, "
			  "or an older copy was put back; run capstan verify, and restore a backup", s->dir, (long long)s->seq,
			  seq == s->seq ? "another" : "the later", (long long)seq);
}

int cs_store_take_key(cs_store *s, cs_err *err)
{
	CS_CLEANUP(cs_signer_wipe) cs_signer mine = { 0 };
	int rc = cs_signer_load(s->dir, &mine, err);
	if (!rc)
		rc = cs_checkpoint_hold(s->db, s->seq, &s->signed_last, &mine, err);
	if (!rc)
		rc = cs_signer_publish(s->dir, &mine, err);
	if (!rc)
		s->signer = mine;
	return rc;
}

int cs_store_publish_key(const char *dir, cs_err *err)
{
	CS_CLEANUP(cs_signer_wipe) cs_signer mine = { 0 };
	int rc = cs_signer_load(dir, &mine, err);
	return rc ? rc : cs_signer_publish(dir, &mine, err);
}

/* Without a key nothing is signed, but what was signed holds. */
static int check_signed(cs_store *s, cs_err *err)
{
	int rc = cs_store_take_key(s, err);
	return rc == CS_ENOTFOUND ? cs_checkpoint_hold(s->db, s->seq, &s->signed_last, &s->signer, err) : rc;
}

int cs_store_open(const char *dir, bool create, cs_store **ret, cs_err *err)
{
	sqlite3 *db;
	int rc = cs_schema_open_writer(dir, create, &db, err);
	if (rc)
		return rc;
	cs_store *s = cs_xcalloc(1, sizeof *s);
	s->db = db;
	s->dir = cs_xstrdup(dir);
	s->fold = cs_fold_new(db);
	s->hasher = cs_sha256_new();
	cs_buf_init(&s->data, CS_EVENT_MAX);
	cs_buf_init(&s->bytes, CS_EVENT_MAX + 4096);
	sqlite3_wal_hook(db, on_wal, s);
	int64_t page_size;
	rc = cs_sql_int(db, "PRAGMA page_size", 4096, &page_size, err);
	s->page_size = page_size;
	if (!rc)
		rc = read_head(s, err);
	if (!rc)
		rc = check_anchor(s, err);
	if (!rc)
		rc = check_signed(s, err);
	if (rc) {
		cs_store_close(s);
		return rc;
	}
	*ret = s;
	return CS_OK;
}

void cs_store_close(cs_store *s)
{
	if (!s)
		return;
	cs_store_rollback(s);
	if (!s->dead)
		sign_tail(s, NULL);          /* what stays unsigned is signed at the next start */
	for (size_t i = 0; i < KEEP_COUNT; i++)
		sqlite3_finalize(s->kept[i]);
	cs_fold_free(s->fold);
	if (!s->dead) {
		/* A reader may keep the end of the WAL; it is taken in at the next start. */
		sqlite3_busy_timeout(s->db, 50);
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	sqlite3_close(s->db);
	cs_sha256_free(s->hasher);
	cs_signer_wipe(&s->signer);
	cs_buf_fini(&s->data);
	cs_buf_fini(&s->bytes);
	free(s->dir);
	free(s);
}

/* ---- the epoch ------------------------------------------------------------------------- */

static int read_epoch(cs_store *s, int64_t *ret, cs_err *err)
{
	sqlite3_stmt *st;
	int rc = keep(s, KEEP_EPOCH, &st, err);
	if (rc)
		return rc;
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	else if (step == SQLITE_DONE)
		*ret = 0;
	else
		rc = cs_sql_err(err, s->db, "reading the epoch");
	sqlite3_reset(st);
	return rc;
}

static int prove_epoch(cs_store *s, cs_err *err)
{
	int64_t there;
	if (!s->epoch)
		return CS_OK;
	int rc = read_epoch(s, &there, err);
	if (rc || there == s->epoch)
		return rc;
	cs_err why;
	cs_err_set(&why, CS_EREFUSED, "another engine has taken over this workspace (epoch %lld, ours is %lld); "
		   "this one must end", (long long)there, (long long)s->epoch);
	return die(s, CS_EREFUSED, &why, err);
}

/* ---- a group --------------------------------------------------------------------------- */

static int begin(cs_store *s, cs_err *err)
{
	if (s->dead)
		return refuse_dead(s, err);
	if (s->in_group)
		return cs_err_set(err, CS_EINTERNAL, "a commit group is already open");
	sqlite3_stmt *st;
	int rc = keep(s, KEEP_BEGIN, &st, err);
	return rc ? rc : cs_sql_done(st, "beginning a commit group", err);
}

int cs_store_begin(cs_store *s, cs_err *err)
{
	int rc = begin(s, err);
	if (rc)
		return rc;
	s->in_group = true;
	s->group_failed = s->sign_now = false;
	s->signing.seq = 0;
	rc = prove_epoch(s, err);
	if (rc)
		cs_store_rollback(s);
	return rc;
}

void cs_store_rollback(cs_store *s)
{
	if (!s->in_group)
		return;
	s->in_group = false;
	cs_fold_forget(s->fold);
	if (!sqlite3_get_autocommit(s->db) && sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK) {
		cs_err why;
		cs_sql_err(&why, s->db, "taking back a commit group");
		die(s, why.code, &why, NULL);
	}
	s->seq = s->committed_seq;
	memcpy(s->head, s->committed_head, sizeof s->head);
}

static int checkpoint(cs_store *s, cs_err *err)
{
	int log, done;
	int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
	if (rc != SQLITE_OK && rc != SQLITE_BUSY) {
		cs_err why;
		cs_sql_err(&why, s->db, "moving the log's tail into the database");
		return die(s, why.code, &why, err);
	}
	/* A reader may hold it up; then it is tried again after as many new pages. */
	s->checkpointed_pages = s->wal_pages;
	return CS_OK;
}

static int checkpoint_over(cs_store *s, int64_t bytes, cs_err *err)
{
	if ((s->wal_pages - s->checkpointed_pages) * s->page_size < bytes)
		return CS_OK;
	return checkpoint(s, err);
}

/* In the group that is about to be committed: a checkpoint costs no sync of its own. */
static int sign(cs_store *s, int64_t now, cs_err *err)
{
	int64_t behind = s->seq - s->signed_last.seq;
	bool due = s->sign_now || behind >= CS_CHECKPOINT_EVENTS || s->signed_at == 0 ||
		   now - s->signed_at >= CS_CHECKPOINT_MS * INT64_C(1000000);
	if (!s->signer.signs || behind == 0 || !due)
		return CS_OK;
	return cs_checkpoint_write(s->db, &s->kept[KEEP_CHECKPOINT], &s->signer, &s->signed_last, s->seq, s->head, &s->signing, err);
}

int cs_store_commit(cs_store *s, cs_err *err)
{
	if (s->dead)
		return refuse_dead(s, err);
	if (!s->in_group || s->group_failed)
		return cs_err_set(err, CS_EINTERNAL, "there is no commit group to commit, or a part of it failed");
	sqlite3_stmt *st;
	cs_err why;
	int64_t now = cs_clock_mono_ns();
	int rc = cs_fold_settle(s->fold, &why);
	if (!rc)
		rc = sign(s, now, &why);
	if (!rc)
		rc = keep(s, KEEP_COMMIT, &st, &why);
	if (!rc)
		rc = cs_sql_done(st, "committing", &why);
	if (rc)
		return die(s, rc, &why, err);
	s->in_group = false;
	if (s->signing.seq > 0) {
		s->signed_last = s->signing;
		s->signed_at = now;
	}
	s->committed_seq = s->seq;
	memcpy(s->committed_head, s->head, sizeof s->head);
	/* What was committed is; a checkpoint that fails is told by the next call. */
	checkpoint_over(s, CHECKPOINT_BUSY, NULL);
	return CS_OK;
}

int64_t cs_store_last_seq(const cs_store *s)
{
	return s->seq;
}

int cs_store_settle(cs_store *s, cs_err *err)
{
	cs_err why;
	if (s->dead)
		return refuse_dead(s, err);
	if (s->in_group)
		return cs_err_set(err, CS_EINTERNAL, "the log's tail does not settle inside a group");
	int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if ((rc & 0xff) == SQLITE_BUSY)
		return cs_sql_err(err, s->db, "moving the log's tail into the database");
	if (rc != SQLITE_OK) {
		cs_sql_err(&why, s->db, "moving the log's tail into the database");
		return die(s, why.code, &why, err);
	}
	s->wal_pages = s->checkpointed_pages = 0;
	return CS_OK;
}

/* What came after the last checkpoint gets one of its own. */
static int sign_tail(cs_store *s, cs_err *err)
{
	if (!s->signer.signs || s->seq == s->signed_last.seq)
		return CS_OK;
	int rc = cs_store_begin(s, err);
	if (rc)
		return rc;
	s->sign_now = true;
	return cs_store_commit(s, err);
}

int cs_store_idle(cs_store *s, cs_err *err)
{
	if (s->dead)
		return refuse_dead(s, err);
	if (s->in_group)
		return CS_OK;
	int rc = sign_tail(s, err);
	return rc ? rc : checkpoint_over(s, CHECKPOINT_IDLE, err);
}

/* ---- appending ------------------------------------------------------------------------- */

int cs_store_in_group(const cs_store *s, cs_err *err)
{
	if (s->dead)
		return refuse_dead(s, err);
	if (!s->in_group || s->group_failed)
		return cs_err_set(err, CS_EINTERNAL, "no commit group is open, or a part of it failed");
	return CS_OK;
}

static int put_body(void *ctx, const char *bytes, size_t n, char ret_hex[CS_HEX_SIZE], cs_err *err)
{
	cs_store *s = ctx;
	uint8_t hash[CS_HASH_LEN];
	sqlite3_stmt *st;
	int rc = keep(s, KEEP_BODY, &st, err);
	if (rc)
		return rc;
	cs_hash(bytes, n, hash);
	cs_sql_bind(st, "bb", (const void *)hash, sizeof hash, (const void *)bytes, n);
	rc = cs_sql_done(st, "keeping a body", err);
	if (!rc)
		cs_hex(hash, sizeof hash, ret_hex);
	return rc;
}

int cs_store_put_body(cs_store *s, const void *p, size_t n, char ret_hex[CS_HEX_SIZE], cs_err *err)
{
	int rc = cs_store_in_group(s, err);
	if (rc)
		return rc;
	if (n > CS_EVENT_MAX)
		return cs_err_set(err, CS_ETOOBIG, "a body is at most %zu bytes", CS_EVENT_MAX);
	rc = put_body(s, p, n, ret_hex, err);
	s->group_failed = rc != CS_OK;
	return rc;
}

static int check_event(const cs_store *s, const cs_event *ev, cs_event_type *ret_type, cs_err *err)
{
	cs_event_type t = ev->type ? cs_event_type_find(ev->type) : CS_EV_COUNT;
	if (t == CS_EV_COUNT)
		return cs_err_set(err, CS_EINTERNAL, "the log has no event of the type %s", ev->type ? ev->type : "(none)");
	if (!ev->actor || !cs_utf8_valid(ev->actor, strlen(ev->actor)))
		return cs_err_set(err, CS_EINVAL, "event %s: its actor is missing, or is not UTF-8", ev->type);
	if (ev->task && !cs_utf8_valid(ev->task, strlen(ev->task)))
		return cs_err_set(err, CS_EINVAL, "event %s: the name of its task is not UTF-8", ev->type);
	if (ev->run[0] && !cs_id_valid(ev->run))
		return cs_err_set(err, CS_EINVAL, "event %s: its run is not an id", ev->type);
	if (ev->occurrence < 0 || ev->cause < 0 || ev->cause > s->seq)
		return cs_err_set(err, CS_EINVAL, "event %s: its cause (%lld) must be an earlier event, "
				  "its occurrence (%d) not negative", ev->type, (long long)ev->cause, ev->occurrence);
	*ret_type = t;
	return CS_OK;
}

static int insert_event(cs_store *s, const cs_event *ev, cs_err *err)
{
	sqlite3_stmt *st;
	int rc = keep(s, KEEP_EVENT, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "iississiisb", ev->seq, ev->at, ev->run, ev->task, (int64_t)ev->occurrence, ev->type,
		    ev->actor, ev->cause, (int64_t)ev->simulated, (const char *)NULL, (const void *)ev->hash,
		    (size_t)CS_HASH_LEN);
	sqlite3_bind_text64(st, CS_EVENT_DATA_COLUMN + 1, s->data.data, s->data.len, SQLITE_STATIC, SQLITE_UTF8);
	return cs_sql_done(st, "appending an event", err);
}

/* Every checkpoint from here on holds which incarnation it is of. */
static int note_incarnation(cs_store *s, const cs_event *ev, cs_err *err)
{
	sqlite3_stmt *st;
	int rc = keep(s, KEEP_INCARNATION, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "i", cs_json_int_or(ev->data, "incarnation", 0));
	return cs_sql_done(st, "noting the incarnation", err);
}

static int append(cs_store *s, cs_event *ev, cs_err *err)
{
	cs_event_type t = CS_EV_COUNT;
	int rc = check_event(s, ev, &t, err);
	if (!rc)
		rc = cs_data_write(ev->data, put_body, s, &s->data, err);
	if (rc)
		return rc;
	ev->seq = s->seq + 1;
	rc = cs_event_hash(s->hasher, s->head, ev, s->data.data, s->data.len, &s->bytes, ev->hash);
	if (rc)
		return cs_err_set(err, rc, "event %s: too large", ev->type);
	/* First the fold, which looks at what the event has before it writes: one that does not fit leaves nothing. */
	rc = cs_fold_event(s->fold, t, ev, err);
	if (!rc)
		rc = insert_event(s, ev, err);
	if (!rc && t == CS_EV_ENGINE_INCARNATION)
		rc = note_incarnation(s, ev, err);
	if (rc)
		return rc;
	s->seq = ev->seq;
	memcpy(s->head, ev->hash, sizeof s->head);
	return CS_OK;
}

int cs_store_append(cs_store *s, cs_event *ev, cs_err *err)
{
	int rc = cs_store_in_group(s, err);
	if (rc)
		return rc;
	rc = append(s, ev, err);
	/* What is too big, or does not fit, was refused before anything of it was written. */
	s->group_failed = rc != CS_OK && rc != CS_ETOOBIG && rc != CS_EINVAL;
	return rc;
}

/* ---- beside the groups ------------------------------------------------------------------ */

int cs_store_claim_epoch(cs_store *s, int64_t *ret_epoch, cs_err *err)
{
	int64_t epoch;
	sqlite3_stmt *st;
	s->epoch = 0;
	int rc = cs_store_begin(s, err);
	if (rc)
		return rc;
	/* Another writer may have been here since this one opened. */
	rc = read_head(s, err);
	if (!rc)
		rc = read_epoch(s, &epoch, err);
	if (!rc)
		rc = keep(s, KEEP_EPOCH_SET, &st, err);
	if (!rc) {
		cs_sql_bind(st, "i", ++epoch);
		rc = cs_sql_done(st, "claiming the workspace", err);
	}
	if (rc) {
		cs_store_rollback(s);
		return rc;
	}
	rc = cs_store_commit(s, err);
	if (!rc)
		*ret_epoch = s->epoch = epoch;
	return rc;
}

int cs_store_anchor(cs_store *s, cs_err *err)
{
	if (s->dead)
		return refuse_dead(s, err);
	if (s->in_group)
		return cs_err_set(err, CS_EINTERNAL, "the anchor is of what is committed, not of an open group");
	if (s->committed_seq == 0 || s->anchored_seq == s->committed_seq)
		return CS_OK;
	int rc = cs_anchor_write(s->dir, s->committed_seq, s->committed_head, err);
	if (!rc)
		s->anchored_seq = s->committed_seq;
	return rc;
}

bool cs_store_head(const cs_store *s, int64_t *ret_seq, uint8_t ret_hash[CS_HASH_LEN])
{
	if (s->dead || s->committed_seq == 0)
		return false;
	*ret_seq = s->committed_seq;
	memcpy(ret_hash, s->committed_head, CS_HASH_LEN);
	return true;
}

int cs_store_setting(cs_store *s, const char *name, char **ret, cs_err *err)
{
	if (s->dead)
		return refuse_dead(s, err);
	sqlite3_stmt *st;
	int rc = keep(s, KEEP_SETTING, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "s", name);
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW)
		*ret = cs_xstrdup(cs_sql_text(st, 0));
	else if (step == SQLITE_DONE)
		*ret = NULL;
	else
		rc = cs_sql_err(err, s->db, "reading a setting");
	sqlite3_reset(st);
	return rc;
}

int cs_store_once(cs_store *s, const char *key, cs_once_row *ret, cs_err *err)
{
	if (s->dead)
		return refuse_dead(s, err);
	sqlite3_stmt *st;
	int rc = keep(s, KEEP_ONCE, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "s", key);
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW) {
		snprintf(ret->state, sizeof ret->state, "%s", cs_sql_text(st, 0));
		snprintf(ret->run, sizeof ret->run, "%s", cs_sql_text(st, 1));
		ret->task = cs_xstrdup(cs_sql_text(st, 2));
		snprintf(ret->attempt, sizeof ret->attempt, "%s", cs_sql_text(st, 3));
		snprintf(ret->digest, sizeof ret->digest, "%s", cs_sql_text(st, 4));
		ret->n = (unsigned)sqlite3_column_int64(st, 5);
		ret->seq = sqlite3_column_int64(st, 6);
	} else {
		rc = step == SQLITE_DONE ? CS_ENOTFOUND : cs_sql_err(err, s->db, "reading a business key");
	}
	sqlite3_reset(st);
	return rc;
}
