/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/filter.h"

#define CHIPS_MAX 16

typedef struct chip {
	char op;        /* ':' '>' '<', or 0 for plain text */
	char *key, *value;
	double number;
} chip;

struct cs_filter {
	char *text;
	chip chips[CHIPS_MAX];
	size_t n;
};

/* What people call a member, and its name in the row. */
static const char *const also[][2] = { { "status", "state" }, { "id", "run" } };

void cs_filter_free(cs_filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free(f->chips[i].key);
		free(f->chips[i].value);
	}
	free(f->text);
	free(f);
}

static int parse_chip(chip *c, const char *word, size_t len, cs_err *err)
{
	size_t k = 0;
	char *end;

	while (k < len && !strchr(":<>", word[k]))
		k++;
	if (k == 0 || k == len) {
		c->value = cs_xstrndup(word, len);
		return CS_OK;
	}
	c->op = word[k];
	c->key = cs_xstrndup(word, k);
	c->value = cs_xstrndup(word + k + 1, len - k - 1);
	if (c->op == ':')
		return CS_OK;
	errno = 0;
	c->number = strtod(c->value, &end);
	if (*end || end == c->value || errno)
		return cs_err_set(err, CS_EINVAL, _("filter: “%s%c” wants a number after it, as in cost>0.10"), c->key, c->op);
	return CS_OK;
}

static void cs_filter_freep(cs_filter **f)
{
	cs_filter_free(*f);
}

int cs_filter_new(const char *text, cs_filter **ret, cs_err *err)
{
	CS_CLEANUP(cs_filter_freep) cs_filter *f = cs_xcalloc(1, sizeof(*f));
	const char *p = text;

	f->text = cs_xstrdup(text);
	while (*(p += strspn(p, " "))) {
		size_t len = strcspn(p, " ");
		int r;

		if (f->n == CHIPS_MAX)
			return cs_err_set(err, CS_ETOOBIG, _("filter: more than %d chips: leave some out"), CHIPS_MAX);
		r = parse_chip(&f->chips[f->n++], p, len, err);
		if (r < 0)
			return r;
		p += len;
	}
	*ret = f->n ? CS_STEAL(f) : NULL;
	return CS_OK;
}

static const json_t *member(const json_t *row, const char *key)
{
	const json_t *v = json_object_get(row, key);

	for (size_t i = 0; !v && i < CS_ARRAY_LEN(also); i++)
		if (strcmp(also[i][0], key) == 0)
			v = json_object_get(row, also[i][1]);
	return v;
}

static bool glob_holds(const chip *c, const json_t *v)
{
	CS_AUTOFREE char *text = NULL;
	const char *slash;

	if (!v)
		return false;
	text = json_is_string(v) ? cs_xstrdup(json_string_value(v)) : cs_json_text(v);
	if (fnmatch(c->value, text, FNM_CASEFOLD) == 0)
		return true;
	/* a flow is also known by its name without the namespace */
	slash = strcmp(c->key, "flow") == 0 ? strchr(text, '/') : NULL;
	return slash && fnmatch(c->value, slash + 1, FNM_CASEFOLD) == 0;
}

static bool chip_holds(const chip *c, const json_t *row, const char *row_text)
{
	const json_t *v;
	double n;

	if (!c->op)
		return strcasestr(row_text, c->value) != NULL;
	v = member(row, c->key);
	if (c->op == ':')
		return glob_holds(c, v);
	if (!json_is_number(v))
		return false;
	n = json_number_value(v);
	if (strcmp(c->key, "cost") == 0)
		n /= 1e6;   /* rows count micro-dollars */
	return c->op == '>' ? n > c->number : n < c->number;
}

bool cs_filter_match(const cs_filter *f, const json_t *row, const char *row_text)
{
	for (size_t i = 0; i < f->n; i++)
		if (!chip_holds(&f->chips[i], row, row_text))
			return false;
	return true;
}

const char *cs_filter_text(const cs_filter *f)
{
	return f->text;
}
