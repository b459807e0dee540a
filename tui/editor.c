/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operator's editor on a private file, with the terminal handed over meanwhile. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/file.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "tui/shell.h"

#define EDIT_MAX (8u << 20)

extern char **environ;

static int make_file(const char *text, const char *suffix, char **ret_path, cs_err *err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	CS_AUTOFREE char *path = NULL;
	CS_AUTOCLOSE int fd = -1;
	size_t len = strlen(text), done = 0;

	if (!dir || access(dir, W_OK) != 0)
		dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	path = cs_xasprintf("%s/capstan-XXXXXX%s", dir, suffix);
	fd = mkstemps(path, (int)strlen(suffix));   /* 0600 */
	if (fd < 0)
		return cs_err_sys(err, errno, _("edit: no file can be made in %s: set TMPDIR to a folder that can be written"), dir);
	while (done < len) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0) {
			(void)unlink(path);
			return cs_err_sys(err, errno, _("edit: %s could not be written: make room, then press e again"), path);
		}
		done += (size_t)n;
	}
	*ret_path = CS_STEAL(path);
	return CS_OK;
}

/* EDITOR may be a command with arguments, which is why the shell reads it, as every tool does. */
static int spawn_editor(const char *path, int *ret_status)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"exec ${VISUAL:-${EDITOR:-vi}} \"$1\"", (char *)"sh", (char *)path, NULL };
	posix_spawnattr_t attr;
	sigset_t dfl;
	pid_t pid;
	int r;

	(void)sigemptyset(&dfl);
	(void)sigaddset(&dfl, SIGTSTP);
	(void)sigaddset(&dfl, SIGWINCH);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setsigdefault(&attr, &dfl);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn(&pid, "/bin/sh", NULL, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	if (r != 0)
		return r;
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

int cs_shell_editor(cs_shell *sh, const char *text, const char *suffix, char **ret, cs_err *err)
{
	CS_AUTOFREE char *path = NULL;
	CS_AUTOBUF cs_buf out = { 0 };
	int status = 0, failed, r;

	cs_buf_init(&out, EDIT_MAX);
	r = make_file(text, suffix, &path, err);
	if (r < 0)
		return r;
	cs_term_leave(sh->term);
	failed = spawn_editor(path, &status);
	cs_term_enter(sh->term);
	r = CS_OK;
	if (failed)
		r = cs_err_sys(err, failed, _("edit: the editor could not be started: set EDITOR"));
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		r = cs_err_set(err, CS_EIO, _("edit: the editor ended with an error, so nothing was changed: set EDITOR, or press e again"));
	else
		r = cs_file_read(path, &out, err);
	(void)unlink(path);
	if (r == CS_OK)
		*ret = cs_buf_steal(&out);
	return r;
}
