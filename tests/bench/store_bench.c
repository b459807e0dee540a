/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many events a second the store appends, folds and syncs, and how near that comes to the
 * same rows written straight to SQLite. One JSON line. Arguments: runs, steps, events a group,
 * bytes of data an event, and the folder to make the databases in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "store/store.h"
#include "tests/bench/ceiling.h"

typedef struct writer {
	cs_store *store;
	const bench_shape *shape;
	char (*ids)[CS_ID_SIZE];
	char definition[CS_HEX_SIZE];
	int64_t seq;
	int in_group;
} writer;

static int group_edge(writer *w, bool last, cs_err *err)
{
	int rc = CS_OK;
	if (w->in_group && (last || w->in_group == w->shape->group)) {
		rc = cs_store_commit(w->store, err);
		w->in_group = 0;
	}
	if (!rc && !last && w->in_group++ == 0)
		rc = cs_store_begin(w->store, err);
	return rc;
}

static int write_event(writer *w, const char *run, const char *task, const char *type, json_t *data, cs_err *err)
{
	CS_AUTOJSON json_t *owned = data;
	int rc = group_edge(w, false, err);
	if (rc)
		return rc;
	cs_event ev = { .at = 1700000000000, .task = task, .occurrence = task ? 1 : 0, .type = type,
			.actor = "engine", .cause = w->seq, .data = owned };
	memcpy(ev.run, run, CS_ID_SIZE);
	rc = cs_store_append(w->store, &ev, err);
	w->seq = ev.seq;
	return rc;
}

static json_t *step_data(const writer *w, int step)
{
	char text[4096];
	size_t n = (size_t)(w->shape->data_bytes > 60 ? w->shape->data_bytes - 60 : 1);
	n = n < sizeof text ? n : sizeof text - 1;
	memset(text, 'x', n);
	text[n] = '\0';
	return json_pack("{s:{s:i, s:s, s:b}, s:s}", "output", "step", step, "text", text, "ok", 1, "then", "continue");
}

static int write_all(writer *w, cs_err *err)
{
	char ref[32];
	int rc = group_edge(w, false, err);
	if (!rc)
		rc = cs_store_put_body(w->store, "{}", 2, w->definition, err);
	for (int run = 0; !rc && run < w->shape->runs; run++)
		rc = write_event(w, w->ids[run], NULL, "run.created",
				 json_pack("{s:s,s:s,s:s,s:s}", "flow", "bench/set", "name", "set", "version", "1.0.0",
					   "definition", w->definition), err);
	for (int step = 0; !rc && step < w->shape->steps; step++) {
		snprintf(ref, sizeof ref, "/do/%d/step%d", step, step);
		for (int run = 0; !rc && run < w->shape->runs; run++)
			rc = write_event(w, w->ids[run], ref, "task.completed", step_data(w, step), err);
	}
	return rc ? rc : group_edge(w, true, err);
}

/* So that the log is signed, as a workspace's is. */
static int make_key(const char *dir, cs_err *err)
{
	uint8_t key[32];
	CS_AUTOFREE char *path = cs_path_join(dir, "key");
	cs_random_bytes(key, sizeof key);
	return cs_file_write(path, key, sizeof key, 0600, err);
}

static int bench_store(const char *dir, const bench_shape *shape, bench_result *ret, cs_err *err)
{
	writer w = { .shape = shape };
	int64_t epoch;
	int rc = make_key(dir, err);
	if (!rc)
		rc = cs_store_open(dir, true, &w.store, err);
	if (!rc)
		rc = cs_store_claim_epoch(w.store, &epoch, err);
	if (rc) {
		cs_store_close(w.store);
		return rc;
	}
	cs_idgen ids = { 0 };
	w.ids = cs_xcalloc((size_t)shape->runs, sizeof *w.ids);
	for (int i = 0; i < shape->runs; i++)
		cs_id_next(&ids, 1700000000000, w.ids[i]);
	int64_t from = cs_clock_mono_ns();
	rc = write_all(&w, err);
	int64_t to = cs_clock_mono_ns();
	cs_store_close(w.store);
	free(w.ids);
	if (!rc)
		*ret = (bench_result){ w.seq, (long long)shape->runs * shape->steps, (double)(to - from) / 1e9 };
	return rc;
}

static int number(char **argv, int argc, int i, int def)
{
	long n = i < argc ? strtol(argv[i], NULL, 10) : def;
	return n >= 1 && n <= 1000000 ? (int)n : def;
}

static void remove_database(const char *dir)
{
	static const char *const names[] = { "capstan.db", "capstan.db-wal", "capstan.db-shm", "anchor", "key", "key.pub" };
	char path[512];
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			perror(path);
	}
	rmdir(dir);
}

static int measure(const bench_shape *shape, const char *base, cs_err *err)
{
	char dir[400];
	bench_result mine, ceiling;
	cs_verify_report report = { 0 };
	snprintf(dir, sizeof dir, "%s/capstan-bench-XXXXXX", base);
	if (!mkdtemp(dir))
		return cs_err_sys(err, errno, "%s", dir);
	int rc = bench_store(dir, shape, &mine, err);
	int64_t from = cs_clock_mono_ns();
	if (!rc)
		rc = cs_store_verify(dir, &report, err);
	double verify = (double)(cs_clock_mono_ns() - from) / 1e9;
	remove_database(dir);
	if (!rc && report.finding[0])
		rc = cs_err_set(err, CS_EIO, "the log does not verify: %s", report.finding);
	if (rc || mkdir(dir, 0700) != 0)
		return rc ? rc : cs_err_sys(err, errno, "%s", dir);
	rc = bench_ceiling(dir, shape, &ceiling, err);
	remove_database(dir);
	if (rc)
		return rc;
	double events_s = (double)mine.events / mine.seconds, ceiling_s = (double)ceiling.events / ceiling.seconds;
	printf("{\"bench\":\"store\",\"runs\":%d,\"steps\":%d,\"group\":%d,\"data_bytes\":%d,\"events_s\":%.0f,"
	       "\"ceiling_s\":%.0f,\"ratio\":%.3f,\"verify_events_s\":%.0f}\n", shape->runs, shape->steps, shape->group,
	       shape->data_bytes, events_s, ceiling_s, events_s / ceiling_s, (double)report.events / verify);
	return CS_OK;
}

int main(int argc, char **argv)
{
	bench_shape shape = { number(argv, argc, 1, 1000), number(argv, argc, 2, 10), number(argv, argc, 3, 1000),
			      number(argv, argc, 4, 120) };
	const char *base = argc > 5 ? argv[5] : ".";
	cs_err err = { 0 };
	if (measure(&shape, base, &err) == CS_OK)
		return 0;
	fprintf(stderr, "store_bench: %s\n", err.msg);
	return 1;
}
