/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unevaluatedProperties and unevaluatedItems (Core 2020-12, section 11).
 *
 * What subschemas look at is written to one list that grows and is cut back: a node remembers
 * where the list stood when it began, a subschema that fails is cut off again, and so the rest
 * from the node's mark on is exactly what it and its subschemas have seen of its value. */
#include <stdlib.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

enum { SEEN_MAX = 4 << 20 };

static int push(cs_run *r, cs_seen seen)
{
	if (r->n_seen == r->cap_seen) {
		if (r->cap_seen >= SEEN_MAX)
			return cs_err_set(r->err, CS_ETOOBIG, "the value is too big for this schema: over %d members and items "
					  "to keep in mind; check it in parts", SEEN_MAX);
		r->cap_seen = r->cap_seen == 0 ? 64 : r->cap_seen * 2;
		r->seen = cs_xrealloc(r->seen, r->cap_seen * sizeof *r->seen);
	}
	r->seen[r->n_seen++] = seen;
	return 0;
}

int cs_seen_key(cs_run *r, const cs_frame *f, const char *key)
{
	return f->track ? push(r, (cs_seen) { .key = key }) : 0;
}

int cs_seen_items(cs_run *r, const cs_frame *f, size_t from, size_t to)
{
	return f->track && from < to ? push(r, (cs_seen) { .from = from, .to = to }) : 0;
}

/* Members by the identity of their key, items by where a range begins. */
static int cmp_seen(const void *a, const void *b)
{
	const cs_seen *x = a, *y = b;
	uintptr_t p = (uintptr_t)x->key, q = (uintptr_t)y->key;

	if (p != q)
		return p < q ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

/* Sorting is free to reorder only what is this node's own: marks of outer nodes lie below. */
static size_t sort_own(cs_run *r, const cs_frame *f)
{
	size_t n = r->n_seen - f->mark;

	if (n > 1)
		qsort(r->seen + f->mark, n, sizeof *r->seen, cmp_seen);
	return n;
}

int cs_eval_unevaluated_members(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = sort_own(r, f), mark = f->mark;
	int ok = 1;
	const char *key;
	json_t *v;

	if (cs_schema_step_run(r, n) < 0)
		return CS_ETOOBIG;
	json_object_foreach((json_t *)f->value, key, v) {
		cs_seen want = { .key = key };

		if (n > 0 && bsearch(&want, r->seen + mark, n, sizeof want, cmp_seen) != NULL)
			continue;
		int rc = k->kids[0]->never ? cs_fail_unknown(r, f, k, key) : cs_run_member(r, f, k->kids[0], key, v);

		if (rc < 0 || (rc == 0 && !r->gather))
			return rc;
		ok &= rc;
		if ((rc = cs_seen_key(r, f, key)) < 0)
			return rc;
	}
	return ok;
}

int cs_eval_unevaluated_items(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = sort_own(r, f), next = 0, total = json_array_size(f->value);
	int ok = 1;

	if (cs_schema_step_run(r, n) < 0)
		return CS_ETOOBIG;
	for (size_t i = 0; i < total; i++) {
		while (next < n && r->seen[f->mark + next].to <= i)
			next++;
		if (next < n && r->seen[f->mark + next].from <= i)
			continue;
		int rc = k->kids[0]->never ? cs_fail(r, f, k, "item %zu is not allowed here", i + 1)
					   : cs_schema_item_run(r, f, k->kids[0], i, json_array_get(f->value, i));
		if (rc < 0 || (rc == 0 && !r->gather))
			return rc;
		ok &= rc;
	}
	int rc = cs_seen_items(r, f, 0, total);

	return rc < 0 ? rc : ok;
}
