/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cutting documents into resources and nodes: every subschema where a keyword of its dialect
 * holds one, and those a reference points at elsewhere. $id, $anchor and $dynamicAnchor are
 * read here and nowhere else (Core 2020-12, section 8.2; draft-07 Core, section 8.2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

static int scan(cs_compiler *c, cs_doc *doc, cs_resource *home, const json_t *json, const char *at, unsigned depth);

static int remember(cs_compiler *c, json_t *map, const char *key, json_t *value)
{
	if (value == NULL || json_object_set_new(map, key, value) < 0)
		return cs_err_set(c->err, CS_ENOMEM, "out of memory, or a name in the schema is not UTF-8");
	return 0;
}

static char *place_key(const cs_doc *doc, const char *pointer)
{
	return cs_xasprintf("%zu#%s", doc->number, pointer);
}

static cs_node *known_node(const cs_compiler *c, const cs_doc *doc, const char *pointer)
{
	CS_AUTOFREE char *key = place_key(doc, pointer);
	const json_t *index = json_object_get(c->by_place, key);

	return index != NULL ? c->nodes[json_integer_value(index)] : NULL;
}

static int add_node(cs_compiler *c, cs_node node, cs_node **ret)
{
	CS_AUTOFREE char *key = place_key(node.home->doc, node.at);
	cs_node *n = cs_schema_alloc(c, 1, sizeof *n);

	if (n == NULL)
		return CS_ETOOBIG;
	if (c->n_nodes >= CS_SCHEMA_NODES)
		return cs_err_set(c->err, CS_ETOOBIG, "the schema has over %d subschemas; split it", CS_SCHEMA_NODES);
	if (c->n_nodes == c->cap_nodes) {
		c->cap_nodes = c->cap_nodes == 0 ? 64 : c->cap_nodes * 2;
		c->nodes = cs_xrealloc(c->nodes, c->cap_nodes * sizeof(cs_node *));
	}
	*n = node;
	c->nodes[c->n_nodes] = n;
	*ret = n;
	return remember(c, c->by_place, key, json_integer((json_int_t)c->n_nodes++));
}

static int add_resource(cs_compiler *c, cs_resource resource, cs_resource **ret)
{
	cs_resource *r = cs_schema_alloc(c, 1, sizeof *r);

	if (r == NULL)
		return CS_ETOOBIG;
	*r = resource;
	c->resources = cs_xrealloc(c->resources, (c->n_resources + 1) * sizeof(cs_resource *));
	c->resources[c->n_resources] = r;
	*ret = r;
	return remember(c, c->by_uri, r->base, json_integer((json_int_t)c->n_resources++));
}

/* The resource that JSON at AT belongs to: HOME, or a new one when an $id begins it. */
static int enter(cs_compiler *c, cs_doc *doc, cs_resource *home, const json_t *json, const char *at, cs_resource **ret)
{
	const json_t *id = json_object_get(json, "$id");
	const char *draft = cs_json_str(json, "$schema");
	cs_dialect dialect = home->dialect;
	cs_node here = { .at = at, .home = home };
	int rc;

	if (id != NULL && !json_is_string(id))
		return cs_schema_bad(c, &here, "$id", "must be text, a URI");
	if (id == NULL || json_string_value(id)[0] == '#')
		return 0;
	if (draft != NULL && (rc = cs_schema_dialect(c, draft, &dialect)) < 0)
		return rc;
	if (dialect.draft == CS_SCHEMA_DRAFT_7 && json_object_get(json, "$ref") != NULL)
		return 0;
	const char *fragment = strchr(json_string_value(id), '#');

	if (fragment != NULL && fragment[1] != '\0' && dialect.draft != CS_SCHEMA_DRAFT_7)
		return cs_schema_bad(c, &here, "$id", "must not have a part after #; use $anchor for that");
	CS_AUTOFREE char *base = cs_uri_resolve(home->base, json_string_value(id));

	if (at[0] != '\0' && json_object_get(c->by_uri, base) != NULL)
		return cs_schema_bad(c, &here, "$id", "\"%.200s\" is taken by another schema", base);
	char *kept = cs_schema_dup(c, base);

	return kept == NULL ? CS_ETOOBIG
		: add_resource(c, (cs_resource) { .base = kept, .at = at, .doc = doc, .dialect = dialect }, ret);
}

static int add_anchor(cs_compiler *c, cs_node *node, const char *keyword, const char *name, bool dynamic)
{
	CS_AUTOFREE char *key = cs_xasprintf("%s#%s", node->home->base, name);
	const json_t *old = json_object_get(c->by_anchor, key);

	if (old != NULL && json_object_get(old, "at") != NULL && strcmp(cs_json_str(old, "at"), node->at) != 0)
		return cs_schema_bad(c, node, keyword, "\"%.200s\" is taken by another subschema", name);
	dynamic |= old != NULL && cs_json_true(old, "dynamic");
	if (dynamic) {
		cs_anchor *a = cs_schema_alloc(c, 1, sizeof *a);
		char *kept = cs_schema_dup(c, name);

		if (a == NULL || kept == NULL)
			return CS_ETOOBIG;
		*a = (cs_anchor) { .name = kept, .node = node, .next = node->home->dynamic };
		node->home->dynamic = a;
	}
	return remember(c, c->by_anchor, key, json_pack("{s:s, s:I, s:b}", "at", node->at, "doc",
							(json_int_t)node->home->doc->number, "dynamic", dynamic));
}

static int anchors(cs_compiler *c, cs_node *node)
{
	static const char *const NAMES[] = { "$anchor", "$dynamicAnchor" };
	const char *id = cs_json_str(node->json, "$id");

	if (node->home->dialect.draft == CS_SCHEMA_DRAFT_7)
		return id != NULL && id[0] == '#' && id[1] != '\0' ? add_anchor(c, node, "$id", id + 1, false) : 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(NAMES); i++) {
		const json_t *name = json_object_get(node->json, NAMES[i]);

		if (name == NULL)
			continue;
		if (!json_is_string(name))
			return cs_schema_bad(c, node, NAMES[i], "must be text, a name");
		int rc = add_anchor(c, node, NAMES[i], json_string_value(name), i == 1);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int scan_list(cs_compiler *c, cs_node *node, const json_t *list, const char *at, unsigned depth)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v) {
		char token[24];

		snprintf(token, sizeof token, "%zu", i);
		char *sub = cs_schema_join(c, at, token);
		int rc = sub != NULL ? scan(c, node->home->doc, node->home, v, sub, depth + 1) : CS_ETOOBIG;

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int scan_map(cs_compiler *c, cs_node *node, const json_t *map, const char *at, unsigned depth, bool or_names)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)map, key, v) {
		if (or_names && json_is_array(v))
			continue;
		char *sub = cs_schema_join(c, at, key);
		int rc = sub != NULL ? scan(c, node->home->doc, node->home, v, sub, depth + 1) : CS_ETOOBIG;

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int scan_keyword(cs_compiler *c, cs_node *node, const cs_rule *rule, const json_t *value, unsigned depth)
{
	bool list = rule->sub == CS_SUB_LIST || (rule->sub == CS_SUB_ONE_OR_LIST && json_is_array(value));
	bool map = rule->sub == CS_SUB_MAP || rule->sub == CS_SUB_MAP_OR_NAMES;
	char *at = cs_schema_join(c, node->at, rule->name);

	if (at == NULL)
		return CS_ETOOBIG;
	if (list && !json_is_array(value))
		return cs_schema_bad(c, node, rule->name, "must be a list of schemas");
	if (map && !json_is_object(value))
		return cs_schema_bad(c, node, rule->name, "must be an object of schemas");
	if (list)
		return scan_list(c, node, value, at, depth);
	if (map)
		return scan_map(c, node, value, at, depth, rule->sub == CS_SUB_MAP_OR_NAMES);
	return scan(c, node->home->doc, node->home, value, at, depth + 1);
}

static int scan_subschemas(cs_compiler *c, cs_node *node, unsigned depth)
{
	const cs_dialect *d = &node->home->dialect;
	size_t n;
	const cs_rule *rules = cs_schema_rules(&n);

	if (d->draft == CS_SCHEMA_DRAFT_7 && json_object_get(node->json, "$ref") != NULL)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(node->json, rules[i].name);

		if (value == NULL || rules[i].sub == CS_SUB_NONE || (rules[i].drafts & (1u << d->draft)) == 0 ||
		    (rules[i].vocab & d->vocab) == 0)
			continue;
		int rc = scan_keyword(c, node, &rules[i], value, depth);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int scan(cs_compiler *c, cs_doc *doc, cs_resource *home, const json_t *json, const char *at, unsigned depth)
{
	cs_node *node = NULL, here = { .at = at, .home = home, .json = json };
	int rc;

	if (known_node(c, doc, at) != NULL)
		return 0;
	if (depth > CS_SCHEMA_DEPTH)
		return cs_err_set(c->err, CS_ETOOBIG, "the schema is nested over %d levels deep; name its parts under $defs "
				  "and refer to them", CS_SCHEMA_DEPTH);
	if (!json_is_object(json) && !json_is_boolean(json))
		return cs_err_set(c->err, CS_EINVAL, "schema %s%s%.300s: must be a schema: an object, true or false", doc->uri,
				  doc->uri[0] != '\0' ? "#" : "", at);
	if ((rc = enter(c, doc, home, json, at, &here.home)) < 0 || (rc = add_node(c, here, &node)) < 0)
		return rc;
	if (json_is_boolean(json))
		return 0;
	if ((rc = anchors(c, node)) < 0)
		return rc;
	return scan_subschemas(c, node, depth);
}

/* The nearest known node above POINTER in DOC: its resource is where POINTER lies. */
static cs_resource *home_of(const cs_compiler *c, const cs_doc *doc, const char *pointer)
{
	CS_AUTOFREE char *above = cs_xstrdup(pointer);

	for (;;) {
		const cs_node *node = known_node(c, doc, above);
		char *slash = strrchr(above, '/');

		if (node != NULL || slash == NULL)
			return node != NULL ? node->home : NULL;
		*slash = '\0';
	}
}

int cs_schema_node_at(cs_compiler *c, cs_doc *doc, const char *pointer, const cs_node **ret)
{
	const cs_node *node = known_node(c, doc, pointer);

	if (node == NULL) {
		cs_resource *home = home_of(c, doc, pointer);
		const json_t *json = cs_json_pointer(doc->json, pointer);
		char *at = cs_schema_dup(c, pointer);

		if (at == NULL)
			return CS_ETOOBIG;
		if (home == NULL || json == NULL)
			return CS_ENOTFOUND;
		int rc = scan(c, doc, home, json, at, 0);

		if (rc < 0)
			return rc;
		node = known_node(c, doc, pointer);
	}
	*ret = node;
	return 0;
}

int cs_schema_add_doc(cs_compiler *c, json_t *json, const char *uri, cs_doc **ret)
{
	CS_AUTOJSON json_t *owned = json;
	cs_schema *s = c->s;
	cs_doc *doc = cs_schema_alloc(c, 1, sizeof *doc);
	cs_resource *home;
	int rc;

	if (s->n_docs >= CS_SCHEMA_DOCS)
		return cs_err_set(c->err, CS_ETOOBIG, "the schema refers to over %d documents", CS_SCHEMA_DOCS);
	if (doc == NULL || (uri = cs_schema_dup(c, uri)) == NULL)
		return CS_ETOOBIG;
	*doc = (cs_doc) { .json = CS_STEAL(owned), .uri = uri, .number = s->n_docs };
	s->docs = cs_xrealloc(s->docs, (s->n_docs + 1) * sizeof(cs_doc *));
	s->docs[s->n_docs++] = doc;

	cs_resource whole = { .base = uri, .at = "", .doc = doc, .dialect = { c->draft, CS_VOCAB_ALL } };
	const char *draft = cs_json_str(doc->json, "$schema");

	if (draft != NULL && (rc = cs_schema_dialect(c, draft, &whole.dialect)) < 0)
		return rc;
	if ((rc = add_resource(c, whole, &home)) < 0 || (rc = scan(c, doc, home, doc->json, "", 0)) < 0)
		return rc;
	*ret = doc;
	return 0;
}
