/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that wait for a person or a clock leave memory where there are many: the log holds all of them,
 * and they are folded from it again when somebody has to do with them, as after a restart. What stays is
 * the id, and when the run is due by itself. Runs that listen, share places, start other runs, or have
 * something outside stay in memory.
 * Where an engine begins with many runs that look as if they only waited, they are taken to be out of memory already,
 * unseen: they come back some at a time, each to be stepped once as all are at a start (today's rules, what is due),
 * and leave again. */
#ifndef CS_ENGINE_PARKED_H
#define CS_ENGINE_PARKED_H

#include "engine/engine_priv.h"

enum { CS_PARKED_KEEP = 1000 };      /* runs in memory before any leaves it, where the options say nothing */

/* L has been stepped: it leaves memory with this group, if it may then. */
void cs_parked_note(cs_engine *e, cs_live *l);
/* After the commit: those that were noted leave. */
void cs_parked_sweep(cs_engine *e);
/* How many runs stay in memory whatever they do. */
size_t cs_parked_keep(const cs_engine *e);
/* May O, of the flow F, stay out of memory where the engine begins? Enough are there, it looks as if it only waited,
 * and nobody misses it who looks for it in memory alone. */
bool cs_parked_may_stay_out(const cs_engine *e, const cs_open_run *o, const cs_flow *f);
/* It does, until cs_runs_return or somebody who has to do with it brings it back, and is then stepped. */
void cs_parked_stay_out(cs_engine *e, const char *run);
bool cs_parked_unseen(const cs_engine *e, const char *run);
/* RUN comes back to memory: it is no more of these. What it was; all 0: it was not one of them. */
cs_parked cs_parked_drop(cs_engine *e, const char *run);
bool cs_parked_is(const cs_engine *e, const char *run);
/* When RUN is due; 0: none, or it is not one of these. */
int64_t cs_parked_due(const cs_engine *e, const char *run);
/* All come back: something is to be told to every run. */
int cs_parked_all_back(cs_engine *e, cs_err *err);
void cs_parked_free(cs_engine *e);

#endif
