/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inbox, and one item with its whole card: nothing of it is cut. */
#include <string.h>

#include "cli/cli_priv.h"

const cs_cli_flag cs_cli_flags_inbox[] = { { "--all", NULL, N_("also what is decided or over") }, { NULL, NULL, NULL } };

/* Put off: not before its time, but said. */
static bool is_put_off(const json_t *item)
{
	const char *until = cs_json_str(item, "snoozed_until");
	int64_t at;
	return until && strcmp(cs_json_str_or(item, "state", ""), "pending") == 0 && cs_time_parse(until, &at, NULL) == CS_OK &&
	       at > cs_clock_wall_ms();
}

static void print_row(cs_cli *c, const json_t *item)
{
	CS_AUTOFREE char *title = cs_xstrdup(cs_cli_show(c, cs_json_str_or(item, "title", "")));
	CS_AUTOFREE char *next = cs_xstrdup(cs_cli_show(c, cs_json_str(item, "next")));
	const json_t *expires = json_object_get(item, "expires");
	cs_cli_print_cell(stdout, cs_cli_short_id(cs_json_str_or(item, "id", "")), 10);
	cs_cli_print_cell(stdout, cs_json_str_or(item, "kind", ""), 10);
	cs_cli_print_cell(stdout, title, 38);
	cs_cli_print_cell(stdout, cs_json_str_or(item, "state", ""), 10);
	cs_cli_print_cell(stdout, cs_cli_show_age(c, json_object_get(item, "created")), 7);
	if (is_put_off(item))
		printf(_("put off until %s  "), cs_cli_show(c, cs_json_str(item, "snoozed_until")));
	if (json_is_string(expires))
		printf(_("expires in %s  "), cs_cli_show_age(c, expires));
	printf("%s%s\n", cs_json_true(item, "simulated") ? _("SIMULATED ") : "", next);
}

static int list(cs_cli *c, bool all)
{
	CS_AUTOJSON json_t *items = NULL;
	cs_err err = { 0 };
	int r = cs_cli_reader(c, &err);
	if (r == CS_OK && c->reader)
		r = cs_view_inbox(c->reader, all, &items, &err);
	if (r < 0)
		return cs_cli_fail(c, "inbox", &err);
	size_t i, put_off = 0;
	json_t *item;
	json_array_foreach(items, i, item) {
		if (!all && is_put_off(item))
			put_off++;
		else if (c->json)
			cs_cli_print_json(item);
		else
			print_row(c, item);
	}
	if (json_array_size(items) == put_off && !c->json)
		fputs(_("nothing waits for you\n"), stderr);
	if (put_off > 0 && !c->json)
		fprintf(stderr, P_("%zu item is put off; see it with: capstan inbox --all\n", "%zu items are put off; see them with: "
				   "capstan inbox --all\n", put_off), put_off);
	return CS_EXIT_DONE;
}

/* ---- one item -------------------------------------------------------------------------------- */

static void print_line(cs_cli *c, const char *label, const json_t *v)
{
	if (!v || json_is_null(v) || (json_is_array(v) && json_array_size(v) == 0))
		return;
	cs_cli_print_cell(stdout, label, 14);
	puts(cs_cli_show_json(c, v, 0));
}

/* Text as it is, JSON over lines. */
static void print_content(const char *label, const json_t *v)
{
	CS_AUTOBUF cs_buf b;
	if (!v || json_is_null(v))
		return;
	cs_buf_init(&b, (size_t)32 << 20);
	puts(label);
	if (json_is_string(v))
		cs_cli_print_block(stdout, json_string_value(v), "  | ");
	else if (cs_json_write_pretty(v, &b) == CS_OK)
		cs_cli_print_block(stdout, cs_buf_str(&b), "  | ");
	else
		puts(_("  (too long to be shown here; see --json)"));
}

static const struct { const char *label, *member; } lines[] = {
	{ N_("Id"), "id" }, { N_("Kind"), "kind" }, { N_("State"), "state" }, { N_("Run"), "run" }, { N_("Flow"), "flow" },
	{ N_("Task"), "task" }, { N_("Calls"), "call" }, { N_("Why asked"), "why" }, { N_("Rule"), "rule" },
	{ N_("Untrusted"), "taint" }, { N_("May answer"), "allow" }, { N_("Created"), "created" }, { N_("Expires"), "expires" },
	{ N_("Decided by"), "by" }, { N_("Note"), "note" }, { N_("Effect at"), "grace_until" }, { N_("Proposed by"), "proposer" },
	{ N_("Edited by"), "editor" }, { N_("Was"), "previous" }, { N_("Became"), "successor" }, { N_("Type word"), "confirm" },
	{ N_("Digest"), "digest" }, { N_("Next"), "next" },
};

static void print_card(cs_cli *c, const json_t *card)
{
	const char *label;
	json_t *v;
	json_object_foreach((json_t *)card, label, v) {
		if (strcmp(label, "body") == 0 || strcmp(label, "request") == 0 || strcmp(label, "why") == 0)
			continue;
		CS_AUTOFREE char *shown = cs_xstrdup(cs_cli_show(c, label));
		CS_AUTOJSON json_t *money = strcmp(label, "cost") == 0 ? json_string(cs_cli_show_money(c, json_integer_value(v))) : NULL;
		print_line(c, shown, money ? money : v);
	}
	print_content(_("As it is read:"), json_object_get(card, "body"));
}

static void print_item(cs_cli *c, const json_t *item)
{
	if (cs_json_true(item, "simulated"))
		puts(_("SIMULATED: nothing will leave this machine"));
	puts(cs_cli_show(c, cs_json_str_or(item, "title", "")));
	for (size_t i = 0; i < CS_ARRAY_LEN(lines); i++)
		print_line(c, _(lines[i].label), json_object_get(item, lines[i].member));
	print_card(c, json_object_get(item, "card"));
	print_content(_("Value:"), json_object_get(item, "value"));
	print_content(_("Will be sent:"), json_object_get(item, "request"));
	print_content(_("Answer must fit:"), json_object_get(item, "form"));
	print_content(_("Error:"), json_object_get(item, "error"));
}

static int show(cs_cli *c, const char *part)
{
	char id[CS_ID_SIZE];
	CS_AUTOJSON json_t *item = NULL;
	cs_err err = { 0 };
	int r = cs_cli_find_item(c, part, id, &err);
	if (r == CS_OK)
		r = cs_view_item(c->reader, id, &item, &err);
	if (r < 0)
		return cs_cli_fail(c, part, &err);
	if (c->json)
		cs_cli_print_json(item);
	else
		print_item(c, item);
	return CS_EXIT_DONE;
}

int cs_cmd_inbox(cs_cli *c, const cs_cli_args *a)
{
	if (a->n_words == 0)
		return list(c, cs_cli_arg(a, "--all") != NULL);
	if (a->n_words == 2 && strcmp(a->words[0], "show") == 0)
		return show(c, a->words[1]);
	cs_err err;
	cs_err_set(&err, CS_EINVAL, _("give nothing, or `show ID`"));
	return cs_cli_fail(c, "inbox", &err);
}
