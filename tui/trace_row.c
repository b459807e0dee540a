/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/show.h"
#include "tui/trace_row.h"
#include "tui/tree.h"

static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };

static void add(char *out, size_t size, const char *s)
{
	size_t len = strlen(out);

	(void)snprintf(out + len, size - len, "%s", s);
}

void cs_trace_bar(int64_t from, int64_t to, int64_t whole, int cols, char *out, size_t size)
{
	int64_t units = (int64_t)cols * 8, a, b;

	out[0] = '\0';
	if (whole <= 0 || cols <= 0)
		return;
	from = from < 0 ? 0 : from > whole ? whole : from;
	to = to < from ? from : to > whole ? whole : to;
	/* it begins on a whole column, and its length is exact to an eighth */
	a = from * cols / whole * 8;
	if (a >= units)
		a = units - 8;
	b = a + (to - from) * units / whole;
	if (b <= a)
		b = a + 1;
	if (b > units)
		b = units;
	for (int64_t i = 0; i < a / 8; i++)
		add(out, size, " ");
	for (int64_t i = a; i < b; i += 8)
		add(out, size, eighths[b - i >= 8 ? 8 : b - i]);
}

static void draw_bar(cs_term *t, cs_rect r, int cols, const json_t *row, const json_t *run, unsigned style)
{
	int64_t start = cs_show_ms(run, "started"), end = cs_show_ms(run, "ended");
	int64_t from = cs_show_ms(row, "started"), to = cs_show_ms(row, "ended");
	char bar[512];

	if (!start || !from)
		return;
	if (!end)
		end = cs_clock_wall_ms();
	if (!to)
		to = end;
	cs_trace_bar(from - start, to - start, end - start, cols, bar, sizeof(bar));
	(void)cs_term_put(t, r.y, r.x + r.w - cols, cols, style, bar);
}

/* State, retries, cost, time: only what says something. */
static void facts(const json_t *row, cs_buf *out)
{
	char took[CS_SHOW_SIZE], cost[CS_SHOW_SIZE];
	const char *state = cs_json_str_or(row, "state", "");
	int64_t attempts = cs_json_int_or(row, "attempts", 1);

	if (strcmp(state, "completed") != 0 && strcmp(state, "done") != 0)
		(void)cs_buf_addf(out, "%s  ", state);
	if (attempts > 1)
		(void)cs_buf_addf(out, "×%" PRId64 "  ", attempts);
	if (cs_show_cost(row, cost)[0])
		(void)cs_buf_addf(out, "%s  ", cost);
	(void)cs_buf_addf(out, "%6s", cs_show_took(row, took));
}

static int put_left_of(cs_term *t, int y, int x, unsigned style, const char *text)
{
	int w = cs_utf8_width(text, strlen(text));

	(void)cs_term_put(t, y, x - w, w, style, text);
	return x - w - 1;
}

static char *name_of(const json_t *row, bool group)
{
	const char *call = cs_json_str_or(row, "call", ""), *name = cs_json_str_or(row, "name", "");
	int64_t folds = cs_json_int_or(row, "folds", 0);
	const char *fold = folds ? "▸ " : json_object_get(row, "open") ? "▾ " : "";
	bool says_more = *call && strcmp(call, name) != 0;

	if (group)
		return cs_xasprintf(P_("%lld finished step", "%lld finished steps", folds), (long long)folds);
	return cs_xasprintf("%s%s%s%s", fold, name, says_more ? "  " : "", says_more ? call : "");
}

void cs_trace_row_draw(cs_term *t, cs_rect r, const json_t *row, const json_t *run, unsigned bits)
{
	const char *state = cs_json_str_or(row, "state", "");
	bool failed = cs_tree_failed(row), group = cs_json_str_or(row, "key", "")[0] == 'g';
	unsigned style = failed ? CS_ST_BAD : cs_show_state(state);
	int depth = (int)cs_json_int_or(row, "depth", 0), bar = r.w >= 100 ? 30 : r.w >= 70 ? 20 : r.w >= 52 ? 12 : r.w >= 44 ? 8 : 0;
	CS_AUTOFREE char *name = name_of(row, group);
	CS_AUTOBUF cs_buf right = { 0 };
	int x = r.x + r.w - (bar ? bar + 1 : 0);

	/* the bar keeps its colour in the selected row too */
	cs_term_fill(t, (cs_rect){ r.y, x, 1, r.x + r.w - x }, CS_ST_TEXT);
	if (bar)
		draw_bar(t, r, bar, row, run, style == CS_ST_GOOD ? CS_ST_BAR : style);
	if (cs_json_true(row, "simulated"))
		x = put_left_of(t, r.y, x, CS_ST_SIM | bits, r.w >= 80 ? _("SIMULATED") : _("SIM"));
	cs_buf_init(&right, 4096);
	facts(row, &right);
	x = put_left_of(t, r.y, x, style | bits, cs_buf_str(&right));
	depth = r.x + (depth > 12 ? 24 : depth * 2);
	(void)cs_term_put(t, r.y, depth, 1, style | bits, group ? "⋯" : cs_show_mark(state));
	(void)cs_term_put(t, r.y, depth + 2, x - depth - 2, (group ? CS_ST_DIM : failed ? CS_ST_BAD : CS_ST_TEXT) | bits, name);
}
