/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/mem.h"
#include "core/http_request.h"
#include "tests/json.h"

/* Renders; NULL with *ret_code and ERR where it is refused. BASE NULL: a call to http. */
static json_t *render(const char *base, const char *request, const char *vars, int *ret_code, cs_err *err)
{
	json_t *q CS_AUTOJSON = json_plain(request), *v CS_AUTOJSON = json_plain(vars);
	json_t *out = NULL;
	cs_http_source s = { .request = q, .base = base, .vars = v, .host_written = true };
	*ret_code = cs_http_render(&s, &out, err);
	return out;
}

static void url_is(const char *base, const char *request, const char *vars, const char *url)
{
	int rc;
	cs_err err = { 0 };
	json_t *out CS_AUTOJSON = render(base, request, vars, &rc, &err);
	if (!out)
		fail_msg("%s: %s", request, err.msg);
	assert_string_equal(cs_json_str(out, "url"), url);
}

static void refused(const char *base, const char *request, const char *vars, int code, const char *says)
{
	int rc;
	cs_err err = { 0 };
	json_t *out CS_AUTOJSON = render(base, request, vars, &rc, &err);
	if (out)
		fail_msg("%s was taken", request);
	assert_int_equal(rc, code);
	if (!strstr(err.msg, says))
		fail_msg("%s: \"%s\" does not say %s", request, err.msg, says);
}

static void a_variable_is_percent_encoded_whole(void **state)
{
	(void)state;
	url_is("https://a.example/v1/", "{\"method\":\"get\",\"path\":\"/i/{x}\"}", "{\"x\":\"a/b?c#d e%&\\u00fc{\"}",
	       "https://a.example/v1/i/a%2Fb%3Fc%23d%20e%25%26%C3%BC%7B");
	url_is("https://a.example", "{\"method\":\"get\",\"path\":\"/i/{n}/{b}/{r}\"}", "{\"n\":9007199254740993,\"b\":true,\"r\":0.1}",
	       "https://a.example/i/9007199254740993/true/0.1");
	url_is(NULL, "{\"method\":\"get\",\"endpoint\":{\"uri\":\"https://a.example/p?status={pet.id}\"}}", "{\"pet.id\":\"x y\"}",
	       "https://a.example/p?status=x%20y");
	url_is(NULL, "{\"method\":\"get\",\"endpoint\":\"https://a.example/{gone}/x\"}", "{}", "https://a.example//x");
}

static void a_missing_variable_of_an_operation_is_named(void **state)
{
	(void)state;
	static const char *const request = "{\"method\":\"delete\",\"path\":\"/customers/{customer}\"}";
	refused("https://a.example", request, "{}", CS_EINVAL, "{customer}");
	refused("https://a.example", request, "{\"customer\":null}", CS_EINVAL, "{customer}");
	refused("https://a.example", request, "{\"customer\":\"\"}", CS_EINVAL, "{customer}");
	refused("https://a.example", request, "{\"customer\":[1]}", CS_EINVAL, "{customer}");
	/* So it is for what is written out in a flow, where it sends. */
	static const char *const methods[] = { "post", "PUT", "patch", "DELETE" };
	for (size_t i = 0; i < CS_ARRAY_LEN(methods); i++) {
		char *sends CS_AUTOFREE = cs_xasprintf("{\"method\":\"%s\",\"endpoint\":\"https://a.example/orders/{order}\"}", methods[i]);
		refused(NULL, sends, "{}", CS_EINVAL, "{order}");
		refused(NULL, sends, "{\"order\":\"\"}", CS_EINVAL, "{order}");
	}
}

static void a_variable_cannot_lead_elsewhere(void **state)
{
	(void)state;
	static const char *const request = "{\"method\":\"delete\",\"path\":\"/customers/{x}\"}";
	refused("https://a.example", request, "{\"x\":\"..\"}", CS_EINVAL, "leads elsewhere");
	refused("https://a.example", request, "{\"x\":\".\"}", CS_EINVAL, "leads elsewhere");
	refused("https://a.example", "{\"method\":\"get\",\"path\":\".evil.example/\"}", "{}", CS_EINVAL, "begins with /");
	refused("https://a.example", "{\"method\":\"get\",\"path\":\"@evil.example/\"}", "{}", CS_EINVAL, "begins with /");
	refused(NULL, "{\"method\":\"get\",\"endpoint\":\"https://u:p@a.example/\"}", "{}", CS_EINVAL, "user name");
	refused(NULL, "{\"method\":\"get\",\"endpoint\":\"file:///etc/passwd\"}", "{}", CS_EINVAL, "http://");
	refused(NULL, "{\"method\":\"get\",\"endpoint\":\"/relative\"}", "{}", CS_EINVAL, "http://");
	refused(NULL, "{\"method\":\"get\",\"endpoint\":\"https://a\\\\b.example/\"}", "{}", CS_EINVAL, "0x5c");
	refused(NULL, "{\"method\":\"get\",\"endpoint\":\"https://a.example/\\r\\nX: y\"}", "{}", CS_EINVAL, "0x0d");
}

static void only_a_host_that_is_written_out_counts_as_named(void **state)
{
	(void)state;
	int rc;
	cs_err err = { 0 };
	json_t *written CS_AUTOJSON = render(NULL, "{\"method\":\"get\",\"endpoint\":\"http://10.0.0.1/{x}\"}", "{\"x\":1}", &rc, &err);
	json_t *computed CS_AUTOJSON = render(NULL, "{\"method\":\"get\",\"endpoint\":\"http://{x}/\"}", "{\"x\":\"10.0.0.1\"}", &rc, &err);
	assert_true(cs_json_true(written, "named"));
	assert_non_null(computed);
	assert_false(cs_json_true(computed, "named"));
}

static void a_query_is_encoded_and_appended(void **state)
{
	(void)state;
	url_is("https://a.example", "{\"method\":\"get\",\"path\":\"/s\",\"query\":{\"q\":\"a b&c\",\"n\":[1,2],\"no\":null,\"k e\":true}}", "{}",
	       "https://a.example/s?q=a%20b%26c&n=1&n=2&k%20e=true");
	url_is(NULL, "{\"method\":\"get\",\"endpoint\":\"https://a.example/s?a=1#part\",\"query\":{\"b\":2}}", "{}",
	       "https://a.example/s?a=1&b=2");
	refused("https://a.example", "{\"method\":\"get\",\"query\":{\"q\":{\"x\":1}}}", "{}", CS_EINVAL, "\"q\"");
}

static void a_header_is_validated(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"{\"X\":\"a\\r\\nHost: b\"}", "{\"X\":\"a\\nb\"}", "{\"Host\":\"b\"}", "{\"content-length\":5}",
		"{\"Transfer-Encoding\":\"chunked\"}", "{\"X: y\":\"z\"}", "{\"X\":[1]}", "{\"A\":1,\"a\":2}",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++) {
		char *request CS_AUTOFREE = cs_xasprintf("{\"method\":\"get\",\"path\":\"/\",\"headers\":%s}", bad[i]);
		refused("https://a.example", request, "{}", CS_EINVAL, "header");
	}
}

/* Written out by `as`, or by the Content-Type that an OpenAPI document names. */
static void a_form_in_parts_has_the_boundary_of_its_content(void **state)
{
	(void)state;
	static const char *const requests[] = {
		"{\"method\":\"post\",\"as\":\"multipart\",\"body\":%s}",
		"{\"method\":\"post\",\"headers\":{\"content-type\":\"multipart/form-data; boundary=x\"},\"body\":%s}",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(requests); i++) {
		char *text CS_AUTOFREE = cs_xasprintf(requests[i], "{\"a\\\"\\r\":\"x\\n\",\"l\":[1,\"two\"],\"n\":null,\"o\":{\"k\":true}}");
		json_t *request CS_AUTOJSON = json_plain(text), *out CS_AUTOJSON = NULL;
		char digest[65];
		cs_err err = { 0 };
		cs_json_digest(json_object_get(request, "body"), digest);
		assert_int_equal(cs_http_render(&(cs_http_source){ .request = request, .base = "https://a.example" }, &out, &err), CS_OK);
		assert_string_equal(cs_json_str(out, "as"), "multipart");
		char *b CS_AUTOFREE = cs_xasprintf("%.48s", digest), *type CS_AUTOFREE = cs_xasprintf("multipart/form-data; boundary=%s", b);
		assert_int_equal(json_object_size(json_object_get(out, "headers")), 1);
		assert_string_equal(cs_json_str(json_object_get(out, "headers"), "Content-Type"), type);
		char *want CS_AUTOFREE = cs_xasprintf("--%s\r\nContent-Disposition: form-data; name=\"a%%22%%0D\"\r\n\r\nx\n\r\n"
			"--%s\r\nContent-Disposition: form-data; name=\"l\"\r\n\r\n1\r\n--%s\r\nContent-Disposition: form-data; name=\"l\"\r\n\r\ntwo\r\n"
			"--%s\r\nContent-Disposition: form-data; name=\"o\"\r\nContent-Type: application/json\r\n\r\n{\"k\":true}\r\n--%s--\r\n", b, b, b, b, b);
		cs_buf body CS_AUTOBUF;
		cs_buf_init(&body, 1 << 16);
		assert_int_equal(cs_http_render_body(out, &body, &err), CS_OK);
		assert_string_equal(cs_buf_str(&body), want);
	}
}

static void what_is_not_obeyed_is_refused_by_name(void **state)
{
	(void)state;
	refused("https://a.example", "{\"method\":\"post\",\"as\":\"multipart\",\"body\":[1]}", "{}", CS_EINVAL, "map of names");
	refused(NULL, "{\"method\":\"get\",\"endpoint\":{\"uri\":\"https://a.example/\",\"authentication\":{\"basic\":{}}}}", "{}",
		CS_EUNSUPPORTED, "authentication");
	refused("https://a.example", "{\"method\":\"get\",\"path\":\"/{+x}\"}", "{}", CS_EUNSUPPORTED, "{+x}");
	refused("https://a.example", "{\"method\":\"get\",\"pth\":\"/\"}", "{}", CS_EINVAL, "\"pth\"");
	refused("https://a.example", "{\"path\":\"/\"}", "{}", CS_EINVAL, "method");
	refused(NULL, "{\"method\":\"get\",\"endpoint\":\"https://a.example\",\"output\":\"all\"}", "{}", CS_EINVAL, "output");
}

static void body_is(const char *request, const char *body, const char *type)
{
	int rc;
	cs_err err = { 0 };
	json_t *out CS_AUTOJSON = render("https://a.example", request, "{}", &rc, &err);
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 1000);
	if (!out)
		fail_msg("%s: %s", request, err.msg);
	assert_int_equal(cs_http_render_body(out, &b, &err), CS_OK);
	assert_string_equal(cs_buf_str(&b), body);
	const json_t *headers = json_object_get(out, "headers");
	if (type)
		assert_string_equal(cs_json_str_or(headers, "Content-Type", ""), type);
	else
		assert_int_equal(json_object_size(headers), 0);
}

static void a_body_is_written_as_said(void **state)
{
	(void)state;
	body_is("{\"method\":\"post\",\"body\":{\"b\":1,\"a\":\"x\"}}", "{\"a\":\"x\",\"b\":1}", "application/json");
	body_is("{\"method\":\"post\",\"body\":\"text\"}", "\"text\"", "application/json");
	body_is("{\"method\":\"post\",\"body\":{\"a\":\"x y\",\"n\":[1,2]},\"as\":\"form\"}", "a=x%20y&n=1&n=2",
		"application/x-www-form-urlencoded");
	body_is("{\"method\":\"post\",\"body\":\"a: 1\",\"headers\":{\"content-type\":\"text/yaml\"}}", "a: 1", "");
	body_is("{\"method\":\"post\",\"body\":{\"a\":1},\"headers\":{\"Content-Type\":\"application/vnd.x+json; v=1\"}}", "{\"a\":1}",
		"application/vnd.x+json; v=1");
	body_is("{\"method\":\"post\"}", "", NULL);
	refused("https://a.example", "{\"method\":\"post\",\"body\":[1],\"as\":\"form\"}", "{}", CS_EINVAL, "form");
	refused("https://a.example", "{\"method\":\"head\",\"body\":[1]}", "{}", CS_EINVAL, "HEAD");
}

/* STATES.md, "Attempt at an effect", row by row. */
static void a_status_means_what_the_table_says(void **state)
{
	(void)state;
	static const cs_outcome_kind kinds[] = {
		['D'] = CS_OUTCOME_DONE, ['R'] = CS_OUTCOME_REJECTED, ['T'] = CS_OUTCOME_TRANSIENT, ['A'] = CS_OUTCOME_AMBIGUOUS,
	};
	static const struct {
		int status;
		bool after;
		const char want[6];        /* pure, read, keyed, probe, unsafe */
	} rows[] = {
		{ 200, false, "DDDDD" }, { 201, false, "DDDDD" }, { 204, false, "DDDDD" }, { 299, false, "DDDDD" },
		{ 301, false, "RRAAA" }, { 303, false, "RRAAA" }, { 304, false, "RRAAA" }, { 308, false, "RRAAA" },
		{ 400, false, "RRRRR" }, { 401, false, "RRRRR" }, { 402, false, "RRRRR" }, { 403, false, "RRRRR" },
		{ 404, false, "RRRRR" }, { 410, false, "RRRRR" }, { 422, false, "RRRRR" }, { 499, true, "RRRRR" },
		{ 408, false, "TTTTA" }, { 425, false, "TTTTA" }, { 429, false, "TTTTA" }, { 429, true, "TTTTA" },
		{ 409, false, "AAAAA" }, { 409, true, "AAAAA" }, { 503, true, "TTTTA" }, { 503, false, "AAAAA" },
		{ 500, false, "AAAAA" }, { 500, true, "AAAAA" }, { 502, false, "AAAAA" }, { 504, false, "AAAAA" },
		{ 599, false, "AAAAA" }, { 600, false, "AAAAA" }, { 0, false, "AAAAA" }, { 199, false, "AAAAA" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		for (cs_effect_class c = CS_EFFECT_PURE; c <= CS_EFFECT_UNSAFE; c++) {
			cs_outcome_kind got = cs_http_outcome_kind(c, rows[i].status, rows[i].after, false);
			cs_outcome_kind want = kinds[(unsigned char)rows[i].want[c]];
			if (got != want)
				fail_msg("%d for %s is %s, not %s", rows[i].status, cs_effect_class_name(c),
					 cs_outcome_kind_name(want), cs_outcome_kind_name(got));
		}
	}
	assert_int_equal(cs_http_outcome_kind(CS_EFFECT_UNSAFE, 302, false, true), CS_OUTCOME_DONE);
	assert_int_equal(cs_http_outcome_kind(CS_EFFECT_UNSAFE, 404, false, true), CS_OUTCOME_REJECTED);
}

static void without_a_word_only_get_and_head_are_reads(void **state)
{
	(void)state;
	assert_int_equal(cs_http_default_class("GET"), CS_EFFECT_READ);
	assert_int_equal(cs_http_default_class("HEAD"), CS_EFFECT_READ);
	assert_int_equal(cs_http_default_class("OPTIONS"), CS_EFFECT_UNSAFE);
	assert_int_equal(cs_http_default_class("PUT"), CS_EFFECT_UNSAFE);
}

static void an_error_object_is_the_standards(void **state)
{
	(void)state;
	json_t *e CS_AUTOJSON = cs_error_object(CS_ERROR_TIMEOUT, 0, "Late", "bytes \xff\x1b[31m");
	assert_string_equal(cs_json_str(e, "type"), "https://open-workflow-specification.org/spec/1.0.0/errors/timeout");
	assert_int_equal(cs_json_int_or(e, "status", 0), 408);
	assert_null(strchr(cs_json_str(e, "detail"), 0x1b));
	cs_error_type type;
	assert_int_equal(cs_error_type_parse(cs_json_str(e, "type"), &type), CS_OK);
	assert_int_equal(type, CS_ERROR_TIMEOUT);
	assert_int_equal(cs_error_type_parse("nonsense", &type), CS_ENOTFOUND);
}

static void shown_text_is_cut_between_characters(void **state)
{
	(void)state;
	static const char text[] = "a\xc3\xbc\xe2\x82\xac";      /* a, u umlaut, euro */
	for (size_t max = 0; max < sizeof text; max++) {
		json_t *v CS_AUTOJSON = cs_effect_text(text, sizeof text - 1, max);
		assert_non_null(json_string_value(v));
		assert_null(strstr(json_string_value(v), "\xe2\x80\xb9"));    /* no byte was left to be escaped */
	}
	json_t *nul CS_AUTOJSON = cs_effect_text("a\0b", 3, 100);
	assert_int_equal(json_string_length(nul), strlen(json_string_value(nul)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable_is_percent_encoded_whole),
		cmocka_unit_test(a_missing_variable_of_an_operation_is_named),
		cmocka_unit_test(a_variable_cannot_lead_elsewhere),
		cmocka_unit_test(only_a_host_that_is_written_out_counts_as_named),
		cmocka_unit_test(a_query_is_encoded_and_appended),
		cmocka_unit_test(a_header_is_validated),
		cmocka_unit_test(a_form_in_parts_has_the_boundary_of_its_content),
		cmocka_unit_test(what_is_not_obeyed_is_refused_by_name),
		cmocka_unit_test(a_body_is_written_as_said),
		cmocka_unit_test(a_status_means_what_the_table_says),
		cmocka_unit_test(without_a_word_only_get_and_head_are_reads),
		cmocka_unit_test(an_error_object_is_the_standards),
		cmocka_unit_test(shown_text_is_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
