/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/schedule.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "engine/schedule_times.h"
#include "engine/start.h"

struct cs_schedule {
	char *key;                   /* what it is told by in the log: "NAMESPACE/NAME cron 0 6 * * 2" */
	char *actor;                 /* "schedule:NAME" */
	char *zone;                  /* cron: whose clock; NULL */
	const cs_flow *flow;         /* of the workspace */
	json_t *input;               /* NULL: {} */
	cs_times times;
	cs_missed missed;
	char *timer;                 /* armed; NULL: none */
	int64_t due, armed_seq;
	json_t *what;                /* of the armed timer */
};

/* ---- events ------------------------------------------------------------------------------------------- */

static int put(cs_engine *e, const cs_schedule *s, const char *type, json_t *data, int64_t cause, cs_err *err)
{
	CS_AUTOJSON json_t *owned = data;
	cs_event ev = { .at = e->step.now, .type = type, .data = owned, .actor = s->actor, .cause = cause,
			.simulated = cs_engine_simulated(e) };
	return cs_engine_append(e, &ev, err);
}

static void disarm(cs_schedule *s)
{
	cs_freep(&s->timer);
	json_decref(s->what);
	s->what = NULL;
	s->due = s->armed_seq = 0;
}

/* The occurrence under which a timer is known: the minute that the clock shows, or the instant. */
static json_t *what_of(const cs_schedule *s, const cs_instant *at)
{
	json_t *what = json_pack("{s:s, s:s, s:o}", "kind", "schedule", "schedule", s->key, "flow",
				 json_sprintf("%s/%s", s->flow->ns, s->flow->name));
	if (s->zone != NULL) {
		char local[CS_TIME_SIZE];
		cs_time_format(at->local * 60000, local);
		json_object_set_new(what, "local", json_stringn(local, strlen("2026-11-22T17:00")));
		json_object_set_new(what, "zone", json_string(s->zone));
	}
	return what;
}

static char *timer_id(const cs_schedule *s, const json_t *what, int64_t due)
{
	char at[CS_TIME_SIZE];
	cs_time_format(due, at);
	return s->zone != NULL ? cs_xasprintf("%s at %s %s", s->key, cs_json_str_or(what, "local", ""), s->zone)
			       : cs_xasprintf("%s at %s", s->key, at);
}

static int arm(cs_engine *e, cs_schedule *s, const cs_instant *at, int64_t cause, cs_err *err)
{
	disarm(s);
	s->what = what_of(s, at);
	s->timer = timer_id(s, s->what, at->ms);
	s->due = at->ms;
	int rc = put(e, s, "timer.armed", json_pack("{s:s, s:I, s:O}", "timer", s->timer, "due", (json_int_t)at->ms, "what", s->what), cause, err);
	s->armed_seq = cs_store_last_seq(e->store);
	return rc;
}

static int cancel(cs_engine *e, cs_schedule *s, const char *why, cs_err *err)
{
	int rc = put(e, s, "timer.cancelled", json_pack("{s:s, s:s}", "timer", s->timer, "why", why), s->armed_seq, err);
	disarm(s);
	return rc;
}

/* ---- what comes due --------------------------------------------------------------------------------------- */

/* What is armed has come: its run begins, and both are in the log together. */
static int fire(cs_engine *e, cs_schedule *s, cs_err *err)
{
	cs_bundle *b = cs_bundle_of_flow(e, s->flow);
	cs_err why = { 0 };
	/* Before anything is written: a flow that cannot be kept must not take the engine with it. */
	if (b == NULL || cs_bundle_store(e, b, &why) != CS_OK)
		return cancel(e, s, b == NULL ? "a role that the flow calls does not load" : why.msg, err);
	int rc = put(e, s, "timer.fired", json_pack("{s:s, s:I}", "timer", s->timer, "due", (json_int_t)s->due), s->armed_seq, err);
	disarm(s);
	const cs_start_order order = { .flow = s->flow, .input = s->input, .actor = s->actor, .cause = cs_store_last_seq(e->store),
				       .simulated = cs_engine_simulated(e) };
	return rc != CS_OK ? rc : cs_start_run(e, &order, NULL, err);
}

/* The first of DUE (ascending) that is started, with all after it; N: none. */
static size_t first_to_start(const cs_schedule *s, const cs_instant *due, size_t n, int64_t now)
{
	if (n == 0 || s->missed == CS_MISSED_ALL)
		return 0;
	bool missed = now - due[n - 1].ms > CS_SCHEDULE_LATE_MS;
	return s->missed == CS_MISSED_SKIP && missed ? n : n - 1;
}

static int fire_recurring(cs_engine *e, cs_schedule *s, int64_t now, cs_err *err)
{
	cs_instant due[CS_SCHEDULE_ALL_MAX], next;
	size_t n = cs_times_between(&s->times, e->ws->zone, s->due, now, due, CS_SCHEDULE_ALL_MAX);
	int64_t cause = s->armed_seq;
	int rc = CS_OK;
	for (size_t i = first_to_start(s, due, n, now); rc == CS_OK && i < n; i++) {
		if (due[i].ms != s->due) {
			if (s->timer != NULL)
				rc = cancel(e, s, "missed: no engine ran when it was due", err);
			if (rc == CS_OK)
				rc = arm(e, s, &due[i], cause, err);
		}
		if (rc == CS_OK)
			rc = fire(e, s, err);
	}
	if (rc == CS_OK && s->timer != NULL)
		rc = cancel(e, s, "missed: no engine ran when it was due", err);
	if (rc == CS_OK && cs_times_next(&s->times, e->ws->zone, n > 0 ? due[n - 1].ms : now, now, &next))
		rc = arm(e, s, &next, cause, err);
	return rc;
}

static void find_next_due(cs_engine *e)
{
	e->schedule_due = 0;
	for (size_t i = 0; i < e->n_schedules; i++)
		if (e->schedules[i].due > 0 && (e->schedule_due == 0 || e->schedules[i].due < e->schedule_due))
			e->schedule_due = e->schedules[i].due;
}

/* ---- what came due while this was a copy that rested ------------------------------------------------------ */

/* The other copy may have started them: the operator is asked, once for all of them. */
static int ask(cs_engine *e, const cs_schedule *s, size_t n, cs_err *err)
{
	char id[CS_ID_SIZE], first[CS_TIME_SIZE];
	CS_AUTOFREE char *flow = cs_xasprintf("%s/%s", s->flow->ns, s->flow->name);
	cs_time_format(s->due, first);
	e->step.new_id(e, id);
	CS_AUTOFREE char *title = cs_xasprintf("%s was due %s%zu time%s since %s, while this copy of the workspace rested: nothing was started", flow,
					       n == CS_SCHEDULE_ALL_MAX ? "at least " : "", n, n == 1 ? "" : "s", first);
	CS_AUTOFREE char *action = cs_xasprintf("Look whether the other copy has done it; if not, `capstan run %s` starts it once. Then dismiss this", flow);
	return put(e, s, "item.opened", json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "item", id, "kind", "notice", "title", title, "next", "dismiss", "call",
						  "schedule", "schedule", s->key, "action", action), s->armed_seq, err);
}

static int ask_one(cs_engine *e, cs_schedule *s, int64_t now, cs_err *err)
{
	cs_instant due[CS_SCHEDULE_ALL_MAX], next;
	bool after = s->times.how == CS_TIMES_AFTER;
	size_t n = after ? 1 : cs_times_between(&s->times, e->ws->zone, s->due, now, due, CS_SCHEDULE_ALL_MAX);
	int64_t cause = s->armed_seq;
	int rc = ask(e, s, n, err);
	if (rc == CS_OK)
		rc = cancel(e, s, "asked: it came due while this copy of the workspace rested", err);
	if (rc == CS_OK && cs_times_next(&s->times, e->ws->zone, !after && n > 0 ? due[n - 1].ms : now, now, &next))
		rc = arm(e, s, &next, cause, err);
	return rc;
}

int cs_schedules_ask_missed(cs_engine *e, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; rc == CS_OK && i < e->n_schedules; i++)
		if (e->schedules[i].due > 0 && e->schedules[i].due <= e->step.now)
			rc = ask_one(e, &e->schedules[i], e->step.now, err);
	find_next_due(e);
	return rc;
}

int cs_schedules_fire(cs_engine *e, int64_t now, cs_err *err)
{
	int rc = CS_OK;
	if (cs_schedules_next_due(e) == 0 || e->schedule_due > now)
		return CS_OK;
	for (size_t i = 0; rc == CS_OK && i < e->n_schedules; i++) {
		cs_schedule *s = &e->schedules[i];
		if (s->due > 0 && s->due <= now)
			rc = s->times.how == CS_TIMES_AFTER ? fire(e, s, err) : fire_recurring(e, s, now, err);
	}
	find_next_due(e);
	return rc;
}

int64_t cs_schedules_next_due(const cs_engine *e)
{
	return atomic_load(&e->closing) || e->resting ? 0 : e->schedule_due;
}

int cs_schedules_completed(cs_engine *e, const cs_run *r, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; rc == CS_OK && !r->shadow && i < e->n_schedules; i++) {
		cs_schedule *s = &e->schedules[i];
		if (s->times.how != CS_TIMES_AFTER || strcmp(s->flow->name, r->flow->name) != 0 || strcmp(s->flow->ns, r->flow->ns) != 0)
			continue;
		if (s->timer != NULL)
			rc = cancel(e, s, "another run of the flow has completed since", err);
		if (rc == CS_OK)
			rc = arm(e, s, &(cs_instant){ .ms = e->step.now + s->times.period }, r->last_seq, err);
		find_next_due(e);
	}
	return rc;
}

/* ---- which there are ----------------------------------------------------------------------------------------- */

static void schedule_fini(cs_schedule *s)
{
	disarm(s);
	free(s->key);
	free(s->actor);
	free(s->zone);
	json_decref(s->input);
}

static void list_free(cs_schedule *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		schedule_fini(&list[i]);
	free(list);
}

void cs_schedules_free(cs_engine *e)
{
	list_free(e->schedules, e->n_schedules);
	e->schedules = NULL;
	e->n_schedules = 0;
	e->schedule_due = 0;
}

/* What is being made of the workspace's files. */
typedef struct list {
	cs_engine *e;
	cs_schedule *items;
	size_t n;
} list;

/* The same text twice is told apart by its number. */
static char *unique_key(const list *l, const cs_flow *flow, const char *text, bool of_settings)
{
	char *base = cs_xasprintf("%s/%s %s%s", flow->ns, flow->name, of_settings ? "starts " : "", text);
	for (int nth = 1;; nth++) {
		char *key = nth == 1 ? cs_xstrdup(base) : cs_xasprintf("%s #%d", base, nth);
		size_t i = 0;
		while (i < l->n && strcmp(l->items[i].key, key) != 0)
			i++;
		if (i == l->n) {
			free(base);
			return key;
		}
		free(key);
	}
}

static void add(list *l, const cs_flow *flow, const cs_start *start, const cs_times *times, const char *cron)
{
	bool whole = times->period % 1000 == 0;
	CS_AUTOFREE char *text = times->how == CS_TIMES_CRON ? cs_xasprintf("cron %s", cron)
		: cs_xasprintf("%s %lld %s", times->how == CS_TIMES_EVERY ? "every" : "after", (long long)times->period / (whole ? 1000 : 1), whole ? "s" : "ms");
	l->items = cs_xrealloc(l->items, (l->n + 1) * sizeof *l->items);
	cs_schedule *s = &l->items[l->n];
	*s = (cs_schedule){ .key = unique_key(l, flow, text, start != NULL), .actor = cs_xasprintf("schedule:%s", flow->name), .flow = flow, .times = *times };
	l->n++;
	if (times->how == CS_TIMES_CRON)
		s->zone = cs_xstrdup(l->e->ws->timezone);
	if (start != NULL) {
		s->missed = start->missed;
		if (start->with != NULL)
			(void)cs_template_eval(start->with, NULL, &s->input, NULL);      /* a constant */
	}
}

static void add_flow(list *l, const cs_flow *f)
{
	const cs_flow_schedule *own = f->schedule;
	const cs_flow_settings *set = cs_workspace_flow_settings(l->e->ws, f->name);
	if (own != NULL && own->cron != NULL)
		add(l, f, NULL, &(cs_times){ .how = CS_TIMES_CRON, .cron = own->when }, own->cron);
	if (own != NULL && own->every_ms > 0)
		add(l, f, NULL, &(cs_times){ .how = CS_TIMES_EVERY, .period = own->every_ms }, NULL);
	if (own != NULL && own->after_ms > 0)
		add(l, f, NULL, &(cs_times){ .how = CS_TIMES_AFTER, .period = own->after_ms }, NULL);
	for (size_t i = 0; set != NULL && i < set->n_starts; i++) {
		const cs_start *s = &set->starts[i];
		if (s->cron != NULL)
			add(l, f, s, &(cs_times){ .how = CS_TIMES_CRON, .cron = s->when }, s->cron);
		else if (s->every_ms > 0)
			add(l, f, s, &(cs_times){ .how = CS_TIMES_EVERY, .period = s->every_ms }, NULL);
	}
}

/* Of a flow in several versions the highest is the one that starts. */
static void read_list(list *l)
{
	const cs_workspace *ws = l->e->ws;
	const char *only = l->e->opts.schedules_of;
	for (size_t i = 0; i < ws->n_flows; i++) {
		const cs_flow *f = ws->flows[i];
		CS_AUTOFREE char *full = cs_xasprintf("%s/%s", f->ns, f->name);
		if (cs_workspace_flow(ws, full) == f && (only == NULL || cs_workspace_flow(ws, only) == f))
			add_flow(l, f);
	}
}

static cs_schedule *find(cs_schedule *items, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(items[i].key, key) == 0)
			return &items[i];
	return NULL;
}

/* Goes on with the timer of OLD, where it is still the occurrence of S. */
static bool take_over(cs_schedule *s, cs_schedule *old)
{
	const char *zone = cs_json_str(old->what, "zone");
	if (old->timer == NULL || (zone == NULL) != (s->zone == NULL) || (zone != NULL && strcmp(zone, s->zone) != 0))
		return false;
	s->timer = CS_STEAL(old->timer);
	s->what = CS_STEAL(old->what);
	s->due = old->due;
	s->armed_seq = old->armed_seq;
	return true;
}

/* The schedules of today's files in place of OLD, which are taken over. */
static int replace(cs_engine *e, cs_schedule *old, size_t n_old, cs_err *err)
{
	list l = { .e = e };
	int rc = CS_OK;
	read_list(&l);
	e->schedules = l.items;
	e->n_schedules = l.n;
	for (size_t i = 0; i < l.n; i++) {
		cs_schedule *was = find(old, n_old, l.items[i].key);
		if (was != NULL)
			(void)take_over(&l.items[i], was);
	}
	for (size_t i = 0; rc == CS_OK && i < n_old; i++)
		if (old[i].timer != NULL)
			rc = cancel(e, &old[i], "the schedule is not in the files any more, or was changed", err);
	for (size_t i = 0; rc == CS_OK && i < l.n; i++) {
		cs_instant next;
		if (l.items[i].timer == NULL && cs_times_next(&l.items[i].times, e->ws->zone, e->step.now, e->step.now, &next))
			rc = arm(e, &l.items[i], &next, 0, err);
	}
	list_free(old, n_old);
	find_next_due(e);
	return rc;
}

int cs_schedules_reload(cs_engine *e, cs_err *err)
{
	return replace(e, CS_STEAL(e->schedules), e->n_schedules, err);
}

int cs_schedules_recover(cs_engine *e, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(e->reader, "SELECT id, due, what, seq FROM timer WHERE run = '' AND state = 'armed' ORDER BY due, id", NULL, &rows, err);
	if (rc != CS_OK)
		return rc;
	list l = { .e = e };
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		CS_AUTOJSON json_t *what = NULL;
		const char *text = cs_json_str_or(row, "what", "");
		if (cs_json_parse(text, strlen(text), &what, NULL) != CS_OK || strcmp(cs_json_str_or(what, "kind", ""), "schedule") != 0)
			continue;
		l.items = cs_xrealloc(l.items, (l.n + 1) * sizeof *l.items);
		l.items[l.n++] = (cs_schedule){ .key = cs_xstrdup(cs_json_str_or(what, "schedule", "")), .actor = cs_xstrdup("engine"),
						.timer = cs_xstrdup(cs_json_str_or(row, "id", "")), .due = cs_json_int_or(row, "due", 0),
						.armed_seq = cs_json_int_or(row, "seq", 0), .what = json_incref(what) };
	}
	return replace(e, l.items, l.n, err);
}
