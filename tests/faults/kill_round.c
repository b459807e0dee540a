/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/kill_round.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/engine.h"
#include "tests/faults/kill_calls.h"
#include "tests/faults/kill_check.h"
#include "tests/faults/kill_operator.h"
#include "tests/faults/kill_outside.h"

enum { LIFE_MS = 60000 };

kill_shared *kill_shared_new(void)
{
	void *p = mmap(NULL, sizeof(kill_shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

/* xorshift64*: the plan of a seed is the same everywhere. */
uint64_t kill_random(kill_round *r, uint64_t below)
{
	r->random ^= r->random >> 12;
	r->random ^= r->random << 25;
	r->random ^= r->random >> 27;
	return (r->random * UINT64_C(2685821657736338717) >> 16) % below;
}

static const char *plan_words(const kill_shared *s, char *out, size_t size)
{
	static const char *const words[] = {
		[KILL_NEVER] = "no kill", [KILL_AT_CALL] = "at half of a write", [KILL_AT_POINT] = "at a point", [KILL_AT_COMMIT] = "at a commit",
		[KILL_AT_REPLY] = "at a reply", [KILL_AT_REQUEST] = "at a request", [KILL_AT_TIME] = "after microseconds",
	};
	snprintf(out, size, "%s %u%s%s", words[s->when], s->nth, s->when == KILL_AT_POINT ? " of: " : "",
		 s->when == KILL_AT_POINT ? kill_point_word((kill_point)s->point) : "");
	return out;
}

static void remove_folder(const kill_round *r)
{
	CS_AUTOBUF cs_buf out;
	const char *argv[] = { "rm", "-rf", "--", r->dir, NULL };
	cs_child_opts o = { .argv = argv, .quiet_stderr = true };
	cs_child_result result;
	cs_buf_init(&out, 4096);
	(void)cs_child_run(&o, "", 0, &out, &out, cs_clock_mono_ns() + INT64_C(10000000000), NULL, &result, NULL);
}

_Noreturn void kill_fail(const kill_round *r, const char *fmt, ...)
{
	char plan[128];
	va_list ap;
	va_start(ap, fmt);
	const char *keep = getenv("FAULTS_KEEP");
	bool kept = keep == NULL || strcmp(keep, "no") != 0;
	fprintf(stderr, "FAILED: seed %llu, scenario \"%s\"%s, last life: %s; the workspace %s %s\n  ", (unsigned long long)r->seed, r->k->name,
		r->s->restless ? ", restless" : "", plan_words(r->s, plan, sizeof plan), kept ? "is kept in" : "was", r->dir);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	if (!kept)
		remove_folder(r);
	exit(1);
}

/* ---- the workspace ------------------------------------------------------------------------------------- */

static void put_file(const kill_round *r, const kill_file *f)
{
	CS_AUTOFREE char *whole = cs_path_join(r->dir, f->path), *folder = cs_xstrdup(whole);
	cs_err err = { 0 };
	*strrchr(folder, '/') = '\0';
	if (cs_mkdir_p(folder, 0700, &err) != CS_OK || cs_file_write(whole, f->text, strlen(f->text), 0600, &err) != CS_OK)
		kill_fail(r, "%s", err.msg);
}

static void load(kill_round *r)
{
	cs_diags d;
	cs_err err = { 0 };
	cs_diags_init(&d);
	if (cs_workspace_load(r->dir, false, &d, &r->ws, &err) != CS_OK)
		kill_fail(r, "the workspace does not load: %s", d.n > 0 ? d.items[0].message : err.msg);
	cs_diags_fini(&d);
}

static void clear(kill_shared *s)
{
	unsigned used = atomic_load(&s->entries);
	memset(s, 0, offsetof(kill_shared, entry));
	memset(s->entry, 0, used * sizeof s->entry[0]);
}

void kill_round_make(kill_round *r, const kill_scenario *k, uint64_t seed, unsigned runs, kill_shared *s, kill_counts *counts)
{
	struct stat st;
	const char *tmp = getenv("TMPDIR");
	*r = (kill_round){ .k = k, .seed = seed, .random = seed * 2 + 1, .s = s, .counts = counts };
	snprintf(r->dir, sizeof r->dir, "%s/capstan-kill-XXXXXX", stat("/dev/shm", &st) == 0 && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : tmp != NULL ? tmp : "/tmp");
	for (int i = 0; i < 8; i++)
		(void)kill_random(r, 2);
	clear(s);
	s->seed = seed;
	s->runs = runs;
	s->restless = runs > 1 && seed / kill_scenario_count % 2 == 1;
	if (mkdtemp(r->dir) == NULL)
		kill_fail(r, "a folder cannot be made: %s", strerror(errno));
	r->state_dir = cs_path_join(r->dir, CS_STATE_DIR);
	CS_AUTOFREE char *settings = cs_xasprintf("workspace: kill\nmode: live\noperator: { name: tester, timezone: UTC }\n%s%s%s",
						  k->settings != NULL && strstr(k->settings, "approvals:") != NULL ? "" : "approvals: { grace: PT0S }\n",
						  (seed + seed / kill_scenario_count) % 2 == 1 ? "retention: { snapshot-every: 3 }\n" : "",
						  k->settings != NULL ? k->settings : "");
	put_file(r, &(kill_file){ "capstan.yaml", settings });
	for (size_t i = 0; i < kill_common_count; i++)
		put_file(r, &kill_common_files[i]);
	for (size_t i = 0; i < KILL_FILES && k->files[i].path != NULL; i++)
		put_file(r, &k->files[i]);
	load(r);
}

void kill_round_close(kill_round *r)
{
	kill_check_all(r);
	r->counts->requests += atomic_load(&r->s->entries);
	r->counts->rounds++;
	cs_workspace_free(r->ws);
	free(r->state_dir);
	remove_folder(r);
}

/* ---- a life -------------------------------------------------------------------------------------------- */

struct life {
	pid_t pid;
	int fd;
	int64_t from_ns, kill_ns;    /* 0: not by time */
	unsigned requests;
	bool killed;
};

static void end_it(struct life *l)
{
	if (!l->killed)
		(void)kill(l->pid, SIGKILL);   /* not reaped yet: the number is still its own */
	l->killed = true;
}

static bool take_all(kill_round *r, struct life *l)
{
	for (;;) {
		char why[512];
		int rc = kill_outside_serve(r->s, l->fd, why, sizeof why);
		if (rc == KILL_OUTSIDE_BROKEN) {
			end_it(l);
			kill_fail(r, "%s", why);
		}
		if (rc != KILL_OUTSIDE_TAKEN)
			return rc != KILL_OUTSIDE_GONE;
		if (r->s->when == KILL_AT_REQUEST && ++l->requests == r->s->nth)
			end_it(l);
	}
}

/* Until the kill, or the next late answer; microseconds. */
static int64_t patience(const struct life *l, int64_t late)
{
	int64_t now = cs_clock_mono_ns();
	int64_t until = l->kill_ns > 0 && !l->killed ? l->kill_ns : l->from_ns + LIFE_MS * INT64_C(1000000);
	int64_t us = (until - now) / 1000;
	if (late >= 0 && late < us)
		us = late;
	return us > 0 ? us : 0;
}

static void attend(kill_round *r, struct life *l)
{
	bool there = true;
	while (there) {
		int64_t us = patience(l, kill_outside_answer_late(l->fd));
		struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
		struct pollfd p = { .fd = l->fd, .events = POLLIN };
		(void)ppoll(&p, 1, &t, NULL);
		int64_t now = cs_clock_mono_ns();
		if (l->kill_ns > 0 && now >= l->kill_ns)
			end_it(l);
		if (now > l->from_ns + LIFE_MS * INT64_C(1000000)) {
			end_it(l);
			kill_fail(r, "the life does not end within %d s", LIFE_MS / 1000);
		}
		there = take_all(r, l) && (p.revents & POLLHUP) == 0;
	}
}

static void count(kill_round *r, bool ready)
{
	kill_counts *c = r->counts;
	c->kills++;
	c->at_start += !ready;
	if (atomic_load(&r->s->start_us) > c->slowest_start_us)
		c->slowest_start_us = atomic_load(&r->s->start_us);
}

kill_end kill_round_live(kill_round *r, kill_when when, unsigned nth, unsigned point)
{
	int pair[2], status;
	struct life l = { .from_ns = cs_clock_mono_ns() };
	kill_shared *s = r->s;
	s->when = when;
	s->nth = nth;
	s->point = point;
	atomic_store(&s->ready, 0);
	atomic_store(&s->commits, 0);
	atomic_store(&s->replies, 0);
	kill_outside_forget();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		kill_fail(r, "no socket: %s", strerror(errno));
	l.kill_ns = when == KILL_AT_TIME ? l.from_ns + nth * INT64_C(1000) : 0;
	(void)fflush(NULL);
	l.pid = fork();
	if (l.pid < 0)
		kill_fail(r, "no process: %s", strerror(errno));
	if (l.pid == 0) {
		close(pair[0]);
		kill_operator(s, r->k, r->ws, pair[1], l.from_ns);
	}
	close(pair[1]);
	l.fd = pair[0];
	attend(r, &l);
	while (waitpid(l.pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)take_all(r, &l);
	close(l.fd);
	if (WIFEXITED(status) && WEXITSTATUS(status) == KILL_EXIT_BROKEN)
		kill_fail(r, "%s", s->failure);
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (!killed && (!WIFEXITED(status) || WEXITSTATUS(status) != KILL_EXIT_DONE))
		kill_fail(r, "it ended with status 0x%x", (unsigned)status);
	if (killed)
		count(r, atomic_load(&s->ready) != 0);
	kill_check_life(r, killed);
	return killed ? KILL_END_KILLED : KILL_END_OVER;
}
