/* SPDX-License-Identifier: GPL-3.0-or-later */
/* State + event -> state. Nothing is evaluated here: what was found out stands in the event. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/correct.h"
#include "core/fold.h"

static json_t *member(const cs_event *ev, const char *name)
{
	return ev->data != NULL ? json_object_get(ev->data, name) : NULL;
}

/* ---- tasks ----------------------------------------------------------------------------------------- */

/* T, but where it was not let into its extensions (skipped, or faulted before) the outermost of them. */
static const cs_task *stands_for(const cs_run *r, const cs_task *t)
{
	return t->wrapper >= 0 && r->live[t->wrapper] == NULL ? &r->flow->tasks[t->wrapper] : t;
}

static bool of_extension(const cs_task *t)
{
	return t->role == CS_ROLE_BEFORE || t->role == CS_ROLE_AFTER;
}

/* The sequence around T, made ready for an event of T: an iteration that nobody announced has begun. */
static cs_frame *sequence(cs_run *r, const cs_task *t)
{
	cs_frame *seq = cs_frame_of_parent(r, t);
	if (seq != NULL && seq->items != NULL && !seq->iterating)
		cs_frame_enter_iteration(r, seq, seq->iteration);
	return seq;
}

static void mark_tainted(cs_frame *seq, const char *name, bool tainted)
{
	if (tainted && seq->tainted == NULL)
		seq->tainted = json_object();
	if (tainted)
		json_object_set_new(seq->tainted, name, json_true());
	else if (seq->tainted != NULL)
		json_object_del(seq->tainted, name);
}

static void drop_live(cs_run *r, cs_frame *seq, const cs_task *t)
{
	cs_frame *f = r->live[t->id];
	if (f == NULL)
		return;
	r->live[t->id] = NULL;
	if (seq->child == f)
		seq->child = NULL;
	cs_frame_free(f);
}

/* An inner scope that ends tells the outer one what it knew. */
static void merge_inner(cs_run *r, cs_frame *seq, const cs_task *t)
{
	cs_frame *f = r->live[t->id];
	if (f == NULL || (t->kind == CS_TASK_DO && t->body != NULL) || of_extension(t))
		return;                  /* what a function or an extension did inside is its own */
	cs_frame_merge_done(seq, f);
	for (int i = 0; f->kids != NULL && i < t->n_children; i++)
		cs_frame_merge_done(seq, f->kids[i]);
}

/* ---- answers that go back ---- */

/* What comes in to a task that an answer may lead back to: it comes in then once more. */
static void note_coming(cs_frame *seq, const cs_task *t)
{
	if (!t->returned_to || seq->last == NULL)
		return;
	if (seq->came == NULL)
		seq->came = json_object();
	json_object_set_new(seq->came, t->name, json_pack("[O, b]", seq->last, (int)seq->last_tainted));
}

static void come_again(const cs_run *r, cs_frame *seq, int id)
{
	const json_t *came = id >= 0 ? json_object_get(seq->came, r->flow->tasks[id].name) : NULL;
	if (came == NULL)
		return;
	cs_json_put(&seq->last, json_array_get(came, 0));
	seq->last_tainted = json_is_true(json_array_get(came, 1));
}

/* Rounds are of one asking: whatever else ends the task ends them. */
static void count_round(cs_frame *seq, const cs_task *t, bool back)
{
	if (!back && seq->rounds != NULL)
		json_object_del(seq->rounds, t->name);
	if (!back)
		return;
	if (seq->rounds == NULL)
		seq->rounds = json_object();
	json_object_set_new(seq->rounds, t->name, json_integer(cs_json_int_or(seq->rounds, t->name, 0) + 1));
}

/* Where to: a sibling is found by what led to it, not by the number it had when that was written; the
 * run may have taken a definition since in which others stand before it. */
static int then_of(const cs_run *r, const cs_task *t, const cs_event *ev)
{
	const json_t *then = member(ev, "then");
	if (!json_is_integer(then))
		return t->then;
	if (member(ev, "back") != NULL && t->ask_back >= 0)
		return t->ask_back;
	json_int_t v = json_integer_value(then);
	if (v < 0)
		return v >= CS_THEN_END ? (int)v : t->then;
	if (t->kind == CS_TASK_TRY && t->catch != NULL)
		return t->catch->then;
	const char *taken = cs_json_str(ev->data, "case");
	for (int i = 0; taken != NULL && i < t->n_cases; i++)
		if (strcmp(t->cases[i].name, taken) == 0)
			return t->cases[i].then;
	return taken == NULL && v < r->flow->n_tasks ? (int)v : t->then;
}

static void advance(cs_run *r, cs_frame *seq, const cs_task *t, int then)
{
	cs_frame_forget(seq);
	cs_json_put(&seq->emitted, NULL);
	seq->sub_again[0] = '\0';
	if (seq->hearing != NULL && (then == CS_THEN_EXIT || then == CS_THEN_END))
		seq->hearing->over = true;
	if (then == CS_THEN_END)
		r->ending = true;
	if (then == CS_THEN_EXIT && seq->task != NULL && seq->task->role == CS_ROLE_BEFORE)
		seq->exited = true;
	seq->next = cs_frame_after(r, t, then);
	if (seq->next < 0 && seq->items != NULL) {
		seq->iterating = false;
		seq->iteration++;
		cs_json_put(&seq->rounds, NULL);
		if (then == CS_THEN_EXIT || then == CS_THEN_END)
			seq->iteration = json_array_size(seq->items);
	}
}

/* Something in an extension is over. Where the task inside leads counts when the extension is over
 * too; `exit` before it ends the extension, in that task's stead. */
static void advance_in_extension(cs_run *r, cs_frame *skin, const cs_task *t, int then, bool back)
{
	if (t->role == CS_ROLE_BEFORE)
		skin->applied = true;
	if (t->role == CS_ROLE_BEFORE && then == CS_THEN_EXIT)
		skin->leads = cs_flow_extended(r->flow, skin->task)->then;
	else if (!of_extension(t)) {
		skin->leads = then;
		skin->returns = back;
	}
	advance(r, skin, t, t->role == CS_ROLE_BEFORE ? then : CS_THEN_CONTINUE);
}

/* What a call gives to the tasks that are its body: their first input, or a variable. */
static void take_given(cs_frame *f, const cs_event *ev)
{
	if (member(ev, "vars") != NULL)
		cs_json_put(&f->vars, member(ev, "vars"));
	if (member(ev, "args") == NULL)
		return;
	cs_json_put(&f->last, member(ev, "args"));
	f->last_tainted = cs_json_true(ev->data, "args_tainted");
}

static void open_lanes(const cs_run *r, cs_frame *f)
{
	const cs_task *t = f->task;
	f->kids = cs_xcalloc((size_t)(t->n_children > 0 ? t->n_children : 1), sizeof(cs_frame *));
	for (int i = 0; i < t->n_children; i++) {
		f->kids[i] = cs_frame_new(&r->flow->tasks[t->children[i]], f);
		f->kids[i]->lane = true;
		f->kids[i]->next = t->children[i];
		cs_json_put(&f->kids[i]->last, f->input);
		f->kids[i]->last_tainted = f->input_tainted;
	}
}

/* Its clocks: a timeout's, and a wait's own. */
static void note_timer(cs_frame *f, const cs_event *ev)
{
	f->deadline = cs_json_int_or(ev->data, "deadline", 0);
	f->due = cs_json_int_or(ev->data, "due", 0);
	const char *timer = cs_json_str_or(ev->data, "timer", "");
	if (strlen(timer) == CS_ID_LEN)
		memcpy(f->timer, timer, CS_ID_SIZE);
}

static int put_id(char slot[CS_ID_SIZE], const char *id)
{
	if (strlen(id) != CS_ID_LEN)
		return CS_EINTERNAL;
	memcpy(slot, id, CS_ID_SIZE);
	return CS_OK;
}

/* What came in to F, as the operator may have corrected it. */
static int come_in(const cs_run *r, cs_frame *f, const cs_frame *seq, const cs_event *ev)
{
	cs_json_put(&f->raw, seq->last);
	int rc = cs_correct_apply(r, "input", f->task, &f->raw, NULL);
	cs_json_put(&f->input, member(ev, "input") != NULL ? member(ev, "input") : f->raw);
	f->input_tainted = cs_json_true(ev->data, "tainted");
	return rc;
}

static int fold_task_started(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *seq = sequence(r, t);
	if (seq == NULL || seq->child != NULL || r->live[t->id] != NULL)
		return CS_EINTERNAL;
	cs_frame *f = cs_frame_new(t, seq);
	f->occurrence = r->occurrences[t->id] = ev->occurrence;
	f->started_at = ev->at;
	f->started_seq = ev->seq;
	note_coming(seq, t);
	if (come_in(r, f, seq, ev) != CS_OK) {
		cs_frame_free(f);
		return CS_EINTERNAL;
	}
	note_timer(f, ev);
	cs_json_put(&f->last, f->input);
	f->last_tainted = f->input_tainted;
	r->live[t->id] = f;
	seq->child = f;
	seq->sub_again[0] = '\0';
	cs_frame_forget(seq);
	if (t->kind == CS_TASK_RUN)
		return put_id(f->sub_id, cs_json_str_or(ev->data, "run", ""));
	if (t->kind == CS_TASK_CALL)
		return cs_run_fold_call_started(r, f, ev);
	if (t->kind == CS_TASK_FORK)
		open_lanes(r, f);
	if (t->kind == CS_TASK_LISTEN)
		f->hearing = cs_run_take_hearing(r, t);
	if (t->kind == CS_TASK_WAIT || t->kind == CS_TASK_LISTEN || t->kind == CS_TASK_FORK)
		return CS_OK;
	if (t->kind == CS_TASK_DO)
		take_given(f, ev);
	f->next = cs_frame_first(r, f);
	if (t->kind != CS_TASK_FOR)
		return CS_OK;
	cs_json_put(&f->items, member(ev, "items"));
	f->next = -1;                /* each round is entered, its condition first */
	return json_is_array(f->items) ? CS_OK : CS_EINTERNAL;
}

/* How a task ends, and what it leaves to be known of itself. */
struct ending {
	int then;
	bool back, skin;
	json_t *known;               /* by the extension inside, that may have passed on less; NULL: its output */
	bool known_tainted;
};

static struct ending ending_of(const cs_run *r, const cs_task *t, const cs_event *ev)
{
	const cs_frame *skin = t->role == CS_ROLE_EXTENSION ? r->live[t->id] : NULL;
	if (skin == NULL)
		return (struct ending){ .then = then_of(r, t, ev), .back = member(ev, "back") != NULL };
	return (struct ending){
		.then = skin->leads, .back = skin->returns, .skin = true, .known = json_incref(json_object_get(skin->done, t->name)),
		.known_tainted = json_object_get(skin->tainted, t->name) != NULL,
	};
}

static void put_done(cs_frame *seq, const cs_task *t, const struct ending *e, json_t *output, bool tainted)
{
	if (!of_extension(t)) {
		json_object_set(seq->done, t->name, e->known != NULL ? e->known : output);
		mark_tainted(seq, t->name, e->known != NULL ? e->known_tainted : tainted);
	}
	cs_json_put(&seq->last, output);
	seq->last_tainted = tainted;
}

static void go_on(cs_run *r, cs_frame *seq, const cs_task *t, const struct ending *e)
{
	if (!e->skin && !of_extension(t))
		count_round(cs_frame_siblings(seq), t, e->back);
	if (seq->task != NULL && seq->task->role == CS_ROLE_EXTENSION) {
		advance_in_extension(r, seq, t, e->then, e->back);
		return;
	}
	if (e->back)
		come_again(r, seq, e->then);
	advance(r, seq, t, e->then);
}

static int fold_task_completed(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *seq = sequence(r, t);
	if (seq == NULL)
		return CS_EINTERNAL;
	r->occurrences[t->id] = ev->occurrence;
	if (r->live[t->id] == NULL)
		note_coming(seq, t);
	struct ending e = ending_of(r, t, ev);
	merge_inner(r, seq, t);
	bool tainted = cs_json_true(ev->data, "tainted");
	put_done(seq, t, &e, member(ev, "output") != NULL ? member(ev, "output") : seq->last, tainted);
	json_decref(e.known);
	if (member(ev, "context") != NULL) {
		cs_json_put(&r->context, member(ev, "context"));
		r->context_tainted = r->context_tainted || tainted;
	}
	drop_live(r, seq, t);
	cs_correct_forget(r, t, false);
	if (seq->lane && seq->parent->winner < 0)
		seq->parent->winner = t->index;
	go_on(r, seq, t, &e);
	return CS_OK;
}

/* Its condition is false, or its gate was not passed and the flow goes on or ends all the same: what
 * was decided is then known of it, and what came in to it goes on. */
static int fold_task_skipped(cs_run *r, const cs_event *ev, const cs_task *t)
{
	const cs_task *at = stands_for(r, t);
	cs_frame *seq = sequence(r, at);
	if (seq == NULL)
		return CS_EINTERNAL;
	r->occurrences[t->id] = ev->occurrence;
	drop_live(r, seq, t);
	cs_correct_forget(r, t, false);
	if (member(ev, "outcome") != NULL) {
		json_object_set(seq->done, t->name, member(ev, "outcome"));
		mark_tainted(seq, t->name, cs_json_true(ev->data, "tainted"));
	}
	if (seq->lane && seq->parent->winner < 0)
		seq->parent->winner = at->index;
	count_round(cs_frame_siblings(seq), t, false);
	if (seq->task != NULL && seq->task->role == CS_ROLE_EXTENSION && !of_extension(at))
		advance_in_extension(r, seq, at, member(ev, "then") != NULL ? then_of(r, t, ev) : CS_THEN_CONTINUE, false);
	else
		advance(r, seq, at, member(ev, "then") != NULL ? then_of(r, t, ev) : CS_THEN_CONTINUE);
	return CS_OK;
}

static int fold_task_faulted(cs_run *r, const cs_event *ev, const cs_task *t)
{
	const cs_task *at = stands_for(r, t);
	cs_frame *seq = sequence(r, at);
	if (seq == NULL)
		return CS_EINTERNAL;
	r->occurrences[t->id] = ev->occurrence;
	if (r->live[t->id] != NULL && r->live[t->id]->hearing != NULL)
		cs_run_keep_hearing(r, r->live[t->id]);
	if (r->live[t->id] != NULL)
		memcpy(seq->sub_again, r->live[t->id]->sub_id, CS_ID_SIZE);
	drop_live(r, seq, t);
	count_round(cs_frame_siblings(seq), t, false);
	cs_json_put(&seq->fault, member(ev, "error"));
	free(seq->fault_ref);
	seq->fault_ref = cs_xstrdup(t->ref);
	seq->next = at->id;          /* where a retry begins again */
	cs_json_put(&seq->emitted, NULL);
	cs_frame_forget(seq);
	return CS_OK;
}

static int fold_task_cancelled(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)ev;
	cs_frame *seq = cs_frame_of_parent(r, t);
	if (seq == NULL)
		return CS_EINTERNAL;
	drop_live(r, seq, t);
	seq->next = -1;
	cs_frame_forget(seq);
	return CS_OK;
}

/* A try takes an error from inside: on with its handler, or with its body once more. */
static int fold_task_caught(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *f = r->live[t->id];
	if (f == NULL || t->catch == NULL)
		return CS_EINTERNAL;
	cs_json_put(&f->fault, NULL);
	free(CS_STEAL(f->fault_ref));
	f->sub_again[0] = '\0';
	cs_frame_forget(f);
	if (member(ev, "due") != NULL) {
		if (f->retries++ == 0)
			f->retry_since = ev->at;
		f->retry_due = cs_json_int_or(ev->data, "due", ev->at);
		f->next = cs_frame_first(r, f);
		cs_json_put(&f->last, f->input);
		f->last_tainted = f->input_tainted;
		return CS_OK;
	}
	cs_run_forget_hearings(r, t);
	cs_correct_forget(r, t, true);
	f->handler = true;
	if (f->vars == NULL)
		f->vars = json_object();
	json_object_set(f->vars, t->catch->as, member(ev, "error"));
	f->next = cs_frame_first(r, f);
	cs_json_put(&f->last, f->input);
	f->last_tainted = f->input_tainted || f->last_tainted;
	return CS_OK;
}

/* A wait is not live yet, and says the same when it begins; an `until` is. */
static int fold_timer_armed(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *f = r->live[t->id];
	const char *timer = cs_json_str_or(ev->data, "timer", "");
	if (f == NULL || f->call == NULL)
		return CS_OK;
	f->due = cs_json_int_or(ev->data, "due", 0);
	if (strlen(timer) != CS_ID_LEN)
		return CS_EINTERNAL;
	memcpy(f->timer, timer, CS_ID_SIZE);
	return CS_OK;
}

/* Rung: it is not cancelled any more, and does not ring twice. */
static int fold_timer_fired(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)ev;
	if (r->live[t->id] == NULL)
		return CS_EINTERNAL;
	r->live[t->id]->timer[0] = '\0';
	return CS_OK;
}

/* Kept until its task is over, so that a restart in between does not emit it again. */
static int fold_emitted(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *seq = sequence(r, t);
	if (seq == NULL)
		return CS_EINTERNAL;
	cs_json_put(&seq->emitted, ev->data);
	return CS_OK;
}

static int fold_child_ended(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *f = r->live[t->id];
	const char *run = cs_json_str_or(ev->data, "run", "");
	bool awaited = f != NULL && f->sub_id[0] != '\0' && strcmp(f->sub_id, run) == 0;
	if (!awaited && !cs_below_has(r, run))
		return CS_EINTERNAL;
	if (awaited)
		cs_json_put(&f->sub_end, ev->data);
	int rc = cs_run_join_reversals(r, ev, t);
	return rc != CS_OK ? rc : cs_below_fold(r, ev, t);
}

int cs_run_fold_again(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)t;
	size_t i;
	json_t *ref;
	json_array_foreach(member(ev, "again"), i, ref) {
		const cs_task *begun = json_is_string(ref) ? cs_flow_task(r->flow, json_string_value(ref)) : NULL;
		cs_frame *seq = begun != NULL ? cs_frame_of_parent(r, begun) : NULL;
		if (seq == NULL)
			return CS_EINTERNAL;
		drop_live(r, seq, begun);
		seq->next = begun->id;
		cs_frame_forget(seq);
	}
	return CS_OK;
}

static int fold_nothing(cs_run *r, const cs_event *ev, const cs_task *t)
{
	(void)r;
	(void)ev;
	(void)t;
	return CS_OK;
}

/* ---- the table -------------------------------------------------------------------------------------- */

static const struct {
	const char *type;
	bool of_task;
	int (*fold)(cs_run *r, const cs_event *ev, const cs_task *t);
} folds[] = {
	{ "task.completed", true, fold_task_completed },
	{ "task.started", true, fold_task_started },
	{ "task.skipped", true, fold_task_skipped },
	{ "task.faulted", true, fold_task_faulted },
	{ "task.cancelled", true, fold_task_cancelled },
	{ "task.caught", true, fold_task_caught },
	{ "task.corrected", true, cs_run_fold_task_corrected },
	{ "attempt.intent", true, cs_run_fold_intent },
	{ "attempt.done", true, cs_run_fold_attempt_done },
	{ "attempt.reused", true, cs_run_fold_attempt_done },
	{ "attempt.captured", true, cs_run_fold_attempt_done },
	{ "attempt.awaits", true, cs_run_fold_attempt_awaits },
	{ "attempt.failed", true, cs_run_fold_attempt_failed },
	{ "attempt.retry", true, cs_run_fold_attempt_retry },
	{ "attempt.ambiguous", true, cs_run_fold_attempt_ambiguous },
	{ "attempt.resolved", true, cs_run_fold_attempt_resolved },
	{ "approval.assumed", true, cs_run_fold_assumed },
	{ "run.created", false, cs_run_fold_created },
	{ "run.started", false, cs_run_fold_started },
	{ "run.blocked", false, cs_run_fold_state },
	{ "run.unblocked", false, cs_run_fold_state },
	{ "run.pausing", false, cs_run_fold_state },
	{ "run.paused", false, cs_run_fold_state },
	{ "run.resumed", false, cs_run_fold_state },
	{ "run.cancelling", false, cs_run_fold_state },
	{ "run.cancelled", false, cs_run_fold_state }, { "run.imported", false, cs_run_fold_imported },
	{ "run.compensated", false, cs_run_fold_state },
	{ "run.compensating", false, cs_run_fold_compensating },
	{ "run.stuck", false, cs_run_fold_state },
	{ "reversal.registered", true, cs_run_fold_reversal },
	{ "reversal.begun", true, cs_run_fold_reversal },
	{ "reversal.reversed", true, cs_run_fold_reversal },
	{ "reversal.failed", true, cs_run_fold_reversal },
	{ "reversal.waived", true, cs_run_fold_reversal },
	{ "run.completed", false, cs_run_fold_completed_run },
	{ "run.faulted", false, cs_run_fold_faulted_run },
	{ "run.retried", false, cs_run_fold_retried },
	{ "run.adopted", false, cs_run_fold_again },
	{ "run.corrected", false, cs_run_fold_corrected },
	{ "event.emitted", true, fold_emitted },
	{ "event.received", true, cs_run_fold_received },
	{ "event.consumed", true, cs_run_fold_consumed },
	{ "event.passed", true, cs_run_fold_passed },
	{ "event.handled", true, cs_run_fold_handled },
	{ "child.ended", true, fold_child_ended },
	{ "timer.armed", true, fold_timer_armed },
	{ "timer.fired", true, fold_timer_fired },
	{ "timer.cancelled", true, fold_nothing },
};

/* The answer of a fixture that EV is of is used up once more. */
static void note_fixture(cs_run *r, const cs_event *ev)
{
	const json_t *used = json_object_get(member(ev, "record"), "fixture");
	const char *function = cs_json_str(used, "function");
	int64_t answer = cs_json_int_or(used, "answer", 1);
	if (function == NULL || answer < 1 || answer > CS_FIXTURE_ANSWERS)
		return;
	if (r->fixtures == NULL)
		r->fixtures = json_object();
	json_t *counts = json_object_get(r->fixtures, function);
	if (counts == NULL)
		json_object_set_new(r->fixtures, function, counts = json_array());
	while ((int64_t)json_array_size(counts) < answer)
		json_array_append_new(counts, json_integer(0));
	json_t *n = json_array_get(counts, (size_t)answer - 1);
	json_integer_set(n, json_integer_value(n) + 1);
}

int cs_run_fold_event(cs_run *r, const cs_event *ev, const cs_task *t, cs_err *err)
{
	int rc = CS_EINTERNAL;
	if (strncmp(ev->type, "approval.", 9) == 0 || strncmp(ev->type, "item.", 5) == 0)
		rc = cs_run_fold_item(r, ev, t);
	for (size_t i = 0; i < CS_ARRAY_LEN(folds); i++) {
		if (strcmp(folds[i].type, ev->type) != 0)
			continue;
		if (folds[i].of_task && (t == NULL || r->root == NULL))
			break;
		rc = folds[i].fold(r, ev, t);
		break;
	}
	if (rc != CS_OK)
		return cs_err_set(err, CS_EINTERNAL, "event %lld (%s%s%s) does not fit the run %s; run `capstan verify`",
				  (long long)ev->seq, ev->type, ev->task != NULL ? " " : "",
				  ev->task != NULL ? ev->task : "", r->id);
	r->last_seq = ev->seq;
	r->folded++;
	note_fixture(r, ev);
	return CS_OK;
}

int cs_run_fold(cs_run *r, const cs_event *ev, cs_err *err)
{
	const cs_task *t = ev->task != NULL ? cs_flow_task(r->flow, ev->task) : NULL;
	return cs_run_fold_event(r, ev, t, err);
}
