/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain grammar: a part of jq's (parser.y of 1.6), with the same precedences. Whatever is not certainly
 * in it is left to jq; nothing here is an error. */
#include "flow/expr_parser.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const cs_plain_fn_names[CS_FN_COUNT] = {
	[CS_FN_NOT] = "not", [CS_FN_LENGTH] = "length", [CS_FN_TYPE] = "type", [CS_FN_TOSTRING] = "tostring",
};

char cs_parser_peek(cs_parser *x)
{
	while (x->p < x->end && (*x->p == ' ' || *x->p == '\t' || *x->p == '\n'))
		x->p++;
	return x->p < x->end ? *x->p : '\0';
}

bool cs_parser_accept(cs_parser *x, char c)
{
	if (cs_parser_peek(x) != c)
		return false;
	x->p++;
	return true;
}

size_t cs_parser_word(const char *p, const char *end)
{
	size_t n = 0;
	if (p >= end || isdigit((unsigned char)*p))
		return 0;
	while (p + n < end && (isalnum((unsigned char)p[n]) || p[n] == '_'))
		n++;
	return n;
}

bool cs_parser_accept_word(cs_parser *x, const char *word)
{
	cs_parser_peek(x);
	size_t n = cs_parser_word(x->p, x->end);
	if (!cs_expr_is_word(x->p, n, word))
		return false;
	x->p += n;
	return true;
}

static unsigned depth_of(const cs_parser *x, uint16_t node)
{
	return node == CS_NO_NODE ? 0 : x->nodes[node].depth;
}

uint16_t cs_parser_add(cs_parser *x, cs_op op, uint16_t a, uint16_t b, uint16_t c)
{
	unsigned depth = depth_of(x, a);
	if (depth_of(x, b) > depth)
		depth = depth_of(x, b);
	if (depth_of(x, c) > depth)
		depth = depth_of(x, c);
	if (depth >= CS_EXPR_DEPTH_MAX || x->n >= CS_EXPR_NODES_MAX)
		return CS_NO_NODE;
	if (x->n == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 8;
		x->nodes = cs_xrealloc(x->nodes, x->cap * sizeof(*x->nodes));
	}
	x->nodes[x->n] = (cs_node){ .op = (uint8_t)op, .depth = (uint8_t)(depth + 1), .a = a, .b = b, .c = c,
				    .next = CS_NO_NODE };
	return (uint16_t)x->n++;
}

/* Takes VALUE. */
uint16_t cs_parser_add_value(cs_parser *x, cs_op op, uint16_t a, json_t *value)
{
	uint16_t node = value ? cs_parser_add(x, op, a, CS_NO_NODE, CS_NO_NODE) : CS_NO_NODE;
	if (node == CS_NO_NODE) {
		json_decref(value);
		return node;
	}
	x->nodes[node].value = value;
	return node;
}

/* ---- operators, the loosest last --------------------------------------------------------- */

static uint16_t parse_if(cs_parser *x)
{
	uint16_t cond = cs_parse_pipe(x), then, other;
	if (cond == CS_NO_NODE || !cs_parser_accept_word(x, "then") || (then = cs_parse_pipe(x)) == CS_NO_NODE)
		return CS_NO_NODE;
	if (cs_parser_accept_word(x, "elif")) {
		if (x->depth >= CS_EXPR_DEPTH_MAX)
			return CS_NO_NODE;
		x->depth++;
		other = parse_if(x);
		x->depth--;
	} else {
		other = cs_parser_accept_word(x, "else") ? cs_parse_pipe(x) : CS_NO_NODE;
		if (other != CS_NO_NODE && !cs_parser_accept_word(x, "end"))
			return CS_NO_NODE;
	}
	return other == CS_NO_NODE ? other : cs_parser_add(x, CS_OP_IF, cond, then, other);
}

static uint16_t parse_operand(cs_parser *x)
{
	if (cs_parser_peek(x) == '-')
		return cs_parse_minus(x);
	if (!cs_parser_accept_word(x, "if"))
		return cs_parse_term(x);
	uint16_t node = parse_if(x);
	return node != CS_NO_NODE && strchr("?.[", cs_parser_peek(x)) && cs_parser_peek(x) ? CS_NO_NODE : node;
}

static uint16_t parse_sum(cs_parser *x)
{
	uint16_t left = parse_operand(x);
	while (left != CS_NO_NODE && cs_parser_peek(x) == '+' && x->p[1] != '=') {
		x->p++;
		uint16_t right = parse_operand(x);
		left = right == CS_NO_NODE ? right : cs_parser_add(x, CS_OP_PLUS, left, right, CS_NO_NODE);
	}
	return left;
}

static bool accept_comparison(cs_parser *x, cs_op *ret)
{
	static const struct { const char *text; cs_op op; } table[] = {
		{ "==", CS_OP_EQ }, { "!=", CS_OP_NE }, { "<=", CS_OP_LE }, { ">=", CS_OP_GE },
		{ "<", CS_OP_LT }, { ">", CS_OP_GT },
	};
	cs_parser_peek(x);
	for (size_t i = 0; i < CS_ARRAY_LEN(table); i++) {
		size_t n = strlen(table[i].text);
		if ((size_t)(x->end - x->p) < n || memcmp(x->p, table[i].text, n))
			continue;
		x->p += n;
		*ret = table[i].op;
		return true;
	}
	return false;
}

/* Comparisons do not chain in jq. */
static uint16_t parse_comparison(cs_parser *x)
{
	cs_op op = CS_OP_EQ;
	uint16_t left = parse_sum(x);
	if (left == CS_NO_NODE || !accept_comparison(x, &op))
		return left;
	uint16_t right = parse_sum(x);
	left = right == CS_NO_NODE ? right : cs_parser_add(x, op, left, right, CS_NO_NODE);
	return accept_comparison(x, &op) ? CS_NO_NODE : left;
}

static uint16_t parse_and(cs_parser *x)
{
	uint16_t left = parse_comparison(x);
	while (left != CS_NO_NODE && cs_parser_accept_word(x, "and")) {
		uint16_t right = parse_comparison(x);
		left = right == CS_NO_NODE ? right : cs_parser_add(x, CS_OP_AND, left, right, CS_NO_NODE);
	}
	return left;
}

static uint16_t parse_or(cs_parser *x)
{
	uint16_t left = parse_and(x);
	while (left != CS_NO_NODE && cs_parser_accept_word(x, "or")) {
		uint16_t right = parse_and(x);
		left = right == CS_NO_NODE ? right : cs_parser_add(x, CS_OP_OR, left, right, CS_NO_NODE);
	}
	return left;
}

/* `//` and `|` group to the right; the parser's depth counts their length. */
uint16_t cs_parse_alt(cs_parser *x)
{
	uint16_t left = parse_or(x);
	if (left == CS_NO_NODE || cs_parser_peek(x) != '/' || x->p[1] != '/')
		return left;
	if (x->p[2] == '=' || x->depth >= CS_EXPR_DEPTH_MAX)
		return CS_NO_NODE;
	x->p += 2;
	x->depth++;
	uint16_t right = cs_parse_alt(x);
	x->depth--;
	return right == CS_NO_NODE ? right : cs_parser_add(x, CS_OP_ALT, left, right, CS_NO_NODE);
}

uint16_t cs_parse_pipe(cs_parser *x)
{
	if (x->depth >= CS_EXPR_DEPTH_MAX)
		return CS_NO_NODE;
	x->depth++;
	uint16_t left = cs_parse_alt(x);
	if (left != CS_NO_NODE && cs_parser_peek(x) == '|' && x->p[1] != '=') {
		x->p++;
		uint16_t right = cs_parse_pipe(x);
		left = right == CS_NO_NODE ? right : cs_parser_add(x, CS_OP_PIPE, left, right, CS_NO_NODE);
	}
	x->depth--;
	return left;
}

/* ---- the whole -------------------------------------------------------------------------- */

void cs_nodes_free(cs_node *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_decref(nodes[i].value);
		free(nodes[i].name);
	}
	free(nodes);
}

/* Operations whose value may be bigger than what goes in, and those that may ask jq after all. */
static void note_kinds(cs_expr *e)
{
	for (size_t i = 0; i < e->n_nodes; i++) {
		cs_op op = (cs_op)e->nodes[i].op;
		e->builds |= op == CS_OP_ARRAY || op == CS_OP_OBJECT || op == CS_OP_PLUS || op == CS_OP_TEXT;
		e->may_jq |= op == CS_OP_TEXT || op == CS_OP_PLUS || op == CS_OP_INDEX || op == CS_OP_CALL;
	}
}

bool cs_expr_parse(const char *source, cs_expr *e)
{
	cs_parser x = { .p = source, .end = source + strlen(source) };
	uint16_t root = cs_parse_pipe(&x);
	if (root == CS_NO_NODE || cs_parser_peek(&x) != '\0') {
		cs_nodes_free(x.nodes, x.n);
		return false;
	}
	e->nodes = x.nodes;
	e->n_nodes = (uint16_t)x.n;
	e->root = root;
	note_kinds(e);
	return true;
}
