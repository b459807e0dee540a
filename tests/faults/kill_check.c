/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/kill_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "tests/support/invariants.h"

enum { WHOLE_EVERY = 24, CHAIN_EVERY = 3, QUIET_EVERY = 4 };

static json_t *rows(const kill_round *r, cs_reader *reader, const char *sql, json_t *params)
{
	CS_AUTOJSON json_t *owned = params;
	json_t *found = NULL;
	cs_err err = { 0 };
	if (cs_reader_query(reader, sql, owned, &found, &err) != CS_OK)
		kill_fail(r, "%s: %s", sql, err.msg);
	return found;
}

static int64_t number(const kill_round *r, cs_reader *reader, const char *sql, json_t *params)
{
	CS_AUTOJSON json_t *found = rows(r, reader, sql, params);
	return cs_json_int_or(json_array_get(found, 0), "n", 0);
}

/* ---- what was acknowledged ----------------------------------------------------------------------------- */

static void check_ack(const kill_round *r, cs_reader *reader, const kill_ack *a)
{
	static const struct { const char *what, *sql; } proofs[] = {
		{ "run", "SELECT count(*) AS n FROM event WHERE type = 'run.created' AND run = ?1" },
		{ "control", "SELECT count(*) AS n FROM event WHERE run = ?1 AND actor LIKE 'operator:%'" },
		{ "decide", "SELECT count(*) AS n FROM event WHERE actor LIKE 'operator:%' AND data LIKE '%\"item\":\"' || ?1 || '\"%'" },
		{ "emit", "SELECT count(*) AS n FROM event WHERE type = 'event.emitted' AND data LIKE '%\"id\":\"' || ?1 || '\"%'" },
		{ "live", "SELECT count(*) AS n FROM event WHERE type = 'engine.live' AND ?1 = ''" },
		{ "mode", "SELECT count(*) AS n FROM event WHERE type = 'connector.mode' AND ?1 = ''" },
		{ "hold", "SELECT count(*) AS n FROM event WHERE type = 'engine.hold' AND ?1 = ''" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(proofs); i++)
		if (strcmp(proofs[i].what, a->what) == 0 && number(r, reader, proofs[i].sql, json_pack("[s]", a->id)) == 0)
			kill_fail(r, "LOST: %s %s %s was acknowledged and is not in the log", a->what, a->verb, a->id);
}

static void check_acks(kill_round *r, cs_reader *reader)
{
	kill_shared *s = r->s;
	unsigned n = atomic_load(&s->acks);
	for (unsigned i = 0; i < n && i < KILL_ACKS_MAX; i++)
		check_ack(r, reader, &s->ack[i]);
	r->counts->acks += n;
	atomic_store(&s->acks, 0);
	int64_t fed = atomic_load(&s->fed), last = cs_reader_last_seq(reader);
	if (last < fed)
		kill_fail(r, "LOST: entry %lld was told of, the log ends with %lld", (long long)fed, (long long)last);
}

/* ---- the log only grows -------------------------------------------------------------------------------- */

static int keep_hash(void *ctx, const cs_event *ev)
{
	memcpy(ctx, ev->hash, CS_HASH_LEN);
	return 0;
}

static void check_growth(kill_round *r, cs_reader *reader)
{
	uint8_t hash[CS_HASH_LEN] = { 0 };
	cs_err err = { 0 };
	if (r->head > 0 && cs_reader_event(reader, r->head, keep_hash, hash, &err) != CS_OK)
		kill_fail(r, "LOST: entry %lld was there: %s", (long long)r->head, err.msg);
	if (r->head > 0 && memcmp(hash, r->hash, CS_HASH_LEN) != 0)
		kill_fail(r, "I1: entry %lld is another one now", (long long)r->head);
	r->head = cs_reader_last_seq(reader);
	if (r->head > 0 && cs_reader_event(reader, r->head, keep_hash, r->hash, &err) != CS_OK)
		kill_fail(r, "I1: entry %lld: %s", (long long)r->head, err.msg);
}

static void check_chain(const kill_round *r)
{
	cs_verify_report report;
	cs_err err = { 0 };
	if (cs_store_verify(r->state_dir, &report, &err) != CS_OK)
		kill_fail(r, "I1: %s", err.msg);
	if (report.finding[0] != '\0')
		kill_fail(r, "I1: %s", report.finding);
}

/* Each unsafe intent that a death left open is in doubt as soon as an engine has started, and nothing else is by that. */
static void check_doubts(kill_round *r, cs_reader *reader)
{
	if (r->intents < 0 || number(r, reader, "SELECT count(*) AS n FROM event WHERE type = 'engine.started' AND seq > ?1", json_pack("[I]", (json_int_t)r->head)) == 0)
		return;
	int64_t n = number(r, reader, "SELECT count(*) AS n FROM event WHERE type = 'attempt.ambiguous' AND seq > ?1 AND json_extract(data, '$.how') = 'crash' AND "
			   "json_extract(data, '$.class') = 'unsafe'", json_pack("[I]", (json_int_t)r->head));
	if (n != r->intents)
		kill_fail(r, "%lld effects are in doubt by a death that left %lld unsafe intents open", (long long)n, (long long)r->intents);
	r->counts->doubts += (unsigned long)n;
}

/* ---- the ledger and the invariants --------------------------------------------------------------------- */

static json_t *ledger_of(const kill_shared *s)
{
	json_t *all = json_array();
	for (unsigned i = 0; i < atomic_load(&s->entries); i++) {
		const kill_entry *e = &s->entry[i];
		json_array_append_new(all, json_pack("{s:I, s:I, s:s, s:s, s:s, s:s}", "n", (json_int_t)i + 1, "at", (json_int_t)e->at, "method", e->method,
						     "path", e->path, "key", e->key, "digest", e->body));
	}
	return all;
}

/* What is only true at rest is no finding in between. */
static void check_invariants(kill_round *r, bool at_rest)
{
	CS_AUTOJSON json_t *ledger = ledger_of(r->s);
	CS_AUTOJSON json_t *broken = invariants_broken(r->state_dir, ledger);
	size_t i, n = 0;
	json_t *text;
	json_array_foreach(broken, i, text) {
		const char *said = json_string_value(text);
		if (!at_rest && strncmp(said, "I5:", 3) == 0)
			continue;
		fprintf(stderr, "%s\n", said);
		n++;
	}
	if (n > 0)
		kill_fail(r, "%zu invariants are broken", n);
}

void kill_check_life(kill_round *r, bool killed)
{
	cs_reader *reader = NULL;
	cs_err err = { 0 };
	/* What died before it told anybody anything is looked at now and then: a later look sees it too. */
	if (killed && atomic_load(&r->s->acks) == 0 && atomic_load(&r->s->commits) == 0 && kill_random(r, QUIET_EVERY) != 0) {
		r->intents = -1;
		return;
	}
	int rc = cs_reader_open(r->state_dir, &reader, &err);
	if (rc != CS_OK && r->head == 0 && atomic_load(&r->s->fed) == 0 && atomic_load(&r->s->acks) == 0)
		return;                  /* it died while it made the database */
	if (rc != CS_OK)
		kill_fail(r, "the database cannot be read: %s", err.msg);
	check_acks(r, reader);
	check_doubts(r, reader);
	check_growth(r, reader);
	if (kill_random(r, CHAIN_EVERY) == 0)
		check_chain(r);
	r->intents = number(r, reader, "SELECT count(*) AS n FROM attempt WHERE state = 'intent' AND class = 'unsafe' AND simulated = 0", NULL);
	r->counts->intents_open += killed && r->intents > 0;
	r->counts->runs_open += killed && number(r, reader, "SELECT count(*) AS n FROM run WHERE ended IS NULL", NULL) > 0;
	cs_reader_close(reader);
	if (killed && kill_random(r, WHOLE_EVERY) == 0)
		check_invariants(r, false);
}

/* ---- the end ------------------------------------------------------------------------------------------- */

static void check_ends(const kill_round *r, cs_reader *reader)
{
	CS_AUTOJSON json_t *runs = rows(r, reader, "SELECT id, state, simulated FROM run", NULL);
	size_t i;
	json_t *row;
	json_array_foreach(runs, i, row) {
		const char *state = cs_json_str_or(row, "state", "");
		bool stopped = r->s->restless && strstr("cancelled compensated faulted", state) != NULL;
		if (cs_json_int_or(row, "simulated", 0) == 0 && strstr(r->k->ends, state) == NULL && !stopped)
			kill_fail(r, "run %s is %s, not %s", cs_json_str_or(row, "id", ""), state, r->k->ends);
	}
	if (r->k->flow != NULL && number(r, reader, "SELECT count(*) AS n FROM run WHERE key IS NOT NULL", NULL) != r->s->runs)
		kill_fail(r, "%u runs were started, another number is there", r->s->runs);
}

/* How often /OP/RUN/STEP of "OP/STEP" had an effect. */
static unsigned times(const kill_shared *s, const char *word, size_t n, const char *run)
{
	char path[KILL_PATH_SIZE];
	size_t slash = strcspn(word, "/");
	unsigned found = 0;
	snprintf(path, sizeof path, "/%.*s/%s%.*s", (int)slash, word, run, (int)(n - slash), word + slash);
	CS_AUTOJSON json_t *keys = json_object();
	for (unsigned i = 0; i < atomic_load(&s->entries); i++)
		if (!s->entry[i].refused && strcmp(s->entry[i].path, path) == 0 && json_object_get(keys, s->entry[i].key) == NULL) {
			json_object_set_new(keys, s->entry[i].key, json_true());
			found++;
		}
	return found;
}

static void check_run_effects(const kill_round *r, const char *run, bool completed)
{
	const char *lists[] = { completed ? r->k->wants : NULL, r->k->never };
	for (size_t l = 0; l < CS_ARRAY_LEN(lists); l++) {
		for (const char *p = lists[l]; p != NULL && *p != '\0'; p += strspn(p, " ")) {
			size_t n = strcspn(p, " ");
			unsigned found = times(r->s, p, n, run);
			if (found != (l == 0 ? 1U : 0U))
				kill_fail(r, "%s: the outside has seen %.*s %u times", run, (int)n, p, found);
			p += n;
		}
	}
}

/* Of each run by its number: all that it should have done is done once. */
static void check_effects(const kill_round *r, cs_reader *reader)
{
	CS_AUTOJSON json_t *runs = rows(r, reader, "SELECT key, state FROM run WHERE key LIKE 'k%'", NULL);
	size_t i;
	json_t *row;
	json_array_foreach(runs, i, row) {
		CS_AUTOFREE char *run = cs_xasprintf("r%s", cs_json_str_or(row, "key", "k") + 1);
		check_run_effects(r, run, strcmp(cs_json_str_or(row, "state", ""), "completed") == 0);
	}
}

/* Of what a query finds there may be nothing. */
static void check_none(const kill_round *r, cs_reader *reader)
{
	static const struct { const char *promise, *sql; } none[] = {
		{ "I11: an occurrence is armed twice",
		  "SELECT count(*) AS n FROM (SELECT json_extract(what, '$.schedule') AS s, due FROM timer WHERE run = '' GROUP BY s, due HAVING count(*) > 1)" },
		{ "I11: a timer fired twice",
		  "SELECT count(*) AS n FROM (SELECT json_extract(data, '$.timer') AS t FROM event WHERE type = 'timer.fired' GROUP BY t HAVING count(*) > 1)" },
		{ "I11: a timer fired early",
		  "SELECT count(*) AS n FROM event e JOIN timer t ON t.id = json_extract(e.data, '$.timer') WHERE e.type = 'timer.fired' AND e.at < t.due" },
		{ "I12: an effect of a connector that holds has no approval",
		  "SELECT count(*) AS n FROM event WHERE type = 'attempt.intent' AND json_extract(data, '$.connector') = 'held' AND json_extract(data, '$.approval') IS NULL" },
		{ "I12: an effect is intended while everything is held",
		  "SELECT count(*) AS n FROM event i WHERE i.type = 'attempt.intent' AND json_extract(i.data, '$.class') IN ('unsafe','keyed') AND "
		  "(SELECT json_extract(h.data, '$.on') FROM event h WHERE h.type = 'engine.hold' AND h.seq < i.seq ORDER BY h.seq DESC LIMIT 1)" },
		{ "I12: an effect of a connector that is off is intended",
		  "SELECT count(*) AS n FROM event i WHERE i.type = 'attempt.intent' AND json_extract(i.data, '$.connector') = 'outside' AND "
		  "(SELECT json_extract(m.data, '$.mode') FROM event m WHERE m.type = 'connector.mode' AND m.seq < i.seq ORDER BY m.seq DESC LIMIT 1) = 'off'" },
		{ "I12: an effect is intended while its breaker is open",
		  "SELECT count(*) AS n FROM event i WHERE i.type = 'attempt.intent' AND (SELECT b.type FROM event b WHERE b.type IN ('breaker.opened',"
		  "'breaker.half_opened','breaker.closed') AND json_extract(b.data, '$.connector') = json_extract(i.data, '$.connector') AND b.seq < i.seq "
		  "ORDER BY b.seq DESC LIMIT 1) = 'breaker.opened'" },
		{ "I13: an epoch comes back",
		  "SELECT count(*) AS n FROM (SELECT json_extract(data, '$.epoch') AS x, lag(json_extract(data, '$.epoch')) OVER (ORDER BY seq) AS y FROM event "
		  "WHERE type = 'engine.started') WHERE x <= y" },
		{ "I13: an intent is of another epoch than the engine",
		  "SELECT count(*) AS n FROM event i WHERE i.type = 'attempt.intent' AND json_extract(i.data, '$.epoch') <> (SELECT json_extract(s.data, '$.epoch') "
		  "FROM event s WHERE s.type = 'engine.started' AND s.seq < i.seq ORDER BY s.seq DESC LIMIT 1)" },
		{ "a key started two runs", "SELECT count(*) AS n FROM (SELECT key FROM run WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1)" },
		{ "a run ended twice without being begun again",
		  "SELECT count(*) AS n FROM (SELECT run FROM event WHERE type = 'run.completed' GROUP BY run HAVING count(*) > 1)" },
		{ "an event was received twice by one task",
		  "SELECT count(*) AS n FROM (SELECT run, task, occurrence, json_extract(data, '$.event.id') AS i, json_extract(data, '$.event.source') AS s FROM event "
		  "WHERE type = 'event.received' GROUP BY run, task, occurrence, i, s HAVING count(*) > 1)" },
		{ "a value of once started two runs",
		  "SELECT count(*) AS n FROM (SELECT json_extract(data, '$.once') AS o FROM event WHERE type = 'start.ended' AND json_extract(data, '$.how') = 'started' "
		  "AND o IS NOT NULL GROUP BY o HAVING count(*) > 1)" },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(none); i++)
		if (number(r, reader, none[i].sql, NULL) > 0)
			kill_fail(r, "%s", none[i].promise);
}

void kill_check_all(kill_round *r)
{
	cs_reader *reader = NULL;
	cs_err err = { 0 };
	if (cs_reader_open(r->state_dir, &reader, &err) != CS_OK)
		kill_fail(r, "the database cannot be read: %s", err.msg);
	check_ends(r, reader);
	check_effects(r, reader);
	check_none(r, reader);
	cs_reader_close(reader);
	check_invariants(r, true);
}
