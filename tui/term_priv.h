/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the terminal share among themselves. */
#ifndef CS_TUI_TERM_PRIV_H
#define CS_TUI_TERM_PRIV_H

#include <signal.h>
#include "base/buf.h"
#include "tui/term.h"

/* Codes given to ncurses for sequences terminfo does not name; above KEY_MAX (0777). */
enum { CS_NC_PASTE_BEGIN = 01001, CS_NC_PASTE_END, CS_NC_FOCUS_IN, CS_NC_FOCUS_OUT };

#define CS_TERM_SIGNALS 5

struct screen;
struct cs_term {
	struct screen *screen;
	int in;
	int colours;            /* 0, 16, 256 */
	bool synchronized, focused, repaint, dead, pasting;
	cs_buf paste;           /* gathered until its end comes */
	int pipe[2];
	struct sigaction old[CS_TERM_SIGNALS];
};

void cs_term_modes(bool on);   /* bracketed paste and focus events */
int cs_term_signals_open(cs_term *t, cs_err *err);
void cs_term_signals_close(cs_term *t);

#endif
