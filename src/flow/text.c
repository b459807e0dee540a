/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/text.h"

#include <string.h>
#include "base/buf.h"
#include "base/mem.h"

enum { NEST_MAX = 32, OUT_MAX = 4 << 20 };

static const char *skip(const char *p, char close, unsigned depth);

/* P is past the opening quote; past the closing one, or NULL. */
static const char *skip_string(const char *p, unsigned depth)
{
	while (*p && *p != '"') {
		if (*p != '\\') {
			p++;
		} else if (p[1] == '(') {
			p = skip(p + 2, ')', depth);
			if (!p)
				return NULL;
			p++;
		} else {
			p += p[1] ? 2 : 1;
		}
	}
	return *p ? p + 1 : NULL;
}

/* The CLOSE that ends the expression at P, past its own brackets, texts and comments; NULL: none. */
static const char *skip(const char *p, char close, unsigned depth)
{
	unsigned open = 0;
	if (depth == 0)
		return NULL;
	while (*p) {
		if (*p == close && open == 0)
			return p;
		if (*p == '"') {
			p = skip_string(p + 1, depth - 1);
			if (!p)
				return NULL;
			continue;
		}
		if (*p == '#')
			p += strcspn(p, "\n");
		else if (strchr("{[(", *p))
			open++;
		else if (strchr("}])", *p) && open > 0)
			open--;
		p += *p != '\0';
	}
	return NULL;
}

/* The next "${" that is not written "$${", or the end. */
static const char *next_expression(const char *p)
{
	for (; *p; p++) {
		if (strncmp(p, "$${", 3) == 0)
			p += 2;
		else if (p[0] == '$' && p[1] == '{')
			break;
	}
	return p;
}

static int fail_at(const char *text, const char *at, cs_err *err, const char *what)
{
	unsigned line = 1, col = 1;
	for (const char *p = text; p < at; p++) {
		bool newline = *p == '\n';
		line += newline;
		col = newline ? 1 : col + (((unsigned char)*p & 0xC0) != 0x80);
	}
	return cs_err_at(err, CS_ESYNTAX, NULL, line, col, "%s (line %u, column %u of the text)", what, line, col);
}

/* P..END as what stands within the quotes of a jq text. */
static void add_literal(cs_buf *out, const char *p, const char *end)
{
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		if (strncmp(p, "$${", 3) == 0)
			continue;            /* one of its two */
		if (c == '"' || c == '\\')
			(void)cs_buf_addf(out, "\\%c", c);
		else if (c == '\n')
			(void)cs_buf_adds(out, "\\n");
		else if (c < 0x20 || c == 0x7F)
			(void)cs_buf_addf(out, "\\u%04x", c);
		else
			(void)cs_buf_addc(out, (char)c);
	}
}

static bool is_blank(const char *p, const char *end)
{
	return p + strspn(p, " \t\r\n") >= end;
}

/* Is TEXT one expression and nothing else? */
static bool is_whole(const char *text)
{
	const char *p = text + strspn(text, " \t\r\n");
	const char *end = p[0] == '$' && p[1] == '{' ? skip(p + 2, '}', NEST_MAX) : NULL;
	return end && is_blank(end + 1, end + strlen(end));
}

static int build(const char *text, cs_buf *out, cs_err *err)
{
	(void)cs_buf_adds(out, "${ \"");
	for (const char *p = text;;) {
		const char *open = next_expression(p);
		add_literal(out, p, open);
		if (!*open)
			break;
		const char *end = skip(open + 2, '}', NEST_MAX);
		if (!end)
			return fail_at(text, open, err, "'${' has no '}' that ends it; write '$${' where no expression is meant");
		if (is_blank(open + 2, end))
			return fail_at(text, open, err, "'${ }' is empty; write an expression in it, or '$${' where none is meant");
		(void)cs_buf_adds(out, "\\(");
		(void)cs_buf_add(out, open + 2, (size_t)(end - open - 2));
		/* A comment would take the bracket with it. */
		(void)cs_buf_adds(out, memchr(open, '#', (size_t)(end - open)) ? "\n)" : ")");
		p = end + 1;
	}
	(void)cs_buf_adds(out, "\" }");
	return out->failed ? cs_err_set(err, CS_ETOOBIG, "the text is too large; make it smaller") : CS_OK;
}

int cs_text_value(const char *text, bool keep_whole, json_t **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, OUT_MAX);
	bool plain = strstr(text, "${") == NULL;
	if (plain || (keep_whole && is_whole(text))) {
		*ret = json_string(text);
		return *ret ? CS_OK : cs_err_set(err, CS_ESYNTAX, "the text is not UTF-8; save it as UTF-8");
	}
	int rc = build(text, &out, err);
	if (rc != CS_OK)
		return rc;
	json_t *value = json_string(cs_buf_str(&out));
	if (!value)
		return cs_err_set(err, CS_ESYNTAX, "the text is not UTF-8; save it as UTF-8");
	*ret = value;
	return CS_OK;
}
