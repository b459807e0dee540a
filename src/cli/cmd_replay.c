/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay and diff. */
#include <string.h>

#include "cli/cli_priv.h"

#define VALUE_COLS 100
#define DEPTH_MAX 6           /* deeper objects are shown whole */

const cs_cli_flag cs_cli_flags_replay[] = {
	{ "--from", "TASK", N_("what is before it is reused as recorded") },
	{ "--set", "PATH=VALUE", N_("a part of the input, or of --from's input") },
	{ "--flow", "FILE", N_("another definition") },
	{ "--models", "recorded|fresh", N_("recorded (the only one in this version)") },
	{ "--ask", NULL, N_("ask again what was decided") },
	{ NULL, NULL, NULL },
};

/* ---- diff ------------------------------------------------------------------------------------ */

static void print_side(cs_cli *c, char side, const char *name, const json_t *v)
{
	if (v && !json_is_null(v))
		printf("    %c %s%s%s\n", side, cs_cli_show(c, name), name[0] ? ": " : "", cs_cli_show_json(c, v, VALUE_COLS));
}

static void print_members(cs_cli *c, const char *path, int depth, const json_t *old, const json_t *new);

/* One value of both sides: nothing when they are equal, members by themselves in objects. */
static void print_both(cs_cli *c, const char *path, int depth, const json_t *old, const json_t *new)
{
	if (old && new && cs_json_equal(old, new))
		return;
	if (json_is_object(old) && json_is_object(new) && depth < DEPTH_MAX) {
		print_members(c, path, depth, old, new);
		return;
	}
	print_side(c, '-', path, old);
	print_side(c, '+', path, new);
}

static void print_members(cs_cli *c, const char *path, int depth, const json_t *old, const json_t *new)
{
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)old, name, v) {
		CS_AUTOFREE char *below = cs_xasprintf("%s%s%s", path, path[0] ? "." : "", name);
		print_both(c, below, depth + 1, v, json_object_get(new, name));
	}
	json_object_foreach((json_t *)new, name, v) {
		CS_AUTOFREE char *below = cs_xasprintf("%s%s%s", path, path[0] ? "." : "", name);
		if (!json_object_get(old, name))
			print_side(c, '+', below, v);
	}
}

/* What was done for it: the same answer may have come from another request, or from none. */
static void print_effects(cs_cli *c, char side, const json_t *effects)
{
	size_t i;
	json_t *e;
	json_array_foreach(effects, i, e) {
		CS_AUTOFREE char *call = cs_xstrdup(cs_cli_show(c, cs_json_str_or(e, "call", "")));
		printf("    %c (%s %s, %.12s)\n", side, call, cs_json_str_or(e, "how", ""), cs_json_str_or(e, "digest", ""));
	}
}

static void print_difference(cs_cli *c, const json_t *d)
{
	static const struct { const char *change, *mark; } marks[] = {
		{ "same", " " }, { "added", "+" }, { "removed", "-" }, { "changed", "~" },
	};
	const char *change = cs_json_str_or(d, "change", ""), *mark = "?";
	for (size_t i = 0; i < CS_ARRAY_LEN(marks); i++)
		if (strcmp(marks[i].change, change) == 0)
			mark = marks[i].mark;
	int64_t occurrence = cs_json_int_or(d, "occurrence", 1);
	printf("%s %s", mark, cs_cli_show(c, cs_json_str_or(d, "task", "")));
	if (occurrence > 1)
		printf(" #%d", (int)occurrence);
	putchar('\n');
	const json_t *old = json_object_get(d, "old"), *new = json_object_get(d, "new"), *effects = json_object_get(d, "effects");
	if (strcmp(change, "same") == 0)
		return;
	print_both(c, "", 0, old, new);
	print_effects(c, '-', json_object_get(effects, "old"));
	print_effects(c, '+', json_object_get(effects, "new"));
}

/* A number, or a word, of both sides. */
static void print_pair(cs_cli *c, const char *label, const json_t *pair, const char *(*show)(cs_cli *c, const json_t *v))
{
	CS_AUTOFREE char *old = cs_xstrdup(show(c, json_object_get(pair, "old")));
	cs_cli_print_cell(stdout, label, 12);
	printf("%s -> %s\n", old, show(c, json_object_get(pair, "new")));
}

static const char *show_plain(cs_cli *c, const json_t *v)
{
	return cs_cli_show_json(c, v, 0);
}

static const char *show_took(cs_cli *c, const json_t *v)
{
	char text[32];
	cs_duration_show(json_integer_value(v), text, sizeof text);
	return cs_cli_show(c, text);
}

static const char *show_cost(cs_cli *c, const json_t *v)
{
	return json_integer_value(v) == 0 ? "0" : cs_cli_show_money(c, json_integer_value(v));
}

/* How the two differ as a whole, the old one first. */
static void print_summary(cs_cli *c, const json_t *s)
{
	const json_t *steps = json_object_get(s, "steps"), *effects = json_object_get(s, "effects"), *fixed = json_object_get(s, "corrections");
	const char *first = cs_json_str(s, "first");
	puts(_("In all, the old run and the new one:"));
	cs_cli_print_cell(stdout, _("= steps"), 12);
	printf(_("%d the same, %d changed, %d added, %d removed\n"), (int)cs_json_int_or(steps, "same", 0), (int)cs_json_int_or(steps, "changed", 0),
	       (int)cs_json_int_or(steps, "added", 0), (int)cs_json_int_or(steps, "removed", 0));
	if (first) {
		cs_cli_print_cell(stdout, _("= first"), 12);
		printf(_("%s is the first that differs\n"), cs_cli_show(c, first));
	}
	print_pair(c, _("= effects"), effects, show_plain);
	print_pair(c, _("= sent"), json_object_get(effects, "sent"), show_plain);
	print_pair(c, _("= state"), json_object_get(s, "state"), show_plain);
	print_pair(c, _("= took"), json_object_get(s, "time"), show_took);
	print_pair(c, _("= cost"), json_object_get(s, "cost"), show_cost);
	if (cs_json_int_or(fixed, "old", 0) + cs_json_int_or(fixed, "new", 0) > 0)
		print_pair(c, _("= corrected"), fixed, show_plain);
	cs_cli_print_cell(stdout, _("= output"), 12);
	puts(strcmp(cs_json_str_or(s, "output", ""), "same") == 0 ? _("the same") : _("changed"));
}

static int print_diff(cs_cli *c, const char *old, const char *new, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int r = cs_view_diff(c->reader, old, new, &rows, err);
	if (r < 0)
		return r;
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		const json_t *summary = json_object_get(row, "summary");
		if (c->json)
			cs_cli_print_json(row);
		else if (summary)
			print_summary(c, summary);
		else
			print_difference(c, row);
	}
	return CS_OK;
}

int cs_cmd_diff(cs_cli *c, const cs_cli_args *a)
{
	char old[CS_ID_SIZE], new[CS_ID_SIZE];
	cs_err err = { 0 };
	int r = cs_cli_find_run(c, a->words[0], old, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	r = cs_cli_find_run(c, a->words[1], new, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[1], &err);
	r = print_diff(c, old, new, &err);
	return r < 0 ? cs_cli_fail(c, "diff", &err) : CS_EXIT_DONE;
}

/* ---- replay ---------------------------------------------------------------------------------- */

static int request_of(cs_cli *c, const cs_cli_args *a, const char *run, json_t **ret, cs_err *err)
{
	const char *models = cs_cli_arg(a, "--models"), *from = cs_cli_arg(a, "--from");
	CS_AUTOJSON json_t *request = json_pack("{s:s, s:s}", "cmd", "replay", "run", run);
	CS_AUTOJSON json_t *sets = NULL;
	if (models && strcmp(models, "recorded") != 0)
		return cs_err_set(err, CS_EINVAL, strcmp(models, "fresh") == 0
				  ? _("--models fresh is not in this version; recorded answers are used")
				  : _("--models: recorded is known"));
	int r = cs_cli_sets(a, &sets, err);
	json_t *doc = NULL;
	if (r == CS_OK)
		r = cs_cli_flow_said(c, a, &doc, err);
	if (r < 0)
		return r;
	if (doc)
		json_object_set_new(request, "definition", doc);
	if (from)
		json_object_set_new(request, "from", json_string(from));
	if (json_array_size(sets) > 0)
		json_object_set(request, "set", sets);
	if (cs_cli_arg(a, "--ask"))
		json_object_set_new(request, "ask", json_true());
	*ret = CS_STEAL(request);
	return CS_OK;
}

/* What is still to come would look as if it had been left out. */
static int print_end(cs_cli *c, const char *old, const json_t *run, cs_err *err)
{
	static const char *const ends[] = { "completed", "faulted", "cancelled", "compensated" };
	const char *new = cs_json_str_or(run, "run", ""), *state = cs_json_str_or(run, "state", "");
	for (size_t i = 0; i < CS_ARRAY_LEN(ends); i++)
		if (strcmp(ends[i], state) == 0)
			return print_diff(c, old, new, err);
	fprintf(stderr, _("the replay has not ended, it is %s: no difference yet. Then: capstan diff %s %s\n"), state, old, new);
	return CS_OK;
}

static int compare(cs_cli *c, const char *old, const char *new)
{
	CS_AUTOJSON json_t *run = NULL;
	cs_err err = { 0 };
	if (!c->json)
		puts(new);
	(void)fflush(stdout);
	int r = cs_cli_drive(c, new, CS_DRIVE_CLOCKS, &run, &err);
	if (r == CS_EAGAIN) {
		fprintf(stderr, _("left; it goes on when an engine runs. Then: capstan diff %s %s\n"), old, new);
		return CS_EXIT_DONE;
	}
	if (r == CS_OK)
		r = print_end(c, old, run, &err);
	if (r < 0)
		return cs_cli_fail(c, "replay", &err);
	if (c->json)
		cs_cli_print_json(run);
	(void)fflush(stdout);
	cs_cli_say_waiting(c, run);
	return cs_cli_run_status(run);
}

int cs_cmd_replay(cs_cli *c, const cs_cli_args *a)
{
	char old[CS_ID_SIZE];
	CS_AUTOJSON json_t *request = NULL;
	CS_AUTOJSON json_t *ok = NULL;
	cs_err err = { 0 };
	int r = cs_cli_find_run(c, a->words[0], old, &err);
	if (r == CS_OK)
		r = request_of(c, a, old, &request, &err);
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r == CS_OK)
		r = cs_cli_call(c, CS_STEAL(request), &ok, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	return compare(c, old, cs_json_str_or(ok, "run", ""));
}
