/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan test: the workspace's scenarios, played; and a scenario from a run that there was. */
#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "cli/scenario.h"

enum { RECORD_MAX = 1024 * 1024 };

const cs_cli_flag cs_cli_flags_test[] = {
	{ "--record", "RUN", N_("write a scenario from a run, into scenarios/") },
	{ NULL, NULL, NULL },
};

/* By its name, or by its file with or without folder and ending. */
static bool is_meant(const char *word, const char *file, const json_t *doc)
{
	const char *name = strrchr(file, '/'), *slash = strrchr(word, '/');
	name = name ? name + 1 : file;
	word = slash ? slash + 1 : word;
	size_t stem = strlen(name) - strlen(".yaml");
	return strcmp(word, cs_json_str_or(doc, "scenario", "")) == 0 || strcmp(word, name) == 0 ||
	       (strlen(word) == stem && strncmp(word, name, stem) == 0);
}

static bool is_chosen(const cs_cli_args *a, const char *file, const json_t *doc, bool *found)
{
	bool chosen = a->n_words == 0;
	for (size_t i = 0; i < a->n_words; i++) {
		if (!is_meant(a->words[i], file, doc))
			continue;
		found[i] = true;
		chosen = true;
	}
	return chosen;
}

typedef struct tally {
	size_t ok, failed, skipped;
} tally;

static void print_result(cs_cli *c, const char *file, const json_t *result)
{
	const char *name = cs_json_str_or(result, "scenario", ""), *skipped = cs_json_str(result, "skipped");
	size_t i;
	json_t *line;
	if (c->json) {
		json_object_set_new((json_t *)(uintptr_t)result, "file", json_string(file));
		cs_cli_print_json(result);
		return;
	}
	printf("%s %s", skipped ? "skip" : cs_json_true(result, "ok") ? "ok  " : "FAIL", cs_cli_show(c, name));
	if (skipped)
		printf(": %s", skipped);
	else if (!cs_json_true(result, "ok"))
		printf(" (%s)", cs_cli_show(c, file));
	putchar('\n');
	json_array_foreach(json_object_get(result, "differences"), i, line)
		printf("     %s\n", cs_cli_show_json(c, line, 0));
	(void)fflush(stdout);
}

static void play_one(cs_cli *c, const char *file, const json_t *doc, tally *t)
{
	CS_AUTOJSON json_t *result = NULL;
	cs_err err = { 0 };
	if (cs_scenario_play(c, doc, &result, &err) < 0)
		result = json_pack("{s:O, s:O, s:b, s:n, s:[s]}", "scenario", json_object_get(doc, "scenario"), "flow",
				   json_object_get(doc, "flow"), "ok", 0, "skipped", "differences", err.msg);
	if (json_is_string(json_object_get(result, "skipped")))
		t->skipped++;
	else if (cs_json_true(result, "ok"))
		t->ok++;
	else
		t->failed++;
	print_result(c, file, result);
}

static void print_tally(const tally *t, int64_t ms)
{
	size_t all = t->ok + t->failed + t->skipped;
	printf(P_("%zu scenario: ", "%zu scenarios: ", all), all);
	printf(_("%zu ok, %zu failed"), t->ok, t->failed);
	if (t->skipped > 0)
		printf(_(", %zu skipped"), t->skipped);
	printf(_(" in %lld.%02lld s\n"), (long long)(ms / 1000), (long long)(ms % 1000 / 10));
}

static int play_all(cs_cli *c, const cs_cli_args *a, const cs_workspace *ws)
{
	const char *file;
	json_t *doc;
	tally t = { 0 };
	int64_t began = cs_clock_mono_ns();
	CS_AUTOFREE bool *found = cs_xcalloc(a->n_words + 1, sizeof *found);
	json_object_foreach(ws->scenarios, file, doc)
		if (is_chosen(a, file, doc, found))
			play_one(c, file, doc, &t);
	for (size_t i = 0; i < a->n_words; i++) {
		cs_err err = { 0 };
		if (found[i])
			continue;
		cs_err_set(&err, CS_ENOTFOUND, _("there is no such scenario; scenarios/ holds them"));
		return cs_cli_fail(c, a->words[i], &err);
	}
	if (!c->json)
		print_tally(&t, (cs_clock_mono_ns() - began) / 1000000);
	return t.failed > 0 ? CS_EXIT_FAILED : CS_EXIT_DONE;
}

/* ---- --record -------------------------------------------------------------------------------- */

/* A list's entries a line each; what is inside is JSON, which is YAML. */
static int write_document(const json_t *doc, const char *run, cs_buf *out)
{
	const char *key;
	json_t *v, *one;
	size_t i;
	cs_buf_addf(out, "# Recorded from run %s. Times are not: the clock jumps to the next timer.\n", run);
	json_object_foreach((json_t *)(uintptr_t)doc, key, v) {
		if (json_is_array(v) && json_array_size(v) == 0)
			continue;
		cs_buf_addf(out, "%s:%s", key, json_is_array(v) ? "\n" : " ");
		if (!json_is_array(v)) {
			cs_json_write(v, out);
			cs_buf_addc(out, '\n');
		}
		json_array_foreach(v, i, one) {
			cs_buf_adds(out, "  - ");
			cs_json_write(one, out);
			cs_buf_addc(out, '\n');
		}
	}
	return out->failed;
}

static int record(cs_cli *c, const char *part, cs_err *err)
{
	char run[CS_ID_SIZE];
	CS_AUTOJSON json_t *doc = NULL;
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, RECORD_MAX);
	int r = cs_cli_find_run(c, part, run, err);
	if (r == CS_OK)
		r = cs_scenario_record(c->reader, run, &doc, err);
	if (r == CS_OK && (r = write_document(doc, run, &text)) < 0)
		return cs_err_set(err, r, _("what run %s was given is too large for a scenario"), run);
	if (r < 0)
		return r;
	CS_AUTOFREE char *name = cs_xasprintf("%s-%s.yaml", cs_json_str_or(doc, "flow", "run"), cs_cli_short_id(run));
	for (char *p = name; *p; p++)
		*p = (char)(*p == '/' ? '-' : tolower((unsigned char)*p));
	CS_AUTOFREE char *folder = cs_path_join(c->dir, "scenarios");
	CS_AUTOFREE char *path = cs_path_join(folder, name);
	if (cs_file_exists(path))
		return cs_err_set(err, CS_EREFUSED, _("scenarios/%s is there already; nothing was written"), name);
	r = cs_mkdir_p(folder, 0755, err);
	if (r == CS_OK)
		r = cs_file_write(path, cs_buf_str(&text), text.len, 0644, err);
	if (r == CS_OK)
		printf("scenarios/%s\n", cs_cli_show(c, name));
	return r;
}

int cs_cmd_test(cs_cli *c, const cs_cli_args *a)
{
	cs_err err = { 0 };
	cs_diags d;
	cs_workspace *ws = NULL;
	const char *run = cs_cli_arg(a, "--record");
	int r = cs_cli_dir(c, &err);
	if (r < 0)
		return cs_cli_fail(c, "test", &err);
	if (run) {
		r = record(c, run, &err);
		return r < 0 ? cs_cli_fail(c, "test", &err) : CS_EXIT_DONE;
	}
	cs_diags_init(&d);
	r = cs_workspace_load(c->dir, false, &d, &ws, &err);
	if (r < 0)
		cs_cli_print_findings(c->dir, &d, stderr);
	int status = r == CS_OK ? play_all(c, a, ws) : cs_cli_fail(c, "test", &err);
	if (r < 0 && d.errors > 0)
		status = CS_EXIT_FAILED;
	cs_workspace_free(ws);
	cs_diags_fini(&d);
	return status;
}
