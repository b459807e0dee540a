/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changed files under running runs: what is taken, what is pinned, what is asked again, what is said. */
#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "tests/support/acts.h"

enum { RUNS = 100, FLOWS = 200 };

#define MAIL(body) "connector: mail\nkind: http\nurl: https://mail.example.com\nmode: live\noperations:\n" \
	"  send: { effect: unsafe, request: { method: POST, path: /send, body: '" body "' } }\n"
#define RULES(rules) "policy: p\nrules: [ " rules " ]\n"

static const char sending[] =
	"document: { dsl: '1.0.3', namespace: test, name: send, version: '1.0.0' }\n"
	"do:\n  - send: { call: mail.send, with: { to: '${ $start.to }' } }\n  - end: { set: { sent: yes } }\n";

static void set_flow(world *w, const char *letter)
{
	CS_AUTOFREE char *text = cs_xasprintf(
		"document: { dsl: '1.0.3', namespace: test, name: wait, version: '1.0.0' }\n"
		"do:\n  - well: { call: approve, with: { title: Well? } }\n  - end: { set: { letter: %s } }\n", letter);
	world_file(w, "flows/wait.yaml", text);
}

static int set_up(void **state)
{
	world *w = world_for(state, NULL);
	world_file(w, "connectors/mail.yaml", MAIL("${ . }"));
	world_file(w, "policies/p.yaml", RULES("{ name: all, when: { call: mail.send }, then: ask }"));
	world_file(w, "flows/send.yaml", sending);
	set_flow(w, "a");
	return 0;
}

static json_t *reload(world *w)
{
	return world_ask(w, json_pack("{s:s}", "cmd", "reload"));
}

static void assert_state(world *w, const char *item, const char *state)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT state FROM item WHERE id = '%s'", item);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	assert_string_equal(cs_json_str_or(json_array_get(rows, 0), "state", ""), state);
}

static void approve(world *w, const char *item)
{
	json_decref(world_decide(w, item, json_pack("{s:s}", "verb", "approve")));
}

static void test_only_the_items_whose_answer_changes_are_void(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOFREE char *a = world_run(w, "send", NULL, world_json("{'to':'a@x'}"));
	CS_AUTOFREE char *b = world_run(w, "send", NULL, world_json("{'to':'b@x'}"));
	CS_AUTOFREE char *c = world_run(w, "send", NULL, world_json("{'to':'c@x'}"));
	CS_AUTOFREE char *of_a = world_item_of(w, a), *of_b = world_item_of(w, b), *of_c = world_item_of(w, c);
	world_file(w, "policies/p.yaml", RULES(
		"{ name: not-b, when: { call: mail.send, matches: { field: .to, pattern: '^b' } }, then: deny, why: Not b. }, "
		"{ name: free-c, when: { call: mail.send, matches: { field: .to, pattern: '^c' } }, then: allow }, "
		"{ name: others, when: { call: mail.send }, then: ask }"));
	json_decref(reload(w));
	CS_AUTOJSON json_t *denied = world_await(w, b, "faulted");
	CS_AUTOJSON json_t *allowed = world_await(w, c, "completed");
	CS_AUTOJSON json_t *why = world_event(w, b, "run.faulted");
	assert_non_null(denied);
	assert_non_null(allowed);
	assert_non_null(strstr(cs_json_str_or(json_object_get(why, "error"), "detail", ""), "Not b."));
	assert_int_equal(world_count(w, b, "attempt.intent"), 0);
	assert_int_equal(world_count(w, a, "approval.voided"), 0);
	assert_state(w, of_a, "pending");
	assert_state(w, of_b, "void");
	assert_state(w, of_c, "void");
	approve(w, of_a);
	CS_AUTOJSON json_t *done = world_await(w, a, "completed");
	assert_non_null(done);
	world_verify(w);
}

static void test_an_approval_in_its_grace_does_not_pass_a_rule_that_now_denies(void **state)
{
	world *w = *state;
	world_file(w, "capstan.yaml", "workspace: test\nmode: simulate\napprovals: { grace: PT1H }\n");
	world_start(w);
	CS_AUTOFREE char *run = world_run(w, "send", NULL, world_json("{'to':'a@x'}"));
	CS_AUTOFREE char *item = world_item_of(w, run);
	approve(w, item);
	world_file(w, "policies/p.yaml", RULES("{ name: none, when: { call: mail.send }, then: deny }"));
	json_decref(reload(w));
	CS_AUTOJSON json_t *row = world_await(w, run, "faulted");
	assert_non_null(row);
	assert_state(w, item, "void");
	assert_int_equal(world_count(w, run, "attempt.intent"), 0);
	world_verify(w);
}

static void test_rules_that_changed_while_no_engine_ran_are_asked_again(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOFREE char *run = world_run(w, "send", NULL, world_json("{'to':'a@x'}"));
	CS_AUTOFREE char *item = world_item_of(w, run);
	world_stop(w);
	world_file(w, "policies/p.yaml", RULES("{ name: word, when: { call: mail.send }, then: ask, confirm: word }"));
	world_start(w);
	for (int i = 0; i < 500 && world_count(w, run, "approval.voided") == 0; i++)
		usleep(10000);
	CS_AUTOFREE char *next = world_item_of(w, run);
	assert_string_not_equal(next, item);
	CS_AUTOJSON json_t *no = world_refused(w, json_pack("{s:s, s:s, s:{s:s}}", "cmd", "decide", "item", next, "decision", "verb", "approve"));
	assert_non_null(strstr(cs_json_str_or(no, "message", ""), "--word approve"));
	world_verify(w);
}

static void test_what_another_connector_would_send_is_asked_about_anew(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOFREE char *run = world_run(w, "send", NULL, world_json("{'to':'a@x'}"));
	CS_AUTOFREE char *item = world_item_of(w, run);
	world_file(w, "connectors/mail.yaml", MAIL("${ { whom: .to } }"));
	json_decref(reload(w));
	for (int i = 0; i < 500 && world_count(w, run, "approval.voided") == 0; i++)
		usleep(10000);
	CS_AUTOFREE char *next = world_item_of(w, run);
	CS_AUTOJSON json_t *shown = world_event(w, run, "approval.published");
	assert_state(w, item, "void");
	assert_string_equal(cs_json_str_or(cs_json_get_path(shown, "request.body"), "whom", ""), "a@x");
	approve(w, next);
	CS_AUTOJSON json_t *done = world_await(w, run, "completed");
	assert_non_null(done);
	world_verify(w);
}

static void test_a_reload_says_which_files_and_who(void **state)
{
	world *w = *state;
	world_start(w);
	CS_AUTOJSON json_t *nothing = reload(w);
	assert_int_equal(json_array_size(json_object_get(nothing, "files")), 0);
	set_flow(w, "b");
	world_file(w, "flows/new.yaml", "document: { dsl: '1.0.3', namespace: test, name: new, version: '1.0.0' }\ndo: [ { a: { set: { b: 1 } } } ]\n");
	CS_AUTOFREE char *gone = cs_xasprintf("%s/flows/send.yaml", w->dir);
	assert_int_equal(unlink(gone), 0);
	json_decref(reload(w));
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT actor, data FROM event WHERE type = 'engine.reloaded'");
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(cs_json_str(json_array_get(rows, 0), "actor"), "operator:tester");
	const char *data = cs_json_str_or(json_array_get(rows, 0), "data", "");
	assert_non_null(strstr(data, "{\"file\":\"flows/new.yaml\",\"new\":\""));
	assert_non_null(strstr(data, "\"old\":null"));
	assert_non_null(strstr(data, "\"file\":\"flows/send.yaml\",\"new\":null"));
	assert_non_null(strstr(data, "\"file\":\"flows/wait.yaml\""));
	world_verify(w);
}

static json_t *notices(world *w, const char *state)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id, title FROM item WHERE kind = 'notice' AND run = '' AND state = '%s'", state);
	return world_rows(w, sql);
}

static void assert_notices(world *w, size_t open, size_t closed)
{
	CS_AUTOJSON json_t *are_open = notices(w, "open");
	CS_AUTOJSON json_t *are_closed = notices(w, "closed");
	assert_int_equal(json_array_size(are_open), open);
	assert_int_equal(json_array_size(are_closed), closed);
}

static void test_files_that_fail_are_one_item_until_they_are_mended(void **state)
{
	world *w = *state;
	world_start(w);
	world_file(w, "flows/wait.yaml", "document: { dsl: '1.0.3' }\n");
	for (int i = 0; i < 3; i++)
		json_decref(world_refused(w, json_pack("{s:s}", "cmd", "reload")));
	assert_notices(w, 1, 0);
	CS_AUTOFREE char *run = world_run(w, "wait", NULL, json_object());       /* the older version runs */
	CS_AUTOFREE char *item = world_item_of(w, run);
	assert_non_null(item);
	world_stop(w);
	set_flow(w, "a");
	world_start(w);
	assert_notices(w, 1, 0);
	json_decref(reload(w));
	assert_notices(w, 0, 1);
	world_verify(w);
}

static void test_a_notice_of_no_run_can_be_put_away(void **state)
{
	world *w = *state;
	world_start(w);
	world_file(w, "flows/wait.yaml", "document: { dsl: '1.0.3' }\n");
	json_decref(world_refused(w, json_pack("{s:s}", "cmd", "reload")));
	CS_AUTOJSON json_t *open = notices(w, "open");
	const char *id = cs_json_str(json_array_get(open, 0), "id");
	CS_AUTOJSON json_t *no = world_refused(w, json_pack("{s:s, s:s, s:{s:s}}", "cmd", "decide", "item", id, "decision", "verb", "approve"));
	assert_non_null(strstr(cs_json_str_or(no, "message", ""), "dismiss"));
	for (int i = 0; i < 2; i++)
		json_decref(world_decide(w, id, json_pack("{s:s}", "verb", "dismiss")));
	assert_notices(w, 0, 1);
	json_decref(world_refused(w, json_pack("{s:s}", "cmd", "reload")));      /* the same is not said twice */
	assert_notices(w, 0, 1);
	world_verify(w);
}

static void await_sql(world *w, const char *sql)
{
	for (int i = 0; i < 1000; i++, usleep(10000)) {
		CS_AUTOJSON json_t *rows = world_rows(w, sql);
		if (json_array_size(rows) > 0)
			return;
	}
	fail_msg("in vain: %s", sql);
}

static void test_an_engine_that_watches_takes_changes_by_itself_also_of_texts(void **state)
{
	world *w = *state;
	world_file(w, "agents/letter.yaml", "agent: letter\nkind: text\ntext: { file: prompts/deep/letter.md }\n");
	world_file(w, "prompts/deep/letter.md", "One.");
	w->opts.watch = true;
	world_start(w);
	world_file(w, "prompts/deep/letter.md", "Two.");
	await_sql(w, "SELECT 1 FROM event WHERE type = 'engine.reloaded' AND actor = 'engine' AND data LIKE '%prompts/deep/letter.md%'");
	set_flow(w, "b");
	await_sql(w, "SELECT 1 FROM event WHERE type = 'engine.reloaded' AND data LIKE '%flows/wait.yaml%'");
	world_file(w, "flows/wait.yaml", "document: { dsl: '1.0.3' }\n");
	await_sql(w, "SELECT 1 FROM item WHERE kind = 'notice' AND state = 'open'");
	set_flow(w, "b");
	await_sql(w, "SELECT 1 FROM item WHERE kind = 'notice' AND state = 'closed'");
	world_verify(w);
}

static void test_an_edited_flow_changes_none_of_a_hundred_runs(void **state)
{
	world *w = *state;
	char *runs[RUNS];
	world_start(w);
	for (int i = 0; i < RUNS; i++)
		runs[i] = world_run(w, "wait", NULL, json_object());
	for (int i = 0; i < RUNS; i++)
		free(world_item_of(w, runs[i]));
	set_flow(w, "b");
	json_decref(reload(w));
	world_stop(w);
	world_start(w);
	for (int i = 0; i < RUNS; i++) {
		CS_AUTOFREE char *item = world_item_of(w, runs[i]);
		approve(w, item);
	}
	for (int i = 0; i < RUNS; i++) {
		CS_AUTOJSON json_t *row = world_await(w, runs[i], "completed faulted");
		CS_AUTOJSON json_t *done = world_event(w, runs[i], "run.completed");
		assert_non_null(row);
		assert_string_equal(cs_json_str_or(json_object_get(done, "output"), "letter", ""), "a");
		free(runs[i]);
	}
	world_verify(w);
}

static void note_end(void *ctx, json_t *reply)
{
	atomic_int *order = ctx;
	atomic_fetch_add(order, 1);
	json_decref(reply);
}

static void test_the_coordinator_answers_while_the_files_are_read(void **state)
{
	world *w = *state;
	for (int i = 0; i < FLOWS; i++) {
		CS_AUTOFREE char *name = cs_xasprintf("flows/f%d.yaml", i);
		CS_AUTOFREE char *text = cs_xasprintf("document: { dsl: '1.0.3', namespace: test, name: f%d, version: '1.0.0' }\n"
			"do:\n  - a: { set: { n: '${ [ .l[] | . * %d ] | add }' } }\n  - b: { set: { m: '${ .n }' } }\n", i, i);
		world_file(w, name, text);
	}
	world_start(w);
	atomic_int ended = 0;
	int64_t slowest = 0, began = cs_clock_mono_ns();
	int answered = 0;
	world_file(w, "flows/f0.yaml", "document: { dsl: '1.0.3', namespace: test, name: f0, version: '1.0.0' }\ndo: [ { a: { set: { b: 1 } } } ]\n");
	assert_int_equal(cs_engine_send(w->engine, json_pack("{s:s}", "cmd", "reload"), note_end, &ended, NULL), CS_OK);
	while (atomic_load(&ended) == 0) {
		int64_t asked = cs_clock_mono_ns();
		json_decref(world_ask(w, json_pack("{s:s}", "cmd", "status")));
		int64_t took = cs_clock_mono_ns() - asked;
		slowest = took > slowest ? took : slowest;
		answered++;
		usleep(1000);
	}
	print_message("%d flows read in %lld ms; the slowest of %d answers meanwhile %lld us\n", FLOWS,
		      (long long)((cs_clock_mono_ns() - began) / 1000000), answered, (long long)(slowest / 1000));
	assert_true(answered > 10);
	world_verify(w);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		T(test_only_the_items_whose_answer_changes_are_void),
		T(test_an_approval_in_its_grace_does_not_pass_a_rule_that_now_denies),
		T(test_rules_that_changed_while_no_engine_ran_are_asked_again),
		T(test_what_another_connector_would_send_is_asked_about_anew),
		T(test_a_reload_says_which_files_and_who),
		T(test_files_that_fail_are_one_item_until_they_are_mended),
		T(test_a_notice_of_no_run_can_be_put_away),
		T(test_an_engine_that_watches_takes_changes_by_itself_also_of_texts),
		T(test_an_edited_flow_changes_none_of_a_hundred_runs),
		T(test_the_coordinator_answers_while_the_files_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
