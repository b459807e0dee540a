/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network of a simulation and all that lies behind it: a performer that puts each call on its
 * way, moves it when it is told to, lets it end as chance will have it, and keeps a ledger of what
 * really reached the other side and what happened there. */
#ifndef CS_TESTS_FAULTS_SIM_NET_H
#define CS_TESTS_FAULTS_SIM_NET_H

#include "core/effect.h"
#include "tests/faults/sim_chance.h"

/* Says that something is wrong that must never be. */
typedef void sim_wrong_fn(void *ctx, const char *fmt, ...) CS_PRINTF(2, 3);

typedef struct sim_flight sim_flight;

typedef struct sim_net {
	sim_chance *chance;
	/* A call arrives: is what it needs in the log? */
	void (*arrives)(void *ctx, const cs_effect *e);
	/* Whether what the key went with happened is asked under ASKS: which; NULL: ASKS asks about none. */
	const char *(*asks_about)(void *ctx, const char *asks);
	sim_wrong_fn *wrong;
	void *ctx;
	bool calm;                   /* no faults: what arrives is done */
	int64_t log_ms;              /* of the latest event of the log: the engine's time may be ahead of a clock set back */
	size_t most;                 /* so many may be under way at once; 0: any number */
	bool shut;                   /* the breaker is open, the log says */
	bool held, off;              /* the operator was told that all, or the connector, is held: nothing may leave */
	sim_flight **flights; size_t n, cap;
	json_t *ledger;              /* [{method, path, digest, key, at}], as tests/support/invariants.h reads it */
	json_t *happened;            /* key -> how often it had its effect */
	json_t *late;                /* [{key, wall, passed}]: what is on its way, though nobody waits for it here */
	json_t *sent;                /* key -> how often its bytes went */
} sim_net;

void sim_net_init(sim_net *n, sim_chance *chance);
void sim_net_fini(sim_net *n);
cs_performer sim_net_performer(sim_net *n);
/* What is not to leave is answered here and now. */
cs_performer sim_net_fixture(sim_net *n);
/* One call goes a step further: it leaves, or its end is told. False: none that can do so by now. */
bool sim_net_move(sim_net *n);
int64_t sim_net_due(const sim_net *n);       /* wall ms of the next that can move; 0: none is under way */
/* The engine is gone: what has not left never leaves, and no end is told to anybody. */
void sim_net_drop(sim_net *n);
/* What was late has come by now, whatever became of who sent it. */
void sim_net_settle(sim_net *n);
bool sim_net_happened(sim_net *n, const char *key);

#endif
