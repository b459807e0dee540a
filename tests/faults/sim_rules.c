/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/sim_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/json.h"

void sim_rules_init(sim_rules *r)
{
	*r = (sim_rules){ .business = json_object(), .runs = json_object(), .old = json_object(), .let_go = json_object(), .barred = json_object(), .timers = json_object(), .done = json_object(), .reversing = json_object(), .types = json_object(), .shadows = json_object(),
			  .probes = json_object() };
}

void sim_rules_fini(sim_rules *r)
{
	json_decref(r->business);
	json_decref(r->runs);
	json_decref(r->old);
	json_decref(r->let_go);
	json_decref(r->barred);
	json_decref(r->timers);
	json_decref(r->done);
	json_decref(r->reversing);
	json_decref(r->types);
	json_decref(r->shadows);
	json_decref(r->probes);
}

void sim_rules_anew(sim_rules *r, int64_t same)
{
	sim_rules fresh;
	sim_rules_init(&fresh);
	fresh.happened = r->happened;
	fresh.counted = same;
	cs_json_put(&fresh.types, r->types);
	sim_rules_fini(r);
	*r = fresh;
}

static void wrong(sim_rules *r, const char *fmt, ...) CS_PRINTF(2, 3);
static void wrong(sim_rules *r, const char *fmt, ...)
{
	va_list ap;
	if (r->wrong[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(r->wrong, sizeof r->wrong, fmt, ap);
	va_end(ap);
}

static void on_timer(sim_rules *r, const cs_event *ev)
{
	const char *id = cs_json_str_or(ev->data, "timer", "");
	json_int_t due = cs_json_int_or(r->timers, id, 0);
	if (strcmp(ev->type, "timer.armed") == 0) {
		if (due != 0)
			wrong(r, "I11: seq %lld: the occurrence %s is armed a second time", (long long)ev->seq, id);
		json_object_set_new(r->timers, id, json_integer(cs_json_int_or(ev->data, "due", 0)));
		return;
	}
	if (due <= 0)
		wrong(r, "I11: seq %lld: %s of %s, which is not armed", (long long)ev->seq, ev->type, id);
	/* A replay waits for nobody's clock. */
	if (strcmp(ev->type, "timer.fired") == 0 && due > ev->at && json_object_get(r->shadows, ev->run) == NULL)
		wrong(r, "I11: seq %lld: %s fires before its time", (long long)ev->seq, id);
	json_object_set_new(r->timers, id, json_integer(-1));
}

/* The outside never lies to a probe, and what it is told is what is written. */
static void on_probed(sim_rules *r, const cs_event *ev, const char *key)
{
	if (cs_json_str(ev->data, "probes") != NULL)
		json_object_set(r->probes, key, json_object_get(ev->data, "probes"));
	bool found = cs_json_true(ev->data, "probed"), absent = cs_json_true(ev->data, "absent");
	if (r->happened == NULL || ev->seq <= r->counted || (!found && !absent))     /* it was seen when it was written */
		return;
	if (found != (cs_json_int_or(r->happened, key, 0) > 0))
		wrong(r, "I6: seq %lld: a probe has the key %.12s %s, and outside it is not so", (long long)ev->seq, key, found ? "done" : "absent");
}

static bool sends(const char *class)
{
	return strcmp(class, "unsafe") == 0 || strcmp(class, "keyed") == 0 || strcmp(class, "probe") == 0;
}

/* Of an old run the other copy may have sent whatever this one sends. */
static void on_copied(sim_rules *r, const cs_event *ev, const char *key, const char *entry)
{
	if (strcmp(ev->type, "attempt.resolved") == 0 && strcmp(cs_json_str_or(ev->data, "how", ""), "repeat") == 0)
		json_object_set_new(r->let_go, entry, json_true());
	if (strcmp(ev->type, "attempt.intent") != 0 || ev->simulated || !sends(cs_json_str_or(ev->data, "class", "")))
		return;
	if (json_object_get(r->old, ev->run) != NULL && json_object_get(r->let_go, entry) == NULL)
		json_object_set_new(r->barred, key, json_true());
}

static void on_created(sim_rules *r, const cs_event *ev)
{
	json_object_set_new(r->runs, ev->run, json_true());
	if (cs_json_true(ev->data, "shadow"))
		json_object_set_new(r->shadows, ev->run, json_true());
	if (json_object_get(r->old, cs_json_str_or(ev->data, "parent", "")) != NULL)
		json_object_set_new(r->old, ev->run, json_true());
}

static void on_incarnation(sim_rules *r)
{
	json_object_update(r->old, r->runs);
	json_object_clear(r->let_go);
}

static void on_attempt(sim_rules *r, const cs_event *ev)
{
	const char *key = cs_json_str(ev->data, "key"), *class = cs_json_str_or(ev->data, "class", "");
	CS_AUTOFREE char *entry = cs_xasprintf("%s %s %d", ev->run, ev->task != NULL ? ev->task : "", ev->occurrence);
	const char *done = cs_json_str(r->done, entry);
	if (key != NULL && cs_json_str(ev->data, "once") != NULL)
		json_object_set_new(r->business, key, json_true());
	if (key != NULL) {
		on_probed(r, ev, key);
		on_copied(r, ev, key, entry);
	}
	if (key == NULL || json_object_get(r->probes, key) != NULL || json_object_get(r->reversing, entry) != NULL)
		return;
	if (strcmp(ev->type, "attempt.intent") == 0 && sends(class) && done != NULL)
		wrong(r, "I3: seq %lld: %s of run %s is done under the key %.12s, and begun again under %.12s", (long long)ev->seq,
		      ev->task != NULL ? ev->task : "", ev->run, done, key);
	if (strcmp(ev->type, "attempt.done") == 0)
		json_object_set_new(r->done, entry, json_string(key));
}

static int read_one(void *ctx, const cs_event *ev)
{
	sim_rules *r = ctx;
	if (ev->seq > r->counted)
		json_object_set_new(r->types, ev->type, json_integer(cs_json_int_or(r->types, ev->type, 0) + 1));
	if (ev->at < r->at)
		wrong(r, "I1: seq %lld is dated before the one before it", (long long)ev->seq);
	r->at = ev->at;
	r->seq = ev->seq;
	if (strncmp(ev->type, "timer.", 6) == 0)
		on_timer(r, ev);
	else if (strncmp(ev->type, "attempt.", 8) == 0)
		on_attempt(r, ev);
	else if (strcmp(ev->type, "run.created") == 0)
		on_created(r, ev);
	else if (strncmp(ev->type, "breaker.", 8) == 0 && strcmp(ev->type, "breaker.failed") != 0)
		r->shut = strcmp(ev->type, "breaker.opened") == 0;
	else if (strcmp(ev->type, "engine.incarnation") == 0)
		on_incarnation(r);
	else if (strcmp(ev->type, "reversal.begun") == 0) {
		CS_AUTOFREE char *entry = cs_xasprintf("%s %s %d", ev->run, ev->task != NULL ? ev->task : "", ev->occurrence);
		json_object_set_new(r->reversing, entry, json_true());
	}
	return 0;
}

int sim_rules_read_on(sim_rules *r, cs_reader *reader, cs_err *err)
{
	return cs_reader_events(reader, NULL, r->seq + 1, INT64_MAX, read_one, r, err);
}
