/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an item asks, settled when it is published: the dates of its expiry, reminders and escalations
 * stand in its event, so that a change of the settings or a restart moves none of them. And what it
 * leads to when it is not accepted. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/fold.h"
#include "flow/ask.h"

/* Where a setting may stand, the nearest first. */
struct said {
	const json_t *own, *rule, *workspace;
};

static json_t *setting(const struct said *said, const char *name)
{
	const json_t *const places[] = { said->own, said->rule, said->workspace };
	for (size_t i = 0; i < CS_ARRAY_LEN(places); i++)
		if (json_object_get(places[i], name) != NULL)
			return json_object_get(places[i], name);
	return NULL;
}

static int64_t later(int64_t now, int64_t ms)
{
	int64_t at;
	return __builtin_add_overflow(now, ms, &at) ? INT64_MAX : at;
}

/* 0: it does not expire. */
static int expiry(const cs_step *s, const struct said *said, int64_t *ret, cs_err *why)
{
	json_t *text = json_object_get(said->own, "expire");
	int64_t ms = s->expire_ms;
	if (text == NULL)
		text = json_object_get(said->rule, "expire");
	if (text != NULL && cs_duration_value(text, &ms, NULL) != CS_OK)
		return cs_err_set(why, CS_EINVAL, "'expire' is not a duration like PT12H");
	*ret = ms > 0 ? later(s->now, ms) : 0;
	return CS_OK;
}

static int by_date(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* [ms, …] in order. A part of the time until an expiry that there is not reminds of nothing. */
static int reminders(const cs_step *s, const json_t *list, int64_t until, json_t **ret, cs_err *why)
{
	int64_t dates[CS_ASK_REMINDERS];
	size_t i, n = 0;
	json_t *v;
	if (list != NULL && (!json_is_array(list) || json_array_size(list) > CS_ASK_REMINDERS))
		return cs_err_set(why, CS_EINVAL, "'remind' is a list of at most %d", CS_ASK_REMINDERS);
	json_array_foreach(list, i, v) {
		unsigned percent;
		int64_t ms;
		int rc = cs_ask_reminder(v, &percent, &ms, why);
		if (rc != CS_OK)
			return rc;
		if (percent > 0 && until == 0)
			continue;
		dates[n++] = percent > 0 ? s->now + (until - s->now) / 100 * percent : later(s->now, ms);
	}
	qsort(dates, n, sizeof dates[0], by_date);
	json_t *all = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(all, json_integer(dates[i]));
	*ret = all;
	return CS_OK;
}

/* ONE into ALL, behind those that come before it. */
static void insert(json_t *all, json_t *one)
{
	size_t i = 0;
	while (i < json_array_size(all) && cs_json_int_or(json_array_get(all, i), "at", 0) <= cs_json_int_or(one, "at", 0))
		i++;
	json_array_insert_new(all, i, one);
}

/* [{at, to}, …] in order; AT_EXPIRY: with the expiry as one of them, 0: not. */
static int escalations(const cs_step *s, const json_t *list, int64_t at_expiry, json_t **ret, cs_err *why)
{
	CS_AUTOJSON json_t *all = json_array();
	size_t i;
	json_t *v;
	if (list != NULL && (!json_is_array(list) || json_array_size(list) > CS_ASK_ESCALATIONS))
		return cs_err_set(why, CS_EINVAL, "'escalate' is a list of at most %d", CS_ASK_ESCALATIONS);
	json_array_foreach(list, i, v) {
		int64_t ms;
		int rc = cs_ask_escalation(v, &ms, why);
		if (rc != CS_OK)
			return rc;
		json_t *one = json_pack("{s:I}", "at", (json_int_t)later(s->now, ms));
		if (json_object_get(v, "to") != NULL)
			json_object_set(one, "to", json_object_get(v, "to"));
		insert(all, one);
	}
	if (at_expiry > 0)
		insert(all, json_pack("{s:I, s:b}", "at", (json_int_t)at_expiry, "expiry", 1));
	*ret = CS_STEAL(all);
	return CS_OK;
}

static void put_list(json_t *data, const char *name, json_t *list)
{
	if (json_array_size(list) > 0)
		json_object_set(data, name, list);
}

static int add_dates(const cs_step *s, const struct said *said, json_t *data, cs_err *why)
{
	CS_AUTOJSON json_t *remind = NULL, *escalate = NULL;
	int64_t expires = 0;
	const char *on_expiry = json_string_value(setting(said, "on-expiry"));
	bool escalates = on_expiry != NULL && strcmp(on_expiry, "escalate") == 0;
	int rc = expiry(s, said, &expires, why);
	if (rc == CS_OK)
		rc = reminders(s, setting(said, "remind"), expires, &remind, why);
	if (rc == CS_OK)
		rc = escalations(s, setting(said, "escalate"), escalates ? expires : 0, &escalate, why);
	if (rc != CS_OK)
		return rc;
	if (expires > 0 && !escalates)
		json_object_set_new(data, "expires", json_integer(expires));
	put_list(data, "remind", remind);
	put_list(data, "escalate", escalate);
	json_object_set_new(data, "grace", json_integer(s->grace_ms));
	return CS_OK;
}

static json_t *without(const json_t *words, const char *word)
{
	json_t *list = json_array(), *v;
	size_t i;
	json_array_foreach(words, i, v)
		if (strcmp(json_string_value(v) != NULL ? json_string_value(v) : "", word) != 0)
			json_array_append(list, v);
	return list;
}

/* The answers that are possible, and where one leads that goes back. */
static int add_answers(const cs_run *r, const cs_frame *f, const struct said *said, const char *const *usual, json_t *data, cs_err *why)
{
	json_t *allow = setting(said, "allow"), *own = json_object_get(said->own, "rounds");
	const int back = cs_frame_reverses(f) ? -1 : f->task->ask_back;
	if (allow != NULL && json_array_size(allow) == 0)
		return cs_err_set(why, CS_EINVAL, "'allow' names no answer");
	CS_AUTOJSON json_t *words = allow != NULL ? json_incref(allow) : json_array();
	for (; allow == NULL && *usual != NULL; usual++)
		json_array_append_new(words, json_string(*usual));
	if (allow == NULL && back >= 0)
		json_array_append_new(words, json_string("respond"));
	/* What was begun goes under its key with the content that it began with. */
	CS_AUTOJSON json_t *fixed = f->call->tries > 0 ? without(words, "edit") : json_incref(words);
	json_object_set(data, "allow", fixed);
	if (back < 0)
		return CS_OK;
	json_object_set_new(data, "back", json_string(r->flow->tasks[back].name));
	json_object_set_new(data, "round", json_integer(cs_json_int_or(cs_frame_siblings(f->parent)->rounds, f->task->name, 0) + 1));
	if (own != NULL)
		json_object_set(data, "rounds", own);
	return CS_OK;
}

static void add_outcome(json_t *data, const char *as, const json_t *word)
{
	if (json_is_string(word) && strcmp(json_string_value(word), "raise") != 0 && strcmp(json_string_value(word), "escalate") != 0)
		json_object_set(data, as, (json_t *)(uintptr_t)word);
}

int cs_asking_gate(cs_run *r, cs_step *s, cs_frame *f, const json_t *rule, json_t *data, cs_err *why)
{
	static const char *const usual[] = { "accept", "edit", "reject", NULL };
	/* What a task says of its gate is not said of the gate of what takes it back. */
	const bool reverses = cs_frame_reverses(f);
	const struct said said = { .own = reverses ? NULL : json_object_get(f->task->metadata, "ask"), .rule = rule, .workspace = s->approvals };
	int rc = add_dates(s, &said, data, why);
	if (rc == CS_OK)
		rc = add_answers(r, f, &said, usual, data, why);
	if (rc != CS_OK)
		return rc;
	if (!reverses) {
		add_outcome(data, "on_reject", setting(&said, "on-reject"));
		add_outcome(data, "on_expiry", setting(&said, "on-expiry"));
	}
	if (setting(&said, "runbook") != NULL)
		json_object_set(data, "runbook", setting(&said, "runbook"));
	return CS_OK;
}

int cs_asking_decision(cs_run *r, cs_step *s, cs_frame *f, bool question, json_t *data, cs_err *why)
{
	static const char *const decision[] = { "accept", "reject", NULL };
	static const char *const answer[] = { "respond", NULL };
	const struct said said = { .own = f->call->args, .workspace = s->approvals };
	int rc = add_dates(s, &said, data, why);
	return rc != CS_OK ? rc : add_answers(r, f, &said, question ? answer : decision, data, why);
}

/* ---- what it leads to -------------------------------------------------------------------------------------- */

static const char *const turns[] = { [CS_WAY_NONE] = "", [CS_WAY_BACK] = "back", [CS_WAY_CONTINUE] = "continue", [CS_WAY_END] = "end" };

const char *cs_way_name(cs_way turn)
{
	return turns[turn];
}

cs_way cs_way_find(const char *word)
{
	for (size_t i = 1; word != NULL && i < CS_ARRAY_LEN(turns); i++)
		if (strcmp(turns[i], word) == 0)
			return (cs_way)i;
	return CS_WAY_NONE;
}

/* An answer goes back while there are rounds left; after them it is a rejection. */
static bool goes_back(const json_t *published)
{
	return json_object_get(published, "back") != NULL &&
	       cs_json_int_or(published, "round", 1) <= cs_json_int_or(published, "rounds", INT64_MAX);
}

cs_way cs_asking_turn(const json_t *published, const char **decision)
{
	bool answered = strcmp(*decision, "answered") == 0;
	if (answered && goes_back(published))
		return CS_WAY_BACK;
	if (answered && json_object_get(published, "back") != NULL)
		*decision = "rejected";
	if (strcmp(*decision, "expired") == 0)
		return cs_way_find(cs_json_str(published, "on_expiry"));
	return strcmp(*decision, "accepted") == 0 ? CS_WAY_NONE : cs_way_find(cs_json_str(published, "on_reject"));
}

/* Its output is what was decided, whatever its output.as: nothing was called that could be read. */
int cs_step_turn(cs_run *r, cs_step *s, cs_frame *f, cs_err *err)
{
	const cs_call *c = f->call;
	bool back = c->turn == CS_WAY_BACK;
	json_t *data = json_pack("{s:O}", back ? "output" : "outcome", c->result);
	if (c->result_tainted)
		json_object_set_new(data, "tainted", json_true());
	if (c->turn != CS_WAY_CONTINUE)
		json_object_set_new(data, "then", json_integer(back ? f->task->ask_back : CS_THEN_END));
	if (back)
		json_object_set_new(data, "back", json_string(r->flow->tasks[f->task->ask_back].name));
	return cs_run_write(r, s, back ? "task.completed" : "task.skipped", f->task, f->occurrence, data, err);
}

/* ---- reminders and escalations -------------------------------------------------------------------------------- */

static const json_t *next_escalation(const cs_item *item)
{
	return json_array_get(json_object_get(item->published, "escalate"), item->level);
}

static int escalate(cs_run *r, cs_step *s, cs_frame *f, const cs_item *item, const json_t *one, cs_err *err)
{
	json_t *data = json_pack("{s:s, s:i}", "item", item->id, "level", (int)item->level + 1);
	static const char *const carried[] = { "to", "expiry" };
	for (size_t i = 0; i < CS_ARRAY_LEN(carried); i++)
		if (json_object_get(one, carried[i]) != NULL)
			json_object_set(data, carried[i], json_object_get(one, carried[i]));
	return cs_run_write(r, s, "approval.escalated", f->task, f->occurrence, data, err);
}

int cs_step_call_out(cs_run *r, cs_step *s, cs_frame *f, const cs_item *item, cs_err *err)
{
	const json_t *one;
	while ((one = next_escalation(item)) != NULL && cs_json_int_or(one, "at", 0) <= s->now) {
		int rc = escalate(r, s, f, item, one, err);
		if (rc != CS_OK)
			return rc;
	}
	const json_t *dates = json_object_get(item->published, "remind");
	size_t n = item->reminded;
	while (n < json_array_size(dates) && json_integer_value(json_array_get(dates, n)) <= s->now)
		n++;
	if (n == item->reminded || item->snoozed_until > s->now)
		return CS_OK;
	return cs_run_write(r, s, "approval.reminded", f->task, f->occurrence, json_pack("{s:s, s:i}", "item", item->id, "n", (int)n), err);
}

int64_t cs_asking_due(const cs_item *item, int64_t after)
{
	const json_t *one = next_escalation(item), *date = json_array_get(json_object_get(item->published, "remind"), item->reminded);
	int64_t escalation = one != NULL ? cs_json_int_or(one, "at", 0) : 0, reminder = json_integer_value(date);
	if (reminder > 0 && reminder < item->snoozed_until)
		reminder = item->snoozed_until;      /* who put it off is not reminded before */
	if (escalation <= after)
		escalation = 0;
	if (reminder <= after)
		reminder = 0;
	return escalation == 0 || (reminder > 0 && reminder < escalation) ? reminder : escalation;
}
