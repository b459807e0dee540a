/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "base/mem.h"
#include "connectors/http.h"
#include "connectors/http_reply.h"
#include "core/http_request.h"
#include "tests/support/ledger.h"
#include "tests/support/perform.h"

static ledger server;
static cs_http *client;
static cs_performer http;

static const char key[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static int setup(void **state)
{
	(void)state;
	ledger_start(&server);
	client = cs_http_new();
	http = cs_http_performer(client);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cs_http_free(client);
	ledger_stop(&server);
	return 0;
}

/* A call to http of METHOD PATH with MORE members of `with` (", …" or ""), rendered. */
static json_t *rendered(const char *method, const char *path, const char *more)
{
	char *text CS_AUTOFREE = cs_xasprintf("{\"method\":\"%s\",\"endpoint\":\"http://127.0.0.1:%u%s\"%s}", method,
					      server.port, path, more);
	json_t *with CS_AUTOJSON = json_of(text), *out = NULL;
	cs_http_source s = { .request = with, .host_written = true };
	cs_err err = { 0 };
	if (cs_http_render(&s, &out, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return out;
}

static cs_outcome *perform(cs_effect_class class, json_t *request)
{
	cs_err err = { 0 };
	cs_effect e = { .task = "/do/0/send", .key = key, .call = "shop.order", .class = class, .rendered = request,
			.timeout_ms = 4000, .attempt = 1 };
	cs_outcome *o = perform_effect(&http, &e, &err);
	if (!o)
		fail_msg("nothing was begun: %s", err.msg);
	return o;
}

static cs_outcome *call(cs_effect_class class, const char *method, const char *path, const char *more)
{
	json_t *request CS_AUTOJSON = rendered(method, path, more);
	return perform(class, request);
}

static void every_end_has_the_kind_of_the_table(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		cs_outcome_kind read, keyed, unsafe;
		const char *type;
		int status;
	} rows[] = {
		{ "/ok", CS_OUTCOME_DONE, CS_OUTCOME_DONE, CS_OUTCOME_DONE, NULL, 0 },
		{ "/status/404", CS_OUTCOME_REJECTED, CS_OUTCOME_REJECTED, CS_OUTCOME_REJECTED, "communication", 404 },
		{ "/status/401", CS_OUTCOME_REJECTED, CS_OUTCOME_REJECTED, CS_OUTCOME_REJECTED, "communication", 401 },
		{ "/status/409", CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 409 },
		{ "/status/429/2", CS_OUTCOME_TRANSIENT, CS_OUTCOME_TRANSIENT, CS_OUTCOME_AMBIGUOUS, "communication", 429 },
		{ "/status/503/1", CS_OUTCOME_TRANSIENT, CS_OUTCOME_TRANSIENT, CS_OUTCOME_AMBIGUOUS, "communication", 503 },
		{ "/status/503", CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 503 },
		{ "/status/500", CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 500 },
		{ "/status/302", CS_OUTCOME_REJECTED, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 302 },
		{ "/reset", CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 500 },
		{ "/cut", CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 500 },
		{ "/half", CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 500 },
		{ "/lengths/0", CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 500 },
		{ "/lengths/1", CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 500 },
		{ "/lengths/2", CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, "communication", 500 },
		{ "/lengths/3", CS_OUTCOME_DONE, CS_OUTCOME_DONE, CS_OUTCOME_DONE, NULL, 0 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_outcome *o[] = {
			call(CS_EFFECT_READ, "get", rows[i].path, ""), call(CS_EFFECT_KEYED, "post", rows[i].path, ""),
			call(CS_EFFECT_UNSAFE, "post", rows[i].path, ""), call(CS_EFFECT_UNSAFE, "get", rows[i].path, ""),
		};
		const cs_outcome_kind want[] = { rows[i].read, rows[i].keyed, rows[i].unsafe, rows[i].unsafe };
		for (size_t k = 0; k < CS_ARRAY_LEN(o); k++) {
			if (o[k]->kind != want[k])
				fail_msg("%s, call %zu: %s", rows[i].path, k, cs_outcome_kind_name(o[k]->kind));
			assert_int_equal(o[k]->result == NULL, o[k]->error != NULL);
			if (rows[i].type) {
				assert_string_equal(cs_json_str(o[k]->error, "type") + sizeof CS_ERROR_BASE - 1, rows[i].type);
				assert_int_equal(cs_json_int_or(o[k]->error, "status", 0), rows[i].status);
			}
			cs_outcome_free(o[k]);
		}
	}
}

static void a_timeout_is_ambiguous_and_a_closed_port_is_not_sent(void **state)
{
	(void)state;
	json_t *request CS_AUTOJSON = rendered("post", "/delay/2000", "");
	cs_err err = { 0 };
	cs_effect e = { .task = "/do/0/send", .key = key, .call = "http", .class = CS_EFFECT_UNSAFE, .rendered = request,
			.timeout_ms = 200 };
	cs_outcome *late CS_AUTOOUTCOME = perform_effect(&http, &e, &err);
	assert_int_equal(late->kind, CS_OUTCOME_AMBIGUOUS);
	assert_int_equal(cs_json_int_or(late->error, "status", 0), 408);

	json_object_set_new(request, "url", json_string("http://127.0.0.1:1/"));
	cs_outcome *closed CS_AUTOOUTCOME = perform_effect(&http, &e, &err);
	assert_int_equal(closed->kind, CS_OUTCOME_NOT_SENT);
}

static bool shut(void *ctx)
{
	(void)ctx;
	return false;
}

static void a_held_effect_is_not_sent(void **state)
{
	(void)state;
	json_t *request CS_AUTOJSON = rendered("post", "/held", "");
	cs_err err = { 0 };
	cs_effect e = { .task = "/do/0/send", .key = key, .call = "http", .class = CS_EFFECT_UNSAFE, .rendered = request,
			.gate = shut };
	cs_outcome *o CS_AUTOOUTCOME = perform_effect(&http, &e, &err);
	assert_int_equal(o->kind, CS_OUTCOME_NOT_SENT);
	assert_string_equal(cs_json_str(o->record, "reason"), "held");
	assert_int_equal(ledger_count(&server, "/held"), 0);
}

static void what_was_rendered_is_what_is_sent_once(void **state)
{
	(void)state;
	cs_outcome *o CS_AUTOOUTCOME = call(CS_EFFECT_UNSAFE, "post", "/orders",
					    ",\"body\":{\"to\":\"a@b.example\",\"n\":1},\"headers\":{\"X-Note\":\"hi\"}");
	assert_int_equal(o->kind, CS_OUTCOME_DONE);
	assert_int_equal(ledger_count(&server, "/orders"), 1);
	char digest[CS_HEX_SIZE];
	static const char body[] = "{\"n\":1,\"to\":\"a@b.example\"}";      /* in the order of the log */
	cs_hash_hex(body, sizeof body - 1, digest);
	json_t *entries CS_AUTOJSON = ledger_entries(&server);
	const json_t *last = json_array_get(entries, json_array_size(entries) - 1);
	assert_string_equal(cs_json_str(last, "digest"), digest);
	assert_string_equal(cs_json_str(last, "key"), "");       /* only a keyed effect shows its key */
}

static void a_keyed_effect_carries_its_key(void **state)
{
	(void)state;
	cs_outcome *o CS_AUTOOUTCOME = call(CS_EFFECT_KEYED, "post", "/keyed", ",\"body\":1");
	assert_int_equal(o->kind, CS_OUTCOME_DONE);
	json_t *entries CS_AUTOJSON = ledger_entries(&server);
	assert_string_equal(cs_json_str(json_array_get(entries, json_array_size(entries) - 1), "key"), key);

	json_t *request CS_AUTOJSON = rendered("post", "/head", "");
	json_t *def CS_AUTOJSON = json_of("{\"keyed\":{\"header\":\"X-Once\"}}");
	cs_err err = { 0 };
	cs_effect e = { .task = "/do/0/send", .key = key, .call = "shop.order", .class = CS_EFFECT_KEYED, .rendered = request,
			.def = def };
	cs_outcome *named CS_AUTOOUTCOME = perform_effect(&http, &e, &err);
	assert_non_null(strstr(json_string_value(named->result), "X-Once: 0123"));

	json_object_set_new(json_object_get(request, "headers"), "x-once", json_string("mine"));
	assert_null(perform_effect(&http, &e, &err));
	assert_int_equal(err.code, CS_EINVAL);
}

static void content_is_read_by_its_type(void **state)
{
	(void)state;
	static const struct {
		const char *path, *json;
		bool noted;
	} rows[] = {
		{ "/text", "\"gr\\u00fc\\u00df Gott\"", false }, { "/binary", "\"//4AAQ==\"", false },
		{ "/badjson", "\"{\\\"ok\\\":\"", true }, { "/empty", "null", false }, { "/chunked", "\"0123456789\"", false },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_outcome *o CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", rows[i].path, "");
		json_t *want CS_AUTOJSON = json_of(rows[i].json);
		assert_int_equal(o->kind, CS_OUTCOME_DONE);
		if (!cs_json_equal(o->result, want))
			fail_msg("%s", rows[i].path);
		assert_int_equal(json_object_get(o->record, "note") != NULL, rows[i].noted);
	}
}

static void the_result_has_the_form_that_was_asked(void **state)
{
	(void)state;
	cs_outcome *raw CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", "/chunked", ",\"output\":\"raw\"");
	assert_string_equal(json_string_value(raw->result), "MDEyMzQ1Njc4OQ==");
	cs_outcome *response CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", "/ok", ",\"output\":\"response\",\"headers\":{\"X\":\"y\"}");
	assert_string_equal(cs_json_str(json_object_get(response->result, "request"), "method"), "GET");
	assert_non_null(cs_json_str(json_object_get(response->result, "request"), "uri"));
	assert_string_equal(cs_json_str(cs_json_get_path(response->result, "request.headers"), "X"), "y");
	assert_int_equal(cs_json_int_or(response->result, "statusCode", 0), 200);
	assert_true(cs_json_true(json_object_get(response->result, "content"), "ok"));
	assert_non_null(cs_json_str(json_object_get(response->result, "headers"), "Content-Type"));
}

static void redirects_are_followed_for_reads_only_and_handed_over_when_asked(void **state)
{
	(void)state;
	cs_outcome *followed CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", "/redirect/2", "");
	assert_int_equal(followed->kind, CS_OUTCOME_DONE);
	cs_outcome *handed CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", "/redirect/2", ",\"redirect\":true,\"output\":\"response\"");
	assert_int_equal(cs_json_int_or(handed->result, "statusCode", 0), 302);
	cs_outcome *sent CS_AUTOOUTCOME = call(CS_EFFECT_UNSAFE, "get", "/redirect/2", "");
	assert_int_equal(sent->kind, CS_OUTCOME_AMBIGUOUS);
	cs_outcome *endless CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", "/redirect/50", "");
	assert_int_equal(endless->kind, CS_OUTCOME_REJECTED);
}

static void a_record_shows_both_sides_without_secrets(void **state)
{
	(void)state;
	cs_outcome *o CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", "/text", ",\"headers\":{\"authorization\":\"Bearer hush\"}");
	char *text CS_AUTOFREE = cs_json_text(o->record);
	assert_null(strstr(text, "hush"));                    /* the request's, and the reply's cookie */
	assert_string_equal(cs_json_str(cs_json_get_path(o->record, "request"), "method"), "GET");
	assert_int_equal(cs_json_int_or(json_object_get(o->record, "reply"), "status", 0), 200);
	assert_string_equal(cs_json_str(json_object_get(o->record, "reply"), "ip"), "127.0.0.1");
	cs_outcome *big CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", "/big/200000", "");
	char *record CS_AUTOFREE = cs_json_text(big->record);
	assert_true(strlen(record) < 80000);
	assert_true(cs_json_true(json_object_get(big->record, "reply"), "body_cut"));
	assert_int_equal(json_string_length(big->result), 200000);
}

static void retry_after_is_read_in_both_forms_and_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		int64_t ms;
	} rows[] = {
		{ "2", 2000 }, { "0", 0 }, { "-5", 0 }, { "99999999999999999999", 86400000 }, { "soon", 0 }, { "", 0 },
		{ "Thu, 01 Jan 1970 00:01:00 GMT", 50000 }, { "Thu, 01 Jan 1970 00:00:01 GMT", 0 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_headers h = { 0 };
		cs_headers_add(&h, "retry-after", 11, rows[i].value, strlen(rows[i].value));
		if (cs_http_retry_after(&h, 10000) != rows[i].ms)
			fail_msg("\"%s\"", rows[i].value);
		cs_headers_fini(&h);
	}
	cs_outcome *o CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", "/status/429/3", "");
	assert_int_equal(o->retry_after_ms, 3000);
}

static void only_what_is_named_is_reached(void **state)
{
	(void)state;
	json_t *request CS_AUTOJSON = rendered("post", "/reach", "");
	cs_err err = { 0 };
	cs_effect e = { .task = "/do/0/send", .key = key, .call = "shop.order", .class = CS_EFFECT_UNSAFE, .rendered = request };

	/* a computed host, at a private address */
	json_object_set_new(request, "named", json_false());
	cs_outcome *computed CS_AUTOOUTCOME = perform_effect(&http, &e, &err);
	assert_int_equal(computed->kind, CS_OUTCOME_NOT_SENT);
	assert_string_equal(cs_json_str(computed->record, "reason"), "address");

	/* a connector's list that does not hold it */
	e.connector = json_of("{\"allow\":[\"api.example.com\"]}");
	assert_null(perform_effect(&http, &e, &err));
	assert_int_equal(err.code, CS_EREFUSED);
	json_decref(e.connector);
	assert_int_equal(ledger_count(&server, "/reach"), 0);

	/* and one that does */
	char *text CS_AUTOFREE = cs_xasprintf("{\"allow\":[\"api.example.com\",\"127.0.0.1:%u\"]}", server.port);
	e.connector = json_of(text);
	cs_outcome *listed CS_AUTOOUTCOME = perform_effect(&http, &e, &err);
	json_decref(e.connector);
	assert_int_equal(listed->kind, CS_OUTCOME_DONE);
	assert_int_equal(ledger_count(&server, "/reach"), 1);
}

/* The owner of a name decides where it leads; a private place must be named as such. */
static void a_name_that_leads_to_a_private_address_must_be_listed(void **state)
{
	(void)state;
	char *url CS_AUTOFREE = cs_xasprintf("http://shop.localhost:%u/by-name", server.port);
	json_t *request CS_AUTOJSON = rendered("post", "/by-name", "");
	json_object_set_new(request, "url", json_string(url));
	cs_err err = { 0 };
	cs_effect e = { .task = "/do/0/send", .key = key, .call = "http", .class = CS_EFFECT_UNSAFE, .rendered = request };
	cs_outcome *o CS_AUTOOUTCOME = perform_effect(&http, &e, &err);
	assert_int_equal(o->kind, CS_OUTCOME_NOT_SENT);
	assert_string_equal(cs_json_str(o->record, "reason"), "address");
	assert_int_equal(ledger_count(&server, "/by-name"), 0);
	e.connector = json_of("{\"allow\":[\"shop.localhost\"]}");
	cs_outcome *listed CS_AUTOOUTCOME = perform_effect(&http, &e, &err);
	json_decref(e.connector);
	assert_int_equal(listed->kind, CS_OUTCOME_DONE);
}

/* A GET that is declared unsafe is not sent again where a plain one would be. */
static void an_unsafe_get_is_sent_once_even_where_a_connection_died(void **state)
{
	(void)state;
	cs_outcome *bait CS_AUTOOUTCOME = call(CS_EFFECT_READ, "get", "/lure/x", "");
	assert_int_equal(bait->kind, CS_OUTCOME_DONE);
	cs_outcome *o CS_AUTOOUTCOME = call(CS_EFFECT_UNSAFE, "get", "/after-lure/unsafe", "");
	assert_int_equal(o->kind, CS_OUTCOME_DONE);
	assert_int_equal(ledger_count(&server, "/after-lure/unsafe"), 1);
}

static void what_is_not_obeyed_or_simulated_sends_nothing(void **state)
{
	(void)state;
	json_t *request CS_AUTOJSON = rendered("post", "/nothing", "");
	json_t *with_auth CS_AUTOJSON = json_of("{\"auth\":{\"use\":\"billing-key\"}}");
	static const char *const bad_lists[] = { "{\"allow\":\"x\"}", "{\"allow\":[\"\"]}", "{\"allow\":[\"a:b\"]}",
						 "{\"allow\":[\"a:99999\"]}", "{\"allow\":[\"[::1\"]}", "{\"allow\":[5]}" };
	cs_err err = { 0 };
	cs_effect e = { .task = "/do/0/send", .key = key, .call = "shop.order", .class = CS_EFFECT_UNSAFE, .rendered = request,
			.connector = with_auth };
	cs_outcome *no_vault CS_AUTOOUTCOME = perform_effect(&http, &e, &err);
	assert_int_equal(no_vault->kind, CS_OUTCOME_NOT_SENT);
	assert_int_equal(cs_json_int_or(no_vault->error, "status", 0), 403);
	for (size_t i = 0; i < CS_ARRAY_LEN(bad_lists); i++) {
		json_t *c CS_AUTOJSON = json_of(bad_lists[i]);
		e.connector = c;
		if (perform_effect(&http, &e, &err))
			fail_msg("%s was taken", bad_lists[i]);
	}
	e.connector = NULL;
	e.simulated = true;
	assert_null(perform_effect(&http, &e, &err));
	assert_int_equal(err.code, CS_EREFUSED);
	assert_int_equal(ledger_count(&server, "/nothing"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_end_has_the_kind_of_the_table),
		cmocka_unit_test(a_timeout_is_ambiguous_and_a_closed_port_is_not_sent),
		cmocka_unit_test(a_held_effect_is_not_sent),
		cmocka_unit_test(what_was_rendered_is_what_is_sent_once),
		cmocka_unit_test(a_keyed_effect_carries_its_key),
		cmocka_unit_test(content_is_read_by_its_type),
		cmocka_unit_test(the_result_has_the_form_that_was_asked),
		cmocka_unit_test(redirects_are_followed_for_reads_only_and_handed_over_when_asked),
		cmocka_unit_test(a_record_shows_both_sides_without_secrets),
		cmocka_unit_test(retry_after_is_read_in_both_forms_and_bounded),
		cmocka_unit_test(only_what_is_named_is_reached),
		cmocka_unit_test(a_name_that_leads_to_a_private_address_must_be_listed),
		cmocka_unit_test(an_unsafe_get_is_sent_once_even_where_a_connection_died),
		cmocka_unit_test(what_is_not_obeyed_or_simulated_sends_nothing),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
