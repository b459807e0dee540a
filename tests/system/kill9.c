/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SIGKILL at random moments while runs send effects to a server that keeps a ledger. Afterwards
 * every run completes or waits in doubt; once the operator has settled these by the ledger all
 * complete, and each effect is there exactly once.
 *
 *   kill9 [RUNS KILLS SEED]        default $CS_TEST_RUNS $CS_TEST_KILLS $CS_TEST_SEED, else 200 50 1,
 *                                  under a sanitizer 60 20 1
 *
 * Once with unsafe and once with keyed operations; prints a JSON line of figures for each. The
 * plan of a seed is the same every time, the machine's timing is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/json.h"
#include "tests/support/invariants.h"
#include "tests/system/kill_site.h"

enum { END_MS = 120000 };

struct plan {
	unsigned runs, kills;
	uint64_t seed;
	bool keyed;
	/* what is counted */
	unsigned mid_run, at_start, in_doubt_at_rest;
	int64_t from_ns;
};

static const char running[] = "SELECT count(*) AS n FROM run WHERE state NOT IN ('completed','faulted','cancelled')";
static const char completed[] = "SELECT count(*) AS n FROM run WHERE state = 'completed'";
static const char doubtful[] = "SELECT count(*) AS n FROM run WHERE state = 'waiting' AND id IN "
			       "(SELECT run FROM item WHERE kind = 'in-doubt' AND state = 'open')";

/* One life: some are killed while they start, the others some time after they are ready. */
static void live_and_die(site *s, struct plan *p, unsigned life, unsigned *next)
{
	unsigned target = (unsigned)((uint64_t)p->runs * (life + 1) / p->kills);
	bool early = site_random(s, 5) == 0;
	int64_t when = (int64_t)site_random(s, early ? 60 : 150) + 1;
	site_start(s, early ? when : -1);
	if (site_attach(s)) {
		if (!early)
			site_kill_in(s, when);
		while (*next < target && site_submit(s, *next))
			++*next;
		while (site_settle(s))
			site_nap(2);
	} else {
		p->at_start++;
	}
	site_bury(s);
	p->mid_run += site_count(s, running) > 0;
}

/* With nobody to answer, each run comes to its end or waits for one. */
static void come_to_rest(site *s, struct plan *p, unsigned *next)
{
	int64_t until = cs_clock_mono_ns() + END_MS * INT64_C(1000000);
	site_start(s, -1);
	if (!site_attach(s))
		site_fail("it was killed when nobody killed it");
	site_kill_in(s, END_MS * 2);
	for (; *next < p->runs; ++*next)
		if (!site_submit(s, *next))
			site_fail("run %u is not taken", *next);
	while (site_count(s, completed) + site_count(s, doubtful) < p->runs) {
		if (cs_clock_mono_ns() > until)
			site_fail("%lld runs completed, %lld in doubt, of %u: the others wait for nobody knows what",
				  (long long)site_count(s, completed), (long long)site_count(s, doubtful), p->runs);
		site_nap(5);
	}
	p->in_doubt_at_rest = (unsigned)site_count(s, doubtful);
}

static void complete_all(site *s, struct plan *p)
{
	int64_t until = cs_clock_mono_ns() + END_MS * INT64_C(1000000);
	if (p->keyed && site_count(s, "SELECT count(*) AS n FROM item") > 0)
		site_fail("a keyed operation asked the operator");
	while (site_count(s, completed) < p->runs) {
		if (cs_clock_mono_ns() > until || !site_settle(s))
			site_fail("%lld of %u runs completed", (long long)site_count(s, completed), p->runs);
		site_nap(2);
	}
	site_stop(s);
}

/* ---- the account --------------------------------------------------------------------------------------------- */

struct account {
	size_t requests, lost, twice, digests, strangers;
};

static void note(json_t *by_path, const json_t *entry, struct account *a)
{
	const char *path = cs_json_str_or(entry, "path", "");
	json_t *seen = json_object_get(by_path, path);
	if (seen == NULL) {
		json_object_set_new(by_path, path, json_pack("{s:i, s:O, s:O}", "n", 1, "key", json_object_get(entry, "key"), "digest",
							     json_object_get(entry, "digest")));
		return;
	}
	json_object_set_new(seen, "n", json_integer(cs_json_int_or(seen, "n", 0) + 1));
	if (!json_equal(json_object_get(seen, "digest"), json_object_get(entry, "digest")) ||
	    !json_equal(json_object_get(seen, "key"), json_object_get(entry, "key")))
		a->digests++;
}

/* Unsafe: each step exactly once. Keyed: at least once, always with one key and one digest. */
static struct account count(const struct plan *p, const json_t *entries)
{
	static const int delays[] = { 0, 3, 10 };
	CS_AUTOJSON json_t *by_path = json_object();
	struct account a = { .requests = json_array_size(entries) };
	size_t i;
	json_t *entry;
	json_array_foreach(entries, i, entry)
		note(by_path, entry, &a);
	for (unsigned n = 0; n < p->runs; n++) {
		for (int k = 0; k < SITE_STEPS; k++) {
			char path[64];
			snprintf(path, sizeof path, "/delay/%d/r%u/s%d", delays[n % CS_ARRAY_LEN(delays)], n, k);
			int64_t times = cs_json_int_or(json_object_get(by_path, path), "n", 0);
			a.lost += times == 0;
			a.twice += times > 1;
		}
	}
	a.strangers = json_object_size(by_path) + a.lost - (size_t)p->runs * SITE_STEPS;
	return a;
}

static void check_quiet(site *s, const char *const *words)
{
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, (size_t)1 << 20);
	int status = site_program(s, words, &out);
	if (status != 0)
		site_fail("%s ends with %d: %s", words[0], status, cs_buf_str(&out));
	if (words[1] != NULL && out.len > 0)
		site_fail("%s %s prints: %s", words[0], words[1], cs_buf_str(&out));
}

static void check_invariants(site *s, const json_t *entries)
{
	CS_AUTOJSON json_t *broken = invariants_broken(s->state_dir, entries);
	size_t i;
	json_t *text;
	json_array_foreach(broken, i, text)
		fprintf(stderr, "%s\n", json_string_value(text));
	if (json_array_size(broken) > 0)
		site_fail("%zu invariants are broken", json_array_size(broken));
}

static void print_figures(const site *s, const struct plan *p, const struct account *a)
{
	CS_AUTOJSON json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:i, s:I, s:I, s:I}", "test", "kill9", "class",
					  p->keyed ? "keyed" : "unsafe", "seed", (json_int_t)p->seed, "runs", (json_int_t)p->runs, "steps",
					  SITE_STEPS, "kills", (json_int_t)p->kills, "kills_with_runs_open", (json_int_t)p->mid_run,
					  "kills_at_start", (json_int_t)p->at_start);
	const struct { const char *name; json_int_t n; } more[] = {
		{ "in_doubt_at_rest", p->in_doubt_at_rest }, { "happened", s->happened }, { "did_not", s->did_not },
		{ "repeat", s->repeated }, { "submitted_again", s->resubmitted }, { "requests", (json_int_t)a->requests },
		{ "lost", (json_int_t)a->lost }, { "twice", (json_int_t)a->twice }, { "second_digests", (json_int_t)a->digests },
		{ "slowest_start_ms", s->slowest_start_ms }, { "seconds", (cs_clock_mono_ns() - p->from_ns) / 1000000000 },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(more); i++)
		json_object_set_new(o, more[i].name, json_integer(more[i].n));
	CS_AUTOFREE char *text = cs_json_text(o);
	printf("%s\n", text);
	fflush(stdout);
}

static void play(struct plan *p)
{
	static const char *const verify[] = { "verify", NULL }, *const rebuild[] = { "rebuild", "--check", NULL };
	site s;
	unsigned next = 0;
	p->from_ns = cs_clock_mono_ns();
	site_make(&s, p->keyed, p->seed);
	for (unsigned life = 0; life < p->kills; life++)
		live_and_die(&s, p, life, &next);
	come_to_rest(&s, p, &next);
	complete_all(&s, p);
	if (site_count(&s, "SELECT count(*) AS n FROM run") != p->runs)
		site_fail("%u runs were started, %lld are there", p->runs, (long long)site_count(&s, "SELECT count(*) AS n FROM run"));
	CS_AUTOJSON json_t *entries = ledger_entries(&s.l);
	struct account a = count(p, entries);
	print_figures(&s, p, &a);
	if (a.lost > 0 || a.digests > 0 || a.strangers > 0 || (a.twice > 0 && !p->keyed))
		site_fail("%zu effects lost, %zu twice, %zu with a second key or digest, %zu that nobody asked for", a.lost, a.twice,
			  a.digests, a.strangers);
	check_invariants(&s, entries);
	check_quiet(&s, verify);
	check_quiet(&s, rebuild);
	site_remove(&s);
}

static unsigned number(int argc, char **argv, int i, const char *variable, unsigned unless)
{
	const char *text = argc > i ? argv[i] : getenv(variable);
	unsigned long n = text != NULL ? strtoul(text, NULL, 10) : unless;
	if (n < 1 || n > 1000000)
		site_fail("%s is not a number from 1 on", text);
	return (unsigned)n;
}

int main(int argc, char **argv)
{
	const char *sanitizer = getenv("CS_TEST_SANITIZER");
	bool slow = sanitizer != NULL && *sanitizer != '\0' && strcmp(sanitizer, "no") != 0;
	for (int keyed = 0; keyed < 2; keyed++) {
		struct plan p = { .runs = number(argc, argv, 1, "CS_TEST_RUNS", slow ? 60 : 200), .kills = number(argc, argv, 2, "CS_TEST_KILLS", slow ? 20 : 50),
				  .seed = number(argc, argv, 3, "CS_TEST_SEED", 1), .keyed = keyed != 0 };
		play(&p);
	}
	return 0;
}
