/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the database looks like and how a connection to it is opened: tables, pragmas, identity,
 * migration. Versions of SQLite before 3.51.3 can lose committed rows when two connections
 * checkpoint at the wrong moment: the writer alone checkpoints, every other connection is
 * opened by cs_schema_open_reader, which cannot. */
#ifndef CS_STORE_SCHEMA_H
#define CS_STORE_SCHEMA_H

#include <stdbool.h>
#include <sqlite3.h>
#include "base/err.h"

#define CS_STORE_FILE "capstan.db"
#define CS_STORE_APPLICATION_ID 0x43505354   /* "CPST" */

/* A projection: its name, its columns with their types (the DDL's body), its key for ORDER BY. */
typedef struct cs_table {
	const char *name;
	const char *ddl;      /* after "CREATE TABLE main.NAME" */
	const char *key;      /* columns, comma separated */
	int key_columns;      /* they are the first ones of the table, in this order */
} cs_table;

/* The tables that fold from events, ended by a NULL name. */
extern const cs_table cs_schema_projections[];

/* The name of a file system that a database must not lie on (its locks or its shared memory do
 * not reach the other machine), by statfs magic; NULL: fine. */
const char *cs_schema_network_fs(long magic);
/* Opens DIR's database for the one writer: makes folder (0700) and file (0600) when CREATE is
 * set, refuses what is not ours or newer, migrates what is older. */
int cs_schema_open_writer(const char *dir, bool create, sqlite3 **ret, cs_err *err);
/* Opens it for reading: read-only, query_only, never checkpoints, not even as the last to
 * close, with or without a live writer. CS_ENOTFOUND: no database yet. */
int cs_schema_open_reader(const char *dir, sqlite3 **ret, cs_err *err);
/* Makes the empty projections in any database. */
int cs_schema_make_projections(sqlite3 *db, cs_err *err);
/* A private database with empty projections, in an open transaction; SQLite deletes it when it is closed, which
 * is the caller's, also after an error. */
int cs_schema_open_scratch(sqlite3 **ret, cs_err *err);
/* A connection that refuses extensions, untrusted schemas and writes to its own schema. */
int cs_schema_harden(sqlite3 *db, cs_err *err);

#endif
