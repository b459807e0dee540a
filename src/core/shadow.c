/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A replay's calls: what is unchanged is reused, what would leave is captured, decisions are
 * assumed. Nothing is sent, nothing is started. */
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"
#include "core/record.h"

static bool ended(const cs_recorded *rec)
{
	return rec->result != NULL || rec->error != NULL;
}

static bool as_asked(const cs_frame *f, const cs_recorded *rec)
{
	return rec->asked != NULL && strcmp(rec->asked, f->call->digest) == 0;
}

/* The same as what was done, or as what was proposed before a person edited it: that edit is then
 * part of the decision that is reused. */
static bool same_digest(const cs_frame *f, const cs_recorded *rec)
{
	return as_asked(f, rec) || (rec->digest != NULL && strcmp(rec->digest, f->call->digest) == 0);
}

static int stop_here(cs_run *r, cs_step *s, cs_frame *f, const char *name, cs_err *err)
{
	CS_AUTOFREE char *text = cs_xasprintf(
		"the replay stops here: %s would be called with what the record has no answer for; write fixtures/%s.yaml to give one", name, name);
	CS_AUTOJSON json_t *error = cs_error_new("configuration", text, f->task->ref);
	return cs_step_raise(r, s, f->task, f->occurrence, error, err);
}

static int reuse(cs_run *r, cs_step *s, cs_frame *f, const char *type, const char *source, const cs_recorded *rec, cs_err *err)
{
	bool reused = strcmp(type, "attempt.reused") == 0 && rec->digest != NULL;
	json_t *data = json_pack("{s:s, s:s, s:s, s:s}", "digest", reused ? rec->digest : f->call->digest, "call", f->task->call,
				 "source", source, "class", cs_effect_class_name(f->call->effect));
	json_object_set_new(data, "from", json_integer(rec->seq));
	if (rec->error != NULL)
		json_object_set(data, "error", rec->error);
	else
		json_object_set(data, "result", rec->result != NULL ? rec->result : json_null());
	if (rec->tainted)
		json_object_set_new(data, "tainted", json_true());
	if (rec->probed)
		json_object_set_new(data, "probed", json_true());
	if (strcmp(type, "attempt.captured") == 0) {
		json_object_set(data, "input", f->call->args);
		if (f->call->request != NULL)
			json_object_set(data, "request", f->call->request);
	}
	return cs_run_write(r, s, type, f->task, f->occurrence, data, err);
}

/* What a recorded decision gave, as {decision, value, note, by, at}, or for `ask` {answered, …}. */
static json_t *assumed_result(const cs_frame *f, const cs_recorded *rec, const char *word)
{
	json_t *value = json_object_get(rec->decision, "value");
	if (value == NULL && as_asked(f, rec))
		value = rec->edited;
	if (value == NULL)
		value = strcmp(f->task->call, "approve") == 0 || strcmp(f->task->call, "ask") == 0 ? json_object_get(f->call->args, "show") : f->call->args;
	json_t *by = json_object_get(rec->decision, "by");
	json_t *note = json_object_get(rec->decision, "note");
	json_t *result = json_pack("{s:O, s:O, s:O}", "value", value != NULL ? value : json_null(),
				   "by", by != NULL ? by : json_null(), "note", note != NULL ? note : json_null());
	char at[CS_TIME_SIZE];
	cs_time_format(rec->at, at);
	json_object_set_new(result, "at", json_string(at));
	if (strcmp(f->task->call, "ask") == 0)
		json_object_set_new(result, "answered", json_boolean(strcmp(word, "answered") == 0));
	else
		json_object_set_new(result, "decision", json_string(word));
	return result;
}

/* The outcome that a recorded decision had, for `approve` and `ask`, or for a gate that refused; an
 * answer that went back goes where this flow sends it. */
static json_t *assumed_data(cs_frame *f, const cs_recorded *rec, bool gate)
{
	const char *type = cs_json_str_or(rec->decision, "type", "");
	json_t *data = json_pack("{s:s, s:s, s:b}", "item", rec->item != NULL ? rec->item : "", "decided", type,
				 "assumed", !same_digest(f, rec));
	static const struct {
		const char *type, *word, *error;
	} ends[] = {
		{ "approval.approved", "accepted", NULL },
		{ "approval.rejected", "rejected", "authorization" },
		{ "approval.answered", "answered", "authorization" },
		{ "approval.expired", "expired", "timeout" },
	};
	/* All of the decision, so that a replay of this replay knows it too. */
	static const char *const carried[] = { "value", "note", "by" };
	for (size_t i = 0; i < CS_ARRAY_LEN(carried); i++)
		if (json_object_get(rec->decision, carried[i]) != NULL)
			json_object_set(data, carried[i], json_object_get(rec->decision, carried[i]));
	json_object_set_new(data, "digest", json_string(f->call->digest));
	json_object_set_new(data, "at", json_integer(rec->at));
	if (rec->edited != NULL && as_asked(f, rec))
		json_object_set(data, "edited", rec->edited);
	cs_way turn = cs_way_find(rec->turn);
	if (turn == CS_WAY_BACK && f->task->ask_back < 0)
		turn = CS_WAY_NONE;
	for (size_t i = 0; i < CS_ARRAY_LEN(ends); i++) {
		if (strcmp(ends[i].type, type) != 0)
			continue;
		const char *word = rec->word != NULL ? rec->word : ends[i].word;
		json_object_set_new(data, "outcome", json_string(word));
		if (turn != CS_WAY_NONE)
			json_object_set_new(data, "turn", json_string(cs_way_name(turn)));
		if (!gate || turn != CS_WAY_NONE)
			json_object_set_new(data, "result", assumed_result(f, rec, word));
		else if (ends[i].error != NULL)
			json_object_set_new(data, "error", cs_gate_error(f->task->call, ends[i].error, word, rec->decision, f->task->ref));
	}
	return data;
}

/* Not sent: a fixture answers, else the record; what is pure is done here as ever. */
static int capture(cs_run *r, cs_step *s, cs_frame *f, const cs_function *fn, const cs_recorded *rec, cs_err *err)
{
	if (f->call->effect == CS_EFFECT_PURE && cs_function_computes(fn))
		return cs_step_send(r, s, f, NULL, NULL, err);
	CS_AUTOJSON json_t *answer = s->fixture(s->ctx, r, fn, f->call->args);
	if (answer != NULL) {
		cs_recorded given = { .result = json_object_get(answer, "result"), .error = json_object_get(answer, "error") };
		return reuse(r, s, f, "attempt.captured", "fixture", &given, err);
	}
	if (rec != NULL && ended(rec))
		return reuse(r, s, f, "attempt.captured", "record", rec, err);
	return stop_here(r, s, f, fn->name, err);
}

int cs_step_shadow(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_function *fn = cs_call_function(r, s, f);
	cs_recorded rec = { 0 };
	bool known = cs_record_find(r->record, f->task->ref, f->occurrence, &rec) == CS_OK;
	if (fn == NULL)
		return stop_here(r, s, f, f->task->call, err);
	if (fn->kind == CS_FUNCTION_BUILTIN)
		return !known || rec.decision == NULL ? CS_ENOTFOUND :
		       cs_run_write(r, s, "approval.assumed", f->task, f->occurrence, assumed_data(f, &rec, false), err);

	if (known && same_digest(f, &rec) && ended(&rec))
		return reuse(r, s, f, "attempt.reused", "recorded", &rec, err);
	if (known && rec.decision != NULL && !ended(&rec)) {       /* its gate refused; nothing was ever sent */
		CS_AUTOJSON json_t *data = assumed_data(f, &rec, true);
		if (json_object_get(data, "error") != NULL || json_object_get(data, "turn") != NULL)
			return cs_run_write(r, s, "approval.assumed", f->task, f->occurrence, CS_STEAL(data), err);
	}
	return capture(r, s, f, fn, known ? &rec : NULL, err);
}
