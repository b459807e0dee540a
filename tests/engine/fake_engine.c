/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/engine/fake_engine.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/queue.h"
#include "engine/lease.h"
#include "engine/server.h"

#define WATCHERS 8

typedef struct entry {
	json_t *request;
	cs_reply_fn *done;
	void *ctx;
} entry;

struct cs_engine {
	cs_queue *mailbox;
	pthread_t thread;
	pthread_mutex_t lock;
	struct { cs_feed_fn *fn; void *ctx; } watchers[WATCHERS];
	char why[128];
	int64_t seq;
	cs_lease *lease;
	cs_server *server;
};

static void feed(cs_engine *e, int64_t n)
{
	pthread_mutex_lock(&e->lock);
	for (int64_t i = 0; i < n; i++) {
		e->seq++;
		for (size_t w = 0; w < WATCHERS; w++)
			if (e->watchers[w].fn)
				e->watchers[w].fn(e->watchers[w].ctx, e->seq);
	}
	pthread_mutex_unlock(&e->lock);
}

static json_t *answer(cs_engine *e, const json_t *q)
{
	const char *cmd = cs_json_str_or(q, "cmd", "");
	if (strcmp(cmd, "echo") == 0)
		return json_pack("{s:{s:o}}", "ok", "value", json_deep_copy(json_object_get(q, "value")));
	if (strcmp(cmd, "refuse") == 0)
		return json_pack("{s:{s:s,s:s}}", "error", "code", "refused", "message", "no: it is stale; look again");
	if (strcmp(cmd, "fill") == 0) {
		size_t n = (size_t)cs_json_int_or(q, "n", 0);
		CS_AUTOFREE char *text = malloc(n + 1);
		memset(text, 'x', n);
		text[n] = '\0';
		return json_pack("{s:{s:s}}", "ok", "text", text);
	}
	if (strcmp(cmd, "commit") == 0)
		feed(e, cs_json_int_or(q, "n", 1));
	return json_pack("{s:{s:i}}", "ok", "pid", (int)getpid());
}

static void *coordinate(void *ctx)
{
	cs_engine *e = ctx;
	void *p;
	while (cs_queue_take(e->mailbox, &p, 1, -1) == 1) {
		entry *n = p;
		n->done(n->ctx, answer(e, n->request));
		json_decref(n->request);
		free(n);
	}
	return NULL;
}

int cs_engine_start(cs_workspace *ws, const cs_engine_opts *opts, cs_engine **ret, cs_err *err)
{
	(void)opts;
	CS_AUTOFREE char *dir = cs_path_join(ws->dir, CS_STATE_DIR);
	free(ws->dir);
	free(ws);
	cs_lease *lease = NULL;
	int r = cs_lease_take(dir, &lease, err);
	if (r < 0)
		return r;
	cs_engine *e = cs_xcalloc(1, sizeof *e);
	e->lease = lease;
	e->mailbox = cs_queue_new(64);
	pthread_mutex_init(&e->lock, NULL);
	pthread_create(&e->thread, NULL, coordinate, e);
	r = cs_server_start(e, dir, &e->server, err);
	if (r == CS_OK)
		*ret = e;
	else
		cs_engine_stop(e, 0);
	return r;
}

void cs_engine_stop(cs_engine *e, int64_t grace_ms)
{
	(void)grace_ms;
	if (!e)
		return;
	cs_server_stop(e->server);
	cs_queue_close(e->mailbox);
	pthread_join(e->thread, NULL);
	cs_queue_free(e->mailbox);
	pthread_mutex_destroy(&e->lock);
	cs_lease_release(e->lease);
	free(e);
}

int cs_engine_send(cs_engine *e, json_t *request, cs_reply_fn *done, void *ctx, cs_err *err)
{
	entry *n = cs_xcalloc(1, sizeof *n);
	*n = (entry){ request, done, ctx };
	if (cs_queue_push(e->mailbox, n))
		return CS_OK;
	json_decref(request);
	free(n);
	return cs_err_set(err, CS_EUNAVAIL, "the engine has stopped");
}

int cs_engine_watch(cs_engine *e, cs_feed_fn *fn, void *ctx)
{
	int handle = -1;
	pthread_mutex_lock(&e->lock);
	for (int i = 0; handle < 0 && i < WATCHERS; i++) {
		if (e->watchers[i].fn)
			continue;
		e->watchers[i].fn = fn;
		e->watchers[i].ctx = ctx;
		handle = i;
	}
	pthread_mutex_unlock(&e->lock);
	return handle;
}

void cs_engine_unwatch(cs_engine *e, int handle)
{
	pthread_mutex_lock(&e->lock);
	e->watchers[handle].fn = NULL;
	pthread_mutex_unlock(&e->lock);
}

void cs_engine_failure(cs_engine *e, char *out, size_t size)
{
	pthread_mutex_lock(&e->lock);
	(void)snprintf(out, size, "%s", e->why);
	pthread_mutex_unlock(&e->lock);
}

void fake_fail(cs_engine *e, const char *why)
{
	pthread_mutex_lock(&e->lock);
	(void)snprintf(e->why, sizeof e->why, "%s", why);
	pthread_mutex_unlock(&e->lock);
}

int fake_load(void *dir, cs_workspace **ret, cs_err *err)
{
	(void)err;
	*ret = cs_xcalloc(1, sizeof **ret);
	(*ret)->dir = cs_xstrdup(dir);
	return CS_OK;
}

char *fake_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = cs_xasprintf("%s/capstan-engine-XXXXXX", base ? base : "/tmp");
	CS_AUTOFREE char *state = NULL;
	if (!mkdtemp(dir) || !(state = cs_path_join(dir, CS_STATE_DIR)) || mkdir(state, 0700) < 0)
		abort();
	return dir;
}

void fake_remove(char *dir)
{
	static const char *const names[] = { ".capstan/lock", ".capstan/socket", ".capstan", "" };
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		CS_AUTOFREE char *path = cs_path_join(dir, names[i]);
		(void)remove(path);
	}
	free(dir);
}

pid_t fake_process(const char *dir)
{
	int ready[2];
	char c = 0;
	if (pipe(ready) < 0)
		abort();
	pid_t pid = fork();
	if (pid != 0) {
		close(ready[1]);
		if (pid < 0 || read(ready[0], &c, 1) != 1)
			abort();
		close(ready[0]);
		return pid;
	}
	alarm(60);      /* ends by itself, whatever becomes of the test */
	cs_workspace *ws = NULL;
	cs_engine *e = NULL;
	CS_AUTOFREE char *copy = cs_xstrdup(dir);
	if (fake_load(copy, &ws, NULL) < 0 || cs_engine_start(ws, NULL, &e, NULL) < 0 || write(ready[1], "r", 1) != 1)
		_exit(1);
	sigset_t term;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	int sig;
	sigwait(&term, &sig);
	cs_engine_stop(e, 0);
	_exit(0);
}

void fake_end(pid_t pid)
{
	int status;
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		abort();
}
