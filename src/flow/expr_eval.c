/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain evaluator. Each node is visited at most once: the cost is bounded by the expression and the
 * values it names. Paths borrow; only what is built is allocated. */
#include "flow/expr_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Beside 0, the error codes and CS_EXPR_ASK_JQ: jq's `empty`. */
#define EMPTY 1

/* A value: borrowed from OWNED or from what outlives the evaluation. */
typedef struct ref {
	const json_t *v;
	json_t *owned;
} ref;

typedef struct run {
	const cs_expr *e;
	const cs_scope *scope;
	cs_err *err;
} run;

typedef int eval_fn(run *r, const cs_node *n, const json_t *dot, ref *ret);
static int eval(run *r, uint16_t node, const json_t *dot, ref *ret);

static void ref_drop(ref *x)
{
	json_decref(x->owned);
}
#define AUTOREF CS_CLEANUP(ref_drop)

static int give(ref *ret, json_t *owned)
{
	*ret = (ref){ owned, owned };
	return owned ? 0 : CS_ENOMEM;
}

static int give_bool(ref *ret, bool b)
{
	*ret = (ref){ json_boolean(b), NULL };
	return 0;
}

static json_t *ref_take(ref *x)
{
	return x->v == x->owned ? CS_STEAL(x->owned) : json_incref((json_t *)x->v);
}

static int too_big(run *r)
{
	return cs_expr_fail(r->e, r->err, CS_ETOOBIG, "the value would be over the limits (%u MiB of text, "
			    "%u values, %d deep): keep less in it", CS_EXPR_RESULT_MAX >> 20,
			    CS_EXPR_RESULT_NODES, CS_JSON_DEPTH);
}

/* ---- names and paths -------------------------------------------------------------------- */

static int eval_dot(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	(void)r;
	(void)n;
	*ret = (ref){ dot, NULL };
	return 0;
}

static int eval_const(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	(void)r;
	(void)dot;
	*ret = (ref){ n->value, NULL };
	return 0;
}

static int eval_var(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	(void)dot;
	json_t *v = NULL;
	int rc = r->scope->var ? r->scope->var(r->scope->ctx, n->name, &v) : CS_ENOTFOUND;
	if (rc == 0)
		return give(ret, v);
	if (rc == CS_EAGAIN)
		return rc;
	return cs_expr_fail(r->e, r->err, rc == CS_ENOTFOUND ? CS_EINVAL : rc, "$%s is not known here", n->name);
}

/* The container is BASE; what is taken out of it is borrowed from it. */
static int step(ref *base, const json_t *found, ref *ret)
{
	*ret = (ref){ found ? found : json_null(), CS_STEAL(base->owned) };
	return 0;
}

static int eval_key(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref base = { 0 };
	int rc = eval(r, n->a, dot, &base);
	if (rc)
		return rc;
	const char *key = json_string_value(n->value);
	size_t len = json_string_length(n->value);
	if (json_is_object(base.v))
		return step(&base, json_object_getn(base.v, key, len), ret);
	if (json_is_null(base.v))
		return step(&base, NULL, ret);
	if (n->opt)
		return EMPTY;
	return cs_expr_fail(r->e, r->err, CS_EINVAL, "Cannot index %s with \"%.*s\"", cs_value_kind(base.v),
			    (int)(len < 100 ? len : 100), key);
}

static int index_at(run *r, const cs_node *n, ref *base, json_int_t at, ref *ret)
{
	if (json_is_array(base->v)) {
		if (at < 0)
			at += (json_int_t)json_array_size(base->v);
		return step(base, at < 0 ? NULL : json_array_get(base->v, (size_t)at), ret);
	}
	if (json_is_null(base->v))
		return step(base, NULL, ret);
	if (n->opt)
		return EMPTY;
	return cs_expr_fail(r->e, r->err, CS_EINVAL, "Cannot index %s with number", cs_value_kind(base->v));
}

static int eval_at(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref base = { 0 };
	int rc = eval(r, n->a, dot, &base);
	return rc ? rc : index_at(r, n, &base, n->at, ret);
}

/* An index that is itself a value: a name or a number here, slices and searches in jq. */
static int eval_index(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref key = { 0 };
	AUTOREF ref base = { 0 };
	int rc = eval(r, n->b, dot, &key);
	if (rc == 0)
		rc = eval(r, n->a, dot, &base);
	if (rc)
		return rc;
	if (json_is_integer(key.v) && llabs(json_integer_value(key.v)) < 1000000000)
		return index_at(r, n, &base, json_integer_value(key.v), ret);
	if (!json_is_string(key.v))
		return CS_EXPR_ASK_JQ;
	if (json_is_object(base.v))
		return step(&base, json_object_getn(base.v, json_string_value(key.v), json_string_length(key.v)), ret);
	if (json_is_null(base.v))
		return step(&base, NULL, ret);
	if (n->opt)
		return EMPTY;
	return cs_expr_fail(r->e, r->err, CS_EINVAL, "Cannot index %s with string", cs_value_kind(base.v));
}

/* ---- flow of control -------------------------------------------------------------------- */

static int eval_pipe(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref left = { 0 };
	int rc = eval(r, n->a, dot, &left);
	if (rc)
		return rc;
	ref right = { 0 };
	rc = eval(r, n->b, left.v, &right);
	if (rc)
		return rc;
	/* What is borrowed from the left value must outlive it. */
	if (left.owned && !right.owned)
		right.owned = json_incref((json_t *)right.v);
	*ret = right;
	return 0;
}

/* jq 1.6 lets errors of the left side through. */
static int eval_alt(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref left = { 0 };
	int rc = eval(r, n->a, dot, &left);
	if (rc == EMPTY || (rc == 0 && !cs_value_truthy(left.v)))
		return eval(r, n->b, dot, ret);
	if (rc == 0)
		*ret = (ref){ left.v, CS_STEAL(left.owned) };
	return rc;
}

static int eval_logic(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref left = { 0 };
	AUTOREF ref right = { 0 };
	int rc = eval(r, n->a, dot, &left);
	if (rc)
		return rc;
	bool enough = n->op == CS_OP_OR;
	if (cs_value_truthy(left.v) == enough)
		return give_bool(ret, enough);
	rc = eval(r, n->b, dot, &right);
	return rc ? rc : give_bool(ret, cs_value_truthy(right.v));
}

static int eval_if(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref cond = { 0 };
	int rc = eval(r, n->a, dot, &cond);
	return rc ? rc : eval(r, cs_value_truthy(cond.v) ? n->b : n->c, dot, ret);
}

/* ---- operators: jq evaluates the right side first ----------------------------------------- */

static int eval_both(run *r, const cs_node *n, const json_t *dot, ref *left, ref *right)
{
	int rc = eval(r, n->b, dot, right);
	return rc ? rc : eval(r, n->a, dot, left);
}

static int eval_equality(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref left = { 0 };
	AUTOREF ref right = { 0 };
	bool equal = false;
	int rc = eval_both(r, n, dot, &left, &right);
	if (rc)
		return rc;
	if (cs_value_equal(left.v, right.v, &equal) < 0)
		return too_big(r);
	return give_bool(ret, equal == (n->op == CS_OP_EQ));
}

static int eval_order(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref left = { 0 };
	AUTOREF ref right = { 0 };
	int order = 0, rc = eval_both(r, n, dot, &left, &right);
	if (rc)
		return rc;
	if (cs_value_compare(left.v, right.v, &order) < 0)
		return too_big(r);
	switch (n->op) {
	case CS_OP_LT: return give_bool(ret, order < 0);
	case CS_OP_LE: return give_bool(ret, order <= 0);
	case CS_OP_GT: return give_bool(ret, order > 0);
	default:       return give_bool(ret, order >= 0);
	}
}

/* Within 2^53 the sum is jq's; beyond, jq answers (or refuses). */
static int add_numbers(const json_t *a, const json_t *b, ref *ret)
{
	double x = json_number_value(a), y = json_number_value(b), sum = x + y, limit = (double)CS_JQ_INT_MAX;
	if (fabs(x) > limit || fabs(y) > limit || fabs(sum) > limit)
		return CS_EXPR_ASK_JQ;
	return give(ret, cs_value_number(sum));
}

static int add_strings(run *r, const json_t *a, const json_t *b, ref *ret)
{
	size_t na = json_string_length(a), nb = json_string_length(b);
	CS_AUTOBUF cs_buf buf;
	cs_buf_init(&buf, CS_EXPR_RESULT_MAX);
	cs_buf_add(&buf, json_string_value(a), na);
	if (cs_buf_add(&buf, json_string_value(b), nb) < 0)
		return too_big(r);
	return give(ret, json_stringn_nocheck(cs_buf_str(&buf), buf.len));
}

static int add_arrays(run *r, const json_t *a, const json_t *b, ref *ret)
{
	if (json_array_size(a) + json_array_size(b) > CS_EXPR_RESULT_NODES)
		return too_big(r);
	CS_AUTOJSON json_t *sum = json_copy((json_t *)a);
	if (!sum || json_array_extend(sum, (json_t *)b) < 0)
		return CS_ENOMEM;
	return give(ret, CS_STEAL(sum));
}

static int add_objects(run *r, const json_t *a, const json_t *b, ref *ret)
{
	if (json_object_size(a) + json_object_size(b) > CS_EXPR_RESULT_NODES)
		return too_big(r);
	CS_AUTOJSON json_t *sum = json_copy((json_t *)a);
	if (!sum || json_object_update(sum, (json_t *)b) < 0)
		return CS_ENOMEM;
	return give(ret, CS_STEAL(sum));
}

static int eval_plus(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	AUTOREF ref left = { 0 };
	AUTOREF ref right = { 0 };
	int rc = eval_both(r, n, dot, &left, &right);
	if (rc)
		return rc;
	const json_t *a = left.v, *b = right.v;
	if (json_is_null(a) || json_is_null(b)) {
		ref *sum = json_is_null(a) ? &right : &left;
		*ret = (ref){ sum->v, CS_STEAL(sum->owned) };
		return 0;
	}
	if (json_is_number(a) && json_is_number(b))
		return add_numbers(a, b, ret);
	if (json_is_string(a) && json_is_string(b))
		return add_strings(r, a, b, ret);
	if (json_is_array(a) && json_is_array(b))
		return add_arrays(r, a, b, ret);
	if (json_is_object(a) && json_is_object(b))
		return add_objects(r, a, b, ret);
	return cs_expr_fail(r->e, r->err, CS_EINVAL, "%s and %s cannot be added", cs_value_kind(a), cs_value_kind(b));
}

/* ---- construction ----------------------------------------------------------------------- */

static int eval_array(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	CS_AUTOJSON json_t *array = json_array();
	for (uint16_t i = n->a; i != CS_NO_NODE; i = r->e->nodes[i].next) {
		AUTOREF ref item = { 0 };
		int rc = eval(r, r->e->nodes[i].a, dot, &item);
		if (rc == EMPTY)
			continue;
		if (rc)
			return rc;
		if (json_array_append_new(array, ref_take(&item)) < 0)
			return CS_ENOMEM;
	}
	return give(ret, CS_STEAL(array));
}

static int eval_object(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	CS_AUTOJSON json_t *object = json_object();
	for (uint16_t i = n->a; i != CS_NO_NODE; i = r->e->nodes[i].next) {
		const cs_node *item = &r->e->nodes[i];
		AUTOREF ref value = { 0 };
		int rc = eval(r, item->a, dot, &value);
		if (rc)
			return rc;
		if (json_object_setn_new_nocheck(object, json_string_value(item->value),
						 json_string_length(item->value), ref_take(&value)) < 0)
			return CS_ENOMEM;
	}
	return give(ret, CS_STEAL(object));
}

typedef struct pieces { ref *v; size_t n; } pieces;

static void pieces_drop(pieces *p)
{
	for (size_t i = 0; i < p->n; i++)
		ref_drop(&p->v[i]);
	free(p->v);
}

static int join_pieces(run *r, const pieces *p, ref *ret)
{
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_EXPR_RESULT_MAX);
	for (size_t i = p->n; i-- > 0;) {
		int rc = cs_value_tostring(p->v[i].v, &text);
		if (rc < 0)
			return too_big(r);
		if (rc)
			return rc;
	}
	return give(ret, json_stringn_nocheck(cs_buf_str(&text), text.len));
}

/* The items come last first, as jq evaluates them. */
static int eval_text(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	CS_CLEANUP(pieces_drop) pieces p = { cs_xcalloc(n->n, sizeof(ref)), n->n };
	size_t at = 0;
	for (uint16_t i = n->a; i != CS_NO_NODE; i = r->e->nodes[i].next, at++) {
		const cs_node *item = &r->e->nodes[i];
		int rc = 0;
		if (item->a == CS_NO_NODE)
			p.v[at].v = item->value;
		else
			rc = eval(r, item->a, dot, &p.v[at]);
		if (rc)
			return rc;
	}
	return join_pieces(r, &p, ret);
}

/* ---- functions -------------------------------------------------------------------------- */

static int codepoints(const json_t *s, ref *ret)
{
	json_int_t n = 0;
	const char *p = json_string_value(s);
	for (size_t i = 0; i < json_string_length(s); i++)
		n += ((unsigned char)p[i] & 0xC0) != 0x80;
	return give(ret, json_integer(n));
}

static int eval_length(run *r, const json_t *dot, ref *ret)
{
	switch (json_typeof(dot)) {
	case JSON_NULL:    return give(ret, json_integer(0));
	case JSON_STRING:  return codepoints(dot, ret);
	case JSON_ARRAY:   return give(ret, json_integer((json_int_t)json_array_size(dot)));
	case JSON_OBJECT:  return give(ret, json_integer((json_int_t)json_object_size(dot)));
	case JSON_REAL:    return give(ret, cs_value_number(fabs(json_real_value(dot))));
	case JSON_INTEGER:
		if (llabs(json_integer_value(dot)) > CS_JQ_INT_MAX)
			return CS_EXPR_ASK_JQ;
		return give(ret, json_integer(llabs(json_integer_value(dot))));
	default:
		return cs_expr_fail(r->e, r->err, CS_EINVAL, "%s has no length", cs_value_kind(dot));
	}
}

static int eval_tostring(run *r, const json_t *dot, ref *ret)
{
	ref v = { dot, NULL };
	return join_pieces(r, &(pieces){ &v, 1 }, ret);
}

static int eval_call(run *r, const cs_node *n, const json_t *dot, ref *ret)
{
	switch ((cs_plain_fn)n->at) {
	case CS_FN_NOT:      return give_bool(ret, !cs_value_truthy(dot));
	case CS_FN_LENGTH:   return eval_length(r, dot, ret);
	case CS_FN_TYPE:     return give(ret, json_string(cs_value_kind(dot)));
	case CS_FN_TOSTRING: return eval_tostring(r, dot, ret);
	case CS_FN_COUNT:    break;
	}
	return CS_EINTERNAL;
}

static eval_fn *const evaluators[CS_OP_COUNT] = {
	[CS_OP_DOT] = eval_dot, [CS_OP_CONST] = eval_const, [CS_OP_VAR] = eval_var, [CS_OP_KEY] = eval_key,
	[CS_OP_AT] = eval_at, [CS_OP_INDEX] = eval_index, [CS_OP_PIPE] = eval_pipe, [CS_OP_ALT] = eval_alt,
	[CS_OP_OR] = eval_logic, [CS_OP_AND] = eval_logic, [CS_OP_EQ] = eval_equality,
	[CS_OP_NE] = eval_equality, [CS_OP_LT] = eval_order, [CS_OP_LE] = eval_order, [CS_OP_GT] = eval_order,
	[CS_OP_GE] = eval_order, [CS_OP_PLUS] = eval_plus, [CS_OP_IF] = eval_if, [CS_OP_ARRAY] = eval_array,
	[CS_OP_OBJECT] = eval_object, [CS_OP_TEXT] = eval_text, [CS_OP_CALL] = eval_call,
};

static int eval(run *r, uint16_t node, const json_t *dot, ref *ret)
{
	const cs_node *n = &r->e->nodes[node];
	return evaluators[n->op](r, n, dot, ret);
}

int cs_expr_run(const cs_expr *e, const cs_scope *scope, json_t **ret_new, cs_err *err)
{
	run r = { e, scope, err };
	AUTOREF ref value = { 0 };
	int rc = eval(&r, e->root, scope->dot ? scope->dot : json_null(), &value);
	if (rc == EMPTY)
		return cs_expr_fail(e, err, CS_EINVAL, "it yields nothing; give a value for that case with `// …`");
	if (rc == CS_ENOMEM)
		return cs_expr_fail(e, err, rc, "there is no memory for its value");
	if (rc)
		return rc;
	if (e->builds && cs_value_weigh(value.v) < 0)
		return too_big(&r);
	*ret_new = ref_take(&value);
	return 0;
}
