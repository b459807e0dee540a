/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/regex.h"

static int match(const cs_regex *r, const char *s)
{
	return cs_regex_match(r, s, strlen(s), 0, NULL, NULL);
}

static void test_a_match_says_where(void **state)
{
	(void)state;
	CS_CLEANUP(cs_regex_freep) cs_regex *r = NULL;
	assert_int_equal(cs_regex_new("b+", 0, &r, NULL), 0);
	size_t begin = 0, end = 0;
	assert_int_equal(cs_regex_match(r, "abbcb", 5, 0, &begin, &end), 1);
	assert_int_equal(begin, 1);
	assert_int_equal(end, 3);
	assert_int_equal(cs_regex_match(r, "abbcb", 5, 3, &begin, &end), 1);
	assert_int_equal(begin, 4);
	assert_int_equal(cs_regex_match(r, "abbcb", 5, 5, &begin, &end), 0);
	assert_int_equal(cs_regex_match(r, "abbcb", 5, 6, &begin, &end), CS_EINVAL);
	assert_int_equal(match(r, "xyz"), 0);
}

static void test_caseless_knows_unicode(void **state)
{
	(void)state;
	CS_CLEANUP(cs_regex_freep) cs_regex *r = NULL, *s = NULL;
	assert_int_equal(cs_regex_new("^é.$", CS_REGEX_CASELESS, &r, NULL), 0);
	assert_int_equal(cs_regex_new("^é.$", 0, &s, NULL), 0);
	assert_int_equal(match(r, "É€"), 1);
	assert_int_equal(match(s, "É€"), 0);
}

static void test_a_bad_pattern_is_refused_with_its_place(void **state)
{
	(void)state;
	cs_regex *r = NULL;
	cs_err e = { 0 };
	assert_int_equal(cs_regex_new("ab(c", 0, &r, &e), CS_ESYNTAX);
	assert_null(r);
	assert_int_equal(e.col, 5);
	assert_int_equal(cs_regex_new("\\C", 0, &r, &e), CS_ESYNTAX);
	CS_AUTOFREE char *longest = cs_xcalloc(1, 20001);
	memset(longest, 'a', 20000);
	assert_int_equal(cs_regex_new(longest, 0, &r, &e), CS_ETOOBIG);
	assert_int_equal(cs_regex_new_ecma(longest, &r, &e), CS_ETOOBIG);
}

static void test_bad_text_is_an_error(void **state)
{
	(void)state;
	CS_CLEANUP(cs_regex_freep) cs_regex *r = NULL;
	assert_int_equal(cs_regex_new(".", 0, &r, NULL), 0);
	assert_int_equal(cs_regex_match(r, "\xff", 1, 0, NULL, NULL), CS_EINVAL);
	assert_int_equal(cs_regex_match(r, "€", 3, 1, NULL, NULL), CS_EINVAL);
}

static void test_a_pattern_that_explodes_is_stopped(void **state)
{
	(void)state;
	static const char *const patterns[] = { "^(a+)+$", "^(a|aa)+$", "^(.*)*x$", "(x+x+)+y" };
	char text[2001];
	for (size_t i = 0; i < CS_ARRAY_LEN(patterns); i++) {
		CS_CLEANUP(cs_regex_freep) cs_regex *r = NULL;
		assert_int_equal(cs_regex_new(patterns[i], 0, &r, NULL), 0);
		memset(text, patterns[i][1] == 'x' ? 'x' : 'a', 2000);
		memcpy(text + 1999, "!", 2);
		int64_t start = cs_clock_mono_ns();
		int m = match(r, text);
		assert_true(m == CS_ETOOBIG || m == 0);
		assert_true(cs_clock_mono_ns() - start < 2000000000);
	}
	CS_CLEANUP(cs_regex_freep) cs_regex *r = NULL;
	assert_int_equal(cs_regex_new("^(a|aa)+$", 0, &r, NULL), 0);
	memset(text, 'a', 60);
	memcpy(text + 60, "!", 2);
	assert_int_equal(match(r, text), CS_ETOOBIG);
}

struct ecma_row {
	const char *pattern, *yes, *no;      /* NULL: not tried */
};

static const struct ecma_row ecma_rows[] = {
	{ "^\\d$", "7", "\xe0\xa5\xa7" },
	{ "^\\w$", "_", "é" },
	{ "^\\W$", "é", "a" },
	{ "^[\\W]$", "é", "a" },
	{ "^\\s$", "\xef\xbb\xbf", "x" },
	{ "^\\S$", "x", "\xe2\x80\xa8" },
	{ "^[^\\S]$", "\xc2\xa0", "x" },
	{ "^[\\s\\S]$", "\n", "" },
	{ "^.$", "😀", "\n" },
	{ "^.$", "\x0b", "\xe2\x80\xa9" },
	{ "^a$", "a", "a\n" },
	{ "^\\u00e9\\x41$", "éA", "e" },
	{ "^\\u{1F600}$", "😀", "x" },
	{ "^\\ud83d\\ude00$", "😀", "x" },
	{ "^\\p{Letter}+$", "aé中", "1" },
	{ "^\\p{General_Category=Decimal_Number}$", "\xe0\xa5\xa7", "a" },
	{ "^\\P{L}$", "1", "a" },
	{ "^\\p{Script=Greek}$", "α", "a" },
	{ "^[\\p{Lu}\\-]+$", "A-B", "a" },
	{ "^\\cC$", "\x03", "C" },
	{ "^\\v$", "\x0b", "\n" },
	{ "^[\\b]$", "\b", "b" },
	{ "\\bfoo\\b", "a foo b", "afoob" },
	{ "^(?<x>a)\\k<x>\\1$", "aaa", "aa" },
	{ "^(?:a|b)(?=c)(?!d)c$", "ac", "ad" },
	{ "(?<=x)y", "xy", "y" },
	{ "^[[:alpha:]]$", ":]", "b" },
	{ "^[]$", NULL, "" },
	{ "^[^]$", "\n", "" },
	{ "^a{2,3}?$", "aa", "a" },
	{ "^a{,3}$", "a{,3}", "aaa" },
	{ "^\\$\\{\\}\\/\\-$", "${}/-", "" },
	{ "^(a)?\\1b$", "b", "x" },
	{ "^[.]$", ".", "a" },
	{ "^#\\# x$", "## x", "" },
	{ "^\\0$", NULL, "0" },
};

static void test_ecma_patterns_mean_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(ecma_rows); i++) {
		const struct ecma_row *row = &ecma_rows[i];
		CS_CLEANUP(cs_regex_freep) cs_regex *r = NULL;
		cs_err e;
		if (cs_regex_new_ecma(row->pattern, &r, &e) < 0)
			fail_msg("%s: %s", row->pattern, e.msg);
		if (row->yes && match(r, row->yes) != 1)
			fail_msg("%s does not match \"%s\"", row->pattern, row->yes);
		if (row->no && match(r, row->no) != 0)
			fail_msg("%s matches \"%s\"", row->pattern, row->no);
	}
}

static void test_what_ecma_does_not_have_is_refused(void **state)
{
	(void)state;
	static const char *const patterns[] = { "a\\Z", "\\A", "\\a", "(?i)a", "(*UCP)a", "a++", "a?+", "a{2}+", "\\Qa\\E", "\\R", "\\h", "\\K",
						"(?>a)", "(?#c)", "(?|a)", "\\ud83d", "\\u{110000}", "\\u{}", "\\xg0", "\\p", "\\p{",
						"\\p{^L}", "\\p{Nonsense}", "a\\", "(", ")", "[a", "[z-a]", "\\1", "\\k<x>", "\xff", "[\\B]" };
	for (size_t i = 0; i < CS_ARRAY_LEN(patterns); i++) {
		cs_regex *r = NULL;
		cs_err e = { 0 };
		if (cs_regex_new_ecma(patterns[i], &r, &e) != CS_ESYNTAX)
			fail_msg("%s is taken (%s)", patterns[i], e.msg);
		assert_true(e.msg[0]);
	}
}

static void *match_often(void *arg)
{
	const cs_regex *r = arg;
	for (int i = 0; i < 2000; i++)
		if (match(r, "aaab") != 1 || match(r, "aaa") != 0)
			return arg;
	return NULL;
}

static void test_threads_share_a_pattern(void **state)
{
	(void)state;
	CS_CLEANUP(cs_regex_freep) cs_regex *r = NULL;
	assert_int_equal(cs_regex_new("^(a|c)+b$", 0, &r, NULL), 0);
	pthread_t threads[3];
	for (size_t i = 0; i < CS_ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, match_often, r), 0);
	for (size_t i = 0; i < CS_ARRAY_LEN(threads); i++) {
		void *wrong = r;
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_match_says_where),
		cmocka_unit_test(test_caseless_knows_unicode),
		cmocka_unit_test(test_a_bad_pattern_is_refused_with_its_place),
		cmocka_unit_test(test_bad_text_is_an_error),
		cmocka_unit_test(test_a_pattern_that_explodes_is_stopped),
		cmocka_unit_test(test_ecma_patterns_mean_what_they_say),
		cmocka_unit_test(test_what_ecma_does_not_have_is_refused),
		cmocka_unit_test(test_threads_share_a_pattern),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
