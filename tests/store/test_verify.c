/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify finds each way of changing a log behind its back, and names the place. */
#include "tests/store/fixture.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"

static cs_verify_report verify(const char *dir)
{
	cs_verify_report report;
	cs_err err = { 0 };
	if (cs_store_verify(dir, &report, &err))
		fail_msg("%s", err.msg);
	return report;
}

/* Twenty events, the seventh with a body, the anchor at the last. */
static void make_log(const char *dir)
{
	char text[CS_STORE_INLINE + 10];
	cs_store *s = fixture_open(dir);
	memset(text, 'y', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	fixture_fill(s, 6);
	fixture_event(s, RUN_A, "/do/1/long", 1, "task.completed", json_pack("{s:s}", "output", text));
	fixture_fill(s, 13);
	assert_int_equal(cs_store_anchor(s, NULL), CS_OK);
	cs_store_close(s);
}

static void i1_a_clean_log_is_clean(void **state)
{
	make_log(*state);
	cs_verify_report report = verify(*state);
	assert_string_equal(report.finding, "");
	assert_int_equal(report.events, 20);
	assert_int_equal(report.bodies, 1);
	assert_int_equal(report.anchor_seq, 20);
	assert_int_equal(report.first_bad, 0);
	assert_non_null(strstr(report.cannot, "Not proven"));
	CS_AUTOFREE char *head = fixture_value(*state, "SELECT lower(hex(hash)) FROM event WHERE seq = 20");
	assert_string_equal(report.head, head);
}

typedef struct tampering {
	const char *sql;
	int64_t first_bad;
	const char *says;
} tampering;

static const tampering ways[] = {
	{ "UPDATE event SET data = '{\"output\":99}' WHERE seq = 5", 5, "changed" },
	{ "UPDATE event SET at = at + 1 WHERE seq = 5", 5, "changed" },
	{ "UPDATE event SET actor = 'operator:eve' WHERE seq = 5", 5, "changed" },
	{ "UPDATE event SET simulated = 1 WHERE seq = 5", 5, "changed" },
	{ "UPDATE event SET task = NULL WHERE seq = 5", 5, "changed" },
	{ "UPDATE event SET cause = 1 WHERE seq = 5", 5, "changed" },
	{ "UPDATE event SET hash = zeroblob(32) WHERE seq = 5", 5, "changed" },
	{ "UPDATE event SET hash = zeroblob(31) WHERE seq = 5", 5, "changed" },
	{ "UPDATE event SET run = run || 'X' WHERE seq = 5", 5, "column run" },
	{ "UPDATE event SET task = task || char(0) || 'x' WHERE seq = 5", 5, "column task" },
	{ "UPDATE event SET data = data || char(0) WHERE seq = 5", 5, "column data" },
	{ "UPDATE event SET occurrence = occurrence + 4294967296 WHERE seq = 5", 5, "column occurrence" },
	{ "UPDATE event SET type = 'task.finished' WHERE seq = 5", 5, "unknown" },
	{ "DELETE FROM event WHERE seq = 5", 5, "deleted" },
	{ "DELETE FROM event WHERE seq = 1", 1, "deleted" },
	{ "DELETE FROM event WHERE seq = 5; UPDATE event SET seq = seq - 1 WHERE seq > 5", 5, "changed" },
	{ "UPDATE event SET seq = -seq WHERE seq IN (5, 6); UPDATE event SET seq = 11 + seq WHERE seq < 0", 5, "changed" },
	{ "DELETE FROM event WHERE seq > 17", 18, "cut" },
	{ "DELETE FROM event", 1, "cut" },
	{ "UPDATE body SET bytes = x'01'", -1, "changed" },
	{ "UPDATE body SET hash = zeroblob(32)", 7, "missing" },
	{ "DELETE FROM body", 7, "missing" },
	{ "INSERT INTO body VALUES (x'01', x'02')", -1, "changed" },
};

static void each_change_is_found_where_it_is(void **state)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(ways); i++) {
		CS_AUTOFREE char *dir = fixture_dir();
		make_log(dir);
		fixture_sql(dir, ways[i].sql);
		cs_verify_report report = verify(dir);
		if (report.first_bad != ways[i].first_bad || !strstr(report.finding, ways[i].says))
			fail_msg("%s: at %lld: %s", ways[i].sql, (long long)report.first_bad, report.finding);
		fixture_remove(CS_STEAL(dir));
	}
	(void)state;
}

static void copy(const char *dir, const char *from, const char *to)
{
	CS_AUTOFREE char *a = cs_path_join(dir, from);
	CS_AUTOFREE char *b = cs_path_join(dir, to);
	CS_AUTOBUF cs_buf bytes;
	cs_buf_init(&bytes, 1 << 24);
	assert_int_equal(cs_file_read(a, &bytes, NULL), CS_OK);
	assert_int_equal(cs_file_write(b, bytes.data, bytes.len, 0600, NULL), CS_OK);
}

static void an_older_copy_and_another_history_are_found_by_the_anchor(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 3);
	cs_store_close(s);
	copy(*state, "capstan.db", "old.db");
	s = fixture_open(*state);
	fixture_fill(s, 2);
	assert_int_equal(cs_store_anchor(s, NULL), CS_OK);
	cs_store_close(s);
	copy(*state, "old.db", "capstan.db");
	cs_verify_report report = verify(*state);
	assert_int_equal(report.first_bad, 4);
	assert_non_null(strstr(report.finding, "cut"));
	/* Nobody writes on from there: the next anchor would wipe the trace away. */
	cs_err err = { 0 };
	assert_int_equal(cs_store_open(*state, true, &s, &err), CS_EUNAVAIL);
	assert_non_null(strstr(err.msg, "cut off"));
	/* As long as before, but not the same: consistent in itself. */
	copy(*state, "anchor", "anchor.old");
	CS_AUTOFREE char *anchor = cs_path_join(*state, "anchor");
	assert_int_equal(unlink(anchor), 0);
	s = fixture_open(*state);
	fixture_event(s, "", NULL, 0, "engine.stopped", NULL);
	fixture_event(s, "", NULL, 0, "engine.stopped", NULL);
	cs_store_close(s);
	copy(*state, "anchor.old", "anchor");
	assert_int_equal(cs_store_open(*state, true, &s, &err), CS_EUNAVAIL);
	report = verify(*state);
	assert_int_equal(report.first_bad, 5);
	assert_non_null(strstr(report.finding, "rewritten"));
}

static void a_broken_anchor_is_a_finding(void **state)
{
	static const char *const texts[] = { "", "capstan-anchor 1 20", "capstan-anchor 1 x y\n",
		"capstan-anchor 1 20 zz34567890123456789012345678901234567890123456789012345678901234\n",
		"capstan-anchor 1 0 1234567890123456789012345678901234567890123456789012345678901234\n" };
	make_log(*state);
	CS_AUTOFREE char *path = cs_path_join(*state, "anchor");
	for (size_t i = 0; i < CS_ARRAY_LEN(texts); i++) {
		assert_int_equal(cs_file_write(path, texts[i], strlen(texts[i]), 0600, NULL), CS_OK);
		assert_non_null(strstr(verify(*state).finding, "not an anchor"));
	}
}

static void verify_works_beside_an_open_group(void **state)
{
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 5);
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	fixture_append(s, RUN_A, NULL, 0, "run.paused", NULL);
	cs_verify_report report = verify(*state);
	assert_int_equal(report.events, 5);
	assert_string_equal(report.finding, "");
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
	assert_int_equal(verify(*state).events, 6);
	cs_store_close(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(i1_a_clean_log_is_clean), cmocka_unit_test(each_change_is_found_where_it_is),
		T(an_older_copy_and_another_history_are_found_by_the_anchor), T(a_broken_anchor_is_a_finding),
		T(verify_works_beside_an_open_group),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
