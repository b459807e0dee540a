/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked or answered a second time: replays of replays, answers to what is over, a start on
 * a state that has lost something. */
#include "tests/system/live.h"

#include <unistd.h>

#define DECIDE "{'m':{'call':'approve','with':{'title':'t','show':{'a':1},'allow':['accept','reject','edit','respond']}}}"
#define GATE "{'g':{'try':[{'p':{'call':'shop.put','with':{'to':'ann','text':'hi'}}}],'catch':{'as':'e','do':[{'c':{'set':{'why':'${ $e }'}}}]}}}"
#define REST "{'s':{'set':{'d':'${ $tasks.m }','g':'${ $tasks.g }'}}}"

static json_t *output_of(live *v, const char *run)
{
	CS_AUTOJSON json_t *end = live_end(v, run);
	return json_incref(json_object_get(end, "output"));
}

static char *replay(live *v, const char *run)
{
	CS_AUTOJSON json_t *ok = world_ask(&v->w, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
	return cs_xstrdup(cs_json_str(ok, "run"));
}

static void answer(live *v, const char *verb, const char *note)
{
	CS_AUTOJSON json_t *item = world_item(&v->w);
	json_decref(world_decide(&v->w, cs_json_str(item, "id"), json_pack("{s:s, s:s}", "verb", verb, "note", note)));
}

static void test_a_replay_of_a_replay_knows_the_decisions_of_the_first(void **state)
{
	live *v = *state;
	static const char *const verbs[] = { "reject", "approve" };
	for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++) {
		CS_AUTOFREE char *run = live_run(v, FLOW(DECIDE "," GATE "," REST), "{}");
		answer(v, verbs[i], "as I said");
		for (int n = 0; n < 500 && world_count(&v->w, run, "approval.published") < 2; n++)
			usleep(10000);
		answer(v, "reject", "not now");
		CS_AUTOJSON json_t *first = output_of(v, run);
		assert_non_null(first);
		CS_AUTOFREE char *once = replay(v, run);
		CS_AUTOJSON json_t *second = output_of(v, once);
		CS_AUTOFREE char *twice = replay(v, once);
		CS_AUTOJSON json_t *third = output_of(v, twice);
		CS_AUTOFREE char *text = cs_json_text(third);
		if (!cs_json_equal(first, second) || !cs_json_equal(first, third))
			fail_msg("the replay's replay ended with %s", text);
	}
	json_decref(live_sent(v, "/", 0));
}

static void test_a_replay_of_a_replay_keeps_what_was_edited(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW(DECIDE "," "{'s':{'set':{'v':'${ $tasks.m.value }'}}}"), "{}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	CS_AUTOJSON json_t *edited = world_decide(&v->w, cs_json_str(item, "id"), json_pack("{s:s, s:{s:i}}", "verb", "edit", "value", "a", 2));
	json_decref(world_decide(&v->w, cs_json_str(edited, "next"), json_pack("{s:s}", "verb", "approve")));
	CS_AUTOJSON json_t *first = output_of(v, run);
	CS_AUTOFREE char *once = replay(v, run);
	CS_AUTOFREE char *twice = replay(v, once);
	CS_AUTOJSON json_t *third = output_of(v, twice);
	assert_int_equal(json_integer_value(cs_json_get_path(first, "v.a")), 2);
	assert_true(cs_json_equal(first, third));
}

static json_t *decision(const char *item, const char *verb, json_t *value)
{
	json_t *d = json_pack("{s:s}", "verb", verb);
	if (value != NULL)
		json_object_set_new(d, "value", value);
	return json_pack("{s:s, s:s, s:o}", "cmd", "decide", "item", item, "decision", d);
}

static void assert_conflict(live *v, const char *item, const char *verb, json_t *value, const char *word)
{
	CS_AUTOJSON json_t *error = world_refused(&v->w, decision(item, verb, value));
	const char *text = cs_json_str(error, "message");
	if (strstr(text, word) == NULL)
		fail_msg("%s after it was %s: %s", verb, word, text);
}

static void test_an_answer_again_succeeds_and_another_is_told_which_stands(void **state)
{
	live *v = *state;
	static const struct {
		const char *verb, *other, *word;
	} rows[] = { { "approve", "reject", "approved" }, { "reject", "respond", "rejected" }, { "respond", "reject", "answered" } };
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOFREE char *run = live_run(v, FLOW(DECIDE), "{}");
		CS_AUTOJSON json_t *item = world_item(&v->w);
		const char *id = cs_json_str(item, "id");
		json_t *value = strcmp(rows[i].verb, "respond") == 0 ? json_string("x") : NULL;
		json_decref(world_ask(&v->w, decision(id, rows[i].verb, json_incref(value))));
		json_decref(world_await(&v->w, run, "completed"));
		json_decref(world_ask(&v->w, decision(id, rows[i].verb, json_incref(value))));
		assert_conflict(v, id, rows[i].other, NULL, rows[i].word);
		if (value != NULL)
			assert_conflict(v, id, "respond", json_string("y"), "answered");
		json_decref(value);
		assert_int_equal(world_count(&v->w, run, "approval.settled") + world_count(&v->w, run, "approval.consumed"), 1);
	}
}

static void test_a_yes_carries_no_value(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW(DECIDE), "{}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	const char *id = cs_json_str(item, "id");
	assert_conflict(v, id, "approve", json_pack("{s:i}", "a", 3), "edit");
	json_decref(world_ask(&v->w, decision(id, "approve", NULL)));
	CS_AUTOJSON json_t *output = output_of(v, run);
	assert_int_equal(json_integer_value(cs_json_get_path(output, "value.a")), 1);
}

static void assert_unavailable(live *v, const char *says)
{
	cs_diags d;
	cs_diags_init(&d);
	cs_workspace *ws = NULL;
	cs_engine *e = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_workspace_load(v->w.dir, false, &d, &ws, &err), CS_OK);
	cs_diags_fini(&d);
	assert_int_equal(cs_engine_start(ws, &v->w.opts, &e, &err), CS_EUNAVAIL);
	if (strstr(err.msg, says) == NULL)
		fail_msg("%s", err.msg);
}

static void test_a_state_that_lost_something_is_refused_by_name(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *key = cs_xasprintf("%s/%s/key", v->w.dir, CS_STATE_DIR);
	CS_AUTOFREE char *kept = cs_xasprintf("%s.kept", key);
	world_stop(&v->w);
	assert_int_equal(rename(key, kept), 0);
	assert_unavailable(v, "key is gone");
	assert_int_equal(access(key, F_OK), -1);
	assert_int_equal(rename(kept, key), 0);
	world_start(&v->w);
}

/* In doubt, then denied by a rule that is new: the operator's word repeats nothing against it. */
static void test_a_repeat_is_held_to_the_rules_of_today(void **state)
{
	live *v = *state;
	world_file(&v->w, "policies/lost.yaml", "policy: lost\nrules: [ { name: yes, when: { call: shop.lost }, then: allow } ]\n");
	world_stop(&v->w);
	world_start(&v->w);
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.lost','with':{'n':1}}}"), "{}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	json_decref(live_sent(v, "/close", 1));
	world_stop(&v->w);
	world_file(&v->w, "policies/lost.yaml", "policy: lost\nrules: [ { name: no, when: { call: shop.lost }, then: deny, why: Not today. } ]\n");
	world_start(&v->w);
	json_decref(world_decide(&v->w, cs_json_str(item, "id"), json_pack("{s:s, s:s, s:s}", "verb", "resolve", "how", "repeat", "word", "repeat")));
	CS_AUTOJSON json_t *end = live_end(v, run);
	assert_int_equal(cs_json_int_or(json_object_get(end, "error"), "status", 0), 403);
	json_decref(live_sent(v, "/close", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_replay_of_a_replay_knows_the_decisions_of_the_first, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_a_replay_of_a_replay_keeps_what_was_edited, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_an_answer_again_succeeds_and_another_is_told_which_stands, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_a_yes_carries_no_value, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_a_state_that_lost_something_is_refused_by_name, live_set_up, live_tear_down),
		cmocka_unit_test_setup_teardown(test_a_repeat_is_held_to_the_rules_of_today, live_set_up, live_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
