/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Working hours and the moment of `until`, in a zone with daylight saving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/hours.h"

#define OFFICE "Mo-Th 08:00-12:00, 13:00-18:00; Fr 08:00-14:00"

static cs_zone *paris(void)
{
	cs_zone *z = NULL;
	if (cs_zone_load(NULL, "Europe/Paris", &z, NULL) != CS_OK)
		skip();              /* no tz database here */
	return z;
}

static cs_hours *hours(const char *working, const char *closed)
{
	cs_hours *h = NULL;
	int where = 0;
	cs_err err = { 0 };
	json_t *list = closed ? json_loads(closed, 0, NULL) : NULL;
	if (cs_hours_new(working, list, &h, &where, &err) != CS_OK)
		fail_msg("%s", err.msg);
	json_decref(list);
	return h;
}

static void every_moment_is_moved_to_the_hours_beside_it(void **state)
{
	(void)state;
	static const struct {
		const char *with, *moment;
	} rows[] = {
		{ "{\"at\":\"2026-06-01T10:00:00+02:00\"}", "2026-06-01T08:00:00.000Z" },                            /* as it is */
		{ "{\"at\":\"2026-06-01T10:00:00+02:00\",\"before\":\"PT2H\"}", "2026-06-01T06:00:00.000Z" },
		{ "{\"at\":\"2026-06-01T10:00:00+02:00\",\"after\":{\"minutes\":90}}", "2026-06-01T09:30:00.000Z" },
		{ "{\"after\":\"PT1H\"}", "2026-06-06T11:00:00.000Z" },                                             /* from now, a Saturday */
		{ "{\"hours\":\"working\"}", "2026-06-08T06:00:00.000Z" },                                          /* Monday at eight */
		{ "{\"at\":\"2026-06-01T12:30:00+02:00\",\"hours\":\"working\"}", "2026-06-01T11:00:00.000Z" },      /* after lunch */
		{ "{\"at\":\"2026-06-01T12:30:00+02:00\",\"before\":\"PT0S\",\"hours\":\"working\"}", "2026-06-01T11:00:00.000Z" },
		{ "{\"at\":\"2026-06-01T13:00:00+02:00\",\"before\":\"PT30M\",\"hours\":\"working\"}", "2026-06-01T10:00:00.000Z" },
		{ "{\"at\":\"2026-06-08T10:00:00+02:00\",\"before\":\"P1D\",\"hours\":\"working\"}", "2026-06-05T12:00:00.000Z" },   /* Friday at two */
		{ "{\"at\":\"2026-12-24T07:00:00+01:00\",\"hours\":\"working\"}", "2027-01-04T07:00:00.000Z" },      /* closed over the turn of the year */
		{ "{\"at\":\"2026-03-30T00:00:00+02:00\",\"hours\":\"working\"}", "2026-03-30T06:00:00.000Z" },      /* the clocks went forward */
		{ "{\"at\":\"2026-03-27T20:00:00+01:00\",\"hours\":\"working\"}", "2026-03-30T06:00:00.000Z" },
		{ "{\"at\":\"2026-10-26T00:00:00+01:00\",\"hours\":\"working\"}", "2026-10-26T07:00:00.000Z" },      /* and back */
	};
	cs_zone *z = paris();
	cs_hours *h = hours(OFFICE, "[\"2026-12-24..2027-01-02\",\"2026-05-01\"]");
	int64_t now = 0;
	assert_int_equal(cs_time_parse("2026-06-06T10:00:00Z", &now, NULL), CS_OK);
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		json_t *with = json_loads(rows[i].with, 0, NULL);
		int64_t moment = 0;
		char text[CS_TIME_SIZE];
		cs_err err = { 0 };
		if (cs_until_moment(with, h, z, now, &moment, &err) != CS_OK)
			fail_msg("%s: %s", rows[i].with, err.msg);
		cs_time_format(moment, text);
		if (strcmp(text, rows[i].moment) != 0)
			fail_msg("%s gave %s, not %s", rows[i].with, text, rows[i].moment);
		json_decref(with);
	}
	cs_hours_free(h);
	cs_zone_free(z);
}

static void what_is_no_hours_is_said(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "Mo", "8-18", "Mo-Fr 18:00-08:00", "Mo-Fr 08:00-25:00", "Mo-Xx 08:00-10:00", "08:00-10:00 Mo", "Mo-Fr 08:00-18:00," };
	static const char *const days[] = { "[\"2026-13-01\"]", "[\"2027-01-02..2026-12-24\"]", "[3]", "[\"2026-01-01...2026-01-02\"]" };
	cs_hours *h = NULL;
	int where = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++)
		if (cs_hours_new(bad[i], NULL, &h, &where, NULL) != CS_EINVAL || where != -1)
			fail_msg("'%s' was taken", bad[i]);
	for (size_t i = 0; i < CS_ARRAY_LEN(days); i++) {
		json_t *closed = json_loads(days[i], 0, NULL);
		if (cs_hours_new("08:00-18:00", closed, &h, &where, NULL) != CS_EINVAL || where != 0)
			fail_msg("%s was taken", days[i]);
		json_decref(closed);
	}
}

static void a_year_without_hours_ends_in_a_sentence(void **state)
{
	(void)state;
	cs_zone *z = paris();
	cs_hours *h = hours("Mo 08:00-18:00", "[\"2020-01-01..2040-01-01\"]");
	json_t *with = json_pack("{s:s}", "hours", "working");
	int64_t moment = 0;
	cs_err err = { 0 };
	assert_int_equal(cs_until_moment(with, h, z, INT64_C(1780000000000), &moment, &err), CS_ENOTFOUND);
	assert_non_null(strstr(err.msg, "capstan.yaml"));
	assert_int_equal(cs_until_moment(with, NULL, z, 0, &moment, &err), CS_EINVAL);
	json_decref(with);
	cs_hours_free(h);
	cs_zone_free(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_moment_is_moved_to_the_hours_beside_it),
		cmocka_unit_test(what_is_no_hours_is_said),
		cmocka_unit_test(a_year_without_hours_ends_in_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
