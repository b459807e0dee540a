/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keywords whose subschemas see the same value: references and logic (Core 2020-12, sections
 * 8.2.3 and 10.2). */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

/* Runs NODE without wanting to know why it fails. */
static int quietly(cs_run *r, const cs_frame *f, const cs_node *node, bool track)
{
	bool gather = r->gather;

	r->gather = false;
	int rc = cs_run_here(r, f, node, track);

	r->gather = gather;
	return rc;
}

int cs_eval_ref(cs_run *r, const cs_frame *f, const cs_check *k)
{
	return cs_run_here(r, f, k->kids[0], f->track);
}

/* The outermost resource entered so far that has a $dynamicAnchor of this name. */
static const cs_node *dynamic_target(const cs_frame *f, const cs_check *k)
{
	const cs_node *to = k->kids[0];

	for (const cs_scope *s = f->scope; k->extra != NULL && s != NULL; s = s->up)
		for (const cs_anchor *a = s->resource->dynamic; a != NULL; a = a->next)
			if (strcmp(a->name, k->extra) == 0)
				to = a->node;
	return to;
}

int cs_eval_dynamic_ref(cs_run *r, const cs_frame *f, const cs_check *k)
{
	const cs_node *to = dynamic_target(f, k);

	for (const cs_frame *p = f; p != NULL; p = p->moved ? NULL : p->up)
		if (p->node == to)
			return cs_err_set(r->err, CS_EINVAL, "schema %.300s/$dynamicRef: leads back to itself without going into the "
					  "value; it can not be decided", f->node->at);
	return cs_run_here(r, f, to, f->track);
}

int cs_eval_all(cs_run *r, const cs_frame *f, const cs_check *k)
{
	int ok = 1;

	for (size_t i = 0; i < k->n; i++) {
		int rc = cs_run_here(r, f, k->kids[i], f->track);

		if (rc < 0)
			return rc;
		ok &= rc;
		if (rc == 0 && cs_run_enough(r))
			return 0;
	}
	return ok;
}

/* -- anyOf, oneOf: why does none fit? ----------------------------------------------------- */

/* Of several forms that do not fit, the one that was probably meant is told about: not one
 * whose tag or type says that it is another; then the one whose errors lie deepest in the
 * value, then the one with fewest. When there is no telling them apart, one error names what
 * each of them wants. */
typedef struct best {
	size_t from, n;          /* its faults, all there are from FROM on */
	size_t depth;            /* of the value itself */
	size_t score;
	size_t tied;             /* forms that are as good */
	bool musts;              /* all tied ones say "must …; is …" of the value itself */
	cs_buf wants, must;      /* what they say first: whole, and what they must */
} best;

enum { WANTS_SHOWN = 4 };

static void forget(best *b)
{
	b->tied = 0;
	b->musts = true;
	cs_buf_reset(&b->wants);
	cs_buf_reset(&b->must);
}

static void want(best *b, const cs_fault *fault)
{
	const char *must = fault->must;

	if (b->tied > 0 && strstr(cs_buf_str(&b->wants), fault->e.message) != NULL)
		return;
	b->musts &= must != NULL && fault->depth == b->depth;
	if (b->tied++ >= WANTS_SHOWN)
		return;
	cs_buf_adds(&b->wants, b->wants.len > 0 ? "; or " : "");
	cs_buf_adds(&b->wants, fault->e.message);
	if (!b->musts)
		return;
	/* "be text", "be a list": one "be" is enough. */
	if (b->must.len > 0 && strncmp(cs_buf_str(&b->must), "be ", 3) == 0 && strncmp(must, "be ", 3) == 0)
		must += 3;
	cs_buf_adds(&b->must, b->must.len > 0 ? ", or " : "");
	cs_buf_adds(&b->must, must);
}

static size_t score_one(const best *b, const cs_fault *fault)
{
	size_t below = fault->depth - b->depth;

	if ((fault->sort == CS_SORT_TAG && below <= 1) || (fault->sort == CS_SORT_KIND && below == 0))
		return 0;
	return 1 + 2 * below + (fault->sort == CS_SORT_DETAIL);
}

static size_t score(const cs_run *r, const best *b, size_t from)
{
	size_t low = SIZE_MAX;

	for (size_t i = from; i < r->n_faults; i++) {
		size_t s = score_one(b, &r->faults[i]);

		low = s < low ? s : low;
	}
	return low;
}

/* The form just tried has left its faults from FROM on; the better of both stays. */
static void weigh(cs_run *r, best *b, size_t from)
{
	size_t n = r->n_faults - from, s = score(r, b, from);

	if (n == 0)
		return;
	if (b->n > 0 && (s < b->score || (s == b->score && n > b->n))) {
		cs_faults_drop(r, from, r->n_faults);
	} else if (b->n > 0 && s == b->score && n == b->n) {
		want(b, &r->faults[from]);
		cs_faults_drop(r, from, r->n_faults);
	} else {
		cs_faults_drop(r, b->from, from);
		b->n = n;
		b->score = s;
		forget(b);
		want(b, &r->faults[b->from]);
	}
}

static int none_fits(cs_run *r, const cs_frame *f, const cs_check *k, best *b)
{
	if (b->tied <= 1)
		return 0;
	cs_faults_drop(r, b->from, r->n_faults);
	if (b->musts && b->tied <= WANTS_SHOWN)
		return cs_fail_must(r, f, k, CS_SORT_KIND, cs_buf_str(&b->must));
	return cs_fail(r, f, k, "fits none of the forms it may have: %s%s", cs_buf_str(&b->wants), b->tied > WANTS_SHOWN ? "; …" : "");
}

/* Runs the forms until LIMIT of them fit (all, when what they see is wanted); how many did. */
static int forms(cs_run *r, const cs_frame *f, const cs_check *k, size_t limit, best *b, size_t *ret_fit)
{
	size_t fit = 0, floor = r->floor;
	int rc = 0;

	for (size_t i = 0; i < k->n && rc >= 0 && (f->track || fit < limit); i++) {
		size_t from = r->floor = r->n_faults;

		rc = cs_run_here(r, f, k->kids[i], f->track);
		if (rc > 0) {
			fit++;
			cs_faults_drop(r, b->from, r->n_faults);
		} else if (rc == 0 && fit == 0) {
			weigh(r, b, from);
		} else {
			cs_faults_drop(r, from, r->n_faults);
		}
	}
	r->floor = floor;
	*ret_fit = fit;
	return rc < 0 ? rc : 0;
}

static int choose(cs_run *r, const cs_frame *f, const cs_check *k, size_t limit, size_t *ret_fit)
{
	best b = { .from = r->n_faults };

	cs_buf_init(&b.wants, 4096);
	cs_buf_init(&b.must, 4096);
	for (const cs_frame *p = f; p != NULL; p = p->up)
		b.depth += p->moved;
	int rc = forms(r, f, k, limit, &b, ret_fit);

	if (rc == 0 && *ret_fit == 0)
		rc = none_fits(r, f, k, &b);
	cs_buf_fini(&b.wants);
	cs_buf_fini(&b.must);
	if (r->n_faults - r->floor > r->max)
		cs_faults_drop(r, r->floor + r->max, r->n_faults);
	return rc;
}

int cs_eval_any(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t fit = 0;
	int rc = choose(r, f, k, 1, &fit);

	return rc < 0 ? rc : fit > 0;
}

int cs_eval_one(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t fit = 0;
	int rc = choose(r, f, k, 2, &fit);

	if (rc < 0 || fit <= 1)
		return rc < 0 ? rc : fit == 1;
	return cs_fail(r, f, k, "fits more than one of the %zu forms it may have; it must be clear which one is meant", k->n);
}

/* -- not, if, dependencies ---------------------------------------------------------------- */

int cs_eval_not(cs_run *r, const cs_frame *f, const cs_check *k)
{
	int rc = quietly(r, f, k->kids[0], false);

	if (rc <= 0)
		return rc < 0 ? rc : 1;
	const cs_check *required = cs_schema_beside(k->kids[0], "required");

	if (k->kids[0]->n == 1 && required != NULL && json_array_size(required->value) == 1) {
		CS_AUTOFREE char *name = cs_schema_shown(json_array_get(required->value, 0));

		return cs_fail(r, f, k, "must not have %s", name);
	}
	return cs_fail_must(r, f, k, CS_SORT_TAG, "not be of a form that is ruled out here");
}

int cs_eval_if(cs_run *r, const cs_frame *f, const cs_check *k)
{
	int rc = quietly(r, f, k->kids[0], f->track);
	const cs_node *then = rc > 0 ? k->kids[1] : k->kids[2];

	if (rc < 0)
		return rc;
	return then != NULL ? cs_run_here(r, f, then, f->track) : 1;
}

static int names_beside(cs_run *r, const cs_frame *f, const cs_check *k, const char *key, const json_t *names)
{
	size_t i;
	json_t *name;
	int ok = 1;

	json_array_foreach(names, i, name) {
		if (json_object_get(f->value, json_string_value(name)) != NULL)
			continue;
		CS_AUTOFREE char *missing = cs_schema_shown(name);

		ok = cs_fail(r, f, k, "%s is missing: it goes with \"%.80s\"", missing, key);
		if (ok < 0 || cs_run_enough(r))
			return ok;
	}
	return ok;
}

int cs_eval_dependent(cs_run *r, const cs_frame *f, const cs_check *k)
{
	int ok = 1;

	for (size_t i = 0; i < k->n; i++) {
		if (json_object_get(f->value, k->keys[i]) == NULL)
			continue;
		int rc = k->kids[i] != NULL ? cs_run_here(r, f, k->kids[i], f->track)
			: names_beside(r, f, k, k->keys[i], json_object_get(k->value, k->keys[i]));

		if (rc < 0 || (rc == 0 && cs_run_enough(r)))
			return rc;
		ok &= rc;
	}
	return ok;
}

int cs_eval_dependent_required(cs_run *r, const cs_frame *f, const cs_check *k)
{
	const char *key;
	json_t *names;
	int ok = 1;

	json_object_foreach((json_t *)k->value, key, names) {
		int rc = json_object_get(f->value, key) != NULL ? names_beside(r, f, k, key, names) : 1;

		if (rc < 0 || (rc == 0 && cs_run_enough(r)))
			return rc;
		ok &= rc;
	}
	return ok;
}
