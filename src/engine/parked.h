/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that wait for a person or a clock leave memory where there are many: the log holds all of them,
 * and they are folded from it again when somebody has to do with them, as after a restart. What stays is
 * the id, and when the run is due by itself. Runs that listen, share places, start other runs, or have
 * something outside stay in memory. */
#ifndef CS_ENGINE_PARKED_H
#define CS_ENGINE_PARKED_H

#include "engine/engine_priv.h"

enum { CS_PARKED_KEEP = 1000 };      /* runs in memory before any leaves it, where the options say nothing */

/* L has been stepped: it leaves memory with this group, if it may then. */
void cs_parked_note(cs_engine *e, cs_live *l);
/* After the commit: those that were noted leave. */
void cs_parked_sweep(cs_engine *e);
/* RUN comes back to memory: it is no more of these. Its due time; 0: none, or it was not one of them. */
int64_t cs_parked_drop(cs_engine *e, const char *run);
/* When RUN is due; 0: none, or it is not one of these. */
int64_t cs_parked_due(const cs_engine *e, const char *run);
/* All come back: something is to be told to every run. */
int cs_parked_all_back(cs_engine *e, cs_err *err);
void cs_parked_free(cs_engine *e);

#endif
