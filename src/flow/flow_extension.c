/* SPDX-License-Identifier: GPL-3.0-or-later */
/* use.extensions: around each task that an extension is for stands a row of the table with what is
 * before, the task itself and what is after; several are skins of each other, the first outermost.
 * Source: dsl-reference.md, "Extension"; dsl.md, "Extensions". */
#include "flow/flow_priv.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static const char *const targets[] = {
	"call", "composite", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait", "all", NULL,
};

/* ---- by itself ---------------------------------------------------------------------------------------- */

static void check_extension(cs_build *b, const json_t *ext)
{
	static const cs_key keys[] = {
		{ "extend", CS_IS_STRING | CS_KEY_REQUIRED }, { "when", CS_IS_STRING }, { "before", CS_IS_ARRAY },
		{ "after", CS_IS_ARRAY }, { NULL, 0 },
	};
	if (!cs_check_object(&b->c, ext, keys, "an extension"))
		return;
	cs_check_word(&b->c, ext, "extend", targets);
	if (!json_object_get(ext, "before") && !json_object_get(ext, "after"))
		cs_check_error(&b->c, "an extension without 'before' and 'after' does nothing; write one of them, or remove it");
}

static void check_name(cs_build *b, const json_t *list, size_t at, const char *name)
{
	if (!*name || strlen(name) > 200)
		cs_check_error_key(&b->c, name, "an extension's name must have between 1 and 200 bytes");
	for (size_t i = 0; i < at; i++)
		if (json_object_get(json_array_get(list, i), name)) {
			cs_check_error_key(&b->c, name, "two extensions are named '%.80s'; give one another name", name);
			return;
		}
}

void cs_build_use_extensions(cs_build *b, const json_t *use)
{
	const json_t *list = json_object_get(use, "extensions");
	size_t i, mark = cs_check_push(&b->c, "extensions");
	json_t *item;
	json_array_foreach(list, i, item) {
		const char *name = json_object_iter_key(json_object_iter(item));
		size_t inner = cs_check_push_index(&b->c, i);
		if (!json_is_object(item) || json_object_size(item) != 1) {
			cs_check_error(&b->c, "each extension is one name with its definition, like '- logging: { extend: all, … }'");
		} else {
			check_name(b, list, i, name);
			cs_check_push(&b->c, name);
			check_extension(b, json_object_get(item, name));
		}
		cs_check_pop(&b->c, inner);
	}
	cs_check_pop(&b->c, mark);
	if (json_array_size(list) > 0)
		b->extensions_seen = cs_xcalloc(json_array_size(list), sizeof *b->extensions_seen);
}

static json_t *extensions_of(const cs_build *b)
{
	return json_object_get(json_object_get(b->f->def, "use"), "extensions");
}

static bool is_target(const json_t *item)
{
	const char *extend = cs_json_str_or(json_object_iter_value(json_object_iter((json_t *)(uintptr_t)item)), "extend", "");
	const char *const *t = targets;
	while (*t && strcmp(*t, extend) != 0)
		t++;
	return *t != NULL;
}

void cs_build_check_extensions(cs_build *b)
{
	size_t i, mark = cs_check_push(&b->c, "use");
	json_t *item;
	cs_check_push(&b->c, "extensions");
	json_array_foreach(extensions_of(b), i, item) {
		size_t inner = cs_check_push_index(&b->c, i);
		if (b->extensions_seen && !b->extensions_seen[i] && is_target(item))
			cs_check_warn(&b->c, json_object_iter_key(json_object_iter(item)),
				      "this extension is for no task of this flow, and what is in it was not looked at");
		cs_check_pop(&b->c, inner);
	}
	cs_check_pop(&b->c, mark);
}

/* ---- around a task ------------------------------------------------------------------------------------ */

/* One extension around one task. */
struct skin {
	int id;                   /* its row */
	size_t index;             /* in use.extensions */
	const char *name;
	json_t *ext;
};

static bool is_for(const json_t *ext, const char *keyword)
{
	const char *extend = cs_json_str_or(ext, "extend", "");
	return strcmp(extend, "all") == 0 || strcmp(extend, strcmp(keyword, "do") == 0 ? "composite" : keyword) == 0;
}

/* Row ID becomes the skin; the task goes on in a new row inside of it, whose number comes back. */
static int wrap(cs_build *b, struct skin *s, json_t *def)
{
	CS_AUTOFREE char *part = cs_pointer_part(s->name);
	int inner = cs_build_row(b, b->f->tasks[s->id].name, def, s->id, 0);
	cs_task *t = &b->f->tasks[s->id];
	free(t->ref);
	t->ref = cs_xasprintf("%s/extensions/%s", b->f->tasks[inner].ref, part);
	t->def = s->ext;
	t->kind = CS_TASK_DO;
	t->role = CS_ROLE_EXTENSION;
	t->children = cs_xcalloc(3, sizeof *t->children);
	t->children[0] = inner;
	t->n_children = 1;
	return inner;
}

/* The list at KEY as one sequence, the INDEXth child of the skin. The cursor is on the extension. */
static int build_part(cs_build *b, const struct skin *s, const char *key, cs_task_role role, int index)
{
	json_t *list = json_object_get(s->ext, key);
	CS_AUTOFREE char *base = cs_xasprintf("%s/%s", b->f->tasks[s->id].ref, key);
	size_t mark = cs_check_push(&b->c, key);
	int *ids = NULL, n = 0, core = b->f->tasks[s->id].extended;
	b->ref_base = base;
	b->ref_skip = b->c.len;
	int row = cs_build_row(b, key, list ? list : s->ext, s->id, index);
	b->f->tasks[row].kind = CS_TASK_DO;
	b->f->tasks[row].role = role;
	if (list)
		cs_build_list(b, list, row, false, false, role == CS_ROLE_BEFORE ? "'before'" : "'after'", &ids, &n);
	b->f->tasks[row].children = ids;
	b->f->tasks[row].n_children = n;
	for (int i = row; i < b->f->n_tasks; i++)
		b->f->tasks[i].extended = core;
	cs_check_pop(&b->c, mark);
	return row;
}

/* `before` also where there is only a condition: it is looked at there, once. */
static void build_parts(cs_build *b, const struct skin *s)
{
	int ids[3], n = 0, inner = b->f->tasks[s->id].children[0];
	if (json_object_get(s->ext, "before") || json_object_get(s->ext, "when")) {
		ids[n] = build_part(b, s, "before", CS_ROLE_BEFORE, n);
		cs_template *when = NULL;
		cs_build_template_key(b, s->ext, "when", CS_TEMPLATE_BARE, &when);
		b->f->tasks[ids[n++]].cond = when;
	}
	b->f->tasks[inner].index = n;
	ids[n++] = inner;
	if (json_object_get(s->ext, "after")) {
		ids[n] = build_part(b, s, "after", CS_ROLE_AFTER, n);
		n++;
	}
	memcpy(b->f->tasks[s->id].children, ids, (size_t)n * sizeof ids[0]);
	b->f->tasks[s->id].n_children = n;
}

/* What is wrong in an extension is said once, not for each task that it is for. */
static void build_skin(cs_build *b, const struct skin *s)
{
	cs_check saved = b->c;
	cs_diags known;
	const char *ref_base = b->ref_base;
	size_t ref_skip = b->ref_skip, first_var = b->first_var, first_function = b->first_function;
	cs_diags_init(&known);
	b->again = b->extensions_seen[s->index];
	cs_check_init(&b->c, NULL, b->src, b->again ? &known : saved.d);
	cs_check_push(&b->c, "use");
	cs_check_push(&b->c, "extensions");
	cs_check_push_index(&b->c, s->index);
	cs_check_push(&b->c, s->name);
	b->first_var = b->n_vars;
	b->first_function = b->n_functions;
	b->in_extension = b->extensions_seen[s->index] = true;
	build_parts(b, s);
	b->in_extension = b->again = false;
	b->first_function = first_function;
	b->first_var = first_var;
	b->ref_base = ref_base;
	b->ref_skip = ref_skip;
	b->c = saved;
	for (size_t i = 0; known.errors > 0 && saved.d->errors == 0 && i < known.n; i++)
		if (!known.items[i].warning)
			cs_check_error(&b->c, "the extension '%.80s' of this task: %s", s->name, known.items[i].message);
	cs_diags_fini(&known);
}

static bool room_for(cs_build *b, const struct skin *s)
{
	if (b->f->n_tasks < CS_BUILD_TASKS && strlen(b->f->tasks[s->id].ref) < CS_CHECK_PATH)
		return true;
	cs_check_error(&b->c, "with its extensions around its tasks, this flow has more than %d tasks, or one is too deep", CS_BUILD_TASKS);
	return false;
}

/* Fills SKINS with the rows around the task; its own row comes back. */
static int wrap_all(cs_build *b, int id, json_t *def, struct skin *skins, size_t *ret_n)
{
	const char *keyword = cs_build_keyword(def);
	size_t i, n = 0;
	json_t *item;
	if (b->extensions_seen == NULL || b->in_extension || keyword == NULL)
		return id;
	json_array_foreach(extensions_of(b), i, item) {
		struct skin s = { .id = id, .index = i, .name = json_object_iter_key(json_object_iter(item)) };
		s.ext = s.name ? json_object_get(item, s.name) : NULL;
		if (!is_for(s.ext, keyword) || !room_for(b, &s))
			continue;
		id = wrap(b, &s, def);
		skins[n++] = s;
	}
	*ret_n = n;
	return id;
}

void cs_build_extended(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	CS_AUTOFREE struct skin *skins = cs_xcalloc(json_array_size(extensions_of(b)) + 1, sizeof *skins);
	size_t n = 0;
	int core = wrap_all(b, id, def, skins, &n);
	if (n > 0)
		b->f->tasks[core].wrapper = id;
	for (size_t i = 0; i < n; i++)
		b->f->tasks[skins[i].id].extended = core;
	cs_build_task(b, core, def, sibs);
	for (size_t i = 0; i < n; i++)
		build_skin(b, &skins[i]);
}
