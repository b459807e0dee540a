/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export and import: runs as signed text, from one workspace to another. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli_priv.h"

const cs_cli_flag cs_cli_flags_export[] = {
	{ "--output", "FILE|-", N_("where to; - (stdout) is the default") },
	{ NULL, NULL, NULL },
};

const cs_cli_flag cs_cli_flags_import[] = {
	{ "--trust", "KEY", N_("the public key that the file must be signed with") },
	{ NULL, NULL, NULL },
};

static int find_runs(cs_cli *c, const cs_cli_args *a, json_t *runs, cs_err *err)
{
	char id[CS_ID_SIZE];
	for (size_t i = 0; i < a->n_words; i++) {
		int r = cs_cli_find_run(c, a->words[i], id, err);
		if (r < 0)
			return r;
		json_array_append_new(runs, json_string(id));
	}
	return CS_OK;
}

static int put_out(const char *path, const cs_buf *text, cs_err *err)
{
	if (path && strcmp(path, "-") != 0) {
		if (cs_file_exists(path))
			return cs_err_set(err, CS_EREFUSED, _("%s is there already, and is not overwritten; name another file"), path);
		return cs_file_write(path, text->data, text->len, 0600, err);
	}
	if (fwrite(text->data, 1, text->len, stdout) != text->len || fflush(stdout) != 0)
		return cs_err_sys(err, errno, _("writing to stdout"));
	return CS_OK;
}

int cs_cmd_export(cs_cli *c, const cs_cli_args *a)
{
	const char *path = cs_cli_arg(a, "--output");
	CS_AUTOJSON json_t *runs = json_array();
	CS_AUTOJSON json_t *written = NULL;
	CS_AUTOBUF cs_buf text;
	cs_err err = { 0 };
	cs_buf_init(&text, CS_TRANSFER_MAX + ((size_t)4 << 20));
	int r = find_runs(c, a, runs, &err);
	if (r == CS_OK) {
		(void)cs_cli_load(c, NULL);      /* for its name alone */
		r = cs_export_runs(c->state_dir, c->reader, runs, c->name ? c->name : "", c->opts->engine->version, &text, &written, &err);
	}
	if (r == CS_OK)
		r = put_out(path, &text, &err);
	if (r < 0)
		return cs_cli_fail(c, "export", &err);
	if (path && strcmp(path, "-") != 0)
		fprintf(stderr, P_("%zu run written to %s\n", "%zu runs written to %s\n", (unsigned long)json_array_size(written)),
			json_array_size(written), path);
	return CS_EXIT_DONE;
}

/* ---- import ---------------------------------------------------------------------------------- */

static bool is_key(const char *text)
{
	return strlen(text) == CS_HEX_SIZE - 1 && strspn(text, "0123456789abcdef") == CS_HEX_SIZE - 1;
}

/* The digits alone, or the whole line of a .capstan/key.pub, which ends in them. */
static const char *key_of(const char *text)
{
	const char *last = text ? strrchr(text, ' ') : NULL;
	return last && strncmp(text, "capstan-key ", strlen("capstan-key ")) == 0 ? last + 1 : text;
}

static int request_of(const cs_cli_args *a, json_t **ret, cs_err *err)
{
	const char *trust = key_of(cs_cli_arg(a, "--trust"));
	CS_AUTOFREE char *path = realpath(a->words[0], NULL);
	if (!path)
		return errno == ENOENT ? cs_err_set(err, CS_ENOTFOUND, _("there is no such file"))
				       : cs_err_sys(err, errno, _("cannot be read"));
	if (trust && !is_key(trust))
		return cs_err_set(err, CS_EINVAL, _("--trust %.80s: give the whole public key, 64 hex digits, or the line of a .capstan/key.pub in quotes; without --trust the signer is named"), trust);
	CS_AUTOJSON json_t *request = json_pack("{s:s, s:s}", "cmd", "import", "file", path);
	if (!request)
		return cs_err_set(err, CS_EINVAL, _("its name is not UTF-8"));
	if (trust)
		json_object_set_new(request, "trust", json_string(trust));
	*ret = CS_STEAL(request);
	return CS_OK;
}

/* What had not ended where it came from does not go on here, and is not what it was there. */
static void say_open(cs_cli *c, const json_t *open)
{
	const char *run;
	json_t *state;
	if (json_object_size(open) == 0)
		return;
	fprintf(stderr, P_("%zu run had not ended there; it stands here as cancelled, and never goes on:\n",
			   "%zu runs had not ended there; they stand here as cancelled, and never go on:\n", json_object_size(open)), json_object_size(open));
	json_object_foreach((json_t *)(uintptr_t)open, run, state) {
		CS_AUTOFREE char *shown = cs_xstrdup(cs_cli_show(c, run));
		fprintf(stderr, _("  %s was %s there\n"), shown, cs_cli_show(c, json_string_value(state)));
	}
}

static void print_imported(cs_cli *c, const json_t *ok)
{
	const json_t *runs = json_object_get(ok, "runs");
	size_t i;
	json_t *run;
	json_array_foreach((json_t *)runs, i, run)
		puts(cs_cli_show(c, json_string_value(run)));
	(void)fflush(stdout);
	say_open(c, json_object_get(ok, "open"));
	if (cs_json_true(ok, "existing"))
		fputs(_("they are here already, from this same file\n"), stderr);
	else
		fprintf(stderr, _("imported from %s, signed by %s; next: capstan show RUN, capstan trace RUN, capstan replay RUN\n"),
			cs_cli_show(c, cs_json_str_or(ok, "workspace", "")), cs_json_str_or(ok, "signer", ""));
}

int cs_cmd_import(cs_cli *c, const cs_cli_args *a)
{
	CS_AUTOJSON json_t *request = NULL;
	CS_AUTOJSON json_t *ok = NULL;
	cs_err err = { 0 };
	int r = request_of(a, &request, &err);
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r == CS_OK)
		r = cs_cli_call(c, CS_STEAL(request), &ok, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	if (c->json)
		cs_cli_print_json(ok);
	else
		print_imported(c, ok);
	return CS_EXIT_DONE;
}
