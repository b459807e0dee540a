/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/live.h"
#include "view/view.h"

typedef struct cs_live_source {
	cs_client *client;
	cs_reader *reader;
	char *workspace, *mode, *actor;
	json_t *local;               /* answers made here: messages that poll gives first */
	unsigned local_tag;
} cs_live_source;

/* ---- reading ------------------------------------------------------------------------------------------ */

static int read_inbox(void *ctx, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	CS_AUTOJSON json_t *all = NULL;
	int rc = cs_view_inbox(l->reader, false, &all, err);
	if (rc != CS_OK)
		return rc;
	*ret = json_array();
	size_t i;
	json_t *item;
	json_array_foreach(all, i, item) {
		int64_t until = 0;
		const char *snoozed = cs_json_str(item, "snoozed_until");
		if (snoozed == NULL || cs_time_parse(snoozed, &until, NULL) != CS_OK || until <= cs_clock_wall_ms())
			json_array_append(*ret, item);
	}
	return CS_OK;
}

static void add_field(json_t *fields, const char *label, json_t *value)
{
	if (value != NULL && !json_is_null(value))
		json_array_append_new(fields, json_pack("{s:s, s:O}", "label", label, "value", value));
}

/* The fields in the order in which a person asks: what, to whom, what exactly. */
static void add_fields(json_t *item)
{
	static const struct {
		const char *label, *key;
	} of_card[] = { { "Sends", "to" }, { "Summary", "summary" }, { "Reaches", "reach" }, { "Effect", "effect" } };
	json_t *card = json_object_get(item, "card");
	if (card == NULL || json_object_get(card, "fields") != NULL)
		return;
	json_t *fields = json_array();
	for (size_t i = 0; i < CS_ARRAY_LEN(of_card); i++)
		add_field(fields, of_card[i].label, json_object_get(card, of_card[i].key));
	add_field(fields, "Text", json_object_get(item, "body"));
	add_field(fields, "To do", json_object_get(item, "action"));
	add_field(fields, "Runbook", json_object_get(item, "runbook"));
	json_object_set_new(card, "fields", fields);
}

static int read_item(void *ctx, const char *id, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	json_t *item = NULL;
	int rc = cs_view_item(l->reader, id, &item, err);
	if (rc != CS_OK)
		return rc;
	add_fields(item);
	*ret = item;
	return CS_OK;
}

static int read_runs(void *ctx, const char *before, int limit, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	return cs_view_runs(l->reader, NULL, before, limit, ret, err);
}

static int read_run(void *ctx, const char *run, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	return cs_view_run(l->reader, run, ret, err);
}

static int read_trace(void *ctx, const char *run, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	return cs_view_trace(l->reader, run, ret, err);
}

static int read_events(void *ctx, const char *run, const char *ref, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	return cs_view_events(l->reader, run, ref, ret, err);
}

static int read_why(void *ctx, int64_t seq, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	return cs_view_why(l->reader, seq, ret, err);
}

static int read_diff(void *ctx, const char *a, const char *b, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	return cs_view_diff(l->reader, a, b, ret, err);
}

static int read_status(void *ctx, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	json_t *status = NULL;
	int rc = cs_view_status(l->reader, &status, err);
	if (rc != CS_OK)
		return rc;
	json_object_set_new(status, "workspace", json_string(l->workspace));
	json_object_set_new(status, "mode", json_string(l->mode));
	/* On the screen what waits is what waits for a person. */
	json_object_set(status, "waiting", json_object_get(status, "inbox"));
	*ret = status;
	return CS_OK;
}

/* ---- doing --------------------------------------------------------------------------------------------- */

/* A decision on an item, in the engine's words. */
static json_t *as_decision(const json_t *command, const char *verb)
{
	static const char *const carried[] = { "digest", "note", "value", "until", "to", "how", "word", "batch" };
	json_t *decision = json_pack("{s:s}", "verb", verb);
	for (size_t i = 0; i < CS_ARRAY_LEN(carried); i++) {
		json_t *v = json_object_get(command, carried[i]);
		if (v != NULL && !json_is_null(v))
			json_object_set(decision, carried[i], v);
	}
	return json_pack("{s:s, s:O, s:o}", "cmd", "decide", "item", json_object_get(command, "id"), "decision", decision);
}

static json_t *as_control(const json_t *command, const char *verb)
{
	return json_pack("{s:s, s:O, s:s}", "cmd", "control", "run", json_object_get(command, "run"), "verb", verb);
}

static json_t *as_it_is(const json_t *command, const char *verb)
{
	(void)verb;
	return json_copy((json_t *)(uintptr_t)command);
}

static const struct {
	const char *cmd;
	json_t *(*make)(const json_t *command, const char *verb);
} requests[] = {
	{ "approve", as_decision }, { "reject", as_decision },  { "respond", as_decision }, { "edit", as_decision },
	{ "undo", as_decision },    { "snooze", as_decision },  { "delegate", as_decision }, { "resolve", as_decision },
	{ "dismiss", as_decision }, { "pause", as_control },    { "resume", as_control },   { "cancel", as_control },
	{ "retry", as_control },    { "replay", as_it_is },     { "hold", as_it_is },       { "run", as_it_is },
};

/* What each call of the run would be in a replay, at the most: whatever comes before the fork, and
 * everything where nothing is changed, is reused; after it what sends or reads is captured. */
static const char *planned(const json_t *row, bool changed)
{
	if (!changed)
		return "reuse";
	return strncmp(cs_json_str_or(row, "class", "unsafe"), "pure", 4) == 0 ? "run" : "capture";
}

static int plan(cs_live_source *l, const json_t *command, unsigned *ret_tag, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_view_trace(l->reader, cs_json_str_or(command, "run", ""), &rows, err);
	if (rc != CS_OK)
		return rc;
	const char *from = cs_json_str(command, "from");
	bool sets = json_array_size(json_object_get(command, "set")) > 0;
	bool reached = from == NULL;
	json_t *list = json_array();
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		const char *ref = cs_json_str_or(row, "ref", "");
		reached = reached || strcmp(ref, from) == 0;
		if (cs_json_str(row, "call") == NULL)
			continue;
		json_array_append_new(list, json_pack("{s:O, s:s, s:s}", "name", json_object_get(row, "name"), "ref", ref,
						      "what", planned(row, reached && sets)));
	}
	*ret_tag = --l->local_tag;
	json_array_append_new(l->local, json_pack("{s:I, s:{s:o}}", "tag", (json_int_t)*ret_tag, "ok", "plan", list));
	return CS_OK;
}

static int send_command(void *ctx, json_t *command, unsigned *ret_tag, cs_err *err)
{
	cs_live_source *l = ctx;
	const char *cmd = cs_json_str_or(command, "cmd", "");
	if (strcmp(cmd, "replay-plan") == 0)
		return plan(l, command, ret_tag, err);
	for (size_t i = 0; i < CS_ARRAY_LEN(requests); i++) {
		if (strcmp(requests[i].cmd, cmd) != 0)
			continue;
		json_t *request = requests[i].make(command, cmd);
		json_object_set_new(request, "actor", json_string(l->actor));
		return cs_client_send(l->client, request, ret_tag, err);
	}
	return cs_err_set(err, CS_EINVAL, "the console cannot ask for %s", cmd);
}

static int next_message(void *ctx, json_t **ret, cs_err *err)
{
	cs_live_source *l = ctx;
	json_t *first = json_array_get(l->local, 0);
	if (first == NULL)
		return cs_client_next(l->client, 0, ret, err);
	*ret = json_incref(first);
	json_array_remove(l->local, 0);
	return CS_OK;
}

/* ---- life ----------------------------------------------------------------------------------------------- */

int cs_live_open(const cs_live_opts *o, cs_client *client, cs_source *ret, cs_err *err)
{
	CS_AUTOFREE char *state = cs_path_join(o->dir, CS_STATE_DIR);
	cs_reader *reader = NULL;
	int rc = cs_reader_open(state, &reader, err);
	if (rc != CS_OK)
		return rc;
	cs_live_source *l = cs_xcalloc(1, sizeof *l);
	l->client = client;
	l->reader = reader;
	l->workspace = cs_xstrdup(o->workspace);
	l->mode = cs_xstrdup(o->mode);
	l->actor = cs_xstrdup(o->actor);
	l->local = json_array();
	*ret = (cs_source){
		.ctx = l, .inbox = read_inbox, .item = read_item, .runs = read_runs, .run = read_run, .trace = read_trace,
		.events = read_events, .why = read_why, .diff = read_diff, .status = read_status, .send = send_command,
		.fd = cs_client_fd(client), .poll = next_message,
	};
	return CS_OK;
}

void cs_live_close(cs_source *s)
{
	cs_live_source *l = s->ctx;
	if (l == NULL)
		return;
	cs_reader_close(l->reader);
	json_decref(l->local);
	free(l->workspace);
	free(l->mode);
	free(l->actor);
	free(l);
	s->ctx = NULL;
}
