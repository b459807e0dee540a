/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dates, times and durations: RFC 3339, section 5.6 and appendix A. */
#include <string.h>
#include "base/ascii.h"
#include "flow/schema_in.h"

/* N digits at *s, which moves on; -1 when they are not there. */
static int number(const char **s, const char *end, int n)
{
	int value = 0;

	if (end - *s < n)
		return -1;
	for (int i = 0; i < n; i++, (*s)++) {
		if (!cs_ascii_digit(**s))
			return -1;
		value = value * 10 + (**s - '0');
	}
	return value;
}

static bool eat(const char **s, const char *end, char c)
{
	if (*s == end || **s != c)
		return false;
	(*s)++;
	return true;
}

static int days_in(int year, int month)
{
	static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : DAYS[month - 1];
}

static bool date(const char **s, const char *end)
{
	int year = number(s, end, 4);
	int month = year >= 0 && eat(s, end, '-') ? number(s, end, 2) : -1;
	int day = month >= 1 && month <= 12 && eat(s, end, '-') ? number(s, end, 2) : -1;

	return day >= 1 && day <= days_in(year, month);
}

/* Minutes to take from the local time for UTC; false when there is no offset. */
static bool offset(const char **s, const char *end, int *ret_minutes)
{
	if (eat(s, end, 'Z') || eat(s, end, 'z')) {
		*ret_minutes = 0;
		return true;
	}
	bool west = eat(s, end, '-');

	if (!west && !eat(s, end, '+'))
		return false;
	int h = number(s, end, 2);
	int m = h >= 0 && h < 24 && eat(s, end, ':') ? number(s, end, 2) : -1;

	if (m < 0 || m > 59)
		return false;
	*ret_minutes = (west ? -1 : 1) * (h * 60 + m);
	return true;
}

static bool time_of_day(const char **s, const char *end)
{
	int h = number(s, end, 2);
	int m = h >= 0 && h < 24 && eat(s, end, ':') ? number(s, end, 2) : -1;
	int sec = m >= 0 && m < 60 && eat(s, end, ':') ? number(s, end, 2) : -1;
	int east;

	if (sec < 0 || sec > 60)
		return false;
	if (eat(s, end, '.')) {
		if (number(s, end, 1) < 0)
			return false;
		while (*s < end && cs_ascii_digit(**s))
			(*s)++;
	}
	if (!offset(s, end, &east))
		return false;
	/* A leap second is the last of a UTC day. */
	return sec < 60 || (h * 60 + m - east + 2880) % 1440 == 1439;
}

bool cs_format_date(const char *s, size_t len)
{
	const char *end = s + len;

	return date(&s, end) && s == end;
}

bool cs_format_time(const char *s, size_t len)
{
	const char *end = s + len;

	return time_of_day(&s, end) && s == end;
}

bool cs_format_date_time(const char *s, size_t len)
{
	const char *end = s + len;

	return date(&s, end) && (eat(&s, end, 'T') || eat(&s, end, 't')) && time_of_day(&s, end) && s == end;
}

/* Numbers with units from UNITS, in that order and without a gap between the first and the
 * last; how many there were, -1 when something else stands there. */
static int components(const char **s, const char *end, const char *units)
{
	int count = 0;

	while (*s < end && cs_ascii_digit(**s)) {
		while (*s < end && cs_ascii_digit(**s))
			(*s)++;
		const char *unit = *s < end && **s != '\0' ? strchr(units, **s) : NULL;

		if (unit == NULL || (count > 0 && unit != units))
			return -1;
		(*s)++;
		count++;
		units = unit + 1;
	}
	return count;
}

bool cs_format_duration(const char *s, size_t len)
{
	const char *end = s + len;

	if (!eat(&s, end, 'P'))
		return false;
	const char *weeks = s;

	if (components(&weeks, end, "W") == 1)
		return weeks == end;
	int days = components(&s, end, "YMD");

	if (days < 0)
		return false;
	if (!eat(&s, end, 'T'))
		return days > 0 && s == end;
	return components(&s, end, "HMS") > 0 && s == end;
}
