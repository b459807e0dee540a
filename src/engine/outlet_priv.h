/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside outlets.c and targets.c. */
#ifndef CS_ENGINE_OUTLET_PRIV_H
#define CS_ENGINE_OUTLET_PRIV_H

#include "core/breaker.h"
#include "engine/outlets.h"

/* A host that a connector reaches, and the breaker between. */
struct cs_target {
	char *host;
	atomic_uint refs;
	atomic_bool shut;            /* the breaker is not closed; passes look at it */
	cs_breaker breaker;
	char probe[CS_HEX_SIZE];     /* half-open: the key of the attempt that was let through; "" none */
	char item[CS_ID_SIZE];       /* in the inbox; "" none */
	json_t *waiting;             /* ids of the runs that wait for it: {id: true}, oldest first; NULL: none ever did */
};

struct cs_outlet {
	char *name;
	atomic_uint refs;            /* the engine's, and one for each attempt under way */
	atomic_int mode;             /* the one that holds; passes look at it */
	int said;                    /* a cs_mode, by command; -1: nothing was said */
	cs_outlet_rules rules;       /* of today's file */
	unsigned open;               /* intents without an end, of this process */
	int64_t *sent; size_t n_sent, cap_sent;      /* wall ms of the intents within the rate's span, oldest first */
	json_t *waiting;             /* for a place, as a target's */
	cs_target **targets; size_t n_targets;
};

cs_outlet *cs_outlet_of(cs_engine *e, const char *name);             /* made where it is missing */
cs_target *cs_outlet_target(cs_outlet *o, const char *host);         /* the same */
/* That of what C sends; NULL: it goes to no host. */
cs_target *cs_target_of(cs_outlet *o, const cs_call *c);
/* May C go there now, as far as its breaker is concerned? RUN waits for it else. */
bool cs_target_lets(cs_target *t, const char *run);
void cs_waiting_add(json_t **waiting, const char *run);
/* Has at most N of WAITING stepped again. */
int cs_waiting_wake(cs_engine *e, json_t *waiting, size_t n, cs_err *err);
int cs_targets_settle(cs_engine *e, cs_outlet *o, cs_err *err);
int cs_targets_fire(cs_engine *e, cs_outlet *o, cs_err *err);
int64_t cs_targets_due(const cs_outlet *o, bool waited_for);
int cs_targets_recover(cs_engine *e, cs_err *err);

#endif
