/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/messages.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

struct cs_messages {
	pthread_mutex_t lock;
	pthread_cond_t more;
	json_t *list;            /* array, oldest first */
	json_t *feed;            /* the feed among them, borrowed; NULL: none */
	bool closed, raised;
	int fd, refs;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

cs_messages *cs_messages_new(void)
{
	cs_messages *m = cs_xcalloc(1, sizeof *m);
	pthread_condattr_t attr;
	must(pthread_condattr_init(&attr) == 0 && pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	must(pthread_mutex_init(&m->lock, NULL) == 0 && pthread_cond_init(&m->more, &attr) == 0);
	pthread_condattr_destroy(&attr);
	m->list = json_array();
	m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(m->list && m->fd >= 0);
	m->refs = 1;
	return m;
}

cs_messages *cs_messages_ref(cs_messages *m)
{
	pthread_mutex_lock(&m->lock);
	m->refs++;
	pthread_mutex_unlock(&m->lock);
	return m;
}

void cs_messages_unref(cs_messages *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	int left = --m->refs;
	pthread_mutex_unlock(&m->lock);
	if (left > 0)
		return;
	pthread_mutex_destroy(&m->lock);
	pthread_cond_destroy(&m->more);
	json_decref(m->list);
	close(m->fd);
	free(m);
}

/* Holds the descriptor to its promise. Under the lock; it never blocks. */
static void tell(cs_messages *m)
{
	bool want = m->closed || json_array_size(m->list) > 0;
	if (want == m->raised)
		return;
	uint64_t value = 1;
	ssize_t n;
	do
		n = want ? write(m->fd, &value, sizeof value) : read(m->fd, &value, sizeof value);
	while (n < 0 && errno == EINTR);
	must(n == (ssize_t)sizeof value);
	m->raised = want;
}

/* Under the lock; takes MESSAGE over. */
static void append(cs_messages *m, json_t *message)
{
	must(json_array_append_new(m->list, message) == 0);
	tell(m);
	pthread_cond_broadcast(&m->more);
}

void cs_messages_push(cs_messages *m, json_t *message)
{
	pthread_mutex_lock(&m->lock);
	if (m->closed)
		json_decref(message);
	else
		append(m, message);
	pthread_mutex_unlock(&m->lock);
}

void cs_messages_feed(cs_messages *m, int64_t seq)
{
	pthread_mutex_lock(&m->lock);
	if (m->feed) {
		json_integer_set(json_object_get(json_object_get(m->feed, "feed"), "seq"), seq);
	} else if (!m->closed) {
		m->feed = json_pack("{s:{s:I}}", "feed", "seq", (json_int_t)seq);
		must(m->feed);
		append(m, m->feed);
	}
	pthread_mutex_unlock(&m->lock);
}

void cs_messages_close(cs_messages *m)
{
	pthread_mutex_lock(&m->lock);
	m->closed = true;
	tell(m);
	pthread_cond_broadcast(&m->more);
	pthread_mutex_unlock(&m->lock);
}

bool cs_messages_closed(cs_messages *m)
{
	pthread_mutex_lock(&m->lock);
	bool closed = m->closed;
	pthread_mutex_unlock(&m->lock);
	return closed;
}

/* Under the lock. TAG < 0: whichever is first. */
static json_t *take_now(cs_messages *m, int64_t tag)
{
	size_t i;
	json_t *message;
	json_array_foreach(m->list, i, message) {
		if (tag >= 0 && cs_json_int_or(message, "tag", -1) != tag)
			continue;
		if (message == m->feed)
			m->feed = NULL;
		json_incref(message);
		json_array_remove(m->list, i);
		tell(m);
		return message;
	}
	return NULL;
}

static json_t *take(cs_messages *m, int64_t tag, int timeout_ms)
{
	int64_t until = cs_clock_mono_ns() + (int64_t)timeout_ms * 1000000;
	struct timespec t = { .tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000) };
	pthread_mutex_lock(&m->lock);
	json_t *message;
	int r = 0;
	while (!(message = take_now(m, tag)) && !m->closed && timeout_ms != 0 && r == 0)
		r = timeout_ms < 0 ? pthread_cond_wait(&m->more, &m->lock) : pthread_cond_timedwait(&m->more, &m->lock, &t);
	pthread_mutex_unlock(&m->lock);
	return message;
}

json_t *cs_messages_take(cs_messages *m, int timeout_ms)
{
	return take(m, -1, timeout_ms);
}

json_t *cs_messages_take_tag(cs_messages *m, unsigned tag, int timeout_ms)
{
	return take(m, (int64_t)tag, timeout_ms);
}

int cs_messages_fd(cs_messages *m)
{
	return m->fd;
}
