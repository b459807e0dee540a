/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connectors/NAME.yaml */
#include "flow/function.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/function_priv.h"
#include "flow/outlet.h"
#include "flow/text.h"
#include "flow/secret.h"

enum { KEYED_WINDOW_MS = 24 * 3600 * 1000 };

static const cs_key connector_keys[] = {
	{ "connector", CS_IS_STRING | CS_KEY_REQUIRED }, { "kind", CS_IS_STRING | CS_KEY_REQUIRED },
	{ "url", CS_IS_STRING | CS_KEY_REQUIRED }, { "identity", CS_IS_STRING }, { "mode", CS_IS_STRING },
	{ "allow", CS_IS_ARRAY }, { "operations", CS_IS_OBJECT | CS_KEY_REQUIRED },
	{ "auth", CS_IS_OBJECT }, { "oauth2", CS_IS_ANY | CS_KEY_LATER }, { "limits", CS_IS_OBJECT },
	{ "breaker", CS_IS_OBJECT }, { "openapi", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
};

static const cs_key operation_keys[] = {
	{ "effect", CS_IS_STRING }, { "touches", CS_IS_ARRAY }, { "input", CS_IS_OBJECT | CS_IS_BOOL },
	{ "output", CS_IS_OBJECT | CS_IS_BOOL }, { "card", CS_IS_STRING }, { "request", CS_IS_OBJECT | CS_KEY_REQUIRED },
	{ "fails", CS_IS_STRING }, { "result", CS_IS_STRING | CS_IS_OBJECT }, { "keyed", CS_IS_OBJECT },
	{ "timeout", CS_IS_STRING }, { "retry", CS_IS_OBJECT }, { "reverse", CS_IS_STRING | CS_IS_OBJECT },
	{ "reach", CS_IS_OBJECT }, { "probe", CS_IS_OBJECT }, { "once", CS_IS_STRING }, { NULL, 0 },
};

static const char *const kinds[] = { "http", "smtp", "imap", "mcp", "folder", "webhook", "ical", "poll", NULL };
static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL };

static void check_hosts(cs_check *c, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "allow"), *item;
	size_t i, mark = cs_check_push(c, "allow");
	json_array_foreach(list, i, item) {
		const char *host = json_string_value(item);
		size_t inner = cs_check_push_index(c, i);
		if (!host || !*host || strpbrk(host, "/@ \t\r\n") )
			cs_check_error(c, "'allow' lists hosts, like api.example.com or 10.0.0.5:8080");
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

/* The row of smtp and the others is known, their keys are not of this version. What is no word is left to
 * the table of keys. */
static bool check_kind(cs_check *c, const json_t *doc)
{
	const char *kind = cs_json_str(doc, "kind");
	if (!kind || strcmp(kind, "http") == 0)
		return true;
	int known = 0;
	while (kinds[known] && strcmp(kinds[known], kind) != 0)
		known++;
	size_t mark = cs_check_push(c, "kind");
	if (kinds[known])
		cs_check_error(c, "a connector of kind '%s' is known, but this version does not have it yet", kind);
	else
		cs_check_unknown(c, "the kind of connector", kind, kinds);
	cs_check_pop(c, mark);
	return false;
}

/* How the credential is sent; the default is bearer. */
static void check_as(cs_check *c, const json_t *auth)
{
	static const char *const words[] = { "bearer", "basic", NULL };
	static const cs_key keys[] = { { "header", CS_IS_STRING }, { "query", CS_IS_STRING }, { "jwt", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 } };
	const json_t *as = json_object_get(auth, "as");
	if (!json_is_object(as)) {
		cs_check_word(c, auth, "as", words);
		return;
	}
	size_t mark = cs_check_push(c, "as");
	const char *header = cs_json_str(as, "header"), *query = cs_json_str(as, "query");
	if (cs_check_object(c, as, keys, "'as'") && !header == !query)
		cs_check_error(c, "'as' is bearer, basic, { header: NAME } or { query: NAME }");
	else if (header && (!*header || strpbrk(header, " \t\r\n:()<>@,;\\\"/[]?={}")))
		cs_check_error_key(c, "header", "'%.80s' is not a header's name", header);
	else if (query && !*query)
		cs_check_error_key(c, "query", "the parameter's name is empty");
	cs_check_pop(c, mark);
}

static void check_auth(cs_check *c, const json_t *doc)
{
	static const cs_key keys[] = {
		{ "use", CS_IS_STRING | CS_KEY_REQUIRED }, { "as", CS_IS_STRING | CS_IS_OBJECT }, { NULL, 0 },
	};
	const json_t *auth = json_object_get(doc, "auth");
	if (!auth)
		return;
	size_t mark = cs_check_push(c, "auth");
	if (cs_check_object(c, auth, keys, "'auth'")) {
		const char *name = cs_json_str(auth, "use");
		if (!cs_secret_name_ok(name))
			cs_check_error_key(c, "use", "a secret's name is of letters, digits, - and _, at most 63; '%.80s' is not", name);
		check_as(c, auth);
	}
	cs_check_pop(c, mark);
}

int cs_connector_check(const json_t *doc, const cs_source *src, cs_diags *d)
{
	cs_check c;
	size_t errors = d->errors;
	cs_check_init(&c, NULL, src, d);
	if (!check_kind(&c, doc))
		return CS_EINVAL;
	if (!cs_check_object(&c, doc, connector_keys, "a connector"))
		return CS_EINVAL;
	const char *name = cs_json_str(doc, "connector");
	size_t mark = cs_check_push(&c, "connector");
	if (cs_function_check_name(&c, name, "a connector's name") && strcmp(name, "http") == 0)
		cs_check_error(&c, "'http' is the connector of 'call: http' and needs no file; give this one another name");
	cs_check_pop(&c, mark);
	mark = cs_check_push(&c, "url");
	cs_function_check_url(&c, cs_json_str(doc, "url"));
	cs_check_pop(&c, mark);
	cs_outlet_check(&c, doc);
	check_hosts(&c, doc);
	check_auth(&c, doc);
	if (json_object_size(json_object_get(doc, "operations")) == 0)
		cs_check_error_key(&c, "operations", "'operations' is empty; a connector needs at least one");
	return d->errors > errors ? CS_EINVAL : CS_OK;
}

static void check_method(cs_check *c, const json_t *request)
{
	const char *method = cs_json_str(request, "method");
	if (strstr(method, "${"))
		return;
	for (const char *const *m = methods; *m; m++)
		if (strcasecmp(*m, method) == 0)
			return;
	size_t mark = cs_check_push(c, "method");
	cs_check_unknown(c, "the method", method, methods);
	cs_check_pop(c, mark);
}

/* OP's request with its body, where that is a text, as a template takes it; NULL after a report. */
static json_t *with_text(cs_check *c, const json_t *op)
{
	json_t *request = json_copy(json_object_get(op, "request")), *body = NULL;
	const char *text = cs_json_str(request, "body");
	cs_err err = { 0 };
	if (text && cs_text_value(text, true, &body, &err) < 0) {
		size_t mark = cs_check_push(c, "request");
		cs_check_error_key(c, "body", "%s", err.msg);
		cs_check_pop(c, mark);
		json_decref(request);
		return NULL;
	}
	if (body)
		json_object_set_new(request, "body", body);
	return json_pack("{s:o}", "request", request);
}

static void read_request(cs_check *c, const json_t *op, cs_function *f)
{
	static const cs_key keys[] = {
		{ "method", CS_IS_STRING | CS_KEY_REQUIRED }, { "path", CS_IS_STRING | CS_KEY_REQUIRED },
		{ "query", CS_IS_OBJECT | CS_IS_STRING }, { "headers", CS_IS_OBJECT | CS_IS_STRING }, { "as", CS_IS_STRING },
		{ "body", CS_IS_ANY }, { NULL, 0 },
	};
	static const char *const forms[] = { "json", "form", "multipart", NULL };
	const json_t *request = json_object_get(op, "request");
	size_t mark = cs_check_push(c, "request");
	bool ok = cs_check_object(c, request, keys, "'request'");
	if (ok) {
		check_method(c, request);
		const char *path = cs_json_str(request, "path");
		if (path[0] != '/' && !strstr(path, "${"))
			cs_check_error_key(c, "path", "'path' begins with '/': it comes after the connector's url");
		cs_check_word(c, request, "as", forms);
	}
	cs_check_pop(c, mark);
	json_t *compiled CS_AUTOJSON = ok ? with_text(c, op) : NULL;
	if (compiled)
		cs_function_template(c, f, compiled, "request", &f->request);
}

static void read_keyed(cs_check *c, const json_t *op, cs_function *f)
{
	static const cs_key keys[] = { { "header", CS_IS_STRING }, { "window", CS_IS_STRING }, { NULL, 0 } };
	const json_t *keyed = json_object_get(op, "keyed");
	if (f->effect == CS_EFFECT_KEYED) {
		f->keyed_header = cs_xstrdup(cs_json_str_or(keyed, "header", "Idempotency-Key"));
		f->keyed_window_ms = KEYED_WINDOW_MS;
	}
	if (!keyed)
		return;
	if (f->effect != CS_EFFECT_KEYED)
		cs_check_error_key(c, "keyed", "'keyed' belongs to 'effect: keyed'; this operation is '%s'", cs_effect_class_name(f->effect));
	size_t mark = cs_check_push(c, "keyed");
	if (cs_check_object(c, keyed, keys, "'keyed'")) {
		const char *header = cs_json_str_or(keyed, "header", "x");
		if (!*header || strpbrk(header, " \t\r\n:()<>@,;\\\"/[]?={}"))
			cs_check_error_key(c, "header", "'%.80s' is not a header's name", header);
		cs_check_duration_key(c, keyed, "window", &f->keyed_window_ms);
	}
	cs_check_pop(c, mark);
}

static void read_once(cs_check *c, const json_t *op, cs_function *f)
{
	if (json_object_get(op, "once") && !cs_effect_class_sends(f->effect))
		cs_check_error_key(c, "once", "'once' belongs to what does something outside; this operation is '%s'", cs_effect_class_name(f->effect));
	cs_function_expression(c, f, op, "once", &f->once);
}

static void read_reach(cs_check *c, const json_t *op, cs_function *f)
{
	static const cs_key keys[] = {
		{ "people", CS_IS_NUMBER | CS_IS_STRING }, { "money", CS_IS_NUMBER | CS_IS_STRING }, { "currency", CS_IS_STRING }, { NULL, 0 },
	};
	const json_t *reach = json_object_get(op, "reach");
	if (!reach)
		return;
	size_t mark = cs_check_push(c, "reach");
	bool ok = cs_check_object(c, reach, keys, "'reach'");
	cs_check_pop(c, mark);
	if (ok)
		cs_function_template(c, f, op, "reach", &f->reach);
}

/* What is asked when it is not known whether it happened. */
static void read_probe(cs_check *c, const json_t *op, cs_function *f)
{
	static const cs_key keys[] = {
		{ "call", CS_IS_STRING | CS_KEY_REQUIRED }, { "with", CS_IS_OBJECT | CS_IS_STRING }, { "found", CS_IS_STRING | CS_KEY_REQUIRED }, { NULL, 0 },
	};
	const json_t *probe = json_object_get(op, "probe");
	if (!probe && f->effect == CS_EFFECT_PROBE)
		cs_check_error_key(c, "effect", "'effect: probe' needs 'probe: { call, with, found }': what to ask when it is not known whether it happened");
	if (probe && f->effect != CS_EFFECT_PROBE)
		cs_check_error_key(c, "probe", "'probe' belongs to 'effect: probe'; this operation is '%s'", cs_effect_class_name(f->effect));
	if (!probe)
		return;
	size_t mark = cs_check_push(c, "probe");
	if (cs_check_object(c, probe, keys, "'probe'")) {
		f->probe_call = cs_xstrdup(cs_json_str(probe, "call"));
		f->probe_file = cs_xstrdup(c->file);
		cs_check_place(c, "/call", &f->probe_line, &f->probe_col);
		cs_function_template(c, f, probe, "with", &f->probe_with);
		cs_function_expression(c, f, probe, "found", &f->found);
	}
	cs_check_pop(c, mark);
}

static void read_operation(cs_check *c, const json_t *connector, const char *name, const json_t *op, cs_function **ret)
{
	cs_function_check_name(c, name, "an operation's name");
	if (!cs_check_object(c, op, operation_keys, "an operation"))
		return;
	const char *of = cs_json_str_or(connector, "connector", "");
	char *full CS_AUTOFREE = cs_xasprintf("%s.%s", of, name);
	cs_function *f = cs_function_new(CS_FUNCTION_OPERATION, full, op);
	f->connector = cs_xstrdup(of);
	f->connector_def = json_incref((json_t *)(uintptr_t)connector);
	f->performer = cs_xstrdup(cs_json_str_or(connector, "kind", "http"));
	cs_function_common(c, op, f);
	read_request(c, op, f);
	cs_function_text(c, f, op, "card", true, &f->card);
	cs_function_expression(c, f, op, "fails", &f->fails);
	cs_function_expression(c, f, op, "result", &f->result);
	read_keyed(c, op, f);
	read_probe(c, op, f);
	read_once(c, op, f);
	cs_function_reverse(c, op, f);
	read_reach(c, op, f);
	*ret = f;
}

int cs_function_operation(const json_t *connector, const char *operation, const cs_source *src, cs_diags *d, cs_function **ret)
{
	cs_check c;
	cs_function *f = NULL;
	size_t errors = d->errors;
	const json_t *op = json_object_get(json_object_get(connector, "operations"), operation);
	cs_check_init(&c, NULL, src, d);
	cs_check_push(&c, "operations");
	if (!op) {
		cs_check_error(&c, "there is no operation '%.80s'", operation);
		return CS_EINVAL;
	}
	cs_check_push(&c, operation);
	read_operation(&c, connector, operation, op, &f);
	return cs_function_checked(f, errors, d, ret);
}
