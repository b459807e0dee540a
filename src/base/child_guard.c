/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/child_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LAST_FD 3            /* child.c has closed what is above */
#define ROUNDS_MAX 500       /* of 10 ms: what cannot be killed (another user's, or stuck in the kernel) is left */

static const struct timespec at_once = { 0, 0 }, round_time = { 0, 10000000 };

int cs_child_guard_begin(pid_t parent)
{
	/* Ignored, it would take the dead away before we see how they ended. */
	struct sigaction sa = { .sa_handler = SIG_DFL };
	if (sigaction(SIGCHLD, &sa, NULL) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return -1;
	/* It may have died before the line above. */
	if (getppid() != parent)
		_exit(126);
	return 0;
}

/* The program itself stays unreaped, so that its group can be killed by number. */
static bool has_ended(pid_t program)
{
	for (;;) {
		siginfo_t si = { 0 };
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || si.si_pid == 0)
			return false;
		if (si.si_pid == program)
			return true;
		(void)waitpid(si.si_pid, NULL, 0);
	}
}

static void kill_children(void)
{
	char text[4096];
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
	pid_t pid = 0;
	/* A number that the end cuts off has no space behind it; the next round sees it. */
	for (ssize_t i = 0; i < n; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			pid = pid * 10 + (text[i] - '0');
			continue;
		}
		if (pid > 0)
			(void)kill(pid, SIGKILL);
		pid = 0;
	}
	if (fd >= 0)
		close(fd);
}

static _Noreturn void end_as(int status)
{
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	int sig = WTERMSIG(status);
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t one;
	(void)sigaction(sig, &sa, NULL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	(void)kill(getpid(), sig);
	_exit(128 + sig);
}

/* Each round kills what the last one has left to us, down to the last descendant. */
static _Noreturn void end_all(pid_t program)
{
	int status = SIGKILL;
	bool reaped = false;
	sigset_t wake;
	sigemptyset(&wake);
	sigaddset(&wake, SIGCHLD);
	for (int i = 0; i < ROUNDS_MAX; i++) {
		pid_t pid;
		int how;
		if (!reaped)
			(void)kill(-program, SIGKILL);
		kill_children();
		while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
			reaped |= pid == program;
			status = pid == program ? how : status;
		}
		if (pid < 0)
			break;
		(void)sigtimedwait(&wake, NULL, &round_time);
	}
	end_as(status);
}

void cs_child_guard_wait(pid_t program)
{
	sigset_t wake;
	sigemptyset(&wake);
	sigaddset(&wake, SIGCHLD);
	sigaddset(&wake, SIGTERM);
	/* Nothing of ours is held open by it, shown by it, or left behind in a core file. */
	for (int fd = 0; fd <= LAST_FD; fd++)
		close(fd);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "capstan-guard");
	for (;;) {
		bool ended = has_ended(program);
		/* Of several the lowest comes first, which is SIGTERM. */
		int sig = sigtimedwait(&wake, NULL, ended ? &at_once : NULL);
		if (sig == SIGTERM)
			end_all(program);
		if (ended)
			break;
	}
	int status = SIGKILL;
	(void)kill(-program, SIGKILL);
	(void)waitpid(program, &status, 0);
	end_as(status);
}
