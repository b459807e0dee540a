/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

static int parse(const char *text, json_t **ret, cs_err *err)
{
	return cs_json_parse(text, strlen(text), ret, err);
}

static void refused(const char *text, int code, unsigned line, unsigned col, const char *part)
{
	json_t *v = NULL;
	cs_err e = { 0 };
	assert_int_equal(parse(text, &v, &e), code);
	assert_null(v);
	assert_int_equal(e.line, line);
	assert_int_equal(e.col, col);
	if (!strstr(e.msg, part))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, e.msg, part);
}

static void test_scalars_are_values(void **state)
{
	(void)state;
	const char *const texts[] = { "1", "-0.5", "\"x\"", "true", "null", " [] ", "{}\n" };
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++) {
		CS_AUTOJSON json_t *v = NULL;
		assert_int_equal(parse(texts[i], &v, NULL), 0);
		assert_non_null(v);
	}
}

static void test_refusals_say_where_and_why(void **state)
{
	(void)state;
	refused("{\"a\":1,\n \"a\":2}", CS_ESYNTAX, 2, 4, "same key twice");
	refused("{\"\\u0000\":1}", CS_ESYNTAX, 1, 9, "U+0000");
	refused("[1] 2", CS_ESYNTAX, 1, 5, "after");
	refused("[1,", CS_ESYNTAX, 1, 3, "too early");
	refused("", CS_ESYNTAX, 1, 1, "JSON");
	refused("[9223372036854775808]", CS_ESYNTAX, 1, 20, "64 bits");
	refused("[\"\x01\"]", CS_ESYNTAX, 1, 2, "control character");
	refused("[\"\xff\"]", CS_ESYNTAX, 1, 2, "UTF-8");
}

static void test_what_is_quoted_is_made_visible(void **state)
{
	(void)state;
	json_t *v = NULL;
	cs_err e;
	assert_int_equal(parse("[\xe2\x80\xae]", &v, &e), CS_ESYNTAX);
	assert_null(strstr(e.msg, "\xe2\x80\xae"));
	assert_int_equal(parse("[\"\x1b[2J\"]", &v, &e), CS_ESYNTAX);
	assert_null(strchr(e.msg, '\x1b'));
}

static char *nested(size_t depth)
{
	char *s = cs_xcalloc(1, 2 * depth + 1);
	memset(s, '[', depth);
	memset(s + depth, ']', depth);
	return s;
}

static void test_depth_is_bounded(void **state)
{
	(void)state;
	CS_AUTOFREE char *deepest = nested(CS_JSON_DEPTH), *deeper = nested(CS_JSON_DEPTH + 1);
	CS_AUTOJSON json_t *v = NULL;
	assert_int_equal(parse(deepest, &v, NULL), 0);
	refused(deeper, CS_ETOOBIG, 1, CS_JSON_DEPTH + 1, "128");
}

static void test_brackets_in_strings_are_not_depth(void **state)
{
	(void)state;
	char text[1000];
	memset(text, '[', sizeof text);
	text[0] = text[998] = '"';
	memcpy(text + 1, "\\\"", 2);
	text[999] = '\0';
	CS_AUTOJSON json_t *v = NULL;
	assert_int_equal(parse(text, &v, NULL), 0);
}

static void test_a_flood_of_brackets_is_refused_at_once(void **state)
{
	(void)state;
	size_t n = 100 * 1024;
	CS_AUTOFREE char *s = cs_xcalloc(1, n + 1);
	memset(s, '[', n);
	json_t *v = NULL;
	int64_t start = cs_clock_mono_ns();
	for (int i = 0; i < 1000; i++)
		assert_int_equal(cs_json_parse(s, n, &v, NULL), CS_ETOOBIG);
	assert_true(cs_clock_mono_ns() - start < 1000000000);
}

static void test_integers_keep_64_bits(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = NULL;
	assert_int_equal(parse("[9223372036854775807,-9223372036854775808,9007199254740993]", &v, NULL), 0);
	assert_true(json_integer_value(json_array_get(v, 0)) == INT64_MAX);
	assert_true(json_integer_value(json_array_get(v, 1)) == INT64_MIN);
	assert_true(json_integer_value(json_array_get(v, 2)) == 9007199254740993);
	refused("18446744073709551615", CS_ESYNTAX, 1, 20, "64 bits");
	refused("1e400", CS_ESYNTAX, 1, 5, "64 bits");
}

static void test_what_a_double_prints_as_is_read_back(void **state)
{
	(void)state;
	const char *const texts[] = { "[100000000000000000000,\"100000000000000000000\",{\"a\":-18446744073709552000}]",
				      "9223372036854776000" };
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++) {
		CS_AUTOJSON json_t *v = NULL;
		assert_int_equal(parse(texts[i], &v, NULL), 0);
		CS_AUTOFREE char *text = cs_json_text(v);
		assert_string_equal(text, texts[i]);
	}
	/* No double: the digits would be lost. */
	refused("100000000000000000001", CS_ESYNTAX, 1, 21, "64 bits");
	refused("9223372036854775808", CS_ESYNTAX, 1, 19, "64 bits");
}

static void test_nul_in_a_string_is_kept(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = NULL;
	assert_int_equal(parse("\"a\\u0000b\"", &v, NULL), 0);
	assert_int_equal(json_string_length(v), 3);
	CS_AUTOFREE char *text = cs_json_text(v);
	assert_string_equal(text, "\"a\\u0000b\"");
}

static void test_the_length_is_obeyed(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = NULL;
	assert_int_equal(cs_json_parse("12345", 2, &v, NULL), 0);
	assert_int_equal(json_integer_value(v), 12);
	json_t *w = NULL;
	assert_int_equal(cs_json_parse("\"ab\\", 4, &w, NULL), CS_ESYNTAX);
	cs_err e;
	assert_int_equal(cs_json_parse("1\0", 2, &w, &e), CS_ESYNTAX);
	assert_int_equal(e.col, 2);
	assert_int_equal(cs_json_parse("[\"a\0\"]", 6, &w, &e), CS_ESYNTAX);
}

static void test_lenient_takes_json_or_the_text(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *n = cs_json_lenient("12"), *s = cs_json_lenient("12 apples"), *o = cs_json_lenient("{\"a\":1}"),
			   *bad = cs_json_lenient("\xff");
	assert_true(json_is_integer(n));
	assert_string_equal(json_string_value(s), "12 apples");
	assert_true(json_is_object(o));
	assert_null(bad);
}

static int wrong_answer(const char *dir, const char *name)
{
	CS_AUTOFREE char *path = cs_path_join(dir, name);
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 1 << 20);
	assert_int_equal(cs_file_read(path, &b, NULL), 0);
	CS_AUTOJSON json_t *v = NULL;
	cs_err e = { 0 };
	int r = cs_json_parse(cs_buf_str(&b), b.len, &v, &e);
	/* Valid JSON that no key here may be: refused with the reason. */
	bool nul_key = strstr(name, "escaped_null_in_key") != NULL || strstr(name, "duplicated_key") != NULL;
	bool wrong = (name[0] == 'n' && r == 0) || (name[0] == 'y' && r < 0 && !nul_key) || (nul_key && r == 0) ||
		     (r < 0 && (e.msg[0] == '\0' || e.line == 0));
	if (wrong)
		print_error("%s: %d %s\n", name, r, e.msg);
	return wrong;
}

static void test_the_public_parsing_suite(void **state)
{
	(void)state;
	CS_AUTOFREE char *dir = data_path_or_skip("suites", "json-parsing/test_parsing");
	CS_CLEANUP(cs_strv_freep) char **names = NULL;
	assert_int_equal(cs_dir_list(dir, ".json", &names, NULL), 0);
	assert_non_null(names[0]);
	int wrong = 0, n = 0;
	for (; names[n]; n++)
		wrong += wrong_answer(dir, names[n]);
	assert_int_equal(wrong, 0);
	assert_true(n > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars_are_values),
		cmocka_unit_test(test_refusals_say_where_and_why),
		cmocka_unit_test(test_what_is_quoted_is_made_visible),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_brackets_in_strings_are_not_depth),
		cmocka_unit_test(test_a_flood_of_brackets_is_refused_at_once),
		cmocka_unit_test(test_integers_keep_64_bits),
		cmocka_unit_test(test_what_a_double_prints_as_is_read_back),
		cmocka_unit_test(test_nul_in_a_string_is_kept),
		cmocka_unit_test(test_the_length_is_obeyed),
		cmocka_unit_test(test_lenient_takes_json_or_the_text),
		cmocka_unit_test(test_the_public_parsing_suite),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
