/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of flow/expr share; nobody else includes it. */
#ifndef CS_FLOW_EXPR_INTERNAL_H
#define CS_FLOW_EXPR_INTERNAL_H

#include <stdatomic.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/json.h"
#include "flow/expr.h"

#define CS_EXPR_NODES_MAX 1000    /* of one plain expression */
#define CS_EXPR_DEPTH_MAX 48      /* of its tree, and of the parser's calls */
#define CS_EXPR_NESTING_MAX 100   /* brackets within brackets, for jq's parser as well */
#define CS_EXPR_NAMES_MAX 64      /* $names of one expression */
#define CS_EXPR_VALUE_DEPTH 256   /* deepest value compared or written */
#define CS_JQ_INT_MAX 9007199254740992   /* 2^53: jq's numbers are doubles */

typedef enum cs_op {
	CS_OP_DOT, CS_OP_CONST, CS_OP_VAR, CS_OP_KEY, CS_OP_AT, CS_OP_INDEX, CS_OP_PIPE, CS_OP_ALT,
	CS_OP_OR, CS_OP_AND, CS_OP_EQ, CS_OP_NE, CS_OP_LT, CS_OP_LE, CS_OP_GT, CS_OP_GE, CS_OP_PLUS,
	CS_OP_IF, CS_OP_ARRAY, CS_OP_OBJECT, CS_OP_TEXT, CS_OP_ITEM, CS_OP_CALL, CS_OP_COUNT,
} cs_op;

/* A node names its children by index. ARRAY, OBJECT and TEXT have a list of ITEMs (a: the value's node, or
 * for a piece of text CS_NO_NODE and the text itself; value: the key or text). TEXT lists its items
 * last first, because jq evaluates them so. */
#define CS_NO_NODE UINT16_MAX
typedef struct cs_node {
	uint8_t op, depth;
	bool opt;                 /* KEY, AT, INDEX: `?` */
	uint16_t a, b, c, next;
	uint16_t n;               /* how many items */
	int at;                   /* AT: the index; CALL: which function */
	json_t *value;            /* owned: CONST, KEY's and ITEM's string */
	char *name;               /* owned: VAR */
} cs_node;

typedef struct cs_names {
	char **v;                 /* NULL-terminated once gathered */
	size_t n;
} cs_names;

/* Which go to jq together: those that always do, plain ones that rare values send there, and each loose one alone. */
typedef enum cs_jq_kind { CS_JQ_ALWAYS, CS_JQ_RARELY, CS_JQ_LOOSE, CS_JQ_KINDS } cs_jq_kind;

struct cs_expr {
	char *source;
	char *refused;            /* why it may not be evaluated; NULL: it may */
	unsigned index;
	bool plain;
	bool may_jq;              /* belongs into a program for jq: one that is not plain surely, a plain one for rare values */
	bool loose;               /* may be no jq at all: compiled by itself */
	unsigned nth;             /* of those of its kind in the set, when may_jq */
	bool builds;              /* its value may be bigger than what it was made from */
	cs_names vars;
	cs_node *nodes;           /* plain: the tree */
	uint16_t n_nodes, root;
};

struct cs_exprset {
	atomic_int refs;
	uint64_t id;              /* unlike any other set's in this process */
	cs_expr **items;
	unsigned n, cap;
	unsigned n_jq[CS_JQ_KINDS];   /* how many may need jq */
	json_t *by_source, *loose_by_source;
};

static inline cs_jq_kind cs_expr_kind(const cs_expr *e)
{
	return e->loose ? CS_JQ_LOOSE : e->plain ? CS_JQ_RARELY : CS_JQ_ALWAYS;
}

/* Functions of jq that are plain too. */
typedef enum cs_plain_fn { CS_FN_NOT, CS_FN_LENGTH, CS_FN_TYPE, CS_FN_TOSTRING, CS_FN_COUNT } cs_plain_fn;
extern const char *const cs_plain_fn_names[CS_FN_COUNT];

/* Names that no expression may use, with the reason; the last entry has a NULL name. */
typedef struct cs_refused_name { const char *name; unsigned args; const char *why; } cs_refused_name;
extern const cs_refused_name cs_refused_names[];

/* jq's lexical rules: strings, brackets, names. Adds the $names to VARS. */
/* CS_EREFUSED: well written, as far as was looked, but not to be evaluated; ERR says why. */
int cs_expr_lex(const char *source, cs_names *vars, cs_err *err);
void cs_names_fini(cs_names *n);
bool cs_expr_is_word(const char *s, size_t n, const char *word);
bool cs_expr_is_keyword(const char *s, size_t n);

/* True when SOURCE is in the plain grammar: e->nodes is set then. */
bool cs_expr_parse(const char *source, cs_expr *e);
void cs_nodes_free(cs_node *nodes, size_t n);

/* 0; an error; or CS_EXPR_ASK_JQ when a value is outside what is known to be equal. */
#define CS_EXPR_ASK_JQ 2
int cs_expr_run(const cs_expr *e, const cs_scope *scope, json_t **ret_new, cs_err *err);

/* ---- values, as jq 1.6 sees them (expr_value.c) ------------------------------------------ */
const char *cs_value_kind(const json_t *v);
static inline bool cs_value_truthy(const json_t *v) { return !json_is_null(v) && !json_is_false(v); }
/* jq's order; *ret < 0, 0, > 0. CS_ETOOBIG beyond CS_EXPR_VALUE_DEPTH or CS_EXPR_RESULT_NODES. */
int cs_value_compare(const json_t *a, const json_t *b, int *ret);
int cs_value_equal(const json_t *a, const json_t *b, bool *ret);
/* jq's tostring. CS_EXPR_ASK_JQ for a number whose digits only jq is sure of. */
int cs_value_tostring(const json_t *v, cs_buf *out);
/* CS_ETOOBIG when V is deeper than CS_JSON_DEPTH or bigger than CS_EXPR_RESULT_…; a value that is
 * shared counts as often as it is reached. */
int cs_value_weigh(const json_t *v);
/* A new number: an integer when it is one within 2^53. */
json_t *cs_value_number(double d);

#endif
