/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No memory, at any allocation. To our own code that is the end of the process, as a kill is; to SQLite an
 * error, after which the engine may end in order. Either way the next engine finds all that was told
 * to anybody, and does nothing twice.
 *
 * FAULTS_MEMORY=N cases from number FAULTS_SEED on (60 from 1 on without them): a case is a scenario and the
 * allocation that is refused. FAULTS_STRIDE=N refuses each Nth allocation of the smallest scenario (so that
 * there are 40 of them, without it). */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/faults/disk_tap.h"
#include "tests/faults/lean_memory.h"
#include "tests/faults/power_record.h"

enum { PLAYS_MOST = 32, ENDED = 3, SECONDS_MOST = 60 };

static site here;
static lean_plan *plan;
static long counts[PLAYS_MOST + 1][LEAN_KINDS];
static unsigned hits, deaths;

static bool play_one(site *s)
{
	return site_run(s, "unsafe", 1, 0);
}

static const power_play small = { "one", NULL, play_one };

typedef struct lean_case {
	const power_play *play;
	lean_kind kind;
	long nth;
	bool ever;
} lean_case;

static void wrong_at(const lean_case *c, const char *wrong)
{
	print_error("%s, allocation %ld of %s%s: %s\nkept: %s\n", c->play->name, c->nth, c->kind == LEAN_OURS ? "ours" : "SQLite's",
		    c->ever ? " and all after" : "", wrong, here.dir);
	fail();
}

/* In a child: it says on MARKS what it told to whom, and dies, or not. */
static void play_in_child(const lean_case *c, int marks)
{
	const struct rlimit none = { 0, 0 }, most = { SECONDS_MOST, SECONDS_MOST };
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setrlimit(RLIMIT_CPU, &most);
	tap_marks_to(marks);
	plan->left[c->kind] = c->nth - 1;
	plan->ever = c->ever;
	plan->counting = true;
	bool ok = power_play_run(&here, c->play);
	plan->counting = false;
	site_stop(&here);
	_exit(ok ? 0 : ENDED);
}

static void die_or_end(const lean_case *c, const char *marks)
{
	int status = 0;
	lean_reset(plan);
	int fd = open(marks, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	(void)fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		play_in_child(c, fd);
	(void)close(fd);
	if (child < 0 || waitpid(child, &status, 0) != child)
		fail_msg("no child: %s", strerror(errno));
	plan->counting = false;              /* it has died without saying so */
	bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
	bool ended = WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == ENDED);
	CS_AUTOFREE char *how = cs_xasprintf("it ended with the status 0x%x", (unsigned)status);
	if (!died && !ended)
		wrong_at(c, how);
	if (WIFEXITED(status) && WEXITSTATUS(status) == ENDED && !plan->hit)
		wrong_at(c, "it ended though no memory was refused");
	if (plan->loose)
		wrong_at(c, "jansson was refused some memory, and what it then left out was taken for the whole");
	hits += plan->hit;
	deaths += died;
	lean_reset(plan);
}

static void try_one(const lean_case *c)
{
	CS_AUTOFREE char *marks = cs_path_join(here.dir, "marks");
	power_record r = { .play = c->play };
	site_clear(&here);
	die_or_end(c, marks);
	if (!tap_read_marks(marks, &r.tape))
		wrong_at(c, "what it told cannot be read");
	here.verbs = c->play->verbs;
	site_recall(&here, &r.tape, r.tape.n_ops);
	CS_AUTOFREE char *wrong = power_take_up(&here);
	CS_AUTOFREE char *lost = wrong == NULL ? power_record_read(&r, &here) : NULL;
	if (wrong != NULL || lost != NULL)
		wrong_at(c, wrong != NULL ? wrong : lost);
	power_record_free(&r);
}

static void without_memory_an_engine_dies_or_ends_and_loses_nothing(void **state)
{
	(void)state;
	uint64_t n = site_number("FAULTS_MEMORY", site_part(60)), from = site_number("FAULTS_SEED", 1);
	int64_t began = cs_clock_mono_ns();
	hits = deaths = 0;
	for (uint64_t i = from; i < from + n; i++) {
		uint64_t random = i * UINT64_C(0x9E3779B97F4A7C15) + 13;
		for (int k = 0; k < 3; k++)
			(void)tape_random(&random, 2);
		size_t play = (size_t)tape_random(&random, power_plays_count());
		lean_case c = { .play = &power_plays[play], .kind = (lean_kind)tape_random(&random, LEAN_KINDS), .ever = tape_random(&random, 2) == 0 };
		c.nth = 1 + (long)tape_random(&random, (uint64_t)counts[play][c.kind]);
		try_one(&c);
	}
	print_message("%llu cases, %u refusals, %u deaths: %.1f s\n", (unsigned long long)n, hits, deaths, (double)(cs_clock_mono_ns() - began) / 1e9);
	assert_true(hits > 0 && (n < 10 || deaths > 0));
}

static void each_allocation_of_one_run_may_be_the_one_that_fails(void **state)
{
	(void)state;
	int64_t began = cs_clock_mono_ns();
	hits = deaths = 0;
	for (int kind = 0; kind < LEAN_KINDS; kind++) {
		long most = counts[PLAYS_MOST][kind], stride = (long)site_number("FAULTS_STRIDE", (uint64_t)(most / 20 + 1));
		for (long nth = 1 + (long)site_number("FAULTS_SEED", 1) % stride; nth <= most; nth += stride)
			try_one(&(lean_case){ .play = &small, .kind = (lean_kind)kind, .nth = nth });
	}
	print_message("of %ld allocations of ours and %ld of SQLite's: %u refusals, %u deaths: %.1f s\n", counts[PLAYS_MOST][LEAN_OURS],
		      counts[PLAYS_MOST][LEAN_SQLITE], hits, deaths, (double)(cs_clock_mono_ns() - began) / 1e9);
	assert_true(hits > 0 && deaths > 0);
}

static void count(const power_play *p, long ret[LEAN_KINDS])
{
	site_clear(&here);
	lean_reset(plan);
	plan->counting = true;
	bool ok = power_play_run(&here, p);
	plan->counting = false;
	site_stop(&here);
	if (!ok)
		fail_msg("%s: %s", p->name, here.why);
	for (int kind = 0; kind < LEAN_KINDS; kind++)
		ret[kind] = plan->count[kind];
}

static int set_up(void **state)
{
	(void)state;
	site_make(&here);
	for (size_t i = 0; i < power_plays_count(); i++)
		count(&power_plays[i], counts[i]);
	count(&small, counts[PLAYS_MOST]);
	return 0;
}

int main(void)
{
	plan = lean_install();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_an_engine_dies_or_ends_and_loses_nothing),
		cmocka_unit_test(each_allocation_of_one_run_may_be_the_one_that_fails),
	};
	int failed = cmocka_run_group_tests(tests, set_up, NULL);
	if (failed == 0)
		site_remove(&here);
	return failed;
}
