/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Search in what has the focus, a list or a text: `/`, n, N, `3 of 17`. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/i18n.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/shell.h"

typedef struct target { cs_list *list; cs_pager *pager; size_t n, at; } target;

static bool target_of(const cs_shell *sh, target *t)
{
	cs_view *v = cs_shell_view(sh);

	*t = (target){ 0 };
	v->ops->pane(v, &t->list, &t->pager);
	if (t->pager) {
		t->n = t->pager->n;
		t->at = t->pager->cursor >= 0 ? (size_t)t->pager->cursor : 0;
	} else if (t->list) {
		t->n = t->list->n;
		t->at = t->list->cursor;
	}
	return t->n > 0;
}

static bool matches(const cs_shell *sh, const target *t, size_t i)
{
	CS_AUTOBUF cs_buf text = { 0 };
	const char *s;

	cs_buf_init(&text, 1u << 20);
	if (t->pager) {
		(void)cs_buf_addf(&text, "%s ", t->pager->lines[i].label ? t->pager->lines[i].label : "");
		(void)cs_buf_adds(&text, t->pager->lines[i].text);
	} else {
		t->list->text(t->list->ctx, cs_list_at(t->list, i), &text);
	}
	s = cs_buf_str(&text);
	return cs_regex_match(sh->search, s, strlen(s), 0, NULL, NULL) == 1;
}

void cs_shell_search_count(cs_shell *sh)
{
	target t;

	sh->search_at = sh->search_total = 0;
	if (!sh->search || !target_of(sh, &t))
		return;
	for (size_t i = 0; i < t.n; i++) {
		if (!matches(sh, &t, i))
			continue;
		sh->search_total++;
		if (i <= t.at)
			sh->search_at = sh->search_total;
	}
}

static void jump(target *t, size_t i)
{
	if (t->pager) {
		t->pager->cursor = (long)i;
		cs_pager_show_line(t->pager, i);
	} else {
		cs_list_go(t->list, i);
	}
}

/* FROM 0: the row itself may be the match; 1: the next one. */
static void step(cs_shell *sh, int dir, size_t from)
{
	target t;

	if (!target_of(sh, &t)) {
		cs_shell_say(sh, CS_ST_WAIT, _("There is nothing here to search: 2 lists the runs"));
		return;
	}
	for (size_t k = from; k < t.n + from; k++) {
		size_t i = dir > 0 ? (t.at + k) % t.n : (t.at + t.n - k % t.n) % t.n;

		if (matches(sh, &t, i)) {
			jump(&t, i);
			cs_shell_search_count(sh);
			return;
		}
	}
	cs_shell_search_count(sh);
	cs_shell_sayf(sh, CS_ST_WAIT, _("“%s” is not here: / searches for something else"), sh->search_text);
}

static void searched(cs_shell *sh, const json_t *bound, const char *text)
{
	cs_err err = { 0 };
	cs_regex *re = NULL;
	unsigned flags = CS_REGEX_CASELESS;

	(void)bound;
	/* a capital says that the case is meant */
	for (const char *p = text; *p; p++)
		if (isupper((unsigned char)*p))
			flags = 0;
	if (*text && cs_regex_new(text, flags, &re, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return;
	}
	cs_regex_free(sh->search);
	free(CS_STEAL(sh->search_text));
	sh->search = re;
	if (!re)
		return;
	sh->search_text = cs_xstrdup(text);
	step(sh, 1, 0);
}

void cs_act_search(cs_shell *sh)
{
	cs_shell_ask(sh, "/", "", NULL, searched);
}

void cs_act_search_next(cs_shell *sh)
{
	step(sh, 1, 1);
}

void cs_act_search_prev(cs_shell *sh)
{
	step(sh, -1, 1);
}

static void filtered(cs_shell *sh, const json_t *bound, const char *text)
{
	cs_view *v = cs_shell_view(sh);
	cs_list *list = NULL;
	cs_pager *pager = NULL;
	cs_filter *f = NULL;
	cs_err err = { 0 };

	(void)bound;
	v->ops->pane(v, &list, &pager);
	if (cs_filter_new(text, &f, &err) < 0) {
		cs_shell_say_err(sh, &err);
		return;
	}
	if (!list) {
		cs_filter_free(f);
		cs_shell_say(sh, CS_ST_WAIT, _("Only lists are filtered: Esc goes back to the list"));
		return;
	}
	cs_list_filter(list, f);
	if (f && list->n == 0)
		cs_shell_say(sh, CS_ST_WAIT, _("No row passes the filter: & and an empty line show everything"));
}

void cs_act_filter(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);
	cs_list *list = NULL;
	cs_pager *pager = NULL;

	v->ops->pane(v, &list, &pager);
	cs_shell_ask(sh, "&", list && list->filter ? cs_filter_text(list->filter) : "", NULL, filtered);
}
