/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inbox: what its drawing and its decisions share. */
#ifndef CS_TUI_INBOX_H
#define CS_TUI_INBOX_H

#include "tui/fold.h"
#include "tui/list.h"
#include "tui/pager.h"
#include "tui/shell.h"

typedef struct cs_inbox {
	cs_view view;
	cs_list list;
	cs_pager card, steps;
	cs_fold raw;
	bool show_raw;
	json_t *item;          /* the selected item, whole; NULL: none */
	char *item_id;
	json_t *draft;         /* its edited value, not sent yet */
	char *draft_text;      /* an edit that did not parse, for the next try */
	char *follow;          /* the proposal that takes an edited one's place, until it is there */
	char *decided;         /* the id decided last, for undo */
	size_t batch_left, batch_done, batch_failed;
	size_t n_snoozed;      /* put off, so not in the list */
	int64_t wake_ms;       /* when the first of them comes back, wall; 0: none is put off */
} cs_inbox;

cs_inbox *cs_inbox_of(const cs_shell *sh);
void cs_inbox_sync(cs_inbox *b, bool again);       /* reads the selected item; AGAIN: though it is the same */
void cs_inbox_drop_draft(cs_inbox *b);
bool cs_inbox_next(cs_inbox *b);                   /* selects the next open item; false: there is none */
/* The source's answer as rows to show: without what is put off, faults of one cause as one row
 * {…, count, ids, runs}. A new array. */
json_t *cs_inbox_rows(cs_inbox *b, const json_t *answer);
/* The command that decides the card: bound to its id and its digest. */
json_t *cs_inbox_command(const cs_inbox *b, const char *cmd);
/* What is said and done after a decision. */
void cs_inbox_decided(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error);
json_t *cs_inbox_runs(cs_shell *sh);     /* the runs of one cause, borrowed; NULL: the item stands for itself */
json_t *cs_inbox_seen(cs_shell *sh);     /* the latest event of each of them, as shown, borrowed; may be NULL */
void cs_inbox_each(cs_shell *sh, const json_t *commands);   /* sends them, and says at the end how many were done */
unsigned cs_inbox_can(const cs_view *v);

#endif
