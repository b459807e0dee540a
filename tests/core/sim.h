/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of one flow on the pure machine, with all that surrounds it simulated: a clock that is
 * set, a log in memory, rules and gates that are switched, performers played by the test. */
#ifndef CS_TESTS_SIM_H
#define CS_TESTS_SIM_H

#include <jansson.h>
#include "base/mem.h"
#include "core/run.h"

enum { SIM_FUNCTIONS = 6 };

typedef struct sim {
	cs_step step;                /* now, grace_ms and expire_ms are the test's to change */
	cs_flow *flow;
	cs_function *functions[SIM_FUNCTIONS];
	size_t n_functions;
	cs_run *run;
	json_t *log;                 /* array of {seq, at, task, occurrence, type, actor, cause, simulated, data} */
	unsigned ids;                /* given so far */
	cs_verdict_kind verdict;     /* what the rules say */
	const json_t *ask;           /* and how they want it asked; borrowed */
	bool shut;                   /* nothing may leave */
	const char *misfit;          /* the log takes no event of this type; NULL: it takes all */
	int dispatched;              /* how often a performer was to be started */
	int task;                    /* the call that was dispatched last */
} sim;

/* A flow of the body FLOW ('…' for "…") run over INPUT, at 1,000,000 ms, with these operations, of
 * two attempts and a second between them: shop.mail (unsafe), shop.bill (keyed for an hour),
 * shop.look (read), shop.pay (unsafe), shop.make (probe by shop.find: found where .total is above 0),
 * shop.find (read; one attempt of 5 s). Rules allow, grace 0, no expiry, until the test says otherwise. */
void sim_new(sim *s, const char *flow, const char *input);
/* The same with other rules from the beginning. */
void sim_begin(sim *s, const char *flow, const char *input, cs_verdict_kind verdict, int64_t grace_ms, int64_t expire_ms);
void sim_new_using(sim *s, const char *use, const char *flow, const char *input);   /* the same with USE as `use` */
void sim_free(sim *s);

void sim_step(sim *s);                             /* until nothing more is to begin */
void sim_at(sim *s, int64_t now);                  /* sets the clock, then steps */
/* The dispatched attempt ends so (DONE with RESULT, a JSON text), then steps. */
void sim_outcome(sim *s, cs_outcome_kind kind, const char *result);
void sim_crash(sim *s);                            /* all but the log is lost; recovers, then steps */
/* An answer to the newest item; DECISION is a JSON text. Its code; then steps. */
int sim_decide(sim *s, const char *decision);
int sim_control(sim *s, const char *verb);

int sim_count(const sim *s, const char *type);
/* Member NAME of the data of the last event of TYPE as text ("" when there is none). Borrowed. */
const char *sim_text(const sim *s, const char *type, const char *name);
const char *sim_state(const sim *s);
const cs_item *sim_item(const sim *s);             /* the newest that is not over, or NULL */
const cs_call *sim_call(const sim *s);             /* the first live call, or NULL */

#endif
