/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the expressions of one set stand in their file: jq says only later, and only by number,
 * which of them it cannot compile. */
#ifndef CS_FLOW_PLACES_H
#define CS_FLOW_PLACES_H

#include "flow/diag.h"
#include "flow/expr.h"
#include "flow/jq_pool.h"

typedef struct cs_places {
	char *file;                       /* NULL: nothing is noted (a stored definition) */
	struct { unsigned line, col; } *at;   /* by cs_expr_index; line 0: not noted */
	unsigned n;
} cs_places;

void cs_places_fini(cs_places *p);
struct cs_check;                          /* flow/check.h */
/* E stands at POINTER below where C is. The first place that is noted of an expression stays. */
void cs_places_note(cs_places *p, const struct cs_check *c, const cs_expr *e, const char *pointer);
/* Has jq compile what is not plain; each that does not compile goes to D with its place (at most 20).
 * CS_OK also then; negative when jq cannot be asked. */
int cs_places_check(const cs_places *p, const cs_exprset *set, cs_jq_pool *pool, cs_diags *d, cs_err *err);

/* The expressions of all that one check looks at, one row a document. Zeroed it is empty. */
typedef struct cs_gathered {
	struct cs_gathered_row { cs_places places; cs_exprset *set; } *rows;
	size_t n;
} cs_gathered;

/* Keeps SET, and a copy of its places; nothing when G is NULL or jq has nothing to say of SET. */
void cs_gather(cs_gathered *g, const cs_places *p, cs_exprset *set);
/* cs_places_check of every row. */
int cs_gathered_check(const cs_gathered *g, cs_jq_pool *pool, cs_diags *d, cs_err *err);
void cs_gathered_fini(cs_gathered *g);

#endif
