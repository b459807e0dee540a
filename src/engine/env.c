/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a step of a run sees of the engine: the log, ids, functions, rules, gates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "engine/outlets.h"
#include "engine/turns.h"

bool cs_engine_simulated(const cs_engine *e)
{
	return !(e->ws->live_wish && e->live);
}

static void env_new_id(void *ctx, char out[CS_ID_SIZE])
{
	cs_engine *e = ctx;
	cs_id_next(&e->ids, e->step.now, out);
}

/* Roles are the run's own; connectors are always today's. */
static const cs_function *env_function(void *ctx, const cs_run *r, const char *name)
{
	const cs_engine *e = ctx;
	const cs_live *l = r->owner;
	for (size_t i = 0; l != NULL && i < l->bundle->n_roles; i++)
		if (strcmp(l->bundle->roles[i]->name, name) == 0)
			return l->bundle->roles[i];
	return cs_workspace_function(e->ws, name);
}

static bool env_compensates(void *ctx, const cs_run *r)
{
	const cs_engine *e = ctx;
	if (r->awaited)          /* that is for the run that awaits it to say */
		return false;
	for (size_t i = 0; i < e->ws->n_flow_settings; i++)
		if (strcmp(e->ws->flow_settings[i].flow, r->flow->name) == 0)
			return e->ws->flow_settings[i].compensate && !r->shadow;
	return false;
}

static int env_moment(void *ctx, const json_t *with, int64_t now, int64_t *ret, cs_err *why)
{
	const cs_engine *e = ctx;
	if (e->ws->zone == NULL)
		return cs_err_set(why, CS_EUNSUPPORTED, "the time zone %s is not on this machine; install tzdata", e->ws->timezone);
	return cs_until_moment(with, e->ws->hours, e->ws->zone, now, ret, why);
}

static int env_verdict(void *ctx, const cs_run *r, const cs_task *t, const cs_call *c, cs_verdict *ret, cs_err *err)
{
	cs_engine *e = ctx;
	const cs_function *fn = env_function(e, r, c->name != NULL ? c->name : t->call);
	if (fn == NULL)
		return cs_err_set(err, CS_EINTERNAL, "no function %s", t->call);
	cs_policy_query q = { .call = fn->name, .flow = r->flow->name, .agent = fn->kind == CS_FUNCTION_AGENT ? fn->name : NULL,
			      .mode = r->simulated ? "simulate" : "live", .touches = fn->touches, .effect = c->effect,
			      .args = c->args, .tainted = c->tainted_args, .now = e->step.now };
	cs_policy_verdict v = { .why = "" };
	cs_err slow = { 0 };
	if (cs_policy_decide(e->policy, &q, &v, &slow) != CS_OK) {
		v.answer = CS_POLICY_ASK;        /* what cannot be told is asked */
		v.why = "a rule could not be decided";
		snprintf(v.rule, sizeof v.rule, "default/undecided");
	}
	cs_verdict out = { .kind = v.answer == CS_POLICY_ASK ? CS_VERDICT_ASK : v.answer == CS_POLICY_DENY ? CS_VERDICT_DENY : CS_VERDICT_ALLOW,
			   .confirm_word = v.confirm_word, .ask = v.ask };
	snprintf(out.rule, sizeof out.rule, "%s", v.rule);
	snprintf(out.why, sizeof out.why, "%s", v.why);
	snprintf(out.hash, sizeof out.hash, "%s", v.hash);
	if (out.kind == CS_VERDICT_ALLOW && c->effect != CS_EFFECT_PURE && cs_outlet_mode(e, fn) == CS_MODE_HOLD) {
		out.kind = CS_VERDICT_ASK;
		snprintf(out.rule, sizeof out.rule, "connector %.100s/hold", cs_function_outlet(fn));
	}
	*ret = out;
	return CS_OK;
}

/* What is simulated, or made of the input alone, is no byte that leaves; but what would send waits, also where it is simulated. */
static bool stopped_by_hold(const cs_run *r, const cs_function *fn)
{
	return cs_effect_class_sends(fn->effect) || fn->kind == CS_FUNCTION_HTTP || (!r->simulated && fn->effect != CS_EFFECT_PURE);
}

static bool env_open(void *ctx, const cs_run *r, const cs_function *fn, const cs_call *c, const char **ret_word)
{
	cs_engine *e = ctx;
	*ret_word = NULL;
	if (atomic_load(&e->closing) || (atomic_load(&e->hold) && stopped_by_hold(r, fn)))
		*ret_word = "hold";
	else if (!r->simulated && cs_engine_simulated(e) && !cs_function_computes(fn))
		*ret_word = "hold";      /* it began where the workspace was live, which it is not now */
	else if (!r->simulated && !r->shadow && cs_effect_class_sends(c->effect) && !cs_clock_open(e))
		*ret_word = "hold";
	else if (!r->simulated && !r->shadow)
		*ret_word = cs_outlet_held(e, r, fn, c);
	return *ret_word == NULL;
}

static void env_sent(void *ctx, const cs_function *fn, const cs_call *c)
{
	cs_outlet_sent(ctx, fn, c);
}

static cs_mode env_mode(void *ctx, const cs_function *fn)
{
	return cs_outlet_mode(ctx, fn);
}

static json_t *env_fixture(void *ctx, const cs_run *r, const cs_function *fn, json_t *args)
{
	return cs_dispatch_fixture(ctx, r, fn, args);
}

static void env_key(void *ctx, const char *text, char out[CS_HEX_SIZE])
{
	const cs_engine *e = ctx;
	uint8_t mac[CS_HASH_LEN];
	cs_hmac(e->key, sizeof e->key, text, strlen(text), mac);
	cs_hex(mac, sizeof mac, out);
}

static void env_todo(void *ctx, const cs_todo *t)
{
	cs_engine *e = ctx;
	if (e->n_todos == e->cap_todos) {
		e->cap_todos = e->cap_todos > 0 ? e->cap_todos * 2 : 64;
		e->todos = cs_xrealloc(e->todos, e->cap_todos * sizeof *e->todos);
	}
	e->todos[e->n_todos++] = *t;
}

void cs_env_init(cs_engine *e)
{
	e->step = (cs_step){
		.ctx = e, .append = cs_engine_append, .new_id = env_new_id, .function = env_function,
		.verdict = env_verdict, .open = env_open, .mode = env_mode, .sent = env_sent, .fixture = env_fixture, .key = env_key, .todo = env_todo,
		.secret = cs_secrets_look, .once = cs_once_find, .compensates = env_compensates, .moment = env_moment, .fresh = cs_events_fresh, .offer = cs_events_offer,
		.tell = cs_events_tell,
		.may_start = cs_turns_may_start,
		.sub_find = cs_subs_find, .sub_begin = cs_subs_begin, .sub_control = cs_subs_control, .sub_look = cs_subs_look, .sub_reverse = cs_subs_reverse, .sub_reversed = cs_subs_reversed,
		.token = e->token[0] != '\0' ? e->token : NULL,
		.approvals = json_object_get(e->ws->settings, "approvals"), .grace_ms = e->ws->grace_ms, .expire_ms = e->ws->expire_ms, .epoch = e->epoch,
		.now = cs_engine_now(e),
	};
}
