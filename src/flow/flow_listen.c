/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listen: which events a task takes, until when, how they are read, and what is done for each. */
#include "flow/flow_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"

static const char *const attributes[] = {
	"id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "specversion", "data", NULL,
};

/* ---- filters ------------------------------------------------------------------------------------ */

/* Other attributes are the event's own extensions; one that is nearly a known one is a slip. */
static void warn_attribute(cs_build *b, const char *name)
{
	for (const char *const *a = attributes; *a != NULL; a++)
		if (strcmp(*a, name) == 0)
			return;
	const char *near = cs_suggest(name, attributes);
	if (near != NULL)
		cs_check_warn(&b->c, NULL, "an event has no attribute '%.80s' of its own; did you mean '%s'?", name, near);
}

/* A text with one of these may be a pattern; the dots of a type's name alone do not make it one. */
static bool looks_like_pattern(const char *text)
{
	return strpbrk(text, "\\*+?[](){}|^$") != NULL;
}

static void build_want(cs_build *b, cs_event_want *w, const char *name, const json_t *v)
{
	w->name = cs_xstrdup(name);
	size_t mark = cs_check_push(&b->c, name);
	warn_attribute(b, name);
	if (strcmp(name, "data") != 0)
		cs_check_type(&b->c, v, CS_IS_STRING | CS_IS_INTEGER | CS_IS_BOOL, "an attribute of an event");
	cs_build_template(b, v, CS_TEMPLATE_STRICT, &w->value);
	if (w->value != NULL && cs_template_is_const(w->value))
		w->literal = v;
	const char *text = w->literal != NULL && strcmp(name, "data") != 0 ? json_string_value(v) : NULL;
	if (text != NULL && looks_like_pattern(text)) {
		CS_AUTOFREE char *whole = cs_xasprintf("\\A(?:%s)\\z", text);
		cs_err why = { 0 };
		if (cs_regex_new(whole, 0, &w->pattern, &why) != CS_OK)   /* a URL may hold a ?, and is no pattern */
			cs_check_warn(&b->c, NULL, "this is no regular expression, so it is compared as it is: %s", why.msg);
	}
	cs_check_pop(&b->c, mark);
}

void cs_build_event_with(cs_build *b, cs_event_filter *f, json_t *with)
{
	const char *name;
	json_t *v;
	if (json_object_size(with) == 0)
		cs_check_error(&b->c, "a filter needs at least one attribute, like 'type'; 'any: []' takes every event");
	f->wants = cs_xcalloc(json_object_size(with) + 1, sizeof *f->wants);
	json_object_foreach(with, name, v)
		build_want(b, &f->wants[f->n_wants++], name, v);
}

static void build_correlate(cs_build *b, cs_event_filter *f, json_t *correlate)
{
	static const cs_key keys[] = { { "from", CS_IS_STRING | CS_KEY_REQUIRED }, { "expect", CS_IS_STRING }, { NULL, 0 } };
	const char *name;
	json_t *v;
	size_t mark = cs_check_push(&b->c, "correlate");
	f->keys = cs_xcalloc(json_object_size(correlate) + 1, sizeof *f->keys);
	json_object_foreach(correlate, name, v) {
		size_t inner = cs_check_push(&b->c, name);
		cs_correlation *k = &f->keys[f->n_keys++];
		k->name = cs_xstrdup(name);
		if (cs_check_object(&b->c, v, keys, "a correlation")) {
			cs_build_template_key(b, v, "from", cs_build_mode(b, CS_TEMPLATE_BARE), &k->from);
			cs_build_template_key(b, v, "expect", CS_TEMPLATE_STRICT, &k->expect);
		}
		cs_check_pop(&b->c, inner);
	}
	cs_check_pop(&b->c, mark);
}

static void build_filter(cs_build *b, cs_event_filter *f, json_t *v)
{
	static const cs_key keys[] = { { "with", CS_IS_OBJECT | CS_KEY_REQUIRED }, { "correlate", CS_IS_OBJECT }, { NULL, 0 } };
	if (!cs_check_object(&b->c, v, keys, "a filter"))
		return;
	size_t mark = cs_check_push(&b->c, "with");
	cs_build_event_with(b, f, json_object_get(v, "with"));
	cs_check_pop(&b->c, mark);
	if (json_object_get(v, "correlate") != NULL)
		build_correlate(b, f, json_object_get(v, "correlate"));
}

/* ---- strategies --------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	cs_listen_how how;
} hows[] = { { "one", CS_LISTEN_ONE }, { "any", CS_LISTEN_ANY }, { "all", CS_LISTEN_ALL } };

static void build_filters(cs_build *b, cs_strategy *s, json_t *list)
{
	size_t i;
	json_t *v;
	if (s->how == CS_LISTEN_ALL && json_array_size(list) == 0)
		cs_check_error(&b->c, "'all' is empty, so there is nothing to wait for; 'any: []' takes every event");
	s->filters = cs_xcalloc(json_array_size(list) + 1, sizeof *s->filters);
	json_array_foreach(list, i, v) {
		size_t mark = cs_check_push_index(&b->c, i);
		build_filter(b, &s->filters[s->n_filters++], v);
		cs_check_pop(&b->c, mark);
	}
}

/* V's one, any or all; false: reported. */
static bool build_strategy(cs_build *b, cs_strategy *s, json_t *v, const cs_key *keys, const char *what)
{
	int found = -1, n = 0;
	if (!cs_check_object(&b->c, v, keys, what))
		return false;
	for (size_t i = 0; i < CS_ARRAY_LEN(hows); i++)
		if (json_object_get(v, hows[i].word) != NULL) {
			found = (int)i;
			n++;
		}
	if (n != 1) {
		cs_check_error(&b->c, "%s needs exactly one of one, any, all", what);
		return false;
	}
	json_t *inner = json_object_get(v, hows[found].word);
	size_t mark = cs_check_push(&b->c, hows[found].word);
	s->how = hows[found].how;
	if (s->how == CS_LISTEN_ONE) {
		s->filters = cs_xcalloc(1, sizeof *s->filters);
		s->n_filters = 1;
		build_filter(b, &s->filters[0], inner);
	} else {
		build_filters(b, s, inner);
	}
	cs_check_pop(&b->c, mark);
	return true;
}

static void build_until(cs_build *b, cs_listen *l, json_t *to)
{
	static const cs_key keys[] = { { "one", CS_IS_OBJECT }, { "any", CS_IS_ARRAY }, { "all", CS_IS_ARRAY }, { NULL, 0 } };
	json_t *until = json_object_get(to, "until");
	if (until == NULL)
		return;
	if (l->to.how != CS_LISTEN_ANY)
		cs_check_warn(&b->c, "until", "'until' only means something beside 'any'; here nothing looks at it");
	if (json_is_string(until)) {
		cs_build_template_key(b, to, "until", CS_TEMPLATE_BARE, &l->until);
		return;
	}
	size_t mark = cs_check_push(&b->c, "until");
	l->until_events = cs_xcalloc(1, sizeof *l->until_events);
	build_strategy(b, l->until_events, until, keys, "'until'");
	cs_check_pop(&b->c, mark);
}

void cs_build_listen_to(cs_build *b, cs_listen *l, const json_t *obj, const char *key)
{
	static const cs_key keys[] = {
		{ "one", CS_IS_OBJECT }, { "any", CS_IS_ARRAY }, { "all", CS_IS_ARRAY }, { "until", CS_IS_STRING | CS_IS_OBJECT }, { NULL, 0 },
	};
	json_t *to = json_object_get(obj, key);
	char what[32];
	snprintf(what, sizeof what, "'%s'", key);
	size_t mark = cs_check_push(&b->c, key);
	if (build_strategy(b, &l->to, to, keys, what))
		build_until(b, l, to);
	cs_check_pop(&b->c, mark);
}

/* ---- foreach ------------------------------------------------------------------------------------ */

static void build_body(cs_build *b, int id, json_t *foreach)
{
	int *ids = NULL, n = 0;
	if (json_object_get(foreach, "do") == NULL)
		return;
	size_t mark = cs_check_push(&b->c, "do");
	cs_build_list(b, json_object_get(foreach, "do"), id, false, false, "'do'", &ids, &n);
	cs_check_pop(&b->c, mark);
	b->f->tasks[id].children = ids;
	b->f->tasks[id].n_children = n;
}

static void build_foreach(cs_build *b, int id, cs_listen *l, json_t *foreach)
{
	static const cs_key keys[] = {
		{ "item", CS_IS_STRING }, { "at", CS_IS_STRING }, { "do", CS_IS_ARRAY }, { "output", CS_IS_OBJECT },
		{ "export", CS_IS_OBJECT }, { NULL, 0 },
	};
	l->each = true;
	if (!cs_check_object(&b->c, foreach, keys, "'foreach'"))
		return;
	cs_task *t = &b->f->tasks[id];
	cs_build_variable(b, foreach, "item", "item", &t->each);
	cs_build_variable(b, foreach, "at", "index", &t->at);
	if (t->each != NULL && t->at != NULL && strcmp(t->each, t->at) == 0)
		cs_check_error(&b->c, "'item' and 'at' cannot both be '%s'", t->each);
	size_t around = b->n_vars;
	cs_build_enter(b, t->each);
	cs_build_enter(b, t->at);
	cs_build_shape(b, foreach, "output", "as", &l->item_schema, &l->item_as);
	cs_build_shape(b, foreach, "export", "as", &l->context_schema, &l->context_as);
	build_body(b, id, foreach);
	cs_build_leave(b, around);
}

void cs_build_listen(cs_build *b, int id, json_t *def, const cs_siblings *sibs)
{
	static const cs_key keys[] = { { "to", CS_IS_OBJECT | CS_KEY_REQUIRED }, { "read", CS_IS_STRING }, { NULL, 0 } };
	static const char *const reads[] = { "data", "envelope", "raw", NULL };
	(void)sibs;
	cs_listen *l = b->f->tasks[id].listen = cs_xcalloc(1, sizeof *l);
	json_t *listen = json_object_get(def, "listen"), *foreach = json_object_get(def, "foreach");
	b->f->n_listens++;
	size_t mark = cs_check_push(&b->c, "listen");
	if (cs_check_object(&b->c, listen, keys, "'listen'")) {
		cs_build_listen_to(b, l, listen, "to");
		int read = cs_check_word(&b->c, listen, "read", reads);
		l->read = read > 0 ? (cs_listen_read)read : CS_READ_DATA;
	}
	cs_check_pop(&b->c, mark);
	if (foreach == NULL)
		return;
	mark = cs_check_push(&b->c, "foreach");
	build_foreach(b, id, l, foreach);
	cs_check_pop(&b->c, mark);
}

/* ---- the end ------------------------------------------------------------------------------------ */

void cs_event_filter_fini(cs_event_filter *f)
{
	for (int i = 0; i < f->n_wants; i++) {
		free(f->wants[i].name);
		cs_template_free(f->wants[i].value);
		cs_regex_free(f->wants[i].pattern);
	}
	for (int i = 0; i < f->n_keys; i++) {
		free(f->keys[i].name);
		cs_template_free(f->keys[i].from);
		cs_template_free(f->keys[i].expect);
	}
	free(f->wants);
	free(f->keys);
}

static void strategy_fini(cs_strategy *s)
{
	for (int i = 0; i < s->n_filters; i++)
		cs_event_filter_fini(&s->filters[i]);
	free(s->filters);
}

void cs_listen_free(cs_listen *l)
{
	if (l == NULL)
		return;
	strategy_fini(&l->to);
	if (l->until_events != NULL)
		strategy_fini(l->until_events);
	free(l->until_events);
	cs_template_free(l->until);
	cs_schema_free(l->item_schema);
	cs_schema_free(l->context_schema);
	cs_template_free(l->item_as);
	cs_template_free(l->context_as);
	free(l);
}
