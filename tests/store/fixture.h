/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A state folder for one test, events made short, and the database changed behind the store's
 * back. */
#ifndef CS_TESTS_STORE_FIXTURE_H
#define CS_TESTS_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "base/mem.h"
#include "store/store.h"

#define RUN_A "01J9ZZZZZZ0000000000000001"
#define RUN_B "01J9ZZZZZZ0000000000000002"
#define ITEM_A "01J9ZZZZZZ00000000000000A1"
#define ITEM_B "01J9ZZZZZZ00000000000000B1"

/* A new private folder, malloc'ed; removed with all in it by fixture_remove. */
char *fixture_dir(void);
void fixture_remove(char *dir);
/* setup and teardown of cmocka over these two */
int fixture_setup(void **state);
int fixture_teardown(void **state);

cs_store *fixture_open(const char *dir);
/* Appends in the open group; DATA is taken over (NULL: {}). Fails the test on an error. */
int64_t fixture_append(cs_store *s, const char *run, const char *task, int occurrence, const char *type, json_t *data);
/* The same as a group of its own. */
int64_t fixture_event(cs_store *s, const char *run, const char *task, int occurrence, const char *type, json_t *data);
/* N plain events in one group. */
void fixture_fill(cs_store *s, int n);
/* Runs SQL on the database with a connection of no one's, and takes its WAL in. */
void fixture_sql(const char *dir, const char *sql);
/* SHA-256 of a file of the folder in hex; "" when it is not there. Only while nothing in this
 * process has the database open. */
void fixture_file_hash(const char *dir, const char *name, char ret[CS_HEX_SIZE]);
long fixture_file_size(const char *dir, const char *name);   /* -1: not there */
/* The first column of the first row as text, malloc'ed; NULL where there is none. */
char *fixture_value(const char *dir, const char *sql);

#endif
