/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ctk/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "flow/yaml.h"
#include "tests/ctk/kit.h"
#include "tests/ctk/play.h"

enum { TURNS_MAX = 5000, SETTINGS_MAX = 1 << 16 };

static const char first_moment[] = "2026-03-02T09:00:00Z";
static const char policy[] = "policy: kit\nrules: [ { name: all, when: { call: '*' }, then: allow } ]\n";

const char *scenario_host(const scenario *s)
{
	static const char *const hosts[] = { "petstore.swagger.io", "httpbin.org" };
	for (size_t i = 0; i < s->n_steps; i++)
		for (size_t k = 0; k < CS_ARRAY_LEN(hosts); k++)
			if (s->steps[i].doc != NULL && strstr(s->steps[i].doc, hosts[k]) != NULL)
				return hosts[k];
	return NULL;
}

json_t *play_yaml(const step *st)
{
	json_t *v = NULL;
	cs_err err = { 0 };
	if (st->doc == NULL)
		fail_msg("line %u: this step wants a doc string", st->line);
	if (cs_yaml_parse("doc", st->doc, strlen(st->doc), &v, NULL, &err) != CS_OK)
		fail_msg("line %u: %s", st->line, err.msg);
	return v;
}

static int64_t moment(const step *st, const char *text)
{
	int64_t ms = 0;
	cs_err err = { 0 };
	if (cs_time_parse(text, &ms, &err) != CS_OK)
		fail_msg("line %u: %s: %s", st->line, text, err.msg);
	return ms;
}

/* ---- given ------------------------------------------------------------------------------------------------- */

static void given_definition(play *p, const step *st, const char *rest)
{
	(void)rest;
	json_decref(p->definition);
	p->definition = play_yaml(st);
	free(p->source);
	p->source = cs_xstrdup(st->doc);
}

static void given_input(play *p, const step *st, const char *rest)
{
	(void)rest;
	json_decref(p->input);
	p->input = play_yaml(st);
}

/* the workspace has a file 'PATH': */
static void given_file(play *p, const step *st, const char *rest)
{
	CS_AUTOFREE char *path = cs_xstrndup(rest, strcspn(rest, "'"));
	if (st->doc == NULL)
		fail_msg("line %u: this step wants a doc string", st->line);
	world_file(&p->w, path, st->doc);
}

static void given_settings(play *p, const step *st, const char *rest)
{
	(void)rest;
	assert_int_equal(cs_buf_addf(&p->settings, "%s", st->doc != NULL ? st->doc : ""), CS_OK);
}

static void given_zone(play *p, const step *st, const char *rest)
{
	(void)st;
	free(p->zone);
	p->zone = cs_xstrdup(rest);
}

static void given_answers(play *p, const step *st, const char *rest)
{
	(void)p;
	(void)rest;
	CS_AUTOJSON json_t *list = play_yaml(st);
	outside_answers(kit_outside(), list);
}

static void given_moment(play *p, const step *st, const char *rest)
{
	*p->a.clock = moment(st, rest);
}

/* ---- the engine -------------------------------------------------------------------------------------------- */

static json_t *ask(play *p, const step *st, json_t *request)
{
	cs_err err = { 0 };
	json_t *ok = apart_ask(&p->a, request, &err);
	if (ok == NULL)
		fail_msg("line %u: %s: refused: %s", st->line, st->text, err.msg);
	return ok;
}

static const char *program(void)
{
	const char *name = getenv("CS_TEST_CAPSTAN");
	return name != NULL ? name : "./capstan";
}

/* Runs the program on the workspace; its exit status, and what it said. */
static int command(play *p, const step *st, const char *const *words, const char *input, cs_buf *out)
{
	const char *argv[16] = { program(), "-C", p->w.dir };
	size_t n = 3;
	for (; *words != NULL && n < CS_ARRAY_LEN(argv) - 1; words++)
		argv[n++] = *words;
	cs_child_opts o = { .argv = argv, .envp = (const char *const *)environ };
	cs_child_result r;
	cs_err err = { 0 };
	if (cs_child_run(&o, input, strlen(input), out, out, cs_clock_mono_ns() + INT64_C(20000000000), NULL, &r, &err) != CS_OK ||
	    r.timed_out)
		fail_msg("line %u: %s does not end: %s", st->line, argv[3], err.msg);
	return WIFEXITED(r.status) ? WEXITSTATUS(r.status) : 128;
}

static void write_settings(play *p)
{
	CS_AUTOFREE char *text = cs_xasprintf("workspace: kit\nmode: live\noperator: { name: tester, timezone: %s }\napprovals: { grace: PT0S }\n%s",
					      p->zone != NULL ? p->zone : "UTC", cs_buf_str(&p->settings));
	world_file(&p->w, "capstan.yaml", text);
	world_file(&p->w, "policies/kit.yaml", policy);
}

/* With everything that was given; once. */
static void begin(play *p, const step *st)
{
	if (p->a.client != NULL)
		return;
	write_settings(p);
	apart_start(&p->a);
	json_decref(ask(p, st, json_pack("{s:s}", "cmd", "live")));
}

static void die_and_rise(play *p)
{
	apart_kill(&p->a);
	apart_start(&p->a);
	apart_settle(&p->a, &p->due, &p->scheduled);
}

/* Until nothing goes on at this moment of the clock; and what rests must survive. */
static void rest_here(play *p)
{
	apart_settle(&p->a, &p->due, &p->scheduled);
	if (p->how != DEATHS_NONE)
		die_and_rise(p);
}

/* FLOW of the workspace, or the definition that was given. */
static void start_run(play *p, const step *st, const char *flow)
{
	if (flow == NULL && p->definition == NULL)
		fail_msg("line %u: there is no definition to execute", st->line);
	begin(p, st);
	CS_AUTOJSON json_t *ok = ask(p, st, json_pack("{s:s, s:s*, s:O*, s:o}", "cmd", "run", "flow", flow, "definition",
						      flow == NULL ? p->definition : NULL, "input",
						      p->input != NULL ? json_incref(p->input) : json_object()));
	free(p->run);
	p->run = cs_xstrdup(cs_json_str_or(ok, "run", ""));
	if (p->how == DEATHS_AT_WORK) {
		apart_kill(&p->a);
		apart_start(&p->a);
	}
	rest_here(p);
}

/* The next moment at which something happens by itself; 0: none. */
static int64_t next_moment(const play *p)
{
	return p->due == 0 || (p->scheduled > 0 && p->scheduled < p->due) ? p->scheduled : p->due;
}

/* The clock goes from one moment at which something is due to the next, as long as a run waits for it. */
static void run_on(play *p, const step *st)
{
	for (int i = 0; p->due > 0; i++) {
		if (i == TURNS_MAX)
			fail_msg("line %u: it goes on after %d moves of the clock", st->line, TURNS_MAX);
		*p->a.clock = next_moment(p);
		rest_here(p);
	}
}

static void move_clock(play *p, const step *st, int64_t to)
{
	begin(p, st);
	apart_settle(&p->a, &p->due, &p->scheduled);
	for (int i = 0; next_moment(p) > 0 && next_moment(p) <= to; i++) {
		if (i == TURNS_MAX)
			fail_msg("line %u: it goes on after %d moves of the clock", st->line, TURNS_MAX);
		*p->a.clock = next_moment(p);
		rest_here(p);
	}
	*p->a.clock = to;
	rest_here(p);
}

/* ---- when -------------------------------------------------------------------------------------------------- */

/* Time passes until it ends, or waits for something else than time. */
static void when_executed(play *p, const step *st, const char *rest)
{
	(void)rest;
	start_run(p, st, NULL);
	run_on(p, st);
}

/* The clock stands still. */
static void when_started(play *p, const step *st, const char *rest)
{
	(void)rest;
	start_run(p, st, NULL);
}

/* the workspace's workflow 'FLOW' is started */
static void when_flow_started(play *p, const step *st, const char *rest)
{
	CS_AUTOFREE char *flow = cs_xstrndup(rest, strcspn(rest, "'"));
	if (strcmp(rest + strlen(flow), "' is started") != 0)
		fail_msg("line %u: not known: %s", st->line, st->text);
	start_run(p, st, flow);
}

/* By the program, as a person does it before anything runs; it may have something to say. */
static void when_checked(play *p, const step *st, const char *rest)
{
	CS_AUTOFREE char *path = cs_path_join(p->w.dir, "checked.yaml");
	const char *const words[] = { "check", path, NULL };
	CS_AUTOBUF cs_buf out;
	(void)rest;
	cs_buf_init(&out, SETTINGS_MAX);
	write_settings(p);
	world_file(&p->w, "checked.yaml", p->source);
	int status = command(p, st, words, "", &out);
	unlink(path);
	free(p->refusal);
	p->refusal = status == 0 ? NULL : cs_xstrdup(cs_buf_str(&out));
}

static void when_serves(play *p, const step *st, const char *rest)
{
	(void)rest;
	begin(p, st);
	rest_here(p);
}

static void when_killed(play *p, const step *st, const char *rest)
{
	(void)rest;
	begin(p, st);
	die_and_rise(p);
}

/* It is not there for a while: what is due meanwhile is due when it is back. */
static void when_killed_until(play *p, const step *st, const char *rest)
{
	begin(p, st);
	apart_kill(&p->a);
	*p->a.clock = moment(st, rest);
	apart_start(&p->a);
	rest_here(p);
}

static void when_moves_to(play *p, const step *st, const char *rest)
{
	move_clock(p, st, moment(st, rest));
}

static void when_moves_by(play *p, const step *st, const char *rest)
{
	int64_t by = 0;
	cs_err err = { 0 };
	if (cs_duration_parse(rest, &by, &err) != CS_OK)
		fail_msg("line %u: %s", st->line, err.msg);
	move_clock(p, st, *p->a.clock + by);
}

static void when_runs_on(play *p, const step *st, const char *rest)
{
	(void)rest;
	begin(p, st);
	apart_settle(&p->a, &p->due, &p->scheduled);
	run_on(p, st);
}

static void when_emitted(play *p, const step *st, const char *rest)
{
	(void)rest;
	begin(p, st);
	json_decref(ask(p, st, json_pack("{s:s, s:o}", "cmd", "emit", "event", play_yaml(st))));
	rest_here(p);
}

static void when_retried(play *p, const step *st, const char *rest)
{
	(void)rest;
	json_decref(ask(p, st, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", p->run, "verb", "retry")));
	rest_here(p);
}

static void when_cancelled(play *p, const step *st, const char *rest)
{
	(void)rest;
	json_decref(ask(p, st, json_pack("{s:s, s:s, s:s}", "cmd", "control", "run", p->run, "verb", "cancel")));
	rest_here(p);
}

/* ---- the table --------------------------------------------------------------------------------------------- */

/* the vault holds 'NAME': the value, as `capstan vault set` reads it; the vault's key is beside the workspace. */
static void given_secret(play *p, const step *st, const char *rest)
{
	CS_AUTOFREE char *name = cs_xstrndup(rest, strcspn(rest, "'")), *key = cs_xasprintf("%s.key", p->w.dir);
	const char *const init[] = { "vault", "init", "--key-file", key, NULL }, *const set[] = { "vault", "set", name, NULL };
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, SETTINGS_MAX);
	write_settings(p);
	if ((access(key, F_OK) != 0 && command(p, st, init, "", &out) != 0) || command(p, st, set, st->doc, &out) != 0)
		fail_msg("line %u: %s", st->line, cs_buf_str(&out));
}

static const play_row table[] = {
	{ "a workflow with definition:", true, given_definition },
	{ "given the workflow input is:", true, given_input },
	{ "the workspace has a file '", false, given_file },
	{ "the workspace's settings hold:", true, given_settings },
	{ "the workspace's time zone is ", false, given_zone },
	{ "the clock stands at ", false, given_moment },
	{ "outside answers:", true, given_answers },
	{ "the vault holds '", false, given_secret },
	{ "the workflow is executed", true, when_executed },
	{ "the workflow is started", true, when_started },
	{ "the workspace's workflow '", false, when_flow_started },
	{ "the workflow is checked", true, when_checked },
	{ "the engine serves the workspace", true, when_serves },
	{ "the engine is killed and restarted", true, when_killed },
	{ "the engine is killed and restarted at ", false, when_killed_until },
	{ "the clock moves to ", false, when_moves_to },
	{ "the clock moves on by ", false, when_moves_by },
	{ "the clock runs on", true, when_runs_on },
	{ "the event is emitted:", true, when_emitted },
	{ "the operator retries the workflow", true, when_retried },
	{ "the operator cancels the workflow", true, when_cancelled },
};

bool play_by_table(play *p, const step *st, const play_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].text);
		if (rows[i].whole ? strcmp(st->text, rows[i].text) == 0 : strncmp(st->text, rows[i].text, len) == 0) {
			rows[i].act(p, st, st->text + len);
			return true;
		}
	}
	return false;
}

static void play_fini(play *p)
{
	CS_AUTOFREE char *key = cs_xasprintf("%s.key", p->w.dir);
	unlink(key);
	apart_free(&p->a);
	world_free(&p->w);
	cs_buf_fini(&p->settings);
	json_decref(p->definition);
	json_decref(p->input);
	json_decref(p->row);
	json_decref(p->end);
	json_decref(p->tasks);
	free(p->refusal);
	free(p->source);
	free(p->zone);
	free(p->run);
}

void scenario_play(const scenario *s, deaths how)
{
	play p = { .how = how };
	cs_buf_init(&p.settings, SETTINGS_MAX);
	step none = { .text = (char *)(uintptr_t)"the beginning" };
	outside_answers(kit_outside(), NULL);
	world_new(&p.w, NULL);
	apart_new(&p.a, p.w.dir, moment(&none, first_moment));
	for (size_t i = 0; i < s->n_steps; i++)
		if (!play_by_table(&p, &s->steps[i], table, CS_ARRAY_LEN(table)) && !play_expect(&p, &s->steps[i]))
			fail_msg("line %u: not known: %s", s->steps[i].line, s->steps[i].text);
	if (p.a.client != NULL) {
		if (how != DEATHS_NONE && p.a.deaths == 0)
			fail_msg("the engine was never killed");
		apart_stop(&p.a);
		world_verify(&p.w);
	}
	play_fini(&p);
}
