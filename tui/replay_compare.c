/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two runs side by side: rows aligned, added, removed, changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/replay.h"
#include "tui/run.h"
#include "tui/show.h"
#include "tui/split.h"

static const struct { const char *change, *sign; unsigned style; } changes[] = {
	{ "same", "=", CS_ST_DIM }, { "added", "+", CS_ST_ADDED }, { "removed", "-", CS_ST_REMOVED }, { "changed", "~", CS_ST_CHANGED },
};

static size_t change_of(const json_t *row)
{
	const char *change = cs_json_str_or(row, "change", "same");

	for (size_t i = 0; i < CS_ARRAY_LEN(changes); i++)
		if (strcmp(changes[i].change, change) == 0)
			return i;
	return 0;
}

int cs_replay_load_compare(cs_replay *r, cs_err *err)
{
	const cs_source *src = r->view.sh->src;
	CS_AUTOJSON json_t *rows = NULL, *list = json_array();
	json_t *run = NULL, *row;
	size_t i;
	int rc = src->diff(src->ctx, r->old_run, r->new_run, &rows, err);

	if (rc < 0)
		return rc;
	rc = src->run(src->ctx, r->new_run, &run, err);
	if (rc < 0)
		return rc;
	json_decref(r->new_state);
	r->new_state = run;
	json_decref(CS_STEAL(r->summary));
	json_array_foreach(rows, i, row) {
		CS_AUTOFREE char *key = cs_xasprintf("%zu %s", i, cs_json_str_or(row, "task", ""));
		json_t *copy;

		if (json_object_get(row, "summary")) {
			r->summary = json_incref(json_object_get(row, "summary"));
			continue;
		}
		copy = json_copy(row);
		(void)json_object_set_new(copy, "key", json_string(key));
		(void)json_array_append_new(list, copy);
	}
	cs_list_set(&r->rows, list);
	return CS_OK;
}

/* A value in one line; it stands whole beside. */
static char *brief(const json_t *v)
{
	if (!v || json_is_null(v))
		return cs_xstrdup("");
	return json_is_string(v) ? cs_xstrdup(json_string_value(v)) : cs_json_text(v);
}

/* The first member in which the two objects differ, and its two values; NULL: none. */
static const char *first_difference(const json_t *a, const json_t *b, const json_t **ret_x, const json_t **ret_y)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)a, key, v) {
		const json_t *other = json_object_get(b, key);

		if (!other || !cs_json_equal(v, other)) {
			*ret_x = v;
			*ret_y = other;
			return key;
		}
	}
	json_object_foreach((json_t *)(uintptr_t)b, key, v) {
		if (!json_object_get(a, key)) {
			*ret_x = NULL;
			*ret_y = v;
			return key;
		}
	}
	return NULL;
}

/* The two values where they first differ, with the way there; whole where they do not. */
static void brief_pair(const json_t *a, const json_t *b, char **ret_a, char **ret_b)
{
	CS_AUTOBUF cs_buf path = { 0 };
	CS_AUTOFREE char *before = NULL, *after = NULL;

	cs_buf_init(&path, 4096);
	while (json_is_object(a) && json_is_object(b)) {
		const json_t *x = NULL, *y = NULL;
		const char *key = first_difference(a, b, &x, &y);

		if (!key)
			break;
		(void)cs_buf_addf(&path, "%s%s", path.len ? "." : "", key);
		a = x;
		b = y;
	}
	before = brief(a);
	after = brief(b);
	*ret_a = cs_xasprintf("%s%s%s", cs_buf_str(&path), path.len ? " " : "", before);
	*ret_b = CS_STEAL(after);
}

static void draw_row(void *ctx, cs_term *t, cs_rect r, const json_t *row, unsigned bits)
{
	size_t c = change_of(row);
	const json_t *old = json_object_get(row, "old"), *new = json_object_get(row, "new");
	int name = r.w / 3, half = (r.w - name - 2) / 2;
	CS_AUTOFREE char *before = NULL, *after = NULL;

	(void)ctx;
	(void)cs_term_put(t, r.y, r.x, 1, changes[c].style | bits, changes[c].sign);
	(void)cs_term_put(t, r.y, r.x + 2, name - 3, changes[c].style | bits, cs_show_name(cs_json_str_or(row, "task", "")));
	brief_pair(old, new, &before, &after);
	if (c == 0 || (old && new && cs_json_equal(old, new))) {
		(void)cs_term_put(t, r.y, r.x + name, r.w - name, CS_ST_DIM | bits, c == 0 ? after : _("other input, same result"));
		return;
	}
	(void)cs_term_put(t, r.y, r.x + name, half - 1, CS_ST_REMOVED | bits, before);
	(void)cs_term_put(t, r.y, r.x + name + half, half, CS_ST_ADDED | bits, after);
}

static void add_counts(cs_replay *r)
{
	const json_t *steps = json_object_get(r->summary, "steps");

	for (size_t i = 0; i < CS_ARRAY_LEN(changes); i++) {
		json_int_t n = cs_json_int_or(steps, changes[i].change, 0);
		CS_AUTOFREE char *text = cs_xasprintf("%s %lld", changes[i].sign, (long long)n);

		if (n > 0)
			cs_pager_add(&r->text, changes[i].style, 14, changes[i].change, text);
	}
}

static void add_pair(cs_replay *r, const char *label, const char *before, const char *after)
{
	CS_AUTOFREE char *text = cs_xasprintf("%s → %s", *before ? before : "–", *after ? after : "–");

	cs_pager_add(&r->text, strcmp(before, after) == 0 ? CS_ST_DIM : CS_ST_TEXT, 14, label, text);
}

static json_int_t number(const json_t *summary, const char *path)
{
	return json_integer_value(cs_json_get_path(summary, path));
}

static void money(json_int_t micro, char out[CS_SHOW_SIZE])
{
	CS_AUTOJSON json_t *cost = json_pack("{s:I}", "cost", micro);

	(void)cs_show_cost(cost, out);
}

/* The deltas of the two runs, a line each. */
static void add_summary(cs_replay *r)
{
	const json_t *s = r->summary;
	char a[CS_SHOW_SIZE], b[CS_SHOW_SIZE];
	CS_AUTOFREE char *effects = cs_xasprintf(_("%lld (%lld sent)"), number(s, "effects.old"), number(s, "effects.sent.old"));
	CS_AUTOFREE char *now = cs_xasprintf(_("%lld (%lld sent)"), number(s, "effects.new"), number(s, "effects.sent.new"));

	cs_pager_add(&r->text, CS_ST_HEADER, 0, NULL, _("In all, old → new"));
	add_counts(r);
	add_pair(r, _("calls"), effects, now);
	money(number(s, "cost.old"), a);
	money(number(s, "cost.new"), b);
	add_pair(r, _("cost"), a, b);
	cs_duration_show(number(s, "time.old"), a, sizeof(a));
	cs_duration_show(number(s, "time.new"), b, sizeof(b));
	add_pair(r, _("time"), a, b);
	add_pair(r, _("state"), cs_json_str_or(json_object_get(s, "state"), "old", ""), cs_json_str_or(json_object_get(s, "state"), "new", ""));
	cs_pager_add(&r->text, CS_ST_TEXT, 14, _("output"), cs_json_str(s, "output"));
	cs_pager_add(&r->text, CS_ST_TEXT, 14, _("differs from"), cs_show_name(cs_json_str(s, "first")));
}

static void fill(cs_replay *r)
{
	json_t *row = cs_list_row(&r->rows);

	cs_pager_clear(&r->text);
	if (!row)
		return;
	cs_pager_addf(&r->text, CS_ST_BOLD, "%s: %s", cs_show_name(cs_json_str_or(row, "task", "")), cs_json_str_or(row, "change", ""));
	if (change_of(row) == 0) {
		cs_show_value(&r->text, CS_ST_TEXT, 8, _("both"), json_object_get(row, "new") ? json_object_get(row, "new") : json_object_get(row, "old"));
	} else {
		if (!cs_show_diff(&r->text, json_object_get(row, "old"), json_object_get(row, "new")))
			cs_pager_add(&r->text, CS_ST_CHANGED, 0, NULL, _("What went into it differs; what came out of it is the same:"));
	}
	if (r->summary) {
		cs_pager_rule(&r->text);
		add_summary(r);
	}
}

static void draw_head(cs_replay *r, cs_rect p)
{
	cs_term *t = r->view.sh->term;
	char a[CS_SHOW_SIZE], b[CS_SHOW_SIZE];
	int name = (p.w - 2) / 3, half = (p.w - 2 - name - 2) / 2;
	CS_AUTOFREE char *before = cs_xasprintf(_("old %s"), cs_show_id(r->old_run, a));
	CS_AUTOFREE char *after = cs_xasprintf(_("new %s %s"), cs_show_id(r->new_run, b), cs_json_str_or(r->new_state, "state", ""));
	int x = p.x;

	x += cs_term_put(t, p.y, x, p.w, CS_ST_SIM, _("REPLAY")) + 1;
	(void)cs_term_put(t, p.y, p.x + 2 + name, half - 1, CS_ST_HEADER, before);
	(void)cs_term_put(t, p.y, p.x + 2 + name + half, half, CS_ST_HEADER, after);
	if (!cs_run_ended(r->new_state))
		(void)cs_term_put(t, p.y, x, name - 1, CS_ST_WAIT, _("going on"));
}

void cs_replay_draw_compare(cs_replay *r, cs_rect rect)
{
	cs_rect pane[CS_PANES];
	cs_term *t = r->view.sh->term;
	int part = rect.h * 3 / 5;

	fill(r);
	r->view.columns = cs_split(t, rect, 2, r->view.focus, pane);
	if (r->view.columns == 1 && r->view.focus == 0 && rect.h >= 14) {
		pane[0] = (cs_rect){ rect.y, rect.x, part, rect.w };
		pane[1] = (cs_rect){ rect.y + part, rect.x, rect.h - part, rect.w };
	}
	if (pane[0].w) {
		draw_head(r, pane[0]);
		cs_list_draw(&r->rows, t, (cs_rect){ pane[0].y + 1, pane[0].x, pane[0].h - 1, pane[0].w }, draw_row, r, r->view.focus == 0);
	}
	if (pane[1].w)
		cs_pager_draw(&r->text, t, pane[1], r->view.focus == 1);
}

void cs_act_divergence(cs_shell *sh)
{
	cs_replay *r = cs_replay_of(sh);

	for (size_t i = 0; i < r->rows.n; i++) {
		if (change_of(cs_list_at(&r->rows, i)) != 0) {
			cs_list_go(&r->rows, i);
			return;
		}
	}
	cs_shell_say(sh, CS_ST_GOOD, _("The two runs do not differ: Esc goes back, i changes a value for another replay"));
}
