/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan reload, and what `serve` does by itself when files have changed. */
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli_priv.h"

enum { QUIET_MS = 200, LATEST_MS = 800 };

static const char *const folders[] = { ".", "flows", "agents", "connectors", "policies", "fixtures", "scenarios" };

/* Folders that are not there yet are looked for again at each reload. */
static void watch_folders(cs_cli *c)
{
	for (size_t i = 0; i < CS_ARRAY_LEN(folders); i++) {
		CS_AUTOFREE char *path = cs_path_join(c->dir, folders[i]);
		(void)inotify_add_watch(c->files, path, IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR);
	}
}

void cs_cli_watch_files(cs_cli *c)
{
	if (c->files < 0)
		c->files = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (c->files >= 0)
		watch_folders(c);
}

/* A definition, or one of the folders that hold them. What else lies there is no file of ours. */
static bool is_ours(const struct inotify_event *e)
{
	size_t len = e->len > 0 ? strlen(e->name) : 0;
	if (e->mask & IN_Q_OVERFLOW)
		return true;
	for (size_t i = 0; (e->mask & IN_ISDIR) && len > 0 && i < CS_ARRAY_LEN(folders); i++)
		if (strcmp(folders[i], e->name) == 0)
			return true;
	return len > 5 && e->name[0] != '.' && strcmp(e->name + len - 5, ".yaml") == 0;
}

bool cs_cli_files_changed(cs_cli *c)
{
	char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool changed = false;
	for (ssize_t n; c->files >= 0 && (n = read(c->files, bytes, sizeof bytes)) > 0; ) {
		for (const char *p = bytes; p < bytes + n; ) {
			const struct inotify_event *e = (const void *)p;
			changed |= is_ours(e);
			p += sizeof *e + e->len;
		}
	}
	return changed;
}

/* Whoever writes several files is let finish, but not for ever. */
static int await_quiet(cs_cli *c, cs_err *err)
{
	int64_t began = cs_clock_mono_ns() / 1000000, quiet = began + QUIET_MS, now = began;
	int r = CS_OK;
	while (r == CS_OK && now < quiet && now < began + LATEST_MS) {
		r = cs_cli_wait(c, (int)(quiet - now), err);
		now = cs_clock_mono_ns() / 1000000;
		if (cs_cli_files_changed(c))
			quiet = now + QUIET_MS;
	}
	return r;
}

static int take_files(cs_cli *c, json_t **ret_ok, cs_err *err)
{
	return cs_cli_call(c, json_pack("{s:s}", "cmd", "reload"), ret_ok, err);
}

int cs_cli_take_changes(cs_cli *c, cs_err *err)
{
	CS_AUTOJSON json_t *ok = NULL;
	cs_err why = { 0 };
	int r = await_quiet(c, err);
	if (r < 0)
		return r;
	watch_folders(c);
	if (take_files(c, &ok, &why) == CS_OK)
		fprintf(stderr, "files taken\n");
	else
		fprintf(stderr, "files not taken: %s\n", cs_cli_show(c, why.msg));
	return CS_OK;
}

int cs_cmd_reload(cs_cli *c, const cs_cli_args *a)
{
	(void)a;
	CS_AUTOJSON json_t *ok = NULL;
	cs_diags d;
	cs_err err = { 0 };
	int r = cs_cli_dir(c, &err);
	if (r < 0)
		return cs_cli_fail(c, "reload", &err);
	cs_diags_init(&d);
	r = cs_cli_check_all(c, &d, &err);
	if (d.errors > 0) {
		cs_cli_print_findings(c->dir, &d, stderr);
		cs_err_set(&err, CS_EINVAL, _("the files have findings; nothing was changed"));
	}
	bool broken = r < 0 || d.errors > 0;
	cs_diags_fini(&d);
	if (broken) {
		(void)cs_cli_fail(c, "reload", &err);
		return CS_EXIT_FAILED;
	}
	r = cs_cli_client(c, &err);
	if (r == CS_OK)
		r = take_files(c, &ok, &err);
	if (r < 0)
		return cs_cli_fail(c, "reload", &err);
	if (c->json)
		cs_cli_print_json(ok);
	else
		puts(_("the files are taken; what runs already keeps the flow and the agents it began with"));
	return CS_EXIT_DONE;
}
