/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A clock that jumps: nothing that sends leaves, an item says so, time goes on as before, and it all goes on when
 * the clock is back or the operator says that it is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "tests/support/acts.h"

#define HOUR INT64_C(3600000)
#define DOC(body) "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'do':[" body "]}"
#define MAIL DOC("{'m':{'call':'mail.send','with':{'to':'x'}}}")

/* The machine: how far its wall clock is off, and how long it is up more than it is. */
static _Atomic int64_t off, up;
static atomic_int sent;
static atomic_bool stays;            /* the performer keeps the first attempt */
static const cs_effect *kept;
static cs_outcome_fn *kept_done;
static void *kept_ctx;

static int64_t wall(void *ctx)
{
	(void)ctx;
	return cs_clock_wall_ms() + atomic_load(&up) + atomic_load(&off);
}

static int64_t since_boot(void *ctx)
{
	(void)ctx;
	return cs_clock_boot_ms() + atomic_load(&up);
}

static int send_it(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)self;
	(void)err;
	if (atomic_exchange(&stays, false)) {
		kept = e;
		kept_done = done;
		kept_ctx = ctx;
		atomic_fetch_add(&sent, 1);
		return CS_OK;
	}
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = json_object();
	atomic_fetch_add(&sent, 1);
	done(ctx, o);
	return CS_OK;
}

static int set_up(void **state)
{
	world *w = world_for(state, "workspace: test\nmode: live\noperator: { name: tester }\napprovals: { grace: PT0S }\n");
	world_mail(w, send_it);
	w->opts.clock = (cs_engine_clock){ .now_ms = wall, .boot_ms = since_boot, .boot = "first" };
	atomic_store(&off, 0);
	atomic_store(&up, 0);
	atomic_store(&sent, 0);
	atomic_store(&stays, false);
	world_start(w);
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "live")));
	return 0;
}

static void turn(world *w)
{
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "status")));
}

static int items(world *w, const char *state)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) AS n FROM item WHERE kind = 'clock' AND state = '%s'", state);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	return (int)cs_json_int_or(json_array_get(rows, 0), "n", 0);
}

static void assert_title(world *w, const char *says)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT title, next FROM item WHERE kind = 'clock' AND state = 'open'");
	const char *title = cs_json_str_or(json_array_get(rows, 0), "title", "");
	if (strstr(title, says) == NULL)
		fail_msg("%s", title);
	assert_string_equal(cs_json_str_or(json_array_get(rows, 0), "next", ""), "release");
}

/* A run that must not send: it rests, held. */
static char *held(world *w)
{
	int before = atomic_load(&sent);
	char *run = world_begin(w, MAIL);
	json_decref(world_await(w, run, "waiting"));
	CS_AUTOJSON json_t *blocked = world_event(w, run, "run.blocked");
	assert_string_equal(json_string_value(json_array_get(json_object_get(blocked, "on"), 0)), "hold");
	assert_int_equal(atomic_load(&sent), before);
	assert_int_equal(world_count(w, run, "attempt.intent"), 0);
	return run;
}

static void goes(world *w, const char *run)
{
	json_decref(world_await(w, run, "completed"));
	assert_int_equal(items(w, "open"), 0);
	world_verify(w);
}

static void accept_it(world *w, const char *verb)
{
	if (strcmp(verb, "release") == 0) {
		json_decref(world_ask(w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 0)));
		return;
	}
	CS_AUTOJSON json_t *item = world_rows(w, "SELECT id FROM item WHERE kind = 'clock' AND state = 'open'");
	json_decref(world_decide(w, cs_json_str(json_array_get(item, 0), "id"), json_pack("{s:s}", "verb", "dismiss")));
}

static void test_a_jump_holds_what_sends_until_the_operator_says_it_is_right(void **state)
{
	static const struct {
		int64_t jump;
		const char *says, *verb;
	} rows[] = { { 3 * HOUR, "jumped 3h forward", "release" }, { -3 * HOUR, "jumped 3h back", "dismiss" } };
	world *w = *state;
	CS_AUTOFREE char *first = world_begin(w, MAIL);
	goes(w, first);
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		atomic_fetch_add(&off, rows[i].jump);
		CS_AUTOFREE char *run = held(w);
		CS_AUTOFREE char *reads = world_begin(w, DOC("{'l':{'call':'mail.look'}}"));
		json_decref(world_await(w, reads, "completed"));     /* what only reads is not held */
		assert_title(w, rows[i].says);
		assert_int_equal(items(w, "open"), 1);
		accept_it(w, rows[i].verb);
		goes(w, run);
		assert_int_equal(items(w, "closed"), (int)i + 1);
	}
}

static void test_it_goes_on_by_itself_when_the_clock_is_back(void **state)
{
	world *w = *state;
	atomic_store(&off, HOUR);
	CS_AUTOFREE char *run = held(w);
	atomic_store(&off, 60000);           /* near enough */
	turn(w);
	goes(w, run);
	atomic_store(&off, -50000);          /* each less than two minutes from what was followed */
	turn(w);
	atomic_store(&off, 50000);
	turn(w);
	assert_int_equal(items(w, "open"), 0);
	atomic_store(&up, 10 * HOUR);        /* a machine that slept: both have moved */
	CS_AUTOFREE char *more = world_begin(w, MAIL);
	goes(w, more);
}

/* While it is held nothing rings early, and nothing stands still. */
static void test_time_goes_on_as_before_while_it_is_held(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *far = world_begin(w, DOC("{'w':{'wait':'PT2H'}}"));
	json_decref(world_await(w, far, "waiting"));
	for (int sign = -1; sign <= 1; sign += 2) {
		atomic_store(&off, sign * 3 * HOUR);
		turn(w);
		assert_int_equal(items(w, "open"), 1);
		CS_AUTOFREE char *soon = world_begin(w, DOC("{'w':{'wait':'PT0.2S'}}"));
		json_decref(world_await(w, soon, "completed"));
		assert_int_equal(world_count(w, far, "timer.fired"), 0);
		CS_AUTOJSON json_t *rows = world_rows(w, "SELECT max(at) AS at FROM event");
		int64_t at = cs_json_int_or(json_array_get(rows, 0), "at", 0), now = cs_clock_wall_ms();
		assert_true(at > now - 60000 && at < now + 60000);
		atomic_store(&off, 0);
		turn(w);
		assert_int_equal(items(w, "open"), 0);
	}
	atomic_store(&off, 3 * HOUR);
	turn(w);
	json_decref(world_ask(w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 0)));
	json_decref(world_await(w, far, "completed"));       /* it is that late, says the operator */
	world_verify(w);
}

static void test_a_jump_is_seen_just_before_the_first_byte(void **state)
{
	world *w = *state;
	atomic_store(&stays, true);
	CS_AUTOFREE char *run = world_begin(w, MAIL);
	for (int i = 0; i < 1000 && atomic_load(&sent) == 0; i++, usleep(2000))
		;
	assert_true(kept->gate(kept->gate_ctx));
	atomic_store(&off, HOUR);            /* no group was since */
	assert_false(kept->gate(kept->gate_ctx));
	kept_done(kept_ctx, cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_COMMUNICATION, 0, "held", "%s", "held"));
	json_decref(world_await(w, run, "waiting"));
	assert_int_equal(items(w, "open"), 1);
	json_decref(world_ask(w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 0)));
	goes(w, run);
	assert_int_equal(atomic_load(&sent), 2);
}

static void restart(world *w, const char *boot)
{
	world_stop(w);
	w->opts.clock.boot = boot;
	world_start(w);
}

static void test_a_jump_is_held_over_a_restart_and_told_after_one(void **state)
{
	world *w = *state;
	atomic_store(&off, HOUR);
	CS_AUTOFREE char *run = held(w);
	restart(w, "first");
	turn(w);
	assert_int_equal(items(w, "open"), 1);
	assert_int_equal(atomic_load(&sent), 0);
	atomic_store(&off, 0);
	turn(w);
	goes(w, run);
	world_stop(w);                       /* it jumps while no engine runs */
	atomic_store(&off, -HOUR);
	world_start(w);
	CS_AUTOFREE char *next = held(w);
	assert_title(w, "jumped 1h back");
	json_decref(world_ask(w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 0)));
	goes(w, next);
}

/* Each command is an engine of its own where none serves. */
static void test_what_was_said_to_be_right_is_so_for_the_next_engine(void **state)
{
	static const char *const verbs[] = { "release", "dismiss" };
	world *w = *state;
	for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++) {
		int64_t jump = i == 0 ? -24 * HOUR : 3 * HOUR, before = atomic_load(&off);
		world_stop(w);
		atomic_fetch_add(&off, jump);
		world_start(w);
		CS_AUTOFREE char *run = held(w);
		accept_it(w, verbs[i]);
		goes(w, run);
		for (int again = 0; again < 2; again++) {
			restart(w, "first");
			CS_AUTOFREE char *next = world_begin(w, MAIL);
			goes(w, next);
			assert_int_equal(items(w, "closed"), (int)(2 * i) + 1);
		}
		world_stop(w);
		atomic_store(&off, before);          /* what it was is a jump now */
		world_start(w);
		CS_AUTOFREE char *back = held(w);
		assert_title(w, i == 0 ? "jumped 1d forward" : "jumped 3h back");
		accept_it(w, "release");
		goes(w, back);
	}
}

static void test_over_a_boot_a_clock_behind_the_log_is_told(void **state)
{
	world *w = *state;
	world_stop(w);
	atomic_store(&off, 5 * HOUR);        /* forward: it may have been off that long */
	w->opts.clock.boot = "second";
	world_start(w);
	CS_AUTOFREE char *run = world_begin(w, MAIL);
	goes(w, run);
	world_stop(w);
	atomic_store(&off, 0);               /* a battery that is empty */
	w->opts.clock.boot = "third";
	world_start(w);
	CS_AUTOFREE char *next = held(w);
	assert_title(w, "is 5h behind the log");
	restart(w, "third");
	turn(w);
	assert_int_equal(items(w, "open"), 1);
	atomic_store(&off, 5 * HOUR);
	turn(w);
	goes(w, next);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		T(test_a_jump_holds_what_sends_until_the_operator_says_it_is_right),
		T(test_it_goes_on_by_itself_when_the_clock_is_back),
		T(test_time_goes_on_as_before_while_it_is_held),
		T(test_a_jump_is_seen_just_before_the_first_byte),
		T(test_a_jump_is_held_over_a_restart_and_told_after_one),
		T(test_what_was_said_to_be_right_is_so_for_the_next_engine),
		T(test_over_a_boot_a_clock_behind_the_log_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
