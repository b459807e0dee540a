/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pause resume cancel retry rollback waive adopt; hold, release; live. */
#include <string.h>

#include "cli/cli_priv.h"

const cs_cli_flag cs_cli_flags_control[] = { { "--note", "TEXT", N_("why; kept in the log") }, { NULL, NULL, NULL } };
const cs_cli_flag cs_cli_flags_rollback[] = {
	{ "--task", "TASK", N_("take back the latest of this task alone") }, { "--note", "TEXT", N_("why; kept in the log") }, { NULL, NULL, NULL },
};
const cs_cli_flag cs_cli_flags_hold[] = { { "--note", "TEXT", N_("why; kept in the log") }, { NULL, NULL, NULL } };

static int control_one(cs_cli *c, const cs_cli_args *a, const char *part)
{
	char run[CS_ID_SIZE];
	CS_AUTOJSON json_t *ok = NULL;
	cs_err err = { 0 };
	int r = cs_cli_find_run(c, part, run, &err);
	if (r < 0)
		return cs_cli_fail(c, part, &err);
	bool adopts = strcmp(a->command->name, "adopt") == 0;
	json_t *request = json_pack("{s:s, s:s, s:s}", "cmd", adopts ? "adopt" : "control", "run", run, "verb", a->command->name);
	if (cs_cli_arg(a, "--note"))
		json_object_set_new(request, "why", json_string(cs_cli_arg(a, "--note")));
	if (cs_cli_arg(a, "--task"))
		json_object_set_new(request, "task", json_string(cs_cli_arg(a, "--task")));
	r = cs_cli_call(c, request, &ok, &err);
	if (r < 0)
		return cs_cli_fail(c, part, &err);
	if (!c->json)
		printf("%s %s\n", run, cs_cli_show(c, cs_json_str_or(ok, "state", "")));
	(void)fflush(stdout);
	int status = c->interrupted ? CS_EXIT_DONE : cs_cli_drive_on(c, run);
	CS_AUTOJSON json_t *now = NULL;
	if (c->json && cs_view_run(c->reader, run, &now, NULL) == CS_OK)
		cs_cli_print_json(now);
	return status;
}

int cs_cmd_control(cs_cli *c, const cs_cli_args *a)
{
	char run[CS_ID_SIZE];
	cs_err err = { 0 };
	int r = a->n_words == 1 ? cs_cli_find_run(c, a->words[0], run, &err) : CS_OK;
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	int status = CS_EXIT_DONE;
	for (size_t i = 0; i < a->n_words; i++) {
		int one = control_one(c, a, a->words[i]);
		if (status == CS_EXIT_DONE)
			status = one;
	}
	return status;
}

/* Runs that were held back, or wait for a clock, go on once an engine is there. */
static int simple(cs_cli *c, const cs_cli_args *a, json_t *request, const char *said)
{
	CS_AUTOJSON json_t *ok = NULL;
	CS_AUTOJSON json_t *mine = request;
	cs_err err = { 0 };
	int r = cs_cli_client(c, &err);
	if (r == CS_OK)
		r = cs_cli_call(c, CS_STEAL(mine), &ok, &err);
	if (r < 0)
		return cs_cli_fail(c, a->command->name, &err);
	if (c->json)
		cs_cli_print_json(ok);
	else
		puts(said);
	return CS_EXIT_DONE;
}

static json_t *hold_request(const cs_cli_args *a, bool on)
{
	json_t *request = json_pack("{s:s, s:b}", "cmd", "hold", "on", (int)on);
	if (cs_cli_arg(a, "--note"))
		json_object_set_new(request, "why", json_string(cs_cli_arg(a, "--note")));
	return request;
}

int cs_cmd_hold(cs_cli *c, const cs_cli_args *a)
{
	return simple(c, a, hold_request(a, true), _("held: nothing leaves until `capstan release`"));
}

/* What was held goes out now: an engine of our own sends it before it lets go. */
static int drive_held(cs_cli *c)
{
	CS_AUTOJSON json_t *rows = NULL;
	cs_err err = { 0 };
	if (!c->client || !cs_client_is_engine(c->client))
		return CS_EXIT_DONE;
	int r = cs_cli_query(c, "SELECT id FROM run WHERE ended IS NULL ORDER BY id", NULL, &rows, &err);
	if (r < 0)
		return cs_cli_fail(c, "release", &err);
	int status = CS_EXIT_DONE;
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
		if (status == CS_EXIT_DONE && !c->interrupted)
			status = cs_cli_drive_on(c, cs_json_str_or(row, "id", ""));
	return status;
}

int cs_cmd_release(cs_cli *c, const cs_cli_args *a)
{
	int status = simple(c, a, hold_request(a, false), _("released: effects may leave"));
	(void)fflush(stdout);
	return status == CS_EXIT_DONE ? drive_held(c) : status;
}

int cs_cmd_live(cs_cli *c, const cs_cli_args *a)
{
	return simple(c, a, json_pack("{s:s}", "cmd", "live"), _("this machine is the live one; with `mode: live` in capstan.yaml, effects leave from here"));
}
