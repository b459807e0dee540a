/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ctk/apart.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "net/http.h"
#include "tests/support/world.h"

enum { PATIENCE_MS = 20000, HOSTS_MAX = 64 };

static const char engine_word[] = "engine-apart";

static const cs_http_stand_in *stand_ins;
static size_t stand_in_count;
static const char *stand_in_ca;

void apart_stand_ins(const struct cs_http_stand_in *list, size_t n, const char *ca)
{
	stand_ins = list;
	stand_in_count = n;
	stand_in_ca = ca;
}

static int64_t *map_clock(const char *path, bool make)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT | O_EXCL : 0), 0600);
	if (fd < 0 || (make && ftruncate(fd, sizeof(int64_t)) < 0))
		fail_msg("the clock %s cannot be made", path);
	int64_t *clock = mmap(NULL, sizeof *clock, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (clock == MAP_FAILED)
		fail_msg("the clock %s cannot be seen", path);
	return clock;
}

/* ---- the engine's process ---------------------------------------------------------------------------------- */

static int64_t now_ms(void *ctx)
{
	return __atomic_load_n((int64_t *)ctx, __ATOMIC_SEQ_CST);
}

/* "HOST PORT ADDRESS", three words each. */
static size_t read_hosts(char **words, int n, cs_http_stand_in *list)
{
	size_t count = 0;
	for (int i = 0; i + 2 < n && count < HOSTS_MAX; i += 3)
		list[count++] = (cs_http_stand_in){ words[i], (unsigned)strtoul(words[i + 1], NULL, 10), words[i + 2] };
	return count;
}

/* DIR CLOCK CA [HOST PORT ADDRESS]…: goes on until its standard input ends. */
bool apart_is_engine(int argc, char **argv, int *ret_status)
{
	static cs_http_stand_in list[HOSTS_MAX];
	char byte;
	world w;
	if (argc < 5 || strcmp(argv[1], engine_word) != 0)
		return false;
	size_t n = read_hosts(argv + 5, argc - 5, list);
	world_stand_ins(list, n, argv[4]);
	world_at(&w, argv[2]);
	w.opts.clock = (cs_engine_clock){ .now_ms = now_ms, .ctx = map_clock(argv[3], false) };
	world_start(&w);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	world_close(&w);
	*ret_status = 0;
	return true;
}

/* ---- its keeper --------------------------------------------------------------------------------------------- */

void apart_new(apart *a, const char *dir, int64_t now)
{
	*a = (apart){ .dir = dir, .clock_file = cs_xasprintf("%s.clock", dir) };
	signal(SIGPIPE, SIG_IGN);
	a->clock = map_clock(a->clock_file, true);
	*a->clock = now;
}

static void nap(void)
{
	struct timespec t = { .tv_nsec = 1000000 };
	nanosleep(&t, NULL);
}

static void say_why(apart *a, const char *what)
{
	char text[2048];
	cs_child_kill(&(cs_child){ .pid = a->child.pid, .in = -1, .out = -1, .err = -1 });
	ssize_t n = read(a->child.err, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	a->child.pid = 0;
	fail_msg("%s: %s", what, text);
}

static void spawn(apart *a)
{
	const char *argv[HOSTS_MAX * 3 + 8] = { "/proc/self/exe", engine_word, a->dir, a->clock_file, stand_in_ca != NULL ? stand_in_ca : "" };
	char ports[HOSTS_MAX][8];
	size_t n = 5;
	assert_true(stand_in_count <= HOSTS_MAX);
	for (size_t i = 0; i < stand_in_count; i++) {
		snprintf(ports[i], sizeof ports[i], "%u", stand_ins[i].port % 65536);
		argv[n++] = stand_ins[i].host;
		argv[n++] = ports[i];
		argv[n++] = stand_ins[i].address;
	}
	cs_child_opts o = { .argv = argv, .envp = (const char *const *)environ };
	cs_err err = { 0 };
	if (cs_child_start(&o, &a->child, &err) != CS_OK)
		fail_msg("the engine's process does not start: %s", err.msg);
}

static bool has_ended(const apart *a)
{
	siginfo_t info = { 0 };
	return waitid(P_PID, (id_t)a->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

void apart_start(apart *a)
{
	int64_t until = cs_clock_mono_ns() + PATIENCE_MS * INT64_C(1000000);
	cs_err err = { 0 };
	spawn(a);
	while (cs_client_open(a->dir, CS_CLIENT_ATTACH, NULL, NULL, NULL, &a->client, &err) != CS_OK) {
		if (has_ended(a) || cs_clock_mono_ns() > until)
			say_why(a, err.msg);
		nap();
	}
}

void apart_kill(apart *a)
{
	kill(a->child.pid, SIGKILL);
	cs_client_close(a->client);
	a->client = NULL;
	int status = cs_child_end(&a->child);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("the engine ended by itself with status 0x%x before it was killed", (unsigned)status);
	a->deaths++;
}

void apart_stop(apart *a)
{
	int64_t until = cs_clock_mono_ns() + PATIENCE_MS * INT64_C(1000000);
	cs_client_close(a->client);
	a->client = NULL;
	close(a->child.in);
	a->child.in = -1;
	while (!has_ended(a)) {
		if (cs_clock_mono_ns() > until)
			say_why(a, "the engine does not end");
		nap();
	}
	char text[2048];
	ssize_t n = read(a->child.err, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	int status = cs_child_end(&a->child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the engine ended with status 0x%x: %s", (unsigned)status, text);
}

void apart_free(apart *a)
{
	cs_client_close(a->client);
	cs_child_kill(&a->child);
	munmap(a->clock, sizeof *a->clock);
	unlink(a->clock_file);
	free(a->clock_file);
	*a = (apart){ 0 };
}

json_t *apart_ask(apart *a, json_t *request, cs_err *err)
{
	json_t *ok = NULL;
	json_object_set_new(request, "actor", json_string("operator:tester"));
	int rc = cs_client_call(a->client, request, PATIENCE_MS, &ok, err);
	if (rc == CS_EUNAVAIL || rc == CS_EIO || rc == CS_ETIMEOUT)
		say_why(a, err->msg);
	return rc == CS_OK ? ok : NULL;
}

void apart_settle(apart *a, int64_t *ret_due, int64_t *ret_scheduled)
{
	int64_t until = cs_clock_mono_ns() + PATIENCE_MS * INT64_C(1000000);
	for (;;) {
		cs_err err = { 0 };
		CS_AUTOJSON json_t *ok = apart_ask(a, json_pack("{s:s}", "cmd", "settle"), &err);
		int64_t due = cs_json_int_or(ok, "due", 0), scheduled = cs_json_int_or(ok, "scheduled", 0), now = *a->clock;
		if (ok == NULL)
			fail_msg("it cannot be asked whether it rests: %s", err.msg);
		if (!cs_json_true(ok, "busy") && (due == 0 || due > now) && (scheduled == 0 || scheduled > now)) {
			*ret_due = due;
			*ret_scheduled = scheduled;
			return;
		}
		if (cs_clock_mono_ns() > until)
			fail_msg("it does not come to rest");
		nap();
	}
}
