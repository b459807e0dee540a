/* SPDX-License-Identifier: GPL-3.0-or-later */
/* approve reject respond edit snooze delegate undo dismiss, and resolve: one answer to one or
 * several items. */
#include <string.h>

#include "cli/cli_priv.h"

#define FLAG_NOTE { "--note", "TEXT", N_("why; kept with the decision") }
#define FLAG_WORD { "--word", "WORD", N_("the word that the card asks for") }

const cs_cli_flag cs_cli_flags_decide[] = { FLAG_NOTE, FLAG_WORD, { NULL, NULL, NULL } };
const cs_cli_flag cs_cli_flags_respond[] = {
	{ "--value", "JSON|@FILE|-", N_("the value: JSON, or bare text that does not begin as JSON") }, FLAG_NOTE, FLAG_WORD, { NULL, NULL, NULL },
};
const cs_cli_flag cs_cli_flags_snooze[] = {
	{ "--for", "DURATION", N_("how long: PT2H, P1D") }, { "--until", "TIME", N_("until when, RFC 3339") }, FLAG_NOTE,
	{ NULL, NULL, NULL },
};
const cs_cli_flag cs_cli_flags_delegate[] = { { "--to", "NAME", N_("to whom") }, FLAG_NOTE, { NULL, NULL, NULL } };
const cs_cli_flag cs_cli_flags_resolve[] = {
	{ "--value", "JSON|@FILE|-", N_("its result, when it happened: JSON") }, FLAG_NOTE,
	{ "--word", "repeat", N_("confirms that it is sent once more") }, { NULL, NULL, NULL },
};

/* Bare text is a value too where one is asked for; what begins as JSON and is none is a slip. A result is JSON. */
static bool may_be_text(const char *verb, const char *given)
{
	const char *first = given + strspn(given, " \t\r\n");
	return strcmp(verb, "resolve") != 0 && *first != '{' && *first != '[' && *first != '"';
}

/* A file or stdin is JSON as a whole. */
static int add_value(const char *verb, const char *given, json_t *decision, cs_err *err)
{
	json_t *value = NULL;
	if (!given)
		return CS_OK;
	cs_err why = { 0 };
	bool here = given[0] != '@' && strcmp(given, "-") != 0;
	int r = cs_cli_input(given, &value, &why);
	if (r == CS_EINVAL && here && may_be_text(verb, given)) {
		value = json_string(given);
		if (!value)
			return cs_err_set(err, CS_EINVAL, _("--value: it is not UTF-8 text"));
	} else if (r == CS_EINVAL && here) {
		return cs_err_set(err, r, _("--value is no JSON: %s; a text is given as --value '\"text\"'"), why.msg);
	} else if (r < 0) {
		if (err)
			*err = why;
		return r;
	}
	json_object_set_new(decision, "value", value);
	return CS_OK;
}

static int add_until(const cs_cli_args *a, json_t *decision, cs_err *err)
{
	const char *during = cs_cli_arg(a, "--for"), *until = cs_cli_arg(a, "--until");
	int64_t ms = 0;
	if (!during == !until)
		return cs_err_set(err, CS_EINVAL, _("say until when: --for PT2H, or --until 2027-01-04T09:00:00Z"));
	int r = during ? cs_duration_parse(during, &ms, err) : cs_time_parse(until, &ms, err);
	if (r < 0 && err)
		return err->code = CS_EINVAL;
	json_object_set_new(decision, "until", json_integer(during ? cs_clock_wall_ms() + ms : ms));
	return CS_OK;
}

static void add_text(const cs_cli_args *a, const char *flag, const char *key, json_t *decision)
{
	const char *text = cs_cli_arg(a, flag);
	if (text)
		json_object_set_new(decision, key, json_string(text));
}

/* What all items of this command get. */
static int decision_of(const cs_cli_args *a, json_t **ret, cs_err *err)
{
	const char *verb = a->command->name;
	CS_AUTOJSON json_t *d = json_pack("{s:s}", "verb", verb);
	add_text(a, "--note", "note", d);
	add_text(a, "--word", "word", d);
	add_text(a, "--to", "to", d);
	int r = add_value(verb, cs_cli_arg(a, "--value"), d, err);
	if (r == CS_OK && strcmp(verb, "snooze") == 0)
		r = add_until(a, d, err);
	if (r == CS_OK && strcmp(verb, "delegate") == 0 && !cs_cli_arg(a, "--to"))
		r = cs_err_set(err, CS_EINVAL, _("to whom? Give --to NAME"));
	if (r == CS_OK && strcmp(verb, "edit") == 0 && !cs_cli_arg(a, "--value"))
		r = cs_err_set(err, CS_EINVAL, _("what should it be? Give --value JSON, --value @FILE or --value -"));
	if (r == CS_OK)
		*ret = CS_STEAL(d);
	return r;
}

/* The whole id and what the item shows at this moment. */
static int look_at(cs_cli *c, const char *part, json_t **ret_item, cs_err *err)
{
	char id[CS_ID_SIZE];
	int r = cs_cli_find_item(c, part, id, err);
	return r < 0 ? r : cs_view_item(c->reader, id, ret_item, err);
}

static void print_grace(cs_cli *c, const json_t *item)
{
	const char *until = cs_json_str(item, "grace_until");
	int64_t at;
	if (until && cs_time_parse(until, &at, NULL) == CS_OK && at > cs_clock_wall_ms())
		printf(_("  takes effect at %s; until then: capstan undo %s\n"), cs_cli_show(c, until), cs_json_str_or(item, "id", ""));
}

/* What was done, in a word. The item itself may be further already. */
static const char *done_word(const char *verb)
{
	static const struct { const char *verb, *word; } words[] = {
		{ "approve", N_("approved") }, { "reject", N_("rejected") }, { "respond", N_("answered") }, { "snooze", N_("snoozed") },
		{ "delegate", N_("delegated") }, { "undo", N_("open again") }, { "dismiss", N_("dismissed") }, { "resolve", N_("resolved") },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
		if (strcmp(words[i].verb, verb) == 0)
			return _(words[i].word);
	return verb;
}

/* The same answer once more: said as what it was, as nothing came of it now. */
static void print_again(cs_cli *c, const char *id, const json_t *item)
{
	CS_AUTOFREE char *word = cs_xstrdup(cs_cli_show(c, cs_json_str_or(item, "word", cs_json_str_or(item, "state", ""))));
	printf(_("%s is already %s by %s; nothing was changed\n"), id, word, cs_cli_show(c, cs_json_str_or(item, "by", "engine")));
}

static void print_decided(cs_cli *c, const char *verb, const char *id, const json_t *ok)
{
	const char *next = cs_json_str_or(ok, "next", "");
	CS_AUTOJSON json_t *item = NULL;
	if (cs_view_item(c->reader, id, &item, NULL) < 0)
		return;
	if (c->json) {
		cs_cli_print_json(item);
		return;
	}
	if (next[0]) {       /* an edit: the new id, alone, for scripts */
		puts(next);
		return;
	}
	CS_AUTOFREE char *title = cs_xstrdup(cs_cli_show(c, cs_json_str_or(item, "title", "")));
	if (cs_json_true(ok, "again"))
		print_again(c, id, item);
	else
		printf("%s %s: %s\n", id, done_word(verb), title);
	print_grace(c, item);
}

/* One item; the digest is that of what was just read. */
static int decide_one(cs_cli *c, const char *part, const json_t *decision, json_t *runs, cs_err *err)
{
	CS_AUTOJSON json_t *item = NULL;
	CS_AUTOJSON json_t *ok = NULL;
	int r = look_at(c, part, &item, err);
	if (r < 0)
		return r;
	json_t *copy = json_copy((json_t *)decision);
	const char *id = cs_json_str_or(item, "id", ""), *digest = cs_json_str(item, "digest"), *run = cs_json_str(item, "run");
	if (digest)
		json_object_set_new(copy, "digest", json_string(digest));
	r = cs_cli_call(c, json_pack("{s:s, s:s, s:o}", "cmd", "decide", "item", id, "decision", copy), &ok, err);
	if (r < 0)
		return r;
	print_decided(c, cs_json_str_or(decision, "verb", ""), id, ok);
	if (run)
		json_object_set_new(runs, run, json_true());
	return CS_OK;
}

static int drive_all(cs_cli *c, json_t *runs, int status)
{
	const char *run;
	json_t *yes;
	(void)fflush(stdout);
	json_object_foreach(runs, run, yes) {
		int one = c->interrupted ? CS_EXIT_DONE : cs_cli_drive_on(c, run);
		if (status == CS_EXIT_DONE)
			status = one;
	}
	return status;
}

static int decide_all(cs_cli *c, const char *const *parts, size_t n, json_t *decision)
{
	CS_AUTOJSON json_t *runs = json_object();
	int status = CS_EXIT_DONE;
	if (n > 1) {
		char batch[CS_ID_SIZE];
		cs_id_next(&c->ids, cs_clock_wall_ms(), batch);
		json_object_set_new(decision, "batch", json_string(batch));
	}
	for (size_t i = 0; i < n; i++) {
		cs_err err = { 0 };
		int r = decide_one(c, parts[i], decision, runs, &err);
		int one = r < 0 ? cs_cli_fail(c, parts[i], &err) : CS_EXIT_DONE;
		if (status == CS_EXIT_DONE)
			status = one;
	}
	return drive_all(c, runs, status);
}

/* What is dismissed: a fault with all that wait for the same cause, as the inbox shows them. What is
 * not found stays as it was given, and is refused by itself. */
static json_t *dismissed(cs_cli *c, const cs_cli_args *a)
{
	json_t *parts = json_object();
	for (size_t i = 0; i < a->n_words; i++) {
		CS_AUTOJSON json_t *row = NULL;
		char id[CS_ID_SIZE];
		size_t k;
		json_t *one;
		int r = cs_cli_find_item(c, a->words[i], id, NULL);
		json_object_set_new(parts, r < 0 ? a->words[i] : id, json_true());
		if (r == CS_OK && cs_view_cause_of(c->reader, id, &row, NULL) == CS_OK)
			json_array_foreach(json_object_get(row, "ids"), k, one)
				json_object_set_new(parts, json_string_value(one), json_true());
	}
	return parts;
}

static int dismiss(cs_cli *c, const cs_cli_args *a, json_t *decision)
{
	CS_AUTOJSON json_t *parts = dismissed(c, a);
	CS_AUTOFREE const char **ids = cs_xcalloc(json_object_size(parts), sizeof *ids);
	size_t n = 0;
	const char *id;
	json_t *yes;
	json_object_foreach(parts, id, yes)
		ids[n++] = id;
	return decide_all(c, ids, n, decision);
}

int cs_cmd_decide(cs_cli *c, const cs_cli_args *a)
{
	CS_AUTOJSON json_t *decision = NULL;
	cs_err err = { 0 };
	char id[CS_ID_SIZE];
	int r = decision_of(a, &decision, &err);
	/* An id that is not there must not cost the start of an engine. */
	if (r == CS_OK && a->n_words == 1)
		r = cs_cli_find_item(c, a->words[0], id, &err);
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r < 0)
		return cs_cli_fail(c, a->n_words == 1 ? a->words[0] : a->command->name, &err);
	return strcmp(a->command->name, "dismiss") == 0 ? dismiss(c, a, decision) : decide_all(c, a->words, a->n_words, decision);
}

int cs_cmd_resolve(cs_cli *c, const cs_cli_args *a)
{
	static const char *const hows[] = { "happened", "did-not", "repeat", NULL };
	CS_AUTOJSON json_t *decision = NULL;
	char id[CS_ID_SIZE];
	const char *how = a->words[1];
	bool known = false;
	cs_err err = { 0 };
	for (const char *const *h = hows; *h; h++)
		known = known || strcmp(how, *h) == 0;
	int r = decision_of(a, &decision, &err);
	if (r == CS_OK && !known)
		r = cs_err_set(&err, CS_EINVAL, _("%s: say what became of it: happened, did-not, or repeat"), how);
	if (r == CS_OK)
		r = cs_cli_find_item(c, a->words[0], id, &err);
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r < 0)
		return cs_cli_fail(c, a->words[0], &err);
	json_object_set_new(decision, "how", json_string(how));
	return decide_all(c, a->words, 1, decision);
}
