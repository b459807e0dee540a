/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The segments of the archive in a backup: one part that has them one after the other, each behind a line
 * "FIRST-LAST SIZE". */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/mem.h"
#include "store/backup_file.h"
#include "store/schema.h"
#include "store/segment.h"

/* No segment is larger, compressed, than what it holds may be. */
enum { SEGMENT_MAX = 512 * 1024 * 1024, LINE_MAX_LEN = 80 };

static int write_out(int fd, const char *path, const void *p, size_t n, cs_err *err)
{
	for (const char *at = p; n > 0;) {
		ssize_t done = write(fd, at, n);
		if (done < 0 && errno != EINTR)
			return cs_err_sys(err, errno, "cannot write %s", path);
		if (done > 0) {
			at += done;
			n -= (size_t)done;
		}
	}
	return CS_OK;
}

static int pack_one(int fd, const char *pack, const char *dir, const cs_segment *s, cs_err *err)
{
	CS_AUTOFREE char *name = cs_segment_name(s);
	CS_AUTOFREE char *path = cs_path_join(dir, name);
	CS_AUTOBUF cs_buf bytes;
	char line[LINE_MAX_LEN];
	cs_buf_init(&bytes, SEGMENT_MAX);
	int rc = cs_file_read(path, &bytes, err);
	if (rc)
		return rc;
	int n = snprintf(line, sizeof line, "%lld-%lld %zu\n", (long long)s->first, (long long)s->last, bytes.len);
	rc = write_out(fd, pack, line, (size_t)n, err);
	return rc ? rc : write_out(fd, pack, bytes.data, bytes.len, err);
}

/* Those that the copied log tells of, and no newer ones. */
static int segments_of(const char *folder, cs_segments *ret, cs_err *err)
{
	sqlite3 *db = NULL;
	int rc = cs_schema_open_reader(folder, &db, err);
	if (!rc)
		rc = cs_segments_load(db, ret, err);
	sqlite3_finalize(CS_STEAL(ret->st));
	sqlite3_close(db);
	return rc;
}

/* So that the copy is checked with its archive. Segments never change. */
static int link_archive(const char *dir, const char *folder, cs_err *err)
{
	CS_AUTOFREE char *archive = cs_path_join(dir, CS_ARCHIVE_DIR);
	CS_AUTOFREE char *real = realpath(archive, NULL);
	CS_AUTOFREE char *link = cs_path_join(folder, CS_ARCHIVE_DIR);
	if (real == NULL || symlink(real, link) != 0)
		return cs_err_sys(err, errno, "cannot reach %s", archive);
	return CS_OK;
}

int cs_backup_link_archive(const char *dir, const char *folder, cs_err *err)
{
	CS_CLEANUP(cs_segments_fini) cs_segments all = { .list = NULL };
	int rc = segments_of(folder, &all, err);
	return rc || all.n == 0 ? rc : link_archive(dir, folder, err);
}

int cs_backup_pack_archive(const char *folder, cs_err *err)
{
	CS_CLEANUP(cs_segments_fini) cs_segments all = { .list = NULL };
	CS_AUTOFREE char *path = cs_path_join(folder, cs_backup_names[CS_BACKUP_ARCHIVE]);
	int rc = segments_of(folder, &all, err);
	if (rc || all.n == 0)
		return rc;
	CS_AUTOCLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cs_err_sys(err, errno, "cannot make %s", path);
	for (size_t i = 0; !rc && i < all.n; i++)
		rc = pack_one(fd, path, folder, &all.list[i], err);
	return rc;
}

/* ---- taking it apart ------------------------------------------------------------------------- */

static int damaged(const char *path, cs_err *err)
{
	return cs_err_set(err, CS_EIO, "%s: is damaged; take another backup", path);
}

/* "FIRST-LAST SIZE". *ret_size -1: the pack ends here. */
static int read_line(FILE *f, const char *path, cs_segment *ret, long long *ret_size, cs_err *err)
{
	char line[LINE_MAX_LEN], rest;
	long long first, last;
	*ret_size = -1;
	if (fgets(line, sizeof line, f) == NULL)
		return ferror(f) ? cs_err_sys(err, errno, "cannot read %s", path) : CS_OK;
	if (sscanf(line, "%18lld-%18lld %12lld%c", &first, &last, ret_size, &rest) != 4 || rest != '\n' || first < 1 || last < first ||
	    *ret_size < 0 || *ret_size > SEGMENT_MAX)
		return damaged(path, err);
	*ret = (cs_segment){ .first = first, .last = last };
	return CS_OK;
}

static int unpack_one(FILE *f, const char *pack, const char *dir, const cs_segment *s, size_t size, cs_err *err)
{
	CS_AUTOFREE char *name = cs_segment_name(s);
	CS_AUTOFREE char *path = cs_path_join(dir, name);
	CS_AUTOFREE char *bytes = malloc(size + 1);
	if (!bytes)
		return cs_err_set(err, CS_ENOMEM, "there is no memory to read %s", pack);
	if (fread(bytes, 1, size, f) != size)
		return damaged(pack, err);
	return cs_file_write(path, bytes, size, 0600, err);
}

static void close_file(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

int cs_backup_unpack_archive(const char *dir, cs_err *err)
{
	CS_AUTOFREE char *path = cs_path_join(dir, cs_backup_names[CS_BACKUP_ARCHIVE]);
	CS_AUTOFREE char *folder = cs_path_join(dir, CS_ARCHIVE_DIR);
	if (!cs_file_exists(path))
		return CS_OK;
	CS_CLEANUP(close_file) FILE *f = fopen(path, "re");
	cs_segment s;
	long long size = 0;
	int rc = f ? cs_mkdir_p(folder, 0700, err) : cs_err_sys(err, errno, "cannot read %s", path);
	while (!rc && size >= 0) {
		rc = read_line(f, path, &s, &size, err);
		if (!rc && size >= 0)
			rc = unpack_one(f, path, dir, &s, (size_t)size, err);
	}
	if (!rc && unlink(path) != 0)
		rc = cs_err_sys(err, errno, "cannot remove %s", path);
	return rc;
}

static bool is_any(const char *base)
{
	return *base != '\0';
}

void cs_backup_drop_archive(const char *dir)
{
	CS_AUTOFREE char *folder = cs_path_join(dir, CS_ARCHIVE_DIR);
	char **names = NULL;
	struct stat st;
	if (lstat(folder, &st) != 0 || unlink(folder) == 0)      /* the link of a copy */
		return;
	if (cs_dir_list(folder, ".zst", &names, NULL) != CS_OK)
		return;
	for (char **n = names; *n; n++) {
		CS_AUTOFREE char *path = cs_path_join(folder, *n);
		(void)unlink(path);
	}
	cs_strv_freep(&names);
	cs_file_sweep(folder, is_any);
	(void)rmdir(folder);
}
