/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets as the machine knows them: by name and stand-in, never by value. What an effect needs of the
 * vault, whether its task may have it, and whether it can be had now. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"
#include "flow/secret.h"

const json_t *cs_run_stand_ins(cs_run *r, cs_step *s)
{
	const char *dotted;
	json_t *yes;
	if (r->stand_ins_of == r->flow)
		return r->stand_ins;
	json_decref(r->stand_ins);
	r->stand_ins = r->flow->secrets != NULL ? json_object() : NULL;
	r->stand_ins_of = r->flow;
	json_object_foreach(r->flow->secrets, dotted, yes) {
		char tag[CS_HEX_SIZE];
		CS_AUTOFREE char *text = cs_xasprintf("secret\n%s\n%s", r->origin, dotted);
		s->key(s->ctx, text, tag);
		CS_AUTOFREE char *stand_in = cs_secret_stand_in(dotted, tag);
		json_object_set_new(r->stand_ins, dotted, json_string(stand_in));
	}
	return r->stand_ins;
}

json_t *cs_run_secrets(cs_run *r, cs_step *s)
{
	json_t *map = json_object(), *stand_in;
	const char *dotted;
	json_object_foreach((json_t *)(uintptr_t)cs_run_stand_ins(r, s), dotted, stand_in) {
		const char *dot = strchr(dotted, '.');
		if (dot == NULL) {
			json_object_set(map, dotted, stand_in);
			continue;
		}
		CS_AUTOFREE char *name = cs_xstrndup(dotted, (size_t)(dot - dotted));
		if (json_object_get(map, name) == NULL)
			json_object_set_new(map, name, json_object());
		json_object_set(json_object_get(map, name), dot + 1, stand_in);
	}
	return map;
}

/* ---- where stand-ins may be ---- */

/* What of a process everyone on the machine can read. */
static bool in_open_sight(const json_t *def, const char *stand_in)
{
	static const char *const kinds[] = { "shell", "script" }, *const open_keys[] = { "command", "code", "arguments" };
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++)
		for (size_t k = 0; k < CS_ARRAY_LEN(open_keys); k++)
			if (cs_secret_is_in(json_object_get(json_object_get(def, kinds[i]), open_keys[k]), stand_in))
				return true;
	return false;
}

/* The host decides who is told; a secret tells nothing about that. */
static bool in_host(const json_t *request, const char *stand_in)
{
	const char *url = cs_json_str_or(request, "url", ""), *host = strstr(url, "://");
	const char *at = strstr(url, stand_in);
	return at != NULL && (host == NULL || at < host + 3 + strcspn(host + 3, "/?#"));
}

/* What goes out of this call, as far as it is rendered. */
static const json_t *outgoing(const cs_call *c)
{
	return c->request != NULL ? c->request : c->args;
}

json_t *cs_call_needs(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn)
{
	json_t *needs = NULL, *stand_in;
	const char *dotted, *used = fn->connector_def != NULL ? cs_json_str(json_object_get(fn->connector_def, "auth"), "use") : NULL;
	const char *const wholes[] = { f->task->secret, used };
	if (fn->kind == CS_FUNCTION_AGENT || fn->kind == CS_FUNCTION_BUILTIN)
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)cs_run_stand_ins(r, s), dotted, stand_in)
		if (cs_secret_is_in(outgoing(f->call), json_string_value(stand_in)) || cs_secret_is_in(f->call->policy, json_string_value(stand_in))) {
			needs = needs != NULL ? needs : json_object();
			json_object_set(needs, dotted, stand_in);
		}
	for (size_t i = 0; i < CS_ARRAY_LEN(wholes); i++)
		if (wholes[i] != NULL && json_object_get(needs, wholes[i]) == NULL) {
			needs = needs != NULL ? needs : json_object();
			json_object_set_new(needs, wholes[i], json_null());
		}
	return needs;
}

static int one_allowed(const cs_run *r, const cs_frame *f, const cs_function *fn, const char *dotted, const char *stand_in, cs_err *why)
{
	if (stand_in == NULL)
		return CS_OK;            /* the policy's own, or the connector's */
	if (!cs_flow_grants(r->flow, f->task, dotted))
		return cs_err_set(why, CS_EREFUSED, "the task is not granted the secret %s; it must name it itself, in `input.from` or in its arguments", dotted);
	if (fn->kind == CS_FUNCTION_PROCESS && in_open_sight(f->call->args, stand_in))
		return cs_err_set(why, CS_EREFUSED, "the secret %s would stand in a program's text or arguments, which everyone on the machine can read; give it by `stdin` or `environment`", dotted);
	if (in_host(f->call->request, stand_in))
		return cs_err_set(why, CS_EREFUSED, "the secret %s stands in the address before its path, where it would choose the host", dotted);
	return CS_OK;
}

/* Simulated, or answered in place of the outside: nothing of the vault is looked at. */
static bool stays_here(const cs_run *r, const cs_step *s, const cs_function *fn)
{
	return r->simulated || r->shadow || cs_step_dry(s, fn);
}

int cs_call_secrets(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *why)
{
	CS_AUTOJSON json_t *needs = cs_call_needs(r, s, f, fn);
	json_t *stand_in;
	const char *dotted;
	json_object_foreach(needs, dotted, stand_in) {
		bool locked = false;
		int rc = one_allowed(r, f, fn, dotted, json_string_value(stand_in), why);
		if (rc == CS_OK && !stays_here(r, s, fn) && s->secret != NULL)
			rc = s->secret(s->ctx, dotted, &locked, why);
		if (rc != CS_OK)
			return rc;
	}
	return CS_OK;
}

bool cs_step_dry(const cs_step *s, const cs_function *fn)
{
	if (cs_function_outlet(fn) == NULL)
		return false;
	return (s->mode != NULL ? s->mode(s->ctx, fn) : cs_function_mode(fn)) == CS_MODE_DRY;
}

bool cs_call_open(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn)
{
	const char *dotted;
	json_t *stand_in;
	bool locked = false;
	f->call->held = NULL;
	/* What has perhaps happened is not answered by a fixture now, and neither is whether it did: it waits until it may
	 * be sent again, or asked. */
	const cs_call *about = f->call->outer != NULL ? f->call->outer : f->call;
	if (about->tries > about->spared && !about->simulated && !r->simulated && cs_step_dry(s, fn))
		f->call->held = "off";
	else
		(void)s->open(s->ctx, r, fn, f->call, &f->call->held);
	if (f->call->held != NULL)
		return false;
	if (s->secret == NULL || stays_here(r, s, fn))
		return true;
	CS_AUTOJSON json_t *needs = cs_call_needs(r, s, f, fn);
	json_object_foreach(needs, dotted, stand_in)
		if (!locked)             /* one that is not there is said by whoever acts */
			(void)s->secret(s->ctx, dotted, &locked, NULL);
	if (locked)
		f->call->held = "hold";
	return !locked;
}
