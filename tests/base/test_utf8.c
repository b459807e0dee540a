/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"

static void test_only_utf8_is_valid(void **state)
{
	(void)state;
	static const char *const good[] = { "", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
					    "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
					   "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe",
					   "\xf0\x9f\x98", "a\xcc" };
	for (size_t i = 0; i < CS_ARRAY_LEN(good); i++)
		assert_true(cs_utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++)
		assert_false(cs_utf8_valid(bad[i], strlen(bad[i])));
	assert_false(cs_utf8_valid("€", 2));
}

static void test_next_walks_code_points_and_bad_bytes(void **state)
{
	(void)state;
	const char *s = "a\xff€\xe2\x82" "b😀", *end = s + strlen(s);
	const int32_t want[] = { 'a', -1, 0x20AC, -1, -1, 'b', 0x1F600 };
	for (size_t i = 0; i < CS_ARRAY_LEN(want); i++)
		assert_int_equal(cs_utf8_next(&s, end), want[i]);
	assert_ptr_equal(s, end);
}

static void test_what_acts_on_a_terminal_is_hostile(void **state)
{
	(void)state;
	static const struct {
		int32_t first, last;
	} ranges[] = {
		{ 0, 0x1F }, { 0x7F, 0x9F }, { 0x61C, 0x61C }, { 0xAD, 0xAD }, { 0x200B, 0x200F }, { 0x2028, 0x202E },
		{ 0x2060, 0x2064 }, { 0x2066, 0x2069 }, { 0xFEFF, 0xFEFF }, { 0xE0000, 0xE007F }, { 0xD800, 0xDFFF },
		{ 0xE000, 0xF8FF }, { 0xFDD0, 0xFDEF }, { 0xFFFE, 0xFFFF }, { 0xFFF9, 0xFFFB }, { 0x10FFFE, 0x110000 }, { -1, -1 },
		{ 0x115F, 0x1160 }, { 0x3164, 0x3164 }, { 0xFE00, 0xFE0D }, { 0xE0100, 0xE01EF }, { 0x378, 0x378 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(ranges); i++)
		for (int32_t cp = ranges[i].first; cp <= ranges[i].last; cp++)
			if (!cs_utf8_hostile(cp))
				fail_msg("U+%04X", (unsigned)cp);
}

static void test_text_of_people_is_not_hostile(void **state)
{
	(void)state;
	static const int32_t good[] = { ' ', '~', 0xA0, 0xE9, 0x301, 0x3B1, 0x5D0, 0x627, 0x939, 0x4E2D, 0xAC00, 0x20AC, 0x2039, 0x1F600,
					0xFFFD, 0x600 };
	for (size_t i = 0; i < CS_ARRAY_LEN(good); i++)
		if (cs_utf8_hostile(good[i]))
			fail_msg("U+%04X", (unsigned)good[i]);
}

static void expect_shown(const char *s, bool keep_newlines, const char *want)
{
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 4096);
	assert_int_equal(cs_utf8_show(s, strlen(s), keep_newlines, &b), 0);
	assert_string_equal(cs_buf_str(&b), want);
}

static void test_hostile_text_is_shown_not_obeyed(void **state)
{
	(void)state;
	expect_shown("\x1b[31mred", false, "‹U+001B›[31mred");
	expect_shown("a\nb\tc", false, "a‹U+000A›b‹U+0009›c");
	expect_shown("a\nb\tc\r", true, "a\nb    c‹U+000D›");
	expect_shown("x\xe2\x80\xaegnp.exe", false, "x‹U+202E›gnp.exe");
	expect_shown("\xff\xc2\x9b", false, "‹FF›‹U+009B›");
	expect_shown("\xf3\xa0\x81\x81", false, "‹U+E0041›");
	expect_shown("grüße 中文", false, "grüße 中文");
}

static void test_selectors_stay_only_on_emoji(void **state)
{
	(void)state;
	expect_shown("❤\xef\xb8\x8f", false, "❤\xef\xb8\x8f");
	expect_shown("1\xef\xb8\x8f", false, "1\xef\xb8\x8f");
	expect_shown("a\xef\xb8\x8f", false, "a‹U+FE0F›");
	expect_shown("❤\xef\xb8\x8f\xef\xb8\x8f", false, "❤\xef\xb8\x8f‹U+FE0F›");
	expect_shown("\xef\xb8\x8f", false, "‹U+FE0F›");
	expect_shown("👨\xe2\x80\x8d👩", false, "👨‹U+200D›👩");
}

static void test_a_mark_does_not_reach_out_to_the_left(void **state)
{
	(void)state;
	expect_shown("\xcc\x81x", false, "‹U+0301›x");
	expect_shown("a\n\xcc\x81x", true, "a\n‹U+0301›x");
	expect_shown("e\xcc\x81", false, "e\xcc\x81");
}

static void test_show_obeys_the_maximum(void **state)
{
	(void)state;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 5);
	assert_int_equal(cs_utf8_show("\x1b", 1, false, &b), CS_ETOOBIG);
}

static void check_safe(const char *s, size_t len)
{
	CS_AUTOBUF cs_buf once, twice;
	cs_buf_init(&once, 1 << 20);
	cs_buf_init(&twice, 1 << 20);
	assert_int_equal(cs_utf8_show(s, len, false, &once), 0);
	assert_int_equal(cs_utf8_show(cs_buf_str(&once), once.len, false, &twice), 0);
	assert_string_equal(cs_buf_str(&once), cs_buf_str(&twice));
	assert_true(cs_utf8_valid(cs_buf_str(&once), once.len));
	const char *p = cs_buf_str(&once), *end = p + once.len;
	while (p < end)
		assert_false(cs_utf8_hostile(cs_utf8_next(&p, end)));
}

static void test_naughty_strings_come_out_safe(void **state)
{
	(void)state;
	CS_AUTOFREE char *path = data_path_or_skip("suites", "naughty-strings/blns.json");
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 1 << 20);
	assert_int_equal(cs_file_read(path, &b, NULL), 0);
	CS_AUTOJSON json_t *v = NULL;
	assert_int_equal(cs_json_parse(b.data, b.len, &v, NULL), 0);
	assert_true(json_array_size(v) > 400);
	for (size_t i = 0; i < json_array_size(v); i++)
		check_safe(json_string_value(json_array_get(v, i)), json_string_length(json_array_get(v, i)));
}

static void test_random_bytes_come_out_safe(void **state)
{
	(void)state;
	uint64_t s = 3629;
	for (int i = 0; i < 20000; i++) {
		char bytes[24];
		for (size_t k = 0; k < sizeof bytes; k++) {
			s = s * 6364136223846793005u + 1442695040888963407u;
			bytes[k] = (char)(s >> 40);
			/* Mostly what is near UTF-8, or all would be bad bytes. */
			if (k % 3)
				bytes[k] = (char)((bytes[k] & 0x3F) | 0x80);
		}
		check_safe(bytes, sizeof bytes);
	}
}

static void test_widths(void **state)
{
	(void)state;
	static const struct {
		const char *s;
		int cols;
	} rows[] = { { "", 0 }, { "abc", 3 }, { "é", 1 }, { "e\xcc\x81", 1 }, { "中文", 4 }, { "😀", 2 }, { "‹U+200D›", 8 } };
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++)
		assert_int_equal(cs_utf8_width(rows[i].s, strlen(rows[i].s)), rows[i].cols);
}

static void test_fit_cuts_between_clusters(void **state)
{
	(void)state;
	static const struct {
		const char *s;
		int cols, used;
		size_t bytes;
	} rows[] = {
		{ "abc", 5, 3, 3 }, { "abc", 3, 3, 3 }, { "abc", 2, 2, 2 }, { "abc", 0, 0, 0 },
		{ "中文", 3, 2, 3 }, { "中文", 1, 0, 0 }, { "ae\xcc\x81z", 2, 2, 4 }, { "ae\xcc\x81z", 1, 1, 1 },
		{ "", 3, 0, 0 }, { "e\xcc\x81", 1, 1, 3 }, { "🇩🇪x", 1, 0, 0 }, { "🇩🇪x", 2, 2, 8 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		int used = -1;
		assert_int_equal(cs_utf8_fit(rows[i].s, strlen(rows[i].s), rows[i].cols, &used), rows[i].bytes);
		assert_int_equal(used, rows[i].used);
		assert_int_equal(cs_utf8_width(rows[i].s, rows[i].bytes), used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_utf8_is_valid),
		cmocka_unit_test(test_next_walks_code_points_and_bad_bytes),
		cmocka_unit_test(test_what_acts_on_a_terminal_is_hostile),
		cmocka_unit_test(test_text_of_people_is_not_hostile),
		cmocka_unit_test(test_hostile_text_is_shown_not_obeyed),
		cmocka_unit_test(test_selectors_stay_only_on_emoji),
		cmocka_unit_test(test_a_mark_does_not_reach_out_to_the_left),
		cmocka_unit_test(test_show_obeys_the_maximum),
		cmocka_unit_test(test_naughty_strings_come_out_safe),
		cmocka_unit_test(test_random_bytes_come_out_safe),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_fit_cuts_between_clusters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
