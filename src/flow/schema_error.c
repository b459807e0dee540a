/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said about a value that does not fit: where it is, which keyword said no, and a
 * sentence that names what was expected and what is there, cut to a readable length. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "flow/schema_in.h"

enum { SHOWN_TEXT = 48, SHOWN_KEYS = 4 };

/* Bytes of S up to MAX, not cutting a code point. */
static size_t cut(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void show_text(cs_buf *b, const char *s, size_t len)
{
	size_t n = cut(s, len, SHOWN_TEXT);

	cs_buf_addc(b, '"');
	cs_utf8_show(s, n, false, b);
	cs_buf_adds(b, n < len ? "…\"" : "\"");
}

char *cs_schema_cut(const char *s)
{
	size_t len = strlen(s), n = cut(s, len, SHOWN_TEXT);
	CS_AUTOBUF cs_buf b;

	cs_buf_init(&b, CS_SCHEMA_TEXT);
	cs_utf8_show(s, n, false, &b);
	cs_buf_adds(&b, n < len ? "…" : "");
	return cs_buf_steal(&b);
}

static void show_object(cs_buf *b, const json_t *v)
{
	const char *key;
	json_t *member;
	size_t i = 0;

	if (json_object_size(v) == 0) {
		cs_buf_adds(b, "an empty object");
		return;
	}
	cs_buf_adds(b, "an object with ");
	json_object_foreach((json_t *)v, key, member) {
		cs_buf_adds(b, i > 0 ? ", " : "");
		if (i++ == SHOWN_KEYS) {
			cs_buf_adds(b, "…");
			break;
		}
		cs_utf8_show(key, cut(key, strlen(key), SHOWN_TEXT), false, b);
	}
}

char *cs_schema_shown(const json_t *v)
{
	size_t n = json_array_size(v);
	CS_AUTOBUF cs_buf b;

	cs_buf_init(&b, CS_SCHEMA_TEXT);
	if (json_is_string(v))
		show_text(&b, json_string_value(v), json_string_length(v));
	else if (json_is_object(v))
		show_object(&b, v);
	else if (json_is_array(v) && n > 0)
		cs_buf_addf(&b, "a list of %zu item%s", n, n == 1 ? "" : "s");
	else if (json_is_array(v))
		cs_buf_adds(&b, "an empty list");
	else
		cs_json_write(v, &b);
	return cs_buf_steal(&b);
}

/* -- where -------------------------------------------------------------------------------- */

static void add_token(cs_buf *b, const char *token)
{
	cs_buf_addc(b, '/');
	for (; *token != '\0'; token++) {
		size_t n = strcspn(token, "~/");

		cs_buf_add(b, token, n);
		token += n;
		if (*token == '\0')
			return;
		cs_buf_adds(b, *token == '~' ? "~0" : "~1");
	}
}

/* The JSON pointer of F's value, and how deep that is. From the inside out the frames are a
 * list that begins at the wrong end, so the steps are collected first. */
static char *pointer_of(const cs_frame *f, const char *member, size_t *ret_depth)
{
	CS_AUTOFREE const cs_frame **steps = cs_xcalloc(f->depth + 1, sizeof *steps);
	size_t n = 0;
	CS_AUTOBUF cs_buf b;

	cs_buf_init(&b, CS_SCHEMA_TEXT);
	for (; f != NULL; f = f->up)
		if (f->moved)
			steps[n++] = f;
	*ret_depth = n + (member != NULL);
	while (n > 0) {
		const cs_frame *step = steps[--n];

		if (step->key != NULL)
			add_token(&b, step->key);
		else
			cs_buf_addf(&b, "/%zu", step->index);
	}
	if (member != NULL)
		add_token(&b, member);
	return cs_buf_steal(&b);
}

static char *rule_of(const cs_node *node, const char *keyword)
{
	const char *uri = node->home->doc->uri;

	return cs_xasprintf("%s%s%s%s%s", uri, uri[0] != '\0' ? "#" : "", node->at, keyword != NULL ? "/" : "",
			    keyword != NULL ? keyword : "");
}

/* -- what --------------------------------------------------------------------------------- */

static int add(cs_run *r, const cs_frame *f, const char *keyword, const char *member, cs_fault fault)
{
	if (r->n_faults == r->cap_faults) {
		r->cap_faults = r->cap_faults == 0 ? 16 : r->cap_faults * 2;
		r->faults = cs_xrealloc(r->faults, r->cap_faults * sizeof *r->faults);
	}
	fault.e.instance = pointer_of(f, member, &fault.depth);
	fault.e.rule = rule_of(f->node, keyword);
	r->faults[r->n_faults++] = fault;
	return 0;
}

static int say(cs_run *r, const cs_frame *f, const char *keyword, const char *member, char *message)
{
	return add(r, f, keyword, member, (cs_fault) { .e.message = message });
}

static char *vsay(const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);

	va_end(again);
	size_t size = n < 0 ? 1 : n < CS_SCHEMA_TEXT ? (size_t)n + 1 : CS_SCHEMA_TEXT;
	char *text = cs_xcalloc(size, 1);

	vsnprintf(text, size, fmt, ap);
	return text;
}

int cs_fail(cs_run *r, const cs_frame *f, const cs_check *k, const char *fmt, ...)
{
	va_list ap;

	if (cs_run_enough(r))
		return 0;
	va_start(ap, fmt);
	char *message = vsay(fmt, ap);
	va_end(ap);
	return say(r, f, k->rule->name, NULL, message);
}

int cs_fail_must(cs_run *r, const cs_frame *f, const cs_check *k, cs_sort sort, const char *must)
{
	if (cs_run_enough(r))
		return 0;
	CS_AUTOFREE char *is = cs_schema_shown(f->value);

	return add(r, f, k->rule->name, NULL,
		   (cs_fault) { .sort = sort, .must = cs_xstrdup(must), .e.message = cs_xasprintf("must %s; is %s", must, is) });
}

int cs_fail_never(cs_run *r, const cs_frame *f)
{
	if (cs_run_enough(r))
		return 0;
	if (!f->moved || f->key == NULL)
		return say(r, f, NULL, NULL, cs_xstrdup(f->moved ? "no item is allowed here" : "no value is allowed here"));
	CS_AUTOBUF cs_buf b;

	cs_buf_init(&b, 512);
	show_text(&b, f->key, strlen(f->key));
	return say(r, f, NULL, NULL, cs_xasprintf("%s is not allowed here", cs_buf_str(&b)));
}

int cs_fail_unknown(cs_run *r, const cs_frame *f, const cs_check *k, const char *key)
{
	if (cs_run_enough(r))
		return 0;
	const char *near = cs_schema_suggest(f->node, key);
	CS_AUTOBUF cs_buf b;

	cs_buf_init(&b, 1024);
	cs_buf_adds(&b, "unknown key ");
	show_text(&b, key, strlen(key));
	if (near != NULL)
		cs_buf_addf(&b, "; did you mean \"%s\"?", near);
	return say(r, f, k->rule->name, key, cs_buf_steal(&b));
}

/* Takes out faults FROM up to TO; those after TO move down. */
void cs_faults_drop(cs_run *r, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		free(r->faults[i].e.instance);
		free(r->faults[i].e.rule);
		free(r->faults[i].e.message);
		free(r->faults[i].must);
	}
	if (from < to) {
		memmove(r->faults + from, r->faults + to, (r->n_faults - to) * sizeof *r->faults);
		r->n_faults -= to - from;
	}
}
