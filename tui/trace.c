/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The trace of one run: what happened, for how long, by whom and why. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/fold.h"
#include "tui/run.h"
#include "tui/show.h"
#include "tui/split.h"
#include "tui/trace_row.h"
#include "tui/tree.h"

typedef struct trace {
	cs_view view;
	char *run_id;
	json_t *run, *rows, *open;
	cs_list list;
	cs_fold detail;
	cs_pager chain;
	char *detail_of;
	int64_t quiet_until;
	bool outside;
} trace;

static trace *of(const cs_view *v)
{
	return (trace *)(void *)(cs_view *)v;
}

static void row_text(void *ctx, const json_t *row, cs_buf *out)
{
	static const char *const keys[] = { "name", "state", "call", "kind", "actor", "ref" };
	const json_t *e = json_object_get(row, "error");

	(void)ctx;
	for (size_t i = 0; i < CS_ARRAY_LEN(keys); i++)
		(void)cs_buf_addf(out, "%s ", cs_json_str_or(row, keys[i], ""));
	if (e && !json_is_null(e))
		(void)cs_json_write(e, out);
}

static cs_view *create(cs_shell *sh)
{
	trace *t = cs_xcalloc(1, sizeof(*t));

	(void)sh;
	t->open = json_object();
	cs_list_init(&t->list, "key", row_text, NULL);
	cs_fold_init(&t->detail, 2);
	cs_pager_init(&t->chain);
	return &t->view;
}

static void destroy(cs_view *v)
{
	trace *t = of(v);

	cs_list_fini(&t->list);
	cs_fold_fini(&t->detail);
	cs_pager_fini(&t->chain);
	json_decref(t->run);
	json_decref(t->rows);
	json_decref(t->open);
	free(t->run_id);
	free(t->detail_of);
	free(t);
}

static void rebuild(trace *t)
{
	CS_AUTOJSON json_t *shown = cs_tree_rows(t->rows, t->open, t->quiet_until, t->outside);

	cs_list_set(&t->list, shown);
}

static int64_t last_seq(const json_t *rows)
{
	int64_t last = 0;
	size_t i;
	json_t *row;

	json_array_foreach((json_t *)rows, i, row) {
		int64_t seq = cs_json_int_or(row, "seq", 0);

		last = seq > last ? seq : last;
	}
	return last;
}

static int load(cs_view *v, cs_err *err)
{
	trace *t = of(v);
	const cs_source *src = v->sh->src;
	json_t *run = NULL, *rows = NULL;
	bool first = !t->rows, tail = t->list.n > 0 && t->list.cursor + 1 == t->list.n;
	int r;

	if (!t->run_id)
		return CS_OK;
	if ((r = src->run(src->ctx, t->run_id, &run, err)) < 0)
		return r;
	if ((r = src->trace(src->ctx, t->run_id, &rows, err)) < 0) {
		json_decref(run);
		return r;
	}
	json_decref(t->run);
	json_decref(t->rows);
	t->run = run;
	t->rows = rows;
	if (first)
		t->quiet_until = last_seq(rows);
	rebuild(t);
	/* who stands at the end of a run that goes on watches it */
	if (!cs_run_ended(run) && (first || tail))
		cs_list_go(&t->list, t->list.n);
	free(CS_STEAL(t->detail_of));
	return CS_OK;
}

static void open_run(trace *t, const char *run)
{
	json_decref(CS_STEAL(t->run));
	json_decref(CS_STEAL(t->rows));
	free(t->run_id);
	t->run_id = cs_xstrdup(run);
	(void)json_object_clear(t->open);
	t->outside = false;
	t->view.focus = 0;
	rebuild(t);
}

static void fill_chain(cs_pager *p, const json_t *chain)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)chain, i, e) {
		const char *says = cs_json_str(e, "says"), *task = cs_show_name(cs_json_str_or(e, "task", ""));
		CS_AUTOFREE char *head = cs_xasprintf("%s#%" PRId64 "  %s%s%s", i ? "↑ " : "", cs_json_int_or(e, "seq", 0),
						      says ? says : cs_json_str_or(e, "type", ""), !says && *task ? "  " : "", says ? "" : task);
		CS_AUTOFREE char *who = cs_xasprintf(_("%s by %s, %s%s"), cs_json_str_or(e, "type", ""), cs_json_str_or(e, "actor", "?"),
						     cs_json_str_or(e, "at", ""), cs_json_true(e, "simulated") ? _(", SIMULATED") : "");

		cs_pager_add(p, CS_ST_BOLD, 0, NULL, head);
		cs_pager_add(p, CS_ST_DIM, 4, NULL, who);
		/* a sentence says it; the whole event stands in the step's detail */
		if (!says)
			cs_show_value(p, CS_ST_TEXT, 4, NULL, json_object_get(e, "data"));
	}
}

static bool read_chain(cs_shell *sh, const json_t *row, cs_pager *p)
{
	CS_AUTOJSON json_t *chain = NULL;
	cs_err err = { 0 };

	cs_pager_clear(p);
	if (sh->src->why(sh->src->ctx, cs_json_int_or(row, "seq", 0), &chain, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return false;
	}
	fill_chain(p, chain);
	return true;
}

/* Input, output, error, attempts, provenance and events of the selected row. */
static void sync_detail(trace *t)
{
	static const char *const keys[] = { "name", "state", "kind", "call", "actor", "ref", "error", "input", "output", "attempts", "started", "ended", "cost", "simulated", "missing" };
	const cs_source *src = t->view.sh->src;
	json_t *row = cs_list_row(&t->list);
	CS_AUTOJSON json_t *all = NULL, *events = NULL;

	if (!row || (t->detail_of && strcmp(t->detail_of, t->list.selected) == 0))
		return;
	free(t->detail_of);
	t->detail_of = cs_xstrdup(t->list.selected);
	all = json_object();
	for (size_t i = 0; i < CS_ARRAY_LEN(keys); i++)
		if (json_object_get(row, keys[i]) && !json_is_null(json_object_get(row, keys[i])))
			(void)json_object_set(all, keys[i], json_object_get(row, keys[i]));
	if (cs_json_str(row, "ref") && src->events(src->ctx, t->run_id, cs_json_str(row, "ref"), &events, NULL) == CS_OK)
		(void)json_object_set(all, "events", events);
	cs_fold_set(&t->detail, all);
	if (t->view.columns == 3)
		(void)read_chain(t->view.sh, row, &t->chain);
}

static void draw_row(void *ctx, cs_term *term, cs_rect r, const json_t *row, unsigned bits)
{
	cs_trace_row_draw(term, r, row, ((trace *)ctx)->run, bits);
}

static void draw_list(trace *t, cs_rect r)
{
	cs_term *term = t->view.sh->term;
	char took[CS_SHOW_SIZE], cost[CS_SHOW_SIZE];
	const char *state = cs_json_str_or(t->run, "state", "");
	CS_AUTOFREE char *head = NULL;
	int x = r.x;

	if (r.w == 0)
		return;
	head = cs_xasprintf("%s  %s  %s  %s%s", cs_show_name(cs_json_str_or(t->run, "flow", "")), state, cs_show_took(t->run, took),
			    cs_show_cost(t->run, cost), t->outside ? _("  outside effects only") : "");
	if (cs_show_replayed(t->run))
		x += cs_term_put(term, r.y, x, r.w, CS_ST_SIM, _("REPLAY")) + 1;
	else if (cs_json_true(t->run, "simulated"))
		x += cs_term_put(term, r.y, x, r.w, CS_ST_SIM, _("SIMULATED")) + 1;
	(void)cs_term_put(term, r.y, x, r.w - (x - r.x), cs_show_state(state), head);
	if (!cs_run_ended(t->run))
		cs_shell_ages(t->view.sh, 1000);
	cs_list_draw(&t->list, term, (cs_rect){ r.y + 1, r.x, r.h - 1, r.w }, draw_row, t, t->view.focus == 0);
}

static void draw(cs_view *v, cs_rect r)
{
	trace *t = of(v);
	cs_rect pane[CS_PANES];

	if (!t->run) {
		v->columns = 1;
		cs_pager_clear(&t->chain);
		cs_pager_add(&t->chain, CS_ST_DIM, 0, NULL, _("No run is chosen: 2 lists the runs, Enter opens one"));
		cs_pager_draw(&t->chain, v->sh->term, r, false);
		return;
	}
	v->columns = cs_split(v->sh->term, r, 3, v->focus, pane);
	sync_detail(t);
	draw_list(t, pane[0]);
	if (pane[1].w)
		cs_fold_draw(&t->detail, v->sh->term, pane[1], v->focus == 1);
	if (pane[2].w)
		cs_pager_draw(&t->chain, v->sh->term, pane[2], false);
}

static void set_open(trace *t, bool open)
{
	if (!t->list.selected)
		return;
	(void)json_object_set_new(t->open, t->list.selected, json_boolean(open));
	rebuild(t);
}

static bool key(cs_view *v, cs_key k)
{
	trace *t = of(v);

	if (v->focus == 1)
		return cs_fold_key(&t->detail, k);
	if (k == CS_KEY_RIGHT || k == CS_KEY_LEFT) {
		set_open(t, k == CS_KEY_RIGHT);
		return true;
	}
	return cs_list_key(&t->list, k);
}

static bool open_detail(cs_view *v)
{
	trace *t = of(v);
	json_t *row = cs_list_row(&t->list);

	if (!row)
		return false;
	if (v->focus == 1)
		return cs_fold_key(&t->detail, CS_KEY_ENTER);
	if (t->list.selected[0] == 'g') {
		set_open(t, true);
		return true;
	}
	cs_fold_home(&t->detail);
	v->focus = 1;
	return true;
}

static bool back(cs_view *v)
{
	bool inside = v->focus > 0;

	v->focus = 0;
	return inside;
}

static unsigned can(const cs_view *v)
{
	const trace *t = of(v);
	const json_t *row = cs_list_row(&t->list);
	unsigned bits = cs_run_can(t->run);
	size_t i;
	json_t *r;

	if (!row)
		return bits;
	if (cs_json_str(row, "ref") && !json_is_false(json_object_get(row, "forkable")) && t->list.selected[0] != 'g')
		bits |= CS_CAN_FORK;
	if (cs_json_int_or(row, "seq", 0) > 0)
		bits |= CS_CAN_EVENT;
	json_array_foreach(t->rows, i, r)
		if (cs_tree_failed(r))
			bits |= CS_CAN_ERROR;
	return bits;
}

static void subject(const cs_view *v, cs_buf *out)
{
	cs_run_subject(of(v)->run, out);
}

static void pane_of(cs_view *v, cs_list **ret_list, cs_pager **ret_pager)
{
	if (v->focus == 1)
		*ret_pager = &of(v)->detail.pager;
	else
		*ret_list = &of(v)->list;
}

static char *place(const cs_view *v)
{
	return cs_xstrdup(of(v)->run_id);
}

static void go(cs_view *v, const char *where)
{
	trace *t = of(v);

	if (!t->run_id || strcmp(t->run_id, where) != 0)
		open_run(t, where);
}

static json_t *object(const cs_view *v)
{
	return of(v)->run;
}

static const char *object_id(const cs_view *v)
{
	return of(v)->run_id;
}

static void note(const cs_view *v, cs_buf *out)
{
	const trace *t = of(v);

	if (t->list.filter)
		(void)cs_buf_addf(out, "&%s  ", cs_filter_text(t->list.filter));
	if (t->run && !cs_run_ended(t->run) && t->list.cursor + 1 == t->list.n)
		(void)cs_buf_adds(out, _("live"));
}

static trace *current(const cs_shell *sh)
{
	return of(sh->views[CS_VIEW_TRACE]);
}

void cs_act_next_error(cs_shell *sh)
{
	trace *t = current(sh);

	for (size_t k = 1; k <= t->list.n; k++) {
		size_t i = (t->list.cursor + k) % t->list.n;

		if (cs_tree_failed(cs_list_at(&t->list, i))) {
			cs_list_go(&t->list, i);
			return;
		}
	}
	cs_shell_say(sh, CS_ST_WAIT, _("The failed step lies in a folded or filtered part: Right unfolds, & shows everything"));
}

void cs_act_outside(cs_shell *sh)
{
	trace *t = current(sh);

	t->outside = !t->outside;
	rebuild(t);
	if (t->list.n == 0)
		cs_shell_say(sh, CS_ST_WAIT, _("This run did nothing outside: o shows every step again"));
}

void cs_act_why(cs_shell *sh)
{
	trace *t = current(sh);

	if (read_chain(sh, cs_list_row(&t->list), &sh->text))
		cs_shell_text(sh, _("Why: from this step back to what began it"));
}

void cs_act_fork(cs_shell *sh)
{
	trace *t = current(sh);
	CS_AUTOFREE char *where = cs_xasprintf("setup\x1f%s\x1f%s", t->run_id, cs_json_str_or(cs_list_row(&t->list), "ref", ""));

	cs_shell_go(sh, CS_VIEW_REPLAY, where, true);
}

const cs_view_ops cs_trace_ops = {
	.name = N_("Trace"), .digit = '3', .panes = 2, .create = create, .free = destroy, .load = load, .draw = draw,
	.key = key, .open = open_detail, .back = back, .can = can, .subject = subject, .pane = pane_of,
	.place = place, .go = go, .object = object, .object_id = object_id, .note = note,
};
