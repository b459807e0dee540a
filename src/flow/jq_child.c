/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/jq_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"

void cs_jq_child_init(cs_jq_child *c)
{
	*c = (cs_jq_child){ .process = { .pid = 0, .in = -1, .out = -1, .err = -1 } };
}

bool cs_jq_child_runs(const cs_jq_child *c)
{
	return c->process.pid > 0;
}

void cs_jq_child_stop(cs_jq_child *c)
{
	cs_child_kill(&c->process);
	memset(c->slots, 0, sizeof(c->slots));
	c->served = 0;
}

int cs_jq_child_start(cs_jq_child *c, const char *exe, cs_err *err)
{
	const char *const argv[] = { exe, "jq-worker", NULL };
	/* Not die_with_parent: the kernel would kill it with the thread that started it. It ends
	 * when its input does. */
	cs_child_opts o = { .argv = argv, .memory_limit = CS_JQ_MEMORY, .quiet_stderr = true };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	o.memory_limit = 0;   /* its shadow alone is terabytes of address space */
#endif
	cs_err why = { 0 };
	if (cs_child_start(&o, &c->process, &why) < 0)
		return cs_err_set(err, CS_EUNAVAIL, "cannot start the evaluator of jq expressions: %s", why.msg);
	if (fcntl(c->process.in, F_SETFL, O_NONBLOCK) < 0 || fcntl(c->process.out, F_SETFL, O_NONBLOCK) < 0) {
		cs_jq_child_stop(c);
		return cs_err_set(err, CS_EUNAVAIL, "cannot talk to the evaluator of jq expressions; try again");
	}
	return 0;
}

void cs_jq_child_inspect(cs_jq_child *c)
{
	struct pollfd p = { .fd = c->process.out, .events = POLLIN };
	if (cs_jq_child_runs(c) && poll(&p, 1, 0) != 0)
		cs_jq_child_stop(c);
}

static bool key_equal(const cs_jq_key *a, const cs_jq_key *b)
{
	return a->set == b->set && a->count == b->count && a->group == b->group;
}

int cs_jq_child_slot(const cs_jq_child *c, const cs_jq_key *key)
{
	for (int i = 0; i < CS_JQ_SLOTS; i++)
		if (key_equal(&c->slots[i].key, key))
			return i;
	return -1;
}

unsigned cs_jq_child_oldest(const cs_jq_child *c)
{
	unsigned oldest = 0;
	for (unsigned i = 1; i < CS_JQ_SLOTS; i++)
		if (c->slots[i].used < c->slots[oldest].used)
			oldest = i;
	return oldest;
}

/* ---- talking ---------------------------------------------------------------------------- */

/* 0: ready; CS_ETIMEOUT; CS_EIO. */
static int await(int fd, short events, int64_t deadline_ns)
{
	for (;;) {
		int64_t left = deadline_ns - cs_clock_mono_ns();
		if (left <= 0)
			return CS_ETIMEOUT;
		struct pollfd p = { .fd = fd, .events = events };
		int n = poll(&p, 1, (int)(left / 1000000 + 1));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return CS_EIO;
	}
}

static int send_all(int fd, const char *p, size_t n, int64_t deadline_ns)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w > 0) {
			p += w;
			n -= (size_t)w;
			continue;
		}
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno != EAGAIN)
			return CS_EIO;
		int rc = await(fd, POLLOUT, deadline_ns);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A child that died must not end us: SIGPIPE is blocked meanwhile, and one that came is taken. */
static int send_frame(cs_jq_child *c, const cs_buf *frame, int64_t deadline_ns)
{
	static const struct timespec at_once = { 0, 0 };
	sigset_t pipe_only, before, pending;
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&pending);
	bool was_pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	int rc = send_all(c->process.in, frame->data, frame->len, deadline_ns);
	if (rc < 0 && !was_pending)
		(void)sigtimedwait(&pipe_only, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/* Up to N bytes: how many, CS_ETIMEOUT or CS_EIO. */
static ssize_t receive_some(int fd, char *to, size_t n, int64_t deadline_ns)
{
	for (;;) {
		ssize_t r = read(fd, to, n);
		if (r > 0)
			return r;
		if (r == 0 || (errno != EAGAIN && errno != EINTR))
			return CS_EIO;
		int rc = await(fd, POLLIN, deadline_ns);
		if (rc < 0)
			return rc;
	}
}

static int receive_head(int fd, size_t *ret_len, int64_t deadline_ns)
{
	unsigned char head[4];
	for (size_t got = 0; got < sizeof(head);) {
		ssize_t r = receive_some(fd, (char *)head + got, sizeof(head) - got, deadline_ns);
		if (r < 0)
			return (int)r;
		got += (size_t)r;
	}
	*ret_len = cs_jq_frame_length(head);
	return *ret_len == 0 || *ret_len > CS_JQ_FRAME_MAX ? CS_EIO : 0;
}

static int receive_frame(cs_jq_child *c, cs_buf *reply, int64_t deadline_ns)
{
	char chunk[16384];
	size_t left = 0;
	int rc = receive_head(c->process.out, &left, deadline_ns);
	while (rc == 0 && left) {
		ssize_t r = receive_some(c->process.out, chunk, left < sizeof(chunk) ? left : sizeof(chunk), deadline_ns);
		if (r < 0)
			return (int)r;
		if (cs_buf_add(reply, chunk, (size_t)r) < 0)
			return CS_EIO;
		left -= (size_t)r;
	}
	return rc;
}

int cs_jq_child_ask(cs_jq_child *c, cs_buf *frame, cs_buf *reply, int64_t deadline_ns, cs_err *err)
{
	if (cs_jq_frame_end(frame) < 0)
		return cs_err_set(err, CS_ETOOBIG, "a request to jq is over %u MiB", CS_JQ_FRAME_MAX >> 20);
	int rc = send_frame(c, frame, deadline_ns);
	if (rc == 0)
		rc = receive_frame(c, reply, deadline_ns);
	if (rc < 0)
		cs_jq_child_stop(c);
	c->died |= rc == CS_EIO;
	return rc;
}
