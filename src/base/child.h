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
	bool die_with_parent;          /* PR_SET_PDEATHSIG SIGKILL */
	bool quiet_stderr;             /* stderr to /dev/null instead of a pipe */
} cs_child_opts;

typedef struct cs_child {
	pid_t pid;                     /* also its process group; 0: none */
	int in, out, err;              /* our ends: write, read, read; -1: closed */
} cs_child;

/* CS_ENOTFOUND when the program is not there; then nothing was started. */
int cs_child_start(const cs_child_opts *o, cs_child *ret, cs_err *err);
void cs_child_kill(cs_child *c);   /* SIGKILL to the group, reaps, closes; idempotent */

typedef struct cs_child_result {
	int status;                    /* as from waitpid */
	bool timed_out, too_big;
} cs_child_result;
/* Runs to the end: feeds IN, gathers stdout and stderr into bounded buffers, kills the group at
 * the deadline (monotonic ns), when a bound is passed, or when *cancel becomes non-zero (may be
 * NULL). Also kills what is left of the group at the end. */
int cs_child_run(const cs_child_opts *o, const void *in, size_t in_len, cs_buf *out, cs_buf *errout,
		 int64_t deadline_ns, const int *cancel, cs_child_result *ret, cs_err *err);

#endif
