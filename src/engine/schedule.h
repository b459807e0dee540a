/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that a clock starts: `schedule` of a flow, and the `cron` and `every` of `starts`. Each
 * has at most one durable timer, armed for its next occurrence; when that is due, the timer that
 * fires, the run and the timer after it are one group. So an occurrence starts one run at most,
 * whenever the engine is killed, and never early. Source: STATES.md, "Timer"; dsl-reference.md,
 * "Schedule". */
#ifndef CS_ENGINE_SCHEDULE_H
#define CS_ENGINE_SCHEDULE_H

#include "engine/engine_priv.h"

/* What came due longer ago than this was missed; what is younger is only late, and `missed: skip` starts it. */
#define CS_SCHEDULE_LATE_MS 60000
/* `missed: all` starts the latest, so many at most. */
#define CS_SCHEDULE_ALL_MAX 100

/* Both in the open group. Takes up the timers of the log: those of schedules that are as they were
 * go on, those of others are cancelled, and what has none is armed from now on. */
int cs_schedules_recover(cs_engine *e, cs_err *err);
int cs_schedules_reload(cs_engine *e, cs_err *err);
/* Starts what is due at NOW, in the open group. */
int cs_schedules_fire(cs_engine *e, int64_t now, cs_err *err);
/* R has just completed: what `after` says counts from here. */
int cs_schedules_completed(cs_engine *e, const cs_run *r, cs_err *err);
/* The copy that this is rests no more: of what came due meanwhile nothing is started, the operator is asked. */
int cs_schedules_ask_missed(cs_engine *e, cs_err *err);
int64_t cs_schedules_next_due(const cs_engine *e);   /* wall ms; 0: none */
void cs_schedules_free(cs_engine *e);

#endif
