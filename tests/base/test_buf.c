/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include "base/buf.h"

static void test_holds_exactly_its_maximum(void **state)
{
	(void)state;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 5);
	assert_int_equal(cs_buf_adds(&b, "hello"), 0);
	assert_string_equal(b.data, "hello");
	assert_int_equal(cs_buf_addc(&b, '!'), CS_ETOOBIG);
	assert_string_equal(b.data, "hello");
}

static void test_a_failure_stays(void **state)
{
	(void)state;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 4);
	assert_int_equal(cs_buf_adds(&b, "hello"), CS_ETOOBIG);
	assert_int_equal(cs_buf_addc(&b, 'x'), CS_ETOOBIG);
	assert_int_equal(cs_buf_addf(&b, "%d", 1), CS_ETOOBIG);
	assert_int_equal(b.len, 0);
	cs_buf_reset(&b);
	assert_int_equal(cs_buf_addc(&b, 'x'), 0);
}

static void test_grows_and_stays_terminated(void **state)
{
	(void)state;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 100000);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(cs_buf_addf(&b, "%04d,", i), 0);
		assert_int_equal(b.data[b.len], 0);
	}
	assert_int_equal(b.len, 50000);
	assert_memory_equal(b.data + 49995, "9999,", 6);
}

static void test_bytes_may_be_nul(void **state)
{
	(void)state;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 10);
	assert_int_equal(cs_buf_add(&b, "a\0b", 3), 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
	assert_int_equal(cs_buf_add(&b, NULL, 0), 0);
}

static void test_formatted_text_obeys_the_maximum(void **state)
{
	(void)state;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 3);
	assert_int_equal(cs_buf_addf(&b, "%s", "abc"), 0);
	assert_int_equal(cs_buf_addf(&b, "%s", "d"), CS_ETOOBIG);
	assert_string_equal(cs_buf_str(&b), "abc");
}

static void test_steal_hands_over_and_empties(void **state)
{
	(void)state;
	cs_buf b;
	cs_buf_init(&b, 10);
	char *none = cs_buf_steal(&b);
	assert_string_equal(none, "");
	free(none);
	assert_string_equal(cs_buf_str(&b), "");
	cs_buf_adds(&b, "x");
	char *s = cs_buf_steal(&b);
	assert_string_equal(s, "x");
	assert_null(b.data);
	free(s);
	assert_int_equal(cs_buf_adds(&b, "0123456789"), 0);
	assert_int_equal(cs_buf_addc(&b, '!'), CS_ETOOBIG);
	cs_buf_fini(&b);
	cs_buf_fini(&b);
}

static void test_a_maximum_of_everything_does_not_wrap(void **state)
{
	(void)state;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, SIZE_MAX);
	assert_int_equal(cs_buf_addc(&b, 'x'), 0);
	assert_int_equal(cs_buf_add(&b, "", SIZE_MAX - 1), CS_ETOOBIG);
}

static void test_steal_macro_leaves_null(void **state)
{
	(void)state;
	char *p = cs_xstrdup("x"), *q = CS_STEAL(p);
	assert_null(p);
	assert_string_equal(q, "x");
	cs_freep(&q);
	assert_null(q);
	cs_freep(&q);
	assert_null(cs_xstrdup(NULL));
	int fd = -1;
	cs_closep(&fd);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds_exactly_its_maximum),
		cmocka_unit_test(test_a_failure_stays),
		cmocka_unit_test(test_grows_and_stays_terminated),
		cmocka_unit_test(test_bytes_may_be_nul),
		cmocka_unit_test(test_formatted_text_obeys_the_maximum),
		cmocka_unit_test(test_steal_hands_over_and_empties),
		cmocka_unit_test(test_a_maximum_of_everything_does_not_wrap),
		cmocka_unit_test(test_steal_macro_leaves_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
