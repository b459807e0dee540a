/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connectors/http_reply.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "core/http_request.h"

enum { HEADER_SHOWN = 4096, DETAIL_SHOWN = 1000, DAY_MS = 86400000 };

/* Fields that carry credentials: their values are never shown or stored. */
static const char *const secret_headers[] = {
	"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "Api-Key", "X-Auth-Token",
	"WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info",
};

static bool is_secret(const char *name)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(secret_headers); i++)
		if (strcasecmp(name, secret_headers[i]) == 0)
			return true;
	return false;
}

/* A map of the headers, masked; a name that comes twice has its values joined as RFC 9110, 5.2 says. */
static json_t *headers_json(const cs_headers *h)
{
	json_t *o = json_object();
	for (size_t i = 0; i < h->count; i++) {
		json_t *name CS_AUTOJSON = cs_effect_text(h->list[i].name, strlen(h->list[i].name), HEADER_SHOWN);
		json_t *value CS_AUTOJSON = is_secret(h->list[i].name)
			? json_string("•••") : cs_effect_text(h->list[i].value, strlen(h->list[i].value), HEADER_SHOWN);
		const char *key = json_string_value(name), *before = cs_json_str(o, key);
		if (!before) {
			json_object_set(o, key, value);
			continue;
		}
		char *joined CS_AUTOFREE = cs_xasprintf("%s, %s", before, json_string_value(value));
		json_object_set_new(o, key, cs_effect_text(joined, strlen(joined), HEADER_SHOWN));
	}
	return o;
}

static bool says_json(const char *type)
{
	if (!type)
		return false;
	size_t n = strcspn(type, "; \t");
	return (n == 16 && strncasecmp(type, "application/json", n) == 0) ||
	       (n == 9 && strncasecmp(type, "text/json", n) == 0) ||
	       (n > 5 && strncasecmp(type + n - 5, "+json", 5) == 0);
}

json_t *cs_http_content(const cs_http_reply *r, const char **ret_note)
{
	json_t *v = NULL;
	*ret_note = NULL;
	if (r->body_len == 0)
		return json_null();
	if (says_json(cs_headers_get(&r->headers, "Content-Type"))) {
		if (cs_json_parse(r->body, r->body_len, &v, NULL) == CS_OK)
			return v;
		*ret_note = "the reply says it is JSON and is not; it is taken as text";
	}
	if (cs_utf8_valid(r->body, r->body_len) && !memchr(r->body, 0, r->body_len))
		return json_stringn(r->body, r->body_len);
	char *b64 CS_AUTOFREE = cs_base64(r->body, r->body_len);
	return json_string(b64);
}

int64_t cs_http_retry_after(const cs_headers *h, int64_t now_ms)
{
	const char *text = cs_headers_get(h, "Retry-After");
	if (!text || !*text)
		return 0;
	char *end;
	long long seconds = strtoll(text, &end, 10);
	int64_t ms;
	if (*end == '\0' && text[0] >= '0' && text[0] <= '9') {
		ms = seconds > DAY_MS / 1000 ? DAY_MS : seconds * 1000;
	} else {
		time_t at = curl_getdate(text, NULL);
		ms = at < 0 ? 0 : (int64_t)at * 1000 - now_ms;
	}
	return ms < 0 ? 0 : ms > DAY_MS ? DAY_MS : ms;
}

static json_t *request_json(const cs_effect *e, const cs_headers *sent)
{
	json_t *o = json_object();
	json_object_set(o, "method", json_object_get(e->rendered, "method"));
	json_object_set(o, "url", json_object_get(e->rendered, "url"));
	json_object_set_new(o, "headers", headers_json(sent));
	json_t *body = json_object_get(e->rendered, "body");
	cs_buf text CS_AUTOBUF;
	cs_buf_init(&text, CS_HTTP_RECORD_BODY);
	if (body && cs_json_write(body, &text) == CS_OK)
		json_object_set(o, "body", body);
	else if (body)
		json_object_set_new(o, "body_cut", json_true());
	return o;
}

static json_t *reply_json(const cs_http_reply *r, json_t *content)
{
	json_t *o = json_object();
	if (r->status) {
		json_object_set_new(o, "status", json_integer(r->status));
		json_object_set_new(o, "headers", headers_json(&r->headers));
	}
	if (r->body_len > CS_HTTP_RECORD_BODY) {
		json_object_set_new(o, "body", cs_effect_text(r->body, r->body_len, CS_HTTP_RECORD_BODY));
		json_object_set_new(o, "body_cut", json_true());
	} else if (r->body_len) {
		json_object_set(o, "body", content);
	}
	json_object_set_new(o, "bytes", json_integer((json_int_t)r->body_len));
	json_object_set_new(o, "ms", json_integer(r->ms));
	if (*r->ip)
		json_object_set_new(o, "ip", json_string(r->ip));
	if (r->hops) {
		json_object_set_new(o, "redirects", json_integer(r->hops));
		json_object_set_new(o, "url", cs_effect_text(r->url, strlen(r->url), HEADER_SHOWN));
	}
	return o;
}

static json_t *record_json(const cs_effect *e, const cs_headers *sent, const cs_http_reply *r, json_t *content,
			   const char *note)
{
	static const char *const phases[] = {
		[CS_HTTP_NOT_SENT] = "not-sent", [CS_HTTP_CUT] = "cut", [CS_HTTP_COMPLETE] = "complete",
	};
	json_t *o = json_object();
	json_object_set_new(o, "request", request_json(e, sent));
	json_object_set_new(o, "reply", reply_json(r, content));
	json_object_set_new(o, "phase", json_string(phases[r->phase]));
	if (r->reason != CS_HTTP_OK)
		json_object_set_new(o, "reason", json_string(cs_http_reason_name(r->reason)));
	if (*r->error)
		json_object_set_new(o, "error", cs_effect_text(r->error, strlen(r->error), HEADER_SHOWN));
	if (note)
		json_object_set_new(o, "note", json_string(note));
	return o;
}

/* What the flow gets, by the DSL's `output`. */
static json_t *result_json(const cs_effect *e, const cs_headers *sent, const cs_http_reply *r, json_t *content)
{
	const char *output = cs_json_str_or(e->rendered, "output", "content");
	if (strcmp(output, "raw") == 0) {
		char *b64 CS_AUTOFREE = cs_base64(r->body, r->body_len);
		return json_string(b64);
	}
	if (strcmp(output, "response") != 0)
		return json_incref(content);
	json_t *request = json_object();
	json_object_set(request, "method", json_object_get(e->rendered, "method"));
	json_object_set(request, "uri", json_object_get(e->rendered, "url"));
	json_object_set_new(request, "headers", headers_json(sent));
	json_t *o = json_object();
	json_object_set_new(o, "request", request);
	json_object_set_new(o, "statusCode", json_integer(r->status));
	json_object_set_new(o, "headers", headers_json(&r->headers));
	json_object_set(o, "content", content);
	return o;
}

static json_t *status_error(const cs_http_reply *r)
{
	char title[64];
	snprintf(title, sizeof title, "HTTP %d", r->status);
	if (*r->error)
		return cs_error_object(CS_ERROR_COMMUNICATION, r->status, title, r->error);
	json_t *body CS_AUTOJSON = cs_effect_text(r->body, r->body_len, DETAIL_SHOWN);
	return cs_error_object(CS_ERROR_COMMUNICATION, r->status, title, json_string_value(body));
}

static json_t *broken_error(const cs_http_reply *r)
{
	static const struct {
		cs_error_type type;
		const char *title;
	} rows[] = {
		[CS_HTTP_OK] = { CS_ERROR_COMMUNICATION, "No reply" },
		[CS_HTTP_HELD] = { CS_ERROR_RUNTIME, "Held" },
		[CS_HTTP_CANCELLED] = { CS_ERROR_RUNTIME, "Cancelled" },
		[CS_HTTP_TIMEOUT] = { CS_ERROR_TIMEOUT, "No reply in time" },
		[CS_HTTP_ADDRESS] = { CS_ERROR_CONFIGURATION, "Address not allowed" },
		[CS_HTTP_TOO_BIG] = { CS_ERROR_COMMUNICATION, "Reply too large" },
		[CS_HTTP_NAME] = { CS_ERROR_COMMUNICATION, "Host not found" },
		[CS_HTTP_CONNECT] = { CS_ERROR_COMMUNICATION, "No connection" },
		[CS_HTTP_TLS] = { CS_ERROR_COMMUNICATION, "TLS failed" },
		[CS_HTTP_BROKEN] = { CS_ERROR_COMMUNICATION, "Connection broken" },
		[CS_HTTP_FAILED] = { CS_ERROR_RUNTIME, "Request failed" },
	};
	return cs_error_object(rows[r->reason].type, 0, rows[r->reason].title, r->error);
}

cs_outcome *cs_http_outcome(const cs_effect *e, const cs_headers *sent, const cs_http_reply *r)
{
	const char *note;
	json_t *content CS_AUTOJSON = cs_http_content(r, &note);
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_AMBIGUOUS);
	o->retry_after_ms = cs_http_retry_after(&r->headers, cs_clock_wall_ms());
	if (r->phase == CS_HTTP_COMPLETE)
		o->kind = cs_http_outcome_kind(e->class, r->status, cs_headers_get(&r->headers, "Retry-After") != NULL,
					       cs_json_true(e->rendered, "redirect"));
	else if (r->phase == CS_HTTP_NOT_SENT)
		o->kind = CS_OUTCOME_NOT_SENT;
	if (o->kind == CS_OUTCOME_DONE)
		o->result = result_json(e, sent, r, content);
	else
		o->error = r->phase == CS_HTTP_COMPLETE ? status_error(r) : broken_error(r);
	o->record = record_json(e, sent, r, content, note);
	return o;
}
