/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/workspace.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/workspace_priv.h"

enum { RUNBOOK_MAX = 256 * 1024 };

static const char settings_file[] = "capstan.yaml";

int cs_workspace_find(const char *from, char **ret, cs_err *err)
{
	char *dir CS_AUTOFREE = realpath(from ? from : ".", NULL);
	if (!dir)
		return cs_err_sys(err, errno, "cannot open the folder %s", from ? from : ".");
	for (;;) {
		char *path CS_AUTOFREE = cs_path_join(dir, settings_file);
		if (cs_file_exists(path)) {
			*ret = CS_STEAL(dir);
			return CS_OK;
		}
		char *slash = strrchr(dir, '/');
		if (!slash || dir[1] == '\0')
			break;
		*(slash == dir ? slash + 1 : slash) = '\0';
	}
	return cs_err_set(err, CS_ENOTFOUND, "there is no workspace here or above (no %s); make one with: capstan init DIR", settings_file);
}

static int function_by_name(const void *a, const void *b)
{
	return strcmp((*(cs_function *const *)a)->name, (*(cs_function *const *)b)->name);
}

void cs_workspace_index(cs_workspace *w)
{
	if (w->n_functions)
		qsort(w->functions, w->n_functions, sizeof *w->functions, function_by_name);
	size_t n = 0;
	const char *name;
	free(w->callables);
	while (cs_function_builtin_name(n))
		n++;
	w->callables = cs_xcalloc(w->n_functions + n + 1, sizeof *w->callables);
	n = 0;
	for (size_t i = 0; i < w->n_functions; i++)
		w->callables[n++] = w->functions[i]->name;
	for (size_t i = 0; (name = cs_function_builtin_name(i)); i++)
		w->callables[n++] = name;
}

static cs_workspace *workspace_new(char *dir)
{
	cs_workspace *w = cs_xcalloc(1, sizeof *w);
	const char *base = strrchr(dir, '/');
	w->dir = dir;
	w->name = cs_xstrdup(base && base[1] ? base + 1 : "workspace");
	w->connectors = json_object();
	w->policies = json_array();
	w->fixtures = json_array();
	w->scenarios = json_object();
	w->files = json_object();
	w->exprs = cs_exprset_new();
	cs_settings_defaults(w);
	return w;
}

int cs_workspace_read(cs_workspace *w, const char *shown, json_t **ret, cs_source **ret_src, cs_err *err)
{
	char *path CS_AUTOFREE = cs_path_join(w->dir, shown);
	char hash[CS_HEX_SIZE];
	int rc = cs_yaml_load_hashed(path, shown, ret, ret_src, hash, err);
	if (rc == CS_OK)
		json_object_set_new(w->files, shown, json_string(hash));
	return rc;
}

static int load_all(cs_workspace *w, cs_diags *d, cs_err *err)
{
	cs_source *src CS_CLEANUP(cs_source_freep) = NULL;
	cs_err why = { 0 };
	if (cs_workspace_read(w, settings_file, &w->settings, &src, &why) < 0) {
		cs_diags_add_err(d, settings_file, &why);
		w->settings = json_object();
	} else {
		cs_settings_read(w, w->settings, src, d);
	}
	int r = cs_workspace_load_folders(w, d, err);
	if (r == CS_OK && src)
		cs_settings_check_flows(w, src, d);
	return r;
}

int cs_workspace_load(const char *dir, bool lenient, cs_diags *d, cs_workspace **ret, cs_err *err)
{
	char *own = realpath(dir, NULL);
	if (!own)
		return cs_err_sys(err, errno, "cannot open the folder %s", dir);
	char *path CS_AUTOFREE = cs_path_join(own, settings_file);
	if (!cs_file_exists(path)) {
		free(own);
		return cs_err_set(err, CS_ENOTFOUND, "%s is no workspace: it has no %s; make one with: capstan init %s", dir, settings_file, dir);
	}
	cs_workspace *w = workspace_new(own);
	size_t errors = d->errors;
	int r = load_all(w, d, err);
	if (r == CS_OK && d->errors > errors && !lenient)
		r = cs_err_set(err, CS_EINVAL, "the workspace has %zu errors; see them with: capstan check", d->errors - errors);
	if (r < 0) {
		cs_workspace_free(w);
		return r;
	}
	*ret = w;
	return CS_OK;
}

void cs_workspace_free(cs_workspace *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n_flows; i++)
		cs_flow_unref(w->flows[i]);
	for (size_t i = 0; i < w->n_functions; i++)
		cs_function_free(w->functions[i]);
	for (size_t i = 0; i < w->n_flow_settings; i++) {
		free(w->flow_settings[i].flow);
		cs_template_free(w->flow_settings[i].subject);
		cs_starts_free(w->flow_settings[i].starts, w->flow_settings[i].n_starts);
	}
	free(w->flows);
	free(w->functions);
	free(w->callables);
	cs_strv_freep(&w->runbooks);
	free(w->flow_settings);
	cs_exprset_unref(w->exprs);
	cs_places_fini(&w->places);
	json_decref(w->connectors);
	json_decref(w->policies);
	json_decref(w->fixtures);
	json_decref(w->scenarios);
	json_decref(w->settings);
	json_decref(w->files);
	free(w->dir);
	free(w->name);
	free(w->operator_name);
	free(w->timezone);
	cs_hours_free(w->hours);
	cs_zone_free(w->zone);
	free(w);
}

int cs_workspace_check_expressions(const cs_workspace *w, cs_jq_pool *pool, cs_diags *d, cs_err *err)
{
	int r = cs_places_check(&w->places, w->exprs, pool, d, err);
	for (size_t i = 0; i < w->n_functions && r == CS_OK; i++)
		r = cs_places_check(&w->functions[i]->places, w->functions[i]->exprs, pool, d, err);
	for (size_t i = 0; i < w->n_flows && r == CS_OK; i++)
		r = cs_places_check(&w->flows[i]->places, w->flows[i]->exprs, pool, d, err);
	return r;
}

static bool is_flow(const cs_flow *f, const char *name)
{
	char *full CS_AUTOFREE = cs_xasprintf("%s/%s:%s", f->ns, f->name, f->version);
	const char *colon = strchr(name, ':'), *slash = strchr(name, '/');
	if (colon)
		return strcmp(slash ? full : strchr(full, '/') + 1, name) == 0;
	*strchr(full, ':') = '\0';
	return strcmp(slash ? full : f->name, name) == 0;
}

const cs_flow *cs_workspace_flow(const cs_workspace *w, const char *name)
{
	const cs_flow *best = NULL;
	for (size_t i = 0; i < w->n_flows; i++) {
		const cs_flow *f = w->flows[i];
		if (!is_flow(f, name))
			continue;
		if (best && strcmp(best->ns, f->ns) != 0)
			return NULL;
		if (!best || strverscmp(best->version, f->version) < 0)
			best = f;
	}
	return best;
}

const cs_flow_settings *cs_workspace_flow_settings(const cs_workspace *w, const char *name)
{
	for (size_t i = 0; i < w->n_flow_settings; i++)
		if (strcmp(w->flow_settings[i].flow, name) == 0)
			return &w->flow_settings[i];
	return NULL;
}

const cs_function *cs_workspace_function(const cs_workspace *w, const char *name)
{
	const cs_function *builtin = cs_function_builtin(name);
	if (builtin || w->n_functions == 0)
		return builtin;
	cs_function key = { .name = (char *)(uintptr_t)name };
	const cs_function *wanted = &key;
	cs_function *const *found = bsearch(&wanted, w->functions, w->n_functions, sizeof *w->functions, function_by_name);
	return found ? *found : NULL;
}

bool cs_workspace_callable(void *w, const char *name)
{
	return cs_workspace_function(w, name) != NULL;
}

char *cs_workspace_runbook(const cs_workspace *w, const char *name)
{
	if (!*name || *name == '.' || strchr(name, '/'))
		return NULL;
	char *relative CS_AUTOFREE = cs_path_join("runbooks", name);
	char *path CS_AUTOFREE = cs_path_join(w->dir, relative);
	cs_buf text CS_AUTOBUF;
	cs_buf_init(&text, RUNBOOK_MAX);
	if (cs_file_read(path, &text, NULL) < 0)
		return NULL;
	return cs_buf_steal(&text);
}
