/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/ahead.h"

/* The sequence in which T stands; none for a branch of a fork, and for what a loop begins anew. */
static const int *sequence(const cs_flow *f, const cs_task *t, int *ret_n)
{
	const cs_task *parent = t->parent >= 0 ? &f->tasks[t->parent] : NULL;
	*ret_n = parent == NULL ? f->n_roots : t->in_handler ? parent->n_handler : parent->n_children;
	return parent == NULL ? f->roots : t->in_handler ? parent->handler : parent->children;
}

static const cs_task *after(const cs_flow *f, const cs_task *t)
{
	while (t != NULL) {
		const cs_task *parent = t->parent >= 0 ? &f->tasks[t->parent] : NULL;
		bool apart = parent != NULL && parent->kind == CS_TASK_FORK;
		int n = 0;
		const int *list = sequence(f, t, &n);
		if (t->then == CS_THEN_END)
			return NULL;
		if (t->then >= 0)
			return &f->tasks[t->then];
		if (t->then == CS_THEN_CONTINUE && !apart && t->index + 1 < n)
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
		if (t->kind == CS_TASK_SWITCH)
			break;
	}
	return names;
}
