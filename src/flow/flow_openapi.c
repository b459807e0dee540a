/* SPDX-License-Identifier: GPL-3.0-or-later */
/* call: openapi. A document in a file is kept with the flow. Another is read as `call: http` reads, then the operation is called: two rows
 * below the call, so that each is an effect of its own in the log.
 * Source: dsl-reference.md, "OpenAPI Call". */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/yaml.h"

static const char *const outputs[] = { "content", "response", "raw", NULL };

static const char *uri_of(const json_t *with)
{
	const json_t *e = json_object_get(json_object_get(with, "document"), "endpoint");
	return json_is_string(e) ? json_string_value(e) : cs_json_str_or(e, "uri", "");
}

static bool is_file(const json_t *with)
{
	return strncmp(uri_of(with), "file:", 5) == 0;
}

/* A path that is elsewhere (`$ref`) may hold any. */
static bool may_have(const json_t *document, const char *id)
{
	const char *path, *method;
	json_t *item, *op;
	json_object_foreach(json_object_get(document, "paths"), path, item) {
		if (json_object_get(item, "$ref"))
			return true;
		json_object_foreach(item, method, op)
			if (strcmp(cs_json_str_or(op, "operationId", ""), id) == 0)
				return true;
	}
	return false;
}

/* A document below the workspace is read now, kept with the flow, and held against the call. */
static void check_file(cs_build *b, const json_t *with)
{
	const char *id = cs_json_str_or(with, "operationId", "");
	json_t *document CS_AUTOJSON = NULL, *text = cs_build_resource(b, uri_of(with), "an OpenAPI document");
	cs_err err = { 0 };
	if (!text)
		return;
	if (cs_yaml_parse("document", json_string_value(text), json_string_length(text), &document, NULL, &err) < 0)
		cs_check_error(&b->c, "%s is neither JSON nor YAML: %s", uri_of(with), err.msg);
	else if (!strstr(id, "${") && !may_have(document, id))
		cs_check_error(&b->c, "%s has no operation '%.80s'", uri_of(with), id);
}

static void check_document(cs_build *b, const json_t *with)
{
	static const cs_key keys[] = {
		{ "name", CS_IS_STRING }, { "endpoint", CS_IS_STRING | CS_IS_OBJECT | CS_KEY_REQUIRED }, { NULL, 0 },
	};
	const json_t *doc = json_object_get(with, "document");
	size_t mark = cs_check_push(&b->c, "document");
	if (cs_check_object(&b->c, doc, keys, "'document'")) {
		cs_check_push(&b->c, "endpoint");
		if (is_file(with) && json_object_get(json_object_get(doc, "endpoint"), "authentication"))
			cs_check_error(&b->c, "a file is read without 'authentication'; write it beside 'document', for the call itself");
		else if (is_file(with))
			check_file(b, with);
	}
	cs_check_pop(&b->c, mark);
}

/* A row below ID; its definition is kept with the flow. The cursor's path is its reference. */
static int add_row(cs_build *b, int id, int index, const char *name, const char *call, json_t *with)
{
	json_t *def = json_pack("{s:s, s:o}", "call", call, "with", with);
	if (!b->f->made)
		b->f->made = json_array();
	json_array_append_new(b->f->made, def);
	size_t mark = cs_check_push(&b->c, "call");
	cs_check_push(&b->c, name);
	int row = cs_build_row(b, name, def, id, index);
	cs_check_pop(&b->c, mark);
	b->f->tasks[row].kind = CS_TASK_CALL;
	b->f->tasks[row].call = cs_xstrdup(call);
	b->f->tasks[id].children[index] = row;
	b->f->tasks[id].n_children = index + 1;
	return row;
}

/* The read of the document. The cursor is on `with`. */
static void build_read(cs_build *b, int id, const json_t *with)
{
	json_t *request = json_pack("{s:s, s:O}", "method", "get", "endpoint", json_object_get(json_object_get(with, "document"), "endpoint"));
	int row = add_row(b, id, 0, "document", "http", request);
	size_t mark = cs_check_push(&b->c, "document");
	cs_build_http_arguments(b, row, request);
	cs_check_pop(&b->c, mark);
}

/* The call itself: its raw input is the document, unless that is a file; its input the outer one's. */
static void build_operation(cs_build *b, int id, int index, const json_t *with)
{
	static const char *const member[] = { "${ $openapi.with }", "${ $openapi.input }" };
	size_t around = b->n_vars;
	cs_build_enter(b, "openapi");
	int row = add_row(b, id, index, "operation", "openapi", json_string(member[0]));
	json_t *args CS_AUTOJSON = json_string(member[0]), *input CS_AUTOJSON = json_string(member[1]);
	cs_build_template(b, args, CS_TEMPLATE_STRICT, &b->f->tasks[row].body);
	cs_build_template(b, input, CS_TEMPLATE_STRICT, &b->f->tasks[row].input_from);
	cs_build_leave(b, around);
	cs_build_authentication(b, with, row);
	cs_task *t = &b->f->tasks[id], *op = &b->f->tasks[row];
	op->metadata = t->metadata;
	op->ask_title = CS_STEAL(t->ask_title);
}

void cs_build_openapi(cs_build *b, int id, json_t *def)
{
	static const cs_key keys[] = {
		{ "document", CS_IS_OBJECT | CS_KEY_REQUIRED }, { "operationId", CS_IS_STRING | CS_KEY_REQUIRED },
		{ "parameters", CS_IS_OBJECT | CS_IS_STRING }, { "authentication", CS_IS_OBJECT | CS_IS_STRING },
		{ "output", CS_IS_STRING }, { "redirect", CS_IS_BOOL }, { NULL, 0 },
	};
	json_t *with = json_object_get(def, "with");
	size_t errors = b->c.d->errors, mark = cs_check_push(&b->c, "with");
	b->f->tasks[id].kind = CS_TASK_DO;
	b->f->tasks[id].call = cs_xstrdup("openapi");
	if (cs_check_object(&b->c, with, keys, "the 'with' of an openapi call")) {
		check_document(b, with);
		cs_check_word(&b->c, with, "output", outputs);
	}
	if (b->c.d->errors == errors) {
		const json_t *endpoint = json_object_get(json_object_get(with, "document"), "endpoint");
		json_t *uri = json_is_string(endpoint) ? (json_t *)(uintptr_t)endpoint : json_object_get(endpoint, "uri");
		json_t *args CS_AUTOJSON = json_copy(with);
		json_object_del(args, "authentication");
		json_object_set(args, "document", uri ? uri : json_null());
		b->f->tasks[id].children = cs_xcalloc(2, sizeof(int));
		int around = cs_build_secrets_for(b, id);
		cs_build_template(b, args, b->loose ? CS_TEMPLATE_LOOSE_WITH : CS_TEMPLATE_STRICT, &b->f->tasks[id].body);
		cs_build_secrets_for(b, around);
		if (!is_file(with))
			build_read(b, id, with);
		build_operation(b, id, b->f->tasks[id].n_children, with);
	}
	cs_check_pop(&b->c, mark);
}
