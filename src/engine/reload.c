/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changed files, taken whole or not at all. They are read and checked on a thread of their own; the
 * coordinator only takes what is ready. Runs keep the flow and the roles that they have pinned
 * (bundle.c); connectors, policies, fixtures and settings are from then on the new ones. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "engine/outlets.h"
#include "engine/parked.h"
#include "engine/schedule.h"
#include "engine/starters.h"
#include "engine/turns.h"

enum { JQ_CHILDREN = 1, JQ_MS = 5000, TITLE_BYTES = 300, LISTED = 20 };

/* One reading of the files, asked for. */
typedef struct load_job {
	cs_door *door;
	char *dir, *exe, *actor;
	cs_reply_fn *done;
	void *ctx;
} load_job;

struct cs_loaded {
	cs_workspace *ws;            /* also where it failed: what could be read */
	cs_policy *policy;
	json_t *findings;            /* texts "FILE:LINE:COL: …", errors only, at most LISTED */
	char *actor;
	int code;
	cs_err err;
};

void cs_loaded_free(cs_loaded *l)
{
	if (l == NULL)
		return;
	cs_workspace_free(l->ws);
	cs_policy_free(l->policy);
	json_decref(l->findings);
	free(l->actor);
	free(l);
}

/* ---- on the loader's thread ------------------------------------------------------------------------------ */

static void job_drop(void *job)
{
	load_job *j = job;
	cs_door_unref(j->door);
	free(j->dir);
	free(j->exe);
	free(j->actor);
	free(j);
}

/* The first finding stands for all: `capstan check` lists them. */
static int refuse(cs_loaded *l, const cs_diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const cs_diag *g = &d->items[i];
		if (!g->warning && json_array_size(l->findings) < LISTED)
			json_array_append_new(l->findings, json_sprintf("%s:%u:%u: %s", g->file ? g->file : "", g->line, g->col, g->message));
	}
	const char *first = json_string_value(json_array_get(l->findings, 0));
	return cs_err_set(&l->err, CS_EINVAL, "nothing was changed: %s (%zu in all; see `capstan check`)", first ? first : "findings", d->errors);
}

static int load_checked(const load_job *j, cs_loaded *l)
{
	cs_diags d;
	cs_diags_init(&d);
	int rc = cs_workspace_load(j->dir, true, &d, &l->ws, &l->err);
	if (rc == CS_OK && d.errors == 0) {
		cs_jq_pool *jq = cs_jq_pool_new(j->exe, JQ_CHILDREN, JQ_MS);
		rc = cs_workspace_check_expressions(l->ws, jq, &d, &l->err);
		cs_jq_pool_free(jq);
	}
	if (d.errors > 0)
		rc = refuse(l, &d);
	cs_diags_fini(&d);
	if (rc == CS_OK)
		rc = cs_policy_new(l->ws->policies, &l->policy, &l->err);
	return rc;
}

static void job_run(void *job)
{
	load_job *j = job;
	cs_message *m = cs_xcalloc(1, sizeof *m);
	m->kind = CS_MESSAGE_LOADED;
	m->loaded = cs_xcalloc(1, sizeof *m->loaded);
	m->loaded->findings = json_array();
	m->loaded->actor = cs_xstrdup(j->actor);
	m->loaded->code = load_checked(j, m->loaded);
	m->done = j->done;
	m->ctx = j->ctx;
	cs_door_post(j->door, m);
	job_drop(j);
}

void cs_reload_begin(cs_engine *e, const char *actor, cs_reply_fn *done, void *ctx)
{
	load_job *j = cs_xcalloc(1, sizeof *j);
	j->door = cs_door_ref(e->door);
	j->dir = cs_xstrdup(e->dir);
	j->exe = cs_xstrdup(e->opts.exe);
	j->actor = cs_xstrdup(actor);
	j->done = done;
	j->ctx = ctx;
	if (e->loader == NULL)
		e->loader = cs_workers_new(1, &e->opts.jobs, job_run, job_drop);    /* one: they are taken in the order asked */
	cs_workers_give(e->loader, j, false);
}

static void files_changed(void *engine)
{
	cs_message *m = cs_xcalloc(1, sizeof *m);
	m->kind = CS_MESSAGE_CHANGED;
	(void)cs_engine_post(engine, m);
}

int cs_reload_watch(cs_engine *e, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(e->reader, "SELECT id, title FROM item WHERE run = '' AND call = 'reload' AND state = 'open'", NULL, &rows, err);
	if (rc != CS_OK)
		return rc;
	const json_t *open = json_array_get(rows, 0);
	snprintf(e->notice, sizeof e->notice, "%s", cs_json_str_or(open, "id", ""));
	snprintf(e->notice_title, sizeof e->notice_title, "%s", cs_json_str_or(open, "title", ""));
	if (!e->opts.watch)
		return CS_OK;
	rc = cs_watch_start(e->dir, e->ws->files, files_changed, e, &e->watch, err);
	if (rc == CS_OK && e->notice[0] != '\0')
		files_changed(e);    /* perhaps it was mended while no engine ran */
	return rc;
}

/* ---- on the coordinator's -------------------------------------------------------------------------------- */

/* A call under way still holds functions of the files that it began with: they are kept until no
 * run is in memory. */
static void retire(cs_engine *e, cs_workspace *old)
{
	if (e->n_runs == 0 && e->in_flight == 0 && e->evaluating == 0)
		cs_retired_free(e);
	e->retired = cs_xrealloc(e->retired, (e->n_retired + 1) * sizeof(cs_workspace *));
	e->retired[e->n_retired++] = old;
}

void cs_retired_free(cs_engine *e)
{
	for (size_t i = 0; i < e->n_retired; i++)
		cs_workspace_free(e->retired[i]);
	free(e->retired);
	e->retired = NULL;
	e->n_retired = 0;
}

/* [{file, old, new}] of what differs, null where there was or is none. */
static json_t *differences(const json_t *old, const json_t *new)
{
	json_t *list = json_array(), *hash;
	const char *file;
	json_object_foreach((json_t *)(uintptr_t)new, file, hash) {
		json_t *before = json_object_get(old, file);
		if (before == NULL || !json_equal(before, hash))
			json_array_append_new(list, json_pack("{s:s, s:O?, s:O}", "file", file, "old", before, "new", hash));
	}
	json_object_foreach((json_t *)(uintptr_t)old, file, hash)
		if (json_object_get(new, file) == NULL)
			json_array_append_new(list, json_pack("{s:s, s:O, s:n}", "file", file, "old", hash, "new"));
	return list;
}

/* Do the rules perhaps answer otherwise now? */
static bool touches_rules(const json_t *files)
{
	static const char *const places[] = { "policies/", "connectors/", "capstan.yaml" };
	size_t i;
	json_t *f;
	json_array_foreach(files, i, f)
		for (size_t k = 0; k < CS_ARRAY_LEN(places); k++)
			if (strncmp(cs_json_str_or(f, "file", ""), places[k], strlen(places[k])) == 0)
				return true;
	return false;
}

static void ready_one(const void *node, VISIT visit, void *engine)
{
	if (visit == postorder || visit == leaf)
		cs_runs_ready(engine, *(cs_live *const *)node);
}

static int close_notice(cs_engine *e, const char *how, cs_err *err)
{
	if (e->notice[0] == '\0')
		return CS_OK;
	json_t *data = json_pack("{s:s, s:s, s:s}", "item", e->notice, "how", how, "by", e->step.actor);
	e->notice[0] = e->notice_title[0] = '\0';
	return cs_command_write(e, "item.closed", data, err);
}

/* One item says what is wrong with the files, the same as long as that is the same. */
static int open_notice(cs_engine *e, const cs_loaded *l, cs_err *err)
{
	char title[sizeof e->notice_title];
	const char *first = json_string_value(json_array_get(l->findings, 0));
	snprintf(title, sizeof title, "Changed files are not taken: ");
	size_t n = strlen(title), most = strnlen(first != NULL ? first : l->err.msg, TITLE_BYTES);
	const char *text = first != NULL ? first : l->err.msg;
	while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
		most--;
	memcpy(title + n, text, most);
	title[n + most] = '\0';
	if (strcmp(title, e->notice_title) == 0)
		return CS_OK;
	int rc = close_notice(e, "superseded", err);
	if (rc != CS_OK)
		return rc;
	e->step.new_id(e, e->notice);
	memcpy(e->notice_title, title, sizeof title);
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:O}", "item", e->notice, "kind", "notice", "title", title, "next", "dismiss",
				 "call", "reload", "action", "mend the files; then this closes by itself", "findings", l->findings);
	return cs_command_write(e, "item.opened", data, err);
}

/* *ret_files: what has changed. Nothing has when it fails; only the event can, and that ends the engine. */
static int swap(cs_engine *e, cs_loaded *l, json_t *files, cs_err *err)
{
	if (json_array_size(files) > 0) {
		int written = cs_command_write(e, "engine.reloaded", json_pack("{s:O}", "files", files), err);
		if (written != CS_OK)
			return written;
	}
	int rc = cs_parked_all_back(e, err);
	if (rc != CS_OK)
		return rc;
	cs_policy_free(e->policy);
	retire(e, e->ws);
	e->policy = CS_STEAL(l->policy);
	e->ws = CS_STEAL(l->ws);
	e->step.grace_ms = e->ws->grace_ms;
	e->step.expire_ms = e->ws->expire_ms;
	e->step.approvals = json_object_get(e->ws->settings, "approvals");
	cs_outlets_renew(e);
	if (touches_rules(files))
		twalk_r(e->runs, ready_one, e);      /* each asks the rules again of what waits for a person */
	cs_turns_renew(e);
	rc = close_notice(e, "mended", err);
	if (rc == CS_OK)
		rc = cs_starters_load(e, err);
	return rc != CS_OK ? rc : cs_schedules_reload(e, err);
}

int cs_reload_take(cs_engine *e, cs_loaded *l, json_t **ret_ok, cs_err *why, cs_err *err)
{
	int rc = l->code;
	if (l->ws != NULL)
		cs_watch_files(e->watch, l->ws->files);
	/* The last that can fail: it changes nothing then. */
	if (rc == CS_OK && e->opts.fixtures.load != NULL)
		rc = e->opts.fixtures.load(e->opts.fixtures.ctx, l->ws->fixtures, &l->err);
	e->step.actor = l->actor;
	int written;
	if (rc != CS_OK) {
		*why = l->err;
		why->code = rc;
		written = open_notice(e, l, err);
	} else {
		CS_AUTOJSON json_t *files = differences(e->ws->files, l->ws->files);
		written = swap(e, l, files, err);
		*ret_ok = json_pack("{s:I, s:I, s:O}", "flows", (json_int_t)e->ws->n_flows, "functions",
				    (json_int_t)e->ws->n_functions, "files", files);
	}
	e->step.actor = NULL;
	return written;
}
