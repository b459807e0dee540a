/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket of an engine: .capstan/socket, 0600, only for the same user (SO_PEERCRED). JSON
 * lines: requests {tag, cmd, …} in, {tag, ok|error}, {feed: {seq}} and, at the end, {gone: why,
 * answered} out; answered: what has no answer by then was not taken. Bounded: lines as engine/wire.h says, 64 consoles, 64 open requests each; one that does not
 * read is cut off. */
#ifndef CS_ENGINE_SERVER_H
#define CS_ENGINE_SERVER_H

#include "base/err.h"
#include "engine/engine.h"

typedef struct cs_server cs_server;

/* Binds through the folder's descriptor (a socket's path is short). Its own thread. Only for who
 * holds the lease: a socket left behind by a dead holder is replaced. */
int cs_server_start(cs_engine *e, const char *state_dir, cs_server **ret, cs_err *err);
/* Removes the socket, waits a moment for answers to what was taken, ends the thread; answers that
 * come later are thrown away. NULL is fine. Not on the coordinator's thread, which must still run. */
void cs_server_stop(cs_server *s);

#define CS_SOCKET_NAME "socket"

#endif
