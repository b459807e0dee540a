/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a schedule comes: by a cron expression, at an interval, or some time after something. Pure. */
#ifndef CS_ENGINE_SCHEDULE_TIMES_H
#define CS_ENGINE_SCHEDULE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/zone.h"
#include "flow/cron.h"

typedef struct cs_times {
	enum { CS_TIMES_CRON, CS_TIMES_EVERY, CS_TIMES_AFTER } how;
	cs_cron cron;
	int64_t period;              /* ms; EVERY, AFTER */
} cs_times;

typedef struct cs_instant {
	int64_t ms;                  /* wall */
	int64_t local;               /* CRON: the minute that the clock shows, since 1970 */
} cs_instant;

/* The first one later than AFTER, where BASE is one of them, or where the counting begins (EVERY).
 * False: none comes by itself. Z is used by CRON only. */
bool cs_times_next(const cs_times *t, const cs_zone *z, int64_t base, int64_t after, cs_instant *ret);
/* The latest of those from FIRST, which is one of them, to NOW; ascending, MAX at most. How many. */
size_t cs_times_between(const cs_times *t, const cs_zone *z, int64_t first, int64_t now, cs_instant *ret, size_t max);

#endif
