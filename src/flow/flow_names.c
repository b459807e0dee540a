/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/flow_priv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

enum { NESTING_MAX = 32 };

/* Where the scanner of jq's text is: inside strings, `\( … )` opens code again. */
typedef struct scanner {
	const char *p;
	unsigned parens[NESTING_MAX];      /* open parentheses at each level of interpolation */
	unsigned level;
	bool in_string;
} scanner;

/* One character C inside a string has been stepped over; false when the nesting is too deep. */
static bool step_in_string(scanner *s, char c)
{
	if (c == '"')
		s->in_string = false;
	if (c != '\\' || !*s->p)
		return true;
	if (*s->p++ != '(')
		return true;
	if (++s->level == NESTING_MAX)
		return false;
	s->parens[s->level] = 0;
	s->in_string = false;
	return true;
}

/* Steps over one character outside of what we look for; false at the end or when it is lost. */
static bool step(scanner *s)
{
	char c = *s->p;
	if (c == '\0')
		return false;
	s->p++;
	if (s->in_string)
		return step_in_string(s, c);
	if (c == '"')
		s->in_string = true;
	else if (c == '(')
		s->parens[s->level]++;
	else if (c == ')' && s->parens[s->level] > 0)
		s->parens[s->level]--;
	else if (c == ')' && s->level > 0) {
		s->level--;
		s->in_string = true;
	} else if (c == '#') {
		s->p += strcspn(s->p, "\n");
	}
	return true;
}

static bool name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* After `$tasks`: .NAME, ."NAME" or ["NAME"]; NULL for anything that is not plain. */
static char *plain_member(const char *p)
{
	if (p[0] == '.' && (isalpha((unsigned char)p[1]) || p[1] == '_')) {
		size_t n = 1;
		while (name_char(p[1 + n]))
			n++;
		return cs_xstrndup(p + 1, n);
	}
	if (*p == '.')
		p++;
	bool bracket = *p == '[';
	p += bracket;
	if (*p != '"')
		return NULL;
	size_t n = strcspn(p + 1, "\"\\");
	if (p[1 + n] != '"' || (bracket && p[2 + n] != ']'))
		return NULL;
	return cs_xstrndup(p + 1, n);
}

static void add_mention(cs_build *b, char *name, const char *pointer)
{
	unsigned line, col;
	cs_check_place(&b->c, pointer, &line, &col);
	if (b->n_mentions == b->cap_mentions) {
		b->cap_mentions = b->cap_mentions ? b->cap_mentions * 2 : 16;
		b->mentions = cs_xrealloc(b->mentions, b->cap_mentions * sizeof *b->mentions);
	}
	b->mentions[b->n_mentions++] = (cs_mention){ .name = name, .line = line, .col = col };
}

void cs_build_mentions(cs_build *b, const char *source, const char *pointer)
{
	static const char word[] = "$tasks";
	scanner s = { .p = source };
	if (b->again)
		return;
	do {
		if (s.in_string || strncmp(s.p, word, sizeof word - 1) != 0 || name_char(s.p[sizeof word - 1]))
			continue;
		char *name = plain_member(s.p + sizeof word - 1);
		if (name)
			add_mention(b, name, pointer);
	} while (step(&s));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void cs_build_check_mentions(cs_build *b)
{
	enum { REPORTED_MAX = 200 };       /* a hostile file may have thousands */
	size_t n = (size_t)b->f->n_tasks, reported = 0;
	const char **names CS_AUTOFREE = cs_xcalloc(n + 1, sizeof *names);
	for (size_t i = 0; i < n; i++)
		names[i] = b->f->tasks[i].name;
	qsort(names, n, sizeof *names, by_text);
	for (size_t i = 0; i < b->n_mentions && reported < REPORTED_MAX; i++) {
		const cs_mention *m = &b->mentions[i];
		const char *wanted = m->name;
		if (bsearch(&wanted, names, n, sizeof *names, by_text))
			continue;
		reported++;
		const char *near = cs_suggest(m->name, names);
		cs_diags_add(b->c.d, false, b->c.file, m->line, m->col, "$tasks.%.80s names no task of this flow%s%s%s",
			     m->name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		cs_diags_suggest(b->c.d, near);
	}
}

void cs_build_fini(cs_build *b)
{
	for (size_t i = 0; i < b->n_mentions; i++)
		free(b->mentions[i].name);
	free(b->mentions);
	free(b->extensions_seen);
}
