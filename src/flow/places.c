/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/places.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "flow/check.h"
#include "flow/jq_names.h"

void cs_places_fini(cs_places *p)
{
	free(p->file);
	free(p->at);
	*p = (cs_places){ 0 };
}

void cs_places_note(cs_places *p, const struct cs_check *c, const cs_expr *e, const char *pointer)
{
	unsigned i = cs_expr_index(e), line, col;
	cs_check_place(c, pointer, &line, &col);
	if (!c->file || line == 0)
		return;
	if (!p->file)
		p->file = cs_xstrdup(c->file);
	if (i >= p->n) {
		unsigned n = i < 16 ? 32 : i * 2;
		p->at = cs_xrealloc(p->at, n * sizeof *p->at);
		memset(p->at + p->n, 0, (n - p->n) * sizeof *p->at);
		p->n = n;
	}
	if (p->at[i].line == 0) {
		p->at[i].line = line;
		p->at[i].col = col;
	}
}

/* What is loose need not be jq. */
static bool is_asked(const cs_expr *e)
{
	return !cs_expr_is_plain(e) && !cs_expr_is_loose(e);
}

static bool all_plain(const cs_exprset *set)
{
	for (unsigned i = 0; i < cs_exprset_count(set); i++)
		if (is_asked(cs_exprset_get(set, i)))
			return false;
	return true;
}

/* The expressions after the one at AFTER that need jq, as a set of their own; MAP keeps whose they are. */
static cs_exprset *rest_of(const cs_exprset *set, unsigned after, unsigned *map)
{
	cs_exprset *rest = cs_exprset_new();
	for (unsigned i = after + 1; i < cs_exprset_count(set); i++) {
		const cs_expr *e = cs_exprset_get(set, i), *copy = NULL;
		if (is_asked(e) && cs_exprset_add(rest, cs_expr_source(e), &copy, NULL) == CS_OK)
			map[cs_expr_index(copy)] = i;
	}
	return rest;
}

static void report(const cs_places *p, unsigned bad, const char *why, cs_diags *d)
{
	bool noted = bad < p->n && p->at[bad].line;
	cs_jq_report(d, p->file, noted ? p->at[bad].line : 0, noted ? p->at[bad].col : 0, why);
}

int cs_places_check(const cs_places *p, const cs_exprset *set, cs_jq_pool *pool, cs_diags *d, cs_err *err)
{
	enum { REPORTED_MAX = 20 };        /* each costs a compilation of what follows it */
	if (all_plain(set))
		return CS_OK;
	unsigned *map CS_AUTOFREE = cs_xcalloc(cs_exprset_count(set), sizeof *map);
	cs_exprset *rest = NULL;
	int r = CS_ESYNTAX;
	for (int i = 0; r == CS_ESYNTAX && i < REPORTED_MAX; i++) {
		unsigned bad = 0;
		cs_err why = { 0 };
		r = cs_jq_pool_check(pool, rest ? rest : set, &bad, &why);
		if (r != CS_ESYNTAX && r < 0)
			cs_err_set(err, r, "%s", why.msg);
		if (r != CS_ESYNTAX)
			break;
		unsigned whole = rest ? map[bad] : bad;
		report(p, whole, why.msg, d);
		cs_exprset_unref(rest);
		rest = rest_of(set, whole, map);
	}
	cs_exprset_unref(rest);
	return r == CS_ESYNTAX ? CS_OK : r;
}

void cs_gather(cs_gathered *g, const cs_places *p, cs_exprset *set)
{
	if (!g || all_plain(set))
		return;
	g->rows = cs_xrealloc(g->rows, (g->n + 1) * sizeof *g->rows);
	struct cs_gathered_row *row = &g->rows[g->n++];
	*row = (struct cs_gathered_row){ .set = cs_exprset_ref(set) };
	if (!p->file)
		return;
	row->places = (cs_places){ .file = cs_xstrdup(p->file), .at = cs_xcalloc(p->n + 1, sizeof *p->at), .n = p->n };
	memcpy(row->places.at, p->at, p->n * sizeof *p->at);
}

int cs_gathered_check(const cs_gathered *g, cs_jq_pool *pool, cs_diags *d, cs_err *err)
{
	int r = CS_OK;
	for (size_t i = 0; i < g->n && r == CS_OK; i++)
		r = cs_places_check(&g->rows[i].places, g->rows[i].set, pool, d, err);
	return r;
}

void cs_gathered_fini(cs_gathered *g)
{
	for (size_t i = 0; i < g->n; i++) {
		cs_places_fini(&g->rows[i].places);
		cs_exprset_unref(g->rows[i].set);
	}
	free(g->rows);
	*g = (cs_gathered){ 0 };
}
