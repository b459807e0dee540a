/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "tui/when.h"

#define MINUTE 60000
#define MOST (10 * 366)          /* days */

static bool after(const char *text, int64_t now, int64_t *ret)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "m", MINUTE }, { "min", MINUTE }, { "h", 60 * MINUTE }, { "d", 1440 * (int64_t)MINUTE }, { "w", 10080 * (int64_t)MINUTE },
	};
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || errno || n < 1)
		return false;
	for (size_t i = 0; i < CS_ARRAY_LEN(units); i++) {
		if (strcmp(end, units[i].unit) == 0 && n <= (int64_t)MOST * 1440 * MINUTE / units[i].ms) {
			*ret = now + n * units[i].ms;
			return true;
		}
	}
	return false;
}

/* Today at HOUR:MINUTE in the local zone, or DAYS later. */
static int64_t local(int64_t now, int days, int hour, int minute)
{
	time_t t = (time_t)(now / 1000);
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return 0;
	tm.tm_mday += days;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * 1000;
}

static bool at_time(const char *text, int64_t now, int64_t *ret)
{
	int hour, minute, used = 0;

	if (strcmp(text, "tomorrow") == 0 || strcmp(text, _("tomorrow")) == 0) {
		*ret = local(now, 1, 8, 0);
		return true;
	}
	if (sscanf(text, "%2d:%2d%n", &hour, &minute, &used) != 2 || text[used] || hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	*ret = local(now, 0, hour, minute);
	if (*ret <= now)
		*ret = local(now, 1, hour, minute);
	return true;
}

int cs_when_parse(const char *text, int64_t now, int64_t *ret, cs_err *err)
{
	int64_t at = 0;

	if (!after(text, now, &at) && !at_time(text, now, &at) && cs_time_parse(text, &at, NULL) < 0)
		return cs_err_set(err, CS_EINVAL, _("“%.40s” is no time: write 30m, 4h, 2d, tomorrow or 14:30; nothing was changed"), text);
	if (at <= now)
		return cs_err_set(err, CS_EINVAL, _("“%.40s” is past: write a time to come; nothing was changed"), text);
	*ret = at;
	return CS_OK;
}
