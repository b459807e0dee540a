/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single events by their seqs, with every segment of the archive opened once, and what state the segments are in. */
#include "store/reader.h"
#include <stdlib.h>
#include "base/mem.h"
#include "store/event_bytes.h"
#include "store/sql.h"

typedef struct picking {
	cs_reader *r;
	cs_event_fn *fn;
	void *ctx;
	bool stopped;                /* by FN, whatever the segment is */
	cs_err why;
} picking;

/* What of SEQS is not in the database goes to LEFT, of which *RET_N are then used. */
static int pick_here(picking *p, const int64_t *seqs, size_t n, int64_t *left, size_t *ret_n, cs_err *err)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	size_t k = 0;
	int rc = CS_OK;
	if (sqlite3_prepare_v2(p->r->db, "SELECT " CS_EVENT_COLUMNS " FROM event WHERE seq = ?1", -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, p->r->db, "reading events");
	for (size_t i = 0; !rc && i < n; i++) {
		cs_sql_bind(st, "i", seqs[i]);
		int step = sqlite3_step(st);
		if (step == SQLITE_ROW)
			rc = cs_reader_give(p->r, st, p->fn, p->ctx, err);
		else if (step == SQLITE_DONE)
			left[k++] = seqs[i];
		else
			rc = cs_sql_err(err, p->r->db, "reading events");
		sqlite3_reset(st);
	}
	*ret_n = k;
	return rc;
}

static int give_picked(void *ctx, const cs_segment_row *row)
{
	picking *p = ctx;
	CS_CLEANUP(cs_segment_event_fini) cs_segment_event e = { .head = NULL };
	int rc = cs_segment_event_of(row, true, &e, &p->why);
	if (rc)
		return rc;
	rc = p->fn(p->ctx, &e.ev);
	p->stopped = rc != 0;
	return rc;
}

static int pick_archived(picking *p, const cs_segment *s, const int64_t *seqs, size_t n, json_t *lost, cs_err *err)
{
	p->why = (cs_err){ 0 };
	int rc = cs_segment_pick(p->r->dir, s, seqs, n, give_picked, p, &p->why);
	if (rc && p->stopped)
		return rc;
	if (rc == CS_ENOMEM)
		return cs_err_set(err, rc, "%s", p->why.msg);
	if (rc) {
		CS_AUTOFREE char *name = cs_segment_name(s);
		json_t *says = json_string(p->why.msg);     /* the folder's name need not be UTF-8 */
		json_array_append_new(lost, json_pack("{s:s, s:I, s:I, s:o}", "segment", name, "first", (json_int_t)s->first, "last",
						      (json_int_t)s->last, "says", says ? says : json_sprintf("%s cannot be read; put it back from a backup", name)));
	}
	return CS_OK;
}

static int pick(picking *p, const int64_t *seqs, size_t n, json_t *lost, cs_err *err)
{
	CS_AUTOFREE int64_t *left = cs_xcalloc(n + 1, sizeof *left);
	size_t m = 0, at = 0;
	const cs_segments *all = &p->r->segments;
	int rc = cs_segments_load(p->r->db, &p->r->segments, err);
	if (!rc)
		rc = pick_here(p, seqs, n, left, &m, err);
	for (size_t i = 0; !rc && i < all->n; i++) {
		size_t from = at;
		while (at < m && left[at] <= all->list[i].last)
			at++;
		if (at > from)
			rc = pick_archived(p, &all->list[i], left + from, at - from, lost, err);
	}
	return rc;
}

/* Held: what is not in the database any more is in a segment that this state of it tells of. */
int cs_reader_pick(cs_reader *r, const int64_t *seqs, size_t n, cs_event_fn *fn, void *ctx, json_t *lost, cs_err *err)
{
	picking p = { .r = r, .fn = fn, .ctx = ctx };
	int rc = cs_reader_hold(r, err);
	if (rc)
		return rc;
	rc = pick(&p, seqs, n, lost, err);
	cs_reader_release(r);
	return rc;
}

int cs_reader_segments(cs_reader *r, cs_segment_seen_fn *fn, void *ctx, cs_err *err)
{
	int rc = cs_segments_load(r->db, &r->segments, err);
	for (size_t i = 0; !rc && i < r->segments.n; i++) {
		const cs_segment s = r->segments.list[i];
		CS_AUTOFREE char *name = cs_segment_name(&s);
		cs_err why = { 0 };
		bool bad = cs_segment_read(r->dir, &s, s.first, s.last, NULL, NULL, &why) != CS_OK;
		rc = fn(ctx, name, s.first, s.last, bad ? &why : NULL);
	}
	return rc;
}
