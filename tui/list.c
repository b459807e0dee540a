/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "tui/list.h"

const char *cs_row_id(const json_t *row, const char *key, char out[CS_ROW_ID_SIZE])
{
	const json_t *v = json_object_get(row, key);

	if (json_is_string(v))
		(void)snprintf(out, CS_ROW_ID_SIZE, "%s", json_string_value(v));
	else if (json_is_integer(v))
		(void)snprintf(out, CS_ROW_ID_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else
		out[0] = '\0';
	return out;
}

void cs_list_init(cs_list *l, const char *id_key, cs_row_text_fn *text, void *ctx)
{
	*l = (cs_list){ .id_key = id_key, .text = text, .ctx = ctx, .rows = json_array(), .marks = json_object() };
}

void cs_list_fini(cs_list *l)
{
	json_decref(l->rows);
	json_decref(l->waiting);
	json_decref(l->marks);
	cs_filter_free(l->filter);
	free(l->shown);
	free(l->selected);
	*l = (cs_list){ 0 };
}

static bool is_row(const json_t *row, const char *key, const char *id)
{
	const char *s = json_string_value(json_object_get(row, key));
	char buf[CS_ROW_ID_SIZE];

	return strcmp(s ? s : cs_row_id(row, key, buf), id) == 0;
}

static bool find(const cs_list *l, const char *id, size_t *ret)
{
	size_t i;
	json_t *row;

	json_array_foreach(l->rows, i, row) {
		if (is_row(row, l->id_key, id)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* id → position in rows: what is merged may be as long as the list. */
static json_t *index_of(const cs_list *l)
{
	json_t *index = json_object(), *row;
	char buf[CS_ROW_ID_SIZE];
	size_t i;

	json_array_foreach(l->rows, i, row)
		(void)json_object_set_new(index, cs_row_id(row, l->id_key, buf), json_integer((json_int_t)i));
	return index;
}

static bool passes(const cs_list *l, const json_t *row)
{
	CS_AUTOBUF cs_buf text = { 0 };

	if (!l->filter)
		return true;
	cs_buf_init(&text, 1u << 20);
	l->text(l->ctx, row, &text);
	return cs_filter_match(l->filter, row, cs_buf_str(&text));
}

static void note_selection(cs_list *l)
{
	char buf[CS_ROW_ID_SIZE];
	json_t *row = cs_list_at(l, l->cursor);

	free(l->selected);
	l->selected = row ? cs_xstrdup(cs_row_id(row, l->id_key, buf)) : NULL;
}

/* Builds shown again; the selected row stays on its line of the screen. */
static void reflow(cs_list *l)
{
	size_t line = l->cursor >= l->top ? l->cursor - l->top : 0;
	size_t want = l->cursor, i;
	bool found = false;
	json_t *row;

	l->shown = cs_xrealloc(l->shown, (json_array_size(l->rows) + 1) * sizeof(*l->shown));
	l->n = 0;
	json_array_foreach(l->rows, i, row) {
		if (!passes(l, row))
			continue;
		if (l->selected && !found && is_row(row, l->id_key, l->selected)) {
			want = l->n;
			found = true;
		}
		l->shown[l->n++] = i;
	}
	l->cursor = want < l->n ? want : l->n ? l->n - 1 : 0;
	l->top = l->cursor > line ? l->cursor - line : 0;
	if (!found)
		note_selection(l);
}

void cs_list_set(cs_list *l, const json_t *rows)
{
	json_t *copy = json_copy((json_t *)rows);

	json_decref(l->rows);
	l->rows = copy;
	json_decref(CS_STEAL(l->waiting));
	l->n_fresh = 0;
	reflow(l);
}

void cs_list_merge(cs_list *l, const json_t *rows)
{
	char buf[CS_ROW_ID_SIZE];
	size_t i, fresh = 0;
	json_t *row, *index;

	if (json_array_size(l->rows) == 0) {
		cs_list_set(l, rows);
		return;
	}
	index = index_of(l);
	json_array_foreach(rows, i, row) {
		json_t *at = json_object_get(index, cs_row_id(row, l->id_key, buf));

		if (at)
			(void)json_array_set(l->rows, (size_t)json_integer_value(at), row);
		else
			fresh++;
	}
	json_decref(index);
	json_decref(CS_STEAL(l->waiting));
	/* the same rows, be it in another order: there is nothing to take in */
	if (fresh > 0 || json_array_size(rows) != json_array_size(l->rows))
		l->waiting = json_copy((json_t *)rows);
	l->n_fresh = fresh;
	reflow(l);
}

bool cs_list_take_fresh(cs_list *l)
{
	json_t *rows = CS_STEAL(l->waiting);

	if (!rows)
		return false;
	cs_list_set(l, rows);
	json_decref(rows);
	return true;
}

void cs_list_append(cs_list *l, const json_t *older)
{
	char buf[CS_ROW_ID_SIZE];
	json_t *index = index_of(l), *row;
	size_t i;

	json_array_foreach(older, i, row)
		if (!json_object_get(index, cs_row_id(row, l->id_key, buf)))
			(void)json_array_append(l->rows, row);
	json_decref(index);
	reflow(l);
}

void cs_list_update(cs_list *l, const json_t *row)
{
	char buf[CS_ROW_ID_SIZE];
	size_t at;

	if (find(l, cs_row_id(row, l->id_key, buf), &at)) {
		(void)json_array_set(l->rows, at, (json_t *)row);
		reflow(l);
	}
}

bool cs_list_has(const cs_list *l, const char *id)
{
	size_t at;

	return find(l, id, &at);
}

json_t *cs_list_at(const cs_list *l, size_t i)
{
	return i < l->n ? json_array_get(l->rows, l->shown[i]) : NULL;
}

json_t *cs_list_row(const cs_list *l)
{
	return cs_list_at(l, l->cursor);
}

void cs_list_go(cs_list *l, size_t i)
{
	if (l->n == 0)
		return;
	l->cursor = i < l->n ? i : l->n - 1;
	note_selection(l);
}

void cs_list_move(cs_list *l, long by)
{
	if (by < 0 && (size_t)-by > l->cursor)
		cs_list_go(l, 0);
	else
		cs_list_go(l, (size_t)((long)l->cursor + by));
}

bool cs_list_select(cs_list *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++) {
		if (is_row(cs_list_at(l, i), l->id_key, id)) {
			cs_list_go(l, i);
			return true;
		}
	}
	return false;
}

bool cs_list_key(cs_list *l, cs_key key)
{
	long page = l->height > 2 ? l->height - 1 : 1;

	switch (key) {
	case CS_KEY_UP: cs_list_move(l, -1); return true;
	case CS_KEY_DOWN: cs_list_move(l, 1); return true;
	case CS_KEY_PGUP: cs_list_move(l, -page); return true;
	case CS_KEY_PGDN: cs_list_move(l, page); return true;
	case CS_KEY_HOME: cs_list_go(l, 0); return true;
	case CS_KEY_END: cs_list_go(l, l->n); return true;
	default: return false;
	}
}

void cs_list_mark(cs_list *l, const char *id)
{
	if (json_object_get(l->marks, id))
		(void)json_object_del(l->marks, id);
	else
		(void)json_object_set_new(l->marks, id, json_true());
}

bool cs_list_marked(const cs_list *l, const char *id)
{
	return json_object_get(l->marks, id) != NULL;
}

size_t cs_list_marks(const cs_list *l)
{
	return json_object_size(l->marks);
}

void cs_list_clear_marks(cs_list *l)
{
	(void)json_object_clear(l->marks);
}

void cs_list_filter(cs_list *l, cs_filter *f)
{
	cs_filter_free(l->filter);
	l->filter = f;
	reflow(l);
}

void cs_list_draw(cs_list *l, cs_term *t, cs_rect r, cs_row_draw_fn *draw, void *ctx, bool focused)
{
	char buf[CS_ROW_ID_SIZE];

	l->height = r.h;
	if (r.h <= 0 || r.w < 4)
		return;
	if (l->cursor < l->top)
		l->top = l->cursor;
	if (l->cursor >= l->top + (size_t)r.h)
		l->top = l->cursor - (size_t)r.h + 1;
	for (int i = 0; i < r.h && l->top + (size_t)i < l->n; i++) {
		size_t at = l->top + (size_t)i;
		json_t *row = cs_list_at(l, at);
		bool here = at == l->cursor;
		unsigned bits = here && focused ? CS_ST_REVERSE : 0;
		cs_rect line = { r.y + i, r.x + 2, 1, r.w - 2 };

		if (bits)
			cs_term_fill(t, line, CS_ST_TEXT | bits);
		(void)cs_term_put(t, line.y, r.x, 1, CS_ST_KEY, here ? "▸" : " ");
		if (cs_list_marked(l, cs_row_id(row, l->id_key, buf)))
			(void)cs_term_put(t, line.y, r.x + 1, 1, CS_ST_WAIT, "*");
		draw(ctx, t, line, row, bits);
	}
}
