/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A power cut at any point: what the disk keeps of it opens, holds all that was told to anybody, and
 * goes on to its end without doing anything twice.
 *
 * FAULTS_IMAGES=N images from number FAULTS_SEED on are made and judged (1,000 from 1 on without them);
 * every FAULTS_EVERY-th (25) by a whole engine to the end of every run, the others by the store
 * alone; and FAULTS_AGAIN of them (10) are taken up while the power is cut again, 20 times each. A tape
 * is never twice the same; the one of a failure is kept, and FAULTS_TAPE=FILE takes it instead: the
 * same numbers are the same images then. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/faults/disk_tap.h"
#include "tests/faults/power_record.h"

enum { BATCH = 200, PLAYS_MOST = 32 };

static site here;
static power_record records[PLAYS_MOST];
static size_t n_records;

/* ---- taping ------------------------------------------------------------------------------------------------------ */

static void tape(const power_play *p, power_record *r)
{
	site_clear(&here);
	*r = (power_record){ .play = p };
	snprintf(r->tape.name, sizeof r->tape.name, "%s", p->name);
	tap_begin(here.state, &r->tape);
	/* Every other state folder is there already, made by somebody who died before it was synced. */
	if (n_records % 2 == 1 && mkdir(here.state, 0700) != 0)
		fail_msg("%s: %s", here.state, strerror(errno));
	bool ok = power_play_run(&here, p);
	site_stop(&here);
	tap_end();
	if (!ok)
		fail_msg("%s: %s", p->name, here.why);
	CS_AUTOFREE char *broken = site_broken(&here), *wrong = power_record_read(r, &here);
	if (*broken != '\0' || wrong != NULL)
		fail_msg("%s: %s", p->name, wrong != NULL ? wrong : broken);
}

/* What was played is read from the tape itself. */
static void take_tape(const char *path, power_record *r)
{
	*r = (power_record){ 0 };
	if (!tape_load(&r->tape, path))
		fail_msg("%s: is not a tape", path);
	for (const power_play *p = power_plays; p->name != NULL; p++)
		if (strcmp(p->name, r->tape.name) == 0)
			r->play = p;
	disk *d = disk_new(&r->tape);
	disk_go(d, r->tape.n_ops);
	bool ok = r->play != NULL && disk_whole(d, here.state);
	disk_free(d);
	CS_AUTOFREE char *wrong = ok ? power_record_read(r, &here) : cs_xasprintf("%s: cannot be played", path);
	if (wrong != NULL)
		fail_msg("%s", wrong);
}

static void tape_all(void)
{
	for (; n_records < power_plays_count(); n_records++) {
		int64_t began = cs_clock_mono_ns();
		power_record *r = &records[n_records];
		tape(&power_plays[n_records], r);
		print_message("taped %s: %zu operations, %lld events, %d ms\n", r->play->name, r->tape.n_ops, (long long)r->n_events,
			      (int)((cs_clock_mono_ns() - began) / 1000000));
	}
}

/* ---- images ------------------------------------------------------------------------------------------------------ */

/* Image number N: of which point of the tape, half of them just after something was told. */
static size_t cut_of(const power_record *r, uint64_t n)
{
	uint64_t random = n * UINT64_C(0xD1342543DE82EF95) + 7;
	for (int i = 0; i < 3; i++)
		(void)tape_random(&random, 2);
	if (tape_random(&random, 2) == 0 || r->n_marks == 0)
		return (size_t)tape_random(&random, r->tape.n_ops + 1);
	return r->marks[tape_random(&random, r->n_marks)];
}

struct image {
	uint64_t n;
	size_t cut;
};

static int by_cut(const void *a, const void *b)
{
	const struct image *x = a, *y = b;
	if (x->cut != y->cut)
		return x->cut < y->cut ? -1 : 1;
	return x->n < y->n ? -1 : 1;
}

static void keep_and_fail(const power_record *r, const disk *d, const struct image *i, const char *wrong)
{
	char what[256];
	CS_AUTOFREE char *raw = cs_xasprintf("%s/image", here.dir), *file = cs_xasprintf("%s/tape", here.dir);
	(void)disk_image(d, raw, i->n, what, sizeof what);
	(void)tape_save(&r->tape, file);
	print_error("image %llu of %s: %s\n%s\nkept: %s (as the engine left it: %s)\nagain: FAULTS_TAPE=%s FAULTS_SEED=%llu FAULTS_IMAGES=1\n", (unsigned long long)i->n, r->play->name, wrong, what, raw,
		    here.state, file, (unsigned long long)i->n);
	fail();
}

static void judge(const power_record *r, const disk *d, const struct image *i, bool whole)
{
	char what[256];
	site_clear(&here);
	here.verbs = r->play->verbs;
	if (!disk_image(d, here.state, i->n, what, sizeof what))
		fail_msg("the image %llu cannot be made: %s", (unsigned long long)i->n, strerror(errno));
	CS_AUTOFREE char *wrong = whole ? power_judge_engine(r, &here, i->cut) : power_judge_store(r, &here, i->cut);
	if (wrong != NULL)
		keep_and_fail(r, d, i, wrong);
}

static void judge_batch(const power_record *r, uint64_t from, size_t n, uint64_t every)
{
	struct image images[BATCH];
	disk *d = disk_new(&r->tape);
	for (size_t i = 0; i < n; i++)
		images[i] = (struct image){ .n = from + i, .cut = cut_of(r, from + i) };
	qsort(images, n, sizeof *images, by_cut);
	for (size_t i = 0; i < n; i++) {
		disk_go(d, images[i].cut);
		judge(r, d, &images[i], images[i].n % every == 0);
	}
	disk_free(d);
}

static void what_a_power_cut_leaves_opens_and_goes_on_and_nothing_told_is_lost(void **state)
{
	(void)state;
	uint64_t images = site_number("FAULTS_IMAGES", site_part(1000)), at = site_number("FAULTS_SEED", 1), every = site_number("FAULTS_EVERY", 25), end = at + images;
	int64_t began = cs_clock_mono_ns();
	for (uint64_t next; at < end; at = next) {
		next = (at / BATCH + 1) * BATCH < end ? (at / BATCH + 1) * BATCH : end;
		if (at % 10000 < BATCH && at > BATCH)
			print_message("up to image %llu: fine\n", (unsigned long long)at);
		judge_batch(&records[at / BATCH % n_records], at, (size_t)(next - at), every);
	}
	double seconds = (double)(cs_clock_mono_ns() - began) / 1e9;
	print_message("%llu images (1 in %llu by a whole engine) in %.1f s: %.0f/s\n", (unsigned long long)images, (unsigned long long)every, seconds,
		      (double)images / seconds);
}

/* What a cut left is taken up by an engine whose disk is taped in its turn, and the power is cut again. */
static void cut_again(const power_record *r, const disk *d, const struct image *i)
{
	enum { AGAIN = 20 };
	char what[256];
	power_record second = { .play = r->play };
	snprintf(second.tape.name, sizeof second.tape.name, "%s", r->play->name);
	site_clear(&here);
	here.verbs = r->play->verbs;
	if (!disk_image(d, here.state, i->n, what, sizeof what) || !tap_go_on(here.state, &second.tape, &r->tape, i->cut))
		fail_msg("the image %llu cannot be made: %s", (unsigned long long)i->n, strerror(errno));
	size_t begun = second.tape.n_ops;
	site_recall(&here, &r->tape, i->cut);
	CS_AUTOFREE char *wrong = power_take_up(&here);
	tap_end();
	if (wrong != NULL)
		keep_and_fail(r, d, i, wrong);
	CS_AUTOFREE char *lost = power_record_read(&second, &here);
	if (lost != NULL)
		keep_and_fail(r, d, i, lost);
	/* Half of them while it recovers: in the first ops that it does. */
	disk *other = disk_new(&second.tape);
	size_t all = second.tape.n_ops - begun;
	for (size_t k = 0; k < AGAIN; k++) {
		struct image again = { .n = i->n * AGAIN + k, .cut = begun + (k < AGAIN / 2 ? all * k / AGAIN / 5 : all * k / AGAIN) };
		disk_go(other, again.cut);
		judge(&second, other, &again, k == AGAIN / 4);
	}
	disk_free(other);
	power_record_free(&second);
}

static void a_power_cut_while_it_recovers_is_no_different(void **state)
{
	(void)state;
	uint64_t n = site_number("FAULTS_AGAIN", 10), from = site_number("FAULTS_SEED", 1);
	for (uint64_t at = from; at < from + n; at++) {
		const power_record *r = &records[at % n_records];
		struct image i = { .n = at, .cut = cut_of(r, at) };
		disk *d = disk_new(&r->tape);
		disk_go(d, i.cut);
		cut_again(r, d, &i);
		disk_free(d);
	}
}

static void a_folder_that_was_made_is_synced_into_its_parent(void **state)
{
	(void)state;
	disk_tape t = { 0 };
	bool made = false, synced = false;
	site_clear(&here);
	tap_begin(here.state, &t);
	int rc = cs_mkdir_p(here.state, 0700, NULL);
	tap_end();
	assert_int_equal(rc, CS_OK);
	for (size_t i = 0; i < t.n_ops; i++) {
		made = made || t.ops[i].kind == TAPE_MAKE_FOLDER;
		synced = synced || (made && t.ops[i].kind == TAPE_SYNC_PARENT);
	}
	tape_free(&t);
	assert_true(made && synced);
}

static int set_up(void **state)
{
	(void)state;
	site_make(&here);
	const char *path = getenv("FAULTS_TAPE");
	if (path != NULL && *path != '\0')
		take_tape(path, &records[n_records++]);
	else
		tape_all();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_records; i++)
		power_record_free(&records[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_that_was_made_is_synced_into_its_parent),
		cmocka_unit_test(what_a_power_cut_leaves_opens_and_goes_on_and_nothing_told_is_lost),
		cmocka_unit_test(a_power_cut_while_it_recovers_is_no_different),
	};
	int failed = cmocka_run_group_tests(tests, set_up, tear_down);
	if (failed == 0)
		site_remove(&here);
	return failed;
}
