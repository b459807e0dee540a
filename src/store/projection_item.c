/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fold of approval.* and item.*: the inbox. */
#include "store/projection.h"
#include <string.h>
#include "base/json.h"
#include "store/sql.h"

/* For the events whose name is not the state they lead to. */
static const cs_fold_word states[] = {
	{ "published", "pending" }, { "opened", "open" }, { "voided", "void" },
	{ NULL, NULL },
};

static const char *state_of(const cs_event *ev)
{
	return cs_fold_state(states, ev);
}

int cs_fold_item_published(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const json_t *d = ev->data;
	const char *id = cs_fold_need(ev, "item", err);
	const char *kind = id ? cs_fold_need(ev, "kind", err) : NULL;
	const char *title = kind ? cs_fold_need(ev, "title", err) : NULL;
	if (!title)
		return CS_EINVAL;
	sqlite3_stmt *st;
	int rc = cs_fold_get(f, CS_FOLD_ITEM_PUBLISH, &st, err);
	if (rc)
		return rc;
	const char *previous = cs_json_str(d, "previous");
	cs_sql_bind(st, "sssssissiiisiisss", id, kind, title, ev->run, ev->task ? ev->task : cs_json_str(d, "task"),
		    (int64_t)ev->occurrence, state_of(ev), cs_json_str(d, "digest"), ev->at, (int64_t)0,
		    cs_json_int_or(d, "grace", 0), cs_json_str(d, "next"), ev->seq, (int64_t)ev->simulated,
		    cs_json_str(d, "confirm"), previous, cs_json_str(d, "call"));
	cs_fold_bind_time(st, 10, ev, "expires");
	rc = cs_sql_done(st, "folding an item", err);
	if (rc || !previous)
		return rc;
	return cs_fold_do(f, CS_FOLD_ITEM_SUCCEED, err, "ss", previous, id);
}

/* STATE of an item by whom, with what the event says at WHY; UNTIL is the member with the end of its grace, NULL: none. */
static int decide(cs_fold *f, const cs_event *ev, const char *state, const char *why, const char *until, cs_err *err)
{
	const char *id = cs_fold_need(ev, "item", err);
	if (!id)
		return CS_EINVAL;
	sqlite3_stmt *st;
	int rc = cs_fold_get(f, CS_FOLD_ITEM_DECIDE, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "ssssii", id, state, cs_json_str_or(ev->data, "by", ev->actor), cs_json_str(ev->data, why), (int64_t)0, ev->seq);
	if (until)
		cs_fold_bind_time(st, 5, ev, until);
	else
		sqlite3_bind_null(st, 5);
	return cs_sql_done(st, "folding what became of an item", err);
}

int cs_fold_item_decided(cs_fold *f, const cs_event *ev, cs_err *err)
{
	return decide(f, ev, cs_fold_verb(ev), "note", "grace_until", err);
}

int cs_fold_item_moved(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *id = cs_fold_need(ev, "item", err);
	return id ? cs_fold_do(f, CS_FOLD_ITEM_MOVE, err, "ssi", id, state_of(ev), ev->seq) : CS_EINVAL;
}

int cs_fold_item_undone(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *id = cs_fold_need(ev, "item", err);
	return id ? cs_fold_do(f, CS_FOLD_ITEM_UNDO, err, "s", id) : CS_EINVAL;
}

int cs_fold_item_edited(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *id = cs_fold_need(ev, "item", err);
	return id ? cs_fold_do(f, CS_FOLD_ITEM_EDIT, err, "sssi", id, cs_json_str(ev->data, "next"),
			       cs_json_str_or(ev->data, "by", ev->actor), ev->seq) : CS_EINVAL;
}

int cs_fold_item_snoozed(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *id = cs_fold_need(ev, "item", err);
	int64_t until;
	if (!id)
		return CS_EINVAL;
	if (!cs_fold_time(ev, "until", &until))
		return cs_err_set(err, CS_EINVAL, "event %s: its data has no time until", ev->type);
	return cs_fold_do(f, CS_FOLD_ITEM_SNOOZE, err, "si", id, until);
}

int cs_fold_item_delegated(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *id = cs_fold_need(ev, "item", err);
	return id ? cs_fold_do(f, CS_FOLD_ITEM_DELEGATE, err, "ss", id, cs_json_str(ev->data, "to")) : CS_EINVAL;
}

int cs_fold_item_escalated(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *id = cs_fold_need(ev, "item", err);
	return id ? cs_fold_do(f, CS_FOLD_ITEM_ESCALATE, err, "sis", id, cs_json_int_or(ev->data, "level", 1),
			       cs_json_str(ev->data, "to")) : CS_EINVAL;
}

int cs_fold_item_reminded(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *id = cs_fold_need(ev, "item", err);
	return id ? cs_fold_do(f, CS_FOLD_ITEM_REMIND, err, "si", id, cs_json_int_or(ev->data, "n", 1)) : CS_EINVAL;
}

int cs_fold_item_closed(cs_fold *f, const cs_event *ev, cs_err *err)
{
	int rc = decide(f, ev, "closed", "how", NULL, err);
	return rc || ev->run[0] ? rc : cs_fold_clock(f, ev, err);
}
