/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/start.h"

#include <string.h>
#include "base/json.h"

static int start_var(void *ctx, const char *name, json_t **ret)
{
	if (strcmp(name, "start") != 0 && strcmp(name, "input") != 0)
		return CS_ENOTFOUND;
	*ret = json_incref(ctx);
	return CS_OK;
}

void cs_start_subject(cs_engine *e, const cs_flow *flow, const char *said, json_t *input, json_t *created)
{
	if (said != NULL)
		json_object_set_new(created, "subject", json_string(said));
	for (size_t i = 0; said == NULL && i < e->ws->n_flow_settings; i++) {
		const cs_flow_settings *s = &e->ws->flow_settings[i];
		CS_AUTOJSON json_t *subject = NULL;
		cs_scope scope = { .dot = input, .var = start_var, .ctx = input };
		if (s->subject != NULL && strcmp(s->flow, flow->name) == 0 &&
		    cs_template_eval(s->subject, &scope, &subject, NULL) == CS_OK && json_is_string(subject))
			json_object_set(created, "subject", subject);
	}
}

int cs_start_known(cs_engine *e, const char *key, const char *digest, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *params = json_pack("[s]", key);
	json_t *row = json_object_get(e->group_keys, key);
	if (row == NULL) {
		int rc = cs_reader_query(e->reader, "SELECT run, digest FROM start_key WHERE key = ?1", params, &rows, err);
		if (rc != CS_OK)
			return rc;
		row = json_array_get(rows, 0);
	}
	if (row == NULL)
		return CS_ENOTFOUND;
	if (strcmp(cs_json_str_or(row, "digest", ""), digest) != 0)
		return cs_err_set(err, CS_EREFUSED, "the key %s started run %s with another input; choose another key", key, cs_json_str_or(row, "run", ""));
	*ret = json_pack("{s:O, s:b}", "run", json_object_get(row, "run"), "existing", 1);
	return CS_OK;
}

void cs_start_note_key(cs_engine *e, const json_t *created, const char *run)
{
	const char *key = cs_json_str(created, "key");
	if (key != NULL)
		json_object_set_new(e->group_keys, key, json_pack("{s:s, s:O}", "run", run, "digest", json_object_get(created, "key_digest")));
}

json_t *cs_start_data(const cs_bundle *b, json_t *input)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:O}", "flow", json_sprintf("%s/%s", b->flow->ns, b->flow->name),
			 "name", b->flow->name, "version", b->flow->version, "definition", b->hash, "input", input);
}

int cs_start_begin(cs_engine *e, cs_bundle *b, json_t *created, bool simulated, cs_record *record, const char *id, cs_err *err)
{
	int rc = cs_bundle_store(e, b, err);
	if (rc != CS_OK)
		return rc;
	cs_run *r = cs_run_new(id, b->flow);
	r->copied_seq = e->copied_seq;
	r->simulated = simulated;
	r->record = record;
	r->shadow = record != NULL;
	cs_live *l = cs_runs_add(e, r, b);
	rc = cs_run_begin(r, &e->step, created, err);
	if (rc == CS_OK && cs_run_state_terminal(cs_run_state_name(r->state)))
		cs_runs_retire(e, l);
	else
		cs_runs_ready(e, l);
	return rc;
}

static int start(cs_engine *e, const cs_start_order *o, char id[CS_ID_SIZE], cs_err *err)
{
	cs_bundle *b = cs_bundle_of_flow(e, o->flow);
	if (b == NULL)
		return cs_err_set(err, CS_EINVAL, "a role that the flow %s calls does not load; see `capstan check`", o->flow->name);
	CS_AUTOJSON json_t *input = o->input != NULL ? json_incref(o->input) : json_object();
	CS_AUTOJSON json_t *created = cs_start_data(b, input);
	if (o->more != NULL)
		json_object_update(created, o->more);
	if (o->key != NULL) {
		json_object_set_new(created, "key", json_string(o->key));
		json_object_set_new(created, "key_digest", json_string(o->key_digest));
	}
	cs_start_subject(e, o->flow, o->subject, input, created);
	e->step.new_id(e, id);
	int rc = cs_start_begin(e, b, created, o->simulated, NULL, id, err);
	if (rc == CS_OK)
		cs_start_note_key(e, created, id);
	return rc;
}

int cs_start_run(cs_engine *e, const cs_start_order *o, char ret_id[CS_ID_SIZE], cs_err *err)
{
	const char *actor = e->step.actor;
	int64_t cause = e->step.cause;
	char id[CS_ID_SIZE];
	e->step.actor = o->actor;
	e->step.cause = o->cause;
	int rc = start(e, o, id, err);
	e->step.actor = actor;
	e->step.cause = cause;
	if (rc == CS_OK && ret_id != NULL)
		memcpy(ret_id, id, CS_ID_SIZE);
	return rc;
}
