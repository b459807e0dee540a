/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was archived reads as before, is held to the same hashes, folds to the same tables, and is never
 * deleted before the segment is there and right. */
#include "tests/store/fixture.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"
#include "store/backup.h"
#include "store/segment.h"

#define FOREVER INT64_C(1900000000000)         /* after all that the fixture dates */
#define NOW INT64_C(1800000000000)

enum { RUNS = 12, LONG = 6000 };

static void put_key(const char *dir)
{
	uint8_t key[32];
	CS_AUTOFREE char *path = cs_path_join(dir, "key");
	memset(key, 7, sizeof key);
	assert_int_equal(cs_file_write(path, key, sizeof key, 0600, NULL), CS_OK);
}

static void id_of(int i, char out[CS_ID_SIZE])
{
	snprintf(out, CS_ID_SIZE, "01J9ZZZZZZ00000000000%05d", i);
}

static json_t *long_text(int i)
{
	char text[LONG + 1];
	memset(text, 'a' + i % 3, LONG);         /* three bodies, each of several runs */
	text[LONG] = '\0';
	return json_string(text);
}

/* A run of five events; END is its last, or "" where it stays open. */
static void put_run(cs_store *s, const char *run, int i, const char *end)
{
	char hex[CS_HEX_SIZE];
	cs_err err = { 0 };
	assert_int_equal(cs_store_begin(s, &err), CS_OK);
	assert_int_equal(cs_store_put_body(s, "{\"flow\":{}}", 11, hex, &err), CS_OK);
	fixture_append(s, run, NULL, 0, "run.created", json_pack("{s:s, s:s, s:s, s:s, s:{s:i}}", "flow", "t/f", "name", "f", "version", "1",
								  "definition", hex, "input", "n", i));
	fixture_append(s, run, NULL, 0, "run.started", NULL);
	fixture_append(s, run, "/do/0/a", 1, "task.completed", json_pack("{s:o}", "output", long_text(i)));
	fixture_append(s, run, "/do/1/b", 1, "task.completed", json_pack("{s:i}", "output", i));
	if (end[0])
		fixture_append(s, run, NULL, 0, end, json_pack("{s:i}", "output", i));
	assert_int_equal(cs_store_commit(s, &err), CS_OK);
}

/* Twelve runs: the fourth of them is open, the others have ended. All of it is signed. */
static cs_store *make_log(const char *dir)
{
	char id[CS_ID_SIZE];
	put_key(dir);
	cs_store *s = fixture_open(dir);
	fixture_event(s, "", NULL, 0, "engine.started", NULL);
	for (int i = 0; i < RUNS; i++) {
		id_of(i, id);
		put_run(s, id, i, i == 3 ? "" : "run.completed");
	}
	fixture_event(s, "", NULL, 0, "engine.hold", json_pack("{s:b, s:s}", "on", 1, "why", "so"));
	cs_store_close(s);           /* signs */
	s = fixture_open(dir);
	fixture_event(s, "", NULL, 0, "engine.started", NULL);
	cs_store_idle(s, NULL);
	return s;
}

static cs_archive_step archive(cs_store *s, int64_t before)
{
	cs_archive_step step = { .first = -1 };
	cs_err err = { 0 };
	assert_int_equal(cs_store_begin(s, &err), CS_OK);
	if (cs_store_archive(s, before, NOW, "operator:me", &step, &err) != CS_OK)
		fail_msg("%s", err.msg);
	assert_int_equal(cs_store_commit(s, &err), CS_OK);
	return step;
}

static int add_event(void *ctx, const cs_event *ev)
{
	char hex[CS_HEX_SIZE];
	cs_hex(ev->hash, CS_HASH_LEN, hex);
	json_array_append_new(ctx, json_pack("{s:I, s:I, s:s, s:s?, s:i, s:s, s:s, s:I, s:b, s:O, s:s}", "seq", (json_int_t)ev->seq, "at",
					     (json_int_t)ev->at, "run", ev->run, "task", ev->task, "occurrence", ev->occurrence, "type", ev->type,
					     "actor", ev->actor, "cause", (json_int_t)ev->cause, "simulated", (int)ev->simulated, "data", ev->data,
					     "hash", hex));
	return 0;
}

/* All events up to TO as every reader gets them: in one go, run by run, one by one. */
static json_t *all_ways(const char *dir, int64_t to)
{
	cs_reader *r = NULL;
	cs_err err = { 0 };
	char id[CS_ID_SIZE];
	json_t *all = json_array();
	assert_int_equal(cs_reader_open(dir, &r, &err), CS_OK);
	int rc = cs_reader_events(r, NULL, 1, to, add_event, all, &err);
	for (int i = 0; rc == CS_OK && i < RUNS; i++) {
		id_of(i, id);
		rc = cs_reader_events(r, id, i % 2 ? 0 : 9, to, add_event, all, &err);
	}
	for (int64_t seq = 1; rc == CS_OK && seq <= to; seq++)
		rc = cs_reader_event(r, seq, add_event, all, &err);
	if (rc != CS_OK)
		fail_msg("%s", err.msg);
	assert_int_equal(cs_reader_event(r, to + 100, add_event, all, NULL), CS_ENOTFOUND);
	cs_reader_close(r);
	return all;
}

static cs_verify_report verify(const char *dir)
{
	cs_verify_report report = { 0 };
	cs_err err = { 0 };
	if (cs_store_verify(dir, &report, &err) != CS_OK)
		fail_msg("%s", err.msg);
	return report;
}

static void found(const char *dir, const char *says)
{
	cs_verify_report report = verify(dir);
	if (strstr(report.finding, says) == NULL)
		fail_msg("'%s' does not say '%s'", report.finding, says);
}

static int no_row(void *ctx, const json_t *row)
{
	(void)ctx;
	CS_AUTOFREE char *text = cs_json_text(row);
	fail_msg("%s", text);
	return 1;
}

static void clean(const char *dir)
{
	cs_err err = { 0 };
	assert_string_equal(verify(dir).finding, "");
	if (cs_store_rebuild_check(dir, no_row, NULL, &err) != CS_OK)
		fail_msg("%s", err.msg);
}

static int64_t count(const char *dir, const char *sql)
{
	CS_AUTOFREE char *text = fixture_value(dir, sql);
	return text ? strtoll(text, NULL, 10) : -1;
}

/* ---- the same ------------------------------------------------------------------------------- */

static void what_was_archived_reads_as_before(void **state)
{
	cs_store *s = make_log(*state);
	int64_t end = cs_store_last_seq(s);
	CS_AUTOJSON json_t *before = all_ways(*state, end);
	cs_archive_step step = archive(s, FOREVER);
	assert_int_equal(step.first, 1);
	assert_int_equal(step.last, end - 1);        /* the last signed event stays */
	assert_false(step.more);
	CS_AUTOJSON json_t *after = all_ways(*state, end);
	assert_true(json_equal(before, after));
	cs_store_close(s);
	assert_int_equal(count(*state, "SELECT count(*) FROM event WHERE run <> ''"), 4);     /* those of the open run */
	clean(*state);
	assert_int_equal(verify(*state).archived, end - 1);
	assert_int_equal(verify(*state).events, end + 1);
}

static void the_tables_are_the_same_made_again_from_segments(void **state)
{
	cs_store *s = make_log(*state);
	archive(s, FOREVER);
	CS_AUTOFREE char *before = fixture_value(*state, "SELECT group_concat(quote(id) || state || last_seq || input_seq || end_seq) FROM run");
	cs_err err = { 0 };
	assert_int_equal(cs_store_rebuild(s, &err), CS_OK);
	cs_store_close(s);
	CS_AUTOFREE char *after = fixture_value(*state, "SELECT group_concat(quote(id) || state || last_seq || input_seq || end_seq) FROM run");
	assert_string_equal(before, after);
	assert_int_equal(count(*state, "SELECT count(*) FROM setting WHERE name = 'hold' AND value = 'on'"), 1);
	clean(*state);
}

static void segments_follow_each_other(void **state)
{
	char id[CS_ID_SIZE];
	cs_store *s = make_log(*state);
	archive(s, FOREVER);
	for (int round = 0; round < 3; round++) {
		id_of(100 + round, id);
		put_run(s, id, round, "run.completed");
		cs_store_close(s);
		s = fixture_open(*state);
		fixture_event(s, "", NULL, 0, "engine.started", NULL);
		cs_store_idle(s, NULL);
		cs_archive_step step = archive(s, FOREVER);
		assert_true(step.first > 1 && step.last >= step.first);
	}
	id_of(3, id);                        /* the open one ends, and leaves too: from the first segment on */
	fixture_event(s, id, NULL, 0, "run.completed", json_pack("{s:i}", "output", 3));
	fixture_event(s, "", NULL, 0, "engine.started", NULL);
	cs_store_idle(s, NULL);
	int64_t end = cs_store_last_seq(s);
	CS_AUTOJSON json_t *before = all_ways(*state, end);
	archive(s, FOREVER);
	CS_AUTOJSON json_t *after = all_ways(*state, end);
	assert_true(json_equal(before, after));
	cs_store_close(s);
	assert_int_equal(count(*state, "SELECT count(*) FROM event WHERE run <> ''"), 0);
	assert_int_equal(verify(*state).segments, 5);
	clean(*state);
}

static void a_run_that_is_begun_again_is_read_from_both(void **state)
{
	char id[CS_ID_SIZE];
	cs_store *s = make_log(*state);
	archive(s, FOREVER);
	id_of(5, id);
	fixture_event(s, id, NULL, 0, "run.compensating", json_pack("{s:s}", "why", "rollback"));
	fixture_event(s, "", NULL, 0, "engine.started", NULL);
	cs_store_idle(s, NULL);
	int64_t end = cs_store_last_seq(s);
	CS_AUTOJSON json_t *before = all_ways(*state, end);
	archive(s, FOREVER);                 /* it is open: what came since stays, and is in the segment too */
	CS_AUTOJSON json_t *between = all_ways(*state, end);
	assert_true(json_equal(before, between));
	fixture_event(s, id, NULL, 0, "run.compensated", NULL);
	end = cs_store_last_seq(s);
	CS_AUTOJSON json_t *run = json_array();
	cs_reader *r = NULL;
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_events(r, id, 1, INT64_MAX, add_event, run, NULL), CS_OK);
	cs_reader_close(r);
	assert_int_equal(json_array_size(run), 7);
	cs_store_close(s);
	clean(*state);
}

/* ---- what stays ------------------------------------------------------------------------------- */

static void what_is_young_or_waited_for_stays(void **state)
{
	char id[CS_ID_SIZE];
	cs_store *s = make_log(*state);
	id_of(1, id);
	fixture_event(s, id, NULL, 0, "item.opened", json_pack("{s:s, s:s, s:s}", "item", ITEM_A, "kind", "fault", "title", "x"));
	fixture_event(s, "", NULL, 0, "engine.started", NULL);
	cs_store_idle(s, NULL);
	cs_archive_step none = archive(s, 1700000000000);
	assert_int_equal(none.first, 0);
	/* Up to the tenth event alone: one run has ended by then. */
	cs_archive_step some = archive(s, 1700000000000 + 10 * 10);
	assert_int_equal(some.first, 1);
	assert_int_equal(some.last, 10);
	assert_int_equal(some.pruned, 6);    /* the engine's start, and that run's five; not of the second, which has an item */
	archive(s, FOREVER);
	CS_AUTOFREE char *sql = cs_xasprintf("SELECT count(*) FROM event WHERE run = '%s'", id);
	cs_store_close(s);
	assert_int_equal(count(*state, sql), 6);
	clean(*state);
}

static void a_body_leaves_with_the_last_that_names_it(void **state)
{
	cs_store *s = make_log(*state);
	assert_int_equal(count(*state, "SELECT count(*) FROM body"), 4);      /* three long texts and the definition */
	cs_archive_step step = archive(s, FOREVER);
	assert_int_equal(step.bodies, 2);    /* the open run names the third */
	cs_store_close(s);
	assert_int_equal(count(*state, "SELECT count(*) FROM body"), 2);
	clean(*state);
}

/* ---- what is gone, or was changed --------------------------------------------------------------- */

static char *segment_path(const char *dir)
{
	char **names = NULL;
	CS_AUTOFREE char *folder = cs_path_join(dir, CS_ARCHIVE_DIR);
	assert_int_equal(cs_dir_list(folder, ".zst", &names, NULL), CS_OK);
	char *path = cs_path_join(folder, names[0]);
	cs_strv_freep(&names);
	return path;
}

static void a_segment_that_is_gone_is_named(void **state)
{
	char id[CS_ID_SIZE];
	cs_err err = { 0 };
	cs_reader *r = NULL;
	CS_AUTOJSON json_t *some = json_array();
	cs_store *s = make_log(*state);
	archive(s, FOREVER);
	cs_store_close(s);
	CS_AUTOFREE char *path = segment_path(*state);
	assert_int_equal(unlink(path), 0);
	found(*state, "is missing: events 1 to");
	assert_int_equal(verify(*state).first_bad, 1);
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	id_of(1, id);
	assert_int_equal(cs_reader_events(r, id, 1, INT64_MAX, add_event, some, &err), CS_EUNAVAIL);
	assert_non_null(strstr(err.msg, "put it back from a backup"));
	id_of(3, id);                        /* what is in the database is there */
	assert_int_equal(cs_reader_events(r, id, 1, INT64_MAX, add_event, some, &err), CS_OK);
	assert_int_equal(json_array_size(some), 4);
	cs_reader_close(r);
	s = fixture_open(*state);            /* and an engine goes on */
	cs_store_close(s);
}

static int add_seq(void *ctx, const cs_event *ev)
{
	json_array_append_new(ctx, json_integer((json_int_t)ev->seq));
	return 0;
}

static void events_that_are_picked_come_alone_and_a_lost_segment_is_named(void **state)
{
	static const int64_t seqs[] = { 2, 6, 9, 18, 9999 };     /* 18 is of the run that is open */
	cs_err err = { 0 };
	cs_reader *r = NULL;
	CS_AUTOJSON json_t *all = json_array();
	CS_AUTOJSON json_t *here = json_array();
	CS_AUTOJSON json_t *none = json_array();
	CS_AUTOJSON json_t *lost = json_array();
	CS_AUTOJSON json_t *want = json_pack("[i, i, i, i]", 18, 2, 6, 9);
	CS_AUTOJSON json_t *want_here = json_pack("[i]", 18);
	cs_store *s = make_log(*state);
	archive(s, FOREVER);
	cs_store_close(s);
	assert_int_equal(cs_reader_open(*state, &r, NULL), CS_OK);
	assert_int_equal(cs_reader_pick(r, seqs, CS_ARRAY_LEN(seqs), add_seq, all, none, &err), CS_OK);
	assert_true(json_equal(all, want));
	assert_int_equal(json_array_size(none), 0);
	CS_AUTOFREE char *path = segment_path(*state);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cs_reader_pick(r, seqs, CS_ARRAY_LEN(seqs), add_seq, here, lost, &err), CS_OK);
	assert_true(json_equal(here, want_here));
	assert_int_equal(json_array_size(lost), 1);
	assert_int_equal(cs_json_int_or(json_array_get(lost, 0), "first", 0), 1);
	assert_non_null(strstr(cs_json_str_or(json_array_get(lost, 0), "says", ""), "put it back from a backup"));
	assert_int_equal(cs_reader_event(r, 2, add_seq, here, &err), CS_EUNAVAIL);
	assert_non_null(cs_reader_lost(r));
	assert_int_equal(cs_reader_event(r, 18, add_seq, here, &err), CS_OK);
	assert_null(cs_reader_lost(r));
	cs_reader_close(r);
}

static void any_byte_that_was_changed_is_found(void **state)
{
	cs_store *s = make_log(*state);
	archive(s, FOREVER);
	cs_store_close(s);
	CS_AUTOFREE char *path = segment_path(*state);
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, 1 << 24);
	assert_int_equal(cs_file_read(path, &text, NULL), CS_OK);
	for (size_t i = 0; i < text.len; i += 1 + text.len / 200) {
		text.data[i] ^= 1;
		assert_int_equal(cs_file_write(path, text.data, text.len, 0600, NULL), CS_OK);
		text.data[i] ^= 1;
		cs_verify_report report = verify(*state);
		if (report.finding[0] == '\0')
			fail_msg("byte %zu of %zu was changed, and nobody found it", i, text.len);
	}
	for (size_t cut = 0; cut < text.len; cut += 1 + text.len / 40) {
		assert_int_equal(cs_file_write(path, text.data, cut, 0600, NULL), CS_OK);
		assert_true(verify(*state).finding[0] != '\0');
	}
	assert_int_equal(cs_file_write(path, text.data, text.len, 0600, NULL), CS_OK);
	clean(*state);
}

static void another_segment_in_its_place_is_found(void **state)
{
	char *other = fixture_dir();
	char id[CS_ID_SIZE];
	cs_store *s = make_log(*state);
	cs_store *t = make_log(other);
	id_of(1, id);
	archive(s, FOREVER);
	archive(t, FOREVER);
	cs_store_close(s);
	cs_store_close(t);
	CS_AUTOFREE char *path = segment_path(*state);
	CS_AUTOFREE char *from = segment_path(other);
	CS_AUTOBUF cs_buf text;
	cs_buf_init(&text, 1 << 24);
	assert_int_equal(cs_file_read(from, &text, NULL), CS_OK);
	text.data[text.len - 40] ^= 1;       /* in the signature */
	assert_int_equal(cs_file_write(path, text.data, text.len, 0600, NULL), CS_OK);
	found(*state, "not the one that the log tells of");
	fixture_remove(other);
}

static void what_the_database_kept_is_held_to_the_segment(void **state)
{
	static const struct { const char *sql, *says; } changes[] = {
		{ "UPDATE event SET data = '{\"output\":99}' WHERE type = 'task.completed' AND task = '/do/1/b' AND run LIKE '%00003'", "is another in the database" },
		{ "DELETE FROM event WHERE task = '/do/1/b' AND run LIKE '%00003'", "it was deleted; the archive has it still" },
		{ "UPDATE event SET seq = 0 WHERE task = '/do/1/b' AND run LIKE '%00003'", "no place in the log" },
		{ "DELETE FROM event WHERE type = 'log.archived'", "is missing" },
		{ "UPDATE event SET data = replace(data, '\"first\":1', '\"first\":2') WHERE type = 'log.archived'", "does not follow" },
		{ "UPDATE checkpoint SET hash = zeroblob(32) WHERE seq = (SELECT min(seq) FROM checkpoint)", "is not the one that its checkpoint signed" },
	};
	cs_store *s = make_log(*state);
	archive(s, FOREVER);
	cs_store_close(s);
	CS_AUTOFREE char *path = cs_path_join(*state, "capstan.db");
	CS_AUTOBUF cs_buf db;
	cs_buf_init(&db, 1 << 26);
	assert_int_equal(cs_file_read(path, &db, NULL), CS_OK);
	for (size_t i = 0; i < CS_ARRAY_LEN(changes); i++) {
		fixture_sql(*state, changes[i].sql);
		found(*state, changes[i].says);
		assert_int_equal(cs_file_write(path, db.data, db.len, 0600, NULL), CS_OK);
	}
	clean(*state);
}

/* ---- a backup --------------------------------------------------------------------------------------- */

static void a_backup_has_the_segments_too(void **state)
{
	static const cs_backup_ear nobody = { 0 };
	cs_backup made = { 0 };
	cs_err err = { 0 };
	CS_AUTOFREE char *file = cs_path_join(*state, "b");
	CS_AUTOFREE char *out = cs_path_join(*state, "out");
	cs_store *s = make_log(*state);
	int64_t end = cs_store_last_seq(s);
	CS_AUTOJSON json_t *before = all_ways(*state, end);
	archive(s, FOREVER);
	if (cs_backup_write(*state, file, true, nobody, &made, &err) != CS_OK)
		fail_msg("%s", err.msg);
	cs_store_close(s);
	if (cs_backup_unpack(file, out, nobody, &made, &err) != CS_OK)
		fail_msg("%s", err.msg);
	CS_AUTOJSON json_t *after = all_ways(out, end);
	assert_true(json_equal(before, after));
	clean(out);
	cs_backup_drop(out);
	assert_false(cs_file_exists(out));
	/* A backup without a segment is none. */
	CS_AUTOFREE char *path = segment_path(*state);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(cs_backup_write(*state, file, true, nobody, &made, &err), CS_EREFUSED);
	assert_non_null(strstr(err.msg, "is missing"));
	assert_false(cs_file_exists(file));
}

/* ---- a crash -------------------------------------------------------------------------------------- */

static void a_crash_before_the_commit_leaves_every_row(void **state)
{
	cs_store *s = make_log(*state);
	int64_t end = cs_store_last_seq(s);
	CS_AUTOJSON json_t *before = all_ways(*state, end);
	cs_store_close(s);
	pid_t pid = fork();
	if (pid == 0) {
		cs_archive_step step;
		s = fixture_open(*state);
		if (cs_store_begin(s, NULL) != CS_OK || cs_store_archive(s, FOREVER, NOW, "operator:me", &step, NULL) != CS_OK || step.first != 1)
			_exit(1);
		_exit(42);               /* the segment is there, the deletion was not committed */
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 42);
	CS_AUTOJSON json_t *after = all_ways(*state, end);
	assert_true(json_equal(before, after));
	assert_int_equal(count(*state, "SELECT count(*) FROM event WHERE run <> ''"), 5 * RUNS - 1);
	clean(*state);
	s = fixture_open(*state);
	cs_archive_step step = archive(s, FOREVER);   /* the file is there already: it is written anew */
	assert_int_equal(step.first, 1);
	cs_store_close(s);
	CS_AUTOJSON json_t *again = all_ways(*state, end);
	assert_true(json_equal(before, again));
	clean(*state);
}

static void what_does_not_fit_its_hash_is_not_archived(void **state)
{
	cs_archive_step step;
	cs_err err = { 0 };
	cs_store *s = make_log(*state);
	cs_store_close(s);
	fixture_sql(*state, "UPDATE event SET data = '{}' WHERE seq = 20");
	s = fixture_open(*state);
	assert_int_equal(cs_store_begin(s, &err), CS_OK);
	int64_t end = cs_store_last_seq(s);
	assert_int_equal(cs_store_archive(s, FOREVER, NOW, "operator:me", &step, &err), CS_EIO);
	assert_non_null(strstr(err.msg, "event 20"));
	assert_int_equal(cs_store_last_seq(s), end);
	cs_store_rollback(s);
	cs_store_close(s);
	assert_int_equal(count(*state, "SELECT count(*) FROM event WHERE run <> ''"), 5 * RUNS - 1);
}

static void a_folder_that_cannot_be_written_leaves_every_row(void **state)
{
	cs_archive_step step;
	cs_err err = { 0 };
	CS_AUTOFREE char *folder = cs_path_join(*state, CS_ARCHIVE_DIR);
	cs_store *s = make_log(*state);
	assert_int_equal(cs_file_write(folder, "x", 1, 0600, NULL), CS_OK);      /* a file where the folder should be */
	assert_int_equal(cs_store_begin(s, &err), CS_OK);
	int64_t end = cs_store_last_seq(s);
	assert_true(cs_store_archive(s, FOREVER, NOW, "operator:me", &step, &err) < 0);
	assert_int_equal(cs_store_last_seq(s), end);
	cs_store_rollback(s);
	cs_store_close(s);
	assert_int_equal(count(*state, "SELECT count(*) FROM event WHERE run <> ''"), 5 * RUNS - 1);
	clean(*state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_archived_reads_as_before),
		TEST(the_tables_are_the_same_made_again_from_segments),
		TEST(segments_follow_each_other),
		TEST(a_run_that_is_begun_again_is_read_from_both),
		TEST(what_is_young_or_waited_for_stays),
		TEST(a_body_leaves_with_the_last_that_names_it),
		TEST(a_segment_that_is_gone_is_named),
		TEST(events_that_are_picked_come_alone_and_a_lost_segment_is_named),
		TEST(any_byte_that_was_changed_is_found),
		TEST(another_segment_in_its_place_is_found),
		TEST(what_the_database_kept_is_held_to_the_segment),
		TEST(a_backup_has_the_segments_too),
		TEST(a_crash_before_the_commit_leaves_every_row),
		TEST(what_does_not_fit_its_hash_is_not_archived),
		TEST(a_folder_that_cannot_be_written_leaves_every_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
