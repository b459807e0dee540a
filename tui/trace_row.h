/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One row of a trace: tree on the left, waterfall on the right. */
#ifndef CS_TUI_TRACE_ROW_H
#define CS_TUI_TRACE_ROW_H

#include <jansson.h>
#include "tui/term.h"

/* RUN gives the time that the bar's whole width stands for. */
void cs_trace_row_draw(cs_term *t, cs_rect r, const json_t *row, const json_t *run, unsigned bits);

/* The bar of FROM..TO (milliseconds) in a width of COLS that stands for 0..WHOLE: spaces, full
 * blocks, and an eighth part of one; at least one eighth. OUT holds 4 bytes a column and a NUL. */
void cs_trace_bar(int64_t from, int64_t to, int64_t whole, int cols, char *out, size_t size);

#endif
