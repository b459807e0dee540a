/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/checkpoint.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/sql.h"

enum { KEY_LEN = 32, MESSAGE = 4 * 8 + 2 * CS_HASH_LEN };

static const char context[] = "capstan checkpoint 1";
static const char public_magic[] = "capstan-key 1 ";

/* ---- the pair -------------------------------------------------------------------------- */

static int damaged(const char *path, cs_err *err)
{
	return cs_err_set(err, CS_EINVAL, "%s: is not a key of capstan; restore it from a backup", path);
}

static int read_text(const char *dir, const char *name, cs_buf *out, char **ret_path, cs_err *err)
{
	*ret_path = cs_path_join(dir, name);
	if (!cs_file_exists(*ret_path))
		return cs_err_set(err, CS_ENOTFOUND, "%s: is not there", *ret_path);
	return cs_file_read(*ret_path, out, err);
}

int cs_signer_load(const char *dir, cs_signer *ret, cs_err *err)
{
	CS_AUTOFREE char *path = NULL;
	CS_AUTOBUF cs_buf key;
	uint8_t seed[crypto_sign_SEEDBYTES];
	cs_buf_init(&key, 4096);
	int rc = read_text(dir, CS_KEY_FILE, &key, &path, err);
	if (rc)
		return rc;
	if (key.len != KEY_LEN)
		return cs_err_set(err, CS_EINVAL, "%s holds %zu bytes, not %d: it is damaged; restore it from a backup", path, key.len, KEY_LEN);
	if (sodium_init() < 0)
		return cs_err_set(err, CS_EINTERNAL, "libsodium does not start");
	cs_hmac(key.data, key.len, context, sizeof context - 1, seed);
	crypto_sign_seed_keypair(ret->public, ret->secret, seed);
	ret->signs = true;
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(key.data, key.len);
	return CS_OK;
}

void cs_signer_wipe(cs_signer *s)
{
	sodium_memzero(s, sizeof *s);
}

int cs_signer_publish(const char *dir, const cs_signer *s, cs_err *err)
{
	char hex[CS_HEX_SIZE], line[128];
	CS_AUTOFREE char *path = cs_path_join(dir, CS_PUBLIC_FILE);
	if (cs_file_exists(path))
		return CS_OK;
	cs_hex(s->public, sizeof s->public, hex);
	int n = snprintf(line, sizeof line, "%s%s\n", public_magic, hex);
	return cs_file_write(path, line, (size_t)n, 0600, err);
}

static int read_public(const char *dir, uint8_t ret[CS_SIGN_PUBLIC], cs_err *err)
{
	CS_AUTOFREE char *path = NULL;
	CS_AUTOBUF cs_buf text;
	char hex[CS_HEX_SIZE];
	cs_buf_init(&text, 4096);
	int rc = read_text(dir, CS_PUBLIC_FILE, &text, &path, err);
	if (rc)
		return rc;
	const char *p = cs_buf_str(&text);
	size_t head = sizeof public_magic - 1;
	if (strlen(p) != head + CS_HEX_SIZE || strncmp(p, public_magic, head) != 0 || p[head + CS_HEX_SIZE - 1] != '\n')
		return damaged(path, err);
	memcpy(hex, p + head, CS_HEX_SIZE - 1);
	hex[CS_HEX_SIZE - 1] = '\0';
	return cs_unhex(hex, ret, CS_SIGN_PUBLIC) ? damaged(path, err) : CS_OK;
}

int cs_signer_public(const char *dir, uint8_t ret[CS_SIGN_PUBLIC], cs_err *err)
{
	CS_CLEANUP(cs_signer_wipe) cs_signer s = { 0 };
	uint8_t told[CS_SIGN_PUBLIC];
	int rc = cs_signer_load(dir, &s, err);
	if (rc && rc != CS_ENOTFOUND)
		return rc;
	rc = read_public(dir, told, err);
	if (rc && (rc != CS_ENOTFOUND || !s.signs))
		return rc;
	if (!rc && s.signs && memcmp(told, s.public, sizeof told) != 0)
		return cs_err_set(err, CS_EINVAL, "%s/%s and %s are not of one pair: one of them was put there from elsewhere; "
				  "restore them from a backup", dir, CS_KEY_FILE, CS_PUBLIC_FILE);
	memcpy(ret, s.signs ? s.public : told, CS_SIGN_PUBLIC);
	return CS_OK;
}

/* ---- one checkpoint --------------------------------------------------------------------- */

static uint8_t *put_int(uint8_t *p, int64_t value)
{
	for (int i = 7; i >= 0; i--)
		*p++ = (uint8_t)((uint64_t)value >> (8 * i));
	return p;
}

/* What is signed: the context, then every member in a fixed width. */
static void message_of(const cs_checkpoint *c, uint8_t ret[sizeof context + MESSAGE])
{
	uint8_t *p = ret;
	memcpy(p, context, sizeof context);
	p = put_int(p + sizeof context, c->seq);
	p = put_int(p, c->at);
	p = put_int(p, c->previous);
	p = put_int(p, c->incarnation);
	memcpy(p, c->hash, CS_HASH_LEN);
	memcpy(p + CS_HASH_LEN, c->link, CS_HASH_LEN);
}

bool cs_checkpoint_signed(const cs_checkpoint *c, const uint8_t public[CS_SIGN_PUBLIC])
{
	uint8_t message[sizeof context + MESSAGE];
	message_of(c, message);
	return sodium_init() >= 0 && crypto_sign_verify_detached(c->signature, message, sizeof message, public) == 0;
}

/* What the next one holds of this one; zeros where there is none. */
static void link_of(const cs_checkpoint *c, uint8_t ret[CS_HASH_LEN])
{
	uint8_t all[sizeof context + MESSAGE + CS_SIGNATURE];
	memset(ret, 0, CS_HASH_LEN);
	if (c->seq == 0)
		return;
	message_of(c, all);
	memcpy(all + sizeof context + MESSAGE, c->signature, CS_SIGNATURE);
	cs_hash(all, sizeof all, ret);
}

#define COLUMNS "seq, at, previous, incarnation, hash, link, signature"

/* False where a column has not the length that we write. */
static bool from_row(sqlite3_stmt *st, cs_checkpoint *ret)
{
	if (sqlite3_column_bytes(st, 4) != CS_HASH_LEN || sqlite3_column_bytes(st, 5) != CS_HASH_LEN ||
	    sqlite3_column_bytes(st, 6) != CS_SIGNATURE)
		return false;
	*ret = (cs_checkpoint){ .seq = sqlite3_column_int64(st, 0), .at = sqlite3_column_int64(st, 1),
				.previous = sqlite3_column_int64(st, 2), .incarnation = sqlite3_column_int64(st, 3) };
	memcpy(ret->hash, sqlite3_column_blob(st, 4), CS_HASH_LEN);
	memcpy(ret->link, sqlite3_column_blob(st, 5), CS_HASH_LEN);
	memcpy(ret->signature, sqlite3_column_blob(st, 6), CS_SIGNATURE);
	return ret->seq > 0;
}

int cs_checkpoint_last(sqlite3 *db, cs_checkpoint *ret, cs_err *err)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(db, "SELECT " COLUMNS " FROM checkpoint ORDER BY seq DESC LIMIT 1", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, db, "reading the last checkpoint");
	int step = sqlite3_step(st);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return cs_sql_err(err, db, "reading the last checkpoint");
	if (step == SQLITE_DONE)
		*ret = (cs_checkpoint){ 0 };
	else if (!from_row(st, ret))
		return cs_err_set(err, CS_EUNAVAIL, "the last checkpoint of the log is not one of capstan's; run capstan verify, and restore a backup");
	return CS_OK;
}

static int event_hash(sqlite3 *db, sqlite3_stmt **slot, int64_t seq, bool *ret_there, uint8_t ret[CS_HASH_LEN], cs_err *err)
{
	int rc = cs_sql_keep(db, "SELECT hash FROM event WHERE seq = ?1", slot, err);
	if (rc)
		return rc;
	cs_sql_bind(*slot, "i", seq);
	int step = sqlite3_step(*slot);
	*ret_there = step == SQLITE_ROW && sqlite3_column_bytes(*slot, 0) == CS_HASH_LEN;
	if (*ret_there)
		memcpy(ret, sqlite3_column_blob(*slot, 0), CS_HASH_LEN);
	else if (step != SQLITE_ROW && step != SQLITE_DONE)
		rc = cs_sql_err(err, db, "reading a signed event");
	sqlite3_reset(*slot);
	return rc;
}

int cs_checkpoint_hold(sqlite3 *db, int64_t seq, const cs_checkpoint *last, const cs_signer *s, cs_err *err)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	uint8_t hash[CS_HASH_LEN];
	bool there;
	static const char next[] = "run capstan verify, and restore a backup";
	if (last->seq == 0)
		return CS_OK;
	if (last->seq > seq)
		return cs_err_set(err, CS_EUNAVAIL, "the log ends at event %lld, a signed checkpoint holds event %lld: the end was cut off; %s",
				  (long long)seq, (long long)last->seq, next);
	int rc = event_hash(db, &st, last->seq, &there, hash, err);
	if (rc)
		return rc;
	if (!there || memcmp(hash, last->hash, sizeof hash) != 0)
		return cs_err_set(err, CS_EUNAVAIL, "event %lld is not the one that its checkpoint signed: the log was rewritten; %s",
				  (long long)last->seq, next);
	if (s->signs && !cs_checkpoint_signed(last, s->public))
		return cs_err_set(err, CS_EUNAVAIL, "the checkpoint at event %lld is not signed by the key of this workspace: it was forged, "
				  "or the key is another's; %s", (long long)last->seq, next);
	return CS_OK;
}

int cs_checkpoint_write(sqlite3 *db, sqlite3_stmt **slot, const cs_signer *s, const cs_checkpoint *last, int64_t seq,
			const uint8_t hash[CS_HASH_LEN], cs_checkpoint *ret, cs_err *err)
{
	static const char sql[] = "INSERT INTO checkpoint (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
	cs_checkpoint c = { .seq = seq, .at = cs_clock_wall_ms(), .previous = last->seq };
	uint8_t message[sizeof context + MESSAGE];
	int rc = cs_sql_int(db, "SELECT value FROM meta WHERE name = 'incarnation'", 0, &c.incarnation, err);
	if (!rc)
		rc = cs_sql_keep(db, sql, slot, err);
	if (rc)
		return rc;
	memcpy(c.hash, hash, sizeof c.hash);
	link_of(last, c.link);
	message_of(&c, message);
	crypto_sign_detached(c.signature, NULL, message, sizeof message, s->secret);
	cs_sql_bind(*slot, "iiiibbb", c.seq, c.at, c.previous, c.incarnation, (const void *)c.hash, sizeof c.hash, (const void *)c.link,
		    sizeof c.link, (const void *)c.signature, sizeof c.signature);
	rc = cs_sql_done(*slot, "writing a checkpoint", err);
	if (!rc)
		*ret = c;
	return rc;
}

/* ---- all of them ------------------------------------------------------------------------ */

/* Of more than these the earlier are held by their links alone: each signature costs as much as
 * many links, and the last one vouches for all before it. */
enum { SIGNATURES_MOST = 10000 };

typedef struct checking {
	sqlite3 *db;
	sqlite3_stmt *event;
	const uint8_t *public;
	int64_t unsigned_first;        /* so many are checked by their link alone */
	cs_checkpoint last;
	cs_verify_report *report;
} checking;

CS_PRINTF(3, 4) static int found(cs_verify_report *r, int64_t seq, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	r->first_bad = seq;
	vsnprintf(r->finding, sizeof r->finding, fmt, ap);
	va_end(ap);
	return CS_EINVAL;
}

static int check_links(checking *k, const cs_checkpoint *c)
{
	uint8_t link[CS_HASH_LEN];
	link_of(&k->last, link);
	if (c->previous > k->last.seq)
		return found(k->report, c->previous, "the signed checkpoint at event %lld is missing: it was deleted", (long long)c->previous);
	if (c->previous != k->last.seq || memcmp(link, c->link, sizeof link) != 0)
		return found(k->report, k->last.seq ? k->last.seq : c->seq, "the signed checkpoints at events %lld and %lld do not follow each "
			     "other: one of them was forged or changed", (long long)k->last.seq, (long long)c->seq);
	return CS_OK;
}

static int check_one(checking *k, sqlite3_stmt *st, cs_err *err)
{
	cs_checkpoint c;
	uint8_t hash[CS_HASH_LEN];
	bool there;
	if (!from_row(st, &c))
		return found(k->report, sqlite3_column_int64(st, 0), "the checkpoint at event %lld holds what capstan never writes: it was changed",
			     (long long)sqlite3_column_int64(st, 0));
	if (k->report->checkpoints >= k->unsigned_first && !cs_checkpoint_signed(&c, k->public))
		return found(k->report, c.seq, "the checkpoint at event %lld is forged: the key of this workspace did not sign it", (long long)c.seq);
	int rc = check_links(k, &c);
	if (rc)
		return rc;
	if (c.incarnation < k->last.incarnation)
		return found(k->report, c.seq, "the checkpoint at event %lld is of incarnation %lld, one before it of %lld: it was signed by "
			     "another copy of this workspace", (long long)c.seq, (long long)c.incarnation, (long long)k->last.incarnation);
	if (c.seq > k->report->events)
		return found(k->report, k->report->events + 1, "the log ends at event %lld, a signed checkpoint holds event %lld: the end was cut "
			     "off", (long long)k->report->events, (long long)c.seq);
	/* What is archived was held to it on the way through the segments. */
	there = c.seq <= k->report->archived;
	if (there)
		memcpy(hash, c.hash, sizeof hash);
	rc = there ? CS_OK : event_hash(k->db, &k->event, c.seq, &there, hash, err);
	if (rc)
		return rc;
	if (!there || memcmp(hash, c.hash, sizeof hash) != 0)
		return found(k->report, c.seq, "event %lld: is not the one that its checkpoint signed: the log was rewritten up to here",
			     (long long)c.seq);
	k->last = c;
	k->report->checkpoints++;
	k->report->signed_seq = c.seq;
	return CS_OK;
}

static int check_rows(checking *k, cs_err *err)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(k->db, "SELECT " COLUMNS " FROM checkpoint ORDER BY seq", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, k->db, "verifying the checkpoints");
	int step, rc = CS_OK;
	while (!rc && (step = sqlite3_step(st)) != SQLITE_DONE)
		rc = step == SQLITE_ROW ? check_one(k, st, err) : cs_sql_err(err, k->db, "verifying the checkpoints");
	return rc;
}

int cs_checkpoints_verify(sqlite3 *db, const uint8_t *public, cs_verify_report *report, cs_err *err)
{
	checking k = { .db = db, .public = public, .report = report };
	int64_t count;
	int rc = cs_sql_int(db, "SELECT count(*) FROM checkpoint", 0, &count, err);
	if (rc || (count == 0 && !public))
		return rc;
	if (!public)
		return found(report, -1, "the log has signed checkpoints, but neither %s nor %s is there to check them with: restore them "
			     "from a backup", CS_KEY_FILE, CS_PUBLIC_FILE);
	k.unsigned_first = count - SIGNATURES_MOST;
	rc = check_rows(&k, err);
	sqlite3_finalize(k.event);
	if (rc || report->events - report->signed_seq < CS_CHECKPOINT_EVENTS)
		return rc;
	return found(report, report->signed_seq + 1, "after event %lld there are %lld more, and no signed checkpoint: the checkpoints were "
		     "deleted", (long long)report->signed_seq, (long long)(report->events - report->signed_seq));
}
