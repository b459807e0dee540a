/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The drafts' own schemas of schemas, so that a schema may be checked by `$ref` without a
 * network. They say what the two drafts say of each keyword's value (Core and Validation
 * 2020-12; draft-07), in the vocabularies' own documents, in our words. */
#include <string.h>
#include "base/mem.h"
#include "flow/schema_in.h"

#define HOST "https://json-schema.org/draft/2020-12/"
#define HEAD(id, vocab) \
	"{\"$schema\":\"" HOST "schema\",\"$id\":\"" HOST id "\",\"$vocabulary\":{" vocab "}," \
	"\"$dynamicAnchor\":\"meta\",\"type\":[\"object\",\"boolean\"],"
#define VOCAB(name) "\"" HOST "vocab/" name "\":true"
#define PART(name) "{\"$ref\":\"meta/" name "\"}"
#define SELF "{\"$dynamicRef\":\"#meta\"}"
#define SELVES "{\"type\":\"array\",\"minItems\":1,\"items\":" SELF "}"
#define SELF_MAP "{\"type\":\"object\",\"additionalProperties\":" SELF "}"
#define SELF_PATTERNS "{\"type\":\"object\",\"additionalProperties\":" SELF ",\"propertyNames\":{\"format\":\"regex\"}}"
#define COUNT "{\"type\":\"integer\",\"minimum\":0}"
#define NAMES "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueItems\":true}"
#define STRING "{\"type\":\"string\"}"
#define NUMBER "{\"type\":\"number\"}"
#define FLAG "{\"type\":\"boolean\"}"
#define TYPE_NAME "{\"enum\":[\"array\",\"boolean\",\"integer\",\"null\",\"number\",\"object\",\"string\"]}"
#define TYPES "{\"anyOf\":[" TYPE_NAME ",{\"type\":\"array\",\"items\":" TYPE_NAME ",\"minItems\":1,\"uniqueItems\":true}]}"
#define BOUNDS \
	"\"multipleOf\":{\"type\":\"number\",\"exclusiveMinimum\":0},\"maximum\":" NUMBER ",\"exclusiveMaximum\":" NUMBER \
	",\"minimum\":" NUMBER ",\"exclusiveMinimum\":" NUMBER ",\"maxLength\":" COUNT ",\"minLength\":" COUNT \
	",\"pattern\":{\"type\":\"string\",\"format\":\"regex\"},\"maxItems\":" COUNT ",\"minItems\":" COUNT \
	",\"uniqueItems\":" FLAG ",\"maxProperties\":" COUNT ",\"minProperties\":" COUNT ",\"required\":" NAMES
#define TALK \
	"\"title\":" STRING ",\"description\":" STRING ",\"default\":true,\"readOnly\":" FLAG ",\"writeOnly\":" FLAG \
	",\"examples\":{\"type\":\"array\",\"items\":true}"
#define CONTENT "\"contentMediaType\":" STRING ",\"contentEncoding\":" STRING

#define SELF7 "{\"$ref\":\"#\"}"
#define SELVES7 "{\"type\":\"array\",\"minItems\":1,\"items\":" SELF7 "}"
#define SELF7_MAP "{\"type\":\"object\",\"additionalProperties\":" SELF7 "}"

typedef struct builtin {
	const char *uri, *text;
} builtin;

static const builtin BUILTINS[] = {
	{ HOST "schema",
	  HEAD("schema", VOCAB("core") "," VOCAB("applicator") "," VOCAB("unevaluated") "," VOCAB("validation") ","
	       VOCAB("meta-data") "," VOCAB("format-annotation") "," VOCAB("content"))
	  "\"allOf\":[" PART("core") "," PART("applicator") "," PART("unevaluated") "," PART("validation") ","
	  PART("meta-data") "," PART("format-annotation") "," PART("content") "],"
	  "\"properties\":{\"definitions\":" SELF_MAP ",\"dependencies\":{\"type\":\"object\",\"additionalProperties\":"
	  "{\"anyOf\":[" SELF "," NAMES "]}}}}" },
	{ HOST "meta/core",
	  HEAD("meta/core", VOCAB("core"))
	  "\"properties\":{\"$id\":{\"type\":\"string\",\"format\":\"uri-reference\",\"pattern\":\"^[^#]*#?$\"},"
	  "\"$schema\":{\"type\":\"string\",\"format\":\"uri\"},\"$ref\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
	  "\"$dynamicRef\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
	  "\"$anchor\":{\"$ref\":\"#/$defs/name\"},\"$dynamicAnchor\":{\"$ref\":\"#/$defs/name\"},"
	  "\"$vocabulary\":{\"type\":\"object\",\"propertyNames\":{\"type\":\"string\",\"format\":\"uri\"},"
	  "\"additionalProperties\":" FLAG "},\"$comment\":" STRING ",\"$defs\":" SELF_MAP "},"
	  "\"$defs\":{\"name\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z_][-A-Za-z0-9._]*$\"}}}" },
	{ HOST "meta/applicator",
	  HEAD("meta/applicator", VOCAB("applicator"))
	  "\"properties\":{\"prefixItems\":" SELVES ",\"items\":" SELF ",\"contains\":" SELF ",\"additionalProperties\":" SELF
	  ",\"properties\":" SELF_MAP ",\"patternProperties\":" SELF_PATTERNS ",\"dependentSchemas\":" SELF_MAP
	  ",\"propertyNames\":" SELF ",\"if\":" SELF ",\"then\":" SELF ",\"else\":" SELF ",\"allOf\":" SELVES
	  ",\"anyOf\":" SELVES ",\"oneOf\":" SELVES ",\"not\":" SELF "}}" },
	{ HOST "meta/unevaluated",
	  HEAD("meta/unevaluated", VOCAB("unevaluated"))
	  "\"properties\":{\"unevaluatedItems\":" SELF ",\"unevaluatedProperties\":" SELF "}}" },
	{ HOST "meta/validation",
	  HEAD("meta/validation", VOCAB("validation"))
	  "\"properties\":{\"type\":" TYPES ",\"const\":true,\"enum\":{\"type\":\"array\",\"items\":true}," BOUNDS
	  ",\"maxContains\":" COUNT ",\"minContains\":" COUNT
	  ",\"dependentRequired\":{\"type\":\"object\",\"additionalProperties\":" NAMES "}}}" },
	{ HOST "meta/meta-data",
	  HEAD("meta/meta-data", VOCAB("meta-data")) "\"properties\":{" TALK ",\"deprecated\":" FLAG "}}" },
	{ HOST "meta/format-annotation",
	  HEAD("meta/format-annotation", VOCAB("format-annotation")) "\"properties\":{\"format\":" STRING "}}" },
	{ HOST "meta/format-assertion",
	  HEAD("meta/format-assertion", VOCAB("format-assertion")) "\"properties\":{\"format\":" STRING "}}" },
	{ HOST "meta/content",
	  HEAD("meta/content", VOCAB("content")) "\"properties\":{" CONTENT ",\"contentSchema\":" SELF "}}" },
	{ "http://json-schema.org/draft-07/schema",
	  "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$id\":\"http://json-schema.org/draft-07/schema#\","
	  "\"type\":[\"object\",\"boolean\"],\"properties\":{\"$id\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
	  "\"$schema\":{\"type\":\"string\",\"format\":\"uri\"},\"$ref\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
	  "\"$comment\":" STRING "," TALK "," BOUNDS "," CONTENT ",\"type\":" TYPES ",\"const\":true,"
	  "\"enum\":{\"type\":\"array\",\"items\":true},\"format\":" STRING ",\"items\":{\"anyOf\":[" SELF7 "," SELVES7 "]},"
	  "\"additionalItems\":" SELF7 ",\"contains\":" SELF7 ",\"additionalProperties\":" SELF7 ",\"definitions\":" SELF7_MAP
	  ",\"properties\":" SELF7_MAP ",\"patternProperties\":{\"type\":\"object\",\"additionalProperties\":" SELF7
	  ",\"propertyNames\":{\"format\":\"regex\"}},\"dependencies\":{\"type\":\"object\",\"additionalProperties\":{\"anyOf\":["
	  SELF7 "," NAMES "]}},\"propertyNames\":" SELF7 ",\"if\":" SELF7 ",\"then\":" SELF7 ",\"else\":" SELF7
	  ",\"allOf\":" SELVES7 ",\"anyOf\":" SELVES7 ",\"oneOf\":" SELVES7 ",\"not\":" SELF7 "}}" },
};

const char *cs_schema_builtin(const char *uri)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(BUILTINS); i++)
		if (strcmp(BUILTINS[i].uri, uri) == 0)
			return BUILTINS[i].text;
	return NULL;
}
