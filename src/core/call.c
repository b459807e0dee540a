/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A call from its arguments to its output: planned, gated, sent once, and its result taken in. */
#include <string.h>
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/copied.h"
#include "core/frame.h"
#include "core/http_request.h"
#include "core/openapi.h"

const char *cs_call_name(const cs_frame *f)
{
	return f->call != NULL && f->call->name != NULL ? f->call->name : f->task->call;
}

const char *cs_call_reverses(const cs_call *c)
{
	return c->outer != NULL ? c->outer->reverses : c->reverses;
}

bool cs_frame_reverses(const cs_frame *f)
{
	return f != NULL && f->call != NULL && cs_call_reverses(f->call)[0] != '\0';
}

const cs_function *cs_call_function(cs_run *r, cs_step *s, cs_frame *f)
{
	return s->function(s->ctx, r, cs_call_name(f));
}

const char *cs_call_performer(const cs_function *fn)
{
	return fn->performer != NULL ? fn->performer : "";
}

cs_view_of cs_call_view(cs_run *r, cs_step *s, cs_frame *f)
{
	return (cs_view_of){ .r = r, .s = s, .seq = f->parent, .memo = f, .task = f->task, .raw = f->raw, .input = f->input };
}

/* What approvals and replay compare: connector, operation, target and validated input; no key,
 * date or credentials. */
int cs_call_digest(cs_run *r, cs_call *c, const cs_function *fn)
{
	(void)r;
	CS_AUTOJSON json_t *what = json_pack("{s:s, s:O}", "call", fn->name, "input", c->args);
	if (fn->connector != NULL)
		json_object_set_new(what, "connector", json_string(fn->connector));
	if (c->request != NULL)
		json_object_set(what, "request", c->request);
	if (fn->kind == CS_FUNCTION_AGENT)
		json_object_set_new(what, "role", json_string(fn->hash));
	cs_json_digest(what, c->digest);
	return CS_OK;
}

static int raise_word(cs_run *r, cs_step *s, cs_frame *f, const char *type, const char *detail, cs_err *err)
{
	CS_AUTOJSON json_t *error = cs_error_new(type, detail, f->task->ref);
	return cs_step_raise(r, s, f->task, f->occurrence, error, err);
}

/* ---- planning --------------------------------------------------------------------------------------------- */

/* The host of `call: http` counts as named when it stands in the flow as it is. */
static bool host_written(const json_t *endpoint)
{
	const char *uri = json_is_string(endpoint) ? json_string_value(endpoint) : cs_json_str(endpoint, "uri");
	if (uri == NULL || (strncmp(uri, "http://", 7) != 0 && strncmp(uri, "https://", 8) != 0))
		return false;
	const char *host = strstr(uri, "//") + 2;
	return memchr(host, '$', strcspn(host, "/?#")) == NULL;
}

/* The operation's request, from the document that the task before it has read, or that was pinned with the flow. */
static int render_openapi(cs_run *r, cs_frame *f, cs_err *why)
{
	CS_AUTOJSON json_t *document = NULL, *request = NULL, *vars = NULL;
	const json_t *with = json_object_get(r->flow->tasks[f->task->parent].def, "with");
	const json_t *endpoint = json_object_get(json_object_get(with, "document"), "endpoint");
	const char *uri = json_is_string(endpoint) ? json_string_value(endpoint) : cs_json_str_or(endpoint, "uri", "");
	bool pinned = strncmp(uri, "file:", 5) == 0;
	int rc = cs_openapi_read(pinned ? json_object_get(r->flow->resources, uri) : f->raw, &document, why);
	if (rc == CS_OK)
		rc = cs_openapi_request(document, f->call->args, &request, &vars, why);
	if (rc != CS_OK)
		return rc;
	const char *from = cs_json_str_or(f->call->args, "document", ""), *to = cs_json_str_or(request, "endpoint", "");
	const char *host = strstr(from, "://");
	size_t n = host != NULL ? (size_t)(host + 3 - from) + strcspn(host + 3, "/?#") : 0;
	cs_http_source source = {
		.request = request, .vars = vars,
		/* The flow names the document's host, and no other; what a file names is written with the flow. */
		.host_written = pinned || (host_written(endpoint) && n > 0 && strncmp(from, to, n) == 0 && (to[n] == '/' || to[n] == '\0')),
	};
	return cs_http_render(&source, &f->call->request, why);
}

/* A text is made here, once, and stands in the intent; its performer only hands it on. */
static int render_text(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *why)
{
	cs_view_of v = cs_call_view(r, s, f);
	json_t *text = NULL;
	int rc = cs_look(&v, CS_PHASE_REQUEST, fn->text, f->call->args, &text, why);
	if (rc == CS_OK)
		f->call->request = json_pack("{s:o}", "text", text);
	return rc;
}

int cs_call_render(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *why)
{
	cs_call *c = f->call;
	if (c->request == NULL && fn->kind == CS_FUNCTION_AGENT && strcmp(cs_call_performer(fn), "text") == 0)
		return render_text(r, s, f, fn, why);
	if (strcmp(cs_call_performer(fn), "http") != 0 || c->request != NULL)
		return CS_OK;
	CS_AUTOJSON json_t *request = NULL;
	if (fn->kind == CS_FUNCTION_HTTP && strcmp(fn->name, "openapi") == 0)
		return render_openapi(r, f, why);
	if (fn->kind == CS_FUNCTION_HTTP) {
		request = json_incref(c->args);
	} else {
		cs_view_of v = cs_call_view(r, s, f);
		int rc = cs_look(&v, CS_PHASE_REQUEST, fn->request, c->args, &request, why);
		if (rc != CS_OK)
			return rc;
	}
	cs_http_source source = {
		.request = request,
		.base = fn->kind == CS_FUNCTION_HTTP ? NULL : cs_json_str(fn->connector_def, "url"),
		.vars = fn->kind == CS_FUNCTION_HTTP ? f->input : c->args,
		.host_written = fn->kind == CS_FUNCTION_HTTP && host_written(json_object_get(json_object_get(f->task->def, "with"), "endpoint")),
	};
	return cs_http_render(&source, &c->request, why);
}

/* A task may say of its own `call: http` or process what it is; else the method says it, or it is unsafe. */
static cs_effect_class effect_of(const cs_frame *f, const cs_function *fn)
{
	if (fn->kind != CS_FUNCTION_HTTP && fn->kind != CS_FUNCTION_PROCESS)
		return fn->effect;
	cs_effect_class class = fn->effect;
	if (fn->kind == CS_FUNCTION_HTTP)
		class = cs_http_default_class(cs_json_str_or(f->call->request, "method", "POST"));
	const char *said = cs_json_str(f->task->metadata, "effect");
	if (said != NULL)
		(void)cs_effect_class_parse(said, &class, NULL);
	return class;
}

/* What a person has let go already is not asked for again; a rule of today denies it all the same. */
static int judge(cs_run *r, cs_step *s, cs_frame *f, cs_verdict *ret, cs_err *err)
{
	int rc = s->verdict(s->ctx, r, f->task, f->call, ret, err);
	if (rc == CS_OK && ret->kind == CS_VERDICT_ASK && f->call->approval[0] != '\0')
		*ret = (cs_verdict){ .kind = CS_VERDICT_ALLOW };
	return rc;
}

/* What it calls with (a reversal's is said by what it takes back), its request, its credential: all that is sent, but
 * the values of secrets. *ret_kind: which error of the standard it is, where one is. */
static int prepare(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const char **ret_kind, cs_err *why)
{
	int rc = f->call->args == NULL ? cs_reversal_args(r, s, f, why) : CS_OK;
	if (rc == CS_OK)
		rc = cs_call_render(r, s, f, fn, why);
	if (rc == CS_OK)
		rc = cs_call_credential(r, s, f, why);
	*ret_kind = rc == CS_EUNSUPPORTED ? "configuration" : "expression";
	if (rc != CS_OK)
		return rc;
	rc = cs_call_secrets(r, s, f, fn, why);
	*ret_kind = rc == CS_EREFUSED || rc == CS_ENOTFOUND ? "authorization" : "configuration";
	return rc;
}

int cs_step_plan(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_function *fn = cs_call_function(r, s, f);
	if (fn == NULL)
		return raise_word(r, s, f, "configuration", "the function is gone from the workspace; run `capstan check`", err);
	if (fn->kind == CS_FUNCTION_BUILTIN)
		return cs_step_builtin(r, s, f, fn, err);
	const char *kind = NULL;
	cs_err why = { 0 };
	int rc = prepare(r, s, f, fn, &kind, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK)
		return raise_word(r, s, f, kind, why.msg, err);
	(void)cs_call_digest(r, f->call, fn);
	f->call->effect = effect_of(f, fn);
	if (r->shadow)
		return cs_step_shadow(r, s, f, err);
	bool go = true;
	rc = cs_step_once(r, s, f, fn, &go, err);
	if (rc != CS_OK || !go)
		return rc;
	cs_verdict verdict = { 0 };
	rc = f->call->tries == 0 ? judge(r, s, f, &verdict, err) : CS_OK;
	if (rc != CS_OK)
		return rc;
	if (verdict.kind == CS_VERDICT_DENY) {
		CS_AUTOFREE char *text = cs_xasprintf("%s is denied by %s%s%s", fn->name, verdict.rule, verdict.why[0] != '\0' ? ": " : "", verdict.why);
		return raise_word(r, s, f, "authorization", text, err);
	}
	if (verdict.kind == CS_VERDICT_ASK || f->call->next_item[0] != '\0')
		return cs_step_propose(r, s, f, fn, &verdict, err);
	return cs_step_send(r, s, f, f->call->approval, &verdict, err);
}

/* ---- the intent ------------------------------------------------------------------------------------------- */

/* The identity of what is sent: the same over technical retries, another for every logical attempt. */
static void make_key(cs_run *r, cs_step *s, cs_frame *f)
{
	cs_call *c = f->call;
	CS_AUTOFREE char *text = NULL;
	if (c->once[0] != '\0' && c->once_n <= 1) {
		memcpy(c->key, c->once, sizeof c->key);
		cs_copied_rekey(r, s, c);
		return;
	}
	if (c->outer != NULL)
		text = cs_xasprintf("probe\n%s\n%u", c->outer->key, c->outer->tries);
	else if (c->once[0] != '\0')
		text = cs_xasprintf("once again\n%s\n%u", c->once, c->once_n);
	else if (cs_frame_reverses(f))
		text = cs_xasprintf("reversal\n%s\n%u", c->reverses, c->logical);
	else
		text = cs_xasprintf("%s\n%s\n%d\n%u", r->origin, f->task->ref, f->occurrence, c->logical);
	s->key(s->ctx, text, c->key);
	cs_copied_rekey(r, s, c);
}

/* By name, so that the log can tell where each was used. */
static void say_secrets(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, json_t *data)
{
	CS_AUTOJSON json_t *needs = cs_call_needs(r, s, f, fn);
	json_t *names = json_array(), *v;
	const char *name;
	json_object_foreach(needs, name, v)
		json_array_append_new(names, json_string(name));
	if (needs != NULL)
		json_object_set(data, "secrets", names);
	json_decref(names);
}

/* The intent is written: it goes to its performer once that is committed, or is in doubt in the same group. */
static int hand_over(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	cs_todo todo = { .kind = CS_TODO_DISPATCH, .run = r, .task = f->task->id };
	if (cs_copied_doubts(r, f->call))
		return cs_copied_ask(r, s, f, err);
	f->call->dispatched = true;
	if (s->sent != NULL && !f->call->simulated)
		s->sent(s->ctx, cs_call_function(r, s, f), f->call);
	s->todo(s->ctx, &todo);
	return CS_OK;
}

int cs_step_send(cs_run *r, cs_step *s, cs_frame *f, const char *approval, const cs_verdict *why, cs_err *err)
{
	cs_call *c = f->call;
	const cs_function *fn = cs_call_function(r, s, f);
	if (fn == NULL)
		return raise_word(r, s, f, "configuration", "the function is gone from the workspace; run `capstan check`", err);
	if (!cs_call_open(r, s, f, fn))
		return CS_OK;            /* stays planned; what holds it is on the screen */
	if (c->tries == 0)
		make_key(r, s, f);
	c->simulated = cs_call_simulates(r, s, fn);
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:I}", "key", c->key, "digest", c->digest,
				 "call", fn->name, "class", cs_effect_class_name(c->effect), "n", (int)c->tries + 1,
				 "logical", (int)c->logical, "epoch", (json_int_t)s->epoch);
	json_object_set_new(data, "deadline", json_integer(s->now + fn->timeout_ms));
	if (cs_function_outlet(fn) != NULL)
		json_object_set_new(data, "connector", json_string(cs_function_outlet(fn)));
	if (approval != NULL && approval[0] != '\0')
		json_object_set_new(data, "approval", json_string(approval));
	if (why != NULL && why->rule[0] != '\0')
		json_object_set_new(data, "rule", json_string(why->rule));
	if (c->request != NULL)
		json_object_set(data, "request", c->request);
	if (c->request == NULL || cs_frame_reverses(f) || c->outer != NULL)
		json_object_set(data, "input", c->args);
	if (c->outer != NULL)
		json_object_set_new(data, "probes", json_string(c->outer->key));
	cs_once_say_intent(c, data);
	say_secrets(r, s, f, fn, data);
	int rc = cs_run_write(r, s, "attempt.intent", f->task, f->occurrence, data, err);
	return rc != CS_OK ? rc : hand_over(r, s, f, err);
}

/* ---- the result ------------------------------------------------------------------------------------------- */

int cs_call_read(cs_view_of *v, const cs_function *fn, json_t *reply, json_t **ret_result, bool *ret_failed, cs_err *why)
{
	json_t *out = NULL;
	if (v->memo->call->probed) {     /* no reply of this one */
		*ret_result = json_incref(reply);
		return CS_OK;
	}
	int rc = fn->fails == NULL ? CS_OK : cs_look_true(v, CS_PHASE_FAILS, fn->fails, reply, ret_failed, why);
	if (rc != CS_OK || *ret_failed)
		return rc;
	if (fn->result != NULL)
		rc = cs_look(v, CS_PHASE_RESULT, fn->result, reply, &out, why);
	else
		out = json_incref(reply);
	if (rc == CS_OK)
		*ret_result = out;
	return rc;
}

static int end_call(cs_view_of *v, cs_frame *f, json_t *result, cs_err *err)
{
	if (cs_frame_reverses(f))
		return cs_reversal_done(v->r, v->s, f, err);
	return cs_step_finish(v, f->occurrence, result, f->call->result_tainted, NULL, err);
}

static int take_in(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	cs_call *c = f->call;
	const cs_function *fn = cs_call_function(r, s, f);
	cs_view_of v = cs_call_view(r, s, f);
	int rc;
	if (c->turn != CS_WAY_NONE)
		return cs_step_turn(r, s, f, err);
	/* A simulated receipt has no reply to read: it passes as it is. */
	if (fn == NULL || fn->kind == CS_FUNCTION_BUILTIN || cs_json_true(c->result, "simulated")) {
		rc = cs_reversal_register(r, s, f, c->result, err);
		return rc != CS_OK ? rc : end_call(&v, f, c->result, err);
	}
	CS_AUTOJSON json_t *result = NULL;
	cs_err why = { 0 };
	bool failed = false;
	rc = cs_call_read(&v, fn, c->result, &result, &failed, &why);
	if (rc == CS_EAGAIN)
		return rc;
	int kept = failed ? CS_OK : cs_reversal_register(r, s, f, result != NULL ? result : c->result, err);
	if (kept != CS_OK)
		return kept;
	if (rc != CS_OK)
		return cs_step_raise_expr(r, s, f->task, f->occurrence, &why, err);
	if (failed)
		return raise_word(r, s, f, "communication", "the reply says that the operation failed (`fails`)", err);
	CS_AUTOJSON json_t *invalid = cs_schema_complaint(fn->output, result, "The result", f->task->ref);
	if (invalid != NULL)
		return cs_step_raise(r, s, f->task, f->occurrence, invalid, err);
	return end_call(&v, f, result, err);
}

/* Its connector was put on hold meanwhile: what nobody has let go is asked for now. Not what has perhaps
 * happened: a refusal would say that it has not. It waits, and past its key's window it is in doubt. */
static int ask_first(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *err)
{
	cs_verdict today = { 0 };
	int rc = f->call->ambiguous ? CS_OK : judge(r, s, f, &today, err);
	if (rc != CS_OK)
		return rc;
	if (!f->call->ambiguous && today.kind == CS_VERDICT_ASK)
		return cs_step_propose(r, s, f, fn, &today, err);
	f->call->held = "hold";
	return CS_OK;
}

/* The wait for another try is over; a restart has lost the credential. */
static int send_again(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	cs_err why = { 0 };
	if (f->call->due > s->now)
		return CS_OK;
	bool mine = true;
	int known = cs_once_mine(r, s, f, &mine, err);
	if (known != CS_OK || !mine)
		return known;
	bool over = false;
	known = cs_attempt_outlived(r, s, f, &over, err);
	if (known != CS_OK || over)
		return known;
	int rc = cs_call_credential(r, s, f, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK)
		return raise_word(r, s, f, "expression", why.msg, err);
	const cs_function *fn = cs_call_function(r, s, f);
	if (fn != NULL && s->mode != NULL && f->call->approval[0] == '\0' && s->mode(s->ctx, fn) == CS_MODE_HOLD)
		return ask_first(r, s, f, fn, err);
	return cs_step_send(r, s, f, f->call->approval, NULL, err);
}

static int call_once(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	cs_call *c = f->call;
	if (c->outer != NULL)
		return cs_step_probe(r, s, f, err);
	switch (c->phase) {
	case CS_CALL_PLANNED:
		return cs_step_plan(r, s, f, err);
	case CS_CALL_ASKING:
		return cs_step_ask(r, s, f, err);
	case CS_CALL_RETRY_WAIT:
		return send_again(r, s, f, err);
	case CS_CALL_DONE:
		return take_in(r, s, f, err);
	case CS_CALL_FAILED:
		return cs_step_raise(r, s, f->task, f->occurrence, c->error, err);
	case CS_CALL_INTENT:
	case CS_CALL_IN_DOUBT:
	case CS_CALL_PROBING:
		return CS_OK;
	}
	return CS_OK;
}

/* As far as it goes without anyone else: a decision that takes effect ends its task at once. */
int cs_step_call(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_task *t = f->task;
	for (;;) {
		cs_call_phase before = f->call->phase;
		bool probe = f->call->outer != NULL;
		int rc = call_once(r, s, f, err);
		if (rc != CS_OK || r->live[t->id] != f || (f->call->phase == before && probe == (f->call->outer != NULL)))
			return rc;
	}
}
