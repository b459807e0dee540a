/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connectors/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/mem.h"
#include "connectors/auth.h"
#include "connectors/digest.h"
#include "connectors/http_reply.h"
#include "core/http_request.h"

enum { BODY_MAX = 16 << 20, URL_MAX = 48 << 10, ALLOW_MAX = 1000 };

/* One effect under way. */
typedef struct cs_http_call {
	const cs_effect *effect;      /* the engine's; lives until done */
	cs_outcome_fn *done;
	void *ctx;
	cs_http *client;
	cs_granted granted;
	cs_auth auth;
	json_t *rendered;             /* with the values of secrets in place; never recorded */
	cs_headers headers;           /* as they leave */
	cs_headers shown;             /* the same for the record: stand-ins, and the mask for a credential */
	bool answered;                /* a Digest challenge was, with a second request */
	cs_allow *allow;
	size_t allow_count;
	bool listed;                  /* the connector has an allow list: nothing else is reached */
} cs_http_call;

static void call_free(cs_http_call *c)
{
	for (size_t i = 0; i < c->headers.count; i++)
		explicit_bzero(c->headers.list[i].value, strlen(c->headers.list[i].value));
	cs_headers_fini(&c->headers);
	cs_headers_fini(&c->shown);
	cs_granted_fini(&c->granted);
	cs_auth_fini(&c->auth);
	json_decref(c->rendered);
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

/* One header, and what of it is SHOWN. */
static int add_header(cs_http_call *c, const char *name, const char *value, const char *shown, cs_err *err)
{
	int rc = cs_header_check(name, strlen(name), value, strlen(value), err);
	if (rc < 0)
		return rc;
	cs_headers_add(&c->headers, name, strlen(name), value, strlen(value));
	cs_headers_add(&c->shown, name, strlen(name), shown, strlen(shown));
	return CS_OK;
}

/* Those that the flow or the operation says. The error of one with a secret in it does not show the value. */
static int add_said(cs_http_call *c, const char *key_header, cs_err *err)
{
	const json_t *shown = json_object_get(c->effect->rendered, "headers");
	const char *name;
	json_t *v;
	json_object_foreach(json_object_get(c->rendered, "headers"), name, v) {
		if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
			return cs_err_set(err, CS_EINVAL, "http: the header %.64s is not text", name);
		if (key_header && strcasecmp(key_header, name) == 0)
			return cs_err_set(err, CS_EINVAL,
					  "http: %.64s carries the effect's key; leave it out of the request's headers", name);
		if (c->auth.header && strcasecmp(c->auth.header, name) == 0)
			return cs_err_set(err, CS_EINVAL, "http: the connector's auth makes the header %.64s; leave it out of the request's headers", name);
		int rc = add_header(c, name, json_string_value(v), cs_json_str_or(shown, name, CS_MASK), err);
		if (rc < 0)
			return rc;
	}
	return CS_OK;
}

static int add_credential(cs_http_call *c, const char *name, const char *value, cs_err *err)
{
	if (!value)
		return CS_OK;
	if (cs_headers_get(&c->headers, name))
		return cs_err_set(err, CS_EINVAL, "http: the endpoint's authentication makes the header %.64s; leave it out of `headers`", name);
	if (add_header(c, name, value, CS_MASK, NULL) < 0)
		return cs_err_set(err, CS_EINVAL, "http: the credential holds a character that no header may hold");
	return CS_OK;
}

static int add_headers(cs_http_call *c, cs_err *err)
{
	const cs_effect *e = c->effect;
	const json_t *keyed = json_object_get(e->def, "keyed");
	const char *key_header = e->class == CS_EFFECT_KEYED ? cs_json_str_or(keyed, "header", "Idempotency-Key") : NULL;
	int rc = add_said(c, key_header, err);
	if (rc == CS_OK)
		rc = add_credential(c, "Authorization", e->credential, err);
	if (rc == CS_OK && c->auth.header)
		rc = add_credential(c, c->auth.header, c->auth.value, err);
	return rc == CS_OK && key_header ? add_header(c, key_header, e->key, e->key, err) : rc;
}

/* ---- secrets ---- */

/* The request as it leaves: values where stand-ins were, and the credential that goes into the query. */
static int put_secrets_in(cs_http_call *c, cs_err *err)
{
	const char *url = cs_json_str(c->effect->rendered, "url");
	cs_buf out CS_AUTOBUF;
	cs_buf_init(&out, URL_MAX);
	cs_swaps_text(&c->granted.swaps, url, strlen(url), true, &out);
	if (c->auth.query)
		cs_buf_addf(&out, "%c%s", strchr(url, '?') ? '&' : '?', c->auth.query);
	if (out.failed)
		return cs_err_set(err, CS_ETOOBIG, "http: with its secrets the URL is longer than %d bytes", URL_MAX);
	c->rendered = cs_swaps_json(&c->granted.swaps, c->effect->rendered);
	if (out.len != strlen(url) || strcmp(cs_buf_str(&out), url) != 0) {
		json_t *own = json_copy(c->rendered);
		json_object_set_new(own, "url", json_string(cs_buf_str(&out)));
		json_decref(c->rendered);
		c->rendered = own;
		explicit_bzero(out.data, out.len);
	}
	return CS_OK;
}

static char *masked(const cs_http_call *c, char *owned)
{
	char *text = cs_mask_text(c->granted.mask, owned);
	cs_secret_free(owned);
	return text;
}

/* Before anything is cut or kept of it: a server may say again what it was told. */
static void mask_reply(const cs_http_call *c, cs_http_reply *r)
{
	bool found = false;
	cs_buf body CS_AUTOBUF;
	cs_buf_init(&body, r->body_len * sizeof CS_MASK + 64);
	if (cs_mask_empty(c->granted.mask))
		return;
	for (size_t i = 0; i < r->headers.count; i++) {
		r->headers.list[i].name = masked(c, r->headers.list[i].name);
		r->headers.list[i].value = masked(c, r->headers.list[i].value);
	}
	if (r->url)
		r->url = masked(c, r->url);
	/* It quotes the address, cut somewhere; whole and masked that stands in the headers. */
	if (r->status >= 300 && r->status <= 399 && *r->error)
		snprintf(r->error, sizeof r->error, "a redirect that is not followed; its address is in the reply's headers");
	char *error CS_AUTOFREE = cs_mask_text(c->granted.mask, r->error);
	snprintf(r->error, sizeof r->error, "%s", error);
	cs_mask_bytes(c->granted.mask, r->body, r->body_len, &body, &found);
	if (!found)
		return;
	cs_secret_free(r->body);
	r->body_len = body.len;
	r->body = cs_buf_steal(&body);
}

/* ---- performing ---- */

static int submit(cs_http_call *c, cs_err *err);

/* The path and query of URL, as the request line has them. */
static char *target_of(const char *url)
{
	const char *host = strstr(url, "://"), *path = host ? host + 3 + strcspn(host + 3, "/?#") : url;
	size_t n = strcspn(path, "#");
	return cs_xasprintf("%s%.*s", *path == '/' ? "" : "/", (int)n, path);
}

/* A 401 is a complete refusal: nothing has happened, and the request may go once more, with the answer. */
static bool answer_challenge(cs_http_call *c, const cs_http_reply *r)
{
	char *answer CS_AUTOSECRET = NULL;
	char cnonce[33];
	uint8_t random[16];
	if (!c->auth.user || c->answered || r->phase != CS_HTTP_COMPLETE || r->status != 401)
		return false;
	c->answered = true;
	cs_random_bytes(random, sizeof random);
	cs_hex(random, sizeof random, cnonce);
	char *target CS_AUTOSECRET = target_of(cs_json_str(c->rendered, "url"));
	const cs_digest_login login = { .user = c->auth.user, .password = c->auth.password, .method = cs_json_str(c->rendered, "method"),
					.target = target, .cnonce = cnonce };
	return cs_digest_answer(&r->headers, &login, &answer, NULL) == CS_OK &&
	       add_credential(c, "Authorization", answer, NULL) == CS_OK && submit(c, NULL) == CS_OK;
}

static void on_reply(void *ctx, cs_http_reply *reply)
{
	cs_http_call *c = ctx;
	if (answer_challenge(c, reply)) {
		cs_http_reply_free(reply);
		return;                  /* the second one's reply comes here too */
	}
	mask_reply(c, reply);
	cs_outcome *o = cs_http_outcome(c->effect, &c->shown, reply);
	cs_granted_clean(&c->granted, o);
	cs_http_reply_free(reply);
	cs_outcome_fn *done = c->done;
	void *done_ctx = c->ctx;
	call_free(c);
	done(done_ctx, o);
}

static int prepare(cs_http_call *c, cs_err *err)
{
	const cs_effect *e = c->effect;
	int rc = add_listed(c, json_object_get(e->connector, "allow"), err);
	if (rc < 0)
		return rc;
	add_written(c, cs_json_str(e->connector, "url"));
	if (cs_json_true(e->rendered, "named"))
		add_written(c, cs_json_str(e->rendered, "url"));
	rc = put_secrets_in(c, err);
	return rc < 0 ? rc : add_headers(c, err);
}

static int submit(cs_http_call *c, cs_err *err)
{
	const cs_effect *e = c->effect;
	cs_buf body;
	cs_buf_init(&body, BODY_MAX);
	int rc = cs_http_render_body(c->rendered, &body, err);
	bool sends = cs_effect_class_sends(e->class);
	cs_http_request r = {
		.method = cs_json_str(c->rendered, "method"),
		.url = cs_json_str(c->rendered, "url"),
		.headers = c->headers.list,
		.header_count = c->headers.count,
		.body = body.data,
		.body_len = body.len,
		.has_body = json_object_get(c->rendered, "body") != NULL,
		.once = sends,
		.timeout_ms = e->timeout_ms,
		.redirects = sends || cs_json_true(e->rendered, "redirect") ? 0 : CS_HTTP_REDIRECTS,
		.allow = c->allow,
		.allow_count = c->allow_count,
		.open = !c->listed,
		.gate = e->gate,
		.gate_ctx = e->gate_ctx,
	};
	bool secret = c->granted.mask != NULL;        /* once it is submitted, C is the reply's */
	if (rc == CS_OK)
		rc = cs_http_submit(c->client, &r, on_reply, c, NULL, err);
	if (body.len > 0 && secret)
		explicit_bzero(body.data, body.len);
	cs_buf_fini(&body);
	return rc;
}

static int check(const cs_effect *e, cs_err *err)
{
	if (!json_is_object(e->rendered) || !cs_json_str(e->rendered, "url") || !cs_json_str(e->rendered, "method"))
		return cs_err_set(err, CS_EINVAL, "http: %s came without a rendered request", e->call);
	if (e->simulated)
		return cs_err_set(err, CS_EREFUSED, "http: %s is simulated; nothing may be sent", e->call);
	return CS_OK;
}

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	cs_http_call *c CS_CLEANUP(call_freep) = cs_xcalloc(1, sizeof *c);
	c->effect = e;
	c->done = done;
	c->ctx = ctx;
	c->client = self;
	cs_err why = { 0 };
	int rc = check(e, err);
	if (rc < 0)
		return rc;
	rc = cs_granted_take(e, &c->granted, &why);
	if (rc == CS_OK)
		rc = cs_auth_make(e, &c->granted, &c->auth, &why);
	if (rc < 0) {
		done(ctx, cs_granted_refused(rc, &why));
		return CS_OK;
	}
	rc = prepare(c, err);
	if (rc == CS_OK)
		rc = submit(c, err);
	if (rc < 0 && err && c->granted.mask) {
		char *text CS_AUTOFREE = cs_mask_text(c->granted.mask, err->msg);
		snprintf(err->msg, sizeof err->msg, "%s", text);
	}
	if (rc == CS_OK)
		c = NULL;             /* on_reply's now */
	return rc;
}

cs_performer cs_http_performer(cs_http *client)
{
	return (cs_performer){ .kind = "http", .blocking = false, .perform = perform, .self = client };
}
