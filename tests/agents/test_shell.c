/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agents/confine.h"
#include "agents/shell.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/support/perform.h"

static char work[64];
static cs_performer shell;

static void put(const char *name, const char *text)
{
	char *path CS_AUTOFREE = cs_path_join(work, name);
	cs_err err = { 0 };
	if (cs_file_write(path, text, strlen(text), 0600, &err) < 0)
		fail_msg("%s", err.msg);
}

static bool exists(const char *name)
{
	char *path CS_AUTOFREE = cs_path_join(work, name);
	return access(path, F_OK) == 0;
}

static int setup(void **state)
{
	(void)state;
	static const char *const folders[] = { "data", "out", "tools", ".capstan" };
	snprintf(work, sizeof work, "/tmp/cs-shell-XXXXXX");
	if (!mkdtemp(work))
		return -1;
	for (size_t i = 0; i < CS_ARRAY_LEN(folders); i++) {
		char *path CS_AUTOFREE = cs_path_join(work, folders[i]);
		if (mkdir(path, 0700) < 0)
			return -1;
	}
	put("data/in.txt", "given\n");
	put("other.txt", "not given\n");
	put(".capstan/key", "hush\n");
	put("tools/run.sh", "cat data/in.txt >out/copy; cat other.txt 2>/dev/null; ls -a .capstan 2>/dev/null; touch data/new 2>/dev/null; echo ran");
	shell = cs_shell_performer();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	static const char *const names[] = {
		"data/in.txt", "data/new", "out/copy", "other.txt", ".capstan/key", "tools/run.sh", "link", "pid", "late", "began", "daemon",
		"data", "out", "tools", ".capstan", ".",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		char *path CS_AUTOFREE = cs_path_join(work, names[i]);
		(void)(unlink(path) < 0 && rmdir(path) < 0);
	}
	return rmdir(work) < 0 && errno != ENOENT ? -1 : 0;
}

static cs_outcome *run_class(cs_effect_class class, const char *part, const char *input, int64_t timeout_ms)
{
	json_t *def CS_AUTOJSON = json_pack("{s:o}", "shell", json_of(part));
	json_t *in CS_AUTOJSON = json_of(input);
	cs_effect e = { .task = "/do/0/x", .key = "", .call = "report", .class = class, .def = def, .input = in,
			.workdir = work, .timeout_ms = timeout_ms };
	cs_err err = { 0 };
	cs_outcome *o = perform_effect(&shell, &e, &err);
	if (!o)
		fail_msg("%s", err.msg);
	return o;
}

static cs_outcome *run(const char *part, const char *input)
{
	return run_class(CS_EFFECT_UNSAFE, part, input, 10000);
}

static void result_is(const char *part, const char *input, const char *want)
{
	cs_outcome *o CS_AUTOOUTCOME = run(part, input);
	json_t *w CS_AUTOJSON = json_of(want);
	if (o->kind != CS_OUTCOME_DONE)
		fail_msg("%s: %s", part, cs_json_str(o->error, "detail"));
	if (!cs_json_equal(o->result, w)) {
		char *got CS_AUTOFREE = cs_json_text(o->result);
		fail_msg("%s gave %s", part, got);
	}
}

static void ends_as(const cs_outcome *o, cs_outcome_kind kind, const char *type, const char *says)
{
	const char *detail = cs_json_str_or(o->error, "detail", "");
	if (o->kind != kind)
		fail_msg("%s, not %s: %s", cs_outcome_kind_name(o->kind), cs_outcome_kind_name(kind), detail);
	assert_string_equal(cs_json_str(o->error, "type") + sizeof CS_ERROR_BASE - 1, type);
	if (!strstr(detail, says))
		fail_msg("\"%s\" does not say %s", detail, says);
}

static void json_goes_in_and_comes_out(void **state)
{
	(void)state;
	result_is("{\"command\":[\"cat\"]}", "{\"a\":[1,\"\\u00fc\"]}", "{\"a\":[1,\"\\u00fc\"]}");
	result_is("{\"command\":[\"cat\"],\"stdin\":\"text\",\"stdout\":\"text\"}", "{\"text\":\"x\\ny\\n\"}", "\"x\\ny\"");
	result_is("{\"command\":[\"cat\"],\"stdin\":\"text\",\"stdout\":\"text\"}", "\"plain\"", "\"plain\"");
	result_is("{\"command\":[\"sh\",\"-c\",\"wc -c\"],\"stdin\":\"none\"}", "{}", "0");
}

static void no_shell_reads_the_arguments(void **state)
{
	(void)state;
	result_is("{\"command\":[\"printf\",\"%s\",\"$(id); `id` && x > y\"],\"stdout\":\"text\"}", "{}", "\"$(id); `id` && x > y\"");
}

static void the_environment_is_clean_and_the_folder_is_the_workspace(void **state)
{
	(void)state;
	setenv("CAPSTAN_TEST_SECRET", "hush", 1);
	cs_outcome *o CS_AUTOOUTCOME = run("{\"command\":[\"env\"],\"stdout\":\"text\"}", "{}");
	unsetenv("CAPSTAN_TEST_SECRET");
	char *want CS_AUTOFREE = cs_xasprintf("PATH=/usr/local/bin:/usr/bin:/bin\nHOME=%s\nLANG=C.UTF-8", work);
	assert_string_equal(json_string_value(o->result), want);
	cs_outcome *pwd CS_AUTOOUTCOME = run("{\"command\":[\"pwd\"],\"stdout\":\"text\"}", "{}");
	assert_string_equal(json_string_value(pwd->result), work);
	cs_outcome *fds CS_AUTOOUTCOME = run("{\"command\":[\"sh\",\"-c\",\"ls /proc/$$/fd\"],\"stdout\":\"text\"}", "{}");
	assert_string_equal(json_string_value(fds->result), "0\n1\n2");
}

static void what_did_not_start_is_not_sent(void **state)
{
	(void)state;
	cs_outcome *missing CS_AUTOOUTCOME = run("{\"command\":[\"no-such-program-here\"]}", "{}");
	ends_as(missing, CS_OUTCOME_NOT_SENT, "configuration", "no-such-program-here");
	static const char *const bad[] = {
		"{}", "{\"command\":\"ls\"}", "{\"command\":[]}", "{\"command\":[1]}", "{\"command\":[\"a\\u0062\",\"\"],\"x\":1}",
		"{\"command\":[\"ls\"],\"stdin\":\"yaml\"}", "{\"command\":[\"ls\"],\"stdout\":\"none\"}",
		"{\"command\":[\"ls\"],\"network\":\"some\"}", "{\"command\":[\"\"]}",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++) {
		cs_outcome *o CS_AUTOOUTCOME = run(bad[i], "{}");
		ends_as(o, CS_OUTCOME_NOT_SENT, "configuration", "shell:");
	}
}

static bool shut(void *ctx)
{
	(void)ctx;
	return false;
}

static void a_shut_gate_and_simulation_start_nothing(void **state)
{
	(void)state;
	json_t *def CS_AUTOJSON = json_of("{\"shell\":{\"command\":[\"touch\",\"late\"],\"stdout\":\"text\"}}");
	json_t *in CS_AUTOJSON = json_of("{}");
	cs_effect e = { .task = "/do/0/x", .key = "", .call = "report", .class = CS_EFFECT_UNSAFE, .def = def, .input = in,
			.workdir = work, .gate = shut };
	cs_err err = { 0 };
	cs_outcome *o CS_AUTOOUTCOME = perform_effect(&shell, &e, &err);
	assert_int_equal(o->kind, CS_OUTCOME_NOT_SENT);
	e.gate = NULL;
	e.simulated = true;
	assert_null(perform_effect(&shell, &e, &err));
	assert_int_equal(err.code, CS_EREFUSED);
	assert_false(exists("late"));
}

static void an_exit_status_is_a_definite_end_with_its_reason(void **state)
{
	(void)state;
	for (cs_effect_class c = CS_EFFECT_PURE; c <= CS_EFFECT_UNSAFE; c++) {
		cs_outcome *o CS_AUTOOUTCOME = run_class(c, "{\"command\":[\"sh\",\"-c\",\"echo why it failed >&2; exit 3\"]}", "{}", 9000);
		ends_as(o, CS_OUTCOME_REJECTED, "runtime", "why it failed");
		assert_int_equal(cs_json_int_or(json_object_get(o->record, "reply"), "exit", 0), 3);
	}
}

static void what_was_killed_is_ambiguous(void **state)
{
	(void)state;
	cs_outcome *late CS_AUTOOUTCOME = run_class(CS_EFFECT_UNSAFE, "{\"command\":[\"sleep\",\"30\"]}", "{}", 200);
	ends_as(late, CS_OUTCOME_AMBIGUOUS, "timeout", "was ended after");
	cs_outcome *killed CS_AUTOOUTCOME = run("{\"command\":[\"sh\",\"-c\",\"kill -9 $$\"]}", "{}");
	ends_as(killed, CS_OUTCOME_AMBIGUOUS, "runtime", "signal 9");
	cs_outcome *loud CS_AUTOOUTCOME = run("{\"command\":[\"sh\",\"-c\",\"yes\"]}", "{}");
	ends_as(loud, CS_OUTCOME_AMBIGUOUS, "runtime", "4194304");
}

static void output_that_is_not_as_declared_is_a_validation_error(void **state)
{
	(void)state;
	static const char *const parts[] = {
		"{\"command\":[\"echo\",\"not json\"]}", "{\"command\":[\"true\"]}", "{\"command\":[\"echo\",\"1 2\"]}",
		"{\"command\":[\"printf\",\"\\\\377\"],\"stdout\":\"text\"}",
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(parts); i++) {
		cs_outcome *sent CS_AUTOOUTCOME = run_class(CS_EFFECT_UNSAFE, parts[i], "{}", 9000);
		ends_as(sent, CS_OUTCOME_AMBIGUOUS, "validation", "ended well");
		cs_outcome *read CS_AUTOOUTCOME = run_class(CS_EFFECT_READ, parts[i], "{}", 9000);
		ends_as(read, CS_OUTCOME_REJECTED, "validation", "ended well");
	}
}

static void its_whole_group_ends_with_it(void **state)
{
	(void)state;
	cs_outcome *o CS_AUTOOUTCOME = run_class(CS_EFFECT_UNSAFE, "{\"command\":[\"sh\",\"-c\",\"sleep 60 & echo $! >pid; wait\"]}", "{}", 400);
	assert_int_equal(o->kind, CS_OUTCOME_AMBIGUOUS);
	char *path CS_AUTOFREE = cs_path_join(work, "pid");
	cs_buf b CS_AUTOBUF;
	cs_buf_init(&b, 100);
	assert_int_equal(cs_file_read(path, &b, NULL), CS_OK);
	pid_t grandchild = (pid_t)strtol(cs_buf_str(&b), NULL, 10);
	assert_true(grandchild > 1);
	int64_t end = cs_clock_mono_ns() + INT64_C(5000000000);
	char *stat_path CS_AUTOFREE = cs_xasprintf("/proc/%d/stat", (int)grandchild);
	for (;;) {                              /* gone, or dead and not yet reaped by init */
		cs_buf s CS_AUTOBUF;
		cs_buf_init(&s, 4096);
		FILE *f = fopen(stat_path, "r");
		char text[512] = "";
		size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
		if (f)
			fclose(f);
		const char *state_letter = n ? strrchr(text, ')') : NULL;
		if (!state_letter || state_letter[2] == 'Z')
			break;
		assert_true(cs_clock_mono_ns() < end);
		usleep(5000);
	}
}

/* In place of an engine: runs a flow's own command until it is killed. Never returns. */
static void stand_in(void)
{
	json_t *def CS_AUTOJSON = json_pack("{s:{s:s}}", "shell", "command",
		"(sh -c ': >began; sleep 1; : >late' &); (setsid sh -c ': >daemon; sleep 1; : >late' &); sleep 30");
	json_t *in CS_AUTOJSON = json_object();
	cs_effect e = { .task = "/do/0/x", .key = "", .call = "run.shell", .class = CS_EFFECT_UNSAFE, .def = def, .input = in,
			.workdir = work, .timeout_ms = 30000 };
	cs_err err = { 0 };
	cs_outcome *o CS_AUTOOUTCOME = perform_effect(&shell, &e, &err);
	_exit(o ? 0 : 1);
}

static void nothing_that_it_started_outlives_a_killed_engine(void **state)
{
	(void)state;
	pid_t engine = fork();
	assert_true(engine >= 0);
	if (engine == 0)
		stand_in();
	for (int64_t end = cs_clock_mono_ns() + INT64_C(10000000000); !exists("began") || !exists("daemon"); usleep(2000))
		assert_true(cs_clock_mono_ns() < end);
	assert_int_equal(kill(engine, SIGKILL), 0);
	assert_int_equal(waitpid(engine, NULL, 0), engine);
	usleep(1500000);             /* longer than either would have needed */
	assert_false(exists("late"));
}

/* ---- confinement ---- */

static void need_bubblewrap(void)
{
	cs_err err = { 0 };
	if (cs_confine_available(&err) < 0) {
		print_message("skipped: %s\n", err.msg);
		skip();
	}
}

static void a_confined_agent_has_no_network(void **state)
{
	(void)state;
	need_bubblewrap();
	cs_outcome *o CS_AUTOOUTCOME = run("{\"command\":[\"sh\",\"-c\",\"tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '\"],\"stdout\":\"text\",\"network\":\"none\"}", "{}");
	assert_string_equal(json_string_value(o->result), "lo");
	assert_true(cs_json_true(json_object_get(o->record, "request"), "confined"));
}

static void a_confined_agent_sees_only_what_is_listed(void **state)
{
	(void)state;
	need_bubblewrap();
	cs_outcome *o CS_AUTOOUTCOME = run("{\"command\":[\"sh\",\"tools/run.sh\"],\"stdout\":\"text\",\"network\":\"none\",\"read\":[\"data/\"],\"write\":[\"out/\"]}", "{}");
	if (o->kind != CS_OUTCOME_DONE)
		fail_msg("%s", cs_json_str(o->error, "detail"));
	assert_null(strstr(json_string_value(o->result), "not given"));
	assert_null(strstr(json_string_value(o->result), "key"));
	assert_non_null(strstr(json_string_value(o->result), "ran"));
	assert_true(exists("out/copy"));
	assert_false(exists("data/new"));
	cs_outcome *home CS_AUTOOUTCOME = run("{\"command\":[\"sh\",\"-c\",\"ls /root /home /var /etc/shadow 2>/dev/null; true\"],\"stdout\":\"text\",\"read\":[\"data\"]}", "{}");
	assert_string_equal(json_string_value(home->result), "");
}

static void the_state_folder_is_never_seen_by_a_confined_agent(void **state)
{
	(void)state;
	need_bubblewrap();
	cs_outcome *o CS_AUTOOUTCOME = run("{\"command\":[\"sh\",\"-c\",\"cat .capstan/key 2>/dev/null; cat other.txt\"],\"stdout\":\"text\",\"network\":\"none\"}", "{}");
	assert_string_equal(json_string_value(o->result), "not given");
}

static void a_confined_agent_ends_whole_on_time(void **state)
{
	(void)state;
	need_bubblewrap();
	cs_outcome *o CS_AUTOOUTCOME = run_class(CS_EFFECT_UNSAFE,
		"{\"command\":[\"sh\",\"-c\",\"(setsid sh -c 'sleep 1; touch out/copy2' &) ; sleep 30\"],\"write\":[\"out\"]}", "{}", 300);
	assert_int_equal(o->kind, CS_OUTCOME_AMBIGUOUS);
	usleep(1200000);             /* longer than the escaped child would have needed */
	assert_false(exists("out/copy2"));
}

static void a_path_that_leads_out_is_refused_before_anything_starts(void **state)
{
	(void)state;
	need_bubblewrap();
	char *link CS_AUTOFREE = cs_path_join(work, "link");
	assert_int_equal(symlink("/etc", link), 0);
	static const char *const bad[] = { "/etc", "../", "data/../../", "link", ".capstan", ".capstan/key", "gone", "" };
	for (size_t i = 0; i < CS_ARRAY_LEN(bad); i++) {
		char *part CS_AUTOFREE = cs_xasprintf("{\"command\":[\"touch\",\"late\"],\"read\":[\"%s\"]}", bad[i]);
		cs_outcome *o CS_AUTOOUTCOME = run(part, "{}");
		ends_as(o, CS_OUTCOME_NOT_SENT, "configuration", "confine:");
	}
	cs_outcome *word CS_AUTOOUTCOME = run("{\"command\":[\"ls\"],\"write\":\"out\"}", "{}");
	ends_as(word, CS_OUTCOME_NOT_SENT, "configuration", "lists");
	assert_false(exists("late"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_goes_in_and_comes_out),
		cmocka_unit_test(no_shell_reads_the_arguments),
		cmocka_unit_test(the_environment_is_clean_and_the_folder_is_the_workspace),
		cmocka_unit_test(what_did_not_start_is_not_sent),
		cmocka_unit_test(a_shut_gate_and_simulation_start_nothing),
		cmocka_unit_test(an_exit_status_is_a_definite_end_with_its_reason),
		cmocka_unit_test(what_was_killed_is_ambiguous),
		cmocka_unit_test(output_that_is_not_as_declared_is_a_validation_error),
		cmocka_unit_test(its_whole_group_ends_with_it),
		cmocka_unit_test(nothing_that_it_started_outlives_a_killed_engine),
		cmocka_unit_test(a_confined_agent_has_no_network),
		cmocka_unit_test(a_confined_agent_sees_only_what_is_listed),
		cmocka_unit_test(the_state_folder_is_never_seen_by_a_confined_agent),
		cmocka_unit_test(a_confined_agent_ends_whole_on_time),
		cmocka_unit_test(a_path_that_leads_out_is_refused_before_anything_starts),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
