/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The few things every room of the store says to SQLite: prepare and keep, bind by a format,
 * step, and an error in our words. */
#ifndef CS_STORE_SQL_H
#define CS_STORE_SQL_H

#include <stdarg.h>
#include <stdint.h>
#include <sqlite3.h>
#include "base/err.h"
#include "base/mem.h"

/* Fills ERR from the connection's last error: WHAT was being done. A full disk, a damaged file
 * and a busy one each say what to do next. Returns the negative code. */
int cs_sql_err(cs_err *err, sqlite3 *db, const char *what);
/* Prepares into *slot when it is empty; a kept statement comes back reset. Owned by the slot. */
int cs_sql_keep(sqlite3 *db, const char *sql, sqlite3_stmt **slot, cs_err *err);
/* Binds ?1… by FORMAT: i int64_t, s const char * (NULL: null), b const void * and size_t.
 * Texts and blobs are borrowed until the statement is reset. */
void cs_sql_bind(sqlite3_stmt *st, const char *format, ...);
void cs_sql_bindv(sqlite3_stmt *st, const char *format, va_list ap);
/* Steps a statement that returns no row, and resets it. */
int cs_sql_done(sqlite3_stmt *st, const char *what, cs_err *err);
/* Runs text that has no parameters and whose rows are of no interest. */
int cs_sql_run(sqlite3 *db, const char *sql, cs_err *err);
/* The first column of the first row as an integer; DEF when there is no row. */
int cs_sql_int(sqlite3 *db, const char *sql, int64_t def, int64_t *ret, cs_err *err);
void cs_sql_finalizep(sqlite3_stmt **st);
#define CS_AUTOSTMT CS_CLEANUP(cs_sql_finalizep)
/* Borrowed; "" for null. */
const char *cs_sql_text(sqlite3_stmt *st, int column);

#endif
