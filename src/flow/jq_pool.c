/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/jq_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/jq_child.h"
#include "flow/jq_program.h"
#include "flow/jq_wire.h"

#define COMPILE_MS 10000      /* for compiling one program */
#define CHILD_SERVES 20000    /* evaluations before a child is replaced: its heap only grows */

struct cs_jq_pool {
	char *exe;
	int64_t timeout_ms;
	pthread_mutex_t lock;     /* over `busy` of each child; never held while talking to one */
	pthread_cond_t freed;
	unsigned size;
	cs_jq_child *children;
};

cs_jq_pool *cs_jq_pool_new(const char *exe, unsigned size, int64_t timeout_ms)
{
	cs_jq_pool *p = cs_xcalloc(1, sizeof(*p));
	p->exe = cs_xstrdup(exe);
	p->size = size ? size : 1;
	p->timeout_ms = timeout_ms < 1 ? 1 : timeout_ms < CS_JQ_TIMEOUT_MAX_MS ? timeout_ms : CS_JQ_TIMEOUT_MAX_MS;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->freed, NULL);
	p->children = cs_xcalloc(p->size, sizeof(*p->children));
	for (unsigned i = 0; i < p->size; i++)
		cs_jq_child_init(&p->children[i]);
	return p;
}

void cs_jq_pool_free(cs_jq_pool *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->size; i++)
		cs_jq_child_stop(&p->children[i]);
	free(p->children);
	pthread_cond_destroy(&p->freed);
	pthread_mutex_destroy(&p->lock);
	free(p->exe);
	free(p);
}

/* ---- children --------------------------------------------------------------------------- */

static unsigned size_of(cs_jq_kind kind)
{
	return kind == CS_JQ_LOOSE ? 1 : CS_JQ_GROUP;
}

/* One program: an expression set (as long as it was then) and a group of it. */
static cs_jq_key key_of(const cs_jq_range *r)
{
	return (cs_jq_key){ r->set->id, r->set->n, CS_JQ_KINDS * (r->from / size_of(r->kind)) + r->kind + 1 };
}

/* The group of a set that the NTHth of its kind is in. */
static cs_jq_range group_of(const cs_exprset *set, cs_jq_kind kind, unsigned nth)
{
	unsigned size = size_of(kind), from = nth - nth % size, n = set->n_jq[kind];
	return (cs_jq_range){ .set = set, .kind = kind, .from = from, .to = n - from < size ? n : from + size };
}

/* An idle child: best one that has the program, then one that runs, then one to be started. */
static cs_jq_child *pick(cs_jq_pool *p, const cs_jq_key *key)
{
	cs_jq_child *best = NULL;
	int best_rank = 0;
	for (unsigned i = 0; i < p->size; i++) {
		cs_jq_child *c = &p->children[i];
		int rank = c->busy ? 0 : cs_jq_child_slot(c, key) >= 0 ? 3 : cs_jq_child_runs(c) ? 2 : 1;
		if (rank > best_rank) {
			best = c;
			best_rank = rank;
		}
	}
	return best;
}

static cs_jq_child *take(cs_jq_pool *p, const cs_jq_key *key)
{
	cs_jq_child *c;
	pthread_mutex_lock(&p->lock);
	while (!(c = pick(p, key)))
		pthread_cond_wait(&p->freed, &p->lock);
	c->busy = true;
	pthread_mutex_unlock(&p->lock);
	return c;
}

static void give_back(cs_jq_pool *p, cs_jq_child *c)
{
	if (c->served >= CHILD_SERVES)
		cs_jq_child_stop(c);
	pthread_mutex_lock(&p->lock);
	c->busy = false;
	pthread_cond_signal(&p->freed);
	pthread_mutex_unlock(&p->lock);
}

/* ---- loading ---------------------------------------------------------------------------- */

/* Compiles the expressions of a range into SLOT of C. CS_ESYNTAX: they do not compile; jq's first message. */
static int load_range(cs_jq_child *c, const cs_jq_range *r, unsigned slot, cs_err *err)
{
	CS_AUTOBUF cs_buf frame, reply;
	cs_buf_init(&frame, CS_JQ_FRAME_MAX + 4);
	cs_buf_init(&reply, CS_JQ_FRAME_MAX);
	cs_jq_frame_begin(&frame, CS_JQ_LOAD);
	cs_buf_addc(&frame, (char)slot);
	cs_jq_program(r, &frame);
	c->slots[slot] = (cs_jq_slot){ 0 };
	int rc = cs_jq_child_ask(c, &frame, &reply, cs_clock_mono_ns() + COMPILE_MS * INT64_C(1000000), err);
	if (rc == CS_ETOOBIG)
		return cs_err_set(err, rc, "the expressions of the flow are over %u MiB: divide it", CS_JQ_FRAME_MAX >> 20);
	if (rc == CS_ETIMEOUT)
		return cs_err_set(err, rc, "compiling the expressions ran past %d ms: simplify them", COMPILE_MS);
	if (rc == CS_EIO)
		return cs_err_set(err, CS_EINVAL, "compiling the expressions ended their evaluator: simplify them");
	if (rc < 0)
		return rc;
	if (reply.data[0] == CS_JQ_VALUE)
		return 0;
	CS_AUTOBUF cs_buf message;
	cs_buf_init(&message, 2048);
	cs_jq_message(reply.data + 1, &message);
	return cs_err_set(err, CS_ESYNTAX, "%s", cs_buf_str(&message));
}

static int start(cs_jq_pool *p, cs_jq_child *c, cs_err *err)
{
	cs_jq_child_inspect(c);
	return cs_jq_child_runs(c) ? 0 : cs_jq_child_start(c, p->exe, err);
}

/* The index within the set of the range's first expression. */
static unsigned index_of(const cs_jq_range *r)
{
	unsigned i = 0;
	while (i + 1 < r->set->n && !(r->set->items[i]->may_jq && cs_expr_kind(r->set->items[i]) == r->kind && r->set->items[i]->nth == r->from))
		i++;
	return i;
}

/* The first expression in the range that does not compile, by halves; the joint program did not. */
static int find_bad(cs_jq_pool *p, cs_jq_child *c, const cs_jq_range *whole, unsigned *ret_bad, cs_err *err)
{
	unsigned slot = CS_JQ_SLOTS - 1;
	cs_jq_range r = *whole;
	while (r.to - r.from > 1) {
		cs_jq_range half = r;
		half.to = r.from + (r.to - r.from) / 2;
		int rc = start(p, c, err);
		if (rc < 0)
			return rc;
		if (load_range(c, &half, slot, err) < 0)
			r.to = half.to;
		else
			r.from = half.to;
	}
	int rc = start(p, c, err);
	if (rc == 0)
		rc = load_range(c, &r, slot, err);
	*ret_bad = index_of(&r);
	return rc;
}

/* Compiles the group R, unless C has it. */
static int load_group(cs_jq_pool *p, cs_jq_child *c, const cs_jq_range *r, unsigned *ret_bad, cs_err *err)
{
	cs_jq_key key = key_of(r);
	int rc = start(p, c, err);
	if (rc < 0)
		return rc;
	if (cs_jq_child_slot(c, &key) >= 0)
		return 0;
	unsigned slot = cs_jq_child_oldest(c);
	rc = load_range(c, r, slot, err);
	if (rc == 0)
		c->slots[slot].key = key;
	if (rc != CS_ESYNTAX && rc != CS_EINVAL && rc != CS_ETIMEOUT)
		return rc;
	if (r->kind == CS_JQ_LOOSE)
		return rc;
	cs_err joint = err ? *err : (cs_err){ 0 };
	int apart = find_bad(p, c, r, ret_bad, err);
	if (apart < 0)
		return apart;
	/* Each compiles by itself: then it is the sum that does not. */
	return cs_err_set(err, CS_EINTERNAL, "the expressions compile apart but not together (%s): divide the flow", joint.msg);
}

/* ---- evaluation ------------------------------------------------------------------------- */

/* What jq can be given: no integer it would round, nothing deeper than its parser takes. */
static int check_given(const json_t *v, unsigned depth, const cs_expr *e, cs_err *err)
{
	if (depth == 0)
		return cs_expr_fail(e, err, CS_ETOOBIG, "what it is given is nested more than %d deep", CS_JSON_DEPTH);
	if (json_is_integer(v) && llabs(json_integer_value(v)) > CS_JQ_INT_MAX)
		return cs_expr_fail(e, err, CS_EINVAL, "the integer %lld is beyond 2^53 and would lose digits in jq: "
				    "carry it as a string", (long long)json_integer_value(v));
	for (size_t i = 0; i < json_array_size(v); i++) {
		int rc = check_given(json_array_get(v, i), depth - 1, e, err);
		if (rc < 0)
			return rc;
	}
	const char *key;
	json_t *item;
	json_object_foreach((json_t *)v, key, item) {
		int rc = check_given(item, depth - 1, e, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_vars(const cs_expr *e, const json_t *vars, cs_buf *frame, cs_err *err)
{
	const char *before = "{\"";
	for (const char *const *name = cs_expr_vars(e); *name; name++) {
		const json_t *value = json_object_get(vars, *name);
		if (!value)
			return cs_expr_fail(e, err, CS_EINVAL, "$%s is not known here", *name);
		int rc = check_given(value, CS_JSON_DEPTH, e, err);
		if (rc < 0)
			return rc;
		cs_buf_addf(frame, "%s%s\":", before, *name);
		cs_json_write(value, frame);
		before = ",\"";
	}
	return cs_buf_adds(frame, *cs_expr_vars(e) ? "}}" : "{}}");
}

static int build_request(const cs_expr *e, const json_t *dot, const json_t *vars, unsigned slot, cs_buf *frame, cs_err *err)
{
	dot = dot ? dot : json_null();
	int rc = check_given(dot, CS_JSON_DEPTH, e, err);
	if (rc < 0)
		return rc;
	cs_jq_frame_begin(frame, CS_JQ_EVAL);
	cs_buf_addc(frame, (char)slot);
	cs_buf_addf(frame, "{\"i\":%u,\"d\":", e->index);
	cs_json_write(dot, frame);
	cs_buf_adds(frame, ",\"v\":");
	rc = add_vars(e, vars, frame, err);
	if (frame->failed)
		return cs_expr_fail(e, err, CS_ETOOBIG, "what it is given is over %u MiB of JSON", CS_JQ_FRAME_MAX >> 20);
	return rc;
}

static int read_reply(const cs_expr *e, const cs_buf *reply, json_t **ret_new, cs_err *err)
{
	cs_err why = { 0 };
	if (reply->data[0] == CS_JQ_VALUE && cs_json_parse(reply->data + 1, reply->len - 1, ret_new, &why) == 0)
		return 0;
	if (reply->data[0] == CS_JQ_VALUE)
		return cs_expr_fail(e, err, CS_EINVAL, "its value is not JSON: %s", why.msg);
	return cs_expr_fail(e, err, reply->data[0] == CS_JQ_BIG ? CS_ETOOBIG : CS_EINVAL, "%s", reply->data + 1);
}

static int ask(cs_jq_pool *p, cs_jq_child *c, const cs_exprset *set, const cs_expr *e, const json_t *dot,
	       const json_t *vars, json_t **ret_new, cs_err *err)
{
	cs_jq_range group = group_of(set, cs_expr_kind(e), e->nth);
	cs_jq_key key = key_of(&group);
	CS_AUTOBUF cs_buf frame, reply;
	cs_buf_init(&frame, CS_JQ_FRAME_MAX + 4);
	cs_buf_init(&reply, CS_JQ_FRAME_MAX);
	int slot = cs_jq_child_slot(c, &key);
	int rc = build_request(e, dot, vars, (unsigned)slot, &frame, err);
	if (rc < 0)
		return rc;
	c->slots[slot].used = ++c->served;
	rc = cs_jq_child_ask(c, &frame, &reply, cs_clock_mono_ns() + p->timeout_ms * 1000000, err);
	if (rc == CS_ETIMEOUT)
		return cs_expr_fail(e, err, rc, "the expression ran past %lld ms", (long long)p->timeout_ms);
	if (rc == CS_EIO)
		return cs_expr_fail(e, err, CS_EINVAL, "the expression ended its evaluator (over %u MiB of memory, or a fault "
				    "in jq): make its values smaller", CS_JQ_MEMORY >> 20);
	if (rc < 0)
		return rc;
	return read_reply(e, &reply, ret_new, err);
}

/* Compiles the group and, unless E is NULL, evaluates E. */
typedef struct job {
	cs_jq_range group;
	unsigned bad;
	const cs_expr *e;
	const json_t *dot, *vars;
	json_t **ret_new;
} job;

static int attempt(cs_jq_pool *p, cs_jq_child *c, job *j, cs_err *err)
{
	c->died = false;
	int rc = load_group(p, c, &j->group, &j->bad, err);
	return rc == 0 && j->e ? ask(p, c, j->group.set, j->e, j->dot, j->vars, j->ret_new, err) : rc;
}

static int work(cs_jq_pool *p, job *j, cs_err *err)
{
	cs_jq_key key = key_of(&j->group);
	cs_jq_child *c = take(p, &key);
	bool fresh = !cs_jq_child_runs(c);
	int rc = attempt(p, c, j, err);
	/* One that ran before may have died of something else, just now: only a fresh one proves it. */
	if (rc < 0 && c->died && !fresh)
		rc = attempt(p, c, j, err);
	give_back(p, c);
	return rc;
}

int cs_jq_pool_eval(cs_jq_pool *p, const cs_exprset *set, const cs_expr *e, const json_t *dot, const json_t *vars,
		    json_t **ret_new, cs_err *err)
{
	if (!e->may_jq)
		return cs_err_set(err, CS_EINTERNAL, "a path was sent to jq; evaluate it with cs_expr_eval()");
	job j = { .group = group_of(set, cs_expr_kind(e), e->nth), .e = e, .dot = dot, .vars = vars, .ret_new = ret_new };
	return work(p, &j, err);
}

int cs_jq_pool_check(cs_jq_pool *p, const cs_exprset *set, unsigned *ret_index_of_bad, cs_err *err)
{
	for (unsigned nth = 0; nth < set->n_jq[CS_JQ_ALWAYS]; nth += CS_JQ_GROUP) {
		job j = { .group = group_of(set, CS_JQ_ALWAYS, nth) };
		int rc = work(p, &j, err);
		if (rc < 0) {
			*ret_index_of_bad = j.bad;
			return rc;
		}
	}
	return 0;
}
