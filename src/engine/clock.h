/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wall clock, held against the time since boot. Where it jumps by more than two minutes, nothing that sends
 * leaves, an item of the inbox says so, and the engine's time goes on as it went before; until the clock is back
 * where it was, or the operator says that it is right (`capstan release`). Over a restart of the engine the two are
 * compared with what the engine before it noted; over a boot of the machine it can only be told that the clock is
 * behind what is in the log. */
#ifndef CS_ENGINE_CLOCK_H
#define CS_ENGINE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/id.h"

#define CS_CLOCK_JUMP_MS 120000

typedef struct cs_engine cs_engine;

typedef struct cs_clock_watch {
	atomic_llong base;           /* wall ms less ms since boot, as it is trusted */
	atomic_bool held;            /* it jumped: nothing that sends leaves */
	bool known;                  /* held: the base is of this boot, so that time goes on by it */
	bool behind;                 /* held, not known: what the log says is later */
	int64_t jump;                /* held: by how much, ms; what the item says */
	char item[CS_ID_SIZE];       /* "": none is open */
} cs_clock_watch;

/* Before anything is recovered: what the engine before this one noted, and whether it held. LAST: wall ms of the
 * latest event. */
int cs_clock_start(cs_engine *e, int64_t last, cs_err *err);
/* {boot, offset} for engine.started; NULL: this clock is not watched. New reference. */
json_t *cs_clock_note(const cs_engine *e);
/* Is there something to be said of the clock, or nothing to be held any more? */
bool cs_clock_moved(const cs_engine *e);
/* Says it, in the open group, before anything else is done there. */
int cs_clock_look(cs_engine *e, cs_err *err);
/* The operator says that the clock is right as it is now. HOW: by what. Nothing where nothing is held. */
int cs_clock_accept(cs_engine *e, const char *how, cs_err *err);
/* Wall ms: by the engine's clock, or where that has jumped, as it went before. */
int64_t cs_engine_now(const cs_engine *e);
/* May a first byte leave, as far as the clock goes? Any thread. */
bool cs_clock_open(const cs_engine *e);

#endif
