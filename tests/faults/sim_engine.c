/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An engine's life in a simulation: how it begins, is turned and ends, and what is looked at after
 * each turn. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "tests/faults/sim_disk.h"
#include "tests/faults/simulation.h"

enum { STARTS_MAX = 20, ANSWER_TURNS = 200, START_OPS = 60 };

struct sim_asked {
	simulation *s;
	char cmd[16];
	json_t *reply;
	bool kept;                   /* somebody waits for the reply */
	struct sim_asked *next;
};

/* ---- what is in the log ------------------------------------------------------------------------------------ */

static int keep_hash(void *ctx, const cs_event *ev)
{
	cs_hex(ev->hash, CS_HASH_LEN, ctx);
	return 0;
}

static void hash_at(simulation *s, int64_t seq, char out[CS_HEX_SIZE])
{
	cs_err err = { 0 };
	out[0] = '\0';
	if (cs_reader_event(s->reader, seq, keep_hash, out, &err) != CS_OK || out[0] == '\0')
		sim_wrong(s, "event %lld, which was acknowledged, is not in the log: %s", (long long)seq, err.msg);
}

void sim_look(simulation *s)
{
	cs_err err = { 0 };
	if (s->reader == NULL || !s->news)
		return;
	s->news = false;
	if (invariants_read_on(s->rules, s->reader, &err) != CS_OK)
		sim_wrong(s, "the log cannot be read: %s", err.msg);
	if (sim_rules_read_on(&s->more_rules, s->reader, &err) != CS_OK)
		sim_wrong(s, "the log cannot be read: %s", err.msg);
	s->net.log_ms = s->more_rules.at;
	s->net.shut = s->more_rules.shut;
	const char *first = json_string_value(json_array_get(invariants_found(s->rules), 0));
	if (first != NULL)
		sim_wrong(s, "%s", first);
	if (s->more_rules.wrong[0] != '\0')
		sim_wrong(s, "%s", s->more_rules.wrong);
	if (s->acked_seq > 0 && s->acked_hash[0] == '\0')
		hash_at(s, s->acked_seq, s->acked_hash);
}

/* All that anybody was told of must have outlived what came since. */
static void look_back(simulation *s)
{
	char hash[CS_HEX_SIZE];
	if (s->acked_seq == 0)
		return;
	hash_at(s, s->acked_seq, hash);
	if (s->acked_hash[0] != '\0' && strcmp(hash, s->acked_hash) != 0)
		sim_wrong(s, "I1: event %lld is another one than before the crash", (long long)s->acked_seq);
}

json_t *sim_rows(simulation *s, const char *sql, const char *param)
{
	json_t *rows = NULL;
	cs_err err = { 0 };
	CS_AUTOJSON json_t *params = param != NULL ? json_pack("[s]", param) : NULL;
	if (cs_reader_query(s->reader, sql, params, &rows, &err) == CS_OK)
		return rows;
	sim_wrong(s, "%s: %s", sql, err.msg);
	return json_array();
}

static void on_commit(void *simulation_, int64_t seq)
{
	simulation *s = simulation_;
	s->news = true;
	if (seq <= 0)
		return;              /* it has failed, and says so */
	s->acked_seq = seq;
	s->acked_hash[0] = '\0';
}

/* ---- what it gives away ------------------------------------------------------------------------------------ */

static void take_job(void *simulation_, cs_job_fn *run, cs_job_fn *drop, void *job, bool background)
{
	simulation *s = simulation_;
	(void)background;
	if (s->n_jobs == s->cap_jobs) {
		s->cap_jobs = s->cap_jobs > 0 ? s->cap_jobs * 2 : 16;
		s->jobs = cs_xrealloc(s->jobs, s->cap_jobs * sizeof *s->jobs);
	}
	s->jobs[s->n_jobs++] = (sim_job){ run, drop, job };
}

bool sim_do_job(simulation *s)
{
	if (s->n_jobs == 0)
		return false;
	size_t i = (size_t)sim_draw(&s->chance, s->n_jobs);
	sim_job j = s->jobs[i];
	s->jobs[i] = s->jobs[--s->n_jobs];
	j.run(j.job);
	return true;
}

static void drop_jobs(simulation *s)
{
	for (size_t i = 0; i < s->n_jobs; i++)
		s->jobs[i].drop(s->jobs[i].job);
	s->n_jobs = 0;
}

void sim_call_arrives(void *simulation_, const cs_effect *e)
{
	simulation *s = simulation_;
	char failure[sizeof ((cs_err *)0)->msg];
	sim_look(s);
	cs_engine_failure(s->engine, failure, sizeof failure);
	if (failure[0] != '\0')
		sim_wrong(s, "I17: %s is dispatched by an engine that has failed: %s", e->task, failure);
	if (e->simulated)
		sim_wrong(s, "I10: %s is simulated, and comes to the network", e->task);
	if (json_object_get(s->more_rules.barred, e->key) != NULL)
		sim_wrong(s, "I20: %s leaves a restored copy, though the other may have sent it, and nobody let it go", e->task);
	if (strcmp(invariants_key(s->rules, e->key), "attempt.intent") != 0)
		sim_wrong(s, "I2: %s comes to the network, and the log has no open intent for its key", e->task);
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

static void judge_reply(simulation *s, const sim_asked *a, const json_t *reply)
{
	const json_t *error = json_object_get(reply, "error");
	const char *code = cs_json_str_or(error, "code", "");
	char failure[sizeof ((cs_err *)0)->msg];
	cs_engine_failure(s->engine, failure, sizeof failure);
	bool broken = strcmp(code, "internal") == 0 || (strcmp(code, "unavailable") == 0 && failure[0] == '\0');
	if (broken && !sim_disk_failed())
		sim_wrong(s, "%s is answered with %s: %s", a->cmd, code, cs_json_str_or(error, "message", ""));
	const char *run = cs_json_str(json_object_get(reply, "ok"), "run");
	if (run == NULL || s->reader == NULL)
		return;
	CS_AUTOJSON json_t *rows = sim_rows(s, "SELECT id FROM run WHERE id = ?1", run);
	if (json_array_size(rows) != 1)
		sim_wrong(s, "%s is answered with the run %s, which is not in the log", a->cmd, run);
}

static void unlist(sim_asked *a)
{
	sim_asked **at = &a->s->asked;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
}

static void answered(void *ctx, json_t *reply)
{
	sim_asked *a = ctx;
	judge_reply(a->s, a, reply);
	unlist(a);
	if (a->kept) {
		a->reply = reply;
		return;
	}
	json_decref(reply);
	free(a);
}

static sim_asked *ask(simulation *s, json_t *request, bool kept)
{
	sim_asked *a = cs_xcalloc(1, sizeof *a);
	*a = (sim_asked){ .s = s, .kept = kept, .next = s->asked };
	strncpy(a->cmd, cs_json_str_or(request, "cmd", ""), sizeof a->cmd - 1);
	s->asked = a;
	json_object_set_new(request, "actor", json_string("operator:sim"));
	if (cs_engine_send(s->engine, request, answered, a, NULL) != CS_OK)
		sim_wrong(s, "%s is not taken by an engine that is there", a->cmd);
	return a;
}

void sim_ask(simulation *s, json_t *request)
{
	(void)ask(s, request, false);
}

json_t *sim_answer(simulation *s, json_t *request)
{
	sim_asked *a = ask(s, request, true);
	for (int i = 0; a->reply == NULL && i < ANSWER_TURNS; i++)
		sim_turn(s);
	json_t *reply = a->reply;
	if (reply == NULL) {
		sim_wrong(s, "%s is not answered", a->cmd);
		unlist(a);
		reply = json_object();
	}
	free(a);
	return reply;
}

static void forget_asked(simulation *s)
{
	while (s->asked != NULL) {
		sim_asked *a = s->asked;
		s->asked = a->next;
		free(a);
	}
}

/* ---- beginning and end --------------------------------------------------------------------------------------- */

void sim_turn(simulation *s)
{
	(void)cs_engine_turn(s->engine);
	sim_look(s);
}

static int open_engine(simulation *s, cs_engine **ret, cs_err *err)
{
	static char place[CS_HEX_SIZE];
	cs_diags d;
	cs_workspace *ws = NULL;
	cs_diags_init(&d);
	int rc = cs_workspace_load(SIM_DIR, true, &d, &ws, err);
	if (rc != CS_OK)
		sim_wrong(s, "the workspace does not load: %s", d.n > 0 ? d.items[0].message : err->msg);
	cs_diags_fini(&d);
	if (rc != CS_OK)
		return rc;
	s->performers[0] = sim_net_performer(&s->net);
	s->performers[1] = sim_net_fixture(&s->net);
	sim_place(s, place);
	const cs_engine_opts opts = {
		.jobs = { take_job, s }, .performers = s->performers, .n_performers = CS_ARRAY_LEN(s->performers), .exe = s->exe,
		.place = place, .version = "sim", .keep_runs = s->seed % 2 == 0 ? 2 : 0,
	};
	return cs_engine_open(ws, &opts, ret, err);
}

void sim_refused(simulation *s)
{
	cs_err err = { 0 };
	cs_engine *second = NULL;
	int64_t last = s->more_rules.seq;
	int rc = open_engine(s, &second, &err);
	s->news = true;
	sim_look(s);
	if (rc != CS_EUNAVAIL)
		sim_wrong(s, "a second engine beside the first: %s", rc == CS_OK ? "it is there" : err.msg);
	if (s->more_rules.seq != last)
		sim_wrong(s, "I13: an engine that was refused has written");
	cs_engine_drop(second);
}

static void say_live(simulation *s)
{
	CS_AUTOJSON json_t *reply = sim_answer(s, json_pack("{s:s}", "cmd", "live"));
	s->live = json_object_get(reply, "ok") != NULL;
	if (!s->live && !s->wrong)
		sim_wrong(s, "this machine cannot be made the live one: %s", cs_json_str_or(json_object_get(reply, "error"), "message", "?"));
}

bool sim_try_start(simulation *s)
{
	cs_err err = { 0 };
	int rc = open_engine(s, &s->engine, &err);
	if (rc == CS_OK)
		(void)cs_engine_watch(s->engine, on_commit, s);
	if (rc != CS_OK && !sim_disk_failed())
		sim_wrong(s, "the engine does not start on a sound disk: %s", err.msg);
	return rc == CS_OK;
}

static bool start_somehow(simulation *s)
{
	for (int i = 0; i < STARTS_MAX && !s->wrong; i++) {
		if (!s->calm && sim_one_in(&s->chance, 8))
			sim_disk_fail_after((unsigned)sim_draw(&s->chance, START_OPS), sim_one_in(&s->chance, 2));
		bool there = sim_try_start(s);
		if (!there && sim_one_in(&s->chance, 2))
			sim_disk_cut_power();
		if (!there || !sim_disk_failed())
			sim_disk_mend();
		if (there)
			return true;
	}
	return false;
}

void sim_start(simulation *s)
{
	cs_err err = { 0 };
	if (start_somehow(s) && cs_reader_open(SIM_STATE, &s->reader, &err) != CS_OK)
		sim_wrong(s, "the log cannot be opened: %s", err.msg);
	if (s->wrong)
		return;
	look_back(s);
	s->news = true;
	sim_look(s);
	if (!s->live && !sim_disk_failed())
		say_live(s);
}

void sim_crash(simulation *s, sim_end how)
{
	sim_disk_off();
	cs_reader_close(s->reader);
	s->reader = NULL;
	cs_engine_drop(s->engine);
	s->engine = NULL;
	sim_net_drop(&s->net);
	drop_jobs(s);
	forget_asked(s);
	if (how == SIM_POWER_CUT)
		sim_disk_cut_power();
	sim_disk_mend();
}
