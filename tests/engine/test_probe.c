/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Probes in a whole engine: asked over restarts, by expressions of every kind, for business keys and for
 * reversals too; and none that is not read. */
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

#define OPERATION(name, effect, more) \
	"  " name ":\n    effect: " effect "\n    input: { type: object }\n    timeout: PT0.4S\n    request: { method: POST, path: /" name ", body: '${ . }' }\n" more
#define CONNECTOR \
	"connector: shop\nkind: http\nurl: https://shop.example.com\nmode: live\noperations:\n" \
	OPERATION("make", "probe", "    result: '${ { id: .number } }'\n    output: { type: object, required: [ id ] }\n    once: '${ .n }'\n" \
		  "    retry: { attempts: 2, delay: PT0.1S }\n    probe: { call: shop.find, with: { n: '${ .n }' }, found: '${ .list | length > 0 }' }\n" \
		  "    reverse: { call: shop.void, with: { n: '${ .input.n }' } }\n") \
	OPERATION("void", "probe", "    probe: { call: shop.gone, with: { n: '${ .n }' }, found: '${ .gone == true }' }\n    reverse: none\n") \
	OPERATION("find", "read", "    result: '${ { id: .list[0].id, list: .list } }'\n") OPERATION("gone", "read", "")
#define LOST "    fail: { type: communication, title: Reset, outcome: ambiguous }\n    times: 1\n"

static void set_up(world *w)
{
	world_new(w, "workspace: test\nmode: simulate\napprovals: { grace: PT0S }\n");
	world_file(w, "connectors/shop.yaml", CONNECTOR);
	world_file(w, "fixtures/make.yaml", "function: shop.make\nanswers:\n  - when: { lose: true }\n" LOST "  - give: { number: 7 }\n");
	world_file(w, "fixtures/find.yaml", "function: shop.find\nanswers:\n  - when: { n: there }\n    give: { list: [ { id: 8 } ] }\n  - when: { n: broken }\n"
		   "    fail: { type: communication, status: 500, title: Down, outcome: rejected }\n  - give: { list: [] }\n");
	world_file(w, "fixtures/void.yaml", "function: shop.void\nanswers:\n  - when: { n: there }\n" LOST "  - give: { void: true }\n");
	world_file(w, "fixtures/gone.yaml", "function: shop.gone\nanswers:\n  - give: { gone: true }\n");
	world_file(w, "flows/t.yaml", "document: { dsl: '1.0.3', namespace: test, name: t, version: '1.0.0' }\ndo:\n"
		   "  - it: { call: shop.make, with: { n: '${ $start.n }', lose: true } }\n");
	world_start(w);
}

static char *begin(world *w, const char *n)
{
	return world_run(w, "t", NULL, json_pack("{s:s}", "n", n));
}

static void what_was_found_is_the_result_over_a_restart(void **state)
{
	(void)state;
	world w;
	set_up(&w);
	CS_AUTOFREE char *run = begin(&w, "there");
	world_stop(&w);
	world_start(&w);
	json_decref(world_await(&w, run, "completed"));
	assert_int_equal(world_attempts(&w, "shop.make"), 1);
	assert_int_equal(world_attempts(&w, "shop.find"), 1);
	CS_AUTOJSON json_t *end = world_event(&w, run, "run.completed"), *items = world_rows(&w, "SELECT id FROM item");
	assert_int_equal(cs_json_int_or(json_object_get(end, "output"), "id", 0), 8);
	assert_int_equal(json_array_size(items), 0);
	CS_AUTOFREE char *two = begin(&w, "there");      /* its business key is done: nobody asks, nobody sends */
	json_decref(world_await(&w, two, "completed"));
	assert_int_equal(world_attempts(&w, "shop.make"), 1);
	CS_AUTOJSON json_t *same = world_event(&w, two, "run.completed");
	assert_true(json_equal(json_object_get(same, "output"), json_object_get(end, "output")));
	world_finish(&w);
}

/* What its probe found is what the run had, and what a replay of it has. */
static void a_replay_reuses_what_was_found(void **state)
{
	(void)state;
	world w;
	set_up(&w);
	CS_AUTOFREE char *run = begin(&w, "there");
	json_decref(world_await(&w, run, "completed"));
	CS_AUTOJSON json_t *ok = world_ask(&w, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
	const char *replay = cs_json_str_or(ok, "run", "");
	json_decref(world_await(&w, replay, "completed"));
	CS_AUTOJSON json_t *had = world_event(&w, run, "run.completed"), *has = world_event(&w, replay, "run.completed");
	assert_true(json_equal(json_object_get(had, "output"), json_object_get(has, "output")));
	assert_int_equal(world_count(&w, replay, "attempt.reused"), 1);
	assert_int_equal(world_count(&w, replay, "attempt.captured"), 0);
	world_finish(&w);
}

static void what_is_absent_is_sent_once_more(void **state)
{
	(void)state;
	world w;
	set_up(&w);
	CS_AUTOFREE char *run = begin(&w, "nowhere");
	json_decref(world_await(&w, run, "completed"));
	assert_int_equal(world_attempts(&w, "shop.make"), 2);
	CS_AUTOJSON json_t *keys = world_rows(&w, "SELECT DISTINCT key FROM attempt WHERE call = 'shop.make'");
	assert_int_equal(json_array_size(keys), 1);
	world_finish(&w);
}

static void without_an_answer_one_item_asks(void **state)
{
	(void)state;
	world w;
	set_up(&w);
	CS_AUTOFREE char *run = begin(&w, "broken");
	CS_AUTOJSON json_t *item = world_item(&w);
	assert_string_equal(cs_json_str_or(item, "kind", ""), "in-doubt");
	assert_string_equal(cs_json_str_or(item, "call", ""), "shop.make");
	json_decref(world_decide(&w, cs_json_str_or(item, "id", ""), json_pack("{s:s, s:s, s:o}", "verb", "resolve", "how", "happened", "value", world_json("{'number':3}"))));
	json_decref(world_await(&w, run, "completed"));
	assert_int_equal(world_attempts(&w, "shop.make"), 1);
	world_finish(&w);
}

static void what_takes_something_back_is_asked_about_too(void **state)
{
	(void)state;
	world w;
	set_up(&w);
	CS_AUTOFREE char *run = begin(&w, "there");
	json_decref(world_await(&w, run, "completed"));
	json_decref(world_ask(&w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "rollback")));
	world_stop(&w);
	world_start(&w);
	json_decref(world_await(&w, run, "compensated"));
	assert_int_equal(world_attempts(&w, "shop.void"), 1);
	assert_int_equal(world_attempts(&w, "shop.gone"), 1);
	world_finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_found_is_the_result_over_a_restart),
		cmocka_unit_test(a_replay_reuses_what_was_found),
		cmocka_unit_test(what_is_absent_is_sent_once_more),
		cmocka_unit_test(without_an_answer_one_item_asks),
		cmocka_unit_test(what_takes_something_back_is_asked_about_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
