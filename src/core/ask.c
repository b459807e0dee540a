/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What waits for a person: gates before effects, decisions and questions of a flow, notices. */
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"
#include "flow/ahead.h"

bool cs_item_allows(const cs_item *item, const char *answer)
{
	return cs_json_lists(json_object_get(item->published, "allow"), answer);
}

static void proposal_id(cs_step *s, cs_call *c, char id[CS_ID_SIZE])
{
	if (c->next_item[0] != '\0')
		memcpy(id, c->next_item, CS_ID_SIZE);
	else
		s->new_id(s->ctx, id);
}

static void add_history(cs_call *c, json_t *data)
{
	if (c->previous[0] == '\0')
		return;
	json_object_set_new(data, "previous", json_string(c->previous));
	json_object_set_new(data, "editor", json_string(c->editor != NULL ? c->editor : ""));
}

static void set_copy(json_t *to, const char *as, const json_t *from, const char *name)
{
	json_t *v = json_object_get(from, name);
	if (v != NULL && !json_is_null(v))
		json_object_set(to, as, v);
}

static int raise_invalid(cs_run *r, cs_step *s, cs_frame *f, const char *detail, cs_err *err)
{
	CS_AUTOJSON json_t *error = cs_error_new("validation", detail, f->task->ref);
	return cs_step_raise(r, s, f->task, f->occurrence, error, err);
}

/* ---- gates ------------------------------------------------------------------------------------------------- */

/* What a gate says by the templates of its task and operation; each NULL where there is none. */
typedef struct gate_says {
	json_t *title, *body, *reach;
} gate_says;

static void gate_says_fini(gate_says *g)
{
	json_decref(g->title);
	json_decref(g->body);
	json_decref(g->reach);
}

static int look_at(cs_view_of *v, cs_phase phase, const cs_template *t, json_t *dot, json_t **ret, cs_err *why)
{
	return t == NULL ? CS_OK : cs_look(v, phase, t, dot, ret, why);
}

/* All three are asked for at once, so that one wait for jq is enough. */
static int gate_look(cs_view_of *v, const cs_frame *f, const cs_function *fn, gate_says *ret, cs_err *why)
{
	const struct { cs_phase phase; const cs_template *t; json_t *dot, **ret; } rows[] = {
		{ CS_PHASE_TITLE, cs_frame_reverses(f) ? NULL : f->task->ask_title, f->input, &ret->title },
		{ CS_PHASE_CARD, fn->card, f->call->args, &ret->body },
		{ CS_PHASE_REACH, fn->reach, f->call->args, &ret->reach },
	};
	int rc = CS_OK;
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		int one = look_at(v, rows[i].phase, rows[i].t, rows[i].dot, rows[i].ret, why);
		if (one == CS_EAGAIN || rc == CS_OK)
			rc = one;
	}
	return rc;
}

/* How many of the steps after it a card names. */
#define AHEAD 4

static json_t *gate_card(const cs_run *r, const cs_frame *f, const cs_function *fn, const gate_says *says)
{
	const cs_call *c = f->call;
	json_t *card = json_pack("{s:s, s:s, s:O, s:o}", "will_do", fn->name, "effect", cs_effect_class_name(c->effect),
				 "touches", fn->touches != NULL ? fn->touches : json_null(), "next", cs_flow_ahead(r->flow, f->task, AHEAD));
	const char *identity = cs_json_str(fn->connector_def, "identity");
	if (identity != NULL)
		json_object_set_new(card, "as", json_string(identity));
	if (says->body != NULL)
		json_object_set(card, "body", says->body);
	if (cs_json_str(c->request, "url") != NULL)
		json_object_set_new(card, "to", json_sprintf("%s %s", cs_json_str_or(c->request, "method", ""), cs_json_str_or(c->request, "url", "")));
	if (c->request != NULL)
		json_object_set(card, "request", c->request);
	if (says->reach != NULL)
		json_object_set(card, "reach", says->reach);
	json_object_set_new(card, "reverse", json_string(fn->reverse_call != NULL ? fn->reverse_call : fn->reverse_none ? "none" : "not declared"));
	if (cs_frame_reverses(f))
		json_object_set_new(card, "takes_back", json_string(f->task->call));
	return card;
}

int cs_step_propose(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const cs_verdict *why, cs_err *err)
{
	cs_call *c = f->call;
	cs_view_of v = cs_call_view(r, s, f);
	CS_CLEANUP(gate_says_fini) gate_says says = { 0 };
	cs_err failed = { 0 };
	int rc = gate_look(&v, f, fn, &says, &failed);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK)
		return cs_step_raise_expr(r, s, f->task, f->occurrence, &failed, err);
	if (says.title != NULL && !json_is_string(says.title) && !json_is_null(says.title))
		return raise_invalid(r, s, f, "the 'title' that 'ask' gives the gate must be a text", err);
	char id[CS_ID_SIZE];
	proposal_id(s, c, id);
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:b, s:O, s:s}", "item", id, "kind", "approval", "digest", c->digest,
				 "call", fn->name, "gate", 1, "value", c->args, "proposer", s->actor != NULL ? s->actor : "engine");
	json_object_set_new(data, "title", json_is_string(says.title) ? json_incref(says.title) : json_sprintf(cs_frame_reverses(f) ? "%s takes back in %s" : "%s in %s", fn->name, r->flow->name));
	json_object_set_new(data, "class", json_string(cs_effect_class_name(c->effect)));
	json_object_set_new(data, "function", json_string(fn->hash));
	set_copy(data, "base", fn->connector_def, "url");
	json_object_set_new(data, "card", gate_card(r, f, fn, &says));
	json_object_set_new(data, "rule", json_string(why->rule[0] != '\0' ? why->rule : "edited"));
	json_object_set_new(data, "why", json_string(why->why));
	if (why->hash[0] != '\0')
		json_object_set_new(data, "rule_hash", json_string(why->hash));
	if (c->tainted_args != NULL)
		json_object_set(data, "taint", c->tainted_args);
	rc = cs_asking_gate(r, s, f, why->ask, data, &failed);
	if (rc != CS_OK) {
		json_decref(data);
		return cs_step_raise_expr(r, s, f->task, f->occurrence, &failed, err);
	}
	if (why->confirm_word)
		json_object_set_new(data, "confirm", json_string("approve"));    /* the word to be typed */
	if (c->request != NULL)
		json_object_set(data, "request", c->request);
	add_history(c, data);
	return cs_run_write(r, s, "approval.published", f->task, f->occurrence, data, err);
}

/* ---- decisions, questions, notices ---------------------------------------------------------------------------- */

static int publish_decision(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *err)
{
	cs_call *c = f->call;
	cs_err why = { 0 };
	bool asks = strcmp(fn->name, "ask") == 0;
	char id[CS_ID_SIZE];
	proposal_id(s, c, id);
	(void)cs_call_digest(r, c, fn);
	json_t *show = json_object_get(c->args, "show");
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:b, s:O, s:s}", "item", id, "kind", "approval", "digest", c->digest,
				 "call", fn->name, "gate", 0, "value", show != NULL ? show : json_null(), "proposer",
				 s->actor != NULL ? s->actor : "engine");
	set_copy(data, "title", c->args, "title");
	set_copy(data, "form", c->args, "form");
	set_copy(data, "runbook", c->args, "runbook");
	set_copy(data, "subject", c->args, "subject");
	json_t *card = json_pack("{s:s, s:o}", "will_do", asks ? "answer a question" : "decide", "next", cs_flow_ahead(r->flow, f->task, AHEAD));
	set_copy(card, "summary", c->args, "summary");
	json_object_set_new(data, "card", card);
	json_object_set_new(data, "rule", json_string("flow"));
	if (c->tainted_args != NULL)
		json_object_set(data, "taint", c->tainted_args);
	add_history(c, data);
	if (cs_asking_decision(r, s, f, asks, data, &why) != CS_OK) {
		json_decref(data);
		return raise_invalid(r, s, f, why.msg, err);
	}
	return cs_run_write(r, s, "approval.published", f->task, f->occurrence, data, err);
}

static int publish_notice(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	char id[CS_ID_SIZE];
	s->new_id(s->ctx, id);
	json_t *data = json_pack("{s:s, s:s, s:s}", "item", id, "kind", "notice", "next", "dismiss");
	set_copy(data, "title", f->call->args, "title");
	set_copy(data, "body", f->call->args, "body");
	set_copy(data, "action", f->call->args, "action");
	set_copy(data, "level", f->call->args, "level");
	/* A replay tells nobody: what it would have said stands in its trace, as what the task was given. */
	int rc = CS_OK;
	if (r->shadow)
		json_decref(data);
	else
		rc = cs_run_write(r, s, "item.opened", f->task, f->occurrence, data, err);
	if (rc != CS_OK)
		return rc;
	CS_AUTOJSON json_t *result = json_pack("{s:s}", "notice", id);
	cs_view_of v = cs_call_view(r, s, f);
	return cs_step_finish(&v, f->occurrence, result, false, NULL, err);
}

int cs_step_builtin(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, cs_err *err)
{
	cs_err why = { 0 };
	/* Its arguments go into events, as they are: what an expression made of them is as wrong as what is written so. */
	if (cs_function_builtin_args(fn->name, f->call->args, false, &why) != CS_OK)
		return raise_invalid(r, s, f, why.msg, err);
	if (strcmp(fn->name, "notify") == 0)
		return publish_notice(r, s, f, err);
	if (strcmp(fn->name, "until") == 0)
		return cs_step_until(r, s, f, err);
	if (r->shadow && !r->ask_again && f->call->next_item[0] == '\0') {
		(void)cs_call_digest(r, f->call, fn);
		int rc = cs_step_shadow(r, s, f, err);
		if (rc != CS_ENOTFOUND)
			return rc;
	}
	return publish_decision(r, s, f, fn, err);
}

/* ---- what becomes of an item ------------------------------------------------------------------------------------ */

/* DECISION: what ends it, and with that where it leads; NULL: it is accepted, or asked for anew. */
static int item_event(cs_run *r, cs_step *s, cs_frame *f, const char *type, const cs_item *item, const char *decision, cs_err *err)
{
	json_t *data = json_pack("{s:s, s:s}", "item", item->id, "digest", item->digest);
	cs_way turn = decision != NULL ? cs_asking_turn(item->published, &decision) : CS_WAY_NONE;
	if (decision != NULL)
		json_object_set_new(data, "decision", json_string(decision));
	if (turn != CS_WAY_NONE)
		json_object_set_new(data, "turn", json_string(cs_way_name(turn)));
	return cs_run_write(r, s, type, f->task, f->occurrence, data, err);
}

static int voided(cs_run *r, cs_step *s, cs_frame *f, const cs_item *item, const char *why, const cs_verdict *today, cs_err *err)
{
	CS_AUTOFREE char *text = cs_xasprintf("%s%s%s", why, today->why[0] != '\0' ? ": " : "", today->why);
	json_t *data = json_pack("{s:s, s:s, s:s}", "item", item->id, "digest", item->digest, "why", text);
	if (today->rule[0] != '\0')
		json_object_set_new(data, "rule", json_string(today->rule));
	return cs_run_write(r, s, "approval.voided", f->task, f->occurrence, data, err);
}

/* The grace of an approval is over: it is used up in the transaction of the intent, or stays. */
static int pass_gate(cs_run *r, cs_step *s, cs_frame *f, const cs_item *item, cs_err *err)
{
	const cs_function *fn = cs_call_function(r, s, f);
	cs_verdict today = { 0 };
	cs_err why = { 0 };
	if (fn == NULL)
		return item_event(r, s, f, "approval.voided", item, NULL, err);
	/* First, as it says which secrets are needed: an approval is not used up while the vault is locked. */
	int rc = cs_call_credential(r, s, f, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK)         /* planned anew, where the error is raised */
		return item_event(r, s, f, "approval.voided", item, NULL, err);
	if (!cs_call_open(r, s, f, fn))
		return CS_OK;
	rc = s->verdict(s->ctx, r, f->task, f->call, &today, err);
	if (rc != CS_OK)
		return rc;
	(void)cs_call_digest(r, f->call, fn);
	if (strcmp(f->call->digest, item->digest) != 0)
		return item_event(r, s, f, "approval.voided", item, NULL, err);
	CS_CLEANUP(cs_once_fini) cs_once once = { 0 };
	rc = cs_once_look(r, s, f, fn, &once, &why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK || once.state != CS_ONCE_FREE)   /* planned anew, which takes the consequence */
		return voided(r, s, f, item, "another run was before it under the same business key", &(cs_verdict){ .why = "" }, err);
	char id[CS_ID_SIZE];
	memcpy(id, item->id, sizeof id);
	rc = item_event(r, s, f, "approval.consumed", item, NULL, err);
	return rc != CS_OK ? rc : cs_step_send(r, s, f, id, &today, err);
}

/* Is the function another than the one that was asked about? */
static bool changed(cs_run *r, cs_step *s, cs_frame *f, const cs_item *item)
{
	const cs_function *fn = cs_call_function(r, s, f);
	const char *hash = cs_json_str(item->published, "function"), *base = cs_json_str(item->published, "base");
	const char *today = fn != NULL ? cs_json_str(fn->connector_def, "url") : NULL;
	return fn != NULL && hash != NULL &&
	       (strcmp(hash, fn->hash) != 0 || (base != NULL && today != NULL && strcmp(base, today) != 0));
}

/* Do the rules of today still ask for what waits here? Where they answer otherwise, or want more of
 * the answer, the item is void, and the call is planned anew. *ret_over: it was. What a person
 * has edited or approved is not taken from them by a rule that would now allow it. */
static int ask_rules(cs_run *r, cs_step *s, cs_frame *f, const cs_item *item, bool pending, bool *ret_over, cs_err *err)
{
	cs_verdict today = { 0 };
	if (!cs_json_true(item->published, "gate"))
		return CS_OK;        /* a decision of the flow: no rule asked for it */
	int rc = s->verdict(s->ctx, r, f->task, f->call, &today, err);
	if (rc != CS_OK)
		return rc;
	bool theirs = !pending || json_object_get(item->published, "previous") != NULL ||
		      strcmp(cs_json_str_or(item->published, "rule", ""), "edited") == 0;
	bool word = json_object_get(item->published, "confirm") != NULL;
	const char *why = today.kind == CS_VERDICT_DENY ? "the rules now deny it" :
			  changed(r, s, f, item) ? "the operation has changed" :
			  today.kind == CS_VERDICT_ALLOW && !theirs ? "the rules do not ask for it any more" :
			  today.kind == CS_VERDICT_ASK && pending && today.confirm_word != word ? "the rules now ask for it otherwise" : NULL;
	*ret_over = why != NULL;
	return why != NULL ? voided(r, s, f, item, why, &today, err) : CS_OK;
}

/* The item is over without a yes. What waited behind the gate for another try is over with it, first: its business
 * key is free again. */
static int refuse(cs_run *r, cs_step *s, cs_frame *f, const char *type, const cs_item *item, const char *decision, cs_err *err)
{
	int rc = cs_json_true(item->published, "gate") ? cs_attempt_let_go(r, s, f, "it was not let go before another try; nothing of it has happened", err) : CS_OK;
	return rc != CS_OK ? rc : item_event(r, s, f, type, item, decision, err);
}

/* An approval that came too late to be used is more than an expiry: whoever gave it is told. */
static int expire(cs_run *r, cs_step *s, cs_frame *f, const cs_item *item, cs_err *err)
{
	bool approved = strcmp(item->state, "approved") == 0;
	const char *call = cs_json_str_or(item->published, "call", "the call");
	char id[CS_ID_SIZE];
	CS_AUTOJSON json_t *told = json_pack("{s:s, s:s, s:s, s:o, s:s}", "kind", "notice", "next", "dismiss", "level", "warning", "title",
					     json_sprintf("%s was approved, but expired before it took effect", call),
					     "action", "Nothing was sent. Where it is still wanted, start a run of the flow again.");
	int rc = refuse(r, s, f, "approval.expired", item, "expired", err);
	if (rc != CS_OK || !approved)
		return rc;
	s->new_id(s->ctx, id);
	json_object_set_new(told, "item", json_string(id));
	return cs_run_write(r, s, "item.opened", f->task, f->occurrence, json_incref(told), err);
}

int cs_step_ask(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_item *item = cs_run_item(r, f->call->item);
	f->call->held = NULL;
	if (item == NULL)
		return CS_OK;
	bool expired = item->expires > 0 && item->expires <= s->now;
	bool pending = strcmp(item->state, "pending") == 0;
	bool approved = strcmp(item->state, "approved") == 0;
	bool over = false;
	int rc = pending || approved ? ask_rules(r, s, f, item, pending, &over, err) : CS_OK;
	if (rc != CS_OK || over)
		return rc;
	if (expired && (pending || (approved && item->grace_until <= s->now)))
		return expire(r, s, f, item, err);
	if (pending)
		return cs_step_call_out(r, s, f, item, err);
	if (item->grace_until > s->now)
		return CS_OK;
	if (!approved)
		return refuse(r, s, f, "approval.settled", item, item->state, err);
	if (cs_json_true(item->published, "gate"))
		return pass_gate(r, s, f, item, err);
	return item_event(r, s, f, "approval.consumed", item, NULL, err);
}
