/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ways out: text from outside is made safe before it reaches a terminal, or a file that will
 * be shown on one. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/cli_priv.h"

#define SHORT_ID 8
#define SHOWN_MAX ((size_t)16 << 20)

static const char *keep(cs_cli *c, char *s)
{
	if (c->n_shown == c->cap_shown) {
		c->cap_shown = c->cap_shown ? 2 * c->cap_shown : 64;
		c->shown = cs_xrealloc(c->shown, c->cap_shown * sizeof *c->shown);
	}
	c->shown[c->n_shown++] = s;
	return s;
}

const char *cs_cli_show(cs_cli *c, const char *s)
{
	return s ? keep(c, cs_utf8_shown(s)) : "";
}

const char *cs_cli_show_json(cs_cli *c, const json_t *v, int cols)
{
	CS_AUTOBUF cs_buf raw;
	CS_AUTOBUF cs_buf safe;
	cs_buf_init(&raw, SHOWN_MAX);
	cs_buf_init(&safe, SHOWN_MAX);
	int r = json_is_string(v) ? cs_buf_add(&raw, json_string_value(v), json_string_length(v)) : cs_json_write(v, &raw);
	if (r == CS_OK)
		r = cs_utf8_show(cs_buf_str(&raw), raw.len, false, &safe);
	if (r < 0)
		return _("(too long to be shown here; see --json)");
	int used = 0;
	size_t fit = cols > 0 ? cs_utf8_fit(cs_buf_str(&safe), safe.len, cols, &used) : safe.len;
	if (fit == safe.len)
		return keep(c, cs_xstrdup(cs_buf_str(&safe)));
	fit = cs_utf8_fit(cs_buf_str(&safe), safe.len, cols - 1, &used);
	return keep(c, cs_xasprintf("%.*s\xe2\x80\xa6", (int)fit, cs_buf_str(&safe)));
}

void cs_cli_print_block(FILE *f, const char *text, const char *indent)
{
	CS_AUTOBUF cs_buf safe;
	cs_buf_init(&safe, SHOWN_MAX);
	if (cs_utf8_show(text, strlen(text), true, &safe) < 0) {
		fprintf(f, "%s%s\n", indent, _("(too long to be shown here; see --json)"));
		return;
	}
	for (const char *line = cs_buf_str(&safe); *line; ) {
		size_t len = strcspn(line, "\n");
		fprintf(f, "%s%.*s\n", indent, (int)len, line);
		line += len + (line[len] == '\n');
	}
}

void cs_cli_print_cell(FILE *f, const char *s, int cols)
{
	int used = 0;
	size_t len = strlen(s), fit = cs_utf8_fit(s, len, cols - 1, &used);
	fwrite(s, 1, fit, f);
	/* The space that parts two cells is where the ellipsis of a cut one stands. */
	if (fit < len)
		fprintf(f, "\xe2\x80\xa6");
	fprintf(f, "%*s", cols - used - (fit < len ? 1 : 0), "");
}

/* CP as JSON escapes it: the value is the same, and no terminal obeys it. */
static void print_escaped(int32_t cp)
{
	if (cp < 0x10000) {
		printf("\\u%04x", (unsigned)cp);
		return;
	}
	unsigned rest = (unsigned)cp - 0x10000;
	printf("\\u%04x\\u%04x", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
}

void cs_cli_print_json(const json_t *v)
{
	CS_AUTOFREE char *text = cs_json_text(v);
	const char *end = text + strlen(text);
	const char *begin = text;
	for (const char *p = text; p < end;) {
		const char *at = p;
		int32_t cp = cs_utf8_next(&p, end);
		if (cp < 0x7f || !cs_utf8_hostile(cp))
			continue;
		fwrite(begin, 1, (size_t)(at - begin), stdout);
		print_escaped(cp);
		begin = p;
	}
	puts(begin);
}

void cs_cli_print_json_lines(const json_t *array)
{
	size_t i;
	json_t *v;
	json_array_foreach(array, i, v)
		cs_cli_print_json(v);
}

const char *cs_cli_show_age(cs_cli *c, const json_t *time)
{
	int64_t ms;
	char text[32];
	if (!json_is_string(time) || cs_time_parse(json_string_value(time), &ms, NULL) < 0)
		return "";
	int64_t age = cs_clock_wall_ms() - ms;
	cs_duration_show(age < 0 ? -age : age, text, sizeof text);
	return keep(c, cs_xstrdup(text));
}

const char *cs_cli_show_money(cs_cli *c, int64_t micro)
{
	return micro == 0 ? "" : keep(c, cs_xasprintf("%.4f USD", (double)micro / 1e6));
}

const char *cs_cli_short_id(const char *id)
{
	size_t n = strlen(id);
	return n > SHORT_ID ? id + n - SHORT_ID : id;
}

int cs_cli_fail(cs_cli *c, const char *what, const cs_err *err)
{
	fputs("capstan: ", stderr);
	if (what && what[0])
		fprintf(stderr, "%s: ", cs_cli_show(c, what));
	if (err->file[0])
		fprintf(stderr, "%s: ", cs_cli_show(c, err->file));
	if (err->line > 0)
		fprintf(stderr, "%u:%u: ", err->line, err->col);
	fprintf(stderr, "%s\n", cs_cli_show(c, err->msg));
	return cs_err_exit(err->code);
}

void cs_cli_print_diags(const cs_diags *d, FILE *f)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, SHOWN_MAX);
	if (cs_diags_write(d, &text) == CS_OK)
		cs_cli_print_block(f, cs_buf_str(&text), "");
}
