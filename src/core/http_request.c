/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/http_request.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/hash.h"
#include "base/mem.h"
#include "net/header.h"

enum { URL_MAX = 32 << 10, RECORD_MAX = 32 << 20, NAME_SHOWN = 64 };

static const char *const operation_keys[] = { "method", "path", "query", "headers", "as", "body", NULL };
static const char *const call_keys[] = { "method", "endpoint", "headers", "query", "body", "output", "redirect", NULL };
static const char *const form_type = "application/x-www-form-urlencoded";
static const char *const multipart_type = "multipart/form-data";

/* ---- text ---- */

static bool unreserved(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void encode(const char *s, size_t n, cs_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (unreserved(c))
			cs_buf_addc(out, (char)c);
		else
			cs_buf_addf(out, "%%%02X", c);
	}
}

/* A scalar as text, appended: encoded or as it is. CS_EINVAL for an array or object. */
static int add_scalar(const json_t *v, bool encoded, cs_buf *out)
{
	char text[64];
	const char *s = text;
	size_t n;
	switch (json_typeof(v)) {
	case JSON_STRING:
		s = json_string_value(v);
		n = json_string_length(v);
		break;
	case JSON_INTEGER:
		n = (size_t)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL:
		if (cs_json_number(json_real_value(v), text, sizeof text) < 0)
			return CS_EINVAL;
		n = strlen(text);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		s = json_is_true(v) ? "true" : "false";
		n = strlen(s);
		break;
	case JSON_NULL:
		return CS_OK;
	default:
		return CS_EINVAL;
	}
	if (encoded)
		encode(s, n, out);
	else
		cs_buf_add(out, s, n);
	return CS_OK;
}

static int check_buf(const cs_buf *out, const char *what, cs_err *err)
{
	if (out->failed)
		return cs_err_set(err, out->failed, "http: the %s is larger than %zu bytes", what, out->max);
	return CS_OK;
}

/* ---- URI templates ---- */

static int expand_one(const char *name, size_t n, const json_t *vars, bool strict, cs_buf *out, cs_err *err)
{
	char key[256];
	int shown = n > NAME_SHOWN ? NAME_SHOWN : (int)n;
	if (n == 0 || n >= sizeof key)
		return cs_err_set(err, CS_EINVAL, "http: {%.*s} in the path is no variable's name", shown, name);
	if (strchr("+#./;?&=,!@|", name[0]) || name[n - 1] == '*' || memchr(name, ':', n))
		return cs_err_set(err, CS_EUNSUPPORTED,
				  "http: {%.*s}: only the plain form {name} of a URI template is known", shown, name);
	memcpy(key, name, n);
	key[n] = '\0';
	const json_t *v = json_object_get(vars, key);
	if (strict && (!v || json_is_null(v)))
		return cs_err_set(err, CS_EINVAL, "http: the path needs {%.*s}, and the input has no %.*s", shown, name,
				  shown, name);
	if (!v)
		return CS_OK;
	if (strict && json_is_string(v) && json_string_length(v) == 0)
		return cs_err_set(err, CS_EINVAL, "http: the path needs {%.*s}, and it is empty", shown, name);
	if (add_scalar(v, true, out) < 0)
		return cs_err_set(err, CS_EINVAL, "http: {%.*s} in the path must be a string, number or boolean", shown,
				  name);
	return CS_OK;
}

int cs_uri_expand(const char *template, const json_t *vars, bool strict, cs_buf *out, cs_err *err)
{
	for (const char *p = template; *p;) {
		unsigned char c = (unsigned char)*p;
		if (c == '{') {
			const char *end = strchr(p, '}');
			if (!end)
				return cs_err_set(err, CS_EINVAL, "http: a { in the path is never closed");
			int rc = expand_one(p + 1, (size_t)(end - p - 1), vars, strict, out, err);
			if (rc < 0)
				return rc;
			p = end + 1;
			continue;
		}
		if (c < 0x20 || c == 0x7f || c == '\\' || c == '}')
			return cs_err_set(err, CS_EINVAL, "http: a URL cannot hold the character 0x%02x", c);
		if (c > 0x7f || strchr(" \"<>^`|", c))
			cs_buf_addf(out, "%%%02X", c);
		else
			cs_buf_addc(out, (char)c);
		p++;
	}
	return check_buf(out, "URL", err);
}

/* ---- URL ---- */

/* Where the authority of an http or https URL begins, or NULL. */
static const char *authority(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	if (strncasecmp(url, "https://", 8) == 0)
		return url + 8;
	return NULL;
}

static int check_url(const char *url, cs_err *err)
{
	const char *a = authority(url);
	if (!a)
		return cs_err_set(err, CS_EINVAL, "http: the URL must begin with http:// or https://");
	size_t n = strcspn(a, "/?#");
	if (n == 0)
		return cs_err_set(err, CS_EINVAL, "http: the URL names no host");
	if (memchr(a, '@', n))
		return cs_err_set(err, CS_EINVAL,
				  "http: a URL with a user name or password would be shown in every trace; use the connector's auth");
	/* A server would read another path than the one that was shown. */
	for (const char *p = a + n; *p == '/';) {
		p++;
		size_t len = strcspn(p, "/?#");
		if ((len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return cs_err_set(err, CS_EINVAL, "http: the path has a segment \"%.*s\", which leads elsewhere", (int)len, p);
		p += len;
	}
	return CS_OK;
}

/* The template of an operation: the connector's url and the path below it. */
static int base_template(const cs_http_source *s, cs_buf *out, cs_err *err)
{
	const char *path = cs_json_str_or(s->request, "path", "");
	size_t n = strlen(s->base);
	if (strpbrk(s->base, "?#{"))
		return cs_err_set(err, CS_EINVAL, "http: the connector's url is a plain address, without ?, # or {x}");
	if (*path && *path != '/' && *path != '?')
		return cs_err_set(err, CS_EINVAL, "http: an operation's path begins with /");
	while (n && s->base[n - 1] == '/' && *path != '?')
		n--;
	cs_buf_add(out, s->base, n);
	cs_buf_adds(out, path);
	return check_buf(out, "URL", err);
}

static int endpoint_template(const json_t *request, cs_buf *out, cs_err *err)
{
	const json_t *e = json_object_get(request, "endpoint");
	const char *uri = json_is_string(e) ? json_string_value(e) : cs_json_str(e, "uri");
	if (!uri)
		return cs_err_set(err, CS_EINVAL, "http: endpoint is a URL, or an object with a uri");
	if (json_is_object(e) && json_object_get(e, "authentication"))
		return cs_err_set(err, CS_EUNSUPPORTED,
				  "http: endpoint.authentication is not obeyed by this version; leave it out or call a connector");
	cs_buf_adds(out, uri);
	return check_buf(out, "URL", err);
}

static int add_query(const json_t *query, cs_buf *out, cs_err *err)
{
	const char *key;
	json_t *v;
	if (!query || json_is_null(query))
		return CS_OK;
	if (!json_is_object(query))
		return cs_err_set(err, CS_EINVAL, "http: query is a map of names to values");
	json_object_foreach((json_t *)(uintptr_t)query, key, v) {
		size_t n = json_is_array(v) ? json_array_size(v) : 1;
		for (size_t i = 0; i < n; i++) {
			const json_t *one = json_is_array(v) ? json_array_get(v, i) : v;
			if (json_is_null(one))
				continue;
			if (out->len && out->data[out->len - 1] != '?' && out->data[out->len - 1] != '&')
				cs_buf_addc(out, '&');
			encode(key, strlen(key), out);
			cs_buf_addc(out, '=');
			if (add_scalar(one, true, out) < 0)
				return cs_err_set(err, CS_EINVAL,
						  "http: \"%.64s\" must be a string, number, boolean or a list of these", key);
		}
	}
	return check_buf(out, "query", err);
}

static int render_url(const cs_http_source *s, json_t *out, cs_err *err)
{
	cs_buf template CS_AUTOBUF, url CS_AUTOBUF, query CS_AUTOBUF;
	cs_buf_init(&template, URL_MAX);
	cs_buf_init(&url, URL_MAX);
	cs_buf_init(&query, URL_MAX);
	int rc = s->base ? base_template(s, &template, err) : endpoint_template(s->request, &template, err);
	if (rc < 0)
		return rc;
	const char *t = cs_buf_str(&template), *a = authority(t);
	bool computed = !a || memchr(a, '{', strcspn(a, "/?#"));
	/* The DSL's empty string for what is missing is harmless in a read; DELETE /orders/ is not DELETE /orders/7. */
	bool strict = s->base != NULL || !cs_method_safe(cs_json_str_or(out, "method", "POST"));
	rc = cs_uri_expand(t, s->vars, strict, &url, err);
	if (rc < 0 || (rc = add_query(json_object_get(s->request, "query"), &query, err)) < 0)
		return rc;
	size_t n = strcspn(cs_buf_str(&url), "#");      /* a fragment is never sent */
	cs_buf whole CS_AUTOBUF;
	cs_buf_init(&whole, URL_MAX);
	cs_buf_add(&whole, cs_buf_str(&url), n);
	if (query.len)
		cs_buf_addf(&whole, "%c%s", memchr(cs_buf_str(&whole), '?', n) ? '&' : '?', cs_buf_str(&query));
	if ((rc = check_buf(&whole, "URL", err)) < 0 || (rc = check_url(cs_buf_str(&whole), err)) < 0)
		return rc;
	json_object_set_new(out, "url", json_stringn(cs_buf_str(&whole), whole.len));
	json_object_set_new(out, "named", json_boolean(s->host_written && !computed));
	return CS_OK;
}

/* ---- headers and body ---- */

static const char *header_get(const json_t *headers, const char *name)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)headers, key, v)
		if (strcasecmp(key, name) == 0)
			return json_string_value(v);
	return NULL;
}

static int render_headers(const json_t *in, json_t *headers, cs_err *err)
{
	const char *key;
	json_t *v;
	if (!in || json_is_null(in))
		return CS_OK;
	if (!json_is_object(in))
		return cs_err_set(err, CS_EINVAL, "http: headers is a map of names to values");
	json_object_foreach((json_t *)(uintptr_t)in, key, v) {
		cs_buf b CS_AUTOBUF;
		cs_buf_init(&b, URL_MAX);
		if (json_is_null(v))
			continue;
		if (add_scalar(v, false, &b) < 0)
			return cs_err_set(err, CS_EINVAL, "http: the header %.64s must be a string, number or boolean", key);
		int rc = check_buf(&b, "header", err);
		if (rc < 0 || (rc = cs_header_check(key, strlen(key), cs_buf_str(&b), b.len, err)) < 0)
			return rc;
		if (header_get(headers, key))
			return cs_err_set(err, CS_EINVAL, "http: the header %.64s is there twice", key);
		json_object_set_new(headers, key, json_stringn(cs_buf_str(&b), b.len));
	}
	return CS_OK;
}

static bool type_is(const char *content_type, const char *type)
{
	size_t n = strlen(type);
	return strncasecmp(content_type, type, n) == 0 && strchr("; \t", content_type[n]);
}

static bool type_is_json(const char *content_type)
{
	size_t n = strcspn(content_type, "; \t");
	return type_is(content_type, "application/json") || (n > 5 && strncasecmp(content_type + n - 5, "+json", 5) == 0);
}

/* How the body is written: json, form, multipart or text. */
static int body_form(const json_t *request, const json_t *headers, const json_t *body, const char **ret, cs_err *err)
{
	const char *as = cs_json_str(request, "as"), *type = header_get(headers, "Content-Type");
	static const char *const forms[] = { "json", "form", "multipart" };
	for (size_t i = 0; as && i < CS_ARRAY_LEN(forms); i++)
		if (strcmp(as, forms[i]) == 0) {
			*ret = forms[i];
			return CS_OK;
		}
	if (as)
		return cs_err_set(err, CS_EINVAL, "http: as is json, form or multipart, not \"%.64s\"", as);
	if (type && type_is(type, form_type) && json_is_object(body))
		*ret = "form";
	else if (type && type_is(type, multipart_type) && json_is_object(body))
		*ret = "multipart";
	else
		*ret = type && !type_is_json(type) && json_is_string(body) ? "text" : "json";
	return CS_OK;
}

/* The boundary comes from the content, so that the same body has the same bytes, and cannot stand in it. Whatever
 * Content-Type was there says no more than this one. */
static void put_boundary(const json_t *body, json_t *headers)
{
	char digest[CS_HEX_SIZE];
	const char *key;
	json_t *v;
	void *next;
	json_object_foreach_safe(headers, next, key, v)
		if (strcasecmp(key, "Content-Type") == 0)
			json_object_del(headers, key);
	cs_json_digest(body, digest);
	json_object_set_new(headers, "Content-Type", json_sprintf("%s; boundary=%.48s", multipart_type, digest));
}

static int render_body(const json_t *request, json_t *headers, json_t *out, cs_err *err)
{
	json_t *body = json_object_get(request, "body");
	const char *as = "json";
	int rc = body_form(request, headers, body, &as, err);
	if (rc < 0)
		return rc;
	json_object_set_new(out, "as", json_string(as));
	if (!body || json_is_null(body))
		return CS_OK;
	bool multipart = strcmp(as, "multipart") == 0;
	if ((multipart || strcmp(as, "form") == 0) && !json_is_object(body))
		return cs_err_set(err, CS_EINVAL, "http: a body sent as a form is a map of names to values");
	if (strcmp(cs_json_str_or(out, "method", ""), "HEAD") == 0)
		return cs_err_set(err, CS_EINVAL, "http: HEAD has no body; leave it out or use another method");
	if (multipart)
		put_boundary(body, headers);
	if (!header_get(headers, "Content-Type"))
		json_object_set_new(headers, "Content-Type",
				    json_string(strcmp(as, "form") == 0 ? form_type : "application/json"));
	json_object_set(out, "body", body);
	return CS_OK;
}

/* ---- the whole ---- */

static int check_keys(const cs_http_source *s, cs_err *err)
{
	const char *const *known = s->base ? operation_keys : call_keys;
	const char *key;
	json_t *v;
	if (!json_is_object(s->request))
		return cs_err_set(err, CS_EINVAL, "http: a request is a map with method and %s", s->base ? "path" : "endpoint");
	json_object_foreach((json_t *)(uintptr_t)s->request, key, v) {
		size_t i = 0;
		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i])
			return cs_err_set(err, CS_EINVAL, "http: \"%.64s\" is not known in a request", key);
	}
	return CS_OK;
}

static int render_method(const json_t *request, json_t *out, cs_err *err)
{
	const char *method = cs_json_str(request, "method");
	char upper[33];
	size_t n = method ? strlen(method) : 0;
	if (n == 0 || n >= sizeof upper)
		return cs_err_set(err, CS_EINVAL, "http: a request needs a method, as in GET or POST");
	for (size_t i = 0; i <= n; i++)
		upper[i] = (char)toupper((unsigned char)method[i]);
	if (!cs_method_ok(upper))
		return cs_err_set(err, CS_EINVAL, "http: the method is letters, as in GET or POST");
	json_object_set_new(out, "method", json_string(upper));
	return CS_OK;
}

static int render_reply(const json_t *request, json_t *out, cs_err *err)
{
	const char *output = cs_json_str_or(request, "output", "content");
	const json_t *redirect = json_object_get(request, "redirect");
	if (strcmp(output, "content") != 0 && strcmp(output, "response") != 0 && strcmp(output, "raw") != 0)
		return cs_err_set(err, CS_EINVAL, "http: output is content, response or raw, not \"%.64s\"", output);
	if (redirect && !json_is_boolean(redirect))
		return cs_err_set(err, CS_EINVAL, "http: redirect is true or false");
	json_object_set_new(out, "output", json_string(output));
	json_object_set_new(out, "redirect", json_boolean(json_is_true(redirect)));
	return CS_OK;
}

/* In the order and with the numbers that the log gives back: what is sent before a restart and
 * after it, what a card shows and what a digest covers are then the same bytes. */
static int as_recorded(const json_t *out, json_t **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, RECORD_MAX);
	int rc = cs_json_canonical(out, &text);
	if (rc < 0)
		return cs_err_set(err, rc, "http: the request is too large to be kept, or is not JSON");
	return cs_json_parse(cs_buf_str(&text), text.len, ret, err);
}

int cs_http_render(const cs_http_source *s, json_t **ret, cs_err *err)
{
	json_t *out CS_AUTOJSON = json_object();
	json_t *headers = json_object();
	int rc = check_keys(s, err);
	if (rc == CS_OK)
		rc = render_method(s->request, out, err);
	if (rc == CS_OK)
		rc = render_url(s, out, err);
	json_object_set_new(out, "headers", headers);
	if (rc == CS_OK)
		rc = render_headers(json_object_get(s->request, "headers"), headers, err);
	if (rc == CS_OK)
		rc = render_body(s->request, headers, out, err);
	if (rc == CS_OK)
		rc = render_reply(s->request, out, err);
	return rc == CS_OK ? as_recorded(out, ret, err) : rc;
}

static const char *boundary_of(const json_t *rendered)
{
	const char *type = header_get(json_object_get(rendered, "headers"), "Content-Type");
	const char *at = type ? strstr(type, "boundary=") : NULL;
	return at ? at + strlen("boundary=") : "";
}

/* A name within the quotes of a part's head, as browsers write it. */
static void add_name(const char *name, cs_buf *out)
{
	for (; *name; name++)
		if (*name == '"' || *name == '\r' || *name == '\n')
			cs_buf_addf(out, "%%%02X", (unsigned)*name);
		else
			cs_buf_addc(out, *name);
}

/* RFC 7578: a text or number is a part, of a list each member is one, an object is one of JSON. */
static int add_parts(const json_t *body, const char *boundary, cs_buf *out, cs_err *err)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)body, key, v) {
		size_t n = json_is_array(v) ? json_array_size(v) : 1;
		for (size_t i = 0; i < n; i++) {
			const json_t *one = json_is_array(v) ? json_array_get(v, i) : v;
			if (json_is_null(one))
				continue;
			bool json = json_is_object(one) || json_is_array(one);
			cs_buf_addf(out, "--%s\r\nContent-Disposition: form-data; name=\"", boundary);
			add_name(key, out);
			cs_buf_addf(out, "\"\r\n%s\r\n", json ? "Content-Type: application/json\r\n" : "");
			if ((json ? cs_json_write(one, out) : add_scalar(one, false, out)) < 0 && !out->failed)
				return cs_err_set(err, CS_EINVAL, "http: \"%.64s\" cannot be written as a part of a form", key);
			cs_buf_adds(out, "\r\n");
		}
	}
	cs_buf_addf(out, "--%s--\r\n", boundary);
	return CS_OK;
}

int cs_http_render_body(const json_t *rendered, cs_buf *out, cs_err *err)
{
	const json_t *body = json_object_get(rendered, "body");
	const char *as = cs_json_str_or(rendered, "as", "json");
	int rc = CS_OK;
	if (!body)
		return CS_OK;
	if (strcmp(as, "form") == 0)
		rc = add_query(body, out, err);
	else if (strcmp(as, "multipart") == 0)
		rc = add_parts(body, boundary_of(rendered), out, err);
	else if (strcmp(as, "text") == 0 && json_is_string(body))
		cs_buf_add(out, json_string_value(body), json_string_length(body));
	else if (cs_json_write(body, out) < 0 && !out->failed)
		rc = cs_err_set(err, CS_EINVAL, "http: the body is not JSON that can be written");
	return rc < 0 ? rc : check_buf(out, "body", err);
}

cs_effect_class cs_http_default_class(const char *method)
{
	return cs_method_safe(method) ? CS_EFFECT_READ : CS_EFFECT_UNSAFE;
}

/* In order, the first row that holds: the table of STATES.md, "Attempt at an effect". */
static const struct {
	int from, to;
	bool with_retry_after;          /* only where the reply says when to come back */
	cs_outcome_kind unsafe, sends, reads;
} replies[] = {
	{ 200, 299, false, CS_OUTCOME_DONE, CS_OUTCOME_DONE, CS_OUTCOME_DONE },
	{ 300, 399, false, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_REJECTED },
	{ 408, 408, false, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_TRANSIENT, CS_OUTCOME_TRANSIENT },
	{ 409, 409, false, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS },
	{ 425, 425, false, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_TRANSIENT, CS_OUTCOME_TRANSIENT },
	{ 429, 429, false, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_TRANSIENT, CS_OUTCOME_TRANSIENT },
	{ 400, 499, false, CS_OUTCOME_REJECTED, CS_OUTCOME_REJECTED, CS_OUTCOME_REJECTED },
	{ 503, 503, true, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_TRANSIENT, CS_OUTCOME_TRANSIENT },
};

cs_outcome_kind cs_http_outcome_kind(cs_effect_class class, int status, bool retry_after, bool redirect)
{
	if (redirect && status >= 300 && status <= 399)
		return CS_OUTCOME_DONE;
	for (size_t i = 0; i < CS_ARRAY_LEN(replies); i++) {
		if (status < replies[i].from || status > replies[i].to || (replies[i].with_retry_after && !retry_after))
			continue;
		if (class == CS_EFFECT_UNSAFE)
			return replies[i].unsafe;
		return cs_effect_class_sends(class) ? replies[i].sends : replies[i].reads;
	}
	return CS_OUTCOME_AMBIGUOUS;
}
