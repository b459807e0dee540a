/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agents/fixture.h"
#include "agents/rules.h"
#include "agents/shell.h"
#include "agents/text.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "connectors/http.h"
#include "tests/json.h"

enum { PATIENCE_MS = 10000 };

static cs_performer performers[5];
static cs_fixtures *fixtures;
static cs_rules *rules;
static cs_http *http;
static int worlds;             /* open at once: they share the performers */

static const cs_http_stand_in *stand_ins;
static size_t stand_in_count;
static const char *stand_in_ca;

void world_stand_ins(const struct cs_http_stand_in *list, size_t n, const char *ca)
{
	stand_ins = list;
	stand_in_count = n;
	stand_in_ca = ca;
}

static int fixtures_load(void *ctx, const json_t *docs, cs_err *err)
{
	return cs_fixtures_replace(ctx, docs, err);
}

static void fixtures_used(void *ctx, const char *run, const char *function, size_t answer)
{
	cs_fixtures_used(ctx, run, function, answer);
}

static void fixtures_forget(void *ctx, const char *run)
{
	cs_fixtures_forget(ctx, run);
}

static bool fixtures_has(void *ctx, const char *function)
{
	return cs_fixtures_has(ctx, function);
}

static void make_performers(void)
{
	if (worlds++ > 0)
		return;
	json_t *none = json_array();
	assert_int_equal(cs_fixtures_new(none, &fixtures, NULL), CS_OK);
	json_decref(none);
	rules = cs_rules_new();
	http = cs_http_new_with_stand_ins(stand_ins, stand_in_count, stand_in_ca);
	performers[0] = cs_fixtures_performer(fixtures);
	performers[1] = cs_rules_performer(rules);
	performers[2] = cs_shell_performer();
	performers[3] = cs_http_performer(http);
	performers[4] = cs_text_performer();
}

void world_file(world *w, const char *path, const char *text)
{
	CS_AUTOFREE char *whole = cs_path_join(w->dir, path);
	CS_AUTOFREE char *dir = cs_xstrdup(whole);
	cs_err err = { 0 };
	*strrchr(dir, '/') = '\0';
	assert_int_equal(cs_mkdir_p(dir, 0700, &err), CS_OK);
	if (cs_file_write(whole, text, strlen(text), 0600, &err) != CS_OK)
		fail_msg("%s", err.msg);
}

void world_new(world *w, const char *text)
{
	char dir[] = "/tmp/capstan-test-XXXXXX";
	assert_non_null(mkdtemp(dir));
	world_at(w, dir);
	world_file(w, "capstan.yaml", text != NULL ? text : "workspace: test\nmode: simulate\napprovals: { grace: PT0S }\n");
}

void world_at(world *w, const char *dir)
{
	memset(w, 0, sizeof *w);
	snprintf(w->dir, sizeof w->dir, "%s", dir);
	make_performers();
	w->opts = (cs_engine_opts){
		.performers = performers, .n_performers = CS_ARRAY_LEN(performers), .exe = getenv("CS_TEST_CAPSTAN"), .version = "test",
		.fixtures = { fixtures, fixtures_load, fixtures_used, fixtures_forget, fixtures_has },
	};
}

void world_start(world *w)
{
	cs_diags d;
	cs_diags_init(&d);
	cs_workspace *ws = NULL;
	cs_err err = { 0 };
	if (cs_workspace_load(w->dir, false, &d, &ws, &err) != CS_OK)
		fail_msg("the workspace does not load: %s", d.n > 0 ? d.items[0].message : err.msg);
	cs_diags_fini(&d);
	if (cs_engine_start(ws, &w->opts, &w->engine, &err) != CS_OK)
		fail_msg("the engine does not start: %s", err.msg);
}

void world_stop(world *w)
{
	cs_engine_stop(w->engine, 2000);
	w->engine = NULL;
}

void world_close(world *w)
{
	world_stop(w);
	if (--worlds > 0)
		return;
	cs_http_free(http);
	cs_rules_free(rules);
	cs_fixtures_free(fixtures);
}

void world_free(world *w)
{
	world_close(w);
	const char *argv[] = { "rm", "-rf", "--", w->dir, NULL };
	cs_child_opts o = { .argv = argv, .quiet_stderr = true };
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, 4096);
	cs_child_result r;
	(void)cs_child_run(&o, "", 0, &out, &out, cs_clock_mono_ns() + INT64_C(5000000000), NULL, &r, NULL);
}

/* ---- requests ------------------------------------------------------------------------------------------ */

struct answer {
	pthread_mutex_t lock;
	pthread_cond_t there;
	json_t *reply;
};

static void answered(void *ctx, json_t *reply)
{
	struct answer *a = ctx;
	pthread_mutex_lock(&a->lock);
	a->reply = reply;
	pthread_cond_signal(&a->there);
	pthread_mutex_unlock(&a->lock);
}

static json_t *call(world *w, json_t *request)
{
	struct answer a = { .lock = PTHREAD_MUTEX_INITIALIZER, .there = PTHREAD_COND_INITIALIZER };
	if (cs_json_str(request, "actor") == NULL)
		json_object_set_new(request, "actor", json_string("operator:tester"));
	assert_int_equal(cs_engine_send(w->engine, request, answered, &a, NULL), CS_OK);
	pthread_mutex_lock(&a.lock);
	while (a.reply == NULL)
		pthread_cond_wait(&a.there, &a.lock);
	pthread_mutex_unlock(&a.lock);
	return a.reply;
}

json_t *world_ask(world *w, json_t *request)
{
	CS_AUTOJSON json_t *reply = call(w, request);
	json_t *ok = json_object_get(reply, "ok");
	if (ok == NULL)
		fail_msg("refused: %s", cs_json_str_or(json_object_get(reply, "error"), "message", "?"));
	return json_incref(ok);
}

json_t *world_try(world *w, json_t *request)
{
	return call(w, request);
}

json_t *world_refused(world *w, json_t *request)
{
	CS_AUTOJSON json_t *reply = call(w, request);
	assert_non_null(json_object_get(reply, "error"));
	return json_incref(json_object_get(reply, "error"));
}

json_t *world_json(const char *text)
{
	return json_quoted(text);
}

char *world_run(world *w, const char *flow, json_t *definition, json_t *input)
{
	json_t *req = json_pack("{s:s}", "cmd", "run");
	if (flow != NULL)
		json_object_set_new(req, "flow", json_string(flow));
	if (definition != NULL)
		json_object_set(req, "definition", definition);
	json_object_set_new(req, "input", input != NULL ? input : json_object());
	CS_AUTOJSON json_t *ok = world_ask(w, req);
	return cs_xstrdup(cs_json_str(ok, "run"));
}

/* ---- what is there ---------------------------------------------------------------------------------------- */

static cs_reader *reader(const world *w)
{
	CS_AUTOFREE char *dir = cs_path_join(w->dir, CS_STATE_DIR);
	cs_reader *r = NULL;
	cs_err err = { 0 };
	if (cs_reader_open(dir, &r, &err) != CS_OK)
		fail_msg("%s", err.msg);
	return r;
}

static json_t *query(const world *w, const char *sql, json_t *params)
{
	cs_reader *r = reader(w);
	json_t *rows = NULL;
	cs_err err = { 0 };
	int rc = cs_reader_query(r, sql, params, &rows, &err);
	cs_reader_close(r);
	json_decref(params);
	if (rc != CS_OK)
		fail_msg("%s", err.msg);
	return rows;
}

json_t *world_rows(world *w, const char *sql)
{
	return query(w, sql, NULL);
}

static void nap(void)
{
	struct timespec t = { .tv_nsec = 2000000 };
	nanosleep(&t, NULL);
}

json_t *world_await(world *w, const char *run, const char *words)
{
	int64_t until = cs_clock_mono_ns() + PATIENCE_MS * INT64_C(1000000);
	for (;;) {
		CS_AUTOJSON json_t *rows = query(w, "SELECT * FROM run WHERE id = ?1", json_pack("[s]", run));
		json_t *row = json_array_get(rows, 0);
		const char *state = cs_json_str_or(row, "state", "absent");
		if (strstr(words, state) != NULL)
			return json_incref(row);
		if (cs_clock_mono_ns() > until)
			fail_msg("run %s is %s, not one of: %s", run, state, words);
		nap();
	}
}

static json_int_t last_seq(world *w)
{
	CS_AUTOJSON json_t *rows = world_rows(w, "SELECT max(seq) AS n FROM event");
	return cs_json_int_or(json_array_get(rows, 0), "n", 0);
}

/* On a busy machine much work takes long; only work that gets nowhere is an error. */
void world_settle(world *w)
{
	json_int_t seen = -1;
	int64_t end = cs_clock_mono_ns() + 6 * PATIENCE_MS * INT64_C(1000000);
	for (int64_t until = 0;;) {
		CS_AUTOJSON json_t *ok = world_ask(w, json_pack("{s:s}", "cmd", "settle"));
		if (!cs_json_true(ok, "busy"))
			return;
		json_int_t now = last_seq(w);
		if (now > seen)
			until = cs_clock_mono_ns() + PATIENCE_MS * INT64_C(1000000);
		if (cs_clock_mono_ns() > (until < end ? until : end))
			fail_msg("the engine does not come to rest after entry %lld", (long long)now);
		seen = now;
		nap();
	}
}

struct last {
	const char *type;
	json_t *data;
	int n;
};

static int keep_last(void *ctx, const cs_event *ev)
{
	struct last *l = ctx;
	if (strcmp(ev->type, l->type) != 0)
		return 0;
	json_decref(l->data);
	l->data = json_incref(ev->data);
	l->n++;
	return 0;
}

static struct last scan(world *w, const char *run, const char *type)
{
	struct last l = { .type = type };
	cs_reader *r = reader(w);
	assert_int_equal(cs_reader_events(r, run, 0, INT64_MAX, keep_last, &l, NULL), CS_OK);
	cs_reader_close(r);
	return l;
}

json_t *world_event(world *w, const char *run, const char *type)
{
	return scan(w, run, type).data;
}

int world_count(world *w, const char *run, const char *type)
{
	struct last l = scan(w, run, type);
	json_decref(l.data);
	return l.n;
}

json_t *world_item(world *w)
{
	int64_t until = cs_clock_mono_ns() + PATIENCE_MS * INT64_C(1000000);
	for (;;) {
		CS_AUTOJSON json_t *rows = query(w, "SELECT * FROM item WHERE state IN ('pending','open') ORDER BY published_seq DESC", NULL);
		if (json_array_size(rows) > 0)
			return json_incref(json_array_get(rows, 0));
		if (cs_clock_mono_ns() > until)
			fail_msg("no item waits");
		nap();
	}
}

json_t *world_decide(world *w, const char *item, json_t *decision)
{
	return world_ask(w, json_pack("{s:s, s:s, s:o}", "cmd", "decide", "item", item, "decision", decision));
}

static int count_row(void *ctx, const json_t *row)
{
	CS_AUTOFREE char *text = cs_json_text(row);
	print_error("differs: %s\n", text);
	++*(int *)ctx;
	return 0;
}

void world_verify(world *w)
{
	CS_AUTOFREE char *dir = cs_path_join(w->dir, CS_STATE_DIR);
	cs_verify_report report;
	cs_err err = { 0 };
	int differing = 0;
	if (cs_store_verify(dir, &report, &err) != CS_OK)
		fail_msg("%s", err.msg);
	assert_string_equal(report.finding, "");
	if (cs_store_rebuild_check(dir, count_row, &differing, &err) != CS_OK)
		fail_msg("%s", err.msg);
	assert_int_equal(differing, 0);
}
