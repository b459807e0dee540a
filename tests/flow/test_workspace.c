/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole folder: what is loaded, what is told, what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ftw.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "flow/workspace.h"
#include "tests/data.h"

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

static const char *const agency[][2] = {
	{ "capstan.yaml", "workspace: agency\nmode: live\noperator: { name: owner, timezone: Europe/Paris }\n"
			  "approvals: { grace: PT10S, expire: P2D }\nflows: { lead: { subject: '${ $start.who }', on-fault: keep } }\n"
			  "engine: { workers: 2, mailbox: 500 }\nretention: { snapshot-every: 50 }\n" },
	{ "agents/qualifier.yaml", "agent: qualifier\nkind: rules\nrules: [ { give: { fit: yes } } ]\n" },
	{ "agents/writer.yaml", "agent: writer\nkind: model\nmodel: { prompt: Write. }\n" },
	{ "connectors/mail.yaml", "connector: mail\nkind: http\nurl: https://mail.example.com\noperations:\n"
				  "  send: { request: { method: POST, path: /send, body: '${ . }' } }\n  list: { effect: read, request: { method: GET, path: / } }\n" },
	{ "policies/a.yaml", "policy: first\nrules: [ { name: big, when: { call: 'mail.*', over: { field: .n, value: 5 }, tainted: [ text ] }, then: ask, confirm: key, expires: 2027-03-01 } ]\n" },
	{ "policies/b.yaml", "policy: second\nrules: [ { then: deny } ]\n" },
	{ "fixtures/writer.yaml", "function: writer\nanswers: [ { when: { text: { matches: x } }, give: { t: 1 }, cost: { usd: 0.1 }, takes: PT1S }, { fail: { type: communication, status: 503 }, times: 1 } ]\n" },
	{ "flows/lead.yaml", "document: { dsl: '1.0.3', namespace: agency, name: lead, version: '1.0.0' }\n"
			     "do:\n  - ask: { call: qualifier }\n  - send: { call: mail.send, with: { to: x } }\n" },
	{ "runbooks/late.md", "# Late\nCall them.\n" },
	{ "notes.yaml", "not: ours\n" },
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
	snprintf(dir, sizeof dir, "/tmp/cs-workspace-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < CS_ARRAY_LEN(agency); i++)
		write_file(agency[i][0], agency[i][1]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static char *load(bool lenient, int code, cs_workspace **ret)
{
	cs_diags d;
	cs_err err = { 0 };
	cs_diags_init(&d);
	*ret = NULL;
	int r = cs_workspace_load(dir, lenient, &d, ret, &err);
	cs_buf b;
	cs_buf_init(&b, 1 << 20);
	assert_true(cs_diags_write(&d, &b) >= 0);
	cs_diags_fini(&d);
	char *text = cs_buf_steal(&b);
	if (r != code)
		fail_msg("%d %s\n%s", r, err.msg, text);
	assert_true((*ret != NULL) == (r == CS_OK));
	return text;
}

static void says(const char *expected)
{
	cs_workspace *w;
	char *text = load(false, CS_EINVAL, &w);
	if (strcmp(text, expected) != 0)
		print_error("expected\n%sgot\n%s", expected, text);
	assert_string_equal(text, expected);
	free(text);
}

static void a_whole_workspace_is_loaded(void **state)
{
	(void)state;
	cs_workspace *w;
	char *text = load(false, CS_OK, &w);
	assert_string_equal(text, "");
	free(text);
	assert_string_equal(w->name, "agency");
	assert_string_equal(w->operator_name, "owner");
	assert_string_equal(w->timezone, "Europe/Paris");
	assert_true(w->live_wish);
	assert_int_equal(w->grace_ms, 10000);
	assert_int_equal(w->expire_ms, 2 * 86400000);
	assert_int_equal(w->workers, 2);
	assert_int_equal(w->mailbox, 500);
	assert_int_equal(w->snapshot_every, 50);
	assert_int_equal(w->n_functions, 4);
	assert_int_equal(w->n_flows, 1);
	assert_int_equal(json_array_size(w->policies), 2);
	assert_string_equal(cs_json_str(json_array_get(w->policies, 0), "policy"), "first");
	assert_int_equal(json_array_size(w->fixtures), 1);
	assert_non_null(json_object_get(w->connectors, "mail"));
	assert_int_equal(w->n_flow_settings, 1);
	assert_non_null(w->flow_settings[0].subject);
	cs_workspace_free(w);
}

static void a_connector_of_an_odd_kind_is_told(void **state)
{
	(void)state;
	write_file("connectors/odd.yaml", "connector: odd\nkind: 5\nurl: https://x.example\noperations: { a: { request: { method: GET, path: / } } }\n");
	says("connectors/odd.yaml:2:7: error: 'kind' must be a text, not a whole number; put it in quotes\n");
}

static const char editor[] = "agent: editor\nkind: text\ntext: { file: prompts/editor.md }\n";

static void a_text_stands_in_a_file_and_its_hash_is_the_role_s(void **state)
{
	(void)state;
	write_file("agents/editor.yaml", editor);
	write_file("prompts/editor.md", "Dear ${ .name },\n");
	write_file("flows/lead.yaml", "document: { dsl: '1.0.3', namespace: agency, name: lead, version: '1.0.0' }\n"
		   "do:\n  - a: { call: approve, with: { title: Well?, summary: { file: prompts/editor.md }, show: { file: data } } }\n");
	write_file("connectors/mail.yaml", "connector: mail\nkind: http\nurl: https://mail.example.com\noperations:\n"
		   "  send: { card: { file: prompts/editor.md }, request: { method: POST, path: /, body: { file: prompts/editor.md } } }\n");
	cs_workspace *w, *then;
	free(load(false, CS_OK, &w));
	const cs_function *f = cs_workspace_function(w, "editor");
	assert_string_equal(cs_json_str(f->def, "text"), "Dear ${ .name },\n");
	assert_non_null(json_object_get(w->files, "prompts/editor.md"));
	assert_non_null(json_object_get(w->files, "agents/editor.yaml"));
	assert_non_null(json_object_get(w->files, "capstan.yaml"));
	const json_t *with = json_object_get(w->flows[0]->tasks[0].def, "with");
	assert_string_equal(cs_json_str(with, "summary"), "${ \"Dear \\( .name ),\\n\" }");
	assert_string_equal(cs_json_str(json_object_get(with, "show"), "file"), "data");   /* what is shown is data */
	assert_non_null(cs_workspace_function(w, "mail.send")->card);
	write_file("prompts/editor.md", "Hello ${ .name },\n");
	free(load(false, CS_OK, &then));
	assert_string_not_equal(cs_workspace_function(then, "editor")->hash, f->hash);
	cs_workspace_free(w);
	cs_workspace_free(then);
}

static void no_text_is_read_from_outside(void **state)
{
	(void)state;
	CS_AUTOFREE char *link = cs_path_join(dir, "prompts/link.md"), *key = cs_path_join(dir, "prompts/key.md");
	static const struct {
		const char *file, *finding;
	} wrong[] = {
		{ "/etc/passwd", "'/etc/passwd' must be a path below the workspace, like prompts/editor.md" },
		{ "../x.md", "the text ../x.md is not there, or cannot be read; write it, or mend the path" },
		{ "prompts/none.md", "the text prompts/none.md is not there, or cannot be read; write it, or mend the path" },
		{ "prompts/bad.md", "the text prompts/bad.md is not UTF-8, or holds a NUL; save it as UTF-8" },
		{ "prompts/key.md", "prompts/key.md is of the workspace's state; no text is read from there" },
		{ "prompts/open.md", "'${' has no '}' that ends it; write '$${' where no expression is meant (line 2, column 3 of the text)" },
		{ "prompts/var.md", "'$start' is not known here; an expression in this file sees its input as '.'" },
	};
	write_file("prompts/bad.md", "\xff");
	write_file("prompts/open.md", "a\nb ${ .x");
	write_file("prompts/var.md", "${ $start }");
	write_file(".capstan/key", "secret");
	assert_int_equal(symlink("/etc/hostname", link), 0);
	assert_int_equal(symlink("../.capstan/key", key), 0);
	for (size_t i = 0; i < CS_ARRAY_LEN(wrong); i++) {
		CS_AUTOFREE char *agent = cs_xasprintf("agent: editor\nkind: text\ntext: { file: %s }\n", wrong[i].file);
		/* A finding in the text is told at the value, what the path is wrong with at the path. */
		CS_AUTOFREE char *at_path = cs_xasprintf("agents/editor.yaml:3:15: error: %s\n", wrong[i].finding);
		CS_AUTOFREE char *at_value = cs_xasprintf("agents/editor.yaml:3:7: error: %s\n", wrong[i].finding);
		write_file("agents/editor.yaml", agent);
		says(i < 5 ? at_path : at_value);
	}
	write_file("agents/editor.yaml", "agent: editor\nkind: text\ntext: { file: prompts/link.md }\n");
	CS_AUTOFREE char *outside = cs_xasprintf("agents/editor.yaml:3:15: error: the text prompts/link.md stands outside of the workspace; copy it below %s\n", dir);
	says(outside);
}

static void a_text_is_bounded(void **state)
{
	(void)state;
	cs_workspace *w;
	CS_AUTOFREE char *large = malloc(256 * 1024 + 2);
	memset(large, 'x', 256 * 1024 + 1);
	large[256 * 1024 + 1] = '\0';
	write_file("agents/editor.yaml", editor);
	write_file("prompts/editor.md", large);
	CS_AUTOFREE char *text = load(false, CS_EINVAL, &w);
	assert_non_null(strstr(text, "is larger than 262144 bytes"));
	large[256 * 1024] = '\0';
	write_file("prompts/editor.md", large);
	free(load(false, CS_OK, &w));
	cs_workspace_free(w);
}

static void names_find_what_they_name(void **state)
{
	(void)state;
	write_file("flows/lead2.yaml", "document: { dsl: '1.0.3', namespace: agency, name: lead, version: '1.10.0' }\ndo: [ { a: { set: { b: 1 } } } ]\n");
	write_file("flows/other.yaml", "document: { dsl: '1.0.3', namespace: other, name: twin, version: '1.0.0' }\ndo: [ { a: { set: { b: 1 } } } ]\n");
	write_file("flows/third.yaml", "document: { dsl: '1.0.3', namespace: third, name: twin, version: '1.0.0' }\ndo: [ { a: { set: { b: 1 } } } ]\n");
	cs_workspace *w;
	free(load(false, CS_OK, &w));
	assert_string_equal(cs_workspace_flow(w, "lead")->version, "1.10.0");
	assert_string_equal(cs_workspace_flow(w, "agency/lead")->version, "1.10.0");
	assert_string_equal(cs_workspace_flow(w, "agency/lead:1.0.0")->version, "1.0.0");
	assert_string_equal(cs_workspace_flow(w, "lead:1.0.0")->version, "1.0.0");
	assert_null(cs_workspace_flow(w, "agency/lead:9.0.0"));
	assert_null(cs_workspace_flow(w, "twin"));
	assert_string_equal(cs_workspace_flow(w, "third/twin")->ns, "third");
	assert_null(cs_workspace_flow(w, ""));
	assert_string_equal(cs_workspace_function(w, "mail.send")->connector, "mail");
	assert_string_equal(cs_workspace_function(w, "qualifier")->performer, "rules");
	assert_int_equal(cs_workspace_function(w, "ask")->kind, CS_FUNCTION_BUILTIN);
	assert_null(cs_workspace_function(w, "mail"));
	assert_true(cs_workspace_callable(w, "http"));
	char *runbook = cs_workspace_runbook(w, "late.md");
	assert_string_equal(runbook, "# Late\nCall them.\n");
	free(runbook);
	assert_null(cs_workspace_runbook(w, "../capstan.yaml"));
	assert_null(cs_workspace_runbook(w, "nobody.md"));
	cs_workspace_free(w);
}

static void one_name_in_two_places_names_both(void **state)
{
	(void)state;
	write_file("agents/zweiter.yaml", "agent: writer\nkind: rules\nrules: [ { give: 1 } ]\n");
	write_file("connectors/post.yaml", "connector: mail\nkind: http\nurl: https://x.example\noperations: { x: { request: { method: GET, path: / } } }\n");
	write_file("fixtures/zwei.yaml", "function: writer\nanswers: [ { give: 1 } ]\n");
	write_file("flows/zwei.yaml", agency[7][1]);
	write_file("policies/c.yaml", "policy: first\nrules: [ { then: deny } ]\n");
	says("agents/zweiter.yaml:1:8: error: the function 'writer' stands in agents/writer.yaml already; give one of the two another name\n"
	     "connectors/post.yaml:1:12: error: the connector 'mail' stands in connectors/mail.yaml already; give one of the two another name\n"
	     "fixtures/zwei.yaml:1:11: error: the fixture of 'writer' stands in fixtures/writer.yaml already; give one of the two another name\n"
	     "flows/zwei.yaml:1:52: error: the flow 'agency/lead:1.0.0' stands in flows/lead.yaml already; give one of the two another name\n"
	     "policies/c.yaml:1:9: error: the policy 'first' stands in policies/a.yaml already; give one of the two another name\n");
}

static void what_is_wrong_is_told_by_file_and_place(void **state)
{
	(void)state;
	write_file("capstan.yaml", "workspace: agency\nmode: lief\nmodels: { }\noperator: { timezone: Mars/Base }\nengine: { workers: 0 }\n"
				   "approvals: { escalate: [ ], remind: [ soon ] }\nflows: { led: { subject: '${ $input.x }', lane: backstreet }, lad: { on-fault: forget } }\n");
	write_file("fixtures/a.yaml", "function: writr\nanswers: [ { give: 1, fail: { type: x } } ]\n");
	write_file("fixtures/b.yaml", "function: approve\nanswers: [ { when: { a: { matches: '(' } }, give: 1, times: 0 } ]\n");
	write_file("policies/c.yaml", "policy: c\nrules:\n  - { when: { rate: 3 }, then: ask }\n  - { then: maybe }\n  - { then: deny, confirm: key, expires: soon }\n");
	write_file("flows/bad.yaml", "document: { dsl: '1.0.3', namespace: agency, name: bad, version: '1.0.0' }\ndo: [ { a: { call: mail.sent } } ]\n");
	write_file("connectors/r.yaml", "connector: r\nkind: http\nurl: https://r.example\noperations:\n"
					"  do: { reverse: { call: r.undo }, request: { method: POST, path: '/x' } }\n");
	write_file("connectors/p.yaml", "connector: p\nkind: http\nurl: https://p.example\noperations:\n"
					"  do: { effect: probe, probe: { call: p.look, found: '${ .a }' }, request: { method: POST, path: '/x' } }\n"
					"  re: { effect: probe, probe: { call: p.do, found: '${ .a }' }, request: { method: POST, path: '/x' } }\n");
	write_file("flows/misplaced.yaml", agency[1][1]);
	write_file("flows/empty.yaml", "");
	cs_workspace *w;
	char *text = load(false, CS_EINVAL, &w);
	static const char *const lines[] = {
		"capstan.yaml:2:7: error: 'mode' cannot be 'lief'; write one of: simulate, live\n",
		"capstan.yaml:3:1: error: 'models' in capstan.yaml is known, but this version does not obey it yet; remove it\n",
		"capstan.yaml:4:23: error: 'Mars/Base' is not a time zone; write one like Europe/Paris or UTC\n",
		"capstan.yaml:5:20: error: 'workers' must be between 1 and 64\n",
		"capstan.yaml:6:24: error: 'escalate' is a list of 1 to 8\n",
		"capstan.yaml:6:39: error: a reminder is a duration like PT4H, or a part of the time until the expiry like 50%, not 'soon'\n",
		"capstan.yaml:7:49: error: 'lane' cannot be 'backstreet'; write one of: interactive, background\n",
		"capstan.yaml:7:80: error: 'on-fault' cannot be 'forget'; write one of: keep, compensate\n",
		"connectors/r.yaml:5:26: error: the function 'r.undo', which takes r.do back, is not known; name an operation or an agent\n",
		"connectors/p.yaml:5:39: error: the function 'p.look', which is asked whether p.do happened, is not known; name an operation\n",
		"connectors/p.yaml:6:39: error: 'p.do' cannot be asked whether p.re happened: name an operation of 'effect: read', which changes nothing\n",
		"capstan.yaml:7:10: error: no flow in flows/ is named 'led'; did you mean 'lead'?\n",
		"capstan.yaml:7:26: error: '$input' is not known here; a subject is said by '$start', the run's input\n",
		"capstan.yaml:7:63: error: no flow in flows/ is named 'lad'",
		"fixtures/a.yaml:1:11: error: the function 'writr' is not known; did you mean 'writer'?\n",
		"fixtures/a.yaml:2:12: error: an answer has either 'give' or 'fail'\n",
		"fixtures/a.yaml:2:31: error: 'x' is not an error type; write one of configuration, ",
		"fixtures/b.yaml:1:11: error: 'approve' is answered by a person, not by a fixture\n",
		"fixtures/b.yaml:2:36: error: ",
		"fixtures/b.yaml:2:54: error: 'times' is a whole number from 1\n",
		"policies/c.yaml:3:15: error: 'rate' in 'when' is known, but this version does not obey it yet; remove it\n",
		"policies/c.yaml:4:13: error: 'then' cannot be 'maybe'; write one of: ask, deny, allow\n",
		"policies/c.yaml:5:19: error: 'confirm' says how a question is answered; it goes with 'then: ask'\n",
		"policies/c.yaml:5:42: error: 'expires' must be a date like 2027-03-01, not 'soon'\n",
		"flows/bad.yaml:2:20: error: the function 'mail.sent' is not known; did you mean 'mail.send'?\n",
		"flows/misplaced.yaml:1:1: error: this is an agent; it belongs into agents/\n",
		"flows/empty.yaml:1:1: error: the file is empty\n",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("not said: %sin\n%s", lines[i], text);
	free(text);
}

#define RUNS(name, other, version) \
	"document: { dsl: '1.0.3', namespace: agency, name: " name ", version: '1.0.0' }\n" \
	"do: [ { a: { run: { workflow: { namespace: agency, name: " other ", version: '" version "' } } } } ]\n"

static void flows_that_run_flows_find_them_and_come_to_no_end_by_themselves(void **state)
{
	(void)state;
	write_file("flows/a.yaml", RUNS("a", "b", "latest"));
	write_file("flows/b.yaml", RUNS("b", "c", "1.0.0"));
	write_file("flows/c.yaml", RUNS("c", "a", "latest"));
	write_file("flows/d.yaml", RUNS("d", "lead", "1.0.0"));
	write_file("flows/e.yaml", RUNS("e", "lead", "2.0.0"));
	write_file("flows/f.yaml", RUNS("f", "leed", "latest"));
	says("flows/a.yaml:2:31: error: to run b here leads back to a, without end; a loop is written with 'for' or 'then'\n"
	     "flows/b.yaml:2:31: error: to run c here leads back to b, without end; a loop is written with 'for' or 'then'\n"
	     "flows/c.yaml:2:31: error: to run a here leads back to c, without end; a loop is written with 'for' or 'then'\n"
	     "flows/e.yaml:2:31: error: the flow agency/lead is not here in version 2.0.0; there is 1.0.0\n"
	     "flows/f.yaml:2:31: error: there is no flow agency/leed in this workspace\n");
}

static void arguments_are_held_against_the_function_s_schema(void **state)
{
	(void)state;
	write_file("agents/qualifier.yaml", "agent: qualifier\nkind: rules\ninput: { type: object, required: [ text ], properties: { text: { type: string } } }\n"
					    "rules: [ { give: { fit: yes } } ]\n");
	write_file("flows/lead.yaml", "document: { dsl: '1.0.3', namespace: agency, name: lead, version: '1.0.0' }\ndo:\n"
				      "  - a: { call: qualifier }\n"
				      "  - b/c: { call: qualifier, with: { text: 5 } }\n"
				      "  - d: { call: qualifier, with: { txt: '${ .x }' } }\n"
				      "  - e: { call: qualifier, with: { text: '${ .x }' } }\n"
				      "  - f: { call: qualifier, with: { text: good } }\n");
	cs_workspace *w;
	char *text = load(false, CS_EINVAL, &w);
	assert_non_null(strstr(text, "flows/lead.yaml:3:8: error: qualifier does not take this: "));
	assert_non_null(strstr(text, "flows/lead.yaml:4:43: error: qualifier does not take this: "));
	assert_non_null(strstr(text, "flows/lead.yaml:5:33: error: qualifier does not take this: it needs 'text'\n"));
	assert_null(strstr(text, "lead.yaml:6"));
	assert_null(strstr(text, "lead.yaml:7"));
	free(text);
}

static void what_is_wrong_with_a_start_is_told_by_place(void **state)
{
	(void)state;
	write_file("capstan.yaml", "workspace: agency\nflows:\n  lead:\n    one-at-a-time: subject\n    concurrent: 0\n    starts:\n"
				   "      - { on: { type: a }, missed: all }\n"
				   "      - { on: { typ: a }, once: same }\n"
				   "      - { with: { a: '${ .b }' } }\n"
				   "      - { on: { type: '${ $context.x }' }, with: '${ .data | {' }\n"
				   "      - { on: { } }\n");
	cs_workspace *w;
	char *text = load(false, CS_EINVAL, &w);
	static const char *const lines[] = {
		"capstan.yaml:4:5: error: 'one-at-a-time: subject' needs 'subject', which says whose record a run is about\n",
		"capstan.yaml:5:17: error: 'concurrent' must be between 1 and 100000\n",
		"capstan.yaml:7:28: error: 'missed' is of 'cron' and 'every'; an event that came is never missed\n",
		"capstan.yaml:8:22: warning: an event has no attribute 'typ' of its own; did you mean 'type'?\n",
		"capstan.yaml:8:27: error: 'once' is the same for every event, so only the first would ever start a run; write an expression, like '${ .id }'\n",
		"capstan.yaml:9:9: error: a start needs exactly one of on, cron, every\n",
		"capstan.yaml:9:17: error: what starts by the clock has no event to look at; write 'with' out, without expressions\n",
		"capstan.yaml:10:23: error: '$context' is not known here; what is seen is the event, as '.'\n",
		"capstan.yaml:11:15: error: a filter needs at least one attribute, like 'type'; 'any: []' takes every event\n",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("not told: %s\ntold:\n%s", lines[i], text);
	free(text);
}

static void a_lenient_load_leaves_out_what_is_broken(void **state)
{
	(void)state;
	write_file("flows/bad.yaml", "document: { dsl: '1.0.3', namespace: agency, name: bad, version: '1.0.0' }\ndo: [ { a: { call: nobody } } ]\n");
	write_file("agents/bad.yaml", "agent: bad\nkind: oracle\n");
	cs_workspace *w;
	char *text = load(true, CS_OK, &w);
	assert_non_null(strstr(text, "flows/bad.yaml:2:20: error: "));
	assert_non_null(strstr(text, "agents/bad.yaml:2:7: error: "));
	free(text);
	assert_int_equal(w->n_flows, 1);
	assert_int_equal(w->n_functions, 4);
	cs_workspace_free(w);
}

static void names_that_are_not_read_are_warned_of(void **state)
{
	(void)state;
	write_file("flows/x.yml", "a: 1\n");
	cs_workspace *w;
	char *text = load(false, CS_OK, &w);
	assert_string_equal(text, "flows/x.yml: warning: only files ending in .yaml are read; rename this one\n");
	free(text);
	cs_workspace_free(w);
}

static void a_workspace_is_found_upward(void **state)
{
	(void)state;
	char *flows CS_AUTOFREE = cs_path_join(dir, "flows");
	char *found = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_workspace_find(flows, &found, &err), CS_OK);
	assert_string_equal(found, dir);
	free(found);
	found = NULL;
	assert_int_equal(cs_workspace_find("/", &found, &err), CS_ENOTFOUND);
	assert_null(found);
	assert_non_null(strstr(err.msg, "capstan init"));
	cs_workspace *w = NULL;
	cs_diags d;
	cs_diags_init(&d);
	assert_int_equal(cs_workspace_load(flows, false, &d, &w, &err), CS_ENOTFOUND);
	assert_null(w);
	cs_diags_fini(&d);
}

static int check_file(const cs_workspace *w, const char *name, size_t *ret_errors, cs_flow **flow)
{
	char *path CS_AUTOFREE = cs_path_join(dir, name);
	cs_diags d;
	cs_err err = { 0 };
	cs_diags_init(&d);
	int r = cs_workspace_check_file(w, path, &d, flow, &err);
	*ret_errors = d.errors;
	cs_diags_fini(&d);
	return r;
}

static void one_file_is_checked_by_its_kind(void **state)
{
	(void)state;
	cs_workspace *w;
	size_t errors;
	free(load(false, CS_OK, &w));
	for (size_t i = 0; i < 8; i++) {
		cs_flow *f = NULL;
		if (check_file(w, agency[i][0], &errors, &f) != CS_OK)
			fail_msg("%s", agency[i][0]);
		assert_true((f != NULL) == (i == 7));
		cs_flow_unref(f);
	}
	assert_int_equal(check_file(w, "notes.yaml", &errors, NULL), CS_EINVAL);
	assert_int_equal(check_file(NULL, "agents/writer.yaml", &errors, NULL), CS_OK);
	assert_int_equal(check_file(NULL, "fixtures/writer.yaml", &errors, NULL), CS_OK);
	assert_int_equal(check_file(NULL, "flows/lead.yaml", &errors, NULL), CS_EINVAL);
	assert_int_equal(errors, 2);
	assert_int_equal(check_file(w, "flows", &errors, NULL), CS_EINVAL);
	assert_int_equal(check_file(w, "nobody.yaml", &errors, NULL), CS_EINVAL);
	cs_workspace_free(w);
}

static void an_expression_that_jq_cannot_compile_has_its_place(void **state)
{
	(void)state;
	const char *exe = getenv("CS_TEST_CAPSTAN");
	if (!exe)
		skip();
	write_file("flows/lead.yaml", "document: { dsl: '1.0.3', namespace: agency, name: lead, version: '1.0.0' }\n"
				      "do:\n  - a: { set: { x: '${ [ .a[] | . + 1 ] }' } }\n  - b: { set: { x: '${ .a | map(. as $x) }' } }\n");
	cs_workspace *w;
	free(load(false, CS_OK, &w));
	cs_jq_pool *pool = cs_jq_pool_new(exe, 1, 5000);
	cs_diags d;
	cs_err err = { 0 };
	cs_diags_init(&d);
	if (cs_workspace_check_expressions(w, pool, &d, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.items[0].file, "flows/lead.yaml");
	assert_int_equal(d.items[0].line, 4);
	assert_int_equal(d.items[0].col, 20);
	cs_diags_fini(&d);
	cs_jq_pool_free(pool);
	cs_workspace_free(w);
}

static void loading_is_quick(void **state)
{
	(void)state;
	int64_t best = INT64_MAX;
	for (int i = 0; i < 5; i++) {
		cs_workspace *w;
		int64_t start = cs_clock_mono_ns();
		free(load(false, CS_OK, &w));
		int64_t took = cs_clock_mono_ns() - start;
		best = took < best ? took : best;
		cs_workspace_free(w);
	}
	if (sanitized())
		skip();
	print_message("loaded in %lld us\n", (long long)(best / 1000));
	assert_true(best < 20000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_workspace_is_loaded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_connector_of_an_odd_kind_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_text_stands_in_a_file_and_its_hash_is_the_role_s, setup, teardown),
		cmocka_unit_test_setup_teardown(no_text_is_read_from_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(a_text_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(names_find_what_they_name, setup, teardown),
		cmocka_unit_test_setup_teardown(one_name_in_two_places_names_both, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_told_by_file_and_place, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_with_a_start_is_told_by_place, setup, teardown),
		cmocka_unit_test_setup_teardown(flows_that_run_flows_find_them_and_come_to_no_end_by_themselves, setup, teardown),
		cmocka_unit_test_setup_teardown(arguments_are_held_against_the_function_s_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lenient_load_leaves_out_what_is_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(names_that_are_not_read_are_warned_of, setup, teardown),
		cmocka_unit_test_setup_teardown(a_workspace_is_found_upward, setup, teardown),
		cmocka_unit_test_setup_teardown(one_file_is_checked_by_its_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(an_expression_that_jq_cannot_compile_has_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(loading_is_quick, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
