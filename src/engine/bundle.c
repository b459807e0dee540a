/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Definitions by hash: what a run pins to its end, over restarts and changed files. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "engine/hearers.h"

static int compile_roles(cs_bundle *b, cs_err *err)
{
	const char *name;
	json_t *doc;
	json_object_foreach(json_object_get(b->doc, "roles"), name, doc) {
		cs_diags d;
		cs_diags_init(&d);
		cs_function *fn = NULL;
		int rc = cs_function_agent(doc, NULL, &d, &fn);
		if (rc != CS_OK)
			cs_err_set(err, rc, "the pinned role %s does not load any more: %s", name, d.n > 0 ? d.items[0].message : "unknown");
		cs_diags_fini(&d);
		if (rc != CS_OK)
			return rc;
		b->roles = cs_xrealloc(b->roles, (b->n_roles + 1) * sizeof *b->roles);
		b->roles[b->n_roles++] = fn;
	}
	return CS_OK;
}

static void bundle_free(cs_bundle *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n_roles; i++)
		cs_function_free(b->roles[i]);
	free(b->roles);
	cs_hearers_free(b->hearers);
	cs_flow_unref(b->flow);
	json_decref(b->doc);
	free(b);
}

void cs_bundles_free(cs_bundle *b)
{
	while (b != NULL) {
		cs_bundle *next = b->next;
		bundle_free(b);
		b = next;
	}
}

static cs_bundle *bundle_of_flow(cs_engine *e, const cs_flow *flow, int depth);

static json_t *roles_of(cs_engine *e, const cs_flow *flow)
{
	json_t *roles = json_object();
	for (int i = 0; i < flow->n_tasks; i++) {
		const char *call = flow->tasks[i].call;
		const cs_function *fn = call != NULL ? cs_workspace_function(e->ws, call) : NULL;
		if (fn != NULL && fn->kind == CS_FUNCTION_AGENT)
			json_object_set(roles, call, fn->def);
	}
	return roles;
}

/* The flows that FLOW runs, by the name under which it knows them: their hashes, so that theirs are
 * in its own. What is not there is found out by the run that wants it. */
static json_t *subs_of(cs_engine *e, const cs_flow *flow, int depth)
{
	json_t *subs = json_object();
	for (int i = 0; i < flow->n_tasks && depth < CS_SUB_DEPTH; i++) {
		const cs_sub *s = flow->tasks[i].sub;
		const cs_flow *f = s != NULL && s->name != NULL ? cs_workspace_sub(e->ws, s) : NULL;
		const cs_bundle *b = f != NULL ? bundle_of_flow(e, f, depth + 1) : NULL;
		if (b == NULL)
			continue;
		CS_AUTOFREE char *key = cs_bundle_sub_key(s);
		json_object_set_new(subs, key, json_string(b->hash));
	}
	return subs;
}

char *cs_bundle_sub_key(const cs_sub *s)
{
	return cs_xasprintf("%s/%s:%s", s->ns, s->name, s->version);
}

static cs_bundle *bundle_of_flow(cs_engine *e, const cs_flow *flow, int depth)
{
	for (cs_bundle *b = e->bundles; b != NULL; b = b->next)
		if (b->flow == flow)
			return b;
	cs_bundle *b = cs_xcalloc(1, sizeof *b);
	b->flow = cs_flow_ref(flow);
	b->doc = json_pack("{s:O, s:o}", "flow", flow->def, "roles", roles_of(e, flow));
	if (flow->cataloged != NULL)
		json_object_set(b->doc, "functions", flow->cataloged);
	if (flow->resources != NULL)
		json_object_set(b->doc, "resources", flow->resources);
	if (flow->n_subs > 0)
		json_object_set_new(b->doc, "flows", subs_of(e, flow, depth));
	cs_json_digest(b->doc, b->hash);
	for (cs_bundle *same = e->bundles; same != NULL; same = same->next)
		if (strcmp(same->hash, b->hash) == 0) {      /* read again, unchanged */
			bundle_free(b);
			return same;
		}
	if (compile_roles(b, NULL) != CS_OK) {
		bundle_free(b);
		return NULL;
	}
	b->next = e->bundles;
	e->bundles = b;
	return b;
}

cs_bundle *cs_bundle_of_flow(cs_engine *e, const cs_flow *flow)
{
	return bundle_of_flow(e, flow, 0);
}

/* A script's text as it was pinned. */
static int pinned_resource(void *ctx, const char *uri, char **ret, cs_err *err)
{
	const cs_bundle *b = ctx;
	const char *text = cs_json_str(json_object_get(b->doc, "resources"), uri);
	if (text == NULL)
		return cs_err_set(err, CS_ENOTFOUND, "%s was not pinned", uri);
	*ret = cs_xstrdup(text);
	return CS_OK;
}

/* A catalog's function as it was pinned. */
static int pinned(void *ctx, const char *full, const char *endpoint, const char *name, const char *version,
		  json_t **ret, cs_source **ret_src, cs_err *err)
{
	const cs_bundle *b = ctx;
	(void)endpoint;
	(void)name;
	(void)version;
	(void)ret_src;
	json_t *doc = json_object_get(json_object_get(b->doc, "functions"), full);
	if (doc == NULL)
		return cs_err_set(err, CS_ENOTFOUND, "the function %s was not pinned", full);
	*ret = json_incref(doc);
	return CS_OK;
}

static bool anything(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return true;             /* it was checked when it was pinned */
}

/* B has its document. */
static int compile(const char *hash, cs_bundle *b, cs_err *err)
{
	cs_diags d;
	cs_diags_init(&d);
	cs_flow_world world = { .callable = anything, .catalog = pinned, .resource = pinned_resource, .ctx = b };
	int rc = cs_flow_new_in(json_object_get(b->doc, "flow"), NULL, &world, &d, &b->flow);
	if (rc != CS_OK)
		cs_err_set(err, rc, "the pinned flow %.12s does not load any more: %s", hash, d.n > 0 ? d.items[0].message : "unknown");
	cs_diags_fini(&d);
	return rc != CS_OK ? rc : compile_roles(b, err);
}

static int load(cs_engine *e, const char *hash, cs_bundle *b, cs_err *err)
{
	int rc = cs_reader_body(e->reader, hash, &b->doc, err);
	return rc != CS_OK ? rc : compile(hash, b, err);
}

int cs_bundle_try(const char *hash, json_t *doc, cs_bundle **ret, cs_err *err)
{
	cs_bundle *b = cs_xcalloc(1, sizeof *b);
	b->doc = json_incref(doc);
	int rc = compile(hash, b, err);
	if (rc == CS_OK)
		*ret = b;
	else
		bundle_free(b);
	return rc;
}

cs_bundle *cs_bundle_by_hash(cs_engine *e, const char *hash, cs_err *err)
{
	for (cs_bundle *b = e->bundles; b != NULL; b = b->next)
		if (strcmp(b->hash, hash) == 0)
			return b;
	cs_bundle *b = cs_xcalloc(1, sizeof *b);
	if (load(e, hash, b, err) != CS_OK) {
		bundle_free(b);
		return NULL;
	}
	memcpy(b->hash, hash, strlen(hash) < CS_HEX_SIZE ? strlen(hash) + 1 : CS_HEX_SIZE);
	b->stored = true;
	b->next = e->bundles;
	e->bundles = b;
	return b;
}

int cs_bundle_store(cs_engine *e, cs_bundle *b, cs_err *err)
{
	const char *key;
	json_t *hash;
	if (b->stored)
		return CS_OK;
	json_object_foreach(json_object_get(b->doc, "flows"), key, hash) {
		cs_bundle *sub = cs_bundle_by_hash(e, json_string_value(hash), err);
		int rc = sub != NULL ? cs_bundle_store(e, sub, err) : CS_EINTERNAL;
		if (rc != CS_OK)
			return rc;
	}
	CS_AUTOBUF cs_buf bytes;
	cs_buf_init(&bytes, (size_t)8 << 20);
	int rc = cs_json_canonical(b->doc, &bytes);
	if (rc != CS_OK)
		return cs_err_set(err, rc, "the definition of %s is too large to keep", b->flow->name);
	char hex[CS_HEX_SIZE];
	rc = cs_store_put_body(e->store, bytes.data, bytes.len, hex, err);
	b->stored = rc == CS_OK;
	return rc;
}
