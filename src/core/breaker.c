/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/breaker.h"

#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/machine.h"

/* What the wait grows to, unless the first is longer. */
#define COOL_MOST_MS INT64_C(3600000)

const char *cs_breaker_state_name(cs_breaker_state s)
{
	static const char *const names[] = { [CS_BREAKER_CLOSED] = "closed", [CS_BREAKER_OPEN] = "open", [CS_BREAKER_HALF_OPEN] = "half-open" };
	return names[s];
}

/* ---- what an end says -------------------------------------------------------------------------------------- */

/* A 400 that is no fault of the request: what was paid for is used up. */
static bool says_quota(const char *text)
{
	static const char *const words[] = { "quota", "credit balance", "rate limit", "rate_limit", "billing limit" };
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
		if (strcasestr(text, words[i]) != NULL)
			return true;
	return false;
}

static cs_breaker_word of_status(int status, const json_t *error)
{
	static const int failures[] = { 402, 408, 425, 429 };
	for (size_t i = 0; i < CS_ARRAY_LEN(failures); i++)
		if (status == failures[i])
			return CS_BREAKER_FAIL;
	if (status >= 500)
		return CS_BREAKER_FAIL;
	return status == 400 && says_quota(cs_json_str_or(error, "detail", "")) ? CS_BREAKER_FAIL : CS_BREAKER_OK;
}

/* What came of the net has one of these types; what was wrong on our side has another. */
static bool of_the_net(const json_t *error)
{
	const char *type = cs_json_str_or(error, "type", ""), *word = strrchr(type, '/');
	word = word != NULL ? word + 1 : type;
	return strcmp(word, "communication") == 0 || strcmp(word, "timeout") == 0;
}

cs_breaker_word cs_breaker_judge(const cs_outcome *o)
{
	if (o == NULL)
		return CS_BREAKER_AMBIGUOUS;
	if (o->kind == CS_OUTCOME_DONE)
		return CS_BREAKER_OK;
	if (o->held)
		return CS_BREAKER_NOTHING;
	if (of_the_net(o->error))        /* without a reply it has the type's own status, 500 or 408 */
		return of_status((int)cs_json_int_or(o->error, "status", 500), o->error);
	return o->kind == CS_OUTCOME_AMBIGUOUS || o->kind == CS_OUTCOME_TRANSIENT ? CS_BREAKER_FAIL : CS_BREAKER_NOTHING;
}

/* ---- where it leads ---------------------------------------------------------------------------------------- */

/* Twice as long each time it opens in a row. */
static int64_t cool_for(const cs_breaker_rules *rules, unsigned trips, uint64_t seed)
{
	int64_t most = rules->cool_ms > COOL_MOST_MS ? rules->cool_ms : COOL_MOST_MS, ms = rules->cool_ms;
	for (unsigned i = 1; i < trips && ms < most; i++)
		ms *= 2;
	if (ms > most)
		ms = most;
	return ms + (int64_t)(seed * UINT64_C(0x9e3779b97f4a7c15) >> 33) % (ms / 5 + 1);
}

static const char *opens(const cs_breaker *b, const cs_breaker_rules *rules, int64_t now, uint64_t seed, json_t **ret_data)
{
	unsigned trips = b->trips + 1;
	*ret_data = json_pack("{s:I, s:i}", "until", (json_int_t)(now + cool_for(rules, trips, seed)), "trips", (int)trips);
	return "breaker.opened";
}

/* Those within the window, and this one; but never more than open it. */
static const char *fails(const cs_breaker *b, const cs_breaker_rules *rules, int64_t now, uint64_t seed, json_t **ret_data)
{
	size_t from = 0;
	while (from < b->n_failed && b->failed[from] <= now - rules->within_ms)
		from++;
	if (b->n_failed - from + 1 >= rules->failures)
		return opens(b, rules, now, seed, ret_data);
	json_t *failures = json_array();
	for (size_t i = from; i < b->n_failed; i++)
		json_array_append_new(failures, json_integer(b->failed[i]));
	json_array_append_new(failures, json_integer(now));
	*ret_data = json_pack("{s:o}", "failures", failures);
	return "breaker.failed";
}

const char *cs_breaker_step(const cs_breaker *b, const cs_breaker_rules *rules, cs_breaker_word word, bool probe, int64_t now,
			    uint64_t seed, json_t **ret_data)
{
	if (b->state == CS_BREAKER_CLOSED && word == CS_BREAKER_FAIL)
		return fails(b, rules, now, seed, ret_data);
	if (b->state != CS_BREAKER_HALF_OPEN || !probe || word == CS_BREAKER_NOTHING)
		return NULL;             /* what was under way before it opened has nothing to say any more */
	if (word != CS_BREAKER_OK)
		return opens(b, rules, now, seed, ret_data);
	*ret_data = json_object();
	return "breaker.closed";
}

const char *cs_breaker_wake(const cs_breaker *b, int64_t now)
{
	return b->state == CS_BREAKER_OPEN && b->until <= now ? "breaker.half_opened" : NULL;
}

/* ---- the fold ---------------------------------------------------------------------------------------------- */

static int fold_failed(cs_breaker *b, const json_t *data)
{
	const json_t *failures = json_object_get(data, "failures"), *one;
	size_t i;
	if (json_array_size(failures) == 0 || json_array_size(failures) > CS_BREAKER_FAILURES)
		return CS_EINTERNAL;
	b->n_failed = json_array_size(failures);
	json_array_foreach(failures, i, one)
		b->failed[i] = json_integer_value(one);
	return CS_OK;
}

static int fold_opened(cs_breaker *b, const json_t *data)
{
	b->until = cs_json_int_or(data, "until", 0);
	b->trips = (unsigned)cs_json_int_or(data, "trips", 1);
	b->n_failed = 0;
	return CS_OK;
}

static int fold_closed(cs_breaker *b, const json_t *data)
{
	(void)data;
	b->trips = 0;
	b->n_failed = 0;
	return CS_OK;
}

int cs_breaker_fold(cs_breaker *b, const char *type, const json_t *data, cs_err *err)
{
	static const struct {
		const char *type;
		cs_breaker_state from[2], to;    /* one of the first two */
		int (*fold)(cs_breaker *b, const json_t *data);
	} folds[] = {
		{ "breaker.failed", { CS_BREAKER_CLOSED, CS_BREAKER_CLOSED }, CS_BREAKER_CLOSED, fold_failed },
		{ "breaker.opened", { CS_BREAKER_CLOSED, CS_BREAKER_HALF_OPEN }, CS_BREAKER_OPEN, fold_opened },
		{ "breaker.half_opened", { CS_BREAKER_OPEN, CS_BREAKER_OPEN }, CS_BREAKER_HALF_OPEN, NULL },
		{ "breaker.closed", { CS_BREAKER_HALF_OPEN, CS_BREAKER_HALF_OPEN }, CS_BREAKER_CLOSED, fold_closed },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(folds); i++) {
		if (strcmp(folds[i].type, type) != 0)
			continue;
		bool fits = b->state == folds[i].from[0] || b->state == folds[i].from[1];
		int rc = !fits ? CS_EINTERNAL : folds[i].fold != NULL ? folds[i].fold(b, data) : CS_OK;
		if (rc == CS_OK)
			b->state = folds[i].to;
		return rc == CS_OK ? rc : cs_err_set(err, rc, "%s does not fit a breaker that is %s", type, cs_breaker_state_name(b->state));
	}
	return cs_err_set(err, CS_EINTERNAL, "%s is no event of a breaker", type);
}

/* ---- whose it is --------------------------------------------------------------------------------------------- */

bool cs_breaker_target(const char *url, char *ret, size_t size)
{
	const char *host = url != NULL ? strstr(url, "://") : NULL;
	if (host == NULL)
		return false;
	host += 3;
	size_t n = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', n);
	if (at != NULL) {                /* a name before it is no part of the host */
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (n == 0 || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		ret[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] - 'A' + 'a' : host[i]);
	ret[n] = '\0';
	return true;
}
