/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copying out: through tmux where we are in one, else by OSC 52. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <curses.h>
#include <term.h>
#include "base/buf.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "tui/term_priv.h"

#define COPY_MAX 65536u

static int to_tmux(const char *tmux, const char *text, size_t len, cs_err *err)
{
	CS_AUTOFREE char *env = cs_xasprintf("TMUX=%s", tmux);
	const char *const argv[] = { "tmux", "load-buffer", "-w", "-", NULL };
	const char *const envp[] = { env, "LC_ALL=C.UTF-8", NULL };
	cs_child_opts o = { .argv = argv, .envp = envp, .path = getenv("PATH"), .quiet_stderr = true };
	cs_child_result res = { 0 };
	CS_AUTOBUF cs_buf out = { 0 }, errout = { 0 };

	cs_buf_init(&out, 4096);
	cs_buf_init(&errout, 4096);
	if (cs_child_run(&o, text, len, &out, &errout, cs_clock_mono_ns() + 2000000000LL, NULL, &res, err) < 0)
		return CS_EUNAVAIL;
	return res.status == 0 && !res.timed_out ? CS_OK : CS_EUNAVAIL;
}

int cs_term_copy(cs_term *t, const char *text, cs_err *err)
{
	const char *tmux = getenv("TMUX");
	size_t len = strlen(text);

	if (len > COPY_MAX)
		return cs_err_set(err, CS_ETOOBIG, _("copy: %zu bytes are more than a clipboard sequence takes: use `capstan --json show` instead"), len);
	if (tmux && *tmux && to_tmux(tmux, text, len, NULL) == CS_OK)
		return CS_OK;
	if (!t->dead) {
		CS_AUTOFREE char *b64 = cs_base64(text, len);
		CS_AUTOFREE char *seq = cs_xasprintf("\033]52;c;%s\a", b64);

		putp(seq);
		fflush(stdout);
	}
	return CS_OK;
}
