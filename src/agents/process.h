/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A flow's own `run: shell` and `run: script`, as the argument list, input and environment of one child. */
#ifndef CS_AGENTS_PROCESS_H
#define CS_AGENTS_PROCESS_H

#include "core/effect.h"

/* Runs `def.shell` {command, arguments, stdin, environment} by /bin/sh, or `def.script` {language, code, …}
 * by node (js, as a module) or python3 from a file of its own, with the workspace as its folder. The
 * environment is PATH, HOME, LANG=C.UTF-8 and what is given. `def.return` says what is the result: stdout
 * (by default, as printed), stderr, code, all, none.
 *
 * Not started (no such interpreter): not sent, `configuration`. Any exit status is done where the result holds
 * the status; else one that is not 0 is rejected, with the end of stderr. A signal, the deadline, too much
 * output: ambiguous. */
cs_outcome *cs_process_run(const cs_effect *e);

#endif
