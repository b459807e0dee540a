/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arguments by the command's table: flags anywhere, `--flag VALUE` or `--flag=VALUE`, `--` ends
 * them. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/cli_priv.h"

static const cs_cli_flag *flag_of(const cs_cli_command *k, const char *word, size_t len)
{
	for (const cs_cli_flag *f = k->flags; f && f->name; f++)
		if (strlen(f->name) == len && strncmp(f->name, word, len) == 0)
			return f;
	return NULL;
}

static const char *nearest_flag(const cs_cli_command *k, const char *word)
{
	const char *names[32];
	size_t n = 0;
	for (const cs_cli_flag *f = k->flags; f && f->name && n + 1 < CS_ARRAY_LEN(names); f++)
		names[n++] = f->name;
	names[n] = NULL;
	return cs_suggest(word, names);
}

static int unknown_flag(const cs_cli_command *k, const char *word, cs_err *err)
{
	const char *near = nearest_flag(k, word);
	if (near)
		return cs_err_set(err, CS_EINVAL, _("%s is not an option of it; did you mean %s?"), word, near);
	return cs_err_set(err, CS_EINVAL, _("%s is not an option of it; see `capstan help %s`"), word, k->name);
}

/* One flag of the command's own at argv[*at]. */
static int take_flag(cs_cli_args *a, int argc, char **argv, int *at, cs_err *err)
{
	const char *word = argv[*at];
	const char *equals = strchr(word, '=');
	const cs_cli_flag *f = flag_of(a->command, word, equals ? (size_t)(equals - word) : strlen(word));
	if (!f)
		return unknown_flag(a->command, word, err);
	const char *value = "";
	if (f->value && equals)
		value = equals + 1;
	else if (f->value && *at + 1 < argc)
		value = argv[++*at];
	else if (f->value)
		return cs_err_set(err, CS_EINVAL, _("%s needs a value: %s %s"), f->name, f->name, f->value);
	else if (equals)
		return cs_err_set(err, CS_EINVAL, _("%s takes no value"), f->name);
	if (!cs_utf8_valid(value, strlen(value)))
		return cs_err_set(err, CS_EINVAL, _("the value of %s is not UTF-8 text"), f->name);
	a->given[a->n_given].flag = f;
	a->given[a->n_given++].value = value;
	return CS_OK;
}

/* Flags of every command. CS_EAGAIN: it is none of them. */
static int take_common(cs_cli_args *a, cs_cli *c, int argc, char **argv, int *at, cs_err *err)
{
	const char *word = argv[*at];
	if (strcmp(word, "--json") == 0)
		c->json = true;
	else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		a->help = true;
	else if (strcmp(word, "-C") == 0 && *at + 1 < argc)
		c->where = argv[++*at];
	else if (strcmp(word, "-C") == 0)
		return cs_err_set(err, CS_EINVAL, _("-C needs a folder"));
	else
		return CS_EAGAIN;
	return CS_OK;
}

static int count_words(const cs_cli_args *a, cs_err *err)
{
	const cs_cli_command *k = a->command;
	if (a->help || ((int)a->n_words >= k->min && (k->max < 0 || (int)a->n_words <= k->max)))
		return CS_OK;
	if ((int)a->n_words < k->min)
		return cs_err_set(err, CS_EINVAL, _("something is missing: capstan %s %s"), k->name, k->synopsis);
	return cs_err_set(err, CS_EINVAL, _("\"%s\" is too much: capstan %s %s"), a->words[k->max], k->name, k->synopsis);
}

int cs_cli_args_parse(cs_cli_args *a, cs_cli *c, const cs_cli_command *command, int argc, char **argv, cs_err *err)
{
	memset(a, 0, sizeof *a);
	a->command = command;
	a->words = cs_xcalloc((size_t)argc + 1, sizeof *a->words);
	a->given = cs_xcalloc((size_t)argc + 1, sizeof *a->given);
	bool only_words = false;
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];
		if (!cs_utf8_valid(word, strlen(word)))
			return cs_err_set(err, CS_EINVAL, _("argument %d is not UTF-8 text"), i + 1);
		if (only_words || word[0] != '-' || word[1] == '\0') {
			a->words[a->n_words++] = word;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			only_words = true;
			continue;
		}
		int r = take_common(a, c, argc, argv, &i, err);
		if (r == CS_EAGAIN)
			r = take_flag(a, argc, argv, &i, err);
		if (r < 0)
			return r;
	}
	return count_words(a, err);
}

void cs_cli_args_fini(cs_cli_args *a)
{
	free(a->words);
	free(a->given);
	memset(a, 0, sizeof *a);
}

const char *cs_cli_arg_each(const cs_cli_args *a, const char *flag, size_t *at)
{
	while (*at < a->n_given) {
		size_t i = (*at)++;
		if (strcmp(a->given[i].flag->name, flag) == 0)
			return a->given[i].value;
	}
	return NULL;
}

const char *cs_cli_arg(const cs_cli_args *a, const char *flag)
{
	const char *last = NULL, *value;
	size_t at = 0;
	while ((value = cs_cli_arg_each(a, flag, &at)))
		last = value;
	return last;
}
