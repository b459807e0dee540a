/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The surroundings of a run without an engine: clock, ids, log, outside and operator, all of them
 * functions of a seed, the time and what stands in the run, so that a run folded from its log can
 * be led on exactly as the one that never stopped. */
#ifndef CS_TESTS_PLAY_H
#define CS_TESTS_PLAY_H

#include "core/run.h"
#include "flow/workspace.h"

typedef struct play {
	const cs_workspace *ws;
	uint64_t seed;
	int64_t now;
	uint64_t ids;                /* how many were given */
	json_t *log;                 /* events as objects, as the log would give them back */
	size_t corrected;            /* corrections that were let */
	bool crashed;                /* open intents ended ambiguous at the start */
	cs_step step;
} play;

/* A workspace with what random flows call: out.free (unsafe, allowed), out.ask (unsafe, asks),
 * out.key (keyed), out.look (read),
 * out.sure (probe, by out.find). */
cs_workspace *play_workspace(char dir[64]);
void play_workspace_free(cs_workspace *ws, const char *dir);

void play_init(play *s, const cs_workspace *ws, uint64_t seed);
void play_fini(play *s);
cs_run *play_begin(play *s, const cs_flow *flow, json_t *input);
/* One group of the engine: a step. True: there is more to begin in the next one. */
bool play_group(play *s, cs_run *r);
/* The clock goes on; the outside and the operator answer what they will. False: the run is over. */
bool play_tick(play *s, cs_run *r);
/* Events [0, n) folded into a new run. */
cs_run *play_fold(const cs_flow *flow, const json_t *log, size_t n);
/* Events [from, n) folded into R, too. */
void play_fold_on(cs_run *r, const json_t *log, size_t from, size_t n);
/* Ends every open intent as a crash does. */
void play_crash(play *s, cs_run *r);
/* What of a run must be the same however it came to be: not where a step will look next, which it
 * finds again by itself. New reference. */
json_t *play_dump(const cs_run *r);
uint64_t play_hash(uint64_t seed, const char *text, int64_t n);

/* A random document of the language, of plain expressions only. New reference. */
json_t *random_flow(uint64_t seed);

#endif
