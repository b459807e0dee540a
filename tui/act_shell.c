/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The actions that are the same on every screen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/shell.h"

void cs_act_inbox(cs_shell *sh)
{
	if (sh->at != CS_VIEW_INBOX)
		cs_shell_go(sh, CS_VIEW_INBOX, NULL, true);
}

void cs_act_runs(cs_shell *sh)
{
	if (sh->at != CS_VIEW_RUNS)
		cs_shell_go(sh, CS_VIEW_RUNS, NULL, true);
}

void cs_act_to_trace(cs_shell *sh)
{
	if (sh->at != CS_VIEW_TRACE)
		cs_shell_go(sh, CS_VIEW_TRACE, NULL, true);
}

void cs_act_replay(cs_shell *sh)
{
	if (sh->at != CS_VIEW_REPLAY)
		cs_shell_go(sh, CS_VIEW_REPLAY, NULL, true);
}

void cs_act_back(cs_shell *sh)
{
	cs_shell_back(sh);
}

void cs_act_open(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);

	if (!v->ops->open(v))
		cs_shell_say(sh, CS_ST_DIM, _("There is nothing to open here: the arrows choose a row"));
}

void cs_act_pane(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);

	v->focus = (v->focus + 1) % v->ops->panes;
	cs_shell_search_count(sh);
}

void cs_act_fresh(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);
	cs_list *list = NULL;
	cs_pager *pager = NULL;
	int focus = v->focus;

	v->focus = 0;
	v->ops->pane(v, &list, &pager);
	v->focus = focus;
	if (list)
		(void)cs_list_take_fresh(list);
}

void cs_act_again(cs_shell *sh)
{
	cs_action_run(sh, (cs_action_id)sh->last, false);
}

static void run_chosen(cs_shell *sh, int id)
{
	cs_action_run(sh, (cs_action_id)id, true);
}

void cs_act_palette(cs_shell *sh)
{
	unsigned can = cs_shell_can(sh);
	char key[16];

	cs_menu_fini(&sh->menu);
	/* what works here comes first */
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < CS_ACT_COUNT; i++) {
			const char *why = cs_action_why_not((cs_action_id)i, sh->at, can);

			if ((pass == 0) != (why == NULL))
				continue;
			cs_menu_add(&sh->menu, i, cs_actions[i].name, cs_action_key((cs_action_id)i, key),
				    why ? why : _(cs_actions[i].help), why != NULL);
		}
	}
	cs_shell_menu(sh, run_chosen);
}

static void copy_text(cs_shell *sh, const char *text, const char *what)
{
	cs_err err = { 0 };

	if (cs_term_copy(sh->term, text, &err) < 0)
		cs_shell_say_err(sh, &err);
	else
		cs_shell_sayf(sh, CS_ST_GOOD, _("Copied %s: paste it anywhere; y copies something else"), what);
}

enum { COPY_ID, COPY_JSON, COPY_COMMAND };

/* One word for a shell, whatever is in it. */
static void add_quoted(cs_buf *out, const char *s)
{
	(void)cs_buf_addc(out, '\'');
	for (; *s; s++)
		(void)cs_buf_adds(out, *s == '\'' ? "'\\''" : (char[2]){ *s, '\0' });
	(void)cs_buf_addc(out, '\'');
}

static void command_line(const cs_shell *sh, const char *id, cs_buf *out)
{
	(void)cs_buf_adds(out, "capstan ");
	if (sh->opts->workspace_dir) {
		(void)cs_buf_adds(out, "-C ");
		add_quoted(out, sh->opts->workspace_dir);
	}
	(void)cs_buf_adds(out, sh->at == CS_VIEW_INBOX ? " inbox show " : " trace ");
	add_quoted(out, id);
}

static void copy_chosen(cs_shell *sh, int what)
{
	cs_view *v = cs_shell_view(sh);
	const char *id = v->ops->object_id(v);
	json_t *object = v->ops->object(v);
	CS_AUTOBUF cs_buf text = { 0 };

	cs_buf_init(&text, 1u << 22);
	if (!object || !id)
		return;
	if (what == COPY_ID)
		(void)cs_buf_adds(&text, id);
	else if (what == COPY_JSON)
		(void)cs_json_write_pretty(object, &text);
	else
		command_line(sh, id, &text);
	copy_text(sh, cs_buf_str(&text), what == COPY_ID ? _("the id") : what == COPY_JSON ? _("the JSON") : _("the command line"));
}

void cs_act_copy(cs_shell *sh)
{
	cs_menu_fini(&sh->menu);
	cs_menu_add(&sh->menu, COPY_ID, "id", "", _("the id of what is selected"), false);
	cs_menu_add(&sh->menu, COPY_JSON, "json", "", _("all of it, as JSON"), false);
	cs_menu_add(&sh->menu, COPY_COMMAND, "command", "", _("the command line that shows it"), false);
	cs_shell_menu(sh, copy_chosen);
}

void cs_act_redraw(cs_shell *sh)
{
	cs_term_redraw(sh->term);
	sh->dirty = true;
}

void cs_act_stop(cs_shell *sh)
{
	cs_term_stop(sh->term, cs_shell_engine_inside(sh)
		? _("capstan: stopped, and the engine in it: nothing goes on until fg (`capstan serve` would go on)")
		: _("capstan: the console is stopped: fg comes back"));
	sh->dirty = true;
	sh->stale = true;
}

/* What is on its way goes on at once in the background, or at the next start. */
static void leave(cs_shell *sh, const json_t *bound, const char *text)
{
	(void)bound;
	*sh->opts->hand_over = strcmp(text, "y") == 0;
	sh->quit = true;
}

void cs_act_reattach(cs_shell *sh)
{
	cs_err err = { 0 };

	if (!sh->src->reattach || sh->src->reattach(sh->src->ctx, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return;
	}
	free(CS_STEAL(sh->gone));
	sh->stale = true;
	sh->reload_ms = 0;
	cs_shell_say(sh, CS_ST_GOOD, _("There is an engine again: decisions are taken as before"));
}

void cs_act_quit(cs_shell *sh)
{
	/* a decision that was pressed is a decision that arrives */
	if (sh->sent && !sh->quit_asked) {
		sh->quit_asked = true;
		cs_shell_say(sh, CS_ST_WAIT, _("A command has no answer yet: wait for it, or Q again leaves now"));
		return;
	}
	if (sh->opts->hand_over && cs_shell_engine_inside(sh) && sh->going > 0) {
		CS_AUTOFREE char *label = cs_xasprintf(P_("%ld run goes on: y in background, n later:", "%ld runs go on: y in background, n later:", sh->going), sh->going);

		cs_shell_choose(sh, label, "yn", NULL, leave);
		return;
	}
	sh->quit = true;
}
