/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Business keys across runs: how the effect of one stands, and who waits for that to change. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "engine/parked.h"

/* Runs that wait for one key. They say so anew whenever they are stepped, so nothing of this is kept. */
typedef struct cs_once_queue {
	char key[CS_HEX_SIZE];
	char (*runs)[CS_ID_SIZE];
	size_t n, cap;
} cs_once_queue;

static int by_key(const void *a, const void *b)
{
	return strcmp(((const cs_once_queue *)a)->key, ((const cs_once_queue *)b)->key);
}

static void queue_free(void *p)
{
	cs_once_queue *q = p;
	free(q->runs);
	free(q);
}

void cs_once_free(cs_engine *e)
{
	tdestroy(e->once, queue_free);
	e->once = NULL;
}

static cs_once_queue *queue_of(cs_engine *e, const char *key)
{
	cs_once_queue probe = { .n = 0 };
	memcpy(probe.key, key, sizeof probe.key);
	cs_once_queue **found = tfind(&probe, &e->once, by_key);
	return found != NULL ? *found : NULL;
}

static void enqueue(cs_engine *e, const cs_run *r, const char *key)
{
	cs_once_queue *q = queue_of(e, key);
	if (q == NULL) {
		q = cs_xcalloc(1, sizeof *q);
		memcpy(q->key, key, sizeof q->key);
		if (tsearch(q, &e->once, by_key) == NULL)
			abort();
	}
	for (size_t i = 0; i < q->n; i++)
		if (strcmp(q->runs[i], r->id) == 0)
			return;
	if (q->n == q->cap) {
		q->cap = q->cap > 0 ? 2 * q->cap : 4;
		q->runs = cs_xrealloc(q->runs, q->cap * sizeof *q->runs);
	}
	memcpy(q->runs[q->n++], r->id, CS_ID_SIZE);
}

void cs_once_note(cs_engine *e, const cs_event *ev)
{
	const char *key = e->once != NULL ? cs_json_str(ev->data, "once") : NULL;
	if (key == NULL || strlen(key) != CS_HEX_SIZE - 1 || strcmp(ev->type, "attempt.intent") == 0 || strcmp(ev->type, "attempt.awaits") == 0)
		return;
	cs_once_queue *q = queue_of(e, key);
	if (q == NULL)
		return;
	tdelete(q, &e->once, by_key);
	for (size_t i = 0; i < q->n; i++) {
		cs_live *l = cs_runs_get(e, q->runs[i]);
		if (l != NULL)
			cs_runs_ready(e, l);
	}
	queue_free(q);
}

/* To be sent once more by the run that had it, and by nobody else: unless that has ended, and tries nothing again. */
static bool is_free(cs_engine *e, const cs_once_row *row, const cs_run *r)
{
	const cs_live *l = cs_runs_get(e, row->run);
	bool over = l == NULL ? !cs_parked_is(e, row->run) : cs_run_state_terminal(cs_run_state_name(l->run->state));
	if (strcmp(row->state, "superseded") == 0)       /* the operator's word was for that run */
		return over || strcmp(row->run, r->id) == 0;
	return over && strcmp(row->state, "retry-wait") == 0;
}

static cs_once_state state_of(cs_engine *e, const cs_once_row *row, const cs_run *r)
{
	static const struct { const char *word; cs_once_state state; } words[] = {
		{ "done", CS_ONCE_DONE }, { "failed", CS_ONCE_FREE }, { "reversed", CS_ONCE_FREE }, { "in-doubt", CS_ONCE_DOUBT },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, row->state) == 0)
			return words[i].state;
	return is_free(e, row, r) ? CS_ONCE_FREE : CS_ONCE_OPEN;
}

static int read_result(void *ctx, const cs_event *ev)
{
	cs_once *o = ctx;
	o->result = json_incref(json_object_get(ev->data, "result"));
	o->tainted = cs_json_true(ev->data, "tainted");
	o->probed = cs_json_true(ev->data, "probed");
	return 0;
}

int cs_once_find(void *engine, cs_run *r, const char *key, cs_once *ret, cs_err *err)
{
	cs_engine *e = engine;
	cs_once_row row = { .n = 0 };
	int rc = cs_store_once(e->store, key, &row, err);
	if (rc != CS_OK)
		return rc == CS_ENOTFOUND ? CS_OK : rc;
	ret->known = true;
	ret->task = row.task;
	ret->n = row.n;
	ret->seq = row.seq;
	memcpy(ret->run, row.run, sizeof ret->run);
	memcpy(ret->attempt, row.attempt, sizeof ret->attempt);
	memcpy(ret->digest, row.digest, sizeof ret->digest);
	ret->state = state_of(e, &row, r);
	if (ret->state == CS_ONCE_DONE && row.seq > e->group_seq) {
		ret->state = CS_ONCE_OPEN;       /* its result can be read when it is committed */
		cs_runs_ready(e, r->owner);
	} else if (ret->state == CS_ONCE_DONE) {
		rc = cs_reader_event(e->reader, row.seq, read_result, ret, err);
	} else if (ret->state != CS_ONCE_FREE) {
		enqueue(e, r, key);
	}
	return rc;
}
