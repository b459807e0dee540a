/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/store/fixture.h"
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"

char *fixture_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *dir = cs_xasprintf("%s/capstan-test-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(dir));
	return dir;
}

static void remove_folder(const char *dir)
{
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		CS_AUTOFREE char *path = cs_path_join(dir, e->d_name);
		if (e->d_name[0] != '.' && unlink(path) != 0)
			remove_folder(path);
	}
	closedir(d);
	assert_int_equal(rmdir(dir), 0);
}

void fixture_remove(char *dir)
{
	remove_folder(dir);
	free(dir);
}

int fixture_setup(void **state)
{
	*state = fixture_dir();
	return 0;
}

int fixture_teardown(void **state)
{
	fixture_remove(*state);
	return 0;
}

static void want_ok(int rc, const cs_err *err)
{
	if (rc)
		fail_msg("%d: %s", rc, err->msg);
}

cs_store *fixture_open(const char *dir)
{
	cs_store *s = NULL;
	cs_err err = { 0 };
	want_ok(cs_store_open(dir, true, &s, &err), &err);
	return s;
}

int64_t fixture_append(cs_store *s, const char *run, const char *task, int occurrence, const char *type, json_t *data)
{
	CS_AUTOJSON json_t *owned = data;
	cs_err err = { 0 };
	cs_event ev = { .at = 1700000000000 + cs_store_last_seq(s) * 10, .task = task, .occurrence = occurrence,
			.type = type, .actor = "engine", .cause = cs_store_last_seq(s), .data = owned };
	snprintf(ev.run, sizeof ev.run, "%s", run);
	want_ok(cs_store_append(s, &ev, &err), &err);
	return ev.seq;
}

int64_t fixture_event(cs_store *s, const char *run, const char *task, int occurrence, const char *type, json_t *data)
{
	cs_err err = { 0 };
	want_ok(cs_store_begin(s, &err), &err);
	int64_t seq = fixture_append(s, run, task, occurrence, type, data);
	want_ok(cs_store_commit(s, &err), &err);
	return seq;
}

void fixture_fill(cs_store *s, int n)
{
	cs_err err = { 0 };
	want_ok(cs_store_begin(s, &err), &err);
	for (int i = 0; i < n; i++)
		fixture_append(s, RUN_A, "/do/0/step", i + 1, "task.completed", json_pack("{s:i}", "output", i));
	want_ok(cs_store_commit(s, &err), &err);
}

static sqlite3 *open_raw(const char *dir)
{
	sqlite3 *db = NULL;
	CS_AUTOFREE char *path = cs_path_join(dir, "capstan.db");
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

void fixture_sql(const char *dir, const char *sql)
{
	sqlite3 *db = open_raw(dir);
	char *msg = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
		fail_msg("%s: %s", sql, msg);
	sqlite3_close(db);
}

void fixture_file_hash(const char *dir, const char *name, char ret[CS_HEX_SIZE])
{
	CS_AUTOFREE char *path = cs_path_join(dir, name);
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, (size_t)1 << 30);
	ret[0] = '\0';
	if (cs_file_exists(path)) {
		assert_int_equal(cs_file_read(path, &text, NULL), CS_OK);
		cs_hash_hex(cs_buf_str(&text), text.len, ret);
	}
}

long fixture_file_size(const char *dir, const char *name)
{
	CS_AUTOFREE char *path = cs_path_join(dir, name);
	struct stat st;
	return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

char *fixture_value(const char *dir, const char *sql)
{
	sqlite3 *db = open_raw(dir);
	sqlite3_stmt *st = NULL;
	char *value = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		value = cs_xstrdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return value;
}
