/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program above all floors: sets the locale and hands over to the command asked for. */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "flow/jq_pool.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static void set_locale(void)
{
	/* A locale that is not installed leaves "C", which is good enough to go on with. */
	(void)setlocale(LC_ALL, "");
	(void)bindtextdomain(CS_TEXT_DOMAIN, CS_LOCALEDIR);
	(void)bind_textdomain_codeset(CS_TEXT_DOMAIN, "UTF-8");
	(void)textdomain(CS_TEXT_DOMAIN);
}

static void print_help(FILE *to)
{
	fputs(_("Usage: capstan [-C DIR] [--json] COMMAND ...\n"
		"A terminal operator console on an embedded durable engine.\n"
		"\n"
		"  --help     show this\n"
		"  --version  show the version and the licence\n"), to);
}

static void print_version(void)
{
	printf("capstan %s\n", PACKAGE_VERSION);
	puts(_("License GPL-3.0-or-later. This is free software; there is no warranty."));
}

/* Output that could not be written is a failure too (a full disk, a closed pipe). */
static int finish(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("capstan: standard output");
		return EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	/* Our own child, not a command: before the locale, which it can neither read nor needs. */
	if (argc == 2 && strcmp(argv[1], "jq-worker") == 0)
		return cs_jq_worker_main();
	set_locale();
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return finish(EXIT_DONE);
	}
	if (strcmp(argv[1], "--version") == 0) {
		print_version();
		return finish(EXIT_DONE);
	}
	fprintf(stderr, _("capstan: %s: unknown command; see capstan --help\n"), argv[1]);
	return EXIT_USAGE;
}
