/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen as SVG: a rectangle for each run of background, a text for each run of cells alike. */
#include <stdio.h>
#include <string.h>
#include "base/file.h"
#include "base/mem.h"
#include "driver_priv.h"

#define CELL_W 8.4
#define CELL_H 18
#define PAD 12
#define PAPER 0x1b1d23u
#define INK 0xd6d8dfu

typedef struct look { unsigned fg, bg; bool bold, underline; } look;

static unsigned rgb(const driver *d, VTermColor c, bool is_default, unsigned def)
{
	if (is_default)
		return def;
	vterm_screen_convert_color_to_rgb(d->screen, &c);
	return (unsigned)c.rgb.red << 16 | (unsigned)c.rgb.green << 8 | c.rgb.blue;
}

static look look_of(const driver *d, const VTermScreenCell *c)
{
	look l = { rgb(d, c->fg, VTERM_COLOR_IS_DEFAULT_FG(&c->fg), INK), rgb(d, c->bg, VTERM_COLOR_IS_DEFAULT_BG(&c->bg), PAPER),
		   c->attrs.bold, c->attrs.underline };

	if (c->attrs.reverse) {
		unsigned fg = l.fg;

		l.fg = l.bg;
		l.bg = fg;
	}
	return l;
}

static bool alike(look a, look b)
{
	return a.fg == b.fg && a.bg == b.bg && a.bold == b.bold && a.underline == b.underline;
}

static void add_char(cs_buf *out, uint32_t c)
{
	if (c == '<')
		(void)cs_buf_adds(out, "&lt;");
	else if (c == '>')
		(void)cs_buf_adds(out, "&gt;");
	else if (c == '&')
		(void)cs_buf_adds(out, "&amp;");
	else
		driver_add_utf8(out, c ? c : ' ');
}

/* Cells X..END of row Y look alike. */
static void add_run(driver *d, cs_buf *out, int y, int x, int end, look l)
{
	VTermScreenCell cell;
	CS_AUTOBUF cs_buf text = { 0 };
	bool ink = false;

	cs_buf_init(&text, 1u << 16);
	for (int i = x; i < end; i++) {
		(void)vterm_screen_get_cell(d->screen, (VTermPos){ .row = y, .col = i }, &cell);
		ink |= cell.chars[0] > ' ';
		if (cell.chars[0] == (uint32_t)-1)
			continue;
		add_char(&text, cell.chars[0]);
		for (int k = 1; k < VTERM_MAX_CHARS_PER_CELL && cell.chars[k]; k++)
			add_char(&text, cell.chars[k]);
	}
	if (l.bg != PAPER)
		(void)cs_buf_addf(out, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#%06x\"/>\n", PAD + x * CELL_W, PAD + y * CELL_H, (end - x) * CELL_W, CELL_H, l.bg);
	if (ink)
		(void)cs_buf_addf(out, "<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#%06x\"%s%s xml:space=\"preserve\">%s</text>\n",
				  PAD + x * CELL_W, PAD + y * CELL_H + 13, (end - x) * CELL_W, l.fg, l.bold ? " font-weight=\"bold\"" : "",
				  l.underline ? " text-decoration=\"underline\"" : "", cs_buf_str(&text));
}

static void add_row(driver *d, cs_buf *out, int y)
{
	VTermScreenCell cell;
	look now = { 0 }, next;
	int from = 0;

	for (int x = 0; x < d->cols; x++) {
		(void)vterm_screen_get_cell(d->screen, (VTermPos){ .row = y, .col = x }, &cell);
		next = look_of(d, &cell);
		if (x > from && !alike(now, next)) {
			add_run(d, out, y, from, x, now);
			from = x;
		}
		if (x == from)
			now = next;
	}
	add_run(d, out, y, from, d->cols, now);
}

int driver_svg(driver *d, const char *path)
{
	CS_AUTOBUF cs_buf out = { 0 };

	cs_buf_init(&out, 1u << 24);
	(void)cs_buf_addf(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%d\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n"
			  "<rect width=\"100%%\" height=\"100%%\" rx=\"6\" fill=\"#%06x\"/>\n", 2 * PAD + d->cols * CELL_W, 2 * PAD + d->rows * CELL_H, PAPER);
	for (int y = 0; y < d->rows; y++)
		add_row(d, &out, y);
	(void)cs_buf_adds(&out, "</svg>\n");
	return out.failed ? -1 : cs_file_write(path, out.data, out.len, 0644, NULL);
}
