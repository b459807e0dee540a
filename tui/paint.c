/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture: tabs, the view, a notice, the keys that work. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/action.h"
#include "tui/shell.h"

#define LEAST_ROWS 6
#define LEAST_COLS 30
#define NOTICE_ROWS 6

static int width(const char *s)
{
	return cs_utf8_width(s, strlen(s));
}

/* Right to left, so that what matters most stays longest: the mode, hold, the workspace, the count. */
static int paint_state(cs_shell *sh, int cols)
{
	const char *mode = cs_json_str_or(sh->status, "mode", "");
	const char *hold = cs_json_str_or(sh->status, "hold", "");
	CS_AUTOFREE char *running = cs_xasprintf(P_("%ld running", "%ld running", sh->live_runs), sh->live_runs);
	bool simulated = strncmp(mode, "simulat", 7) == 0;
	bool held = cs_json_true(sh->status, "hold") || (*hold && strcmp(hold, "normal") != 0);
	const struct { bool on; unsigned style; const char *text; } parts[] = {
		{ simulated, CS_ST_SIM, _("SIMULATED") }, { sh->gone != NULL, CS_ST_BAD, _("NO ENGINE") }, { held, CS_ST_BAD, _("HELD") },
		{ true, CS_ST_BOLD, cs_json_str_or(sh->status, "workspace", "") }, { cols >= 70, CS_ST_DIM, running },
	};
	int x = cols;

	for (size_t i = 0; i < CS_ARRAY_LEN(parts); i++) {
		int w = parts[i].on ? width(parts[i].text) : 0;

		if (!w || (i >= 3 && x - w < cols / 2))
			continue;
		x -= w;
		(void)cs_term_put(sh->term, 0, x, w, parts[i].style, parts[i].text);
		x -= 2;
	}
	return x;
}

static void paint_tabs(cs_shell *sh, int cols)
{
	int right = paint_state(sh, cols), need = 0, x = 0;
	char tabs[CS_VIEW_COUNT][64];

	for (int i = 0; i < CS_VIEW_COUNT; i++) {
		const cs_view_ops *o = sh->views[i]->ops;

		long count = i == CS_VIEW_INBOX ? sh->open_items : i == CS_VIEW_RUNS ? sh->going : 0;

		if (count > 0)
			(void)snprintf(tabs[i], sizeof(tabs[i]), i == CS_VIEW_RUNS ? _("%c %s %ld open") : "%c %s %ld", o->digit, _(o->name), count);
		else
			(void)snprintf(tabs[i], sizeof(tabs[i]), "%c %s", o->digit, _(o->name));
		need += width(tabs[i]) + 2;
	}
	for (int i = 0; i < CS_VIEW_COUNT && x < right; i++) {
		const char *s = tabs[i];
		char one[2] = { sh->views[i]->ops->digit, '\0' };

		/* short of room, only the tab that is open keeps its name */
		if (need > right && i != sh->at)
			s = one;
		x += cs_term_put(sh->term, 0, x, right - x, i == sh->at ? CS_ST_TAB : CS_ST_DIM, s) + 2;
	}
}

typedef struct footer { cs_shell *sh; int y, x, lines, cols, reserve; } footer;

/* False when there is no room for it any more. */
static bool footer_item(footer *f, const char *key, const char *name)
{
	int w = width(key) + 1 + width(name);
	int room = f->cols - (f->lines == 1 ? f->reserve : 0);

	if (f->x + w > room) {
		if (f->lines == 1)
			return false;
		f->lines--;
		f->y++;
		f->x = 0;
		room = f->cols - (f->lines == 1 ? f->reserve : 0);
		if (w > room)
			return false;
	}
	f->x += cs_term_put(f->sh->term, f->y, f->x, f->cols - f->x, CS_ST_KEY, key) + 1;
	f->x += cs_term_put(f->sh->term, f->y, f->x, f->cols - f->x, CS_ST_TEXT, name) + 2;
	return true;
}

/* While something is asked or read, only its own keys work. */
static bool paint_asking(cs_shell *sh, footer *f)
{
	bool prompt = sh->prompt.on, keys = prompt && sh->prompt.keys, text = !prompt && sh->over == CS_OVER_TEXT;

	if (!prompt && !sh->over)
		return false;
	if (text)
		(void)footer_item(f, "PgDn", _("more"));
	else if (!keys)
		(void)footer_item(f, "Enter", sh->prompt.word ? _("when the word stands there") : _("takes it"));
	(void)footer_item(f, "Esc", text ? _("back") : _("leaves it"));
	/* the prompt stands where notices do, so what is said about it stands here */
	if (prompt && sh->notice)
		(void)cs_term_put(sh->term, f->y + f->lines - 1, f->lines > 1 ? 0 : f->x, f->cols, sh->notice_style, sh->notice);
	return true;
}

static void paint_footer(cs_shell *sh, int y, int lines, int cols)
{
	footer f = { sh, y, 0, lines, cols, 14 };
	unsigned can = cs_shell_can(sh);
	char key[16], palette[16];

	if (paint_asking(sh, &f))
		return;
	for (int i = 0; i < CS_ACT_COUNT; i++) {
		const cs_action *a = &cs_actions[i];

		if (!(a->flags & CS_ACT_FOOTER) || !(a->views & CS_IN(sh->at)) || (a->needs & ~can))
			continue;
		cs_action_key((cs_action_id)i, key);
		/* of two on one key the first that can run is the one that does */
		if (strlen(key) == 1 && cs_action_find((cs_key)key[0], sh->at, can) != i)
			continue;
		if (!footer_item(&f, key, a->name))
			break;
	}
	f.reserve = 0;   /* its room was kept for this one */
	(void)footer_item(&f, cs_action_key(CS_ACT_palette, palette), cs_actions[CS_ACT_palette].name);
}

static int paint_notice(cs_shell *sh, int y, int cols)
{
	CS_AUTOBUF cs_buf right = { 0 };
	cs_view *v = cs_shell_view(sh);
	int w, room;

	if (sh->prompt.on)
		return cs_line_draw(&sh->prompt.line, sh->term, (cs_rect){ y, 0, 1, cols }, sh->prompt.label);
	cs_buf_init(&right, 4096);
	if (sh->search)
		(void)cs_buf_addf(&right, _("/%s  %zu of %zu  "), sh->search_text, sh->search_at, sh->search_total);
	v->ops->note(v, &right);
	w = right.len ? width(cs_buf_str(&right)) : 0;
	room = sh->notice ? cols - width(sh->notice) - 2 : cols;
	if (w > 0 && w <= room)
		(void)cs_term_put(sh->term, y, cols - w, w, CS_ST_DIM, cs_buf_str(&right));
	if (sh->notice)
		(void)cs_term_put(sh->term, y, 0, cols, sh->notice_style, sh->notice);
	return -1;
}

/* How many rows a notice needs: it is never cut, it wraps. */
static int notice_rows(const cs_shell *sh, int cols)
{
	int rows = sh->notice && !sh->prompt.on ? cs_pager_rows(sh->notice, cols) : 1;

	return rows < 1 ? 1 : rows > NOTICE_ROWS ? NOTICE_ROWS : rows;
}

static void paint_long_notice(cs_shell *sh, int y, int rows, int cols)
{
	cs_pager p;

	cs_pager_init(&p);
	cs_pager_add(&p, sh->notice_style, 0, NULL, sh->notice);
	cs_pager_draw(&p, sh->term, (cs_rect){ y, 0, rows, cols }, false);
	cs_pager_fini(&p);
}

static int paint_over(cs_shell *sh, cs_rect r)
{
	if (sh->over == CS_OVER_MENU)
		return cs_menu_draw(&sh->menu, sh->term, r, ":");
	(void)cs_term_put(sh->term, r.y, r.x, r.w, CS_ST_HEADER, sh->text_title);
	cs_pager_draw(&sh->text, sh->term, (cs_rect){ r.y + 1, r.x, r.h - 1, r.w }, false);
	return -1;
}

/* From now on the operator can see it: decisions about it arm. */
static void note_subject(cs_shell *sh)
{
	CS_AUTOBUF cs_buf now = { 0 };
	cs_view *v = cs_shell_view(sh);

	cs_buf_init(&now, 4096);
	if (!sh->over)
		v->ops->subject(v, &now);
	if (sh->subject && strcmp(sh->subject, cs_buf_str(&now)) == 0)
		return;
	free(sh->subject);
	sh->subject = cs_xstrdup(cs_buf_str(&now));
	sh->subject_ms = cs_shell_now();
}

/* Nothing is shown, so nothing can be decided. */
static void paint_too_small(cs_shell *sh, int rows, int cols)
{
	cs_pager p;

	cs_pager_init(&p);
	cs_pager_add(&p, CS_ST_WAIT, 0, NULL, _("Too small: make it 45x20"));
	cs_pager_draw(&p, sh->term, (cs_rect){ 0, 0, rows, cols }, false);
	cs_pager_fini(&p);
	free(sh->subject);
	sh->subject = cs_xstrdup("");
	sh->dirty = false;
}

void cs_shell_paint(cs_shell *sh)
{
	int rows = cs_term_rows(sh->term), cols = cs_term_cols(sh->term);
	int foot = rows >= 12 ? 2 : 1, says = notice_rows(sh, cols + 0);
	cs_rect body = { 1, 0, rows - 1 - foot - says, cols };
	cs_view *v = cs_shell_view(sh);
	int cursor = -1, cursor_y = -1;

	sh->tick_ms = 0;
	cs_term_begin(sh->term);
	if (rows < LEAST_ROWS || cols < LEAST_COLS) {
		paint_too_small(sh, rows, cols);
		cs_term_end(sh->term, -1, -1);
		return;
	}
	paint_tabs(sh, cols);
	if (sh->over) {
		cursor = paint_over(sh, body);
		cursor_y = cursor >= 0 ? body.y : -1;
	} else if (body.h > 0) {
		v->ops->draw(v, body);
	}
	if (says > 1) {
		paint_long_notice(sh, rows - foot - says, says, cols);
	} else if (paint_notice(sh, rows - foot - 1, cols) >= 0) {
		cursor = cs_line_draw(&sh->prompt.line, sh->term, (cs_rect){ rows - foot - 1, 0, 1, cols }, sh->prompt.label);
		cursor_y = rows - foot - 1;
	}
	paint_footer(sh, rows - foot, foot, cols);
	cs_term_end(sh->term, cursor_y, cursor);
	sh->dirty = false;
	note_subject(sh);
}
