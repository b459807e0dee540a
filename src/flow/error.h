/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors as the language has them: the standard's types with their status, and the error object.
 * Source: dsl-reference.md, "Error" and "Standard Error Types". */
#ifndef CS_FLOW_ERROR_H
#define CS_FLOW_ERROR_H

#include <stdbool.h>
#include <jansson.h>

typedef enum cs_error_type {
	CS_ERROR_CONFIGURATION,
	CS_ERROR_VALIDATION,
	CS_ERROR_EXPRESSION,
	CS_ERROR_AUTHENTICATION,
	CS_ERROR_AUTHORIZATION,
	CS_ERROR_TIMEOUT,
	CS_ERROR_COMMUNICATION,
	CS_ERROR_RUNTIME,
} cs_error_type;

#define CS_ERROR_BASE "https://open-workflow-specification.org/spec/1.0.0/errors/"

/* The short word: "communication". */
const char *cs_error_type_name(cs_error_type type);
/* A short word or a standard URI, in any of its spellings, to its type; CS_ENOTFOUND for another. */
int cs_error_type_parse(const char *word, cs_error_type *ret);
/* The status that the standard gives a type. */
int cs_error_type_status(cs_error_type type);
/* New {type, status, title, detail}; STATUS 0 and TITLE NULL take the type's own; DETAIL may be
 * NULL. Text that is not UTF-8 is shown escaped. */
json_t *cs_error_object(cs_error_type type, int status, const char *title, const char *detail);

/* {type, status, title, detail, instance}; TYPE is a short word, another word is taken as runtime;
 * DETAIL and INSTANCE may be NULL. New reference. */
json_t *cs_error_new(const char *type, const char *detail, const char *instance);
/* Equal error types, over the alias table (…/spec/1.0.0/errors/X, …/dsl/errors/types/X, with the
 * older hosts): the kit and the text spell them differently. */
bool cs_error_type_equal(const char *a, const char *b);

#endif
