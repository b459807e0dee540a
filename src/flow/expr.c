/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/expr_internal.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 120   /* bytes of an expression in a message */

static atomic_uint_least64_t next_set_id = 1;

cs_exprset *cs_exprset_new(void)
{
	cs_exprset *s = cs_xcalloc(1, sizeof(*s));
	atomic_init(&s->refs, 1);
	s->id = atomic_fetch_add(&next_set_id, 1);
	s->by_source = json_object();
	s->loose_by_source = json_object();
	return s;
}

cs_exprset *cs_exprset_ref(cs_exprset *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

static void expr_free(cs_expr *e)
{
	cs_nodes_free(e->nodes, e->n_nodes);
	cs_names_fini(&e->vars);
	free(e->source);
	free(e->refused);
	free(e);
}

void cs_exprset_unref(cs_exprset *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned i = 0; i < s->n; i++)
		expr_free(s->items[i]);
	free(s->items);
	json_decref(s->by_source);
	json_decref(s->loose_by_source);
	free(s);
}

unsigned cs_exprset_count(const cs_exprset *s)
{
	return s->n;
}

const cs_expr *cs_exprset_get(const cs_exprset *s, unsigned index)
{
	return index < s->n ? s->items[index] : NULL;
}

static void keep(cs_exprset *s, cs_expr *e)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 16;
		s->items = cs_xrealloc(s->items, s->cap * sizeof(cs_expr *));
	}
	e->index = s->n;
	if (e->may_jq)
		e->nth = s->n_jq[cs_expr_kind(e)]++;
	s->items[s->n++] = e;
	json_object_set_new(e->loose ? s->loose_by_source : s->by_source, e->source, json_integer(e->index));
}

static const cs_expr *known_as(const cs_exprset *s, const json_t *by_source, const char *source)
{
	const json_t *known = json_object_get(by_source, source);
	return known ? s->items[json_integer_value(known)] : NULL;
}

static int too_many(cs_err *err)
{
	return cs_err_set(err, CS_ETOOBIG, "more than %d expressions in one flow: divide the flow", CS_EXPRSET_MAX);
}

int cs_exprset_add_loose(cs_exprset *s, const char *source, const cs_expr **ret, cs_err *err)
{
	const cs_expr *known = known_as(s, s->loose_by_source, source);
	if (known) {
		*ret = known;
		return 0;
	}
	cs_expr *e = cs_xcalloc(1, sizeof(*e));
	e->vars.v = cs_xcalloc(1, sizeof(char *));
	bool jq = *source && cs_expr_lex(source, &e->vars, NULL) == 0, plain = jq && cs_expr_parse(source, e);
	if (!jq || plain || s->n >= CS_EXPRSET_MAX) {
		expr_free(e);
		*ret = NULL;
		return plain ? cs_exprset_add(s, source, ret, err) : jq ? too_many(err) : 0;
	}
	e->source = cs_xstrdup(source);
	e->loose = e->may_jq = true;
	keep(s, e);
	*ret = e;
	return 0;
}

int cs_exprset_add(cs_exprset *s, const char *source, const cs_expr **ret, cs_err *err)
{
	const cs_expr *known = known_as(s, s->by_source, source);
	if (known) {
		*ret = known;
		return 0;
	}
	if (s->n >= CS_EXPRSET_MAX)
		return too_many(err);
	cs_expr *e = cs_xcalloc(1, sizeof(*e));
	e->vars.v = cs_xcalloc(1, sizeof(char *));
	cs_err why = { 0 };
	int rc = cs_expr_lex(source, &e->vars, &why);
	if (rc < 0 && rc != CS_EREFUSED) {
		expr_free(e);
		if (err)
			*err = why;
		return rc;
	}
	e->source = cs_xstrdup(source);
	if (rc == CS_EREFUSED) {
		e->refused = cs_xstrdup(why.msg);
	} else {
		e->plain = cs_expr_parse(source, e);
		e->may_jq |= !e->plain;
	}
	keep(s, e);
	*ret = e;
	return 0;
}

bool cs_expr_is_plain(const cs_expr *e)
{
	return e->plain;
}

bool cs_expr_is_loose(const cs_expr *e)
{
	return e->loose;
}

const char *cs_expr_source(const cs_expr *e)
{
	return e->source;
}

unsigned cs_expr_index(const cs_expr *e)
{
	return e->index;
}

const char *const *cs_expr_vars(const cs_expr *e)
{
	return (const char *const *)e->vars.v;
}

int cs_expr_fail(const cs_expr *e, cs_err *err, int code, const char *fmt, ...)
{
	char why[sizeof(err->msg)];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	size_t n = strlen(e->source), shown = n < SHOWN_MAX ? n : SHOWN_MAX;
	while (shown < n && shown && ((unsigned char)e->source[shown] & 0xC0) == 0x80)
		shown--;
	return cs_err_set(err, code, "expression `%.*s%s`: %s", (int)shown, e->source, shown < n ? "…" : "", why);
}

const char *cs_expr_refused(const cs_expr *e)
{
	return e->refused;
}

int cs_expr_eval(const cs_expr *e, const cs_scope *scope, json_t **ret_new, cs_err *err)
{
	if (e->refused)
		return cs_expr_fail(e, err, CS_EINVAL, "%s", e->refused);
	int rc = e->plain ? cs_expr_run(e, scope, ret_new, err) : CS_EXPR_ASK_JQ;
	if (rc != CS_EXPR_ASK_JQ)
		return rc;
	if (!scope->jq)
		return cs_expr_fail(e, err, CS_EUNSUPPORTED, "it needs jq, which is not to be had here: use a path, "
				    "a literal or a comparison");
	return scope->jq(scope->ctx, e, scope->dot, ret_new, err);
}
