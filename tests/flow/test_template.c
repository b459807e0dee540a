/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "flow/template.h"
#include "tests/json.h"

static cs_template *compile(const char *text, int mode)
{
	CS_AUTOJSON json_t *value = json_plain(text);
	cs_exprset *set = cs_exprset_new();
	cs_template *t = NULL;
	cs_err err = { 0 };
	char pointer[CS_TEMPLATE_POINTER];
	if (cs_template_new(set, value, mode, &t, &err, pointer) < 0)
		fail_msg("%s: %s: %s", text, pointer, err.msg);
	cs_exprset_unref(set);
	return t;
}

static void gives(const char *text, int mode, const char *dot_text, const char *expected)
{
	CS_CLEANUP(cs_template_freep) cs_template *t = compile(text, mode);
	CS_AUTOJSON json_t *dot = json_plain(dot_text), *v = NULL;
	cs_err err = { 0 };
	if (cs_template_eval(t, &(cs_scope){ .dot = dot }, &v, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	CS_AUTOFREE char *got = cs_json_text(v);
	assert_string_equal(got, expected);
}

static void only_whole_strings_in_braces_are_expressions(void **ctx)
{
	(void)ctx;
	const char *dot = "{\"a\":1,\"l\":[2]}";
	gives("{\"x\":\"${ .a }\",\"y\":[\"${.l}\",\".a\",3],\"z\":{\"k\":\"cost: ${ .a }\"}}", CS_TEMPLATE_STRICT, dot,
	      "{\"x\":1,\"y\":[[2],\".a\",3],\"z\":{\"k\":\"cost: ${ .a }\"}}");
	gives("\" ${ .a } \"", CS_TEMPLATE_STRICT, dot, "1");
	gives("\".a\"", CS_TEMPLATE_STRICT, dot, "\".a\"");
	gives("\"${ {x: {y: .a}} }\"", CS_TEMPLATE_STRICT, dot, "{\"x\":{\"y\":1}}");
}

static void bare_is_for_the_top_only(void **ctx)
{
	(void)ctx;
	gives("\".a\"", CS_TEMPLATE_BARE, "{\"a\":1}", "1");
	gives("\"${ .a }\"", CS_TEMPLATE_BARE, "{\"a\":1}", "1");
	gives("{\"x\":\".a\",\"y\":\"${ .a }\"}", CS_TEMPLATE_BARE, "{\"a\":1}", "{\"x\":\".a\",\"y\":1}");
	gives("true", CS_TEMPLATE_BARE, "null", "true");
}

/* jq cannot be had here, and that is no reason to take an expression for a text. */
static void what_fails_in_loose_mode_is_the_text(void **ctx)
{
	(void)ctx;
	const char *dot = "{\"a\":1,\"s\":\".a\"}";
	gives("{\"x\":\".a\",\"y\":[\"${ .a }\",\"$nobody\",\".a.b\"],\"z\":\"${ .a.b }\",\"u\":\"a)\",\"v\":\"now\",\"w\":\"\",\"s\":\".s\",\"t\":\"12\"}",
	      CS_TEMPLATE_LOOSE, dot, "{\"x\":1,\"y\":[1,\"$nobody\",\".a.b\"],\"z\":\"${ .a.b }\",\"u\":\"a)\",\"v\":\"now\",\"w\":\"\",\"s\":\".a\",\"t\":12}");
	gives("\".a\"", CS_TEMPLATE_BARE | CS_TEMPLATE_LOOSE, dot, "1");
	gives("\"((\"", CS_TEMPLATE_BARE | CS_TEMPLATE_LOOSE, dot, "\"((\"");
	gives("{\"method\":\".a\",\"endpoint\":{\"uri\":\".a\"},\"endpoints\":\".a\",\"body\":{\"method\":\".a\"}}", CS_TEMPLATE_LOOSE_WITH, dot,
	      "{\"method\":\".a\",\"endpoint\":{\"uri\":\".a\"},\"endpoints\":1,\"body\":{\"method\":1}}");
	CS_CLEANUP(cs_template_freep) cs_template *t = compile("\"hello\"", CS_TEMPLATE_LOOSE);
	json_t *v = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_template_eval(t, &(cs_scope){ 0 }, &v, &err), CS_EUNSUPPORTED);
}

/* What looks like an expression in the data is data. */
static void values_are_never_evaluated(void **ctx)
{
	(void)ctx;
	gives("{\"x\":\"${ .a }\"}", CS_TEMPLATE_STRICT, "{\"a\":\"${ .b }\",\"b\":1}", "{\"x\":\"${ .b }\"}");
	gives("\"${ \\\"\\\\(.a)\\\" }\"", CS_TEMPLATE_STRICT, "{\"a\":\"${ .b } \\\\(.b)\"}", "\"${ .b } \\\\(.b)\"");
}

static void a_constant_is_given_by_reference(void **ctx)
{
	(void)ctx;
	CS_AUTOJSON json_t *value = json_plain("{\"a\":[1,{\"b\":\"x\"}]}"), *v = NULL;
	cs_exprset *set = cs_exprset_new();
	CS_CLEANUP(cs_template_freep) cs_template *t = NULL;
	assert_int_equal(cs_template_new(set, value, CS_TEMPLATE_STRICT, &t, NULL, NULL), 0);
	cs_exprset_unref(set);
	assert_true(cs_template_is_const(t));
	assert_int_equal(cs_template_eval(t, &(cs_scope){ 0 }, &v, NULL), 0);
	assert_ptr_equal(v, value);
	CS_CLEANUP(cs_template_freep) cs_template *other = compile("[\"${ . }\"]", CS_TEMPLATE_STRICT);
	assert_false(cs_template_is_const(other));
}

static void faults_name_their_place(void **ctx)
{
	(void)ctx;
	CS_AUTOJSON json_t *value = json_plain("{\"ok\":\"${ . }\",\"a/b\":[1,{\"c~\":\"${ .x) }\"}]}");
	cs_exprset *set = cs_exprset_new();
	cs_template *t = NULL;
	cs_err err = { 0 };
	char pointer[CS_TEMPLATE_POINTER];
	assert_int_equal(cs_template_new(set, value, CS_TEMPLATE_STRICT, &t, &err, pointer), CS_ESYNTAX);
	cs_exprset_unref(set);
	assert_null(t);
	assert_string_equal(pointer, "/a~1b/1/c~0");
	assert_int_equal(err.col, 6);
	CS_CLEANUP(cs_template_freep) cs_template *fails = compile("{\"a\":\"${ 1 }\",\"b\":[\"${ .x }\"]}", CS_TEMPLATE_STRICT);
	CS_AUTOJSON json_t *dot = json_plain("5"), *v = NULL;
	assert_int_equal(cs_template_eval(fails, &(cs_scope){ .dot = dot }, &v, &err), CS_EINVAL);
	assert_null(v);
	assert_string_equal(err.msg, "/b/0: expression `.x`: Cannot index number with \"x\"");
}

typedef struct asked { int asks, answers; } asked;

static int answer(void *ctx, const cs_expr *e, const json_t *dot, json_t **ret, cs_err *err)
{
	asked *a = ctx;
	(void)e, (void)dot, (void)err;
	a->asks++;
	if (!a->answers)
		return CS_EAGAIN;
	*ret = json_integer(a->asks);
	return 0;
}

static void all_that_is_missing_is_asked_for_at_once(void **ctx)
{
	(void)ctx;
	CS_CLEANUP(cs_template_freep) cs_template *t =
		compile("{\"a\":\"${ map(1) }\",\"bad\":\"${ .x }\",\"b\":[\"${ .[] }\",\"${ add }\"]}", CS_TEMPLATE_STRICT);
	CS_AUTOJSON json_t *dot = json_plain("5"), *v = NULL, *fine = json_plain("{}");
	asked a = { 0 };
	cs_err err = { 0 };
	/* Also after the error in the middle, which is told once the answers are there. */
	assert_int_equal(cs_template_eval(t, &(cs_scope){ .dot = dot, .jq = answer, .ctx = &a }, &v, &err), CS_EAGAIN);
	assert_int_equal(a.asks, 3);
	a = (asked){ 0, 1 };
	assert_int_equal(cs_template_eval(t, &(cs_scope){ .dot = dot, .jq = answer, .ctx = &a }, &v, &err), CS_EINVAL);
	a = (asked){ 0, 1 };
	assert_int_equal(cs_template_eval(t, &(cs_scope){ .dot = fine, .jq = answer, .ctx = &a }, &v, &err), 0);
	CS_AUTOFREE char *got = cs_json_text(v);
	assert_string_equal(got, "{\"a\":1,\"bad\":null,\"b\":[2,3]}");
}

static int note(void *ctx, const cs_expr *e, const char *pointer)
{
	cs_buf *b = ctx;
	cs_buf_addf(b, "%s=%s;", pointer, cs_expr_source(e));
	return strcmp(pointer, "/b/1") == 0 ? 7 : 0;
}

static void each_walks_in_document_order_and_stops(void **ctx)
{
	(void)ctx;
	CS_CLEANUP(cs_template_freep) cs_template *t =
		compile("{\"z\":\"${.z}\",\"b\":[1,\"${.b}\"],\"c\":\"${.c}\"}", CS_TEMPLATE_STRICT);
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 1000);
	assert_int_equal(cs_template_each(t, note, &b), 7);
	assert_string_equal(cs_buf_str(&b), "/z=.z;/b/1=.b;");
	CS_CLEANUP(cs_template_freep) cs_template *constant = compile("[1]", CS_TEMPLATE_STRICT);
	assert_int_equal(cs_template_each(constant, note, &b), 0);
}

static void a_value_repeated_without_end_is_refused(void **ctx)
{
	(void)ctx;
	CS_CLEANUP(cs_template_freep) cs_template *t = compile("[\"${.}\",\"${.}\",\"${.}\",\"${.}\"]", CS_TEMPLATE_STRICT);
	json_t *dot = json_plain("\"0123456789\"");
	int rc = 0, rounds = 0;
	while (rc == 0 && rounds++ < 100) {
		json_t *next = NULL;
		rc = cs_template_eval(t, &(cs_scope){ .dot = dot }, &next, NULL);
		if (rc == 0) {
			json_decref(dot);
			dot = next;
		}
	}
	json_decref(dot);
	assert_int_equal(rc, CS_ETOOBIG);
	assert_true(rounds > 5 && rounds < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_strings_in_braces_are_expressions),
		cmocka_unit_test(bare_is_for_the_top_only),
		cmocka_unit_test(what_fails_in_loose_mode_is_the_text),
		cmocka_unit_test(values_are_never_evaluated),
		cmocka_unit_test(a_constant_is_given_by_reference),
		cmocka_unit_test(faults_name_their_place),
		cmocka_unit_test(all_that_is_missing_is_asked_for_at_once),
		cmocka_unit_test(each_walks_in_document_order_and_stops),
		cmocka_unit_test(a_value_repeated_without_end_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
