/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/hearers.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "core/life.h"
#include "engine/starters.h"

struct cs_hearers {
	char **types; size_t n_types;   /* the topics: types named as they are; "" where another event may be meant */
	unsigned life;               /* lifecycle events that are named */
	cs_live *first;
};

/* What may be listened to under one name. */
typedef struct topic {
	char *type;
	cs_hearers **list; size_t n, cap;   /* those with a run in memory */
} topic;

/* ---- what a definition listens for --------------------------------------------------------------------- */

static void add_type(cs_hearers *h, const char *type)
{
	for (size_t i = 0; i < h->n_types; i++)
		if (strcmp(h->types[i], type) == 0)
			return;
	h->types = cs_xrealloc(h->types, (h->n_types + 1) * sizeof *h->types);
	h->types[h->n_types++] = cs_xstrdup(type);
}

/* A text that is compared as it is; "" for a pattern, an expression or no type at all. */
static const char *type_of(const cs_event_filter *f)
{
	for (int i = 0; i < f->n_wants; i++)
		if (strcmp(f->wants[i].name, "type") == 0)
			return f->wants[i].pattern == NULL && json_is_string(f->wants[i].literal) ? json_string_value(f->wants[i].literal) : "";
	return "";
}

static void add_strategy(cs_hearers *h, const cs_strategy *s)
{
	for (int i = 0; i < s->n_filters; i++)
		add_type(h, type_of(&s->filters[i]));
	if (s->n_filters == 0)
		add_type(h, "");
}

static cs_hearers *hearers_of(cs_bundle *b)
{
	const cs_flow *f = b->flow;
	if (b->hearers != NULL || f->n_listens == 0)
		return b->hearers;
	cs_hearers *h = cs_xcalloc(1, sizeof *h);
	for (int i = 0; i < f->n_tasks; i++) {
		const cs_listen *l = f->tasks[i].listen;
		if (l == NULL)
			continue;
		add_strategy(h, &l->to);
		if (l->until_events != NULL)
			add_strategy(h, l->until_events);
		h->life |= cs_life_of(l);
	}
	return b->hearers = h;
}

void cs_hearers_free(cs_hearers *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->n_types; i++)
		free(h->types[i]);
	free(h->types);
	free(h);
}

/* ---- topics ---------------------------------------------------------------------------------------------- */

static int by_type(const void *a, const void *b)
{
	return strcmp(((const topic *)a)->type, ((const topic *)b)->type);
}

static topic *find(const cs_engine *e, char *type)
{
	const topic key = { .type = type };
	topic **found = tfind(&key, &e->topics, by_type);
	return found != NULL ? *found : NULL;
}

static void topic_free(void *p)
{
	topic *t = p;
	free(t->type);
	free(t->list);
	free(t);
}

static void enter(cs_engine *e, cs_hearers *h)
{
	for (size_t i = 0; i < h->n_types; i++) {
		topic *t = find(e, h->types[i]);
		if (t == NULL) {
			t = cs_xcalloc(1, sizeof *t);
			t->type = cs_xstrdup(h->types[i]);
			if (tsearch(t, &e->topics, by_type) == NULL)
				abort();
		}
		if (t->n == t->cap) {
			t->cap = t->cap > 0 ? t->cap * 2 : 4;
			t->list = cs_xrealloc(t->list, t->cap * sizeof *t->list);
		}
		t->list[t->n++] = h;
	}
}

static void leave(cs_engine *e, const cs_hearers *h)
{
	for (size_t i = 0; i < h->n_types; i++) {
		topic *t = find(e, h->types[i]);
		for (size_t k = 0; k < t->n; k++)
			if (t->list[k] == h) {
				t->list[k] = t->list[--t->n];
				break;
			}
		if (t->n > 0)
			continue;
		tdelete(t, &e->topics, by_type);
		topic_free(t);
	}
}

struct life {
	unsigned named;
};

static void add_life(const void *node, VISIT visit, void *ctx)
{
	struct life *l = ctx;
	const topic *t = *(topic *const *)node;
	for (size_t i = 0; (visit == postorder || visit == leaf) && i < t->n; i++)
		l->named |= t->list[i]->life;
}

void cs_hearers_note_life(cs_engine *e)
{
	e->step.life = e->life_of_runs | cs_starters_life(e);
}

static void count_life(cs_engine *e)
{
	struct life l = { 0 };
	twalk_r(e->topics, add_life, &l);
	e->life_of_runs = l.named;
	cs_hearers_note_life(e);
}

/* ---- runs ------------------------------------------------------------------------------------------------ */

void cs_hearers_join(cs_engine *e, cs_live *l)
{
	cs_hearers *h = hearers_of(l->bundle);
	if (h == NULL || l->run->shadow)
		return;
	bool first = h->first == NULL;
	l->heard_by = h;
	l->hears_after = h->first;
	if (!first)
		h->first->hears_before = l;
	h->first = l;
	if (!first)
		return;
	enter(e, h);
	e->life_of_runs |= h->life;
	cs_hearers_note_life(e);
}

void cs_hearers_leave(cs_engine *e, cs_live *l)
{
	cs_hearers *h = l->heard_by;
	if (h == NULL)
		return;
	if (l->hears_before != NULL)
		l->hears_before->hears_after = l->hears_after;
	else
		h->first = l->hears_after;
	if (l->hears_after != NULL)
		l->hears_after->hears_before = l->hears_before;
	l->heard_by = NULL;
	l->hears_before = l->hears_after = NULL;
	if (h->first != NULL)
		return;
	leave(e, h);
	if (h->life != 0)
		count_life(e);
}

void cs_topics_free(cs_engine *e)
{
	tdestroy(e->topics, topic_free);
	e->topics = NULL;
}

/* ---- who is offered an event ------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	return strcmp((*(cs_live *const *)a)->run->id, (*(cs_live *const *)b)->run->id);
}

static void gather(const topic *t, cs_live ***list, size_t *n, size_t *cap)
{
	for (size_t i = 0; t != NULL && i < t->n; i++)
		for (cs_live *l = t->list[i]->first; l != NULL; l = l->hears_after) {
			if (*n == *cap) {
				*cap = *cap > 0 ? *cap * 2 : 16;
				*list = cs_xrealloc(*list, *cap * sizeof **list);
			}
			(*list)[(*n)++] = l;
		}
}

size_t cs_hearers_of(const cs_engine *e, const char *type, cs_live ***ret)
{
	cs_live **list = NULL;
	size_t n = 0, cap = 0, distinct = 0;
	CS_AUTOFREE char *name = cs_xstrdup(type);
	char all[] = "";
	gather(find(e, name), &list, &n, &cap);
	if (type[0] != '\0')
		gather(find(e, all), &list, &n, &cap);
	if (n > 1)
		qsort(list, n, sizeof *list, by_id);
	for (size_t i = 0; i < n; i++)       /* one may be in both */
		if (distinct == 0 || list[distinct - 1] != list[i])
			list[distinct++] = list[i];
	*ret = list;
	return distinct;
}
