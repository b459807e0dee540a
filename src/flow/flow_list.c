/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/flow_priv.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static int by_name(const void *a, const void *b, void *tasks)
{
	const cs_task *t = tasks, *x = &t[*(const int *)a], *y = &t[*(const int *)b];
	int r = strcmp(x->name, y->name);
	return r ? r : x->id - y->id;
}

/* What a task is called in the log: where it stands, but in a function's body where it is called. */
char *cs_build_reference(const cs_build *b)
{
	return b->ref_base ? cs_xasprintf("%s%s", b->ref_base, b->c.path + b->ref_skip) : cs_xstrdup(b->c.path);
}

/* A new row of the table; its reference is where the cursor stands. */
static int add_task(cs_build *b, const char *name, json_t *def, int parent, int index, bool handler)
{
	cs_flow *f = b->f;
	if (f->n_tasks == b->cap_tasks) {
		b->cap_tasks = b->cap_tasks ? b->cap_tasks * 2 : 16;
		f->tasks = cs_xrealloc(f->tasks, (size_t)b->cap_tasks * sizeof *f->tasks);
	}
	cs_task *t = &f->tasks[f->n_tasks];
	*t = (cs_task){
		.id = f->n_tasks, .parent = parent, .index = index, .name = cs_xstrdup(name),
		.ref = cs_build_reference(b), .place = b->c.src == b->src ? cs_xstrdup(b->c.path) : NULL, .def = def, .in_handler = handler, .then = CS_THEN_CONTINUE,
		.ask_back = -1, .extended = -1, .wrapper = -1,
	};
	return f->n_tasks++;
}

int cs_build_row(cs_build *b, const char *name, json_t *def, int parent, int index)
{
	return add_task(b, name, def, parent, index, false);
}

/* The one key of a list's item, or NULL after a report. */
static const char *item_name(cs_build *b, json_t *item, const char *what)
{
	if (!json_is_object(item) || json_object_size(item) != 1) {
		cs_check_error(&b->c, "each item of %s is one name with its definition, like '- name: { … }'", what);
		return NULL;
	}
	const char *name = json_object_iter_key(json_object_iter(item));
	if (!*name || strlen(name) > 200) {
		cs_check_error_key(&b->c, name, "a task's name must have between 1 and 200 bytes");
		return NULL;
	}
	if (b->c.len + 2 * strlen(name) + 2 >= CS_CHECK_PATH) {
		cs_check_error_key(&b->c, name, "the path of names to this task is longer than 2000 bytes; use shorter ones");
		return NULL;
	}
	return name;
}

/* Adds the items' rows; items that cannot be are reported and left out. */
static int *add_items(cs_build *b, json_t *list, int parent, bool handler, const char *what, int *ret_n)
{
	int *ids = cs_xcalloc(json_array_size(list) + 1, sizeof *ids);
	size_t i;
	json_t *item;
	int n = 0;
	json_array_foreach(list, i, item) {
		size_t mark = cs_check_push_index(&b->c, i);
		const char *name = item_name(b, item, what);
		if (name) {
			size_t inner = cs_check_push(&b->c, name);
			ids[n++] = add_task(b, name, json_object_get(item, name), parent, (int)i, handler);
			cs_check_pop(&b->c, inner);
		}
		cs_check_pop(&b->c, mark);
	}
	*ret_n = n;
	return ids;
}

static int *sort_by_name(const cs_build *b, const int *ids, int n)
{
	int *sorted = cs_xcalloc((size_t)n + 1, sizeof *sorted);
	memcpy(sorted, ids, (size_t)n * sizeof *sorted);
	qsort_r(sorted, (size_t)n, sizeof *sorted, by_name, b->f->tasks);
	return sorted;
}

static void check_twice(cs_build *b, const cs_siblings *sibs)
{
	const char *before = NULL;
	for (int i = 0; i < sibs->n; i++) {
		const cs_task *t = &b->f->tasks[sibs->by_name[i]];
		if (before && strcmp(before, t->name) == 0) {
			size_t mark = cs_check_push_index(&b->c, (size_t)t->index);
			cs_check_error_key(&b->c, t->name, "two tasks of this list are named '%.80s'; give one another name", t->name);
			cs_check_pop(&b->c, mark);
		}
		before = t->name;
	}
}

void cs_build_list(cs_build *b, json_t *list, int parent, bool handler, bool branches, const char *what,
		   int **ret_ids, int *ret_n)
{
	if (!cs_check_type(&b->c, list, CS_IS_ARRAY, what))
		return;
	if (json_array_size(list) == 0) {
		cs_check_error(&b->c, "%s is empty; it needs at least one task", what);
		return;
	}
	cs_siblings sibs = { .branches = branches };
	int *ids = add_items(b, list, parent, handler, what, &sibs.n);
	int *sorted CS_AUTOFREE = sort_by_name(b, ids, sibs.n);
	sibs.ids = ids;
	sibs.by_name = sorted;
	check_twice(b, &sibs);
	for (int i = 0; i < sibs.n; i++) {
		const cs_task *t = &b->f->tasks[ids[i]];
		size_t mark = cs_check_push_index(&b->c, (size_t)t->index);
		cs_check_push(&b->c, t->name);
		cs_build_extended(b, ids[i], t->def, &sibs);
		cs_check_pop(&b->c, mark);
	}
	if (!branches)
		cs_build_warn_unreachable(b, ids, sibs.n);
	*ret_ids = ids;
	*ret_n = sibs.n;
}

void cs_build_only(cs_build *b, const char *name, json_t *def, int parent)
{
	int *ids = cs_xcalloc(1, sizeof *ids);
	ids[0] = add_task(b, name, def, parent, 0, false);
	b->f->tasks[parent].children = ids;
	b->f->tasks[parent].n_children = 1;
	cs_siblings sibs = { .ids = ids, .n = 1, .by_name = ids };
	cs_build_extended(b, ids[0], def, &sibs);
}

static const char *const directives[] = { "continue", "exit", "end" };

/* The error of a `then` that names nobody, with the nearest of what it may name. */
static void unknown_target(cs_build *b, const char *name, const cs_siblings *sibs)
{
	if (b->c.d->n >= CS_DIAGS_MAX) {           /* nobody reads it: a hostile file may have thousands */
		cs_check_error(&b->c, "'then' names no task of this list");
		return;
	}
	size_t n = 0, max = (size_t)sibs->n + CS_ARRAY_LEN(directives);
	const char **names CS_AUTOFREE = cs_xcalloc(max + 1, sizeof *names);
	for (size_t i = 0; i < CS_ARRAY_LEN(directives); i++)
		names[n++] = directives[i];
	for (int i = 0; i < sibs->n && !sibs->branches; i++)
		names[n++] = b->f->tasks[sibs->ids[i]].name;
	for (int i = 0; i < b->f->n_tasks; i++) {
		if (strcmp(b->f->tasks[i].name, name) == 0) {
			cs_check_error(&b->c, "'then' can only lead to a task of the same list; '%.80s' is in another", name);
			return;
		}
	}
	const char *near = cs_suggest(name, names);
	cs_check_error(&b->c, "'then' names no task of this list: '%.80s'%s%s%s", name,
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	cs_diags_suggest(b->c.d, near);
}

int cs_build_sibling(const cs_build *b, const cs_siblings *sibs, const char *name)
{
	int low = 0, high = sibs->n;
	while (low < high) {
		int mid = low + (high - low) / 2, id = sibs->by_name[mid];
		int r = strcmp(name, b->f->tasks[id].name);
		if (r == 0)
			return id;
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return CS_THEN_CONTINUE;
}

int cs_build_then(cs_build *b, json_t *obj, const cs_siblings *sibs)
{
	const char *name = cs_json_str(obj, "then");
	if (!name)
		return CS_THEN_CONTINUE;
	for (size_t i = 0; i < CS_ARRAY_LEN(directives); i++)
		if (strcmp(directives[i], name) == 0)
			return CS_THEN_CONTINUE - (int)i;
	size_t mark = cs_check_push(&b->c, "then");
	int target = CS_THEN_CONTINUE;
	if (!sibs->branches)
		target = cs_build_sibling(b, sibs, name);
	if (target < 0 && sibs->branches)
		cs_check_error(&b->c, "a branch of a fork cannot lead to another task; write continue, exit or end");
	else if (target < 0)
		unknown_target(b, name, sibs);
	cs_check_pop(&b->c, mark);
	return target;
}
