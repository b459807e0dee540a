/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/system/kill_site.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

enum { PATIENCE_MS = 30000, LIFE_MS = 60000, SERVER_SECONDS = 900 };

void site_fail(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("kill9: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void site_nap(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&t, NULL);
}

static int64_t now_ns(void)
{
	return cs_clock_mono_ns();
}

/* xorshift64*: the plan of a seed is the same everywhere. */
uint64_t site_random(site *s, uint64_t below)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return (s->random * UINT64_C(2685821657736338717) >> 16) % below;
}

static const char *program(void)
{
	const char *p = getenv("CS_TEST_CAPSTAN");
	return p != NULL ? p : "./capstan";
}

/* ---- the workspace ----------------------------------------------------------------------------------------- */

static void put_file(const site *s, const char *path, const char *text)
{
	CS_AUTOFREE char *whole = cs_path_join(s->dir, path), *folder = cs_xstrdup(whole);
	cs_err err = { 0 };
	*strrchr(folder, '/') = '\0';
	if (cs_mkdir_p(folder, 0700, &err) != CS_OK || cs_file_write(whole, text, strlen(text), 0600, &err) != CS_OK)
		site_fail("%s", err.msg);
}

/* Ten calls in a row; TRIED: each in a try that begins it again when it failed. */
static void put_flow(const site *s, const char *name, const char *call, bool tried)
{
	CS_AUTOJSON json_t *steps = json_array();
	for (int i = 0; i < SITE_STEPS; i++) {
		CS_AUTOFREE char *step = cs_xasprintf("s%d", i), *outer = cs_xasprintf("t%d", i);
		json_t *task = json_pack("{s:{s:s, s:{s:s, s:s, s:s}}}", step, "call", call, "with", "run", "${ $start.run }", "step",
					 step, "ms", "${ $start.ms }");
		if (tried)
			task = json_pack("{s:{s:[o], s:{s:{s:{s:i}, s:{s:{s:i}}}}}}", outer, "try", task, "catch", "retry", "delay",
					 "milliseconds", 1, "limit", "attempt", "count", 100);
		json_array_append_new(steps, task);
	}
	CS_AUTOJSON json_t *doc = json_pack("{s:{s:s, s:s, s:s, s:s}, s:O}", "document", "dsl", "1.0.3", "namespace", "kill", "name",
					    name, "version", "1.0.0", "do", steps);
	CS_AUTOFREE char *text = cs_json_text(doc), *path = cs_xasprintf("flows/%s.yaml", name);
	put_file(s, path, text);
}

static void put_connector(const site *s)
{
	char url[LEDGER_URL_SIZE];
	CS_AUTOFREE char *text = cs_xasprintf(
		"connector: outside\nkind: http\nurl: %s\nidentity: me@example.com\nmode: live\nallow: [ 127.0.0.1 ]\noperations:\n"
		"  put:\n    effect: unsafe\n    reverse: none\n"
		"    request: { method: POST, path: '/delay/{ms}/{run}/{step}', as: json, body: '${ . }' }\n"
		"  set:\n    effect: keyed\n    keyed: { header: Idempotency-Key, window: PT24H }\n"
		"    retry: { attempts: 5, delay: PT0.01S }\n"
		"    request: { method: POST, path: '/delay/{ms}/{run}/{step}', as: json, body: '${ . }' }\n",
		ledger_url(&s->l, "", url));
	put_file(s, "connectors/outside.yaml", text);
}

void site_make(site *s, bool keyed, uint64_t seed)
{
	*s = (site){ .dir = "/tmp/capstan-kill-XXXXXX", .keyed = keyed, .random = seed * 2 + 1 };
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(s->dir) == NULL)
		site_fail("a folder cannot be made");
	s->state_dir = cs_path_join(s->dir, CS_STATE_DIR);
	ledger_start_for(&s->l, SERVER_SECONDS);
	put_file(s, "capstan.yaml", "workspace: kill\nmode: live\noperator: { name: tester, timezone: UTC }\napprovals: { grace: PT0S }\n");
	put_file(s, "policies/kill.yaml", "policy: kill\nrules: [ { name: all, when: { call: 'outside.*' }, then: allow } ]\n");
	put_connector(s);
	put_flow(s, "plain", "outside.put", false);
	put_flow(s, "tried", "outside.put", true);
	put_flow(s, "keyed", "outside.set", false);
}

void site_remove(site *s)
{
	CS_AUTOBUF cs_buf out;
	const char *argv[] = { "rm", "-rf", "--", s->dir, NULL };
	cs_child_opts o = { .argv = argv, .quiet_stderr = true };
	cs_child_result r;
	cs_buf_init(&out, 4096);
	cs_reader_close(s->reader);
	ledger_stop(&s->l);
	(void)cs_child_run(&o, "", 0, &out, &out, now_ns() + INT64_C(10000000000), NULL, &r, NULL);
	free(s->state_dir);
}

/* ---- life and death ----------------------------------------------------------------------------------------- */

static void *kill_on_time(void *ctx)
{
	site *s = ctx;
	while (now_ns() < atomic_load(&s->kill_at)) {
		struct timespec t = { .tv_nsec = 200000 };
		nanosleep(&t, NULL);
	}
	kill(s->serve.pid, SIGKILL);     /* not reaped before this thread has ended: the number is still its own */
	atomic_store(&s->killed, true);
	return NULL;
}

static void spawn(site *s)
{
	const char *argv[] = { program(), "-C", s->dir, "serve", NULL };
	const char *envp[] = { "LC_ALL=C.UTF-8", "TZ=UTC", "ASAN_OPTIONS=detect_leaks=0", NULL };
	cs_child_opts o = { .argv = argv, .envp = envp, .quiet_stderr = true };
	cs_err err = { 0 };
	if (cs_child_start(&o, &s->serve, &err) != CS_OK)
		site_fail("the program does not start: %s", err.msg);
}

void site_start(site *s, int64_t kill_in_ms)
{
	spawn(s);
	atomic_store(&s->killed, false);
	atomic_store(&s->kill_at, now_ns() + (kill_in_ms >= 0 ? kill_in_ms : LIFE_MS) * 1000000);
	if (pthread_create(&s->killer, NULL, kill_on_time, s) != 0)
		site_fail("no thread to kill with");
}

bool site_attach(site *s)
{
	int64_t from = now_ns();
	cs_err err = { 0 };
	while (!atomic_load(&s->killed)) {
		if (cs_client_open(s->dir, CS_CLIENT_ATTACH, NULL, NULL, NULL, &s->client, &err) == CS_OK) {
			int64_t took = (now_ns() - from) / 1000000;
			s->slowest_start_ms = took > s->slowest_start_ms ? took : s->slowest_start_ms;
			return true;
		}
		if (now_ns() - from > PATIENCE_MS * INT64_C(1000000))
			site_fail("it cannot be attached to: %s", err.msg);
		site_nap(2);
	}
	return false;
}

void site_kill_in(site *s, int64_t ms)
{
	atomic_store(&s->kill_at, now_ns() + ms * 1000000);
}

/* Are there connections of the server left that it has not closed? Also those that it has not
 * accepted yet: the kernel's own table knows them. */
static bool server_busy(const site *s)
{
	CS_AUTOBUF cs_buf out;
	char want[16];
	snprintf(want, sizeof want, ":%04X", s->l.port);
	FILE *f = fopen("/proc/net/tcp", "re");
	char line[512];
	bool busy = false;
	cs_buf_init(&out, 16);
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		char local[64], remote[64], state[8];
		if (sscanf(line, "%*s %63s %63s %7s", local, remote, state) != 3 || strstr(local, want) == NULL)
			continue;
		busy = busy || strcmp(state, "01") == 0 || strcmp(state, "03") == 0 || strcmp(state, "08") == 0;
	}
	if (f != NULL)
		fclose(f);
	return busy;
}

void site_bury(site *s)
{
	pthread_join(s->killer, NULL);
	cs_client_close(s->client);
	s->client = NULL;
	(void)cs_child_end(&s->serve);
	int64_t until = now_ns() + PATIENCE_MS * INT64_C(1000000);
	while (!s->keyed && server_busy(s)) {
		if (now_ns() > until)
			site_fail("the server still has connections of a process that is dead");
		site_nap(1);
	}
}

void site_stop(site *s)
{
	cs_client_close(s->client);
	s->client = NULL;
	kill(s->serve.pid, SIGTERM);
	siginfo_t info = { 0 };
	int64_t until = now_ns() + PATIENCE_MS * INT64_C(1000000);
	while (waitid(P_PID, (id_t)s->serve.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0) {
		if (now_ns() > until)
			site_fail("it does not end on SIGTERM");
		site_nap(2);
	}
	atomic_store(&s->kill_at, 0);
	pthread_join(s->killer, NULL);
	int status = cs_child_end(&s->serve);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		site_fail("it ended with status 0x%x on SIGTERM", (unsigned)status);
}

/* ---- the database ------------------------------------------------------------------------------------------- */

json_t *site_rows(site *s, const char *sql)
{
	json_t *rows = NULL;
	cs_err err = { 0 };
	int rc = s->reader != NULL ? CS_OK : cs_reader_open(s->state_dir, &s->reader, &err);
	if (rc == CS_ENOTFOUND)
		return json_array();
	if (rc == CS_OK)
		rc = cs_reader_query(s->reader, sql, NULL, &rows, &err);
	if (rc != CS_OK)
		site_fail("%s: %s", sql, err.msg);
	return rows;
}

int64_t site_count(site *s, const char *sql)
{
	CS_AUTOJSON json_t *rows = site_rows(s, sql);
	return cs_json_int_or(json_array_get(rows, 0), "n", 0);
}

/* ---- the operator ------------------------------------------------------------------------------------------- */

static bool ask(site *s, json_t *request, json_t **ret)
{
	cs_err err = { 0 };
	json_object_set_new(request, "actor", json_string("operator:tester"));
	if (s->client == NULL) {
		json_decref(request);
		return false;
	}
	int rc = cs_client_call(s->client, request, PATIENCE_MS, ret, &err);
	if (rc == CS_OK)
		return true;
	if (rc != CS_EUNAVAIL && rc != CS_EIO)
		site_fail("the engine refused: %s", err.msg);
	return false;
}

bool site_submit(site *s, unsigned n)
{
	static const int delays[] = { 0, 3, 10 };
	CS_AUTOJSON json_t *ok = NULL;
	CS_AUTOFREE char *run = cs_xasprintf("r%u", n);
	const char *flow = s->keyed ? "keyed" : n % 2 == 0 ? "plain" : "tried";
	json_t *request = json_pack("{s:s, s:s, s:s, s:{s:s, s:i}}", "cmd", "run", "flow", flow, "key", run, "input", "run", run, "ms",
				    delays[n % CS_ARRAY_LEN(delays)]);
	CS_AUTOJSON json_t *live = NULL;
	if (n == 0 && !ask(s, json_pack("{s:s}", "cmd", "live"), &live))
		return false;
	if (!ask(s, request, &ok))
		return false;
	s->resubmitted += cs_json_true(ok, "existing");
	return true;
}

/* The path that an item in doubt would have asked for, from the card that the operator sees. */
struct card {
	const char *item;
	char *path;
};

static int read_card(void *ctx, const cs_event *ev)
{
	struct card *c = ctx;
	if (strcmp(ev->type, "item.opened") != 0 || strcmp(cs_json_str_or(ev->data, "item", ""), c->item) != 0)
		return 0;
	const char *url = json_string_value(cs_json_get_path(ev->data, "card.request.url"));
	const char *at = url != NULL ? strstr(url, "/delay/") : NULL;
	c->path = cs_xstrdup(at);
	return 1;
}

static size_t times_in_ledger(const json_t *entries, const char *path)
{
	size_t i, n = 0;
	json_t *entry;
	json_array_foreach(entries, i, entry)
		n += strcmp(cs_json_str_or(entry, "path", ""), path) == 0;
	return n;
}

/* In a flow that tries again, what did not happen is said so and raised; in the other it is
 * repeated by the typed word. */
static bool settle_one(site *s, const json_t *row, const json_t *entries)
{
	struct card c = { .item = cs_json_str_or(row, "id", "") };
	cs_err err = { 0 };
	if (cs_reader_events(s->reader, cs_json_str_or(row, "run", ""), 0, INT64_MAX, read_card, &c, &err) < 0 || c.path == NULL)
		site_fail("the item %s has no card with a request: %s", c.item, err.msg);
	CS_AUTOFREE char *path = c.path;
	size_t n = times_in_ledger(entries, path);
	bool tried = strstr(cs_json_str_or(row, "task", ""), "/try/") != NULL;
	if (n > 1)
		site_fail("%s went %zu times", path, n);
	const char *how = n == 1 ? "happened" : tried ? "did-not" : "repeat";
	CS_AUTOJSON json_t *ok = NULL;
	if (!ask(s, json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:{s:b}}}", "cmd", "decide", "item", c.item, "decision", "verb", "resolve",
			      "how", how, "word", "repeat", "note", "looked at the ledger", "value", "ok", 1), &ok))
		return false;
	*(n == 1 ? &s->happened : tried ? &s->did_not : &s->repeated) += 1;
	return true;
}

bool site_settle(site *s)
{
	CS_AUTOJSON json_t *rows = site_rows(s, "SELECT id, run, task FROM item WHERE kind = 'in-doubt' AND state = 'open'");
	CS_AUTOJSON json_t *entries = json_array_size(rows) > 0 ? ledger_entries(&s->l) : NULL;
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
		if (!settle_one(s, row, entries))
			return false;
	return !atomic_load(&s->killed);
}

int site_program(site *s, const char *const *words, cs_buf *out)
{
	const char *argv[16] = { program(), "-C", s->dir };
	const char *envp[] = { "LC_ALL=C.UTF-8", "TZ=UTC", NULL };
	size_t n = 3;
	for (; *words != NULL && n < CS_ARRAY_LEN(argv) - 1; words++)
		argv[n++] = *words;
	cs_child_opts o = { .argv = argv, .envp = envp };
	cs_child_result r;
	cs_err err = { 0 };
	if (cs_child_run(&o, "", 0, out, out, now_ns() + LIFE_MS * INT64_C(1000000), NULL, &r, &err) != CS_OK || r.timed_out)
		site_fail("%s: %s", argv[3], r.timed_out ? "takes too long" : err.msg);
	return WIFEXITED(r.status) ? WEXITSTATUS(r.status) : 128;
}
