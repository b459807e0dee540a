/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fold of task.* and attempt.*. */
#include "store/projection.h"
#include <string.h>
#include "base/json.h"
#include "store/sql.h"

static int need_task(const cs_event *ev, cs_err *err)
{
	if (ev->task && ev->run[0] && ev->occurrence >= 1)
		return CS_OK;
	return cs_err_set(err, CS_EINVAL, "event %s: needs a run, a task and its occurrence", ev->type);
}

int cs_fold_task_started(cs_fold *f, const cs_event *ev, cs_err *err)
{
	int rc = need_task(ev, err);
	return rc ? rc : cs_fold_do(f, CS_FOLD_TASK_START, err, "ssiii", ev->run, ev->task,
				    (int64_t)ev->occurrence, ev->at, ev->seq);
}

int cs_fold_task_ended(cs_fold *f, const cs_event *ev, cs_err *err)
{
	int rc = need_task(ev, err);
	return rc ? rc : cs_fold_do(f, CS_FOLD_TASK_END, err, "ssisii", ev->run, ev->task,
				    (int64_t)ev->occurrence, cs_fold_verb(ev), ev->at, ev->seq);
}

int cs_fold_task_touched(cs_fold *f, const cs_event *ev, cs_err *err)
{
	int rc = need_task(ev, err);
	return rc ? rc : cs_fold_do(f, CS_FOLD_TASK_TOUCH, err, "ssii", ev->run, ev->task,
				    (int64_t)ev->occurrence, ev->seq);
}

int cs_fold_attempt_intent(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const json_t *d = ev->data;
	const char *key = cs_fold_need(ev, "key", err);
	if (!key)
		return CS_EINVAL;
	sqlite3_stmt *st;
	int rc = cs_fold_get(f, CS_FOLD_ATTEMPT_INTENT, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "sississssiiiisi", key, cs_json_int_or(d, "n", 1), ev->run, ev->task,
		    (int64_t)ev->occurrence, cs_json_str(d, "call"), cs_json_str(d, "connector"),
		    cs_json_str_or(d, "class", "unsafe"), cs_json_str(d, "digest"), cs_json_int_or(d, "epoch", 0),
		    (int64_t)0, ev->at, ev->seq, cs_json_str(d, "approval"), (int64_t)ev->simulated);
	cs_fold_bind_time(st, 11, ev, "deadline");
	rc = cs_sql_done(st, "an attempt's intent", err);
	const char *once = cs_json_str(d, "once");
	if (!rc && once)
		rc = cs_fold_do(f, CS_FOLD_ONCE_INTENT, err, "sssssii", once, ev->run, ev->task, key, cs_json_str(d, "digest"),
				cs_json_int_or(d, "once_n", 1), ev->seq);
	if (rc || !ev->task)
		return rc;
	return cs_fold_do(f, CS_FOLD_TASK_ATTEMPT, err, "ssiii", ev->run, ev->task, (int64_t)ev->occurrence,
			  ev->at, ev->seq);
}

static int add_cost(cs_fold *f, const cs_event *ev, int64_t cost, cs_err *err)
{
	if (cost == 0)
		return CS_OK;
	int rc = cs_fold_do(f, CS_FOLD_RUN_COST, err, "si", ev->run, cost);
	if (rc || !ev->task)
		return rc;
	return cs_fold_do(f, CS_FOLD_TASK_COST, err, "ssii", ev->run, ev->task, (int64_t)ev->occurrence, cost);
}

typedef struct attempt {
	const char *key;
	int64_t n;
	char class[16];
} attempt;

static int find_attempt(cs_fold *f, const cs_event *ev, attempt *ret, cs_err *err)
{
	attempt a = { .key = cs_fold_need(ev, "key", err) };
	if (!a.key)
		return CS_EINVAL;
	sqlite3_stmt *st;
	int rc = cs_fold_get(f, CS_FOLD_ATTEMPT_FIND, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "ss", a.key, ev->run);
	if (sqlite3_step(st) != SQLITE_ROW) {
		sqlite3_reset(st);
		return cs_err_set(err, CS_EINVAL, "event %s: there is no intent with the key %s", ev->type, a.key);
	}
	a.n = sqlite3_column_int64(st, 0);
	snprintf(a.class, sizeof a.class, "%s", cs_sql_text(st, 1));
	sqlite3_reset(st);
	*ret = a;
	return CS_OK;
}

static int move(cs_fold *f, const cs_event *ev, const attempt *a, const char *state, bool ended, cs_err *err)
{
	int64_t cost = cs_json_int_or(ev->data, "cost", 0);
	sqlite3_stmt *st;
	int rc = cs_fold_get(f, CS_FOLD_ATTEMPT_MOVE, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "ssisiiii", a->key, ev->run, a->n, state, (int64_t)0, ev->at, ev->seq, cost);
	cs_fold_bind_time(st, 5, ev, "due");
	if (!ended)
		sqlite3_bind_null(st, 6);
	rc = cs_sql_done(st, "folding an attempt", err);
	const char *once = cs_json_str(ev->data, "once");
	if (!rc && once)
		rc = cs_fold_do(f, CS_FOLD_ONCE_MOVE, err, "sssi", once, a->key, state, ev->seq);
	if (!rc && ev->task)
		rc = cs_fold_do(f, CS_FOLD_TASK_TOUCH, err, "ssii", ev->run, ev->task, (int64_t)ev->occurrence, ev->seq);
	return rc ? rc : add_cost(f, ev, cost, err);
}

int cs_fold_attempt_ended(cs_fold *f, const cs_event *ev, cs_err *err)
{
	attempt a;
	int rc = find_attempt(f, ev, &a, err);
	return rc ? rc : move(f, ev, &a, cs_fold_verb(ev), true, err);
}

int cs_fold_attempt_retry(cs_fold *f, const cs_event *ev, cs_err *err)
{
	attempt a;
	int rc = find_attempt(f, ev, &a, err);
	return rc ? rc : move(f, ev, &a, "retry-wait", false, err);
}

int cs_fold_attempt_ambiguous(cs_fold *f, const cs_event *ev, cs_err *err)
{
	attempt a;
	int rc = find_attempt(f, ev, &a, err);
	if (rc)
		return rc;
	const char *class = cs_json_str_or(ev->data, "class", a.class);
	const char *state = "in-doubt";
	if (strcmp(class, "probe") == 0)
		state = "probing";
	else if (strcmp(class, "pure") == 0 || strcmp(class, "read") == 0 || strcmp(class, "keyed") == 0)
		state = "retry-wait";
	state = cs_json_str_or(ev->data, "to", state);
	return move(f, ev, &a, state, strcmp(state, "failed") == 0, err);
}

/* A replay's call: nothing was sent, so there is no intent; the row says what stood in its place. */
int cs_fold_attempt_shadow(cs_fold *f, const cs_event *ev, cs_err *err)
{
	int rc = need_task(ev, err);
	if (rc)
		return rc;
	CS_AUTOFREE char *key = cs_xasprintf("replay:%s#%d", ev->task, ev->occurrence);
	sqlite3_stmt *st;
	rc = cs_fold_get(f, CS_FOLD_ATTEMPT_INTENT, &st, err);
	if (rc)
		return rc;
	const json_t *d = ev->data;
	cs_sql_bind(st, "sississssiiiisi", key, (int64_t)1, ev->run, ev->task, (int64_t)ev->occurrence,
		    cs_json_str(d, "call"), cs_json_str(d, "connector"), cs_json_str_or(d, "class", "unsafe"),
		    cs_json_str(d, "digest"), (int64_t)0, (int64_t)0, ev->at, ev->seq, (const char *)NULL, (int64_t)ev->simulated);
	sqlite3_bind_null(st, 11);
	rc = cs_sql_done(st, "a replay's call", err);
	attempt a = { .key = key, .n = 1 };
	return rc ? rc : move(f, ev, &a, cs_fold_verb(ev), true, err);
}

int cs_fold_attempt_resolved(cs_fold *f, const cs_event *ev, cs_err *err)
{
	static const struct { const char *how, *state; } ends[] = {
		{ "happened", "done" }, { "did-not", "failed" }, { "repeat", "superseded" },
	};
	const char *how = cs_fold_need(ev, "how", err);
	if (!how)
		return CS_EINVAL;
	attempt a;
	int rc = find_attempt(f, ev, &a, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < CS_ARRAY_LEN(ends); i++) {
		if (strcmp(ends[i].how, how) == 0)
			return move(f, ev, &a, ends[i].state, true, err);
	}
	return cs_err_set(err, CS_EINVAL, "event attempt.resolved: %s is none of happened, did-not, repeat", how);
}

/* What was done under a business key is so no more once it is taken back. */
int cs_fold_reversal_moved(cs_fold *f, const cs_event *ev, cs_err *err)
{
	static const struct { const char *verb, *state; } moves[] = {
		{ "begun", "reversing" }, { "reversed", "reversed" }, { "waived", "done" },
	};
	const char *once = cs_json_str(ev->data, "once"), *key = cs_fold_need(ev, "key", err);
	if (!key)
		return CS_EINVAL;
	for (size_t i = 0; once && i < CS_ARRAY_LEN(moves); i++) {
		if (strcmp(moves[i].verb, cs_fold_verb(ev)) == 0)
			return cs_fold_do(f, CS_FOLD_ONCE_REVERSE, err, "sss", once, key, moves[i].state);
	}
	return CS_OK;
}
