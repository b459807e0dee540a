/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "agents/fixture.h"
#include "base/clock.h"
#include "base/mem.h"
#include "tests/support/perform.h"

static const char docs[] =
	"[{\"function\":\"qualifier\",\"answers\":["
	"{\"when\":{\"text\":{\"matches\":\"newsletter\"}},\"give\":{\"fit\":\"yes\"},\"cost\":{\"usd\":0.0004,\"input\":210,\"output\":18},\"takes\":\"PT0.4S\"},"
	"{\"when\":{\"lead\":{\"name\":\"Ann\",\"deep\":{\"n\":1}}},\"give\":\"ann\"},"
	"{\"fail\":{\"type\":\"communication\",\"status\":503},\"times\":2},"
	"{\"give\":{\"fit\":\"ask\"}}]},"
	"{\"function\":\"pay\",\"answers\":[{\"when\":{\"n\":1},\"fail\":{\"type\":\"communication\",\"status\":402}},"
	"{\"when\":{\"n\":2},\"fail\":{\"type\":\"timeout\"}},{\"when\":{\"n\":3},\"fail\":{\"type\":\"communication\",\"outcome\":\"not-sent\"}},"
	"{\"when\":{\"n\":4},\"fail\":{\"type\":\"authorization\"}}]}]";

static cs_fixtures *fresh(void)
{
	json_t *d CS_AUTOJSON = json_of(docs);
	cs_fixtures *f;
	cs_err err = { 0 };
	if (cs_fixtures_new(d, &f, &err) < 0)
		fail_msg("%s", err.msg);
	return f;
}

static void fixtures_freep(cs_fixtures **f)
{
	cs_fixtures_free(*f);
}
#define AUTOFIXTURES CS_CLEANUP(fixtures_freep)

static cs_outcome *ask(cs_fixtures *f, const char *run, const char *function, cs_effect_class class, const char *input)
{
	json_t *in CS_AUTOJSON = json_of(input);
	cs_performer p = cs_fixtures_performer(f);
	cs_effect e = { .task = "/do/0/x", .key = "", .call = function, .class = class, .input = in, .simulated = true };
	snprintf(e.run, sizeof e.run, "%s", run);
	cs_err err = { 0 };
	return perform_effect(&p, &e, &err);
}

static void the_first_answer_that_fits_is_given(void **state)
{
	(void)state;
	cs_fixtures *f AUTOFIXTURES = fresh();
	int64_t began = cs_clock_mono_ns();
	cs_outcome *o CS_AUTOOUTCOME = ask(f, "r1", "qualifier", CS_EFFECT_READ, "{\"text\":\"the newsletter, please\"}");
	assert_int_equal(o->kind, CS_OUTCOME_DONE);
	assert_string_equal(cs_json_str(o->result, "fit"), "yes");
	assert_int_equal(o->cost_micro, 400);
	assert_int_equal(cs_json_int_or(o->record, "takes_ms", 0), 400);
	assert_true(cs_json_true(o->record, "simulated"));
	assert_int_equal(cs_json_int_or(json_object_get(o->record, "fixture"), "answer", 0), 1);
	assert_true(cs_clock_mono_ns() - began < INT64_C(200000000));        /* recorded, not waited */
	cs_outcome *ann CS_AUTOOUTCOME = ask(f, "r1", "qualifier", CS_EFFECT_READ,
					     "{\"lead\":{\"name\":\"Ann\",\"age\":5,\"deep\":{\"n\":1.0,\"m\":2}}}");
	assert_string_equal(json_string_value(ann->result), "ann");
}

static void what_takes_longer_than_its_timeout_ends_as_one(void **state)
{
	(void)state;
	cs_fixtures *f AUTOFIXTURES = fresh();
	json_t *in CS_AUTOJSON = json_of("{\"text\":\"the newsletter, please\"}");
	cs_performer p = cs_fixtures_performer(f);
	cs_effect e = { .task = "/do/0/x", .key = "", .run = "r1", .call = "qualifier", .class = CS_EFFECT_READ, .input = in, .simulated = true,
			.timeout_ms = 399 };
	cs_err err = { 0 };
	cs_outcome *late CS_AUTOOUTCOME = perform_effect(&p, &e, &err);
	assert_int_equal(late->kind, CS_OUTCOME_AMBIGUOUS);
	assert_int_equal(cs_json_int_or(late->error, "status", 0), 408);
	assert_non_null(json_object_get(late->record, "fixture"));
	e.timeout_ms = 400;
	cs_outcome *in_time CS_AUTOOUTCOME = perform_effect(&p, &e, &err);
	assert_int_equal(in_time->kind, CS_OUTCOME_DONE);
}

static void times_are_counted_by_run_and_survive_a_restart(void **state)
{
	(void)state;
	cs_fixtures *f AUTOFIXTURES = fresh();
	static const cs_outcome_kind want[] = { CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_AMBIGUOUS, CS_OUTCOME_DONE, CS_OUTCOME_DONE };
	static const char *const runs[] = { "r1", "r2" };
	for (size_t r = 0; r < CS_ARRAY_LEN(runs); r++)
		for (size_t i = 0; i < CS_ARRAY_LEN(want); i++) {
			cs_outcome *o CS_AUTOOUTCOME = ask(f, runs[r], "qualifier", CS_EFFECT_READ, "{}");
			assert_int_equal(o->kind, want[i]);
		}
	/* another process, told what the log holds: one of the two is used */
	cs_fixtures *later AUTOFIXTURES = fresh();
	cs_fixtures_used(later, "r1", "qualifier", 3);
	cs_outcome *second CS_AUTOOUTCOME = ask(later, "r1", "qualifier", CS_EFFECT_READ, "{}");
	cs_outcome *third CS_AUTOOUTCOME = ask(later, "r1", "qualifier", CS_EFFECT_READ, "{}");
	assert_int_equal(second->kind, CS_OUTCOME_AMBIGUOUS);
	assert_int_equal(third->kind, CS_OUTCOME_DONE);
	cs_fixtures_forget(later, "r1");
	cs_outcome *anew CS_AUTOOUTCOME = ask(later, "r1", "qualifier", CS_EFFECT_READ, "{}");
	assert_int_equal(anew->kind, CS_OUTCOME_AMBIGUOUS);
}

static void a_failure_ends_as_it_would_live(void **state)
{
	(void)state;
	static const struct {
		const char *input;
		cs_outcome_kind kind;
		int status;
	} rows[] = {
		{ "{\"n\":1}", CS_OUTCOME_REJECTED, 402 }, { "{\"n\":2}", CS_OUTCOME_AMBIGUOUS, 408 },
		{ "{\"n\":3}", CS_OUTCOME_NOT_SENT, 500 }, { "{\"n\":4}", CS_OUTCOME_REJECTED, 403 },
	};
	cs_fixtures *f AUTOFIXTURES = fresh();
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		cs_outcome *o CS_AUTOOUTCOME = ask(f, "r1", "pay", CS_EFFECT_UNSAFE, rows[i].input);
		assert_int_equal(o->kind, rows[i].kind);
		assert_int_equal(cs_json_int_or(o->error, "status", 0), rows[i].status);
	}
}

static void without_an_answer_a_sender_is_simulated_and_a_reader_is_told_what_to_write(void **state)
{
	(void)state;
	cs_fixtures *f AUTOFIXTURES = fresh();
	static const cs_effect_class senders[] = { CS_EFFECT_KEYED, CS_EFFECT_PROBE, CS_EFFECT_UNSAFE };
	for (size_t i = 0; i < CS_ARRAY_LEN(senders); i++) {
		cs_outcome *o CS_AUTOOUTCOME = ask(f, "r1", "mail.send", senders[i], "{}");
		assert_int_equal(o->kind, CS_OUTCOME_DONE);
		assert_true(cs_json_true(o->result, "simulated"));
	}
	cs_outcome *none CS_AUTOOUTCOME = ask(f, "r1", "writer", CS_EFFECT_READ, "{}");
	assert_int_equal(none->kind, CS_OUTCOME_REJECTED);
	assert_string_equal(cs_json_str(none->error, "type"), CS_ERROR_BASE "configuration");
	assert_non_null(strstr(cs_json_str(none->error, "detail"), "fixtures/writer.yaml"));
	cs_outcome *unfit CS_AUTOOUTCOME = ask(f, "r1", "pay", CS_EFFECT_READ, "{}");
	assert_int_equal(unfit->kind, CS_OUTCOME_REJECTED);
	assert_non_null(strstr(cs_json_str(unfit->error, "detail"), "fixtures/pay.yaml"));
}

static void a_fixture_that_cannot_be_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *answer, *says;
	} rows[] = {
		{ "{}", "give or fail" }, { "{\"give\":1,\"fail\":{\"type\":\"timeout\"}}", "give or fail" },
		{ "{\"give\":1,\"tims\":1}", "\"tims\"" }, { "{\"give\":1,\"times\":0}", "times" },
		{ "{\"give\":1,\"takes\":\"soon\"}", "takes" }, { "{\"give\":1,\"when\":[]}", "when" },
		{ "{\"give\":1,\"when\":{\"a\":{\"matches\":\"(\"}}}", "answer 1" }, { "{\"give\":1,\"cost\":{\"usd\":-1}}", "usd" },
		{ "{\"fail\":{\"type\":\"sad\"}}", "fail.type" }, { "{\"fail\":{\"type\":\"timeout\",\"status\":99}}", "status" },
		{ "{\"fail\":{\"type\":\"timeout\",\"outcome\":\"done\"}}", "outcome" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++) {
		char *text CS_AUTOFREE = cs_xasprintf("[{\"function\":\"f\",\"answers\":[%s]}]", rows[i].answer);
		json_t *d CS_AUTOJSON = json_of(text);
		cs_fixtures *f = NULL;
		cs_err err = { 0 };
		assert_true(cs_fixtures_new(d, &f, &err) < 0);
		assert_null(f);
		if (!strstr(err.msg, rows[i].says))
			fail_msg("\"%s\" does not say %s", err.msg, rows[i].says);
	}
	json_t *twice CS_AUTOJSON = json_of("[{\"function\":\"f\",\"answers\":[]},{\"function\":\"f\",\"answers\":[]}]");
	cs_fixtures *f = NULL;
	assert_int_equal(cs_fixtures_new(twice, &f, NULL), CS_EINVAL);
}

static atomic_int failures;

static void *hammer(void *arg)
{
	for (int i = 0; i < 50; i++) {
		cs_outcome *o CS_AUTOOUTCOME = ask(arg, "shared", "qualifier", CS_EFFECT_READ, "{}");
		failures += o->kind != CS_OUTCOME_DONE;
	}
	return NULL;
}

static void threads_use_each_answer_exactly_its_times(void **state)
{
	(void)state;
	cs_fixtures *f AUTOFIXTURES = fresh();
	pthread_t t[4];
	for (size_t i = 0; i < CS_ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, f), 0);
	for (size_t i = 0; i < CS_ARRAY_LEN(t); i++)
		pthread_join(t[i], NULL);
	assert_int_equal(failures, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_answer_that_fits_is_given),
		cmocka_unit_test(what_takes_longer_than_its_timeout_ends_as_one),
		cmocka_unit_test(times_are_counted_by_run_and_survive_a_restart),
		cmocka_unit_test(a_failure_ends_as_it_would_live),
		cmocka_unit_test(without_an_answer_a_sender_is_simulated_and_a_reader_is_told_what_to_write),
		cmocka_unit_test(a_fixture_that_cannot_be_is_named),
		cmocka_unit_test(threads_use_each_answer_exactly_its_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
