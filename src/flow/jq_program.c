/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/jq_program.h"

#include <stdlib.h>
#include <string.h>

typedef struct program {
	const cs_exprset *set;
	unsigned members[CS_JQ_GROUP], n;
	cs_buf *out;
} program;

static void gather(program *p, const cs_jq_range *r)
{
	for (unsigned i = 0; i < p->set->n && p->n < CS_JQ_GROUP; i++) {
		const cs_expr *e = p->set->items[i];
		if (e->may_jq && cs_expr_kind(e) == r->kind && e->nth >= r->from && e->nth < r->to)
			p->members[p->n++] = i;
	}
}

/* What the lexer refuses is shadowed as well. */
static void add_shadows(program *p)
{
	cs_buf_adds(p->out, "{} as $ENV | ");
	for (const cs_refused_name *r = cs_refused_names; r->name; r++)
		if (!cs_expr_is_keyword(r->name, strlen(r->name)))
			cs_buf_addf(p->out, "def %s%s: error(\"%s is not allowed in an expression\"); ", r->name,
				    r->args ? "(f)" : "", r->name);
}

/* An object's keys as text are in one order, whichever way it was made: see write_object() in expr_value.c. What
 * is defined first is jq's own, which the later names then stand for. */
static void add_order(program *p)
{
	cs_buf_adds(p->out, "def __sorted: if type == \"object\" then . as $__o | reduce keys[] as $__k ({}; .[$__k] = ($__o[$__k] | __sorted)) "
			    "elif type == \"array\" then map(__sorted) else . end; "
			    "def __tojson: tojson; def tojson: __sorted | __tojson; "
			    "def __tostring: tostring; def tostring: __sorted | __tostring; "
			    "def __format(f): format(f); def format(f): __sorted | __format(f); ");
}

static void add_names(program *p)
{
	CS_AUTOJSON json_t *seen = json_object();
	for (unsigned i = 0; i < p->n; i++)
		for (const char *const *v = cs_expr_vars(p->set->items[p->members[i]]); *v; v++)
			json_object_set_new(seen, *v, json_true());
	if (!json_object_size(seen))
		return;
	const char *name;
	json_t *value;
	const char *before = ".v as {";
	json_object_foreach(seen, name, value) {
		cs_buf_addf(p->out, "%s$%s", before, name);
		before = ", ";
	}
	cs_buf_adds(p->out, "} | ");
}

/* Halves the members until one is left: as many comparisons as the logarithm of their number. */
static void add_choice(program *p, unsigned from, unsigned to)
{
	if (to - from == 1) {
		cs_buf_addf(p->out, "__e%u", p->members[from]);
		return;
	}
	unsigned middle = from + (to - from) / 2;
	cs_buf_addf(p->out, "if $__i < %u then ", p->members[middle]);
	add_choice(p, from, middle);
	cs_buf_adds(p->out, " else ");
	add_choice(p, middle, to);
	cs_buf_adds(p->out, " end");
}

int cs_jq_program(const cs_jq_range *r, cs_buf *out)
{
	const cs_exprset *set = r->set;
	program p = { .set = set, .out = out };
	gather(&p, r);
	if (p.n == 0)
		return cs_buf_adds(out, ".");
	add_shadows(&p);
	add_order(&p);
	add_names(&p);
	cs_buf_adds(out, ".i as $__i | .d | ");
	/* A line end, because an expression may end in a comment. */
	for (unsigned i = 0; i < p.n; i++)
		cs_buf_addf(out, "def __e%u: (%s\n); ", p.members[i], set->items[p.members[i]]->source);
	add_choice(&p, 0, p.n);
	return out->failed;
}

static size_t without(const char *message, size_t n, const char *suffix)
{
	const char *at = memmem(message, n, suffix, strlen(suffix));
	return at ? (size_t)(at - message) : n;
}

void cs_jq_message(const char *message, cs_buf *out)
{
	static const char prefix[] = "jq: error: ";
	if (strncmp(message, prefix, strlen(prefix)) == 0)
		message += strlen(prefix);
	size_t n = strcspn(message, "\n");
	n = without(message, n, " (Unix shell quoting issues?)");
	n = without(message, n, " at <top-level>");
	cs_buf_add(out, message, n);
}
