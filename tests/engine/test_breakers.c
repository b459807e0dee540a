/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakers and limits on the real engine: what waits, what is let through, what is kept over a restart and a
 * crash, and the one item that says it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "tests/engine/far_side.h"
#include "tests/support/acts.h"

#define CONNECTOR(name, more) \
	"connector: " name "\nkind: http\nurl: https://" name ".example.com\nmode: live\n" more "operations:\n" \
	"  look: { effect: read, request: { method: GET, path: /look } }\n" \
	"  put: { effect: keyed, request: { method: PUT, path: /put }, reverse: none, retry: { attempts: 2, delay: PT0.001S } }\n" \
	"  send: { effect: unsafe, request: { method: POST, path: /send }, reverse: none }\n"

static const char *const files[] = {
	"connectors/mail.yaml", CONNECTOR("mail", "breaker: { failures: 3, within: PT1M, cool: PT30S }\n"),
	"connectors/shop.yaml", CONNECTOR("shop", ""),
	"connectors/pair.yaml", CONNECTOR("pair", "limits: { concurrent: 2 }\n"),
	"connectors/slow.yaml", CONNECTOR("slow", "limits: { rate: 3/minute }\n"), NULL,
};

/* The engine's clock stands still until the test moves it on. */
static _Atomic int64_t clock_ms;

static int64_t now_ms(void *ctx)
{
	(void)ctx;
	return clock_ms;
}

static int set_up(void **state)
{
	world *w = calloc(1, sizeof *w);
	far_side_new(w, files);
	clock_ms = cs_clock_wall_ms();
	w->opts.clock = (cs_engine_clock){ .now_ms = now_ms };
	far_side_start(w);
	*state = w;
	return 0;
}

/* Until nobody is left to be stepped; what is kept on the far side may still be open. */
static void quiet(world *w)
{
	for (int i = 0, none = 0; none < 3; i++) {
		CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s}", "cmd", "status"));
		none = cs_json_int_or(ok, "ready", 1) == 0 ? none + 1 : 0;
		assert_true(i < 5000);
	}
}

/* Time passes, and the engine looks at its clock. */
static void pass(world *w, int64_t ms)
{
	clock_ms += ms;
	quiet(w);
}

static void assert_breaker(world *w, const char *connector, const char *state)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT state FROM breaker WHERE connector = '%s'", connector);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	assert_string_equal(cs_json_str_or(json_array_get(rows, 0), "state", "closed"), state);
}

static int64_t until_of(world *w)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT until FROM breaker WHERE connector = 'mail'");
	return cs_json_int_or(json_array_get(rows, 0), "until", 0);
}

static int open_items(world *w)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT id FROM item WHERE kind = 'breaker' AND state = 'open'");
	return (int)json_array_size(rows);
}

/* N calls of mail that fail with STATUS, one after the other; FROM effects were begun before. */
static void failures(world *w, int n, int status)
{
	for (int i = 0; i < n; i++) {
		int at = far_side_calls();
		CS_AUTOFREE char *run = far_side_begin(w, "mail.look");
		far_side_await(at + 1);
		far_side_end(at, status == 0 ? CS_OUTCOME_NOT_SENT : CS_OUTCOME_REJECTED, status, "no");
		json_decref(world_await(w, run, "faulted"));
	}
}

static void restart(world *w)
{
	world_stop(w);
	world_start(w);
	quiet(w);
}

static void failures_open_it_and_what_is_blocked_keeps_its_tries(void **state)
{
	world *w = *state;
	failures(w, 3, 0);
	assert_breaker(w, "mail", "open");
	CS_AUTOFREE char *run = far_side_begin(w, "mail.put");
	world_await_blocked(w, run, "breaker");
	CS_AUTOFREE char *other = far_side_begin(w, "shop.look");         /* another connector goes on */
	far_side_await(4);
	far_side_end(3, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, other, "completed"));
	pass(w, until_of(w) - clock_ms - 1);
	assert_int_equal(far_side_calls(), 4);
	pass(w, 1);
	far_side_await(5);
	far_side_end(4, CS_OUTCOME_TRANSIENT, 503, "later");     /* the first of its two tries */
	quiet(w);
	assert_breaker(w, "mail", "open");
	pass(w, until_of(w) - clock_ms);
	far_side_await(6);
	assert_string_equal(far_side_key(4), far_side_key(5));
	far_side_end(5, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	assert_breaker(w, "mail", "closed");
	world_verify(w);
}

/* The failure that opens it was a try all the same, and was the last one. */
static void what_fails_while_it_opens_is_a_try(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "mail.send");
	far_side_await(1);
	failures(w, 3, 0);
	far_side_end(0, CS_OUTCOME_NOT_SENT, 0, "refused");
	json_decref(world_await(w, run, "faulted"));
	assert_breaker(w, "mail", "open");
}

static void what_is_the_callers_own_fault_opens_nothing(void **state)
{
	world *w = *state;
	failures(w, 6, 404);
	assert_breaker(w, "mail", "closed");
	assert_int_equal(world_count(w, "", "breaker.failed"), 0);
	failures(w, 3, 402);
	assert_breaker(w, "mail", "open");
	world_verify(w);
}

static void what_failed_long_ago_does_not_count(void **state)
{
	world *w = *state;
	failures(w, 2, 0);
	pass(w, 60000);
	failures(w, 2, 0);
	assert_breaker(w, "mail", "closed");
	failures(w, 1, 0);
	assert_breaker(w, "mail", "open");
}

static void without_a_word_in_the_file_five_within_a_minute_open_it(void **state)
{
	world *w = *state;
	for (int i = 0; i < 5; i++) {
		assert_breaker(w, "shop", "closed");
		CS_AUTOFREE char *run = far_side_begin(w, "shop.look");
		far_side_await(i + 1);
		far_side_end(i, CS_OUTCOME_NOT_SENT, 0, "no");
		json_decref(world_await(w, run, "faulted"));
	}
	assert_breaker(w, "shop", "open");
	CS_AUTOFREE char *run = far_side_begin(w, "shop.send");
	world_await_blocked(w, run, "breaker");
	pass(w, 29999);
	assert_breaker(w, "shop", "open");
	pass(w, 6001);
	far_side_await(6);
	far_side_end(5, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
}

static void half_open_lets_one_through_and_all_when_it_answers(void **state)
{
	world *w = *state;
	char *runs[5];
	failures(w, 3, 0);
	for (size_t i = 0; i < CS_ARRAY_LEN(runs); i++) {
		runs[i] = far_side_begin(w, "mail.send");
		world_await_blocked(w, runs[i], "breaker");
	}
	pass(w, until_of(w) - clock_ms);
	far_side_await(4);
	quiet(w);
	assert_int_equal(far_side_calls(), 4);
	assert_true(far_side_gate(3));
	far_side_end(3, CS_OUTCOME_REJECTED, 422, "not like this");      /* it answers, and that is what was asked */
	far_side_await(8);
	for (int i = 4; i < 8; i++) {
		assert_true(far_side_gate(i));
		far_side_end(i, CS_OUTCOME_DONE, 0, "");
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(runs); i++) {
		json_decref(world_await(w, runs[i], "completed faulted"));
		free(runs[i]);
	}
	assert_breaker(w, "mail", "closed");
	world_verify(w);
}

static void i12_what_is_about_to_leave_is_stopped_when_it_opens(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "mail.send");
	far_side_await(1);
	assert_true(far_side_gate(0));
	failures(w, 3, 0);
	assert_false(far_side_gate(0));
	far_side_end(0, CS_OUTCOME_NOT_SENT, 0, "held");
	json_decref(world_await(w, run, "waiting"));
	assert_int_equal(world_count(w, "", "breaker.failed"), 2);       /* that was our gate, and no failure */
	pass(w, until_of(w) - clock_ms);
	far_side_await(5);
	assert_true(far_side_gate(4));
	far_side_end(4, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	world_verify(w);
}

static void it_is_the_same_after_a_restart_in_each_state(void **state)
{
	world *w = *state;
	failures(w, 2, 0);
	restart(w);
	failures(w, 1, 0);                   /* the two before it are not forgotten */
	assert_breaker(w, "mail", "open");
	CS_AUTOFREE char *run = far_side_begin(w, "mail.put");
	world_await_blocked(w, run, "breaker");
	restart(w);
	assert_int_equal(far_side_calls(), 3);
	pass(w, until_of(w) - clock_ms);
	far_side_await(4);
	assert_breaker(w, "mail", "half-open");
	CS_AUTOFREE char *second = far_side_begin(w, "mail.put");
	world_await_blocked(w, second, "breaker");
	cs_engine_stop(w->engine, 0);    /* with the one that was let through still open */
	w->engine = NULL;
	far_side_end(3, CS_OUTCOME_DONE, 0, "too late");
	world_start(w);
	quiet(w);
	assert_breaker(w, "mail", "open");                               /* nobody knows: twice as long */
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT trips FROM breaker");
	assert_int_equal(cs_json_int_or(json_array_get(rows, 0), "trips", 0), 2);
	assert_int_equal(open_items(w), 1);
	pass(w, until_of(w) - clock_ms);
	far_side_await(5);
	far_side_end(4, CS_OUTCOME_DONE, 0, "");
	far_side_await(6);
	far_side_end(5, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	json_decref(world_await(w, second, "completed"));
	world_verify(w);
}

static void one_item_says_it_and_closes_by_itself(void **state)
{
	world *w = *state;
	failures(w, 3, 0);
	CS_AUTOJSON json_t *items = world_rows(w, "SELECT title FROM item WHERE kind = 'breaker'");
	assert_int_equal(json_array_size(items), 1);
	assert_string_equal(cs_json_str(json_array_get(items, 0), "title"), "mail: mail.example.com fails, and what goes there waits");
	CS_AUTOFREE char *run = far_side_begin(w, "mail.send");
	pass(w, until_of(w) - clock_ms);
	far_side_await(4);
	far_side_end(3, CS_OUTCOME_NOT_SENT, 0, "still no");
	json_decref(world_await(w, run, "faulted"));
	assert_int_equal(open_items(w), 1);                              /* the same, though it opened again */
	restart(w);
	CS_AUTOFREE char *next = far_side_begin(w, "mail.send");
	pass(w, until_of(w) - clock_ms);
	far_side_await(5);
	far_side_end(4, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, next, "completed"));
	assert_int_equal(open_items(w), 0);
	failures(w, 3, 0);
	assert_int_equal(open_items(w), 1);                              /* another time, another item */
	CS_AUTOJSON json_t *second = world_rows(w, "SELECT id FROM item WHERE kind = 'breaker' AND state = 'open'");
	json_decref(world_decide(w, cs_json_str(json_array_get(second, 0), "id"), json_pack("{s:s}", "verb", "dismiss")));
	CS_AUTOFREE char *last = far_side_begin(w, "mail.send");
	pass(w, until_of(w) - clock_ms);
	far_side_await(9);
	far_side_end(8, CS_OUTCOME_NOT_SENT, 0, "still no");
	json_decref(world_await(w, last, "faulted"));
	assert_int_equal(open_items(w), 0);                              /* put away until it has closed */
	world_verify(w);
}

static void an_approval_is_not_used_up_while_it_is_open(void **state)
{
	world *w = *state;
	failures(w, 3, 0);
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "connector", "name", "mail", "mode", "hold")));
	CS_AUTOFREE char *run = far_side_begin(w, "mail.send");
	world_await_blocked(w, run, "approval");
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	quiet(w);
	assert_int_equal(world_count(w, run, "approval.consumed"), 0);
	pass(w, until_of(w) - clock_ms);
	far_side_await(4);
	far_side_end(3, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	assert_int_equal(world_count(w, run, "approval.consumed"), 1);
	world_verify(w);
}

/* ---- limits ---------------------------------------------------------------------------------------------------- */

static void so_many_are_under_way_at_once_and_no_more(void **state)
{
	world *w = *state;
	char *runs[7];
	for (size_t i = 0; i < CS_ARRAY_LEN(runs); i++)
		runs[i] = far_side_begin(w, i % 2 ? "pair.look" : "pair.send");
	quiet(w);
	for (int i = 0; i < 7; i++) {
		far_side_await(i + 2 < 7 ? i + 2 : 7);
		quiet(w);
		assert_int_equal(far_side_calls(), i + 2 < 7 ? i + 2 : 7);
		far_side_end(i, i == 3 ? CS_OUTCOME_REJECTED : CS_OUTCOME_DONE, 404, "no");
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(runs); i++) {
		json_decref(world_await(w, runs[i], "completed faulted"));
		free(runs[i]);
	}
	world_verify(w);
}

static void a_place_that_is_given_back_is_not_lost_to_one_that_does_not_want_it(void **state)
{
	world *w = *state;
	char *runs[4];
	for (size_t i = 0; i < CS_ARRAY_LEN(runs); i++)
		runs[i] = far_side_begin(w, "pair.look");
	far_side_await(2);
	world_await_blocked(w, runs[2], "limit");
	world_await_blocked(w, runs[3], "limit");
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", runs[2], "verb", "cancel")));
	json_decref(world_await(w, runs[2], "cancelled"));
	far_side_end(0, CS_OUTCOME_DONE, 0, "");
	far_side_await(3);
	far_side_end(1, CS_OUTCOME_DONE, 0, "");
	far_side_end(2, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, runs[3], "completed"));
	for (size_t i = 0; i < CS_ARRAY_LEN(runs); i++)
		free(runs[i]);
}

static void so_many_begin_within_a_span_also_over_a_restart(void **state)
{
	world *w = *state;
	char *runs[5];
	for (int i = 0; i < 5; i++) {
		runs[i] = far_side_begin(w, "slow.look");
		if (i < 3) {
			far_side_await(i + 1);
			far_side_end(i, CS_OUTCOME_DONE, 0, "");
			json_decref(world_await(w, runs[i], "completed"));
			pass(w, 10000);          /* at 0, 10 and 20 s */
		}
	}
	world_await_blocked(w, runs[4], "limit");
	restart(w);
	pass(w, 29999);
	assert_int_equal(far_side_calls(), 3);
	pass(w, 1);                      /* the first is a minute ago */
	far_side_await(4);
	quiet(w);
	assert_int_equal(far_side_calls(), 4);
	pass(w, 10000);
	far_side_await(5);
	far_side_end(3, CS_OUTCOME_DONE, 0, "");
	far_side_end(4, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, runs[3], "completed"));
	json_decref(world_await(w, runs[4], "completed"));
	for (size_t i = 0; i < CS_ARRAY_LEN(runs); i++)
		free(runs[i]);
	world_verify(w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, far_side_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(failures_open_it_and_what_is_blocked_keeps_its_tries),
		TEST(what_fails_while_it_opens_is_a_try),
		TEST(what_is_the_callers_own_fault_opens_nothing),
		TEST(what_failed_long_ago_does_not_count),
		TEST(without_a_word_in_the_file_five_within_a_minute_open_it),
		TEST(half_open_lets_one_through_and_all_when_it_answers),
		TEST(i12_what_is_about_to_leave_is_stopped_when_it_opens),
		TEST(it_is_the_same_after_a_restart_in_each_state),
		TEST(one_item_says_it_and_closes_by_itself),
		TEST(an_approval_is_not_used_up_while_it_is_open),
		TEST(so_many_are_under_way_at_once_and_no_more),
		TEST(a_place_that_is_given_back_is_not_lost_to_one_that_does_not_want_it),
		TEST(so_many_begin_within_a_span_also_over_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
