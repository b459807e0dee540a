/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Live, against a real server: what was approved is what is sent, once, and nothing else leaves. */
#include "tests/system/live.h"

#include <time.h>
#include "base/clock.h"

#define TEN(call)                                                                                       \
	"{'a':{'call':'" call "','with':{'n':'${ $start.n + 0 }'}}},"                                   \
	"{'b':{'call':'" call "','with':{'n':'${ $start.n + 1 }'}}},"                                   \
	"{'c':{'call':'" call "','with':{'n':'${ $start.n + 2 }'}}},"                                   \
	"{'d':{'call':'" call "','with':{'n':'${ $start.n + 3 }'}}},"                                   \
	"{'e':{'call':'" call "','with':{'n':'${ $start.n + 4 }'}}}"

static void completed(live *v, const char *run)
{
	CS_AUTOJSON json_t *row = world_await(&v->w, run, "completed faulted");
	CS_AUTOJSON json_t *end = live_end(v, run);
	CS_AUTOFREE char *text = cs_json_text(end);
	if (strcmp(cs_json_str(row, "state"), "completed") != 0)
		fail_msg("it faulted: %s", text);
}

static void test_each_step_sends_exactly_one_request(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW(TEN("shop.post") "," "{'f':{'call':'shop.book','with':{'n':7}}},{'g':{'call':'shop.look','with':{'n':8}}}"), "{'n':1}");
	completed(v, run);
	for (int n = 1; n <= 5; n++) {
		CS_AUTOFREE char *path = cs_xasprintf("/post/%d", n);
		json_decref(live_sent(v, path, 1));
	}
	json_decref(live_sent(v, "/book/7", 1));
	json_decref(live_sent(v, "/look/8", 1));
	json_decref(live_sent(v, "/", 7));
	assert_int_equal(world_count(&v->w, run, "attempt.intent"), 7);
}

static void test_a_keyed_request_carries_its_key(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.book','with':{'n':7}}}"), "{}");
	completed(v, run);
	CS_AUTOJSON json_t *sent = live_sent(v, "/book/7", 1);
	CS_AUTOJSON json_t *intent = world_event(&v->w, run, "attempt.intent");
	assert_string_equal(cs_json_str(json_array_get(sent, 0), "key"), cs_json_str(intent, "key"));
}

static void test_a_keyed_request_is_tried_again_under_its_key(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.flaky','with':{'n':7}}}"), "{}");
	completed(v, run);
	CS_AUTOJSON json_t *sent = live_sent(v, "/flaky/2/503/7", 3);
	for (size_t i = 1; i < 3; i++) {
		assert_string_equal(cs_json_str(json_array_get(sent, i), "key"), cs_json_str(json_array_get(sent, 0), "key"));
		assert_string_equal(cs_json_str(json_array_get(sent, i), "digest"), cs_json_str(json_array_get(sent, 0), "digest"));
	}
}

static void test_a_call_to_http_goes_once(void **state)
{
	live *v = *state;
	char url[LEDGER_URL_SIZE];
	world_file(&v->w, "policies/http.yaml", "policy: http\nrules: [ { name: all, when: { call: http }, then: allow } ]\n");
	world_stop(&v->w);
	world_start(&v->w);
	CS_AUTOFREE char *flow = cs_xasprintf(FLOW("{'a':{'call':'http','with':{'method':'post','endpoint':{'uri':'%s'},'body':{'x':1}}}},{'b':{'set':{'n':'${ $tasks.a.ok }'}}}"),
					      ledger_url(&v->l, "/plain", url));
	CS_AUTOFREE char *run = live_run(v, flow, "{}");
	completed(v, run);
	json_decref(live_sent(v, "/plain", 1));
	CS_AUTOJSON json_t *end = live_end(v, run);
	assert_true(json_is_true(cs_json_get_path(end, "output.n")));
}

/* ---- the trace -------------------------------------------------------------------------------------------- */

struct found {
	const char *type;
	cs_event ev;
	char actor[128];
	json_t *data;
	int64_t intent;
};

static int find_done(void *ctx, const cs_event *ev)
{
	struct found *f = ctx;
	if (strcmp(ev->type, "attempt.intent") == 0)
		f->intent = ev->seq;
	if (strcmp(ev->type, f->type) != 0)
		return 0;
	f->ev = *ev;
	f->data = json_incref(ev->data);
	snprintf(f->actor, sizeof f->actor, "%s", ev->actor);
	return 0;
}

static void test_the_trace_has_request_reply_time_actor_and_cause(void **state)
{
	live *v = *state;
	int64_t before = cs_clock_wall_ms();
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.post','with':{'n':1}}}"), "{}");
	completed(v, run);
	CS_AUTOJSON json_t *intent = world_event(&v->w, run, "attempt.intent");
	assert_string_equal(json_string_value(cs_json_get_path(intent, "request.method")), "POST");
	assert_non_null(strstr(json_string_value(cs_json_get_path(intent, "request.url")), "/post/1"));
	assert_int_equal(json_integer_value(cs_json_get_path(intent, "request.body.n")), 1);
	assert_string_equal(cs_json_str(intent, "rule"), "policy test/post");

	CS_AUTOFREE char *dir = cs_xasprintf("%s/%s", v->w.dir, CS_STATE_DIR);
	struct found done = { .type = "attempt.done" };
	cs_reader *r = NULL;
	assert_int_equal(cs_reader_open(dir, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_events(r, run, 0, INT64_MAX, find_done, &done, NULL), CS_OK);
	cs_reader_close(r);
	CS_AUTOJSON json_t *data = done.data;
	CS_AUTOFREE char *text = cs_json_text(data);
	const json_t *reply = cs_json_get_path(data, "record.reply");
	if (reply == NULL || cs_json_get_path(data, "record.request") == NULL)
		fail_msg("the record has no request and reply: %s", text);
	assert_int_equal(cs_json_int_or(reply, "status", 0), 200);
	assert_true(done.ev.at >= before && done.ev.at <= cs_clock_wall_ms());
	assert_string_equal(done.actor, "connector:shop");
	assert_int_equal(done.ev.cause, done.intent);
}

/* ---- the gate ---------------------------------------------------------------------------------------------- */

static const char put_flow[] = FLOW("{'m':{'call':'shop.put','with':{'to':'${ $start.to }','text':'hi'}}}");

static void test_what_was_approved_is_what_is_sent(void **state)
{
	live *v = *state;
	char bytes[CS_HEX_SIZE];
	CS_AUTOFREE char *run = live_run(v, put_flow, "{'to':'ann'}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	json_decref(live_sent(v, "/", 0));
	CS_AUTOJSON json_t *shown = world_event(&v->w, run, "approval.published");
	live_body_digest(cs_json_get_path(shown, "card.request"), bytes);
	live_decide(v, item, "approve", NULL);
	completed(v, run);
	CS_AUTOJSON json_t *sent = live_sent(v, "/put/ann", 1);
	CS_AUTOJSON json_t *intent = world_event(&v->w, run, "attempt.intent");
	assert_string_equal(cs_json_str(json_array_get(sent, 0), "digest"), bytes);
	assert_string_equal(cs_json_str(intent, "digest"), cs_json_str(item, "digest"));
	assert_true(cs_json_equal(json_object_get(intent, "request"), cs_json_get_path(shown, "card.request")));
}

static void test_edited_at_the_gate_the_edited_content_goes_and_no_other(void **state)
{
	live *v = *state;
	char bytes[CS_HEX_SIZE];
	CS_AUTOFREE char *run = live_run(v, put_flow, "{'to':'ann'}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	live_decide(v, item, "edit", json_pack("{s:s, s:s}", "to", "bob", "text", "better"));
	CS_AUTOJSON json_t *next = world_item(&v->w);
	assert_string_not_equal(cs_json_str(next, "id"), cs_json_str(item, "id"));
	json_decref(live_sent(v, "/", 0));
	live_decide(v, next, "approve", NULL);
	completed(v, run);
	CS_AUTOJSON json_t *sent = live_sent(v, "/", 1);
	CS_AUTOJSON json_t *request = json_pack("{s:s, s:{s:s, s:s}}", "as", "json", "body", "text", "better", "to", "bob");
	live_body_digest(request, bytes);
	assert_string_equal(cs_json_str(json_array_get(sent, 0), "path"), "/put/bob");
	assert_string_equal(cs_json_str(json_array_get(sent, 0), "digest"), bytes);
}

static void test_a_stale_digest_approves_nothing(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, put_flow, "{'to':'ann'}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	live_decide(v, item, "edit", json_pack("{s:s, s:s}", "to", "ann", "text", "other"));
	CS_AUTOJSON json_t *next = world_item(&v->w);
	CS_AUTOJSON json_t *no = world_refused(&v->w, json_pack("{s:s, s:O, s:{s:s, s:O}}", "cmd", "decide", "item", json_object_get(next, "id"),
								"decision", "verb", "approve", "digest", json_object_get(item, "digest")));
	assert_non_null(strstr(cs_json_str(no, "message"), "stale"));
	CS_AUTOJSON json_t *over = world_refused(&v->w, json_pack("{s:s, s:O, s:{s:s}}", "cmd", "decide", "item", json_object_get(item, "id"),
								  "decision", "verb", "approve"));
	assert_non_null(strstr(cs_json_str(over, "message"), "edited"));
	json_decref(live_sent(v, "/", 0));
	assert_int_equal(world_count(&v->w, run, "attempt.intent"), 0);
}

#define CAUGHT(call, status) FLOW("{'t':{'try':[{'m':" call "}],'catch':{'errors':{'with':{'status':" #status "}},'as':'e','do':[{'h':{'set':{'type':'${ $e.type }','status':'${ $e.status }'}}}]}}}")

static void assert_caught(live *v, const char *run, int status, const char *word)
{
	CS_AUTOJSON json_t *end = live_end(v, run);
	CS_AUTOFREE char *text = cs_json_text(end);
	const char *type = json_string_value(cs_json_get_path(end, "output.type"));
	if (type == NULL || strstr(type, word) == NULL)
		fail_msg("not caught as %s: %s", word, text);
	assert_int_equal(json_integer_value(cs_json_get_path(end, "output.status")), status);
	json_decref(live_sent(v, "/", 0));
}

static void test_rejected_is_caught_as_authorization_403(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, CAUGHT("{'call':'shop.put','with':{'to':'x','text':'hi'}}", 403), "{}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	live_decide(v, item, "reject", NULL);
	assert_caught(v, run, 403, "/authorization");
}

static void test_expired_is_caught_as_timeout_408(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, CAUGHT("{'call':'shop.put','with':{'to':'x','text':'hi'},'metadata':{'ask':{'expire':'PT0.2S'}}}", 408), "{}");
	assert_caught(v, run, 408, "/timeout");
}

static void test_denied_by_a_rule_is_authorization_403(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, CAUGHT("{'call':'shop.never','with':{'a':1}}", 403), "{}");
	assert_caught(v, run, 403, "/authorization");
	assert_int_equal(world_count(&v->w, run, "attempt.intent"), 0);
	assert_int_equal(world_count(&v->w, run, "approval.published"), 0);
}

static void test_a_read_reply_in_a_keyed_call_asks(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'l':{'call':'shop.look','with':{'n':1}}},{'k':{'call':'shop.book','with':{'n':2,'by':'${ $tasks.l.method }'}}}"), "{}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	CS_AUTOJSON json_t *shown = world_event(&v->w, run, "approval.published");
	assert_string_equal(cs_json_str(shown, "rule"), "default/keyed-tainted");
	assert_string_equal(json_string_value(json_array_get(json_object_get(shown, "taint"), 0)), "by");
	json_decref(live_sent(v, "/book", 0));
	live_decide(v, item, "approve", NULL);
	completed(v, run);
	json_decref(live_sent(v, "/book/2", 1));
}

static void test_a_clean_argument_in_a_keyed_call_does_not_ask(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'l':{'call':'shop.look','with':{'n':1}}},{'k':{'call':'shop.book','with':{'n':2,'by':'me'}}}"), "{}");
	completed(v, run);
	assert_int_equal(world_count(&v->w, run, "approval.published"), 0);
}

/* ---- what keeps it in ------------------------------------------------------------------------------------------ */

static void await_word(live *v, const char *run, const char *word)
{
	json_decref(world_await(&v->w, run, "waiting"));
	CS_AUTOJSON json_t *blocked = world_event(&v->w, run, "run.blocked");
	CS_AUTOFREE char *text = cs_json_text(blocked);
	if (strstr(text, word) == NULL)
		fail_msg("it waits for something else: %s", text);
}

static void hold(live *v, bool on)
{
	json_decref(world_ask(&v->w, json_pack("{s:s, s:b}", "cmd", "hold", "on", on)));
}

static void test_on_hold_nothing_leaves_until_release(void **state)
{
	live *v = *state;
	hold(v, true);
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.post','with':{'n':1}}}"), "{}");
	await_word(v, run, "hold");
	json_decref(live_sent(v, "/", 0));
	world_stop(&v->w);
	world_start(&v->w);              /* and a restart does not release it */
	await_word(v, run, "hold");
	json_decref(live_sent(v, "/", 0));
	hold(v, false);
	completed(v, run);
	json_decref(live_sent(v, "/post/1", 1));
}

/* An approval that comes while all is held waits, without keeping the engine busy. */
static void test_an_approval_on_hold_waits_quietly(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, put_flow, "{'to':'ann'}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	hold(v, true);
	live_decide(v, item, "approve", NULL);
	struct timespec from, to, nap = { .tv_nsec = 300000000 };
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	nanosleep(&nap, NULL);           /* the promise is about what is not done in this time */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	int64_t busy_ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	if (busy_ms > 100)
		fail_msg("%lld ms of processor time in 300 ms of waiting", (long long)busy_ms);
	json_decref(live_sent(v, "/", 0));
	hold(v, false);
	completed(v, run);
	json_decref(live_sent(v, "/put/ann", 1));
}

/* ---- ends in the middle ----------------------------------------------------------------------------------- */

static json_t *doubt(live *v, const char *run)
{
	json_decref(world_await(&v->w, run, "waiting"));
	json_t *item = world_item(&v->w);
	assert_string_equal(cs_json_str(item, "kind"), "in-doubt");
	return item;
}

static void resolve(live *v, const json_t *item, const char *how)
{
	json_decref(world_decide(&v->w, cs_json_str(item, "id"), json_pack("{s:s, s:s, s:s, s:{s:b}}", "verb", "resolve", "how", how, "word", "repeat",
									  "value", "ok", 1)));
}

/* Stopped while a request is open: what became of it is not known, and the operator is asked. */
static void test_a_stop_in_the_middle_of_a_request_leaves_it_in_doubt(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.slow','with':{'n':1}}}"), "{}");
	while (ledger_count(&v->l, "/delay") == 0)
		continue;
	cs_engine_stop(v->w.engine, 20);
	v->w.engine = NULL;
	world_start(&v->w);
	CS_AUTOJSON json_t *item = doubt(v, run);
	json_decref(live_sent(v, "/delay", 1));
	resolve(v, item, "happened");
	completed(v, run);
	json_decref(live_sent(v, "/delay", 1));
}

/* The reply is lost: it is not sent again by itself. */
static void test_a_lost_reply_is_in_doubt_and_did_not_is_raised(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'t':{'try':[{'m':{'call':'shop.lost','with':{'n':1}}}],'catch':{'as':'e','do':[{'h':{'set':{'caught':'${ $e.type }'}}}]}}}"), "{}");
	CS_AUTOJSON json_t *asked = world_item(&v->w);
	live_decide(v, asked, "approve", NULL);
	CS_AUTOJSON json_t *item = NULL;
	do {
		json_decref(item);
		item = world_item(&v->w);
	} while (strcmp(cs_json_str(item, "kind"), "in-doubt") != 0);
	json_decref(live_sent(v, "/close", 1));
	resolve(v, item, "did-not");
	CS_AUTOJSON json_t *end = live_end(v, run);
	assert_non_null(strstr(json_string_value(cs_json_get_path(end, "output.caught")), "/communication"));
	json_decref(live_sent(v, "/close", 1));
}

/* A run cancelled while a request is open waits for its end, and sends nothing more. */
static void test_a_cancel_awaits_what_is_open_and_starts_nothing_more(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.slow','with':{'n':1}}},{'b':{'call':'shop.post','with':{'n':2}}}"), "{}");
	while (ledger_count(&v->l, "/delay") == 0)
		continue;
	json_decref(world_ask(&v->w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", "cancel")));
	json_decref(world_await(&v->w, run, "cancelled"));
	assert_int_equal(world_count(&v->w, run, "attempt.done"), 1);
	json_decref(live_sent(v, "/post", 0));
}

static int set_up_mode(void **state, const char *mode)
{
	live *v = calloc(1, sizeof *v);
	live_begin(v, mode, "PT0S");
	*state = v;
	return 0;
}

static int set_up_off(void **state)
{
	return set_up_mode(state, "off");
}

static int set_up_dry(void **state)
{
	return set_up_mode(state, "dry");
}

static int set_up_hold(void **state)
{
	return set_up_mode(state, "hold");
}

static void test_a_connector_that_is_off_sends_nothing(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.post','with':{'n':1}}}"), "{}");
	json_decref(world_await(&v->w, run, "waiting"));
	assert_int_equal(world_count(&v->w, run, "attempt.intent"), 0);
	json_decref(live_sent(v, "/", 0));
}

static void test_a_dry_connector_simulates_and_says_so(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.post','with':{'n':1}}}"), "{}");
	completed(v, run);
	json_decref(live_sent(v, "/", 0));
	CS_AUTOJSON json_t *rows = world_rows(&v->w, "SELECT simulated, state FROM attempt");
	assert_int_equal(json_array_size(rows), 1);
	assert_int_equal(cs_json_int_or(json_array_get(rows, 0), "simulated", 0), 1);
}

static void test_a_connector_on_hold_makes_each_effect_a_proposal(void **state)
{
	live *v = *state;
	CS_AUTOFREE char *run = live_run(v, FLOW("{'a':{'call':'shop.post','with':{'n':1}}}"), "{}");
	CS_AUTOJSON json_t *item = world_item(&v->w);
	json_decref(live_sent(v, "/", 0));
	live_decide(v, item, "approve", NULL);
	completed(v, run);
	json_decref(live_sent(v, "/post/1", 1));
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, live_set_up, live_tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(test_each_step_sends_exactly_one_request),
		LIVE(test_a_keyed_request_carries_its_key),
		LIVE(test_a_keyed_request_is_tried_again_under_its_key),
		LIVE(test_a_call_to_http_goes_once),
		LIVE(test_the_trace_has_request_reply_time_actor_and_cause),
		LIVE(test_what_was_approved_is_what_is_sent),
		LIVE(test_edited_at_the_gate_the_edited_content_goes_and_no_other),
		LIVE(test_a_stale_digest_approves_nothing),
		LIVE(test_rejected_is_caught_as_authorization_403),
		LIVE(test_expired_is_caught_as_timeout_408),
		LIVE(test_denied_by_a_rule_is_authorization_403),
		LIVE(test_a_read_reply_in_a_keyed_call_asks),
		LIVE(test_a_clean_argument_in_a_keyed_call_does_not_ask),
		LIVE(test_on_hold_nothing_leaves_until_release),
		LIVE(test_an_approval_on_hold_waits_quietly),
		LIVE(test_a_stop_in_the_middle_of_a_request_leaves_it_in_doubt),
		LIVE(test_a_lost_reply_is_in_doubt_and_did_not_is_raised),
		LIVE(test_a_cancel_awaits_what_is_open_and_starts_nothing_more),
		cmocka_unit_test_setup_teardown(test_a_connector_that_is_off_sends_nothing, set_up_off, live_tear_down),
		cmocka_unit_test_setup_teardown(test_a_dry_connector_simulates_and_says_so, set_up_dry, live_tear_down),
		cmocka_unit_test_setup_teardown(test_a_connector_on_hold_makes_each_effect_a_proposal, set_up_hold, live_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
