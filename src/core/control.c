/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The beginning of a run, and the operator's pause, resume, cancel and retry. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

/* input.schema and input.from of the flow; an input that breaks them faults the run at once. */
static int start(cs_run *r, cs_step *s, cs_err *err)
{
	int rc = CS_OK;
	CS_AUTOJSON json_t *error = cs_schema_complaint(r->flow->input_schema, r->input, "The input", "/input");
	CS_AUTOJSON json_t *start = NULL;
	if (error == NULL && r->flow->input_from != NULL) {
		cs_view_of v = { .r = r, .s = s, .seq = r->root, .memo = r->root, .raw = r->input };
		cs_err why = { 0 };
		rc = cs_look(&v, CS_PHASE_INPUT, r->flow->input_from, r->input, &start, &why);
		if (rc == CS_EAGAIN)
			return CS_EAGAIN;
		if (rc != CS_OK)
			error = cs_error_new("expression", why.msg, "/input/from");
	}
	int64_t ms = 0;
	if (error == NULL && r->flow->timeout != NULL) {
		CS_AUTOJSON json_t *value = NULL;
		cs_view_of v = { .r = r, .s = s, .seq = r->root, .memo = r->root, .raw = r->input };
		cs_err why = { 0 };
		rc = cs_look(&v, CS_PHASE_TIMEOUT, r->flow->timeout, r->input, &value, &why);
		if (rc == CS_EAGAIN)
			return CS_EAGAIN;
		if (rc == CS_OK)
			rc = cs_duration_value(value, &ms, &why);
		if (rc != CS_OK)
			error = cs_error_new("expression", why.msg, "/timeout/after");
	}
	if (error != NULL)
		return cs_run_write_fault(r, s, error, "/input", "dismiss", err);
	json_t *data = json_object();
	if (start != NULL)
		json_object_set(data, "input", start);
	if (r->flow->timeout != NULL)
		json_object_set_new(data, "deadline", json_integer(s->now + ms));
	if (r->clock > 0)
		json_object_set_new(data, "clock", json_integer(r->clock));
	return cs_run_write(r, s, "run.started", NULL, 0, data, err);
}

int cs_step_start(cs_run *r, cs_step *s, cs_err *err)
{
	bool may = s->may_start == NULL || s->may_start(s->ctx, r);
	return may ? start(r, s, err) : CS_OK;       /* others are before it */
}

int cs_run_begin(cs_run *r, cs_step *s, json_t *created, cs_err *err)
{
	int rc = cs_run_write(r, s, "run.created", NULL, 0, json_incref(created), err);
	if (rc != CS_OK)
		return rc;
	rc = cs_step_start(r, s, err);
	return rc == CS_EAGAIN ? CS_OK : rc;
}

static int pause_run(cs_run *r, cs_step *s, const json_t *args, cs_err *err)
{
	(void)args;
	const char *type = cs_frame_effect_open(r->root) ? "run.pausing" : "run.paused";
	int rc = cs_run_write(r, s, type, NULL, 0, NULL, err);
	return rc != CS_OK ? rc : cs_run_subs_control(r, s, "pause", err);
}

static int resume_run(cs_run *r, cs_step *s, const json_t *args, cs_err *err)
{
	(void)args;
	int rc = cs_run_write(r, s, "run.resumed", NULL, 0, NULL, err);
	return rc != CS_OK ? rc : cs_run_subs_control(r, s, "resume", err);
}

static int cancel_run(cs_run *r, cs_step *s, const json_t *args, cs_err *err)
{
	json_t *data = json_object();
	const char *why = cs_json_str(args, "why");
	if (why != NULL)
		json_object_set_new(data, "reason", json_string(why));
	return cs_run_write(r, s, "run.cancelling", NULL, 0, data, err);
}

static int retry_run(cs_run *r, cs_step *s, const json_t *args, cs_err *err)
{
	if (r->state == CS_RUN_STUCK)
		return cs_run_unstick(r, s, args, false, err);
	if (r->start == NULL)
		return cs_err_set(err, CS_EREFUSED, "its input broke the flow's schema: start a new run with another input");
	static const char *const kept[] = { "why", "batch" };
	json_t *data = json_object();
	for (size_t i = 0; i < CS_ARRAY_LEN(kept); i++)
		if (cs_json_str(args, kept[i]) != NULL)
			json_object_set(data, kept[i], json_object_get(args, kept[i]));
	int rc = cs_run_write(r, s, "run.retried", NULL, 0, data, err);
	if (rc == CS_OK)
		rc = cs_items_close_faults(r, s, "retried", err);
	if (rc == CS_OK)
		rc = cs_run_subs_look(r, s, err);
	return rc != CS_OK ? rc : cs_run_subs_control(r, s, "resume", err);
}

static int waive_run(cs_run *r, cs_step *s, const json_t *args, cs_err *err)
{
	return cs_run_unstick(r, s, args, true, err);
}

int cs_run_own(const cs_run *r, cs_err *err)
{
	if (!r->imported)
		return CS_OK;
	return cs_err_set(err, CS_EREFUSED, "the run %s was imported from another workspace: it can be shown, traced, compared and replayed here, and "
			  "is never gone on with; `capstan replay %s` runs it again, sending nothing", r->id, r->id);
}

int cs_run_require(const cs_run *r, const char *verb, cs_err *err)
{
	const char *state = cs_run_state_name(r->state);
	int rc = cs_run_own(r, err);
	if (rc != CS_OK || cs_machine_allows(&cs_machine_run, state, verb))
		return rc;
	/* No verb is for a run that is ending; what it waits for may be an answer. */
	for (size_t i = 0; (r->state == CS_RUN_COMPENSATING || r->state == CS_RUN_CANCELLING) && i < r->n_items; i++)
		if (strcmp(r->items[i]->kind, "in-doubt") == 0 && strcmp(r->items[i]->state, "open") == 0)
			return cs_err_set(err, CS_EREFUSED, "illegal-transition: a run that is %s cannot %s; possible: the answer that it waits for, "
					  "`capstan resolve %s happened|did-not|repeat`", state, verb, r->items[i]->id);
	return cs_machine_require(&cs_machine_run, state, verb, err);
}

int cs_run_control(cs_run *r, cs_step *s, const char *verb, const json_t *args, cs_err *err)
{
	static const struct {
		const char *verb;
		int (*act)(cs_run *r, cs_step *s, const json_t *args, cs_err *err);
	} verbs[] = {
		{ "pause", pause_run }, { "resume", resume_run }, { "cancel", cancel_run }, { "retry", retry_run },
		{ "rollback", cs_run_rollback }, { "waive", waive_run },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].verb, verb) != 0)
			continue;
		int rc = cs_run_require(r, verb, err);
		return rc != CS_OK ? rc : verbs[i].act(r, s, args, err);
	}
	return cs_err_set(err, CS_EINVAL, "a run has no verb %s", verb);
}
