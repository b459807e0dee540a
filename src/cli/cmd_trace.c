/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trace and why: what happened, and what led to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli_priv.h"

#define FOLLOW_MS 500

const cs_cli_flag cs_cli_flags_trace[] = {
	{ "--format", "tree|json", N_("tree (default), or the events, one a line") },
	{ "--follow", NULL, N_("go on as it happens, until the run has ended") },
	{ NULL, NULL, NULL },
};

/* ---- tree ------------------------------------------------------------------------------------ */

static const char *took(cs_cli *c, const json_t *row)
{
	int64_t from, to;
	char text[32];
	const char *started = cs_json_str(row, "started"), *ended = cs_json_str(row, "ended");
	if (!started || !ended || cs_time_parse(started, &from, NULL) < 0 || cs_time_parse(ended, &to, NULL) < 0)
		return "";
	cs_duration_show(to - from, text, sizeof text);
	return cs_cli_show(c, text);
}

/* "POST http://… → 200 (12 ms)" of an attempt's record, whatever of it is there. */
static void print_record(cs_cli *c, const json_t *event, int indent)
{
	const json_t *data = json_object_get(event, "data");
	const json_t *record = json_object_get(data, "record");
	const json_t *request = json_object_get(record, "request"), *reply = json_object_get(record, "reply");
	if (json_is_object(record)) {
		printf("%*s", indent, "");
		if (json_is_object(request))
			printf("%s %s", cs_cli_show(c, cs_json_str_or(request, "method", "")), cs_cli_show(c, cs_json_str_or(request, "url", "")));
		if (json_is_object(reply) && json_object_get(reply, "status"))
			printf(" \xe2\x86\x92 %s", cs_cli_show_json(c, json_object_get(reply, "status"), 0));
		if (!json_is_object(request))
			printf("%s", cs_cli_show_json(c, record, 90));
		if (json_object_get(record, "ms"))
			printf(" (%s ms)", cs_cli_show_json(c, json_object_get(record, "ms"), 0));
		putchar('\n');
	}
	const json_t *error = json_object_get(data, "error");
	if (json_is_object(error))
		printf("%*s%s\n", indent, "", cs_cli_show_json(c, error, 0));
}

static bool is_end_of_attempt(const char *type)
{
	return strncmp(type, "attempt.", 8) == 0 && strcmp(type, "attempt.intent") != 0;
}

/* Of which row an event or a row is. */
static char *row_key(const char *ref, int64_t occurrence)
{
	return cs_xasprintf("%lld %s", (long long)occurrence, ref);
}

/* The ends of attempts by their row: each row is then printed without another look at the log. */
static int gather_ends(void *ctx, const cs_event *ev)
{
	json_t *ends = ctx;
	if (!ev->task || !is_end_of_attempt(ev->type))
		return 0;
	CS_AUTOFREE char *key = row_key(ev->task, ev->occurrence);
	json_t *list = json_object_get(ends, key);
	if (!list) {
		list = json_array();
		json_object_set_new(ends, key, list);
	}
	json_array_append_new(list, cs_view_event_json(ev));
	return 0;
}

static void print_attempts(cs_cli *c, const json_t *row, const json_t *ends, int indent)
{
	CS_AUTOFREE char *key = row_key(cs_json_str_or(row, "ref", ""), cs_json_int_or(row, "occurrence", 1));
	size_t i;
	json_t *ev;
	json_array_foreach(json_object_get(ends, key), i, ev)
		print_record(c, ev, indent);
}

static void print_row(cs_cli *c, const json_t *row, const json_t *ends)
{
	int indent = 2 * (int)cs_json_int_or(row, "depth", 0);
	const char *call = cs_json_str(row, "call");
	int64_t attempts = cs_json_int_or(row, "attempts", 0), occurrence = cs_json_int_or(row, "occurrence", 1);
	CS_AUTOFREE char *shown = cs_xstrdup(cs_cli_show(c, cs_json_str_or(row, "name", "")));
	CS_AUTOFREE char *name = occurrence > 1 ? cs_xasprintf("%*s%s #%d", indent, "", shown, (int)occurrence)
						: cs_xasprintf("%*s%s", indent, "", shown);
	cs_cli_print_cell(stdout, name, 28);
	cs_cli_print_cell(stdout, cs_json_str_or(row, "state", ""), 11);
	cs_cli_print_cell(stdout, took(c, row), 8);
	printf("%s", cs_cli_show(c, cs_json_str_or(row, "actor", "")));
	if (call)
		printf("  %s", cs_cli_show(c, call));
	if (attempts > 1)
		printf(P_("  %d attempt", "  %d attempts", attempts), (int)attempts);
	if (cs_json_int_or(row, "cost", 0) != 0)
		printf("  %s", cs_cli_show_money(c, cs_json_int_or(row, "cost", 0)));
	if (cs_json_true(row, "simulated"))
		printf("  %s", _("SIMULATED"));
	printf("  #%d\n", (int)cs_json_int_or(row, "seq", 0));
	print_attempts(c, row, ends, indent + 4);
	const json_t *approval = json_object_get(row, "approval");
	if (json_is_object(approval))
		printf("%*s%s %s %s\n", indent + 4, "", cs_cli_show(c, cs_json_str_or(approval, "item", "")),
		       cs_cli_show(c, cs_json_str_or(approval, "state", "")), cs_cli_show(c, cs_json_str_or(approval, "by", "")));
	const json_t *error = json_object_get(row, "error");
	if (error && !json_is_null(error))
		printf("%*s! %s\n", indent + 4, "", cs_cli_show_json(c, error, 0));
}

static int print_tree(cs_cli *c, const char *run, int *ret_status, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *ends = json_object();
	CS_AUTOJSON json_t *whole = NULL;
	int r = cs_view_run(c->reader, run, &whole, err);
	if (r == CS_OK)
		r = cs_view_trace(c->reader, run, &rows, err);
	const char *missing = cs_json_str(json_array_get(rows, 0), "missing");
	if (r == CS_OK && !missing)
		r = cs_reader_events(c->reader, run, 1, INT64_MAX, gather_ends, ends, err);
	if (r < 0)
		return r;
	if (missing)
		*ret_status = CS_EXIT_FAILED;
	printf("%s  %s  %s%s\n", run, cs_cli_show(c, cs_json_str_or(whole, "flow", "")), cs_json_str_or(whole, "state", ""),
	       cs_json_true(whole, "simulated") ? _("  SIMULATED") : "");
	cs_cli_print_changes(c, whole);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
		print_row(c, row, ends);
	(void)fflush(stdout);
	if (missing)
		fprintf(stderr, _("capstan: this is what the tables have; the events of the run cannot be read: %s\n"), cs_cli_show(c, missing));
	return CS_OK;
}

/* ---- events ---------------------------------------------------------------------------------- */

typedef struct printing {
	cs_cli *c;
	bool json;
	int64_t next;
} printing;

static int print_event(void *ctx, const cs_event *ev)
{
	printing *p = ctx;
	p->next = ev->seq + 1;
	if (p->json) {
		CS_AUTOJSON json_t *v = cs_view_event_json(ev);
		cs_cli_print_json(v);
		return 0;
	}
	CS_AUTOJSON json_t *says = cs_view_says(ev);
	char at[CS_TIME_SIZE];
	cs_time_format(ev->at, at);
	printf("#%lld  %s  %s%s\n", (long long)ev->seq, at, ev->simulated ? _("[SIMULATED] ") : "", cs_cli_show_json(p->c, says, 0));
	return 0;
}

static bool has_ended(cs_cli *c, const char *run)
{
	CS_AUTOJSON json_t *rows = NULL;
	return cs_cli_query(c, "SELECT 1 AS n FROM run WHERE id = ?1 AND state IN ('completed','faulted','cancelled','compensated')", run, &rows,
			    NULL) < 0 || json_array_size(rows) > 0;
}

/* Reads the database as it grows; it needs no engine, and may outlive several. */
static int print_events(cs_cli *c, const char *run, bool json, bool follow, cs_err *err)
{
	printing p = { .c = c, .json = json, .next = 1 };
	for (;;) {
		bool last = !follow || has_ended(c, run);
		int r = cs_reader_events(c->reader, run, p.next, INT64_MAX, print_event, &p, err);
		if (r < 0 || last)
			return r;
		(void)fflush(stdout);
		r = cs_cli_wait(c, FOLLOW_MS, err);
		if (r < 0)
			return r == CS_EAGAIN ? CS_OK : r;
	}
}

int cs_cmd_trace(cs_cli *c, const cs_cli_args *a)
{
	char run[CS_ID_SIZE];
	const char *format = cs_cli_arg(a, "--format");
	bool json = c->json || (format && strcmp(format, "json") == 0), follow = cs_cli_arg(a, "--follow") != NULL;
	cs_err err = { 0 };
	int r = CS_OK, status = CS_EXIT_DONE;
	if (format && strcmp(format, "otlp") == 0)
		r = cs_err_set(&err, CS_EINVAL, _("--format otlp is not in this version; tree and json are"));
	else if (format && strcmp(format, "json") != 0 && strcmp(format, "tree") != 0)
		r = cs_err_set(&err, CS_EINVAL, _("--format %s: tree and json are known"), format);
	if (r == CS_OK)
		r = cs_cli_find_run(c, a->words[0], run, &err);
	if (r == CS_OK)
		r = json || follow ? print_events(c, run, json, follow, &err) : print_tree(c, run, &status, &err);
	return r < 0 ? cs_cli_fail(c, a->words[0], &err) : status;
}

int cs_cmd_why(cs_cli *c, const cs_cli_args *a)
{
	CS_AUTOJSON json_t *chain = NULL;
	cs_err err = { 0 };
	char *end;
	const char *text = a->words[0][0] == '#' ? a->words[0] + 1 : a->words[0];
	errno = 0;
	long long seq = strtoll(text, &end, 10);
	int r = CS_OK;
	if (errno || end == text || *end || seq <= 0)
		r = cs_err_set(&err, CS_EINVAL, _("give the number of an event, as `capstan trace` shows it: 812"));
	if (r == CS_OK)
		r = cs_cli_reader(c, &err);
	if (r == CS_OK && !c->reader)
		r = cs_err_set(&err, CS_ENOTFOUND, _("there is no such event: nothing has run in this workspace yet"));
	if (r == CS_OK)
		r = cs_view_why(c->reader, seq, &chain, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	if (c->json) {
		cs_cli_print_json_lines(chain);
		return CS_EXIT_DONE;
	}
	size_t i;
	json_t *ev;
	json_array_foreach(chain, i, ev)
		printf("#%-8lld %s  %s%s\n", (long long)cs_json_int_or(ev, "seq", 0), cs_cli_show(c, cs_json_str_or(ev, "at", "")),
		       cs_json_true(ev, "simulated") ? _("[SIMULATED] ") : "", cs_cli_show_json(c, json_object_get(ev, "says"), 0));
	return CS_EXIT_DONE;
}
