/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console on the little agency of the tests, to look at: fake_console [--plain]. */
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "fake_source.h"
#include "tui/console.h"

int main(int argc, char **argv)
{
	CS_AUTOFREE char *model = fake_source_agency();
	fake_source *f = fake_source_new(model, -1);
	cs_console_opts opts = { .engine_inside = true };
	cs_err err = { 0 };
	int r = argc > 1 && strcmp(argv[1], "--plain") == 0 ? cs_console_plain(fake_source_face(f), &opts, &err)
		: cs_console_run(fake_source_face(f), &opts, &err);

	fake_source_free(f);
	if (r < 0)
		(void)fprintf(stderr, "%s\n", err.msg);
	return r < 0;
}
