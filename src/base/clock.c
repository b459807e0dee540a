/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/ascii.h"
#include "base/mem.h"

#define DAY_MS INT64_C(86400000)
#define MIN_MS (INT64_C(-719528) * DAY_MS)           /* 0000-01-01T00:00:00.000Z */
#define MAX_MS (INT64_C(2932897) * DAY_MS - 1)       /* 9999-12-31T23:59:59.999Z */

static int64_t now_ns(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t cs_clock_wall_ms(void)
{
	return now_ns(CLOCK_REALTIME) / 1000000;
}

int64_t cs_clock_mono_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}

int64_t cs_clock_boot_ms(void)
{
	return now_ns(CLOCK_BOOTTIME) / 1000000;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so
 * that the leap day comes last; an era is 400 years, 146097 days. */
int64_t cs_days_from_date(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (int64_t)((month + 9) % 12) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void cs_date_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

static void put(char *out, unsigned value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		out[i] = (char)('0' + value % 10);
}

void cs_time_format(int64_t ms, char out[CS_TIME_SIZE])
{
	ms = ms < MIN_MS ? MIN_MS : ms > MAX_MS ? MAX_MS : ms;
	int64_t days = ms / DAY_MS - (ms % DAY_MS < 0), year;
	unsigned of_day = (unsigned)(ms - days * DAY_MS), month, day;
	cs_date_from_days(days, &year, &month, &day);
	memcpy(out, "0000-00-00T00:00:00.000Z", CS_TIME_SIZE);
	put(out, (unsigned)year, 4);
	put(out + 5, month, 2);
	put(out + 8, day, 2);
	put(out + 11, of_day / 3600000, 2);
	put(out + 14, of_day / 60000 % 60, 2);
	put(out + 17, of_day / 1000 % 60, 2);
	put(out + 20, of_day % 1000, 3);
}

/* Exactly N digits, or -1. */
static int digits(const char **s, int n)
{
	int v = 0;
	for (int i = 0; i < n; i++, ++*s) {
		if (!cs_ascii_digit(**s))
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

static bool accept(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

static bool field(const char **s, int n, int min, int max, int *ret)
{
	const char *start = *s;
	*ret = digits(s, n);
	if (*ret >= min && *ret <= max)
		return true;
	*s = start;
	return false;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap);
}

static bool parse_fraction(const char **s, int *ret_ms)
{
	*ret_ms = 0;
	if (!cs_ascii_digit(**s))
		return false;
	for (int scale = 100; cs_ascii_digit(**s); scale /= 10, ++*s)
		*ret_ms += (**s - '0') * scale;
	return true;
}

static bool parse_offset(const char **s, int *ret_minutes)
{
	int hours, minutes;
	*ret_minutes = 0;
	if (accept(s, 'Z') || accept(s, 'z'))
		return true;
	bool west = **s == '-';
	if (!west && **s != '+')
		return false;
	++*s;
	if (!field(s, 2, 0, 23, &hours) || !accept(s, ':') || !field(s, 2, 0, 59, &minutes))
		return false;
	*ret_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
	return true;
}

static bool parse_date(const char **s, int64_t *ret_days)
{
	int y, m, d;
	if (!field(s, 4, 0, 9999, &y) || !accept(s, '-') || !field(s, 2, 1, 12, &m) || !accept(s, '-') ||
	    !field(s, 2, 1, month_days(y, m), &d))
		return false;
	*ret_days = cs_days_from_date(y, (unsigned)m, (unsigned)d);
	return true;
}

struct time_of_day {
	int hour, minute, second, ms;
	const char *at_second;
};

static bool parse_time_of_day(const char **s, struct time_of_day *t)
{
	t->ms = 0;
	if (!field(s, 2, 0, 23, &t->hour) || !accept(s, ':') || !field(s, 2, 0, 59, &t->minute) || !accept(s, ':'))
		return false;
	t->at_second = *s;
	if (!field(s, 2, 0, 60, &t->second))
		return false;
	return !accept(s, '.') || parse_fraction(s, &t->ms);
}

/* *s stays where the text stops being a time. */
static bool parse_time(const char **s, int64_t *ret_ms)
{
	int64_t days;
	struct time_of_day t;
	int offset;
	if (!parse_date(s, &days) || (!accept(s, 'T') && !accept(s, 't')))
		return false;
	if (!parse_time_of_day(s, &t) || !parse_offset(s, &offset) || **s)
		return false;
	int minutes = t.hour * 60 + t.minute - offset;
	/* A leap second is the last of a UTC day; POSIX time counts it as the first of the next. */
	if (t.second == 60 && (minutes + 1440) % 1440 != 1439) {
		*s = t.at_second;
		return false;
	}
	if (t.second == 60)
		t.ms = 0;
	*ret_ms = days * DAY_MS + minutes * INT64_C(60000) + t.second * INT64_C(1000) + t.ms;
	return true;
}

int cs_time_parse(const char *text, int64_t *ret_ms, cs_err *err)
{
	const char *s = text;
	int64_t ms;
	if (!parse_time(&s, &ms))
		return cs_err_at(err, CS_ESYNTAX, NULL, 1, (unsigned)(s - text) + 1,
				 "not a time; write it as 2026-11-22T17:00:00Z (RFC 3339, with Z or an offset)");
	if (ms < MIN_MS || ms > MAX_MS)
		return cs_err_set(err, CS_EINVAL, "a time outside the years 0000 to 9999 in UTC; write one within");
	*ret_ms = ms;
	return 0;
}

struct unit {
	char letter;
	bool of_time;      /* after the T */
	int64_t ms;
};

/* In the order in which they may come. */
static const struct unit units[] = {
	{ 'W', false, 7 * DAY_MS }, { 'D', false, DAY_MS },   { 'H', true, 3600000 },
	{ 'M', true, 60000 },       { 'S', true, 1000 },
};

struct quantity {
	int64_t whole;
	int ms;            /* of the fraction, were it seconds */
	bool has_fraction;
};

static bool parse_quantity(const char **s, struct quantity *q)
{
	*q = (struct quantity){ 0 };
	if (!cs_ascii_digit(**s))
		return false;
	for (; cs_ascii_digit(**s); ++*s)
		if (__builtin_mul_overflow(q->whole, 10, &q->whole) || __builtin_add_overflow(q->whole, **s - '0', &q->whole))
			return false;
	if (!accept(s, '.') && !accept(s, ','))
		return true;
	q->has_fraction = true;
	return parse_fraction(s, &q->ms);
}

/* One "12M" or "0.4S"; *next is the first unit still allowed. */
static bool parse_component(const char **s, bool in_time, size_t *next, int64_t *sum)
{
	struct quantity q;
	if (!parse_quantity(s, &q))
		return false;
	size_t i = *next;
	while (i < CS_ARRAY_LEN(units) && (units[i].letter != **s || units[i].of_time != in_time))
		i++;
	if (i == CS_ARRAY_LEN(units) || (q.has_fraction && units[i].letter != 'S'))
		return false;
	int64_t ms;
	if (__builtin_mul_overflow(q.whole, units[i].ms, &ms) || __builtin_add_overflow(ms, q.ms, &ms) ||
	    __builtin_add_overflow(*sum, ms, sum))
		return false;
	*next = i + 1;
	++*s;
	return true;
}

static bool parse_duration(const char **s, int64_t *ret_ms)
{
	int64_t sum = 0;
	size_t next = 0;
	bool in_time = false, any = false, weeks = false;
	if (!accept(s, 'P'))
		return false;
	while (**s) {
		if (!in_time && accept(s, 'T')) {
			in_time = true;
			any = false;
			if (weeks)
				return false;
		}
		/* Weeks stand alone (ISO 8601, RFC 3339 appendix A). */
		if (weeks || !parse_component(s, in_time, &next, &sum))
			return false;
		any = true;
		weeks = next == 1;
	}
	*ret_ms = sum;
	return any;
}

int cs_duration_parse(const char *text, int64_t *ret_ms, cs_err *err)
{
	const char *s = text;
	int64_t ms;
	if (!parse_duration(&s, &ms)) {
		bool calendar = strchr(text, 'Y') || (*s == 'M' && !memchr(text, 'T', (size_t)(s - text)));
		return cs_err_at(err, CS_ESYNTAX, NULL, 1, (unsigned)(s - text) + 1, "%s",
				 calendar ? "years and months have no fixed length; give days, as in P30D"
					  : "not a duration; write it as PT30S, PT1H30M, P3DT4H or P1W (ISO 8601)");
	}
	*ret_ms = ms;
	return 0;
}

void cs_duration_show(int64_t ms, char *out, size_t size)
{
	const char *sign = ms < 0 ? "-" : "";
	uint64_t v = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	unsigned long long s = v / 1000, m = s / 60, h = m / 60;
	unsigned tenths = (unsigned)(v / 100 % 10);
	if (v == 0)
		snprintf(out, size, "0s");
	else if (v < 100)
		snprintf(out, size, "%s%llums", sign, (unsigned long long)v);
	else if (s < 10 && tenths)
		snprintf(out, size, "%s%llu.%us", sign, s, tenths);
	else if (s < 60)
		snprintf(out, size, "%s%llus", sign, s);
	else if (m < 60)
		snprintf(out, size, "%s%llum", sign, m);
	else if (h < 24 && m % 60)
		snprintf(out, size, "%s%lluh%02llu", sign, h, m % 60);
	else if (h < 24)
		snprintf(out, size, "%s%lluh", sign, h);
	else
		snprintf(out, size, "%s%llud", sign, h / 24);
}
