/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What performers hold of the engine: an attempt may end after the engine has. Counted; any thread. */
#ifndef CS_ENGINE_DOOR_H
#define CS_ENGINE_DOOR_H

#include <stdbool.h>
#include "base/err.h"

typedef struct cs_engine cs_engine;
typedef struct cs_message cs_message;
typedef struct cs_door cs_door;

cs_door *cs_door_new(cs_engine *e);
cs_door *cs_door_ref(cs_door *d);
void cs_door_unref(cs_door *d);              /* NULL is fine */
/* From here on nothing passes. The mailbox must be closed before, so that nobody stands in it. */
void cs_door_close(cs_door *d);
/* M is taken over: into the mailbox, or away when the engine has ended. */
void cs_door_post(cs_door *d, cs_message *m);
/* May a first byte leave? Not while all is held, nor after the engine failed or ended; of what SENDS not while the
 * clock has jumped. */
bool cs_door_gate(cs_door *d, bool sends);

/* A cs_effect's `secret`, from the engine's vault; CTX is the door. CS_EUNAVAIL after the engine has ended. */
int cs_door_secret(void *ctx, const char *name, char **ret, cs_err *err);

#endif
