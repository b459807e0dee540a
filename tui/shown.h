/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which values a text already shows, so that a card says each thing once and leaves none out. */
#ifndef CS_TUI_SHOWN_H
#define CS_TUI_SHOWN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cs_shown {
	const char *text;       /* borrowed */
	bool *taken;            /* a byte of the text stands for a value already */
	size_t len;
} cs_shown;

void cs_shown_init(cs_shown *s, const char *text);   /* NULL: shows nothing */
void cs_shown_fini(cs_shown *s);
/* True when VALUE stands in the text in full, up to the end of a line and from the beginning of
 * one or after a space, in a place that no other value has taken; takes that place. So a value
 * that only occurs inside another is not taken for shown: ask for the longest first. */
bool cs_shown_take(cs_shown *s, const char *value);

#endif
