/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/power_record.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "store/anchor.h"

/* ---- what must be there ------------------------------------------------------------------------------------------ */

/* The events that marks speak of: run, item or key -> seq. */
struct index {
	power_record *record;
	json_t *runs, *items, *keys;
};

static bool decides(const char *type)
{
	static const char *const types[] = { "approval.approved", "approval.rejected", "approval.answered", "approval.edited", "item.closed" };
	for (size_t i = 0; i < CS_ARRAY_LEN(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

static void first(json_t *o, const char *name, int64_t seq)
{
	if (name != NULL && json_object_get(o, name) == NULL)
		json_object_set_new(o, name, json_integer(seq));
}

static int read_event(void *ctx, const cs_event *ev)
{
	struct index *x = ctx;
	power_record *r = x->record;
	if (ev->seq != r->n_events + 1)
		return CS_EIO;
	r->n_events = ev->seq;
	r->hashes = cs_xrealloc(r->hashes, (size_t)(ev->seq + 1) * sizeof *r->hashes);
	memcpy(r->hashes[ev->seq], ev->hash, CS_HASH_LEN);
	if (strcmp(ev->type, "run.created") == 0)
		first(x->runs, ev->run, ev->seq);
	else if (strcmp(ev->type, "attempt.intent") == 0)
		first(x->keys, cs_json_str(ev->data, "key"), ev->seq);   /* a later send of it follows a later intent */
	else if (decides(ev->type))
		first(x->items, cs_json_str(ev->data, "item"), ev->seq);
	return CS_OK;
}

static int64_t needed(const struct index *x, const disk_tape *t, const tape_op *op)
{
	const char *text = op->n > 0 ? tape_bytes(t, op) : "";
	CS_AUTOJSON json_t *told = NULL;
	switch (op->mark) {
	case MARK_COMMITTED:
		return op->at <= x->record->n_events ? op->at : 0;
	case MARK_RUN:
		return cs_json_int_or(x->runs, text, 0);
	case MARK_DECIDED:
		return cs_json_int_or(x->items, text, 0);
	case MARK_SENT:
		if (cs_json_parse(text, strlen(text), &told, NULL) != CS_OK)
			return 0;
		return cs_json_int_or(x->keys, cs_json_str_or(told, "key", ""), 0);
	}
	return 0;
}

static char *count_needs(power_record *r, const struct index *x)
{
	size_t n = r->tape.n_ops;
	r->need = cs_xcalloc(n + 1, sizeof *r->need);
	r->anchor = cs_xcalloc(n + 1, sizeof *r->anchor);
	r->marks = cs_xcalloc(n + 1, sizeof *r->marks);
	for (size_t i = 0; i < n; i++) {
		const tape_op *op = &r->tape.ops[i];
		r->need[i + 1] = r->need[i];
		r->anchor[i + 1] = r->anchor[i];
		if (op->kind != TAPE_MARK)
			continue;
		int64_t seq = needed(x, &r->tape, op);
		if (seq == 0)
			return cs_xasprintf("what was told to the outside is not in the log: mark %d, %s", (int)op->mark, tape_bytes(&r->tape, op));
		r->marks[r->n_marks++] = i + 1;
		if (seq > r->need[i])
			r->need[i + 1] = seq;
		if (op->mark == MARK_SENT && op->at == 1 && seq > r->anchor[i])
			r->anchor[i + 1] = seq;
	}
	return NULL;
}

static char *read_log(struct index *x, const char *dir)
{
	cs_reader *reader = NULL;
	cs_err err = { 0 };
	int rc = cs_reader_open(dir, &reader, &err);
	if (rc == CS_OK)
		rc = cs_reader_events(reader, NULL, 0, INT64_MAX, read_event, x, &err);
	cs_reader_close(reader);
	return rc == CS_OK ? NULL : cs_xasprintf("the log cannot be read: %s", err.msg);
}

char *power_record_read(power_record *r, site *s)
{
	struct index x = { .record = r, .runs = json_object(), .items = json_object(), .keys = json_object() };
	char *wrong = read_log(&x, s->state);
	if (wrong == NULL)
		wrong = count_needs(r, &x);
	json_decref(x.runs);
	json_decref(x.items);
	json_decref(x.keys);
	return wrong;
}

void power_record_free(power_record *r)
{
	tape_free(&r->tape);
	free(r->hashes);
	free(r->need);
	free(r->anchor);
	free(r->marks);
	*r = (power_record){ 0 };
}

/* ---- the judgement ---------------------------------------------------------------------------------------------- */

static int differs(void *ctx, const json_t *row)
{
	char **text = ctx;
	if (*text == NULL)
		*text = cs_json_text(row);
	return 0;
}

static int take_hash(void *ctx, const cs_event *ev)
{
	memcpy(ctx, ev->hash, CS_HASH_LEN);
	return CS_OK;
}

/* The chain holds all before it. */
static char *compare(const power_record *r, const site *s, int64_t seq)
{
	uint8_t hash[CS_HASH_LEN] = { 0 };
	cs_reader *reader = NULL;
	cs_err err = { 0 };
	int rc = cs_reader_open(s->state, &reader, &err);
	if (rc == CS_OK)
		rc = cs_reader_event(reader, seq, take_hash, hash, &err);
	cs_reader_close(reader);
	if (rc != CS_OK)
		return cs_xasprintf("event %lld cannot be read: %s", (long long)seq, err.msg);
	return memcmp(hash, r->hashes[seq], CS_HASH_LEN) == 0 ? NULL : cs_xasprintf("event %lld is not the one that was written", (long long)seq);
}

static char *look_at_end(const power_record *r, const site *s, int64_t n, size_t cut)
{
	int64_t last = r->unsure ? r->need[cut] : n;
	if (n < r->need[cut])
		return cs_xasprintf("the log ends at event %lld, and event %lld had been told", (long long)n, (long long)r->need[cut]);
	if (n > r->n_events && !r->unsure)
		return cs_xasprintf("the log has %lld events, only %lld were ever written", (long long)n, (long long)r->n_events);
	return last > 0 ? compare(r, s, last) : NULL;
}

static char *look_at_anchor(const power_record *r, const site *s, size_t cut)
{
	int64_t seq = 0;
	uint8_t hash[CS_HASH_LEN];
	cs_err err = { 0 };
	int rc = cs_anchor_read(s->state, &seq, hash, &err);
	if (rc != CS_OK && rc != CS_ENOTFOUND)
		return cs_xasprintf("the anchor: %s", err.msg);
	if (seq < r->anchor[cut])
		return cs_xasprintf("I2: the anchor is at event %lld, an unsafe effect left after event %lld", (long long)seq, (long long)r->anchor[cut]);
	return NULL;
}

static char *look_at_log(const power_record *r, const site *s, size_t cut)
{
	cs_verify_report report;
	cs_err err = { 0 };
	CS_AUTOFREE char *row = NULL;
	if (cs_store_verify(s->state, &report, &err) != CS_OK)
		return cs_xasprintf("I1: %s", err.msg);
	if (report.finding[0] != '\0')
		return cs_xasprintf("I1: %s", report.finding);
	char *wrong = look_at_end(r, s, report.events, cut);
	if (wrong != NULL)
		return wrong;
	if (cs_store_rebuild_check(s->state, differs, &row, &err) != CS_OK)
		return cs_xasprintf("I9: %s", err.msg);
	return row != NULL ? cs_xasprintf("I9: %s", row) : NULL;
}

char *power_judge_store(const power_record *r, site *s, size_t cut)
{
	cs_store *store = NULL;
	cs_err err = { 0 };
	char *wrong = look_at_anchor(r, s, cut);
	if (wrong != NULL)
		return wrong;
	if (cs_store_open(s->state, true, &store, &err) != CS_OK)
		return cs_xasprintf("the store does not open: %s", err.msg);
	wrong = look_at_log(r, s, cut);
	cs_store_close(store);
	return wrong;
}

/* Each unsafe effect that had left is done, refused or in doubt; nothing is planned again under its key. */
static char *look_at_effects(site *s)
{
	const char *key;
	json_t *told;
	json_object_foreach(s->sent, key, told) {
		CS_AUTOFREE char *sql = cs_xasprintf("SELECT state FROM attempt WHERE key = '%s' ORDER BY n DESC LIMIT 1", key);
		if (strcmp(cs_json_str_or(told, "class", ""), "unsafe") != 0)
			continue;
		CS_AUTOJSON json_t *rows = site_rows(s, sql);
		const char *state = cs_json_str_or(json_array_get(rows, 0), "state", "nothing");
		if (strstr("done failed in-doubt superseded", state) == NULL)
			return cs_xasprintf("the unsafe effect %.12s has left and its attempt is %s", key, state);
	}
	return NULL;
}

static char *look_at_repeats(const site *s)
{
	const char *key;
	json_t *told;
	json_object_foreach(s->sent, key, told)
		if (strcmp(cs_json_str_or(told, "class", ""), "unsafe") == 0 && cs_json_int_or(told, "times", 0) > 1)
			return cs_xasprintf("I3: the unsafe effect %.12s left %lld times", key, (long long)cs_json_int_or(told, "times", 0));
	return NULL;
}

static char *look_at_ends(site *s)
{
	CS_AUTOJSON json_t *rows = site_rows(s, "SELECT id, state FROM run WHERE state NOT IN ('completed','faulted','cancelled','compensated')");
	if (rows == NULL || json_array_size(rows) > 0)
		return cs_xasprintf("I18: a run has not come to its end: %s %s", cs_json_str_or(json_array_get(rows, 0), "state", ""), s->why);
	return NULL;
}

static char *take_up(site *s)
{
	if (!site_start(s))
		return cs_xasprintf("the engine does not start: %s", s->why);
	char *wrong = look_at_effects(s);
	if (wrong == NULL && !site_operate(s))
		wrong = cs_xasprintf("the engine ends: %s", s->why);
	if (wrong == NULL)
		wrong = look_at_ends(s);
	return wrong != NULL ? wrong : look_at_repeats(s);
}

char *power_take_up(site *s)
{
	char *wrong = take_up(s);
	site_stop(s);
	if (wrong != NULL)
		return wrong;
	char *broken = site_broken(s);
	if (*broken != '\0')
		return broken;
	free(broken);
	return NULL;
}

char *power_judge_engine(const power_record *r, site *s, size_t cut)
{
	site_recall(s, &r->tape, cut);
	char *wrong = look_at_anchor(r, s, cut);
	return wrong != NULL ? wrong : power_take_up(s);
}
