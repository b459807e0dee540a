/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folders of a workspace, and one file by its kind. */
#include "flow/workspace.h"

#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/scenario.h"
#include "flow/workspace_priv.h"

/* One document on its way in. */
typedef struct document {
	json_t *doc;
	cs_source *src;
	const char *shown;        /* "flows/x.yaml" */
} document;

typedef struct loader {
	cs_workspace *w;
	cs_diags *d;
	json_t *origins;          /* "function NAME" -> file; one name stands in one place */
	cs_sub_places subs;
} loader;

/* Notes that NAME of the kind WHAT stands in FILE; false after a report that it is there already. */
static bool claim(loader *l, const document *o, const char *what, const char *name, const char *pointer)
{
	char *key CS_AUTOFREE = cs_xasprintf("%s %s", what, name);
	const char *before = json_string_value(json_object_get(l->origins, key));
	if (!before) {
		json_object_set_new(l->origins, key, json_string(o->shown));
		return true;
	}
	unsigned line = 0, col = 0;
	cs_source_at(o->src, pointer, 0, &line, &col);
	cs_diags_add(l->d, false, o->shown, line, col, "the %s '%.80s' stands in %s already; give one of the two another name",
		     what, name, before);
	return false;
}

static void add_function(loader *l, const document *o, cs_function *f, const char *pointer)
{
	cs_workspace *w = l->w;
	if (!claim(l, o, "function", f->name, pointer)) {
		cs_function_free(f);
		return;
	}
	w->functions = cs_xrealloc(w->functions, (w->n_functions + 1) * sizeof *w->functions);
	w->functions[w->n_functions++] = f;
}

static void load_agent(loader *l, const document *o)
{
	cs_function *f = NULL;
	if (cs_function_agent(o->doc, o->src, l->d, &f) == CS_OK)
		add_function(l, o, f, "/agent");
}

static void load_connector(loader *l, const document *o)
{
	if (cs_connector_check(o->doc, o->src, l->d) < 0)
		return;
	const char *name = cs_json_str(o->doc, "connector"), *operation;
	if (!claim(l, o, "connector", name, "/connector"))
		return;
	json_object_set(l->w->connectors, name, o->doc);
	json_t *op;
	json_object_foreach(json_object_get(o->doc, "operations"), operation, op) {
		cs_function *f = NULL;
		if (cs_function_operation(o->doc, operation, o->src, l->d, &f) == CS_OK)
			add_function(l, o, f, "/operations");
	}
}

static void load_policy(loader *l, const document *o)
{
	if (cs_policy_check(l->w, o->doc, o->src, l->d)
	    && claim(l, o, "policy", cs_json_str(o->doc, "policy"), "/policy"))
		json_array_append(l->w->policies, o->doc);
}

static void load_fixture(loader *l, const document *o)
{
	if (cs_fixture_check(l->w, o->doc, o->src, l->d)
	    && claim(l, o, "fixture of", cs_json_str(o->doc, "function"), "/function"))
		json_array_append(l->w->fixtures, o->doc);
}

static const char *const *callable_names(void *ctx)
{
	const cs_workspace *w = ctx;
	return w->callables;
}

static const cs_function *function_of(void *ctx, const char *name)
{
	return cs_workspace_function(ctx, name);
}

static const char *const *runbook_names(void *ctx)
{
	const cs_workspace *w = ctx;
	return (const char *const *)w->runbooks;
}

/* Compiles the flow of O and holds it against what W has (NULL: only built-ins). */
static int compile_flow(const cs_workspace *w, const document *o, cs_diags *d, cs_flow **ret)
{
	cs_flow_world world = {
		.callable = w ? cs_workspace_callable : NULL, .names = w ? callable_names : NULL,
		.catalog = w ? cs_workspace_catalog : NULL, .resource = w ? cs_workspace_resource : NULL, .function = w ? function_of : NULL,
		.runbooks = w && w->runbooks ? runbook_names : NULL, .ctx = (void *)(uintptr_t)w,
	};
	return cs_flow_new_in(o->doc, o->src, &world, d, ret);
}

static void load_flow(loader *l, const document *o)
{
	cs_workspace *w = l->w;
	cs_flow *f = NULL;
	if (compile_flow(w, o, l->d, &f) < 0)
		return;
	char *full CS_AUTOFREE = cs_xasprintf("%s/%s:%s", f->ns, f->name, f->version);
	if (!claim(l, o, "flow", full, "/document/name")) {
		cs_flow_unref(f);
		return;
	}
	w->flows = cs_xrealloc(w->flows, (w->n_flows + 1) * sizeof *w->flows);
	w->flows[w->n_flows++] = f;
	cs_sub_places_note(&l->subs, f, o->src, o->shown);
}

static void load_scenario(loader *l, const document *o)
{
	if (cs_scenario_check(l->w, o->doc, o->src, l->d)
	    && claim(l, o, "scenario", cs_json_str(o->doc, "scenario"), "/scenario"))
		json_object_set(l->w->scenarios, o->shown, o->doc);
}

/* Each kind of file, in the order in which they need each other. A document is of the kind whose
 * keys it has. */
static const struct kind {
	const char *folder, *key, *second, *what;
	void (*load)(loader *l, const document *o);
} kinds[] = {
	{ "agents", "agent", NULL, "an agent", load_agent },
	{ "connectors", "connector", NULL, "a connector", load_connector },
	{ "fixtures", "function", "answers", "a fixture", load_fixture },
	{ "flows", "document", "do", "a flow", load_flow },
	{ "policies", "policy", NULL, "a policy", load_policy },
	{ "scenarios", "scenario", NULL, "a scenario", load_scenario },
};

static const struct kind *kind_of(const json_t *doc)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++)
		if (json_object_get(doc, kinds[i].key))
			return &kinds[i];
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++)
		if (kinds[i].second && json_object_get(doc, kinds[i].second))
			return &kinds[i];
	return NULL;
}

static void load_file(loader *l, const struct kind *k, const char *name)
{
	char *shown CS_AUTOFREE = cs_xasprintf("%s/%s", k->folder, name);
	json_t *doc CS_AUTOJSON = NULL;
	cs_source *src CS_CLEANUP(cs_source_freep) = NULL;
	cs_err err = { 0 };
	if (cs_workspace_read(l->w, shown, &doc, &src, &err) < 0) {
		cs_diags_add_err(l->d, shown, &err);
		return;
	}
	const struct kind *is = kind_of(doc);
	if (is && is != k) {
		cs_diags_add(l->d, false, shown, 1, 1, "this is %s; it belongs into %s/", is->what, is->folder);
		return;
	}
	document o = { .doc = doc, .src = src, .shown = shown };
	cs_workspace_texts(l->w, doc, src, shown, l->d);
	k->load(l, &o);
}

/* Names that look like ours, but are not read: said, so that nobody wonders. */
static void warn_names(loader *l, const struct kind *k, const char *folder)
{
	char **names CS_CLEANUP(cs_strv_freep) = NULL;
	if (cs_dir_list(folder, ".yml", &names, NULL) < 0)
		return;
	for (char **n = names; *n; n++) {
		char *shown CS_AUTOFREE = cs_xasprintf("%s/%s", k->folder, *n);
		cs_diags_add(l->d, true, shown, 0, 0, "only files ending in .yaml are read; rename this one");
	}
}

static int load_folder(loader *l, const struct kind *k, cs_err *err)
{
	char *folder CS_AUTOFREE = cs_path_join(l->w->dir, k->folder);
	char **names CS_CLEANUP(cs_strv_freep) = NULL;
	int r = cs_dir_list(folder, ".yaml", &names, err);
	if (r < 0)
		return r;
	for (char **n = names; *n; n++)
		load_file(l, k, *n);
	warn_names(l, k, folder);
	return CS_OK;
}

/* What takes something back is found once all functions are known. */
static void check_reversals(const cs_workspace *w, cs_diags *d)
{
	for (size_t i = 0; i < w->n_functions; i++) {
		const cs_function *f = w->functions[i], *by = NULL;
		if (!f->reverse_call)
			continue;
		by = cs_workspace_function(w, f->reverse_call);
		if (!by)
			cs_diags_add(d, false, f->reverse_file, f->reverse_line, f->reverse_col,
				     "the function '%.80s', which takes %s back, is not known; name an operation or an agent", f->reverse_call, f->name);
		else if (by->kind != CS_FUNCTION_OPERATION && by->kind != CS_FUNCTION_AGENT)
			cs_diags_add(d, false, f->reverse_file, f->reverse_line, f->reverse_col,
				     "'%s' cannot take anything back; name an operation or an agent", by->name);
	}
}

/* A probe asks; it changes nothing. */
static void check_probes(const cs_workspace *w, cs_diags *d)
{
	for (size_t i = 0; i < w->n_functions; i++) {
		const cs_function *f = w->functions[i], *by = f->probe_call ? cs_workspace_function(w, f->probe_call) : NULL;
		if (!f->probe_call)
			continue;
		if (!by)
			cs_diags_add(d, false, f->probe_file, f->probe_line, f->probe_col,
				     "the function '%.80s', which is asked whether %s happened, is not known; name an operation", f->probe_call, f->name);
		else if (by->kind != CS_FUNCTION_OPERATION || by->effect != CS_EFFECT_READ)
			cs_diags_add(d, false, f->probe_file, f->probe_line, f->probe_col,
				     "'%s' cannot be asked whether %s happened: name an operation of 'effect: read', which changes nothing", by->name, f->name);
	}
}

int cs_workspace_load_folders(cs_workspace *w, cs_diags *d, cs_err *err)
{
	json_t *origins CS_AUTOJSON = json_object();
	loader l = { .w = w, .d = d, .origins = origins };
	char *runbooks CS_AUTOFREE = cs_path_join(w->dir, "runbooks");
	if (cs_dir_list(runbooks, "", &w->runbooks, NULL) < 0)
		w->runbooks = cs_xcalloc(1, sizeof *w->runbooks);
	int r = CS_OK;
	cs_workspace_index(w);
	for (size_t i = 0; r == CS_OK && i < CS_ARRAY_LEN(kinds); i++) {
		r = load_folder(&l, &kinds[i], err);
		cs_workspace_index(w);
	}
	check_reversals(w, d);
	check_probes(w, d);
	cs_sub_places_check(&l.subs, w, d);
	cs_sub_places_fini(&l.subs);
	return r;
}

static void check_settings(const document *o, cs_diags *d)
{
	cs_workspace *w = cs_xcalloc(1, sizeof *w);
	w->exprs = cs_exprset_new();
	cs_settings_defaults(w);
	cs_settings_read(w, o->doc, o->src, d);
	cs_workspace_free(w);
}

static void check_flow(const cs_workspace *w, const document *o, cs_diags *d, cs_flow **ret)
{
	cs_flow *f = NULL;
	if (compile_flow(w, o, d, &f) < 0)
		return;
	if (w) {
		cs_sub_places places = { 0 };
		cs_sub_places_note(&places, f, o->src, o->shown);
		cs_sub_places_check(&places, w, d);
		cs_sub_places_fini(&places);
	}
	if (ret)
		*ret = f;
	else
		cs_flow_unref(f);
}

static void check_operations(const document *o, cs_diags *d)
{
	const char *operation;
	json_t *op;
	if (cs_connector_check(o->doc, o->src, d) < 0)
		return;
	json_object_foreach(json_object_get(o->doc, "operations"), operation, op) {
		cs_function *f = NULL;
		if (cs_function_operation(o->doc, operation, o->src, d, &f) == CS_OK)
			cs_function_free(f);
	}
}

static void check_agent(const document *o, cs_diags *d)
{
	cs_function *f = NULL;
	if (cs_function_agent(o->doc, o->src, d, &f) == CS_OK)
		cs_function_free(f);
}

static void check_document(const cs_workspace *w, const document *o, cs_diags *d, cs_flow **ret_flow)
{
	const struct kind *k = kind_of(o->doc);
	if (json_object_get(o->doc, "workspace"))
		check_settings(o, d);
	else if (!k)
		cs_diags_add(d, false, o->shown, 1, 1, "this is no file of a workspace: it has none of the keys document, agent, connector, policy, function, scenario, workspace");
	else if (k->load == load_flow)
		check_flow(w, o, d, ret_flow);
	else if (k->load == load_agent)
		check_agent(o, d);
	else if (k->load == load_connector)
		check_operations(o, d);
	else if (k->load == load_policy)
		cs_policy_check(w, o->doc, o->src, d);
	else if (k->load == load_fixture)
		cs_fixture_check(w, o->doc, o->src, d);
	else
		cs_scenario_check(w, o->doc, o->src, d);
}

int cs_workspace_check_file(const cs_workspace *w, const char *path, cs_diags *d, cs_flow **ret_flow, cs_err *err)
{
	json_t *doc CS_AUTOJSON = NULL;
	cs_source *src CS_CLEANUP(cs_source_freep) = NULL;
	cs_err why = { 0 };
	size_t errors = d->errors;
	if (cs_yaml_load(path, NULL, &doc, &src, &why) < 0) {
		cs_diags_add_err(d, path, &why);
	} else {
		document o = { .doc = doc, .src = src, .shown = path };
		/* What is read is noted in the workspace's files, and was noted there when it was loaded. */
		cs_workspace_texts((cs_workspace *)(uintptr_t)w, doc, src, path, d);
		check_document(w, &o, d, ret_flow);
	}
	return d->errors > errors ? cs_err_set(err, CS_EINVAL, "%s has errors", path) : CS_OK;
}
