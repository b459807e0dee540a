/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/utf8.h"

enum { MESSAGE_MAX = 1024, WORD_MAX = 64 };

void cs_diags_init(cs_diags *d)
{
	*d = (cs_diags){ 0 };
}

void cs_diags_fini(cs_diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->items[i].file);
		free(d->items[i].message);
		free(d->items[i].suggestion);
	}
	free(d->items);
	*d = (cs_diags){ 0 };
}

void cs_diags_add(cs_diags *d, bool warning, const char *file, unsigned line, unsigned col, const char *fmt, ...)
{
	if (!warning)
		d->errors++;
	d->kept = d->n < CS_DIAGS_MAX;
	if (!d->kept)
		return;
	char text[MESSAGE_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	d->items = cs_xrealloc(d->items, (d->n + 1) * sizeof *d->items);
	/* The words of a file are shown on a terminal: nothing in them may act there. */
	d->items[d->n++] = (cs_diag){
		.file = file ? cs_utf8_shown(file) : NULL,
		.line = line, .col = col, .warning = warning, .message = cs_utf8_shown(text),
	};
}

void cs_diags_suggest(cs_diags *d, const char *word)
{
	if (!d->kept || !word)
		return;
	cs_diag *last = &d->items[d->n - 1];
	free(last->suggestion);
	last->suggestion = cs_utf8_shown(word);
}

void cs_diags_note(cs_diags *d)
{
	if (d->kept)
		d->items[d->n - 1].note = true;
}

const char *cs_diag_severity(const cs_diag *g)
{
	return g->note ? "note" : g->warning ? "warning" : "error";
}

void cs_diags_add_err(cs_diags *d, const char *file, const cs_err *err)
{
	cs_diags_add(d, false, err->file[0] ? err->file : file, err->line, err->col, "%s", err->msg);
}

static int by_place(const void *a, const void *b)
{
	const cs_diag *x = *(const cs_diag *const *)a, *y = *(const cs_diag *const *)b;
	int r = strcmp(x->file ? x->file : "", y->file ? y->file : "");
	if (r)
		return r;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->col != y->col)
		return x->col < y->col ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int write_one(const cs_diag *i, cs_buf *out)
{
	if (i->file)
		cs_buf_addf(out, "%s:", i->file);
	if (i->line)
		cs_buf_addf(out, "%u:%u:", i->line, i->col);
	return cs_buf_addf(out, "%s%s: %s\n", i->file || i->line ? " " : "", cs_diag_severity(i), i->message);
}

void cs_diags_order(const cs_diags *d, const cs_diag **order)
{
	for (size_t i = 0; i < d->n; i++)
		order[i] = &d->items[i];
	if (d->n > 0)
		qsort(order, d->n, sizeof *order, by_place);
}

int cs_diags_write(const cs_diags *d, cs_buf *out)
{
	const cs_diag *order[CS_DIAGS_MAX];
	cs_diags_order(d, order);
	int r = CS_OK;
	for (size_t i = 0; i < d->n && r >= 0; i++)
		r = write_one(order[i], out);
	return r;
}

/* Optimal string alignment distance, one row of state before the last. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][WORD_MAX + 1];
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *now = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[na % 3][nb];
}

const char *cs_suggest(const char *word, const char *const *words)
{
	const char *best = NULL;
	size_t len = strlen(word);
	if (!words || len == 0 || len > WORD_MAX)
		return NULL;
	size_t limit = len <= 4 ? 1 : len <= 8 ? 2 : 3;
	for (; *words; words++) {
		size_t n = strlen(*words);
		if (n > WORD_MAX || n + limit < len || len + limit < n)
			continue;
		size_t far = distance(word, len, *words, n);
		if (far > limit || far >= len || far >= n)
			continue;
		best = *words;
		limit = far ? far - 1 : 0;
		if (far == 0)
			break;
	}
	return best;
}
