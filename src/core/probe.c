/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Probes: a read that asks whether an effect happened whose end is not known. It is an attempt of its own, in
 * the frame of the one that it asks about, with its own key, tries and timeout; found: that is done, absent: it
 * was not sent, no answer: it is in doubt. It asks nobody's leave: it changes nothing. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

static const cs_function *asked_about(cs_run *r, cs_step *s, const cs_frame *f)
{
	const cs_call *c = f->call->outer;
	return s->function(s->ctx, r, c->name != NULL ? c->name : f->task->call);
}

static int unknown(cs_run *r, cs_step *s, cs_frame *f, const char *why, cs_err *err)
{
	return cs_attempt_probed(r, s, f, CS_PROBED_UNKNOWN, NULL, why, err);
}

/* What it calls with, from what the other was called with. */
static int make_args(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const cs_function *did, cs_err *why)
{
	cs_view_of v = cs_call_view(r, s, f);
	CS_AUTOJSON json_t *args = NULL;
	if (f->call->args != NULL)
		return CS_OK;
	int rc = did->probe_with == NULL ? CS_OK : cs_look(&v, CS_PHASE_PROBE, did->probe_with, f->call->outer->args, &args, why);
	if (rc != CS_OK)
		return rc;
	if (args == NULL)
		args = json_object();
	CS_AUTOJSON json_t *bad = cs_schema_complaint(fn->input, args, "The probe's input", f->task->ref);
	if (bad != NULL)
		return cs_err_set(why, CS_EINVAL, "%s", cs_json_str_or(bad, "detail", ""));
	cs_json_put(&f->call->args, args);
	return CS_OK;
}

static int ask(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const cs_function *did, cs_err *err)
{
	cs_err why = { 0 };
	if (f->call->due > s->now)
		return CS_OK;
	int rc = make_args(r, s, f, fn, did, &why);
	if (rc == CS_OK)
		rc = cs_call_render(r, s, f, fn, &why);
	if (rc == CS_OK)
		rc = cs_call_credential(r, s, f, &why);
	if (rc == CS_OK)
		rc = cs_call_secrets(r, s, f, fn, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK)
		return unknown(r, s, f, why.msg, err);
	(void)cs_call_digest(r, f->call, fn);
	f->call->effect = fn->effect;
	rc = cs_step_send(r, s, f, NULL, NULL, err);
	/* Held back, and its time is over: who holds it is asked. */
	bool held = rc == CS_OK && f->call->outer != NULL && f->call->phase != CS_CALL_INTENT;
	return held && s->now >= f->call->deadline ? unknown(r, s, f, "it was held back until its time was over", err) : rc;
}

static int conclude(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const cs_function *did, cs_err *err)
{
	cs_view_of v = cs_call_view(r, s, f);
	CS_AUTOJSON json_t *result = NULL;
	cs_err why = { 0 };
	bool failed = false, found = false;
	int rc = cs_call_read(&v, fn, f->call->result, &result, &failed, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK || failed)
		return unknown(r, s, f, failed ? "its reply says that it failed (`fails`)" : why.msg, err);
	CS_AUTOJSON json_t *invalid = cs_schema_complaint(fn->output, result, "The probe's result", f->task->ref);
	if (invalid != NULL)
		return unknown(r, s, f, cs_json_str_or(invalid, "detail", "its result breaks its schema"), err);
	rc = cs_look_true(&v, CS_PHASE_FOUND, did->found, result, &found, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK)
		return unknown(r, s, f, why.msg, err);
	return cs_attempt_probed(r, s, f, found ? CS_PROBED_FOUND : CS_PROBED_ABSENT, found ? result : NULL, NULL, err);
}

int cs_step_probe(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_call *c = f->call;
	const cs_function *fn = cs_call_function(r, s, f), *did = asked_about(r, s, f);
	if (c->phase == CS_CALL_INTENT)
		return CS_OK;
	if (c->phase == CS_CALL_FAILED)
		return unknown(r, s, f, cs_json_str_or(c->error, "title", "it failed"), err);
	if (fn == NULL || did == NULL || did->found == NULL || fn->effect != CS_EFFECT_READ)
		return unknown(r, s, f, "what asks whether it happened is not declared any more", err);
	if (c->phase == CS_CALL_DONE)
		return conclude(r, s, f, fn, did, err);
	return ask(r, s, f, fn, did, err);
}

int cs_probes_step(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	int rc = CS_OK;
	if (f == NULL)
		return CS_OK;
	if (f->call != NULL && f->call->outer != NULL)
		rc = cs_step_probe(r, s, f, err);
	for (int i = 0; (rc == CS_OK || rc == CS_EAGAIN) && f->kids != NULL && i < f->task->n_children; i++)
		rc = cs_probes_step(r, s, f->kids[i], err);
	if (rc == CS_OK || rc == CS_EAGAIN)
		rc = cs_probes_step(r, s, f->child, err);
	return rc == CS_EAGAIN ? CS_OK : rc;
}
