/* SPDX-License-Identifier: GPL-3.0-or-later */
/* correct: what a run that rests has not used yet is changed, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/support/acts.h"
#include "view/view.h"

#define HEAD(version) "document: { dsl: '1.0.3', namespace: test, name: f, version: '" version "' }\ndo:\n"
#define FIRST "  - first: { set: { n: one } }\n"
#define MAIL(with) "  - mail: { call: mail.send, with: " with " }\n"
#define SUM "  - sum: { set: { total: '${ .n + 1 }' } }\n"

static int set_up(void **state)
{
	world *w = world_for(state, NULL);
	world_file(w, "connectors/mail.yaml", "connector: mail\nkind: http\nurl: https://mail.example.com\nmode: live\noperations:\n"
		   "  send: { effect: unsafe, input: { type: object, properties: { to: { type: string } } },\n"
		   "          request: { method: POST, path: /send, body: '${ . }' } }\n"
		   "  fail: { effect: unsafe, request: { method: POST, path: /fail, body: '${ . }' } }\n");
	return 0;
}

static char *begin(world *w, const char *flow, const char *rests)
{
	world_file(w, "flows/f.yaml", flow);
	world_start(w);
	char *run = world_run(w, "f", NULL, json_object());
	json_decref(world_await(w, run, rests));
	return run;
}

/* {cmd: correct, run, set: CHANGES} with MORE; CHANGES and MORE in single quotes. */
static json_t *request(const char *run, const char *changes, const char *more)
{
	CS_AUTOJSON json_t *set = world_json(changes);
	json_t *req = world_json(more);
	json_object_set_new(req, "cmd", json_string("correct"));
	json_object_set_new(req, "run", json_string(run));
	json_object_set(req, "set", set);
	return req;
}

static void refused(world *w, json_t *req, const char *says)
{
	CS_AUTOJSON json_t *no = world_refused(w, req);
	if (strstr(cs_json_str_or(no, "message", ""), says) == NULL)
		fail_msg("%s", cs_json_str_or(no, "message", ""));
}

static void ends(world *w, const char *run, const char *path, const char *want)
{
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	CS_AUTOJSON json_t *done = world_event(w, run, "run.completed");
	assert_string_equal(cs_json_str_or(row, "state", ""), "completed");
	CS_AUTOFREE char *have = cs_json_text(cs_json_get_path(json_object_get(done, "output"), path));
	assert_string_equal(have, want);
	world_verify(w);
}

static void test_what_comes_in_where_it_faulted_is_corrected_and_retried(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST SUM, "faulted");
	CS_AUTOJSON json_t *ok = world_ask(w, request(run, "[{'in':'input','path':'n','value':41}]", "{'why':'a number'}"));
	assert_string_equal(cs_json_str_or(ok, "state", ""), "faulted");
	assert_string_equal(cs_json_str_or(cs_json_get_path(ok, "patch.0"), "old", ""), "one");
	world_restart(w);
	world_control(w, run, "retry", NULL);
	ends(w, run, "total", "42");
	CS_AUTOJSON json_t *said = world_event(w, run, "run.corrected");
	assert_string_equal(cs_json_str_or(said, "why", ""), "a number");
	assert_string_equal(cs_json_str_or(cs_json_get_path(said, "patch.0"), "task", ""), "/do/1/sum");
	assert_string_equal(cs_json_str_or(said, "old", "-"), cs_json_str_or(said, "new", "+"));
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT actor FROM event WHERE type = 'run.corrected'");
	assert_string_equal(cs_json_str_or(json_array_get(rows, 0), "actor", ""), "operator:tester");
}

static void test_corrected_and_retried_by_one_decision(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST SUM, "faulted");
	CS_AUTOJSON json_t *dry = world_ask(w, request(run, "[{'in':'input','path':'.','value':{'n':1}}]", "{'dry':true,'retry':true}"));
	assert_int_equal(json_array_size(json_object_get(dry, "patch")), 1);
	assert_int_equal(world_count(w, run, "run.corrected"), 0);
	CS_AUTOJSON json_t *ok = world_ask(w, request(run, "[{'in':'input','path':'.','value':{'n':1}}]", "{'retry':true}"));
	assert_string_equal(cs_json_str_or(ok, "state", ""), "running");
	ends(w, run, "total", "2");
}

static void test_a_gate_with_other_content_is_void_and_asked_again(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST MAIL("{ to: a@x, text: hello }"), "waiting");
	CS_AUTOFREE char *before = world_item_of(w, run);
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'to','value':'b@x'}]", "{}")));
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'text','value':'bye'}]", "{}")));
	world_restart(w);
	CS_AUTOFREE char *after = world_item_of(w, run);
	assert_string_not_equal(before, after);
	refused(w, json_pack("{s:s, s:s, s:{s:s}}", "cmd", "decide", "item", before, "decision", "verb", "approve"), "void");
	json_decref(world_decide(w, after, json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *intent = world_event(w, run, "attempt.intent");
	assert_string_equal(cs_json_str_or(cs_json_get_path(intent, "request.body"), "to", ""), "b@x");
	assert_string_equal(cs_json_str_or(cs_json_get_path(intent, "request.body"), "text", ""), "bye");
	assert_string_equal(cs_json_str_or(intent, "approval", ""), after);
	assert_int_equal(world_count(w, run, "attempt.intent"), 1);
	world_verify(w);
}

static void test_what_was_decided_and_takes_effect_is_not_taken_away(void **state)
{
	world *w = *state;
	world_file(w, "capstan.yaml", "workspace: w\nmode: simulate\noperator: { name: tester, timezone: UTC }\napprovals: { grace: PT1H }\n");
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST MAIL("{ to: a@x }"), "waiting");
	CS_AUTOFREE char *item = world_item_of(w, run);
	json_decref(world_decide(w, item, json_pack("{s:s}", "verb", "reject")));
	refused(w, request(run, "[{'in':'with','path':'to','value':'b@x'}]", "{}"), "about to take effect");
	json_decref(world_decide(w, item, json_pack("{s:s}", "verb", "undo")));
	json_decref(world_decide(w, item, json_pack("{s:s}", "verb", "approve")));
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'to','value':'b@x'}]", "{}")));
	CS_AUTOFREE char *next = world_item_of(w, run);
	assert_string_not_equal(item, next);
	assert_int_equal(world_count(w, run, "approval.consumed"), 0);
	world_verify(w);
}

static void test_the_context_is_corrected_and_what_speaks_of_it_is_asked_anew(void **state)
{
#define TWO "  - both:\n      fork:\n        branches:\n          - one: { call: approve, with: { title: '${ $context.who }' } }\n" \
	"          - two: { call: approve, with: { title: Well? } }\n"
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") "  - first: { set: { n: 1 }, export: { as: '${ { who: \"Ann\" } }' } }\n" TWO
				      "  - end: { set: { who: '${ $context.who }' } }\n", "waiting");
	json_decref(world_ask(w, request(run, "[{'in':'context','path':'who','value':'Eve'}]", "{}")));
	world_restart(w);
	json_decref(world_await(w, run, "waiting"));
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT title, state FROM item ORDER BY title, state");
	CS_AUTOFREE char *all = cs_json_text(rows);
	assert_string_equal(all, "[{\"title\":\"Ann\",\"state\":\"void\"},{\"title\":\"Eve\",\"state\":\"pending\"},{\"title\":\"Well?\",\"state\":\"pending\"}]");
	CS_AUTOJSON json_t *left = world_rows(w, "SELECT id FROM item WHERE state = 'pending'");
	for (size_t i = 0; i < 2; i++)
		json_decref(world_decide(w, cs_json_str(json_array_get(left, i), "id"), json_pack("{s:s}", "verb", "approve")));
	ends(w, run, "who", "\"Eve\"");
	CS_AUTOJSON json_t *old = world_rows(w, "SELECT state FROM task WHERE ref LIKE '%/one' AND occurrence = 1");
	assert_string_equal(cs_json_str_or(json_array_get(old, 0), "state", ""), "cancelled");
#undef TWO
}

static int64_t last_seq(world *w)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT max(seq) AS n FROM event");
	return cs_json_int_or(json_array_get(rows, 0), "n", 0);
}

static void test_what_is_done_or_at_work_is_not_corrected(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST MAIL("{ to: a@x }"), "waiting");
	static const struct {
		const char *changes, *more, *says;
	} rows[] = {
		{ "[{'in':'input','path':'n','value':2}]", "{'from':'first'}", "the run rests at mail" },
		{ "[{'in':'input','path':'n','value':2}]", "{'from':'nowhere'}", "the run rests at mail" },
		{ "[{'in':'output','path':'n','value':2}]", "{}", "a change is" },
		{ "[{'in':'with','path':'to.name','value':2}]", "{}", "" },
		{ "[]", "{}", "nothing would be changed" },
		{ "[{'in':'with','path':'to','value':'b@x'}]", "{'retry':true}", "illegal-transition" },
	};
	int64_t before = last_seq(w);
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++)
		refused(w, request(run, rows[i].changes, rows[i].more), rows[i].says);
	assert_int_equal(last_seq(w), before);
	CS_AUTOFREE char *item = world_item_of(w, run);
	json_decref(world_decide(w, item, json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "completed"));
	refused(w, request(run, "[{'in':'context','path':'n','value':2}]", "{}"), "illegal-transition");
	world_verify(w);
}

/* The definition and the data in one; the log has both hashes. */
static void test_the_flow_is_corrected_by_a_file_of_its_own(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST SUM, "faulted");
	json_t *req = request(run, "[{'in':'input','path':'n','value':2}]", "{'retry':true}");
	json_object_set_new(req, "definition", world_json("{'document':{'dsl':'1.0.3','namespace':'test','name':'f','version':'1.0.1'},'do':["
		"{'first':{'set':{'n':'one'}}},{'sum':{'set':{'total':'${ .n * 10 }'}}}]}"));
	json_decref(world_ask(w, req));
	ends(w, run, "total", "20");
	CS_AUTOJSON json_t *said = world_event(w, run, "run.corrected");
	CS_AUTOJSON json_t *row = world_await(w, run, "completed");
	assert_string_not_equal(cs_json_str_or(said, "old", ""), cs_json_str_or(said, "new", ""));
	assert_string_equal(cs_json_str_or(row, "definition", ""), cs_json_str_or(said, "new", ""));
	assert_string_equal(cs_json_str_or(row, "version", ""), "1.0.1");

	CS_AUTOFREE char *other = world_run(w, "f", NULL, json_object());
	json_decref(world_await(w, other, "faulted"));
	req = request(other, "[]", "{}");
	json_object_set_new(req, "definition", world_json("{'document':{'dsl':'1.0.3','namespace':'test','name':'f','version':'1.0.1'},'do':["
		"{'first':{'set':{'n':2}}},{'sum':{'set':{'total':'${ .n }'}}}]}"));
	refused(w, req, "the task first (/do/0/first) stands in the way");
	req = request(other, "[]", "{}");
	json_object_set_new(req, "definition", world_json("{'document':{'dsl':'1.0.3','namespace':'test','name':'g','version':'1.0.1'},'do':["
		"{'first':{'set':{'n':'one'}}}]}"));
	refused(w, req, "the run is of the flow");
}

/* It stays while its task is not done, over another fault; the next round of a loop knows nothing of it. */
static void test_a_correction_stays_until_its_task_is_done(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") "  - each:\n      for: { in: '${ [1, 2] }' }\n      do:\n"
		"        - what: { set: { a: x, b: x } }\n        - sum: { set: { total: '${ .a + .b + 1 }' } }\n", "faulted");
	json_decref(world_ask(w, request(run, "[{'in':'input','path':'a','value':1}]", "{'retry':true}")));
	for (int i = 0; i < 500 && world_count(w, run, "run.faulted") < 2; i++, usleep(10000))
		;
	assert_int_equal(world_count(w, run, "run.faulted"), 2);     /* x is no number in b either */
	world_restart(w);
	json_decref(world_ask(w, request(run, "[{'in':'input','path':'b','value':2}]", "{'retry':true}")));
	for (int i = 0; i < 500 && world_count(w, run, "run.faulted") < 3; i++, usleep(10000))
		;
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT data FROM event WHERE type = 'task.completed' AND task LIKE '%/sum'");
	assert_int_equal(json_array_size(rows), 1);
	assert_non_null(strstr(cs_json_str_or(json_array_get(rows, 0), "data", ""), "\"total\":4"));
	assert_int_equal(world_count(w, run, "run.faulted"), 3);     /* the second round is not corrected */
	json_decref(world_ask(w, request(run, "[{'in':'input','path':'.','value':{'a':1,'b':1}}]", "{'retry':true}")));
	ends(w, run, "total", "3");
}

static void test_what_the_operator_wrote_is_clean_and_the_rest_is_not(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") "  - hear: { listen: { to: { one: { with: { type: a } } } } }\n"
				      MAIL("{ to: '${ .[0].to }', text: '${ .[0].text }' }"), "waiting");
	json_decref(world_ask(w, world_json("{'cmd':'emit','tainted':true,'event':{'type':'a','data':{'to':'evil@x','text':'t'}}}")));
	CS_AUTOFREE char *before = world_item_of(w, run);
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'to','value':'b@x'}]", "{}")));
	CS_AUTOFREE char *after = world_item_of(w, run);
	assert_string_not_equal(before, after);
	CS_AUTOJSON json_t *published = world_event(w, run, "approval.published");
	CS_AUTOFREE char *taint = cs_json_text(json_object_get(published, "taint"));
	assert_string_equal(taint, "[\"text\"]");
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'.','value':{'to':'b@x'}}]", "{}")));
	CS_AUTOFREE char *last = world_item_of(w, run);
	CS_AUTOJSON json_t *clean = world_event(w, run, "approval.published");
	assert_string_equal(cs_json_str_or(clean, "item", ""), last);
	assert_null(json_object_get(clean, "taint"));
	world_verify(w);
}

/* Where branches rest side by side it is said which one is meant. */
static void test_of_several_tasks_where_it_rests_one_is_named(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") "  - both:\n      fork:\n        branches:\n          - one: { call: mail.send, with: { to: a@x } }\n"
				      "          - two: { call: mail.send, with: { to: b@x } }\n", "waiting");
	refused(w, request(run, "[{'in':'with','path':'to','value':'c@x'}]", "{}"), "say with --from TASK which one is meant");
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'to','value':'c@x'}]", "{'from':'two'}")));
	world_restart(w);
	json_decref(world_await(w, run, "waiting"));
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT task, state FROM item ORDER BY task, state");
	CS_AUTOFREE char *all = cs_json_text(rows);
	assert_string_equal(all, "[{\"task\":\"/do/0/both/fork/branches/0/one\",\"state\":\"pending\"},"
				 "{\"task\":\"/do/0/both/fork/branches/1/two\",\"state\":\"pending\"},"
				 "{\"task\":\"/do/0/both/fork/branches/1/two\",\"state\":\"void\"}]");
	CS_AUTOJSON json_t *look = world_ask(w, json_pack("{s:s, s:s, s:b}", "cmd", "correct", "run", run, "look", 1));
	assert_int_equal(json_array_size(json_object_get(look, "places")), 2);
	assert_string_equal(cs_json_str_or(cs_json_get_path(look, "places.1.with"), "to", ""), "c@x");
	world_verify(w);
}

#define INNER(schema, body) "document: { dsl: '1.0.3', namespace: test, name: inner, version: '1.0.0' }\n" schema "do: [ { sum: { set: { total: '" body "' } } } ]\n"
#define OUTER HEAD("1.0.0") FIRST "  - go: { run: { workflow: { namespace: test, name: inner, version: '1.0.0', input: { n: '${ .n }' } } } }\n"

/* A run that was never let in is begun anew with what was corrected; one that is there is corrected itself. */
static void test_what_a_run_is_started_with_is_corrected_where_none_goes_on(void **state)
{
	world *w = *state;
	world_file(w, "flows/inner.yaml", INNER("input: { schema: { document: { type: object, properties: { n: { type: integer } } } } }\n", "${ .n + 1 }"));
	CS_AUTOFREE char *run = begin(w, OUTER, "faulted");
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'n','value':41}]", "{'retry':true}")));
	ends(w, run, "total", "42");

	world_file(w, "flows/inner.yaml", INNER("", "${ .n + 1 }"));
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	CS_AUTOFREE char *other = world_run(w, "f", NULL, json_object());
	json_decref(world_await(w, other, "faulted"));
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id FROM run WHERE parent = '%s'", other);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	const char *child = cs_json_str_or(json_array_get(rows, 0), "id", "");
	refused(w, request(other, "[{'in':'with','path':'n','value':1}]", "{}"), child);
	json_decref(world_ask(w, request(child, "[{'in':'input','path':'n','value':1}]", "{}")));
	world_restart(w);
	world_control(w, other, "retry", NULL);
	ends(w, other, "total", "2");
}

/* What REQ makes, a replay of RUN that comes to STATE. */
static char *replayed(world *w, json_t *req, const char *run, const char *state)
{
	CS_AUTOJSON json_t *ok = world_ask(w, req);
	CS_AUTOFREE char *id = cs_xstrdup(cs_json_str_or(ok, "run", ""));
	CS_AUTOJSON json_t *row = world_await(w, id, "completed faulted waiting");
	assert_string_not_equal(id, run);
	assert_string_equal(cs_json_str_or(row, "state", ""), state);
	return CS_STEAL(id);
}

static json_t *plain_replay(const char *run)
{
	return json_pack("{s:s, s:s}", "cmd", "replay", "run", run);
}

/* Not one step of the two differs. */
static void nothing_differs(world *w, const char *old, const char *new, int steps)
{
	cs_err err = { 0 };
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOFREE char *dir = cs_path_join(w->dir, ".capstan");
	cs_reader *r = NULL;
	assert_int_equal(cs_reader_open(dir, &r, &err), CS_OK);
	assert_int_equal(cs_view_diff(r, old, new, &rows, &err), CS_OK);
	cs_reader_close(r);
	const json_t *sum = json_object_get(json_array_get(rows, json_array_size(rows) - 1), "summary"), *n = json_object_get(sum, "steps");
	assert_int_equal(cs_json_int_or(n, "same", -1), steps);
	assert_int_equal(cs_json_int_or(n, "changed", -1), 0);
	assert_int_equal(cs_json_int_or(n, "added", -1), 0);
	assert_int_equal(cs_json_int_or(n, "removed", -1), 0);
	assert_string_equal(cs_json_str_or(sum, "output", ""), "same");
}

static void test_a_replay_takes_over_what_was_corrected(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST SUM, "faulted");
	json_decref(world_ask(w, request(run, "[{'in':'input','path':'n','value':'two'}]", "{'retry':true}")));
	json_decref(world_await(w, run, "faulted"));
	json_decref(world_ask(w, request(run, "[{'in':'input','path':'n','value':41}]", "{'retry':true}")));
	ends(w, run, "total", "42");
	CS_AUTOFREE char *again = replayed(w, plain_replay(run), run, "completed");
	ends(w, again, "total", "42");
	nothing_differs(w, run, again, 2);
	CS_AUTOFREE char *third = replayed(w, plain_replay(again), again, "completed");
	ends(w, third, "total", "42");
	nothing_differs(w, again, third, 2);
	CS_AUTOFREE char *set = replayed(w, json_pack("{s:s, s:s, s:s, s:[{s:s, s:i}]}", "cmd", "replay", "run", run, "from", "sum", "set",
						      "path", "n", "value", 6), run, "completed");
	ends(w, set, "total", "7");
}

static void test_a_replay_asks_for_what_a_correction_had_asked_for(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST MAIL("{ to: a@x, text: hello }"), "waiting");
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'to','value':'b@x'}]", "{}")));
	CS_AUTOFREE char *item = world_item_of(w, run);
	json_decref(world_decide(w, item, json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "completed"));
	CS_AUTOFREE char *again = replayed(w, plain_replay(run), run, "completed");
	assert_int_equal(world_count(w, again, "attempt.reused"), 1);
	assert_int_equal(world_count(w, again, "attempt.captured"), 0);
	nothing_differs(w, run, again, 2);
	world_verify(w);
}

static void test_a_replay_has_the_corrected_context_also_after_a_restart(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") "  - first: { set: { n: 1 }, export: { as: '${ { who: \"Ann\" } }' } }\n"
				      "  - gate: { call: approve, with: { title: '${ $context.who }' } }\n"
				      "  - end: { set: { who: '${ $context.who }' } }\n", "waiting");
	json_decref(world_ask(w, request(run, "[{'in':'context','path':'who','value':'Bea'}]", "{}")));
	CS_AUTOFREE char *item = world_item_of(w, run);
	json_decref(world_decide(w, item, json_pack("{s:s}", "verb", "approve")));
	ends(w, run, "who", "\"Bea\"");
	CS_AUTOFREE char *again = replayed(w, plain_replay(run), run, "completed");
	nothing_differs(w, run, again, 3);
	CS_AUTOFREE char *asks = replayed(w, json_pack("{s:s, s:s, s:b}", "cmd", "replay", "run", run, "ask", 1), run, "waiting");
	world_restart(w);
	CS_AUTOFREE char *mine = world_item_of(w, asks);
	json_decref(world_decide(w, mine, json_pack("{s:s}", "verb", "approve")));
	ends(w, asks, "who", "\"Bea\"");
	assert_int_equal(world_count(w, asks, "task.corrected"), 1);
}

/* What was shown is what is decided: not what came to stand in its place. */
static void test_what_is_decided_of_a_run_that_has_moved_since_is_refused(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST SUM, "faulted");
	CS_AUTOJSON json_t *look = world_ask(w, json_pack("{s:s, s:s, s:b}", "cmd", "correct", "run", run, "look", 1));
	json_int_t seen = cs_json_int_or(look, "seen", 0);
	assert_true(seen > 0);
	json_decref(world_ask(w, request(run, "[{'in':'input','path':'n','value':'two'}]", "{'retry':true}")));
	json_decref(world_await(w, run, "faulted"));
	world_settle(w);
	int64_t events = world_number(w, "SELECT max(seq) AS n FROM event");
	json_t *late = request(run, "[{'in':'input','path':'n','value':1}]", "{'retry':true}"), *dry = request(run, "[{'in':'input','path':'n','value':1}]", "{'dry':true}");
	json_object_set_new(late, "seen", json_integer(seen));
	json_object_set_new(dry, "seen", json_integer(seen));
	refused(w, late, "illegal-transition: stale: ");
	refused(w, dry, "illegal-transition: stale: ");
	refused(w, json_pack("{s:s, s:s, s:s, s:I}", "cmd", "control", "run", run, "verb", "retry", "seen", seen),
		"run.corrected by operator:tester, run.retried by operator:tester, run.faulted by engine; it is faulted now");
	refused(w, json_pack("{s:s, s:s, s:s}", "cmd", "adopt", "run", run, "seen", "7"), "stale");
	assert_int_equal(world_number(w, "SELECT max(seq) AS n FROM event"), events);
	world_restart(w);
	CS_AUTOJSON json_t *again = world_ask(w, json_pack("{s:s, s:s, s:b}", "cmd", "correct", "run", run, "look", 1));
	json_t *now = request(run, "[{'in':'input','path':'n','value':41}]", "{'retry':true}");
	json_object_set(now, "seen", json_object_get(again, "seen"));
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT last_seq AS n FROM run WHERE id = '%s'", run);
	assert_int_equal(world_number(w, sql), cs_json_int_or(again, "seen", 0));     /* what is read without the engine is the same */
	json_decref(world_ask(w, now));
	ends(w, run, "total", "42");
}

static void test_a_built_in_is_corrected_with_what_it_can_say_alone(void **state)
{
	world *w = *state;
	static const struct { const char *change, *says; } bad[] = {
		{ "[{'in':'with','path':'title','value':5}]", "'title' must be a text" },
		{ "[{'in':'with','path':'title','value':null}]", "'title' must be a text" },
		{ "[{'in':'with','path':'allow','value':['zz']}]", "zz" },
		{ "[{'in':'with','path':'allow','value':5}]", "'allow' must be a list" },
		{ "[{'in':'with','path':'remind','value':5}]", "'remind' must be a list" },
		{ "[{'in':'with','path':'.','value':{}}]", "needs 'title'" },
		{ "[{'in':'with','path':'titel','value':'x'}]", "did you mean 'title'" },
	};
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST "  - gate: { call: approve, with: { title: 'go on?' } }\n", "waiting");
	CS_AUTOFREE char *item = world_item_of(w, run);
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++)
		refused(w, request(run, bad[i].change, "{}"), bad[i].says);
	assert_int_equal(world_count(w, run, "run.corrected") + world_count(w, run, "approval.voided"), 0);
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'title','value':'really?'}]", "{}")));
	CS_AUTOFREE char *after = world_item_of(w, run);
	assert_string_not_equal(item, after);
	json_decref(world_decide(w, after, json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "completed"));
}

/* The title of one run's gate is no text: that run faults and can be corrected, and the workspace goes on. */
static void test_a_title_that_is_no_text_ends_its_run_alone(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST "  - gate: { call: approve, with: { title: '${ { a: .n } }' } }\n", "faulted");
	refused(w, request(run, "[{'in':'with','path':'title','value':5}]", "{}"), "'title' must be a text");
	refused(w, request(run, "[{'in':'with','path':'allow','value':['zz']}]", "{}"), "zz");
	assert_int_equal(world_count(w, run, "run.corrected") + world_count(w, run, "approval.published"), 0);
	world_restart(w);
	json_decref(world_ask(w, request(run, "[{'in':'with','path':'title','value':'go on?'}]", "{'retry':true}")));
	json_decref(world_await(w, run, "waiting"));
	CS_AUTOFREE char *item = world_item_of(w, run);
	json_decref(world_decide(w, item, json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "completed"));
	world_verify(w);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		T(test_what_comes_in_where_it_faulted_is_corrected_and_retried),
		T(test_corrected_and_retried_by_one_decision),
		T(test_a_gate_with_other_content_is_void_and_asked_again),
		T(test_what_was_decided_and_takes_effect_is_not_taken_away),
		T(test_the_context_is_corrected_and_what_speaks_of_it_is_asked_anew),
		T(test_what_is_done_or_at_work_is_not_corrected),
		T(test_the_flow_is_corrected_by_a_file_of_its_own),
		T(test_a_correction_stays_until_its_task_is_done),
		T(test_what_the_operator_wrote_is_clean_and_the_rest_is_not),
		T(test_of_several_tasks_where_it_rests_one_is_named),
		T(test_what_a_run_is_started_with_is_corrected_where_none_goes_on),
		T(test_a_replay_takes_over_what_was_corrected),
		T(test_a_replay_asks_for_what_a_correction_had_asked_for),
		T(test_a_replay_has_the_corrected_context_also_after_a_restart),
		T(test_what_is_decided_of_a_run_that_has_moved_since_is_refused),
		T(test_a_built_in_is_corrected_with_what_it_can_say_alone),
		T(test_a_title_that_is_no_text_ends_its_run_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
