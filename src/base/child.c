/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child_guard.h"
#include "base/mem.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define MAX_PLACES 64
#define REPORT_FD 3          /* in the child: where a failure before the exec is told */
#define GUARD_MS 10000       /* for a guard to end all: twice what it gives itself */
#define FIRST_FD 10          /* our ends stay above what the child arranges */

struct report {
	int32_t at_exec;         /* else at the folder or the limits */
	int32_t errnum;
};

/* All that the child needs, made before the fork: after it only async-signal-safe calls. */
struct plan {
	const cs_child_opts *o;
	char *places[MAX_PLACES + 1];    /* the program by each folder of the search path */
	int in[2], out[2], err[2], report[2];
	pid_t parent;
};

static void plan_fini(struct plan *p)
{
	for (size_t i = 0; p->places[i]; i++)
		free(p->places[i]);
	int *fds[] = { p->in, p->out, p->err, p->report };
	for (size_t i = 0; i < CS_ARRAY_LEN(fds); i++) {
		cs_closep(&fds[i][0]);
		cs_closep(&fds[i][1]);
	}
}

static int raise_one(int *fd)
{
	if (*fd >= FIRST_FD)
		return 0;
	int up = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FD);
	if (up < 0)
		return -1;
	close(*fd);
	*fd = up;
	return 0;
}

static int open_pipe(int fds[2], cs_err *err)
{
	if (pipe2(fds, O_CLOEXEC) < 0 || raise_one(&fds[0]) < 0 || raise_one(&fds[1]) < 0)
		return cs_err_sys(err, errno, "cannot make a pipe to a child process");
	return 0;
}

static int open_pipes(struct plan *p, cs_err *err)
{
	int r = open_pipe(p->in, err);
	if (r == 0)
		r = open_pipe(p->out, err);
	if (r == 0)
		r = open_pipe(p->report, err);
	if (r < 0 || !p->o->quiet_stderr)
		return r < 0 ? r : open_pipe(p->err, err);
	p->err[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (p->err[1] < 0 || raise_one(&p->err[1]) < 0)
		return cs_err_sys(err, errno, "cannot open /dev/null");
	return 0;
}

static int list_places(struct plan *p, cs_err *err)
{
	const char *name = p->o->argv[0], *s = p->o->path ? p->o->path : DEFAULT_PATH;
	size_t n = 0;
	if (strchr(name, '/')) {
		p->places[0] = cs_xstrdup(name);
		return 0;
	}
	/* An empty part of a search path means the current folder to a shell; not to us. */
	for (; *s && *name; s += *s == ':') {
		size_t len = strcspn(s, ":");
		if (len > 0 && n == MAX_PLACES)
			return cs_err_set(err, CS_ETOOBIG, "a search path has more than %d folders; make it shorter", MAX_PLACES);
		if (len > 0)
			p->places[n++] = cs_xasprintf("%.*s/%s", (int)len, s, name);
		s += len;
	}
	return 0;
}

/* --- in the child --- */

static void fail(bool at_exec, int errnum)
{
	struct report r = { at_exec, errnum };
	/* Smaller than PIPE_BUF, so written whole; without a reader there is nobody to tell. */
	ssize_t n = write(REPORT_FD, &r, sizeof r);
	_exit(n == (ssize_t)sizeof r ? 127 : 126);
}

static void close_above(unsigned last)
{
	if (syscall(SYS_close_range, last + 1, ~0U, 0) == 0)
		return;
	/* Before Linux 5.9. */
	struct rlimit rl;
	rlim_t n = getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_max < 1048576 ? rl.rlim_max : 1048576;
	for (rlim_t fd = last + 1; fd < n; fd++)
		close((int)fd);
}

static void reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void exec_first(const struct plan *p)
{
	static char *const empty[] = { NULL };
	char *const *argv = (char *const *)p->o->argv, *const *envp = p->o->envp ? (char *const *)p->o->envp : empty;
	int worst = ENOENT;
	for (size_t i = 0; p->places[i]; i++) {
		execve(p->places[i], argv, envp);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			fail(true, errno);
		if (errno == EACCES)
			worst = EACCES;
	}
	fail(true, worst);
}

static int enter(const struct plan *p)
{
	const cs_child_opts *o = p->o;
	struct rlimit rl = { o->memory_limit, o->memory_limit };
	if (o->memory_limit && setrlimit(RLIMIT_AS, &rl) < 0)
		fail(false, errno);
	if (o->cwd && chdir(o->cwd) < 0)
		fail(false, errno);
	reset_signals();
	exec_first(p);
	return 127;
}

struct guarded {
	const struct plan *plan;
	pid_t guard;
};

static int enter_guarded(void *arg)
{
	const struct guarded *g = arg;
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail(false, errno);
	/* It may have died before the line above. */
	if (getppid() != g->guard)
		_exit(126);
	return enter(g->plan);
}

/* Stays behind as the guard of the program. That borrows our memory until its exec: a second copy of an engine's
 * would take longer than all the rest. STACK lies in this thread's own: a sanitizer would put it elsewhere, and then
 * warn of it on the program's standard error. */
__attribute__((no_sanitize("address"))) static void be_guard(const struct plan *p)
{
	_Alignas(16) char stack[32768];
	struct guarded g = { p, getpid() };
	if (cs_child_guard_begin(p->parent) < 0)
		fail(false, errno);
	pid_t pid = clone(enter_guarded, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &g);
	if (pid < 0)
		fail(false, errno);
	cs_child_guard_wait(pid);
}

static void become(const struct plan *p)
{
	if (setpgid(0, 0) < 0)
		fail(false, errno);
	if (dup2(p->in[0], 0) < 0 || dup2(p->out[1], 1) < 0 || dup2(p->err[1], 2) < 0 ||
	    dup3(p->report[1], REPORT_FD, O_CLOEXEC) < 0)
		_exit(126);
	close_above(REPORT_FD);
	if (p->o->die_with_parent)
		be_guard(p);
	_exit(enter(p));
}

/* --- in the parent --- */

static int explain(const struct plan *p, const struct report *r, cs_err *err)
{
	const char *name = p->o->argv[0];
	if (!r->at_exec) {
		/* Not CS_ENOTFOUND: that means the program. */
		char why[128];
		return cs_err_set(err, CS_EINVAL, "cannot prepare a process for %s (in the folder %s): %s", name,
				  p->o->cwd ? p->o->cwd : ".", strerror_r(r->errnum, why, sizeof why));
	}
	if (r->errnum == ENOENT)
		return cs_err_set(err, CS_ENOTFOUND, "the program %s is not there (or what its first line names is not); "
				  "install it or correct the search path", name);
	return cs_err_sys(err, r->errnum, "cannot run the program %s", name);
}

/* Waits until the child is the program, or is not. */
static int await_exec(struct plan *p, pid_t pid, cs_err *err)
{
	struct report r;
	ssize_t n;
	cs_closep(&p->report[1]);
	do
		n = read(p->report[0], &r, sizeof r);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof r)
		return cs_err_set(err, CS_EIO, "cannot tell whether %s was started; try again", p->o->argv[0]);
	return explain(p, &r, err);
}

/* Handlers of ours must not run in the child before it has reset them. */
static pid_t fork_quiet(const struct plan *p)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0)
		become(p);
	int saved = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return pid;
}

int cs_child_start(const cs_child_opts *o, cs_child *ret, cs_err *err)
{
	CS_CLEANUP(plan_fini) struct plan p = { .o = o, .in = { -1, -1 }, .out = { -1, -1 }, .err = { -1, -1 },
						.report = { -1, -1 }, .parent = getpid() };
	if (!o->argv || !o->argv[0])
		return cs_err_set(err, CS_EINVAL, "no program is named; give its name and arguments");
	int r = list_places(&p, err);
	if (r == 0)
		r = open_pipes(&p, err);
	if (r < 0)
		return r;
	pid_t pid = fork_quiet(&p);
	if (pid < 0)
		return cs_err_sys(err, errno, "cannot start a process for %s", o->argv[0]);
	r = await_exec(&p, pid, err);
	if (r < 0)
		return r;
	*ret = (cs_child){ .pid = pid, .guarded = o->die_with_parent, .in = p.in[1], .out = p.out[0], .err = p.err[0] };
	p.in[1] = p.out[0] = p.err[0] = -1;
	return 0;
}

/* The guard ends the rest, and then itself; one that a program has stopped is woken for it. */
static void tell_guard(pid_t pid)
{
	CS_AUTOCLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	if (pidfd >= 0 && poll(&p, 1, GUARD_MS) == 0)
		kill(pid, SIGKILL);
}

int cs_child_end(cs_child *c)
{
	int status = 0;
	if (c->pid > 0) {
		/* Before the reaping: until then the number cannot become another group's. */
		if (c->guarded)
			tell_guard(c->pid);
		else
			kill(-c->pid, SIGKILL);
		while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	c->pid = 0;
	cs_closep(&c->in);
	cs_closep(&c->out);
	cs_closep(&c->err);
	return status;
}

void cs_child_kill(cs_child *c)
{
	cs_child_end(c);
}
