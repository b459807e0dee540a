/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/child.h"
#include "base/mem.h"

#define REPORT_FD 3

static void tell(int errnum)
{
	/* Smaller than PIPE_BUF, so written whole; without a reader there is nobody to tell. */
	ssize_t n = write(REPORT_FD, &errnum, sizeof errnum);
	_exit(n == (ssize_t)sizeof errnum ? 127 : 126);
}

/* Only async-signal-safe calls: there may have been threads. */
static void become(const char *path, const char *const *argv, int report)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;
	if (null < 0 || dup2(report, REPORT_FD) < 0)
		_exit(126);
	if (setsid() < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		tell(errno);
	if (fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) < 0 || syscall(SYS_close_range, REPORT_FD + 1, ~0U, 0) < 0)
		tell(errno);
	struct sigaction sa = { .sa_handler = SIG_DFL };
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(path, (char *const *)(uintptr_t)argv);
	tell(errno);
}

static void close_both(int (*fds)[2])
{
	cs_closep(&(*fds)[0]);
	cs_closep(&(*fds)[1]);
}

int cs_child_detach(const char *path, const char *const *argv, pid_t *ret, cs_err *err)
{
	CS_CLEANUP(close_both) int report[2] = { -1, -1 };
	int errnum = 0;
	if (pipe2(report, O_CLOEXEC) < 0)
		return cs_err_sys(err, errno, "cannot make a pipe to %s", argv[0]);
	pid_t pid = fork();
	if (pid < 0)
		return cs_err_sys(err, errno, "cannot start %s", argv[0]);
	if (pid == 0)
		become(path, argv, report[1]);
	cs_closep(&report[1]);
	ssize_t n;
	do
		n = read(report[0], &errnum, sizeof errnum);
	while (n < 0 && errno == EINTR);
	if (n != 0)
		return cs_err_sys(err, n == (ssize_t)sizeof errnum ? errnum : EIO, "cannot start %s", argv[0]);
	*ret = pid;
	return CS_OK;
}
