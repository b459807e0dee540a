/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request on its way through curl, hop by hop. Inside src/net only; everything but making
 * one happens on the I/O thread. */
#ifndef CS_NET_TRANSFER_H
#define CS_NET_TRANSFER_H

#include <curl/curl.h>
#include "base/buf.h"
#include "net/http.h"

typedef struct cs_transfer cs_transfer;
struct cs_transfer {
	cs_transfer *next, *prev;
	uint64_t id;
	cs_http_done *done;
	void *ctx;

	/* what was asked; copied */
	char *method;
	cs_headers headers;
	char *body;
	size_t body_len, max_reply;
	bool has_body, once, open;
	int64_t began_ns, deadline_ns, connect_ms;
	unsigned redirects;
	cs_allow *allow;
	size_t allow_count;
	bool (*gate)(void *ctx);
	void *gate_ctx;

	/* this hop */
	CURL *easy;
	struct curl_slist *slist, *instead;
	bool stands_in;               /* for this hop a test's stand-in is reached */
	char *url, *host;
	unsigned port;
	const cs_allow *entry;        /* what names the host, or NULL */
	unsigned asked;               /* times curl was about to send this hop's request */
	size_t header_bytes;
	bool head_ended;              /* its empty line came: curl takes a cut head for a whole reply */
	char why[CURL_ERROR_SIZE];

	/* the whole way */
	bool sent;                    /* a byte may have left: set before curl can write one */
	bool held, refused, repeated;
	cs_address_kind refused_kind;
	unsigned hops;
	char ip[64];
	cs_headers reply_headers;
	cs_buf reply;
};

/* Checks and copies R; nothing is sent. */
int cs_transfer_new(const cs_http_request *r, cs_transfer **ret, cs_err *err);
void cs_transfer_free(cs_transfer *t);
/* Makes the handle for the hop at t->url. False when the gate, the clock or memory says no; then
 * *ret_reason says which and nothing was begun. */
bool cs_transfer_begin(cs_transfer *t, cs_http_reason *ret_reason);
/* Where the hop just begun is to the host that S stands in for, it goes there. */
void cs_transfer_stand_in(cs_transfer *t, const cs_http_stand_in *s, const char *ca);
/* After a whole reply: true when it is a redirect that is followed, and t->url is the next hop.
 * NOTE (SIZE bytes) gets a sentence when it is one that is not. */
bool cs_transfer_redirected(cs_transfer *t, long status, char *note, size_t size);
/* Ends the hop: frees the handle. */
void cs_transfer_end_hop(cs_transfer *t);
/* What the caller gets; the transfer's reply parts are moved into it. */
cs_http_reply *cs_transfer_reply(cs_transfer *t, cs_http_phase phase, cs_http_reason reason,
				 long status, const char *error);

/* Splits an http or https URL and finds the host in the list. *ret_host is malloc'ed. */
int cs_transfer_target(const char *url, const cs_allow *allow, size_t count, bool open,
		       char **ret_host, unsigned *ret_port, const cs_allow **ret_entry, cs_err *err);

#endif
