/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a committed intent to a performer, and its outcome back to the mailbox. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mask.h"
#include "flow/secret.h"
#include "engine/leash.h"
#include "engine/outlets.h"

/* One attempt under way: what the performer borrows, and whom to tell. */
typedef struct cs_job {
	cs_door *door;
	const cs_performer *performer;
	cs_effect effect;
	char *task, *key, *call, *credential, *workdir;
	int task_id;
	cs_leash *leash;
	cs_pass pass;                /* asked just before the first byte */
} cs_job;

/* One jq evaluation under way. */
typedef struct cs_evaluation {
	cs_door *door;
	cs_jq_pool *jq;
	cs_todo asked;
	char run[CS_ID_SIZE];
	cs_exprset *exprs;
} cs_evaluation;

const cs_performer *cs_performer_find(const cs_engine *e, const char *kind)
{
	for (size_t i = 0; kind != NULL && i < e->opts.n_performers; i++)
		if (strcmp(e->opts.performers[i].kind, kind) == 0)
			return &e->opts.performers[i];
	return NULL;
}

static void job_free(cs_job *j)
{
	json_decref(j->effect.def);
	json_decref(j->effect.connector);
	json_decref(j->effect.input);
	json_decref(j->effect.rendered);
	if (j->credential != NULL)
		explicit_bzero(j->credential, strlen(j->credential));
	free(j->credential);
	json_decref(j->effect.secrets);
	json_decref(j->effect.policy);
	free(j->task);
	free(j->key);
	free(j->call);
	free(j->workdir);
	cs_pass_fini(&j->pass);
	cs_leash_unref(j->leash);
	cs_door_unref(j->door);
	free(j);
}

/* What was given up sends nothing any more. */
static bool gate(void *job)
{
	cs_job *j = job;
	return !cs_leash_is_cut(j->leash) && cs_pass_gate(&j->pass);
}

static void tell(cs_job *j, cs_outcome *o)
{
	if (!cs_leash_back(j->leash)) {
		cs_outcome_free(o);
		job_free(j);
		return;
	}
	cs_message *m = cs_xcalloc(1, sizeof *m);
	m->kind = CS_MESSAGE_OUTCOME;
	memcpy(m->run, j->effect.run, CS_ID_SIZE);
	m->task = j->task_id;
	m->outcome = o;
	o->held = o->kind == CS_OUTCOME_NOT_SENT && atomic_load(&j->pass.refused);
	m->outlet = CS_STEAL(j->pass.outlet);
	m->target = CS_STEAL(j->pass.target);
	m->probe = j->pass.probe;
	m->leash = CS_STEAL(j->leash);
	cs_door_post(j->door, m);
	job_free(j);
}

static void job_done(void *ctx, cs_outcome *outcome)
{
	tell(ctx, outcome);
}

static void perform(cs_job *j)
{
	cs_err err = { 0 };
	cs_leash_begin(j->leash);
	int rc = j->performer->perform(j->performer->self, &j->effect, job_done, j, &err);
	if (rc < 0)
		tell(j, cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_CONFIGURATION, 0, NULL, "%s", err.msg));
}

static void run_job(void *job)
{
	perform(job);
}

static void drop_job(void *job)
{
	job_free(job);           /* its intent is found at the next start */
}

/* ---- which performer ------------------------------------------------------------------------------------ */

static bool scripted(const cs_engine *e, const cs_run *r, const cs_function *fn)
{
	bool has = e->opts.fixtures.has != NULL && e->opts.fixtures.has(e->opts.fixtures.ctx, fn->name);
	bool pure = cs_function_computes(fn);
	if (r->shadow || r->simulated)
		return has || !pure;
	return cs_step_dry(&e->step, fn);
}

static const cs_performer *choose(const cs_engine *e, const cs_run *r, const cs_function *fn, bool *ret_scripted)
{
	*ret_scripted = scripted(e, r, fn);
	return cs_performer_find(e, *ret_scripted ? "fixture" : fn->performer);
}

/* An agent sees a mask where a stand-in would be: that, too, is nobody's outside. */
static json_t *input_of(cs_engine *e, cs_run *r, const cs_call *c, const cs_function *fn)
{
	const char *name;
	json_t *stand_in;
	cs_swaps masked = { 0 };
	if (fn->kind != CS_FUNCTION_AGENT)
		return json_incref(c->args);
	json_object_foreach((json_t *)(uintptr_t)cs_run_stand_ins(r, &e->step), name, stand_in)
		cs_swaps_add(&masked, json_string_value(stand_in), CS_MASK);
	json_t *input = cs_swaps_json(&masked, c->args);
	cs_swaps_fini(&masked);
	return input;
}

/* What J may take from the vault, where it goes out at all. */
static void grant(cs_engine *e, cs_run *r, cs_frame *f, const cs_function *fn, cs_job *j)
{
	j->effect.secrets = cs_call_needs(r, &e->step, f, fn);
	j->effect.policy = json_incref(f->call->policy);
	j->effect.secret = cs_door_secret;
	j->effect.secret_ctx = j->door;
}

static cs_job *job_new(cs_engine *e, cs_run *r, cs_frame *f, const cs_function *fn, const cs_performer *p, bool simulated)
{
	const cs_call *c = f->call;
	cs_job *j = cs_xcalloc(1, sizeof *j);
	j->door = cs_door_ref(e->door);
	j->performer = p;
	j->task = cs_xstrdup(f->task->ref);
	j->key = cs_xstrdup(c->key);
	j->call = cs_xstrdup(fn->name);
	j->credential = simulated ? NULL : cs_xstrdup(c->credential);
	j->workdir = cs_xstrdup(e->ws->dir);
	j->task_id = f->task->id;
	j->effect = (cs_effect){
		.task = j->task, .key = j->key, .call = j->call, .credential = j->credential, .class = c->effect, .simulated = simulated,
		.def = json_incref(fn->kind == CS_FUNCTION_HTTP || fn->kind == CS_FUNCTION_PROCESS ? c->args : fn->def),
		.connector = fn->connector_def != NULL ? json_incref(fn->connector_def) : NULL,
		.input = input_of(e, r, c, fn), .rendered = c->request != NULL ? json_incref(c->request) : NULL,
		.timeout_ms = fn->timeout_ms, .workdir = j->workdir, .attempt = c->tries,
	};
	cs_pass_init(&j->pass, e, fn, c, simulated);
	if (j->pass.outlet != NULL || (c->effect != CS_EFFECT_PURE && (!simulated || cs_effect_class_sends(c->effect)))) {
		j->effect.gate = gate;
		j->effect.gate_ctx = j;
	}
	memcpy(j->effect.run, r->id, CS_ID_SIZE);
	if (!simulated)
		grant(e, r, f, fn, j);
	return j;
}

static bool in_background(const cs_run *r)
{
	const cs_live *l = r->owner;
	return l != NULL && l->background;
}

static void dispatch(cs_engine *e, const cs_todo *t)
{
	cs_frame *f = t->run->live[t->task];
	const cs_function *fn = e->step.function(e->step.ctx, t->run, f->call->name != NULL ? f->call->name : f->task->call);
	bool simulated = false;
	const cs_performer *p = choose(e, t->run, fn, &simulated);
	cs_job *j = job_new(e, t->run, f, fn, p, simulated);
	e->in_flight++;
	j->leash = cs_leash_new(e, t->run->id, t->task, &j->pass);
	j->leash->timeout_ms = fn->timeout_ms;
	j->leash->on_worker = p != NULL && p->blocking;
	cs_leash_watch(e, j->leash);
	if (p == NULL)
		tell(j, cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_CONFIGURATION, 0, NULL,
					  "%s is of a kind that this version only answers from fixtures; run it in simulate, or make it rules or shell",
					  fn->name));
	else if (p->blocking)
		cs_workers_give(e->agents, j, in_background(t->run));
	else
		perform(j);
}

/* ---- a captured effect's answer: the fixture performer, asked here and now ---------------------------------- */

static void keep_outcome(void *ctx, cs_outcome *o)
{
	*(cs_outcome **)ctx = o;
}

/* As a run would by itself: the same attempt once more, without the wait between. */
static bool tries_again(const cs_function *fn, cs_outcome_kind kind)
{
	if (kind == CS_OUTCOME_AMBIGUOUS)
		return fn->effect != CS_EFFECT_UNSAFE;
	return kind == CS_OUTCOME_TRANSIENT || kind == CS_OUTCOME_NOT_SENT;
}

json_t *cs_dispatch_fixture(cs_engine *e, const cs_run *r, const cs_function *fn, json_t *args)
{
	const cs_performer *p = cs_performer_find(e, "fixture");
	if (p == NULL || e->opts.fixtures.has == NULL || !e->opts.fixtures.has(e->opts.fixtures.ctx, fn->name))
		return NULL;
	cs_effect effect = { .task = "", .key = "", .call = fn->name, .class = fn->effect, .def = fn->def, .input = args,
			     .simulated = true, .workdir = e->ws->dir, .attempt = 1 };
	memcpy(effect.run, r->id, CS_ID_SIZE);
	CS_AUTOOUTCOME cs_outcome *o = NULL;
	do {
		cs_outcome_free(o);
		o = NULL;
		if (p->perform(p->self, &effect, keep_outcome, &o, NULL) < 0 || o == NULL)
			return NULL;
	} while (tries_again(fn, o->kind) && effect.attempt++ < fn->attempts);
	/* In doubt is what nobody can script: what the record says counts. */
	if (o->kind == CS_OUTCOME_AMBIGUOUS && cs_effect_class_sends(fn->effect))
		return NULL;
	if (o->kind == CS_OUTCOME_DONE)
		return json_pack("{s:O}", "result", o->result);
	return json_pack("{s:O}", "error", o->error);
}

/* ---- jq --------------------------------------------------------------------------------------------------------- */

static void evaluation_free(cs_evaluation *v)
{
	json_decref(v->asked.dot);
	json_decref(v->asked.vars);
	cs_exprset_unref(v->exprs);
	cs_door_unref(v->door);
	free(v);
}

static void drop_evaluation(void *job)
{
	evaluation_free(job);
}

static void run_evaluation(void *job)
{
	cs_evaluation *v = job;
	cs_message *m = cs_xcalloc(1, sizeof *m);
	cs_err err = { 0 };
	m->kind = CS_MESSAGE_ANSWER;
	memcpy(m->run, v->run, CS_ID_SIZE);
	m->asked = v->asked;
	int rc = cs_jq_pool_eval(v->jq, v->exprs, v->asked.expr, v->asked.dot, v->asked.vars, &m->value, &err);
	if (rc != CS_OK)
		m->failure = cs_xstrdup(err.msg);
	m->unasked = rc == CS_EUNAVAIL;
	m->asked.dot = NULL;
	m->asked.vars = NULL;
	cs_door_post(v->door, m);
	evaluation_free(v);
}

/* The set that an expression belongs to: the flow's, or a function's. */
static cs_exprset *set_of(cs_engine *e, const cs_todo *t)
{
	static const bool of_functions[] = {
		[CS_PHASE_CARD] = true, [CS_PHASE_REACH] = true, [CS_PHASE_REQUEST] = true, [CS_PHASE_FAILS] = true, [CS_PHASE_RESULT] = true,
		[CS_PHASE_REVERSE] = true, [CS_PHASE_ONCE] = true, [CS_PHASE_PROBE] = true, [CS_PHASE_FOUND] = true,
	};
	bool of_function = (size_t)t->phase < CS_ARRAY_LEN(of_functions) && of_functions[t->phase];
	if (!of_function)
		return t->run->exprs != NULL ? t->run->exprs : t->run->flow->exprs;
	const cs_task *task = &t->run->flow->tasks[t->task];
	const cs_frame *f = t->run->live[t->task];
	const cs_call *c = f != NULL ? f->call : NULL;
	/* How something is asked about is said by that; how it is taken back, by what did it. */
	if (c != NULL && c->outer != NULL && (t->phase == CS_PHASE_PROBE || t->phase == CS_PHASE_FOUND))
		c = c->outer;
	bool other = t->phase != CS_PHASE_REVERSE && c != NULL && c->name != NULL;
	const cs_function *fn = e->step.function(e->step.ctx, t->run, other ? c->name : task->call);
	return fn->exprs;
}

static void evaluate(cs_engine *e, cs_todo *t)
{
	cs_evaluation *v = cs_xcalloc(1, sizeof *v);
	v->asked = *t;
	v->exprs = cs_exprset_ref(set_of(e, t));
	memcpy(v->run, t->run->id, CS_ID_SIZE);
	v->asked.run = NULL;
	e->evaluating++;
	if (e->jq == NULL) {
		e->jq = cs_jq_pool_new(e->opts.exe, 2, 2000);
		e->evaluators = cs_workers_new(2, &e->opts.jobs, run_evaluation, drop_evaluation);
	}
	v->door = cs_door_ref(e->door);
	v->jq = e->jq;
	cs_workers_give(e->evaluators, v, in_background(t->run));
}

void cs_dispatch_all(cs_engine *e)
{
	if (e->agents == NULL)
		e->agents = cs_workers_new(e->ws->workers, &e->opts.jobs, run_job, drop_job);
	for (size_t i = 0; i < e->n_todos; i++) {
		if (e->todos[i].kind == CS_TODO_JQ)
			evaluate(e, &e->todos[i]);
		else
			dispatch(e, &e->todos[i]);
	}
	e->n_todos = 0;
}
