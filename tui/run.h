/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run as a row, as a card, and what can be done with it: shared by the views that show runs. */
#ifndef CS_TUI_RUN_H
#define CS_TUI_RUN_H

#include <jansson.h>
#include "base/buf.h"
#include "tui/shell.h"

void cs_run_text(void *ctx, const json_t *row, cs_buf *out);   /* a cs_row_text_fn */
void cs_run_draw_row(cs_shell *sh, cs_term *t, cs_rect r, const json_t *row, unsigned bits);
void cs_run_card(cs_pager *p, const json_t *run);              /* adds to P */
unsigned cs_run_can(const json_t *run);                        /* CS_CAN_*; NULL: nothing */
void cs_run_subject(const json_t *run, cs_buf *out);
bool cs_run_ended(const json_t *run);
/* Binds BOUND, which names a run, to that as it is now, by `seen`: once something else came the engine refuses it. *ret_call
 * (malloc'ed; NULL: none) is the call whose effect is there though the run faulted. False: it cannot be read, which is said. */
bool cs_run_bind(cs_shell *sh, json_t *bound, char **ret_call);
/* The same without a screen: why the retry BOUND is not sent before WORD (may be NULL) is `repeat`; NULL: it may be sent.
 * malloc'ed. */
char *cs_run_unsaid(const cs_source *src, json_t *bound, const char *word);
/* MEMBER, "runs" or "ids", of the one of ROWS, each for one cause, that stands for the item ID; NULL: that stands for
 * itself. A new reference. */
json_t *cs_run_group(const json_t *rows, const char *id, const char *member);
/* One command CMD for each of RUNS, bound to its own of SEEN (may be NULL). A new array. */
json_t *cs_run_each(const json_t *cmd, const json_t *runs, const json_t *seen);
/* Of the selected run in STATE, of which nothing is to be changed: asks whether it is retried, or resumed. */
void cs_run_as_it_is(cs_shell *sh, const char *state);

#endif
