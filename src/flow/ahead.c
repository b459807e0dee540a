/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/ahead.h"

/* The sequence in which T stands; none for a branch of a fork, and for what a loop begins anew. */
static const int *sequence(const cs_flow *f, const cs_task *t, int *ret_n)
{
	const cs_task *parent = t->parent >= 0 ? &f->tasks[t->parent] : NULL;
	*ret_n = parent == NULL ? f->n_roots : t->in_handler ? parent->n_handler : parent->n_children;
	return parent == NULL ? f->roots : t->in_handler ? parent->handler : parent->children;
}

/* The place of T among what the operator wrote: where extensions stand around it, theirs. */
static const cs_task *place(const cs_flow *f, const cs_task *t)
{
	int wrapper = cs_flow_extended(f, t)->wrapper;
	bool within = t->role == CS_ROLE_EXTENSION || (t->role == CS_ROLE_PLAIN && wrapper >= 0);
	return within ? &f->tasks[wrapper] : t;
}

static const cs_task *after(const cs_flow *f, const cs_task *t)
{
	while (t != NULL) {
		int then = cs_flow_extended(f, t)->then;
		t = place(f, t);
		const cs_task *parent = t->parent >= 0 ? &f->tasks[t->parent] : NULL;
		bool apart = parent != NULL && parent->kind == CS_TASK_FORK;
		int n = 0;
		const int *list = sequence(f, t, &n);
		if (then == CS_THEN_END)
			return NULL;
		if (then >= 0)
			return &f->tasks[then];
		if (then == CS_THEN_CONTINUE && !apart && t->index + 1 < n)
			return &f->tasks[list[t->index + 1]];
		t = parent;
	}
	return NULL;
}

json_t *cs_flow_ahead(const cs_flow *f, const cs_task *t, size_t max)
{
	json_t *names = json_array();
	for (t = after(f, t); t != NULL && json_array_size(names) < max; t = after(f, t)) {
		json_array_append_new(names, json_string(t->name));
		if (cs_flow_extended(f, t)->kind == CS_TASK_SWITCH)
			break;
	}
	return names;
}
