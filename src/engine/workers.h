/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A few threads that take jobs in order, those of the background behind all others; started when there is work, up to a maximum. */
#ifndef CS_ENGINE_WORKERS_H
#define CS_ENGINE_WORKERS_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include "engine/engine.h"

typedef struct cs_workers cs_workers;

/* ELSEWHERE with a `give`: it gets every job, and there are no threads. Copied. */
cs_workers *cs_workers_new(unsigned most, const cs_engine_jobs *elsewhere, cs_job_fn *run, cs_job_fn *drop);
void cs_workers_give(cs_workers *w, void *job, bool background);
/* One of the threads does not come back from its job: another may take its place. NULL is fine. */
void cs_workers_lost(cs_workers *w);
/* Takes no more, drops what nobody has begun, and waits for the threads until the deadline
 * (monotonic ns). False: threads that are still busy then are left behind, with
 * the memory; what their jobs point to must stay. NULL is fine. */
bool cs_workers_stop(cs_workers *w, int64_t deadline_ns);

#endif
