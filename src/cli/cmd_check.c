/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan check: the workspace, or single files, also outside of one. */
#include <string.h>

#include "cli/cli_priv.h"

static void print_json_diags(const cs_diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const cs_diag *g = &d->items[i];
		CS_AUTOJSON json_t *v = json_pack("{s:s, s:i, s:i, s:s, s:s}", "file", g->file, "line", (int)g->line, "column", (int)g->col,
						  "severity", g->warning ? "warning" : "error", "message", g->message);
		if (v)
			cs_cli_print_json(v);
	}
}

static int conclude(cs_cli *c, const cs_diags *d, size_t files)
{
	if (c->json)
		print_json_diags(d);
	else
		cs_cli_print_diags(d, stdout);
	if (d->errors > 0)
		return CS_EXIT_FAILED;
	if (!c->json && files > 0)
		printf(P_("%zu file is in order\n", "%zu files are in order\n", files), files);
	else if (!c->json)
		puts(_("the workspace is in order"));
	return CS_EXIT_DONE;
}

static int check_files(cs_cli *c, const cs_cli_args *a)
{
	cs_diags d;
	int status = CS_EXIT_DONE;
	/* A file outside of a workspace is checked for itself: what it calls cannot be known there. */
	if (cs_cli_dir(c, NULL) == CS_OK)
		(void)cs_cli_load(c, NULL);
	cs_diags_init(&d);
	for (size_t i = 0; i < a->n_words; i++) {
		cs_err err = { 0 };
		size_t before = d.errors;
		int r = cs_workspace_check_file(c->ws, a->words[i], &d, NULL, &err);
		if (r < 0 && d.errors == before) {
			int one = cs_cli_fail(c, a->words[i], &err);
			status = r == CS_ENOTFOUND ? one : CS_EXIT_FAILED;
		}
	}
	int found = d.errors > 0 || status == CS_EXIT_DONE ? conclude(c, &d, a->n_words) : CS_EXIT_DONE;
	cs_diags_fini(&d);
	return found != CS_EXIT_DONE ? found : status;
}

static int check_workspace(cs_cli *c)
{
	cs_diags d;
	cs_workspace *ws = NULL;
	cs_err err = { 0 };
	int r = cs_cli_dir(c, &err);
	if (r < 0)
		return cs_cli_fail(c, "check", &err);
	cs_diags_init(&d);
	r = cs_workspace_load(c->dir, false, &d, &ws, &err);
	int status = r < 0 && d.errors == 0 ? cs_cli_fail(c, c->dir, &err) : conclude(c, &d, 0);
	cs_workspace_free(ws);
	cs_diags_fini(&d);
	return status;
}

int cs_cmd_check(cs_cli *c, const cs_cli_args *a)
{
	return a->n_words > 0 ? check_files(c, a) : check_workspace(c);
}
