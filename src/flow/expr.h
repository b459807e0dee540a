/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runtime expressions: jq, of which the plain part (paths, literals, interpolation, comparison,
 * construction) is evaluated here, exactly as jq 1.6 would, without loops and without a child
 * process; the rest is asked of the scope, which has flow/jq_pool.h or a recorded answer.
 * Source: dsl.md, "Runtime Expressions". */
#ifndef CS_FLOW_EXPR_H
#define CS_FLOW_EXPR_H

#include <stdbool.h>
#include <jansson.h>
#include "base/err.h"

#define CS_EXPR_SOURCE_MAX (64 * 1024)   /* bytes of one expression */
#define CS_EXPRSET_MAX 8192              /* expressions of one flow */
#define CS_EXPR_RESULT_MAX (8u << 20)    /* bytes of text in one value */
#define CS_EXPR_RESULT_NODES (1u << 20)  /* JSON nodes in one value */

/* The expressions of one flow: gathered by one thread while the flow is compiled; from then on
 * immutable and usable by several. Refcounted. */
typedef struct cs_exprset cs_exprset;
cs_exprset *cs_exprset_new(void);
cs_exprset *cs_exprset_ref(cs_exprset *s);
void cs_exprset_unref(cs_exprset *s);
unsigned cs_exprset_count(const cs_exprset *s);

/* One compiled expression, owned by its set. */
typedef struct cs_expr cs_expr;

/* SOURCE is without ${ }. The same source gives the same expression. CS_ESYNTAX with the column
 * (in characters) within SOURCE: what jq's lexer would not take, an integer beyond 2^53. The grammar of what is not plain is checked by
 * cs_jq_pool_check(). */
int cs_exprset_add(cs_exprset *s, const char *source, const cs_expr **ret, cs_err *err);
/* A text that may be an expression, as `evaluate.mode: loose` has it: *ret is NULL when it surely is none. What
 * needs jq is compiled apart from all others when it is first evaluated; that it does not compile is found then
 * (CS_ESYNTAX or CS_EINVAL), not by cs_jq_pool_check(). CS_ETOOBIG only. */
int cs_exprset_add_loose(cs_exprset *s, const char *source, const cs_expr **ret, cs_err *err);
/* Borrowed; NULL past the end. */
const cs_expr *cs_exprset_get(const cs_exprset *s, unsigned index);

/* Plain: evaluated here. Rarely, a value sends even a plain expression to jq (a fraction of more
 * than 15 digits turned into text, a slice given by a value): then the scope's jq is called too.
 * A whole number beyond 2^53, which jq would round and the pool refuses, passes through a plain
 * expression as it is and compares exactly. */
/* Why it cannot be evaluated, although it is well written: it names what is outside of its input
 * (env, now, input, …). NULL: it can. Evaluating it is CS_EINVAL with this. Borrowed. */
const char *cs_expr_refused(const cs_expr *e);

bool cs_expr_is_plain(const cs_expr *e);
bool cs_expr_is_loose(const cs_expr *e);   /* added as one, and not plain */
const char *cs_expr_source(const cs_expr *e);
unsigned cs_expr_index(const cs_expr *e);
/* The $names that the scope must know, without the $: NULL-terminated, borrowed. A name that the
 * expression binds itself (`as $x`, `def f($x)`) before any other use is not among them, unless it is one
 * of the runtime's own names. */
const char *const *cs_expr_vars(const cs_expr *e);

typedef struct cs_scope {
	const json_t *dot;         /* NULL is null */
	/* New reference; CS_ENOTFOUND for an unknown name. */
	int (*var)(void *ctx, const char *name, json_t **ret_new);
	/* Answers from memory, or asks and returns CS_EAGAIN. NULL: only plain evaluation. */
	int (*jq)(void *ctx, const cs_expr *e, const json_t *dot, json_t **ret_new, cs_err *err);
	void *ctx;
} cs_scope;

/* The expression's one value. CS_EINVAL: the evaluation failed (a task's `expression` error), the
 * message names the expression and why; CS_ETOOBIG: over a limit above; whatever var or jq gave. */
int cs_expr_eval(const cs_expr *e, const cs_scope *scope, json_t **ret_new, cs_err *err);
/* Fills ERR with "expression `SOURCE`: " and the reason; returns CODE. */
int cs_expr_fail(const cs_expr *e, cs_err *err, int code, const char *fmt, ...) CS_PRINTF(4, 5);

#endif
