/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/projection.h"
#include <stdarg.h>
#include <string.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/sql.h"
#include "store/touched.h"
#include "store/transfer.h"

struct cs_fold {
	sqlite3 *db;
	sqlite3_stmt *st[CS_FOLD_COUNT];
	cs_touched touched;
};

static const char *const statements[CS_FOLD_COUNT] = {
#define STATEMENT(name, sql) [CS_FOLD_##name] = sql,
	CS_FOLD_STATEMENTS(STATEMENT)
#undef STATEMENT
};

static cs_fold_fn *const folds[CS_EV_COUNT] = {
#define FOLD(name, word, fold) [CS_EV_##name] = cs_fold_##fold,
	CS_EVENT_TYPES(FOLD)
#undef FOLD
};

static const char *const type_words[CS_EV_COUNT] = {
#define WORD(name, word, fold) [CS_EV_##name] = word,
	CS_EVENT_TYPES(WORD)
#undef WORD
};

const char *cs_event_type_word(cs_event_type t)
{
	return (unsigned)t < CS_EV_COUNT ? type_words[t] : NULL;
}

cs_event_type cs_event_type_find(const char *word)
{
	unsigned low = 0, high = CS_EV_COUNT;
	while (low < high) {
		unsigned mid = (low + high) / 2;
		int order = strcmp(word, type_words[mid]);
		if (order == 0)
			return (cs_event_type)mid;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return CS_EV_COUNT;
}

cs_fold *cs_fold_new(sqlite3 *db)
{
	cs_fold *f = cs_xcalloc(1, sizeof *f);
	f->db = db;
	return f;
}

void cs_fold_free(cs_fold *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < CS_FOLD_COUNT; i++)
		sqlite3_finalize(f->st[i]);
	free(f);
}

int cs_fold_get(cs_fold *f, cs_fold_statement which, sqlite3_stmt **ret, cs_err *err)
{
	int rc = cs_sql_keep(f->db, statements[which], &f->st[which], err);
	if (!rc)
		*ret = f->st[which];
	return rc;
}

int cs_fold_do(cs_fold *f, cs_fold_statement which, cs_err *err, const char *format, ...)
{
	sqlite3_stmt *st;
	int rc = cs_fold_get(f, which, &st, err);
	if (rc)
		return rc;
	va_list ap;
	va_start(ap, format);
	cs_sql_bindv(st, format, ap);
	va_end(ap);
	return cs_sql_done(st, "folding an event", err);
}

const char *cs_fold_need(const cs_event *ev, const char *member, cs_err *err)
{
	const char *s = cs_json_str(ev->data, member);
	if (!s)
		cs_err_set(err, CS_EINVAL, "event %s: its data has no text %s", ev->type, member);
	return s;
}

bool cs_fold_time(const cs_event *ev, const char *member, int64_t *ret)
{
	const json_t *v = json_object_get(ev->data, member);
	if (json_is_integer(v)) {
		*ret = json_integer_value(v);
		return true;
	}
	return json_is_string(v) && cs_time_parse(json_string_value(v), ret, NULL) == CS_OK;
}

void cs_fold_bind_time(sqlite3_stmt *st, int column, const cs_event *ev, const char *member)
{
	int64_t ms;
	if (cs_fold_time(ev, member, &ms))
		sqlite3_bind_int64(st, column, ms);
	else
		sqlite3_bind_null(st, column);
}

const char *cs_fold_verb(const cs_event *ev)
{
	const char *dot = strchr(ev->type, '.');
	return dot ? dot + 1 : ev->type;
}

const char *cs_fold_state(const cs_fold_word *table, const cs_event *ev)
{
	const char *verb = cs_fold_verb(ev);
	for (; table->verb; table++) {
		if (strcmp(table->verb, verb) == 0)
			return table->state;
	}
	return verb;
}

int cs_fold_nothing(cs_fold *f, const cs_event *ev, cs_err *err)
{
	(void)f, (void)ev, (void)err;
	return CS_OK;
}

static bool is_run_event(cs_event_type t)
{
	return strncmp(type_words[t], "run.", 4) == 0;
}

bool cs_fold_imported(const cs_event *ev)
{
	return strncmp(ev->actor, CS_IMPORTED_ACTOR, sizeof CS_IMPORTED_ACTOR - 1) == 0;
}

int cs_fold_settle(cs_fold *f, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; !rc && i < f->touched.n; i++) {
		const cs_touch *one = &f->touched.list[i];
		if (!one->written)
			rc = cs_fold_do(f, CS_FOLD_RUN_TOUCH, err, "sii", one->run, one->at, one->seq);
	}
	cs_touched_clear(&f->touched);
	return rc;
}

void cs_fold_forget(cs_fold *f)
{
	cs_touched_clear(&f->touched);
}

static int touch(cs_fold *f, const cs_event *ev, cs_err *err)
{
	if (cs_touched_note(&f->touched, ev->run, ev->at, ev->seq))
		return CS_OK;
	int rc = cs_fold_settle(f, err);
	(void)cs_touched_note(&f->touched, ev->run, ev->at, ev->seq);
	return rc;
}

int cs_fold_event(cs_fold *f, cs_event_type t, const cs_event *ev, cs_err *err)
{
	bool skipped = cs_fold_imported(ev) && !is_run_event(t);
	int rc = skipped ? CS_OK : folds[t](f, ev, err);
	if (rc || !ev->run[0])
		return rc;
	if (!is_run_event(t))
		return touch(f, ev, err);
	/* The run's own events touch its row with what else they write. */
	if (folds[t] != cs_fold_nothing)
		cs_touched_written(&f->touched, ev->run);
	return CS_OK;
}
