/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Agents of kind "shell": one program run to its end, JSON in, JSON out. */
#ifndef CS_AGENTS_SHELL_H
#define CS_AGENTS_SHELL_H

#include "core/effect.h"

#define CS_SHELL_OUTPUT_MAX ((size_t)4 << 20)
#define CS_SHELL_TIMEOUT_MS 60000

/* Runs `def.shell`: {command: [word…], stdin: json | text | none, stdout: json | text, network, read,
 * write} with the workspace as its folder. The command is an argument list, no shell reads it.
 * stdin `text` is the input itself when it is a string, else its `text`; stdout `text` loses one
 * newline at the end. The environment is PATH, HOME (the workspace) and LANG=C.UTF-8, nothing
 * else. network, read and write are enforced as agents/confine.h says, or nothing starts.
 *
 * Not started: not sent. Exit 0 with output as declared: done. Another exit status: rejected, with
 * the end of stderr in the error. Ended by a signal, the deadline or too much output:
 * ambiguous. Exit 0 with output that is not as declared: a `validation` error, rejected for pure and
 * read; for what sends it is ambiguous, since it did run. Blocking. */
cs_performer cs_shell_performer(void);

/* Checks the `shell` part of a definition without running it. */
int cs_shell_check(const json_t *shell, cs_err *err);

#endif
