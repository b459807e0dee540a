/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/error.h"

#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { DETAIL_MAX = 8192 };

static const struct {
	const char *name;
	int status;
	const char *title;
} error_types[] = {
	[CS_ERROR_CONFIGURATION] = { "configuration", 400, "Configuration" },
	[CS_ERROR_VALIDATION] = { "validation", 400, "Validation" },
	[CS_ERROR_EXPRESSION] = { "expression", 400, "Expression" },
	[CS_ERROR_AUTHENTICATION] = { "authentication", 401, "Authentication" },
	[CS_ERROR_AUTHORIZATION] = { "authorization", 403, "Authorization" },
	[CS_ERROR_TIMEOUT] = { "timeout", 408, "Timeout" },
	[CS_ERROR_COMMUNICATION] = { "communication", 500, "Communication" },
	[CS_ERROR_RUNTIME] = { "runtime", 500, "Runtime" },
};

/* The text of the standard uses the first; its conformance kit and its own older editions the
 * rest. A type is an alias only when a standard word follows. */
static const char *const error_bases[] = {
	CS_ERROR_BASE,
	"https://open-workflow-specification.org/dsl/errors/types/",
	"https://open-workflow-specification.org/errors/types/",
	"https://serverlessworkflow.io/spec/1.0.0/errors/",
	"https://serverlessworkflow.io/dsl/errors/types/",
	"https://serverlessworkflow.io/errors/types/",
};

const char *cs_error_type_name(cs_error_type type)
{
	return error_types[type].name;
}

int cs_error_type_parse(const char *word, cs_error_type *ret)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(error_bases); i++) {
		size_t len = strlen(error_bases[i]);
		if (strncmp(word, error_bases[i], len) == 0) {
			word += len;
			break;
		}
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(error_types); i++) {
		if (strcmp(word, error_types[i].name) == 0) {
			*ret = (cs_error_type)i;
			return CS_OK;
		}
	}
	return CS_ENOTFOUND;
}

int cs_error_type_status(cs_error_type type)
{
	return error_types[type].status;
}

bool cs_error_type_equal(const char *a, const char *b)
{
	if (strcmp(a, b) == 0)
		return true;
	cs_error_type x, y;
	return cs_error_type_parse(a, &x) == CS_OK && cs_error_type_parse(b, &y) == CS_OK && x == y;
}

/* A JSON string of whatever bytes TEXT holds: peers put anything into their messages. */
static json_t *safe_string(const char *text)
{
	size_t len = strlen(text);
	if (cs_utf8_valid(text, len))
		return json_stringn(text, len);
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 4 * DETAIL_MAX);
	if (cs_utf8_show(text, len, true, &b) < 0)
		return json_string("text that is not UTF-8");
	return json_stringn(cs_buf_str(&b), b.len);
}

json_t *cs_error_object(cs_error_type type, int status, const char *title, const char *detail)
{
	char uri[sizeof CS_ERROR_BASE + 32];
	snprintf(uri, sizeof uri, "%s%s", CS_ERROR_BASE, error_types[type].name);
	json_t *o = json_object();
	json_object_set_new(o, "type", json_string(uri));
	json_object_set_new(o, "status", json_integer(status ? status : error_types[type].status));
	json_object_set_new(o, "title", safe_string(title ? title : error_types[type].title));
	if (detail && *detail)
		json_object_set_new(o, "detail", safe_string(detail));
	return o;
}

json_t *cs_error_new(const char *type, const char *detail, const char *instance)
{
	cs_error_type t = CS_ERROR_RUNTIME;
	cs_error_type_parse(type, &t);
	json_t *o = cs_error_object(t, 0, error_types[t].title, detail);
	if (instance)
		json_object_set_new(o, "instance", safe_string(instance));
	return o;
}
