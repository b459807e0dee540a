/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a scenario says that should have come of it. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "tests/ctk/kit.h"
#include "tests/ctk/play.h"

static void same(const step *st, const json_t *have, const json_t *want)
{
	CS_AUTOFREE char *text = have != NULL ? cs_json_text(have) : cs_xstrdup("nothing");
	if (have == NULL || !cs_json_equal(have, want))
		fail_msg("line %u: %s: it is %s", st->line, st->text, text);
}

/* ---- what there is ----------------------------------------------------------------------------------------- */

static cs_reader *reader(const play *p)
{
	CS_AUTOFREE char *dir = cs_xasprintf("%s/%s", p->w.dir, CS_STATE_DIR);
	cs_reader *r = NULL;
	assert_int_equal(cs_reader_open(dir, &r, NULL), CS_OK);
	return r;
}

/* "/do/0/setRed" is setRed. */
static int note_task(void *ctx, const cs_event *ev)
{
	play *p = ctx;
	if (ev->task == NULL || strncmp(ev->type, "task.", 5) != 0)
		return 0;
	const char *slash = strrchr(ev->task, '/');
	json_array_append_new(p->tasks, json_pack("[s, s]", slash != NULL ? slash + 1 : ev->task, ev->type + 5));
	return 0;
}

void play_look(play *p, const step *st)
{
	if (p->run == NULL)
		fail_msg("line %u: nothing was executed", st->line);
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT * FROM run WHERE id = '%s'", p->run);
	CS_AUTOJSON json_t *rows = world_rows(&p->w, sql);
	cs_reader *r = reader(p);
	json_decref(p->row);
	json_decref(p->end);
	json_decref(p->tasks);
	p->row = json_incref(json_array_get(rows, 0));
	bool completed = strcmp(cs_json_str_or(p->row, "state", ""), "completed") == 0;
	p->end = world_event(&p->w, p->run, completed ? "run.completed" : "run.faulted");
	p->tasks = json_array();
	assert_int_equal(cs_reader_events(r, p->run, 0, INT64_MAX, note_task, p, NULL), CS_OK);
	cs_reader_close(r);
}

static void expect_state(play *p, const step *st, const char *state)
{
	play_look(p, st);
	CS_AUTOFREE char *text = p->end != NULL ? cs_json_text(p->end) : cs_xstrdup("no end");
	const char *have = cs_json_str_or(p->row, "state", "absent");
	if (strcmp(have, state) != 0)
		fail_msg("line %u: %s: it is %s with %s", st->line, st->text, have, text);
}

/* ---- the run ----------------------------------------------------------------------------------------------- */

static void then_completes(play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "completed");
}

static void then_output(play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "completed");
	CS_AUTOJSON json_t *want = play_yaml(st);
	same(st, json_object_get(p->end, "output"), want);
}

static void then_faults(play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "faulted");
}

/* Every member that is named; an error may say more. */
static void then_error(play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "faulted");
	CS_AUTOJSON json_t *want = play_yaml(st);
	const char *name;
	json_t *value;
	json_object_foreach(want, name, value)
		same(st, json_object_get(json_object_get(p->end, "error"), name), value);
}

static void then_waits(play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "waiting");
}

static void then_cancelled(play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "cancelled");
}

/* From the start of the run to its end, or to now. */
static void then_waited(play *p, const step *st, const char *rest)
{
	int64_t want = 0;
	cs_err err = { 0 };
	play_look(p, st);
	if (cs_duration_parse(rest, &want, &err) != CS_OK)
		fail_msg("line %u: %s", st->line, err.msg);
	int64_t ended = cs_json_int_or(p->row, "ended", 0);
	int64_t have = (ended > 0 ? ended : *p->a.clock) - cs_json_int_or(p->row, "started", 0);
	if (have != want)
		fail_msg("line %u: %s: it took %lld ms", st->line, st->text, (long long)have);
}

static void then_in_order(play *p, const step *st, const char *rest)
{
	(void)rest;
	if (p->refusal != NULL)
		fail_msg("line %u: it says: %s", st->line, p->refusal);
}

static void then_refused(play *p, const step *st, const char *rest)
{
	(void)rest;
	CS_AUTOJSON json_t *want = play_yaml(st);
	if (p->refusal == NULL)
		fail_msg("line %u: it is in order", st->line);
	if (strstr(p->refusal, json_string_value(want)) == NULL)
		fail_msg("line %u: %s: it said: %s", st->line, st->text, p->refusal);
}

/* ---- its output -------------------------------------------------------------------------------------------- */

static void then_properties(play *p, const step *st, const char *rest)
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
static void then_property(play *p, const step *st, const char *rest)
{
	expect_state(p, st, "completed");
	CS_AUTOFREE char *path = cs_xstrndup(rest, strcspn(rest, "'"));
	const char *what = rest + strlen(path);
	const json_t *have = cs_json_get_path(json_object_get(p->end, "output"), path);
	if (strcmp(what, "' property with value:") == 0) {
		CS_AUTOJSON json_t *want = play_yaml(st);
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

/* ---- its tasks --------------------------------------------------------------------------------------------- */

static const char *task_at(const play *p, size_t i)
{
	return json_string_value(json_array_get(json_array_get(p->tasks, i), 0));
}

static size_t place_of(const play *p, const step *st, const char *name)
{
	for (size_t i = 0; i < json_array_size(p->tasks); i++)
		if (strcmp(task_at(p, i), name) == 0)
			return i;
	fail_msg("line %u: %s did not run", st->line, name);
	return 0;
}

/* Entries of NAME in the log of one of the TYPES. */
static size_t count_of(const play *p, const char *name, const char *types)
{
	size_t n = 0, i;
	json_t *entry;
	json_array_foreach(p->tasks, i, entry)
		n += strcmp(task_at(p, i), name) == 0 && strstr(types, json_string_value(json_array_get(entry, 1))) != NULL;
	return n;
}

/* NAME should run first | last | after OTHER | N times */
static bool is_so(const play *p, const step *st, const char *name, const char *how)
{
	char *end = NULL;
	unsigned long times = strtoul(how, &end, 10);
	if (end != how && (strcmp(end, " times") == 0 || strcmp(end, " time") == 0))
		return count_of(p, name, "completed faulted") == times;
	size_t place = place_of(p, st, name), n = json_array_size(p->tasks);
	if (strcmp(how, "first") == 0)
		return place == 0;
	if (strcmp(how, "last") == 0)
		return strcmp(task_at(p, n - 1), name) == 0;
	return strncmp(how, "after ", 6) == 0 && place > place_of(p, st, how + 6);
}

/* NAME should complete after OTHER */
static size_t end_of(const play *p, const step *st, const char *name)
{
	for (size_t i = json_array_size(p->tasks); i-- > 0;)
		if (strcmp(task_at(p, i), name) == 0 &&
		    strcmp(json_string_value(json_array_get(json_array_get(p->tasks, i), 1)), "completed") == 0)
			return i;
	fail_msg("line %u: %s did not complete", st->line, name);
	return 0;
}

static bool is_as_said(const play *p, const step *st, const char *name, size_t word, const char *rest)
{
	switch (word) {
	case 0: return is_so(p, st, name, rest);
	case 1: return count_of(p, name, "started completed faulted cancelled") == 0;
	case 2: return count_of(p, name, "skipped") > 0;
	default: return end_of(p, st, name) > end_of(p, st, rest);
	}
}

static bool then_task(play *p, const step *st)
{
	static const char *const words[] = { " should run ", " should not run", " should be skipped", " should complete after " };
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++) {
		const char *at = strstr(st->text, words[i]);
		if (at == NULL)
			continue;
		CS_AUTOFREE char *name = cs_xstrndup(st->text, (size_t)(at - st->text));
		play_look(p, st);
		bool ok = is_as_said(p, st, name, i, at + strlen(words[i]));
		CS_AUTOFREE char *order = cs_json_text(p->tasks);
		if (!ok)
			fail_msg("line %u: %s: they ran as %s", st->line, st->text, order);
		return true;
	}
	return false;
}

/* ---- all runs of a flow, in the order of their start ------------------------------------------------------- */

/* REST is "NAME' should …". */
static json_t *runs_of(play *p, const char *rest)
{
	CS_AUTOFREE char *name = cs_xstrndup(rest, strcspn(rest, "'"));
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT id, state, started FROM run WHERE name = '%s' ORDER BY created_seq", name);
	return world_rows(&p->w, sql);
}

static void then_times(play *p, const step *st, const char *rest, const json_t *runs)
{
	unsigned long want = strtoul(strstr(rest, "have run ") + 9, NULL, 10);
	(void)p;
	if (json_array_size(runs) != want)
		fail_msg("line %u: %s: it ran %zu times", st->line, st->text, json_array_size(runs));
}

static void then_moments(play *p, const step *st, const char *rest, const json_t *runs)
{
	CS_AUTOJSON json_t *want = play_yaml(st);
	CS_AUTOJSON json_t *have = json_array();
	size_t i;
	json_t *run;
	(void)p;
	(void)rest;
	json_array_foreach(runs, i, run) {
		char text[CS_TIME_SIZE];
		cs_time_format(cs_json_int_or(run, "started", 0), text);
		json_array_append_new(have, json_string(text));
	}
	same(st, have, want);
}

static void then_outputs(play *p, const step *st, const char *rest, const json_t *runs)
{
	CS_AUTOJSON json_t *want = play_yaml(st);
	CS_AUTOJSON json_t *have = json_array();
	size_t i;
	json_t *run;
	(void)rest;
	json_array_foreach(runs, i, run) {
		CS_AUTOJSON json_t *end = world_event(&p->w, cs_json_str_or(run, "id", ""), "run.completed");
		json_array_append_new(have, end != NULL ? json_incref(json_object_get(end, "output")) : json_object_get(run, "state"));
	}
	same(st, have, want);
}

/* The steps that follow are about this flow's last run. */
static void then_last(play *p, const step *st, const char *rest, const json_t *runs)
{
	const json_t *last = json_array_get(runs, json_array_size(runs) - 1);
	(void)rest;
	if (last == NULL)
		fail_msg("line %u: it did not run", st->line);
	free(p->run);
	p->run = cs_xstrdup(cs_json_str_or(last, "id", ""));
}

static void then_flow(play *p, const step *st, const char *rest)
{
	static const struct {
		const char *words;
		void (*act)(play *p, const step *st, const char *rest, const json_t *runs);
	} rows[] = {
		{ "' should have run ", then_times },
		{ "' should have started at:", then_moments },
		{ "' should have completed with outputs:", then_outputs },
		{ "' is looked at", then_last },
	};
	CS_AUTOJSON json_t *runs = runs_of(p, rest);
	for (size_t i = 0; i < CS_ARRAY_LEN(rows); i++)
		if (strstr(rest, rows[i].words) != NULL) {
			rows[i].act(p, st, rest, runs);
			return;
		}
	fail_msg("line %u: not known: %s", st->line, st->text);
}

/* ---- events ------------------------------------------------------------------------------------------------ */

struct emitted {
	const char *type;
	size_t n;
};

static int count_emitted(void *ctx, const cs_event *ev)
{
	struct emitted *e = ctx;
	const char *type = cs_json_str_or(json_object_get(ev->data, "event"), "type", "");
	e->n += strcmp(ev->type, "event.emitted") == 0 && strcmp(type, e->type) == 0;
	return 0;
}

/* the event 'TYPE' should have been emitted N times */
static void then_emitted(play *p, const step *st, const char *rest)
{
	CS_AUTOFREE char *type = cs_xstrndup(rest, strcspn(rest, "'"));
	const char *times = strstr(rest, "' should have been emitted ");
	struct emitted e = { .type = type };
	cs_reader *r = reader(p);
	assert_int_equal(cs_reader_events(r, NULL, 0, INT64_MAX, count_emitted, &e, NULL), CS_OK);
	cs_reader_close(r);
	if (times == NULL || strtoul(times + strlen("' should have been emitted "), NULL, 10) != e.n)
		fail_msg("line %u: %s: it was emitted %zu times", st->line, st->text, e.n);
}

/* ---- outside ----------------------------------------------------------------------------------------------- */

/* Is all of WANT in HAVE? Of a mapping its members; "*" is anything. */
static bool is_like(const json_t *have, const json_t *want)
{
	const char *name;
	json_t *value;
	size_t i;
	if (json_is_string(want) && strcmp(json_string_value(want), "*") == 0)
		return have != NULL;
	if (json_is_array(want) && json_is_array(have)) {
		json_array_foreach(want, i, value)
			if (!is_like(json_array_get(have, i), value))
				return false;
		return json_array_size(want) == json_array_size(have);
	}
	if (!json_is_object(want) || !json_is_object(have))
		return have != NULL && cs_json_equal(have, want);
	json_object_foreach((json_t *)(uintptr_t)want, name, value)
		if (!is_like(json_object_get(have, name), value))
			return false;
	return true;
}

/* In this order, and nothing else; each as far as it is written out. */
static void then_asked(play *p, const step *st, const char *rest)
{
	(void)p;
	(void)rest;
	CS_AUTOJSON json_t *want = play_yaml(st);
	CS_AUTOJSON json_t *have = outside_asked(kit_outside());
	CS_AUTOFREE char *text = cs_json_text(have);
	if (!is_like(have, want))
		fail_msg("line %u: it was asked %s", st->line, text);
}

static void then_like(play *p, const step *st, const char *rest)
{
	(void)rest;
	expect_state(p, st, "completed");
	CS_AUTOJSON json_t *want = play_yaml(st);
	CS_AUTOFREE char *text = cs_json_text(p->end);
	if (!is_like(json_object_get(p->end, "output"), want))
		fail_msg("line %u: it ended with %s", st->line, text);
}

/* ---- what must not be there -------------------------------------------------------------------------------- */

static const char *unwanted;         /* of the walk under way */
static char *found_in;

static int look_into(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type != FTW_F || st->st_size == 0)
		return 0;
	FILE *f = fopen(path, "re");
	CS_AUTOFREE char *bytes = cs_xcalloc(1, (size_t)st->st_size + 1);
	size_t n = f != NULL ? fread(bytes, 1, (size_t)st->st_size, f) : 0;
	if (f != NULL)
		fclose(f);
	if (memmem(bytes, n, unwanted, strlen(unwanted)) == NULL)
		return 0;
	found_in = cs_xstrdup(path);
	return 1;
}

/* 'TEXT' should stand nowhere in the workspace, nor in what the engine keeps */
static void then_nowhere(play *p, const step *st, const char *rest)
{
	CS_AUTOFREE char *text = cs_xstrndup(rest, strcspn(rest, "'"));
	if (strcmp(rest + strlen(text), "' should stand nowhere in the workspace") != 0)
		fail_msg("line %u: not known: %s", st->line, st->text);
	unwanted = text;
	found_in = NULL;
	if (nftw(p->w.dir, look_into, 16, FTW_PHYS) != 0)
		fail_msg("line %u: %s: it stands in %s", st->line, st->text, found_in != NULL ? found_in : "what cannot be read");
}

/* ---- the table --------------------------------------------------------------------------------------------- */

static const play_row table[] = {
	{ "the workflow should complete", true, then_completes },
	{ "the workflow should complete with output:", true, then_output },
	{ "the workflow should fault", true, then_faults },
	{ "the workflow should fault with error:", true, then_error },
	{ "the workflow should be waiting", true, then_waits },
	{ "the workflow should be cancelled", true, then_cancelled },
	{ "the workflow should have waited ", false, then_waited },
	{ "the workflow should be in order", true, then_in_order },
	{ "the workflow should be refused with:", true, then_refused },
	{ "outside should have been asked:", true, then_asked },
	{ "the workflow output should be like:", true, then_like },
	{ "the workflow output should have properties ", false, then_properties },
	{ "the workflow output should have a '", false, then_property },
	{ "the workflow '", false, then_flow },
	{ "the event '", false, then_emitted },
	{ "'", false, then_nowhere },
};

bool play_expect(play *p, const step *st)
{
	return play_by_table(p, st, table, CS_ARRAY_LEN(table)) || then_task(p, st);
}
