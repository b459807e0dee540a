/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the public data lies that tests use when it is there. Include after cmocka.h. */
#ifndef CS_TESTS_DATA_H
#define CS_TESTS_DATA_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Path of NAME in SET, malloc'ed: "suites" is the folder in $CAPSTAN_SUITES, "openworkflow" that in
 * $CAPSTAN_OPENWORKFLOW, either by default shared/SET beside the checkout. */
static inline char *data_path(const char *set, const char *name)
{
	const char *root = getenv(strcmp(set, "suites") == 0 ? "CAPSTAN_SUITES" : "CAPSTAN_OPENWORKFLOW");
	const char *src = getenv("CS_TEST_SRCDIR");
	if (root)
		return cs_xasprintf("%s/%s", root, name);
	return cs_xasprintf("%s/../shared/%s/%s", src ? src : ".", set, name);
}

/* The same, and the test is skipped when it is not there. A skip leaves at once and frees nothing:
 * call it before anything is held. */
static inline char *data_path_or_skip(const char *set, const char *name)
{
	char *path = data_path(set, name);
	if (access(path, R_OK) == 0)
		return path;
	print_message("skipped: %s is not there\n", path);
	free(path);
	skip();
	return NULL;
}

/* Do sanitizers make this build slow and large? Then no time is asserted. */
static inline int sanitized(void)
{
	const char *list = getenv("CS_TEST_SANITIZER");
	return list && *list;
}

#endif
