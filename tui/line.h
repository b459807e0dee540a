/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line of text being typed, with the keys of readline. */
#ifndef CS_TUI_LINE_H
#define CS_TUI_LINE_H

#include <stdbool.h>
#include "tui/term.h"

#define CS_LINE_MAX 4096

typedef struct cs_line {
	char text[CS_LINE_MAX];   /* UTF-8 */
	size_t len, at;           /* bytes; at: where the cursor is */
	char killed[CS_LINE_MAX];
} cs_line;

void cs_line_set(cs_line *l, const char *text);
bool cs_line_key(cs_line *l, cs_key key);            /* true: handled */
/* Adds text at the cursor, its line breaks as spaces; what does not fit is not taken: false. */
bool cs_line_insert(cs_line *l, const char *text);
/* Draws LABEL and the line in one row; returns the column of the cursor. */
int cs_line_draw(const cs_line *l, cs_term *t, cs_rect r, const char *label);

#endif
