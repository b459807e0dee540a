/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connector as a way out: what its file says of when something may leave through it. */
#ifndef CS_FLOW_OUTLET_H
#define CS_FLOW_OUTLET_H

#include <jansson.h>
#include "flow/check.h"
#include "flow/function.h"

/* The more careful first: of two, the smaller holds. */
typedef enum cs_mode { CS_MODE_OFF, CS_MODE_DRY, CS_MODE_HOLD, CS_MODE_LIVE } cs_mode;

/* "off" "dry" "hold" "live", ended by NULL. */
extern const char *const cs_mode_names[];
/* CS_EINVAL for another word. */
int cs_mode_parse(const char *word, cs_mode *ret, cs_err *err);

/* `breaker: { failures, within, cool }`. */
typedef struct cs_breaker_rules {
	unsigned failures;           /* so many within the time open it; at most CS_BREAKER_FAILURES */
	int64_t within_ms, cool_ms;
} cs_breaker_rules;

#define CS_BREAKER_FAILURES 100

/* `limits: { rate: N/minute, concurrent: N }`. */
typedef struct cs_outlet_limits {
	unsigned rate;               /* so many begin within any span of rate_ms; 0: as many as come; at most CS_RATE_MOST */
	int64_t rate_ms;
	unsigned concurrent;         /* so many are under way at once; 0: as many as come */
} cs_outlet_limits;

#define CS_RATE_MOST 10000

typedef struct cs_outlet_rules {
	cs_mode mode;
	cs_breaker_rules breaker;
	cs_outlet_limits limits;
} cs_outlet_rules;

/* Checks `mode`, `breaker` and `limits` of a connector's document, which the cursor stands on. */
void cs_outlet_check(cs_check *c, const json_t *connector);
/* What a document that was checked says; what it is silent on is dry, 5 failures within a minute, 30 s, no limits.
 * NULL: the connector `http` of flows, which has no file: live. */
void cs_outlet_rules_of(const json_t *connector, cs_outlet_rules *ret);
/* The name of the connector through which F leaves; "http" for `call: http`. NULL: none. */
const char *cs_function_outlet(const cs_function *f);
/* What F's file says; live for what has no connector. */
cs_mode cs_function_mode(const cs_function *f);

#endif
