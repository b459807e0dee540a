/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket of an engine: .capstan/socket, 0600, only for the same user (SO_PEERCRED). JSON
 * lines: requests {tag, cmd, …} in, {tag, ok|error} and {feed: {seq}} out. Bounded: 1 MiB a line,
 * 64 consoles, a slow one is cut off. */
#ifndef CS_ENGINE_SERVER_H
#define CS_ENGINE_SERVER_H

#include "base/err.h"
#include "engine/engine.h"

typedef struct cs_server cs_server;

/* Binds through the folder's descriptor (a socket's path is short). Its own thread. */
int cs_server_start(cs_engine *e, const char *state_dir, cs_server **ret, cs_err *err);
void cs_server_stop(cs_server *s);       /* removes the socket; NULL is fine */

#endif
