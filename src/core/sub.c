/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks that start runs of their own: begun in the group of their task.started, awaited or not, and
 * led along when the run that started them is paused, resumed, cancelled or taken up again. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"
#include "core/record.h"

/* ---- beginning ----------------------------------------------------------------------------------------- */

/* How the run stands that the operator's retry of this task takes up again; CS_ENOTFOUND: there is
 * none, or none that can go on. */
static int look_again(cs_step *s, const cs_frame *seq, cs_sub_state *ret, json_t **ret_end, cs_err *err)
{
	if (seq->sub_again[0] == '\0')
		return CS_ENOTFOUND;
	cs_err why = { 0 };
	int rc = s->sub_look(s->ctx, seq->sub_again, ret, ret_end, &why);
	if (rc != CS_OK && rc != CS_ENOTFOUND)
		return cs_err_set(err, rc, "%s", why.msg);
	bool dead = rc == CS_OK && (ret->state == CS_RUN_CANCELLED || ret->state == CS_RUN_COMPENSATED || (ret->state == CS_RUN_FAULTED && !ret->can_retry));
	return dead ? CS_ENOTFOUND : rc;
}

/* A task that is begun again by the operator goes on with the run that it had. */
static int go_on(cs_run *r, cs_step *s, const char *id, const cs_sub_state *st, json_t *end, cs_err *err)
{
	if (st->state == CS_RUN_COMPLETED)
		return cs_run_sub_ended(r, s, id, json_incref(end), err);
	if (st->state == CS_RUN_FAULTED)
		return s->sub_control(s->ctx, r, id, "retry", err);
	return st->state == CS_RUN_PAUSED ? s->sub_control(s->ctx, r, id, "resume", err) : CS_OK;
}

static int raise_why(cs_run *r, cs_step *s, const cs_task *t, int occurrence, const char *why, cs_err *err)
{
	CS_AUTOJSON json_t *error = cs_error_new("configuration", why, t->ref);
	return cs_step_raise(r, s, t, occurrence, error, err);
}

/* What a replay's run is a replay of; "" nothing. */
static const char *recorded(const cs_run *r, const cs_task *t, int occurrence)
{
	cs_recorded rec = { 0 };
	if (!r->shadow || cs_record_find(r->record, t->ref, occurrence, &rec) != CS_OK)
		return "";
	return rec.run != NULL ? rec.run : "";
}

int cs_step_sub_begin(cs_run *r, cs_step *s, const cs_sub_start *b, json_t *data, cs_err *err)
{
	CS_AUTOJSON json_t *started = data;
	CS_AUTOJSON json_t *end = NULL;
	cs_sub_state st = { 0 };
	cs_sub_order o = { .task = b->task, .occurrence = b->occurrence, .input = b->input, .tainted = b->tainted,
			   .replays = recorded(r, b->task, b->occurrence) };
	cs_err why = { 0 };
	if (s->sub_find == NULL)
		return raise_why(r, s, b->task, b->occurrence, "no other flow can be run here", err);
	int rc = look_again(s, b->seq, &st, &end, err);
	if (rc != CS_OK && rc != CS_ENOTFOUND)
		return rc;
	bool again = rc == CS_OK;
	if (!again && s->sub_find(s->ctx, r, b->task, b->input, o.definition, &why) != CS_OK)
		return raise_why(r, s, b->task, b->occurrence, why.msg, err);
	if (again)
		memcpy(o.id, b->seq->sub_again, sizeof o.id);
	else
		s->new_id(s->ctx, o.id);
	json_object_set_new(started, "run", json_string(o.id));
	json_object_set(started, "args", b->input);
	if (again)
		json_object_set_new(started, "again", json_true());
	rc = cs_run_write(r, s, "task.started", b->task, b->occurrence, json_incref(started), err);
	if (rc != CS_OK)
		return rc;
	return again ? go_on(r, s, o.id, &st, end, err) : s->sub_begin(s->ctx, r, &o, err);
}

/* ---- its end ------------------------------------------------------------------------------------------- */

static int raise_end(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	CS_AUTOJSON json_t *error = NULL;
	json_t *own = json_object_get(f->sub_end, "error");
	if (own != NULL) {
		error = json_incref(own);
	} else {
		CS_AUTOFREE char *text = cs_xasprintf("the run %s is %s", f->sub_id, cs_json_str_or(f->sub_end, "state", "over"));
		error = cs_error_new("runtime", text, f->task->ref);
	}
	return cs_step_raise(r, s, f->task, f->occurrence, error, err);
}

int cs_step_sub(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	cs_view_of v = cs_call_view(r, s, f);
	if (!f->task->sub->await)
		return cs_step_finish(&v, f->occurrence, f->input, f->input_tainted, NULL, err);
	if (f->sub_end == NULL)
		return CS_OK;
	if (strcmp(cs_json_str_or(f->sub_end, "state", ""), "completed") != 0)
		return raise_end(r, s, f, err);
	json_t *output = json_object_get(f->sub_end, "output");
	CS_AUTOJSON json_t *given = f->task->sub->silent || output == NULL ? json_null() : json_incref(output);
	return cs_step_finish(&v, f->occurrence, given, cs_json_true(f->sub_end, "tainted"), NULL, err);
}

bool cs_frame_sub_open(const cs_frame *f)
{
	return f->sub_id[0] != '\0' && f->sub_end == NULL && f->task->sub->await;
}

int cs_run_sub_ended(cs_run *r, cs_step *s, const char *id, json_t *end, cs_err *err)
{
	CS_AUTOJSON json_t *data = end;
	for (int i = 0; i < r->flow->n_tasks && r->flow->n_subs > 0; i++) {
		const cs_frame *f = r->live[i];
		if (f == NULL || !cs_frame_sub_open(f) || strcmp(f->sub_id, id) != 0)
			continue;
		json_object_set_new(data, "run", json_string(id));
		int rc = cs_run_write(r, s, "child.ended", f->task, f->occurrence, json_incref(data), err);
		return rc == CS_EAGAIN ? CS_OK : rc;     /* too large: the task is faulted instead */
	}
	return CS_OK;
}

/* ---- led along ----------------------------------------------------------------------------------------- */

int cs_run_subs_control(cs_run *r, cs_step *s, const char *verb, cs_err *err)
{
	int rc = CS_OK;
	for (int i = 0; rc == CS_OK && r->flow->n_subs > 0 && i < r->flow->n_tasks; i++)
		if (r->live[i] != NULL && cs_frame_sub_open(r->live[i]))
			rc = s->sub_control(s->ctx, r, r->live[i]->sub_id, verb, err);
	return rc;
}

int cs_run_subs_look(cs_run *r, cs_step *s, cs_err *err)
{
	int rc = CS_OK;
	for (int i = 0; rc == CS_OK && r->flow->n_subs > 0 && i < r->flow->n_tasks; i++) {
		cs_frame *f = r->live[i];
		CS_AUTOJSON json_t *end = NULL;
		cs_sub_state st = { 0 };
		if (f == NULL || !cs_frame_sub_open(f))
			continue;
		rc = s->sub_look(s->ctx, f->sub_id, &st, &end, err);
		if (rc == CS_OK && end != NULL)
			rc = cs_run_sub_ended(r, s, f->sub_id, json_incref(end), err);
	}
	return rc;
}

int cs_step_sub_end(cs_run *r, cs_step *s, cs_frame *f, bool *ret_clear, cs_err *err)
{
	if (!cs_frame_sub_open(f))
		return CS_OK;
	*ret_clear = false;
	return s->sub_control(s->ctx, r, f->sub_id, "cancel", err);
}

json_t *cs_run_end_data(const cs_run *r)
{
	if (!cs_run_state_terminal(cs_run_state_name(r->state)))
		return NULL;
	json_t *end = json_pack("{s:s}", "state", cs_run_state_name(r->state));
	if (r->state == CS_RUN_COMPLETED)
		json_object_set(end, "output", r->output);
	if (r->state == CS_RUN_FAULTED)
		json_object_set(end, "error", r->error);
	/* An output is made of what the tasks gave, of the context, or of what came in. */
	bool tasks = r->root != NULL && (r->root->last_tainted || json_object_size(r->root->tainted) > 0);
	if (r->input_tainted || r->context_tainted || tasks)
		json_object_set_new(end, "tainted", json_true());
	if (cs_reversals_left(r))
		json_object_set_new(end, "reversals", cs_reversals_said(r));
	CS_AUTOJSON json_t *open = cs_below_said(r);
	if (json_array_size(open) > 0)
		json_object_set(end, "open", open);
	return end;
}

bool cs_run_sub_is_open(const cs_run *r)
{
	for (int i = 0; r->flow->n_subs > 0 && i < r->flow->n_tasks; i++)
		if (r->live[i] != NULL && cs_frame_sub_open(r->live[i]))
			return true;
	return false;
}
