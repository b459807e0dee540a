/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every path through the agency's flow, on the real engine with its own fixtures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support/acts.h"
#include "view/view.h"

#define DECISIONS_MAX 4

/* One enquiry, what the owner answers in turn, where it ends, and which operations were called. */
static const struct path {
	const char *input, *verbs[DECISIONS_MAX], *stage, *calls;
} paths[] = {
	{ "northwind", { "approve", "approve", "approve" }, "onboarded", "crm.find esign.draft mail.send billing.create board.open crm.save" },
	{ "kestrel", { "approve", "approve", "approve" }, "onboarded", "crm.find esign.draft mail.send billing.create board.open crm.save" },
	{ "northwind", { "reject" }, "shelved", "crm.find crm.save" },
	{ "northwind", { "approve", "reject" }, "withheld", "crm.find esign.draft crm.save" },
	{ "northwind", { "approve", "approve", "reject" }, "onboarded", "crm.find esign.draft mail.send board.open crm.save" },
	{ "harbour", { "approve", "approve", "approve" }, "payment-failed", "crm.find esign.draft mail.send billing.create crm.save" },
	{ "bluebird", { "approve" }, "declined", "crm.find mail.send crm.save" },
	{ "bluebird", { "reject" }, "withheld", "crm.find crm.save" },
	{ "lumen", { "approve" }, "asked", "crm.find mail.send crm.save" },
	{ "oldmill", { "approve", "resolve" }, "asked", "crm.find mail.send crm.save" },
	{ "reader", { NULL }, "subscriber", "mail.subscribe crm.save" },
};

static int set_up(void **state)
{
	world *w = world_for(state, NULL);
	CS_AUTOFREE char *from = cs_xasprintf("%s/workflows/agency/.", getenv("CS_TEST_SRCDIR"));
	const char *argv[] = { "cp", "-R", "--", from, w->dir, NULL };
	cs_child_opts o = { .argv = argv };
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, 4096);
	cs_child_result r;
	assert_int_equal(cs_child_run(&o, "", 0, &out, &out, cs_clock_mono_ns() + INT64_C(5000000000), NULL, &r, NULL), CS_OK);
	world_file(w, "capstan.yaml", "workspace: agency\nmode: simulate\napprovals: { grace: PT0.01S }\n"
				      "flows: { client-onboarding: { subject: '${ $start.email }' } }\n");
	world_start(w);
	return 0;
}

static json_t *input_of(const char *name)
{
	CS_AUTOFREE char *path = cs_xasprintf("%s/workflows/agency/inputs/%s.json", getenv("CS_TEST_SRCDIR"), name);
	CS_AUTOBUF cs_buf text;
	json_t *input = NULL;
	cs_buf_init(&text, 1 << 16);
	assert_int_equal(cs_file_read(path, &text, NULL), CS_OK);
	assert_int_equal(cs_json_parse(cs_buf_str(&text), text.len, &input, NULL), CS_OK);
	return input;
}

/* Gives the one item that waits its answer. */
static void answer(world *w, const char *verb)
{
	CS_AUTOJSON json_t *item = world_item(w);
	const char *id = cs_json_str(item, "id");
	bool doubt = strcmp(cs_json_str_or(item, "kind", ""), "in-doubt") == 0;
	assert_int_equal(doubt, strcmp(verb, "resolve") == 0);
	if (doubt)
		json_decref(world_decide(w, id, json_pack("{s:s, s:s, s:{s:s}}", "verb", verb, "how", "happened", "value", "message_id", "msg_1")));
	else
		json_decref(world_decide(w, id, json_pack("{s:s, s:O}", "verb", verb, "digest", json_object_get(item, "digest"))));
}

/* The connectors' operations of RUN in the order of their first intent. */
static char *calls_of(world *w, const char *run)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT call FROM attempt WHERE run = '%s' AND connector IS NOT NULL AND connector <> '' "
					     "GROUP BY call ORDER BY min(started), min(seq)", run);
	CS_AUTOJSON json_t *rows = world_rows(w, sql);
	cs_buf text;
	size_t i;
	json_t *row;
	cs_buf_init(&text, 4096);
	json_array_foreach(rows, i, row)
		cs_buf_addf(&text, "%s%s", i > 0 ? " " : "", cs_json_str_or(row, "call", "?"));
	return cs_buf_steal(&text);
}

static void check_path(world *w, const struct path *p)
{
	CS_AUTOFREE char *run = world_run(w, "client-onboarding", NULL, input_of(p->input));
	for (size_t i = 0; i < DECISIONS_MAX && p->verbs[i]; i++)
		answer(w, p->verbs[i]);
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	CS_AUTOJSON json_t *fault = world_event(w, run, "run.faulted");
	CS_AUTOFREE char *why = fault ? cs_json_text(fault) : NULL;
	if (why)
		fail_msg("%s faulted: %s", p->input, why);
	CS_AUTOJSON json_t *done = world_event(w, run, "run.completed");
	CS_AUTOFREE char *calls = calls_of(w, run);
	assert_string_equal(cs_json_str_or(json_object_get(done, "output"), "stage", "none"), p->stage);
	assert_string_equal(calls, p->calls);
	assert_true(json_is_true(json_object_get(row, "simulated")) || cs_json_int_or(row, "simulated", 0) == 1);
}

static void every_path_ends_where_its_head_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < CS_ARRAY_LEN(paths); i++) {
		void *w = NULL;
		print_message("%s: %s\n", paths[i].input, paths[i].stage);
		set_up(&w);
		check_path(w, &paths[i]);
		world_verify(w);
		world_tear_down(&w);
	}
}

static void what_the_owner_edits_is_what_goes_on(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "client-onboarding", NULL, input_of("northwind"));
	CS_AUTOJSON json_t *item = world_item(w);
	CS_AUTOJSON json_t *published = world_event(w, run, "approval.published");
	CS_AUTOJSON json_t *value = json_deep_copy(json_object_get(published, "value"));
	json_object_set_new(value, "deposit", json_integer(777));
	json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:O, s:O}", "verb", "edit", "digest",
								       json_object_get(item, "digest"), "value", value)));
	for (int i = 0; i < 3; i++)
		answer(w, "approve");
	CS_AUTOJSON json_t *row = world_await(w, run, "completed faulted");
	assert_string_equal(cs_json_str(row, "state"), "completed");
	CS_AUTOJSON json_t *invoice = world_event(w, run, "approval.published");
	const json_t *reach = json_object_get(json_object_get(invoice, "card"), "reach");
	assert_int_equal(cs_json_int_or(reach, "money", 0), 777);
}

/* Nothing was changed, so nothing may differ: not the proposal, not the edited invoice, not the decision. */
static void a_replay_of_an_edited_run_is_the_same_run(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_run(w, "client-onboarding", NULL, input_of("northwind"));
	static const struct { const char *member; int value; } edits[] = { { "fee", 3000 }, { NULL, 0 }, { "amount", 500 } };
	for (size_t i = 0; i < CS_ARRAY_LEN(edits); i++) {
		CS_AUTOJSON json_t *item = world_item(w);
		CS_AUTOJSON json_t *published = world_event(w, run, "approval.published");
		CS_AUTOJSON json_t *value = json_deep_copy(json_object_get(published, "value"));
		if (edits[i].member) {
			json_object_set_new(value, edits[i].member, json_integer(edits[i].value));
			json_decref(world_decide(w, cs_json_str(item, "id"), json_pack("{s:s, s:O}", "verb", "edit", "value", value)));
		}
		answer(w, "approve");
	}
	json_decref(world_await(w, run, "completed"));
	CS_AUTOJSON json_t *replay = world_ask(w, json_pack("{s:s, s:s}", "cmd", "replay", "run", run));
	const char *shadow = cs_json_str(replay, "run");
	json_decref(world_await(w, shadow, "completed"));
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOFREE char *dir = cs_path_join(w->dir, ".capstan");
	cs_reader *r = NULL;
	assert_int_equal(cs_reader_open(dir, &r, NULL), CS_OK);
	assert_int_equal(cs_view_diff(r, run, shadow, &rows, NULL), CS_OK);
	cs_reader_close(r);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
		if (!json_object_get(row, "summary") && strcmp(cs_json_str_or(row, "change", ""), "same") != 0)
			fail_msg("%s is %s", cs_json_str(row, "task"), cs_json_str(row, "change"));
	assert_true(json_array_size(rows) > 15);
	assert_int_equal(world_count(w, shadow, "attempt.intent"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_ends_where_its_head_says),
		cmocka_unit_test_setup_teardown(what_the_owner_edits_is_what_goes_on, set_up, world_tear_down),
		cmocka_unit_test_setup_teardown(a_replay_of_an_edited_run_is_the_same_run, set_up, world_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
