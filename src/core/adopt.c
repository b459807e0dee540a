/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/adopt.h"

#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

void cs_adopt_note(json_t *did, const cs_event *ev)
{
	static const struct {
		const char *type, *word;
	} words[] = {
		{ "task.completed", "done" }, { "task.skipped", "done" }, { "task.started", "begun" }, { "task.faulted", "begun" },
		{ "task.cancelled", "begun" },
	};
	if (ev->task == NULL)
		return;
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++) {
		if (strcmp(words[i].type, ev->type) != 0)
			continue;
		/* Done once, it stays done: a loop's later round does not undo it. */
		if (strcmp(cs_json_str_or(did, ev->task, ""), "done") != 0)
			json_object_set_new(did, ev->task, json_string(words[i].word));
	}
}

static void drop(json_t *def, const char *outer, const char *inner)
{
	json_t *part = json_object_get(def, outer);
	if (inner == NULL) {
		json_object_del(def, outer);
	} else if (json_is_object(part)) {
		json_t *copy = json_copy(part);
		json_object_del(copy, inner);
		json_object_set_new(def, outer, copy);
	}
}

/* A task's definition without the tasks in it, which are looked at one by one. */
static json_t *shell_of(const cs_task *t)
{
	json_t *def = json_copy(t->def);
	drop(def, "do", NULL);
	drop(def, "try", NULL);
	drop(def, "catch", "do");
	drop(def, "fork", "branches");
	drop(def, "foreach", "do");
	return def;
}

static bool same_shell(const cs_task *a, const cs_task *b)
{
	CS_AUTOJSON json_t *of_a = shell_of(a);
	CS_AUTOJSON json_t *of_b = shell_of(b);
	return cs_json_equal(of_a, of_b);
}

static bool is_composite(const cs_task *t)
{
	return t->kind == CS_TASK_DO || t->kind == CS_TASK_FOR || t->kind == CS_TASK_FORK || t->kind == CS_TASK_TRY ||
	       t->kind == CS_TASK_LISTEN;
}

bool cs_call_only_asked(const cs_call *c)
{
	return c != NULL && c->outer == NULL && c->tries == 0 && (c->phase == CS_CALL_PLANNED || c->phase == CS_CALL_ASKING);
}

static int in_the_way(const cs_task *t, const char *what, cs_err *err)
{
	return cs_err_set(err, CS_EREFUSED, "the task %s (%s) stands in the way: %s; put it back as it was, or start a new run",
			  t->name, t->ref, what);
}

/* What a listener that faulted keeps is marked by the places of its filters: they must be the same ones then. */
static bool hears_otherwise(const cs_run *r, const cs_task *was, const cs_task *is)
{
	const cs_hearing *h = r->kept != NULL ? r->kept[was->id] : NULL;
	return h != NULL && (h->n_met > 0 || h->n_until_met > 0) &&
	       !cs_json_equal(json_object_get(was->def, "listen"), json_object_get(is->def, "listen"));
}

static int check_task(const cs_run *r, const cs_task *was, const cs_task *is, bool done, json_t *again, cs_err *err)
{
	const cs_frame *f = r->live[was->id];
	if (is == NULL)
		return in_the_way(was, "the run came to it, and the new definition has no such task there", err);
	bool same = strcmp(was->hash, is->hash) == 0;
	if (done && !same)
		return in_the_way(was, "it is done, and it is another in the new definition", err);
	if (was->kind != is->kind)
		return in_the_way(was, "it was begun, and it is of another kind in the new definition", err);
	if (hears_otherwise(r, was, is))
		return in_the_way(was, "it keeps what it has heard, and it listens for something else in the new definition", err);
	if (f == NULL || same || (is_composite(was) && same_shell(was, is)))
		return CS_OK;
	if (was->kind != CS_TASK_CALL || !cs_call_only_asked(f->call))
		return in_the_way(was, "it is under way, and it is another in the new definition", err);
	json_array_append_new(again, json_string(was->ref));
	return cs_adopt_may_void(r, f->call, was, err);
}

int cs_adopt_check(const cs_run *r, const cs_flow *to, const json_t *did, json_t **ret_again, cs_err *err)
{
	CS_AUTOJSON json_t *again = json_array();
	const char *ref;
	json_t *word;
	json_object_foreach((json_t *)(uintptr_t)did, ref, word) {
		const cs_task *was = cs_flow_task(r->flow, ref);
		if (was == NULL)
			return cs_err_set(err, CS_EINTERNAL, "the run did a task %s that its own definition does not have; run `capstan verify`", ref);
		int rc = check_task(r, was, cs_flow_task(to, ref), strcmp(json_string_value(word), "done") == 0, again, err);
		if (rc != CS_OK)
			return rc;
	}
	*ret_again = CS_STEAL(again);
	return CS_OK;
}

int cs_adopt_may_void(const cs_run *r, const cs_call *c, const cs_task *t, cs_err *err)
{
	const cs_item *item = c->phase == CS_CALL_ASKING ? cs_run_item(r, c->item) : NULL;
	if (item == NULL || cs_machine_allows(&cs_machine_approval, item->state, "void"))
		return CS_OK;
	return cs_err_set(err, CS_EREFUSED, "the task %s was %s, and that is about to take effect: undo it (`capstan undo %s`), or wait for it",
			  t->name, item->state, item->id);
}

/* By whoever does it, and without the run going on by that. */
static int end_call(cs_run *r, cs_step *s, const cs_frame *f, const char *why, cs_err *err)
{
	const char *actor = s->actor != NULL ? s->actor : "engine";
	const cs_item *item = f->call->phase == CS_CALL_ASKING ? cs_run_item(r, f->call->item) : NULL;
	int rc = CS_OK;
	if (item != NULL)
		rc = cs_run_write_as(r, s, actor, "approval.voided", f->task, f->occurrence,
				     json_pack("{s:s, s:s, s:s}", "item", item->id, "digest", item->digest, "why", why), err);
	if (rc == CS_OK && f->timer[0] != '\0')
		rc = cs_run_write_as(r, s, actor, "timer.cancelled", f->task, f->occurrence, json_pack("{s:s, s:s}", "timer", f->timer, "why", why), err);
	return rc != CS_OK ? rc : cs_run_write_as(r, s, actor, "task.cancelled", f->task, f->occurrence, NULL, err);
}

int cs_adopt_void(cs_run *r, cs_step *s, const json_t *again, const char *why, cs_err *err)
{
	size_t i;
	json_t *ref;
	json_array_foreach(again, i, ref) {
		const cs_task *t = cs_flow_task(r->flow, json_string_value(ref));
		const cs_frame *f = t != NULL ? r->live[t->id] : NULL;
		int rc = f != NULL && f->call != NULL ? end_call(r, s, f, why, err) : CS_OK;
		if (rc != CS_OK)
			return rc;
	}
	return CS_OK;
}

int cs_adopt_write(cs_run *r, cs_step *s, const json_t *again, json_t *data, cs_err *err)
{
	CS_AUTOJSON json_t *mine = data;
	int rc = cs_adopt_void(r, s, again, "the run took a new definition of its flow", err);
	if (rc != CS_OK)
		return rc;
	if (json_array_size(again) > 0)
		json_object_set(mine, "again", (json_t *)(uintptr_t)again);
	return cs_run_write(r, s, "run.adopted", NULL, 0, CS_STEAL(mine), err);
}
