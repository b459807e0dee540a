/* SPDX-License-Identifier: GPL-3.0-or-later */
/* help, completion and version, all from the table. */
#include "config.h"

#include <string.h>

#include "cli/cli_priv.h"

#define COMMAND_COLS 12

void cs_cli_help_all(FILE *f)
{
	fputs(_("Usage: capstan [-C DIR] [--json] COMMAND ...\n"
		"A terminal operator console on an embedded durable engine.\n"
		"\n"), f);
	for (const cs_cli_command *k = cs_cli_commands; k->name; k++) {
		fputs("  ", f);
		cs_cli_print_cell(f, k->name, COMMAND_COLS);
		fprintf(f, "%s\n", _(k->help));
	}
	fputs(_("\n"
		"  -C DIR     the workspace (default: the nearest folder upward with a capstan.yaml)\n"
		"  --json     one JSON value on stdout; lists: one object a line\n"
		"  --help     this, or after a command what it does\n"
		"  --version  the version and the licence\n"
		"\n"
		"Exit status: 0 done; 1 what was asked about failed; 2 wrong usage; 3 not found; 4 refused;\n"
		"5 the engine or the store is unavailable.\n"), f);
}

void cs_cli_help_one(FILE *f, const cs_cli_command *k)
{
	fprintf(f, "capstan %s%s%s\n", k->name, k->synopsis[0] ? " " : "", k->synopsis);
	fprintf(f, "  %s\n", _(k->help));
	if (k->more)
		fputc('\n', f);
	if (k->more)
		cs_cli_print_block(f, _(k->more), "  ");
	if (k->flags && k->flags->name)
		fputc('\n', f);
	for (const cs_cli_flag *g = k->flags; g && g->name; g++) {
		CS_AUTOFREE char *head = cs_xasprintf("%s%s%s", g->name, g->value ? " " : "", g->value ? g->value : "");
		fputs("  ", f);
		cs_cli_print_cell(f, head, 24);
		fprintf(f, "%s\n", _(g->help));
	}
}

int cs_cmd_help(cs_cli *c, const cs_cli_args *a)
{
	if (a->n_words == 0) {
		cs_cli_help_all(stdout);
		return CS_EXIT_DONE;
	}
	const cs_cli_command *k = cs_cli_command_find(a->words[0]);
	if (!k) {
		cs_err err;
		cs_err_set(&err, CS_EINVAL, _("there is no such command; see `capstan help`"));
		return cs_cli_fail(c, a->words[0], &err);
	}
	cs_cli_help_one(stdout, k);
	return CS_EXIT_DONE;
}

static void print_flags(const cs_cli_command *k)
{
	for (const cs_cli_flag *g = k->flags; g && g->name; g++)
		printf(" %s", g->name);
	fputs(" --json --help", stdout);
}

static void complete_bash(void)
{
	fputs("_capstan() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords='", stdout);
	for (const cs_cli_command *k = cs_cli_commands; k->name; k++)
		printf("%s%s", k == cs_cli_commands ? "" : " ", k->name);
	fputs("'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", stdout);
	for (const cs_cli_command *k = cs_cli_commands; k->name; k++) {
		printf("\t\t%s) words='", k->name);
		print_flags(k);
		fputs("' ;;\n", stdout);
	}
	fputs("\t\tesac\n\tfi\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	      "complete -o default -F _capstan capstan\n", stdout);
}

static void complete_zsh(void)
{
	fputs("#compdef capstan\n_capstan() {\n\tif (( CURRENT == 2 )); then\n\t\tlocal -a commands=(\n", stdout);
	for (const cs_cli_command *k = cs_cli_commands; k->name; k++)
		printf("\t\t\t'%s:%s'\n", k->name, k->help);
	fputs("\t\t)\n\t\t_describe command commands\n\t\treturn\n\tfi\n\tcase $words[2] in\n", stdout);
	for (const cs_cli_command *k = cs_cli_commands; k->name; k++) {
		printf("\t%s) compadd --", k->name);
		print_flags(k);
		fputs("; _files ;;\n", stdout);
	}
	fputs("\tesac\n}\ncompdef _capstan capstan\n", stdout);
}

int cs_cmd_completion(cs_cli *c, const cs_cli_args *a)
{
	if (strcmp(a->words[0], "bash") == 0) {
		complete_bash();
	} else if (strcmp(a->words[0], "zsh") == 0) {
		complete_zsh();
	} else {
		cs_err err;
		cs_err_set(&err, CS_EINVAL, _("only bash and zsh are known"));
		return cs_cli_fail(c, a->words[0], &err);
	}
	return CS_EXIT_DONE;
}

int cs_cmd_version(cs_cli *c, const cs_cli_args *a)
{
	(void)c;
	(void)a;
	printf("capstan %s\n", PACKAGE_VERSION);
	puts(_("License GPL-3.0-or-later. This is free software; there is no warranty."));
	return CS_EXIT_DONE;
}
