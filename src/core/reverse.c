/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking back what was done. What an operation did is registered when its result is taken in; a run
 * that faults, is cancelled or is rolled back takes back in reverse order, one attempt at a time,
 * each with a key of its own and through the same gate as any other. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

int cs_reversal_register(cs_run *r, cs_step *s, cs_frame *f, json_t *result, cs_err *err)
{
	const cs_call *c = f->call;
	const cs_function *fn = cs_call_function(r, s, f);
	if (fn == NULL || fn->reverse_call == NULL || r->shadow || c->registered || cs_frame_reverses(f) || c->key[0] == '\0')
		return CS_OK;
	return cs_run_write(r, s, "reversal.registered", f->task, f->occurrence,
			    json_pack("{s:s, s:s, s:O}", "key", c->key, "call", fn->reverse_call, "result", result != NULL ? result : json_null()), err);
}

/* What every event of V says; with its business key, which is free again when it is taken back. */
static json_t *said_of(const cs_reversal *v)
{
	json_t *data = json_pack("{s:s}", "key", v->key);
	if (v->once[0] != '\0')
		json_object_set_new(data, "once", json_string(v->once));
	if (v->run[0] != '\0') {
		json_object_set_new(data, "of", json_string(v->run));
		json_object_set_new(data, "name", json_string(v->name));
	}
	return data;
}

static cs_reversal *find(const cs_run *r, const char *key)
{
	for (size_t i = 0; i < r->n_reversals; i++)
		if (strcmp(r->reversals[i].key, key) == 0)
			return &r->reversals[i];
	return NULL;
}

int cs_reversal_args(cs_run *r, cs_step *s, cs_frame *f, cs_err *why)
{
	const cs_reversal *v = find(r, f->call->reverses);
	const cs_function *did = s->function(s->ctx, r, f->task->call);
	if (v == NULL || did == NULL || did->reverse_call == NULL)
		return cs_err_set(why, CS_EUNSUPPORTED, "what takes %s back is not declared any more; declare it again and retry, or waive it", f->task->call);
	cs_view_of view = cs_call_view(r, s, f);
	CS_AUTOJSON json_t *dot = json_pack("{s:O?, s:O?}", "input", v->input, "result", v->result), *args = NULL;
	int rc = did->reverse_with == NULL ? CS_OK : cs_look(&view, CS_PHASE_REVERSE, did->reverse_with, dot, &args, why);
	if (rc != CS_OK)
		return rc;
	if (args == NULL)
		args = json_object();
	const cs_function *fn = cs_call_function(r, s, f);
	CS_AUTOJSON json_t *bad = cs_schema_complaint(fn->input, args, "The input", f->task->ref);
	if (bad != NULL)
		return cs_err_set(why, CS_EINVAL, "%s", cs_json_str_or(bad, "detail", ""));
	cs_json_put(&f->call->args, args);
	return CS_OK;
}

int cs_reversal_done(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_reversal *v = find(r, cs_call_reverses(f->call));
	json_t *data = v != NULL ? said_of(v) : json_pack("{s:s}", "key", cs_call_reverses(f->call));
	return cs_run_write(r, s, "reversal.reversed", f->task, f->occurrence, data, err);
}

int cs_reversal_fail(cs_run *r, cs_step *s, cs_frame *f, json_t *error, cs_err *err)
{
	int rc = cs_items_withdraw(r, s, f, err);
	return rc != CS_OK ? rc : cs_run_write(r, s, "reversal.failed", f->task, f->occurrence,
					       json_pack("{s:s, s:O}", "key", cs_call_reverses(f->call), "error", error), err);
}

bool cs_reversals_left(const cs_run *r)
{
	for (size_t i = 0; i < r->n_reversals; i++)
		if (r->reversals[i].state == CS_REVERSAL_REGISTERED)
			return true;
	return false;
}

json_t *cs_reversals_said(const cs_run *r)
{
	json_t *all = json_array();
	for (size_t i = 0; i < r->n_reversals; i++) {
		const cs_reversal *v = &r->reversals[i];
		const cs_task *t = &r->flow->tasks[v->task];
		if (v->state == CS_REVERSAL_REGISTERED)
			json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:I}", "key", v->key, "run", v->run[0] != '\0' ? v->run : r->id,
							     "name", v->run[0] != '\0' ? v->name : t->name, "seq", (json_int_t)v->seq));
	}
	return all;
}

/* ---- the walk back -------------------------------------------------------------------------------------------- */

/* The latest that is still to be taken back, in reverse order of completion. */
static cs_reversal *latest(const cs_run *r, cs_reversal_state state)
{
	for (size_t i = r->n_reversals; i-- > 0;) {
		cs_reversal *v = &r->reversals[i];
		bool own = r->led_by[0] == '\0' || v->run[0] == '\0';
		if (v->state == state && own && (r->only[0] == '\0' || strcmp(r->only, v->key) == 0) && (r->within < 0 || r->within == v->task))
			return v;
	}
	return NULL;
}

/* Has the run of V take it back. One that is at it by itself goes on first: this is asked again when it ends. */
static int ask_there(cs_run *r, cs_step *s, const cs_reversal *v, cs_err *err)
{
	char key[CS_HEX_SIZE];
	bool done = false;
	cs_err why = { 0 };
	memcpy(key, v->key, sizeof key);
	int rc = s->sub_reverse != NULL ? s->sub_reverse(s->ctx, r, v->run, key, NULL, &done, &why) :
				      cs_err_set(&why, CS_EUNSUPPORTED, "no other run can be reached here");
	if (rc == CS_OK)
		return done ? cs_run_reversal_ended(r, s, key, NULL, err) : CS_OK;
	if (rc != CS_EREFUSED && rc != CS_ENOTFOUND && rc != CS_EUNSUPPORTED)
		return cs_err_set(err, rc, "%s", why.msg);
	CS_AUTOJSON json_t *error = cs_error_new("configuration", why.msg, r->flow->tasks[v->task].ref);
	return cs_run_reversal_ended(r, s, key, error, err);
}

/* What an awaited run did, that run takes back; this one's list says when. */
static int begin_there(cs_run *r, cs_step *s, cs_reversal *v, cs_err *err)
{
	json_t *data = said_of(v);
	json_object_set_new(data, "n", json_integer((json_int_t)v->tries + 1));
	int rc = cs_run_write(r, s, "reversal.begun", &r->flow->tasks[v->task], v->occurrence, data, err);
	return rc != CS_OK ? rc : ask_there(r, s, v, err);
}

int cs_run_reversal_ended(cs_run *r, cs_step *s, const char *key, json_t *error, cs_err *err)
{
	const cs_reversal *v = find(r, key);
	if (v == NULL || v->state != CS_REVERSAL_OPEN || v->run[0] == '\0')
		return CS_OK;            /* nobody here waits for it */
	json_t *data = said_of(v);
	if (error != NULL)
		json_object_set(data, "error", error);
	return cs_run_write(r, s, error != NULL ? "reversal.failed" : "reversal.reversed", &r->flow->tasks[v->task], v->occurrence, data, err);
}

/* One that another run is at; NULL: none. */
static const cs_reversal *awaited_of(const cs_run *r)
{
	for (size_t i = 0; i < r->n_reversals; i++)
		if (r->reversals[i].state == CS_REVERSAL_OPEN && r->reversals[i].run[0] != '\0')
			return &r->reversals[i];
	return NULL;
}

static int begin(cs_run *r, cs_step *s, cs_reversal *v, cs_err *err)
{
	const cs_task *t = &r->flow->tasks[v->task];
	if (v->run[0] != '\0')
		return begin_there(r, s, v, err);
	const cs_function *did = s->function(s->ctx, r, t->call);
	if (did != NULL && did->reverse_call != NULL) {
		json_t *data = said_of(v);
		json_object_set_new(data, "call", json_string(did->reverse_call));
		json_object_set_new(data, "n", json_integer((json_int_t)v->tries + 1));
		return cs_run_write(r, s, "reversal.begun", t, v->occurrence, data, err);
	}
	CS_AUTOFREE char *text = cs_xasprintf("what takes %s back is not declared any more; declare it again and retry, or waive it", t->call);
	CS_AUTOJSON json_t *error = cs_error_new("configuration", text, t->ref);
	return cs_run_write(r, s, "reversal.failed", t, v->occurrence, json_pack("{s:s, s:O}", "key", v->key, "error", error), err);
}

/* The operator decides: once more, or leave it. */
static int stick(cs_run *r, cs_step *s, const cs_reversal *v, cs_err *err)
{
	const cs_task *t = &r->flow->tasks[v->task];
	char id[CS_ID_SIZE];
	int rc = cs_run_write(r, s, "run.stuck", NULL, 0, json_pack("{s:O?, s:s}", "error", v->error, "task", t->ref), err);
	if (rc != CS_OK)
		return rc;
	if (r->led_by[0] != '\0')        /* whose list it is says so, and asks */
		return s->sub_reversed(s->ctx, r, v->key, v->error, err);
	s->new_id(s->ctx, id);
	CS_AUTOFREE char *title = v->run[0] == '\0' ? cs_xasprintf("%s: %s could not be taken back", r->flow->name, t->name) :
		cs_xasprintf("%s: %s of run %s could not be taken back", r->flow->name, v->name, v->run);
	return cs_run_write(r, s, "item.opened", NULL, 0,
			    json_pack("{s:s, s:s, s:s, s:s, s:O?, s:s, s:s}", "item", id, "kind", "fault", "title", title, "next", "retry",
				      "error", v->error, "at", t->ref, "action",
				      "Look at what is there outside; then `capstan retry RUN`, or take it back by hand and `capstan waive RUN --note WHY`."), err);
}

/* All is taken back. A fault that led here is not passed over in silence. */
static int end(cs_run *r, cs_step *s, cs_err *err)
{
	json_t *data = json_pack("{s:O*, s:O*}", "error", r->error, "output", r->output);
	int rc = cs_run_write(r, s, "run.compensated", NULL, 0, data, err);
	if (rc == CS_OK && r->led_by[0] != '\0')
		return s->sub_reversed(s->ctx, r, r->only, NULL, err);
	if (rc != CS_OK || r->error == NULL)
		return rc;
	char id[CS_ID_SIZE];
	s->new_id(s->ctx, id);
	CS_AUTOFREE char *title = cs_xasprintf("%s faulted and what it did is taken back: %.200s", r->flow->name, cs_json_str_or(r->error, "title", "error"));
	return cs_run_write(r, s, "item.opened", NULL, 0,
			    json_pack("{s:s, s:s, s:s, s:s, s:O}", "item", id, "kind", "notice", "title", title, "next", "dismiss", "error", r->error), err);
}

static int step_back(cs_run *r, cs_step *s, cs_err *err)
{
	const cs_reversal *stuck = latest(r, CS_REVERSAL_STUCK);
	if (stuck != NULL)
		return stick(r, s, stuck, err);
	cs_reversal *next = latest(r, CS_REVERSAL_REGISTERED);
	return next != NULL ? begin(r, s, next, err) : end(r, s, err);
}

/* Runs further in that are not over come first: what they did is in this list then. */
static int next_back(cs_run *r, cs_step *s, cs_err *err)
{
	bool clear = true;
	if (awaited_of(r) != NULL)
		return ask_there(r, s, awaited_of(r), err);
	int rc = cs_below_end(r, s, &clear, err);
	return rc == CS_OK && clear ? step_back(r, s, err) : rc;
}

int cs_step_compensate(cs_run *r, cs_step *s, bool *ret_more, cs_err *err)
{
	bool clear = true;
	int64_t before = r->last_seq;
	int rc = CS_OK;
	if (r->root->child != NULL && !cs_frame_reverses(r->root->child)) {
		rc = cs_step_cancel(r, s, r->root, &clear, err);
		if (rc == CS_OK && clear)
			rc = cs_items_withdraw(r, s, NULL, err);
		if (rc != CS_OK || !clear)
			return rc;
	}
	if (r->root->child != NULL)
		rc = cs_step_call(r, s, r->root->child, err);
	else
		rc = next_back(r, s, err);
	*ret_more = rc == CS_OK && r->state == CS_RUN_COMPENSATING && r->last_seq != before &&
		    (r->root->child == NULL || r->root->child->call->phase == CS_CALL_PLANNED);
	return rc == CS_EAGAIN ? CS_OK : rc;
}

/* ---- the operator ----------------------------------------------------------------------------------------------- */

int cs_items_close_faults(cs_run *r, cs_step *s, const char *how, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = r->n_items; rc == CS_OK && i-- > 0;)
		if (strcmp(r->items[i]->kind, "fault") == 0)
			rc = cs_run_write(r, s, "item.closed", NULL, 0,
					  json_pack("{s:s, s:s, s:s}", "item", r->items[i]->id, "how", how, "by", s->actor != NULL ? s->actor : "engine"), err);
	return rc;
}

/* The latest of one task, by its reference or its name. */
static const cs_reversal *of_task(const cs_run *r, const char *task)
{
	for (size_t i = r->n_reversals; i-- > 0;) {
		const cs_reversal *v = &r->reversals[i];
		const cs_task *t = &r->flow->tasks[v->task];
		if (v->state == CS_REVERSAL_REGISTERED && (strcmp(t->ref, task) == 0 || strcmp(t->name, task) == 0))
			return v;
	}
	return NULL;
}

/* The task of which all that its runs did is meant; NULL: none. */
static const cs_task *within_of(const cs_run *r, const char *task, const cs_reversal *v)
{
	for (size_t i = 0; v == NULL && task != NULL && i < r->n_below; i++) {
		const cs_task *t = &r->flow->tasks[r->below[i].task];
		if (strcmp(t->ref, task) == 0 || strcmp(t->name, task) == 0)
			return t;
	}
	return v != NULL && v->run[0] != '\0' ? &r->flow->tasks[v->task] : NULL;
}

int cs_run_rollback(cs_run *r, cs_step *s, const json_t *args, cs_err *err)
{
	const char *task = cs_json_str(args, "task"), *why = cs_json_str(args, "why");
	const cs_reversal *v = task != NULL ? of_task(r, task) : NULL;
	const cs_task *within = within_of(r, task, v);
	bool left = cs_reversals_left(r) || r->n_below > 0;
	if (task != NULL && v == NULL && within == NULL)
		return cs_err_set(err, CS_EREFUSED, "nothing that %s did can be taken back; `capstan trace` shows what can", task);
	if (!left && (r->state == CS_RUN_COMPENSATED || r->state == CS_RUN_CANCELLED))
		return cs_err_set(err, CS_EREFUSED, "illegal-transition: a run that is %s, of which nothing is left to be taken back, cannot rollback",
				  cs_run_state_name(r->state));
	if (!left)
		return cs_err_set(err, CS_EREFUSED, "nothing that this run did can be taken back: no operation it used declares a `reverse`, or all is taken back");
	json_t *data = json_pack("{s:s}", "why", "rollback");
	if (within != NULL)              /* all that the runs of that task did */
		json_object_set_new(data, "within", json_string(within->ref));
	else if (v != NULL)
		json_object_set_new(data, "only", json_string(v->key));
	if (why != NULL)
		json_object_set_new(data, "note", json_string(why));
	int rc = cs_run_write(r, s, "run.compensating", NULL, 0, data, err);
	return rc != CS_OK ? rc : cs_items_close_faults(r, s, "rolled back", err);
}

/* The operator leaves V as it is; where another run did it, that run hears so too. */
static int waive_one(cs_run *r, cs_step *s, const cs_reversal *v, const char *why, cs_err *err)
{
	char key[CS_HEX_SIZE], run[CS_ID_SIZE];
	bool done = false;
	cs_err not = { 0 };
	memcpy(key, v->key, sizeof key);
	memcpy(run, v->run, sizeof run);
	json_t *data = said_of(v);
	json_object_set_new(data, "why", json_string(why));
	int rc = cs_run_write(r, s, "reversal.waived", &r->flow->tasks[v->task], v->occurrence, data, err);
	if (rc != CS_OK || run[0] == '\0' || s->sub_reverse == NULL)
		return rc;
	rc = s->sub_reverse(s->ctx, r, run, key, why, &done, &not);
	return rc == CS_OK || rc == CS_EREFUSED || rc == CS_ENOTFOUND ? CS_OK : cs_err_set(err, rc, "%s", not.msg);
}

int cs_run_unstick(cs_run *r, cs_step *s, const json_t *args, bool waive, cs_err *err)
{
	const cs_reversal *v = latest(r, CS_REVERSAL_STUCK);
	const char *why = cs_json_str(args, "why");
	if (r->led_by[0] != '\0')
		return cs_err_set(err, CS_EREFUSED, "it takes this back for the run %s: `capstan retry %s`, or `capstan waive %s --note WHY`", r->led_by,
				  r->led_by, r->led_by);
	if (v == NULL)
		return cs_err_set(err, CS_EINTERNAL, "nothing of this run is stuck");
	if (waive && (why == NULL || why[0] == '\0'))
		return cs_err_set(err, CS_EINVAL, "to leave it as it is needs a reason; give it with --note");
	int rc = waive ? waive_one(r, s, v, why, err) : CS_OK;
	if (rc == CS_OK)
		rc = cs_run_write(r, s, "run.compensating", NULL, 0, json_pack("{s:s}", "why", waive ? "waive" : "retry"), err);
	return rc != CS_OK ? rc : cs_items_close_faults(r, s, waive ? "waived" : "retried", err);
}

static int may_take_back(const cs_run *r, cs_err *err)
{
	if (r->state == CS_RUN_STUCK)
		return cs_err_set(err, CS_EREFUSED, "the run %s is stuck with what it takes back itself: `capstan retry %s`, or `capstan waive %s --note WHY`; "
				  "then retry here", r->id, r->id, r->id);
	return cs_run_require(r, "rollback", err);
}

int cs_run_take_back(cs_run *r, cs_step *s, const char *root, const char *key, const char *why, bool *ret_done, cs_err *err)
{
	const cs_reversal *v = find(r, key);
	bool again = r->state == CS_RUN_STUCK && strcmp(r->led_by, root) == 0;
	*ret_done = false;
	if (v == NULL || v->run[0] != '\0')
		return cs_err_set(err, CS_ENOTFOUND, "the run %s knows of nothing to take back under the key %.12s", r->id, key);
	*ret_done = v->state == CS_REVERSAL_REVERSED || v->state == CS_REVERSAL_WAIVED;
	if (*ret_done || (r->state == CS_RUN_COMPENSATING && why == NULL))
		return CS_OK;
	int rc = again ? cs_run_own(r, err) : may_take_back(r, err);
	if (rc == CS_OK && why != NULL)
		rc = waive_one(r, s, v, why, err);
	if (rc != CS_OK || (why != NULL && !again))
		return rc;
	rc = cs_run_write(r, s, "run.compensating", NULL, 0, json_pack("{s:s, s:s, s:s}", "why", "root", "root", root, "only", key), err);
	return rc != CS_OK ? rc : cs_items_close_faults(r, s, "rolled back", err);
}
