/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inbox, and one item with its whole card: nothing of it is cut. */
#include <string.h>

#include "cli/cli_priv.h"

const cs_cli_flag cs_cli_flags_inbox[] = { { "--all", NULL, N_("also what is decided or over; faults of one cause one by one") }, { NULL, NULL, NULL } };

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
	const int64_t level = cs_json_int_or(item, "level", 0);
	const int64_t count = cs_json_int_or(item, "count", 1);
	CS_AUTOFREE char *raised = level > 0 ? cs_xasprintf("\xe2\x86\x91%lld %s", (long long)level, title)
				 : count > 1 ? cs_xasprintf("\xc3\x97%lld %s", (long long)count, title) : cs_xstrdup(title);
	cs_cli_print_cell(stdout, raised, 38);
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
	CS_AUTOJSON json_t *each = NULL;
	cs_err err = { 0 };
	int r = cs_cli_reader(c, &err);
	if (r == CS_OK && c->reader)
		r = cs_view_inbox(c->reader, all, &each, &err);
	if (r < 0)
		return cs_cli_fail(c, "inbox", &err);
	CS_AUTOJSON json_t *items = all ? json_incref(each) : cs_view_by_cause(each);
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

static bool is_empty(const json_t *v)
{
	return !v || json_is_null(v) || (json_is_integer(v) && json_integer_value(v) == 0) || (json_is_array(v) && json_array_size(v) == 0) || (json_is_string(v) && json_string_length(v) == 0);
}

/* A list of words as people write it; anything else as it is. */
static json_t *as_read(const json_t *v)
{
	CS_AUTOBUF cs_buf b;
	size_t i;
	json_t *word;
	cs_buf_init(&b, (size_t)1 << 20);
	json_array_foreach(v, i, word) {
		if (!json_is_string(word))
			return json_incref((json_t *)(uintptr_t)v);
		(void)cs_buf_addf(&b, "%s%s", i > 0 ? ", " : "", json_string_value(word));
	}
	return b.len > 0 ? json_string(cs_buf_str(&b)) : json_incref((json_t *)(uintptr_t)v);
}

static void print_line(cs_cli *c, const char *label, const json_t *v)
{
	if (is_empty(v))
		return;
	CS_AUTOJSON json_t *text = as_read(v);
	cs_cli_print_cell(stdout, label, 14);
	puts(cs_cli_show_json(c, text, 0));
}

/* Text as it is, JSON over lines. */
static void print_content(const char *label, const json_t *v)
{
	CS_AUTOBUF cs_buf b = { 0 };
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
	{ N_("Id"), "id" }, { N_("Kind"), "kind" }, { N_("State"), "state" }, { N_("Escalated"), "level" }, { N_("Given to"), "delegated_to" },
	{ N_("Put off"), "snoozed_until" }, { N_("Subject"), "subject" }, { N_("Run"), "run" }, { N_("Flow"), "flow" },
	{ N_("Task"), "task" }, { N_("Failed at"), "at" }, { N_("Same cause"), "count" }, { N_("Runs"), "runs" }, { N_("Calls"), "call" }, { N_("Host"), "target" }, { N_("Breaker"), "breaker" }, { N_("Tried again"), "until" }, { N_("Why asked"), "why" }, { N_("Rule"), "rule" },
	{ N_("Untrusted"), "taint" }, { N_("May answer"), "allow" }, { N_("Created"), "created" }, { N_("Expires"), "expires" },
	{ N_("Decided by"), "by" }, { N_("Note"), "note" }, { N_("Effect at"), "grace_until" }, { N_("Proposed by"), "proposer" },
	{ N_("Edited by"), "editor" }, { N_("Was"), "previous" }, { N_("Became"), "successor" }, { N_("Type word"), "confirm" },
	{ N_("Digest"), "digest" }, { N_("Next"), "next" },
};

/* What a card may hold, in the order in which a person asks; LABEL NULL: shown elsewhere. */
static const struct { const char *label, *member; } card_lines[] = {
	{ N_("Will do"), "as" }, { NULL, "will_do" }, { N_("Summary"), "summary" }, { N_("To"), "to" }, { N_("Class"), "effect" },
	{ N_("Touches"), "touches" }, { N_("Reaches"), "reach" }, { N_("From"), "from" }, { N_("Undo"), "undo" },
	{ N_("Reversal"), "reverse" }, { N_("An answer"), "answered" }, { N_("If rejected"), "rejected" }, { N_("If too late"), "expired" },
	{ N_("Reminds"), "reminds" }, { N_("Escalates"), "escalates" }, { N_("Then"), "next" }, { N_("Cost so far"), "cost" },
	{ N_("Before"), "before" }, { NULL, "body" }, { NULL, "request" }, { NULL, "why" },
};

static void print_known(cs_cli *c, const json_t *card, size_t i)
{
	const json_t *v = json_object_get(card, card_lines[i].member);
	CS_AUTOJSON json_t *money = strcmp(card_lines[i].member, "cost") == 0 && v ? json_string(cs_cli_show_money(c, json_integer_value(v))) : NULL;
	if (card_lines[i].label)
		print_line(c, _(card_lines[i].label), money ? money : v);
}

static bool is_known(const char *member)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(card_lines); i++)
		if (strcmp(card_lines[i].member, member) == 0)
			return true;
	return false;
}

static void print_card(cs_cli *c, const json_t *card)
{
	const char *member;
	json_t *v;
	for (size_t i = 0; i < CS_ARRAY_LEN(card_lines); i++)
		print_known(c, card, i);
	json_object_foreach((json_t *)card, member, v)
		if (!is_known(member))
			print_line(c, cs_cli_show(c, member), v);
	print_content(_("As it is read:"), json_object_get(card, "body"));
}

/* What is to be done where the item does not say it itself. %1$s: its id, %2$s: the call of the effect. */
static const struct { const char *kind, *step, *text; } steps[] = {
	{ "in-doubt", NULL, N_("Look on the other side whether it happened, then say so: capstan resolve %1$s happened (with --value, its result)\n"
			       "or did-not; repeat --word repeat sends it once more.") },
	{ "fault", "happened", N_("%2$s was answered, so it has happened: look on the other side first, what became of it.\n"
				  "capstan retry %1$s --word repeat sends it once more; capstan dismiss %1$s leaves the run as it is.") },
	{ "fault", "input", N_("The run cannot go on with what it was given: begin another, then capstan dismiss %1$s.") },
	{ "fault", "correct", N_("Correct what it was given, and it goes on: capstan correct %1$s --set PATH=VALUE --retry. Or mend the flow's file:\n"
				 "capstan retry %1$s --adopt. capstan dismiss %1$s leaves the run as it is.") },
	{ "fault", "retry", N_("Mend the cause, then capstan retry %1$s: what is done is not done again. capstan correct %1$s changes what it was\n"
			       "given; capstan dismiss %1$s leaves the run as it is.") },
	{ "notice", NULL, N_("When it is done: capstan dismiss %1$s") },
};

static void print_step(const json_t *item)
{
	const char *id = cs_json_str_or(item, "id", ""), *kind = cs_json_str_or(item, "kind", ""), *step = cs_json_str_or(item, "step", "");
	CS_AUTOJSON json_t *said = json_incref(json_object_get(item, "action"));
	bool open = strcmp(cs_json_str_or(item, "state", ""), "open") == 0;
	for (size_t i = 0; open && !said && i < CS_ARRAY_LEN(steps); i++) {
		if (strcmp(steps[i].kind, kind) != 0 || (steps[i].step && strcmp(steps[i].step, step) != 0))
			continue;
		/* The formats are the table's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		CS_AUTOFREE char *text = cs_xasprintf(_(steps[i].text), id, cs_json_str_or(item, "happened", ""));
#pragma GCC diagnostic pop
		said = json_string(text);
	}
	print_content(_("Do this:"), said);
}

static void print_item(cs_cli *c, const json_t *item)
{
	if (cs_json_true(item, "simulated"))
		puts(_("SIMULATED: nothing will leave this machine"));
	puts(cs_cli_show(c, cs_json_str_or(item, "title", "")));
	for (size_t i = 0; i < CS_ARRAY_LEN(lines); i++)
		print_line(c, _(lines[i].label), json_object_get(item, lines[i].member));
	print_card(c, json_object_get(item, "card"));
	print_content(_("What happened:"), json_object_get(item, "body"));
	print_step(item);
	print_content(_("Value:"), json_object_get(item, "value"));
	print_content(_("Will be sent:"), json_object_get(item, "request"));
	print_content(_("Answer must fit:"), json_object_get(item, "form"));
	print_content(_("Error:"), json_object_get(item, "error"));
}

/* A fault stands for all that wait with its cause. */
static void add_cause(cs_cli *c, const char *id, json_t *item)
{
	static const char *const members[] = { "count", "ids", "runs" };
	CS_AUTOJSON json_t *row = NULL;
	if (cs_view_cause_of(c->reader, id, &row, NULL) < 0)
		return;
	for (size_t i = 0; i < CS_ARRAY_LEN(members); i++)
		if (json_object_get(row, members[i]))
			json_object_set(item, members[i], json_object_get(row, members[i]));
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
	add_cause(c, id, item);
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
