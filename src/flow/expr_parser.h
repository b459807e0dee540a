/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain parser's hands: a cursor over the source and the nodes made so far. */
#ifndef CS_FLOW_EXPR_PARSER_H
#define CS_FLOW_EXPR_PARSER_H

#include "flow/expr_internal.h"

typedef struct cs_parser {
	const char *p, *end;      /* END points at the NUL */
	cs_node *nodes;
	size_t n, cap;
	unsigned depth;
} cs_parser;

/* After white space: the character here, or NUL at the end. */
char cs_parser_peek(cs_parser *x);
bool cs_parser_accept(cs_parser *x, char c);
bool cs_parser_accept_word(cs_parser *x, const char *word);
/* How long a name at P is; 0: none. */
size_t cs_parser_word(const char *p, const char *end);
uint16_t cs_parser_add(cs_parser *x, cs_op op, uint16_t a, uint16_t b, uint16_t c);
/* Takes VALUE; a NULL value gives CS_NO_NODE. */
uint16_t cs_parser_add_value(cs_parser *x, cs_op op, uint16_t a, json_t *value);

/* Each gives a node's index, or CS_NO_NODE for "not plain". */
uint16_t cs_parse_pipe(cs_parser *x);
uint16_t cs_parse_alt(cs_parser *x);     /* without a pipe */
uint16_t cs_parse_term(cs_parser *x);
uint16_t cs_parse_minus(cs_parser *x);   /* a negative number, at its sign */
uint16_t cs_parse_string(cs_parser *x);  /* at its quote */
json_t *cs_parse_literal(cs_parser *x);  /* a string without interpolation; NULL: not plain */
/* Puts ITEM before the others of LIST. */
void cs_parse_link(cs_parser *x, uint16_t list, uint16_t item);

#endif
