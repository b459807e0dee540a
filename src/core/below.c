/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs further in that had not ended when the one that awaited them did: it faulted, and they are paused
 * until it is retried. Whoever takes back what that one did ends them first, and has what they did in its own
 * list, so that the latest is still taken back first. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "core/fold.h"

json_t *cs_below_said(const cs_run *r)
{
	json_t *open = json_array();
	for (int i = 0; r->state == CS_RUN_FAULTED && r->flow->n_subs > 0 && i < r->flow->n_tasks; i++)
		if (r->live[i] != NULL && cs_frame_sub_open(r->live[i]))
			json_array_append_new(open, json_string(r->live[i]->sub_id));
	for (size_t i = 0; i < r->n_below; i++)
		json_array_append_new(open, json_string(r->below[i].run));
	return open;
}

/* Is what B did among what R takes back now? */
static bool meant(const cs_run *r, const cs_below *b)
{
	return r->only[0] == '\0' && (r->within < 0 || r->within == b->task);
}

/* ---- folded -------------------------------------------------------------------------------------------- */

static void forget(cs_run *r, const char *run)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_below; i++)
		if (strcmp(r->below[i].run, run) != 0 && strcmp(r->below[i].of, run) != 0)
			r->below[n++] = r->below[i];
	r->n_below = n;
}

bool cs_below_has(const cs_run *r, const char *run)
{
	for (size_t i = 0; i < r->n_below; i++)
		if (strcmp(r->below[i].run, run) == 0)
			return true;
	return false;
}

int cs_below_fold(cs_run *r, const cs_event *ev, const cs_task *t)
{
	const char *of = cs_json_str_or(ev->data, "run", "");
	size_t i;
	json_t *one;
	if (strlen(of) != CS_ID_LEN)
		return CS_EINTERNAL;
	forget(r, of);                   /* what it said before, it says anew */
	json_array_foreach(json_object_get(ev->data, "open"), i, one) {
		const char *run = json_is_string(one) ? json_string_value(one) : "";
		if (strlen(run) != CS_ID_LEN)
			return CS_EINTERNAL;
		if (cs_below_has(r, run))
			continue;
		r->below = cs_xrealloc(r->below, (r->n_below + 1) * sizeof *r->below);
		cs_below *b = &r->below[r->n_below++];
		*b = (cs_below){ .task = t->id, .occurrence = ev->occurrence };
		memcpy(b->run, run, CS_ID_SIZE);
		memcpy(b->of, of, CS_ID_SIZE);
	}
	return CS_OK;
}

/* ---- ended --------------------------------------------------------------------------------------------- */

/* *ret_clear false: B's run is still on its way to its end; who is told when it has ended looks again. */
static int end_one(cs_run *r, cs_step *s, const cs_below *b, bool *ret_clear, cs_err *err)
{
	CS_AUTOJSON json_t *end = NULL;
	cs_sub_state st = { 0 };
	const cs_below own = *b;
	int rc = s->sub_look(s->ctx, own.run, &st, &end, err);
	if (rc == CS_OK && end == NULL && st.state != CS_RUN_CANCELLING)
		rc = s->sub_control(s->ctx, r, own.run, "cancel", err);
	if (rc != CS_OK || end == NULL) {
		*ret_clear = false;
		return rc;
	}
	json_object_set_new(end, "run", json_string(own.run));
	json_object_del(end, "output");  /* nobody takes it */
	return cs_run_write(r, s, "child.ended", &r->flow->tasks[own.task], own.occurrence, json_incref(end), err);
}

int cs_below_end(cs_run *r, cs_step *s, bool *ret_clear, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = r->n_below; rc == CS_OK && s->sub_look != NULL && i-- > 0;)
		if (i < r->n_below && meant(r, &r->below[i]))
			rc = end_one(r, s, &r->below[i], ret_clear, err);
	for (size_t i = 0; i < r->n_below; i++)          /* the end of one may name others */
		*ret_clear = *ret_clear && !meant(r, &r->below[i]);
	return rc;
}
