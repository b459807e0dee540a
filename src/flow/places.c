/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/places.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

void cs_places_fini(cs_places *p)
{
	free(p->file);
	free(p->at);
	*p = (cs_places){ 0 };
}

void cs_places_note(cs_places *p, const char *file, const cs_expr *e, unsigned line, unsigned col)
{
	unsigned i = cs_expr_index(e);
	if (!file || line == 0)
		return;
	if (!p->file)
		p->file = cs_xstrdup(file);
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

static bool all_plain(const cs_exprset *set)
{
	for (unsigned i = 0; i < cs_exprset_count(set); i++)
		if (!cs_expr_is_plain(cs_exprset_get(set, i)))
			return false;
	return true;
}

int cs_places_check(const cs_places *p, const cs_exprset *set, cs_jq_pool *pool, cs_diags *d, cs_err *err)
{
	if (all_plain(set))
		return CS_OK;
	unsigned bad = 0;
	cs_err why = { 0 };
	int r = cs_jq_pool_check(pool, set, &bad, &why);
	if (r == CS_OK)
		return r;
	if (r != CS_ESYNTAX)
		return cs_err_set(err, r, "%s", why.msg);
	bool noted = bad < p->n && p->at[bad].line;
	cs_diags_add(d, false, p->file, noted ? p->at[bad].line : 0, noted ? p->at[bad].col : 0, "%s", why.msg);
	return CS_OK;
}
