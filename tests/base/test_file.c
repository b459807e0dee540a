/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int setup(void **state)
{
	*state = temp_folder();
	return 0;
}

static void remove_tree(const char *path)
{
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		CS_AUTOFREE char *inner = cs_path_join(path, e->d_name);
		if (e->d_type == DT_DIR)
			remove_tree(inner);
		else
			unlink(inner);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static int teardown(void **state)
{
	remove_tree(*state);
	free(*state);
	return 0;
}

static void test_what_is_written_is_read(void **state)
{
	CS_AUTOFREE char *path = cs_path_join(*state, "f");
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 100);
	struct stat st;
	assert_false(cs_file_exists(path));
	assert_int_equal(cs_file_write(path, "a\0b", 3, 0640, NULL), 0);
	assert_true(cs_file_exists(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(cs_file_read(path, &b, NULL), 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 3);
	assert_int_equal(cs_file_write(path, "", 0, 0600, NULL), 0);
	cs_buf_reset(&b);
	assert_int_equal(cs_file_read(path, &b, NULL), 0);
	assert_int_equal(b.len, 0);
}

static size_t count(const char *dir)
{
	size_t n = 0;
	DIR *d = opendir(dir);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void test_a_failed_write_leaves_all_as_it_was(void **state)
{
	CS_AUTOFREE char *path = cs_path_join(*state, "taken"), *lost = cs_path_join(*state, "no/such/folder");
	cs_err e;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(cs_file_write(path, "x", 1, 0600, &e) < 0);
	assert_int_equal(count(*state), 1);
	assert_int_equal(cs_file_write(lost, "x", 1, 0600, &e), CS_ENOTFOUND);
	assert_int_equal(count(*state), 1);
}

/* A file may not become larger than a few bytes: the write ends half way. */
static void test_half_a_write_takes_nothing_s_place(void **state)
{
	CS_AUTOFREE char *path = cs_path_join(*state, "f");
	struct rlimit was, small;
	cs_err e;
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 64);
	assert_int_equal(cs_file_write(path, "as it was", 9, 0600, &e), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = (struct rlimit){ .rlim_cur = 4, .rlim_max = was.rlim_max };
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int rc = cs_file_write(path, "something else", 14, 0600, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	(void)signal(SIGXFSZ, before);
	assert_true(rc < 0);
	assert_int_equal(cs_file_read(path, &b, &e), 0);
	assert_string_equal(cs_buf_str(&b), "as it was");
	assert_int_equal(count(*state), 1);
}

static void test_only_regular_files_within_the_bound_are_read(void **state)
{
	CS_AUTOFREE char *path = cs_path_join(*state, "f"), *fifo = cs_path_join(*state, "p"), *none = cs_path_join(*state, "n");
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, 4);
	cs_err e;
	assert_int_equal(cs_file_write(path, "12345", 5, 0600, NULL), 0);
	assert_int_equal(cs_file_read(path, &b, &e), CS_ETOOBIG);
	cs_buf_reset(&b);
	assert_int_equal(cs_file_write(path, "1234", 4, 0600, NULL), 0);
	assert_int_equal(cs_file_read(path, &b, &e), 0);
	assert_int_equal(cs_file_read(*state, &b, &e), CS_EINVAL);
	assert_non_null(strstr(e.msg, "folder"));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(cs_file_read(fifo, &b, &e), CS_EINVAL);
	assert_int_equal(cs_file_read("/dev/zero", &b, &e), CS_EINVAL);
	assert_int_equal(cs_file_read(none, &b, &e), CS_ENOTFOUND);
}

static bool is_anchor(const char *base)
{
	return strcmp(base, "anchor") == 0;
}

static void test_what_a_cut_off_write_left_is_swept_and_nothing_else(void **state)
{
	static const char *const gone[] = { "anchor.tmp-aB3xY9", "anchor.tmp-zzzzzz" };
	static const char *const stays[] = { "anchor", "anchor.tmp-aB3xY", "anchor.tmp-aB3xY99", "anchor.tmp-aB3-Y9", "other.tmp-aB3xY9", "anchor-aB3xY9",
					     ".tmp-aB3xY9", "anchor.tmp-aB3xY9.tmp-aB3xY9" };
	for (size_t i = 0; i < CS_ARRAY_LEN(gone) + CS_ARRAY_LEN(stays); i++) {
		CS_AUTOFREE char *path = cs_path_join(*state, i < CS_ARRAY_LEN(gone) ? gone[i] : stays[i - CS_ARRAY_LEN(gone)]);
		assert_int_equal(cs_file_write(path, "x", 1, 0600, NULL), 0);
	}
	CS_AUTOFREE char *link = cs_path_join(*state, "anchor.tmp-linked"), *dir = cs_path_join(*state, "anchor.tmp-folder");
	assert_int_equal(symlink("anchor", link), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	cs_file_sweep(*state, is_anchor);
	cs_file_sweep("/nonexistent", is_anchor);
	for (size_t i = 0; i < CS_ARRAY_LEN(gone); i++) {
		CS_AUTOFREE char *path = cs_path_join(*state, gone[i]);
		assert_false(cs_file_exists(path));
	}
	for (size_t i = 0; i < CS_ARRAY_LEN(stays); i++) {
		CS_AUTOFREE char *path = cs_path_join(*state, stays[i]);
		assert_true(cs_file_exists(path));
	}
	assert_true(cs_file_exists(link));
	assert_true(cs_file_exists(dir));
}

static void test_join(void **state)
{
	(void)state;
	CS_AUTOFREE char *a = cs_path_join("a", "b"), *root = cs_path_join("/", "b");
	assert_string_equal(a, "a/b");
	assert_string_equal(root, "/b");
}

static void test_folders_are_made_on_the_way(void **state)
{
	CS_AUTOFREE char *deep = cs_path_join(*state, "a//b/c/"), *file = cs_path_join(*state, "f"), *below = cs_path_join(file, "x");
	cs_err e;
	struct stat st;
	assert_int_equal(cs_mkdir_p(deep, 0700, NULL), 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(cs_mkdir_p(deep, 0700, NULL), 0);
	assert_int_equal(cs_mkdir_p("/", 0700, NULL), 0);
	assert_int_equal(cs_file_write(file, "", 0, 0600, NULL), 0);
	assert_int_equal(cs_mkdir_p(file, 0700, &e), CS_EINVAL);
	assert_int_equal(cs_mkdir_p(below, 0700, &e), CS_EINVAL);
	assert_int_equal(cs_mkdir_p("", 0700, &e), CS_EINVAL);
}

static void test_a_list_is_sorted_and_only_of_files(void **state)
{
	static const char *const made[] = { "b.yaml", "a.yaml", "A.yaml", ".hidden.yaml", "c.yml", "yaml" };
	for (size_t i = 0; i < CS_ARRAY_LEN(made); i++) {
		CS_AUTOFREE char *path = cs_path_join(*state, made[i]);
		assert_int_equal(cs_file_write(path, "", 0, 0600, NULL), 0);
	}
	CS_AUTOFREE char *dir = cs_path_join(*state, "d.yaml"), *link = cs_path_join(*state, "l.yaml"), *dead = cs_path_join(*state, "x.yaml"),
			 *none = cs_path_join(*state, "none");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(symlink("a.yaml", link), 0);
	assert_int_equal(symlink("nowhere", dead), 0);
	static const char *const want[] = { "A.yaml", "a.yaml", "b.yaml", "l.yaml" };
	CS_CLEANUP(cs_strv_freep) char **names = NULL, **empty = NULL;
	assert_int_equal(cs_dir_list(*state, ".yaml", &names, NULL), 0);
	for (size_t i = 0; i < CS_ARRAY_LEN(want); i++)
		assert_string_equal(names[i], want[i]);
	assert_null(names[CS_ARRAY_LEN(want)]);
	assert_int_equal(cs_dir_list(none, ".yaml", &empty, NULL), 0);
	assert_non_null(empty);
	assert_null(empty[0]);
	cs_strv_freep(&empty);
	assert_null(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_written_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_failed_write_leaves_all_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_a_write_takes_nothing_s_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_regular_files_within_the_bound_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_a_cut_off_write_left_is_swept_and_nothing_else, setup, teardown),
		cmocka_unit_test(test_join),
		cmocka_unit_test_setup_teardown(test_folders_are_made_on_the_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_list_is_sorted_and_only_of_files, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
