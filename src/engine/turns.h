/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which runs of a flow may go on beside each other (one-at-a-time, concurrent of capstan.yaml): a run
 * that finds no place stays `created`, and gets its turn in the order in which the runs were made.
 * A run keeps its place to its end, also while it waits for a person or is paused. Simulated and
 * real runs have places of their own; replays need none, nor does what a run on a place awaits. Nothing is kept but what the runs' own
 * states say, so a restart comes to the same. */
#ifndef CS_ENGINE_TURNS_H
#define CS_ENGINE_TURNS_H

#include "engine/engine_priv.h"

/* L, just come to memory: in the queue while it is created, else on its place. */
void cs_turns_join(cs_engine *e, cs_live *l);
/* May it start now? From then on it has its place. */
bool cs_turns_may_start(void *engine, const cs_run *r);      /* of cs_step */
/* After a step of L: it may have ended, or begun again without being asked. Who is next is ready then. */
void cs_turns_follow(cs_engine *e, cs_live *l);
/* The settings have changed: all runs in memory find their places anew. */
void cs_turns_renew(cs_engine *e);
void cs_turns_free(cs_engine *e);

#endif
