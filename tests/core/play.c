/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/core/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "core/correct.h"
#include "core/frame.h"

enum { TICK_MS = 400 };

uint64_t play_hash(uint64_t seed, const char *text, int64_t n)
{
	CS_AUTOFREE char *whole = cs_xasprintf("%llu %s %lld", (unsigned long long)seed, text, (long long)n);
	uint8_t digest[CS_HASH_LEN];
	uint64_t v;
	cs_hash(whole, strlen(whole), digest);
	memcpy(&v, digest, sizeof v);
	return v;
}

/* ---- the workspace ----------------------------------------------------------------------------------------- */

static const char connector[] =
	"connector: out\nkind: http\nurl: https://out.example.com\nidentity: me@example.com\nmode: live\noperations:\n"
	"  free: { effect: unsafe, reverse: none, request: { method: POST, path: /free, as: json, body: '${ . }' } }\n"
	"  ask: { effect: unsafe, reverse: none, retry: { attempts: 2, delay: PT0.5S }, request: { method: POST, path: '/ask/{n}', as: json, body: '${ . }' } }\n"
	"  key: { effect: keyed, retry: { attempts: 3, delay: PT0.5S, backoff: exponential }, request: { method: PUT, path: /key, as: json, body: '${ . }' } }\n"
	"  sure: { effect: probe, timeout: PT1S, retry: { attempts: 2, delay: PT0.5S }, request: { method: POST, path: /sure, as: json, body: '${ . }' },"
	" probe: { call: out.find, with: { n: '${ .n }' }, found: '${ .v > 100 }' } }\n"
	"  find: { effect: read, timeout: PT1S, retry: { attempts: 2, delay: PT0.3S }, request: { method: GET, path: '/find/{n}' } }\n"
	"  look: { effect: read, retry: { attempts: 3, delay: PT0.3S }, request: { method: GET, path: '/look/{n}' } }\n";

static void put(const char *dir, const char *path, const char *text)
{
	CS_AUTOFREE char *whole = cs_path_join(dir, path);
	assert_int_equal(cs_file_write(whole, text, strlen(text), 0600, NULL), CS_OK);
}

cs_workspace *play_workspace(char dir[64])
{
	cs_diags d;
	cs_workspace *ws = NULL;
	cs_err err = { 0 };
	snprintf(dir, 64, "/tmp/capstan-sim-XXXXXX");
	assert_non_null(mkdtemp(dir));
	CS_AUTOFREE char *folder = cs_path_join(dir, "connectors");
	assert_int_equal(cs_mkdir_p(folder, 0700, NULL), CS_OK);
	put(dir, "capstan.yaml", "workspace: sim\nmode: live\n");
	put(dir, "connectors/out.yaml", connector);
	cs_diags_init(&d);
	if (cs_workspace_load(dir, false, &d, &ws, &err) != CS_OK)
		fail_msg("%s", d.n > 0 ? d.items[0].message : err.msg);
	cs_diags_fini(&d);
	return ws;
}

void play_workspace_free(cs_workspace *ws, const char *dir)
{
	static const char *const paths[] = { "connectors/out.yaml", "capstan.yaml" };
	for (size_t i = 0; i < CS_ARRAY_LEN(paths); i++) {
		CS_AUTOFREE char *path = cs_path_join(dir, paths[i]);
		unlink(path);
	}
	CS_AUTOFREE char *folder = cs_path_join(dir, "connectors");
	rmdir(folder);
	rmdir(dir);
	cs_workspace_free(ws);
}

/* ---- what a step sees ---------------------------------------------------------------------------------------- */

/* As the log gives it back: in canonical order and numbers. */
static json_t *as_logged(const json_t *v)
{
	CS_AUTOBUF cs_buf text;
	json_t *back = NULL;
	cs_err err = { 0 };
	cs_buf_init(&text, (size_t)16 << 20);
	if (cs_json_canonical(v, &text) != CS_OK || cs_json_parse(cs_buf_str(&text), text.len, &back, &err) != CS_OK)
		fail_msg("an event cannot be logged: %s", err.msg);
	return back;
}

static int append(void *ctx, cs_event *ev, cs_err *err)
{
	play *s = ctx;
	(void)err;
	ev->seq = (int64_t)json_array_size(s->log) + 1;
	CS_AUTOJSON json_t *o = json_pack("{s:I, s:I, s:s, s:s, s:i, s:s, s:s, s:I, s:b, s:O}", "seq", (json_int_t)ev->seq, "at", (json_int_t)ev->at,
					  "run", ev->run, "task", ev->task != NULL ? ev->task : "", "occurrence", ev->occurrence,
					  "type", ev->type, "actor", ev->actor, "cause", (json_int_t)ev->cause, "simulated", ev->simulated,
					  "data", ev->data);
	json_array_append_new(s->log, as_logged(o));
	return CS_OK;
}

static void new_id(void *ctx, char out[CS_ID_SIZE])
{
	play *s = ctx;
	snprintf(out, CS_ID_SIZE, "%026llu", (unsigned long long)++s->ids);
}

static const cs_function *function(void *ctx, const cs_run *r, const char *name)
{
	(void)r;
	return cs_workspace_function(((play *)ctx)->ws, name);
}

static int verdict(void *ctx, const cs_run *r, const cs_task *t, const cs_call *c, cs_verdict *ret, cs_err *err)
{
	(void)ctx;
	(void)r;
	(void)c;
	(void)err;
	*ret = (cs_verdict){ .kind = strcmp(t->call, "out.ask") == 0 ? CS_VERDICT_ASK : CS_VERDICT_ALLOW, .rule = "policy sim/rule" };
	return CS_OK;
}

/* Now and then everything is held. */
static bool is_open(void *ctx, const cs_run *r, const cs_function *fn, const cs_call *c, const char **ret_word)
{
	const play *s = ctx;
	(void)r;
	(void)c;
	(void)fn;
	bool held = play_hash(s->seed, "hold", s->now) % 9 == 0;
	*ret_word = held ? "hold" : NULL;
	return !held;
}

static json_t *fixture(void *ctx, const cs_run *r, const cs_function *fn, json_t *args)
{
	(void)ctx;
	(void)r;
	(void)fn;
	(void)args;
	return NULL;
}

static void key(void *ctx, const char *text, char out[CS_HEX_SIZE])
{
	(void)ctx;
	cs_hash_hex(text, strlen(text), out);
}

static void todo(void *ctx, const cs_todo *t)
{
	(void)ctx;
	json_decref(t->dot);
	json_decref(t->vars);
	if (t->kind == CS_TODO_JQ)
		fail_msg("a random flow asks for jq");
}

/* ---- runs that tasks start: each is only its id, and ends when the outside says so ------------------------- */

static int sub_find(void *ctx, const cs_run *r, const cs_task *t, const json_t *input, char ret_hash[CS_HEX_SIZE], cs_err *why)
{
	(void)r;
	(void)input;
	if (play_hash(((play *)ctx)->seed, t->ref, 0) % 9 == 0)
		return cs_err_set(why, CS_ENOTFOUND, "there is no such flow");
	memset(ret_hash, 'a', CS_HEX_SIZE - 1);
	ret_hash[CS_HEX_SIZE - 1] = '\0';
	return CS_OK;
}

static int sub_begin(void *ctx, cs_run *r, const cs_sub_order *o, cs_err *err)
{
	(void)ctx;
	(void)r;
	(void)o;
	(void)err;
	return CS_OK;
}

static int sub_control(void *ctx, cs_run *r, const char *id, const char *verb, cs_err *err)
{
	(void)ctx;
	(void)r;
	(void)id;
	(void)verb;
	(void)err;
	return CS_OK;
}

static json_t *sub_end(const char *id, uint64_t h)
{
	json_t *end = json_pack("{s:s}", "state", h % 5 == 0 ? "faulted" : h % 7 == 0 ? "cancelled" : "completed");
	if (h % 5 == 0)
		json_object_set_new(end, "error", json_pack("{s:s, s:i, s:s}", "type", "https://x.example/e", "status", 409, "title", id));
	else if (h % 7 != 0)
		json_object_set_new(end, "output", json_pack("{s:s}", "from", id));
	return end;
}

static int sub_look(void *ctx, const char *id, cs_sub_state *ret, json_t **ret_end, cs_err *err)
{
	const play *s = ctx;
	uint64_t h = play_hash(s->seed, id, -1);
	(void)err;
	*ret = (cs_sub_state){ .state = h % 3 == 0 ? CS_RUN_COMPLETED : h % 3 == 1 ? CS_RUN_FAULTED : CS_RUN_RUNNING, .can_retry = h % 2 == 0 };
	if (h % 3 == 0)
		*ret_end = json_pack("{s:s, s:s}", "state", "completed", "output", id);
	return CS_OK;
}

void play_init(play *s, const cs_workspace *ws, uint64_t seed)
{
	*s = (play){ .ws = ws, .seed = seed, .now = INT64_C(1700000000000), .log = json_array() };
	s->step = (cs_step){ .ctx = s, .append = append, .new_id = new_id, .function = function, .verdict = verdict, .open = is_open,
			     .fixture = fixture, .key = key, .sub_find = sub_find, .sub_begin = sub_begin, .sub_control = sub_control, .sub_look = sub_look, .todo = todo, .grace_ms = 1000, .epoch = 1, .now = s->now };
}

void play_fini(play *s)
{
	json_decref(s->log);
}

cs_run *play_begin(play *s, const cs_flow *flow, json_t *input)
{
	CS_AUTOJSON json_t *created = json_pack("{s:s, s:s, s:s, s:s, s:o}", "flow", "sim/flow", "name", "flow", "version", "1.0.0",
						"definition", flow->hash, "input", input);
	cs_run *r = cs_run_new("00000000000000000000000RUN", flow);
	cs_err err = { 0 };
	s->step.now = s->now;
	if (cs_run_begin(r, &s->step, created, &err) != CS_OK)
		fail_msg("%s", err.msg);
	return r;
}

/* ---- the outside ---------------------------------------------------------------------------------------------- */

static cs_outcome *outcome_of(const play *s, const cs_call *c)
{
	uint64_t h = play_hash(s->seed, c->key, c->tries);
	static const cs_outcome_kind kinds[] = {
		CS_OUTCOME_DONE, CS_OUTCOME_DONE, CS_OUTCOME_DONE, CS_OUTCOME_DONE, CS_OUTCOME_DONE, CS_OUTCOME_DONE,
		CS_OUTCOME_NOT_SENT, CS_OUTCOME_REJECTED, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_TRANSIENT,
	};
	cs_outcome_kind kind = kinds[h % CS_ARRAY_LEN(kinds)];
	if (kind == CS_OUTCOME_TRANSIENT && c->effect == CS_EFFECT_UNSAFE)
		kind = CS_OUTCOME_AMBIGUOUS;
	if (kind != CS_OUTCOME_DONE)
		return cs_outcome_failed(kind, CS_ERROR_COMMUNICATION, 503, NULL, "so it came in the simulation");
	cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
	o->result = json_pack("{s:b, s:I}", "ok", 1, "v", (json_int_t)(h >> 8 & 0xff));
	return o;
}

static void must(int rc, const cs_err *err)
{
	if (rc != CS_OK && rc != CS_EREFUSED && rc != CS_EINVAL)
		fail_msg("%s", err->msg);
}

static void end_subs(play *s, cs_run *r)
{
	cs_err err = { 0 };
	for (int i = 0; i < r->flow->n_tasks; i++) {
		const cs_frame *f = r->live[i];
		if (f == NULL || f->sub_id[0] == '\0' || cs_run_state_terminal(cs_run_state_name(r->state)))
			continue;
		uint64_t h = play_hash(s->seed, f->sub_id, s->now);
		if (h % 3 != 0)
			must(cs_run_sub_ended(r, &s->step, f->sub_id, sub_end(f->sub_id, h >> 8), &err), &err);
	}
}

static void answer_outside(play *s, cs_run *r)
{
	cs_err err = { 0 };
	end_subs(s, r);
	for (int i = 0; i < r->flow->n_tasks; i++) {
		const cs_frame *f = r->live[i];
		if (f == NULL || f->call == NULL || f->call->phase != CS_CALL_INTENT)
			continue;
		if (play_hash(s->seed, f->call->key, s->now) % 3 != 0)
			must(cs_run_outcome(r, &s->step, i, outcome_of(s, f->call), &err), &err);
	}
}

void play_crash(play *s, cs_run *r)
{
	cs_err err = { 0 };
	s->step.now = s->now;
	for (int i = 0; i < r->flow->n_tasks; i++)
		if (r->live[i] != NULL && r->live[i]->call != NULL && r->live[i]->call->phase == CS_CALL_INTENT)
			must(cs_run_outcome(r, &s->step, i, NULL, &err), &err);
}

/* ---- the operator ---------------------------------------------------------------------------------------------- */

static json_t *decision_of(const play *s, const cs_item *item, uint64_t h)
{
	static const char *const verbs[] = { "approve", "approve", "approve", "reject", "edit", "snooze", "delegate", "undo", "respond", "respond" };
	static const char *const hows[] = { "happened", "did-not", "repeat" };
	if (strcmp(item->kind, "in-doubt") == 0)
		return json_pack("{s:s, s:s, s:s, s:{s:b}}", "verb", "resolve", "how", hows[h % 3], "word", "repeat", "value", "ok", 1);
	if (strcmp(item->kind, "approval") != 0)
		return json_pack("{s:s}", "verb", "dismiss");
	const char *verb = verbs[h % CS_ARRAY_LEN(verbs)];
	json_t *d = json_pack("{s:s, s:s}", "verb", verb, "to", "ann");
	if (strcmp(verb, "edit") == 0)
		json_object_set_new(d, "value", json_pack("{s:I, s:s}", "n", (json_int_t)(h >> 8 & 7), "text", "edited"));
	if (strcmp(verb, "snooze") == 0)
		json_object_set_new(d, "until", json_integer(s->now + 700));
	return d;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void answer_items(play *s, cs_run *r)
{
	char ids[64][CS_ID_SIZE], next[CS_ID_SIZE];
	size_t n = r->n_items < 64 ? r->n_items : 64;
	cs_err err = { 0 };
	for (size_t i = 0; i < n; i++)
		memcpy(ids[i], r->items[i]->id, CS_ID_SIZE);
	qsort(ids, n, CS_ID_SIZE, by_id);
	for (size_t i = 0; i < n; i++) {
		uint64_t h = play_hash(s->seed, ids[i], s->now);
		const cs_item *item = cs_run_item(r, ids[i]);
		if (item == NULL || h % 2 == 0)
			continue;
		CS_AUTOJSON json_t *d = decision_of(s, item, h >> 8);
		must(cs_run_decide(r, &s->step, ids[i], d, next, &err), &err);
	}
}

static void control(play *s, cs_run *r)
{
	uint64_t h = play_hash(s->seed, "control", s->now);
	cs_err err = { 0 };
	const char *verb = h % 17 == 0 ? "pause" : h % 61 == 0 ? "cancel" : NULL;
	if (r->state == CS_RUN_PAUSED)
		verb = h % 2 == 0 ? "resume" : NULL;
	if (r->state == CS_RUN_FAULTED)
		verb = h % 3 != 0 ? "retry" : NULL;
	if (verb != NULL)
		must(cs_run_control(r, &s->step, verb, NULL, &err), &err);
}

/* Now and then the operator corrects what rests, whatever of it there is; most of that is refused. */
static void correct(play *s, cs_run *r)
{
	static const struct {
		const char *in, *path;
	} places[] = { { "context", "n" }, { "input", "n" }, { "with", "n" }, { "input", "." }, { "context", "." }, { "with", "." } };
	uint64_t h = play_hash(s->seed, "correct", s->now);
	size_t k = (h >> 8) % CS_ARRAY_LEN(places);
	if (h % 5 != 0 || !cs_machine_allows(&cs_machine_run, cs_run_state_name(r->state), "correct"))
		return;
	CS_AUTOJSON json_t *value = strcmp(places[k].path, ".") == 0 ? json_pack("{s:I, s:[i,i]}", "n", (json_int_t)(h >> 16 & 3), "l", 1, 2)
								      : json_integer((json_int_t)(h >> 16 & 3));
	CS_AUTOJSON json_t *changes = json_pack("[{s:s, s:s, s:O}]", "in", places[k].in, "path", places[k].path, "value", value);
	CS_AUTOJSON json_t *patch = NULL;
	CS_AUTOJSON json_t *again = NULL;
	size_t before = json_array_size(s->log);
	cs_err err = { 0 };
	if (cs_correct_check(r, &s->step, NULL, changes, &patch, &again, &err) == CS_OK) {
		must(cs_correct_write(r, &s->step, patch, again, json_pack("{s:s, s:s}", "old", "0", "new", "0"), &err), &err);
		s->corrected++;
	} else if (json_array_size(s->log) != before) {
		fail_msg("seed %llu: a correction that was refused has written something", (unsigned long long)s->seed);
	}
}

static void show_last(const play *s)
{
	for (size_t n = json_array_size(s->log), i = n > 12 ? n - 12 : 0; i < n; i++) {
		CS_AUTOFREE char *text = cs_json_text(json_array_get(s->log, i));
		print_error("%s\n", text);
	}
}

static void step_fails(const play *s, const cs_err *err)
{
	show_last(s);
	fail_msg("seed %llu: a step fails: %s", (unsigned long long)s->seed, err->msg);
}

bool play_group(play *s, cs_run *r)
{
	bool more = false;
	cs_err err = { 0 };
	s->step.now = s->now;
	if (cs_run_step(r, &s->step, &more, &err) != CS_OK)
		step_fails(s, &err);
	size_t n = json_array_size(s->log);
	bool again = false;
	if (more)
		return true;
	if (cs_run_step(r, &s->step, &again, &err) != CS_OK || again || json_array_size(s->log) != n) {
		show_last(s);
		fail_msg("seed %llu: after event %zu a run that says it rests goes on when asked", (unsigned long long)s->seed, n);
	}
	return false;
}

bool play_tick(play *s, cs_run *r)
{
	s->now += TICK_MS;
	s->step.now = s->now;
	answer_outside(s, r);
	s->step.actor = "operator:sim";
	answer_items(s, r);
	correct(s, r);
	control(s, r);
	s->step.actor = NULL;
	return !cs_run_state_terminal(cs_run_state_name(r->state));
}

/* ---- from the log ------------------------------------------------------------------------------------------------ */

void play_fold_on(cs_run *r, const json_t *log, size_t from, size_t n)
{
	for (size_t i = from; i < n; i++) {
		const json_t *o = json_array_get(log, i);
		const char *task = cs_json_str_or(o, "task", "");
		cs_event ev = { .seq = cs_json_int_or(o, "seq", 0), .at = cs_json_int_or(o, "at", 0), .task = *task != '\0' ? task : NULL,
				.occurrence = (int)cs_json_int_or(o, "occurrence", 0), .type = cs_json_str(o, "type"),
				.actor = cs_json_str(o, "actor"), .cause = cs_json_int_or(o, "cause", 0),
				.simulated = cs_json_true(o, "simulated"), .data = json_object_get(o, "data") };
		cs_err err = { 0 };
		snprintf(ev.run, sizeof ev.run, "%s", cs_json_str(o, "run"));
		if (cs_run_fold(r, &ev, &err) != CS_OK)
			fail_msg("event %zu (%s %s) does not fold: %s", i + 1, ev.type, task, err.msg);
	}
}

cs_run *play_fold(const cs_flow *flow, const json_t *log, size_t n)
{
	cs_run *r = cs_run_new("00000000000000000000000RUN", flow);
	play_fold_on(r, log, 0, n);
	return r;
}

static void set(json_t *o, const char *name, json_t *v)
{
	if (v != NULL)
		json_object_set(o, name, v);
}

static json_t *dump_call(const cs_call *c)
{
	json_t *o = json_pack("{s:i, s:i, s:i, s:b, s:b, s:I, s:s, s:s, s:s, s:s, s:s, s:b}", "phase", (int)c->phase, "logical",
			      (int)c->logical, "tries", (int)c->tries, "ambiguous", c->ambiguous, "args_tainted", c->args_tainted, "due",
			      c->phase == CS_CALL_RETRY_WAIT ? (json_int_t)c->due : 0, "item", c->item, "next", c->next_item,
			      "previous", c->previous, "approval", c->approval, "editor", c->editor != NULL ? c->editor : "",
			      "result_tainted", c->result_tainted);
	json_object_set_new(o, "turn", json_integer((json_int_t)c->turn));
	json_object_set_new(o, "spared", json_integer((json_int_t)c->spared));
	json_object_set_new(o, "probed", json_boolean(c->probed));
	if (c->outer != NULL) {
		json_object_set_new(o, "outer", dump_call(c->outer));
		json_object_set_new(o, "asks", json_pack("[s, I, I]", c->name, (json_int_t)c->due, (json_int_t)c->deadline));
	}
	if (c->outer == NULL || c->phase != CS_CALL_PLANNED)     /* what a probe asks with is made when it is sent */
		set(o, "args", c->args);
	set(o, "tainted_args", c->tainted_args);
	set(o, "result", c->result);
	set(o, "error", c->error);
	if (c->phase == CS_CALL_PLANNED)
		return o;                /* key, digest and request are made when it is planned */
	set(o, "request", c->request);
	json_object_set_new(o, "digest", json_string(c->digest));
	if (c->tries > 0)
		json_object_set_new(o, "key", json_string(c->key));
	return o;
}

static json_t *dump_frame(const cs_frame *f)
{
	if (f == NULL)
		return json_null();
	json_t *o = json_pack("{s:s, s:b, s:i, s:I, s:b, s:i, s:I, s:i, s:b, s:b}", "task", f->task != NULL ? f->task->ref : "", "lane", f->lane,
			      "occurrence", f->occurrence, "started", (json_int_t)f->started_at, "handler", f->handler, "retries",
			      (int)f->retries, "retry_due", (json_int_t)f->retry_due, "winner", f->winner, "input_tainted",
			      f->input_tainted, "last_tainted", f->last_tainted);
	if (f->task != NULL && f->task->role != CS_ROLE_PLAIN)
		json_object_set_new(o, "extension", json_pack("[b, b, b, i]", f->applied, f->exited, f->returns, f->leads));
	if (f->sub_id[0] != '\0' || f->sub_again[0] != '\0')
		json_object_set_new(o, "sub", json_pack("[s, s]", f->sub_id, f->sub_again));
	set(o, "sub_end", f->sub_end);
	set(o, "raw", f->raw);
	set(o, "input", f->input);
	set(o, "done", f->done);
	set(o, "tainted", f->tainted);
	set(o, "last", f->last);
	set(o, "items", f->items);
	set(o, "rounds", f->rounds);
	set(o, "came", f->came);
	set(o, "fault", f->fault);
	if (f->items == NULL)
		set(o, "vars", f->vars);
	if (f->call != NULL)
		json_object_set_new(o, "call", dump_call(f->call));
	json_object_set_new(o, "child", dump_frame(f->child));
	if (f->kids != NULL) {
		json_t *kids = json_array();
		for (int i = 0; i < f->task->n_children; i++)
			json_array_append_new(kids, dump_frame(f->kids[i]));
		json_object_set_new(o, "kids", kids);
	}
	return o;
}

static json_t *dump_items(const cs_run *r)
{
	json_t *all = json_object();
	for (size_t i = 0; i < r->n_items; i++) {
		const cs_item *item = r->items[i];
		json_t *o = json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:I, s:I}", "kind", item->kind, "state", item->state, "task", item->task,
				      "digest", item->digest, "grace_until", (json_int_t)item->grace_until, "expires",
				      (json_int_t)item->expires, "published", (json_int_t)item->published_seq, "decided",
				      (json_int_t)item->decided_seq);
		json_object_set_new(o, "snoozed", json_integer(item->snoozed_until));
		json_object_set_new(o, "level", json_integer(item->level));
		json_object_set_new(o, "reminded", json_integer(item->reminded));
		set(o, "data", item->published);
		set(o, "decision", item->decision);
		json_object_set_new(all, item->id, o);
	}
	return all;
}

json_t *play_dump(const cs_run *r)
{
	json_t *o = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:b, s:b, s:b}", "state", cs_run_state_name(r->state), "origin", r->origin, "simulated",
			      r->simulated, "created", (json_int_t)r->created_at, "started", (json_int_t)r->started_at, "last_seq",
			      (json_int_t)r->last_seq, "ending", r->ending, "input_tainted", r->input_tainted, "context_tainted",
			      r->context_tainted);
	set(o, "input", r->input);
	set(o, "start", r->start);
	set(o, "context", r->context);
	set(o, "corrections", r->corrections);
	set(o, "output", r->output);
	set(o, "error", r->error);
	json_t *occurrences = json_array();
	for (int i = 0; i < r->flow->n_tasks; i++)
		json_array_append_new(occurrences, json_integer(r->occurrences[i]));
	json_object_set_new(o, "occurrences", occurrences);
	json_object_set_new(o, "items", dump_items(r));
	json_object_set_new(o, "root", dump_frame(r->root));
	json_t *logged = as_logged(o);
	json_decref(o);
	return logged;
}
