/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ctk/gherkin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"

static const char fence[] = "\"\"\"";

/* A file on its way through. */
struct reading {
	const char *file;
	const char *p;               /* the next line */
	unsigned line;
	feature *f;
	char *feature;               /* its title */
};

/* The next line without its end; NULL at the end of the text. */
static char *next_line(struct reading *r)
{
	if (*r->p == '\0')
		return NULL;
	size_t n = strcspn(r->p, "\n");
	char *line = cs_xstrndup(r->p, n > 0 && r->p[n - 1] == '\r' ? n - 1 : n);
	r->p += n + (r->p[n] == '\n');
	r->line++;
	return line;
}

static const char *after(const char *line, const char *keyword)
{
	size_t n = strlen(keyword);
	if (strncmp(line, keyword, n) != 0)
		return NULL;
	return line + n + strspn(line + n, " \t");
}

/* The lines up to the closing fence, each less as much blank as the opening one has. */
static int read_doc(struct reading *r, size_t indent, char **ret, cs_err *err)
{
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, (size_t)1 << 20);
	unsigned from = r->line;
	for (;;) {
		CS_AUTOFREE char *line = next_line(r);
		if (line == NULL)
			return cs_err_set(err, CS_ESYNTAX, "%s:%u: the doc string has no end", r->file, from);
		size_t blank = strspn(line, " \t");
		if (strncmp(line + blank, fence, sizeof fence - 1) == 0)
			break;
		(void)cs_buf_addf(&out, "%s\n", line + (blank < indent ? blank : indent));
	}
	*ret = cs_buf_steal(&out);
	return CS_OK;
}

static void add_scenario(struct reading *r, const char *name)
{
	feature *f = r->f;
	f->scenarios = cs_xrealloc(f->scenarios, (f->n + 1) * sizeof *f->scenarios);
	f->scenarios[f->n++] = (scenario){ .name = cs_xstrdup(name), .feature = cs_xstrdup(r->feature) };
}

static bool add_step(struct reading *r, const char *line)
{
	static const char *const keywords[] = { "Given ", "When ", "Then ", "And ", "But " };
	const char *text = NULL;
	for (size_t i = 0; text == NULL && i < CS_ARRAY_LEN(keywords); i++)
		text = after(line, keywords[i]);
	if (text == NULL || r->f->n == 0)
		return false;
	scenario *s = &r->f->scenarios[r->f->n - 1];
	s->steps = cs_xrealloc(s->steps, (s->n_steps + 1) * sizeof *s->steps);
	s->steps[s->n_steps++] = (step){ .text = cs_xstrdup(text), .line = r->line };
	return true;
}

static void trim_end(char *line)
{
	size_t n = strlen(line);
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		line[--n] = '\0';
}

/* A title of a feature or a scenario. */
static bool add_title(struct reading *r, const char *line)
{
	const char *title = after(line, "Scenario:");
	if (title != NULL) {
		add_scenario(r, title);
		return true;
	}
	if ((title = after(line, "Feature:")) == NULL)
		return false;
	free(r->feature);
	r->feature = cs_xstrdup(title);
	return true;
}

static int take_line(struct reading *r, char *line, cs_err *err)
{
	trim_end(line);
	size_t indent = strspn(line, " \t");
	const char *rest = line + indent;
	if (*rest == '\0' || *rest == '#' || add_title(r, rest))
		return CS_OK;
	scenario *s = r->f->n > 0 ? &r->f->scenarios[r->f->n - 1] : NULL;
	step *last = s != NULL && s->n_steps > 0 ? &s->steps[s->n_steps - 1] : NULL;
	if (strncmp(rest, fence, sizeof fence - 1) == 0 && last != NULL && last->doc == NULL)
		return read_doc(r, indent, &last->doc, err);
	if (add_step(r, rest) || (s == NULL && r->feature != NULL))
		return CS_OK;            /* a step, or the feature's own words */
	return cs_err_set(err, CS_ESYNTAX, "%s:%u: neither a step nor a doc string: %s", r->file, r->line, rest);
}

int feature_parse(const char *file, const char *text, feature *ret, cs_err *err)
{
	feature f = { 0 };
	struct reading r = { .file = file, .p = text, .f = &f };
	int rc = CS_OK;
	while (rc == CS_OK) {
		CS_AUTOFREE char *line = next_line(&r);
		if (line == NULL)
			break;
		rc = take_line(&r, line, err);
	}
	free(r.feature);
	if (rc != CS_OK)
		feature_free(&f);
	else
		*ret = f;
	return rc;
}

void feature_free(feature *f)
{
	for (size_t i = 0; i < f->n; i++) {
		scenario *s = &f->scenarios[i];
		for (size_t k = 0; k < s->n_steps; k++) {
			free(s->steps[k].text);
			free(s->steps[k].doc);
		}
		free(s->steps);
		free(s->name);
		free(s->feature);
	}
	free(f->scenarios);
	*f = (feature){ 0 };
}
