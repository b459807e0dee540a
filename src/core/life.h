/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lifecycle events of the standard: what an entry of a run's log is to those outside of the run
 * who ask for it by name. Made from the entry alone, so that the same entry is always the same event;
 * nothing is made that nobody asks for.
 * Source: dsl.md, "Lifecycle Events", "Status Phases"; dsl-reference.md, "Lifecycle Events". */
#ifndef CS_CORE_LIFE_H
#define CS_CORE_LIFE_H

#include "core/run.h"

typedef enum cs_life {
	CS_LIFE_RUN_STARTED, CS_LIFE_RUN_SUSPENDED, CS_LIFE_RUN_RESUMED, CS_LIFE_RUN_CORRELATING, CS_LIFE_RUN_CORRELATED,
	CS_LIFE_RUN_CANCELLED, CS_LIFE_RUN_FAULTED, CS_LIFE_RUN_COMPLETED, CS_LIFE_RUN_STATUS,
	CS_LIFE_TASK_CREATED, CS_LIFE_TASK_STARTED, CS_LIFE_TASK_SUSPENDED, CS_LIFE_TASK_RESUMED, CS_LIFE_TASK_RETRIED,
	CS_LIFE_TASK_CANCELLED, CS_LIFE_TASK_FAULTED, CS_LIFE_TASK_COMPLETED, CS_LIFE_TASK_STATUS,
	CS_LIFE_COUNT
} cs_life;

/* "io.serverlessworkflow.workflow.started.v1". */
const char *cs_life_type(cs_life kind);
/* The kinds that a filter of S names by its `type`, as a text or by a pattern; bit 1 << kind. A filter that
 * names no type, or finds it by an expression, asks for none. */
unsigned cs_life_named(const cs_strategy *s);
/* The same of a listen: its events, and those that end it. */
unsigned cs_life_of(const cs_listen *l);
/* Does a filter of L name the type of EVENT? */
bool cs_life_asked(const cs_listen *l, const json_t *event);

/* What an entry changes that must be known as it was before. */
typedef struct cs_life_before {
	bool live;                   /* the task had begun, with an entry of its own */
	bool quiet;                  /* it is in a foreach that handles such an event: of that nothing is told */
	bool tainted;                /* what KEYS are of */
	json_t *keys;                /* of a listen: what its events settled; owned, NULL */
} cs_life_before;

/* Before an entry of T (NULL: of the run) is folded into R. */
void cs_life_look(const cs_run *r, const cs_task *t, cs_life_before *ret);
/* After it: what of it is wanted by S->life goes to S->tell. BEFORE is emptied. */
int cs_life_tell(const cs_run *r, cs_step *s, const cs_event *ev, const cs_task *t, cs_life_before *before, cs_err *err);

#endif
