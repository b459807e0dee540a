/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A backup holds one state of the log, checked, in one file; what is damaged, cut off, not one of ours
 * or newer is refused, and leaves nothing behind. */
#include "tests/store/fixture.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json.h"
#include "store/backup.h"

static const cs_backup_ear nobody = { 0 };

static char *make_log(const char *dir, const char *name)
{
	uint8_t key[32];
	CS_AUTOFREE char *path = cs_path_join(dir, "key");
	memset(key, 7, sizeof key);
	assert_int_equal(cs_file_write(path, key, sizeof key, 0600, NULL), CS_OK);
	cs_store *s = fixture_open(dir);
	fixture_fill(s, 12);
	cs_store_close(s);
	return cs_path_join(dir, name);
}

/* Names in DIR that begin with one of the working names of a backup. */
static int left_over(const char *dir)
{
	int n = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += strncmp(e->d_name, "backup-", 7) == 0 || strstr(e->d_name, ".part-") != NULL;
	closedir(d);
	return n;
}

static int unpack(const char *file, const char *dir, cs_backup *ret, cs_err *err)
{
	CS_AUTOFREE char *out = cs_path_join(dir, "out");
	int rc = cs_backup_unpack(file, out, nobody, ret, err);
	if (rc != CS_OK)
		assert_int_not_equal(access(out, F_OK), 0);
	return rc;
}

static void a_backup_holds_what_was_committed_when_it_was_made(void **state)
{
	CS_AUTOFREE char *file = make_log(*state, "b1");
	CS_AUTOFREE char *out = cs_path_join(*state, "out");
	cs_backup made = { 0 }, read = { 0 };
	struct stat st;
	cs_verify_report report;
	cs_store *s = fixture_open(*state);
	fixture_fill(s, 3);                  /* in the WAL alone */
	assert_int_equal(cs_store_begin(s, NULL), CS_OK);
	fixture_append(s, RUN_A, NULL, 0, "run.paused", NULL);
	assert_int_equal(cs_backup_write(*state, file, true, nobody, &made, NULL), CS_OK);
	assert_int_equal(cs_store_commit(s, NULL), CS_OK);
	cs_store_close(s);
	assert_int_equal(made.events, 15);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, made.bytes);
	assert_int_equal(left_over(*state), 0);

	assert_int_equal(unpack(file, *state, &read, NULL), CS_OK);
	assert_string_equal(read.head, made.head);
	assert_true(read.key);
	assert_false(read.vault);
	assert_int_equal(cs_store_verify(out, &report, NULL), CS_OK);
	assert_string_equal(report.finding, "");
	assert_int_equal(report.events, 15);
	assert_true(report.checkpoints > 0);
	assert_true(strlen(report.signer) == 64);
	cs_backup_drop(out);
	assert_int_not_equal(access(out, F_OK), 0);
}

static void a_backup_overwrites_nothing(void **state)
{
	CS_AUTOFREE char *file = make_log(*state, "b1");
	cs_backup b;
	cs_err err = { 0 };
	char before[CS_HEX_SIZE], after[CS_HEX_SIZE];
	assert_int_equal(cs_backup_write(*state, file, true, nobody, &b, NULL), CS_OK);
	fixture_file_hash(*state, "b1", before);
	assert_int_equal(cs_backup_write(*state, file, true, nobody, &b, &err), CS_EREFUSED);
	fixture_file_hash(*state, "b1", after);
	assert_string_equal(before, after);
	assert_int_equal(left_over(*state), 0);
}

static void what_a_backup_that_was_cut_off_left_goes_with_the_next(void **state)
{
	CS_AUTOFREE char *file = make_log(*state, "b1");
	CS_AUTOFREE char *left = cs_path_join(*state, "backup-abcdef");
	CS_AUTOFREE char *key = cs_path_join(left, "key");
	CS_AUTOFREE char *busy = cs_path_join(*state, "backup-ghijkl");
	cs_backup b;
	assert_int_equal(mkdir(left, 0700), 0);
	assert_int_equal(mkdir(busy, 0700), 0);
	assert_int_equal(cs_file_write(key, "x", 1, 0600, NULL), CS_OK);
	CS_AUTOCLOSE int fd = open(busy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);     /* as another backup that goes on */
	assert_int_equal(cs_backup_write(*state, file, true, nobody, &b, NULL), CS_OK);
	assert_int_not_equal(access(left, F_OK), 0);
	assert_int_equal(rmdir(busy), 0);
}

static void a_log_that_is_not_clean_becomes_no_backup(void **state)
{
	CS_AUTOFREE char *file = make_log(*state, "b1");
	cs_backup b;
	cs_err err = { 0 };
	fixture_sql(*state, "UPDATE event SET actor = 'operator:x' WHERE seq = 4");
	assert_int_equal(cs_backup_write(*state, file, true, nobody, &b, &err), CS_EREFUSED);
	assert_non_null(strstr(err.msg, "event 4"));
	assert_int_not_equal(access(file, F_OK), 0);
	assert_int_equal(left_over(*state), 0);
}

static void a_backup_without_the_key_has_the_public_half_alone(void **state)
{
	CS_AUTOFREE char *file = make_log(*state, "b1");
	CS_AUTOFREE char *out = cs_path_join(*state, "out");
	CS_AUTOFREE char *key = cs_path_join(out, "key");
	CS_AUTOFREE char *public = cs_path_join(out, "key.pub");
	cs_backup b;
	assert_int_equal(cs_backup_write(*state, file, false, nobody, &b, NULL), CS_OK);
	assert_false(b.key);
	assert_int_equal(unpack(file, *state, &b, NULL), CS_OK);
	assert_int_not_equal(access(key, F_OK), 0);
	assert_int_equal(access(public, F_OK), 0);
	cs_backup_drop(out);
}

/* Each bit of it counts: nothing of a damaged one is taken apart. */
static void a_backup_with_any_byte_changed_or_missing_is_refused(void **state)
{
	CS_AUTOFREE char *file = make_log(*state, "b1");
	CS_AUTOFREE char *bad = cs_path_join(*state, "bad");
	CS_AUTOFREE char *out = cs_path_join(*state, "out");
	CS_AUTOBUF cs_buf bytes;
	cs_backup b;
	cs_buf_init(&bytes, (size_t)8 << 20);
	assert_int_equal(cs_backup_write(*state, file, true, nobody, &b, NULL), CS_OK);
	assert_int_equal(cs_file_read(file, &bytes, NULL), CS_OK);
	size_t head = (size_t)((char *)memchr(bytes.data + 17, '\n', bytes.len - 17) - bytes.data);
	size_t at[] = { 0, 8, 18, head, head + 1, head + 8000, bytes.len / 2, bytes.len - 100, bytes.len - 1 };
	for (size_t i = 0; i < CS_ARRAY_LEN(at); i++) {
		bytes.data[at[i]] ^= 1;
		assert_int_equal(cs_file_write(bad, bytes.data, bytes.len, 0600, NULL), CS_OK);
		bytes.data[at[i]] ^= 1;
		if (unpack(bad, *state, &b, NULL) == CS_OK) {
			cs_backup_drop(out);
			fail_msg("a changed byte %zu was not found", at[i]);
		}
	}
	for (size_t n = bytes.len; n > 0; n = n > 20000 ? n - 20000 : n / 2) {
		assert_int_equal(cs_file_write(bad, bytes.data, n - 1, 0600, NULL), CS_OK);
		assert_int_not_equal(unpack(bad, *state, &b, NULL), CS_OK);
	}
	assert_int_equal(cs_buf_add(&bytes, "x", 1), CS_OK);
	assert_int_equal(cs_file_write(bad, bytes.data, bytes.len, 0600, NULL), CS_OK);
	assert_int_equal(unpack(bad, *state, &b, NULL), CS_EIO);
}

static void write_text(const char *path, const char *line)
{
	CS_AUTOFREE char *text = cs_xasprintf("capstan-backup 1\n%s\n", line);
	assert_int_equal(cs_file_write(path, text, strlen(text), 0600, NULL), CS_OK);
}

static void a_backup_of_a_newer_capstan_or_a_hostile_one_is_refused(void **state)
{
#define HEX "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD(format) "{\"at\":1,\"events\":0,\"head\":\"" HEX "\",\"format\":" format ",\"incarnation\":0,\"parts\":"
#define PART(name, size) "{\"name\":\"" name "\",\"size\":" size ",\"sha256\":\"" HEX "\"}"
	static const struct {
		const char *line;
		int code;
	} cases[] = {
		{ HEAD("99") "[" PART("capstan.db", "0") "]}", CS_EUNAVAIL },
		{ HEAD("5") "[]}", CS_EIO },
		{ HEAD("5") "[" PART("../../x", "0") "]}", CS_EIO },
		{ HEAD("5") "[" PART("capstan.db", "0") "," PART("capstan.db", "0") "]}", CS_EIO },
		{ HEAD("5") "[" PART("key", "0") "," PART("capstan.db", "0") "]}", CS_EIO },
		{ HEAD("5") "[" PART("capstan.db", "-1") "]}", CS_EIO },
		{ HEAD("5") "[" PART("capstan.db", "9223372036854775807") "]}", CS_EIO },
		{ HEAD("5") "{}}", CS_EIO },
		{ HEAD("0") "[" PART("capstan.db", "0") "]}", CS_EINVAL },
		{ "[]", CS_EINVAL }, { "", CS_EINVAL }, { "{", CS_EINVAL },
	};
	CS_AUTOFREE char *bad = cs_path_join(*state, "bad");
	cs_backup b;
	for (size_t i = 0; i < CS_ARRAY_LEN(cases); i++) {
		cs_err err = { 0 };
		write_text(bad, cases[i].line);
		assert_int_equal(unpack(bad, *state, &b, &err), cases[i].code);
	}
	cs_err err = { 0 };
	write_text(bad, cases[0].line);
	assert_int_equal(cs_backup_look(bad, &b, &err), CS_EUNAVAIL);
	CS_AUTOFREE char *both = cs_xasprintf("(format 99, this one knows %d)", CS_STORE_VERSION);
	assert_non_null(strstr(err.msg, both));
	assert_int_equal(cs_backup_look(*state, &b, &err), CS_EINVAL);
}

static void an_incarnation_is_signed_into_the_checkpoints_that_follow(void **state)
{
	free(make_log(*state, "b1"));
	cs_verify_report report;
	cs_store *s = fixture_open(*state);
	fixture_event(s, "", NULL, 0, "engine.incarnation", json_pack("{s:i, s:s, s:s, s:s}", "incarnation", 3, "token", "t", "why", "restored", "place", "p"));
	cs_store_close(s);
	CS_AUTOFREE char *signed_as = fixture_value(*state, "SELECT incarnation FROM checkpoint ORDER BY seq DESC LIMIT 1");
	assert_string_equal(signed_as, "3");
	assert_int_equal(cs_store_verify(*state, &report, NULL), CS_OK);
	assert_string_equal(report.finding, "");
	/* An earlier copy that went on with the same key. */
	fixture_sql(*state, "UPDATE meta SET value = 2 WHERE name = 'incarnation'");
	s = fixture_open(*state);
	fixture_fill(s, 1);
	cs_store_close(s);
	assert_int_equal(cs_store_verify(*state, &report, NULL), CS_OK);
	assert_non_null(strstr(report.finding, "another copy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_backup_holds_what_was_committed_when_it_was_made, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_backup_overwrites_nothing, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(what_a_backup_that_was_cut_off_left_goes_with_the_next, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_log_that_is_not_clean_becomes_no_backup, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_backup_without_the_key_has_the_public_half_alone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_backup_with_any_byte_changed_or_missing_is_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_backup_of_a_newer_capstan_or_a_hostile_one_is_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(an_incarnation_is_signed_into_the_checkpoints_that_follow, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
