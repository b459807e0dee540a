/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/hours.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/ascii.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/flow.h"

enum { SPANS_MAX = 64, CLOSED_MAX = 400, DAY_S = 86400, HORIZON_DAYS = 731, DAYS_OF_WEEK = 7 };

typedef struct span {
	unsigned days;               /* bit 0: Monday */
	int32_t from, to;            /* seconds of the day */
} span;

struct cs_hours {
	span spans[SPANS_MAX];       /* in the order of the text */
	size_t n_spans;
	int64_t closed[CLOSED_MAX][2];       /* days since 1970, both ends within */
	size_t n_closed;
};

/* ---- reading -------------------------------------------------------------------------------- */

static const char *skip(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

static int day_of(const char *p)
{
	static const char *const names[] = { "Mo", "Tu", "We", "Th", "Fr", "Sa", "Su" };
	for (int i = 0; i < DAYS_OF_WEEK; i++)
		if (strncmp(p, names[i], 2) == 0)
			return i;
	return -1;
}

/* Mo, Mo-Fr, Sa-Mo. */
static bool read_days(const char **p, unsigned *ret)
{
	int first = day_of(*p), last = first;
	if (first < 0)
		return true;         /* no days here: those before hold */
	*p += 2;
	if (**p == '-') {
		last = day_of(*p + 1);
		if (last < 0)
			return false;
		*p += 3;
	}
	*ret = 0;
	for (int i = first;; i = (i + 1) % DAYS_OF_WEEK) {
		*ret |= 1u << i;
		if (i == last)
			return true;
	}
}

static bool two_digits(const char *p, int max, int *ret)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret = (p[0] - '0') * 10 + (p[1] - '0');
	return *ret <= max;
}

static bool read_time(const char **p, int32_t *ret)
{
	int hour = 0, minute = 0;
	if (!two_digits(*p, 24, &hour) || (*p)[2] != ':' || !two_digits(*p + 3, 59, &minute) || (hour == 24 && minute > 0))
		return false;
	*ret = hour * 3600 + minute * 60;
	*p += 5;
	return true;
}

static bool read_span(const char **p, span *ret)
{
	*p = skip(*p);
	if (!read_days(p, &ret->days))
		return false;
	*p = skip(*p);
	if (!read_time(p, &ret->from) || **p != '-')
		return false;
	(*p)++;
	return read_time(p, &ret->to) && ret->from < ret->to;
}

static int read_working(cs_hours *h, const char *text, cs_err *err)
{
	span s = { .days = 0x7f };
	for (const char *p = text;;) {
		if (h->n_spans == SPANS_MAX)
			return cs_err_set(err, CS_EINVAL, "more than %d spans of hours", SPANS_MAX);
		if (!read_span(&p, &s))
			return cs_err_set(err, CS_EINVAL, "'%.60s' is not hours; write them like 'Mo-Fr 08:00-12:00, 13:00-18:00; Sa 09:00-12:00'", text);
		h->spans[h->n_spans++] = s;
		p = skip(p);
		if (*p == '\0')
			return CS_OK;
		if (*p != ',' && *p != ';')
			return cs_err_set(err, CS_EINVAL, "'%.60s' is not hours: after a span comes a comma, a semicolon, or the end", text);
		p++;
	}
}

/* Days since 1970 of YYYY-MM-DD. */
static bool read_date(const char *text, size_t n, int64_t *ret)
{
	char whole[32];
	int64_t ms = 0;
	if (n != 10)
		return false;
	snprintf(whole, sizeof whole, "%.10sT00:00:00Z", text);
	if (cs_time_parse(whole, &ms, NULL) != CS_OK)
		return false;
	*ret = ms / 1000 / DAY_S;
	return true;
}

static int read_closed(cs_hours *h, const char *text, cs_err *err)
{
	const char *dots = text != NULL ? strstr(text, "..") : NULL;
	int64_t from = 0, to = 0;
	bool ok = text != NULL && read_date(text, dots != NULL ? (size_t)(dots - text) : strlen(text), &from);
	to = from;
	if (ok && dots != NULL)
		ok = read_date(dots + 2, strlen(dots + 2), &to);
	if (!ok || to < from)
		return cs_err_set(err, CS_EINVAL, "'%.40s' is not a date or a range of dates; write 2026-12-24 or 2026-12-24..2027-01-02", text != NULL ? text : "");
	if (h->n_closed == CLOSED_MAX)
		return cs_err_set(err, CS_EINVAL, "more than %d closed days and ranges", CLOSED_MAX);
	h->closed[h->n_closed][0] = from;
	h->closed[h->n_closed++][1] = to;
	return CS_OK;
}

int cs_hours_new(const char *working, const json_t *closed, cs_hours **ret, int *ret_closed, cs_err *err)
{
	cs_hours *h = cs_xcalloc(1, sizeof *h);
	int rc = read_working(h, working, err);
	size_t i;
	json_t *one;
	*ret_closed = -1;
	if (rc == CS_OK) {
		json_array_foreach(closed, i, one) {
			rc = read_closed(h, json_string_value(one), err);
			*ret_closed = (int)i;
			if (rc != CS_OK)
				break;
		}
	}
	if (rc != CS_OK) {
		cs_hours_free(h);
		return rc;
	}
	*ret = h;
	return CS_OK;
}

void cs_hours_free(cs_hours *h)
{
	free(h);
}

/* ---- looking ---------------------------------------------------------------------------------- */

static bool is_open(const cs_hours *h, int64_t day, const span *s)
{
	int64_t weekday = ((day + 3) % DAYS_OF_WEEK + DAYS_OF_WEEK) % DAYS_OF_WEEK;      /* 1970-01-01 was a Thursday */
	for (size_t i = 0; i < h->n_closed; i++)
		if (day >= h->closed[i][0] && day <= h->closed[i][1])
			return false;
	return s->days >> weekday & 1;
}

static int64_t local_day(const cs_zone *zone, int64_t at_s)
{
	int64_t local = at_s + cs_zone_offset(zone, at_s, NULL);
	return local >= 0 ? local / DAY_S : -((-local + DAY_S - 1) / DAY_S);
}

int cs_hours_next(const cs_hours *h, const cs_zone *zone, int64_t at, int64_t *ret, cs_err *err)
{
	int64_t now = at / 1000, first = local_day(zone, now);
	for (int64_t day = first; day < first + HORIZON_DAYS; day++) {
		int64_t best = INT64_MAX;
		for (size_t i = 0; i < h->n_spans; i++) {
			const span *s = &h->spans[i];
			int64_t from = cs_zone_first(zone, day * DAY_S + s->from), to = cs_zone_first(zone, day * DAY_S + s->to);
			if (!is_open(h, day, s) || now >= to)
				continue;
			int64_t open = from > now ? from * 1000 : at;
			best = open < best ? open : best;
		}
		if (best != INT64_MAX) {
			*ret = best;
			return CS_OK;
		}
	}
	return cs_err_set(err, CS_ENOTFOUND, "there are no working hours in the next two years; see 'hours' in capstan.yaml");
}

int cs_hours_last(const cs_hours *h, const cs_zone *zone, int64_t at, int64_t *ret, cs_err *err)
{
	int64_t now = at / 1000, first = local_day(zone, now);
	for (int64_t day = first; day > first - HORIZON_DAYS; day--) {
		int64_t best = INT64_MIN;
		for (size_t i = 0; i < h->n_spans; i++) {
			const span *s = &h->spans[i];
			int64_t from = cs_zone_first(zone, day * DAY_S + s->from), to = cs_zone_first(zone, day * DAY_S + s->to);
			if (!is_open(h, day, s) || now < from)
				continue;
			int64_t open = now < to ? at : to * 1000;
			best = open > best ? open : best;
		}
		if (best != INT64_MIN) {
			*ret = best;
			return CS_OK;
		}
	}
	return cs_err_set(err, CS_ENOTFOUND, "there were no working hours in the two years before; see 'hours' in capstan.yaml");
}

/* ---- until ------------------------------------------------------------------------------------ */

static int read_span_of(const json_t *with, const char *key, int64_t *ret, cs_err *err)
{
	json_t *v = json_object_get(with, key);
	*ret = 0;
	if (v == NULL || json_is_null(v))
		return CS_OK;
	cs_err why = { 0 };
	int rc = cs_duration_value(v, ret, &why);
	return rc == CS_OK ? rc : cs_err_set(err, rc, "'%s' of until: %s", key, why.msg);
}

int cs_until_moment(const json_t *with, const cs_hours *h, const cs_zone *zone, int64_t now, int64_t *ret, cs_err *err)
{
	const char *at = cs_json_str(with, "at"), *hours = cs_json_str(with, "hours");
	int64_t moment = now, before = 0, after = 0;
	cs_err why = { 0 };
	if (at != NULL && cs_time_parse(at, &moment, &why) != CS_OK)
		return cs_err_set(err, CS_EINVAL, "'at' of until: %s", why.msg);
	int rc = read_span_of(with, "before", &before, err);
	if (rc == CS_OK)
		rc = read_span_of(with, "after", &after, err);
	if (rc != CS_OK)
		return rc;
	moment += after - before;
	if (hours == NULL) {
		*ret = moment;
		return CS_OK;
	}
	if (strcmp(hours, "working") != 0)
		return cs_err_set(err, CS_EINVAL, "'hours' of until is 'working', not '%.40s'", hours);
	if (h == NULL)
		return cs_err_set(err, CS_EINVAL, "'hours: working' needs 'hours: { working: … }' in capstan.yaml");
	return before > 0 ? cs_hours_last(h, zone, moment, ret, err) : cs_hours_next(h, zone, moment, ret, err);
}
