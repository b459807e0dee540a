/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which runs in memory may listen, by the types of events that their definitions name: what an event
 * is offered to, without a look at all the others. A run is listed from when it enters memory until it
 * leaves; whether it listens just then, it says itself. */
#ifndef CS_ENGINE_HEARERS_H
#define CS_ENGINE_HEARERS_H

#include "engine/engine_priv.h"

/* The runs of one definition, and what it listens for. */
typedef struct cs_hearers cs_hearers;

/* L enters memory, or has taken another definition. */
void cs_hearers_join(cs_engine *e, cs_live *l);
void cs_hearers_leave(cs_engine *e, cs_live *l);     /* nothing if it is not listed */
/* Those that may listen for events of TYPE, in the order of their ids. *ret is malloc'ed; how many. */
size_t cs_hearers_of(const cs_engine *e, const char *type, cs_live ***ret);
/* Says anew in e->step which lifecycle events are asked for, by runs and by what starts runs. */
void cs_hearers_note_life(cs_engine *e);
void cs_hearers_free(cs_hearers *h);                 /* takes NULL */
void cs_topics_free(cs_engine *e);                   /* after the last run */

#endif
