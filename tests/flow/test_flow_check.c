/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the checker says of a flow, to the letter; and that what it lets through is compiled as the
 * document says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "flow/flow.h"
#include "tests/data.h"

#define HEAD "document: { dsl: '1.0.3', namespace: t, name: f, version: '1.0.0' }\n"

static const char *const known[] = { "mail.send", "qualifier", "approve", NULL };

static bool is_callable(void *ctx, const char *name)
{
	(void)ctx;
	for (const char *const *k = known; *k; k++)
		if (strcmp(*k, name) == 0)
			return true;
	return false;
}

static const char *const *names(void *ctx)
{
	(void)ctx;
	return known;
}

/* The findings as text; *ret is the flow when there are no errors. */
static char *check(const char *yaml, size_t len, cs_flow **ret)
{
	json_t *doc CS_AUTOJSON = NULL;
	cs_source *src CS_CLEANUP(cs_source_freep) = NULL;
	cs_err err = { 0 };
	cs_diags d;
	cs_diags_init(&d);
	*ret = NULL;
	if (cs_yaml_parse("f.yaml", yaml, len, &doc, &src, &err) < 0) {
		cs_diags_add_err(&d, "f.yaml", &err);
	} else {
		int r = cs_flow_new_in(doc, src, &(cs_flow_world){ .callable = is_callable, .names = names }, &d, ret);
		assert_int_equal(r, d.errors ? CS_EINVAL : CS_OK);
		assert_true((*ret == NULL) == (d.errors > 0));
	}
	cs_buf b;
	cs_buf_init(&b, 1 << 20);
	assert_true(cs_diags_write(&d, &b) >= 0);
	cs_diags_fini(&d);
	return cs_buf_steal(&b);
}

/* Are the findings these? Says both when not. */
static bool says(const char *yaml, const char *expected)
{
	cs_flow *f;
	char *text = check(yaml, strlen(yaml), &f);
	bool same = strcmp(text, expected) == 0;
	if (!same)
		print_error("for\n%s\nexpected\n%sgot\n%s\n", yaml, expected, text);
	free(text);
	cs_flow_unref(f);
	return same;
}

static cs_flow *compiled(const char *yaml)
{
	cs_flow *f;
	char *text = check(yaml, strlen(yaml), &f);
	if (!f)
		fail_msg("%s", text);
	free(text);
	return f;
}

static const struct {
	const char *yaml, *findings;
} wrong[] = {
	/* the document */
	{ "do: [ { a: { set: { b: 1 } } } ]", "f.yaml:1:1: error: a flow needs 'document'\n" },
	{ "- a", "f.yaml:1:1: error: a flow must be a mapping, not a list\n" },
	{ HEAD "dos: [ ]", "f.yaml:1:1: error: a flow needs 'do'\nf.yaml:2:1: error: unknown key 'dos' in a flow; did you mean 'do'?\n" },
	{ HEAD "do: { a: 1 }", "f.yaml:2:5: error: 'do' must be a list, not a mapping\n" },
	{ HEAD "do: [ ]", "f.yaml:2:5: error: 'do' is empty; it needs at least one task\n" },
	{ "document: { dsl: '2.0.0', namespace: a_b, name: -x, version: one }\ndo: [ { a: { set: { b: 1 } } } ]",
	  "f.yaml:1:18: error: 'dsl' must be a version 1.0.x of the language, not '2.0.0'\n"
	  "f.yaml:1:38: error: 'namespace' must be letters, digits and hyphens, 63 at most, not 'a_b'\n"
	  "f.yaml:1:49: error: 'name' must be letters, digits and hyphens, 63 at most, not '-x'\n"
	  "f.yaml:1:62: error: 'version' must be a semantic version like 1.0.0, not 'one'\n" },
	{ "document: { dsl: '1.0.3', namespace: t, name: f, version: 1.0 }\ndo: [ { a: { set: { b: 1 } } } ]",
	  "f.yaml:1:59: error: 'version' must be a text, not a number; put it in quotes\n" },
	{ HEAD "schedule: { cron: '* * * * *', every: { days: 1 }, after: PT1M }\ndo: [ { a: { set: { b: 1 } } } ]", "" },
	{ HEAD "schedule: { cron: '0 25 * * *' }\ndo: [ { a: { set: { b: 1 } } } ]",
	  "f.yaml:2:19: error: a cron expression: the hour: '25' is not between 0 and 23\n" },
	{ HEAD "schedule: { cron: '0 0 30 2 *', after: PT0.5S }\ndo: [ { a: { set: { b: 1 } } } ]",
	  "f.yaml:2:19: error: a cron expression: no day is ever of this month and number; it would never start anything\n"
	  "f.yaml:2:40: error: 'after' must be a second or more\n" },
	{ HEAD "schedule: { every: PT0S, read: raw }\ndo: [ { a: { set: { b: 1 } } } ]",
	  "f.yaml:2:20: error: 'every' must be a second or more\n"
	  "f.yaml:2:26: error: 'read' says how the events of 'on' are read, and there is no 'on'\n" },
	{ HEAD "use: { secrets: [ 5 ] }\ndo: [ { a: { set: { b: 1 } } } ]",
	  "f.yaml:2:19: error: 'secrets' lists names\n" },
	{ HEAD "evaluate: { mode: lose, language: javascript }\ndo: [ { a: { set: { b: 1 } } } ]",
	  "f.yaml:2:19: error: 'mode' cannot be 'lose'; write one of: strict, loose\n"
	  "f.yaml:2:25: error: expressions in 'javascript' are not evaluated by this version; write them in jq, the language that every "
	  "runtime knows\n" },
	{ HEAD "evaluate: { mode: loose, language: jq }\ndo: [ { a: { set: .b, output: { as: 'no jq (' } } }, { c: { set: { d: $nobody, e: a b } } } ]",
	  "f.yaml:3:71: warning: '$nobody' is not known here, so in 'mode: loose' this stays the text that it is\n" },
	{ HEAD "evaluate: { mode: loose }\ndo: [ { a: { set: { b: '${ ) }' } } }, { c: { if: 'no jq (', set: .b } } ]",
	  "f.yaml:3:24: error: `)` closes nothing\n"
	  "f.yaml:3:51: error: `(` is not closed\n" },
	/* tasks */
	{ HEAD "do: [ { a: { set: { b: 1 } }, c: { set: { b: 1 } } } ]",
	  "f.yaml:2:7: error: each item of 'do' is one name with its definition, like '- name: { … }'\n" },
	{ HEAD "do:\n  - a: { cal: http }", "f.yaml:3:10: error: unknown key 'cal' in a task; did you mean 'call'?\n" },
	{ HEAD "do:\n  - a: { zzz: 1 }",
	  "f.yaml:3:8: error: a task needs one of call, do, emit, for, fork, listen, raise, run, set, switch, try, wait\n" },
	{ HEAD "do:\n  - a: 5", "f.yaml:3:8: error: a task must be a mapping, not a whole number\n" },
	{ HEAD "do:\n  - a: { listen: { } }\n  - b: { run: { } }",
	  "f.yaml:3:18: error: 'listen' needs 'to'\n"
	  "f.yaml:4:15: error: 'run' needs exactly one of shell, script, container, workflow\n" },
	{ HEAD "do:\n  - a: { listen: { to: { any: [], onne: {} } } }", "f.yaml:3:35: error: unknown key 'onne' in 'to'; did you mean 'one'?\n" },
	{ HEAD "do:\n  - a: { listen: { to: { one: { with: {} } }, rad: data } }", "f.yaml:3:47: error: unknown key 'rad' in 'listen'; did you mean 'read'?\n" },
	{ HEAD "do:\n  - a: { listen: { to: { one: { wiht: {} } }, read: body } }",
	  "f.yaml:3:31: error: a filter needs 'with'\n"
	  "f.yaml:3:33: error: unknown key 'wiht' in a filter; did you mean 'with'?\n"
	  "f.yaml:3:53: error: 'read' cannot be 'body'; write one of: data, envelope, raw\n" },
	{ HEAD "do:\n  - a: { listen: { to: { one: { with: {} } } } }",
	  "f.yaml:3:39: error: a filter needs at least one attribute, like 'type'; 'any: []' takes every event\n" },
	{ HEAD "do:\n  - a: { listen: { to: { all: [] } } }",
	  "f.yaml:3:31: error: 'all' is empty, so there is nothing to wait for; 'any: []' takes every event\n" },
	{ HEAD "do:\n  - a: { listen: { to: { any: [ { with: { type: a }, correlate: { k: { form: .x } } } ] } } }",
	  "f.yaml:3:70: error: a correlation needs 'from'\n"
	  "f.yaml:3:72: error: unknown key 'form' in a correlation; did you mean 'from'?\n" },
	{ HEAD "do:\n  - a: { listen: { to: { any: [], until: { any: [], one: { with: { type: b } } } } } }",
	  "f.yaml:3:42: error: 'until' needs exactly one of one, any, all\n" },
	{ HEAD "do:\n  - a: { listen: { to: { any: [] } }, foreach: { item: e, at: e } }",
	  "f.yaml:3:48: error: 'item' and 'at' cannot both be 'e'\n" },
	{ HEAD "do:\n  - a: { listen: { to: { one: { with: { typ: a } }, until: . } }, foreach: { do: [ { x: { set: { v: '${ $itme }' } } } ] } }",
	  "f.yaml:3:46: warning: an event has no attribute 'typ' of its own; did you mean 'type'?\n"
	  "f.yaml:3:53: warning: 'until' only means something beside 'any'; here nothing looks at it\n"
	  "f.yaml:3:101: error: '$itme' is not known here; did you mean '$item'?\n" },
	{ HEAD "do:\n  - a: { set: { b: 1 }, timeout: { after: soon } }",
	  "f.yaml:3:43: error: 'soon' is not a duration; write it like PT30S, PT4H or P2D\n" },
	{ HEAD "do:\n  - a: { set: { b: 1 }, thn: end }",
	  "f.yaml:3:25: error: unknown key 'thn' in a set task; did you mean 'then'?\n" },
	{ HEAD "do:\n  - a: { set: { b: 1 } }\n  - a: { set: { b: 2 } }",
	  "f.yaml:4:5: error: two tasks of this list are named 'a'; give one another name\n" },
	{ HEAD "do:\n  - a: { set: .b }", "f.yaml:3:15: error: 'set' must be a mapping or one expression; write it as '${ … }'\n" },
	{ HEAD "do:\n  - a: { set: { b: 1 }, if: '' }", "f.yaml:3:29: error: 'if' is empty; write an expression, or remove it\n" },
	{ HEAD "do:\n  - a: { set: { b: 1 }, output: { az: . } }",
	  "f.yaml:3:35: error: unknown key 'az' in 'output'; did you mean 'as'?\n" },
	{ HEAD "do:\n  - a: { set: { b: 1 }, input: { schema: { document: { type: strin } } } }", NULL },
	/* then */
	{ HEAD "do:\n  - first: { set: { b: 1 }, then: secnd }\n  - second: { set: { b: 1 } }",
	  "f.yaml:3:35: error: 'then' names no task of this list: 'secnd'; did you mean 'second'?\n" },
	{ HEAD "do:\n  - a: { do: [ { inner: { set: { b: 1 } } } ] }\n  - b: { set: { b: 1 }, then: inner }",
	  "f.yaml:4:31: error: 'then' can only lead to a task of the same list; 'inner' is in another\n" },
	{ HEAD "do:\n  - a: { fork: { branches: [ { x: { set: { b: 1 }, then: y } }, { y: { set: { b: 1 } } } ] } }",
	  "f.yaml:3:58: error: a branch of a fork cannot lead to another task; write continue, exit or end\n" },
	{ HEAD "do:\n  - a: { set: { b: 1 }, then: end }\n  - b: { set: { b: 1 } }",
	  "f.yaml:4:5: warning: nothing leads to 'b': the task before it goes elsewhere\n" },
	/* control */
	{ HEAD "do:\n  - a: { switch: [ { x: { then: end } }, { y: { then: exit } } ] }",
	  "f.yaml:3:47: error: a switch has at most one case without 'when'; give 'y' a condition\n" },
	{ HEAD "do:\n  - a: { switch: [ { x: { when: .a } } ] }", "f.yaml:3:25: error: a case needs 'then'\n" },
	{ HEAD "do:\n  - a: { for: { each: x }, do: [ { b: { set: { c: 1 } } } ] }", "f.yaml:3:15: error: 'for' needs 'in'\n" },
	{ HEAD "do:\n  - a: { for: { in: .x, each: input }, do: [ { b: { set: { c: 1 } } } ] }",
	  "f.yaml:3:31: error: 'each' must be a name of letters, digits and _ that the language does not use itself; 'input' is not\n" },
	{ HEAD "do:\n  - a: { for: { in: [ 1 ] }, do: [ { b: { set: { c: 1 } } } ] }",
	  "f.yaml:3:23: error: an item of a written out 'in' must be a mapping, not a whole number\n" },
	{ HEAD "do:\n  - a: { raise: { error: nope } }\nuse: { errors: { nop: { type: x, status: 1 } } }",
	  "f.yaml:3:26: error: 'use.errors' defines no 'nope'; did you mean 'nop'?\n" },
	{ HEAD "do:\n  - a: { raise: { error: { title: x } } }",
	  "f.yaml:3:26: error: an error needs 'type'\nf.yaml:3:26: error: an error needs 'status'\n" },
	{ HEAD "do:\n  - a: { emit: { event: { with: { source: x } } } }", "f.yaml:3:33: error: an event needs 'type'\n" },
	{ HEAD "do:\n  - a: { try: [ { b: { set: { c: 1 } } } ], catch: { retry: { delay: soon, limit: { attempt: { count: 0, duration: PT1S } } } } }",
	  "f.yaml:3:70: error: 'soon' is not a duration; write it like PT30S, PT4H or P2D\n"
	  "f.yaml:3:94: error: 'count' must be between 1 and 1000000\n" },
	{ HEAD "do:\n  - a: { try: [ { b: { set: { c: 1 } } } ], catch: { retry: { backoff: { linear: {}, constant: {} }, jitter: { from: PT2S, to: PT1S } } } }",
	  "f.yaml:3:72: error: 'backoff' is one of constant, linear, exponential\n"
	  "f.yaml:3:110: error: 'jitter' goes from the shorter to the longer; 'from' is longer than 'to'\n" },
	{ HEAD "do:\n  - a: { try: [ { b: { set: { c: 1 } } } ], catch: { errors: { with: { type: '${ .x }' } } } }",
	  "f.yaml:3:70: error: an error filter is static; put the expression into 'when'\n" },
	/* expressions */
	{ HEAD "do:\n  - a: { set: { b: '${ $taks.a }' } }", "f.yaml:3:20: error: '$taks' is not known here; did you mean '$task'?\n" },
	{ HEAD "do:\n  - a: { set: { b: '${ $tasks.bee.x }' } }\n  - be: { set: { c: 1 } }",
	  "f.yaml:3:20: error: $tasks.bee names no task of this flow; did you mean 'be'?\n" },
	{ HEAD "do:\n  - a: { set: { b: '${ \"\\($tasks[\"zz\"]) $tasks.no\" }' } }",
	  "f.yaml:3:20: error: $tasks.zz names no task of this flow\n" },
	{ HEAD "do:\n  - a: { set: { b: '${ $error }' } }", "f.yaml:3:20: error: '$error' is not known here\n" },
	{ HEAD "do:\n  - a: { set: { b: '${ $secrets.x }' } }",
	  "f.yaml:3:20: error: '$secrets' is not known here: a secret stands in 'input.from', in the 'with' of a call that goes out, and in the 'stdin' and 'environment' of 'run'\n" },
	{ HEAD "do:\n  - a: { set: { b: 'Dear ${ .x }', c: ' ${ .x } ', d: [ '${ .x' ] } }",
	  "f.yaml:3:20: warning: this text holds '${' but is not one expression as a whole, so it stays as it is; write '${ \"… \\(…) …\" }'\n"
	  "f.yaml:3:57: warning: this text holds '${' but is not one expression as a whole, so it stays as it is; write '${ \"… \\(…) …\" }'\n" },
	/* calls */
	{ HEAD "do:\n  - a: { call: qualifer }", "f.yaml:3:16: error: the function 'qualifer' is not known; did you mean 'qualifier'?\n" },
	{ HEAD "do:\n  - a: { call: grpc, with: { proto: { } } }",
	  "f.yaml:3:16: error: this version does not call gRPC services; call the service's HTTP interface with 'call: http' or 'call: openapi', or run a client program with 'run: shell'\n" },
	{ HEAD "do:\n  - a: { call: recall }", "f.yaml:3:16: error: the built-in 'recall' is known, but this version does not run it yet\n" },
	{ HEAD "do:\n  - a: { call: http, with: { method: gett, endpoint: 'ftp://x' } }",
	  "f.yaml:3:38: error: the method 'gett' is not known; did you mean 'get'?\n"
	  "f.yaml:3:54: error: an endpoint is an http or https URL with a host, not 'ftp://x'\n" },
	{ HEAD "do:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'http://x', authentication: { use: y } } } }",
	  "f.yaml:3:88: error: 'use.authentications' defines no 'y'\n" },
	{ HEAD "do:\n  - a: { call: http, with: { method: get, endpoint: 'http://x', headers: { 'a b': x, c: \"y\\nz\" }, query: { n: 2 } } }",
	  "f.yaml:3:76: error: 'a b' is not a header's name\n"
	  "f.yaml:3:89: error: a header's value stands on one line\n"
	  "f.yaml:3:111: error: this value must be a text, not a whole number; put it in quotes\n" },
	{ HEAD "do:\n  - a: { call: approve, with: { titel: x } }",
	  "f.yaml:3:31: error: the 'with' of approve needs 'title'\n"
	  "f.yaml:3:33: error: unknown key 'titel' in the 'with' of approve; did you mean 'title'?\n" },
	{ HEAD "do:\n  - a: { call: approve, with: { title: x, allow: [ acept ], on-expiry: escalate, covers: [ ] } }",
	  "f.yaml:3:82: error: 'covers' in the 'with' of approve is known, but this version does not obey it yet; remove it\n" },
	{ HEAD "do:\n  - a: { call: approve, with: { title: x, allow: [ acept ], expire: 3d, on-expiry: escalat } }",
	  "f.yaml:3:52: error: the answer 'acept' is not known; did you mean 'accept'?\n"
	  "f.yaml:3:69: error: '3d' is not a duration; write it like PT30S, PT4H or P2D\n"
	  "f.yaml:3:84: error: 'on-expiry' cannot be 'escalat'; write one of: reject, escalate\n" },
	{ HEAD "do:\n  - a: { call: notify, with: { title: x } }", "f.yaml:3:30: error: the 'with' of notify needs 'action'\n" },
	{ HEAD "do:\n  - a: { call: mail.send, metadata: { effect: read, ask: { rounds: 3 } } }",
	  "f.yaml:3:39: error: 'effect' is said here only of 'call: http', 'call: openapi', 'run: shell' and 'run: script'; a function declares its own in its file\n"
	  "f.yaml:3:60: error: 'rounds' counts how often an answer goes back; say with 'back' to which task\n" },
	{ HEAD "do:\n  - a: { call: mail.send, metadata: { ask: { on-reject: contine, runbook: ../x } } }",
	  "f.yaml:3:57: error: 'on-reject' cannot be 'contine'; write one of: raise, continue, end\n"
	  "f.yaml:3:75: error: 'runbook' is the name of a file in runbooks/, without a folder\n" },
	{ HEAD "do:\n  - a: { set: { b: 1 }, metadata: { ask: { title: x } } }",
	  "f.yaml:3:37: error: 'ask' says how the gate of a call asks; this task calls nothing\n" },
	{ HEAD "do:\n  - a: { call: approve, with: { title: x }, metadata: { ask: { title: y } } }",
	  "f.yaml:3:57: error: 'ask' says how a gate asks, and 'approve' has none; write it into its 'with'\n" },
	{ HEAD "do:\n  - a: { set: { b: 1 } }\n  - m: { call: mail.send, metadata: { ask: { back: aa } } }\n  - n: { call: mail.send, metadata: { ask: { back: n } } }\n"
	       "  - o: { call: mail.send, metadata: { ask: { back: a, allow: [ accept ] } } }\n  - p: { do: [ { q: { call: mail.send, metadata: { ask: { back: a, rounds: 0 } } } } ] }",
	  "f.yaml:4:52: error: 'back' names a task of the same list; there is no 'aa' in it\n"
	  "f.yaml:5:52: error: 'back' leads to a task before this one; 'n' is not\n"
	  "f.yaml:6:52: error: 'back' says where an answer leads, but 'allow' has no 'respond'\n"
	  "f.yaml:7:65: error: 'back' names a task of the same list; there is no 'a' in it\n"
	  "f.yaml:7:68: error: 'rounds' is how often an answer may go back: a whole number from 1 to 100\n" },
	{ HEAD "do:\n  - a: { fork: { branches: [ { b: { set: { c: 1 } } }, { m: { call: mail.send, metadata: { ask: { back: b } } } } ] } }",
	  "f.yaml:3:105: error: a branch of a fork has no task before it to go back to; put it into a 'do' with that task\n" },
	{ HEAD "do:\n  - m: { call: mail.send, metadata: { ask: { escalate: [ { after: PT4H, via: phone }, { to: bea }, PT4H ], remind: [ 50, 0%, PT4H ] } } }",
	  "f.yaml:3:73: error: 'via: phone' is not obeyed by this version, which cannot send to a channel yet; leave 'via' out: what is escalated stands first in the inbox\n"
	  "f.yaml:3:87: error: an escalation needs 'after'\n"
	  "f.yaml:3:100: error: an escalation is {after: DURATION, to: NAME}\n"
	  "f.yaml:3:118: error: a reminder is a duration like PT4H, or a part of the time until the expiry like 50%\n"
	  "f.yaml:3:122: error: a reminder is a duration like PT4H, or a part of the time until the expiry like 50%, not '0%'\n" },
	{ HEAD "do:\n  - a: { call: openapi, with: { document: { endpoint: 'http://x.example' }, operationId: b }, metadata: { ask: { on-reject: continue } } }",
	  "f.yaml:3:114: error: 'on-reject: continue' is not obeyed for 'call: openapi'; put the call into a 'try' that catches the error 403\n" },
	/* nothing in a file acts on a terminal */
	{ HEAD "do:\n  - a: { set: { b: 1 }, \"\\e[31m\": 1 }", NULL },
};

static void every_finding_has_its_place_and_its_sentence(void **state)
{
	(void)state;
	bool all = true;
	for (size_t i = 0; i < CS_ARRAY_LEN(wrong); i++) {
		if (wrong[i].findings) {
			all &= says(wrong[i].yaml, wrong[i].findings);
			continue;
		}
		cs_flow *f;
		char *text = check(wrong[i].yaml, strlen(wrong[i].yaml), &f);
		assert_null(f);
		assert_non_null(strstr(text, "f.yaml:3:"));
		assert_null(strchr(text, 0x1B));
		free(text);
	}
	assert_true(all);
}

static const char agency[] = HEAD
	"use:\n"
	"  errors: { late: { type: 'https://x.example/late', status: 504, title: Late } }\n"
	"  retries: { soft: { delay: { seconds: 3 }, backoff: { exponential: {} }, limit: { attempt: { count: 5 }, duration: PT1M } } }\n"
	"input: { from: .lead, schema: { document: { type: object } } }\n"
	"output: { as: '{ done: . }' }\n"
	"do:\n"
	"  - pick: { switch: [ { no: { when: '$input.fit == \"no\"', then: end } }, { yes: { then: loop } } ] }\n"
	"  - loop:\n"
	"      for: { each: item, in: '.items' }\n"
	"      while: '$item != null'\n"
	"      do: [ { keep: { set: { all: '${ .all + [ $item, $index ] }' } } } ]\n"
	"  - both: { fork: { compete: true, branches: [ { l: { set: { a: 1 } } }, { r: { call: qualifier } } ] } }\n"
	"  - guard:\n"
	"      try: [ { send: { call: mail.send, with: { to: '${ $tasks.pick }' }, metadata: { ask: { title: 'Send it', expire: PT1H } } } } ]\n"
	"      catch:\n"
	"        errors: { with: { status: 503 } }\n"
	"        as: why\n"
	"        when: '$why.status > 1'\n"
	"        retry: soft\n"
	"        do: [ { note: { set: { why: '${ $why }' } } }, { stop: { raise: { error: late } } } ]\n"
	"        then: tell\n"
	"  - tell: { emit: { event: { with: { type: a.b, data: '${ . }' } } }, if: '.x', export: { as: '$context + .' } }\n"
	"  - get: { call: http, with: { method: get, endpoint: 'https://api.example.com/{id}' }, metadata: { effect: read } }\n";

static const cs_task *task(const cs_flow *f, const char *ref)
{
	const cs_task *t = cs_flow_task(f, ref);
	if (!t)
		fail_msg("no task %s", ref);
	assert_string_equal(t->ref, ref);
	return t;
}

static void the_table_says_what_the_document_says(void **state)
{
	(void)state;
	cs_flow *f = compiled(agency);
	assert_string_equal(f->ns, "t");
	assert_int_equal(f->n_tasks, 12);
	assert_int_equal(f->n_roots, 6);
	assert_non_null(f->input_schema);
	assert_non_null(f->input_from);
	assert_non_null(f->output_as);
	const cs_task *pick = task(f, "/do/0/pick"), *loop = task(f, "/do/1/loop"), *both = task(f, "/do/2/both");
	assert_int_equal(pick->kind, CS_TASK_SWITCH);
	assert_int_equal(pick->n_cases, 2);
	assert_int_equal(pick->cases[0].then, CS_THEN_END);
	assert_int_equal(pick->cases[1].then, loop->id);
	assert_null(pick->cases[1].when);
	assert_string_equal(loop->each, "item");
	assert_string_equal(loop->at, "index");
	assert_non_null(loop->loop_while);
	assert_int_equal(task(f, "/do/1/loop/do/0/keep")->parent, loop->id);
	assert_true(both->compete);
	assert_int_equal(both->n_children, 2);
	assert_int_equal(both->children[1], task(f, "/do/2/both/fork/branches/1/r")->id);
	assert_non_null(task(f, "/do/2/both/fork/branches/1/r")->body);
	assert_string_equal(task(f, "/do/5/get")->call, "http");
	assert_non_null(task(f, "/do/4/tell")->cond);
	assert_non_null(task(f, "/do/4/tell")->export_as);
	assert_null(cs_flow_task(f, "/do/9/nobody"));
	assert_int_equal(strlen(pick->hash), 64);
	assert_string_not_equal(pick->hash, loop->hash);
	cs_flow_unref(f);
}

static void a_catch_is_compiled_with_its_retry(void **state)
{
	(void)state;
	cs_flow *f = compiled(agency);
	const cs_task *guard = task(f, "/do/3/guard"), *note = task(f, "/do/3/guard/catch/do/0/note");
	const cs_task *send = task(f, "/do/3/guard/try/0/send");
	const cs_catch *k = guard->catch;
	assert_int_equal(guard->n_children, 1);
	assert_int_equal(guard->n_handler, 2);
	assert_true(note->in_handler);
	assert_false(send->in_handler);
	assert_non_null(send->ask_title);
	assert_string_equal(k->as, "why");
	assert_int_equal(k->then, task(f, "/do/4/tell")->id);
	assert_true(k->has_retry);
	assert_int_equal(k->retry_attempts, 5);
	assert_int_equal(k->retry_delay_ms, 3000);
	assert_int_equal(k->retry_for_ms, 60000);
	assert_int_equal(k->retry_backoff, 2);
	assert_non_null(k->with);
	assert_non_null(k->when);
	assert_non_null(task(f, "/do/3/guard/catch/do/1/stop")->body);
	const cs_flow *same = cs_flow_ref(f);
	cs_flow_unref(f);
	assert_string_equal(same->name, "f");
	cs_flow_unref((cs_flow *)(uintptr_t)same);
}

static void a_stored_definition_compiles_without_its_file(void **state)
{
	(void)state;
	cs_flow *f = compiled(agency), *again = NULL;
	cs_diags d;
	cs_diags_init(&d);
	assert_int_equal(cs_flow_new(f->def, NULL, is_callable, NULL, &d, &again), CS_OK);
	assert_string_equal(f->hash, again->hash);
	json_t *bad = json_pack("{s:[{s:{s:s}}]}", "do", "a", "call", "nobody");
	cs_flow *none = NULL;
	assert_int_equal(cs_flow_new(bad, NULL, NULL, NULL, &d, &none), CS_EINVAL);
	assert_null(none);
	assert_int_equal(d.items[0].line, 0);
	json_decref(bad);
	cs_diags_fini(&d);
	cs_flow_unref(again);
	cs_flow_unref(f);
}

/* Every scenario's definition of the conformance kit's kind that needs no network. */
static const char *const kit[] = {
	"do:\n  - c: { do: [ { r: { set: { colors: '${ .colors + [\"red\"] }' } } } ] }\n",
	"do:\n  - s: { input: { from: .user.claims.subject }, set: { playerId: '${ . }' } }\n",
	"do:\n  - e: { emit: { event: { with: { source: 'https://fake-source.com', type: com.fake.v1, data: { greetings: '${ \"Hello \\(.user.firstName)!\" }' } } } } }\n",
	"do:\n  - r: { set: { a: 1 }, then: g }\n  - b: { set: { a: 1 }, then: end }\n  - g: { set: { a: 1 }, then: b }\n",
	"do:\n  - l: { for: { each: color, in: '.colors' }, do: [ { m: { set: { p: '${ { colors: (.p.colors + [ $color ]), indexes: (.p.indexes + [ $index ])} }' } } } ] }\n",
	"do:\n  - r: { raise: { error: { status: 400, type: 'https://x/errors/types/compliance', title: Compliance Error } } }\n",
	"do:\n  - s: { switch: [ { red: { when: '.color == \"red\"', then: a } }, { any: { then: b } } ], then: end }\n  - a: { set: { x: 1 } }\n  - b: { set: { x: '${ .x + [ $input.color ] }' } }\n",
};

static void the_kit_s_forms_compile(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(kit); i++) {
		cs_buf b CS_AUTOBUF;
		cs_buf_init(&b, 4096);
		cs_buf_addf(&b, "%s%s", HEAD, kit[i]);
		/* The kit's switch has a `then` beside its default case. */
		assert_true(says(cs_buf_str(&b), !strstr(kit[i], "then: end }\n  - a") || !strstr(kit[i], "switch") ? "" :
				 "f.yaml:3:91: warning: this 'then' is never followed: the switch cannot fall through, as one of its cases has no 'when'\n"));
	}
}

static void standard_errors_are_equal_in_all_spellings(void **state)
{
	(void)state;
	const char *text = "https://open-workflow-specification.org/spec/1.0.0/errors/communication";
	assert_true(cs_error_type_equal(text, "https://open-workflow-specification.org/dsl/errors/types/communication"));
	assert_true(cs_error_type_equal("https://serverlessworkflow.io/spec/1.0.0/errors/communication", text));
	assert_true(cs_error_type_equal("https://x.example/mine", "https://x.example/mine"));
	assert_false(cs_error_type_equal(text, "https://open-workflow-specification.org/spec/1.0.0/errors/timeout"));
	assert_false(cs_error_type_equal(text, "https://x.example/errors/types/communication"));
	assert_false(cs_error_type_equal("https://open-workflow-specification.org/errors/types/compliance", text));
	json_t *e = cs_error_new("timeout", "too late", "/do/0/a");
	assert_string_equal(cs_json_str(e, "type"), "https://open-workflow-specification.org/spec/1.0.0/errors/timeout");
	assert_int_equal(cs_json_int_or(e, "status", 0), 408);
	assert_string_equal(cs_json_str(e, "instance"), "/do/0/a");
	assert_non_null(cs_json_str(e, "title"));
	json_decref(e);
}

/* A flow of N tasks, each of which says something wrong. */
static void thousands_of_errors_take_little_time_and_two_hundred_are_told(void **state)
{
	(void)state;
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 1 << 20);
	cs_buf_adds(&b, HEAD "do:\n");
	for (int i = 0; i < 5000; i++)
		cs_buf_addf(&b, "  - t%d: { set: { a: '${ $tasks.nobody%d }' }, then: nowhere%d }\n", i, i, i);
	cs_flow *f;
	int64_t start = cs_clock_mono_ns();
	char *text = check(cs_buf_str(&b), b.len, &f);
	if (!sanitized())
		assert_true((cs_clock_mono_ns() - start) / 1000000 < 500);
	assert_null(f);
	size_t lines = 0;
	for (char *p = text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 200);
	free(text);
}

/* The text between the quotes of a feature file's docstring, without its indent; NULL: no more. */
static char *next_docstring(const char **text)
{
	static const char given[] = "a workflow with definition:", quotes[] = "\"\"\"";
	const char *p = strstr(*text, given), *line = p ? strstr(p, quotes) : NULL;
	if (!line)
		return NULL;
	size_t indent = 0;
	while (line > *text && line[-1] == ' ' && indent++ < 80)
		line--;
	line = strchr(line, '\n') + 1;
	const char *end = strstr(line, quotes);
	assert_non_null(end);
	*text = end;
	while (end > line && end[-1] == ' ')
		end--;
	cs_buf b;
	cs_buf_init(&b, 1 << 16);
	while (line < end) {
		size_t len = strcspn(line, "\n"), skip = strspn(line, " ");
		skip = skip < indent ? skip : indent;
		cs_buf_add(&b, line + skip, len - skip);
		cs_buf_addc(&b, '\n');
		line += len + 1;
	}
	return cs_buf_steal(&b);
}

static void every_scenario_compiles_or_is_refused_by_name(void **state)
{
	(void)state;
	char **list CS_CLEANUP(cs_strv_freep) = NULL;
	char *folder CS_AUTOFREE = data_path_or_skip("openworkflow", "ctk");
	int good = 0, refused = 0;
	assert_int_equal(cs_dir_list(folder, ".feature", &list, NULL), 0);
	assert_non_null(list[0]);
	for (char **n = list; *n; n++) {
		char *path CS_AUTOFREE = cs_path_join(folder, *n), *yaml;
		cs_buf b CS_AUTOBUF;
		cs_buf_init(&b, 1 << 20);
		assert_int_equal(cs_file_read(path, &b, NULL), CS_OK);
		const char *at = cs_buf_str(&b);
		while ((yaml = next_docstring(&at))) {
			cs_flow *f;
			char *text = check(yaml, strlen(yaml), &f);
			if (!f && !strstr(text, "this version does not"))
				fail_msg("%s: %s\n%s", *n, text, yaml);
			*(f ? &good : &refused) += 1;
			cs_flow_unref(f);
			free(text);
			free(yaml);
		}
	}
	assert_int_equal(good, 21);
	assert_int_equal(refused, 0);
}

/* The specification's own examples, where they are at hand. */
static void examples_compile_or_are_refused_by_name(void **state)
{
	(void)state;
	char **list CS_CLEANUP(cs_strv_freep) = NULL;
	char *folder CS_AUTOFREE = data_path_or_skip("openworkflow", "examples");
	assert_int_equal(cs_dir_list(folder, ".yaml", &list, NULL), 0);
	assert_non_null(list[0]);
	for (char **n = list; *n; n++) {
		char *path CS_AUTOFREE = cs_path_join(folder, *n);
		cs_buf b CS_AUTOBUF;
		cs_buf_init(&b, 1 << 20);
		assert_int_equal(cs_file_read(path, &b, NULL), CS_OK);
		cs_flow *f;
		char *text = check(cs_buf_str(&b), b.len, &f);
		if (!f && !strstr(text, "this version does not"))
			fail_msg("%s: %s", *n, text);
		free(text);
		cs_flow_unref(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_finding_has_its_place_and_its_sentence),
		cmocka_unit_test(the_table_says_what_the_document_says),
		cmocka_unit_test(a_catch_is_compiled_with_its_retry),
		cmocka_unit_test(a_stored_definition_compiles_without_its_file),
		cmocka_unit_test(the_kit_s_forms_compile),
		cmocka_unit_test(standard_errors_are_equal_in_all_spellings),
		cmocka_unit_test(thousands_of_errors_take_little_time_and_two_hundred_are_told),
		cmocka_unit_test(every_scenario_compiles_or_is_refused_by_name),
		cmocka_unit_test(examples_compile_or_are_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
