/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One simulation: an engine, its clock, its disk, its network and its operator, in one thread, all
 * led by one seed. Twice the same seed is twice the same log. */
#ifndef CS_TESTS_FAULTS_SIMULATION_H
#define CS_TESTS_FAULTS_SIMULATION_H

#include "engine/engine.h"
#include "store/backup.h"
#include "store/store.h"
#include "tests/faults/sim_chance.h"
#include "tests/faults/sim_net.h"
#include "tests/faults/sim_rules.h"
#include "tests/support/invariants.h"

/* A job of the engine's that waits for its turn. */
typedef struct sim_job {
	cs_job_fn *run, *drop;
	void *job;
} sim_job;

/* A request on its way, told apart by its place in the list. */
typedef struct sim_asked sim_asked;

typedef struct simulation {
	uint64_t seed;
	const char *exe;             /* the program, for jq */
	unsigned steps, step;        /* how many there are to be, and which it is */
	bool told;                   /* each step is printed */
	bool kept;                   /* the files stay */
	sim_chance chance;
	sim_net net;
	cs_performer performers[2];
	cs_engine *engine;
	cs_reader *reader;
	invariants *rules;
	sim_rules more_rules;
	sim_job *jobs; size_t n_jobs, cap_jobs;
	bool news;                   /* something was committed, or may have been, since it was looked at */
	int64_t acked_seq;           /* the last commit that anybody was told of */
	char acked_hash[CS_HEX_SIZE];
	sim_asked *asked;            /* requests without an answer */
	bool live;                   /* this machine was said to be the live one */
	bool calm;                   /* faults have stopped */
	bool wrong;                  /* something was; its sentence is printed */
	cs_backup backup;            /* the latest; events 0: there is none */
	size_t backup_ledger;        /* as long was the ledger then */
	unsigned restored;           /* how often the state was lost, and restored from it */
	unsigned started, crashes, cuts, failures, decisions, calls;
	char head[CS_HEX_SIZE];      /* of the log, at the end */
	int64_t events;
	json_t *types;               /* type -> how many; the caller lets it go */
} simulation;

/* The whole, of what is set of seed, exe, steps and told; the rest is zero. Its files lie in SIM_DIR of
 * the current folder, which must not be there. False when something was wrong, said on stderr with the seed. */
bool simulation_run(simulation *s);
/* What stands before and after its steps: a workspace, a disk and a time without an engine. */
void simulation_begin(simulation *s);
void simulation_end(simulation *s);

/* ---- between its parts ---------------------------------------------------------------------------------- */

#define SIM_DIR "w"
#define SIM_STATE "w/" CS_STATE_DIR

void sim_wrong(void *simulation, const char *fmt, ...) CS_PRINTF(2, 3);
/* Rows of a query over the projections; new reference, empty where it fails (which is wrong then). */
json_t *sim_rows(simulation *s, const char *sql, const char *param);

/* sim_engine.c: an engine's life */
void sim_call_arrives(void *simulation_, const cs_effect *e);        /* of sim_net */
void sim_start(simulation *s);               /* whatever it takes: at last on a sound disk */
bool sim_try_start(simulation *s);           /* once; true: s->engine is there, without a reader */
typedef enum sim_end { SIM_KILLED, SIM_POWER_CUT } sim_end;
void sim_crash(simulation *s, sim_end how);
void sim_turn(simulation *s);
bool sim_do_job(simulation *s);
void sim_ask(simulation *s, json_t *request);                 /* taken over; whatever the answer */
json_t *sim_answer(simulation *s, json_t *request);           /* turns until it is there: the whole reply */
void sim_look(simulation *s);                /* at what is new in the log */

void sim_refused(simulation *s);              /* a second engine, as long as there is one */

/* sim_operator.c: what a person does, or something from outside */
void sim_begin_run(simulation *s);
void sim_decide(simulation *s);
void sim_control(simulation *s);
void sim_hold(simulation *s);
void sim_connector(simulation *s);
void sim_reload(simulation *s);
void sim_change_run(simulation *s);
void sim_emit(simulation *s);

/* sim_copy.c: what is done with the state as a whole */
void sim_place(const simulation *s, char out[CS_HEX_SIZE]);
void sim_backup(simulation *s);
void sim_restore(simulation *s);
void sim_archive(simulation *s);

/* sim_rest.c: faults stop, and all comes to rest */
void sim_rest(simulation *s);

#endif
