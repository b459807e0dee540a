/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/ask.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "flow/flow.h"
#include "flow/flow_priv.h"

static bool has_expression(const json_t *v)
{
	return json_is_string(v) && strstr(json_string_value(v), "${") != NULL;
}

/* "50%": one or two digits, then the sign. */
static bool read_percent(const char *text, unsigned *ret)
{
	size_t n = strspn(text, "0123456789");
	if (n < 1 || n > 2 || strcmp(text + n, "%") != 0)
		return false;
	*ret = n == 1 ? (unsigned)(text[0] - '0') : (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	return *ret > 0;
}

int cs_ask_reminder(const json_t *v, unsigned *ret_percent, int64_t *ret_ms, cs_err *err)
{
	unsigned percent = 0;
	int64_t ms = 0;
	const char *text = json_string_value(v);
	if (text == NULL || !read_percent(text, &percent)) {
		percent = 0;
		if (cs_duration_value(v, &ms, NULL) != CS_OK || ms <= 0)
			return cs_err_set(err, CS_EINVAL, "a reminder is a duration like PT4H, or a part of the time until the expiry like 50%%%s%.40s%s",
					  text != NULL ? ", not '" : "", text != NULL ? text : "", text != NULL ? "'" : "");
	}
	*ret_percent = percent;
	*ret_ms = ms;
	return CS_OK;
}

int cs_ask_escalation(const json_t *v, int64_t *ret_ms, cs_err *err)
{
	static const char *const known[] = { "after", "to", "via", NULL };
	const char *key;
	json_t *member;
	int64_t ms = 0;
	if (!json_is_object(v))
		return cs_err_set(err, CS_EINVAL, "an escalation is {after: DURATION, to: NAME}");
	json_object_foreach((json_t *)(uintptr_t)v, key, member) {
		size_t i = 0;
		while (known[i] != NULL && strcmp(known[i], key) != 0)
			i++;
		if (known[i] == NULL)
			return cs_err_set(err, CS_EINVAL, "an escalation knows no '%.40s'; it is {after: DURATION, to: NAME}", key);
	}
	if (json_object_get(v, "via") != NULL)
		return cs_err_set(err, CS_EINVAL, "'via: %.40s' is not obeyed by this version, which cannot send to a channel yet; leave 'via' out: what is escalated "
				  "stands first in the inbox", cs_json_str_or(v, "via", "?"));
	if (json_object_get(v, "to") != NULL && json_string_length(json_object_get(v, "to")) == 0)
		return cs_err_set(err, CS_EINVAL, "'to' of an escalation is a name");
	if (json_object_get(v, "after") == NULL || cs_duration_value(json_object_get(v, "after"), &ms, NULL) != CS_OK || ms <= 0)
		return cs_err_set(err, CS_EINVAL, "an escalation needs 'after', a duration like PT4H");
	*ret_ms = ms;
	return CS_OK;
}

static void check_escalation(cs_check *c, const json_t *v)
{
	static const cs_key keys[] = {
		{ "after", CS_IS_STRING | CS_IS_OBJECT | CS_KEY_REQUIRED }, { "to", CS_IS_STRING }, { "via", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
	};
	int64_t ms;
	cs_err err = { 0 };
	if (has_expression(v))
		return;
	bool via = json_object_get(v, "via") != NULL;
	if (json_is_object(v) && !via && !cs_check_object(c, v, keys, "an escalation"))
		return;
	if (!via && has_expression(json_object_get(v, "after")))
		return;
	if (cs_ask_escalation(v, &ms, &err) == CS_OK)
		return;
	if (via)
		cs_check_error_key(c, "via", "%s", err.msg);
	else
		cs_check_error(c, "%s", err.msg);
}

static void check_reminder(cs_check *c, const json_t *v)
{
	unsigned percent;
	int64_t ms;
	cs_err err = { 0 };
	if (!has_expression(v) && cs_ask_reminder(v, &percent, &ms, &err) != CS_OK)
		cs_check_error(c, "%s", err.msg);
}

/* A list of at most MAX, each by ONE. */
static void check_each(cs_check *c, const json_t *obj, const char *key, size_t max, void (*one)(cs_check *c, const json_t *v))
{
	const json_t *list = json_object_get(obj, key), *v;
	size_t i, mark = cs_check_push(c, key);
	if (list != NULL && !has_expression(list) && cs_check_type(c, list, CS_IS_ARRAY, key)) {
		if (json_array_size(list) == 0 || json_array_size(list) > max)
			cs_check_error(c, "'%s' is a list of 1 to %zu", key, max);
		json_array_foreach(list, i, v) {
			size_t inner = cs_check_push_index(c, i);
			one(c, v);
			cs_check_pop(c, inner);
		}
	}
	cs_check_pop(c, mark);
}

void cs_check_escalate(cs_check *c, const json_t *obj)
{
	check_each(c, obj, "escalate", CS_ASK_ESCALATIONS, check_escalation);
}

void cs_check_remind(cs_check *c, const json_t *obj)
{
	check_each(c, obj, "remind", CS_ASK_REMINDERS, check_reminder);
}

void cs_check_outcome(cs_check *c, const json_t *obj, const char *key, bool escalates)
{
	static const char *const all[] = { "raise", "continue", "end", "escalate", NULL };
	static const char *const three[] = { "raise", "continue", "end", NULL };
	cs_check_word(c, obj, key, escalates ? all : three);
}

void cs_check_rounds(cs_check *c, const json_t *obj)
{
	const json_t *v = json_object_get(obj, "rounds");
	if (v == NULL)
		return;
	if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > CS_ASK_ROUNDS)
		cs_check_error_key(c, "rounds", "'rounds' is how often an answer may go back: a whole number from 1 to %d", CS_ASK_ROUNDS);
	else if (json_object_get(obj, "back") == NULL)
		cs_check_error_key(c, "rounds", "'rounds' counts how often an answer goes back; say with 'back' to which task");
}

void cs_check_runbook(cs_check *c, const json_t *obj)
{
	const char *name = cs_json_str(obj, "runbook");
	size_t mark = cs_check_push(c, "runbook");
	if (name && (!*name || *name == '.' || strchr(name, '/')))
		cs_check_error(c, "'runbook' is the name of a file in runbooks/, without a folder");
	cs_check_pop(c, mark);
}

void cs_check_rule_ask(cs_check *c, const json_t *ask)
{
	static const cs_key keys[] = {
		{ "allow", CS_IS_ARRAY }, { "expire", CS_IS_STRING }, { "escalate", CS_IS_ARRAY }, { "remind", CS_IS_ARRAY },
		{ "on-reject", CS_IS_STRING }, { "on-expiry", CS_IS_STRING }, { "runbook", CS_IS_STRING }, { NULL, 0 },
	};
	int64_t ms;
	if (!cs_check_object(c, ask, keys, "'ask'"))
		return;
	cs_check_allow(c, ask);
	cs_check_duration_key(c, ask, "expire", &ms);
	cs_check_escalate(c, ask);
	cs_check_remind(c, ask);
	cs_check_outcome(c, ask, "on-reject", false);
	cs_check_outcome(c, ask, "on-expiry", true);
	cs_check_runbook(c, ask);
}
