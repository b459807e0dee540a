/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "store/anchor.h"
#include "store/checkpoint.h"
#include "store/event_bytes.h"
#include "store/event_types.h"
#include "store/schema.h"
#include "store/sql.h"
#include "store/store.h"
#include "store/verify_impl.h"

static const char cannot[] =
	"Not proven: who owns the disk and the key can write another log, consistent in itself, with its "
	"anchor and its signatures; what was committed after both the anchor and the last signed checkpoint can be "
	"changed, and with that checkpoint cut off; the projections are not compared here (capstan rebuild --check does).";

int cs_verify_found(cs_verifier *v, int64_t seq, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	v->report.first_bad = seq;
	vsnprintf(v->report.finding, sizeof v->report.finding, fmt, ap);
	va_end(ap);
	return CS_EINVAL;
}

/* What each column of an event may hold. A text with a NUL or a number too large would read as
 * something else than what lies there, and the hash would still fit. */
static const struct { const char *name; int type; int64_t max; bool nullable; } columns[] = {
	{ "seq", SQLITE_INTEGER, INT64_MAX, false }, { "at", SQLITE_INTEGER, INT64_MAX, false },
	{ "run", SQLITE_TEXT, CS_ID_LEN, false }, { "task", SQLITE_TEXT, INT32_MAX, true },
	{ "occurrence", SQLITE_INTEGER, INT32_MAX, false }, { "type", SQLITE_TEXT, 64, false },
	{ "actor", SQLITE_TEXT, INT32_MAX, false }, { "cause", SQLITE_INTEGER, INT64_MAX, false },
	{ "simulated", SQLITE_INTEGER, 1, false }, { "data", SQLITE_TEXT, INT32_MAX, false },
	{ "hash", SQLITE_BLOB, CS_HASH_LEN, false },
};

static bool well_formed(sqlite3_stmt *st, int i)
{
	int type = sqlite3_column_type(st, i);
	if (type == SQLITE_NULL)
		return columns[i].nullable;
	if (type != columns[i].type)
		return false;
	if (type == SQLITE_INTEGER)
		return sqlite3_column_int64(st, i) <= columns[i].max && (i == 1 || sqlite3_column_int64(st, i) >= 0);
	int n = sqlite3_column_bytes(st, i);
	if (type == SQLITE_BLOB)
		return n == columns[i].max;
	return n <= columns[i].max && strlen(cs_sql_text(st, i)) == (size_t)n;
}

int cs_verify_columns(cs_verifier *v, sqlite3_stmt *st, int64_t expected)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(columns); i++) {
		if (!well_formed(st, (int)i))
			return cs_verify_found(v, expected, "event %lld: its column %s holds what capstan never writes: the "
				     "row was changed", (long long)expected, columns[i].name);
	}
	return CS_OK;
}

int cs_verify_body_there(cs_verifier *v, int64_t seq, const char *name, const char *hex, cs_err *err)
{
	uint8_t hash[CS_HASH_LEN];
	if (!hex || cs_unhex(hex, hash, sizeof hash))
		return cs_verify_found(v, seq, "event %lld: %s does not name a body", (long long)seq, name);
	int rc = cs_sql_keep(v->db, "SELECT 1 FROM body WHERE hash = ?1", &v->has_body, err);
	if (rc)
		return rc;
	cs_sql_bind(v->has_body, "b", (const void *)hash, sizeof hash);
	int step = sqlite3_step(v->has_body);
	sqlite3_reset(v->has_body);
	if (step == SQLITE_DONE)
		return cs_verify_found(v, seq, "event %lld: the body of %s (%s) is missing: it was deleted", (long long)seq, name, hex);
	return step == SQLITE_ROW ? CS_OK : cs_sql_err(err, v->db, "looking for a body");
}

/* Only rows that may name a body are parsed. */
int cs_verify_named_bodies(cs_verifier *v, const cs_event *ev, const char *data, size_t len, cs_err *err)
{
	bool created = strcmp(ev->type, "run.created") == 0;
	if (!created && !cs_data_may_have_body(data, len))
		return CS_OK;
	CS_AUTOJSON json_t *d = NULL;
	int rc = cs_json_parse(data, len, &d, NULL);
	if (rc)
		return cs_verify_found(v, ev->seq, "event %lld: its data is not JSON", (long long)ev->seq);
	const char *name;
	json_t *value;
	json_object_foreach(d, name, value) {
		size_t n = strlen(name);
		bool definition = created && strcmp(name, "definition") == 0 &&
				  json_string_length(value) == CS_HEX_SIZE - 1;
		if (!definition && (n == 0 || name[n - 1] != '@'))
			continue;
		rc = cs_verify_body_there(v, ev->seq, name, json_string_value(value), err);
		if (rc)
			return rc;
	}
	return CS_OK;
}

int cs_verify_anchored(cs_verifier *v, const cs_event *ev)
{
	if (ev->seq == v->anchor_seq && memcmp(ev->hash, v->anchor_hash, CS_HASH_LEN) != 0)
		return cs_verify_found(v, ev->seq, "event %lld: is not the one that the anchor holds: the log was rewritten up "
			     "to here", (long long)ev->seq);
	return CS_OK;
}

static int check_event(cs_verifier *v, sqlite3_stmt *st, cs_err *err)
{
	int64_t expected = v->report.events + 1;
	uint8_t hash[CS_HASH_LEN];
	cs_event ev;
	int rc = cs_verify_columns(v, st, expected);
	if (rc)
		return rc;
	cs_event_from_row(st, &ev);
	const char *data = cs_sql_text(st, CS_EVENT_DATA_COLUMN);
	size_t len = (size_t)sqlite3_column_bytes(st, CS_EVENT_DATA_COLUMN);
	if (ev.seq != expected)
		return cs_verify_found(v, expected, "event %lld: is missing, %lld follows: it was deleted", (long long)expected,
			     (long long)ev.seq);
	if (cs_event_type_find(ev.type) == CS_EV_COUNT)
		return cs_verify_found(v, ev.seq, "event %lld: its type %.64s is unknown to this version", (long long)ev.seq, ev.type);
	rc = cs_event_hash(v->hasher, v->head, &ev, data, len, &v->bytes, hash);
	if (rc)
		return cs_err_set(err, rc, "event %lld: too large to be one of ours", (long long)ev.seq);
	if (memcmp(hash, ev.hash, sizeof hash) != 0)
		return cs_verify_found(v, ev.seq, "event %lld: does not match its hash: it, or the one before it, was changed",
			     (long long)ev.seq);
	rc = cs_verify_anchored(v, &ev);
	if (!rc)
		rc = cs_verify_named_bodies(v, &ev, data, len, err);
	if (rc)
		return rc;
	memcpy(v->head, hash, sizeof hash);
	v->report.events = ev.seq;
	return CS_OK;
}

typedef int row_fn(cs_verifier *v, sqlite3_stmt *st, cs_err *err);

static int each_row(cs_verifier *v, const char *sql, row_fn *fn, cs_err *err)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(v->db, sql, -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, v->db, "verifying");
	int step, rc = CS_OK;
	while (!rc && (step = sqlite3_step(st)) != SQLITE_DONE)
		rc = step == SQLITE_ROW ? fn(v, st, err) : cs_sql_err(err, v->db, "verifying");
	return rc;
}

static int check_body(cs_verifier *v, sqlite3_stmt *st, cs_err *err)
{
	(void)err;
	uint8_t hash[CS_HASH_LEN];
	char hex[CS_HEX_SIZE] = "?";
	cs_hash(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1), hash);
	bool sized = sqlite3_column_bytes(st, 0) == CS_HASH_LEN;
	if (sized)
		cs_hex(sqlite3_column_blob(st, 0), CS_HASH_LEN, hex);
	if (!sized || memcmp(sqlite3_column_blob(st, 0), hash, sizeof hash) != 0)
		return cs_verify_found(v, -1, "the body %s does not match its hash: it was changed", hex);
	v->report.bodies++;
	return CS_OK;
}

static int check_end(cs_verifier *v)
{
	if (v->report.events >= v->anchor_seq)
		return CS_OK;
	return cs_verify_found(v, v->report.events + 1, "the log ends at event %lld, the anchor holds event %lld: the end was cut "
		     "off, or an older copy was put back", (long long)v->report.events, (long long)v->anchor_seq);
}

static int check_all(cs_verifier *v, cs_err *err)
{
	int rc = cs_sql_run(v->db, "BEGIN", err);
	if (!rc)
		rc = cs_verify_segments(v, err);
	CS_AUTOFREE char *rest = cs_xasprintf("SELECT " CS_EVENT_COLUMNS " FROM event WHERE seq > %lld ORDER BY seq", (long long)v->report.archived);
	if (!rc)
		rc = each_row(v, v->report.archived > 0 ? rest : "SELECT " CS_EVENT_COLUMNS " FROM event ORDER BY seq", check_event, err);
	if (!rc)
		rc = check_end(v);
	if (!rc)
		rc = cs_checkpoints_verify(v->db, v->has_public ? v->public : NULL, &v->report, err);
	if (!rc)
		rc = each_row(v, "SELECT hash, bytes FROM body ORDER BY hash", check_body, err);
	return v->report.finding[0] ? CS_OK : rc;
}

/* Read before the log's state is taken: an anchor is never ahead of what was committed. */
static int take_anchor(cs_verifier *v, const char *dir, cs_err *err)
{
	cs_err why;
	int rc = cs_anchor_read(dir, &v->anchor_seq, v->anchor_hash, &why);
	if (rc == CS_ENOTFOUND)
		return CS_OK;
	if (rc == CS_EINVAL) {
		cs_verify_found(v, -1, "%.500s", why.msg);
		return CS_OK;
	}
	if (rc && err)
		*err = why;
	v->report.anchor_seq = v->anchor_seq;
	return rc;
}

static int take_public(cs_verifier *v, const char *dir, cs_err *err)
{
	cs_err why;
	int rc = cs_signer_public(dir, v->public, &why);
	v->has_public = rc == CS_OK;
	if (v->has_public)
		cs_hex(v->public, sizeof v->public, v->report.signer);
	if (rc == CS_EINVAL)
		cs_verify_found(v, -1, "%.500s", why.msg);
	else if (rc != CS_OK && rc != CS_ENOTFOUND && err)
		*err = why;
	return rc == CS_EINVAL || rc == CS_ENOTFOUND ? CS_OK : rc;
}

int cs_store_verify(const char *dir, cs_verify_report *ret, cs_err *err)
{
	cs_verifier v = { .dir = dir, .report = { .cannot = cannot } };
	int rc = cs_schema_open_reader(dir, &v.db, err);
	if (rc)
		return rc;
	v.hasher = cs_sha256_new();
	cs_buf_init(&v.bytes, CS_EVENT_MAX + 4096);
	rc = take_anchor(&v, dir, err);
	if (!rc && !v.report.finding[0])
		rc = take_public(&v, dir, err);
	if (!rc && !v.report.finding[0])
		rc = check_all(&v, err);
	cs_hex(v.head, sizeof v.head, v.report.head);
	sqlite3_finalize(v.has_body);
	sqlite3_close(v.db);
	cs_sha256_free(v.hasher);
	cs_buf_fini(&v.bytes);
	if (!rc)
		*ret = v.report;
	return rc;
}
