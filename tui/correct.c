/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Correcting a run: what it has not used yet, a line each, in the operator's editor; what would be changed is
 * shown, and then done by one key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/inbox.h"
#include "tui/run.h"
#include "tui/show.h"

#define TEXT_MAX (1u << 20)

static const char *const kinds[] = { "with", "input", "context" };

/* ---- what is there ----------------------------------------------------------------------------- */

/* What a task that faulted was called with stands in the log. */
static void add_called(cs_shell *sh, const char *run, json_t *place)
{
	CS_AUTOJSON json_t *events = NULL;
	size_t i;
	json_t *ev;

	if (json_object_get(place, "with") || sh->src->events(sh->src->ctx, run, cs_json_str_or(place, "task", ""), &events, NULL) < 0)
		return;
	json_array_foreach(events, i, ev) {
		json_t *args = json_object_get(json_object_get(ev, "data"), "args");

		if (args && strcmp(cs_json_str_or(ev, "type", ""), "task.started") == 0)
			(void)json_object_set(place, "with", args);
	}
}

/* {"with.to": value}: the lines of the editor, by what stands before the equals sign. */
static void add_lines(json_t *lines, const char *kind, json_t *value)
{
	const char *name;
	json_t *one;

	if (json_is_object(value)) {
		json_object_foreach(value, name, one) {
			CS_AUTOFREE char *path = cs_xasprintf("%s.%s", kind, name);

			if (*name && !strpbrk(name, ".=\n"))
				(void)json_object_set(lines, path, one);
		}
	} else if (value && !json_is_null(value)) {
		(void)json_object_set(lines, kind, value);
	}
}

static json_t *lines_of(cs_shell *sh, const char *run, const json_t *ok)
{
	json_t *place = json_array_get(json_object_get(ok, "places"), 0), *lines = json_object();

	if (place)
		add_called(sh, run, place);
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++)
		add_lines(lines, kinds[i], json_object_get(strcmp(kinds[i], "context") == 0 ? ok : place, kinds[i]));
	return lines;
}

static void write_lines(const json_t *ok, const json_t *lines, cs_buf *out)
{
	const char *name;
	json_t *value;
	size_t i;

	(void)cs_buf_adds(out, _("# What the run has not used yet, a line each: with is what the task where it rests is called with,\n"
				 "# input what comes in to it, context the run's context. Change what is wrong; VALUE is JSON, or else text.\n"
				 "# with.NAME=VALUE sets what is not there yet. What is done stays as it is.\n"));
	json_array_foreach(json_object_get(ok, "places"), i, value)
		(void)cs_buf_addf(out, i == 0 ? _("# It rests at %s\n") : _("# and at %s (for that one: capstan correct --from)\n"), cs_json_str_or(value, "task", ""));
	json_object_foreach((json_t *)(uintptr_t)lines, name, value) {
		CS_AUTOFREE char *text = cs_json_text(value);

		(void)cs_buf_addf(out, "%s=%s\n", name, text);
	}
}

/* ---- what is changed --------------------------------------------------------------------------- */

static int add_change(json_t *set, const json_t *lines, const char *line, cs_err *err)
{
	const char *eq = strchr(line, '='), *dot = strchr(line, '.');
	size_t n, i;

	if (!eq)
		return cs_err_set(err, CS_EINVAL, _("“%s” is no PATH=VALUE: write for example with.to=\"ada@example.com\""), line);
	n = dot && dot < eq ? (size_t)(dot - line) : (size_t)(eq - line);
	for (i = 0; i < CS_ARRAY_LEN(kinds) && (strlen(kinds[i]) != n || memcmp(kinds[i], line, n) != 0); i++)
		;
	if (i == CS_ARRAY_LEN(kinds))
		return cs_err_set(err, CS_EINVAL, _("“%s” begins with none of with, input, context"), line);
	CS_AUTOFREE char *name = cs_xstrndup(line, (size_t)(eq - line));
	CS_AUTOJSON json_t *value = cs_json_lenient(eq + 1);
	json_t *before = json_object_get(lines, name);

	if (!value)
		return cs_err_set(err, CS_EINVAL, _("the value of %s is no text"), name);
	if (!before || !cs_json_equal(before, value))
		(void)json_array_append_new(set, json_pack("{s:s, s:s, s:O}", "in", kinds[i], "path", name[n] ? name + n + 1 : ".", "value", value));
	return CS_OK;
}

static int read_lines(const char *text, const json_t *lines, json_t *set, cs_err *err)
{
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		CS_AUTOFREE char *line = cs_xstrndup(p, len);
		int r = len && *line != '#' ? add_change(set, lines, line, err) : CS_OK;

		if (r < 0)
			return r;
		p += len + (p[len] == '\n');
	}
	return CS_OK;
}

/* ---- what is done ------------------------------------------------------------------------------ */

static void corrected(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error)
{
	(void)ok;
	if (error)
		cs_shell_sayf(sh, CS_ST_BAD, _("Not corrected: %s. t shows the run"), error);
	else if (json_is_true(json_object_get(cmd, "retry")))
		cs_shell_say(sh, CS_ST_GOOD, _("Corrected, and going on; t shows how it goes"));
	else
		cs_shell_say(sh, CS_ST_GOOD, _("Corrected; t shows the run"));
}

/* Of a row that stands for several runs, each of them; one that cannot be drops out alone. */
static void send_all(cs_shell *sh, json_t *request, const json_t *runs, const json_t *seen)
{
	char batch[CS_ID_SIZE];
	cs_idgen ids = { 0 };

	cs_id_next(&ids, cs_clock_wall_ms(), batch);
	(void)json_object_set_new(request, "batch", json_string(batch));
	CS_AUTOJSON json_t *all = cs_run_each(request, runs, seen);

	cs_inbox_each(sh, all);
}

static void chosen(cs_shell *sh, const json_t *bound, const char *key)
{
	static const char *const shown_only[] = { "dry", "runs", "run_seqs", "was", "state" };
	CS_AUTOJSON json_t *request = json_deep_copy(bound);
	CS_AUTOJSON json_t *runs = json_incref(json_object_get(bound, "runs"));

	if (*key == 'n') {
		cs_shell_say(sh, CS_ST_WAIT, _("Nothing was corrected: K takes it up again"));
		return;
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(shown_only); i++)
		(void)json_object_del(request, shown_only[i]);
	(void)json_object_set_new(request, "retry", json_boolean(*key == 'y' && strcmp(cs_json_str_or(bound, "state", ""), "waiting") != 0));
	if (runs)
		send_all(sh, request, runs, json_object_get(bound, "run_seqs"));
	else
		cs_shell_send(sh, json_incref(request), corrected);
}

/* The run, and the screen, are still those that it was asked for. */
static bool still_there(cs_shell *sh, const json_t *cmd)
{
	cs_view *v = cs_shell_view(sh);
	const char *now = v->ops->object ? cs_json_str(v->ops->object(v), "run") : NULL;

	if (now && strcmp(now, cs_json_str_or(cmd, "run", "")) == 0 && !sh->prompt.on && sh->over == CS_OVER_NONE)
		return true;
	cs_shell_say(sh, CS_ST_WAIT, _("Nothing was corrected, as something else is shown by now: K on the run begins again"));
	return false;
}

/* What stood there: as the engine says, or as the editor had it, of the run on the screen. */
static json_t *was_of(const json_t *cmd, const json_t *one)
{
	CS_AUTOFREE char *name = cs_xasprintf("%s.%s", cs_json_str_or(one, "in", ""), cs_json_str_or(one, "path", ""));
	json_t *old = json_object_get(one, "old");

	return old ? old : json_object_get(json_object_get(cmd, "was"), name);
}

/* What is retried is sent once more where its effect is there already. */
static void ask(cs_shell *sh, const char *state, json_t *owned)
{
	CS_AUTOJSON json_t *bound = owned;
	CS_AUTOJSON json_t *now = json_pack("{s:O}", "run", json_object_get(bound, "run"));
	CS_AUTOFREE char *call = NULL, *label = NULL;
	bool faulted = strcmp(state, "faulted") == 0;

	if (!cs_run_bind(sh, now, &call))        /* only asked: what is sent is bound to what the editor had */
		return;
	if (faulted && call)
		label = cs_xasprintf(_("%.30s has happened: correct, send it once more? y, c corrects only, n:"), call);
	else if (faulted)
		label = cs_xstrdup(_("Correct and retry? y, c corrects only, n:"));
	else if (strcmp(state, "paused") == 0)
		label = cs_xstrdup(_("Correct and resume? y, c corrects only, n:"));
	else
		label = cs_xstrdup(_("Correct it? y, n:"));
	cs_shell_choose(sh, label, strcmp(state, "waiting") == 0 ? "yn" : "ycn", json_incref(bound), chosen);
}

static void shown(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error)
{
	const char *state = cs_json_str_or(ok, "state", "");
	size_t i;
	json_t *one;

	if (error) {
		cs_shell_sayf(sh, CS_ST_BAD, _("Not corrected: %s. K takes it up again"), error);
		return;
	}
	if (!still_there(sh, cmd))
		return;
	json_t *bound = json_deep_copy(cmd);

	(void)json_object_set_new(bound, "state", json_string(state));
	cs_pager_clear(&sh->text);
	json_array_foreach(json_object_get(ok, "patch"), i, one) {
		CS_AUTOFREE char *label = cs_xasprintf("%s %s", cs_json_str_or(one, "in", ""), cs_json_str_or(one, "path", ""));

		cs_pager_add(&sh->text, CS_ST_BOLD, 0, NULL, label);
		if (was_of(cmd, one))
			cs_show_value(&sh->text, CS_ST_TEXT, 8, _("was"), was_of(cmd, one));
		cs_show_value(&sh->text, CS_ST_CHANGED, 8, _("is"), json_object_get(one, "value"));
	}
	if (json_array_size(json_object_get(cmd, "runs")) > 1)
		cs_pager_addf(&sh->text, CS_ST_WAIT, _("of %zu runs of one cause"), json_array_size(json_object_get(cmd, "runs")));
	if (json_array_size(json_object_get(ok, "again")) > 0)
		cs_pager_add(&sh->text, CS_ST_WAIT, 0, NULL, _("What waits with other content is void, and asked about again."));
	cs_shell_text(sh, _("The correction"));
	ask(sh, state, bound);
}

static void looked(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error)
{
	static const char *const kept[] = { "runs", "run_seqs" };
	const char *run = cs_json_str_or(cmd, "run", "");
	CS_AUTOJSON json_t *set = json_array();
	CS_AUTOJSON json_t *lines = NULL;
	CS_AUTOFREE char *text = NULL;
	CS_AUTOBUF cs_buf start = { 0 };
	cs_err err = { 0 };

	if (!still_there(sh, cmd))
		return;
	if (error) {
		if (cs_shell_can(sh) & CS_CAN_FAULT)     /* what has no other way on is retried as it is */
			cs_act_retry(sh);
		cs_shell_sayf(sh, CS_ST_BAD, _("It cannot be corrected: %s. t shows the run"), error);
		return;
	}
	cs_buf_init(&start, TEXT_MAX);
	lines = lines_of(sh, run, ok);
	if (json_object_size(lines) == 0 && json_array_size(json_object_get(ok, "places")) == 0) {
		if (cs_shell_can(sh) & CS_CAN_FAULT)
			cs_act_retry(sh);
		cs_shell_say(sh, CS_ST_WAIT, _("Nothing is left that it has not used: t shows what became of it"));
		return;
	}
	write_lines(ok, lines, &start);
	if (cs_shell_editor(sh, cs_buf_str(&start), ".txt", &text, &err) < 0 || read_lines(text, lines, set, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return;
	}
	if (json_array_size(set) == 0) {
		cs_run_as_it_is(sh, cs_json_str_or(ok, "state", ""));
		return;
	}
	json_t *dry = json_pack("{s:s, s:s, s:O, s:b, s:O}", "cmd", "correct", "run", run, "set", set, "dry", 1, "was", lines);
	const json_t *place = json_array_get(json_object_get(ok, "places"), 0);

	if (json_array_size(json_object_get(ok, "places")) > 1)
		(void)json_object_set(dry, "from", json_object_get(place, "task"));
	for (size_t i = 0; i < CS_ARRAY_LEN(kept); i++)
		if (json_object_get(cmd, kept[i]))
			(void)json_object_set(dry, kept[i], json_object_get(cmd, kept[i]));
	if (json_object_get(ok, "seen"))
		(void)json_object_set(dry, "seen", json_object_get(ok, "seen"));
	cs_shell_send(sh, dry, shown);
}

void cs_act_correct_retry(cs_shell *sh)
{
	cs_act_correct(sh);
}

void cs_act_correct(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);
	const char *run = cs_json_str(v->ops->object(v), "run");
	json_t *cmd = json_pack("{s:s, s:s, s:b}", "cmd", "correct", "run", run ? run : "", "look", 1);
	json_t *runs = cs_inbox_runs(sh);

	if (runs)
		(void)json_object_set(cmd, "runs", runs);
	if (runs && cs_inbox_seen(sh))
		(void)json_object_set(cmd, "run_seqs", cs_inbox_seen(sh));
	cs_shell_send(sh, cmd, looked);
}
