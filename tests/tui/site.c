/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "site.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "engine/lease.h"

#define PATIENCE_MS 20000
#define PAUSE_MS 20

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static const char *program(void)
{
	const char *p = getenv("CS_TEST_CAPSTAN");

	must(p != NULL, "CS_TEST_CAPSTAN names no program: run me by make check");
	return p;
}

void site_file(const site *s, const char *path, const char *text)
{
	CS_AUTOFREE char *whole = cs_path_join(s->dir, path);
	CS_AUTOFREE char *folder = cs_xstrdup(whole);

	*strrchr(folder, '/') = '\0';
	(void)mkdir(folder, 0700);
	must(cs_file_write(whole, text, strlen(text), 0600, NULL) == CS_OK, whole);
}

static void flow(const site *s, const char *name, const char *tasks)
{
	CS_AUTOFREE char *path = cs_xasprintf("flows/%s.yaml", name);
	CS_AUTOFREE char *text = cs_xasprintf("document: { dsl: '1.0.3', namespace: test, name: %s, version: '1.0.0' }\ndo:\n%s", name, tasks);

	site_file(s, path, text);
}

void site_new(site *s)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(s->dir, sizeof(s->dir), "%.80s/capstan-site-XXXXXX", tmp ? tmp : "/tmp");
	must(mkdtemp(s->dir) != NULL, s->dir);
	site_file(s, "capstan.yaml", "workspace: site\nmode: simulate\noperator: { name: owner, timezone: UTC }\napprovals: { grace: PT1S }\n");
	site_file(s, "connectors/mail.yaml",
		  "connector: mail\nkind: http\nurl: https://mail.example.com\nidentity: me@example.com\nmode: dry\noperations:\n"
		  "  send:\n    effect: unsafe\n    touches: [ message ]\n    reverse: none\n    card: '${ \"To \\(.to)\\n\\n\\(.text)\" }'\n"
		  "    input: { type: object, required: [ to, text ], properties: { to: { type: string }, text: { type: string } } }\n"
		  "    request: { method: POST, path: /send, as: json, body: '${ . }' }\n");
	site_file(s, "runbooks/mail.md", "# When a letter waits\nRead it aloud.\n");
	flow(s, "letter", "  - send: { call: mail.send, with: { to: '${ .to }', text: '${ .text }' }, metadata: { ask: { title: '${ \"Letter to \\(.to)\" }', runbook: mail.md } } }\n"
			  "  - kept: { set: { stage: sent } }\n");
	flow(s, "broken", "  - stop: { raise: { error: { type: https://serverlessworkflow.io/spec/1.0.0/errors/runtime, status: 500, title: Out of paper } } }\n");
	flow(s, "parcel", "  - tell: { call: notify, with: { title: Take the parcel to the post, action: Bring it before six } }\n");
	flow(s, "look", "  - see: { call: approve, with: { title: '${ .title }', show: '${ . }' } }\n");
	flow(s, "set", "  - one: { set: { n: 1 } }\n");
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void site_free(site *s)
{
	(void)nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The child that becomes capstan -C DIR ARGS, its stdout in OUT, its stderr ours. */
static pid_t start(const site *s, int out, const char *const *args)
{
	const char *argv[32] = { "capstan", "-C", s->dir };
	size_t n = 3;
	pid_t pid;

	for (; *args; args++) {
		must(n + 1 < CS_ARRAY_LEN(argv), "too many arguments");
		argv[n++] = *args;
	}
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		(void)dup2(out, 1);
		(void)dup2(null, 2);
		(void)execv(program(), (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

int site_run(const site *s, char **ret_out, const char *const *args)
{
	CS_AUTOBUF cs_buf text = { 0 };
	char b[4096];
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	must(pipe2(fds, O_CLOEXEC) == 0, "pipe");
	cs_buf_init(&text, 1u << 24);
	pid = start(s, fds[1], args);
	(void)close(fds[1]);
	while ((n = read(fds[0], b, sizeof(b))) > 0)
		(void)cs_buf_add(&text, b, (size_t)n);
	(void)close(fds[0]);
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	if (ret_out)
		*ret_out = cs_buf_steal(&text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *site_item(const site *s)
{
	CS_AUTOFREE char *out = NULL;
	CS_AUTOJSON json_t *item = NULL;

	must(SITE_RUN(s, &out, "--json", "inbox") == 0, "capstan inbox");
	out[strcspn(out, "\n")] = '\0';
	must(cs_json_parse(out, strlen(out), &item, NULL) == CS_OK, "nothing waits");
	return cs_xstrdup(cs_json_str_or(item, "id", ""));
}

driver *site_console_with(const site *s, int rows, int cols, const char *const *env)
{
	char *argv[] = { (char *)(uintptr_t)program(), (char *)(uintptr_t)"-C", (char *)(uintptr_t)s->dir, NULL };

	return driver_program(rows, cols, argv, env);
}

driver *site_console(const site *s, int rows, int cols)
{
	return site_console_with(s, rows, cols, NULL);
}

pid_t site_holder(const site *s)
{
	CS_AUTOFREE char *state = cs_path_join(s->dir, CS_STATE_DIR);

	return cs_lease_holder(state);
}

pid_t site_serve(const site *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = start(s, null, (const char *const[]){ "serve", NULL });

	(void)close(null);
	for (int i = 0; site_holder(s) != pid; i++) {
		must(i < PATIENCE_MS / PAUSE_MS, "serve did not take the workspace");
		(void)poll(NULL, 0, PAUSE_MS);
	}
	return pid;
}

void site_end(pid_t pid, int signal)
{
	must(kill(pid, signal) == 0, "kill");
	must(waitpid(pid, NULL, 0) == pid, "waitpid");
}
