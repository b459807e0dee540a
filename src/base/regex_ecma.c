/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/regex_ecma.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/ascii.h"
#include "base/utf8.h"

struct translation {
	const char *pattern, *at;
	cs_buf *out;
	cs_err *err;
	bool in_set;          /* between [ and ] */
};

static int refuse(struct translation *t, const char *at, const char *what)
{
	return cs_err_at(t->err, CS_ESYNTAX, NULL, 1, (unsigned)(at - t->pattern) + 1,
			 "not an ECMA-262 pattern: %s; see RFC 9485 for the common ground of patterns", what);
}

/* ECMA-262's white space and line ends, and everything else; as the inside of a set. */
#define SPACES "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NON_SPACES \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" \
	"\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

static const struct {
	char letter;
	const char *outside, *in_set;      /* NULL: not allowed there */
} escapes[] = {
	{ 'd', "[0-9]", "0-9" },
	{ 'D', "[^0-9]", "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}" },
	{ 'w', "[0-9A-Za-z_]", "0-9A-Za-z_" },
	{ 'W', "[^0-9A-Za-z_]", "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}" },
	{ 's', "[" SPACES "]", SPACES },
	{ 'S', "[^" SPACES "]", NON_SPACES },
	{ 'b', "\\b", "\\x{8}" },
	{ 'B', "\\B", NULL },
	{ 'f', "\\x{c}", "\\x{c}" },
	{ 'n', "\\x{a}", "\\x{a}" },
	{ 'r', "\\x{d}", "\\x{d}" },
	{ 't', "\\x{9}", "\\x{9}" },
	{ 'v', "\\x{b}", "\\x{b}" },
};

/* General categories by the long names that PCRE2 does not know. */
static const struct {
	const char *name, *code;
} categories[] = {
	{ "Letter", "L" }, { "Cased_Letter", "L&" }, { "LC", "L&" }, { "Uppercase_Letter", "Lu" },
	{ "Lowercase_Letter", "Ll" }, { "Titlecase_Letter", "Lt" }, { "Modifier_Letter", "Lm" },
	{ "Other_Letter", "Lo" }, { "Mark", "M" }, { "Combining_Mark", "M" }, { "Nonspacing_Mark", "Mn" },
	{ "Spacing_Mark", "Mc" }, { "Enclosing_Mark", "Me" }, { "Number", "N" }, { "Decimal_Number", "Nd" },
	{ "digit", "Nd" }, { "Letter_Number", "Nl" }, { "Other_Number", "No" }, { "Punctuation", "P" },
	{ "punct", "P" }, { "Connector_Punctuation", "Pc" }, { "Dash_Punctuation", "Pd" },
	{ "Open_Punctuation", "Ps" }, { "Close_Punctuation", "Pe" }, { "Initial_Punctuation", "Pi" },
	{ "Final_Punctuation", "Pf" }, { "Other_Punctuation", "Po" }, { "Symbol", "S" }, { "Math_Symbol", "Sm" },
	{ "Currency_Symbol", "Sc" }, { "Modifier_Symbol", "Sk" }, { "Other_Symbol", "So" }, { "Separator", "Z" },
	{ "Space_Separator", "Zs" }, { "Line_Separator", "Zl" }, { "Paragraph_Separator", "Zp" }, { "Other", "C" },
	{ "Control", "Cc" }, { "cntrl", "Cc" }, { "Format", "Cf" }, { "Surrogate", "Cs" }, { "Private_Use", "Co" },
	{ "Unassigned", "Cn" },
};

/* Exactly N hex digits at S, or -1. */
static int32_t hex_digits(const char *s, int n)
{
	int32_t v = 0;
	for (int i = 0; i < n; i++) {
		int d = cs_ascii_hex(s[i]);
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static int add_code_point(struct translation *t, const char *start, int32_t cp)
{
	if (cp < 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return refuse(t, start, "\\x and \\u need the hex digits of a character");
	return cs_buf_addf(t->out, "\\x{%x}", (unsigned)cp);
}

/* \xHH, \uHHHH, a pair of surrogates, \u{H…}; at the letter. */
static int hex_escape(struct translation *t, const char *start)
{
	const char *s = t->at + 1;
	int32_t cp = 0;
	if (*t->at == 'x') {
		cp = hex_digits(s, 2);
		s += 2;
	} else if (*s == '{') {
		for (s++; cs_ascii_hex(*s) >= 0 && cp <= 0x10FFFF; s++)
			cp = cp * 16 + cs_ascii_hex(*s);
		if (*s != '}' || s[-1] == '{')
			cp = -1;
		s++;
	} else {
		cp = hex_digits(s, 4);
		s += 4;
		if (cp >= 0xD800 && cp <= 0xDBFF && s[0] == '\\' && s[1] == 'u') {
			int32_t low = hex_digits(s + 2, 4);
			cp = low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00) : -1;
			s += 6;
		}
	}
	int r = add_code_point(t, start, cp);
	if (r == 0)
		t->at = s;
	return r;
}

/* \p{…} and \P{…}; at the letter. */
static int property(struct translation *t, const char *start)
{
	char p = *t->at, name[64];
	const char *s = t->at + 1, *close = *s == '{' ? strchr(s, '}') : NULL;
	size_t n = close ? (size_t)(close - s - 1) : 0;
	if (n == 0 || n >= sizeof name)
		return refuse(t, start, "\\p needs the name of a property in braces");
	memcpy(name, s + 1, n);
	name[n] = '\0';
	const char *value = name;
	static const char *const prefixes[] = { "General_Category=", "gc=" };
	for (size_t i = 0; i < CS_ARRAY_LEN(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			value = name + strlen(prefixes[i]);
	if (strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=") != strlen(value))
		return refuse(t, start, "a property's name has letters, digits, _ and =");
	for (size_t i = 0; i < CS_ARRAY_LEN(categories); i++)
		if (strcmp(value, categories[i].name) == 0)
			value = categories[i].code;
	t->at = close + 1;
	return cs_buf_addf(t->out, "\\%c{%s}", p, value);
}

/* \1 and on, \k<name>, \cX, \0; at the letter. */
static int reference(struct translation *t, const char *start)
{
	char c = *t->at;
	if (c == 'c' && ((t->at[1] | 0x20) >= 'a' && (t->at[1] | 0x20) <= 'z')) {
		int r = cs_buf_addf(t->out, "\\x{%x}", (unsigned)t->at[1] & 31);
		t->at += 2;
		return r;
	}
	if (c == '0' && !(t->at[1] >= '0' && t->at[1] <= '9')) {
		t->at++;
		return cs_buf_adds(t->out, "\\x{0}");
	}
	if (c >= '1' && c <= '9' && !t->in_set) {
		size_t n = strspn(t->at, "0123456789");
		int r = cs_buf_addf(t->out, "\\g{%.*s}", n < 9 ? (int)n : 9, t->at);
		t->at += n;
		return r;
	}
	if (c == 'k' && t->at[1] == '<' && !t->in_set) {
		t->at++;
		return cs_buf_adds(t->out, "\\k");
	}
	return refuse(t, start, "an escape that means nothing here");
}

static int escape(struct translation *t)
{
	const char *start = t->at++;
	char c = *t->at;
	for (size_t i = 0; i < CS_ARRAY_LEN(escapes); i++) {
		const char *text = t->in_set ? escapes[i].in_set : escapes[i].outside;
		if (escapes[i].letter != c || !text)
			continue;
		t->at++;
		return cs_buf_adds(t->out, text);
	}
	if (c == 'x' || c == 'u')
		return hex_escape(t, start);
	if (c == 'p' || c == 'P')
		return property(t, start);
	/* Any punctuation may be escaped; with the u flag only some of it, but patterns in the wild
	 * escape more, and it can mean only one thing. */
	if (c && strchr("^$\\.*+?()[]{}|/-!\"#%&',:;<=>@_`~ ", c)) {
		t->at++;
		cs_buf_addc(t->out, '\\');
		return c == '_' ? (t->out->data[t->out->len - 1] = '_', 0) : cs_buf_addc(t->out, c);
	}
	return c ? reference(t, start) : refuse(t, start, "it ends in a backslash");
}

static int group(struct translation *t)
{
	static const char *const kinds[] = { "?:", "?=", "?!", "?<=", "?<!" };
	const char *start = t->at++;
	cs_buf_addc(t->out, '(');
	if (*t->at == '*')
		return refuse(t, start, "a group begins with a *");
	if (*t->at != '?')
		return 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++) {
		size_t n = strlen(kinds[i]);
		if (strncmp(t->at, kinds[i], n) == 0) {
			t->at += n;
			return cs_buf_adds(t->out, kinds[i]);
		}
	}
	size_t name = t->at[1] == '<' ? strcspn(t->at + 2, ">()\\") : 0;
	if (name == 0 || t->at[2 + name] != '>')
		return refuse(t, start, "a group of a kind it does not have");
	int r = cs_buf_add(t->out, t->at, name + 3);
	t->at += name + 3;
	return r;
}

/* The + after a quantifier would make it possessive in PCRE2. */
static int quantifier(struct translation *t)
{
	const char *start = t->at;
	if (*t->at == '{') {
		size_t n = strspn(t->at + 1, "0123456789,");
		/* A brace that begins no quantifier is itself. */
		if (n == 0 || t->at[1] == ',' || t->at[n + 1] != '}') {
			t->at++;
			return cs_buf_adds(t->out, "\\{");
		}
		t->at += n + 2;
	} else {
		t->at++;
	}
	if (*t->at == '?')
		t->at++;
	cs_buf_add(t->out, start, (size_t)(t->at - start));
	if (*t->at && strchr("*+?", *t->at))
		return refuse(t, t->at, "two quantifiers in a row");
	return 0;
}

static int open_set(struct translation *t)
{
	t->in_set = true;
	t->at++;
	cs_buf_addc(t->out, '[');
	if (*t->at == '^') {
		t->at++;
		cs_buf_addc(t->out, '^');
	}
	return 0;
}

static int set_character(struct translation *t)
{
	char c = *t->at;
	if (c == '\\')
		return escape(t);
	if (c == ']')
		t->in_set = false;
	t->at++;
	/* [:alpha:] is a class to PCRE2 and a set of characters to ECMA-262. */
	if (c == '[')
		cs_buf_addc(t->out, '\\');
	return cs_buf_addc(t->out, c);
}

static int character(struct translation *t)
{
	if (t->in_set)
		return set_character(t);
	switch (*t->at) {
	case '\\':
		return escape(t);
	case '(':
		return group(t);
	case '[':
		return open_set(t);
	case '*':
	case '+':
	case '?':
	case '{':
		return quantifier(t);
	case '.':
		t->at++;
		return cs_buf_adds(t->out, "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]");
	default:
		return cs_buf_addc(t->out, *t->at++);
	}
}

int cs_regex_from_ecma(const char *pattern, cs_buf *out, cs_err *err)
{
	struct translation t = { .pattern = pattern, .at = pattern, .out = out, .err = err };
	if (!cs_utf8_valid(pattern, strlen(pattern)))
		return cs_err_set(err, CS_ESYNTAX, "a pattern is not UTF-8; save it as UTF-8");
	while (*t.at) {
		int r = character(&t);
		if (r < 0 && r != CS_ESYNTAX)
			return cs_err_set(err, r, "a pattern is too long; make it shorter");
		if (r < 0)
			return r;
	}
	return out->failed ? cs_err_set(err, out->failed, "a pattern is too long; make it shorter") : 0;
}
