/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A flow from its document to its output on the real engine, with what goes wrong on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "tests/support/acts.h"

#define FLOW(body) "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'do':[" body "]}"

static int set_up(void **state)
{
	world *w = world_for(state, NULL);
	world_file(w, "agents/sorter.yaml",
		   "agent: sorter\nversion: 1.0.0\npurpose: Sorts.\nkind: rules\n"
		   "rules: [ { field: .subject, matches: '(?i)invoice', give: { label: billing } }, { give: { label: other } } ]\n");
	world_file(w, "connectors/mail.yaml",
		   "connector: mail\nkind: http\nurl: https://mail.example.com\nidentity: me@example.com\nmode: live\noperations:\n"
		   "  send:\n    effect: unsafe\n    touches: [ message ]\n"
		   "    input: { type: object, required: [ to, text ], properties: { to: { type: string }, text: { type: string } } }\n"
		   "    card: '${ \"To \\(.to)\" }'\n    request: { method: POST, path: /send, as: json, body: '${ . }' }\n    reverse: none\n");
	return 0;
}

static json_t *outcome(world *w, const char *flow, const char *input, const char *words)
{
	CS_AUTOJSON json_t *doc = world_json(flow);
	CS_AUTOFREE char *run = world_run(w, NULL, doc, world_json(input));
	CS_AUTOJSON json_t *row = world_await(w, run, words);
	json_t *data = world_event(w, run, strcmp(cs_json_str(row, "state"), "completed") == 0 ? "run.completed" : "run.faulted");
	return data;
}

static void assert_output(world *w, const char *flow, const char *input, const char *output)
{
	CS_AUTOJSON json_t *data = outcome(w, flow, input, "completed faulted");
	CS_AUTOJSON json_t *want = world_json(output);
	CS_AUTOFREE char *text = cs_json_text(data);
	if (!cs_json_equal(json_object_get(data, "output"), want))
		fail_msg("ended with %s", text);
}

static void test_sets_run_in_order(void **state)
{
	world_start(*state);
	assert_output(*state, FLOW("{'a':{'set':{'n':'${ .n + 1 }'}}},{'b':{'set':{'n':'${ .n + 1 }','was':'${ $start.n }'}}}"), "{'n':1}", "{'n':3,'was':1}");
	world_verify(*state);
}

static void test_jq_is_asked_of_a_child(void **state)
{
	world_start(*state);
	assert_output(*state, FLOW("{'a':{'set':{'n':'${ [.l[] | . * 2] | add }'}}}"), "{'l':[1,2,3]}", "{'n':12}");
	world_verify(*state);
}

static void test_a_deadly_expression_faults_its_task_only(void **state)
{
	world_start(*state);
	static const char *const deadly[] = { "nan|todate", "[range(1e12)]|last", "input", "env", "env.PATH", "$ENV", "\\\"a\\\"|indices(\\\"\\\")" };
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
		CS_AUTOFREE char *flow = cs_xasprintf(FLOW("{'a':{'set':{'n':'${ %s }'}}}"), deadly[i]);
		CS_AUTOJSON json_t *data = outcome(*state, flow, "{}", "completed faulted");
		const char *type = cs_json_str(json_object_get(data, "error"), "type");
		if (type == NULL || strstr(type, "/expression") == NULL)
			fail_msg("%s: %s", deadly[i], type);
	}
	assert_output(*state, FLOW("{'a':{'set':{'n':'${ [1,2] | length }'}}}"), "{}", "{'n':2}");
}

static void test_composites(void **state)
{
	world_start(*state);
	assert_output(*state, FLOW("{'f':{'for':{'each':'x','in':'${ .l }'},'do':[{'s':{'set':{'sum':'${ (.sum // 0) + $x }','l':'${ .l }'}}}]}}"),
		      "{'l':[1,2,3]}", "{'sum':6,'l':[1,2,3]}");
	assert_output(*state, FLOW("{'f':{'fork':{'branches':[{'a':{'set':{'v':1}}},{'b':{'set':{'v':2}}}]}}}"), "{}", "[{'v':1},{'v':2}]");
	assert_output(*state, FLOW("{'s':{'switch':[{'x':{'when':'.n > 1','then':'big'}},{'y':{'then':'small'}}]}},{'small':{'set':{'r':'small'},'then':'end'}},{'big':{'set':{'r':'big'}}}"),
		      "{'n':5}", "{'r':'big'}");
	assert_output(*state, FLOW("{'o':{'do':[{'a':{'set':{'v':1}}},{'b':{'if':'.v > 1','set':{'v':9}}}]}},{'c':{'set':{'got':'${ $tasks.a.v }'}}}"), "{}", "{'got':1}");
	world_verify(*state);
}

static void test_try_catches_what_it_names(void **state)
{
	world_start(*state);
	assert_output(*state, FLOW("{'t':{'try':[{'r':{'raise':{'error':{'type':'https://x.example/e','status':409,'title':'No'}}}}],'catch':{'errors':{'with':{'status':409}},'as':'e','do':[{'h':{'set':{'title':'${ $e.title }','at':'${ $e.instance }'}}}]}}}"),
		      "{}", "{'title':'No','at':'/do/0/t/try/0/r'}");
	CS_AUTOJSON json_t *data = outcome(*state, FLOW("{'t':{'try':[{'r':{'raise':{'error':{'type':'https://x.example/e','status':409,'title':'No'}}}}],'catch':{'errors':{'with':{'status':404}}}}}"), "{}", "completed faulted");
	assert_int_equal(cs_json_int_or(json_object_get(data, "error"), "status", 0), 409);
	world_verify(*state);
}

static void test_rules_agent_answers(void **state)
{
	world_start(*state);
	assert_output(*state, FLOW("{'a':{'call':'sorter','with':{'subject':'${ .s }'}}}"), "{'s':'Your Invoice'}", "{'label':'billing'}");
}

static void test_gate_asks_and_sends_what_was_approved(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'m':{'call':'mail.send','with':{'to':'${ $start.to }','text':'hi'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, world_json("{'to':'a@b.example'}"));
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_await(w, run, "waiting"));
	assert_int_equal(world_count(w, run, "attempt.intent"), 0);
	json_decref(world_refused(w, json_pack("{s:s, s:O, s:{s:s, s:s}}", "cmd", "decide", "item", json_object_get(item, "id"),
							      "decision", "verb", "approve", "digest", "0000")));
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:O}", "verb", "approve", "digest", json_object_get(item, "digest"))));
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *intent = world_event(w, run, "attempt.intent");
	assert_string_equal(cs_json_str(intent, "digest"), cs_json_str(item, "digest"));
	assert_string_equal(cs_json_str(intent, "approval"), cs_json_str(item, "id"));
	assert_int_equal(world_count(w, run, "approval.consumed"), 1);
	world_verify(w);
}

static void test_rejected_gate_is_authorization_403(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'t':{'try':[{'m':{'call':'mail.send','with':{'to':'x','text':'hi'}}}],'catch':{'errors':{'with':{'status':403}},'as':'e','do':[{'h':{'set':{'caught':'${ $e.type }'}}}]}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, NULL);
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:s}", "verb", "reject", "note", "not now")));
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	assert_string_equal(cs_json_str(row, "state"), "completed");
	assert_int_equal(world_count(w, run, "attempt.intent"), 0);
	world_verify(w);
}

static void test_edit_sends_the_edited_content_only(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'m':{'call':'mail.send','with':{'to':'x','text':'hi'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, NULL);
	CS_AUTOJSON json_t *item = world_item(w);
	CS_AUTOJSON json_t *ok = world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:{s:s, s:s}}", "verb", "edit", "value", "to", "x", "text", "better"));
	CS_AUTOJSON json_t *next = world_item(w);
	assert_string_equal(cs_json_str(next, "id"), cs_json_str(ok, "next"));
	assert_string_not_equal(cs_json_str(next, "digest"), cs_json_str(item, "digest"));
	json_decref(world_decide(w, cs_json_str(next, "id"), json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *intent = world_event(w, run, "attempt.intent");
	assert_string_equal(json_string_value(cs_json_get_path(intent, "request.body.text")), "better");
	assert_int_equal(world_count(w, run, "attempt.intent"), 1);
	world_verify(w);
}

static void test_a_restart_goes_on_where_it_was(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'a':{'set':{'v':1}}},{'q':{'call':'approve','with':{'title':'Go on?','show':'${ . }'}}},{'b':{'set':{'d':'${ .decision }','by':'${ .by }','v':'${ $tasks.a.v }'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, NULL);
	CS_AUTOJSON json_t *item = world_item(w);
	world_stop(w);
	world_start(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *end = world_event(w, run, "run.completed");
	CS_AUTOJSON json_t *want = world_json("{'d':'accepted','by':'operator:tester','v':1}");
	assert_true(cs_json_equal(json_object_get(end, "output"), want));
	world_verify(w);
}

/* Of another class it would be sent again by itself after a crash, and no rule would be asked. */
static void test_a_gate_that_outlives_its_engine_keeps_its_class_and_rule(void **state)
{
	world *w = *state;
	world_file(w, "policies/p.yaml", "policy: p\nrules: [ { name: mails, when: { call: mail.send }, then: ask } ]\n");
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'m':{'call':'mail.send','with':{'to':'a','text':'hi'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, NULL);
	CS_AUTOJSON json_t *item = world_item(w);
	world_stop(w);
	world_start(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:O}", "verb", "approve", "digest", json_object_get(item, "digest"))));
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *intent = world_event(w, run, "attempt.intent");
	assert_string_equal(cs_json_str(intent, "class"), "unsafe");
	assert_string_equal(cs_json_str(intent, "rule"), "policy p/mails");
	world_verify(w);
}

static void test_a_rule_that_wants_a_word_is_not_approved_without(void **state)
{
	world *w = *state;
	world_file(w, "policies/p.yaml", "policy: p\nrules: [ { when: { call: mail.send }, then: ask, confirm: word } ]\n");
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'m':{'call':'mail.send','with':{'to':'a','text':'hi'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, NULL);
	CS_AUTOJSON json_t *item = world_item(w);
	static const char *const wrong[] = { "", "word", "approve " };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		json_decref(world_refused(w, json_pack("{s:s, s:O, s:{s:s, s:s}}", "cmd", "decide", "item", json_object_get(item, "id"),
						       "decision", "verb", "approve", "word", wrong[i])));
	assert_int_equal(world_count(w, run, "attempt.intent"), 0);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:s}", "verb", "approve", "word", cs_json_str(item, "confirm"))));
	json_decref(world_await(w, run, "completed"));
}

static void test_replay_sends_nothing_and_reuses_what_is_unchanged(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'m':{'call':'mail.send','with':{'to':'${ $start.to }','text':'hi'}}},{'s':{'set':{'to':'${ $start.to }'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, world_json("{'to':'a'}"));
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *same = world_ask(w, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
	json_decref(world_await(w, cs_json_str(same, "run"), "completed"));
	assert_int_equal(world_count(w, cs_json_str(same, "run"), "attempt.reused"), 1);
	assert_int_equal(world_count(w, cs_json_str(same, "run"), "attempt.intent"), 0);
	world_verify(w);
}

static void test_a_replay_puts_no_notice_into_the_inbox(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'n':{'call':'notify','with':{'title':'Filed','action':'nothing'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, NULL);
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *same = world_ask(w, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
	json_decref(world_await(w, cs_json_str(same, "run"), "completed"));
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT id FROM item");
	assert_int_equal(json_array_size(rows), 1);
	world_verify(w);
}

static void test_replay_with_a_changed_input_captures(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'m':{'call':'mail.send','with':{'to':'${ $start.to }','text':'hi'}}},{'s':{'set':{'to':'${ $start.to }'}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, world_json("{'to':'a'}"));
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *req = json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "cmd", "replay", "run", run, "set", "path", "to", "value", "b");
	CS_AUTOJSON json_t *ok = world_ask(w, json_incref(req));
	CS_AUTOJSON json_t *row = world_await(w, cs_json_str(ok, "run"), "completed faulted");
	assert_string_equal(cs_json_str(row, "state"), "completed");
	assert_int_equal(world_count(w, cs_json_str(ok, "run"), "attempt.captured"), 1);
	CS_AUTOJSON json_t *end = world_event(w, cs_json_str(ok, "run"), "run.completed");
	CS_AUTOJSON json_t *want = world_json("{'to':'b'}");
	assert_true(cs_json_equal(json_object_get(end, "output"), want));
	world_verify(w);
}

static void test_waits_and_timeouts(void **state)
{
	world *w = *state;
	world_start(w);
	assert_output(w, FLOW("{'a':{'wait':'PT0.05S'}},{'b':{'wait':{'milliseconds':20}}},{'c':{'set':{'n':'${ .n }'}}}"), "{'n':1}", "{'n':1}");
	assert_output(w, FLOW("{'t':{'try':[{'q':{'call':'approve','with':{'title':'?'},'timeout':{'after':'PT0.1S'}}}],'catch':{'errors':{'with':{'status':408}},'as':'e','do':[{'h':{'set':{'type':'${ $e.type }'}}}]}}}"),
		      "{}", "{'type':'https://open-workflow-specification.org/spec/1.0.0/errors/timeout'}");
	assert_output(w, FLOW("{'t':{'try':[{'d':{'do':[{'w':{'wait':'PT1H'}}],'timeout':{'after':'PT0.1S'}}}],'catch':{'errors':{'with':{'status':408}},'do':[{'h':{'set':{'late':true}}}]}}}"),
		      "{}", "{'late':true}");
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT state, count(*) AS n FROM timer GROUP BY state ORDER BY state");
	assert_string_equal(cs_json_str(json_array_get(rows, 0), "state"), "cancelled");
	assert_int_equal(cs_json_int_or(json_array_get(rows, 1), "n", 0), 2);
	CS_AUTOJSON json_t *doc = world_json("{'document':{'dsl':'1.0.3','namespace':'t','name':'t','version':'1.0.0'},'timeout':{'after':'PT0.1S'},'do':[{'w':{'wait':'PT1H'}}]}");
	CS_AUTOFREE char *run = world_run(w, NULL, doc, NULL);
	json_decref(world_await(w, run, "faulted"));
	world_verify(w);
}

static void test_a_wait_goes_on_after_a_restart(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'a':{'wait':'PT0.3S'}},{'c':{'set':{'x':1}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, NULL);
	json_decref(world_await(w, run, "waiting"));
	world_stop(w);
	world_start(w);
	json_decref(world_await(w, run, "completed"));
	assert_int_equal(world_count(w, run, "timer.fired"), 1);
	world_verify(w);
}

/* Whatever ends a run in a fault, the operator hears of it: at its door, inside, or at its way out. */
static void test_every_fault_is_in_the_inbox(void **state)
{
	static const char *const flows[] = {
		"{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'input':{'schema':{'document':{'type':'object','required':['n']}}},'do':[{'a':{'set':{'x':1}}}]}",
		"{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'input':{'from':'${ {} + 1 }'},'do':[{'a':{'set':{'x':1}}}]}",
		FLOW("{'a':{'set':{'x':'${ {} + 1 }'}}}"),
		"{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'output':{'as':'${ {} + 1 }'},'do':[{'a':{'set':{'x':1}}}]}",
		"{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'output':{'schema':{'document':{'type':'string'}}},'do':[{'a':{'set':{'x':1}}}]}",
	};
	world *w = *state;
	world_start(w);
	for (size_t i = 0; i < sizeof flows / sizeof *flows; i++) {
		json_decref(outcome(w, flows[i], "{}", "faulted"));
		CS_AUTOJSON json_t *item = world_item(w);
		assert_string_equal(cs_json_str(item, "kind"), "fault");
		json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "dismiss")));
		CS_AUTOJSON json_t *rows = world_rows(w, "SELECT id FROM item WHERE state = 'open'");
		assert_int_equal(json_array_size(rows), 0);
	}
	world_verify(w);
}

static void test_pause_resume_cancel_retry(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *doc = world_json(FLOW("{'q':{'call':'approve','with':{'title':'Go on?'}}},{'b':{'set':{'x':1}}}"));
	CS_AUTOFREE char *run = world_run(w, NULL, doc, NULL);
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "pause")));
	json_decref(world_await(w, run, "paused"));
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(w, run, "paused"));
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "resume")));
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *no = world_refused(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "pause"));
	assert_non_null(strstr(cs_json_str(no, "message"), "illegal-transition"));

	CS_AUTOFREE char *other = world_run(w, NULL, doc, NULL);
	json_decref(world_await(w, other, "waiting"));
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", other, "verb", "cancel")));
	json_decref(world_await(w, other, "cancelled"));
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT state FROM item ORDER BY published_seq DESC");
	assert_string_equal(cs_json_str(json_array_get(rows, 0), "state"), "withdrawn");
	world_verify(w);
}

static bool is_there(const world *w, const char *name)
{
	CS_AUTOFREE char *path = cs_path_join(w->dir, name);
	return cs_file_exists(path);
}

/* What it had begun to write beside a file, half of a segment, and a backup that nobody makes any more. */
static void test_what_a_killed_engine_left_is_swept_by_the_next(void **state)
{
	static const char *const gone[] = { ".capstan/anchor.tmp-aB3xY9", ".capstan/key.pub.tmp-aB3xY9", ".capstan/archive/1-20.zst.tmp-aB3xY9",
					    ".capstan/backup-aB3xY9/capstan.db", ".capstan/backup-aB3xY9/key.tmp-aB3xY9" };
	static const char *const stays[] = { ".capstan/notes.tmp-aB3xY9", ".capstan/archive/mine.zst.tmp-aB3xY9", ".capstan/archive/1-20.zst.tmp",
					     ".capstan/backup-of-mine", "anchor.tmp-aB3xY9" };
	world *w = *state;
	world_start(w);
	world_stop(w);
	for (size_t i = 0; i < CS_ARRAY_LEN(gone); i++)
		world_file(w, gone[i], "half");
	for (size_t i = 0; i < CS_ARRAY_LEN(stays); i++)
		world_file(w, stays[i], "mine");
	world_start(w);
	for (size_t i = 0; i < CS_ARRAY_LEN(gone); i++)
		if (is_there(w, gone[i]))
			fail_msg("%s is still there", gone[i]);
	for (size_t i = 0; i < CS_ARRAY_LEN(stays); i++)
		if (!is_there(w, stays[i]))
			fail_msg("%s is gone", stays[i]);
	assert_false(is_there(w, ".capstan/backup-aB3xY9"));
	world_verify(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sets_run_in_order, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_jq_is_asked_of_a_child, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_deadly_expression_faults_its_task_only, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_composites, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_try_catches_what_it_names, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_rules_agent_answers, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_gate_asks_and_sends_what_was_approved, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_rejected_gate_is_authorization_403, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_edit_sends_the_edited_content_only, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_restart_goes_on_where_it_was, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_rule_that_wants_a_word_is_not_approved_without, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_gate_that_outlives_its_engine_keeps_its_class_and_rule, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_replay_sends_nothing_and_reuses_what_is_unchanged, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_replay_puts_no_notice_into_the_inbox, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_replay_with_a_changed_input_captures, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_every_fault_is_in_the_inbox, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_pause_resume_cancel_retry, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_what_a_killed_engine_left_is_swept_by_the_next, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_waits_and_timeouts, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(test_a_wait_goes_on_after_a_restart, set_up, world_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
