/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/expr.h"
#include "tests/json.h"

typedef struct fixture {
	cs_exprset *set;
	json_t *dot, *vars;
} fixture;

static int setup(void **ctx)
{
	fixture *f = cs_xcalloc(1, sizeof(*f));
	f->set = cs_exprset_new();
	f->dot = json_plain("{\"a\":{\"b\":5,\"id\":9223372036854775807},\"l\":[1,2,{\"x\":\"y\"}],\"s\":\"h\xC3\xA9\",\"n\":null,"
		      "\"f\":0.00001,\"g\":0.30000000000000004,\"z\":false}");
	f->vars = json_plain("{\"context\":{\"n\":1},\"start\":\"s\"}");
	*ctx = f;
	return 0;
}

static int teardown(void **ctx)
{
	fixture *f = *ctx;
	cs_exprset_unref(f->set);
	json_decref(f->dot);
	json_decref(f->vars);
	free(f);
	return 0;
}

static int get_var(void *ctx, const char *name, json_t **ret)
{
	json_t *v = json_object_get(((fixture *)ctx)->vars, name);
	if (!v)
		return CS_ENOTFOUND;
	*ret = json_incref(v);
	return 0;
}

static const cs_expr *add(fixture *f, const char *source)
{
	const cs_expr *e = NULL;
	cs_err err = { 0 };
	if (cs_exprset_add(f->set, source, &e, &err) < 0)
		fail_msg("%s: %s", source, err.msg);
	return e;
}

static int eval(fixture *f, const char *source, json_t **ret, cs_err *err)
{
	cs_scope scope = { .dot = f->dot, .var = get_var, .ctx = f };
	return cs_expr_eval(add(f, source), &scope, ret, err);
}

static void gives(fixture *f, const char *source, const char *expected)
{
	CS_AUTOJSON json_t *v = NULL;
	cs_err err = { 0 };
	assert_true(cs_expr_is_plain(add(f, source)));
	if (eval(f, source, &v, &err) < 0)
		fail_msg("%s: %s", source, err.msg);
	CS_AUTOFREE char *text = cs_json_text(v);
	assert_string_equal(text, expected);
}

static void fails(fixture *f, const char *source, int code, const char *why)
{
	CS_AUTOJSON json_t *v = NULL;
	cs_err err = { 0 };
	assert_int_equal(eval(f, source, &v, &err), code);
	assert_null(v);
	if (!strstr(err.msg, why))
		fail_msg("%s: %s", source, err.msg);
}

static void refused(fixture *f, const char *source, unsigned col, const char *why)
{
	const cs_expr *e = NULL;
	cs_err err = { 0 };
	if (cs_exprset_add(f->set, source, &e, &err) != CS_ESYNTAX || err.col != col || !strstr(err.msg, why))
		fail_msg("%s: %d, column %u, %s", source, err.code, err.col, err.msg);
	assert_null(e);
}

static void paths_literals_and_operators_are_plain(void **ctx)
{
	fixture *f = *ctx;
	gives(f, ".a.b", "5");
	gives(f, ".[\"a\"][\"b\"]", "5");
	gives(f, ".l[-1].\"x\"", "\"y\"");
	gives(f, ".l[9]", "null");
	gives(f, ".n.deeper[0]", "null");
	gives(f, "$context.n", "1");
	gives(f, "\"x \\(.a.b) \\(.s) \\(.l)\"", "\"x 5 h\xC3\xA9 [1,2,{\\\"x\\\":\\\"y\\\"}]\"");
	gives(f, ".a.b == 5 and .s != \"h\"", "true");
	gives(f, ".z // .n // \"none\"", "\"none\"");
	gives(f, "{a: .l, \"k\": -1, $start}", "{\"a\":[1,2,{\"x\":\"y\"}],\"k\":-1,\"start\":\"s\"}");
	gives(f, "[.s.q?, 1]", "[1]");
	gives(f, "(.l + [3] | length) + 1", "5");
	gives(f, "if .a.b > 4 then \"big\" elif .z then 1 else 2 end", "\"big\"");
	gives(f, ".l[.l[0]]", "2");
	gives(f, "\"\\(.f)\"", "\"1e-05\"");
}

static void integers_keep_their_digits(void **ctx)
{
	fixture *f = *ctx;
	gives(f, ".a.id", "9223372036854775807");
	gives(f, "\"\\(.a.id)\"", "\"9223372036854775807\"");
	gives(f, ".a.id > 9007199254740992", "true");
	refused(f, ".a.id == 9007199254740993", 10, "2^53");
	/* jq would round these: they are left to it, which refuses. */
	fails(f, ".a.id + 1", CS_EUNSUPPORTED, "needs jq");
	fails(f, "\"\\(.g)\"", CS_EUNSUPPORTED, "needs jq");
}

static void errors_say_which_expression_and_why(void **ctx)
{
	fixture *f = *ctx;
	fails(f, ".s.x", CS_EINVAL, "expression `.s.x`: Cannot index string with \"x\"");
	fails(f, ".a[0]", CS_EINVAL, "Cannot index object with number");
	fails(f, ".a + .l", CS_EINVAL, "object and array cannot be added");
	fails(f, "$contxt.n", CS_EINVAL, "$contxt is not known here");
	fails(f, ".s.x?", CS_EINVAL, "yields nothing");
	fails(f, ".z | length", CS_EINVAL, "boolean has no length");
	fails(f, "map(.)", CS_EUNSUPPORTED, "needs jq");
}

static void what_jq_cannot_lex_is_refused_with_its_column(void **ctx)
{
	fixture *f = *ctx;
	refused(f, "", 1, "empty");
	refused(f, " # nothing\n", 1, "empty");
	refused(f, ".a) | (.b", 3, "closes nothing");
	refused(f, "(.a", 4, "is not closed");
	refused(f, "[.a)", 4, "still to be closed");
	refused(f, "\"h\xC3\xA9", 4, "not closed");
	refused(f, "\"\\(.a", 6, "not closed");
	refused(f, "\"\\q\"", 2, "unknown escape");
	refused(f, ".a \xC3\xA9", 4, "has no meaning");
	refused(f, "\xFF", 1, "UTF-8");
	CS_AUTOFREE char *deep = cs_xcalloc(1, 2001);
	memset(deep, '(', 2000);
	refused(f, deep, 101, "nested");
}

static void the_world_outside_is_refused_by_name(void **ctx)
{
	fixture *f = *ctx;
	static const char *const sources[] = { "now", "env", "env.PATH", "input", "[inputs]", "debug", "$ENV", "$ENV.PATH",
		"$__loc__", "$__i", "__e0", "input_filename", "localtime", "halt", "halt_error", "halt_error(1)", "get_search_list",
		"builtins", "modulemeta", "import \"a\" as a; .", "include \"a\"; .", "input_line_number", "stderr",
		"{a: input}", "{(now): 1}", ".[input:2]", "\"\\(now)\"", "def f: now; f", "def now: 1; now", "[.[] | {a: (now)}]",
		"$ ENV", "{a:1,b:f(1,env)}" };
	for (size_t i = 0; i < CS_ARRAY_LEN(sources); i++) {
		const cs_expr *e = NULL;
		int rc = cs_exprset_add(f->set, sources[i], &e, NULL);
		if (rc == CS_ESYNTAX)
			continue;
		/* Well written, but never evaluated: its task faults with an expression error. */
		cs_scope scope = { .dot = NULL };
		json_t *v = NULL;
		if (rc != CS_OK || cs_expr_refused(e) == NULL || cs_expr_is_plain(e) || cs_expr_eval(e, &scope, &v, NULL) != CS_EINVAL)
			fail_msg("%s was taken", sources[i]);
	}
	/* The same words as names of members are only words. */
	static const char *const fine[] = { ".now", ".env.input", "{now}", "{now: 1, env}", "\"now\"", ".[\"input\"]", "{\"now\": .a}",
					    ". as {now: $x} | $x", "# now\n." };
	for (size_t i = 0; i < CS_ARRAY_LEN(fine); i++)
		add(f, fine[i]);
}

static void check_vars(fixture *f, const char *source, const char *expected)
{
	char text[200] = "";
	for (const char *const *v = cs_expr_vars(add(f, source)); *v; v++) {
		strncat(text, *v, sizeof(text) - strlen(text) - 1);
		strncat(text, " ", sizeof(text) - strlen(text) - 1);
	}
	assert_string_equal(text, expected);
}

static void the_names_an_expression_needs_are_known(void **ctx)
{
	fixture *f = *ctx;
	check_vars(f, ".a", "");
	check_vars(f, "$b + $a + $b", "b a ");
	check_vars(f, "\"\\($x) $y\"", "x ");
	check_vars(f, ".l[] as $i | $i + $j", "j ");
	check_vars(f, ". as [$p, {q: $q}] | $p + $q + $r", "r ");
	check_vars(f, "reduce .l[] as $i (0; . + $i * $k)", "k ");
	check_vars(f, "def f($p): $p; f($o)", "o ");
	check_vars(f, "label $out | break $out", "");
	check_vars(f, "(.x as $input | $input) + $input", "input ");
	check_vars(f, "{$m}", "m ");
	check_vars(f, ". as {($k): $x} | $x", "k ");
	check_vars(f, "(.l | . as [$x] | $x)", "");
}

static void the_same_source_is_one_expression(void **ctx)
{
	fixture *f = *ctx;
	const cs_expr *first = add(f, ".a.b");
	add(f, ".a.c");
	assert_ptr_equal(add(f, ".a.b"), first);
	assert_int_equal(cs_exprset_count(f->set), 2);
	assert_ptr_equal(cs_exprset_get(f->set, cs_expr_index(first)), first);
	assert_null(cs_exprset_get(f->set, 2));
	assert_string_equal(cs_expr_source(first), ".a.b");
}

static void values_stay_within_bounds(void **ctx)
{
	fixture *f = *ctx;
	/* Doubled by reference again and again, a small value becomes one that nobody can write. */
	json_t *dot = json_plain("\"0123456789\"");
	cs_err err = { 0 };
	int rc = 0, rounds = 0;
	const cs_expr *twice = add(f, "[., .]");
	while (rc == 0 && rounds++ < 200) {
		json_t *next = NULL;
		rc = cs_expr_eval(twice, &(cs_scope){ .dot = dot }, &next, &err);
		if (rc == 0) {
			json_decref(dot);
			dot = next;
		}
	}
	json_decref(dot);
	assert_int_equal(rc, CS_ETOOBIG);
	assert_true(rounds > 10 && rounds < 40);
}

static void long_and_deep_plain_expressions_do_not_exhaust_the_parser(void **ctx)
{
	fixture *f = *ctx;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 1 << 20);
	for (int i = 0; i < 20000; i++)
		cs_buf_adds(&b, "1+");
	cs_buf_adds(&b, "1");
	assert_false(cs_expr_is_plain(add(f, cs_buf_str(&b))));
	cs_buf_reset(&b);
	for (int i = 0; i < 10000; i++)
		cs_buf_adds(&b, ".a|");
	cs_buf_adds(&b, ".");
	assert_false(cs_expr_is_plain(add(f, cs_buf_str(&b))));
	cs_buf_reset(&b);
	for (int i = 0; i < 3000; i++)
		cs_buf_adds(&b, "if . then 1 elif ");
	assert_false(cs_expr_is_plain(add(f, cs_buf_str(&b))));
	for (int i = 0; i < 20000; i++)
		cs_buf_adds(&b, "12345");
	const cs_expr *e = NULL;
	assert_int_equal(cs_exprset_add(f->set, cs_buf_str(&b), &e, NULL), CS_ETOOBIG);
}

/* Each step doubles what there is to look at, though not what is allocated. */
static void comparing_ends_however_often_a_value_is_shared(void **ctx)
{
	fixture *f = *ctx;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 10000);
	for (int side = 0; side < 2; side++) {
		cs_buf_adds(&b, side ? " == (.a" : "(.a");
		for (int i = 0; i < 22; i++)
			cs_buf_adds(&b, "|[.,.]");
		cs_buf_adds(&b, ")");
	}
	int64_t begin = cs_clock_mono_ns();
	fails(f, cs_buf_str(&b), CS_ETOOBIG, "limits");
	assert_true(cs_clock_mono_ns() - begin < INT64_C(2000000000));
	cs_buf_reset(&b);
	cs_buf_adds(&b, "\"\\(.a");
	for (int i = 0; i < 19; i++)
		cs_buf_adds(&b, "|[.,.]");
	cs_buf_adds(&b, ")\"");
	fails(f, cs_buf_str(&b), CS_ETOOBIG, "limits");
}

/* A path is the commonest expression of all. A hundred times the usual time is the bound: it fails
 * for a process, a parse or a copy on the way, not for a busy machine. */
static void a_path_costs_less_than_a_parse(void **ctx)
{
	fixture *f = *ctx;
	const cs_expr *e = add(f, ".a.b");
	cs_scope scope = { .dot = f->dot, .var = get_var, .ctx = f };
	int64_t begin = cs_clock_mono_ns();
	for (int i = 0; i < 100000; i++) {
		CS_AUTOJSON json_t *v = NULL;
		assert_int_equal(cs_expr_eval(e, &scope, &v, NULL), 0);
	}
	int64_t each = (cs_clock_mono_ns() - begin) / 100000;
	print_message(".a.b: %lld ns\n", (long long)each);
	assert_true(each < 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths_literals_and_operators_are_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(integers_keep_their_digits, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_say_which_expression_and_why, setup, teardown),
		cmocka_unit_test_setup_teardown(what_jq_cannot_lex_is_refused_with_its_column, setup, teardown),
		cmocka_unit_test_setup_teardown(the_world_outside_is_refused_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(the_names_an_expression_needs_are_known, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_source_is_one_expression, setup, teardown),
		cmocka_unit_test_setup_teardown(values_stay_within_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(long_and_deep_plain_expressions_do_not_exhaust_the_parser, setup, teardown),
		cmocka_unit_test_setup_teardown(comparing_ends_however_often_a_value_is_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(a_path_costs_less_than_a_parse, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
