/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walk over a run's live frames: what is over is ended, what is next begins. One begin a
 * sequence and group: a task never begins before its predecessor's end is committed. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/fold.h"

/* What a walk has found out. */
struct walk {
	cs_run *r;
	cs_step *s;
	bool more;           /* there is something to begin in the next group */
	bool uncaught;       /* an error that no try takes */
	bool unwound;        /* a try took an error: frames on the way here may be gone */
	const char *fault_ref;
	json_t *fault;
};

/* ---- ends of composites --------------------------------------------------------------------------------- */

static json_t *lane_outputs(const cs_frame *f)
{
	json_t *all = json_array();
	for (int i = 0; i < f->task->n_children; i++)
		json_array_append(all, f->kids[i]->last);
	return all;
}

static int end_composite(struct walk *w, cs_frame *f, json_t *raw_output, bool tainted, json_t *data, cs_err *err)
{
	const cs_task *t = f->task;
	cs_view_of v = { .r = w->r, .s = w->s, .seq = f->parent, .memo = f, .task = t, .raw = f->raw,
			 .input = f->input, .extra = NULL };
	int occurrence = f->occurrence;
	int rc = cs_step_finish(&v, occurrence, raw_output, tainted, data, err);
	return rc;
}

static int begin_next(struct walk *w, cs_frame *f, cs_err *err);

/* The next round of a loop, or its end. FRESH: something ended in this very group, and the round
 * begins in the next one; a restart in between comes to the same. */
static int end_of_body(struct walk *w, cs_frame *f, bool fresh, cs_err *err)
{
	const cs_task *t = f->task;
	bool on = f->iteration < json_array_size(f->items) && !w->r->ending;
	if (on) {
		if (!f->iterating)
			cs_frame_enter_iteration(w->r, f, f->iteration);
		if (t->loop_while != NULL) {
			cs_view_of v = { .r = w->r, .s = w->s, .seq = f, .memo = f, .task = t, .raw = f->raw, .input = f->last };
			int rc = cs_look_true(&v, CS_PHASE_WHILE, t->loop_while, f->last, &on, err);
			if (rc == CS_EAGAIN)
				return rc;
			if (rc != CS_OK)
				return cs_step_raise_expr(w->r, w->s, t, f->occurrence, err, err);
		}
	}
	if (!on)
		return end_composite(w, f, f->last, f->last_tainted, NULL, err);
	f->next = cs_frame_first(w->r, f);
	if (f->next < 0) {           /* a loop without a body */
		f->iterating = false;
		f->iteration++;
	}
	w->more = true;
	return fresh || f->next < 0 || w->uncaught ? CS_OK : begin_next(w, f, err);
}

static bool lane_over(const cs_frame *lane)
{
	return lane->next < 0 && lane->child == NULL && lane->fault == NULL;
}

static int step_seq(struct walk *w, cs_frame *f, cs_err *err);

/* The others of a race that is won start nothing more; what is open there is awaited. */
static int end_losers(struct walk *w, cs_frame *f, bool *ret_clear, cs_err *err)
{
	*ret_clear = true;
	for (int i = 0; i < f->task->n_children; i++) {
		bool clear = true;
		if (i == f->winner)
			continue;
		int rc = cs_step_cancel(w->r, w->s, f->kids[i], &clear, err);
		if (rc != CS_OK)
			return rc;
		*ret_clear = *ret_clear && clear;
	}
	return CS_OK;
}

static bool faulted_below(const cs_frame *f)
{
	if (f == NULL)
		return false;
	if (f->fault != NULL)
		return true;
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		if (faulted_below(f->kids[i]))
			return true;
	return faulted_below(f->child);
}

/* Steps the lanes that are faulted, or those that are not. CS_EAGAIN with w->unwound: the fork
 * itself may be gone. */
static int step_lanes(struct walk *w, cs_frame *f, bool faulted, bool *ret_again, cs_err *err)
{
	for (int i = 0; i < f->task->n_children; i++) {
		cs_frame *lane = f->kids[i];
		if ((f->task->compete && f->winner >= 0) || w->uncaught)
			break;
		if (faulted_below(lane) != faulted || (lane->stopped && !faulted))
			continue;
		int rc = step_seq(w, lane, err);
		if (rc != CS_OK && (rc != CS_EAGAIN || w->unwound))
			return rc;
		*ret_again = *ret_again || rc == CS_EAGAIN;
	}
	return CS_OK;
}

static int end_race(struct walk *w, cs_frame *f, cs_err *err)
{
	bool clear = true;
	int rc = end_losers(w, f, &clear, err);
	if (rc != CS_OK || !clear)
		return rc;
	cs_frame *won = f->kids[f->winner];
	return end_composite(w, f, won->last, won->last_tainted, NULL, err);
}

/* Does F only wait: for a person, a clock, an event, or until what it calls may leave? */
static bool only_waits(const cs_frame *f)
{
	static const bool waiting[] = {
		[CS_CALL_PLANNED] = true, [CS_CALL_ASKING] = true, [CS_CALL_RETRY_WAIT] = true, [CS_CALL_FAILED] = false,
	};
	if (f->call != NULL)
		return (size_t)f->call->phase < CS_ARRAY_LEN(waiting) && waiting[f->call->phase];
	return f->task->kind == CS_TASK_WAIT || (f->hearing != NULL && !f->hearing->handling);
}

/* The flow ends by the word of another branch: what only waits here waits for nothing any more, and
 * what was asked is withdrawn. What is open outside comes to its own end first. */
static int end_waiting(struct walk *w, cs_frame *seq, cs_err *err)
{
	bool clear = true;
	cs_frame *leaf = seq->child;
	while (leaf != NULL && leaf->child != NULL)
		leaf = leaf->child;
	/* A fork further down ends its own branches. What is being stopped is led on until it is: nobody else does. */
	if (leaf == NULL || leaf->kids != NULL || !(seq->stopped || only_waits(leaf)))
		return CS_OK;
	return cs_step_cancel(w->r, w->s, seq, &clear, err);
}

static int end_lanes(struct walk *w, cs_frame *f, cs_err *err)
{
	int rc = CS_OK;
	for (int i = 0; rc == CS_OK && w->r->ending && !w->uncaught && i < f->task->n_children; i++)
		rc = end_waiting(w, f->kids[i], err);
	return rc;
}

/* The faulted lanes come first: where no try inside takes their error, or one around is waiting
 * for what is open here, the others begin nothing more. */
static int step_fork(struct walk *w, cs_frame *f, cs_err *err)
{
	const cs_task *t = f->task;
	bool again = false;
	int rc = step_lanes(w, f, true, &again, err);
	if (rc == CS_OK)
		rc = step_lanes(w, f, false, &again, err);
	if (rc == CS_OK)
		rc = end_lanes(w, f, err);
	if (rc != CS_OK)
		return rc;
	if (t->compete && f->winner >= 0)
		return end_race(w, f, err);
	for (int i = 0; i < t->n_children; i++)
		if (!lane_over(f->kids[i]))
			return again ? CS_EAGAIN : CS_OK;
	CS_AUTOJSON json_t *all = lane_outputs(f);
	bool tainted = f->input_tainted;
	for (int i = 0; i < t->n_children; i++)
		tainted = tainted || f->kids[i]->last_tainted;
	return end_composite(w, f, all, tainted, NULL, err);
}

/* The lists of an extension pass on what came in to them, but an `exit` before: what it leaves is
 * the extended task's output, made and exported as that one's. */
static int end_list(struct walk *w, cs_frame *f, cs_err *err)
{
	cs_view_of v = { .r = w->r, .s = w->s, .seq = f->parent, .memo = f, .task = f->task, .raw = f->raw, .input = f->input };
	if (!f->exited)
		return cs_step_finish(&v, f->occurrence, f->parent->last, f->parent->last_tainted, NULL, err);
	v.shape = &w->r->flow->tasks[f->task->extended];
	return cs_step_finish(&v, f->occurrence, f->last, f->last_tainted, json_pack("{s:i}", "then", CS_THEN_EXIT), err);
}

static int end_seq(struct walk *w, cs_frame *f, bool fresh, cs_err *err)
{
	if (f->task == NULL || f->lane)
		return CS_OK;        /* the run's end, or the fork's: seen there */
	if (f->task->kind == CS_TASK_FOR)
		return end_of_body(w, f, fresh, err);
	if (f->task->kind == CS_TASK_LISTEN)
		return cs_step_listen(w->r, w->s, f, &w->more, err);
	if (f->task->role == CS_ROLE_BEFORE || f->task->role == CS_ROLE_AFTER)
		return end_list(w, f, err);
	json_t *data = NULL;
	if (f->leads != CS_THEN_CONTINUE)        /* for who reads the log: the fold knows it by then */
		data = json_pack("{s:i}", "then", f->leads);
	if (f->handler && f->task->catch->then != CS_THEN_CONTINUE)
		data = json_pack("{s:i}", "then", f->task->catch->then);
	return end_composite(w, f, f->last, f->last_tainted, data, err);
}

/* ---- sequences ------------------------------------------------------------------------------------------ */

/* Its time is up: what is inside is cancelled, what is open outside is awaited, then the error comes. */
static int time_out(struct walk *w, cs_frame *f, cs_err *err)
{
	bool clear = true;
	cs_run *r = w->r;
	int rc = cs_step_end_inside(r, w->s, f, &clear, err);
	if (rc != CS_OK || !clear)
		return rc;
	CS_AUTOJSON json_t *error = cs_error_new("timeout", "the task's timeout ran out", f->task->ref);
	return cs_step_raise(r, w->s, f->task, f->occurrence, error, err);
}

static int step_wait(struct walk *w, cs_frame *f, cs_err *err)
{
	if (f->due > w->s->now && !w->r->shadow)     /* a replay does not live through the time again */
		return CS_OK;
	int rc = f->timer[0] == '\0' ? CS_OK : cs_run_write(w->r, w->s, "timer.fired", f->task, f->occurrence,
							    json_pack("{s:s}", "timer", f->timer), err);
	return rc != CS_OK ? rc : end_composite(w, f, f->input, f->input_tainted, NULL, err);
}

static int step_child(struct walk *w, cs_frame *f, cs_err *err)
{
	cs_frame *child = f->child;
	if (child->deadline > 0 && child->deadline <= w->s->now)
		return time_out(w, child, err);
	if (child->task->kind == CS_TASK_WAIT)
		return step_wait(w, child, err);
	if (child->task->kind == CS_TASK_RUN)
		return cs_step_sub(w->r, w->s, child, err);
	if (child->call != NULL)
		return cs_step_call(w->r, w->s, child, err);
	if (child->kids != NULL)
		return step_fork(w, child, err);
	return step_seq(w, child, err);
}

static int seq_fault(struct walk *w, cs_frame *f, cs_err *err)
{
	int64_t before = w->r->last_seq;
	int rc = cs_step_fault(w->r, w->s, f, err);
	if (rc == CS_EAGAIN && w->r->last_seq != before)
		w->more = w->unwound = true;     /* some of it is gone, the rest waits for what is open */
	if (rc == CS_ENOTFOUND) {
		w->uncaught = true;
		if (w->fault == NULL) {
			w->fault = f->fault;
			w->fault_ref = f->fault_ref;
		}
		return CS_OK;
	}
	if (rc != CS_OK)
		return rc;
	w->more = w->unwound = true;
	return CS_EAGAIN;            /* up to the root without a look at what is gone */
}

static bool seq_begins(struct walk *w, const cs_frame *f)
{
	if (f->next < 0 || w->uncaught)
		return false;
	if (f->retry_due > w->s->now)
		return false;
	return true;
}

/* What a begun task leaves to do is for the next group. */
static int begin_next(struct walk *w, cs_frame *f, cs_err *err)
{
	int rc = cs_step_begin(w->r, w->s, f, &w->r->flow->tasks[f->next], err);
	if (rc == CS_OK)
		w->more = w->more || f->child != NULL || f->next >= 0 || f->fault != NULL;
	return rc;
}

static int step_seq(struct walk *w, cs_frame *f, cs_err *err)
{
	bool ended = false;
	if (f->child != NULL) {
		int rc = step_child(w, f, err);
		if (rc != CS_OK)
			return rc;
		if (f->child != NULL)
			return CS_OK;
		ended = true;            /* by its own end or its fault, just now */
	}
	if (f->fault != NULL)
		return seq_fault(w, f, err);
	if (w->r->ending)
		f->next = -1;
	if (seq_begins(w, f)) {
		if (ended) {
			w->more = true;
			return CS_OK;
		}
		int rc = begin_next(w, f, err);
		if (rc != CS_OK || f->child != NULL || f->next >= 0 || f->fault != NULL)
			return rc;
		ended = true;
	}
	return f->next < 0 ? end_seq(w, f, ended, err) : CS_OK;
}

/* ---- the run -------------------------------------------------------------------------------------------- */

static int end_run(struct walk *w, cs_err *err)
{
	cs_run *r = w->r;
	const cs_flow *flow = r->flow;
	CS_AUTOJSON json_t *output = json_incref(r->root->last);
	CS_AUTOJSON json_t *invalid = NULL;
	cs_view_of v = { .r = r, .s = w->s, .seq = r->root, .memo = r->root, .raw = r->input, .input = r->start };
	if (flow->output_as != NULL) {
		json_t *out = NULL;
		cs_err why = { 0 };
		int rc = cs_look(&v, CS_PHASE_OUTPUT, flow->output_as, r->root->last, &out, &why);
		if (rc == CS_EAGAIN)
			return rc;
		if (rc != CS_OK)
			invalid = cs_error_new("expression", why.msg, "/output/as");
		json_decref(output);
		output = out;
	}
	if (invalid == NULL)
		invalid = cs_schema_complaint(flow->output_schema, output, "The output", "/output/schema");
	if (invalid != NULL)
		return cs_run_write_fault(r, w->s, invalid, "/output", "retry", err);
	return cs_run_write(r, w->s, "run.completed", NULL, 0, json_pack("{s:O}", "output", output), err);
}

/* A fault that nobody caught: what is open elsewhere is awaited first. */
static int fault_run(struct walk *w, cs_err *err)
{
	cs_run *r = w->r;
	int open = cs_probes_step(r, w->s, r->root, err);
	if (open != CS_OK || cs_frame_effect_open(r->root))
		return open;
	CS_AUTOJSON json_t *error = json_incref(w->fault);
	CS_AUTOFREE char *ref = cs_xstrdup(w->fault_ref);
	int rc = cs_items_withdraw(r, w->s, NULL, err);
	if (rc == CS_OK)
		rc = cs_attempts_doubt(r, w->s, r->root, err);
	if (rc == CS_OK)                 /* of other branches: they go on when the operator takes this one up */
		rc = cs_run_subs_control(r, w->s, "pause", err);
	return rc != CS_OK ? rc : cs_run_write_fault(r, w->s, error, ref, "retry", err);
}

static const char *held_by(const cs_call *c, const char *phase)
{
	return c->awaits ? "once" : c->held != NULL ? c->held : c->outer != NULL ? "timer" : phase;
}

/* Which connector is in the way, where it is that and no hold of everything. */
static void name_outlet(struct walk *w, cs_frame *f, json_t *names)
{
	static const char *const outlets[] = { "off", "breaker", "limit" };
	const cs_function *fn = NULL;
	for (size_t i = 0; f->call->held != NULL && fn == NULL && i < CS_ARRAY_LEN(outlets); i++)
		if (strcmp(f->call->held, outlets[i]) == 0)
			fn = cs_call_function(w->r, w->s, f);
	if (fn != NULL && cs_function_outlet(fn) != NULL)
		json_object_set_new(names, cs_function_outlet(fn), json_true());
}

/* What a run that cannot go on waits for, as words, and the connectors in its way by name. */
static void waits(struct walk *w, cs_frame *f, json_t *words, json_t *names)
{
	static const char *const word[] = {
		[CS_CALL_PLANNED] = "hold", [CS_CALL_ASKING] = "approval", [CS_CALL_INTENT] = NULL,
		[CS_CALL_RETRY_WAIT] = "timer", [CS_CALL_IN_DOUBT] = "in-doubt", [CS_CALL_DONE] = NULL,
		[CS_CALL_FAILED] = NULL, [CS_CALL_PROBING] = NULL,
	};
	if (f == NULL)
		return;
	if (f->call != NULL && word[f->call->phase] != NULL && f->due == 0) {
		json_object_set_new(words, held_by(f->call, word[f->call->phase]), json_true());
		name_outlet(w, f, names);
	}
	if (cs_frame_sub_open(f))
		json_object_set_new(words, "run", json_true());
	if (f->hearing != NULL && !f->hearing->handling)
		json_object_set_new(words, "event", json_true());
	if ((f->retry_due > 0 && f->child == NULL && f->next >= 0) || f->due > 0)
		json_object_set_new(words, "timer", json_true());
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		waits(w, f->kids[i], words, names);
	waits(w, f->child, words, names);
}

static bool asked_below(const cs_frame *f)
{
	if (f == NULL)
		return false;
	if (f->asked > 0)
		return true;
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		if (asked_below(f->kids[i]))
			return true;
	return asked_below(f->child);
}

bool cs_run_at_rest(const cs_run *r)
{
	return !cs_frame_intent_open(r->root) && !asked_below(r->root);
}

static json_t *keys_of(json_t *object)
{
	json_t *list = json_array(), *yes;
	const char *name;
	json_object_foreach(object, name, yes)
		json_array_append_new(list, json_string(name));
	return list;
}

static int block(struct walk *w, cs_err *err)
{
	CS_AUTOJSON json_t *words = json_object();
	CS_AUTOJSON json_t *names = json_object();
	waits(w, w->r->root, words, names);
	if (json_object_size(words) == 0)
		return CS_OK;
	json_t *data = json_pack("{s:o}", "on", keys_of(words));
	if (json_object_size(names) > 0)
		json_object_set_new(data, "connectors", keys_of(names));
	return cs_run_write(w->r, w->s, "run.blocked", NULL, 0, data, err);
}

static int settle(struct walk *w, cs_err *err)
{
	cs_run *r = w->r;
	if (cs_frame_intent_open(r->root))
		return CS_OK;
	int open = r->state == CS_RUN_PAUSING ? cs_probes_step(r, w->s, r->root, err) : CS_OK;
	if (open != CS_OK || (r->state == CS_RUN_PAUSING && cs_frame_effect_open(r->root)))
		return open;
	if (r->state == CS_RUN_PAUSING)
		return cs_run_write(r, w->s, "run.paused", NULL, 0, NULL, err);
	bool clear = true;
	int rc = cs_step_cancel(r, w->s, r->root, &clear, err);
	if (rc != CS_OK || !clear)
		return rc;
	rc = cs_items_withdraw(r, w->s, NULL, err);
	if (rc != CS_OK)
		return rc;
	if (w->s->compensates != NULL && (cs_reversals_left(r) || r->n_below > 0) && w->s->compensates(w->s->ctx, r))
		return cs_run_write(r, w->s, "run.compensating", NULL, 0, json_pack("{s:s}", "why", "cancel"), err);
	return cs_run_write(r, w->s, "run.cancelled", NULL, 0, NULL, err);
}

/* The flow's own timeout: nothing more begins; where things stand is kept for a retry. */
static int time_out_run(struct walk *w, cs_err *err)
{
	CS_AUTOJSON json_t *error = cs_error_new("timeout", "the flow's timeout ran out", "/timeout");
	char ref[] = "/timeout";
	w->fault = error;
	w->fault_ref = ref;
	return fault_run(w, err);
}

static bool over(const cs_run *r)
{
	return r->root->child == NULL && r->root->next < 0 && r->root->fault == NULL;
}

static int step_live(struct walk *w, bool *ret_more, cs_err *err)
{
	cs_run *r = w->r;
	if (r->deadline > 0 && r->deadline <= w->s->now)
		return time_out_run(w, err);
	bool ending = r->ending;
	int rc = step_seq(w, r->root, err);
	if (rc != CS_OK && rc != CS_EAGAIN)
		return rc;
	w->more = w->more || r->ending != ending;    /* branches that were looked at before do not know it yet */
	if (w->uncaught)
		return fault_run(w, err);
	if (over(r)) {
		rc = end_run(w, err);
		return rc == CS_EAGAIN ? CS_OK : rc;
	}
	*ret_more = w->more;
	if (r->state == CS_RUN_RUNNING && !w->more && cs_run_at_rest(r))
		return block(w, err);
	return CS_OK;
}

static int step_run(cs_run *r, cs_step *s, bool *ret_more, cs_err *err)
{
	struct walk w = { .r = r, .s = s };
	int rc;
	*ret_more = false;
	switch (r->state) {
	case CS_RUN_RUNNING:
	case CS_RUN_WAITING:
		rc = step_live(&w, ret_more, err);
		*ret_more = *ret_more || r->state == CS_RUN_COMPENSATING;
		return rc;
	case CS_RUN_PAUSING:
	case CS_RUN_CANCELLING:
		rc = settle(&w, err);
		*ret_more = r->state == CS_RUN_COMPENSATING;
		return rc;
	case CS_RUN_COMPENSATING:
		return cs_step_compensate(r, s, ret_more, err);
	case CS_RUN_CREATED:
		rc = cs_step_start(r, s, err);
		*ret_more = r->state == CS_RUN_RUNNING;
		return rc == CS_EAGAIN ? CS_OK : rc;
	default:
		return CS_OK;
	}
}

int cs_run_step(cs_run *r, cs_step *s, bool *ret_more, cs_err *err)
{
	r->cut_short = false;
	if (r->imported) {
		*ret_more = false;
		return CS_OK;
	}
	int rc = step_run(r, s, ret_more, err);
	*ret_more = *ret_more || r->cut_short;
	return rc;
}

static void earlier(int64_t at, int64_t after, int64_t *best)
{
	if (at > after && (*best == 0 || at < *best))
		*best = at;
}

static void call_due(const cs_call *c, int64_t after, int64_t *best)
{
	bool asks = c->outer != NULL && c->phase != CS_CALL_INTENT;
	if (asks)
		earlier(c->deadline, after, best);
	if (c->phase == CS_CALL_RETRY_WAIT || (asks && c->phase == CS_CALL_PLANNED))
		earlier(c->due, after, best);
}

static void frame_due(const cs_run *r, const cs_frame *f, int64_t after, int64_t *best)
{
	if (f == NULL)
		return;
	if (f->child == NULL && f->next >= 0)
		earlier(f->retry_due, after, best);
	earlier(f->due, after, best);
	earlier(f->deadline, after, best);
	if (f->call != NULL)
		call_due(f->call, after, best);
	const cs_item *item = f->call != NULL && f->call->item[0] != '\0' ? cs_run_item(r, f->call->item) : NULL;
	if (item != NULL && f->call->phase == CS_CALL_ASKING && strcmp(item->state, "pending") == 0)
		earlier(cs_asking_due(item, after), after, best);
	if (item != NULL && f->call->phase == CS_CALL_ASKING) {
		earlier(item->grace_until, after, best);
		earlier(item->expires, after, best);
	}
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		frame_due(r, f->kids[i], after, best);
	frame_due(r, f->child, after, best);
}

int64_t cs_run_due(const cs_run *r, int64_t after)
{
	int64_t best = 0;
	bool driven = r->state == CS_RUN_RUNNING || r->state == CS_RUN_WAITING || r->state == CS_RUN_COMPENSATING;
	if (driven || ((r->state == CS_RUN_PAUSING || r->state == CS_RUN_CANCELLING) && cs_frame_effect_open(r->root)))
		frame_due(r, r->root, after, &best);
	if (r->state == CS_RUN_RUNNING || r->state == CS_RUN_WAITING)
		earlier(r->deadline, after, &best);
	return best;
}
