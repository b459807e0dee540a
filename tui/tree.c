/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "tui/show.h"
#include "tui/tree.h"

#define GROUP 3   /* so many quiet steps in a row become one line */

typedef struct tree {
	const json_t *rows, *open;
	int64_t quiet_until;
	json_t *out;
} tree;

static const char *const over[] = { "completed", "skipped", "done", NULL };
static const char *const bad[] = { "faulted", "failed", "in-doubt", "stuck", "expired", NULL };

bool cs_tree_failed(const json_t *row)
{
	const json_t *e = json_object_get(row, "error");

	return (e && !json_is_null(e)) || cs_show_is(cs_json_str(row, "state"), bad);
}

static int depth_of(const json_t *row)
{
	return (int)cs_json_int_or(row, "depth", 0);
}

static const json_t *row_at(const tree *t, size_t i)
{
	return json_array_get(t->rows, i);
}

static size_t subtree_end(const tree *t, size_t i)
{
	int depth = depth_of(row_at(t, i));

	for (i++; i < json_array_size(t->rows) && depth_of(row_at(t, i)) > depth; i++)
		;
	return i;
}

static bool has_call(const json_t *row)
{
	const char *call = cs_json_str(row, "call");

	return call && *call;
}

/* A connector did it, or would: roles and built-ins have no dot in their name. */
static bool is_outside(const json_t *row)
{
	const char *call = cs_json_str_or(row, "call", "");

	return strncmp(cs_json_str_or(row, "actor", ""), "connector:", 10) == 0 || strchr(call, '.') || strcmp(call, "http") == 0;
}

static bool quiet(const tree *t, const json_t *row)
{
	return cs_show_is(cs_json_str(row, "state"), over) && !cs_tree_failed(row) && !has_call(row) &&
	       cs_json_int_or(row, "attempts", 1) <= 1 && cs_json_int_or(row, "seq", 0) <= t->quiet_until;
}

static bool all_quiet(const tree *t, size_t from, size_t to)
{
	for (; from < to; from++)
		if (!quiet(t, row_at(t, from)))
			return false;
	return true;
}

static void key_of(const json_t *row, char prefix, char out[64])
{
	(void)snprintf(out, 64, "%c%" PRId64 ".%.40s", prefix, cs_json_int_or(row, "seq", 0), cs_json_str_or(row, "ref", ""));
}

/* What the operator said of KEY, else DEF. */
static bool said(const tree *t, const char *key, bool def)
{
	const json_t *v = json_object_get(t->open, key);

	return v ? json_is_true(v) : def;
}

static json_t *emit(tree *t, const json_t *row, const char *key)
{
	json_t *copy = json_copy((json_t *)row);

	(void)json_object_set_new(copy, "key", json_string(key));
	(void)json_array_append_new(t->out, copy);
	return copy;
}

/* How many leaves from I on, side by side, are quiet. */
static size_t quiet_run(const tree *t, size_t i)
{
	size_t n = 0, size = json_array_size(t->rows);
	int depth = depth_of(row_at(t, i));

	while (i + n < size && depth_of(row_at(t, i + n)) == depth && quiet(t, row_at(t, i + n)) && subtree_end(t, i + n) == i + n + 1)
		n++;
	return n;
}

static size_t add_leaves(tree *t, size_t i)
{
	size_t n = quiet_run(t, i), shown = n ? n : 1;
	char key[64];

	key_of(row_at(t, i), 'g', key);
	if (n >= GROUP && !said(t, key, false)) {
		json_t *row = emit(t, row_at(t, i), key);

		(void)json_object_set_new(row, "folds", json_integer((json_int_t)n));
		(void)json_object_set(row, "ended", json_object_get(row_at(t, i + n - 1), "ended"));
		return i + n;
	}
	for (size_t k = 0; k < shown; k++) {
		key_of(row_at(t, i + k), 's', key);
		(void)emit(t, row_at(t, i + k), key);
	}
	return i + shown;
}

static size_t add_parent(tree *t, size_t i, size_t end)
{
	char key[64];
	json_t *row;
	bool open;

	key_of(row_at(t, i), 's', key);
	open = said(t, key, !all_quiet(t, i, end));
	row = emit(t, row_at(t, i), key);
	if (open)
		(void)json_object_set_new(row, "open", json_true());
	else
		(void)json_object_set_new(row, "folds", json_integer((json_int_t)(end - i - 1)));
	return open ? i + 1 : end;
}

json_t *cs_tree_rows(const json_t *rows, const json_t *open, int64_t quiet_until, bool outside)
{
	tree t = { rows, open, quiet_until, json_array() };
	size_t size = json_array_size(rows), i = 0;
	char key[64];

	while (i < size) {
		size_t end = subtree_end(&t, i);

		if (outside) {
			key_of(row_at(&t, i), 's', key);
			if (is_outside(row_at(&t, i)) || cs_tree_failed(row_at(&t, i)))
				(void)emit(&t, row_at(&t, i), key);
			i++;
		} else if (end > i + 1) {
			i = add_parent(&t, i, end);
		} else {
			i = add_leaves(&t, i);
		}
	}
	return t.out;
}
