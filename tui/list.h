/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list of JSON rows on which the operator stands. The selection is an id, never a position; rows
 * that arrive wait until they are asked for; a row that is gone from the source stays in its place.
 * So nothing moves under the cursor. */
#ifndef CS_TUI_LIST_H
#define CS_TUI_LIST_H

#include <jansson.h>
#include "base/buf.h"
#include "tui/filter.h"
#include "tui/term.h"

/* The text of a row that search and filter look at. */
typedef void cs_row_text_fn(void *ctx, const json_t *row, cs_buf *out);
/* Draws ROW in one line of R; STYLE_BITS is to be or'ed to every style. */
typedef void cs_row_draw_fn(void *ctx, cs_term *t, cs_rect r, const json_t *row, unsigned style_bits);

typedef struct cs_list {
	const char *id_key;      /* the member that is the id: a string or an integer */
	cs_row_text_fn *text;
	void *ctx;
	json_t *rows;            /* all that may be shown, in order */
	json_t *waiting;         /* the newest answer, while it holds rows that are not shown; or NULL */
	size_t n_fresh;          /* of those, the new ones */
	json_t *marks;           /* id → true */
	cs_filter *filter;       /* NULL: everything; owned */
	size_t *shown;           /* positions in rows that pass the filter */
	size_t n, cursor, top;
	int height;              /* lines at the last draw */
	char *selected;          /* id, NULL when the list is empty */
} cs_list;

#define CS_ROW_ID_SIZE 128
/* The id of ROW as text; "" when it has none. */
const char *cs_row_id(const json_t *row, const char *key, char out[CS_ROW_ID_SIZE]);

void cs_list_init(cs_list *l, const char *id_key, cs_row_text_fn *text, void *ctx);
void cs_list_fini(cs_list *l);

/* Replaces the rows (borrowed); the selected row keeps its line on the screen. */
void cs_list_set(cs_list *l, const json_t *rows);
/* Takes an answer (borrowed): known rows are updated where they stand, new ones wait behind
 * n_fresh (an empty list takes them at once), rows no longer in it stay. */
void cs_list_merge(cs_list *l, const json_t *rows);
/* Takes in what waits and lets go of what is no longer there; true when something changed. */
bool cs_list_take_fresh(cs_list *l);
void cs_list_append(cs_list *l, const json_t *older);
void cs_list_update(cs_list *l, const json_t *row);   /* the row of that id, in its place */
bool cs_list_has(const cs_list *l, const char *id);

json_t *cs_list_row(const cs_list *l);                /* the selected row, borrowed; NULL: none */
json_t *cs_list_at(const cs_list *l, size_t i);       /* the ith shown row, borrowed */
void cs_list_go(cs_list *l, size_t i);
void cs_list_move(cs_list *l, long by);
bool cs_list_select(cs_list *l, const char *id);
bool cs_list_key(cs_list *l, cs_key key);             /* arrows, pages, ends; true: handled */

void cs_list_mark(cs_list *l, const char *id);        /* on, off */
bool cs_list_marked(const cs_list *l, const char *id);
size_t cs_list_marks(const cs_list *l);
void cs_list_clear_marks(cs_list *l);

void cs_list_filter(cs_list *l, cs_filter *f);        /* takes F; NULL: everything */
void cs_list_draw(cs_list *l, cs_term *t, cs_rect r, cs_row_draw_fn *draw, void *ctx, bool focused);

#endif
