/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "fake_source.h"

struct fake_source {
	cs_source face;
	json_t *model;
	json_t *replies;       /* messages that wait for poll() */
	int control, own[2], both;   /* own: a pair that wakes the console for a reply; both: an epoll of the two */
	unsigned tag;
	int64_t seq;
	cs_buf in;
};

static int copy_of(json_t *v, json_t **ret, cs_err *err, const char *what)
{
	if (!v)
		return cs_err_set(err, CS_ENOTFOUND, "%s is not there: press g to read again", what);
	*ret = json_deep_copy(v);
	return CS_OK;
}

static json_t *part(fake_source *f, const char *key)
{
	return json_object_get(f->model, key);
}

static bool is_open(const json_t *item)
{
	const char *state = cs_json_str_or(item, "state", "");

	return strcmp(state, "pending") == 0 || strcmp(state, "in-doubt") == 0 || strcmp(state, "faulted") == 0;
}

static int by_created(const void *a, const void *b)
{
	return strcmp(cs_json_str_or(*(json_t *const *)b, "created", ""), cs_json_str_or(*(json_t *const *)a, "created", ""));
}

static int fake_inbox(void *ctx, json_t **ret, cs_err *err)
{
	fake_source *f = ctx;
	json_t *items = part(f, "items"), *list[256], *item, *out = json_array();
	const char *id;
	size_t n = 0;

	(void)err;
	json_object_foreach(items, id, item)
		if (is_open(item) && n < CS_ARRAY_LEN(list))
			list[n++] = item;
	qsort(list, n, sizeof(list[0]), by_created);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(out, json_deep_copy(list[i]));
	*ret = out;
	return CS_OK;
}

static int fake_item(void *ctx, const char *id, json_t **ret, cs_err *err)
{
	return copy_of(json_object_get(part(ctx, "items"), id), ret, err, "item");
}

static int fake_runs(void *ctx, const char *before, int limit, json_t **ret, cs_err *err)
{
	json_t *out = json_array(), *run;
	bool on = before == NULL;
	size_t i;

	(void)err;
	json_array_foreach(part(ctx, "runs"), i, run) {
		if (on && (int)json_array_size(out) < limit)
			(void)json_array_append_new(out, json_deep_copy(run));
		if (!on && strcmp(cs_json_str_or(run, "run", ""), before) == 0)
			on = true;
	}
	*ret = out;
	return CS_OK;
}

static json_t *find_run(fake_source *f, const char *id)
{
	size_t i;
	json_t *run;

	json_array_foreach(part(f, "runs"), i, run)
		if (strcmp(cs_json_str_or(run, "run", ""), id) == 0)
			return run;
	return NULL;
}

static int fake_run(void *ctx, const char *id, json_t **ret, cs_err *err)
{
	return copy_of(find_run(ctx, id), ret, err, "run");
}

static int fake_trace(void *ctx, const char *run, json_t **ret, cs_err *err)
{
	json_t *rows = json_object_get(part(ctx, "traces"), run);

	return copy_of(rows ? rows : json_object_get(part(ctx, "traces"), "*"), ret, err, "trace");
}

static int fake_events(void *ctx, const char *run, const char *ref, json_t **ret, cs_err *err)
{
	(void)run;
	(void)ref;
	return copy_of(part(ctx, "events"), ret, err, "events");
}

static int fake_why(void *ctx, int64_t seq, json_t **ret, cs_err *err)
{
	(void)seq;
	return copy_of(part(ctx, "why"), ret, err, "why");
}

static int fake_diff(void *ctx, const char *a, const char *b, json_t **ret, cs_err *err)
{
	(void)a;
	(void)b;
	return copy_of(part(ctx, "diff"), ret, err, "diff");
}

static int fake_status(void *ctx, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *open = NULL;

	(void)fake_inbox(ctx, &open, err);
	(void)copy_of(part(ctx, "status"), ret, err, "status");
	(void)json_object_set_new(*ret, "waiting", json_integer((json_int_t)json_array_size(open)));
	return CS_OK;
}

static int fake_runbook(void *ctx, const char *name, char **ret, cs_err *err)
{
	const char *text = cs_json_str(part(ctx, "runbooks"), name);

	if (!text)
		return cs_err_set(err, CS_ENOTFOUND, "there is no runbook %s: runbooks/ holds them", name);
	*ret = cs_xstrdup(text);
	return CS_OK;
}

static void tell(fake_source *f, const json_t *v)
{
	CS_AUTOFREE char *text = cs_json_text(v);
	CS_AUTOFREE char *line = cs_xasprintf("%s\n", text);

	if (f->control >= 0 && write(f->control, line, strlen(line)) < 0)
		abort();   /* the test is gone */
}

/* Wakes the console: a message is there to be polled. */
static void post(fake_source *f, json_t *msg)
{
	(void)json_array_append_new(f->replies, msg);
	if (write(f->own[1], "x", 1) < 0)
		abort();
}

static void set(json_t *obj, const char *key, const char *value)
{
	(void)json_object_set_new(obj, key, json_string(value));
}

static void decide(json_t *item, const char *state, bool grace)
{
	char until[CS_TIME_SIZE];

	set(item, "state", state);
	set(item, "by", "operator:owner");
	cs_time_format(cs_clock_wall_ms() + 30000, until);
	if (grace)
		set(item, "grace_until", until);
}

static const char *edit(fake_source *f, json_t *item, const json_t *cmd, json_t *ok)
{
	json_t *next = json_deep_copy(item), *value = json_object_get(cmd, "value");
	char hex[65];

	cs_json_digest(value, hex);
	set(next, "id", "EDITED");
	set(next, "digest", hex);
	(void)json_object_set(next, "value", value);
	(void)json_object_set_new(part(f, "items"), "EDITED", next);
	decide(item, "edited", false);
	set(ok, "id", "EDITED");
	return NULL;
}

static const struct { const char *cmd, *state; bool grace; } item_commands[] = {
	{ "approve", "approved", true }, { "reject", "rejected", true }, { "respond", "answered", true }, { "resolve", "resolved", false },
};

static const char *on_item(fake_source *f, const json_t *cmd, json_t *ok)
{
	json_t *item = json_object_get(part(f, "items"), cs_json_str_or(cmd, "id", ""));
	const char *name = cs_json_str_or(cmd, "cmd", "");

	if (!item)
		return "no such item";
	if (strcmp(name, "undo") == 0) {
		set(item, "state", "pending");
		(void)json_object_del(item, "grace_until");
		(void)json_object_del(item, "by");
		return NULL;
	}
	if (strcmp(cs_json_str_or(cmd, "digest", ""), cs_json_str_or(item, "digest", "")) != 0)
		return "it changed after it was shown";
	if (!is_open(item))
		return "it is decided already";
	if (strcmp(name, "edit") == 0)
		return edit(f, item, cmd, ok);
	for (size_t i = 0; i < CS_ARRAY_LEN(item_commands); i++)
		if (strcmp(item_commands[i].cmd, name) == 0)
			decide(item, item_commands[i].state, item_commands[i].grace);
	return NULL;
}

static const struct { const char *cmd, *state; } run_commands[] = {
	{ "pause", "paused" }, { "resume", "running" }, { "cancel", "cancelled" }, { "retry", "running" },
};

static const char *on_run(fake_source *f, const json_t *cmd, json_t *ok)
{
	const char *name = cs_json_str_or(cmd, "cmd", "");
	json_t *run = find_run(f, cs_json_str_or(cmd, "run", "")), *copy;

	if (!run)
		return "no such run";
	for (size_t i = 0; i < CS_ARRAY_LEN(run_commands); i++)
		if (strcmp(run_commands[i].cmd, name) == 0)
			set(run, "state", run_commands[i].state);
	if (strcmp(name, "replay-plan") == 0)
		(void)json_object_set(ok, "plan", part(f, "plan"));
	if (strcmp(name, "replay") == 0) {
		copy = json_deep_copy(run);
		set(copy, "run", "01JREPLAYREPLAYREPLAYREPLA");
		set(copy, "parent", cs_json_str_or(run, "run", ""));
		set(copy, "state", "completed");
		(void)json_object_set_new(copy, "simulated", json_true());
		(void)json_array_insert_new(part(f, "runs"), 0, copy);
		set(ok, "run", "01JREPLAYREPLAYREPLAYREPLA");
	}
	return NULL;
}

static int fake_send(void *ctx, json_t *cmd, unsigned *ret_tag, cs_err *err)
{
	fake_source *f = ctx;
	CS_AUTOJSON json_t *sent = json_pack("{s:O}", "sent", cmd);
	json_t *ok = json_object(), *msg = json_object();
	const char *problem = json_object_get(cmd, "id") ? on_item(f, cmd, ok) : on_run(f, cmd, ok);

	(void)err;
	*ret_tag = ++f->tag;
	(void)json_object_set_new(msg, "tag", json_integer((json_int_t)f->tag));
	if (problem)
		set(msg, "error", problem);
	else
		(void)json_object_set(msg, "ok", ok);
	json_decref(ok);
	tell(f, sent);
	post(f, msg);
	return CS_OK;
}

/* Merges a line of control into the model. */
static void obey(fake_source *f, const char *line)
{
	CS_AUTOJSON json_t *v = json_loads(line, 0, NULL);

	if (json_object_get(v, "merge")) {
		(void)json_object_update_recursive(f->model, json_object_get(v, "merge"));
		post(f, json_pack("{s:{s:I}}", "feed", "seq", (json_int_t)++f->seq));
	}
}

static void read_control(fake_source *f)
{
	char b[65536];
	ssize_t n;
	char *nl;

	if (f->control >= 0)
		while ((n = recv(f->control, b, sizeof(b), MSG_DONTWAIT)) > 0)
			(void)cs_buf_add(&f->in, b, (size_t)n);
	while (f->in.len && (nl = strchr(f->in.data, '\n')) != NULL) {
		size_t len = (size_t)(nl - f->in.data) + 1;

		*nl = '\0';
		obey(f, f->in.data);
		memmove(f->in.data, f->in.data + len, f->in.len - len + 1);
		f->in.len -= len;
	}
	while (read(f->own[0], b, sizeof(b)) > 0)
		;
}

static int fake_poll(void *ctx, json_t **ret, cs_err *err)
{
	fake_source *f = ctx;

	(void)err;
	read_control(f);
	if (json_array_size(f->replies) == 0)
		return CS_EAGAIN;
	*ret = json_incref(json_array_get(f->replies, 0));
	(void)json_array_remove(f->replies, 0);
	return CS_OK;
}

static void watch(fake_source *f, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	if (fd >= 0 && epoll_ctl(f->both, EPOLL_CTL_ADD, fd, &e) < 0)
		abort();
}

fake_source *fake_source_new(const char *model, int control)
{
	fake_source *f = cs_xcalloc(1, sizeof(*f));

	*f = (fake_source){ .control = control, .replies = json_array(), .model = json_loads(model, 0, NULL) };
	cs_buf_init(&f->in, 1u << 24);
	f->both = epoll_create1(EPOLL_CLOEXEC);
	if (f->both < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, f->own) < 0)
		abort();
	watch(f, f->own[0]);
	watch(f, control);
	f->face = (cs_source){
		.ctx = f, .inbox = fake_inbox, .item = fake_item, .runs = fake_runs, .run = fake_run, .trace = fake_trace,
		.events = fake_events, .why = fake_why, .diff = fake_diff, .status = fake_status, .runbook = fake_runbook,
		.send = fake_send, .fd = f->both, .poll = fake_poll,
	};
	return f;
}

void fake_source_free(fake_source *f)
{
	json_decref(f->model);
	json_decref(f->replies);
	cs_buf_fini(&f->in);
	(void)close(f->own[0]);
	(void)close(f->own[1]);
	(void)close(f->both);
	free(f);
}

const cs_source *fake_source_face(fake_source *f)
{
	return &f->face;
}
