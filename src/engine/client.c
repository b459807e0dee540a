/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One face for both: an engine in this process, or the socket of another's. Either way a thread
 * that is not the caller's puts what comes into one list of messages, and the caller takes it from
 * there. */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/lease.h"
#include "engine/messages.h"
#include "engine/server.h"
#include "engine/wire.h"

#define ANSWER_MS 5000        /* a holder that is alive answers within this */
#define AGAIN_MS 20           /* between looks at a holder that is just starting or ending */
#define END_GRACE_MS 10000    /* for what is open outside when an engine of our own ends */
#define MAX_TO_SEND 256       /* requests that wait for the socket */

struct cs_client {
	cs_messages *messages;
	atomic_uint next_tag;
	char *state_dir;
	/* an engine of our own */
	cs_engine *engine;
	int watch;
	/* the socket of another's */
	bool attached;
	cs_wire wire;             /* the reader's, once it runs */
	pthread_t reader;
	pthread_mutex_t lock;     /* of the three below */
	json_t *to_send;          /* array */
	bool gone, answered;      /* answered: what has no answer was not taken */
	char why[512];
	int wake;                 /* eventfd: there is something to send, or it is over */
	atomic_bool closing;
};

static int word_code(const char *word)
{
	for (int code = -1; word && code >= CS_EUNSUPPORTED; code--)
		if (strcmp(cs_err_word(code), word) == 0)
			return code;
	return CS_EINTERNAL;
}

/* ---- the socket of another's engine ---------------------------------------------------------- */

static void raise_wake(cs_client *c)
{
	uint64_t one = 1;
	(void)!write(c->wake, &one, sizeof one);
}

/* One request at a time: an empty buffer holds any that was let in. */
static int send_what_fits(cs_client *c)
{
	uint64_t count;
	(void)!read(c->wake, &count, sizeof count);
	int r = cs_wire_flush(&c->wire, NULL);
	pthread_mutex_lock(&c->lock);
	json_t *m;
	while (r == CS_OK && !cs_wire_waiting(&c->wire) && (m = json_array_get(c->to_send, 0))) {
		r = cs_wire_put(&c->wire, m, NULL);
		json_array_remove(c->to_send, 0);
		if (r == CS_OK)
			r = cs_wire_flush(&c->wire, NULL);
	}
	pthread_mutex_unlock(&c->lock);
	return r;
}

/* One line of the engine's, taken over; false when it says that it ends. */
static bool hear(cs_client *c, json_t *message)
{
	CS_AUTOJSON json_t *mine = message;
	const json_t *feed = json_object_get(message, "feed");
	const char *gone = cs_json_str(message, "gone");
	if (gone) {
		pthread_mutex_lock(&c->lock);
		(void)snprintf(c->why, sizeof c->why, "%s", gone);
		c->answered = cs_json_true(message, "answered");
		pthread_mutex_unlock(&c->lock);
	} else if (feed) {
		cs_messages_feed(c->messages, cs_json_int_or(feed, "seq", 0));
	} else {
		cs_messages_push(c->messages, CS_STEAL(mine));
	}
	return !gone;
}

/* Reads and writes until the connection ends. */
static bool turn(cs_client *c)
{
	struct pollfd p[2] = {
		{ .fd = c->wire.fd, .events = (short)(POLLIN | (cs_wire_waiting(&c->wire) ? POLLOUT : 0)) },
		{ .fd = c->wake, .events = POLLIN },
	};
	if (poll(p, 2, -1) < 0)
		return errno == EINTR;
	if (atomic_load(&c->closing))
		return false;
	/* Even on a broken connection its last words may still be there to be read. */
	bool broken = send_what_fits(c) < 0;
	if ((p[0].revents || broken) && cs_wire_read(&c->wire, NULL) < 0)
		broken = true;
	for (;;) {
		CS_AUTOJSON json_t *message = NULL;
		if (cs_wire_next(&c->wire, &message, NULL) < 0)
			return false;
		if (!message)
			return !c->wire.over && !broken;
		if (!hear(c, CS_STEAL(message)))
			return false;
	}
}

static void *read_all(void *ctx)
{
	cs_client *c = ctx;
	while (turn(c))
		;
	pthread_mutex_lock(&c->lock);
	c->gone = true;
	if (!c->why[0])
		(void)snprintf(c->why, sizeof c->why, "the process that held the workspace has ended");
	cs_messages_push(c->messages, json_pack("{s:s}", "gone", c->why));
	pthread_mutex_unlock(&c->lock);
	cs_messages_close(c->messages);
	return NULL;
}

static int connect_to(const char *state_dir, int *ret_fd, cs_err *err)
{
	CS_AUTOCLOSE int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return cs_err_sys(err, errno, "cannot open %s", state_dir);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	(void)snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/%s", dir, CS_SOCKET_NAME);
	CS_AUTOCLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cs_err_sys(err, errno, "cannot make a socket");
	if (connect(fd, (const struct sockaddr *)&at, sizeof at) < 0)
		return cs_err_set(err, CS_EUNAVAIL, "nothing listens on %s/%s: %s", state_dir, CS_SOCKET_NAME,
				  errno == ENOENT ? "it is not there" : "it does not answer");
	*ret_fd = fd;
	fd = -1;
	return CS_OK;
}

static int attach(cs_client *c, cs_err *err)
{
	int fd = -1;
	int r = connect_to(c->state_dir, &fd, err);
	if (r < 0)
		return r;
	cs_wire_init(&c->wire, fd);
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = c->wake < 0 ? errno : pthread_create(&c->reader, NULL, read_all, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r) {
		cs_wire_fini(&c->wire);
		return cs_err_sys(err, r, "cannot attach to the engine");
	}
	c->attached = true;
	return CS_OK;
}

/* Takes REQUEST over: from here on it is the reader's thread's. */
static int queue_request(cs_client *c, json_t *request, cs_err *err)
{
	CS_AUTOJSON json_t *mine = request;
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_WIRE_LINE);
	if (cs_json_write(request, &text) < 0)
		return cs_err_set(err, CS_ETOOBIG, "the request is over %zu bytes, the most that goes to an engine at once",
				  CS_WIRE_LINE);
	pthread_mutex_lock(&c->lock);
	int r = CS_OK;
	if (c->gone)
		r = cs_err_set(err, CS_EUNAVAIL, "%s; start the command again: it takes the workspace itself", c->why);
	else if (json_array_size(c->to_send) >= MAX_TO_SEND)
		r = cs_err_set(err, CS_EUNAVAIL, "the engine takes no more requests now; try again in a moment");
	else
		json_array_append_new(c->to_send, CS_STEAL(mine));
	pthread_mutex_unlock(&c->lock);
	if (r == CS_OK)
		raise_wake(c);
	return r;
}

/* ---- an engine of our own -------------------------------------------------------------------- */

typedef struct ticket {
	cs_messages *messages;
	unsigned tag;
} ticket;

static void answered(void *ctx, json_t *reply)
{
	ticket *t = ctx;
	json_object_set_new(reply, "tag", json_integer((json_int_t)t->tag));
	cs_messages_push(t->messages, reply);
	cs_messages_unref(t->messages);
	free(t);
}

static void fed(void *ctx, int64_t seq)
{
	cs_messages_feed(ctx, seq);
}

static int start_own(cs_client *c, const cs_engine_opts *opts, cs_client_load_fn *load, void *ctx, cs_err *err)
{
	cs_workspace *ws = NULL;
	int r = load(ctx, &ws, err);
	if (r < 0)
		return r;
	r = cs_engine_start(ws, opts, &c->engine, err);
	if (r == CS_OK)
		c->watch = cs_engine_watch(c->engine, fed, c->messages);
	return r;
}

static int ask_own(cs_client *c, json_t *request, unsigned tag, cs_err *err)
{
	ticket *t = cs_xcalloc(1, sizeof *t);
	*t = (ticket){ .messages = cs_messages_ref(c->messages), .tag = tag };
	int r = cs_engine_send(c->engine, request, answered, t, err);
	if (r < 0) {
		cs_messages_unref(t->messages);
		free(t);
	}
	return r;
}

/* ---- open and close -------------------------------------------------------------------------- */

static void detach(cs_client *c)
{
	atomic_store(&c->closing, true);
	raise_wake(c);
	pthread_join(c->reader, NULL);
	cs_wire_fini(&c->wire);
	c->attached = false;
}

void cs_client_close(cs_client *c)
{
	if (!c)
		return;
	if (c->engine) {
		cs_engine_unwatch(c->engine, c->watch);
		cs_engine_stop(c->engine, END_GRACE_MS);
	}
	if (c->attached)
		detach(c);
	if (c->wake >= 0)
		close(c->wake);
	cs_messages_close(c->messages);
	cs_messages_unref(c->messages);
	pthread_mutex_destroy(&c->lock);
	json_decref(c->to_send);
	free(c->state_dir);
	free(c);
}

static cs_client *client_new(const char *dir)
{
	cs_client *c = cs_xcalloc(1, sizeof *c);
	c->messages = cs_messages_new();
	c->state_dir = cs_path_join(dir, CS_STATE_DIR);
	c->to_send = json_array();
	c->wake = -1;
	if (pthread_mutex_init(&c->lock, NULL) != 0)
		abort();
	atomic_init(&c->next_tag, 1);
	return c;
}

static void client_freep(cs_client **c)
{
	cs_client_close(*c);
}

/* Attaches and makes sure that somebody answers. A stopped process still has its socket. */
static int attach_alive(cs_client *c, pid_t holder, int64_t until_ns, cs_err *err)
{
	if (holder > 0 && cs_lease_stopped(holder))
		return cs_lease_held(c->state_dir, holder, err);
	int r = attach(c, err);
	if (r < 0)
		return r;
	int64_t left_ms = (until_ns - cs_clock_mono_ns()) / 1000000;
	json_t *status = NULL;
	r = cs_client_call(c, json_pack("{s:s}", "cmd", "status"), left_ms > 0 ? (int)left_ms : 0, &status, err);
	json_decref(status);
	if (r == CS_OK)
		return CS_OK;
	detach(c);
	return r == CS_ETIMEOUT && holder ? cs_lease_held(c->state_dir, holder, err) : CS_EUNAVAIL;
}

/* One look: is there a holder to attach to, or is the workspace free for an engine of ours?
 * CS_EAGAIN: it was changing hands, look again. */
static int try_open(cs_client **cp, const char *dir, unsigned flags, const cs_engine_opts *opts, cs_client_load_fn *load,
		    void *ctx, int64_t until_ns, cs_err *err)
{
	cs_client *c = *cp;
	pid_t holder = cs_lease_holder(c->state_dir);
	int r;
	if (holder)
		r = attach_alive(c, holder, until_ns, err);
	else if (flags & CS_CLIENT_ATTACH)
		return cs_err_set(err, CS_EUNAVAIL, "no engine runs for %s; start one with `capstan serve`", dir);
	else
		r = start_own(c, opts, load, ctx, err);
	if (r != CS_EUNAVAIL)
		return r;
	pid_t now = cs_lease_holder(c->state_dir);
	if (now == holder && (holder == 0 || cs_lease_stopped(holder)))
		return r;
	/* A connection that failed left its traces in the list: begin with a clean one. */
	cs_client_close(c);
	*cp = client_new(dir);
	return CS_EAGAIN;
}

/* Names the holder that did not answer in time. */
static int no_open(cs_client *c, cs_err *err)
{
	pid_t holder = cs_lease_holder(c->state_dir);
	if (holder <= 0 || cs_lease_stopped(holder))
		return cs_lease_held(c->state_dir, holder, err);
	return cs_err_set(err, CS_EUNAVAIL, "the workspace is held by process %ld, which did not answer within %d s: wait for it, "
			  "or end it with `kill %ld`", (long)holder, ANSWER_MS / 1000, (long)holder);
}

int cs_client_open(const char *dir, unsigned flags, const cs_engine_opts *opts, cs_client_load_fn *load, void *ctx,
		   cs_client **ret, cs_err *err)
{
	CS_CLEANUP(client_freep) cs_client *c = client_new(dir);
	int64_t until = cs_clock_mono_ns() + (int64_t)ANSWER_MS * 1000000;
	int r = CS_OK;
	if (!(flags & CS_CLIENT_READ))
		while ((r = try_open(&c, dir, flags, opts, load, ctx, until, err)) == CS_EAGAIN && cs_clock_mono_ns() < until)
			(void)poll(NULL, 0, AGAIN_MS);
	if (r == CS_EAGAIN)
		return no_open(c, err);
	if (r < 0)
		return r;
	*ret = CS_STEAL(c);
	return CS_OK;
}

bool cs_client_is_engine(const cs_client *c)
{
	return c->engine != NULL;
}

/* ---- messages -------------------------------------------------------------------------------- */

static int send_tagged(cs_client *c, json_t *request, unsigned tag, cs_err *err)
{
	if (c->engine)
		return ask_own(c, request, tag, err);
	json_object_set_new(request, "tag", json_integer((json_int_t)tag));
	if (c->attached)
		return queue_request(c, request, err);
	json_decref(request);
	return cs_err_set(err, CS_EUNAVAIL, "this only reads; no engine was started or asked");
}

int cs_client_send(cs_client *c, json_t *request, unsigned *ret_tag, cs_err *err)
{
	unsigned tag = atomic_fetch_add(&c->next_tag, 1);
	int r = send_tagged(c, request, tag, err);
	if (r == CS_OK)
		*ret_tag = tag;
	return r;
}

static int no_answer(cs_client *c, cs_err *err)
{
	if (!cs_messages_closed(c->messages))
		return cs_err_set(err, CS_ETIMEOUT, "the engine did not answer in time; look at what it does with `capstan doctor`");
	pthread_mutex_lock(&c->lock);
	const char *why = c->why[0] ? c->why : "the engine has ended";
	int r = c->answered ? cs_err_set(err, CS_EUNAVAIL, "%s before it took the request; start the command again", why)
			    : cs_err_set(err, CS_EIO, "%s before it answered; whether it did what was asked is seen with "
					 "`capstan runs` and `capstan inbox`", why);
	pthread_mutex_unlock(&c->lock);
	return r;
}

int cs_client_call(cs_client *c, json_t *request, int timeout_ms, json_t **ret_ok, cs_err *err)
{
	unsigned tag = 0;
	int r = cs_client_send(c, request, &tag, err);
	if (r < 0)
		return r;
	CS_AUTOJSON json_t *reply = cs_messages_take_tag(c->messages, tag, timeout_ms);
	if (!reply)
		return no_answer(c, err);
	const json_t *error = json_object_get(reply, "error");
	if (error)
		return cs_err_set(err, word_code(cs_json_str(error, "code")), "%s",
				  cs_json_str_or(error, "message", "the engine refused without saying why"));
	if (ret_ok)
		*ret_ok = json_incref(json_object_get(reply, "ok"));
	return CS_OK;
}

int cs_client_fd(cs_client *c)
{
	return cs_messages_fd(c->messages);
}

/* An engine of our own that stopped by itself says so once. */
static json_t *own_gone(cs_client *c)
{
	if (!c->engine || c->gone)
		return NULL;
	char why[sizeof c->why];
	cs_engine_failure(c->engine, why, sizeof why);
	if (!why[0])
		return NULL;
	c->gone = true;
	memcpy(c->why, why, sizeof why);
	return json_pack("{s:s}", "gone", why);
}

int cs_client_next(cs_client *c, int timeout_ms, json_t **ret, cs_err *err)
{
	json_t *message = cs_messages_take(c->messages, timeout_ms);
	if (!message)
		message = own_gone(c);
	if (message) {
		*ret = message;
		return CS_OK;
	}
	if (cs_messages_closed(c->messages))
		return cs_err_set(err, CS_EUNAVAIL, "%s", c->why);
	return cs_err_set(err, CS_EAGAIN, "nothing has come");
}
