/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/pager.h"

static const char rule_mark[] = "\x01";   /* cannot come from outside: control characters are shown */

void cs_pager_init(cs_pager *p)
{
	*p = (cs_pager){ .cursor = -1, .stale = true };
}

void cs_pager_clear(cs_pager *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->lines[i].label);
		free(p->lines[i].text);
	}
	p->n = 0;
	p->stale = true;
}

void cs_pager_fini(cs_pager *p)
{
	cs_pager_clear(p);
	free(p->lines);
	free(p->rows);
	*p = (cs_pager){ 0 };
}

void cs_pager_home(cs_pager *p)
{
	p->top = 0;
}

static void add_line(cs_pager *p, unsigned style, int indent, const char *label, char *text)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->lines = cs_xrealloc(p->lines, p->cap * sizeof(*p->lines));
	}
	p->lines[p->n++] = (cs_pager_line){ style, indent, cs_xstrdup(label), text };
	p->stale = true;
}

void cs_pager_add(cs_pager *p, unsigned style, int indent, const char *label, const char *text)
{
	CS_AUTOBUF cs_buf b = { 0 };
	const char *s;

	if (!text)
		return;
	cs_buf_init(&b, strlen(text) * 12 + 64);   /* the longest visible form of one byte */
	(void)cs_utf8_show(text, strlen(text), true, &b);
	s = cs_buf_str(&b);
	if (label && cs_utf8_width(label, strlen(label)) >= indent) {
		add_line(p, CS_ST_HEADER, 0, NULL, cs_utf8_shown(label));   /* a long label has a line of its own */
		label = NULL;
	}
	for (;;) {
		size_t len = strcspn(s, "\n");

		add_line(p, style, indent, label, cs_xstrndup(s, len));
		label = NULL;
		if (!s[len] || !s[len + 1])
			return;
		s += len + 1;
	}
}

void cs_pager_addf(cs_pager *p, unsigned style, const char *fmt, ...)
{
	CS_AUTOFREE char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n >= 0)
		cs_pager_add(p, style, 0, NULL, text);
	else
		text = NULL;
}

void cs_pager_rule(cs_pager *p)
{
	add_line(p, CS_ST_DIM, 0, NULL, cs_xstrdup(rule_mark));
}

void cs_pager_append(cs_pager *p, const cs_pager *other)
{
	for (size_t i = 0; i < other->n; i++)
		add_line(p, other->lines[i].style, other->lines[i].indent, other->lines[i].label, cs_xstrdup(other->lines[i].text));
}

/* Bytes of S for one row: up to the last space that fits, else as many clusters as fit. */
static size_t row_length(const char *s, size_t len, int cols)
{
	int used = 0;
	size_t n = cs_utf8_fit(s, len, cols, &used), k;

	if (n >= len)
		return len;
	if (n == 0) {
		n = cs_utf8_fit(s, len, cols + 1, &used);
		return n ? n : len;
	}
	for (k = n; k > n / 4; k--)
		if (s[k - 1] == ' ')
			return k;
	return n;
}

static void add_row(cs_pager *p, size_t *cap, cs_pager_row row)
{
	if (p->n_rows == *cap) {
		*cap = *cap ? *cap * 2 : 128;
		p->rows = cs_xrealloc(p->rows, *cap * sizeof(*p->rows));
	}
	p->rows[p->n_rows++] = row;
}

static void wrap(cs_pager *p, int width)
{
	size_t cap = 0;

	free(CS_STEAL(p->rows));
	p->n_rows = 0;
	for (size_t i = 0; i < p->n; i++) {
		const cs_pager_line *l = &p->lines[i];
		int room = width - l->indent > 8 ? width - l->indent : width > 2 ? width - 1 : 2;
		size_t off = 0, len = strlen(l->text);

		do {
			size_t n = row_length(l->text + off, len - off, room);

			add_row(p, &cap, (cs_pager_row){ i, off, n });
			off += n;
		} while (off < len);
	}
	p->width = width;
	p->stale = false;
}

int cs_pager_rows(const char *text, int cols)
{
	cs_pager p;
	int rows;

	cs_pager_init(&p);
	cs_pager_add(&p, CS_ST_TEXT, 0, NULL, text);
	wrap(&p, cols);
	rows = (int)p.n_rows;
	cs_pager_fini(&p);
	return rows;
}

static size_t last_top(const cs_pager *p)
{
	size_t h = p->height > 0 ? (size_t)p->height : 1;

	return p->n_rows > h ? p->n_rows - h : 0;
}

static void scroll(cs_pager *p, long by)
{
	size_t last = last_top(p);

	if (by < 0)
		p->top = p->top > (size_t)-by ? p->top - (size_t)-by : 0;
	else
		p->top += (size_t)by;
	if (p->top > last)
		p->top = last;
}

bool cs_pager_key(cs_pager *p, cs_key key)
{
	long page = p->height > 2 ? p->height - 2 : 1;

	switch (key) {
	case CS_KEY_UP: scroll(p, -1); return true;
	case CS_KEY_DOWN: scroll(p, 1); return true;
	case CS_KEY_PGUP: scroll(p, -page); return true;
	case CS_KEY_PGDN: scroll(p, page); return true;
	case CS_KEY_HOME: p->top = 0; return true;
	case CS_KEY_END: p->top = last_top(p); return true;
	default: return false;
	}
}

void cs_pager_show_line(cs_pager *p, size_t line)
{
	size_t h = p->height > 1 ? (size_t)p->height - 1 : 1;

	for (size_t i = 0; i < p->n_rows; i++) {
		if (p->rows[i].line != line)
			continue;
		if (i < p->top)
			p->top = i;
		else if (i >= p->top + h)
			p->top = i - h + 1;
		return;
	}
}

size_t cs_pager_below(const cs_pager *p)
{
	size_t end = p->top + (p->height > 0 ? (size_t)p->height : 0);

	return p->n_rows > end ? p->n_rows - end : 0;
}

static void draw_row(const cs_pager *p, cs_term *t, cs_rect r, const cs_pager_row *row, bool focused)
{
	const cs_pager_line *l = &p->lines[row->line];
	CS_AUTOFREE char *part = cs_xstrndup(l->text + row->off, row->len);
	unsigned bits = focused && p->cursor == (long)row->line ? CS_ST_REVERSE : 0;
	int indent = r.w - l->indent > 8 ? l->indent : 1;

	if (strcmp(l->text, rule_mark) == 0) {
		for (int x = 0; x < r.w; x++)
			(void)cs_term_put(t, r.y, r.x + x, 1, CS_ST_DIM, "─");
		return;
	}
	if (bits)
		cs_term_fill(t, r, l->style | bits);
	if (l->label && row->off == 0)
		(void)cs_term_put(t, r.y, r.x, indent, CS_ST_HEADER | bits, l->label);
	indent = l->indent || l->label ? indent : 0;
	(void)cs_term_put(t, r.y, r.x + indent, r.w - indent, l->style | bits, part);
}

void cs_pager_draw(cs_pager *p, cs_term *t, cs_rect r, bool focused)
{
	size_t below;

	if (r.h <= 0 || r.w <= 0)
		return;
	p->height = r.h;
	if (p->stale || p->width != r.w) {
		/* the same line stays on top when the width changes */
		size_t line = p->top < p->n_rows && !p->stale ? p->rows[p->top].line : 0;
		bool again = p->top > 0 && !p->stale;

		wrap(p, r.w);
		for (size_t i = 0; again && i < p->n_rows; i++)
			if (p->rows[i].line == line) {
				p->top = i;
				break;
			}
	}
	if (p->top > last_top(p))
		p->top = last_top(p);
	below = cs_pager_below(p);
	if (below) {
		/* its row is given to the count, so that what is hidden is always said */
		CS_AUTOFREE char *more = cs_xasprintf(P_("▼ %zu more line (PgDn)", "▼ %zu more lines (PgDn)", below + 1), below + 1);

		(void)cs_term_put(t, r.y + r.h - 1, r.x, r.w, CS_ST_WAIT, more);
	}
	for (int i = 0; i < r.h - (below > 0) && p->top + (size_t)i < p->n_rows; i++)
		draw_row(p, t, (cs_rect){ r.y + i, r.x, 1, r.w }, &p->rows[p->top + (size_t)i], focused);
}
