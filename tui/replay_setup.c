/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Preparing a replay: where it begins, what is changed, what each step ahead would do. */
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/replay.h"
#include "tui/show.h"
#include "tui/split.h"

#define SETS_MAX 256

void cs_replay_row_text(void *ctx, const json_t *row, cs_buf *out)
{
	static const char *const keys[] = { "name", "state", "task", "change", "ref", "call" };

	(void)ctx;
	for (size_t i = 0; i < CS_ARRAY_LEN(keys); i++)
		(void)cs_buf_addf(out, "%s ", cs_json_str_or(row, keys[i], ""));
}

const char *cs_replay_from(const cs_replay *r)
{
	return cs_json_str(cs_list_row(&r->steps), "ref");
}

/* Only points that can be forked are offered; the first is the beginning. */
static json_t *points(const json_t *rows)
{
	json_t *out = json_array(), *row;
	size_t i;

	(void)json_array_append_new(out, json_pack("{s:s, s:s}", "key", "start", "name", _("from the beginning")));
	json_array_foreach((json_t *)rows, i, row) {
		const char *ref = cs_json_str(row, "ref");
		json_t *copy;

		if (!ref || json_is_false(json_object_get(row, "forkable")))
			continue;
		copy = json_copy(row);
		(void)json_object_set_new(copy, "key", json_string(ref));
		(void)json_array_append_new(out, copy);
	}
	return out;
}

int cs_replay_load_setup(cs_replay *r, cs_err *err)
{
	const cs_source *src = r->view.sh->src;
	CS_AUTOJSON json_t *rows = NULL, *list = NULL;
	json_t *run = NULL;
	int rc = src->run(src->ctx, r->old_run, &run, err);

	if (rc < 0)
		return rc;
	json_decref(r->run);
	r->run = run;
	rc = src->trace(src->ctx, r->old_run, &rows, err);
	if (rc < 0)
		return rc;
	list = points(rows);
	cs_list_set(&r->steps, list);
	return CS_OK;
}

/* The command that starts it, or asks what it would do. */
static json_t *command(const cs_replay *r, const char *cmd)
{
	json_t *c = json_pack("{s:s, s:s, s:O}", "cmd", cmd, "run", r->old_run, "set", r->sets);

	if (cs_replay_from(r))
		(void)json_object_set_new(c, "from", json_string(cs_replay_from(r)));
	return c;
}

static void planned(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error)
{
	cs_replay *r = cs_replay_of(sh);
	CS_AUTOFREE char *asked = cs_json_text(cmd);

	/* an answer to what is not asked any more says nothing */
	if (!r->plan_for || strcmp(asked, r->plan_for) != 0)
		return;
	json_decref(CS_STEAL(r->plan));
	if (!error && json_is_array(json_object_get(ok, "plan")))
		r->plan = json_incref(json_object_get(ok, "plan"));
	sh->dirty = true;
}

static void sync_plan(cs_replay *r)
{
	json_t *cmd = command(r, "replay-plan");
	CS_AUTOFREE char *text = cs_json_text(cmd);

	if (r->plan_for && strcmp(text, r->plan_for) == 0) {
		json_decref(cmd);
		return;
	}
	free(r->plan_for);
	r->plan_for = CS_STEAL(text);
	json_decref(CS_STEAL(r->plan));
	cs_shell_send(r->view.sh, cmd, planned);
}

static const struct { const char *what, *says; unsigned style; } plans[] = {
	{ "reuse", N_("reuses its recorded result"), CS_ST_DIM }, { "run", N_("runs again"), CS_ST_CHANGED },
	{ "capture", N_("is captured: shown, not sent"), CS_ST_WAIT }, { "decision", N_("takes the recorded decision"), CS_ST_DIM },
	{ "depends", N_("reused where its input stays the same; else captured, not sent"), CS_ST_WAIT },
};

static void add_plan(cs_replay *r)
{
	size_t i;
	json_t *row;

	cs_pager_add(&r->text, CS_ST_HEADER, 0, NULL, _("Each step ahead"));
	if (!r->plan)
		cs_pager_add(&r->text, CS_ST_DIM, 2, NULL, _("is told by the replay itself: unchanged steps reuse their result, effects are captured"));
	json_array_foreach(r->plan, i, row) {
		const char *what = cs_json_str_or(row, "what", "");
		size_t k = 0;

		while (k < CS_ARRAY_LEN(plans) && strcmp(plans[k].what, what) != 0)
			k++;
		cs_pager_add(&r->text, k < CS_ARRAY_LEN(plans) ? plans[k].style : CS_ST_TEXT, 20, cs_json_str_or(row, "name", ""),
			     k < CS_ARRAY_LEN(plans) ? _(plans[k].says) : what);
	}
}

static void fill(cs_replay *r)
{
	json_t *step = cs_list_row(&r->steps), *input = cs_replay_from(r) ? json_object_get(step, "input") : json_object_get(r->run, "input");
	size_t i;
	json_t *set;

	cs_pager_clear(&r->text);
	cs_pager_addf(&r->text, CS_ST_BOLD, _("Replay %s from: %s"), cs_json_str_or(r->run, "flow", ""), cs_json_str_or(step, "name", ""));
	cs_pager_add(&r->text, CS_ST_SIM, 0, NULL, _("REPLAY: a shadow run, nothing is sent, the original stays as it is"));
	cs_pager_add(&r->text, CS_ST_HEADER, 0, NULL, _("Changes"));
	if (json_array_size(r->sets) == 0)
		cs_pager_add(&r->text, CS_ST_DIM, 2, NULL, _("none yet: i changes a value, e writes all in your editor, s starts it as it was"));
	json_array_foreach(r->sets, i, set) {
		const char *path = cs_json_str_or(set, "path", "");
		json_t *old = cs_json_get_path(input, path);
		CS_AUTOFREE char *to = cs_json_text(json_object_get(set, "value")), *from = old ? cs_json_text(old) : cs_xstrdup(_("(nothing)"));
		CS_AUTOFREE char *line = cs_xasprintf("%s → %s", from, to);

		cs_pager_add(&r->text, CS_ST_CHANGED, 20, path, line);
	}
	add_plan(r);
	cs_show_value(&r->text, CS_ST_TEXT, 2, _("Its input"), input);
}

static void draw_step(void *ctx, cs_term *t, cs_rect r, const json_t *row, unsigned bits)
{
	const char *state = cs_json_str(row, "state"), *call = cs_json_str_or(row, "call", "");
	int depth = (int)cs_json_int_or(row, "depth", 0);
	CS_AUTOFREE char *text = cs_xasprintf("%s%s%s", cs_json_str_or(row, "name", ""), *call ? "  " : "", call);

	(void)ctx;
	depth = depth > 12 ? 12 : depth;
	(void)cs_term_put(t, r.y, r.x + depth * 2, 1, cs_show_state(state) | bits, state ? cs_show_mark(state) : "●");
	(void)cs_term_put(t, r.y, r.x + depth * 2 + 2, r.w - depth * 2 - 2, CS_ST_TEXT | bits, text);
}

void cs_replay_draw_setup(cs_replay *r, cs_rect rect)
{
	cs_rect pane[CS_PANES];
	cs_term *t = r->view.sh->term;
	int half = rect.h / 2;

	sync_plan(r);
	fill(r);
	r->view.columns = cs_split(t, rect, 2, r->view.focus, pane);
	if (r->view.columns == 1 && r->view.focus == 0 && rect.h >= 14) {
		/* both are needed to choose: above each other where there is no room beside */
		pane[0] = (cs_rect){ rect.y, rect.x, half, rect.w };
		pane[1] = (cs_rect){ rect.y + half, rect.x, rect.h - half, rect.w };
	}
	if (pane[0].w) {
		(void)cs_term_put(t, pane[0].y, pane[0].x, pane[0].w, CS_ST_HEADER, _("Where it begins"));
		cs_list_draw(&r->steps, t, (cs_rect){ pane[0].y + 1, pane[0].x, pane[0].h - 1, pane[0].w }, draw_step, r, r->view.focus == 0);
	}
	if (pane[1].w)
		cs_pager_draw(&r->text, t, pane[1], r->view.focus == 1);
}

static void started(cs_shell *sh, const json_t *cmd, const json_t *ok, const char *error)
{
	cs_replay *r = cs_replay_of(sh);
	const char *run = cs_json_str(ok, "run");

	if (error || !run) {
		cs_shell_sayf(sh, CS_ST_BAD, _("The replay did not start: %s. i and x change what it begins with"), error ? error : _("no run was named"));
		return;
	}
	cs_replay_compare(r, cs_json_str_or(cmd, "run", ""), run);
	cs_shell_say(sh, CS_ST_GOOD, _("Replayed: d goes to the first difference, t shows the new run"));
}

void cs_act_start(cs_shell *sh)
{
	cs_shell_send(sh, command(cs_replay_of(sh), "replay"), started);
}

/* Adds one PATH=VALUE, in place of an earlier one for the same path. */
static int add_set(json_t *sets, const char *text, cs_err *err)
{
	const char *eq = strchr(text, '=');
	CS_AUTOFREE char *path = NULL;
	size_t i;
	json_t *set, *value;

	if (!eq || eq == text)
		return cs_err_set(err, CS_EINVAL, _("“%s” is no PATH=VALUE: write for example lead.name=\"Ada\""), text);
	path = cs_xstrndup(text, (size_t)(eq - text));
	value = cs_json_lenient(eq + 1);
	json_array_foreach(sets, i, set) {
		if (strcmp(cs_json_str_or(set, "path", ""), path) == 0) {
			(void)json_object_set_new(set, "value", value);
			return CS_OK;
		}
	}
	if (json_array_size(sets) >= SETS_MAX) {
		json_decref(value);
		return cs_err_set(err, CS_ETOOBIG, _("more than %d changes: x drops one"), SETS_MAX);
	}
	(void)json_array_append_new(sets, json_pack("{s:s, s:o}", "path", path, "value", value));
	return CS_OK;
}

static void set_typed(cs_shell *sh, const json_t *bound, const char *text)
{
	cs_err err = { 0 };

	(void)bound;
	if (*text && add_set(cs_replay_of(sh)->sets, text, &err) < 0)
		cs_shell_say_err(sh, &err);
}

void cs_act_set_value(cs_shell *sh)
{
	cs_shell_ask(sh, _("PATH=VALUE:"), "", NULL, set_typed);
}

void cs_act_drop_set(cs_shell *sh)
{
	cs_replay *r = cs_replay_of(sh);

	if (json_array_size(r->sets) == 0)
		cs_shell_say(sh, CS_ST_DIM, _("There is no change to drop: i makes one"));
	else
		(void)json_array_remove(r->sets, json_array_size(r->sets) - 1);
}

static void write_sets(const cs_replay *r, cs_buf *out)
{
	size_t i;
	json_t *set;

	(void)cs_buf_adds(out, _("# One PATH=VALUE a line; VALUE is JSON, or else text. Lines with # are left out.\n"));
	json_array_foreach(r->sets, i, set) {
		CS_AUTOFREE char *value = cs_json_text(json_object_get(set, "value"));

		(void)cs_buf_addf(out, "%s=%s\n", cs_json_str_or(set, "path", ""), value);
	}
}

void cs_act_edit_sets(cs_shell *sh)
{
	cs_replay *r = cs_replay_of(sh);
	CS_AUTOJSON json_t *sets = json_array();
	CS_AUTOFREE char *text = NULL;
	CS_AUTOBUF cs_buf start = { 0 };
	cs_err err = { 0 };

	cs_buf_init(&start, 1u << 20);
	write_sets(r, &start);
	if (cs_shell_editor(sh, cs_buf_str(&start), ".txt", &text, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return;
	}
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		CS_AUTOFREE char *line = cs_xstrndup(p, len);

		if (len && *line != '#' && add_set(sets, line, &err) < 0) {
			cs_shell_say_err(sh, &err);
			return;
		}
		p += len + (p[len] == '\n');
	}
	json_decref(r->sets);
	r->sets = CS_STEAL(sets);
}
