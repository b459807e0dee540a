/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan run */
#include <string.h>

#include "base/file.h"
#include "cli/cli_priv.h"

const cs_cli_flag cs_cli_flags_run[] = {
	{ "--input", "JSON|@FILE|-", N_("the flow's input") },
	{ "--set", "PATH=VALUE", N_("a part of the input; JSON, else text") },
	{ "--key", "KEY", N_("the same key never starts a second run") },
	{ "--each", "FILE|-", N_("one run for each JSON line") },
	{ "--detach", NULL, N_("print the run's id and do not wait for it") },
	{ NULL, NULL, NULL },
};

/* Names for "did you mean". */
static const char *near_flow(cs_cli *c, const char *name)
{
	const char **names = cs_xcalloc(c->ws->n_flows + 1, sizeof *names);
	for (size_t i = 0; i < c->ws->n_flows; i++)
		names[i] = c->ws->flows[i]->name;
	const char *near = cs_suggest(name, names);
	cs_freep(&names);
	return near;
}

static int no_such_flow(cs_cli *c, const char *name, cs_err *err)
{
	if (c->diags.errors > 0) {
		cs_cli_print_diags(&c->diags, stderr);
		return cs_err_set(err, CS_ESYNTAX, _("no flow of that name was loaded, and some files have findings; mend them first"));
	}
	const char *near = near_flow(c, name);
	if (near)
		return cs_err_set(err, CS_ENOTFOUND, _("there is no such flow; did you mean %s?"), near);
	return cs_err_set(err, CS_ENOTFOUND, _("there is no such flow in %s/flows, and no such file"), c->dir);
}

/* The request's `flow` (a name of the workspace) or `definition` (a file). */
static int add_flow(cs_cli *c, const char *name, json_t *request, cs_err *err)
{
	int r = cs_cli_dir(c, err);
	if (r == CS_OK && (r = cs_cli_load(c, err)) < 0)
		cs_cli_print_diags(&c->diags, stderr);
	if (r < 0)
		return r;
	const cs_flow *flow = cs_workspace_flow(c->ws, name);
	if (flow) {
		json_object_set_new(request, "flow", json_sprintf("%s/%s:%s", flow->ns, flow->name, flow->version));
		return CS_OK;
	}
	if (!cs_file_exists(name))
		return no_such_flow(c, name, err);
	json_t *doc = NULL;
	r = cs_cli_flow_file(c, name, &doc, err);
	if (r == CS_OK)
		json_object_set_new(request, "definition", doc);
	return r;
}

static int start(cs_cli *c, const json_t *request, json_t *input, char ret_run[CS_ID_SIZE], cs_err *err)
{
	CS_AUTOJSON json_t *ok = NULL;
	json_t *copy = json_copy((json_t *)request);
	if (input)
		json_object_set(copy, "input", input);
	int r = cs_cli_call(c, copy, &ok, err);
	if (r < 0)
		return r;
	const char *run = cs_json_str(ok, "run");
	if (!run || strlen(run) != CS_ID_LEN)
		return cs_err_set(err, CS_EINTERNAL, "the engine gave no run");
	memcpy(ret_run, run, CS_ID_SIZE);
	return CS_OK;
}

/* What a run that rests leaves on stdout; what it waits for on stderr. */
static int print_end(cs_cli *c, const json_t *run)
{
	bool completed = strcmp(cs_json_str_or(run, "state", ""), "completed") == 0;
	if (c->json)
		cs_cli_print_json(run);
	else if (completed)
		cs_cli_print_json(json_object_get(run, "output"));
	else
		puts(cs_json_str_or(run, "run", ""));
	if (!completed) {
		(void)fflush(stdout);
		cs_cli_say_waiting(c, run);
	}
	return cs_cli_run_status(run);
}

/* Follows RUN to its rest; Ctrl-C leaves it where it is. */
static int follow(cs_cli *c, const char *run, unsigned how)
{
	CS_AUTOJSON json_t *end = NULL;
	cs_err err = { 0 };
	int r = cs_cli_drive(c, run, how, &end, &err);
	if (r == CS_EAGAIN) {
		fprintf(stderr, _("left; it goes on when an engine runs. Look with: capstan show %s\n"), run);
		puts(run);
		return CS_EXIT_DONE;
	}
	return r < 0 ? cs_cli_fail(c, run, &err) : print_end(c, end);
}

static int run_one(cs_cli *c, const cs_cli_args *a, const json_t *request, json_t *input)
{
	char run[CS_ID_SIZE];
	cs_err err = { 0 };
	int r = start(c, request, input, run, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	if (!cs_cli_arg(a, "--detach"))
		return follow(c, run, 0);
	puts(run);
	(void)fflush(stdout);
	if (!cs_client_is_engine(c->client))
		return CS_EXIT_DONE;
	/* There is nobody else to drive it. */
	r = cs_cli_drive(c, run, CS_DRIVE_QUIET, NULL, &err);
	return r < 0 && r != CS_EAGAIN ? cs_cli_fail(c, run, &err) : CS_EXIT_DONE;
}

/* ---- --each ---------------------------------------------------------------------------------- */

static int start_each(cs_cli *c, const char *lines, const json_t *request, json_t *started, cs_err *err)
{
	unsigned number = 1;
	for (const char *line = lines; *line; number++) {
		size_t len = strcspn(line, "\n");
		CS_AUTOJSON json_t *input = NULL;
		char run[CS_ID_SIZE];
		int r = len > 0 ? cs_json_parse(line, len, &input, err) : CS_OK;
		if (r < 0 && err)
			err->line = number;
		if (r == CS_OK && input)
			r = start(c, request, input, run, err);
		if (r < 0)
			return r;
		if (input)
			json_array_append_new(started, json_string(run));
		line += len + (line[len] == '\n');
	}
	return CS_OK;
}

static int run_each(cs_cli *c, const cs_cli_args *a, const json_t *request)
{
	CS_AUTOBUF cs_buf lines;
	CS_AUTOJSON json_t *started = json_array();
	const char *from = cs_cli_arg(a, "--each");
	cs_err err = { 0 };
	cs_buf_init(&lines, 16 * CS_CLI_INPUT);
	int r = strcmp(from, "-") == 0 ? cs_cli_stdin(&lines, &err) : cs_file_read(from, &lines, &err);
	if (r == CS_OK)
		r = start_each(c, cs_buf_str(&lines), request, started, &err);
	/* What was started before a bad line goes on all the same. */
	int status = r < 0 ? cs_cli_fail(c, from, &err) : CS_EXIT_DONE;
	size_t i;
	json_t *run;
	json_array_foreach(started, i, run) {
		if (cs_cli_arg(a, "--detach"))
			puts(json_string_value(run));
		int one = cs_cli_arg(a, "--detach") ? CS_EXIT_DONE : follow(c, json_string_value(run), CS_DRIVE_QUIET);
		if (c->interrupted)
			break;
		if (status == CS_EXIT_DONE)
			status = one;
	}
	return status;
}

int cs_cmd_run(cs_cli *c, const cs_cli_args *a)
{
	CS_AUTOJSON json_t *request = json_pack("{s:s}", "cmd", "run");
	CS_AUTOJSON json_t *input = NULL;
	CS_AUTOJSON json_t *sets = NULL;
	const char *key = cs_cli_arg(a, "--key"), *given = cs_cli_arg(a, "--input");
	cs_err err = { 0 };
	int r = cs_cli_sets(a, &sets, &err);
	if (r == CS_OK && given)
		r = cs_cli_input(given, &input, &err);
	if (r == CS_OK && cs_cli_arg(a, "--each") && (given || key))
		r = cs_err_set(&err, CS_EINVAL, _("--each has its inputs in its lines; leave out --input and --key"));
	if (r == CS_OK)
		r = add_flow(c, a->words[0], request, &err);
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	if (key)
		json_object_set_new(request, "key", json_string(key));
	if (json_array_size(sets) > 0)
		json_object_set(request, "set", sets);
	return cs_cli_arg(a, "--each") ? run_each(c, a, request) : run_one(c, a, request, input);
}
