/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP header fields as a list, and the one judge of what may be written into a request. */
#ifndef CS_NET_HEADER_H
#define CS_NET_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

typedef struct cs_header {
	char *name, *value;
} cs_header;

typedef struct cs_headers {
	cs_header *list;
	size_t count, cap;
} cs_headers;

void cs_headers_fini(cs_headers *h);
/* Copies both. */
void cs_headers_add(cs_headers *h, const char *name, size_t name_len, const char *value, size_t value_len);
/* The first value under NAME in any case; borrowed, NULL when absent. */
const char *cs_headers_get(const cs_headers *h, const char *name);
/* False where Content-Length is no number, or says two different ones, in fields or in a list (RFC 9112, 6.3):
 * where such a message ends cannot be known. True where there is none. */
bool cs_headers_length_plain(const cs_headers *h);

/* CS_OK when NAME is a token (RFC 9110, 5.6.2), VALUE (LEN bytes) is without CR, LF, NUL and other
 * control characters but tab, and NAME is not one that frames or routes the message (Host,
 * Content-Length, Transfer-Encoding, Connection, Expect, …), which are ours to write.
 * CS_EINVAL with a sentence otherwise. */
int cs_header_check(const char *name, size_t name_len, const char *value, size_t len, cs_err *err);
/* True for a method that is a token of at most 32 upper-case letters and hyphens. */
bool cs_method_ok(const char *method);
/* True for GET and HEAD: what may be sent again or follow a redirect without a thought. */
bool cs_method_safe(const char *method);

#endif
