/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the store grows: a log of 1,000 events and ten times as many until the largest size (start of an
 * engine, verify, rebuild), and how long a commit takes while the WAL is taken into the database.
 * JSON lines. Arguments: a folder to work in, and the largest number of events (default 1,000,000). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "store/store.h"
#include "tests/bench/bench.h"

enum { STEPS = 10, EVENTS_A_RUN = STEPS + 3, GROUP_RUNS = 100, COMMITS = 20000, COMMIT_EVENTS = 10 };

static const int64_t BEGAN = 1700000000000;

typedef struct log {
	cs_store *store;
	cs_idgen ids;
	char definition[CS_HEX_SIZE];
	int64_t events;
} log;

static void must(int rc, const char *what, const cs_err *err)
{
	if (rc != CS_OK)
		bench_die(what, err);
}

static void append(log *l, const char *run, const char *task, const char *type, json_t *data)
{
	CS_AUTOJSON json_t *owned = data;
	cs_err err = { 0 };
	cs_event ev = { .at = BEGAN + l->events, .task = task, .occurrence = task ? 1 : 0, .type = type, .actor = "engine", .data = owned };
	memcpy(ev.run, run, CS_ID_SIZE);
	must(cs_store_append(l->store, &ev, &err), "appending", &err);
	l->events++;
}

static void open_log(log *l, const char *state)
{
	int64_t epoch;
	cs_err err = { 0 };
	must(cs_store_open(state, true, &l->store, &err), "the store", &err);
	must(cs_store_claim_epoch(l->store, &epoch, &err), "the epoch", &err);
	must(cs_store_begin(l->store, &err), "a group", &err);
	must(cs_store_put_body(l->store, "{}", 2, l->definition, &err), "a body", &err);
	must(cs_store_commit(l->store, &err), "a commit", &err);
}

static json_t *created(const log *l)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "flow", "bench/set", "name", "set", "version", "1.0.0", "definition", l->definition);
}

static json_t *step_data(int i)
{
	return json_pack("{s:{s:i, s:i}, s:s}", "output", "n", i, "was", i - 1, "then", "continue");
}

static void write_run(log *l)
{
	char id[CS_ID_SIZE], ref[32];
	cs_id_next(&l->ids, BEGAN, id);
	append(l, id, NULL, "run.created", created(l));
	append(l, id, NULL, "run.started", NULL);
	for (int i = 0; i < STEPS; i++) {
		snprintf(ref, sizeof ref, "/do/%d/step%d", i, i);
		append(l, id, ref, "task.completed", step_data(i));
	}
	append(l, id, NULL, "run.completed", json_pack("{s:{s:i}}", "output", "n", STEPS));
}

static void fill(const char *state, int64_t events)
{
	log l = { 0 };
	cs_err err = { 0 };
	open_log(&l, state);
	while (l.events < events) {
		must(cs_store_begin(l.store, &err), "a group", &err);
		for (int i = 0; i < GROUP_RUNS && l.events < events; i++)
			write_run(&l);
		must(cs_store_commit(l.store, &err), "a commit", &err);
	}
	cs_store_close(l.store);
}

/* ---- a log of so many events --------------------------------------------------------------------------------- */

static double verify_s(const char *state)
{
	cs_verify_report report = { 0 };
	cs_err err = { 0 };
	int64_t t0 = cs_clock_mono_ns();
	must(cs_store_verify(state, &report, &err), "verify", &err);
	if (report.finding[0] != '\0')
		must(cs_err_set(&err, CS_EIO, "%s", report.finding), "verify", &err);
	return bench_ms_since(t0) / 1000;
}

static double rebuild_s(const char *state)
{
	cs_store *s = NULL;
	int64_t epoch;
	cs_err err = { 0 };
	must(cs_store_open(state, false, &s, &err), "the store", &err);
	must(cs_store_claim_epoch(s, &epoch, &err), "the epoch", &err);
	int64_t t0 = cs_clock_mono_ns();
	must(cs_store_rebuild(s, &err), "rebuild", &err);
	double took = bench_ms_since(t0) / 1000;
	cs_store_close(s);
	return took;
}

static void measure_size(const char *work, int64_t events)
{
	CS_AUTOFREE char *name = cs_xasprintf("log%lld", (long long)events);
	CS_AUTOFREE char *dir = bench_workspace(work, name);
	CS_AUTOFREE char *state = cs_path_join(dir, CS_STATE_DIR);
	bench_write(dir, "flows/set.yaml", "document: { dsl: '1.0.3', namespace: bench, name: set, version: '1.0.0' }\ndo:\n  - step: { set: { n: 1 } }\n");
	cs_engine_stop(bench_start(dir), 1000);      /* the first one makes the workspace's key */
	int64_t t0 = cs_clock_mono_ns();
	fill(state, events);
	double filled = bench_ms_since(t0) / 1000;
	t0 = cs_clock_mono_ns();
	cs_engine *e = bench_start(dir);
	double start = bench_ms_since(t0);
	long pss = bench_pss_all_kib();
	cs_engine_stop(e, 1000);
	double verify = verify_s(state), rebuild = rebuild_s(state);
	printf("{\"bench\":\"log\",\"events\":%lld,\"append_s\":%.0f,\"start_ms\":%.1f,\"verify_s\":%.3f,\"rebuild_s\":%.3f,\"pss_mib\":%.1f}\n",
	       (long long)events, (double)events / filled, start, verify, rebuild, (double)pss / 1024);
}

/* ---- a commit while a checkpoint is due ------------------------------------------------------------------------ */

/* When the database itself was last written to: only a checkpoint does. */
static struct timespec written(const char *db)
{
	struct stat st;
	if (stat(db, &st) != 0)
		bench_die(db, NULL);
	return st.st_mtim;
}

static double commit_ms(log *l, const char *run, int *step)
{
	char ref[32];
	cs_err err = { 0 };
	must(cs_store_begin(l->store, &err), "a group", &err);
	for (int k = 0; k < COMMIT_EVENTS; k++, (*step)++) {
		snprintf(ref, sizeof ref, "/do/%d/step%d", *step, *step);
		append(l, run, ref, "task.completed", step_data(*step));
	}
	int64_t t0 = cs_clock_mono_ns();
	must(cs_store_commit(l->store, &err), "a commit", &err);
	return bench_ms_since(t0);
}

static void measure_commits(const char *work)
{
	CS_AUTOFREE char *state = cs_path_join(work, "commits");
	CS_AUTOFREE char *db = cs_path_join(state, "capstan.db");
	static double all[COMMITS], during[COMMITS];
	int n_during = 0, step = 0;
	char id[CS_ID_SIZE];
	cs_err err = { 0 };
	log l = { 0 };
	must(cs_mkdir_p(state, 0700, &err), state, &err);
	open_log(&l, state);
	for (int i = 0; i < COMMITS; i++) {
		if (i % 10 == 0) {
			cs_id_next(&l.ids, BEGAN, id);
			step = 0;
			must(cs_store_begin(l.store, &err), "a group", &err);
			append(&l, id, NULL, "run.created", created(&l));
			must(cs_store_commit(l.store, &err), "a commit", &err);
		}
		struct timespec before = written(db);
		all[i] = commit_ms(&l, id, &step);
		struct timespec after = written(db);
		if (before.tv_sec != after.tv_sec || before.tv_nsec != after.tv_nsec)
			during[n_during++] = all[i];
	}
	cs_store_close(l.store);
	double p50 = bench_quantile(all, COMMITS, 0.5), p99 = bench_quantile(all, COMMITS, 0.99);
	printf("{\"bench\":\"commits\",\"commits\":%d,\"events_a_commit\":%d,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"checkpoints\":%d,"
	       "\"checkpoint_p50_ms\":%.2f,\"checkpoint_p99_ms\":%.2f}\n", COMMITS, COMMIT_EVENTS, p50, p99, all[COMMITS - 1], n_during,
	       bench_quantile(during, n_during, 0.5), bench_quantile(during, n_during, 0.99));
}

int main(int argc, char **argv)
{
	const char *work = argc > 1 ? argv[1] : ".";
	long most = argc > 2 ? strtol(argv[2], NULL, 10) : 1000000;
	if (most < 1000 || most > 100000000)
		return 2;
	measure_commits(work);
	(void)fflush(stdout);
	for (int64_t n = 1000; n <= most; n *= 10) {
		measure_size(work, n);
		(void)fflush(stdout);
	}
	return 0;
}
