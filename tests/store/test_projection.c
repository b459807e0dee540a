/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The projections: what the fold makes of events, and I9: folding again gives the same bytes. */
#include "tests/store/fixture.h"
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "store/event_types.h"

static void want(const char *dir, const char *sql, const char *value)
{
	CS_AUTOFREE char *have = fixture_value(dir, sql);
	if (!have || !value ? have != value : strcmp(have, value) != 0)
		fail_msg("%s: %s, not %s", sql, have ? have : "(null)", value ? value : "(null)");
}

#define RUN_STATE "SELECT state FROM run WHERE id = '" RUN_A "'"

static void runs_walk_through_the_words_of_the_machine(void **state)
{
	static const struct { const char *type, *json, *state; } steps[] = {
		{ "run.created", "{\"flow\":\"a/b\",\"name\":\"b\",\"version\":\"1\",\"input\":{},\"key\":\"k\",\"key_digest\":\"d\"}", "created" },
		{ "run.started", "{}", "running" }, { "run.blocked", "{}", "waiting" }, { "run.unblocked", "{}", "running" },
		{ "run.pausing", "{}", "pausing" }, { "run.paused", "{}", "paused" },
		{ "run.resumed", "{\"to\":\"waiting\"}", "waiting" }, { "run.resumed", "{}", "running" },
		{ "run.faulted", "{\"error\":{\"title\":\"no\"}}", "faulted" }, { "run.retried", "{}", "running" },
		{ "run.cancelling", "{}", "cancelling" }, { "run.cancelled", "{}", "cancelled" },
	};
	cs_store *s = fixture_open(*state);
	for (size_t i = 0; i < CS_ARRAY_LEN(steps); i++) {
		fixture_event(s, RUN_A, NULL, 0, steps[i].type, cs_json_lenient(steps[i].json));
		want(*state, RUN_STATE, steps[i].state);
		if (strcmp(steps[i].state, "faulted") == 0) {
			want(*state, "SELECT error_title || (ended = updated) FROM run", "no1");
			want(*state, "SELECT end_seq FROM run", "9");
		}
		if (strcmp(steps[i].type, "run.retried") == 0)
			want(*state, "SELECT coalesce(error_title, ended, end_seq, 'none') FROM run", "none");
	}
	want(*state, "SELECT last_seq || ' ' || created_seq || ' ' || input_seq || ' ' || end_seq FROM run", "12 1 1 12");
	want(*state, "SELECT run || digest FROM start_key WHERE key = 'k'", RUN_A "d");
	cs_store_close(s);
}

static void tasks_start_end_and_are_reset_by_a_retry(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_event(s, RUN_A, NULL, 0, "run.created", NULL);
	fixture_event(s, RUN_A, "/do/0/a", 1, "task.completed", NULL);
	want(*state, "SELECT state || (started = ended) || seq FROM task", "completed12");
	fixture_event(s, RUN_A, "/do/1/b", 2, "task.started", NULL);
	fixture_event(s, RUN_A, "/do/1/b", 2, "task.faulted", json_pack("{s:{}}", "error"));
	want(*state, "SELECT state || (started < ended) FROM task WHERE occurrence = 2", "faulted1");
	fixture_event(s, RUN_A, "/do/1/b", 2, "task.caught", NULL);
	want(*state, "SELECT seq FROM task WHERE occurrence = 2", "5");
	fixture_event(s, RUN_A, NULL, 0, "run.retried", NULL);
	want(*state, "SELECT state || coalesce(started, ended, ' none') FROM task WHERE occurrence = 2", "pending none");
	want(*state, "SELECT state FROM task WHERE occurrence = 1", "completed");
	want(*state, "SELECT last_seq FROM run", "6");
	cs_store_close(s);
}

static json_t *key(const char *more)
{
	json_t *v = cs_json_lenient(more);
	json_object_set_new(v, "key", json_string("k1"));
	return v;
}

static void attempts_follow_their_key_and_carry_their_cost(void **state)
{
	cs_store *s = fixture_open(*state);
	const char *t = "/do/0/call";
	fixture_event(s, RUN_A, NULL, 0, "run.created", NULL);
	fixture_event(s, RUN_A, t, 1, "attempt.intent", key("{\"class\":\"unsafe\",\"call\":\"mail.send\",\"n\":1}"));
	want(*state, "SELECT state FROM attempt", "intent");
	fixture_event(s, RUN_A, t, 1, "attempt.ambiguous", key("{\"how\":\"crash\"}"));
	want(*state, "SELECT state FROM attempt", "in-doubt");
	fixture_event(s, RUN_A, t, 1, "attempt.resolved", key("{\"how\":\"did-not\"}"));
	want(*state, "SELECT state || (ended IS NOT NULL) FROM attempt", "failed1");
	fixture_event(s, RUN_A, t, 1, "attempt.intent", key("{\"class\":\"keyed\",\"n\":2}"));
	fixture_event(s, RUN_A, t, 1, "attempt.ambiguous", key("{}"));
	want(*state, "SELECT group_concat(state) FROM attempt", "failed,retry-wait");
	fixture_event(s, RUN_A, t, 1, "attempt.intent", key("{\"class\":\"read\",\"n\":3}"));
	fixture_event(s, RUN_A, t, 1, "attempt.retry", key("{\"due\":\"2026-01-01T00:00:00Z\"}"));
	want(*state, "SELECT due FROM attempt WHERE n = 3", "1767225600000");
	fixture_event(s, RUN_A, t, 1, "attempt.intent", key("{\"n\":4}"));
	fixture_event(s, RUN_A, t, 1, "attempt.done", key("{\"cost\":1500}"));
	want(*state, "SELECT group_concat(state) FROM attempt", "failed,retry-wait,retry-wait,done");
	want(*state, "SELECT attempts || ' ' || cost FROM task", "4 1500");
	want(*state, "SELECT cost FROM run", "1500");
	/* The same key in a shadow run is an attempt of its own; twice in one run it is refused. */
	fixture_event(s, RUN_B, t, 1, "attempt.intent", key("{\"n\":4}"));
	want(*state, "SELECT state FROM attempt WHERE n = 4 AND run = '" RUN_A "'", "done");
	CS_AUTOJSON json_t *again = key("{\"n\":4}");
	cs_event ev = { .run = RUN_A, .task = t, .occurrence = 1, .type = "attempt.intent", .actor = "engine", .data = again };
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	assert_int_equal(cs_store_append(s, &ev, NULL), CS_EREFUSED);
	cs_store_close(s);
}

static json_t *item(const char *id, const char *more)
{
	json_t *v = json_pack("{s:s,s:s,s:s}", "item", id, "kind", "approval", "title", "Send it?");
	CS_AUTOJSON json_t *m = cs_json_lenient(more);
	json_object_update(v, m);
	return v;
}

#define ITEM(columns) "SELECT " columns " FROM item WHERE id = '" ITEM_A "'"

static void items_move_with_their_decisions(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_event(s, RUN_A, "/do/0/a", 1, "approval.proposed", item(ITEM_A, "{\"digest\":\"d\"}"));
	want(*state, ITEM("state"), "proposed");
	fixture_event(s, RUN_A, "/do/0/a", 1, "approval.published", item(ITEM_A, "{\"digest\":\"d\",\"expires\":99,\"call\":\"m\"}"));
	want(*state, ITEM("state || expires || call || published_seq"), "pending99m2");
	fixture_event(s, RUN_A, NULL, 0, "approval.snoozed", item(ITEM_A, "{\"until\":77}"));
	want(*state, ITEM("state || snoozed_until"), "pending77");
	fixture_event(s, RUN_A, NULL, 0, "approval.approved", item(ITEM_A, "{\"by\":\"operator:a\",\"note\":\"ok\",\"grace_until\":123}"));
	want(*state, ITEM("state || decided_by || note || grace_until || decided_seq"), "approvedoperator:aok1234");
	fixture_event(s, RUN_A, NULL, 0, "approval.undone", item(ITEM_A, "{}"));
	want(*state, ITEM("state || coalesce(decided_by, note, grace_until, decided_seq, '')"), "pending");
	fixture_event(s, RUN_A, NULL, 0, "approval.edited", item(ITEM_A, "{\"next\":\"" ITEM_B "\"}"));
	fixture_event(s, RUN_A, NULL, 0, "approval.published", item(ITEM_B, "{\"previous\":\"" ITEM_A "\"}"));
	want(*state, ITEM("state || successor"), "edited" ITEM_B);
	fixture_event(s, RUN_A, NULL, 0, "approval.voided", item(ITEM_B, "{}"));
	want(*state, "SELECT state || previous FROM item WHERE id = '" ITEM_B "'", "void" ITEM_A);
	fixture_event(s, RUN_A, NULL, 0, "item.opened", item("F", "{\"kind\":\"fault\",\"task\":\"/do/1/b\"}"));
	want(*state, "SELECT state || kind || task FROM item WHERE id = 'F'", "openfault/do/1/b");
	fixture_event(s, RUN_A, NULL, 0, "item.closed", item("F", "{\"by\":\"operator:a\",\"how\":\"retry\"}"));
	want(*state, "SELECT state || decided_by || note FROM item WHERE id = 'F'", "closedoperator:aretry");
	cs_store_close(s);
}

static void timers_and_settings_follow_their_events(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_event(s, RUN_A, NULL, 0, "timer.armed", cs_json_lenient("{\"timer\":\"t\",\"due\":5,\"what\":{\"b\":1,\"a\":2}}"));
	want(*state, "SELECT state || due || what FROM timer", "armed5{\"a\":2,\"b\":1}");
	fixture_event(s, RUN_A, NULL, 0, "timer.fired", cs_json_lenient("{\"timer\":\"t\"}"));
	want(*state, "SELECT state FROM timer", "fired");
	fixture_event(s, "", NULL, 0, "engine.hold", cs_json_lenient("{\"on\":true,\"why\":\"panic\"}"));
	fixture_event(s, "", NULL, 0, "connector.mode", cs_json_lenient("{\"name\":\"mail\",\"mode\":\"live\"}"));
	CS_AUTOFREE char *hold = NULL;
	CS_AUTOFREE char *none = NULL;
	assert_int_equal(cs_store_setting(s, "hold", &hold, NULL), CS_OK);
	assert_int_equal(cs_store_setting(s, "live", &none, NULL), CS_OK);
	assert_string_equal(hold, "on");
	assert_null(none);
	fixture_event(s, "", NULL, 0, "engine.hold", cs_json_lenient("{\"on\":false}"));
	fixture_event(s, "", NULL, 0, "engine.live", NULL);
	want(*state, "SELECT group_concat(name || '=' || value, ' ') FROM (SELECT * FROM setting ORDER BY name)",
	     "connector:mail=live hold=off live=on");
	cs_store_close(s);
}

/* ---- I9 -------------------------------------------------------------------------------- */

typedef struct dice {
	uint64_t x;
} dice;

static unsigned roll(dice *d, unsigned n)
{
	d->x ^= d->x << 13;
	d->x ^= d->x >> 7;
	d->x ^= d->x << 17;
	return (unsigned)(d->x >> 33) % n;
}

static json_t *random_data(dice *d)
{
	static const char *const classes[] = { "pure", "read", "keyed", "probe", "unsafe" };
	static const char *const hows[] = { "happened", "did-not", "repeat" };
	char id[32], key_text[32], next[32], timer[32];
	snprintf(id, sizeof id, "item%u", roll(d, 6));
	snprintf(next, sizeof next, "item%u", roll(d, 6));
	snprintf(key_text, sizeof key_text, "key%u", roll(d, 8));
	snprintf(timer, sizeof timer, "timer%u", roll(d, 4));
	json_t *v = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:I,s:I,s:s,s:s,s:s,s:I,s:s,s:s}", "item", id, "kind", "approval",
		"title", "Do it? \xe2\x80\xae", "next", next, "key", key_text, "class", classes[roll(d, 5)], "n",
		(json_int_t)roll(d, 5), "how", hows[roll(d, 3)], "due", (json_int_t)roll(d, 1000), "until",
		(json_int_t)roll(d, 1000), "timer", timer, "name", "mail", "mode", "dry", "cost",
		(json_int_t)roll(d, 50), "note", "a\nb", "flow", "x/y");
	if (roll(d, 4) == 0)
		json_object_set_new(v, "previous", json_string(next));
	if (roll(d, 5) == 0)
		json_object_set_new(v, "input", json_pack("{s:f}", "a", roll(d, 100) / 7.0));
	if (roll(d, 20) == 0) {   /* also texts that lie in the body table */
		CS_AUTOFREE char *text = cs_xcalloc(CS_STORE_INLINE * 2, 1);
		memset(text, 'n', CS_STORE_INLINE + roll(d, 100));
		json_object_set_new(v, roll(d, 2) ? "note" : "title", json_string(text));
	}
	return v;
}

static bool random_event(cs_store *s, dice *d)
{
	char ref[32], run[CS_ID_SIZE];
	snprintf(ref, sizeof ref, "/do/%u/t", roll(d, 4));
	snprintf(run, sizeof run, "01J9ZZZZZZ000000000000000%u", roll(d, 5));
	CS_AUTOJSON json_t *data = random_data(d);
	cs_event ev = { .at = 1000 + cs_store_last_seq(s), .task = roll(d, 4) ? ref : NULL, .occurrence = 1 + (int)roll(d, 3),
			.type = cs_event_type_word((cs_event_type)roll(d, CS_EV_COUNT)), .actor = "operator:\"a\"",
			.simulated = roll(d, 2), .data = data };
	if (roll(d, 10))
		memcpy(ev.run, run, sizeof run);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	if (cs_store_append(s, &ev, NULL)) {   /* contradicts what is there: it happens by chance */
		cs_store_rollback(s);
		return false;
	}
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
	return true;
}

static int collect(void *ctx, const json_t *row)
{
	json_array_append((json_t *)ctx, (json_t *)row);
	return 0;
}

static json_t *differences(const char *dir)
{
	json_t *rows = json_array();
	cs_err err = { 0 };
	if (cs_store_rebuild_check(dir, collect, rows, &err))
		fail_msg("%s", err.msg);
	return rows;
}

static void no_difference(const char *dir)
{
	CS_AUTOJSON json_t *rows = differences(dir);
	if (json_array_size(rows)) {
		CS_AUTOFREE char *text = cs_json_text(rows);
		fail_msg("%s", text);
	}
}

static void i9_folding_the_log_again_gives_the_same_bytes(void **state)
{
	for (unsigned seed = 1; seed <= 4; seed++) {
		dice d = { 0x9e3779b97f4a7c15u * seed };
		cs_store *s = fixture_open(*state);
		int taken = 0;
		for (int i = 0; i < 400; i++)
			taken += random_event(s, &d);
		assert_true(taken > 100);
		no_difference(*state);
		/* All of them in place: the same rows again. */
		assert_int_equal(cs_store_rebuild(s, NULL), CS_OK);
		no_difference(*state);
		cs_store_close(s);
	}
	static const char *const tables[] = { "run", "task", "attempt", "item", "timer", "start_key", "setting" };
	for (size_t i = 0; i < CS_ARRAY_LEN(tables); i++) {
		CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) > 0 FROM %s", tables[i]);
		want(*state, sql, "1");
	}
}

static void a_projection_changed_by_hand_is_named_and_mended(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_event(s, RUN_A, NULL, 0, "run.created", NULL);
	fixture_fill(s, 3);
	cs_store_close(s);
	fixture_sql(*state, "UPDATE task SET state = 'faulted' WHERE occurrence = 2; DELETE FROM task WHERE occurrence = 3;"
			    "INSERT INTO setting VALUES ('live', 'on')");
	CS_AUTOJSON json_t *rows = differences(*state);
	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(cs_json_str(cs_json_get_path(rows, "0.have"), "state"), "faulted");
	assert_string_equal(cs_json_str(cs_json_get_path(rows, "0.want"), "state"), "completed");
	assert_true(json_is_null(cs_json_get_path(rows, "1.have")));
	assert_true(json_is_null(cs_json_get_path(rows, "2.want")));
	assert_string_equal(cs_json_str(json_array_get(rows, 2), "table"), "setting");
	s = fixture_open(*state);
	assert_int_equal(cs_store_rebuild(s, NULL), CS_OK);
	cs_store_close(s);
	no_difference(*state);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(runs_walk_through_the_words_of_the_machine), T(tasks_start_end_and_are_reset_by_a_retry),
		T(attempts_follow_their_key_and_carry_their_cost), T(items_move_with_their_decisions),
		T(timers_and_settings_follow_their_events), T(i9_folding_the_log_again_gives_the_same_bytes),
		T(a_projection_changed_by_hand_is_named_and_mended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
