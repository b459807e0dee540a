/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folds of calls: attempts, and the inbox items that hold them up. */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/fold.h"

static void put_text(char *slot, size_t size, const json_t *data, const char *name)
{
	const char *s = cs_json_str_or(data, name, "");
	if (strlen(s) < size)
		memcpy(slot, s, strlen(s) + 1);
}

static cs_call *call_of(const cs_run *r, const cs_task *t)
{
	cs_frame *f = t != NULL ? r->live[t->id] : NULL;
	return f != NULL ? f->call : NULL;
}

int cs_run_fold_call_started(cs_run *r, cs_frame *f, const cs_event *ev)
{
	(void)r;
	f->call = cs_xcalloc(1, sizeof *f->call);
	f->call->logical = 1;
	cs_json_put(&f->call->args, json_object_get(ev->data, "args"));
	if (f->call->args == NULL)
		f->call->args = json_object();
	cs_json_put(&f->call->tainted_args, json_object_get(ev->data, "tainted_args"));
	f->call->args_tainted = json_array_size(f->call->tainted_args) > 0;
	return CS_OK;
}

/* The call that EV is of: where the frame's is a probe and EV of what it asks about, the probe is over. */
static cs_call *attempt_of(const cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_call *c = call_of(r, t);
	if (c == NULL || c->outer == NULL || strcmp(cs_json_str_or(ev->data, "key", ""), c->outer->key) != 0)
		return c;
	return cs_frame_end_probe(r->live[t->id]);
}

/* Whether it happened is asked: by a call of its own, in the frame of the one that it is about. */
static void begin_probe(cs_frame *f, const cs_event *ev)
{
	cs_call *p = cs_xcalloc(1, sizeof *p);
	p->outer = f->call;
	p->outer->phase = CS_CALL_PROBING;
	p->name = cs_xstrdup(cs_json_str_or(ev->data, "probe", ""));
	p->effect = CS_EFFECT_READ;
	p->logical = 1;
	p->due = cs_json_int_or(ev->data, "due", ev->at);
	p->deadline = cs_json_int_or(ev->data, "deadline", p->due);
	f->call = p;
	cs_frame_forget(f);
}

/* ---- attempts --------------------------------------------------------------------------------------- */

int cs_run_fold_intent(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_frame *f = r->live[t->id];
	cs_call *c = call_of(r, t);
	if (c == NULL)
		return CS_EINTERNAL;
	c->phase = CS_CALL_INTENT;
	c->intent_seq = ev->seq;
	c->dispatched = false;
	c->deadline = cs_json_int_or(ev->data, "deadline", ev->at);
	c->simulated = ev->simulated;
	put_text(c->key, sizeof c->key, ev->data, "key");
	(void)cs_effect_class_parse(cs_json_str_or(ev->data, "class", "unsafe"), &c->effect, NULL);
	put_text(c->digest, sizeof c->digest, ev->data, "digest");
	put_text(c->approval, sizeof c->approval, ev->data, "approval");
	c->tries = (unsigned)cs_json_int_or(ev->data, "n", 1);
	c->logical = (unsigned)cs_json_int_or(ev->data, "logical", 1);
	put_text(c->once, sizeof c->once, ev->data, "once");
	c->once_n = (unsigned)cs_json_int_or(ev->data, "once_n", 0);
	c->awaits = false;
	if (c->tries == 1) {
		c->first_intent_at = ev->at;
		c->spared = 0;
	}
	if (json_object_get(ev->data, "request") != NULL)
		cs_json_put(&c->request, json_object_get(ev->data, "request"));
	if (c->args == NULL)
		cs_json_put(&c->args, json_object_get(ev->data, "input"));
	cs_frame_forget(f);
	return CS_OK;
}

static void settle(cs_run *r, const cs_task *t, cs_call *c, cs_call_phase phase, const cs_event *ev)
{
	c->phase = phase;
	cs_json_put(&c->result, json_object_get(ev->data, "result"));
	if (phase == CS_CALL_DONE && c->result == NULL)
		c->result = json_null();
	cs_json_put(&c->error, json_object_get(ev->data, "error"));
	c->result_tainted = cs_json_true(ev->data, "tainted");
	cs_frame_forget(r->live[t->id]);
}

int cs_run_fold_attempt_done(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_call *c = attempt_of(r, ev, t);
	if (c == NULL)
		return CS_EINTERNAL;
	bool failed = json_object_get(ev->data, "error") != NULL;
	put_text(c->digest, sizeof c->digest, ev->data, "digest");
	settle(r, t, c, failed ? CS_CALL_FAILED : CS_CALL_DONE, ev);
	c->probed = cs_json_true(ev->data, "probed");
	return CS_OK;
}

/* What another run does under the same business key is not over. */
int cs_run_fold_attempt_awaits(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_call *c = call_of(r, t);
	(void)ev;
	if (c == NULL)
		return CS_EINTERNAL;
	c->awaits = true;
	return CS_OK;
}

int cs_run_fold_attempt_failed(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_call *c = attempt_of(r, ev, t);
	if (c == NULL)
		return CS_EINTERNAL;
	settle(r, t, c, CS_CALL_FAILED, ev);
	return CS_OK;
}

int cs_run_fold_attempt_retry(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_call *c = attempt_of(r, ev, t);
	if (c == NULL)
		return CS_EINTERNAL;
	c->phase = CS_CALL_RETRY_WAIT;
	c->due = cs_json_int_or(ev->data, "due", ev->at);
	c->spared += cs_json_true(ev->data, "held");
	if (cs_json_true(ev->data, "absent"))    /* its probe has proved that it did not happen */
		c->ambiguous = false;
	cs_json_put(&c->error, json_object_get(ev->data, "error"));
	return CS_OK;
}

int cs_run_fold_attempt_ambiguous(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_call *c = attempt_of(r, ev, t);
	if (c == NULL)
		return CS_EINTERNAL;
	c->ambiguous = true;
	const char *to = cs_json_str_or(ev->data, "to", "in-doubt");
	if (strcmp(to, "retry-wait") == 0)
		return cs_run_fold_attempt_retry(r, ev, t);
	if (strcmp(to, "failed") == 0)
		return cs_run_fold_attempt_failed(r, ev, t);
	if (strcmp(to, "probing") == 0) {
		cs_json_put(&c->error, json_object_get(ev->data, "error"));
		begin_probe(r->live[t->id], ev);
		return CS_OK;
	}
	c->phase = CS_CALL_IN_DOUBT;
	cs_json_put(&c->error, json_object_get(ev->data, "error"));
	return CS_OK;
}

int cs_run_fold_attempt_resolved(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_call *c = attempt_of(r, ev, t);
	if (c == NULL)
		return CS_EINTERNAL;
	const char *how = cs_json_str_or(ev->data, "how", "");
	if (strcmp(how, "repeat") == 0) {
		c->phase = CS_CALL_PLANNED;
		c->logical++;
		c->cleared = ev->seq > r->copied_seq;
		c->tries = c->spared = 0;
		c->ambiguous = false;
		put_text(c->approval, sizeof c->approval, ev->data, "item");
		return CS_OK;
	}
	settle(r, t, c, strcmp(how, "happened") == 0 ? CS_CALL_DONE : CS_CALL_FAILED, ev);
	return CS_OK;
}

/* A replay takes a decision as it was, without an item: {outcome} or {error}, or a gate passed. */
int cs_run_fold_assumed(cs_run *r, const cs_event *ev, const cs_task *t)
{
	cs_call *c = call_of(r, t);
	if (c == NULL)
		return CS_EINTERNAL;
	c->turn = t->ask_back < 0 && strcmp(cs_json_str_or(ev->data, "turn", ""), "back") == 0 ? CS_WAY_NONE :
		  cs_way_find(cs_json_str(ev->data, "turn"));
	if (json_object_get(ev->data, "result") != NULL)
		settle(r, t, c, CS_CALL_DONE, ev);
	else if (json_object_get(ev->data, "error") != NULL)
		settle(r, t, c, CS_CALL_FAILED, ev);
	return CS_OK;
}

/* ---- items ------------------------------------------------------------------------------------------ */

static void item_over(cs_run *r, cs_item *item)
{
	for (size_t i = 0; i < r->n_items; i++)
		if (r->items[i] == item) {
			r->items[i] = r->items[--r->n_items];
			break;
		}
	json_decref(item->published);
	json_decref(item->decision);
	free(item);
}

static int item_new(cs_run *r, const cs_event *ev, const cs_task *t)
{
	const char *id = cs_json_str_or(ev->data, "item", "");
	if (strlen(id) != CS_ID_LEN || cs_run_item(r, id) != NULL)
		return CS_EINTERNAL;
	cs_item *item = cs_xcalloc(1, sizeof *item);
	memcpy(item->id, id, CS_ID_SIZE);
	item->task = t != NULL ? t->id : -1;
	cs_json_put(&item->published, ev->data);
	item->kind = cs_json_str_or(item->published, "kind", "approval");
	item->state = strcmp(ev->type, "approval.published") == 0 ? "pending" : "open";
	put_text(item->digest, sizeof item->digest, ev->data, "digest");
	item->expires = cs_json_int_or(ev->data, "expires", 0);
	item->published_seq = ev->seq;
	r->items = cs_xrealloc(r->items, (r->n_items + 1) * sizeof(cs_item *));
	r->items[r->n_items++] = item;

	cs_call *c = call_of(r, t);
	if (c == NULL || strcmp(item->kind, "notice") == 0)
		return CS_OK;
	memcpy(c->item, id, CS_ID_SIZE);
	c->next_item[0] = '\0';
	if (strcmp(item->state, "pending") == 0) {
		c->phase = CS_CALL_ASKING;
		/* After a restart nobody plans again: what may be sent is of the class that was asked about. */
		(void)cs_effect_class_parse(cs_json_str_or(ev->data, "class", "unsafe"), &c->effect, NULL);
		memcpy(c->digest, item->digest, sizeof c->digest);
		if (c->args == NULL)
			cs_json_put(&c->args, json_object_get(ev->data, "value"));
		if (json_object_get(ev->data, "request") != NULL)
			cs_json_put(&c->request, json_object_get(ev->data, "request"));
		cs_frame_forget(r->live[t->id]);
	}
	return CS_OK;
}

static void decided(cs_item *item, const cs_event *ev, const char *state)
{
	item->state = state;
	cs_json_put(&item->decision, ev->data);
	item->decided_by = cs_json_str(item->decision, "by");
	item->grace_until = cs_json_int_or(ev->data, "grace_until", ev->at);
	item->decided_seq = ev->seq;
}

json_t *cs_item_outcome(const cs_item *item, const char *decision, int64_t at)
{
	json_t *value = json_object_get(item->decision, "value");
	if (value == NULL)
		value = json_object_get(item->published, "value");
	char when[CS_TIME_SIZE];
	cs_time_format(at, when);
	json_t *by = json_object_get(item->decision, "by");
	json_t *o = json_pack("{s:O, s:O, s:s}", "value", value != NULL ? value : json_null(),
			      "by", by != NULL ? by : json_null(), "at", when);
	if (strcmp(cs_json_str_or(item->published, "call", ""), "ask") == 0) {
		json_object_set_new(o, "answered", json_boolean(strcmp(decision, "answered") == 0));
		return o;
	}
	json_object_set_new(o, "decision", json_string(decision));
	json_t *note = json_object_get(item->decision, "note");
	json_object_set(o, "note", note != NULL ? note : json_null());
	return o;
}

json_t *cs_gate_error(const char *call, const char *error, const char *word, const json_t *decision, const char *ref)
{
	const char *by = cs_json_str(decision, "by");
	const char *note = cs_json_str_or(decision, "note", "");
	CS_AUTOFREE char *detail = cs_xasprintf("The gate of %s was %s%s%s%s%s", call, word, by != NULL ? " by " : "",
						by != NULL ? by : "", note[0] != '\0' ? ": " : ".", note);
	return cs_error_new(error, detail, ref);
}

/* How an item that is over leaves its call: a decision has an outcome, a gate passes or fails. */
static void conclude(cs_run *r, const cs_task *t, cs_item *item, const char *decision,
		     const char *error, const cs_event *ev)
{
	cs_call *c = call_of(r, t);
	if (c == NULL)
		return;
	bool gate = cs_json_true(item->published, "gate");
	c->item[0] = '\0';
	c->turn = cs_way_find(cs_json_str(ev->data, "turn"));
	if (c->turn == CS_WAY_BACK && t->ask_back < 0)
		c->turn = CS_WAY_NONE;
	cs_frame_forget(r->live[t->id]);
	if (!gate || c->turn != CS_WAY_NONE) {
		c->phase = CS_CALL_DONE;
		json_decref(c->result);
		c->result = cs_item_outcome(item, decision, ev->at);
		/* What a person accepted or wrote is clean; what was only shown is what it was. */
		c->result_tainted = strcmp(decision, "accepted") != 0 && json_object_get(item->decision, "value") == NULL &&
				    (gate ? c->args_tainted : cs_json_lists(c->tainted_args, "show"));
		return;
	}
	if (error == NULL)
		return;
	c->phase = CS_CALL_FAILED;
	json_decref(c->error);
	c->error = cs_gate_error(cs_json_str_or(item->published, "call", "the call"), error, decision, item->decision, t->ref);
}

static void back_to_plan(cs_run *r, const cs_task *t)
{
	cs_call *c = call_of(r, t);
	if (c == NULL || c->phase != CS_CALL_ASKING)
		return;
	c->phase = c->tries > 0 ? CS_CALL_RETRY_WAIT : CS_CALL_PLANNED;      /* what was begun is not begun anew */
	c->item[0] = '\0';
	cs_frame_forget(r->live[t->id]);
}

typedef void item_fold(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item);

static void fold_approved(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)r;
	(void)t;
	decided(item, ev, "approved");
}

static void fold_rejected(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)r;
	(void)t;
	decided(item, ev, "rejected");
}

static void fold_answered(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)r;
	(void)t;
	decided(item, ev, "answered");
}

static void fold_undone(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)r;
	(void)t;
	(void)ev;
	item->state = "pending";
	cs_json_put(&item->decision, NULL);
	item->decided_by = NULL;
	item->grace_until = 0;
}

/* The call is planned anew with the edited value; its proposal will have the id that was given. */
static void fold_edited(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	cs_call *c = call_of(r, t);
	json_t *value = json_object_get(ev->data, "value");
	if (c != NULL && cs_json_true(item->published, "gate")) {
		cs_json_put(&c->args, value);
	} else if (c != NULL) {
		json_t *args = json_copy(c->args);
		json_object_set(args, "show", value);
		json_decref(c->args);
		c->args = args;
	}
	if (c != NULL) {
		cs_json_put(&c->request, NULL);
		put_text(c->next_item, sizeof c->next_item, ev->data, "next");
		memcpy(c->previous, item->id, CS_ID_SIZE);
		free(c->editor);
		c->editor = cs_xstrdup(cs_json_str_or(ev->data, "by", ev->actor));
		back_to_plan(r, t);
	}
	item_over(r, item);
}

static void fold_same(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)r;
	(void)t;
	(void)ev;
	(void)item;
}

static void fold_snoozed(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)r;
	(void)t;
	item->snoozed_until = cs_json_int_or(ev->data, "until", 0);
}

static void fold_reminded(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)r;
	(void)t;
	item->reminded = (unsigned)cs_json_int_or(ev->data, "n", item->reminded + 1);
}

/* What is escalated is not put off any more. */
static void fold_escalated(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)r;
	(void)t;
	item->level = (unsigned)cs_json_int_or(ev->data, "level", item->level + 1);
	item->snoozed_until = 0;
}

static void fold_consumed(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	cs_call *c = call_of(r, t);
	if (c != NULL)
		memcpy(c->approval, item->id, CS_ID_SIZE);
	conclude(r, t, item, "accepted", NULL, ev);
	item_over(r, item);
}

static void fold_settled(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	conclude(r, t, item, cs_json_str_or(ev->data, "decision", item->state), "authorization", ev);
	item_over(r, item);
}

static void fold_expired(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	cs_json_put(&item->decision, NULL);
	item->decided_by = NULL;
	conclude(r, t, item, "expired", "timeout", ev);
	item_over(r, item);
}

static void fold_withdrawn(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)ev;
	back_to_plan(r, t);
	item_over(r, item);
}

/* What it says today's connector renders anew. */
static void fold_voided(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	cs_call *c = call_of(r, t);
	if (c != NULL && c->phase == CS_CALL_ASKING && c->tries == 0)
		cs_json_put(&c->request, NULL);
	fold_withdrawn(r, ev, t, item);
}

static void fold_closed(cs_run *r, const cs_event *ev, const cs_task *t, cs_item *item)
{
	(void)ev;
	(void)t;
	item_over(r, item);
}

int cs_run_fold_item(cs_run *r, const cs_event *ev, const cs_task *t)
{
	static const struct {
		const char *type;
		item_fold *fold;
	} folds[] = {
		{ "approval.approved", fold_approved },   { "approval.rejected", fold_rejected },
		{ "approval.answered", fold_answered },   { "approval.undone", fold_undone },
		{ "approval.edited", fold_edited },       { "approval.snoozed", fold_snoozed },
		{ "approval.reminded", fold_reminded },   { "approval.escalated", fold_escalated },
		{ "approval.delegated", fold_same },      { "approval.consumed", fold_consumed },
		{ "approval.settled", fold_settled },     { "approval.expired", fold_expired },
		{ "approval.withdrawn", fold_withdrawn }, { "approval.voided", fold_voided },
		{ "item.closed", fold_closed },
	};
	if (strcmp(ev->type, "approval.published") == 0 || strcmp(ev->type, "item.opened") == 0)
		return item_new(r, ev, t);
	if (strcmp(ev->type, "approval.proposed") == 0 || strcmp(ev->type, "approval.assumed") == 0)
		return CS_OK;
	cs_item *item = cs_run_item(r, cs_json_str_or(ev->data, "item", ""));
	if (item == NULL)
		return CS_EINTERNAL;
	for (size_t i = 0; i < CS_ARRAY_LEN(folds); i++)
		if (strcmp(folds[i].type, ev->type) == 0) {
			folds[i].fold(r, ev, t, item);
			return CS_OK;
		}
	return CS_EINTERNAL;
}
