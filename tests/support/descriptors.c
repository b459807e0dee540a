/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/descriptors.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"

json_t *descriptors_open(void)
{
	json_t *all = json_object();
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		char what[512];
		CS_AUTOFREE char *path = cs_xasprintf("/proc/self/fd/%s", e->d_name);
		ssize_t n = readlink(path, what, sizeof what);
		if (n > 0 && strtol(e->d_name, NULL, 10) != dirfd(d))
			json_object_set_new(all, e->d_name, json_stringn(what, (size_t)n));
	}
	closedir(d);
	return all;
}

void descriptors_assert_none_new(const json_t *before)
{
	json_t *now = descriptors_open();
	const char *fd;
	json_t *what;
	int n = 0;
	json_object_foreach(now, fd, what) {
		if (json_equal(what, json_object_get(before, fd)))
			continue;
		print_error("descriptor %s stayed open: %s\n", fd, json_string_value(what));
		n++;
	}
	json_decref(now);
	assert_int_equal(n, 0);
}
