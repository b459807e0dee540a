/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Evaluation inside a run: the standard's arguments and ours, and the memory of jq answers. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

#include "config.h"

/* ---- arguments ------------------------------------------------------------------------------- */

static json_t *some(json_t *v)
{
	return v != NULL ? json_incref(v) : json_null();
}

static json_t *date_time(int64_t ms)
{
	char text[CS_TIME_SIZE];
	cs_time_format(ms, text);
	return json_pack("{s:s, s:{s:I, s:I}}", "iso8601", text, "epoch", "seconds",
			 (json_int_t)(ms / 1000), "milliseconds", (json_int_t)ms);
}

static json_t *arg_context(cs_view_of *v)
{
	return some(v->r->context);
}

static json_t *arg_input(cs_view_of *v)
{
	return some(v->input);
}

static json_t *arg_output(cs_view_of *v)
{
	return some(v->output);
}

static json_t *arg_start(cs_view_of *v)
{
	return some(v->r->start);
}

static json_t *arg_runtime(cs_view_of *v)
{
	(void)v;
	return json_pack("{s:s, s:s, s:{}}", "name", PACKAGE_NAME, "version", PACKAGE_VERSION, "metadata");
}

static json_t *arg_workflow(cs_view_of *v)
{
	cs_run *r = v->r;
	if (r->descriptor == NULL)
		r->descriptor = json_pack("{s:s, s:O, s:O, s:o}", "id", r->origin, "definition", r->flow->def,
					  "input", r->input != NULL ? r->input : json_null(),
					  "startedAt", date_time(r->started_at));
	return some(r->descriptor);
}

/* The frame of the extension that V looks from; *ret_after: from its `after`. */
static const cs_frame *skin_of(const cs_view_of *v, bool *ret_after)
{
	const cs_frame *f = v->seq;
	*ret_after = false;
	while (f != NULL && (f->task == NULL || f->task->role != CS_ROLE_EXTENSION)) {
		*ret_after = *ret_after || (f->task != NULL && f->task->role == CS_ROLE_AFTER);
		f = f->parent;
	}
	return f;
}

/* The members of a task's definition, with an http call's endpoint in its long form, so that one
 * condition serves both ways of writing it. New reference. */
static json_t *members_of(const cs_task *t)
{
	const json_t *with = json_object_get(t->def, "with");
	json_t *endpoint = json_object_get(with, "endpoint");
	if (!json_is_string(endpoint) || strcmp(cs_json_str_or(t->def, "call", ""), "http") != 0)
		return json_incref(t->def);
	json_t *def = json_copy(t->def);
	json_object_set_new(def, "with", json_copy((json_t *)(uintptr_t)with));
	json_object_set_new(json_object_get(def, "with"), "endpoint", json_pack("{s:O}", "uri", endpoint));
	return def;
}

/* An extension's `when` and tasks see the task that they are about, with its definition's members. */
static json_t *extended_task(const cs_view_of *v)
{
	bool after;
	const cs_frame *skin = skin_of(v, &after);
	const cs_task *t = &v->r->flow->tasks[v->task->extended];
	json_t *d = json_pack("{s:s, s:s, s:O, s:o, s:o}", "name", t->name, "reference", t->ref, "definition", t->def,
			      "input", some(skin != NULL ? skin->raw : NULL),
			      "startedAt", date_time(skin != NULL ? skin->started_at : v->s->now));
	if (after)
		json_object_set(d, "output", skin->last);
	CS_AUTOJSON json_t *members = members_of(t);
	json_object_update_missing(d, members);
	return d;
}

static json_t *arg_task(cs_view_of *v)
{
	if (v->task == NULL)
		return json_null();
	if (v->task->extended >= 0)
		return extended_task(v);
	const cs_frame *live = v->r->live[v->task->id];
	int64_t at = live != NULL ? live->started_at : v->s->now;
	json_t *d = json_pack("{s:s, s:s, s:O, s:o, s:o}", "name", v->task->name, "reference", v->task->ref,
			      "definition", v->task->def, "input", some(v->raw), "startedAt", date_time(at));
	if (v->raw_output != NULL)
		json_object_set(d, "output", v->raw_output);
	return d;
}

/* Nearest enclosing scope first: the outer ones are laid down before the inner ones. */
static void gather_tasks(const cs_frame *f, json_t *into)
{
	if (f == NULL)
		return;
	gather_tasks(f->parent, into);
	json_object_update(into, f->done);
}

static json_t *arg_tasks(cs_view_of *v)
{
	json_t *all = json_object();
	gather_tasks(v->seq, all);
	return all;
}

static json_t *arg_null(cs_view_of *v)
{
	(void)v;
	return json_null();
}

static json_t *arg_secrets(cs_view_of *v)
{
	return cs_run_secrets(v->r, v->s);
}

static const struct {
	const char *name;
	json_t *(*get)(cs_view_of *v);
} arguments[] = {
	{ "input", arg_input },     { "context", arg_context }, { "tasks", arg_tasks },
	{ "start", arg_start },     { "output", arg_output },   { "task", arg_task },
	{ "workflow", arg_workflow }, { "runtime", arg_runtime }, { "authorization", arg_null },
	{ "secrets", arg_secrets },
};

static int look_up(void *ctx, const char *name, json_t **ret)
{
	cs_view_of *v = ctx;
	json_t *found = v->extra != NULL ? json_object_get(v->extra, name) : NULL;
	for (const cs_frame *f = v->seq; found == NULL && f != NULL; f = f->parent)
		found = f->vars != NULL ? json_object_get(f->vars, name) : NULL;
	if (found != NULL) {
		*ret = json_incref(found);
		return CS_OK;
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(arguments); i++)
		if (strcmp(arguments[i].name, name) == 0) {
			*ret = arguments[i].get(v);
			return CS_OK;
		}
	return CS_ENOTFOUND;
}

/* ---- jq: answered from memory, or asked for ------------------------------------------------------ */

static cs_answer *remembered(cs_frame *f, const cs_expr *e, cs_phase phase)
{
	for (size_t i = 0; i < f->n_answers; i++)
		if (f->answers[i].expr == e && f->answers[i].phase == phase)
			return &f->answers[i];
	return NULL;
}

static int ask_jq(cs_view_of *v, const cs_expr *e, const json_t *dot)
{
	cs_frame *f = v->memo;
	f->answers = cs_xrealloc(f->answers, (f->n_answers + 1) * sizeof *f->answers);
	f->answers[f->n_answers++] = (cs_answer){ .expr = e, .phase = v->phase };
	f->asked++;

	json_t *vars = json_object();
	const char *const *names = cs_expr_vars(e);
	for (size_t i = 0; names[i] != NULL; i++) {
		json_t *value = NULL;
		if (look_up(v, names[i], &value) == CS_OK)
			json_object_set_new(vars, names[i], value);
	}
	cs_todo todo = {
		.kind = CS_TODO_JQ, .run = v->r, .expr = e, .phase = v->phase, .generation = f->generation,
		.task = f->task != NULL ? f->task->id : -1, .lane = f->lane,
		.dot = dot != NULL ? json_incref((json_t *)(uintptr_t)dot) : json_null(), .vars = vars,
	};
	v->s->todo(v->s->ctx, &todo);
	return CS_EAGAIN;
}

static int jq_of_run(void *ctx, const cs_expr *e, const json_t *dot, json_t **ret, cs_err *err)
{
	cs_view_of *v = ctx;
	const cs_answer *a = remembered(v->memo, e, v->phase);
	if (a == NULL)
		return ask_jq(v, e, dot);
	if (a->failure != NULL)
		return cs_err_set(err, a->unasked ? CS_EUNAVAIL : CS_EINVAL, "%s", a->failure);
	if (a->value == NULL)
		return CS_EAGAIN;
	*ret = json_incref(a->value);
	return CS_OK;
}

static cs_frame *asker(const cs_run *r, const cs_todo *asked)
{
	if (asked->task < 0)
		return r->root;
	const cs_task *t = &r->flow->tasks[asked->task];
	if (!asked->lane)
		return r->live[asked->task];
	cs_frame *fork = r->live[t->parent];
	return fork != NULL && fork->kids != NULL ? fork->kids[t->index] : NULL;
}

void cs_run_answer(cs_run *r, const cs_todo *asked, json_t *value, const char *failure, bool unasked)
{
	cs_frame *f = asker(r, asked);
	if (f == NULL || f->generation != asked->generation)
		return;
	cs_answer *a = remembered(f, asked->expr, asked->phase);
	if (a == NULL || a->value != NULL || a->failure != NULL)
		return;
	f->asked--;
	a->unasked = value == NULL && unasked;
	if (value != NULL)
		a->value = json_incref(value);
	else
		a->failure = cs_xstrdup(failure != NULL ? failure : "the expression gave nothing");
}

/* ---- looking ------------------------------------------------------------------------------------- */

int cs_look(cs_view_of *v, cs_phase phase, const cs_template *t, json_t *dot, json_t **ret, cs_err *err)
{
	v->phase = phase;
	cs_scope scope = { .dot = dot, .var = look_up, .jq = jq_of_run, .ctx = v };
	return cs_template_eval(t, &scope, ret, err);
}

int cs_look_true(cs_view_of *v, cs_phase phase, const cs_template *t, json_t *dot, bool *ret, cs_err *err)
{
	CS_AUTOJSON json_t *value = NULL;
	int rc = cs_look(v, phase, t, dot, &value, err);
	if (rc == CS_OK)
		*ret = !json_is_null(value) && !json_is_false(value);
	return rc;
}

/* ---- taint --------------------------------------------------------------------------------------- */

struct taint_walk {
	const cs_view_of *v;
	bool dot_tainted, tainted;
};

static bool tasks_tainted(const cs_frame *f, const char *source)
{
	for (; f != NULL; f = f->parent) {
		const char *name;
		json_t *yes;
		json_object_foreach(f->tainted, name, yes)
			if (strstr(source, name) != NULL)
				return true;
	}
	return false;
}

/* A variable of a scope around that holds what came from outside. */
static bool var_tainted(const cs_frame *f, const char *name)
{
	for (; f != NULL; f = f->parent)
		if (f->vars != NULL && json_object_get(f->vars, name) != NULL)
			return f->vars_tainted;
	return false;
}

/* What `$task` shows in an extension came in to the task that it is about, or out of it. */
static bool skin_tainted(const cs_view_of *v)
{
	bool after;
	const cs_frame *skin = v->task != NULL && v->task->extended >= 0 ? skin_of(v, &after) : NULL;
	return skin != NULL && (skin->input_tainted || skin->last_tainted);
}

/* A path that starts at `.`: a dot with no name, bracket or quote before it. What jq evaluates may
 * look at `.` without writing it. */
static bool looks_at_dot(const cs_expr *e)
{
	if (!cs_expr_is_plain(e))
		return true;
	const char *s = cs_expr_source(e);
	for (const char *p = s; *p != '\0'; p++)
		if (*p == '.' && (p == s || (!isalnum((unsigned char)p[-1]) && strchr("_)]\"?", p[-1]) == NULL)))
			return true;
	return false;
}

/* An expression's value is tainted when anything that it may look at is. */
static int taint_of_expr(void *ctx, const cs_expr *e, const char *pointer)
{
	(void)pointer;
	struct taint_walk *w = ctx;
	const cs_run *r = w->v->r;
	if (looks_at_dot(e) && w->dot_tainted)
		w->tainted = true;
	const char *const *names = cs_expr_vars(e);
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], "tasks") == 0)
			w->tainted |= tasks_tainted(w->v->seq, cs_expr_source(e));
		else if (strcmp(names[i], "context") == 0)
			w->tainted |= r->context_tainted;
		else if (strcmp(names[i], "start") == 0 || strcmp(names[i], "workflow") == 0)
			w->tainted |= r->input_tainted;
		else if (strcmp(names[i], "runtime") != 0 && strcmp(names[i], "task") != 0 && strcmp(names[i], "secrets") != 0)
			w->tainted |= w->dot_tainted || var_tainted(w->v->seq, names[i]);    /* $input, $output, $item, $error: as near as `.` */
		else if (strcmp(names[i], "task") == 0)
			w->tainted |= w->dot_tainted || skin_tainted(w->v);
	}
	return 0;
}

bool cs_look_tainted_expr(const cs_view_of *v, const cs_expr *e, bool dot_tainted)
{
	struct taint_walk w = { .v = v, .dot_tainted = dot_tainted };
	(void)taint_of_expr(&w, e, "");
	return w.tainted;
}

bool cs_look_tainted(const cs_view_of *v, const cs_template *t, bool dot_tainted)
{
	struct taint_walk w = { .v = v, .dot_tainted = dot_tainted };
	if (t != NULL)
		(void)cs_template_each(t, taint_of_expr, &w);
	return w.tainted;
}
