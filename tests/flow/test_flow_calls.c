/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the checker says of functions, catalogs and what else a call brings into a flow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/flow.h"

#define HEAD "document: { dsl: '1.0.3', namespace: t, name: f, version: '1.0.0' }\n"

static const char *const known[] = { "mail.send", NULL };

static bool is_callable(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, known[0]) == 0;
}

static const char *const *names(void *ctx)
{
	(void)ctx;
	return known;
}

static int catalog(void *ctx, const char *full, const char *endpoint, const char *name, const char *version,
		   json_t **ret, cs_source **ret_src, cs_err *err)
{
	(void)ctx;
	(void)version;
	assert_string_equal(endpoint, strstr(full, "@default") != NULL ? "file://./catalog" : "file://./lib");
	static const char *const texts[][2] = {
		{ "good", "set: { a: 1 }\n" }, { "bad", "set: { a: 1 }\nthn: end\n" }, { "round", "call: round:1.0.0@team\n" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++)
		if (strcmp(texts[i][0], name) == 0)
			return cs_yaml_parse("function.yaml", texts[i][1], strlen(texts[i][1]), ret, ret_src, err);
	return cs_err_set(err, CS_ENOTFOUND, "there is no function %s", name);
}

static char *findings(const char *yaml)
{
	json_t *doc CS_AUTOJSON = NULL;
	cs_source *src CS_CLEANUP(cs_source_freep) = NULL;
	cs_err err = { 0 };
	cs_diags d;
	cs_flow *f = NULL;
	cs_diags_init(&d);
	if (cs_yaml_parse("f.yaml", yaml, strlen(yaml), &doc, &src, &err) < 0)
		fail_msg("%s", err.msg);
	const cs_flow_world world = { .callable = is_callable, .names = names, .catalog = catalog };
	int r = cs_flow_new_in(doc, src, &world, &d, &f);
	assert_int_equal(r, d.errors ? CS_EINVAL : CS_OK);
	cs_flow_unref(f);
	cs_buf b;
	cs_buf_init(&b, 1 << 20);
	assert_true(cs_diags_write(&d, &b) >= 0);
	cs_diags_fini(&d);
	return cs_buf_steal(&b);
}

#define SECRETS HEAD "use: { secrets: [ key ] }\n"
#define SECRET(more) SECRETS "do:\n  - a: { call: http, with: { method: post, endpoint: 'https://a.example/', " more " } }"
#define COMPUTED(col) "f.yaml:4:" #col ": error: a secret's value is there only when a request is made, so nothing can be computed from it; " \
	"write `$secrets.NAME` by itself, or within a text as in \"Bearer \\($secrets.NAME)\"\n"
#define NOWHERE(at) "f.yaml:" at ": error: '$secrets' is not known here: a secret stands in 'input.from', in the 'with' of a call that goes " \
	"out, and in the 'stdin' and 'environment' of 'run'\n"

static const struct {
	const char *yaml, *findings;
} table[] = {
	{ HEAD "use: { functions: { f: { set: { a: 1 } } } }\ndo:\n  - a: { call: f }\n  - b: { call: f, with: { x: 1 } }", "" },
	{ HEAD "use: { functions: { f: { set: { a: 1 }, thn: end } } }\ndo:\n  - a: { call: f }",
	  "f.yaml:2:41: error: unknown key 'thn' in a set task; did you mean 'then'?\n" },
	{ HEAD "use: { functions: { fetch: { set: { a: 1 } } } }\ndo:\n  - a: { call: fetsh }",
	  "f.yaml:4:16: error: the function 'fetsh' is not known; did you mean 'fetch'?\n" },
	{ HEAD "use: { functions: { f: { call: g }, g: { do: [ { x: { call: f } } ] } } }\ndo:\n  - a: { call: f }",
	  "f.yaml:2:24: error: the function 'f' calls itself, directly or through others; a loop is written with 'for' or 'then'\n" },
	{ HEAD "use: { functions: { mail.send: { set: { a: 1 } }, http: { set: { a: 1 } } } }\ndo:\n  - a: { set: { a: 1 } }",
	  "f.yaml:2:21: error: 'mail.send' is already the name of an agent, an operation or a built-in; give the function another\n"
	  "f.yaml:2:51: error: 'http' is already the name of an agent, an operation or a built-in; give the function another\n" },
	{ HEAD "use: { functions: { f: { set: { a: '${ $item }' } } } }\ndo:\n  - a: { for: { in: '.l' }, do: [ { b: { call: f } } ] }",
	  "f.yaml:2:36: error: '$item' is not known here\n" },
	{ HEAD "use: { functions: { f: 5 } }\ndo:\n  - a: { set: { a: 1 } }",
	  "f.yaml:2:24: error: a function must be a mapping, not a whole number\n" },
	{ HEAD "use: { functions: { f: { set: { a: 1 } } } }\ndo:\n  - a: { call: f, metadata: { ask: { title: x } } }",
	  "f.yaml:4:19: error: 'ask' says how the gate of an effect asks; write it beside the call inside the function\n" },
	/* catalogs */
	{ HEAD "use: { catalogs: { team: { endpoint: 'file://./lib' } } }\ndo:\n  - a: { call: good:1.0.0@team }", "" },
	{ HEAD "do:\n  - a: { call: good:1.0.0@default }", "" },
	{ HEAD "do:\n  - a: { call: 'https://example.com/functions/log/1.0.0/function.yaml', with: { a: 1 } }",
	  "f.yaml:3:10: error: a function is not read from a URL by this version; copy its function.yaml to catalog/functions/NAME/VERSION/ of the "
	  "workspace and write 'call: NAME:VERSION@default'\n" },
	{ HEAD "use: { catalogs: { team: { endpoint: 'file://./lib' } } }\ndo:\n  - a: { call: bad:1.0.0@team }",
	  "function.yaml:2:1: error: unknown key 'thn' in a set task; did you mean 'then'?\n" },
	{ HEAD "use: { catalogs: { team: { endpoint: 'file://./lib' } } }\ndo:\n  - a: { call: round:1.0.0@team }", NULL },
	{ HEAD "use: { catalogs: { team: { endpoint: 'file://./lib' } } }\ndo:\n  - a: { call: none:1.0.0@team }",
	  "f.yaml:4:16: error: there is no function none\n" },
	{ HEAD "use: { catalogs: { team: { endpoint: 'file://./lib' } } }\ndo:\n  - a: { call: good:1.0.0@teem }",
	  "f.yaml:4:16: error: 'use.catalogs' defines no 'teem'; did you mean 'team'?\n" },
	{ HEAD "use: { catalogs: { team: { endpoint: 'file://./lib' } } }\ndo:\n  - a: { call: '../good:1.0.0@team' }",
	  "f.yaml:4:10: error: a function of a catalog is called as NAME:VERSION@CATALOG, like 'log:1.0.0@team', not '../good:1.0.0@team'\n" },
	{ HEAD "use: { catalogs: { far: { endpoint: { uri: 'https://example.com/c' } } } }\ndo:\n  - a: { set: { a: 1 } }",
	  "f.yaml:2:37: error: a catalog on the network is not read by this version; copy it below the workspace and write 'file://./FOLDER'\n" },
	/* authentication */
	{ HEAD "do:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'https://a.example/', authentication: { basic: { username: a, password: b } } } } }",
	  "" },
	{ HEAD "do:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'https://a.example/', authentication: { bearer: '${ .t }' } } } }",
	  "" },
	{ HEAD "do:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'https://a.example/', authentication: { basik: { } } } } }",
	  "f.yaml:3:98: error: the authentication scheme 'basik' is not known; did you mean 'basic'?\n" },
	{ HEAD "do:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'https://a.example/', authentication: { basic: { username: a } } } } }",
	  "f.yaml:3:107: error: 'basic' needs 'password'\n" },
	{ HEAD "use: { authentications: { me: { bearer: { token: t } } } }\ndo:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'https://a.example/', authentication: { use: mee } } } }",
	  "f.yaml:4:98: error: 'use.authentications' defines no 'mee'; did you mean 'me'?\n" },
	{ HEAD "do:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'https://a.example/', authentication: { oauth2: { authority: x } } } } }",
	  "f.yaml:3:108: warning: 'oauth2' is read, but a run that comes to it faults: this version authenticates with basic, bearer and digest\n" },
	{ HEAD "use: { secrets: [ key ] }\ndo:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'https://a.example/', authentication: { bearer: { use: key } } } } }",
	  "" },
	{ HEAD "do:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'https://a.example/', authentication: { bearer: { use: key } } } } }",
	  "f.yaml:3:115: error: 'use.secrets' names no 'key'\n" },
	/* $secrets */
	{ SECRET("headers: { X: '${ $secrets.key }', Y: '${ \"Bearer \\($secrets[\"key\"])\" }' }, body: { a: '${ [ $secrets.key, .b ] }' }"), "" },
	{ SECRET("headers: { X: '${ $secrets.key.user }', Y: '${ $secrets.key.password }' }"), "" },
	{ SECRET("headers: { X: '${ $secrets.kee }' }"),
	  "f.yaml:4:90: error: 'use.secrets' names no 'kee'; what is not listed there is not given\n" },
	{ SECRET("headers: { X: '${ $secrets.key }', Y: '${ $secrets.key.user }' }"),
	  "f.yaml:4:114: error: the secret 'key' is taken here as a whole and there by its members; take it one way\n" },
	{ SECRET("headers: { X: '${ $secrets.key | length }' }"), COMPUTED(90) },
	{ SECRET("headers: { X: '${ $secrets.key == \"a\" }' }"), COMPUTED(90) },
	{ SECRET("headers: { X: '${ if $secrets.key then 1 else 2 end }' }"), COMPUTED(90) },
	{ SECRET("headers: { X: '${ $secrets.key | @base64 }' }"), COMPUTED(90) },
	{ SECRET("headers: { X: '${ $secrets.key[0] }' }"), COMPUTED(90) },
	{ SECRET("headers: { X: '${ $secrets | tostring }' }"), COMPUTED(90) },
	{ SECRET("headers: '${ $secrets }'"), COMPUTED(85) },
	{ SECRETS "do:\n  - a: { if: '${ $secrets.key }', set: { b: 1 } }", NOWHERE("4:14") },
	{ SECRETS "do:\n  - a: { set: { b: '${ $secrets.key }' } }", NOWHERE("4:20") },
	{ SECRETS "do:\n  - a: { set: { b: 1 }, output: { as: '${ $secrets.key }' } }", NOWHERE("4:39") },
	{ SECRETS "do:\n  - a: { call: notify, with: { title: '${ $secrets.key }', action: x } }", NOWHERE("4:39") },
	{ SECRETS "do:\n  - a: { input: { from: '{ t: $secrets.key }' }, set: { b: 1 } }", "" },
	{ SECRETS "input: { from: '{ t: $secrets.key }' }\ndo:\n  - a: { set: { b: 1 } }", "" },
	{ SECRETS "do:\n  - a: { run: { shell: { command: cat, stdin: '${ $secrets.key }', environment: { T: '${ $secrets.key }' } } } }", "" },
	{ SECRETS "do:\n  - a: { run: { shell: { command: echo, arguments: [ '${ $secrets.key }' ] } } }",
	  "f.yaml:4:54: error: a secret may stand in 'stdin' and in 'environment' only: everyone on the machine can read a program's arguments\n" },
	{ HEAD "use: { secrets: [ 'a b' ] }\ndo:\n  - a: { set: { b: 1 } }",
	  "f.yaml:2:19: error: a secret's name is of letters, digits, - and _, at most 63; 'a b' is not\n" },
	/* openapi */
	{ HEAD "do:\n  - a: { call: openapi, with: { document: { endpoint: 'https://a.example/o.json' }, operationId: x, parameters: { a: '${ .b }' } } }", "" },
	{ HEAD "do:\n  - a: { call: openapi, with: { document: { endpoint: 'https://a.example/o.json' }, operationID: x } }",
	  "f.yaml:3:31: error: the 'with' of an openapi call needs 'operationId'\n"
	  "f.yaml:3:85: error: unknown key 'operationID' in the 'with' of an openapi call; did you mean 'operationId'?\n" },
	{ HEAD "do:\n  - a: { call: openapi, with: { document: { endpoint: 'ftp://a.example/o.json' }, operationId: x } }",
	  "f.yaml:3:55: error: an endpoint is an http or https URL with a host, not 'ftp://a.example/o.json'\n" },
	{ HEAD "do:\n  - a: { call: openapi, with: { document: { endpoint: 'https://a.example/' }, operationId: x, output: all } }",
	  "f.yaml:3:103: error: 'output' cannot be 'all'; write one of: content, response, raw\n" },
	/* run */
	{ HEAD "do:\n  - a: { run: { shell: { command: 'true', arguments: [ a, '${ .b }' ] }, return: all } }", "" },
	{ HEAD "do:\n  - a: { run: { shel: { command: 'true' } } }", "f.yaml:3:17: error: unknown key 'shel' in 'run'; did you mean 'shell'?\n" },
	{ HEAD "do:\n  - a: { run: { script: { language: perl, code: x } } }", "f.yaml:3:37: error: 'language' cannot be 'perl'; write one of: js, python\n" },
	{ HEAD "do:\n  - a: { run: { container: { image: x } } }", "f.yaml:3:17: error: this version does not run containers; run the program itself with 'shell', or make it an agent of kind shell that is confined\n" },
	/* extensions */
	{ HEAD "use:\n  extensions:\n    - e: { extend: cal, before: [ { b: { set: { x: 1 } } } ] }\ndo: [ { a: { set: { b: 1 } } } ]",
	  "f.yaml:4:20: error: 'extend' cannot be 'cal'; write one of: call, composite, emit, for, listen, raise, run, set, switch, try, wait, all\n" },
	{ HEAD "use:\n  extensions:\n    - e: { extend: set }\n    - e: { extend: set, after: [ ] }\ndo: [ { a: { set: { b: 1 } } }, { c: { set: { b: 1 } } } ]",
	  "f.yaml:4:10: error: an extension without 'before' and 'after' does nothing; write one of them, or remove it\n"
	  "f.yaml:5:7: error: two extensions are named 'e'; give one another name\n"
	  "f.yaml:5:32: error: 'after' is empty; it needs at least one task\n" },
	{ HEAD "use:\n  extensions:\n    - e: { extend: all, when: '$item > 1', before: [ { b: { set: { x: '${ $tasks.nope }' }, then: c } } ] }\ndo: [ { a: { set: { b: 1 } } }, { c: { for: { in: '[ ]' }, do: [ { d: { wait: PT1S } } ] } } ]",
	  "f.yaml:4:31: error: '$item' is not known here\n"
	  "f.yaml:4:71: error: $tasks.nope names no task of this flow\n"
	  "f.yaml:4:99: error: 'then' can only lead to a task of the same list; 'c' is in another\n" },
	{ HEAD "use:\n  extensions:\n    - e: { extend: wait, before: [ { b: { sit: { x: 1 } } } ] }\ndo: [ { a: { set: { b: 1 } } } ]",
	  "f.yaml:4:7: warning: this extension is for no task of this flow, and what is in it was not looked at\n" },
	/* run */
	{ HEAD "do:\n  - a: { run: { workflow: { namespace: '${ .x }', name: b } , return: code } }",
	  "f.yaml:3:29: error: 'namespace' is written out: which flow runs is settled when this one starts\n"
	  "f.yaml:3:63: error: 'code' is what a process leaves; a workflow gives its output, or nothing with 'none'\n" },
	{ HEAD "do:\n  - a: { run: { script: { language: js, code: x, arguments: { 'a b': 1 } } }, metadata: { effect: keyed } }",
	  "f.yaml:3:63: error: an argument by name is a variable of the script; 'a b' cannot be one's name\n"
	  "f.yaml:3:99: error: 'effect' cannot be 'keyed'; write one of: pure, read, unsafe\n" },
	{ HEAD "do:\n  - a: { run: { script: { language: js, code: x, source: { endpoint: 'file://./x.js' } } } }\n  - b: { run: { script: { language: js, source: { endpoint: 'https://x.example/x.js' } } } }\n  - c: { run: { script: { language: js, source: { endpoint: 'file://./x.js' } } } }",
	  "f.yaml:3:25: error: a script needs either 'code' or 'source'\n"
	  "f.yaml:4:49: error: a script's source is a file below the workspace, written 'file://./FILE', not 'https://x.example/x.js'\n"
	  "f.yaml:5:49: error: a script's source is read below a workspace's folder; check this flow inside of one\n" },
	{ HEAD "do:\n  - a: { call: run.shell }", "f.yaml:3:10: error: 'run.shell' is a task of its own, not a call; write 'run: { shell: … }'\n" },
};

static void findings_have_their_place_and_their_words(void **state)
{
	(void)state;
	unsigned failed = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(table); i++) {
		char *text CS_AUTOFREE = findings(table[i].yaml);
		bool same = table[i].findings ? strcmp(text, table[i].findings) == 0 : strstr(text, "error") != NULL;
		if (!same)
			print_error("for\n%s\nexpected\n%s\ngot\n%s\n", table[i].yaml, table[i].findings ? table[i].findings : "an error", text);
		failed += !same;
	}
	assert_int_equal(failed, 0);
}

/* 2^30 tasks if every call brought its body along without a bound. */
static void calls_of_calls_are_bounded(void **state)
{
	(void)state;
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 1 << 20);
	cs_buf_adds(&b, HEAD "use:\n  functions:\n");
	for (int i = 0; i < 14; i++) {
		cs_buf_addf(&b, "    f%d: { do: [ ", i);
		for (int k = 0; k < 4; k++)
			cs_buf_addf(&b, "%s{ t%d: { call: f%d } }", k ? ", " : "", k, i + 1);
		cs_buf_adds(&b, " ] }\n");
	}
	cs_buf_adds(&b, "    f14: { set: { a: 1 } }\ndo:\n  - a: { call: f0 }\n");
	char *text CS_AUTOFREE = findings(cs_buf_str(&b));
	assert_non_null(strstr(text, "this flow has more than 20000 tasks"));
}

/* Each place where the standard's schema allows a runtime expression, with one that names what nobody knows:
 * it is found, so it would be evaluated; or the place is refused with a sentence of its own. */
static const struct {
	const char *flow, *says;      /* NULL: the name is not known */
} places[] = {
	{ "do: [ { a: { call: http, with: { method: get, endpoint: '${ $zz }' } } } ]", NULL },
	{ "do: [ { a: { call: http, with: { method: get, endpoint: { uri: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { call: http, with: { method: get, endpoint: 'http://a.b', headers: '${ $zz }' } } } ]", NULL },
	{ "do: [ { a: { call: http, with: { method: get, endpoint: 'http://a.b', headers: { X: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { call: http, with: { method: get, endpoint: 'http://a.b', query: '${ $zz }' } } } ]", NULL },
	{ "do: [ { a: { call: http, with: { method: get, endpoint: 'http://a.b', query: { x: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { call: http, with: { method: post, endpoint: 'http://a.b', body: { x: [ '${ $zz }' ] } } } } ]", NULL },
	{ "do: [ { a: { call: http, with: { method: get, endpoint: { uri: 'http://a.b', authentication: { bearer: { token: '${ $zz }' } } } } } } ]", NULL },
	{ "do: [ { a: { call: openapi, with: { document: { endpoint: '${ $zz }' }, operationId: x } } } ]", NULL },
	{ "do: [ { a: { call: openapi, with: { document: { endpoint: 'http://a.b' }, operationId: x, parameters: { p: '${ $zz }' } } } } ]", NULL },
	{ "use: { functions: { g: { set: { a: 1 } } } }\ndo: [ { a: { call: g, with: { x: '${ $zz }' } } } ]", NULL },
	{ "use: { errors: { e: { type: '${ $zz }', status: 400 } } }\ndo: [ { a: { raise: { error: e } } } ]", NULL },
	{ "do: [ { a: { raise: { error: { type: x, status: 400, title: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { raise: { error: { type: x, status: 400, detail: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { raise: { error: { type: x, status: 400, instance: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { emit: { event: { with: { type: t, source: '${ $zz }' } } } } } ]", NULL },
	{ "do: [ { a: { emit: { event: { with: { type: t, time: '${ $zz }' } } } } } ]", NULL },
	{ "do: [ { a: { emit: { event: { with: { type: t, dataschema: '${ $zz }' } } } } } ]", NULL },
	{ "do: [ { a: { emit: { event: { with: { type: t, data: { x: '${ $zz }' } } } } } } ]", NULL },
	{ "do: [ { a: { listen: { to: { one: { with: { type: t, source: '${ $zz }' } } } } } } ]", NULL },
	{ "do: [ { a: { listen: { to: { one: { with: { type: t, data: '${ $zz }' } } } } } } ]", NULL },
	{ "do: [ { a: { listen: { to: { any: [], until: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { listen: { to: { one: { with: { type: t }, correlate: { k: { from: '${ $zz }' } } } } } } } ]", NULL },
	{ "do: [ { a: { listen: { to: { one: { with: { type: t }, correlate: { k: { from: .x, expect: '${ $zz }' } } } } } } } ]", NULL },
	{ "do: [ { a: { for: { in: '${ $zz }' }, do: [ { b: { set: { x: 1 } } } ] } } ]", NULL },
	{ "do: [ { a: { for: { in: [ { x: '${ $zz }' } ] }, do: [ { b: { set: { x: 1 } } } ] } } ]", NULL },
	{ "do: [ { a: { for: { in: .x }, while: '${ $zz }', do: [ { b: { set: { x: 1 } } } ] } } ]", NULL },
	{ "do: [ { a: { switch: [ { k: { when: '${ $zz }', then: end } } ] } } ]", NULL },
	{ "do: [ { a: { run: { shell: { command: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { run: { shell: { command: x, stdin: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { run: { shell: { command: x, arguments: [ '${ $zz }' ] } } } } ]", NULL },
	{ "do: [ { a: { run: { shell: { command: x, environment: { X: '${ $zz }' } } } } } ]", NULL },
	{ "do: [ { a: { run: { script: { language: js, code: x, stdin: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { run: { script: { language: js, code: x, arguments: { x: '${ $zz }' } } } } } ]", NULL },
	{ "do: [ { a: { run: { script: { language: js, source: { endpoint: '${ $zz }' } } } } } ]", "a script's source is a file below the workspace" },
	{ "do: [ { a: { run: { container: { image: x, name: '${ $zz }' } } } } ]", "this version does not run containers" },
	{ "do: [ { a: { set: '${ $zz }' } } ]", NULL },
	{ "do: [ { a: { set: { x: { y: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { wait: '${ $zz }' } } ]", NULL },
	{ "do: [ { a: { set: { x: 1 }, timeout: { after: '${ $zz }' } } } ]", NULL },
	{ "do: [ { a: { set: { x: 1 }, if: '${ $zz }' } } ]", NULL },
	{ "do: [ { a: { set: { x: 1 }, input: { from: '${ $zz }' } } } ]", NULL },
	{ "do: [ { a: { set: { x: 1 }, output: { as: { y: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { set: { x: 1 }, export: { as: '${ $zz }' } } } ]", NULL },
	{ "input: { from: '${ $zz }' }\ndo: [ { a: { set: { x: 1 } } } ]", NULL },
	{ "output: { as: '${ $zz }' }\ndo: [ { a: { set: { x: 1 } } } ]", NULL },
	{ "timeout: { after: '${ $zz }' }\ndo: [ { a: { set: { x: 1 } } } ]", NULL },
	{ "schedule: { every: '${ $zz }' }\ndo: [ { a: { set: { x: 1 } } } ]", "f.yaml:2:" },
	{ "schedule: { on: { one: { with: { type: t, source: '${ $zz }' } } } }\ndo: [ { a: { set: { x: 1 } } } ]", NULL },
	{ "use: { extensions: [ { e: { extend: all, when: '${ $zz }', before: [ { b: { set: { x: 1 } } } ] } } ] }\ndo: [ { a: { set: { x: 1 } } } ]", NULL },
	{ "do: [ { a: { try: [ { b: { set: { x: 1 } } } ], catch: { when: '${ $zz }' } } } ]", NULL },
	{ "do: [ { a: { try: [ { b: { set: { x: 1 } } } ], catch: { exceptWhen: '${ $zz }' } } } ]", NULL },
	{ "do: [ { a: { try: [ { b: { set: { x: 1 } } } ], catch: { retry: { when: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { try: [ { b: { set: { x: 1 } } } ], catch: { retry: { exceptWhen: '${ $zz }' } } } } ]", NULL },
	{ "do: [ { a: { try: [ { b: { set: { x: 1 } } } ], catch: { retry: { delay: '${ $zz }' } } } } ]", "write it out" },
	{ "do: [ { a: { try: [ { b: { set: { x: 1 } } } ], catch: { retry: { limit: { duration: '${ $zz }' } } } } } ]", "write it out" },
	{ "do: [ { a: { try: [ { b: { set: { x: 1 } } } ], catch: { retry: { limit: { attempt: { duration: '${ $zz }' } } } } } } ]", "write it out" },
	{ "do: [ { a: { try: [ { b: { set: { x: 1 } } } ], catch: { retry: { jitter: { from: '${ $zz }', to: PT1S } } } } } ]", "write it out" },
	{ "do: [ { a: { try: [ { b: { set: { x: 1 } } } ], catch: { errors: { with: { type: '${ $zz }' } } } } } ]", "$zz" },
};

static void no_expression_that_the_schema_allows_is_passed_by(void **ctx)
{
	(void)ctx;
	unsigned failed = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(places); i++) {
		CS_AUTOFREE char *yaml = cs_xasprintf(HEAD "%s", places[i].flow), *got = findings(yaml);
		bool ok = strstr(got, "error: ") != NULL && strstr(got, places[i].says != NULL ? places[i].says : "'$zz' is not known here") != NULL;
		if (!ok)
			print_error("%s\n%s\n", places[i].flow, got);
		failed += !ok;
	}
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_expression_that_the_schema_allows_is_passed_by),
		cmocka_unit_test(findings_have_their_place_and_their_words),
		cmocka_unit_test(calls_of_calls_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
