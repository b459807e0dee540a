/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Confinement of a shell agent by bubblewrap: what its definition asks for, or nothing starts. */
#ifndef CS_AGENTS_CONFINE_H
#define CS_AGENTS_CONFINE_H

#include <stdbool.h>
#include "base/err.h"
#include "base/json.h"

/* A NULL-terminated argument list that grows to a fixed bound. */
enum { CS_ARGS_MAX = 512 };
typedef struct cs_args {
	char *list[CS_ARGS_MAX + 1];
	size_t count;
	bool full;
} cs_args;

void cs_args_add(cs_args *a, const char *text);   /* copies */
void cs_args_fini(cs_args *a);

/* True when the `shell` part of a definition names a restriction: network, read or write. */
bool cs_confine_asked(const json_t *shell);

/* Puts the confining command before COMMAND (a list of strings) into OUT, for the workspace
 * WORKDIR. `network: none` takes the network away. With `read` or `write` the program sees the
 * system's programs and libraries, an empty /tmp, the listed paths below WORKDIR (read-only or
 * not) and the files that its command names, and nothing else; without them the file system as it
 * is. The workspace's .capstan is never seen. Everything it started ends with it.
 * CS_EINVAL for a path that is absolute, leaves the workspace or is not there; CS_EUNAVAIL when
 * bubblewrap is missing or may not work here: it is tried once a process. */
int cs_confine(const json_t *shell, const json_t *command, const char *workdir, cs_args *out, cs_err *err);
/* The trial alone. */
int cs_confine_available(cs_err *err);

#endif
