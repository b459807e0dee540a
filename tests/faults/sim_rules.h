/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold of a log while it grows, beside tests/support/invariants.h: time never goes back,
 * an occurrence fires at most once and never early (I11), and what is done is not begun a second
 * time under another key; and what a probe is said to have found is so; and
 * what was begun before this state became a copy leaves by the operator's word alone (I20). */
#ifndef CS_TESTS_FAULTS_SIM_RULES_H
#define CS_TESTS_FAULTS_SIM_RULES_H

#include "store/store.h"

typedef struct sim_rules {
	int64_t seq, at;
	json_t *timers;              /* id -> due, or -1 when it has fired or is cancelled */
	json_t *done;                /* "RUN TASK OCCURRENCE" -> key of the attempt that is done */
	json_t *reversing;           /* the same -> true: it is taken back */
	json_t *shadows;             /* run -> true: it is a replay */
	json_t *types;               /* type -> how many */
	json_t *runs, *old;          /* run -> true: all of them; those of before this state was a copy, and what they lead to */
	json_t *let_go;              /* "RUN TASK OCCURRENCE" -> true: the operator, who knew of the other copy, had it repeated */
	json_t *barred;              /* key -> true: begun by an old run, and not let go */
	bool shut;                   /* the breaker is open */
	int64_t counted;             /* types are counted of what comes after */
	json_t *business;            /* key -> true: it follows from a business key, and is the same in every run */
	json_t *probes;              /* key of a probe -> the key that it asks about */
	const json_t *happened;      /* borrowed: key -> how often it had its effect outside; NULL: nobody knows */
	char wrong[400];             /* the first finding; "" */
} sim_rules;

void sim_rules_init(sim_rules *r);
void sim_rules_fini(sim_rules *r);
/* The log is another one, which is the same up to SAME. */
void sim_rules_anew(sim_rules *r, int64_t same);
int sim_rules_read_on(sim_rules *r, cs_reader *reader, cs_err *err);

#endif
