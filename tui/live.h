/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's source on a real workspace: read models for what is shown, a client of the engine
 * (in this process or behind the socket) for what is done. */
#ifndef CS_TUI_LIVE_H
#define CS_TUI_LIVE_H

#include <jansson.h>
#include "base/err.h"
#include "engine/engine.h"
#include "tui/source.h"

typedef struct cs_live_opts {
	const char *dir;             /* the workspace */
	const char *workspace;       /* its name */
	const char *mode;            /* "live" or "simulate", as the header says it */
	const char *actor;           /* "operator:NAME" */
	/* Another client in place of one whose engine is gone, borrowed like the first; the old one is
	 * closed by it. NULL: there is no way back. */
	int (*reopen)(void *ctx, cs_client **ret, cs_err *err);
	void *ctx;
} cs_live_opts;

/* CLIENT is borrowed and outlives the source; all strings are copied. *RET must stay where it is:
 * its descriptor changes with the client. */
int cs_live_open(const cs_live_opts *o, cs_client *client, cs_source *ret, cs_err *err);
void cs_live_close(cs_source *s);

/* Adds to an item of the read model what its card shows: fields, and words for what it touches and
 * costs. */
void cs_live_card(json_t *item);

#endif
