/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answer to a server's Digest challenge. Source: RFC 7616. */
#ifndef CS_CONNECTORS_DIGEST_H
#define CS_CONNECTORS_DIGEST_H

#include "base/err.h"
#include "net/header.h"

typedef struct cs_digest_login {
	const char *user, *password;
	const char *method;
	const char *target;      /* path and query, as in the request line */
	const char *cnonce;      /* random, of the client; letters, digits and = only */
} cs_digest_login;

/* The value of Authorization that answers the strongest challenge in HEADERS, a 401's; malloc'ed, for
 * cs_secret_free. CS_ENOTFOUND: none of them is Digest. CS_EUNSUPPORTED: of an algorithm or a quality of
 * protection that is not known here (MD5 and SHA-256, each also -sess; auth or none). */
int cs_digest_answer(const cs_headers *headers, const cs_digest_login *login, char **ret, cs_err *err);

#endif
