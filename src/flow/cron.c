/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/cron.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "base/ascii.h"
#include "base/clock.h"
#include "base/mem.h"

/* The Gregorian calendar repeats after 28 years, and over a century without a leap day after 40. */
enum { DAY_MINUTES = 1440, LOOK_DAYS = 41 * 366, FIELDS = 5, TEXT_MAX = 256 };

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekdays[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct field {
	const char *what;
	unsigned min, max;
	const char *const *names;    /* the first one is MIN */
} fields[FIELDS] = {
	{ "the minute", 0, 59, NULL }, { "the hour", 0, 23, NULL }, { "the day of the month", 1, 31, NULL },
	{ "the month", 1, 12, months }, { "the day of the week", 0, 7, weekdays },
};

static const struct { const char *word, *same; } words[] = {
	{ "@hourly", "0 * * * *" }, { "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" }, { "@weekly", "0 0 * * 0" },
	{ "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" },
};

/* ---- the text ----------------------------------------------------------------------------------------------- */

typedef struct reader {
	const char *text, *p;
	const struct field *f;
	cs_err *err;
} reader;

static int fail(reader *r, const char *at, const char *why)
{
	size_t n = strcspn(at, ", \t");
	return cs_err_at(r->err, CS_ESYNTAX, NULL, 0, (unsigned)(at - r->text) + 1, "a cron expression: %s: '%.*s' %s", r->f->what,
			 (int)(n < 40 ? n : 40), at, why);
}

static int read_name(reader *r, unsigned *ret)
{
	for (size_t i = 0; r->f->names != NULL && r->f->names[i] != NULL; i++)
		if (strncasecmp(r->p, r->f->names[i], 3) == 0 && !isalnum((unsigned char)r->p[3])) {
			*ret = r->f->min + (unsigned)i;
			r->p += 3;
			return CS_OK;
		}
	return fail(r, r->p, r->f->names != NULL ? "is neither a number nor a name like mon or jan" : "is not a number");
}

static int read_number(reader *r, unsigned *ret)
{
	const char *start = r->p;
	unsigned n = 0;
	if (!cs_ascii_digit(*r->p))
		return read_name(r, ret);
	for (; cs_ascii_digit(*r->p); r->p++) {
		n = n * 10 + (unsigned)(*r->p - '0');
		if (n > 1000)
			return fail(r, start, "is too large");
	}
	*ret = n;
	return CS_OK;
}

static int in_bounds(reader *r, const char *at, unsigned n)
{
	char why[64];
	if (n >= r->f->min && n <= r->f->max)
		return CS_OK;
	(void)snprintf(why, sizeof why, "is not between %u and %u", r->f->min, r->f->max);
	return fail(r, at, why);
}

/* A range with where it begins and ends; *ret_one: it is a single number. */
static int read_range(reader *r, unsigned *from, unsigned *to, bool *ret_one)
{
	const char *start = r->p;
	*ret_one = false;
	*from = r->f->min;
	*to = r->f->max == 7 ? 6 : r->f->max;            /* 7 is Sunday once more */
	if (*r->p == '*') {
		r->p++;
		return CS_OK;
	}
	int rc = read_number(r, from);
	if (rc == CS_OK)
		rc = in_bounds(r, start, *from);
	*to = *from;
	*ret_one = *r->p != '-';
	if (rc != CS_OK || *ret_one)
		return rc;
	const char *second = ++r->p;
	rc = read_number(r, to);
	if (rc == CS_OK)
		rc = in_bounds(r, second, *to);
	if (rc == CS_OK && r->f->max == 7 && *to == 0)
		*to = 7;                                 /* fri-sun */
	if (rc == CS_OK && *to < *from)
		rc = fail(r, start, "runs backwards; write it as two ranges with a comma");
	return rc;
}

static int read_part(reader *r, uint64_t *bits)
{
	const char *start = r->p;
	unsigned from, to, step = 1;
	bool one;
	int rc = read_range(r, &from, &to, &one);
	if (rc == CS_OK && *r->p == '/') {
		const char *at = ++r->p;
		if (one)
			return fail(r, start, "has a step, but only a range or * may have one; write it like 5-59/15");
		if (!cs_ascii_digit(*at))
			return fail(r, at, "is not a step; a step is a number of 1 or more");
		rc = read_number(r, &step);
		if (rc == CS_OK && (step == 0 || step > r->f->max))
			return fail(r, at, "is not a step that fits here");
	}
	if (rc == CS_OK && *r->p != '\0' && strchr(", \t", *r->p) == NULL)
		return fail(r, r->p, "does not belong here");
	for (unsigned n = from; rc == CS_OK && n <= to; n += step)
		*bits |= UINT64_C(1) << n;
	return rc;
}

static int read_field(reader *r, uint64_t *bits)
{
	for (;;) {
		int rc = read_part(r, bits);
		if (rc != CS_OK || *r->p != ',')
			return rc;
		r->p++;
	}
}

static size_t count_fields(const char *text)
{
	size_t n = 0;
	while (*(text += strspn(text, " \t")) != '\0') {
		n++;
		text += strcspn(text, " \t");
	}
	return n;
}

static int of_word(const char *text, const char **ret, cs_err *err)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i].word) == 0) {
			*ret = words[i].same;
			return CS_OK;
		}
	return cs_err_at(err, CS_ESYNTAX, NULL, 0, 1, "a cron expression: %.40s is not known; there are @hourly, @daily, @midnight, @weekly, @monthly, "
			  "@yearly, @annually, and `every` for an interval", text);
}

/* ---- when it comes -------------------------------------------------------------------------------------------- */

static bool fits_day(const cs_cron *c, int64_t days)
{
	int64_t year;
	unsigned month, day;
	cs_date_from_days(days, &year, &month, &day);
	if (!(c->months >> month & 1))
		return false;
	unsigned weekday = (unsigned)(((days + 4) % 7 + 7) % 7);
	bool by_day = c->days >> day & 1, by_weekday = c->weekdays >> weekday & 1;
	return c->any_day || c->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* The first minute of a day that fits, from FROM on; -1: none. */
static int minute_of_day(const cs_cron *c, int from)
{
	for (int hour = from / 60; hour < 24; hour++) {
		int first = hour == from / 60 ? from % 60 : 0;
		uint64_t left = c->hours >> hour & 1 ? c->minutes >> first : 0;
		if (left != 0)
			return hour * 60 + first + __builtin_ctzll(left);
	}
	return -1;
}

/* The first local minute that fits, from LOCAL on; -1: none. */
static int64_t next_minute(const cs_cron *c, int64_t local)
{
	int64_t days = local / DAY_MINUTES - (local % DAY_MINUTES < 0);
	int from = (int)(local - days * DAY_MINUTES);
	for (int64_t end = days + LOOK_DAYS; days < end; days++, from = 0) {
		int minute = fits_day(c, days) ? minute_of_day(c, from) : -1;
		if (minute >= 0)
			return days * DAY_MINUTES + minute;
	}
	return -1;
}

int cs_cron_next(const cs_cron *c, const cs_zone *z, int64_t after_ms, int64_t *ret_ms, int64_t *ret_local, cs_err *err)
{
	int64_t after = after_ms / 1000 - (after_ms % 1000 < 0);
	int64_t shown = after + cs_zone_offset(z, after, NULL);
	for (int64_t local = shown / 60 - (shown % 60 < 0);; local++) {
		local = next_minute(c, local);
		if (local < 0)
			return cs_err_set(err, CS_ENOTFOUND, "a day like that never comes");
		int64_t at = cs_zone_first(z, local * 60);
		if (at <= after)         /* it is over, or was when the clock showed it first */
			continue;
		*ret_ms = at * 1000;
		if (ret_local != NULL)
			*ret_local = local;
		return CS_OK;
	}
}

int cs_cron_parse(const char *text, cs_cron *ret, cs_err *err)
{
	cs_cron c = { 0 };
	uint64_t bits[FIELDS] = { 0 };
	bool star[FIELDS];
	const char *trimmed = text + strspn(text, " \t");
	int rc = *trimmed == '@' ? of_word(trimmed, &text, err) : CS_OK;
	if (rc != CS_OK)
		return rc;
	size_t n = count_fields(text);
	if (n != FIELDS || strlen(text) > TEXT_MAX)
		return cs_err_at(err, CS_ESYNTAX, NULL, 0, 1, "a cron expression has five fields, minute, hour, day of the month, month, day of the week%s; "
				  "this has %zu", n == 6 ? ", and no seconds" : "", n);
	reader r = { .text = text, .p = text, .err = err };
	for (size_t i = 0; i < FIELDS && rc == CS_OK; i++) {
		r.f = &fields[i];
		r.p += strspn(r.p, " \t");
		star[i] = *r.p == '*';
		rc = read_field(&r, &bits[i]);
	}
	if (rc != CS_OK)
		return rc;
	c = (cs_cron){ .minutes = bits[0], .hours = (uint32_t)bits[1], .days = (uint32_t)bits[2], .months = (uint16_t)bits[3],
		       .weekdays = (uint8_t)((bits[4] | bits[4] >> 7) & 0x7f), .any_day = star[2], .any_weekday = star[4] };
	if (next_minute(&c, 0) < 0)
		return cs_err_at(err, CS_ESYNTAX, NULL, 0, 1, "a cron expression: no day is ever of this month and number; it would never start anything");
	*ret = c;
	return CS_OK;
}
