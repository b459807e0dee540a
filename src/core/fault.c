/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors on their way up: which try takes them, what ends on the way, and the end of what is
 * cancelled. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

/* ---- cancelling --------------------------------------------------------------------------------------- */

int cs_items_withdraw(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	for (size_t i = r->n_items; i-- > 0;) {
		if (i >= r->n_items)
			continue;
		const cs_item *item = r->items[i];
		if (f != NULL && item->task != f->task->id)
			continue;
		if (strcmp(item->state, "open") == 0)
			continue;        /* a notice or a doubt outlives the run */
		const cs_task *t = item->task >= 0 ? &r->flow->tasks[item->task] : NULL;
		int rc = cs_run_write(r, s, "approval.withdrawn", t, t != NULL && r->live[t->id] != NULL ? r->live[t->id]->occurrence : 0,
				      json_pack("{s:s}", "item", item->id), err);
		if (rc != CS_OK)
			return rc;
	}
	return CS_OK;
}

int cs_step_end_inside(cs_run *r, cs_step *s, cs_frame *f, bool *ret_clear, cs_err *err)
{
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++) {
		bool clear = true;
		int rc = cs_step_cancel(r, s, f->kids[i], &clear, err);
		if (rc != CS_OK)
			return rc;
		*ret_clear = *ret_clear && clear;
	}
	int rc = cs_step_cancel(r, s, f, ret_clear, err);
	if (rc != CS_OK || !*ret_clear)
		return rc;
	rc = cs_attempt_give_up(r, s, f, ret_clear, err);
	if (rc == CS_OK && *ret_clear)
		rc = cs_step_sub_end(r, s, f, ret_clear, err);
	if (rc != CS_OK || !*ret_clear)
		return rc;
	if (f->call != NULL && (rc = cs_items_withdraw(r, s, f, err)) != CS_OK)
		return rc;
	if (f->timer[0] == '\0')
		return CS_OK;
	return cs_run_write(r, s, "timer.cancelled", f->task, f->occurrence, json_pack("{s:s}", "timer", f->timer), err);
}

static int cancel_task(cs_run *r, cs_step *s, cs_frame *f, bool *ret_clear, cs_err *err)
{
	int rc = cs_step_end_inside(r, s, f, ret_clear, err);
	if (rc == CS_OK && *ret_clear && f->call != NULL && f->call->phase == CS_CALL_DONE)
		rc = cs_reversal_register(r, s, f, f->call->result, err);     /* it happened, whoever wants to know */
	if (rc != CS_OK || !*ret_clear)
		return rc;
	return cs_run_write(r, s, "task.cancelled", f->task, f->occurrence, NULL, err);
}

int cs_step_cancel(cs_run *r, cs_step *s, cs_frame *f, bool *ret_clear, cs_err *err)
{
	if (f == NULL)
		return CS_OK;
	f->stopped = true;
	if (f->child == NULL)
		return CS_OK;
	return cancel_task(r, s, f->child, ret_clear, err);
}

/* ---- catching ------------------------------------------------------------------------------------------ */

/* Every member of the filter equals the error's; types by their aliases. */
static bool filter_matches(const json_t *filter, const json_t *error)
{
	const char *name;
	json_t *want;
	json_object_foreach((json_t *)(uintptr_t)filter, name, want) {
		const json_t *have = json_object_get(error, name);
		if (strcmp(name, "type") == 0 && json_is_string(want) && json_is_string(have)) {
			if (!cs_error_type_equal(json_string_value(want), json_string_value(have)))
				return false;
		} else if (have == NULL || !cs_json_equal(want, have)) {
			return false;
		}
	}
	return true;
}

static int condition(cs_view_of *v, const cs_template *t, bool want, bool *ret, cs_err *why)
{
	bool yes = want;
	int rc = t == NULL ? CS_OK : cs_look_true(v, CS_PHASE_CATCH, t, v->input, &yes, why);
	if (rc == CS_OK && yes != want)
		*ret = false;
	return rc;
}

static int catches(cs_run *r, cs_step *s, cs_frame *f, json_t *error, bool *ret, cs_err *why)
{
	const cs_catch *c = f->task->catch;
	CS_AUTOJSON json_t *extra = json_pack("{s:O}", c->as, error);
	cs_view_of v = { .r = r, .s = s, .seq = f, .memo = f, .task = f->task, .raw = f->raw, .input = f->input, .extra = extra };
	CS_AUTOJSON json_t *filter = NULL;
	*ret = true;
	int rc = c->with == NULL ? CS_OK : cs_look(&v, CS_PHASE_CATCH, c->with, f->input, &filter, why);
	if (rc != CS_OK)
		return rc;
	if (filter != NULL && !filter_matches(filter, error)) {
		*ret = false;
		return CS_OK;
	}
	rc = condition(&v, c->when, true, ret, why);
	if (rc == CS_OK && *ret)
		rc = condition(&v, c->except_when, false, ret, why);
	return rc;
}

static int64_t backed_off(const cs_catch *c, unsigned done)
{
	int64_t delay = c->retry_delay_ms;
	if (c->retry_backoff == 1)
		delay *= (int64_t)done + 1;
	for (unsigned i = 0; c->retry_backoff == 2 && i < done && delay < INT64_C(86400000); i++)
		delay *= 2;
	return delay;
}

static int64_t retry_delay(const cs_run *r, const cs_catch *c, unsigned done)
{
	int64_t delay = backed_off(c, done);
	int64_t spread = c->jitter_to_ms - c->jitter_from_ms;
	if (c->jitter_to_ms > 0)         /* from what is recorded, so that a seed gives it again */
		delay += c->jitter_from_ms + (spread > 0 ? (r->last_seq * INT64_C(2654435761) >> 8 & 0xffffff) % spread : 0);
	return delay;
}

/* Begins the body again where the policy has tries left. */
static int may_retry(cs_run *r, cs_step *s, cs_frame *f, json_t *error, bool *ret, cs_err *why)
{
	const cs_catch *c = f->task->catch;
	*ret = false;
	if (!c->has_retry)
		return CS_OK;
	if (c->retry_attempts > 0 && f->retries >= c->retry_attempts)
		return CS_OK;
	int64_t since = f->retries > 0 ? f->retry_since : s->now;
	if (c->retry_for_ms > 0 && s->now + backed_off(c, f->retries) - since > c->retry_for_ms)
		return CS_OK;            /* it would begin when the time is over */
	CS_AUTOJSON json_t *extra = json_pack("{s:O}", c->as, error);
	cs_view_of v = { .r = r, .s = s, .seq = f, .memo = f, .task = f->task, .raw = f->raw, .input = f->input, .extra = extra };
	*ret = true;
	int rc = condition(&v, c->retry_when, true, ret, why);
	if (rc == CS_OK && *ret)
		rc = condition(&v, c->retry_except_when, false, ret, why);
	return rc;
}

/* Ends what lies between the place of the fault and the try that takes it. CS_EAGAIN: something
 * there is still open outside. */
static int unwind(cs_run *r, cs_step *s, cs_frame *from, cs_frame *to, json_t *error, cs_err *err)
{
	for (cs_frame *f = from; f != to;) {
		cs_frame *composite = cs_frame_task(f);
		cs_frame *outer = composite->parent;
		bool clear = true;
		int rc = CS_OK;
		for (int i = 0; rc == CS_OK && composite->kids != NULL && i < composite->task->n_children; i++) {
			bool one = true;
			rc = cs_step_cancel(r, s, composite->kids[i], &one, err);
			clear = clear && one;
		}
		if (rc != CS_OK || !clear)
			return rc != CS_OK ? rc : CS_EAGAIN;
		rc = cs_step_raise(r, s, composite->task, composite->occurrence, error, err);
		if (rc != CS_OK)
			return rc;
		f = outer;
	}
	return CS_OK;
}

static int take(cs_run *r, cs_step *s, cs_frame *seq, cs_frame *f, json_t *error, bool retry, cs_err *err)
{
	int rc = unwind(r, s, seq, f, error, err);
	if (rc != CS_OK)
		return rc;
	json_t *data = json_pack("{s:O, s:s}", "error", error, "as", f->task->catch->as);
	if (retry) {
		json_object_set_new(data, "due", json_integer(s->now + retry_delay(r, f->task->catch, f->retries)));
		json_object_set_new(data, "retry", json_integer(f->retries + 1));
	}
	return cs_run_write(r, s, "task.caught", f->task, f->occurrence, data, err);
}

int cs_step_fault(cs_run *r, cs_step *s, cs_frame *seq, cs_err *err)
{
	CS_AUTOJSON json_t *error = json_incref(seq->fault);
	for (cs_frame *f = seq; f != NULL; f = f->parent) {
		if (f->task == NULL || f->lane || f->task->kind != CS_TASK_TRY || f->handler)
			continue;
		bool yes = false, retry = false;
		cs_err why = { 0 };
		int rc = catches(r, s, f, error, &yes, &why);
		if (rc == CS_OK && yes)
			rc = may_retry(r, s, f, error, &retry, &why);
		if (rc == CS_EAGAIN)
			return rc;
		if (rc != CS_OK) {       /* a filter that fails is the error now, and goes on up */
			json_decref(error);
			error = cs_error_new("expression", why.msg, f->task->ref);
			continue;
		}
		bool spent = f->task->catch->has_retry && !retry && f->task->n_handler == 0;
		if (yes && !spent)
			return take(r, s, seq, f, error, retry, err);
	}
	return CS_ENOTFOUND;
}
