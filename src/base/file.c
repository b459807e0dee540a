/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_NAMES 100000
/* What is made beside a file until it is whole. */
#define TEMP_WORD ".tmp-"
#define TEMP TEMP_WORD "XXXXXX"
#define TEMP_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static int read_all(int fd, const char *path, cs_buf *out, cs_err *err)
{
	char chunk[16384];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cs_err_sys(err, errno, "cannot read %s", path);
		if (n == 0)
			return 0;
		int r = cs_buf_add(out, chunk, (size_t)n);
		if (r == CS_ETOOBIG)
			return cs_err_set(err, r, "%s is larger than %zu bytes, the most that is read here; make it smaller", path,
					  out->max);
		if (r < 0)
			return cs_err_set(err, r, "no memory to read %s; end some programs and try again", path);
	}
}

int cs_file_read(const char *path, cs_buf *out, cs_err *err)
{
	/* Without O_NONBLOCK the open of a pipe would wait for a writer. */
	CS_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return cs_err_sys(err, errno, "cannot open %s", path);
	struct stat st;
	if (fstat(fd, &st) < 0)
		return cs_err_sys(err, errno, "cannot examine %s", path);
	if (S_ISDIR(st.st_mode))
		return cs_err_set(err, CS_EINVAL, "%s is a folder; name a file in it", path);
	if (!S_ISREG(st.st_mode))
		return cs_err_set(err, CS_EINVAL, "%s is a device, a pipe or a socket; only regular files are read", path);
	return read_all(fd, path, out, err);
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno != EINTR)
			return -1;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return cs_xstrdup(".");
	return cs_xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int cs_file_sync_folder(const char *path, cs_err *err)
{
	CS_AUTOFREE char *folder = folder_of(path);
	CS_AUTOCLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return cs_err_sys(err, errno, "%s is there, but its folder could not be synced", path);
	return 0;
}

int cs_file_write(const char *path, const void *p, size_t n, mode_t mode, cs_err *err)
{
	CS_AUTOFREE char *temp = cs_xasprintf("%s" TEMP, path);
	CS_AUTOCLOSE int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return cs_err_sys(err, errno, "cannot make a file beside %s", path);
	if (write_all(fd, p, n) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temp, path) < 0) {
		int saved = errno;
		unlink(temp);
		return cs_err_sys(err, saved, "cannot write %s; it is as it was", path);
	}
	return cs_file_sync_folder(path, err);
}

/* The name that a temporary file would have been given, malloc'ed; NULL: it is none of cs_file_write's. */
static char *meant_for(const char *name)
{
	size_t n = strlen(name), tail = sizeof TEMP - 1;
	if (n <= tail || strncmp(name + n - tail, TEMP, sizeof TEMP_WORD - 1) != 0)
		return NULL;
	return strspn(name + n - tail + sizeof TEMP_WORD - 1, TEMP_LETTERS) == tail - (sizeof TEMP_WORD - 1) ? cs_xstrndup(name, n - tail) : NULL;
}

void cs_file_sweep(const char *dir, bool (*ours)(const char *base))
{
	struct stat st;
	DIR *d = opendir(dir);
	if (!d)
		return;
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		CS_AUTOFREE char *base = meant_for(e->d_name);
		if (base && ours(base) && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
}

bool cs_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

char *cs_path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);
	return cs_xasprintf("%s%s%s", dir, n > 0 && dir[n - 1] == '/' ? "" : "/", name);
}

static int make_folder(const char *path, mode_t mode, cs_err *err)
{
	struct stat st;
	if (mkdir(path, mode) == 0)
		return cs_file_sync_folder(path, err);
	int saved = errno;
	/* A read-only parent answers EROFS or EACCES also for a folder that is there. */
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		return cs_err_set(err, CS_EINVAL, "%s is a file where a folder is needed; move it away", path);
	}
	return cs_err_sys(err, saved, "cannot make the folder %s", path);
}

int cs_mkdir_p(const char *path, mode_t mode, cs_err *err)
{
	if (!*path)
		return cs_err_set(err, CS_EINVAL, "the name of a folder is empty; give one");
	CS_AUTOFREE char *p = cs_xstrdup(path);
	for (char *s = p + 1; *s; s++) {
		if (*s != '/' || s[-1] == '/')
			continue;
		*s = '\0';
		int r = make_folder(p, mode, err);
		if (r < 0)
			return r;
		*s = '/';
	}
	return make_folder(p, mode, err);
}

static bool wanted(int dirfd, const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);
	struct stat st;
	if (name[0] == '.' || n < m || strcmp(name + n - m, suffix) != 0)
		return false;
	return fstatat(dirfd, name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int gather(DIR *d, const char *dir, const char *suffix, char ***names, size_t *ret_n, cs_err *err)
{
	size_t n = 0, cap = 0;
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(d);
		if (!e && errno)
			return cs_err_sys(err, errno, "cannot list the folder %s", dir);
		if (!e)
			break;
		if (!wanted(dirfd(d), e->d_name, suffix))
			continue;
		if (n == MAX_NAMES)
			return cs_err_set(err, CS_ETOOBIG, "%s holds more than %d files; move some away", dir, MAX_NAMES);
		if (n + 1 >= cap) {
			cap = cap ? cap * 2 : 16;
			*names = cs_xrealloc(*names, cap * sizeof **names);
		}
		(*names)[n++] = cs_xstrdup(e->d_name);
		(*names)[n] = NULL;
	}
	*ret_n = n;
	return 0;
}

int cs_dir_list(const char *dir, const char *suffix, char ***ret, cs_err *err)
{
	CS_CLEANUP(closedirp) DIR *d = opendir(dir);
	if (!d && errno != ENOENT)
		return cs_err_sys(err, errno, "cannot open the folder %s", dir);
	CS_CLEANUP(cs_strv_freep) char **names = cs_xcalloc(1, sizeof *names);
	size_t n = 0;
	int r = d ? gather(d, dir, suffix, &names, &n, err) : 0;
	if (r < 0)
		return r;
	qsort(names, n, sizeof *names, by_name);
	*ret = CS_STEAL(names);
	return 0;
}

void cs_strv_freep(char ***v)
{
	for (char **s = *v; s && *s; s++)
		free(*s);
	free(*v);
	*v = NULL;
}
