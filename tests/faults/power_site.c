/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/power_site.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "core/http_request.h"
#include "tests/faults/disk_tap.h"
#include "tests/faults/power_plays.h"
#include "tests/support/invariants.h"

enum { TURNS_MOST = 100000, ROUNDS_MOST = 5000 };

/* ---- time: the wall's, and what was waited out ----------------------------------------------------------------- */

static int64_t waited;

static int64_t now_ms(void *ctx)
{
	(void)ctx;
	return cs_clock_wall_ms() + waited;
}

/* ---- the outside ------------------------------------------------------------------------------------------------ */

static void add(json_t *o, const char *name)
{
	json_object_set_new(o, name, json_integer(cs_json_int_or(o, name, 0) + 1));
}

static void note(site *s, const json_t *told)
{
	const char *key = cs_json_str_or(told, "key", "");
	json_t *mine = json_object_get(s->sent, key);
	json_array_append(s->entries, json_object_get(told, "entry"));
	if (mine == NULL)
		json_object_set_new(s->sent, key, mine = json_pack("{s:O}", "class", json_object_get(told, "class")));
	add(mine, "times");
}

static json_t *entry_of(const cs_effect *e)
{
	char digest[CS_HEX_SIZE];
	CS_AUTOBUF cs_buf body;
	cs_buf_init(&body, (size_t)1 << 20);
	if (cs_http_render_body(e->rendered, &body, NULL) != CS_OK)
		abort();             /* where memory is refused: it dies before anything has left */
	cs_hash_hex(cs_buf_str(&body), body.len, digest);
	const char *url = cs_json_str_or(e->rendered, "url", ""), *rest = strstr(url, "://");
	const char *path = rest != NULL ? rest + 3 + strcspn(rest + 3, "/") : "/";
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "method", cs_json_str_or(e->rendered, "method", ""), "path", path, "digest", digest, "key",
			 e->class == CS_EFFECT_KEYED ? e->key : "", "at", (json_int_t)now_ms(NULL));
}

/* As its input says: done, once later, refused, or cut off after it was done. */
static cs_outcome *outcome_of(site *s, const cs_effect *e)
{
	const char *what = cs_json_str_or(e->input, "what", "ok");
	add(s->tried, e->key);
	if (strcmp(what, "later") == 0 && cs_json_int_or(s->tried, e->key, 0) == 1)
		return cs_outcome_failed(CS_OUTCOME_TRANSIENT, CS_ERROR_COMMUNICATION, 503, NULL, "%s", "later");
	if (strcmp(what, "no") == 0)
		return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_COMMUNICATION, 400, NULL, "%s", "no");
	if (strcmp(what, "cut") == 0)
		return cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_COMMUNICATION, 0, NULL, "%s", "cut off");
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = json_pack("{s:i}", "id", 7);
	return o;
}

static int act(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	site *s = self;
	(void)err;
	if (e->gate != NULL && !e->gate(e->gate_ctx)) {
		done(ctx, cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_COMMUNICATION, 0, NULL, "%s", "held"));
		return CS_OK;
	}
	CS_AUTOJSON json_t *told = json_pack("{s:s, s:s, s:o}", "key", e->key, "class", cs_effect_class_name(e->class), "entry", entry_of(e));
	CS_AUTOFREE char *text = cs_json_text(told);
	tap_mark(MARK_SENT, text, e->class == CS_EFFECT_UNSAFE);
	note(s, told);
	done(ctx, outcome_of(s, e));
	return CS_OK;
}

void site_recall(site *s, const disk_tape *t, size_t upto)
{
	for (size_t i = 0; i < upto && i < t->n_ops; i++) {
		const tape_op *op = &t->ops[i];
		json_t *told = NULL;
		if (op->kind != TAPE_MARK || op->mark != MARK_SENT)
			continue;
		if (cs_json_parse(tape_bytes(t, op), op->n - 1, &told, NULL) == CS_OK)
			note(s, told);
		json_decref(told);
	}
}

/* ---- the workspace ---------------------------------------------------------------------------------------------- */

static void die(const char *what)
{
	perror(what);
	abort();
}

static void put_file(const site *s, const char *path, const char *text)
{
	CS_AUTOFREE char *whole = cs_path_join(s->dir, path), *parent = cs_xstrdup(whole);
	cs_err err = { 0 };
	*strrchr(parent, '/') = '\0';
	if (cs_mkdir_p(parent, 0700, &err) != CS_OK || cs_file_write(whole, text, strlen(text), 0600, &err) != CS_OK)
		die(err.msg);
}

void site_make(site *s)
{
	const char *tmp = getenv("TMPDIR");
	*s = (site){ .entries = json_array(), .sent = json_object(), .tried = json_object() };
	snprintf(s->dir, sizeof s->dir, "%.30s/capstan-power-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(s->dir) == NULL)
		die(s->dir);
	s->state = cs_path_join(s->dir, CS_STATE_DIR);
	for (const power_file *f = power_files; f->path != NULL; f++)
		put_file(s, f->path, f->text);
}

static void remove_all(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL) {
		CS_AUTOFREE char *path = cs_path_join(dir, e->d_name);
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (e->d_type == DT_DIR)
			remove_all(path);
		else if (unlink(path) != 0)
			die(path);
	}
	if (d != NULL)
		closedir(d);
	(void)rmdir(dir);
}

void site_clear(site *s)
{
	remove_all(s->state);
	json_array_clear(s->entries);
	json_object_clear(s->sent);
	json_object_clear(s->tried);
	s->decisions = 0;
}

void site_remove(site *s)
{
	site_stop(s);
	remove_all(s->dir);
	json_decref(s->entries);
	json_decref(s->sent);
	json_decref(s->tried);
	free(s->state);
	*s = (site){ 0 };
}

/* ---- the engine ------------------------------------------------------------------------------------------------- */

static void on_commit(void *ctx, int64_t seq)
{
	(void)ctx;
	if (seq > 0)
		tap_mark(MARK_COMMITTED, NULL, seq);
}

/* Who was there before may have waited for longer: no clock goes back. */
static void catch_up(site *s)
{
	CS_AUTOJSON json_t *rows = site_rows(s, "SELECT max(at) AS at FROM event");
	int64_t behind = cs_json_int_or(json_array_get(rows, 0), "at", 0) - now_ms(NULL);
	waited += behind > 0 ? behind : 0;
}

bool site_start(site *s)
{
	cs_performer performers[] = { { .kind = "http", .perform = act, .self = s } };
	static cs_performer kept[CS_ARRAY_LEN(performers)];
	memcpy(kept, performers, sizeof kept);
	const cs_engine_opts opts = { .performers = kept, .n_performers = CS_ARRAY_LEN(kept), .version = "test", .place = "the disk", .clock = { .now_ms = now_ms } };
	cs_diags d;
	cs_workspace *ws = NULL;
	cs_err err = { 0 };
	cs_diags_init(&d);
	s->why[0] = '\0';
	if (cs_workspace_load(s->dir, false, &d, &ws, &err) != CS_OK)
		snprintf(s->why, sizeof s->why, "the workspace: %s", d.n > 0 ? d.items[0].message : err.msg);
	cs_diags_fini(&d);
	if (s->why[0] == '\0' && cs_engine_open(ws, &opts, &s->engine, &err) != CS_OK)
		snprintf(s->why, sizeof s->why, "%s", err.msg);
	if (s->why[0] != '\0')
		return false;
	cs_engine_watch(s->engine, on_commit, NULL);
	catch_up(s);
	return true;
}

void site_stop(site *s)
{
	cs_reader_close(CS_STEAL(s->reader));
	cs_engine_drop(CS_STEAL(s->engine));
}

bool site_turn(site *s)
{
	for (int i = 0; s->engine != NULL && i < TURNS_MOST; i++) {
		bool more = cs_engine_turn(s->engine);
		cs_engine_failure(s->engine, s->why, sizeof s->why);
		if (s->why[0] != '\0')
			return false;
		if (!more)
			return true;
	}
	snprintf(s->why, sizeof s->why, "the engine does not come to rest");
	return false;
}

struct answer {
	const char *cmd, *item;
	json_t *reply;
};

static void answered(void *ctx, json_t *reply)
{
	struct answer *a = ctx;
	const json_t *ok = json_object_get(reply, "ok");
	a->reply = reply;
	if (ok != NULL && strcmp(a->cmd, "run") == 0)
		tap_mark(MARK_RUN, cs_json_str_or(ok, "run", ""), 0);
	if (ok != NULL && strcmp(a->cmd, "decide") == 0)
		tap_mark(MARK_DECIDED, a->item, 0);
}

json_t *site_ask(site *s, json_t *request)
{
	CS_AUTOFREE char *cmd = cs_xstrdup(cs_json_str_or(request, "cmd", "")), *item = cs_xstrdup(cs_json_str_or(request, "item", ""));
	struct answer a = { .cmd = cmd, .item = item };
	json_object_set_new(request, "actor", json_string("operator:tester"));
	if (cs_engine_send(s->engine, request, answered, &a, NULL) != CS_OK)
		return NULL;
	for (int i = 0; a.reply == NULL && i < TURNS_MOST; i++)
		(void)cs_engine_turn(s->engine);
	json_t *ok = json_incref(json_object_get(a.reply, "ok"));
	if (ok == NULL)
		snprintf(s->why, sizeof s->why, "%s: %s", cmd, cs_json_str_or(json_object_get(a.reply, "error"), "message", "no answer"));
	json_decref(a.reply);
	return ok;
}

bool site_run(site *s, const char *flow, int n, size_t size)
{
	json_t *input = json_pack("{s:i}", "n", n);
	if (size > 0) {
		CS_AUTOFREE char *text = cs_xcalloc(1, size + 1);
		memset(text, 'a' + n % 26, size);
		json_object_set_new(input, "text", json_string(text));
	}
	CS_AUTOJSON json_t *ok = site_ask(s, json_pack("{s:s, s:s, s:o}", "cmd", "run", "flow", flow, "input", input));
	return ok != NULL;
}

/* ---- the operator ----------------------------------------------------------------------------------------------- */

json_t *site_rows(site *s, const char *sql)
{
	json_t *rows = NULL;
	cs_err err = { 0 };
	if (s->reader == NULL && cs_reader_open(s->state, &s->reader, &err) != CS_OK)
		snprintf(s->why, sizeof s->why, "%s", err.msg);
	else if (cs_reader_query(s->reader, sql, NULL, &rows, &err) != CS_OK)
		snprintf(s->why, sizeof s->why, "%s", err.msg);
	return rows;
}

static json_t *key_of(site *s, const char *item)
{
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT json_extract(data, '$.key') AS key FROM event WHERE type = 'item.opened' AND "
					     "json_extract(data, '$.item') = '%s'", item);
	CS_AUTOJSON json_t *rows = site_rows(s, sql);
	return json_incref(json_object_get(json_array_get(rows, 0), "key"));
}

/* What happened is what the outside says; what did not is done again. */
static json_t *resolution(site *s, const char *item)
{
	CS_AUTOJSON json_t *key = key_of(s, item);
	bool happened = key != NULL && json_object_get(s->sent, json_string_value(key)) != NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:{s:i}}", "verb", "resolve", "how", happened ? "happened" : "repeat", "word", "repeat", "note",
			 "looked outside", "value", "id", 7);
}

static json_t *decision(site *s)
{
	static const char *const yes[] = { "approve", NULL };
	const char *const *verbs = s->verbs != NULL ? s->verbs : yes;
	size_t n = 0;
	while (verbs[n] != NULL)
		n++;
	const char *verb = verbs[s->decisions++ % n];
	json_t *d = json_pack("{s:s}", "verb", verb);
	if (strcmp(verb, "edit") == 0)
		json_object_set_new(d, "value", json_pack("{s:s, s:i}", "what", "ok", "edited", (int)s->decisions));
	return d;
}

/* True: something was decided. */
static bool decide_all(site *s)
{
	CS_AUTOJSON json_t *rows = site_rows(s, "SELECT id, kind, state FROM item WHERE state = 'pending' OR (state = 'open' AND kind = 'in-doubt')");
	size_t i;
	json_t *row;
	bool any = false;
	json_array_foreach(rows, i, row) {
		const char *id = cs_json_str_or(row, "id", "");
		bool doubt = strcmp(cs_json_str_or(row, "kind", ""), "in-doubt") == 0;
		json_t *how = doubt ? resolution(s, id) : decision(s);
		CS_AUTOJSON json_t *ok = site_ask(s, json_pack("{s:s, s:s, s:o}", "cmd", "decide", "item", id, "decision", how));
		any = any || ok != NULL;
	}
	return any;
}

/* What waits for a word of the operator's: the event, the release, the resumption. True: one was said. */
static bool let_go_on(site *s)
{
	CS_AUTOJSON json_t *held = site_rows(s, "SELECT value FROM setting WHERE name = 'hold' AND value != 'off'");
	CS_AUTOJSON json_t *rows = site_rows(s, "SELECT id, name, state FROM run WHERE state = 'paused' OR (state = 'waiting' AND name = 'listen') LIMIT 1");
	const json_t *row = json_array_get(rows, 0);
	json_t *request = NULL;
	if (json_array_size(held) > 0)
		request = json_pack("{s:s, s:b}", "cmd", "hold", "on", 0);
	else if (row != NULL && strcmp(cs_json_str_or(row, "state", ""), "paused") == 0)
		request = json_pack("{s:s, s:O, s:s}", "cmd", "control", "run", json_object_get(row, "id"), "verb", "resume");
	else if (row != NULL)
		request = json_pack("{s:s, s:{s:s, s:s}}", "cmd", "emit", "event", "type", "power.go", "source", "/power");
	CS_AUTOJSON json_t *ok = request != NULL ? site_ask(s, request) : NULL;
	return ok != NULL;
}

bool site_operate(site *s)
{
	for (int i = 0; i < ROUNDS_MOST; i++) {
		if (!site_turn(s))
			return false;
		if (decide_all(s))
			continue;
		CS_AUTOJSON json_t *ok = site_ask(s, json_pack("{s:s}", "cmd", "settle"));
		int64_t due = cs_json_int_or(ok, "due", 0);
		if (ok == NULL)
			return false;
		if (due > 0)
			waited += due > now_ms(NULL) ? due - now_ms(NULL) : 0;
		else if (!cs_json_true(ok, "busy") && !let_go_on(s))
			return site_turn(s);
	}
	snprintf(s->why, sizeof s->why, "there is no end to it");
	return false;
}

char *site_broken(site *s)
{
	CS_AUTOJSON json_t *broken = invariants_broken(s->state, s->entries);
	return cs_xstrdup(json_array_size(broken) > 0 ? json_string_value(json_array_get(broken, 0)) : "");
}

uint64_t site_number(const char *variable, uint64_t unless)
{
	const char *text = getenv(variable);
	return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : unless;
}

uint64_t site_part(uint64_t n)
{
	const char *sanitizer = getenv("CS_TEST_SANITIZER");
	bool slow = sanitizer != NULL && *sanitizer != '\0' && strcmp(sanitizer, "no") != 0;
	return slow ? n / 5 + 1 : n;
}
