/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/kill_operator.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "agents/fixture.h"
#include "agents/rules.h"
#include "agents/shell.h"
#include "agents/text.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/engine.h"
#include "store/store.h"
#include "tests/faults/kill_calls.h"
#include "tests/faults/kill_decide.h"
#include "tests/faults/kill_outside.h"

enum { OPEN_RUNS = 3, PATIENCE_MS = 8000, START_MS = 1000, NAP_NS = 300000, REST_NS = 250000000 };

int64_t kill_now_ms(void *shared)
{
	const kill_shared *s = shared;
	return cs_clock_wall_ms() + atomic_load(&s->offset_ms);
}

_Noreturn void kill_broken(kill_operator_at *o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(o->s->failure, sizeof o->s->failure, fmt, ap);
	va_end(ap);
	_exit(KILL_EXIT_BROKEN);
}

/* ---- the engine ---------------------------------------------------------------------------------------- */

static void on_commit(void *ctx, int64_t seq)
{
	kill_shared *s = ctx;
	if (seq == 0)
		return;
	atomic_store(&s->fed, seq);
	unsigned n = atomic_fetch_add(&s->commits, 1) + 1;
	if (s->when == KILL_AT_COMMIT && n == s->nth)
		kill_self();
	kill_reach(KILL_POINT_BEFORE_DISPATCH);
}

struct reply {
	pthread_mutex_t lock;
	pthread_cond_t there;
	json_t *value;
};

static void on_reply(void *ctx, json_t *value)
{
	struct reply *r = ctx;
	kill_reach(KILL_POINT_BEFORE_REPLY);
	pthread_mutex_lock(&r->lock);
	r->value = value;
	pthread_cond_signal(&r->there);
	pthread_mutex_unlock(&r->lock);
}

json_t *kill_ask(kill_operator_at *o, json_t *request, const char *what, const char *id, const char *verb)
{
	struct reply r = { .lock = PTHREAD_MUTEX_INITIALIZER, .there = PTHREAD_COND_INITIALIZER };
	cs_err err = { 0 };
	json_object_set_new(request, "actor", json_string("operator:tester"));
	if (cs_engine_send(o->engine, request, on_reply, &r, &err) != CS_OK)
		kill_broken(o, "the engine takes no request: %s", err.msg);
	pthread_mutex_lock(&r.lock);
	while (r.value == NULL)
		pthread_cond_wait(&r.there, &r.lock);
	pthread_mutex_unlock(&r.lock);
	CS_AUTOJSON json_t *value = r.value;
	const json_t *error = json_object_get(value, "error");
	if (error != NULL) {
		const char *code = cs_json_str_or(error, "code", "");
		snprintf(o->refusal, sizeof o->refusal, "%s %s: %s", what, verb, cs_json_str_or(error, "message", ""));
		if (strcmp(code, "refused") != 0 && strcmp(code, "illegal-transition") != 0)
			kill_broken(o, "%s: %s", code, o->refusal);
		return NULL;
	}
	json_t *ok = json_incref(json_object_get(value, "ok"));
	unsigned n = what[0] != '\0' ? atomic_load(&o->s->acks) : KILL_ACKS_MAX;
	if (n < KILL_ACKS_MAX) {
		kill_ack *a = &o->s->ack[n];
		snprintf(a->what, sizeof a->what, "%s", what);
		snprintf(a->id, sizeof a->id, "%s", id != NULL ? id : cs_json_str_or(ok, "run", ""));
		snprintf(a->verb, sizeof a->verb, "%s", verb);
		atomic_store(&o->s->acks, n + 1);
		if (o->s->when == KILL_AT_REPLY && atomic_fetch_add(&o->s->replies, 1) + 1 == o->s->nth)
			kill_self();
	}
	return ok;
}

json_t *kill_rows(kill_operator_at *o, const char *sql, json_t *params)
{
	CS_AUTOJSON json_t *owned = params;
	json_t *rows = NULL;
	cs_err err = { 0 };
	if (cs_reader_query(o->reader, sql, owned, &rows, &err) != CS_OK)
		kill_broken(o, "%s: %s", sql, err.msg);
	return rows;
}

int64_t kill_number(kill_operator_at *o, const char *sql, json_t *params)
{
	CS_AUTOJSON json_t *rows = kill_rows(o, sql, params);
	return cs_json_int_or(json_array_get(rows, 0), "n", 0);
}

/* ---- the start ----------------------------------------------------------------------------------------- */

static int load_fixtures(void *ctx, const json_t *docs, cs_err *err)
{
	return cs_fixtures_replace(ctx, docs, err);
}

static void start_engine(kill_operator_at *o, cs_workspace *ws, int outside)
{
	static cs_performer performers[5];
	cs_fixtures *fixtures = NULL;
	CS_AUTOJSON json_t *none = json_array();
	cs_err err = { 0 };
	if (cs_fixtures_new(none, &fixtures, &err) != CS_OK)
		kill_broken(o, "%s", err.msg);
	performers[0] = cs_fixtures_performer(fixtures);
	performers[1] = cs_rules_performer(cs_rules_new());
	performers[2] = cs_shell_performer();
	performers[3] = kill_outside_performer(outside);
	performers[4] = cs_text_performer();
	const cs_engine_opts opts = {
		.clock = { .now_ms = kill_now_ms, .ctx = o->s }, .performers = performers, .n_performers = CS_ARRAY_LEN(performers),
		.exe = getenv("CS_TEST_CAPSTAN"), .version = "test", .fixtures = { .ctx = fixtures, .load = load_fixtures },
		.keep_runs = o->s->seed % 3 == 0 ? 1 : 0,     /* what only waits leaves memory at once */
	};
	CS_AUTOFREE char *state = cs_path_join(ws->dir, CS_STATE_DIR);
	if (cs_engine_start(ws, &opts, &o->engine, &err) != CS_OK)
		kill_broken(o, "the engine does not start: %s", err.msg);
	if (cs_reader_open(state, &o->reader, &err) != CS_OK)
		kill_broken(o, "%s", err.msg);
	(void)cs_engine_watch(o->engine, on_commit, o->s);
}

/* What this process has worked: on a busy machine it waits for its turn, which is no fault of its own. */
static int64_t cpu_us(void)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* What the crash left open is in the inbox at once, each with a question of its own. */
static void check_inbox(kill_operator_at *o, int64_t from_ns)
{
	int64_t us = (cs_clock_mono_ns() - from_ns) / 1000;
	const char *sanitizer = getenv("CS_TEST_SANITIZER");
	bool slow = sanitizer != NULL && *sanitizer != '\0' && strcmp(sanitizer, "no") != 0;
	int64_t most = START_MS * (slow ? INT64_C(10) : INT64_C(1)) * 1000;
	int64_t unasked = kill_number(o, "SELECT (SELECT count(*) FROM attempt WHERE state = 'in-doubt') - "
				      "(SELECT count(*) FROM item WHERE kind = 'in-doubt' AND state = 'open') AS n", NULL);
	atomic_store(&o->s->start_us, us);
	if (us > most && (cpu_us() > most / 2 || us > 10 * most))
		kill_broken(o, "the start took %lld ms, %lld of them at work", (long long)(us / 1000), (long long)(cpu_us() / 1000));
	if (unasked != 0)
		kill_broken(o, "%lld effects more are in doubt than the inbox asks about", (long long)unasked);
	atomic_store(&o->s->ready, 1);
}

/* ---- on and on ----------------------------------------------------------------------------------------- */

static bool go_live(kill_operator_at *o)
{
	if (kill_number(o, "SELECT count(*) AS n FROM setting WHERE name = 'live'", NULL) > 0)
		return false;
	json_decref(kill_ask(o, json_pack("{s:s}", "cmd", "live"), "live", "", ""));
	return true;
}

/* Longer than an engine that has nothing to do waits before it takes in what it has written. */
static void rest(void)
{
	struct timespec t = { .tv_nsec = REST_NS };
	nanosleep(&t, NULL);
}

static json_t *run_request(const kill_operator_at *o, int64_t n)
{
	CS_AUTOFREE char *key = cs_xasprintf("k%lld", (long long)n), *name = cs_xasprintf("r%lld", (long long)n);
	json_t *input = json_pack("{s:s, s:[s,s,s]}", "n", name, "items", "one", "two", "three");
	if (o->k->weight > 0) {      /* of its own: the same bytes twice would be kept once */
		CS_AUTOFREE char *much = cs_xcalloc(o->k->weight + 1, 1);
		memset(much, 'x', o->k->weight);
		memcpy(much, name, strlen(name));
		json_object_set_new(input, "much", json_string(much));
	}
	return json_pack("{s:s, s:s, s:s, s:o}", "cmd", "run", "flow", o->k->flow, "key", key, "input", input);
}

/* As one whose answer was lost: the last run that is there, the last event, once more. */
static void ask_again(kill_operator_at *o)
{
	int64_t n = kill_number(o, "SELECT count(*) AS n FROM run WHERE key IS NOT NULL", NULL);
	CS_AUTOJSON json_t *rows = kill_rows(o, "SELECT id FROM event_seen WHERE source = '/kill' ORDER BY seq DESC LIMIT 1", NULL);
	const char *id = cs_json_str(json_array_get(rows, 0), "id");
	CS_AUTOJSON json_t *run = n > 0 && o->k->flow != NULL ? kill_ask(o, run_request(o, n - 1), "run", NULL, "again") : NULL;
	CS_AUTOJSON json_t *event = id == NULL ? NULL : kill_ask(o, json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s}}}", "cmd", "emit", "event", "type", "kill.go", "source",
									     "/kill", "id", id, "data", "id", id), "emit", id, "again");
	if (run != NULL && !cs_json_true(run, "existing"))
		kill_broken(o, "the key k%lld started a second run", (long long)n - 1);
	if (event != NULL && !cs_json_true(event, "existing"))
		kill_broken(o, "the event %s was taken a second time", id);
}

/* A few runs at a time; each by its key, which makes it one run however often it is asked for. */
static bool submit(kill_operator_at *o)
{
	if (o->k->flow == NULL)
		return false;
	int64_t n = kill_number(o, "SELECT count(*) AS n FROM run WHERE key IS NOT NULL", NULL);
	int64_t open = kill_number(o, "SELECT count(*) AS n FROM run WHERE state NOT IN ('completed','faulted','cancelled','compensated')", NULL);
	if (n >= o->s->runs || open >= OPEN_RUNS)
		return false;
	json_decref(kill_ask(o, run_request(o, n), "run", NULL, ""));
	if (o->k->weight > 0)
		rest();
	return true;
}

static bool over(kill_operator_at *o)
{
	if (kill_number(o, "SELECT (SELECT count(*) FROM run WHERE state NOT IN ('completed','faulted','cancelled','compensated')) + "
			   "(SELECT count(*) FROM item WHERE state IN ('proposed','pending','approved','rejected','answered','open')) AS n", NULL) > 0)
		return false;
	if (o->k->flow == NULL)
		return kill_number(o, "SELECT count(*) AS n FROM run", NULL) >= o->k->least;
	return kill_number(o, "SELECT count(*) AS n FROM run WHERE key IS NOT NULL", NULL) >= o->s->runs;
}

/* Nobody waits for a clock: it is set to when something is due. */
static bool skip_time(kill_operator_at *o, const json_t *settled)
{
	int64_t due = cs_json_int_or(settled, "due", 0), scheduled = cs_json_int_or(settled, "scheduled", 0);
	int64_t next = due == 0 || (scheduled > 0 && scheduled < due) ? scheduled : due, now = kill_now_ms(o->s);
	if (next == 0)
		return false;
	if (next > now)
		atomic_fetch_add(&o->s->offset_ms, next - now);
	json_decref(kill_ask(o, json_pack("{s:s}", "cmd", "settle"), "", "", ""));
	return true;
}

static void nap(void)
{
	struct timespec t = { .tv_nsec = NAP_NS };
	nanosleep(&t, NULL);
}

static void what_rests(kill_operator_at *o)
{
	CS_AUTOJSON json_t *runs = kill_rows(o, "SELECT id, flow, state FROM run WHERE state NOT IN ('completed','faulted','cancelled','compensated')", NULL);
	CS_AUTOJSON json_t *items = kill_rows(o, "SELECT id, kind, state, task, title FROM item WHERE state IN ('proposed','pending','approved','rejected','answered','open')", NULL);
	CS_AUTOFREE char *a = cs_json_text(runs), *b = cs_json_text(items);
	kill_broken(o, "I18: nothing goes on any more: runs %.700s items %.700s; the last refusal: %s", a, b, o->refusal);
}

static void work(kill_operator_at *o)
{
	int64_t seen = 0, still_since = cs_clock_mono_ns();
	char why[512];
	while (true) {
		cs_engine_failure(o->engine, why, sizeof why);
		if (why[0] != '\0')
			kill_broken(o, "the engine ended: %s", why);
		bool acted = go_live(o) || submit(o) || kill_decide(o) || kill_act_on_runs(o);
		CS_AUTOJSON json_t *settled = kill_ask(o, json_pack("{s:s}", "cmd", "settle"), "", "", "");
		bool busy = cs_json_true(settled, "busy");
		if (!acted && !busy && over(o))
			return;
		if (!acted && !busy)
			(void)skip_time(o, settled);
		int64_t fed = atomic_load(&o->s->fed);
		if (fed != seen)
			still_since = cs_clock_mono_ns();
		seen = fed;
		if (cs_clock_mono_ns() - still_since > PATIENCE_MS * INT64_C(1000000))
			what_rests(o);
		if (!acted)
			nap();
	}
}

_Noreturn void kill_operator(kill_shared *s, const kill_scenario *k, cs_workspace *ws, int outside, int64_t from_ns)
{
	kill_operator_at o = { .s = s, .k = k };
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	kill_calls_begin(s);
	start_engine(&o, ws, outside);
	check_inbox(&o, from_ns);
	ask_again(&o);
	work(&o);
	cs_reader_close(o.reader);
	cs_engine_stop(o.engine, 1000);
	_exit(KILL_EXIT_DONE);
}
