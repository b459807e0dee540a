/* SPDX-License-Identifier: GPL-3.0-or-later */
/* try: what is tried, what is caught, how it is tried again, what is done about it. */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static void build_backoff(cs_build *b, const json_t *policy, cs_catch *k)
{
	static const cs_key keys[] = {
		{ "constant", CS_IS_OBJECT }, { "linear", CS_IS_OBJECT }, { "exponential", CS_IS_OBJECT }, { NULL, 0 },
	};
	const json_t *v = json_object_get(policy, "backoff");
	if (!v)
		return;
	size_t mark = cs_check_push(&b->c, "backoff");
	if (!cs_check_object(&b->c, v, keys, "'backoff'"))
		;
	else if (json_object_size(v) != 1)
		cs_check_error(&b->c, "'backoff' is one of constant, linear, exponential");
	for (unsigned i = 0; keys[i].name; i++) {
		const json_t *how = json_object_get(v, keys[i].name);
		if (!json_is_object(how))
			continue;
		k->retry_backoff = i;
		size_t inner = cs_check_push(&b->c, keys[i].name);
		if (json_object_size(how))
			cs_check_error(&b->c, "'%s' has no settings in this version; write '%s: {}'", keys[i].name, keys[i].name);
		cs_check_pop(&b->c, inner);
	}
	cs_check_pop(&b->c, mark);
}

static void build_limit(cs_build *b, const json_t *policy, cs_catch *k)
{
	static const cs_key keys[] = {
		{ "attempt", CS_IS_OBJECT }, { "duration", CS_IS_STRING | CS_IS_OBJECT }, { NULL, 0 },
	};
	static const cs_key attempt_keys[] = {
		{ "count", CS_IS_INTEGER }, { "duration", CS_IS_STRING | CS_IS_OBJECT }, { NULL, 0 },
	};
	const json_t *v = json_object_get(policy, "limit");
	if (!v)
		return;
	size_t mark = cs_check_push(&b->c, "limit");
	if (cs_check_object(&b->c, v, keys, "'limit'")) {
		cs_check_duration_key(&b->c, v, "duration", &k->retry_for_ms);
		const json_t *attempt = json_object_get(v, "attempt");
		cs_check_push(&b->c, "attempt");
		if (attempt && cs_check_object(&b->c, attempt, attempt_keys, "'attempt'")) {
			int64_t n = cs_json_int_or(attempt, "count", 1);
			if (n < 1 || n > 1000000)
				cs_check_error(&b->c, "'count' must be between 1 and 1000000");
			else if (json_object_get(attempt, "count"))
				k->retry_attempts = (unsigned)n;
			int64_t all = 0;             /* of all attempts together: with the other, the shorter holds */
			cs_check_duration_key(&b->c, attempt, "duration", &all);
			if (all > 0 && (k->retry_for_ms == 0 || all < k->retry_for_ms))
				k->retry_for_ms = all;
		}
	}
	cs_check_pop(&b->c, mark);
}

static void build_jitter(cs_build *b, const json_t *policy, cs_catch *k)
{
	static const cs_key keys[] = {
		{ "from", CS_IS_STRING | CS_IS_OBJECT | CS_KEY_REQUIRED }, { "to", CS_IS_STRING | CS_IS_OBJECT | CS_KEY_REQUIRED },
		{ NULL, 0 },
	};
	const json_t *v = json_object_get(policy, "jitter");
	if (!v)
		return;
	size_t mark = cs_check_push(&b->c, "jitter");
	if (cs_check_object(&b->c, v, keys, "'jitter'")) {
		bool ok = cs_check_duration_key(&b->c, v, "from", &k->jitter_from_ms);
		ok &= cs_check_duration_key(&b->c, v, "to", &k->jitter_to_ms);
		if (ok && k->jitter_from_ms > k->jitter_to_ms)
			cs_check_error(&b->c, "'jitter' goes from the shorter to the longer; 'from' is longer than 'to'");
	}
	cs_check_pop(&b->c, mark);
}

void cs_build_retry(cs_build *b, const json_t *v, cs_catch *k)
{
	static const cs_key keys[] = {
		{ "when", CS_IS_STRING }, { "exceptWhen", CS_IS_STRING }, { "delay", CS_IS_STRING | CS_IS_OBJECT },
		{ "backoff", CS_IS_OBJECT }, { "limit", CS_IS_OBJECT }, { "jitter", CS_IS_OBJECT }, { NULL, 0 },
	};
	if (!cs_check_object(&b->c, v, keys, "a retry policy"))
		return;
	k->has_retry = true;
	cs_build_template_key(b, v, "when", CS_TEMPLATE_BARE, &k->retry_when);
	cs_build_template_key(b, v, "exceptWhen", CS_TEMPLATE_BARE, &k->retry_except_when);
	cs_check_duration_key(&b->c, v, "delay", &k->retry_delay_ms);
	build_backoff(b, v, k);
	build_limit(b, v, k);
	build_jitter(b, v, k);
}

static void build_retry_key(cs_build *b, const json_t *catch, cs_catch *k)
{
	const json_t *v = json_object_get(catch, "retry");
	if (!v)
		return;
	size_t mark = cs_check_push(&b->c, "retry");
	if (json_is_string(v)) {
		cs_check saved;
		v = cs_use_find(b, "retries", json_string_value(v), &saved);
		if (v) {
			cs_build_retry(b, v, k);
			cs_use_done(b, &saved);
		}
	} else {
		cs_build_retry(b, v, k);
	}
	cs_check_pop(&b->c, mark);
}

static void build_filter(cs_build *b, const json_t *catch, cs_catch *k)
{
	static const cs_key errors_keys[] = { { "with", CS_IS_OBJECT }, { NULL, 0 } };
	static const cs_key with_keys[] = {
		{ "type", CS_IS_STRING }, { "status", CS_IS_INTEGER }, { "title", CS_IS_STRING },
		{ "detail", CS_IS_STRING }, { "instance", CS_IS_STRING }, { NULL, 0 },
	};
	const json_t *errors = json_object_get(catch, "errors"), *with = json_object_get(errors, "with");
	if (!errors)
		return;
	size_t mark = cs_check_push(&b->c, "errors");
	if (cs_check_object(&b->c, errors, errors_keys, "'errors'") && with) {
		cs_check_push(&b->c, "with");
		if (!cs_check_object(&b->c, with, with_keys, "an error filter"))
			;
		else if (json_object_size(with) == 0)
			cs_check_error(&b->c, "an error filter needs at least one of type, status, title, detail, instance");
		else
			cs_build_template(b, with, CS_TEMPLATE_STRICT, &k->with);
		if (k->with && !cs_template_is_const(k->with))
			cs_check_error(&b->c, "an error filter is static; put the expression into 'when'");
	}
	cs_check_pop(&b->c, mark);
}

/* The rows of catch.do come after those of try, so that ids follow the document. */
static void build_catch(cs_build *b, int id, json_t *catch, cs_catch *k, const cs_siblings *sibs)
{
	static const cs_key keys[] = {
		{ "errors", CS_IS_OBJECT }, { "as", CS_IS_STRING }, { "when", CS_IS_STRING }, { "exceptWhen", CS_IS_STRING },
		{ "retry", CS_IS_OBJECT | CS_IS_STRING }, { "do", CS_IS_ARRAY }, { "then", CS_IS_STRING }, { NULL, 0 },
	};
	if (!cs_check_object(&b->c, catch, keys, "'catch'"))
		return;
	size_t around = b->n_vars;
	cs_build_variable(b, catch, "as", "error", &k->as);
	build_filter(b, catch, k);
	cs_build_enter(b, k->as);
	cs_build_template_key(b, catch, "when", CS_TEMPLATE_BARE, &k->when);
	cs_build_template_key(b, catch, "exceptWhen", CS_TEMPLATE_BARE, &k->except_when);
	build_retry_key(b, catch, k);
	k->then = cs_build_then(b, catch, sibs);
	json_t *list = json_object_get(catch, "do");
	int *ids = NULL, n = 0;
	if (list) {
		size_t mark = cs_check_push(&b->c, "do");
		cs_build_list(b, list, id, true, false, "'do'", &ids, &n);
		cs_check_pop(&b->c, mark);
	}
	b->f->tasks[id].handler = ids;
	b->f->tasks[id].n_handler = n;
	cs_build_leave(b, around);
}

void cs_build_try(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	int *ids = NULL, n = 0;
	size_t mark = cs_check_push(&b->c, "try");
	cs_build_list(b, json_object_get(def, "try"), id, false, false, "'try'", &ids, &n);
	cs_check_pop(&b->c, mark);
	cs_catch *k = cs_xcalloc(1, sizeof *k);
	k->then = CS_THEN_CONTINUE;
	b->f->tasks[id].children = ids;
	b->f->tasks[id].n_children = n;
	b->f->tasks[id].catch = k;
	mark = cs_check_push(&b->c, "catch");
	build_catch(b, id, json_object_get(def, "catch"), k, sibs);
	cs_check_pop(&b->c, mark);
}
