/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flows.NAME.starts of capstan.yaml, and which runs of a flow may go on beside each other. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/flow_priv.h"
#include "flow/workspace_priv.h"

enum { CONCURRENT_MAX = 100000 };

/* A template is built as those of a flow are, over the expressions of the settings. */
static cs_build *build_new(cs_workspace *w, const cs_check *c, cs_flow *around)
{
	cs_build *b = cs_xcalloc(1, sizeof *b);
	*around = (cs_flow){ .exprs = w->exprs, .places = w->places };
	b->f = around;
	b->c = *c;
	b->src = c->src;
	b->event_only = true;
	return b;
}

static void build_end(cs_workspace *w, cs_build *b)
{
	w->places = b->f->places;
	cs_build_fini(b);
	free(b);
}

static void read_template(cs_workspace *w, cs_check *c, const json_t *entry, const char *key, bool constant, cs_template **ret)
{
	cs_flow around;
	const json_t *v = json_object_get(entry, key);
	if (v == NULL)
		return;
	cs_build *b = build_new(w, c, &around);
	size_t mark = cs_check_push(&b->c, key);
	cs_build_template(b, v, CS_TEMPLATE_STRICT, ret);
	if (constant && *ret != NULL && !cs_template_is_const(*ret))
		cs_check_error(&b->c, "what starts by the clock has no event to look at; write '%s' out, without expressions", key);
	cs_check_pop(&b->c, mark);
	build_end(w, b);
}

static void read_on(cs_workspace *w, cs_check *c, json_t *on, cs_start *s)
{
	cs_flow around;
	cs_build *b = build_new(w, c, &around);
	size_t mark = cs_check_push(&b->c, "on");
	s->on = cs_xcalloc(1, sizeof *s->on);
	cs_build_event_with(b, s->on, on);
	cs_check_pop(&b->c, mark);
	build_end(w, b);
}

/* ---- one entry ---------------------------------------------------------------------------------- */

/* Which members mean something beside which. */
static void check_together(cs_check *c, const json_t *entry)
{
	static const char *const by[] = { "on", "cron", "every" };
	size_t n = 0;
	for (size_t i = 0; i < CS_ARRAY_LEN(by); i++)
		n += json_object_get(entry, by[i]) != NULL;
	if (n != 1)
		cs_check_error(c, "a start needs exactly one of on, cron, every");
	if (json_object_get(entry, "on") != NULL && json_object_get(entry, "missed") != NULL)
		cs_check_error_key(c, "missed", "'missed' is of 'cron' and 'every'; an event that came is never missed");
	if (json_object_get(entry, "on") == NULL && json_object_get(entry, "once") != NULL)
		cs_check_error_key(c, "once", "'once' is of 'on'; an occurrence of a clock starts one run anyway");
}

static void read_start(cs_workspace *w, cs_check *c, json_t *entry, cs_start *s)
{
	static const cs_key keys[] = {
		{ "on", CS_IS_OBJECT }, { "cron", CS_IS_STRING }, { "every", CS_IS_STRING | CS_IS_OBJECT }, { "missed", CS_IS_STRING },
		{ "with", CS_IS_ANY }, { "once", CS_IS_STRING }, { NULL, 0 },
	};
	static const char *const missed[] = { "latest", "skip", "all", NULL };
	cs_check_object(c, entry, keys, "a start");
	if (!json_is_object(entry))
		return;
	check_together(c, entry);
	json_t *on = json_object_get(entry, "on");
	const char *cron = cs_json_str(entry, "cron");
	int word = cs_check_word(c, entry, "missed", missed);
	s->missed = word > 0 ? (cs_missed)word : CS_MISSED_LATEST;
	s->cron = cron != NULL ? cs_xstrdup(cron) : NULL;
	(void)cs_check_cron_key(c, entry, "cron", &s->when);
	(void)cs_check_interval_key(c, entry, "every", &s->every_ms);
	if (json_is_object(on))
		read_on(w, c, on, s);
	read_template(w, c, entry, "with", on == NULL, &s->with);
	read_template(w, c, entry, "once", false, &s->once);
	if (s->once != NULL && cs_template_is_const(s->once))
		cs_check_error_key(c, "once", "'once' is the same for every event, so only the first would ever start a run; write an expression, like '${ .id }'");
	cs_json_digest(entry, s->digest);
}

/* ---- flows.NAME --------------------------------------------------------------------------------- */

static void read_apart(cs_check *c, const json_t *v, cs_flow_settings *s)
{
	static const char *const alone[] = { "none", "subject", "flow", NULL };
	static const char *const lanes[] = { "interactive", "background", NULL };
	int word = cs_check_word(c, v, "one-at-a-time", alone);
	s->alone = word > 0 ? (cs_alone)word : CS_ALONE_NONE;
	s->background = cs_check_word(c, v, "lane", lanes) == 1;
	if (s->alone == CS_ALONE_SUBJECT && s->subject == NULL && json_object_get(v, "subject") == NULL)
		cs_check_error_key(c, "one-at-a-time", "'one-at-a-time: subject' needs 'subject', which says whose record a run is about");
	const json_t *n = json_object_get(v, "concurrent");
	if (n == NULL)
		return;
	if (json_is_integer(n) && json_integer_value(n) >= 1 && json_integer_value(n) <= CONCURRENT_MAX) {
		s->concurrent = (unsigned)json_integer_value(n);
		return;
	}
	size_t mark = cs_check_push(c, "concurrent");
	if (json_is_integer(n))
		cs_check_error(c, "'concurrent' must be between 1 and %d", CONCURRENT_MAX);
	cs_check_pop(c, mark);
}

void cs_settings_read_starts(cs_workspace *w, cs_check *c, json_t *v, cs_flow_settings *s)
{
	json_t *starts = json_object_get(v, "starts"), *entry;
	size_t i;
	read_apart(c, v, s);
	if (!json_is_array(starts))
		return;
	size_t mark = cs_check_push(c, "starts");
	s->starts = cs_xcalloc(json_array_size(starts) + 1, sizeof *s->starts);
	json_array_foreach(starts, i, entry) {
		size_t inner = cs_check_push_index(c, i);
		read_start(w, c, entry, &s->starts[s->n_starts++]);
		cs_check_pop(c, inner);
	}
	cs_check_pop(c, mark);
}

void cs_starts_free(cs_start *starts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (starts[i].on != NULL)
			cs_event_filter_fini(starts[i].on);
		free(starts[i].on);
		free(starts[i].cron);
		cs_template_free(starts[i].with);
		cs_template_free(starts[i].once);
	}
	free(starts);
}
