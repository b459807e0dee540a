/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A clock starts runs: each occurrence at most once, never early, over restarts, changed files and clocks set back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/zone.h"
#include "engine/schedule.h"
#include "engine/schedule_times.h"
#include "tests/support/acts.h"

#define SETTINGS "workspace: test\nmode: simulate\noperator: { timezone: Europe/Paris }\n"
#define FLOW(name, schedule) \
	"document: { dsl: '1.0.3', namespace: t, name: " name ", version: 1.0.0 }\n" schedule "do: [ { a: { set: { b: '${ . }' } } } ]\n"

static _Atomic int64_t now;

static int64_t clock_now(void *ctx)
{
	(void)ctx;
	return atomic_load(&now);
}

static void set_clock(const char *at)
{
	int64_t ms;
	assert_int_equal(cs_time_parse(at, &ms, NULL), CS_OK);
	atomic_store(&now, ms);
}

static int set_up(void **state)
{
	world *w = world_for(state, SETTINGS);
	w->opts.clock.now_ms = clock_now;
	set_clock("2026-11-22T20:00:00Z");
	return 0;
}

/* Nothing goes on by itself at this time of the clock. */
static void settle(world *w)
{
	for (int64_t until = cs_clock_mono_ns() + INT64_C(20000000000); cs_clock_mono_ns() < until;) {
		CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s}", "cmd", "settle"));
		int64_t due = cs_json_int_or(ok, "due", 0), start = cs_json_int_or(ok, "scheduled", 0), at = atomic_load(&now);
		if (!cs_json_true(ok, "busy") && (due == 0 || due > at) && (start == 0 || start > at))
			return;
	}
	fail_msg("the engine does not come to rest");
}

static void at(world *w, const char *time)
{
	set_clock(time);
	settle(w);
}

static void restart(world *w, const char *time)
{
	world_stop(w);
	set_clock(time);
	world_start(w);
	settle(w);
}

static int64_t runs(world *w)
{
	return world_number(w, "SELECT count(*) AS n FROM run");
}

static void assert_armed(world *w, const char *time)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT due FROM timer WHERE run = '' AND state = 'armed'");
	char text[CS_TIME_SIZE];
	assert_int_equal(json_array_size(rows), 1);
	cs_time_format(cs_json_int_or(json_array_get(rows, 0), "due", 0), text);
	assert_string_equal(text, time);
}

static void assert_last_created(world *w, const char *time)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT created FROM run ORDER BY created_seq DESC LIMIT 1");
	char text[CS_TIME_SIZE];
	cs_time_format(cs_json_int_or(json_array_get(rows, 0), "created", 0), text);
	assert_string_equal(text, time);
}

static void test_an_occurrence_starts_one_run_and_never_early(void **state)
{
	world *w = *state;
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { cron: '0 6 * * 2' }\n"));
	world_start(w);
	at(w, "2026-11-24T04:59:59.999Z");
	assert_int_equal(runs(w), 0);
	assert_armed(w, "2026-11-24T05:00:00.000Z");
	at(w, "2026-11-24T05:00:00Z");
	assert_int_equal(runs(w), 1);
	assert_last_created(w, "2026-11-24T05:00:00.000Z");
	assert_armed(w, "2026-12-01T05:00:00.000Z");
	at(w, "2026-11-24T05:00:59Z");
	restart(w, "2026-11-24T05:01:00Z");
	assert_int_equal(runs(w), 1);
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT c.actor, f.type AS fired, a.type AS armed, c.run AS run, f.data AS data FROM event c JOIN event f ON f.seq = c.cause "
					      "JOIN event a ON a.seq = f.cause WHERE c.type = 'run.created'");
	const json_t *row = json_array_get(rows, 0);
	assert_string_equal(cs_json_str_or(row, "actor", ""), "schedule:f");
	assert_string_equal(cs_json_str_or(row, "fired", ""), "timer.fired");
	assert_string_equal(cs_json_str_or(row, "armed", ""), "timer.armed");
	json_decref(world_await(w, cs_json_str_or(row, "run", ""), "completed"));
}

static void test_a_clock_set_back_starts_nothing_again(void **state)
{
	world *w = *state;
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { cron: '0 6 * * *' }\n"));
	world_start(w);
	at(w, "2026-11-23T05:00:00Z");
	assert_int_equal(runs(w), 1);
	restart(w, "2026-11-22T20:00:00Z");
	at(w, "2026-11-23T05:00:00Z");
	at(w, "2026-11-23T05:00:01Z");
	assert_int_equal(runs(w), 1);
	at(w, "2026-11-24T05:00:00Z");
	assert_int_equal(runs(w), 2);
}

static void test_summer_time_neither_doubles_nor_loses(void **state)
{
	world *w = *state;
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { cron: '30 2 * * *' }\n"));
	set_clock("2026-10-24T12:00:00Z");
	world_start(w);
	at(w, "2026-10-25T00:30:00Z");               /* 02:30, the first */
	assert_int_equal(runs(w), 1);
	at(w, "2026-10-25T01:30:00Z");               /* 02:30 again */
	assert_int_equal(runs(w), 1);
	restart(w, "2027-03-27T12:00:00Z");
	int64_t before = runs(w);
	at(w, "2027-03-28T00:59:59Z");
	assert_int_equal(runs(w), before);
	at(w, "2027-03-28T01:00:00Z");               /* 03:00, for 02:30 never was */
	assert_int_equal(runs(w), before + 1);
	assert_armed(w, "2027-03-29T00:30:00.000Z");
}

static void with_missed(world *w, const char *missed)
{
	CS_AUTOFREE char *text = cs_xasprintf(SETTINGS "flows:\n  f:\n    starts:\n      - { cron: '0 6 * * *', missed: %s, with: { who: clock } }\n", missed);
	world_file(w, "capstan.yaml", text);
	world_file(w, "flows/f.yaml", FLOW("f", ""));
	world_start(w);
	restart(w, "2026-11-26T12:00:00Z");          /* four came due: the 23rd to the 26th */
}

static void test_missed_latest_starts_one(void **state)
{
	with_missed(*state, "latest");
	assert_int_equal(runs(*state), 1);
	assert_armed(*state, "2026-11-27T05:00:00.000Z");
	assert_int_equal(world_number(*state, "SELECT count(*) AS n FROM timer WHERE state = 'fired' AND id LIKE '%2026-11-26T06:00 Europe/Paris'"), 1);
	CS_AUTOJSON json_t *rows = world_rows(*state, "SELECT data FROM event WHERE type = 'run.created'");
	assert_non_null(strstr(cs_json_str_or(json_array_get(rows, 0), "data", ""), "\"input\":{\"who\":\"clock\"}"));
	restart(*state, "2026-11-26T12:00:01Z");
	assert_int_equal(runs(*state), 1);
}

static void test_missed_skip_starts_none_but_what_is_only_late(void **state)
{
	with_missed(*state, "skip");
	assert_int_equal(runs(*state), 0);
	assert_armed(*state, "2026-11-27T05:00:00.000Z");
	restart(*state, "2026-11-27T05:00:59Z");
	assert_int_equal(runs(*state), 1);
	restart(*state, "2026-11-28T05:01:01Z");
	assert_int_equal(runs(*state), 1);
}

static void test_missed_all_starts_each_up_to_a_bound(void **state)
{
	with_missed(*state, "all");
	assert_int_equal(runs(*state), 4);
	assert_int_equal(world_number(*state, "SELECT count(*) AS n FROM timer WHERE state = 'fired'"), 4);
	restart(*state, "2029-11-26T12:00:00Z");
	assert_int_equal(runs(*state), 4 + CS_SCHEDULE_ALL_MAX);
	assert_armed(*state, "2029-11-27T05:00:00.000Z");
	assert_int_equal(world_number(*state, "SELECT count(*) AS n FROM timer WHERE state = 'fired' AND id LIKE '%2029-11-26T06:00 Europe/Paris'"), 1);
}

static void test_every_keeps_its_beat(void **state)
{
	world *w = *state;
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { every: { hours: 1 } }\n"));
	world_start(w);
	at(w, "2026-11-22T20:59:59.999Z");
	assert_int_equal(runs(w), 0);
	at(w, "2026-11-22T21:00:00Z");
	assert_int_equal(runs(w), 1);
	at(w, "2026-11-22T22:00:20Z");               /* late: the next is not */
	assert_int_equal(runs(w), 2);
	assert_armed(w, "2026-11-22T23:00:00.000Z");
	restart(w, "2026-11-23T09:30:00Z");          /* the latest of eleven */
	assert_int_equal(runs(w), 3);
	assert_armed(w, "2026-11-23T10:00:00.000Z");
}

static void test_after_counts_from_the_end_of_a_run(void **state)
{
	world *w = *state;
	world_file(w, "flows/f.yaml", "document: { dsl: '1.0.3', namespace: t, name: f, version: 1.0.0 }\nschedule: { after: PT10M }\n"
		   "do: [ { a: { wait: PT1H } } ]\n");
	world_start(w);
	at(w, "2026-11-23T20:00:00Z");
	assert_int_equal(runs(w), 0);                /* nothing has ended yet */
	CS_AUTOFREE char *run = world_run(w, "f", NULL, json_object());
	settle(w);
	assert_int_equal(world_number(w, "SELECT count(*) AS n FROM timer WHERE run = ''"), 0);
	at(w, "2026-11-23T21:00:00Z");
	json_decref(world_await(w, run, "completed"));
	assert_armed(w, "2026-11-23T21:10:00.000Z");
	restart(w, "2026-11-23T21:09:59Z");
	assert_int_equal(runs(w), 1);
	restart(w, "2026-11-23T21:30:00Z");          /* not missed: it waits for an engine */
	assert_int_equal(runs(w), 2);
	at(w, "2026-11-23T22:30:00Z");
	assert_armed(w, "2026-11-23T22:40:00.000Z");
	/* A cancelled one starts nothing after it. */
	at(w, "2026-11-23T22:40:00Z");
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT id FROM run WHERE ended IS NULL");
	json_decref(world_ask(w, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", cs_json_str_or(json_array_get(rows, 0), "id", ""), "verb", "cancel")));
	settle(w);
	assert_int_equal(world_number(w, "SELECT count(*) AS n FROM timer WHERE run = '' AND state = 'armed'"), 0);
}

static void reload(world *w)
{
	json_decref(world_ask(w, json_pack("{s:s}", "cmd", "reload")));
	settle(w);
}

static void test_a_changed_schedule_is_armed_anew_and_a_vanished_one_is_not(void **state)
{
	world *w = *state;
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { cron: '0 6 * * *' }\n"));
	world_start(w);
	at(w, "2026-11-23T05:00:00Z");
	assert_int_equal(runs(w), 1);
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { cron: '0 7 * * *' }\n"));
	reload(w);
	assert_armed(w, "2026-11-23T06:00:00.000Z");
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { cron: '0 6 * * *' }\n"));
	reload(w);                                   /* back again, at the very minute */
	assert_int_equal(runs(w), 1);
	assert_armed(w, "2026-11-24T05:00:00.000Z");
	world_file(w, "capstan.yaml", "workspace: test\nmode: simulate\noperator: { timezone: America/New_York }\n");
	reload(w);
	assert_armed(w, "2026-11-23T11:00:00.000Z");
	world_file(w, "capstan.yaml", "workspace: test\nmode: simulate\noperator: { timezone: Europe/Berlin }\n");
	reload(w);                                   /* another zone, the same minute: it has been */
	assert_int_equal(runs(w), 1);
	assert_armed(w, "2026-11-24T05:00:00.000Z");
	world_file(w, "capstan.yaml", "workspace: test\nmode: simulate\noperator: { timezone: America/New_York }\n");
	reload(w);
	world_stop(w);                               /* changed while no engine ran */
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { cron: '30 9 * * *' }\n"));
	restart(w, "2026-11-23T12:00:00Z");
	assert_int_equal(runs(w), 1);
	assert_armed(w, "2026-11-23T14:30:00.000Z");
	world_file(w, "flows/f.yaml", FLOW("f", ""));
	reload(w);
	assert_int_equal(world_number(w, "SELECT count(*) AS n FROM timer WHERE state = 'armed'"), 0);
	at(w, "2026-11-25T12:00:00Z");
	assert_int_equal(runs(w), 1);
}

static void test_a_reload_without_a_change_keeps_the_timer(void **state)
{
	world *w = *state;
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { every: PT1H }\n"));
	world_start(w);
	at(w, "2026-11-22T20:30:00Z");
	reload(w);
	restart(w, "2026-11-22T20:40:00Z");
	assert_armed(w, "2026-11-22T21:00:00.000Z");
	assert_int_equal(world_number(w, "SELECT count(*) AS n FROM event WHERE type = 'timer.armed'"), 1);
}

/* Only the highest version of a flow starts. */
static void test_an_older_version_starts_nothing(void **state)
{
	world *w = *state;
	world_file(w, "flows/f.yaml", FLOW("f", "schedule: { every: PT1H }\n"));
	world_file(w, "flows/g.yaml", "document: { dsl: '1.0.3', namespace: t, name: f, version: 1.1.0 }\nschedule: { every: PT2H }\ndo: [ { a: { set: { b: 1 } } } ]\n");
	world_start(w);
	settle(w);
	assert_armed(w, "2026-11-22T22:00:00.000Z");
}

/* What is found by looking back is what is found by walking there, whatever the bound cuts off. */
static void test_looking_back_finds_the_latest(void **state)
{
	static const char *const crons[] = { "* * * * *", "*/7 1-3 * * *", "0 6 * * 2", "30 2 29 2 *", "* * 1 1 *" };
	enum { MAX = 10 };
	(void)state;
	world_start(*state);
	cs_zone *z = NULL;
	assert_int_equal(cs_zone_load(NULL, "Europe/Paris", &z, NULL), CS_OK);
	for (size_t i = 0; i < sizeof crons / sizeof *crons; i++)
		for (int days = 0; days < 400; days += 57) {
			cs_times t = { .how = CS_TIMES_CRON };
			cs_instant first, all[MAX], found[MAX], next;
			size_t n = 0;
			assert_int_equal(cs_cron_parse(crons[i], &t.cron, NULL), CS_OK);
			int64_t from = INT64_C(1767225600000);
			assert_true(cs_times_next(&t, z, from, from, &first));
			int64_t until = first.ms + days * INT64_C(86400000) + 1234567;
			for (next = first; next.ms <= until; n++) {
				if (n >= MAX)
					memmove(all, all + 1, (MAX - 1) * sizeof *all);
				all[n < MAX ? n : MAX - 1] = next;
				assert_true(cs_times_next(&t, z, next.ms, next.ms, &next));
			}
			size_t got = cs_times_between(&t, z, first.ms, until, found, MAX);
			assert_int_equal(got, n < MAX ? n : MAX);
			for (size_t k = 0; k < got; k++)
				assert_int_equal(found[k].ms, all[k].ms);
		}
	cs_zone_free(z);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down_verified)
	const struct CMUnitTest tests[] = {
		T(test_an_occurrence_starts_one_run_and_never_early),
		T(test_a_clock_set_back_starts_nothing_again),
		T(test_summer_time_neither_doubles_nor_loses),
		T(test_missed_latest_starts_one),
		T(test_missed_skip_starts_none_but_what_is_only_late),
		T(test_missed_all_starts_each_up_to_a_bound),
		T(test_every_keeps_its_beat),
		T(test_after_counts_from_the_end_of_a_run),
		T(test_a_changed_schedule_is_armed_anew_and_a_vanished_one_is_not),
		T(test_a_reload_without_a_change_keeps_the_timer),
		T(test_an_older_version_starts_nothing),
		T(test_looking_back_finds_the_latest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
