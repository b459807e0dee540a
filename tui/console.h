/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console: the operator's screen over one cs_source, on a terminal or line by line. */
#ifndef CS_TUI_CONSOLE_H
#define CS_TUI_CONSOLE_H

#include <stdbool.h>
#include <stdio.h>
#include "base/err.h"
#include "tui/source.h"

typedef struct cs_console_opts {
	FILE *in, *out;          /* NULL: stdin, stdout */
	bool engine_inside;      /* the engine stops with this process: C-z says so. Where the status says, it counts */
	bool *hand_over;         /* set when the operator wants an engine in the background after this; NULL: not offered */
	const char *start_run;   /* opens its trace first; NULL: the inbox */
	const char *workspace_dir;   /* for the command lines that `y` copies; NULL: none named */
} cs_console_opts;

/* Runs until the operator quits, SIGTERM or SIGHUP comes, or the terminal is gone: all of these
 * are CS_OK, with the terminal restored. CS_EINVAL: no terminal, or one ncurses does not know. */
int cs_console_run(const cs_source *src, const cs_console_opts *opts, cs_err *err);

/* The same verbs, a line each, without boxes, colour or cursor movement; until `quit` or the end
 * of the input. */
int cs_console_plain(const cs_source *src, const cs_console_opts *opts, cs_err *err);

#endif
