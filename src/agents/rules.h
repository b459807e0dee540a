/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Agents of kind "rules": a list of conditions over the input, the first that holds gives the
 * answer. Pure. */
#ifndef CS_AGENTS_RULES_H
#define CS_AGENTS_RULES_H

#include "core/effect.h"

/* `def.rules` is a list of {field, matches | equals | over | under, give}; several conditions in one
 * rule must all hold, a rule without any always does. `field` is a plain path: ".subject",
 * ".items[0].name", "." for the whole. What is not there, or of another type, does not hold.
 * `give` is the answer, whatever JSON. No rule that holds is a `runtime` error, a rule that cannot be
 * a `configuration` error; both rejected. Blocking; several threads may call at once. */
typedef struct cs_rules cs_rules;
cs_rules *cs_rules_new(void);
void cs_rules_free(cs_rules *r);                 /* takes NULL */
cs_performer cs_rules_performer(cs_rules *r);    /* R is borrowed */

/* Checks a list of rules without running it, patterns included. */
int cs_rules_check(const json_t *rules, cs_err *err);

#endif
