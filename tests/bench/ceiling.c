/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bench/ceiling.h"
#include <string.h>
#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"
#include "store/event_bytes.h"
#include "store/schema.h"
#include "store/sql.h"

typedef struct probe {
	sqlite3 *db;
	sqlite3_stmt *event, *run, *touch, *task;
	const bench_shape *shape;
	char (*ids)[CS_ID_SIZE];
	char *data;
	long long seq;
	int in_group;
} probe;

static int prepare(probe *p, cs_err *err)
{
	int rc = cs_sql_keep(p->db, "INSERT INTO event (" CS_EVENT_COLUMNS ") VALUES (?1,?2,?3,?4,?5,?6,'engine',?7,0,?8,?9)",
			     &p->event, err);
	if (!rc)
		rc = cs_sql_keep(p->db, "INSERT INTO run (id, flow, name, version, definition, kind, state, updated,"
				 " simulated, cost, created, created_seq, last_seq)"
				 " VALUES (?1,'bench/set','set','1.0.0',?2,'flow','running',?3,0,0,?3,?4,?4)", &p->run, err);
	if (!rc)
		rc = cs_sql_keep(p->db, "UPDATE run SET updated = ?2, last_seq = ?3 WHERE id = ?1", &p->touch, err);
	if (!rc)
		rc = cs_sql_keep(p->db, "INSERT INTO task (run, ref, occurrence, state, started, ended, seq, attempts,"
				 " cost) VALUES (?1,?2,1,'completed',?3,?3,?4,0,0)", &p->task, err);
	return rc;
}

static int group_edge(probe *p, bool last, cs_err *err)
{
	int rc = CS_OK;
	if (p->in_group && (last || p->in_group == p->shape->group)) {
		rc = cs_sql_run(p->db, "COMMIT", err);
		p->in_group = 0;
	}
	if (!rc && !last && p->in_group++ == 0)
		rc = cs_sql_run(p->db, "BEGIN IMMEDIATE", err);
	return rc;
}

static int write_event(probe *p, const char *run, const char *task, const char *type, cs_err *err)
{
	static const uint8_t hash[CS_HASH_LEN] = { 1 };
	int64_t seq = ++p->seq;
	cs_sql_bind(p->event, "iissisisb", seq, (int64_t)1700000000000, run, task, (int64_t)1, type, seq - 1, p->data,
		    (const void *)hash, sizeof hash);
	return cs_sql_done(p->event, "writing an event", err);
}

static int write_run(probe *p, const char *id, cs_err *err)
{
	static const char definition[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	int rc = group_edge(p, false, err);
	if (!rc)
		rc = write_event(p, id, NULL, "run.created", err);
	if (rc)
		return rc;
	cs_sql_bind(p->run, "ssii", id, definition, (int64_t)1700000000000, (int64_t)p->seq);
	return cs_sql_done(p->run, "writing a run", err);
}

static int write_step(probe *p, const char *id, int step, cs_err *err)
{
	char ref[32];
	snprintf(ref, sizeof ref, "/do/%d/step%d", step, step);
	int rc = group_edge(p, false, err);
	if (!rc)
		rc = write_event(p, id, ref, "task.completed", err);
	if (rc)
		return rc;
	cs_sql_bind(p->task, "ssii", id, ref, (int64_t)1700000000000, (int64_t)p->seq);
	rc = cs_sql_done(p->task, "writing a task", err);
	if (rc)
		return rc;
	cs_sql_bind(p->touch, "sii", id, (int64_t)1700000000000, (int64_t)p->seq);
	return cs_sql_done(p->touch, "writing a run", err);
}

/* Step by step over all runs, as runs side by side make their way. */
static int write_all(probe *p, cs_err *err)
{
	int rc = CS_OK;
	for (int run = 0; !rc && run < p->shape->runs; run++)
		rc = write_run(p, p->ids[run], err);
	for (int step = 0; !rc && step < p->shape->steps; step++) {
		for (int run = 0; !rc && run < p->shape->runs; run++)
			rc = write_step(p, p->ids[run], step, err);
	}
	return rc ? rc : group_edge(p, true, err);
}

static void set_up(probe *p)
{
	cs_idgen ids = { 0 };
	p->ids = cs_xcalloc((size_t)p->shape->runs, sizeof *p->ids);
	for (int i = 0; i < p->shape->runs; i++)
		cs_id_next(&ids, 1700000000000, p->ids[i]);
	size_t pad = p->shape->data_bytes > 16 ? (size_t)p->shape->data_bytes - 16 : 0;
	p->data = cs_xcalloc(pad + 32, 1);
	memcpy(p->data, "{\"output\":\"", 11);
	memset(p->data + 11, 'x', pad);
	memcpy(p->data + 11 + pad, "\"}", 3);
}

int bench_ceiling(const char *dir, const bench_shape *shape, bench_result *ret, cs_err *err)
{
	probe p = { .shape = shape };
	int rc = cs_schema_open_writer(dir, true, &p.db, err);
	if (rc)
		return rc;
	set_up(&p);
	rc = prepare(&p, err);
	int64_t from = cs_clock_mono_ns();
	if (!rc)
		rc = write_all(&p, err);
	int64_t to = cs_clock_mono_ns();
	sqlite3_finalize(p.event);
	sqlite3_finalize(p.run);
	sqlite3_finalize(p.touch);
	sqlite3_finalize(p.task);
	sqlite3_close(p.db);
	free(p.ids);
	free(p.data);
	if (!rc)
		*ret = (bench_result){ p.seq, (long long)shape->runs * shape->steps, (double)(to - from) / 1e9 };
	return rc;
}
