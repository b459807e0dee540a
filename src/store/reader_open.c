/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runs that are not over, row by row: there may be very many of them. */
#include "store/reader.h"
#include <stdio.h>
#include "base/mem.h"
#include "store/sql.h"

/* The attempts of a run are few, and found by it; one that was tried again keeps its older rows open, which only
 * makes the answer more careful. */
static const char open_runs[] =
	"SELECT id, definition, state = 'waiting' AND parent IS NULL AND NOT EXISTS"
	" (SELECT 1 FROM attempt WHERE attempt.run = run.id AND attempt.ended IS NULL)"
	" FROM run WHERE state NOT IN ('completed','faulted','cancelled','compensated') ORDER BY created_seq";

int cs_reader_open_runs(cs_reader *r, cs_open_run_fn *fn, void *ctx, cs_err *err)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	int step, rc = CS_OK;
	if (sqlite3_prepare_v2(r->db, open_runs, -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, r->db, "reading the open runs");
	while (!rc && (step = sqlite3_step(st)) != SQLITE_DONE) {
		if (step != SQLITE_ROW)
			return cs_sql_err(err, r->db, "reading the open runs");
		cs_open_run o = { .waits = sqlite3_column_int(st, 2) != 0 };
		snprintf(o.id, sizeof o.id, "%s", cs_sql_text(st, 0));
		snprintf(o.definition, sizeof o.definition, "%s", cs_sql_text(st, 1));
		rc = fn(ctx, &o);
	}
	return rc;
}
