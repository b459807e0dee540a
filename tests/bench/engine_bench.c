/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine against the ceiling of the same disk, in one run: JSON lines.
 * Arguments: a folder to work in, and optionally how often each is measured (median; default 5), and `steps`: then
 * that alone, as a profiler wants it. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/queue.h"
#include "engine/engine.h"
#include "tests/bench/bench.h"
#include "tests/bench/ceiling.h"

enum { RUNS = 1000, STEPS = 10, RUN_EVENTS = 3 /* created, started, completed */, STEPS_MAX_S = 60, LATENCIES = 50, DATA_BYTES = 40 };

static const char *work;

static char *new_workspace(int n)
{
	char *dir = cs_xasprintf("%s/ws%d-%d", work, (int)getpid(), n);
	CS_AUTOBUF cs_buf flow;
	cs_buf_init(&flow, 65536);
	(void)cs_buf_adds(&flow, "document: { dsl: '1.0.3', namespace: bench, name: ten, version: '1.0.0' }\ndo:\n");
	for (int i = 0; i < STEPS; i++)
		(void)cs_buf_addf(&flow, "  - step%d: { set: { n: %d, start: '${ $start.n }', was: '${ .n }' } }\n", i, i);
	bench_write(dir, "capstan.yaml", "workspace: bench\nmode: simulate\n");
	bench_write(dir, "flows/ten.yaml", cs_buf_str(&flow));
	cs_buf_reset(&flow);
	(void)cs_buf_adds(&flow, "document: { dsl: '1.0.3', namespace: bench, name: calls, version: '1.0.0' }\ndo:\n");
	for (int i = 0; i < STEPS; i++)
		(void)cs_buf_addf(&flow, "  - step%d: { call: label, with: { n: %d } }\n", i, i);
	bench_write(dir, "flows/calls.yaml", cs_buf_str(&flow));
	bench_write(dir, "agents/label.yaml", "agent: label\nversion: 1.0.0\npurpose: Answers at once.\nkind: rules\n"
		    "input: { type: object }\noutput: { type: object }\neffect: pure\nrules: [ { give: { label: other } } ]\n");
	return dir;
}

/* ---- waiting for the engine ---------------------------------------------------------------------------- */

static atomic_llong replies;
static cs_queue *answers;

static void count_reply(void *ctx, json_t *reply)
{
	(void)ctx;
	if (json_object_get(reply, "ok") == NULL)
		bench_die("a run was refused", NULL);
	json_decref(reply);
	atomic_fetch_add(&replies, 1);
}

static void queue_reply(void *ctx, json_t *reply)
{
	(void)ctx;
	if (!cs_queue_push(answers, reply))
		json_decref(reply);
}

static void run_one(cs_engine *e, const char *name, int n, cs_reply_fn *done)
{
	if (cs_engine_send(e, json_pack("{s:s, s:s, s:{s:i}}", "cmd", "run", "flow", name, "input", "n", n), done, NULL, NULL) != CS_OK)
		bench_die("sending", NULL);
}

/* How many runs are still in memory: a terminal one leaves at once. */
static long long runs_left(cs_engine *e)
{
	CS_AUTOJSON json_t *ok = bench_ask(e, json_pack("{s:s}", "cmd", "status"));
	return cs_json_int_or(ok, "runs", -1);
}

static long long last_seq(const char *dir)
{
	cs_reader *r = bench_reader(dir);
	CS_AUTOJSON json_t *rows = bench_rows(r, "SELECT coalesce(max(seq), 0) AS seq FROM event", NULL);
	cs_reader_close(r);
	return cs_json_int_or(json_array_get(rows, 0), "seq", 0);
}

static atomic_llong committed;

static void note_commit(void *ctx, int64_t seq)
{
	(void)ctx;
	atomic_store(&committed, seq);
}

/* Steps a second over RUNS runs that go side by side, until the last event of the last of them is on the disk. Nobody
 * asks the engine meanwhile: a question ends a group. */
static double steps_per_second(cs_engine *e, const char *dir)
{
	atomic_store(&replies, 0);
	atomic_store(&committed, 0);
	long long last = last_seq(dir) + (long long)RUNS * (STEPS + RUN_EVENTS);
	int handle = cs_engine_watch(e, note_commit, NULL);
	int64_t t0 = cs_clock_mono_ns();
	for (int i = 0; i < RUNS; i++)
		run_one(e, "ten", i, count_reply);
	while (atomic_load(&committed) < last && cs_clock_mono_ns() - t0 < STEPS_MAX_S * INT64_C(1000000000)) {
		struct timespec nap = { .tv_nsec = 200000 };
		nanosleep(&nap, NULL);
	}
	double took = (double)(cs_clock_mono_ns() - t0) / 1e9;
	cs_engine_unwatch(e, handle);
	if (atomic_load(&replies) != RUNS || runs_left(e) != 0 || atomic_load(&committed) != last)
		bench_die("the runs wrote something else than their steps", NULL);
	return RUNS * STEPS / took;
}

static double one_run_ms(cs_engine *e, const char *name)
{
	int64_t t0 = cs_clock_mono_ns();
	run_one(e, name, 1, queue_reply);
	void *reply = NULL;
	if (cs_queue_take(answers, &reply, 1, 10000) != 1)
		bench_die("a run", NULL);
	json_decref(reply);
	while (runs_left(e) > 0)
		;
	return (double)(cs_clock_mono_ns() - t0) / 1e6;
}

/* ---- figures ---------------------------------------------------------------------------------------------- */

static double ceiling_once(int n)
{
	CS_AUTOFREE char *dir = cs_xasprintf("%s/ceiling%d-%d", work, (int)getpid(), n);
	cs_err err = { 0 };
	bench_shape shape = { .runs = RUNS, .steps = STEPS, .group = RUNS, .data_bytes = DATA_BYTES };
	bench_result r = { 0 };
	if (cs_mkdir_p(dir, 0700, &err) != CS_OK || bench_ceiling(dir, &shape, &r, &err) != CS_OK)
		bench_die("the ceiling", &err);
	return (double)r.steps / r.seconds;
}

static double cold_start_ms(const char *exe, int n)
{
	CS_AUTOFREE char *dir = new_workspace(1000 + n);
	const char *argv[] = { exe, "-C", dir, "run", "ten", "--input", "{\"n\":1}", NULL };
	cs_child_opts o = { .argv = argv, .quiet_stderr = true };
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, 65536);
	CS_AUTOBUF cs_buf errout;
	cs_buf_init(&errout, 65536);
	cs_child_result r = { 0 };
	cs_err err = { 0 };
	int64_t t0 = cs_clock_mono_ns();
	if (cs_child_run(&o, "", 0, &out, &errout, t0 + INT64_C(20000000000), NULL, &r, &err) != CS_OK)
		bench_die("cold start", &err);
	double ms = (double)(cs_clock_mono_ns() - t0) / 1e6;
	if (!WIFEXITED(r.status) || WEXITSTATUS(r.status) != 0)
		bench_die("cold start: the run did not complete", NULL);
	return ms;
}

static void measure_steps(int times)
{
	double *engine = cs_xcalloc((size_t)times, sizeof(double));
	double *top = cs_xcalloc((size_t)times, sizeof(double));
	long pss = 0;
	for (int i = 0; i < times; i++) {
		CS_AUTOFREE char *dir = new_workspace(i);
		cs_engine *e = bench_start(dir);
		engine[i] = steps_per_second(e, dir);
		long now = bench_pss_all_kib();
		pss = now > pss ? now : pss;
		cs_engine_stop(e, 1000);
		top[i] = ceiling_once(i);
	}
	double steps = bench_median(engine, times), ceiling = bench_median(top, times);
	printf("{\"bench\":\"steps\",\"runs\":%d,\"steps_per_run\":%d,\"times\":%d,\"steps_s\":%.0f,\"ceiling_s\":%.0f,\"ratio\":%.3f,"
	       "\"pss_mib\":%.1f}\n", RUNS, STEPS, times, steps, ceiling, steps / ceiling, (double)pss / 1024);
	free(engine);
	free(top);
}

static void measure_latency(const char *bench, const char *name)
{
	CS_AUTOFREE char *dir = new_workspace(500);
	cs_engine *e = bench_start(dir);
	double v[LATENCIES];
	for (int i = 0; i < LATENCIES; i++)
		v[i] = one_run_ms(e, name);
	cs_engine_stop(e, 1000);
	double m = bench_median(v, LATENCIES);
	printf("{\"bench\":\"%s\",\"steps\":%d,\"times\":%d,\"median_ms\":%.2f,\"max_ms\":%.2f}\n", bench, STEPS, LATENCIES, m, v[LATENCIES - 1]);
}

static void measure_cold_start(const char *exe, int times)
{
	double *v = cs_xcalloc((size_t)times, sizeof(double));
	for (int i = 0; i < times; i++)
		v[i] = cold_start_ms(exe, i);
	double m = bench_median(v, times);
	printf("{\"bench\":\"cold_start\",\"times\":%d,\"median_ms\":%.1f,\"max_ms\":%.1f}\n", times, m, v[times - 1]);
	free(v);
}

int main(int argc, char **argv)
{
	const char *exe = getenv("CS_TEST_CAPSTAN");
	work = argc > 1 ? argv[1] : ".";
	int times = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
	if (times < 1 || times > 100)
		return 2;
	answers = cs_queue_new(64);
	measure_steps(times);
	fflush(stdout);
	if (argc > 3 && strcmp(argv[3], "steps") == 0) {
		cs_queue_free(answers);
		return 0;
	}
	measure_latency("latency", "ten");
	measure_latency("latency_calls", "calls");
	fflush(stdout);
	if (exe != NULL)
		measure_cold_start(exe, times);
	cs_queue_free(answers);
	return 0;
}
