/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signed checkpoints: who has the database but not the key can change nothing that verify, and the
 * next start, do not find. */
#include "tests/store/fixture.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "store/checkpoint.h"
#include "store/event_bytes.h"

static void put_key(const char *dir, uint8_t byte)
{
	uint8_t key[32];
	CS_AUTOFREE char *path = cs_path_join(dir, "key");
	memset(key, byte, sizeof key);
	assert_int_equal(cs_file_write(path, key, sizeof key, 0600, NULL), CS_OK);
}

static cs_verify_report verify(const char *dir)
{
	cs_verify_report report;
	cs_err err = { 0 };
	if (cs_store_verify(dir, &report, &err))
		fail_msg("%s", err.msg);
	return report;
}

static int64_t count(const char *dir, const char *sql)
{
	CS_AUTOFREE char *text = fixture_value(dir, sql);
	return text ? strtoll(text, NULL, 10) : -1;
}

static void want_refused(const char *dir, const char *says)
{
	cs_store *s = NULL;
	cs_err err = { 0 };
	if (cs_store_open(dir, true, &s, &err) == CS_OK)
		fail_msg("%s", "it was opened");
	if (!strstr(err.msg, says))
		fail_msg("%s", err.msg);
}

/* Twenty events and three checkpoints, at 5, 12 and 20; no anchor. */
static void make_log(const char *dir)
{
	static const int parts[] = { 5, 7, 8 };
	put_key(dir, 1);
	for (size_t i = 0; i < CS_ARRAY_LEN(parts); i++) {
		cs_store *s = fixture_open(dir);
		fixture_fill(s, parts[i]);
		cs_store_close(s);
	}
	assert_int_equal(count(dir, "SELECT count(*) FROM checkpoint WHERE seq IN (5, 12, 20)"), 3);
}

static void a_signed_log_is_clean_and_says_who_signed(void **state)
{
	make_log(*state);
	cs_verify_report report = verify(*state);
	assert_string_equal(report.finding, "");
	assert_int_equal(report.checkpoints, 3);
	assert_int_equal(report.signed_seq, 20);
	assert_int_equal(strlen(report.signer), 64);
	/* The public half is enough to check with. */
	CS_AUTOFREE char *key = cs_path_join(*state, "key");
	assert_int_equal(unlink(key), 0);
	cs_verify_report again = verify(*state);
	assert_string_equal(again.finding, "");
	assert_string_equal(again.signer, report.signer);
	CS_AUTOFREE char *pub = cs_path_join(*state, "key.pub");
	assert_int_equal(unlink(pub), 0);
	assert_non_null(strstr(verify(*state).finding, "neither key nor key.pub"));
}

static void no_thousand_events_are_without_a_checkpoint(void **state)
{
	put_key(*state, 1);
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 1);          /* the first commit of an engine signs what was there */
	for (int i = 0; i < 40; i++)
		fixture_fill(s, 100);
	fixture_fill(s, 2500);
	cs_store_idle(s, NULL);
	cs_verify_report report = verify(*state);
	assert_string_equal(report.finding, "");
	assert_int_equal(report.signed_seq, 6501);
	cs_store_close(s);
	assert_true(count(*state, "SELECT max(seq - previous) FROM checkpoint") <= 2500);
	assert_int_equal(count(*state, "SELECT count(*) FROM checkpoint WHERE seq <= 4001 AND seq - previous > 1000"), 0);
	assert_int_equal(verify(*state).checkpoints, count(*state, "SELECT count(*) FROM checkpoint"));
}

static void idle_signs_once_and_a_group_taken_back_signs_nothing(void **state)
{
	put_key(*state, 1);
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 3);
	fixture_fill(s, 3);
	assert_int_equal(cs_store_idle(s, NULL), CS_OK);
	int64_t before = count(*state, "SELECT count(*) FROM checkpoint");
	assert_int_equal(count(*state, "SELECT max(seq) FROM checkpoint"), 6);
	assert_int_equal(cs_store_idle(s, NULL), CS_OK);
	assert_int_equal(count(*state, "SELECT count(*) FROM checkpoint"), before);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	fixture_append(s, RUN_A, NULL, 0, "run.paused", NULL);
	cs_store_rollback(s);
	assert_int_equal(cs_store_idle(s, NULL), CS_OK);
	assert_int_equal(count(*state, "SELECT count(*) FROM checkpoint"), before);
	cs_store_close(s);
	assert_string_equal(verify(*state).finding, "");
}

/* Writes the chain anew from FROM on, as one does who knows how it is made but has no key. */
static void chain_anew(const char *dir, int64_t from)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL, *set = NULL;
	CS_AUTOFREE char *path = cs_path_join(dir, "capstan.db");
	CS_AUTOBUF cs_buf scratch;
	cs_sha256 *h = cs_sha256_new();
	uint8_t head[CS_HASH_LEN] = { 0 };
	cs_buf_init(&scratch, 1 << 20);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT " CS_EVENT_COLUMNS " FROM event ORDER BY seq", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "UPDATE event SET hash = ?2 WHERE seq = ?1", -1, &set, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		cs_event ev;
		uint8_t hash[CS_HASH_LEN];
		cs_event_from_row(st, &ev);
		const char *data = (const char *)sqlite3_column_text(st, CS_EVENT_DATA_COLUMN);
		assert_int_equal(cs_event_hash(h, head, &ev, data, strlen(data), &scratch, hash), CS_OK);
		memcpy(head, hash, sizeof head);
		if (ev.seq < from)
			continue;
		sqlite3_bind_int64(set, 1, ev.seq);
		sqlite3_bind_blob(set, 2, hash, sizeof hash, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(set), SQLITE_DONE);
		sqlite3_reset(set);
	}
	sqlite3_finalize(st);
	sqlite3_finalize(set);
	sqlite3_close(db);
	cs_sha256_free(h);
}

typedef struct forgery {
	const char *sql;
	int64_t chained_from;      /* the chain is written anew from here; 0: left */
	int64_t first_bad;
	const char *says, *refuses;   /* verify; the next start, NULL: it cannot tell */
} forgery;

static const forgery ways[] = {
	{ "UPDATE event SET data = '{\"output\":99}' WHERE seq = 7", 7, 12, "rewritten", "rewritten" },
	{ "UPDATE event SET data = '{\"output\":99}' WHERE seq = 20", 20, 20, "rewritten", "rewritten" },
	{ "DELETE FROM event WHERE seq = 20", 0, 20, "cut", "cut off" },
	{ "DELETE FROM event WHERE seq > 3", 0, 4, "cut", "cut off" },
	{ "DELETE FROM event WHERE seq = 9; UPDATE event SET seq = -seq WHERE seq > 9; UPDATE event SET seq = -seq - 1 WHERE seq < 0",
	  9, 12, "rewritten", "cut off" },
	{ "UPDATE event SET seq = -seq WHERE seq IN (6, 7); UPDATE event SET seq = 13 + seq WHERE seq < 0", 6, 12, "rewritten", "rewritten" },
	{ "UPDATE event SET data = '{\"output\":99}' WHERE seq = 7; DELETE FROM checkpoint WHERE seq = 12", 7, 12, "missing", "rewritten" },
	{ "DELETE FROM checkpoint WHERE seq = 12", 0, 12, "missing", NULL },
	{ "DELETE FROM checkpoint WHERE seq = 5", 0, 5, "missing", NULL },
	{ "DELETE FROM checkpoint WHERE seq = 5; UPDATE checkpoint SET previous = 0, link = zeroblob(32) WHERE seq = 12", 0, 12, "forged", NULL },
	{ "UPDATE checkpoint SET signature = zeroblob(64) WHERE seq = 12", 0, 12, "forged", NULL },
	{ "UPDATE checkpoint SET signature = zeroblob(64) WHERE seq = 20", 0, 20, "forged", "forged" },
	{ "UPDATE checkpoint SET hash = zeroblob(32) WHERE seq = 5", 0, 5, "forged", NULL },
	{ "UPDATE checkpoint SET incarnation = 9 WHERE seq = 20", 0, 20, "forged", "forged" },
	{ "UPDATE checkpoint SET at = at + 1 WHERE seq = 20", 0, 20, "forged", "forged" },
	{ "UPDATE checkpoint SET signature = x'01' WHERE seq = 20", 0, 20, "never writes", "not one of capstan's" },
};

static void each_forgery_is_found_also_where_the_chain_fits(void **state)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(ways); i++) {
		CS_AUTOFREE char *dir = fixture_dir();
		make_log(dir);
		fixture_sql(dir, ways[i].sql);
		if (ways[i].chained_from)
			chain_anew(dir, ways[i].chained_from);
		cs_verify_report report = verify(dir);
		if (report.first_bad != ways[i].first_bad || !strstr(report.finding, ways[i].says))
			fail_msg("%s: at %lld: %s", ways[i].sql, (long long)report.first_bad, report.finding);
		if (ways[i].refuses)
			want_refused(dir, ways[i].refuses);
		fixture_remove(CS_STEAL(dir));
	}
	(void)state;
}

static void checkpoints_that_were_all_deleted_are_missed(void **state)
{
	put_key(*state, 1);
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 1500);
	cs_store_close(s);
	fixture_sql(*state, "DELETE FROM checkpoint");
	cs_verify_report report = verify(*state);
	assert_int_equal(report.first_bad, 1);
	assert_non_null(strstr(report.finding, "no signed checkpoint"));
}

static void another_workspaces_key_neither_verifies_nor_goes_on(void **state)
{
	make_log(*state);
	put_key(*state, 2);
	assert_non_null(strstr(verify(*state).finding, "not of one pair"));
	CS_AUTOFREE char *pub = cs_path_join(*state, "key.pub");
	assert_int_equal(unlink(pub), 0);
	assert_non_null(strstr(verify(*state).finding, "forged"));
	want_refused(*state, "the key is another's");
	assert_int_equal(access(pub, F_OK), -1);     /* nor is that key made this workspace's */
	static const char *const texts[] = { "", "capstan-key 1 zz", "capstan-key 1 " };
	put_key(*state, 1);
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++) {
		assert_int_equal(cs_file_write(pub, texts[i], strlen(texts[i]), 0600, NULL), CS_OK);
		assert_non_null(strstr(verify(*state).finding, "is not a key of capstan"));
	}
}

/* What was there before there were checkpoints is signed for as it stands. */
static void an_older_log_is_signed_from_its_next_start_on(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 1200);
	cs_store_close(s);
	assert_int_equal(count(*state, "SELECT count(*) FROM checkpoint"), 0);
	fixture_sql(*state, "DROP TABLE checkpoint; DROP TABLE snapshot; PRAGMA user_version=4");
	put_key(*state, 1);
	s = fixture_open(*state);
	fixture_fill(s, 1);
	cs_store_close(s);
	cs_verify_report report = verify(*state);
	assert_string_equal(report.finding, "");
	assert_int_equal(report.signed_seq, 1201);
	assert_int_equal(report.checkpoints, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(a_signed_log_is_clean_and_says_who_signed), T(no_thousand_events_are_without_a_checkpoint),
		T(idle_signs_once_and_a_group_taken_back_signs_nothing), cmocka_unit_test(each_forgery_is_found_also_where_the_chain_fits),
		T(checkpoints_that_were_all_deleted_are_missed), T(another_workspaces_key_neither_verifies_nor_goes_on),
		T(an_older_log_is_signed_from_its_next_start_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
