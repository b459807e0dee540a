/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every system call by which this program changes a file or says something to another, counted;
 * and the points between them that have a name. One of them can be the last that the process
 * does. The names of the C library are defined here, so that SQLite's calls come this way too. */
#ifndef CS_TESTS_KILL_CALLS_H
#define CS_TESTS_KILL_CALLS_H

#include "tests/faults/kill_shared.h"

/* X(NAME, "word") */
#define KILL_POINTS(X) \
	X(BEGIN, "after begin") \
	X(BEFORE_COMMIT, "before commit") \
	X(AFTER_COMMIT, "after commit") \
	X(AFTER_ANCHOR, "after anchor") \
	X(BEFORE_DISPATCH, "before dispatch") \
	X(SENT, "after the performer sent") \
	X(BEFORE_OUTCOME, "before the outcome is posted") \
	X(BEFORE_REPLY, "before the reply")

typedef enum kill_point {
#define KILL_POINT_ENUM(name, word) KILL_POINT_##name,
	KILL_POINTS(KILL_POINT_ENUM)
#undef KILL_POINT_ENUM
	KILL_POINT_COUNT
} kill_point;

const char *kill_point_word(kill_point p);
/* From now on in this process the plan in S holds. */
void kill_calls_begin(kill_shared *s);
/* The process comes to a point; by its plan it dies there. */
void kill_reach(kill_point p);
/* Dies now, by SIGKILL, with all its threads. */
void kill_self(void);

#endif
