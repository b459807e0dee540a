/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the operator of a scenario answers, and does with runs. */
#ifndef CS_TESTS_KILL_DECIDE_H
#define CS_TESTS_KILL_DECIDE_H

#include <jansson.h>
#include "engine/engine.h"
#include "store/store.h"
#include "tests/faults/kill_scenarios.h"
#include "tests/faults/kill_shared.h"

typedef struct kill_operator_at {
	kill_shared *s;
	const kill_scenario *k;
	cs_engine *engine;
	cs_reader *reader;
	char refusal[512];           /* the last one */
} kill_operator_at;

/* Answers what waits. True: something was said. */
bool kill_decide(kill_operator_at *o);
/* Pauses, cancels, retries … as the scenario has it. */
bool kill_act_on_runs(kill_operator_at *o);

/* The `ok` of REQUEST (taken over), NULL when it was refused; WHAT was asked of ID (NULL: the run in the reply) is
 * then noted as acknowledged ("": nothing is). */
json_t *kill_ask(kill_operator_at *o, json_t *request, const char *what, const char *id, const char *verb);
json_t *kill_rows(kill_operator_at *o, const char *sql, json_t *params);     /* PARAMS is taken over; new reference */
int64_t kill_number(kill_operator_at *o, const char *sql, json_t *params);   /* column n of the first row */
_Noreturn void kill_broken(kill_operator_at *o, const char *fmt, ...) CS_PRINTF(2, 3);

#endif
