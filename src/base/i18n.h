/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text for people, through gettext. Log lines and JSON keys stay as they are. */
#ifndef CS_BASE_I18N_H
#define CS_BASE_I18N_H

#include <libintl.h>

#define CS_TEXT_DOMAIN "capstan"

/* The translation of a literal; borrowed, lives as long as the program. */
#define _(text) gettext(text)
/* Marks a literal in a table; whoever shows it calls _(). */
#define N_(text) text
/* Chooses by a count: P_("%zu run", "%zu runs", n). */
#define P_(one, many, n) ngettext((one), (many), (unsigned long)(n))

#endif
