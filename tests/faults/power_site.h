/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A workspace whose state lies on a disk that is taped, a whole engine that is turned by hand, the
 * outside that it acts on, and the operator who decides what waits. All on one thread. */
#ifndef CS_TESTS_POWER_SITE_H
#define CS_TESTS_POWER_SITE_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "engine/engine.h"
#include "store/store.h"
#include "tests/faults/disk_tape.h"

typedef struct site {
	char dir[64];
	char *state;                 /* the state folder in it */
	cs_engine *engine;           /* NULL: stopped */
	cs_reader *reader;           /* of the operator; NULL: not opened yet */
	json_t *entries;             /* what the outside was asked, as tests/support/invariants.h wants it */
	json_t *sent;                /* key -> {class, times} */
	json_t *tried;               /* key -> how often it came */
	unsigned decisions;
	const char *const *verbs;    /* what the operator says to what waits, in turn; ended by NULL */
	char why[1024];              /* the engine did not start, or ended by itself; "" */
} site;

/* A new folder with the workspace in it; memory instead of a disk where there is such a folder. */
void site_make(site *s);
void site_remove(site *s);
/* Takes away the state, and what the outside knows. */
void site_clear(site *s);

/* False: it does not; `why` says why. */
bool site_start(site *s);
void site_stop(site *s);
/* Turns the engine until it rests. False: it has ended by itself. */
bool site_turn(site *s);
/* The `ok` of a request, a new reference; NULL: refused, or it ended. REQUEST is taken over. */
json_t *site_ask(site *s, json_t *request);
/* Begins a run of FLOW with the input {n: N}; a text of SIZE bytes in it when SIZE > 0. False: refused. */
bool site_run(site *s, const char *flow, int n, size_t size);
/* Decides and lets time pass until every run has come to its end. False: the engine has ended by itself. */
bool site_operate(site *s);
/* Rows of a query. New reference; NULL: it cannot be read, `why` says why. */
json_t *site_rows(site *s, const char *sql);
/* What the outside was asked up to the tape's op number UPTO. */
void site_recall(site *s, const disk_tape *t, size_t upto);
/* What breaks an invariant after the engine was stopped, "" for nothing; malloc'ed. */
char *site_broken(site *s);

/* What VARIABLE of the environment says. */
uint64_t site_number(const char *variable, uint64_t unless);
/* Of N, as much as there is time for under a sanitizer, where there is one. */
uint64_t site_part(uint64_t n);

#endif
