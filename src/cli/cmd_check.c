/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan check: the workspace, or single files, also outside of one. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "engine/lease.h"
#include "flow/jq_pool.h"
#include "flow/portable.h"
#include "flow/yaml.h"

enum { JQ_CHILDREN = 1, JQ_MS = 5000 };

const cs_cli_flag cs_cli_flags_check[] = {
	{ "--portable", NULL, N_("list also what another Open Workflow runtime would not know") },
	{ NULL, NULL, NULL },
};

static void print_json_diags(const cs_diags *d)
{
	const cs_diag *order[CS_DIAGS_MAX];
	cs_diags_order(d, order);
	for (size_t i = 0; i < d->n; i++) {
		const cs_diag *g = order[i];
		/* `col` is the name that editors ask for; `column` was there before. */
		CS_AUTOJSON json_t *v = json_pack("{s:s?, s:i, s:i, s:i, s:s, s:s, s:s?}", "file", g->file, "line", (int)g->line, "col", (int)g->col,
						  "column", (int)g->col, "severity", cs_diag_severity(g), "message", g->message,
						  "suggestion", g->suggestion);
		if (v)
			cs_cli_print_json(v);
	}
}

static size_t count(const cs_diags *d, const char *severity)
{
	size_t n = 0;
	for (size_t i = 0; i < d->n; i++)
		n += strcmp(cs_diag_severity(&d->items[i]), severity) == 0;
	return n;
}

static void print_summary(const cs_diags *d, size_t files)
{
	size_t warnings = count(d, "warning"), notes = count(d, "note");
	if (d->errors > 0)
		printf(P_("%zu error", "%zu errors", d->errors), d->errors);
	else if (files > 0)
		printf(P_("%zu file is in order", "%zu files are in order", files), files);
	else
		fputs(_("the workspace is in order"), stdout);
	if (warnings > 0)
		printf(P_(", %zu warning", ", %zu warnings", warnings), warnings);
	if (notes > 0)
		printf(P_(", %zu note", ", %zu notes", notes), notes);
	if (d->errors > count(d, "error"))
		printf(_("; the first %d findings are shown"), CS_DIAGS_MAX);
	putchar('\n');
}

static int conclude(cs_cli *c, const char *dir, const cs_diags *d, size_t files)
{
	if (c->json) {
		print_json_diags(d);
	} else {
		cs_cli_print_findings(dir, d, stdout);
		print_summary(d, files);
	}
	return d->errors > 0 ? CS_EXIT_FAILED : CS_EXIT_DONE;
}

/* jq is asked about what is not plain, in one go for all files; a load leaves that out. */
static int ask_jq(cs_cli *c, cs_gathered *g, cs_diags *d, cs_err *err)
{
	cs_jq_pool *pool = cs_jq_pool_new(c->opts->engine->exe, JQ_CHILDREN, JQ_MS);
	int r = cs_gathered_check(g, pool, d, err);
	cs_jq_pool_free(pool);
	cs_gathered_fini(g);
	d->ask = NULL;
	return r;
}

/* What does not parse has been reported by then. */
static void check_portable(const char *path, const char *shown, cs_diags *d)
{
	CS_AUTOJSON json_t *doc = NULL;
	CS_CLEANUP(cs_source_freep) cs_source *src = NULL;
	if (cs_yaml_load(path, shown, &doc, &src, NULL) == CS_OK && json_object_get(doc, "document"))
		cs_portable_check(doc, src, d);
}

/* CS_OK, also with findings; negative when it could not be looked at. */
static int check_file(cs_cli *c, const char *path, bool portable, cs_diags *d, cs_err *err)
{
	CS_AUTOFREE cs_gathered *jq = cs_xcalloc(1, sizeof *jq);
	size_t before = d->errors;
	d->ask = jq;
	int r = cs_workspace_check_file(c->ws, path, d, NULL, err);
	int asked = ask_jq(c, jq, d, err);
	r = r == CS_OK ? asked : r;
	if (portable)
		check_portable(path, NULL, d);
	if (c->state_dir)
		cs_cli_check_secrets(c->state_dir, path, path, d);
	return d->errors > before ? CS_OK : r;
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
		int r = check_file(c, a->words[i], cs_cli_arg(a, "--portable") != NULL, &d, &err);
		if (r < 0) {
			int one = cs_cli_fail(c, a->words[i], &err);
			status = r == CS_ENOTFOUND ? one : CS_EXIT_FAILED;
		}
	}
	int found = d.errors > 0 || status == CS_EXIT_DONE ? conclude(c, NULL, &d, a->n_words) : CS_EXIT_DONE;
	cs_diags_fini(&d);
	return found != CS_EXIT_DONE ? found : status;
}

static void check_portable_flows(cs_cli *c, cs_diags *d)
{
	CS_AUTOFREE char *folder = cs_path_join(c->dir, "flows");
	CS_CLEANUP(cs_strv_freep) char **names = NULL;
	if (cs_dir_list(folder, ".yaml", &names, NULL) < 0)
		return;
	for (char **n = names; *n; n++) {
		CS_AUTOFREE char *path = cs_path_join(folder, *n);
		CS_AUTOFREE char *shown = cs_path_join("flows", *n);
		check_portable(path, shown, d);
	}
}

int cs_cli_check_all(cs_cli *c, cs_diags *d, cs_err *err)
{
	cs_workspace *ws = NULL;
	CS_AUTOFREE cs_gathered *jq = cs_xcalloc(1, sizeof *jq);
	d->ask = jq;
	int r = cs_workspace_load(c->dir, true, d, &ws, err);
	int asked = ask_jq(c, jq, d, r == CS_OK ? err : NULL);
	cs_workspace_free(ws);
	cs_cli_check_all_secrets(c, d);
	return r == CS_OK ? asked : r;
}

/* What is no finding in a file, and still makes a run go another way than the files say. */
static void say_beside(cs_cli *c)
{
	pid_t holder = cs_lease_holder(c->state_dir);
	if (holder > 0)
		fprintf(stderr, _("process %ld is the engine: as a console or `capstan serve` it takes changed files by itself, all of them or "
				  "none; `capstan reload` says at once which\n"), (long)holder);
	if (cs_cli_load(c, NULL) == CS_OK && c->ws && c->ws->live_wish && !cs_cli_machine_is_live(c))
		fprintf(stderr, "%s\n", _(cs_cli_live_unsaid));
}

static int check_workspace(cs_cli *c, const cs_cli_args *a)
{
	cs_diags d;
	cs_err err = { 0 };
	int r = cs_cli_dir(c, &err);
	if (r < 0)
		return cs_cli_fail(c, "check", &err);
	cs_diags_init(&d);
	r = cs_cli_check_all(c, &d, &err);
	if (cs_cli_arg(a, "--portable"))
		check_portable_flows(c, &d);
	int status = r < 0 && d.errors == 0 ? cs_cli_fail(c, c->dir, &err) : conclude(c, c->dir, &d, 0);
	cs_diags_fini(&d);
	if (!c->json)
		say_beside(c);
	return status;
}

int cs_cmd_check(cs_cli *c, const cs_cli_args *a)
{
	return a->n_words > 0 ? check_files(c, a) : check_workspace(c, a);
}
