/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs and the state of the whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "view/row.h"

static const cs_view_column columns[] = {
	{ "run", "id", CS_VIEW_PLAIN }, { "flow", "flow", CS_VIEW_PLAIN }, { "name", "name", CS_VIEW_PLAIN },
	{ "version", "version", CS_VIEW_PLAIN }, { "state", "state", CS_VIEW_PLAIN },
	{ "started", "started", CS_VIEW_TIME }, { "ended", "ended", CS_VIEW_TIME }, { "parent", "parent", CS_VIEW_PLAIN },
	{ "origin", "origin", CS_VIEW_PLAIN }, { "simulated", "simulated", CS_VIEW_BOOL }, { "cost", "cost", CS_VIEW_PLAIN },
	{ "kind", "kind", CS_VIEW_PLAIN }, { "title", "title", CS_VIEW_PLAIN }, { "subject", "subject", CS_VIEW_PLAIN },
	{ "key", "key", CS_VIEW_PLAIN }, { "created", "created", CS_VIEW_TIME }, { "updated", "updated", CS_VIEW_TIME },
	{ "definition", "definition", CS_VIEW_PLAIN }, { "imported", "imported", CS_VIEW_BOOL }, { "last_seq", "last_seq", CS_VIEW_PLAIN },
	{ NULL, NULL, CS_VIEW_PLAIN },
};

/* Where the values of a run lie: in the events that brought them. */
static const char *const value_seqs[] = { "input_seq", "end_seq" };

typedef struct values {
	json_t *data;                /* seq, as text, -> the data of that event */
	json_t *lost;                /* the segments that cannot be read */
} values;

static void values_fini(values *v)
{
	json_decref(v->data);
	json_decref(v->lost);
}

static int keep_data(void *ctx, const cs_event *ev)
{
	char name[32];
	const values *v = ctx;
	(void)snprintf(name, sizeof name, "%lld", (long long)ev->seq);
	json_object_set(v->data, name, ev->data);
	return 0;
}

static int by_seq(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* All that ROWS name by MEMBERS in one go, so that no segment is opened twice. */
static int read_values(cs_reader *r, const json_t *rows, const char *const *members, size_t n_members, values *v, cs_err *err)
{
	CS_AUTOFREE int64_t *seqs = cs_xcalloc(json_array_size(rows) * n_members + 1, sizeof *seqs);
	size_t i, n = 0, kept = 0;
	json_t *row;
	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
		for (size_t k = 0; k < n_members; k++)
			if (cs_json_int_or(row, members[k], 0) != 0)
				seqs[n++] = cs_json_int_or(row, members[k], 0);
	qsort(seqs, n, sizeof *seqs, by_seq);
	for (i = 0; i < n; i++)
		if (kept == 0 || seqs[kept - 1] != seqs[i])
			seqs[kept++] = seqs[i];
	return kept > 0 ? cs_reader_pick(r, seqs, kept, keep_data, v, v->lost, err) : CS_OK;
}

/* RUN is without what a segment has that cannot be read: which, and what to do, once each. */
static void mark_missing(json_t *run, const json_t *lost)
{
	json_t *list = json_object_get(run, "missing"), *one;
	size_t i;
	if (!list) {
		list = json_array();
		json_object_set_new(run, "missing", list);
	}
	json_array_foreach(list, i, one)
		if (json_equal(one, lost))
			return;
	json_array_append(list, (json_t *)(uintptr_t)lost);
}

/* The data of SEQ in *ret, borrowed; NULL for seq 0, and where it is in a segment that is lost. */
static int value_at(const values *v, int64_t seq, json_t *run, const json_t **ret, cs_err *err)
{
	char name[32];
	size_t i;
	json_t *one;
	(void)snprintf(name, sizeof name, "%lld", (long long)seq);
	*ret = json_object_get(v->data, name);
	if (seq == 0 || *ret)
		return CS_OK;
	json_array_foreach(v->lost, i, one) {
		if (seq < cs_json_int_or(one, "first", 0) || seq > cs_json_int_or(one, "last", 0))
			continue;
		mark_missing(run, one);
		return CS_OK;
	}
	return cs_err_set(err, CS_ENOTFOUND, "there is no event %s", name);
}

static int add_values(const values *v, const json_t *row, json_t *run, cs_err *err)
{
	static const char *const ends[] = { "output", "error" };
	const json_t *in = NULL, *end = NULL;
	int rc = value_at(v, cs_json_int_or(row, "input_seq", 0), run, &in, err);
	if (!rc)
		rc = value_at(v, cs_json_int_or(row, "end_seq", 0), run, &end, err);
	if (rc)
		return rc;
	json_t *input = json_object_get(in, "input");
	json_object_set(run, "input", input ? input : json_null());
	for (size_t i = 0; i < CS_ARRAY_LEN(ends); i++) {
		json_t *value = json_object_get(end, ends[i]);
		json_object_set(run, ends[i], value ? value : json_null());
	}
	return CS_OK;
}

static int runs_of(cs_reader *r, const char *sql, const json_t *params, bool bare, json_t **ret, cs_err *err)
{
	CS_CLEANUP(values_fini) values v = { json_object(), json_array() };
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *runs = json_array();
	int rc = cs_reader_query(r, sql, params, &rows, err);
	if (!rc && !bare)
		rc = read_values(r, rows, value_seqs, CS_ARRAY_LEN(value_seqs), &v, err);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		json_t *run = cs_view_object(row, columns);
		json_array_append_new(runs, run);
		if (!rc && !bare)
			rc = add_values(&v, row, run, err);
	}
	if (!rc)
		*ret = CS_STEAL(runs);
	return rc;
}

int cs_view_runs(cs_reader *r, const cs_view_filter *filter, const char *before_id, int limit, json_t **ret, cs_err *err)
{
	static const cs_view_filter none;
	const cs_view_filter *f = filter ? filter : &none;
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *params = json_pack("[s?, s?, s?, i]", f->state, f->flow, before_id, limit < 1 ? 1 : limit);
	if (!params)
		return cs_err_set(err, CS_EINVAL, "the filter is not UTF-8");
	int rc = cs_view_take(&hold, r, err);
	return rc ? rc : runs_of(r, "SELECT * FROM run WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR flow = ?2 OR name = ?2)"
				 " AND id < coalesce(?3, '~') ORDER BY id DESC LIMIT ?4", params, f->bare, ret, err);
}

/* Whose it is, for a run of another workspace. */
static int add_imported(cs_reader *r, const json_t *params, json_t *run, cs_err *err)
{
	static const char *const members[] = { "workspace", "signer", "state", "file" }, *const seqs[] = { "imported" };
	CS_CLEANUP(values_fini) values v = { json_object(), json_array() };
	CS_AUTOJSON json_t *rows = NULL;
	const json_t *data = NULL;
	json_object_set_new(run, "import", json_null());
	int rc = cs_reader_query(r, "SELECT imported FROM run WHERE id = ?1 AND imported IS NOT NULL", params, &rows, err);
	if (rc || json_array_size(rows) == 0)
		return rc;
	rc = read_values(r, rows, seqs, CS_ARRAY_LEN(seqs), &v, err);
	if (!rc)
		rc = value_at(&v, cs_json_int_or(json_array_get(rows, 0), "imported", 0), run, &data, err);
	json_t *imported = json_object();
	json_object_set_new(run, "import", imported);
	for (size_t i = 0; !rc && i < CS_ARRAY_LEN(members); i++) {
		json_t *one = json_object_get(data, members[i]);
		json_object_set(imported, members[i], one ? one : json_null());
	}
	return rc;
}

/* Another try of a connector whose breaker is open waits for that; `http` reaches other hosts too. */
#define BROKEN(then, otherwise) \
	"CASE WHEN a.connector <> 'http' AND EXISTS (SELECT 1 FROM breaker WHERE connector = a.connector AND state = 'open') THEN " then " ELSE " otherwise " END"

/* The grace of a decision is over, and what it allows is held. */
#define HELD "grace_until <= ?2 AND EXISTS (SELECT 1 FROM setting WHERE name = 'hold' AND value = 'on')"

/* What a run waits for that has a row of its own: persons, graces, clocks, other tries. */
static const char waits_sql[] =
	"SELECT CASE WHEN state = 'pending' THEN 'approval' WHEN state = 'open' THEN kind WHEN " HELD " THEN 'hold' ELSE 'grace' END AS what, task,"
	" CASE WHEN state IN ('pending', 'open') THEN expires WHEN " HELD " THEN NULL ELSE grace_until END AS until, id AS item, published_seq AS seq FROM item"
	" WHERE run = ?1 AND (state IN ('pending', 'approved', 'rejected', 'answered') OR (state = 'open' AND kind = 'in-doubt'))"
	" UNION ALL SELECT 'timer', e.task, t.due, NULL, t.seq FROM timer t JOIN event e ON e.seq = t.seq WHERE t.run = ?1 AND t.state = 'armed'"
	" UNION ALL SELECT 'probe', task, due, NULL, seq FROM attempt WHERE run = ?1 AND state = 'probing'"
	" UNION ALL SELECT " BROKEN("'breaker'", "'retry'") ", task, " BROKEN("(SELECT max(until) FROM breaker WHERE connector = a.connector)", "due") ","
	" NULL, seq FROM attempt AS a WHERE run = ?1 AND state = 'retry-wait'"
	" AND NOT EXISTS (SELECT 1 FROM attempt AS later WHERE later.key = a.key AND later.n > a.n)"
	" ORDER BY seq";

/* What is on its way outside, and when it is given up. */
static const char open_sql[] = "SELECT 'answer' AS what, task, deadline AS until, NULL AS item, seq FROM attempt WHERE run = ?1 AND state = 'intent' ORDER BY seq";

/* "shop, bank"; NULL: none is named. */
static json_t *names_of(const json_t *list)
{
	CS_AUTOBUF cs_buf text;
	size_t i;
	json_t *one;
	cs_buf_init(&text, 4096);
	json_array_foreach(list, i, one)
		if (json_is_string(one))
			cs_buf_addf(&text, "%s%s", text.len ? ", " : "", json_string_value(one));
	return text.len ? json_string(cs_buf_str(&text)) : json_null();
}

static bool has_wait(const json_t *waits, const char *word)
{
	for (size_t i = 0; i < json_array_size(waits); i++)
		if (strcmp(cs_json_str_or(json_array_get(waits, i), "for", ""), word) == 0)
			return true;
	return false;
}

/* For what has none, the run's own last word: an event of the outside, the end of a hold, a connector that is off, a
 * breaker, a limit. */
static int add_words(cs_reader *r, const json_t *params, json_t *waits, cs_err *err)
{
	static const struct { const char *word; bool outlet; } words[] = {
		{ "event", false }, { "hold", false }, { "once", false }, { "off", true }, { "breaker", true }, { "limit", true },
	};
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *data = NULL;
	int rc = cs_reader_query(r, "SELECT seq FROM event WHERE run = ?1 AND type = 'run.blocked' ORDER BY seq DESC LIMIT 1", params, &rows, err);
	if (!rc)
		rc = cs_view_data(r, cs_json_int_or(json_array_get(rows, 0), "seq", 0), &data, err);
	size_t i;
	json_t *on;
	json_array_foreach(json_object_get(data, "on"), i, on)
		for (size_t k = 0; k < CS_ARRAY_LEN(words); k++)
			if (json_is_string(on) && strcmp(json_string_value(on), words[k].word) == 0 && !has_wait(waits, words[k].word))
				json_array_append_new(waits, json_pack("{s:s, s:n, s:n, s:n, s:o}", "for", words[k].word, "task", "until", "item", "connector",
								       words[k].outlet ? names_of(json_object_get(data, "connectors")) : json_null()));
	return rc;
}

static int add_rows(cs_reader *r, const char *sql, const json_t *params, json_t *waits, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	json_t *row;
	size_t i;
	int rc = cs_reader_query(r, sql, params, &rows, err);
	json_array_foreach(rows, i, row)
		json_array_append_new(waits, json_pack("{s:O, s:O, s:o, s:O}", "for", json_object_get(row, "what"), "task", json_object_get(row, "task"),
						       "until", cs_view_time_json(json_object_get(row, "until")), "item", json_object_get(row, "item")));
	return rc;
}

static int add_waits(cs_reader *r, const json_t *params, json_t *run, cs_err *err)
{
	static const struct { const char *state; bool rows, open; } states[] = {
		{ "waiting", true, false }, { "running", true, true }, { "paused", true, false }, { "pausing", false, true },
		{ "cancelling", false, true }, { "compensating", false, true },
	};
	CS_AUTOJSON json_t *timed = json_pack("[O, I]", json_array_get(params, 0), (json_int_t)cs_clock_wall_ms());
	json_t *waits = json_array();
	json_object_set_new(run, "waits", waits);
	const char *state = cs_json_str_or(run, "state", "");
	int rc = CS_OK;
	for (size_t i = 0; i < CS_ARRAY_LEN(states); i++) {
		if (strcmp(states[i].state, state) != 0)
			continue;
		if (states[i].rows)
			rc = add_rows(r, waits_sql, timed, waits, err);
		if (!rc && states[i].open)
			rc = add_rows(r, open_sql, params, waits, err);
	}
	return rc || strcmp(state, "waiting") != 0 ? rc : add_words(r, params, waits, err);
}

static int add_change(void *ctx, const cs_event *ev)
{
	json_t *one = cs_view_event_json(ev);
	json_object_set_new(one, "says", cs_view_says(ev));
	json_array_append_new(ctx, one);
	return 0;
}

/* The call whose effect is there though it faulted: another try would send it once more. What is in a segment that is
 * lost keeps the run from being taken up, too. */
static int add_happened(cs_reader *r, const char *id, json_t *run, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	CS_AUTOJSON json_t *data = NULL;
	CS_AUTOJSON json_t *params = json_pack("[s]", id);
	json_object_set_new(run, "happened", json_null());
	if (strcmp(cs_json_str_or(run, "state", ""), "faulted") != 0)
		return CS_OK;
	int rc = cs_reader_query(r, "SELECT end_seq FROM run WHERE id = ?1", params, &rows, err);
	if (rc || cs_view_data(r, cs_json_int_or(json_array_get(rows, 0), "end_seq", 0), &data, NULL))
		return rc;
	json_array_append_new(params, json_string(cs_json_str_or(data, "task", "")));
	json_decref(CS_STEAL(rows));
	rc = cs_reader_query(r, "SELECT " CS_VIEW_ANSWERED " AS happened FROM attempt AS a WHERE a.run = ?1 AND a.task = ?2 ORDER BY a.seq DESC LIMIT 1",
			     params, &rows, err);
	const char *call = cs_json_str(json_array_get(rows, 0), "happened");
	if (!rc && cs_view_happened(call, json_object_get(data, "error")))
		json_object_set_new(run, "happened", json_string(call));
	return rc;
}

/* What the operator changed in it: each correction, and each definition that it took. */
static int add_changes(cs_reader *r, const json_t *params, json_t *run, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	json_t *changes = json_array(), *row;
	size_t i;
	json_object_set_new(run, "changes", changes);
	int rc = cs_reader_query(r, "SELECT seq FROM event WHERE run = ?1 AND type IN ('run.adopted', 'run.corrected', 'task.corrected') ORDER BY seq", params, &rows, err);
	json_array_foreach(rows, i, row)
		if (rc == CS_OK)
			rc = cs_reader_event(r, cs_json_int_or(row, "seq", 0), add_change, changes, err);
	return rc;
}

int cs_view_run(cs_reader *r, const char *run, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *params = json_pack("[s]", run);
	CS_AUTOJSON json_t *runs = NULL;
	CS_AUTOJSON json_t *items = NULL;
	int rc = cs_view_take(&hold, r, err);
	if (!rc)
		rc = cs_view_need_run(r, run, err);
	if (!rc)
		rc = runs_of(r, "SELECT * FROM run WHERE id = ?1", params, false, &runs, err);
	if (!rc)
		rc = cs_reader_query(r, "SELECT id, kind, title, state, call, confirm FROM item WHERE run = ?1"
				     " AND state IN ('proposed','pending','open') ORDER BY id", params, &items, err);
	if (rc)
		return rc;
	json_t *one = json_array_get(runs, 0);
	json_object_set(one, "items", items);
	rc = add_imported(r, params, one, err);
	if (!rc)
		rc = add_waits(r, params, one, err);
	if (!rc)
		rc = add_changes(r, params, one, err);
	if (!rc)
		rc = add_happened(r, run, one, err);
	if (rc)
		return rc;
	*ret = json_incref(one);
	return CS_OK;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int add_counts(cs_reader *r, json_t *status, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	json_t *runs = json_object(), *row;
	json_int_t running = 0, waiting = 0;
	size_t i;
	json_object_set_new(status, "runs", runs);
	int rc = cs_reader_query(r, "SELECT state, count(*) AS n FROM run GROUP BY state ORDER BY state", NULL, &rows, err);
	json_array_foreach(rows, i, row) {
		const char *state = cs_json_str_or(row, "state", "");
		json_int_t n = cs_json_int_or(row, "n", 0);
		json_object_set_new(runs, state, json_integer(n));
		if (strcmp(state, "running") == 0 || strcmp(state, "created") == 0)
			running += n;
		if (strcmp(state, "waiting") == 0 || strcmp(state, "paused") == 0)
			waiting += n;
	}
	json_object_set_new(status, "running", json_integer(running));
	json_object_set_new(status, "waiting", json_integer(waiting));
	return rc;
}

static int add_settings(cs_reader *r, json_t *status, cs_err *err)
{
	static const char prefix[] = "connector:", signer[] = "signer:";
	CS_AUTOJSON json_t *rows = NULL;
	json_t *connectors = json_object(), *row;
	size_t i;
	json_object_set_new(status, "live", json_false());
	json_object_set_new(status, "hold", json_false());
	json_object_set_new(status, "hold_why", json_null());
	json_object_set_new(status, "connectors", connectors);
	int rc = cs_reader_query(r, "SELECT name, value FROM setting ORDER BY name", NULL, &rows, err);
	json_array_foreach(rows, i, row) {
		const char *name = cs_json_str_or(row, "name", ""), *value = cs_json_str_or(row, "value", "");
		if (strncmp(name, prefix, sizeof prefix - 1) == 0)
			json_object_set_new(connectors, name + sizeof prefix - 1, json_string(value));
		else if (strncmp(name, signer, sizeof signer - 1) == 0 || strcmp(name, "clock") == 0)
			continue;            /* whose runs were imported, or what the clock was, is no state of the engine */
		else if (strcmp(name, "hold.why") == 0)
			json_object_set_new(status, "hold_why", json_string(value));
		else
			json_object_set_new(status, name, json_boolean(strcmp(value, "on") == 0));
	}
	return rc;
}

int cs_view_status(cs_reader *r, json_t **ret, cs_err *err)
{
	CS_AUTOHOLD cs_view_hold hold = { 0 };
	CS_AUTOJSON json_t *status = json_object();
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_view_take(&hold, r, err);
	if (!rc)
		rc = add_counts(r, status, err);
	if (!rc)
		rc = add_settings(r, status, err);
	CS_AUTOJSON json_t *now = json_pack("[I]", (json_int_t)cs_clock_wall_ms());
	if (!rc)
		rc = cs_reader_query(r, "SELECT (SELECT count(*) FROM item WHERE state IN ('proposed','pending','open')) AS inbox,"
				     " (SELECT count(*) FROM item WHERE state = 'pending' AND snoozed_until > ?1) AS snoozed,"
				     " EXISTS (SELECT 1 FROM item WHERE kind = 'clock' AND state = 'open') AS clock, (SELECT max(seq) FROM event) AS seq,"
				     " (SELECT at FROM event ORDER BY seq DESC LIMIT 1) AS at", now, &rows, err);
	if (rc)
		return rc;
	const json_t *row = json_array_get(rows, 0);
	json_object_set(status, "snoozed", json_object_get(row, "snoozed"));
	json_object_set(status, "inbox", json_object_get(row, "inbox"));
	json_object_set_new(status, "clock_held", json_boolean(cs_json_int_or(row, "clock", 0) != 0));
	json_object_set_new(status, "last_seq", json_integer(cs_json_int_or(row, "seq", 0)));
	json_object_set_new(status, "last_at", cs_view_time_json(json_object_get(row, "at")));
	*ret = CS_STEAL(status);
	return CS_OK;
}
