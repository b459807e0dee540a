/* SPDX-License-Identifier: GPL-3.0-or-later */
/* correct: what a run that rests has not used yet is changed; it is shown what, and what comes next. */
#include <string.h>

#include "cli/cli_priv.h"

const cs_cli_flag cs_cli_flags_correct[] = {
	{ "--set", "PATH=VALUE", N_("into what comes in to the task where the run rests; . is all of it") },
	{ "--with", "PATH=VALUE", N_("into what that task is called with") },
	{ "--context", "PATH=VALUE", N_("into the run's context") },
	{ "--from", "TASK", N_("which task is meant, where the run rests at several") },
	{ "--flow", "FILE", N_("go on under this definition of the flow") },
	{ "--retry", NULL, N_("go on at once: retry what faulted, resume what is paused") },
	{ "--word", "repeat", N_("confirms with --retry that what has happened is sent once more") },
	{ "--dry-run", NULL, N_("say what would be changed, and change nothing") },
	{ "--note", "TEXT", N_("why; kept in the log") },
	{ NULL, NULL, NULL },
};

/* ---- what is asked for ------------------------------------------------------------------------ */

static int changes_of(const cs_cli_args *a, json_t **ret, cs_err *err)
{
	static const struct { const char *flag, *in; } kinds[] = { { "--context", "context" }, { "--set", "input" }, { "--with", "with" } };
	CS_AUTOJSON json_t *all = json_array();
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++) {
		CS_AUTOJSON json_t *sets = NULL;
		size_t k;
		json_t *set;
		int r = cs_cli_pairs(a, kinds[i].flag, &sets, err);
		if (r < 0)
			return r;
		json_array_foreach(sets, k, set) {
			json_object_set_new(set, "in", json_string(kinds[i].in));
			json_array_append(all, set);
		}
	}
	*ret = CS_STEAL(all);
	return CS_OK;
}

static int request_of(cs_cli *c, const cs_cli_args *a, json_t **ret, cs_err *err)
{
	static const struct { const char *flag, *member; } said[] = { { "--from", "from" }, { "--note", "why" } };
	CS_AUTOJSON json_t *request = json_pack("{s:s}", "cmd", "correct");
	CS_AUTOJSON json_t *changes = NULL;
	CS_AUTOJSON json_t *doc = NULL;
	int r = changes_of(a, &changes, err);
	if (r == CS_OK)
		r = cs_cli_flow_said(c, a, &doc, err);
	if (r < 0)
		return r;
	if (json_array_size(changes) == 0 && !doc)
		return cs_err_set(err, CS_EINVAL, _("nothing would be changed; say what with --set, --with, --context or --flow"));
	json_object_set(request, "set", changes);
	if (doc)
		json_object_set(request, "definition", doc);
	for (size_t i = 0; i < CS_ARRAY_LEN(said); i++)
		if (cs_cli_arg(a, said[i].flag))
			json_object_set_new(request, said[i].member, json_string(cs_cli_arg(a, said[i].flag)));
	json_object_set_new(request, "retry", json_boolean(cs_cli_arg(a, "--retry") != NULL));
	json_object_set_new(request, "dry", json_boolean(cs_cli_arg(a, "--dry-run") != NULL));
	*ret = CS_STEAL(request);
	return CS_OK;
}

/* ---- what it came to -------------------------------------------------------------------------- */

static void print_change(cs_cli *c, const json_t *one)
{
	const char *task = cs_json_str(one, "task"), *path = cs_json_str_or(one, "path", "");
	const json_t *old = json_object_get(one, "old");
	printf("  %s %s", cs_json_str_or(one, "in", ""), cs_cli_show(c, path));
	if (task)
		printf(_(" of %s"), cs_cli_show(c, task));
	printf(": %s%s", old ? cs_cli_show_json(c, old, 60) : "", old ? " -> " : "");
	printf("%s\n", cs_cli_show_json(c, json_object_get(one, "value"), 60));
}

static void print_which(const cs_cli_args *a, const char *verb, const json_t *which)
{
	CS_AUTOBUF cs_buf all = { 0 };
	size_t i;
	json_t *run;
	if (json_array_size(which) == 0)
		return;
	cs_buf_init(&all, (size_t)1 << 20);
	json_array_foreach((json_t *)(uintptr_t)which, i, run)
		(void)cs_buf_addf(&all, " %s", json_string_value(run));
	/* One word that stands for many takes them up, too. */
	bool by_word = json_array_size(which) > 1 && a->n_words == 1 && strcmp(verb, "retry") == 0;
	fprintf(stderr, _("corrected; next: capstan %s%s%s\n"), verb, by_word ? " " : "", by_word ? a->words[0] : cs_buf_str(&all));
}

/* Once for all of them: what is said of each run would only be said again. */
static void print_next(cs_cli *c, const cs_cli_args *a, const json_t *runs)
{
	static const struct { const char *state, *verb; } steps[] = { { "faulted", "retry" }, { "paused", "resume" } };
	CS_AUTOJSON json_t *which = json_pack("[[], []]");
	const char *run;
	json_t *yes;
	if (c->json || json_object_size(runs) == 0)
		return;
	if (cs_cli_arg(a, "--dry-run")) {
		fputs(_("nothing is written; without --dry-run it is\n"), stderr);
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)runs, run, yes) {
		CS_AUTOJSON json_t *now = NULL;
		(void)cs_view_run(c->reader, run, &now, NULL);
		for (size_t i = 0; i < CS_ARRAY_LEN(steps); i++)
			if (strcmp(cs_json_str_or(now, "state", ""), steps[i].state) == 0)
				json_array_append_new(json_array_get(which, i), json_string(run));
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(steps); i++)
		print_which(a, steps[i].verb, json_array_get(which, i));
}

static void print_one(cs_cli *c, const json_t *ok)
{
	const char *run = cs_json_str_or(ok, "run", ""), *state = cs_json_str_or(ok, "state", "");
	const char *old = cs_json_str_or(ok, "old", ""), *new = cs_json_str_or(ok, "new", "");
	size_t i;
	json_t *one;
	printf("%s %s\n", run, cs_cli_show(c, state));
	if (strcmp(old, new) != 0)
		printf(_("  definition: %.12s -> %.12s, version %s\n"), old, new, cs_cli_show(c, cs_json_str_or(ok, "version", "")));
	json_array_foreach(json_object_get(ok, "patch"), i, one)
		print_change(c, one);
	json_array_foreach(json_object_get(ok, "again"), i, one)
		printf(_("  begins again: %s; what it asked for is void\n"), cs_cli_show(c, json_string_value(one)));
	(void)fflush(stdout);
}

static int correct_one(cs_cli *c, const cs_cli_args *a, const json_t *request, const char *run, const char *batch)
{
	CS_AUTOJSON json_t *ok = NULL;
	CS_AUTOJSON json_t *mine = json_copy((json_t *)(uintptr_t)request);
	cs_err err = { 0 };
	json_object_set_new(mine, "run", json_string(run));
	if (batch)
		json_object_set_new(mine, "batch", json_string(batch));
	int r = cs_cli_arg(a, "--retry") && !cs_cli_arg(a, "--dry-run") ? cs_cli_may_retry(c, a, run, mine, &err) : CS_OK;
	if (r == CS_OK)
		r = cs_cli_call(c, CS_STEAL(mine), &ok, &err);
	if (r < 0)
		return cs_cli_fail(c, run, &err);
	if (c->json)
		cs_cli_print_json(ok);
	else
		print_one(c, ok);
	return CS_EXIT_DONE;
}

/* Does it go on by itself now? */
static bool goes_on(cs_cli *c, const cs_cli_args *a, const char *run)
{
	CS_AUTOJSON json_t *now = NULL;
	if (cs_cli_arg(a, "--dry-run") || c->interrupted || cs_view_run(c->reader, run, &now, NULL) != CS_OK)
		return false;
	return cs_cli_arg(a, "--retry") || strcmp(cs_json_str_or(now, "state", ""), "waiting") == 0;
}

int cs_cmd_correct(cs_cli *c, const cs_cli_args *a)
{
	CS_AUTOJSON json_t *runs = json_object();
	CS_AUTOJSON json_t *request = NULL;
	cs_err err = { 0 };
	const char *run;
	json_t *yes;
	int status = cs_cli_runs_of(c, a, runs);
	if (json_object_size(runs) == 0)
		return status;
	if (request_of(c, a, &request, &err) < 0 || cs_cli_client(c, &err) < 0)
		return cs_cli_fail(c, "correct", &err);
	status = cs_cli_each_run(c, a, runs, correct_one, request, status);
	print_next(c, a, runs);
	json_object_foreach(runs, run, yes) {        /* with an engine of our own it goes on only as long as we stay */
		int one = goes_on(c, a, run) ? cs_cli_drive_on(c, run) : CS_EXIT_DONE;
		status = status == CS_EXIT_DONE ? one : status;
	}
	return status;
}
