/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy/policy.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/regex.h"

typedef struct rule {
	char name[128];
	char hash[CS_HEX_SIZE];
	json_t *when;                /* borrowed from docs */
	const char *why;
	cs_policy_answer answer;
	bool confirm_word;
	const json_t *ask;           /* borrowed from docs */
	int64_t expires;             /* wall ms; 0: never */
	cs_regex *pattern;           /* of `matches`; NULL: none */
} rule;

struct cs_policy {
	json_t *docs;
	rule *rules;
	size_t n;
};

void cs_policy_free(cs_policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++)
		cs_regex_free(p->rules[i].pattern);
	free(p->rules);
	json_decref(p->docs);
	free(p);
}

static void policy_freep(cs_policy **p)
{
	cs_policy_free(*p);
}

/* "2027-03-01" is the end of that day in UTC; a full time is taken as it is. */
static int64_t expiry(const char *text)
{
	int64_t ms = 0;
	if (text == NULL)
		return 0;
	CS_AUTOFREE char *day = cs_xasprintf("%sT23:59:59Z", text);
	if (cs_time_parse(text, &ms, NULL) == CS_OK || cs_time_parse(day, &ms, NULL) == CS_OK)
		return ms;
	return 1;                    /* not a time: held to have run out, so that it allows nothing */
}

static cs_policy_answer answer_of(const char *then)
{
	if (strcmp(then, "allow") == 0)
		return CS_POLICY_ALLOW;
	return strcmp(then, "deny") == 0 ? CS_POLICY_DENY : CS_POLICY_ASK;
}

static int add_rule(cs_policy *p, const json_t *doc, json_t *r, cs_err *err)
{
	const char *policy = cs_json_str_or(doc, "policy", "unnamed");
	rule new = { .when = json_object_get(r, "when"), .why = cs_json_str_or(r, "why", ""),
		     .answer = answer_of(cs_json_str_or(r, "then", "ask")),
		     .confirm_word = strcmp(cs_json_str_or(r, "confirm", ""), "word") == 0,
		     .ask = json_object_get(r, "ask"), .expires = expiry(cs_json_str(r, "expires")) };
	snprintf(new.name, sizeof new.name, "policy %s/%s", policy, cs_json_str_or(r, "name", "unnamed"));
	cs_json_digest(r, new.hash);
	const char *pattern = cs_json_str(json_object_get(new.when, "matches"), "pattern");
	if (pattern != NULL) {
		int rc = cs_regex_new(pattern, 0, &new.pattern, err);
		if (rc != CS_OK)
			return rc;
	}
	p->rules = cs_xrealloc(p->rules, (p->n + 1) * sizeof *p->rules);
	p->rules[p->n++] = new;
	return CS_OK;
}

int cs_policy_new(const json_t *docs, cs_policy **ret, cs_err *err)
{
	CS_CLEANUP(policy_freep) cs_policy *p = cs_xcalloc(1, sizeof *p);
	p->docs = docs != NULL ? json_incref((json_t *)(uintptr_t)docs) : json_array();
	size_t i, k;
	json_t *doc, *r;
	json_array_foreach(p->docs, i, doc) {
		json_array_foreach(json_object_get(doc, "rules"), k, r) {
			int rc = add_rule(p, doc, r, err);
			if (rc != CS_OK)
				return rc;
		}
	}
	*ret = CS_STEAL(p);
	return CS_OK;
}

/* ---- conditions: 1 holds, 0 does not, negative: cannot be told ---------------------------------------- */

/* A word with * in it, or a list of such, one of which must match. */
static int glob(const json_t *want, const char *have)
{
	size_t i;
	json_t *one;
	if (have == NULL)
		return 0;
	if (json_is_string(want))
		return fnmatch(json_string_value(want), have, 0) == 0;
	json_array_foreach(want, i, one)
		if (json_is_string(one) && fnmatch(json_string_value(one), have, 0) == 0)
			return 1;
	return 0;
}

static const json_t *field(const cs_policy_query *q, const json_t *condition)
{
	const char *path = cs_json_str_or(condition, "field", ".");
	path += path[0] == '.';
	return path[0] == '\0' ? q->args : cs_json_get_path(q->args, path);
}

static int when_call(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	return glob(want, q->call);
}

static int when_flow(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	return glob(want, q->flow);
}

static int when_agent(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	return glob(want, q->agent);
}

static int when_subject(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	return glob(want, q->subject);
}

static int when_mode(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	return glob(want, q->mode);
}

static int when_effect(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	return glob(want, cs_effect_class_name(q->effect));
}

static int when_touches(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	size_t i;
	json_t *word;
	if (json_is_string(want))
		return cs_json_lists(q->touches, json_string_value(want));
	json_array_foreach(want, i, word)
		if (json_is_string(word) && cs_json_lists(q->touches, json_string_value(word)))
			return 1;
	return 0;
}

static int when_tainted(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	size_t i;
	json_t *name;
	if (json_is_boolean(want))
		return (json_array_size(q->tainted) > 0) == json_is_true(want);
	json_array_foreach(q->tainted, i, name)
		if (!cs_json_lists(want, json_string_value(name)))
			return 0;
	return 1;
}

static int when_matches(const rule *r, const cs_policy_query *q, const json_t *want)
{
	const json_t *v = field(q, want);
	if (v == NULL || r->pattern == NULL)
		return 0;
	CS_AUTOFREE char *text = json_is_string(v) ? cs_xstrndup(json_string_value(v), json_string_length(v)) : cs_json_text(v);
	return cs_regex_match(r->pattern, text, strlen(text), 0, NULL, NULL);
}

static int when_over(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	const json_t *v = field(q, want);
	if (!json_is_number(v))
		return 1;            /* what is not a number cannot be shown to be under the limit */
	return json_number_value(v) > json_number_value(json_object_get(want, "value"));
}

static int when_under(const rule *r, const cs_policy_query *q, const json_t *want)
{
	(void)r;
	const json_t *v = field(q, want);
	return json_is_number(v) && json_number_value(v) < json_number_value(json_object_get(want, "value"));
}

static const struct {
	const char *key;
	int (*holds)(const rule *r, const cs_policy_query *q, const json_t *want);
} conditions[] = {
	{ "call", when_call },       { "flow", when_flow },       { "agent", when_agent },
	{ "subject", when_subject }, { "mode", when_mode },       { "effect", when_effect },
	{ "touches", when_touches }, { "tainted", when_tainted }, { "matches", when_matches },
	{ "over", when_over },       { "under", when_under },
};

static int condition_holds(const rule *r, const cs_policy_query *q, const char *key, const json_t *want)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(conditions); i++)
		if (strcmp(conditions[i].key, key) == 0)
			return conditions[i].holds(r, q, want);
	return 0;                    /* a condition that nobody knows holds for nothing */
}

static int rule_holds(const rule *r, const cs_policy_query *q)
{
	const char *key;
	json_t *want;
	if (r->expires != 0 && r->expires < q->now)
		return 0;
	/* Drafting is not sending: what sends nothing is looked at only where `effect` is named. */
	if (!cs_effect_class_sends(q->effect) && json_object_get(r->when, "effect") == NULL)
		return 0;
	json_object_foreach(r->when, key, want) {
		int rc = condition_holds(r, q, key, want);
		if (rc != 1)
			return rc;
	}
	return 1;
}

static void by_default(const cs_policy_query *q, cs_policy_verdict *v)
{
	bool tainted = json_array_size(q->tainted) > 0;
	bool keyed = q->effect == CS_EFFECT_KEYED || q->effect == CS_EFFECT_PROBE;
	v->answer = q->effect == CS_EFFECT_UNSAFE || (keyed && tainted) ? CS_POLICY_ASK : CS_POLICY_ALLOW;
	snprintf(v->rule, sizeof v->rule, "default/%s%s", cs_effect_class_name(q->effect), keyed && tainted ? "-tainted" : "");
}

int cs_policy_decide(const cs_policy *p, const cs_policy_query *q, cs_policy_verdict *ret, cs_err *err)
{
	cs_policy_verdict v = { .why = "" };
	for (size_t i = 0; i < p->n; i++) {
		const rule *r = &p->rules[i];
		int rc = rule_holds(r, q);
		if (rc < 0)
			return cs_err_set(err, CS_ETOOBIG, "the pattern of %s searches too long; make it simpler", r->name);
		if (rc == 0)
			continue;
		v.answer = r->answer;
		v.why = r->why;
		v.confirm_word = r->confirm_word;
		v.ask = r->ask;
		memcpy(v.rule, r->name, sizeof v.rule);
		memcpy(v.hash, r->hash, sizeof v.hash);
		*ret = v;
		return CS_OK;
	}
	by_default(q, &v);
	*ret = v;
	return CS_OK;
}
