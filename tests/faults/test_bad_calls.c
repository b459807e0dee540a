/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A disk that fails at any of its calls: no space, an I/O error, half a write, a sync or a rename that
 * fails, once or from then on. The engine ends and nothing leaves it any more (I17); the next one takes
 * up what is there, and so does one after a power cut that takes what the failed sync left behind.
 *
 * FAULTS_CALLS=N cases from number FAULTS_SEED on (100 from 1 on without them): a case is a scenario, a
 * way to fail and the call that does, each drawn by its number. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "tests/faults/disk_tap.h"
#include "tests/faults/power_record.h"

enum { IMAGES_A_CASE = 6, PLAYS_MOST = 32 };

static site here;
static int counts[PLAYS_MOST][TAP_WAYS];
static unsigned hits, ended;

typedef struct bad_case {
	uint64_t n, random;
	size_t play;
	tap_way way;
	int nth, more;
} bad_case;

static const char *const ways[TAP_WAYS] = { "no space", "an I/O error", "half a write", "a failed sync", "a failed rename" };

static void wrong_at(const bad_case *c, const char *wrong)
{
	print_error("case %llu: %s, %s at call %d%s: %s\nkept: %s\nagain: FAULTS_SEED=%llu FAULTS_CALLS=1\n", (unsigned long long)c->n,
		    power_plays[c->play].name, ways[c->way], c->nth, c->more > 0 ? " and after" : "", wrong, here.dir, (unsigned long long)c->n);
	fail();
}

static bad_case draw(uint64_t n)
{
	bad_case c = { .n = n, .random = n * UINT64_C(0x9E3779B97F4A7C15) + 11 };
	for (int i = 0; i < 3; i++)
		(void)tape_random(&c.random, 2);
	c.play = (size_t)tape_random(&c.random, power_plays_count());
	c.way = (tap_way)tape_random(&c.random, TAP_WAYS);
	c.nth = 1 + (int)tape_random(&c.random, (uint64_t)counts[c.play][c.way]);
	c.more = tape_random(&c.random, 2) == 0 ? INT_MAX : 0;
	return c;
}

/* I17: whatever it is asked, an engine that has ended does nothing. */
static void want_dead(const bad_case *c)
{
	size_t before = json_array_size(here.entries);
	for (int i = 0; here.engine != NULL && i < 3; i++) {
		if (site_run(&here, "unsafe", 99, 0))
			wrong_at(c, "I17: an engine that has ended takes a run");
		(void)cs_engine_turn(here.engine);
	}
	if (json_array_size(here.entries) != before)
		wrong_at(c, "I17: an effect left after the engine had ended");
}

/* True: it ended by itself. */
static bool play_badly(const bad_case *c)
{
	char failure[sizeof here.why] = "";
	tap_fail(c->way, c->nth, c->more);
	bool ok = power_play_run(&here, &power_plays[c->play]);
	bool hit = tap_hit();
	if (here.engine != NULL)
		cs_engine_failure(here.engine, failure, sizeof failure);
	if (!ok && !hit)
		wrong_at(c, here.why);
	if (failure[0] != '\0')
		want_dead(c);
	site_stop(&here);
	tap_mend();
	hits += hit;
	return failure[0] != '\0' || !ok;
}

/* What it left shows only later; 0: all syncs were done. */
static size_t first_failed_sync(const disk_tape *t)
{
	for (size_t i = 0; i < t->n_ops; i++)
		if (t->ops[i].kind == TAPE_SYNC_FAILED)
			return i;
	return 0;
}

static void cut_power(const bad_case *c, power_record *r)
{
	uint64_t random = c->random;
	size_t cuts[IMAGES_A_CASE];
	char what[256];
	size_t from = first_failed_sync(&r->tape), each = (r->tape.n_ops - from) / IMAGES_A_CASE;
	for (size_t i = 0; i < IMAGES_A_CASE; i++)   /* in order: a disk does not go back */
		cuts[i] = from + each * i + (size_t)tape_random(&random, each + 1);
	disk *d = disk_new(&r->tape);
	for (size_t i = 0; i < IMAGES_A_CASE; i++) {
		size_t cut = cuts[i];
		disk_go(d, cut);
		site_clear(&here);
		if (!disk_image(d, here.state, tape_random(&random, UINT32_MAX), what, sizeof what))
			fail_msg("%s", strerror(errno));
		CS_AUTOFREE char *wrong = power_judge_store(r, &here, cut);
		CS_AUTOFREE char *all = wrong != NULL ? cs_xasprintf("after it the power was cut (%s): %s", what, wrong) : NULL;
		if (all != NULL)
			wrong_at(c, all);
	}
	disk_free(d);
}

static void judge(const bad_case *c)
{
	power_record r = { .play = &power_plays[c->play], .unsure = true };
	site_clear(&here);
	tap_begin(here.state, &r.tape);
	ended += play_badly(c);
	CS_AUTOFREE char *wrong = power_take_up(&here);
	tap_end();
	if (wrong != NULL)
		wrong_at(c, wrong);
	CS_AUTOFREE char *lost = power_record_read(&r, &here);
	if (lost != NULL)
		wrong_at(c, lost);
	cut_power(c, &r);
	power_record_free(&r);
}

static void a_disk_that_fails_ends_the_engine_and_loses_nothing(void **state)
{
	(void)state;
	uint64_t n = site_number("FAULTS_CALLS", site_part(100)), from = site_number("FAULTS_SEED", 1);
	int64_t began = cs_clock_mono_ns();
	for (uint64_t i = from; i < from + n; i++) {
		bad_case c = draw(i);
		judge(&c);
	}
	print_message("%llu cases, in %u of them a call failed, %u engines ended of it; %d images each: %.1f s\n", (unsigned long long)n, hits, ended,
		      IMAGES_A_CASE, (double)(cs_clock_mono_ns() - began) / 1e9);
	assert_true(hits > 0);
}

static int set_up(void **state)
{
	(void)state;
	site_make(&here);
	for (size_t i = 0; i < power_plays_count(); i++) {
		site_clear(&here);
		tap_begin(here.state, NULL);
		if (!power_play_run(&here, &power_plays[i]))
			fail_msg("%s: %s", power_plays[i].name, here.why);
		for (int way = 0; way < TAP_WAYS; way++)
			counts[i][way] = tap_count((tap_way)way);
		site_stop(&here);
		tap_end();
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_that_fails_ends_the_engine_and_loses_nothing),
	};
	int failed = cmocka_run_group_tests(tests, set_up, NULL);
	if (failed == 0)
		site_remove(&here);
	return failed;
}
