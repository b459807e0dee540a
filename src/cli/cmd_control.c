/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pause resume cancel retry rollback waive adopt; hold, release; live. */
#include <string.h>

#include "cli/cli_priv.h"

const cs_cli_flag cs_cli_flags_control[] = { { "--note", "TEXT", N_("why; kept in the log") }, { NULL, NULL, NULL } };
const cs_cli_flag cs_cli_flags_retry[] = {
	{ "--adopt", NULL, N_("take the flow as it is now first") },
	{ "--word", "repeat", N_("confirms that what has happened is sent once more") }, { "--note", "TEXT", N_("why; kept in the log") }, { NULL, NULL, NULL },
};
const cs_cli_flag cs_cli_flags_rollback[] = {
	{ "--task", "TASK", N_("take back the latest of this task alone") }, { "--note", "TEXT", N_("why; kept in the log") }, { NULL, NULL, NULL },
};
const cs_cli_flag cs_cli_flags_live[] = { { "--off", NULL, N_("not any more") }, { NULL, NULL, NULL } };
const cs_cli_flag cs_cli_flags_hold[] = { { "--note", "TEXT", N_("why; kept in the log") }, { NULL, NULL, NULL } };

/* ---- which runs ------------------------------------------------------------------------------- */

static int add_runs(cs_cli *c, const cs_cli_args *a, const char *word, json_t *runs, cs_err *err)
{
	static const char *const for_faults[] = { "retry", "adopt", "correct" };
	bool faults = false;
	CS_AUTOJSON json_t *row = NULL;
	char id[CS_ID_SIZE];
	size_t i;
	json_t *run;
	for (i = 0; i < CS_ARRAY_LEN(for_faults); i++)
		faults |= strcmp(a->command->name, for_faults[i]) == 0;
	int r = cs_cli_find_run(c, word, id, err);
	if (r == CS_OK)
		json_object_set_new(runs, id, json_true());
	if (r != CS_ENOTFOUND || !faults || cs_cli_find_item(c, word, id, NULL) < 0)
		return r;
	r = cs_view_cause_of(c->reader, id, &row, err);
	if (r < 0)
		return r;
	json_object_set_new(runs, cs_json_str_or(row, "run", ""), json_true());
	json_array_foreach(json_object_get(row, "runs"), i, run)
		json_object_set_new(runs, json_string_value(run), json_true());
	return CS_OK;
}

int cs_cli_runs_of(cs_cli *c, const cs_cli_args *a, json_t *runs)
{
	int status = CS_EXIT_DONE;
	for (size_t i = 0; i < a->n_words; i++) {
		cs_err err = { 0 };
		int one = add_runs(c, a, a->words[i], runs, &err) < 0 ? cs_cli_fail(c, a->words[i], &err) : CS_EXIT_DONE;
		status = status == CS_EXIT_DONE ? one : status;
	}
	return status;
}

int cs_cli_each_run(cs_cli *c, const cs_cli_args *a, json_t *runs, cs_cli_run_fn *one, const json_t *request, int status)
{
	char batch[CS_ID_SIZE];
	const char *run;
	void *next;
	json_t *yes;
	bool several = json_object_size(runs) > 1;
	if (several)
		cs_id_next(&c->ids, cs_clock_wall_ms(), batch);
	json_object_foreach_safe(runs, next, run, yes) {
		int came = one(c, a, request, run, several ? batch : NULL);
		status = status == CS_EXIT_DONE ? came : status;
		if (came != CS_EXIT_DONE)
			json_object_del(runs, run);
	}
	(void)fflush(stdout);
	return status;
}

/* ---- what is done to each --------------------------------------------------------------------- */

int cs_cli_may_retry(cs_cli *c, const cs_cli_args *a, const char *run, json_t *request, cs_err *err)
{
	CS_AUTOJSON json_t *now = NULL;
	const char *word = cs_cli_arg(a, "--word");
	int r = cs_view_run(c->reader, run, &now, err);
	if (r < 0)
		return r;
	const char *call = cs_json_str(now, "happened");
	if (call && (!word || strcmp(word, "repeat") != 0))
		return cs_err_set(err, CS_EREFUSED, _("%s was answered, so it has happened: look on the other side first, what became of it; a retry sends "
						      "it once more, confirm that with --word repeat. Nothing was changed"), call);
	if (strcmp(cs_json_str_or(now, "state", ""), "faulted") == 0)
		json_object_set(request, "seen", json_object_get(now, "last_seq"));
	return CS_OK;
}

static int send_verb(cs_cli *c, const cs_cli_args *a, const char *verb, const char *run, const char *batch, json_t *more, json_t **ret_ok,
		     cs_err *err)
{
	json_t *request = json_pack("{s:s, s:s, s:s}", "cmd", strcmp(verb, "adopt") == 0 ? "adopt" : "control", "run", run, "verb", verb);
	if (cs_cli_arg(a, "--note"))
		json_object_set_new(request, "why", json_string(cs_cli_arg(a, "--note")));
	if (cs_cli_arg(a, "--task"))
		json_object_set_new(request, "task", json_string(cs_cli_arg(a, "--task")));
	if (batch)
		json_object_set_new(request, "batch", json_string(batch));
	json_object_update(request, more);
	return cs_cli_call(c, request, ret_ok, err);
}

static int control_one(cs_cli *c, const cs_cli_args *a, const json_t *request, const char *run, const char *batch)
{
	(void)request;               /* the verb is all of it */
	CS_AUTOJSON json_t *ok = NULL;
	CS_AUTOJSON json_t *adopted = NULL;
	CS_AUTOJSON json_t *more = json_object();
	cs_err err = { 0 };
	int r = strcmp(a->command->name, "retry") == 0 ? cs_cli_may_retry(c, a, run, more, &err) : CS_OK;
	if (r == CS_OK && cs_cli_arg(a, "--adopt"))
		r = send_verb(c, a, "adopt", run, batch, more, &adopted, &err);
	if (json_object_get(adopted, "seen"))        /* that is the latest now */
		json_object_set(more, "seen", json_object_get(adopted, "seen"));
	if (r == CS_OK)
		r = send_verb(c, a, a->command->name, run, batch, more, &ok, &err);
	if (r < 0)
		return cs_cli_fail(c, run, &err);
	if (!c->json)
		printf("%s %s\n", run, cs_cli_show(c, cs_json_str_or(ok, "state", "")));
	return CS_EXIT_DONE;
}

/* With an engine of our own it goes on only as long as we stay. */
static int follow_one(cs_cli *c, const char *run)
{
	int status = c->interrupted ? CS_EXIT_DONE : cs_cli_drive_on(c, run);
	CS_AUTOJSON json_t *now = NULL;
	if (c->json && cs_view_run(c->reader, run, &now, NULL) == CS_OK)
		cs_cli_print_json(now);
	return status;
}

int cs_cmd_control(cs_cli *c, const cs_cli_args *a)
{
	CS_AUTOJSON json_t *runs = json_object();
	cs_err err = { 0 };
	const char *run;
	json_t *yes;
	int status = cs_cli_runs_of(c, a, runs);
	/* An id that is not there must not cost the start of an engine. */
	if (json_object_size(runs) == 0)
		return status;
	if (cs_cli_client(c, &err) < 0)
		return cs_cli_fail(c, a->words[0], &err);
	status = cs_cli_each_run(c, a, runs, control_one, NULL, status);
	json_object_foreach(runs, run, yes) {
		int one = follow_one(c, run);
		status = status == CS_EXIT_DONE ? one : status;
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

/* One line for all that waits for the operator, however much it is. */
static void say_inbox(cs_cli *c)
{
	CS_AUTOJSON json_t *status = NULL;
	if (cs_view_status(c->reader, &status, NULL) != CS_OK)
		return;
	int64_t n = cs_json_int_or(status, "inbox", 0);
	if (n > 0)
		fprintf(stderr, P_("%lld item waits for you: capstan inbox\n", "%lld items wait for you: capstan inbox\n", (unsigned long)n), (long long)n);
}

int cs_cli_drive_held(cs_cli *c)
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
	json_array_foreach(rows, i, row) {
		if (c->interrupted)
			break;
		r = cs_cli_drive(c, cs_json_str_or(row, "id", ""), CS_DRIVE_NEWS | CS_DRIVE_MANY, NULL, &err);
		if (r < 0 && r != CS_EAGAIN) {
			status = cs_cli_fail(c, cs_json_str_or(row, "id", ""), &err);
			break;
		}
	}
	say_inbox(c);
	return status;
}

int cs_cmd_release(cs_cli *c, const cs_cli_args *a)
{
	const char *not_live = cs_cli_not_live(c);
	int status = simple(c, a, hold_request(a, false), not_live ? _("released: what was held goes on") : _("released: effects may leave"));
	(void)fflush(stdout);
	if (status == CS_EXIT_DONE && not_live)
		fprintf(stderr, _("yet no real effect leaves; that waits for %s\n"), _(not_live));
	return status == CS_EXIT_DONE ? cs_cli_drive_held(c) : status;
}

int cs_cmd_live(cs_cli *c, const cs_cli_args *a)
{
	bool off = cs_cli_arg(a, "--off") != NULL;
	int status = simple(c, a, json_pack("{s:s, s:b}", "cmd", "live", "on", (int)!off),
		      off ? _("this machine is not the live one any more: no further effect leaves from here") :
			    _("this machine is the live one; with `mode: live` in capstan.yaml, effects leave from here"));
	if (status == CS_EXIT_DONE && !off && cs_cli_all_held(c))
		fprintf(stderr, _("everything is held: nothing leaves until `capstan release`\n"));
	return status;
}
