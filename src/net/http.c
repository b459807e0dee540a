/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "net/transfer.h"

enum { CONNECTIONS_MAX = 64, CONNECTIONS_HOST_MAX = 16, IDLE_MAX = 16, IDLE_MS = 60000 };

struct cs_http {
	pthread_mutex_t lock;
	/* under the lock */
	bool started, stopping, failed;
	CURLM *multi;                  /* set by the thread; others only wake it */
	uint64_t last_id;
	cs_transfer *waiting, *waiting_last;
	uint64_t *cancels;
	size_t cancel_count, cancel_cap;
	const cs_http_stand_in *stand_ins;    /* tests only; set before anything is started */
	size_t stand_in_count;
	const char *ca;
	/* the thread's own */
	pthread_t thread;
	cs_transfer *active;
};

static const char *const reasons[] = {
	[CS_HTTP_OK] = "ok",
	[CS_HTTP_HELD] = "held",
	[CS_HTTP_CANCELLED] = "cancelled",
	[CS_HTTP_TIMEOUT] = "timeout",
	[CS_HTTP_ADDRESS] = "address",
	[CS_HTTP_TOO_BIG] = "too-big",
	[CS_HTTP_NAME] = "name",
	[CS_HTTP_CONNECT] = "connect",
	[CS_HTTP_TLS] = "tls",
	[CS_HTTP_BROKEN] = "broken",
	[CS_HTTP_FAILED] = "failed",
};

static const struct {
	CURLcode code;
	cs_http_reason reason;
} codes[] = {
	{ CURLE_OPERATION_TIMEDOUT, CS_HTTP_TIMEOUT },
	{ CURLE_COULDNT_RESOLVE_HOST, CS_HTTP_NAME },
	{ CURLE_COULDNT_CONNECT, CS_HTTP_CONNECT },
	{ CURLE_SSL_CONNECT_ERROR, CS_HTTP_TLS },
	{ CURLE_PEER_FAILED_VERIFICATION, CS_HTTP_TLS },
	{ CURLE_SSL_CERTPROBLEM, CS_HTTP_TLS },
	{ CURLE_SSL_CIPHER, CS_HTTP_TLS },
	{ CURLE_SSL_CACERT_BADFILE, CS_HTTP_TLS },
	{ CURLE_SSL_ISSUER_ERROR, CS_HTTP_TLS },
	{ CURLE_OUT_OF_MEMORY, CS_HTTP_FAILED },
	{ CURLE_FAILED_INIT, CS_HTTP_FAILED },
	{ CURLE_URL_MALFORMAT, CS_HTTP_FAILED },
	{ CURLE_UNSUPPORTED_PROTOCOL, CS_HTTP_FAILED },
};

const char *cs_http_reason_name(cs_http_reason reason)
{
	return reasons[reason];
}

void cs_http_reply_free(cs_http_reply *r)
{
	if (!r)
		return;
	cs_headers_fini(&r->headers);
	free(r->body);
	free(r->url);
	free(r);
}

/* ---- the I/O thread ---- */

static void unlink_active(cs_http *h, cs_transfer *t)
{
	if (t->prev)
		t->prev->next = t->next;
	else if (h->active == t)
		h->active = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->next = t->prev = NULL;
}

static void link_active(cs_http *h, cs_transfer *t)
{
	t->prev = NULL;
	t->next = h->active;
	if (h->active)
		h->active->prev = t;
	h->active = t;
}

/* The end of a request without a whole reply, or with one. Not linked any more. */
static void finish(cs_transfer *t, cs_http_phase phase, cs_http_reason reason, long status, const char *error)
{
	cs_transfer_end_hop(t);
	cs_http_reply *r = cs_transfer_reply(t, phase, reason, status, error);
	t->done(t->ctx, r);
	cs_transfer_free(t);
}

static void finish_short(cs_transfer *t, cs_http_reason reason, const char *error)
{
	finish(t, t->sent ? CS_HTTP_CUT : CS_HTTP_NOT_SENT, reason, 0, error);
}

static const char *own_reason(cs_http_reason reason)
{
	switch (reason) {
	case CS_HTTP_HELD:
		return "held: the engine no longer lets it leave";
	case CS_HTTP_TIMEOUT:
		return "no time was left before the connection";
	case CS_HTTP_CANCELLED:
		return "cancelled";
	default:
		return "no memory for a connection";
	}
}

static void begin(cs_http *h, cs_transfer *t)
{
	cs_http_reason reason;
	if (!h->multi) {
		finish_short(t, CS_HTTP_FAILED, "the client could not start; restart capstan");
		return;
	}
	if (!cs_transfer_begin(t, &reason)) {
		finish_short(t, reason, own_reason(reason));
		return;
	}
	for (size_t i = 0; i < h->stand_in_count; i++)
		cs_transfer_stand_in(t, &h->stand_ins[i], h->ca);
	if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) {
		finish_short(t, CS_HTTP_FAILED, own_reason(CS_HTTP_FAILED));
		return;
	}
	link_active(h, t);
}

static cs_http_reason reason_of(const cs_transfer *t, CURLcode rc)
{
	if (t->held)
		return CS_HTTP_HELD;
	if (t->refused && t->asked == 0)
		return CS_HTTP_ADDRESS;
	if (rc == CURLE_WRITE_ERROR)
		return CS_HTTP_TOO_BIG;
	for (size_t i = 0; i < CS_ARRAY_LEN(codes); i++)
		if (codes[i].code == rc)
			return codes[i].reason;
	return CS_HTTP_BROKEN;
}

static void describe(const cs_transfer *t, CURLcode rc, cs_http_reason reason, char *out, size_t size)
{
	switch (reason) {
	case CS_HTTP_HELD:
		snprintf(out, size, "%s", own_reason(reason));
		break;
	case CS_HTTP_ADDRESS:
		snprintf(out, size, "%s is at a %s address; to reach it name it in the connector's allow list",
			 t->host, cs_address_kind_name(t->refused_kind));
		break;
	case CS_HTTP_TOO_BIG:
		snprintf(out, size, "the reply is larger than %zu bytes, or its headers are", t->reply.max);
		break;
	default:
		snprintf(out, size, "%s%s", t->repeated ? "the connection died, and nothing is sent twice: " : "",
			 t->why[0] ? t->why : curl_easy_strerror(rc));
	}
}

static void ended(cs_http *h, cs_transfer *t, CURLcode rc)
{
	char text[512] = "";
	long status = 0;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(h->multi, t->easy);
	unlink_active(h, t);
	if (rc != CURLE_OK) {
		cs_http_reason reason = reason_of(t, rc);
		describe(t, rc, reason, text, sizeof text);
		finish(t, t->sent ? CS_HTTP_CUT : CS_HTTP_NOT_SENT, reason, status, text);
		return;
	}
	if (!t->head_ended) {
		finish(t, CS_HTTP_CUT, CS_HTTP_BROKEN, status, "the connection ended in the middle of the reply's head");
		return;
	}
	if (!cs_headers_length_plain(&t->reply_headers)) {
		finish(t, CS_HTTP_CUT, CS_HTTP_BROKEN, status, "the reply contradicts itself: it has no one Content-Length, so where it ends cannot be known");
		return;
	}
	if (cs_transfer_redirected(t, status, text, sizeof text)) {
		cs_transfer_end_hop(t);
		begin(h, t);
		return;
	}
	finish(t, CS_HTTP_COMPLETE, CS_HTTP_OK, status, text);
}

static void take_ended(cs_http *h)
{
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
		cs_transfer *t = NULL;
		CURLcode rc = m->data.result;
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		ended(h, t, rc);
	}
}

static void cancel_one(cs_http *h, uint64_t id)
{
	for (cs_transfer *t = h->active; t; t = t->next) {
		if (t->id != id)
			continue;
		curl_multi_remove_handle(h->multi, t->easy);
		unlink_active(h, t);
		finish_short(t, CS_HTTP_CANCELLED, own_reason(CS_HTTP_CANCELLED));
		return;
	}
}

/* Takes what came from other threads. False when it is time to stop. */
static bool take_messages(cs_http *h)
{
	pthread_mutex_lock(&h->lock);
	cs_transfer *list = CS_STEAL(h->waiting);
	h->waiting_last = NULL;
	uint64_t *cancels CS_AUTOFREE = CS_STEAL(h->cancels);
	size_t n = h->cancel_count;
	h->cancel_count = h->cancel_cap = 0;
	bool stopping = h->stopping;
	pthread_mutex_unlock(&h->lock);

	for (cs_transfer *next; list; list = next) {
		next = list->next;
		list->next = NULL;
		if (stopping)
			finish_short(list, CS_HTTP_CANCELLED, own_reason(CS_HTTP_CANCELLED));
		else
			begin(h, list);
	}
	for (size_t i = 0; i < n; i++)
		cancel_one(h, cancels[i]);
	return !stopping;
}

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static CURLM *make_multi(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, global_init);
	CURLM *m = curl_multi_init();
	if (!m)
		return NULL;
	curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX);
	curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_HOST_MAX);
	curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)IDLE_MAX);
	return m;
}

static void *io_thread(void *arg)
{
	cs_http *h = arg;
	CURLM *m = make_multi();
	pthread_mutex_lock(&h->lock);
	h->multi = m;
	h->failed = !m;
	pthread_mutex_unlock(&h->lock);
	if (!m) {
		/* every request waiting gets its answer; later ones are refused by submit */
		take_messages(h);
		return NULL;
	}
	while (take_messages(h)) {
		int running;
		curl_multi_perform(m, &running);
		take_ended(h);
		/* returns at once when a redirect began a hop or a done callback a request */
		curl_multi_poll(m, NULL, 0, h->active ? 1000 : IDLE_MS, NULL);
	}
	while (h->active)
		cancel_one(h, h->active->id);
	pthread_mutex_lock(&h->lock);
	h->multi = NULL;
	pthread_mutex_unlock(&h->lock);
	curl_multi_cleanup(m);
	return NULL;
}

/* ---- any thread ---- */

cs_http *cs_http_new(void)
{
	cs_http *h = cs_xcalloc(1, sizeof *h);
	pthread_mutex_init(&h->lock, NULL);
	return h;
}

cs_http *cs_http_new_with_stand_ins(const cs_http_stand_in *list, size_t n, const char *ca)
{
	cs_http *h = cs_http_new();
	h->stand_ins = list;
	h->stand_in_count = n;
	h->ca = ca;
	return h;
}

/* Under the lock. Signals are for the main thread. */
static int start(cs_http *h, cs_err *err)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&h->thread, NULL, io_thread, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return cs_err_sys(err, rc, "http: the I/O thread cannot start");
	h->started = true;
	return CS_OK;
}

int cs_http_submit(cs_http *h, const cs_http_request *r, cs_http_done *done, void *ctx,
		   uint64_t *ret_id, cs_err *err)
{
	cs_transfer *t;
	int rc = cs_transfer_new(r, &t, err);
	if (rc < 0)
		return rc;
	t->done = done;
	t->ctx = ctx;
	pthread_mutex_lock(&h->lock);
	if (h->stopping)
		rc = cs_err_set(err, CS_EUNAVAIL, "http: the client is being closed; nothing was sent");
	else if (h->failed)
		rc = cs_err_set(err, CS_EUNAVAIL, "http: the client could not start; restart capstan");
	else if (!h->started)
		rc = start(h, err);
	if (rc == CS_OK) {
		t->id = ++h->last_id;
		if (ret_id)
			*ret_id = t->id;
		if (h->waiting_last)
			h->waiting_last->next = t;
		else
			h->waiting = t;
		h->waiting_last = t;
		if (h->multi)
			curl_multi_wakeup(h->multi);
	}
	pthread_mutex_unlock(&h->lock);
	if (rc < 0)
		cs_transfer_free(t);
	return rc;
}

void cs_http_cancel(cs_http *h, uint64_t id)
{
	pthread_mutex_lock(&h->lock);
	if (h->started && !h->stopping) {
		if (h->cancel_count == h->cancel_cap) {
			h->cancel_cap = h->cancel_cap ? 2 * h->cancel_cap : 8;
			h->cancels = cs_xrealloc(h->cancels, h->cancel_cap * sizeof *h->cancels);
		}
		h->cancels[h->cancel_count++] = id;
		if (h->multi)
			curl_multi_wakeup(h->multi);
	}
	pthread_mutex_unlock(&h->lock);
}

bool cs_http_started(cs_http *h)
{
	pthread_mutex_lock(&h->lock);
	bool started = h->started;
	pthread_mutex_unlock(&h->lock);
	return started;
}

void cs_http_free(cs_http *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	bool started = h->started;
	if (h->multi)
		curl_multi_wakeup(h->multi);
	pthread_mutex_unlock(&h->lock);
	if (started)
		pthread_join(h->thread, NULL);
	free(h->cancels);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
