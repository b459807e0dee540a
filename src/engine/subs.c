/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that tasks of other runs start: pinned with the run that starts them, begun and ended in the
 * same groups as its tasks, and led along with it. */
#include <search.h>
#include <string.h>
#include "base/buf.h"
#include "base/json.h"
#include "engine/start.h"
#include "engine/starters.h"

enum { INPUT_MAX = 32 << 20 };   /* leaves room in an event for what stands beside it */

int cs_subs_find(void *engine, const cs_run *r, const cs_task *t, const json_t *input, char ret_hash[CS_HEX_SIZE], cs_err *why)
{
	cs_engine *e = engine;
	const cs_live *l = r->owner;
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, INPUT_MAX);
	if (cs_json_canonical(input, &text) != CS_OK)
		return cs_err_set(why, CS_ETOOBIG, "the input of the run would have more than %d bytes; give it less", INPUT_MAX);
	if (t->sub->name == NULL) {
		const cs_bundle *made = cs_bundle_of_flow(e, t->sub->made);
		if (made == NULL)
			return cs_err_set(why, CS_EINTERNAL, "the process cannot be made a run of its own");
		memcpy(ret_hash, made->hash, CS_HEX_SIZE);
		return CS_OK;
	}
	CS_AUTOFREE char *key = cs_bundle_sub_key(t->sub);
	const char *hash = l != NULL ? cs_json_str(json_object_get(l->bundle->doc, "flows"), key) : NULL;
	if (hash == NULL || strlen(hash) != CS_HEX_SIZE - 1)
		return cs_err_set(why, CS_ENOTFOUND, "there was no flow %s in the workspace when this run began; add it, and start a new run", key);
	memcpy(ret_hash, hash, CS_HEX_SIZE);
	return CS_OK;
}

/* What a run that is a replay takes over from the one that it replays. */
static int add_replayed(cs_engine *e, const char *id, json_t *created, cs_record **ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *params = json_pack("[s]", id);
	int rc = cs_reader_query(e->reader, "SELECT origin, started FROM run WHERE id = ?1", params, &rows, err);
	const json_t *row = json_array_get(rows, 0);
	if (rc != CS_OK || row == NULL)
		return rc;
	json_object_set_new(created, "replays", json_string(id));
	json_object_set_new(created, "origin", json_string(cs_json_str_or(row, "origin", id)));
	if (json_is_integer(json_object_get(row, "started")))
		json_object_set(created, "clock", json_object_get(row, "started"));
	return cs_runs_record(e, id, ret, err);
}

static json_t *created_data(const cs_run *r, const cs_bundle *b, const cs_sub_order *o)
{
	json_t *created = cs_start_data(b, o->input);
	json_object_set_new(created, "kind", json_string("sub"));
	json_object_set_new(created, "parent", json_string(r->id));
	json_object_set_new(created, "caller", json_pack("{s:s, s:i}", "task", o->task->ref, "occurrence", o->occurrence));
	if (!o->task->sub->await)
		json_object_set_new(created, "detached", json_true());
	if (o->tainted)
		json_object_set_new(created, "tainted", json_true());
	if (!r->shadow)                          /* a replay starts nothing */
		json_object_set_new(created, "chain", cs_starters_chain(r));
	if (r->subject != NULL)
		json_object_set_new(created, "subject", json_string(r->subject));
	if (o->task->sub->name == NULL)
		json_object_set_new(created, "title", json_string(o->task->name));
	if (r->shadow)
		json_object_set_new(created, "shadow", json_true());
	if (r->ask_again)
		json_object_set_new(created, "ask", json_true());
	return created;
}

static int begin(cs_engine *e, cs_run *r, const cs_sub_order *o, cs_err *err)
{
	cs_bundle *b = cs_bundle_by_hash(e, o->definition, err);
	if (b == NULL)
		return err->code != 0 ? err->code : CS_EINTERNAL;
	CS_AUTOJSON json_t *created = created_data(r, b, o);
	cs_record *record = NULL;
	int rc = o->replays[0] != '\0' ? add_replayed(e, o->replays, created, &record, err) : CS_OK;
	if (rc != CS_OK)
		return rc;
	rc = cs_start_begin(e, b, created, r->simulated, record, o->id, err);
	const cs_live *l = cs_runs_get(e, o->id);
	return rc == CS_OK && l != NULL ? cs_subs_tell(e, l, err) : rc;
}

/* An act on another run, caused by what R has just written. */
static int64_t cause_of(cs_engine *e, const cs_run *r)
{
	int64_t before = e->step.cause;
	e->step.cause = r->last_seq;
	return before;
}

int cs_subs_begin(void *engine, cs_run *r, const cs_sub_order *o, cs_err *err)
{
	cs_engine *e = engine;
	int64_t before = cause_of(e, r);
	int rc = begin(e, r, o, err);
	e->step.cause = before;
	return rc;
}

int cs_subs_control(void *engine, cs_run *r, const char *id, const char *verb, cs_err *err)
{
	cs_engine *e = engine;
	cs_live *l = cs_runs_load(e, id, err);
	cs_err why = { 0 };
	if (l == NULL)
		return err->code != 0 ? err->code : CS_EINTERNAL;
	bool over = cs_run_state_terminal(cs_run_state_name(l->run->state));
	if (over && strcmp(verb, "retry") != 0) {       /* R did not hear of it */
		cs_runs_retire(e, l);
		cs_runs_ready(e, r->owner);
		return cs_run_sub_ended(r, &e->step, id, cs_run_end_data(l->run), err);
	}
	int64_t before = cause_of(e, r);
	int rc = cs_run_control(l->run, &e->step, verb, NULL, &why);
	e->step.cause = before;
	cs_runs_ready(e, l);
	return rc == CS_EREFUSED ? CS_OK : rc == CS_OK ? rc : cs_err_set(err, rc, "%s", why.msg);
}

int cs_subs_look(void *engine, const char *id, cs_sub_state *ret, json_t **ret_end, cs_err *err)
{
	cs_engine *e = engine;
	cs_live *l = cs_runs_load(e, id, err);
	if (l == NULL)
		return err->code != 0 ? err->code : CS_EINTERNAL;
	*ret = (cs_sub_state){ .state = l->run->state, .can_retry = l->run->start != NULL };
	*ret_end = cs_run_end_data(l->run);
	if (*ret_end != NULL)
		cs_runs_retire(e, l);
	return CS_OK;
}

int cs_subs_reverse(void *engine, cs_run *r, const char *id, const char *key, const char *why, bool *ret_done, cs_err *why_not)
{
	cs_engine *e = engine;
	cs_live *l = cs_runs_load(e, id, why_not);
	if (l == NULL)
		return why_not->code != 0 ? why_not->code : CS_EINTERNAL;
	int64_t before = cause_of(e, r);
	int rc = cs_run_take_back(l->run, &e->step, r->id, key, why, ret_done, why_not);
	e->step.cause = before;
	if (cs_run_state_terminal(cs_run_state_name(l->run->state)))
		cs_runs_retire(e, l);
	else
		cs_runs_ready(e, l);
	return rc;
}

int cs_subs_reversed(void *engine, cs_run *r, const char *key, json_t *error, cs_err *err)
{
	cs_engine *e = engine;
	cs_live *root = cs_runs_get(e, r->led_by);
	if (root == NULL)                /* it takes back, or is stuck: such a run is always here */
		return cs_err_set(err, CS_EINTERNAL, "the run %s, for which %s takes something back, is not there", r->led_by, r->id);
	int64_t before = cause_of(e, r);
	int rc = cs_run_reversal_ended(root->run, &e->step, key, error, err);
	e->step.cause = before;
	cs_runs_ready(e, root);
	return rc;
}

static void wake_one(const void *node, VISIT visit, void *engine)
{
	cs_live *l = *(cs_live *const *)node;
	if ((visit == postorder || visit == leaf) && l->run->state == CS_RUN_COMPENSATING)
		cs_runs_ready(engine, l);
}

void cs_subs_wake(cs_engine *e, const cs_live *l)
{
	if (l->run->awaited)
		twalk_r(e->runs, wake_one, e);
}

int cs_subs_tell(cs_engine *e, const cs_live *l, cs_err *err)
{
	json_t *end = l->run->awaited ? cs_run_end_data(l->run) : NULL;
	cs_live *parent = end != NULL ? cs_runs_get(e, l->run->parent) : NULL;
	if (parent == NULL || l->run->state == CS_RUN_COMPENSATED || cs_run_state_terminal(cs_run_state_name(parent->run->state)))
		cs_subs_wake(e, l);
	if (parent == NULL || cs_run_state_terminal(cs_run_state_name(parent->run->state))) {
		json_decref(end);        /* its retry will look */
		return CS_OK;
	}
	int64_t before = cause_of(e, l->run);
	int rc = cs_run_sub_ended(parent->run, &e->step, l->run->id, end, err);
	e->step.cause = before;
	cs_runs_ready(e, parent);
	return rc;
}
