/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/outlet.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static const cs_outlet_rules silent = {
	.mode = CS_MODE_DRY,
	.breaker = { .failures = 5, .within_ms = 60000, .cool_ms = 30000 },
};

enum { CONCURRENT_MOST = 10000 };

const char *const cs_mode_names[] = { "off", "dry", "hold", "live", NULL };

int cs_mode_parse(const char *word, cs_mode *ret, cs_err *err)
{
	for (int i = 0; word != NULL && cs_mode_names[i] != NULL; i++)
		if (strcmp(cs_mode_names[i], word) == 0) {
			*ret = (cs_mode)i;
			return CS_OK;
		}
	return cs_err_set(err, CS_EINVAL, "a connector's mode is off, dry, hold or live, not '%.40s'", word != NULL ? word : "");
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static void read_count(cs_check *c, const json_t *obj, const char *key, unsigned most, unsigned *ret)
{
	const json_t *v = json_object_get(obj, key);
	if (!json_is_integer(v))
		return;
	json_int_t n = json_integer_value(v);
	if (n >= 1 && n <= most)
		*ret = (unsigned)n;
	else
		cs_check_error_key(c, key, "'%s' must be between 1 and %u", key, most);
}

static void read_span(cs_check *c, const json_t *obj, const char *key, int64_t *ret)
{
	int64_t ms = *ret;
	if (!cs_check_duration_key(c, obj, key, &ms))
		return;
	if (ms >= 1 && ms <= INT64_C(86400000))
		*ret = ms;
	else
		cs_check_error_key(c, key, "'%s' must be longer than nothing and at most a day", key);
}

static void read_breaker(cs_check *c, const json_t *connector, cs_breaker_rules *ret)
{
	static const cs_key keys[] = { { "failures", CS_IS_INTEGER }, { "within", CS_IS_STRING }, { "cool", CS_IS_STRING }, { NULL, 0 } };
	const json_t *breaker = json_object_get(connector, "breaker");
	if (breaker == NULL)
		return;
	size_t mark = cs_check_push(c, "breaker");
	if (cs_check_object(c, breaker, keys, "'breaker'")) {
		read_count(c, breaker, "failures", CS_BREAKER_FAILURES, &ret->failures);
		read_span(c, breaker, "within", &ret->within_ms);
		read_span(c, breaker, "cool", &ret->cool_ms);
	}
	cs_check_pop(c, mark);
}

/* "30/minute" */
static bool parse_rate(const char *text, unsigned *ret_n, int64_t *ret_ms)
{
	static const struct { const char *word; int64_t ms; } spans[] = {
		{ "second", 1000 }, { "minute", 60000 }, { "hour", 3600000 }, { "day", 86400000 },
	};
	unsigned n = 0;
	size_t i = 0;
	for (; text[i] >= '0' && text[i] <= '9' && n <= CS_RATE_MOST; i++)
		n = n * 10 + (unsigned)(text[i] - '0');
	if (n < 1 || n > CS_RATE_MOST || text[i] != '/')
		return false;
	for (size_t k = 0; k < CS_ARRAY_LEN(spans); k++)
		if (strcmp(text + i + 1, spans[k].word) == 0) {
			*ret_n = n;
			*ret_ms = spans[k].ms;
			return true;
		}
	return false;
}

static void read_limits(cs_check *c, const json_t *connector, cs_outlet_limits *ret)
{
	static const cs_key keys[] = { { "rate", CS_IS_STRING }, { "concurrent", CS_IS_INTEGER }, { NULL, 0 } };
	const json_t *limits = json_object_get(connector, "limits");
	if (limits == NULL)
		return;
	size_t mark = cs_check_push(c, "limits");
	if (cs_check_object(c, limits, keys, "'limits'")) {
		const char *rate = cs_json_str(limits, "rate");
		if (rate != NULL && !parse_rate(rate, &ret->rate, &ret->rate_ms))
			cs_check_error_key(c, "rate", "'rate' is a number up to %d and a span, like 30/minute: second, minute, hour or day", CS_RATE_MOST);
		read_count(c, limits, "concurrent", CONCURRENT_MOST, &ret->concurrent);
	}
	cs_check_pop(c, mark);
}

static void read_rules(cs_check *c, const json_t *connector, cs_outlet_rules *ret)
{
	int mode = cs_check_word(c, connector, "mode", cs_mode_names);
	if (mode >= 0)
		ret->mode = (cs_mode)mode;
	read_breaker(c, connector, &ret->breaker);
	read_limits(c, connector, &ret->limits);
}

void cs_outlet_check(cs_check *c, const json_t *connector)
{
	cs_outlet_rules rules = silent;
	read_rules(c, connector, &rules);
}

void cs_outlet_rules_of(const json_t *connector, cs_outlet_rules *ret)
{
	cs_check c;
	cs_diags d;
	*ret = silent;
	if (connector == NULL) {
		ret->mode = CS_MODE_LIVE;
		return;
	}
	cs_diags_init(&d);
	cs_check_init(&c, NULL, NULL, &d);
	read_rules(&c, connector, ret);
	cs_diags_fini(&d);
}

/* ---- of a function --------------------------------------------------------------------------------------- */

const char *cs_function_outlet(const cs_function *f)
{
	return f->connector != NULL ? f->connector : f->kind == CS_FUNCTION_HTTP ? "http" : NULL;
}

cs_mode cs_function_mode(const cs_function *f)
{
	cs_mode mode = CS_MODE_DRY;
	if (f->connector == NULL)
		return CS_MODE_LIVE;
	(void)cs_mode_parse(cs_json_str(f->connector_def, "mode"), &mode, NULL);
	return mode;
}
