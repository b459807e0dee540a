/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Child processes: started with no descriptor but 0, 1 and 2, in a process group of their own,
 * with the environment they are given and nothing else; killed whole. */
#ifndef CS_BASE_CHILD_H
#define CS_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "base/err.h"

typedef struct cs_child_opts {
	const char *const *argv;       /* argv[0] is looked up in path */
	const char *const *envp;       /* NULL: empty */
	const char *cwd;               /* NULL: stays */
	const char *path;              /* search path for argv[0]; NULL: /usr/local/bin:/usr/bin:/bin */
	size_t memory_limit;           /* RLIMIT_AS in bytes; 0: none */
	/* When the thread that started it ends, also by kill -9, so do the program and all that it started, what
	 * has made a session of its own too. A small process between us and it sees to that, which is then
	 * the pid and ends as the program did. It cannot end what runs as another user (sudo), nor what it did
	 * not descend to (a job given to a daemon); and whoever kills the guard itself ends the program alone. */
	bool die_with_parent;
	bool quiet_stderr;             /* stderr to /dev/null instead of a pipe */
} cs_child_opts;

typedef struct cs_child {
	pid_t pid;                     /* also its process group; 0: none */
	bool guarded;                  /* pid is its guard's, who ends all that descends from it */
	int in, out, err;              /* our ends: write, read, read; -1: closed */
} cs_child;

/* CS_ENOTFOUND when the program is not there, CS_EREFUSED when it may not be run, CS_EINVAL when
 * the folder or the limit cannot be had; then nothing was started. Our ends of the pipes block;
 * who writes to c->in must ignore or block SIGPIPE.
 * A name with a slash is taken as it is, seen from cwd. */
int cs_child_start(const cs_child_opts *o, cs_child *ret, cs_err *err);
/* SIGKILL to the group, reaps, closes; idempotent. What left the group by setsid() lives on, but for that of a
 * guarded program that still runs: then all that it started is ended. */
void cs_child_kill(cs_child *c);
int cs_child_end(cs_child *c);     /* the same; returns the status as from waitpid */

/* Starts the program at PATH to go on without us: a session of its own, stdin, stdout and stderr on
 * /dev/null, no other descriptor, our environment. *ret is its process. What cannot be started is
 * said with its reason. */
int cs_child_detach(const char *path, const char *const *argv, pid_t *ret, cs_err *err);

typedef struct cs_child_result {
	int status;                    /* as from waitpid */
	bool timed_out, too_big, cancelled;
} cs_child_result;
/* Runs until the program ends: feeds IN, gathers stdout and stderr into bounded buffers (NULL:
 * thrown away), kills the group at the deadline (monotonic ns; 0: none), when a bound is passed
 * (the buffer then holds what fits), or when *cancel becomes non-zero (may be NULL; read
 * atomically, within 20 ms). Also kills what is left of the group at the end. 0 when it was
 * started, whatever became of it: *ret says. SIGPIPE is blocked meanwhile for this thread only. */
int cs_child_run(const cs_child_opts *o, const void *in, size_t in_len, cs_buf *out, cs_buf *errout,
		 int64_t deadline_ns, const int *cancel, cs_child_result *ret, cs_err *err);

#endif
