/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The read models over a log such as the engine writes: keys, order, meaning. */
#include "tests/store/fixture.h"
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "store/event_types.h"
#include "view/view.h"

#define MISSING "01J9ZZZZZZ0000000000000009"
static const char send_ref[] = "/do/1/send", loop_ref[] = "/do/0/each", step_ref[] = "/do/0/each/do/0/step";

static void event(cs_store *s, const char *run, const char *task, int occurrence, const char *type, const char *json)
{
	fixture_event(s, run, task, occurrence, type, cs_json_lenient(json));
}

static void create(cs_store *s, const char *run, const char *more)
{
	static const char definition[] =
		"{\"flow\":{\"do\":[{\"each\":{\"for\":{\"in\":\"x\"},\"do\":[{\"step\":{\"set\":{}}}]}},{\"send\":{\"call\":\"mail.send\"}}]}}";
	char hex[CS_HEX_SIZE];
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	assert_int_equal(cs_store_put_body(s, definition, sizeof definition - 1, hex, NULL), CS_OK);
	json_t *data = json_pack("{s:s,s:s,s:s,s:s,s:{s:i}}", "flow", "shop/order", "name", "order", "version", "1.0.0",
				 "definition", hex, "input", "n", 7);
	CS_AUTOJSON json_t *extra = cs_json_lenient(more);
	json_object_update(data, extra);
	fixture_append(s, run, NULL, 0, "run.created", data);
	fixture_append(s, run, NULL, 0, "run.started", NULL);
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
}

/* A loop of two turns, then a call that waits at its gate, is approved, goes out and is done. */
static void run_to_gate(cs_store *s, const char *run)
{
	create(s, run, "{\"subject\":\"northwind\"}");
	event(s, run, loop_ref, 1, "task.started", "{}");
	event(s, run, step_ref, 1, "task.completed", "{\"output\":1}");
	event(s, run, step_ref, 2, "task.completed", "{\"output\":2}");
	event(s, run, loop_ref, 1, "task.completed", "{\"output\":2}");
	event(s, run, send_ref, 1, "task.started", "{\"call\":\"mail.send\",\"args\":{\"to\":\"a\"}}");
	event(s, run, send_ref, 1, "approval.published",
	      "{\"item\":\"" ITEM_A "\",\"kind\":\"approval\",\"title\":\"Send it\",\"digest\":\"dd\",\"call\":\"mail.send\","
	      "\"value\":{\"to\":\"a\"},\"allow\":[\"accept\",\"reject\"],\"rule\":\"policy p/q\",\"why\":\"money\",\"grace\":30000,"
	      "\"expires\":1700009999000,\"taint\":[\"to\"],\"proposer\":\"engine\",\"card\":{\"will_do\":\"mail.send\",\"as\":\"me@x\",\"body\":\"Dear\"}}");
}

static void run_on(cs_store *s, const char *run)
{
	fixture_event(s, run, NULL, 0, "approval.approved",
		      json_pack("{s:s,s:s,s:s,s:I}", "item", ITEM_A, "by", "operator:ann", "note", "fine", "grace_until", (json_int_t)1700000030000));
	event(s, run, send_ref, 1, "approval.consumed", "{\"item\":\"" ITEM_A "\"}");
	event(s, run, send_ref, 1, "attempt.intent",
	      "{\"key\":\"k1\",\"digest\":\"d1\",\"call\":\"mail.send\",\"class\":\"unsafe\",\"n\":1,\"approval\":\"" ITEM_A "\",\"rule\":\"policy p/q\"}");
	event(s, run, send_ref, 1, "attempt.done", "{\"key\":\"k1\",\"cost\":250,\"result\":{\"id\":5}}");
	event(s, run, send_ref, 1, "task.completed", "{\"output\":{\"id\":5}}");
	event(s, run, NULL, 0, "run.completed", "{\"output\":{\"id\":5}}");
}

static cs_reader *reader(const char *dir)
{
	cs_reader *r;
	cs_err err;
	if (cs_reader_open(dir, &r, &err))
		fail_msg("%s", err.msg);
	return r;
}

static void want(const json_t *v, const char *path, const char *json)
{
	CS_AUTOJSON json_t *expected = cs_json_lenient(json);
	const json_t *have = cs_json_get_path(v, path);
	if (!have || !cs_json_equal(have, expected)) {
		CS_AUTOFREE char *text = have ? cs_json_text(have) : NULL;
		fail_msg("%s: %s, not %s", path, text ? text : "(absent)", json);
	}
}

static void want_keys(const json_t *v, const char *keys)
{
	CS_AUTOFREE char *copy = cs_xstrdup(keys);
	char *save = NULL;
	for (char *k = strtok_r(copy, " ", &save); k; k = strtok_r(NULL, " ", &save)) {
		if (!json_object_get(v, k))
			fail_msg("there is no %s", k);
	}
}

static void runs_have_the_promised_keys_and_pages(void **state)
{
	cs_store *s = fixture_open(*state);
	run_to_gate(s, RUN_A);
	run_on(s, RUN_A);
	create(s, RUN_B, "{\"parent\":\"" RUN_A "\"}");
	cs_store_close(s);
	cs_reader *r = reader(*state);
	CS_AUTOJSON json_t *all = NULL;
	CS_AUTOJSON json_t *page = NULL;
	CS_AUTOJSON json_t *done = NULL;
	CS_AUTOJSON json_t *none = NULL;
	assert_int_equal(cs_view_runs(r, NULL, NULL, 10, &all, NULL), CS_OK);
	assert_int_equal(json_array_size(all), 2);
	want_keys(json_array_get(all, 1), "run flow version state started ended input output error parent simulated cost");
	want(all, "0.run", "\"" RUN_B "\"");
	want(all, "0.parent", "\"" RUN_A "\"");
	want(all, "0.ended", "null");
	want(all, "1.state", "completed");
	want(all, "1.input", "{\"n\":7}");
	want(all, "1.output", "{\"id\":5}");
	want(all, "1.cost", "250");
	want(all, "1.simulated", "false");
	want(all, "1.started", "\"2023-11-14T22:13:20.010Z\"");
	assert_int_equal(cs_view_runs(r, NULL, RUN_B, 1, &page, NULL), CS_OK);
	want(page, "0.run", "\"" RUN_A "\"");
	cs_view_filter completed = { .state = "completed", .flow = "order" }, other = { .flow = "no/such" };
	assert_int_equal(cs_view_runs(r, &completed, NULL, 10, &done, NULL), CS_OK);
	assert_int_equal(json_array_size(done), 1);
	assert_int_equal(cs_view_runs(r, &other, NULL, 10, &none, NULL), CS_OK);
	assert_int_equal(json_array_size(none), 0);
	json_t *no = NULL;
	assert_int_equal(cs_view_run(r, MISSING, &no, NULL), CS_ENOTFOUND);
	assert_null(no);
	cs_reader_close(r);
}

static void a_faulted_run_says_its_error(void **state)
{
	cs_store *s = fixture_open(*state);
	create(s, RUN_A, "{}");
	event(s, RUN_A, NULL, 0, "run.faulted", "{\"task\":\"/do/1/send\",\"error\":{\"title\":\"no\",\"status\":500}}");
	event(s, RUN_A, NULL, 0, "item.opened", "{\"item\":\"" ITEM_A "\",\"kind\":\"fault\",\"title\":\"order faulted\",\"task\":\"/do/1/send\"}");
	cs_store_close(s);
	cs_reader *r = reader(*state);
	CS_AUTOJSON json_t *run = NULL;
	CS_AUTOJSON json_t *inbox = NULL;
	assert_int_equal(cs_view_run(r, RUN_A, &run, NULL), CS_OK);
	want(run, "state", "faulted");
	want(run, "error.status", "500");
	want(run, "output", "null");
	want(run, "items.0.id", "\"" ITEM_A "\"");
	assert_int_equal(cs_view_inbox(r, false, &inbox, NULL), CS_OK);
	want(inbox, "0.kind", "fault");
	want(inbox, "0.task", "\"/do/1/send\"");
	want(inbox, "0.next", "\"retry or cancel\"");
	cs_reader_close(r);
}

/* One fault at the call, after an attempt that ended as TYPE; the item that the operator sees. */
static json_t *fault_after(const char *dir, const char *class, const char *type, const char *error)
{
	cs_store *s = fixture_open(dir);
	json_t *inbox = NULL;
	create(s, RUN_A, "{}");
	event(s, RUN_A, send_ref, 1, "task.started", "{}");
	fixture_event(s, RUN_A, send_ref, 1, "attempt.intent",
		      json_pack("{s:s, s:s, s:s, s:s, s:i}", "key", "k1", "digest", "d1", "call", "mail.send", "class", class, "n", 1));
	event(s, RUN_A, send_ref, 1, type, "{\"key\":\"k1\",\"error\":{\"title\":\"no\"},\"result\":1}");
	fixture_event(s, RUN_A, NULL, 0, "run.faulted", json_pack("{s:o, s:s}", "error", cs_json_lenient(error), "task", send_ref));
	fixture_event(s, RUN_A, NULL, 0, "item.opened", json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "item", ITEM_A, "kind", "fault", "title", "order faulted",
								  "next", "retry", "error", cs_json_lenient(error), "at", send_ref));
	cs_store_close(s);
	cs_reader *r = reader(dir);
	CS_AUTOJSON json_t *run = NULL;
	assert_int_equal(cs_view_inbox(r, false, &inbox, NULL), CS_OK);
	assert_int_equal(cs_view_run(r, RUN_A, &run, NULL), CS_OK);
	cs_reader_close(r);
	const json_t *item = json_array_get(inbox, 0);
	assert_true(json_equal(json_object_get(run, "happened"), json_object_get(item, "happened")));      /* the run says the same */
	assert_true(json_equal(json_object_get(run, "last_seq"), json_object_get(item, "run_seq")));
	return inbox;
}

#define ERROR(word) "{\"type\":\"https://example.com/errors/" word "\",\"title\":\"T\",\"status\":400}"

static void a_fault_after_an_answer_says_first_that_it_has_happened(void **state)
{
	CS_AUTOJSON json_t *inbox = fault_after(*state, "unsafe", "attempt.done", ERROR("validation"));
	want(inbox, "0.happened", "\"mail.send\"");
	want(inbox, "0.step", "\"happened\"");
	want(inbox, "0.next", "\"it has happened: look there before a retry\"");
}

static void a_fault_of_what_was_refused_says_what_mends_it(void **state)
{
	CS_AUTOJSON json_t *inbox = fault_after(*state, "unsafe", "attempt.failed", ERROR("communication"));
	want(inbox, "0.happened", "null");
	want(inbox, "0.next", "\"retry\"");
}

static void a_reply_that_says_it_failed_has_not_happened(void **state)
{
	CS_AUTOJSON json_t *inbox = fault_after(*state, "keyed", "attempt.done", ERROR("communication"));
	want(inbox, "0.happened", "null");
}

static void a_fault_of_what_it_was_given_names_the_correction(void **state)
{
	CS_AUTOJSON json_t *inbox = fault_after(*state, "read", "attempt.done", ERROR("validation"));
	want(inbox, "0.happened", "null");
	want(inbox, "0.step", "\"correct\"");
	want(inbox, "0.next", "\"correct, then retry\"");
}

static void fault(cs_store *s, int n, const char *at, const char *error)
{
	CS_AUTOFREE char *run = cs_xasprintf("01J9ZZZZZZ000000000000010%d", n);
	CS_AUTOFREE char *item = cs_xasprintf("01J9ZZZZZZ00000000000002C%d", n);
	create(s, run, "{}");
	fixture_event(s, run, NULL, 0, "run.faulted", json_pack("{s:o, s:s}", "error", cs_json_lenient(error), "task", at));
	fixture_event(s, run, NULL, 0, "item.opened", json_pack("{s:s, s:s, s:s, s:o, s:s}", "item", item, "kind", "fault", "title",
								"order faulted: no", "error", cs_json_lenient(error), "at", at));
}

static void faults_of_one_cause_are_one_row_and_others_are_not(void **state)
{
	static const char no[] = "{\"title\":\"no\",\"status\":500,\"detail\":\"a\"}", no_too[] = "{\"title\":\"no\",\"status\":500,\"detail\":\"b\"}";
	cs_store *s = fixture_open(*state);
	fault(s, 1, send_ref, no);
	fault(s, 2, send_ref, no_too);                                    /* what it says in detail is its own */
	fault(s, 3, step_ref, no);                                        /* another place */
	fault(s, 4, send_ref, "{\"title\":\"no\",\"status\":503}");       /* another error */
	fault(s, 5, send_ref, no);
	fault(s, 6, send_ref, no);
	event(s, "01J9ZZZZZZ0000000000000106", NULL, 0, "item.closed", "{\"item\":\"01J9ZZZZZZ00000000000002C6\",\"how\":\"dismissed\"}");
	cs_store_close(s);
	cs_reader *r = reader(*state);
	CS_AUTOJSON json_t *all = NULL;
	CS_AUTOJSON json_t *row = NULL;
	CS_AUTOJSON json_t *alone = NULL;
	json_t *none = NULL;
	assert_int_equal(cs_view_inbox(r, true, &all, NULL), CS_OK);
	CS_AUTOJSON json_t *rows = cs_view_by_cause(all);
	assert_int_equal(json_array_size(all), 6);
	assert_int_equal(json_array_size(rows), 4);               /* one, two of their own, one that is closed */
	want(rows, "0.count", "3");
	want(rows, "0.at", "\"/do/1/send\"");
	want(rows, "0.ids", "[\"01J9ZZZZZZ00000000000002C1\",\"01J9ZZZZZZ00000000000002C2\",\"01J9ZZZZZZ00000000000002C5\"]");
	assert_int_equal(cs_view_cause_of(r, "01J9ZZZZZZ00000000000002C5", &row, NULL), CS_OK);
	want(row, "runs", "[\"01J9ZZZZZZ0000000000000101\",\"01J9ZZZZZZ0000000000000102\",\"01J9ZZZZZZ0000000000000105\"]");
	assert_int_equal(cs_view_cause_of(r, "01J9ZZZZZZ00000000000002C3", &alone, NULL), CS_OK);
	assert_null(json_object_get(alone, "runs"));
	assert_int_equal(cs_view_cause_of(r, "01J9ZZZZZZ00000000000002C6", &none, NULL), CS_ENOTFOUND);
	cs_reader_close(r);
}

static void the_inbox_shows_what_waits_and_an_item_its_whole_card(void **state)
{
	cs_store *s = fixture_open(*state);
	run_to_gate(s, RUN_A);
	cs_reader *r = reader(*state);
	CS_AUTOJSON json_t *inbox = NULL;
	CS_AUTOJSON json_t *open = NULL;
	CS_AUTOJSON json_t *after = NULL;
	CS_AUTOJSON json_t *all = NULL;
	CS_AUTOJSON json_t *decided = NULL;
	assert_int_equal(cs_view_inbox(r, false, &inbox, NULL), CS_OK);
	assert_int_equal(json_array_size(inbox), 1);
	want_keys(json_array_get(inbox, 0), "id kind title run flow task state digest created expires next");
	want(inbox, "0.flow", "\"shop/order\"");
	want(inbox, "0.subject", "northwind");
	want(inbox, "0.word", "null");
	assert_int_equal(cs_view_item(r, ITEM_A, &open, NULL), CS_OK);
	want(open, "value", "{\"to\":\"a\"}");
	want(open, "allow", "[\"accept\",\"reject\"]");
	want(open, "card.as", "\"mail.send as me@x\"");
	want(open, "card.why", "\"policy p/q: money\"");
	want(open, "card.body", "Dear");
	want(open, "card.undo", "\"30s after the decision; then none\"");
	want(open, "card.from", "\"untrusted: to; proposed by engine\"");
	want(open, "history.0.type", "approval.published");
	run_on(s, RUN_A);
	assert_int_equal(cs_view_inbox(r, false, &after, NULL), CS_OK);
	assert_int_equal(json_array_size(after), 0);
	assert_int_equal(cs_view_inbox(r, true, &all, NULL), CS_OK);
	want(all, "0.word", "approved");
	assert_int_equal(cs_view_item(r, ITEM_A, &decided, NULL), CS_OK);
	want(decided, "by", "\"operator:ann\"");
	want(decided, "note", "fine");
	want(decided, "history.1.says", "\"operator:ann approved it: fine\"");
	assert_int_equal(json_array_size(json_object_get(decided, "history")), 3);
	json_t *no = NULL;
	assert_int_equal(cs_view_item(r, MISSING, &no, NULL), CS_ENOTFOUND);
	cs_reader_close(r);
	cs_store_close(s);
}

static void the_trace_is_a_tree_in_the_order_things_began(void **state)
{
	cs_store *s = fixture_open(*state);
	run_to_gate(s, RUN_A);
	cs_reader *r = reader(*state);
	CS_AUTOJSON json_t *waiting = NULL;
	CS_AUTOJSON json_t *done = NULL;
	CS_AUTOJSON json_t *events = NULL;
	assert_int_equal(cs_view_trace(r, RUN_A, &waiting, NULL), CS_OK);
	want(waiting, "3.state", "waiting");
	want(waiting, "3.approval.state", "pending");
	run_on(s, RUN_A);
	assert_int_equal(cs_view_trace(r, RUN_A, &done, NULL), CS_OK);
	assert_int_equal(json_array_size(done), 4);
	static const struct { const char *path, *json; } cells[] = {
		{ "0.ref", "\"/do/0/each\"" }, { "0.depth", "0" }, { "0.kind", "for" }, { "0.name", "each" }, { "0.state", "completed" },
		{ "1.depth", "1" }, { "1.occurrence", "1" }, { "1.kind", "set" }, { "2.occurrence", "2" }, { "2.output", "2" },
		{ "3.ref", "\"/do/1/send\"" }, { "3.depth", "0" }, { "3.kind", "call" }, { "3.call", "mail.send" }, { "3.attempts", "1" },
		{ "3.cost", "250" }, { "3.state", "completed" }, { "3.actor", "engine" }, { "3.error", "null" },
		{ "3.approval.by", "\"operator:ann\"" }, { "3.approval.state", "consumed" }, { "3.input", "{\"to\":\"a\"}" },
		{ "3.seq", "13" }, { "3.first_seq", "7" }, { "3.simulated", "false" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(cells); i++)
		want(done, cells[i].path, cells[i].json);
	assert_int_equal(cs_view_events(r, RUN_A, send_ref, &events, NULL), CS_OK);
	assert_int_equal(json_array_size(events), 6);
	want_keys(json_array_get(events, 0), "seq run task type at actor cause simulated data hash");
	json_t *no = NULL;
	assert_int_equal(cs_view_trace(r, MISSING, &no, NULL), CS_ENOTFOUND);
	assert_int_equal(cs_view_events(r, MISSING, NULL, &no, NULL), CS_ENOTFOUND);
	cs_reader_close(r);
	cs_store_close(s);
}

static void a_turn_hangs_below_its_own_loop(void **state)
{
	static const char inner[] = "/do/0/each/do/0/inner", leaf[] = "/do/0/each/do/0/inner/do/0/leaf";
	cs_store *s = fixture_open(*state);
	create(s, RUN_A, "{}");
	event(s, RUN_A, loop_ref, 1, "task.started", "{}");
	for (int i = 1; i <= 2; i++) {
		event(s, RUN_A, inner, i, "task.started", "{}");
		event(s, RUN_A, leaf, i, "task.faulted", "{\"error\":{\"title\":\"x\"}}");
	}
	cs_store_close(s);
	cs_reader *r = reader(*state);
	CS_AUTOJSON json_t *rows = NULL;
	assert_int_equal(cs_view_trace(r, RUN_A, &rows, NULL), CS_OK);
	static const struct { const char *path, *json; } cells[] = {
		{ "1.name", "inner" }, { "1.occurrence", "1" }, { "2.name", "leaf" }, { "2.occurrence", "1" }, { "2.depth", "2" },
		{ "3.name", "inner" }, { "3.occurrence", "2" }, { "4.name", "leaf" }, { "4.occurrence", "2" }, { "4.error.title", "x" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(cells); i++)
		want(rows, cells[i].path, cells[i].json);
	cs_reader_close(r);
}

/* TEXT with its first %s become WORD. */
static char *filled(const char *text, const char *word)
{
	const char *at = strstr(text, "%s");
	return at ? cs_xasprintf("%.*s%s%s", (int)(at - text), text, word, at + 2) : cs_xstrdup(text);
}

/* What takes a task back is attempts of the task: they leave it taken back, not running. */
static void a_task_that_is_taken_back_says_so_in_the_trace(void **state)
{
	static const char call[] = "{\"key\":\"%s\",\"digest\":\"d\",\"call\":\"%s\",\"class\":\"keyed\"}";
	static const char error[] = "{\"key\":\"%s\",\"error\":{\"title\":\"%s\"}}";
	static const struct { const char *type, *data, *a, *b, *state; } steps[] = {
		{ "task.started", "{}", "", "", "running" }, { "attempt.intent", call, "K1", "shop.order", "running" },
		{ "attempt.done", "{\"key\":\"%s\"}", "K1", "", "running" }, { "task.completed", "{}", "", "", "completed" },
		{ "reversal.begun", call, "K1", "shop.void", "compensating" }, { "attempt.intent", call, "K2", "shop.void", "compensating" },
		{ "attempt.failed", error, "K2", "x", "compensating" }, { "reversal.failed", error, "K1", "x", "stuck" },
		{ "reversal.waived", "{\"key\":\"%s\",\"why\":\"%s\"}", "K1", "by hand", "completed" },
		{ "reversal.begun", call, "K1", "shop.void", "compensating" }, { "attempt.intent", call, "K3", "shop.void", "compensating" },
		{ "attempt.done", "{\"key\":\"%s\"}", "K3", "", "compensating" }, { "reversal.reversed", "{\"key\":\"%s\"}", "K1", "", "compensated" },
	};
	cs_store *s = fixture_open(*state);
	create(s, RUN_A, "{}");
	cs_reader *r = reader(*state);
	for (size_t i = 0; i < CS_ARRAY_LEN(steps); i++) {
		CS_AUTOJSON json_t *rows = NULL;
		CS_AUTOFREE char *first = filled(steps[i].data, steps[i].a), *data = filled(first, steps[i].b);
		event(s, RUN_A, send_ref, 1, steps[i].type, data);
		assert_int_equal(cs_view_trace(r, RUN_A, &rows, NULL), CS_OK);
		want(rows, "0.state", steps[i].state);
	}
	CS_AUTOJSON json_t *end = NULL;
	assert_int_equal(cs_view_trace(r, RUN_A, &end, NULL), CS_OK);
	want(end, "0.error", "null");
	cs_reader_close(r);
	cs_store_close(s);
}

static void why_walks_from_the_effect_to_its_root(void **state)
{
	cs_store *s = fixture_open(*state);
	run_to_gate(s, RUN_A);
	run_on(s, RUN_A);
	cs_store_close(s);
	cs_reader *r = reader(*state);
	CS_AUTOJSON json_t *chain = NULL;
	assert_int_equal(cs_view_why(r, 11, &chain, NULL), CS_OK);
	assert_int_equal(json_array_size(chain), 11);
	want(chain, "0.type", "attempt.intent");
	want(chain, "0.says", "\"the engine set out to do mail.send (unsafe), allowed by policy p/q, approved as item " ITEM_A "\"");
	want(chain, "3.says", "\"Send it was put before the operator because policy p/q asks: money, proposed by engine\"");
	want(chain, "10.says", "\"engine began a run of shop/order 1.0.0\"");
	want(chain, "10.cause", "0");
	json_t *no = NULL;
	assert_int_equal(cs_view_why(r, 99, &no, NULL), CS_ENOTFOUND);
	assert_int_equal(cs_view_why(r, 0, &no, NULL), CS_ENOTFOUND);
	assert_null(no);
	cs_reader_close(r);
}

static void every_type_of_event_has_its_sentence(void **state)
{
	(void)state;
	for (int t = 0; t < CS_EV_COUNT; t++) {
		cs_event ev = { .type = cs_event_type_word((cs_event_type)t), .actor = "engine", .task = "/do/0/a" };
		CS_AUTOJSON json_t *says = cs_view_says(&ev);
		const char *text = json_string_value(says);
		if (strcmp(text, ev.type) == 0 || strpbrk(text, "{}[]"))
			fail_msg("%s: %s", ev.type, text);
	}
	CS_AUTOFREE char *note = cs_xcalloc(5000, 1);
	memset(note, 'n', 4999);
	CS_AUTOJSON json_t *data = json_pack("{s:s,s:s}", "note", note, "by", "\xc3\xa9");
	cs_event ev = { .type = "approval.approved", .actor = "engine", .data = data };
	CS_AUTOJSON json_t *says = cs_view_says(&ev);
	assert_true(json_string_length(says) < 300);
}

/* B is a replay of A: the second turn differs, the call is captured, one task is new. */
static void the_difference_names_what_changed_and_where_it_began(void **state)
{
	cs_store *s = fixture_open(*state);
	run_to_gate(s, RUN_A);
	run_on(s, RUN_A);
	create(s, RUN_B, "{\"parent\":\"" RUN_A "\"}");
	event(s, RUN_B, loop_ref, 1, "task.started", "{}");
	event(s, RUN_B, step_ref, 1, "task.completed", "{\"output\":1.0}");
	event(s, RUN_B, step_ref, 2, "task.completed", "{\"output\":3}");
	event(s, RUN_B, step_ref, 3, "task.completed", "{\"output\":4}");
	event(s, RUN_B, send_ref, 1, "task.started", "{\"call\":\"mail.send\"}");
	event(s, RUN_B, send_ref, 1, "attempt.captured", "{\"digest\":\"d2\",\"call\":\"mail.send\",\"class\":\"unsafe\",\"source\":\"record\"}");
	event(s, RUN_B, send_ref, 1, "task.completed", "{\"output\":{\"id\":5}}");
	event(s, RUN_B, NULL, 0, "run.completed", "{\"output\":{\"id\":6}}");
	cs_store_close(s);
	cs_reader *r = reader(*state);
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *same = NULL;
	assert_int_equal(cs_view_diff(r, RUN_A, RUN_B, &rows, NULL), CS_OK);
	static const struct { const char *path, *json; } cells[] = {
		{ "0.change", "same" }, { "0.occurrence", "1" }, { "1.change", "changed" }, { "1.old", "2" }, { "1.new", "3" },
		{ "2.change", "removed" }, { "2.task", "\"/do/0/each\"" }, { "2.new", "null" },
		{ "3.change", "added" }, { "3.occurrence", "3" }, { "3.old", "null" }, { "3.new", "4" },
		{ "4.change", "changed" }, { "4.task", "\"/do/1/send\"" }, { "4.old", "{\"id\":5}" },
		{ "4.effects.old.0.how", "sent" }, { "4.effects.new.0.how", "captured" }, { "4.effects.new.0.digest", "d2" },
		{ "5.summary.steps", "{\"same\":1,\"changed\":2,\"added\":1,\"removed\":1}" },
		{ "5.summary.effects", "{\"old\":1,\"new\":1,\"sent\":{\"old\":1,\"new\":0},\"changed\":1}" },
		{ "5.summary.cost", "{\"old\":250,\"new\":0}" }, { "5.summary.first", "\"/do/0/each/do/0/step\"" },
		{ "5.summary.output", "changed" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(cells); i++)
		want(rows, cells[i].path, cells[i].json);
	assert_int_equal(json_array_size(rows), 6);
	assert_int_equal(cs_view_diff(r, RUN_A, RUN_A, &same, NULL), CS_OK);
	want(same, "4.summary.steps", "{\"same\":4,\"changed\":0,\"added\":0,\"removed\":0}");
	want(same, "4.summary.first", "null");
	want(same, "4.summary.output", "same");
	json_t *no = NULL;
	assert_int_equal(cs_view_diff(r, RUN_A, MISSING, &no, NULL), CS_ENOTFOUND);
	assert_null(no);
	cs_reader_close(r);
}

/* The branches of a fork end in another order; in the second, one step is another. */
static void the_order_among_branches_is_no_difference(void **state)
{
	static const char *const refs[] = { "/do/0/both/fork/branches/0/l/do/0/a", "/do/0/both/fork/branches/0/l/do/1/b",
					    "/do/0/both/fork/branches/1/r/do/0/c", "/do/0/both/fork/branches/1/r/do/1/d", "/do/1/end" };
	static const size_t old[] = { 0, 1, 2, 3, 4 }, new[] = { 2, 0, 3, 1, 4 };
	cs_store *s = fixture_open(*state);
	create(s, RUN_A, "{}");
	create(s, RUN_B, "{\"parent\":\"" RUN_A "\"}");
	for (size_t i = 0; i < CS_ARRAY_LEN(refs); i++)
		event(s, RUN_A, refs[old[i]], 1, "task.completed", "{\"output\":1}");
	for (size_t i = 0; i < CS_ARRAY_LEN(refs); i++)
		event(s, RUN_B, refs[new[i]], 1, "task.completed", new[i] == 3 ? "{\"output\":2}" : "{\"output\":1}");
	cs_store_close(s);
	cs_reader *r = reader(*state);
	CS_AUTOJSON json_t *rows = NULL;
	assert_int_equal(cs_view_diff(r, RUN_A, RUN_B, &rows, NULL), CS_OK);
	want(rows, "5.summary.steps", "{\"same\":4,\"changed\":1,\"added\":0,\"removed\":0}");
	want(rows, "5.summary.first", "\"/do/0/both/fork/branches/1/r/do/1/d\"");
	cs_reader_close(r);
}

static void the_status_counts_what_is_not_over(void **state)
{
	cs_store *s = fixture_open(*state);
	CS_AUTOJSON json_t *empty = NULL;
	CS_AUTOJSON json_t *full = NULL;
	cs_reader *r = reader(*state);
	assert_int_equal(cs_view_status(r, &empty, NULL), CS_OK);
	want(empty, "last_seq", "0");
	want(empty, "last_at", "null");
	run_to_gate(s, RUN_A);
	create(s, RUN_B, "{}");
	event(s, RUN_B, NULL, 0, "run.blocked", "{\"on\":[\"hold\"]}");
	event(s, "", NULL, 0, "engine.hold", "{\"on\":true,\"why\":\"panic\"}");
	event(s, "", NULL, 0, "connector.mode", "{\"name\":\"mail\",\"mode\":\"dry\"}");
	assert_int_equal(cs_view_status(r, &full, NULL), CS_OK);
	want(full, "running", "1");
	want(full, "waiting", "1");
	want(full, "inbox", "1");
	want(full, "hold", "true");
	want(full, "hold_why", "panic");
	want(full, "live", "false");
	want(full, "connectors", "{\"mail\":\"dry\"}");
	want(full, "runs", "{\"running\":1,\"waiting\":1}");
	cs_reader_close(r);
	cs_store_close(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(runs_have_the_promised_keys_and_pages), T(a_faulted_run_says_its_error),
		T(runs_have_the_promised_keys_and_pages), T(faults_of_one_cause_are_one_row_and_others_are_not),
		T(the_inbox_shows_what_waits_and_an_item_its_whole_card), T(the_trace_is_a_tree_in_the_order_things_began),
		T(a_turn_hangs_below_its_own_loop), T(a_task_that_is_taken_back_says_so_in_the_trace),
		T(why_walks_from_the_effect_to_its_root),
		T(every_type_of_event_has_its_sentence), T(the_difference_names_what_changed_and_where_it_began),
		T(the_order_among_branches_is_no_difference),
		T(the_status_counts_what_is_not_over), T(a_fault_after_an_answer_says_first_that_it_has_happened),
		T(a_fault_of_what_was_refused_says_what_mends_it), T(a_reply_that_says_it_failed_has_not_happened),
		T(a_fault_of_what_it_was_given_names_the_correction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
