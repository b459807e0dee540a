/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A view is one vtable over a state of its own; the shell does the rest. */
#ifndef CS_TUI_VIEW_H
#define CS_TUI_VIEW_H

#include <stdbool.h>
#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"
#include "tui/list.h"
#include "tui/pager.h"
#include "tui/term.h"

typedef struct cs_shell cs_shell;
typedef struct cs_view cs_view;

enum { CS_VIEW_INBOX, CS_VIEW_RUNS, CS_VIEW_TRACE, CS_VIEW_REPLAY, CS_VIEW_COUNT };
#define CS_IN(view) (1u << (view))
#define CS_IN_ALL ((1u << CS_VIEW_COUNT) - 1)

/* What holds in a view right now; an action names what it needs of these. */
enum {
	CS_CAN_ROW = 1u << 0,        /* a row is selected */
	CS_CAN_CARD = 1u << 1,       /* its card is on the screen */
	CS_CAN_OPEN = 1u << 2,       /* it is not decided yet */
	CS_CAN_ACCEPT = 1u << 3, CS_CAN_EDIT = 1u << 4, CS_CAN_RESPOND = 1u << 5, CS_CAN_REJECT = 1u << 6,
	CS_CAN_RESOLVE = 1u << 7,    /* an effect in doubt */
	CS_CAN_FAULT = 1u << 8,      /* a run that faulted */
	CS_CAN_UNDO = 1u << 9,
	CS_CAN_RUN = 1u << 10,       /* it belongs to a run */
	CS_CAN_PAUSE = 1u << 11, CS_CAN_RESUME = 1u << 12, CS_CAN_CANCEL = 1u << 13,
	CS_CAN_FORK = 1u << 14,
	CS_CAN_ERROR = 1u << 15,     /* there is an error to go to */
	CS_CAN_EVENT = 1u << 16,     /* it has a place in the log */
	CS_CAN_MARKS = 1u << 17,     /* rows are marked */
	CS_CAN_FRESH = 1u << 18,     /* new rows wait */
	CS_CAN_SEARCH = 1u << 19,    /* something was searched for */
	CS_CAN_REPEAT = 1u << 20,    /* there is an action to repeat */
	CS_CAN_SETUP = 1u << 21,     /* a replay is being prepared */
	CS_CAN_COMPARE = 1u << 22,   /* two runs are side by side */
	CS_CAN_MARK = 1u << 23,      /* the row may be decided with others */
	CS_CAN_SNOOZE = 1u << 24,    /* it may be put off */
	CS_CAN_DISMISS = 1u << 25,   /* it only has to be seen */
	CS_CAN_RUNBOOK = 1u << 26,   /* somebody wrote down what to do */
	CS_CAN_CORRECT = 1u << 28,   /* a run that rests: what it has not used yet can be changed */
	CS_CAN_GONE = 1u << 27,      /* there is no engine any more */
};

typedef struct cs_view_ops {
	const char *name;            /* N_(): the tab */
	char digit;
	int panes;                   /* how many Tab walks through */
	cs_view *(*create)(cs_shell *sh);
	void (*free)(cs_view *v);
	/* Reads again: when first shown, and when the log has grown while it is shown. */
	int (*load)(cs_view *v, cs_err *err);
	void (*draw)(cs_view *v, cs_rect r);
	bool (*key)(cs_view *v, cs_key key);            /* keys of no action: arrows, pages */
	bool (*open)(cs_view *v);                       /* Enter; true: something happened */
	bool (*back)(cs_view *v);                       /* Esc: a step back inside; false: there is none */
	unsigned (*can)(const cs_view *v);
	/* What a decision here would be about, as it is on the screen: changes when that changes,
	 * empty when nothing is shown that can be decided. */
	void (*subject)(const cs_view *v, cs_buf *out);
	void (*pane)(cs_view *v, cs_list **ret_list, cs_pager **ret_pager);   /* what has the focus */
	char *(*place)(const cs_view *v);               /* where it stands, malloc'ed; for going back */
	void (*go)(cs_view *v, const char *place);
	json_t *(*object)(const cs_view *v);            /* the selected thing, borrowed; NULL: none */
	const char *(*object_id)(const cs_view *v);     /* its id; NULL: none */
	void (*note)(const cs_view *v, cs_buf *out);    /* what stands at the right of the notice line */
} cs_view_ops;

struct cs_view {
	const cs_view_ops *ops;
	cs_shell *sh;
	int focus;                   /* pane */
	int columns;                 /* panes on the screen at the last draw */
	bool loaded;
};

extern const cs_view_ops cs_inbox_ops, cs_runs_ops, cs_trace_ops, cs_replay_ops;

#endif
