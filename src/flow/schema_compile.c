/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a document to checks: the work list, and the tables' memory. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

/* Everything a compiled schema consists of lives in a few big pieces and goes with them. */
struct cs_arena {
	struct cs_arena *next;
	size_t used, size, total;   /* total: of this piece and those before it */
	max_align_t data[];
};

enum { ARENA_PIECE = 16 << 10 };

void *cs_schema_alloc(cs_compiler *c, size_t n, size_t size)
{
	cs_arena *a = c->s->arena;
	size_t want = n * size;

	if (size > 0 && n > CS_SCHEMA_ARENA / size)
		want = (size_t)CS_SCHEMA_ARENA + 1;
	else
		want = (want + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (a == NULL || a->size - a->used < want) {
		size_t piece = want > ARENA_PIECE ? want : ARENA_PIECE;
		size_t total = (a != NULL ? a->total : 0) + piece;

		a = total <= CS_SCHEMA_ARENA ? calloc(1, sizeof *a + piece) : NULL;
		if (a == NULL) {
			cs_err_set(c->err, CS_ETOOBIG, "the schema is too big: over %d MiB once compiled; split it, "
				   "or use shorter names and less nesting", CS_SCHEMA_ARENA >> 20);
			return NULL;
		}
		a->next = c->s->arena;
		a->size = piece;
		a->total = total;
		c->s->arena = a;
	}
	void *p = (char *)a->data + a->used;

	a->used += want;
	return p;
}

void cs_schema_arena_free(cs_arena *a)
{
	while (a != NULL) {
		cs_arena *next = a->next;

		free(a);
		a = next;
	}
}

char *cs_schema_dup(cs_compiler *c, const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = cs_schema_alloc(c, n, 1);

	if (p != NULL)
		memcpy(p, s, n);
	return p;
}

char *cs_schema_join(cs_compiler *c, const char *pointer, const char *token)
{
	size_t at = strlen(pointer), n = at + 2;

	for (const char *t = token; *t != '\0'; t++)
		n += *t == '~' || *t == '/' ? 2 : 1;
	char *p = cs_schema_alloc(c, n, 1);

	if (p == NULL)
		return NULL;
	memcpy(p, pointer, at);
	p[at++] = '/';
	for (const char *t = token; *t != '\0'; t++) {
		if (*t == '~' || *t == '/') {
			p[at++] = '~';
			p[at++] = *t == '~' ? '0' : '1';
		} else {
			p[at++] = *t;
		}
	}
	return p;
}

int cs_schema_bad(cs_compiler *c, const cs_node *node, const char *keyword, const char *fmt, ...)
{
	char what[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return cs_err_set(c->err, CS_EINVAL, "schema %s%s%.200s/%s: %s", node->home->doc->uri,
			  node->home->doc->uri[0] != '\0' ? "#" : "", node->at, keyword, what);
}

int cs_schema_regex(cs_compiler *c, const cs_node *node, const char *keyword, const char *pattern, cs_regex **ret)
{
	cs_schema *s = c->s;
	cs_err why = { 0 };

	if (s->n_regexes == s->cap_regexes) {
		s->cap_regexes = s->cap_regexes == 0 ? 16 : s->cap_regexes * 2;
		s->regexes = cs_xrealloc(s->regexes, s->cap_regexes * sizeof(cs_regex *));
	}
	if (cs_regex_new_ecma(pattern, ret, &why) < 0)
		return cs_schema_bad(c, node, keyword, "\"%.100s\" is not a regular expression: %.200s", pattern, why.msg);
	s->regexes[s->n_regexes++] = *ret;
	return 0;
}

int cs_schema_child(cs_compiler *c, const cs_node *node, const char *keyword, const char *token, const cs_node **ret)
{
	char *at = cs_schema_join(c, node->at, keyword);

	if (at != NULL && token != NULL)
		at = cs_schema_join(c, at, token);
	return at == NULL ? CS_ETOOBIG : cs_schema_node_at(c, node->home->doc, at, ret);
}

const cs_check *cs_schema_beside(const cs_node *node, const char *keyword)
{
	for (size_t i = 0; i < node->n; i++)
		if (strcmp(node->checks[i].rule->name, keyword) == 0)
			return &node->checks[i];
	return NULL;
}

static bool applies(const cs_rule *rule, const cs_node *node)
{
	const cs_dialect *d = &node->home->dialect;

	return rule->compile != NULL && (rule->drafts & (1u << d->draft)) != 0 && (rule->vocab & d->vocab) != 0;
}

/* In draft 7 nothing beside a $ref counts. */
static bool hidden_by_ref(const cs_rule *rule, const cs_node *node)
{
	return node->home->dialect.draft == CS_SCHEMA_DRAFT_7 && strcmp(rule->name, "$ref") != 0 &&
		json_object_get(node->json, "$ref") != NULL;
}

static int compile_node(cs_compiler *c, cs_node *node)
{
	size_t n_rules, n = 0;
	const cs_rule *rules = cs_schema_rules(&n_rules);

	node->never = json_is_false(node->json);
	if (!json_is_object(node->json))
		return 0;
	for (size_t i = 0; i < n_rules; i++)
		n += applies(&rules[i], node) && json_object_get(node->json, rules[i].name) != NULL;
	node->checks = cs_schema_alloc(c, n, sizeof *node->checks);
	if (node->checks == NULL)
		return CS_ETOOBIG;
	for (size_t i = 0; i < n_rules; i++) {
		const json_t *value = json_object_get(node->json, rules[i].name);

		if (value == NULL || !applies(&rules[i], node) || hidden_by_ref(&rules[i], node))
			continue;
		cs_check *k = &node->checks[node->n];

		*k = (cs_check) { .rule = &rules[i], .eval = rules[i].eval, .value = value };
		int rc = rules[i].compile(c, node, value, k);

		if (rc < 0)
			return rc;
		node->n += rc > 0;
		node->unevaluated |= rules[i].vocab == CS_VOCAB_UNEVALUATED;
	}
	return 0;
}

static int compile_all(cs_compiler *c, const json_t *schema)
{
	cs_doc *doc;
	int rc = cs_schema_add_doc(c, json_incref((json_t *)schema), "", &doc);

	if (rc < 0)
		return rc;
	/* References found on the way put more nodes at the end of the list. */
	for (size_t i = 0; i < c->n_nodes; i++)
		if ((rc = compile_node(c, c->nodes[i])) < 0)
			return rc;
	return cs_schema_loops(c);
}

int cs_schema_new(const json_t *schema, cs_schema_draft default_draft, const cs_schema_loader *loader,
		  cs_schema **ret, cs_err *err)
{
	CS_CLEANUP(cs_schema_freep) cs_schema *s = cs_xcalloc(1, sizeof *s);
	CS_AUTOJSON json_t *by_place = json_object();
	CS_AUTOJSON json_t *by_uri = json_object();
	CS_AUTOJSON json_t *by_anchor = json_object();
	cs_compiler c = {
		.s = s, .loader = loader, .draft = default_draft, .err = err,
		.by_place = by_place, .by_uri = by_uri, .by_anchor = by_anchor,
	};

	if (schema == NULL)
		return cs_err_set(err, CS_EINVAL, "there is no schema: an object, true or false is needed");
	int rc = compile_all(&c, schema);

	if (rc >= 0)
		s->root = c.nodes[0];
	free(c.nodes);
	free(c.resources);
	if (rc < 0)
		return rc;
	*ret = CS_STEAL(s);
	return 0;
}

void cs_schema_free(cs_schema *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_regexes; i++)
		cs_regex_free(s->regexes[i]);
	for (size_t i = 0; i < s->n_docs; i++)
		json_decref(s->docs[i]->json);
	free(s->regexes);
	free(s->docs);
	cs_schema_arena_free(s->arena);
	free(s);
}

void cs_schema_freep(cs_schema **s)
{
	cs_schema_free(*s);
	*s = NULL;
}
