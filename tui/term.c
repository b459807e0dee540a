/* SPDX-License-Identifier: GPL-3.0-or-later */
#define NCURSES_WIDECHAR 1
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>
#include <curses.h>
#include <term.h>
#include "base/buf.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/term.h"
#include "tui/term_priv.h"

#define TEXT_MAX (1u << 16)   /* a line of cells; longer text is for the pager */

/* One row a style: the attribute always, the colour where there is one (-1: the terminal's own). */
static const struct { attr_t attr; short c16, c256; } looks[CS_ST_COUNT] = {
	[CS_ST_TEXT] = { A_NORMAL, -1, -1 },
	[CS_ST_DIM] = { A_DIM, -1, 245 },
	[CS_ST_BOLD] = { A_BOLD, -1, -1 },
	[CS_ST_HEADER] = { A_NORMAL, COLOR_CYAN, 73 },
	[CS_ST_TAB] = { A_BOLD | A_UNDERLINE, -1, -1 },
	[CS_ST_KEY] = { A_BOLD, COLOR_CYAN, 73 },
	[CS_ST_GOOD] = { A_NORMAL, COLOR_GREEN, 71 },
	[CS_ST_WAIT] = { A_BOLD, COLOR_YELLOW, 179 },
	[CS_ST_BAD] = { A_BOLD, COLOR_RED, 167 },
	[CS_ST_SIM] = { A_BOLD | A_REVERSE, COLOR_MAGENTA, 133 },
	[CS_ST_ADDED] = { A_NORMAL, COLOR_GREEN, 71 },
	[CS_ST_REMOVED] = { A_NORMAL, COLOR_RED, 167 },
	[CS_ST_CHANGED] = { A_NORMAL, COLOR_YELLOW, 179 },
	[CS_ST_BAR] = { A_NORMAL, COLOR_BLUE, 67 },
	[CS_ST_MATCH] = { A_BOLD | A_UNDERLINE, COLOR_YELLOW, 179 },
};

/* Terminals that are known to take a frame as one (DEC private mode 2026). */
static const char *const synchronized[] = { "xterm-kitty", "foot", "alacritty", "wezterm", "contour", "xterm-ghostty" };

static bool known_synchronized(void)
{
	const char *term = getenv("TERM");

	for (size_t i = 0; term && i < CS_ARRAY_LEN(synchronized); i++)
		if (strncmp(term, synchronized[i], strlen(synchronized[i])) == 0)
			return true;
	return false;
}

static void set_up_colours(cs_term *t)
{
	const char *no = getenv("NO_COLOR");

	if ((no && *no) || !has_colors() || start_color() == ERR)
		return;
	(void)use_default_colors();
	t->colours = COLORS >= 256 ? 256 : COLORS >= 8 ? 16 : 0;
	for (short i = 0; t->colours && i < CS_ST_COUNT; i++)
		(void)init_pair((short)(i + 1), t->colours == 256 ? looks[i].c256 : looks[i].c16, -1);
}

/* Without a UTF-8 locale the cells could not hold what the cards say. */
static void set_up_locale(void)
{
	(void)setlocale(LC_ALL, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0 && !setlocale(LC_CTYPE, "C.UTF-8"))
		(void)setlocale(LC_CTYPE, "en_US.UTF-8");
}

/* Terminals, and what is put before them, send these too, whatever terminfo says. */
static const struct { const char *seq; int code; } also[] = {
	{ "\033[A", KEY_UP }, { "\033[B", KEY_DOWN }, { "\033[C", KEY_RIGHT }, { "\033[D", KEY_LEFT },
	{ "\033OA", KEY_UP }, { "\033OB", KEY_DOWN }, { "\033OC", KEY_RIGHT }, { "\033OD", KEY_LEFT },
	{ "\033[H", KEY_HOME }, { "\033[F", KEY_END }, { "\033[1~", KEY_HOME }, { "\033[4~", KEY_END },
	{ "\033[5~", KEY_PPAGE }, { "\033[6~", KEY_NPAGE }, { "\033[3~", KEY_DC }, { "\033[Z", KEY_BTAB },
	{ "\033[200~", CS_NC_PASTE_BEGIN }, { "\033[201~", CS_NC_PASTE_END },
	{ "\033[I", CS_NC_FOCUS_IN }, { "\033[O", CS_NC_FOCUS_OUT },
};

void cs_term_modes(bool on)
{
	putp(on ? "\033[?2004h\033[?1004h" : "\033[?2004l\033[?1004l");
	fflush(stdout);
}

static void set_up_screen(cs_term *t)
{
	set_escdelay(25);
	raw();
	noecho();
	nonl();
	(void)intrflush(NULL, FALSE);
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)curs_set(0);
	for (size_t i = 0; i < CS_ARRAY_LEN(also); i++)
		(void)define_key(also[i].seq, also[i].code);
	set_up_colours(t);
	t->synchronized = known_synchronized();
	cs_term_modes(true);
}

int cs_term_open(FILE *in, FILE *out, cs_term **ret, cs_err *err)
{
	cs_term *t;

	if (!isatty(fileno(in)) || !isatty(fileno(out)))
		return cs_err_set(err, CS_EINVAL, _("console: this is no terminal: start it in one, or use `capstan console --plain`"));
	set_up_locale();
	t = cs_xcalloc(1, sizeof(*t));
	t->in = fileno(in);
	t->focused = true;
	t->screen = newterm(NULL, out, in);
	if (!t->screen) {
		const char *term = getenv("TERM");

		free(t);
		return cs_err_set(err, CS_EINVAL, _("console: the terminal type “%s” is not known here: set TERM, or use `capstan console --plain`"),
				  term ? term : "");
	}
	if (!cursor_address) {
		(void)endwin();
		delscreen(t->screen);
		free(t);
		return cs_err_set(err, CS_EINVAL, _("console: this terminal cannot place its cursor: use `capstan console --plain`"));
	}
	set_up_screen(t);
	if (cs_term_signals_open(t, err) < 0) {
		cs_term_close(t);
		return CS_EIO;
	}
	*ret = t;
	return CS_OK;
}

void cs_term_close(cs_term *t)
{
	if (!t)
		return;
	cs_term_signals_close(t);
	if (!t->dead) {
		cs_term_modes(false);
		(void)endwin();
	}
	delscreen(t->screen);
	free(t->paste.data);
	free(t);
}

void cs_term_resize(cs_term *t)
{
	struct winsize ws;

	if (ioctl(t->in, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0)
		(void)resizeterm(ws.ws_row, ws.ws_col);
}

int cs_term_rows(const cs_term *t)
{
	(void)t;
	return LINES;
}

int cs_term_cols(const cs_term *t)
{
	(void)t;
	return COLS;
}

void cs_term_begin(cs_term *t)
{
	(void)t;
	(void)erase();
}

void cs_term_end(cs_term *t, int cursor_y, int cursor_x)
{
	(void)curs_set(cursor_y >= 0);
	if (cursor_y >= 0)
		(void)move(cursor_y, cursor_x);
	if (t->synchronized)
		putp("\033[?2026h");
	if (t->repaint)
		(void)clearok(stdscr, TRUE);
	t->repaint = false;
	(void)refresh();
	if (t->synchronized) {
		putp("\033[?2026l");
		fflush(stdout);
	}
}

void cs_term_redraw(cs_term *t)
{
	t->repaint = true;
}

static attr_t attr_of(const cs_term *t, unsigned style)
{
	unsigned s = style & 0xffu;
	attr_t a = looks[s].attr;

	if (t->colours) {
		/* grey stands for dim where there is one; both at once is unreadable */
		if (s == CS_ST_DIM && t->colours == 256)
			a = A_NORMAL;
		a |= (attr_t)COLOR_PAIR((int)s + 1);
	}
	/* the selected row is one bar; only what is reversed already stands out of it, with its colour */
	if (style & CS_ST_REVERSE)
		return looks[s].attr & A_REVERSE ? a & ~A_REVERSE : (a & A_BOLD) | A_REVERSE;
	return a;
}

/* The bytes of the first cluster of S and its columns; 0 at the end. */
static size_t cluster(const char *s, size_t len, int *ret_cols)
{
	size_t n;

	if (len && (unsigned char)*s < 0x80 && (len == 1 || (unsigned char)s[1] < 0x80)) {
		*ret_cols = 1;
		return 1;
	}
	n = cs_utf8_fit(s, len, 1, ret_cols);
	return n ? n : cs_utf8_fit(s, len, 2, ret_cols);
}

/* What the C library calls unprintable, ncurses would draw in its own way: not at all, then. */
static bool printable(const char *s, size_t n)
{
	wchar_t wc;
	mbstate_t st = { 0 };

	return mbrtowc(&wc, s, n, &st) <= n && iswprint((wint_t)wc);
}

static int put_clusters(int y, int x, int cols, const char *s, size_t len)
{
	int used = 0;

	while (len > 0 && used < cols) {
		int w = 0;
		size_t n = cluster(s, len, &w);

		if (n == 0 || used + w > cols)
			break;
		if (printable(s, n))
			(void)mvaddnstr(y, x + used, s, (int)n);
		else
			(void)mvaddnstr(y, x + used, "\xef\xbf\xbd", 3);
		s += n;
		len -= n;
		used += w;
	}
	return used;
}

int cs_term_put(cs_term *t, int y, int x, int cols, unsigned style, const char *text)
{
	CS_AUTOBUF cs_buf b = { 0 };
	size_t fit;
	int used = 0;

	if (!text || y < 0 || x < 0 || y >= LINES || x >= COLS)
		return 0;
	if (cols > COLS - x)
		cols = COLS - x;
	if (cols <= 0)
		return 0;
	cs_buf_init(&b, TEXT_MAX * 8);
	(void)cs_utf8_show(text, strnlen(text, TEXT_MAX), false, &b);
	(void)attrset((int)attr_of(t, style));
	fit = cs_utf8_fit(cs_buf_str(&b), b.len, cols, &used);
	if (fit < b.len) {
		fit = cs_utf8_fit(cs_buf_str(&b), b.len, cols - 1, &used);
		used = put_clusters(y, x, cols - 1, cs_buf_str(&b), fit);
		(void)mvaddstr(y, x + used, "…");
		used++;
	} else {
		used = put_clusters(y, x, cols, cs_buf_str(&b), b.len);
	}
	(void)attrset((int)A_NORMAL);
	return used;
}

void cs_term_fill(cs_term *t, cs_rect r, unsigned style)
{
	(void)attrset((int)attr_of(t, style));
	for (int y = r.y; y < r.y + r.h; y++)
		(void)mvhline(y, r.x, ' ', r.w);
	(void)attrset((int)A_NORMAL);
}

void cs_term_vline(cs_term *t, int y, int x, int h)
{
	for (int i = 0; i < h; i++)
		(void)cs_term_put(t, y + i, x, 1, CS_ST_DIM, "│");
}

void cs_term_leave(cs_term *t)
{
	(void)t;
	(void)def_prog_mode();
	cs_term_modes(false);
	(void)endwin();
}

void cs_term_enter(cs_term *t)
{
	(void)reset_prog_mode();
	cs_term_modes(true);
	cs_term_resize(t);
	cs_term_redraw(t);
}

void cs_term_bell(cs_term *t)
{
	if (!t->focused)
		(void)beep();
}

bool cs_term_focused(const cs_term *t)
{
	return t->focused;
}
