/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bench/bench.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "agents/rules.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/queue.h"

enum { WINDOW = 4096 };

_Noreturn void bench_die(const char *what, const cs_err *err)
{
	fprintf(stderr, "bench: %s: %s\n", what, err != NULL ? err->msg : "");
	exit(1);
}

void bench_write(const char *dir, const char *name, const char *text)
{
	cs_err err = { 0 };
	CS_AUTOFREE char *path = cs_path_join(dir, name);
	CS_AUTOFREE char *folder = cs_xstrdup(path);
	*strrchr(folder, '/') = '\0';
	if (cs_mkdir_p(folder, 0700, &err) != CS_OK || cs_file_write(path, text, strlen(text), 0600, &err) != CS_OK)
		bench_die(name, &err);
}

char *bench_workspace(const char *base, const char *name)
{
	char *dir = cs_path_join(base, name);
	bench_write(dir, "capstan.yaml", "workspace: bench\nmode: simulate\napprovals: { grace: PT0S }\n");
	return dir;
}

cs_engine *bench_start(const char *dir)
{
	cs_err err = { 0 };
	cs_diags d;
	cs_diags_init(&d);
	cs_workspace *ws = NULL;
	if (cs_workspace_load(dir, false, &d, &ws, &err) != CS_OK)
		bench_die("loading", &err);
	cs_diags_fini(&d);
	static cs_performer rules;           /* one for the process: an engine may outlive its benchmark's function */
	if (rules.kind == NULL)
		rules = cs_rules_performer(cs_rules_new());
	cs_engine_opts o = { .exe = getenv("CS_TEST_CAPSTAN"), .version = "bench", .performers = &rules, .n_performers = 1 };
	cs_engine *e = NULL;
	if (cs_engine_start(ws, &o, &e, &err) != CS_OK)
		bench_die("starting", &err);
	return e;
}

/* ---- waiting for the engine ---------------------------------------------------------------------------- */

static void queue_reply(void *answers, json_t *reply)
{
	if (!cs_queue_push(answers, reply))
		json_decref(reply);
}

json_t *bench_ask(cs_engine *e, json_t *request)
{
	cs_queue *answers = cs_queue_new(1);
	void *taken = NULL;
	CS_AUTOFREE char *cmd = cs_xstrdup(cs_json_str_or(request, "cmd", ""));
	if (cs_engine_send(e, request, queue_reply, answers, NULL) != CS_OK || cs_queue_take(answers, &taken, 1, 60000) != 1)
		bench_die(cmd, NULL);
	cs_queue_free(answers);
	CS_AUTOJSON json_t *reply = taken;
	if (json_object_get(reply, "ok") == NULL) {
		cs_err err = { 0 };
		(void)cs_err_set(&err, CS_EREFUSED, "%s", cs_json_str_or(json_object_get(reply, "error"), "message", ""));
		bench_die(cmd, &err);
	}
	return json_incref(json_object_get(reply, "ok"));
}

static atomic_int replies;

static void count_reply(void *ctx, json_t *reply)
{
	(void)ctx;
	if (json_object_get(reply, "ok") == NULL)
		bench_die("a request was refused", NULL);
	json_decref(reply);
	atomic_fetch_add(&replies, 1);
}

static void nap(long ns)
{
	struct timespec t = { .tv_nsec = ns };
	(void)nanosleep(&t, NULL);
}

/* REQUEST is taken over; SENT are before it. */
static void send_one(cs_engine *e, json_t *request, int sent)
{
	while (sent - atomic_load(&replies) >= WINDOW)
		nap(200000);
	if (cs_engine_send(e, request, count_reply, NULL, NULL) != CS_OK)
		bench_die("sending", NULL);
}

static void await_replies(int n)
{
	while (atomic_load(&replies) < n)
		nap(200000);
}

void bench_runs(cs_engine *e, const char *flow, int n)
{
	atomic_store(&replies, 0);
	for (int i = 0; i < n; i++)
		send_one(e, json_pack("{s:s, s:s, s:{s:i}}", "cmd", "run", "flow", flow, "input", "n", i), i);
	await_replies(n);
}

json_t *bench_approval(const json_t *item)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s}}", "cmd", "decide", "item", cs_json_str_or(item, "id", ""), "decision", "verb", "approve",
			 "digest", cs_json_str_or(item, "digest", ""));
}

void bench_approve(cs_engine *e, const json_t *items)
{
	atomic_store(&replies, 0);
	for (size_t i = 0; i < json_array_size(items); i++)
		send_one(e, bench_approval(json_array_get(items, i)), (int)i);
	await_replies((int)json_array_size(items));
}

void bench_settle(cs_engine *e)
{
	bool busy = true;
	while (busy) {
		CS_AUTOJSON json_t *ok = bench_ask(e, json_pack("{s:s}", "cmd", "settle"));
		busy = cs_json_true(ok, "busy");
		if (busy)
			nap(500000);
	}
}

/* ---- figures ---------------------------------------------------------------------------------------------- */

double bench_ms_since(int64_t mono_ns)
{
	return (double)(cs_clock_mono_ns() - mono_ns) / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double bench_quantile(double *v, int n, double q)
{
	qsort(v, (size_t)n, sizeof *v, by_value);
	int at = (int)(q * n);
	return n == 0 ? 0 : v[at < n ? at : n - 1];
}

double bench_median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof *v, by_value);
	return n == 0 ? 0 : n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

long bench_pss_kib(pid_t pid)
{
	CS_AUTOFREE char *path = cs_xasprintf("/proc/%d/smaps_rollup", (int)pid);
	FILE *f = fopen(path, "r");
	char line[256];
	long kib = 0;
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "Pss: %ld kB", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib;
}

long bench_pss_all_kib(void)
{
	CS_AUTOFREE char *path = cs_xasprintf("/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
	long kib = bench_pss_kib(getpid());
	FILE *f = fopen(path, "r");
	int pid;
	while (f != NULL && fscanf(f, "%d", &pid) == 1)
		kib += bench_pss_kib(pid);
	if (f != NULL)
		fclose(f);
	return kib;
}

void bench_apart(void (*act)(void *ctx), void *ctx, int signal)
{
	(void)fflush(NULL);
	pid_t pid = fork();
	int status = 0;
	if (pid == 0) {
		act(ctx);
		(void)fflush(NULL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		bench_die("a process of its own", NULL);
	bool well = signal != 0 ? WIFSIGNALED(status) && WTERMSIG(status) == signal : WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (!well)
		bench_die("a measurement failed", NULL);
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

cs_reader *bench_reader(const char *dir)
{
	CS_AUTOFREE char *state = cs_path_join(dir, CS_STATE_DIR);
	cs_reader *r = NULL;
	cs_err err = { 0 };
	if (cs_reader_open(state, &r, &err) != CS_OK)
		bench_die("reading", &err);
	return r;
}

json_t *bench_rows(cs_reader *r, const char *sql, const char *param)
{
	CS_AUTOJSON json_t *params = json_pack("[s?]", param);
	json_t *rows = NULL;
	cs_err err = { 0 };
	if (cs_reader_query(r, sql, params, &rows, &err) != CS_OK)
		bench_die("a query", &err);
	return rows;
}
