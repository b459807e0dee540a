/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fold of start.*: what was received for a start, and which business values have had their run. */
#include "store/projection.h"
#include <string.h>
#include "base/json.h"
#include "store/event_bytes.h"
#include "store/sql.h"

static int need(const cs_event *ev, const char *member, int64_t *ret, cs_err *err)
{
	const json_t *v = json_object_get(ev->data, member);
	if (!json_is_integer(v))
		return cs_err_set(err, CS_EINVAL, "event %s: its data has no number %s", ev->type, member);
	*ret = json_integer_value(v);
	return CS_OK;
}

int cs_fold_start_received(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *starter = cs_fold_need(ev, "starter", err);
	return starter ? cs_fold_do(f, CS_FOLD_START_RECEIVE, err, "is", ev->seq, starter) : CS_EINVAL;
}

int cs_fold_start_consumed(cs_fold *f, const cs_event *ev, cs_err *err)
{
	int64_t received, gathering;
	int rc = need(ev, "received", &received, err);
	if (!rc)
		rc = need(ev, "gathering", &gathering, err);
	return rc ? rc : cs_fold_do(f, CS_FOLD_START_CONSUME, err, "iii", received, ev->seq, gathering);
}

int cs_fold_start_passed(cs_fold *f, const cs_event *ev, cs_err *err)
{
	int64_t received;
	int rc = need(ev, "received", &received, err);
	return rc ? rc : cs_fold_do(f, CS_FOLD_START_PASS, err, "i", received);
}

int cs_fold_start_ended(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *starter = cs_fold_need(ev, "starter", err), *how = cs_json_str_or(ev->data, "how", "");
	const char *run = cs_json_str(ev->data, "run");
	const json_t *once = json_object_get(ev->data, "once");
	int64_t gathering;
	int rc = starter ? need(ev, "gathering", &gathering, err) : CS_EINVAL;
	if (!rc)
		rc = cs_fold_do(f, CS_FOLD_START_END, err, "si", starter, gathering);
	if (rc || once == NULL || run == NULL || strcmp(how, "started") != 0)
		return rc;
	CS_AUTOBUF cs_buf value;
	cs_buf_init(&value, CS_EVENT_MAX);
	rc = cs_json_canonical(once, &value);
	if (rc)
		return cs_err_set(err, rc, "event start.ended: its business value is too large");
	return cs_fold_do(f, CS_FOLD_START_ONCE, err, "sisi", cs_buf_str(&value), (int64_t)json_is_true(json_object_get(ev->data, "simulated")), run, ev->seq);
}

int cs_fold_start_cleared(cs_fold *f, const cs_event *ev, cs_err *err)
{
	const char *starter = cs_fold_need(ev, "starter", err);
	return starter ? cs_fold_do(f, CS_FOLD_START_CLEAR, err, "s", starter) : CS_EINVAL;
}
