/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/expr_parser.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- strings ---------------------------------------------------------------------------- */

/* One escape after the backslash; -1 when it is better left to jq (surrogates, NUL). */
static long read_escape(cs_parser *x)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = *x->p++;
	const char *at = strchr(from, c);
	if (c != 'u')
		return at ? to[at - from] : -1;
	long cp = 0;
	for (int i = 0; i < 4; i++, x->p++) {
		unsigned char h = (unsigned char)*x->p;
		cp = cp * 16 + (isdigit(h) ? h - '0' : tolower(h) - 'a' + 10);
	}
	return cp == 0 || (cp >= 0xD800 && cp <= 0xDFFF) ? -1 : cp;
}

static void add_utf8(cs_buf *b, long cp)
{
	if (cp < 0x80) {
		cs_buf_addc(b, (char)cp);
	} else if (cp < 0x800) {
		cs_buf_addc(b, (char)(0xC0 | cp >> 6));
		cs_buf_addc(b, (char)(0x80 | (cp & 0x3F)));
	} else {
		cs_buf_addc(b, (char)(0xE0 | cp >> 12));
		cs_buf_addc(b, (char)(0x80 | (cp >> 6 & 0x3F)));
		cs_buf_addc(b, (char)(0x80 | (cp & 0x3F)));
	}
}

/* Text up to a quote or an interpolation, neither consumed. NULL: not plain. */
static json_t *read_text(cs_parser *x)
{
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, CS_EXPR_SOURCE_MAX);
	while (x->p < x->end && *x->p != '"') {
		if (*x->p != '\\') {
			cs_buf_addc(&b, *x->p++);
			continue;
		}
		if (x->p[1] == '(')
			break;
		x->p++;
		long cp = read_escape(x);
		if (cp < 0)
			return NULL;
		add_utf8(&b, cp);
	}
	return b.failed ? NULL : json_stringn(cs_buf_str(&b), b.len);
}

/* A string without interpolation, from its quote. NULL: not plain. */
json_t *cs_parse_literal(cs_parser *x)
{
	if (!cs_parser_accept(x, '"'))
		return NULL;
	CS_AUTOJSON json_t *text = read_text(x);
	if (!text || x->p >= x->end || *x->p != '"')
		return NULL;
	x->p++;
	return CS_STEAL(text);
}

void cs_parse_link(cs_parser *x, uint16_t list, uint16_t item)
{
	x->nodes[item].next = x->nodes[list].a;
	x->nodes[list].a = item;
	x->nodes[list].n++;
	if (x->nodes[item].depth >= x->nodes[list].depth)
		x->nodes[list].depth = (uint8_t)(x->nodes[item].depth + 1);
}

static bool text_piece(cs_parser *x, uint16_t list)
{
	uint16_t item;
	if (x->p[0] == '\\' && x->p[1] == '(') {
		x->p += 2;
		uint16_t value = cs_parse_pipe(x);
		if (value == CS_NO_NODE || !cs_parser_accept(x, ')'))
			return false;
		item = cs_parser_add(x, CS_OP_ITEM, value, CS_NO_NODE, CS_NO_NODE);
	} else {
		item = cs_parser_add_value(x, CS_OP_ITEM, CS_NO_NODE, read_text(x));
	}
	if (item == CS_NO_NODE || x->nodes[item].depth >= CS_EXPR_DEPTH_MAX)
		return false;
	cs_parse_link(x, list, item);
	return true;
}

uint16_t cs_parse_string(cs_parser *x)
{
	const char *start = x->p;
	json_t *literal = cs_parse_literal(x);
	if (literal)
		return cs_parser_add_value(x, CS_OP_CONST, CS_NO_NODE, literal);
	x->p = start + 1;
	uint16_t list = cs_parser_add(x, CS_OP_TEXT, CS_NO_NODE, CS_NO_NODE, CS_NO_NODE);
	if (list == CS_NO_NODE)
		return list;
	while (x->p < x->end && *x->p != '"')
		if (!text_piece(x, list))
			return CS_NO_NODE;
	if (x->p >= x->end)
		return CS_NO_NODE;
	x->p++;
	return list;
}

