/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/kill_outside.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/json.h"
#include "core/http_request.h"
#include "tests/faults/kill_calls.h"

enum { PENDING_MAX = 256, LATE_MAX = 256, SLOW_US = 1500 };

typedef enum way { WAY_DONE, WAY_LATER, WAY_REFUSED, WAY_LOST } way;

/* On the wire, both ways. */
struct message {
	unsigned id;
	way way;
	bool found;                  /* of /find: the ledger has it */
	kill_entry entry;
};

/* ---- the engine's side --------------------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	int fd;
	unsigned last_id;
	struct { unsigned id; cs_outcome_fn *done; void *ctx; } pending[PENDING_MAX];
} us = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Where the answer to a request goes; its number. */
static unsigned expect(cs_outcome_fn *done, void *ctx)
{
	unsigned id = 0;
	pthread_mutex_lock(&us.lock);
	for (size_t i = 0; i < PENDING_MAX && id == 0; i++)
		if (us.pending[i].id == 0) {
			id = us.pending[i].id = ++us.last_id;
			us.pending[i].done = done;
			us.pending[i].ctx = ctx;
		}
	pthread_mutex_unlock(&us.lock);
	return id;
}

static bool expected(unsigned id, cs_outcome_fn **ret_done, void **ret_ctx)
{
	bool found = false;
	pthread_mutex_lock(&us.lock);
	for (size_t i = 0; i < PENDING_MAX && !found; i++)
		if (us.pending[i].id == id) {
			found = true;
			us.pending[i].id = 0;
			*ret_done = us.pending[i].done;
			*ret_ctx = us.pending[i].ctx;
		}
	pthread_mutex_unlock(&us.lock);
	return found;
}

static cs_outcome *outcome_of(const struct message *m)
{
	switch (m->way) {
	case WAY_LATER: {
		cs_outcome *o = cs_outcome_failed(CS_OUTCOME_TRANSIENT, CS_ERROR_COMMUNICATION, 503, NULL, "%s", "later");
		o->retry_after_ms = 1;
		return o;
	}
	case WAY_REFUSED:
		return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_COMMUNICATION, 422, NULL, "%s", "not this");
	case WAY_LOST:
		return cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_COMMUNICATION, 0, NULL, "%s", "the answer was cut off");
	case WAY_DONE:
		break;
	}
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = json_pack("{s:b, s:s, s:b}", "ok", 1, "path", m->entry.path, "found", (int)m->found);
	o->record = json_pack("{s:{s:i}}", "reply", "status", 200);
	return o;
}

static void *take_answers(void *none)
{
	struct message m;
	cs_outcome_fn *done;
	void *ctx;
	for (ssize_t n; (n = recv(us.fd, &m, sizeof m, 0)) == sizeof m || (n < 0 && errno == EINTR);) {
		if (n < 0 || !expected(m.id, &done, &ctx))
			continue;
		kill_reach(KILL_POINT_BEFORE_OUTCOME);
		done(ctx, outcome_of(&m));
	}
	return none;
}

static void describe(const cs_effect *e, kill_entry *x)
{
	const char *url = cs_json_str_or(e->rendered, "url", ""), *rest = strstr(url, "://");
	const char *path = rest != NULL ? rest + 3 + strcspn(rest + 3, "/") : "";
	CS_AUTOBUF cs_buf body;
	cs_buf_init(&body, (size_t)1 << 20);
	(void)cs_http_render_body(e->rendered, &body, NULL);
	cs_hash_hex(cs_buf_str(&body), body.len, x->body);
	snprintf(x->method, sizeof x->method, "%s", cs_json_str_or(e->rendered, "method", ""));
	snprintf(x->path, sizeof x->path, "%s", path);
	snprintf(x->key, sizeof x->key, "%s", e->key);
	/* Whether it happened can be asked: so it is never sent in vain a second time. */
	x->unsafe = e->class == CS_EFFECT_UNSAFE || e->class == CS_EFFECT_PROBE;
}

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)self;
	struct message m = { .id = 0 };
	if (e->gate != NULL && !e->gate(e->gate_ctx)) {
		done(ctx, cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_COMMUNICATION, 0, NULL, "%s", "held"));
		return CS_OK;
	}
	describe(e, &m.entry);
	m.id = expect(done, ctx);
	if (m.id == 0)
		return cs_err_set(err, CS_EUNAVAIL, "too many requests at once");
	if (send(us.fd, &m, sizeof m, MSG_NOSIGNAL) != sizeof m) {
		if (expected(m.id, &done, &ctx))
			done(ctx, cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_COMMUNICATION, 0, NULL, "%s", "the outside is gone"));
		return CS_OK;
	}
	kill_reach(KILL_POINT_SENT);
	return CS_OK;
}

cs_performer kill_outside_performer(int fd)
{
	pthread_t t;
	us.fd = fd;
	if (pthread_create(&t, NULL, take_answers, NULL) == 0)
		pthread_detach(t);
	return (cs_performer){ .kind = "http", .perform = perform };
}

/* ---- the other side ------------------------------------------------------------------------------------ */

static struct { int64_t due_ns; struct message m; } late[LATE_MAX];
static size_t n_late;

void kill_outside_forget(void)
{
	n_late = 0;
}

int64_t kill_outside_answer_late(int fd)
{
	int64_t now = cs_clock_mono_ns(), next = -1;
	for (size_t i = 0; i < n_late;) {
		if (late[i].due_ns <= now) {
			(void)send(fd, &late[i].m, sizeof late[i].m, MSG_NOSIGNAL | MSG_DONTWAIT);
			late[i] = late[--n_late];
			continue;
		}
		int64_t left = (late[i].due_ns - now + 999) / 1000;
		next = next < 0 || left < next ? left : next;
		i++;
	}
	return next;
}

/* How often the ledger has this path, or this key. */
static unsigned times(const kill_shared *s, const char *path, const char *key)
{
	unsigned n = 0;
	for (unsigned i = 0; i < atomic_load(&s->entries); i++)
		n += (path == NULL || strcmp(s->entry[i].path, path) == 0) && (key == NULL || strcmp(s->entry[i].key, key) == 0);
	return n;
}

static bool begins(const char *path, const char *word)
{
	size_t n = strlen(word);
	return strncmp(path, word, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* Down for three of five requests. */
static bool weak_fails(const kill_shared *s)
{
	unsigned n = 0;
	for (unsigned i = 0; i < atomic_load(&s->entries); i++)
		n += begins(s->entry[i].path, "/weak");
	return n % 5 < 3;
}

/* /find/N/S: did /sure/N/S happen? */
static bool found(const kill_shared *s, const char *path)
{
	if (!begins(path, "/find"))
		return false;
	CS_AUTOFREE char *sure = cs_xasprintf("/sure%s", path + strlen("/find"));
	return times(s, sure, NULL) > 0;
}

static way way_of(const kill_shared *s, const kill_entry *x)
{
	if (begins(x->path, "/flaky"))
		return times(s, NULL, x->key) == 0 ? WAY_LATER : WAY_DONE;
	if (begins(x->path, "/once"))
		return times(s, x->path, NULL) == 0 ? WAY_REFUSED : WAY_DONE;
	const char *last = strrchr(x->path, '/');
	if (begins(x->path, "/no") || (last != NULL && strcmp(last, "/wrong") == 0))
		return WAY_REFUSED;
	if (begins(x->path, "/weak"))
		return weak_fails(s) ? WAY_LATER : WAY_DONE;
	return begins(x->path, "/cut") || begins(x->path, "/sure") ? WAY_LOST : WAY_DONE;
}

/* What no engine may do, whatever happened to it. */
static bool forbidden(const kill_shared *s, const kill_entry *x, char *why, size_t size)
{
	for (unsigned i = 0; i < atomic_load(&s->entries); i++) {
		const kill_entry *o = &s->entry[i];
		if (strcmp(o->key, x->key) == 0 && (x->unsafe || o->unsafe)) {
			snprintf(why, size, "I3: the unsafe key %.12s came a second time: %s, then %s", x->key, o->path, x->path);
			return true;
		}
		if (strcmp(o->key, x->key) == 0 && strcmp(o->body, x->body) != 0) {
			snprintf(why, size, "I3: the key %.12s came with two bodies: %s, %s", x->key, o->path, x->path);
			return true;
		}
		if (x->unsafe && o->unsafe && !o->refused && strcmp(o->path, x->path) == 0) {
			snprintf(why, size, "an unsafe effect is repeated in silence: %s, keys %.12s and %.12s", x->path, o->key, x->key);
			return true;
		}
	}
	return false;
}

int kill_outside_serve(kill_shared *s, int fd, char *why, size_t size)
{
	struct message m;
	ssize_t n;
	do
		n = recv(fd, &m, sizeof m, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return KILL_OUTSIDE_NONE;
	if (n != sizeof m)
		return KILL_OUTSIDE_GONE;
	unsigned at = atomic_load(&s->entries);
	if (at >= KILL_LEDGER_MAX) {
		snprintf(why, size, "the ledger is full: %d requests", KILL_LEDGER_MAX);
		return KILL_OUTSIDE_BROKEN;
	}
	if (forbidden(s, &m.entry, why, size))
		return KILL_OUTSIDE_BROKEN;
	m.way = way_of(s, &m.entry);
	m.found = found(s, m.entry.path);
	m.entry.at = kill_now_ms(s);
	m.entry.refused = m.way == WAY_REFUSED || m.way == WAY_LATER;
	s->entry[at] = m.entry;
	atomic_store(&s->entries, at + 1);
	if (begins(m.entry.path, "/slow") && n_late < LATE_MAX) {
		late[n_late].due_ns = cs_clock_mono_ns() + SLOW_US * INT64_C(1000);
		late[n_late++].m = m;
	} else {
		(void)send(fd, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	return KILL_OUTSIDE_TAKEN;
}
