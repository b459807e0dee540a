/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the operator, the command line and the console ask of the engine: a table of requests. */
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/json.h"
#include "core/record.h"
#include "engine/outlets.h"
#include "engine/schedule.h"
#include "engine/start.h"
#include "engine/starters.h"

/* ---- run ---------------------------------------------------------------------------------------------------- */

/* A workspace's flow by name, or a document that came along. */
cs_bundle *cs_command_bundle(cs_engine *e, const json_t *req, cs_err *err)
{
	json_t *doc = json_object_get(req, "definition");
	if (doc == NULL) {
		const char *name = cs_json_str_or(req, "flow", "");
		const cs_flow *flow = cs_workspace_flow(e->ws, name);
		if (flow == NULL) {
			cs_err_set(err, CS_ENOTFOUND, "the engine has no flow %s: its file is not there, or has an error; `capstan check` "
				   "says which. A mended file is taken within seconds, or at once by `capstan reload`", name);
			return NULL;
		}
		return cs_bundle_of_flow(e, flow);
	}
	cs_diags d;
	cs_diags_init(&d);
	cs_flow *flow = NULL;
	cs_bundle *b = NULL;
	const cs_flow_world world = { .callable = cs_workspace_callable, .catalog = cs_workspace_catalog, .resource = cs_workspace_resource, .ctx = e->ws };
	if (cs_flow_new_in(doc, NULL, &world, &d, &flow) == CS_OK)
		b = cs_bundle_of_flow(e, flow);
	else
		cs_err_set(err, CS_EINVAL, "the flow does not load: %s; run `capstan check FILE`", d.n > 0 ? d.items[0].message : "unknown");
	cs_flow_unref(flow);
	cs_diags_fini(&d);
	return b;
}

static int apply_sets(const json_t *sets, json_t **value, cs_err *err)
{
	size_t i;
	json_t *set;
	json_array_foreach(sets, i, set) {
		json_t *next = NULL;
		int rc = cs_json_with_path(*value, cs_json_str_or(set, "path", ""), json_object_get(set, "value"), &next, err);
		if (rc != CS_OK)
			return rc;
		json_decref(*value);
		*value = next;
	}
	return CS_OK;
}

/* A question of a script (`capstan ask`) is real in every mode: what the script does with the
 * answer is not ours to simulate. Only where nothing but a person is called. */
static bool real_question(const json_t *req, const cs_flow *flow)
{
	if (strcmp(cs_json_str_or(req, "kind", ""), "ask") != 0)
		return false;
	for (int i = 0; i < flow->n_tasks; i++) {
		const cs_function *fn = flow->tasks[i].call != NULL ? cs_function_builtin(flow->tasks[i].call) : NULL;
		if (flow->tasks[i].call != NULL && (fn == NULL || fn->kind != CS_FUNCTION_BUILTIN))
			return false;
	}
	return true;
}

static int cmd_run(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	cs_bundle *b = cs_command_bundle(e, req, err);
	if (b == NULL)
		return err->code != 0 ? err->code : CS_EINVAL;
	CS_AUTOJSON json_t *input = json_object_get(req, "input") != NULL ? json_incref(json_object_get(req, "input")) : json_object();
	int rc = apply_sets(json_object_get(req, "set"), &input, err);
	if (rc != CS_OK)
		return rc;
	CS_AUTOJSON json_t *created = cs_start_data(b, input);
	const char *key = cs_json_str(req, "key");
	if (key != NULL) {
		CS_AUTOJSON json_t *what = json_pack("[s, O]", b->flow->name, input);
		char digest[CS_HEX_SIZE];
		cs_json_digest(what, digest);
		rc = cs_start_known(e, key, digest, ret, err);
		if (rc != CS_ENOTFOUND)
			return rc;
		json_object_set_new(created, "key", json_string(key));
		json_object_set_new(created, "key_digest", json_string(digest));
	}
	static const char *const carried[] = { "title", "kind" };
	for (size_t i = 0; i < CS_ARRAY_LEN(carried); i++)
		if (cs_json_str(req, carried[i]) != NULL)
			json_object_set(created, carried[i], json_object_get(req, carried[i]));
	cs_start_subject(e, b->flow, cs_json_str(req, "subject"), input, created);
	char id[CS_ID_SIZE];
	e->step.new_id(e, id);
	rc = cs_start_begin(e, b, created, cs_engine_simulated(e) && !real_question(req, b->flow), NULL, id, err);
	if (rc != CS_OK)
		return rc;
	cs_start_note_key(e, created, id);
	*ret = json_pack("{s:s, s:b}", "run", id, "existing", 0);
	return CS_OK;
}

/* ---- replay --------------------------------------------------------------------------------------------------- */

/* The definition of the new run: the old one's, or the document that came along with the old roles. */
static cs_bundle *bundle_of_replay(cs_engine *e, const json_t *req, const cs_live *old, cs_err *err)
{
	return json_object_get(req, "definition") != NULL ? cs_command_bundle(e, req, err) : old->bundle;
}

/* The task that a replay forks from: by reference, or by name. */
static int find_from(const cs_flow *flow, const char *from, const cs_task **ret, cs_err *err)
{
	for (int i = 0; from != NULL && *ret == NULL && i < flow->n_tasks; i++)
		if (strcmp(flow->tasks[i].ref, from) == 0 || strcmp(flow->tasks[i].name, from) == 0)
			*ret = cs_flow_extended(flow, &flow->tasks[i]);
	if (from != NULL && *ret == NULL)
		return cs_err_set(err, CS_ENOTFOUND, "the flow %s has no task %s; `capstan trace` lists them", flow->name, from);
	return CS_OK;
}

/* The changes stand in the input, or with a task to fork from, in what comes in there. */
static int replay_data(const json_t *req, const cs_run *old, const cs_bundle *b, json_t **ret, cs_err *err)
{
	const cs_task *t = NULL;
	int rc = find_from(b->flow, cs_json_str(req, "from"), &t, err);
	if (rc != CS_OK)
		return rc;
	CS_AUTOJSON json_t *input = json_incref(old->input);
	json_t *sets = json_object_get(req, "set");
	rc = t == NULL ? apply_sets(sets, &input, err) : CS_OK;
	if (rc != CS_OK)
		return rc;
	json_t *created = cs_start_data(b, input);
	json_object_set_new(created, "parent", json_string(old->id));
	json_object_set_new(created, "origin", json_string(old->origin));
	json_object_set_new(created, "shadow", json_true());
	json_object_set_new(created, "clock", json_integer(old->started_at));
	if (cs_json_true(req, "ask"))
		json_object_set_new(created, "ask", json_true());
	if (t != NULL)
		json_object_set_new(created, "from", json_string(t->ref));
	if (t != NULL && sets != NULL)
		json_object_set(created, "patch", sets);
	*ret = created;
	return CS_OK;
}

static int cmd_replay(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	cs_live *old = cs_runs_load(e, cs_json_str_or(req, "run", ""), err);
	if (old == NULL)
		return err->code;
	if (cs_run_state_terminal(cs_run_state_name(old->run->state)))
		cs_runs_retire(e, old);
	cs_bundle *b = bundle_of_replay(e, req, old, err);
	if (b == NULL)
		return err->code != 0 ? err->code : CS_EINVAL;
	CS_AUTOJSON json_t *created = NULL;
	int rc = replay_data(req, old->run, b, &created, err);
	if (rc != CS_OK)
		return rc;
	cs_start_subject(e, b->flow, cs_json_str(req, "subject"), json_object_get(created, "input"), created);
	cs_record *record = NULL;
	rc = cs_runs_record(e, old->run->id, &record, err);
	if (rc != CS_OK)
		return rc;
	char id[CS_ID_SIZE];
	e->step.new_id(e, id);
	rc = cs_start_begin(e, b, created, true, record, id, err);
	if (rc == CS_OK)
		*ret = json_pack("{s:s}", "run", id);
	return rc;
}

/* ---- decisions and control --------------------------------------------------------------------------------------- */

/* How an item that is over was decided: the deciding event's last word, and what it said. */
struct decided {
	const char *item;
	char word[32];
	json_t *value;
};

static int read_decided(void *ctx, const cs_event *ev)
{
	struct decided *d = ctx;
	const char *how = cs_json_str(ev->data, "how");
	const char *dot = strchr(ev->type, '.');
	snprintf(d->word, sizeof d->word, "%s", how != NULL ? how : dot != NULL ? dot + 1 : ev->type);
	d->value = json_incref(json_object_get(ev->data, "value"));
	return 1;
}

/* The result that was said with `happened` stands with the attempt, not with its item. */
static int read_resolved(void *ctx, const cs_event *ev)
{
	struct decided *d = ctx;
	if (strcmp(ev->type, "attempt.resolved") != 0 || strcmp(cs_json_str_or(ev->data, "item", ""), d->item) != 0)
		return 0;
	json_decref(d->value);
	d->value = json_incref(json_object_get(ev->data, "result"));
	return 1;
}

static bool same_answer(const char *verb, const json_t *decision, const struct decided *d)
{
	static const struct {
		const char *verb, *word;
		bool value;              /* the value is part of the answer */
	} same[] = {
		{ "approve", "approved", false }, { "reject", "rejected", false }, { "respond", "answered", true },
		{ "dismiss", "dismissed", false },
	};
	const json_t *value = json_object_get(decision, "value");
	const char *how = cs_json_str_or(decision, "how", "");
	if (strcmp(verb, "resolve") == 0)
		return strcmp(how, d->word) == 0 && (strcmp(how, "happened") != 0 ||
		       cs_json_equal(value != NULL ? value : json_null(), d->value != NULL ? d->value : json_null()));
	for (size_t i = 0; i < CS_ARRAY_LEN(same); i++)
		if (strcmp(same[i].verb, verb) == 0 && strcmp(same[i].word, d->word) == 0)
			return !same[i].value || cs_json_equal(value, d->value);
	return false;
}

static int read_decision(cs_engine *e, const json_t *row, const json_t *decision, struct decided *d, cs_err *err)
{
	int64_t seq = cs_json_int_or(row, "decided_seq", 0);
	const char *run = cs_json_str_or(row, "run", "");
	int rc = seq > 0 ? cs_reader_events(e->reader, run, seq, seq, read_decided, d, err) : CS_OK;
	if (rc >= 0 && strcmp(cs_json_str_or(decision, "verb", ""), "resolve") == 0)
		rc = cs_reader_events(e->reader, run, cs_json_int_or(row, "published_seq", seq), seq, read_resolved, d, err);
	return rc < 0 ? rc : CS_OK;      /* found is as good as looked through */
}

/* An item that is over: the same answer once more is no error; another one says who decided what. */
static int answer_again(cs_engine *e, const json_t *row, const char *id, const json_t *decision, cs_err *err)
{
	struct decided d = { .item = id };
	const char *by = cs_json_str(row, "decided_by"), *verb = cs_json_str_or(decision, "verb", "");
	int rc = read_decision(e, row, decision, &d, err);
	bool same = rc == CS_OK && same_answer(verb, decision, &d);
	bool other_value = strcmp(d.word, cs_json_str_or(decision, "how", "")) == 0;
	json_decref(d.value);
	if (rc != CS_OK || same)
		return rc;
	return cs_err_set(err, CS_EREFUSED, "illegal-transition: it is over: already %s%s%s%s; nothing was changed", d.word[0] != '\0' ? d.word :
			  cs_json_str_or(row, "state", ""), other_value ? " with another value" : "", by != NULL ? " by " : "", by != NULL ? by : "");
}

/* An item of the workspace, of no run: it says something, and can be put away. */
static int decide_own(cs_engine *e, const json_t *row, const char *id, const json_t *decision, json_t **ret, cs_err *err)
{
	const char *verb = cs_json_str_or(decision, "verb", "");
	bool over = strcmp(cs_json_str_or(row, "state", ""), "open") != 0;
	int rc = CS_OK;
	if (over) {
		rc = answer_again(e, row, id, decision, err);
	} else if (strcmp(verb, "dismiss") != 0) {
		rc = cs_err_set(err, CS_EREFUSED, "this item is not answered with %s; do what it says, or use `capstan dismiss ID`", verb);
	} else if (strcmp(e->clock.item, id) == 0) {
		rc = cs_clock_accept(e, "dismissed", err);
	} else {
		if (strcmp(e->notice, id) == 0)
			e->notice[0] = '\0';     /* its title stays: the same is not said again */
		cs_outlets_dismissed(e, id);
		rc = cs_secrets_dismissed(e, id, err);
		if (rc == CS_OK)
			rc = cs_command_write(e, "item.closed", json_pack("{s:s, s:s, s:s}", "item", id, "how", "dismissed", "by", e->step.actor), err);
	}
	if (rc == CS_OK)
		*ret = json_pack("{s:s, s:s, s:b}", "item", id, "next", "", "again", over);
	return rc;
}

static int cmd_decide(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	const char *id = cs_json_str_or(req, "item", "");
	const json_t *decision = json_object_get(req, "decision");
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *params = json_pack("[s]", id);
	int rc = cs_reader_query(e->reader, "SELECT run, state, decided_by, published_seq, decided_seq FROM item WHERE id = ?1", params, &rows, err);
	if (rc != CS_OK)
		return rc;
	const json_t *row = json_array_get(rows, 0);
	if (row == NULL)
		return cs_err_set(err, CS_ENOTFOUND, "there is no item %s; `capstan inbox` lists what waits", id);
	if (cs_json_str_or(row, "run", "")[0] == '\0')
		return decide_own(e, row, id, decision, ret, err);
	cs_live *l = cs_runs_load(e, cs_json_str_or(row, "run", ""), err);
	if (l == NULL)
		return err->code;
	char next[CS_ID_SIZE] = "";
	int64_t before = l->run->last_seq;
	if (cs_run_item(l->run, id) == NULL)
		rc = answer_again(e, row, id, decision, err);
	else
		rc = cs_run_decide(l->run, &e->step, id, decision, next, err);
	cs_runs_ready(e, l);
	if (rc == CS_OK)
		*ret = json_pack("{s:s, s:s, s:s, s:b}", "item", id, "next", next, "run", l->run->id, "again", l->run->last_seq == before);
	return rc;
}

/* "run.retried by operator:owner, run.faulted by engine": the last of what came after SEEN. */
static void add_since(cs_engine *e, const cs_run *r, int64_t seen, cs_buf *text)
{
	CS_AUTOJSON json_t *params = json_pack("[s, I]", r->id, (json_int_t)seen);
	CS_AUTOJSON json_t *rows = NULL;
	size_t i;
	json_t *row;
	if (cs_reader_query(e->reader, "SELECT type, actor FROM (SELECT seq, type, actor FROM event WHERE run = ?1 AND seq > ?2 AND type LIKE 'run.%'"
			    " ORDER BY seq DESC LIMIT 3) ORDER BY seq", params, &rows, NULL) != CS_OK)
		return;              /* it is refused whatever came */
	json_array_foreach(rows, i, row)
		(void)cs_buf_addf(text, "%s%s by %s", i > 0 ? ", " : ": ", cs_json_str_or(row, "type", ""), cs_json_str_or(row, "actor", ""));
}

int cs_command_fresh(cs_engine *e, const cs_run *r, const json_t *req, cs_err *err)
{
	const json_t *seen = json_object_get(req, "seen");
	CS_AUTOBUF cs_buf since = { 0 };
	if (seen == NULL || (json_is_integer(seen) && json_integer_value(seen) == r->last_seq))
		return CS_OK;
	cs_buf_init(&since, 1000);
	add_since(e, r, json_integer_value(seen), &since);
	return cs_err_set(err, CS_EREFUSED, "illegal-transition: stale: something came since the run was shown%s; it is %s now, and nothing was changed. "
			  "Look again", since.len > 0 ? cs_buf_str(&since) : "", cs_run_state_name(r->state));
}

static int cmd_control(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	cs_live *l = cs_runs_load(e, cs_json_str_or(req, "run", ""), err);
	if (l == NULL)
		return err->code;
	int rc = cs_command_fresh(e, l->run, req, err);
	if (rc == CS_OK)
		rc = cs_run_control(l->run, &e->step, cs_json_str_or(req, "verb", ""), req, err);
	cs_runs_ready(e, l);
	if (rc == CS_OK)
		*ret = json_pack("{s:s, s:s}", "run", l->run->id, "state", cs_run_state_name(l->run->state));
	return rc;
}

/* ---- the engine ---------------------------------------------------------------------------------------------------- */

int cs_command_write(cs_engine *e, const char *type, json_t *data, cs_err *err)
{
	CS_AUTOJSON json_t *owned = data;
	cs_event ev = { .at = e->step.now, .type = type, .data = owned, .actor = e->step.actor != NULL ? e->step.actor : "engine" };
	return cs_engine_append(e, &ev, err);
}

static int cmd_hold(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	(void)ret;
	bool on = cs_json_true(req, "on");
	json_t *data = json_pack("{s:b}", "on", on);
	if (cs_json_str(req, "why") != NULL)
		json_object_set(data, "why", json_object_get(req, "why"));
	if (on)                      /* nothing leaves from here on, before it is even written */
		atomic_store(&e->hold, true);
	int rc = cs_command_write(e, "engine.hold", data, err);
	if (rc == CS_OK && !on) {
		atomic_store(&e->hold, false);
		if (e->resting)
			rc = cs_schedules_ask_missed(e, err);
		e->resting = false;
		if (rc == CS_OK)
			rc = cs_clock_accept(e, "released", err);
		if (rc == CS_OK)
			rc = cs_runs_all_ready(e, err);
	}
	return rc;
}

static int cmd_status(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	(void)req;
	(void)err;
	*ret = json_pack("{s:I, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:s, s:s}", "epoch", (json_int_t)e->epoch, "mode",
			 cs_engine_simulated(e) ? "simulate" : "live", "live", e->live, "hold", (int)atomic_load(&e->hold),
			 "runs", (json_int_t)(e->n_runs + e->n_parked), "ready", (json_int_t)(cs_runs_waiting(e) + e->n_unseen), "parked", (json_int_t)e->n_parked,
			 "folded", (json_int_t)e->folded, "pid", (json_int_t)getpid(),
			 "version", e->opts.version, "vault", cs_secrets_word(e));
	return CS_OK;
}

static int cmd_settle(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	(void)req;
	(void)err;
	bool busy = cs_runs_waiting(e) > 0 || e->n_unseen > 0 || cs_starters_ready(e) || e->in_flight > 0 || e->evaluating > 0;
	int64_t due = cs_runs_next_due(e), outlets = cs_outlets_next_due(e, true);
	if (outlets > 0 && (due == 0 || outlets < due))
		due = outlets;
	*ret = json_pack("{s:b, s:I, s:I}", "busy", busy, "due", (json_int_t)due, "scheduled",
			 (json_int_t)cs_schedules_next_due(e));
	return CS_OK;
}

static int cmd_stop(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	(void)req;
	(void)ret;
	(void)err;
	atomic_store(&e->closing, true);
	return CS_OK;
}

int cs_command(cs_engine *e, json_t *request, json_t **ret, cs_err *err)
{
	static const struct {
		const char *name;
		int (*act)(cs_engine *e, json_t *req, json_t **ret, cs_err *err);
	} table[] = {
		{ "run", cmd_run },     { "decide", cmd_decide }, { "control", cmd_control }, { "replay", cmd_replay },
		{ "hold", cmd_hold },   { "live", cs_command_live },     { "status", cmd_status },   { "settle", cmd_settle },
		{ "stop", cmd_stop },   { "emit", cs_command_emit }, { "adopt", cs_command_adopt }, { "correct", cs_command_correct },
		{ "connector", cs_command_connector }, { "unlock", cs_command_unlock }, { "lock", cs_command_lock },
		{ "import", cs_command_import }, { "archive", cs_command_archive },
	};
	const char *name = cs_json_str_or(request, "cmd", "");
	for (size_t i = 0; i < CS_ARRAY_LEN(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].act(e, request, ret, err);
	return cs_err_set(err, CS_EINVAL, "the engine knows no request %s; is the other program of another version?", name);
}
