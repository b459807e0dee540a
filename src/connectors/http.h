/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The performer of kind "http": sends a rendered request once and says, in the words of
 * STATES.md, how it ended. */
#ifndef CS_CONNECTORS_HTTP_H
#define CS_CONNECTORS_HTTP_H

#include "core/effect.h"
#include "net/http.h"

/* Performs effects whose `rendered` is from core/http_request.h, over CLIENT (borrowed, must
 * outlive the performer). Not blocking: done runs on the client's I/O thread. The gate is asked before
 * the connection and again before the first byte.
 *
 * Reaches the hosts of the connector's `allow` ("host", "host:port", "[::1]:port"), its `url`, and
 * what the rendered request marks as named. Private addresses: those under `allow`, and an
 * address or localhost written out in `url` or the flow. Without `allow` any public host.
 *
 * A keyed effect carries its key in the header of the operation's `keyed.header`
 * (Idempotency-Key where none is said). A read by GET or HEAD follows up to CS_HTTP_REDIRECTS
 * redirects, unless `redirect: true` hands them to the flow; nothing else ever does. */
cs_performer cs_http_performer(cs_http *client);

#endif
