/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where references lead, what dialect a $schema names, and the search for circles. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

static int load(cs_compiler *c, const char *uri, json_t **ret)
{
	const char *text = cs_schema_builtin(uri);

	if (text != NULL)
		return cs_json_parse(text, strlen(text), ret, c->err);
	if (c->loader == NULL || c->loader->load == NULL)
		return CS_ENOTFOUND;
	return c->loader->load(c->loader->ctx, uri, ret, c->err);
}

int cs_schema_fetch(cs_compiler *c, const char *uri, cs_doc **ret)
{
	CS_AUTOJSON json_t *json = NULL;
	int rc = load(c, uri, &json);

	return rc < 0 ? rc : cs_schema_add_doc(c, CS_STEAL(json), uri, ret);
}

static int find_resource(cs_compiler *c, const char *uri, const cs_resource **ret)
{
	const json_t *index = json_object_get(c->by_uri, uri);

	if (index == NULL) {
		cs_doc *doc;
		int rc = cs_schema_fetch(c, uri, &doc);

		if (rc < 0)
			return rc;
		index = json_object_get(c->by_uri, uri);
	}
	*ret = c->resources[json_integer_value(index)];
	return 0;
}

static int find_anchor(cs_compiler *c, const cs_resource *in, const char *name, const cs_node **ret, bool *ret_dynamic)
{
	const cs_node *root;
	int rc = cs_schema_node_at(c, in->doc, in->at, &root);

	if (rc < 0)
		return rc;
	/* A document may be known by the URI it was fetched from and by its own $id. */
	CS_AUTOFREE char *key = cs_xasprintf("%s#%s", root->home->base, name);
	const json_t *anchor = json_object_get(c->by_anchor, key);

	if (anchor == NULL)
		return CS_ENOTFOUND;
	cs_doc *doc = c->s->docs[cs_json_int_or(anchor, "doc", 0)];

	*ret_dynamic = cs_json_true(anchor, "dynamic");
	return cs_schema_node_at(c, doc, cs_json_str(anchor, "at"), ret);
}

int cs_schema_resolve(cs_compiler *c, const cs_node *from, const char *keyword, const char *ref,
		      const cs_node **ret, bool *ret_dynamic)
{
	CS_AUTOFREE char *uri = cs_uri_resolve(from->home->base, ref);
	CS_AUTOFREE char *fragment = cs_uri_fragment(ref);
	const cs_resource *resource;
	bool dynamic = false;

	if (fragment == NULL)
		return cs_schema_bad(c, from, keyword, "\"%.200s\" has a broken %% escape", ref);
	int rc = find_resource(c, uri, &resource);

	if (rc == CS_ENOTFOUND)
		return cs_schema_bad(c, from, keyword, "\"%.200s\" is not here and was not found elsewhere; put the schema it "
				     "names under $defs", uri);
	if (rc < 0)
		return rc;
	if (fragment[0] == '\0' || fragment[0] == '/') {
		CS_AUTOFREE char *pointer = cs_xasprintf("%s%s", resource->at, fragment);

		rc = cs_schema_node_at(c, resource->doc, pointer, ret);
	} else {
		rc = find_anchor(c, resource, fragment, ret, &dynamic);
	}
	if (rc == CS_ENOTFOUND)
		return cs_schema_bad(c, from, keyword, "\"%.200s\" leads nowhere: there is no \"%.200s\" in that schema", ref, fragment);
	if (rc >= 0 && ret_dynamic != NULL)
		*ret_dynamic = dynamic;
	return rc;
}

/* -- dialects ----------------------------------------------------------------------------- */

#define VOCABULARY "https://json-schema.org/draft/2020-12/vocab/"

static const struct {
	const char *name;
	unsigned bit;
} VOCABULARIES[] = {
	{ "core", CS_VOCAB_CORE }, { "applicator", CS_VOCAB_APPLICATOR }, { "unevaluated", CS_VOCAB_UNEVALUATED },
	{ "validation", CS_VOCAB_VALIDATION }, { "format-annotation", CS_VOCAB_FORMAT },
	{ "format-assertion", CS_VOCAB_FORMAT | CS_VOCAB_FORMAT_ASSERT }, { "meta-data", CS_VOCAB_OTHER },
	{ "content", CS_VOCAB_OTHER },
};

static unsigned vocabulary(const char *uri)
{
	size_t prefix = strlen(VOCABULARY);

	for (size_t i = 0; strncmp(uri, VOCABULARY, prefix) == 0 && i < CS_ARRAY_LEN(VOCABULARIES); i++)
		if (strcmp(uri + prefix, VOCABULARIES[i].name) == 0)
			return VOCABULARIES[i].bit;
	return 0;
}

static int read_vocabulary(cs_compiler *c, const char *uri, const json_t *meta, cs_dialect *ret)
{
	const json_t *vocab = json_object_get(meta, "$vocabulary");
	cs_dialect d = { CS_SCHEMA_2020_12, vocab == NULL ? CS_VOCAB_ALL : CS_VOCAB_CORE };
	const char *name;
	json_t *required;

	json_object_foreach((json_t *)vocab, name, required) {
		unsigned bit = vocabulary(name);

		if (bit == 0 && json_is_true(required))
			return cs_err_set(c->err, CS_EUNSUPPORTED, "schemas of \"%.200s\" need the vocabulary \"%.200s\", which is not "
					  "known here; write the schema for draft 2020-12 or draft-07", uri, name);
		d.vocab |= bit;
	}
	*ret = d;
	return 0;
}

static bool same_uri(const char *a, const char *b)
{
	size_t n = strlen(a);

	n -= n > 0 && a[n - 1] == '#';
	return strncmp(a, b, n) == 0 && b[n] == '\0';
}

static int dialect(cs_compiler *c, const char *uri, unsigned depth, cs_dialect *ret)
{
	static const char *const OLD[] = {
		"http://json-schema.org/schema", "http://json-schema.org/draft-03/schema", "http://json-schema.org/draft-04/schema",
		"http://json-schema.org/draft-06/schema", "https://json-schema.org/draft/2019-09/schema",
	};
	CS_AUTOJSON json_t *meta = NULL;

	if (same_uri(uri, "https://json-schema.org/draft/2020-12/schema")) {
		*ret = (cs_dialect) { CS_SCHEMA_2020_12, CS_VOCAB_ALL };
		return 0;
	}
	if (same_uri(uri, "http://json-schema.org/draft-07/schema") || same_uri(uri, "https://json-schema.org/draft-07/schema")) {
		*ret = (cs_dialect) { CS_SCHEMA_DRAFT_7, CS_VOCAB_ALL };
		return 0;
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(OLD); i++)
		if (same_uri(uri, OLD[i]))
			return cs_err_set(c->err, CS_EUNSUPPORTED, "$schema says \"%.200s\": that draft is not obeyed here; write the "
					  "schema for draft 2020-12 or draft-07", uri);
	int rc = load(c, uri, &meta);

	if (rc == CS_ENOTFOUND || (rc >= 0 && depth >= 8))
		return cs_err_set(c->err, CS_EUNSUPPORTED, "$schema says \"%.200s\", which is not known here; write the schema for "
				  "https://json-schema.org/draft/2020-12/schema or http://json-schema.org/draft-07/schema#", uri);
	if (rc < 0)
		return rc;
	const char *its = cs_json_str(meta, "$schema");
	cs_dialect d = { CS_SCHEMA_2020_12, CS_VOCAB_ALL };

	/* A schema of schemas may name itself. */
	if (its != NULL && !same_uri(its, uri) && (rc = dialect(c, its, depth + 1, &d)) < 0)
		return rc;
	if (d.draft == CS_SCHEMA_DRAFT_7) {
		*ret = d;
		return 0;
	}
	return read_vocabulary(c, uri, meta, ret);
}

int cs_schema_dialect(cs_compiler *c, const char *uri, cs_dialect *ret)
{
	return dialect(c, uri, 0, ret);
}

/* -- circles ------------------------------------------------------------------------------ */

enum { FRESH, OPEN, DONE };

/* A schema that reaches itself without going down into the value would never end. Dynamic
 * references are watched while checking: only then is it known where they lead. */
static int visit(cs_compiler *c, cs_node *node, unsigned depth)
{
	if (node->mark == DONE)
		return 0;
	if (node->mark == OPEN)
		return cs_err_set(c->err, CS_EINVAL, "schema %s%s%.300s: leads back to itself through $ref without going into the "
				  "value; it could never be decided", node->home->doc->uri, node->home->doc->uri[0] != '\0' ? "#" : "", node->at);
	if (depth > 4 * CS_SCHEMA_DEPTH)
		return cs_err_set(c->err, CS_ETOOBIG, "schema: a chain of over %d references from one subschema to the next", 4 * CS_SCHEMA_DEPTH);
	node->mark = OPEN;
	for (size_t i = 0; i < node->n; i++) {
		const cs_check *k = &node->checks[i];

		for (size_t j = 0; k->rule->in_place && k->kids != NULL && j < k->n; j++) {
			int rc = k->kids[j] != NULL ? visit(c, (cs_node *)k->kids[j], depth + 1) : 0;

			if (rc < 0)
				return rc;
		}
	}
	node->mark = DONE;
	return 0;
}

int cs_schema_loops(cs_compiler *c)
{
	for (size_t i = 0; i < c->n_nodes; i++) {
		int rc = visit(c, c->nodes[i], 0);

		if (rc < 0)
			return rc;
	}
	return 0;
}
