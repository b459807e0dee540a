/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SIGKILL, at every place and at random: an engine on a workspace is killed and started again, until what it
 * was given is done, and nothing may be lost, or done twice in silence.
 *
 *   kill                          what `make check` has time for
 *   kill random KILLS SEED [FILE] random moments; FILE keeps how far it came, and a later call goes on from there
 *   kill round SEED               the one round of a seed
 *   kill calls STRIDE SEED [NAME [FILE]]   before and after every STRIDEth call that writes, scenario by scenario; NAME "": all
 *   kill points SEED [NAME]       at every point that has a name, each time that it is reached
 *   kill names                    the names of the scenarios
 *
 * Prints a JSON line of figures; what is broken is told with its seed, and its workspace is kept. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/faults/kill_calls.h"
#include "tests/faults/kill_round.h"

enum { ROUND_KILLS = 40, CALLS_MAX = 20000, SAY_EVERY_S = 60, CHECK_S = 18 };

static kill_shared *shared;
static int64_t until_ns;             /* of this part: no further round begins after it; 0: it goes to its end */

static bool in_time(void)
{
	return until_ns == 0 || cs_clock_mono_ns() < until_ns;
}

static void take_seconds(int n)
{
	until_ns = cs_clock_mono_ns() + n * INT64_C(1000000000);
}

static void say(const char *mode, uint64_t seed, const kill_counts *c, int64_t from_ns)
{
	double seconds = (double)(cs_clock_mono_ns() - from_ns) / 1e9;
	CS_AUTOJSON json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "test", "kill", "mode", mode, "seed", (json_int_t)seed,
					  "scenarios", (json_int_t)kill_scenario_count, "rounds", (json_int_t)c->rounds, "kills", (json_int_t)c->kills, "at_start",
					  (json_int_t)c->at_start, "runs_open", (json_int_t)c->runs_open, "unsafe_intents_open", (json_int_t)c->intents_open, "in_doubt",
					  (json_int_t)c->doubts, "requests", (json_int_t)c->requests, "acknowledged", (json_int_t)c->acks, "seconds", seconds);
	json_object_set_new(o, "slowest_start_ms", json_integer(c->slowest_start_us / 1000));
	json_object_set_new(o, "kills_per_s", json_real(seconds > 0 ? (double)c->kills / seconds : 0));
	CS_AUTOFREE char *text = cs_json_text(o);
	printf("%s\n", text);
	(void)fflush(stdout);
}

/* ---- at random ----------------------------------------------------------------------------------------- */

static kill_end live_at_random(kill_round *r)
{
	static const unsigned calls[] = { 60, 250, 700 }, micros[] = { 3000, 9000, 20000 };
	unsigned size = (unsigned)kill_random(r, 3);
	switch (kill_random(r, 10)) {
	case 0: case 1: case 2:
		return kill_round_live(r, KILL_AT_CALL, 2 + (unsigned)kill_random(r, calls[size]), 0);
	case 3: case 4:
		return kill_round_live(r, KILL_AT_COMMIT, 1 + (unsigned)kill_random(r, 7), 0);
	case 5:
		return kill_round_live(r, KILL_AT_REPLY, 1 + (unsigned)kill_random(r, 5), 0);
	case 6: case 7:
		return kill_round_live(r, KILL_AT_REQUEST, 1 + (unsigned)kill_random(r, 3), 0);
	default:
		return kill_round_live(r, KILL_AT_TIME, 1 + (unsigned)kill_random(r, micros[size]), 0);
	}
}

/* Seeds in a row visit all scenarios. */
static void random_round(uint64_t seed, unsigned long most, kill_counts *c)
{
	kill_round r;
	const kill_scenario *k = &kill_scenarios[seed % kill_scenario_count];
	kill_round_make(&r, k, seed, 12, shared, c);
	unsigned long n = 0;
	kill_end end = KILL_END_KILLED;
	for (; n < most && n < ROUND_KILLS && end == KILL_END_KILLED; n++)
		end = live_at_random(&r);
	if (end == KILL_END_KILLED && kill_round_live(&r, KILL_NEVER, 0, 0) != KILL_END_OVER)
		kill_fail(&r, "it was killed when nobody killed it");
	kill_round_close(&r);
}

static uint64_t read_state(const char *file, uint64_t seed, kill_counts *c)
{
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 4096);
	unsigned long long next, kills, rounds;
	if (file == NULL || cs_file_read(file, &b, NULL) != CS_OK)
		return seed;
	if (sscanf(cs_buf_str(&b), "next %llu kills %llu rounds %llu", &next, &kills, &rounds) != 3) {
		fprintf(stderr, "kill: %s does not say how far it came; remove it to begin anew\n", file);
		exit(2);
	}
	c->kills = kills;
	c->rounds = rounds;
	return next;
}

static void write_state(const char *file, uint64_t next, const kill_counts *c)
{
	char text[128];
	cs_err err = { 0 };
	int n = snprintf(text, sizeof text, "next %llu kills %lu rounds %lu\n", (unsigned long long)next, c->kills, c->rounds);
	if (file != NULL && cs_file_write(file, text, (size_t)n, 0600, &err) != CS_OK) {
		fprintf(stderr, "kill: %s\n", err.msg);
		exit(2);
	}
}

static void at_random(unsigned long kills, uint64_t seed, const char *file)
{
	kill_counts c = { 0 };
	int64_t from = cs_clock_mono_ns(), said = from;
	uint64_t next = read_state(file, seed, &c);
	for (; c.kills < kills && in_time(); next++) {
		random_round(next, kills - c.kills, &c);
		write_state(file, next + 1, &c);
		if (file != NULL && cs_clock_mono_ns() - said > SAY_EVERY_S * INT64_C(1000000000)) {
			said = cs_clock_mono_ns();
			say("random", next, &c, from);
		}
	}
	say("random", seed, &c, from);
}

/* ---- everywhere ---------------------------------------------------------------------------------------- */

/* One round with one kill; false when the scenario was over before it came to that. */
static bool one_kill(const kill_scenario *k, uint64_t seed, kill_when when, unsigned nth, unsigned point, kill_counts *c)
{
	kill_round r;
	kill_round_make(&r, k, seed, 1, shared, c);
	kill_end end = kill_round_live(&r, when, nth, point);
	if (end == KILL_END_KILLED && kill_round_live(&r, KILL_NEVER, 0, 0) != KILL_END_OVER)
		kill_fail(&r, "it was killed when nobody killed it");
	kill_round_close(&r);
	return end == KILL_END_KILLED;
}

static bool chosen(const kill_scenario *k, const char *name)
{
	return name == NULL || strcmp(k->name, name) == 0;
}

/* Where a call before this one was stopped: the scenario, and the place in it. */
static size_t calls_from(const char *file, unsigned *nth, kill_counts *c)
{
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 4096);
	unsigned long i, kills;
	if (file == NULL || cs_file_read(file, &b, NULL) != CS_OK)
		return 0;
	if (sscanf(cs_buf_str(&b), "scenario %lu place %u kills %lu", &i, nth, &kills) != 3 || i > kill_scenario_count) {
		fprintf(stderr, "kill: %s does not say how far it came; remove it to begin anew\n", file);
		exit(2);
	}
	c->kills = kills;
	return i;
}

static void calls_at(const char *file, size_t i, unsigned nth, const kill_counts *c)
{
	char text[128];
	cs_err err = { 0 };
	int n = snprintf(text, sizeof text, "scenario %zu place %u kills %lu\n", i, nth, c->kills);
	if (file != NULL && cs_file_write(file, text, (size_t)n, 0600, &err) != CS_OK) {
		fprintf(stderr, "kill: %s\n", err.msg);
		exit(2);
	}
}

static void at_calls(unsigned stride, uint64_t seed, const char *name, const char *file)
{
	kill_counts c = { 0 };
	int64_t from = cs_clock_mono_ns();
	unsigned nth = 0;
	for (size_t i = calls_from(file, &nth, &c); i < kill_scenario_count; i++, nth = 0) {
		/* 2n: before the nth, 2n + 1: after it */
		if (nth == 0)
			nth = 2 + (unsigned)((seed + i * 7) % stride);
		while (chosen(&kill_scenarios[i], name) && nth < CALLS_MAX && in_time() && one_kill(&kill_scenarios[i], seed, KILL_AT_CALL, nth, 0, &c)) {
			nth += stride;
			calls_at(file, i, nth, &c);
		}
		calls_at(file, i + 1, 0, &c);
		if (stride < 10 && chosen(&kill_scenarios[i], name))
			say(kill_scenarios[i].name, seed, &c, from);
	}
	say("calls", seed, &c, from);
}

/* A point that nothing comes to is one that nobody tries. */
static void check_points(const unsigned reached[KILL_POINT_COUNT])
{
	for (unsigned p = 0; p < KILL_POINT_COUNT; p++) {
		if (reached[p] > 0)
			continue;
		fprintf(stderr, "FAILED: nothing was killed %s\n", kill_point_word(p));
		exit(1);
	}
}

static void at_points(uint64_t seed, const char *name, unsigned most, unsigned every)
{
	kill_counts c = { 0 };
	unsigned reached[KILL_POINT_COUNT] = { 0 };
	int64_t from = cs_clock_mono_ns();
	for (size_t i = 0; i < kill_scenario_count; i++) {
		if (!chosen(&kill_scenarios[i], name) || (i + seed) % every != 0)
			continue;
		for (unsigned p = 0; p < KILL_POINT_COUNT; p++)
			for (unsigned nth = 1; nth <= most && in_time() && one_kill(&kill_scenarios[i], seed, KILL_AT_POINT, nth, p, &c); nth++)
				reached[p]++;
	}
	say("points", seed, &c, from);
	if (name == NULL && in_time())
		check_points(reached);
}

static unsigned long number(const char *text)
{
	char *end = NULL;
	unsigned long n = text != NULL ? strtoul(text, &end, 10) : 0;
	if (text == NULL || *end != '\0' || n == 0) {
		fprintf(stderr, "kill: %s is not a number from 1 on\n", text != NULL ? text : "nothing");
		exit(2);
	}
	return n;
}

/* A part of each, as much as there is time for. */
static void in_check(void)
{
	take_seconds(CHECK_S);
	at_random(400, 1, NULL);
	take_seconds(CHECK_S);
	at_calls(401, 1, NULL, NULL);
	take_seconds(CHECK_S);
	at_points(1, NULL, 2, 6);
}

static void one_round(uint64_t seed)
{
	kill_counts c = { 0 };
	int64_t from = cs_clock_mono_ns();
	random_round(seed, ROUND_KILLS, &c);
	say("round", seed, &c, from);
}

static void names(void)
{
	for (size_t i = 0; i < kill_scenario_count; i++)
		printf("%s\n", kill_scenarios[i].name);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "", *a = argc > 2 ? argv[2] : NULL, *b = argc > 3 ? argv[3] : NULL, *d = argc > 4 ? argv[4] : NULL;
	(void)signal(SIGPIPE, SIG_IGN);
	if (getenv("CS_TEST_CAPSTAN") == NULL) {
		fprintf(stderr, "kill: CS_TEST_CAPSTAN does not name the program, whose children evaluate expressions\n");
		return 2;
	}
	shared = kill_shared_new();
	if (strcmp(mode, "random") == 0) {
		at_random(number(a), number(b), d);
	} else if (strcmp(mode, "round") == 0) {
		one_round(number(a));
	} else if (strcmp(mode, "calls") == 0) {
		at_calls((unsigned)number(a), number(b), d != NULL && *d != '\0' ? d : NULL, argc > 5 ? argv[5] : NULL);
	} else if (strcmp(mode, "points") == 0) {
		at_points(number(a), b, CALLS_MAX, 1);
	} else if (strcmp(mode, "names") == 0) {
		names();
	} else if (argc > 1) {
		fprintf(stderr, "usage: kill [random KILLS SEED [FILE] | round SEED | calls STRIDE SEED [NAME [FILE]] | points SEED [NAME] | names]\n");
		return 2;
	} else {
		in_check();
	}
	return 0;
}
