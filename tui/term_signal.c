/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals become bytes in a pipe, so that the loop meets them like any other input. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/i18n.h"
#include "base/mem.h"
#include "tui/term_priv.h"

static int signal_pipe = -1;   /* the handler's end; one terminal in a process */

static const struct { int sig; unsigned wake; } handled[CS_TERM_SIGNALS] = {
	{ SIGWINCH, CS_WAKE_RESIZE }, { SIGTSTP, CS_WAKE_STOP }, { SIGCONT, CS_WAKE_CONT },
	{ SIGTERM, CS_WAKE_END }, { SIGHUP, CS_WAKE_END },
};

static void on_signal(int sig)
{
	int saved = errno;
	unsigned char b = (unsigned char)sig;

	/* a full pipe already holds a wake-up */
	if (write(signal_pipe, &b, 1) < 0)
		errno = saved;
	errno = saved;
}

int cs_term_signals_open(cs_term *t, cs_err *err)
{
	struct sigaction sa = { .sa_handler = on_signal };

	if (pipe2(t->pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		t->pipe[0] = t->pipe[1] = -1;
		return cs_err_sys(err, errno, _("console: no pipe for signals: close other programs and start again"));
	}
	signal_pipe = t->pipe[1];
	(void)sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < CS_ARRAY_LEN(handled); i++)
		(void)sigaction(handled[i].sig, &sa, &t->old[i]);
	return CS_OK;
}

void cs_term_signals_close(cs_term *t)
{
	if (signal_pipe < 0)
		return;
	for (size_t i = 0; i < CS_ARRAY_LEN(handled); i++)
		(void)sigaction(handled[i].sig, &t->old[i], NULL);
	signal_pipe = -1;
	(void)close(t->pipe[0]);
	(void)close(t->pipe[1]);
}

static unsigned take_signals(cs_term *t)
{
	unsigned char b[64];
	unsigned wake = 0;
	ssize_t n;

	while ((n = read(t->pipe[0], b, sizeof(b))) > 0)
		for (ssize_t i = 0; i < n; i++)
			for (size_t k = 0; k < CS_ARRAY_LEN(handled); k++)
				if (handled[k].sig == b[i])
					wake |= handled[k].wake;
	return wake;
}

unsigned cs_term_wait(cs_term *t, int fd, int timeout_ms)
{
	struct pollfd p[3] = { { t->pipe[0], POLLIN, 0 }, { t->in, POLLIN, 0 }, { fd, POLLIN, 0 } };
	unsigned wake = 0;

	if (poll(p, fd >= 0 ? 3 : 2, timeout_ms) <= 0)
		return take_signals(t);
	if (p[1].revents & (POLLHUP | POLLERR | POLLNVAL)) {
		t->dead = true;   /* nothing more can be written to it either */
		return CS_WAKE_END;
	}
	if (p[0].revents)
		wake |= take_signals(t);
	if (p[1].revents & POLLIN)
		wake |= CS_WAKE_INPUT;
	if (fd >= 0 && p[2].revents)
		wake |= CS_WAKE_FD;
	return wake;
}

void cs_term_stop(cs_term *t, const char *farewell)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL }, mine;

	cs_term_leave(t);
	(void)fprintf(stderr, "%s\n", farewell);
	(void)sigemptyset(&dfl.sa_mask);
	(void)sigaction(SIGTSTP, &dfl, &mine);
	(void)raise(SIGTSTP);
	(void)sigaction(SIGTSTP, &mine, NULL);
	cs_term_enter(t);
}
