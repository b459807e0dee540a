/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Preloaded into a test by `run`: only the function that CS_TEST_ONLY names is run. What the test
 * starts is left alone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

static __attribute__((constructor)) void run_only(void)
{
	const char *name = getenv("CS_TEST_ONLY");
	if (name != NULL)
		cmocka_set_test_filter(name);
	(void)unsetenv("CS_TEST_ONLY");
	(void)unsetenv("LD_PRELOAD");
}
