/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One round: a workspace, a scenario, and lives of an engine on it, of which all but the last are cut short. */
#ifndef CS_TESTS_KILL_ROUND_H
#define CS_TESTS_KILL_ROUND_H

#include "base/err.h"
#include "flow/workspace.h"
#include "store/store.h"
#include "tests/faults/kill_scenarios.h"
#include "tests/faults/kill_shared.h"

typedef struct kill_counts {
	unsigned long kills, rounds, at_start, runs_open, intents_open, doubts, requests, acks;
	int64_t slowest_start_us;
} kill_counts;

typedef struct kill_round {
	const kill_scenario *k;
	uint64_t seed, random;
	char dir[64], *state_dir;
	kill_shared *s;
	cs_workspace *ws;
	kill_counts *counts;
	/* the log as it was seen last */
	int64_t head;
	uint8_t hash[CS_HASH_LEN];
	int64_t intents;             /* unsafe ones, open when it died; -1: nobody looked */
} kill_round;

typedef enum kill_end { KILL_END_OVER, KILL_END_KILLED } kill_end;

/* Every function ends the program with a sentence, the seed and the folder where something is broken. */
void kill_round_make(kill_round *r, const kill_scenario *k, uint64_t seed, unsigned runs, kill_shared *s, kill_counts *counts);
/* One life with such an end, and what must hold after it. */
kill_end kill_round_live(kill_round *r, kill_when when, unsigned nth, unsigned point);
/* Everything is over: the whole account. Removes the folder. */
void kill_round_close(kill_round *r);
uint64_t kill_random(kill_round *r, uint64_t below);
_Noreturn void kill_fail(const kill_round *r, const char *fmt, ...) CS_PRINTF(2, 3);
/* The memory that all rounds use. */
kill_shared *kill_shared_new(void);

#endif
