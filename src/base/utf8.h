/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8 from outside: validation, widths, and the visible form of what must never act on a
 * terminal (C0, C1, ESC, DEL, bidi controls, zero-width): ‹U+202E›. Over libutf8proc. */
#ifndef CS_BASE_UTF8_H
#define CS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

bool cs_utf8_valid(const char *s, size_t len);
/* Decodes one code point at *s (advances it); -1 for a bad byte (advances by one). */
int32_t cs_utf8_next(const char **s, const char *end);
/* True for a code point that must be shown in the form ‹U+XXXX› instead of itself: controls, what
 * steers direction, what is invisible, private or unassigned. The emoji selectors U+FE0E and
 * U+FE0F are not, by themselves: cs_utf8_show shows those that follow no emoji. */
bool cs_utf8_hostile(int32_t cp);
/* Appends S made safe for a terminal; bad bytes as ‹XX›; keep_newlines keeps \n (and \t as
 * spaces), otherwise they are shown as ‹U+000A›. */
int cs_utf8_show(const char *s, size_t len, bool keep_newlines, cs_buf *out);
/* malloc'ed cs_utf8_show of a NUL-terminated string on one line. */
char *cs_utf8_shown(const char *s);
/* Terminal columns of S, as curses counts them: the sum of its characters. S has been made safe. */
int cs_utf8_width(const char *s, size_t len);
/* Bytes of S that fit in COLS columns, cut between grapheme clusters; *ret_cols the columns used. */
size_t cs_utf8_fit(const char *s, size_t len, int cols, int *ret_cols);

#endif
