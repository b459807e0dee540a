/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"

#define SECOND INT64_C(1000000000)

struct outcome {
	cs_buf out, err;
	cs_child_result result;
	int code;
	cs_err why;
};

static void outcome_fini(struct outcome *o)
{
	cs_buf_fini(&o->out);
	cs_buf_fini(&o->err);
}

static struct outcome run_opts(const cs_child_opts *o, const char *in, int64_t wait_ns)
{
	struct outcome r = { 0 };
	cs_buf_init(&r.out, 4096);
	cs_buf_init(&r.err, 4096);
	r.code = cs_child_run(o, in, in ? strlen(in) : 0, &r.out, &r.err, wait_ns ? cs_clock_mono_ns() + wait_ns : 0, NULL, &r.result,
			      &r.why);
	return r;
}

static struct outcome run_shell(const char *script, const char *in, int64_t wait_ns)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	cs_child_opts o = { .argv = argv };
	return run_opts(&o, in, wait_ns);
}

static void test_input_output_and_status_come_through(void **state)
{
	(void)state;
	CS_CLEANUP(outcome_fini) struct outcome r = run_shell("cat; echo oops >&2; exit 7", "hello", 0);
	assert_int_equal(r.code, 0);
	assert_string_equal(cs_buf_str(&r.out), "hello");
	assert_string_equal(cs_buf_str(&r.err), "oops\n");
	assert_true(WIFEXITED(r.result.status));
	assert_int_equal(WEXITSTATUS(r.result.status), 7);
	assert_false(r.result.timed_out || r.result.too_big || r.result.cancelled);
}

static void test_it_has_no_descriptor_but_three(void **state)
{
	(void)state;
	/* Without close-on-exec, low and high: they must not be inherited all the same. */
	int low = dup(0), high = fcntl(0, F_DUPFD, 700);
	assert_true(low >= 0 && high >= 700);
	CS_CLEANUP(outcome_fini) struct outcome r = run_shell("ls /proc/$$/fd; true", NULL, 0);
	close(low);
	close(high);
	assert_string_equal(cs_buf_str(&r.out), "0\n1\n2\n");
}

static void test_the_environment_is_what_is_given(void **state)
{
	(void)state;
	setenv("CAPSTAN_SECRET", "x", 1);
	const char *argv[] = { "env", NULL }, *envp[] = { "ONLY=this", NULL };
	cs_child_opts o = { .argv = argv };
	CS_CLEANUP(outcome_fini) struct outcome none = run_opts(&o, NULL, 0);
	assert_string_equal(cs_buf_str(&none.out), "");
	o.envp = envp;
	CS_CLEANUP(outcome_fini) struct outcome one = run_opts(&o, NULL, 0);
	assert_string_equal(cs_buf_str(&one.out), "ONLY=this\n");
}

static void test_signals_are_as_for_a_new_program(void **state)
{
	(void)state;
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	void (*old)(int) = signal(SIGINT, SIG_IGN);
	CS_CLEANUP(outcome_fini) struct outcome r = run_shell("grep -E '^Sig(Blk|Ign)' /proc/self/status", NULL, 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	signal(SIGINT, old);
	const char *blocked = strstr(cs_buf_str(&r.out), "SigBlk:"), *ignored = strstr(cs_buf_str(&r.out), "SigIgn:");
	assert_non_null(blocked);
	assert_non_null(ignored);
	assert_int_equal(strtoull(blocked + 7, NULL, 16), 0);
	/* But for the two that glibc keeps to itself (32 and 33), which posix_spawn leaves ignored. */
	assert_int_equal(strtoull(ignored + 7, NULL, 16) & ~0x180000000ull, 0);
}

static void test_a_program_that_is_not_there_is_not_found(void **state)
{
	(void)state;
	const char *argv[] = { "capstan-no-such-program", NULL }, *full[] = { "/no/such/program", NULL }, *empty[] = { "", NULL };
	cs_child_opts o = { .argv = argv };
	cs_child c = { .pid = -7 };
	cs_err e = { 0 };
	assert_int_equal(cs_child_start(&o, &c, &e), CS_ENOTFOUND);
	assert_int_equal(c.pid, -7);
	assert_non_null(strstr(e.msg, "capstan-no-such-program"));
	o.argv = full;
	assert_int_equal(cs_child_start(&o, &c, &e), CS_ENOTFOUND);
	o.argv = empty;
	assert_int_equal(cs_child_start(&o, &c, &e), CS_ENOTFOUND);
	const char *sh[] = { "sh", NULL }, *folder[] = { "/tmp", NULL };
	o = (cs_child_opts){ .argv = sh, .path = "/no/such:" };
	assert_int_equal(cs_child_start(&o, &c, &e), CS_ENOTFOUND);
	o = (cs_child_opts){ .argv = folder };
	assert_int_equal(cs_child_start(&o, &c, &e), CS_EREFUSED);
	o = (cs_child_opts){ .argv = sh, .cwd = "/no/such/folder" };
	assert_int_equal(cs_child_start(&o, &c, &e), CS_EINVAL);
	assert_int_equal(c.pid, -7);
	/* Nothing is left to be waited for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_folder_and_path_are_obeyed(void **state)
{
	(void)state;
	const char *argv[] = { "pwd", NULL };
	cs_child_opts o = { .argv = argv, .cwd = "/usr", .path = "/no/such:/bin:/usr/bin" };
	CS_CLEANUP(outcome_fini) struct outcome r = run_opts(&o, NULL, 0);
	assert_string_equal(cs_buf_str(&r.out), "/usr\n");
}

static void test_the_memory_limit_holds(void **state)
{
	(void)state;
	const char *argv[] = { "sh", "-c", "ulimit -v", NULL };
	cs_child_opts o = { .argv = argv, .memory_limit = (size_t)256 << 20 };
	CS_CLEANUP(outcome_fini) struct outcome r = run_opts(&o, NULL, 0);
	assert_string_equal(cs_buf_str(&r.out), "262144\n");
}

static void test_quiet_stderr_goes_nowhere(void **state)
{
	(void)state;
	const char *argv[] = { "sh", "-c", "echo x >&2 && echo done", NULL };
	cs_child_opts o = { .argv = argv, .quiet_stderr = true };
	CS_CLEANUP(outcome_fini) struct outcome r = run_opts(&o, NULL, 0);
	assert_string_equal(cs_buf_str(&r.out), "done\n");
	assert_string_equal(cs_buf_str(&r.err), "");
}

/* The pid that a script wrote as its only output. */
static pid_t pid_in(const struct outcome *r)
{
	pid_t pid = (pid_t)strtol(cs_buf_str(&r->out), NULL, 10);
	assert_true(pid > 1);
	return pid;
}

/* Killed orphans go to init, which takes its time to reap them; a zombie is dead enough. */
static bool is_gone(pid_t pid)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	for (int64_t until = cs_clock_mono_ns() + 5 * SECOND; cs_clock_mono_ns() < until;) {
		FILE *f = fopen(path, "r");
		if (!f)
			return true;
		size_t n = fread(text, 1, sizeof text - 1, f);
		fclose(f);
		text[n] = '\0';
		const char *paren = strrchr(text, ')');
		if (n == 0 || (paren && (paren[2] == 'Z' || paren[2] == 'X')))
			return true;
	}
	return false;
}

static void test_the_deadline_kills_the_whole_group(void **state)
{
	(void)state;
	int64_t start = cs_clock_mono_ns();
	CS_CLEANUP(outcome_fini) struct outcome r = run_shell("sleep 60 & echo $!; trap '' TERM INT; wait; sleep 60", NULL, SECOND / 4);
	assert_int_equal(r.code, 0);
	assert_true(r.result.timed_out);
	assert_true(WIFSIGNALED(r.result.status) && WTERMSIG(r.result.status) == SIGKILL);
	assert_true(cs_clock_mono_ns() - start < 10 * SECOND);
	assert_true(is_gone(pid_in(&r)));
}

static void test_what_is_left_of_the_group_dies_with_its_leader(void **state)
{
	(void)state;
	/* The one left holds stdout: the run must not wait for it. */
	int64_t start = cs_clock_mono_ns();
	CS_CLEANUP(outcome_fini) struct outcome r = run_shell("sleep 60 & echo $!; exit 0", NULL, 30 * SECOND);
	assert_false(r.result.timed_out);
	assert_int_equal(r.result.status, 0);
	assert_true(cs_clock_mono_ns() - start < 10 * SECOND);
	assert_true(is_gone(pid_in(&r)));
}

static struct outcome run_guarded(const char *script, const char *in, int64_t wait_ns)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	cs_child_opts o = { .argv = argv, .die_with_parent = true };
	return run_opts(&o, in, wait_ns);
}

static void test_a_guarded_program_ends_as_without_its_guard(void **state)
{
	(void)state;
	static const struct {
		const char *script, *prints;
		int status;
	} rows[] = {
		{ "cat; exit 7", "in", 7 << 8 },
		{ "kill -TERM $$", "", SIGTERM },
		{ "kill -SEGV $$", "", SIGSEGV },
		{ "kill -KILL $$", "", SIGKILL },
		/* Not the guard's group. */
		{ "trap 'echo caught; exit 3' TERM; kill -TERM 0; sleep 5", "caught\n", 3 << 8 },
		/* An orphan that ends before is not taken for it. */
		{ "(sh -c 'exit 9' &); sleep 0.2; echo last; exit 4", "last\n", 4 << 8 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CS_CLEANUP(outcome_fini) struct outcome r = run_guarded(rows[i].script, "in", 30 * SECOND);
		assert_int_equal(r.code, 0);
		assert_false(r.result.timed_out);
		assert_int_equal(r.result.status & 0xff7f, rows[i].status);
		assert_string_equal(cs_buf_str(&r.out), rows[i].prints);
	}
	const char *none[] = { "capstan-no-such-program", NULL };
	cs_child_opts o = { .argv = none, .die_with_parent = true };
	cs_child c;
	assert_int_equal(cs_child_start(&o, &c, NULL), CS_ENOTFOUND);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_the_deadline_finds_what_left_the_group_of_a_guarded_program(void **state)
{
	(void)state;
	int64_t start = cs_clock_mono_ns();
	CS_CLEANUP(outcome_fini) struct outcome r = run_guarded("setsid sh -c 'echo $$; sleep 60; :' & trap '' TERM; wait; sleep 60", NULL, SECOND / 2);
	assert_true(r.result.timed_out);
	assert_true(WIFSIGNALED(r.result.status) && WTERMSIG(r.result.status) == SIGKILL);
	assert_true(cs_clock_mono_ns() - start < 10 * SECOND);
	assert_true(is_gone(pid_in(&r)));
}

static void test_what_left_the_group_outlives_a_program_that_ends_by_itself(void **state)
{
	(void)state;
	/* The one in its group does not. */
	CS_CLEANUP(outcome_fini) struct outcome r =
		run_guarded("setsid sh -c 'echo $$; exec sleep 60' & sleep 0.3; sleep 60 & echo $! >&2; exit 0", NULL, 30 * SECOND);
	assert_int_equal(r.result.status, 0);
	assert_false(r.result.timed_out);
	pid_t daemon = pid_in(&r), left = (pid_t)strtol(cs_buf_str(&r.err), NULL, 10);
	assert_true(left > 1 && is_gone(left));
	assert_int_equal(kill(daemon, SIGKILL), 0);
}

/* In place of an engine: runs until it is killed. Never returns. */
static void stand_in(const char *dir)
{
	const char *argv[] = { "sh", "-c",
			       "(setsid sh -c 'echo $$ >one; sleep 60; :' &); (sh -c 'echo $$ >two; sleep 60; :' &)\n"
			       "setsid sh -c '(setsid sh -c \"echo \\$\\$ >three; sleep 60; :\" &); sleep 60; :' & echo $$ >four; wait; sleep 60", NULL };
	cs_child_opts o = { .argv = argv, .cwd = dir, .die_with_parent = true };
	cs_child_result r;
	(void)cs_child_run(&o, NULL, 0, NULL, NULL, cs_clock_mono_ns() + 60 * SECOND, NULL, &r, NULL);
	_exit(0);
}

static pid_t pid_file(const char *dir, const char *name)
{
	char path[128], text[32];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	for (int64_t until = cs_clock_mono_ns() + 20 * SECOND; cs_clock_mono_ns() < until; usleep(2000)) {
		FILE *f = fopen(path, "r");
		char *line = f ? fgets(text, sizeof text, f) : NULL;
		if (f)
			fclose(f);
		if (!line || !strchr(line, '\n'))
			continue;
		unlink(path);
		return (pid_t)strtol(text, NULL, 10);
	}
	return 0;
}

static void test_all_that_a_program_started_ends_when_we_are_killed(void **state)
{
	(void)state;
	static const char *const names[] = { "one", "two", "three", "four" };
	char dir[] = "/tmp/cs-guard-XXXXXX";
	pid_t pids[4];
	assert_non_null(mkdtemp(dir));
	pid_t engine = fork();
	assert_true(engine >= 0);
	if (engine == 0)
		stand_in(dir);
	for (size_t i = 0; i < 4; i++)
		pids[i] = pid_file(dir, names[i]);
	assert_int_equal(kill(engine, SIGKILL), 0);
	assert_int_equal(waitpid(engine, NULL, 0), engine);
	for (size_t i = 0; i < 4; i++)
		assert_true(pids[i] > 1 && is_gone(pids[i]));
	assert_int_equal(rmdir(dir), 0);
}

static void test_too_much_output_ends_it(void **state)
{
	(void)state;
	for (int to_stderr = 0; to_stderr < 2; to_stderr++) {
		CS_CLEANUP(outcome_fini) struct outcome r =
			run_shell(to_stderr ? "while :; do echo xxxxxxxx; done >&2" : "while :; do echo xxxxxxxx; done", NULL, 30 * SECOND);
		assert_true(r.result.too_big);
		assert_false(r.result.timed_out);
		assert_int_equal(to_stderr ? r.err.len : r.out.len, 4096);
	}
}

static void test_output_of_exactly_the_bound_is_not_too_much(void **state)
{
	(void)state;
	CS_CLEANUP(outcome_fini) struct outcome r = run_shell("head -c 4096 /dev/zero", NULL, 30 * SECOND);
	assert_false(r.result.too_big);
	assert_int_equal(r.out.len, 4096);
}

static void *cancel_soon(void *arg)
{
	usleep(100000);
	__atomic_store_n((int *)arg, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void test_cancel_ends_it(void **state)
{
	(void)state;
	int cancel = 0;
	pthread_t t;
	const char *argv[] = { "sleep", "60", NULL };
	cs_child_opts o = { .argv = argv };
	cs_child_result r;
	assert_int_equal(pthread_create(&t, NULL, cancel_soon, &cancel), 0);
	int64_t start = cs_clock_mono_ns();
	assert_int_equal(cs_child_run(&o, NULL, 0, NULL, NULL, 0, &cancel, &r, NULL), 0);
	pthread_join(t, NULL);
	assert_true(r.cancelled);
	assert_true(cs_clock_mono_ns() - start < 10 * SECOND);
}

static void test_a_child_that_does_not_read_does_not_kill_us(void **state)
{
	(void)state;
	void (*old)(int) = signal(SIGPIPE, SIG_DFL);
	CS_AUTOFREE char *much = cs_xcalloc(1, 1 << 20);
	memset(much, 'x', (1 << 20) - 1);
	CS_CLEANUP(outcome_fini) struct outcome r = run_shell("exec 0<&-; echo done; sleep 0.1", much, 30 * SECOND);
	assert_int_equal(r.result.status, 0);
	assert_string_equal(cs_buf_str(&r.out), "done\n");
	sigset_t now;
	assert_int_equal(sigpending(&now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 0);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 0);
	signal(SIGPIPE, old);
}

static void test_much_passes_both_ways_at_once(void **state)
{
	(void)state;
	size_t n = (size_t)4 << 20;
	CS_AUTOFREE char *much = cs_xcalloc(1, n);
	for (size_t i = 0; i < n; i++)
		much[i] = (char)(i * 7 + i / 4096);
	CS_AUTOBUF cs_buf out;
	cs_buf_init(&out, n);
	const char *argv[] = { "cat", NULL };
	cs_child_opts o = { .argv = argv };
	cs_child_result r;
	assert_int_equal(cs_child_run(&o, much, n, &out, NULL, cs_clock_mono_ns() + 60 * SECOND, NULL, &r, NULL), 0);
	assert_int_equal(r.status, 0);
	assert_int_equal(out.len, n);
	assert_memory_equal(out.data, much, n);
}

static void test_start_and_kill_by_hand(void **state)
{
	(void)state;
	const char *argv[] = { "cat", NULL };
	cs_child_opts o = { .argv = argv, .die_with_parent = true };
	cs_child c;
	char answer[8] = "";
	assert_int_equal(cs_child_start(&o, &c, NULL), 0);
	assert_int_equal(getpgid(c.pid), c.pid);
	assert_int_equal(fcntl(c.in, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(write(c.in, "ping", 4), 4);
	assert_int_equal(read(c.out, answer, sizeof answer), 4);
	assert_string_equal(answer, "ping");
	pid_t pid = c.pid;
	cs_child_kill(&c);
	assert_int_equal(c.pid, 0);
	assert_int_equal(c.in, -1);
	assert_int_equal(kill(pid, 0), -1);
	cs_child_kill(&c);
	assert_int_equal(cs_child_start(&o, &c, NULL), 0);
	cs_closep(&c.in);
	assert_int_equal(read(c.out, answer, 1), 0);
	assert_true(WIFSIGNALED(cs_child_end(&c)) || c.pid == 0);
}

static void test_no_descriptor_is_leaked(void **state)
{
	(void)state;
	const char *none[] = { "capstan-no-such-program", NULL };
	cs_child_opts o = { .argv = none };
	cs_child c;
	int before = dup(0);
	close(before);
	for (int i = 0; i < 20; i++) {
		CS_CLEANUP(outcome_fini) struct outcome r = run_shell("exit 0", "x", 0);
		assert_int_equal(r.code, 0);
		assert_int_equal(cs_child_start(&o, &c, NULL), CS_ENOTFOUND);
	}
	int after = dup(0), high = fcntl(0, F_DUPFD, 10), next = fcntl(0, F_DUPFD, 11);
	close(after);
	close(high);
	close(next);
	assert_int_equal(after, before);
	assert_true(next < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input_output_and_status_come_through),
		cmocka_unit_test(test_it_has_no_descriptor_but_three),
		cmocka_unit_test(test_the_environment_is_what_is_given),
		cmocka_unit_test(test_signals_are_as_for_a_new_program),
		cmocka_unit_test(test_a_program_that_is_not_there_is_not_found),
		cmocka_unit_test(test_folder_and_path_are_obeyed),
		cmocka_unit_test(test_the_memory_limit_holds),
		cmocka_unit_test(test_quiet_stderr_goes_nowhere),
		cmocka_unit_test(test_the_deadline_kills_the_whole_group),
		cmocka_unit_test(test_what_is_left_of_the_group_dies_with_its_leader),
		cmocka_unit_test(test_a_guarded_program_ends_as_without_its_guard),
		cmocka_unit_test(test_the_deadline_finds_what_left_the_group_of_a_guarded_program),
		cmocka_unit_test(test_what_left_the_group_outlives_a_program_that_ends_by_itself),
		cmocka_unit_test(test_all_that_a_program_started_ends_when_we_are_killed),
		cmocka_unit_test(test_too_much_output_ends_it),
		cmocka_unit_test(test_output_of_exactly_the_bound_is_not_too_much),
		cmocka_unit_test(test_cancel_ends_it),
		cmocka_unit_test(test_a_child_that_does_not_read_does_not_kill_us),
		cmocka_unit_test(test_much_passes_both_ways_at_once),
		cmocka_unit_test(test_start_and_kill_by_hand),
		cmocka_unit_test(test_no_descriptor_is_leaked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
