/* SPDX-License-Identifier: GPL-3.0-or-later */
/* agents/NAME.yaml */
#include "flow/function.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "base/regex.h"
#include "flow/function_priv.h"

static const cs_key agent_keys[] = {
	{ "agent", CS_IS_STRING | CS_KEY_REQUIRED }, { "version", CS_IS_STRING }, { "purpose", CS_IS_STRING },
	{ "kind", CS_IS_STRING | CS_KEY_REQUIRED }, { "input", CS_IS_OBJECT | CS_IS_BOOL },
	{ "output", CS_IS_OBJECT | CS_IS_BOOL }, { "effect", CS_IS_STRING }, { "touches", CS_IS_ARRAY },
	{ "timeout", CS_IS_STRING }, { "retry", CS_IS_OBJECT }, { "rules", CS_IS_ARRAY }, { "shell", CS_IS_OBJECT },
	{ "model", CS_IS_OBJECT }, { "budget", CS_IS_ANY | CS_KEY_LATER }, { "reverse", CS_IS_STRING | CS_IS_OBJECT },
	{ "mcp", CS_IS_ANY | CS_KEY_LATER }, { "flow", CS_IS_ANY | CS_KEY_LATER }, { "text", CS_IS_STRING },
	{ NULL, 0 },
};

static void check_condition(cs_check *c, const json_t *rule)
{
	const char *pattern = cs_json_str(rule, "matches");
	cs_err err = { 0 };
	if (pattern) {
		cs_regex *r = NULL;
		size_t mark = cs_check_push(c, "matches");
		if (cs_regex_new(pattern, 0, &r, &err) < 0)
			cs_check_error(c, "%s", err.msg);
		cs_regex_free(r);
		cs_check_pop(c, mark);
	}
	bool condition = json_object_get(rule, "matches") || json_object_get(rule, "equals") || json_object_get(rule, "over")
		|| json_object_get(rule, "under");
	const char *field = cs_json_str(rule, "field");
	if (condition && !field)
		cs_check_error(c, "a condition needs the 'field' it looks at, like '.subject'");
	if (field && !condition)
		cs_check_error(c, "'field' needs a condition: matches, equals, over or under");
	if (field && field[0] != '.')
		cs_check_error_key(c, "field", "'field' is a path that begins with a dot, like '.subject'");
}

static void check_rules(cs_check *c, const json_t *doc, cs_function *f)
{
	static const cs_key keys[] = {
		{ "field", CS_IS_STRING }, { "matches", CS_IS_STRING }, { "equals", CS_IS_ANY }, { "over", CS_IS_NUMBER },
		{ "under", CS_IS_NUMBER }, { "give", CS_IS_ANY | CS_KEY_REQUIRED }, { NULL, 0 },
	};
	const json_t *list = json_object_get(doc, "rules"), *rule;
	size_t i, mark = cs_check_push(c, "rules");
	(void)f;
	if (json_array_size(list) == 0)
		cs_check_error(c, "'rules' is empty; it needs at least one rule");
	json_array_foreach(list, i, rule) {
		size_t inner = cs_check_push_index(c, i);
		if (cs_check_object(c, rule, keys, "a rule"))
			check_condition(c, rule);
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

/* Each item of the list at KEY is a text that is not empty. */
static void check_texts(cs_check *c, const json_t *obj, const char *key)
{
	const json_t *list = json_object_get(obj, key), *item;
	size_t i, mark = cs_check_push(c, key);
	json_array_foreach(list, i, item) {
		size_t inner = cs_check_push_index(c, i);
		if (!json_is_string(item) || json_string_length(item) == 0)
			cs_check_error(c, "'%s' lists texts; put this one in quotes", key);
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

static void check_shell(cs_check *c, const json_t *doc, cs_function *f)
{
	static const cs_key keys[] = {
		{ "command", CS_IS_ARRAY | CS_KEY_REQUIRED }, { "stdin", CS_IS_STRING }, { "stdout", CS_IS_STRING },
		{ "network", CS_IS_STRING }, { "read", CS_IS_ARRAY }, { "write", CS_IS_ARRAY }, { NULL, 0 },
	};
	static const char *const inputs[] = { "json", "text", "none", NULL };
	static const char *const outputs[] = { "json", "text", NULL };
	static const char *const networks[] = { "none", NULL };
	const json_t *shell = json_object_get(doc, "shell");
	size_t mark = cs_check_push(c, "shell");
	(void)f;
	if (cs_check_object(c, shell, keys, "'shell'")) {
		if (json_array_size(json_object_get(shell, "command")) == 0)
			cs_check_error(c, "'command' is empty; write the program and its arguments as a list");
		check_texts(c, shell, "command");
		check_texts(c, shell, "read");
		check_texts(c, shell, "write");
		cs_check_word(c, shell, "stdin", inputs);
		cs_check_word(c, shell, "stdout", outputs);
		cs_check_word(c, shell, "network", networks);
	}
	cs_check_pop(c, mark);
}

/* A model's answers come from fixtures in this version, in simulation and in a replay; what only
 * a live model could obey is refused. */
static void check_model(cs_check *c, const json_t *doc, cs_function *f)
{
	static const cs_key keys[] = {
		{ "route", CS_IS_STRING }, { "prompt", CS_IS_STRING }, { "temperature", CS_IS_NUMBER },
		{ "tools", CS_IS_ANY | CS_KEY_LATER }, { "turns", CS_IS_ANY | CS_KEY_LATER },
		{ "repair", CS_IS_ANY | CS_KEY_LATER }, { "batch", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
	};
	const json_t *model = json_object_get(doc, "model");
	size_t mark = cs_check_push(c, "model");
	if (cs_check_object(c, model, keys, "'model'"))
		cs_function_text(c, f, model, "prompt", false, &f->text);
	cs_check_pop(c, mark);
}

static void check_text(cs_check *c, const json_t *doc, cs_function *f)
{
	if (f->effect != CS_EFFECT_PURE)
		cs_check_error_key(c, "effect", "an agent of kind 'text' is pure: it makes its text of its input alone; remove this");
	cs_function_text(c, f, doc, "text", false, &f->text);
}

/* A kind and the key that says how; a row without a function is not of this version. */
static const struct {
	const char *kind;
	cs_effect_class effect;
	void (*check)(cs_check *c, const json_t *doc, cs_function *f);
} kinds[] = {
	{ "rules", CS_EFFECT_PURE, check_rules }, { "shell", CS_EFFECT_UNSAFE, check_shell },
	{ "model", CS_EFFECT_READ, check_model }, { "mcp", CS_EFFECT_UNSAFE, NULL },
	{ "flow", CS_EFFECT_UNSAFE, NULL }, { "text", CS_EFFECT_PURE, check_text },
};

/* The row of the agent's kind, or -1 after a report. */
static int find_kind(cs_check *c, const json_t *doc)
{
	const char *words[CS_ARRAY_LEN(kinds) + 1] = { NULL };
	const char *kind = cs_json_str(doc, "kind");
	int found = -1;
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++) {
		words[i] = kinds[i].kind;
		if (kind && strcmp(kinds[i].kind, kind) == 0)
			found = (int)i;
	}
	size_t mark = cs_check_push(c, "kind");
	if (kind && found < 0) {
		cs_check_unknown(c, "the kind of agent", kind, words);
	} else if (kind && !kinds[found].check) {
		cs_check_error(c, "an agent of kind '%s' is known, but this version does not run it yet", kind);
		found = -1;
	}
	cs_check_pop(c, mark);
	return found;
}

static void check_parts(cs_check *c, const json_t *doc, int kind, cs_function *f)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++) {
		if (!kinds[i].check || !json_object_get(doc, kinds[i].kind))
			continue;
		if ((int)i != kind)
			cs_check_error_key(c, kinds[i].kind, "'%s' belongs to an agent of that kind; this one is of kind '%s'",
					   kinds[i].kind, kinds[kind].kind);
	}
	if (!json_object_get(doc, kinds[kind].kind))
		cs_check_error(c, "an agent of kind '%s' needs '%s'", kinds[kind].kind, kinds[kind].kind);
	else
		kinds[kind].check(c, doc, f);
}

static void check_agent_name(cs_check *c, const char *name)
{
	size_t mark = cs_check_push(c, "agent");
	if (!cs_function_check_name(c, name, "an agent's name"))
		;
	else if (cs_function_builtin(name) || cs_function_builtin_later(name))
		cs_check_error(c, "'%s' is the name of a built-in; give the agent another", name);
	cs_check_pop(c, mark);
}

static void read_agent(cs_check *c, const json_t *doc, cs_function **ret)
{
	if (!cs_check_object(c, doc, agent_keys, "an agent"))
		return;
	int kind = find_kind(c, doc);
	if (kind < 0)
		return;
	const char *name = cs_json_str(doc, "agent");
	cs_function *f = cs_function_new(CS_FUNCTION_AGENT, name, doc);
	f->performer = cs_xstrdup(kinds[kind].kind);
	f->effect = kinds[kind].effect;
	check_agent_name(c, name);
	cs_function_common(c, doc, f);
	if (f->effect == CS_EFFECT_KEYED || f->effect == CS_EFFECT_PROBE) {
		size_t mark = cs_check_push(c, "effect");
		cs_check_error(c, "an agent cannot be '%s': it has no other side that keeps keys; write pure, read or unsafe",
			       cs_effect_class_name(f->effect));
		cs_check_pop(c, mark);
	}
	cs_function_reverse(c, doc, f);
	check_parts(c, doc, kind, f);
	*ret = f;
}

int cs_function_agent(const json_t *doc, const cs_source *src, cs_diags *d, cs_function **ret)
{
	cs_check c;
	cs_function *f = NULL;
	size_t errors = d->errors;
	cs_check_init(&c, NULL, src, d);
	read_agent(&c, doc, &f);
	return cs_function_checked(f, errors, d, ret);
}
