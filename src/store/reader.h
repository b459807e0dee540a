/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rooms of the reader share. */
#ifndef CS_STORE_READER_H
#define CS_STORE_READER_H

#include <sqlite3.h>
#include "store/segment.h"
#include "store/store.h"

/* Distinct queries of one reader that stay prepared; the views have fewer. */
#define CS_READER_QUERIES 32

struct cs_reader {
	sqlite3 *db;
	char *dir;
	cs_segments segments;        /* of the log, as far as it was looked at */
	sqlite3_stmt *body, *begin, *commit;
	int held;
	char *lost;                  /* why a segment could not be read, of the last reading; NULL: none */
	struct { char *sql; sqlite3_stmt *st; } query[CS_READER_QUERIES];
	unsigned next_query;
};

/* The event of a row of CS_EVENT_COLUMNS to FN. */
int cs_reader_give(cs_reader *r, sqlite3_stmt *st, cs_event_fn *fn, void *ctx, cs_err *err);
/* Notes WHY a segment cannot be read, for cs_reader_lost; NULL forgets it. */
void cs_reader_note_lost(cs_reader *r, const char *why);

#endif
