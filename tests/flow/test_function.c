/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Agents and operations: what a file may say, what it means when it says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/json.h"
#include "flow/function.h"

/* The findings of an agent's or a connector's file; the functions that came out of it. */
static char *read_file(const char *yaml, cs_function **ret, size_t *ret_n)
{
	json_t *doc CS_AUTOJSON = NULL;
	cs_source *src CS_CLEANUP(cs_source_freep) = NULL;
	cs_err err = { 0 };
	cs_diags d;
	cs_diags_init(&d);
	*ret_n = 0;
	if (cs_yaml_parse("a.yaml", yaml, strlen(yaml), &doc, &src, &err) < 0)
		fail_msg("%s", err.msg);
	const char *name;
	json_t *op;
	if (json_object_get(doc, "connector")) {
		int r = cs_connector_check(doc, src, &d);
		assert_int_equal(r, d.errors ? CS_EINVAL : CS_OK);
		json_object_foreach(json_object_get(doc, "operations"), name, op)
			if (cs_function_operation(doc, name, src, &d, &ret[*ret_n]) == CS_OK)
				(*ret_n)++;
	} else if (cs_function_agent(doc, src, &d, ret) == CS_OK) {
		*ret_n = 1;
	}
	cs_buf b;
	cs_buf_init(&b, 1 << 20);
	assert_true(cs_diags_write(&d, &b) >= 0);
	cs_diags_fini(&d);
	return cs_buf_steal(&b);
}

static bool says(const char *yaml, const char *expected)
{
	cs_function *f[8] = { NULL };
	size_t n;
	char *text = read_file(yaml, f, &n);
	bool same = strcmp(text, expected) == 0;
	if (!same)
		print_error("for\n%s\nexpected\n%sgot\n%s\n", yaml, expected, text);
	for (size_t i = 0; i < n; i++)
		cs_function_free(f[i]);
	free(text);
	return same;
}

static cs_function *good(const char *yaml)
{
	cs_function *f[8] = { NULL };
	size_t n;
	char *text = read_file(yaml, f, &n);
	if (*text || n != 1)
		fail_msg("%s", text);
	free(text);
	return f[0];
}

#define RULES "kind: rules\nrules: [ { give: { label: other } } ]\n"
#define API "connector: api\nkind: http\nurl: https://api.example.com\n"

static const struct {
	const char *yaml, *findings;
} wrong[] = {
	{ "agent: a\n", "a.yaml:1:1: error: an agent needs 'kind'\n" },
	{ "agent: a\nkind: mcp\n", "a.yaml:2:7: error: an agent of kind 'mcp' is known, but this version does not run it yet\n" },
	{ "agent: a\nkind: modle\n", "a.yaml:2:7: error: the kind of agent 'modle' is not known; did you mean 'model'?\n" },
	{ "agent: a b\n" RULES, "a.yaml:1:8: error: an agent's name must be letters, digits, - and _, 63 at most, not 'a b'\n" },
	{ "agent: approve\n" RULES, "a.yaml:1:8: error: 'approve' is the name of a built-in; give the agent another\n" },
	{ "agent: remember\n" RULES, "a.yaml:1:8: error: 'remember' is the name of a built-in; give the agent another\n" },
	{ "agent: a\nkind: rules\n", "a.yaml:1:1: error: an agent of kind 'rules' needs 'rules'\n" },
	{ "agent: a\nmodel: { prompt: x }\n" RULES,
	  "a.yaml:2:1: error: 'model' belongs to an agent of that kind; this one is of kind 'rules'\n" },
	{ "agent: a\npurpos: x\nbudget: { usd: 1 }\n" RULES,
	  "a.yaml:2:1: error: unknown key 'purpos' in an agent; did you mean 'purpose'?\n"
	  "a.yaml:3:1: error: 'budget' in an agent is known, but this version does not obey it yet; remove it\n" },
	{ "agent: a\neffect: keyed\n" RULES,
	  "a.yaml:2:9: error: an agent cannot be 'keyed': it has no other side that keeps keys; write pure, read or unsafe\n" },
	{ "agent: a\neffect: wild\ntimeout: PT0S\nretry: { attempts: 0, backoff: often, jitter: 20 }\n" RULES,
	  "a.yaml:2:9: error: 'effect' must be one of pure, read, keyed, probe, unsafe, not 'wild'\n"
	  "a.yaml:3:10: error: 'timeout' must be longer than nothing and at most a day\n"
	  "a.yaml:4:47: error: 'jitter' must be a text, not a whole number; put it in quotes\n" },
	{ "agent: a\nretry: { attempts: 0, backoff: often, jitter: 120% }\n" RULES,
	  "a.yaml:2:8: error: 'attempts' must be between 1 and 100\n"
	  "a.yaml:2:32: error: 'backoff' cannot be 'often'; write one of: constant, linear, exponential\n"
	  "a.yaml:2:47: error: 'jitter' is a share of the delay from 0% to 100%, like '20%'\n" },
	{ "agent: a\nkind: shell\nshell: { command: [ ], stdin: xml, network: full, read: [ 1 ] }\n",
	  "a.yaml:3:8: error: 'command' is empty; write the program and its arguments as a list\n"
	  "a.yaml:3:31: error: 'stdin' cannot be 'xml'; write one of: json, text, none\n"
	  "a.yaml:3:45: error: 'network' cannot be 'full'; write one of: none\n"
	  "a.yaml:3:59: error: 'read' lists texts; put this one in quotes\n" },
	{ "agent: a\nkind: shell\nshell: { command: ls -l }\n",
	  "a.yaml:3:19: error: 'command' must be a list, not a text\n" },
	{ "agent: a\nkind: model\nmodel: { prompt: { file: p.md } }\n",
	  "a.yaml:3:18: error: 'prompt' must be a text, not a mapping\n" },
	{ "agent: a\nkind: model\nmodel: { prompt: x, tools: [ y ] }\n",
	  "a.yaml:3:21: error: 'tools' in 'model' is known, but this version does not obey it yet; remove it\n" },
	{ "connector: mail\nkind: smtp\nurl: smtps://x\noperations: { }\n",
	  "a.yaml:2:7: error: a connector of kind 'smtp' is known, but this version does not have it yet\n" },
	{ "connector: http\nkind: http\nurl: 'https://u:p@x.example'\nmode: on\nallow: [ 'http://x' ]\noperations: { }\n",
	  "a.yaml:1:12: error: 'http' is the connector of 'call: http' and needs no file; give this one another name\n"
	  "a.yaml:3:6: error: 'url' must be an http or https URL with a host and without a user, like https://api.example.com, not 'https://u:p@x.example'\n"
	  "a.yaml:4:7: error: 'mode' cannot be 'on'; write one of: off, dry, hold, live\n"
	  "a.yaml:5:10: error: 'allow' lists hosts, like api.example.com or 10.0.0.5:8080\n"
	  "a.yaml:6:1: error: 'operations' is empty; a connector needs at least one\n" },
	{ API "breaker: { failures: 100, within: PT5M, cool: PT1S }\nlimits: { rate: 10000/day, concurrent: 1 }\noperations: { get: { request: { method: GET, path: /x } } }\n", "" },
	{ API "breaker: { failures: 0, within: PT0S, cool: 30s, after: 1 }\noperations: { get: { request: { method: GET, path: /x } } }\n",
	  "a.yaml:4:50: error: unknown key 'after' in 'breaker'; it may have: failures, within, cool\n" },
	{ API "breaker: { failures: 101, within: P2D }\nlimits: { rate: 30/hour, concurrent: 0 }\noperations: { get: { request: { method: GET, path: /x } } }\n",
	  "a.yaml:4:12: error: 'failures' must be between 1 and 100\n"
	  "a.yaml:4:27: error: 'within' must be longer than nothing and at most a day\n"
	  "a.yaml:5:26: error: 'concurrent' must be between 1 and 10000\n" },
	{ API "limits: { rate: 0/minute }\noperations: { get: { request: { method: GET, path: /x } } }\n",
	  "a.yaml:4:11: error: 'rate' is a number up to 10000 and a span, like 30/minute: second, minute, hour or day\n" },
	{ API "limits: { rate: 5/fortnight }\noperations: { get: { request: { method: GET, path: /x } } }\n",
	  "a.yaml:4:11: error: 'rate' is a number up to 10000 and a span, like 30/minute: second, minute, hour or day\n" },
	{ API "auth: { use: key }\noperations: { get: { request: { method: GET, path: /x } } }\n", "" },
	{ API "auth: { use: key, as: { header: X-Key } }\noperations: { get: { request: { method: GET, path: /x } } }\n", "" },
	{ API "auth: { use: key, as: { header: X, query: y } }\noperations: { get: { request: { method: GET, path: /x } } }\n",
	  "a.yaml:4:23: error: 'as' is bearer, basic, { header: NAME } or { query: NAME }\n" },
	{ API "auth: { use: key, as: bearre }\noperations: { get: { request: { method: GET, path: /x } } }\n",
	  "a.yaml:4:23: error: 'as' cannot be 'bearre'; write one of: bearer, basic\n" },
	{ API "auth: { use: 'a b' }\noperations: { get: { request: { method: GET, path: /x } } }\n",
	  "a.yaml:4:9: error: a secret's name is of letters, digits, - and _, at most 63; 'a b' is not\n" },
	{ API "auth: { use: key, as: { jwt: {} } }\noperations: { get: { request: { method: GET, path: /x } } }\n",
	  "a.yaml:4:25: error: 'jwt' in 'as' is known, but this version does not obey it yet; remove it\n" },
	{ API "operations:\n  put: { effect: unsafe, once: x, request: { method: PUT, path: /x } }\n",
	  "a.yaml:5:32: error: 'once' must be an expression; write it as '${ … }'\n" },
	{ API "operations:\n  get: { effect: read, once: '${ .a }', request: { method: GET, path: /x } }\n",
	  "a.yaml:5:24: error: 'once' belongs to what does something outside; this operation is 'read'\n" },
	{ API "operations:\n  get: { effect: probe, request: { method: GTE, path: x, as: multi } }\n",
	  "a.yaml:5:10: error: 'effect: probe' needs 'probe: { call, with, found }': what to ask when it is not known whether it happened\n"
	  "a.yaml:5:44: error: the method 'GTE' is not known; did you mean 'GET'?\n"
	  "a.yaml:5:49: error: 'path' begins with '/': it comes after the connector's url\n"
	  "a.yaml:5:62: error: 'as' cannot be 'multi'; write one of: json, form, multipart\n" },
	{ API "operations:\n  get: { keyed: { header: a b }, fails: .ok, reverse: { call: x }, request: { method: GET, path: '/x', query: { a: '${ $start.x }' } } }\n",
	  "a.yaml:5:10: error: 'keyed' belongs to 'effect: keyed'; this operation is 'unsafe'\n"
	  "a.yaml:5:19: error: 'a b' is not a header's name\n"
	  "a.yaml:5:41: error: 'fails' must be an expression; write it as '${ … }'\n"
	  "a.yaml:5:116: error: '$start' is not known here; an expression in this file sees its input as '.'\n" },
	{ API "operations:\n  get: { effect: read, reverse: { call: x }, request: { method: GET, path: '/x' } }\n"
	  "  put: { reverse: never, request: { method: PUT, path: '/x' } }\n"
	  "  post: { reverse: { cal: x, with: { a: '${ $start.x }' } }, request: { method: POST, path: '/x' } }\n",
	  "a.yaml:5:33: error: 'reverse' belongs to what does something outside; this one is 'read'\n"
	  "a.yaml:6:19: error: 'reverse' is 'none', or says what takes it back: { call: NAME, with: { … } }, not 'never'\n"
	  "a.yaml:7:20: error: 'reverse' needs 'call'\n"
	  "a.yaml:7:22: error: unknown key 'cal' in 'reverse'; did you mean 'call'?\n" },
};

static void every_finding_has_its_place_and_its_sentence(void **state)
{
	(void)state;
	bool all = true;
	for (size_t i = 0; i < CS_ARRAY_LEN(wrong); i++)
		all &= says(wrong[i].yaml, wrong[i].findings);
	assert_true(all);
}

static void each_bad_rule_is_found(void **state)
{
	(void)state;
	cs_function *f[8];
	size_t n;
	char *text = read_file("agent: a\nkind: rules\nrules:\n  - { field: .subject, matches: '(', give: 1 }\n  - { matches: x, give: 1 }\n"
			       "  - { field: .a, equals: 1 }\n  - { field: .a, give: 1 }\n  - { field: a, over: 3, give: 1 }\n", f, &n);
	assert_int_equal(n, 0);
	assert_non_null(strstr(text, "a.yaml:4:33: error: "));
	assert_non_null(strstr(text, "a.yaml:5:5: error: a condition needs the 'field' it looks at"));
	assert_non_null(strstr(text, "a.yaml:6:5: error: a rule needs 'give'"));
	assert_non_null(strstr(text, "a.yaml:7:5: error: 'field' needs a condition"));
	assert_non_null(strstr(text, "a.yaml:8:7: error: 'field' is a path that begins with a dot"));
	free(text);
}

static void an_agent_s_defaults_follow_its_kind(void **state)
{
	(void)state;
	static const struct {
		const char *yaml;
		cs_effect_class effect;
		const char *performer;
	} rows[] = {
		{ "agent: a\n" RULES, CS_EFFECT_PURE, "rules" },
		{ "agent: a\nkind: model\nmodel: { prompt: x, route: triage, temperature: 0 }\n", CS_EFFECT_READ, "model" },
		{ "agent: a\nkind: shell\nshell: { command: [ python3, x.py ], network: none }\n", CS_EFFECT_UNSAFE, "shell" },
		{ "agent: a\nkind: shell\neffect: pure\nshell: { command: [ cat ] }\n", CS_EFFECT_PURE, "shell" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_function *f = good(rows[i].yaml);
		assert_int_equal(f->kind, CS_FUNCTION_AGENT);
		assert_int_equal(f->effect, rows[i].effect);
		assert_string_equal(f->performer, rows[i].performer);
		assert_string_equal(f->name, "a");
		assert_int_equal(f->timeout_ms, 30000);
		assert_int_equal(f->attempts, 1);
		assert_true(json_is_array(f->touches));
		assert_null(f->input);
		cs_function_free(f);
	}
}

static void an_agent_in_full_is_read(void **state)
{
	(void)state;
	cs_function *f = good("agent: q\nversion: 1.0.0\npurpose: x\nkind: rules\n"
			      "input: { type: object, required: [ text ] }\noutput: { type: object }\neffect: read\n"
			      "touches: [ personal, billing ]\ntimeout: PT5S\n"
			      "retry: { attempts: 3, backoff: exponential, delay: PT2S, jitter: 20% }\n"
			      "rules: [ { field: .subject, matches: '(?i)\\binvoice\\b', give: { label: billing } }, { give: null } ]\n");
	assert_non_null(f->input);
	assert_non_null(f->output);
	assert_int_equal(f->effect, CS_EFFECT_READ);
	assert_int_equal(json_array_size(f->touches), 2);
	assert_int_equal(f->timeout_ms, 5000);
	assert_int_equal(f->attempts, 3);
	assert_int_equal(f->backoff, 2);
	assert_int_equal(f->delay_ms, 2000);
	assert_int_equal(f->jitter_percent, 20);
	json_t *no = json_object();
	assert_false(cs_schema_valid(f->input, no));
	json_decref(no);
	cs_function_free(f);
}

static void an_operation_in_full_is_read(void **state)
{
	(void)state;
	cs_function *f = good(API "identity: me\nmode: dry\nallow: [ api.example.com ]\noperations:\n  create:\n"
			      "    effect: keyed\n    touches: [ billing ]\n    input: { type: object }\n    output: { type: object, required: [ id ] }\n"
			      "    card: '${ \"Bill \\(.customer)\" }'\n"
			      "    request: { method: POST, path: '/v1/{customer}', query: { a: b }, headers: { x-y: '${ .z }' }, as: json, body: '${ . }' }\n"
			      "    fails: '${ .ok == false }'\n    result: '${ { id } }'\n"
			      "    keyed: { header: X-Key, window: PT1H }\n    timeout: PT3S\n    retry: { attempts: 2 }\n    reverse: none\n"
			      "    reach: { people: 1, money: '${ .amount }', currency: EUR }\n");
	assert_int_equal(f->kind, CS_FUNCTION_OPERATION);
	assert_string_equal(f->name, "api.create");
	assert_string_equal(f->connector, "api");
	assert_string_equal(f->performer, "http");
	assert_int_equal(f->effect, CS_EFFECT_KEYED);
	assert_string_equal(f->keyed_header, "X-Key");
	assert_int_equal(f->keyed_window_ms, 3600000);
	assert_true(f->reverse_none);
	assert_non_null(f->card);
	assert_non_null(f->request);
	assert_non_null(f->fails);
	assert_non_null(f->result);
	assert_non_null(f->reach);
	assert_string_equal(cs_json_str(f->connector_def, "identity"), "me");
	cs_function_free(f);
	f = good(API "operations:\n  create: { effect: keyed, request: { method: POST, path: /x } }\n");
	assert_string_equal(f->keyed_header, "Idempotency-Key");
	assert_int_equal(f->keyed_window_ms, 24 * 3600 * 1000);
	cs_function_free(f);
	f = good(API "operations:\n  create: { request: { method: GET, path: /x } }\n");
	assert_int_equal(f->effect, CS_EFFECT_UNSAFE);
	assert_null(f->keyed_header);
	cs_function_free(f);
}

static void a_definition_without_a_file_and_an_absent_operation(void **state)
{
	(void)state;
	json_t *doc = json_pack("{s:s,s:s,s:s,s:{s:{s:{s:s,s:s}}}}", "connector", "api", "kind", "http", "url", "https://x.example",
				"operations", "get", "request", "method", "GET", "path", "/x");
	cs_diags d;
	cs_diags_init(&d);
	cs_function *f = NULL, *none = NULL;
	assert_int_equal(cs_function_operation(doc, "get", NULL, &d, &f), CS_OK);
	assert_int_equal(cs_function_operation(doc, "put", NULL, &d, &none), CS_EINVAL);
	assert_null(none);
	assert_int_equal(d.errors, 1);
	cs_diags_fini(&d);
	cs_function_free(f);
	json_decref(doc);
}

static void the_built_ins_need_no_file(void **state)
{
	(void)state;
	assert_int_equal(cs_function_builtin("approve")->kind, CS_FUNCTION_BUILTIN);
	assert_null(cs_function_builtin("approve")->performer);
	assert_int_equal(cs_function_builtin("http")->kind, CS_FUNCTION_HTTP);
	assert_int_equal(cs_function_builtin("http")->effect, CS_EFFECT_UNSAFE);
	assert_true(json_is_array(cs_function_builtin("notify")->touches));
	assert_null(cs_function_builtin("recall"));
	assert_true(cs_function_builtin_later("recall"));
	assert_string_equal(cs_function_builtin_name(0), "approve");
	assert_null(cs_function_builtin_name(99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_finding_has_its_place_and_its_sentence),
		cmocka_unit_test(each_bad_rule_is_found),
		cmocka_unit_test(an_agent_s_defaults_follow_its_kind),
		cmocka_unit_test(an_agent_in_full_is_read),
		cmocka_unit_test(an_operation_in_full_is_read),
		cmocka_unit_test(a_definition_without_a_file_and_an_absent_operation),
		cmocka_unit_test(the_built_ins_need_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
