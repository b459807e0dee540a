/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Business keys: what an operation's `once` names is done once, in whatever run. Who comes second takes the
 * first one's result, waits while that is open or in doubt, and is refused where it would do something else. */
#include <string.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

enum { VALUE_MAX = 4096 };

void cs_once_fini(cs_once *o)
{
	free(o->task);
	json_decref(o->result);
	*o = (cs_once){ .known = false };
}

bool cs_call_simulates(const cs_run *r, const cs_step *s, const cs_function *fn)
{
	return r->simulated || cs_step_dry(s, fn);
}

/* Its key: of the operation and of the value; what is simulated has keys of its own. */
static int make(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *why)
{
	cs_call *c = f->call;
	CS_AUTOJSON json_t *value = NULL;
	cs_view_of v = cs_call_view(r, s, f);
	int rc = cs_look(&v, CS_PHASE_ONCE, fn->once, c->args, &value, why);
	if (rc != CS_OK)
		return rc;
	if (json_is_null(value))
		return cs_err_set(why, CS_EINVAL, "`once` of %s gives null: without its business key it is not sent", fn->name);
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, VALUE_MAX);
	if (cs_json_canonical(value, &text) != CS_OK)
		return cs_err_set(why, CS_EINVAL, "`once` of %s gives more than %d bytes; make it shorter", fn->name, VALUE_MAX);
	CS_AUTOFREE char *whole = cs_xasprintf("once\n%s\n%s\n%s", cs_call_simulates(r, s, fn) ? "simulated" : "live", fn->name, cs_buf_str(&text));
	s->key(s->ctx, whole, c->once);
	cs_json_put(&c->once_value, value);
	return CS_OK;
}

int cs_once_look(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_once *ret, cs_err *why)
{
	cs_call *c = f->call;
	c->once[0] = '\0';
	*ret = (cs_once){ .state = CS_ONCE_FREE };
	if (fn->once == NULL || cs_frame_reverses(f))
		return CS_OK;
	int rc = make(r, s, f, fn, why);
	if (rc == CS_OK && s->once != NULL)
		rc = s->once(s->ctx, r, c->once, ret, why);
	if (rc != CS_OK)
		return rc;
	/* A try that was put off, and asked about meanwhile, waits for nobody: it is the one that is open. */
	bool mine = ret->state == CS_ONCE_OPEN && c->tries > 0 && strcmp(ret->attempt, c->key) == 0;
	if (mine)
		ret->state = CS_ONCE_FREE;
	c->once_n = ret->n + !mine;
	return CS_OK;
}

void cs_once_say(const cs_call *c, json_t *data)
{
	if (c->once[0] != '\0')
		json_object_set_new(data, "once", json_string(c->once));
}

void cs_once_say_intent(const cs_call *c, json_t *data)
{
	if (c->once[0] == '\0')
		return;
	cs_once_say(c, data);
	json_object_set_new(data, "once_n", json_integer(c->once_n));
	if (c->once_value != NULL)
		json_object_set(data, "once_value", c->once_value);
}

/* ---- what follows from it ------------------------------------------------------------------------------------ */

/* The same name for another thing is a mistake that only a person can clear up. */
static int refuse(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const cs_once *o, cs_err *err)
{
	CS_AUTOFREE char *value = cs_json_text(f->call->once_value);
	CS_AUTOFREE char *text = cs_xasprintf(
		"%s with the business key %.200s %s by run %s at %s, with another content; nothing was sent. Correct what is sent, or give it a key of its own",
		fn->name, value, o->state == CS_ONCE_DONE ? "was done" : "is under way", o->run, o->task != NULL ? o->task : "/");
	CS_AUTOJSON json_t *error = cs_error_new("validation", text, f->task->ref);
	return cs_step_raise(r, s, f->task, f->occurrence, error, err);
}

static int take_over(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const cs_once *o, cs_err *err)
{
	cs_call *c = f->call;
	c->simulated = cs_call_simulates(r, s, fn);
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s*}", "digest", c->digest, "call", fn->name, "source", "once", "class",
				 cs_effect_class_name(c->effect), "from", (json_int_t)o->seq, "of", o->run, "of_task", o->task);
	if (fn->connector != NULL)
		json_object_set_new(data, "connector", json_string(fn->connector));
	cs_once_say(c, data);
	json_object_set(data, "once_value", c->once_value);
	json_object_set(data, "result", o->result != NULL ? o->result : json_null());
	if (o->tainted)
		json_object_set_new(data, "tainted", json_true());
	if (o->probed)
		json_object_set_new(data, "probed", json_true());
	return cs_run_write(r, s, "attempt.reused", f->task, f->occurrence, data, err);
}

/* Said once, so that who looks at the run sees whom it waits for. */
static int await(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const cs_once *o, cs_err *err)
{
	if (f->call->awaits)
		return CS_OK;
	json_t *data = json_pack("{s:s, s:s, s:b, s:s*}", "call", fn->name, "of", o->run, "in_doubt", o->state == CS_ONCE_DOUBT, "of_task", o->task);
	cs_once_say(f->call, data);
	json_object_set(data, "once_value", f->call->once_value);
	return cs_run_write(r, s, "attempt.awaits", f->task, f->occurrence, data, err);
}

int cs_step_once(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, bool *ret_go, cs_err *err)
{
	CS_CLEANUP(cs_once_fini) cs_once o = { 0 };
	cs_err why = { 0 };
	int rc = cs_once_look(r, s, f, fn, &o, &why);
	*ret_go = rc == CS_OK && o.state == CS_ONCE_FREE;
	if (rc == CS_EAGAIN || *ret_go)
		return rc;
	if (rc != CS_OK)
		return cs_step_raise_expr(r, s, f->task, f->occurrence, &why, err);
	if (strcmp(o.digest, f->call->digest) != 0)
		return refuse(r, s, f, fn, &o, err);
	return o.state == CS_ONCE_DONE ? take_over(r, s, f, fn, &o, err) : await(r, s, f, fn, &o, err);
}

int cs_once_mine(cs_run *r, cs_step *s, cs_frame *f, bool *ret, cs_err *err)
{
	const cs_call *c = f->call;
	CS_CLEANUP(cs_once_fini) cs_once o = { 0 };
	if (c->once[0] == '\0' || s->once == NULL)
		return CS_OK;
	int rc = s->once(s->ctx, r, c->once, &o, err);
	*ret = rc == CS_OK && (!o.known || strcmp(o.attempt, c->key) == 0);
	if (rc != CS_OK || *ret)
		return rc;
	CS_AUTOFREE char *text = cs_xasprintf("run %s has taken up what %s was to do under the same business key; this one never left", o.run, f->task->call);
	json_t *data = json_pack("{s:s, s:o}", "key", c->key, "error", cs_error_new("runtime", text, f->task->ref));
	cs_once_say(c, data);
	return cs_run_write(r, s, "attempt.failed", f->task, f->occurrence, data, err);
}
