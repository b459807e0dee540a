/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON Schema, drafts 2020-12 and 7: a schema is compiled once into a tree of checks, and
 * values are checked against it as often as wanted.
 *
 * A compiled schema never changes, so several threads may use it at once. Schemas and values
 * are hostile: depth, size and work are bounded, and what cannot be decided within the bounds
 * is an error, never "valid". Sources: JSON Schema Core and Validation 2020-12, draft-07,
 * RFC 6901 (pointers), RFC 3986 (URIs). */
#ifndef CS_FLOW_SCHEMA_H
#define CS_FLOW_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include "base/err.h"

typedef struct cs_schema cs_schema;

typedef enum { CS_SCHEMA_2020_12, CS_SCHEMA_DRAFT_7 } cs_schema_draft;

/* Where schemas outside the document come from, and what its user wants of `format`.
 * The two drafts' own metaschemas are built in and are not asked for. */
typedef struct cs_schema_loader {
	/* Absolute URI without fragment; new reference in *ret. NULL: nothing is loaded. */
	int (*load)(void *ctx, const char *uri, json_t **ret, cs_err *err);
	void *ctx;
	bool format_is_note;   /* `format` says something to people and is not checked */
} cs_schema_loader;

/* Compiles SCHEMA (kept by a reference of its own; it must not change any more). `$schema` in
 * the document wins over DEFAULT_DRAFT. LOADER may be NULL and is not used after the return.
 * CS_EINVAL: a keyword has a value it cannot have, a reference leads nowhere or in a circle;
 * CS_EUNSUPPORTED: another draft or an unknown required vocabulary; CS_ETOOBIG: over 100,000
 * subschemas, deeper than 128, or its tables over 64 MiB. The message names the place as a
 * JSON pointer. */
int cs_schema_new(const json_t *schema, cs_schema_draft default_draft, const cs_schema_loader *loader,
		  cs_schema **ret, cs_err *err);
void cs_schema_free(cs_schema *s);
void cs_schema_freep(cs_schema **s);

typedef struct cs_schema_error {
	char *instance;   /* JSON pointer into the value; "" is the value itself */
	char *rule;       /* JSON pointer of the failing keyword in the schema; for another document, after its URI and # */
	char *message;    /* for a person: must be one of yes, no, ask; is "maybe" */
} cs_schema_error;

/* 1 valid, 0 invalid, negative when it could not be decided (CS_ETOOBIG: too deep, or too much
 * work; CS_EINVAL: the schema leads in a circle). Up to MAX errors go to *ret when it is
 * invalid (RET NULL: none are wanted); free with cs_schema_errors_free. */
int cs_schema_check(const cs_schema *s, const json_t *value, size_t max,
		    cs_schema_error **ret, size_t *ret_n, cs_err *err);
/* True only when it was decided that VALUE is valid. */
bool cs_schema_valid(const cs_schema *s, const json_t *value);
void cs_schema_errors_free(cs_schema_error *errors, size_t n);

#endif
