/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

struct cs_queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty, not_full;
	void **ring;
	size_t size;                 /* of the ring: the capacity, or what the consumer made of it */
	size_t capacity, head, length;
	bool closed;
	int fd;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

cs_queue *cs_queue_new(size_t capacity)
{
	cs_queue *q = cs_xcalloc(1, sizeof *q);
	q->capacity = capacity ? capacity : 1;
	q->size = q->capacity;
	q->ring = cs_xcalloc(q->size, sizeof *q->ring);
	pthread_condattr_t attr;
	must(pthread_mutex_init(&q->lock, NULL) == 0 && pthread_condattr_init(&attr) == 0);
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	must(pthread_cond_init(&q->not_empty, &attr) == 0 && pthread_cond_init(&q->not_full, NULL) == 0);
	pthread_condattr_destroy(&attr);
	q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(q->fd >= 0);
	return q;
}

void cs_queue_free(cs_queue *q)
{
	if (!q)
		return;
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->not_empty);
	pthread_cond_destroy(&q->not_full);
	close(q->fd);
	free(q->ring);
	free(q);
}

/* The descriptor holds 1 exactly while the queue has entries or is closed. It is set and cleared
 * under the lock (it never blocks), or a watcher could see it wrong for good. */
static void raise_fd(cs_queue *q)
{
	uint64_t one = 1;
	ssize_t n;
	do
		n = write(q->fd, &one, sizeof one);
	while (n < 0 && errno == EINTR);
	must(n == (ssize_t)sizeof one);
}

static void clear_fd(cs_queue *q)
{
	uint64_t value;
	ssize_t n;
	do
		n = read(q->fd, &value, sizeof value);
	while (n < 0 && errno == EINTR);
	must(n == (ssize_t)sizeof value);
}

static void grow(cs_queue *q)
{
	void **ring = cs_xcalloc(2 * q->size, sizeof *ring);
	for (size_t i = 0; i < q->length; i++)
		ring[i] = q->ring[(q->head + i) % q->size];
	free(q->ring);
	q->ring = ring;
	q->size *= 2;
	q->head = 0;
}

static void append(cs_queue *q, void *entry)
{
	if (q->length == q->size)
		grow(q);
	q->ring[(q->head + q->length) % q->size] = entry;
	if (q->length++ == 0)
		raise_fd(q);
	pthread_cond_signal(&q->not_empty);
}

static bool push(cs_queue *q, void *entry, bool wait)
{
	pthread_mutex_lock(&q->lock);
	while (wait && !q->closed && q->length >= q->capacity)
		pthread_cond_wait(&q->not_full, &q->lock);
	bool ok = !q->closed && q->length < q->capacity;
	if (ok)
		append(q, entry);
	pthread_mutex_unlock(&q->lock);
	return ok;
}

bool cs_queue_push(cs_queue *q, void *entry)
{
	return push(q, entry, true);
}

bool cs_queue_try_push(cs_queue *q, void *entry)
{
	return push(q, entry, false);
}

bool cs_queue_push_own(cs_queue *q, void *entry)
{
	pthread_mutex_lock(&q->lock);
	bool ok = !q->closed;
	if (ok)
		append(q, entry);
	pthread_mutex_unlock(&q->lock);
	return ok;
}

static struct timespec after_ms(int ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

static void wait_for_entries(cs_queue *q, int timeout_ms)
{
	if (timeout_ms < 0) {
		while (q->length == 0 && !q->closed)
			pthread_cond_wait(&q->not_empty, &q->lock);
		return;
	}
	struct timespec until = after_ms(timeout_ms);
	int r = 0;
	while (q->length == 0 && !q->closed && r == 0)
		r = pthread_cond_timedwait(&q->not_empty, &q->lock, &until);
}

size_t cs_queue_take(cs_queue *q, void **out, size_t max, int timeout_ms)
{
	pthread_mutex_lock(&q->lock);
	if (max > 0 && timeout_ms != 0)
		wait_for_entries(q, timeout_ms);
	size_t n = q->length < max ? q->length : max;
	for (size_t i = 0; i < n; i++)
		out[i] = q->ring[(q->head + i) % q->size];
	q->head = (q->head + n) % q->size;
	q->length -= n;
	if (n > 0 && q->length == 0 && !q->closed)
		clear_fd(q);
	if (n > 0)
		pthread_cond_broadcast(&q->not_full);
	pthread_mutex_unlock(&q->lock);
	return n;
}

void cs_queue_close(cs_queue *q)
{
	pthread_mutex_lock(&q->lock);
	if (!q->closed) {
		q->closed = true;
		if (q->length == 0)
			raise_fd(q);
		pthread_cond_broadcast(&q->not_empty);
		pthread_cond_broadcast(&q->not_full);
	}
	pthread_mutex_unlock(&q->lock);
}

bool cs_queue_closed(cs_queue *q)
{
	pthread_mutex_lock(&q->lock);
	bool closed = q->closed;
	pthread_mutex_unlock(&q->lock);
	return closed;
}

size_t cs_queue_length(cs_queue *q)
{
	pthread_mutex_lock(&q->lock);
	size_t n = q->length;
	pthread_mutex_unlock(&q->lock);
	return n;
}

int cs_queue_fd(cs_queue *q)
{
	return q->fd;
}
