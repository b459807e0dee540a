/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/base/test.h"

#include <time.h>
#include "base/clock.h"
#include "base/zone.h"

static cs_zone *zone(const char *name)
{
	cs_zone *z = NULL;
	cs_err err = { 0 };
	if (cs_zone_load(NULL, name, &z, &err) != CS_OK)
		fail_msg("%s: %s", name, err.msg);
	return z;
}

static int64_t utc(const char *text)
{
	int64_t ms;
	assert_int_equal(cs_time_parse(text, &ms, NULL), CS_OK);
	return ms / 1000;
}

static void only_a_name_of_the_database_is_one(void **state)
{
	static const char *const bad[] = { "", "/etc/passwd", "../../etc/passwd", "Europe/../../etc", "Europe//Paris", "Europe/", ".hidden", "a b", "Europe/Paris\n" };
	static const char *const good[] = { "UTC", "Europe/Paris", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "EST5EDT" };
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++) {
		cs_zone *z = NULL;
		assert_false(cs_zone_is_name(bad[i]));
		assert_int_equal(cs_zone_load(NULL, bad[i], &z, NULL), CS_EINVAL);
		assert_null(z);
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(good); i++)
		assert_true(cs_zone_is_name(good[i]));
	cs_zone *z = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_zone_load(NULL, "Europe/Atlantis", &z, &err), CS_ENOTFOUND);
	assert_non_null(strstr(err.msg, "tzdata"));
	assert_int_equal(cs_zone_load("/nonexistent", "UTC", &z, NULL), CS_OK);
	assert_int_equal(cs_zone_offset(z, 0, NULL), 0);
	cs_zone_free(z);
}

/* The C library reads the same files by a reader of its own: both must agree, to the end of the century. */
static void the_offset_is_what_the_c_library_says(void **state)
{
	static const char *const names[] = {
		"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca",
		"America/Sao_Paulo", "Asia/Tehran", "Europe/Dublin", "Pacific/Chatham", "America/Nuuk", "Antarctica/Troll", "Asia/Gaza",
	};
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		cs_zone *z = zone(names[i]);
		assert_int_equal(setenv("TZ", names[i], 1), 0);
		tzset();
		for (int64_t t = 0; t < utc("2100-01-01T00:00:00Z"); t += 8117) {
			struct tm tm;
			time_t at = (time_t)t;
			assert_non_null(localtime_r(&at, &tm));
			if (cs_zone_offset(z, t, NULL) != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d, not %ld", names[i], (long long)t, cs_zone_offset(z, t, NULL), tm.tm_gmtoff);
		}
		cs_zone_free(z);
	}
	unsetenv("TZ");
}

static void a_change_is_announced(void **state)
{
	cs_zone *z = zone("Europe/Paris");
	int64_t until = 0;
	(void)state;
	for (int year = 2020; year < 2080; year += 20) {
		char text[32];
		(void)snprintf(text, sizeof text, "%d-01-01T00:00:00Z", year);
		assert_int_equal(cs_zone_offset(z, utc(text), &until), 3600);
		assert_int_equal(cs_zone_offset(z, until - 1, NULL), 3600);
		assert_int_equal(cs_zone_offset(z, until, NULL), 7200);
	}
	cs_zone_free(z);
}

static void what_the_clock_shows_first(void **state)
{
	static const struct { const char *zone, *local, *at; } table[] = {
		{ "Europe/Paris", "2026-06-01T06:00:00Z", "2026-06-01T04:00:00Z" },
		{ "Europe/Paris", "2026-03-29T02:30:00Z", "2026-03-29T01:00:00Z" },          /* left out */
		{ "Europe/Paris", "2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z" },          /* shown twice */
		{ "Europe/Paris", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z" },
		{ "America/New_York", "2027-03-14T02:00:00Z", "2027-03-14T07:00:00Z" },
		{ "America/New_York", "2027-11-07T01:59:00Z", "2027-11-07T05:59:00Z" },
		{ "Australia/Lord_Howe", "2026-10-04T02:15:00Z", "2026-10-03T15:30:00Z" },   /* half an hour */
		{ "Australia/Lord_Howe", "2026-04-05T01:45:00Z", "2026-04-04T14:45:00Z" },
		{ "Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z" },          /* a day that never was */
		{ "Pacific/Apia", "2011-12-31T00:00:00Z", "2011-12-30T10:00:00Z" },
	};
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(table); i++) {
		cs_zone *z = zone(table[i].zone);
		char got[CS_TIME_SIZE];
		cs_time_format(cs_zone_first(z, utc(table[i].local)) * 1000, got);
		if (strncmp(got, table[i].at, 19) != 0)
			fail_msg("%s %s: %s, not %s", table[i].zone, table[i].local, got, table[i].at);
		cs_zone_free(z);
	}
}

/* Every cut and every flipped byte is refused or read, and never more than that. */
static void a_damaged_file_is_refused(void **state)
{
	static uint8_t bytes[65536];
	FILE *f = fopen(CS_ZONE_FOLDER "/Europe/Paris", "rb");
	(void)state;
	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	cs_zone *z = NULL;
	assert_int_equal(cs_zone_parse("x", bytes, n, &z, NULL), CS_OK);
	cs_zone_free(z);
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *copy = cs_xcalloc(cut + 1, 1);
		memcpy(copy, bytes, cut);
		assert_int_equal(cs_zone_parse("x", copy, cut, &z, NULL), CS_EINVAL);
		free(copy);
	}
	for (size_t i = 0; i < n; i++)
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1 << bit);
			if (cs_zone_parse("x", bytes, n, &z, NULL) == CS_OK) {
				(void)cs_zone_offset(z, 1800000000, NULL);
				(void)cs_zone_first(z, 1800000000);
				cs_zone_free(z);
			}
			bytes[i] ^= (uint8_t)(1 << bit);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_name_of_the_database_is_one),
		cmocka_unit_test(the_offset_is_what_the_c_library_says),
		cmocka_unit_test(a_change_is_announced),
		cmocka_unit_test(what_the_clock_shows_first),
		cmocka_unit_test(a_damaged_file_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
