/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bad network between a real engine and the ledger: each fault of net_faults.c, done once or every time, to
 * an effect of each class, with and without a restart in the middle. What the rules of STATES.md say of an
 * attempt's end holds for each, from what is known alone: not sent only where no byte of the request left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "tests/faults/net_faults.h"
#include "tests/faults/net_proxy.h"
#include "tests/support/invariants.h"
#include "tests/support/ledger.h"
#include "tests/support/world.h"

enum { ATTEMPTS = 3, SOCKETS_HOLD = 16 << 20 };

typedef enum effect_class { READ, KEYED, UNSAFE, CLASSES } effect_class;

static const struct {
	const char *name, *method, *body;
} classes[CLASSES] = {
	[READ] = { "read", "GET", "" },
	[KEYED] = { "keyed", "PUT", ", as: json, body: '${ . }'" },
	[UNSAFE] = { "unsafe", "POST", ", as: json, body: '${ . }'" },
};

/* A workspace with a connector for each fault. */
static struct site {
	world w;
	ledger outside;
	net_proxy *proxy;
	effect_class class;
	bool lasting, restarts;
	char *runs[NET_FAULTS];
} site;

static void add_connector(size_t i)
{
	const net_fault *f = &net_faults()[i];
	CS_AUTOFREE char *path = cs_xasprintf("connectors/f%zu.yaml", i);
	CS_AUTOFREE char *text = cs_xasprintf(
		"connector: f%zu\nkind: http\nurl: '%s://127.0.0.1:%u'\nmode: live\nbreaker: { failures: 100 }\noperations:\n"
		"  do:\n    effect: %s\n    input: { type: object }\n    timeout: %s\n    retry: { attempts: %d, delay: PT0.1S }\n    reverse: none\n"
		"    request: { method: %s, path: '/%s'%s }\n", i, f->tls ? "https" : "http", net_proxy_port(site.proxy, i),
		classes[site.class].name, f->timed ? "PT1S" : "PT8S", ATTEMPTS, classes[site.class].method, f->name, classes[site.class].body);
	world_file(&site.w, path, text);
}

static void begin(effect_class class, bool lasting, bool restarts)
{
	site = (struct site){ .class = class, .lasting = lasting, .restarts = restarts };
	ledger_start(&site.outside);
	site.proxy = net_proxy_new(site.outside.port, lasting);
	world_new(&site.w, "workspace: test\nmode: live\napprovals: { grace: PT0S }\n");
	world_file(&site.w, "policies/allow.yaml", "policy: allow\nrules: [ { name: all, when: { call: '*' }, then: allow } ]\n");
	for (size_t i = 0; i < net_faults_count(); i++)
		add_connector(i);
	world_start(&site.w);
	json_decref(world_ask(&site.w, json_pack("{s:s}", "cmd", "live")));
	for (size_t i = 0; i < net_faults_count(); i++) {
		CS_AUTOFREE char *text = cs_xasprintf("{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},"
						      "'do':[{'c':{'call':'f%zu.do','with':{'n':%zu}}}]}", i, i);
		CS_AUTOJSON json_t *doc = world_json(text);
		site.runs[i] = world_run(&site.w, NULL, doc, NULL);
	}
}

/* The engine goes, with what is open left open, when each fault has begun; another takes over. */
static void restart(void)
{
	int64_t until = cs_clock_mono_ns() + INT64_C(10000000000);
	for (size_t i = 0; i < net_faults_count(); i++)
		while (net_faults()[i].cut != NET_CUT_REFUSED && net_proxy_tries(site.proxy, i) == 0) {
			if (cs_clock_mono_ns() > until)
				fail_msg("%s: nothing came", net_faults()[i].name);
			usleep(1000);
		}
	cs_engine_stop(site.w.engine, 0);
	site.w.engine = NULL;
	world_start(&site.w);
	json_decref(world_ask(&site.w, json_pack("{s:s}", "cmd", "live")));
}

/* ---- what must be -------------------------------------------------------------------------------------------- */

typedef struct verdict {
	const char *state;           /* of the run */
	int tries_least, tries_most;
} verdict;

/* How many tries may be missing or too many. A restart ends a try, or holds one back that is then not counted;
 * and on a busy machine a short time is over before the connection is there, or for one that would have come
 * through. */
struct slack {
	int more, fewer, late;
};

static struct slack slack_of(const net_fault *f, int crashes)
{
	bool not_sent = f->known == NET_NOT_SENT;
	int more = crashes > 0 || (site.restarts && not_sent) ? 1 : 0;
	return (struct slack){ more, not_sent ? more : f->timed ? ATTEMPTS - 1 : 0, f->timed ? ATTEMPTS - 2 : 0 };
}

/* CRASHES: how often the engine ended while the request was open, so that nobody knows its end. */
static verdict demanded(const net_fault *f, int crashes)
{
	bool unknown = f->known == NET_CUT || crashes > 0;
	bool never = f->known == NET_NOT_SENT || (site.lasting && f->known == NET_CUT);
	const struct slack by = slack_of(f, crashes);
	if (!unknown && f->known == NET_WHOLE)
		return (verdict){ "completed", 1, 1 };
	if (!unknown)
		return (verdict){ "faulted", ATTEMPTS - by.fewer, ATTEMPTS + by.more };
	if (site.class == UNSAFE)
		return (verdict){ "waiting", 1, f->known == NET_NOT_SENT ? ATTEMPTS : 1 };
	if (never)
		return (verdict){ site.class == READ ? "faulted" : "waiting", ATTEMPTS - by.fewer, ATTEMPTS + by.more };
	return (verdict){ "completed", 2, 2 + by.late + by.more };
}

static int crashes_of(const char *run)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT json_extract(data, '$.how') AS how FROM event WHERE run = '%s' AND type = 'attempt.ambiguous'", run);
	CS_AUTOJSON json_t *rows = world_rows(&site.w, sql);
	int n = 0;
	for (size_t i = 0; i < json_array_size(rows); i++)
		n += strcmp(cs_json_str_or(json_array_get(rows, i), "how", ""), "crash") == 0;
	return n;
}

/* What the ledger got of the row: all under one key with one digest. How often. */
static int sent(const json_t *entries, const net_fault *f)
{
	const char *key = NULL, *digest = NULL;
	int n = 0;
	size_t i;
	json_t *entry;
	json_array_foreach(entries, i, entry) {
		if (strcmp(cs_json_str_or(entry, "path", "") + 1, f->name) != 0)
			continue;
		if (n++ == 0) {
			key = cs_json_str_or(entry, "key", "");
			digest = cs_json_str_or(entry, "digest", "");
		}
		assert_string_equal(cs_json_str_or(entry, "key", ""), key);
		assert_string_equal(cs_json_str_or(entry, "digest", ""), digest);
		assert_int_equal(strlen(key), site.class == KEYED ? 64 : 0);
	}
	return n;
}

static int items_of(const char *run)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id FROM item WHERE run = '%s' AND kind = 'in-doubt' AND state = 'open'", run);
	CS_AUTOJSON json_t *rows = world_rows(&site.w, sql);
	return (int)json_array_size(rows);
}

/* Until the run has ended, or nobody but a person can say how it goes on; its state. */
static char *rest_of(const char *run)
{
	int64_t until = cs_clock_mono_ns() + INT64_C(15000000000);
	for (;;) {
		CS_AUTOJSON json_t *row = world_await(&site.w, run, "completed faulted waiting running created");
		const char *state = cs_json_str_or(row, "state", "");
		bool waits = strcmp(state, "waiting") == 0, ended = strcmp(state, "completed") == 0 || strcmp(state, "faulted") == 0;
		if (ended || (waits && items_of(run) > 0) || cs_clock_mono_ns() > until)
			return cs_xstrdup(state);
		usleep(2000);
	}
}

static void judge(size_t i, const json_t *entries)
{
	const net_fault *f = &net_faults()[i];
	int crashes = crashes_of(site.runs[i]), tries = net_proxy_tries(site.proxy, i);
	verdict v = demanded(f, crashes);
	CS_AUTOFREE char *state = rest_of(site.runs[i]);
	int reached = f->known == NET_NOT_SENT ? 0 : f->forwards ? tries : site.lasting ? 0 : tries - 1;
	int doubts = strcmp(v.state, "waiting") == 0 ? 1 : 0;
	bool wrong = strcmp(state, v.state) != 0 || sent(entries, f) != reached || items_of(site.runs[i]) != doubts;
	if (f->cut != NET_CUT_REFUSED)
		wrong = wrong || tries < v.tries_least || tries > v.tries_most;
	if (wrong)
		fail_msg("%s, %s%s%s: %s, not %s; %d tries, not %d to %d; %d in the ledger, not %d; %d items, not %d; %d crashes", f->name,
			 classes[site.class].name, site.lasting ? ", every time" : ", once", site.restarts ? ", with a restart" : "", state, v.state,
			 tries, v.tries_least, v.tries_most, sent(entries, f), reached, items_of(site.runs[i]), doubts, crashes);
	if (f->endless != NULL && net_proxy_most(site.proxy, i) > f->keeps + SOCKETS_HOLD)
		fail_msg("%s: %zu bytes of a reply were taken", f->name, net_proxy_most(site.proxy, i));
}

static void walk(effect_class class, bool lasting, bool restarts)
{
	begin(class, lasting, restarts);
	if (restarts)
		restart();
	for (size_t i = 0; i < net_faults_count(); i++)
		free(rest_of(site.runs[i]));
	world_settle(&site.w);
	CS_AUTOJSON json_t *entries = ledger_entries(&site.outside);
	for (size_t i = 0; i < net_faults_count(); i++)
		judge(i, entries);
	world_verify(&site.w);
	world_stop(&site.w);
	CS_AUTOFREE char *dir = cs_xasprintf("%s/%s", site.w.dir, CS_STATE_DIR);
	CS_AUTOJSON json_t *broken = invariants_broken(dir, entries);
	if (json_array_size(broken) > 0)
		fail_msg("%s", json_string_value(json_array_get(broken, 0)));
	world_free(&site.w);
	net_proxy_free(site.proxy);
	ledger_stop(&site.outside);
	for (size_t i = 0; i < net_faults_count(); i++)
		free(site.runs[i]);
}

static void what_failed_once_ends_as_its_class_says(void **state)
{
	(void)state;
	for (effect_class c = READ; c < CLASSES; c++)
		walk(c, false, false);
}

static void what_fails_every_time_ends_as_its_class_says(void **state)
{
	(void)state;
	for (effect_class c = READ; c < CLASSES; c++)
		walk(c, true, false);
}

static void a_restart_in_the_middle_changes_no_rule(void **state)
{
	(void)state;
	for (effect_class c = READ; c < CLASSES; c++)
		walk(c, false, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_failed_once_ends_as_its_class_says),
		cmocka_unit_test(what_fails_every_time_ends_as_its_class_says),
		cmocka_unit_test(a_restart_in_the_middle_changes_no_rule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
