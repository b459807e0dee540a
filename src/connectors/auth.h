/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A credential from the vault, as a request carries it: from a connector's `auth: { use, as }`, or from an
 * endpoint's policy that has stand-ins or `use`. Made just before it is sent. */
#ifndef CS_CONNECTORS_AUTH_H
#define CS_CONNECTORS_AUTH_H

#include "core/granted.h"

typedef struct cs_auth {
	char *header, *value;    /* a header to send; NULL: none */
	char *query;             /* "name=value", percent-encoded; NULL: none */
	char *user, *password;   /* Digest: to answer a challenge with; NULL: none */
} cs_auth;

/* What E asks for; all NULL where it asks for nothing. What is made is masked by G from then on. Errors are
 * those of cs_granted_value, and CS_EINVAL for a secret of another form than its use needs: basic and digest
 * take "user:password" or an object {username, password}, the others a text (bearer also {token}). */
int cs_auth_make(const cs_effect *e, cs_granted *g, cs_auth *ret, cs_err *err);
void cs_auth_fini(cs_auth *a);

#endif
