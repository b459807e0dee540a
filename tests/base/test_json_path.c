/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include "base/json.h"
#include "tests/json.h"

static void test_a_dotted_path_goes_down(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_plain("{\"a\":{\"b\":[10,{\"c\":null}]},\"0\":5}");
	assert_int_equal(json_integer_value(cs_json_get_path(v, "a.b.0")), 10);
	assert_true(json_is_null(cs_json_get_path(v, "a.b.1.c")));
	assert_int_equal(json_integer_value(cs_json_get_path(v, "0")), 5);
	assert_ptr_equal(cs_json_get_path(v, ""), v);
	static const char *const absent[] = { "x", "a.x", "a.b.2", "a.b.-1", "a.b.00", "a.b.01", "a.b.0.x", "a..b", ".a", "a.",
					      "a.b.99999999999999999999" };
	for (size_t i = 0; i < CS_ARRAY_LEN(absent); i++)
		assert_null(cs_json_get_path(v, absent[i]));
	assert_null(cs_json_get_path(NULL, "a"));
}

static void expect_with(const char *before, const char *path, const char *value, const char *after)
{
	CS_AUTOJSON json_t *v = json_plain(before), *x = json_plain(value), *w = NULL;
	cs_err e;
	if (cs_json_with_path(v, path, x, &w, &e) < 0)
		fail_msg("%s: %s", path, e.msg);
	CS_AUTOFREE char *text = cs_json_text(w), *untouched = cs_json_text(v);
	assert_string_equal(text, after);
	assert_string_equal(untouched, before);
	/* Held by us and by the copy; true is never counted. */
	assert_true(json_is_true(x) || x->refcount == 2);
}

static void test_with_path_copies_and_makes_objects(void **state)
{
	(void)state;
	expect_with("{\"a\":{\"b\":1,\"c\":2}}", "a.b", "9", "{\"a\":{\"b\":9,\"c\":2}}");
	expect_with("{}", "a.b.c", "[1]", "{\"a\":{\"b\":{\"c\":[1]}}}");
	expect_with("{\"a\":[1,2]}", "a.1", "9", "{\"a\":[1,9]}");
	expect_with("{\"a\":[1,2]}", "a.2", "9", "{\"a\":[1,2,9]}");
	expect_with("{\"a\":[{\"x\":1}]}", "a.0.y", "true", "{\"a\":[{\"x\":1,\"y\":true}]}");
	expect_with("null", "a", "1", "{\"a\":1}");
	expect_with("{\"a\":null}", "a.b", "1", "{\"a\":{\"b\":1}}");
	CS_AUTOJSON json_t *one = json_integer(1), *w = NULL;
	assert_int_equal(cs_json_with_path(NULL, "x", one, &w, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(w, "x")), 1);
}

static void test_with_path_refuses_what_cannot_be(void **state)
{
	(void)state;
	static const char *const paths[] = { "", ".", "a.", ".a", "a..b", "s.x", "l.5", "l.x", "l.-1", "n.x.y" };
	CS_AUTOJSON json_t *v = json_plain("{\"s\":\"text\",\"l\":[1],\"n\":5}"), *one = json_integer(1);
	for (size_t i = 0; i < CS_ARRAY_LEN(paths); i++) {
		json_t *w = NULL;
		cs_err e = { 0 };
		assert_int_equal(cs_json_with_path(v, paths[i], one, &w, &e), CS_EINVAL);
		assert_null(w);
		assert_true(e.msg[0]);
	}
	assert_int_equal(one->refcount, 1);
	char deep[1000];
	for (size_t i = 0; i < sizeof deep; i++)
		deep[i] = i % 2 ? '.' : 'a';
	deep[999] = '\0';
	deep[998] = 'a';
	json_t *w = NULL;
	assert_int_equal(cs_json_with_path(v, deep, one, &w, NULL), CS_ETOOBIG);
}

/* RFC 6901, section 5. */
static void test_json_pointers(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_plain("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,"
				       "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}");
	static const char *const numbered[] = { "/", "/a~1b", "/c%d", "/e^f", "/g|h", "/i\\j", "/k\"l", "/ ", "/m~0n" };
	assert_ptr_equal(cs_json_pointer(v, ""), v);
	assert_string_equal(json_string_value(cs_json_pointer(v, "/foo/1")), "baz");
	for (size_t i = 0; i < CS_ARRAY_LEN(numbered); i++)
		assert_int_equal(json_integer_value(cs_json_pointer(v, numbered[i])), i);
	static const char *const absent[] = { "foo", "/foo/01", "/foo/-", "/foo/2", "/m~n", "/m~2n", "/m~", "/foo/0/x", "//" };
	for (size_t i = 0; i < CS_ARRAY_LEN(absent); i++)
		assert_null(cs_json_pointer(v, absent[i]));
	CS_AUTOJSON json_t *tilde = json_plain("{\"~1\":1}");
	assert_non_null(cs_json_pointer(tilde, "/~01"));
}

static void check_equal(const char *a, const char *b, bool want)
{
	CS_AUTOJSON json_t *x = json_plain(a), *y = json_plain(b);
	if (cs_json_equal(x, y) != want || cs_json_equal(y, x) != want)
		fail_msg("%s and %s", a, b);
}

static void test_equality_is_by_json_value(void **state)
{
	(void)state;
	check_equal("1", "1.0", true);
	check_equal("0", "-0.0", true);
	check_equal("[1,{\"a\":2.0,\"b\":3}]", "[1.0,{\"b\":3,\"a\":2}]", true);
	check_equal("9007199254740993", "9007199254740992.0", false);
	check_equal("9007199254740993", "9007199254740993.0", false);
	check_equal("9223372036854775807", "9223372036854775807.0", false);
	check_equal("-9223372036854775808", "-9223372036854775808.0", true);
	check_equal("1", "1.5", false);
	check_equal("1", "\"1\"", false);
	check_equal("1", "true", false);
	check_equal("null", "false", false);
	check_equal("\"a\\u0000b\"", "\"a\\u0000c\"", false);
	check_equal("[1,2]", "[2,1]", false);
	check_equal("[1]", "[1,1]", false);
	check_equal("{\"a\":1}", "{\"b\":1}", false);
	check_equal("{\"a\":1}", "{\"a\":1,\"b\":1}", false);
	check_equal("{}", "[]", false);
	assert_true(cs_json_equal(NULL, NULL));
	assert_false(cs_json_equal(NULL, json_null()));
}

static void test_members(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_plain("{\"s\":\"x\",\"i\":7,\"r\":7.5,\"t\":true,\"f\":false,\"n\":null}");
	assert_string_equal(cs_json_str(v, "s"), "x");
	assert_null(cs_json_str(v, "i"));
	assert_null(cs_json_str(v, "absent"));
	assert_null(cs_json_str(NULL, "s"));
	assert_string_equal(cs_json_str_or(v, "n", "d"), "d");
	assert_int_equal(cs_json_int_or(v, "i", 1), 7);
	assert_int_equal(cs_json_int_or(v, "r", 1), 1);
	assert_int_equal(cs_json_int_or(NULL, "i", -3), -3);
	assert_true(cs_json_true(v, "t"));
	assert_false(cs_json_true(v, "f"));
	assert_false(cs_json_true(v, "i"));
	assert_false(cs_json_true(v, "absent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_dotted_path_goes_down),
		cmocka_unit_test(test_with_path_copies_and_makes_objects),
		cmocka_unit_test(test_with_path_refuses_what_cannot_be),
		cmocka_unit_test(test_json_pointers),
		cmocka_unit_test(test_equality_is_by_json_value),
		cmocka_unit_test(test_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
