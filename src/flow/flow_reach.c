/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which tasks of a list the run can come to, and how a list can end. Only what is certain is said:
 * a task with `if` may be passed over, whatever is called may end well or be caught. */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static bool list_ends(const cs_build *b, const int *ids, int n, bool *reached);

static bool sequence_ends(const cs_build *b, const int *ids, int n)
{
	if (n == 0)
		return true;          /* it was reported, or stands elsewhere */
	bool *reached CS_AUTOFREE = cs_xcalloc((size_t)n, sizeof *reached);
	return list_ends(b, ids, n, reached);
}

static bool has_default(const cs_task *t)
{
	for (int i = 0; i < t->n_cases; i++)
		if (!t->cases[i].when)
			return true;
	return false;
}

/* Can T come to its own `then`? */
static bool task_ends(const cs_build *b, const cs_task *t)
{
	switch (t->kind) {
	case CS_TASK_RAISE:
		return false;
	case CS_TASK_DO:
		return sequence_ends(b, t->children, t->n_children);
	case CS_TASK_SWITCH:
		return !has_default(t);
	case CS_TASK_TRY:
		return sequence_ends(b, t->children, t->n_children) || !t->catch || sequence_ends(b, t->handler, t->n_handler);
	default:
		return true;
	}
}

typedef struct flood {
	const int *ids;
	int n;
	bool *reached, *changed;
	bool ends;
} flood;

/* After the task at place I the run goes where THEN says. */
static void lead(flood *f, int i, int then)
{
	/* The ids of siblings follow each other: all their rows are there before the first is compiled. */
	int to = then >= 0 ? then - f->ids[0] : i + 1;
	if (then == CS_THEN_END)
		return;
	if (then == CS_THEN_EXIT || to >= f->n) {
		f->ends = true;
	} else if (!f->reached[to]) {
		f->reached[to] = true;
		*f->changed = true;
	}
}

static void lead_on(const cs_build *b, flood *f, int i)
{
	const cs_task *t = cs_flow_extended(b->f, &b->f->tasks[f->ids[i]]);
	if (t->cond)
		lead(f, i, CS_THEN_CONTINUE);
	/* An extension may end in the task's stead. */
	if (t->cond || t->wrapper >= 0 || task_ends(b, t))
		lead(f, i, t->then);
	for (int k = 0; k < t->n_cases; k++)
		lead(f, i, t->cases[k].then);
	if (t->catch)
		lead(f, i, t->catch->then);
}

/* Fills REACHED; can the run come to the end of the list, or leave it by `exit`? */
static bool list_ends(const cs_build *b, const int *ids, int n, bool *reached)
{
	bool changed = true;
	bool *done CS_AUTOFREE = cs_xcalloc((size_t)n, sizeof *done);
	flood f = { .ids = ids, .n = n, .reached = reached, .changed = &changed };
	reached[0] = true;
	while (changed) {
		changed = false;
		for (int i = 0; i < n; i++) {
			if (!reached[i] || done[i])
				continue;
			done[i] = true;
			lead_on(b, &f, i);
		}
	}
	return f.ends;
}

/* Why nothing comes from BEFORE to the one after it. */
static void warn(cs_build *b, const cs_task *t, const cs_task *before)
{
	if (before->kind == CS_TASK_SWITCH && has_default(before))
		cs_check_warn(&b->c, t->name, "nothing leads to '%.80s': the switch '%.80s' before it cannot fall through, and no case leads here; "
			      "name it in a 'then', or remove it", t->name, before->name);
	else if (before->kind == CS_TASK_RAISE)
		cs_check_warn(&b->c, t->name, "nothing leads to '%.80s': '%.80s' before it always raises an error; name it in a 'then', or remove it",
			      t->name, before->name);
	else if (before->then == CS_THEN_CONTINUE)
		cs_check_warn(&b->c, t->name, "nothing leads to '%.80s': '%.80s' before it never comes to its end; name it in a 'then', or remove it",
			      t->name, before->name);
	else
		cs_check_warn(&b->c, t->name, "nothing leads to '%.80s': the task before it goes elsewhere", t->name);
}

void cs_build_warn_unreachable(cs_build *b, const int *ids, int n)
{
	if (n < 2)
		return;
	bool *reached CS_AUTOFREE = cs_xcalloc((size_t)n, sizeof *reached);
	list_ends(b, ids, n, reached);
	for (int i = 1; i < n; i++) {
		/* What only comes after such a task is reached when that one is. */
		if (reached[i] || !reached[i - 1])
			continue;
		const cs_task *t = &b->f->tasks[ids[i]];
		size_t mark = cs_check_push_index(&b->c, (size_t)t->index);
		warn(b, t, cs_flow_extended(b->f, &b->f->tasks[ids[i - 1]]));
		cs_check_pop(&b->c, mark);
	}
}

/* The earlier case whose condition is the same text; -1: none. */
static int same_before(const json_t *list, size_t i, const char *when)
{
	for (size_t k = 0; k < i; k++) {
		const json_t *item = json_array_get(list, k);
		const char *other = cs_json_str(json_object_iter_value(json_object_iter((json_t *)(uintptr_t)item)), "when");
		if (other && strcmp(other, when) == 0)
			return (int)k;
	}
	return -1;
}

void cs_build_warn_cases(cs_build *b, const cs_task *t, json_t *def)
{
	enum { COMPARED_MAX = 256 };       /* each is compared with all before it */
	const json_t *list = json_object_get(def, "switch");
	for (size_t i = 0; i < json_array_size(list) && i < COMPARED_MAX; i++) {
		json_t *item = json_array_get(list, i);
		const char *name = json_object_iter_key(json_object_iter(item));
		const char *when = name ? cs_json_str(json_object_get(item, name), "when") : NULL;
		int before = when ? same_before(list, i, when) : -1;
		if (before < 0)
			continue;
		size_t mark = cs_check_push(&b->c, "switch");
		cs_check_push_index(&b->c, i);
		cs_check_warn(&b->c, name, "the case '%.80s' is never taken: '%.80s' before it has the same condition", name,
			      json_object_iter_key(json_object_iter(json_array_get(list, (size_t)before))));
		cs_check_pop(&b->c, mark);
	}
	if (has_default(t) && json_object_get(def, "then"))
		cs_check_warn(&b->c, "then", "this 'then' is never followed: the switch cannot fall through, as one of its cases has no 'when'");
}
