/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kill harness works on: a live workspace before a ledger, the real program serving it
 * as a process that is killed, and the operator who settles what is in doubt by looking at the
 * ledger. Failures end the program with a sentence. */
#ifndef CS_TESTS_KILL_SITE_H
#define CS_TESTS_KILL_SITE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <pthread.h>
#include "engine/engine.h"
#include "store/store.h"
#include "tests/support/ledger.h"

enum { SITE_STEPS = 10 };

typedef struct site {
	char dir[64];
	char *state_dir;
	bool keyed;
	ledger l;
	cs_child serve;
	cs_client *client;           /* NULL: not attached */
	cs_reader *reader;           /* NULL: there is no database yet */
	pthread_t killer;
	_Atomic int64_t kill_at;     /* monotonic ns */
	atomic_bool killed;
	uint64_t random;
	/* what is counted */
	unsigned happened, did_not, repeated, resubmitted;
	int64_t slowest_start_ms;
} site;

void site_make(site *s, bool keyed, uint64_t seed);
void site_remove(site *s);
uint64_t site_random(site *s, uint64_t below);

/* Starts the program. KILL_IN_MS >= 0: it dies that long after its start, ready or not. */
void site_start(site *s, int64_t kill_in_ms);
/* Attaches; false when it was killed before. */
bool site_attach(site *s);
/* It dies so many ms from now. */
void site_kill_in(site *s, int64_t ms);
/* Waits for the death that was ordered, and until the server has read what was still on its way. */
void site_bury(site *s);
/* SIGTERM, and the end in order. */
void site_stop(site *s);

/* Starts run number N, or takes it for started when it was; false when the engine went away. */
bool site_submit(site *s, unsigned n);
/* Settles everything that is in doubt by the ledger; false when the engine went away. */
bool site_settle(site *s);
/* Rows of a query. New reference. */
json_t *site_rows(site *s, const char *sql);
int64_t site_count(site *s, const char *sql);
/* Runs the program on the workspace to its end: exit status, and what it printed. */
int site_program(site *s, const char *const *words, cs_buf *out);
void site_nap(int64_t ms);
void site_fail(const char *fmt, ...) CS_PRINTF(1, 2) __attribute__((noreturn));

#endif
