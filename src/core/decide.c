/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operator's answers to items: approve, reject, respond, edit, undo, snooze, delegate,
 * resolve, dismiss. Each is a transition of the approval machine, or of an attempt in doubt. */
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"

/* One answer on its way. */
struct answer {
	cs_run *r;
	cs_step *s;
	cs_item *item;
	const json_t *decision;
	const cs_task *t;
	int occurrence;
	char *next;              /* CS_ID_SIZE; the id of an edit's new proposal */
};

static const char *actor(const struct answer *a)
{
	return a->s->actor != NULL ? a->s->actor : "operator";
}

static json_t *data_of(const struct answer *a)
{
	json_t *data = json_pack("{s:s, s:s, s:s}", "item", a->item->id, "digest", a->item->digest, "by", actor(a));
	static const char *const carried[] = { "note", "value", "until", "to", "batch" };
	for (size_t i = 0; i < CS_ARRAY_LEN(carried); i++) {
		json_t *v = json_object_get(a->decision, carried[i]);
		if (v != NULL && !json_is_null(v))
			json_object_set(data, carried[i], v);
	}
	return data;
}

static int write(struct answer *a, const char *type, json_t *data, cs_err *err)
{
	return cs_run_write(a->r, a->s, type, a->t, a->occurrence, data, err);
}

/* What expires before its grace would be over can still be answered in time: the grace is then half
 * of what is left, so that the answer takes effect first. */
static int64_t grace_of(const struct answer *a)
{
	int64_t grace = cs_json_int_or(a->item->published, "grace", 0);
	int64_t left = a->item->expires > 0 ? (a->item->expires - a->s->now) / 2 : grace;
	return left < grace ? left : grace;
}

static int with_grace(struct answer *a, const char *type, cs_err *err)
{
	json_t *data = data_of(a);
	json_object_set_new(data, "grace_until", json_integer(a->s->now + grace_of(a)));
	return write(a, type, data, err);
}

static int check_form(const struct answer *a, const json_t *value, cs_err *err)
{
	const json_t *form = json_object_get(a->item->published, "form");
	if (form == NULL)
		return CS_OK;
	CS_CLEANUP(cs_schema_freep) cs_schema *schema = NULL;
	int rc = cs_schema_new(form, CS_SCHEMA_2020_12, NULL, &schema, err);
	if (rc != CS_OK)
		return rc;
	CS_AUTOJSON json_t *bad = cs_schema_complaint(schema, value, "The answer", "");
	return bad == NULL ? CS_OK : cs_err_set(err, CS_EINVAL, "%s; answer again with --value", cs_json_str_or(bad, "detail", ""));
}

/* What is approved is what was shown: a value here would be another one, without its own digest. */
static int no_value(const struct answer *a, const char *verb, cs_err *err)
{
	const json_t *value = json_object_get(a->decision, "value");
	if (value == NULL || json_is_null(value))
		return CS_OK;
	return cs_err_set(err, CS_EINVAL, "to %s takes no value; to change what is shown, edit it and approve the new proposal", verb);
}

static int approve(struct answer *a, cs_err *err)
{
	const char *word = cs_json_str(a->item->published, "confirm");
	if (word != NULL && strcmp(cs_json_str_or(a->decision, "word", ""), word) != 0)
		return cs_err_set(err, CS_EREFUSED, "its rule wants a typed word: approve it with --word %s", word);
	int rc = no_value(a, "approve", err);
	return rc != CS_OK ? rc : with_grace(a, "approval.approved", err);
}

static int reject(struct answer *a, cs_err *err)
{
	int rc = no_value(a, "reject", err);
	return rc != CS_OK ? rc : with_grace(a, "approval.rejected", err);
}

static int respond(struct answer *a, cs_err *err)
{
	json_t *value = json_object_get(a->decision, "value");
	int rc = check_form(a, value, err);
	return rc != CS_OK ? rc : with_grace(a, "approval.answered", err);
}

static int edit(struct answer *a, cs_err *err)
{
	json_t *value = json_object_get(a->decision, "value");
	if (value == NULL)
		return cs_err_set(err, CS_EINVAL, "an edit needs the new value; give it with --value");
	if (cs_json_true(a->item->published, "gate")) {
		const cs_function *fn = a->s->function(a->s->ctx, a->r, cs_json_str_or(a->item->published, "call", ""));
		CS_AUTOJSON json_t *bad = fn == NULL ? NULL : cs_schema_complaint(fn->input, value, "The edited value", a->t->ref);
		if (bad != NULL)
			return cs_err_set(err, CS_EINVAL, "%s; nothing was changed", cs_json_str_or(bad, "detail", ""));
	}
	a->s->new_id(a->s->ctx, a->next);
	json_t *data = data_of(a);
	json_object_set_new(data, "next", json_string(a->next));
	return write(a, "approval.edited", data, err);
}

static int undo(struct answer *a, cs_err *err)
{
	if (a->s->now >= a->item->grace_until)
		return cs_err_set(err, CS_EREFUSED, "too late: the grace of this decision is over");
	return write(a, "approval.undone", data_of(a), err);
}

static int snooze(struct answer *a, cs_err *err)
{
	int64_t until = cs_json_int_or(a->decision, "until", 0);
	if (until <= a->s->now)
		return cs_err_set(err, CS_EINVAL, "snooze needs a time that is still to come");
	if (a->item->expires > 0 && until >= a->item->expires)
		return cs_err_set(err, CS_EREFUSED, "it expires before that; choose an earlier time");
	return write(a, "approval.snoozed", data_of(a), err);
}

static int delegate(struct answer *a, cs_err *err)
{
	if (cs_json_str(a->decision, "to") == NULL)
		return cs_err_set(err, CS_EINVAL, "delegate to whom? Give --to NAME");
	return write(a, "approval.delegated", data_of(a), err);
}

/* Only what is listed may be answered with; undo and the like are not answers. */
static const struct verb {
	const char *name, *event, *allow, *state;
	int (*act)(struct answer *a, cs_err *err);
} verbs[] = {
	{ "approve", "approve", "accept", "approved", approve },
	{ "reject", "reject", "reject", "rejected", reject },
	{ "respond", "respond", "respond", "answered", respond },
	{ "edit", "edit", "edit", NULL, edit },
	{ "undo", "undo", NULL, NULL, undo },
	{ "snooze", "snooze", NULL, NULL, snooze },
	{ "delegate", "delegate", NULL, NULL, delegate },
};

/* ---- in doubt ---------------------------------------------------------------------------------------------------- */

static int close_item(struct answer *a, const char *how, cs_err *err)
{
	return write(a, "item.closed", json_pack("{s:s, s:s, s:s}", "item", a->item->id, "how", how, "by", actor(a)), err);
}

static int resolve(struct answer *a, cs_err *err)
{
	const char *how = cs_json_str_or(a->decision, "how", "");
	cs_frame *f = a->item->task >= 0 ? a->r->live[a->item->task] : NULL;
	if (f == NULL || f->call == NULL || f->call->phase != CS_CALL_IN_DOUBT)
		return cs_err_set(err, CS_EREFUSED, "this effect is not in doubt any more");
	int rc = cs_machine_require(&cs_machine_attempt, "in-doubt", how, err);
	if (rc != CS_OK || strcmp(how, "happened") * strcmp(how, "did-not") * strcmp(how, "repeat") != 0)
		return cs_err_set(err, CS_EINVAL, "resolve with one of: happened, did-not, repeat");
	if (strcmp(how, "repeat") == 0 && strcmp(cs_json_str_or(a->decision, "word", ""), "repeat") != 0)
		return cs_err_set(err, CS_EREFUSED, "repeat sends it once more; type the word `repeat` to confirm");
	json_t *data = json_pack("{s:s, s:s, s:s, s:s}", "key", f->call->key, "how", how, "by", actor(a), "item", a->item->id);
	cs_once_say(f->call, data);
	json_t *value = json_object_get(a->decision, "value");
	json_t *note = json_object_get(a->decision, "note");
	if (note != NULL)
		json_object_set(data, "evidence", note);
	if (strcmp(how, "happened") == 0)
		json_object_set(data, "result", value != NULL ? value : json_null());
	if (strcmp(how, "did-not") == 0)
		json_object_set_new(data, "error", cs_error_new("communication", "the operator found that it did not happen", a->t->ref));
	rc = write(a, "attempt.resolved", data, err);
	return rc != CS_OK ? rc : close_item(a, how, err);
}

/* ---- the way in ----------------------------------------------------------------------------------------------------- */

static int check_digest(const struct answer *a, cs_err *err)
{
	const char *shown = cs_json_str(a->decision, "digest");
	if (shown == NULL || strcmp(shown, a->item->digest) == 0)
		return CS_OK;
	return cs_err_set(err, CS_EREFUSED, "stale: what was shown is not what is waiting now; look again (`capstan inbox show %s`)", a->item->id);
}

/* Its time is over, though the run, paused or just about to, has not said so yet. */
static int check_expiry(const struct answer *a, cs_err *err)
{
	char at[CS_TIME_SIZE];
	if (a->item->expires == 0 || a->item->expires > a->s->now || strcmp(a->item->state, "pending") != 0)
		return CS_OK;
	cs_time_format(a->item->expires, at);
	return cs_err_set(err, CS_EREFUSED, "it expired at %s; %s", at, a->r->state == CS_RUN_PAUSED || a->r->state == CS_RUN_PAUSING ?
			  "resume the run (`capstan resume`), which then goes on as for what expires" : "look at what became of the run with `capstan show`");
}

static int answer_item(struct answer *a, const struct verb *v, cs_err *err)
{
	int rc = check_digest(a, err);
	if (rc == CS_OK)
		rc = check_expiry(a, err);
	if (rc != CS_OK)
		return rc;
	if (v->state != NULL && strcmp(a->item->state, v->state) == 0 &&
	    cs_json_equal(json_object_get(a->item->decision, "value"), json_object_get(a->decision, "value")))
		return CS_OK;            /* the same answer once more */
	if (v->state != NULL && strcmp(a->item->state, "pending") != 0)
		return cs_err_set(err, CS_EREFUSED, "already %s by %s; undo that first while its grace runs", a->item->state,
				  a->item->decided_by != NULL ? a->item->decided_by : "someone");
	if (v->allow != NULL && !cs_item_allows(a->item, v->allow))
		return cs_err_set(err, CS_EREFUSED, "this item cannot be answered with %s", v->name);
	rc = cs_machine_require(&cs_machine_approval, a->item->state, v->event, err);
	return rc != CS_OK ? rc : v->act(a, err);
}

int cs_run_decide(cs_run *r, cs_step *s, const char *item, const json_t *decision, char ret_next[CS_ID_SIZE], cs_err *err)
{
	const char *name = cs_json_str_or(decision, "verb", "");
	struct answer a = { .r = r, .s = s, .item = cs_run_item(r, item), .decision = decision, .next = ret_next };
	ret_next[0] = '\0';
	if (a.item == NULL)
		return cs_err_set(err, CS_ENOTFOUND, "no item %s waits in run %s", item, r->id);
	a.t = a.item->task >= 0 ? &r->flow->tasks[a.item->task] : NULL;
	const cs_frame *f = a.t != NULL ? r->live[a.t->id] : NULL;
	a.occurrence = f != NULL ? f->occurrence : 0;
	bool open = strcmp(a.item->state, "open") == 0;
	if (strcmp(name, "resolve") == 0 && strcmp(a.item->kind, "in-doubt") == 0)
		return resolve(&a, err);
	if (strcmp(name, "dismiss") == 0 && open && strcmp(a.item->kind, "in-doubt") != 0)
		return close_item(&a, "dismissed", err);
	if (open)
		return cs_err_set(err, CS_EREFUSED, "a %s item is not answered with %s; %s", a.item->kind, name,
				  strcmp(a.item->kind, "in-doubt") == 0 ? "use `capstan resolve ID happened|did-not|repeat`" :
				  strcmp(a.item->kind, "fault") == 0 ? "use `capstan retry RUN`, or `capstan dismiss ID` to leave it" :
				  "use `capstan dismiss ID`");
	for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return answer_item(&a, &verbs[i], err);
	return cs_err_set(err, CS_EINVAL, "an approval is not answered with %s", name);
}
