/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "store/event_bytes.h"
#include "store/projection.h"
#include "store/schema.h"
#include "store/sql.h"
#include "store/transfer.h"
#include "store/transfer_lines.h"

enum { HEADER_MAX = 4 * 1024 * 1024, ACTOR_MAX = 1024, TASK_MAX = 64 * 1024 };

/* The end of the year 9999: the latest time that our texts can say. */
#define LATEST INT64_C(253402300799999)

/* One line of the text, without its end. */
typedef struct cursor {
	const char *text;
	size_t len, at;
	unsigned line;               /* of the one taken last */
	cs_err *err;
} cursor;

typedef struct span {
	const char *p;
	size_t len;
} span;

CS_PRINTF(2, 3) static int wrong(const cursor *c, const char *fmt, ...)
{
	char said[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(said, sizeof said, fmt, ap);
	va_end(ap);
	return cs_err_at(c->err, CS_EINVAL, NULL, c->line, 0, "line %u: %s", c->line, said);
}

static bool next_line(cursor *c, span *ret)
{
	if (c->at >= c->len)
		return false;
	const char *p = c->text + c->at, *end = memchr(p, '\n', c->len - c->at);
	*ret = (span){ p, end ? (size_t)(end - p) : c->len - c->at };
	c->at += ret->len + (end ? 1 : 0);
	c->line++;
	return true;
}

static bool begins(const span *s, const char *with)
{
	size_t n = strlen(with);
	return s->len >= n && memcmp(s->p, with, n) == 0;
}

/* ---- sums and signature --------------------------------------------------------------------- */

/* The line is whole, and follows from those before it. */
static int check_sum(cursor *c, const span *s, cs_sha256 *h, uint8_t sum[CS_HASH_LEN])
{
	uint8_t said[CS_HASH_LEN];
	char hex[CS_HEX_SIZE];
	size_t own = s->len > CS_LINE_TAIL ? s->len - CS_LINE_TAIL : 0;
	const char *tail = s->p + own, *end = s->p + s->len - (sizeof CS_LINE_END - 1);
	if (own == 0 || memcmp(tail, CS_LINE_SUM, sizeof CS_LINE_SUM - 1) != 0 || memcmp(end, CS_LINE_END, sizeof CS_LINE_END - 1) != 0)
		return wrong(c, "has no sum: it was changed, or the file was cut off here");
	memcpy(hex, tail + sizeof CS_LINE_SUM - 1, CS_HEX_SIZE - 1);
	hex[CS_HEX_SIZE - 1] = '\0';
	cs_line_sum(h, sum, s->p, own);
	if (cs_unhex(hex, said, sizeof said) || memcmp(said, sum, sizeof said) != 0)
		return wrong(c, "does not fit its sum: it was changed, or lines before it are missing");
	return CS_OK;
}

static int check_signature(cursor *c, const span *s, int64_t lines, const uint8_t sum[CS_HASH_LEN], const char *key)
{
	CS_AUTOJSON json_t *v = NULL;
	uint8_t message[CS_LINES_MESSAGE], public[CS_SIGN_PUBLIC], signature[CS_SIGNATURE];
	if (s->len > 4096 || cs_json_parse(s->p, s->len, &v, NULL) || !json_is_object(v))
		return wrong(c, "should be the signature, and is not");
	const char *hex = cs_json_str_or(v, "signature", "");
	if (cs_unhex(hex, signature, sizeof signature) || cs_json_int_or(v, "lines", -1) != lines)
		return wrong(c, "the signature is of other lines than those before it: some are missing, or it was put there from elsewhere");
	cs_lines_message(lines, sum, message);
	if (sodium_init() < 0 || cs_unhex(key, public, sizeof public) ||
	    crypto_sign_verify_detached(signature, message, sizeof message, public) != 0)
		return wrong(c, "the signature is not by the key %.16s that the first line names: the file was changed", key);
	return CS_OK;
}

static int take_header(cursor *c, const span *s, cs_import *m)
{
	uint8_t key[CS_SIGN_PUBLIC];
	if (!begins(s, "{\"capstan\":\"export\",") || s->len > HEADER_MAX || cs_json_parse(s->p, s->len, &m->header, NULL) ||
	    !json_is_object(m->header))
		return wrong(c, "is not the beginning of what `capstan export` writes");
	int64_t format = cs_json_int_or(m->header, "format", 0);
	const char *hex = cs_json_str_or(m->header, "key", "");
	if (format > CS_TRANSFER_FORMAT)
		return cs_err_set(c->err, CS_EUNSUPPORTED, "the file is of format %lld, this version reads up to %d; update capstan",
				  (long long)format, CS_TRANSFER_FORMAT);
	if (format < 1 || cs_unhex(hex, key, sizeof key) || !cs_json_str(m->header, "workspace"))
		return wrong(c, "its format, its key or its workspace is missing");
	memcpy(m->signer, hex, CS_HEX_SIZE);
	return CS_OK;
}

static int check_lines(cursor *c, cs_import *m, cs_sha256 *h)
{
	uint8_t sum[CS_HASH_LEN] = { 0 };
	span s = { 0 };
	int rc = CS_OK;
	for (int64_t lines = 0; next_line(c, &s); lines++) {
		if (lines > 0 && begins(&s, "{\"lines\":")) {
			rc = check_signature(c, &s, lines, sum, m->signer);
			if (!rc && (c->at < c->len || c->text[c->len - 1] != '\n'))
				rc = wrong(c, "something stands behind the signature, or it was cut off");
			return rc;
		}
		rc = lines == 0 ? take_header(c, &s, m) : CS_OK;
		if (!rc)
			rc = check_sum(c, &s, h, sum);
		if (rc)
			return rc;
	}
	return wrong(c, "the file ends here without its signature: it was cut off");
}

int cs_import_check(const char *text, size_t len, cs_import *ret, cs_err *err)
{
	cursor c = { .text = text, .len = len, .err = err };
	*ret = (cs_import){ .runs = json_object(), .bodies = json_object(), .lines = json_object(), .events = json_array() };
	if (len > CS_TRANSFER_MAX + HEADER_MAX)
		return cs_err_set(err, CS_ETOOBIG, "the file is over %zu MiB, the most that one holds", CS_TRANSFER_MAX >> 20);
	cs_sha256 *h = cs_sha256_new();
	int rc = check_lines(&c, ret, h);
	cs_sha256_free(h);
	cs_hash_hex(text, len, ret->file);
	return rc;
}

void cs_import_fini(cs_import *m)
{
	json_decref(m->header);
	json_decref(m->runs);
	json_decref(m->bodies);
	json_decref(m->lines);
	json_decref(m->events);
	*m = (cs_import){ .header = NULL };
}

/* ---- what the lines hold --------------------------------------------------------------------- */

static int take_body(cursor *c, const json_t *v, cs_import *m)
{
	char hex[CS_HEX_SIZE];
	CS_AUTOJSON json_t *parsed = NULL;
	const char *name = cs_json_str_or(v, "body", "");
	json_t *text = json_object_get(v, "text");
	if (!json_is_string(text))
		return wrong(c, "a body has no text");
	cs_hash_hex(json_string_value(text), json_string_length(text), hex);
	if (strcmp(hex, name) != 0)
		return wrong(c, "the body is not the one that its name says");
	if (cs_json_parse(json_string_value(text), json_string_length(text), &parsed, NULL))
		return wrong(c, "the body is not JSON");
	if (json_object_get(m->bodies, name))
		return wrong(c, "the body %.16s is there twice", name);
	json_object_set(m->bodies, name, text);
	json_object_set_new(m->lines, name, json_integer((json_int_t)c->line));
	return CS_OK;
}

/* What is only of a workspace as a whole belongs to no run. */
static bool of_a_run(const char *type)
{
	static const char *const others[] = { "engine.", "connector.", "start.", "log." };
	for (size_t i = 0; i < CS_ARRAY_LEN(others); i++)
		if (strncmp(type, others[i], strlen(others[i])) == 0)
			return false;
	return cs_event_type_find(type) != CS_EV_COUNT;
}

static int64_t int_of(const json_t *v, const char *member, int64_t min, int64_t max)
{
	const json_t *n = json_object_get(v, member);
	int64_t i = json_is_integer(n) ? json_integer_value(n) : -1;
	return i >= min && i <= max ? i : -1;
}

static bool text_ok(const json_t *v, size_t max)
{
	return json_is_string(v) && json_string_length(v) <= max && strlen(json_string_value(v)) == json_string_length(v);
}

static int check_texts(const cursor *c, const json_t *ev, int64_t seq)
{
	const json_t *task = json_object_get(ev, "task"), *actor = json_object_get(ev, "actor");
	if (!text_ok(actor, ACTOR_MAX) || json_string_length(actor) == 0 || !(json_is_null(task) || text_ok(task, TASK_MAX)))
		return wrong(c, "event %lld: its actor or its task cannot be", (long long)seq);
	if (!text_ok(json_object_get(ev, "type"), 64) || !of_a_run(cs_json_str_or(ev, "type", "")))
		return wrong(c, "event %lld: %.64s is no event of a run that this version knows", (long long)seq, cs_json_str_or(ev, "type", ""));
	if (!json_is_boolean(json_object_get(ev, "simulated")) || !json_is_object(json_object_get(ev, "data")))
		return wrong(c, "event %lld: its data is not an object", (long long)seq);
	return CS_OK;
}

static int check_members(const cursor *c, const json_t *ev, int64_t before)
{
	static const char *const names[] = { "actor", "at", "cause", "data", "occurrence", "run", "seq", "simulated", "task", "type" };
	int64_t seq = int_of(ev, "seq", 1, INT64_MAX);
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++)
		if (!json_object_get(ev, names[i]))
			return wrong(c, "the event has no %s", names[i]);
	if (json_object_size(ev) != CS_ARRAY_LEN(names))
		return wrong(c, "the event has a member that is none of capstan's");
	if (seq <= before)
		return wrong(c, "the event's number is not behind the one before it: it is there twice, or in another order");
	if (int_of(ev, "at", 0, LATEST) < 0 || int_of(ev, "cause", 0, seq - 1) < 0 || int_of(ev, "occurrence", 0, INT32_MAX) < 0)
		return wrong(c, "event %lld: its time, its cause or its occurrence cannot be", (long long)seq);
	return check_texts(c, ev, seq);
}

/* A run begins with its creation, and is created once. */
static int note_run(cursor *c, cs_import *m, const json_t *ev)
{
	const char *run = cs_json_str_or(ev, "run", ""), *type = cs_json_str_or(ev, "type", "");
	json_t *known = json_object_get(m->runs, run);
	bool created = strcmp(type, "run.created") == 0;
	if (!cs_id_valid(run) || strlen(run) != CS_ID_LEN)
		return wrong(c, "the event is of no run");
	if (created == (known != NULL))
		return wrong(c, created ? "the run %s is there twice" : "the run %s has events before its creation", run);
	if (!known && json_object_size(m->runs) >= CS_TRANSFER_RUNS)
		return wrong(c, "there are more than %d runs", CS_TRANSFER_RUNS);
	if (!known) {
		known = json_pack("{s:[], s:I}", "events", "line", (json_int_t)c->line);
		json_object_set_new(m->runs, run, known);
	}
	json_array_append_new(json_object_get(known, "events"), json_integer((json_int_t)json_array_size(m->events)));
	return CS_OK;
}

/* How often what ACTOR did has been imported. */
static int times_imported(const char *actor)
{
	int n = 0;
	for (; strncmp(actor, CS_IMPORTED_ACTOR, sizeof CS_IMPORTED_ACTOR - 1) == 0; n++)
		actor += sizeof CS_IMPORTED_ACTOR - 1;
	return n;
}

/* A run that the exporting workspace had imported itself: its mark stands behind events that came from elsewhere, all
 * of them, and only another such mark behind it. In the place of an end it would end a run that never did. */
static int check_mark(const cursor *c, const cs_import *m, const json_t *ev, const json_t *data)
{
	static const char *const needs[] = { "file", "signer", "workspace", "state" };
	json_t *run = json_object_get(m->runs, cs_json_str_or(ev, "run", ""));
	long long seq = (long long)cs_json_int_or(ev, "seq", 0);
	int64_t times = times_imported(cs_json_str_or(ev, "actor", "")), least = cs_json_int_or(run, "times", times);
	bool mark = strcmp(cs_json_str_or(ev, "type", ""), "run.imported") == 0;
	if (!mark && cs_json_true(run, "marked"))
		return wrong(c, "event %lld: the run was imported before it, and nothing follows that", seq);
	if (mark && times >= least)
		return wrong(c, "event %lld: run.imported, where what stands before it of the run was not imported", seq);
	for (size_t i = 0; mark && i < CS_ARRAY_LEN(needs); i++)
		if (!cs_json_str(data, needs[i]))
			return wrong(c, "event %lld: run.imported has no text %s", seq, needs[i]);
	json_object_set_new(run, "times", json_integer(times < least ? times : least));
	if (mark)
		json_object_set_new(run, "marked", json_true());
	return CS_OK;
}

/* What a run was started or replayed from was there before it. */
static int note_parent(const cursor *c, const cs_import *m, const json_t *ev, const json_t *data)
{
	json_t *parent = json_object_get(data, "parent");
	const char *run = cs_json_str_or(ev, "run", "");
	if (strcmp(cs_json_str_or(ev, "type", ""), "run.created") != 0 || !parent || json_is_null(parent))
		return CS_OK;
	if (!text_ok(parent, CS_ID_LEN) || !cs_id_valid(json_string_value(parent)))
		return wrong(c, "the parent of the run %s is no run", run);
	if (strcmp(json_string_value(parent), run) == 0)
		return wrong(c, "the run %s is its own parent", run);
	json_object_set(json_object_get(m->runs, run), "parent", parent);
	return CS_OK;
}

static int check_parents(cursor *c, const cs_import *m)
{
	const char *id;
	json_t *run;
	json_object_foreach(m->runs, id, run) {
		const char *parent = cs_json_str(run, "parent");
		int64_t line = cs_json_int_or(run, "line", 0);
		int64_t of = parent ? cs_json_int_or(json_object_get(m->runs, parent), "line", 0) : 0;
		c->line = (unsigned)line;
		if (of > line)
			return wrong(c, "the run %s has a parent that is created after it, on line %lld", id, (long long)of);
	}
	return CS_OK;
}

/* "NAME@": a body's hash, back to the value itself. */
static int join(cursor *c, const cs_import *m, const json_t *data, json_t **ret)
{
	CS_AUTOJSON json_t *whole = json_object();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)data, name, value) {
		size_t n = strlen(name);
		if (n == 0 || name[n - 1] != '@') {
			json_object_set(whole, name, value);
			continue;
		}
		const json_t *text = json_object_get(m->bodies, json_is_string(value) ? json_string_value(value) : "");
		CS_AUTOFREE char *plain = cs_xstrndup(name, n - 1);
		json_t *back = NULL;
		if (!text || plain[0] == '\0' || plain[strlen(plain) - 1] == '@' || json_object_get(data, plain))
			return wrong(c, "the body of %.64s is not in the file", name);
		if (cs_json_parse(json_string_value(text), json_string_length(text), &back, c->err))
			return wrong(c, "the body of %.64s is not JSON", name);
		json_object_set_new(whole, plain, back);
	}
	*ret = CS_STEAL(whole);
	return CS_OK;
}

static int take_event(cursor *c, json_t *v, cs_import *m, int64_t *before)
{
	json_t *ev = json_object_get(v, "event"), *data = NULL;
	int rc = json_is_object(ev) ? check_members(c, ev, *before) : wrong(c, "the event is not an object");
	if (!rc)
		rc = note_run(c, m, ev);
	if (!rc)
		rc = join(c, m, json_object_get(ev, "data"), &data);
	if (rc)
		return rc;
	json_object_set_new(ev, "data", data);
	rc = check_mark(c, m, ev, data);
	if (!rc)
		rc = note_parent(c, m, ev, data);
	if (rc)
		return rc;
	json_object_set_new(ev, "line", json_integer((json_int_t)c->line));
	*before = json_integer_value(json_object_get(ev, "seq"));
	json_array_append(m->events, ev);
	return CS_OK;
}

/* The runs that the first line tells of are those that are here. */
static int check_told(cursor *c, const cs_import *m)
{
	const json_t *told = json_object_get(m->header, "runs");
	CS_AUTOJSON json_t *seen = json_object();
	size_t i;
	json_t *run;
	if (json_array_size(told) == 0 || json_array_size(told) != json_object_size(m->runs) ||
	    cs_json_int_or(m->header, "events", -1) != (int64_t)json_array_size(m->events) ||
	    cs_json_int_or(m->header, "bodies", -1) != (int64_t)json_object_size(m->bodies))
		return wrong(c, "what the first line says that the file holds is not what it holds");
	json_array_foreach(told, i, run) {
		const char *id = cs_json_str_or(run, "run", "");
		if (!json_object_get(m->runs, id))
			return wrong(c, "the run %.80s, which the first line tells of, is not in the file", id);
		if (json_object_get(seen, id))
			return wrong(c, "the run %.80s is named twice", id);
		json_object_set_new(seen, id, json_true());
	}
	return CS_OK;
}

int cs_import_read(const char *text, size_t len, cs_import *m, cs_err *err)
{
	cursor c = { .text = text, .len = len, .err = err };
	span s = { 0 };
	int64_t before = 0;
	(void)next_line(&c, &s);             /* the header was taken by cs_import_check */
	while (next_line(&c, &s) && !begins(&s, "{\"lines\":")) {
		CS_AUTOJSON json_t *v = NULL;
		cs_err why = { 0 };
		int rc = cs_json_parse(s.p, s.len, &v, &why);
		if (rc)
			return wrong(&c, "is not JSON: %.300s", why.msg);
		if (json_object_get(v, "body") && json_array_size(m->events) == 0)
			rc = take_body(&c, v, m);
		else if (json_object_get(v, "event"))
			rc = take_event(&c, v, m, &before);
		else
			rc = wrong(&c, "is neither a body nor an event, or stands where it does not belong");
		if (rc)
			return rc;
	}
	int rc = check_parents(&c, m);
	c.line = 1;
	return rc ? rc : check_told(&c, m);
}

/* ---- into another log ------------------------------------------------------------------------ */

void cs_import_event(const cs_import *m, size_t i, cs_buf *actor, cs_event *ev)
{
	const json_t *v = json_array_get(m->events, i);
	cs_buf_reset(actor);
	cs_buf_addf(actor, "%s%s", CS_IMPORTED_ACTOR, cs_json_str_or(v, "actor", ""));
	*ev = (cs_event){
		.seq = cs_json_int_or(v, "seq", 0), .at = cs_json_int_or(v, "at", 0), .task = cs_json_str(v, "task"),
		.occurrence = (int)cs_json_int_or(v, "occurrence", 0), .type = cs_json_str(v, "type"), .actor = cs_buf_str(actor),
		.cause = cs_json_int_or(v, "cause", 0), .simulated = true, .data = json_object_get(v, "data"),
	};
	memcpy(ev->run, cs_json_str_or(v, "run", ""), CS_ID_SIZE);
}

static int try_one(const cs_import *m, size_t i, cs_fold *f, cs_err *err)
{
	CS_AUTOBUF cs_buf actor;
	cs_event ev;
	cs_err why = { 0 };
	cs_buf_init(&actor, ACTOR_MAX + sizeof CS_IMPORTED_ACTOR);
	cs_import_event(m, i, &actor, &ev);
	int rc = cs_fold_event(f, cs_event_type_find(ev.type), &ev, &why);
	long long line = (long long)cs_json_int_or(json_array_get(m->events, i), "line", 0);
	return rc ? cs_err_at(err, CS_EINVAL, NULL, (unsigned)line, 0, "line %lld: %.600s", line, why.msg) : CS_OK;
}

/* What each run's row says in the end. */
static int read_rows(sqlite3 *db, const cs_import *m, cs_err *err)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	int step;
	if (sqlite3_prepare_v2(db, "SELECT id, definition, state FROM run", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, db, "trying what is to be imported");
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		json_t *run = json_object_get(m->runs, cs_sql_text(st, 0));
		json_object_set_new(run, "definition", json_string(cs_sql_text(st, 1)));
		json_object_set_new(run, "state", json_string(cs_sql_text(st, 2)));
	}
	return step == SQLITE_DONE ? CS_OK : cs_sql_err(err, db, "trying what is to be imported");
}

int cs_import_try(const cs_import *m, cs_err *err)
{
	sqlite3 *db = NULL;
	int rc = cs_schema_open_scratch(&db, err);
	cs_fold *f = rc ? NULL : cs_fold_new(db);
	for (size_t i = 0; !rc && i < json_array_size(m->events); i++)
		rc = try_one(m, i, f, err);
	if (!rc)
		rc = read_rows(db, m, err);
	cs_fold_free(f);
	sqlite3_close(db);
	return rc;
}
