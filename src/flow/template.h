/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A JSON value in which strings are expressions, compiled once and evaluated often. Immutable,
 * usable by several threads; it keeps a reference to its set. */
#ifndef CS_FLOW_TEMPLATE_H
#define CS_FLOW_TEMPLATE_H

#include <stdbool.h>
#include <jansson.h>
#include "base/err.h"
#include "flow/expr.h"

typedef struct cs_template cs_template;

#define CS_TEMPLATE_POINTER 256

enum {
	CS_TEMPLATE_STRICT,   /* a string that is wholly "${ … }" is an expression, another is text */
	CS_TEMPLATE_BARE,     /* a top-level string is an expression, its ${ } optional; below, as strict.
			       * For: if when exceptWhen while until in from as */
	/* One of these two added to one of those: `evaluate.mode: loose`. Each string that can be an expression is
	 * evaluated, and is the text that it is where that fails. Source: dsl-reference.md, "Evaluate". */
	CS_TEMPLATE_LOOSE = 2,
	CS_TEMPLATE_LOOSE_WITH = 4,   /* the members that name a request (method, endpoint, …) stay strict */
};

/* VALUE is kept by reference and must not change. On failure *ret_pointer (CS_TEMPLATE_POINTER bytes;
 * may be NULL) is the JSON pointer of the faulty string, and err->col counts within that string. */
int cs_template_new(cs_exprset *set, const json_t *value, int mode, cs_template **ret, cs_err *err,
		    char *ret_pointer);
void cs_template_free(cs_template *t);
void cs_template_freep(cs_template **t);

/* A loose text whose evaluation failed is that text; that jq cannot be had (CS_EUNAVAIL) is an error all the same.
 * Evaluates all expressions even after a CS_EAGAIN, so that all missing answers are asked for at
 * once, and returns CS_EAGAIN then; otherwise the first error in document order, its message
 * beginning with the place. Without expressions the constant itself, by reference. */
int cs_template_eval(const cs_template *t, const cs_scope *scope, json_t **ret_new, cs_err *err);

bool cs_template_is_const(const cs_template *t);
/* Calls FN for each expression in document order, with its JSON pointer; stops at the first
 * non-zero return and gives it. */
int cs_template_each(const cs_template *t, int (*fn)(void *ctx, const cs_expr *e, const char *pointer),
		     void *ctx);

#endif
