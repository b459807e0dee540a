/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an item asks: the words that metadata.ask, the `with` of approve and ask, a rule and
 * capstan.yaml share. The same reading for a check and for a run, where `with` may hold expressions. */
#ifndef CS_FLOW_ASK_H
#define CS_FLOW_ASK_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "flow/check.h"

enum { CS_ASK_ESCALATIONS = 8, CS_ASK_REMINDERS = 16, CS_ASK_ROUNDS = 100 };

/* One of `remind`: a duration (*ret_ms), or like "50%" a part of the time until the expiry
 * (*ret_percent, 1 to 99; else 0). CS_EINVAL with what to write. */
int cs_ask_reminder(const json_t *v, unsigned *ret_percent, int64_t *ret_ms, cs_err *err);
/* One of `escalate`: {after, to}. *ret_ms is longer than nothing. CS_EINVAL. */
int cs_ask_escalation(const json_t *v, int64_t *ret_ms, cs_err *err);

/* `escalate` and `remind` of OBJ, on which the cursor stands; texts with an expression in them are
 * left to the run. */
void cs_check_escalate(cs_check *c, const json_t *obj);
void cs_check_remind(cs_check *c, const json_t *obj);
/* A word of OBJ that says what becomes of a rejected or an expired gate; ESCALATES: it may escalate. */
void cs_check_outcome(cs_check *c, const json_t *obj, const char *key, bool escalates);
/* `rounds`: a number of times, said beside `back`. */
void cs_check_rounds(cs_check *c, const json_t *obj);
/* `runbook`: the name of a file in runbooks/. */
void cs_check_runbook(cs_check *c, const json_t *obj);
/* What a rule may say of the gates that it asks for; the cursor stands on it. */
void cs_check_rule_ask(cs_check *c, const json_t *ask);

#endif
