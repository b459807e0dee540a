/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside core: frames, evaluation, and writing an event of a run. */
#ifndef CS_CORE_FRAME_H
#define CS_CORE_FRAME_H

#include "core/run.h"

/* ---- frames ---- */
cs_frame *cs_frame_new(const cs_task *task, cs_frame *parent);
void cs_frame_free(cs_frame *f);                     /* and all below; takes NULL */
/* The sequence in which TASK stands, if it is live: root, a composite, or the lane of a fork. */
cs_frame *cs_frame_of_parent(const cs_run *r, const cs_task *task);
/* The composite around F that is a task: F itself unless it is a lane (then the fork). */
cs_frame *cs_frame_task(cs_frame *f);
/* SEQ, or where it is an extension's the sequence in which the task that it is about stands. */
cs_frame *cs_frame_siblings(cs_frame *seq);
void cs_frame_forget(cs_frame *f);                   /* drops jq answers; late ones will not fit */
int cs_frame_first(const cs_run *r, const cs_frame *f);   /* first child of the sequence; -1: empty */
int cs_frame_after(const cs_run *r, const cs_task *t, int then); /* what `then` leads to in T's sequence; -1: its end */
/* F's finished children become known to the scope around it, behind that scope's own. */
void cs_frame_merge_done(cs_frame *outer, const cs_frame *inner);
void cs_frame_enter_iteration(cs_run *r, cs_frame *f, size_t i);   /* FOR: sets item and index */

cs_hearing *cs_hearing_new(const cs_listen *l);
void cs_hearing_free(cs_hearing *h);                 /* takes NULL */

/* ---- events of the outside ---- */
/* May EVENT be what F wants, by what can be told without evaluation? */
bool cs_filter_may_match(const cs_event_filter *f, const json_t *event);
/* Does HAVE, an attribute of that name, equal the literal of W, or match its pattern? */
bool cs_want_met(const cs_event_want *w, const json_t *have);
/* WANT's members are in HAVE, at every depth; what is no object is equal. */
bool cs_data_within(const json_t *want, const json_t *have);
/* The standard's validation error where EVENT is no CloudEvent; NULL: it is one. */
json_t *cs_event_complaint(const json_t *event, const char *instance);
/* EVENT as `read` says. New reference. */
json_t *cs_event_read(json_t *event, cs_listen_read how);

/* ---- evaluation ---- */
typedef struct cs_view_of {                          /* from where an expression looks */
	cs_run *r;
	cs_step *s;
	cs_frame *seq;                               /* the sequence that the task stands in */
	cs_frame *memo;                              /* where jq answers are kept */
	const cs_task *task;                         /* NULL: the workflow itself */
	const cs_task *shape;                        /* whose output and export are made; NULL: task's */
	json_t *raw, *input, *output;                /* raw input, transformed input, output; may be NULL */
	json_t *raw_output;
	json_t *extra;                               /* more variables: {error: …}; may be NULL */
	cs_phase phase;
} cs_view_of;

/* CS_OK with a new reference; CS_EAGAIN: jq was asked, come again; else the expression's error. */
int cs_look(cs_view_of *v, cs_phase phase, const cs_template *t, json_t *dot, json_t **ret, cs_err *err);
/* The same for a condition: null and false are false. */
int cs_look_true(cs_view_of *v, cs_phase phase, const cs_template *t, json_t *dot, bool *ret, cs_err *err);
/* Does the value of T come from untrusted bytes, seen from V? DOT_TAINTED: of what `.` is. */
bool cs_look_tainted_expr(const cs_view_of *v, const cs_expr *e, bool dot_tainted);
bool cs_look_tainted(const cs_view_of *v, const cs_template *t, bool dot_tainted);

/* The standard's validation error where VALUE breaks SCHEMA (NULL: anything goes); NULL: it does not. */
json_t *cs_schema_complaint(const cs_schema *schema, const json_t *value, const char *what, const char *instance);

/* ---- events ---- */
/* Appends an event of R and folds it. DATA is taken over (NULL: {}). A waiting run is unblocked
 * first where the event means that it goes on. */
int cs_run_write(cs_run *r, cs_step *s, const char *type, const cs_task *task, int occurrence, json_t *data, cs_err *err);
/* As cs_run_write with an actor of its own. */
int cs_run_write_as(cs_run *r, cs_step *s, const char *actor, const char *type, const cs_task *task, int occurrence, json_t *data, cs_err *err);

/* The run ends with ERROR (borrowed) at AT, and an item says what to do NEXT. */
int cs_run_write_fault(cs_run *r, cs_step *s, json_t *error, const char *at, const char *next, cs_err *err);

/* ---- the rooms of a step ---- */
int cs_step_start(cs_run *r, cs_step *s, cs_err *err);       /* created -> running, or faulted */
int cs_step_begin(cs_run *r, cs_step *s, cs_frame *seq, const cs_task *t, cs_err *err);
int cs_step_call(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);
int cs_step_ask(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);          /* an item is there: has it come to its end? */
int cs_step_until(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);        /* the built-in: sets its timer, or ends with it */
int cs_step_builtin(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *err);
int cs_step_propose(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const cs_verdict *why, cs_err *err);
/* How the item of F asks, put into DATA, its published event: answers, dates, where it leads. RULE: what
 * the rule says of it, or NULL. CS_EINVAL: `with` holds what cannot be. */
int cs_asking_gate(cs_run *r, cs_step *s, cs_frame *f, const json_t *rule, json_t *data, cs_err *why);
int cs_asking_decision(cs_run *r, cs_step *s, cs_frame *f, bool question, json_t *data, cs_err *why);
/* Where an item leads by what was decided (accepted, rejected, answered, expired); *DECISION becomes
 * rejected where an answer has used up its rounds. */
cs_way cs_asking_turn(const json_t *published, const char **decision);
const char *cs_way_name(cs_way turn);              /* "" for none */
cs_way cs_way_find(const char *word);              /* CS_WAY_NONE for NULL or another word */
int cs_step_turn(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);    /* ends F where its call has a turn */
/* Writes the escalations and the reminder of a pending item that are due. */
int cs_step_call_out(cs_run *r, cs_step *s, cs_frame *f, const cs_item *item, cs_err *err);
int64_t cs_asking_due(const cs_item *item, int64_t after);   /* the next of them after AFTER; 0: none */
cs_view_of cs_call_view(cs_run *r, cs_step *s, cs_frame *f);
const char *cs_call_performer(const cs_function *fn);      /* "" for a built-in */
/* What a gate raises that did not open: ERROR a word of the standard, WORD what became of it,
 * DECISION {by, note}; NULL: nobody decided. */
json_t *cs_gate_error(const char *call, const char *error, const char *word, const json_t *decision, const char *ref);
bool cs_item_allows(const cs_item *item, const char *answer);
int cs_step_plan(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);
int cs_step_send(cs_run *r, cs_step *s, cs_frame *f, const char *approval, const cs_verdict *why, cs_err *err);
int cs_step_shadow(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);
int cs_step_fault(cs_run *r, cs_step *s, cs_frame *seq, cs_err *err);   /* CS_ENOTFOUND: nobody catches */
/* Ends TASK with RAW_OUTPUT: output.as, schema, export, task.completed. DATA: more members, taken over. */
int cs_step_finish(cs_view_of *v, int occurrence, json_t *raw_output, bool tainted, json_t *data, cs_err *err);
/* Ends TASK with an error object (borrowed; instance is set). */
int cs_step_raise(cs_run *r, cs_step *s, const cs_task *t, int occurrence, json_t *error, cs_err *err);
/* Turns an evaluation's failure into the standard's expression error on TASK. */
int cs_step_raise_expr(cs_run *r, cs_step *s, const cs_task *t, int occurrence, const cs_err *why, cs_err *err);
/* Cancels what is live in and below F; false: an intent is still open there. */
int cs_step_cancel(cs_run *r, cs_step *s, cs_frame *f, bool *ret_clear, cs_err *err);
/* The same for what is in F, a live task, and F's own item and timer; F itself is left to be ended. */
int cs_step_end_inside(cs_run *r, cs_step *s, cs_frame *f, bool *ret_clear, cs_err *err);
/* A listen task whose foreach, if any, is over: ends that event, looks at the next ones, ends. The
 * task may be gone when this returns. *ret_more: a foreach is to begin. */
int cs_step_listen(cs_run *r, cs_step *s, cs_frame *f, bool *ret_more, cs_err *err);
/* A task about to start a run. */
typedef struct cs_sub_start {
	cs_frame *seq;
	const cs_task *task;
	int occurrence;
	json_t *input;
	bool tainted;
} cs_sub_start;
int cs_step_sub_begin(cs_run *r, cs_step *s, const cs_sub_start *b, json_t *data, cs_err *err);   /* DATA is taken over */
int cs_step_sub(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);
/* Cancels the run that F awaits; not clear until it has ended. */
int cs_step_sub_end(cs_run *r, cs_step *s, cs_frame *f, bool *ret_clear, cs_err *err);
int cs_run_subs_control(cs_run *r, cs_step *s, const char *verb, cs_err *err);   /* of all that R awaits */
bool cs_run_sub_is_open(const cs_run *r);            /* R awaits one, anywhere */
bool cs_frame_sub_open(const cs_frame *f);           /* F awaits a run that has not ended */
int cs_items_withdraw(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);   /* F NULL: all of the run */
bool cs_frame_intent_open(const cs_frame *f);        /* in or below F */
bool cs_frame_effect_open(const cs_frame *f);        /* the same, or one is being asked about */
cs_call *cs_frame_end_probe(cs_frame *f);            /* the attempt that F's probe asked about is F's call again; returned */
/* Makes F's credential if its task has an authentication and it is not there. CS_EAGAIN: jq was asked;
 * else what is wrong stands in WHY, without the credential. */
int cs_call_credential(cs_run *r, cs_step *s, cs_frame *f, cs_err *why);
/* What F's call calls: the task's function, or that of a reversal. */
const char *cs_call_name(const cs_frame *f);
const char *cs_call_reverses(const cs_call *c);      /* the key that it, or what it asks about, takes back; "" none */
bool cs_frame_reverses(const cs_frame *f);           /* is it an attempt that takes something back? */

/* ---- probes: an attempt of its own that asks whether F's other one happened ---- */
int cs_step_probe(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);        /* as far as it goes; CS_EAGAIN: jq was asked */
int cs_probes_step(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);       /* all in and below F */
typedef enum cs_probed { CS_PROBED_FOUND, CS_PROBED_ABSENT, CS_PROBED_UNKNOWN } cs_probed;
/* What the probe says of the attempt. RESULT: what was found; WHY: why it is not known. Both borrowed, NULL. */
int cs_attempt_probed(cs_run *r, cs_step *s, cs_frame *f, cs_probed how, json_t *result, const char *why, cs_err *err);
/* Makes F's request, if its function is one that renders. CS_EAGAIN: jq was asked. */
int cs_call_render(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *why);
/* `fails`, then `result`, over the reply. *ret_failed: the reply says that it failed. */
int cs_call_read(cs_view_of *v, const cs_function *fn, json_t *reply, json_t **ret_result, bool *ret_failed, cs_err *why);

/* ---- an attempt that is to be tried again, and is not ---- */
/* F's attempt is in doubt, HOW: an item asks. */
int cs_attempt_doubt(cs_run *r, cs_step *s, cs_frame *f, const char *how, cs_err *err);
/* *ret_over: another try would come after the window of its key, though it may have happened; it is in doubt now. */
int cs_attempt_outlived(cs_run *r, cs_step *s, cs_frame *f, bool *ret_over, cs_err *err);
/* F's attempt, which was begun and kept back, is not tried again: it has failed, and nothing of it has happened. An
 * attempt that was not begun is none. */
int cs_attempt_let_go(cs_run *r, cs_step *s, cs_frame *f, const char *why, cs_err *err);
/* F is cancelled: what is open or in doubt is awaited (not clear), what is to be tried again and may have happened is
 * in doubt from now on, what has not happened has failed. */
int cs_attempt_give_up(cs_run *r, cs_step *s, cs_frame *f, bool *ret_clear, cs_err *err);
/* In and below F, what waits for another try and may have happened is in doubt. */
int cs_attempts_doubt(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);

/* ---- business keys ---- */
/* Looks how F's business key stands and takes the consequence. *ret_go: it may be sent (or has no such key);
 * else it waits, took the result of the one that did it, or is refused. CS_EAGAIN: jq was asked. */
int cs_step_once(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, bool *ret_go, cs_err *err);
/* The same without a consequence. WHY: the expression's error, where the result is none of CS_OK and CS_EAGAIN. */
int cs_once_look(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_once *ret, cs_err *why);
/* Is F's attempt, which is to be tried again, still the latest under its business key? If another run has begun
 * one while this one had ended, it has failed, and that is written. */
int cs_once_mine(cs_run *r, cs_step *s, cs_frame *f, bool *ret, cs_err *err);
/* Puts the key into DATA, an event of F's attempt, where there is one. */
void cs_once_say(const cs_call *c, json_t *data);
void cs_once_say_intent(const cs_call *c, json_t *data);   /* the same, whole */
/* Is the attempt that is answered in place of the outside one of R's? */
bool cs_call_simulates(const cs_run *r, const cs_step *s, const cs_function *fn);

/* ---- reversals ---- */
/* The result of F's call was taken in: what takes it back is known from here on, if its function declares any.
 * RESULT is borrowed. */
int cs_reversal_register(cs_run *r, cs_step *s, cs_frame *f, json_t *result, cs_err *err);
/* What F calls with: evaluated from what the attempt it takes back got and gave. CS_EAGAIN: jq was asked. */
int cs_reversal_args(cs_run *r, cs_step *s, cs_frame *f, cs_err *why);
/* F, an attempt that takes something back, is done, or has come to ERROR (borrowed). */
int cs_reversal_done(cs_run *r, cs_step *s, cs_frame *f, cs_err *err);
int cs_reversal_fail(cs_run *r, cs_step *s, cs_frame *f, json_t *error, cs_err *err);
bool cs_reversals_left(const cs_run *r);             /* is there anything to take back? */
json_t *cs_reversals_said(const cs_run *r);          /* that, as child.ended says it. New reference. */
/* ---- runs further in that are not over ---- */
json_t *cs_below_said(const cs_run *r);              /* their ids, as child.ended says them. New reference. */
bool cs_below_has(const cs_run *r, const char *run);
/* Cancels those that are meant, and takes in what each did once it has ended; not clear until all have. */
int cs_below_end(cs_run *r, cs_step *s, bool *ret_clear, cs_err *err);
/* A run that takes back: ends what is live, then one reversal after the other. */
int cs_step_compensate(cs_run *r, cs_step *s, bool *ret_more, cs_err *err);
int cs_run_rollback(cs_run *r, cs_step *s, const json_t *args, cs_err *err);
int cs_run_unstick(cs_run *r, cs_step *s, const json_t *args, bool waive, cs_err *err);
/* The fault items of R are closed: HOW says by what. */
int cs_items_close_faults(cs_run *r, cs_step *s, const char *how, cs_err *err);
/* What `$secrets` is. New reference. */
json_t *cs_run_secrets(cs_run *r, cs_step *s);
/* CS_OK: F's task may have what it needs, and it is there. Else what is wrong, for an `authorization` error
 * (CS_EREFUSED, CS_ENOTFOUND) or a `configuration` one. */
int cs_call_secrets(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *why);
/* May F leave now: nothing holds it, and the vault is open if it needs it? */
bool cs_call_open(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn);
int cs_call_digest(cs_run *r, cs_call *c, const cs_function *fn);
const cs_function *cs_call_function(cs_run *r, cs_step *s, cs_frame *f);

#endif
