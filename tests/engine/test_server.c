/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket and the client, over an engine's face that answers without an engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/server.h"
#include "engine/wire.h"
#include "tests/engine/fake_engine.h"

#define WAIT_MS 10000

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

static cs_client *must_open(const char *dir, unsigned flags)
{
	cs_client *c = NULL;
	cs_err err = { 0 };
	CS_AUTOFREE char *copy = cs_xstrdup(dir);
	if (cs_client_open(dir, flags, NULL, fake_load, copy, &c, &err) < 0)
		fail_msg("%s", err.msg);
	return c;
}

static void must_echo(cs_client *c, const char *text)
{
	CS_AUTOJSON json_t *ok = NULL;
	cs_err err = { 0 };
	if (cs_client_call(c, json_pack("{s:s,s:s}", "cmd", "echo", "value", text), WAIT_MS, &ok, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(cs_json_str(ok, "value"), text);
}

static void must_refuse(cs_client *c)
{
	cs_err err = { 0 };
	assert_int_equal(cs_client_call(c, json_pack("{s:s}", "cmd", "refuse"), WAIT_MS, NULL, &err), CS_EREFUSED);
	assert_string_equal(err.msg, "no: it is stale; look again");
}

/* Messages until one has KEY; what came before is thrown away. */
static json_t *must_hear(cs_client *c, const char *key)
{
	for (;;) {
		json_t *m = NULL;
		cs_err err = { 0 };
		struct pollfd p = { .fd = cs_client_fd(c), .events = POLLIN };
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		if (cs_client_next(c, WAIT_MS, &m, &err) < 0)
			fail_msg("%s", err.msg);
		if (json_object_get(m, key))
			return m;
		json_decref(m);
	}
}

static void the_same_calls_work_here_and_over_the_socket(void **state)
{
	cs_client *own = must_open(*state, 0);
	assert_true(cs_client_is_engine(own));
	cs_client *other = must_open(*state, 0);
	assert_false(cs_client_is_engine(other));
	must_echo(own, "here");
	must_echo(other, "there \"quoted\"\n\xc3\xa9");
	must_refuse(own);
	must_refuse(other);
	unsigned tag = 0;
	assert_int_equal(cs_client_send(other, json_pack("{s:s,s:i}", "cmd", "echo", "value", 7), &tag, NULL), CS_OK);
	CS_AUTOJSON json_t *m = must_hear(other, "ok");
	assert_int_equal(cs_json_int_or(m, "tag", -1), tag);
	cs_client_close(other);
	cs_client_close(own);
}

static void of_many_commits_a_reader_that_was_away_hears_the_latest(void **state)
{
	cs_client *own = must_open(*state, 0);
	cs_client *other = must_open(*state, CS_CLIENT_ATTACH);
	assert_int_equal(cs_client_call(own, json_pack("{s:s,s:i}", "cmd", "commit", "n", 100000), WAIT_MS, NULL, NULL), CS_OK);
	cs_client *const both[] = { own, other };
	for (size_t i = 0; i < CS_ARRAY_LEN(both); i++) {
		int heard = 0;
		for (int64_t seq = 0; seq < 100000; heard++) {
			CS_AUTOJSON json_t *m = must_hear(both[i], "feed");
			int64_t next = cs_json_int_or(json_object_get(m, "feed"), "seq", 0);
			assert_true(next > seq);
			seq = next;
		}
		assert_true(heard < 50000);
	}
	cs_client_close(other);
	cs_client_close(own);
}

static void a_request_and_an_answer_of_megabytes_pass(void **state)
{
	cs_client *own = must_open(*state, 0);
	cs_client *other = must_open(*state, CS_CLIENT_ATTACH);
	CS_AUTOFREE char *text = cs_xcalloc(1, (3u << 20) + 1);
	memset(text, 'y', 3u << 20);
	must_echo(other, text);
	cs_client_close(other);
	cs_client_close(own);
}

static void a_request_over_the_bound_is_refused_and_the_client_goes_on(void **state)
{
	cs_client *own = must_open(*state, 0);
	cs_client *other = must_open(*state, CS_CLIENT_ATTACH);
	CS_AUTOFREE char *text = cs_xcalloc(1, CS_WIRE_LINE + 1);
	memset(text, 'y', CS_WIRE_LINE);
	assert_int_equal(cs_client_call(other, json_pack("{s:s,s:s}", "cmd", "echo", "value", text), WAIT_MS, NULL, NULL),
			 CS_ETOOBIG);
	must_echo(other, "still there");
	cs_client_close(other);
	cs_client_close(own);
}

/* ---- a hand-made peer ------------------------------------------------------------------------ */

static int raw_connect(const char *dir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s/.capstan/socket", dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
	struct timeval t = { .tv_sec = WAIT_MS / 1000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
	return fd;
}

static void raw_send(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until the text comes; false when the other end closes or is silent. */
static bool raw_hears(int fd, const char *want)
{
	char text[4096];
	size_t len = 0;
	while (len < sizeof text - 1) {
		ssize_t n = recv(fd, text + len, sizeof text - 1 - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = '\0';
		if (strstr(text, want))
			return true;
	}
	return false;
}

static void broken_lines_are_answered_and_harm_nobody(void **state)
{
	cs_client *own = must_open(*state, 0);
	int fd = raw_connect(*state);
	raw_send(fd, "{\"cmd\":\n");
	assert_true(raw_hears(fd, "\"syntax\""));
	raw_send(fd, "[1,2]\n");
	assert_true(raw_hears(fd, "\"error\""));
	raw_send(fd, "{\"tag\":\"t\",\"cmd\":\"echo\",");
	raw_send(fd, "\"value\":1}\n{\"tag\":2,\"cmd\":\"echo\",\"value\":2}\n");
	assert_true(raw_hears(fd, "\"tag\":2"));
	must_echo(own, "unharmed");
	close(fd);
	cs_client_close(own);
}

static void a_line_without_end_is_cut_off(void **state)
{
	cs_client *own = must_open(*state, 0);
	int fd = raw_connect(*state);
	CS_AUTOFREE char *chunk = cs_xcalloc(1, 1u << 20);
	memset(chunk, 'z', 1u << 20);
	size_t sent = 0;
	for (ssize_t n; sent < 2 * CS_WIRE_LINE && (n = send(fd, chunk, 1u << 20, MSG_NOSIGNAL)) > 0; sent += (size_t)n)
		;
	assert_true(sent < 2 * CS_WIRE_LINE);
	must_echo(own, "unharmed");
	close(fd);
	cs_client_close(own);
}

static void who_does_not_read_is_cut_off_and_others_are_served(void **state)
{
	cs_client *own = must_open(*state, 0);
	int fd = raw_connect(*state);
	for (int i = 0; i < 12; i++)
		raw_send(fd, "{\"tag\":1,\"cmd\":\"fill\",\"n\":1000000}\n");
	must_echo(own, "unharmed");
	/* What was buffered can still be read, but not all twelve answers come. */
	size_t got = 0;
	CS_AUTOFREE char *chunk = cs_xcalloc(1, 1u << 20);
	struct pollfd p = { .fd = fd, .events = 0 };
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);      /* the server hung up before we read anything */
	for (ssize_t n; (n = recv(fd, chunk, 1u << 20, 0)) > 0; got += (size_t)n)
		;
	assert_true(got < 12000000);
	must_echo(own, "still unharmed");
	close(fd);
	cs_client_close(own);
}

static void one_console_too_many_is_told_so(void **state)
{
	cs_client *own = must_open(*state, 0);
	int fds[64];
	for (size_t i = 0; i < CS_ARRAY_LEN(fds); i++) {
		fds[i] = raw_connect(*state);
		raw_send(fds[i], "{\"tag\":1,\"cmd\":\"status\"}\n");
		assert_true(raw_hears(fds[i], "\"ok\""));
	}
	int fd = raw_connect(*state);
	assert_true(raw_hears(fd, "64 consoles"));
	close(fd);
	close(fds[0]);
	for (bool in = false; !in; close(fd)) {        /* its place is free as soon as the server has seen it go */
		fd = raw_connect(*state);
		raw_send(fd, "{\"tag\":1,\"cmd\":\"status\"}\n");
		in = raw_hears(fd, "\"ok\"");
	}
	for (size_t i = 1; i < CS_ARRAY_LEN(fds); i++)
		close(fds[i]);
	cs_client_close(own);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void the_socket_is_ours_alone_in_the_deepest_folder_and_goes_away(void **state)
{
	CS_AUTOFREE char *deep = cs_xasprintf("%s/%0100d", (char *)*state, 0);
	CS_AUTOFREE char *state_dir = cs_path_join(deep, CS_STATE_DIR);
	CS_AUTOFREE char *socket_path = cs_path_join(state_dir, CS_SOCKET_NAME);
	assert_int_equal(mkdir(deep, 0700), 0);
	assert_int_equal(mkdir(state_dir, 0700), 0);
	mode_t before = umask(0);
	cs_client *own = must_open(deep, 0);
	umask(before);
	struct stat st;
	assert_int_equal(lstat(socket_path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	cs_client *other = must_open(deep, CS_CLIENT_ATTACH);
	must_echo(other, "deep");
	cs_client_close(other);
	cs_client_close(own);
	assert_int_equal(lstat(socket_path, &st), -1);
	CS_AUTOFREE char *lock = cs_path_join(state_dir, "lock");
	(void)remove(lock);
	assert_int_equal(rmdir(state_dir), 0);
	assert_int_equal(rmdir(deep), 0);
}

static void the_socket_of_a_dead_holder_is_replaced(void **state)
{
	fake_end(fake_process(*state));
	CS_AUTOFREE char *path = cs_xasprintf("%s/.capstan/socket", (char *)*state);
	assert_true(cs_file_exists(path));
	cs_client *own = must_open(*state, 0);
	assert_true(cs_client_is_engine(own));
	cs_client *other = must_open(*state, CS_CLIENT_ATTACH);
	must_echo(other, "new");
	cs_client_close(other);
	cs_client_close(own);
}

static void a_file_in_the_sockets_place_is_not_removed(void **state)
{
	CS_AUTOFREE char *path = cs_xasprintf("%s/.capstan/socket", (char *)*state);
	assert_int_equal(cs_file_write(path, "mine", 4, 0600, NULL), CS_OK);
	cs_client *c = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_client_open(*state, 0, NULL, fake_load, *state, &c, &err), CS_EREFUSED);
	assert_non_null(strstr(err.msg, "move it away"));
	assert_true(cs_file_exists(path));
}

/* ---- holders that go or do not answer -------------------------------------------------------- */

static void who_only_attaches_is_told_when_there_is_nobody(void **state)
{
	cs_client *c = NULL;
	cs_err err = { 0 };
	assert_int_equal(cs_client_open(*state, CS_CLIENT_ATTACH, NULL, fake_load, *state, &c, &err), CS_EUNAVAIL);
	assert_non_null(strstr(err.msg, "capstan serve"));
}

static void an_engine_that_dies_is_gone_and_the_next_takes_over(void **state)
{
	pid_t pid = fake_process(*state);
	cs_client *c = must_open(*state, 0);
	assert_false(cs_client_is_engine(c));
	fake_end(pid);
	CS_AUTOJSON json_t *gone = must_hear(c, "gone");
	assert_true(strlen(cs_json_str(gone, "gone")) > 0);
	cs_err err = { 0 };
	assert_int_equal(cs_client_call(c, json_pack("{s:s}", "cmd", "status"), WAIT_MS, NULL, &err), CS_EUNAVAIL);
	assert_non_null(strstr(err.msg, "again"));
	cs_client_close(c);
	c = must_open(*state, 0);
	assert_true(cs_client_is_engine(c));
	must_echo(c, "taken over");
	cs_client_close(c);
}

static void an_engine_that_ends_says_why(void **state)
{
	cs_workspace *ws = NULL;
	cs_engine *e = NULL;
	assert_int_equal(fake_load(*state, &ws, NULL), CS_OK);
	assert_int_equal(cs_engine_start(ws, NULL, &e, NULL), CS_OK);
	cs_client *c = must_open(*state, CS_CLIENT_ATTACH);
	fake_fail(e, "the disk is full");
	cs_engine_stop(e, 0);
	CS_AUTOJSON json_t *gone = must_hear(c, "gone");
	assert_string_equal(cs_json_str(gone, "gone"), "the disk is full");
	cs_client_close(c);
}

static void a_stopped_holder_is_named_at_once_and_used_when_it_goes_on(void **state)
{
	pid_t pid = fake_process(*state);
	int status;
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	cs_client *c = NULL;
	cs_err err = { 0 };
	int64_t begin = cs_clock_mono_ns();
	int r = cs_client_open(*state, 0, NULL, fake_load, *state, &c, &err);
	int64_t took_ms = (cs_clock_mono_ns() - begin) / 1000000;
	kill(pid, SIGCONT);
	assert_int_equal(r, CS_EUNAVAIL);
	assert_int_equal(cs_err_exit(r), 5);
	assert_true(took_ms < 5000);
	assert_non_null(strstr(err.msg, "kill -CONT"));
	c = must_open(*state, 0);
	must_echo(c, "goes on");
	cs_client_close(c);
	fake_end(pid);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_same_calls_work_here_and_over_the_socket),
		T(of_many_commits_a_reader_that_was_away_hears_the_latest),
		T(a_request_and_an_answer_of_megabytes_pass),
		T(a_request_over_the_bound_is_refused_and_the_client_goes_on),
		T(broken_lines_are_answered_and_harm_nobody),
		T(a_line_without_end_is_cut_off),
		T(who_does_not_read_is_cut_off_and_others_are_served),
		T(one_console_too_many_is_told_so),
		T(the_socket_is_ours_alone_in_the_deepest_folder_and_goes_away),
		T(the_socket_of_a_dead_holder_is_replaced),
		T(a_file_in_the_sockets_place_is_not_removed),
		T(who_only_attaches_is_told_when_there_is_nobody),
		T(an_engine_that_dies_is_gone_and_the_next_takes_over),
		T(an_engine_that_ends_says_why),
		T(a_stopped_holder_is_named_at_once_and_used_when_it_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
