/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one HTTP client: requests go in from any thread, one I/O thread owns curl and every
 * socket. A reply says how far the request came, and claims "not sent" only where no byte of
 * the request can have left. Nothing is started before the first request. */
#ifndef CS_NET_HTTP_H
#define CS_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "net/address.h"
#include "net/header.h"

#define CS_HTTP_REPLY_MAX ((size_t)8 << 20)
#define CS_HTTP_TIMEOUT_MS 30000
#define CS_HTTP_CONNECT_MS 10000
#define CS_HTTP_REDIRECTS 5

typedef struct cs_http cs_http;

typedef struct cs_http_request {
	const char *method;            /* upper case */
	const char *url;               /* http or https, without user information */
	const cs_header *headers;
	size_t header_count;
	const void *body;
	size_t body_len;
	bool has_body;                 /* an empty body is a body */
	/* Never sent a second time, not even on a connection that turned out dead. Always so for
	 * methods other than GET and HEAD. */
	bool once;
	int64_t timeout_ms;            /* for the whole, redirects included; 0: CS_HTTP_TIMEOUT_MS */
	int64_t connect_ms;            /* 0: CS_HTTP_CONNECT_MS */
	size_t max_reply;              /* bytes of body; 0: CS_HTTP_REPLY_MAX */
	/* Hops followed; only GET and HEAD without `once` ever follow. 0: none. */
	unsigned redirects;
	/* Only these hosts; none given: any public one. */
	const cs_allow *allow;
	size_t allow_count;
	bool open;                     /* hosts outside the list are allowed too, at public addresses */
	/* Asked on the I/O thread before each connection and again before the request's first byte;
	 * must not block. False: it ends there, not sent. */
	bool (*gate)(void *ctx);
	void *gate_ctx;
} cs_http_request;

typedef enum cs_http_phase {
	CS_HTTP_NOT_SENT,   /* proof: failed before the first byte of the request (name, connect, TLS, gate) */
	CS_HTTP_CUT,        /* a byte may have left and no whole reply came */
	CS_HTTP_COMPLETE,   /* a whole reply, as framed */
} cs_http_phase;

typedef enum cs_http_reason {
	CS_HTTP_OK,
	CS_HTTP_HELD,       /* the gate said no */
	CS_HTTP_CANCELLED,
	CS_HTTP_TIMEOUT,
	CS_HTTP_ADDRESS,    /* the address filter said no */
	CS_HTTP_TOO_BIG,    /* reply over its maximum */
	CS_HTTP_NAME,       /* the name did not resolve */
	CS_HTTP_CONNECT,
	CS_HTTP_TLS,
	CS_HTTP_BROKEN,     /* reset, closed, cut, not HTTP */
	CS_HTTP_FAILED,     /* on our side */
} cs_http_reason;

typedef struct cs_http_reply {
	uint64_t id;
	cs_http_phase phase;
	cs_http_reason reason;
	int status;                    /* 0 where none came */
	cs_headers headers;            /* of the last reply */
	char *body;                    /* NUL-terminated beyond body_len; never NULL */
	size_t body_len;
	int64_t ms;
	unsigned hops;                 /* redirects followed */
	char *url;                     /* of the last request */
	char ip[64];                   /* connected to; "" if never */
	char error[512];               /* for people; "" when complete, but for a redirect not followed */
} cs_http_reply;

/* Never fails to make one: nothing is started yet. Free it after the last submit. */
cs_http *cs_http_new(void);
/* Stand-ins for the test of flows that name hosts of the world: HOST at PORT is reached at ADDRESS ("127.0.0.1:4433"),
 * over TLS by the certificates in CA alone. Nothing in a file, the environment or on a command line leads here. */
typedef struct cs_http_stand_in {
	const char *host;
	unsigned port;
	const char *address;
} cs_http_stand_in;
/* LIST and CA are borrowed for the client's life. */
cs_http *cs_http_new_with_stand_ins(const cs_http_stand_in *list, size_t n, const char *ca);
/* Cancels what is open (each done is called), ends the thread. Not from a done. Takes NULL. */
void cs_http_free(cs_http *h);

/* Runs on the I/O thread, once for each request taken; must not block; owns REPLY. */
typedef void cs_http_done(void *ctx, cs_http_reply *reply);

/* Copies the request. Negative: refused, done is never called: CS_EINVAL for a request that
 * cannot be, CS_EREFUSED for a host outside the list. *ret_id may be NULL; it is set before
 * done can run. */
int cs_http_submit(cs_http *h, const cs_http_request *r, cs_http_done *done, void *ctx,
		   uint64_t *ret_id, cs_err *err);
/* Ends a request soon; its done says how far it came. An id that has ended is no error. */
void cs_http_cancel(cs_http *h, uint64_t id);
/* True once the thread runs: for the test that an unused client costs nothing. */
bool cs_http_started(cs_http *h);

const char *cs_http_reason_name(cs_http_reason reason);
void cs_http_reply_free(cs_http_reply *r);

#endif
