/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schemas and values of tests as text in which ' stands for ". */
#ifndef CS_TESTS_FLOW_SCHEMA_HELP_H
#define CS_TESTS_FLOW_SCHEMA_HELP_H

#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/json.h"
#include "flow/schema.h"

static inline json_t *json(const char *text)
{
	CS_AUTOFREE char *copy = cs_xstrdup(text);
	json_t *v = NULL;
	cs_err err = { 0 };

	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	if (cs_json_parse(copy, strlen(copy), &v, &err) < 0)
		fail_msg("%s: %s", copy, err.msg);
	return v;
}

static inline cs_schema *compiled(const char *text)
{
	CS_AUTOJSON json_t *v = json(text);
	cs_schema *s = NULL;
	cs_err err = { 0 };

	if (cs_schema_new(v, CS_SCHEMA_2020_12, NULL, &s, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return s;
}

static inline int check(const char *schema, const char *value, cs_err *err)
{
	CS_CLEANUP(cs_schema_freep) cs_schema *s = compiled(schema);
	CS_AUTOJSON json_t *v = json(value);

	return cs_schema_check(s, v, 0, NULL, NULL, err);
}

#endif
