/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON as tests write it. Include after cmocka.h. */
#ifndef CS_TESTS_JSON_H
#define CS_TESTS_JSON_H

#include <string.h>

#include "base/json.h"

/* New reference; the test fails where TEXT does not parse. */
static inline json_t *json_plain(const char *text)
{
	json_t *v = NULL;
	cs_err err = { 0 };
	if (cs_json_parse(text, strlen(text), &v, &err) != CS_OK)
		fail_msg("%s: %s", text, err.msg);
	return v;
}

/* The same of a text with '…' for "…". */
static inline json_t *json_quoted(const char *text)
{
	CS_AUTOFREE char *copy = cs_xstrdup(text);
	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return json_plain(copy);
}

#endif
