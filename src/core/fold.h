/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside core: the folds of runs, calls and items, that fold.c's table names. */
#ifndef CS_CORE_FOLD_H
#define CS_CORE_FOLD_H

#include "core/frame.h"

/* T is what ev->task names; NULL: none. */
int cs_run_fold_event(cs_run *r, const cs_event *ev, const cs_task *t, cs_err *err);
/* What a decision's task puts out: {decision, value, note, by, at}; for `ask` {answered, …}. */
json_t *cs_item_outcome(const cs_item *item, const char *decision, int64_t at);

int cs_run_fold_created(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_started(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_state(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_completed_run(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_faulted_run(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_imported(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_retried(cs_run *r, const cs_event *ev, const cs_task *t);
/* The calls that EV names in `again` begin again. */
int cs_run_fold_again(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_corrected(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_task_corrected(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_call_started(cs_run *r, cs_frame *f, const cs_event *ev);
int cs_run_fold_intent(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_attempt_done(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_attempt_awaits(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_attempt_failed(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_attempt_retry(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_attempt_ambiguous(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_attempt_resolved(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_assumed(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_received(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_consumed(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_passed(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_handled(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_reversal(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_join_reversals(cs_run *r, const cs_event *ev, const cs_task *t);   /* those that child.ended says */
int cs_below_fold(cs_run *r, const cs_event *ev, const cs_task *t);           /* the runs that it says are not over */
int cs_run_fold_compensating(cs_run *r, const cs_event *ev, const cs_task *t);
int cs_run_fold_item(cs_run *r, const cs_event *ev, const cs_task *t);

/* Of a listen: what it heard is kept when it faults, with the event whose foreach was not over back at the
 * head of its inbox; it goes on there when it is begun again, by an operator's retry or by a `try`; a `catch`
 * that goes on otherwise forgets what the listens inside CAUGHT had heard. */
void cs_run_keep_hearing(cs_run *r, cs_frame *f);
cs_hearing *cs_run_take_hearing(cs_run *r, const cs_task *t);
void cs_run_forget_hearings(cs_run *r, const cs_task *caught);

#endif
