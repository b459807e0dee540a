/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>

#include "cli/cli_priv.h"

/* What stands before the command: -C DIR, --json, --help, --version. *at is then the command. */
static int leading(cs_cli *c, int argc, char **argv, int *at, const char **ret_instead, cs_err *err)
{
	*ret_instead = NULL;
	for (; *at < argc && argv[*at][0] == '-'; ++*at) {
		const char *word = argv[*at];
		if (strcmp(word, "--json") == 0)
			c->json = true;
		else if (strcmp(word, "-C") == 0 && *at + 1 < argc)
			c->where = argv[++*at];
		else if (strcmp(word, "-C") == 0)
			return cs_err_set(err, CS_EINVAL, _("-C needs a folder"));
		else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
			*ret_instead = "help";
		else if (strcmp(word, "--version") == 0)
			*ret_instead = "version";
		else if (strcmp(word, "--plain") == 0)
			return CS_OK;      /* an option of the console, which needs no word */
		else
			return cs_err_set(err, CS_EINVAL, _("%s is not an option; see `capstan help`"), word);
	}
	return CS_OK;
}

static int unknown(cs_cli *c, const char *word)
{
	cs_err err;
	const char *names[64];
	size_t n = 0;
	for (const char *const *later = cs_cli_commands_later; *later; later++)
		if (strcmp(word, *later) == 0) {
			cs_err_set(&err, CS_EINVAL, _("not in this version; see `capstan help` for what is"));
			return cs_cli_fail(c, word, &err);
		}
	for (const cs_cli_command *k = cs_cli_commands; k->name && n + 1 < CS_ARRAY_LEN(names); k++)
		names[n++] = k->name;
	names[n] = NULL;
	const char *near = cs_suggest(word, names);
	if (near)
		cs_err_set(&err, CS_EINVAL, _("there is no such command; did you mean `capstan %s`?"), near);
	else
		cs_err_set(&err, CS_EINVAL, _("there is no such command; see `capstan help`"));
	return cs_cli_fail(c, word, &err);
}

static int run_command(cs_cli *c, const cs_cli_command *k, int argc, char **argv)
{
	CS_CLEANUP(cs_cli_args_fini) cs_cli_args a;
	cs_err err = { 0 };
	if (cs_cli_args_parse(&a, c, k, argc, argv, &err) < 0)
		return cs_cli_fail(c, k->name, &err);
	if (a.help) {
		cs_cli_help_one(stdout, k);
		return CS_EXIT_DONE;
	}
	return k->run(c, &a);
}

static int dispatch(cs_cli *c, int argc, char **argv)
{
	int at = 1;
	const char *instead;
	cs_err err = { 0 };
	if (leading(c, argc, argv, &at, &instead, &err) < 0)
		return cs_cli_fail(c, NULL, &err);
	if (instead && strcmp(instead, "help") == 0 && at < argc && cs_cli_command_find(argv[at])) {
		cs_cli_help_one(stdout, cs_cli_command_find(argv[at]));
		return CS_EXIT_DONE;
	}
	if (instead)
		return run_command(c, cs_cli_command_find(instead), 0, NULL);
	if (at >= argc || argv[at][0] == '-')
		return run_command(c, cs_cli_command_find("console"), argc - at, argv + at);
	const cs_cli_command *k = cs_cli_command_find(argv[at]);
	return k ? run_command(c, k, argc - at - 1, argv + at + 1) : unknown(c, argv[at]);
}

/* Output that could not be written is a failure too (a full disk, a closed pipe). */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	/* Who reads no further, `head` perhaps, has seen what it wanted. */
	if (errno != EPIPE)
		fprintf(stderr, _("capstan: standard output: %s\n"), strerror(errno));
	return status ? status : CS_EXIT_FAILED;
}

int cs_cli_main(int argc, char **argv, const cs_cli_opts *opts)
{
	cs_cli c = { .opts = opts, .signals = -1 };
	cs_diags_init(&c.diags);
	int status = finish(dispatch(&c, argc, argv));
	cs_cli_close(&c);
	return status;
}
