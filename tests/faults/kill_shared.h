/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What outlives an engine that is killed: memory of the process that kills it, in which the outside
 * keeps its ledger and the engine's client notes what was acknowledged to it. */
#ifndef CS_TESTS_KILL_SHARED_H
#define CS_TESTS_KILL_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/hash.h"

enum { KILL_LEDGER_MAX = 8192, KILL_ACKS_MAX = 256, KILL_PATH_SIZE = 160, KILL_TEXT_SIZE = 2048 };

/* One request as it came in outside. */
typedef struct kill_entry {
	int64_t at;                  /* wall ms by the engine's clock */
	char method[8], path[KILL_PATH_SIZE], key[CS_HEX_SIZE], digest[CS_HEX_SIZE], body[CS_HEX_SIZE];
	bool unsafe, refused;        /* refused: it had no effect */
} kill_entry;

/* What a client was told is done: it must be there ever after. */
typedef struct kill_ack {
	char what[24];               /* "run" "decide" "control" "emit" "live" "hold" */
	char id[64], verb[24];       /* of the run, the item, the event */
} kill_ack;

/* Where the child is to die. */
typedef enum kill_when {
	KILL_NEVER,
	KILL_AT_CALL,                /* before (even) or after (odd) the (N/2)th write of any kind */
	KILL_AT_POINT,               /* the Nth time that it comes to a named point */
	KILL_AT_COMMIT,              /* after the Nth commit */
	KILL_AT_REPLY,               /* after the Nth reply to the client */
	KILL_AT_REQUEST,             /* the parent: when the Nth request has come */
	KILL_AT_TIME,                /* the parent: after N microseconds */
} kill_when;

typedef struct kill_shared {
	/* the plan of this life */
	kill_when when;
	unsigned nth, point;
	uint64_t seed;               /* of the operator */
	unsigned runs;               /* to be started in all */
	bool restless;               /* the operator pauses, holds and cancels what is under way */
	/* what the child says */
	atomic_int ready;            /* the engine has started */
	_Atomic int64_t start_us;    /* from the fork to there */
	_Atomic int64_t fed;         /* seq of the last commit that was told */
	atomic_uint commits, replies, calls, points;
	char failure[KILL_TEXT_SIZE];
	_Atomic int64_t offset_ms;   /* of the engine's clock from the wall's */
	atomic_uint acks;
	kill_ack ack[KILL_ACKS_MAX];
	/* the ledger; the parent alone writes */
	atomic_uint entries;
	kill_entry entry[KILL_LEDGER_MAX];
} kill_shared;

/* The engine's clock: the wall's, and what the operator did not want to wait for. */
int64_t kill_now_ms(void *shared);

#endif
