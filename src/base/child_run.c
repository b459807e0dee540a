/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define CANCEL_POLL_MS 20

struct run {
	cs_child c;
	int pidfd;                   /* -1 before Linux 5.3: then the wait is by short polls */
	const char *in;
	size_t in_len;
	cs_buf *out, *errout;
	int64_t deadline_ns;
	const int *cancel;
	cs_child_result result;
	sigset_t mask;
	bool sigpipe_was_pending;
};

/* A child that closes its stdin early must not end us: SIGPIPE is blocked for this thread, and
 * one that came meanwhile is taken away. */
static bool sigpipe_pending(void)
{
	sigset_t pending;
	return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void hold_sigpipe(struct run *r)
{
	sigset_t pipe_only;
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	r->sigpipe_was_pending = sigpipe_pending();
	pthread_sigmask(SIG_BLOCK, &pipe_only, &r->mask);
}

static void release_sigpipe(struct run *r)
{
	static const struct timespec at_once = { 0, 0 };
	sigset_t pipe_only;
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	if (!r->sigpipe_was_pending && sigpipe_pending())
		sigtimedwait(&pipe_only, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &r->mask, NULL);
}

static void feed(struct run *r)
{
	ssize_t n = r->in_len ? write(r->c.in, r->in, r->in_len) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		r->in += n;
		r->in_len -= (size_t)n;
	}
	/* A child that does not read to the end has its reasons; its status tells. */
	if (n < 0 || r->in_len == 0)
		cs_closep(&r->c.in);
}

/* One read. Returns true when there may be more. */
static bool gather(struct run *r, int *fd, cs_buf *into)
{
	char chunk[16384];
	ssize_t n = read(*fd, chunk, sizeof chunk);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (n <= 0) {
		cs_closep(fd);
		return false;
	}
	size_t len = (size_t)n;
	if (!into)
		return true;
	if (into->failed || len > into->max - into->len) {
		r->result.too_big = true;
		len = into->failed ? 0 : into->max - into->len;
	}
	if (len && cs_buf_add(into, chunk, len) < 0)
		r->result.too_big = true;
	return !r->result.too_big;
}

/* Not reaped yet, so that its group can still be killed by number. */
static bool has_ended(const struct run *r)
{
	siginfo_t si = { 0 };
	return waitid(P_PID, (id_t)r->c.pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid == r->c.pid;
}

static bool should_stop(struct run *r)
{
	if (r->cancel && __atomic_load_n(r->cancel, __ATOMIC_ACQUIRE))
		r->result.cancelled = true;
	else if (r->deadline_ns && cs_clock_mono_ns() >= r->deadline_ns)
		r->result.timed_out = true;
	return r->result.cancelled || r->result.timed_out || r->result.too_big;
}

static int poll_time(const struct run *r)
{
	int ms = r->cancel || r->pidfd < 0 ? CANCEL_POLL_MS : -1;
	if (!r->deadline_ns)
		return ms;
	int64_t left = (r->deadline_ns - cs_clock_mono_ns()) / 1000000 + 1;
	left = left < 0 ? 0 : left > 60000 ? 60000 : left;
	return ms < 0 || left < ms ? (int)left : ms;
}

static void turn(struct run *r)
{
	struct pollfd p[] = {
		{ .fd = r->c.in, .events = POLLOUT },
		{ .fd = r->c.out, .events = POLLIN },
		{ .fd = r->c.err, .events = POLLIN },
		{ .fd = r->pidfd, .events = POLLIN },
	};
	if (poll(p, CS_ARRAY_LEN(p), poll_time(r)) <= 0)
		return;
	if (p[0].revents)
		feed(r);
	if (p[1].revents)
		gather(r, &r->c.out, r->out);
	if (p[2].revents)
		gather(r, &r->c.err, r->errout);
}

/* What the dead left in the pipes. Not to the end of file: one who fled the group may hold it. */
static void drain(struct run *r)
{
	while (r->c.out >= 0 && gather(r, &r->c.out, r->out))
		;
	while (r->c.err >= 0 && gather(r, &r->c.err, r->errout))
		;
}

static int make_nonblocking(int fd, cs_err *err)
{
	if (fd >= 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return cs_err_sys(err, errno, "cannot arrange a pipe to a child process");
	return 0;
}

static int make_all_nonblocking(const cs_child *c, cs_err *err)
{
	int r = make_nonblocking(c->in, err);
	if (r == 0)
		r = make_nonblocking(c->out, err);
	return r < 0 ? r : make_nonblocking(c->err, err);
}

static void end(struct run *r)
{
	/* The group dies first, so that nothing is added to what is drained. */
	cs_child group = { .pid = r->c.pid, .guarded = r->c.guarded, .in = -1, .out = -1, .err = -1 };
	r->c.pid = 0;
	r->result.status = cs_child_end(&group);
	if (!r->result.too_big)
		drain(r);
	cs_child_kill(&r->c);
}

int cs_child_run(const cs_child_opts *o, const void *in, size_t in_len, cs_buf *out, cs_buf *errout,
		 int64_t deadline_ns, const int *cancel, cs_child_result *ret, cs_err *err)
{
	struct run r = { .in = in, .in_len = in_len, .out = out, .errout = errout, .deadline_ns = deadline_ns, .cancel = cancel };
	int n = cs_child_start(o, &r.c, err);
	if (n < 0)
		return n;
	n = make_all_nonblocking(&r.c, err);
	if (n < 0) {
		cs_child_kill(&r.c);
		return n;
	}
	CS_AUTOCLOSE int pidfd = (int)syscall(SYS_pidfd_open, r.c.pid, 0);
	r.pidfd = pidfd;
	hold_sigpipe(&r);
	while (!has_ended(&r) && !should_stop(&r))
		turn(&r);
	end(&r);
	release_sigpipe(&r);
	*ret = r.result;
	return 0;
}
