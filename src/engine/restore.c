/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "engine/incarnation.h"
#include "store/checkpoint.h"

#define RESTORING ".capstan.restoring"
#define ASIDE ".capstan.before-restore"

static void close_store(cs_store **s)
{
	cs_store_close(*s);
}

static void close_reader(cs_reader **r)
{
	cs_reader_close(*r);
}

/* A key that fits no signature is seen when the log is opened with it. */
static int bring_key(const char *key, const char *dir, cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(dir, CS_KEY_FILE);
	CS_AUTOBUF cs_buf bytes;
	cs_buf_init(&bytes, 4096);
	if (cs_file_exists(path))
		return CS_OK;
	if (key == NULL)
		return cs_err_set(err, CS_EREFUSED, "the backup was made without the workspace's key, and nothing goes on without it; give the file "
				  "that has it with --key-file");
	int rc = cs_file_read(key, &bytes, err);
	if (rc == CS_OK)
		rc = cs_file_write(path, bytes.data != NULL ? bytes.data : "", bytes.len, 0600, err);
	if (bytes.data != NULL)
		explicit_bzero(bytes.data, bytes.len);
	return rc;
}

/* An older format is brought up to date by opening it to write; then all of it is looked at. */
static int check_log(const char *dir, const cs_backup *b, cs_err *err)
{
	cs_store *s = NULL;
	cs_verify_report v = { 0 };
	int rc = cs_store_open(dir, false, &s, err);
	cs_store_close(s);
	if (rc == CS_OK)
		rc = cs_store_verify(dir, &v, err);
	if (rc != CS_OK)
		return rc;
	if (v.finding[0])
		return cs_err_set(err, CS_EIO, "the log in the backup is not clean: %s; take another backup", v.finding);
	if (v.events != b->events || strcmp(v.head, b->head) != 0)
		return cs_err_set(err, CS_EIO, "the log in the backup ends at event %lld, its beginning tells of %lld; take another backup",
				  (long long)v.events, (long long)b->events);
	return CS_OK;
}

static int read_facts(const char *dir, int64_t *ret_since, int64_t *ret_open, cs_err *err)
{
	CS_CLEANUP(close_reader) cs_reader *r = NULL;
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_open(dir, &r, err);
	if (rc == CS_OK)
		rc = cs_reader_query(r, "SELECT (SELECT at FROM event ORDER BY seq DESC LIMIT 1) AS at, (SELECT count(*) FROM run WHERE ended IS NULL) AS n",
				     NULL, &rows, err);
	if (rc != CS_OK)
		return rc;
	*ret_since = cs_json_int_or(json_array_get(rows, 0), "at", 0);
	*ret_open = cs_json_int_or(json_array_get(rows, 0), "n", 0);
	return CS_OK;
}

static int begin_anew(const char *dir, const cs_incarnation_order *o, cs_err *err)
{
	CS_CLEANUP(close_store) cs_store *s = NULL;
	char place[CS_HEX_SIZE];
	int64_t epoch;
	int rc = cs_store_open(dir, false, &s, err);
	if (rc == CS_OK)
		rc = cs_store_claim_epoch(s, &epoch, err);
	if (rc == CS_OK)
		rc = cs_store_begin(s, err);
	if (rc == CS_OK)
		rc = cs_incarnation_place(dir, place, err);
	if (rc == CS_OK)
		rc = cs_incarnation_begin(s, place, o, err);
	if (rc == CS_OK)
		rc = cs_store_commit(s, err);
	if (rc == CS_OK)
		rc = cs_store_anchor(s, err);
	return rc == CS_OK ? cs_store_settle(s, err) : rc;
}

static int make_state(const char *file, const char *dir, const char *key, const char *actor, cs_restored *r, cs_err *err)
{
	cs_idgen ids = { 0 };
	cs_incarnation_order o = { .why = "restored", .actor = actor, .file = file, .at = cs_clock_wall_ms() };
	cs_verify_report v = { 0 };
	int rc = bring_key(key, dir, err);
	if (rc == CS_OK)
		rc = check_log(dir, &r->backup, err);
	if (rc == CS_OK)
		rc = read_facts(dir, &o.since, &r->open, err);
	if (rc != CS_OK)
		return rc;
	if (o.at < o.since)                  /* a clock set back dates nothing before what is in the log */
		o.at = o.since;
	cs_id_next(&ids, o.at, o.item);
	cs_time_format(o.since, r->since);
	r->incarnation = r->backup.incarnation + 1;
	rc = begin_anew(dir, &o, err);
	if (rc == CS_OK)
		rc = cs_store_verify(dir, &v, err);
	if (rc == CS_OK && v.finding[0])
		return cs_err_set(err, CS_EIO, "what was restored is not clean: %s", v.finding);
	return rc;
}

/* A folder that init made, without a database, makes room. */
static int make_room(const char *dir, const char *state, cs_err *err)
{
	CS_AUTOFREE char *aside = cs_path_join(dir, ASIDE);
	CS_AUTOFREE char *database = cs_path_join(state, "capstan.db");
	if (cs_file_exists(database))
		return cs_err_set(err, CS_EREFUSED, "%s: there is a database already, and restore overwrites nothing; move %s away, or name another folder",
				  database, state);
	if (cs_file_exists(state) && rename(state, aside) != 0)
		return cs_err_sys(err, errno, "cannot move %s away", state);
	return CS_OK;
}

static int put_in_place(const char *dir, const char *made, const char *state, cs_err *err)
{
	int rc = make_room(dir, state, err);
	if (rc == CS_OK && rename(made, state) != 0)
		rc = cs_err_sys(err, errno, "cannot make %s", state);
	return rc == CS_OK ? cs_file_sync_folder(state, err) : rc;
}

int cs_restore(const char *file, const char *dir, const char *key, const char *actor, cs_backup_ear ear, cs_restored *ret, cs_err *err)
{
	CS_AUTOFREE char *state = cs_path_join(dir, CS_STATE_DIR);
	CS_AUTOFREE char *made = cs_path_join(dir, RESTORING);
	CS_AUTOFREE char *database = cs_path_join(state, "capstan.db");
	cs_restored r = { 0 };
	int rc = cs_backup_look(file, &r.backup, err);
	if (rc != CS_OK)
		return rc;
	if (cs_file_exists(database))
		return make_room(dir, state, err);
	rc = cs_mkdir_p(dir, 0700, err);
	if (rc == CS_OK) {
		cs_backup_drop(made);        /* of a restore that was cut off */
		rc = cs_backup_unpack(file, made, ear, &r.backup, err);
	}
	if (rc != CS_OK)
		return rc;
	rc = make_state(file, made, key, actor, &r, err);
	if (rc == CS_OK)
		rc = put_in_place(dir, made, state, err);
	if (rc != CS_OK)
		cs_backup_drop(made);
	else
		*ret = r;
	return rc;
}
