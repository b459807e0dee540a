/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guard between us and a program that must not outlive us: a process that waits for the program and passes on
 * how it ended. SIGTERM (the kernel's, when who started it dies, however; or ours) makes it kill the program, its
 * group, and then all that descends from them, also out of a session of its own: orphans become the guard's. For
 * child.c, after the fork: only async-signal-safe calls. */
#ifndef CS_BASE_CHILD_GUARD_H
#define CS_BASE_CHILD_GUARD_H

#include <sys/types.h>

/* Makes this process, all its signals blocked, a guard that learns of the end of PARENT. -1: see errno. It ends
 * when PARENT has died before. */
int cs_child_guard_begin(pid_t parent);
/* Waits for PROGRAM, its child and leader of a group, and ends as it did: it does not return. Not declared so: what a
 * sanitizer does and says before such a call would go to the program's standard error, which is still ours then. */
void cs_child_guard_wait(pid_t program);

#endif
