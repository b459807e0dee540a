/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "tests/ctk/apart.h"
#include "tests/ctk/kit.h"

static outside *world_outside;

bool kit_is_engine(int argc, char **argv, int *ret_status)
{
	return apart_is_engine(argc, argv, ret_status);
}

outside *kit_outside(void)
{
	return world_outside;
}

char *kit_path(const char *name)
{
	const char *src = getenv("CS_TEST_SRCDIR");
	return cs_xasprintf("%s/tests/ctk/%s", src != NULL ? src : ".", name);
}

int kit_run(const char *group, const struct CMUnitTest *tests, size_t n, const char *filter)
{
	char ca[] = "/tmp/capstan-ctk-XXXXXX";
	CS_AUTOFREE char *file = kit_path("outside.yaml");
	int fd = mkstemp(ca);
	if (fd < 0) {
		fprintf(stderr, "no file for a test's certificate\n");
		return 1;
	}
	close(fd);
	size_t n_hosts = 0;
	world_outside = outside_start(file, ca);
	const cs_http_stand_in *hosts = outside_hosts(world_outside, &n_hosts);
	apart_stand_ins(hosts, n_hosts, ca);
	if (filter != NULL)
		cmocka_set_test_filter(filter);
	int failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
	outside_stop(world_outside);
	unlink(ca);
	return failed;
}
