/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/zone_rule.h"

#include <string.h>
#include "base/ascii.h"
#include "base/clock.h"

enum { DAY = 86400, TWO_AM = 7200, HOUR = 3600, HOURS_OF_OFFSET = 24, HOURS_OF_TIME = 167 };

/* ---- the text: std offset [dst [offset] [,start [/time] ,end [/time]]] ----------------------------------- */

static bool skip_name(const char **p)
{
	const char *s = *p;
	if (*s == '<') {
		const char *end = strchr(s, '>');
		*p = end != NULL ? end + 1 : s;
		return end != NULL && end - s > 3;
	}
	while (cs_ascii_alpha(**p))
		(*p)++;
	return *p - s >= 3;
}

static bool number(const char **p, int max, int *ret)
{
	int n = 0;
	if (!cs_ascii_digit(**p))
		return false;
	for (; cs_ascii_digit(**p); (*p)++) {
		n = n * 10 + (**p - '0');
		if (n > max)
			return false;
	}
	*ret = n;
	return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool seconds(const char **p, int max_hours, int32_t *ret)
{
	bool negative = **p == '-';
	int part[3] = { 0, 0, 0 };
	if (**p == '-' || **p == '+')
		(*p)++;
	for (int i = 0; i < 3; i++) {
		if (i > 0 && **p != ':')
			break;
		if (i > 0)
			(*p)++;
		if (!number(p, i == 0 ? max_hours : 59, &part[i]))
			return false;
	}
	int32_t all = part[0] * HOUR + part[1] * 60 + part[2];
	*ret = negative ? -all : all;
	return true;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool weekday_date(const char **p, cs_zone_date *d)
{
	return number(p, 12, &d->month) && d->month >= 1 && skip(p, '.') && number(p, 5, &d->week) && d->week >= 1 &&
	       skip(p, '.') && number(p, 6, &d->day);
}

static bool date(const char **p, cs_zone_date *ret)
{
	cs_zone_date d = { .time = TWO_AM };
	bool ok;
	if (!skip(p, ','))
		return false;
	if (skip(p, 'M')) {
		d.how = CS_ZONE_WEEKDAY;
		ok = weekday_date(p, &d);
	} else if (skip(p, 'J')) {
		d.how = CS_ZONE_JULIAN;
		ok = number(p, 365, &d.day) && d.day >= 1;
	} else {
		d.how = CS_ZONE_DAY;
		ok = number(p, 365, &d.day);
	}
	if (ok && skip(p, '/'))
		ok = seconds(p, HOURS_OF_TIME, &d.time);
	*ret = d;
	return ok;
}

bool cs_zone_rule_parse(const char *text, cs_zone_rule *ret)
{
	cs_zone_rule r = { 0 };
	const char *p = text;
	if (!skip_name(&p) || !seconds(&p, HOURS_OF_OFFSET, &r.standard))
		return false;
	r.standard = -r.standard;                        /* POSIX counts westward */
	if (*p != '\0') {
		r.changes = true;
		r.summer = r.standard + HOUR;
		if (!skip_name(&p))
			return false;
		if (*p != ',') {
			if (!seconds(&p, HOURS_OF_OFFSET, &r.summer))
				return false;
			r.summer = -r.summer;
		}
		if (!date(&p, &r.start) || !date(&p, &r.end))
			return false;
	}
	if (*p != '\0')
		return false;
	*ret = r;
	return true;
}

/* ---- what it says ----------------------------------------------------------------------------------------- */

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t day_of(const cs_zone_date *d, int64_t year)
{
	int64_t first = cs_days_from_date(year, 1, 1);
	if (d->how == CS_ZONE_DAY)
		return first + d->day;
	if (d->how == CS_ZONE_JULIAN)                    /* day 60 is 1 March in every year */
		return first + d->day - 1 + (is_leap(year) && d->day >= 60);
	int64_t month = cs_days_from_date(year, (unsigned)d->month, 1);
	int64_t next = d->month == 12 ? cs_days_from_date(year + 1, 1, 1) : cs_days_from_date(year, (unsigned)d->month + 1, 1);
	int64_t weekday = ((month + 4) % 7 + 7) % 7;     /* 1970-01-01 was a Thursday */
	int64_t day = month + (d->day - weekday + 7) % 7 + 7 * (int64_t)(d->week - 1);
	while (day >= next)                              /* week 5 is the last one */
		day -= 7;
	return day;
}

int32_t cs_zone_rule_offset(const cs_zone_rule *r, int64_t t, int64_t *ret_until)
{
	int64_t until = INT64_MAX, last = INT64_MIN, year;
	int32_t offset = r->standard;
	unsigned month, day;
	if (r->changes) {
		int64_t days = t / DAY - (t % DAY < 0);
		cs_date_from_days(days, &year, &month, &day);
		/* The changes of the years around: a time may reach a week into the next. */
		for (int64_t y = year - 1; y <= year + 1; y++) {
			const int64_t start = day_of(&r->start, y) * DAY + r->start.time - r->standard;
			const int64_t end = day_of(&r->end, y) * DAY + r->end.time - r->summer;
			if (start <= t && start >= last) {
				last = start;
				offset = r->summer;
			}
			if (end <= t && end > last) {            /* one that ends as it starts next year never does */
				last = end;
				offset = r->standard;
			}
			until = start > t && start < until ? start : until;
			until = end > t && end < until ? end : until;
		}
	}
	if (ret_until != NULL)
		*ret_until = until;
	return offset;
}
