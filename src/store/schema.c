/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/file.h"
#include "base/mem.h"
#include "store/projection.h"
#include "store/sql.h"
#include "store/store.h"

/* The log and what it points to. The index on run ends in the rowid, so it is (run, seq). */
static const char log_ddl[] =
	"CREATE TABLE event ("
	" seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, run TEXT NOT NULL, task TEXT,"
	" occurrence INTEGER NOT NULL, type TEXT NOT NULL, actor TEXT NOT NULL,"
	" cause INTEGER NOT NULL, simulated INTEGER NOT NULL, data TEXT NOT NULL,"
	" hash BLOB NOT NULL) STRICT;"
	"CREATE INDEX event_run ON event(run);"
	"CREATE TABLE body (hash BLOB NOT NULL PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

const cs_table cs_schema_projections[] = {
	{ "run",
	  "(id TEXT NOT NULL PRIMARY KEY, flow TEXT, name TEXT, version TEXT, definition TEXT,"
	  " kind TEXT NOT NULL, state TEXT NOT NULL, started INTEGER, ended INTEGER,"
	  " updated INTEGER NOT NULL, parent TEXT, origin TEXT, subject TEXT, title TEXT, key TEXT,"
	  " simulated INTEGER NOT NULL, cost INTEGER NOT NULL, created INTEGER NOT NULL,"
	  " created_seq INTEGER NOT NULL, input_seq INTEGER, end_seq INTEGER,"
	  " last_seq INTEGER NOT NULL, error_title TEXT, imported INTEGER) STRICT, WITHOUT ROWID", "id", 1 },
	{ "task",
	  "(run TEXT NOT NULL, ref TEXT NOT NULL, occurrence INTEGER NOT NULL, state TEXT NOT NULL,"
	  " started INTEGER, ended INTEGER, seq INTEGER NOT NULL, attempts INTEGER NOT NULL,"
	  " cost INTEGER NOT NULL, PRIMARY KEY (run, ref, occurrence)) STRICT, WITHOUT ROWID",
	  "run, ref, occurrence", 3 },
	{ "attempt",
	  "(key TEXT NOT NULL, n INTEGER NOT NULL, run TEXT NOT NULL, task TEXT,"
	  " occurrence INTEGER NOT NULL, call TEXT, connector TEXT, class TEXT, digest TEXT,"
	  " state TEXT NOT NULL, epoch INTEGER, deadline INTEGER, due INTEGER, started INTEGER NOT NULL,"
	  " ended INTEGER, seq INTEGER NOT NULL, approval TEXT, simulated INTEGER NOT NULL,"
	  " cost INTEGER NOT NULL, PRIMARY KEY (key, n, run)) STRICT, WITHOUT ROWID",
	  "key, n, run", 3 },
	{ "item",
	  "(id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, run TEXT NOT NULL,"
	  " task TEXT, occurrence INTEGER NOT NULL, state TEXT NOT NULL, digest TEXT,"
	  " created INTEGER NOT NULL, expires INTEGER, grace INTEGER, grace_until INTEGER,"
	  " snoozed_until INTEGER, delegated_to TEXT, decided_by TEXT, note TEXT, next TEXT,"
	  " published_seq INTEGER NOT NULL, decided_seq INTEGER, simulated INTEGER NOT NULL,"
	  " confirm TEXT, previous TEXT, successor TEXT, call TEXT,"
	  " level INTEGER NOT NULL DEFAULT 0, reminded INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID", "id", 1 },
	{ "timer",
	  "(id TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, due INTEGER NOT NULL, state TEXT NOT NULL,"
	  " what TEXT, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID", "id", 1 },
	{ "start_key",
	  "(key TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, digest TEXT) STRICT, WITHOUT ROWID",
	  "key", 1 },
	{ "event_seen",
	  "(source TEXT NOT NULL, id TEXT NOT NULL, simulated INTEGER NOT NULL, seq INTEGER NOT NULL,"
	  " PRIMARY KEY (source, id, simulated)) STRICT, WITHOUT ROWID", "source, id, simulated", 3 },
	{ "start_event",
	  "(seq INTEGER NOT NULL PRIMARY KEY, starter TEXT NOT NULL, consumed INTEGER, gathering INTEGER) STRICT",
	  "seq", 1 },
	{ "start_once",
	  "(value TEXT NOT NULL, simulated INTEGER NOT NULL, run TEXT NOT NULL, seq INTEGER NOT NULL,"
	  " PRIMARY KEY (value, simulated)) STRICT, WITHOUT ROWID", "value, simulated", 2 },
	{ "once_key",
	  "(key TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, run TEXT NOT NULL, task TEXT, attempt TEXT NOT NULL,"
	  " digest TEXT, n INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID", "key", 1 },
	{ "breaker",
	  "(connector TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, failures TEXT, until INTEGER,"
	  " trips INTEGER NOT NULL, item TEXT, error TEXT, seq INTEGER NOT NULL,"
	  " PRIMARY KEY (connector, target)) STRICT, WITHOUT ROWID", "connector, target", 2 },
	{ "setting",
	  "(name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID", "name", 1 },
	{ NULL, NULL, NULL, 0 },
};

/* Partial, so that what has ended costs nothing to find what has not. */
static const char projection_indexes[] =
	"CREATE INDEX run_open ON run(state) WHERE ended IS NULL;"
	"CREATE INDEX run_parent ON run(parent) WHERE parent IS NOT NULL;"
	"CREATE INDEX attempt_open ON attempt(state) WHERE ended IS NULL;"
	"CREATE INDEX attempt_run ON attempt(run, seq);"
	"CREATE INDEX attempt_sent ON attempt(connector, started) WHERE connector IS NOT NULL AND simulated = 0;"
	"CREATE INDEX item_open ON item(created)"
	" WHERE state IN ('proposed','pending','approved','rejected','answered','open');"
	"CREATE INDEX item_run ON item(run);"
	"CREATE INDEX timer_armed ON timer(due) WHERE state = 'armed';";

/* FUSE is not in the table: nothing tells an encrypted home from a remote one there. */
static const struct { long magic; const char *name; } network_fs[] = {
	{ 0x6969, "NFS" }, { 0x517b, "SMB" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB2" },
	{ 0x5346414f, "AFS" }, { 0x6b414653, "AFS" }, { 0x73757245, "Coda" }, { 0x564c, "NCP" },
	{ 0x01021997, "9P" }, { 0x00c36400, "Ceph" }, { 0x0bd00bd0, "Lustre" },
	{ 0x01161970, "GFS2" }, { 0x7461636f, "OCFS2" }, { 0x47504653, "GPFS" },
};

const char *cs_schema_network_fs(long magic)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(network_fs); i++) {
		if (network_fs[i].magic == magic)
			return network_fs[i].name;
	}
	return NULL;
}

static int check_file_system(const char *dir, cs_err *err)
{
	struct statfs fs;
	if (statfs(dir, &fs) != 0)
		return cs_err_sys(err, errno, "%s", dir);
	const char *name = cs_schema_network_fs((long)fs.f_type);
	if (name)
		return cs_err_set(err, CS_EREFUSED, "%s: lies on a network file system (%s), where a lock "
				  "does not keep another machine out; put the workspace on a local disk", dir, name);
	return CS_OK;
}

int cs_schema_make_projections(sqlite3 *db, cs_err *err)
{
	for (const cs_table *t = cs_schema_projections; t->name; t++) {
		CS_AUTOFREE char *sql = cs_xasprintf("CREATE TABLE %s %s", t->name, t->ddl);
		int rc = cs_sql_run(db, sql, err);
		if (rc)
			return rc;
	}
	return cs_sql_run(db, projection_indexes, err);
}

int cs_schema_harden(sqlite3 *db, cs_err *err)
{
	static const struct { int op, value; } configs[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(configs); i++) {
		if (sqlite3_db_config(db, configs[i].op, configs[i].value, (int *)NULL) != SQLITE_OK)
			return cs_sql_err(err, db, "setting up the database");
	}
	return cs_sql_run(db, "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
			      "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0", err);
}

/* Steps from version i to i+1. */
static int make_version_1(sqlite3 *db, cs_err *err)
{
	int rc = cs_sql_run(db, log_ddl, err);
	return rc ? rc : cs_schema_make_projections(db, err);
}

/* A projection that an older database lacks; a new one has it by the first step already. */
static int make_table(sqlite3 *db, const char *name, bool *ret_made, cs_err *err)
{
	int64_t there;
	CS_AUTOFREE char *look = cs_xasprintf("SELECT count(*) FROM sqlite_schema WHERE name = '%s'", name);
	int rc = cs_sql_int(db, look, 0, &there, err);
	*ret_made = !rc && there == 0;
	for (const cs_table *t = cs_schema_projections; !rc && there == 0 && t->name; t++) {
		CS_AUTOFREE char *sql = cs_xasprintf("CREATE TABLE %s %s", t->name, t->ddl);
		if (strcmp(t->name, name) == 0)
			rc = cs_sql_run(db, sql, err);
	}
	return rc;
}

/* It gets what the log says. */
static int make_version_2(sqlite3 *db, cs_err *err)
{
	bool made;
	int rc = make_table(db, "event_seen", &made, err);
	if (rc || !made)
		return rc;
	cs_fold *f = cs_fold_new(db);
	rc = cs_fold_log(db, NULL, f, "event.emitted", err);
	cs_fold_free(f);
	return rc;
}

/* An older log has no start.* events: the tables begin empty. */
static int make_version_3(sqlite3 *db, cs_err *err)
{
	bool made;
	int rc = make_table(db, "start_event", &made, err);
	return rc ? rc : make_table(db, "start_once", &made, err);
}

/* Before there were escalations and reminders there were none. */
static int make_version_4(sqlite3 *db, cs_err *err)
{
	int64_t there;
	int rc = cs_sql_int(db, "SELECT count(*) FROM pragma_table_info('item') WHERE name = 'level'", 0, &there, err);
	if (rc || there > 0)
		return rc;
	return cs_sql_run(db, "ALTER TABLE item ADD COLUMN level INTEGER NOT NULL DEFAULT 0;"
			      "ALTER TABLE item ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0", err);
}

/* What an older log holds is signed for by its first checkpoint, as it stands then. */
static int make_version_5(sqlite3 *db, cs_err *err)
{
	return cs_sql_run(db, "CREATE TABLE checkpoint (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, previous INTEGER NOT NULL,"
			      " incarnation INTEGER NOT NULL, hash BLOB NOT NULL, link BLOB NOT NULL,"
			      " signature BLOB NOT NULL) STRICT", err);
}

/* Before there were imports nothing was imported. */
static int make_version_6(sqlite3 *db, cs_err *err)
{
	int64_t there;
	int rc = cs_sql_int(db, "SELECT count(*) FROM pragma_table_info('run') WHERE name = 'imported'", 0, &there, err);
	return rc || there > 0 ? rc : cs_sql_run(db, "ALTER TABLE run ADD COLUMN imported INTEGER", err);
}

/* Before there were business keys no event named one: the table begins empty. */
static int make_version_7(sqlite3 *db, cs_err *err)
{
	bool made;
	return make_table(db, "once_key", &made, err);
}

/* An older log has no breaker.* events: what failed before is forgotten, and all are closed. */
static int make_version_8(sqlite3 *db, cs_err *err)
{
	bool made;
	int rc = make_table(db, "breaker", &made, err);
	return rc ? rc : cs_sql_run(db, "CREATE INDEX IF NOT EXISTS attempt_sent ON attempt(connector, started)"
					" WHERE connector IS NOT NULL AND simulated = 0", err);
}

/* What is archived is found without a look at every event. */
static int make_version_9(sqlite3 *db, cs_err *err)
{
	return cs_sql_run(db, "CREATE INDEX IF NOT EXISTS event_archived ON event(seq) WHERE type = 'log.archived'", err);
}

/* It only saves time: where it is gone it is made again, empty. */
static const char snapshot_ddl[] =
	"CREATE TABLE IF NOT EXISTS snapshot (run TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL,"
	" definition TEXT NOT NULL, layout TEXT NOT NULL, mac TEXT NOT NULL, state TEXT NOT NULL) STRICT";

/* Runs of an older log have none: they are folded from their first event. */
static int make_version_10(sqlite3 *db, cs_err *err)
{
	return cs_sql_run(db, snapshot_ddl, err);
}

static int (*const migrations[CS_STORE_VERSION])(sqlite3 *db, cs_err *err) = {
	make_version_1, make_version_2, make_version_3, make_version_4, make_version_5, make_version_6, make_version_7, make_version_8,
	make_version_9, make_version_10,
};

/* A file without a table and with neither number is one that was just made. */
static int check_identity(sqlite3 *db, const char *dir, int64_t *ret_version, cs_err *err)
{
	int64_t id, version, tables;
	int rc = cs_sql_int(db, "PRAGMA application_id", 0, &id, err);
	if (!rc)
		rc = cs_sql_int(db, "PRAGMA user_version", 0, &version, err);
	if (!rc)
		rc = cs_sql_int(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, err);
	if (rc)
		return rc;
	if (id != CS_STORE_APPLICATION_ID && (id != 0 || version != 0 || tables != 0))
		return cs_err_set(err, CS_EINVAL, "%s/%s: is not a database of capstan; move it away",
				  dir, CS_STORE_FILE);
	if (version > CS_STORE_VERSION)
		return cs_err_set(err, CS_EUNSUPPORTED, "%s/%s: was written by a newer capstan (format %lld, "
				  "this one knows %d); update capstan", dir, CS_STORE_FILE,
				  (long long)version, CS_STORE_VERSION);
	*ret_version = version;
	return CS_OK;
}

static int migrate(sqlite3 *db, const char *dir, cs_err *err)
{
	int64_t version;
	int rc = check_identity(db, dir, &version, err);
	if (rc || version == CS_STORE_VERSION)
		return rc;
	rc = cs_sql_run(db, "BEGIN IMMEDIATE", err);
	if (!rc)
		rc = check_identity(db, dir, &version, err);
	for (; !rc && version < CS_STORE_VERSION; version++)
		rc = migrations[version](db, err);
	if (!rc) {
		CS_AUTOFREE char *sql = cs_xasprintf("PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
						     CS_STORE_APPLICATION_ID, CS_STORE_VERSION);
		rc = cs_sql_run(db, sql, err);
	}
	if (rc)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* SQLite gives the WAL and its index the mode of the database, so that mode must be right
 * before the first open. The file is made here, never opened again: closing any descriptor of
 * it would drop the locks of this process. */
static int make_file(const char *dir, const char *path, bool create, cs_err *err)
{
	struct stat st;
	if (lstat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			return cs_err_set(err, CS_EINVAL, "%s: is not a regular file; move it away", path);
		if ((st.st_mode & 077) && chmod(path, 0600) != 0)
			return cs_err_sys(err, errno, "%s: taking away the access of others", path);
		return CS_OK;
	}
	if (errno != ENOENT)
		return cs_err_sys(err, errno, "%s", path);
	if (!create)
		return cs_err_set(err, CS_ENOTFOUND, "%s: there is no database yet; run capstan init", path);
	/* Whoever made the folder may have died before its parent was synced. */
	int rc = cs_file_sync_folder(dir, err);
	if (rc)
		return rc;
	CS_AUTOCLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cs_err_sys(err, errno, "%s: making the database", path);
	return CS_OK;
}

static int make_folder(const char *dir, bool create, cs_err *err)
{
	struct stat st;
	if (create) {
		int rc = cs_mkdir_p(dir, 0700, err);
		if (rc)
			return rc;
	}
	if (stat(dir, &st) != 0) {
		if (errno == ENOENT)
			return cs_err_set(err, CS_ENOTFOUND, "%s: there is no such folder; run capstan init", dir);
		return cs_err_sys(err, errno, "%s", dir);
	}
	if ((st.st_mode & 077) && chmod(dir, 0700) != 0)
		return cs_err_sys(err, errno, "%s: taking away the access of others", dir);
	return check_file_system(dir, err);
}

/* SQLite's own count of its memory takes a lock on each allocation; nobody here asks for it. In
 * a process that has used SQLite already this changes nothing. */
static void set_up_library(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int open_file(const char *path, int flags, sqlite3 **ret, cs_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	sqlite3 *db = NULL;
	pthread_once(&once, set_up_library);
	if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		int rc = db ? cs_sql_err(err, db, path) : cs_err_set(err, CS_ENOMEM, "%s: there is no memory", path);
		sqlite3_close(db);
		return rc;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, 5000);
	*ret = db;
	return CS_OK;
}

/* Whatever stands there: a first look says so under the file's name. */
static int look_into(sqlite3 *db, const char *dir, cs_err *err)
{
	int rc = cs_schema_harden(db, err);
	if (rc || sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK)
		return rc;
	CS_AUTOFREE char *path = cs_path_join(dir, CS_STORE_FILE);
	return cs_sql_err(err, db, path);
}

static int set_up_writer(sqlite3 *db, const char *dir, cs_err *err)
{
	int64_t version;
	int rc = look_into(db, dir, err);
	if (!rc)   /* before the first pragma that changes the file */
		rc = check_identity(db, dir, &version, err);
	if (!rc)
		rc = cs_sql_run(db, "PRAGMA page_size=8192; PRAGMA temp_store=MEMORY; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
				    "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-8192", err);
	if (!rc)
		rc = migrate(db, dir, err);
	return rc ? rc : cs_sql_run(db, snapshot_ddl, err);
}

int cs_schema_open_writer(const char *dir, bool create, sqlite3 **ret, cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(dir, CS_STORE_FILE);
	int rc = make_folder(dir, create, err);
	if (!rc)
		rc = make_file(dir, path, create, err);
	if (rc)
		return rc;
	sqlite3 *db = NULL;
	rc = open_file(path, SQLITE_OPEN_READWRITE, &db, err);
	if (rc)
		return rc;
	rc = set_up_writer(db, dir, err);
	if (rc) {
		sqlite3_close(db);
		return rc;
	}
	*ret = db;
	return CS_OK;
}

int cs_store_format(const char *dir, int64_t *ret, cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(dir, CS_STORE_FILE);
	sqlite3 *db = NULL;
	int rc = check_file_system(dir, err);
	if (!rc)
		rc = open_file(path, SQLITE_OPEN_READONLY, &db, err);
	if (rc)
		return rc;
	if (sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL) != SQLITE_OK)
		rc = cs_sql_err(err, db, path);
	if (!rc)
		rc = look_into(db, dir, err);
	if (!rc)
		rc = check_identity(db, dir, ret, err);
	sqlite3_close(db);
	return rc;
}

/* Read-only on the database, yet able to make the WAL's index again after a writer died: that
 * lies in the -shm file, which SQLite opens for writing whatever the mode of the connection. */
static int set_up_reader(sqlite3 *db, const char *dir, cs_err *err)
{
	int64_t version;
	if (sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL) != SQLITE_OK)
		return cs_sql_err(err, db, "setting up the database");
	int rc = look_into(db, dir, err);
	if (!rc)
		rc = cs_sql_run(db, "PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY", err);
	if (!rc)
		rc = check_identity(db, dir, &version, err);
	if (!rc && version < CS_STORE_VERSION)
		rc = cs_err_set(err, CS_EUNAVAIL, "%s/%s: is of an older format (%lld); start the engine once, "
				"which brings it up to date", dir, CS_STORE_FILE, (long long)version);
	return rc;
}

int cs_schema_open_reader(const char *dir, sqlite3 **ret, cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(dir, CS_STORE_FILE);
	struct stat st;
	if (stat(path, &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return cs_err_set(err, CS_ENOTFOUND, "%s: there is no database yet; run capstan init", path);
		return cs_err_sys(err, errno, "%s", path);
	}
	sqlite3 *db = NULL;
	int rc = check_file_system(dir, err);
	if (!rc)
		rc = open_file(path, SQLITE_OPEN_READONLY, &db, err);
	if (rc)
		return rc;
	rc = set_up_reader(db, dir, err);
	if (rc) {
		sqlite3_close(db);
		return rc;
	}
	*ret = db;
	return CS_OK;
}

int cs_schema_open_scratch(sqlite3 **ret, cs_err *err)
{
	if (sqlite3_open("", ret) != SQLITE_OK)
		return cs_err_set(err, CS_EUNAVAIL, "no scratch database can be made; is there room in the folder for temporary files?");
	int rc = cs_schema_harden(*ret, err);
	if (!rc)
		rc = cs_sql_run(*ret, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384", err);
	if (!rc)
		rc = cs_schema_make_projections(*ret, err);
	return rc ? rc : cs_sql_run(*ret, "BEGIN", err);
}
