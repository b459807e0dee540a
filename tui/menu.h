/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list to choose from by typing letters of what is meant. */
#ifndef CS_TUI_MENU_H
#define CS_TUI_MENU_H

#include "tui/line.h"

typedef struct cs_menu_item {
	int id;              /* what is answered when it is chosen */
	char *label, *key, *detail;
	bool dim;            /* cannot be had now; detail says why */
} cs_menu_item;

typedef struct cs_menu {
	cs_line query;
	cs_menu_item *items;
	size_t n_items;
	size_t *order;       /* items that fit the query, best first */
	size_t n, cursor, top;
} cs_menu;

void cs_menu_init(cs_menu *m);
void cs_menu_fini(cs_menu *m);
void cs_menu_add(cs_menu *m, int id, const char *label, const char *key, const char *detail, bool dim);
void cs_menu_sort(cs_menu *m);       /* after the last item */
bool cs_menu_key(cs_menu *m, cs_key key);
int cs_menu_chosen(const cs_menu *m, int none);   /* the id under the cursor, NONE when nothing fits */
int cs_menu_draw(cs_menu *m, cs_term *t, cs_rect r, const char *label);   /* the cursor's column in its first row */

/* How well NEEDLE fits HAY as letters in order, case ignored: 0 not at all, more is better. */
int cs_menu_score(const char *hay, const char *needle);

#endif
