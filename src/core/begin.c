/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a task of each kind begins: condition, input, then a table by kind. */
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/correct.h"
#include "core/frame.h"

/* A task about to begin. */
struct start {
	cs_view_of v;
	cs_run *r;
	cs_step *s;
	cs_frame *seq;
	const cs_task *t;
	int occurrence;
	bool tainted;            /* of its transformed input */
	int64_t deadline;        /* of its timeout; 0: none */
};

static int fail(struct start *b, int rc, const cs_err *why, cs_err *err)
{
	if (rc == CS_EAGAIN)
		return rc;
	return cs_step_raise_expr(b->r, b->s, b->t, b->occurrence, why, err);
}

static json_t *started_data(struct start *b)
{
	json_t *data = json_object();
	if (b->v.input != b->seq->last)
		json_object_set(data, "input", b->v.input);
	if (b->tainted)
		json_object_set_new(data, "tainted", json_true());
	if (b->deadline > 0)
		json_object_set_new(data, "deadline", json_integer(b->deadline));
	return data;
}

static int raise_word(struct start *b, const char *type, const char *detail, cs_err *err)
{
	CS_AUTOJSON json_t *error = cs_error_new(type, detail, b->t->ref);
	return cs_step_raise(b->r, b->s, b->t, b->occurrence, error, err);
}

/* The clock of a wait is a timer of its own, so that the log says when it was set and when it rang. */
static int begin_wait(struct start *b, cs_err *err)
{
	CS_AUTOJSON json_t *value = NULL;
	cs_err why = { 0 };
	int64_t ms = 0;
	int rc = cs_look(&b->v, CS_PHASE_BODY, b->t->body, b->v.input, &value, &why);
	if (rc != CS_OK)
		return fail(b, rc, &why, err);
	if (cs_duration_value(value, &ms, &why) != CS_OK)
		return raise_word(b, "validation", why.msg, err);
	char id[CS_ID_SIZE];
	b->s->new_id(b->s->ctx, id);
	int64_t due = b->s->now + ms;
	rc = cs_run_write(b->r, b->s, "timer.armed", b->t, b->occurrence,
			  json_pack("{s:s, s:I, s:{s:s}}", "timer", id, "due", (json_int_t)due, "what", "kind", "wait"), err);
	if (rc != CS_OK)
		return rc;
	json_t *data = started_data(b);
	json_object_set_new(data, "due", json_integer(due));
	json_object_set_new(data, "timer", json_string(id));
	return cs_run_write(b->r, b->s, "task.started", b->t, b->occurrence, data, err);
}

static int begin_composite(struct start *b, cs_err *err)
{
	return cs_run_write(b->r, b->s, "task.started", b->t, b->occurrence, started_data(b), err);
}

/* What the task calls with: as the flow says it, but for what the operator has corrected. */
static int look_with(struct start *b, json_t **ret, cs_err *why)
{
	CS_AUTOJSON json_t *args = NULL;
	bool said = b->t->body != NULL && !cs_correct_owns(b->r, "with", b->t, NULL);
	int rc = said ? cs_look(&b->v, CS_PHASE_BODY, b->t->body, b->v.input, &args, why) : CS_OK;
	if (rc != CS_OK)
		return rc;
	if (args == NULL)
		args = json_object();
	rc = cs_correct_apply(b->r, "with", b->t, &args, why);
	if (rc == CS_OK)
		*ret = CS_STEAL(args);
	return rc;
}

/* A function's task begins with what the call gives it, evaluated out here. */
static int begin_do(struct start *b, cs_err *err)
{
	CS_AUTOJSON json_t *args = NULL;
	cs_err why = { 0 };
	if (b->t->body == NULL)
		return begin_composite(b, err);
	int rc = look_with(b, &args, &why);
	if (rc != CS_OK)
		return fail(b, rc, &why, err);
	json_t *data = started_data(b);
	if (b->t->call != NULL)
		json_object_set_new(data, "vars", json_pack("{s:{s:O, s:O}}", b->t->call, "with", args, "input", b->v.input));
	else
		json_object_set(data, "args", args);
	if (b->t->call == NULL && !cs_correct_owns(b->r, "with", b->t, NULL) && cs_look_tainted(&b->v, b->t->body, b->tainted))
		json_object_set_new(data, "args_tainted", json_true());
	return cs_run_write(b->r, b->s, "task.started", b->t, b->occurrence, data, err);
}

static int begin_for(struct start *b, cs_err *err)
{
	CS_AUTOJSON json_t *items = NULL;
	cs_err why = { 0 };
	int rc = cs_look(&b->v, CS_PHASE_IN, b->t->in, b->v.input, &items, &why);
	if (rc != CS_OK)
		return fail(b, rc, &why, err);
	if (!json_is_array(items))
		return raise_word(b, "expression", "for.in must give an array", err);
	json_t *data = started_data(b);
	json_object_set(data, "items", items);
	return cs_run_write(b->r, b->s, "task.started", b->t, b->occurrence, data, err);
}

static int begin_set(struct start *b, cs_err *err)
{
	CS_AUTOJSON json_t *value = NULL;
	cs_err why = { 0 };
	int rc = cs_look(&b->v, CS_PHASE_BODY, b->t->body, b->v.input, &value, &why);
	if (rc != CS_OK)
		return fail(b, rc, &why, err);
	bool tainted = cs_look_tainted(&b->v, b->t->body, b->tainted);
	return cs_step_finish(&b->v, b->occurrence, value, tainted, NULL, err);
}

static int begin_switch(struct start *b, cs_err *err)
{
	const cs_switch_case *taken = NULL, *otherwise = NULL;
	bool undecided = false;
	for (int i = 0; i < b->t->n_cases && taken == NULL; i++) {
		const cs_switch_case *c = &b->t->cases[i];
		bool yes = false;
		cs_err why = { 0 };
		int rc = c->when == NULL ? CS_OK : cs_look_true(&b->v, CS_PHASE_CASE, c->when, b->v.input, &yes, &why);
		if (c->when == NULL)
			otherwise = c;            /* wherever it stands, it holds when no other does */
		else if (rc == CS_EAGAIN)
			undecided = true;         /* the later cases are asked for at once */
		else if (rc != CS_OK)
			return fail(b, rc, &why, err);
		else if (yes && !undecided)
			taken = c;
	}
	if (undecided)
		return CS_EAGAIN;
	taken = taken != NULL ? taken : otherwise;
	json_t *data = json_pack("{s:i}", "then", taken != NULL ? taken->then : b->t->then);
	if (taken != NULL)
		json_object_set_new(data, "case", json_string(taken->name));
	return cs_step_finish(&b->v, b->occurrence, b->v.input, b->tainted, data, err);
}

static int begin_raise(struct start *b, cs_err *err)
{
	CS_AUTOJSON json_t *error = NULL;
	cs_err why = { 0 };
	int rc = cs_look(&b->v, CS_PHASE_BODY, b->t->body, b->v.input, &error, &why);
	if (rc != CS_OK)
		return fail(b, rc, &why, err);
	return cs_step_raise(b->r, b->s, b->t, b->occurrence, error, err);
}

/* CloudEvents 1.0: what the flow leaves out is filled in. */
static json_t *whole_event(struct start *b, const json_t *with)
{
	json_t *event = json_deep_copy(with);
	char id[CS_ID_SIZE], at[CS_TIME_SIZE];
	const cs_flow *flow = b->r->flow;
	b->s->new_id(b->s->ctx, id);
	cs_time_format(b->s->now, at);
	if (json_object_get(event, "id") == NULL)
		json_object_set_new(event, "id", json_string(id));
	if (json_object_get(event, "source") == NULL)
		json_object_set_new(event, "source", json_sprintf("/%s/%s/%s", flow->ns, flow->name, flow->version));
	if (json_object_get(event, "time") == NULL)
		json_object_set_new(event, "time", json_string(at));
	json_object_set_new(event, "specversion", json_string("1.0"));
	return event;
}

/* Written and offered once: one that is in the log already is said to be there, and offered to
 * nobody; a replay's stays in the replay. */
static int emit(struct start *b, json_t *event, bool tainted, cs_err *err)
{
	cs_step *s = b->s;
	bool fresh = true;
	int rc = b->r->shadow || s->fresh == NULL ? CS_OK : s->fresh(s->ctx, b->r, event, &fresh, err);
	if (rc != CS_OK)
		return rc;
	json_t *data = json_pack("{s:O}", "event", event);
	if (tainted)
		json_object_set_new(data, "tainted", json_true());
	if (!fresh)
		json_object_set_new(data, "duplicate", json_true());
	if (b->r->shadow)
		json_object_set_new(data, "shadow", json_true());
	rc = cs_run_write(b->r, s, "event.emitted", b->t, b->occurrence, data, err);
	if (rc != CS_OK || !fresh || b->r->shadow || s->offer == NULL)
		return rc;
	return s->offer(s->ctx, b->r, event, tainted, b->r->last_seq, err);
}

static int begin_emit(struct start *b, cs_err *err)
{
	CS_AUTOJSON json_t *known = b->seq->emitted != NULL ? json_incref(b->seq->emitted) : NULL;
	if (known != NULL)               /* it is out; only its output was not made yet */
		return cs_step_finish(&b->v, b->occurrence, json_object_get(known, "event"), cs_json_true(known, "tainted"), NULL, err);
	CS_AUTOJSON json_t *with = NULL;
	cs_err why = { 0 };
	int rc = cs_look(&b->v, CS_PHASE_BODY, b->t->body, b->v.input, &with, &why);
	if (rc != CS_OK)
		return fail(b, rc, &why, err);
	CS_AUTOJSON json_t *event = whole_event(b, with);
	CS_AUTOJSON json_t *invalid = cs_event_complaint(event, b->t->ref);
	if (invalid != NULL)
		return cs_step_raise(b->r, b->s, b->t, b->occurrence, invalid, err);
	bool tainted = cs_look_tainted(&b->v, b->t->body, b->tainted);
	rc = emit(b, event, tainted, err);
	return rc != CS_OK ? rc : cs_step_finish(&b->v, b->occurrence, event, tainted, NULL, err);
}

/* Which arguments come from untrusted bytes, by their top-level name. */
struct arg_taint {
	struct start *b;
	json_t *names;
};

static int taint_of_arg(void *ctx, const cs_expr *e, const char *pointer)
{
	struct arg_taint *a = ctx;
	if (!cs_look_tainted_expr(&a->b->v, e, a->b->tainted))
		return 0;
	const char *name = pointer[0] == '/' ? pointer + 1 : pointer;
	size_t len = strcspn(name, "/"), i;
	CS_AUTOFREE char *top = cs_xasprintf("%.*s", (int)len, name);
	json_t *known;
	if (cs_correct_owns(a->b->r, "with", a->b->t, top))
		return 0;                /* what the operator wrote is clean */
	json_array_foreach(a->names, i, known)
		if (json_string_length(known) == len && memcmp(json_string_value(known), name, len) == 0)
			return 0;
	json_array_append_new(a->names, json_stringn(name, len));
	return 0;
}

static int begin_call(struct start *b, cs_err *err)
{
	CS_AUTOJSON json_t *args = NULL;
	cs_err why = { 0 };
	int rc = look_with(b, &args, &why);
	if (rc != CS_OK)
		return fail(b, rc, &why, err);
	const cs_function *fn = b->s->function(b->s->ctx, b->r, b->t->call);
	CS_AUTOJSON json_t *error = NULL;
	if (fn == NULL) {
		CS_AUTOFREE char *text = cs_xasprintf("There is no function %s in this workspace: put its connector's or agent's file there (an imported run brings none), then `capstan check`", b->t->call);
		error = cs_error_new("configuration", text, b->t->ref);
	} else {
		error = cs_schema_complaint(fn->input, args, "The input", b->t->ref);
	}
	if (error != NULL)
		return cs_step_raise(b->r, b->s, b->t, b->occurrence, error, err);
	json_t *data = started_data(b);
	json_object_set(data, "args", args);
	json_object_set_new(data, "call", json_string(b->t->call));
	struct arg_taint taint = { .b = b, .names = json_array() };
	if (b->t->body != NULL)
		(void)cs_template_each(b->t->body, taint_of_arg, &taint);
	if (json_array_size(taint.names) > 0)
		json_object_set(data, "tainted_args", taint.names);
	json_decref(taint.names);
	return cs_run_write(b->r, b->s, "task.started", b->t, b->occurrence, data, err);
}

static int begin_run(struct start *b, cs_err *err)
{
	CS_AUTOJSON json_t *input = NULL;
	cs_err why = { 0 };
	int rc = look_with(b, &input, &why);
	if (rc != CS_OK)
		return fail(b, rc, &why, err);
	cs_sub_start start = { .seq = b->seq, .task = b->t, .occurrence = b->occurrence, .input = input,
			       .tainted = b->t->body != NULL && !cs_correct_owns(b->r, "with", b->t, NULL) &&
					  cs_look_tainted(&b->v, b->t->body, b->tainted) };
	return cs_step_sub_begin(b->r, b->s, &start, started_data(b), err);
}

static int (*const begins[])(struct start *b, cs_err *err) = {
	[CS_TASK_DO] = begin_do, [CS_TASK_TRY] = begin_composite, [CS_TASK_FORK] = begin_composite,
	[CS_TASK_FOR] = begin_for,      [CS_TASK_SET] = begin_set,       [CS_TASK_SWITCH] = begin_switch,
	[CS_TASK_RAISE] = begin_raise,  [CS_TASK_EMIT] = begin_emit,     [CS_TASK_CALL] = begin_call,
	[CS_TASK_WAIT] = begin_wait,    [CS_TASK_LISTEN] = begin_composite,
	[CS_TASK_RUN] = begin_run,
};

/* A replay's changes stand at the task that it forks from: they replace what came in there. */
static int patched(struct start *b, json_t **raw, cs_err *err)
{
	cs_run *r = b->r;
	const cs_task *t = cs_flow_extended(r->flow, b->t);
	bool entered = t->wrapper >= 0 && t->wrapper != b->t->id;        /* its extensions had it already */
	if (r->from == NULL || r->patch == NULL || b->occurrence != 1 || entered || strcmp(r->from, t->ref) != 0)
		return CS_OK;
	size_t i;
	json_t *change;
	json_array_foreach(r->patch, i, change) {
		json_t *next = NULL;
		int rc = cs_json_with_path(*raw, cs_json_str_or(change, "path", ""), json_object_get(change, "value"), &next, err);
		if (rc != CS_OK)
			return rc;
		json_decref(*raw);
		*raw = next;
	}
	return CS_OK;
}

/* A timeout begins with its task; one that takes no time has none to run out. */
static int set_deadline(struct start *b, cs_err *why)
{
	CS_AUTOJSON json_t *value = NULL;
	int64_t ms = 0;
	if (b->t->timeout == NULL)
		return CS_OK;
	int rc = cs_look(&b->v, CS_PHASE_TIMEOUT, b->t->timeout, b->v.input, &value, why);
	if (rc == CS_OK)
		rc = cs_duration_value(value, &ms, why);
	b->deadline = b->s->now + ms;
	return rc;
}

/* *ret_enter false: it does not begin, for its condition does not hold, and that is written. The
 * condition of a task stands before its extensions; that of an extension was looked at `before`. */
static int look_in(struct start *b, bool *ret_enter, cs_err *err)
{
	const cs_task *t = b->t;
	cs_err why = { 0 };
	*ret_enter = true;
	if (t->role == CS_ROLE_EXTENSION) {
		b->t = cs_flow_extended(b->r->flow, t);
		b->v.task = b->t;
		b->occurrence = b->r->occurrences[b->t->id] + 1;
	}
	bool before = t->role == CS_ROLE_EXTENSION ? b->t->wrapper == t->id : t->wrapper < 0;
	int rc = !before || b->t->cond == NULL ? CS_OK : cs_look_true(&b->v, CS_PHASE_IF, b->t->cond, b->v.raw, ret_enter, &why);
	if (t->role == CS_ROLE_AFTER)
		*ret_enter = b->seq->applied || b->r->flow->tasks[b->seq->task->children[0]].role != CS_ROLE_BEFORE;
	if (rc != CS_OK) {
		*ret_enter = false;
		return fail(b, rc, &why, err);
	}
	if (!*ret_enter)
		return cs_run_write(b->r, b->s, "task.skipped", b->t, b->occurrence, NULL, err);
	b->t = b->v.task = t;
	b->occurrence = b->r->occurrences[t->id] + 1;
	return CS_OK;
}

/* A replay takes over what the operator had corrected here. */
static int assume(struct start *b, cs_err *why, cs_err *err)
{
	json_t *data = NULL;
	int as = 0;
	int rc = cs_correct_recorded(b->r, b->t, &data, &as, why);
	if (rc == CS_ENOTFOUND)
		return CS_OK;
	if (rc != CS_OK)
		return fail(b, rc, why, err);
	b->occurrence = as;
	return cs_run_write(b->r, b->s, "task.corrected", b->t, as, data, err);
}

int cs_step_begin(cs_run *r, cs_step *s, cs_frame *seq, const cs_task *t, cs_err *err)
{
	struct start b = { .r = r, .s = s, .seq = seq, .t = t, .occurrence = r->occurrences[t->id] + 1,
			   .tainted = seq->last_tainted };
	CS_AUTOJSON json_t *raw = json_incref(seq->last);
	CS_AUTOJSON json_t *input = NULL;
	cs_err why = { 0 };
	int rc = assume(&b, &why, err);
	if (rc != CS_OK)
		return rc;
	rc = patched(&b, &raw, &why);
	if (rc == CS_OK)
		rc = cs_correct_apply(r, "input", t, &raw, &why);
	if (rc != CS_OK)
		return fail(&b, rc, &why, err);
	b.tainted = b.tainted && !cs_correct_owns(r, "input", t, NULL);
	b.v = (cs_view_of){ .r = r, .s = s, .seq = seq, .memo = seq, .task = t, .raw = raw };
	bool enter;
	rc = look_in(&b, &enter, err);
	if (rc != CS_OK || !enter)
		return rc;
	CS_AUTOJSON json_t *invalid = cs_schema_complaint(t->input_schema, raw, "The task's input", t->ref);
	if (invalid != NULL)
		return cs_step_raise(r, s, t, b.occurrence, invalid, err);
	if (t->input_from != NULL) {
		rc = cs_look(&b.v, CS_PHASE_INPUT, t->input_from, raw, &input, &why);
		if (rc != CS_OK)
			return fail(&b, rc, &why, err);
		b.tainted = cs_look_tainted(&b.v, t->input_from, b.tainted);
	} else {
		input = json_incref(raw);
	}
	b.v.input = input;
	rc = set_deadline(&b, &why);
	if (rc != CS_OK)
		return fail(&b, rc, &why, err);
	return begins[t->kind](&b, err);
}
