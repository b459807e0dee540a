/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/kill_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/mem.h"

static const char *const words[] = {
#define KILL_POINT_WORD(name, word) word,
	KILL_POINTS(KILL_POINT_WORD)
#undef KILL_POINT_WORD
};

static kill_shared *plan;            /* NULL: nothing is counted in this process */
static atomic_bool log_written;      /* since its last sync */

const char *kill_point_word(kill_point p)
{
	return words[p];
}

void kill_self(void)
{
	(void)syscall(SYS_kill, (long)getpid(), (long)SIGKILL);
	for (;;)
		(void)pause();
}

void kill_calls_begin(kill_shared *s)
{
	atomic_store(&s->calls, 0);
	atomic_store(&s->points, 0);
	plan = s;
}

void kill_reach(kill_point p)
{
	if (plan == NULL || plan->when != KILL_AT_POINT || plan->point != p)
		return;
	if (atomic_fetch_add(&plan->points, 1) + 1 == plan->nth)
		kill_self();
}

/* Files and sockets; what wakes a thread of this process is no concern of anybody else. */
static bool counts(int fd)
{
	struct stat st;
	return fd > 2 && syscall(SYS_fstat, fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISDIR(st.st_mode));
}

/* Before the call: its number, 0 when it is not counted. */
static unsigned enter(int fd)
{
	int saved = errno;
	unsigned n = 0;
	if (plan != NULL && (fd == AT_FDCWD || counts(fd))) {
		n = atomic_fetch_add(&plan->calls, 1) + 1;
		if (plan->when == KILL_AT_CALL && plan->nth == 2 * n)
			kill_self();
	}
	errno = saved;
	return n;
}

static void leave(unsigned n)
{
	if (n > 0 && plan->when == KILL_AT_CALL && plan->nth == 2 * n + 1)
		kill_self();
}

/* Is FD a file of which the name ends so? Only looked at where points are planned. */
static bool named(int fd, const char *end)
{
	char path[64], name[PATH_MAX];
	if (plan == NULL || plan->when != KILL_AT_POINT)
		return false;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, name, sizeof name - 1);
	size_t k = strlen(end);
	return n >= (ssize_t)k && memcmp(name + n - k, end, k) == 0;
}

static void before_write(int fd)
{
	if (named(fd, "-wal") && !atomic_exchange(&log_written, true))
		kill_reach(KILL_POINT_BEFORE_COMMIT);
}

static void after_sync(int fd)
{
	if (named(fd, "-wal") && atomic_exchange(&log_written, false))
		kill_reach(KILL_POINT_AFTER_COMMIT);
}

/* ---- the calls ----------------------------------------------------------------------------------------- */

ssize_t write(int fd, const void *p, size_t n)
{
	before_write(fd);
	unsigned k = enter(fd);
	ssize_t r = syscall(SYS_write, fd, p, n);
	leave(k);
	return r;
}

static ssize_t write_at(int fd, const void *p, size_t n, off_t at)
{
	before_write(fd);
	unsigned k = enter(fd);
	ssize_t r = syscall(SYS_pwrite64, fd, p, n, at);
	leave(k);
	return r;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return write_at(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return write_at(fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	unsigned k = enter(fd);
	ssize_t r = syscall(SYS_writev, fd, v, n);
	leave(k);
	return r;
}

int fsync(int fd)
{
	unsigned k = enter(fd);
	int r = (int)syscall(SYS_fsync, fd);
	leave(k);
	after_sync(fd);
	return r;
}

int fdatasync(int fd)
{
	unsigned k = enter(fd);
	int r = (int)syscall(SYS_fdatasync, fd);
	leave(k);
	after_sync(fd);
	return r;
}

static int cut(int fd, off_t size)
{
	unsigned k = enter(fd);
	int r = (int)syscall(SYS_ftruncate, fd, size);
	leave(k);
	return r;
}

int ftruncate(int fd, off_t size)
{
	return cut(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return cut(fd, size);
}

static int reserve(int fd, off_t at, off_t size)
{
	unsigned k = enter(fd);
	long r = syscall(SYS_fallocate, fd, 0, at, size);
	leave(k);
	return r == 0 ? 0 : errno;
}

int posix_fallocate(int fd, off_t at, off_t size)
{
	return reserve(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size)
{
	return reserve(fd, at, size);
}

int rename(const char *from, const char *to)
{
	unsigned k = enter(AT_FDCWD);
	int r = (int)syscall(SYS_rename, from, to);
	leave(k);
	const char *slash = strrchr(to, '/');
	if (strcmp(slash != NULL ? slash + 1 : to, "anchor") == 0)
		kill_reach(KILL_POINT_AFTER_ANCHOR);
	return r;
}

int unlink(const char *path)
{
	unsigned k = enter(AT_FDCWD);
	int r = (int)syscall(SYS_unlink, path);
	leave(k);
	return r;
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	unsigned k = enter(fd);
	ssize_t r = syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
	leave(k);
	return r;
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	unsigned k = enter(fd);
	ssize_t r = syscall(SYS_sendmsg, fd, m, flags);
	leave(k);
	return r;
}

/* The lock of SQLite's WAL that a writer takes: byte 120 of the index (walformat.html, 2.3.1). */
static int control(int fd, int cmd, void *arg)
{
	enum { WRITER = 120 };
	int r = (int)syscall(SYS_fcntl, fd, cmd, arg);
	const struct flock *l = arg;
	if (r == 0 && plan != NULL && cmd == F_SETLK && l->l_type == F_WRLCK && l->l_start == WRITER)
		kill_reach(KILL_POINT_BEGIN);
	return r;
}

int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	va_start(ap, cmd);
	void *arg = va_arg(ap, void *);
	va_end(ap);
	return control(fd, cmd, arg);
}

int fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	va_start(ap, cmd);
	void *arg = va_arg(ap, void *);
	va_end(ap);
	return control(fd, cmd, arg);
}
