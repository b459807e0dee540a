/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Jansson recurses as deep as the text and refuses integers beyond 64 bits without looking
 * further. So the text is walked once before: too deep is refused, and an integer literal that
 * is exactly what a double prints as (1e20 is written 100000000000000000000) gets an "e0", with
 * which it is read as that double. Nothing else is changed. */
struct scan {
	const char *text;
	size_t len, at;
	size_t copied;       /* of the text, into patched */
	unsigned depth;
	cs_buf patched;      /* empty when nothing had to be changed */
};

static void scan_fini(struct scan *s)
{
	cs_buf_fini(&s->patched);
}

static int at_offset(cs_err *err, int code, const char *text, size_t at, const char *msg)
{
	unsigned line = 1, col = 1;
	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			line++;
			col = 1;
		} else if (((unsigned char)text[i] & 0xC0) != 0x80) {
			col++;
		}
	}
	return cs_err_at(err, code, NULL, line, col, "%s", msg);
}

static void skip_string(struct scan *s)
{
	for (s->at++; s->at < s->len && s->text[s->at] != '"'; s->at++)
		if (s->text[s->at] == '\\')
			s->at++;
	s->at++;
}

/* True for digits that no int64 holds but that are the shortest form of a double. */
static bool is_big_double(const char *token, size_t len)
{
	char text[24], shown[32];
	bool negative = token[0] == '-';
	const char *digits = token + negative;
	size_t n = len - negative;
	if (n < 19 || n > 21)
		return false;
	const char *most = negative ? "9223372036854775808" : "9223372036854775807";
	if (n == 19 && memcmp(digits, most, 19) <= 0)
		return false;
	memcpy(text, token, len);
	text[len] = '\0';
	return cs_json_number(strtod(text, NULL), shown, sizeof shown) > 0 && strcmp(text, shown) == 0;
}

static int skip_number(struct scan *s)
{
	size_t start = s->at;
	bool integer = true;
	for (s->at++; s->at < s->len && strchr("0123456789+-.eE", s->text[s->at]) && s->text[s->at]; s->at++)
		integer = integer && s->text[s->at] >= '0' && s->text[s->at] <= '9';
	if (!integer || !is_big_double(s->text + start, s->at - start))
		return 0;
	cs_buf_add(&s->patched, s->text + s->copied, s->at - s->copied);
	s->copied = s->at;
	return cs_buf_adds(&s->patched, "e0");
}

static int no_memory(const struct scan *s, cs_err *err)
{
	return cs_err_set(err, s->patched.failed, "no memory to read JSON; end some programs and try again");
}

static int scan(struct scan *s, cs_err *err)
{
	while (s->at < s->len) {
		char c = s->text[s->at];
		if (c == '"') {
			skip_string(s);
			continue;
		}
		if (c == '-' || (c >= '0' && c <= '9')) {
			if (skip_number(s) < 0)
				return no_memory(s, err);
			continue;
		}
		if ((c == '[' || c == '{') && ++s->depth > CS_JSON_DEPTH)
			return at_offset(err, CS_ETOOBIG, s->text, s->at,
					 "JSON is nested deeper than 128 levels; make it flatter");
		if ((c == ']' || c == '}') && s->depth > 0)
			s->depth--;
		s->at++;
	}
	if (s->copied > 0)
		cs_buf_add(&s->patched, s->text + s->copied, s->len - s->copied);
	return s->patched.failed ? no_memory(s, err) : 0;
}

static const struct {
	enum json_error_code code;
	const char *msg;
} sentences[] = {
	{ json_error_null_byte_in_key, "a key holds the character U+0000, which no key may hold here; rename it" },
	{ json_error_numeric_overflow,
	  "a number does not fit: an integer must fit 64 bits, a real a double; write it as a string to keep its digits" },
	{ json_error_premature_end_of_input, "the JSON text ends too early; complete it" },
	{ json_error_end_of_input_expected, "there is text after the JSON value; remove it" },
	{ json_error_duplicate_key, "an object holds the same key twice; keep one of them" },
	{ json_error_invalid_utf8, "the JSON text is not UTF-8; save it as UTF-8" },
	{ json_error_stack_overflow, "JSON is nested too deep; make it flatter" },
};

static int explain(const json_error_t *je, cs_err *err)
{
	unsigned line = je->line > 0 ? (unsigned)je->line : 1, col = je->column > 0 ? (unsigned)je->column : 1;
	for (size_t i = 0; i < CS_ARRAY_LEN(sentences); i++)
		if (sentences[i].code == json_error_code(je))
			return cs_err_at(err, CS_ESYNTAX, NULL, line, col, "%s", sentences[i].msg);
	/* Jansson quotes the text it stopped at, which is not ours. */
	CS_AUTOFREE char *shown = cs_utf8_shown(je->text);
	return cs_err_at(err, CS_ESYNTAX, NULL, line, col, "not valid JSON: %s", shown);
}

int cs_json_parse(const char *text, size_t len, json_t **ret, cs_err *err)
{
	/* Jansson takes one after a number for the end of the text. */
	const char *nul = len ? memchr(text, '\0', len) : NULL;
	if (nul)
		return at_offset(err, CS_ESYNTAX, text, (size_t)(nul - text),
				 "JSON text holds a raw NUL byte; write it as \\u0000 in a string");
	CS_CLEANUP(scan_fini) struct scan s = { .text = text, .len = len };
	/* Two bytes more for each number of at least 19. */
	cs_buf_init(&s.patched, len < SIZE_MAX / 8 ? 2 * len : len);
	int r = scan(&s, err);
	if (r < 0)
		return r;
	json_error_t je;
	json_t *v = json_loadb(s.copied ? s.patched.data : text, s.copied ? s.patched.len : len,
			       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &je);
	if (!v)
		return explain(&je, err);
	*ret = v;
	return 0;
}

json_t *cs_json_lenient(const char *text)
{
	json_t *v = NULL;
	if (cs_json_parse(text, strlen(text), &v, NULL) == 0)
		return v;
	return json_string(text);
}
