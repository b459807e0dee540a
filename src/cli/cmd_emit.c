/* SPDX-License-Identifier: GPL-3.0-or-later */
/* emit: an event of the operator's, to every run that listens. */
#include <string.h>

#include "cli/cli_priv.h"

const cs_cli_flag cs_cli_flags_emit[] = {
	{ "--data", "JSON|@FILE|-", N_("what the event carries") },
	{ "--source", "S", N_("where it comes from (default: /WORKSPACE/operator)") },
	{ "--id", "ID", N_("tells it from the others of its source (default: a new one)") },
	{ "--subject", "S", N_("what it is about") },
	{ "--tainted", NULL, N_("its data was written by people who are not trusted") },
	{ NULL, NULL, NULL },
};

static int event_of(const cs_cli_args *a, json_t **ret, cs_err *err)
{
	static const char *const texts[][2] = { { "--source", "source" }, { "--id", "id" }, { "--subject", "subject" } };
	CS_AUTOJSON json_t *event = json_pack("{s:s}", "type", a->words[0]);
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++)
		if (cs_cli_arg(a, texts[i][0]))
			json_object_set_new(event, texts[i][1], json_string(cs_cli_arg(a, texts[i][0])));
	json_t *data = NULL;
	int r = cs_cli_arg(a, "--data") ? cs_cli_input(cs_cli_arg(a, "--data"), &data, err) : CS_OK;
	if (r < 0)
		return r;
	if (data)
		json_object_set_new(event, "data", data);
	*ret = CS_STEAL(event);
	return CS_OK;
}

/* An engine of our own takes those who heard it as far as they go by themselves. */
static int drive(cs_cli *c, const json_t *runs)
{
	int status = CS_EXIT_DONE;
	size_t i;
	json_t *run;
	json_array_foreach(runs, i, run)
		if (status == CS_EXIT_DONE && !c->interrupted)
			status = cs_cli_drive_on(c, json_string_value(run));
	return status;
}

int cs_cmd_emit(cs_cli *c, const cs_cli_args *a)
{
	CS_AUTOJSON json_t *event = NULL;
	CS_AUTOJSON json_t *ok = NULL;
	cs_err err = { 0 };
	int r = event_of(a, &event, &err);
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r == CS_OK)
		r = cs_cli_call(c, json_pack("{s:s, s:O, s:b}", "cmd", "emit", "event", event, "tainted", (int)(cs_cli_arg(a, "--tainted") != NULL)),
				&ok, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	if (c->json)
		cs_cli_print_json(ok);
	else
		puts(cs_cli_show(c, cs_json_str_or(ok, "id", "")));
	(void)fflush(stdout);
	if (cs_json_true(ok, "existing"))
		fprintf(stderr, _("this event is in the log already; nothing was delivered again\n"));
	int status = drive(c, json_object_get(ok, "runs"));
	return status == CS_EXIT_DONE ? drive(c, json_object_get(ok, "started")) : status;
}
