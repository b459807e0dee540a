/* SPDX-License-Identifier: GPL-3.0-or-later */
/* policies/NAME.yaml and fixtures/NAME.yaml */
#include "flow/workspace_priv.h"

#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/regex.h"
#include "flow/ask.h"

static void check_pattern(cs_check *c, const json_t *obj, const char *key)
{
	const char *pattern = cs_json_str(obj, key);
	cs_err err = { 0 };
	cs_regex *r = NULL;
	if (!pattern)
		return;
	size_t mark = cs_check_push(c, key);
	if (cs_regex_new(pattern, 0, &r, &err) < 0)
		cs_check_error(c, "%s", err.msg);
	cs_regex_free(r);
	cs_check_pop(c, mark);
}

static void check_field(cs_check *c, const json_t *obj)
{
	const char *field = cs_json_str(obj, "field");
	if (field && field[0] != '.')
		cs_check_error_key(c, "field", "'field' is a path into the call's input that begins with a dot, like '.amount'");
}

static void check_words(cs_check *c, const json_t *obj, const char *key)
{
	const json_t *list = json_object_get(obj, key), *word;
	size_t i, mark = cs_check_push(c, key);
	if (json_is_array(list) && json_array_size(list) == 0)
		cs_check_error(c, "'%s' is empty; name at least one, or remove it", key);
	json_array_foreach(list, i, word) {
		size_t inner = cs_check_push_index(c, i);
		cs_check_type(c, word, CS_IS_STRING, "each word");
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

static void check_comparisons(cs_check *c, const json_t *when)
{
	static const cs_key matches[] = {
		{ "field", CS_IS_STRING | CS_KEY_REQUIRED }, { "pattern", CS_IS_STRING | CS_KEY_REQUIRED }, { NULL, 0 },
	};
	static const cs_key numbers[] = {
		{ "field", CS_IS_STRING | CS_KEY_REQUIRED }, { "value", CS_IS_NUMBER | CS_KEY_REQUIRED }, { NULL, 0 },
	};
	static const struct {
		const char *name, *what;
		const cs_key *keys;
	} rows[] = { { "matches", "'matches'", matches }, { "over", "'over'", numbers }, { "under", "'under'", numbers } };
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		const json_t *v = json_object_get(when, rows[i].name);
		size_t mark = cs_check_push(c, rows[i].name);
		if (v && cs_check_object(c, v, rows[i].keys, rows[i].what)) {
			check_field(c, v);
			check_pattern(c, v, "pattern");
		}
		cs_check_pop(c, mark);
	}
}

static void check_when(cs_check *c, const cs_workspace *w, const json_t *when)
{
	static const cs_key keys[] = {
		{ "call", CS_IS_STRING }, { "flow", CS_IS_STRING }, { "agent", CS_IS_STRING }, { "subject", CS_IS_STRING },
		{ "touches", CS_IS_ARRAY }, { "effect", CS_IS_STRING }, { "matches", CS_IS_OBJECT }, { "over", CS_IS_OBJECT },
		{ "under", CS_IS_OBJECT }, { "tainted", CS_IS_BOOL | CS_IS_ARRAY }, { "mode", CS_IS_STRING },
		{ "first-time", CS_IS_ANY | CS_KEY_LATER }, { "rate", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
	};
	static const char *const effects[] = { "pure", "read", "keyed", "probe", "unsafe", NULL };
	static const char *const modes[] = { "simulate", "live", NULL };
	if (!cs_check_object(c, when, keys, "'when'"))
		return;
	check_words(c, when, "touches");
	check_words(c, when, "tainted");
	cs_check_word(c, when, "effect", effects);
	cs_check_word(c, when, "mode", modes);
	check_comparisons(c, when);
	if (w)
		cs_policy_check_names(c, w, when);
}

/* 2027-03-01, or a full time. */
static void check_expires(cs_check *c, const json_t *rule)
{
	const char *text = cs_json_str(rule, "expires");
	int64_t ms;
	if (!text || cs_time_parse(text, &ms, NULL) == CS_OK)
		return;
	char *day CS_AUTOFREE = cs_xasprintf("%.10sT00:00:00Z", text);
	if (strlen(text) == 10 && cs_time_parse(day, &ms, NULL) == CS_OK)
		return;
	size_t mark = cs_check_push(c, "expires");
	cs_check_error(c, "'expires' must be a date like 2027-03-01, not '%.40s'", text);
	cs_check_pop(c, mark);
}

static void check_rule(cs_check *c, const cs_workspace *w, const json_t *rule)
{
	static const cs_key keys[] = {
		{ "name", CS_IS_STRING }, { "when", CS_IS_OBJECT }, { "then", CS_IS_STRING | CS_KEY_REQUIRED },
		{ "why", CS_IS_STRING }, { "expires", CS_IS_STRING }, { "confirm", CS_IS_STRING }, { "ask", CS_IS_OBJECT }, { NULL, 0 },
	};
	static const char *const decisions[] = { "ask", "deny", "allow", NULL };
	static const char *const confirms[] = { "key", "word", NULL };
	if (!cs_check_object(c, rule, keys, "a rule"))
		return;
	cs_check_word(c, rule, "then", decisions);
	if (cs_check_word(c, rule, "confirm", confirms) >= 0 && strcmp(cs_json_str_or(rule, "then", ""), "ask") != 0)
		cs_check_error_key(c, "confirm", "'confirm' says how a question is answered; it goes with 'then: ask'");
	check_expires(c, rule);
	const json_t *when = json_object_get(rule, "when"), *ask = json_object_get(rule, "ask");
	if (ask && strcmp(cs_json_str_or(rule, "then", ""), "ask") != 0)
		cs_check_error_key(c, "ask", "'ask' says how a gate asks; it goes with 'then: ask'");
	size_t mark = cs_check_push(c, "ask");
	if (ask)
		cs_check_rule_ask(c, ask);
	cs_check_pop(c, mark);
	mark = cs_check_push(c, "when");
	if (when)
		check_when(c, w, when);
	cs_check_pop(c, mark);
}

static void check_rule_names(cs_check *c, const json_t *list)
{
	json_t *seen CS_AUTOJSON = json_object(), *rule;
	size_t i;
	json_array_foreach(list, i, rule) {
		const char *name = cs_json_str(rule, "name");
		size_t mark = cs_check_push_index(c, i);
		if (name && json_object_get(seen, name))
			cs_check_error_key(c, "name", "two rules of this policy are named '%.80s'; give one another name", name);
		else if (name)
			json_object_set_new(seen, name, json_true());
		cs_check_pop(c, mark);
	}
}

bool cs_policy_check(const cs_workspace *w, const json_t *doc, const cs_source *src, cs_diags *d)
{
	static const cs_key keys[] = {
		{ "policy", CS_IS_STRING | CS_KEY_REQUIRED }, { "rules", CS_IS_ARRAY | CS_KEY_REQUIRED }, { NULL, 0 },
	};
	cs_check c;
	size_t errors = d->errors, i;
	cs_check_init(&c, NULL, src, d);
	if (!cs_check_object(&c, doc, keys, "a policy"))
		return false;
	const json_t *list = json_object_get(doc, "rules"), *rule;
	cs_check_push(&c, "rules");
	if (json_array_size(list) == 0)
		cs_check_error(&c, "'rules' is empty; a policy needs at least one rule");
	json_array_foreach(list, i, rule) {
		size_t mark = cs_check_push_index(&c, i);
		check_rule(&c, w, rule);
		cs_check_pop(&c, mark);
	}
	check_rule_names(&c, list);
	return d->errors == errors;
}

/* ---- fixtures ---------------------------------------------------------------------------- */

static void check_condition(cs_check *c, const json_t *want)
{
	if (json_is_object(want) && json_object_size(want) == 1 && cs_json_str(want, "matches")) {
		check_pattern(c, want, "matches");
		return;
	}
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)want, key, v) {
		size_t mark = cs_check_push(c, key);
		check_condition(c, v);
		cs_check_pop(c, mark);
	}
}

static void check_fail(cs_check *c, const json_t *answer)
{
	static const cs_key keys[] = {
		{ "type", CS_IS_STRING | CS_KEY_REQUIRED }, { "status", CS_IS_INTEGER }, { "title", CS_IS_STRING },
		{ "detail", CS_IS_STRING }, { "outcome", CS_IS_STRING }, { NULL, 0 },
	};
	static const char *const outcomes[] = { "not-sent", "rejected", "transient", "ambiguous", NULL };
	const json_t *fail = json_object_get(answer, "fail");
	cs_error_type type;
	size_t mark = cs_check_push(c, "fail");
	if (fail && cs_check_object(c, fail, keys, "'fail'")) {
		const char *word = cs_json_str(fail, "type");
		if (cs_error_type_parse(word, &type) < 0)
			cs_check_error_key(c, "type", "'%.60s' is not an error type; write one of configuration, validation, expression, authentication, authorization, timeout, communication, runtime", word);
		int64_t status = cs_json_int_or(fail, "status", 500);
		if (status < 100 || status > 599)
			cs_check_error_key(c, "status", "'status' is a number from 100 to 599");
		cs_check_word(c, fail, "outcome", outcomes);
	}
	cs_check_pop(c, mark);
}

static void check_answer(cs_check *c, const json_t *answer)
{
	static const cs_key keys[] = {
		{ "when", CS_IS_OBJECT }, { "give", CS_IS_ANY }, { "fail", CS_IS_OBJECT }, { "cost", CS_IS_OBJECT },
		{ "takes", CS_IS_STRING }, { "times", CS_IS_INTEGER }, { NULL, 0 },
	};
	static const cs_key cost_keys[] = {
		{ "usd", CS_IS_NUMBER }, { "input", CS_IS_INTEGER }, { "output", CS_IS_INTEGER }, { NULL, 0 },
	};
	int64_t ms;
	if (!cs_check_object(c, answer, keys, "an answer"))
		return;
	if (!json_object_get(answer, "give") == !json_object_get(answer, "fail"))
		cs_check_error(c, "an answer has either 'give' or 'fail'");
	if (json_object_get(answer, "times") && cs_json_int_or(answer, "times", 0) < 1)
		cs_check_error_key(c, "times", "'times' is a whole number from 1");
	cs_check_duration_key(c, answer, "takes", &ms);
	check_fail(c, answer);
	const json_t *cost = json_object_get(answer, "cost"), *when = json_object_get(answer, "when");
	size_t mark = cs_check_push(c, "cost");
	if (cost && cs_check_object(c, cost, cost_keys, "'cost'") && json_number_value(json_object_get(cost, "usd")) < 0)
		cs_check_error_key(c, "usd", "'usd' cannot be less than nothing");
	cs_check_pop(c, mark);
	mark = cs_check_push(c, "when");
	if (when)
		check_condition(c, when);
	cs_check_pop(c, mark);
}

static void check_function(const cs_workspace *w, cs_check *c, const char *name)
{
	const cs_function *builtin = cs_function_builtin(name);
	size_t mark = cs_check_push(c, "function");
	if (builtin && builtin->kind == CS_FUNCTION_BUILTIN)
		cs_check_error(c, "'%s' is answered by a person, not by a fixture", name);
	else if (w && !cs_workspace_function(w, name))
		cs_check_unknown(c, "the function", name, w->callables);
	cs_check_pop(c, mark);
}

bool cs_fixture_check(const cs_workspace *w, const json_t *doc, const cs_source *src, cs_diags *d)
{
	static const cs_key keys[] = {
		{ "function", CS_IS_STRING | CS_KEY_REQUIRED }, { "answers", CS_IS_ARRAY | CS_KEY_REQUIRED }, { NULL, 0 },
	};
	cs_check c;
	size_t errors = d->errors, i;
	cs_check_init(&c, NULL, src, d);
	if (!cs_check_object(&c, doc, keys, "a fixture"))
		return false;
	check_function(w, &c, cs_json_str(doc, "function"));
	const json_t *list = json_object_get(doc, "answers"), *answer;
	cs_check_push(&c, "answers");
	if (json_array_size(list) == 0)
		cs_check_error(&c, "'answers' is empty; a fixture needs at least one answer");
	json_array_foreach(list, i, answer) {
		size_t mark = cs_check_push_index(&c, i);
		check_answer(&c, answer);
		cs_check_pop(&c, mark);
	}
	return d->errors == errors;
}
