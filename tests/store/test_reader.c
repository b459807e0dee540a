/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers: they see what is committed, with and without a writer, and never checkpoint. */
#include "tests/store/fixture.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/json.h"
#include "store/reader.h"

static int count_event(void *ctx, const cs_event *ev)
{
	(void)ev;
	++*(int *)ctx;
	return 0;
}

static int count_events(cs_reader *r)
{
	int n = 0;
	cs_err err = { 0 };
	if (cs_reader_events(r, NULL, 1, INT64_MAX, count_event, &n, &err))
		fail_msg("%s", err.msg);
	return n;
}

/* A writer in another process that holds the database with N events in its WAL. */
static pid_t start_writer(const char *dir, int n, int *ret_fd)
{
	int fds[2];
	char ready;
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		fixture_fill(fixture_open(dir), n);
		if (write(fds[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &ready, 1), 1);
	*ret_fd = fds[0];
	return pid;
}

static void kill_writer(pid_t pid, int fd)
{
	int status;
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
}

typedef struct files {
	char db[CS_HEX_SIZE], wal[CS_HEX_SIZE];
} files;

static files look(const char *dir)
{
	files f;
	fixture_file_hash(dir, "capstan.db", f.db);
	fixture_file_hash(dir, "capstan.db-wal", f.wal);
	assert_true(f.wal[0] != '\0');
	return f;
}

static void same(const char *dir, const files *before)
{
	files after = look(dir);
	assert_string_equal(before->db, after.db);
	assert_string_equal(before->wal, after.wal);
}

static void read_and_try_to_checkpoint(const char *dir, int events)
{
	cs_reader *r;
	cs_err err = { 0 };
	if (cs_reader_open(dir, &r, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(count_events(r), events);
	int log = -1, done = -1;
	int rc = sqlite3_wal_checkpoint_v2(r->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &log, &done);
	assert_int_not_equal(rc, SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(r->db, "DELETE FROM event", NULL, NULL, NULL), SQLITE_OK);
	cs_reader_close(r);
}

static void no_reader_checkpoints_beside_a_live_writer(void **state)
{
	int fd;
	pid_t pid = start_writer(*state, 40, &fd);
	files before = look(*state);
	read_and_try_to_checkpoint(*state, 40);
	same(*state, &before);
	kill_writer(pid, fd);
}

static void no_reader_checkpoints_as_the_last_after_the_writer_died(void **state)
{
	int fd;
	pid_t pid = start_writer(*state, 40, &fd);
	kill_writer(pid, fd);
	files before = look(*state);
	read_and_try_to_checkpoint(*state, 40);
	same(*state, &before);
	/* Also where the index of the WAL is gone. */
	CS_AUTOFREE char *shm = cs_xasprintf("%s/capstan.db-shm", (char *)*state);
	assert_int_equal(unlink(shm), 0);
	read_and_try_to_checkpoint(*state, 40);
	same(*state, &before);
	cs_store *s = fixture_open(*state);
	assert_int_equal(cs_store_last_seq(s), 40);
	cs_store_close(s);
	assert_true(fixture_file_size(*state, "capstan.db-wal") <= 0);
}

static void a_reader_that_outlives_its_writer_leaves_the_log_alone(void **state)
{
	cs_store *s = fixture_open(*state);
	cs_reader *r;
	fixture_fill(s, 10);
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_hold(r, NULL), CS_OK);
	assert_int_equal(count_events(r), 10);
	fixture_fill(s, 10);
	assert_int_equal(count_events(r), 10);   /* one state while held */
	cs_store_close(s);
	assert_int_equal(count_events(r), 10);
	cs_reader_release(r);
	assert_int_equal(count_events(r), 20);
	cs_reader_close(r);
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	assert_int_equal(count_events(r), 20);
	assert_int_equal(cs_reader_last_seq(r), 20);
	cs_reader_close(r);
}

static void the_writer_takes_in_its_wal_when_idle_and_at_its_end(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 10);
	assert_int_equal(cs_store_idle(s, NULL), CS_OK);
	long small = fixture_file_size(*state, "capstan.db");
	while (fixture_file_size(*state, "capstan.db-wal") < 1200 * 1024)
		fixture_fill(s, 500);
	assert_int_equal(fixture_file_size(*state, "capstan.db"), small);
	assert_int_equal(cs_store_idle(s, NULL), CS_OK);
	assert_true(fixture_file_size(*state, "capstan.db") > small);
	cs_store_close(s);
	assert_true(fixture_file_size(*state, "capstan.db-wal") <= 0);
}

static void queries_bind_and_give_columns_by_name(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 3);
	cs_store_close(s);
	cs_reader *r;
	cs_err err;
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	CS_AUTOJSON json_t *params = json_pack("[s, i]", "task.completed", 2);
	for (int i = 0; i < 2; i++) {
		CS_AUTOJSON json_t *rows = NULL;
		CS_AUTOJSON json_t *want = json_pack("[{s:i,s:n,s:s},{s:i,s:n,s:s}]", "seq", 2, "absent", "run", RUN_A,
						     "seq", 3, "absent", "run", RUN_A);
		assert_int_equal(cs_reader_query(r, "SELECT seq, NULL AS absent, run FROM event WHERE type = ?1 AND seq >= ?2"
						 " ORDER BY seq", params, &rows, &err), CS_OK);
		assert_true(json_equal(rows, want));
	}
	json_t *none = NULL;
	assert_int_equal(cs_reader_query(r, "SELECT no FROM such", NULL, &none, &err), CS_EINTERNAL);
	assert_null(none);
	cs_reader_close(r);
}

static void short_ids_are_found_while_unique(void **state)
{
	cs_store *s = fixture_open(*state);
	char id[CS_ID_SIZE] = "";
	cs_err err;
	cs_reader *r;
	fixture_event(s, RUN_A, NULL, 0, "run.created", json_pack("{s:s}", "flow", "a/b"));
	fixture_event(s, RUN_B, NULL, 0, "run.created", json_pack("{s:s}", "flow", "a/b"));
	cs_store_close(s);
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_find_run(r, "0002", id, &err), CS_OK);
	assert_string_equal(id, RUN_B);
	assert_int_equal(cs_reader_find_run(r, "01j9zzzzzz0000000000000001", id, &err), CS_OK);
	assert_string_equal(id, RUN_A);
	assert_int_equal(cs_reader_find_run(r, "01J9", id, &err), CS_EINVAL);
	assert_int_equal(cs_reader_find_run(r, "7", id, &err), CS_ENOTFOUND);
	assert_int_equal(cs_reader_find_run(r, "", id, &err), CS_ENOTFOUND);
	assert_int_equal(cs_reader_find_run(r, "%", id, &err), CS_ENOTFOUND);
	assert_int_equal(cs_reader_find_item(r, "0002", id, &err), CS_ENOTFOUND);
	assert_string_equal(id, RUN_A);
	cs_reader_close(r);
}

static void without_a_database_there_is_nothing_to_read(void **state)
{
	cs_reader *r = NULL;
	cs_err err;
	assert_int_equal(cs_reader_open(*state, &r, &err), CS_ENOTFOUND);
	assert_null(r);
	assert_int_equal(fixture_file_size(*state, "capstan.db"), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(no_reader_checkpoints_beside_a_live_writer),
		T(no_reader_checkpoints_as_the_last_after_the_writer_died),
		T(a_reader_that_outlives_its_writer_leaves_the_log_alone),
		T(the_writer_takes_in_its_wal_when_idle_and_at_its_end),
		T(queries_bind_and_give_columns_by_name), T(short_ids_are_found_while_unique),
		T(without_a_database_there_is_nothing_to_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
