/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The built-in `until`: a moment worked out once, its timer, its end. */
#include "base/clock.h"
#include "base/json.h"
#include "core/frame.h"

static int arm(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	char id[CS_ID_SIZE];
	int64_t due = 0;
	cs_err why = { 0 };
	int rc = s->moment == NULL ? cs_err_set(&why, CS_EUNSUPPORTED, "no clock is at hand") : s->moment(s->ctx, f->call->args, s->now, &due, &why);
	if (rc != CS_OK) {
		CS_AUTOJSON json_t *error = cs_error_new("validation", why.msg, f->task->ref);
		return cs_step_raise(r, s, f->task, f->occurrence, error, err);
	}
	s->new_id(s->ctx, id);
	return cs_run_write(r, s, "timer.armed", f->task, f->occurrence,
			    json_pack("{s:s, s:I, s:{s:s}}", "timer", id, "due", (json_int_t)due, "what", "kind", "until"), err);
}

int cs_step_until(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_task *t = f->task;                  /* what cannot be read has ended F */
	int rc = f->timer[0] == '\0' && f->due == 0 ? arm(r, s, f, err) : CS_OK;
	if (rc != CS_OK || r->live[t->id] != f)
		return rc;
	if (f->due > s->now && !r->shadow)           /* a replay does not live through the time again */
		return CS_OK;
	char at[CS_TIME_SIZE];
	cs_time_format(f->due, at);
	CS_AUTOJSON json_t *result = json_pack("{s:s}", "at", at);
	if (f->timer[0] != '\0')
		rc = cs_run_write(r, s, "timer.fired", f->task, f->occurrence, json_pack("{s:s}", "timer", f->timer), err);
	cs_view_of v = cs_call_view(r, s, f);
	return rc != CS_OK ? rc : cs_step_finish(&v, f->occurrence, result, f->call->args_tainted, NULL, err);
}
