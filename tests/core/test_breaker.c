/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The breaker by the book: what counts as a failure, where each pair of state and word leads, how long it waits,
 * and that its events fold to what they said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "core/breaker.h"
#include "core/machine.h"

static const cs_breaker_rules rules = { .failures = 3, .within_ms = 60000, .cool_ms = 30000 };

/* One step, written and folded; the type, "" for none. */
static const char *go(cs_breaker *b, cs_breaker_word word, bool probe, int64_t now)
{
	json_t *data = NULL;
	const char *type = cs_breaker_step(b, &rules, word, probe, now, (uint64_t)now, &data);
	CS_AUTOJSON json_t *owned = data;
	if (type != NULL)
		assert_int_equal(cs_breaker_fold(b, type, owned, NULL), CS_OK);
	return type != NULL ? type : "";
}

static void wake(cs_breaker *b, int64_t now)
{
	CS_AUTOJSON json_t *none = json_object();
	const char *type = cs_breaker_wake(b, now);
	assert_non_null(type);
	assert_int_equal(cs_breaker_fold(b, type, none, NULL), CS_OK);
}

static cs_breaker opened(int64_t now)
{
	cs_breaker b = { 0 };
	for (unsigned i = 0; i < rules.failures; i++)
		(void)go(&b, CS_BREAKER_FAIL, false, now);
	assert_int_equal(b.state, CS_BREAKER_OPEN);
	return b;
}

static void what_counts_is_what_the_other_side_did(void **state)
{
	(void)state;
	static const struct {
		cs_outcome_kind kind;
		cs_error_type type;
		int status;
		const char *text;
		cs_breaker_word word;
	} rows[] = {
		{ CS_OUTCOME_DONE, 0, 0, NULL, CS_BREAKER_OK },
		{ CS_OUTCOME_NOT_SENT, CS_ERROR_COMMUNICATION, 0, "refused", CS_BREAKER_FAIL },
		{ CS_OUTCOME_NOT_SENT, CS_ERROR_TIMEOUT, 0, "connecting", CS_BREAKER_FAIL },
		{ CS_OUTCOME_NOT_SENT, CS_ERROR_CONFIGURATION, 0, "not under allow", CS_BREAKER_NOTHING },
		{ CS_OUTCOME_NOT_SENT, CS_ERROR_AUTHORIZATION, 0, "the vault is locked", CS_BREAKER_NOTHING },
		{ CS_OUTCOME_REJECTED, CS_ERROR_CONFIGURATION, 0, "nobody performs it", CS_BREAKER_NOTHING },
		{ CS_OUTCOME_REJECTED, CS_ERROR_COMMUNICATION, 400, "the field age is missing", CS_BREAKER_OK },
		{ CS_OUTCOME_REJECTED, CS_ERROR_COMMUNICATION, 400, "Your Credit balance is too low", CS_BREAKER_FAIL },
		{ CS_OUTCOME_REJECTED, CS_ERROR_COMMUNICATION, 400, "{\"code\":\"insufficient_quota\"}", CS_BREAKER_FAIL },
		{ CS_OUTCOME_REJECTED, CS_ERROR_COMMUNICATION, 401, "who are you", CS_BREAKER_OK },
		{ CS_OUTCOME_REJECTED, CS_ERROR_COMMUNICATION, 402, "pay", CS_BREAKER_FAIL },
		{ CS_OUTCOME_REJECTED, CS_ERROR_COMMUNICATION, 404, "quota", CS_BREAKER_OK },
		{ CS_OUTCOME_AMBIGUOUS, CS_ERROR_COMMUNICATION, 409, "conflict", CS_BREAKER_OK },
		{ CS_OUTCOME_TRANSIENT, CS_ERROR_COMMUNICATION, 408, "", CS_BREAKER_FAIL },
		{ CS_OUTCOME_TRANSIENT, CS_ERROR_COMMUNICATION, 425, "", CS_BREAKER_FAIL },
		{ CS_OUTCOME_TRANSIENT, CS_ERROR_COMMUNICATION, 429, "", CS_BREAKER_FAIL },
		{ CS_OUTCOME_TRANSIENT, CS_ERROR_COMMUNICATION, 503, "", CS_BREAKER_FAIL },
		{ CS_OUTCOME_AMBIGUOUS, CS_ERROR_COMMUNICATION, 500, "", CS_BREAKER_FAIL },
		{ CS_OUTCOME_AMBIGUOUS, CS_ERROR_COMMUNICATION, 0, "reset", CS_BREAKER_FAIL },
		{ CS_OUTCOME_AMBIGUOUS, CS_ERROR_TIMEOUT, 0, "no reply", CS_BREAKER_FAIL },
		{ CS_OUTCOME_AMBIGUOUS, CS_ERROR_RUNTIME, 0, "something else", CS_BREAKER_FAIL },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		CS_AUTOOUTCOME cs_outcome *o = rows[i].kind == CS_OUTCOME_DONE ? cs_outcome_new(CS_OUTCOME_DONE) :
			cs_outcome_failed(rows[i].kind, rows[i].type, rows[i].status, NULL, "%s", rows[i].text);
		if (cs_breaker_judge(o) != rows[i].word)
			fail_msg("%s %d %s: %d", cs_outcome_kind_name(rows[i].kind), rows[i].status, rows[i].text, cs_breaker_judge(o));
		o->held = true;              /* our own gate: that says nothing of anybody */
		if (rows[i].kind == CS_OUTCOME_NOT_SENT)
			assert_int_equal(cs_breaker_judge(o), CS_BREAKER_NOTHING);
	}
	assert_int_equal(cs_breaker_judge(NULL), CS_BREAKER_AMBIGUOUS);
}

/* Every pair of a state and a word, of the attempt that was let through and of another. */
static void every_pair_leads_where_the_table_says(void **state)
{
	(void)state;
	static const char *const words[] = { "", "ok", "fail", "ambiguous" };
	static const char *const want[3][4][2] = {          /* [state][word][probe] */
		{ { "", "" }, { "", "" }, { "breaker.failed", "breaker.failed" }, { "", "" } },
		{ { "", "" }, { "", "" }, { "", "" }, { "", "" } },
		{ { "", "" }, { "", "breaker.closed" }, { "", "breaker.opened" }, { "", "breaker.opened" } },
	};
	for (int s = CS_BREAKER_CLOSED; s <= CS_BREAKER_HALF_OPEN; s++)
		for (int w = CS_BREAKER_NOTHING; w <= CS_BREAKER_AMBIGUOUS; w++)
			for (int probe = 0; probe < 2; probe++) {
				cs_breaker b = { .state = (cs_breaker_state)s, .until = 50, .trips = s > 0 };
				const char *type = go(&b, (cs_breaker_word)w, probe, 100);
				if (strcmp(type, want[s][w][probe]) != 0)
					fail_msg("%s, %s: %s", cs_breaker_state_name((cs_breaker_state)s), words[w], type);
				if (type[0] != '\0' && !cs_machine_has(&cs_machine_breaker, cs_breaker_state_name((cs_breaker_state)s), words[w],
								       cs_breaker_state_name(b.state)))
					fail_msg("the machine has no %s --%s--> %s", cs_breaker_state_name((cs_breaker_state)s), words[w], cs_breaker_state_name(b.state));
			}
}

static void events_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	static const char *const types[] = { "breaker.failed", "breaker.opened", "breaker.half_opened", "breaker.closed", "breaker.burst" };
	static const bool fits[3][5] = { { true, true, false, false, false }, { false, false, true, false, false }, { false, true, false, true, false } };
	CS_AUTOJSON json_t *data = json_pack("{s:[i], s:i, s:i}", "failures", 1, "until", 5, "trips", 2);
	for (int s = CS_BREAKER_CLOSED; s <= CS_BREAKER_HALF_OPEN; s++)
		for (size_t i = 0; i < CS_ARRAY_LEN(types); i++) {
			cs_breaker b = { .state = (cs_breaker_state)s };
			assert_int_equal(cs_breaker_fold(&b, types[i], data, NULL), fits[s][i] ? CS_OK : CS_EINTERNAL);
			if (!fits[s][i])
				assert_int_equal(b.state, s);
		}
}

static void so_many_failures_within_the_window_open_it(void **state)
{
	(void)state;
	cs_breaker b = { 0 };
	assert_string_equal(go(&b, CS_BREAKER_FAIL, false, 1000), "breaker.failed");
	assert_string_equal(go(&b, CS_BREAKER_FAIL, false, 30000), "breaker.failed");
	assert_string_equal(go(&b, CS_BREAKER_OK, false, 40000), "");
	assert_string_equal(go(&b, CS_BREAKER_FAIL, false, 61000), "breaker.failed");   /* the first is a minute old */
	assert_int_equal(b.n_failed, 2);
	assert_string_equal(go(&b, CS_BREAKER_FAIL, false, 89999), "breaker.opened");
	assert_int_equal(b.state, CS_BREAKER_OPEN);
}

static void it_waits_twice_as_long_each_time_spread_and_capped(void **state)
{
	(void)state;
	cs_breaker b = opened(0);
	int64_t cool = rules.cool_ms;
	bool spread = false;
	for (int64_t now = 0, trips = 1; trips < 20; trips++) {
		assert_int_equal(b.trips, trips);
		int64_t waits = b.until - now;
		if (waits < cool || waits > cool + cool / 5)
			fail_msg("the %d. wait is of %lld ms", (int)trips, (long long)waits);
		spread = spread || waits != cool;
		assert_null(cs_breaker_wake(&b, b.until - 1));
		now = b.until;
		wake(&b, now);
		assert_int_equal(b.state, CS_BREAKER_HALF_OPEN);
		assert_string_equal(go(&b, CS_BREAKER_FAIL, false, now), "");    /* one that was under way before */
		assert_string_equal(go(&b, trips % 2 ? CS_BREAKER_FAIL : CS_BREAKER_AMBIGUOUS, true, now), "breaker.opened");
		cool = 2 * cool < 3600000 ? 2 * cool : 3600000;
	}
	assert_true(spread);
	wake(&b, b.until);
	assert_string_equal(go(&b, CS_BREAKER_OK, true, b.until), "breaker.closed");
	assert_int_equal(b.trips, 0);
	b = opened(b.until);
	assert_int_equal(b.trips, 1);    /* from the beginning */
}

static void a_target_is_the_host_and_the_port_that_is_said(void **state)
{
	(void)state;
	static const struct { const char *url, *host; } rows[] = {
		{ "https://Mail.Example.com/v1?x=1", "mail.example.com" }, { "http://127.0.0.1:8080", "127.0.0.1:8080" },
		{ "https://me:pw@x.example/#a", "x.example" }, { "https://[::1]:99/a@b", "[::1]:99" }, { "https:///path", NULL }, { "mail", NULL },
		{ NULL, NULL }, { "https://a-name-that-is-longer-than-what-there-is-room-for.example", NULL },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		char host[32] = "";
		assert_int_equal(cs_breaker_target(rows[i].url, host, sizeof host), rows[i].host != NULL);
		if (rows[i].host != NULL)
			assert_string_equal(host, rows[i].host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_counts_is_what_the_other_side_did),
		cmocka_unit_test(every_pair_leads_where_the_table_says),
		cmocka_unit_test(events_that_do_not_fit_are_refused),
		cmocka_unit_test(so_many_failures_within_the_window_open_it),
		cmocka_unit_test(it_waits_twice_as_long_each_time_spread_and_capped),
		cmocka_unit_test(a_target_is_the_host_and_the_port_that_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
