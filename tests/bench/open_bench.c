/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that are open: parked at approvals (memory, at a start too, one approval to the end of its run), and killed
 * midway (how long until they are recovered, how long until they are done). JSON lines, a size a
 * line; each engine is in a process of its own. Arguments: a folder to work in, and the largest
 * number of parked runs (default 100,000; a tenth of it is killed midway). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "store/store.h"
#include "tests/bench/bench.h"

enum { LATENCIES = 50, WAIT_S = 5, TASKS = 11 };

typedef struct scene {
	char *dir;
	int runs;
} scene;

static int64_t count_of(cs_reader *r, const char *sql)
{
	CS_AUTOJSON json_t *rows = bench_rows(r, sql, NULL);
	return cs_json_int_or(json_array_get(rows, 0), "n", -1);
}

/* ---- parked at an approval -------------------------------------------------------------------------------- */

static void park(void *ctx)
{
	const scene *s = ctx;
	cs_engine *e = bench_start(s->dir);
	long before = bench_pss_all_kib();
	int64_t t0 = cs_clock_mono_ns();
	bench_runs(e, "gate", s->runs);
	bench_settle(e);
	double ms = bench_ms_since(t0);
	long after = bench_pss_all_kib();
	printf("{\"bench\":\"parked\",\"runs\":%d,\"parked_s\":%.0f,\"empty_mib\":%.1f,\"pss_mib\":%.1f,\"bytes_a_run\":%.0f}\n", s->runs,
	       s->runs / (ms / 1000), (double)before / 1024, (double)after / 1024, (double)(after - before) * 1024 / s->runs);
	cs_engine_stop(e, 1000);
}

/* From the decision until the run can be seen to be completed. */
static double approve_ms(cs_engine *e, cs_reader *r, const json_t *item)
{
	const char *run = cs_json_str_or(item, "run", "");
	bool done = false;
	int64_t t0 = cs_clock_mono_ns();
	json_decref(bench_ask(e, bench_approval(item)));
	while (!done) {
		CS_AUTOJSON json_t *rows = bench_rows(r, "SELECT state FROM run WHERE id = ?1", run);
		done = strcmp(cs_json_str_or(json_array_get(rows, 0), "state", ""), "completed") == 0;
		if (!done && bench_ms_since(t0) > 10000)
			bench_die("an approved run did not complete", NULL);
	}
	return bench_ms_since(t0);
}

static void approve_some(void *ctx)
{
	const scene *s = ctx;
	double v[LATENCIES];
	int64_t t0 = cs_clock_mono_ns();
	cs_engine *e = bench_start(s->dir);
	double start = bench_ms_since(t0);
	bench_settle(e);
	double settled = bench_ms_since(t0);
	long pss = bench_pss_all_kib();
	struct rusage used = { 0 };
	(void)getrusage(RUSAGE_SELF, &used);     /* of this process alone: the jq children are not there yet */
	cs_reader *r = bench_reader(s->dir);
	CS_AUTOJSON json_t *items = bench_rows(r, "SELECT id, run, digest FROM item WHERE state = 'pending' ORDER BY substr(id, -6) LIMIT 50", NULL);
	for (int i = 0; i < LATENCIES; i++)
		v[i] = approve_ms(e, r, json_array_get(items, (size_t)i));
	double median = bench_median(v, LATENCIES);
	printf("{\"bench\":\"parked_restart\",\"runs\":%d,\"start_ms\":%.0f,\"settled_ms\":%.0f,\"pss_mib\":%.1f,\"peak_mib\":%.1f,\"times\":%d,"
	       "\"approve_median_ms\":%.2f,\"approve_max_ms\":%.2f}\n", s->runs, start, settled, (double)pss / 1024, (double)used.ru_maxrss / 1024, LATENCIES, median, v[LATENCIES - 1]);
	cs_reader_close(r);
	cs_engine_stop(e, 1000);
}

static void measure_parked(const char *work, int runs)
{
	CS_AUTOFREE char *name = cs_xasprintf("parked%d", runs);
	scene s = { .dir = bench_workspace(work, name), .runs = runs };
	bench_write(s.dir, "flows/gate.yaml", "document: { dsl: '1.0.3', namespace: bench, name: gate, version: '1.0.0' }\ndo:\n"
		    "  - well: { call: approve, with: { title: Well? } }\n  - end: { set: { n: '${ $start.n }' } }\n");
	bench_apart(park, &s, 0);
	bench_apart(approve_some, &s, 0);
	free(s.dir);
}

/* ---- killed midway ------------------------------------------------------------------------------------------ */

static void begin_and_die(void *ctx)
{
	const scene *s = ctx;
	cs_engine *e = bench_start(s->dir);
	bench_runs(e, "midway", s->runs);
	bench_settle(e);
	(void)raise(SIGKILL);
}

static void recover(void *ctx)
{
	const scene *s = ctx;
	cs_reader *r = bench_reader(s->dir);
	int64_t open = count_of(r, "SELECT count(*) AS n FROM run WHERE ended IS NULL"), left = open;
	int64_t t0 = cs_clock_mono_ns();
	cs_engine *e = bench_start(s->dir);
	double start = bench_ms_since(t0);
	while (left > 0) {
		struct timespec nap = { .tv_nsec = 20000000 };
		(void)nanosleep(&nap, NULL);
		left = count_of(r, "SELECT count(*) AS n FROM run WHERE ended IS NULL");
		if (bench_ms_since(t0) > 120000)
			bench_die("recovered runs did not complete", NULL);
	}
	double done = bench_ms_since(t0);
	int64_t steps = count_of(r, "SELECT count(*) AS n FROM event WHERE type = 'task.completed'");
	printf("{\"bench\":\"recover\",\"runs\":%d,\"open\":%lld,\"start_ms\":%.0f,\"done_ms\":%.0f,\"repeated\":%lld}\n", s->runs, (long long)open,
	       start, done, (long long)(steps - (int64_t)s->runs * TASKS));
	cs_reader_close(r);
	cs_engine_stop(e, 1000);
}

static void measure_recovery(const char *work, int runs)
{
	CS_AUTOFREE char *name = cs_xasprintf("midway%d", runs);
	scene s = { .dir = bench_workspace(work, name), .runs = runs };
	CS_AUTOBUF cs_buf flow;
	cs_buf_init(&flow, 65536);
	(void)cs_buf_adds(&flow, "document: { dsl: '1.0.3', namespace: bench, name: midway, version: '1.0.0' }\ndo:\n");
	for (int i = 0; i < TASKS; i++)
		if (i == TASKS / 2)
			(void)cs_buf_addf(&flow, "  - pause: { wait: { seconds: %d } }\n", WAIT_S);
		else
			(void)cs_buf_addf(&flow, "  - step%d: { set: { n: %d, start: '${ $start.n }', was: '${ .n }' } }\n", i, i);
	bench_write(s.dir, "flows/midway.yaml", cs_buf_str(&flow));
	bench_apart(begin_and_die, &s, SIGKILL);
	(void)sleep(WAIT_S + 1);         /* every clock is due by then: all have five steps to do */
	bench_apart(recover, &s, 0);
	free(s.dir);
}

int main(int argc, char **argv)
{
	const char *work = argc > 1 ? argv[1] : ".";
	int most = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 100000;
	if (most < 1000 || most > 1000000)
		return 2;
	measure_parked(work, 1000);
	if (most > 1000)
		measure_parked(work, most);
	measure_recovery(work, 1000);
	if (most > 10000)
		measure_recovery(work, most / 10);
	return 0;
}
