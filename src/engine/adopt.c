/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run that rests is changed: it takes another definition of its flow, under which its log is folded, where it
 * fits; or other data, where nothing was done with it yet. */
#include <string.h>
#include "base/json.h"
#include "core/adopt.h"
#include "core/correct.h"
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
static int at_rest(const cs_engine *e, const cs_run *r, const char *verb, cs_err *err)
{
	if (cs_run_own(r, err) != CS_OK)
		return CS_EREFUSED;
	bool busy = r->last_seq > e->group_seq || cs_frame_intent_open(r->root);
	for (size_t i = 0; i < e->n_todos; i++)
		busy |= e->todos[i].run == r;
	if (r->shadow)
		return cs_err_set(err, CS_EREFUSED, "the run %s is a replay; replay the run that it is of, with --flow FILE", r->id);
	if (busy)
		return cs_err_set(err, CS_EREFUSED, "the run %s is at work at this moment; pause it, %s it, and resume it", r->id, verb);
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
	f.run->copied_seq = e->copied_seq;
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
	int rc = cs_command_fresh(e, l->run, req, err);
	if (rc == CS_OK)
		rc = cs_run_require(l->run, "adopt", err);
	if (rc == CS_OK)
		rc = at_rest(e, l->run, "adopt", err);
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
	*ret = json_pack("{s:s, s:s, s:b, s:I}", "run", l->run->id, "state", cs_run_state_name(l->run->state), "existing", same, "seen",
			 (json_int_t)l->run->last_seq);
	return CS_OK;
}

/* ---- correct ------------------------------------------------------------------------------------------------- */

/* What a correction comes to, found out before anything is written. */
struct correction {
	cs_live *l;
	cs_bundle *b;                /* the definition that it has then */
	cs_run *fresh;               /* the run under that one; NULL: it keeps the one it has */
	json_t *patch, *again;
	const char *go_on;           /* how it goes on at once; NULL: it does not */
};

static void correction_fini(struct correction *c)
{
	cs_run_free(c->fresh);
	json_decref(c->patch);
	json_decref(c->again);
}

static int take_definition(cs_engine *e, const json_t *req, struct correction *c, cs_err *err)
{
	const cs_flow *was = c->l->run->flow;
	c->b = c->l->bundle;
	if (json_object_get(req, "definition") == NULL)
		return CS_OK;
	c->b = cs_command_bundle(e, req, err);
	if (c->b == NULL)
		return err->code != 0 ? err->code : CS_EINVAL;
	if (strcmp(c->b->flow->ns, was->ns) != 0 || strcmp(c->b->flow->name, was->name) != 0)
		return cs_err_set(err, CS_EINVAL, "the run is of the flow %s/%s, and the file is of %s/%s", was->ns, was->name, c->b->flow->ns, c->b->flow->name);
	if (strcmp(c->b->hash, c->l->bundle->hash) == 0)
		return CS_OK;
	return fold_under(e, c->l, c->b, &c->again, &c->fresh, err);
}

static int take_changes(cs_engine *e, const json_t *req, struct correction *c, cs_err *err)
{
	CS_AUTOJSON json_t *none = json_array();
	CS_AUTOJSON json_t *more = NULL;
	const json_t *changes = json_object_get(req, "set");
	const cs_run *r = c->fresh != NULL ? c->fresh : c->l->run;
	if (json_array_size(changes) == 0 && c->fresh == NULL)
		return cs_err_set(err, CS_EINVAL, "nothing would be changed; say what with --set, --with, --context or --flow");
	int rc = cs_correct_check(r, &e->step, cs_json_str(req, "from"), changes != NULL ? changes : none, &c->patch, &more, err);
	if (rc != CS_OK)
		return rc;
	if (c->again == NULL)
		c->again = json_array();
	size_t i, k;
	json_t *ref, *known;
	json_array_foreach(more, i, ref) {
		bool there = false;
		json_array_foreach(c->again, k, known)
			there |= json_equal(ref, known);
		if (!there)
			json_array_append(c->again, ref);
	}
	return CS_OK;
}

static int plan(cs_engine *e, const json_t *req, struct correction *c, cs_err *err)
{
	const cs_run *r = c->l->run;
	int rc = cs_command_fresh(e, r, req, err);
	if (rc == CS_OK)
		rc = cs_run_require(r, "correct", err);
	if (rc == CS_OK && cs_json_true(req, "retry")) {
		c->go_on = r->state == CS_RUN_PAUSED ? "resume" : "retry";
		rc = cs_run_require(r, c->go_on, err);
	}
	if (rc == CS_OK)
		rc = at_rest(e, r, "correct", err);
	if (rc == CS_OK)
		rc = take_definition(e, req, c, err);
	return rc == CS_OK ? take_changes(e, req, c, err) : rc;
}

static json_t *hashes_of(const struct correction *c)
{
	return json_pack("{s:s, s:s, s:s}", "old", c->l->bundle->hash, "new", c->b->hash, "version", c->b->flow->version);
}

/* Half of it must not stand: whatever fails here, the group is lost. */
static int write_correction(cs_engine *e, const json_t *req, struct correction *c, cs_err *err)
{
	static const char *const said[] = { "why", "batch" };
	json_t *data = hashes_of(c);
	int rc = CS_OK;
	for (size_t i = 0; i < CS_ARRAY_LEN(said); i++)
		if (cs_json_str(req, said[i]) != NULL)
			json_object_set(data, said[i], json_object_get(req, said[i]));
	if (c->fresh != NULL) {
		take(e, c->l, CS_STEAL(c->fresh), c->b);
		rc = cs_bundle_store(e, c->b, err);
	}
	rc = rc == CS_OK ? cs_correct_write(c->l->run, &e->step, c->patch, c->again, json_incref(data), err) : rc;
	json_decref(data);
	if (rc == CS_OK && c->go_on != NULL)
		rc = cs_run_control(c->l->run, &e->step, c->go_on, req, err);
	return rc == CS_OK ? CS_OK : cs_err_set(err, CS_EINTERNAL, "the run could not be corrected as was found out before");
}

static int look(const cs_engine *e, const cs_run *r, json_t **ret, cs_err *err)
{
	const char *state = cs_run_state_name(r->state);
	int rc = cs_run_require(r, "correct", err);
	if (rc == CS_OK)
		rc = at_rest(e, r, "correct", err);
	if (rc != CS_OK)
		return rc;
	*ret = cs_correct_look(r);
	json_object_set_new(*ret, "run", json_string(r->id));
	json_object_set_new(*ret, "state", json_string(state));
	json_object_set_new(*ret, "seen", json_integer(r->last_seq));
	return CS_OK;
}

int cs_command_correct(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	CS_CLEANUP(correction_fini) struct correction c = { .l = cs_runs_load(e, cs_json_str_or(req, "run", ""), err) };
	if (c.l == NULL)
		return err->code;
	cs_runs_ready(e, c.l);       /* it goes on, or leaves memory again */
	int rc = cs_json_true(req, "look") ? look(e, c.l->run, ret, err) : plan(e, req, &c, err);
	if (rc != CS_OK || cs_json_true(req, "look"))
		return rc;
	json_t *reply = hashes_of(&c);
	if (!cs_json_true(req, "dry"))
		rc = write_correction(e, req, &c, err);
	json_object_set_new(reply, "run", json_string(c.l->run->id));
	json_object_set_new(reply, "state", json_string(cs_run_state_name(c.l->run->state)));
	json_object_set(reply, "patch", c.patch);
	json_object_set(reply, "again", c.again);
	if (rc != CS_OK)
		json_decref(reply);
	else
		*ret = reply;
	return rc;
}
