/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include <time.h>

#include "base/clock.h"

static void test_times_are_written_in_utc_with_milliseconds(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 951782400123, "2000-02-29T00:00:00.123Z" },
		{ 1795366800000, "2026-11-22T17:00:00.000Z" },
		{ -2203891200000, "1900-03-01T00:00:00.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ -62167219200000, "0000-01-01T00:00:00.000Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		char text[CS_TIME_SIZE];
		cs_time_format(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_dates_are_those_of_the_c_library(void **state)
{
	(void)state;
	for (int64_t ms = -62167219200000; ms < 253402300800000; ms += 86400000LL * 13 + 12345678) {
		char want[96], text[CS_TIME_SIZE];
		time_t s = (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
		struct tm tm;
		assert_non_null(gmtime_r(&s, &tm));
		snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			 tm.tm_min, tm.tm_sec, (int)(ms - (int64_t)s * 1000));
		cs_time_format(ms, text);
		assert_string_equal(text, want);
		int64_t back = 0;
		assert_int_equal(cs_time_parse(text, &back, NULL), 0);
		assert_true(back == ms);
	}
}

static void test_any_offset_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "2026-11-22T17:00:00Z", 1795366800000 },
		{ "2026-11-22t17:00:00z", 1795366800000 },
		{ "2026-11-22T18:30:00+01:30", 1795366800000 },
		{ "2026-11-22T09:00:00-08:00", 1795366800000 },
		{ "2026-11-23T00:00:00+07:00", 1795366800000 },
		{ "2026-11-22T17:00:00-00:00", 1795366800000 },
		{ "2026-11-22T17:00:00.1Z", 1795366800100 },
		{ "2026-11-22T17:00:00.1239999999Z", 1795366800123 },
		/* Leap seconds: the first second of the next day. */
		{ "1998-12-31T23:59:60Z", 915148800000 },
		{ "1998-12-31T15:59:60.7-08:00", 915148800000 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		int64_t ms = -1;
		assert_int_equal(cs_time_parse(rows[i].text, &ms, NULL), 0);
		assert_true(ms == rows[i].ms);
	}
}

static void test_what_is_no_time_is_refused_where_it_stops(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned col;
	} rows[] = {
		{ "", 1 }, { "2026-11-22", 11 }, { "2026-11-22 17:00:00Z", 11 }, { "2026-11-22T17:00:00", 20 }, { "2026-13-22T17:00:00Z", 6 },
		{ "2026-02-29T17:00:00Z", 9 }, { "1900-02-29T17:00:00Z", 9 }, { "2026-11-22T24:00:00Z", 12 }, { "2026-11-22T17:60:00Z", 15 },
		{ "2026-11-22T17:00:61Z", 18 }, { "2026-11-22T17:00:60Z", 18 }, { "1998-12-31T23:59:60+01:00", 18 },
		{ "2026-11-22T17:00:00.Z", 21 }, { "2026-11-22T17:00:00+0100", 23 }, { "2026-11-22T17:00:00+24:00", 21 },
		{ "2026-11-22T17:00:00Zx", 21 }, { "226-11-22T17:00:00Z", 1 }, { "2026-1-22T17:00:00Z", 6 }, { "+2026-11-22T17:00:00Z", 1 },
		{ "2026-11-22T17:00Z", 17 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		int64_t ms = 42;
		cs_err e;
		if (cs_time_parse(rows[i].text, &ms, &e) != CS_ESYNTAX || e.col != rows[i].col)
			fail_msg("%s: column %u", rows[i].text, e.col);
		assert_int_equal(ms, 42);
	}
	int64_t ms = 42;
	assert_int_equal(cs_time_parse("0000-01-01T00:00:00+01:00", &ms, NULL), CS_EINVAL);
	assert_int_equal(cs_time_parse("9999-12-31T23:59:59-01:00", &ms, NULL), CS_EINVAL);
	assert_int_equal(ms, 42);
}

static void test_durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "PT30S", 30000 }, { "P3DT4H", 273600000 }, { "PT0.4S", 400 }, { "PT0,4S", 400 }, { "P1W", 604800000 }, { "PT1H30M", 5400000 },
		{ "P1D", 86400000 }, { "PT0S", 0 }, { "PT1M0.0019S", 60001 }, { "PT36H", 129600000 }, { "PT1H1S", 3601000 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		int64_t ms = -1;
		if (cs_duration_parse(rows[i].text, &ms, NULL) < 0 || ms != rows[i].ms)
			fail_msg("%s: %lld", rows[i].text, (long long)ms);
	}
}

static void test_what_is_no_duration_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "P", "PT", "30S", "PT30", "P1Y", "P1M", "P1Y2D", "PT1S1M", "P1DT", "-PT1S", "PT-1S", "pt1s",
					     "P1H", "PT1D", "P1W1D", "P1WT1H", "PT0.5H", "PT.5S", "PT1.S", "PT1S ", " PT1S", "PT1S1S", "PTT1S",
					     "PT99999999999999999999S", "P106751991168D", "PT1e3S" };
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++) {
		int64_t ms = 42;
		cs_err e;
		if (cs_duration_parse(texts[i], &ms, &e) != CS_ESYNTAX)
			fail_msg("%s", texts[i]);
		assert_int_equal(ms, 42);
		assert_true(e.col > 0);
	}
	cs_err e;
	int64_t ms;
	cs_duration_parse("P1M", &ms, &e);
	assert_non_null(strstr(e.msg, "P30D"));
	cs_duration_parse("P1Y", &ms, &e);
	assert_non_null(strstr(e.msg, "P30D"));
	cs_duration_parse("P1H", &ms, &e);
	assert_null(strstr(e.msg, "P30D"));
}

static void test_durations_for_people(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "0s" }, { 12, "12ms" }, { 400, "0.4s" }, { 3000, "3s" }, { 9950, "9.9s" }, { 42900, "42s" }, { 240000, "4m" },
		{ 299999, "4m" }, { 14160000, "3h56" }, { 10980000, "3h03" }, { 10800000, "3h" }, { 172800000, "2d" }, { -240000, "-4m" },
		{ INT64_MIN, "-106751991167d" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		char text[32];
		cs_duration_show(rows[i].ms, text, sizeof text);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_clocks_run(void **state)
{
	(void)state;
	int64_t mono = cs_clock_mono_ns();
	assert_true(cs_clock_mono_ns() >= mono);
	assert_true(cs_clock_boot_ms() + 1 >= cs_clock_mono_ns() / 1000000 - 1000);
	assert_true(llabs(cs_clock_wall_ms() / 1000 - (int64_t)time(NULL)) <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_are_written_in_utc_with_milliseconds),
		cmocka_unit_test(test_dates_are_those_of_the_c_library),
		cmocka_unit_test(test_any_offset_is_read),
		cmocka_unit_test(test_what_is_no_time_is_refused_where_it_stops),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_what_is_no_duration_is_refused),
		cmocka_unit_test(test_durations_for_people),
		cmocka_unit_test(test_clocks_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
