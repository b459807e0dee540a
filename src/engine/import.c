/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of another workspace come into this log: to be shown, traced, compared and replayed, never to
 * be gone on with. Nothing of the file is looked at before its signature holds and its signer is
 * known or named; everything is tried before the first event is written. */
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "core/run.h"
#include "engine/engine_priv.h"
#include "store/checkpoint.h"
#include "store/transfer.h"

/* Ours, one whose runs were imported before, or the one that the operator names. */
static int known_signer(cs_engine *e, const json_t *req, const cs_import *m, cs_err *err)
{
	uint8_t own[CS_SIGN_PUBLIC];
	char hex[CS_HEX_SIZE] = "";
	CS_AUTOFREE char *name = cs_xasprintf("signer:%s", m->signer);
	CS_AUTOFREE char *before = NULL;
	const char *trust = cs_json_str(req, "trust"), *workspace = cs_json_str_or(m->header, "workspace", "");
	if (cs_signer_public(e->state_dir, own, NULL) == CS_OK)
		cs_hex(own, sizeof own, hex);
	if (trust != NULL && strcmp(trust, m->signer) != 0)
		return cs_err_set(err, CS_EREFUSED, "the file is signed by %s (workspace %.80s), not by the key that --trust names; nothing was imported",
				  m->signer, workspace);
	if (trust != NULL || strcmp(hex, m->signer) == 0)
		return CS_OK;
	int rc = cs_store_setting(e->store, name, &before, err);
	if (rc != CS_OK || before != NULL)
		return rc;
	return cs_err_set(err, CS_EREFUSED, "the file is signed by %s, of a workspace that calls itself %.80s, and nothing of that signer was "
			  "imported before. If the key is the one that its owner told you (their .capstan/key.pub), say --trust %s",
			  m->signer, workspace, m->signer);
}

/* The file that RUN, imported before, came with; "" where it is this workspace's own. */
static int take_file(void *ctx, const cs_event *ev)
{
	snprintf(ctx, CS_HEX_SIZE, "%s", cs_json_str_or(ev->data, "file", ""));
	return 0;
}

/* *ret_there: all of it is here already, by this very file. */
static int not_here(cs_engine *e, const cs_import *m, bool *ret_there, cs_err *err)
{
	const char *run;
	json_t *unused;
	*ret_there = false;
	json_object_foreach(m->runs, run, unused) {
		CS_AUTOJSON json_t *rows = NULL;
		CS_AUTOJSON json_t *params = json_pack("[s]", run);
		char file[CS_HEX_SIZE] = "";
		int rc = cs_reader_query(e->reader, "SELECT imported FROM run WHERE id = ?1", params, &rows, err);
		if (rc != CS_OK)
			return rc;
		int64_t seq = cs_json_int_or(json_array_get(rows, 0), "imported", 0);
		if (json_array_size(rows) == 0 && cs_runs_get(e, run) == NULL)
			continue;
		if (seq > 0)
			(void)cs_reader_event(e->reader, seq, take_file, file, NULL);
		if (strcmp(file, m->file) == 0) {
			*ret_there = true;
			return CS_OK;
		}
		return cs_err_set(err, CS_EREFUSED, "the run %s is here already, %s; nothing was imported", run,
				  seq > 0 ? "from another file" : "as this workspace's own");
	}
	return CS_OK;
}

/* ---- trying it ------------------------------------------------------------------------------------------ */

static int at_line(int64_t line, cs_err *err, const char *why)
{
	return cs_err_at(err, CS_EINVAL, NULL, (unsigned)line, 0, "line %lld: %.600s", (long long)line, why);
}

/* All events of the run ID under its last definition: what a replay of it will do. */
static int try_run(const cs_import *m, const cs_bundle *b, const char *id, cs_err *err)
{
	const json_t *own = json_object_get(json_object_get(m->runs, id), "events");
	CS_AUTOBUF cs_buf actor;
	char why[200];
	int rc = CS_OK;
	cs_buf_init(&actor, 4096);
	cs_run *r = cs_run_new(id, b->flow);
	for (size_t i = 0; rc == CS_OK && i < json_array_size(own); i++) {
		size_t at = (size_t)json_integer_value(json_array_get(own, i));
		cs_event ev;
		cs_import_event(m, at, &actor, &ev);
		if (cs_run_fold(r, &ev, NULL) == CS_OK)
			continue;
		snprintf(why, sizeof why, "event %lld (%.64s) does not fit the run %s", (long long)ev.seq, ev.type, id);
		rc = at_line(cs_json_int_or(json_array_get(m->events, at), "line", 0), err, why);
	}
	cs_run_free(r);
	return rc;
}

/* The line of the last event of the run ID that says which definition it has. */
static int64_t line_of_definition(const cs_import *m, const char *id)
{
	const json_t *own = json_object_get(json_object_get(m->runs, id), "events");
	for (size_t i = json_array_size(own); i-- > 1;) {
		const json_t *ev = json_array_get(m->events, (size_t)json_integer_value(json_array_get(own, i)));
		const char *type = cs_json_str_or(ev, "type", "");
		if (strcmp(type, "run.adopted") == 0 || strcmp(type, "run.corrected") == 0)
			return cs_json_int_or(ev, "line", 0);
	}
	return cs_json_int_or(json_object_get(m->runs, id), "line", 0);
}

/* The runs IDS, whose last definition is HASH. */
static int try_runs(const cs_import *m, const char *hash, const json_t *ids, cs_err *err)
{
	const json_t *text = json_object_get(m->bodies, hash);
	const char *first = json_string_value(json_array_get(ids, 0));
	CS_AUTOJSON json_t *doc = NULL;
	char why[200];
	cs_err said = { 0 };
	cs_bundle *b = NULL;
	snprintf(why, sizeof why, "the definition %.16s of the run %s is not in the file", hash, first);
	if (text == NULL)
		return at_line(line_of_definition(m, first), err, why);
	int rc = cs_json_parse(json_string_value(text), json_string_length(text), &doc, &said);
	if (rc == CS_OK)
		rc = cs_bundle_try(hash, doc, &b, &said);
	if (rc != CS_OK)
		return at_line(cs_json_int_or(m->lines, hash, 0), err, said.msg);
	for (size_t i = 0; rc == CS_OK && i < json_array_size(ids); i++)
		rc = try_run(m, b, json_string_value(json_array_get(ids, i)), err);
	cs_bundles_free(b);
	return rc;
}

/* Each definition is made ready once, and let go again, whatever number of runs has it. */
static int try_by_definition(const cs_import *m, cs_err *err)
{
	CS_AUTOJSON json_t *by = json_object();
	const char *id, *hash;
	json_t *run, *ids;
	json_object_foreach(m->runs, id, run) {
		hash = cs_json_str_or(run, "definition", "");
		if (json_object_get(by, hash) == NULL)
			json_object_set_new(by, hash, json_array());
		json_array_append_new(json_object_get(by, hash), json_string(id));
	}
	json_object_foreach(by, hash, ids) {
		int rc = try_runs(m, hash, ids, err);
		if (rc != CS_OK)
			return rc;
	}
	return CS_OK;
}

/* Definitions of sub-flows too: a replay looks for them where its own is. */
static int try_flows(const cs_import *m, cs_err *err)
{
	const char *hash, *name;
	json_t *text, *sub;
	json_object_foreach(m->bodies, hash, text) {
		CS_AUTOJSON json_t *doc = NULL;
		int rc = cs_json_parse(json_string_value(text), json_string_length(text), &doc, err);
		if (rc != CS_OK)
			return rc;
		json_object_foreach(json_is_object(json_object_get(doc, "flow")) ? json_object_get(doc, "flows") : NULL, name, sub)
			if (!json_is_string(sub) || json_object_get(m->bodies, json_string_value(sub)) == NULL)
				return cs_err_at(err, CS_EINVAL, NULL, (unsigned)cs_json_int_or(m->lines, hash, 0), 0,
						 "line %lld: the definition of the flow %.80s is not in the file",
						 (long long)cs_json_int_or(m->lines, hash, 0), name);
	}
	return CS_OK;
}

static int try_all(const cs_import *m, cs_err *err)
{
	int rc = cs_import_try(m, err);
	if (rc == CS_OK)
		rc = try_flows(m, err);
	return rc == CS_OK ? try_by_definition(m, err) : rc;
}

/* ---- writing it ----------------------------------------------------------------------------------------- */

static int put_definitions(cs_engine *e, const cs_import *m, cs_err *err)
{
	const char *hash;
	json_t *text;
	char same[CS_HEX_SIZE];
	json_object_foreach(m->bodies, hash, text) {
		int rc = cs_store_put_body(e->store, json_string_value(text), json_string_length(text), same, err);
		if (rc != CS_OK)
			return rc;
	}
	return CS_OK;
}

static json_t *told(const cs_import *m)
{
	json_t *runs = json_array(), *run;
	const char *id;
	json_object_foreach(m->runs, id, run)
		json_array_append_new(runs, json_pack("{s:s, s:O}", "run", id, "state", json_object_get(run, "state")));
	return runs;
}

/* Each cause is the event that was its cause there, or this import. */
static int put_events(cs_engine *e, const cs_import *m, int64_t import, cs_err *err)
{
	CS_AUTOJSON json_t *moved = json_object();       /* seq there -> seq here */
	CS_AUTOBUF cs_buf actor;
	char name[32];
	cs_buf_init(&actor, 4096);
	for (size_t i = 0; i < json_array_size(m->events); i++) {
		cs_event ev;
		cs_import_event(m, i, &actor, &ev);
		int64_t there = ev.seq;
		snprintf(name, sizeof name, "%lld", (long long)ev.cause);
		ev.cause = cs_json_int_or(moved, name, import);
		int rc = cs_engine_append(e, &ev, err);
		if (rc != CS_OK)
			return rc;
		snprintf(name, sizeof name, "%lld", (long long)there);
		json_object_set_new(moved, name, json_integer((json_int_t)ev.seq));
	}
	return CS_OK;
}

static int put_marks(cs_engine *e, const cs_import *m, int64_t import, cs_err *err)
{
	const char *id;
	json_t *run;
	json_object_foreach(m->runs, id, run) {
		CS_AUTOJSON json_t *data = json_pack("{s:s, s:s, s:O, s:O}", "file", m->file, "signer", m->signer, "workspace",
						     json_object_get(m->header, "workspace"), "state", json_object_get(run, "state"));
		cs_event ev = { .at = e->step.now, .type = "run.imported", .actor = e->step.actor, .cause = import, .simulated = true, .data = data };
		memcpy(ev.run, id, CS_ID_SIZE);
		int rc = cs_engine_append(e, &ev, err);
		if (rc != CS_OK)
			return rc;
	}
	return CS_OK;
}

static int put_all(cs_engine *e, const cs_import *m, cs_err *err)
{
	json_t *at = json_object_get(m->header, "at");
	json_t *data = json_pack("{s:s, s:s, s:O, s:O, s:o}", "file", m->file, "signer", m->signer, "workspace",
				 json_object_get(m->header, "workspace"), "at", json_is_string(at) ? at : json_null(), "runs", told(m));
	int rc = cs_command_write(e, "log.imported", data, err);
	int64_t import = cs_store_last_seq(e->store);
	if (rc == CS_OK)
		rc = put_definitions(e, m, err);
	if (rc == CS_OK)
		rc = put_events(e, m, import, err);
	return rc == CS_OK ? put_marks(e, m, import, err) : rc;
}

/* Had it ended there? What had not stands here as cancelled: it never goes on. */
static bool had_ended(const json_t *run)
{
	static const char *const ends[] = { "completed", "faulted", "compensated", "cancelled" };
	const char *state = cs_json_str_or(run, "state", "");
	for (size_t i = 0; i < CS_ARRAY_LEN(ends); i++)
		if (strcmp(ends[i], state) == 0)
			return true;
	return false;
}

static json_t *reply(const cs_import *m, bool existing)
{
	json_t *runs = json_array(), *open = json_object(), *run;
	const char *id;
	json_object_foreach(m->runs, id, run) {
		json_array_append_new(runs, json_string(id));
		if (!had_ended(run))
			json_object_set(open, id, json_object_get(run, "state"));
	}
	return json_pack("{s:s, s:s, s:O, s:b, s:o, s:o}", "file", m->file, "signer", m->signer, "workspace",
			 json_object_get(m->header, "workspace"), "existing", existing, "runs", runs, "open", open);
}

static int import_text(cs_engine *e, const json_t *req, const cs_buf *text, cs_import *m, json_t **ret, cs_err *err)
{
	bool there = false;
	/* What the other wrote is seen by no query yet. */
	if (e->import_group > 0 && e->import_group == e->group_seq)
		return cs_err_set(err, CS_EUNAVAIL, "another import is being written at this moment; try again");
	int rc = cs_import_check(text->data, text->len, m, err);
	if (rc == CS_OK)
		rc = known_signer(e, req, m, err);
	if (rc == CS_OK)
		rc = cs_import_read(text->data, text->len, m, err);
	if (rc == CS_OK)
		rc = not_here(e, m, &there, err);
	if (rc == CS_OK && !there)
		rc = try_all(m, err);
	if (rc == CS_OK && !there) {
		e->import_group = e->group_seq;
		rc = put_all(e, m, err);
	}
	if (rc == CS_OK)
		*ret = reply(m, there);
	return rc;
}

int cs_command_import(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	const char *path = cs_json_str_or(req, "file", "");
	CS_CLEANUP(cs_import_fini) cs_import m = { .header = NULL };
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, CS_TRANSFER_MAX + (size_t)8 * 1024 * 1024);
	if (path[0] != '/')
		return cs_err_set(err, CS_EINVAL, "the file to import is named by its whole path");
	int rc = cs_file_read(path, &text, err);
	if (rc != CS_OK)
		return rc;
	cs_err why = { 0 };
	rc = import_text(e, req, &text, &m, ret, &why);
	if (rc == CS_EINVAL)                 /* the request was well said: it is the file that is refused */
		return cs_err_set(err, CS_EREFUSED, "%.700s; nothing was imported", why.msg);
	return rc == CS_OK ? rc : cs_err_set(err, rc, "%.760s", why.msg);
}
