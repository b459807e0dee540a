/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/core/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "core/frame.h"
#include "tests/json.h"

#define RUN_ID "01J9ZZZZZZ0000000000000001"
#define OPERATION(effect) \
	"{'effect':" effect ",'input':{'type':'object','properties':{'to':{'type':'string'}}},'request':{'method':'POST','path':'/x','as':'json','body':'${ . }'}," \
	"'retry':{'attempts':2,'delay':'PT1S','backoff':'constant'},'touches':['message'],'reverse':'none'}"

static const char connector_text[] =
	"{'connector':'shop','kind':'http','url':'https://shop.example','identity':'me','mode':'live','operations':{"
	"'mail':" OPERATION("'unsafe'") ",'pay':" OPERATION("'unsafe'") ",'look':" OPERATION("'read'") ","
	"'bill':" OPERATION("'keyed','keyed':{'header':'Idempotency-Key','window':'PT1H'}") ","
	"'make':" OPERATION("'probe','probe':{'call':'shop.find','with':{'number':'${ .to }'},'found':'${ .total > 0 }'},'timeout':'PT10S'") ","
	"'find':{'effect':'read','input':{'type':'object'},'request':{'method':'GET','path':'/x'},'timeout':'PT5S'}}}";

/* ---- what surrounds the run ------------------------------------------------------------------------ */

static int sim_append(void *ctx, cs_event *ev, cs_err *err)
{
	sim *s = ctx;
	if (s->misfit != NULL && strcmp(ev->type, s->misfit) == 0)
		return cs_err_set(err, CS_EINVAL, "event %s: its data has no text title", ev->type);
	ev->seq = (int64_t)json_array_size(s->log) + 1;
	json_array_append_new(s->log, json_pack("{s:I, s:I, s:s?, s:i, s:s, s:s, s:I, s:b, s:O}", "seq", (json_int_t)ev->seq,
		"at", (json_int_t)ev->at, "task", ev->task, "occurrence", ev->occurrence, "type", ev->type, "actor", ev->actor,
		"cause", (json_int_t)ev->cause, "simulated", (int)ev->simulated, "data", ev->data));
	return CS_OK;
}

static void sim_id(void *ctx, char out[CS_ID_SIZE])
{
	sim *s = ctx;
	snprintf(out, CS_ID_SIZE, "01J9ZZZZZZ00000000%08u", ++s->ids % 100000000u);
}

static const cs_function *sim_function(void *ctx, const cs_run *r, const char *name)
{
	(void)r;
	const sim *s = ctx;
	for (size_t i = 0; i < s->n_functions; i++)
		if (strcmp(s->functions[i]->name, name) == 0)
			return s->functions[i];
	return cs_function_builtin(name);
}

static int sim_verdict(void *ctx, const cs_run *r, const cs_task *t, const cs_call *c, cs_verdict *ret, cs_err *err)
{
	(void)r, (void)t, (void)c, (void)err;
	const sim *s = ctx;
	*ret = (cs_verdict){ .kind = s->verdict, .rule = "policy test/rule", .ask = s->ask };
	return CS_OK;
}

static bool sim_open(void *ctx, const cs_run *r, const cs_function *fn, const cs_call *c, const char **ret_word)
{
	(void)r, (void)fn, (void)c;
	const sim *s = ctx;
	*ret_word = s->shut ? "hold" : NULL;
	return !s->shut;
}

static json_t *sim_fixture(void *ctx, const cs_run *r, const cs_function *fn, json_t *args)
{
	(void)ctx, (void)r, (void)fn, (void)args;
	return NULL;
}

static void sim_key(void *ctx, const char *text, char out[CS_HEX_SIZE])
{
	(void)ctx;
	uint8_t hash[CS_HASH_LEN];
	cs_hash(text, strlen(text), hash);
	cs_hex(hash, sizeof hash, out);
}

static void sim_todo(void *ctx, const cs_todo *t)
{
	sim *s = ctx;
	assert_int_equal(t->kind, CS_TODO_DISPATCH);       /* the flows of these tests need no jq */
	s->dispatched++;
	s->task = t->task;
}

/* ---- the run ------------------------------------------------------------------------------------------ */

static void add_function(sim *s, const json_t *connector, const char *name)
{
	cs_diags d;
	cs_diags_init(&d);
	if (cs_function_operation(connector, name, NULL, &d, &s->functions[s->n_functions]) != CS_OK)
		fail_msg("%s: %s", name, d.n > 0 ? d.items[0].message : "?");
	s->n_functions++;
	cs_diags_fini(&d);
}

static bool callable(void *ctx, const char *name)
{
	return sim_function(ctx, NULL, name) != NULL;
}

static void load_flow(sim *s, const char *use, const char *body)
{
	CS_AUTOFREE char *text = cs_xasprintf("{'document':{'dsl':'1.0.3','namespace':'test','name':'t','version':'1.0.0'},'use':%s,'do':[%s]}", use, body);
	CS_AUTOJSON json_t *doc = json_quoted(text);
	cs_diags d;
	cs_diags_init(&d);
	if (cs_flow_new(doc, NULL, callable, s, &d, &s->flow) != CS_OK)
		fail_msg("%s: %s", text, d.n > 0 ? d.items[0].message : "?");
	cs_diags_fini(&d);
}

static void begin(sim *s, const char *use, const char *flow, const char *input, cs_verdict_kind verdict, int64_t grace_ms, int64_t expire_ms);

void sim_new(sim *s, const char *flow, const char *input)
{
	sim_begin(s, flow, input, CS_VERDICT_ALLOW, 0, 0);
}

void sim_new_using(sim *s, const char *use, const char *flow, const char *input)
{
	begin(s, use, flow, input, CS_VERDICT_ALLOW, 0, 0);
}

void sim_begin(sim *s, const char *flow, const char *input, cs_verdict_kind verdict, int64_t grace_ms, int64_t expire_ms)
{
	begin(s, "{}", flow, input, verdict, grace_ms, expire_ms);
}

static void begin(sim *s, const char *use, const char *flow, const char *input, cs_verdict_kind verdict, int64_t grace_ms, int64_t expire_ms)
{
	static const char *const names[SIM_FUNCTIONS] = { "mail", "bill", "look", "pay", "make", "find" };
	*s = (sim){ .log = json_array(), .step = { .now = 1000000, .ctx = s, .append = sim_append, .new_id = sim_id,
		.function = sim_function, .verdict = sim_verdict, .open = sim_open, .fixture = sim_fixture, .key = sim_key,
		.todo = sim_todo, .epoch = 1, .workspace_mode = "live", .grace_ms = grace_ms, .expire_ms = expire_ms }, .verdict = verdict };
	CS_AUTOJSON json_t *connector = json_quoted(connector_text);
	for (size_t i = 0; i < SIM_FUNCTIONS; i++)
		add_function(s, connector, names[i]);
	load_flow(s, use, flow);
	s->run = cs_run_new(RUN_ID, s->flow);
	CS_AUTOJSON json_t *in = json_quoted(input);
	CS_AUTOJSON json_t *created = json_pack("{s:s, s:s, s:s, s:s, s:O}", "flow", "test/t", "name", "t", "version", "1.0.0",
						"definition", s->flow->hash, "input", in);
	cs_err err = { 0 };
	if (cs_run_begin(s->run, &s->step, created, &err) != CS_OK)
		fail_msg("%s", err.msg);
	sim_step(s);
}

void sim_free(sim *s)
{
	cs_run_free(s->run);
	cs_flow_unref(s->flow);
	for (size_t i = 0; i < s->n_functions; i++)
		cs_function_free(s->functions[i]);
	json_decref(s->log);
}

void sim_step(sim *s)
{
	bool more = true;
	cs_err err = { 0 };
	for (int i = 0; more; i++) {
		if (cs_run_step(s->run, &s->step, &more, &err) != CS_OK)
			fail_msg("%s", err.msg);
		assert_true(i < 1000);
	}
}

void sim_at(sim *s, int64_t now)
{
	s->step.now = now;
	sim_step(s);
}

static void end_attempt(sim *s, int task, cs_outcome *o)
{
	cs_err err = { 0 };
	if (cs_run_outcome(s->run, &s->step, task, o, &err) != CS_OK)
		fail_msg("%s", err.msg);
}

void sim_outcome(sim *s, cs_outcome_kind kind, const char *result)
{
	cs_outcome *o = NULL;
	if (kind == CS_OUTCOME_DONE) {
		o = cs_outcome_new(kind);
		o->result = json_quoted(result);
	} else {
		o = cs_outcome_failed(kind, CS_ERROR_COMMUNICATION, 503, "as the test wants", "%s", "");
	}
	end_attempt(s, s->task, o);
	sim_step(s);
}

static void fold_log(sim *s)
{
	size_t i;
	json_t *row;
	cs_err err = { 0 };
	json_array_foreach(s->log, i, row) {
		cs_event ev = {
			.seq = cs_json_int_or(row, "seq", 0), .at = cs_json_int_or(row, "at", 0), .run = RUN_ID,
			.task = cs_json_str(row, "task"), .occurrence = (int)cs_json_int_or(row, "occurrence", 0),
			.type = cs_json_str(row, "type"), .actor = cs_json_str(row, "actor"),
			.cause = cs_json_int_or(row, "cause", 0), .simulated = cs_json_true(row, "simulated"),
			.data = json_object_get(row, "data"),
		};
		if (cs_run_fold(s->run, &ev, &err) != CS_OK)
			fail_msg("%s", err.msg);
	}
}

void sim_crash(sim *s)
{
	cs_run_free(s->run);
	s->run = cs_run_new(RUN_ID, s->flow);
	fold_log(s);
	for (int i = 0; i < s->flow->n_tasks; i++)
		if (s->run->live[i] != NULL && s->run->live[i]->call != NULL && s->run->live[i]->call->phase == CS_CALL_INTENT)
			end_attempt(s, i, NULL);
	sim_step(s);
}

/* ---- the operator ---------------------------------------------------------------------------------------- */

int sim_decide(sim *s, const char *decision)
{
	const cs_item *item = sim_item(s);
	assert_non_null(item);
	char id[CS_ID_SIZE], next[CS_ID_SIZE];
	memcpy(id, item->id, sizeof id);
	CS_AUTOJSON json_t *d = json_quoted(decision);
	cs_err err = { 0 };
	s->step.actor = "operator:test";
	int rc = cs_run_decide(s->run, &s->step, id, d, next, &err);
	s->step.actor = NULL;
	sim_step(s);
	return rc;
}

int sim_control(sim *s, const char *verb)
{
	cs_err err = { 0 };
	int rc = cs_run_control(s->run, &s->step, verb, NULL, &err);
	sim_step(s);
	return rc;
}

/* ---- what there is ------------------------------------------------------------------------------------------ */

int sim_count(const sim *s, const char *type)
{
	size_t i;
	json_t *row;
	int n = 0;
	json_array_foreach(s->log, i, row)
		n += strcmp(cs_json_str(row, "type"), type) == 0;
	return n;
}

const char *sim_text(const sim *s, const char *type, const char *name)
{
	for (size_t i = json_array_size(s->log); i-- > 0;) {
		const json_t *row = json_array_get(s->log, i);
		if (strcmp(cs_json_str(row, "type"), type) == 0)
			return cs_json_str_or(json_object_get(row, "data"), name, "");
	}
	return "";
}

const char *sim_state(const sim *s)
{
	return cs_run_state_name(s->run->state);
}

const cs_item *sim_item(const sim *s)
{
	return s->run->n_items > 0 ? s->run->items[s->run->n_items - 1] : NULL;
}

const cs_call *sim_call(const sim *s)
{
	for (int i = 0; i < s->flow->n_tasks; i++)
		if (s->run->live[i] != NULL && s->run->live[i]->call != NULL)
			return s->run->live[i]->call;
	return NULL;
}
