/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/yaml_scalar_priv.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include "base/mem.h"

typedef enum scalar_kind { KIND_TEXT, KIND_NULL, KIND_BOOL, KIND_INT, KIND_FLOAT, KIND_NOT_FINITE } scalar_kind;

static const struct {
	const char *text;
	scalar_kind kind;
} words[] = {
	{ "", KIND_NULL }, { "~", KIND_NULL }, { "null", KIND_NULL }, { "Null", KIND_NULL }, { "NULL", KIND_NULL },
	{ "true", KIND_BOOL }, { "True", KIND_BOOL }, { "TRUE", KIND_BOOL },
	{ "false", KIND_BOOL }, { "False", KIND_BOOL }, { "FALSE", KIND_BOOL },
	{ ".inf", KIND_NOT_FINITE }, { ".Inf", KIND_NOT_FINITE }, { ".INF", KIND_NOT_FINITE },
	{ "+.inf", KIND_NOT_FINITE }, { "+.Inf", KIND_NOT_FINITE }, { "+.INF", KIND_NOT_FINITE },
	{ "-.inf", KIND_NOT_FINITE }, { "-.Inf", KIND_NOT_FINITE }, { "-.INF", KIND_NOT_FINITE },
	{ ".nan", KIND_NOT_FINITE }, { ".NaN", KIND_NOT_FINITE }, { ".NAN", KIND_NOT_FINITE },
};

static const char *digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?  */
static scalar_kind number_kind(const char *p)
{
	if (*p == '-' || *p == '+')
		p++;
	const char *q = digits(p);
	scalar_kind kind = KIND_INT;
	int any = q > p;
	if (*q == '.') {
		const char *frac = q + 1;
		q = digits(frac);
		any |= q > frac;
		kind = KIND_FLOAT;
	}
	if (!any)
		return KIND_TEXT;
	if (*q == 'e' || *q == 'E') {
		q++;
		if (*q == '-' || *q == '+')
			q++;
		const char *end = digits(q);
		if (end == q)
			return KIND_TEXT;
		q = end;
		kind = KIND_FLOAT;
	}
	return *q ? KIND_TEXT : kind;
}

static scalar_kind plain_kind(const char *s)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
		if (strcmp(s, words[i].text) == 0)
			return words[i].kind;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'o') && s[2]) {
		const char *allowed = s[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
		return s[2 + strspn(s + 2, allowed)] ? KIND_TEXT : KIND_INT;
	}
	return strchr("+-.0123456789", s[0]) ? number_kind(s) : KIND_TEXT;
}

static json_t *make_int(const char *s, const char **ret_why)
{
	int base = 10;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'o')) {
		base = s[1] == 'x' ? 16 : 8;
		s += 2;
	}
	errno = 0;
	long long v = strtoll(s, NULL, base);
	if (errno == ERANGE) {
		*ret_why = "this number does not fit in 64 bits; put it in quotes if it is a text";
		return NULL;
	}
	return json_integer(v);
}

static locale_t c_locale;
static once_flag c_locale_once = ONCE_FLAG_INIT;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* The program's own locale may write a comma where YAML writes a point. */
static json_t *make_float(const char *s, const char **ret_why)
{
	call_once(&c_locale_once, make_c_locale);
	double v = c_locale ? strtod_l(s, NULL, c_locale) : strtod(s, NULL);
	if (!isfinite(v)) {
		*ret_why = "this number is too large; put it in quotes if it is a text";
		return NULL;
	}
	return json_real(v);
}

static json_t *make(scalar_kind kind, const char *s, size_t len, const char **ret_why)
{
	json_t *v = NULL;
	switch (kind) {
	case KIND_NULL:
		return json_null();
	case KIND_BOOL:
		return json_boolean(s[0] == 't' || s[0] == 'T');
	case KIND_INT:
		return make_int(s, ret_why);
	case KIND_FLOAT:
		return make_float(s, ret_why);
	case KIND_NOT_FINITE:
		*ret_why = "infinity and not-a-number have no place in JSON; put it in quotes if it is a text";
		return NULL;
	case KIND_TEXT:
		v = json_stringn(s, len);
		if (!v)
			*ret_why = "this text is not valid UTF-8";
		return v;
	}
	return NULL;
}

static const struct {
	const char *tag;
	scalar_kind kind;
} tags[] = {
	{ "tag:yaml.org,2002:str", KIND_TEXT }, { "!", KIND_TEXT },
	{ "tag:yaml.org,2002:null", KIND_NULL }, { "tag:yaml.org,2002:bool", KIND_BOOL },
	{ "tag:yaml.org,2002:int", KIND_INT }, { "tag:yaml.org,2002:float", KIND_FLOAT },
};

static json_t *make_tagged(const char *s, size_t len, const char *tag, const char **ret_why)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(tags); i++) {
		if (strcmp(tag, tags[i].tag) != 0)
			continue;
		scalar_kind want = tags[i].kind;
		scalar_kind is = plain_kind(s);
		if (want == KIND_TEXT || is == want || (want == KIND_FLOAT && is == KIND_INT))
			return make(want, s, len, ret_why);
		if (is == KIND_NOT_FINITE)
			return make(is, s, len, ret_why);
		*ret_why = "this value does not have the form its tag says";
		return NULL;
	}
	*ret_why = "tags beyond YAML's core schema (str, int, float, bool, null, map, seq) are not read; remove the tag";
	return NULL;
}

json_t *cs_yaml_scalar(const char *text, size_t len, const char *tag, bool plain, const char **ret_why)
{
	if (memchr(text, '\0', len)) {
		*ret_why = "a text cannot hold the character NUL";
		return NULL;
	}
	if (tag)
		return make_tagged(text, len, tag, ret_why);
	return make(plain ? plain_kind(text) : KIND_TEXT, text, len, ret_why);
}
