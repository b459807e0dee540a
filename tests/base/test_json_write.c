/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include "base/hash.h"
#include "base/json.h"
#include "tests/json.h"

static void expect(int (*writer)(const json_t *, cs_buf *), const json_t *v, const char *text)
{
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 1 << 20);
	assert_int_equal(writer(v, &b), 0);
	assert_string_equal(cs_buf_str(&b), text);
}

static void test_compact_keeps_the_order_of_keys(void **state)
{
	(void)state;
	const char *text = "{\"z\":[],\"a\":{},\"m\":[1,-2,0.5,true,false,null,\"x\",[[{\"k\":[{}]}]]]}";
	CS_AUTOJSON json_t *v = json_plain(text);
	expect(cs_json_write, v, text);
}

static void test_scalars(void **state)
{
	(void)state;
	static const char *const texts[] = { "null",  "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808",
					     "1e-7", "\"\"" };
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++) {
		CS_AUTOJSON json_t *v = json_plain(texts[i]);
		expect(cs_json_write, v, texts[i]);
		expect(cs_json_canonical, v, texts[i]);
	}
}

static void test_pretty_is_two_spaces_a_level(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_plain("{\"a\":[1,{\"b\":[]}],\"c\":{}}");
	expect(cs_json_write_pretty, v, "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}");
}

static void test_escapes_are_those_of_rfc_8785(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_plain("\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\\b\\t\\f\\r\\u007f\\u0000\"");
	expect(cs_json_canonical, v, "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\t\\f\\r\x7f\\u0000\"");
}

/* RFC 8785, 3.2.3. */
static void test_canonical_sorts_by_utf16(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_plain("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew\",\"1\":\"One\","
				       "\"\\ud83d\\ude00\":\"Emoji\",\"\\u0080\":\"Control\",\"\\u00f6\":\"o\"}");
	expect(cs_json_canonical, v,
	       "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"ö\":\"o\",\"€\":\"Euro Sign\","
	       "\"😀\":\"Emoji\",\"\xef\xac\xb3\":\"Hebrew\"}");
}

/* RFC 8785, 3.2.2 to 3.2.4. */
static void test_the_example_of_rfc_8785(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_plain("{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"
				       "\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
				       "\"literals\":[null,true,false]}");
	expect(cs_json_canonical, v,
	       "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
	       "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

static void test_canonical_sorts_every_level_and_many_keys(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_object();
	char want[4096] = "{", key[16];
	for (int i = 99; i >= 0; i--) {
		snprintf(key, sizeof key, "k%02d", (i * 37) % 100);
		json_t *inner = json_pack("{s:i,s:[{s:i,s:i}]}", "b", i, "a", "y", 1, "x", 2);
		json_object_set_new(v, key, i % 10 == 0 ? inner : json_integer(1));
		if (i % 10)
			json_decref(inner);
	}
	for (int k = 0; k < 100; k++) {
		int i = (k * 73) % 100;        /* 37 * 73 = 1 modulo 100 */
		size_t n = strlen(want);
		if (i % 10 == 0)
			snprintf(want + n, sizeof want - n, "%s\"k%02d\":{\"a\":[{\"x\":2,\"y\":1}],\"b\":%d}", k ? "," : "", k, i);
		else
			snprintf(want + n, sizeof want - n, "%s\"k%02d\":1", k ? "," : "", k);
	}
	strncat(want, "}", 2);
	expect(cs_json_canonical, v, want);
}

static void test_the_digest_does_not_depend_on_order_or_spelling(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *a = json_plain("{\"a\":1.0,\"b\":[1e2]}"), *b = json_plain("{\"b\":[100],\"a\":1}"),
			   *c = json_plain("{\"b\":[100],\"a\":2}");
	char x[65], y[65], z[65], want[CS_HEX_SIZE];
	cs_json_digest(a, x);
	cs_json_digest(b, y);
	cs_json_digest(c, z);
	assert_string_equal(x, y);
	assert_string_not_equal(x, z);
	cs_hash_hex("{\"a\":1,\"b\":[100]}", 17, want);
	assert_string_equal(x, want);
}

static void test_integers_beyond_2_to_53_keep_their_digits(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_plain("[9007199254740993,-9223372036854775807]");
	expect(cs_json_canonical, v, "[9007199254740993,-9223372036854775807]");
}

static void test_the_maximum_is_obeyed(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *v = json_plain("{\"a\":[\"long enough\"]}");
	int (*const writers[])(const json_t *, cs_buf *) = { cs_json_write, cs_json_write_pretty, cs_json_canonical };
	for (size_t w = 0; w < CS_ARRAY_LEN(writers); w++)
		for (size_t max = 0; max < 21; max++) {
			CS_AUTOBUF cs_buf b;
			cs_buf_init(&b, max);
			assert_int_equal(writers[w](v, &b), CS_ETOOBIG);
		}
}

static void test_depth_is_not_bounded_by_the_stack(void **state)
{
	(void)state;
	enum { DEPTH = 200000 };
	json_t *v = json_array();
	/* Taken apart again from the outside below: freeing it whole would recurse. */
	for (int i = 1; i < DEPTH; i++) {
		json_t *outer = i % 2 ? json_object() : json_array();
		if (i % 2)
			json_object_set_new(outer, "", v);
		else
			json_array_append_new(outer, v);
		v = outer;
	}
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 1 << 21);
	assert_int_equal(cs_json_canonical(v, &b), 0);
	assert_int_equal(b.len, 2 * DEPTH + 3 * (DEPTH / 2));
	cs_buf_reset(&b);
	assert_int_equal(cs_json_write(v, &b), 0);
	assert_true(cs_json_equal(v, v));
	while (json_array_size(v) || json_object_size(v)) {
		json_t *inner = json_is_array(v) ? json_array_get(v, 0) : json_object_get(v, "");
		json_incref(inner);
		json_decref(v);
		v = inner;
	}
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact_keeps_the_order_of_keys),
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_pretty_is_two_spaces_a_level),
		cmocka_unit_test(test_escapes_are_those_of_rfc_8785),
		cmocka_unit_test(test_canonical_sorts_by_utf16),
		cmocka_unit_test(test_the_example_of_rfc_8785),
		cmocka_unit_test(test_canonical_sorts_every_level_and_many_keys),
		cmocka_unit_test(test_the_digest_does_not_depend_on_order_or_spelling),
		cmocka_unit_test(test_integers_beyond_2_to_53_keep_their_digits),
		cmocka_unit_test(test_the_maximum_is_obeyed),
		cmocka_unit_test(test_depth_is_not_bounded_by_the_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
