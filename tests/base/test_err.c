/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include <errno.h>

#include "base/err.h"
#include "base/utf8.h"

static void test_set_fills_everything_and_returns_the_code(void **state)
{
	(void)state;
	cs_err e = { .line = 7, .file = "old" };
	assert_int_equal(cs_err_set(&e, CS_EREFUSED, "no %s", "way"), CS_EREFUSED);
	assert_int_equal(e.code, CS_EREFUSED);
	assert_string_equal(e.msg, "no way");
	assert_int_equal(e.line, 0);
	assert_string_equal(e.file, "");
}

static void test_err_may_be_null(void **state)
{
	(void)state;
	assert_int_equal(cs_err_set(NULL, CS_EIO, "x"), CS_EIO);
	assert_int_equal(cs_err_at(NULL, CS_ESYNTAX, "f", 1, 2, "x"), CS_ESYNTAX);
	assert_int_equal(cs_err_sys(NULL, ENOENT, "x"), CS_ENOTFOUND);
}

static void test_at_keeps_the_place(void **state)
{
	(void)state;
	cs_err e;
	assert_int_equal(cs_err_at(&e, CS_ESYNTAX, "flow.yaml", 3, 9, "bad %d", 4), CS_ESYNTAX);
	assert_string_equal(e.file, "flow.yaml");
	assert_int_equal(e.line, 3);
	assert_int_equal(e.col, 9);
	assert_string_equal(e.msg, "bad 4");
}

static void test_a_message_may_quote_the_one_it_replaces(void **state)
{
	(void)state;
	cs_err e;
	cs_err_at(&e, CS_EIO, "inner", 1, 1, "inner");
	cs_err_at(&e, CS_EIO, e.file, 2, 2, "outer: %s", e.msg);
	assert_string_equal(e.msg, "outer: inner");
	assert_string_equal(e.file, "inner");
}

static void test_a_long_message_is_cut_between_characters(void **state)
{
	(void)state;
	for (int shift = 0; shift < 4; shift++) {
		char text[4000] = "";
		memset(text, 'x', (size_t)shift);
		for (size_t n = (size_t)shift; n + 5 < sizeof text; n += 4)
			memcpy(text + n, "😀", 5);
		cs_err e;
		cs_err_set(&e, CS_EINVAL, "%s", text);
		assert_true(strlen(e.msg) > 700);
		assert_true(cs_utf8_valid(e.msg, strlen(e.msg)));
		cs_err_sys(&e, EIO, "%s", text);
		assert_true(cs_utf8_valid(e.msg, strlen(e.msg)));
		cs_err_at(&e, CS_EINVAL, text, 1, 1, "x");
		assert_true(cs_utf8_valid(e.file, strlen(e.file)));
	}
}

static void test_sys_says_why(void **state)
{
	(void)state;
	cs_err e;
	assert_int_equal(cs_err_sys(&e, EACCES, "cannot open %s", "door"), CS_EREFUSED);
	assert_string_equal(e.msg, "cannot open door: Permission denied");
	assert_int_equal(cs_err_sys(&e, EIO, "x"), CS_EIO);
}

static void test_exit_statuses_are_those_of_the_command_line(void **state)
{
	(void)state;
	assert_int_equal(cs_err_exit(CS_OK), 0);
	assert_int_equal(cs_err_exit(CS_ESYNTAX), 1);
	assert_int_equal(cs_err_exit(CS_EINVAL), 2);
	assert_int_equal(cs_err_exit(CS_ENOTFOUND), 3);
	assert_int_equal(cs_err_exit(CS_EREFUSED), 4);
	assert_int_equal(cs_err_exit(CS_EUNAVAIL), 5);
	assert_int_equal(cs_err_exit(-999), 1);
}

static void test_every_code_has_its_own_word(void **state)
{
	(void)state;
	for (int a = 0; a >= CS_EUNSUPPORTED; a--) {
		assert_string_not_equal(cs_err_word(a), "unknown");
		for (int b = 0; b > a; b--)
			assert_string_not_equal(cs_err_word(a), cs_err_word(b));
	}
	assert_string_equal(cs_err_word(CS_ENOTFOUND), "not-found");
	assert_string_equal(cs_err_word(CS_EREFUSED), "refused");
	assert_string_equal(cs_err_word(-999), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_fills_everything_and_returns_the_code),
		cmocka_unit_test(test_err_may_be_null),
		cmocka_unit_test(test_at_keeps_the_place),
		cmocka_unit_test(test_a_message_may_quote_the_one_it_replaces),
		cmocka_unit_test(test_a_long_message_is_cut_between_characters),
		cmocka_unit_test(test_sys_says_why),
		cmocka_unit_test(test_exit_statuses_are_those_of_the_command_line),
		cmocka_unit_test(test_every_code_has_its_own_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
