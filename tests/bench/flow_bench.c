/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a large flow takes to load and to be checked, first use included: a flow of 200 tasks with
 * 300 expressions, plain or 50 of them for jq. `load` is in this process, as the engine does it; `check` is
 * that and jq's part, with a child started for it; `cold` is the program, from nothing. JSON lines.
 * Arguments: a folder to work in, and optionally how often each is measured (median; default 5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "flow/workspace.h"

enum { TASKS = 200, EXPRESSIONS = 300, JQ = 50 };

typedef struct site {
	const char *exe;
	char *path;
} site;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(1);
}

/* Every task has one expression, every other two; JQ of the first are not plain. No two are the same. */
static void generate(cs_buf *out, int jq)
{
	int each = jq ? TASKS / jq : TASKS + 1;
	cs_buf_adds(out, "document: { dsl: '1.0.3', namespace: bench, name: large, version: '1.0.0' }\ndo:\n");
	for (int i = 0; i < TASKS; i++) {
		cs_buf_addf(out, "  - t%d:\n      set:\n", i);
		if (i % each == each - 1)
			cs_buf_addf(out, "        a: '${ [ .items[]? | select(.n > %d) | .name ] | join(\", \") }'\n", i);
		else if (i == 0)
			cs_buf_adds(out, "        a: '${ $start.a }'\n");
		else
			cs_buf_addf(out, "        a: '${ $tasks.t%d.a }'\n", i - 1);
		if (i % (TASKS / (EXPRESSIONS - TASKS)) == 0)
			cs_buf_addf(out, "        b: '${ \"no \\($start.a%d) of \\(.b.c)\" }'\n", i);
	}
}

static void load(const site *s, bool jq)
{
	cs_diags d;
	cs_err err = { 0 };
	cs_gathered all = { 0 };
	cs_flow *flow = NULL;
	cs_diags_init(&d);
	d.ask = jq ? &all : NULL;
	if (cs_workspace_check_file(NULL, s->path, &d, &flow, &err) < 0 || !flow)
		die("load", d.n ? d.items[0].message : err.msg);
	if (flow->n_tasks != TASKS || cs_exprset_count(flow->exprs) != EXPRESSIONS)
		die("load", "the flow is not as large as it should be");
	if (jq) {
		cs_jq_pool *pool = cs_jq_pool_new(s->exe, 1, 5000);
		if (cs_gathered_check(&all, pool, &d, &err) < 0 || d.errors)
			die("check", d.errors ? d.items[0].message : err.msg);
		cs_jq_pool_free(pool);
	}
	cs_gathered_fini(&all);
	cs_flow_unref(flow);
	cs_diags_fini(&d);
}

static void load_only(const site *s)
{
	load(s, false);
}

static void check_too(const site *s)
{
	load(s, true);
}

static void cold(const site *s)
{
	const char *argv[] = { s->exe, "check", s->path, NULL };
	cs_child_opts o = { .argv = argv, .quiet_stderr = true };
	cs_child_result r = { 0 };
	cs_err err = { 0 };
	if (cs_child_run(&o, "", 0, NULL, NULL, cs_clock_mono_ns() + INT64_C(20000000000), NULL, &r, &err) != CS_OK)
		die("cold", err.msg);
	if (!WIFEXITED(r.status) || WEXITSTATUS(r.status) != 0)
		die("cold", "the check did not pass");
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static void measure(const site *s, const char *what, void (*fn)(const site *s), int jq, int times)
{
	double v[100];
	for (int i = 0; i < times; i++) {
		int64_t began = cs_clock_mono_ns();
		fn(s);
		v[i] = (double)(cs_clock_mono_ns() - began) / 1e6;
	}
	double first = v[0];
	qsort(v, (size_t)times, sizeof *v, by_value);
	printf("{\"bench\":\"flow_%s\",\"tasks\":%d,\"expressions\":%d,\"jq\":%d,\"times\":%d,\"first_ms\":%.1f,\"median_ms\":%.1f,\"max_ms\":%.1f,"
	       "\"limit_ms\":%d}\n", what, TASKS, EXPRESSIONS, jq, times, first, v[times / 2], v[times - 1], jq ? 150 : 50);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int times = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
	site s = { .exe = getenv("CS_TEST_CAPSTAN") };
	if (!s.exe || times < 1 || times > 100)
		return 2;
	s.path = cs_path_join(argc > 1 ? argv[1] : ".", "large.yaml");
	for (int jq = 0; jq <= JQ; jq += JQ) {
		cs_buf text CS_AUTOBUF;
		cs_err err = { 0 };
		cs_buf_init(&text, 1 << 20);
		generate(&text, jq);
		if (cs_file_write(s.path, cs_buf_str(&text), text.len, 0600, &err) < 0)
			die("write", err.msg);
		measure(&s, "load", load_only, jq, times);
		measure(&s, "check", check_too, jq, times);
		measure(&s, "cold", cold, jq, times);
	}
	free(s.path);
	return 0;
}
