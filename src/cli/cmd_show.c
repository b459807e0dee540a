/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs, show, stats: what there is, without an engine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli_priv.h"

#define PAGE 200
#define DEFAULT_LIMIT 50

const cs_cli_flag cs_cli_flags_runs[] = {
	{ "--state", "STATE", N_("only those in that state") },
	{ "--flow", "FLOW", N_("only those of that flow") },
	{ "--limit", "N", N_("at most so many (50); 0: all") },
	{ NULL, NULL, NULL },
};

static void print_run_row(cs_cli *c, const json_t *run)
{
	const char *title = cs_json_str(run, "title"), *state = cs_json_str_or(run, "state", "");
	CS_AUTOFREE char *flow = cs_xstrdup(cs_cli_show(c, title ? title : cs_json_str_or(run, "flow", "")));
	cs_cli_print_cell(stdout, cs_cli_short_id(cs_json_str_or(run, "run", "")), 10);
	cs_cli_print_cell(stdout, strcmp(state, "created") == 0 ? _("queued") : state, 12);
	cs_cli_print_cell(stdout, flow, 34);
	cs_cli_print_cell(stdout, cs_cli_show_age(c, json_object_get(run, "created")), 8);
	cs_cli_print_cell(stdout, cs_cli_show_money(c, cs_json_int_or(run, "cost", 0)), 14);
	printf("%s%s\n", cs_json_true(run, "imported") ? _("IMPORTED ") : cs_json_true(run, "simulated") ? _("SIMULATED ") : "",
	       cs_cli_show(c, cs_json_str(run, "subject")));
}

static int limit_of(const cs_cli_args *a, long *ret, cs_err *err)
{
	const char *text = cs_cli_arg(a, "--limit");
	*ret = DEFAULT_LIMIT;
	if (!text)
		return CS_OK;
	char *end;
	errno = 0;
	*ret = strtol(text, &end, 10);
	if (errno || end == text || *end || *ret < 0)
		return cs_err_set(err, CS_EINVAL, _("--limit %s: give a number"), text);
	return CS_OK;
}

/* What is not shown because a segment of the archive cannot be read: each once, on stderr; SAID has those that were named. */
static void say_missing(cs_cli *c, const json_t *run, json_t *said)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(run, "missing"), i, one) {
		const char *segment = cs_json_str_or(one, "segment", "");
		if (json_object_get(said, segment))
			continue;
		json_object_set_new(said, segment, json_true());
		fprintf(stderr, _("capstan: what is in %s is left out: %s\n"), segment, cs_cli_show(c, cs_json_str_or(one, "says", "")));
	}
}

static int print_runs(cs_cli *c, const cs_view_filter *filter, long limit, json_t *said, cs_err *err)
{
	char before[CS_ID_SIZE] = "";
	for (long left = limit; limit == 0 || left > 0; ) {
		CS_AUTOJSON json_t *page = NULL;
		int n = limit > 0 && left < PAGE ? (int)left : PAGE;
		int r = cs_view_runs(c->reader, filter, before[0] ? before : NULL, n, &page, err);
		if (r < 0)
			return r;
		size_t i;
		json_t *run;
		json_array_foreach(page, i, run) {
			if (c->json)
				cs_cli_print_json(run);
			else
				print_run_row(c, run);
			say_missing(c, run, said);
			(void)snprintf(before, sizeof before, "%s", cs_json_str_or(run, "run", ""));
		}
		left -= (long)json_array_size(page);
		if (json_array_size(page) < (size_t)n)
			break;
	}
	return CS_OK;
}

int cs_cmd_runs(cs_cli *c, const cs_cli_args *a)
{
	const cs_view_filter filter = { .state = cs_cli_arg(a, "--state"), .flow = cs_cli_arg(a, "--flow"), .bare = !c->json };
	CS_AUTOJSON json_t *said = json_object();
	long limit;
	cs_err err = { 0 };
	int r = limit_of(a, &limit, &err);
	if (r == CS_OK)
		r = cs_cli_reader(c, &err);
	if (r == CS_OK && c->reader)
		r = print_runs(c, &filter, limit, said, &err);
	else if (r == CS_OK)
		fputs(_("nothing has run here yet; next: capstan run FLOW\n"), stderr);
	if (r < 0)
		return cs_cli_fail(c, "runs", &err);
	return json_object_size(said) > 0 ? CS_EXIT_FAILED : CS_EXIT_DONE;
}

static void print_field(cs_cli *c, const char *label, const json_t *v)
{
	if (!v || json_is_null(v))
		return;
	cs_cli_print_cell(stdout, label, 12);
	puts(cs_cli_show_json(c, v, 0));
}

/* Which it is, and what switches one on that was switched off. */
static void say_connector(cs_cli *c, const char *what, const char *names)
{
	if (!names)
		return;
	CS_AUTOFREE char *which = cs_xstrdup(cs_cli_show(c, names));
	if (strcmp(what, "off") == 0 && !strchr(which, ','))
		printf(_(": %s; next: capstan connectors mode %s live"), which, which);
	else if (strcmp(what, "off") == 0)
		printf(_(": %s; next: capstan connectors mode NAME live"), which);
	else
		printf(": %s", which);
}

static bool is_past(const char *time)
{
	int64_t at;
	return time && cs_time_parse(time, &at, NULL) == CS_OK && at <= cs_clock_wall_ms();
}

static void print_waits(cs_cli *c, const json_t *run)
{
	static const struct { const char *what, *text; } words[] = {
		{ "approval", N_("your decision") }, { "in-doubt", N_("your word whether it happened") }, { "grace", N_("the end of a decision's grace") },
		{ "timer", N_("a clock") }, { "retry", N_("another try") }, { "probe", N_("an answer whether it happened") }, { "event", N_("an event") }, { "hold", N_("the end of a hold") },
		{ "off", N_("its connector, which sends nothing now") }, { "breaker", N_("its connector's breaker (`capstan connectors`)") }, { "limit", N_("its connector's limits") },
		{ "once", N_("what another run does under the same business key") },
		{ "answer", N_("the end of what was begun outside") },
	};
	const char *not_live = cs_json_true(run, "simulated") || cs_cli_all_held(c) ? NULL : cs_cli_not_live(c);
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(run, "waits"), i, one) {
		const char *what = cs_json_str_or(one, "for", ""), *task = cs_json_str(one, "task"), *until = cs_json_str(one, "until");
		size_t k = 0;
		while (k + 1 < CS_ARRAY_LEN(words) && strcmp(words[k].what, what) != 0)
			k++;
		bool barred = not_live && (strcmp(what, "hold") == 0 || (strcmp(what, "grace") == 0 && is_past(until)));
		until = barred ? NULL : until;
		cs_cli_print_cell(stdout, _("waits for"), 12);
		printf("%s%s%s", _(barred ? not_live : words[k].text), task ? _(" at ") : "", cs_cli_show(c, task));
		if (until)
			printf(_(", until %s"), cs_cli_show(c, until));
		say_connector(c, what, cs_json_str(one, "connector"));
		puts("");
	}
}

void cs_cli_print_changes(cs_cli *c, const json_t *run)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(run, "changes"), i, one) {
		cs_cli_print_cell(stdout, _("changed"), 12);
		printf("%s  %s  #%d\n", cs_cli_show(c, cs_json_str_or(one, "at", "")), cs_cli_show(c, cs_json_str_or(one, "says", "")),
		       (int)cs_json_int_or(one, "seq", 0));
	}
}

static void print_run(cs_cli *c, const json_t *run)
{
	static const char *const members[] = { "run", "flow", "version", "title", "state", "subject", "key", "parent", "created",
					       "started", "ended", "input", "output", "error" };
	for (size_t i = 0; i < CS_ARRAY_LEN(members); i++)
		print_field(c, members[i], json_object_get(run, members[i]));
	if (cs_json_int_or(run, "cost", 0) != 0) {
		cs_cli_print_cell(stdout, "cost", 12);
		puts(cs_cli_show_money(c, cs_json_int_or(run, "cost", 0)));
	}
	const json_t *imported = json_object_get(run, "import");
	if (json_is_object(imported)) {
		CS_AUTOFREE char *from = cs_xstrdup(cs_cli_show(c, cs_json_str_or(imported, "workspace", "")));
		printf(_("IMPORTED from %s, where it was %s; signed by %s\n"), from, cs_cli_show(c, cs_json_str_or(imported, "state", "")),
		       cs_json_str_or(imported, "signer", ""));
	} else if (cs_json_true(run, "simulated")) {
		puts(_("SIMULATED: nothing left this machine"));
	}
	cs_cli_print_changes(c, run);
	print_waits(c, run);
	(void)fflush(stdout);
	cs_cli_say_waiting(c, run);
}

int cs_cmd_show(cs_cli *c, const cs_cli_args *a)
{
	char id[CS_ID_SIZE];
	CS_AUTOJSON json_t *run = NULL;
	cs_err err = { 0 };
	int r = cs_cli_find_run(c, a->words[0], id, &err);
	if (r == CS_OK)
		r = cs_view_run(c->reader, id, &run, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	if (c->json)
		cs_cli_print_json(run);
	else
		print_run(c, run);
	CS_AUTOJSON json_t *said = json_object();
	say_missing(c, run, said);
	return json_object_size(said) > 0 ? CS_EXIT_FAILED : CS_EXIT_DONE;
}

/* ---- stats ----------------------------------------------------------------------------------- */

static const struct { const char *name, *sql; } counts[] = {
	{ "events", "SELECT coalesce(max(seq), 0) AS n FROM event" },
	{ "tasks", "SELECT count(*) AS n FROM task" },
	{ "attempts", "SELECT count(*) AS n FROM attempt" },
	{ "items", "SELECT count(*) AS n FROM item" },
	{ "bodies", "SELECT count(*) AS n FROM body" },
	{ "cost", "SELECT coalesce(sum(cost), 0) AS n FROM run" },
};

static int gather(cs_cli *c, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *stats = NULL;
	int r = cs_view_status(c->reader, &stats, err);
	for (size_t i = 0; r == CS_OK && i < CS_ARRAY_LEN(counts); i++) {
		CS_AUTOJSON json_t *rows = NULL;
		r = cs_cli_query(c, counts[i].sql, NULL, &rows, err);
		if (r == CS_OK)
			json_object_set(stats, counts[i].name, json_object_get(json_array_get(rows, 0), "n"));
	}
	if (r != CS_OK)
		return r;
	json_object_set_new(stats, "live", json_boolean(cs_cli_machine_is_live(c)));
	*ret = CS_STEAL(stats);
	return r;
}

int cs_cmd_stats(cs_cli *c, const cs_cli_args *a)
{
	(void)a;
	CS_AUTOJSON json_t *stats = NULL;
	cs_err err = { 0 };
	int r = cs_cli_reader(c, &err);
	if (r == CS_OK && c->reader)
		r = gather(c, &stats, &err);
	if (r < 0)
		return cs_cli_fail(c, "stats", &err);
	if (!stats)
		stats = json_pack("{s:{}, s:i}", "runs", "events", 0);
	if (c->json) {
		cs_cli_print_json(stats);
		return CS_EXIT_DONE;
	}
	const char *name;
	json_t *v;
	json_object_foreach(stats, name, v)
		print_field(c, name, v);
	return CS_EXIT_DONE;
}
