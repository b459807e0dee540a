/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an attempt ended, by the table of STATES: done, to be tried again under the same key, in
 * doubt, or failed. */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/copied.h"
#include "core/frame.h"

static int64_t backoff(const cs_run *r, const cs_function *fn, unsigned tries, int64_t asked_ms)
{
	static const cs_function unsaid = { 0 };
	if (fn == NULL)
		fn = &unsaid;
	int64_t delay = fn->delay_ms > 0 ? fn->delay_ms : 1000;
	int64_t most = fn->max_delay_ms > 0 ? fn->max_delay_ms : INT64_C(3600000);
	if (fn->backoff == 1)
		delay *= tries;
	for (unsigned i = 1; fn->backoff == 2 && i < tries && delay < most; i++)
		delay *= 2;
	if (delay > most)
		delay = most;
	int64_t spread = delay * (int64_t)fn->jitter_percent / 100;
	if (spread > 0)          /* from what is recorded, so that a seed gives it again */
		delay += (r->last_seq * INT64_C(2654435761) >> 8 & 0xffffff) % spread;
	if (delay > most)
		delay = most;
	return asked_ms > delay ? asked_ms : delay;
}

/* Whose word an outcome is: the role with its version, or the connector. */
static int write_outcome(cs_run *r, cs_step *s, cs_frame *f, const char *type, json_t *data, cs_err *err)
{
	const cs_function *fn = cs_call_function(r, s, f);
	CS_AUTOFREE char *actor = NULL;
	if (fn != NULL && fn->kind == CS_FUNCTION_AGENT)
		actor = cs_xasprintf("agent:%s@%.12s", fn->name, fn->hash);
	else
		actor = cs_xasprintf("connector:%s", fn != NULL && fn->connector != NULL ? fn->connector : cs_call_name(f));
	return cs_run_write_as(r, s, actor, type, f->task, f->occurrence, data, err);
}

/* Tries that reached the other side, or could have. */
static unsigned spent(const cs_call *c)
{
	return c->tries - c->spared;
}

static json_t *base_data(const cs_call *c, const cs_outcome *o, json_t *error)
{
	json_t *data = json_pack("{s:s}", "key", c->key);
	cs_once_say(c, data);
	if (error != NULL)
		json_object_set(data, "error", error);
	if (o != NULL && o->record != NULL)
		json_object_set(data, "record", o->record);
	if (o != NULL && o->cost_micro != 0)
		json_object_set_new(data, "cost", json_integer(o->cost_micro));
	return data;
}

static int done(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_outcome *o, cs_err *err)
{
	json_t *data = base_data(f->call, o, NULL);
	json_object_set(data, "result", o->result != NULL ? o->result : json_null());
	/* What was read outside is untrusted; what an agent made of untrusted bytes is so too. A
	 * receipt for what we sent is not. */
	bool outside = fn != NULL && f->call->effect == CS_EFFECT_READ &&
		       (strcmp(cs_call_performer(fn), "http") == 0 || strcmp(cs_call_performer(fn), "shell") == 0);
	bool carries = fn != NULL && fn->kind == CS_FUNCTION_AGENT && (f->call->args_tainted || f->input_tainted);
	if (outside || carries)
		json_object_set_new(data, "tainted", json_true());
	return write_outcome(r, s, f, "attempt.done", data, err);
}

static int again(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_outcome *o, json_t *error, cs_err *err)
{
	json_t *data = base_data(f->call, o, error);
	json_object_set_new(data, "due", json_integer(s->now + backoff(r, fn, spent(f->call), o != NULL ? o->retry_after_ms : 0)));
	json_object_set_new(data, "n", json_integer((json_int_t)f->call->tries));
	return write_outcome(r, s, f, "attempt.retry", data, err);
}

static int held_back(cs_run *r, cs_step *s, cs_frame *f, cs_outcome *o, json_t *error, cs_err *err)
{
	json_t *data = base_data(f->call, o, error);
	json_object_set_new(data, "due", json_integer(s->now));
	json_object_set_new(data, "n", json_integer((json_int_t)f->call->tries));
	json_object_set_new(data, "held", json_true());
	return write_outcome(r, s, f, "attempt.retry", data, err);
}

static int failed(cs_run *r, cs_step *s, cs_frame *f, cs_outcome *o, json_t *error, cs_err *err)
{
	return write_outcome(r, s, f, "attempt.failed", base_data(f->call, o, error), err);
}

static int open_doubt(cs_run *r, cs_step *s, cs_frame *f, const char *how, json_t *error, cs_err *err)
{
	char id[CS_ID_SIZE];
	s->new_id(s->ctx, id);
	const cs_call *c = f->call;
	json_t *data = json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s}", "item", id, "kind", "in-doubt", "title",
				 json_sprintf("%s: did it happen?", cs_call_name(f)), "next", "resolve", "call", cs_call_name(f),
				 "key", c->key, "digest", c->digest, "how", how);
	json_object_set(data, "value", c->args);
	if (error != NULL)
		json_object_set(data, "error", error);
	json_t *card = json_pack("{s:s}", "will_do", cs_call_name(f));
	if (c->request != NULL) {
		json_object_set_new(card, "to", json_sprintf("%s %s", cs_json_str_or(c->request, "method", ""), cs_json_str_or(c->request, "url", "")));
		json_object_set(card, "request", c->request);
	}
	json_object_set_new(data, "card", card);
	return cs_run_write(r, s, "item.opened", f->task, f->occurrence, data, err);
}

/* Where an ambiguous end leads: pure, read: run again; keyed: the same key while its window lasts;
 * probe: it is asked; else the operator decides. A crash costs no try. FN NULL: nothing is known of it any more. */
static const char *after_ambiguous(const cs_call *c, const cs_function *fn, bool crash, int64_t now)
{
	if (fn == NULL)
		return c->outer != NULL ? "failed" : "in-doubt";
	if (c->effect == CS_EFFECT_PROBE && fn->probe_call != NULL)
		return "probing";
	bool tries = crash || spent(c) < fn->attempts;
	if (c->effect == CS_EFFECT_PURE || c->effect == CS_EFFECT_READ)
		return tries ? "retry-wait" : "failed";
	bool in_window = c->effect == CS_EFFECT_KEYED && now < c->first_intent_at + fn->keyed_window_ms;
	return in_window && tries ? "retry-wait" : "in-doubt";
}

/* Not before the other side has had its time, for what is on its way is not absent; and not for ever. */
static void say_probe(cs_run *r, cs_step *s, const cs_call *c, const cs_function *fn, json_t *data)
{
	const cs_function *asks = s->function(s->ctx, r, fn->probe_call);
	int64_t due = c->deadline > s->now ? c->deadline : s->now;
	json_object_set_new(data, "probe", json_string(fn->probe_call));
	json_object_set_new(data, "due", json_integer(due));
	json_object_set_new(data, "deadline", json_integer(due + (asks != NULL ? asks->timeout_ms * asks->attempts : 0)));
}

static int ambiguous(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_outcome *o, json_t *error, const char *how, cs_err *err)
{
	cs_call *c = f->call;
	cs_effect_class class = fn != NULL ? c->effect : CS_EFFECT_UNSAFE;
	bool crash = o == NULL && c->phase == CS_CALL_INTENT;
	const char *to = cs_copied_doubts(r, c) ? "in-doubt" : after_ambiguous(c, fn, crash, s->now);
	json_t *data = base_data(c, o, error);
	json_object_set_new(data, "how", json_string(how));
	json_object_set_new(data, "class", json_string(cs_effect_class_name(class)));
	json_object_set_new(data, "to", json_string(to));
	if (strcmp(to, "probing") == 0)
		say_probe(r, s, c, fn, data);
	if (strcmp(to, "retry-wait") == 0)
		json_object_set_new(data, "due", json_integer(crash ? s->now : s->now + backoff(r, fn, spent(c), 0)));
	int rc = write_outcome(r, s, f, "attempt.ambiguous", data, err);
	if (rc != CS_OK || strcmp(to, "in-doubt") != 0)
		return rc;
	return open_doubt(r, s, f, how, error, err);
}

/* A breaker that this very end may have opened, or a limit, is no hold: the try is spent. */
static bool on_hold(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn)
{
	return !cs_call_open(r, s, f, fn) && (strcmp(f->call->held, "hold") == 0 || strcmp(f->call->held, "off") == 0);
}

static int ended(cs_run *r, cs_step *s, cs_frame *f, cs_outcome *o, json_t *error, cs_err *err)
{
	const cs_function *fn = cs_call_function(r, s, f);
	const cs_call *c = f->call;
	bool retries = o->kind == CS_OUTCOME_TRANSIENT || o->kind == CS_OUTCOME_NOT_SENT;
	/* Held back before its first byte: it goes when it may, and no try is spent. */
	if (o->kind == CS_OUTCOME_NOT_SENT && fn != NULL && (o->held || on_hold(r, s, f, fn)))
		return held_back(r, s, f, o, error, err);
	if (retries && fn != NULL && spent(c) < fn->attempts)
		return again(r, s, f, fn, o, error, err);
	/* A keyed one that was ambiguous before has perhaps happened: no failure can be stated. */
	if (c->ambiguous && c->effect == CS_EFFECT_KEYED && o->kind != CS_OUTCOME_REJECTED)
		return ambiguous(r, s, f, NULL, o, error, "tries used up", err);
	return failed(r, s, f, o, error, err);
}

int cs_run_outcome(cs_run *r, cs_step *s, int task, cs_outcome *outcome, cs_err *err)
{
	CS_AUTOOUTCOME cs_outcome *o = outcome;
	cs_frame *f = task >= 0 && task < r->flow->n_tasks ? r->live[task] : NULL;
	if (f == NULL || f->call == NULL || f->call->phase != CS_CALL_INTENT)
		return CS_OK;            /* late: that attempt has ended already */
	const cs_function *fn = cs_call_function(r, s, f);
	CS_AUTOJSON json_t *error = NULL;
	if (o == NULL) {
		error = cs_error_new("communication", "the engine stopped before the end of this attempt was known", f->task->ref);
		return ambiguous(r, s, f, fn, NULL, error, "crash", err);
	}
	error = o->error != NULL ? json_incref(o->error) : NULL;
	if (o->kind == CS_OUTCOME_DONE)
		return done(r, s, f, fn, o, err);
	if (o->kind == CS_OUTCOME_AMBIGUOUS)
		return ambiguous(r, s, f, fn, o, error, cs_json_str_or(error, "title", "cut off"), err);
	return ended(r, s, f, o, error, err);
}

/* ---- without another try ------------------------------------------------------------------------------------- */

/* May it have happened, though it waits to be tried again? */
static bool uncertain(const cs_call *c)
{
	return c->ambiguous && cs_effect_class_sends(c->effect);
}

int cs_attempt_doubt(cs_run *r, cs_step *s, cs_frame *f, const char *how, cs_err *err)
{
	CS_AUTOJSON json_t *error = f->call->error != NULL ? json_incref(f->call->error) : NULL;
	return ambiguous(r, s, f, NULL, NULL, error, how, err);
}

int cs_attempt_outlived(cs_run *r, cs_step *s, cs_frame *f, bool *ret_over, cs_err *err)
{
	const cs_call *c = f->call;
	const cs_function *fn = cs_call_function(r, s, f);
	*ret_over = c->effect == CS_EFFECT_KEYED && c->ambiguous && fn != NULL && s->now >= c->first_intent_at + fn->keyed_window_ms;
	return *ret_over ? cs_attempt_doubt(r, s, f, "the window of its key is over", err) : CS_OK;
}

int cs_attempt_let_go(cs_run *r, cs_step *s, cs_frame *f, const char *why, cs_err *err)
{
	if (f->call->tries == 0)
		return CS_OK;
	CS_AUTOJSON json_t *error = cs_error_new("runtime", why, f->task->ref);
	return cs_run_write(r, s, "attempt.failed", f->task, f->occurrence, base_data(f->call, NULL, error), err);
}

int cs_attempt_give_up(cs_run *r, cs_step *s, cs_frame *f, bool *ret_clear, cs_err *err)
{
	if (f->call != NULL && f->call->outer != NULL) {         /* what is asked is awaited like what is open */
		int rc = cs_step_probe(r, s, f, err);
		*ret_clear = rc == CS_OK && f->call->outer == NULL;
		if (rc != CS_OK || !*ret_clear)
			return rc == CS_EAGAIN ? CS_OK : rc;
	}
	if (f->call != NULL && (f->call->phase == CS_CALL_INTENT || f->call->phase == CS_CALL_IN_DOUBT))
		*ret_clear = false;
	if (f->call == NULL)
		return CS_OK;
	if (f->call->phase == CS_CALL_ASKING)
		return cs_attempt_let_go(r, s, f, "it was cancelled before another try; nothing of it has happened", err);
	if (f->call->phase != CS_CALL_RETRY_WAIT)
		return CS_OK;
	if (uncertain(f->call)) {
		*ret_clear = false;
		return cs_attempt_doubt(r, s, f, "cancelled before it was known", err);
	}
	return cs_attempt_let_go(r, s, f, "it was cancelled before another try; nothing of it has happened", err);
}

int cs_attempts_doubt(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	int rc = CS_OK;
	if (f == NULL)
		return CS_OK;
	if (f->call != NULL && f->call->phase == CS_CALL_RETRY_WAIT && uncertain(f->call))
		rc = cs_attempt_doubt(r, s, f, "its run faulted before it was known", err);
	for (int i = 0; rc == CS_OK && f->kids != NULL && i < f->task->n_children; i++)
		rc = cs_attempts_doubt(r, s, f->kids[i], err);
	return rc == CS_OK ? cs_attempts_doubt(r, s, f->child, err) : rc;
}

int cs_copied_ask(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	CS_AUTOJSON json_t *error = cs_error_new("communication", "this workspace is a copy: the other may have sent it already", f->task->ref);
	return ambiguous(r, s, f, cs_call_function(r, s, f), NULL, error, "the other copy may have sent it", err);
}

/* ---- what a probe says ---------------------------------------------------------------------------------------- */

static int absent(cs_run *r, cs_step *s, cs_frame *f, const cs_function *did, cs_err *err)
{
	const cs_call *c = f->call->outer;
	CS_AUTOJSON json_t *error = c->error != NULL ? json_incref(c->error) : NULL;
	json_t *data = base_data(c, NULL, error);
	json_object_set_new(data, "absent", json_true());
	if (did == NULL || spent(c) >= did->attempts)
		return write_outcome(r, s, f, "attempt.failed", data, err);
	json_object_set_new(data, "due", json_integer(s->now + backoff(r, did, spent(c), 0)));
	json_object_set_new(data, "n", json_integer((json_int_t)c->tries));
	return write_outcome(r, s, f, "attempt.retry", data, err);
}

int cs_attempt_probed(cs_run *r, cs_step *s, cs_frame *f, cs_probed how, json_t *result, const char *why, cs_err *err)
{
	const cs_call *c = f->call->outer;
	if (how == CS_PROBED_ABSENT)
		return absent(r, s, f, s->function(s->ctx, r, c->name != NULL ? c->name : f->task->call), err);
	if (how == CS_PROBED_FOUND) {
		json_t *data = base_data(c, NULL, NULL);
		json_object_set(data, "result", result != NULL ? result : json_null());
		json_object_set_new(data, "probed", json_true());
		if (f->call->result_tainted)
			json_object_set_new(data, "tainted", json_true());
		return write_outcome(r, s, f, "attempt.done", data, err);
	}
	CS_AUTOFREE char *text = cs_xasprintf("its probe gave no answer: %s", why != NULL ? why : "unknown");
	CS_AUTOJSON json_t *error = c->error != NULL ? json_incref(c->error) : NULL;
	json_t *data = base_data(c, NULL, error);
	json_object_set_new(data, "how", json_string(text));
	json_object_set_new(data, "class", json_string(cs_effect_class_name(c->effect)));
	json_object_set_new(data, "to", json_string("in-doubt"));
	int rc = write_outcome(r, s, f, "attempt.ambiguous", data, err);
	return rc != CS_OK ? rc : open_doubt(r, s, f, text, error, err);
}
