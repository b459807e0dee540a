/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a body is shared: one column below 90, two from 90, three from 140. */
#ifndef CS_TUI_SPLIT_H
#define CS_TUI_SPLIT_H

#include "tui/term.h"

#define CS_SPLIT_TWO 90
#define CS_SPLIT_THREE 140
#define CS_PANES 3

/* Divides R for up to WANT panes (1 to 3), draws the rules between them, and returns how many
 * there are. In one column only pane FOCUS is on the screen: it gets the whole, the others none. */
int cs_split(cs_term *t, cs_rect r, int want, int focus, cs_rect out[CS_PANES]);

#endif
