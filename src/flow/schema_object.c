/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keywords about the members of objects (Core 2020-12, section 10.3.2; Validation, 6.5). */
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/schema_in.h"

int cs_eval_max_members(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = json_object_size(f->value);

	return n <= k->count ? 1 : cs_fail(r, f, k, "must have at most %zu key%s; has %zu", k->count, k->count == 1 ? "" : "s", n);
}

int cs_eval_min_members(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t n = json_object_size(f->value);

	return n >= k->count ? 1 : cs_fail(r, f, k, "must have at least %zu key%s; has %zu", k->count, k->count == 1 ? "" : "s", n);
}

int cs_eval_required(cs_run *r, const cs_frame *f, const cs_check *k)
{
	size_t i;
	json_t *name;
	int ok = 1;

	json_array_foreach(k->value, i, name) {
		if (json_object_get(f->value, json_string_value(name)) != NULL)
			continue;
		CS_AUTOFREE char *missing = cs_schema_shown(name);

		ok = cs_fail(r, f, k, "%s is missing", missing);
		if (ok < 0 || cs_run_enough(r))
			return ok;
	}
	return ok;
}

int cs_eval_properties(cs_run *r, const cs_frame *f, const cs_check *k)
{
	json_t *object = (json_t *)f->value;
	int ok = 1;

	for (size_t i = 0; i < k->n; i++) {
		void *at = json_object_iter_at(object, k->keys[i]);

		if (at == NULL)
			continue;
		/* The value's own copy of the key is what tells members apart. */
		const char *key = json_object_iter_key(at);
		int rc = cs_seen_key(r, f, key);

		if (rc >= 0)
			rc = cs_run_member(r, f, k->kids[i], key, json_object_iter_value(at));
		if (rc < 0 || (rc == 0 && cs_run_enough(r)))
			return rc;
		ok &= rc;
	}
	return ok;
}

/* 1, 0 or negative: does KEY match pattern I? */
static int matches(cs_run *r, const cs_check *k, size_t i, const char *key)
{
	if (cs_schema_step_run(r, 1) < 0)
		return CS_ETOOBIG;
	int rc = cs_regex_match(k->regexes[i], key, strlen(key), 0, NULL, NULL);

	return rc >= 0 ? rc : cs_err_set(r->err, rc, "the pattern %.200s takes too long on a key of %zu characters; write a simpler one",
					 k->keys[i], strlen(key));
}

static int member_patterns(cs_run *r, const cs_frame *f, const cs_check *k, const char *key, const json_t *v)
{
	int ok = 1;

	for (size_t i = 0; i < k->n; i++) {
		int rc = matches(r, k, i, key);

		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		rc = cs_seen_key(r, f, key);
		if (rc >= 0)
			rc = cs_run_member(r, f, k->kids[i], key, v);
		if (rc < 0 || (rc == 0 && cs_run_enough(r)))
			return rc;
		ok &= rc;
	}
	return ok;
}

int cs_eval_patterns(cs_run *r, const cs_frame *f, const cs_check *k)
{
	const char *key;
	json_t *v;
	int ok = 1;

	json_object_foreach((json_t *)f->value, key, v) {
		int rc = member_patterns(r, f, k, key, v);

		if (rc < 0 || (rc == 0 && cs_run_enough(r)))
			return rc;
		ok &= rc;
	}
	return ok;
}

/* 1 when `properties` or `patternProperties` beside it speaks of KEY. */
static int spoken_of(cs_run *r, const cs_check *k, const char *key)
{
	int rc = k->near != NULL && json_object_get(k->near->value, key) != NULL;

	for (size_t i = 0; k->by != NULL && i < k->by->n && rc == 0; i++)
		rc = matches(r, k->by, i, key);
	return rc;
}

int cs_eval_additional(cs_run *r, const cs_frame *f, const cs_check *k)
{
	const char *key;
	json_t *v;
	int ok = 1;

	json_object_foreach((json_t *)f->value, key, v) {
		int rc = spoken_of(r, k, key);

		if (rc < 0)
			return rc;
		if (rc > 0)
			continue;
		rc = cs_seen_key(r, f, key);
		if (rc >= 0)
			rc = k->kids[0]->never ? cs_fail_unknown(r, f, k, key) : cs_run_member(r, f, k->kids[0], key, v);
		if (rc < 0 || (rc == 0 && cs_run_enough(r)))
			return rc;
		ok &= rc;
	}
	return ok;
}

/* A key is checked as if it were text standing where its value stands; the reason is then
 * said of the name. */
static int one_name(cs_run *r, const cs_frame *f, const cs_check *k, const char *key)
{
	CS_AUTOJSON json_t *name = json_string(key);
	size_t from = r->n_faults, floor = r->floor;

	if (name == NULL)
		return cs_err_set(r->err, CS_ENOMEM, "out of memory");
	r->floor = from;
	int rc = cs_run_member(r, f, k->kids[0], key, name);

	r->floor = floor;
	if (rc != 0 || !r->gather)
		return rc;
	CS_AUTOFREE char *why = cs_xstrdup(r->n_faults > from ? r->faults[from].e.message : "is not allowed");
	CS_AUTOFREE char *shown = cs_schema_shown(name);

	cs_faults_drop(r, from, r->n_faults);
	return cs_fail(r, f, k, "the key %s: %s", shown, why);
}

int cs_eval_names(cs_run *r, const cs_frame *f, const cs_check *k)
{
	const char *key;
	json_t *v;
	int ok = 1;

	json_object_foreach((json_t *)f->value, key, v) {
		int rc = one_name(r, f, k, key);

		if (rc < 0 || (rc == 0 && cs_run_enough(r)))
			return rc;
		ok &= rc;
	}
	return ok;
}
