/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keywords into checks: what value each may have (Validation 2020-12, section 6; Core, section
 * 10), and which subschemas it needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

#define NAME(k) ((k)->rule->name)

static int room(cs_compiler *c, cs_check *k, size_t n, bool kids, bool keys)
{
	k->n = n;
	if (kids && (k->kids = cs_schema_alloc(c, n, sizeof *k->kids)) == NULL)
		return CS_ETOOBIG;
	if (keys && (k->keys = cs_schema_alloc(c, n, sizeof *k->keys)) == NULL)
		return CS_ETOOBIG;
	return 0;
}

/* -- assertions --------------------------------------------------------------------------- */

static unsigned kind_named(const char *name)
{
	static const struct {
		const char *name;
		unsigned kind;
	} KINDS[] = {
		{ "null", CS_KIND_NULL }, { "boolean", CS_KIND_BOOL }, { "integer", CS_KIND_INTEGER }, { "number", CS_KIND_NUMBER },
		{ "string", CS_KIND_STRING }, { "array", CS_KIND_ARRAY }, { "object", CS_KIND_OBJECT },
	};

	for (size_t i = 0; name != NULL && i < CS_ARRAY_LEN(KINDS); i++)
		if (strcmp(KINDS[i].name, name) == 0)
			return KINDS[i].kind;
	return 0;
}

int cs_compile_type(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	size_t n = json_is_array(value) ? json_array_size(value) : 1;

	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		unsigned kind = kind_named(json_string_value(one));

		if (kind == 0)
			return cs_schema_bad(c, node, NAME(k), "must be null, boolean, integer, number, string, array, object, "
					     "or a list of these");
		k->count |= kind;
	}
	return n > 0 ? 1 : cs_schema_bad(c, node, NAME(k), "must name at least one type");
}

int cs_compile_value(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	(void)c;
	(void)node;
	(void)value;
	(void)k;
	return 1;   /* any value will do */
}

int cs_compile_enum(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	return json_is_array(value) ? 1 : cs_schema_bad(c, node, NAME(k), "must be a list of values");
}

int cs_compile_number(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	return json_is_number(value) ? 1 : cs_schema_bad(c, node, NAME(k), "must be a number");
}

int cs_compile_positive(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	return json_is_number(value) && json_number_value(value) > 0 ? 1
		: cs_schema_bad(c, node, NAME(k), "must be a number over 0");
}

/* A count may be written 2.0, and may be larger than anything there is to count. */
static int count(cs_compiler *c, const cs_node *node, const char *keyword, const json_t *value, size_t *ret)
{
	double d = json_number_value(value);

	if ((cs_json_kind(value) & CS_KIND_INTEGER) == 0 || d < 0)
		return cs_schema_bad(c, node, keyword, "must be a whole number, 0 or more");
	*ret = d >= 9e15 ? SIZE_MAX : (size_t)d;
	return 1;
}

int cs_compile_count(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	return count(c, node, NAME(k), value, &k->count);
}

int cs_compile_true(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	return json_is_boolean(value) ? json_is_true(value) : cs_schema_bad(c, node, NAME(k), "must be true or false");
}

int cs_compile_pattern(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return cs_schema_bad(c, node, NAME(k), "must be text, a regular expression");
	if (room(c, k, 1, false, false) < 0 || (k->regexes = cs_schema_alloc(c, 1, sizeof(cs_regex *))) == NULL)
		return CS_ETOOBIG;
	int rc = cs_schema_regex(c, node, NAME(k), json_string_value(value), &k->regexes[0]);

	return rc < 0 ? rc : 1;
}

int cs_compile_format(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	const cs_dialect *d = &node->home->dialect;

	if (!json_is_string(value))
		return cs_schema_bad(c, node, NAME(k), "must be text, the name of a format");
	if (c->loader != NULL && c->loader->format_is_note && (d->vocab & CS_VOCAB_FORMAT_ASSERT) == 0)
		return 0;
	k->extra = cs_schema_format(json_string_value(value));
	return k->extra != NULL;
}

static bool is_names(const json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (!json_is_string(v))
			return false;
	return json_is_array(list);
}

int cs_compile_names(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	return is_names(value) ? 1 : cs_schema_bad(c, node, NAME(k), "must be a list of names");
}

int cs_compile_name_lists(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	const char *key;
	json_t *v;

	if (!json_is_object(value))
		return cs_schema_bad(c, node, NAME(k), "must be an object of lists of names");
	json_object_foreach((json_t *)value, key, v)
		if (!is_names(v))
			return cs_schema_bad(c, node, NAME(k), "\"%.100s\" must be a list of names", key);
	return 1;
}

/* -- references --------------------------------------------------------------------------- */

static int reference(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k, bool *ret_dynamic)
{
	if (!json_is_string(value))
		return cs_schema_bad(c, node, NAME(k), "must be text, a URI reference such as #/$defs/name");
	if (room(c, k, 1, true, false) < 0)
		return CS_ETOOBIG;
	int rc = cs_schema_resolve(c, node, NAME(k), json_string_value(value), &k->kids[0], ret_dynamic);

	return rc < 0 ? rc : 1;
}

int cs_compile_ref(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	return reference(c, node, value, k, NULL);
}

int cs_compile_dynamic_ref(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	bool dynamic = false;
	int rc = reference(c, node, value, k, &dynamic);

	if (rc > 0 && dynamic) {
		CS_AUTOFREE char *name = cs_uri_fragment(json_string_value(value));

		k->extra = name != NULL ? cs_schema_dup(c, name) : NULL;
		return k->extra != NULL ? 1 : CS_ETOOBIG;
	}
	return rc;
}

/* -- subschemas --------------------------------------------------------------------------- */

int cs_compile_one(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	(void)value;
	if (room(c, k, 1, true, false) < 0)
		return CS_ETOOBIG;
	int rc = cs_schema_child(c, node, NAME(k), NULL, &k->kids[0]);

	return rc < 0 ? rc : 1;
}

int cs_compile_list(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	size_t n = json_array_size(value);

	if (n == 0)
		return cs_schema_bad(c, node, NAME(k), "must be a list of at least one schema");
	if (room(c, k, n, true, false) < 0)
		return CS_ETOOBIG;
	for (size_t i = 0; i < n; i++) {
		char token[24];

		snprintf(token, sizeof token, "%zu", i);
		int rc = cs_schema_child(c, node, NAME(k), token, &k->kids[i]);

		if (rc < 0)
			return rc;
	}
	return 1;
}

int cs_compile_map(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	const char *key;
	json_t *v;
	size_t i = 0;

	if (room(c, k, json_object_size(value), true, true) < 0)
		return CS_ETOOBIG;
	json_object_foreach((json_t *)value, key, v) {
		int rc = json_is_array(v) ? 0 : cs_schema_child(c, node, NAME(k), key, &k->kids[i]);

		if (rc < 0)
			return rc;
		k->keys[i++] = key;
	}
	return 1;
}

/* Draft 7: a schema, or a list of names (then there is no subschema). */
int cs_compile_dependencies(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)value, key, v)
		if (json_is_array(v) && !is_names(v))
			return cs_schema_bad(c, node, NAME(k), "\"%.100s\" must be a schema or a list of names", key);
	return cs_compile_map(c, node, value, k);
}

int cs_compile_patterns(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	int rc = cs_compile_map(c, node, value, k);

	if (rc < 0)
		return rc;
	if ((k->regexes = cs_schema_alloc(c, k->n, sizeof(cs_regex *))) == NULL)
		return CS_ETOOBIG;
	for (size_t i = 0; i < k->n; i++)
		if ((rc = cs_schema_regex(c, node, NAME(k), k->keys[i], &k->regexes[i])) < 0)
			return rc;
	return 1;
}

int cs_compile_additional(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	k->near = cs_schema_beside(node, "properties");
	k->by = cs_schema_beside(node, "patternProperties");
	return cs_compile_one(c, node, value, k);
}

int cs_compile_items(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	const cs_check *prefix = cs_schema_beside(node, "prefixItems");

	k->count = prefix != NULL ? prefix->n : 0;
	return cs_compile_one(c, node, value, k);
}

int cs_compile_items_7(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	if (!json_is_array(value))
		return cs_compile_one(c, node, value, k);
	k->eval = cs_eval_prefix;
	return json_array_size(value) > 0 ? cs_compile_list(c, node, value, k) : 0;
}

int cs_compile_additional_items(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	const json_t *items = json_object_get(node->json, "items");

	k->count = json_array_size(items);
	return json_is_array(items) ? cs_compile_one(c, node, value, k) : 0;
}

int cs_compile_contains(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	const cs_dialect *d = &node->home->dialect;
	bool bounds = d->draft == CS_SCHEMA_2020_12 && (d->vocab & CS_VOCAB_VALIDATION) != 0;
	const json_t *least = bounds ? json_object_get(node->json, "minContains") : NULL;
	const json_t *most = bounds ? json_object_get(node->json, "maxContains") : NULL;
	int rc;

	k->count = 1;
	k->most = SIZE_MAX;
	if (least != NULL && (rc = count(c, node, "minContains", least, &k->count)) < 0)
		return rc;
	if (most != NULL && (rc = count(c, node, "maxContains", most, &k->most)) < 0)
		return rc;
	return cs_compile_one(c, node, value, k);
}

/* Subschemas: if, then, else; the last two may be missing. */
int cs_compile_if(cs_compiler *c, const cs_node *node, const json_t *value, cs_check *k)
{
	static const char *const PARTS[] = { "if", "then", "else" };

	(void)value;
	if (room(c, k, 3, true, false) < 0)
		return CS_ETOOBIG;
	for (size_t i = 0; i < 3; i++) {
		int rc = json_object_get(node->json, PARTS[i]) != NULL
			? cs_schema_child(c, node, PARTS[i], NULL, &k->kids[i]) : 0;

		if (rc < 0)
			return rc;
	}
	return 1;
}
