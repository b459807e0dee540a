/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agents/confine.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/mem.h"

#define TRIAL_NS INT64_C(5000000000)

/* What a program needs of the system, where it is there. No account, key or host configuration
 * beyond names and certificates. */
static const char *const system_paths[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
	"/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime",
	"/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/ca-certificates", "/etc/resolv.conf", "/etc/hosts",
	"/etc/nsswitch.conf", "/etc/mime.types", "/etc/python3", "/etc/python3.11", "/etc/perl",
};

void cs_args_add(cs_args *a, const char *text)
{
	if (a->count >= CS_ARGS_MAX) {
		a->full = true;
		return;
	}
	a->list[a->count++] = cs_xstrdup(text);
}

void cs_args_fini(cs_args *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->list[i]);
	*a = (cs_args){ 0 };
}

static void add_all(cs_args *a, const char *const *words)
{
	for (; *words; words++)
		cs_args_add(a, *words);
}

bool cs_confine_asked(const json_t *shell)
{
	return json_object_get(shell, "network") || json_object_get(shell, "read") || json_object_get(shell, "write");
}

/* ---- is it there ---- */

static struct {
	pthread_once_t once;
	int rc;
	cs_err err;
} trial = { .once = PTHREAD_ONCE_INIT };

static void try_once(void)
{
	static const char *const argv[] = {
		"bwrap", "--unshare-user-try", "--unshare-pid", "--unshare-net", "--die-with-parent", "--new-session",
		"--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "/bin/true", NULL,
	};
	static const char *const envp[] = { "PATH=/usr/bin:/bin", NULL };
	cs_child_opts o = { .argv = argv, .envp = envp };
	cs_child_result r = { 0 };
	cs_err why = { 0 };
	cs_buf out CS_AUTOBUF, text CS_AUTOBUF;
	cs_buf_init(&out, 4096);
	cs_buf_init(&text, 4096);
	int rc = cs_child_run(&o, "", 0, &out, &text, cs_clock_mono_ns() + TRIAL_NS, NULL, &r, &why);
	if (rc == CS_ENOTFOUND)
		trial.rc = cs_err_set(&trial.err, CS_EUNAVAIL,
				      "bubblewrap is not installed; install it with: apt-get install bubblewrap");
	else if (rc < 0)
		trial.rc = cs_err_set(&trial.err, CS_EUNAVAIL, "bubblewrap cannot start: %.300s", why.msg);
	else if (r.status != 0)
		trial.rc = cs_err_set(&trial.err, CS_EUNAVAIL, "bubblewrap does not work on this machine: %.300s",
				      cs_buf_str(&text));
}

int cs_confine_available(cs_err *err)
{
	pthread_once(&trial.once, try_once);
	if (trial.rc < 0)
		return cs_err_set(err, trial.rc, "confine: %s", trial.err.msg);
	return CS_OK;
}

/* ---- paths ---- */

/* The real path of REL below WORKDIR (itself real), malloc'ed. Symbolic links may not lead out of
 * it, nor into .capstan. */
static int inside(const char *workdir, const char *rel, char **ret, cs_err *err)
{
	char real[PATH_MAX];
	size_t n = strlen(workdir);
	if (*rel == '\0' || *rel == '/')
		return cs_err_set(err, CS_EINVAL, "confine: \"%.200s\" must be a path below the workspace", rel);
	char *joined CS_AUTOFREE = cs_xasprintf("%s/%s", workdir, rel);
	if (!realpath(joined, real))
		return cs_err_set(err, CS_EINVAL, "confine: %.200s is not there; make it in the workspace", rel);
	bool below = strncmp(real, workdir, n) == 0 && (real[n] == '/' || real[n] == '\0');
	const char *rest = real + n;
	if (!below || strcmp(rest, "/.capstan") == 0 || strncmp(rest, "/.capstan/", 10) == 0)
		return cs_err_set(err, CS_EINVAL, "confine: %.200s leads out of the workspace, or into .capstan", rel);
	*ret = cs_xstrdup(real);
	return CS_OK;
}

static int bind_list(cs_args *a, const json_t *list, const char *how, const char *workdir, cs_err *err)
{
	if (list && !json_is_array(list))
		return cs_err_set(err, CS_EINVAL, "confine: read and write are lists of paths");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *rel = json_string_value(json_array_get(list, i));
		char *real CS_AUTOFREE = NULL;
		int rc = rel ? inside(workdir, rel, &real, err)
			     : cs_err_set(err, CS_EINVAL, "confine: read and write are lists of paths");
		if (rc < 0)
			return rc;
		const char *words[] = { how, real, real, NULL };
		add_all(a, words);
	}
	return CS_OK;
}

/* The program's own files, as in `python3 tools/report.py`: visible without being listed. */
static void bind_command(cs_args *a, const json_t *command, const char *workdir)
{
	for (size_t i = 0; i < json_array_size(command); i++) {
		const char *word = json_string_value(json_array_get(command, i));
		char *real CS_AUTOFREE = NULL;
		struct stat st;
		if (!word || inside(workdir, word, &real, NULL) < 0 || stat(real, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		const char *words[] = { "--ro-bind", real, real, NULL };
		add_all(a, words);
	}
}

static int bind_listed(cs_args *a, const json_t *shell, const json_t *command, const char *workdir, cs_err *err)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(system_paths); i++) {
		const char *words[] = { "--ro-bind-try", system_paths[i], system_paths[i], NULL };
		add_all(a, words);
	}
	const char *room[] = { "--tmpfs", "/tmp", "--dir", workdir, NULL };
	add_all(a, room);
	bind_command(a, command, workdir);
	int rc = bind_list(a, json_object_get(shell, "read"), "--ro-bind", workdir, err);
	return rc < 0 ? rc : bind_list(a, json_object_get(shell, "write"), "--bind", workdir, err);
}

int cs_confine(const json_t *shell, const json_t *command, const char *workdir, cs_args *out, cs_err *err)
{
	static const char *const first[] = {
		"bwrap", "--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session", NULL,
	};
	const char *network = cs_json_str(shell, "network");
	char real[PATH_MAX];
	struct stat st;
	if (json_object_get(shell, "network") && (!network || strcmp(network, "none") != 0))
		return cs_err_set(err, CS_EINVAL, "confine: network is none, or is left out");
	if (!realpath(workdir, real))
		return cs_err_set(err, CS_EINVAL, "confine: the workspace %.200s is not there", workdir);
	int rc = cs_confine_available(err);
	if (rc < 0)
		return rc;
	add_all(out, first);
	if (network)
		cs_args_add(out, "--unshare-net");
	if (json_object_get(shell, "read") || json_object_get(shell, "write")) {
		rc = bind_listed(out, shell, command, real, err);
	} else {
		const char *words[] = { "--bind", "/", "/", NULL };
		add_all(out, words);
	}
	char *state CS_AUTOFREE = cs_xasprintf("%s/.capstan", real);
	const char *last[] = { "--tmpfs", state, "--proc", "/proc", "--dev", "/dev", "--chdir", real, "--", NULL };
	add_all(out, stat(state, &st) == 0 ? last : last + 2);
	if (rc == CS_OK && out->full)
		return cs_err_set(err, CS_ETOOBIG, "confine: too many paths, at most about 100");
	return rc;
}
