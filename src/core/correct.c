/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/correct.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/adopt.h"
#include "core/fold.h"
#include "core/record.h"

enum {
	OLD_MAX = 65536,                 /* bytes of a value that was there before; a larger one is in the log anyway */
	OPEN_MAX = 1024,                 /* changes of tasks that are not done, in one run */
};

/* A task where the run rests: next to begin in SEQ, or a call that only waits to be let out. */
typedef struct place {
	const cs_frame *seq;
	const cs_task *task;
	const cs_call *call;         /* NULL: it is not begun */
} place;

typedef struct places {
	place *list;
	size_t n, faulted;           /* the faulted ones stand first */
} places;

static void places_fini(places *p)
{
	free(p->list);
}

/* ---- where it rests ---------------------------------------------------------------------------------------- */

static void add_place(places *p, const place *one)
{
	size_t at = p->n++;
	if (one->seq->fault != NULL) {
		at = p->faulted++;
		memmove(p->list + at + 1, p->list + at, (p->n - 1 - at) * sizeof *p->list);
	}
	p->list[at] = *one;
}

static void gather(const cs_run *r, const cs_frame *f, places *p)
{
	if (f == NULL)
		return;
	if (f->call != NULL) {
		if (cs_call_only_asked(f->call))
			add_place(p, &(place){ .seq = f->parent, .task = f->task, .call = f->call });
		return;
	}
	if (f->child == NULL && f->kids == NULL && f->next >= 0 && !r->ending)
		add_place(p, &(place){ .seq = f, .task = &r->flow->tasks[f->next] });
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		gather(r, f->kids[i], p);
	gather(r, f->child, p);
}

static const cs_task *meant(const cs_run *r, const place *p)
{
	return cs_flow_extended(r->flow, p->task);
}

static bool is_named(const cs_run *r, const place *p, const char *from)
{
	const cs_task *t = meant(r, p);
	return strcmp(t->ref, from) == 0 || strcmp(t->name, from) == 0;
}

static int which(const cs_run *r, const places *p, const char *said, cs_err *err)
{
	CS_AUTOBUF cs_buf names;
	cs_buf_init(&names, 400);
	for (size_t i = 0; i < p->n; i++)
		(void)cs_buf_addf(&names, "%s%s", i > 0 ? ", " : "", meant(r, &p->list[i])->name);
	if (p->n == 0)
		return cs_err_set(err, CS_EREFUSED, "%s: no task of the run is about to begin; correct its context or its flow", said);
	return cs_err_set(err, CS_EREFUSED, "%s: the run rests at %s; what came before is done, and what comes later is made "
			  "from what comes in there", said, cs_buf_str(&names));
}

static int choose(const cs_run *r, const places *p, const char *from, const place **ret, cs_err *err)
{
	const place *found = NULL;
	size_t n = from == NULL && p->faulted > 0 ? p->faulted : p->n;
	for (size_t i = 0; i < n; i++) {
		if (from != NULL && !is_named(r, &p->list[i], from))
			continue;
		if (found != NULL)
			return which(r, p, "say with --from TASK which one is meant", err);
		found = &p->list[i];
	}
	if (found == NULL && from != NULL) {
		CS_AUTOFREE char *said = cs_xasprintf("the task %.200s cannot be corrected", from);
		return which(r, p, said, err);
	}
	if (found == NULL)
		return which(r, p, "there is nothing to put it into", err);
	*ret = found;
	return CS_OK;
}

/* ---- one change -------------------------------------------------------------------------------------------- */

static const char *plain_path(const json_t *change)
{
	const char *path = cs_json_str_or(change, "path", "");
	return strcmp(path, ".") == 0 ? "" : path;
}

static int put(json_t **value, const json_t *change, cs_err *err)
{
	json_t *next = NULL;
	if (plain_path(change)[0] == '\0') {
		cs_json_put(value, json_object_get(change, "value"));
		return CS_OK;
	}
	int rc = cs_json_with_path(*value, plain_path(change), json_object_get(change, "value"), &next, err);
	if (rc != CS_OK)
		return rc;
	json_decref(*value);
	*value = next;
	return CS_OK;
}

/* A call that goes on with the run that it had is called with nothing new. */
static int goes_on(const cs_step *s, const place *p, cs_err *err)
{
	cs_sub_state st = { 0 };
	CS_AUTOJSON json_t *end = NULL;
	if (p->task->kind != CS_TASK_RUN || p->seq->sub_again[0] == '\0' || s->sub_look == NULL)
		return CS_OK;
	int rc = s->sub_look(s->ctx, p->seq->sub_again, &st, &end, err);
	bool dead = st.state == CS_RUN_CANCELLED || st.state == CS_RUN_COMPENSATED || (st.state == CS_RUN_FAULTED && !st.can_retry);
	if (rc == CS_ENOTFOUND || (rc == CS_OK && dead))
		return CS_OK;
	return rc != CS_OK ? rc : cs_err_set(err, CS_EREFUSED, "the task %s goes on with the run %s that it has started: correct that one",
					     p->task->name, p->seq->sub_again);
}

static bool is_called(const cs_task *t)
{
	return t->kind == CS_TASK_CALL || (t->body != NULL && (t->kind == CS_TASK_RUN || t->kind == CS_TASK_DO));
}

/* What is there now, where it is known; new reference, NULL: it is not. */
static json_t *present(const cs_run *r, const char *in, const cs_task *t, const place *p)
{
	json_t *value = strcmp(in, "input") == 0 ? p->seq->last : p->call != NULL ? p->call->args : NULL;
	if (value == NULL)
		return NULL;
	json_incref(value);
	if (strcmp(in, "input") == 0 && cs_correct_apply(r, in, t, &value, NULL) != CS_OK)
		json_decref(CS_STEAL(value));
	return value;
}

static void keep_old(json_t *entry, const json_t *before, const json_t *change)
{
	const char *path = plain_path(change);
	json_t *old = path[0] != '\0' ? cs_json_get_path(before, path) : NULL;
	if (old != NULL && json_dumpb(old, NULL, 0, JSON_ENCODE_ANY | JSON_COMPACT) <= OLD_MAX)
		json_object_set(entry, "old", old);
}

/* What a built-in is given goes into events: it is held to the built-in's table now. NOW: all of it as it would be;
 * NULL: only CHANGE is known, which a part of a member does not show. */
static int fits(const cs_task *t, json_t *now, const json_t *change, cs_err *err)
{
	CS_AUTOJSON json_t *only = json_object();
	cs_err why = { 0 };
	if (t->kind != CS_TASK_CALL || (now == NULL && strchr(plain_path(change), '.') != NULL))
		return CS_OK;
	int rc = now == NULL ? put(&only, change, &why) : CS_OK;
	if (rc == CS_OK)
		rc = cs_function_builtin_args(t->call, now != NULL ? now : only, now == NULL && plain_path(change)[0] != '\0', &why);
	return rc == CS_OK ? CS_OK : cs_err_set(err, CS_EINVAL, "the task %s cannot be given that: %.300s; nothing was changed", t->name, why.msg);
}

static int change_data(const cs_run *r, const cs_step *s, const place *p, const json_t *change, json_t *entry, cs_err *err)
{
	const char *in = cs_json_str_or(change, "in", "");
	const cs_task *t = strcmp(in, "with") == 0 ? meant(r, p) : p->task;
	if (strcmp(in, "with") == 0 && !is_called(t))
		return cs_err_set(err, CS_EINVAL, "the task %s calls nothing that could be given something: correct its input", t->name);
	int rc = goes_on(s, p, err);
	if (rc != CS_OK)
		return rc;
	json_object_set_new(entry, "task", json_string(t->ref));
	CS_AUTOJSON json_t *now = present(r, in, t, p);
	keep_old(entry, now, change);
	rc = now != NULL ? put(&now, change, err) : CS_OK;
	return rc == CS_OK && strcmp(in, "with") == 0 ? fits(t, now, change, err) : rc;
}

static void show(json_t *into, const char *name, json_t *value)
{
	CS_AUTOJSON json_t *mine = value;
	if (mine != NULL && json_dumpb(mine, NULL, 0, JSON_ENCODE_ANY | JSON_COMPACT) <= OLD_MAX)
		json_object_set(into, name, mine);
}

json_t *cs_correct_look(const cs_run *r)
{
	CS_CLEANUP(places_fini) places all = { .list = cs_xcalloc((size_t)r->flow->n_tasks + 1, sizeof(place)) };
	json_t *list = json_array(), *o = json_pack("{s:o}", "places", list);
	if (r->start != NULL)
		gather(r, r->root, &all);
	for (size_t i = 0; i < all.n; i++) {
		const cs_task *t = meant(r, &all.list[i]);
		json_t *one = json_pack("{s:s, s:s}", "task", t->ref, "name", t->name);
		json_array_append_new(list, one);
		show(one, "input", present(r, "input", all.list[i].task, &all.list[i]));
		show(one, "with", present(r, "with", t, &all.list[i]));
	}
	show(o, "context", json_incref(r->context));
	return o;
}

static int check_shape(const cs_run *r, const json_t *changes, cs_err *err)
{
	static const char *const ins[] = { "input", "with", "context" };
	size_t i, k;
	json_t *change;
	if (!json_is_array(changes) || json_array_size(changes) > CS_CORRECT_CHANGES)
		return cs_err_set(err, CS_EINVAL, "a correction has at most %d changes; make it in two", CS_CORRECT_CHANGES);
	if (json_array_size(r->corrections) + json_array_size(changes) > OPEN_MAX)
		return cs_err_set(err, CS_EREFUSED, "%d changes wait for their tasks in this run already; let it go on first", OPEN_MAX);
	json_array_foreach(changes, i, change) {
		const char *in = cs_json_str_or(change, "in", "");
		for (k = 0; k < CS_ARRAY_LEN(ins) && strcmp(ins[k], in) != 0; k++)
			;
		if (k == CS_ARRAY_LEN(ins) || cs_json_str(change, "path") == NULL || json_object_get(change, "value") == NULL)
			return cs_err_set(err, CS_EINVAL, "a change is {in: input|with|context, path, value}");
	}
	if (json_dumpb(changes, NULL, 0, JSON_COMPACT) > CS_CORRECT_MAX)
		return cs_err_set(err, CS_EINVAL, "a correction is at most %d bytes", CS_CORRECT_MAX);
	return CS_OK;
}

/* ---- what is begun again ----------------------------------------------------------------------------------- */

static bool speaks_of_context(const json_t *v)
{
	const char *name;
	size_t i;
	json_t *one;
	if (json_is_string(v))
		return strstr(json_string_value(v), "$context") != NULL;
	json_object_foreach((json_t *)(uintptr_t)v, name, one)
		if (speaks_of_context(one))
			return true;
	json_array_foreach(v, i, one)
		if (speaks_of_context(one))
			return true;
	return false;
}

static int begin_again(const cs_run *r, const place *p, json_t *again, cs_err *err)
{
	if (p->call == NULL || cs_json_lists(again, p->task->ref))
		return CS_OK;
	json_array_append_new(again, json_string(p->task->ref));
	return cs_adopt_may_void(r, p->call, p->task, err);
}

struct looking {
	const cs_run *r;
	const cs_step *s;
	const places *places;
	const char *from;
	json_t *patch, *again, *context;
};

static int look_at(struct looking *k, const json_t *change, cs_err *err)
{
	json_t *entry = json_copy((json_t *)(uintptr_t)change);
	json_array_append_new(k->patch, entry);
	if (strcmp(cs_json_str_or(change, "in", ""), "context") != 0) {
		const place *p = NULL;
		int rc = choose(k->r, k->places, k->from, &p, err);
		if (rc == CS_OK)
			rc = change_data(k->r, k->s, p, change, entry, err);
		return rc == CS_OK ? begin_again(k->r, p, k->again, err) : rc;
	}
	keep_old(entry, k->context, change);
	int rc = put(&k->context, change, err);
	for (size_t i = 0; rc == CS_OK && i < k->places->n; i++)
		if (speaks_of_context(meant(k->r, &k->places->list[i])->def))
			rc = begin_again(k->r, &k->places->list[i], k->again, err);
	return rc;
}

int cs_correct_check(const cs_run *r, const cs_step *s, const char *from, const json_t *changes, json_t **ret_patch,
		     json_t **ret_again, cs_err *err)
{
	CS_CLEANUP(places_fini) places all = { .list = cs_xcalloc((size_t)r->flow->n_tasks + 1, sizeof(place)) };
	CS_AUTOJSON json_t *patch = json_array();
	CS_AUTOJSON json_t *again = json_array();
	CS_AUTOJSON json_t *context = r->context != NULL ? json_incref(r->context) : json_null();
	if (r->start == NULL)
		return cs_err_set(err, CS_EREFUSED, "its input broke the flow's schema: start a new run with another input");
	int rc = check_shape(r, changes, err);
	if (rc != CS_OK)
		return rc;
	gather(r, r->root, &all);
	struct looking k = { .r = r, .s = s, .places = &all, .from = from, .patch = patch, .again = again, .context = context };
	size_t i;
	json_t *change;
	json_array_foreach(changes, i, change) {
		rc = look_at(&k, change, err);
		context = k.context;
		if (rc != CS_OK)
			return rc;
	}
	*ret_patch = CS_STEAL(patch);
	*ret_again = CS_STEAL(again);
	return CS_OK;
}

int cs_correct_write(cs_run *r, cs_step *s, json_t *patch, const json_t *again, json_t *data, cs_err *err)
{
	CS_AUTOJSON json_t *mine = data;
	int rc = cs_adopt_void(r, s, again, "the run was corrected", err);
	if (rc != CS_OK)
		return rc;
	if (json_array_size(patch) > 0)
		json_object_set(mine, "patch", patch);
	if (json_array_size(again) > 0)
		json_object_set(mine, "again", (json_t *)(uintptr_t)again);
	return cs_run_write(r, s, "run.corrected", NULL, 0, CS_STEAL(mine), err);
}

/* ---- what it does to the run ------------------------------------------------------------------------------- */

static bool is_of(const json_t *one, const char *in, const cs_task *t)
{
	return strcmp(cs_json_str_or(one, "in", ""), in) == 0 && strcmp(cs_json_str_or(one, "task", ""), t->ref) == 0;
}

int cs_correct_apply(const cs_run *r, const char *in, const cs_task *t, json_t **value, cs_err *err)
{
	CS_AUTOJSON json_t *out = json_incref(*value);
	size_t i;
	json_t *one;
	json_array_foreach(r->corrections, i, one) {
		int rc = is_of(one, in, t) ? put(&out, one, err) : CS_OK;
		if (rc != CS_OK)
			return rc;
	}
	cs_json_put(value, out);
	return CS_OK;
}

bool cs_correct_owns(const cs_run *r, const char *in, const cs_task *t, const char *name)
{
	size_t i;
	json_t *one;
	json_array_foreach(r->corrections, i, one) {
		const char *path = plain_path(one);
		if (is_of(one, in, t) && (path[0] == '\0' || (name != NULL && strcmp(path, name) == 0)))
			return true;
	}
	return false;
}

void cs_correct_forget(cs_run *r, const cs_task *t, bool inside)
{
	size_t n = strlen(t->ref);
	for (size_t i = json_array_size(r->corrections); i-- > 0;) {
		const char *ref = cs_json_str_or(json_array_get(r->corrections, i), "task", "");
		if (strncmp(ref, t->ref, n) == 0 && (ref[n] == '/' || (ref[n] == '\0' && !inside)))
			json_array_remove(r->corrections, i);
	}
	if (r->corrections != NULL && json_array_size(r->corrections) == 0)
		json_decref(CS_STEAL(r->corrections));
}

/* A later change of the same stands for the earlier, one of the whole for all. */
static void open_correction(cs_run *r, const json_t *change)
{
	const char *path = plain_path(change);
	if (r->corrections == NULL)
		r->corrections = json_array();
	for (size_t i = json_array_size(r->corrections); i-- > 0;) {
		const json_t *one = json_array_get(r->corrections, i);
		bool same = strcmp(cs_json_str_or(one, "in", ""), cs_json_str_or(change, "in", "")) == 0 &&
			    strcmp(cs_json_str_or(one, "task", ""), cs_json_str_or(change, "task", "")) == 0;
		if (same && (path[0] == '\0' || strcmp(plain_path(one), path) == 0))
			json_array_remove(r->corrections, i);
	}
	json_array_append(r->corrections, (json_t *)(uintptr_t)change);
}

/* What was asked of jq was asked of what was there before. */
static void forget_answers(cs_frame *f)
{
	if (f == NULL)
		return;
	cs_frame_forget(f);
	for (int i = 0; f->kids != NULL && i < f->task->n_children; i++)
		forget_answers(f->kids[i]);
	forget_answers(f->child);
}

/* ---- what a replay takes over ------------------------------------------------------------------------------- */

/* What the operator sets at the task that the replay forks from is later than what was recorded. */
static void add_set(const cs_run *r, const cs_task *t, int occurrence, json_t *patch)
{
	size_t i;
	json_t *change;
	bool entered = t->wrapper >= 0 && t->wrapper != t->id;
	if (r->from == NULL || occurrence != 1 || entered || strcmp(r->from, t->ref) != 0)
		return;
	json_array_foreach(r->patch, i, change)
		json_array_append_new(patch, json_pack("{s:s, s:s, s:s, s:O}", "in", "input", "task", t->ref, "path",
						       cs_json_str_or(change, "path", ""), "value", json_object_get(change, "value")));
}

static int may_assume(const cs_run *r, const json_t *patch, cs_err *err)
{
	CS_AUTOJSON json_t *context = r->context != NULL ? json_incref(r->context) : json_null();
	size_t i;
	json_t *change;
	int rc = CS_OK;
	if (json_array_size(r->corrections) + json_array_size(patch) > OPEN_MAX)
		return cs_err_set(err, CS_EINVAL, "more than %d corrections wait for their tasks in this replay", OPEN_MAX);
	json_array_foreach(patch, i, change)
		if (rc == CS_OK && strcmp(cs_json_str_or(change, "in", ""), "context") == 0)
			rc = put(&context, change, err);
	return rc;
}

int cs_correct_recorded(const cs_run *r, const cs_task *t, json_t **ret_data, int *ret_as, cs_err *err)
{
	int occurrence = r->occurrences[t->id] + 1, as = 0;
	const json_t *known = NULL;
	CS_AUTOFREE char *key = cs_xasprintf("%s#%d", t->ref, occurrence);
	if (r->record == NULL || cs_json_lists(r->assumed, key) ||
	    cs_record_corrected(r->record, t->ref, occurrence, &known, &as) != CS_OK)
		return CS_ENOTFOUND;
	CS_AUTOJSON json_t *patch = json_copy((json_t *)(uintptr_t)known);
	add_set(r, t, occurrence, patch);
	int rc = may_assume(r, patch, err);
	if (rc != CS_OK)
		return rc;
	*ret_data = json_pack("{s:i, s:O}", "from", occurrence, "patch", patch);
	*ret_as = as > occurrence ? as : occurrence;
	return CS_OK;
}

static int open_all(cs_run *r, const json_t *patch)
{
	size_t i;
	json_t *change;
	int rc = CS_OK;
	json_array_foreach(patch, i, change) {
		if (rc == CS_OK && json_object_get(change, "value") == NULL)
			rc = CS_EINTERNAL;       /* the log of another workspace may say anything */
		if (rc != CS_OK)
			return rc;
		if (strcmp(cs_json_str_or(change, "in", ""), "context") != 0) {
			open_correction(r, change);
			rc = json_array_size(r->corrections) <= OPEN_MAX ? CS_OK : CS_EINTERNAL;
			continue;
		}
		if (r->context == NULL)
			r->context = json_null();
		rc = put(&r->context, change, NULL);
		if (plain_path(change)[0] == '\0')
			r->context_tainted = false;      /* all of it is the operator's */
	}
	return rc;
}

/* Nothing was asked of jq for the task that begins, and the others asked before this was there. */
int cs_run_fold_task_corrected(cs_run *r, const cs_event *ev, const cs_task *t)
{
	int64_t from = cs_json_int_or(ev->data, "from", 0);
	if (from < 1 || from > ev->occurrence)
		return CS_EINTERNAL;
	if (r->assumed == NULL)
		r->assumed = json_array();
	json_array_append_new(r->assumed, json_sprintf("%s#%d", t->ref, (int)from));
	r->occurrences[t->id] = ev->occurrence - 1;
	return open_all(r, json_object_get(ev->data, "patch"));
}

int cs_run_fold_corrected(cs_run *r, const cs_event *ev, const cs_task *t)
{
	const json_t *patch = json_object_get(ev->data, "patch");
	int rc = cs_run_fold_again(r, ev, t);
	if (rc == CS_OK && json_array_size(patch) > CS_CORRECT_CHANGES)
		rc = CS_EINTERNAL;
	if (rc == CS_OK)
		rc = open_all(r, patch);
	forget_answers(r->root);
	return rc;
}
