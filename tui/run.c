/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/action.h"
#include "tui/inbox.h"
#include "tui/run.h"
#include "tui/show.h"

static const char *const ended[] = { "completed", "faulted", "compensated", "cancelled", NULL };
static const char *const going[] = { "created", "running", "waiting", NULL };
static const char *const paused[] = { "paused", "pausing", NULL };
static const char *const rests[] = { "waiting", "paused", "faulted", NULL };
static const char *const faulted[] = { "faulted", "stuck", NULL };

bool cs_run_ended(const json_t *run)
{
	return cs_show_is(cs_json_str(run, "state"), ended);
}

unsigned cs_run_can(const json_t *run)
{
	const char *state = cs_json_str_or(run, "state", "");
	unsigned can = CS_CAN_ROW | CS_CAN_RUN;

	if (!run)
		return 0;
	if (cs_show_is(state, going))
		can |= CS_CAN_PAUSE;
	if (cs_show_is(state, paused))
		can |= CS_CAN_RESUME;
	if (cs_show_is(state, faulted))
		can |= CS_CAN_FAULT;
	if (cs_show_is(state, rests))
		can |= CS_CAN_CORRECT;
	if (!cs_show_is(state, ended))
		can |= CS_CAN_CANCEL;
	return can;
}

void cs_run_subject(const json_t *run, cs_buf *out)
{
	if (run)
		(void)cs_buf_addf(out, "%s %s", cs_json_str_or(run, "run", ""), cs_json_str_or(run, "state", ""));
}

void cs_run_text(void *ctx, const json_t *row, cs_buf *out)
{
	static const char *const keys[] = { "flow", "state", "subject", "run", "version", "parent" };

	(void)ctx;
	for (size_t i = 0; i < CS_ARRAY_LEN(keys); i++)
		(void)cs_buf_addf(out, "%s ", cs_json_str_or(row, keys[i], ""));
}

static int put_right(cs_term *t, cs_rect *r, unsigned style, const char *text)
{
	int w = cs_utf8_width(text, strlen(text));

	if (w == 0 || w + 2 > r->w)
		return 0;
	(void)cs_term_put(t, r->y, r->x + r->w - w, w, style, text);
	r->w -= w + 2;
	return w;
}

void cs_run_draw_row(cs_shell *sh, cs_term *t, cs_rect r, const json_t *row, unsigned bits)
{
	const char *state = cs_json_str_or(row, "state", ""), *subject = cs_json_str(row, "subject");
	char age[CS_SHOW_SIZE], cost[CS_SHOW_SIZE], id[CS_SHOW_SIZE];
	CS_AUTOFREE char *name = NULL;
	int64_t next = 0;
	cs_rect left = r;
	int wide = strncmp(state, "compensat", 9) == 0 ? 12 : 10;        /* cut, its two states would be one */

	if (cs_show_replayed(row))
		(void)put_right(t, &left, CS_ST_SIM | bits, _("REPLAY"));
	else if (cs_json_true(row, "simulated"))
		(void)put_right(t, &left, CS_ST_SIM | bits, r.w >= 55 ? _("SIMULATED") : _("SIM"));
	(void)put_right(t, &left, CS_ST_DIM | bits, cs_show_age(row, "started", age, &next));
	if (next)
		cs_shell_ages(sh, next);
	if (r.w >= 65)
		(void)put_right(t, &left, CS_ST_DIM | bits, cs_show_cost(row, cost));
	if (r.w >= 75)           /* whose it is tells more; the card has the id */
		(void)put_right(t, &left, CS_ST_DIM | bits, cs_show_id(cs_json_str(row, "run"), id));
	(void)cs_term_put(t, r.y, left.x, 1, cs_show_state(state) | bits, cs_show_mark(state));
	(void)cs_term_put(t, r.y, left.x + 2, wide, cs_show_state(state) | bits, strcmp(state, "created") == 0 ? _("queued") : state);
	name = cs_xasprintf("%s%s%s%s", cs_show_replayed(row) ? "↻ " : "", subject ? subject : "", subject ? " · " : "",
			    r.w >= 100 ? cs_json_str_or(row, "flow", "") : cs_show_name(cs_json_str_or(row, "flow", "")));
	(void)cs_term_put(t, r.y, left.x + wide + 3, left.w - wide - 4, CS_ST_TEXT | bits, name);
}

void cs_run_card(cs_pager *p, const json_t *run)
{
	static const struct { const char *key, *label; } lines[] = {
		{ "state", N_("State") }, { "run", N_("Run") }, { "version", N_("Version") }, { "subject", N_("Subject") },
		{ "parent", N_("Replay of") }, { "started", N_("Started") }, { "ended", N_("Ended") },
	};
	char text[CS_SHOW_SIZE];

	cs_pager_add(p, CS_ST_BOLD, 0, NULL, cs_json_str_or(run, "flow", ""));
	if (cs_show_replayed(run))
		cs_pager_add(p, CS_ST_SIM, 0, NULL, _("REPLAY: a shadow run; nothing of it was sent"));
	else if (cs_json_true(run, "simulated"))
		cs_pager_add(p, CS_ST_SIM, 0, NULL, _("SIMULATED: nothing of it left this machine"));
	for (size_t i = 0; i < CS_ARRAY_LEN(lines); i++)
		cs_show_value(p, i == 0 ? cs_show_state(cs_json_str(run, "state")) : CS_ST_TEXT, 12,
			      strcmp(lines[i].key, "parent") == 0 && !cs_show_replayed(run) ? _("Started by") : _(lines[i].label),
			      json_object_get(run, lines[i].key));
	cs_pager_add(p, CS_ST_TEXT, 12, _("Took"), cs_show_took(run, text)[0] ? text : NULL);
	cs_pager_add(p, CS_ST_TEXT, 12, _("Cost"), cs_show_cost(run, text)[0] ? text : NULL);
	cs_show_error(p, 12, json_object_get(run, "error"));
	cs_show_value(p, CS_ST_TEXT, 12, _("Input"), json_object_get(run, "input"));
	cs_show_value(p, CS_ST_TEXT, 12, _("Output"), json_object_get(run, "output"));
	for (size_t i = 0; i < json_array_size(json_object_get(run, "missing")); i++)
		cs_pager_add(p, CS_ST_WAIT, 12, _("Missing"), cs_json_str(json_array_get(json_object_get(run, "missing"), i), "says"));
}

static const struct { const char *cmd, *done; } words[] = {
	{ "pause", N_("Pausing; P resumes it") }, { "resume", N_("Going on; p pauses it") },
	{ "cancel", N_("Cancelling; t shows how it ends") }, { "retry", N_("Retrying; t shows how it goes") },
};

static void answered(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error)
{
	const char *name = cs_json_str_or(cmd, "cmd", "");

	(void)ok;
	if (error) {
		cs_shell_sayf(sh, CS_ST_BAD, _("Not done (%s): %s. t shows the run"), name, error);
		return;
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
		if (strcmp(words[i].cmd, name) == 0)
			cs_shell_say(sh, CS_ST_GOOD, _(words[i].done));
}

static json_t *command(cs_shell *sh, const char *cmd)
{
	cs_view *v = cs_shell_view(sh);

	return json_pack("{s:s, s:s}", "cmd", cmd, "run", cs_json_str_or(v->ops->object(v), "run", ""));
}

void cs_act_pause(cs_shell *sh)
{
	cs_shell_send(sh, command(sh, "pause"), answered);
}

void cs_act_resume(cs_shell *sh)
{
	cs_shell_send(sh, command(sh, "resume"), answered);
}

static int bind_now(const cs_source *src, json_t *bound, char **ret_call, cs_err *err)
{
	CS_AUTOJSON json_t *now = NULL;
	int r = src->run(src->ctx, cs_json_str_or(bound, "run", ""), &now, err);

	if (r < 0)
		return r;
	if (json_is_integer(json_object_get(now, "last_seq")))
		(void)json_object_set(bound, "seen", json_object_get(now, "last_seq"));
	*ret_call = cs_json_str(now, "happened") ? cs_xstrdup(cs_json_str(now, "happened")) : NULL;
	return CS_OK;
}

bool cs_run_bind(cs_shell *sh, json_t *bound, char **ret_call)
{
	cs_err err = { 0 };
	bool bound_now = bind_now(sh->src, bound, ret_call, &err) == CS_OK;

	if (!bound_now)
		cs_shell_say_err(sh, &err);
	return bound_now;
}

char *cs_run_unsaid(const cs_source *src, json_t *bound, const char *word)
{
	CS_AUTOFREE char *call = NULL;
	cs_err err = { 0 };

	if (bind_now(src, bound, &call, &err) < 0)
		return cs_xasprintf(_("Not done: %s"), err.msg);
	if (!call || (word && strcmp(word, "repeat") == 0))
		return NULL;
	return cs_xasprintf(_("%s was answered, so it has happened: look there first. To send it once more, say retry %s repeat"), call,
			    cs_json_str_or(bound, "run", ""));
}

json_t *cs_run_group(const json_t *rows, const char *id, const char *member)
{
	size_t i;
	json_t *row;

	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
		if (cs_json_lists(json_object_get(row, "ids"), id))
			return json_incref(json_object_get(row, member));
	return NULL;
}

json_t *cs_run_each(const json_t *cmd, const json_t *runs, const json_t *seen)
{
	json_t *all = json_array(), *run;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)runs, i, run) {
		json_t *one = json_copy((json_t *)(uintptr_t)cmd), *of_it = json_array_get(seen, i);

		(void)json_object_set(one, "run", run);
		(void)json_object_del(one, "seen");
		if (json_is_integer(of_it))
			(void)json_object_set(one, "seen", of_it);
		(void)json_array_append_new(all, one);
	}
	return all;
}

/* Of a row that stands for several runs, each of them. */
static void retry_chosen(cs_shell *sh, const json_t *bound, const char *key)
{
	CS_AUTOJSON json_t *plain = json_pack("{s:s}", "cmd", "retry");
	CS_AUTOJSON json_t *all = cs_run_each(plain, json_object_get(bound, "runs"), json_object_get(bound, "run_seqs"));

	if (*key != 'y') {
		cs_shell_say(sh, CS_ST_WAIT, strcmp(cs_json_str_or(bound, "cmd", ""), "resume") == 0
			     ? _("It stays paused: t shows the run") : _("Nothing was retried: k asks again"));
		return;
	}
	if (json_array_size(all) > 0)
		cs_inbox_each(sh, all);
	else
		cs_shell_send(sh, json_deep_copy(bound), answered);
}

/* Asked, as k means up elsewhere, and what is sent again is sent. */
void cs_act_retry(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);
	CS_AUTOJSON json_t *bound = command(sh, "retry");
	json_t *runs = cs_inbox_runs(sh);
	CS_AUTOFREE char *label = NULL, *call = NULL;

	if (runs) {
		(void)json_object_set(bound, "runs", runs);
		if (cs_inbox_seen(sh))
			(void)json_object_set(bound, "run_seqs", cs_inbox_seen(sh));
		call = cs_json_str(v->ops->object(v), "happened") ? cs_xstrdup(cs_json_str(v->ops->object(v), "happened")) : NULL;
	} else if (!cs_run_bind(sh, bound, &call)) {
		return;
	}
	if (call)
		label = cs_xasprintf(_("%.30s has happened: send it once more? y, n:"), call);
	else if (runs)
		label = cs_xasprintf(_("Retry all %zu runs? y, n:"), json_array_size(runs));
	else
		label = cs_xstrdup(_("Retry what is not done? y, n:"));
	cs_shell_choose(sh, label, "yn", json_incref(bound), retry_chosen);
}

void cs_run_as_it_is(cs_shell *sh, const char *state)
{
	if (cs_show_is(state, faulted))
		cs_act_retry(sh);
	else if (cs_show_is(state, paused))
		cs_shell_choose(sh, _("Nothing was changed. Resume it as it is? y, n:"), "yn", command(sh, "resume"), retry_chosen);
	else
		cs_shell_say(sh, CS_ST_WAIT, _("Nothing was changed: K takes it up again"));
}

static void send_bound(cs_shell *sh, const json_t *bound, const char *text)
{
	(void)text;
	cs_shell_send(sh, json_deep_copy(bound), answered);
}

void cs_act_cancel(cs_shell *sh)
{
	cs_shell_ask_word(sh, "cancel", command(sh, "cancel"), send_bound);
}

void cs_act_trace(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);
	const char *run = cs_json_str(v->ops->object(v), "run");

	if (run)
		cs_shell_go(sh, CS_VIEW_TRACE, run, true);
}
