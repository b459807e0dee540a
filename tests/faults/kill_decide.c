/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/kill_decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

/* The same for one name in every life of a seed: what is chosen may not change with a restart. */
static unsigned chance(const kill_operator_at *o, const char *name)
{
	uint64_t h = o->s->seed ^ UINT64_C(1469598103934665603);
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return (unsigned)((h >> 20) % 100);
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = list; p != NULL && *p != '\0'; p += strspn(p, " ")) {
		size_t k = strcspn(p, " ");
		if (k == n && memcmp(p, word, n) == 0)
			return true;
		p += k;
	}
	return false;
}

/* Word N of LIST, the last one where there are fewer. */
static void nth_word(const char *list, int64_t n, char *out, size_t size)
{
	const char *p = list;
	for (; n > 0; n--) {
		const char *next = strchr(p, ' ');
		if (next == NULL)
			break;
		p = next + 1;
	}
	snprintf(out, size, "%.*s", (int)strcspn(p, " "), p);
}

static bool decide(kill_operator_at *o, const char *item, json_t *decision)
{
	CS_AUTOFREE char *verb = cs_xstrdup(cs_json_str_or(decision, "verb", ""));
	CS_AUTOJSON json_t *ok = kill_ask(o, json_pack("{s:s, s:s, s:o}", "cmd", "decide", "item", item, "decision", decision), "decide", item, verb);
	return ok != NULL;
}

/* ---- what is in doubt ---------------------------------------------------------------------------------- */

static bool happened(const kill_shared *s, const char *key)
{
	for (unsigned i = 0; i < atomic_load(&s->entries); i++)
		if (strcmp(s->entry[i].key, key) == 0)
			return !s->entry[i].refused;
	return false;
}

static bool resolve(kill_operator_at *o, const json_t *item)
{
	const char *id = cs_json_str_or(item, "id", "");
	CS_AUTOJSON json_t *rows = kill_rows(o, "SELECT key FROM attempt WHERE run = ?1 AND task = ?2 AND state = 'in-doubt' ORDER BY seq DESC",
					     json_pack("[s, s]", cs_json_str_or(item, "run", ""), cs_json_str_or(item, "task", "")));
	const char *key = cs_json_str(json_array_get(rows, 0), "key");
	if (key == NULL)
		kill_broken(o, "the item %s asks about an effect that is not in doubt", id);
	const char *otherwise = o->k->task_doubt != NULL ? o->k->task_doubt : chance(o, key) < 50 ? "did-not" : "repeat";
	const char *how = happened(o->s, key) ? "happened" : otherwise;
	return decide(o, id, json_pack("{s:s, s:s, s:s, s:s, s:{s:b}}", "verb", "resolve", "how", how, "word", "repeat", "note", "looked at the ledger",
				       "value", "ok", 1));
}

/* ---- what is asked ------------------------------------------------------------------------------------- */

static const kill_answer *answer_for(const kill_operator_at *o, const char *ref)
{
	const char *slash = strrchr(ref, '/');
	for (size_t i = 0; i < KILL_ANSWERS; i++) {
		const kill_answer *a = &o->k->answers[i];
		if (a->how != NULL && (a->task == NULL || strcmp(a->task, slash != NULL ? slash + 1 : ref) == 0))
			return a;
	}
	return NULL;
}

static json_t *quoted(kill_operator_at *o, const char *text)
{
	CS_AUTOFREE char *copy = cs_xstrdup(text);
	json_t *v = NULL;
	for (char *p = strchr(copy, '\''); p != NULL; p = strchr(p, '\''))
		*p = '"';
	if (cs_json_parse(copy, strlen(copy), &v, NULL) != CS_OK)
		kill_broken(o, "the scenario says %s", text);
	return v;
}

/* An edit changes members of what is shown. */
static json_t *edited(kill_operator_at *o, const char *item, const char *change)
{
	CS_AUTOFREE char *like = cs_xasprintf("%%\"item\":\"%s\"%%", item);
	CS_AUTOJSON json_t *rows = kill_rows(o, "SELECT data FROM event WHERE type IN ('approval.published','approval.proposed') AND data LIKE ?1 ORDER BY seq DESC LIMIT 1",
					     json_pack("[s]", like));
	CS_AUTOJSON json_t *more = quoted(o, change);
	const char *text = cs_json_str_or(json_array_get(rows, 0), "data", "{}");
	CS_AUTOJSON json_t *data = NULL;
	if (cs_json_parse(text, strlen(text), &data, NULL) != CS_OK)
		kill_broken(o, "the item %s cannot be read", item);
	json_t *value = json_deep_copy(json_object_get(data, "value"));
	if (value == NULL)
		value = json_object();
	json_object_update(value, more);
	return value;
}

static bool say(kill_operator_at *o, const char *id, const char *verb, const char *value)
{
	json_t *decision = json_pack("{s:s}", "verb", verb);
	if (strcmp(verb, "edit") == 0)
		json_object_set_new(decision, "value", edited(o, id, value));
	else if (strcmp(verb, "respond") == 0)
		json_object_set_new(decision, "value", quoted(o, value));
	else if (strcmp(verb, "snooze") == 0)
		json_object_set_new(decision, "until", json_integer(kill_now_ms(o->s) + 300));
	return decide(o, id, decision);
}

static bool answer(kill_operator_at *o, const json_t *item)
{
	const char *id = cs_json_str_or(item, "id", ""), *state = cs_json_str_or(item, "state", ""), *ref = cs_json_str_or(item, "task", "");
	const kill_answer *a = answer_for(o, ref);
	char word[32], last[32];
	const char *how = a != NULL ? a->how : "approve";
	int64_t said = kill_number(o, "SELECT count(*) AS n FROM event WHERE run = ?1 AND task = ?2 AND actor LIKE 'operator:%' AND type IN ('approval.approved',"
				   "'approval.rejected','approval.answered','approval.edited','approval.undone','approval.snoozed')",
				   json_pack("[s, s]", cs_json_str_or(item, "run", ""), ref));
	nth_word(how, said, word, sizeof word);
	nth_word(how, INT64_MAX, last, sizeof last);
	bool pending = strcmp(state, "pending") == 0;
	if (pending && strcmp(word, "undo") == 0)
		memcpy(word, last, sizeof word);
	if (strcmp(word, "leave") == 0 || (!pending && strcmp(word, "undo") != 0))
		return false;
	return say(o, id, word, a != NULL && a->value != NULL ? a->value : "{}");
}

bool kill_decide(kill_operator_at *o)
{
	CS_AUTOJSON json_t *items = kill_rows(o, "SELECT id, kind, run, task, state FROM item WHERE state IN ('pending','approved','rejected','answered','open') ORDER BY published_seq", NULL);
	bool acted = false;
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item) {
		const char *kind = cs_json_str_or(item, "kind", "");
		if (strcmp(kind, "in-doubt") == 0)
			acted = resolve(o, item) || acted;
		else if (strcmp(cs_json_str_or(item, "state", ""), "open") != 0)
			acted = answer(o, item) || acted;
		else if (strcmp(kind, "fault") != 0 && strcmp(kind, "stuck") != 0)
			acted = decide(o, cs_json_str_or(item, "id", ""), json_pack("{s:s}", "verb", "dismiss")) || acted;
	}
	return acted;
}

/* ---- what is done with runs ---------------------------------------------------------------------------- */

static bool emit(kill_operator_at *o, const char *run, int64_t n)
{
	CS_AUTOFREE char *id = cs_xasprintf("e%lld-%s", (long long)n, run);
	CS_AUTOJSON json_t *ok = kill_ask(o, json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s}}}", "cmd", "emit", "event", "type", "kill.go", "source", "/kill", "id", id, "data",
						       "id", id), "emit", id, "");
	return ok != NULL && !cs_json_true(ok, "existing");
}

static bool hold(kill_operator_at *o, bool on)
{
	CS_AUTOJSON json_t *rows = kill_rows(o, "SELECT value FROM setting WHERE name = 'hold'", NULL);
	bool held = strcmp(cs_json_str_or(json_array_get(rows, 0), "value", "off"), "off") != 0;
	if (held == on)
		return false;
	CS_AUTOJSON json_t *ok = kill_ask(o, json_pack("{s:s, s:b}", "cmd", "hold", "on", on), "hold", "", on ? "on" : "off");
	return ok != NULL;
}

/* By turns: off, live, off … */
static bool set_mode(kill_operator_at *o, const char *mode)
{
	int64_t n = kill_number(o, "SELECT count(*) AS n FROM event WHERE type = 'connector.mode'", NULL);
	if ((n % 2 == 0) != (strcmp(mode, "off") == 0))
		return false;
	CS_AUTOJSON json_t *ok = kill_ask(o, json_pack("{s:s, s:s, s:s}", "cmd", "connector", "name", "outside", "mode", mode), "mode", "", mode);
	return ok != NULL;
}

static bool correct(kill_operator_at *o, const char *run)
{
	CS_AUTOJSON json_t *ok = kill_ask(o, json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}]}", "cmd", "correct", "run", run, "why", "as planned", "set", "in", "with",
						       "path", "s", "value", "right"), "control", run, "correct");
	return ok != NULL;
}

/* What is done to the whole workspace; it is counted over all runs. */
static const struct { const char *verb, *mode; bool hold, on; } wholes[] = {
	{ "hold", NULL, true, true }, { "release", NULL, true, false }, { "off", "off", false, false }, { "live", "live", false, false },
};

static bool act_on_all(kill_operator_at *o, const char *verb, bool *ret_acted, bool dry)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(wholes); i++) {
		if (strcmp(wholes[i].verb, verb) != 0)
			continue;
		if (!dry)
			*ret_acted = wholes[i].hold ? hold(o, wholes[i].on) : set_mode(o, wholes[i].mode);
		return true;
	}
	return false;
}

static bool act(kill_operator_at *o, const kill_act *a, const char *run)
{
	bool acted = false, whole = act_on_all(o, a->verb, &acted, true), replay = strcmp(a->verb, "replay") == 0;
	int64_t n = replay ? kill_number(o, "SELECT count(*) AS n FROM run WHERE parent = ?1", json_pack("[s]", run)) :
		whole ? kill_number(o, "SELECT count(*) AS n FROM event WHERE type = ?1", json_pack("[s]", a->type)) :
		kill_number(o, "SELECT count(*) AS n FROM event WHERE run = ?1 AND type = ?2", json_pack("[s, s]", run, a->type));
	if (n >= a->most)
		return false;
	if (whole) {
		(void)act_on_all(o, a->verb, &acted, false);
		return acted;
	}
	if (strcmp(a->verb, "emit") == 0)
		return emit(o, run, n);
	if (strcmp(a->verb, "correct") == 0)
		return correct(o, run);
	if (replay) {
		CS_AUTOJSON json_t *made = kill_ask(o, json_pack("{s:s, s:s}", "cmd", "replay", "run", run), "run", NULL, "");
		return made != NULL;
	}
	CS_AUTOJSON json_t *ok = kill_ask(o, json_pack("{s:s, s:s, s:s, s:s}", "cmd", "control", "run", run, "verb", a->verb, "why", "as planned"), "control", run, a->verb);
	return ok != NULL;
}

/* What still wants to be decided of RUN is left as it is, where nothing else is to be done with it. */
static bool leave(kill_operator_at *o, const char *run)
{
	CS_AUTOJSON json_t *items = kill_rows(o, "SELECT id FROM item WHERE run = ?1 AND kind = 'fault' AND state = 'open'", json_pack("[s]", run));
	bool acted = false;
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item)
		acted = decide(o, cs_json_str_or(item, "id", ""), json_pack("{s:s}", "verb", "dismiss")) || acted;
	return acted;
}

/* In a restless round, whatever the scenario: runs are paused, now and then one that the operator started is cancelled, and
 * all is held for a moment. */
#define ANY "created running waiting pausing paused cancelling compensating stuck completed faulted cancelled compensated"
static const kill_act restless[] = {
	{ "release", ANY, "engine.hold", 999, 100 }, { "resume", "paused", "run.resumed", 99, 100 },
	{ "pause", "running waiting", "run.paused", 1, 30 }, { "cancel", "running waiting paused", "run.cancelling", 1, 8 },
	{ "hold", "running", "engine.hold", 3, 10 }, { "retry", "stuck", "run.compensating", 60, 100 },
};

static bool be_restless(kill_operator_at *o, const json_t *row)
{
	const char *run = cs_json_str_or(row, "id", ""), *state = cs_json_str_or(row, "state", "");
	for (size_t k = 0; o->s->restless && k < CS_ARRAY_LEN(restless); k++) {
		const kill_act *a = &restless[k];
		bool mine = strcmp(a->verb, "cancel") != 0 || cs_json_str(row, "key") != NULL;
		if (mine && has_word(a->states, state) && chance(o, run) < a->share && act(o, a, run))
			return true;
	}
	return false;
}

bool kill_act_on_runs(kill_operator_at *o)
{
	CS_AUTOJSON json_t *runs = kill_rows(o, "SELECT id, state, simulated, key FROM run ORDER BY created_seq", NULL);
	bool any = false;
	size_t i;
	json_t *row;
	json_array_foreach(runs, i, row) {
		const char *run = cs_json_str_or(row, "id", ""), *state = cs_json_str_or(row, "state", "");
		bool acted = false;
		for (size_t k = 0; k < KILL_ACTS && !acted && cs_json_int_or(row, "simulated", 0) == 0; k++) {
			const kill_act *a = &o->k->acts[k];
			if (a->verb != NULL && has_word(a->states, state) && chance(o, run) < a->share)
				acted = act(o, a, run);
		}
		if (!acted && cs_json_int_or(row, "simulated", 0) == 0)
			acted = be_restless(o, row);
		if (!acted && strcmp(state, "faulted") == 0)
			acted = leave(o, run);
		any = any || acted;
	}
	return any;
}
