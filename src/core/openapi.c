/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/openapi.h"

#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/yaml.h"

enum { REFS_MAX = 16, URL_MAX = 32 << 10, PARAMETERS_MAX = 500 };

static const char name_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

/* A call on its way through a document. */
struct building {
	const json_t *doc, *item, *operation;   /* the path's item, and one of its methods */
	const char *path, *method;
	const json_t *given;                    /* the flow's parameters */
	bool old;                               /* OpenAPI 2.0 */
	json_t *used, *vars, *query, *headers, *cookies, *form, *body;
	const char *type;                       /* of the body; NULL: JSON */
};

static int refuse(cs_err *err, const char *what, const char *name)
{
	return cs_err_set(err, CS_EUNSUPPORTED, "openapi: %s%s%.80s%s", what, *name ? " '" : "", name, *name ? "'" : "");
}

int cs_openapi_read(const json_t *content, json_t **ret, cs_err *err)
{
	if (json_is_object(content)) {
		*ret = json_incref((json_t *)(uintptr_t)content);
		return CS_OK;
	}
	cs_err why = { 0 };
	json_t *doc = NULL;
	int rc = json_is_string(content) ? CS_OK : CS_EINVAL;
	if (rc == CS_OK && cs_json_parse(json_string_value(content), json_string_length(content), &doc, NULL) < 0)
		rc = cs_yaml_parse("document", json_string_value(content), json_string_length(content), &doc, NULL, &why);
	if (rc == CS_OK && !json_is_object(doc)) {
		json_decref(doc);
		rc = CS_EINVAL;
	}
	if (rc < 0)
		return cs_err_set(err, CS_EUNSUPPORTED, "openapi: the document is neither JSON nor YAML with a mapping%s%s",
				  why.msg[0] ? ": " : "", why.msg);
	*ret = doc;
	return CS_OK;
}

/* V, or what its `$ref` leads to within the document; NULL when it leads nowhere. */
static const json_t *follow(const json_t *doc, const json_t *v)
{
	for (int i = 0; i < REFS_MAX && v; i++) {
		const char *ref = cs_json_str(v, "$ref");
		if (!ref)
			return v;
		v = *ref == '#' ? cs_json_pointer(doc, ref + 1) : NULL;
	}
	return NULL;
}

static int find_operation(struct building *b, const char *id, cs_err *err)
{
	static const char *const methods[] = { "get", "put", "post", "delete", "options", "head", "patch" };
	const char *path;
	json_t *raw;
	json_object_foreach(json_object_get(b->doc, "paths"), path, raw) {
		const json_t *item = follow(b->doc, raw);
		for (size_t i = 0; i < CS_ARRAY_LEN(methods); i++) {
			const json_t *op = json_object_get(item, methods[i]);
			const char *have = cs_json_str(op, "operationId");
			if (!have || strcmp(have, id) != 0)
				continue;
			b->path = path;
			b->item = item;
			b->operation = op;
			b->method = methods[i];
			return CS_OK;
		}
	}
	return refuse(err, "the document has no operation", id);
}

/* ---- parameters ---- */

/* A list as one text, C between its members. */
static json_t *joined(const json_t *list, char c)
{
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, URL_MAX);
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		CS_AUTOFREE char *text = json_is_string(v) ? cs_xstrdup(json_string_value(v)) : cs_json_text(v);
		if (i)
			cs_buf_addc(&b, c);
		cs_buf_adds(&b, text);
	}
	return b.failed ? json_null() : json_stringn(cs_buf_str(&b), b.len);
}

/* 2.0 joins a list by its collectionFormat, csv unless said; 3.x repeats the name in a query
 * (form, explode) unless said, and joins elsewhere. */
static json_t *one_value(const struct building *b, const json_t *p, const char *in, json_t *v)
{
	if (!json_is_array(v))
		return json_incref(v);
	const char *format = cs_json_str_or(p, "collectionFormat", "csv");
	const json_t *explode = json_object_get(p, "explode");
	bool repeats = b->old ? strcmp(format, "multi") == 0 : strcmp(in, "query") == 0 && !json_is_false(explode);
	static const struct {
		const char *word;
		char c;
	} marks[] = { { "ssv", ' ' }, { "tsv", '\t' }, { "pipes", '|' }, { "spaceDelimited", ' ' }, { "pipeDelimited", '|' } };
	if (repeats)
		return json_incref(v);
	const char *word = b->old ? format : cs_json_str_or(p, "style", "");
	for (size_t i = 0; i < CS_ARRAY_LEN(marks); i++)
		if (strcmp(marks[i].word, word) == 0)
			return joined(v, marks[i].c);
	return joined(v, ',');
}

/* Puts the value of parameter P where the document says. */
static int place(struct building *b, const json_t *p, cs_err *err)
{
	const char *name = cs_json_str_or(p, "name", ""), *in = cs_json_str_or(p, "in", "");
	json_t *v = json_object_get(b->given, name);
	const json_t *schema = json_object_get(p, "schema");
	if (!v && cs_json_true(p, "required")) {
		v = json_object_get(b->old ? p : schema, "default");
		if (!v)
			return refuse(err, "the operation needs the parameter", name);
	}
	if (!v)
		return CS_OK;
	json_object_set_new(b->used, name, json_true());
	if (strcmp(in, "body") == 0) {
		b->body = v;
		return CS_OK;
	}
	const struct {
		const char *in;
		json_t *into;
	} places[] = { { "path", b->vars }, { "query", b->query }, { "header", b->headers }, { "formData", b->form },
		     { "cookie", b->cookies } };
	for (size_t i = 0; i < CS_ARRAY_LEN(places); i++)
		if (strcmp(places[i].in, in) == 0) {
			json_object_set_new(places[i].into, name, one_value(b, p, in, v));
			return CS_OK;
		}
	return cs_err_set(err, CS_EUNSUPPORTED, "openapi: the parameter '%.80s' stands in '%.40s', where this version puts none", name, in);
}

/* Those of the path come after the operation's own, which stand in for them. */
static int place_all(struct building *b, const json_t *list, json_t *seen, cs_err *err)
{
	size_t i;
	json_t *raw;
	if (json_array_size(list) > PARAMETERS_MAX)
		return refuse(err, "the operation has too many parameters", "");
	json_array_foreach((json_t *)(uintptr_t)list, i, raw) {
		const json_t *p = follow(b->doc, raw);
		if (!cs_json_str(p, "name") || !cs_json_str(p, "in"))
			return refuse(err, "the document has a parameter without a name or a place", "");
		CS_AUTOFREE char *key = cs_xasprintf("%s %s", cs_json_str(p, "in"), cs_json_str(p, "name"));
		if (json_object_get(seen, key))
			continue;
		json_object_set_new(seen, key, json_true());
		int rc = place(b, p, err);
		if (rc < 0)
			return rc;
	}
	return CS_OK;
}

/* 3.x: what the document names no parameter is the body: `body` as a whole, else member by member. */
static int request_body(struct building *b, cs_err *err)
{
	const json_t *body = follow(b->doc, json_object_get(b->operation, "requestBody"));
	const json_t *content = json_object_get(body, "content");
	const char *name;
	json_t *v;
	if (body) {
		b->type = json_object_get(content, "application/json") ? "application/json"
			: json_object_iter_key(json_object_iter((json_t *)(uintptr_t)content));
		bool whole = json_object_get(b->given, "body") && !json_object_get(b->used, "body");
		json_object_foreach((json_t *)(uintptr_t)b->given, name, v)
			if (!whole && !json_object_get(b->used, name)) {
				json_object_set(b->form, name, v);
				json_object_set_new(b->used, name, json_true());
			}
		if (whole)
			json_object_set_new(b->used, "body", json_true());
		b->body = whole ? json_object_get(b->given, "body") : json_object_size(b->form) > 0 ? b->form : NULL;
		if (!b->body && cs_json_true(body, "required"))
			return refuse(err, "the operation needs a body; give its members as parameters, or the whole as 'body'", "");
	}
	json_object_foreach((json_t *)(uintptr_t)b->given, name, v)
		if (!json_object_get(b->used, name))
			return refuse(err, "the operation has no parameter", name);
	return CS_OK;
}

/* All cookies as the one header that they go in. What is no letter of a cookie is percent-encoded. */
static int add_cookies(struct building *b, cs_err *err)
{
	const char *name;
	json_t *v;
	cs_buf text CS_AUTOBUF;
	cs_buf_init(&text, URL_MAX);
	json_object_foreach(b->cookies, name, v) {
		CS_AUTOFREE char *value = json_is_string(v) ? cs_xstrdup(json_string_value(v)) : cs_json_text(v);
		if (!*name || name[strspn(name, name_letters)])
			return refuse(err, "the document has a cookie whose name cannot be sent:", name);
		if (!value)
			return refuse(err, "no text for the cookie", name);
		cs_buf_addf(&text, "%s%s=", text.len ? "; " : "", name);
		for (const char *p = value; *p; p++)
			if (strchr(name_letters, *p))
				cs_buf_addc(&text, *p);
			else
				cs_buf_addf(&text, "%%%02X", (unsigned)(unsigned char)*p);
	}
	if (text.failed)
		return refuse(err, "the operation's cookies are too long", "");
	if (text.len)
		json_object_set_new(b->headers, "Cookie", json_stringn(cs_buf_str(&text), text.len));
	return CS_OK;
}

/* ---- servers ---- */

static void fill_in(const json_t *server, cs_buf *out)
{
	for (const char *p = cs_json_str_or(server, "url", "/"); *p;) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;
		if (!end) {
			cs_buf_addc(out, *p++);
			continue;
		}
		CS_AUTOFREE char *name = cs_xstrndup(p + 1, (size_t)(end - p - 1));
		cs_buf_adds(out, cs_json_str_or(json_object_get(json_object_get(server, "variables"), name), "default", ""));
		p = end + 1;
	}
}

/* Bytes of scheme and host at the head of URL; 0: it has none. */
static size_t origin(const char *url)
{
	const char *host = strstr(url, "://");
	return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

/* 2.0: host and basePath; the scheme that the document came by, where it is one of `schemes`, else the first. */
static void old_server(const struct building *b, const char *base, cs_buf *out)
{
	const json_t *list = json_object_get(b->doc, "schemes"), *one;
	const char *scheme = json_string_value(json_array_get(list, 0));
	const char *host = cs_json_str(b->doc, "host"), *path = cs_json_str_or(b->doc, "basePath", "");
	size_t i, n = origin(base), len = n ? (size_t)(strstr(base, "://") - base) : 0;
	json_array_foreach((json_t *)(uintptr_t)list, i, one)
		if (json_is_string(one) && json_string_length(one) == len && strncmp(json_string_value(one), base, len) == 0)
			scheme = json_string_value(one);
	if (!scheme && !n)
		scheme = "https";               /* the document came by none */
	cs_buf_add(out, scheme ? scheme : base, scheme ? strlen(scheme) : len);
	cs_buf_adds(out, "://");
	cs_buf_add(out, host ? host : base + len + (n ? 3 : 0), host ? strlen(host) : n - len - (n ? 3 : 0));
	cs_buf_add(out, path, strcmp(path, "/") == 0 ? 0 : strlen(path));
}

/* 3.x: the first server of the operation, its path or the document; seen from BASE. */
static void server_of(const struct building *b, const char *base, cs_buf *out)
{
	const json_t *const holders[] = { b->operation, b->item, b->doc };
	const json_t *server = NULL;
	size_t n = origin(base);
	for (size_t i = 0; i < CS_ARRAY_LEN(holders) && !server; i++)
		server = json_array_get(json_object_get(holders[i], "servers"), 0);
	cs_buf url CS_AUTOBUF;
	cs_buf_init(&url, URL_MAX);
	fill_in(server, &url);
	const char *text = cs_buf_str(&url);
	if (!origin(text))
		cs_buf_add(out, base, n);
	if (!origin(text) && *text && *text != '/') {             /* beside the document */
		const char *last = strrchr(base + n, '/');
		cs_buf_add(out, last ? base + n : "/", last ? (size_t)(last + 1 - base) - n : 1);
	}
	size_t len = strlen(text);
	cs_buf_add(out, text, len && text[len - 1] == '/' ? len - 1 : len);
}

/* ---- the whole ---- */

/* FROM: where the document came from; a file gives no host to what the document leaves out. */
static int make_url(const struct building *b, const char *from, cs_buf *url, cs_err *err)
{
	const char *base = strncmp(from, "file:", 5) == 0 ? "" : from;
	(b->old ? old_server : server_of)(b, base, url);
	size_t host = origin(cs_buf_str(url));
	if (!*base && (!host || cs_buf_str(url)[host - 1] == '/'))
		return refuse(err, "the document is a file and names no server with a host, like 'https://api.example/v1'", "");
	cs_buf_adds(url, b->path);
	return url->failed ? refuse(err, "the operation's URL is too long", "") : CS_OK;
}

static int make(struct building *b, const json_t *with, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *seen = json_object();
	int rc = place_all(b, json_object_get(b->operation, "parameters"), seen, err);
	if (rc == CS_OK)
		rc = place_all(b, json_object_get(b->item, "parameters"), seen, err);
	if (rc == CS_OK)
		rc = request_body(b, err);
	if (rc == CS_OK)
		rc = add_cookies(b, err);
	if (rc < 0)
		return rc;
	if (b->old && json_object_size(b->form) > 0) {
		b->body = b->form;
		b->type = "application/x-www-form-urlencoded";
	}
	cs_buf url CS_AUTOBUF;
	cs_buf_init(&url, URL_MAX);
	rc = make_url(b, cs_json_str_or(with, "document", ""), &url, err);
	if (rc < 0)
		return rc;
	json_t *request = json_pack("{s:s, s:s, s:O, s:O, s:s, s:b}", "method", b->method, "endpoint", cs_buf_str(&url), "query",
				    b->query, "headers", b->headers, "output", cs_json_str_or(with, "output", "content"),
				    "redirect", (int)cs_json_true(with, "redirect"));
	if (b->body)
		json_object_set(request, "body", b->body);
	if (b->body && b->type)
		json_object_set_new(b->headers, "Content-Type", json_string(b->type));
	*ret = request;
	return CS_OK;
}

int cs_openapi_request(const json_t *document, const json_t *with, json_t **ret_request, json_t **ret_vars, cs_err *err)
{
	const char *version = cs_json_str(document, "openapi"), *swagger = cs_json_str(document, "swagger");
	bool old = swagger && strncmp(swagger, "2.", 2) == 0;
	if (!old && (!version || (strncmp(version, "3.0", 3) != 0 && strncmp(version, "3.1", 3) != 0)))
		return refuse(err, "the document says neither swagger 2.0 nor openapi 3.0 or 3.1", "");
	CS_AUTOJSON json_t *used = json_object(), *vars = json_object(), *query = json_object();
	CS_AUTOJSON json_t *headers = json_object(), *form = json_object(), *cookies = json_object();
	struct building b = { .doc = document, .given = json_object_get(with, "parameters"), .old = old, .used = used,
			      .vars = vars, .query = query, .headers = headers, .cookies = cookies,
			      .form = form };
	int rc = find_operation(&b, cs_json_str_or(with, "operationId", ""), err);
	if (rc == CS_OK)
		rc = make(&b, with, ret_request, err);
	if (rc == CS_OK)
		*ret_vars = CS_STEAL(vars);
	return rc;
}
