/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which addresses may be reached. Judged on the address a socket really connects to, so that
 * a name that resolves otherwise on the second look gains nothing. */
#ifndef CS_NET_ADDRESS_H
#define CS_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

typedef enum cs_address_kind {
	CS_ADDRESS_PUBLIC,
	CS_ADDRESS_PRIVATE,    /* loopback, RFC 1918, shared (RFC 6598), unique local */
	CS_ADDRESS_LINK,       /* link-local, where clouds keep their metadata */
	CS_ADDRESS_NEVER,      /* multicast, broadcast, unspecified, reserved, not IP */
} cs_address_kind;

/* By the registries of RFC 6890; an IPv4 address inside IPv6 (mapped, 6to4, NAT64) counts as itself. */
cs_address_kind cs_address_kind_of(const struct sockaddr *sa);
/* As above for a literal ("10.0.0.1", "::1", "[::1]"); false when TEXT is not an address. */
bool cs_address_literal(const char *text, cs_address_kind *ret);
const char *cs_address_kind_name(cs_address_kind kind);

/* A host that a file names. Where a list is given, only what it names may be reached. */
typedef struct cs_allow {
	const char *host;      /* name or address, in any case, without brackets */
	unsigned port;         /* 0: any */
	bool private;          /* also when it resolves to a private address */
} cs_allow;

/* The entry that names HOST and PORT, or NULL. */
const cs_allow *cs_allow_find(const cs_allow *list, size_t n, const char *host, unsigned port);
/* May HOST, named by ENTRY (NULL: by nobody), be reached at an address of KIND? Link-local ones
 * only where the address itself is what is named. */
bool cs_allow_address(const cs_allow *entry, const char *host, cs_address_kind kind);

#endif
