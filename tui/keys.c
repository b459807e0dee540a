/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a key goes: a prompt, what lies over the screen, the action table, the view. */
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/shell.h"

static void end_prompt(cs_shell *sh)
{
	cs_prompt *p = &sh->prompt;

	/* a text under a prompt is what the prompt is about: both go */
	if (p->on && sh->over == CS_OVER_TEXT)
		sh->over = CS_OVER_NONE;
	p->on = false;
	p->keys = NULL;
	free(CS_STEAL(p->label));
	free(CS_STEAL(p->word));
	json_decref(CS_STEAL(p->bound));
}

void cs_shell_ask(cs_shell *sh, const char *label, const char *text, json_t *bound, cs_prompt_fn *done)
{
	end_prompt(sh);
	sh->prompt.on = true;
	sh->prompt.label = cs_xstrdup(label);
	sh->prompt.bound = bound;
	sh->prompt.done = done;
	cs_line_set(&sh->prompt.line, text);
	sh->dirty = true;
}

void cs_shell_ask_word(cs_shell *sh, const char *word, json_t *bound, cs_prompt_fn *done)
{
	CS_AUTOFREE char *label = cs_xasprintf(_("Type “%s”, then Enter:"), word);

	cs_shell_ask(sh, label, "", bound, done);
	sh->prompt.word = cs_xstrdup(word);
}

void cs_shell_choose(cs_shell *sh, const char *label, const char *keys, json_t *bound, cs_prompt_fn *done)
{
	cs_shell_ask(sh, label, "", bound, done);
	sh->prompt.keys = keys;
}

static void submit(cs_shell *sh)
{
	CS_AUTOJSON json_t *bound = CS_STEAL(sh->prompt.bound);
	CS_AUTOFREE char *text = cs_xstrdup(sh->prompt.line.text), *word = CS_STEAL(sh->prompt.word);
	cs_prompt_fn *done = sh->prompt.done;

	end_prompt(sh);
	if (word && strcmp(word, text) != 0) {
		cs_shell_sayf(sh, CS_ST_WAIT, _("Nothing was done: the word is “%s”; press the key again to type it"), word);
		return;
	}
	done(sh, bound, text);
}

static void prompt_key(cs_shell *sh, cs_key key)
{
	if (key == CS_KEY_ESC || key == CS_CTRL('c')) {
		end_prompt(sh);
		cs_shell_say(sh, CS_ST_DIM, _("Nothing was done: ? shows what can be"));
	} else if (sh->prompt.keys) {
		if (key > ' ' && key < 127 && strchr(sh->prompt.keys, (int)key) && !sh->burst) {
			cs_line_set(&sh->prompt.line, (char[2]){ (char)key, '\0' });
			submit(sh);
		} else if (sh->over != CS_OVER_TEXT || !cs_pager_key(&sh->text, key)) {
			cs_shell_say(sh, CS_ST_WAIT, _("One of the keys that the question names answers it, Esc leaves it"));
		}
	} else if (key == CS_KEY_ENTER && sh->burst) {
		/* a paste without its marks ends in Enter too */
		cs_shell_say(sh, CS_ST_WAIT, _("Enter came together with other keys, as in a paste: press it alone"));
	} else if (key == CS_KEY_ENTER) {
		submit(sh);
	} else if (!cs_line_key(&sh->prompt.line, key) && sh->over == CS_OVER_TEXT) {
		(void)cs_pager_key(&sh->text, key);
	}
}

void cs_shell_menu(cs_shell *sh, void (*done)(cs_shell *sh, int id))
{
	sh->over = CS_OVER_MENU;
	sh->menu_done = done;
	cs_menu_sort(&sh->menu);
	sh->dirty = true;
}

void cs_shell_text(cs_shell *sh, const char *title)
{
	char *copy = cs_xstrdup(title);

	sh->over = CS_OVER_TEXT;
	free(sh->text_title);
	sh->text_title = copy;
	cs_pager_home(&sh->text);
	sh->dirty = true;
}

static void menu_key(cs_shell *sh, cs_key key)
{
	int chosen;

	if (key == CS_KEY_ESC || key == CS_CTRL('c')) {
		sh->over = CS_OVER_NONE;
	} else if (key == CS_KEY_ENTER) {
		chosen = cs_menu_chosen(&sh->menu, -1);
		sh->over = CS_OVER_NONE;
		if (chosen >= 0)
			sh->menu_done(sh, chosen);
	} else {
		(void)cs_menu_key(&sh->menu, key);
	}
}

static void text_key(cs_shell *sh, cs_key key)
{
	if (key == CS_KEY_ESC || key == 'q' || key == CS_CTRL('c'))
		sh->over = CS_OVER_NONE;
	else
		(void)cs_pager_key(&sh->text, key);
}

/* Letters that go where others are used to have them go. Not k: it is an action. */
static bool goes_by_letter(cs_view *v, cs_key key)
{
	static const struct { char letter; cs_key key; } moves[] = { { 'j', CS_KEY_DOWN }, { 'G', CS_KEY_END }, { 'g', CS_KEY_HOME } };

	for (size_t i = 0; i < CS_ARRAY_LEN(moves); i++)
		if (key == (cs_key)moves[i].letter)
			return v->ops->key(v, moves[i].key);
	return false;
}

/* An action that cannot run leaves its key to a movement. */
static bool moves(cs_shell *sh, cs_view *v, cs_key key)
{
	int id = cs_action_find(key, sh->at, cs_shell_can(sh));

	if (id >= 0 && !(cs_actions[id].needs & ~cs_shell_can(sh)))
		return false;
	return goes_by_letter(v, key);
}

void cs_shell_key(cs_shell *sh, cs_key key)
{
	cs_view *v = cs_shell_view(sh);
	int id;

	if (key == CS_CTRL('l')) {
		cs_act_redraw(sh);
		return;
	}
	if (sh->prompt.on) {
		prompt_key(sh, key);
	} else if (sh->over == CS_OVER_MENU) {
		menu_key(sh, key);
	} else if (sh->over == CS_OVER_TEXT) {
		text_key(sh, key);
	} else if (moves(sh, v, key)) {
		sh->dirty = true;
	} else if ((id = cs_action_find(key, sh->at, cs_shell_can(sh))) >= 0) {
		cs_action_run(sh, (cs_action_id)id, false);
	} else if (key == CS_CTRL('c')) {
		cs_shell_say(sh, CS_ST_DIM, _("Q leaves the console; Esc goes back"));
	} else if (!v->ops->key(v, key) && key < CS_KEY_UP) {
		cs_shell_say(sh, CS_ST_DIM, _("That key does nothing here: ? shows the ones that do"));
	}
}

void cs_shell_paste(cs_shell *sh, const char *text)
{
	sh->hush_ms = cs_shell_now();
	if (sh->prompt.on && (sh->prompt.word || sh->prompt.keys)) {
		cs_shell_say(sh, CS_ST_WAIT, _("The word is typed, not pasted: type it, or Esc"));
	} else if (sh->prompt.on) {
		if (!cs_line_insert(&sh->prompt.line, text))
			cs_shell_say(sh, CS_ST_WAIT, _("Too long for a line, so nothing of it was taken: e opens an editor"));
	} else if (sh->over == CS_OVER_MENU) {
		if (cs_line_insert(&sh->menu.query, text))
			cs_menu_sort(&sh->menu);
	} else {
		cs_shell_say(sh, CS_ST_WAIT, _("What was pasted is text, and nothing here takes text: / searches for it"));
	}
}
