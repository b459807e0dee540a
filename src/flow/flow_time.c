/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wait and timeout: durations written out, from an expression, or by reference. */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/clock.h"
#include "base/json.h"

/* A duration under the cursor: written out it is checked now, as an expression when it runs. */
static void build_duration(cs_build *b, const json_t *v, cs_template **ret)
{
	const char *text = json_string_value(v);
	int64_t ms;
	if ((text == NULL || strstr(text, "${") == NULL) && !cs_check_duration(&b->c, v, &ms))
		return;
	cs_build_template(b, v, CS_TEMPLATE_STRICT, ret);
}

void cs_build_wait(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	(void)sibs;
	size_t mark = cs_check_push(&b->c, "wait");
	build_duration(b, json_object_get(def, "wait"), &b->f->tasks[id].body);
	cs_check_pop(&b->c, mark);
}

static void build_after(cs_build *b, const json_t *v, cs_template **ret)
{
	static const cs_key keys[] = { { "after", CS_IS_STRING | CS_IS_OBJECT | CS_KEY_REQUIRED }, { NULL, 0 } };
	if (!cs_check_object(&b->c, v, keys, "a timeout"))
		return;
	size_t mark = cs_check_push(&b->c, "after");
	build_duration(b, json_object_get(v, "after"), ret);
	cs_check_pop(&b->c, mark);
}

void cs_build_timeout(cs_build *b, const json_t *obj, cs_template **ret)
{
	const json_t *v = json_object_get(obj, "timeout");
	if (v == NULL)
		return;
	size_t mark = cs_check_push(&b->c, "timeout");
	cs_check saved;
	const json_t *named = json_is_string(v) ? cs_use_find(b, "timeouts", json_string_value(v), &saved) : NULL;
	if (named != NULL) {
		build_after(b, named, ret);
		cs_use_done(b, &saved);
	} else if (!json_is_string(v)) {
		build_after(b, v, ret);
	}
	cs_check_pop(&b->c, mark);
}

int cs_duration_value(const json_t *v, int64_t *ret_ms, cs_err *err)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{ "days", 86400000 }, { "hours", 3600000 }, { "minutes", 60000 }, { "seconds", 1000 }, { "milliseconds", 1 },
	};
	if (json_is_string(v))
		return cs_duration_parse(json_string_value(v), ret_ms, err);
	int64_t sum = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(units); i++) {
		int64_t n = cs_json_int_or(v, units[i].unit, 0), part = 0;
		if (n < 0 || __builtin_mul_overflow(n, units[i].ms, &part) || __builtin_add_overflow(sum, part, &sum))
			return cs_err_set(err, CS_EINVAL, "a duration of %lld %s cannot be", (long long)n, units[i].unit);
	}
	if (!json_is_object(v))
		return cs_err_set(err, CS_EINVAL, "a duration is a text like PT30S or an object of days, hours, minutes, seconds, milliseconds");
	*ret_ms = sum;
	return CS_OK;
}
