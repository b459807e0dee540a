/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arguments of a call, where they are written out, against the schema of what is called. */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static bool has_expression(const json_t *v)
{
	size_t i;
	const char *key;
	json_t *inner;
	if (json_is_string(v))
		return strstr(json_string_value(v), "${") != NULL;
	json_array_foreach(v, i, inner)
		if (has_expression(inner))
			return true;
	json_object_foreach((json_t *)(uintptr_t)v, key, inner)
		if (has_expression(inner))
			return true;
	return false;
}

/* Does the error hold whatever the expressions beside it give? Where one of several schemas may
 * apply, which one is known only with the values. */
static bool holds_anyway(const cs_build *b, const json_t *with, const cs_schema_error *e)
{
	static const char *const open_rules[] = {
		"/anyOf", "/oneOf", "/not", "/if", "/then", "/else", "/contains", "/depend", "/unevaluated", "/propertyNames",
	};
	static const char unknown[] = "/additionalProperties";
	for (size_t i = 0; i < CS_ARRAY_LEN(open_rules); i++)
		if (strstr(e->rule, open_rules[i]))
			return false;
	size_t n = strlen(e->rule), m = sizeof unknown - 1;
	if (n >= m && strcmp(e->rule + n - m, unknown) == 0)
		return true;
	const json_t *v = cs_json_pointer(with, e->instance);
	return v && !b->loose && !has_expression(v);
}

void cs_build_check_arguments(cs_build *b, const char *name, const json_t *with, const cs_schema *schema, const json_t *document)
{
	enum { ERRORS_MAX = 64, REPORTED_MAX = 3 };
	bool literal = !b->loose && !has_expression(with);
	cs_schema_error *errors = NULL;
	size_t i, n = 0, reported = 0;
	json_t *required;
	if (cs_schema_check(schema, with, literal ? REPORTED_MAX : ERRORS_MAX, &errors, &n, NULL) == 0)
		for (size_t k = 0; k < n && reported < REPORTED_MAX; k++)
			if (literal || holds_anyway(b, with, &errors[k])) {
				cs_check_error_below(&b->c, errors[k].instance, "%.120s does not take this: %s", name, errors[k].message);
				reported++;
			}
	cs_schema_errors_free(errors, n);
	json_array_foreach(literal ? NULL : json_object_get(document, "required"), i, required)
		if (json_is_string(required) && !json_object_get(with, json_string_value(required)))
			cs_check_error(&b->c, "%.120s does not take this: it needs '%.80s'", name, json_string_value(required));
}
