/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attempts that are with a performer. Each performer keeps to its operation's timeout by itself; one that
 * does not come back long after is given up here: its attempt ends ambiguous, what it was about to
 * send does not pass the gate any more, and what it says after that is dropped. */
#ifndef CS_ENGINE_LEASH_H
#define CS_ENGINE_LEASH_H

#include <stdatomic.h>
#include "engine/outlets.h"

/* What the coordinator and the performer's side share. Freed with the last reference. */
typedef struct cs_leash {
	atomic_int refs, state;
	_Atomic int64_t begun_ns;    /* monotonic; 0: nobody has begun, it may wait for a worker as long as it likes */
	bool on_worker;              /* a thread of ours is with it */
	cs_outlet *outlet;           /* references, NULL: none; to be set before it is begun */
	cs_target *target;
	bool probe;
	char run[CS_ID_SIZE];
	int task;
	int64_t timeout_ms;          /* the operation's own */
	int64_t late_ns;             /* when it was first found late; 0: it is not */
	size_t at;                   /* its place in the engine's list */
} cs_leash;

/* ---- the coordinator's ---- */
/* Of the attempt of TASK in RUN that goes out by P; a reference for whoever performs it. */
cs_leash *cs_leash_new(cs_engine *e, const char *run, int task, const cs_pass *p);
void cs_leash_watch(cs_engine *e, const cs_leash *l);        /* all is said of it: it is looked at from here on */
/* Its outcome was taken. */
void cs_leash_end(cs_engine *e, cs_leash *l);
/* Gives up what is long past its time: an outcome for each is in the mailbox then. One that is found late is looked at
 * once more, a while after: a process that was stopped hears of the answers that came meanwhile first. */
void cs_leashes_look(cs_engine *e);
int64_t cs_leashes_wait_ms(const cs_engine *e, int64_t most);        /* until the next look; at most MOST */
void cs_leashes_free(cs_engine *e);

/* ---- any thread's ---- */
void cs_leash_unref(cs_leash *l);                    /* NULL is fine */
void cs_leash_begin(cs_leash *l);
bool cs_leash_back(cs_leash *l);                     /* false: it was given up, and nobody wants to know any more */
bool cs_leash_is_cut(const cs_leash *l);

#endif
