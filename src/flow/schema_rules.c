/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keyword table. Rows are checked from the top: what is cheap first, what needs to know
 * what the others have seen last. */
#include "base/mem.h"
#include "flow/schema_in.h"

#define CORE CS_VOCAB_CORE
#define APPL CS_VOCAB_APPLICATOR
#define VALID CS_VOCAB_VALIDATION
#define NUM CS_KIND_NUMBER
#define STR CS_KIND_STRING
#define ARR CS_KIND_ARRAY
#define OBJ CS_KIND_OBJECT
#define ANY CS_KIND_ANY

static const cs_rule RULES[] = {
	{ "type", CS_ON_BOTH, VALID, ANY, CS_SUB_NONE, false, cs_compile_type, cs_eval_type },
	{ "const", CS_ON_BOTH, VALID, ANY, CS_SUB_NONE, false, cs_compile_value, cs_eval_const },
	{ "enum", CS_ON_BOTH, VALID, ANY, CS_SUB_NONE, false, cs_compile_enum, cs_eval_enum },
	{ "multipleOf", CS_ON_BOTH, VALID, NUM, CS_SUB_NONE, false, cs_compile_positive, cs_eval_multiple },
	{ "maximum", CS_ON_BOTH, VALID, NUM, CS_SUB_NONE, false, cs_compile_number, cs_eval_maximum },
	{ "exclusiveMaximum", CS_ON_BOTH, VALID, NUM, CS_SUB_NONE, false, cs_compile_number, cs_eval_below },
	{ "minimum", CS_ON_BOTH, VALID, NUM, CS_SUB_NONE, false, cs_compile_number, cs_eval_minimum },
	{ "exclusiveMinimum", CS_ON_BOTH, VALID, NUM, CS_SUB_NONE, false, cs_compile_number, cs_eval_above },
	{ "maxLength", CS_ON_BOTH, VALID, STR, CS_SUB_NONE, false, cs_compile_count, cs_eval_max_length },
	{ "minLength", CS_ON_BOTH, VALID, STR, CS_SUB_NONE, false, cs_compile_count, cs_eval_min_length },
	{ "pattern", CS_ON_BOTH, VALID, STR, CS_SUB_NONE, false, cs_compile_pattern, cs_eval_pattern },
	{ "format", CS_ON_BOTH, CS_VOCAB_FORMAT, STR, CS_SUB_NONE, false, cs_compile_format, cs_eval_format },
	{ "maxItems", CS_ON_BOTH, VALID, ARR, CS_SUB_NONE, false, cs_compile_count, cs_eval_max_items },
	{ "minItems", CS_ON_BOTH, VALID, ARR, CS_SUB_NONE, false, cs_compile_count, cs_eval_min_items },
	{ "uniqueItems", CS_ON_BOTH, VALID, ARR, CS_SUB_NONE, false, cs_compile_true, cs_eval_unique },
	{ "maxProperties", CS_ON_BOTH, VALID, OBJ, CS_SUB_NONE, false, cs_compile_count, cs_eval_max_members },
	{ "minProperties", CS_ON_BOTH, VALID, OBJ, CS_SUB_NONE, false, cs_compile_count, cs_eval_min_members },
	{ "required", CS_ON_BOTH, VALID, OBJ, CS_SUB_NONE, false, cs_compile_names, cs_eval_required },
	{ "dependentRequired", CS_ON_2020, VALID, OBJ, CS_SUB_NONE, false, cs_compile_name_lists, cs_eval_dependent_required },
	{ "propertyNames", CS_ON_BOTH, APPL, OBJ, CS_SUB_ONE, false, cs_compile_one, cs_eval_names },
	{ "properties", CS_ON_BOTH, APPL, OBJ, CS_SUB_MAP, false, cs_compile_map, cs_eval_properties },
	{ "patternProperties", CS_ON_BOTH, APPL, OBJ, CS_SUB_MAP, false, cs_compile_patterns, cs_eval_patterns },
	{ "additionalProperties", CS_ON_BOTH, APPL, OBJ, CS_SUB_ONE, false, cs_compile_additional, cs_eval_additional },
	{ "prefixItems", CS_ON_2020, APPL, ARR, CS_SUB_LIST, false, cs_compile_list, cs_eval_prefix },
	{ "items", CS_ON_2020, APPL, ARR, CS_SUB_ONE, false, cs_compile_items, cs_eval_items },
	{ "items", CS_ON_7, APPL, ARR, CS_SUB_ONE_OR_LIST, false, cs_compile_items_7, cs_eval_items },
	{ "additionalItems", CS_ON_7, APPL, ARR, CS_SUB_ONE, false, cs_compile_additional_items, cs_eval_items },
	{ "contains", CS_ON_BOTH, APPL, ARR, CS_SUB_ONE, false, cs_compile_contains, cs_eval_contains },
	{ "$ref", CS_ON_BOTH, CORE, ANY, CS_SUB_NONE, true, cs_compile_ref, cs_eval_ref },
	{ "$dynamicRef", CS_ON_2020, CORE, ANY, CS_SUB_NONE, false, cs_compile_dynamic_ref, cs_eval_dynamic_ref },
	{ "allOf", CS_ON_BOTH, APPL, ANY, CS_SUB_LIST, true, cs_compile_list, cs_eval_all },
	{ "anyOf", CS_ON_BOTH, APPL, ANY, CS_SUB_LIST, true, cs_compile_list, cs_eval_any },
	{ "oneOf", CS_ON_BOTH, APPL, ANY, CS_SUB_LIST, true, cs_compile_list, cs_eval_one },
	{ "not", CS_ON_BOTH, APPL, ANY, CS_SUB_ONE, true, cs_compile_one, cs_eval_not },
	{ "if", CS_ON_BOTH, APPL, ANY, CS_SUB_ONE, true, cs_compile_if, cs_eval_if },
	{ "dependentSchemas", CS_ON_2020, APPL, OBJ, CS_SUB_MAP, true, cs_compile_map, cs_eval_dependent },
	{ "dependencies", CS_ON_7, APPL, OBJ, CS_SUB_MAP_OR_NAMES, true, cs_compile_dependencies, cs_eval_dependent },
	{ "unevaluatedItems", CS_ON_2020, CS_VOCAB_UNEVALUATED, ARR, CS_SUB_ONE, false, cs_compile_one, cs_eval_unevaluated_items },
	{ "unevaluatedProperties", CS_ON_2020, CS_VOCAB_UNEVALUATED, OBJ, CS_SUB_ONE, false, cs_compile_one, cs_eval_unevaluated_members },
	/* Only places where subschemas stand. */
	{ "then", CS_ON_BOTH, APPL, ANY, CS_SUB_ONE, false, NULL, NULL },
	{ "else", CS_ON_BOTH, APPL, ANY, CS_SUB_ONE, false, NULL, NULL },
	{ "$defs", CS_ON_2020, CORE, ANY, CS_SUB_MAP, false, NULL, NULL },
	{ "definitions", CS_ON_BOTH, CORE, ANY, CS_SUB_MAP, false, NULL, NULL },
	{ "contentSchema", CS_ON_2020, CORE, ANY, CS_SUB_ONE, false, NULL, NULL },
};

const cs_rule *cs_schema_rules(size_t *ret_n)
{
	*ret_n = CS_ARRAY_LEN(RULES);
	return RULES;
}
