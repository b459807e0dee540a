/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two evaluators must give the same answers: expressions are made at random from the plain
 * grammar, and from loose tokens; each is evaluated here and by jq over values made at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/expr.h"
#include "flow/jq_pool.h"
#include "flow/template.h"

#define SETS 30
#define PER_SET 40
#define VALUES 4

static uint64_t state;

static unsigned pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}

#define ONE_OF(a) ((a)[pick(CS_ARRAY_LEN(a))])

/* ---- expressions ------------------------------------------------------------------------ */

static void make(cs_buf *b, unsigned depth);
static void make_term(cs_buf *b, unsigned depth);

static void make_path(cs_buf *b)
{
	static const char *const begin[] = { ".", ".a", ".b", ".c", "$v", "$w", ".l", ".[\"a\"]", ".\"b\"", ".a?", ".l?" };
	static const char *const next[] = { ".a", ".b", ".\"x y\"", "[0]", "[-1]", "[2]", "[\"c\"]", ".a?", "[0]?", ".b?",
					    "[$w]", " .c", "[.l]?", "[$v.a]" };
	cs_buf_adds(b, ONE_OF(begin));
	for (unsigned i = pick(3); i; i--)
		cs_buf_adds(b, ONE_OF(next));
}

static void make_literal(cs_buf *b)
{
	static const char *const literals[] = { "null", "true", "false", "0", "1", "-1", "-2.5", "1.0", "3.14", "1e3", "0.1",
		"9007199254740992", "\"\"", "\"a\"", "\"b\"", "\"\\u00e9\\n\\\"\"", "\"\\u0001\"", "\"z \\\\ \"", "[]", "{}",
		"100000", "1.5e-7", "123456789.125" };
	cs_buf_adds(b, ONE_OF(literals));
}

static void make_text(cs_buf *b, unsigned depth)
{
	static const char *const pieces[] = { "", "a", " é ", "\\t", "\\t.a)", "\\n1)\\\\(", "x\\\\y" };
	cs_buf_addc(b, '"');
	for (unsigned i = 1 + pick(3); i; i--) {
		cs_buf_adds(b, ONE_OF(pieces));
		cs_buf_adds(b, "\\(");
		make(b, depth);
		cs_buf_adds(b, ")");
	}
	cs_buf_adds(b, ONE_OF(pieces));
	cs_buf_addc(b, '"');
}

static void make_list(cs_buf *b, unsigned depth)
{
	cs_buf_addc(b, '[');
	for (unsigned i = pick(4); i; i--) {
		cs_buf_addc(b, '(');
		make(b, depth);
		cs_buf_adds(b, i > 1 ? ")," : ")");
	}
	cs_buf_addc(b, ']');
}

static void make_members(cs_buf *b, unsigned depth)
{
	static const char *const keys[] = { "a", "b", "\"c d\"", "if", "x", "b" };
	static const char *const alone[] = { "a", "$v", "\"b\"", "l", "$w" };
	cs_buf_addc(b, '{');
	for (unsigned i = pick(4); i; i--) {
		if (pick(3)) {
			cs_buf_addf(b, "%s: ", ONE_OF(keys));
			make_term(b, depth);
			if (!pick(5)) {
				cs_buf_adds(b, " | ");
				make_term(b, depth);
			}
		} else {
			cs_buf_adds(b, ONE_OF(alone));
		}
		cs_buf_adds(b, i > 1 ? ", " : "");
	}
	cs_buf_addc(b, '}');
}

static void make_term(cs_buf *b, unsigned depth)
{
	static const char *const calls[] = { "not", "length", "type", "tostring" };
	unsigned kind = pick(depth ? 14 : 7);
	if (kind < 4) {
		make_path(b);
	} else if (kind < 7) {
		make_literal(b);
	} else if (kind == 7) {
		make_text(b, depth - 1);
	} else if (kind < 10) {
		make_members(b, depth - 1);
	} else if (kind < 12) {
		make_list(b, depth - 1);
	} else {
		cs_buf_addc(b, '(');
		make(b, depth - 1);
		cs_buf_addf(b, "%s%s)", pick(2) ? " | " : " // ", ONE_OF(calls));
	}
}

static void make(cs_buf *b, unsigned depth)
{
	static const char *const comparisons[] = { " == ", " != ", " < ", " <= ", " > ", " >= ", "==", "<" };
	static const char *const operators[] = { " + ", " and ", " or ", " // ", " | ", "+", "//", " // " };
	if (depth && !pick(8)) {
		cs_buf_adds(b, "if ");
		make(b, depth - 1);
		cs_buf_adds(b, " then ");
		make(b, depth - 1);
		if (!pick(3)) {
			cs_buf_adds(b, " elif ");
			make(b, 0);
			cs_buf_adds(b, " then ");
			make(b, 0);
		}
		cs_buf_adds(b, " else ");
		make(b, depth - 1);
		cs_buf_adds(b, " end");
		return;
	}
	make_term(b, depth);
	/* Comparisons do not chain. */
	bool compared = false;
	for (unsigned i = pick(3); i && depth; i--) {
		bool compare = !compared && !pick(3);
		cs_buf_adds(b, compare ? ONE_OF(comparisons) : ONE_OF(operators));
		compared |= compare;
		make_term(b, depth - 1);
	}
}

/* Most of these are no jq; of those taken as plain, jq must be of the same opinion. */
static void make_soup(cs_buf *b)
{
	static const char *const tokens[] = { ".", ".a", "..", "[", "]", "(", ")", "{", "}", ",", "|", "//", "?", "?//", ":", "a",
		"$v ", "1", "-1", "-", "+", "==", "<", "and", "or", "not", "if", "then", "else", "end", "\"a\"", "\"\\(.a)\"", "[0]",
		".[0]", "null", "1.", ".5", "01", "1e", "=", "|=", "$ v", "as", " ", "length", "?", ".\"a\"", "a:", "{a:1}", "elif",
		"1.5.a", ". a", "#x", "::", "end", "reduce", "-.a", "- 1", "[]", "@text" };
	for (unsigned i = 1 + pick(6); i; i--) {
		cs_buf_adds(b, ONE_OF(tokens));
		if (!pick(3))
			cs_buf_addc(b, ' ');
	}
}

/* ---- values ----------------------------------------------------------------------------- */

static json_t *make_number(void)
{
	static const double reals[] = { 0.1, 1.5, -2.25, 1e-5, 1.25e-7, 0.00012, 123456789.125, 0.1 + 0.2, 1e22, 1.7976931348623157e308,
					5e-324, 1.0, 99999999999999.5, 1e-4, 12345.678 };
	static const json_int_t integers[] = { 0, 1, -1, 2, 3, 42, 1000000, 9007199254740992, -9007199254740992, 100000000000000 };
	return pick(3) ? json_integer(ONE_OF(integers)) : json_real(ONE_OF(reals));
}

static json_t *make_value(unsigned depth)
{
	static const char *const strings[] = { "", "a", "b", "é", "z\n\"\\", "\x7f\x01", "c", "😀", "aa", "true" };
	static const char *const keys[] = { "a", "b", "c", "l", "x y", "é" };
	switch (pick(depth ? 10 : 5)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(pick(2));
	case 2:
	case 3:
		return make_number();
	case 4:
		return json_string(ONE_OF(strings));
	case 5:
	case 6: {
		json_t *array = json_array();
		for (unsigned i = pick(4); i; i--)
			json_array_append_new(array, make_value(depth - 1));
		return array;
	}
	default: {
		json_t *object = json_object();
		for (unsigned i = pick(6); i; i--)
			json_object_set_new(object, ONE_OF(keys), make_value(depth - 1));
		return object;
	}
	}
}

/* ---- comparing -------------------------------------------------------------------------- */

typedef struct counts { unsigned same, failed_alike, asked, skipped; } counts;

static int get_var(void *ctx, const char *name, json_t **ret)
{
	json_t *v = json_object_get(ctx, name);
	if (!v)
		return CS_ENOTFOUND;
	*ret = json_incref(v);
	return 0;
}

static int ask_jq(void *ctx, const cs_expr *e, const json_t *dot, json_t **ret, cs_err *err)
{
	(void)ctx, (void)e, (void)dot, (void)ret, (void)err;
	return CS_EAGAIN;
}

static void compare(cs_jq_pool *pool, const cs_exprset *set, const cs_expr *plain, const cs_expr *twin, json_t *dot, json_t *vars,
		    counts *n)
{
	CS_AUTOJSON json_t *mine = NULL, *theirs = NULL;
	cs_err my_err = { 0 }, their_err = { 0 };
	cs_scope scope = { .dot = dot, .var = get_var, .jq = ask_jq, .ctx = vars };
	int rc = cs_expr_eval(plain, &scope, &mine, &my_err);
	if (rc == CS_EAGAIN) {
		n->asked++;
		return;
	}
	int jq_rc = cs_jq_pool_eval(pool, set, twin, dot, vars, &theirs, &their_err);
	if (rc < 0 && jq_rc < 0) {
		assert_int_equal(rc, CS_EINVAL);
		assert_int_equal(jq_rc, CS_EINVAL);
		n->failed_alike++;
		return;
	}
	/* Carried here as it is, where jq is not trusted with it. */
	if (rc == 0 && jq_rc == CS_EINVAL && strstr(their_err.msg, "a whole number beyond 2^53")) {
		n->asked++;
		return;
	}
	CS_AUTOFREE char *my_text = mine ? cs_json_text(mine) : cs_xstrdup(my_err.msg);
	CS_AUTOFREE char *their_text = theirs ? cs_json_text(theirs) : cs_xstrdup(their_err.msg);
	if (rc != jq_rc || strcmp(my_text, their_text) != 0) {
		CS_AUTOFREE char *dot_text = cs_json_text(dot), *vars_text = cs_json_text(vars);
		fail_msg("%s\n  over %s\n  with %s\n  here: %s\n  jq:   %s", cs_expr_source(plain), dot_text, vars_text, my_text,
			 their_text);
	}
	n->same++;
}

/* The same expression in a form that is never plain. */
static const cs_expr *add_twin(cs_exprset *set, const char *source)
{
	CS_AUTOFREE char *text = cs_xasprintf("(%s) | . as $same | $same", source);
	const cs_expr *e = NULL;
	cs_err err = { 0 };
	if (cs_exprset_add(set, text, &e, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	assert_false(cs_expr_is_plain(e));
	return e;
}

typedef struct pairs {
	cs_exprset *set;
	const cs_expr *plain[PER_SET], *twin[PER_SET];
	unsigned n;
} pairs;

static bool is_plain(const char *source)
{
	cs_exprset *apart = cs_exprset_new();
	const cs_expr *e = NULL;
	bool plain = cs_exprset_add(apart, source, &e, NULL) == 0 && cs_expr_is_plain(e);
	cs_exprset_unref(apart);
	return plain;
}

static void add_pair(pairs *p, const char *source, counts *n)
{
	const cs_expr *e = NULL;
	unsigned before = cs_exprset_count(p->set);
	if (!is_plain(source)) {
		n->skipped++;
		return;
	}
	assert_int_equal(cs_exprset_add(p->set, source, &e, NULL), 0);
	if (cs_expr_index(e) < before)
		return;
	p->plain[p->n] = e;
	p->twin[p->n++] = add_twin(p->set, source);
}

static void check_compiles(cs_jq_pool *pool, const pairs *p)
{
	unsigned bad = 0;
	cs_err err = { 0 };
	if (cs_jq_pool_check(pool, p->set, &bad, &err) < 0)
		fail_msg("taken as plain, but no jq: %s: %s", cs_expr_source(cs_exprset_get(p->set, bad)), err.msg);
}

static void compare_all(cs_jq_pool *pool, const pairs *p, counts *n)
{
	for (unsigned i = 0; i < p->n; i++) {
		for (unsigned j = 0; j < VALUES; j++) {
			/* Mostly objects: most paths begin with a name. */
			CS_AUTOJSON json_t *dot = make_value(3), *vars = json_object();
			for (unsigned k = 0; k < 4 && !json_is_object(dot); k++) {
				json_decref(dot);
				dot = make_value(3);
			}
			json_object_set_new(vars, "v", make_value(2));
			json_object_set_new(vars, "w", make_value(1));
			compare(pool, p->set, p->plain[i], p->twin[i], dot, vars, n);
		}
	}
}

static void run(void (*source)(cs_buf *b), unsigned sets, unsigned tries, counts *n)
{
	cs_jq_pool *pool = cs_jq_pool_new("/proc/self/exe", 1, 5000);
	for (unsigned s = 0; s < sets; s++) {
		pairs p = { .set = cs_exprset_new() };
		for (unsigned i = 0; i < tries && p.n < PER_SET; i++) {
			CS_AUTOBUF cs_buf b;
			cs_buf_init(&b, 1 << 16);
			source(&b);
			add_pair(&p, cs_buf_str(&b), n);
		}
		check_compiles(pool, &p);
		compare_all(pool, &p, n);
		cs_exprset_unref(p.set);
	}
	cs_jq_pool_free(pool);
	print_message("%u alike, %u failed alike, %u left to jq, %u not plain\n", n->same, n->failed_alike, n->asked, n->skipped);
}

static void make_any(cs_buf *b)
{
	make(b, 3);
}

static void plain_expressions_give_what_jq_gives(void **ctx)
{
	(void)ctx;
	counts n = { 0 };
	state = 0x9E3779B97F4A7C15;
	run(make_any, SETS, 2 * PER_SET, &n);
	/* The test is worth something only while most of what it makes is compared. */
	assert_true(n.same > 2000);
	assert_true(n.failed_alike > 200);
	assert_true(n.asked < n.same / 3);
	assert_true(n.skipped < SETS * PER_SET / 5);
}

static void what_is_taken_as_plain_is_jq(void **ctx)
{
	(void)ctx;
	counts n = { 0 };
	state = 0xD1B54A32D192ED03;
	run(make_soup, 8, 20000, &n);
	assert_true(n.same > 500);
	assert_true(n.skipped > 1000);
}

/* ---- loose mode ------------------------------------------------------------------------- */

static void make_words(cs_buf *b)
{
	static const char *const words[] = { "hello", "Hello, world.", "true", "42", ".a", ".l", "length", "sort", "map(.)", "1 + 1", ".a + .b", "add",
		"https://a.example/x?y=1", "a@b.example", "$v", "$w.a", "2026-01-02", "error", "empty", "first", "1, 2", "keys", "(", "\"a\"", "#",
		"now", "input", "[.[]?]", "tojson", "${x", ".a as $x | $x", "def f: 1; f", "range(2)", "@text", "reduce .l[]? as $i (0; . + 1)" };
	cs_buf_adds(b, ONE_OF(words));
	if (!pick(3)) {
		cs_buf_adds(b, pick(2) ? " " : " | ");
		cs_buf_adds(b, ONE_OF(words));
	}
}

typedef struct loose_scope {
	cs_jq_pool *pool;
	cs_exprset *set;
	json_t *vars;
} loose_scope;

static int loose_var(void *ctx, const char *name, json_t **ret)
{
	return get_var(((loose_scope *)ctx)->vars, name, ret);
}

static int loose_jq(void *ctx, const cs_expr *e, const json_t *dot, json_t **ret, cs_err *err)
{
	const loose_scope *s = ctx;
	return cs_jq_pool_eval(s->pool, s->set, e, dot, s->vars, ret, err);
}

/* What jq alone makes of TEXT, as the one expression of its set; the text where it makes nothing of it. */
static json_t *alone(cs_jq_pool *pool, const char *text, const json_t *dot, const json_t *vars)
{
	CS_AUTOFREE char *source = cs_xasprintf("(%s\n) | . as $same | $same", text);
	cs_exprset *set = cs_exprset_new();
	const cs_expr *e = NULL;
	json_t *v = NULL;
	/* What is no expression by itself must not become one by the brackets around it. */
	bool jq = cs_exprset_add(set, text, &e, NULL) == 0 && !cs_expr_refused(e) && cs_exprset_add(set, source, &e, NULL) == 0;
	if (!jq || cs_jq_pool_eval(pool, set, e, dot, vars, &v, NULL) < 0)
		v = json_string(text);
	cs_exprset_unref(set);
	return v;
}

/* All of them stand in one set: what is no jq spoils nothing for its neighbours. */
static void loose_texts_are_what_jq_makes_of_them_or_themselves(void **ctx)
{
	(void)ctx;
	unsigned texts = 0, values = 0;
	state = 0xA0761D6478BD642F;
	cs_jq_pool *pool = cs_jq_pool_new("/proc/self/exe", 1, 5000);
	for (unsigned s = 0; s < 12; s++) {
		CS_AUTOJSON json_t *list = json_array(), *dot = make_value(2), *vars = json_object(), *got = NULL;
		json_object_set_new(vars, "v", make_value(2));
		json_object_set_new(vars, "w", make_value(1));
		for (unsigned i = 0; i < 25; i++) {
			CS_AUTOBUF cs_buf b;
			cs_buf_init(&b, 1 << 16);
			(pick(3) ? make_words : make_soup)(&b);
			json_array_append_new(list, json_string(cs_buf_str(&b)));
		}
		loose_scope ls = { pool, cs_exprset_new(), vars };
		cs_template *t = NULL;
		cs_err err = { 0 };
		unsigned bad = 0;
		assert_int_equal(cs_template_new(ls.set, list, CS_TEMPLATE_LOOSE, &t, &err, NULL), 0);
		assert_int_equal(cs_jq_pool_check(pool, ls.set, &bad, &err), 0);
		if (cs_template_eval(t, &(cs_scope){ .dot = dot, .var = loose_var, .jq = loose_jq, .ctx = &ls }, &got, &err) < 0)
			fail_msg("%s", err.msg);
		for (size_t i = 0; i < json_array_size(list); i++) {
			const char *text = json_string_value(json_array_get(list, i));
			CS_AUTOJSON json_t *want = alone(pool, text, dot, vars);
			CS_AUTOFREE char *want_text = cs_json_text(want), *got_text = cs_json_text(json_array_get(got, i));
			if (strcmp(want_text, got_text) != 0)
				fail_msg("%s\n  loose: %s\n  jq:    %s", text, got_text, want_text);
			*(json_equal(want, json_array_get(list, i)) ? &texts : &values) += 1;
		}
		cs_template_free(t);
		cs_exprset_unref(ls.set);
	}
	cs_jq_pool_free(pool);
	print_message("%u texts, %u values\n", texts, values);
	assert_true(texts > 60 && values > 60);
}

/* ---- order ------------------------------------------------------------------------------ */

/* An object as it was just made, and the same as a log gives it back. */
static void an_object_in_a_text_has_its_keys_in_one_order(void **ctx)
{
	static const char *const sources[] = { "\"\\($v)\"", "$v | tostring", "\"\\([{z: $v, b: 1, a: {y: 1, x: 2}}])\"", "$v | . as $x | $x | tojson",
		"$v | . as $x | @text \"\\($x)\"", "[$v] | . as $x | @json", "{z: 1, a: $v} | . as $x | \"\\($x)\"", "{z: 1, a: $v} | . as $x | tostring" };
	(void)ctx;
	cs_jq_pool *pool = cs_jq_pool_new("/proc/self/exe", 1, 5000);
	cs_exprset *set = cs_exprset_new();
	for (size_t i = 0; i < CS_ARRAY_LEN(sources); i++) {
		CS_AUTOJSON json_t *one = json_pack("{s:{s:{s:i,s:i},s:i,s:i}}", "v", "é", "q", 1, "p", 2, "b", 1, "a", 2);
		CS_AUTOJSON json_t *other = json_pack("{s:{s:i,s:i,s:{s:i,s:i}}}", "v", "a", 2, "b", 1, "é", "p", 2, "q", 1);
		CS_AUTOJSON json_t *first = NULL, *second = NULL, *theirs = NULL;
		const cs_expr *e = NULL;
		assert_int_equal(cs_exprset_add(set, sources[i], &e, NULL), 0);
		loose_scope ls = { pool, set, one };
		cs_scope scope = { .var = loose_var, .jq = loose_jq, .ctx = &ls };
		assert_int_equal(cs_expr_eval(e, &scope, &first, NULL), 0);
		ls.vars = other;
		assert_int_equal(cs_expr_eval(e, &scope, &second, NULL), 0);
		assert_int_equal(cs_jq_pool_eval(pool, set, add_twin(set, sources[i]), NULL, one, &theirs, NULL), 0);
		assert_string_equal(json_string_value(first), json_string_value(second));
		assert_string_equal(json_string_value(first), json_string_value(theirs));
		assert_non_null(strstr(json_string_value(first), "{\"a\":2,\"b\":1,\"é\":{\"p\":2,\"q\":1}}"));
	}
	cs_exprset_unref(set);
	cs_jq_pool_free(pool);
}

/* Every pair of kinds, by every operator; numbers at the edges of how they are printed. */
static void all_kinds_compare_add_and_print_alike(void **ctx)
{
	static const char *const sources[] = { "$v == $w", "$v != $w", "$v < $w", "$v <= $w", "$v > $w", "$v >= $w", "$v + $w",
		"$v and $w", "$v or $w", "$v // $w", "\"\\($v) \\([$w])\"", "$v | length", "$v | not", "[$v, $w] < [$w, $v]",
		"[$v, $w | type]", "[$v | type, .]", "[$v | type]", "{a: $v} <= {a: $w}", "{a: $v} == {a: $w}", "$v[$w]?", "$v[$w]",
		"-1 + 2", "1 + -1 + 2", "1 == 1 | not", "1 // 2 == 3", "true or error", "$v | . as $x | $x" };
	static const char *const values[] = { "null", "true", "false", "0", "-1", "1", "2.5", "1e15", "1.5e16", "1e16", "1.25e17",
		"1e22", "0.001", "0.0001", "0.00012", "0.00001", "-1.5e-9", "123456789012345.5", "\"\"", "\"a\"", "\"b\"", "\"ab\"",
		"\"\\u0000\"", "[]", "[null]", "[1,2]", "[[]]", "{}", "{\"a\":1}", "{\"b\":0}", "{\"a\":1,\"b\":0}", "{\"a\":2}" };
	(void)ctx;
	counts n = { 0 };
	pairs p = { .set = cs_exprset_new() };
	for (size_t i = 0; i < CS_ARRAY_LEN(sources); i++)
		add_pair(&p, sources[i], &n);
	cs_jq_pool *pool = cs_jq_pool_new("/proc/self/exe", 1, 5000);
	check_compiles(pool, &p);
	for (size_t i = 0; i < CS_ARRAY_LEN(values) * CS_ARRAY_LEN(values); i++) {
		CS_AUTOJSON json_t *vars = json_object();
		json_object_set_new(vars, "v", cs_json_lenient(values[i % CS_ARRAY_LEN(values)]));
		json_object_set_new(vars, "w", cs_json_lenient(values[i / CS_ARRAY_LEN(values)]));
		for (unsigned k = 0; k < p.n; k++)
			if (k == i % p.n || k < 11)
				compare(pool, p.set, p.plain[k], p.twin[k], vars, vars, &n);
	}
	cs_jq_pool_free(pool);
	cs_exprset_unref(p.set);
	print_message("%u alike, %u failed alike, %u left to jq, %u not plain\n", n.same, n.failed_alike, n.asked, n.skipped);
	assert_true(n.same > 8000);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "jq-worker") == 0)
		return cs_jq_worker_main();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_expressions_give_what_jq_gives),
		cmocka_unit_test(all_kinds_compare_add_and_print_alike),
		cmocka_unit_test(what_is_taken_as_plain_is_jq),
		cmocka_unit_test(loose_texts_are_what_jq_makes_of_them_or_themselves),
		cmocka_unit_test(an_object_in_a_text_has_its_keys_in_one_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
