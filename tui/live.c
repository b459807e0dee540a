/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/live.h"
#include "tui/show.h"
#include "view/view.h"

#define RUNBOOK_MAX ((size_t)1 << 20)

typedef struct cs_live_source {
	cs_source *face;             /* where it was put; its descriptor changes with the client */
	cs_client *client;           /* NULL: its engine is gone */
	int (*reopen)(void *ctx, cs_client **ret, cs_err *err);
	void *ctx;
	cs_reader *reader;
	char *dir, *workspace, *mode, *actor;
	int live;                    /* what the log said of it when the engine was asked; -1: never asked */
	unsigned mode_tag;           /* of that question */
	json_t *local;               /* answers made here: messages that poll gives first */
	unsigned local_tag;
} cs_live_source;

/* ---- reading ------------------------------------------------------------------------------------------ */

static int read_inbox(void *ctx, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	return cs_view_inbox(l->reader, false, ret, err);
}

static int read_item(void *ctx, const char *id, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	json_t *item = NULL;
	int rc = cs_view_item(l->reader, id, &item, err);
	if (rc != CS_OK)
		return rc;
	cs_live_card(item);
	*ret = item;
	return CS_OK;
}

static int read_runs(void *ctx, const char *before, int limit, json_t **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	static const cs_view_filter bare = { .bare = true };
	return cs_view_runs(l->reader, &bare, before, limit, ret, err);
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

static json_int_t not_ended(const json_t *runs)
{
	static const char *const ended[] = { "completed", "faulted", "compensated", "cancelled", NULL };
	const char *state;
	json_t *n;
	json_int_t sum = 0;
	json_object_foreach((json_t *)(uintptr_t)runs, state, n)
		if (!cs_show_is(state, ended))
			sum += json_integer_value(n);
	return sum;
}

/* The log says whether `live` was said; whether it counts here is the engine's to say. */
static void note_mode(cs_live_source *l, const json_t *status)
{
	int live = cs_json_true(status, "live");
	if (l->client == NULL || l->live == live)
		return;
	if (cs_client_send(l->client, json_pack("{s:s}", "cmd", "status"), &l->mode_tag, NULL) == CS_OK)
		l->live = live;
}

static int read_status(void *ctx, json_t **ret, cs_err *err)
{
	cs_live_source *l = ctx;
	CS_AUTOJSON json_t *status = NULL;
	int64_t joined = 0;
	int rc = cs_view_status(l->reader, &status, err);
	if (rc == CS_OK)
		rc = cs_view_joined(l->reader, &joined, err);
	if (rc != CS_OK)
		return rc;
	json_object_set_new(status, "workspace", json_string(l->workspace));
	json_object_set_new(status, "mode", json_string(l->mode));
	json_object_set_new(status, "engine", json_string(l->client == NULL ? "gone" : cs_client_is_engine(l->client) ? "inside" : "attached"));
	json_object_set_new(status, "going", json_integer(not_ended(json_object_get(status, "runs"))));
	/* On the screen what waits is what waits for a person, now: a decision each. */
	json_object_set_new(status, "waiting", json_integer(cs_json_int_or(status, "inbox", 0) - cs_json_int_or(status, "snoozed", 0) - joined));
	note_mode(l, status);
	*ret = CS_STEAL(status);
	return CS_OK;
}

/* A name is one file of the folder, whatever the flow says. */
static int read_runbook(void *ctx, const char *name, char **ret, cs_err *err)
{
	const cs_live_source *l = ctx;
	CS_AUTOFREE char *folder = cs_path_join(l->dir, "runbooks");
	CS_AUTOFREE char *path = cs_path_join(folder, name);
	CS_AUTOBUF cs_buf text = { 0 };
	if (strchr(name, '/') != NULL || name[0] == '.')
		return cs_err_set(err, CS_EINVAL, "%.80s is not the name of a runbook: `capstan check` says which there are", name);
	cs_buf_init(&text, RUNBOOK_MAX);
	int rc = cs_file_read(path, &text, err);
	if (rc == CS_OK)
		*ret = cs_buf_steal(&text);
	return rc;
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
	json_t *request = json_pack("{s:s, s:O, s:s}", "cmd", "control", "run", json_object_get(command, "run"), "verb", verb);
	json_t *seen = json_object_get(command, "seen");
	if (seen != NULL)
		json_object_set(request, "seen", seen);
	return request;
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
	{ "correct", as_it_is },
};

/* What each call of the run would be in a replay, as far as it can be said before: what comes before
 * the fork, and everything where nothing is changed, is reused; after it that depends on its input. */
static const char *planned(const json_t *row, bool changed)
{
	const char *call = cs_json_str_or(row, "call", "");
	if (strcmp(call, "approve") == 0 || strcmp(call, "ask") == 0)
		return "decision";
	return changed ? "depends" : "reuse";
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
	if (l->client == NULL)
		return cs_err_set(err, CS_EUNAVAIL, "the engine is gone, so this screen only reads: E attaches again, or starts one here");
	for (size_t i = 0; i < CS_ARRAY_LEN(requests); i++) {
		if (strcmp(requests[i].cmd, cmd) != 0)
			continue;
		json_t *request = requests[i].make(command, cmd);
		json_object_set_new(request, "actor", json_string(l->actor));
		return cs_client_send(l->client, request, ret_tag, err);
	}
	return cs_err_set(err, CS_EINVAL, "the console cannot ask for %s", cmd);
}

/* The engine behind the client is gone: what can be read is still read. */
static int lose(cs_live_source *l, const char *why, json_t **ret)
{
	*ret = json_pack("{s:s}", "gone", why);
	l->client = NULL;
	l->face->fd = -1;
	return CS_OK;
}

/* The engine's answer about its mode: the screen is to be read again. */
static int take_mode(cs_live_source *l, const json_t *message, json_t **ret)
{
	const char *mode = cs_json_str(json_object_get(message, "ok"), "mode");
	l->mode_tag = 0;
	if (mode != NULL) {
		free(l->mode);
		l->mode = cs_xstrdup(strcmp(mode, "live") == 0 ? "live" : "simulate");
	}
	*ret = json_pack("{s:{}}", "feed");
	return CS_OK;
}

static int next_message(void *ctx, json_t **ret, cs_err *err)
{
	cs_live_source *l = ctx;
	json_t *first = json_array_get(l->local, 0);
	if (first != NULL) {
		*ret = json_incref(first);
		json_array_remove(l->local, 0);
		return CS_OK;
	}
	if (l->client == NULL)
		return CS_EAGAIN;
	CS_AUTOJSON json_t *message = NULL;
	int rc = cs_client_next(l->client, 0, &message, err);
	if (rc == CS_OK && l->mode_tag != 0 && cs_json_int_or(message, "tag", 0) == (json_int_t)l->mode_tag)
		return take_mode(l, message, ret);
	if (rc == CS_OK && cs_json_str(message, "gone") != NULL)
		return lose(l, cs_json_str(message, "gone"), ret);
	if (rc < 0 && rc != CS_EAGAIN)
		return lose(l, err != NULL ? err->msg : "", ret);
	if (rc == CS_OK)
		*ret = CS_STEAL(message);
	return rc;
}

static int reattach(void *ctx, cs_err *err)
{
	cs_live_source *l = ctx;
	cs_client *client = NULL;
	if (l->client != NULL)
		return CS_OK;
	if (l->reopen == NULL)
		return cs_err_set(err, CS_EUNSUPPORTED, "this console cannot attach again: leave it and start it anew");
	int rc = l->reopen(l->ctx, &client, err);
	if (rc != CS_OK)
		return rc;
	l->client = client;
	l->live = -1;
	l->face->fd = cs_client_fd(client);
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
	l->face = ret;
	l->client = client;
	l->reopen = o->reopen;
	l->ctx = o->ctx;
	l->reader = reader;
	l->dir = cs_xstrdup(o->dir);
	l->workspace = cs_xstrdup(o->workspace);
	l->mode = cs_xstrdup(o->mode);
	l->actor = cs_xstrdup(o->actor);
	l->local = json_array();
	l->live = -1;
	*ret = (cs_source){
		.ctx = l, .inbox = read_inbox, .item = read_item, .runs = read_runs, .run = read_run, .trace = read_trace,
		.events = read_events, .why = read_why, .diff = read_diff, .status = read_status,
		.runbook = read_runbook, .reattach = reattach, .send = send_command,
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
	free(l->dir);
	free(l->workspace);
	free(l->mode);
	free(l->actor);
	free(l);
	s->ctx = NULL;
}
