/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Business keys: what an operation's `once` names is done once, in whatever run, over restarts; and nobody
 * is passed over in silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "tests/support/acts.h"

#define CONNECTOR(once) \
	"connector: shop\nkind: http\nurl: https://shop.example.com\nmode: live\noperations:\n" \
	"  bill:\n    effect: keyed\n    input: { type: object }\n    request: { method: POST, path: /b, body: '${ . }' }\n" \
	"    retry: { attempts: 3, delay: PT0.3S }\n    once: '" once "'\n    result: '${ { id: .number } }'\n" \
	"    reverse: { call: shop.void, with: { id: '${ .result.id }' } }\n" \
	"  void:\n    effect: keyed\n    input: { type: object }\n    request: { method: POST, path: /v, body: '${ . }' }\n    reverse: none\n" \
	"  ship:\n    effect: unsafe\n    input: { type: object }\n    request: { method: POST, path: /s, body: '${ . }' }\n" \
	"    once: '${ .order }'\n    reverse: none\n"
#define KEY "${ \"\\(.customer)/\\(.number)\" }"
#define BILLS "function: shop.bill\nanswers:\n  - when: { note: refused }\n    fail: { type: communication, status: 422, title: No, outcome: rejected }\n    times: 1\n" \
	"  - when: { note: later }\n    fail: { type: communication, status: 503, title: Later, outcome: transient }\n    times: 1\n" \
	"  - give: { number: 7 }\n"
#define SHIPS "function: shop.ship\nanswers:\n  - when: { note: lost }\n    fail: { type: communication, title: Reset, outcome: ambiguous }\n    times: 1\n" \
	"  - give: { parcel: 9 }\n"

#define WITH_BILL "{ customer: '${ $start.customer }', number: '${ $start.number }', amount: '${ $start.amount }', note: '${ $start.note }' }"
#define WITH_SHIP "{ order: '${ $start.order }', note: '${ $start.note }' }"

static void flow(world *w, const char *name, const char *call, const char *with)
{
	char file[64], whole[1024];
	snprintf(file, sizeof file, "flows/%s.yaml", name);
	snprintf(whole, sizeof whole, "document: { dsl: '1.0.3', namespace: test, name: %s, version: '1.0.0' }\ndo:\n  - it: { call: %s, with: %s }\n", name, call, with);
	world_file(w, file, whole);
}

static void set_up(world *w, const char *once)
{
	CS_AUTOFREE char *connector = cs_xasprintf(CONNECTOR("%s"), once);
	world_new(w, "workspace: test\nmode: simulate\napprovals: { grace: PT0S }\n");
	world_file(w, "connectors/shop.yaml", connector);
	world_file(w, "fixtures/bill.yaml", BILLS);
	world_file(w, "fixtures/void.yaml", "function: shop.void\nanswers:\n  - give: { void: true }\n");
	world_file(w, "fixtures/ship.yaml", SHIPS);
	world_file(w, "policies/p.yaml", "policy: p\nrules: [ { name: ships, when: { call: shop.ship }, then: allow }, { name: slow, when: { matches: { field: .note, pattern: ask } }, then: ask } ]\n");
	flow(w, "one", "shop.bill", WITH_BILL);
	flow(w, "two", "shop.bill", WITH_BILL);
	flow(w, "ship", "shop.ship", WITH_SHIP);
	world_start(w);
}

static char *run_to(world *w, const char *name, const char *input, const char *state)
{
	char *id = world_run(w, name, NULL, world_json(input));
	json_decref(world_await(w, id, state));
	return id;
}

#define BILL "{'customer':'acme','number':17}"

static void a_second_run_takes_the_result_of_the_first_also_after_a_restart(void **state)
{
	(void)state;
	world w;
	set_up(&w, KEY);
	CS_AUTOFREE char *one = run_to(&w, "one", BILL, "completed");
	world_stop(&w);
	world_start(&w);
	CS_AUTOFREE char *two = run_to(&w, "two", BILL, "completed");
	assert_int_equal(world_attempts(&w, "shop.bill"), 1);
	assert_int_equal(world_count(&w, two, "attempt.intent"), 0);
	CS_AUTOJSON json_t *reused = world_event(&w, two, "attempt.reused"), *end = world_event(&w, two, "run.completed");
	assert_string_equal(cs_json_str_or(reused, "source", ""), "once");
	assert_string_equal(cs_json_str_or(reused, "of", ""), one);
	CS_AUTOJSON json_t *want = world_json("{'id':7}");
	assert_true(json_equal(json_object_get(end, "output"), want));
	assert_int_equal(world_count(&w, two, "reversal.registered"), 0);     /* what it did not do it does not take back */
	world_finish(&w);
}

static void another_value_is_another_effect(void **state)
{
	(void)state;
	world w;
	set_up(&w, KEY);
	free(run_to(&w, "one", BILL, "completed"));
	free(run_to(&w, "one", "{'customer':'acme','number':18}", "completed"));
	assert_int_equal(world_attempts(&w, "shop.bill"), 2);
	world_finish(&w);
}

static void another_content_under_the_same_value_is_refused_and_said(void **state)
{
	(void)state;
	world w;
	set_up(&w, KEY);
	CS_AUTOFREE char *one = run_to(&w, "one", BILL, "completed");
	CS_AUTOFREE char *two = run_to(&w, "two", "{'customer':'acme','number':17,'amount':5}", "faulted");
	assert_int_equal(world_attempts(&w, "shop.bill"), 1);
	CS_AUTOJSON json_t *fault = world_event(&w, two, "run.faulted"), *item = world_item(&w);
	const char *detail = cs_json_str_or(json_object_get(fault, "error"), "detail", "");
	assert_non_null(strstr(detail, one));
	assert_non_null(strstr(detail, "acme/17"));
	assert_string_equal(cs_json_str_or(item, "kind", ""), "fault");
	world_finish(&w);
}

static void what_failed_definitively_may_be_sent_again_under_another_key(void **state)
{
	(void)state;
	world w;
	set_up(&w, KEY);
	free(run_to(&w, "one", "{'customer':'acme','number':17,'note':'refused'}", "faulted"));
	CS_AUTOFREE char *two = run_to(&w, "two", BILL, "completed");
	assert_int_equal(world_count(&w, two, "attempt.intent"), 1);
	CS_AUTOJSON json_t *keys = world_rows(&w, "SELECT DISTINCT key FROM attempt WHERE call = 'shop.bill'");
	assert_int_equal(json_array_size(keys), 2);
	world_finish(&w);
}

static void who_comes_second_waits_while_the_first_is_under_way(void **state)
{
	(void)state;
	world w;
	set_up(&w, KEY);
	const char *later = "{'customer':'acme','number':17,'note':'later'}";
	CS_AUTOFREE char *one = run_to(&w, "one", later, "waiting");
	CS_AUTOFREE char *two = world_run(&w, "two", NULL, world_json(later));
	json_decref(world_await(&w, two, "completed"));
	assert_int_equal(world_count(&w, two, "attempt.awaits"), 1);
	assert_int_equal(world_count(&w, two, "attempt.intent"), 0);
	json_decref(world_await(&w, one, "completed"));
	assert_int_equal(world_count(&w, one, "attempt.intent"), 2);
	world_finish(&w);
}

/* One doubt is one question, and its answer is every run's. */
static void in_doubt_all_wait_with_it_and_one_item_asks(void **state)
{
	(void)state;
	static const struct { const char *how, *second; int intents; } ends[] = {
		{ "happened", "completed", 1 }, { "did-not", "completed", 2 }, { "repeat", "completed", 2 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(ends); i++) {
		world w;
		set_up(&w, KEY);
		const char *lost = "{'order':'o1','note':'lost'}";
		CS_AUTOFREE char *one = run_to(&w, "ship", lost, "waiting");
		CS_AUTOFREE char *two = run_to(&w, "ship", lost, "waiting");
		world_stop(&w);
		world_start(&w);
		world_settle(&w);
		CS_AUTOJSON json_t *open = world_rows(&w, "SELECT id FROM item WHERE state = 'open'");
		assert_int_equal(json_array_size(open), 1);
		json_t *decision = json_pack("{s:s, s:s}", "verb", "resolve", "how", ends[i].how);
		if (strcmp(ends[i].how, "repeat") == 0)
			json_object_set_new(decision, "word", json_string("repeat"));
		if (strcmp(ends[i].how, "happened") == 0)
			json_object_set_new(decision, "value", world_json("{'parcel':9}"));
		json_decref(world_decide(&w, cs_json_str_or(json_array_get(open, 0), "id", ""), decision));
		if (strcmp(ends[i].how, "did-not") == 0) {
			/* It may be sent: here by the second run, whose fixture loses it once more, in a doubt of its own. */
			json_decref(world_await(&w, one, "faulted"));
			CS_AUTOJSON json_t *again = NULL;
			do {
				json_decref(again);
				again = world_rows(&w, "SELECT id FROM item WHERE state = 'open' AND kind = 'in-doubt'");
			} while (json_array_size(again) == 0);
			json_decref(world_decide(&w, cs_json_str_or(json_array_get(again, 0), "id", ""),
						 json_pack("{s:s, s:s}", "verb", "resolve", "how", "happened")));
		}
		json_decref(world_await(&w, two, ends[i].second));
		assert_int_equal(world_attempts(&w, "shop.ship"), ends[i].intents);
		world_finish(&w);
	}
}

static void an_approval_is_not_used_up_for_what_another_run_did_meanwhile(void **state)
{
	(void)state;
	world w;
	set_up(&w, KEY);
	const char *asked = "{'customer':'acme','number':17,'note':'ask'}";
	CS_AUTOFREE char *one = run_to(&w, "one", asked, "waiting"), *two = run_to(&w, "two", asked, "waiting");
	CS_AUTOJSON json_t *items = world_rows(&w, "SELECT id FROM item WHERE state = 'pending' ORDER BY created, id");
	assert_int_equal(json_array_size(items), 2);
	for (size_t i = 0; i < 2; i++)
		json_decref(world_decide(&w, cs_json_str_or(json_array_get(items, i), "id", ""), json_pack("{s:s}", "verb", "approve")));
	json_decref(world_await(&w, one, "completed"));
	json_decref(world_await(&w, two, "completed"));
	assert_int_equal(world_attempts(&w, "shop.bill"), 1);
	assert_int_equal(world_count(&w, one, "approval.consumed") + world_count(&w, two, "approval.consumed"), 1);
	world_finish(&w);
}

static void what_was_taken_back_may_be_done_again(void **state)
{
	(void)state;
	world w;
	set_up(&w, KEY);
	CS_AUTOFREE char *one = run_to(&w, "one", BILL, "completed");
	json_decref(world_ask(&w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", one, "verb", "rollback")));
	json_decref(world_await(&w, one, "compensated"));
	CS_AUTOFREE char *two = run_to(&w, "two", BILL, "completed");
	assert_int_equal(world_count(&w, two, "attempt.intent"), 1);
	assert_int_equal(world_attempts(&w, "shop.bill"), 2);
	world_finish(&w);
}

static void without_a_value_nothing_is_sent(void **state)
{
	(void)state;
	world w;
	set_up(&w, "${ .nothing }");
	CS_AUTOFREE char *one = run_to(&w, "one", BILL, "faulted");
	assert_int_equal(world_attempts(&w, "shop.bill"), 0);
	CS_AUTOJSON json_t *fault = world_event(&w, one, "run.faulted");
	assert_non_null(strstr(cs_json_str_or(json_object_get(fault, "error"), "detail", ""), "once"));
	world_finish(&w);
}

static void a_replay_neither_takes_a_key_nor_waits_for_one(void **state)
{
	(void)state;
	world w;
	set_up(&w, KEY);
	CS_AUTOFREE char *one = run_to(&w, "one", BILL, "completed");
	CS_AUTOJSON json_t *ok = world_ask(&w, json_pack("{s:s, s:s}", "cmd", "replay", "run", one));
	const char *replay = cs_json_str_or(ok, "run", "");
	json_decref(world_await(&w, replay, "completed"));
	CS_AUTOJSON json_t *row = world_rows(&w, "SELECT run, n, state FROM once_key");
	assert_int_equal(json_array_size(row), 1);
	assert_string_equal(cs_json_str_or(json_array_get(row, 0), "run", ""), one);
	assert_int_equal(cs_json_int_or(json_array_get(row, 0), "n", 0), 1);
	world_finish(&w);
}

static void of_many_runs_at_once_one_sends(void **state)
{
	(void)state;
	world w;
	enum { RUNS = 40 };
	char *ids[RUNS];
	set_up(&w, KEY);
	for (int i = 0; i < RUNS; i++)
		ids[i] = world_run(&w, i % 2 ? "one" : "two", NULL, world_json(BILL));
	for (int i = 0; i < RUNS; i++) {
		json_decref(world_await(&w, ids[i], "completed"));
		free(ids[i]);
	}
	assert_int_equal(world_attempts(&w, "shop.bill"), 1);
	world_finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_run_takes_the_result_of_the_first_also_after_a_restart),
		cmocka_unit_test(another_value_is_another_effect),
		cmocka_unit_test(another_content_under_the_same_value_is_refused_and_said),
		cmocka_unit_test(what_failed_definitively_may_be_sent_again_under_another_key),
		cmocka_unit_test(who_comes_second_waits_while_the_first_is_under_way),
		cmocka_unit_test(in_doubt_all_wait_with_it_and_one_item_asks),
		cmocka_unit_test(an_approval_is_not_used_up_for_what_another_run_did_meanwhile),
		cmocka_unit_test(what_was_taken_back_may_be_done_again),
		cmocka_unit_test(without_a_value_nothing_is_sent),
		cmocka_unit_test(a_replay_neither_takes_a_key_nor_waits_for_one),
		cmocka_unit_test(of_many_runs_at_once_one_sends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
