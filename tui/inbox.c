/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inbox: what waits for the operator, and the card of the one that is selected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/card.h"
#include "tui/inbox.h"
#include "tui/show.h"
#include "tui/split.h"

cs_inbox *cs_inbox_of(const cs_shell *sh)
{
	return (cs_inbox *)(void *)sh->views[CS_VIEW_INBOX];
}

static cs_inbox *inbox(const cs_view *v)
{
	return (cs_inbox *)(void *)(cs_view *)v;
}

static void row_text(void *ctx, const json_t *row, cs_buf *out)
{
	static const char *const keys[] = { "title", "flow", "task", "kind", "state", "subject", "id", "run", "by" };

	(void)ctx;
	for (size_t i = 0; i < CS_ARRAY_LEN(keys); i++)
		(void)cs_buf_addf(out, "%s ", cs_json_str_or(row, keys[i], ""));
}

static cs_view *create(cs_shell *sh)
{
	cs_inbox *b = cs_xcalloc(1, sizeof(*b));

	(void)sh;
	cs_list_init(&b->list, "id", row_text, NULL);
	cs_pager_init(&b->card);
	cs_pager_init(&b->steps);
	cs_fold_init(&b->raw, 3);
	return &b->view;
}

static void destroy(cs_view *v)
{
	cs_inbox *b = inbox(v);

	cs_list_fini(&b->list);
	cs_pager_fini(&b->card);
	cs_pager_fini(&b->steps);
	cs_fold_fini(&b->raw);
	json_decref(b->item);
	json_decref(b->draft);
	free(b->item_id);
	free(b->draft_text);
	free(b->decided);
	free(b->follow);
	free(b);
}

void cs_inbox_drop_draft(cs_inbox *b)
{
	json_decref(CS_STEAL(b->draft));
	free(CS_STEAL(b->draft_text));
}

/* The steps of its run, for the third column. */
static void fill_steps(cs_inbox *b)
{
	const cs_source *src = b->view.sh->src;
	const char *run = cs_json_str(b->item, "run");
	CS_AUTOJSON json_t *rows = NULL;
	char took[CS_SHOW_SIZE];
	size_t i;
	json_t *row;

	cs_pager_clear(&b->steps);
	if (!run || src->trace(src->ctx, run, &rows, NULL) < 0)
		return;
	cs_pager_addf(&b->steps, CS_ST_HEADER, _("Its run (t opens the trace)"));
	json_array_foreach(rows, i, row) {
		const char *state = cs_json_str_or(row, "state", "");
		CS_AUTOFREE char *line = cs_xasprintf("%s %s  %s", cs_show_mark(state), cs_json_str_or(row, "name", ""), cs_show_took(row, took));

		cs_pager_add(&b->steps, cs_show_state(state), 2 * (int)cs_json_int_or(row, "depth", 0), NULL, line);
	}
}

/* An item read anew still stands for those of the same cause. */
static void keep_group(json_t *item, const json_t *row)
{
	static const char *const keys[] = { "count", "ids", "runs", "run_seqs" };

	for (size_t i = 0; item && i < CS_ARRAY_LEN(keys); i++)
		if (json_object_get(row, keys[i]))
			(void)json_object_set(item, keys[i], json_object_get(row, keys[i]));
}

void cs_inbox_sync(cs_inbox *b, bool again)
{
	const cs_source *src = b->view.sh->src;
	json_t *item = NULL;
	cs_err err = { 0 };
	bool other = !b->list.selected || !b->item_id || strcmp(b->list.selected, b->item_id) != 0;

	if (!other && !again)
		return;
	if (other) {
		cs_inbox_drop_draft(b);
		cs_pager_home(&b->card);
		cs_fold_home(&b->raw);
		free(b->item_id);
		b->item_id = b->list.selected ? cs_xstrdup(b->list.selected) : NULL;
	}
	if (b->item_id && src->item(src->ctx, b->item_id, &item, &err) < 0)
		cs_shell_say_err(b->view.sh, &err);
	/* an edit was made for what was on the card then */
	if (b->draft && strcmp(cs_json_str_or(item, "digest", ""), cs_json_str_or(b->item, "digest", "")) != 0) {
		cs_inbox_drop_draft(b);
		cs_shell_say(b->view.sh, CS_ST_WAIT, _("The item changed, so your edit of the old one was dropped: e edits the new one"));
	}
	json_decref(b->item);
	b->item = item;
	keep_group(item, cs_list_row(&b->list));
	if (item)
		cs_list_update(&b->list, item);
	cs_fold_set(&b->raw, item ? item : NULL);
	fill_steps(b);
}

/* Open rows that the inbox no longer has: what became of them is shown where they stand. */
static void find_decided(cs_inbox *b, const json_t *answer)
{
	const cs_source *src = b->view.sh->src;
	CS_AUTOJSON json_t *ids = json_object();
	char id[CS_ROW_ID_SIZE];
	size_t i;
	json_t *row;

	json_array_foreach((json_t *)answer, i, row)
		(void)json_object_set_new(ids, cs_row_id(row, "id", id), json_true());
	for (i = 0; i < json_array_size(b->list.rows); i++) {
		json_t *item = NULL;

		row = json_array_get(b->list.rows, i);
		if (json_object_get(ids, cs_row_id(row, "id", id)))
			continue;
		if (!cs_card_open(row) && !cs_show_ms(row, "grace_until"))
			continue;
		if (src->item(src->ctx, id, &item, NULL) == CS_OK)
			cs_list_update(&b->list, item);
		json_decref(item);
	}
}

/* Who edited an item looks at what became of it, unless he went elsewhere meanwhile. */
static void follow_edit(cs_inbox *b, const json_t *rows)
{
	const char *successor = cs_json_str_or(cs_list_row(&b->list), "successor", b->follow ? b->follow : "");
	char id[CS_ROW_ID_SIZE];
	size_t i;
	json_t *row;

	json_array_foreach((json_t *)rows, i, row) {
		if (!b->follow || strcmp(cs_row_id(row, "id", id), b->follow) != 0)
			continue;
		if (strcmp(successor, b->follow) == 0) {
			(void)cs_list_take_fresh(&b->list);
			(void)cs_list_select(&b->list, id);
		}
		free(CS_STEAL(b->follow));
	}
}

static int load(cs_view *v, cs_err *err)
{
	cs_inbox *b = inbox(v);
	CS_AUTOJSON json_t *answer = NULL, *rows = NULL;
	int r = v->sh->src->inbox(v->sh->src->ctx, &answer, err);

	if (r < 0)
		return r;
	rows = cs_inbox_rows(b, answer);
	cs_list_merge(&b->list, rows);
	find_decided(b, answer);
	follow_edit(b, rows);
	v->sh->open_items = (long)json_array_size(rows);
	cs_inbox_sync(b, true);
	return CS_OK;
}

static const struct { const char *kind, *mark, *word; } kinds[] = {
	{ "approval", "!", N_("approval") }, { "in-doubt", "?", N_("in doubt") }, { "fault", "✗", N_("faulted") },
	{ "budget", "$", N_("budget") }, { "breaker", "⌁", N_("breaker") }, { "login", "@", N_("sign-in") },
	{ "clock", "◷", N_("clock") }, { "disk", "▤", N_("disk") }, { "notice", "·", N_("notice") },
};

static size_t kind_of(const json_t *row)
{
	const char *kind = cs_json_str_or(row, "kind", "");

	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return i;
	return 0;
}

/* A question is an approval to the machine, and none to who answers it. */
static const char *word_of(const json_t *row)
{
	bool asks = strcmp(cs_json_str_or(row, "kind", ""), "approval") == 0 && strcmp(cs_json_str_or(row, "call", ""), "ask") == 0;

	return asks ? N_("question") : kinds[kind_of(row)].word;
}

/* The right end of a row: flow, what it is, how old, how long still. */
static void row_tail(cs_shell *sh, const json_t *row, int width, cs_buf *out)
{
	char age[CS_SHOW_SIZE], left[CS_SHOW_SIZE];
	const char *word = word_of(row), *by = cs_json_str(row, "by");
	int64_t next = 0, grace = cs_card_grace_ms(row);

	/* what belongs to no flow belongs to a connector, or to the workspace */
	if (width >= 60)
		(void)cs_buf_addf(out, "%.16s  ", cs_json_str(row, "flow") ? cs_show_name(cs_json_str_or(row, "flow", "")) :
				  strcmp(cs_json_str_or(row, "kind", ""), "breaker") == 0 ? cs_json_str_or(row, "call", "") : "");
	if (!cs_card_open(row)) {
		if (by && strncmp(by, "operator:", 9) == 0)
			by += 9;
		if (grace) {
			(void)cs_buf_addf(out, _("u undo %llds  "), (long long)((grace + 999) / 1000));
			cs_shell_ages(sh, grace % 1000 ? grace % 1000 : 1000);
		}
		(void)cs_buf_addf(out, by ? _("%s by %.20s") : "%s", cs_json_str_or(row, "word", cs_json_str_or(row, "state", "")), by);
		return;
	}
	if (cs_card_snoozed_ms(row)) {
		cs_duration_show(cs_card_snoozed_ms(row), left, sizeof(left));
		(void)cs_buf_addf(out, _("put off %s"), left);
		return;
	}
	(void)cs_buf_addf(out, "%s  ", _(word));
	(void)cs_buf_adds(out, cs_show_age(row, "created", age, &next));
	if (next)
		cs_shell_ages(sh, next);
	if (cs_show_age(row, "expires", left, &next)[0])
		(void)cs_buf_addf(out, width >= 50 ? _("  expires %s") : _("  exp %s"), left);
}

/* How many it stands for, or how often it was escalated, comes first: a title may be cut. */
static char *title_of(const json_t *row)
{
	json_int_t n = cs_json_int_or(row, "count", 1), level = cs_card_open(row) ? cs_json_int_or(row, "level", 0) : 0;
	const char *title = cs_json_str_or(row, "title", "");

	if (level > 0)
		return cs_xasprintf("↑%lld %s", (long long)level, title);
	return n > 1 ? cs_xasprintf("×%lld %s", (long long)n, title) : cs_xstrdup(title);
}

static void draw_row(void *ctx, cs_term *t, cs_rect r, const json_t *row, unsigned bits)
{
	cs_inbox *b = ctx;
	CS_AUTOBUF cs_buf tail = { 0 };
	bool open = cs_card_open(row), simulated = cs_json_true(row, "simulated");
	bool replay = cs_json_str(row, "replay_of") != NULL;
	const char *sim = replay ? _("REPLAY") : r.w >= 55 ? _("SIMULATED") : _("SIM");
	CS_AUTOFREE char *title = title_of(row);
	int w, x = r.x + r.w;

	cs_buf_init(&tail, 4096);
	if (simulated || replay) {
		w = cs_utf8_width(sim, strlen(sim));
		x -= w;
		(void)cs_term_put(t, r.y, x, w, CS_ST_SIM | bits, sim);
		x--;
	}
	row_tail(b->view.sh, row, r.w, &tail);
	w = cs_utf8_width(cs_buf_str(&tail), tail.len);
	/* the title keeps a third at least */
	if (w > r.w * 2 / 3)
		w = r.w * 2 / 3;
	x -= w;
	(void)cs_term_put(t, r.y, x, w, (open ? CS_ST_DIM : cs_show_state(cs_json_str(row, "state"))) | bits, cs_buf_str(&tail));
	(void)cs_term_put(t, r.y, r.x, 2, (open ? CS_ST_WAIT : CS_ST_DIM) | bits, kinds[kind_of(row)].mark);
	(void)cs_term_put(t, r.y, r.x + 2, x - r.x - 3, (open ? CS_ST_TEXT : CS_ST_DIM) | bits, title);
}

static void draw_list(cs_inbox *b, cs_rect r)
{
	cs_term *t = b->view.sh->term;

	if (r.w == 0)
		return;
	if (b->list.n == 0) {
		const char *text = b->list.filter ? _("No item passes the filter: & and an empty line show everything")
			: _("No approvals wait. Start a flow: capstan run FLOW");

		cs_pager_clear(&b->steps);
		cs_pager_add(&b->steps, CS_ST_DIM, 0, NULL, text);
		cs_pager_draw(&b->steps, t, r, false);
		return;
	}
	cs_list_draw(&b->list, t, r, draw_row, b, b->view.focus == 0);
}

static void draw_card(cs_inbox *b, cs_rect r)
{
	if (r.w == 0 || !b->item)
		return;
	if (b->show_raw) {
		cs_fold_draw(&b->raw, b->view.sh->term, r, b->view.focus == 1);
		return;
	}
	cs_card_fill(&b->card, b->item, b->draft);
	cs_pager_draw(&b->card, b->view.sh->term, r, b->view.focus == 1);
}

/* What was put off comes back by itself. */
static void watch_snoozed(cs_inbox *b)
{
	int64_t left = b->wake_ms ? b->wake_ms - cs_clock_wall_ms() : 0;

	if (!b->wake_ms)
		return;
	if (left > 0)
		cs_shell_ages(b->view.sh, left);
	else
		b->view.sh->stale = true;
}

static void draw(cs_view *v, cs_rect r)
{
	cs_inbox *b = inbox(v);
	cs_rect pane[CS_PANES];

	cs_inbox_sync(b, false);
	watch_snoozed(b);
	if (b->list.n == 0)
		v->focus = 0;
	v->columns = cs_split(v->sh->term, r, b->list.n ? 3 : 1, v->focus, pane);
	draw_list(b, pane[0]);
	draw_card(b, pane[1]);
	if (b->list.n && pane[2].w)
		cs_pager_draw(&b->steps, v->sh->term, pane[2], v->focus == 2);
}

static bool key(cs_view *v, cs_key k)
{
	cs_inbox *b = inbox(v);

	if (v->focus == 2)
		return cs_pager_key(&b->steps, k);
	if (v->focus == 1)
		return b->show_raw ? cs_fold_key(&b->raw, k) : cs_pager_key(&b->card, k);
	return cs_list_key(&b->list, k);
}

static bool open_card(cs_view *v)
{
	cs_inbox *b = inbox(v);

	if (v->focus == 1 && b->show_raw)
		return cs_fold_key(&b->raw, CS_KEY_ENTER);
	if (b->list.n == 0)
		return false;
	v->focus = 1;
	return true;
}

static bool back(cs_view *v)
{
	cs_inbox *b = inbox(v);

	if (b->draft) {
		cs_inbox_drop_draft(b);
		cs_shell_say(v->sh, CS_ST_WAIT, _("Your edit was dropped; the item is as it was: e edits it again"));
		return true;
	}
	if (b->show_raw) {
		b->show_raw = false;
		return true;
	}
	if (v->focus > 0) {
		v->focus = 0;
		return true;
	}
	if (cs_list_marks(&b->list)) {
		cs_list_clear_marks(&b->list);
		return true;
	}
	return false;
}

static void subject(const cs_view *v, cs_buf *out)
{
	const cs_inbox *b = inbox(v);

	if (!b->item || !b->list.selected || strcmp(cs_json_str_or(b->item, "id", ""), b->list.selected) != 0)
		return;
	if (v->columns < 2 && v->focus != 1)
		return;
	(void)cs_buf_addf(out, "%s %s %s %d", cs_json_str_or(b->item, "id", ""), cs_json_str_or(b->item, "digest", ""),
			  cs_json_str_or(b->item, "state", ""), b->draft != NULL);
	if (b->draft) {
		char hex[65];

		cs_json_digest(b->draft, hex);
		(void)cs_buf_adds(out, hex);
	}
}

static void pane_of(cs_view *v, cs_list **ret_list, cs_pager **ret_pager)
{
	cs_inbox *b = inbox(v);

	if (v->focus == 0)
		*ret_list = &b->list;
	else if (v->focus == 1)
		*ret_pager = b->show_raw ? &b->raw.pager : &b->card;
	else
		*ret_pager = &b->steps;
}

static char *place(const cs_view *v)
{
	return cs_xstrdup(inbox(v)->list.selected);
}

static void go(cs_view *v, const char *where)
{
	(void)cs_list_select(&inbox(v)->list, where);
}

static json_t *object(const cs_view *v)
{
	return inbox(v)->item;
}

static const char *object_id(const cs_view *v)
{
	return cs_json_str(inbox(v)->item, "id");
}

static void note(const cs_view *v, cs_buf *out)
{
	const cs_inbox *b = inbox(v);

	if (cs_list_marks(&b->list))
		(void)cs_buf_addf(out, _("%zu marked  "), cs_list_marks(&b->list));
	if (b->list.filter)
		(void)cs_buf_addf(out, "&%s  ", cs_filter_text(b->list.filter));
	if (b->n_snoozed)
		(void)cs_buf_addf(out, _("%zu put off  "), b->n_snoozed);
	if (b->list.n_fresh)
		(void)cs_buf_addf(out, _("%zu new ↑ g"), b->list.n_fresh);
}

const cs_view_ops cs_inbox_ops = {
	.name = N_("Inbox"), .digit = '1', .panes = 2, .create = create, .free = destroy, .load = load, .draw = draw,
	.key = key, .open = open_card, .back = back, .can = cs_inbox_can, .subject = subject, .pane = pane_of,
	.place = place, .go = go, .object = object, .object_id = object_id, .note = note,
};
