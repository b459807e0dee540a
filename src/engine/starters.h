/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The events that start runs: what waits for them in the workspace's files, over restarts and
 * reloads. A run, what caused it and the business value that it used up are one commit. */
#ifndef CS_ENGINE_STARTERS_H
#define CS_ENGINE_STARTERS_H

#include "engine/engine_priv.h"

/* A flow may be started this often by events that it led to itself, in that time. The next such event
 * starts nothing, and an item says so. */
#define CS_STARTS_LOOP_MAX 100
#define CS_STARTS_LOOP_MS (60 * 60 * 1000)

/* What waits by today's files; what was gathered for the same definition goes on. In the open group. */
int cs_starters_load(cs_engine *e, cs_err *err);
/* The same for the first time in this process, from the log. */
int cs_starters_recover(cs_engine *e, cs_err *err);
void cs_starters_free(cs_engine *e);
/* Offers EVENT, just written under seq CAUSE, by the run FROM (NULL: from outside). */
int cs_starters_offer(cs_engine *e, const cs_run *from, json_t *event, bool tainted, int64_t cause, cs_err *err);
/* The same of a lifecycle event of FROM (core/life.h): to those alone that name its type. */
int cs_starters_tell(cs_engine *e, const cs_run *from, int kind, json_t *event, bool tainted, int64_t cause, cs_err *err);
unsigned cs_starters_life(const cs_engine *e);       /* the kinds that they name, 1 << kind */
/* The flows behind what FROM leads to, an event or a run: those behind FROM, and its own. New reference; NULL of NULL. */
json_t *cs_starters_chain(const cs_run *from);
/* Starts what can be started. */
int cs_starters_step(cs_engine *e, cs_err *err);
bool cs_starters_ready(const cs_engine *e);
/* An answer of jq to one of them, if it is; they are ready then. */
void cs_starters_answer(cs_engine *e, const cs_message *m);

#endif
