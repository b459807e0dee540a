/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console line by line, for screen readers and dumb terminals: the same verbs, no cursor, no
 * colour, no clock. A decision is about an item that was shown, as it was shown. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/card.h"
#include "tui/console.h"
#include "tui/run.h"
#include "tui/show.h"
#include "tui/when.h"
#include "view/view.h"

#define REPLY_MS 10000
#define LINE_LIMIT (1u << 20)

typedef struct plain {
	const cs_source *src;
	FILE *in, *out;
	json_t *shown;     /* id → the digest that was shown */
	bool quit;
} plain;

typedef struct verb {
	const char *name, *args;
	int n_args;        /* at least so many */
	void (*run)(plain *p, const char *verb, char **args);
	const char *help;
} verb;

/* The only way out: what comes from outside is made safe. */
static void say(plain *p, const char *text)
{
	CS_AUTOBUF cs_buf b = { 0 };

	cs_buf_init(&b, strlen(text) * 12 + 64);
	(void)cs_utf8_show(text, strlen(text), true, &b);
	(void)fprintf(p->out, "%s\n", cs_buf_str(&b));
	(void)fflush(p->out);
}

static void say_err(plain *p, const cs_err *err)
{
	say(p, err->msg[0] ? err->msg : _("It failed without a reason; help lists what can be done"));
}

static void say_pager(plain *p, const cs_pager *pager)
{
	for (size_t i = 0; i < pager->n; i++) {
		const cs_pager_line *l = &pager->lines[i];
		CS_AUTOFREE char *line = cs_xasprintf("%s%s%s", l->label ? l->label : "", l->label ? ": " : "", l->text);

		if (l->text[0] != '\x01')   /* a rule is for the eye */
			say(p, line);
	}
}

/* What waits, faults of one cause as one; NULL, when it has been said why not. */
static json_t *read_rows(plain *p)
{
	CS_AUTOJSON json_t *each = NULL;
	cs_err err = { 0 };

	if (p->src->inbox(p->src->ctx, &each, &err) < 0) {
		say_err(p, &err);
		return NULL;
	}
	return cs_view_by_cause(each);
}

/* The items, or the RUNS, for which the row with the item ID stands; NULL: for itself. A new reference. */
static json_t *stands_for(plain *p, const char *id, bool runs)
{
	CS_AUTOJSON json_t *rows = read_rows(p);

	return cs_run_group(rows, id, runs ? "runs" : "ids");
}

static void do_list(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *rows = read_rows(p);
	size_t i;
	json_t *row;

	(void)v;
	(void)args;
	if (!rows)
		return;
	if (json_array_size(rows) == 0)
		say(p, _("No approvals wait. Start a flow: capstan run FLOW"));
	json_array_foreach(rows, i, row) {
		json_int_t n = cs_json_int_or(row, "count", 1);
		CS_AUTOFREE char *times = n > 1 ? cs_xasprintf("×%lld ", (long long)n) : cs_xstrdup("");
		CS_AUTOFREE char *line = cs_xasprintf("%s  %s%s, %s, %s%s%s%s", cs_json_str_or(row, "id", ""), times, cs_json_str_or(row, "title", ""),
			cs_json_str_or(row, "flow", cs_json_str_or(row, "call", "")), cs_json_str_or(row, "kind", ""),
			cs_json_str(row, "replay_of") ? ", REPLAY" : cs_json_true(row, "simulated") ? ", SIMULATED" : "",
			cs_card_snoozed_ms(row) ? _(", put off until ") : "", cs_card_snoozed_ms(row) ? cs_json_str_or(row, "snoozed_until", "") : "");

		say(p, line);
	}
}

static json_t *get_item(plain *p, const char *id)
{
	json_t *item = NULL;
	cs_err err = { 0 };

	if (p->src->item(p->src->ctx, id, &item, &err) < 0)
		say_err(p, &err);
	return item;
}

static void show_item(plain *p, json_t *item)
{
	CS_AUTOJSON json_t *ids = stands_for(p, cs_json_str_or(item, "id", ""), false);
	cs_pager card;

	if (ids)
		(void)json_object_set_new(item, "count", json_integer((json_int_t)json_array_size(ids)));
	cs_pager_init(&card);
	cs_card_fill(&card, item, NULL);
	say_pager(p, &card);
	cs_pager_fini(&card);
	(void)json_object_set_new(p->shown, cs_json_str_or(item, "id", ""), json_string(cs_json_str_or(item, "digest", "")));
}

static void do_show(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *item = get_item(p, args[0]);

	(void)v;
	if (item)
		show_item(p, item);
}

static bool take_reply(plain *p, unsigned tag, json_t **ret)
{
	json_t *msg = NULL;

	while (p->src->poll(p->src->ctx, &msg, NULL) == CS_OK) {
		if (json_integer_value(json_object_get(msg, "tag")) == (json_int_t)tag && json_object_get(msg, "tag")) {
			*ret = msg;
			return true;
		}
		json_decref(CS_STEAL(msg));
	}
	return false;
}

/* Sends and waits for the answer, which comes within the time or is said to be missing. */
static json_t *send(plain *p, json_t *cmd)
{
	struct pollfd fd = { p->src->fd, POLLIN, 0 };
	CS_AUTOJSON json_t *owned = cmd;
	json_t *msg = NULL;
	cs_err err = { 0 };
	unsigned tag = 0;

	if (p->src->send(p->src->ctx, owned, &tag, &err) < 0) {
		say_err(p, &err);
		return NULL;
	}
	while (!take_reply(p, tag, &msg)) {
		int r = poll(&fd, 1, REPLY_MS);

		if (r == 0 || (r < 0 && errno != EINTR)) {
			say(p, _("No answer yet: list shows later what became of it"));
			return NULL;
		}
	}
	return msg;
}

static void report(plain *p, json_t *msg, const char *done)
{
	const json_t *e = json_object_get(msg, "error");

	if (!msg)
		return;
	if (e && !json_is_null(e)) {
		CS_AUTOFREE char *line = cs_xasprintf(_("Not done: %s. show ID shows it as it is now"), json_is_string(e) ? json_string_value(e) : cs_json_str_or(e, "message", ""));

		say(p, line);
	} else {
		say(p, done);
	}
	json_decref(msg);
}

/* The item, when it was shown as it is now; else it is shown first. */
static json_t *decidable(plain *p, const char *verb_name, const char *id)
{
	json_t *item = get_item(p, id);
	const char *now = cs_json_str_or(item, "digest", ""), *seen;

	if (!item)
		return NULL;
	seen = cs_json_str(p->shown, cs_json_str_or(item, "id", ""));
	if (seen && strcmp(seen, now) == 0)
		return item;
	show_item(p, item);
	{
		CS_AUTOFREE char *line = cs_xasprintf(_("Nothing was decided: this is what it is about. Say %s %s again to decide it"), verb_name, id);

		say(p, line);
	}
	json_decref(item);
	return NULL;
}

static json_t *command(const char *cmd, const json_t *item)
{
	return json_pack("{s:s, s:s, s:s}", "cmd", cmd, "id", cs_json_str_or(item, "id", ""), "digest", cs_json_str_or(item, "digest", ""));
}

static void do_approve(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *item = decidable(p, v, args[0]);
	const char *word = item ? cs_card_word(item) : NULL;
	json_t *cmd;

	if (!item)
		return;
	if (word && (!args[1] || strcmp(args[1], word) != 0)) {
		CS_AUTOFREE char *line = cs_xasprintf(_("This cannot be taken back: say approve %s %s"), args[0], word);

		say(p, line);
		return;
	}
	cmd = command("approve", item);
	if (word)
		(void)json_object_set_new(cmd, "word", json_string(word));
	report(p, send(p, cmd), word ? _("Approved. list shows what else waits") : _("Approved. undo ID takes it back while its grace lasts"));
}

static void do_words(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *item = decidable(p, v, args[0]);
	json_t *cmd;

	if (!item)
		return;
	cmd = command(v, item);
	(void)json_object_set_new(cmd, "note", json_string(args[1]));
	report(p, send(p, cmd), _("Done. undo ID takes it back while its grace lasts"));
}

static void do_edit(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *item = decidable(p, v, args[0]), *value = NULL;
	cs_err err = { 0 };
	json_t *cmd;

	if (!item)
		return;
	if (cs_json_parse(args[1], strlen(args[1]), &value, &err) < 0) {
		say_err(p, &err);
		return;
	}
	cmd = command("edit", item);
	(void)json_object_set(cmd, "value", value);
	report(p, send(p, cmd), _("Edited: a new item waits for your approve; list names it"));
}

static void do_snooze(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *item = decidable(p, v, args[0]);
	int64_t until = 0;
	cs_err err = { 0 };
	json_t *cmd;

	if (!item)
		return;
	if (cs_when_parse(args[1], cs_clock_wall_ms(), &until, &err) < 0) {
		say_err(p, &err);
		return;
	}
	cmd = command("snooze", item);
	(void)json_object_set_new(cmd, "until", json_integer(until));
	report(p, send(p, cmd), _("Put off. It comes back by itself"));
}

static void do_dismiss(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *item = decidable(p, v, args[0]), *ids = item ? stands_for(p, cs_json_str_or(item, "id", ""), false) : NULL;
	size_t i;
	json_t *id;

	if (item && !ids)
		report(p, send(p, command("dismiss", item)), _("Dismissed. list shows what else waits"));
	json_array_foreach(ids, i, id)
		report(p, send(p, json_pack("{s:s, s:O}", "cmd", "dismiss", "id", id)), _("Dismissed. list shows what else waits"));
}

static void do_runbook(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *item = get_item(p, args[0]);
	const char *name = cs_json_str(item, "runbook");
	CS_AUTOFREE char *text = NULL;
	cs_err err = { 0 };

	(void)v;
	if (!item)
		return;
	if (!name || !p->src->runbook)
		say(p, _("No runbook is named for it; show ID shows the item"));
	else if (p->src->runbook(p->src->ctx, name, &text, &err) < 0)
		say_err(p, &err);
	else
		say(p, text);
}

static void do_undo(plain *p, const char *v, char **args)
{
	report(p, send(p, json_pack("{s:s, s:s}", "cmd", v, "id", args[0])), _("Taken back: it waits again; show ID shows it"));
}

static void do_resolve(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *item = decidable(p, v, args[0]);
	static const char *const hows[] = { "happened", "did-not", "repeat", NULL };
	char *end = args[1] + strcspn(args[1], " ");
	bool word = strcmp(end, " repeat") == 0;
	json_t *cmd;

	if (!item)
		return;
	*end = '\0';
	if (!cs_show_is(args[1], hows) || (strcmp(args[1], "repeat") == 0 && !word)) {
		say(p, _("Say happened, did-not, or, to send it once more, the word twice: repeat repeat"));
		return;
	}
	cmd = command("resolve", item);
	(void)json_object_set_new(cmd, "how", json_string(args[1]));
	if (word)
		(void)json_object_set_new(cmd, "word", json_string("repeat"));
	report(p, send(p, cmd), _("Resolved. list shows what else waits"));
}

static void do_run_verb(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *cmd = json_pack("{s:s, s:s}", "cmd", v, "run", args[0]);
	CS_AUTOFREE char *no = strcmp(v, "retry") == 0 ? cs_run_unsaid(p->src, cmd, args[1]) : NULL;

	if (no)
		say(p, no);
	else
		report(p, send(p, json_incref(cmd)), _("Done. trace RUN shows how it goes"));
}

/* A run, or the item of a fault with all that it stands for. */
static void do_retry(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *runs = stands_for(p, args[0], true), *item = NULL;
	size_t i;
	json_t *run;

	if (!runs && p->src->item(p->src->ctx, args[0], &item, NULL) == CS_OK && cs_json_str(item, "run"))
		runs = json_pack("[O]", json_object_get(item, "run"));
	if (!runs)
		do_run_verb(p, v, args);
	json_array_foreach(runs, i, run)
		do_run_verb(p, v, (char *[]){ (char *)(uintptr_t)json_string_value(run), args[1] });
}

static void do_cancel(plain *p, const char *v, char **args)
{
	if (!args[1] || strcmp(args[1], "cancel") != 0)
		say(p, _("Nothing was done: to cancel a run, say cancel RUN cancel"));
	else
		do_run_verb(p, v, args);
}

static void do_runs(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *rows = NULL;
	cs_err err = { 0 };
	size_t i;
	json_t *row;

	(void)v;
	if (p->src->runs(p->src->ctx, args[0], 20, &rows, &err) < 0) {
		say_err(p, &err);
		return;
	}
	if (json_array_size(rows) == 0)
		say(p, _("No more runs. Start a flow: capstan run FLOW"));
	json_array_foreach(rows, i, row) {
		CS_AUTOFREE char *line = cs_xasprintf("%s  %s, %s, %s%s", cs_json_str_or(row, "run", ""), cs_json_str_or(row, "flow", ""),
			cs_json_str_or(row, "state", ""), cs_json_str_or(row, "started", ""), cs_json_true(row, "simulated") ? ", SIMULATED" : "");

		say(p, line);
	}
}

static void do_trace(plain *p, const char *v, char **args)
{
	CS_AUTOJSON json_t *rows = NULL;
	cs_err err = { 0 };
	char took[CS_SHOW_SIZE];
	size_t i;
	json_t *row;

	(void)v;
	if (p->src->trace(p->src->ctx, args[0], &rows, &err) < 0) {
		say_err(p, &err);
		return;
	}
	json_array_foreach(rows, i, row) {
		CS_AUTOFREE char *error = json_object_get(row, "error") && !json_is_null(json_object_get(row, "error")) ? cs_json_text(json_object_get(row, "error")) : NULL;
		CS_AUTOFREE char *line = cs_xasprintf("%*s%s, %s, %s%s%s%s", 2 * (int)cs_json_int_or(row, "depth", 0), "", cs_json_str_or(row, "name", ""),
			cs_json_str_or(row, "state", ""), cs_show_took(row, took), cs_json_true(row, "simulated") ? ", SIMULATED" : "", error ? ", " : "", error ? error : "");

		say(p, line);
	}
	const char *missing = cs_json_str(json_array_get(rows, 0), "missing");
	if (missing)
		say(p, missing);
}

static void say_json(plain *p, int r, json_t *rows, const cs_err *err)
{
	CS_AUTOJSON json_t *owned = rows;
	size_t i;
	json_t *row;

	if (r < 0) {
		say_err(p, err);
		return;
	}
	json_array_foreach(owned, i, row) {
		CS_AUTOFREE char *line = cs_json_text(row);

		say(p, line);
	}
}

static void do_why(plain *p, const char *v, char **args)
{
	json_t *rows = NULL;
	cs_err err = { 0 };
	int r = p->src->why(p->src->ctx, strtoll(args[0], NULL, 10), &rows, &err);

	(void)v;
	say_json(p, r, rows, &err);
}

static void do_diff(plain *p, const char *v, char **args)
{
	json_t *rows = NULL;
	cs_err err = { 0 };
	int r = p->src->diff(p->src->ctx, args[0], args[1], &rows, &err);

	(void)v;
	say_json(p, r, rows, &err);
}

static void do_replay(plain *p, const char *v, char **args)
{
	json_t *cmd = json_pack("{s:s, s:s, s:[]}", "cmd", v, "run", args[0], "set");
	CS_AUTOJSON json_t *msg = NULL;
	const char *run;

	if (args[1])
		(void)json_object_set_new(cmd, "from", json_string(args[1]));
	msg = send(p, cmd);
	run = cs_json_str(json_object_get(msg, "ok"), "run");
	if (run) {
		CS_AUTOFREE char *line = cs_xasprintf(_("Replayed as %s, nothing was sent. diff %s %s compares them"), run, args[0], run);

		say(p, line);
	} else {
		report(p, json_incref(msg), "");
	}
}

static void do_help(plain *p, const char *v, char **args);

static void do_quit(plain *p, const char *v, char **args)
{
	(void)v;
	(void)args;
	p->quit = true;
}

static const verb verbs[] = {
	{ "list", "", 0, do_list, N_("what waits for you") },
	{ "show", "ID", 1, do_show, N_("an item, whole") },
	{ "approve", "ID [WORD]", 1, do_approve, N_("approve it as it was shown") },
	{ "edit", "ID JSON", 2, do_edit, N_("propose JSON in place of its value") },
	{ "reject", "ID REASON", 2, do_words, N_("reject it") },
	{ "respond", "ID TEXT", 2, do_words, N_("answer in words") },
	{ "undo", "ID", 1, do_undo, N_("take a decision back while its grace lasts") },
	{ "snooze", "ID TIME", 2, do_snooze, N_("put it off: 30m, 4h, 2d, tomorrow, 14:30") },
	{ "dismiss", "ID", 1, do_dismiss, N_("a notice or a fault is seen and done") },
	{ "runbook", "ID", 1, do_runbook, N_("what to do about an item, step by step") },
	{ "resolve", "ID HOW", 2, do_resolve, N_("an effect in doubt: happened, did-not, or repeat repeat") },
	{ "runs", "[BEFORE]", 0, do_runs, N_("runs, the newest first, or those before one") },
	{ "trace", "RUN", 1, do_trace, N_("what happened in a run") },
	{ "why", "SEQ", 1, do_why, N_("the causes of an event") },
	{ "pause", "RUN", 1, do_run_verb, N_("pause a run") },
	{ "resume", "RUN", 1, do_run_verb, N_("let it go on") },
	{ "retry", "RUN [repeat]", 1, do_retry, N_("retry a faulted run, or an item's all; repeat: also what has happened") },
	{ "cancel", "RUN cancel", 1, do_cancel, N_("cancel a run") },
	{ "replay", "RUN [TASK]", 1, do_replay, N_("run it again from a task, sending nothing") },
	{ "diff", "RUN RUN", 2, do_diff, N_("what differs") },
	{ "help", "", 0, do_help, N_("these verbs") },
	{ "quit", "", 0, do_quit, N_("leave") },
};

static void do_help(plain *p, const char *v, char **args)
{
	(void)v;
	(void)args;
	for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++) {
		CS_AUTOFREE char *line = cs_xasprintf("%s %s: %s", verbs[i].name, verbs[i].args, _(verbs[i].help));

		say(p, line);
	}
}

/* VERB, one word, and the rest as it is. */
static void one_line(plain *p, char *line)
{
	char *args[3] = { NULL, NULL, NULL }, *s = line;
	int n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	s += strcspn(s, " ");
	while (*s && n < 2) {
		*s++ = '\0';
		s += strspn(s, " ");
		if (*s)
			args[n++] = s;
		if (n < 2)
			s += strcspn(s, " ");
	}
	if (!*line)
		return;
	for (size_t i = 0; i < CS_ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].name, line) != 0)
			continue;
		if (n < verbs[i].n_args) {
			CS_AUTOFREE char *usage = cs_xasprintf(_("Say %s %s"), verbs[i].name, verbs[i].args);

			say(p, usage);
		} else {
			verbs[i].run(p, verbs[i].name, args);
		}
		return;
	}
	say(p, _("That is no verb: help lists them"));
}

/* A line too long is read to its end, said to be too long, and is none. */
static bool read_line(plain *p, char *line)
{
	bool whole = true;

	while (fgets(line, LINE_LIMIT, p->in)) {
		bool ends = strchr(line, '\n') || feof(p->in);

		if (ends && whole)
			return true;
		whole = ends;
		if (ends)
			say(p, _("That line is too long; help lists the verbs"));
	}
	return false;
}

int cs_console_plain(const cs_source *src, const cs_console_opts *opts, cs_err *err)
{
	plain p = { src, opts->in ? opts->in : stdin, opts->out ? opts->out : stdout, json_object(), false };
	CS_AUTOJSON json_t *status = NULL;
	CS_AUTOFREE char *line = cs_xcalloc(1, LINE_LIMIT);

	if (src->status(src->ctx, &status, err) < 0) {
		json_decref(p.shown);
		return err ? err->code : CS_EUNAVAIL;
	}
	{
		CS_AUTOFREE char *head = cs_xasprintf(_("%s%s: help lists the verbs"), cs_json_str_or(status, "workspace", ""),
			strncmp(cs_json_str_or(status, "mode", ""), "simulat", 7) == 0 ? ", SIMULATED" : "");

		say(&p, head);
	}
	do_list(&p, "list", NULL);
	while (!p.quit && read_line(&p, line))
		one_line(&p, line);
	json_decref(p.shown);
	return CS_OK;
}
