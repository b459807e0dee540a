/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serve and console: an engine that stays. */
#include <poll.h>
#include <string.h>

#include "base/child.h"
#include "cli/cli_priv.h"
#include "engine/lease.h"

/* An engine that failed by itself is seen at the latest after this. */
#define LOOK_MS 5000
/* How long an engine in the background may take to have the workspace, and how often that is looked at. */
#define HAND_OVER_MS 5000
#define LOOK_AGAIN_MS 20

const cs_cli_flag cs_cli_flags_console[] = {
	{ "--plain", NULL, N_("line by line, for screen readers and dumb terminals") },
	{ NULL, NULL, NULL },
};

typedef struct event_log {
	cs_cli *c;
	bool reloaded;               /* other files: other schedules may be armed */
} event_log;

/* Log lines are not translated: they are read by programs too. */
static int log_event(void *ctx, const cs_event *ev)
{
	event_log *log = ctx;
	cs_cli *c = log->c;
	char at[CS_TIME_SIZE];
	if (strncmp(ev->type, "run.", 4) != 0 && strncmp(ev->type, "engine.", 7) != 0 &&
	    strncmp(ev->type, "item.opened", 11) != 0 && strcmp(ev->type, "approval.published") != 0)
		return 0;
	CS_AUTOJSON json_t *says = cs_view_says(ev);
	log->reloaded |= strcmp(ev->type, "engine.reloaded") == 0;
	cs_time_format(ev->at, at);
	fprintf(stderr, "%s %s %s%s%s\n", at, ev->type, ev->run[0] ? ev->run : "-", ev->simulated ? " [SIMULATED] " : " ",
		cs_cli_show_json(c, says, 0));
	return 0;
}

static int log_schedules(cs_cli *c, cs_err *err)
{
	CS_AUTOJSON json_t *list = NULL;
	size_t i;
	json_t *one;
	int r = cs_cli_schedules(c, &list, err);
	json_array_foreach(list, i, one)
		fprintf(stderr, "armed %s %s\n", cs_json_str_or(one, "at", ""), cs_cli_show(c, cs_json_str_or(one, "schedule", "")));
	return r;
}

static void forget_shown(cs_cli *c)
{
	while (c->n_shown > 0)
		cs_freep(&c->shown[--c->n_shown]);
}

static int log_until_end(cs_cli *c, int64_t next, cs_err *err)
{
	for (;;) {
		int64_t last = cs_reader_last_seq(c->reader);
		event_log log = { .c = c };
		int r = last >= next ? cs_reader_events(c->reader, NULL, next, last, log_event, &log, err) : CS_OK;
		if (r == CS_OK && log.reloaded)
			r = log_schedules(c, err);
		forget_shown(c);
		next = last + 1;
		if (r == CS_OK)
			r = cs_cli_wait(c, LOOK_MS, err);
		if (r < 0)
			return r;
	}
}

int cs_cmd_serve(cs_cli *c, const cs_cli_args *a)
{
	(void)a;
	cs_err err = { 0 };
	c->watch = true;
	int r = cs_cli_reader(c, &err);
	int64_t next = c->reader ? cs_reader_last_seq(c->reader) + 1 : 1;
	pid_t holder = r == CS_OK ? cs_lease_holder(c->state_dir) : 0;
	if (holder)
		r = cs_lease_held(c->state_dir, holder, &err);
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r == CS_OK && !cs_client_is_engine(c->client))
		r = cs_lease_held(c->state_dir, cs_lease_holder(c->state_dir), &err);
	if (r == CS_OK)
		r = cs_cli_reader(c, &err);
	if (r == CS_OK)
		r = log_schedules(c, &err);
	if (r == CS_OK)
		r = log_until_end(c, next, &err);
	return r == CS_EAGAIN ? CS_EXIT_DONE : cs_cli_fail(c, "serve", &err);
}

/* What the engine says, not the file: `mode: live` is only a wish. */
static int ask_mode(cs_cli *c, const char **ret, cs_err *err)
{
	CS_AUTOJSON json_t *status = NULL;
	int r = cs_cli_call(c, json_pack("{s:s}", "cmd", "status"), &status, err);
	if (r == CS_OK)
		*ret = strcmp(cs_json_str_or(status, "mode", ""), "live") == 0 ? "live" : "simulate";
	return r;
}

static int reopen(void *ctx, cs_client **ret, cs_err *err)
{
	cs_cli *c = ctx;
	int r = cs_cli_reopen(c, err);
	if (r == CS_OK)
		*ret = c->client;
	return r;
}

/* The engine goes on without a screen: our own ends first, as one workspace has one holder. */
static int hand_over(cs_cli *c, cs_err *err)
{
	const char *const argv[] = { "capstan", "-C", c->dir, "serve", NULL };
	cs_client_close(CS_STEAL(c->client));
	pid_t pid = 0;
	int r = cs_child_detach(c->opts->engine->exe, argv, &pid, err);
	for (int i = 0; r == CS_OK && cs_lease_holder(c->state_dir) != pid; i++) {
		if (i == HAND_OVER_MS / LOOK_AGAIN_MS)
			return cs_err_set(err, CS_EUNAVAIL, _("the engine in the background did not take the workspace; `capstan serve` says why"));
		(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
	if (r == CS_OK)
		fprintf(stderr, _("capstan: process %ld goes on in the background; `capstan` shows it again, `kill %ld` ends it\n"),
			(long)pid, (long)pid);
	return r;
}

int cs_cmd_console(cs_cli *c, const cs_cli_args *a)
{
	cs_err err = { 0 };
	const char *mode = "simulate";
	bool background = false;
	c->watch = true;
	int r = c->opts->console ? cs_cli_dir(c, &err) : cs_err_set(&err, CS_EUNSUPPORTED, _("this program has no console"));
	if (r == CS_OK)
		(void)cs_cli_load(c, NULL);
	/* The console takes signals itself. */
	if (r == CS_OK)
		r = cs_cli_client_for_console(c, &err);
	if (r == CS_OK)
		r = ask_mode(c, &mode, &err);
	if (r == CS_OK) {
		const cs_cli_facts facts = { .dir = c->dir, .name = c->name ? c->name : c->dir, .mode = mode,
					     .actor = c->actor ? c->actor : "operator:owner", .plain = cs_cli_arg(a, "--plain") != NULL,
					     .reopen = reopen, .ctx = c, .hand_over = &background };
		r = c->opts->console(c->opts->ctx, &facts, c->client, &err);
	}
	if (r == CS_OK && background)
		r = hand_over(c, &err);
	return r < 0 ? cs_cli_fail(c, "console", &err) : CS_EXIT_DONE;
}
