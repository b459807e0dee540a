/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts with expressions in them: where one begins and ends, and what the text then gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/template.h"
#include "flow/text.h"

static const struct {
	const char *text, *gives;
} texts[] = {
	{ "", "" },
	{ "Just words, $5 and {braces}.", "Just words, $5 and {braces}." },
	{ "Dear ${ .name },\nyours", "Dear Ada,\nyours" },
	{ "${ .name }", "Ada" },
	{ "${ .n }", "3" },
	{ "${ .name } and ${ .n }", "Ada and 3" },
	{ "${.name}${.n}", "Ada3" },
	{ "a \"quoted\" \\ back\tslash ${ .name }", "a \"quoted\" \\ back\tslash Ada" },
	{ "${ \"}\" }", "}" },
	{ "${ \"in \\(.name) {\" }!", "in Ada {!" },
	{ "${ {a: .n}.a }.", "3." },
	{ "$${ .name } stays, ${ .name } goes", "${ .name } stays, Ada goes" },
	{ "$${ all }", "${ all }" },
	{ "\xc3\xa9\xe2\x80\x94 ${ .name }", "\xc3\xa9\xe2\x80\x94 Ada" },
	{ "${ .list }", "[1,\"x\"]" },
	{ "${ .none }", "null" },
};

static void a_text_gives_its_words_with_the_values_in_them(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *dot = json_pack("{s:s, s:i, s:[i, s]}", "name", "Ada", "n", 3, "list", 1, "x");
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++) {
		CS_AUTOJSON json_t *value = NULL;
		CS_AUTOJSON json_t *out = NULL;
		CS_CLEANUP(cs_template_freep) cs_template *t = NULL;
		cs_err err = { 0 };
		cs_exprset *set = cs_exprset_new();
		cs_scope scope = { .dot = dot };
		if (cs_text_value(texts[i].text, false, &value, &err) < 0 ||
		    cs_template_new(set, value, CS_TEMPLATE_STRICT, &t, &err, NULL) < 0 || cs_template_eval(t, &scope, &out, &err) < 0)
			fail_msg("%s: %s", texts[i].text, err.msg);
		cs_exprset_unref(set);
		assert_string_equal(json_string_value(out), texts[i].gives);
	}
}

static void a_whole_expression_may_stay_what_it_is(void **state)
{
	(void)state;
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ " ${ . } ", " ${ . } " }, { "${ .a } ${ .b }", "${ \"\\( .a ) \\( .b )\" }" }, { "x", "x" },
		{ "${ .n # a comment }\n}.", "${ \"\\( .n # a comment }\n\n).\" }" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOJSON json_t *value = NULL;
		assert_int_equal(cs_text_value(rows[i].text, true, &value, NULL), CS_OK);
		assert_string_equal(json_string_value(value), rows[i].value);
	}
}

static void what_does_not_end_is_told_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned line, col;
	} rows[] = {
		{ "${ .a", 1, 1 }, { "a\n \xc3\xa9 ${ \"}", 2, 4 }, { "ok ${ .a } ${ }", 1, 12 }, { "${ \"\\( }", 1, 1 }, { "${ ( } ", 1, 1 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		json_t *value = NULL;
		cs_err err = { 0 };
		assert_int_equal(cs_text_value(rows[i].text, true, &value, &err), CS_ESYNTAX);
		assert_null(value);
		assert_int_equal(err.line, rows[i].line);
		assert_int_equal(err.col, rows[i].col);
	}
}

static void nesting_without_end_is_refused(void **state)
{
	(void)state;
	enum { DEEP = 20000 };
	CS_AUTOFREE char *text = cs_xcalloc(1, 3 + 4 * DEEP + 1);
	json_t *value = NULL;
	memcpy(text, "${ ", 3);
	for (size_t i = 0; i < DEEP; i++)
		memcpy(text + 3 + 3 * i, "\"\\(", 3);
	assert_int_equal(cs_text_value(text, false, &value, NULL), CS_ESYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_gives_its_words_with_the_values_in_them),
		cmocka_unit_test(a_whole_expression_may_stay_what_it_is),
		cmocka_unit_test(what_does_not_end_is_told_with_its_place),
		cmocka_unit_test(nesting_without_end_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
