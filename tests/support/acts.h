/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests do to a world over and over: set it up for cmocka, play its outside, begin, restart, look, finish. */
#ifndef CS_TESTS_ACTS_H
#define CS_TESTS_ACTS_H

#include "tests/support/world.h"

/* ---- for cmocka ---- */

/* A world on the heap, by world_new of TEXT, not started; into *STATE, and borrowed from there. */
world *world_for(void **state, const char *text);
int world_set_up(void **state);                  /* one of which nothing is said, started */
int world_tear_down(void **state);               /* frees it */
int world_tear_down_verified(void **state);      /* the same, after world_verify */
/* Verifies, stops, holds the log against the invariants, and frees what stands in W. */
void world_finish(world *w);

/* ---- its outside ---- */

/* What goes over http goes to PERFORM, of the next start on. One world at a time. */
void world_outside(world *w, int (*perform)(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err));
/* The same, with the connector mail: `send`, unsafe and allowed, and `look`, a read. */
void world_mail(world *w, int (*perform)(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err));

/* ---- what happens in it ---- */

void world_restart(world *w);
char *world_begin(world *w, const char *document);                      /* a flow in single quotes; the run's id, malloc'ed */
json_t *world_emit(world *w, const char *event);                        /* in single quotes; the `ok`, a new reference */
void world_say(world *w, const char *event);                            /* emits it, and settles */
void world_control(world *w, const char *run, const char *verb, const char *why /* NULL: not said */);

/* ---- what is there ---- */

int64_t world_number(world *w, const char *sql);                        /* `n` of the first row; -1: there is none */
size_t world_runs_of(world *w, const char *flow);                       /* how many runs of the flow of that name */
int world_attempts(world *w, const char *call);                         /* how many effects of CALL went, those reused left out */
char *world_item_of(world *w, const char *run);                         /* the one item that waits in RUN, waited for; its id, malloc'ed */
void world_await_blocked(world *w, const char *run, const char *on);    /* RUN waits, and says that it is for ON */

#endif
