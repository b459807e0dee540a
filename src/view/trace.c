/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tree of a run's tasks, from its events alone: a row begins with the first event of a
 * (task, occurrence) and hangs below the latest row of the nearest enclosing task. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "view/row.h"

typedef struct node {
	json_t *row;                       /* borrowed from rows */
	struct node *parent, *first, *last, *next;
	int depth;
	bool back;                         /* it is being taken back, or that failed */
	char was[16];                      /* its state before */
} node;

typedef struct trace {
	json_t *latest;                    /* ref -> index of its latest node */
	json_t *known;                     /* "occurrence ref" -> index of its node */
	json_t *items;                     /* item id -> index of the node it belongs to */
	node *nodes;
	size_t n, cap;
	json_t *rows;                      /* keeps them alive until the tree is written out */
} trace;

/* ---- the tree ---------------------------------------------------------------------------- */

static node *node_at(const trace *t, const json_t *index)
{
	return json_is_integer(index) ? &t->nodes[json_integer_value(index)] : NULL;
}

/* The latest node of the longest proper prefix of REF that is a task. */
static json_int_t parent_of(const trace *t, const char *ref)
{
	CS_AUTOFREE char *prefix = cs_xstrdup(ref);
	for (char *slash; (slash = strrchr(prefix, '/')) != NULL;) {
		*slash = '\0';
		const json_t *index = json_object_get(t->latest, prefix);
		if (index)
			return json_integer_value(index);
	}
	return -1;
}

static const char *name_of(const char *ref)
{
	const char *slash = strrchr(ref, '/');
	return slash ? slash + 1 : ref;
}

static json_t *new_row(const cs_event *ev, int depth)
{
	return json_pack("{s:I, s:I, s:s, s:s, s:i, s:n, s:s, s:i, s:o, s:n, s:s, s:n, s:i, s:i, s:b, s:n, s:n}", "seq",
			 (json_int_t)ev->seq, "first_seq", (json_int_t)ev->seq, "ref", ev->task, "name", name_of(ev->task),
			 "depth", depth, "kind", "state", "running", "occurrence", ev->occurrence, "started",
			 cs_view_time(ev->at), "ended", "actor", ev->actor, "call", "attempts", 0, "cost", 0, "simulated",
			 (int)ev->simulated, "error", "approval");
}

/* Nodes may move while the table grows: links are set when it is complete, by their index. */
static node *add_node(trace *t, const cs_event *ev, const char *key)
{
	json_int_t parent = parent_of(t, ev->task);
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->nodes = cs_xrealloc(t->nodes, t->cap * sizeof *t->nodes);
	}
	node *n = &t->nodes[t->n];
	*n = (node){ .depth = parent < 0 ? 0 : t->nodes[parent].depth + 1 };
	n->row = new_row(ev, n->depth);
	json_array_append_new(t->rows, n->row);
	json_object_set_new(n->row, "parent", json_integer(parent));
	json_object_set_new(t->latest, ev->task, json_integer((json_int_t)t->n));
	json_object_set_new(t->known, key, json_integer((json_int_t)t->n));
	t->n++;
	return n;
}

static node *node_of(trace *t, const cs_event *ev)
{
	CS_AUTOFREE char *key = cs_xasprintf("%d %s", ev->occurrence, ev->task);
	node *n = node_at(t, json_object_get(t->known, key));
	return n ? n : add_node(t, ev, key);
}

/* ---- what an event says of its row -------------------------------------------------------- */

static void copy_as(json_t *row, const char *member, const cs_event *ev, const char *from)
{
	json_t *v = json_object_get(ev->data, from);
	if (v)
		json_object_set(row, member, v);
}

static void set_state(json_t *row, const char *state)
{
	json_object_set_new(row, "state", json_string(state));
}

static void take_started(trace *t, node *n, const cs_event *ev)
{
	(void)t;
	copy_as(n->row, "input", ev, "input");
	copy_as(n->row, "input", ev, "args");
	copy_as(n->row, "call", ev, "call");
	set_state(n->row, "running");
	json_object_set_new(n->row, "ended", json_null());
}

static void take_ended(trace *t, node *n, const cs_event *ev)
{
	(void)t;
	const char *state = strchr(ev->type, '.') + 1;
	set_state(n->row, state);
	json_object_set_new(n->row, "ended", cs_view_time(ev->at));
	copy_as(n->row, "output", ev, "output");
	if (strcmp(state, "faulted") == 0)
		copy_as(n->row, "error", ev, "error");
	else
		json_object_set_new(n->row, "error", json_null());
}

/* What the task did is taken back: a row of its own it has none. */
static void take_reversal(trace *t, node *n, const cs_event *ev)
{
	(void)t;
	static const struct { const char *verb, *state; bool back; } moves[] = {
		{ "begun", "compensating", true }, { "failed", "stuck", true }, { "reversed", "compensated", false },
		{ "waived", NULL, false },
	};
	const char *verb = strchr(ev->type, '.') + 1;
	for (size_t i = 0; i < CS_ARRAY_LEN(moves); i++) {
		if (strcmp(moves[i].verb, verb) != 0)
			continue;
		if (!n->back)
			snprintf(n->was, sizeof n->was, "%s", cs_json_str_or(n->row, "state", ""));
		n->back = moves[i].back;
		set_state(n->row, moves[i].state ? moves[i].state : n->was);
		if (!n->back && strcmp(n->was, "faulted") != 0)
			json_object_set_new(n->row, "error", json_null());
		copy_as(n->row, "error", ev, "error");
	}
}

static void take_attempt(trace *t, node *n, const cs_event *ev)
{
	(void)t;
	static const struct { const char *type, *state; } states[] = {
		{ "attempt.intent", "running" }, { "attempt.retry", "waiting" }, { "attempt.ambiguous", "waiting" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(states); i++) {
		if (strcmp(states[i].type, ev->type) == 0)
			set_state(n->row, n->back && i == 0 ? "compensating" : states[i].state);
	}
	bool asks = cs_json_str(ev->data, "probes") != NULL;     /* a probe, about what the task called */
	bool counts = strcmp(ev->type, "attempt.intent") == 0 && !asks;
	json_object_set_new(n->row, "attempts", json_integer(cs_json_int_or(n->row, "attempts", 0) + counts));
	json_object_set_new(n->row, "cost", json_integer(cs_json_int_or(n->row, "cost", 0) + cs_json_int_or(ev->data, "cost", 0)));
	if (!asks)
		copy_as(n->row, "call", ev, "call");
	copy_as(n->row, "error", ev, "error");
	if (strcmp(cs_json_str_or(ev->data, "to", ""), "in-doubt") == 0)
		set_state(n->row, "in-doubt");
}

static void take_item(trace *t, node *n, const cs_event *ev)
{
	const char *item = cs_json_str(ev->data, "item");
	if (!item)
		return;
	const char *word = strchr(ev->type, '.') + 1;
	const json_t *before = json_object_get(n->row, "approval");
	const char *by = cs_json_str(ev->data, "by");
	json_object_set_new(t->items, item, json_integer(n - t->nodes));
	/* Who decided stays said when the decision takes effect. */
	if (!by && strcmp(cs_json_str_or(before, "item", ""), item) == 0 && strcmp(word, "undone") != 0)
		by = cs_json_str(before, "by");
	CS_AUTOFREE char *whose = by ? cs_xstrdup(by) : NULL;
	json_object_set_new(n->row, "approval", json_pack("{s:s, s:s, s:s?}", "item", item, "state",
			    strcmp(word, "published") == 0 ? "pending" : word, "by", whose));
	if (strcmp(word, "published") == 0)
		set_state(n->row, "waiting");
}

typedef void take_fn(trace *t, node *n, const cs_event *ev);

static const struct { const char *prefix; take_fn *take; } takes[] = {
	{ "task.started", take_started }, { "task.caught", NULL }, { "task.corrected", NULL }, { "task.", take_ended }, { "attempt.", take_attempt },
	{ "approval.", take_item }, { "reversal.", take_reversal },
};

static int take_event(void *ctx, const cs_event *ev)
{
	trace *t = ctx;
	node *n = NULL;
	if (ev->task && ev->occurrence >= 1)
		n = node_of(t, ev);
	else if (cs_json_str(ev->data, "item"))   /* a decision names its item, not always its task */
		n = node_at(t, json_object_get(t->items, cs_json_str(ev->data, "item")));
	if (!n)
		return 0;
	json_object_set_new(n->row, "seq", json_integer((json_int_t)ev->seq));
	if (strcmp(ev->actor, "engine") != 0)
		json_object_set_new(n->row, "actor", json_string(ev->actor));
	for (size_t i = 0; i < CS_ARRAY_LEN(takes); i++) {
		if (strncmp(ev->type, takes[i].prefix, strlen(takes[i].prefix)) != 0)
			continue;
		if (takes[i].take)
			takes[i].take(t, n, ev);
		break;
	}
	return 0;
}

/* ---- the kinds, from the definition --------------------------------------------------------- */

/* `for` and `try` hold a do or a catch as well: they come first. */
static const char *const kinds[] = { "for", "try", "fork", "switch", "set", "raise", "emit", "call", "run", "wait", "listen", "do" };

/* The definition at REF; what stands in an extension is defined there. */
static const json_t *definition_at(const json_t *flow, const char *ref)
{
	static const char word[] = "/extensions/";
	const char *at = NULL;
	for (const char *p = strstr(ref, word); p; p = strstr(p + 1, word))
		at = p + sizeof word - 1;
	size_t i, n = at ? strcspn(at, "/") : 0;
	json_t *item;
	json_array_foreach(at ? json_object_get(json_object_get(flow, "use"), "extensions") : NULL, i, item) {
		CS_AUTOFREE char *pointer = cs_xasprintf("/%.*s", (int)n, at);
		if (cs_json_pointer(item, pointer))
			return cs_json_pointer(item, at - 1);
	}
	return cs_json_pointer(flow, ref);
}

static void add_kind(json_t *row, const json_t *flow)
{
	const json_t *task = definition_at(flow, cs_json_str_or(row, "ref", ""));
	if (json_object_get(task, "extend"))
		json_object_set_new(row, "kind", json_string("extension"));
	for (size_t i = 0; i < CS_ARRAY_LEN(kinds); i++) {
		if (json_object_get(task, kinds[i])) {
			json_object_set_new(row, "kind", json_string(kinds[i]));
			return;
		}
	}
	if (!json_is_null(json_object_get(row, "call")))
		json_object_set_new(row, "kind", json_string("call"));
}

/* A definition that is not there leaves the kinds open; it is verify's to say so. */
static void add_kinds(cs_reader *r, const char *run, trace *t)
{
	CS_AUTOJSON json_t *params = json_pack("[s]", run);
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *definition = NULL;
	if (cs_reader_query(r, "SELECT definition FROM run WHERE id = ?1", params, &rows, NULL) == CS_OK) {
		const char *hex = cs_json_str(json_array_get(rows, 0), "definition");
		if (hex && cs_reader_body(r, hex, &definition, NULL) != CS_OK)
			definition = NULL;
	}
	for (size_t i = 0; i < t->n; i++)
		add_kind(t->nodes[i].row, json_object_get(definition, "flow"));
}

/* ---- writing it out -------------------------------------------------------------------------- */

static node *link_all(trace *t)
{
	node *root = cs_xcalloc(1, sizeof *root);
	for (size_t i = 0; i < t->n; i++) {
		node *n = &t->nodes[i];
		json_int_t at = cs_json_int_or(n->row, "parent", -1);
		json_object_del(n->row, "parent");
		n->parent = at < 0 ? root : &t->nodes[at];
		if (n->parent->last)
			n->parent->last->next = n;
		else
			n->parent->first = n;
		n->parent->last = n;
	}
	return root;
}

static json_t *write_out(trace *t)
{
	json_t *out = json_array();
	CS_AUTOFREE node *root = link_all(t);
	for (node *n = root->first; n;) {
		json_array_append(out, n->row);
		if (n->first) {
			n = n->first;
			continue;
		}
		while (n && n != root && !n->next)
			n = n->parent;
		n = n && n != root ? n->next : NULL;
	}
	return out;
}

/* ---- without its events ------------------------------------------------------------------------ */

static const cs_view_column task_columns[] = {
	{ "seq", "seq", CS_VIEW_PLAIN }, { "first_seq", "seq", CS_VIEW_PLAIN }, { "ref", "ref", CS_VIEW_PLAIN }, { "name", "name", CS_VIEW_PLAIN },
	{ "kind", "kind", CS_VIEW_PLAIN }, { "state", "state", CS_VIEW_PLAIN }, { "occurrence", "occurrence", CS_VIEW_PLAIN },
	{ "started", "started", CS_VIEW_TIME }, { "ended", "ended", CS_VIEW_TIME }, { "actor", "actor", CS_VIEW_PLAIN },
	{ "call", "call", CS_VIEW_PLAIN }, { "attempts", "attempts", CS_VIEW_PLAIN }, { "cost", "cost", CS_VIEW_PLAIN },
	{ "simulated", "simulated", CS_VIEW_BOOL }, { "error", "error", CS_VIEW_PLAIN }, { "approval", "approval", CS_VIEW_PLAIN },
	{ NULL, NULL, CS_VIEW_PLAIN },
};

/* How many of the tasks in LATEST enclose REF. */
static int depth_in(const json_t *latest, const char *ref)
{
	CS_AUTOFREE char *prefix = cs_xstrdup(ref);
	int depth = 0;
	for (char *slash; (slash = strrchr(prefix, '/')) != NULL;) {
		*slash = '\0';
		depth += json_object_get(latest, prefix) != NULL;
	}
	return depth;
}

/* What the tables have of a run whose events cannot be read; WHY, which says so, where they have nothing. */
static int rows_of_tables(cs_reader *r, const char *run, const char *why, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[s]", run);
	CS_AUTOJSON json_t *tasks = NULL;
	CS_AUTOJSON json_t *refs = json_object();
	int rc = cs_reader_query(r, "SELECT task.*, run.simulated, (SELECT a.call FROM attempt AS a WHERE a.run = task.run AND a.task = task.ref"
				 " AND a.occurrence = task.occurrence ORDER BY a.seq DESC LIMIT 1) AS call FROM task JOIN run ON run.id = task.run"
				 " WHERE task.run = ?1 ORDER BY coalesce(task.started, task.ended), task.seq, task.ref", params, &tasks, err);
	if (rc)
		return rc;
	if (json_array_size(tasks) == 0)
		return cs_err_set(err, CS_EUNAVAIL, "%s", why);
	json_t *rows = json_array(), *task;
	size_t i;
	json_array_foreach(tasks, i, task) {
		const char *ref = cs_json_str_or(task, "ref", "");
		json_t *row = cs_view_object(task, task_columns), *says = json_string(why);
		json_object_set_new(row, "name", json_string(name_of(ref)));
		json_object_set_new(row, "depth", json_integer(depth_in(refs, ref)));
		json_object_set_new(row, "missing", says ? says : json_string("a segment of the archive cannot be read; put it back from a backup"));
		json_object_set_new(refs, ref, json_true());
		json_array_append_new(rows, row);
	}
	*ret = rows;
	return CS_OK;
}

int cs_view_trace(cs_reader *r, const char *run, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	trace t = { .latest = json_object(), .known = json_object(), .items = json_object(), .rows = json_array() };
	int rc = cs_view_take(&hold, r, err);
	if (!rc)
		rc = cs_view_need_run(r, run, err);
	if (!rc)
		rc = cs_reader_events(r, run, 1, INT64_MAX, take_event, &t, err);
	if (!rc) {
		add_kinds(r, run, &t);
		*ret = write_out(&t);
	} else if (cs_reader_lost(r)) {
		CS_AUTOFREE char *why = cs_xstrdup(cs_reader_lost(r));
		rc = rows_of_tables(r, run, why, ret, err);
	}
	free(t.nodes);
	json_decref(t.latest);
	json_decref(t.known);
	json_decref(t.items);
	json_decref(t.rows);
	return rc;
}

/* ---- events ----------------------------------------------------------------------------------- */

typedef struct listing {
	const char *ref;
	json_t *list;
} listing;

static int list_event(void *ctx, const cs_event *ev)
{
	listing *l = ctx;
	if (!l->ref || (ev->task && strcmp(ev->task, l->ref) == 0))
		json_array_append_new(l->list, cs_view_event_json(ev));
	return 0;
}

int cs_view_events(cs_reader *r, const char *run, const char *ref, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *list = json_array();
	listing l = { ref, list };
	int rc = cs_view_take(&hold, r, err);
	if (!rc)
		rc = cs_view_need_run(r, run, err);
	if (!rc)
		rc = cs_reader_events(r, run, 1, INT64_MAX, list_event, &l, err);
	if (!rc)
		*ret = CS_STEAL(list);
	return rc;
}
