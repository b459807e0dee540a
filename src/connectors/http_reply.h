/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an HTTP reply to an outcome: kind, result, error, and the record for the trace. */
#ifndef CS_CONNECTORS_HTTP_REPLY_H
#define CS_CONNECTORS_HTTP_REPLY_H

#include "core/effect.h"
#include "net/http.h"

/* Bytes of a body that a record keeps of each side. */
#define CS_HTTP_RECORD_BODY ((size_t)64 << 10)

/* SENT are the headers as they left, the key's among them. */
cs_outcome *cs_http_outcome(const cs_effect *e, const cs_headers *sent, const cs_http_reply *r);
/* The content as a value: JSON where the type says so (text with *ret_note set when it does not
 * parse), text when it is UTF-8, else base64; null when empty. *ret_note is a constant or NULL. */
json_t *cs_http_content(const cs_http_reply *r, const char **ret_note);
/* Retry-After in milliseconds, at most a day; 0 when absent or unreadable. NOW in ms. */
int64_t cs_http_retry_after(const cs_headers *h, int64_t now_ms);

#endif
