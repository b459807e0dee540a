/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A restart changes nothing: a run folded from its log is the run that was there, at whatever
 * group it stopped, and goes on as that one would have. Over random flows, a random outside and a
 * random operator, all from a seed. $CS_TEST_SEED chooses the first of the seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/machine.h"
#include "core/snapshot.h"
#include "core/snapshot_rows.h"
#include "tests/core/play.h"

enum { FLOWS = 250, TICKS = 200, MARKS = 4000, CUTS = 6 };

static cs_workspace *ws;
static char dir[64];
static uint64_t first_seed = 1;

/* Where the log stood, and the clock and the ids, before a group; TICK: of how many is it. */
struct mark {
	size_t events;
	int64_t now;
	uint64_t ids;
	int tick;
	json_t *dump;
	char *saved;                 /* a snapshot; NULL: it is at work, and none can be made */
};

static cs_flow *flow_of(uint64_t seed)
{
	CS_AUTOJSON json_t *doc = random_flow(seed);
	cs_diags d;
	cs_flow *flow = NULL;
	cs_diags_init(&d);
	if (cs_flow_new(doc, NULL, cs_workspace_callable, ws, &d, &flow) != CS_OK) {
		CS_AUTOFREE char *text = cs_json_text(doc);
		fail_msg("seed %llu: %s: %s", (unsigned long long)seed, d.n > 0 ? d.items[0].message : "?", text);
	}
	cs_diags_fini(&d);
	return flow;
}

static json_t *input_of(uint64_t seed)
{
	return json_pack("{s:I, s:[i,i,i]}", "n", (json_int_t)(seed % 4), "l", 1, 2, 3);
}

static void assert_same(const json_t *have, const json_t *want, const char *what, uint64_t seed, size_t at)
{
	if (json_equal(have, want))
		return;
	CS_AUTOFREE char *a = cs_json_text(have), *b = cs_json_text(want);
	fail_msg("seed %llu, event %zu: %s differs\n folded: %s\n live:   %s", (unsigned long long)seed, at, what, a, b);
}

static char *saved(const cs_run *r)
{
	CS_AUTOJSON json_t *doc = cs_snapshot_may(r) ? cs_snapshot_save(r) : NULL;
	return doc != NULL ? cs_json_text(doc) : NULL;
}

static void mark(const play *s, const cs_run *r, int tick, struct mark *marks, size_t *n)
{
	if (*n < MARKS)
		marks[(*n)++] = (struct mark){ json_array_size(s->log), s->now, s->ids, tick, play_dump(r), saved(r) };
}

/* Runs to the end and keeps a mark before every group. */
static size_t run_live(play *s, const cs_flow *flow, struct mark *marks, bool *ret_ended)
{
	size_t n = 0;
	int tick = 0;
	bool on = true;
	cs_run *r = play_begin(s, flow, input_of(s->seed));
	for (; on && tick < TICKS; tick++) {
		do
			mark(s, r, tick, marks, &n);
		while (play_group(s, r));
		on = play_tick(s, r);
	}
	*ret_ended = !on;
	cs_run_free(r);
	return n;
}

/* R, as it stood at the mark M, must write what the other one wrote. R is taken over. */
static void go_on(const play *live, cs_run *r, const struct mark *m)
{
	play s;
	play_init(&s, ws, live->seed);
	s.now = m->now;
	s.ids = m->ids;
	for (size_t i = 0; i < m->events; i++)
		json_array_append(s.log, json_array_get(live->log, i));
	CS_AUTOJSON json_t *dump = play_dump(r);
	assert_same(dump, m->dump, "the state", live->seed, m->events);
	bool on = true;
	for (int tick = m->tick; on && tick < TICKS; tick++) {
		while (play_group(&s, r))
			continue;
		on = play_tick(&s, r);
	}
	for (size_t i = m->events; i < json_array_size(s.log) || i < json_array_size(live->log); i++)
		assert_same(json_array_get(s.log, i), json_array_get(live->log, i), "what follows", live->seed, i + 1);
	cs_run_free(r);
	play_fini(&s);
}

static void plain_struct(const cs_members *m, json_t *o, const json_t *values)
{
	for (const cs_member *row = m->rows; row->name != NULL; row++) {
		const json_t *at = json_object_get(o, row->name);
		if (at != NULL && (row->kind == CS_MEMBER_JSON || row->kind == CS_MEMBER_OBJECT || row->kind == CS_MEMBER_ARRAY))
			json_object_set(o, row->name, json_array_get(values, (size_t)json_integer_value(at)));
	}
	if (json_object_get(o, "call") != NULL)
		plain_struct(&cs_snapshot_call, json_object_get(o, "call"), values);
	if (json_object_get(o, "outer") != NULL)
		plain_struct(&cs_snapshot_call, json_object_get(o, "outer"), values);
	if (json_object_get(o, "hearing") != NULL)
		plain_struct(&cs_snapshot_hearing, json_object_get(o, "hearing"), values);
}

/* A snapshot with each value where it is named: what is shared may differ. */
static json_t *plain(const json_t *doc)
{
	static const char *const lists[] = { "frames", "items", "reversals", "below" };
	const json_t *values = json_object_get(doc, "values");
	json_t *o = json_deep_copy(doc);
	json_object_del(o, "values");
	plain_struct(&cs_snapshot_run, json_object_get(o, "run"), values);
	for (size_t i = 0; i < CS_ARRAY_LEN(lists); i++) {
		const cs_members *const of[] = { &cs_snapshot_frame, &cs_snapshot_item, &cs_snapshot_reversal, &cs_snapshot_below };
		size_t k;
		json_t *one;
		json_array_foreach(json_object_get(o, lists[i]), k, one) {
			plain_struct(of[i], one, values);
			if (json_object_get(one, "iterating") != NULL)   /* its first task is live: nothing is next before that is over */
				json_object_del(one, "next");
		}
	}
	return o;
}

static cs_run *loaded(uint64_t seed, const cs_flow *flow, const struct mark *m)
{
	cs_err err = { 0 };
	cs_run *r = NULL;
	CS_AUTOJSON json_t *doc = NULL;
	assert_int_equal(cs_json_parse(m->saved, strlen(m->saved), &doc, &err), CS_OK);
	if (cs_snapshot_load("00000000000000000000000RUN", flow, doc, &r, &err) != CS_OK)
		fail_msg("seed %llu, event %zu: %s: %s", (unsigned long long)seed, m->events, err.msg, m->saved);
	return r;
}

/* Fails with the first member that differs: whole states are longer than a message. */
static void assert_same_members(const json_t *have, const json_t *want, const char *name, uint64_t seed, size_t at)
{
	const char *key;
	json_t *v;
	size_t i;
	if (json_equal(have, want))
		return;
	json_object_foreach((json_t *)(uintptr_t)want, key, v)
		assert_same_members(json_object_get(have, key), v, key, seed, at);
	json_array_foreach(want, i, v)
		assert_same_members(json_array_get(have, i), v, name, seed, at);
	assert_same(have, want, name, seed, at);
}

/* The same from a snapshot that was made at the mark EARLIER, and the events since. */
static void go_on_from_snapshot(const play *live, const cs_flow *flow, const struct mark *earlier, const struct mark *m)
{
	cs_run *r = loaded(live->seed, flow, earlier);
	CS_AUTOJSON json_t *first = play_dump(r);
	assert_same(first, earlier->dump, "the state that was saved", live->seed, earlier->events);
	play_fold_on(r, live->log, earlier->events, m->events);
	cs_run *whole = play_fold(flow, live->log, m->events);
	CS_AUTOJSON json_t *have = cs_snapshot_save(r);
	CS_AUTOJSON json_t *want = cs_snapshot_save(whole);
	CS_AUTOJSON json_t *a = plain(have);
	CS_AUTOJSON json_t *b = plain(want);
	assert_same_members(a, b, "the state", live->seed, m->events);
	cs_run_free(whole);
	go_on(live, r, m);
}

static void test_a_folded_run_is_the_run_and_goes_on_like_it(void **state)
{
	(void)state;
	static struct mark marks[MARKS];
	size_t events = 0, ended = 0, corrected = 0, snapshots = 0;
	for (uint64_t seed = first_seed; seed < first_seed + FLOWS; seed++) {
		cs_flow *flow = flow_of(seed);
		play s;
		play_init(&s, ws, seed);
		bool over = false;
		size_t n = run_live(&s, flow, marks, &over);
		for (size_t i = 0; i < CUTS; i++) {
			size_t at = (size_t)(play_hash(seed, "cut", (int64_t)i) % n);
			go_on(&s, play_fold(flow, s.log, marks[at].events), &marks[at]);
			size_t earlier = (size_t)(play_hash(seed, "saved", (int64_t)i) % (at + 1));
			while (earlier > 0 && marks[earlier].saved == NULL)
				earlier--;
			if (marks[earlier].saved == NULL)
				continue;
			go_on_from_snapshot(&s, flow, &marks[earlier], &marks[at]);
			snapshots++;
		}
		for (size_t i = 0; i < n; i++) {
			json_decref(marks[i].dump);
			free(marks[i].saved);
		}
		events += json_array_size(s.log);
		ended += over;
		corrected += s.corrected;
		play_fini(&s);
		cs_flow_unref(flow);
	}
	print_message("%d flows, %zu of them ended, %zu events, %zu corrections, %zu snapshots\n", FLOWS, ended, events, corrected, snapshots);
	assert_true(snapshots > (size_t)FLOWS * CUTS / 2);
	assert_true(corrected > FLOWS / 10);
	assert_true(events > (size_t)FLOWS * 10);
	assert_true(ended > FLOWS / 2);
}

/* ---- every row is an arrow ------------------------------------------------------------------------------------- */

/* The event of a machine that a row of the log stands for, and where it leads; "" as the row's data says. */
static const struct {
	const char *type, *event, *to;
} arrows[] = {
	{ "run.started", "start", "running" },     { "run.blocked", "block", "waiting" },   { "run.unblocked", "unblock", "running" },
	{ "run.pausing", "pause", "pausing" },     { "run.resumed", "resume", "running" },  { "run.cancelling", "cancel", "cancelling" },
	{ "run.cancelled", "settle", "cancelled" }, { "run.completed", "complete", "completed" },
	{ "run.faulted", "fault", "faulted" },     { "run.retried", "retry", "running" },
};

static void assert_arrow(uint64_t seed, const json_t *ev, char state[32])
{
	const char *type = cs_json_str_or(ev, "type", "");
	const char *event = NULL, *to = NULL;
	for (size_t i = 0; i < CS_ARRAY_LEN(arrows); i++)
		if (strcmp(arrows[i].type, type) == 0) {
			event = arrows[i].event;
			to = arrows[i].to;
		}
	if (strcmp(type, "run.paused") == 0) {
		event = strcmp(state, "pausing") == 0 ? "settle" : "pause";
		to = "paused";
	}
	if (event == NULL)
		return;
	if (!cs_machine_has(&cs_machine_run, state, event, to))
		fail_msg("seed %llu, event %lld: %s is no arrow from %s", (unsigned long long)seed, (long long)cs_json_int_or(ev, "seq", 0),
			 type, state);
	snprintf(state, 32, "%s", to);
}

/* ---- every attempt's row is an arrow, by its key ---- */

static bool some_arrow(const char *from, const char *to)
{
	const cs_machine *m = &cs_machine_attempt;
	for (size_t i = 0; i < m->n_arrows; i++)
		if (strcmp(m->arrows[i].from, from) == 0 && strcmp(m->arrows[i].to, to) == 0)
			return true;
	return strcmp(from, "retry-wait") == 0 && strcmp(to, "intent") == 0 && cs_machine_has(m, from, "timer", "planned") &&
	       cs_machine_has(m, "planned", "dispatch", to);
}

static const char *attempt_to(const char *type, const json_t *data)
{
	static const struct { const char *type, *how, *to; } rows[] = {
		{ "attempt.intent", NULL, "intent" }, { "attempt.done", NULL, "done" }, { "attempt.failed", NULL, "failed" },
		{ "attempt.retry", NULL, "retry-wait" }, { "attempt.resolved", "happened", "done" }, { "attempt.resolved", "did-not", "failed" },
		{ "attempt.resolved", "repeat", "superseded" },
	};
	if (strcmp(type, "attempt.ambiguous") == 0)
		return cs_json_str_or(data, "to", "?");
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].type, type) == 0 && (rows[i].how == NULL || strcmp(rows[i].how, cs_json_str_or(data, "how", "")) == 0))
			return rows[i].to;
	return NULL;
}

/* "intent --ambiguous-->", by the class. */
static bool class_leads(const char *class, const char *to)
{
	static const struct { const char *class, *to; } ways[] = {
		{ "pure", "retry-wait" }, { "pure", "failed" }, { "read", "retry-wait" }, { "read", "failed" }, { "keyed", "retry-wait" },
		{ "keyed", "in-doubt" }, { "probe", "probing" }, { "unsafe", "in-doubt" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(ways); i++)
		if (strcmp(ways[i].class, class) == 0 && strcmp(ways[i].to, to) == 0)
			return true;
	return false;
}

static void assert_attempt(uint64_t seed, const json_t *ev, json_t *attempts, json_t *reached)
{
	const json_t *data = json_object_get(ev, "data");
	const char *type = cs_json_str_or(ev, "type", ""), *key = cs_json_str_or(data, "key", ""), *to = attempt_to(type, data);
	json_t *a = json_object_get(attempts, key);
	if (to == NULL || strncmp(type, "attempt.", 8) != 0)
		return;
	if (a == NULL)
		json_object_set_new(attempts, key, a = json_pack("{s:s, s:s}", "state", "planned", "class", cs_json_str_or(data, "class", "")));
	const char *from = cs_json_str_or(a, "state", ""), *class = cs_json_str_or(a, "class", "");
	bool right = some_arrow(from, to);
	if (right && strcmp(from, "intent") == 0 && strcmp(type, "attempt.ambiguous") == 0 && strcmp(cs_json_str_or(data, "how", ""), "tries used up") != 0)
		right = class_leads(class, to);
	if (!right)
		fail_msg("seed %llu, event %lld: %s of a %s attempt leads from %s to %s", (unsigned long long)seed,
			 (long long)cs_json_int_or(ev, "seq", 0), type, class, from, to);
	json_object_set_new(reached, to, json_true());
	json_object_set_new(a, "state", json_string(to));
}

/* I5 */
static void assert_rest(uint64_t seed, const cs_run *r, const json_t *attempts)
{
	const char *key;
	json_t *a;
	json_object_foreach((json_t *)(uintptr_t)attempts, key, a) {
		const char *state = cs_json_str_or(a, "state", "");
		if (cs_run_state_terminal(cs_run_state_name(r->state)) && (strcmp(state, "intent") == 0 || strcmp(state, "probing") == 0))
			fail_msg("seed %llu: the run is %s, and an attempt is in %s", (unsigned long long)seed, cs_run_state_name(r->state), state);
	}
}

/* Now and then the process dies between two groups: all that is left is the log. */
static bool crash(uint64_t seed, size_t group, const cs_flow *flow, play *s, cs_run **r)
{
	if (play_hash(seed, "crash", (int64_t)group) % 6 != 0)
		return false;
	cs_run_free(*r);
	*r = play_fold(flow, s->log, json_array_size(s->log));
	play_crash(s, *r);
	return true;
}

/* With crashes in between: each row of the run is an arrow of its machine, and an unsafe key whose
 * end was not known is never begun again. */
static void test_with_crashes_every_row_is_an_arrow_and_no_unsafe_key_goes_twice(void **state)
{
	(void)state;
	size_t crashes = 0;
	CS_AUTOJSON json_t *reached = json_object();
	for (uint64_t seed = first_seed; seed < first_seed + FLOWS; seed++) {
		cs_flow *flow = flow_of(seed);
		CS_AUTOJSON json_t *unsure = json_object();
		CS_AUTOJSON json_t *attempts = json_object();
		char now[32] = "created";
		play s;
		play_init(&s, ws, seed);
		cs_run *r = play_begin(&s, flow, input_of(seed));
		size_t groups = 0;
		for (int i = 0; i < TICKS && play_tick(&s, r); i++)
			while (play_group(&s, r))
				if (crash(seed, groups++, flow, &s, &r))
					crashes++;
		size_t i;
		json_t *ev;
		json_array_foreach(s.log, i, ev) {
			const json_t *data = json_object_get(ev, "data");
			const char *type = cs_json_str_or(ev, "type", ""), *key = cs_json_str_or(data, "key", "");
			assert_arrow(seed, ev, now);
			assert_attempt(seed, ev, attempts, reached);
			if (strcmp(type, "attempt.ambiguous") == 0 && strcmp(cs_json_str_or(data, "class", ""), "unsafe") == 0)
				json_object_set_new(unsure, key, json_true());
			if (strcmp(type, "attempt.intent") == 0 && json_object_get(unsure, key) != NULL)
				fail_msg("seed %llu, event %zu: an unsafe key goes again after an ambiguous end", (unsigned long long)seed, i + 1);
		}
		assert_rest(seed, r, attempts);
		cs_run_free(r);
		play_fini(&s);
		cs_flow_unref(flow);
	}
	for (size_t i = 1; cs_machine_attempt.states[i] != NULL; i++)
		assert_non_null(json_object_get(reached, cs_machine_attempt.states[i]));
	assert_true(crashes > FLOWS / 2);
}

static int set_up(void **state)
{
	(void)state;
	const char *seed = getenv("CS_TEST_SEED");
	if (seed != NULL)
		first_seed = strtoull(seed, NULL, 10);
	ws = play_workspace(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	play_workspace_free(ws, dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_folded_run_is_the_run_and_goes_on_like_it),
		cmocka_unit_test(test_with_crashes_every_row_is_an_arrow_and_no_unsafe_key_goes_twice),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
