/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/transfer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "base/clock.h"
#include "base/mem.h"

enum {
	HEADER_BYTES_MAX = 256 << 10,
	BODY_MAX = 64 << 20,
	URL_MAX = 64 << 10,
	HEADERS_MAX = 200,
	ALLOW_MAX = 1000,
	REDIRECTS_MAX = 20,
};

static int check(const cs_http_request *r, cs_err *err)
{
	if (!r->method || !cs_method_ok(r->method))
		return cs_err_set(err, CS_EINVAL, "http: the method must be upper-case letters, as in GET or POST");
	if (!r->url || strlen(r->url) > URL_MAX)
		return cs_err_set(err, CS_EINVAL, "http: a URL is needed, of at most %d bytes", URL_MAX);
	if (r->header_count > HEADERS_MAX)
		return cs_err_set(err, CS_ETOOBIG, "http: %zu headers, at most %d are sent", r->header_count, HEADERS_MAX);
	if (r->body_len > BODY_MAX)
		return cs_err_set(err, CS_ETOOBIG, "http: a body of %zu bytes, at most %d are sent", r->body_len, BODY_MAX);
	if (r->has_body && strcmp(r->method, "HEAD") == 0)
		return cs_err_set(err, CS_EINVAL, "http: HEAD has no body; leave it out or use another method");
	if (r->allow_count > ALLOW_MAX || r->redirects > REDIRECTS_MAX)
		return cs_err_set(err, CS_ETOOBIG, "http: at most %d hosts and %d redirects", ALLOW_MAX, REDIRECTS_MAX);
	if (r->timeout_ms < 0 || r->connect_ms < 0)
		return cs_err_set(err, CS_EINVAL, "http: a timeout cannot be negative");
	for (size_t i = 0; i < r->header_count; i++) {
		const cs_header *h = &r->headers[i];
		int rc = cs_header_check(h->name, strlen(h->name), h->value, strlen(h->value), err);
		if (rc < 0)
			return rc;
	}
	return CS_OK;
}

static void curlu_cleanup(CURLU **u)
{
	curl_url_cleanup(*u);
}

static void curl_freep(char **p)
{
	curl_free(*p);
}

static int split(const char *url, char **ret_host, unsigned *ret_port, cs_err *err)
{
	CURLU *u CS_CLEANUP(curlu_cleanup) = curl_url();
	char *scheme CS_CLEANUP(curl_freep) = NULL;
	char *user CS_CLEANUP(curl_freep) = NULL;
	char *host CS_CLEANUP(curl_freep) = NULL;
	char *port CS_CLEANUP(curl_freep) = NULL;
	CURLUcode rc = curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	if (rc != CURLUE_OK)
		return cs_err_set(err, CS_EINVAL, "http: not a URL (%s): write https://HOST/PATH", curl_url_strerror(rc));
	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0))
		return cs_err_set(err, CS_EINVAL, "http: only http and https URLs are fetched");
	if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
		return cs_err_set(err, CS_EINVAL,
				  "http: a URL with a user name or password would be shown in every trace; use the connector's auth");
	if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !*host ||
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return cs_err_set(err, CS_EINVAL, "http: the URL names no host");
	size_t n = strlen(host);
	bool brackets = n > 2 && host[0] == '[' && host[n - 1] == ']';
	*ret_host = brackets ? cs_xstrndup(host + 1, n - 2) : cs_xstrdup(host);
	*ret_port = (unsigned)strtoul(port, NULL, 10);
	return CS_OK;
}

int cs_transfer_target(const char *url, const cs_allow *allow, size_t count, bool open,
		       char **ret_host, unsigned *ret_port, const cs_allow **ret_entry, cs_err *err)
{
	char *host CS_AUTOFREE = NULL;
	unsigned port = 0;
	int rc = split(url, &host, &port, err);
	if (rc < 0)
		return rc;
	const cs_allow *entry = cs_allow_find(allow, count, host, port);
	if (!entry && count > 0 && !open)
		return cs_err_set(err, CS_EREFUSED,
				  "http: %s:%u is not among the hosts that may be reached; name it under allow", host, port);
	*ret_host = CS_STEAL(host);
	*ret_port = port;
	*ret_entry = entry;
	return CS_OK;
}

static void copy_allow(cs_transfer *t, const cs_http_request *r)
{
	t->allow = cs_xcalloc(r->allow_count ? r->allow_count : 1, sizeof *t->allow);
	for (size_t i = 0; i < r->allow_count; i++) {
		t->allow[i] = r->allow[i];
		t->allow[i].host = cs_xstrdup(r->allow[i].host);
	}
	t->allow_count = r->allow_count;
}

static void transfer_freep(cs_transfer **t)
{
	cs_transfer_free(*t);
}

int cs_transfer_new(const cs_http_request *r, cs_transfer **ret, cs_err *err)
{
	int rc = check(r, err);
	if (rc < 0)
		return rc;
	cs_transfer *t CS_CLEANUP(transfer_freep) = cs_xcalloc(1, sizeof *t);
	cs_buf_init(&t->reply, r->max_reply ? r->max_reply : CS_HTTP_REPLY_MAX);
	copy_allow(t, r);
	rc = cs_transfer_target(r->url, t->allow, t->allow_count, r->open, &t->host, &t->port, &t->entry, err);
	if (rc < 0)
		return rc;
	if (r->has_body && r->body_len) {
		t->body = malloc(r->body_len);
		if (!t->body)
			return cs_err_set(err, CS_ENOMEM, "http: no memory for a body of %zu bytes", r->body_len);
		memcpy(t->body, r->body, r->body_len);
		t->body_len = r->body_len;
	}
	t->method = cs_xstrdup(r->method);
	t->url = cs_xstrdup(r->url);
	for (size_t i = 0; i < r->header_count; i++)
		cs_headers_add(&t->headers, r->headers[i].name, strlen(r->headers[i].name),
			       r->headers[i].value, strlen(r->headers[i].value));
	t->has_body = r->has_body;
	t->once = r->once || !cs_method_safe(r->method);
	t->open = r->open;
	t->redirects = t->once || r->has_body ? 0 : r->redirects;
	t->gate = r->gate;
	t->gate_ctx = r->gate_ctx;
	t->connect_ms = r->connect_ms ? r->connect_ms : CS_HTTP_CONNECT_MS;
	t->began_ns = cs_clock_mono_ns();
	int64_t timeout = r->timeout_ms ? r->timeout_ms : CS_HTTP_TIMEOUT_MS;
	t->deadline_ns = timeout > INT64_C(1) << 40 ? INT64_MAX : t->began_ns + timeout * 1000000;
	*ret = CS_STEAL(t);
	return CS_OK;
}

void cs_transfer_end_hop(cs_transfer *t)
{
	if (t->easy)
		curl_easy_cleanup(t->easy);
	t->easy = NULL;
	curl_slist_free_all(t->slist);
	t->slist = NULL;
	curl_slist_free_all(t->instead);
	t->instead = NULL;
	t->stands_in = false;
}

void cs_transfer_stand_in(cs_transfer *t, const cs_http_stand_in *s, const char *ca)
{
	if (strcasecmp(s->host, t->host) != 0 || s->port != t->port || t->stands_in)
		return;
	char *to CS_AUTOFREE = cs_xasprintf("%s:%u:%s", s->host, s->port, s->address);
	t->instead = curl_slist_append(NULL, to);
	t->stands_in = true;
	curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->instead);
	curl_easy_setopt(t->easy, CURLOPT_CAINFO, ca);
}

void cs_transfer_free(cs_transfer *t)
{
	if (!t)
		return;
	cs_transfer_end_hop(t);
	for (size_t i = 0; i < t->allow_count; i++)
		free((char *)(uintptr_t)t->allow[i].host);
	free(t->allow);
	cs_headers_fini(&t->headers);
	cs_headers_fini(&t->reply_headers);
	cs_buf_fini(&t->reply);
	free(t->method);
	free(t->url);
	free(t->host);
	free(t->body);
	free(t);
}

static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	cs_transfer *t = ctx;
	cs_address_kind kind = cs_address_kind_of(&a->addr);
	if (purpose != CURLSOCKTYPE_IPCXN || (!t->stands_in && !cs_allow_address(t->entry, t->host, kind))) {
		t->refused = true;
		t->refused_kind = kind;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* curl calls this with a connection, new or used before, just before it writes the request to
 * it, and again when it would write it a second time because a used connection was dead. */
static int on_ready(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
	(void)local_ip;
	(void)port;
	(void)local_port;
	cs_transfer *t = ctx;
	cs_address_kind kind;
	if (!cs_address_literal(ip, &kind))
		kind = CS_ADDRESS_NEVER;
	if (!t->stands_in && !cs_allow_address(t->entry, t->host, kind)) {
		t->refused = true;
		t->refused_kind = kind;
		return CURL_PREREQFUNC_ABORT;
	}
	if (t->asked++ > 0 && t->once) {
		t->repeated = true;
		return CURL_PREREQFUNC_ABORT;
	}
	if (t->gate && !t->gate(t->gate_ctx)) {
		t->held = true;
		return CURL_PREREQFUNC_ABORT;
	}
	snprintf(t->ip, sizeof t->ip, "%s", ip);
	t->sent = true;
	return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	cs_transfer *t = ctx;
	return cs_buf_add(&t->reply, p, size * n) < 0 ? 0 : size * n;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	cs_transfer *t = ctx;
	size_t len = size * n, full = len;
	t->header_bytes += len;
	if (t->header_bytes > HEADER_BYTES_MAX)
		return 0;
	if (len >= 5 && memcmp(p, "HTTP/", 5) == 0) {   /* also after an interim reply */
		cs_headers_fini(&t->reply_headers);
		t->head_ended = false;
		return full;
	}
	while (len && (p[len - 1] == '\r' || p[len - 1] == '\n' || p[len - 1] == ' '))
		len--;
	t->head_ended = t->head_ended || len == 0;
	const char *colon = memchr(p, ':', len);
	if (!colon)
		return full;
	const char *value = colon + 1, *end = p + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	cs_headers_add(&t->reply_headers, p, (size_t)(colon - p), value, (size_t)(end - value));
	return full;
}

static void add_line(cs_transfer *t, const char *line)
{
	struct curl_slist *s = curl_slist_append(t->slist, line);
	if (!s)
		abort();
	t->slist = s;
}

static void set_headers(cs_transfer *t)
{
	for (size_t i = 0; i < t->headers.count; i++) {
		const cs_header *h = &t->headers.list[i];
		/* curl takes "Name:" as "leave it out" and "Name;" as an empty value */
		char *line CS_AUTOFREE = *h->value ? cs_xasprintf("%s: %s", h->name, h->value)
						   : cs_xasprintf("%s;", h->name);
		add_line(t, line);
	}
	if (t->has_body && !cs_headers_get(&t->headers, "Content-Type"))
		add_line(t, "Content-Type:");
	add_line(t, "Expect:");
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->slist);
	if (!cs_headers_get(&t->headers, "User-Agent"))
		curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "capstan");
}

static void set_method(cs_transfer *t)
{
	CURL *e = t->easy;
	static const char *const with_length[] = { "POST", "PUT", "PATCH" };
	bool body = t->has_body;
	for (size_t i = 0; i < CS_ARRAY_LEN(with_length); i++)
		body = body || strcmp(t->method, with_length[i]) == 0;
	if (strcmp(t->method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
		return;
	}
	if (body) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, t->body ? t->body : "");
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
	}
	if (body || strcmp(t->method, "GET") != 0)
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, t->method);
}

static void set_limits(cs_transfer *t, long left_ms)
{
	CURL *e = t->easy;
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);   /* each hop is ours to check */
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	/* One request a connection at a time: what "sent" means is plain only there. */
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);       /* what was approved is what is sent */
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, left_ms);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, t->connect_ms > left_ms ? left_ms : (long)t->connect_ms);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, 30L);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, t->once ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, t->once ? 1L : 0L);
}

bool cs_transfer_begin(cs_transfer *t, cs_http_reason *ret_reason)
{
	int64_t left = (t->deadline_ns - cs_clock_mono_ns()) / 1000000;
	if (left <= 0) {
		*ret_reason = CS_HTTP_TIMEOUT;
		return false;
	}
	if (t->gate && !t->gate(t->gate_ctx)) {
		*ret_reason = CS_HTTP_HELD;
		return false;
	}
	t->easy = curl_easy_init();
	if (!t->easy) {
		*ret_reason = CS_HTTP_FAILED;
		return false;
	}
	t->asked = 0;
	t->header_bytes = 0;
	t->head_ended = false;
	t->why[0] = '\0';
	cs_headers_fini(&t->reply_headers);
	cs_buf_reset(&t->reply);
	CURL *e = t->easy;
	set_limits(t, (long)(left > INT32_MAX ? INT32_MAX : left));
	set_method(t);
	set_headers(t);
	curl_easy_setopt(e, CURLOPT_URL, t->url);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->why);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	return true;
}

/* Headers for another origin: only what asks for a form of reply; the rest may be a secret. */
static void keep_harmless_headers(cs_transfer *t)
{
	cs_headers kept = { 0 };
	for (size_t i = 0; i < t->headers.count; i++) {
		const cs_header *h = &t->headers.list[i];
		if (strcasecmp(h->name, "Accept") == 0 || strcasecmp(h->name, "Accept-Language") == 0 ||
		    strcasecmp(h->name, "User-Agent") == 0)
			cs_headers_add(&kept, h->name, strlen(h->name), h->value, strlen(h->value));
	}
	cs_headers_fini(&t->headers);
	t->headers = kept;
}

/* The URL that a Location header means, seen from BASE; NULL when it is none. */
static char *resolve(const char *base, const char *to)
{
	CURLU *u CS_CLEANUP(curlu_cleanup) = curl_url();
	char *url CS_CLEANUP(curl_freep) = NULL;
	if (curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK ||
	    curl_url_set(u, CURLUPART_URL, to, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_URL, &url, 0) != CURLUE_OK || strlen(url) > URL_MAX)
		return NULL;
	return cs_xstrdup(url);
}

/* Makes URL the next hop if it may be one. */
static int go_to(cs_transfer *t, char *url, cs_err *err)
{
	bool was_tls = strncasecmp(t->url, "https:", 6) == 0, is_tls = strncasecmp(url, "https:", 6) == 0;
	char *host CS_AUTOFREE = NULL;
	unsigned port = 0;
	const cs_allow *entry;
	if (was_tls && !is_tls)
		return cs_err_set(err, CS_EREFUSED, "http: from https to http");
	int rc = cs_transfer_target(url, t->allow, t->allow_count, t->open, &host, &port, &entry, err);
	if (rc < 0)
		return rc;
	if (strcasecmp(host, t->host) != 0 || port != t->port || was_tls != is_tls)
		keep_harmless_headers(t);
	free(t->url);
	t->url = cs_xstrdup(url);
	free(t->host);
	t->host = CS_STEAL(host);
	t->port = port;
	t->entry = entry;
	t->hops++;
	return CS_OK;
}

bool cs_transfer_redirected(cs_transfer *t, long status, char *note, size_t size)
{
	const char *to = cs_headers_get(&t->reply_headers, "Location");
	if (status < 300 || status > 399 || status == 304 || !to || t->redirects == 0)
		return false;
	if (t->hops >= t->redirects) {
		snprintf(note, size, "more than %u redirects; the next would be to %.200s", t->redirects, to);
		return false;
	}
	char *url CS_AUTOFREE = resolve(t->url, to);
	cs_err err = { 0 };
	if (!url)
		snprintf(note, size, "a redirect to %.200s, which is no URL", to);
	else if (go_to(t, url, &err) < 0)
		snprintf(note, size, "a redirect to %.200s that is not followed: %.250s", to, err.msg);
	else
		return true;
	return false;
}

cs_http_reply *cs_transfer_reply(cs_transfer *t, cs_http_phase phase, cs_http_reason reason,
				 long status, const char *error)
{
	cs_http_reply *r = cs_xcalloc(1, sizeof *r);
	r->id = t->id;
	r->phase = phase;
	r->reason = reason;
	r->status = (int)status;
	r->headers = t->reply_headers;
	t->reply_headers = (cs_headers){ 0 };
	r->body_len = t->reply.len;
	r->body = cs_buf_steal(&t->reply);
	r->ms = (cs_clock_mono_ns() - t->began_ns) / 1000000;
	r->hops = t->hops;
	r->url = CS_STEAL(t->url);
	snprintf(r->ip, sizeof r->ip, "%s", t->ip);
	snprintf(r->error, sizeof r->error, "%s", error);
	return r;
}
