/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions that are tasks: those of `use.functions`, and those of a catalog on disk. A call of one
 * is a task with the function's own as its body and `with` as that one's raw input.
 * Source: dsl-reference.md, "Use"; dsl.md, "Catalogs" and "Custom and Non-Standard Interactions". */
#include "flow/flow_priv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/function.h"

enum { REFERENCE_MAX = 8000 };

char *cs_pointer_part(const char *name)
{
	char *out = cs_xcalloc(2 * strlen(name) + 1, 1), *p = out;
	for (; *name; name++) {
		if (*name == '~' || *name == '/')
			*p++ = '~';
		*p++ = *name == '~' ? '0' : *name == '/' ? '1' : *name;
	}
	return out;
}

/* May the body of FN be compiled here? Reported when not. */
static bool may_enter(cs_build *b, const char *name, const json_t *fn, const char *base)
{
	for (size_t i = b->first_function; i < b->n_functions; i++) {
		if (b->functions[i] == fn) {
			cs_check_error(&b->c, "the function '%.80s' calls itself, directly or through others; a loop is written with 'for' or 'then'", name);
			return false;
		}
	}
	if (b->n_functions == CS_BUILD_CALLS || strlen(base) > REFERENCE_MAX) {
		cs_check_error(&b->c, "functions call functions more than %d deep; call fewer of them through each other", CS_BUILD_CALLS);
		return false;
	}
	if (b->f->n_tasks >= CS_BUILD_TASKS) {
		cs_check_error(&b->c, "with the bodies of the functions it calls, this flow has more than %d tasks", CS_BUILD_TASKS);
		return false;
	}
	return true;
}

/* The body: the cursor stands on FN, which nobody's variables reach. */
static void build_body(cs_build *b, int id, const char *name, json_t *fn)
{
	char *part CS_AUTOFREE = cs_pointer_part(name);
	char *base CS_AUTOFREE = cs_xasprintf("%s/call/%s", b->f->tasks[id].ref, part);
	if (!may_enter(b, name, fn, base))
		return;
	const char *ref_base = b->ref_base;
	size_t ref_skip = b->ref_skip, first_var = b->first_var;
	b->functions[b->n_functions++] = fn;
	b->ref_base = base;
	b->ref_skip = b->c.len;
	b->first_var = b->n_vars;
	cs_build_only(b, name, fn, id);
	b->first_var = first_var;
	b->ref_skip = ref_skip;
	b->ref_base = ref_base;
	b->n_functions--;
}

/* What stands beside the call itself. */
static void build_arguments(cs_build *b, int id, json_t *def)
{
	json_t *with CS_AUTOJSON = json_incref(json_object_get(def, "with"));
	if (!with)
		with = json_object();
	b->f->tasks[id].kind = CS_TASK_DO;
	if (json_object_get(json_object_get(def, "metadata"), "ask"))
		cs_check_error_key(&b->c, "metadata", "'ask' says how the gate of an effect asks; write it beside the call inside the function");
	size_t mark = cs_check_push(&b->c, "with");
	int around = cs_build_secrets_for(b, id);
	cs_build_template(b, with, cs_build_mode(b, CS_TEMPLATE_STRICT), &b->f->tasks[id].body);
	cs_build_secrets_for(b, around);
	cs_check_pop(&b->c, mark);
}

/* `with` against what the function says of its input, once its body is compiled. */
static void check_input(cs_build *b, int id, const char *name, json_t *def)
{
	const cs_task *t = &b->f->tasks[id], *body = t->n_children ? &b->f->tasks[t->children[0]] : NULL;
	if (!b->src || !body || !body->input_schema)
		return;               /* a stored definition ran so before: it fails when it comes there */
	json_t *with CS_AUTOJSON = json_incref(json_object_get(def, "with"));
	if (!with)
		with = json_object();
	const json_t *schema = json_object_get(json_object_get(body->def, "input"), "schema");
	size_t mark = cs_check_push(&b->c, "with");
	cs_build_check_arguments(b, name, with, body->input_schema, json_object_get(schema, "document"));
	cs_check_pop(&b->c, mark);
}

/* ---- catalogs ---- */

typedef struct full_name {
	char *name, *version, *catalog;
} full_name;

static void full_name_fini(full_name *n)
{
	free(n->name);
	free(n->version);
	free(n->catalog);
}

static bool is_part(const char *s)
{
	bool ok = isalnum((unsigned char)*s) != 0;
	for (; *s && ok; s++)
		ok = isalnum((unsigned char)*s) || strchr("-_.+", *s);
	return ok;
}

/* {name}:{version}@{catalog}; reported when it is not so. */
static bool split_name(cs_build *b, const char *full, full_name *ret)
{
	const char *colon = strchr(full, ':'), *at = strrchr(full, '@');
	if (colon && at > colon) {
		ret->name = cs_xstrndup(full, (size_t)(colon - full));
		ret->version = cs_xstrndup(colon + 1, (size_t)(at - colon - 1));
		ret->catalog = cs_xstrdup(at + 1);
		if (is_part(ret->name) && is_part(ret->version) && is_part(ret->catalog))
			return true;
	}
	cs_check_error_key(&b->c, "call", "a function of a catalog is called as NAME:VERSION@CATALOG, like 'log:1.0.0@team', not '%.80s'", full);
	return false;
}

/* The URI of a catalog's endpoint; NULL when it is none that is read here. */
static const char *endpoint_of(const json_t *catalog)
{
	const json_t *e = json_object_get(catalog, "endpoint");
	return json_is_string(e) ? json_string_value(e) : cs_json_str(e, "uri");
}

/* Where the catalog that a call names is: by `use.catalogs`, or, as `default`, the workspace's own. NULL after a report. */
static const char *catalog_of(cs_build *b, const char *name)
{
	static const char own[] = "file://./catalog";
	cs_check saved;
	if (strcmp(name, "default") == 0 && !json_object_get(json_object_get(json_object_get(b->f->def, "use"), "catalogs"), name))
		return own;
	json_t *catalog = cs_use_find(b, "catalogs", name, &saved);
	if (catalog)
		cs_use_done(b, &saved);
	return endpoint_of(catalog);
}

/* The function's document, kept with the flow; NULL after a report. */
static json_t *fetch(cs_build *b, const char *full, const full_name *n, cs_source **ret_src)
{
	cs_err err = { 0 };
	json_t *doc = json_object_get(b->f->cataloged, full);
	if (doc)
		return doc;
	size_t mark = cs_check_push(&b->c, "call");
	const char *endpoint = catalog_of(b, n->catalog);
	if (endpoint && !b->catalog)
		cs_check_error(&b->c, "catalogs are read below a workspace's folder; check this flow inside of one");
	else if (endpoint && b->catalog(b->ctx, full, endpoint, n->name, n->version, &doc, ret_src, &err) < 0)
		cs_check_error(&b->c, "%s", err.msg);
	cs_check_pop(&b->c, mark);
	if (!doc)
		return NULL;
	if (!b->f->cataloged)
		b->f->cataloged = json_object();
	json_object_set_new(b->f->cataloged, full, doc);
	return doc;
}

static void build_cataloged(cs_build *b, int id, const char *full)
{
	full_name n CS_CLEANUP(full_name_fini) = { 0 };
	cs_source *src CS_CLEANUP(cs_source_freep) = NULL;
	if (!split_name(b, full, &n))
		return;
	json_t *fn = fetch(b, full, &n, &src);
	if (!fn)
		return;
	cs_check saved = b->c;
	cs_check_init(&b->c, NULL, src, saved.d);      /* findings name the catalog's file */
	size_t errors = saved.d->errors;
	build_body(b, id, n.name, fn);
	b->c = saved;
	if (saved.d->errors > errors && !src)
		cs_check_error_key(&b->c, "call", "the function %.120s has errors", full);
}

/* ---- from outside ---- */

bool cs_build_function(cs_build *b, int id, json_t *def)
{
	const char *name = cs_json_str(def, "call");
	cs_check saved;
	if (strstr(name, "://")) {
		build_arguments(b, id, def);
		cs_check_error_key(&b->c, "call", "a function is not read from a URL by this version; copy its function.yaml to "
				   "catalog/functions/NAME/VERSION/ of the workspace and write 'call: NAME:VERSION@default'");
		return true;
	}
	if (strchr(name, '@')) {
		build_arguments(b, id, def);
		build_cataloged(b, id, name);
		check_input(b, id, name, def);
		return true;
	}
	if (!json_object_get(json_object_get(json_object_get(b->f->def, "use"), "functions"), name))
		return false;
	build_arguments(b, id, def);
	json_t *fn = cs_use_find(b, "functions", name, &saved);
	build_body(b, id, name, fn);
	cs_use_done(b, &saved);
	check_input(b, id, name, def);
	return true;
}

static void check_function(cs_build *b, const char *name, const json_t *fn)
{
	const char *const *known = b->names ? b->names(b->ctx) : NULL;
	while (known && *known && strcmp(*known, name) != 0)
		known++;
	if (cs_function_builtin(name) || (known && *known))
		cs_check_error_key(&b->c, name, "'%.80s' is already the name of an agent, an operation or a built-in; give the function another", name);
	if (strchr(name, '@'))
		cs_check_error_key(&b->c, name, "a function's name has no '@'; that stands for a catalog");
	size_t mark = cs_check_push(&b->c, name);
	cs_check_type(&b->c, fn, CS_IS_OBJECT, "a function");
	cs_check_pop(&b->c, mark);
}

static void check_catalog(cs_build *b, const json_t *catalog)
{
	static const cs_key keys[] = { { "endpoint", CS_IS_STRING | CS_IS_OBJECT | CS_KEY_REQUIRED }, { NULL, 0 } };
	static const cs_key endpoint_keys[] = {
		{ "uri", CS_IS_STRING | CS_KEY_REQUIRED }, { "authentication", CS_IS_ANY }, { NULL, 0 },
	};
	if (!cs_check_object(&b->c, catalog, keys, "a catalog"))
		return;
	const json_t *e = json_object_get(catalog, "endpoint");
	size_t mark = cs_check_push(&b->c, "endpoint");
	if (json_is_string(e) || cs_check_object(&b->c, e, endpoint_keys, "an endpoint")) {
		const char *uri = endpoint_of(catalog);
		if (strncasecmp(uri, "http:", 5) == 0 || strncasecmp(uri, "https:", 6) == 0)
			cs_check_error(&b->c, "a catalog on the network is not read by this version; copy it below the workspace and write 'file://./FOLDER'");
		else if (strncmp(uri, "file:", 5) != 0)
			cs_check_error(&b->c, "a catalog is a folder below the workspace, written 'file://./FOLDER', not '%.80s'", uri);
	}
	cs_check_pop(&b->c, mark);
}

void cs_build_use_functions(cs_build *b, const json_t *use)
{
	const char *name;
	json_t *v;
	size_t mark = cs_check_push(&b->c, "functions");
	json_object_foreach(json_object_get(use, "functions"), name, v)
		check_function(b, name, v);
	cs_check_pop(&b->c, mark);
	mark = cs_check_push(&b->c, "catalogs");
	json_object_foreach(json_object_get(use, "catalogs"), name, v) {
		size_t at = cs_check_push(&b->c, name);
		check_catalog(b, v);
		cs_check_pop(&b->c, at);
	}
	cs_check_pop(&b->c, mark);
}
