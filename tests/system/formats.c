/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/system/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/mem.h"

#define RUN "(id TEXT NOT NULL PRIMARY KEY, flow TEXT, name TEXT, version TEXT, definition TEXT, kind TEXT NOT NULL, state TEXT NOT NULL," \
	" started INTEGER, ended INTEGER, updated INTEGER NOT NULL, parent TEXT, origin TEXT, subject TEXT, title TEXT, key TEXT," \
	" simulated INTEGER NOT NULL, cost INTEGER NOT NULL, created INTEGER NOT NULL, created_seq INTEGER NOT NULL, input_seq INTEGER," \
	" end_seq INTEGER, last_seq INTEGER NOT NULL, error_title TEXT"
#define ITEM "(id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, run TEXT NOT NULL, task TEXT, occurrence INTEGER NOT NULL," \
	" state TEXT NOT NULL, digest TEXT, created INTEGER NOT NULL, expires INTEGER, grace INTEGER, grace_until INTEGER, snoozed_until INTEGER," \
	" delegated_to TEXT, decided_by TEXT, note TEXT, next TEXT, published_seq INTEGER NOT NULL, decided_seq INTEGER," \
	" simulated INTEGER NOT NULL, confirm TEXT, previous TEXT, successor TEXT, call TEXT"
#define ROWLESS ") STRICT, WITHOUT ROWID"

static const struct {
	const char *name;
	int from, to;                /* formats; to 0: still */
	const char *columns;
} tables[] = {
	{ "event", 1, 0, "(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, run TEXT NOT NULL, task TEXT, occurrence INTEGER NOT NULL, type TEXT NOT NULL,"
	  " actor TEXT NOT NULL, cause INTEGER NOT NULL, simulated INTEGER NOT NULL, data TEXT NOT NULL, hash BLOB NOT NULL) STRICT" },
	{ "body", 1, 0, "(hash BLOB NOT NULL PRIMARY KEY, bytes BLOB NOT NULL" ROWLESS },
	{ "meta", 1, 0, "(name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL" ROWLESS },
	{ "run", 1, 5, RUN ROWLESS },
	{ "run", 6, 0, RUN ", imported INTEGER" ROWLESS },
	{ "task", 1, 0, "(run TEXT NOT NULL, ref TEXT NOT NULL, occurrence INTEGER NOT NULL, state TEXT NOT NULL, started INTEGER, ended INTEGER,"
	  " seq INTEGER NOT NULL, attempts INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY (run, ref, occurrence)" ROWLESS },
	{ "attempt", 1, 0, "(key TEXT NOT NULL, n INTEGER NOT NULL, run TEXT NOT NULL, task TEXT, occurrence INTEGER NOT NULL, call TEXT, connector TEXT,"
	  " class TEXT, digest TEXT, state TEXT NOT NULL, epoch INTEGER, deadline INTEGER, due INTEGER, started INTEGER NOT NULL, ended INTEGER,"
	  " seq INTEGER NOT NULL, approval TEXT, simulated INTEGER NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY (key, n, run)" ROWLESS },
	{ "item", 1, 3, ITEM ROWLESS },
	{ "item", 4, 0, ITEM ", level INTEGER NOT NULL DEFAULT 0, reminded INTEGER NOT NULL DEFAULT 0" ROWLESS },
	{ "timer", 1, 0, "(id TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, due INTEGER NOT NULL, state TEXT NOT NULL, what TEXT, seq INTEGER NOT NULL" ROWLESS },
	{ "start_key", 1, 0, "(key TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, digest TEXT" ROWLESS },
	{ "setting", 1, 0, "(name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL" ROWLESS },
	{ "event_seen", 2, 0, "(source TEXT NOT NULL, id TEXT NOT NULL, simulated INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (source, id, simulated)" ROWLESS },
	{ "start_event", 3, 0, "(seq INTEGER NOT NULL PRIMARY KEY, starter TEXT NOT NULL, consumed INTEGER, gathering INTEGER) STRICT" },
	{ "start_once", 3, 0, "(value TEXT NOT NULL, simulated INTEGER NOT NULL, run TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (value, simulated)" ROWLESS },
	{ "checkpoint", 5, 0, "(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, previous INTEGER NOT NULL, incarnation INTEGER NOT NULL, hash BLOB NOT NULL,"
	  " link BLOB NOT NULL, signature BLOB NOT NULL) STRICT" },
	{ "once_key", 7, 0, "(key TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, run TEXT NOT NULL, task TEXT, attempt TEXT NOT NULL, digest TEXT,"
	  " n INTEGER NOT NULL, seq INTEGER NOT NULL" ROWLESS },
	{ "breaker", 8, 0, "(connector TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, failures TEXT, until INTEGER, trips INTEGER NOT NULL,"
	  " item TEXT, error TEXT, seq INTEGER NOT NULL, PRIMARY KEY (connector, target)" ROWLESS },
};

static const char indexes[] =
	"CREATE INDEX event_run ON event(run); CREATE INDEX run_open ON run(state) WHERE ended IS NULL;"
	"CREATE INDEX run_parent ON run(parent) WHERE parent IS NOT NULL; CREATE INDEX attempt_open ON attempt(state) WHERE ended IS NULL;"
	"CREATE INDEX attempt_run ON attempt(run, seq); CREATE INDEX item_open ON item(created)"
	" WHERE state IN ('proposed','pending','approved','rejected','answered','open');"
	"CREATE INDEX item_run ON item(run); CREATE INDEX timer_armed ON timer(due) WHERE state = 'armed'";

static void sql(sqlite3 *db, const char *text)
{
	char *why = NULL;
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
}

static int add_name(void *ctx, int n, char **values, char **names)
{
	cs_buf *list = ctx;
	(void)n, (void)names;
	return cs_buf_addf(list, "%s%s", list->len > 0 ? ", " : "", values[0]);
}

static void copy_rows(sqlite3 *db, const char *table)
{
	CS_AUTOBUF cs_buf columns;
	CS_AUTOFREE char *ask = cs_xasprintf("SELECT name FROM pragma_table_info('%s')", table);
	cs_buf_init(&columns, 4096);
	assert_int_equal(sqlite3_exec(db, ask, add_name, &columns, NULL), SQLITE_OK);
	CS_AUTOFREE char *copy = cs_xasprintf("INSERT INTO main.%s (%s) SELECT %s FROM today.%s", table, cs_buf_str(&columns), cs_buf_str(&columns), table);
	sql(db, copy);
}

void formats_write(const char *from, const char *to, int format)
{
	sqlite3 *db = NULL;
	CS_AUTOFREE char *attach = cs_xasprintf("ATTACH '%s' AS today", from);
	CS_AUTOFREE char *number = cs_xasprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", 0x43505354, format);
	assert_int_equal(sqlite3_open(to, &db), SQLITE_OK);
	sql(db, "PRAGMA page_size=8192; PRAGMA journal_mode=WAL");
	sql(db, attach);
	sql(db, "BEGIN");
	for (size_t i = 0; i < CS_ARRAY_LEN(tables); i++) {
		if (format < tables[i].from || (tables[i].to != 0 && format > tables[i].to))
			continue;
		CS_AUTOFREE char *make = cs_xasprintf("CREATE TABLE main.%s %s", tables[i].name, tables[i].columns);
		sql(db, make);
		copy_rows(db, tables[i].name);
	}
	sql(db, indexes);
	if (format >= 8)
		sql(db, "CREATE INDEX attempt_sent ON attempt(connector, started) WHERE connector IS NOT NULL AND simulated = 0");
	if (format >= 9)
		sql(db, "CREATE INDEX event_archived ON event(seq) WHERE type = 'log.archived'");
	sql(db, "COMMIT");
	sql(db, number);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
