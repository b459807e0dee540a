/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connectors as the engine keeps them: the mode that a command has set, their limits, and the breaker of each
 * host that they reach. Of the file's mode and the command's the more careful holds, in the transaction of the intent
 * and again just before the first byte. All of it is the coordinator's, but what a pass is asked, which is any
 * thread's. */
#ifndef CS_ENGINE_OUTLETS_H
#define CS_ENGINE_OUTLETS_H

#include "core/breaker.h"
#include "core/frame.h"
#include "engine/engine_priv.h"

/* What the log says of connectors. Before runs are folded. */
int cs_outlets_recover(cs_engine *e, cs_err *err);
void cs_outlets_free(cs_engine *e);
/* The files have changed: what they say of modes counts from now on, also for what is just about to leave. */
void cs_outlets_renew(cs_engine *e);

/* The mode that holds for what leaves by FN; live for what has no connector. */
cs_mode cs_outlet_mode(cs_engine *e, const cs_function *fn);
/* May C, a real call of FN, leave as far as its connector goes? NULL, or the word of what holds it: "off" (its mode),
 * "breaker", "limit". What waits for the latter two is stepped again in its turn. */
const char *cs_outlet_held(cs_engine *e, const cs_run *r, const cs_function *fn, const cs_call *c);
/* Its intent was written: it counts for the limits, and has the one place of a half-open breaker. */
void cs_outlet_sent(cs_engine *e, const cs_function *fn, const cs_call *c);
/* An attempt through O (NULL: none) has ended. */
void cs_outlet_back(cs_outlet *o);
/* What the end of M's attempt, which said WORD and ERROR, leads to. CAUSE: its own event. */
int cs_target_ended(cs_engine *e, const cs_message *m, cs_breaker_word word, int64_t cause, const json_t *error, cs_err *err);
/* F's intent was open when the last engine ended. */
int cs_target_crashed(cs_engine *e, cs_run *r, const cs_frame *f, cs_err *err);
/* Those whose time has come are half-open. */
int cs_outlets_fire(cs_engine *e, cs_err *err);
/* At the end of a group: who waits for what is free now is stepped again. */
int cs_outlets_settle(cs_engine *e, cs_err *err);
/* The next clock of any; wall ms, 0: none. WAITED_FOR: of those that a run waits for. */
int64_t cs_outlets_next_due(const cs_engine *e, bool waited_for);
/* Their item was put away. */
void cs_outlets_dismissed(cs_engine *e, const char *item);
void cs_outlet_unref(cs_outlet *o);          /* NULL is fine */
void cs_target_unref(cs_target *t);          /* NULL is fine */

int cs_command_connector(cs_engine *e, json_t *req, json_t **ret, cs_err *err);

/* ---- just before the first byte ---- */

/* One attempt's way out. Its connector's part outlives the engine. */
typedef struct cs_pass {
	cs_door *door;               /* borrowed */
	cs_outlet *outlet;           /* NULL: it needs none */
	cs_target *target;           /* NULL: it goes to no host */
	bool probe;                  /* a half-open breaker lets this one through */
	bool approved;               /* a person let it go: a connector on hold lets it pass */
	bool sends;
	atomic_bool refused;         /* it was asked, and said no */
} cs_pass;

void cs_pass_init(cs_pass *p, cs_engine *e, const cs_function *fn, const cs_call *c, bool simulated);
void cs_pass_fini(cs_pass *p);               /* of one that was never begun, too */
/* A cs_effect's gate; CTX is a cs_pass. */
bool cs_pass_gate(void *ctx);

#endif
