/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operator's rules: what is asked, denied, allowed. The first rule that holds decides; where
 * none does, unsafe asks, keyed and probe ask when tainted, the rest is allowed. */
#ifndef CS_POLICY_POLICY_H
#define CS_POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/hash.h"
#include "flow/effect_class.h"

typedef struct cs_policy cs_policy;

/* DOCS: the documents of policies/, in order, checked by flow/workspace. Patterns are compiled here. */
int cs_policy_new(const json_t *docs, cs_policy **ret, cs_err *err);
void cs_policy_free(cs_policy *p);           /* NULL is fine */

/* One call that is about to be planned. Everything is borrowed; strings may be NULL. */
typedef struct cs_policy_query {
	const char *call, *flow, *agent, *subject, *mode;   /* mode: simulate | live */
	const json_t *touches;               /* array of words */
	cs_effect_class effect;
	const json_t *args;
	const json_t *tainted;               /* array of argument names; NULL: none */
	int64_t now;                         /* wall ms: rules expire */
} cs_policy_query;

typedef enum cs_policy_answer { CS_POLICY_ALLOW, CS_POLICY_ASK, CS_POLICY_DENY } cs_policy_answer;

typedef struct cs_policy_verdict {
	cs_policy_answer answer;
	char rule[128];                      /* "policy NAME/RULE", or "default/unsafe" … */
	char hash[CS_HEX_SIZE];              /* of the rule as it stands in the file; "" for a default */
	const char *why;                     /* the rule's own words, borrowed; "" */
	bool confirm_word;                   /* `confirm: word` */
	const json_t *ask;                   /* the rule's `ask`, borrowed from the policy; NULL: it has none */
} cs_policy_verdict;

/* CS_ETOOBIG when a pattern searches past its limit: the caller asks, as for the unknown. */
int cs_policy_decide(const cs_policy *p, const cs_policy_query *q, cs_policy_verdict *ret, cs_err *err);

#endif
