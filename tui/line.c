/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/line.h"

void cs_line_set(cs_line *l, const char *text)
{
	l->len = l->at = 0;
	l->text[0] = '\0';
	(void)cs_line_insert(l, text);
}

static bool add_bytes(cs_line *l, const char *p, size_t n)
{
	if (l->len + n >= CS_LINE_MAX)
		return false;
	memmove(l->text + l->at + n, l->text + l->at, l->len - l->at + 1);
	memcpy(l->text + l->at, p, n);
	l->at += n;
	l->len += n;
	return true;
}

bool cs_line_insert(cs_line *l, const char *text)
{
	size_t n = strlen(text);

	if (l->len + n >= CS_LINE_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		(void)add_bytes(l, text[i] == '\n' || text[i] == '\r' ? " " : text + i, 1);
	return true;
}

static bool add_code_point(cs_line *l, cs_key key)
{
	unsigned c = (unsigned)key;
	char b[4];
	size_t n = 0;

	if (c < 0x80) {
		b[n++] = (char)c;
	} else if (c < 0x800) {
		b[n++] = (char)(0xc0 | c >> 6);
		b[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		b[n++] = (char)(0xe0 | c >> 12);
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		b[n++] = (char)(0xf0 | c >> 18);
		b[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (char)(0x80 | (c & 0x3f));
	}
	return add_bytes(l, b, n);
}

static size_t before(const cs_line *l, size_t at)
{
	while (at > 0 && ((unsigned char)l->text[--at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t after(const cs_line *l, size_t at)
{
	while (at < l->len && ((unsigned char)l->text[++at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t word_before(const cs_line *l)
{
	size_t at = l->at;

	while (at > 0 && l->text[at - 1] == ' ')
		at--;
	while (at > 0 && l->text[at - 1] != ' ')
		at--;
	return at;
}

/* Takes FROM..TO out, to be had back with C-y when KEEP. */
static void cut(cs_line *l, size_t from, size_t to, bool keep)
{
	if (keep && to > from) {
		memcpy(l->killed, l->text + from, to - from);
		l->killed[to - from] = '\0';
	}
	memmove(l->text + from, l->text + to, l->len - to + 1);
	l->len -= to - from;
	l->at = from;
}

static bool edit_key(cs_line *l, cs_key key)
{
	switch (key) {
	case CS_KEY_BACKSPACE: cut(l, before(l, l->at), l->at, false); return true;
	case CS_KEY_DELETE: case CS_CTRL('d'): cut(l, l->at, after(l, l->at), false); return true;
	case CS_CTRL('k'): cut(l, l->at, l->len, true); return true;
	case CS_CTRL('u'): cut(l, 0, l->at, true); return true;
	case CS_CTRL('w'): cut(l, word_before(l), l->at, true); return true;
	case CS_CTRL('y'): (void)cs_line_insert(l, l->killed); return true;
	default: return key >= 32 && key < 0x110000 && key != 127 && add_code_point(l, key);
	}
}

bool cs_line_key(cs_line *l, cs_key key)
{
	switch (key) {
	case CS_KEY_LEFT: case CS_CTRL('b'): l->at = before(l, l->at); return true;
	case CS_KEY_RIGHT: case CS_CTRL('f'): l->at = after(l, l->at); return true;
	case CS_KEY_HOME: case CS_CTRL('a'): l->at = 0; return true;
	case CS_KEY_END: case CS_CTRL('e'): l->at = l->len; return true;
	default: return edit_key(l, key);
	}
}

int cs_line_draw(const cs_line *l, cs_term *t, cs_rect r, const char *label)
{
	/* where nothing is typed, as at a question that one key answers, only the cursor needs room */
	int used = cs_term_put(t, r.y, r.x, l->text[0] ? r.w * 2 / 3 : r.w - 2, CS_ST_KEY, label) + 1;
	int room = r.w - used - 1, cols = 0;
	size_t from = 0;
	CS_AUTOFREE char *head = NULL, *rest = NULL, *seen = NULL;

	if (room < 1)
		room = 1;
	/* what lies left of the cursor scrolls out, never what is at it */
	for (;;) {
		free(CS_STEAL(head));
		free(CS_STEAL(seen));
		head = cs_xstrndup(l->text + from, l->at - from);
		seen = cs_utf8_shown(head);
		cols = cs_utf8_width(seen, strlen(seen));
		if (cols < room || from >= l->at)
			break;
		from = after(l, from);
	}
	rest = cs_xstrdup(l->text + from);
	(void)cs_term_put(t, r.y, r.x + used, room + 1, CS_ST_TEXT, rest);
	return r.x + used + cols;
}
