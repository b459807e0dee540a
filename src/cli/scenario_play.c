/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/scenario.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { TURNS_MAX = 20000, SETTLE_MS = 20000, LOOK_MS = 20, OPEN_FOLDERS = 16, DIFFERENCES_MAX = 8 };

#define ITEMS_SQL "SELECT id, kind, task, state, digest, confirm, call FROM item WHERE state IN ('pending','open') ORDER BY created, id"

typedef struct play {
	const json_t *doc;
	char *dir;                   /* the state folder of this play */
	char *actor;
	cs_engine *engine;
	cs_reader *reader;
	int watch;
	_Atomic int64_t now;         /* wall ms of the engine */
	int64_t began, due;          /* due: of the engine's next clock, 0: none */
	int64_t end, scheduled;      /* with `until`: when it is over; of the next start by a schedule; 0: none */
	char *flow;                  /* NAMESPACE/NAME */
	pthread_mutex_t lock;
	pthread_cond_t heard;
	json_t *reply;               /* of the request under way */
	uint64_t commits;
	char run[CS_ID_SIZE];
	bool *used;                  /* by decision */
	size_t emitted;
	json_t *differences;
	bool by_event;               /* no `input`: an event of `emit` starts the run */
} play;

/* ---- the engine ------------------------------------------------------------------------------ */

static int64_t now_ms(void *ctx)
{
	return atomic_load(&((play *)ctx)->now);
}

static void take_reply(void *ctx, json_t *reply)
{
	play *p = ctx;
	pthread_mutex_lock(&p->lock);
	p->reply = reply;
	pthread_cond_broadcast(&p->heard);
	pthread_mutex_unlock(&p->lock);
}

static void hear_commit(void *ctx, int64_t seq)
{
	play *p = ctx;
	(void)seq;
	pthread_mutex_lock(&p->lock);
	p->commits++;
	pthread_cond_broadcast(&p->heard);
	pthread_mutex_unlock(&p->lock);
}

static int ask(play *p, json_t *request, json_t **ret_ok, cs_err *err)
{
	json_object_set_new(request, "actor", json_string(p->actor));
	int r = cs_engine_send(p->engine, request, take_reply, p, err);
	if (r < 0)
		return r;
	pthread_mutex_lock(&p->lock);
	while (!p->reply)                    /* every request that was taken is answered */
		pthread_cond_wait(&p->heard, &p->lock);
	CS_AUTOJSON json_t *reply = CS_STEAL(p->reply);
	pthread_mutex_unlock(&p->lock);
	json_t *ok = json_object_get(reply, "ok"), *error = json_object_get(reply, "error");
	if (!ok)
		return cs_err_set(err, CS_EREFUSED, "%s", cs_json_str_or(error, "message", "?"));
	if (ret_ok)
		*ret_ok = json_incref(ok);
	return CS_OK;
}

static void wait_commit(play *p, uint64_t since)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&p->lock);
	if (p->commits == since)
		(void)pthread_cond_timedwait(&p->heard, &p->lock, &until);
	pthread_mutex_unlock(&p->lock);
}

static uint64_t commits(play *p)
{
	pthread_mutex_lock(&p->lock);
	uint64_t n = p->commits;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a == 0 || (b > 0 && b < a) ? b : a;
}

/* Until nothing goes on by itself at this moment of the clock. */
static int settle(play *p, cs_err *err)
{
	int64_t until = cs_clock_mono_ns() + (int64_t)SETTLE_MS * 1000000;
	while (cs_clock_mono_ns() < until) {
		CS_AUTOJSON json_t *ok = NULL;
		uint64_t before = commits(p);
		int r = ask(p, json_pack("{s:s}", "cmd", "settle"), &ok, err);
		if (r < 0)
			return r;
		p->due = cs_json_int_or(ok, "due", 0);
		p->scheduled = cs_json_int_or(ok, "scheduled", 0);
		int64_t next = sooner(p->due, p->scheduled);
		if (cs_json_true(ok, "busy"))
			wait_commit(p, before);
		else if (next == 0 || next > atomic_load(&p->now))
			return CS_OK;
	}
	return cs_err_set(err, CS_ETIMEOUT, _("it does not come to rest within %d s"), SETTLE_MS / 1000);
}

/* ---- what the operator does ------------------------------------------------------------------ */

/* Is the decision about the task at REF? By its reference, or by its name. */
static bool is_about(const json_t *decision, const char *ref)
{
	const char *task = cs_json_str_or(decision, "task", ""), *slash = strrchr(ref, '/');
	return strcmp(task, ref) == 0 || strcmp(task, slash ? slash + 1 : ref) == 0;
}

static int decide(play *p, const char *item, json_t *decision, char **ret_next, cs_err *err)
{
	CS_AUTOJSON json_t *ok = NULL;
	CS_AUTOJSON json_t *params = json_pack("[s]", item);
	CS_AUTOJSON json_t *rows = NULL;
	int r = cs_reader_query(p->reader, "SELECT digest, confirm FROM item WHERE id = ?1", params, &rows, err);
	const json_t *row = json_array_get(rows, 0);
	if (cs_json_str(row, "digest"))
		json_object_set(decision, "digest", json_object_get(row, "digest"));
	/* The word is there against haste; who writes a scenario has had the time. */
	if (cs_json_str(row, "confirm") && !json_object_get(decision, "word") && strcmp(cs_json_str_or(decision, "verb", ""), "approve") == 0)
		json_object_set(decision, "word", json_object_get(row, "confirm"));
	json_t *request = json_pack("{s:s, s:s, s:o}", "cmd", "decide", "item", item, "decision", decision);
	if (r < 0) {
		json_decref(request);
		return r;
	}
	r = ask(p, request, &ok, err);
	if (r == CS_OK && ret_next)
		*ret_next = cs_xstrdup(cs_json_str_or(ok, "next", ""));
	return r;
}

static const char *verb_of(const json_t *item, const json_t *d)
{
	const json_t *accept = json_object_get(d, "accept");
	if (strcmp(cs_json_str_or(item, "kind", ""), "in-doubt") == 0)
		return "resolve";
	return json_is_true(accept) ? "approve" : json_is_false(accept) ? "reject" : "respond";
}

/* Accepted with another value is edited, then accepted. */
static int act(play *p, const json_t *item, const json_t *d, cs_err *err)
{
	const char *verb = verb_of(item, d);
	CS_AUTOFREE char *id = cs_xstrdup(cs_json_str_or(item, "id", ""));
	json_t *value = json_object_get(d, "value");
	if (strcmp(verb, "approve") == 0 && value) {
		char *next = NULL;
		int r = decide(p, id, json_pack("{s:s, s:O}", "verb", "edit", "value", value), &next, err);
		if (r < 0)
			return r;
		free(id);
		id = next;
		value = NULL;
	}
	json_t *decision = json_pack("{s:s, s:O*, s:O*, s:O*, s:O*}", "verb", verb, "value", value, "note", json_object_get(d, "note"),
				     "word", json_object_get(d, "word"), "how", json_object_get(d, "resolve"));
	if (strcmp(verb, "resolve") == 0 && strcmp(cs_json_str_or(d, "resolve", ""), "repeat") == 0 && !json_object_get(d, "word"))
		json_object_set_new(decision, "word", json_string("repeat"));
	return decide(p, id, decision, NULL, err);
}

static void differ(play *p, char *text)
{
	json_array_append_new(p->differences, json_string(text));
	free(text);
}

/* The first item that a decision is left for: 1 when there was one, with what it gave; 0: none. *ret_open:
 * something waits for a person. */
static int decide_next(play *p, bool *ret_open, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int r = cs_reader_query(p->reader, ITEMS_SQL, NULL, &rows, err);
	size_t i, k;
	json_t *item, *d;
	*ret_open = json_array_size(rows) > 0;
	json_array_foreach(rows, i, item) {
		json_array_foreach(json_object_get(p->doc, "decide"), k, d) {
			if ((p->used[k] && !cs_json_true(d, "always")) || !is_about(d, cs_json_str_or(item, "task", "")))
				continue;
			cs_err why = { 0 };
			p->used[k] = true;
			if (act(p, item, d, &why) < 0)
				differ(p, cs_xasprintf("decide: %s was refused: %s", cs_json_str_or(d, "task", ""), why.msg));
			return 1;
		}
	}
	return r;
}

/* ---- the clock and events -------------------------------------------------------------------- */

static int64_t event_at(const play *p)
{
	const json_t *event = json_array_get(json_object_get(p->doc, "emit"), p->emitted);
	int64_t after = 0;
	if (!event)
		return 0;
	if (json_object_get(event, "after"))
		(void)cs_duration_value(json_object_get(event, "after"), &after, NULL);
	return p->began + after;
}

static int emit(play *p, cs_err *err)
{
	json_t *event = json_array_get(json_object_get(p->doc, "emit"), p->emitted++), *v;
	json_t *whole = json_object();
	const char *key;
	json_object_foreach(event, key, v)
		if (strcmp(key, "after") != 0)
			json_object_set(whole, key, v);
	cs_err why = { 0 };
	int r = ask(p, json_pack("{s:s, s:o}", "cmd", "emit", "event", whole), NULL, &why);
	return r == CS_OK ? r : cs_err_set(err, CS_EREFUSED, "emit: %s", why.msg);
}

/* The first run of the flow is the one that is looked at. */
static int find_run(play *p, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[s]", p->flow);
	CS_AUTOJSON json_t *rows = NULL;
	int r = cs_reader_query(p->reader, "SELECT id FROM run WHERE flow = ?1 ORDER BY created_seq LIMIT 1", params, &rows, err);
	(void)snprintf(p->run, sizeof p->run, "%s", cs_json_str_or(json_array_get(rows, 0), "id", ""));
	return r;
}

static bool all_used(const play *p)
{
	for (size_t i = 0; i < json_array_size(json_object_get(p->doc, "decide")); i++)
		if (!p->used[i])
			return false;
	return event_at(p) == 0;
}

/* With `until` its time is over, else its run. */
static int is_over(play *p, bool *ret, cs_err *err)
{
	if (p->end > 0)
		return CS_OK;
	int r = p->by_event && p->run[0] == '\0' ? find_run(p, err) : CS_OK;
	if (r < 0 || p->run[0] == '\0')
		return r;
	CS_AUTOJSON json_t *params = json_pack("[s]", p->run);
	CS_AUTOJSON json_t *rows = NULL;
	r = cs_reader_query(p->reader, "SELECT ended FROM run WHERE id = ?1", params, &rows, err);
	*ret = cs_json_int_or(json_array_get(rows, 0), "ended", 0) > 0;
	return r;
}

/* 1: the clock was moved, or an event came in; 0: there is nothing more to wait for. */
static int move_on(play *p, bool open, cs_err *err)
{
	const char *wanted = cs_json_str_or(json_object_get(p->doc, "expect"), "state", "");
	int64_t event = event_at(p), at = sooner(p->due, p->scheduled);
	if (p->end == 0 && open && all_used(p) && strcmp(wanted, "waiting") == 0)
		return 0;
	if (event > 0 && (at == 0 || event <= at))
		at = event;
	if (at == 0 || (p->end > 0 && at > p->end))
		return 0;
	if (at > atomic_load(&p->now))
		atomic_store(&p->now, at);
	if (at != event)
		return 1;
	int r = emit(p, err);
	return r < 0 ? r : 1;
}

static int play_on(play *p, cs_err *err)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		bool over = false, open = false;
		int r = settle(p, err);
		if (r == CS_OK)
			r = is_over(p, &over, err);
		if (r < 0 || over)
			return r;
		r = decide_next(p, &open, err);
		if (r == 0)
			r = move_on(p, open, err);
		if (r <= 0)
			return r;
	}
	differ(p, cs_xasprintf("it did not end within %d steps of the clock", TURNS_MAX));
	return CS_OK;
}

/* ---- one play -------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void play_fini(play *p)
{
	cs_reader_close(p->reader);
	if (p->engine)
		cs_engine_unwatch(p->engine, p->watch);
	cs_engine_stop(p->engine, 0);
	if (p->dir)
		(void)nftw(p->dir, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
	json_decref(p->reply);
	json_decref(p->differences);
	pthread_cond_destroy(&p->heard);
	pthread_mutex_destroy(&p->lock);
	free(p->used);
	free(p->flow);
	free(p->dir);
	free(p->actor);
}

/* In memory where that is possible: what is proven here need not survive a power cut. */
static int make_folder(play *p, cs_err *err)
{
	const char *tmp = getenv("TMPDIR");
	if (!tmp || !*tmp)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char *dir = cs_xasprintf("%s/capstan-test-XXXXXX", tmp);
	if (!mkdtemp(dir)) {
		free(dir);
		return cs_err_sys(err, errno, "cannot make a folder in %s; set TMPDIR to one that can be written", tmp);
	}
	p->dir = dir;
	return CS_OK;
}

/* Without an input, a flow that events start is started by those that the scenario emits. */
static bool is_started_by_events(const play *p, const cs_workspace *ws, const cs_flow *flow)
{
	const cs_flow_settings *s = cs_workspace_flow_settings(ws, flow->name);
	if (json_object_get(p->doc, "input") || json_array_size(json_object_get(p->doc, "emit")) == 0)
		return false;
	for (size_t i = 0; s && i < s->n_starts; i++)
		if (s->starts[i].on)
			return true;
	return flow->schedule && flow->schedule->on;
}

static int start(cs_cli *c, play *p, cs_err *err)
{
	cs_diags d;
	cs_workspace *ws = NULL;
	cs_engine_opts opts = *c->opts->engine;
	int r = make_folder(p, err);
	if (r < 0)
		return r;
	opts.clock = (cs_engine_clock){ .now_ms = now_ms, .ctx = p };
	opts.state_dir = p->dir;
	opts.schedules_of = p->end > 0 ? cs_json_str_or(p->doc, "flow", "") : "";
	cs_diags_init(&d);
	r = cs_workspace_load(c->dir, false, &d, &ws, err);
	cs_diags_fini(&d);
	if (r == CS_OK) {
		const cs_flow *flow = cs_workspace_flow(ws, cs_json_str_or(p->doc, "flow", ""));
		p->by_event = flow && is_started_by_events(p, ws, flow);
		p->flow = flow ? cs_xasprintf("%s/%s", flow->ns, flow->name) : cs_xstrdup("");
		p->actor = cs_xasprintf("operator:%s", ws->operator_name ? ws->operator_name : "owner");
		r = cs_engine_start(ws, &opts, &p->engine, err);
	}
	if (r < 0)
		return r;
	p->watch = cs_engine_watch(p->engine, hear_commit, p);
	return cs_reader_open(p->dir, &p->reader, err);
}

static int begin(play *p, cs_err *err)
{
	CS_AUTOJSON json_t *ok = NULL;
	if ((p->end > 0 || p->by_event) && !json_object_get(p->doc, "input"))
		return CS_OK;                /* the clock or an event starts it */
	json_t *request = json_pack("{s:s, s:O, s:O*}", "cmd", "run", "flow", json_object_get(p->doc, "flow"), "input",
				    json_object_get(p->doc, "input"));
	int r = ask(p, request, &ok, err);
	if (r == CS_OK)
		(void)snprintf(p->run, sizeof p->run, "%s", cs_json_str_or(ok, "run", ""));
	return r;
}

static void compare_decisions(play *p)
{
	size_t i;
	json_t *d;
	json_array_foreach(json_object_get(p->doc, "decide"), i, d)
		if (!p->used[i])
			differ(p, cs_xasprintf("decide: nothing waited at %s", cs_json_str_or(d, "task", "")));
}

/* What is expected holds for each of the runs that the clock started. */
static int compare_runs(play *p, const json_t *rows, cs_err *err)
{
	size_t i;
	json_t *row;
	int r = CS_OK;
	json_array_foreach(rows, i, row) {
		CS_AUTOJSON json_t *of_one = json_array();
		size_t k;
		json_t *text;
		r = cs_scenario_compare(p->reader, cs_json_str_or(row, "id", ""), json_object_get(p->doc, "expect"), of_one, err);
		if (r < 0)
			return r;
		json_array_foreach(of_one, k, text)
			differ(p, cs_xasprintf("run %zu: %s", i + 1, json_string_value(text)));
		if (json_array_size(p->differences) >= DIFFERENCES_MAX)
			break;               /* the others differ alike */
	}
	return r;
}

static int compare(play *p, cs_err *err)
{
	const json_t *expect = json_object_get(p->doc, "expect"), *runs = json_object_get(expect, "runs");
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *params = json_pack("[s]", p->flow);
	int r = cs_reader_query(p->reader, "SELECT id FROM run WHERE flow = ?1 ORDER BY created_seq", params, &rows, err);
	if (r < 0)
		return r;
	if (runs && json_integer_value(runs) != (json_int_t)json_array_size(rows))
		differ(p, cs_xasprintf("runs: expected %lld, there were %zu", (long long)json_integer_value(runs), json_array_size(rows)));
	if (p->end > 0 && !runs && json_array_size(rows) == 0)
		differ(p, cs_xasprintf("runs: none was started"));
	if (p->by_event && p->end == 0 && p->run[0] == '\0') {
		differ(p, cs_xasprintf("emit: no event started a run of %s", p->flow));
		return CS_OK;
	}
	return p->end > 0 ? compare_runs(p, rows, err) : cs_scenario_compare(p->reader, p->run, expect, p->differences, err);
}

static void set_clock(play *p)
{
	const char *from = cs_json_str(p->doc, "from");
	const json_t *until = json_object_get(p->doc, "until");
	int64_t length = 0;
	p->began = cs_clock_wall_ms();
	if (from)
		(void)cs_time_parse(from, &p->began, NULL);
	if (until && cs_duration_value(until, &length, NULL) == CS_OK)
		p->end = p->began + length;
	atomic_store(&p->now, p->began);
}

int cs_scenario_play(cs_cli *c, const json_t *doc, json_t **ret, cs_err *err)
{
	CS_CLEANUP(play_fini) play p = { .doc = doc, .differences = json_array() };
	set_clock(&p);
	pthread_mutex_init(&p.lock, NULL);
	pthread_cond_init(&p.heard, NULL);
	p.used = cs_xcalloc(json_array_size(json_object_get(doc, "decide")) + 1, sizeof *p.used);
	int r = start(c, &p, err);
	if (r == CS_OK)
		r = begin(&p, err);
	if (r == CS_OK)
		r = play_on(&p, err);
	if (r == CS_OK)
		r = compare(&p, err);
	if (r < 0)
		return r;
	compare_decisions(&p);
	*ret = json_pack("{s:O, s:O, s:b, s:n, s:O}", "scenario", json_object_get(doc, "scenario"), "flow", json_object_get(doc, "flow"),
			 "ok", json_array_size(p.differences) == 0, "skipped", "differences", p.differences);
	return CS_OK;
}
