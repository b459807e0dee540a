/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fold of timers, of emitted events, and of the settings that only events change. */
#include "store/projection.h"
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "store/event_bytes.h"
#include "store/sql.h"

static int what_text(const cs_event *ev, cs_buf *out, cs_err *err)
{
	const json_t *what = json_object_get(ev->data, "what");
	int rc = what ? cs_json_canonical(what, out) : CS_OK;
	return rc ? cs_err_set(err, rc, "event timer.armed: what it is for is too large") : CS_OK;
}

int cs_fold_timer_armed(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *id = cs_fold_need(ev, "timer", err);
	int64_t due;
	if (!id)
		return CS_EINVAL;
	if (!cs_fold_time(ev, "due", &due))
		return cs_err_set(err, CS_EINVAL, "event timer.armed: its data has no time due");
	CS_AUTOBUF cs_buf what;
	cs_buf_init(&what, CS_EVENT_MAX);
	int rc = what_text(ev, &what, err);
	return rc ? rc : cs_fold_do(f, CS_FOLD_TIMER_ARM, err, "ssisi", id, ev->run, due, what.data, ev->seq);
}

int cs_fold_timer_ended(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *id = cs_fold_need(ev, "timer", err);
	return id ? cs_fold_do(f, CS_FOLD_TIMER_END, err, "ssi", id, cs_fold_verb(ev), ev->seq) : CS_EINVAL;
}

int cs_fold_event_emitted(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const json_t *event = json_object_get(ev->data, "event");
	const char *id = cs_json_str(event, "id");
	if (id == NULL || json_is_true(json_object_get(ev->data, "shadow")))
		return CS_OK;
	return cs_fold_do(f, CS_FOLD_EVENT_SEE, err, "ssii", cs_json_str_or(event, "source", ""), id,
			  (int64_t)ev->simulated, ev->seq);
}

int cs_fold_connector_mode(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *name = cs_fold_need(ev, "name", err);
	const char *mode = name ? cs_fold_need(ev, "mode", err) : NULL;
	if (!mode)
		return CS_EINVAL;
	CS_AUTOFREE char *key = cs_xasprintf("connector:%s", name);
	return cs_fold_do(f, CS_FOLD_SETTING, err, "ss", key, mode);
}

int cs_fold_breaker_moved(cs_fold *f, const cs_event *ev, cs_err *err)
{
	static const cs_fold_word states[] = { { "failed", "closed" }, { "opened", "open" }, { "half_opened", "half-open" }, { NULL, NULL } };
	const char *connector = cs_fold_need(ev, "connector", err), *target = connector ? cs_fold_need(ev, "target", err) : NULL;
	const json_t *failures = json_object_get(ev->data, "failures");
	sqlite3_stmt *st;
	if (!target)
		return CS_EINVAL;
	CS_AUTOBUF cs_buf times;
	cs_buf_init(&times, CS_EVENT_MAX);
	int rc = failures ? cs_json_canonical(failures, &times) : CS_OK;
	if (rc)
		return cs_err_set(err, rc, "event %s: its failures are too large", ev->type);
	rc = cs_fold_get(f, CS_FOLD_BREAKER_MOVE, &st, err);
	if (rc)
		return rc;
	cs_sql_bind(st, "ssssiissi", connector, target, cs_fold_state(states, ev), times.data, (int64_t)0, (int64_t)0, cs_json_str(ev->data, "item"),
		    cs_json_str(json_object_get(ev->data, "error"), "title"), ev->seq);
	cs_fold_bind_time(st, 5, ev, "until");
	cs_fold_bind_time(st, 6, ev, "trips");
	return cs_sql_done(st, "folding a breaker", err);
}

static const char *on_or_off(const cs_event *ev)
{
	return json_is_false(json_object_get(ev->data, "on")) ? "off" : "on";
}

/* No table has it; but one that tells of nothing does not enter the log. */
int cs_fold_log_archived(cs_fold *f, const cs_event *ev, cs_err *err)
{
	static const char *const needed[] = { "before", "hash", "trailer" };
	(void)f;
	for (size_t i = 0; i < CS_ARRAY_LEN(needed); i++)
		if (!cs_fold_need(ev, needed[i], err))
			return CS_EINVAL;
	bool ok = cs_json_int_or(ev->data, "first", 0) > 0 && cs_json_int_or(ev->data, "last", 0) >= cs_json_int_or(ev->data, "first", 0);
	return ok ? CS_OK : cs_err_set(err, CS_EINVAL, "event log.archived: its data has no numbers first and last");
}

int cs_fold_log_imported(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *signer = cs_fold_need(ev, "signer", err);
	const char *workspace = signer ? cs_fold_need(ev, "workspace", err) : NULL;
	if (!workspace)
		return CS_EINVAL;
	CS_AUTOFREE char *key = cs_xasprintf("signer:%s", signer);
	return cs_fold_do(f, CS_FOLD_SETTING, err, "ss", key, workspace);
}

int cs_fold_clock(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const json_t *clock = json_object_get(ev->data, "clock");
	CS_AUTOFREE char *text = json_is_object(clock) ? cs_json_text(clock) : NULL;
	return text != NULL ? cs_fold_do(f, CS_FOLD_SETTING, err, "ss", "clock", text) : CS_OK;
}

int cs_fold_engine_started(cs_fold *f, const cs_event *ev, cs_err *err)
{
	return cs_fold_clock(f, ev, err);
}

int cs_fold_engine_hold(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *why = cs_json_str(ev->data, "why");
	int rc = cs_fold_do(f, CS_FOLD_SETTING, err, "ss", "hold", on_or_off(ev));
	if (!rc && strcmp(on_or_off(ev), "off") == 0)      /* let go by the operator: a copy is one no more */
		rc = cs_fold_do(f, CS_FOLD_SETTING_DROP, err, "s", "incarnation.resting");
	if (rc)
		return rc;
	if (!why)
		return cs_fold_do(f, CS_FOLD_SETTING_DROP, err, "s", "hold.why");
	return cs_fold_do(f, CS_FOLD_SETTING, err, "ss", "hold.why", why);
}

struct member {
	const char *name, *setting;
};

/* Each text member becomes the setting of that name; one that is not there leaves it as it is. */
static int put_members(cs_fold *f, const json_t *data, const struct member *list, size_t n, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; !rc && i < n; i++)
		if (cs_json_str(data, list[i].name) != NULL)
			rc = cs_fold_do(f, CS_FOLD_SETTING, err, "ss", list[i].setting, cs_json_str(data, list[i].name));
	return rc;
}

int cs_fold_engine_live(cs_fold *f, const cs_event *ev, cs_err *err)
{
	static const struct member where[] = { { "place", "place" }, { "dir", "live.dir" } };
	/* The machine where it was said: a copy of the workspace is not live elsewhere. */
	const char *word = on_or_off(ev);
	if (strcmp(word, "on") == 0)
		word = cs_json_str_or(ev->data, "machine", word);
	int rc = cs_fold_do(f, CS_FOLD_SETTING, err, "ss", "live", word);
	return rc ? rc : put_members(f, ev->data, where, CS_ARRAY_LEN(where), err);
}

/* From here on the workspace is another than the one that it was copied from: it rests, and is live nowhere. */
int cs_fold_engine_incarnation(cs_fold *f, const cs_event *ev, cs_err *err)
{
	static const struct member said[] = {
		{ "token", "incarnation.token" }, { "why", "incarnation.why" }, { "place", "place" }, { "hold", "hold.why" },
	};
	static const struct member before[] = { { "dir", "was.dir" }, { "place", "was.place" } };
	const json_t *n = json_object_get(ev->data, "incarnation");
	char number[32], seq[32];
	if (!cs_fold_need(ev, "token", err) || !cs_fold_need(ev, "why", err) || !cs_fold_need(ev, "place", err))
		return CS_EINVAL;
	if (!json_is_integer(n) || json_integer_value(n) < 1)
		return cs_err_set(err, CS_EINVAL, "event engine.incarnation: its data has no number incarnation");
	snprintf(number, sizeof number, "%lld", (long long)json_integer_value(n));
	snprintf(seq, sizeof seq, "%lld", (long long)ev->seq);
	int rc = cs_fold_do(f, CS_FOLD_SETTING, err, "ss", "incarnation", number);
	if (!rc)
		rc = cs_fold_do(f, CS_FOLD_SETTING, err, "ss", "incarnation.seq", seq);
	if (!rc)
		rc = cs_fold_do(f, CS_FOLD_SETTING, err, "ss", "incarnation.resting", "on");
	if (!rc)
		rc = cs_fold_do(f, CS_FOLD_SETTING, err, "ss", "hold", "on");
	if (!rc)
		rc = cs_fold_do(f, CS_FOLD_SETTING, err, "ss", "live", "off");
	if (!rc)
		rc = put_members(f, ev->data, said, CS_ARRAY_LEN(said), err);
	return rc ? rc : put_members(f, json_object_get(ev->data, "was"), before, CS_ARRAY_LEN(before), err);
}
