/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A JSON value to look into: members fold and unfold under a cursor. */
#ifndef CS_TUI_FOLD_H
#define CS_TUI_FOLD_H

#include <jansson.h>
#include "tui/pager.h"

typedef struct cs_fold_node { char *path; bool container; size_t line; } cs_fold_node;

typedef struct cs_fold {
	cs_pager pager;
	json_t *value;
	json_t *folded;        /* path → bool, where it differs from the default */
	int open_depth;        /* containers deeper than this start folded */
	cs_fold_node *nodes;
	size_t n, cap, cursor;
} cs_fold;

void cs_fold_init(cs_fold *f, int open_depth);
void cs_fold_fini(cs_fold *f);
/* Shows VALUE (borrowed); what was folded stays folded where the paths are the same. */
void cs_fold_set(cs_fold *f, json_t *value);
void cs_fold_home(cs_fold *f);
bool cs_fold_key(cs_fold *f, cs_key key);   /* Up, Down, pages; Right opens, Left closes, Enter toggles */
void cs_fold_draw(cs_fold *f, cs_term *t, cs_rect r, bool focused);

#endif
