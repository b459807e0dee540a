/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program is its own jq child: run with the argument jq-worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/expr_internal.h"
#include "flow/jq_pool.h"
#include "flow/jq_program.h"
#include "tests/data.h"
#include "tests/json.h"

#define EXE "/proc/self/exe"
/* What a sanitizer slows down is given ten times as long. */
#define TIMEOUT_MS (sanitized() ? 4000 : 400)

static const cs_expr *add(cs_exprset *set, const char *source)
{
	const cs_expr *e = NULL;
	cs_err err = { 0 };
	if (cs_exprset_add(set, source, &e, &err) < 0)
		fail_msg("%s: %s", source, err.msg);
	return e;
}

/* One expression by itself over DOT (JSON). */
static int eval(cs_jq_pool *pool, const char *source, const char *dot_text, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *dot = json_plain(dot_text), *vars = json_plain("{\"context\":{\"n\":2},\"start\":\"s\"}");
	cs_exprset *set = cs_exprset_new();
	int rc = cs_jq_pool_eval(pool, set, add(set, source), dot, vars, ret, err);
	cs_exprset_unref(set);
	return rc;
}

static void gives(cs_jq_pool *pool, const char *source, const char *dot, const char *expected)
{
	CS_AUTOJSON json_t *v = NULL;
	cs_err err = { 0 };
	if (eval(pool, source, dot, &v, &err) < 0)
		fail_msg("%s: %s", source, err.msg);
	CS_AUTOFREE char *text = cs_json_text(v);
	assert_string_equal(text, expected);
}

static void fails(cs_jq_pool *pool, const char *source, const char *dot, int code, const char *why)
{
	CS_AUTOJSON json_t *v = NULL;
	cs_err err = { 0 };
	if (eval(pool, source, dot, &v, &err) != code || !strstr(err.msg, why))
		fail_msg("%s: %d %s", source, err.code, err.msg);
	assert_null(v);
}

static int setup(void **ctx)
{
	*ctx = cs_jq_pool_new(EXE, 2, TIMEOUT_MS);
	return 0;
}

static int teardown(void **ctx)
{
	cs_jq_pool_free(*ctx);
	return 0;
}

static void jq_answers(void **ctx)
{
	cs_jq_pool *p = *ctx;
	gives(p, "map(. * 2)", "[1,2.5]", "[2,5]");
	gives(p, "[.[] | select(. > 1)]", "[1,2,3]", "[2,3]");
	gives(p, "$context.n * 3", "null", "6");
	gives(p, "[.[] as $i | $i + $context.n]", "[1]", "[3]");
	gives(p, "{a: (.x | ascii_upcase)} # a comment", "{\"x\":\"q\"}", "{\"a\":\"Q\"}");
	gives(p, "def f($x): $x * 2; f(4)", "null", "8");
	gives(p, "first(range(1e12))", "null", "0");
	gives(p, ".s | explode", "{\"s\":\"\xC3\xA9\\u0000\"}", "[233,0]");
	gives(p, "[.[] * 1]", "[0.1,1e-7,1.0,-0.5,1e300]", "[0.1,1e-7,1,-0.5,1e+300]");
	gives(p, "to_entries | map(.key)", "{\"z\":1,\"a\":2}", "[\"z\",\"a\"]");
}

static void an_expression_has_exactly_one_value(void **ctx)
{
	cs_jq_pool *p = *ctx;
	fails(p, "empty", "null", CS_EINVAL, "yields nothing");
	fails(p, ".[]", "[1,2]", CS_EINVAL, "more than one value");
	fails(p, "range(1e12)", "null", CS_EINVAL, "more than one value");
	fails(p, "(1, error(\"late\"))", "null", CS_EINVAL, "late");
	fails(p, "error(\"no such lead\")", "null", CS_EINVAL, "expression `error(\"no such lead\")`: no such lead");
	fails(p, "error({a: 1})", "null", CS_EINVAL, "{\"a\":1}");
}

static void numbers_are_not_bent(void **ctx)
{
	cs_jq_pool *p = *ctx;
	fails(p, "map(.)", "[9007199254740993]", CS_EINVAL, "9007199254740993 is beyond 2^53");
	fails(p, ".a[]", "{\"a\":{\"b\":-9007199254740993}}", CS_EINVAL, "beyond 2^53");
	gives(p, "map(.)", "[9007199254740992]", "[9007199254740992]");
	fails(p, "[nan]", "null", CS_EINVAL, "NaN");
	fails(p, "[infinite]", "null", CS_EINVAL, "infinite");
	fails(p, ".[0] * 2", "[9007199254740992]", CS_EINVAL, "a whole number beyond 2^53");
}

/* What ends libjq 1.6 itself, or runs without end: an error of that expression, and the next is fine. */
static void deadly_expressions_hurt_only_themselves(void **ctx)
{
	static const struct { const char *source; int code; const char *why; } deadly[] = {
		{ "nan | todate", CS_EINVAL, "ended its evaluator" },
		{ "\"abc\" | indices(\"\")", CS_ETIMEOUT, "ran past" },
		{ "reduce range(300000) as $i (null; [.])", 0, "" },
		{ "reduce range(1000) as $i (null; [.])", CS_ETOOBIG, "128 deep" },
		{ "[range(1e12)] | last", CS_ETIMEOUT, "ran past" },
		{ "last(range(1e12))", CS_ETIMEOUT, "ran past" },
		{ "def f: f; f", CS_ETIMEOUT, "ran past" },
		{ "def f: 1 + f; f", 0, "" },
		{ "\"x\" * 1e9", 0, "" },
		{ "[range(3000000)] | map(tostring)", 0, "" },
		{ "reduce range(20) as $i (\"0123456789abcdef\"; . + .)", CS_ETOOBIG, "8 MiB" },
		{ "setpath([\"l\", 1e9]; 1)", CS_EINVAL, "ended its evaluator" },
		{ "1e18 | todate", CS_EINVAL, "ended its evaluator" },
		{ "ltrimstr(1) | ltrimstr(\"x\") | .[]", CS_EINVAL, "yields nothing" },
	};
	cs_jq_pool *p = *ctx;
	for (size_t i = 0; i < CS_ARRAY_LEN(deadly); i++) {
		CS_AUTOJSON json_t *v = NULL;
		cs_err err = { 0 };
		int rc = eval(p, deadly[i].source, "{}", &v, &err);
		/* Time or memory, whichever ends first. */
		bool as_said = deadly[i].code ? rc == deadly[i].code && strstr(err.msg, deadly[i].why) != NULL
					      : rc == CS_ETIMEOUT || rc == CS_ETOOBIG || (rc == CS_EINVAL && strstr(err.msg, "ended"));
		if (!as_said)
			fail_msg("%s: %d %s", deadly[i].source, rc, err.msg);
		gives(p, "map(. + 1)", "[1]", "[2]");
	}
	gives(p, "getpath([\"a\", \"b\"])", "{}", "null");
}

/* The lexer refuses these; should it ever let one through, the program shadows it. */
static void what_slips_through_the_lexer_is_shadowed(void **ctx)
{
	static const char *const sources[] = { "now", "env", "input", "inputs", "debug", "$ENV.PATH", "input_filename", "halt",
		"halt_error", "get_search_list", "builtins", "localtime", "input_line_number", "stderr", "env.PATH", "{} | modulemeta" };
	cs_jq_pool *p = *ctx;
	for (size_t i = 0; i < CS_ARRAY_LEN(sources); i++) {
		cs_exprset *set = cs_exprset_new();
		CS_AUTOJSON json_t *dot = json_plain("0"), *vars = json_plain("{}"), *v = NULL;
		cs_expr *e = (cs_expr *)add(set, "[.] | .[]");
		free(e->source);
		e->source = cs_xstrdup(sources[i]);
		cs_err err = { 0 };
		int rc = cs_jq_pool_eval(p, set, e, dot, vars, &v, &err);
		bool nothing = rc == 0 && json_is_null(v);
		if (!nothing && !(rc == CS_EINVAL && strstr(err.msg, "is not allowed in an expression")))
			fail_msg("%s: %d %s", sources[i], rc, err.msg);
		cs_exprset_unref(set);
	}
}

static void many_expressions_are_one_program(void **ctx)
{
	cs_jq_pool *p = *ctx;
	cs_exprset *set = cs_exprset_new();
	CS_AUTOJSON json_t *dot = json_plain("[1]"), *vars = json_plain("{\"a\":10,\"b\":20}");
	char source[64];
	for (int i = 0; i < 600; i++) {
		(void)snprintf(source, sizeof(source), "map(. + %d) | .[0] + $%c", i, i % 2 ? 'b' : 'a');
		add(set, source);
	}
	unsigned bad = 0;
	cs_err err = { 0 };
	int64_t begin = cs_clock_mono_ns();
	assert_int_equal(cs_jq_pool_check(p, set, &bad, &err), 0);
	int64_t took = (cs_clock_mono_ns() - begin) / 1000000;
	print_message("600 expressions compiled in %lld ms\n", (long long)took);
	for (int i = 599; i >= 0; i -= 37) {
		CS_AUTOJSON json_t *v = NULL;
		if (cs_jq_pool_eval(p, set, cs_exprset_get(set, (unsigned)i), dot, vars, &v, &err) < 0)
			fail_msg("%d: %s", i, err.msg);
		assert_int_equal(json_integer_value(v), 1 + i + (i % 2 ? 20 : 10));
	}
	cs_exprset_unref(set);
}

static void the_bad_expression_is_found(void **ctx)
{
	static const char *const bad[] = { ".a |", "nosuch(1)", ".a.[0]", "if . then 1 end", "{a: 1 + 2}", ". as [$x] | $x +",
					   "1; 2", ".[1", "reduce . as $x" };
	cs_jq_pool *p = *ctx;
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++) {
		cs_exprset *set = cs_exprset_new();
		const cs_expr *e = NULL;
		for (int k = 0; k < 7; k++) {
			char source[64];
			(void)snprintf(source, sizeof(source), k % 3 ? "map(%d)" : ".a%d", k);
			add(set, source);
		}
		unsigned found = 99;
		cs_err err = { 0 };
		if (cs_exprset_add(set, bad[i], &e, NULL) == 0) {
			add(set, "map(99)");
			if (cs_jq_pool_check(p, set, &found, &err) != CS_ESYNTAX || found != 7)
				fail_msg("%s: found %u, %s", bad[i], found, err.msg);
			assert_null(strstr(err.msg, "Unix"));
			assert_null(strstr(err.msg, "jq: error"));
		}
		cs_exprset_unref(set);
	}
}

static void an_unknown_name_is_an_error_not_null(void **ctx)
{
	cs_jq_pool *p = *ctx;
	fails(p, "$contxt.n * 2", "null", CS_EINVAL, "$contxt is not known here");
}

/* Entries of /proc/self/task/…/children need a kernel option; the children of the process are found by their parent. */
static unsigned children(pid_t *last)
{
	unsigned n = 0;
	DIR *proc = opendir("/proc");
	for (struct dirent *d; proc && (d = readdir(proc));) {
		char path[300], state;
		int pid = 0, parent = 0;
		(void)snprintf(path, sizeof(path), "/proc/%s/stat", d->d_name);
		FILE *f = d->d_name[0] >= '1' && d->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (f && fscanf(f, "%d (%*[^)]) %c %d", &pid, &state, &parent) == 3 && parent == getpid() && state != 'Z') {
			n++;
			*last = pid;
		}
		if (f)
			fclose(f);
	}
	if (proc)
		closedir(proc);
	return n;
}

static void children_start_when_needed_and_end_with_the_pool(void **ctx)
{
	(void)ctx;
	pid_t pid = 0;
	cs_jq_pool *p = cs_jq_pool_new(EXE, 3, TIMEOUT_MS);
	assert_int_equal(children(&pid), 0);
	gives(p, "map(.)", "[]", "[]");
	assert_int_equal(children(&pid), 1);
	/* One that is killed while idle is replaced, and nobody is told. */
	kill(pid, SIGKILL);
	gives(p, "map(.)", "[]", "[]");
	assert_int_equal(children(&pid), 1);
	cs_jq_pool_free(p);
	assert_int_equal(children(&pid), 0);
}

static void a_child_can_open_write_and_dump_nothing(void **ctx)
{
	(void)ctx;
	pid_t pid = 0;
	char path[300];
	cs_jq_pool *p = cs_jq_pool_new(EXE, 1, TIMEOUT_MS);
	gives(p, "map(.)", "[]", "[]");
	assert_int_equal(children(&pid), 1);
	(void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, 1 << 16);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	for (int c; (c = fgetc(f)) != EOF;)
		cs_buf_addc(&text, (char)c);
	fclose(f);
	assert_non_null(strstr(text.data, "Max open files            0"));
	assert_non_null(strstr(text.data, "Max core file size        0"));
	assert_non_null(strstr(text.data, "Max file size             0"));
	cs_jq_pool_free(p);
}

static void a_program_that_is_not_there_is_unavailable(void **ctx)
{
	(void)ctx;
	cs_jq_pool *p = cs_jq_pool_new("/nonexistent/capstan", 1, TIMEOUT_MS);
	fails(p, "map(.)", "[]", CS_EUNAVAIL, "cannot start");
	cs_jq_pool_free(p);
	/* One that does not speak our language. */
	p = cs_jq_pool_new("/bin/cat", 1, TIMEOUT_MS);
	CS_AUTOJSON json_t *v = NULL;
	assert_true(eval(p, "map(.)", "[]", &v, NULL) < 0);
	cs_jq_pool_free(p);
}

typedef struct job { cs_jq_pool *pool; const cs_exprset *set; int index; int failures; } job;

static void *work(void *arg)
{
	job *j = arg;
	for (int i = 0; i < 60; i++) {
		unsigned index = (unsigned)((i + j->index) % 3);
		CS_AUTOJSON json_t *dot = json_pack("[i]", i), *vars = json_object(), *v = NULL;
		int rc = cs_jq_pool_eval(j->pool, j->set, cs_exprset_get(j->set, index), dot, vars, &v, NULL);
		bool right = index == 2 ? rc == CS_EINVAL
					: rc == 0 && json_integer_value(json_array_get(v, 0)) == i + (int)index + 1;
		j->failures += !right;
	}
	return NULL;
}

/* More threads than children; every third evaluation kills its child. */
static void threads_share_children_without_harm(void **ctx)
{
	cs_jq_pool *p = *ctx;
	cs_exprset *set = cs_exprset_new();
	add(set, "map(. + 1)");
	add(set, "map(. + 2)");
	add(set, "nan | todate");
	job jobs[4];
	pthread_t threads[4];
	for (int i = 0; i < 4; i++) {
		jobs[i] = (job){ p, set, i, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(jobs[i].failures, 0);
	}
	cs_exprset_unref(set);
}

static void both_ways_are_bounded(void **ctx)
{
	cs_jq_pool *p = *ctx;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 32u << 20);
	cs_buf_addc(&b, '"');
	for (int i = 0; i < 9 << 16; i++)
		cs_buf_adds(&b, "0123456789abcdef");
	cs_buf_addc(&b, '"');
	fails(p, "ascii_upcase", cs_buf_str(&b), CS_ETOOBIG, "8 MiB");
	fails(p, "reduce range(20) as $i (\"0123456789abcdef\"; . + .)", "null", CS_ETOOBIG, "8 MiB");
}

static void first_use_is_quick(void **ctx)
{
	(void)ctx;
	cs_jq_pool *p = cs_jq_pool_new(EXE, 1, TIMEOUT_MS);
	int64_t begin = cs_clock_mono_ns();
	gives(p, "map(. + 1)", "[1]", "[2]");
	int64_t first = cs_clock_mono_ns() - begin;
	cs_exprset *set = cs_exprset_new();
	const cs_expr *e = add(set, "map(. + 1)");
	CS_AUTOJSON json_t *dot = json_plain("[1]"), *vars = json_plain("{}");
	for (int i = 0; i < 101; i++) {
		CS_AUTOJSON json_t *v = NULL;
		if (i == 1)
			begin = cs_clock_mono_ns();
		assert_int_equal(cs_jq_pool_eval(p, set, e, dot, vars, &v, NULL), 0);
	}
	int64_t next = (cs_clock_mono_ns() - begin) / 100;
	print_message("first use %lld ms, then %lld us each\n", (long long)(first / 1000000), (long long)(next / 1000));
	/* A compilation for each would be hundreds of times this. */
	assert_true(next < 10 * 1000000);
	cs_exprset_unref(set);
	cs_jq_pool_free(p);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "jq-worker") == 0)
		return cs_jq_worker_main();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(jq_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(an_expression_has_exactly_one_value, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_are_not_bent, setup, teardown),
		cmocka_unit_test_setup_teardown(deadly_expressions_hurt_only_themselves, setup, teardown),
		cmocka_unit_test_setup_teardown(what_slips_through_the_lexer_is_shadowed, setup, teardown),
		cmocka_unit_test_setup_teardown(many_expressions_are_one_program, setup, teardown),
		cmocka_unit_test_setup_teardown(the_bad_expression_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_name_is_an_error_not_null, setup, teardown),
		cmocka_unit_test(children_start_when_needed_and_end_with_the_pool),
		cmocka_unit_test(a_child_can_open_write_and_dump_nothing),
		cmocka_unit_test(a_program_that_is_not_there_is_unavailable),
		cmocka_unit_test_setup_teardown(threads_share_children_without_harm, setup, teardown),
		cmocka_unit_test_setup_teardown(both_ways_are_bounded, setup, teardown),
		cmocka_unit_test(first_use_is_quick),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
