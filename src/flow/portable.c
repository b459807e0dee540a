/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/portable.h"

#include <ctype.h>
#include <string.h>
#include "base/json.h"
#include "flow/check.h"

/* What `call` may name everywhere; what `use.functions` defines comes with the document. */
static const char *const standard_calls[] = { "http", "openapi", "grpc", "asyncapi", "mcp", "a2a" };

static const struct {
	const char *word, *instead;
} own_variables[] = {
	{ "$tasks", "carry the value along with 'export.as' and $context" },
	{ "$start", "keep the flow's input with 'export.as' and $context" },
};

static const struct {
	const char *key, *what;
} own_metadata[] = {
	{ "ask", "says how this program asks; another runtime sends without asking" },
	{ "effect", "says what kind of effect this is; another runtime does not look at it" },
};

typedef struct walker {
	cs_check c;
	const json_t *functions;      /* use.functions */
} walker;

static bool names_variable(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = text; (p = strstr(p, word)); p += n)
		if (!isalnum((unsigned char)p[n]) && p[n] != '_')
			return true;
	return false;
}

/* Keys whose text is an expression also without ${ }. */
static bool bare_key(const char *key)
{
	static const char *const keys[] = { "if", "when", "exceptWhen", "while", "until", "in", "from", "as" };
	for (size_t i = 0; key && i < CS_ARRAY_LEN(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static void look_at_text(walker *w, const char *key, const char *text)
{
	if (!strstr(text, "${") && !bare_key(key))
		return;
	for (size_t i = 0; i < CS_ARRAY_LEN(own_variables); i++) {
		if (!names_variable(text, own_variables[i].word))
			continue;
		cs_check_warn(&w->c, NULL, "'%s' is not of the standard; elsewhere %s", own_variables[i].word, own_variables[i].instead);
		cs_diags_note(w->c.d);
	}
}

static void look_at_call(walker *w, const json_t *task)
{
	const char *name = cs_json_str(task, "call");
	bool standard = !name || json_object_get(w->functions, name);
	for (size_t i = 0; name && i < CS_ARRAY_LEN(standard_calls); i++)
		standard |= strcmp(standard_calls[i], name) == 0;
	if (standard)
		return;
	size_t mark = cs_check_push(&w->c, "call");
	cs_check_warn(&w->c, NULL, "'%.80s' is a function of this workspace or this program; elsewhere it must be defined in 'use.functions' or a catalog", name);
	cs_diags_note(w->c.d);
	cs_check_pop(&w->c, mark);
}

static void look_at_metadata(walker *w, const json_t *metadata)
{
	size_t mark = cs_check_push(&w->c, "metadata");
	for (size_t i = 0; i < CS_ARRAY_LEN(own_metadata); i++) {
		if (!json_object_get(metadata, own_metadata[i].key))
			continue;
		cs_check_warn(&w->c, own_metadata[i].key, "'metadata.%s' %s", own_metadata[i].key, own_metadata[i].what);
		cs_diags_note(w->c.d);
	}
	cs_check_pop(&w->c, mark);
}

/* DATA: below `with`, `set`, `metadata`, where a key `call` is only a word. The reader of YAML
 * bounds the depth. */
static void walk(walker *w, const char *key, const json_t *v, bool data)
{
	size_t i;
	const char *name;
	json_t *inner;
	if (json_is_string(v))
		look_at_text(w, key, json_string_value(v));
	if (json_is_object(v) && !data) {
		look_at_call(w, v);
		look_at_metadata(w, json_object_get(v, "metadata"));
	}
	json_array_foreach(v, i, inner) {
		size_t mark = cs_check_push_index(&w->c, i);
		walk(w, key, inner, data);
		cs_check_pop(&w->c, mark);
	}
	json_object_foreach((json_t *)(uintptr_t)v, name, inner) {
		bool below = data || strcmp(name, "with") == 0 || strcmp(name, "set") == 0 || strcmp(name, "metadata") == 0;
		size_t mark = cs_check_push(&w->c, name);
		walk(w, name, inner, below);
		cs_check_pop(&w->c, mark);
	}
}

void cs_portable_check(const json_t *doc, const cs_source *src, cs_diags *d)
{
	walker w = { .functions = json_object_get(json_object_get(doc, "use"), "functions") };
	cs_check_init(&w.c, NULL, src, d);
	walk(&w, NULL, doc, false);
}
