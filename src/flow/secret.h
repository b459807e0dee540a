/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `$secrets.NAME` in an expression gives a stand-in, a text that only this workspace can have made for this
 * lineage of runs. It goes wherever the value would: into arguments, cards, digests, the log. What is sent
 * is made from it at the last moment, where stand-ins become values.
 * Source: dsl.md, "Secret" and "Runtime expression arguments". */
#ifndef CS_FLOW_SECRET_H
#define CS_FLOW_SECRET_H

#include <stdbool.h>
#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"
#include "flow/expr.h"

/* Letters, digits, - and _, 63 at most. */
bool cs_secret_name_ok(const char *name);

/* Calls FN with NAME, or NAME.MEMBER, for each secret that E names. CS_EINVAL with a sentence where E does
 * anything else with a secret than give it on, by itself or within a text. */
typedef void cs_secret_named_fn(void *ctx, const char *dotted);
int cs_expr_secrets(const cs_expr *e, cs_secret_named_fn *fn, void *ctx, cs_err *err);

/* The stand-in of DOTTED, by the hex digits that only the workspace can make; malloc'ed. Its characters are
 * those that stay as they are in URLs, headers and JSON. */
char *cs_secret_stand_in(const char *dotted, const char *hex);
/* Is the text IN in some text of V? */
bool cs_secret_is_in(const json_t *v, const char *in);

/* What stands in becomes what it stands for. */
typedef struct cs_swap {
	char *from, *to;          /* owned; TO is overwritten when freed */
} cs_swap;
typedef struct cs_swaps {
	cs_swap *list;
	size_t n;
} cs_swaps;
void cs_swaps_add(cs_swaps *s, const char *from, const char *to);   /* copies */
void cs_swaps_fini(cs_swaps *s);
/* S with every stand-in swapped, percent-encoded where PERCENT says so, appended to OUT. */
int cs_swaps_text(const cs_swaps *s, const char *text, size_t n, bool percent, cs_buf *out);
/* Every text in V swapped, members' names left. New reference; V itself where nothing is to swap. */
json_t *cs_swaps_json(const cs_swaps *s, json_t *v);

#endif
