/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "agents/patterns.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/regex.h"
#include "core/http_request.h"

enum { ANSWERS_MAX = 1000, DEPTH_MAX = 64, WAIT_MAX_MS = 60000 };
#define USD_MAX 1e6

struct cs_fixtures {
	pthread_rwlock_t names;
	json_t *by_name;           /* under names: function to its list of answers. Only read and copied
				    * from, so that threads never touch a shared value's count. */
	pthread_mutex_t lock;
	json_t *counts;            /* under lock: run to function to a list of times used, by answer */
	atomic_bool wait;
	cs_patterns *patterns;
};

/* ---- checking ---- */

static const char *const answer_keys[] = { "when", "give", "fail", "times", "cost", "takes", NULL };
static const char *const fail_keys[] = { "type", "status", "title", "detail", "outcome", NULL };
static const char *const cost_keys[] = { "usd", "input", "output", NULL };
static const char *const doc_keys[] = { "function", "answers", NULL };

static int check_keys(const json_t *o, const char *const *known, const char *what, cs_err *err)
{
	const char *key;
	json_t *v;
	if (!json_is_object(o))
		return cs_err_set(err, CS_EINVAL, "%s is a map", what);
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		size_t i = 0;
		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i])
			return cs_err_set(err, CS_EINVAL, "%s: \"%.64s\" is not known", what, key);
	}
	return CS_OK;
}

/* The pattern of {matches: PATTERN}, or NULL. */
static const char *pattern_of(const json_t *want)
{
	return json_is_object(want) && json_object_size(want) == 1 ? cs_json_str(want, "matches") : NULL;
}

static int check_when(const json_t *want, int depth, cs_err *err)
{
	const char *key, *pattern = pattern_of(want);
	json_t *v;
	cs_regex *r CS_CLEANUP(cs_regex_freep) = NULL;
	if (depth > DEPTH_MAX)
		return cs_err_set(err, CS_EINVAL, "when is nested too deep");
	if (pattern)
		return cs_regex_new(pattern, 0, &r, err);
	json_object_foreach((json_t *)(uintptr_t)want, key, v) {
		int rc = check_when(v, depth + 1, err);
		if (rc < 0)
			return rc;
	}
	return CS_OK;
}

static int check_fail(const json_t *fail, cs_err *err)
{
	cs_error_type type;
	cs_outcome_kind kind;
	const char *outcome = cs_json_str(fail, "outcome"), *word = cs_json_str(fail, "type");
	int rc = check_keys(fail, fail_keys, "fail", err);
	if (rc < 0)
		return rc;
	if (!word || cs_error_type_parse(word, &type) < 0)
		return cs_err_set(err, CS_EINVAL,
				  "fail.type is configuration, validation, expression, authentication, authorization, timeout, communication or runtime");
	const json_t *status = json_object_get(fail, "status");
	if (status && (!json_is_integer(status) || json_integer_value(status) < 100 || json_integer_value(status) > 599))
		return cs_err_set(err, CS_EINVAL, "fail.status is a number from 100 to 599");
	if (!outcome)
		return CS_OK;
	rc = cs_outcome_kind_parse(outcome, &kind, err);
	return rc == CS_OK && kind == CS_OUTCOME_DONE ? cs_err_set(err, CS_EINVAL, "fail.outcome cannot be done") : rc;
}

static int check_cost(const json_t *cost, cs_err *err)
{
	int rc = check_keys(cost, cost_keys, "cost", err);
	const json_t *usd = json_object_get(cost, "usd");
	if (rc == CS_OK && usd && (!json_is_number(usd) || !(json_number_value(usd) >= 0 && json_number_value(usd) <= USD_MAX)))
		return cs_err_set(err, CS_EINVAL, "cost.usd is a number of dollars");
	return rc;
}

static int check_times(const json_t *times, cs_err *err)
{
	if (!json_is_integer(times) || json_integer_value(times) < 1)
		return cs_err_set(err, CS_EINVAL, "times is a whole number from 1");
	return CS_OK;
}

static int check_takes(const json_t *takes, cs_err *err)
{
	int64_t ms;
	if (!json_is_string(takes) || cs_duration_parse(json_string_value(takes), &ms, NULL) < 0)
		return cs_err_set(err, CS_EINVAL, "takes is a duration as in PT0.4S");
	return CS_OK;
}

static int check_conditions(const json_t *when, cs_err *err)
{
	if (!json_is_object(when))
		return cs_err_set(err, CS_EINVAL, "when is a map of the input's members");
	return check_when(when, 0, err);
}

static const struct {
	const char *key;
	int (*check)(const json_t *v, cs_err *err);
} answer_parts[] = {
	{ "when", check_conditions },
	{ "fail", check_fail },
	{ "times", check_times },
	{ "cost", check_cost },
	{ "takes", check_takes },
};

static int check_answer(const json_t *a, cs_err *err)
{
	int rc = check_keys(a, answer_keys, "an answer", err);
	if (rc < 0)
		return rc;
	if (!json_object_get(a, "give") == !json_object_get(a, "fail"))
		return cs_err_set(err, CS_EINVAL, "an answer has either give or fail");
	for (size_t i = 0; i < CS_ARRAY_LEN(answer_parts); i++) {
		const json_t *v = json_object_get(a, answer_parts[i].key);
		rc = v ? answer_parts[i].check(v, err) : CS_OK;
		if (rc < 0)
			return rc;
	}
	return CS_OK;
}

static int check_doc(const json_t *doc, cs_err *err)
{
	cs_err why = { 0 };
	const char *name = cs_json_str(doc, "function");
	const json_t *answers = json_object_get(doc, "answers");
	int rc = check_keys(doc, doc_keys, "fixture", err);
	if (rc < 0)
		return rc;
	if (!name || !*name)
		return cs_err_set(err, CS_EINVAL, "fixture: function says whose answers these are");
	if (!json_is_array(answers) || json_array_size(answers) > ANSWERS_MAX)
		return cs_err_set(err, CS_EINVAL, "fixture %.64s: answers is a list of at most %d", name, ANSWERS_MAX);
	for (size_t i = 0; i < json_array_size(answers); i++) {
		rc = check_answer(json_array_get(answers, i), &why);
		if (rc < 0)
			return cs_err_set(err, rc, "fixture %.64s: answer %zu: %s", name, i + 1, why.msg);
	}
	return CS_OK;
}

static int index_docs(const json_t *docs, json_t **ret, cs_err *err)
{
	json_t *by_name CS_AUTOJSON = json_object();
	for (size_t i = 0; i < json_array_size(docs); i++) {
		const json_t *doc = json_array_get(docs, i);
		int rc = check_doc(doc, err);
		if (rc < 0)
			return rc;
		const char *name = cs_json_str(doc, "function");
		if (json_object_get(by_name, name))
			return cs_err_set(err, CS_EINVAL, "fixture %.64s: there are two; put the answers into one file", name);
		json_object_set_new(by_name, name, json_deep_copy(json_object_get(doc, "answers")));
	}
	*ret = CS_STEAL(by_name);
	return CS_OK;
}

/* ---- choosing ---- */

/* 1 met, 0 not, negative: a pattern searched too long. */
static int meets(cs_patterns *p, const json_t *want, const json_t *value, cs_err *err)
{
	const char *key, *pattern = pattern_of(want);
	json_t *v;
	if (pattern)
		return json_is_string(value)
			? cs_patterns_match(p, pattern, json_string_value(value), json_string_length(value), err) : 0;
	if (!json_is_object(want))
		return value && cs_json_equal(want, value);
	if (!json_is_object(value))
		return 0;
	json_object_foreach((json_t *)(uintptr_t)want, key, v) {
		int rc = meets(p, v, json_object_get(value, key), err);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

/* The list of counts of (run, function), made where it is not there. Under the lock. */
static json_t *counts_of(cs_fixtures *f, const char *run, const char *function, size_t n)
{
	json_t *of_run = json_object_get(f->counts, run);
	if (!of_run) {
		of_run = json_object();
		json_object_set_new(f->counts, run, of_run);
	}
	json_t *list = json_object_get(of_run, function);
	if (!list) {
		list = json_array();
		json_object_set_new(of_run, function, list);
	}
	while (json_array_size(list) < n)
		json_array_append_new(list, json_integer(0));
	return list;
}

static void count_one(json_t *list, size_t i)
{
	json_t *n = json_array_get(list, i);
	json_integer_set(n, json_integer_value(n) + 1);
}

/* Takes one of the answer's times; false when they are used up. */
static bool take_time(cs_fixtures *f, const cs_effect *e, const json_t *answer, size_t i)
{
	int64_t times = cs_json_int_or(answer, "times", 0);
	if (times == 0)
		return true;
	pthread_mutex_lock(&f->lock);
	json_t *list = counts_of(f, e->run, e->call, i + 1);
	bool left = json_integer_value(json_array_get(list, i)) < times;
	if (left)
		count_one(list, i);
	pthread_mutex_unlock(&f->lock);
	return left;
}

/* ---- answering ---- */

static cs_outcome_kind fail_kind(const cs_effect *e, const json_t *fail, cs_error_type type, int status)
{
	cs_outcome_kind kind = CS_OUTCOME_REJECTED;
	const char *said = cs_json_str(fail, "outcome");
	if (said && cs_outcome_kind_parse(said, &kind, NULL) == CS_OK)
		return kind;
	if (type == CS_ERROR_TIMEOUT)
		return CS_OUTCOME_AMBIGUOUS;
	if (type != CS_ERROR_COMMUNICATION)
		return CS_OUTCOME_REJECTED;
	kind = cs_http_outcome_kind(e->class, status, false, false);
	return kind == CS_OUTCOME_DONE ? CS_OUTCOME_AMBIGUOUS : kind;
}

static cs_outcome *failing(const cs_effect *e, const json_t *fail)
{
	cs_error_type type = CS_ERROR_RUNTIME;
	cs_error_type_parse(cs_json_str_or(fail, "type", ""), &type);
	int status = (int)cs_json_int_or(fail, "status", cs_error_type_status(type));
	cs_outcome *o = cs_outcome_new(fail_kind(e, fail, type, status));
	o->error = cs_error_object(type, status, cs_json_str_or(fail, "title", "A failure that the fixture asked for"),
				   cs_json_str(fail, "detail"));
	return o;
}

static void wait_for(int64_t ms)
{
	int64_t bounded = ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms;
	struct timespec left = { .tv_sec = (time_t)(bounded / 1000), .tv_nsec = (long)(bounded % 1000) * 1000000 };
	while (nanosleep(&left, &left) < 0)
		;
}

static cs_outcome *answer_with(const cs_effect *e, const json_t *answer, size_t i)
{
	const json_t *fail = json_object_get(answer, "fail");
	const json_t *cost = json_object_get(answer, "cost");
	const char *takes = cs_json_str(answer, "takes");
	int64_t ms = 0;
	cs_outcome *o = fail ? failing(e, fail) : cs_outcome_new(CS_OUTCOME_DONE);
	if (!fail)
		o->result = json_deep_copy(json_object_get(answer, "give"));
	o->cost_micro = (int64_t)(json_number_value(json_object_get(cost, "usd")) * 1e6 + 0.5);
	o->record = json_object();
	json_object_set_new(o->record, "simulated", json_true());
	json_object_set_new(o->record, "fixture",
			    json_pack("{s:s, s:I}", "function", e->call, "answer", (json_int_t)(i + 1)));
	if (cost)
		json_object_set_new(o->record, "cost", json_deep_copy(cost));
	if (takes && cs_duration_parse(takes, &ms, NULL) == CS_OK)
		json_object_set_new(o->record, "takes_ms", json_integer(ms));
	return o;
}

/* Nothing fits: what sends is taken as sent, what gives a value cannot be made up. */
static cs_outcome *unanswered(const cs_effect *e, bool have_file)
{
	if (cs_effect_class_sends(e->class)) {
		cs_outcome *o = cs_outcome_new(CS_OUTCOME_DONE);
		o->result = json_pack("{s:b}", "simulated", 1);
		o->record = json_pack("{s:b}", "simulated", 1);
		return o;
	}
	if (have_file)
		return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_CONFIGURATION, 0, "No answer fits",
					 "no answer in fixtures/%s.yaml fits this input; add one without when", e->call);
	return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_CONFIGURATION, 0, "No fixture",
				 "%s is simulated and has no answers; write fixtures/%s.yaml with function: %s and answers",
				 e->call, e->call, e->call);
}

/* Under names. */
static cs_outcome *choose(cs_fixtures *f, const cs_effect *e)
{
	const json_t *answers = json_object_get(f->by_name, e->call);
	for (size_t i = 0; i < json_array_size(answers); i++) {
		const json_t *a = json_array_get(answers, i), *when = json_object_get(a, "when");
		cs_err err = { 0 };
		int rc = when ? meets(f->patterns, when, e->input, &err) : 1;
		if (rc < 0)
			return cs_outcome_failed(CS_OUTCOME_REJECTED, CS_ERROR_CONFIGURATION, 0, "Fixture that cannot be asked",
						 "fixtures/%s.yaml: answer %zu: %s", e->call, i + 1, err.msg);
		if (rc == 1 && take_time(f, e, a, i))
			return answer_with(e, a, i);
	}
	return unanswered(e, answers != NULL);
}

/* What would take longer than its timeout ends like the real one: whether it happened is not known. */
static cs_outcome *in_time(const cs_effect *e, cs_outcome *o, int64_t *ret_takes)
{
	*ret_takes = cs_json_int_or(o->record, "takes_ms", 0);
	if (e->timeout_ms <= 0 || *ret_takes <= e->timeout_ms)
		return o;
	cs_outcome *late = cs_outcome_failed(CS_OUTCOME_AMBIGUOUS, CS_ERROR_TIMEOUT, 0, NULL, "the fixture takes %lld ms, the timeout of %s is %lld ms",
					     (long long)*ret_takes, e->call, (long long)e->timeout_ms);
	late->record = CS_STEAL(o->record);
	late->cost_micro = o->cost_micro;
	*ret_takes = e->timeout_ms;
	cs_outcome_free(o);
	return late;
}

static int perform(void *self, const cs_effect *e, cs_outcome_fn *done, void *ctx, cs_err *err)
{
	(void)err;
	cs_fixtures *f = self;
	pthread_rwlock_rdlock(&f->names);
	cs_outcome *o = choose(f, e);
	pthread_rwlock_unlock(&f->names);
	int64_t takes = 0;
	o = in_time(e, o, &takes);
	if (f->wait)
		wait_for(takes);
	done(ctx, o);
	return CS_OK;
}

/* ---- life ---- */

int cs_fixtures_new(const json_t *docs, cs_fixtures **ret, cs_err *err)
{
	json_t *by_name;
	int rc = index_docs(docs, &by_name, err);
	if (rc < 0)
		return rc;
	cs_fixtures *f = cs_xcalloc(1, sizeof *f);
	pthread_mutex_init(&f->lock, NULL);
	pthread_rwlock_init(&f->names, NULL);
	f->by_name = by_name;
	f->counts = json_object();
	f->patterns = cs_patterns_new();
	*ret = f;
	return CS_OK;
}

void cs_fixtures_free(cs_fixtures *f)
{
	if (!f)
		return;
	json_decref(f->by_name);
	json_decref(f->counts);
	cs_patterns_free(f->patterns);
	pthread_mutex_destroy(&f->lock);
	pthread_rwlock_destroy(&f->names);
	free(f);
}

int cs_fixtures_replace(cs_fixtures *f, const json_t *docs, cs_err *err)
{
	json_t *by_name;
	int rc = index_docs(docs, &by_name, err);
	if (rc < 0)
		return rc;
	pthread_rwlock_wrlock(&f->names);
	json_t *old = f->by_name;
	f->by_name = by_name;
	pthread_rwlock_unlock(&f->names);
	json_decref(old);
	return CS_OK;
}

void cs_fixtures_wait(cs_fixtures *f, bool wait)
{
	f->wait = wait;
}

void cs_fixtures_used(cs_fixtures *f, const char *run, const char *function, size_t answer)
{
	if (answer == 0 || answer > ANSWERS_MAX)
		return;
	pthread_mutex_lock(&f->lock);
	count_one(counts_of(f, run, function, answer), answer - 1);
	pthread_mutex_unlock(&f->lock);
}

void cs_fixtures_forget(cs_fixtures *f, const char *run)
{
	pthread_mutex_lock(&f->lock);
	json_object_del(f->counts, run);
	pthread_mutex_unlock(&f->lock);
}

bool cs_fixtures_has(cs_fixtures *f, const char *function)
{
	pthread_rwlock_rdlock(&f->names);
	bool has = json_object_get(f->by_name, function) != NULL;
	pthread_rwlock_unlock(&f->names);
	return has;
}

cs_performer cs_fixtures_performer(cs_fixtures *f)
{
	return (cs_performer){ .kind = "fixture", .blocking = true, .perform = perform, .self = f };
}
