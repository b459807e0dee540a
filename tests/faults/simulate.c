/* SPDX-License-Identifier: GPL-3.0-or-later */
/* simulate [--seed N] [--count N] [--steps N] [--seconds N] [--tell] [--keep] [--types]
 * --keep: the files of the last one stay, and where they are is said.
 * --types: how often each type of event came into the logs.
 * Runs COUNT simulations from seed N on, at most so many seconds; exit 1 when something was wrong in one. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/json.h"
#include "store/event_types.h"
#include "tests/faults/sim_site.h"
#include "tests/faults/simulation.h"

enum { WRONG_MAX = 10 };

struct wish {
	uint64_t seed, count, steps, seconds;
	bool tell, keep, types;
};

static uint64_t number(const char *text)
{
	char *end = NULL;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0') {
		fprintf(stderr, "simulate: %s is no number\n", text);
		exit(2);
	}
	return v;
}

static void read_wish(struct wish *w, int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' }, { "count", required_argument, NULL, 'c' }, { "steps", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' }, { "tell", no_argument, NULL, 'v' }, { "types", no_argument, NULL, 'y' }, { "keep", no_argument, NULL, 'k' }, { NULL, 0, NULL, 0 },
	};
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (o) {
		case 's': w->seed = number(optarg); break;
		case 'c': w->count = number(optarg); break;
		case 'n': w->steps = number(optarg); break;
		case 't': w->seconds = number(optarg); break;
		case 'y': w->types = true; break;
		case 'k': w->keep = true; break;
		case 'v': w->tell = true; break;
		default: exit(2);
		}
	}
}

static void enter_folder(char *dir)
{
	if (mkdtemp(dir) == NULL || chdir(dir) != 0) {
		perror(dir);
		exit(99);
	}
}

struct sum {
	uint64_t seeds, wrong, events, runs, crashes, cuts, failures, decisions, calls;
	json_t *types;
};

static void add_types(json_t *sum, const json_t *types)
{
	const char *type;
	json_t *n;
	json_object_foreach((json_t *)(uintptr_t)types, type, n)
		json_object_set_new(sum, type, json_integer(cs_json_int_or(sum, type, 0) + json_integer_value(n)));
}

/* What of the language of events the seeds have spoken. */
static void say_types(const json_t *types)
{
	for (int t = 0; t < CS_EV_COUNT; t++)
		printf("%8lld %s\n", (long long)cs_json_int_or(types, cs_event_type_word((cs_event_type)t), 0), cs_event_type_word((cs_event_type)t));
}

static void add(struct sum *t, const simulation *s, bool right)
{
	t->seeds++;
	t->wrong += !right;
	t->events += (uint64_t)s->events;
	t->runs += s->started;
	t->crashes += s->crashes;
	t->cuts += s->cuts;
	t->failures += s->failures;
	t->decisions += s->decisions;
	t->calls += s->calls;
	add_types(t->types, s->types);
}

static void say(const struct sum *t, double seconds)
{
	printf("%llu seeds in %.1f s (%.1f/s), %llu wrong: %llu events, %llu runs, %llu requests outside, %llu decisions, %llu crashes"
	       " (%llu of them power cuts, %llu after a failing disk)\n", (unsigned long long)t->seeds, seconds, (double)t->seeds / seconds,
	       (unsigned long long)t->wrong, (unsigned long long)t->events, (unsigned long long)t->runs, (unsigned long long)t->calls,
	       (unsigned long long)t->decisions, (unsigned long long)t->crashes, (unsigned long long)t->cuts, (unsigned long long)t->failures);
}

int main(int argc, char **argv)
{
	struct wish w = { .seed = 1, .count = 1, .steps = 400, .seconds = 0 };
	struct sum t = { .types = json_object() };
	read_wish(&w, argc, argv);
	const char *named = getenv("CS_TEST_CAPSTAN");
	CS_AUTOFREE char *exe = realpath(named != NULL ? named : "capstan", NULL);
	char dir[64] = "/dev/shm/capstan-sim-XXXXXX";
	if (access("/dev/shm", W_OK) != 0)
		snprintf(dir, sizeof dir, "%.40s/capstan-sim-XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	enter_folder(dir);
	int64_t began = sim_time_real_ms();
	for (uint64_t i = 0; i < w.count && t.wrong < WRONG_MAX; i++) {
		if (w.seconds > 0 && sim_time_real_ms() - began > (int64_t)w.seconds * 1000)
			break;
		simulation s = { .seed = w.seed + i, .steps = (unsigned)w.steps, .exe = exe, .told = w.tell,
				 .kept = w.keep && i + 1 == w.count };
		bool right = simulation_run(&s);
		add(&t, &s, right);
		json_decref(s.types);
		if (w.tell)
			printf("seed %llu: %lld events, head %s\n", (unsigned long long)s.seed, (long long)s.events, s.head);
	}
	say(&t, (double)(sim_time_real_ms() - began + 1) / 1000);
	if (w.types)
		say_types(t.types);
	json_decref(t.types);
	if (w.keep)
		printf("%s/" SIM_DIR "\n", dir);
	else if (chdir("/") == 0)
		sim_site_remove(dir);
	return t.wrong > 0;
}
