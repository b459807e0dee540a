/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log: what is appended, how it is chained, what ends a writer. */
#include "tests/store/fixture.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"
#include "store/event_types.h"
#include "store/schema.h"
#include "store/store_impl.h"

/* The library's syncs go through here: how many were asked of the disk. */
static int syncs;

int fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

typedef struct chain {
	int64_t next;
	uint8_t head[CS_HASH_LEN];
} chain;

/* The hash made again from the event's meaning, by another way than the store's. */
static int follow(void *ctx, const cs_event *ev)
{
	chain *c = ctx;
	CS_AUTOJSON json_t *whole = json_pack("{s:I,s:I,s:s,s:s?,s:i,s:s,s:s,s:I,s:b,s:O}", "seq", ev->seq, "at", ev->at,
		"run", ev->run, "task", ev->task, "occurrence", ev->occurrence, "type", ev->type, "actor", ev->actor,
		"cause", ev->cause, "simulated", ev->simulated, "data", ev->data);
	CS_AUTOBUF cs_buf bytes;
	uint8_t hash[CS_HASH_LEN];
	cs_buf_init(&bytes, 1 << 20);
	cs_buf_add(&bytes, c->head, sizeof c->head);
	assert_int_equal(cs_json_canonical(whole, &bytes), CS_OK);
	cs_hash(bytes.data, bytes.len, hash);
	assert_int_equal(ev->seq, c->next++);
	assert_memory_equal(hash, ev->hash, sizeof hash);
	memcpy(c->head, hash, sizeof hash);
	return 0;
}

static void i1_seq_has_no_gap_and_each_hash_follows(void **state)
{
	cs_store *s = fixture_open(*state);
	chain c = { .next = 1 };
	cs_reader *r;
	fixture_event(s, "", NULL, 0, "engine.started", NULL);
	fixture_event(s, RUN_A, "/do/0/a \"b\"\\\n\x01\xc3\xa9", 3, "task.completed",
		      json_pack("{s:f,s:s,s:[i,n],s:{s:I}}", "output", 0.1, "then", "\xf0\x9f\x98\x80\x7f", "raw", 1,
				"context", "big", (json_int_t)INT64_MAX));
	fixture_fill(s, 100);
	cs_store_close(s);
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_events(r, NULL, 1, INT64_MAX, follow, &c, NULL), CS_OK);
	assert_int_equal(c.next, 103);
	cs_reader_close(r);
}

static int take_data(void *ctx, const cs_event *ev)
{
	*(json_t **)ctx = json_deep_copy(ev->data);
	return 0;
}

static void large_members_lie_once_and_come_back(void **state)
{
	cs_store *s = fixture_open(*state);
	char text[CS_STORE_INLINE + 10];
	memset(text, 'y', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	json_t *data = json_pack("{s:s,s:s,s:s#}", "output", text, "then", "end", "nul", "a\0b", 3);
	fixture_event(s, RUN_A, "/do/0/a", 1, "task.completed", json_incref(data));
	int64_t seq = fixture_event(s, RUN_A, "/do/1/b", 1, "task.completed", json_incref(data));
	cs_store_close(s);
	CS_AUTOFREE char *rows = fixture_value(*state, "SELECT count(*) FROM body");
	CS_AUTOFREE char *long_rows = fixture_value(*state, "SELECT count(*) FROM event WHERE length(data) > 200");
	assert_string_equal(rows, "1");
	assert_string_equal(long_rows, "0");
	cs_reader *r;
	CS_AUTOJSON json_t *back = NULL;
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_event(r, seq, take_data, &back, NULL), CS_OK);
	assert_true(json_equal(back, data));
	assert_int_equal(cs_reader_event(r, seq + 1, take_data, &back, NULL), CS_ENOTFOUND);
	cs_reader_close(r);
	json_decref(data);
}

static void a_body_that_was_changed_is_not_handed_out(void **state)
{
	cs_store *s = fixture_open(*state);
	char text[CS_STORE_INLINE + 10];
	memset(text, 'y', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	int64_t seq = fixture_event(s, RUN_A, "/do/0/a", 1, "task.completed", json_pack("{s:s}", "output", text));
	cs_store_close(s);
	fixture_sql(*state, "UPDATE body SET bytes = CAST('\"z\"' AS BLOB)");
	cs_reader *r;
	CS_AUTOJSON json_t *back = NULL;
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_event(r, seq, take_data, &back, NULL), CS_EIO);
	assert_null(back);
	cs_reader_close(r);
}

static int try_append(cs_store *s, const char *type, const char *actor, int64_t cause, json_t *data)
{
	CS_AUTOJSON json_t *owned = data;
	cs_event ev = { .run = RUN_A, .type = type, .actor = actor, .cause = cause, .data = owned };
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	int rc = cs_store_append(s, &ev, NULL);
	CS_AUTOJSON json_t *none = json_object();
	cs_event next = { .run = RUN_A, .type = "run.paused", .actor = "engine", .cause = 1, .data = none };
	if (rc == CS_EINVAL) {     /* nothing of it was written: the group goes on without it */
		assert_int_equal(cs_store_last_seq(s), 1);
		assert_int_equal(cs_store_append(s, &next, NULL), CS_OK);
		assert_int_equal(next.seq, 2);
	} else if (rc) {           /* a part failed: the whole may only be taken back */
		assert_int_equal(cs_store_commit(s, NULL), CS_EINTERNAL);
	}
	cs_store_rollback(s);
	assert_int_equal(cs_store_last_seq(s), 1);
	return rc;
}

static void what_is_not_an_event_never_enters(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_event(s, "", NULL, 0, "engine.started", NULL);
	assert_int_equal(try_append(s, "run.paused", "engine", 1, NULL), CS_OK);
	assert_int_equal(try_append(s, "task.complete", "engine", 1, NULL), CS_EINTERNAL);
	assert_int_equal(try_append(s, "", "engine", 1, NULL), CS_EINTERNAL);
	assert_int_equal(try_append(s, "run.paused", "engine", 2, NULL), CS_EINVAL);
	assert_int_equal(try_append(s, "run.paused", "bad\xff", 1, NULL), CS_EINVAL);
	assert_int_equal(try_append(s, "run.paused", NULL, 1, NULL), CS_EINVAL);
	assert_int_equal(try_append(s, "run.paused", "engine", 1, json_array()), CS_EINVAL);
	assert_int_equal(try_append(s, "run.paused", "engine", 1, json_pack("{s:s}", "x@", "y")), CS_EINVAL);
	assert_int_equal(try_append(s, "task.completed", "engine", 1, NULL), CS_EINVAL);   /* of no task */
	assert_int_equal(try_append(s, "approval.published", "engine", 1, json_pack("{s:s, s:s, s:i}", "item", RUN_A, "kind", "approval", "title", 5)), CS_EINVAL);
	assert_int_equal(fixture_event(s, RUN_A, NULL, 0, "run.paused", NULL), 2);
	cs_store_close(s);
}

static void event_types_are_sorted_and_found(void **state)
{
	(void)state;
	for (int t = 0; t < CS_EV_COUNT; t++) {
		assert_int_equal(cs_event_type_find(cs_event_type_word((cs_event_type)t)), t);
		if (t)
			assert_true(strcmp(cs_event_type_word((cs_event_type)(t - 1)), cs_event_type_word((cs_event_type)t)) < 0);
	}
	assert_int_equal(cs_event_type_find("run"), CS_EV_COUNT);
	assert_null(cs_event_type_word(CS_EV_COUNT));
}

static void a_group_taken_back_leaves_nothing(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 3);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	fixture_append(s, RUN_A, NULL, 0, "run.paused", NULL);
	assert_int_equal(cs_store_last_seq(s), 4);
	cs_store_rollback(s);
	assert_int_equal(cs_store_last_seq(s), 3);
	assert_int_equal(fixture_event(s, RUN_A, NULL, 0, "run.paused", NULL), 4);
	cs_store_close(s);
	cs_verify_report report;
	assert_int_equal(cs_store_verify(*state, &report, NULL), CS_OK);
	assert_string_equal(report.finding, "");
	assert_int_equal(report.events, 4);
}

static void i2_each_commit_and_each_anchor_is_synced(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 1);          /* the first writes the file's head too */
	for (int i = 0; i < 3; i++) {
		syncs = 0;
		fixture_event(s, RUN_A, NULL, 0, "run.paused", NULL);
		assert_true(syncs > 0);
		syncs = 0;
		assert_int_equal(cs_store_anchor(s, NULL), CS_OK);
		assert_true(syncs > 1);      /* the file and its folder */
	}
	cs_store_close(s);
}

static void i13_a_stale_epoch_commits_nothing(void **state)
{
	cs_store *old = fixture_open(*state), *new = fixture_open(*state);
	int64_t first, second;
	cs_err err;
	assert_int_equal(cs_store_claim_epoch(old, &first, NULL), CS_OK);
	fixture_event(old, RUN_A, NULL, 0, "run.paused", NULL);
	assert_int_equal(cs_store_claim_epoch(new, &second, NULL), CS_OK);
	assert_int_equal(second, first + 1);
	assert_int_equal(cs_store_begin(old, &err), CS_EREFUSED);
	assert_true(cs_store_dead(old));
	assert_int_equal(cs_store_begin(old, &err), CS_EUNAVAIL);
	assert_int_equal(cs_store_commit(old, &err), CS_EUNAVAIL);
	assert_int_equal(fixture_event(new, RUN_A, NULL, 0, "run.resumed", NULL), 2);
	cs_store_close(old);
	cs_store_close(new);
	cs_verify_report report;
	assert_int_equal(cs_store_verify(*state, &report, NULL), CS_OK);
	assert_int_equal(report.events, 2);
	assert_string_equal(report.finding, "");
}

/* The WAL may not grow: the COMMIT itself fails. */
static void i17_after_a_failed_commit_nothing_more_is_taken(void **state)
{
	cs_store *s = fixture_open(*state);
	cs_err err = { 0 };
	cs_event ev = { .type = "engine.stopped", .actor = "engine" };
	fixture_fill(s, 50);
	struct rlimit was, low;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	low = was;
	low.rlim_cur = (rlim_t)fixture_file_size(*state, "capstan.db-wal") + 100;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(cs_store_begin(s, &err), CS_OK);
	fixture_append(s, RUN_A, NULL, 0, "run.paused", NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	int rc = cs_store_commit(s, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(rc, CS_EIO);
	assert_true(cs_store_dead(s));
	assert_int_equal(cs_store_begin(s, &err), CS_EUNAVAIL);
	assert_int_equal(cs_store_append(s, &ev, &err), CS_EUNAVAIL);
	assert_int_equal(cs_store_commit(s, &err), CS_EUNAVAIL);
	assert_int_equal(cs_store_anchor(s, &err), CS_EUNAVAIL);
	assert_int_equal(cs_store_idle(s, &err), CS_EUNAVAIL);
	cs_store_close(s);
	cs_verify_report report;
	assert_int_equal(cs_store_verify(*state, &report, NULL), CS_OK);
	assert_string_equal(report.finding, "");
	assert_in_range(report.events, 50, 51);
}

static void settling_leaves_no_tail_and_is_refused_while_one_reads(void **state)
{
	cs_store *s = fixture_open(*state);
	cs_reader *r = NULL;
	cs_err err = { 0 };
	fixture_fill(s, 50);
	assert_true(fixture_file_size(*state, "capstan.db-wal") > 0);
	assert_int_equal(cs_store_settle(s, &err), CS_OK);
	assert_int_equal(fixture_file_size(*state, "capstan.db-wal"), 0);
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_hold(r, NULL), CS_OK);
	assert_int_equal(cs_reader_last_seq(r), 50);
	fixture_fill(s, 50);
	sqlite3_busy_timeout(s->db, 10);
	assert_int_equal(cs_store_settle(s, &err), CS_EUNAVAIL);
	assert_false(cs_store_dead(s));
	cs_reader_release(r);
	cs_reader_close(r);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	assert_int_equal(cs_store_settle(s, &err), CS_EINTERNAL);
	cs_store_rollback(s);
	fixture_fill(s, 50);
	assert_int_equal(cs_store_settle(s, &err), CS_OK);
	cs_store_close(s);
	cs_verify_report report;
	assert_int_equal(cs_store_verify(*state, &report, NULL), CS_OK);
	assert_string_equal(report.finding, "");
	assert_int_equal(report.events, 150);
}

static void a_full_disk_is_named_and_the_group_can_be_taken_back(void **state)
{
	cs_store *s = fixture_open(*state);
	cs_err err = { 0 };
	char text[2000];
	memset(text, 'z', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	fixture_fill(s, 5);
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA max_page_count=40", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	int rc = CS_OK;
	CS_AUTOJSON json_t *data = json_pack("{s:s}", "why", text);
	for (int i = 0; !rc && i < 1000; i++) {
		cs_event ev = { .type = "engine.hold", .actor = "engine", .data = data };
		rc = cs_store_append(s, &ev, &err);
	}
	assert_int_equal(rc, CS_EIO);
	assert_non_null(strstr(err.msg, "disk is full"));
	cs_store_rollback(s);
	assert_int_equal(cs_store_last_seq(s), 5);
	cs_store_close(s);
	cs_verify_report report;
	assert_int_equal(cs_store_verify(*state, &report, NULL), CS_OK);
	assert_int_equal(report.events, 5);
	assert_string_equal(report.finding, "");
}

/* Writes groups of seven until killed; tells the parent of each that is committed. */
static void write_until_killed(const char *dir, int out)
{
	cs_store *s;
	if (cs_store_open(dir, true, &s, NULL))
		_exit(2);
	for (;;) {
		if (cs_store_begin(s, NULL))
			_exit(3);
		for (int i = 0; i < 7; i++) {
			cs_event ev = { .run = RUN_A, .task = "/do/0/a", .occurrence = i + 1, .type = "task.completed",
					.actor = "engine" };
			if (cs_store_append(s, &ev, NULL))
				_exit(4);
		}
		int64_t seq = cs_store_last_seq(s);
		if (cs_store_commit(s, NULL) || write(out, &seq, sizeof seq) != sizeof seq)
			_exit(5);
	}
}

static int64_t kill_after(const char *dir, int groups)
{
	int fds[2], status;
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		write_until_killed(dir, fds[1]);
	}
	close(fds[1]);
	int64_t told = 0, seq;
	for (int i = 0; i < groups; i++) {
		assert_int_equal(read(fds[0], &seq, sizeof seq), sizeof seq);
		told = seq;
	}
	kill(pid, SIGKILL);
	while (read(fds[0], &seq, sizeof seq) == sizeof seq)
		told = seq;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return told;
}

static void kill_9_leaves_whole_groups_and_all_that_were_told(void **state)
{
	for (int round = 1; round <= 10; round++) {
		int64_t told = kill_after(*state, round * 3);
		cs_verify_report report;
		cs_err err = { 0 };
		assert_int_equal(cs_store_verify(*state, &report, &err), CS_OK);
		assert_string_equal(report.finding, "");
		assert_int_equal(report.events % 7, 0);
		assert_in_range(report.events, told, told + 7);
	}
}

static void the_database_is_private_and_only_ours_is_opened(void **state)
{
	struct stat st;
	cs_store *s;
	cs_err err;
	const char *dir = *state;
	assert_int_equal(chmod(dir, 0755), 0);
	s = fixture_open(dir);
	fixture_fill(s, 1);
	static const char *const names[] = { "capstan.db", "capstan.db-wal", "capstan.db-shm" };
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		CS_AUTOFREE char *path = cs_path_join(dir, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	cs_store_close(s);
	fixture_sql(dir, "PRAGMA user_version=99");
	assert_int_equal(cs_store_open(dir, true, &s, &err), CS_EUNSUPPORTED);
	fixture_sql(dir, "PRAGMA user_version=1; PRAGMA application_id=7");
	assert_int_equal(cs_store_open(dir, true, &s, &err), CS_EINVAL);
	CS_AUTOFREE char *path = cs_path_join(dir, "capstan.db");
	assert_int_equal(cs_file_write(path, "not a database, not at all, no", 30, 0600, NULL), CS_OK);
	assert_int_equal(cs_store_open(dir, true, &s, &err), CS_EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(cs_store_open(dir, true, &s, &err), CS_EINVAL);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(cs_store_open(dir, true, &s, &err), CS_EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cs_store_open(dir, false, &s, &err), CS_ENOTFOUND);
}

static void the_pragmas_of_the_design_hold(void **state)
{
	static const struct { const char *pragma; int64_t value; } want[] = {
		{ "PRAGMA synchronous", 2 }, { "PRAGMA wal_autocheckpoint", 0 }, { "PRAGMA foreign_keys", 1 },
		{ "PRAGMA trusted_schema", 0 }, { "PRAGMA cell_size_check", 1 }, { "PRAGMA mmap_size", 0 },
		{ "PRAGMA user_version", CS_STORE_VERSION }, { "PRAGMA application_id", CS_STORE_APPLICATION_ID },
		{ "SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1 },
	};
	cs_store *s = fixture_open(*state);
	for (size_t i = 0; i < CS_ARRAY_LEN(want); i++) {
		sqlite3_stmt *st;
		assert_int_equal(sqlite3_prepare_v2(s->db, want[i].pragma, -1, &st, NULL), SQLITE_OK);
		int step = sqlite3_step(st);
		if (step == SQLITE_ROW)
			assert_int_equal(sqlite3_column_int64(st, 0), want[i].value);
		else   /* mmap_size answers nothing where it is compiled out */
			assert_int_equal(want[i].value, 0);
		sqlite3_finalize(st);
	}
	int defensive = 0;
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, -1, &defensive);
	assert_int_equal(defensive, 1);
	cs_store_close(s);
	assert_string_equal(cs_schema_network_fs(0x6969), "NFS");
	assert_null(cs_schema_network_fs(0xef53));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(i1_seq_has_no_gap_and_each_hash_follows), T(large_members_lie_once_and_come_back),
		T(a_body_that_was_changed_is_not_handed_out),
		T(what_is_not_an_event_never_enters), T(event_types_are_sorted_and_found),
		T(a_group_taken_back_leaves_nothing), T(i2_each_commit_and_each_anchor_is_synced), T(i13_a_stale_epoch_commits_nothing),
		T(i17_after_a_failed_commit_nothing_more_is_taken),
		T(settling_leaves_no_tail_and_is_refused_while_one_reads), T(a_full_disk_is_named_and_the_group_can_be_taken_back),
		T(kill_9_leaves_whole_groups_and_all_that_were_told),
		T(the_database_is_private_and_only_ours_is_opened), T(the_pragmas_of_the_design_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
