/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run as a state machine over its flow: state + event -> state (fold), and state -> events +
 * effects (step). Pure: time, ids, policy and the log come in through cs_step; no clock, no
 * randomness, no I/O here. All change of state goes through cs_run_fold, live and at recovery,
 * so what a restart rebuilds is what was there. */
#ifndef CS_CORE_RUN_H
#define CS_CORE_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/id.h"
#include "core/effect.h"
#include "core/machine.h"
#include "flow/flow.h"
#include "flow/function.h"
#include "flow/outlet.h"
#include "store/store.h"

/* ---- state --------------------------------------------------------------------------------- */

/* Which expression of a task is being evaluated: the same text may stand in two places. */
typedef enum cs_phase {
	CS_PHASE_IF, CS_PHASE_INPUT, CS_PHASE_BODY, CS_PHASE_CASE, CS_PHASE_IN, CS_PHASE_WHILE,
	CS_PHASE_CATCH, CS_PHASE_CARD, CS_PHASE_REACH, CS_PHASE_REQUEST, CS_PHASE_FAILS, CS_PHASE_RESULT,
	CS_PHASE_OUTPUT, CS_PHASE_EXPORT, CS_PHASE_TITLE, CS_PHASE_TIMEOUT, CS_PHASE_AUTHENTICATION,
	CS_PHASE_EVENT, CS_PHASE_DATA, CS_PHASE_EXPECT, CS_PHASE_UNTIL, CS_PHASE_ITEM, CS_PHASE_CONTEXT, CS_PHASE_REVERSE,
	CS_PHASE_ONCE, CS_PHASE_PROBE, CS_PHASE_FOUND,
} cs_phase;

/* The answer of a jq expression, kept until the task that asked is over. */
typedef struct cs_answer {
	const cs_expr *expr;
	cs_phase phase;
	json_t *value;               /* NULL: asked for, or failed */
	char *failure;               /* why it failed; NULL: did not */
	bool unasked;                /* it failed because there was nobody to ask, whatever the values */
} cs_answer;

typedef enum cs_call_phase {
	CS_CALL_PLANNED,             /* arguments evaluated and valid; the gate is next */
	CS_CALL_ASKING,              /* an item waits for the operator, or its grace runs */
	CS_CALL_INTENT,              /* committed; the performer has it, or soon will */
	CS_CALL_RETRY_WAIT,
	CS_CALL_IN_DOUBT,
	CS_CALL_PROBING,             /* another call asks whether it happened: that is the frame's, with this one as its `outer` */
	CS_CALL_DONE,                /* there is a result; result, schema, output and export are next */
	CS_CALL_FAILED,              /* there is an error; it is next raised into the flow */
} cs_call_phase;

/* Where a call leads whose item was not accepted: not to its error or outcome, but elsewhere. */
typedef enum cs_way { CS_WAY_NONE, CS_WAY_BACK, CS_WAY_CONTINUE, CS_WAY_END } cs_way;

/* One attempt at an effect, or one decision, of a call task. */
typedef struct cs_call {
	cs_call_phase phase;
	const cs_function *fn;       /* borrowed from the bundle or the workspace; looked up anew when NULL */
	json_t *args;                /* evaluated `with`, validated */
	bool args_tainted;
	json_t *tainted_args;        /* array of the argument names that are tainted */
	cs_effect_class effect;      /* the function's, or for `call: http` the task's */
	char digest[CS_HEX_SIZE];    /* connector, operation, target, validated input */
	char key[CS_HEX_SIZE];
	char once[CS_HEX_SIZE];      /* its business key, in whatever run; "" none, or not looked at yet */
	unsigned once_n;             /* which attempt it is under that, of all runs, from 1 */
	json_t *once_value;          /* what the key was made of */
	bool awaits;                 /* another attempt under it is not over */
	unsigned logical;            /* logical attempt, from 1 */
	unsigned tries;              /* technical attempts begun under this key */
	bool ambiguous;              /* one of them ended so: a keyed one then ends in doubt */
	int64_t first_intent_at;     /* when this key was first sent */
	int64_t due;                 /* of the retry; of a probe: not before */
	int64_t deadline;            /* of the intent; of a probe that is held back */
	json_t *request;             /* rendered; NULL until then */
	json_t *policy;              /* evaluated, where the credential is made only as it is sent; in memory only; NULL */
	char *credential;            /* what stands after `Authorization:`; in memory only; NULL: none, or not made yet */
	char item[CS_ID_SIZE];       /* the inbox item; "" none */
	char next_item[CS_ID_SIZE];  /* an edit gave this id to the proposal that follows; "" none */
	char previous[CS_ID_SIZE];   /* the item that was edited */
	char *editor;                /* who edited it */
	char approval[CS_ID_SIZE];   /* the approved item that this intent consumes or consumed */
	json_t *result, *error;
	bool result_tainted;
	cs_way turn;                /* result is then what was decided */
	int64_t intent_seq;
	bool dispatched;             /* handed to a performer in this process */
	bool simulated;              /* this attempt is answered in place of the outside, also in a live run */
	unsigned spared;             /* of the tries, those that were held back before their first byte: not spent */
	const char *held;            /* what kept it from leaving when it last could have: a word of cs_step.open; in memory only */
	char *name;                  /* a reversal's: what is called; NULL: what the task calls */
	char reverses[CS_HEX_SIZE];  /* a reversal's: key of the attempt that it takes back; "" else */
	bool registered;             /* its own reversal is */
	bool cleared;                /* copied.h: begun by the operator, who knew of the other copy */
	bool probed;                 /* RESULT is what its probe found, not a reply */
	struct cs_call *outer;       /* a probe's: the attempt that it asks about; owned; NULL else */
} cs_call;

typedef enum cs_reversal_state {
	CS_REVERSAL_REGISTERED, CS_REVERSAL_OPEN, CS_REVERSAL_REVERSED, CS_REVERSAL_STUCK, CS_REVERSAL_WAIVED,
} cs_reversal_state;

/* What takes an attempt back that is done. */
typedef struct cs_reversal {
	cs_reversal_state state;
	char key[CS_HEX_SIZE];       /* of that attempt */
	char once[CS_HEX_SIZE];      /* its business key; "" none */
	char run[CS_ID_SIZE];        /* the awaited run that did it, which takes it back; "" this one */
	char *name;                  /* RUN: of the task there */
	int task, occurrence;        /* RUN: the task here that started it, or the one that started that */
	json_t *input, *result;      /* of that attempt */
	bool tainted;                /* either of them is */
	unsigned tries;              /* times begun */
	int64_t seq;                 /* when it was registered: the latest is taken back first */
	json_t *error;               /* STUCK */
} cs_reversal;

/* A run that was not over when OF, that awaited it and that this one awaited, had ended. */
typedef struct cs_below {
	char run[CS_ID_SIZE], of[CS_ID_SIZE];
	int task, occurrence;        /* of the task here that led to it */
} cs_below;

/* An inbox item of a run, as the approval machine holds it. */
typedef struct cs_item {
	char id[CS_ID_SIZE];
	const char *kind;            /* "approval" "in-doubt" "fault" "notice"; one of a const table */
	const char *state;           /* cs_machine_approval's words; "open" "closed" for the others */
	int task;                    /* the call it belongs to; -1: the run */
	char digest[CS_HEX_SIZE];
	json_t *published;           /* the data of the event that published it */
	json_t *decision;            /* the data of the event that decided it; NULL: none */
	const char *decided_by;      /* borrowed from decision's "by" */
	int64_t grace_until, expires;
	int64_t snoozed_until;       /* 0: not put off */
	unsigned level, reminded;    /* escalations and reminders that have been */
	int64_t published_seq, decided_seq;
} cs_item;

/* What a listen task has received, taken, and made of it. */
typedef struct cs_hearing {
	json_t *inbox;               /* {event, tainted}, oldest first: received, not looked at yet */
	json_t *items;               /* outputs of what was consumed and is done with, in order */
	json_t *keys;                /* correlation keys that the first event settled */
	bool *met, *until_met;       /* by filter: has had its event */
	int n_met, n_until_met;
	size_t received;             /* events ever put in the inbox */
	size_t checked;              /* items when `until` was last found false */
	bool tainted;                /* one of the items is */
	bool handling;               /* one was consumed and its foreach is not over */
	json_t *current;             /* that one, as it stood in the inbox */
	int current_filter;          /* the filter that it was the first for; -1: none */
	bool over;                   /* foreach left by `then` */
} cs_hearing;

/* A live composite, a lane of a fork, or a call in progress. Sequences hold where they are. */
typedef struct cs_frame {
	const cs_task *task;         /* NULL: the root sequence */
	bool lane;                   /* one branch of the fork that is task's parent: holds only that branch */
	int occurrence;
	struct cs_frame *parent;
	struct cs_frame **kids;      /* FORK: its lanes, by branch; NULL otherwise */
	struct cs_frame *child;      /* the live composite or call that this sequence waits for */
	int64_t started_at, started_seq;
	int64_t deadline;            /* of its timeout; 0: none */
	int64_t due;                 /* WAIT: when it is over */
	char timer[CS_ID_SIZE];      /* WAIT */
	json_t *raw, *input;         /* raw and transformed input of the composite */
	bool input_tainted;
	json_t *vars;                /* seen by what is inside: item, index, error; NULL: none */
	bool vars_tainted;
	json_t *done;                /* task name -> latest transformed output, in this scope */
	json_t *tainted;             /* task name -> true, of those whose output is tainted; NULL: none */
	json_t *last;                /* the output that the next child takes as its raw input */
	bool last_tainted;
	int next;                    /* child to begin; -1: at the end */
	bool handler;                /* TRY: in catch.do */
	bool applied;                /* EXTENSION: its `before` was entered, so its `after` is too */
	bool exited;                 /* BEFORE: left by `then: exit`: its output stands for the extended task's */
	bool returns;                /* EXTENSION: it leads back, by an answer */
	int leads;                   /* EXTENSION: where the task inside leads when all of this is over */
	unsigned retries;            /* TRY: how often the body was begun again */
	int64_t retry_due, retry_since;  /* TRY: 0: not waiting */
	json_t *items;               /* FOR */
	size_t iteration;            /* FOR: 0-based; valid while in an iteration */
	bool iterating;
	int winner;                  /* FORK compete: branch index, -1 none yet */
	bool stopped;                /* to be cancelled: begins nothing more; found out again after a restart */
	json_t *fault;               /* the error that the child just raised here */
	char *fault_ref;
	cs_call *call;               /* CALL */
	cs_hearing *hearing;         /* LISTEN */
	json_t *rounds;              /* task name -> how often an answer led back from it; NULL: never */
	json_t *came;                /* task name -> [raw input, tainted] of those that an answer may go back to */
	char sub_id[CS_ID_SIZE];     /* RUN: the run that it started */
	json_t *sub_end;             /* RUN: how that ended: {run, state, output|error, tainted}; NULL: it has not */
	char sub_again[CS_ID_SIZE];  /* the run of the task that faulted here: the operator's retry takes it up; "" none */
	json_t *emitted;             /* the event of an emit that stands here and is not over; NULL: none */
	cs_answer *answers; size_t n_answers;
	uint64_t generation;         /* counts up when answers are dropped: late ones are told apart */
	unsigned asked;              /* jq evaluations under way */
} cs_frame;

typedef enum cs_run_state {
	CS_RUN_CREATED, CS_RUN_RUNNING, CS_RUN_WAITING, CS_RUN_PAUSING, CS_RUN_PAUSED,
	CS_RUN_COMPLETED, CS_RUN_FAULTED, CS_RUN_CANCELLING, CS_RUN_CANCELLED,
	CS_RUN_COMPENSATING, CS_RUN_COMPENSATED, CS_RUN_STUCK,
} cs_run_state;
const char *cs_run_state_name(cs_run_state s);

typedef struct cs_record cs_record;      /* core/record.h: what a replay answers from */

typedef struct cs_run {
	char id[CS_ID_SIZE];
	char origin[CS_ID_SIZE];     /* first run of the lineage: identity of keys and of $workflow.id */
	char parent[CS_ID_SIZE];     /* the run that started this one; of a replay by itself the run it replays; "" none */
	char replays[CS_ID_SIZE];    /* the run this replays; "" none */
	bool awaited;                /* a task of the parent goes on when this run has ended */
	cs_flow *flow;               /* a reference */
	cs_run_state state;
	bool simulated, shadow, ask_again;
	bool imported;               /* of another workspace, here only to be looked at and replayed */
	char *from;                  /* replay: task from which things may differ; NULL */
	json_t *patch;               /* replay: array of {path, value} for FROM's input */
	cs_record *record;           /* replay: of what it replays; owned; NULL */
	json_t *input, *start;       /* raw, transformed */
	bool input_tainted;
	json_t *context;
	json_t *corrections;         /* of tasks that are not done, in order: [{in, task, path, value}] (correct.h); NULL: none */
	json_t *assumed;             /* replay: where corrections were taken over: ["REF#N"]; NULL: nowhere */
	bool context_tainted;
	json_t *output, *error;
	int *occurrences;            /* by task id */
	cs_hearing **kept;           /* by task id: what a listen that faulted had heard, for when it is begun again; NULL: none at all */
	cs_frame *root;
	cs_frame **live;             /* by task id: the live frame of that task, or NULL; lanes apart */
	int64_t created_at, started_at;
	int64_t deadline;            /* of the flow's timeout; 0: none */
	int64_t clock;               /* a replay: when the first run of its lineage started; 0: now */
	int64_t last_seq;            /* the latest event of this run: the cause of what follows by itself */
	bool ending;                 /* `then: end` was met */
	bool cut_short;              /* this step: a task was faulted in the middle of it (its value fits no event) */
	cs_item **items; size_t n_items;     /* those that are not over */
	cs_reversal *reversals; size_t n_reversals;     /* by seq: also those of the runs that it awaited, once they ended */
	cs_below *below; size_t n_below;     /* ended, and joined to the reversals, before anything is taken back */
	char only[CS_HEX_SIZE];      /* compensating: that one alone; "" all */
	int within;                  /* compensating: what the runs of that task did, alone; -1 all */
	char led_by[CS_ID_SIZE];     /* compensating, stuck: the run whose list this is done for; "" its own */
	json_t *descriptor;          /* $workflow, built once */
	json_t *stand_ins;           /* secret -> its stand-in, built once for stand_ins_of; NULL: not yet, or none is named */
	const cs_flow *stand_ins_of; /* borrowed, only compared */
	char *subject;               /* whose record it is; NULL: nobody's */
	int64_t created_seq;
	int64_t copied_seq;          /* copied.h: when this workspace became a copy of another; 0: it is none */
	bool doubtful;               /* copied.h: the other may have gone on with it */
	json_t *chain;               /* flows whose events led to this run: {"NAMESPACE/NAME": true}; NULL: none */
	json_t *fixtures;            /* function -> [how often each of its fixture's answers was used]; NULL: none was */
	size_t folded;               /* events folded into this one, since it was made or loaded (snapshot.h) */
	cs_exprset *exprs;     /* of a starter's probe: the set of what it evaluates; NULL: the flow's */
	void *owner;                 /* the engine's own, opaque here */
} cs_run;

/* FLOW is referenced. */
cs_run *cs_run_new(const char *id, const cs_flow *flow);
void cs_run_free(cs_run *r);

/* Applies one event of this run. Events of the log are trusted to be ours (verify checks them);
 * one that does not fit is CS_EINTERNAL, never undefined behaviour. */
int cs_run_fold(cs_run *r, const cs_event *ev, cs_err *err);

/* ---- a step ---------------------------------------------------------------------------------- */

/* What policy says of an effect that is about to be planned. */
typedef enum cs_verdict_kind { CS_VERDICT_ALLOW, CS_VERDICT_ASK, CS_VERDICT_DENY } cs_verdict_kind;
typedef struct cs_verdict {
	cs_verdict_kind kind;
	char rule[128];              /* "policy checkpoints/contracts", "default/unsafe" */
	char why[256];
	char hash[CS_HEX_SIZE];      /* of the rule; "" for a default */
	bool confirm_word;           /* the approval wants a typed word */
	const json_t *ask;           /* how the rule wants it asked (flow/ask.h); borrowed, NULL: as ever */
} cs_verdict;

#define CS_FIXTURE_ANSWERS 1000          /* of one fixture, whose uses are counted */

/* What a step wants done once its events are committed. All JSON is owned by the receiver. */
typedef enum cs_todo_kind { CS_TODO_DISPATCH, CS_TODO_JQ } cs_todo_kind;
typedef struct cs_todo {
	cs_todo_kind kind;
	cs_run *run;
	int task;                    /* task id; for JQ -1 is the root sequence */
	bool lane;                   /* JQ: the frame is the lane of that branch */
	const cs_expr *expr;         /* JQ */
	cs_phase phase;
	uint64_t generation;
	json_t *dot, *vars;
} cs_todo;

/* A run that a task starts. Everything is borrowed. */
typedef struct cs_sub_order {
	char id[CS_ID_SIZE], definition[CS_HEX_SIZE];
	const cs_task *task;
	int occurrence;
	json_t *input;
	bool tainted;
	const char *replays;         /* "" nothing */
} cs_sub_order;

typedef struct cs_sub_state {
	cs_run_state state;
	bool can_retry;              /* faulted, and its retry is no refusal */
} cs_sub_state;

/* How the effect of a business key stands: the latest attempt under it, in whatever run. */
typedef enum cs_once_state { CS_ONCE_FREE, CS_ONCE_OPEN, CS_ONCE_DOUBT, CS_ONCE_DONE } cs_once_state;
typedef struct cs_once {
	cs_once_state state;
	bool known;                  /* there was an attempt: the members below are of it */
	char run[CS_ID_SIZE], attempt[CS_HEX_SIZE], digest[CS_HEX_SIZE];
	char *task;                  /* owned */
	unsigned n;                  /* attempts so far */
	int64_t seq;                 /* of its end */
	json_t *result;              /* DONE; owned */
	bool tainted, probed;        /* PROBED: it is what a probe found, not a reply */
} cs_once;
void cs_once_fini(cs_once *o);

/* The surroundings of a step: what comes in, and where what goes out is put. */
typedef struct cs_step {
	int64_t now;                 /* wall ms, as recorded */
	int64_t cause;               /* seq that led here; 0: the run's own latest event */
	const char *actor;           /* of the events written; "engine" when NULL */
	void *ctx;
	/* Appends to the open commit group and sets seq. Negative: the group is lost, stop. */
	int (*append)(void *ctx, cs_event *ev, cs_err *err);
	void (*new_id)(void *ctx, char out[CS_ID_SIZE]);
	const cs_function *(*function)(void *ctx, const cs_run *r, const char *name);
	/* FN's verdict by today's rules; args_tainted is the array of tainted argument names. */
	int (*verdict)(void *ctx, const cs_run *r, const cs_task *t, const cs_call *c, cs_verdict *ret, cs_err *err);
	/* May C, a call of FN, leave now? Fills the word of what holds it: "hold", "off" (its connector), "breaker", "limit". */
	bool (*open)(void *ctx, const cs_run *r, const cs_function *fn, const cs_call *c, const char **ret_word);
	/* The intent of C, a call of FN that is really sent, was written. NULL: nobody counts them. */
	void (*sent)(void *ctx, const cs_function *fn, const cs_call *c);
	/* The mode of FN's connector: the more careful of what its file and a command say. NULL: the file's. */
	cs_mode (*mode)(void *ctx, const cs_function *fn);
	/* Is there a secret NAME (or NAME.MEMBER) in the vault? CS_ENOTFOUND: no. *ret_locked: the vault cannot be
	 * read now, and the operator is asked to open it. NULL: nothing is known of a vault. */
	int (*secret)(void *ctx, const char *name, bool *ret_locked, cs_err *err);
	/* Answer of a fixture for this function and input, for a captured effect; NULL: none. */
	json_t *(*fixture)(void *ctx, const cs_run *r, const cs_function *fn, json_t *args);
	void (*key)(void *ctx, const char *text, char out[CS_HEX_SIZE]);   /* HMAC with the workspace key */
	/* How the effect of the business key KEY stands for R, which is told (by a step) when that changes unless it is
	 * done or free; *RET is zeroed. NULL: every one is free. */
	int (*once)(void *ctx, cs_run *r, const char *key, cs_once *ret, cs_err *err);
	void (*todo)(void *ctx, const cs_todo *t);                        /* takes over the JSON */
	/* Is EVENT, by its source and id, not in the log yet? From then on it is. FROM NULL: it came
	 * from outside. NULL: it always is. */
	int (*fresh)(void *ctx, const cs_run *from, const json_t *event, bool *ret, cs_err *err);
	/* Offers EVENT, just written under seq CAUSE, to every live run that listens, in this group. NULL: to none. */
	int (*offer)(void *ctx, const cs_run *from, json_t *event, bool tainted, int64_t cause, cs_err *err);
	/* The lifecycle events (life.h) that somebody asks for, 1 << kind; and where one goes that an entry of FROM,
	 * under seq CAUSE, is. TELL is not called while LIFE is 0. */
	unsigned life;
	int (*tell)(void *ctx, const cs_run *from, int kind, json_t *event, bool tainted, int64_t cause, cs_err *err);
	/* Is what R did taken back when it faults or is cancelled? NULL: it is kept. */
	bool (*compensates)(void *ctx, const cs_run *r);
	/* The moment that `until` waits for, WITH its arguments. CS_EINVAL says what is wrong with them. */
	int (*moment)(void *ctx, const json_t *with, int64_t now, int64_t *ret, cs_err *why);
	/* The definition that R pinned of what T runs with INPUT; NULL: no runs are started here. WHY says why not. */
	int (*sub_find)(void *ctx, const cs_run *r, const cs_task *t, const json_t *input, char ret_hash[CS_HEX_SIZE], cs_err *why);
	/* Begins the run O in this group, as far as it goes at once. */
	int (*sub_begin)(void *ctx, cs_run *r, const cs_sub_order *o, cs_err *err);
	/* pause resume cancel retry of the run ID; what it cannot do now it leaves. */
	int (*sub_control)(void *ctx, cs_run *r, const char *id, const char *verb, cs_err *err);
	/* How ID stands; *ret_end stays NULL while it is not over, else the data of child.ended. */
	int (*sub_look)(void *ctx, const char *id, cs_sub_state *ret, json_t **ret_end, cs_err *err);
	/* Has the run ID, which R awaited, take back what it did under KEY, or leave it (WHY: the operator's reason); the
	 * end comes by cs_run_reversal_ended, unless *ret_done: it is taken back or left already. WHY_NOT says why not. */
	int (*sub_reverse)(void *ctx, cs_run *r, const char *id, const char *key, const char *why, bool *ret_done, cs_err *why_not);
	/* R, which is led, has taken KEY back, or come to ERROR (borrowed). */
	int (*sub_reversed)(void *ctx, cs_run *r, const char *key, json_t *error, cs_err *err);
	int64_t grace_ms, expire_ms;
	const json_t *approvals;     /* `approvals` of capstan.yaml: {remind, escalate}; borrowed, NULL */
	int64_t epoch;
	const char *token;           /* of this incarnation of the workspace; NULL: it is the first */
	const char *workspace_mode;
	/* May R, which is created, start now? NULL: always. */
	bool (*may_start)(void *ctx, const cs_run *r);
} cs_step;

/* Moves the run on as far as this group may: no task begins whose predecessor is not yet
 * committed. *ret_more: there is something to begin once this group is committed. */
int cs_run_step(cs_run *r, cs_step *s, bool *ret_more, cs_err *err);
/* Earliest wall ms later than AFTER at which cs_run_step has something to do by itself; 0: none. */
int64_t cs_run_due(const cs_run *r, int64_t after);

/* Outcome of a dispatched attempt (taken over), or crash: OUTCOME NULL for an intent found at start. */
int cs_run_outcome(cs_run *r, cs_step *s, int task, cs_outcome *outcome, cs_err *err);
#define CS_CLOUDEVENT_MAX (1 << 20)      /* bytes of an event's JSON, emitted by a task or from outside */

/* Answer of a jq expression; VALUE NULL with FAILURE. UNASKED: nobody could be asked; looking gives
 * CS_EUNAVAIL then, else CS_EINVAL. Late answers are dropped. */
void cs_run_answer(cs_run *r, const cs_todo *asked, json_t *value, const char *failure, bool unasked);

/* Writes event.received for each task of R that listens for what EVENT may be; conditions are looked
 * at in R's own steps. *ret_taken: there was one. */
int cs_run_offer(cs_run *r, cs_step *s, json_t *event, bool tainted, bool *ret_taken, cs_err *err);
/* The same of a lifecycle event (life.h): only for those tasks that name its type, each as long as fewer than
 * ROOM events wait in its inbox. */
int cs_run_offer_life(cs_run *r, cs_step *s, json_t *event, bool tainted, size_t room, bool *ret_taken, cs_err *err);

/* The run ID, which a task of R awaits, has ended so (data of child.ended, taken over). Nothing is
 * written where none does. */
int cs_run_sub_ended(cs_run *r, cs_step *s, const char *id, json_t *end, cs_err *err);
/* Takes in what ended while R could not hear of it. */
int cs_run_subs_look(cs_run *r, cs_step *s, cs_err *err);
/* R takes back what it did under KEY for the run ROOT, or leaves it (WHY, or NULL). While R takes something back
 * already, nothing is written: ask again when that has ended. CS_EREFUSED, CS_ENOTFOUND: it cannot, and nothing was
 * written. */
int cs_run_take_back(cs_run *r, cs_step *s, const char *root, const char *key, const char *why, bool *ret_done, cs_err *err);
/* What R leads another run to take back under KEY is taken back, or has come to ERROR (borrowed). */
int cs_run_reversal_ended(cs_run *r, cs_step *s, const char *key, json_t *error, cs_err *err);
/* What child.ended says of R; NULL while it is not over. New reference. */
json_t *cs_run_end_data(const cs_run *r);

/* ---- the operator ---------------------------------------------------------------------------- */

/* CS_EREFUSED where R was imported: it is never gone on with here. */
int cs_run_own(const cs_run *r, cs_err *err);
/* May the operator do VERB to R as it stands? CS_EREFUSED says what is possible there. */
int cs_run_require(const cs_run *r, const char *verb, cs_err *err);
/* pause resume cancel retry rollback waive, by name; rollback may be of one "task", waive wants a "why". CS_EREFUSED with the reason when it cannot be. */
int cs_run_control(cs_run *r, cs_step *s, const char *verb, const json_t *args, cs_err *err);

/* The item of that id among those that are not over, or NULL. */
cs_item *cs_run_item(const cs_run *r, const char *id);
/* approve reject respond edit undo snooze delegate expire resolve …: DECISION is
 * {verb, digest, note, value, until, to, how, word, batch}. An identical answer given twice
 * succeeds; a different one is CS_EREFUSED and says who decided what. *ret_next: the new item of
 * an edit, else "". */
int cs_run_decide(cs_run *r, cs_step *s, const char *item, const json_t *decision, char ret_next[CS_ID_SIZE], cs_err *err);

/* New run: appends run.created and run.started (or the fault of an input that breaks the schema).
 * CREATED is the data of run.created, borrowed. */
int cs_run_begin(cs_run *r, cs_step *s, json_t *created, cs_err *err);
/* {NAME or NAME.MEMBER: its stand-in} of all secrets that R's flow names; borrowed, NULL: none. */
const json_t *cs_run_stand_ins(cs_run *r, cs_step *s);
/* What F, planned, needs of the vault: {name: stand-in, or null where the whole is a credential}. New
 * reference; NULL: nothing. */
json_t *cs_call_needs(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn);
/* Would a call of FN be answered in place of the outside, by its connector's mode? */
bool cs_step_dry(const cs_step *s, const cs_function *fn);
/* Nothing of this run is outside, asked for, or able to go on. */
bool cs_run_at_rest(const cs_run *r);

#endif
