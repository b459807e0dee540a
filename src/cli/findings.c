/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Findings with the line they stand in and a caret under the place. The files are the operator's
 * or somebody else's: what is shown of them is made safe first. */
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "cli/cli_priv.h"

enum { COLS = 100, BEFORE = 60, SHOWN_MAX = 64 * 1024 };

/* The text of the latest file that was looked into: findings come in the order of files. */
typedef struct opened {
	const char *dir;             /* of the workspace; NULL: names are as the operator gave them */
	const char *name;            /* borrowed from the finding */
	cs_buf text;
} opened;

static const char *text_of(opened *o, const char *name)
{
	if (o->name && strcmp(o->name, name) == 0)
		return cs_buf_str(&o->text);
	CS_AUTOFREE char *path = o->dir ? cs_path_join(o->dir, name) : cs_xstrdup(name);
	cs_buf_fini(&o->text);
	cs_buf_init(&o->text, CS_CLI_INPUT);
	o->name = name;
	if (cs_file_read(path, &o->text, NULL) < 0)
		cs_buf_fini(&o->text);       /* then there is nothing to show of it */
	return cs_buf_str(&o->text);
}

/* The bytes of line N, from 1; NULL: the text has fewer. */
static const char *line_of(const char *text, unsigned n, size_t *ret_len)
{
	while (--n > 0) {
		text = strchr(text, '\n');
		if (!text)
			return NULL;
		text++;
	}
	*ret_len = strcspn(text, "\r\n");
	return text;
}

/* Bytes before column COL, in characters from 1. */
static size_t bytes_before(const char *line, size_t len, unsigned col)
{
	const char *p = line, *end = line + len;
	while (--col > 0 && p < end)
		(void)cs_utf8_next(&p, end);
	return (size_t)(p - line);
}

/* How much of what begins at P is probably meant: to the end of a word. */
static size_t word_at(const char *p, size_t len)
{
	size_t n = strcspn(p, " \t\r\n,:{}[]'\"|()");
	n = n < len ? n : len;
	return n > 0 ? n : len > 0;
}

static int shown(const char *s, size_t len, cs_buf *out)
{
	cs_buf_init(out, SHOWN_MAX);
	return cs_utf8_show(s, len, true, out);
}

/* A long line is cut before and after its place. */
static void print_line(FILE *f, unsigned number, const char *line, size_t len, size_t at)
{
	CS_AUTOBUF cs_buf before;
	CS_AUTOBUF cs_buf word;
	CS_AUTOBUF cs_buf rest;
	size_t mark = word_at(line + at, len - at);
	size_t from = 0;
	while (at - from > BEFORE * 2) {
		const char *p = line + from;
		(void)cs_utf8_next(&p, line + at);
		from = (size_t)(p - line);
	}
	int r = shown(line + from, at - from, &before);
	r = r == CS_OK ? shown(line + at, mark, &word) : r;
	r = r == CS_OK ? shown(line + at + mark, len - at - mark, &rest) : r;
	if (r != CS_OK)
		return;
	const char *cut = from > 0 ? "\xe2\x80\xa6" : "";
	int lead = cs_utf8_width(cs_buf_str(&before), before.len) + (from > 0), marked = cs_utf8_width(cs_buf_str(&word), word.len), used = 0;
	int room = COLS - lead - marked;
	size_t fit = room > 0 ? cs_utf8_fit(cs_buf_str(&rest), rest.len, room, &used) : 0;
	fprintf(f, "%5u | %s%s%s%.*s%s\n", number, cut, cs_buf_str(&before), cs_buf_str(&word), (int)fit, cs_buf_str(&rest),
		fit < rest.len ? "\xe2\x80\xa6" : "");
	fprintf(f, "      | %*s^", lead, "");
	for (int i = 1; i < marked && i < COLS; i++)
		fputc('~', f);
	fputc('\n', f);
}

static void print_excerpt(opened *o, const cs_diag *g, FILE *f)
{
	size_t len = 0;
	const char *line = g->file && g->line > 0 ? line_of(text_of(o, g->file), g->line, &len) : NULL;
	if (line && len > 0 && g->col > 0)
		print_line(f, g->line, line, len, bytes_before(line, len, g->col));
}

void cs_cli_print_findings(const char *dir, const cs_diags *d, FILE *f)
{
	opened o = { .dir = dir };
	cs_buf_init(&o.text, CS_CLI_INPUT);
	const cs_diag *order[CS_DIAGS_MAX];
	cs_diags_order(d, order);
	for (size_t i = 0; i < d->n; i++) {
		const cs_diag *g = order[i];
		if (g->file)
			fprintf(f, "%s:", g->file);
		if (g->line)
			fprintf(f, "%u:%u:", g->line, g->col);
		fprintf(f, "%s%s: %s\n", g->file || g->line ? " " : "", cs_diag_severity(g), g->message);
		print_excerpt(&o, g, f);
	}
	cs_buf_fini(&o.text);
}
