/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sql.h"

typedef struct sql_word {
	int sqlite;
	int code;
	const char *says;
} sql_word;

static const sql_word words[] = {
	{ SQLITE_FULL, CS_EIO, "the disk is full; nothing was written; free some space and start again" },
	{ SQLITE_IOERR, CS_EIO, "the disk reports an error; check it before starting again" },
	{ SQLITE_CORRUPT, CS_EIO, "the database is damaged; restore a backup, then run capstan verify" },
	{ SQLITE_NOTADB, CS_EINVAL, "the file is not a database of capstan; move it away" },
	{ SQLITE_BUSY, CS_EUNAVAIL, "another process is using the database; try again" },
	{ SQLITE_LOCKED, CS_EUNAVAIL, "another connection is using the database; try again" },
	{ SQLITE_READONLY, CS_EUNAVAIL, "the database may only be read; check the owner and mode of its folder" },
	{ SQLITE_CANTOPEN, CS_EUNAVAIL, "the database cannot be opened; check the owner and mode of its folder" },
	{ SQLITE_NOMEM, CS_ENOMEM, "there is no memory" },
	{ SQLITE_TOOBIG, CS_ETOOBIG, "a value is larger than the database takes" },
	{ SQLITE_CONSTRAINT, CS_EREFUSED, "the row contradicts what is there" },
};

int cs_sql_err(cs_err *err, sqlite3 *db, const char *what)
{
	int rc = sqlite3_extended_errcode(db);
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++) {
		if (words[i].sqlite == (rc & 0xff))
			return cs_err_set(err, words[i].code, "%s: %s (%s, %d)", what, words[i].says,
					  sqlite3_errmsg(db), rc);
	}
	return cs_err_set(err, CS_EINTERNAL, "%s: %s (%d)", what, sqlite3_errmsg(db), rc);
}

int cs_sql_keep(sqlite3 *db, const char *sql, sqlite3_stmt **slot, cs_err *err)
{
	if (*slot) {
		sqlite3_reset(*slot);
		return CS_OK;
	}
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK)
		return cs_sql_err(err, db, sql);
	return CS_OK;
}

void cs_sql_bindv(sqlite3_stmt *st, const char *format, va_list ap)
{
	for (int i = 1; *format; format++, i++) {
		if (*format == 'i') {
			sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
		} else if (*format == 's') {
			sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else {
			const void *p = va_arg(ap, const void *);
			size_t n = va_arg(ap, size_t);
			sqlite3_bind_blob64(st, i, p, n, SQLITE_STATIC);
		}
	}
}

void cs_sql_bind(sqlite3_stmt *st, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	cs_sql_bindv(st, format, ap);
	va_end(ap);
}

int cs_sql_done(sqlite3_stmt *st, const char *what, cs_err *err)
{
	int rc = sqlite3_step(st);
	int code = rc == SQLITE_DONE ? CS_OK : cs_sql_err(err, sqlite3_db_handle(st), what);
	sqlite3_reset(st);
	return code;
}

int cs_sql_run(sqlite3 *db, const char *sql, cs_err *err)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return cs_sql_err(err, db, sql);
	return CS_OK;
}

int cs_sql_int(sqlite3 *db, const char *sql, int64_t def, int64_t *ret, cs_err *err)
{
	CS_AUTOSTMT sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return cs_sql_err(err, db, sql);
	int rc = sqlite3_step(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return cs_sql_err(err, db, sql);
	*ret = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : def;
	return CS_OK;
}

void cs_sql_finalizep(sqlite3_stmt **st)
{
	sqlite3_finalize(*st);
	*st = NULL;
}

const char *cs_sql_text(sqlite3_stmt *st, int column)
{
	const unsigned char *t = sqlite3_column_text(st, column);
	return t ? (const char *)t : "";
}
