/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sql.h"
#include "store/store_impl.h"

static const char put_sql[] =
	"INSERT INTO snapshot (run, seq, hash, definition, layout, mac, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
	" ON CONFLICT (run) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, definition = excluded.definition,"
	" layout = excluded.layout, mac = excluded.mac, state = excluded.state";

static int done(cs_store *s, int rc, sqlite3_stmt *st, const char *what, cs_err *err)
{
	if (!rc)
		rc = cs_sql_done(st, what, err);
	s->group_failed = rc != CS_OK;
	return rc;
}

int cs_store_put_snapshot(cs_store *s, const cs_snapshot_row *row, cs_err *err)
{
	int rc = cs_store_in_group(s, err);
	if (rc)
		return rc;
	rc = cs_sql_keep(s->db, put_sql, &s->kept[KEEP_SNAPSHOT], err);
	if (!rc)
		cs_sql_bind(s->kept[KEEP_SNAPSHOT], "sisssss", row->run, row->seq, row->hash, row->definition, row->layout, row->mac, row->state);
	return done(s, rc, s->kept[KEEP_SNAPSHOT], "keeping a snapshot", err);
}

int cs_store_drop_snapshot(cs_store *s, const char *run, cs_err *err)
{
	int rc = cs_store_in_group(s, err);
	if (rc)
		return rc;
	rc = cs_sql_keep(s->db, "DELETE FROM snapshot WHERE run = ?1", &s->kept[KEEP_SNAPSHOT_DROP], err);
	if (!rc)
		cs_sql_bind(s->kept[KEEP_SNAPSHOT_DROP], "s", run);
	return done(s, rc, s->kept[KEEP_SNAPSHOT_DROP], "dropping a snapshot", err);
}

int cs_store_event_hash(cs_store *s, int64_t seq, char ret[CS_HEX_SIZE], cs_err *err)
{
	int rc = cs_sql_keep(s->db, "SELECT hash FROM event WHERE seq = ?1", &s->kept[KEEP_EVENT_HASH], err);
	if (rc)
		return rc;
	sqlite3_stmt *st = s->kept[KEEP_EVENT_HASH];
	cs_sql_bind(st, "i", seq);
	int step = sqlite3_step(st);
	if (step == SQLITE_ROW && sqlite3_column_bytes(st, 0) == CS_HASH_LEN)
		cs_hex(sqlite3_column_blob(st, 0), CS_HASH_LEN, ret);
	else if (step == SQLITE_ROW || step == SQLITE_DONE)
		rc = cs_err_set(err, CS_ENOTFOUND, "event %lld is not in the database", (long long)seq);
	else
		rc = cs_sql_err(err, s->db, "reading the hash of an event");
	sqlite3_reset(st);
	return rc;
}
