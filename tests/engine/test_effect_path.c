/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a commit to the first byte: a performer that the test plays looks at what is on the disk
 * when it is called. Also that an engine that ends leaves no descriptor behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "engine/engine.h"
#include "store/anchor.h"
#include "store/reader.h"
#include "tests/support/descriptors.h"
#include "tests/support/acts.h"

#define FLOW(body) "{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'do':[" body "]}"
#define MAIL FLOW("{'m':{'call':'mail.send','with':{'to':'x'}}}")

/* The performer. It runs on the coordinator's thread, and the test waits for what it commits after. */
static struct spy {
	char dir[128];
	atomic_int calls;
	atomic_bool keeps;           /* does not answer: the attempt stays open */
	bool cannot;                 /* does not even begin */
	bool committed, anchored, passes;
	struct {
		const cs_effect *effect;
		cs_outcome_fn *done;
		void *ctx;
	} kept[4];
} spy;

static void look_at_disk(const cs_effect *e)
{
	cs_reader *r = NULL;
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *params = json_pack("[s]", e->key);
	int64_t seq = 0;
	uint8_t hash[CS_HASH_LEN];
	if (cs_reader_open(spy.dir, &r, NULL) != CS_OK)
		return;
	(void)cs_reader_query(r, "SELECT state, seq FROM attempt WHERE key = ?1", params, &rows, NULL);
	cs_reader_close(r);
	const json_t *row = json_array_get(rows, 0);
	spy.committed = strcmp(cs_json_str_or(row, "state", ""), "intent") == 0;
	spy.anchored = cs_anchor_read(spy.dir, &seq, hash, NULL) == CS_OK && seq >= cs_json_int_or(row, "seq", INT64_MAX);
}

static int spy_perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)self;
	if (spy.cannot)
		return cs_err_set(err, CS_EUNAVAIL, "not today");
	look_at_disk(e);
	spy.passes = e->gate != NULL && e->gate(e->gate_ctx);
	int n = atomic_load(&spy.calls);
	bool keeps = spy.keeps;      /* once: it is changed as soon as the call has been counted */
	if (keeps && n < (int)CS_ARRAY_LEN(spy.kept)) {
		spy.kept[n].effect = e;
		spy.kept[n].done = done;
		spy.kept[n].ctx = ctx;
	}
	atomic_fetch_add(&spy.calls, 1);
	if (keeps)
		return CS_OK;
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = json_object();
	done(ctx, o);
	return CS_OK;
}

static bool gate_of(int n)
{
	return spy.kept[n].effect->gate(spy.kept[n].effect->gate_ctx);
}

static void refuse(int n)
{
	spy.kept[n].done(spy.kept[n].ctx, cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_COMMUNICATION, 400, NULL, "%s", "no"));
}

static void await_call(int n)
{
	for (int i = 0; atomic_load(&spy.calls) < n; i++) {
		assert_true(i < 5000);
		usleep(2000);
	}
}

static int set_up_mode(void **state, const char *mode)
{
	CS_AUTOFREE char *settings = cs_xasprintf("workspace: test\nmode: %s\napprovals: { grace: PT0S }\n", mode);
	world *w = world_for(state, settings);
	world_mail(w, spy_perform);
	spy = (struct spy){ 0 };
	snprintf(spy.dir, sizeof spy.dir, "%s/%s", w->dir, CS_STATE_DIR);
	return 0;
}

static int set_up_live(void **state)
{
	(void)set_up_mode(state, "live");
	world_start(*state);
	json_decref(world_ask(*state, json_pack("{s:s}", "cmd", "live")));
	return 0;
}

static int set_up_simulated(void **state)
{
	(void)set_up_mode(state, "simulate");
	world_start(*state);
	return 0;
}

static void i2_an_effect_finds_its_intent_committed_and_anchored(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_begin(w, MAIL);
	json_decref(world_await(w, run, "completed"));
	assert_int_equal(atomic_load(&spy.calls), 1);
	assert_true(spy.committed);
	assert_true(spy.anchored);
	assert_true(spy.passes);
	world_verify(w);
}

static void i12_nothing_passes_while_everything_is_held(void **state)
{
	world *w = *state;
	spy.keeps = true;
	free(world_begin(w, MAIL));
	await_call(1);
	json_decref(world_ask(w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 1)));
	assert_false(gate_of(0));    /* asked again just before the first byte */
	CS_AUTOFREE char *second = world_begin(w, MAIL);
	json_decref(world_await(w, second, "waiting"));
	assert_int_equal(atomic_load(&spy.calls), 1);
	json_decref(world_ask(w, json_pack("{s:s, s:b}", "cmd", "hold", "on", 0)));
	assert_true(gate_of(0));
	refuse(0);
	await_call(2);
	refuse(1);
	json_decref(world_await(w, second, "faulted"));
}

static void i12_a_simulated_workspace_sends_nothing(void **state)
{
	world *w = *state;
	CS_AUTOFREE char *run = world_begin(w, MAIL);
	json_decref(world_await(w, run, "completed faulted"));
	assert_int_equal(atomic_load(&spy.calls), 0);
}

static void i13_an_engine_that_lost_its_epoch_does_nothing_more(void **state)
{
	world *w = *state;
	cs_store *other = NULL;
	int64_t epoch = 0;
	char why[256] = "";
	assert_int_equal(cs_store_open(spy.dir, false, &other, NULL), CS_OK);
	assert_int_equal(cs_store_claim_epoch(other, &epoch, NULL), CS_OK);
	CS_AUTOJSON json_t *doc = world_json(MAIL);
	json_decref(world_refused(w, json_pack("{s:s, s:O, s:{}}", "cmd", "run", "definition", doc, "input")));
	assert_int_equal(atomic_load(&spy.calls), 0);
	cs_engine_failure(w->engine, why, sizeof why);
	assert_non_null(strstr(why, "epoch"));
	cs_store_close(other);
}

static void a_start_puts_in_doubt_what_a_crash_left_open(void **state)
{
	world *w = *state;
	spy.keeps = true;
	CS_AUTOFREE char *run = world_begin(w, MAIL);
	await_call(1);
	cs_engine_stop(w->engine, 0);
	w->engine = NULL;
	assert_false(gate_of(0));    /* its performer is still at it: nothing of it may leave now, */
	refuse(0);                   /* and what it says comes too late */
	world_start(w);
	CS_AUTOJSON json_t *item = world_item(w);
	assert_string_equal(cs_json_str(item, "kind"), "in-doubt");
	json_decref(world_await(w, run, "waiting"));
	assert_int_equal(atomic_load(&spy.calls), 1);
	assert_int_equal(world_count(w, run, "attempt.ambiguous"), 1);
	world_verify(w);
}

static void assert_configuration_error(world *w, const char *flow)
{
	CS_AUTOFREE char *run = world_begin(w, flow);
	json_decref(world_await(w, run, "faulted"));
	CS_AUTOJSON json_t *end = world_event(w, run, "run.faulted");
	const char *type = cs_json_str_or(json_object_get(end, "error"), "type", "");
	assert_non_null(strstr(type, "/configuration"));
}

static void what_nobody_can_perform_faults_its_task_and_no_more(void **state)
{
	world *w = *state;
	spy.cannot = true;
	assert_configuration_error(w, MAIL);
	world_stop(w);
	world_file(w, "agents/thinker.yaml", "agent: thinker\nversion: 1.0.0\npurpose: Thinks.\nkind: model\nmodel: { prompt: p }\n");
	world_start(w);
	assert_configuration_error(w, FLOW("{'m':{'call':'thinker','with':{'a':1}}}"));
	assert_int_equal(atomic_load(&spy.calls), 0);
	world_verify(w);
}

/* What the coordinator has to say to itself may be more than its mailbox holds. */
static void a_full_mailbox_does_not_stop_the_coordinator(void **state)
{
	world *w = *state;
	spy.cannot = true;
	world_stop(w);
	world_file(w, "capstan.yaml", "workspace: test\nmode: live\napprovals: { grace: PT0S }\nengine: { mailbox: 16 }\n");
	world_start(w);
	CS_AUTOBUF cs_buf flow;
	cs_buf_init(&flow, 1 << 16);
	for (int i = 0; i < 50; i++)
		assert_int_equal(cs_buf_addf(&flow, "%s{'b%d':{'call':'mail.send','with':{'to':'x'}}}", i > 0 ? "," : "", i), CS_OK);
	CS_AUTOFREE char *text = cs_xasprintf(FLOW("{'f':{'fork':{'branches':[%s]}}}"), cs_buf_str(&flow));
	CS_AUTOFREE char *run = world_begin(w, text);
	json_decref(world_await(w, run, "faulted"));
	assert_int_equal(world_count(w, run, "attempt.failed"), 50);
}

/* ---- a performer that does not come back ---------------------------------------------------------------- */

/* Operations have 100 ms, and what performs them 200 more. */
static void restart_impatient(world *w)
{
	world_stop(w);
	world_file(w, "connectors/mail.yaml",
		   "connector: mail\nkind: http\nurl: https://mail.example.com\nmode: live\noperations:\n"
		   "  send: { effect: unsafe, timeout: PT0.1S, input: { type: object }, request: { method: POST, path: /send }, reverse: none }\n"
		   "  look: { effect: read, timeout: PT0.1S, request: { method: GET, path: /look }, retry: { attempts: 3, delay: PT0.01S } }\n");
	w->opts.overdue_ms = 200;
	world_start(w);
}

static void what_nobody_answers_is_in_doubt_and_sends_nothing_late(void **state)
{
	world *w = *state;
	restart_impatient(w);
	spy.keeps = true;
	CS_AUTOFREE char *run = world_begin(w, MAIL);
	await_call(1);
	CS_AUTOJSON json_t *item = world_item(w);
	assert_string_equal(cs_json_str(item, "kind"), "in-doubt");
	json_decref(world_await(w, run, "waiting"));
	assert_false(gate_of(0));
	refuse(0);                   /* too late: the operator is asked, and nobody else answers */
	world_settle(w);
	assert_int_equal(world_count(w, run, "attempt.failed"), 0);
	assert_int_equal(world_count(w, run, "attempt.ambiguous"), 1);
	json_decref(world_decide(w, cs_json_str_or(item, "id", ""), json_pack("{s:s, s:s, s:s, s:{}}", "verb", "resolve", "how", "happened", "evidence", "seen", "value")));
	json_decref(world_await(w, run, "completed"));
	world_verify(w);
}

static void what_only_reads_and_is_not_answered_is_tried_again(void **state)
{
	world *w = *state;
	restart_impatient(w);
	spy.keeps = true;
	CS_AUTOFREE char *run = world_begin(w, FLOW("{'m':{'call':'mail.look','with':{}}}"));
	await_call(1);
	spy.keeps = false;
	json_decref(world_await(w, run, "completed"));
	refuse(0);
	world_settle(w);
	assert_int_equal(world_count(w, run, "attempt.done"), 1);
	assert_int_equal(world_count(w, run, "attempt.failed"), 0);
	assert_int_equal(atomic_load(&spy.calls), 2);
	world_verify(w);
}

/* The one thread that there is does not come back: another does the next. */
static atomic_int hung, released;

static int hang_perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)self;
	(void)e;
	(void)err;
	if (atomic_fetch_add(&hung, 1) == 0)
		for (int i = 0; atomic_load(&released) == 0 && i < 15000; i++)       /* longer than anybody waits */
			usleep(2000);
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = json_object();
	done(ctx, o);
	return CS_OK;
}

static int tear_down_released(void **state)
{
	atomic_store(&released, 1);
	return world_tear_down(state);
}

static void a_hung_worker_keeps_nobody_waiting(void **state)
{
	world *w = *state;
	static cs_performer table[8];
	size_t n = w->opts.n_performers;
	assert_true(n <= CS_ARRAY_LEN(table));
	world_file(w, "capstan.yaml", "workspace: test\nmode: live\napprovals: { grace: PT0S }\nengine: { workers: 1 }\n");
	for (size_t i = 0; i < n; i++) {
		table[i] = w->opts.performers[i];
		if (strcmp(table[i].kind, "http") == 0)
			table[i] = (cs_performer){ .kind = "http", .blocking = true, .perform = hang_perform };
	}
	const cs_performer *before = w->opts.performers;
	w->opts.performers = table;
	restart_impatient(w);
	CS_AUTOFREE char *run = world_begin(w, FLOW("{'m':{'call':'mail.look','with':{}}}"));
	json_decref(world_await(w, run, "completed"));
	assert_int_equal(atomic_load(&hung), 2);
	atomic_store(&released, 1);
	world_settle(w);
	world_verify(w);
	world_stop(w);
	w->opts.performers = before;
}

/* ---- descriptors --------------------------------------------------------------------------------------- */

static void work(world *w)
{
	CS_AUTOFREE char *jq = world_begin(w, FLOW("{'a':{'set':{'n':'${ [1,2] | add }'}}}"));
	json_decref(world_await(w, jq, "completed"));
	CS_AUTOFREE char *sent = world_begin(w, MAIL);
	json_decref(world_await(w, sent, "completed"));
	json_decref(world_ask(w, json_pack("{s:s, s:s}", "cmd", "replay", "run", sent)));
	CS_AUTOFREE char *asks = world_begin(w, FLOW("{'a':{'call':'approve','with':{'title':'go'}}}"));
	json_decref(world_await(w, asks, "waiting"));
	CS_AUTOFREE char *dir = cs_xstrdup(w->dir);
	cs_client *c = NULL;
	cs_err err = { 0 };
	if (cs_client_open(dir, CS_CLIENT_ATTACH, NULL, NULL, NULL, &c, &err) != CS_OK)
		fail_msg("%s", err.msg);
	json_t *ok = NULL;
	assert_int_equal(cs_client_call(c, json_pack("{s:s}", "cmd", "status"), 5000, &ok, &err), CS_OK);
	json_decref(ok);
	cs_client_close(c);
}

static void an_engine_that_ends_leaves_no_descriptor(void **state)
{
	world *w = *state;
	work(w);                     /* what is opened once and kept, by libraries, is open from here on */
	world_stop(w);
	CS_AUTOJSON json_t *before = descriptors_open();
	for (int i = 0; i < 3; i++) {
		world_start(w);
		work(w);
		world_stop(w);
	}
	descriptors_assert_none_new(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(i2_an_effect_finds_its_intent_committed_and_anchored, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(i12_nothing_passes_while_everything_is_held, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(i12_a_simulated_workspace_sends_nothing, set_up_simulated, world_tear_down),
		cmocka_unit_test_setup_teardown(i13_an_engine_that_lost_its_epoch_does_nothing_more, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(a_start_puts_in_doubt_what_a_crash_left_open, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_can_perform_faults_its_task_and_no_more, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(a_full_mailbox_does_not_stop_the_coordinator, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_answers_is_in_doubt_and_sends_nothing_late, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(what_only_reads_and_is_not_answered_is_tried_again, set_up_live, world_tear_down),
		cmocka_unit_test_setup_teardown(a_hung_worker_keeps_nobody_waiting, set_up_live, tear_down_released),
		cmocka_unit_test_setup_teardown(an_engine_that_ends_leaves_no_descriptor, set_up_live, world_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
