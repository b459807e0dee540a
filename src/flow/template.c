/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/expr_internal.h"

/* A node is a constant (value), an expression (expr), or an object or array with something to evaluate
 * below (value: the pattern it was made from; kids in its order). */
typedef struct node {
	json_t *value;             /* with EXPR: the text that stands where it fails; NULL: failing is an error */
	const cs_expr *expr;
	struct node *kids;
	size_t n_kids;
} node;

struct cs_template {
	cs_exprset *set;
	node root;
};

/* A JSON pointer that grows and shrinks with the walk; what does not fit is cut. */
typedef struct place {
	char text[CS_TEMPLATE_POINTER];
	size_t len;
} place;

static void place_add(place *p, const char *part)
{
	if (p->len + 1 < sizeof(p->text))
		p->text[p->len++] = '/';
	for (; *part; part++) {
		const char *escaped = *part == '~' ? "~0" : *part == '/' ? "~1" : NULL;
		size_t n = escaped ? 2 : 1;
		if (p->len + n >= sizeof(p->text))
			break;
		memcpy(p->text + p->len, escaped ? escaped : part, n);
		p->len += n;
	}
	p->text[p->len] = '\0';
}

static void place_add_index(place *p, size_t i)
{
	char part[24];
	(void)snprintf(part, sizeof(part), "%zu", i);
	place_add(p, part);
}

static void place_cut(place *p, size_t len)
{
	p->len = len;
	p->text[len] = '\0';
}

static void node_free(node *n)
{
	for (size_t i = 0; i < n->n_kids; i++)
		node_free(&n->kids[i]);
	free(n->kids);
	json_decref(n->value);
}

/* ---- compiling -------------------------------------------------------------------------- */

typedef struct build {
	cs_exprset *set;
	cs_err *err;
	place at;
	bool loose, words;         /* words: some members of the whole are strict */
} build;

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void trim(const char **p, const char **end)
{
	while (*p < *end && is_space(**p))
		++*p;
	while (*end > *p && is_space((*end)[-1]))
		--*end;
}

/* What stands between ${ and }, or NULL when S is not wholly one. */
static char *inside(const char *s, unsigned *ret_offset)
{
	const char *p = s, *end = s + strlen(s);
	trim(&p, &end);
	if (end - p < 3 || p[0] != '$' || p[1] != '{' || end[-1] != '}')
		return NULL;
	p += 2;
	end--;
	trim(&p, &end);
	*ret_offset = (unsigned)(p - s);
	return cs_xstrndup(p, (size_t)(end - p));
}

/* Does the walk stand in a member that says how a request is made? Its words are not for guessing. */
static bool is_word(const build *b)
{
	static const char *const members[] = { "method", "endpoint", "output", "document", "operationId" };
	for (size_t i = 0; b->words && i < CS_ARRAY_LEN(members); i++) {
		size_t n = strlen(members[i]);
		if (strncmp(b->at.text + (b->at.len > 0), members[i], n) == 0 && strchr("/", b->at.text[n + 1]))
			return true;
	}
	return false;
}

static int build_loose(build *b, json_t *value, const char *source, node *ret)
{
	const char *text = json_string_value(value);
	int rc = strlen(text) != json_string_length(value) ? 0
		: source ? cs_exprset_add(b->set, source, &ret->expr, b->err)
		: cs_exprset_add_loose(b->set, text, &ret->expr, b->err);
	if (rc == 0)
		ret->value = json_incref(value);
	return rc;
}

static int build_string(build *b, json_t *value, bool bare, node *ret)
{
	unsigned offset = 0;
	const char *text = json_string_value(value);
	CS_AUTOFREE char *source = inside(text, &offset);
	if (b->loose && !is_word(b)) {
		int loose = build_loose(b, value, source, ret);
		if (loose < 0 && b->err && b->err->col)
			b->err->col += offset;
		return loose;
	}
	if (!source && !bare) {
		ret->value = json_incref(value);
		return 0;
	}
	int rc = strlen(text) != json_string_length(value)
		? cs_err_set(b->err, CS_ESYNTAX, "an expression holds a NUL character")
		: cs_exprset_add(b->set, source ? source : text, &ret->expr, b->err);
	if (rc < 0 && b->err && b->err->col)
		b->err->col += offset;
	return rc;
}

static int build_node(build *b, json_t *value, bool bare, unsigned depth, node *ret);

static int build_kid(build *b, json_t *value, unsigned depth, node *n, bool *ret_dynamic)
{
	node *kid = &n->kids[n->n_kids++];
	int rc = build_node(b, value, false, depth, kid);
	*ret_dynamic |= kid->expr || kid->n_kids;
	return rc;
}

static int build_kids(build *b, json_t *value, unsigned depth, node *n, bool *ret_dynamic)
{
	size_t len = b->at.len, i;
	const char *key;
	json_t *item;
	int rc = 0;
	n->kids = cs_xcalloc(json_is_array(value) ? json_array_size(value) : json_object_size(value), sizeof(node));
	json_array_foreach(value, i, item) {
		place_add_index(&b->at, i);
		if ((rc = build_kid(b, item, depth, n, ret_dynamic)) < 0)
			return rc;
		place_cut(&b->at, len);
	}
	json_object_foreach(value, key, item) {
		place_add(&b->at, key);
		if ((rc = build_kid(b, item, depth, n, ret_dynamic)) < 0)
			return rc;
		place_cut(&b->at, len);
	}
	return 0;
}

static int build_node(build *b, json_t *value, bool bare, unsigned depth, node *ret)
{
	bool dynamic = false;
	if (json_is_string(value))
		return build_string(b, value, bare, ret);
	ret->value = json_incref(value);
	if (depth == 0)
		return cs_err_set(b->err, CS_ETOOBIG, "nested more than %d deep: make it flatter", CS_JSON_DEPTH);
	if (json_array_size(value) + json_object_size(value) == 0)
		return 0;
	int rc = build_kids(b, value, depth - 1, ret, &dynamic);
	if (rc < 0 || dynamic)
		return rc;
	/* Nothing to evaluate below: one constant. */
	for (size_t i = 0; i < ret->n_kids; i++)
		node_free(&ret->kids[i]);
	free(ret->kids);
	ret->kids = NULL;
	ret->n_kids = 0;
	return 0;
}

int cs_template_new(cs_exprset *set, const json_t *value, int mode, cs_template **ret, cs_err *err,
		    char *ret_pointer)
{
	bool bare = (mode & CS_TEMPLATE_BARE) != 0;
	build b = { .set = set, .err = err, .loose = mode >= CS_TEMPLATE_LOOSE, .words = (mode & CS_TEMPLATE_LOOSE_WITH) != 0 };
	cs_template *t = cs_xcalloc(1, sizeof(*t));
	t->set = cs_exprset_ref(set);
	int rc = build_node(&b, (json_t *)value, bare, CS_JSON_DEPTH, &t->root);
	if (rc < 0) {
		if (ret_pointer)
			memcpy(ret_pointer, b.at.text, sizeof(b.at.text));
		cs_template_free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

void cs_template_free(cs_template *t)
{
	if (!t)
		return;
	node_free(&t->root);
	cs_exprset_unref(t->set);
	free(t);
}

void cs_template_freep(cs_template **t)
{
	cs_template_free(*t);
	*t = NULL;
}

bool cs_template_is_const(const cs_template *t)
{
	return !t->root.expr && !t->root.n_kids;
}

/* ---- evaluating ------------------------------------------------------------------------- */

typedef struct eval {
	const cs_scope *scope;
	cs_err *err;
	int failed;        /* the first error */
	bool waiting;      /* an answer is on its way */
	place at;
} eval;

/* NULL: failed or waiting; the walk goes on, to ask for everything at once. */
static json_t *eval_expr(eval *x, const node *n)
{
	json_t *v = NULL;
	cs_err err = { 0 };
	int rc = cs_expr_eval(n->expr, x->scope, &v, &err);
	if (rc == 0)
		return v;
	if (rc == CS_EAGAIN) {
		x->waiting = true;
		return NULL;
	}
	if (n->value && rc != CS_EUNAVAIL && rc != CS_EUNSUPPORTED && rc != CS_EINTERNAL)
		return json_incref(n->value);
	if (x->failed)
		return NULL;
	x->failed = rc;
	if (x->at.len)
		cs_err_set(x->err, rc, "%s: %s", x->at.text, err.msg);
	else
		cs_err_set(x->err, rc, "%s", err.msg);
	return NULL;
}

static json_t *eval_node(eval *x, const node *n);

static json_t *eval_array(eval *x, const node *n)
{
	size_t len = x->at.len;
	CS_AUTOJSON json_t *array = json_array();
	for (size_t i = 0; i < n->n_kids; i++) {
		place_add_index(&x->at, i);
		json_t *v = eval_node(x, &n->kids[i]);
		place_cut(&x->at, len);
		if (v)
			json_array_append_new(array, v);
	}
	return CS_STEAL(array);
}

static json_t *eval_object(eval *x, const node *n)
{
	size_t len = x->at.len, i = 0, key_len;
	const char *key;
	json_t *pattern;
	CS_AUTOJSON json_t *object = json_object();
	json_object_keylen_foreach(n->value, key, key_len, pattern) {
		place_add(&x->at, key);
		json_t *v = eval_node(x, &n->kids[i++]);
		place_cut(&x->at, len);
		if (v)
			json_object_setn_new_nocheck(object, key, key_len, v);
	}
	return CS_STEAL(object);
}

static json_t *eval_node(eval *x, const node *n)
{
	if (n->expr)
		return eval_expr(x, n);
	if (!n->n_kids)
		return json_incref(n->value);
	return json_is_array(n->value) ? eval_array(x, n) : eval_object(x, n);
}

int cs_template_eval(const cs_template *t, const cs_scope *scope, json_t **ret_new, cs_err *err)
{
	eval x = { .scope = scope, .err = err };
	CS_AUTOJSON json_t *v = eval_node(&x, &t->root);
	if (x.waiting)
		return CS_EAGAIN;
	if (x.failed)
		return x.failed;
	if (t->root.n_kids && cs_value_weigh(v) < 0)
		return cs_err_set(err, CS_ETOOBIG, "the value would be over the limits (%u MiB of text, %u values, "
				  "%d deep): keep less in it", CS_EXPR_RESULT_MAX >> 20, CS_EXPR_RESULT_NODES,
				  CS_JSON_DEPTH);
	*ret_new = CS_STEAL(v);
	return 0;
}

/* ---- walking ---------------------------------------------------------------------------- */

typedef struct walk {
	int (*fn)(void *ctx, const cs_expr *e, const char *pointer);
	void *ctx;
	place at;
} walk;

static int walk_node(walk *w, const node *n)
{
	if (n->expr)
		return w->fn(w->ctx, n->expr, w->at.text);
	size_t len = w->at.len;
	void *member = json_object_iter(n->value);
	for (size_t i = 0; i < n->n_kids; i++) {
		if (member)
			place_add(&w->at, json_object_iter_key(member));
		else
			place_add_index(&w->at, i);
		int rc = walk_node(w, &n->kids[i]);
		if (rc)
			return rc;
		place_cut(&w->at, len);
		member = member ? json_object_iter_next(n->value, member) : NULL;
	}
	return 0;
}

int cs_template_each(const cs_template *t, int (*fn)(void *ctx, const cs_expr *e, const char *pointer),
		     void *ctx)
{
	walk w = { .fn = fn, .ctx = ctx };
	return walk_node(&w, &t->root);
}
