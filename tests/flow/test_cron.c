/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/base/test.h"

#include "base/clock.h"
#include "flow/cron.h"

static cs_zone *zone(const char *name)
{
	cs_zone *z = NULL;
	cs_err err = { 0 };
	if (cs_zone_load(NULL, name, &z, &err) != CS_OK)
		fail_msg("%s: %s", name, err.msg);
	return z;
}

static cs_cron cron(const char *text)
{
	cs_cron c;
	cs_err err = { 0 };
	if (cs_cron_parse(text, &c, &err) != CS_OK)
		fail_msg("%s: %s", text, err.msg);
	return c;
}

static void the_next_one_comes_at(void **state)
{
	static const struct { const char *cron, *zone, *after, *next; } table[] = {
		{ "0 6 * * 2", "UTC", "2026-11-22T20:00:00.000Z", "2026-11-24T06:00:00.000Z" },
		{ "0 6 * * 2", "Europe/Paris", "2026-11-22T20:00:00.000Z", "2026-11-24T05:00:00.000Z" },
		{ "0 6 * * tue", "Europe/Paris", "2026-07-01T00:00:00.000Z", "2026-07-07T04:00:00.000Z" },
		{ "*/15 * * * *", "UTC", "2026-01-01T00:00:00.000Z", "2026-01-01T00:15:00.000Z" },
		{ "*/15 * * * *", "UTC", "2026-01-01T00:14:59.999Z", "2026-01-01T00:15:00.000Z" },
		{ "*/15 * * * *", "UTC", "2026-01-01T00:15:00.001Z", "2026-01-01T00:30:00.000Z" },
		{ "5-59/20 8-10 * * mon-fri", "UTC", "2026-11-20T10:45:00.000Z", "2026-11-23T08:05:00.000Z" },
		{ "0 0 29 2 *", "UTC", "2026-01-01T00:00:00.000Z", "2028-02-29T00:00:00.000Z" },
		{ "0 0 29 2 *", "UTC", "2096-03-01T00:00:00.000Z", "2104-02-29T00:00:00.000Z" },      /* 2100 is no leap year */
		{ "0 0 13 * 5", "UTC", "2026-11-01T00:00:00.000Z", "2026-11-06T00:00:00.000Z" },      /* the 13th, or a Friday */
		{ "0 0 */13 * 5", "UTC", "2026-11-01T00:00:00.000Z", "2026-11-27T00:00:00.000Z" },    /* both, for the field begins with a star */
		{ "0 0 31 * *", "UTC", "2026-02-01T00:00:00.000Z", "2026-03-31T00:00:00.000Z" },
		{ "0 0 * * 7", "UTC", "2026-11-22T00:00:00.000Z", "2026-11-29T00:00:00.000Z" },
		{ "0 0 * * fri-sun", "UTC", "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z" },
		{ "0 0 1 JAN,Jul *", "UTC", "2026-11-22T00:00:00.000Z", "2027-01-01T00:00:00.000Z" },
		{ "@daily", "America/New_York", "2026-11-22T20:00:00.000Z", "2026-11-23T05:00:00.000Z" },
		{ "@hourly", "Asia/Kolkata", "2026-11-22T20:00:00.000Z", "2026-11-22T20:30:00.000Z" },
		/* A clock that goes on: the first valid instant after, once, whatever was left out. */
		{ "30 2 * * *", "Europe/Paris", "2026-03-28T12:00:00.000Z", "2026-03-29T01:00:00.000Z" },
		{ "30 2 * * *", "Europe/Paris", "2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z" },
		{ "*/20 2,3 * * *", "Europe/Paris", "2026-03-29T00:59:59.000Z", "2026-03-29T01:00:00.000Z" },
		{ "*/20 2,3 * * *", "Europe/Paris", "2026-03-29T01:00:00.000Z", "2026-03-29T01:20:00.000Z" },
		{ "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00.000Z", "2026-10-03T15:30:00.000Z" },
		{ "0 9 30 12 *", "Pacific/Apia", "2011-12-29T20:00:00.000Z", "2011-12-30T10:00:00.000Z" },
		/* A clock that goes back: the first of the two. */
		{ "30 2 * * *", "Europe/Paris", "2026-10-24T12:00:00.000Z", "2026-10-25T00:30:00.000Z" },
		{ "30 2 * * *", "Europe/Paris", "2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z" },
		{ "30 2 * * *", "Europe/Paris", "2026-10-25T01:15:00.000Z", "2026-10-26T01:30:00.000Z" },      /* between the two */
		{ "0 * * * *", "America/New_York", "2026-11-01T05:00:00.000Z", "2026-11-01T07:00:00.000Z" },
		{ "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T14:45:00.000Z", "2026-04-05T15:15:00.000Z" },
	};
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(table); i++) {
		cs_cron c = cron(table[i].cron);
		cs_zone *z = zone(table[i].zone);
		int64_t after, at;
		char got[CS_TIME_SIZE];
		assert_int_equal(cs_time_parse(table[i].after, &after, NULL), CS_OK);
		assert_int_equal(cs_cron_next(&c, z, after, &at, NULL, NULL), CS_OK);
		cs_time_format(at, got);
		if (strcmp(got, table[i].next) != 0)
			fail_msg("%s in %s after %s: %s, not %s", table[i].cron, table[i].zone, table[i].after, got, table[i].next);
		cs_zone_free(z);
	}
}

static void what_is_no_cron_expression_is_said_with_its_place(void **state)
{
	static const struct { const char *text; unsigned col; const char *says; } table[] = {
		{ "", 1, "five fields" }, { "* * * *", 1, "five fields" }, { "0 * * * * *", 1, "no seconds" },
		{ "60 * * * *", 1, "not between 0 and 59" }, { "0 24 * * *", 3, "not between 0 and 23" }, { "0 0 0 * *", 5, "not between 1 and 31" },
		{ "0 0 * 13 *", 7, "not between 1 and 12" }, { "0 0 * * 8", 9, "not between 0 and 7" }, { "0 0 * * L", 9, "neither a number nor a name" },
		{ "5/15 * * * *", 1, "only a range" }, { "*/0 * * * *", 3, "not a step" }, { "*/x * * * *", 3, "not a step" },
		{ "30-10 * * * *", 1, "backwards" }, { "1, * * * *", 3, "not a number" }, { "0 0 * * 5#2", 10, "does not belong" },
		{ "0 0 ? * *", 5, "not a number" }, { "@reboot", 1, "@hourly" }, { "0 0 30 2 *", 1, "never" }, { "99999999999 * * * *", 1, "too large" },
		{ "mon * * * *", 1, "not a number" }, { "0 0 * monday *", 7, "neither" },
	};
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(table); i++) {
		cs_cron c;
		cs_err err = { 0 };
		assert_int_equal(cs_cron_parse(table[i].text, &c, &err), CS_ESYNTAX);
		if (strstr(err.msg, table[i].says) == NULL || err.col != table[i].col)
			fail_msg("'%s': column %u: %s", table[i].text, err.col, err.msg);
	}
}

static bool shows(const cs_cron *c, int64_t local)
{
	int64_t days = local / 1440, year;
	unsigned month, day, minute = (unsigned)(local % 1440);
	cs_date_from_days(days, &year, &month, &day);
	bool by_day = c->days >> day & 1, by_weekday = c->weekdays >> ((days + 4) % 7) & 1;
	return c->minutes >> (minute % 60) & 1 && c->hours >> (minute / 60) & 1 && c->months >> month & 1 &&
	       (c->any_day || c->any_weekday ? by_day && by_weekday : by_day || by_weekday);
}

/* Every minute of a year, one after the other, by a clock that is only read: what it shows for the
 * first time, and what it has left out, is when something comes. */
static void a_year_minute_by_minute_says_the_same(void **state)
{
	static const char *const crons[] = {
		"* * * * *", "0 * * * *", "30 2 * * *", "*/7 1-3 * * *", "15,45 0,2,23 * * 0", "59 23 31 * *", "0 0 13 * 5", "3 2 */2 3,10,11 *",
	};
	static const struct { const char *zone, *from; } zones[] = {
		{ "UTC", "2026-01-01T00:00:00Z" }, { "Europe/Paris", "2026-01-01T00:00:00Z" }, { "America/New_York", "2027-01-01T00:00:00Z" },
		{ "Australia/Lord_Howe", "2026-01-01T00:00:00Z" }, { "Pacific/Apia", "2011-06-01T00:00:00Z" }, { "America/Sao_Paulo", "2018-01-01T00:00:00Z" },
	};
	(void)state;
	for (size_t k = 0; k < CS_ARRAY_LEN(zones); k++)
		for (size_t i = 0; i < CS_ARRAY_LEN(crons); i++) {
			cs_cron c = cron(crons[i]);
			cs_zone *z = zone(zones[k].zone);
			int64_t from, next = 0, n = 0;
			assert_int_equal(cs_time_parse(zones[k].from, &from, NULL), CS_OK);
			from /= 1000;
			int64_t shown = (from - 60 + cs_zone_offset(z, from - 60, NULL)) / 60;
			assert_int_equal(cs_cron_next(&c, z, from * 1000 - 1, &next, NULL, NULL), CS_OK);
			for (int64_t t = from; t < from + 366 * 86400; t += 60) {
				int64_t local = (t + cs_zone_offset(z, t, NULL)) / 60;
				bool comes = false;
				for (; shown < local; shown++)
					comes = shows(&c, shown + 1) || comes;
				if (comes != (next == t * 1000))
					fail_msg("%s in %s at %lld: %d", crons[i], zones[k].zone, (long long)t, comes);
				n += comes;
				if (comes)
					assert_int_equal(cs_cron_next(&c, z, t * 1000, &next, NULL, NULL), CS_OK);
			}
			assert_true(n > 0);
			cs_zone_free(z);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_one_comes_at),
		cmocka_unit_test(what_is_no_cron_expression_is_said_with_its_place),
		cmocka_unit_test(a_year_minute_by_minute_says_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
