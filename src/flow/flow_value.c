/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/flow_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

/* Known to every expression (dsl.md, "Runtime expression arguments", and two of ours). */
static const char *const runtime_names[] = {
	"context", "input", "output", "task", "workflow", "runtime", "tasks", "start", "secrets", NULL,
};

/* Of the standard, but this version gives them nothing. */
static const char *const later_names[] = { "authorization", NULL };

static bool is_one_of(const char *name, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, name) == 0)
			return true;
	return false;
}

static void check_variable(cs_build *b, const char *name, const char *pointer)
{
	if (b->event_only) {
		cs_check_error_below(&b->c, pointer, "'$%s' is not known here; what is seen is the event, as '.'", name);
		return;
	}
	if (is_one_of(name, runtime_names))
		return;
	for (size_t i = b->first_var; i < b->n_vars; i++)
		if (strcmp(b->vars[i], name) == 0)
			return;
	if (is_one_of(name, later_names)) {
		cs_check_error_below(&b->c, pointer, "'$%s' is part of the language, but this version does not have it yet", name);
		return;
	}
	const char *names[CS_BUILD_VARS + CS_ARRAY_LEN(runtime_names)];
	size_t n = 0;
	for (const char *const *w = runtime_names; *w; w++)
		names[n++] = *w;
	for (size_t i = b->first_var; i < b->n_vars; i++)
		names[n++] = b->vars[i];
	names[n] = NULL;
	const char *near = cs_suggest(name, names);
	if (b->loose)              /* evaluating it fails, and so it is a text */
		cs_check_warn_below(&b->c, pointer, "'$%s' is not known here, so in 'mode: loose' this stays the text that it is%s%s%s", name,
				    near ? "; did you mean '$" : "", near ? near : "", near ? "'?" : "");
	else
		cs_check_error_below(&b->c, pointer, "'$%s' is not known here%s%s%s", name,
				     near ? "; did you mean '$" : "", near ? near : "", near ? "'?" : "");
	cs_diags_suggest(b->c.d, near);
}

int cs_build_mode(const cs_build *b, int mode)
{
	return b->loose ? mode | CS_TEMPLATE_LOOSE : mode;
}

static int check_expression(void *ctx, const cs_expr *e, const char *pointer)
{
	cs_build *b = ctx;
	if (b->c.src == b->src)
		cs_places_note(&b->f->places, &b->c, e, pointer);
	for (const char *const *v = cs_expr_vars(e); *v; v++) {
		check_variable(b, *v, pointer);
		if (strcmp(*v, "secrets") == 0)
			cs_build_secrets(b, e, pointer);
	}
	if (cs_expr_refused(e))
		cs_check_warn_below(&b->c, pointer, "this will fault its task with an expression error: %s", cs_expr_refused(e));
	cs_build_mentions(b, cs_expr_source(e), pointer);
	return 0;
}

/* A text with an expression in its middle is text: that is the language, and rarely what was meant. */
static void warn_embedded(cs_build *b, const json_t *v)
{
	const char *text = json_string_value(v), *key;
	json_t *member;
	size_t i;
	if (text) {
		size_t begin = strspn(text, " \t\r\n"), end = strlen(text);
		while (end > 0 && strchr(" \t\r\n", text[end - 1]))
			end--;
		bool whole = strncmp(text + begin, "${", 2) == 0 && text[end - 1] == '}';
		if (!whole && strstr(text, "${"))
			cs_check_warn(&b->c, NULL, "this text holds '${' but is not one expression as a whole, so it stays as it is; write '${ \"… \\(…) …\" }'");
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)v, key, member) {
		if (b->verbatim && strcmp(key, "code") == 0)
			continue;
		size_t mark = cs_check_push(&b->c, key);
		warn_embedded(b, member);
		cs_check_pop(&b->c, mark);
	}
	json_array_foreach(v, i, member) {
		size_t mark = cs_check_push_index(&b->c, i);
		warn_embedded(b, member);
		cs_check_pop(&b->c, mark);
	}
}

/* A template ends at its first error. Each part by itself has the others told as well, and the
 * places of those that are well written noted. */
static void build_parts(cs_build *b, const json_t *value, int mode)
{
	const char *key;
	json_t *part;
	size_t i;
	json_object_foreach((json_t *)(uintptr_t)value, key, part) {
		cs_template *t CS_CLEANUP(cs_template_freep) = NULL;
		size_t mark = cs_check_push(&b->c, key);
		cs_build_template(b, part, mode & ~CS_TEMPLATE_BARE, &t);
		cs_check_pop(&b->c, mark);
	}
	json_array_foreach(value, i, part) {
		cs_template *t CS_CLEANUP(cs_template_freep) = NULL;
		size_t mark = cs_check_push_index(&b->c, i);
		cs_build_template(b, part, mode & ~CS_TEMPLATE_BARE, &t);
		cs_check_pop(&b->c, mark);
	}
}

void cs_build_template(cs_build *b, const json_t *value, int mode, cs_template **ret)
{
	char pointer[CS_TEMPLATE_POINTER] = "";
	cs_err err = { 0 };
	cs_template *t = NULL;
	if (cs_template_new(b->f->exprs, value, mode, &t, &err, pointer) < 0) {
		if (json_is_string(value) || err.code == CS_ETOOBIG)
			cs_check_error_below(&b->c, pointer, "%s", err.msg);
		else
			build_parts(b, value, mode);
		return;
	}
	cs_template_each(t, check_expression, b);
	if (!(mode & CS_TEMPLATE_BARE) || !json_is_string(value))
		warn_embedded(b, value);
	*ret = t;
}

void cs_build_template_key(cs_build *b, const json_t *obj, const char *key, int mode, cs_template **ret)
{
	const json_t *v = json_object_get(obj, key);
	if (!v)
		return;
	size_t mark = cs_check_push(&b->c, key);
	if (json_is_string(v) && json_string_length(v) == 0)
		cs_check_error(&b->c, "'%s' is empty; write an expression, or remove it", key);
	else
		cs_build_template(b, v, mode, ret);
	cs_check_pop(&b->c, mark);
}

static void build_schema(cs_build *b, const json_t *v, cs_schema **ret)
{
	static const cs_key keys[] = {
		{ "format", CS_IS_STRING }, { "document", CS_IS_OBJECT | CS_IS_BOOL | CS_KEY_REQUIRED },
		{ "resource", CS_IS_ANY | CS_KEY_LATER }, { NULL, 0 },
	};
	if (!cs_check_object(&b->c, v, keys, "a schema"))
		return;
	const json_t *format = json_object_get(v, "format");
	if (format && strcmp(json_string_value(format), "json") != 0) {
		size_t mark = cs_check_push(&b->c, "format");
		cs_check_error(&b->c, "this version reads schemas of the format 'json' only");
		cs_check_pop(&b->c, mark);
		return;
	}
	size_t mark = cs_check_push(&b->c, "document");
	cs_err err = { 0 };
	if (cs_schema_new(json_object_get(v, "document"), CS_SCHEMA_2020_12, NULL, ret, &err) < 0)
		cs_check_error(&b->c, "%s", err.msg);
	cs_check_pop(&b->c, mark);
}

void cs_build_schema_key(cs_build *b, const json_t *obj, cs_schema **ret)
{
	const json_t *v = json_object_get(obj, "schema");
	if (!v)
		return;
	size_t mark = cs_check_push(&b->c, "schema");
	build_schema(b, v, ret);
	cs_check_pop(&b->c, mark);
}

void cs_build_shape(cs_build *b, const json_t *obj, const char *key, const char *expression,
		    cs_schema **ret_schema, cs_template **ret_template)
{
	const json_t *v = json_object_get(obj, key);
	if (!v)
		return;
	const cs_key keys[] = {
		{ "schema", CS_IS_OBJECT }, { expression, CS_IS_STRING | CS_IS_OBJECT }, { NULL, 0 },
	};
	char what[32];
	snprintf(what, sizeof what, "'%s'", key);
	size_t mark = cs_check_push(&b->c, key);
	if (cs_check_object(&b->c, v, keys, what)) {
		cs_build_schema_key(b, v, ret_schema);
		cs_build_template_key(b, v, expression, cs_build_mode(b, CS_TEMPLATE_BARE), ret_template);
	}
	cs_check_pop(&b->c, mark);
}

bool cs_is_variable_name(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	for (s++; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

bool cs_build_variable(cs_build *b, const json_t *obj, const char *key, const char *otherwise, char **ret)
{
	const json_t *v = json_object_get(obj, key);
	const char *name = v ? json_string_value(v) : otherwise;
	if (!name)
		return false;
	bool ok = cs_is_variable_name(name) && !is_one_of(name, runtime_names) && !is_one_of(name, later_names);
	if (!ok) {
		size_t mark = cs_check_push(&b->c, key);
		cs_check_error(&b->c, "'%s' must be a name of letters, digits and _ that the language does not use itself; '%.80s' is not",
			       key, name);
		cs_check_pop(&b->c, mark);
		return false;
	}
	*ret = cs_xstrdup(name);
	return true;
}

bool cs_build_enter(cs_build *b, const char *var)
{
	if (!var || b->n_vars == CS_BUILD_VARS)
		return false;
	b->vars[b->n_vars++] = var;
	return true;
}

void cs_build_leave(cs_build *b, size_t n)
{
	b->n_vars = n;
}
