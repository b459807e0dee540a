/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's figures as JSON lines, of the real program on a pseudo-terminal of 100 by 30: from
 * exec to the first frame, from a key to its frame in a list of many runs, wake-ups when nothing
 * happens, memory. Usage: console_bench RUNS */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "tests/tui/driver_priv.h"
#include "tests/tui/site.h"

#define STARTS 15
#define KEYS 300
#define IDLE_S 5
#define QUIET_MS 4       /* so long after its last byte a frame is whole */

static double now_ms(void)
{
	return (double)cs_clock_mono_ns() / 1e6;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void report(const char *bench, double *v, size_t n, const char *more)
{
	qsort(v, n, sizeof(*v), by_value);
	(void)printf("{\"bench\":\"%s\",%s\"times\":%zu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n", bench, more, n, v[n / 2],
		     v[n * 99 / 100], v[n - 1]);
	(void)fflush(stdout);
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "console_bench: %s\n", what);
	exit(1);
}

/* Milliseconds until the frame that KEY brings is whole; a key without a frame ends the bench. */
static double frame_of(driver *d, const char *key)
{
	double from = now_ms(), last = 0, end = from + 5000;
	char b[65536];

	driver_keys(d, key);
	while (now_ms() < end) {
		struct pollfd p = { d->pty, POLLIN, 0 };
		int r = poll(&p, 1, last > 0 ? QUIET_MS : 1000);
		ssize_t n = r > 0 ? read(d->pty, b, sizeof(b)) : 0;

		if (n <= 0 && last > 0)
			break;
		if (n <= 0)
			continue;
		last = now_ms();
		(void)vterm_input_write(d->vt, b, (size_t)n);
	}
	need(last > 0, "a key brought no frame");
	return last - from;
}

static void bench_start(const site *s, const char *sees, long runs)
{
	double v[STARTS];
	char more[64];

	for (int i = 0; i < STARTS; i++) {
		double from = now_ms();
		driver *d = site_console(s, 30, 100);

		need(driver_sees(d, sees), "no first frame");
		v[i] = now_ms() - from;
		(void)driver_listen(d, 50);
		driver_keys(d, "Q");
		need(driver_wait_exit(d) == 0, "it did not leave");
		(void)driver_stop(d);
	}
	(void)snprintf(more, sizeof(more), "\"runs\":%ld,", runs);
	report("console_start", v, STARTS, more);
}

static void bench_keys(driver *d, long runs)
{
	static const struct { const char *name, *key; } keys[] = { { "down", "\033OB" }, { "page_down", "\033[6~" } };
	double v[KEYS];

	for (size_t k = 0; k < CS_ARRAY_LEN(keys); k++) {
		char more[96];
		/* so that the end of the list is not reached, where a key brings nothing */
		long pages = runs / 60 < KEYS / 3 ? runs / 60 : KEYS / 3, n = k == 0 ? KEYS : pages;

		for (int i = 0; i < n; i++) {
			v[i] = frame_of(d, keys[k].key);
			(void)poll(NULL, 0, 20);     /* past the least time between two frames */
		}
		(void)snprintf(more, sizeof(more), "\"key\":\"%s\",\"runs\":%ld,", keys[k].name, runs);
		report("console_key", v, (size_t)n, more);
	}
}

/* How often any thread of the process was woken, up to now. */
static long switches(pid_t pid)
{
	CS_AUTOFREE char *folder = cs_xasprintf("/proc/%d/task", (int)pid);
	DIR *dir = opendir(folder);
	long sum = 0;

	need(dir != NULL, folder);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		CS_AUTOFREE char *path = cs_xasprintf("%s/%s/status", folder, e->d_name);
		FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
		char line[256];
		long n;

		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
				sum += n;
		if (f)
			(void)fclose(f);
	}
	(void)closedir(dir);
	return sum;
}

static long pss_kib(pid_t pid)
{
	CS_AUTOFREE char *path = cs_xasprintf("/proc/%d/smaps_rollup", (int)pid);
	FILE *f = fopen(path, "r");
	char line[256];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pss: %ld kB", &kib) == 1)
			break;
	if (f)
		(void)fclose(f);
	return kib;
}

static void bench_idle(const site *s, const char *what, const char *sees)
{
	driver *d = site_console(s, 30, 100);
	long before;

	need(driver_sees(d, sees), "no first frame");
	(void)driver_listen(d, 1500);
	before = switches(driver_pid(d));
	(void)driver_listen(d, IDLE_S * 1000);
	(void)printf("{\"bench\":\"console_idle\",\"engine\":\"%s\",\"seconds\":%d,\"wake_ups\":%ld,\"pss_mib\":%.1f}\n", what, IDLE_S,
		     switches(driver_pid(d)) - before, (double)pss_kib(driver_pid(d)) / 1024);
	(void)fflush(stdout);
	driver_keys(d, "Q");
	(void)driver_wait_exit(d);
	(void)driver_stop(d);
}

static void make_runs(const site *s, long runs)
{
	CS_AUTOBUF cs_buf lines = { 0 };
	CS_AUTOFREE char *file = cs_xasprintf("%s/lines", s->dir);
	CS_AUTOFREE char *out = NULL;

	cs_buf_init(&lines, 1u << 26);
	for (long i = 0; i < runs; i++)
		(void)cs_buf_addf(&lines, "{\"n\":%ld}\n", i);
	site_file(s, "lines", cs_buf_str(&lines));
	need(SITE_RUN(s, &out, "run", "set", "--detach", "--each", file) == 0, "the runs did not start");
}

int main(int argc, char **argv)
{
	long runs = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
	site s;
	driver *d;
	pid_t serve;

	need(runs >= 600, "say how many runs, at least 600");
	site_new(&s);
	bench_start(&s, "No approvals wait", 0);
	bench_idle(&s, "inside", "No approvals wait");
	serve = site_serve(&s);
	bench_idle(&s, "attached", "No approvals wait");
	site_end(serve, SIGTERM);
	make_runs(&s, runs);
	bench_start(&s, "No approvals wait", runs);
	d = site_console(&s, 30, 100);
	need(driver_sees(d, "No approvals wait"), "no first frame");
	driver_keys(d, "2");
	need(driver_sees(d, "completed"), "no runs");
	(void)driver_listen(d, 500);
	bench_keys(d, runs);
	(void)printf("{\"bench\":\"console_memory\",\"runs\":%ld,\"pss_mib\":%.1f}\n", runs, (double)pss_kib(driver_pid(d)) / 1024);
	driver_keys(d, "Q");
	(void)driver_wait_exit(d);
	(void)driver_stop(d);
	site_free(&s);
	return 0;
}
