/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "source.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

/* ---- reads ------------------------------------------------------------------------------------- */

static int read_inbox(void *ctx, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	return cs_view_inbox(s->reader, false, ret, err);
}

static int read_item(void *ctx, const char *id, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	return cs_view_item(s->reader, id, ret, err);
}

static int read_runs(void *ctx, const char *before_id, int limit, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	return cs_view_runs(s->reader, NULL, before_id, limit, ret, err);
}

static int read_run(void *ctx, const char *run, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	return cs_view_run(s->reader, run, ret, err);
}

static int read_trace(void *ctx, const char *run, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	return cs_view_trace(s->reader, run, ret, err);
}

static int read_events(void *ctx, const char *run, const char *ref, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	return cs_view_events(s->reader, run, ref, ret, err);
}

static int read_why(void *ctx, int64_t seq, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	return cs_view_why(s->reader, seq, ret, err);
}

static int read_diff(void *ctx, const char *a, const char *b, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	return cs_view_diff(s->reader, a, b, ret, err);
}

static int read_status(void *ctx, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	CS_AUTOJSON json_t *status = NULL;
	int r = cs_view_status(s->reader, &status, err);
	if (r < 0)
		return r;
	json_object_set_new(status, "workspace", json_string(s->facts->name ? s->facts->name : s->facts->dir));
	json_object_set_new(status, "mode", json_string(cs_json_true(status, "live") ? "live" : "simulate"));
	*ret = CS_STEAL(status);
	return CS_OK;
}

/* ---- commands ---------------------------------------------------------------------------------- */

/* The console's words are those of the keys; the engine knows three kinds of command behind them. */
static const struct { const char *word, *cmd; } words[] = {
	{ "approve", "decide" }, { "reject", "decide" }, { "respond", "decide" }, { "edit", "decide" }, { "undo", "decide" },
	{ "resolve", "decide" }, { "snooze", "decide" }, { "delegate", "decide" }, { "dismiss", "decide" },
	{ "retry", "control" }, { "pause", "control" }, { "resume", "control" }, { "cancel", "control" },
	{ "replay", "replay" },
};

static json_t *request_of(const json_t *command)
{
	const char *word = cs_json_str_or(command, "cmd", ""), *cmd = NULL;
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0)
			cmd = words[i].cmd;
	if (!cmd)
		return NULL;
	json_t *request = json_copy((json_t *)command);
	if (strcmp(cmd, "decide") == 0) {
		const char *id = cs_json_str_or(command, "id", "");
		json_object_set_new(request, "verb", json_string(word));
		json_object_del(request, "cmd");
		json_object_del(request, "id");
		request = json_pack("{s:s, s:s, s:o}", "cmd", "decide", "item", id, "decision", request);
	} else {
		json_object_set_new(request, "verb", json_string(word));
		json_object_set_new(request, "cmd", json_string(cmd));
	}
	return request;
}

static int send_command(void *ctx, json_t *command, unsigned *ret_tag, cs_err *err)
{
	cs_live_source *s = ctx;
	json_t *request = request_of(command);
	if (!request)
		return cs_err_set(err, CS_EUNSUPPORTED, "%s is not in this version", cs_json_str_or(command, "cmd", "this"));
	json_object_set_new(request, "actor", json_string(s->facts->actor ? s->facts->actor : "operator:owner"));
	return cs_client_send(s->client, request, ret_tag, err);
}

/* The descriptor that the console watches stays the same, whichever engine is behind it. */
static int watch_client(cs_live_source *s, cs_err *err)
{
	struct epoll_event e = { .events = EPOLLIN };
	if (epoll_ctl(s->source.fd, EPOLL_CTL_ADD, cs_client_fd(s->client), &e) < 0)
		return cs_err_sys(err, errno, "watching the engine");
	return CS_OK;
}

static int find_another(cs_live_source *s, json_t **ret, cs_err *err)
{
	(void)epoll_ctl(s->source.fd, EPOLL_CTL_DEL, cs_client_fd(s->client), NULL);
	s->held = true;
	int r = s->facts->again(s->facts->session, &s->client, err);
	if (r < 0)
		return r;
	s->held = false;
	r = watch_client(s, err);
	if (r == CS_OK)
		*ret = json_pack("{s:{s:I}}", "feed", "seq", (json_int_t)cs_reader_last_seq(s->reader));
	return r;
}

static int poll_message(void *ctx, json_t **ret, cs_err *err)
{
	cs_live_source *s = ctx;
	CS_AUTOJSON json_t *m = NULL;
	if (s->held)
		return cs_err_set(err, CS_EUNAVAIL, "no engine is to be had; leave the console and start it again");
	int r = cs_client_next(s->client, 0, &m, err);
	if (r == CS_EUNAVAIL || (r == CS_OK && json_object_get(m, "gone")))
		return find_another(s, ret, err);
	if (r == CS_OK)
		*ret = CS_STEAL(m);
	return r;
}

/* ---- life -------------------------------------------------------------------------------------- */

int cs_live_source_init(cs_live_source *s, const cs_cli_facts *facts, cs_client *client, cs_err *err)
{
	CS_AUTOFREE char *state_dir = cs_path_join(facts->dir, CS_STATE_DIR);
	memset(s, 0, sizeof *s);
	s->facts = facts;
	s->client = client;
	s->source = (cs_source){
		.ctx = s, .inbox = read_inbox, .item = read_item, .runs = read_runs, .run = read_run, .trace = read_trace,
		.events = read_events, .why = read_why, .diff = read_diff, .status = read_status, .send = send_command,
		.poll = poll_message,
	};
	s->source.fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->source.fd < 0)
		return cs_err_sys(err, errno, "watching the engine");
	int r = cs_reader_open(state_dir, &s->reader, err);
	if (r == CS_OK)
		r = watch_client(s, err);
	if (r < 0)
		cs_live_source_fini(s);
	return r;
}

void cs_live_source_fini(cs_live_source *s)
{
	cs_reader_close(s->reader);
	if (s->source.fd >= 0)
		close(s->source.fd);
	s->reader = NULL;
	s->source.fd = -1;
}
