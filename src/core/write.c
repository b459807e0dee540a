/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing an event of a run: appended to the open group, then folded into the run at once. */
#include <string.h>
#include "base/mem.h"
#include "core/fold.h"

/* What a dry connector answers in a live run is simulated, and its attempt says so. */
static bool simulated(const cs_run *r, const cs_task *task, const char *type)
{
	const cs_frame *f = task != NULL && strncmp(type, "attempt.", 8) == 0 ? r->live[task->id] : NULL;
	return r->simulated || (f != NULL && f->call != NULL && f->call->simulated);
}

int cs_run_write_as(cs_run *r, cs_step *s, const char *actor, const char *type, const cs_task *task, int occurrence, json_t *data, cs_err *err)
{
	CS_AUTOJSON json_t *owned = data != NULL ? data : json_object();
	cs_event ev = {
		.at = s->now, .task = task != NULL ? task->ref : NULL, .occurrence = occurrence, .type = type,
		.actor = actor, .cause = s->cause != 0 ? s->cause : r->last_seq,
		.simulated = simulated(r, task, type), .data = owned,
	};
	memcpy(ev.run, r->id, sizeof ev.run);
	int rc = s->append(s->ctx, &ev, err);
	if (rc != CS_OK)
		return rc;
	return cs_run_fold_event(r, &ev, task, err);
}

static bool goes_on(const char *type)
{
	return strncmp(type, "task.", 5) == 0 || strncmp(type, "attempt.", 8) == 0;
}

int cs_run_write(cs_run *r, cs_step *s, const char *type, const cs_task *task, int occurrence, json_t *data, cs_err *err)
{
	const char *actor = s->actor != NULL ? s->actor : "engine";
	if (r->state == CS_RUN_WAITING && goes_on(type)) {
		int rc = cs_run_write_as(r, s, "engine", "run.unblocked", NULL, 0, NULL, err);
		if (rc != CS_OK) {
			json_decref(data);
			return rc;
		}
	}
	return cs_run_write_as(r, s, actor, type, task, occurrence, data, err);
}
