/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of base share: cmocka with what it wants included before it. */
#ifndef CS_TESTS_BASE_TEST_H
#define CS_TESTS_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/data.h"

/* A new folder under $TMPDIR, malloc'ed name. */
static inline char *temp_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = cs_xasprintf("%s/capstan-base-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	return dir;
}

#endif
