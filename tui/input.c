/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys and pastes. A paste is one event with its text: what is in it is never a key. */
#define NCURSES_WIDECHAR 1
#include <stdlib.h>
#include <wchar.h>
#include <curses.h>
#include "base/mem.h"
#include "tui/term_priv.h"

#define PASTE_MAX (1u << 20)

static const struct { int nc; cs_key key; } specials[] = {
	{ KEY_UP, CS_KEY_UP }, { KEY_DOWN, CS_KEY_DOWN }, { KEY_LEFT, CS_KEY_LEFT },
	{ KEY_RIGHT, CS_KEY_RIGHT }, { KEY_PPAGE, CS_KEY_PGUP }, { KEY_NPAGE, CS_KEY_PGDN },
	{ KEY_HOME, CS_KEY_HOME }, { KEY_END, CS_KEY_END }, { KEY_DC, CS_KEY_DELETE },
	{ KEY_BTAB, CS_KEY_BTAB }, { KEY_BACKSPACE, CS_KEY_BACKSPACE }, { KEY_ENTER, CS_KEY_ENTER },
	{ CS_NC_FOCUS_IN, CS_KEY_FOCUS_IN }, { CS_NC_FOCUS_OUT, CS_KEY_FOCUS_OUT },
};

static cs_key special(int nc)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(specials); i++)
		if (specials[i].nc == nc)
			return specials[i].key;
	return CS_KEY_OTHER;
}

static void gather(cs_term *t, wint_t wc)
{
	char mb[16];
	mbstate_t st = { 0 };
	size_t n = wcrtomb(mb, wc == '\r' ? L'\n' : (wchar_t)wc, &st);

	/* over its bound a paste keeps its beginning: it is shown before it can matter */
	if (n != (size_t)-1)
		(void)cs_buf_add(&t->paste, mb, n);
}

/* True when OUT was filled. */
static bool in_paste(cs_term *t, int kind, wint_t wc, cs_term_event *out)
{
	if (kind == KEY_CODE_YES && wc == CS_NC_PASTE_END) {
		t->pasting = false;
		*out = (cs_term_event){ CS_KEY_PASTE, cs_buf_steal(&t->paste) };
		return true;
	}
	if (kind != KEY_CODE_YES)
		gather(t, wc);
	return false;
}

size_t cs_term_drain(cs_term *t, cs_term_event *out, size_t max)
{
	size_t n = 0;
	wint_t wc;
	int kind;

	while (n < max && (kind = get_wch(&wc)) != ERR) {
		if (t->pasting) {
			n += in_paste(t, kind, wc, &out[n]);
			continue;
		}
		if (kind == KEY_CODE_YES && wc == CS_NC_PASTE_BEGIN) {
			t->pasting = true;
			cs_buf_init(&t->paste, PASTE_MAX);
			continue;
		}
		if (kind == KEY_CODE_YES && (wc == KEY_RESIZE || wc == CS_NC_PASTE_END))
			continue;
		out[n].text = NULL;
		out[n].key = kind == KEY_CODE_YES ? special((int)wc) : (cs_key)wc;
		if (out[n].key == '\n')
			out[n].key = CS_KEY_ENTER;
		if (out[n].key == 8)
			out[n].key = CS_KEY_BACKSPACE;
		if (out[n].key == CS_KEY_FOCUS_IN || out[n].key == CS_KEY_FOCUS_OUT)
			t->focused = out[n].key == CS_KEY_FOCUS_IN;
		else
			n++;
	}
	return n;
}

bool cs_term_pasting(const cs_term *t)
{
	return t->pasting;
}
