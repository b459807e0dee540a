/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cron expressions: minute, hour, day of the month, month, day of the week, as crontab(5) of Vixie
 * cron has them; and when the next one comes by the clock of a time zone. Pure. */
#ifndef CS_FLOW_CRON_H
#define CS_FLOW_CRON_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/zone.h"

typedef struct cs_cron {
	uint64_t minutes;            /* bit n: at minute n */
	uint32_t hours, days;        /* days from bit 1 */
	uint16_t months;             /* from bit 1 */
	uint8_t weekdays;            /* bit 0: Sunday */
	bool any_day, any_weekday;   /* the field begins with `*`: a day must fit both; else one of the two is enough */
} cs_cron;

/* Five fields of numbers, names (jan, mon), ranges (1-5), steps (0-30/10, or * with a step), lists (1,15); or
 * @hourly @daily @midnight @weekly @monthly @yearly @annually. CS_ESYNTAX with the column in ERR. */
int cs_cron_parse(const char *text, cs_cron *ret, cs_err *err);

/* When it comes next after AFTER_MS (wall ms) by the clock of Z. A local minute that the clock
 * leaves out comes when the clock goes on, together with the others that were left out; one that
 * it shows twice comes the first time only. *ret_local (may be NULL): the minute that the clock
 * shows, or would have, in minutes since 1970. CS_ENOTFOUND: never. */
int cs_cron_next(const cs_cron *c, const cs_zone *z, int64_t after_ms, int64_t *ret_ms, int64_t *ret_local, cs_err *err);

#endif
