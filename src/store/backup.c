/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/backup.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sqlite3.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/backup_file.h"
#include "store/schema.h"
#include "store/sql.h"

enum { PAGES_AT_ONCE = 512 };
#define FOLDER "backup-"

/* ---- the folder that it is made in --------------------------------------------------------- */

static bool is_part(const char *base)
{
	for (size_t i = 0; i < CS_BACKUP_PARTS; i++)
		if (strcmp(base, cs_backup_names[i]) == 0)
			return true;
	return strcmp(base, "anchor") == 0;
}

void cs_backup_drop(const char *dir)
{
	static const char *const more[] = { CS_STORE_FILE "-wal", CS_STORE_FILE "-shm", CS_STORE_FILE "-journal", "anchor" };
	for (size_t i = 0; i < CS_BACKUP_PARTS + CS_ARRAY_LEN(more); i++) {
		CS_AUTOFREE char *path = cs_path_join(dir, i < CS_BACKUP_PARTS ? cs_backup_names[i] : more[i - CS_BACKUP_PARTS]);
		(void)unlink(path);
	}
	cs_backup_drop_archive(dir);
	cs_file_sweep(dir, is_part);
	(void)rmdir(dir);
}

void cs_backup_sweep(const char *dir)
{
	DIR *d = opendir(dir);
	if (!d)
		return;
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		CS_AUTOFREE char *path = cs_path_join(dir, e->d_name);
		if (strncmp(e->d_name, FOLDER, sizeof FOLDER - 1) != 0)
			continue;
		CS_AUTOCLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			cs_backup_drop(path);
	}
	closedir(d);
}

/* A folder of our own in DIR, 0700, and its lock. */
static int make_folder(const char *dir, char **ret, int *ret_lock, cs_err *err)
{
	cs_backup_sweep(dir);
	char *folder = cs_xasprintf("%s/" FOLDER "XXXXXX", dir);
	if (!mkdtemp(folder)) {
		int rc = cs_err_sys(err, errno, "cannot make a folder in %s", dir);
		free(folder);
		return rc;
	}
	*ret = folder;
	*ret_lock = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_lock < 0 || flock(*ret_lock, LOCK_EX | LOCK_NB) != 0)
		return cs_err_sys(err, errno, "cannot lock %s", folder);
	return CS_OK;
}

static void drop_folder(char **dir)
{
	if (*dir)
		cs_backup_drop(*dir);
	free(*dir);
}

static void drop_file(char **path)
{
	if (*path)
		(void)unlink(*path);
	free(*path);
}

static int copy_small(const char *from, const char *to, const char *name, cs_err *err)
{
	CS_AUTOFREE char *source = cs_path_join(from, name);
	CS_AUTOFREE char *target = cs_path_join(to, name);
	CS_AUTOBUF cs_buf bytes;
	cs_buf_init(&bytes, (size_t)64 << 20);
	if (!cs_file_exists(source))
		return CS_OK;
	int rc = cs_file_read(source, &bytes, err);
	if (rc == CS_OK)
		rc = cs_file_write(target, bytes.data != NULL ? bytes.data : "", bytes.len, 0600, err);
	if (bytes.data != NULL)
		explicit_bzero(bytes.data, bytes.len);
	return rc;
}

/* ---- the database ---------------------------------------------------------------------------- */

/* All pages of what FROM sees: its read transaction keeps that one state until the end. */
static int copy_pages(sqlite3 *from, sqlite3 *to, cs_backup_ear ear, cs_err *err)
{
	int64_t page_size;
	int rc = cs_sql_int(from, "PRAGMA page_size", 4096, &page_size, err);
	if (rc)
		return rc;
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	if (!b)
		return cs_sql_err(err, to, "copying the database");
	int step;
	while ((step = sqlite3_backup_step(b, PAGES_AT_ONCE)) == SQLITE_OK) {
		int64_t total = sqlite3_backup_pagecount(b);
		if (ear.fn)
			ear.fn(ear.ctx, "copy", (total - sqlite3_backup_remaining(b)) * page_size, total * page_size);
	}
	if (sqlite3_backup_finish(b) != SQLITE_OK || step != SQLITE_DONE)
		return cs_sql_err(err, to, "copying the database");
	return CS_OK;
}

static int make_copy(sqlite3 *from, const char *path, cs_backup_ear ear, cs_err *err)
{
	CS_AUTOCLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	sqlite3 *to = NULL;
	if (fd < 0)
		return cs_err_sys(err, errno, "cannot make %s", path);
	int rc = CS_OK;
	if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		rc = to ? cs_sql_err(err, to, path) : cs_err_set(err, CS_ENOMEM, "%s: there is no memory", path);
	if (!rc)   /* nobody but this reads it before it is whole */
		rc = cs_sql_run(to, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF", err);
	if (!rc)
		rc = copy_pages(from, to, ear, err);
	sqlite3_close(to);
	return rc;
}

static int copy_database(const char *dir, const char *folder, cs_backup_ear ear, cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(folder, CS_STORE_FILE);
	sqlite3 *from = NULL;
	int64_t any;
	int rc = cs_schema_open_reader(dir, &from, err);
	if (!rc)
		rc = cs_sql_run(from, "BEGIN", err);
	if (!rc)   /* the transaction begins with its first look */
		rc = cs_sql_int(from, "SELECT count(*) FROM sqlite_schema", 0, &any, err);
	if (!rc)
		rc = make_copy(from, path, ear, err);
	sqlite3_close(from);
	return rc;
}

/* What the copy says of itself, opened as anyone would. */
static int look_into(const char *folder, cs_backup *about, cs_err *err)
{
	sqlite3 *db = NULL;
	int rc = cs_schema_open_reader(folder, &db, err);
	if (!rc)
		rc = cs_sql_int(db, "PRAGMA user_version", 0, &about->format, err);
	if (!rc)
		rc = cs_sql_int(db, "SELECT value FROM meta WHERE name = 'incarnation'", 0, &about->incarnation, err);
	sqlite3_close(db);
	return rc;
}

static int check_copy(const char *folder, cs_backup_ear ear, cs_backup *about, cs_err *err)
{
	cs_verify_report v = { 0 };
	if (ear.fn)
		ear.fn(ear.ctx, "check", 0, 1);
	int rc = cs_store_verify(folder, &v, err);
	if (rc)
		return rc;
	if (v.finding[0])
		return cs_err_set(err, CS_EREFUSED, "the log is not clean, and a backup would only keep that: %s; run capstan verify, and restore an "
				  "earlier backup", v.finding);
	about->events = v.events;
	memcpy(about->head, v.head, sizeof about->head);
	if (ear.fn)
		ear.fn(ear.ctx, "check", 1, 1);
	return look_into(folder, about, err);
}

/* ---- the file --------------------------------------------------------------------------------- */

static int refuse_taken(const char *file, cs_err *err)
{
	return cs_err_set(err, CS_EREFUSED, "%s: is there already, and a backup overwrites nothing; choose another name", file);
}

/* Gives TEMP its name, never over another file. Not every file system can do that in one way. */
static int give_name(const char *temp, const char *file, cs_err *err)
{
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, file, RENAME_NOREPLACE) == 0)
		return CS_OK;
	if (errno != EEXIST && link(temp, file) == 0) {
		(void)unlink(temp);
		return CS_OK;
	}
	return errno == EEXIST ? refuse_taken(file, err) : cs_err_sys(err, errno, "cannot make %s", file);
}

static int write_file(const char *folder, const char *file, cs_backup_contents *c, cs_backup_ear ear, cs_err *err)
{
	CS_CLEANUP(drop_file) char *temp = cs_xasprintf("%s.part-XXXXXX", file);
	CS_AUTOCLOSE int fd = mkostemp(temp, O_CLOEXEC);         /* 0600 */
	cs_backup_contents read_back;
	if (fd < 0) {
		cs_freep(&temp);
		return cs_err_sys(err, errno, "cannot make a file beside %s", file);
	}
	int rc = cs_backup_put(fd, folder, c, ear, err);
	if (rc == CS_OK && lseek(fd, 0, SEEK_SET) != 0)
		rc = cs_err_sys(err, errno, "cannot read %s", temp);
	if (rc == CS_OK)
		rc = cs_backup_read_head(fd, file, &read_back, err);
	if (rc == CS_OK)
		rc = cs_backup_get(fd, file, &read_back, NULL, ear, err);
	if (rc == CS_OK)
		rc = give_name(temp, file, err);
	return rc == CS_OK ? cs_file_sync_folder(file, err) : rc;
}

static int measure_parts(const char *folder, cs_backup_contents *c, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; rc == CS_OK && i < CS_BACKUP_PARTS; i++) {
		CS_AUTOFREE char *path = cs_path_join(folder, cs_backup_names[i]);
		rc = cs_backup_measure(path, &c->part[i], err);
	}
	c->about.key = c->part[CS_BACKUP_KEY].there;
	c->about.vault = c->part[CS_BACKUP_VAULT].there;
	return rc;
}

/* The files first: what the log says of the key was true before the log was read. */
static int copy_files(const char *dir, const char *folder, bool with_key, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = CS_BACKUP_KEY; rc == CS_OK && i < CS_BACKUP_ARCHIVE; i++)
		if (i != CS_BACKUP_KEY || with_key)
			rc = copy_small(dir, folder, cs_backup_names[i], err);
	return rc;
}

int cs_backup_write(const char *dir, const char *file, bool with_key, cs_backup_ear ear, cs_backup *ret, cs_err *err)
{
	struct stat st;
	cs_backup_contents c = { .about.at = cs_clock_wall_ms() };
	if (lstat(file, &st) == 0)
		return refuse_taken(file, err);
	CS_AUTOCLOSE int lock = -1;
	CS_CLEANUP(drop_folder) char *folder = NULL;
	int rc = make_folder(dir, &folder, &lock, err);
	if (!rc)
		rc = copy_files(dir, folder, with_key, err);
	if (!rc)
		rc = copy_database(dir, folder, ear, err);
	if (!rc)
		rc = cs_backup_link_archive(dir, folder, err);
	if (!rc)
		rc = check_copy(folder, ear, &c.about, err);
	if (!rc)
		rc = cs_backup_pack_archive(folder, err);
	if (!rc)
		rc = measure_parts(folder, &c, err);
	if (!rc)
		rc = write_file(folder, file, &c, ear, err);
	if (!rc)
		*ret = c.about;
	return rc;
}

/* ---- taking it apart --------------------------------------------------------------------------- */

static int open_backup(const char *file, int *ret_fd, cs_backup_contents *ret, cs_err *err)
{
	CS_AUTOCLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return cs_err_sys(err, errno, "cannot open %s", file);
	int rc = cs_backup_read_head(fd, file, ret, err);
	if (rc)
		return rc;
	*ret_fd = fd;
	fd = -1;
	return CS_OK;
}

int cs_backup_look(const char *file, cs_backup *ret, cs_err *err)
{
	CS_AUTOCLOSE int fd = -1;
	cs_backup_contents c;
	int rc = open_backup(file, &fd, &c, err);
	if (!rc)
		*ret = c.about;
	return rc;
}

int cs_backup_unpack(const char *file, const char *dir, cs_backup_ear ear, cs_backup *ret, cs_err *err)
{
	CS_AUTOCLOSE int fd = -1;
	cs_backup_contents c;
	int rc = open_backup(file, &fd, &c, err);
	if (rc)
		return rc;
	if (mkdir(dir, 0700) != 0)
		return cs_err_sys(err, errno, "cannot make the folder %s", dir);
	rc = cs_backup_get(fd, file, &c, dir, ear, err);
	if (rc == CS_OK)
		rc = cs_backup_unpack_archive(dir, err);
	if (rc == CS_OK)
		*ret = c.about;
	else
		cs_backup_drop(dir);
	return rc;
}
