/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/fold.h"

void cs_fold_init(cs_fold *f, int open_depth)
{
	*f = (cs_fold){ .open_depth = open_depth, .folded = json_object() };
	cs_pager_init(&f->pager);
}

static void clear_nodes(cs_fold *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->nodes[i].path);
	f->n = 0;
}

void cs_fold_fini(cs_fold *f)
{
	clear_nodes(f);
	free(f->nodes);
	json_decref(f->value);
	json_decref(f->folded);
	cs_pager_fini(&f->pager);
	*f = (cs_fold){ 0 };
}

static bool is_folded(const cs_fold *f, const char *path, int depth)
{
	const json_t *v = json_object_get(f->folded, path);

	return v ? json_is_true(v) : depth > f->open_depth;
}

static void add_node(cs_fold *f, const char *path, bool container)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->nodes = cs_xrealloc(f->nodes, f->cap * sizeof(*f->nodes));
	}
	f->nodes[f->n++] = (cs_fold_node){ cs_xstrdup(path), container, f->pager.n };
}

static void add_value(cs_fold *f, const char *path, const char *name, json_t *v, int depth);

static void add_children(cs_fold *f, const char *path, json_t *v, int depth)
{
	const char *key;
	json_t *child;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach(v, key, child) {
			CS_AUTOFREE char *sub = cs_xasprintf("%s/%s", path, key);

			add_value(f, sub, key, child, depth);
		}
		return;
	}
	json_array_foreach(v, i, child) {
		CS_AUTOFREE char *sub = cs_xasprintf("%s/%zu", path, i);
		CS_AUTOFREE char *name = cs_xasprintf("%zu", i);

		add_value(f, sub, name, child, depth);
	}
}

static void add_container(cs_fold *f, const char *path, const char *name, json_t *v, int depth, int indent)
{
	size_t size = json_is_object(v) ? json_object_size(v) : json_array_size(v);
	bool folded = is_folded(f, path, depth);
	const char *brackets = json_is_object(v) ? "{…}" : "[…]";
	CS_AUTOFREE char *line = cs_xasprintf("%s %s%s%s (%zu)", folded ? "▸" : "▾", name, *name ? " " : "", brackets, size);

	cs_pager_add(&f->pager, CS_ST_HEADER, indent, NULL, line);
	if (!folded)
		add_children(f, path, v, depth + 1);
}

static void add_value(cs_fold *f, const char *path, const char *name, json_t *v, int depth)
{
	int indent = depth * 2 < 40 ? depth * 2 : 40;
	bool container = (json_is_object(v) && json_object_size(v)) || (json_is_array(v) && json_array_size(v));
	CS_AUTOFREE char *value = NULL, *line = NULL;

	add_node(f, path, container);
	if (container) {
		add_container(f, path, name, v, depth, indent);
		return;
	}
	/* text is shown as text: its lines stay lines */
	value = json_is_string(v) ? cs_xstrdup(json_string_value(v)) : cs_json_text(v);
	if (json_is_string(v) && strchr(value, '\n')) {
		line = cs_xasprintf("  %s:", name);
		cs_pager_add(&f->pager, CS_ST_TEXT, indent, NULL, line);
		cs_pager_add(&f->pager, CS_ST_TEXT, indent + 4, NULL, value);
		return;
	}
	line = cs_xasprintf("  %s%s%s%s%s", name, *name ? ": " : "", json_is_string(v) ? "“" : "", value, json_is_string(v) ? "”" : "");
	cs_pager_add(&f->pager, CS_ST_TEXT, indent, NULL, line);
}

static void rebuild(cs_fold *f)
{
	clear_nodes(f);
	cs_pager_clear(&f->pager);
	if (f->value)
		add_value(f, "", "", f->value, 0);
	if (f->cursor >= f->n)
		f->cursor = f->n ? f->n - 1 : 0;
	f->pager.cursor = f->n ? (long)f->nodes[f->cursor].line : -1;
}

void cs_fold_set(cs_fold *f, json_t *value)
{
	json_incref(value);
	json_decref(f->value);
	f->value = value;
	rebuild(f);
}

void cs_fold_home(cs_fold *f)
{
	f->cursor = 0;
	cs_pager_home(&f->pager);
	f->pager.cursor = f->n ? 0 : -1;
}

static void set_folded(cs_fold *f, bool folded)
{
	if (f->n == 0 || !f->nodes[f->cursor].container)
		return;
	(void)json_object_set_new(f->folded, f->nodes[f->cursor].path, json_boolean(folded));
	rebuild(f);
}

static bool here_folded(const cs_fold *f)
{
	const char *path = f->nodes[f->cursor].path;
	int depth = 0;

	for (const char *p = path; *p; p++)
		depth += *p == '/';
	return is_folded(f, path, depth);
}

static void move(cs_fold *f, long by)
{
	long to = (long)f->cursor + by;

	if (f->n == 0)
		return;
	f->cursor = to < 0 ? 0 : (size_t)to < f->n ? (size_t)to : f->n - 1;
	f->pager.cursor = (long)f->nodes[f->cursor].line;
	cs_pager_show_line(&f->pager, f->nodes[f->cursor].line);
}

bool cs_fold_key(cs_fold *f, cs_key key)
{
	long page = f->pager.height > 2 ? f->pager.height - 2 : 1;

	switch (key) {
	case CS_KEY_UP: move(f, -1); return true;
	case CS_KEY_DOWN: move(f, 1); return true;
	case CS_KEY_PGUP: move(f, -page); return true;
	/* a long text is one node: its lines are scrolled, not jumped over */
	case CS_KEY_PGDN: return cs_pager_key(&f->pager, key);
	case CS_KEY_HOME: move(f, -(long)f->n); return true;
	case CS_KEY_END: move(f, (long)f->n); return true;
	case CS_KEY_RIGHT: set_folded(f, false); return true;
	case CS_KEY_LEFT: set_folded(f, true); return true;
	case CS_KEY_ENTER:
		if (f->n)
			set_folded(f, !here_folded(f));
		return true;
	default: return false;
	}
}

void cs_fold_draw(cs_fold *f, cs_term *t, cs_rect r, bool focused)
{
	cs_pager_draw(&f->pager, t, r, focused);
}
