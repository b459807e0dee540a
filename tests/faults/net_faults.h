/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a network and the other side can do to one request: a row is what the proxy does (net_proxy.h) and
 * what may be known of the request's end then. */
#ifndef CS_TESTS_NET_FAULTS_H
#define CS_TESTS_NET_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum net_cut {
	NET_CUT_NOWHERE,
	NET_CUT_REFUSED,             /* nobody listens */
	NET_CUT_FIRST,               /* reset when some bytes of the request have come */
	NET_CUT_LAST,                /* reset when all but its last byte have been read */
	NET_CUT_HALF,                /* our half is closed before the request has come */
} net_cut;

typedef enum net_after {
	NET_KEEP,                    /* the connection stays as it is: for more, or for silence */
	NET_FIN,
	NET_RST,
} net_after;

typedef enum net_known {
	NET_WHOLE,                   /* a complete reply that says yes */
	NET_CUT,                     /* ambiguous */
	NET_NOT_SENT,                /* provably: no byte of the request has left */
} net_known;

typedef struct net_fault {
	const char *name;
	net_cut cut;
	bool forwards;               /* the ledger gets the request, whatever is answered */
	bool tls;                    /* the request is for https, and the greeting is all that comes */
	const char *say;             /* instead of the ledger's answer; NULL: that one */
	size_t say_len;              /* 0: strlen(say) */
	const char *endless;         /* after it, again and again */
	size_t keeps;                /* bytes of it that may be taken before the reply is given up */
	int wait_ms, drip_ms;        /* before the first byte; before each (0: all at once) */
	bool timed;                  /* only the operation's timeout ends it */
	net_after after;
	net_known known;
} net_fault;

enum { NET_FAULTS = 32 };        /* those that have a name count */
const net_fault *net_faults(void);
size_t net_faults_count(void);

#endif
