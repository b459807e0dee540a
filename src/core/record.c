/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/record.h"

#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"

/* entries: "REF#N" -> {digest, asked, edited, result, error, decision, at, item, seq, cost}; items: id -> "REF#N".
 * An entry that was begun again by the operator: it has {patch, as} too. first: REF -> the occurrence that is not done,
 * and that its later ones stand for; pending: REF, "" the context -> changes that wait for the next begin; live: REF. */
struct cs_record {
	json_t *entries, *items, *first, *pending, *live;
};

cs_record *cs_record_new(void)
{
	cs_record *r = cs_xcalloc(1, sizeof *r);
	r->entries = json_object();
	r->items = json_object();
	r->first = json_object();
	r->pending = json_object();
	r->live = json_object();
	return r;
}

void cs_record_free(cs_record *r)
{
	if (r == NULL)
		return;
	json_decref(r->entries);
	json_decref(r->items);
	json_decref(r->first);
	json_decref(r->pending);
	json_decref(r->live);
	free(r);
}

static json_t *entry_of(cs_record *r, const char *ref, int occurrence)
{
	CS_AUTOFREE char *key = cs_xasprintf("%s#%d", ref, occurrence);
	json_t *e = json_object_get(r->entries, key);
	if (e == NULL) {
		e = json_object();
		json_object_set_new(r->entries, key, e);
	}
	return e;
}

static json_t *entry(cs_record *r, const cs_event *ev)
{
	return entry_of(r, ev->task, ev->occurrence);
}

static void keep(json_t *e, const json_t *data, const char *name)
{
	json_t *v = json_object_get(data, name);
	if (v != NULL)
		json_object_set(e, name, v);
}

static void add_end(json_t *e, const cs_event *ev)
{
	json_object_del(e, "result");
	json_object_del(e, "error");
	keep(e, ev->data, "result");
	keep(e, ev->data, "error");
	keep(e, ev->data, "cost");
	keep(e, ev->data, "tainted");
	json_object_del(e, "probed");
	keep(e, ev->data, "probed");
	json_object_set_new(e, "seq", json_integer(ev->seq));
}

static void add_digest(json_t *e, const cs_event *ev)
{
	keep(e, ev->data, "digest");
}

static void add_item(json_t *e, const cs_event *ev)
{
	keep(e, ev->data, "digest");
	keep(e, ev->data, "item");
	if (cs_json_str(ev->data, "previous") != NULL) {      /* what a person made of it */
		json_object_set(e, "edited", json_object_get(ev->data, "value"));
		return;
	}
	json_object_set(e, "asked", json_object_get(ev->data, "digest"));
	json_object_del(e, "edited");
}

static void add_time(json_t *e, const cs_event *ev)
{
	keep(e, ev->data, "turn");
	if (strcmp(ev->type, "approval.settled") == 0 && cs_json_str(ev->data, "decision") != NULL)
		json_object_set(e, "word", json_object_get(ev->data, "decision"));
	json_object_set_new(e, "at", json_integer(ev->at));
}

static void add_decision(json_t *e, const cs_event *ev)
{
	json_t *d = json_pack("{s:s}", "type", ev->type);
	keep(d, ev->data, "value");
	keep(d, ev->data, "note");
	keep(d, ev->data, "by");
	json_object_set_new(e, "decision", d);
	add_time(e, ev);
}

/* What a replay assumed is the decision that it was taken from. */
static void add_assumed(json_t *e, const cs_event *ev)
{
	json_t *d = json_pack("{s:s}", "type", cs_json_str_or(ev->data, "decided", ""));
	keep(d, ev->data, "value");
	keep(d, ev->data, "note");
	keep(d, ev->data, "by");
	json_object_set_new(e, "decision", d);
	keep(e, ev->data, "item");
	keep(e, ev->data, "digest");
	keep(e, ev->data, "at");
	keep(e, ev->data, "edited");
	keep(e, ev->data, "turn");
	if (cs_json_str(ev->data, "outcome") != NULL)
		json_object_set(e, "word", json_object_get(ev->data, "outcome"));
	if (json_object_get(ev->data, "digest") != NULL)
		json_object_set(e, "asked", json_object_get(ev->data, "digest"));
}

static void add_received(json_t *e, const cs_event *ev)
{
	json_t *all = json_object_get(e, "received");
	json_t *one = json_object();
	if (all == NULL) {
		all = json_array();
		json_object_set_new(e, "received", all);
	}
	keep(one, ev->data, "event");
	keep(one, ev->data, "tainted");
	json_array_append_new(all, one);
}

static void add_started(json_t *e, const cs_event *ev)
{
	keep(e, ev->data, "run");
}

static void add_undone(json_t *e, const cs_event *ev)
{
	(void)ev;
	json_object_del(e, "decision");
}

static const struct {
	const char *type;
	void (*add)(json_t *e, const cs_event *ev);
} kept[] = {
	{ "attempt.intent", add_digest },
	{ "attempt.done", add_end },
	{ "attempt.failed", add_end },
	{ "attempt.resolved", add_end },
	{ "attempt.reused", add_end },
	{ "attempt.captured", add_end },
	{ "approval.published", add_item },
	{ "approval.approved", add_decision },
	{ "approval.rejected", add_decision },
	{ "approval.answered", add_decision },
	{ "approval.expired", add_decision },
	{ "approval.assumed", add_assumed },
	{ "approval.undone", add_undone },
	{ "approval.consumed", add_time },
	{ "approval.settled", add_time },
	{ "event.received", add_received },
	{ "task.started", add_started },
};

/* Of a probe: what it was asked about is what the task did. */
static bool of_probe(cs_record *r, const cs_event *ev)
{
	const char *key = strncmp(ev->type, "attempt.", 8) == 0 ? cs_json_str(ev->data, "key") : NULL;
	if (key == NULL)
		return false;
	json_t *e = entry(r, ev);
	if (json_object_get(ev->data, "probes") != NULL)
		json_object_set_new(e, "asks", json_string(key));
	return strcmp(cs_json_str_or(e, "asks", ""), key) == 0;
}

/* ---- corrections ---------------------------------------------------------------------------------------------- */

static void add_to(json_t *o, const char *name, json_t *one)
{
	json_t *list = json_object_get(o, name);
	if (list == NULL)
		json_object_set_new(o, name, list = json_array());
	json_array_append(list, one);
}

static void add_patch(cs_record *r, const json_t *patch)
{
	size_t i;
	json_t *one;
	json_array_foreach(patch, i, one)
		add_to(r->pending, cs_json_str_or(one, "task", ""), one);
}

static void take_pending(cs_record *r, const char *ref, json_t *e)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(r->pending, ref), i, one)
		add_to(e, "patch", one);
	json_object_del(r->pending, ref);
}

/* TASK is done, or with INSIDE only what is in it: its next entry is another. */
static void end_chain(cs_record *r, const char *task, bool inside)
{
	size_t n = strlen(task);
	const char *ref;
	json_t *first;
	void *next;
	json_object_foreach_safe(r->first, next, ref, first)
		if (strncmp(ref, task, n) == 0 && (ref[n] == '/' || (ref[n] == '\0' && !inside)))
			json_object_del(r->first, ref);
}

static void begin_chain(cs_record *r, const cs_event *ev)
{
	if (json_object_get(r->first, ev->task) == NULL)
		json_object_set_new(r->first, ev->task, json_integer(ev->occurrence));
	json_t *e = entry_of(r, ev->task, (int)cs_json_int_or(r->first, ev->task, ev->occurrence));
	take_pending(r, "", e);
	take_pending(r, ev->task, e);
	if (json_object_get(e, "patch") != NULL)
		json_object_set_new(e, "as", json_integer(ev->occurrence));
}

/* What came of a task that the operator had corrected, over all tries until it was done. */
static void follow(cs_record *r, const cs_event *ev)
{
	const char *word = ev->type + strlen("task.");
	bool done = strcmp(word, "completed") == 0 || strcmp(word, "skipped") == 0, caught = strcmp(word, "caught") == 0;
	if (strcmp(word, "corrected") == 0) {                 /* it is a replay itself */
		json_object_set_new(r->first, ev->task, json_integer(cs_json_int_or(ev->data, "from", ev->occurrence)));
		add_patch(r, json_object_get(ev->data, "patch"));
		return;
	}
	bool begins = strcmp(word, "started") == 0;
	if (begins || ((done || strcmp(word, "faulted") == 0) && json_object_get(r->live, ev->task) == NULL))
		begin_chain(r, ev);
	if (begins)
		json_object_set_new(r->live, ev->task, json_true());
	else if (!caught)
		json_object_del(r->live, ev->task);
	if (done || caught)
		end_chain(r, ev->task, caught);
}

int cs_record_corrected(const cs_record *r, const char *ref, int occurrence, const json_t **ret_patch, int *ret_as)
{
	CS_AUTOFREE char *key = cs_xasprintf("%s#%d", ref, occurrence);
	const json_t *e = r == NULL ? NULL : json_object_get(r->entries, key), *patch = json_object_get(e, "patch");
	if (patch == NULL)
		return CS_ENOTFOUND;
	*ret_patch = patch;
	*ret_as = (int)cs_json_int_or(e, "as", occurrence);
	return CS_OK;
}

void cs_record_add(cs_record *r, const cs_event *ev)
{
	if (strcmp(ev->type, "run.corrected") == 0)
		add_patch(r, json_object_get(ev->data, "patch"));
	if (ev->task == NULL)
		return;
	if (strncmp(ev->type, "task.", 5) == 0)
		follow(r, ev);
	if (strcmp(ev->type, "task.started") == 0 && json_object_get(ev->data, "run") == NULL)
		return;
	if (of_probe(r, ev))
		return;
	for (size_t i = 0; i < CS_ARRAY_LEN(kept); i++)
		if (strcmp(kept[i].type, ev->type) == 0)
			kept[i].add(entry(r, ev), ev);
}

int cs_record_find(const cs_record *r, const char *ref, int occurrence, cs_recorded *ret)
{
	CS_AUTOFREE char *key = cs_xasprintf("%s#%d", ref, occurrence);
	json_t *e = r == NULL ? NULL : json_object_get(r->entries, key);
	if (e == NULL)
		return CS_ENOTFOUND;
	*ret = (cs_recorded){
		.digest = cs_json_str(e, "digest"),
		.asked = cs_json_str(e, "asked"),
		.edited = json_object_get(e, "edited"),
		.at = cs_json_int_or(e, "at", 0),
		.result = json_object_get(e, "result"),
		.error = json_object_get(e, "error"),
		.decision = json_object_get(e, "decision"),
		.item = cs_json_str(e, "item"),
		.turn = cs_json_str(e, "turn"), .word = cs_json_str(e, "word"),
		.seq = cs_json_int_or(e, "seq", 0),
		.cost = cs_json_int_or(e, "cost", 0),
		.tainted = cs_json_true(e, "tainted"), .probed = cs_json_true(e, "probed"),
		.run = cs_json_str(e, "run"),
		.received = json_object_get(e, "received"),
	};
	return CS_OK;
}
