/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "tui/menu.h"

void cs_menu_init(cs_menu *m)
{
	*m = (cs_menu){ 0 };
}

void cs_menu_fini(cs_menu *m)
{
	for (size_t i = 0; i < m->n_items; i++) {
		free(m->items[i].label);
		free(m->items[i].key);
		free(m->items[i].detail);
	}
	free(m->items);
	free(m->order);
	*m = (cs_menu){ 0 };
}

void cs_menu_add(cs_menu *m, int id, const char *label, const char *key, const char *detail, bool dim)
{
	m->items = cs_xrealloc(m->items, (m->n_items + 1) * sizeof(*m->items));
	m->items[m->n_items++] = (cs_menu_item){ id, cs_xstrdup(label), cs_xstrdup(key), cs_xstrdup(detail), dim };
}

int cs_menu_score(const char *hay, const char *needle)
{
	int score = 1, run = 0;
	const char *start = hay;

	for (; *needle; needle++) {
		if (*needle == ' ')
			continue;
		while (*hay && tolower((unsigned char)*hay) != tolower((unsigned char)*needle)) {
			hay++;
			run = 0;
		}
		if (!*hay)
			return 0;
		/* letters that follow each other, and beginnings of words, are what was meant */
		score += 1 + 4 * run + (hay == start || hay[-1] == '-' || hay[-1] == ' ' ? 6 : 0);
		run++;
		hay++;
	}
	return score;
}

static int score_of(const cs_menu *m, size_t i)
{
	int label = cs_menu_score(m->items[i].label, m->query.text) * 4;
	int detail = cs_menu_score(m->items[i].detail, m->query.text);

	return label > detail ? label : detail;
}

void cs_menu_sort(cs_menu *m)
{
	m->order = cs_xrealloc(m->order, (m->n_items + 1) * sizeof(*m->order));
	m->n = 0;
	for (size_t i = 0; i < m->n_items; i++) {
		int score = score_of(m, i);
		size_t at;

		if (!score)
			continue;
		for (at = m->n; at > 0 && score_of(m, m->order[at - 1]) < score; at--)
			m->order[at] = m->order[at - 1];
		m->order[at] = i;
		m->n++;
	}
	m->cursor = m->top = 0;
}

bool cs_menu_key(cs_menu *m, cs_key key)
{
	if (key == CS_KEY_UP || key == CS_CTRL('p')) {
		m->cursor -= m->cursor > 0;
		return true;
	}
	if (key == CS_KEY_DOWN || key == CS_CTRL('n')) {
		m->cursor += m->cursor + 1 < m->n;
		return true;
	}
	if (key == CS_KEY_PGDN || key == CS_KEY_PGUP) {
		m->cursor = key == CS_KEY_PGUP ? (m->cursor > 10 ? m->cursor - 10 : 0)
			: m->cursor + 10 < m->n ? m->cursor + 10 : m->n ? m->n - 1 : 0;
		return true;
	}
	if (!cs_line_key(&m->query, key))
		return false;
	cs_menu_sort(m);
	return true;
}

int cs_menu_chosen(const cs_menu *m, int none)
{
	return m->cursor < m->n ? m->items[m->order[m->cursor]].id : none;
}

int cs_menu_draw(cs_menu *m, cs_term *t, cs_rect r, const char *label)
{
	int col = cs_line_draw(&m->query, t, (cs_rect){ r.y, r.x, 1, r.w }, label);
	int rows = r.h - 1;

	if (rows < 1)
		return col;
	if (m->cursor < m->top)
		m->top = m->cursor;
	if (m->cursor >= m->top + (size_t)rows)
		m->top = m->cursor - (size_t)rows + 1;
	for (int i = 0; i < rows && m->top + (size_t)i < m->n; i++) {
		const cs_menu_item *it = &m->items[m->order[m->top + (size_t)i]];
		unsigned bits = m->top + (size_t)i == m->cursor ? CS_ST_REVERSE : 0;
		int y = r.y + 1 + i;

		if (bits)
			cs_term_fill(t, (cs_rect){ y, r.x, 1, r.w }, CS_ST_TEXT | bits);
		(void)cs_term_put(t, y, r.x, 9, CS_ST_KEY | bits, it->key);
		(void)cs_term_put(t, y, r.x + 10, 18, (it->dim ? CS_ST_DIM : CS_ST_BOLD) | bits, it->label);
		(void)cs_term_put(t, y, r.x + 29, r.w - 29, (it->dim ? CS_ST_DIM : CS_ST_TEXT) | bits, it->detail);
	}
	return col;
}
