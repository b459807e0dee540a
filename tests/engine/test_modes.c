/* SPDX-License-Identifier: GPL-3.0-or-later */
/* I12: what a connector's mode and the engine's hold let out, read with the intent and again just before the
 * first byte; by file or by command, the more careful; over restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/outlet.h"
#include "tests/engine/far_side.h"
#include "tests/support/acts.h"
#include "view/view.h"

#define CONNECTOR(name, mode) \
	"connector: " name "\nkind: http\nurl: https://" name ".example.com\nmode: " mode "\noperations:\n" \
	"  look: { effect: read, request: { method: GET, path: /look } }\n" \
	"  put: { effect: keyed, request: { method: PUT, path: /put }, reverse: { call: " name ".back }, retry: { attempts: 2, delay: PT0.01S } }\n" \
	"  send: { effect: unsafe, request: { method: POST, path: /send }, reverse: none }\n" \
	"  order: { effect: unsafe, request: { method: POST, path: /order }, reverse: none, once: '${ \"order\" }' }\n" \
	"  charge: { effect: probe, timeout: PT1S, request: { method: POST, path: /charge }, reverse: none, retry: { attempts: 2 }," \
	" probe: { call: " name ".find, found: '${ .there == true }' } }\n" \
	"  find: { effect: read, timeout: PT1S, request: { method: GET, path: /find } }\n" \
	"  back: { effect: keyed, request: { method: POST, path: /back }, reverse: none }\n"

static const char *const files[] = {
	"connectors/off.yaml", CONNECTOR("shut", "off"),  "connectors/dry.yaml", CONNECTOR("tray", "dry"),
	"connectors/hold.yaml", CONNECTOR("desk", "hold"), "connectors/live.yaml", CONNECTOR("mail", "live"), NULL,
};
static const struct { const char *name; cs_mode mode; } of_files[] = {
	{ "shut", CS_MODE_OFF }, { "tray", CS_MODE_DRY }, { "desk", CS_MODE_HOLD }, { "mail", CS_MODE_LIVE }, { "http", CS_MODE_LIVE },
};

static int set_up(void **state)
{
	world *w = calloc(1, sizeof *w);
	far_side_new(w, files);
	far_side_start(w);
	*state = w;
	return 0;
}

static json_t *say(world *w, const char *name, const char *mode)
{
	return world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "connector", "name", name, "mode", mode));
}

static void hold(world *w, bool on)
{
	json_decref(world_ask(w, json_pack("{s:s, s:b}", "cmd", "hold", "on", (int)on)));
}

static void i12_of_file_and_command_the_more_careful_holds(void **state)
{
	world *w = *state;
	for (size_t i = 0; i < CS_ARRAY_LEN(of_files); i++)
		for (int m = CS_MODE_LIVE; m >= CS_MODE_OFF; m--) {
			CS_AUTOJSON json_t *ok = say(w, of_files[i].name, cs_mode_names[m]);
			cs_mode want = (int)of_files[i].mode < m ? of_files[i].mode : (cs_mode)m;
			assert_string_equal(cs_json_str(ok, "mode"), cs_mode_names[want]);
			assert_string_equal(cs_json_str(ok, "file"), cs_mode_names[of_files[i].mode]);
			int events = world_count(w, "", "connector.mode");
			json_decref(say(w, of_files[i].name, cs_mode_names[m]));     /* the same again is no event */
			assert_int_equal(world_count(w, "", "connector.mode"), events);
		}
	json_decref(world_refused(w, json_pack("{s:s, s:s, s:s}", "cmd", "connector", "name", "nobody", "mode", "off")));
	json_decref(world_refused(w, json_pack("{s:s, s:s, s:s}", "cmd", "connector", "name", "mail", "mode", "on")));
	world_verify(w);
}

static void i12_each_mode_lets_out_what_it_says(void **state)
{
	world *w = *state;
	static const char *const ops[] = { "look", "put", "send" };
	for (size_t i = 0; i < CS_ARRAY_LEN(ops); i++) {
		CS_AUTOFREE char *off = cs_xasprintf("shut.%s", ops[i]);
		CS_AUTOFREE char *hold_ = cs_xasprintf("desk.%s", ops[i]);
		CS_AUTOFREE char *shut = far_side_begin(w, off);
		world_await_blocked(w, shut, "off");
		CS_AUTOFREE char *asks = far_side_begin(w, hold_);
		world_await_blocked(w, asks, "approval");
		CS_AUTOJSON json_t *item = world_item(w);
		CS_AUTOJSON json_t *published = world_event(w, asks, "approval.published");
		assert_string_equal(cs_json_str(published, "rule"), "connector desk/hold");
		assert_int_equal(far_side_calls(), (int)i);
		json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
		far_side_await((int)i + 1);
		assert_true(far_side_gate((int)i));          /* it was let go, and the connector is still on hold */
		far_side_end((int)i, CS_OUTCOME_DONE, 0, "");
		json_decref(world_await(w, asks, "completed"));
	}
	CS_AUTOFREE char *dry = far_side_begin(w, "tray.send");
	json_decref(world_await(w, dry, "completed"));
	assert_int_equal(far_side_calls(), 3);
	world_verify(w);
}

static void what_waits_for_a_connector_that_is_off_names_it(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "shut.send");
	world_await_blocked(w, run, "off");
	CS_AUTOJSON json_t *shown = NULL;
	cs_reader *r = NULL;
	CS_AUTOFREE char *dir = cs_path_join(w->dir, CS_STATE_DIR);
	assert_int_equal(cs_reader_open(dir, &r, NULL), CS_OK);
	assert_int_equal(cs_view_run(r, run, &shown, NULL), CS_OK);
	cs_reader_close(r);
	const json_t *waits = json_array_get(json_object_get(shown, "waits"), 0);
	assert_string_equal(cs_json_str_or(waits, "for", ""), "off");
	assert_string_equal(cs_json_str_or(waits, "connector", ""), "shut");
}

static json_t *resolution(const char *how, const char *value)
{
	json_t *d = json_pack("{s:s, s:s}", "verb", "resolve", "how", how);
	if (value != NULL)
		json_object_set_new(d, "value", world_json(value));
	return d;
}

static json_t *decide(const char *item, json_t *decision)
{
	return json_pack("{s:s, s:s, s:o}", "cmd", "decide", "item", item, "decision", decision);
}

static void what_was_resolved_is_resolved_no_other_way(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "mail.send");
	far_side_await(1);
	far_side_end(0, CS_OUTCOME_AMBIGUOUS, 0, "cut off");
	CS_AUTOJSON json_t *item = world_item(w);
	const char *id = cs_json_str_or(item, "id", "");
	json_decref(world_decide(w, id, resolution("happened", "{'n':1}")));
	json_decref(world_await(w, run, "completed"));
	int events = world_count(w, run, "attempt.resolved") + world_count(w, run, "item.closed");
	CS_AUTOJSON json_t *same = world_ask(w, decide(id, resolution("happened", "{'n':1}")));
	assert_true(cs_json_true(same, "again"));
	CS_AUTOJSON json_t *value = world_refused(w, decide(id, resolution("happened", "{'n':2}")));
	json_decref(world_refused(w, decide(id, resolution("happened", NULL))));
	CS_AUTOJSON json_t *other = world_refused(w, decide(id, resolution("did-not", NULL)));
	CS_AUTOFREE char *says = cs_json_text(value);
	CS_AUTOFREE char *what = cs_json_text(other);
	assert_non_null(strstr(says, "illegal-transition: it is over: already happened with another value by operator:"));
	assert_non_null(strstr(what, "already happened by operator:"));
	assert_int_equal(world_count(w, run, "attempt.resolved") + world_count(w, run, "item.closed"), events);
	world_verify(w);
}

static void i12_a_mode_that_was_said_holds_over_a_restart(void **state)
{
	world *w = *state;
	json_decref(say(w, "mail", "off"));
	CS_AUTOFREE char *run = far_side_begin(w, "mail.send");
	world_await_blocked(w, run, "off");
	world_stop(w);
	world_start(w);
	world_settle(w);
	assert_int_equal(far_side_calls(), 0);
	json_decref(say(w, "mail", "live"));
	far_side_await(1);
	far_side_end(0, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	world_verify(w);
}

static void i12_a_mode_is_asked_again_just_before_the_first_byte(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "mail.send");
	far_side_await(1);
	assert_true(far_side_gate(0));
	json_decref(say(w, "mail", "off"));
	assert_false(far_side_gate(0));
	far_side_end(0, CS_OUTCOME_NOT_SENT, 0, "held");
	world_await_blocked(w, run, "off");
	json_decref(say(w, "mail", "live"));     /* it may be tried once: what was held back is not counted */
	far_side_await(2);
	assert_string_equal(far_side_key(0), far_side_key(1));
	far_side_end(1, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	world_verify(w);
}

static void what_is_held_back_keeps_its_tries(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "mail.put");
	for (int n = 0; n < 3; n++) {
		far_side_await(n + 1);
		json_decref(say(w, "mail", "off"));
		assert_false(far_side_gate(n));
		far_side_end(n, CS_OUTCOME_NOT_SENT, 0, "held");
		json_decref(world_await(w, run, "waiting"));
		if (n == 1) {
			world_stop(w);
			world_start(w);
		}
		json_decref(say(w, "mail", "live"));
	}
	far_side_await(4);
	far_side_end(3, CS_OUTCOME_TRANSIENT, 503, "later");     /* the first of its two */
	far_side_await(5);
	far_side_end(4, CS_OUTCOME_TRANSIENT, 503, "later");
	json_decref(world_await(w, run, "faulted"));
	assert_int_equal(far_side_calls(), 5);
	world_verify(w);
}

static void becomes_a_proposal(world *w, const char *call)
{
	CS_AUTOFREE char *run = far_side_begin(w, call);
	far_side_await(1);
	json_decref(say(w, "mail", "hold"));
	assert_false(far_side_gate(0));
	far_side_end(0, CS_OUTCOME_NOT_SENT, 0, "held");
	world_await_blocked(w, run, "approval");
	CS_AUTOJSON json_t *item = world_item(w);
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	far_side_await(2);
	assert_true(far_side_gate(1));
	assert_string_equal(far_side_key(0), far_side_key(1));
	far_side_end(1, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	world_verify(w);
}

static void i12_on_hold_what_was_about_to_leave_becomes_a_proposal(void **state)
{
	becomes_a_proposal(*state, "mail.send");
}

/* What is open under its business key is itself: it waits for nobody. */
static void on_hold_what_has_a_business_key_is_approved_as_any_other(void **state)
{
	becomes_a_proposal(*state, "mail.order");
}

/* What was begun and is refused has failed: nobody waits for it under its business key. END: how the gate is left. */
static void not_let_go(world *w, const char *end, const char *state)
{
	CS_AUTOFREE char *run = far_side_begin(w, "mail.order");
	far_side_await(1);
	json_decref(say(w, "mail", "hold"));
	assert_false(far_side_gate(0));
	far_side_end(0, CS_OUTCOME_NOT_SENT, 0, "held");
	world_await_blocked(w, run, "approval");
	CS_AUTOJSON json_t *item = world_item(w);
	if (strcmp(end, "cancel") == 0)
		world_control(w, run, end, "not wanted");
	else
		json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:s}", "verb", end, "note", "no")));
	json_decref(world_await(w, run, state));
	assert_int_equal(world_count(w, run, "attempt.failed"), 1);
	assert_int_equal(world_number(w, "SELECT count(*) AS n FROM attempt WHERE state <> 'failed'"), 0);
	json_decref(say(w, "mail", "live"));
	CS_AUTOFREE char *other = far_side_begin(w, "mail.order");
	far_side_await(2);
	assert_string_not_equal(far_side_key(0), far_side_key(1));
	far_side_end(1, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, other, "completed"));
	world_verify(w);
}

static void on_hold_what_is_refused_frees_its_business_key(void **state)
{
	not_let_go(*state, "reject", "faulted");
}

static void on_hold_what_is_cancelled_frees_its_business_key(void **state)
{
	not_let_go(*state, "cancel", "cancelled");
}

/* The wait before another try is shorter. */
static void let_waits_pass(world *w)
{
	CS_AUTOJSON json_t *doc = world_json("{'document':{'dsl':'1.0.3','namespace':'test','name':'w','version':'1.0.0'},'do':[{'w':{'wait':'PT0.2S'}}]}");
	CS_AUTOFREE char *clock = world_run(w, NULL, doc, NULL);
	json_decref(world_await(w, clock, "completed"));
}

static void what_was_begun_is_not_edited_when_it_is_asked_about(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "mail.put");
	far_side_await(1);
	json_decref(say(w, "mail", "hold"));
	assert_false(far_side_gate(0));
	far_side_end(0, CS_OUTCOME_NOT_SENT, 0, "held");
	world_await_blocked(w, run, "approval");
	CS_AUTOJSON json_t *item = world_item(w), *event = world_event(w, run, "approval.published");
	CS_AUTOJSON json_t *allowed = world_json("['accept','reject']");
	assert_true(json_equal(json_object_get(event, "allow"), allowed));
	json_t *edit = json_pack("{s:s, s:s, s:{s:s, s:{s:s}}}", "cmd", "decide", "item", cs_json_str(item, "id"), "decision", "verb", "edit",
				 "value", "text", "another");
	json_decref(world_refused(w, edit));
	json_decref(say(w, "mail", "live"));         /* nobody is asked any more: it goes as it was */
	far_side_await(2);
	assert_string_equal(far_side_key(0), far_side_key(1));
	far_side_end(1, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	world_verify(w);
}

static void what_has_perhaps_happened_is_not_asked_about_as_if_it_had_not(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "mail.put");
	far_side_await(1);
	json_decref(say(w, "mail", "hold"));
	far_side_end(0, CS_OUTCOME_AMBIGUOUS, 0, "reset");
	let_waits_pass(w);
	json_decref(world_await(w, run, "waiting"));
	assert_int_equal(world_count(w, run, "approval.published"), 0);
	assert_int_equal(far_side_calls(), 1);
	json_decref(say(w, "mail", "live"));
	far_side_await(2);
	assert_string_equal(far_side_key(0), far_side_key(1));
	far_side_end(1, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	world_verify(w);
}

/* A fixture in its place would say that it is done, and nobody would ever know. */
static void what_has_perhaps_happened_is_not_answered_by_a_dry_connector(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "mail.put");
	far_side_await(1);
	json_decref(say(w, "mail", "dry"));
	far_side_end(0, CS_OUTCOME_AMBIGUOUS, 0, "reset");
	let_waits_pass(w);
	assert_int_equal(world_count(w, run, "attempt.intent"), 1);
	json_decref(say(w, "mail", "live"));
	far_side_await(2);
	assert_string_equal(far_side_key(0), far_side_key(1));
	far_side_end(1, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	world_verify(w);
}

/* A fixture would say that it is absent, and it would go a second time. */
static void whether_it_happened_is_not_answered_by_a_dry_connector(void **state)
{
	world *w = *state;
	world_file(w, "fixtures/find.yaml", "function: mail.find\nanswers:\n  - give: { there: false }\n");
	world_stop(w);
	world_start(w);
	CS_AUTOFREE char *run = far_side_begin(w, "mail.charge");
	far_side_await(1);
	json_decref(say(w, "mail", "dry"));
	far_side_end(0, CS_OUTCOME_AMBIGUOUS, 0, "reset");
	CS_AUTOJSON json_t *item = world_item(w);
	assert_string_equal(cs_json_str(item, "kind"), "in-doubt");
	assert_int_equal(world_count(w, run, "attempt.retry"), 0);
	assert_int_equal(far_side_calls(), 1);
	world_verify(w);
}

static void i12_the_hold_stops_what_reads_too_and_an_approval_is_not_used_up(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *asked = far_side_begin(w, "desk.send");
	CS_AUTOJSON json_t *item = world_item(w);
	hold(w, true);
	CS_AUTOFREE char *reads = far_side_begin(w, "mail.look");
	world_await_blocked(w, reads, "hold");
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s}", "verb", "approve")));
	world_settle(w);
	assert_int_equal(world_count(w, asked, "approval.consumed"), 0);
	world_stop(w);
	world_start(w);
	world_settle(w);
	assert_int_equal(far_side_calls(), 0);
	assert_int_equal(world_count(w, asked, "approval.consumed"), 0);
	hold(w, false);
	far_side_await(2);
	far_side_end(0, CS_OUTCOME_DONE, 0, "");
	far_side_end(1, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, asked, "completed"));
	json_decref(world_await(w, reads, "completed"));
	assert_int_equal(world_count(w, asked, "approval.consumed"), 1);
	world_verify(w);
}

static void i12_what_is_taken_back_waits_for_the_hold_and_the_mode(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = far_side_begin(w, "mail.put");
	far_side_await(1);
	far_side_end(0, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "completed"));
	hold(w, true);
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "rollback")));
	world_settle(w);
	assert_int_equal(far_side_calls(), 1);
	world_stop(w);
	world_start(w);
	json_decref(say(w, "mail", "off"));
	hold(w, false);
	world_settle(w);
	assert_int_equal(far_side_calls(), 1);
	json_decref(say(w, "mail", "live"));
	far_side_await(2);
	far_side_end(1, CS_OUTCOME_DONE, 0, "");
	json_decref(world_await(w, run, "compensated"));
	world_verify(w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, far_side_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(i12_of_file_and_command_the_more_careful_holds),
		TEST(i12_each_mode_lets_out_what_it_says),
		TEST(what_waits_for_a_connector_that_is_off_names_it),
		TEST(what_was_resolved_is_resolved_no_other_way),
		TEST(i12_a_mode_that_was_said_holds_over_a_restart),
		TEST(i12_a_mode_is_asked_again_just_before_the_first_byte),
		TEST(on_hold_what_is_refused_frees_its_business_key),
		TEST(on_hold_what_is_cancelled_frees_its_business_key),
		TEST(what_is_held_back_keeps_its_tries),
		TEST(i12_on_hold_what_was_about_to_leave_becomes_a_proposal),
		TEST(on_hold_what_has_a_business_key_is_approved_as_any_other),
		TEST(what_was_begun_is_not_edited_when_it_is_asked_about),
		TEST(what_has_perhaps_happened_is_not_asked_about_as_if_it_had_not),
		TEST(what_has_perhaps_happened_is_not_answered_by_a_dry_connector),
		TEST(whether_it_happened_is_not_answered_by_a_dry_connector),
		TEST(i12_the_hold_stops_what_reads_too_and_an_approval_is_not_used_up),
		TEST(i12_what_is_taken_back_waits_for_the_hold_and_the_mode),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
