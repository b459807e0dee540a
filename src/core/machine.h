/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state machines as const tables: (state, event) -> state. A pair that is not in a table is
 * an illegal transition: it is refused and writes nothing. Guards and effects live with the
 * callers; the words are those of the log, the screen and the command line. */
#ifndef CS_CORE_MACHINE_H
#define CS_CORE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

typedef struct cs_arrow {
	const char *from, *event, *to;
} cs_arrow;

typedef struct cs_machine {
	const char *name;            /* "run", "task", "attempt", "approval", "timer", "reversal", "breaker" */
	const char *const *states;   /* NULL-terminated; the first is where it begins */
	const char *const *events;   /* NULL-terminated */
	const cs_arrow *arrows;
	size_t n_arrows;
} cs_machine;

extern const cs_machine cs_machine_run, cs_machine_task, cs_machine_attempt,
	cs_machine_approval, cs_machine_timer, cs_machine_reversal, cs_machine_breaker;
extern const cs_machine *const cs_machines[];    /* all of them, NULL-terminated */

/* Is there an arrow from STATE on EVENT? Several targets may share a pair (a guard chooses). */
bool cs_machine_allows(const cs_machine *m, const char *state, const char *event);
/* Is there an arrow from STATE on EVENT to TO? */
bool cs_machine_has(const cs_machine *m, const char *state, const char *event, const char *to);
/* Refuses with a sentence that names the state and what is possible there. */
int cs_machine_require(const cs_machine *m, const char *state, const char *event, cs_err *err);
/* No arrow leaves STATE but those that an operator begins (retry, correct, rollback, note). */
bool cs_run_state_terminal(const char *state);

#endif
