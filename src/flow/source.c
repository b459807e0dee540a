/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/source_priv.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

typedef struct node {
	uint32_t line, col, key_line, key_col;
	uint32_t first, last, next;       /* CS_SOURCE_NONE: none */
	uint32_t key;                     /* offset into keys; CS_SOURCE_NONE in a sequence */
} node;

struct cs_source {
	char *file;
	node *nodes;
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
		.first = CS_SOURCE_NONE, .last = CS_SOURCE_NONE, .next = CS_SOURCE_NONE,
		.key = key ? add_key(s, key) : CS_SOURCE_NONE,
	};
	if (parent != CS_SOURCE_NONE) {
		node *p = &s->nodes[parent];
		if (p->last == CS_SOURCE_NONE)
			p->first = id;
		else
			s->nodes[p->last].next = id;
		p->last = id;
	}
	return id;
}

const char *cs_source_file(const cs_source *s)
{
	return s->file;
}

/* Is the pointer token T..END, with ~0 and ~1 undone, equal to KEY? */
static int token_is(const char *t, const char *end, const char *key)
{
	for (; t < end; t++, key++) {
		char c = *t;
		if (c == '~' && t + 1 < end) {
			t++;
			c = *t == '1' ? '/' : '~';
		}
		if (c != *key)
			return 0;
	}
	return *key == '\0';
}

static uint32_t find_child(const cs_source *s, uint32_t parent, const char *t, const char *end)
{
	uint32_t i = s->nodes[parent].first;
	if (i == CS_SOURCE_NONE)
		return i;
	if (s->nodes[i].key != CS_SOURCE_NONE) {
		while (i != CS_SOURCE_NONE && !token_is(t, end, s->keys + s->nodes[i].key))
			i = s->nodes[i].next;
		return i;
	}
	unsigned long index = 0;
	for (; t < end; t++) {
		if (*t < '0' || *t > '9' || index > s->n)
			return CS_SOURCE_NONE;
		index = index * 10 + (unsigned long)(*t - '0');
	}
	while (i != CS_SOURCE_NONE && index--)
		i = s->nodes[i].next;
	return i;
}

void cs_source_at(const cs_source *s, const char *pointer, int key, unsigned *line, unsigned *col)
{
	*line = *col = 0;
	if (!s || s->n == 0)
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
	free(s->keys);
	free(s);
}

void cs_source_freep(cs_source **s)
{
	cs_source_free(*s);
	*s = NULL;
}
