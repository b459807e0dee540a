/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the programs that play scenarios share: the hosts outside, and the way into the engine's
 * own process. Include after cmocka.h. */
#ifndef CS_TESTS_CTK_KIT_H
#define CS_TESTS_CTK_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include "tests/ctk/outside.h"

/* In main, first: true with its exit status when this process was started to be an engine. */
bool kit_is_engine(int argc, char **argv, int *ret_status);
/* Runs the tests (those that FILTER names, NULL: all) with the hosts outside up; how many failed. */
int kit_run(const char *group, const struct CMUnitTest *tests, size_t n, const char *filter);
/* While tests run. */
outside *kit_outside(void);
/* A file of tests/ctk; malloc'ed. */
char *kit_path(const char *name);

#endif
