/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line: one table of commands, each with its own file, over the views (to read) and
 * an engine's client (to change). */
#ifndef CS_CLI_CLI_H
#define CS_CLI_CLI_H

#include <stdbool.h>
#include "base/err.h"
#include "engine/engine.h"

/* What the console is told beside the client. */
typedef struct cs_cli_facts {
	const char *dir;             /* the workspace's folder */
	const char *name;            /* its name */
	const char *actor;           /* "operator:NAME" */
	const char *mode;            /* "live" or "simulate" */
	bool plain;                  /* --plain */
	/* Another client in place of one whose engine is gone, which is closed. */
	int (*reopen)(void *ctx, cs_client **ret, cs_err *err);
	void *ctx;
	bool *hand_over;             /* to be set when an engine shall go on in the background */
} cs_cli_facts;

/* What stands above the command line gives it this. */
typedef struct cs_cli_opts {
	const cs_engine_opts *engine;
	/* Shows the console over CLIENT until the operator leaves it. NULL: there is none. */
	int (*console)(void *ctx, const cs_cli_facts *facts, cs_client *client, cs_err *err);
	void *ctx;
} cs_cli_opts;

/* The exit status: 0 done; 1 the thing asked about failed; 2 wrong usage; 3 not found; 4 refused;
 * 5 the engine or the store is unavailable; of `ask` also 75, expired. */
int cs_cli_main(int argc, char **argv, const cs_cli_opts *opts);

#endif
