/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an OpenAPI document (2.0, 3.0, 3.1) and a call's parameters to the arguments of an http
 * call. Pure. Source: dsl-reference.md, "OpenAPI Call"; the OpenAPI specifications. */
#ifndef CS_CORE_OPENAPI_H
#define CS_CORE_OPENAPI_H

#include <jansson.h>
#include "base/err.h"

/* The reply that held the document: an object, or its text in JSON or YAML. New reference. */
int cs_openapi_read(const json_t *content, json_t **ret, cs_err *err);

/* WITH is {document: URL (a `file:` one says nothing of a host), operationId, parameters, output, redirect}. *ret_request: the arguments of an
 * http call, *ret_vars: what stands for the {x} of its path; both new. CS_EUNSUPPORTED with a sentence for what
 * is not in the document, or is missing or too much in WITH. */
int cs_openapi_request(const json_t *document, const json_t *with, json_t **ret_request, json_t **ret_vars, cs_err *err);

#endif
