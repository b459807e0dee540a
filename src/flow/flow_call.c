/* SPDX-License-Identifier: GPL-3.0-or-later */
/* call: http written out, the built-ins, and what the workspace knows by name. */
#include "flow/flow_priv.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/function.h"

static const char *const methods[] = { "get", "head", "post", "put", "patch", "delete", "options", NULL };
static const char *const outputs[] = { "content", "response", "raw", NULL };

static const cs_key http_keys[] = {
	{ "method", CS_IS_STRING | CS_KEY_REQUIRED }, { "endpoint", CS_IS_STRING | CS_IS_OBJECT | CS_KEY_REQUIRED },
	{ "headers", CS_IS_OBJECT | CS_IS_STRING }, { "query", CS_IS_OBJECT | CS_IS_STRING }, { "body", CS_IS_ANY },
	{ "output", CS_IS_STRING }, { "redirect", CS_IS_BOOL }, { NULL, 0 },
};

static bool has_expression(const char *s)
{
	return strstr(s, "${") != NULL;
}

static void check_method(cs_build *b, const char *method)
{
	if (has_expression(method))
		return;
	for (const char *const *m = methods; *m; m++)
		if (strcasecmp(*m, method) == 0)
			return;
	size_t mark = cs_check_push(&b->c, "method");
	cs_check_unknown(&b->c, "the method", method, methods);
	cs_check_pop(&b->c, mark);
}

/* An endpoint written out must be http or https with a host; {x} in it is filled in later. */
static void check_uri(cs_build *b, const char *uri)
{
	if (has_expression(uri))
		return;
	size_t scheme = strncasecmp(uri, "http://", 7) == 0 ? 7 : strncasecmp(uri, "https://", 8) == 0 ? 8 : 0;
	if (!scheme || strchr("/?#:", uri[scheme]) || isspace((unsigned char)uri[scheme])) {
		cs_check_error(&b->c, "an endpoint is an http or https URL with a host, not '%.80s'", uri);
		return;
	}
	for (const char *p = uri; *p; p++) {
		if ((unsigned char)*p <= ' ' || *p == 0x7F) {
			cs_check_error(&b->c, "an endpoint cannot hold spaces or control characters; write them percent-encoded");
			return;
		}
	}
}

static void check_endpoint(cs_build *b, const json_t *with, int id)
{
	static const cs_key keys[] = {
		{ "uri", CS_IS_STRING | CS_KEY_REQUIRED }, { "authentication", CS_IS_STRING | CS_IS_OBJECT }, { NULL, 0 },
	};
	const json_t *v = json_object_get(with, "endpoint");
	size_t mark = cs_check_push(&b->c, "endpoint");
	if (json_is_string(v)) {
		check_uri(b, json_string_value(v));
	} else if (cs_check_object(&b->c, v, keys, "an endpoint")) {
		cs_build_authentication(b, v, id);
		cs_check_push(&b->c, "uri");
		check_uri(b, cs_json_str(v, "uri"));
	}
	cs_check_pop(&b->c, mark);
}

static bool is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("!#$%&'*+-.^_`|~", *s))
			return false;
	return true;
}

/* headers and query: texts by name, or one expression for all. */
static void check_texts(cs_build *b, const json_t *with, const char *key, bool header)
{
	json_t *v = json_object_get(with, key), *text;
	size_t mark = cs_check_push(&b->c, key);
	if (json_is_string(v) && !b->loose && !has_expression(json_string_value(v)))
		cs_check_error(&b->c, "'%s' must be a mapping or one expression; write it as '${ … }'", key);
	const char *name;
	json_object_foreach(v, name, text) {
		if (header && !is_token(name))
			cs_check_error_key(&b->c, name, "'%.80s' is not a header's name", name);
		size_t inner = cs_check_push(&b->c, name);
		if (cs_check_type(&b->c, text, CS_IS_STRING, "this value") && header && strpbrk(json_string_value(text), "\r\n")
		    && !has_expression(json_string_value(text)))
			cs_check_error(&b->c, "a header's value stands on one line");
		cs_check_pop(&b->c, inner);
	}
	cs_check_pop(&b->c, mark);
}

static void check_http(cs_build *b, const json_t *with, int id)
{
	if (!cs_check_object(&b->c, with, http_keys, "the 'with' of an http call"))
		return;
	check_method(b, cs_json_str(with, "method"));
	check_endpoint(b, with, id);
	check_texts(b, with, "headers", true);
	check_texts(b, with, "query", false);
	cs_check_word(&b->c, with, "output", outputs);
}

/* Why a call of the language is not made here, and what to do instead; NULL for others. */
static const char *why_refused(const char *name)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{ "grpc", "this version does not call gRPC services; call the service's HTTP interface with 'call: http' or 'call: openapi', or run a "
			  "client program with 'run: shell'" },
		{ "asyncapi", "this version does not speak AsyncAPI's protocols; publish with 'call: http' where the broker has an HTTP interface, and hear "
			      "messages as events with 'listen', brought in by `capstan emit`" },
		{ "mcp", "this version does not call MCP servers from a flow; call the service with 'call: http' or 'call: openapi', or make the server's "
			 "program an agent of kind shell" },
		{ "a2a", "this version does not call A2A agents; call the agent's HTTP interface with 'call: http', or make it an agent of the workspace" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].why;
	return NULL;
}

/* NAME is nothing that can be called; the nearest of what can be, or of the flow's own functions. */
static void unknown_function(cs_build *b, const char *name)
{
	const char *const *names = b->names ? b->names(b->ctx) : NULL;
	json_t *own = json_object_get(json_object_get(b->f->def, "use"), "functions"), *v;
	size_t n = 0, m = 0;
	while (names && names[n])
		n++;
	const char **all CS_AUTOFREE = cs_xcalloc(n + json_object_size(own) + 1, sizeof *all), *key;
	for (; m < n; m++)
		all[m] = names[m];
	json_object_foreach(own, key, v)
		all[m++] = key;
	cs_check_unknown(&b->c, "the function", name, all);
}

static void check_named(cs_build *b, const char *name)
{
	if (b->callable && b->callable(b->ctx, name))
		return;
	size_t mark = cs_check_push(&b->c, "call");
	const char *why = why_refused(name);
	if (why)
		cs_check_error(&b->c, "%s", why);
	else if (cs_function_builtin_later(name))
		cs_check_error(&b->c, "the built-in '%s' is known, but this version does not run it yet", name);
	else
		unknown_function(b, name);
	cs_check_pop(&b->c, mark);
}

/* What is evaluated into arguments, and so is logged and shown: a credential is not among it. */
static json_t *without_credentials(json_t *with)
{
	json_t *endpoint = json_object_get(with, "endpoint");
	if (!json_object_get(endpoint, "authentication"))
		return json_incref(with);
	json_t *args = json_copy(with), *plain = json_copy(endpoint);
	json_object_del(plain, "authentication");
	json_object_set_new(args, "endpoint", plain);
	return args;
}

void cs_build_http_arguments(cs_build *b, int id, json_t *with)
{
	json_t *args CS_AUTOJSON = without_credentials(with);
	int around = cs_build_secrets_for(b, id);
	check_http(b, with, id);
	cs_build_template(b, args, b->loose ? CS_TEMPLATE_LOOSE_WITH : CS_TEMPLATE_STRICT, &b->f->tasks[id].body);
	cs_build_secrets_for(b, around);
}

/* The `with` under the cursor of anything but http. What an agent or a person is given nobody can take back: no secret. */
static void build_arguments(cs_build *b, int id, const char *name, const cs_function *builtin, json_t *with)
{
	const cs_function *fn = b->function ? b->function(b->ctx, name) : NULL;
	bool keeps = builtin || (fn && fn->kind == CS_FUNCTION_AGENT);
	int around = cs_build_secrets_for(b, keeps ? CS_SECRETS_NONE : id);
	if (builtin) {
		cs_builtin_check(&b->c, name, with);
		cs_build_runbook(b, with);
	}
	if (fn && fn->input)
		cs_build_check_arguments(b, name, with, fn->input, json_object_get(fn->def, "input"));
	cs_build_template(b, with, cs_build_mode(b, CS_TEMPLATE_STRICT), &b->f->tasks[id].body);
	cs_build_secrets_for(b, around);
}

void cs_build_call(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	const char *name = cs_json_str(def, "call");
	json_t *with CS_AUTOJSON = json_incref(json_object_get(def, "with"));
	const cs_function *builtin = cs_function_builtin(name);
	if (cs_build_function(b, id, def))
		return;
	if (strcmp(name, "openapi") == 0) {
		cs_build_openapi(b, id, def);
		return;
	}
	b->f->tasks[id].call = cs_xstrdup(name);
	if (builtin && builtin->kind == CS_FUNCTION_PROCESS)
		cs_check_error_key(&b->c, "call", "'%s' is a task of its own, not a call; write 'run: { %s: … }'", name, strchr(name, '.') + 1);
	if (!builtin)
		check_named(b, name);
	if (!builtin && why_refused(name))
		return;
	if (!with)
		with = json_object();
	size_t mark = cs_check_push(&b->c, "with");
	if (builtin && builtin->kind == CS_FUNCTION_HTTP) {
		cs_build_http_arguments(b, id, with);
	} else {
		if (builtin)
			cs_build_back(b, id, with, sibs);
		build_arguments(b, id, name, builtin, with);
	}
	cs_check_pop(&b->c, mark);
}
