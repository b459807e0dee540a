/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inbox: what waits for the operator, and one item with its card. */
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "view/row.h"

static const cs_view_column columns[] = {
	{ "id", "id", CS_VIEW_PLAIN }, { "kind", "kind", CS_VIEW_PLAIN }, { "title", "title", CS_VIEW_PLAIN },
	{ "run", "run", CS_VIEW_TEXT }, { "flow", "flow", CS_VIEW_PLAIN }, { "task", "task", CS_VIEW_PLAIN },
	{ "occurrence", "occurrence", CS_VIEW_PLAIN }, { "state", "state", CS_VIEW_PLAIN },
	{ "digest", "digest", CS_VIEW_PLAIN }, { "created", "created", CS_VIEW_TIME }, { "expires", "expires", CS_VIEW_TIME },
	{ "next", "next", CS_VIEW_PLAIN }, { "subject", "subject", CS_VIEW_PLAIN }, { "call", "call", CS_VIEW_PLAIN },
	{ "simulated", "simulated", CS_VIEW_BOOL }, { "confirm", "confirm", CS_VIEW_PLAIN },
	{ "snoozed_until", "snoozed_until", CS_VIEW_TIME }, { "delegated_to", "delegated_to", CS_VIEW_PLAIN },
	{ "by", "decided_by", CS_VIEW_PLAIN }, { "note", "note", CS_VIEW_PLAIN },
	{ "grace_until", "grace_until", CS_VIEW_TIME }, { "previous", "previous", CS_VIEW_PLAIN },
	{ "successor", "successor", CS_VIEW_PLAIN }, { "replay_of", "replay_of", CS_VIEW_TEXT },
	{ "level", "level", CS_VIEW_PLAIN }, { "reminded", "reminded", CS_VIEW_PLAIN },
	{ "run_seq", "run_seq", CS_VIEW_PLAIN }, { NULL, NULL, CS_VIEW_PLAIN },
};

/* A decision that took effect has another state, but what was decided stays what is shown. */
#define DECIDED "(SELECT substr(ev.type, 10) FROM event ev WHERE ev.seq = item.decided_seq AND ev.type LIKE 'approval.%')"
#define FAULT "(SELECT ev.data FROM event ev WHERE ev.seq = item.published_seq AND item.kind = 'fault')"
/* The call of the place where it faulted, where that was sent and answered: the effect is there, whatever came after. */
#define HAPPENED "(SELECT " CS_VIEW_ANSWERED " FROM event ev" \
	" JOIN attempt a ON a.run = item.run AND a.task = json_extract(ev.data, '$.at') WHERE item.kind = 'fault' AND item.state = 'open'" \
	" AND ev.seq = item.published_seq AND json_extract(ev.data, '$.action') IS NULL ORDER BY a.seq DESC LIMIT 1)"
#define ITEM_ROWS "SELECT item.*, run.flow, run.subject, run.cost AS run_cost, CASE WHEN run.kind = 'sub' THEN NULL ELSE run.parent END AS replay_of, run.definition, run.last_seq AS run_seq, " \
	FAULT " AS fault, " HAPPENED " AS happened, " DECIDED " AS decided" \
	" FROM item LEFT JOIN run ON run.id = item.run"
#define WAITS "item.state IN ('proposed','pending','open')"

static bool waits(const char *state)
{
	return strcmp(state, "pending") == 0 || strcmp(state, "open") == 0 || strcmp(state, "proposed") == 0;
}

/* The next step where the event named none: no item without one. */
static const char *next_step(const char *kind, const char *state)
{
	static const struct { const char *kind, *next; } steps[] = {
		{ "approval", "approve or reject" }, { "question", "answer" }, { "in-doubt", "resolve" }, { "fault", "retry or cancel" }, { "notice", "dismiss" }, { "disk", "dismiss" }, { "clock", "release" },
	};
	for (size_t i = 0; waits(state) && i < CS_ARRAY_LEN(steps); i++) {
		if (strcmp(steps[i].kind, kind) == 0)
			return steps[i].next;
	}
	return NULL;
}

/* The last part of an error's type: validation, communication, … */
static const char *error_word(const json_t *error)
{
	const char *type = cs_json_str_or(error, "type", ""), *slash = strrchr(type, '/');
	return slash ? slash + 1 : type;
}

/* A reply that said itself that it failed (`fails`) is no effect that happened; one that was not understood, or came too
 * late for the task, is. */
bool cs_view_happened(const char *call, const json_t *error)
{
	return call && strcmp(error_word(error), "communication") != 0;
}

/* What is to be done about a fault depends on what it was. */
static void put_step(const json_t *row, const char *at, const json_t *error, json_t *item)
{
	static const struct { const char *step, *next; } steps[] = {
		{ "happened", "it has happened: look there before a retry" }, { "input", "run it again with another input" }, { "correct", "correct, then retry" },
	};
	const char *word = error_word(error), *call = cs_json_str(row, "happened"), *step = "retry";
	bool happened = cs_view_happened(call, error);
	json_object_set_new(item, "happened", happened ? json_string(call) : json_null());
	if (happened)
		step = "happened";
	else if (strcmp(at, "/input") == 0)
		step = "input";
	else if (strcmp(word, "validation") == 0 || strcmp(word, "expression") == 0)
		step = "correct";
	json_object_set_new(item, "step", json_string(step));
	for (size_t i = 0; waits(cs_json_str_or(item, "state", "")) && i < CS_ARRAY_LEN(steps); i++)
		if (strcmp(steps[i].step, step) == 0)
			json_object_set_new(item, "next", json_string(steps[i].next));
}

/* What faults of one cause have in common: the definition, the place in it, the error by its type,
 * status and title, and whether the effect is there. What it says in detail differs from run to run. */
static void put_cause(const json_t *row, json_t *item)
{
	static const char *const said[] = { "type", "status", "title" };
	CS_AUTOJSON json_t *data = cs_json_lenient(cs_json_str_or(row, "fault", "{}"));
	const json_t *error = json_object_get(data, "error");
	const char *at = cs_json_str_or(data, "at", cs_json_str_or(item, "task", ""));
	CS_AUTOJSON json_t *what = json_pack("[s, s, b, b]", cs_json_str_or(row, "definition", ""), at,
					     cs_json_true(item, "simulated"), cs_json_str(item, "replay_of") != NULL);
	char digest[CS_HEX_SIZE];
	for (size_t i = 0; i < CS_ARRAY_LEN(said); i++) {
		json_t *v = json_object_get(error, said[i]);
		json_array_append(what, v ? v : json_null());
	}
	put_step(row, at, error, item);
	json_array_append(what, json_object_get(item, "happened"));
	cs_json_digest(what, digest);
	json_object_set_new(item, "at", *at ? json_string(at) : json_null());
	json_object_set_new(item, "cause", json_string(digest));
}

static json_t *item_of(const json_t *row)
{
	json_t *item = cs_view_object(row, columns);
	const char *state = cs_json_str_or(item, "state", "");
	if (json_is_null(json_object_get(item, "next"))) {
		bool question = strcmp(cs_json_str_or(item, "call", ""), "ask") == 0;
		const char *next = next_step(question ? "question" : cs_json_str_or(item, "kind", ""), state);
		json_object_set_new(item, "next", next ? json_string(next) : json_null());
	}
	/* how an item was closed stands in its note */
	const char *decided = strcmp(state, "closed") == 0 ? cs_json_str_or(row, "note", state) : cs_json_str_or(row, "decided", state);
	json_object_set_new(item, "word", waits(state) ? json_null() :
			    json_string(strcmp(decided, "consumed") == 0 ? "approved" : decided));
	if (strcmp(cs_json_str_or(item, "kind", ""), "fault") == 0)
		put_cause(row, item);
	return item;
}

int cs_view_inbox(cs_reader *r, bool all, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(r, all ? ITEM_ROWS " ORDER BY NOT (" WAITS "), CASE WHEN " WAITS " THEN -item.level ELSE 0 END, CASE WHEN " WAITS " THEN coalesce("
				 "item.expires, 9223372036854775807) ELSE -item.created END, item.created, item.id"
				 : ITEM_ROWS " WHERE " WAITS " ORDER BY item.level DESC, item.expires IS NULL, item.expires, item.created, item.id", NULL, &rows, err);
	if (rc)
		return rc;
	json_t *items = json_array(), *row;
	size_t i;
	json_array_foreach(rows, i, row)
		json_array_append_new(items, item_of(row));
	*ret = items;
	return CS_OK;
}

/* ---- one cause ---------------------------------------------------------------------------- */

static void join(json_t *first, const json_t *item)
{
	static const struct { const char *all, *one; } lists[] = { { "ids", "id" }, { "runs", "run" }, { "run_seqs", "run_seq" } };
	for (size_t i = 0; i < CS_ARRAY_LEN(lists); i++) {
		if (!json_object_get(first, lists[i].all))
			json_object_set_new(first, lists[i].all, json_pack("[O]", json_object_get(first, lists[i].one)));
		json_array_append(json_object_get(first, lists[i].all), json_object_get(item, lists[i].one));
	}
	json_object_set_new(first, "count", json_integer((json_int_t)json_array_size(json_object_get(first, "ids"))));
}

json_t *cs_view_by_cause(const json_t *items)
{
	CS_AUTOJSON json_t *firsts = json_object();
	json_t *rows = json_array(), *item;
	size_t i;
	json_array_foreach((json_t *)items, i, item) {
		const char *cause = waits(cs_json_str_or(item, "state", "")) ? cs_json_str(item, "cause") : NULL;
		json_t *first = cause ? json_object_get(firsts, cause) : NULL;
		if (first) {
			join(first, item);
			continue;
		}
		CS_AUTOJSON json_t *row = json_copy(item);
		json_array_append(rows, row);
		if (cause)
			json_object_set(firsts, cause, row);
	}
	return rows;
}

int cs_view_joined(cs_reader *r, int64_t *ret, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *items = json_array();
	size_t i;
	json_t *row;
	int rc = cs_reader_query(r, ITEM_ROWS " WHERE item.kind = 'fault' AND item.state = 'open'", NULL, &rows, err);
	if (rc)
		return rc;
	json_array_foreach(rows, i, row)
		json_array_append_new(items, item_of(row));
	CS_AUTOJSON json_t *causes = cs_view_by_cause(items);
	*ret = (int64_t)(json_array_size(items) - json_array_size(causes));
	return CS_OK;
}

int cs_view_cause_of(cs_reader *r, const char *id, json_t **ret, cs_err *err)
{
	CS_AUTOJSON json_t *items = NULL;
	int rc = cs_view_inbox(r, false, &items, err);
	if (rc)
		return rc;
	CS_AUTOJSON json_t *rows = cs_view_by_cause(items);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		if (strcmp(cs_json_str_or(row, "kind", ""), "fault") != 0)
			continue;
		if (strcmp(cs_json_str_or(row, "id", ""), id) == 0 || cs_json_lists(json_object_get(row, "ids"), id)) {
			*ret = json_incref(row);
			return CS_OK;
		}
	}
	return cs_err_set(err, CS_ENOTFOUND, "%.80s is no fault that waits", id);
}

/* ---- one item ---------------------------------------------------------------------------- */

static void copy(json_t *to, const json_t *from, const char *member)
{
	json_t *v = json_object_get(from, member);
	if (v)
		json_object_set(to, member, v);
}

static void put(json_t *card, const char *member, json_t *owned)
{
	if (!json_object_get(card, member) || strcmp(member, "as") == 0)
		json_object_set_new(card, member, owned);
	else
		json_decref(owned);
}

static void put_why(json_t *card, const json_t *published)
{
	const char *rule = cs_json_str(published, "rule"), *why = cs_json_str(published, "why");
	if (rule && why && *why)
		put(card, "why", json_sprintf("%s: %s", rule, why));
	else if (rule)
		put(card, "why", json_string(rule));
}

static void put_from(json_t *card, const json_t *published)
{
	const json_t *taint = json_object_get(published, "taint");
	const char *proposer = cs_json_str(published, "proposer");
	CS_AUTOBUF cs_buf names;
	cs_buf_init(&names, 4096);
	for (size_t i = 0; i < json_array_size(taint); i++) {
		const char *name = json_string_value(json_array_get(taint, i));
		cs_buf_addf(&names, "%s%s", i ? ", " : "", name ? name : "?");
	}
	if (names.len)
		put(card, "from", json_sprintf("untrusted: %s; proposed by %s", cs_buf_str(&names), proposer ? proposer : "the flow"));
	else if (proposer)
		put(card, "from", json_sprintf("proposed by %s", proposer));
}

/* "2026-11-23 09:30 UTC (in 4h)": to the minute, as a person reads it. */
static void add_date(cs_buf *text, int64_t ms)
{
	char at[CS_TIME_SIZE], left[32];
	int64_t wait = ms - cs_clock_wall_ms();
	cs_time_format(ms, at);
	cs_buf_addf(text, "%.10s %.5s UTC", at, at + 11);
	if (wait <= 0)
		return;
	cs_duration_show(wait, left, sizeof left);
	cs_buf_addf(text, " (in %s)", left);
}

/* Dates as they were published, {at, to} or the time alone. */
static json_t *dates_of(const json_t *list)
{
	CS_AUTOBUF cs_buf text;
	size_t i;
	json_t *one;
	cs_buf_init(&text, 4096);
	json_array_foreach(list, i, one) {
		const char *to = cs_json_str(one, "to");
		cs_buf_adds(&text, i ? ", " : "");
		add_date(&text, json_is_object(one) ? cs_json_int_or(one, "at", 0) : json_integer_value(one));
		cs_buf_addf(&text, "%s%s", to ? " to " : "", to ? to : "");
	}
	return json_string(cs_buf_str(&text));
}

/* What becomes of the run where it is not accepted: an answer, a rejection, the expiry. */
static void put_ways(json_t *card, const json_t *published)
{
	static const struct { const char *member, *as; } ways[] = { { "on_reject", "rejected" }, { "on_expiry", "expired" } };
	const char *back = cs_json_str(published, "back");
	int round = (int)cs_json_int_or(published, "round", 1), rounds = (int)cs_json_int_or(published, "rounds", 0);
	if (back && rounds > 0 && round > rounds)
		put(card, "answered", json_sprintf("counts as a rejection: it went back to %s %d times", back, rounds));
	else if (back && rounds > 0)
		put(card, "answered", json_sprintf("goes back to %s, round %d of %d", back, round, rounds));
	else if (back)
		put(card, "answered", json_sprintf("goes back to %s, round %d", back, round));
	static const struct { const char *member, *as; } dates[] = { { "escalate", "escalates" }, { "remind", "reminds" } };
	for (size_t i = 0; i < CS_ARRAY_LEN(dates); i++)
		if (json_array_size(json_object_get(published, dates[i].member)) > 0)
			put(card, dates[i].as, dates_of(json_object_get(published, dates[i].member)));
	for (size_t i = 0; i < CS_ARRAY_LEN(ways); i++) {
		const char *word = cs_json_str(published, ways[i].member);
		if (word)
			put(card, ways[i].as, json_string(strcmp(word, "end") == 0 ? "the run ends" : "the run goes on without it"));
	}
}

static json_t *card_of(const json_t *published, const json_t *row)
{
	json_t *card = json_copy(json_object_get(published, "card"));
	char grace[32];
	if (!card)
		card = json_object();
	const char *will_do = cs_json_str(card, "will_do"), *as = cs_json_str(card, "as");
	if (will_do)
		put(card, "as", as ? json_sprintf("%s as %s", will_do, as) : json_string(will_do));
	put_why(card, published);
	put_from(card, published);
	copy(card, published, "touches");
	int64_t ms = cs_json_int_or(row, "grace", 0);
	if (ms > 0) {
		cs_duration_show(ms, grace, sizeof grace);
		put(card, "undo", json_sprintf("%s after the decision; then none", grace));
	}
	put_ways(card, published);
	put(card, "cost", json_integer(cs_json_int_or(row, "run_cost", 0)));
	return card;
}

typedef struct history {
	const char *item;
	json_t *list;
} history;

static int add_history(void *ctx, const cs_event *ev)
{
	history *h = ctx;
	const char *item = cs_json_str(ev->data, "item");
	if (!item || strcmp(item, h->item) != 0)
		return 0;
	json_t *note = json_object_get(ev->data, "note");
	json_t *line = json_pack("{s:I, s:s, s:o, s:s, s:o, s:O}", "seq", (json_int_t)ev->seq, "type", ev->type, "at",
				 cs_view_time(ev->at), "actor", ev->actor, "says", cs_view_says(ev), "note",
				 note ? note : json_null());
	json_array_append_new(h->list, line);
	return 0;
}

static int add_published(cs_reader *r, const json_t *row, json_t *item, cs_err *err)
{
	static const char *const members[] = { "value", "allow", "rule", "why", "taint", "proposer", "editor", "form",
					       "request", "error", "runbook", "body", "how", "key", "batch", "action", "back", "round", "rounds" };
	CS_AUTOJSON json_t *published = NULL;
	int rc = cs_view_data(r, cs_json_int_or(row, "published_seq", 0), &published, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < CS_ARRAY_LEN(members); i++)
		copy(item, published, members[i]);
	if (!json_object_get(item, "allow"))
		json_object_set_new(item, "allow", json_array());
	json_object_set_new(item, "card", card_of(published, row));
	return CS_OK;
}

/* How the same step of the same flow was decided before. */
static int add_before(cs_reader *r, json_t *item, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_pack("[O, O, O]", json_object_get(item, "flow"), json_object_get(item, "task"), json_object_get(item, "id"));
	CS_AUTOJSON json_t *rows = NULL;
	json_t *card = json_object_get(item, "card");
	if (strcmp(cs_json_str_or(item, "kind", ""), "approval") != 0 || !params)
		return CS_OK;
	int rc = cs_reader_query(r, "SELECT count(*) AS n, coalesce(sum(item.state IN ('approved','consumed')), 0) AS yes FROM item"
				 " JOIN run ON run.id = item.run WHERE run.flow = ?1 AND item.task = ?2 AND item.id <> ?3 AND item.kind = 'approval'"
				 " AND item.state IN ('approved','consumed','rejected','answered','settled','expired')", params, &rows, err);
	if (rc)
		return rc;
	const json_t *row = json_array_get(rows, 0);
	json_int_t n = cs_json_int_or(row, "n", 0);
	if (n > 0)
		put(card, "before", json_sprintf("%d of %d like it were approved", (int)cs_json_int_or(row, "yes", 0), (int)n));
	return CS_OK;
}

static int one_item(cs_reader *r, const json_t *row, const char *id, json_t *item, cs_err *err)
{
	history h = { id, json_array() };
	json_object_set_new(item, "history", h.list);
	copy(item, row, "published_seq");
	copy(item, row, "decided_seq");
	int rc = add_published(r, row, item, err);
	if (!rc)
		rc = add_before(r, item, err);
	/* Without a run there is no index to go by: what lies between its two events, no more. */
	const char *run = cs_json_str_or(row, "run", "");
	int64_t from = cs_json_int_or(row, "published_seq", 1);
	int64_t to = run[0] ? INT64_MAX : cs_json_int_or(row, "decided_seq", from);
	return rc ? rc : cs_reader_events(r, run, from, to, add_history, &h, err);
}

int cs_view_item(cs_reader *r, const char *id, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *params = json_pack("[s]", id);
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_view_take(&hold, r, err);
	if (!rc && params)
		rc = cs_reader_query(r, ITEM_ROWS " WHERE item.id = ?1", params, &rows, err);
	if (rc)
		return rc;
	const json_t *row = json_array_get(rows, 0);
	if (!row)
		return cs_err_set(err, CS_ENOTFOUND, "there is no item %.80s; capstan inbox lists them", id);
	CS_AUTOJSON json_t *item = item_of(row);
	rc = one_item(r, row, id, item, err);
	if (!rc)
		rc = cs_view_add_breaker(r, item, err);
	if (!rc)
		*ret = CS_STEAL(item);
	return rc;
}
