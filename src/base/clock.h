/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time. Wall time is milliseconds since 1970-01-01 UTC; monotonic time is nanoseconds. */
#ifndef CS_BASE_CLOCK_H
#define CS_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

int64_t cs_clock_wall_ms(void);
int64_t cs_clock_mono_ns(void);
int64_t cs_clock_boot_ms(void);                       /* CLOCK_BOOTTIME */

/* Days since 1970-01-01 in the proleptic Gregorian calendar, and back; month and day count from 1. */
int64_t cs_days_from_date(int64_t year, unsigned month, unsigned day);
void cs_date_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

/* RFC 3339 in UTC with milliseconds: "2026-11-22T17:00:00.000Z" plus NUL. */
#define CS_TIME_SIZE 25
void cs_time_format(int64_t ms, char out[CS_TIME_SIZE]);
/* Any offset. A leap second (only at 23:59:60 UTC) is the next second, as POSIX counts; digits
 * beyond milliseconds are cut. CS_ESYNTAX with the column, CS_EINVAL outside the years 0 to 9999. */
int cs_time_parse(const char *text, int64_t *ret_ms, cs_err *err);
/* ISO 8601 duration (PT30S, P3DT4H, PT0.4S, P1W; years and months refused) in milliseconds. */
int cs_duration_parse(const char *text, int64_t *ret_ms, cs_err *err);
/* For people: "4m", "3h56", "2d", "0.4s". */
void cs_duration_show(int64_t ms, char *out, size_t size);

#endif
