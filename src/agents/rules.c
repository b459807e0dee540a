/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/rules.h"

#include <stdlib.h>
#include <string.h>
#include "agents/patterns.h"
#include "base/mem.h"
#include "base/regex.h"

enum { RULES_MAX = 1000 };

struct cs_rules {
	cs_patterns *patterns;
};

/* 1 holds, 0 not, negative: it cannot be asked. VALUE is what stands at the field. */
typedef int condition_fn(cs_patterns *p, const json_t *value, const json_t *want, cs_err *err);

static int matches(cs_patterns *p, const json_t *value, const json_t *want, cs_err *err)
{
	if (!json_is_string(value))
		return 0;
	return cs_patterns_match(p, json_string_value(want), json_string_value(value), json_string_length(value), err);
}

static int equals(cs_patterns *p, const json_t *value, const json_t *want, cs_err *err)
{
	(void)p;
	(void)err;
	return cs_json_equal(value, want);
}

static int over(cs_patterns *p, const json_t *value, const json_t *want, cs_err *err)
{
	(void)p;
	(void)err;
	return json_is_number(value) && json_number_value(value) > json_number_value(want);
}

static int under(cs_patterns *p, const json_t *value, const json_t *want, cs_err *err)
{
	(void)p;
	(void)err;
	return json_is_number(value) && json_number_value(value) < json_number_value(want);
}

static int check_pattern(const json_t *want, cs_err *err)
{
	cs_regex *r CS_CLEANUP(cs_regex_freep) = NULL;
	if (!json_is_string(want))
		return cs_err_set(err, CS_EINVAL, "matches is a pattern in quotes");
	return cs_regex_new(json_string_value(want), 0, &r, err);
}

static int check_any(const json_t *want, cs_err *err)
{
	(void)want;
	(void)err;
	return CS_OK;
}

static int check_number(const json_t *want, cs_err *err)
{
	return json_is_number(want) ? CS_OK : cs_err_set(err, CS_EINVAL, "over and under take a number");
}

static const struct {
	const char *name;
	condition_fn *holds;
	int (*check)(const json_t *want, cs_err *err);
} conditions[] = {
	{ "matches", matches, check_pattern },
	{ "equals", equals, check_any },
	{ "over", over, check_number },
	{ "under", under, check_number },
};

/* ---- plain paths ---- */

static size_t name_len(const char *p)
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	return n && p[0] >= '0' && p[0] <= '9' ? 0 : n;
}

/* One step at *pp: ".name" or "[n]". False when it is neither. *v becomes NULL when absent. */
static bool step(const char **pp, const json_t **v)
{
	const char *p = *pp;
	if (*p == '[') {
		size_t digits = strspn(p + 1, "0123456789");
		if (digits == 0 || digits > 9 || p[1 + digits] != ']')
			return false;
		*v = json_array_get(*v, (size_t)strtoul(p + 1, NULL, 10));
		*pp = p + digits + 2;
		return true;
	}
	size_t n = *p == '.' ? name_len(p + 1) : 0;
	if (n == 0)
		return false;
	char *name CS_AUTOFREE = cs_xstrndup(p + 1, n);
	*v = json_object_get(*v, name);
	*pp = p + 1 + n;
	return true;
}

static int at_field(const json_t *input, const char *field, const json_t **ret, cs_err *err)
{
	const json_t *v = input;
	const char *p = field;
	if (strcmp(field, ".") == 0)
		p++;
	else if (*field != '.')
		p = NULL;
	else if (field[1] == '[')
		p++;
	while (p && *p)
		if (!step(&p, &v))
			p = NULL;
	if (!p)
		return cs_err_set(err, CS_EINVAL, "field is a plain path as in .subject or .items[0].name, not \"%.100s\"", field);
	*ret = v;
	return CS_OK;
}

/* ---- rules ---- */

static bool known_key(const char *key)
{
	if (strcmp(key, "field") == 0 || strcmp(key, "give") == 0)
		return true;
	for (size_t i = 0; i < CS_ARRAY_LEN(conditions); i++)
		if (strcmp(key, conditions[i].name) == 0)
			return true;
	return false;
}

static int check_rule(const json_t *rule, cs_err *err)
{
	const char *key;
	json_t *v;
	const json_t *ignored;
	const json_t *field = json_object_get(rule, "field");
	if (!json_object_get(rule, "give"))
		return cs_err_set(err, CS_EINVAL, "it needs give: the answer where it holds");
	json_object_foreach((json_t *)(uintptr_t)rule, key, v)
		if (!known_key(key))
			return cs_err_set(err, CS_EINVAL, "\"%.64s\" is not known; write field, matches, equals, over, under or give", key);
	size_t asked = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(conditions); i++) {
		v = json_object_get(rule, conditions[i].name);
		int rc = v ? conditions[i].check(v, err) : CS_OK;
		if (rc < 0)
			return rc;
		asked += v != NULL;
	}
	if ((asked > 0) != (field != NULL))
		return cs_err_set(err, CS_EINVAL, "field and what is asked of it go together");
	if (field && !json_is_string(field))
		return cs_err_set(err, CS_EINVAL, "field is a path as in .subject");
	return field ? at_field(NULL, json_string_value(field), &ignored, err) : CS_OK;
}

int cs_rules_check(const json_t *rules, cs_err *err)
{
	cs_err why = { 0 };
	if (!json_is_array(rules) || json_array_size(rules) == 0 || json_array_size(rules) > RULES_MAX)
		return cs_err_set(err, CS_EINVAL, "rules: a list of 1 to %d rules is needed", RULES_MAX);
	for (size_t i = 0; i < json_array_size(rules); i++) {
		int rc = check_rule(json_array_get(rules, i), &why);
		if (rc < 0)
			return cs_err_set(err, rc, "rules: rule %zu: %s", i + 1, why.msg);
	}
	return CS_OK;
}

static int holds(cs_patterns *p, const json_t *rule, const json_t *input, cs_err *err)
{
	const char *field = cs_json_str(rule, "field");
	const json_t *value = NULL;
	if (!field)
		return 1;
	int rc = at_field(input, field, &value, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < CS_ARRAY_LEN(conditions); i++) {
		const json_t *want = json_object_get(rule, conditions[i].name);
		rc = !want ? 1 : !value ? 0 : conditions[i].holds(p, value, want, err);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

static cs_outcome *decide(cs_patterns *p, const cs_effect *e)
{
	const json_t *rules = json_object_get(e->def, "rules");
	cs_err err = { 0 };
	if (cs_rules_check(rules, &err) < 0)
		return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_CONFIGURATION, 0, "Rules that cannot be",
					 "%s: %s", e->call, err.msg);
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		int rc = holds(p, rule, e->input, &err);
		if (rc < 0)
			return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_RUNTIME, 0, "A rule could not be asked",
						 "%s: rule %zu: %s", e->call, i + 1, err.msg);
		if (rc == 0)
			continue;
		cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
		o->result = json_incref(json_object_get(rule, "give"));
		o->record = json_pack("{s:I}", "rule", (json_int_t)(i + 1));
		return o;
	}
	return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_RUNTIME, 0, "No rule holds",
				 "%s: none of its %zu rules holds for this input; end the list with a rule that has only give",
				 e->call, json_array_size(rules));
}

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)err;
	cs_rules *r = self;
	cs_outcome *o = e->gate && !e->gate(e->gate_ctx)
		? cs_outcome_failed(CS_OUTCOME_NOT_SENT, CS_ERROR_RUNTIME, 0, "Held", "%s was held before it began", e->call)
		: decide(r->patterns, e);
	done(ctx, o);
	return CS_OK;
}

cs_rules *cs_rules_new(void)
{
	cs_rules *r = cs_xcalloc(1, sizeof *r);
	r->patterns = cs_patterns_new();
	return r;
}

void cs_rules_free(cs_rules *r)
{
	if (!r)
		return;
	cs_patterns_free(r->patterns);
	free(r);
}

cs_performer cs_rules_performer(cs_rules *r)
{
	return (cs_performer){ .kind = "rules", .blocking = true, .perform = perform, .self = r };
}
