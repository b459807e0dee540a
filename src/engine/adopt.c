/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run takes today's definition of its flow: its log is folded under that one, where it fits. */
#include <string.h>
#include "base/json.h"
#include "core/adopt.h"
#include "core/frame.h"
#include "engine/hearers.h"

struct refold {
	json_t *did;
	cs_run *run;
	cs_err *err;
};

static int note_one(void *ctx, const cs_event *ev)
{
	struct refold *f = ctx;
	cs_adopt_note(f->did, ev);
	return 0;
}

static int fold_one(void *ctx, const cs_event *ev)
{
	struct refold *f = ctx;
	return cs_run_fold(f->run, ev, f->err);
}

/* What is in the air comes back to the frames that it left from: these must still be there. */
static int at_rest(const cs_engine *e, const cs_run *r, cs_err *err)
{
	bool busy = r->last_seq > e->group_seq || cs_frame_intent_open(r->root);
	for (size_t i = 0; i < e->n_todos; i++)
		busy |= e->todos[i].run == r;
	if (r->shadow)
		return cs_err_set(err, CS_EREFUSED, "the run %s is a replay; replay the run that it is of, with --flow FILE", r->id);
	if (busy)
		return cs_err_set(err, CS_EREFUSED, "the run %s is at work at this moment; pause it, adopt, and resume it", r->id);
	return CS_OK;
}

static cs_bundle *todays(cs_engine *e, const cs_run *r, cs_err *err)
{
	CS_AUTOFREE char *name = cs_xasprintf("%s/%s", r->flow->ns, r->flow->name);
	const cs_flow *flow = cs_workspace_flow(e->ws, name);
	cs_bundle *b = flow != NULL ? cs_bundle_of_flow(e, flow) : NULL;
	if (b == NULL)
		cs_err_set(err, CS_ENOTFOUND, "the workspace has no flow %s any more; put its file back, and `capstan reload`", name);
	return b;
}

/* The run as its log makes it under B. */
static int fold_under(cs_engine *e, const cs_live *l, cs_bundle *b, json_t **ret_again, cs_run **ret, cs_err *err)
{
	CS_AUTOJSON json_t *did = json_object();
	struct refold f = { .did = did, .err = err };
	int rc = cs_reader_events(e->reader, l->run->id, 0, INT64_MAX, note_one, &f, err);
	if (rc == CS_OK)
		rc = cs_adopt_check(l->run, b->flow, did, ret_again, err);
	if (rc != CS_OK)
		return rc;
	cs_err why = { 0 };
	f.err = &why;
	f.run = cs_run_new(l->run->id, b->flow);
	rc = cs_reader_events(e->reader, l->run->id, 0, INT64_MAX, fold_one, &f, &why);
	if (rc == CS_OK && (f.run->state != l->run->state || f.run->last_seq != l->run->last_seq))
		rc = CS_EINTERNAL;
	if (rc != CS_OK) {
		cs_run_free(f.run);
		json_decref(CS_STEAL(*ret_again));
		return cs_err_set(err, CS_EREFUSED, "what the run did does not fit the new definition (%s); start a new run", why.msg);
	}
	*ret = f.run;
	return CS_OK;
}

/* Others know the run by its address: it stays, with what is in it exchanged. */
static void take(cs_engine *e, cs_live *l, cs_run *fresh, cs_bundle *b)
{
	cs_hearers_leave(e, l);
	cs_run old = *l->run;
	*l->run = *fresh;
	*fresh = old;
	l->run->owner = l;
	l->bundle = b;
	cs_hearers_join(e, l);
	cs_run_free(fresh);
}

int cs_command_adopt(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *again = NULL;
	cs_run *fresh = NULL;
	cs_live *l = cs_runs_load(e, cs_json_str_or(req, "run", ""), err);
	if (l == NULL)
		return err->code;
	cs_runs_ready(e, l);         /* it goes on, or leaves memory again */
	int rc = cs_machine_require(&cs_machine_run, cs_run_state_name(l->run->state), "adopt", err);
	if (rc == CS_OK)
		rc = at_rest(e, l->run, err);
	if (rc != CS_OK)
		return rc;
	cs_bundle *b = todays(e, l->run, err);
	if (b == NULL)
		return err->code;
	bool same = b == l->bundle || strcmp(b->hash, l->bundle->hash) == 0;
	if (!same) {
		json_t *data = json_pack("{s:s, s:s, s:s}", "old", l->bundle->hash, "new", b->hash, "version", b->flow->version);
		if (cs_json_str(req, "why") != NULL)
			json_object_set(data, "why", json_object_get(req, "why"));
		rc = fold_under(e, l, b, &again, &fresh, err);
		if (rc != CS_OK) {
			json_decref(data);
			return rc;
		}
		take(e, l, fresh, b);
		rc = cs_bundle_store(e, b, err);
		rc = rc == CS_OK ? cs_adopt_write(l->run, &e->step, again, CS_STEAL(data), err) : rc;
		json_decref(data);
		if (rc != CS_OK)     /* the run is another already: half a command must not stand */
			return cs_err_set(err, CS_EINTERNAL, "the run could not take its new definition");
	}
	*ret = json_pack("{s:s, s:s, s:b}", "run", l->run->id, "state", cs_run_state_name(l->run->state), "existing", same);
	return CS_OK;
}
