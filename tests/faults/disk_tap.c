/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stands before the C library's functions of these names, for this program and for the libraries that
 * it is linked with, SQLite among them; each ends in the system call itself. */
#undef _FORTIFY_SOURCE
#include "tests/faults/disk_tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096, NOT_OURS = 0, THE_FOLDER = -1, THE_PARENT = -2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool on;
static bool same_disk;               /* from the first tap_begin on */
static char folder[256];
static size_t folder_len;
static disk_tape *tape;
static int count[TAP_WAYS];
static struct { tap_way way; int left, more; bool armed, hit, full; } plan;
/* Which file a descriptor is of, from 1 on; read without the lock, as its owner alone uses it. */
static _Atomic int owners[DESCRIPTORS];
static struct { char name[TAPE_NAME]; int file; } names[TAPE_FILES];
static size_t n_names;

static const char *name_of(const char *path);
static int raw_open(const char *path, int flags, mode_t mode);

/* ---- the tape ------------------------------------------------------------------------------------------------ */

static void put(tape_kind kind, int file, int64_t at, const char *name, const void *bytes, size_t n)
{
	tape_op op = { .kind = kind, .file = file, .at = at };
	if (tape == NULL)
		return;
	if (name != NULL)
		snprintf(op.name, sizeof op.name, "%s", name);
	tape_add(tape, &op, bytes, n);
}

static int find(const char *name)
{
	for (size_t i = 0; i < n_names; i++)
		if (strcmp(names[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* The file of this name; made known where it is not. */
static int file_named(const char *name, bool *ret_new)
{
	int i = find(name);
	*ret_new = i < 0;
	if (i >= 0)
		return names[i].file;
	static int last;
	int file = tape != NULL ? tape->n_files++ : last++ % TAPE_FILES;
	if (n_names == TAPE_FILES || file >= TAPE_FILES)
		abort();
	snprintf(names[n_names].name, TAPE_NAME, "%s", name);
	names[n_names++].file = file;
	return file;
}

static void forget(const char *name)
{
	int i = find(name);
	if (i >= 0)
		names[i] = names[--n_names];
}

void tap_begin(const char *path, disk_tape *onto)
{
	pthread_mutex_lock(&lock);
	snprintf(folder, sizeof folder, "%s", path);
	folder_len = strlen(folder);
	n_names = 0;
	memset(count, 0, sizeof count);
	tape = onto;
	on = same_disk = true;
	pthread_mutex_unlock(&lock);
}

/* Under the lock: a file of the folder, as it is there. */
static bool put_whole(const char *name)
{
	static char bytes[1 << 16];
	char path[sizeof folder + TAPE_NAME + 1];
	bool fresh;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = name_of(path) != NULL ? raw_open(path, O_RDONLY | O_CLOEXEC, 0) : -1;
	if (fd < 0)
		return name_of(path) == NULL;
	int file = file_named(name, &fresh);
	off_t size = (off_t)syscall(SYS_lseek, fd, 0, SEEK_END);
	put(TAPE_CREATE, file, 0, name, NULL, 0);
	put(TAPE_SIZE, file, size, NULL, NULL, 0);
	ssize_t n = 1;
	for (off_t at = 0; at < size && strcmp(name, TAPE_HOLLOW) != 0 && n > 0; at += n) {
		n = syscall(SYS_pread64, fd, bytes, sizeof bytes, at);
		if (n > 0)
			put(TAPE_WRITE, file, at, NULL, bytes, (size_t)n);
	}
	put(TAPE_SYNC, file, 0, NULL, NULL, 0);
	(void)syscall(SYS_close, fd);
	return n > 0;
}

bool tap_go_on(const char *path, disk_tape *onto, const disk_tape *before, size_t upto)
{
	DIR *d = opendir(path);
	bool ok = true;
	tap_begin(path, onto);
	for (size_t i = 0; i < upto; i++)
		if (before->ops[i].kind == TAPE_MARK)
			tape_add(onto, &before->ops[i], tape_bytes(before, &before->ops[i]), before->ops[i].n);
	if (d == NULL)
		return errno == ENOENT;
	pthread_mutex_lock(&lock);
	put(TAPE_MAKE_FOLDER, 0, 0, NULL, NULL, 0);
	put(TAPE_SYNC_PARENT, 0, 0, NULL, NULL, 0);
	for (struct dirent *e; ok && (e = readdir(d)) != NULL;)
		ok = e->d_type != DT_REG || put_whole(e->d_name);
	put(TAPE_SYNC_FOLDER, 0, 0, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	closedir(d);
	return ok;
}

void tap_end(void)
{
	pthread_mutex_lock(&lock);
	on = false;
	tape = NULL;
	plan.armed = false;
	for (size_t i = 0; i < DESCRIPTORS; i++)
		owners[i] = NOT_OURS;
	pthread_mutex_unlock(&lock);
}

/* A mark in a file: this, and so many bytes of text. */
struct mark_head {
	int64_t at;
	uint32_t mark, n;
};

static int marks_fd = -1;

static void write_mark(const tape_op *op, const char *text, size_t n)
{
	char bytes[4096];
	struct mark_head head = { .at = op->at, .mark = op->mark, .n = (uint32_t)n };
	if (sizeof head + n > sizeof bytes)
		abort();
	memcpy(bytes, &head, sizeof head);
	if (n > 0)
		memcpy(bytes + sizeof head, text, n);
	if (syscall(SYS_write, marks_fd, bytes, sizeof head + n) != (long)(sizeof head + n))
		abort();
}

void tap_mark(tape_mark mark, const char *text, int64_t at)
{
	tape_op op = { .kind = TAPE_MARK, .mark = mark, .at = at };
	size_t n = text != NULL ? strlen(text) + 1 : 0;
	pthread_mutex_lock(&lock);
	if (tape != NULL)
		tape_add(tape, &op, text, n);
	if (marks_fd >= 0)
		write_mark(&op, text, n);
	pthread_mutex_unlock(&lock);
}

void tap_marks_to(int fd)
{
	marks_fd = fd;
}

bool tap_read_marks(const char *path, disk_tape *t)
{
	char text[4096];
	struct mark_head head;
	FILE *f = fopen(path, "rbe");
	if (f == NULL)
		return false;
	bool ok = true;
	while (ok && fread(&head, sizeof head, 1, f) == 1) {
		const tape_op op = { .kind = TAPE_MARK, .mark = (tape_mark)head.mark, .at = head.at };
		ok = head.n <= sizeof text && fread(text, 1, head.n, f) == head.n;
		if (ok)
			tape_add(t, &op, text, head.n);
	}
	fclose(f);
	return ok;
}

/* ---- failing ------------------------------------------------------------------------------------------------- */

void tap_fail(tap_way way, int nth, int more)
{
	pthread_mutex_lock(&lock);
	plan.way = way;
	plan.left = nth - 1;
	plan.more = more;
	plan.armed = true;
	plan.hit = plan.full = false;
	pthread_mutex_unlock(&lock);
}

void tap_mend(void)
{
	pthread_mutex_lock(&lock);
	plan.armed = plan.full = false;
	pthread_mutex_unlock(&lock);
}

bool tap_hit(void)
{
	pthread_mutex_lock(&lock);
	bool hit = plan.hit;
	pthread_mutex_unlock(&lock);
	return hit;
}

int tap_count(tap_way way)
{
	pthread_mutex_lock(&lock);
	int n = count[way];
	pthread_mutex_unlock(&lock);
	return n;
}

/* Whether this call, which is of the ways in BITS, fails; under the lock. */
static bool fails(unsigned bits)
{
	for (int i = 0; i < TAP_WAYS; i++)
		count[i] += (bits >> i & 1) != 0;
	if (!plan.armed || (bits >> plan.way & 1) == 0)
		return false;
	if (plan.left-- > 0)
		return false;
	plan.left = 0;
	plan.hit = true;
	plan.armed = plan.more > 0;
	if (plan.more < INT_MAX)
		plan.more--;
	return true;
}

#define BIT(way) (1u << (way))
#define WRITES (BIT(TAP_FULL) | BIT(TAP_ERROR) | BIT(TAP_SHORT))

static int refuse(int error)
{
	errno = error;
	return -1;
}

static int write_error(void)
{
	return plan.way == TAP_ERROR ? EIO : ENOSPC;
}

/* ---- which file ----------------------------------------------------------------------------------------------- */

/* The name in the folder; NULL: not in it, or what no power cut leaves (memory that processes share). */
static const char *name_of(const char *path)
{
	if (strncmp(path, folder, folder_len) != 0 || path[folder_len] != '/')
		return NULL;
	const char *name = path + folder_len + 1;
	size_t n = strlen(name);
	bool shared = n > 4 && strcmp(name + n - 4, "-shm") == 0;
	return strchr(name, '/') != NULL || shared || n >= TAPE_NAME ? NULL : name;
}

static bool is_parent(const char *path)
{
	const char *slash = strrchr(folder, '/');
	size_t n = slash != NULL ? (size_t)(slash - folder) : 0;
	return strlen(path) == n && strncmp(path, folder, n) == 0;
}

static int owner_of(int fd)
{
	return on && fd >= 0 && fd < DESCRIPTORS ? owners[fd] : NOT_OURS;
}

/* So many are open only where somebody does not close theirs; then nothing of it would be on the tape. */
static void own(int fd, int owner)
{
	if (fd >= DESCRIPTORS) {
		fputs("disk_tap: a file is opened again and again, and not closed\n", stderr);
		abort();
	}
	owners[fd] = owner;
}

/* ---- the calls ------------------------------------------------------------------------------------------------ */

static int raw_open(const char *path, int flags, mode_t mode)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static bool there(const char *path)
{
	return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

static int open_named(const char *path, const char *name, int flags, mode_t mode)
{
	bool makes = (flags & O_CREAT) != 0 && !there(path), fresh;
	if (makes && fails(BIT(TAP_FULL)))
		return refuse(ENOSPC);
	int fd = raw_open(path, flags, mode);
	if (fd < 0)
		return fd;
	if (makes)
		forget(name);
	int file = file_named(name, &fresh);
	if (makes)
		put(TAPE_CREATE, file, 0, name, NULL, 0);
	own(fd, file + 1);
	return fd;
}

static int tapped_open(const char *path, int flags, mode_t mode)
{
	if (!on)
		return raw_open(path, flags, mode);
	pthread_mutex_lock(&lock);
	const char *name = name_of(path);
	int fd = name != NULL ? open_named(path, name, flags, mode) : raw_open(path, flags, mode);
	if (name == NULL && fd >= 0)
		own(fd, strcmp(path, folder) == 0 ? THE_FOLDER : is_parent(path) ? THE_PARENT : NOT_OURS);
	int saved = errno;
	pthread_mutex_unlock(&lock);
	errno = saved;
	return fd;
}

static mode_t mode_of(int flags, va_list ap)
{
	return (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);
	va_end(ap);
	return tapped_open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);
	va_end(ap);
	return tapped_open(path, flags, mode);
}

int mkostemp(char *template, int flags)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char *tail = template + strlen(template) - 6;
	for (int tries = 0; tries < 100; tries++) {
		unsigned char random[6];
		if (syscall(SYS_getrandom, random, sizeof random, 0) != (long)sizeof random)
			return -1;
		for (int i = 0; i < 6; i++)
			tail[i] = letters[random[i] % (sizeof letters - 1)];
		int fd = tapped_open(template, flags | O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

int close(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		owners[fd] = NOT_OURS;
	return (int)syscall(SYS_close, fd);
}

/* A half-written one leaves no space for the next. */
static ssize_t write_ours(int fd, int owner, const void *p, size_t n, off_t at)
{
	if (plan.full) {
		plan.full = false;
		return refuse(ENOSPC);
	}
	bool bad = fails(WRITES);
	if (bad && (plan.way != TAP_SHORT || n < 2))
		return refuse(write_error());
	plan.full = bad;
	ssize_t done = syscall(SYS_pwrite64, fd, p, bad ? n / 2 : n, at);
	if (done > 0)
		put(TAPE_WRITE, owner - 1, at, NULL, p, (size_t)done);
	return done;
}

static ssize_t tapped_pwrite(int fd, const void *p, size_t n, off_t at)
{
	int owner = owner_of(fd);
	if (owner <= NOT_OURS)
		return syscall(SYS_pwrite64, fd, p, n, at);
	pthread_mutex_lock(&lock);
	ssize_t done = write_ours(fd, owner, p, n, at);
	int saved = errno;
	pthread_mutex_unlock(&lock);
	errno = saved;
	return done;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return tapped_pwrite(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return tapped_pwrite(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n)
{
	if (owner_of(fd) <= NOT_OURS)
		return syscall(SYS_write, fd, p, n);
	off_t at = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
	ssize_t done = tapped_pwrite(fd, p, n, at);
	if (done > 0)
		(void)syscall(SYS_lseek, fd, at + done, SEEK_SET);
	return done;
}

/* FLAGS is as of fallocate; a cut is told by LEN < 0 and may not fail for want of space. */
static int resize_ours(int fd, int owner, off_t size, bool cut)
{
	if (!cut && fails(BIT(TAP_FULL)))
		return refuse(ENOSPC);
	int rc = (int)(cut ? syscall(SYS_ftruncate, fd, size) : syscall(SYS_fallocate, fd, 0, (off_t)0, size));
	if (rc == 0)
		put(TAPE_SIZE, owner - 1, size, NULL, NULL, 0);
	return rc;
}

static int tapped_resize(int fd, off_t size, bool cut)
{
	int owner = owner_of(fd);
	if (owner <= NOT_OURS)
		return (int)(cut ? syscall(SYS_ftruncate, fd, size) : syscall(SYS_fallocate, fd, 0, (off_t)0, size));
	pthread_mutex_lock(&lock);
	int rc = resize_ours(fd, owner, size, cut);
	int saved = errno;
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

int ftruncate(int fd, off_t size)
{
	return tapped_resize(fd, size, true);
}

int ftruncate64(int fd, off64_t size)
{
	return tapped_resize(fd, size, true);
}

/* Of the whole file alone: so it is used here. */
int posix_fallocate(int fd, off_t from, off_t len)
{
	return tapped_resize(fd, from + len, false) == 0 ? 0 : errno;
}

static int sync_ours(int owner)
{
	if (fails(BIT(TAP_SYNC))) {
		if (owner > NOT_OURS)
			put(TAPE_SYNC_FAILED, owner - 1, 0, NULL, NULL, 0);
		return refuse(EIO);
	}
	/* Nothing here needs to outlast this machine. */
	if (owner > NOT_OURS)
		put(TAPE_SYNC, owner - 1, 0, NULL, NULL, 0);
	else
		put(owner == THE_FOLDER ? TAPE_SYNC_FOLDER : TAPE_SYNC_PARENT, 0, 0, NULL, NULL, 0);
	return 0;
}

static int tapped_sync(int fd, long call)
{
	int owner = owner_of(fd);
	if (owner == NOT_OURS)
		return (int)syscall(call, fd);
	pthread_mutex_lock(&lock);
	int rc = sync_ours(owner), saved = errno;
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

int fsync(int fd)
{
	return tapped_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return tapped_sync(fd, SYS_fdatasync);
}

static int rename_ours(const char *old, const char *new)
{
	bool fresh;
	if (fails(BIT(TAP_RENAME)))
		return refuse(EIO);
	int rc = (int)syscall(SYS_renameat, AT_FDCWD, old, AT_FDCWD, new);
	if (rc != 0)
		return rc;
	int file = file_named(name_of(old), &fresh);
	forget(name_of(old));
	forget(name_of(new));
	snprintf(names[n_names].name, TAPE_NAME, "%s", name_of(new));
	names[n_names++].file = file;
	put(TAPE_RENAME, file, 0, name_of(new), name_of(old), strlen(name_of(old)) + 1);
	return 0;
}

int rename(const char *old, const char *new)
{
	if (!on || name_of(old) == NULL || name_of(new) == NULL)
		return (int)syscall(SYS_renameat, AT_FDCWD, old, AT_FDCWD, new);
	pthread_mutex_lock(&lock);
	int rc = rename_ours(old, new), saved = errno;
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

int unlink(const char *path)
{
	const char *name = on ? name_of(path) : NULL;
	if (name == NULL)
		return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
	pthread_mutex_lock(&lock);
	int rc = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0), saved = errno, at = find(name);
	if (rc == 0 && at >= 0) {
		put(TAPE_UNLINK, names[at].file, 0, name, NULL, 0);
		forget(name);
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

int mkdir(const char *path, mode_t mode)
{
	int rc = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
	pthread_mutex_lock(&lock);
	if (rc == 0 && on && strcmp(path, folder) == 0)
		put(TAPE_MAKE_FOLDER, 0, 0, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* Which file it is, and since when: an image is taken for the disk that it is of, not for a copy of it. */
int statx(int dir, const char *path, int flags, unsigned mask, struct statx *ret)
{
	int rc = (int)syscall(SYS_statx, dir, path, flags, mask, ret);
	if (rc == 0 && same_disk && name_of(path) != NULL) {
		ret->stx_ino = 1;
		ret->stx_btime = (struct statx_timestamp){ .tv_sec = 1 };
	}
	return rc;
}
