/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connectors/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "base/mem.h"
#include "connectors/http_reply.h"
#include "core/http_request.h"

enum { BODY_MAX = 16 << 20, ALLOW_MAX = 1000 };

/* One effect under way. */
typedef struct cs_http_call {
	const cs_effect *effect;      /* the engine's; lives until done */
	cs_outcome_fn *done;
	void *ctx;
	cs_headers headers;
	cs_allow *allow;
	size_t allow_count;
	bool listed;                  /* the connector has an allow list: nothing else is reached */
} cs_http_call;

static void call_free(cs_http_call *c)
{
	cs_headers_fini(&c->headers);
	for (size_t i = 0; i < c->allow_count; i++)
		free((char *)(uintptr_t)c->allow[i].host);
	free(c->allow);
	free(c);
}

static void call_freep(cs_http_call **c)
{
	if (*c)
		call_free(*c);
}

/* ---- hosts ---- */

static void add_host(cs_http_call *c, const char *host, size_t n, unsigned port, bool private)
{
	c->allow = cs_xrealloc(c->allow, (c->allow_count + 1) * sizeof *c->allow);
	c->allow[c->allow_count++] = (cs_allow){ cs_xstrndup(host, n), port, private };
}

/* A port's digits; 0 for none. */
static int parse_port(const char *p, size_t n, unsigned *ret)
{
	unsigned port = 0;
	if (n == 0 || n > 5)
		return CS_EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return CS_EINVAL;
		port = port * 10 + (unsigned)(p[i] - '0');
	}
	*ret = port;
	return port == 0 || port > 65535 ? CS_EINVAL : CS_OK;
}

/* "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 address. */
static int split_host(const char *text, size_t len, const char **ret_host, size_t *ret_len, unsigned *ret_port)
{
	bool brackets = len > 0 && text[0] == '[';
	const char *end = text + len;
	const char *stop = memchr(text, brackets ? ']' : ':', len);
	if (brackets && !stop)
		return CS_EINVAL;
	if (!brackets && stop && memchr(stop + 1, ':', (size_t)(end - stop - 1)))
		stop = NULL;
	*ret_host = brackets ? text + 1 : text;
	*ret_len = (size_t)((stop ? stop : end) - *ret_host);
	*ret_port = 0;
	if (*ret_len == 0)
		return CS_EINVAL;
	const char *colon = brackets ? stop + 1 : stop;
	if (!colon || colon == end)
		return CS_OK;
	return *colon == ':' ? parse_port(colon + 1, (size_t)(end - colon - 1), ret_port) : CS_EINVAL;
}

static int add_listed(cs_http_call *c, const json_t *list, cs_err *err)
{
	if (!list)
		return CS_OK;
	if (!json_is_array(list) || json_array_size(list) > ALLOW_MAX)
		return cs_err_set(err, CS_EINVAL, "connector: allow is a list of at most %d hosts", ALLOW_MAX);
	c->listed = true;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i)), *host;
		size_t n;
		unsigned port;
		if (!text || split_host(text, strlen(text), &host, &n, &port) < 0)
			return cs_err_set(err, CS_EINVAL, "connector: allow names a host or host:port; entry %zu does not", i + 1);
		add_host(c, host, n, port, true);
	}
	return CS_OK;
}

/* A URL that a person wrote names its host. It stands for a private address only where that can
 * be seen: an address, or localhost. A name that resolves to one must be under allow. */
static void add_written(cs_http_call *c, const char *url)
{
	const char *start = url ? strstr(url, "://") : NULL, *host;
	size_t n;
	unsigned port;
	if (!start)
		return;
	start += 3;
	if (split_host(start, strcspn(start, "/?#"), &host, &n, &port) < 0)
		return;
	if (port == 0)
		port = strncasecmp(url, "https:", 6) == 0 ? 443 : 80;
	char *name CS_AUTOFREE = cs_xstrndup(host, n);
	cs_address_kind kind;
	add_host(c, host, n, port, cs_address_literal(name, &kind) || strcasecmp(name, "localhost") == 0);
}

/* ---- headers ---- */

static int add_headers(cs_http_call *c, cs_err *err)
{
	const cs_effect *e = c->effect;
	const json_t *keyed = json_object_get(e->def, "keyed");
	const char *key_header = e->class == CS_EFFECT_KEYED ? cs_json_str_or(keyed, "header", "Idempotency-Key") : NULL;
	const char *name;
	json_t *v;
	json_object_foreach(json_object_get(e->rendered, "headers"), name, v) {
		if (!json_is_string(v))
			return cs_err_set(err, CS_EINVAL, "http: the header %.64s is not text", name);
		int rc = cs_header_check(name, strlen(name), json_string_value(v), json_string_length(v), err);
		if (rc < 0)
			return rc;
		if (key_header && strcasecmp(key_header, name) == 0)
			return cs_err_set(err, CS_EINVAL,
					  "http: %.64s carries the effect's key; leave it out of the request's headers", name);
		cs_headers_add(&c->headers, name, strlen(name), json_string_value(v), json_string_length(v));
	}
	if (e->credential && cs_headers_get(&c->headers, "Authorization"))
		return cs_err_set(err, CS_EINVAL, "http: the endpoint's authentication makes the header Authorization; leave it out of `headers`");
	if (e->credential && cs_header_check("Authorization", 13, e->credential, strlen(e->credential), NULL) < 0)
		return cs_err_set(err, CS_EINVAL, "http: the credential holds a character that no header may hold");
	if (e->credential)
		cs_headers_add(&c->headers, "Authorization", 13, e->credential, strlen(e->credential));
	if (!key_header)
		return CS_OK;
	int rc = cs_header_check(key_header, strlen(key_header), e->key, strlen(e->key), err);
	if (rc == CS_OK)
		cs_headers_add(&c->headers, key_header, strlen(key_header), e->key, strlen(e->key));
	return rc;
}

/* ---- performing ---- */

static void on_reply(void *ctx, cs_http_reply *reply)
{
	cs_http_call *c = ctx;
	cs_outcome *o = cs_http_outcome(c->effect, &c->headers, reply);
	cs_http_reply_free(reply);
	cs_outcome_fn *done = c->done;
	void *done_ctx = c->ctx;
	call_free(c);
	done(done_ctx, o);
}

static int prepare(cs_http_call *c, cs_err *err)
{
	const cs_effect *e = c->effect;
	if (!json_is_object(e->rendered) || !cs_json_str(e->rendered, "url") || !cs_json_str(e->rendered, "method"))
		return cs_err_set(err, CS_EINVAL, "http: %s came without a rendered request", e->call);
	if (e->simulated)
		return cs_err_set(err, CS_EREFUSED, "http: %s is simulated; nothing may be sent", e->call);
	if (json_object_get(e->connector, "auth"))
		return cs_err_set(err, CS_EUNSUPPORTED,
				  "connector %s: auth is not obeyed by this version; nothing was sent", e->call);
	int rc = add_listed(c, json_object_get(e->connector, "allow"), err);
	if (rc < 0)
		return rc;
	add_written(c, cs_json_str(e->connector, "url"));
	if (cs_json_true(e->rendered, "named"))
		add_written(c, cs_json_str(e->rendered, "url"));
	return add_headers(c, err);
}

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	cs_http_call *c CS_CLEANUP(call_freep) = cs_xcalloc(1, sizeof *c);
	cs_buf body CS_AUTOBUF;
	cs_buf_init(&body, BODY_MAX);
	c->effect = e;
	c->done = done;
	c->ctx = ctx;
	int rc = prepare(c, err);
	if (rc < 0 || (rc = cs_http_render_body(e->rendered, &body, err)) < 0)
		return rc;
	bool sends = cs_effect_class_sends(e->class);
	cs_http_request r = {
		.method = cs_json_str(e->rendered, "method"),
		.url = cs_json_str(e->rendered, "url"),
		.headers = c->headers.list,
		.header_count = c->headers.count,
		.body = body.data,
		.body_len = body.len,
		.has_body = json_object_get(e->rendered, "body") != NULL,
		.once = sends,
		.timeout_ms = e->timeout_ms,
		.redirects = sends || cs_json_true(e->rendered, "redirect") ? 0 : CS_HTTP_REDIRECTS,
		.allow = c->allow,
		.allow_count = c->allow_count,
		.open = !c->listed,
		.gate = e->gate,
		.gate_ctx = e->gate_ctx,
	};
	rc = cs_http_submit(self, &r, on_reply, c, NULL, err);
	if (rc == CS_OK)
		c = NULL;             /* on_reply's now */
	return rc;
}

cs_performer cs_http_performer(cs_http *client)
{
	return (cs_performer){ .kind = "http", .blocking = false, .perform = perform, .self = client };
}
