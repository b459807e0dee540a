/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The terminal: ncursesw set up and taken down, signals through a pipe, keys and pastes in, and
 * the one function that puts text into cells. There is one terminal in a process. */
#ifndef CS_TUI_TERM_H
#define CS_TUI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/err.h"

typedef struct cs_rect { int y, x, h, w; } cs_rect;

/* What a text is, not how it looks: the looks are a table for mono, 16 and 256 colours. */
typedef enum cs_style {
	CS_ST_TEXT, CS_ST_DIM, CS_ST_BOLD, CS_ST_HEADER, CS_ST_TAB, CS_ST_KEY, CS_ST_GOOD, CS_ST_WAIT,
	CS_ST_BAD, CS_ST_SIM, CS_ST_ADDED, CS_ST_REMOVED, CS_ST_CHANGED, CS_ST_BAR, CS_ST_MATCH,
	CS_ST_COUNT
} cs_style;
#define CS_ST_REVERSE 0x100u   /* or'ed to a style: the selected row */

/* A key is a code point or one of these. */
typedef int32_t cs_key;
enum {
	CS_KEY_NONE = 0, CS_KEY_TAB = 9, CS_KEY_ENTER = 13, CS_KEY_ESC = 27, CS_KEY_BACKSPACE = 127,
	CS_KEY_UP = 0x200000, CS_KEY_DOWN, CS_KEY_LEFT, CS_KEY_RIGHT, CS_KEY_PGUP, CS_KEY_PGDN,
	CS_KEY_HOME, CS_KEY_END, CS_KEY_DELETE, CS_KEY_BTAB, CS_KEY_PASTE, CS_KEY_FOCUS_IN,
	CS_KEY_FOCUS_OUT, CS_KEY_OTHER
};
#define CS_CTRL(c) ((cs_key)((c) & 0x1f))

typedef struct cs_term_event {
	cs_key key;
	char *text;   /* CS_KEY_PASTE: what was pasted, malloc'ed, yours */
} cs_term_event;

typedef struct cs_term cs_term;

/* CS_EINVAL with a sentence when IN and OUT are no terminal, or TERM is unknown to ncurses. */
int cs_term_open(FILE *in, FILE *out, cs_term **ret, cs_err *err);
void cs_term_close(cs_term *t);   /* restores the terminal and the signals; NULL is fine */

enum { CS_WAKE_INPUT = 1, CS_WAKE_FD = 2, CS_WAKE_RESIZE = 4, CS_WAKE_STOP = 8, CS_WAKE_CONT = 16,
       CS_WAKE_END = 32 };
/* Waits for input, FD (-1: none), a signal, or TIMEOUT_MS (-1: for ever). Bits of CS_WAKE_*;
 * CS_WAKE_END also when the terminal is gone. */
unsigned cs_term_wait(cs_term *t, int fd, int timeout_ms);
/* Everything typed so far, at most MAX events. */
size_t cs_term_drain(cs_term *t, cs_term_event *out, size_t max);
bool cs_term_pasting(const cs_term *t);   /* between the start and the end of a paste */

void cs_term_resize(cs_term *t);          /* takes the size from the kernel */
int cs_term_rows(const cs_term *t);
int cs_term_cols(const cs_term *t);

void cs_term_begin(cs_term *t);           /* an empty frame */
void cs_term_end(cs_term *t, int cursor_y, int cursor_x);   /* to the screen; y < 0: no cursor */
void cs_term_redraw(cs_term *t);          /* the next frame repaints every cell */

/* The only way into the cells. Shows TEXT (UTF-8, from anywhere) made safe, on one line, in at
 * most COLS columns, with … where it does not fit. Returns the columns used. */
int cs_term_put(cs_term *t, int y, int x, int cols, unsigned style, const char *text);
void cs_term_fill(cs_term *t, cs_rect r, unsigned style);
void cs_term_vline(cs_term *t, int y, int x, int h);

void cs_term_leave(cs_term *t);           /* back to the ordinary screen, for another program */
void cs_term_enter(cs_term *t);
void cs_term_stop(cs_term *t, const char *farewell);   /* leaves, stops the process, enters at SIGCONT */
void cs_term_bell(cs_term *t);            /* only when the terminal said it has no focus */
bool cs_term_focused(const cs_term *t);
/* To the tmux buffer, else by OSC 52. CS_ETOOBIG over 64 KiB. */
int cs_term_copy(cs_term *t, const char *text, cs_err *err);

#endif
