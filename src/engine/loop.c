/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The coordinator: takes what has come, steps what is ready, commits the group, and only then lets
 * anything out. One thread, one order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "engine/engine_priv.h"
#include "engine/leash.h"
#include "engine/outlets.h"
#include "engine/parked.h"
#include "engine/schedule.h"
#include "engine/seen.h"
#include "engine/snapshot.h"
#include "engine/starters.h"
#include "engine/turns.h"

enum { GROUP_MESSAGES = 1024, GROUP_RUNS = 2048, GROUP_STEPS = 256, QUIET_STEPS = 4096, QUIET_MS = 50, IDLE_MS = 200, CLOCK_MS = 30000, FOREVER_MS = 1 << 30 };

void cs_message_free(cs_message *m)
{
	if (m == NULL)
		return;
	json_decref(m->request);
	json_decref(m->value);
	cs_outcome_free(m->outcome);
	cs_outlet_unref(m->outlet);
	cs_target_unref(m->target);
	cs_leash_unref(m->leash);
	cs_loaded_free(m->loaded);
	free(m->failure);
	free(m);
}

int cs_engine_post(cs_engine *e, cs_message *m)
{
	bool own = pthread_equal(atomic_load(&e->coordinator), pthread_self());
	if (own ? cs_queue_push_own(e->mailbox, m) : cs_queue_push(e->mailbox, m))
		return CS_OK;
	cs_message_free(m);
	return CS_EUNAVAIL;
}

/* Nothing leaves any more, nothing is written any more; the next start reads what is there (I17). */
void cs_engine_fail(cs_engine *e, const cs_err *why)
{
	pthread_mutex_lock(&e->lock);
	if (e->failure[0] == '\0')
		snprintf(e->failure, sizeof e->failure, "%s", why->msg[0] != '\0' ? why->msg : "unknown error");
	pthread_mutex_unlock(&e->lock);
	atomic_store(&e->failed, true);
}

int cs_engine_append(void *engine, cs_event *ev, cs_err *err)
{
	cs_engine *e = engine;
	int rc = cs_store_append(e->store, ev, err);
	if (rc == CS_OK && strcmp(ev->type, "attempt.intent") == 0 &&
	    strcmp(cs_json_str_or(ev->data, "class", "unsafe"), "unsafe") == 0 && !ev->simulated)
		e->unsafe_intent = true;
	if (rc == CS_OK)
		cs_once_note(e, ev);
	return rc;
}

/* ---- messages ------------------------------------------------------------------------------------------- */

static json_t *reply_of(int rc, json_t *ok, const cs_err *err)
{
	if (rc == CS_OK)
		return json_pack("{s:o}", "ok", ok != NULL ? ok : json_object());
	json_decref(ok);
	return json_pack("{s:{s:s, s:s}}", "error", "code", cs_err_word(rc), "message", err->msg);
}

static void reply_later(cs_engine *e, cs_message *m, json_t *reply)
{
	if (e->n_replies == e->cap_replies) {
		e->cap_replies = e->cap_replies > 0 ? e->cap_replies * 2 : 64;
		e->replies = cs_xrealloc(e->replies, e->cap_replies * sizeof *e->replies);
	}
	e->replies[e->n_replies++] = (cs_pending_reply){ m->done, m->ctx, reply };
	m->done = NULL;
}

static int take_request(cs_engine *e, cs_message *m, cs_err *err)
{
	json_t *ok = NULL;
	cs_err why = { 0 };
	int64_t before = cs_store_last_seq(e->store);
	CS_AUTOFREE char *owner = cs_xasprintf("operator:%s", e->ws->operator_name != NULL ? e->ws->operator_name : "owner");
	const char *actor = cs_json_str_or(m->request, "actor", owner);
	int rc;
	if (strncmp(actor, "operator:", 9) != 0) {   /* a request is a person's; no agent decides by way of the socket */
		rc = cs_err_set(&why, CS_EREFUSED, "a request comes from a person (operator:NAME), not from %.100s", actor);
	} else if (strcmp(cs_json_str_or(m->request, "cmd", ""), "reload") == 0) {
		cs_reload_begin(e, actor, CS_STEAL(m->done), m->ctx);
		return CS_OK;
	} else {
		e->step.actor = actor;
		rc = cs_command(e, m->request, &ok, &why);
		e->step.actor = NULL;
	}
	if (rc != CS_OK && (cs_store_last_seq(e->store) != before || rc == CS_EINTERNAL)) {
		json_decref(ok);
		return cs_err_set(err, CS_EINTERNAL, "half a command was written: %s", why.msg);
	}
	reply_later(e, m, reply_of(rc, ok, &why));
	return CS_OK;
}

static int take_loaded(cs_engine *e, cs_message *m, cs_err *err)
{
	json_t *ok = NULL;
	cs_err why = { 0 };
	int rc = cs_reload_take(e, m->loaded, &ok, &why, err);
	if (rc == CS_OK && m->done != NULL)
		reply_later(e, m, reply_of(why.code, CS_STEAL(ok), &why));
	json_decref(ok);
	return rc;
}

static int take_outcome(cs_engine *e, cs_message *m, cs_live *l, cs_err *err)
{
	cs_breaker_word word = cs_breaker_judge(m->outcome);
	CS_AUTOJSON json_t *error = json_incref(m->outcome->error);
	int rc = CS_OK;
	e->in_flight--;
	cs_leash_end(e, m->leash);
	cs_outlet_back(m->outlet);
	if (l != NULL)
		rc = cs_run_outcome(l->run, &e->step, m->task, CS_STEAL(m->outcome), err);
	return rc != CS_OK ? rc : cs_target_ended(e, m, word, l != NULL ? l->run->last_seq : 0, error, err);
}

static int take_message(cs_engine *e, cs_message *m, cs_err *err)
{
	cs_live *l = m->kind == CS_MESSAGE_OUTCOME || m->kind == CS_MESSAGE_ANSWER ? cs_runs_get(e, m->run) : NULL;
	int rc = CS_OK;
	switch (m->kind) {
	case CS_MESSAGE_REQUEST:
		return take_request(e, m, err);
	case CS_MESSAGE_OUTCOME:
		rc = take_outcome(e, m, l, err);
		break;
	case CS_MESSAGE_ANSWER:
		e->evaluating--;
		if (l != NULL)
			cs_run_answer(l->run, &m->asked, m->value, m->failure, m->unasked);
		else
			cs_starters_answer(e, m);
		break;
	case CS_MESSAGE_CHANGED:
		cs_reload_begin(e, "engine", NULL, NULL);
		return CS_OK;
	case CS_MESSAGE_LOADED:
		return take_loaded(e, m, err);
	case CS_MESSAGE_STOP:
		return CS_OK;
	}
	if (l != NULL)
		cs_runs_ready(e, l);
	return rc;
}

/* ---- the group ------------------------------------------------------------------------------------------- */

/* Who has to mend it must know which run it is. */
static int name_run(const cs_run *r, int rc, cs_err *err)
{
	if (err == NULL || (rc != CS_EINVAL && rc != CS_EREFUSED))
		return rc;
	return cs_err_set(err, rc, "run %s cannot go on: %.400s; look at it (`capstan show %s`), or end it with `capstan cancel %s`", r->id, err->msg, r->id, r->id);
}

static int step_runs(cs_engine *e, size_t *steps, cs_err *err)
{
	cs_live *batch[GROUP_RUNS];
	size_t n = cs_runs_take(e, batch, GROUP_RUNS);
	*steps += n;
	for (size_t i = 0; i < n; i++) {
		cs_live *l = batch[i];
		bool more = false;
		bool over = cs_run_state_terminal(cs_run_state_name(l->run->state));
		l->ready = false;
		int rc = cs_run_step(l->run, &e->step, &more, err);
		if (rc == CS_OK && !over && l->run->state == CS_RUN_COMPLETED)
			rc = cs_schedules_completed(e, l->run, err);
		if (rc != CS_OK)
			return name_run(l->run, rc, err);
		rc = cs_snapshot_note(e, l, err);
		if (rc != CS_OK)
			return rc;
		cs_runs_due(e, l);
		cs_turns_follow(e, l);
		if (more)
			cs_runs_ready(e, l);
		else if (cs_run_state_terminal(cs_run_state_name(l->run->state))) {
			rc = cs_subs_tell(e, l, err);
			if (rc != CS_OK)
				return rc;
			cs_runs_retire(e, l);
		} else {
			if (l->run->state == CS_RUN_STUCK)
				cs_subs_wake(e, l);
			cs_parked_note(e, l);
		}
	}
	return CS_OK;
}

/* A commit is for what goes out, not for each step: as long as nothing is to leave and nobody asks, steps share
 * it. Whoever waits for an answer does not wait for more than GROUP_STEPS of them; who only looks on, not longer
 * than QUIET_MS. */
static bool group_goes_on(cs_engine *e, size_t steps)
{
	if (e->n_todos > 0 || cs_runs_waiting(e) == 0 || cs_queue_length(e->mailbox) > 0)
		return false;
	if (steps < GROUP_STEPS || e->n_replies > 0)
		return steps < GROUP_STEPS;
	return steps < QUIET_STEPS && cs_engine_now(e) - e->step.now < QUIET_MS;
}

/* What a request emitted starts runs first; what a run emitted, in the same commit. */
static int step_all(cs_engine *e, cs_err *err)
{
	size_t steps = 0;
	int rc = cs_starters_step(e, err);
	do {
		if (rc == CS_OK)
			rc = step_runs(e, &steps, err);
		if (rc == CS_OK)
			rc = cs_starters_step(e, err);
	} while (rc == CS_OK && group_goes_on(e, steps));
	return rc;
}

static void after_commit(cs_engine *e)
{
	for (size_t i = 0; i < e->n_replies; i++)
		e->replies[i].done(e->replies[i].ctx, e->replies[i].reply);
	e->n_replies = 0;
	json_object_clear(e->group_keys);
	json_object_clear(e->group_events);
	cs_dispatch_all(e);
	cs_runs_sweep(e);
}

static void tell_watchers(cs_engine *e, int64_t seq)
{
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < CS_WATCHERS; i++)
		if (e->watchers[i].fn != NULL)
			e->watchers[i].fn(e->watchers[i].ctx, seq);
	pthread_mutex_unlock(&e->lock);
}

/* The largest wall time ever committed is a floor: a clock set back fires nothing early and dates
 * nothing before what is in the log. */
static int64_t now_ms(cs_engine *e)
{
	int64_t now = cs_engine_now(e);
	return now > e->step.now ? now : e->step.now;
}

/* What is due by now: runs, schedules, breakers. */
static int fire(cs_engine *e, cs_err *err)
{
	int rc = cs_runs_fire(e, e->step.now, err);
	if (rc == CS_OK)
		rc = cs_schedules_fire(e, e->step.now, err);
	return rc == CS_OK ? cs_outlets_fire(e, err) : rc;
}

/* What the steps of this group have come to wait for, or have left to others. */
static int settle(cs_engine *e, cs_err *err)
{
	int rc = cs_secrets_settle(e, err);
	return rc == CS_OK ? cs_outlets_settle(e, err) : rc;
}

/* Before anything is taken. */
static int prepare(cs_engine *e, cs_err *err)
{
	int rc = cs_clock_look(e, err);
	e->step.now = now_ms(e);
	return rc == CS_OK && !atomic_load(&e->closing) ? cs_runs_return(e, err) : rc;
}

static int group(cs_engine *e, cs_message **messages, size_t n, cs_err *err)
{
	int rc = cs_store_begin(e->store, err);
	e->group_seq = cs_store_last_seq(e->store);
	e->unsafe_intent = false;
	if (rc == CS_OK)
		rc = prepare(e, err);
	for (size_t i = 0; rc == CS_OK && i < n; i++)
		rc = take_message(e, messages[i], err);
	if (rc == CS_OK)
		rc = fire(e, err);
	if (rc == CS_OK && !atomic_load(&e->closing))
		rc = step_all(e, err);
	if (rc == CS_OK)
		rc = settle(e, err);
	if (rc != CS_OK) {
		cs_store_rollback(e->store);
		return rc;
	}
	int64_t last = cs_store_last_seq(e->store);
	if (last == e->group_seq) {
		cs_store_rollback(e->store);
	} else {
		rc = cs_store_commit(e->store, err);
		if (rc == CS_OK && e->unsafe_intent)
			rc = cs_store_anchor(e->store, err);
		if (rc != CS_OK)
			return rc;
		if (e->unsafe_intent)
			cs_seen_note(e);
		tell_watchers(e, last);
	}
	after_commit(e);
	return CS_OK;
}

/* ---- the loop --------------------------------------------------------------------------------------------- */

/* The next clock of a run, a schedule or a connector; wall ms, 0: none. */
static int64_t next_due(cs_engine *e)
{
	const int64_t all[] = { cs_runs_next_due(e), cs_schedules_next_due(e), cs_outlets_next_due(e, false) };
	int64_t next = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(all); i++)
		if (all[i] > 0 && (next == 0 || all[i] < next))
			next = all[i];
	return next;
}

static bool has_steps(const cs_engine *e)
{
	return (cs_runs_waiting(e) > 0 || e->n_unseen > 0 || cs_starters_ready(e)) && !atomic_load(&e->closing);
}

static int wait_ms(cs_engine *e)
{
	if (atomic_load(&e->failed))
		return 20;
	if (has_steps(e))
		return 0;
	int64_t due = next_due(e);
	int64_t wait = e->stop_at > 0 ? 20 : e->idled ? FOREVER_MS : IDLE_MS;
	/* Waiting counts neither a clock that is set nor a machine that sleeps: it is looked at again. */
	if ((due > 0 || atomic_load(&e->clock.held)) && wait > CLOCK_MS)
		wait = CLOCK_MS;
	if (due > 0 && due - cs_engine_now(e) < wait)
		wait = due - cs_engine_now(e);
	wait = cs_leashes_wait_ms(e, wait);
	return wait == FOREVER_MS ? -1 : wait > 0 ? (int)wait : 0;
}

static bool may_end(const cs_engine *e)
{
	if (e->stop_at == 0)
		return false;
	return (e->in_flight == 0 && cs_queue_length(e->mailbox) == 0) || cs_clock_mono_ns() >= e->stop_at;
}

static void refuse_replies(cs_engine *e, cs_message **messages, size_t n)
{
	cs_err why = { 0 };
	cs_engine_failure(e, why.msg, sizeof why.msg);
	for (size_t i = 0; i < e->n_replies; i++) {
		json_decref(e->replies[i].reply);
		e->replies[i].done(e->replies[i].ctx, reply_of(CS_EUNAVAIL, NULL, &why));
	}
	e->n_replies = 0;
	for (size_t i = 0; i < n; i++)
		if (messages[i]->done != NULL)
			messages[i]->done(messages[i]->ctx, reply_of(CS_EUNAVAIL, NULL, &why));
}

static bool has_work(cs_engine *e, size_t n)
{
	int64_t due = next_due(e);
	return n > 0 || cs_clock_moved(e) || has_steps(e) || (due > 0 && due <= cs_engine_now(e));
}

/* True: there was work. */
static bool turn(cs_engine *e, int wait)
{
	cs_message *messages[GROUP_MESSAGES];
	cs_err err = { 0 };
	cs_leashes_look(e);
	size_t n = cs_queue_take(e->mailbox, (void **)messages, GROUP_MESSAGES, wait);
	for (size_t i = 0; i < n; i++)
		if (messages[i]->kind == CS_MESSAGE_STOP)
			e->stop_at = messages[i]->task < 0 ? 1 : cs_clock_mono_ns() + (int64_t)messages[i]->task * 1000000;
	int rc = atomic_load(&e->failed) ? CS_EUNAVAIL : CS_OK;
	bool work = has_work(e, n);
	if (rc == CS_OK)
		rc = work ? group(e, messages, n, &err) : cs_store_idle(e->store, &err);
	e->idled = !work;                    /* checkpointed once; from here on nothing needs a wake-up */
	if (rc != CS_OK) {
		if (err.code != 0) {
			cs_engine_fail(e, &err);
			cs_disk_failed(e, &err);
		}
		refuse_replies(e, messages, n);
		tell_watchers(e, 0);
	}
	for (size_t i = 0; i < n; i++)
		cs_message_free(messages[i]);
	return work;
}

bool cs_engine_turn(cs_engine *e)
{
	atomic_store(&e->coordinator, pthread_self());
	return turn(e, 0);
}

void *cs_engine_loop(void *engine)
{
	cs_engine *e = engine;
	atomic_store(&e->coordinator, pthread_self());
	while (!may_end(e))
		(void)turn(e, wait_ms(e));
	return NULL;
}
