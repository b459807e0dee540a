/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every action of the console, once: keys, palette, help and footer all come from this table. */
#ifndef CS_TUI_ACTION_H
#define CS_TUI_ACTION_H

#include <stdbool.h>
#include "tui/term.h"
#include "tui/view.h"

enum {
	CS_ACT_DECISION = 1,   /* bound to what is on the screen, armed, never repeated */
	CS_ACT_FOOTER = 2,     /* shown in the footer where it works */
	CS_ACT_REPEAT = 4,     /* `.` does it again */
};

#define CS_INBOX CS_IN(CS_VIEW_INBOX)
#define CS_RUNS CS_IN(CS_VIEW_RUNS)
#define CS_TRACE CS_IN(CS_VIEW_TRACE)
#define CS_REPLAY CS_IN(CS_VIEW_REPLAY)
#define CS_CARD_OPEN (CS_CAN_ROW | CS_CAN_CARD | CS_CAN_OPEN)

/* A(identifier, name, keys, views, needs, flags, help). Keys are separated by a space; of several
 * actions on one key, the first that can run does. */
#define CS_ACTIONS(A) \
	A(batch, "approve-marked", "a", CS_INBOX, CS_CAN_MARKS, CS_ACT_FOOTER, N_("show all marked items, then approve them with a typed word")) \
	A(approve, "approve", "a", CS_INBOX, CS_CARD_OPEN | CS_CAN_ACCEPT, CS_ACT_DECISION | CS_ACT_FOOTER, N_("approve what the card shows")) \
	A(edit, "edit", "e", CS_INBOX, CS_CARD_OPEN | CS_CAN_EDIT, CS_ACT_FOOTER, N_("change what will be sent, in your editor")) \
	A(reject, "reject", "r", CS_INBOX, CS_CARD_OPEN | CS_CAN_REJECT, CS_ACT_DECISION | CS_ACT_FOOTER, N_("reject it, with a reason")) \
	A(answer, "answer", "m", CS_INBOX, CS_CARD_OPEN | CS_CAN_RESPOND, CS_ACT_DECISION | CS_ACT_FOOTER, N_("answer in words")) \
	A(happened, "happened", "h", CS_INBOX, CS_CARD_OPEN | CS_CAN_RESOLVE, CS_ACT_DECISION | CS_ACT_FOOTER, N_("it did happen: go on with it as done")) \
	A(did_not, "did-not", "d", CS_INBOX, CS_CARD_OPEN | CS_CAN_RESOLVE, CS_ACT_DECISION | CS_ACT_FOOTER, N_("it did not happen: the step fails")) \
	A(repeat_effect, "repeat-effect", "x", CS_INBOX, CS_CARD_OPEN | CS_CAN_RESOLVE, CS_ACT_DECISION | CS_ACT_FOOTER, N_("send it again, with a typed word")) \
	A(dismiss, "dismiss", "d", CS_INBOX, CS_CARD_OPEN | CS_CAN_DISMISS, CS_ACT_DECISION | CS_ACT_FOOTER, N_("seen and done: a notice goes, a faulted run stays as it is")) \
	A(correct_retry, "correct-retry", "k K", CS_RUNS | CS_TRACE, CS_CAN_ROW | CS_CAN_CORRECT, CS_ACT_FOOTER, N_("correct what the run has not used yet, in your editor, then retry or go on; unchanged: only that")) \
	A(retry, "retry", "k", CS_INBOX | CS_RUNS | CS_TRACE, CS_CAN_ROW | CS_CAN_FAULT, CS_ACT_DECISION | CS_ACT_FOOTER, N_("retry the faulted run, when asked y: only what is not done")) \
	A(correct, "correct", "K", CS_INBOX, CS_CAN_ROW | CS_CAN_CORRECT, CS_ACT_FOOTER, N_("correct what the run has not used yet, in your editor, and go on")) \
	A(snooze, "snooze", "s", CS_INBOX, CS_CARD_OPEN | CS_CAN_SNOOZE, CS_ACT_FOOTER, N_("put it off: it comes back by itself")) \
	A(undo, "undo", "u", CS_INBOX, CS_CAN_UNDO, CS_ACT_FOOTER, N_("take the last decision back, while it counts down")) \
	A(pause, "pause", "p", CS_RUNS | CS_TRACE, CS_CAN_RUN | CS_CAN_PAUSE, CS_ACT_FOOTER, N_("pause the run")) \
	A(resume, "resume", "P", CS_RUNS | CS_TRACE, CS_CAN_RUN | CS_CAN_RESUME, CS_ACT_DECISION | CS_ACT_FOOTER, N_("let the paused run go on")) \
	A(cancel, "cancel", "c", CS_RUNS | CS_TRACE, CS_CAN_RUN | CS_CAN_CANCEL, CS_ACT_FOOTER, N_("cancel the run, with a typed word")) \
	A(next_error, "next-error", "e", CS_TRACE, CS_CAN_ERROR, CS_ACT_FOOTER | CS_ACT_REPEAT, N_("go to the next step that failed")) \
	A(outside, "outside-only", "o", CS_TRACE, CS_CAN_RUN, CS_ACT_FOOTER, N_("show the outside effects only, or everything")) \
	A(why, "why", "w", CS_TRACE, CS_CAN_EVENT, CS_ACT_FOOTER, N_("the chain of causes that led here")) \
	A(fork, "fork", "f", CS_TRACE, CS_CAN_FORK, CS_ACT_FOOTER, N_("replay from this step with changes; nothing is sent")) \
	A(start, "start", "s", CS_REPLAY, CS_CAN_SETUP, CS_ACT_FOOTER, N_("start the replay: a shadow run, nothing is sent")) \
	A(set_value, "set", "i", CS_REPLAY, CS_CAN_SETUP, CS_ACT_FOOTER, N_("change a value of the input: PATH=VALUE")) \
	A(edit_sets, "edit-all", "e", CS_REPLAY, CS_CAN_SETUP, CS_ACT_FOOTER, N_("write all changes in your editor")) \
	A(drop_set, "drop", "x", CS_REPLAY, CS_CAN_SETUP, CS_ACT_FOOTER, N_("drop the last change")) \
	A(divergence, "first-difference", "d", CS_REPLAY, CS_CAN_COMPARE, CS_ACT_FOOTER, N_("go to the first step that differs")) \
	A(lineage, "lineage", "l", CS_REPLAY | CS_TRACE | CS_RUNS, CS_CAN_RUN, 0, N_("the runs this one came from, and those that came from it")) \
	A(next_item, "next", "J", CS_INBOX, 0, CS_ACT_FOOTER | CS_ACT_REPEAT, N_("the next item that waits")) \
	A(mark, "mark", "Space", CS_INBOX, CS_CAN_ROW | CS_CAN_MARK, CS_ACT_FOOTER | CS_ACT_REPEAT, N_("mark the item, to approve several at once")) \
	A(trace, "trace", "t", CS_INBOX | CS_RUNS | CS_REPLAY, CS_CAN_RUN, CS_ACT_FOOTER, N_("everything that happened in its run")) \
	A(runbook, "runbook", "R", CS_INBOX, CS_CAN_ROW | CS_CAN_RUNBOOK, CS_ACT_FOOTER, N_("what to do, step by step, as somebody wrote it down")) \
	A(raw, "raw", "v", CS_INBOX, CS_CAN_ROW, 0, N_("the item as JSON, or as a card")) \
	A(fresh, "take-new", "g", CS_IN_ALL, CS_CAN_FRESH, CS_ACT_FOOTER, N_("take in new rows, let go of decided ones; else to the top")) \
	A(open, "open", "Enter", CS_IN_ALL, 0, CS_ACT_FOOTER, N_("open what is selected")) \
	A(pane, "other-pane", "Tab", CS_IN_ALL, 0, 0, N_("move between the list and what is beside it")) \
	A(search, "search", "/", CS_IN_ALL, 0, CS_ACT_FOOTER, N_("search with a regular expression")) \
	A(search_next, "search-next", "n", CS_IN_ALL, CS_CAN_SEARCH, CS_ACT_REPEAT, N_("the next match")) \
	A(search_prev, "search-previous", "N", CS_IN_ALL, CS_CAN_SEARCH, CS_ACT_REPEAT, N_("the match before")) \
	A(filter, "filter", "&", CS_IN_ALL, 0, 0, N_("show only rows like status:waiting flow:news* cost>0.10")) \
	A(copy, "copy", "y", CS_IN_ALL, CS_CAN_ROW, 0, N_("copy the id, the JSON, or the command line")) \
	A(reattach, "reattach", "E", CS_IN_ALL, CS_CAN_GONE, CS_ACT_FOOTER, N_("find an engine again, or start one here")) \
	A(again, "repeat", ".", CS_IN_ALL, CS_CAN_REPEAT, 0, N_("do the last action again (never a decision)")) \
	A(inbox, "inbox", "1", CS_IN_ALL, 0, 0, N_("what waits for you")) \
	A(runs, "runs", "2", CS_IN_ALL, 0, 0, N_("all runs, the newest first")) \
	A(to_trace, "last-trace", "3", CS_IN_ALL, 0, 0, N_("the trace you looked at last")) \
	A(replay, "replays", "4", CS_IN_ALL, 0, 0, N_("replay a run with changes, compare two")) \
	A(palette, "all-keys", "? : C-p", CS_IN_ALL, 0, 0, N_("every action, by name")) \
	A(back, "back", "Esc q", CS_IN_ALL, 0, CS_ACT_FOOTER, N_("back to where you came from")) \
	A(redraw, "redraw", "C-l", CS_IN_ALL, 0, 0, N_("paint the screen anew")) \
	A(stop, "stop", "C-z", CS_IN_ALL, 0, 0, N_("to the shell; fg comes back")) \
	A(quit, "quit", "Q", CS_IN_ALL, 0, 0, N_("leave the console"))

typedef enum cs_action_id {
#define A(ident, name, keys, views, needs, flags, help) CS_ACT_##ident,
	CS_ACTIONS(A)
#undef A
	CS_ACT_COUNT
} cs_action_id;

typedef struct cs_action {
	const char *name, *keys;
	unsigned views, needs, flags;
	void (*run)(cs_shell *sh);
	const char *help;
} cs_action;

extern const cs_action cs_actions[CS_ACT_COUNT];

#define A(ident, name, keys, views, needs, flags, help) void cs_act_##ident(cs_shell *sh);
CS_ACTIONS(A)
#undef A

/* The action of KEY in a view that can CAN: the first that can run, else the first there is; -1: none. */
int cs_action_find(cs_key key, int view, unsigned can);
/* Why the action cannot run, translated, with the next step; NULL: it can. */
const char *cs_action_why_not(cs_action_id id, int view, unsigned can);
/* The first key of an action as it is written; borrowed into OUT. */
const char *cs_action_key(cs_action_id id, char out[16]);
/* Runs it, or says why not. FROM_PALETTE: a decision then asks for its name as a typed word. */
void cs_action_run(cs_shell *sh, cs_action_id id, bool from_palette);

#endif
