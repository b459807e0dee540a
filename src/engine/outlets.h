/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connectors as the engine keeps them: the mode that a command has set. Of the file's and the command's
 * the more careful holds, in the transaction of the intent and again just before the first byte. All of it is
 * the coordinator's, but what a pass is asked, which is any thread's. */
#ifndef CS_ENGINE_OUTLETS_H
#define CS_ENGINE_OUTLETS_H

#include "engine/engine_priv.h"

/* What the log says of connectors. Before runs are folded. */
int cs_outlets_recover(cs_engine *e, cs_err *err);
void cs_outlets_free(cs_engine *e);
/* The files have changed: what they say of modes counts from now on, also for what is just about to leave. */
void cs_outlets_renew(cs_engine *e);

/* The mode that holds for what leaves by FN; live for what has no connector. */
cs_mode cs_outlet_mode(cs_engine *e, const cs_function *fn);
/* May C, a real call of FN, leave as far as its connector goes? NULL, or the word of what holds it. */
const char *cs_outlet_held(cs_engine *e, const cs_run *r, const cs_function *fn, const cs_call *c);

int cs_command_connector(cs_engine *e, json_t *req, json_t **ret, cs_err *err);

/* ---- just before the first byte ---- */

/* One attempt's way out. Its connector's part outlives the engine. */
typedef struct cs_pass {
	cs_door *door;               /* borrowed */
	cs_outlet *outlet;           /* NULL: it needs none */
	bool approved;               /* a person let it go, or it is answered here: a connector on hold lets it pass */
	bool simulated, sends;
	atomic_bool refused;         /* it was asked, and said no */
} cs_pass;

void cs_pass_init(cs_pass *p, cs_engine *e, const cs_function *fn, const cs_call *c, bool simulated);
void cs_pass_fini(cs_pass *p);               /* of one that was never begun, too */
/* A cs_effect's gate; CTX is a cs_pass. */
bool cs_pass_gate(void *ctx);

#endif
