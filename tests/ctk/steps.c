/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ctk/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "flow/yaml.h"
#include "tests/support/world.h"

static const char workspace[] = "workspace: kit\nmode: live\napprovals: { grace: PT0S }\n";

/* A scenario under way. */
struct play {
	world w;
	json_t *definition, *input;
	json_t *end;                 /* the data of run.completed or run.faulted */
	json_t *tasks;               /* names in the order in which they began and ended */
	const char *state;
	char *run;
	bool restart;
};

const char *scenario_host(const scenario *s)
{
	static const char *const hosts[] = { "petstore.swagger.io", "httpbin.org" };
	for (size_t i = 0; i < s->n_steps; i++)
		for (size_t k = 0; k < CS_ARRAY_LEN(hosts); k++)
			if (s->steps[i].doc != NULL && strstr(s->steps[i].doc, hosts[k]) != NULL)
				return hosts[k];
	return NULL;
}

static json_t *yaml(const step *st)
{
	json_t *v = NULL;
	cs_err err = { 0 };
	if (st->doc == NULL)
		fail_msg("line %u: this step wants a doc string", st->line);
	if (cs_yaml_parse("doc", st->doc, strlen(st->doc), &v, NULL, &err) != CS_OK)
		fail_msg("line %u: %s", st->line, err.msg);
	return v;
}

static void same(const step *st, const json_t *have, const json_t *want)
{
	CS_AUTOFREE char *text = have != NULL ? cs_json_text(have) : cs_xstrdup("nothing");
	if (have == NULL || !cs_json_equal(have, want))
		fail_msg("line %u: %s: it is %s", st->line, st->text, text);
}

/* ---- given, when ----------------------------------------------------------------------------------------- */

static void given_definition(struct play *p, const step *st, const char *rest)
{
	(void)rest;
	p->definition = yaml(st);
}

static void given_input(struct play *p, const step *st, const char *rest)
{
	(void)rest;
	p->input = yaml(st);
}

/* "/do/0/setRed" is setRed. */
static int note_task(void *ctx, const cs_event *ev)
{
	struct play *p = ctx;
	if (ev->task == NULL || strncmp(ev->type, "task.", 5) != 0)
		return 0;
	const char *slash = strrchr(ev->task, '/');
	json_array_append_new(p->tasks, json_string(slash != NULL ? slash + 1 : ev->task));
	return 0;
}

static void note_tasks(struct play *p)
{
	CS_AUTOFREE char *dir = cs_xasprintf("%s/%s", p->w.dir, CS_STATE_DIR);
	cs_reader *r = NULL;
	assert_int_equal(cs_reader_open(dir, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_events(r, p->run, 0, INT64_MAX, note_task, p, NULL), CS_OK);
	cs_reader_close(r);
}

static void when_executed(struct play *p, const step *st, const char *rest)
{
	(void)rest;
	if (p->definition == NULL)
		fail_msg("line %u: there is no definition to execute", st->line);
	p->run = world_run(&p->w, NULL, p->definition, p->input != NULL ? json_incref(p->input) : NULL);
	if (p->restart) {
		world_stop(&p->w);
		world_start(&p->w);
	}
	CS_AUTOJSON json_t *row = world_await(&p->w, p->run, "completed faulted cancelled");
	bool completed = strcmp(cs_json_str_or(row, "state", ""), "completed") == 0;
	p->state = completed ? "completed" : "faulted";
	p->end = world_event(&p->w, p->run, completed ? "run.completed" : "run.faulted");
	p->tasks = json_array();
	note_tasks(p);
	world_verify(&p->w);
}

/* ---- then -------------------------------------------------------------------------------------------------- */

static void expect_state(struct play *p, const step *st, const char *state)
{
	if (p->end == NULL)
		fail_msg("line %u: nothing was executed", st->line);
	CS_AUTOFREE char *text = cs_json_text(p->end);
	if (strcmp(p->state, state) != 0)
		fail_msg("line %u: %s: it is %s with %s", st->line, st->text, p->state, text);
}

static void then_completes(struct play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "completed");
}

static void then_output(struct play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "completed");
	CS_AUTOJSON json_t *want = yaml(st);
	same(st, json_object_get(p->end, "output"), want);
}

static void then_faults(struct play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "faulted");
}

/* Every member that the kit names; an error may say more. */
static void then_error(struct play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "faulted");
	CS_AUTOJSON json_t *want = yaml(st);
	const char *name;
	json_t *value;
	json_object_foreach(want, name, value)
		same(st, json_object_get(json_object_get(p->end, "error"), name), value);
}

static void then_properties(struct play *p, const step *st, const char *rest)
{
	expect_state(p, st, "completed");
	const json_t *output = json_object_get(p->end, "output");
	size_t n = 0;
	for (const char *q = strchr(rest, '\''); q != NULL; q = strchr(q, '\'')) {
		CS_AUTOFREE char *path = cs_xstrndup(q + 1, strcspn(q + 1, "'"));
		q += strlen(path) + 2;
		n++;
		if (cs_json_get_path(output, path) == NULL)
			fail_msg("line %u: the output has no %s", st->line, path);
	}
	if (n == 0)
		fail_msg("line %u: no property is named", st->line);
}

/* 'NAME' property with value: | 'NAME' property containing N items */
static void then_property(struct play *p, const step *st, const char *rest)
{
	expect_state(p, st, "completed");
	CS_AUTOFREE char *path = cs_xstrndup(rest, strcspn(rest, "'"));
	const char *what = rest + strlen(path);
	const json_t *have = cs_json_get_path(json_object_get(p->end, "output"), path);
	if (strcmp(what, "' property with value:") == 0) {
		CS_AUTOJSON json_t *want = yaml(st);
		same(st, have, want);
		return;
	}
	static const char containing[] = "' property containing ";
	char *end = NULL;
	unsigned long n = 0;
	if (strncmp(what, containing, sizeof containing - 1) == 0)
		n = strtoul(what + sizeof containing - 1, &end, 10);
	if (end == NULL || strcmp(end, " items") != 0)
		fail_msg("line %u: not known: %s", st->line, st->text);
	if (!json_is_array(have) || json_array_size(have) != n)
		fail_msg("line %u: %s: it is not so", st->line, st->text);
}

static size_t place_of(const struct play *p, const step *st, const char *name)
{
	size_t i;
	json_t *task;
	json_array_foreach(p->tasks, i, task)
		if (strcmp(json_string_value(task), name) == 0)
			return i;
	fail_msg("line %u: %s did not run", st->line, name);
	return 0;
}

/* NAME should run first | last | after OTHER */
static void then_order(struct play *p, const step *st, const char *rest)
{
	CS_AUTOFREE char *name = cs_xstrndup(st->text, (size_t)(rest - st->text) - strlen(" should run "));
	size_t place = place_of(p, st, name), n = json_array_size(p->tasks);
	bool ok;
	if (strcmp(rest, "first") == 0)
		ok = place == 0;
	else if (strcmp(rest, "last") == 0)
		ok = strcmp(json_string_value(json_array_get(p->tasks, n - 1)), name) == 0;
	else if (strncmp(rest, "after ", 6) == 0)
		ok = place > place_of(p, st, rest + 6);
	else
		ok = false;
	CS_AUTOFREE char *order = cs_json_text(p->tasks);
	if (!ok)
		fail_msg("line %u: %s: they ran as %s", st->line, st->text, order);
}

/* ---- the table --------------------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	bool whole;                  /* else it is how the step begins */
	void (*act)(struct play *p, const step *st, const char *rest);
} table[] = {
	{ "a workflow with definition:", true, given_definition },
	{ "given the workflow input is:", true, given_input },
	{ "the workflow is executed", true, when_executed },
	{ "the workflow should complete", true, then_completes },
	{ "the workflow should complete with output:", true, then_output },
	{ "the workflow should fault", true, then_faults },
	{ "the workflow should fault with error:", true, then_error },
	{ "the workflow output should have properties ", false, then_properties },
	{ "the workflow output should have a '", false, then_property },
};

static void act(struct play *p, const step *st)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(table); i++) {
		size_t n = strlen(table[i].text);
		if (table[i].whole ? strcmp(st->text, table[i].text) == 0 : strncmp(st->text, table[i].text, n) == 0) {
			table[i].act(p, st, st->text + n);
			return;
		}
	}
	const char *order = strstr(st->text, " should run ");
	if (order == NULL)
		fail_msg("line %u: not known: %s", st->line, st->text);
	then_order(p, st, order + strlen(" should run "));
}

void scenario_play(const scenario *s, bool restart)
{
	struct play p = { .restart = restart };
	world_new(&p.w, workspace);
	world_start(&p.w);
	json_decref(world_ask(&p.w, json_pack("{s:s}", "cmd", "live")));
	for (size_t i = 0; i < s->n_steps; i++)
		act(&p, &s->steps[i]);
	world_free(&p.w);
	json_decref(p.definition);
	json_decref(p.input);
	json_decref(p.end);
	json_decref(p.tasks);
	free(p.run);
}
