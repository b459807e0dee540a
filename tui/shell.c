/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loop: drain all input, apply, paint once; sleep while nothing happens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/action.h"
#include "tui/shell.h"

#define BATCH 64

static const cs_view_ops *const all_views[CS_VIEW_COUNT] = {
	[CS_VIEW_INBOX] = &cs_inbox_ops, [CS_VIEW_RUNS] = &cs_runs_ops,
	[CS_VIEW_TRACE] = &cs_trace_ops, [CS_VIEW_REPLAY] = &cs_replay_ops,
};

int64_t cs_shell_now(void)
{
	return cs_clock_mono_ns() / 1000000;
}

cs_view *cs_shell_view(const cs_shell *sh)
{
	return sh->views[sh->at];
}

bool cs_shell_engine_inside(const cs_shell *sh)
{
	const char *engine = cs_json_str(sh->status, "engine");

	return engine ? strcmp(engine, "inside") == 0 : sh->opts->engine_inside;
}

unsigned cs_shell_can(const cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);
	unsigned can = v->ops->can(v);

	if (sh->search)
		can |= CS_CAN_SEARCH;
	if (sh->last >= 0)
		can |= CS_CAN_REPEAT;
	if (sh->gone)
		can |= CS_CAN_GONE;
	return can;
}

const char *cs_shell_unarmed(const cs_shell *sh)
{
	CS_AUTOBUF cs_buf now = { 0 };
	cs_view *v = cs_shell_view(sh);
	int64_t ms = cs_shell_now();

	cs_buf_init(&now, 4096);
	v->ops->subject(v, &now);
	if (now.len == 0)
		return _("what it decides is not on the screen: Enter opens it");
	if (!sh->subject || strcmp(sh->subject, cs_buf_str(&now)) != 0)
		return _("what is shown has just changed: read it, then press the key again");
	if (sh->burst)
		return _("keys came all at once, as a paste does, so nothing was decided: press the key alone");
	if (ms - sh->subject_ms < CS_ARM_MS || ms - sh->hush_ms < CS_ARM_MS)
		return _("this has only just appeared: read it, then press the key again");
	return NULL;
}

void cs_shell_say(cs_shell *sh, unsigned style, const char *text)
{
	char *copy = cs_xstrdup(text);

	free(sh->notice);
	sh->notice = copy;
	sh->notice_style = style;
	sh->dirty = true;
}

void cs_shell_sayf(cs_shell *sh, unsigned style, const char *fmt, ...)
{
	CS_AUTOFREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		cs_shell_say(sh, style, text);
}

void cs_shell_say_err(cs_shell *sh, const cs_err *err)
{
	cs_shell_say(sh, CS_ST_BAD, err->msg[0] ? err->msg : _("it failed without a reason: `capstan doctor` looks for one"));
}

void cs_shell_ages(cs_shell *sh, int64_t ms)
{
	int64_t at = cs_shell_now() + (ms > 50 ? ms : 50);

	if (!sh->tick_ms || at < sh->tick_ms)
		sh->tick_ms = at;
}

void cs_shell_load(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);
	cs_err err = { 0 };
	json_t *status = NULL;
	long before = sh->open_items;

	if (sh->src->status(sh->src->ctx, &status, &err) == CS_OK) {
		json_decref(sh->status);
		sh->status = status;
		sh->open_items = (long)cs_json_int_or(status, "waiting", 0);
		sh->live_runs = (long)cs_json_int_or(status, "running", 0);
		sh->going = (long)cs_json_int_or(status, "going", sh->live_runs);
	} else {
		cs_shell_say_err(sh, &err);
	}
	if (v->ops->load(v, &err) < 0)
		cs_shell_say_err(sh, &err);
	v->loaded = true;
	if (sh->open_items > before && before >= 0)
		cs_term_bell(sh->term);
	sh->stale = false;
	sh->dirty = true;
	sh->reload_ms = cs_shell_now() + CS_RELOAD_MS;
}

void cs_shell_go(cs_shell *sh, int view, const char *place, bool remember)
{
	cs_view *old = cs_shell_view(sh), *v = sh->views[view];

	if (remember) {
		if (sh->depth == CS_STACK_MAX) {
			free(sh->stack[0].place);
			memmove(sh->stack, sh->stack + 1, (CS_STACK_MAX - 1) * sizeof(sh->stack[0]));
			sh->depth--;
		}
		sh->stack[sh->depth++] = (cs_place){ sh->at, old->focus, old->ops->place(old) };
	}
	sh->at = view;
	if (place)
		v->ops->go(v, place);
	cs_shell_load(sh);
	if (place)
		v->ops->go(v, place);   /* once more: the row may have come with the load */
}

void cs_shell_back(cs_shell *sh)
{
	cs_view *v = cs_shell_view(sh);
	cs_place p;

	sh->dirty = true;
	if (v->ops->back(v))
		return;
	if (sh->depth == 0) {
		cs_shell_say(sh, CS_ST_DIM, _("This is where you began: Q leaves the console"));
		return;
	}
	p = sh->stack[--sh->depth];
	cs_shell_go(sh, p.view, p.place, false);
	cs_shell_view(sh)->focus = p.focus;
	free(p.place);
}

static void take_input(cs_shell *sh)
{
	cs_term_event events[BATCH];
	size_t n;

	do {
		n = cs_term_drain(sh->term, events, BATCH);
		/* keys that come together were not read and pressed one by one */
		sh->burst = n > 1;
		if (n > 1)
			sh->hush_ms = cs_shell_now();
		/* once for all of them: what is said of one is not lost to the next */
		if (n > 0)
			free(CS_STEAL(sh->notice));
		for (size_t i = 0; i < n; i++) {
			if (events[i].key == CS_KEY_PASTE)
				cs_shell_paste(sh, events[i].text);
			else
				cs_shell_key(sh, events[i].key);
			free(events[i].text);
			sh->dirty = true;
		}
	} while (n == BATCH);
	sh->burst = false;
}

static int timeout_of(const cs_shell *sh)
{
	int64_t now = cs_shell_now(), at = INT64_MAX;

	if (sh->asked)
		return 0;
	if (sh->dirty)
		at = sh->frame_ms;
	if (sh->stale && sh->reload_ms < at)
		at = sh->reload_ms;
	if (sh->tick_ms && sh->tick_ms < at)
		at = sh->tick_ms;
	if (at == INT64_MAX)
		return -1;
	return at <= now ? 0 : at - now > 3600000 ? 3600000 : (int)(at - now);
}

static void one_turn(cs_shell *sh)
{
	unsigned wake = cs_term_wait(sh->term, sh->src->fd, timeout_of(sh));
	int64_t now;

	sh->asked = false;
	if (wake & CS_WAKE_END) {
		sh->quit = true;
		return;
	}
	if (wake & CS_WAKE_RESIZE) {
		cs_term_resize(sh->term);
		sh->dirty = true;
	}
	if (wake & CS_WAKE_STOP)
		cs_act_stop(sh);
	if (wake & CS_WAKE_CONT) {
		cs_term_enter(sh->term);   /* whoever had the terminal meanwhile left it otherwise */
		sh->dirty = true;
		sh->stale = true;
	}
	if (wake & CS_WAKE_INPUT)
		take_input(sh);
	if (cs_shell_poll(sh))
		sh->dirty = true;
	now = cs_shell_now();
	if (sh->stale && now >= sh->reload_ms)
		cs_shell_load(sh);
	if (sh->tick_ms && now >= sh->tick_ms)
		sh->dirty = true;
	if (sh->dirty && now >= sh->frame_ms && !sh->quit) {
		cs_shell_paint(sh);
		sh->frame_ms = now + CS_FRAME_MS;
	}
}

static void shell_init(cs_shell *sh, const cs_source *src, const cs_console_opts *opts, cs_term *term)
{
	sh->src = src;
	sh->opts = opts;
	sh->term = term;
	sh->last = -1;
	sh->open_items = -1;
	cs_menu_init(&sh->menu);
	cs_pager_init(&sh->text);
	for (int i = 0; i < CS_VIEW_COUNT; i++) {
		sh->views[i] = all_views[i]->create(sh);
		sh->views[i]->ops = all_views[i];
		sh->views[i]->sh = sh;
	}
}

static void shell_fini(cs_shell *sh)
{
	for (int i = 0; i < CS_VIEW_COUNT; i++)
		if (sh->views[i])
			sh->views[i]->ops->free(sh->views[i]);
	while (sh->depth > 0)
		free(sh->stack[--sh->depth].place);
	cs_shell_forget_sent(sh);
	json_decref(sh->status);
	json_decref(sh->prompt.bound);
	free(sh->prompt.label);
	free(sh->prompt.word);
	free(sh->notice);
	free(sh->gone);
	cs_menu_fini(&sh->menu);
	cs_pager_fini(&sh->text);
	free(sh->text_title);
	cs_regex_free(sh->search);
	free(sh->search_text);
	free(sh->subject);
	free(sh);
}

int cs_console_run(const cs_source *src, const cs_console_opts *opts, cs_err *err)
{
	cs_shell *sh;
	cs_term *term = NULL;
	int r = cs_term_open(opts->in ? opts->in : stdin, opts->out ? opts->out : stdout, &term, err);

	if (r < 0)
		return r;
	sh = cs_xcalloc(1, sizeof(*sh));
	shell_init(sh, src, opts, term);
	cs_shell_go(sh, CS_VIEW_INBOX, NULL, false);
	if (opts->start_run)
		cs_shell_go(sh, CS_VIEW_TRACE, opts->start_run, true);
	while (!sh->quit)
		one_turn(sh);
	shell_fini(sh);
	cs_term_close(term);
	return CS_OK;
}
