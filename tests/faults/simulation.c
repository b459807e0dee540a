/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/simulation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/json.h"
#include "tests/faults/sim_disk.h"
#include "tests/faults/sim_site.h"

enum { DISK_OPS = 40, FAR_MS = 7200000, NEAR_MS = 100000 };

void sim_wrong(void *simulation_, const char *fmt, ...)
{
	simulation *s = simulation_;
	va_list ap;
	if (s->wrong)
		return;
	s->wrong = true;
	va_start(ap, fmt);
	fprintf(stderr, "seed %llu, step %u of %u: ", (unsigned long long)s->seed, s->step, s->steps);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n  again: simulate --seed %llu --steps %u --tell\n", (unsigned long long)s->seed, s->steps);
	va_end(ap);
}

/* ---- what may happen in a step ----------------------------------------------------------------------------- */

static void turn(simulation *s)
{
	sim_turn(s);
}

static void move_net(simulation *s)
{
	(void)sim_net_move(&s->net);
}

static void do_job(simulation *s)
{
	(void)sim_do_job(s);
}

static void pass_time(simulation *s)
{
	static const int64_t most[] = { 5, 50, 500, 5000 };
	sim_time_pass(1 + (int64_t)sim_draw(&s->chance, (uint64_t)most[sim_draw(&s->chance, CS_ARRAY_LEN(most))]));
}

static void jump(simulation *s)
{
	int64_t most = sim_one_in(&s->chance, 2) ? FAR_MS : NEAR_MS;         /* of the near ones nothing is said */
	sim_time_jump((int64_t)sim_draw(&s->chance, (uint64_t)(2 * most)) - most);
}

static void die(simulation *s)
{
	sim_end how = sim_one_in(&s->chance, 2) ? SIM_POWER_CUT : SIM_KILLED;
	s->crashes++;
	s->cuts += how == SIM_POWER_CUT;
	sim_crash(s, how);
	sim_start(s);
}

static void arm_disk(simulation *s)
{
	sim_disk_fail_after((unsigned)sim_draw(&s->chance, DISK_OPS), sim_one_in(&s->chance, 2));
}

static const struct {
	const char *name;
	unsigned weight;
	void (*act)(simulation *s);
} acts[] = {
	{ "turn", 300, turn }, { "network", 260, move_net }, { "job", 80, do_job }, { "time", 100, pass_time }, { "decide", 110, sim_decide },
	{ "run", 45, sim_begin_run }, { "control", 40, sim_control }, { "hold", 14, sim_hold }, { "emit", 6, sim_emit },
	{ "crash", 16, die }, { "disk", 8, arm_disk }, { "jump", 2, jump }, { "mode", 10, sim_connector }, { "reload", 8, sim_reload },
	{ "change", 20, sim_change_run }, { "backup", 4, sim_backup }, { "restore", 2, sim_restore }, { "archive", 4, sim_archive },
	{ "second", 2, sim_refused },
};

/* An engine that has failed is turned no more than it takes to see that nothing comes of it. */
static void after_step(simulation *s)
{
	char failure[sizeof ((cs_err *)0)->msg];
	cs_engine_failure(s->engine, failure, sizeof failure);
	if (failure[0] == '\0')
		return;
	s->failures++;
	if (s->told)
		printf("  the engine failed: %s\n", failure);
	if (!sim_disk_failed()) {
		sim_wrong(s, "the engine fails on a sound disk: %s", failure);
		return;
	}
	for (unsigned n = (unsigned)sim_draw(&s->chance, 4); n > 0; n--) {
		(void)sim_net_move(&s->net);
		sim_turn(s);
	}
	die(s);
}

static void step(simulation *s)
{
	unsigned whole = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(acts); i++)
		whole += acts[i].weight;
	unsigned at = (unsigned)sim_draw(&s->chance, whole);
	size_t i = 0;
	while (at >= acts[i].weight)
		at -= acts[i++].weight;
	if (s->told)
		printf("%5u %-8s log %lld, runs %u, on the way %zu\n", s->step, acts[i].name, (long long)s->acked_seq, s->started, s->net.n);
	acts[i].act(s);
	if (!s->wrong)
		after_step(s);
}

/* ---- the whole ------------------------------------------------------------------------------------------- */

static const char *asks_about(void *simulation_, const char *asks)
{
	const simulation *s = simulation_;
	return cs_json_str(s->more_rules.probes, asks);
}

void simulation_begin(simulation *s)
{
	if (mkdir(SIM_DIR, 0700) != 0) {
		perror(SIM_DIR);
		exit(99);
	}
	s->chance = (sim_chance){ s->seed };
	s->rules = invariants_new();
	sim_rules_init(&s->more_rules);
	sim_net_init(&s->net, &s->chance);
	s->net.ctx = s;
	s->net.wrong = sim_wrong;
	s->net.most = s->seed % SIM_LIMITED == 0 ? SIM_AT_ONCE : 0;
	s->net.arrives = sim_call_arrives;
	s->net.asks_about = asks_about;
	s->more_rules.happened = s->net.happened;
	sim_time_begin(s->seed);
	sim_disk_begin(&s->chance);
	sim_site_write(SIM_DIR, s->seed);
}

void simulation_end(simulation *s)
{
	if (s->engine != NULL || s->reader != NULL)
		sim_crash(s, SIM_KILLED);
	s->calls = (unsigned)json_array_size(s->net.ledger);
	sim_disk_end();
	sim_time_end();
	sim_net_fini(&s->net);
	invariants_free(s->rules);
	s->types = json_incref(s->more_rules.types);
	sim_rules_fini(&s->more_rules);
	free(s->jobs);
	if (!s->kept)
		sim_site_remove(SIM_DIR);
}

bool simulation_run(simulation *s)
{
	simulation_begin(s);
	sim_start(s);
	for (s->step = 1; s->step <= s->steps && !s->wrong; s->step++)
		step(s);
	if (!s->wrong)
		sim_rest(s);
	simulation_end(s);
	return !s->wrong;
}
