/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All runs, the newest first, read a page at a time. */
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tui/run.h"
#include "tui/shell.h"
#include "tui/show.h"
#include "tui/split.h"

#define PAGE 200
#define PAGE_MAX 2000   /* what a reload reads at most; older rows keep what they said */

typedef struct runs {
	cs_view view;
	cs_list list;
	cs_pager card;
	bool all;        /* the oldest run is in the list */
	json_t *full;    /* the selected run with its input, output and error, which rows are without */
	json_t *full_of; /* the row it was read for */
} runs;

static runs *of(const cs_view *v)
{
	return (runs *)(void *)(cs_view *)v;
}

static cs_view *create(cs_shell *sh)
{
	runs *r = cs_xcalloc(1, sizeof(*r));

	(void)sh;
	cs_list_init(&r->list, "run", cs_run_text, NULL);
	cs_pager_init(&r->card);
	return &r->view;
}

static void destroy(cs_view *v)
{
	cs_list_fini(&of(v)->list);
	cs_pager_fini(&of(v)->card);
	json_decref(of(v)->full);
	json_decref(of(v)->full_of);
	free(v);
}

static int load(cs_view *v, cs_err *err)
{
	runs *r = of(v);
	CS_AUTOJSON json_t *rows = NULL;
	size_t have = json_array_size(r->list.rows), want = have < PAGE ? PAGE : have > PAGE_MAX ? PAGE_MAX : have;
	int rc = v->sh->src->runs(v->sh->src->ctx, NULL, (int)want, &rows, err);

	if (rc < 0)
		return rc;
	if (!v->loaded)
		r->all = json_array_size(rows) < want;
	cs_list_merge(&r->list, rows);
	return CS_OK;
}

/* The page after the last row, when the operator comes near it. */
static void load_older(runs *r)
{
	const cs_source *src = r->view.sh->src;
	CS_AUTOJSON json_t *rows = NULL;
	size_t n = json_array_size(r->list.rows);
	cs_err err = { 0 };

	if (r->all || n == 0 || r->list.cursor + PAGE / 4 < r->list.n)
		return;
	if (src->runs(src->ctx, cs_json_str(json_array_get(r->list.rows, n - 1), "run"), PAGE, &rows, &err) < 0) {
		cs_shell_say_err(r->view.sh, &err);
		r->all = true;
		return;
	}
	r->all = json_array_size(rows) < PAGE;
	cs_list_append(&r->list, rows);
}

static void draw_row(void *ctx, cs_term *t, cs_rect r, const json_t *row, unsigned bits)
{
	runs *rs = ctx;

	cs_run_draw_row(rs->view.sh, t, r, row, bits);
}

/* Read again when the row says something else; what cannot be read is said, and the row shown. */
static const json_t *whole(runs *r, json_t *row)
{
	const cs_source *src = r->view.sh->src;
	json_t *full = NULL;
	cs_err err = { 0 };

	if (r->full_of && cs_json_equal(r->full_of, row))
		return r->full ? r->full : row;
	json_decref(CS_STEAL(r->full));
	json_decref(CS_STEAL(r->full_of));
	r->full_of = json_deep_copy(row);
	if (src->run(src->ctx, cs_json_str_or(row, "run", ""), &full, &err) < 0)
		cs_shell_say_err(r->view.sh, &err);
	else
		r->full = full;
	return r->full ? r->full : row;
}

static void draw_card(runs *r, cs_rect pane)
{
	json_t *row = cs_list_row(&r->list);

	if (pane.w == 0 || !row)
		return;
	cs_pager_clear(&r->card);
	cs_run_card(&r->card, whole(r, row));
	cs_pager_draw(&r->card, r->view.sh->term, pane, r->view.focus == 1);
}

static void draw(cs_view *v, cs_rect rect)
{
	runs *r = of(v);
	cs_rect pane[CS_PANES];

	load_older(r);
	if (r->list.n == 0) {
		v->columns = 1;
		cs_pager_clear(&r->card);
		cs_pager_add(&r->card, CS_ST_DIM, 0, NULL, r->list.filter ? _("No run passes the filter: & and an empty line show all")
			: _("Nothing has run yet. Start a flow: capstan run FLOW"));
		cs_pager_draw(&r->card, v->sh->term, rect, false);
		return;
	}
	v->columns = cs_split(v->sh->term, rect, 2, v->focus, pane);
	if (pane[0].w)
		cs_list_draw(&r->list, v->sh->term, pane[0], draw_row, r, v->focus == 0);
	draw_card(r, pane[1]);
}

static bool key(cs_view *v, cs_key k)
{
	return v->focus == 1 ? cs_pager_key(&of(v)->card, k) : cs_list_key(&of(v)->list, k);
}

static bool open_run(cs_view *v)
{
	runs *r = of(v);

	if (!r->list.selected)
		return false;
	cs_shell_go(v->sh, CS_VIEW_TRACE, r->list.selected, true);
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
	const runs *r = of(v);

	return cs_run_can(cs_list_row(&r->list)) | (r->list.waiting ? CS_CAN_FRESH : 0);
}

static void subject(const cs_view *v, cs_buf *out)
{
	cs_run_subject(cs_list_row(&of(v)->list), out);
}

static void pane_of(cs_view *v, cs_list **ret_list, cs_pager **ret_pager)
{
	if (v->focus == 1)
		*ret_pager = &of(v)->card;
	else
		*ret_list = &of(v)->list;
}

static char *place(const cs_view *v)
{
	return cs_xstrdup(of(v)->list.selected);
}

static void go(cs_view *v, const char *where)
{
	(void)cs_list_select(&of(v)->list, where);
}

static json_t *object(const cs_view *v)
{
	return cs_list_row(&of(v)->list);
}

static const char *object_id(const cs_view *v)
{
	return of(v)->list.selected;
}

static void note(const cs_view *v, cs_buf *out)
{
	const runs *r = of(v);

	if (r->list.filter)
		(void)cs_buf_addf(out, "&%s  ", cs_filter_text(r->list.filter));
	if (r->list.n_fresh)
		(void)cs_buf_addf(out, _("%zu new ↑ g"), r->list.n_fresh);
}

const cs_view_ops cs_runs_ops = {
	.name = N_("Runs"), .digit = '2', .panes = 2, .create = create, .free = destroy, .load = load, .draw = draw,
	.key = key, .open = open_run, .back = back, .can = can, .subject = subject, .pane = pane_of,
	.place = place, .go = go, .object = object, .object_id = object_id, .note = note,
};
