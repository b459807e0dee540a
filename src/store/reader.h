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
	struct { char *sql; sqlite3_stmt *st; } query[CS_READER_QUERIES];
	unsigned next_query;
};

#endif
