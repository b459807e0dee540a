/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The difference of two runs: what each task gave and what it did outside. */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "view/align.h"
#include "view/row.h"

/* One run's side. Steps {task, occurrence, state, value, effects} by key in order of completion. */
typedef struct side {
	json_t *steps;          /* "occurrence ref" -> step; the order is that of json_object, insertion */
	json_t *effects;        /* "occurrence ref" -> array of effects */
	json_t *run;
	const struct side *other;       /* what it is compared with; NULL */
	json_t *replayed;       /* borrowed, the steps of the other where this is its replay; NULL */
} side;

typedef struct counts {
	json_int_t same, changed, added, removed, effects_changed;
	const char *first;      /* borrowed from a row */
} counts;

/* ---- one run ------------------------------------------------------------------------------ */

static json_t *effects_at(side *s, const char *key)
{
	json_t *list = json_object_get(s->effects, key);
	if (!list) {
		list = json_array();
		json_object_set_new(s->effects, key, list);
	}
	return list;
}

static json_t *effect_json(const cs_event *ev, const char *how)
{
	return json_pack("{s:s?, s:s?, s:s?, s:s, s:s?}", "call", cs_json_str(ev->data, "call"), "digest",
			 cs_json_str(ev->data, "digest"), "class", cs_json_str(ev->data, "class"), "how", how, "key",
			 cs_json_str(ev->data, "key"));
}

/* A technical retry keeps its key: it is the same effect. */
static json_t *effect_of_key(json_t *list, const cs_event *ev)
{
	const char *key = cs_json_str(ev->data, "key");
	for (size_t i = json_array_size(list); key && i-- > 0;) {
		json_t *e = json_array_get(list, i);
		if (strcmp(cs_json_str_or(e, "key", ""), key) == 0)
			return e;
	}
	return NULL;
}

/* What is pure or only reads is done, not sent; in simulation nothing is. */
static const char *how_intended(const cs_event *ev)
{
	const char *class = cs_json_str_or(ev->data, "class", "unsafe");
	if (strcmp(class, "pure") == 0 || strcmp(class, "read") == 0)
		return "done";
	return ev->simulated ? "simulated" : "sent";
}

static void take_effect(side *s, const char *key, const cs_event *ev)
{
	static const struct { const char *type, *how; bool adds; } hows[] = {
		{ "attempt.intent", NULL, true }, { "attempt.captured", "captured", true },
		{ "attempt.reused", "reused", true }, { "attempt.failed", "failed", false },
	};
	json_t *list = effects_at(s, key), *known = effect_of_key(list, ev);
	for (size_t i = 0; i < CS_ARRAY_LEN(hows); i++) {
		if (strcmp(hows[i].type, ev->type) != 0)
			continue;
		const char *how = hows[i].how ? hows[i].how : how_intended(ev);
		if (known)
			json_object_set_new(known, "how", json_string(how));
		else if (hows[i].adds)
			json_array_append_new(list, effect_json(ev, how));
	}
}

/* What a task gave, by how it ended. One that gave on what came in has no output in the log. */
static json_t *value_of(const cs_event *ev, const char *state)
{
	json_t *v = json_object_get(ev->data, strcmp(state, "faulted") == 0 ? "error" : "output");
	if (strcmp(state, "faulted") == 0)
		return json_pack("{s:O?}", "error", v);
	if (strcmp(state, "completed") == 0)
		return v ? json_incref(v) : json_pack("{s:b}", "passed", 1);
	return json_pack("{s:b}", state, 1);
}

/* A replay begins a task as it was corrected; the tries before that, which the operator ended, are no steps of it. */
static void take_corrected(const side *s, const cs_event *ev)
{
	const char *key;
	json_t *step;
	void *next;
	json_object_foreach_safe(s->replayed, next, key, step) {
		json_int_t n = cs_json_int_or(step, "occurrence", 0);
		if (strcmp(cs_json_str_or(step, "task", ""), ev->task) == 0 && n < ev->occurrence &&
		    n >= cs_json_int_or(ev->data, "from", ev->occurrence))
			json_object_del(s->replayed, key);
	}
}

static int take_event(void *ctx, const cs_event *ev)
{
	side *s = ctx;
	static const char *const ends[] = { "completed", "skipped", "faulted", "cancelled" };
	if (s->other && strcmp(ev->type, "run.created") == 0) {
		const char *of = cs_json_str_or(ev->data, "replays", cs_json_str_or(ev->data, "parent", ""));
		s->replayed = strcmp(of, cs_json_str_or(s->other->run, "run", "-")) == 0 ? s->other->steps : NULL;
	}
	if (!ev->task)
		return 0;
	CS_AUTOFREE char *key = cs_xasprintf("%d %s", ev->occurrence, ev->task);
	if (strncmp(ev->type, "attempt.", 8) == 0)
		take_effect(s, key, ev);
	if (strcmp(ev->type, "task.corrected") == 0)
		take_corrected(s, ev);
	for (size_t i = 0; strncmp(ev->type, "task.", 5) == 0 && i < CS_ARRAY_LEN(ends); i++) {
		if (strcmp(ev->type + 5, ends[i]) != 0)
			continue;
		json_object_del(s->steps, key);   /* ended again after a retry: there it counts */
		json_object_set_new(s->steps, key, json_pack("{s:s, s:i, s:s, s:o}", "task", ev->task, "occurrence",
							     ev->occurrence, "state", ends[i], "value", value_of(ev, ends[i])));
	}
	return 0;
}

static int load(cs_reader *r, const char *run, side *s, cs_err *err)
{
	int rc = cs_view_run(r, run, &s->run, err);
	return rc ? rc : cs_reader_events(r, run, 1, INT64_MAX, take_event, s, err);
}

/* ---- two runs ------------------------------------------------------------------------------- */

static json_t *effects_of(const side *s, const char *key)
{
	json_t *list = json_object_get(s->effects, key);
	return list ? json_incref(list) : json_array();
}

/* By what was done, not by whether it left: a replay captures everything. */
static bool same_effects(const json_t *a, const json_t *b)
{
	if (json_array_size(a) != json_array_size(b))
		return false;
	static const char *const members[] = { "call", "digest" };
	for (size_t i = 0; i < json_array_size(a); i++) {
		for (size_t m = 0; m < CS_ARRAY_LEN(members); m++) {
			if (!json_equal(json_object_get(json_array_get(a, i), members[m]),
					json_object_get(json_array_get(b, i), members[m])))
				return false;
		}
	}
	return true;
}

static void add_row(json_t *rows, counts *c, const char *change, const json_t *step, json_t *old_value, json_t *new_value,
		    json_t *effects)
{
	json_t *row = json_pack("{s:s, s:i, s:s, s:o, s:o, s:o}", "task", cs_json_str(step, "task"), "occurrence",
				(int)cs_json_int_or(step, "occurrence", 0), "change", change, "old", old_value, "new", new_value,
				"effects", effects);
	json_array_append_new(rows, row);
	if (strcmp(change, "same") != 0 && !c->first)
		c->first = cs_json_str(row, "task");
}

static void one_sided(json_t *rows, counts *c, const side *s, const char *key, const json_t *step, bool added)
{
	json_t *value = json_incref(json_object_get(step, "value"));
	json_t *effects = effects_of(s, key);
	if (json_array_size(effects))
		c->effects_changed++;
	if (added) {
		c->added++;
		add_row(rows, c, "added", step, json_null(), value, json_pack("{s:[], s:o}", "old", "new", effects));
	} else {
		c->removed++;
		add_row(rows, c, "removed", step, value, json_null(), json_pack("{s:o, s:[]}", "old", effects, "new"));
	}
}

static void both(json_t *rows, counts *c, const side *old, const side *new, const char *key)
{
	const json_t *a = json_object_get(old->steps, key), *b = json_object_get(new->steps, key);
	json_t *va = json_object_get(a, "value"), *vb = json_object_get(b, "value");
	json_t *ea = effects_of(old, key), *eb = effects_of(new, key);
	bool effects = same_effects(ea, eb);
	bool same = effects && json_equal(json_object_get(a, "state"), json_object_get(b, "state")) && cs_json_equal(va, vb);
	*(same ? &c->same : &c->changed) += 1;
	c->effects_changed += !effects;
	add_row(rows, c, same ? "same" : "changed", b, json_incref(va), json_incref(vb),
		json_pack("{s:o, s:o}", "old", ea, "new", eb));
}

static const char **keys_of(const json_t *steps, size_t *ret_n)
{
	const char **keys = cs_xcalloc(json_object_size(steps) + 1, sizeof *keys);
	const char *key;
	json_t *step;
	size_t n = 0;
	json_object_foreach((json_t *)steps, key, step)
		keys[n++] = key;
	*ret_n = n;
	return keys;
}

/* The branch of a fork in which a step stands, by the part of its reference up to it; the innermost. Steps of two
 * branches have no order. "" is the run itself. */
static char *branch_of(const json_t *step)
{
	static const char word[] = "/fork/branches/";
	const char *ref = cs_json_str_or(step, "task", ""), *end = ref;
	for (const char *p = strstr(ref, word); p; p = strstr(end, word))
		end = p + sizeof word - 1 + strcspn(p + sizeof word - 1, "/");
	return cs_xasprintf("%.*s", (int)(end - ref), ref);
}

/* One run's keys in the order of completion, and the branch of each as a number that both runs share. */
typedef struct line {
	const char **keys;
	size_t *branches;
	size_t n;
	long *pos;              /* where the two meet: the place in the other line, or -1 */
	size_t *next;           /* by branch: what is before it has been looked at */
} line;

static void line_fini(line *l)
{
	free(l->keys);
	free(l->branches);
	free(l->pos);
	free(l->next);
}

static void line_init(line *l, const side *s, json_t *numbers)
{
	l->keys = keys_of(s->steps, &l->n);
	l->branches = cs_xcalloc(l->n + 1, sizeof *l->branches);
	l->pos = cs_xcalloc(l->n + 1, sizeof *l->pos);
	for (size_t i = 0; i < l->n; i++) {
		CS_AUTOFREE char *branch = branch_of(json_object_get(s->steps, l->keys[i]));
		if (!json_object_get(numbers, branch))
			json_object_set_new(numbers, branch, json_integer((json_int_t)json_object_size(numbers)));
		l->branches[i] = (size_t)json_integer_value(json_object_get(numbers, branch));
		l->pos[i] = -1;
	}
}

/* The steps of one branch, aligned: the order among those of others is no difference. */
static void align_branch(line *new, const line *old, const json_t *at, size_t branch)
{
	CS_AUTOFREE size_t *which = cs_xcalloc(new->n + 1, sizeof *which);
	CS_AUTOFREE long *pos = cs_xcalloc(new->n + 1, sizeof *pos);
	size_t n = 0;
	for (size_t i = 0; i < new->n; i++) {
		if (new->branches[i] != branch)
			continue;
		const json_t *p = json_object_get(at, new->keys[i]);
		which[n] = i;
		pos[n++] = p ? (long)json_integer_value(p) : -1;
	}
	cs_align(pos, n);
	for (size_t i = 0; i < n; i++) {
		new->pos[which[i]] = pos[i];
		if (pos[i] >= 0)
			old->pos[pos[i]] = (long)which[i];
	}
}

static void align_lines(line *old, line *new, size_t branches)
{
	CS_AUTOJSON json_t *at = json_object();
	for (size_t i = 0; i < old->n; i++)
		json_object_set_new(at, old->keys[i], json_integer((json_int_t)i));
	for (size_t i = 0; i < branches; i++)
		align_branch(new, old, at, i);
	old->next = cs_xcalloc(branches + 1, sizeof *old->next);
}

/* What the old run alone has of BRANCH up to the next step of it that both have. */
static void removed(json_t *rows, counts *c, const side *s, line *old, size_t branch)
{
	size_t i = old->next[branch];
	for (; i < old->n && (old->branches[i] != branch || old->pos[i] < 0); i++)
		if (old->branches[i] == branch)
			one_sided(rows, c, s, old->keys[i], json_object_get(s->steps, old->keys[i]), false);
	old->next[branch] = i;
}

/* In the order of the new run; what was removed stands before what came in its place. */
static void align(json_t *rows, counts *c, const side *old, const side *new)
{
	CS_CLEANUP(line_fini) line a = { .n = 0 };
	CS_CLEANUP(line_fini) line b = { .n = 0 };
	CS_AUTOJSON json_t *numbers = json_object();
	line_init(&a, old, numbers);
	line_init(&b, new, numbers);
	size_t branches = json_object_size(numbers);
	align_lines(&a, &b, branches);
	for (size_t i = 0; i < b.n; i++) {
		size_t branch = b.branches[i];
		removed(rows, c, old, &a, branch);
		if (b.pos[i] < 0) {
			one_sided(rows, c, new, b.keys[i], json_object_get(new->steps, b.keys[i]), true);
		} else {
			both(rows, c, old, new, b.keys[i]);
			a.next[branch] = (size_t)b.pos[i] + 1;
		}
	}
	for (size_t i = 0; i < branches; i++)
		removed(rows, c, old, &a, i);
}

/* ---- the summary ----------------------------------------------------------------------------- */

static json_int_t count_effects(const side *s, const char *how)
{
	json_int_t n = 0;
	const char *key;
	json_t *list, *e;
	json_object_foreach(s->effects, key, list) {
		size_t i;
		json_array_foreach(list, i, e)
			n += !how || strcmp(cs_json_str_or(e, "how", ""), how) == 0;
	}
	return n;
}

static json_int_t time_of(const json_t *run)
{
	int64_t from, to;
	const char *started = cs_json_str(run, "started"), *ended = cs_json_str(run, "ended");
	if (!started || !ended || cs_time_parse(started, &from, NULL) || cs_time_parse(ended, &to, NULL))
		return 0;
	return to - from;
}

static json_t *summary_of(const side *old, const side *new, const counts *c)
{
	bool same_output = cs_json_equal(json_object_get(old->run, "output"), json_object_get(new->run, "output"));
	json_t *steps = json_pack("{s:I, s:I, s:I, s:I}", "same", c->same, "changed", c->changed, "added", c->added, "removed", c->removed);
	json_t *effects = json_pack("{s:I, s:I, s:{s:I, s:I}, s:I}", "old", count_effects(old, NULL), "new",
				    count_effects(new, NULL), "sent", "old", count_effects(old, "sent"), "new",
				    count_effects(new, "sent"), "changed", c->effects_changed);
	json_t *cost = json_pack("{s:O, s:O}", "old", json_object_get(old->run, "cost"), "new", json_object_get(new->run, "cost"));
	json_t *state = json_pack("{s:O, s:O}", "old", json_object_get(old->run, "state"), "new", json_object_get(new->run, "state"));
	json_t *time = json_pack("{s:I, s:I}", "old", time_of(old->run), "new", time_of(new->run));
	json_t *changed = json_pack("{s:I, s:I}", "old", (json_int_t)json_array_size(json_object_get(old->run, "changes")), "new",
				    (json_int_t)json_array_size(json_object_get(new->run, "changes")));
	return json_pack("{s:{s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:s}}", "summary", "corrections", changed, "steps", steps, "effects", effects, "cost", cost,
			 "time", time, "state", state, "first", c->first, "output", same_output ? "same" : "changed");
}

static int compare(cs_reader *r, const char *old_run, const char *new_run, side *old, side *new, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	int rc = cs_view_take(&hold, r, err);
	if (!rc)
		rc = load(r, old_run, old, err);
	if (!rc)
		rc = load(r, new_run, new, err);
	if (rc)
		return rc;
	counts c = { 0 };
	json_t *rows = json_array();
	align(rows, &c, old, new);
	json_array_append_new(rows, summary_of(old, new, &c));
	*ret = rows;
	return CS_OK;
}

int cs_view_diff(cs_reader *r, const char *old_run, const char *new_run, json_t **ret, cs_err *err)
{
	side old = { .steps = json_object(), .effects = json_object() }, new = { .steps = json_object(), .effects = json_object(), .other = &old };
	int rc = compare(r, old_run, new_run, &old, &new, ret, err);
	side *sides[] = { &old, &new };
	for (size_t i = 0; i < CS_ARRAY_LEN(sides); i++) {
		json_decref(sides[i]->steps);
		json_decref(sides[i]->effects);
		json_decref(sides[i]->run);
	}
	return rc;
}
