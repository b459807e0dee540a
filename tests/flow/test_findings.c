/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `check` finds in a whole workspace, one row a promise: a file goes in, its findings come out, to
 * the letter, all in one go. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/workspace.h"

static char dir[64];

static void write_file(const char *name, const char *text)
{
	char *path CS_AUTOFREE = cs_path_join(dir, name);
	char *folder CS_AUTOFREE = cs_xstrdup(path);
	cs_err err = { 0 };
	*strrchr(folder, '/') = '\0';
	assert_int_equal(cs_mkdir_p(folder, 0700, &err), CS_OK);
	if (cs_file_write(path, text, strlen(text), 0600, &err) < 0)
		fail_msg("%s", err.msg);
}

static const char *const shop[][2] = {
	{ "capstan.yaml", "workspace: shop\n" },
	{ "agents/clerk.yaml", "agent: clerk\nkind: rules\ntouches: [ contract ]\n"
			       "input: { type: object, required: [ text ], properties: { text: { type: string }, n: { type: integer } }, additionalProperties: false }\n"
			       "rules: [ { give: { fit: yes } } ]\n" },
	{ "connectors/mail.yaml", "connector: mail\nkind: http\nurl: https://mail.example.com\noperations:\n"
				  "  send: { touches: [ message ], request: { method: POST, path: /send, body: '${ . }' } }\n" },
	{ "runbooks/late.md", "# Late\n" },
	{ "flows/order.yaml", "document: { dsl: '1.0.3', namespace: shop, name: order, version: '1.0.0' }\ndo:\n  - look: { call: clerk, with: { text: x } }\n" },
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/cs-findings-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < CS_ARRAY_LEN(shop); i++)
		write_file(shop[i][0], shop[i][1]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* All findings of the workspace as text, with those of jq when EXE is given. */
static char *findings(const char *exe)
{
	cs_diags d;
	cs_err err = { 0 };
	cs_gathered jq = { 0 };
	cs_workspace *w = NULL;
	cs_diags_init(&d);
	d.ask = &jq;
	if (cs_workspace_load(dir, true, &d, &w, &err) < 0)
		fail_msg("%s", err.msg);
	if (exe) {
		cs_jq_pool *pool = cs_jq_pool_new(exe, 1, 5000);
		if (cs_gathered_check(&jq, pool, &d, &err) < 0)
			fail_msg("%s", err.msg);
		cs_jq_pool_free(pool);
	}
	cs_gathered_fini(&jq);
	cs_workspace_free(w);
	cs_buf b;
	cs_buf_init(&b, 1 << 20);
	assert_true(cs_diags_write(&d, &b) >= 0);
	cs_diags_fini(&d);
	return cs_buf_steal(&b);
}

#define FLOW "document: { dsl: '1.0.3', namespace: shop, name: f, version: '1.0.0' }\n"

static const struct {
	const char *promise, *file, *yaml, *findings;
} rows[] = {
	{ "unknown functions", "flows/f.yaml", FLOW "do:\n  - a: { call: mail.sned }\n  - b: { call: clrk }\n",
	  "flows/f.yaml:3:16: error: the function 'mail.sned' is not known; did you mean 'mail.send'?\n"
	  "flows/f.yaml:4:16: error: the function 'clrk' is not known; did you mean 'clerk'?\n" },
	{ "types of `with`, where they are literal", "flows/f.yaml",
	  FLOW "do:\n  - a: { call: clerk, with: { text: 5, n: many } }\n  - b: { call: clerk, with: { n: '${ .n }' } }\n  - c: { call: clerk, with: { text: '${ .t }', m: 1 } }\n",
	  "flows/f.yaml:3:37: error: clerk does not take this: must be text; is 5\n"
	  "flows/f.yaml:3:43: error: clerk does not take this: must be a whole number; is \"many\"\n"
	  "flows/f.yaml:4:29: error: clerk does not take this: it needs 'text'\n"
	  "flows/f.yaml:5:51: error: clerk does not take this: unknown key \"m\"\n" },
	{ "types of `with`, beside other errors", "flows/f.yaml", FLOW "do:\n  - a: { call: clerk, with: { text: 5 } }\n  - b: { cal: clerk }\n",
	  "flows/f.yaml:3:37: error: clerk does not take this: must be text; is 5\n"
	  "flows/f.yaml:4:10: error: unknown key 'cal' in a task; did you mean 'call'?\n" },
	{ "types of `with` of the flow's own functions", "flows/f.yaml",
	  FLOW "use: { functions: { greet: { input: { schema: { document: { type: object, required: [ name ], properties: { name: { type: string } } } } }, set: { x: '${ .name }' } } } }\n"
	  "do:\n  - a: { call: greet, with: { name: 5 } }\n  - b: { call: greet }\n  - c: { call: greet, with: { name: '${ .x }' } }\n",
	  "flows/f.yaml:4:37: error: greet does not take this: must be text; is 5\n"
	  "flows/f.yaml:5:8: error: greet does not take this: \"name\" is missing\n" },
	{ "$tasks names", "flows/f.yaml", FLOW "do:\n  - first: { set: { x: 1 } }\n  - b: { set: { x: '${ $tasks.frist.x }', y: '${ $tasks.first }' } }\n",
	  "flows/f.yaml:4:20: error: $tasks.frist names no task of this flow; did you mean 'first'?\n" },
	{ "runbooks", "flows/f.yaml",
	  FLOW "do:\n  - a: { call: mail.send, metadata: { ask: { runbook: lat.md } } }\n  - b: { call: approve, with: { title: x, runbook: other.md } }\n  - c: { call: approve, with: { title: x, runbook: late.md } }\n",
	  "flows/f.yaml:3:55: error: there is no runbooks/lat.md; did you mean 'late.md'?\n"
	  "flows/f.yaml:4:52: error: there is no runbooks/other.md; write it, or remove 'runbook' here\n" },
	{ "fixtures", "fixtures/f.yaml", "function: clrk\nanswers: [ { give: 1 } ]\n",
	  "fixtures/f.yaml:1:11: error: the function 'clrk' is not known; did you mean 'clerk'?\n" },
	{ "scenarios", "scenarios/s.yaml",
	  "scenario: s\nflow: order\ndecide: [ { task: lok, accept: true } ]\nexpect: { state: completed, effects: [ mail.sed ], never: [ mail.send ] }\n",
	  "scenarios/s.yaml:3:19: error: the task 'lok' is not known; did you mean 'look'?\n"
	  "scenarios/s.yaml:4:40: error: the function 'mail.sed' is not known; did you mean 'mail.send'?\n" },
	{ "scenarios of no flow", "scenarios/s.yaml", "scenario: s\nflow: ordr\nexpect: { state: completed }\n",
	  "scenarios/s.yaml:2:7: error: the flow 'ordr' is not known; did you mean 'order'?\n" },
	{ "policies", "policies/p.yaml",
	  "policy: p\nrules:\n  - { when: { call: mail.sent }, then: deny }\n  - { when: { call: 'post.*' }, then: ask }\n  - { when: { call: 'mail.*', flow: ordre, agent: clerk }, then: ask }\n"
	  "  - { when: { touches: [ contact, message, billing ] }, then: ask }\n  - { when: { agent: nobody }, then: ask }\n",
	  "policies/p.yaml:3:21: error: no function is named 'mail.sent', so this rule would never hold; did you mean 'mail.send'?\n"
	  "policies/p.yaml:4:21: warning: no function fits 'post.*', so this rule never holds; mend the pattern, or remove the rule\n"
	  "policies/p.yaml:5:37: error: no flow is named 'ordre', so this rule would never hold; did you mean 'order'?\n"
	  "policies/p.yaml:6:26: warning: no agent or operation touches 'contact'; did you mean 'contract'?\n"
	  "policies/p.yaml:6:44: warning: no agent or operation touches 'billing'; say it in their 'touches', or remove it here\n"
	  "policies/p.yaml:7:22: error: no agent is named 'nobody', so this rule would never hold; mend the name, or remove the rule\n" },
	{ "unreachable tasks", "flows/f.yaml",
	  FLOW "do:\n  - a: { set: { x: 1 }, then: d }\n  - b: { set: { x: 1 } }\n  - c: { set: { x: 1 } }\n  - d: { raise: { error: { type: x, status: 1 } } }\n  - e: { set: { x: 1 } }\n",
	  "flows/f.yaml:4:5: warning: nothing leads to 'b': the task before it goes elsewhere\n"
	  "flows/f.yaml:7:5: warning: nothing leads to 'e': 'd' before it always raises an error; name it in a 'then', or remove it\n" },
	{ "tasks after what never ends", "flows/f.yaml",
	  FLOW "do:\n  - a: { do: [ { x: { set: { x: 1 }, then: end } } ] }\n  - b: { set: { x: 1 } }\n",
	  "flows/f.yaml:4:5: warning: nothing leads to 'b': 'a' before it never comes to its end; name it in a 'then', or remove it\n" },
	{ "no task that may be reached is called unreachable", "flows/f.yaml",
	  FLOW "do:\n  - a: { set: { x: 1 }, then: end, if: .x }\n  - b: { try: [ { x: { raise: { error: { type: x, status: 1 } } } } ], catch: { do: [ { y: { set: { x: 1 } } } ] } }\n"
	  "  - c: { switch: [ { x: { when: .x, then: end } } ] }\n  - d: { do: [ { x: { set: { x: 1 }, then: exit } } ] }\n"
	  "  - e: { for: { in: .x }, do: [ { x: { set: { x: 1 }, then: end } } ] }\n  - f: { set: { x: 1 }, then: h }\n  - g: { set: { x: 1 }, then: end }\n  - h: { set: { x: 1 }, then: g }\n",
	  "" },
	{ "a switch that cannot fall through", "flows/f.yaml",
	  FLOW "do:\n  - a: { switch: [ { x: { when: .x, then: end } }, { y: { then: c } } ], then: c }\n  - b: { set: { x: 1 } }\n  - c: { set: { x: 1 } }\n",
	  "flows/f.yaml:3:74: warning: this 'then' is never followed: the switch cannot fall through, as one of its cases has no 'when'\n"
	  "flows/f.yaml:4:5: warning: nothing leads to 'b': the switch 'a' before it cannot fall through, and no case leads here; name it in a 'then', or remove it\n" },
	{ "a case that is never taken", "flows/f.yaml",
	  FLOW "do:\n  - a: { switch: [ { x: { when: '.x == 1', then: end } }, { y: { when: '.x == 1', then: continue } } ] }\n",
	  "flows/f.yaml:3:61: warning: the case 'y' is never taken: 'x' before it has the same condition\n" },
	{ "every expression of a value that is wrong", "flows/f.yaml",
	  FLOW "do:\n  - a: { set: { x: '${ .a | (.b }', y: [ '${ .c ] }' ], z: '${ $nobody }' } }\n",
	  "flows/f.yaml:3:20: error: `(` is not closed\n"
	  "flows/f.yaml:3:42: error: `]` closes nothing\n"
	  "flows/f.yaml:3:60: error: '$nobody' is not known here\n" },
};

static void every_name_is_held_against_what_is_there(void **state)
{
	(void)state;
	size_t wrong = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		write_file(rows[i].file, rows[i].yaml);
		char *text CS_AUTOFREE = findings(NULL);
		if (strcmp(text, rows[i].findings) != 0) {
			print_error("%s:\n%s\n", rows[i].promise, rows[i].yaml);
			print_error("expected\n%s", rows[i].findings);
			print_error("got\n%s\n", text);
			wrong++;
		}
		char *path CS_AUTOFREE = cs_path_join(dir, rows[i].file);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(wrong, 0);
}

/* One flow, one agent and the settings are each wrong in two ways, of which jq alone can see one. */
static void what_jq_finds_comes_together_with_all_else(void **state)
{
	(void)state;
	const char *exe = getenv("CS_TEST_CAPSTAN");
	if (!exe)
		skip();
	write_file("flows/f.yaml", FLOW "do:\n  - a: { set: { x: '${ [ .a[] | seelct(.b) ] }', y: '${ .c | map(1; 2) }' } }\n  - b: { cal: clerk }\n"
					"  - c: { set: { x: '${ .a | (.b }', y: '${ .c | frobnicate }', z: '${ [ .a[] | ] }' } }\n");
	write_file("connectors/post.yaml", "connector: post\nkind: http\nurl: https://post.example.com\noperations:\n"
					   "  send: { request: { method: POTS, path: /, body: '${ .x | tosrting }' } }\n");
	write_file("capstan.yaml", "workspace: shop\nmode: lief\nflows: { order: { subject: '${ [ $start.a[] | firts ] }' } }\n");
	char *text CS_AUTOFREE = findings(exe);
	assert_string_equal(text,
		"capstan.yaml:2:7: error: 'mode' cannot be 'lief'; write one of: simulate, live\n"
		"capstan.yaml:3:28: error: a subject is told before the run begins, so it must be a plain path or text, like '$start.who'; make it in 'with' of a start where it takes more\n"
		"capstan.yaml:3:28: error: jq has no function 'firts'; did you mean 'first'?\n"
		"connectors/post.yaml:5:30: error: the method 'POTS' is not known; did you mean 'POST'?\n"
		"connectors/post.yaml:5:51: error: jq has no function 'tosrting'; did you mean 'tostring'?\n"
		"flows/f.yaml:3:20: error: jq has no function 'seelct'; did you mean 'select'?\n"
		"flows/f.yaml:3:53: error: jq's function 'map' takes 1 argument, not 2; they are separated by ';'\n"
		"flows/f.yaml:4:10: error: unknown key 'cal' in a task; did you mean 'call'?\n"
		"flows/f.yaml:5:20: error: `(` is not closed\n"
		"flows/f.yaml:5:40: error: jq has no function 'frobnicate'; define it in the expression ('def frobnicate: …;'), or write a text in quotes\n"
		"flows/f.yaml:5:67: error: syntax error, unexpected ']'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_name_is_held_against_what_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(what_jq_finds_comes_together_with_all_else, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
