/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One jq child as the pool sees it: used by one thread at a time. */
#ifndef CS_FLOW_JQ_CHILD_H
#define CS_FLOW_JQ_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/child.h"
#include "base/err.h"
#include "flow/jq_wire.h"

#define CS_JQ_MEMORY (512u << 20)    /* bytes of address space */

/* Which program is in a slot; set 0: none. */
typedef struct cs_jq_key { uint64_t set; unsigned count, group; } cs_jq_key;
typedef struct cs_jq_slot { cs_jq_key key; uint64_t used; } cs_jq_slot;

typedef struct cs_jq_child {
	cs_child process;
	cs_jq_slot slots[CS_JQ_SLOTS];
	uint64_t served;              /* requests so far */
	bool died;                    /* of itself, while it was asked */
	bool busy;                    /* the pool's, under its lock */
} cs_jq_child;

void cs_jq_child_init(cs_jq_child *c);
bool cs_jq_child_runs(const cs_jq_child *c);
/* CS_EUNAVAIL. */
int cs_jq_child_start(cs_jq_child *c, const char *exe, cs_err *err);
/* Stops one that died, or spoke unasked, since it was last used. */
void cs_jq_child_inspect(cs_jq_child *c);
void cs_jq_child_stop(cs_jq_child *c);   /* kills; idempotent */
int cs_jq_child_slot(const cs_jq_child *c, const cs_jq_key *key);   /* -1: not there */
unsigned cs_jq_child_oldest(const cs_jq_child *c);
/* Sends FRAME (ended here) and waits for the answer, whose first byte is its kind; never empty.
 * CS_ETIMEOUT, CS_EIO (it died, or talks nonsense): then the child is stopped. CS_ETOOBIG: FRAME
 * is; nothing was sent. ERR is filled only for the last. */
int cs_jq_child_ask(cs_jq_child *c, cs_buf *frame, cs_buf *reply, int64_t deadline_ns, cs_err *err);

#endif
