/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walking nodes and values together, within bounds: first only for yes or no; when it is no
 * and somebody wants to know why, once more to gather the errors. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

unsigned cs_json_kind(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_NULL:
		return CS_KIND_NULL;
	case JSON_TRUE:
	case JSON_FALSE:
		return CS_KIND_BOOL;
	case JSON_INTEGER:
		return CS_KIND_INTEGER | CS_KIND_NUMBER;
	case JSON_STRING:
		return CS_KIND_STRING;
	case JSON_ARRAY:
		return CS_KIND_ARRAY;
	case JSON_OBJECT:
		return CS_KIND_OBJECT;
	case JSON_REAL:
		break;
	}
	/* 1.0 is an integer, 1e308 too. */
	return CS_KIND_NUMBER | (cs_number_whole(v) ? CS_KIND_INTEGER : 0);
}

int cs_schema_step_run(cs_run *r, size_t n)
{
	if (n > CS_SCHEMA_STEPS - r->steps) {
		r->steps = CS_SCHEMA_STEPS;
		return cs_err_set(r->err, CS_ETOOBIG, "the value could not be checked: over %d steps; the schema repeats itself "
				  "or the value is too big", CS_SCHEMA_STEPS);
	}
	r->steps += n;
	return 0;
}

bool cs_run_enough(const cs_run *r)
{
	return !r->gather || r->n_faults - r->floor >= r->max;
}

static int run_checks(cs_run *r, const cs_frame *f)
{
	const cs_node *node = f->node;
	unsigned kind = cs_json_kind(f->value);
	bool here_failed = false;
	int ok = 1;

	for (size_t i = 0; i < node->n; i++) {
		const cs_check *k = &node->checks[i];

		if ((k->rule->kinds & kind) == 0)
			continue;
		/* A subschema that failed has seen nothing: its members are not unknown for that. */
		if (here_failed && k->rule->vocab == CS_VOCAB_UNEVALUATED)
			continue;
		int rc = k->eval(r, f, k);

		if (rc < 0)
			return rc;
		if (rc > 0)
			continue;
		ok = 0;
		here_failed |= k->rule->in_place || k->rule->vocab == CS_VOCAB_CORE;
		if (cs_run_enough(r))
			return 0;
	}
	return ok;
}

static int run(cs_run *r, cs_frame *f)
{
	const cs_node *node = f->node;
	cs_scope scope = { node->home, f->up != NULL ? f->up->scope : NULL };

	f->depth = f->up != NULL ? f->up->depth + 1 : 0;
	if (f->depth > CS_SCHEMA_FRAMES)
		return cs_err_set(r->err, CS_ETOOBIG, "the value is nested too deep for this schema to be checked");
	if (cs_schema_step_run(r, 1) < 0)
		return CS_ETOOBIG;
	if (node->never)
		return cs_fail_never(r, f);
	if (node->n == 0)
		return 1;
	f->scope = scope.up != NULL && scope.up->resource == node->home ? scope.up : &scope;
	f->mark = r->n_seen;

	bool wanted = f->track;

	f->track |= node->unevaluated;
	int ok = run_checks(r, f);

	if (ok <= 0 || !wanted)
		r->n_seen = f->mark;
	return ok;
}

int cs_run_here(cs_run *r, const cs_frame *f, const cs_node *node, bool track)
{
	cs_frame here = { .up = f, .node = node, .value = f->value, .track = track };

	return run(r, &here);
}

int cs_run_member(cs_run *r, const cs_frame *f, const cs_node *node, const char *key, const json_t *value)
{
	cs_frame member = { .up = f, .node = node, .value = value, .key = key, .moved = true };

	return run(r, &member);
}

int cs_schema_item_run(cs_run *r, const cs_frame *f, const cs_node *node, size_t index, const json_t *value)
{
	cs_frame item = { .up = f, .node = node, .value = value, .index = index, .moved = true };

	return run(r, &item);
}

static void hand_over(cs_run *r, size_t max, cs_schema_error **ret, size_t *ret_n)
{
	size_t n = r->n_faults < max ? r->n_faults : max;
	cs_schema_error *errors = cs_xcalloc(n + 1, sizeof *errors);

	for (size_t i = 0; i < n; i++) {
		errors[i] = r->faults[i].e;
		r->faults[i].e = (cs_schema_error) { 0 };
	}
	*ret = errors;
	*ret_n = n;
}

int cs_schema_check(const cs_schema *s, const json_t *value, size_t max,
		    cs_schema_error **ret, size_t *ret_n, cs_err *err)
{
	cs_run r = { .s = s, .max = ret != NULL ? max : 0, .err = err };
	cs_frame root = { .node = s->root, .value = value };

	if (value == NULL)
		return cs_err_set(err, CS_EINVAL, "there is no value to check");
	int rc = run(&r, &root);

	if (rc == 0 && r.max > 0) {
		r.gather = true;
		r.steps = 0;
		rc = run(&r, &root);
		if (rc == 0)
			hand_over(&r, max, ret, ret_n);
		cs_faults_drop(&r, 0, r.n_faults);
	}
	free(r.faults);
	free(r.seen);
	return rc;
}

bool cs_schema_valid(const cs_schema *s, const json_t *value)
{
	return cs_schema_check(s, value, 0, NULL, NULL, NULL) == 1;
}

void cs_schema_errors_free(cs_schema_error *errors, size_t n)
{
	for (size_t i = 0; errors != NULL && i < n; i++) {
		free(errors[i].instance);
		free(errors[i].rule);
		free(errors[i].message);
	}
	free(errors);
}
