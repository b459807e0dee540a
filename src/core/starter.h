/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What waits outside of any run for the events that start one: `schedule.on` of a flow, or an entry
 * of `starts`. Events offered to it go into its inbox and are looked at in order; each is taken by
 * the oldest gathering that it fits, or begins one; a gathering that is whole starts a run. All of it
 * is folded from the start.* events, live and after a restart alike.
 * Source: dsl-reference.md, "Schedule", "Event Consumption Strategy". */
#ifndef CS_CORE_STARTER_H
#define CS_CORE_STARTER_H

#include "core/run.h"
#include "flow/workspace.h"

/* How many unfinished gatherings a starter keeps; the oldest is let go for one more. */
#define CS_GATHERINGS_MAX 1000

/* One event in the inbox or in a gathering. */
typedef struct cs_heard {
	int64_t seq;                 /* of its start.received */
	json_t *event;               /* the CloudEvent */
	json_t *chain;               /* the flows that led to it; NULL: none */
	bool tainted, simulated;
} cs_heard;

typedef struct cs_gathering {
	int64_t id;                  /* seq of the first of them */
	int64_t consumed;            /* seq of the latest start.consumed: the cause of what follows */
	cs_heard *heard; size_t n_heard;
	json_t *items;               /* those that count, as read */
	json_t *keys;                /* correlation keys that the first event settled */
	bool *met, *until_met;
	int n_met, n_until_met;
	bool unseen;                 /* something was taken since it was last found unfinished */
} cs_gathering;

typedef struct cs_starter {
	char *name;                  /* "NAMESPACE/NAME/schedule@…", "NAMESPACE/NAME/starts/0@…" */
	const cs_flow *flow;         /* borrowed, with what follows, from the workspace */
	const cs_listen *listen;     /* the events, and how they are read */
	const cs_start *start;       /* NULL: it is the flow's own schedule */
	unsigned life;               /* lifecycle events that it names (life.h), 1 << kind */
	cs_listen entry;             /* of START: what `listen` points to */
	cs_run *probe;               /* no run: where expressions look from, and jq answers are kept */
	cs_heard *inbox; size_t n_inbox;
	cs_gathering **gatherings; size_t n_gatherings;
	int64_t loops_since;         /* wall ms: since then the flow was started LOOPS times by its own doing */
	unsigned loops;
	bool ready;                  /* there may be something to do */
	char *lost;                  /* why the last step could have no evaluator; NULL: it missed none */
} cs_starter;

/* EXPRS: the set that START's expressions are of. ID tells the answers of jq apart from those of runs. */
cs_starter *cs_starter_new(const char *id, const cs_flow *flow, const cs_start *start, size_t index, cs_exprset *exprs);
void cs_starter_free(cs_starter *st);                /* takes NULL */

/* What OLD, a starter of the same name, holds goes over to ST. */
void cs_starter_take_over(cs_starter *st, cs_starter *old);

/* Applies a start.* event of this starter. CS_EINTERNAL: it does not fit. */
int cs_starter_fold(cs_starter *st, const cs_event *ev, cs_err *err);

/* Writes start.received where EVENT may be what it waits for; *ret_taken: it was. CHAIN may be NULL. */
int cs_starter_offer(cs_starter *st, cs_step *s, json_t *event, json_t *chain, bool tainted, bool simulated, int64_t cause,
		     bool *ret_taken, cs_err *err);

/* A gathering that is whole, as it is to become a run; all borrowed. */
typedef struct cs_whole {
	const cs_gathering *gathering;
	json_t *input;
	json_t *once;                /* its business value; NULL: it has none */
	const char *failure;         /* an expression that failed, or gave nothing for `once`; NULL */
	bool tainted, simulated;
} cs_whole;

/* Starts the run, or does not, and ends the gathering with cs_starter_end. */
typedef int cs_starter_begin_fn(void *ctx, cs_starter *st, const cs_whole *g, cs_err *err);
/* Looks at what there is, in order, until nothing is left, jq was asked, or no evaluator can be had (CS_OK all).
 * In the last case st->lost says why, and what needs it stays where it is until there is something to do again. */
int cs_starter_step(cs_starter *st, cs_step *s, cs_starter_begin_fn *begin, void *ctx, cs_err *err);
/* Writes start.ended for gathering ID: HOW is started, known, refused, failed or dropped; MORE (taken over;
 * may be NULL) has `run`, `once`, `why`. */
int cs_starter_end(cs_starter *st, cs_step *s, int64_t id, const char *how, json_t *more, cs_err *err);
/* The flows that led to what is gathered: {"NAMESPACE/NAME": true}. New reference. */
json_t *cs_gathering_chain(const cs_gathering *g);

#endif
