/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A circuit breaker, of one connector and one host: what an end of an attempt says of the other side, and where
 * that leads (STATES.md). Pure: an event is decided here, written by who asks, and folded here again. */
#ifndef CS_CORE_BREAKER_H
#define CS_CORE_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "core/effect.h"
#include "flow/outlet.h"

typedef enum cs_breaker_state { CS_BREAKER_CLOSED, CS_BREAKER_OPEN, CS_BREAKER_HALF_OPEN } cs_breaker_state;

/* "closed" "open" "half-open". */
const char *cs_breaker_state_name(cs_breaker_state s);

typedef struct cs_breaker {
	cs_breaker_state state;
	int64_t failed[CS_BREAKER_FAILURES];     /* wall ms of the failures that may still count, oldest first */
	size_t n_failed;
	int64_t until;               /* OPEN: wall ms */
	unsigned trips;              /* times it opened since it was last closed */
} cs_breaker;

/* What an end says of the other side. */
typedef enum cs_breaker_word {
	CS_BREAKER_NOTHING,          /* it was never reached, by our own doing; or was perhaps, by a crash of ours, while closed */
	CS_BREAKER_OK,               /* it answered: also with a refusal that is the caller's own fault */
	CS_BREAKER_FAIL,             /* no answer, half of one, "later", 5xx, 402, a quota */
	CS_BREAKER_AMBIGUOUS,        /* nobody knows: our own crash */
} cs_breaker_word;

/* O NULL: a crash. */
cs_breaker_word cs_breaker_judge(const cs_outcome *o);

/* The type of the event that WORD, of an attempt that ended at NOW, leads to; NULL: none. PROBE: that attempt was the
 * one that a half-open breaker lets through. SEED spreads the wait by up to a fifth. *ret_data: its members beside
 * connector and target; a new reference. */
const char *cs_breaker_step(const cs_breaker *b, const cs_breaker_rules *rules, cs_breaker_word word, bool probe, int64_t now,
			    uint64_t seed, json_t **ret_data);
/* The event for an open one whose time has come by NOW; NULL: it has not. */
const char *cs_breaker_wake(const cs_breaker *b, int64_t now);
/* Applies an event of the log. CS_EINTERNAL: there is no such arrow from here, or it lacks what it needs. */
int cs_breaker_fold(cs_breaker *b, const char *type, const json_t *data, cs_err *err);

/* The host, and its port where it is said, of an absolute URL, in lower case. False: it has none, or it does not fit. */
bool cs_breaker_target(const char *url, char *ret, size_t size);

#endif
