/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/source_priv.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

typedef struct node {
	uint32_t line, col, key_line, key_col;
	uint32_t parent;                  /* CS_SOURCE_NONE: the root */
	uint32_t first, count;            /* its stretch of `children` */
	uint32_t key;                     /* offset into keys; CS_SOURCE_NONE in a sequence */
} node;

struct cs_source {
	char *file;
	node *nodes;
	uint32_t *children;               /* NULL until sealed */
	uint32_t n, cap;
	char *keys;
	uint32_t keys_len, keys_cap;
};

cs_source *cs_source_new(const char *file)
{
	cs_source *s = cs_xcalloc(1, sizeof *s);
	s->file = cs_xstrdup(file);
	return s;
}

/* The composer's limits (1 MiB of text, 100,000 nodes) bound both arrays. */
static uint32_t add_key(cs_source *s, const char *key)
{
	uint32_t need = (uint32_t)strlen(key) + 1;
	if (s->keys_cap - s->keys_len < need) {
		s->keys_cap = (s->keys_cap + need) * 2;
		s->keys = cs_xrealloc(s->keys, s->keys_cap);
	}
	uint32_t at = s->keys_len;
	memcpy(s->keys + at, key, need);
	s->keys_len += need;
	return at;
}

uint32_t cs_source_add(cs_source *s, uint32_t parent, const char *key, unsigned line, unsigned col,
		       unsigned key_line, unsigned key_col)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 256;
		s->nodes = cs_xrealloc(s->nodes, s->cap * sizeof *s->nodes);
	}
	uint32_t id = s->n++;
	s->nodes[id] = (node){
		.line = line, .col = col, .key_line = key_line, .key_col = key_col,
		.parent = parent, .key = key ? add_key(s, key) : CS_SOURCE_NONE,
	};
	if (parent != CS_SOURCE_NONE)
		s->nodes[parent].count++;
	return id;
}

static int by_key(const void *a, const void *b, void *source)
{
	const cs_source *s = source;
	return strcmp(s->keys + s->nodes[*(const uint32_t *)a].key, s->keys + s->nodes[*(const uint32_t *)b].key);
}

void cs_source_seal(cs_source *s)
{
	uint32_t at = 0;
	s->children = cs_xcalloc((size_t)s->n + 1, sizeof *s->children);
	for (uint32_t i = 0; i < s->n; i++) {
		s->nodes[i].first = at;
		at += s->nodes[i].count;
		s->nodes[i].count = 0;
	}
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->nodes[i].parent == CS_SOURCE_NONE)
			continue;
		node *p = &s->nodes[s->nodes[i].parent];
		s->children[p->first + p->count++] = i;
	}
	for (uint32_t i = 0; i < s->n; i++) {
		const node *p = &s->nodes[i];
		if (p->count > 1 && s->nodes[s->children[p->first]].key != CS_SOURCE_NONE)
			qsort_r(s->children + p->first, p->count, sizeof *s->children, by_key, s);
	}
}

const char *cs_source_file(const cs_source *s)
{
	return s->file;
}

/* Compares the pointer token T..END, with ~0 and ~1 undone, with KEY, as strcmp does. */
static int compare_token(const char *t, const char *end, const char *key)
{
	for (; t < end; t++, key++) {
		unsigned char c = (unsigned char)*t, k = (unsigned char)*key;
		if (c == '~' && t + 1 < end) {
			t++;
			c = *t == '1' ? '/' : '~';
		}
		if (c != k)
			return c < k ? -1 : 1;
	}
	return *key ? -1 : 0;
}

static uint32_t find_key(const cs_source *s, const node *p, const char *t, const char *end)
{
	uint32_t low = 0, high = p->count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2, id = s->children[p->first + mid];
		int r = compare_token(t, end, s->keys + s->nodes[id].key);
		if (r == 0)
			return id;
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return CS_SOURCE_NONE;
}

static uint32_t find_child(const cs_source *s, uint32_t parent, const char *t, const char *end)
{
	const node *p = &s->nodes[parent];
	if (p->count == 0)
		return CS_SOURCE_NONE;
	if (s->nodes[s->children[p->first]].key != CS_SOURCE_NONE)
		return find_key(s, p, t, end);
	unsigned long index = 0;
	for (; t < end; t++) {
		if (*t < '0' || *t > '9' || index >= p->count)
			return CS_SOURCE_NONE;
		index = index * 10 + (unsigned long)(*t - '0');
	}
	return index < p->count ? s->children[p->first + index] : CS_SOURCE_NONE;
}

void cs_source_at(const cs_source *s, const char *pointer, int key, unsigned *line, unsigned *col)
{
	*line = *col = 0;
	if (!s || !s->children || s->n == 0)
		return;
	uint32_t at = 0;
	int whole = 1;
	for (const char *p = pointer; *p == '/';) {
		const char *end = strchr(p + 1, '/');
		if (!end)
			end = p + strlen(p);
		uint32_t child = find_child(s, at, p + 1, end);
		if (child == CS_SOURCE_NONE) {
			whole = 0;
			break;
		}
		at = child;
		p = end;
	}
	const node *n = &s->nodes[at];
	int use_key = key && whole && n->key != CS_SOURCE_NONE;
	*line = use_key ? n->key_line : n->line;
	*col = use_key ? n->key_col : n->col;
}

void cs_source_free(cs_source *s)
{
	if (!s)
		return;
	free(s->file);
	free(s->nodes);
	free(s->children);
	free(s->keys);
	free(s);
}

void cs_source_freep(cs_source **s)
{
	cs_source_free(*s);
	*s = NULL;
}
