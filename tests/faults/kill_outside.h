/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The outside: a process of its own, which is the one that kills. It takes requests from a socket, keeps
 * each in the ledger before it answers, and answers as the path says. What was sent when the engine
 * died still arrives.
 *
 *   /put /set /get /make /void …   it is done
 *   /flaky                         later, the first time for a key; then done
 *   /no  /once  …/wrong            refused; the first time only
 *   /cut                           done, but the answer is lost
 *   /sure, /find                   as /cut; whether it happened
 *   /weak                          later, three times of five
 *   /slow                          done, the answer takes a while */
#ifndef CS_TESTS_KILL_OUTSIDE_H
#define CS_TESTS_KILL_OUTSIDE_H

#include "core/effect.h"
#include "tests/faults/kill_shared.h"

/* In the child: the performer of kind "http", over the socket FD. A thread takes the answers. */
cs_performer kill_outside_performer(int fd);

/* In the parent: takes one request, answers it now or later. 1: one was taken; 0: there is none;
 * -1: the other end is gone and all of what it sent is taken. Negative otherwise: what came must never
 * come, WHY says it (I3). */
enum { KILL_OUTSIDE_NONE = 0, KILL_OUTSIDE_TAKEN = 1, KILL_OUTSIDE_GONE = -1, KILL_OUTSIDE_BROKEN = -2 };
int kill_outside_serve(kill_shared *s, int fd, char *why, size_t size);
/* Sends the answers that are due. Microseconds to the next; -1: none waits. */
int64_t kill_outside_answer_late(int fd);
/* Answers that nobody waits for any more. */
void kill_outside_forget(void);

#endif
