/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/lease.h"
#include "tests/engine/fake_engine.h"

static char *state_dir(const char *dir)
{
	return cs_path_join(dir, CS_STATE_DIR);
}

static int setup(void **state)
{
	*state = fake_dir();
	return 0;
}

static int teardown(void **state)
{
	fake_remove(*state);
	return 0;
}

static void one_holder_only_and_free_after_release(void **state)
{
	CS_AUTOFREE char *dir = state_dir(*state);
	cs_lease *first = NULL, *second = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_lease_holder(dir), 0);
	assert_int_equal(cs_lease_take(dir, &first, &err), CS_OK);
	assert_int_equal(cs_lease_holder(dir), getpid());
	assert_int_equal(cs_lease_take(dir, &second, &err), CS_EUNAVAIL);
	assert_null(second);
	char pid[32];
	(void)snprintf(pid, sizeof pid, "process %ld", (long)getpid());
	assert_non_null(strstr(err.msg, pid));
	assert_non_null(strstr(err.msg, "running"));
	cs_lease_release(first);
	assert_int_equal(cs_lease_holder(dir), 0);
	assert_int_equal(cs_lease_take(dir, &second, &err), CS_OK);
	cs_lease_release(second);
}

static void a_stopped_holder_is_named_with_the_way_out_and_not_overruled(void **state)
{
	CS_AUTOFREE char *dir = state_dir(*state);
	pid_t pid = fake_process(*state);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	int status;
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	cs_lease *l = NULL;
	cs_err err = { 0 };
	int r = cs_lease_take(dir, &l, &err);
	bool stopped = cs_lease_stopped(pid);
	fake_end(pid);
	assert_true(stopped);
	assert_int_equal(r, CS_EUNAVAIL);
	char advice[64];
	(void)snprintf(advice, sizeof advice, "`kill -CONT %ld`", (long)pid);
	assert_non_null(strstr(err.msg, advice));
	assert_non_null(strstr(err.msg, "stopped"));
}

static void a_killed_holder_leaves_the_workspace_free(void **state)
{
	CS_AUTOFREE char *dir = state_dir(*state);
	fake_end(fake_process(*state));
	cs_lease *l = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_lease_holder(dir), 0);
	assert_int_equal(cs_lease_take(dir, &l, &err), CS_OK);
	cs_lease_release(l);
}

static void a_program_started_meanwhile_does_not_keep_the_lease(void **state)
{
	CS_AUTOFREE char *dir = state_dir(*state);
	cs_lease *l = NULL;
	assert_int_equal(cs_lease_take(dir, &l, NULL), CS_OK);
	int said[2];
	assert_int_equal(pipe(said), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(said[1], 1);
		execl("/bin/sh", "sh", "-c", "echo up; exec sleep 30 >/dev/null", (char *)NULL);
		_exit(127);
	}
	char up[3];
	assert_int_equal(read(said[0], up, sizeof up), 3);   /* the program runs: what is close-on-exec is closed */
	cs_lease_release(l);
	int r = cs_lease_take(dir, &l, NULL);
	fake_end(pid);
	close(said[0]);
	close(said[1]);
	assert_int_equal(r, CS_OK);
	cs_lease_release(l);
}

static void a_lock_that_is_no_file_is_refused(void **state)
{
	CS_AUTOFREE char *dir = state_dir(*state);
	CS_AUTOFREE char *lock = cs_path_join(dir, "lock");
	assert_int_equal(symlink("/dev/null", lock), 0);
	cs_lease *l = NULL;
	cs_err err = { 0 };
	assert_true(cs_lease_take(dir, &l, &err) < 0);
	assert_null(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_holder_only_and_free_after_release, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stopped_holder_is_named_with_the_way_out_and_not_overruled, setup, teardown),
		cmocka_unit_test_setup_teardown(a_killed_holder_leaves_the_workspace_free, setup, teardown),
		cmocka_unit_test_setup_teardown(a_program_started_meanwhile_does_not_keep_the_lease, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lock_that_is_no_file_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
