/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the operator's files may look like, and that the others get one message with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "flow/yaml.h"

static int parse(const char *text, size_t len, json_t **ret, cs_source **src, cs_err *err)
{
	memset(err, 0, sizeof *err);
	return cs_yaml_parse("f.yaml", text, len, ret, src, err);
}

static void reads_as(const char *yaml, const char *json)
{
	cs_err err;
	json_t *v = NULL, *want = NULL;
	if (parse(yaml, strlen(yaml), &v, NULL, &err) < 0)
		fail_msg("%s: %s", yaml, err.msg);
	assert_int_equal(cs_json_parse(json, strlen(json), &want, &err), CS_OK);
	char *got = cs_json_text(v), *wanted = cs_json_text(want);
	assert_string_equal(got, wanted);
	free(got);
	free(wanted);
	json_decref(v);
	json_decref(want);
}

static void is_refused(const char *yaml, size_t len, int code, unsigned line, unsigned col, const char *part)
{
	cs_err err;
	json_t *v = NULL;
	cs_source *src = NULL;
	assert_int_equal(parse(yaml, len, &v, &src, &err), code);
	assert_null(v);
	assert_null(src);
	if (!strstr(err.msg, part))
		fail_msg("\"%s\" does not say \"%s\"", err.msg, part);
	assert_string_equal(err.file, "f.yaml");
	assert_int_equal(err.line, line);
	assert_int_equal(err.col, col);
}

#define REFUSED(text, code, line, col, part) is_refused(text, sizeof text - 1, code, line, col, part)

static void scalars_follow_the_core_schema(void **state)
{
	(void)state;
	reads_as("[ null, Null, NULL, ~, '' ]", "[null,null,null,null,\"\"]");
	reads_as("[ true, True, TRUE, false, yes, on, No, y ]", "[true,true,true,false,\"yes\",\"on\",\"No\",\"y\"]");
	reads_as("[ 0, -7, +7, 007, 0x1F, 0o17, 0b1, 1_000, 0x, 0o8 ]", "[0,-7,7,7,31,15,\"0b1\",\"1_000\",\"0x\",\"0o8\"]");
	reads_as("[ 1.5, .5, 1., -1e3, 1e, e3, ., +, 1.2.3, 2026-11-22, 12:30 ]",
		 "[1.5,0.5,1.0,-1000.0,\"1e\",\"e3\",\".\",\"+\",\"1.2.3\",\"2026-11-22\",\"12:30\"]");
	reads_as("[ '1', \"true\", !!str 5, !!int 5, !!float 5, !!null null ]", "[\"1\",\"true\",\"5\",5,5.0,null]");
	reads_as("a:\nb: |\n  x\n  y\n", "{\"a\":null,\"b\":\"x\\ny\\n\"}");
	reads_as("9223372036854775807", "9223372036854775807");
}

static void numbers_that_json_has_not_are_refused(void **state)
{
	(void)state;
	REFUSED("a: .inf", CS_ESYNTAX, 1, 4, "infinity");
	REFUSED("a: -.Inf", CS_ESYNTAX, 1, 4, "infinity");
	REFUSED("a:\n - .nan", CS_ESYNTAX, 2, 4, "not-a-number");
	REFUSED("a: 9223372036854775808", CS_ESYNTAX, 1, 4, "64 bits");
	REFUSED("a: 1e999", CS_ESYNTAX, 1, 4, "too large");
	REFUSED("a: !!int x", CS_ESYNTAX, 1, 4, "the form its tag says");
}

static void keys_are_texts_and_stand_once(void **state)
{
	(void)state;
	REFUSED("a: 1\nb: 2\na: 3", CS_ESYNTAX, 3, 1, "'a' stands here twice");
	REFUSED("1: x", CS_ESYNTAX, 1, 1, "put '1' in quotes");
	REFUSED("true: x", CS_ESYNTAX, 1, 1, "put 'true' in quotes");
	REFUSED("[ a ]: x", CS_ESYNTAX, 1, 1, "not a list");
	REFUSED("a: &x { b: 1 }\nc:\n  <<: *x", CS_ESYNTAX, 3, 3, "'<<'");
	reads_as("'<<': 1\n'1': 2", "{\"<<\":1,\"1\":2}");
}

static void one_document_without_foreign_tags(void **state)
{
	(void)state;
	REFUSED("a: 1\n---\nb: 2\n", CS_ESYNTAX, 2, 1, "one document");
	REFUSED("a: !!binary aGk=", CS_ESYNTAX, 1, 4, "tags beyond");
	REFUSED("a: !ruby/object {}", CS_ESYNTAX, 1, 4, "tags beyond");
	REFUSED("%YAML 1.1\n---\na: 1", CS_ESYNTAX, 1, 1, "YAML 1.2");
	REFUSED("", CS_ESYNTAX, 1, 1, "empty");
	REFUSED("# only a comment\n", CS_ESYNTAX, 1, 1, "empty");
}

static void bytes_that_are_no_text_are_refused_with_their_place(void **state)
{
	(void)state;
	REFUSED("a: b\nc\0d", CS_ESYNTAX, 2, 2, "NUL");
	REFUSED("a: \xC3\xA9\xFF", CS_ESYNTAX, 1, 5, "0xFF is not UTF-8");
	REFUSED("a: b\nc: \xED\xA0\x80", CS_ESYNTAX, 2, 4, "0xED is not UTF-8");
	REFUSED("\xEF\xBB\xBF" "a: b", CS_ESYNTAX, 1, 1, "byte order mark");
	REFUSED("\xFF\xFE" "a\0", CS_ESYNTAX, 1, 1, "UTF-16");
	REFUSED("a: \"x\\0y\"", CS_ESYNTAX, 1, 4, "NUL");
	REFUSED("a: b\nc: \x01", CS_ESYNTAX, 2, 4, "control characters");
	REFUSED("a: [ 1,\nb: ]]\n", CS_ESYNTAX, 2, 5, "not valid YAML");
}

static void a_key_cannot_act_on_the_terminal(void **state)
{
	(void)state;
	cs_err err;
	json_t *v = NULL;
	const char *text = "\"\\e[31m\": 1\n\"\\e[31m\": 2\n";
	assert_int_equal(parse(text, strlen(text), &v, NULL, &err), CS_ESYNTAX);
	assert_null(strchr(err.msg, 0x1B));
	assert_non_null(strstr(err.msg, "U+001B"));
}

static void aliases_are_values(void **state)
{
	(void)state;
	reads_as("a: &x { b: [ 1, 2 ] }\nc: *x\nd: &y z\ne: *y", "{\"a\":{\"b\":[1,2]},\"c\":{\"b\":[1,2]},\"d\":\"z\",\"e\":\"z\"}");
	reads_as("- &a 1\n- &a 2\n- *a", "[1,2,2]");
	REFUSED("a: *nobody", CS_ESYNTAX, 1, 4, "'nobody' has no anchor");
	REFUSED("a: &x\n  b: *x", CS_ESYNTAX, 2, 6, "never end");
	REFUSED("&x [ *x ]", CS_ESYNTAX, 1, 6, "never end");
	REFUSED("a: &x b\n*x : c", CS_ESYNTAX, 2, 1, "cannot be a key");
}

/* Milliseconds that F takes. */
static int64_t ms_since(int64_t start)
{
	return (cs_clock_mono_ns() - start) / 1000000;
}

static void bombs_are_refused_at_once(void **state)
{
	(void)state;
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 1 << 21);
	cs_buf_adds(&b, "a0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n");
	for (int i = 1; i < 10; i++) {
		cs_buf_addf(&b, "a%d: &a%d [ ", i, i);
		for (int k = 0; k < 10; k++)
			cs_buf_addf(&b, "%s*a%d", k ? ", " : "", i - 1);
		cs_buf_adds(&b, " ]\n");
	}
	int64_t start = cs_clock_mono_ns();
	is_refused(cs_buf_str(&b), b.len, CS_ETOOBIG, 5, 46, "100000 values");
	assert_true(ms_since(start) < 100);

	cs_buf_reset(&b);
	cs_buf_adds(&b, "a: &a \"");
	for (int i = 0; i < 5000; i++)
		cs_buf_adds(&b, "xxxxxxxxxx");
	cs_buf_adds(&b, "\"\nb: [ ");
	for (int i = 0; i < 500; i++)
		cs_buf_adds(&b, "*a, ");
	cs_buf_adds(&b, "]\n");
	cs_err err;
	json_t *v = NULL;
	assert_int_equal(parse(cs_buf_str(&b), b.len, &v, NULL, &err), CS_ETOOBIG);
	assert_non_null(strstr(err.msg, "4 MiB"));
}

static void depth_counts_through_aliases(void **state)
{
	(void)state;
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 1 << 16);
	cs_buf_adds(&b, "- &a ");
	for (int i = 0; i < 60; i++)
		cs_buf_addc(&b, '[');
	for (int i = 0; i < 60; i++)
		cs_buf_addc(&b, ']');
	cs_err err;
	json_t *v = NULL;
	cs_buf_adds(&b, "\n- [[[ *a ]]]\n");
	assert_int_equal(parse(cs_buf_str(&b), b.len, &v, NULL, &err), CS_OK);
	json_decref(v);
	v = NULL;
	cs_buf_adds(&b, "- [[[[ *a ]]]]\n");
	assert_int_equal(parse(cs_buf_str(&b), b.len, &v, NULL, &err), CS_ETOOBIG);
	assert_non_null(strstr(err.msg, "64 levels"));
	assert_int_equal(err.line, 3);
}

static void hostile_shapes_end_within_100_ms(void **state)
{
	(void)state;
	static const char *const units[] = { "[", "{", "- ", "a: {", "[[{", "? ", "&a [", "!!x ", "\"", "|\n", "a:\n ", "*", "%", "\t" };
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 1 << 20);
	for (size_t i = 0; i < CS_ARRAY_LEN(units); i++) {
		cs_buf_reset(&b);
		while (b.len < 100000)
			cs_buf_adds(&b, units[i]);
		cs_err err;
		json_t *v = NULL;
		int64_t start = cs_clock_mono_ns();
		int r = parse(cs_buf_str(&b), b.len, &v, NULL, &err);
		if (ms_since(start) >= 100)
			fail_msg("100 KB of \"%s\" took %lld ms", units[i], (long long)ms_since(start));
		if (r < 0)
			assert_true(err.msg[0] && err.line > 0);
		json_decref(v);
	}
	cs_buf_reset(&b);
	while (b.len < 100000)
		cs_buf_addc(&b, '[');
	is_refused(cs_buf_str(&b), b.len, CS_ETOOBIG, 1, 65, "64 levels");
}

static void too_large_files_and_folders_are_refused(void **state)
{
	(void)state;
	cs_err err = { 0 };
	json_t *v = NULL;
	assert_true(cs_yaml_load("/", "here.yaml", &v, NULL, &err) < 0);
	assert_string_equal(err.file, "here.yaml");
	assert_true(err.msg[0]);
	assert_true(cs_yaml_load("/nonexistent/x.yaml", NULL, &v, NULL, &err) < 0);
	assert_string_equal(err.file, "/nonexistent/x.yaml");
	size_t len = (1 << 20) + 1;
	char *text = malloc(len);
	assert_non_null(text);
	memset(text, '\n', len);
	is_refused(text, len, CS_ETOOBIG, 0, 0, "1 MiB");
	free(text);
}

static void at(const cs_source *s, const char *pointer, int key, unsigned line, unsigned col)
{
	unsigned l, c;
	cs_source_at(s, pointer, key, &l, &c);
	if (l != line || c != col)
		fail_msg("%s stands at %u:%u, not %u:%u", pointer, l, c, line, col);
}

static void every_value_knows_its_place(void **state)
{
	(void)state;
	const char *text = "a: 1\nb:\n  - x\n  - { 'c/d': 2, e~: [ 3, \xC3\xA9, 4 ] }\nf: &p { g: 5 }\nh: *p\n";
	cs_err err;
	json_t *v = NULL;
	cs_source *s = NULL;
	assert_int_equal(parse(text, strlen(text), &v, &s, &err), CS_OK);
	at(s, "", 0, 1, 1);
	at(s, "/a", 0, 1, 4);
	at(s, "/a", 1, 1, 1);
	at(s, "/b/0", 0, 3, 5);
	at(s, "/b/1/c~1d", 1, 4, 7);
	at(s, "/b/1/c~1d", 0, 4, 14);
	at(s, "/b/1/e~0/2", 0, 4, 29);
	at(s, "/h", 0, 6, 4);
	at(s, "/h/g", 0, 6, 4);          /* inside an alias: where the alias stands */
	at(s, "/h/g", 1, 6, 4);
	at(s, "/b/9/x", 0, 2 + 1, 3);    /* nothing there: the nearest parent */
	at(s, "/nobody", 1, 1, 1);
	assert_string_equal(cs_source_file(s), "f.yaml");
	cs_source_free(s);
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_follow_the_core_schema),
		cmocka_unit_test(numbers_that_json_has_not_are_refused),
		cmocka_unit_test(keys_are_texts_and_stand_once),
		cmocka_unit_test(one_document_without_foreign_tags),
		cmocka_unit_test(bytes_that_are_no_text_are_refused_with_their_place),
		cmocka_unit_test(a_key_cannot_act_on_the_terminal),
		cmocka_unit_test(aliases_are_values),
		cmocka_unit_test(bombs_are_refused_at_once),
		cmocka_unit_test(depth_counts_through_aliases),
		cmocka_unit_test(hostile_shapes_end_within_100_ms),
		cmocka_unit_test(too_large_files_and_folders_are_refused),
		cmocka_unit_test(every_value_knows_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
