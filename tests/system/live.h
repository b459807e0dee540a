/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A live workspace before a server that keeps a ledger: what test_live's rooms share. */
#ifndef CS_TESTS_LIVE_H
#define CS_TESTS_LIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "tests/support/ledger.h"
#include "tests/support/world.h"

typedef struct live {
	ledger l;
	world w;
} live;

#define FLOW(body) "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'do':[" body "]}"

/* setup and teardown of a test; the state is a live*. The connector `shop` has: put (unsafe,
 * asks), post (unsafe, allowed by a rule), never (unsafe, denied by a rule), book (keyed), look
 * (read), slow (unsafe, allowed, answers after 300 ms). The teardown holds the invariants against
 * the ledger. */
int live_set_up(void **state);
int live_tear_down(void **state);
/* The same, with the connector's mode and the engine's grace chosen. */
void live_begin(live *v, const char *mode, const char *grace);

char *live_run(live *v, const char *flow, const char *input);
/* The run's end: the data of run.completed or run.faulted. New reference. */
json_t *live_end(live *v, const char *run);
void live_decide(live *v, const json_t *item, const char *verb, json_t *value);
/* Entries of the ledger below PATH, each once: fails the test when there are not N. New reference. */
json_t *live_sent(live *v, const char *path, size_t n);
/* SHA-256 of the bytes that this rendered request would send. */
void live_body_digest(const json_t *request, char out[CS_HEX_SIZE]);

#endif
