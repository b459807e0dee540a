/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define LOCK_NAME "lock"
/* A look at the lock (cs_lease_holder) holds it for an instant; taking it must not fail on that. */
#define TRIES 20
/* A holder that was killed keeps the lock until the kernel has taken it down, and a child that it was
 * just starting until it is another program: on a busy machine that takes a while. */
#define TRIES_AFTER_DEATH 600
#define TRY_NS 5000000L

struct cs_lease {
	int fd;
};

static void pause_between_tries(void)
{
	struct timespec t = { .tv_sec = 0, .tv_nsec = TRY_NS };
	nanosleep(&t, NULL);
}

/* Pid written in the lock file; 0 when there is none that can be read. */
static pid_t written_pid(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	char *end;
	errno = 0;
	long pid = strtol(text, &end, 10);
	if (errno || end == text || *end != '\n' || pid <= 0 || pid > INT_MAX)
		return 0;
	return (pid_t)pid;
}

/* The state letter of /proc/PID/stat: R S D T t Z …; 0 when there is no such process to be seen.
 * It stands after the program's name, which may itself hold parentheses. */
static char process_state(pid_t pid)
{
	char path[64], text[512];
	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	CS_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *name_end = strrchr(text, ')');
	return name_end && name_end[1] == ' ' ? name_end[2] : 0;
}

bool cs_lease_stopped(pid_t pid)
{
	char state = process_state(pid);
	return state == 'T' || state == 't';
}

int cs_lease_held(const char *state_dir, pid_t pid, cs_err *err)
{
	long p = (long)pid;
	char state = pid > 0 ? process_state(pid) : 0;
	if (pid <= 0 || !state)
		return cs_err_set(err, CS_EUNAVAIL, "the workspace is held by a process that cannot be seen from here "
				  "(%s/%s is locked): end it where it runs, another container perhaps, and try again",
				  state_dir, LOCK_NAME);
	switch (state) {
	case 'T':
	case 't':
		return cs_err_set(err, CS_EUNAVAIL, "the workspace is held by process %ld, which is stopped: "
				  "continue it with `kill -CONT %ld`, or end it", p, p);
	case 'Z':
		return cs_err_set(err, CS_EUNAVAIL, "the workspace is held by process %ld, which is a zombie: a thread of it is "
				  "still ending; try again, or end its parent", p);
	default:
		return cs_err_set(err, CS_EUNAVAIL, "the workspace is held by process %ld, which is running: use it there, "
				  "or end it with `kill %ld`", p, p);
	}
}

static int open_lock(const char *state_dir, int flags, int *ret_fd, cs_err *err)
{
	CS_AUTOFREE char *path = cs_xasprintf("%s/%s", state_dir, LOCK_NAME);
	CS_AUTOCLOSE int fd = open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cs_err_sys(err, errno, "cannot open the lock %s", path);
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return cs_err_set(err, CS_EIO, "the lock %s is not a regular file; move it away", path);
	*ret_fd = fd;
	fd = -1;
	return CS_OK;
}

/* CS_EAGAIN: another has it. */
static int lock_now(int fd, int how, cs_err *err)
{
	int r;
	do
		r = flock(fd, how | LOCK_NB);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return CS_OK;
	if (errno == EWOULDBLOCK)
		return CS_EAGAIN;
	return cs_err_sys(err, errno, "cannot lock the workspace");
}

/* In its place, and never to nothing: a full disk has no room for a file that has just lost its own. */
static int write_pid(int fd, cs_err *err)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (pwrite(fd, text, (size_t)n, 0) != n || ftruncate(fd, n) < 0)
		return cs_err_sys(err, errno, "cannot write the lock of the workspace");
	return CS_OK;
}

static bool holder_died(int fd)
{
	pid_t pid = written_pid(fd);
	char state = pid > 0 ? process_state(pid) : 'R';
	return state == 0 || state == 'Z' || state == 'X';
}

int cs_lease_take(const char *state_dir, cs_lease **ret, cs_err *err)
{
	CS_AUTOCLOSE int fd = -1;
	int r = open_lock(state_dir, O_CREAT, &fd, err);
	if (r < 0)
		return r;
	for (int i = 0; (r = lock_now(fd, LOCK_EX, err)) == CS_EAGAIN && i < (holder_died(fd) ? TRIES_AFTER_DEATH : TRIES); i++)
		pause_between_tries();
	if (r == CS_EAGAIN)
		return cs_lease_held(state_dir, written_pid(fd), err);
	if (r < 0)
		return r;
	r = write_pid(fd, err);
	if (r < 0)
		return r;
	cs_lease *l = cs_xcalloc(1, sizeof *l);
	l->fd = fd;
	fd = -1;
	*ret = l;
	return CS_OK;
}

void cs_lease_release(cs_lease *l)
{
	if (!l)
		return;
	/* The pid goes first: it must not be read as the holder's after the lock is free. */
	if (pwrite(l->fd, "\n", 1, 0) == 1)
		(void)!ftruncate(l->fd, 1);
	close(l->fd);
	free(l);
}

pid_t cs_lease_holder(const char *state_dir)
{
	CS_AUTOCLOSE int fd = -1;
	if (open_lock(state_dir, 0, &fd, NULL) < 0 || lock_now(fd, LOCK_SH, NULL) != CS_EAGAIN)
		return 0;
	/* Whoever has just taken it writes its pid at once. */
	for (int i = 0; i < TRIES; i++) {
		pid_t pid = written_pid(fd);
		if (pid > 0)
			return pid;
		pause_between_tries();
		if (lock_now(fd, LOCK_SH, NULL) != CS_EAGAIN)
			return 0;
	}
	return -1;
}
