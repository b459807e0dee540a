/* SPDX-License-Identifier: GPL-3.0-or-later */
/* adopt: a run goes on under today's definition of its flow, where what it did stands in it unchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "core/run.h"
#include "tests/support/acts.h"

#define HEAD(version) "document: { dsl: '1.0.3', namespace: test, name: f, version: '" version "' }\ndo:\n"
#define FIRST "  - first: { set: { n: 1 } }\n"
#define WELL "  - well: { call: approve, with: { title: Well? } }\n"
#define MAIL(to) "  - mail: { call: mail.send, with: { to: " to " } }\n"
#define END(letter) "  - end: { set: { letter: " letter " } }\n"

static int set_up(void **state)
{
	world *w = world_for(state, NULL);
	world_file(w, "connectors/mail.yaml", "connector: mail\nkind: http\nurl: https://mail.example.com\nmode: live\noperations:\n"
		   "  send: { effect: unsafe, request: { method: POST, path: /send, body: '${ . }' } }\n");
	return 0;
}

static char *begin(world *w, const char *flow)
{
	world_file(w, "flows/f.yaml", flow);
	world_start(w);
	return world_run(w, "f", NULL, json_object());
}

static void rest(world *w, const char *run)
{
	free(world_item_of(w, run));
	CS_AUTOJSON json_t *row = world_await(w, run, "waiting");
	assert_non_null(row);
}

static void approve(world *w, const char *run)
{
	CS_AUTOFREE char *item = world_item_of(w, run);
	json_decref(world_decide(w, item, json_pack("{s:s}", "verb", "approve")));
}

static void edit(world *w, const char *flow)
{
	world_file(w, "flows/f.yaml", flow);
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
}

static void adopt(world *w, const char *run)
{
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "adopt", "run", run, "why", "mended")));
}

static void assert_ends(world *w, const char *run, const char *letter)
{
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	CS_AUTOJSON json_t *done = world_event(w, run, "run.completed");
	assert_string_equal(cs_json_str_or(row, "state", ""), "completed");
	assert_string_equal(cs_json_str_or(json_object_get(done, "output"), "letter", ""), letter);
	world_verify(w);
}

static void test_what_is_still_to_come_is_taken_from_the_new_definition(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST WELL END("a"));
	rest(w, run);
	edit(w, HEAD("1.1.0") FIRST WELL "  - more: { set: { more: yes } }\n" END("b"));
	adopt(w, run);
	CS_AUTOJSON json_t *row = world_await(w, run, "waiting");
	assert_string_equal(cs_json_str_or(row, "version", ""), "1.1.0");
	assert_int_equal(world_count(w, run, "approval.voided"), 0);
	world_restart(w);
	approve(w, run);
	assert_ends(w, run, "b");
	CS_AUTOJSON json_t *event = world_event(w, run, "run.adopted");
	assert_string_equal(cs_json_str_or(event, "why", ""), "mended");
	assert_string_not_equal(cs_json_str_or(event, "old", ""), cs_json_str_or(event, "new", ""));
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT actor FROM event WHERE type = 'run.adopted'");
	assert_string_equal(cs_json_str_or(json_array_get(rows, 0), "actor", ""), "operator:tester");
}

static void test_what_is_done_must_stand_as_it_was(void **state)
{
	static const struct {
		const char *flow, *says;
	} rows[] = {
		{ HEAD("1.0.0") "  - first: { set: { n: 2 } }\n" WELL END("b"), "the task first (/do/0/first) stands in the way: it is done" },
		{ HEAD("1.0.0") WELL END("b"), "the task first (/do/0/first) stands in the way" },
		{ HEAD("1.0.0") FIRST "  - new: { set: { m: 1 } }\n" WELL END("b"), "the task well (/do/1/well) stands in the way" },
		{ HEAD("1.0.0") FIRST "  - well: { wait: PT1H }\n" END("b"), "of another kind" },
	};
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST WELL END("a"));
	rest(w, run);
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		edit(w, rows[i].flow);
		CS_AUTOJSON json_t *no = world_refused(w, json_pack("{s:s, s:s}", "cmd", "adopt", "run", run));
		if (strstr(cs_json_str_or(no, "message", ""), rows[i].says) == NULL)
			fail_msg("%s", cs_json_str_or(no, "message", ""));
	}
	assert_int_equal(world_count(w, run, "run.adopted"), 0);
	approve(w, run);
	assert_ends(w, run, "a");
}

static void test_a_gate_with_other_content_is_void_and_asked_again(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST MAIL("a@x") END("a"));
	rest(w, run);
	CS_AUTOFREE char *before = world_item_of(w, run);
	edit(w, HEAD("1.0.1") FIRST MAIL("b@x") END("b"));
	adopt(w, run);
	world_restart(w);
	CS_AUTOFREE char *after = world_item_of(w, run);
	assert_string_not_equal(before, after);
	assert_int_equal(world_count(w, run, "approval.voided"), 1);
	CS_AUTOJSON json_t *no = world_refused(w, json_pack("{s:s, s:s, s:{s:s}}", "cmd", "decide", "item", before, "decision", "verb", "approve"));
	assert_non_null(no);
	approve(w, run);
	assert_ends(w, run, "b");
	CS_AUTOJSON json_t *intent = world_event(w, run, "attempt.intent");
	assert_string_equal(cs_json_str_or(cs_json_get_path(intent, "request.body"), "to", ""), "b@x");
	assert_int_equal(world_count(w, run, "attempt.intent"), 1);
}

/* The numbers of tasks are others when one before them has more in it; where a switch led is by name. */
static void test_a_switch_leads_where_it_led_though_tasks_before_it_moved(void **state)
{
#define BEFORE HEAD("1.0.0") "  - route: { switch: [ { go: { then: last } } ] }\n"
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, BEFORE "  - left: { set: { m: 1 } }\n  - last: { call: approve, with: { title: Well? } }\n" END("a"));
	rest(w, run);
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "pause")));
	edit(w, BEFORE "  - left: { do: [ { x: { set: { m: 1 } } }, { y: { set: { m: 2 } } } ] }\n"
		       "  - last: { call: approve, with: { title: Well? } }\n" END("b"));
	adopt(w, run);
	world_restart(w);
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "resume")));
	approve(w, run);
	assert_ends(w, run, "b");
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT ref FROM task WHERE ref LIKE '%left%'");
	assert_int_equal(json_array_size(rows), 0);
#undef BEFORE
}

/* As a log of another definition has it: the number that `last` had there is `left` here. */
static void test_a_jump_is_folded_by_its_case_not_by_a_number(void **state)
{
	(void)state;
	CS_AUTOJSON json_t *doc = world_json("{'document':{'dsl':'1.0.3','namespace':'t','name':'t','version':'1.0.0'},'do':["
		"{'route':{'switch':[{'go':{'then':'last'}}]}},{'left':{'set':{'a':1}}},{'last':{'set':{'a':2}}}]}");
	CS_AUTOJSON json_t *created = json_pack("{s:{}}", "input");
	CS_AUTOJSON json_t *none = json_object();
	CS_AUTOJSON json_t *jump = json_pack("{s:i, s:s}", "then", 1, "case", "go");
	cs_flow *flow = NULL;
	cs_diags d;
	cs_diags_init(&d);
	assert_int_equal(cs_flow_new_in(doc, NULL, &(cs_flow_world){ 0 }, &d, &flow), CS_OK);
	cs_run *r = cs_run_new("00000000000000000000000001", flow);
	const cs_event log[] = {
		{ .seq = 1, .type = "run.created", .actor = "engine", .data = created },
		{ .seq = 2, .type = "run.started", .actor = "engine", .data = none },
		{ .seq = 3, .type = "task.completed", .task = "/do/0/route", .occurrence = 1, .actor = "engine", .data = jump },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(log); i++)
		assert_int_equal(cs_run_fold(r, &log[i], NULL), CS_OK);
	assert_string_equal(flow->tasks[r->root->next].name, "last");
	cs_run_free(r);
	cs_flow_unref(flow);
	cs_diags_fini(&d);
}

static void test_inside_of_a_loop_what_comes_after_may_change(void **state)
{
#define LOOP(rest) HEAD("1.0.0") "  - each:\n      for: { in: '${ [1, 2] }' }\n      do:\n" \
	"        - well: { call: approve, with: { title: Well? } }\n        - then: " rest "\n" END("a")
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, LOOP("{ set: { m: 1 } }"));
	rest(w, run);
	edit(w, LOOP("{ set: { m: 2 } }"));
	adopt(w, run);
	world_restart(w);
	approve(w, run);
	CS_AUTOJSON json_t *rows = NULL;
	for (int i = 0; i < 500 && json_array_size(rows) == 0; i++, usleep(10000)) {
		json_decref(rows);
		rows = world_rows(w, "SELECT data FROM event WHERE type = 'task.completed' AND task LIKE '%/then'");
	}
	assert_non_null(strstr(cs_json_str_or(json_array_get(rows, 0), "data", ""), "\"m\":2"));
	rest(w, run);
	edit(w, LOOP("{ set: { m: 3 } }"));          /* done in the first round by now */
	json_decref(world_refused(w, json_pack("{s:s, s:s}", "cmd", "adopt", "run", run)));
	approve(w, run);
	assert_ends(w, run, "a");
#undef LOOP
}

static void test_a_faulted_run_is_mended_by_its_flow_and_retried(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST "  - bad: { set: { m: '${ .n.x }' } }\n" END("a"));
	CS_AUTOJSON json_t *row = world_await(w, run, "faulted");
	assert_non_null(row);
	edit(w, HEAD("1.0.1") FIRST "  - bad: { set: { m: '${ .n }' } }\n" END("b"));
	adopt(w, run);
	world_restart(w);
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "retry")));
	assert_ends(w, run, "b");
}

static void assert_refused(world *w, const char *run, const char *says)
{
	CS_AUTOJSON json_t *no = world_refused(w, json_pack("{s:s, s:s}", "cmd", "adopt", "run", run));
	if (strstr(cs_json_str_or(no, "message", ""), says) == NULL)
		fail_msg("%s", cs_json_str_or(no, "message", ""));
}

#define EMIT_A "{'cmd':'emit','event':{'type':'a','data':{'l':'a'}}}"
#define EMIT_BAD_B "{'cmd':'emit','event':{'type':'b','data':{'l':'b','bad':true}}}"

/* What was heard before the fault counts after it, for the filter that heard it. */
static void test_a_listener_keeps_what_it_heard_for_the_same_filters_only(void **state)
{
#define EVENTS(first, second) "listen: { to: { all: [ { with: { type: " first " } }, { with: { type: " second " } } ] } }"
#define HEAR(first, second, body) HEAD("1.0.0") "  - hear:\n      " EVENTS(first, second) "\n      foreach: { do: [ " body " ] }\n" \
	"  - end: { set: { letter: '${ .[0].l }' } }\n"
#define TRY(first, second) HEAD("1.0.0") "  - t:\n      try:\n        - hear:\n            " EVENTS(first, second) "\n            foreach: { do: [ " BAD " ] }\n" \
	"      catch: { retry: { delay: PT1H, limit: { attempt: { count: 2 } } } }\n"
#define BAD "{ stop: { if: .bad, raise: { error: { type: x, status: 500 } } } }"
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAR("a", "b", BAD));
	json_decref(world_await(w, run, "waiting"));
	json_decref(world_ask(w, world_json(EMIT_BAD_B)));
	json_decref(world_await(w, run, "faulted"));
	edit(w, HEAR("b", "a", BAD));
	assert_refused(w, run, "it is under way, and it is another");
	edit(w, HEAR("a", "b", "{ stop: { if: .worse, raise: { error: { type: x, status: 500 } } } }, { more: { set: { l: '${ .l }' } } }"));
	adopt(w, run);
	world_restart(w);
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "retry")));
	json_decref(world_ask(w, world_json(EMIT_A)));
	assert_ends(w, run, "b");
	assert_int_equal(world_count(w, run, "event.received"), 2);
	edit(w, TRY("a", "b"));
	CS_AUTOFREE char *tried = world_run(w, "f", NULL, json_object());
	json_decref(world_await(w, tried, "waiting"));
	json_decref(world_ask(w, world_json(EMIT_A)));
	json_decref(world_ask(w, world_json(EMIT_BAD_B)));
	for (int i = 0; i < 500 && world_count(w, tried, "task.caught") == 0; i++, usleep(10000))
		;
	edit(w, TRY("b", "a"));
	assert_refused(w, tried, "it listens for something else");
#undef EVENTS
#undef HEAR
#undef TRY
#undef BAD
}

static void test_taken_back_by_the_older_file_and_refused_when_it_is_over(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = begin(w, HEAD("1.0.0") FIRST WELL END("a"));
	rest(w, run);
	edit(w, HEAD("1.1.0") FIRST WELL END("b"));
	adopt(w, run);
	adopt(w, run);                               /* once more changes nothing */
	assert_int_equal(world_count(w, run, "run.adopted"), 1);
	edit(w, HEAD("1.0.0") FIRST WELL END("a"));
	adopt(w, run);
	assert_int_equal(world_count(w, run, "run.adopted"), 2);
	world_restart(w);
	approve(w, run);
	assert_ends(w, run, "a");
	CS_AUTOJSON json_t *no = world_refused(w, json_pack("{s:s, s:s}", "cmd", "adopt", "run", run));
	assert_non_null(strstr(cs_json_str_or(no, "message", ""), "illegal-transition"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		T(test_what_is_still_to_come_is_taken_from_the_new_definition),
		T(test_what_is_done_must_stand_as_it_was),
		T(test_a_gate_with_other_content_is_void_and_asked_again),
		T(test_a_switch_leads_where_it_led_though_tasks_before_it_moved),
		T(test_a_jump_is_folded_by_its_case_not_by_a_number),
		T(test_inside_of_a_loop_what_comes_after_may_change),
		T(test_a_faulted_run_is_mended_by_its_flow_and_retried),
		T(test_a_listener_keeps_what_it_heard_for_the_same_filters_only),
		T(test_taken_back_by_the_older_file_and_refused_when_it_is_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
