/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replay: a run again with something changed, sending nothing; then old and new side by side. */
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/replay.h"
#include "tui/run.h"
#include "tui/show.h"
#include "tui/split.h"

#define LIST_MAX 200
#define LINEAGE_MAX 32

cs_replay *cs_replay_of(const cs_shell *sh)
{
	return (cs_replay *)(void *)sh->views[CS_VIEW_REPLAY];
}

static cs_replay *of(const cs_view *v)
{
	return (cs_replay *)(void *)(cs_view *)v;
}

cs_list *cs_replay_list(cs_replay *r)
{
	return r->face == CS_REPLAY_CHOOSE ? &r->runs : r->face == CS_REPLAY_SETUP ? &r->steps : &r->rows;
}

static cs_view *create(cs_shell *sh)
{
	cs_replay *r = cs_xcalloc(1, sizeof(*r));

	(void)sh;
	cs_list_init(&r->runs, "run", cs_run_text, NULL);
	cs_list_init(&r->steps, "key", cs_replay_row_text, NULL);
	cs_list_init(&r->rows, "key", cs_replay_row_text, NULL);
	cs_pager_init(&r->text);
	r->sets = json_array();
	return &r->view;
}

static void destroy(cs_view *v)
{
	cs_replay *r = of(v);

	cs_list_fini(&r->runs);
	cs_list_fini(&r->steps);
	cs_list_fini(&r->rows);
	cs_pager_fini(&r->text);
	json_decref(r->run);
	json_decref(r->new_state);
	json_decref(r->sets);
	json_decref(r->plan);
	json_decref(r->summary);
	free(r->plan_for);
	free(r->old_run);
	free(r->new_run);
	free(r);
}

static void set_text(char **where, const char *text)
{
	char *copy = cs_xstrdup(text);

	free(*where);
	*where = copy;
}

static void face(cs_replay *r, cs_replay_face f)
{
	r->face = f;
	r->view.focus = 0;
	cs_pager_home(&r->text);
}

void cs_replay_prepare(cs_replay *r, const char *run, const char *ref)
{
	cs_err err = { 0 };

	if (!r->old_run || strcmp(r->old_run, run) != 0)
		(void)json_array_clear(r->sets);
	set_text(&r->old_run, run);
	face(r, CS_REPLAY_SETUP);
	if (cs_replay_load_setup(r, &err) < 0) {
		face(r, CS_REPLAY_CHOOSE);
		cs_shell_say_err(r->view.sh, &err);
		return;
	}
	for (size_t i = 0; ref && *ref && i < r->steps.n; i++)
		if (strcmp(cs_json_str_or(cs_list_at(&r->steps, i), "ref", ""), ref) == 0)
			cs_list_go(&r->steps, i);
}

void cs_replay_compare(cs_replay *r, const char *old_run, const char *new_run)
{
	cs_err err = { 0 };

	set_text(&r->old_run, old_run);
	set_text(&r->new_run, new_run);
	face(r, CS_REPLAY_COMPARE);
	if (cs_replay_load_compare(r, &err) < 0) {
		face(r, CS_REPLAY_CHOOSE);
		cs_shell_say_err(r->view.sh, &err);
	}
}

static int load(cs_view *v, cs_err *err)
{
	cs_replay *r = of(v);
	CS_AUTOJSON json_t *rows = NULL;
	int rc;

	if (r->face == CS_REPLAY_SETUP)
		return cs_replay_load_setup(r, err);
	if (r->face == CS_REPLAY_COMPARE)
		return cs_replay_load_compare(r, err);
	rc = v->sh->src->runs(v->sh->src->ctx, NULL, LIST_MAX, &rows, err);
	if (rc < 0)
		return rc;
	cs_list_merge(&r->runs, rows);
	return CS_OK;
}

static void draw_run(void *ctx, cs_term *t, cs_rect r, const json_t *row, unsigned bits)
{
	cs_run_draw_row(((cs_replay *)ctx)->view.sh, t, r, row, bits);
}

static void draw_choose(cs_replay *r, cs_rect rect)
{
	cs_term *t = r->view.sh->term;

	r->view.columns = 1;
	if (r->runs.n == 0) {
		cs_pager_clear(&r->text);
		cs_pager_add(&r->text, CS_ST_DIM, 0, NULL, _("There is nothing to replay yet. Start a flow: capstan run FLOW"));
		cs_pager_draw(&r->text, t, rect, false);
		return;
	}
	(void)cs_term_put(t, rect.y, rect.x, rect.w, CS_ST_HEADER, _("Enter prepares a replay of a run, or compares a replay with what it came from"));
	cs_list_draw(&r->runs, t, (cs_rect){ rect.y + 1, rect.x, rect.h - 1, rect.w }, draw_run, r, true);
}

static void draw(cs_view *v, cs_rect rect)
{
	cs_replay *r = of(v);

	if (r->face == CS_REPLAY_SETUP)
		cs_replay_draw_setup(r, rect);
	else if (r->face == CS_REPLAY_COMPARE)
		cs_replay_draw_compare(r, rect);
	else
		draw_choose(r, rect);
}

static bool key(cs_view *v, cs_key k)
{
	return v->focus == 1 ? cs_pager_key(&of(v)->text, k) : cs_list_key(cs_replay_list(of(v)), k);
}

static bool open_row(cs_view *v)
{
	cs_replay *r = of(v);
	json_t *row = cs_list_row(&r->runs);

	if (r->face != CS_REPLAY_CHOOSE) {
		v->focus = 1;
		return true;
	}
	if (!row)
		return false;
	if (cs_show_replayed(row))
		cs_replay_compare(r, cs_show_replayed(row), cs_json_str_or(row, "run", ""));
	else
		cs_replay_prepare(r, cs_json_str_or(row, "run", ""), NULL);
	return true;
}

static bool back(cs_view *v)
{
	cs_replay *r = of(v);

	if (v->focus > 0) {
		v->focus = 0;
		return true;
	}
	/* who came by `f` goes back to the trace; who chose here, to the choice */
	if (r->face == CS_REPLAY_CHOOSE || (v->sh->depth && v->sh->stack[v->sh->depth - 1].view == CS_VIEW_TRACE)) {
		r->face = CS_REPLAY_CHOOSE;
		return false;
	}
	face(r, CS_REPLAY_CHOOSE);
	cs_shell_load(v->sh);
	return true;
}

static unsigned can(const cs_view *v)
{
	cs_replay *r = of(v);
	unsigned bits = 0;

	if (r->face == CS_REPLAY_SETUP)
		bits |= CS_CAN_SETUP | CS_CAN_RUN | CS_CAN_ROW;
	else if (r->face == CS_REPLAY_COMPARE)
		bits |= CS_CAN_COMPARE | CS_CAN_RUN | CS_CAN_ROW;
	else if (cs_list_row(&r->runs))
		bits |= CS_CAN_RUN | CS_CAN_ROW;
	if (cs_replay_list(r)->waiting)
		bits |= CS_CAN_FRESH;
	return bits;
}

static void subject(const cs_view *v, cs_buf *out)
{
	(void)v;   /* nothing here decides anything: a replay sends nothing */
	(void)out;
}

static void pane_of(cs_view *v, cs_list **ret_list, cs_pager **ret_pager)
{
	if (v->focus == 1)
		*ret_pager = &of(v)->text;
	else
		*ret_list = cs_replay_list(of(v));
}

static char *place(const cs_view *v)
{
	const cs_replay *r = of(v);

	if (r->face == CS_REPLAY_SETUP)
		return cs_xasprintf("setup\x1f%s\x1f%s", r->old_run, cs_replay_from(r) ? cs_replay_from(r) : "");
	if (r->face == CS_REPLAY_COMPARE)
		return cs_xasprintf("compare\x1f%s\x1f%s", r->old_run, r->new_run);
	return cs_xstrdup("choose\x1f\x1f");
}

static void go(cs_view *v, const char *where)
{
	cs_replay *r = of(v);
	const char *a = strchr(where, '\x1f'), *b = a ? strchr(a + 1, '\x1f') : NULL;
	CS_AUTOFREE char *first = b ? cs_xstrndup(a + 1, (size_t)(b - a - 1)) : NULL;

	if (!b)
		return;
	if (strncmp(where, "setup", 5) == 0)
		cs_replay_prepare(r, first, b + 1);
	else if (strncmp(where, "compare", 7) == 0)
		cs_replay_compare(r, first, b + 1);
	else
		face(r, CS_REPLAY_CHOOSE);
}

static json_t *object(const cs_view *v)
{
	const cs_replay *r = of(v);

	return r->face == CS_REPLAY_CHOOSE ? cs_list_row(&r->runs) : r->face == CS_REPLAY_COMPARE ? r->new_state : r->run;
}

static const char *object_id(const cs_view *v)
{
	return cs_json_str(object(v), "run");
}

static void note(const cs_view *v, cs_buf *out)
{
	cs_list *l = cs_replay_list(of(v));

	if (l->filter)
		(void)cs_buf_addf(out, "&%s  ", cs_filter_text(l->filter));
	if (l->n_fresh)
		(void)cs_buf_addf(out, _("%zu new ↑ g"), l->n_fresh);
}

static void lineage_line(cs_shell *sh, const json_t *run, int depth, const char *here)
{
	const char *id = cs_json_str_or(run, "run", "");
	CS_AUTOFREE char *line = cs_xasprintf("%s %s  %s  %s", depth ? "└" : "●", id, cs_json_str_or(run, "state", ""), cs_json_str_or(run, "started", ""));

	cs_pager_add(&sh->text, strcmp(id, here) == 0 ? CS_ST_BOLD : CS_ST_TEXT, depth * 2, NULL, line);
}

/* From the first ancestor down to this run, then what was replayed from it. */
void cs_act_lineage(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);
	const char *here = cs_json_str_or(v->ops->object(v), "run", "");
	CS_AUTOJSON json_t *chain = json_array(), *rows = NULL;
	const char *id = here;
	size_t i;
	json_t *run;
	int depth = 0;

	for (int n = 0; id && n < LINEAGE_MAX; n++) {
		json_t *one = NULL;

		if (sh->src->run(sh->src->ctx, id, &one, NULL) < 0)
			break;
		(void)json_array_insert_new(chain, 0, one);
		id = cs_json_str(one, "parent");
	}
	cs_pager_clear(&sh->text);
	json_array_foreach(chain, i, run)
		lineage_line(sh, run, depth++, here);
	if (sh->src->runs(sh->src->ctx, NULL, LIST_MAX, &rows, NULL) == CS_OK)
		json_array_foreach(rows, i, run)
			if (strcmp(cs_json_str_or(run, "parent", ""), here) == 0)
				lineage_line(sh, run, depth, here);
	cs_shell_text(sh, _("Where this run came from, and what came from it; the original never changes"));
}

const cs_view_ops cs_replay_ops = {
	.name = N_("Replay"), .digit = '4', .panes = 2, .create = create, .free = destroy, .load = load, .draw = draw,
	.key = key, .open = open_row, .back = back, .can = can, .subject = subject, .pane = pane_of,
	.place = place, .go = go, .object = object, .object_id = object_id, .note = note,
};
