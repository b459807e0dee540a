/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "engine/messages.h"
#include "engine/wire.h"

#define MAX_CONSOLES 64
#define MAX_OPEN 64           /* requests of one console that are not answered */
#define NO_FILES_MS 50        /* before looking again when there are no descriptors left */
#define LAST_ANSWERS_MS 2000  /* for answers to what was taken, when the engine ends */
#define LAST_WORDS_MS 500     /* and for what is then still to be written */

typedef struct console {
	cs_wire wire;
	int64_t id;               /* 0: the place is free; an answer finds its console by it */
	unsigned open;
	int64_t fed;              /* last seq it was told of */
} console;

struct cs_server {
	cs_engine *engine;
	int dir, listener, watch;
	pthread_t thread;
	cs_messages *replies;     /* from the coordinator's thread: {to, tag, ok|error}, {feed} */
	atomic_int n_consoles;
	atomic_bool ending;
	bool deaf;                /* ending: nothing more is taken, what was taken is answered */
	int64_t next_id, latest;
	console consoles[MAX_CONSOLES];
};

/* ---- on the coordinator's thread ------------------------------------------------------------- */

typedef struct ticket {           /* one open request: whom the answer is for */
	cs_messages *replies;
	int64_t to;
	json_t *tag;
} ticket;

static void answered(void *ctx, json_t *reply)
{
	ticket *t = ctx;
	json_object_set_new(reply, "to", json_integer(t->to));
	if (t->tag)
		json_object_set_new(reply, "tag", t->tag);
	cs_messages_push(t->replies, reply);
	cs_messages_unref(t->replies);
	free(t);
}

static void fed(void *ctx, int64_t seq)
{
	cs_server *s = ctx;
	/* Without a console nobody is woken. */
	if (atomic_load(&s->n_consoles) > 0)
		cs_messages_feed(s->replies, seq);
}

/* ---- consoles -------------------------------------------------------------------------------- */

static void cut_off(cs_server *s, console *c)
{
	cs_wire_fini(&c->wire);
	memset(c, 0, sizeof *c);
	c->wire.fd = -1;
	atomic_fetch_sub(&s->n_consoles, 1);
}

static json_t *error_reply(json_t *tag, const cs_err *err)
{
	json_t *reply = json_pack("{s:{s:s, s:s}}", "error", "code", cs_err_word(err->code), "message", err->msg);
	if (tag)
		json_object_set(reply, "tag", tag);
	return reply;
}

/* False when the console had to be cut off. */
static bool say(cs_server *s, console *c, const json_t *message)
{
	if (cs_wire_put(&c->wire, message, NULL) == CS_OK && cs_wire_flush(&c->wire, NULL) == CS_OK)
		return true;
	cut_off(s, c);
	return false;
}

static bool complain(cs_server *s, console *c, json_t *tag, const cs_err *err)
{
	CS_AUTOJSON json_t *reply = error_reply(tag, err);
	return say(s, c, reply);
}

/* Hands one request to the engine; takes it over. */
static bool hand_over(cs_server *s, console *c, json_t *request)
{
	json_t *tag = json_incref(json_object_get(request, "tag"));
	json_object_del(request, "tag");
	ticket *t = cs_xcalloc(1, sizeof *t);
	*t = (ticket){ .replies = cs_messages_ref(s->replies), .to = c->id, .tag = json_deep_copy(tag) };
	cs_err err = { 0 };
	c->open++;
	bool kept = true;
	if (cs_engine_send(s->engine, request, answered, t, &err) < 0) {
		c->open--;
		cs_messages_unref(t->replies);
		json_decref(t->tag);
		free(t);
		kept = complain(s, c, tag, &err);
	}
	json_decref(tag);
	return kept;
}

/* Takes the whole lines that are there, as many as may be open. */
static void hear(cs_server *s, console *c)
{
	while (c->open < MAX_OPEN && !s->deaf) {
		json_t *request = NULL;
		cs_err err = { 0 };
		int r = cs_wire_next(&c->wire, &request, &err);
		if (r == CS_ETOOBIG) {
			if (complain(s, c, NULL, &err))
				cut_off(s, c);
			return;
		}
		if (r < 0 && !complain(s, c, NULL, &err))
			return;
		if (r == CS_OK && !request)
			break;
		if (request && !hand_over(s, c, request))
			return;
	}
	if (c->wire.over && c->open == 0 && !cs_wire_waiting(&c->wire))
		cut_off(s, c);
}

static bool same_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && len == sizeof peer && peer.uid == geteuid();
}

static console *free_place(cs_server *s)
{
	for (size_t i = 0; i < MAX_CONSOLES; i++)
		if (s->consoles[i].id == 0)
			return &s->consoles[i];
	return NULL;
}

/* False when nobody waits to come in. */
static bool let_in(cs_server *s)
{
	CS_AUTOCLOSE int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		(void)poll(NULL, 0, NO_FILES_MS);
	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	if (!same_user(fd))
		return true;
	console *c = free_place(s);
	if (!c) {
		static const char full[] = "{\"gone\":\"64 consoles are attached already; close one\"}\n";
		(void)!send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		return true;
	}
	cs_wire_init(&c->wire, fd);
	fd = -1;
	c->id = ++s->next_id;
	c->fed = s->latest;
	atomic_fetch_add(&s->n_consoles, 1);
	return true;
}

/* ---- answers and the feed -------------------------------------------------------------------- */

static console *console_of(cs_server *s, int64_t id)
{
	for (size_t i = 0; id > 0 && i < MAX_CONSOLES; i++)
		if (s->consoles[i].id == id)
			return &s->consoles[i];
	return NULL;
}

static void pass_on(cs_server *s)
{
	json_t *m;
	while ((m = cs_messages_take(s->replies, 0))) {
		CS_AUTOJSON json_t *message = m;
		const json_t *feed = json_object_get(message, "feed");
		if (feed) {
			int64_t seq = cs_json_int_or(feed, "seq", 0);
			s->latest = seq > s->latest ? seq : s->latest;
			continue;
		}
		console *c = console_of(s, cs_json_int_or(message, "to", 0));
		if (!c)
			continue;
		json_object_del(message, "to");
		c->open--;
		if (say(s, c, message))
			hear(s, c);   /* what was held back because too much was open */
	}
}

/* A console that has not read the last word is not told another: only the latest seq matters. */
static void feed_all(cs_server *s)
{
	CS_AUTOJSON json_t *message = json_pack("{s:{s:I}}", "feed", "seq", (json_int_t)s->latest);
	for (size_t i = 0; i < MAX_CONSOLES; i++) {
		console *c = &s->consoles[i];
		if (c->id == 0 || c->fed == s->latest || cs_wire_waiting(&c->wire))
			continue;
		c->fed = s->latest;
		(void)say(s, c, message);
	}
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void serve_console(cs_server *s, console *c, short events)
{
	if ((events & POLLOUT) && cs_wire_flush(&c->wire, NULL) < 0) {
		cut_off(s, c);
		return;
	}
	if (!(events & (POLLIN | POLLHUP | POLLERR)))
		return;
	if (s->deaf || cs_wire_read(&c->wire, NULL) < 0) {
		cut_off(s, c);
		return;
	}
	hear(s, c);
	if (c->id && (events & (POLLHUP | POLLERR)))   /* nobody is there to hear the answers */
		cut_off(s, c);
}

/* What the console is waited for. One with too much open, or that does not read, is not read from. */
static short wanted(const cs_server *s, const console *c)
{
	if (cs_wire_waiting(&c->wire))
		return POLLOUT;
	return !s->deaf && c->open < MAX_OPEN && !c->wire.over ? POLLIN : 0;
}

static void turn(cs_server *s, int timeout_ms)
{
	struct pollfd p[MAX_CONSOLES + 2] = {
		{ .fd = cs_messages_fd(s->replies), .events = POLLIN },
		{ .fd = s->listener, .events = POLLIN },
	};
	for (size_t i = 0; i < MAX_CONSOLES; i++) {
		const console *c = &s->consoles[i];
		p[i + 2] = (struct pollfd){ .fd = c->id ? c->wire.fd : -1, .events = c->id ? wanted(s, c) : 0 };
	}
	if (poll(p, CS_ARRAY_LEN(p), timeout_ms) < 0)
		return;
	for (size_t i = 0; i < MAX_CONSOLES; i++)
		if (s->consoles[i].id && p[i + 2].revents)
			serve_console(s, &s->consoles[i], p[i + 2].revents);
	pass_on(s);
	feed_all(s);
	if (p[1].revents)
		while (let_in(s))
			;
}

static bool all_answered(const cs_server *s)
{
	for (size_t i = 0; i < MAX_CONSOLES; i++)
		if (s->consoles[i].id && s->consoles[i].open > 0)
			return false;
	return true;
}

/* What was taken is answered, the rest is not read; `answered` says so to the other end, which may
 * then ask another engine without fear of asking twice. */
static void last_words(cs_server *s)
{
	char why[512];
	int64_t until = cs_clock_mono_ns() + (int64_t)LAST_ANSWERS_MS * 1000000;
	s->deaf = true;
	close(s->listener);
	s->listener = -1;
	while (!all_answered(s) && cs_clock_mono_ns() < until)
		turn(s, 20);
	cs_engine_failure(s->engine, why, sizeof why);
	CS_AUTOJSON json_t *gone = json_pack("{s:s%, s:b}", "gone", why, strnlen(why, sizeof why), "answered", all_answered(s));
	for (size_t i = 0; i < MAX_CONSOLES; i++)
		if (s->consoles[i].id)
			(void)say(s, &s->consoles[i], gone);
	until = cs_clock_mono_ns() + (int64_t)LAST_WORDS_MS * 1000000;
	for (size_t i = 0; i < MAX_CONSOLES; i++) {
		console *c = &s->consoles[i];
		while (c->id && cs_wire_waiting(&c->wire) && cs_clock_mono_ns() < until) {
			struct pollfd p = { .fd = c->wire.fd, .events = POLLOUT };
			if (poll(&p, 1, 20) < 0 || cs_wire_flush(&c->wire, NULL) < 0)
				break;
		}
		if (c->id)
			cut_off(s, c);
	}
}

static void *serve(void *ctx)
{
	cs_server *s = ctx;
	while (!atomic_load(&s->ending))
		turn(s, -1);
	last_words(s);
	return NULL;
}

/* ---- start and stop -------------------------------------------------------------------------- */

static int clear_place(int dir, const char *state_dir, cs_err *err)
{
	struct stat st;
	if (fstatat(dir, CS_SOCKET_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? CS_OK : cs_err_sys(err, errno, "cannot examine %s/%s", state_dir, CS_SOCKET_NAME);
	if (!S_ISSOCK(st.st_mode))
		return cs_err_set(err, CS_EREFUSED, "%s/%s is not a socket; move it away", state_dir, CS_SOCKET_NAME);
	if (unlinkat(dir, CS_SOCKET_NAME, 0) < 0)
		return cs_err_sys(err, errno, "cannot remove the socket %s/%s left behind", state_dir, CS_SOCKET_NAME);
	return CS_OK;
}

static int listen_in(cs_server *s, const char *state_dir, cs_err *err)
{
	s->dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return cs_err_sys(err, errno, "cannot open %s", state_dir);
	int r = clear_place(s->dir, state_dir, err);
	if (r < 0)
		return r;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	(void)snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/%s", s->dir, CS_SOCKET_NAME);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode set before bind is the file's from its first moment. */
	if (s->listener < 0 || fchmod(s->listener, 0600) < 0 ||
	    bind(s->listener, (const struct sockaddr *)&at, sizeof at) < 0 || listen(s->listener, MAX_CONSOLES) < 0)
		return cs_err_sys(err, errno, "cannot listen on %s/%s", state_dir, CS_SOCKET_NAME);
	return CS_OK;
}

static void discard(cs_server *s)
{
	if (s->listener >= 0)
		close(s->listener);
	if (s->dir >= 0)
		close(s->dir);
	cs_messages_unref(s->replies);
	free(s);
}

/* Signals are for the threads that wait for them. */
static int start_thread(cs_server *s)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&s->thread, NULL, serve, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int cs_server_start(cs_engine *e, const char *state_dir, cs_server **ret, cs_err *err)
{
	cs_server *s = cs_xcalloc(1, sizeof *s);
	s->engine = e;
	s->dir = s->listener = -1;
	s->replies = cs_messages_new();
	int r = listen_in(s, state_dir, err);
	if (r < 0) {
		discard(s);
		return r;
	}
	s->watch = cs_engine_watch(e, fed, s);
	int e_thread = start_thread(s);
	if (e_thread) {
		cs_engine_unwatch(e, s->watch);
		(void)unlinkat(s->dir, CS_SOCKET_NAME, 0);
		discard(s);
		return cs_err_sys(err, e_thread, "cannot start the socket's thread");
	}
	*ret = s;
	return CS_OK;
}

void cs_server_stop(cs_server *s)
{
	if (!s)
		return;
	(void)unlinkat(s->dir, CS_SOCKET_NAME, 0);
	cs_engine_unwatch(s->engine, s->watch);
	atomic_store(&s->ending, true);
	cs_messages_feed(s->replies, 0);   /* wakes the thread */
	pthread_join(s->thread, NULL);
	cs_messages_close(s->replies);
	discard(s);
}
