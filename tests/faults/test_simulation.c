/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole engines from seeds: nothing is lost and nothing repeated, whatever comes; and what a seed
 * shows it shows again. `make check-faults` has time for more of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/faults/sim_disk.h"
#include "tests/faults/sim_site.h"
#include "tests/faults/simulation.h"

enum { SEEDS = 60, STEPS = 400, SECONDS = 20, TWICE = 4 };

static char dir[64];

static int enter(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "%s/capstan-sim-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(dir) != NULL && chdir(dir) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	if (chdir("/") != 0)
		return -1;
	sim_site_remove(dir);
	return 0;
}

static simulation run(uint64_t seed)
{
	simulation s = { .seed = seed, .steps = STEPS, .exe = getenv("CS_TEST_CAPSTAN") };
	if (!simulation_run(&s))
		fail_msg("seed %llu shows a fault", (unsigned long long)seed);
	json_decref(s.types);
	s.types = NULL;
	return s;
}

static void twice_the_same_seed_is_twice_the_same_log(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= TWICE; seed++) {
		simulation a = run(seed), b = run(seed);
		assert_true(a.events > 20);
		assert_int_equal(a.events, b.events);
		assert_string_equal(a.head, b.head);
	}
}

/* Faults that were found by chance. */
static void seeds_that_have_shown_a_fault_do_not_show_it_again(void **state)
{
	static const uint64_t seeds[] = { 1080, 1106, 40011, 40322 };
	(void)state;
	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
		(void)run(seeds[i]);
}

static void another_seed_is_another_log(void **state)
{
	(void)state;
	simulation a = run(1), b = run(2);
	assert_string_not_equal(a.head, b.head);
}

static void the_invariants_hold_over_seeds(void **state)
{
	(void)state;
	int64_t until = sim_time_real_ms() + SECONDS * 1000;
	unsigned runs = 0, crashes = 0, cuts = 0, failures = 0, decisions = 0, calls = 0, n = 0;
	for (uint64_t seed = 100; n < SEEDS && sim_time_real_ms() < until; seed++, n++) {
		simulation s = run(seed);
		runs += s.started;
		crashes += s.crashes;
		cuts += s.cuts;
		failures += s.failures;
		decisions += s.decisions;
		calls += s.calls;
	}
	print_message("%u seeds: %u runs, %u requests outside, %u decisions, %u crashes, %u power cuts, %u failures\n", n, runs, calls,
		      decisions, crashes, cuts, failures);
	assert_true(n >= 5);
	assert_true(runs > 0 && calls > 0 && decisions > 0 && crashes > cuts && cuts > 0 && failures > 0);
}

/* Whatever of the disk fails when a workspace is used for the first time: the next start is not refused. */
static void a_first_start_that_fails_leaves_nothing_in_the_way(void **state)
{
	(void)state;
	unsigned failed = 0;
	bool reached = true;
	for (unsigned ops = 0; reached; ops++) {
		simulation s = { .seed = 1 };
		simulation_begin(&s);
		sim_disk_fail_after(ops, ops % 2 == 0);
		if (sim_try_start(&s))
			sim_crash(&s, SIM_KILLED);
		else
			failed++;
		reached = sim_disk_failed();
		sim_disk_mend();
		assert_true(sim_try_start(&s));
		simulation_end(&s);
		json_decref(s.types);
		assert_false(s.wrong);
	}
	assert_true(failed > 10);
}

/* The clock was set back, and the disk fails before the start has looked at the log. */
static void what_a_start_says_of_the_disk_is_dated_after_the_log(void **state)
{
	(void)state;
	unsigned said = 0;
	bool reached = true;
	for (unsigned ops = 0; reached; ops++) {
		simulation s = { .seed = 1, .calm = true };
		simulation_begin(&s);
		sim_start(&s);
		sim_crash(&s, SIM_KILLED);
		sim_time_jump(-3600000);
		sim_disk_fail_after(ops, false);
		if (sim_try_start(&s))
			sim_crash(&s, SIM_KILLED);
		reached = sim_disk_failed();
		sim_disk_mend();
		sim_start(&s);
		CS_AUTOJSON json_t *rows = sim_rows(&s, "SELECT id FROM item WHERE kind = 'disk'", NULL);
		said += json_array_size(rows) > 0;
		simulation_end(&s);
		json_decref(s.types);
		assert_false(s.wrong);
	}
	assert_true(said > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice_the_same_seed_is_twice_the_same_log),
		cmocka_unit_test(another_seed_is_another_log),
		cmocka_unit_test(seeds_that_have_shown_a_fault_do_not_show_it_again),
		cmocka_unit_test(a_first_start_that_fails_leaves_nothing_in_the_way),
		cmocka_unit_test(what_a_start_says_of_the_disk_is_dated_after_the_log),
		cmocka_unit_test(the_invariants_hold_over_seeds),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
