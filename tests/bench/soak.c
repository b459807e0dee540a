/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One engine and very many runs (`make soak`): after a warm-up of a tenth its memory grows by at most
 * 1 MiB, its descriptors not at all, and the WAL is never larger than 64 MiB; else the status is 1.
 * JSON lines. Arguments: a folder to work in, and the number of runs (default 1,000,000). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/bench/bench.h"

enum { ROUND = 2000, GROWTH_KIB = 1024, WAL_MIB = 64, TOLD = 10 };

typedef struct state {
	long pss_kib, descriptors;
	double wal_mib;              /* the largest that was seen */
} state;

static long open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	long n = 0;
	if (d == NULL)
		bench_die("/proc/self/fd", NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void look(const char *wal, state *s)
{
	struct stat st;
	double mib = stat(wal, &st) == 0 ? (double)st.st_size / (1 << 20) : 0;
	s->pss_kib = bench_pss_all_kib();
	s->descriptors = open_descriptors();
	s->wal_mib = mib > s->wal_mib ? mib : s->wal_mib;
}

static void tell(long runs, double seconds, const state *s)
{
	printf("{\"bench\":\"soak\",\"runs\":%ld,\"runs_s\":%.0f,\"pss_mib\":%.2f,\"descriptors\":%ld,\"wal_mib\":%.1f}\n", runs,
	       (double)runs / seconds, (double)s->pss_kib / 1024, s->descriptors, s->wal_mib);
	(void)fflush(stdout);
}

/* Of each kind of step that leaves something behind in memory or on the disk if it is not put away. */
static void write_flows(const char *dir)
{
	bench_write(dir, "flows/two.yaml", "document: { dsl: '1.0.3', namespace: bench, name: two, version: '1.0.0' }\ndo:\n"
		    "  - one: { set: { n: '${ $start.n }' } }\n  - two: { set: { n: '${ .n }' } }\n");
	bench_write(dir, "flows/mixed.yaml", "document: { dsl: '1.0.3', namespace: bench, name: mixed, version: '1.0.0' }\ndo:\n"
		    "  - each: { for: { each: i, in: '${ [1, 2] }' }, do: [ { label: { call: label, with: { n: '${ $i }' } } } ] }\n"
		    "  - both: { fork: { branches: [ { a: { wait: { milliseconds: 5 } } }, { b: { set: { n: 1 } } } ] } }\n"
		    "  - caught: { try: [ { no: { raise: { error: { type: 'https://bench.example/no', status: 400 } } } } ], catch: { do: [ { well: { set: { n: 2 } } } ] } }\n");
	bench_write(dir, "flows/gate.yaml", "document: { dsl: '1.0.3', namespace: bench, name: gate, version: '1.0.0' }\ndo:\n"
		    "  - well: { call: approve, with: { title: Well? } }\n  - end: { set: { n: '${ $start.n }' } }\n");
	bench_write(dir, "agents/label.yaml", "agent: label\nversion: 1.0.0\npurpose: Answers at once.\nkind: rules\n"
		    "input: { type: object }\noutput: { type: object }\neffect: pure\nrules: [ { give: { label: other } } ]\n");
}

static void approve_all(cs_engine *e, const char *dir)
{
	cs_reader *r = bench_reader(dir);
	CS_AUTOJSON json_t *items = bench_rows(r, "SELECT id, digest FROM item WHERE state = 'pending'", NULL);
	cs_reader_close(r);
	bench_approve(e, items);
}

/* ROUND runs: half only set, a quarter calls, waits, forks and catches, a quarter asks and is approved. */
static void round_of(cs_engine *e, const char *dir)
{
	static const struct { const char *flow; int runs; } kinds[] = { { "two", ROUND / 2 }, { "mixed", ROUND / 4 }, { "gate", ROUND / 4 } };
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++)
		bench_runs(e, kinds[i].flow, kinds[i].runs);
	bench_settle(e);
	approve_all(e, dir);
	bench_settle(e);
}

int main(int argc, char **argv)
{
	long runs = argc > 2 ? strtol(argv[2], NULL, 10) : 1000000;
	if (runs < TOLD * ROUND || runs > 100000000)
		return 2;
	CS_AUTOFREE char *dir = bench_workspace(argc > 1 ? argv[1] : ".", "soak");
	CS_AUTOFREE char *wal = cs_path_join(dir, CS_STATE_DIR "/capstan.db-wal");
	write_flows(dir);
	cs_engine *e = bench_start(dir);
	state now = { 0 }, warm = { 0 };
	int64_t t0 = cs_clock_mono_ns();
	long done = 0, told = 0;
	while (done < runs) {
		round_of(e, dir);
		done += ROUND;
		look(wal, &now);
		if (done < (told + 1) * (runs / TOLD))
			continue;
		tell(done, bench_ms_since(t0) / 1000, &now);
		if (told++ == 0)
			warm = now;
	}
	cs_engine_stop(e, 1000);
	bool well = now.pss_kib - warm.pss_kib <= GROWTH_KIB && now.descriptors <= warm.descriptors && now.wal_mib <= WAL_MIB;
	printf("{\"bench\":\"soak_end\",\"runs\":%ld,\"grown_kib\":%ld,\"descriptors_grown\":%ld,\"wal_mib\":%.1f,\"ok\":%s}\n", done,
	       now.pss_kib - warm.pss_kib, now.descriptors - warm.descriptors, now.wal_mib, well ? "true" : "false");
	return well ? 0 : 1;
}
