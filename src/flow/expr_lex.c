/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/expr_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"

/* A value must follow from what is recorded: no clock, no place, no environment, no stream. */
#define WHY_CLOCK "the clock must come in with what is recorded: use $task.startedAt or $workflow.startedAt"
#define WHY_ZONE "it depends on this machine's time zone: use gmtime, mktime and strftime"
#define WHY_STREAM "an expression has one input, the value at `.`"
#define WHY_HOST "an expression may not look outside of its input"
#define WHY_HALT "an expression gives a value; to fail, use error(\"…\")"
#define WHY_MODULE "modules cannot be loaded: write the function with def"

const cs_refused_name cs_refused_names[] = {
	{ "now", 0, WHY_CLOCK },
	{ "localtime", 0, WHY_ZONE },
	{ "strflocaltime", 1, WHY_ZONE },
	{ "input", 0, WHY_STREAM },
	{ "inputs", 0, WHY_STREAM },
	{ "input_filename", 0, WHY_STREAM },
	{ "input_line_number", 0, WHY_STREAM },
	{ "debug", 0, WHY_STREAM },
	{ "stderr", 0, WHY_STREAM },
	{ "env", 0, WHY_HOST },
	{ "builtins", 0, WHY_HOST },
	{ "get_search_list", 0, WHY_HOST },
	{ "get_prog_origin", 0, WHY_HOST },
	{ "get_jq_origin", 0, WHY_HOST },
	{ "modulemeta", 0, WHY_MODULE },
	{ "halt", 0, WHY_HALT },
	{ "halt_error", 0, WHY_HALT },
	{ "halt_error", 1, WHY_HALT },
	{ "import", 0, WHY_MODULE },
	{ "include", 0, WHY_MODULE },
	{ "module", 0, WHY_MODULE },
	{ NULL, 0, NULL },
};

static const char *const keywords[] = {
	"as", "import", "include", "module", "def", "if", "then", "else", "elif", "and", "or", "end",
	"reduce", "foreach", "try", "catch", "label", "break", "__loc__", NULL,
};

/* Names a scope knows in its own right: asked for even where the expression also binds them. */
static const char *const runtime_names[] = {
	"context", "input", "output", "secrets", "authorization", "task", "workflow", "runtime",
	"tasks", "start", "error", NULL,
};

typedef struct lexer {
	const char *src, *p, *end;
	cs_err *err;
	cs_names *vars, bound;
	char open[CS_EXPR_NESTING_MAX];       /* ( [ {, and s for \( in a string */
	unsigned depth;
	int pattern;                          /* depth at which `as` began a pattern; -1: none */
	int params;                           /* depth at which `def` was read; -1: none */
	bool label;                           /* the next $name is label's or break's */
	bool dollar;                          /* the token before was $ */
	bool key;                             /* here the innermost { expects a key */
	bool any;                             /* a token was seen */
} lexer;

bool cs_expr_is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(s, word, n) == 0;
}

static bool in_list(const char *s, size_t n, const char *const *list)
{
	for (; *list; list++)
		if (cs_expr_is_word(s, n, *list))
			return true;
	return false;
}

bool cs_expr_is_keyword(const char *s, size_t n)
{
	return in_list(s, n, keywords);
}

void cs_names_fini(cs_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
	*names = (cs_names){ 0 };
}

static int fail(lexer *x, const char *at, const char *fmt, ...) CS_PRINTF(3, 4);
static int fail(lexer *x, const char *at, const char *fmt, ...)
{
	unsigned col = 1;
	for (const char *p = x->src; p < at; p++)
		col += ((unsigned char)*p & 0xC0) != 0x80;
	va_list ap;
	va_start(ap, fmt);
	cs_err_setv(x->err, CS_ESYNTAX, fmt, ap);
	va_end(ap);
	if (x->err) {
		x->err->line = 0;
		x->err->col = col;
	}
	return CS_ESYNTAX;
}

/* What an expression may not name: no error of writing, but of evaluating. */
static int refuse(lexer *x, const char *at, const char *name, const char *why)
{
	(void)fail(x, at, "`%s` is not allowed in an expression: %s", name, why);
	if (x->err)
		x->err->code = CS_EREFUSED;
	return CS_EREFUSED;
}

static int names_add(lexer *x, cs_names *names, const char *s, size_t n)
{
	for (size_t i = 0; i < names->n; i++)
		if (cs_expr_is_word(s, n, names->v[i]))
			return 0;
	if (names->n >= CS_EXPR_NAMES_MAX)
		return fail(x, s, "more than %d $names in one expression: divide it", CS_EXPR_NAMES_MAX);
	names->v = cs_xrealloc(names->v, (names->n + 2) * sizeof(*names->v));
	names->v[names->n++] = cs_xstrndup(s, n);
	names->v[names->n] = NULL;
	return 0;
}

static bool names_has(const cs_names *names, const char *s, size_t n)
{
	return names->n && in_list(s, n, (const char *const *)names->v);
}

static bool word_start(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static size_t word_length(const char *p, const char *end)
{
	size_t n = 0;
	while (p + n < end && (isalnum((unsigned char)p[n]) || p[n] == '_'))
		n++;
	return n;
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n'))
		p++;
	return p;
}

static int open_bracket(lexer *x, char c, const char *at)
{
	if (x->depth >= CS_EXPR_NESTING_MAX)
		return fail(x, at, "brackets are nested more than %d deep", CS_EXPR_NESTING_MAX);
	x->open[x->depth++] = c;
	x->key = c == '{';
	return 0;
}

/* Within a string, from after its quote or after the ) of an interpolation: to the closing quote,
 * or to behind the next \( . */
static int lex_string(lexer *x)
{
	while (x->p < x->end) {
		const char *at = x->p++;
		if (*at == '"') {
			x->key = false;
			return 0;
		}
		if (*at != '\\')
			continue;
		char c = x->p < x->end ? *x->p++ : '\0';
		if (c == '(')
			return open_bracket(x, 's', at);
		if (c == 'u') {
			for (int i = 0; i < 4; i++, x->p++)
				if (x->p >= x->end || !isxdigit((unsigned char)*x->p))
					return fail(x, at, "\\u in a string needs four hexadecimal digits");
		} else if (c == '\0' || !strchr("\"\\/bfnrt", c)) {
			return fail(x, at, "unknown escape in a string: write \\\\ for a backslash");
		}
	}
	return fail(x, x->end, "a string is not closed: a \" is missing");
}

static int close_bracket(lexer *x, char c, const char *at)
{
	static const char *const pairs[] = { "()", "s)", "[]", "{}" };
	if (x->depth == 0)
		return fail(x, at, "`%c` closes nothing", c);
	char open = x->open[x->depth - 1];
	for (size_t i = 0; i < CS_ARRAY_LEN(pairs); i++) {
		if (pairs[i][0] != open)
			continue;
		if (pairs[i][1] != c)
			return fail(x, at, "`%c` where `%c` is still to be closed", c, open == 's' ? '(' : open);
		x->depth--;
		x->key = false;
		if ((int)x->depth < x->pattern)
			x->pattern = -1;
		if ((int)x->depth < x->params)
			x->params = -1;
		return open == 's' ? lex_string(x) : 0;
	}
	return fail(x, at, "`%c` closes nothing", c);
}

/* Does a $name here get its value, in a pattern or among parameters? A key in brackets within a pattern
 * is an expression. */
static bool binds(const lexer *x)
{
	if (x->params >= 0 || x->pattern < 0)
		return x->params >= 0;
	char open = x->depth ? x->open[x->depth - 1] : '\0';
	return (int)x->depth == x->pattern || (open != '(' && open != 's');
}

static int lex_var(lexer *x, const char *s, size_t n)
{
	if (cs_expr_is_word(s, n, "ENV"))
		return refuse(x, s, "$ENV", WHY_HOST);
	if (n >= 2 && s[0] == '_' && s[1] == '_')
		return fail(x, s, "names that begin with __ are reserved");
	bool label = x->label;
	x->label = false;
	if (label)
		return 0;
	if (binds(x)) {
		if (!names_has(x->vars, s, n))
			return names_add(x, &x->bound, s, n);
		return 0;
	}
	if (names_has(&x->bound, s, n) && !in_list(s, n, runtime_names))
		return 0;
	return names_add(x, x->vars, s, n);
}

/* `{name}` and `{name: …}`: a key, not a function. */
static bool is_key(const lexer *x, const char *after)
{
	if (!x->depth || x->open[x->depth - 1] != '{' || !x->key)
		return false;
	after = skip_space(after, x->end);
	return after < x->end && (*after == ':' || *after == ',' || *after == '}');
}

static int lex_word(lexer *x)
{
	const char *s = x->p;
	size_t n = word_length(s, x->end);
	x->p += n;
	bool dollar = x->dollar, key = is_key(x, x->p);
	x->dollar = false;
	x->key = false;
	if (dollar)
		return lex_var(x, s, n);
	if (key)
		return 0;
	if (n >= 2 && s[0] == '_' && s[1] == '_')
		return fail(x, s, "names that begin with __ are reserved");
	for (const cs_refused_name *r = cs_refused_names; r->name; r++)
		if (cs_expr_is_word(s, n, r->name))
			return refuse(x, s, r->name, r->why);
	if (cs_expr_is_word(s, n, "as"))
		x->pattern = (int)x->depth;
	else if (cs_expr_is_word(s, n, "def"))
		x->params = (int)x->depth;
	x->label = cs_expr_is_word(s, n, "label") || cs_expr_is_word(s, n, "break");
	return 0;
}

static size_t digits_at(const char *p, const char *end, bool dots)
{
	size_t n = 0;
	while (p + n < end && (isdigit((unsigned char)p[n]) || (dots && p[n] == '.')))
		n++;
	return n;
}

/* jq takes digits and dots together, then an exponent. */
static int lex_number(lexer *x)
{
	const char *s = x->p;
	size_t n = digits_at(s, x->end, true);
	bool whole = !memchr(s, '.', n);
	x->p += n;
	x->dollar = false;
	if (x->p < x->end && (*x->p == 'e' || *x->p == 'E')) {
		const char *q = x->p + 1;
		q += q < x->end && (*q == '+' || *q == '-');
		size_t exponent = digits_at(q, x->end, false);
		whole = whole && !exponent;
		x->p = exponent ? q + exponent : x->p;
	}
	errno = 0;
	if (whole && (strtoull(s, NULL, 10) > CS_JQ_INT_MAX || errno))
		return fail(x, s, "an integer beyond 2^53 would lose digits in jq: write it as a string");
	return 0;
}

/* What ends a pattern or the parameters of a def, and where keys begin. */
static void punctuation(lexer *x, char c)
{
	if (x->pattern == (int)x->depth && (c == '|' || c == '('))
		x->pattern = -1;
	if (x->params == (int)x->depth && c == ':')
		x->params = -1;
	x->dollar = c == '$';
	x->key = (c == ',' && x->depth && x->open[x->depth - 1] == '{') || (x->key && c == '$');
}

static int lex_one(lexer *x)
{
	char c = *x->p;
	x->any = true;
	if (word_start(c))
		return lex_word(x);
	if (isdigit((unsigned char)c))
		return lex_number(x);
	if (c == '.' && x->p + 1 < x->end && word_start(x->p[1])) {
		x->p += 1 + word_length(x->p + 1, x->end);
		x->dollar = x->key = false;
		return 0;
	}
	if (c == '@' && x->p + 1 < x->end) {
		x->p += 1 + word_length(x->p + 1, x->end);
		return 0;
	}
	const char *at = x->p++;
	punctuation(x, c);
	if (c == '"')
		return lex_string(x);
	if (strchr("([{", c))
		return open_bracket(x, c, at);
	if (strchr(")]}", c))
		return close_bracket(x, c, at);
	if (strchr(".?=;,:|+-*/%$<>!", c))
		return 0;
	if ((unsigned char)c <= ' ' || c == 0x7F)
		return fail(x, at, "a control character (U+%04X) has no meaning in jq", (unsigned)c);
	cs_utf8_next(&at, x->end);
	return fail(x, x->p - 1, "`%.*s` has no meaning in jq; text goes between double quotes",
		    (int)(at - x->p + 1), x->p - 1);
}

static int lex_all(lexer *x)
{
	while ((x->p = skip_space(x->p, x->end)) < x->end) {
		if (*x->p == '#') {
			x->p += strcspn(x->p, "\r\n");
			continue;
		}
		int rc = lex_one(x);
		if (rc < 0)
			return rc;
	}
	if (x->depth)
		return fail(x, x->end, "`%c` is not closed", x->open[x->depth - 1] == 's' ? '(' : x->open[x->depth - 1]);
	if (!x->any)
		return fail(x, x->src, "an empty expression: write `.` for the input as it is");
	return 0;
}

int cs_expr_lex(const char *source, cs_names *vars, cs_err *err)
{
	size_t n = strlen(source);
	lexer x = { .src = source, .p = source, .end = source + n, .err = err, .vars = vars,
		    .pattern = -1, .params = -1 };
	if (n > CS_EXPR_SOURCE_MAX)
		return cs_err_set(err, CS_ETOOBIG, "an expression of more than %d bytes: divide it",
				  CS_EXPR_SOURCE_MAX);
	if (!cs_utf8_valid(source, n))
		return fail(&x, source, "the expression is not UTF-8");
	int rc = lex_all(&x);
	cs_names_fini(&x.bound);
	return rc;
}
