/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/expr_parser.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- terms ------------------------------------------------------------------------------ */

/* jq's token is [0-9.]+([eE][+-]?[0-9]+)?; of that, what JSON writes the same. */
static json_t *read_number(cs_parser *x)
{
	const char *s = x->p;
	size_t n = strspn(s, "0123456789."), digits = strspn(s, "0123456789"), m = n;
	if (s[n] == 'e' || s[n] == 'E') {
		size_t sign = s[n + 1] == '+' || s[n + 1] == '-';
		size_t e = strspn(s + n + 1 + sign, "0123456789");
		m = e ? n + 1 + sign + e : n;
	}
	if (digits == 0 || (digits > 1 && s[0] == '0') || m > 40)
		return NULL;
	if (digits < n && (s[digits + 1] == '.' || strspn(s + digits + 1, "0123456789") + digits + 1 != n))
		return NULL;
	json_t *v = NULL;
	if (cs_json_parse(s, m, &v, NULL) < 0)
		return NULL;
	x->p += m;
	if (json_is_real(v)) {
		double d = json_real_value(v);
		json_decref(v);
		/* Beyond 2^53 the limits are jq's to state. */
		return d > (double)CS_JQ_INT_MAX ? NULL : cs_value_number(d);
	}
	return v;
}

uint16_t cs_parse_minus(cs_parser *x)
{
	x->p++;
	if (!isdigit((unsigned char)cs_parser_peek(x)))
		return CS_NO_NODE;
	CS_AUTOJSON json_t *v = read_number(x);
	/* -1.a is -(1.a), and -0 has a sign in jq. */
	if (!v || json_number_value(v) == 0 || cs_parser_peek(x) == '.' || cs_parser_peek(x) == '[' || cs_parser_peek(x) == '?')
		return CS_NO_NODE;
	return cs_parser_add_value(x, CS_OP_CONST, CS_NO_NODE,
			 json_is_integer(v) ? json_integer(-json_integer_value(v)) : json_real(-json_real_value(v)));
}

static uint16_t parse_var(cs_parser *x)
{
	x->p++;
	size_t n = cs_parser_word(x->p, x->end);
	if (n == 0 || cs_expr_is_keyword(x->p, n))
		return CS_NO_NODE;
	uint16_t node = cs_parser_add(x, CS_OP_VAR, CS_NO_NODE, CS_NO_NODE, CS_NO_NODE);
	if (node != CS_NO_NODE)
		x->nodes[node].name = cs_xstrndup(x->p, n);
	x->p += n;
	return node;
}

static uint16_t parse_word(cs_parser *x)
{
	size_t n = cs_parser_word(x->p, x->end);
	const char *s = x->p;
	x->p += n;
	if (n && cs_parser_peek(x) == ':')
		return CS_NO_NODE;
	if (cs_expr_is_word(s, n, "null"))
		return cs_parser_add_value(x, CS_OP_CONST, CS_NO_NODE, json_null());
	if (cs_expr_is_word(s, n, "true"))
		return cs_parser_add_value(x, CS_OP_CONST, CS_NO_NODE, json_true());
	if (cs_expr_is_word(s, n, "false"))
		return cs_parser_add_value(x, CS_OP_CONST, CS_NO_NODE, json_false());
	for (int i = 0; i < CS_FN_COUNT; i++) {
		if (!cs_expr_is_word(s, n, cs_plain_fn_names[i]) || cs_parser_peek(x) == '(')
			continue;
		uint16_t node = cs_parser_add(x, CS_OP_CALL, CS_NO_NODE, CS_NO_NODE, CS_NO_NODE);
		if (node != CS_NO_NODE)
			x->nodes[node].at = i;
		return node;
	}
	return CS_NO_NODE;
}

static uint16_t parse_array(cs_parser *x)
{
	x->p++;
	uint16_t list = cs_parser_add(x, CS_OP_ARRAY, CS_NO_NODE, CS_NO_NODE, CS_NO_NODE), last = CS_NO_NODE;
	if (list == CS_NO_NODE || cs_parser_accept(x, ']'))
		return list;
	do {
		/* `[a, b | c]` pipes both: only a lone element may be a pipe. */
		uint16_t value = last == CS_NO_NODE ? cs_parse_pipe(x) : cs_parse_alt(x);
		uint16_t item = value == CS_NO_NODE ? value : cs_parser_add(x, CS_OP_ITEM, value, CS_NO_NODE, CS_NO_NODE);
		if (item == CS_NO_NODE || x->nodes[item].depth >= CS_EXPR_DEPTH_MAX ||
		    (cs_parser_peek(x) == ',' && x->nodes[value].op == CS_OP_PIPE && last == CS_NO_NODE))
			return CS_NO_NODE;
		if (last == CS_NO_NODE)
			cs_parse_link(x, list, item);
		else
			x->nodes[last].next = item;
		if (x->nodes[item].depth >= x->nodes[list].depth)
			x->nodes[list].depth = (uint8_t)(x->nodes[item].depth + 1);
		last = item;
	} while (cs_parser_accept(x, ','));
	return cs_parser_accept(x, ']') ? list : CS_NO_NODE;
}

/* A key's value is a term or a pipe of terms: `{a: 1 + 2}` is no jq. */
static uint16_t parse_member_value(cs_parser *x)
{
	uint16_t left = cs_parser_peek(x) == '-' ? cs_parse_minus(x) : cs_parse_term(x);
	while (left != CS_NO_NODE && cs_parser_peek(x) == '|') {
		x->p++;
		uint16_t right = cs_parser_peek(x) == '-' ? cs_parse_minus(x) : cs_parse_term(x);
		left = right == CS_NO_NODE ? right : cs_parser_add(x, CS_OP_PIPE, left, right, CS_NO_NODE);
	}
	return left;
}

static uint16_t member_shorthand(cs_parser *x, json_t *key, bool is_var)
{
	if (!is_var) {
		uint16_t dot = cs_parser_add(x, CS_OP_DOT, CS_NO_NODE, CS_NO_NODE, CS_NO_NODE);
		return dot == CS_NO_NODE ? dot : cs_parser_add_value(x, CS_OP_KEY, dot, json_incref(key));
	}
	uint16_t node = cs_parser_add(x, CS_OP_VAR, CS_NO_NODE, CS_NO_NODE, CS_NO_NODE);
	if (node != CS_NO_NODE)
		x->nodes[node].name = cs_xstrdup(json_string_value(key));
	return node;
}

static uint16_t parse_member(cs_parser *x)
{
	CS_AUTOJSON json_t *key = NULL;
	bool is_var = cs_parser_accept(x, '$'), word = false;
	if (cs_parser_peek(x) == '"' && !is_var) {
		key = cs_parse_literal(x);
	} else {
		size_t n = cs_parser_word(x->p, x->end);
		word = cs_expr_is_keyword(x->p, n);
		key = n && !(word && is_var) ? json_stringn(x->p, n) : NULL;
		x->p += n;
	}
	if (!key)
		return CS_NO_NODE;
	uint16_t value;
	if (!is_var && cs_parser_accept(x, ':'))
		value = parse_member_value(x);
	else
		value = word ? CS_NO_NODE : member_shorthand(x, key, is_var);
	return value == CS_NO_NODE ? value : cs_parser_add_value(x, CS_OP_ITEM, value, CS_STEAL(key));
}

static uint16_t parse_object(cs_parser *x)
{
	x->p++;
	uint16_t list = cs_parser_add(x, CS_OP_OBJECT, CS_NO_NODE, CS_NO_NODE, CS_NO_NODE), last = CS_NO_NODE;
	if (list == CS_NO_NODE || cs_parser_accept(x, '}'))
		return list;
	do {
		uint16_t item = parse_member(x);
		if (item == CS_NO_NODE || x->nodes[item].depth >= CS_EXPR_DEPTH_MAX)
			return CS_NO_NODE;
		if (last == CS_NO_NODE)
			cs_parse_link(x, list, item);
		else
			x->nodes[last].next = item;
		if (x->nodes[item].depth >= x->nodes[list].depth)
			x->nodes[list].depth = (uint8_t)(x->nodes[item].depth + 1);
		last = item;
	} while (cs_parser_accept(x, ','));
	return cs_parser_accept(x, '}') ? list : CS_NO_NODE;
}

static uint16_t parse_bracketed(cs_parser *x)
{
	x->p++;
	uint16_t node = cs_parse_pipe(x);
	return node != CS_NO_NODE && cs_parser_accept(x, ')') ? node : CS_NO_NODE;
}

/* ---- what follows a term: .a ."a" [i] and their `?` -------------------------------------- */

static uint16_t with_opt(cs_parser *x, uint16_t node)
{
	if (node == CS_NO_NODE || !cs_parser_accept(x, '?'))
		return node;
	x->nodes[node].opt = true;
	/* `?//` is one token, and a second `?` tries the whole term. */
	return *x->p == '/' || cs_parser_peek(x) == '?' ? CS_NO_NODE : node;
}

/* At the dot. */
static uint16_t parse_field(cs_parser *x, uint16_t base)
{
	x->p++;
	size_t n = cs_parser_word(x->p, x->end);
	if (n) {
		json_t *key = json_stringn(x->p, n);
		x->p += n;
		return with_opt(x, cs_parser_add_value(x, CS_OP_KEY, base, key));
	}
	return cs_parser_peek(x) == '"' ? with_opt(x, cs_parser_add_value(x, CS_OP_KEY, base, cs_parse_literal(x))) : CS_NO_NODE;
}

/* An index that is a constant gets a node of its own kind; INDEX evaluates the rest. */
static uint16_t constant_index(cs_parser *x, uint16_t base, uint16_t key)
{
	const cs_node *k = &x->nodes[key];
	if (k->op == CS_OP_CONST && json_is_string(k->value))
		return cs_parser_add_value(x, CS_OP_KEY, base, json_incref(k->value));
	if (k->op == CS_OP_CONST && json_is_integer(k->value) && llabs(json_integer_value(k->value)) < 1000000000) {
		int at = (int)json_integer_value(k->value);
		uint16_t node = cs_parser_add(x, CS_OP_AT, base, CS_NO_NODE, CS_NO_NODE);
		if (node != CS_NO_NODE)
			x->nodes[node].at = at;
		return node;
	}
	return cs_parser_add(x, CS_OP_INDEX, base, key, CS_NO_NODE);
}

static uint16_t parse_index(cs_parser *x, uint16_t base)
{
	x->p++;
	uint16_t key = cs_parse_pipe(x);
	if (key == CS_NO_NODE || !cs_parser_accept(x, ']'))
		return CS_NO_NODE;
	return with_opt(x, constant_index(x, base, key));
}

static uint16_t parse_suffixes(cs_parser *x, uint16_t node)
{
	while (node != CS_NO_NODE) {
		char c = cs_parser_peek(x);
		if (c == '.')
			node = parse_field(x, node);
		else if (c == '[')
			node = parse_index(x, node);
		else if (c == '?')
			return CS_NO_NODE;
		else
			return node;
	}
	return node;
}

static uint16_t parse_dot(cs_parser *x)
{
	uint16_t dot = cs_parser_add(x, CS_OP_DOT, CS_NO_NODE, CS_NO_NODE, CS_NO_NODE);
	const char *next = x->p + 1;
	if (dot == CS_NO_NODE)
		return dot;
	if (next < x->end && (*next == '.' || isdigit((unsigned char)*next)))
		return CS_NO_NODE;
	if (cs_parser_word(next, x->end))
		return parse_field(x, dot);
	x->p++;
	if (cs_parser_peek(x) != '"')
		return dot;
	return with_opt(x, cs_parser_add_value(x, CS_OP_KEY, dot, cs_parse_literal(x)));
}

static uint16_t parse_atom(cs_parser *x)
{
	char c = cs_parser_peek(x);
	if (isdigit((unsigned char)c))
		return cs_parser_add_value(x, CS_OP_CONST, CS_NO_NODE, read_number(x));
	switch (c) {
	case '.': return parse_dot(x);
	case '"': return cs_parse_string(x);
	case '$': return parse_var(x);
	case '[': return parse_array(x);
	case '{': return parse_object(x);
	case '(': return parse_bracketed(x);
	default:  return parse_word(x);
	}
}

uint16_t cs_parse_term(cs_parser *x)
{
	if (x->depth >= CS_EXPR_DEPTH_MAX)
		return CS_NO_NODE;
	x->depth++;
	uint16_t node = parse_suffixes(x, parse_atom(x));
	x->depth--;
	return node;
}

