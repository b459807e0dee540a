/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One engine a workspace: a lock file held by flock for as long as the process lives, with the
 * holder's pid inside. A stopped holder is named, never overruled. */
#ifndef CS_ENGINE_LEASE_H
#define CS_ENGINE_LEASE_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/err.h"

typedef struct cs_lease cs_lease;

/* STATE_DIR is .capstan. CS_EUNAVAIL names the holder: its pid, whether it is stopped or a zombie,
 * and what to do. */
int cs_lease_take(const char *state_dir, cs_lease **ret, cs_err *err);
void cs_lease_release(cs_lease *l);       /* NULL is fine */
/* Pid of the holder; 0: nobody holds it; -1: held by one that has not said its pid. */
pid_t cs_lease_holder(const char *state_dir);
/* Is that process stopped (SIGSTOP, C-z)? */
bool cs_lease_stopped(pid_t pid);
/* CS_EUNAVAIL with the sentence that names a holder, how it is, and the next step. */
int cs_lease_held(const char *state_dir, pid_t pid, cs_err *err);

#endif
