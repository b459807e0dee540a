/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text to read: lines with an optional label, wrapped by the width of what is drawn, scrolled,
 * never cut. */
#ifndef CS_TUI_PAGER_H
#define CS_TUI_PAGER_H

#include <stdbool.h>
#include "tui/term.h"

typedef struct cs_pager_line {
	unsigned style;
	int indent;        /* columns before the text; a label stands in them */
	char *label;       /* NULL: none */
	char *text;        /* safe for a terminal, one line */
} cs_pager_line;

typedef struct cs_pager_row { size_t line, off, len; } cs_pager_row;

typedef struct cs_pager {
	cs_pager_line *lines;
	size_t n, cap;
	cs_pager_row *rows;      /* the lines as wrapped for width */
	size_t n_rows;
	int width, height;       /* at the last draw */
	bool stale;              /* lines changed since they were wrapped */
	size_t top;
	long cursor;             /* the line that is highlighted, -1: none */
} cs_pager;

void cs_pager_init(cs_pager *p);
void cs_pager_fini(cs_pager *p);
void cs_pager_clear(cs_pager *p);      /* the lines go, the place stays */
void cs_pager_home(cs_pager *p);       /* to the top, for another text */
/* Adds TEXT (from anywhere; NULL adds nothing), one line for each of its lines. */
void cs_pager_add(cs_pager *p, unsigned style, int indent, const char *label, const char *text);
void cs_pager_addf(cs_pager *p, unsigned style, const char *fmt, ...) CS_PRINTF(3, 4);
void cs_pager_rule(cs_pager *p);       /* a line across */
void cs_pager_append(cs_pager *p, const cs_pager *other);   /* adds copies of its lines */

bool cs_pager_key(cs_pager *p, cs_key key);
void cs_pager_show_line(cs_pager *p, size_t line);   /* scrolls so that it is seen */
size_t cs_pager_below(const cs_pager *p);            /* rows that lie below the last one drawn */
/* How many rows TEXT takes in COLS, broken at its words as a pager does. */
int cs_pager_rows(const char *text, int cols);
/* Draws; where there is more below, the last row says how much. */
void cs_pager_draw(cs_pager *p, cs_term *t, cs_rect r, bool focused);

#endif
