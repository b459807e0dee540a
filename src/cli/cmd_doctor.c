/* SPDX-License-Identifier: GPL-3.0-or-later */
/* capstan doctor: one line for each thing that can be wrong, with what to do about it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli_priv.h"
#include "engine/lease.h"
#include "engine/seen.h"
#include "engine/server.h"

/* 2024-01-01: a clock before the program was written is wrong. */
#define WALL_MIN_MS 1704067200000

typedef enum verdict { OK, WARN, FAIL } verdict;
static const char *const verdict_words[] = { "ok", "warn", "fail" };

typedef struct doctor {
	cs_cli *c;
	verdict worst;
} doctor;

static void say(doctor *d, verdict v, const char *what, const char *fmt, ...) CS_PRINTF(4, 5);

static void say(doctor *d, verdict v, const char *what, const char *fmt, ...)
{
	cs_err text;
	va_list ap;
	va_start(ap, fmt);
	(void)cs_err_setv(&text, CS_EINVAL, fmt, ap);
	va_end(ap);
	if (v > d->worst)
		d->worst = v;
	if (d->c->json) {
		CS_AUTOJSON json_t *line = json_pack("{s:s, s:s, s:s}", "verdict", verdict_words[v], "what", what, "says", text.msg);
		if (line)
			cs_cli_print_json(line);
		return;
	}
	cs_cli_print_cell(stdout, verdict_words[v], 6);
	cs_cli_print_cell(stdout, what, 12);
	puts(cs_cli_show(d->c, text.msg));
}

/* ---- the machine ------------------------------------------------------------------------------- */

static void look_at_clock(doctor *d)
{
	char now[CS_TIME_SIZE];
	int64_t wall = cs_clock_wall_ms();
	cs_time_format(wall, now);
	if (wall < WALL_MIN_MS)
		say(d, FAIL, "clock", _("it says %s; set it before anything is scheduled"), now);
	else
		say(d, OK, "clock", "%s", now);
}

static bool in_path(const char *name)
{
	const char *path = getenv("PATH");
	for (const char *p = path ? path : "/usr/bin:/bin"; *p; ) {
		size_t len = strcspn(p, ":");
		CS_AUTOFREE char *file = cs_xasprintf("%.*s/%s", (int)len, p, name);
		if (access(file, X_OK) == 0)
			return true;
		p += len + (p[len] == ':');
	}
	return false;
}

static void look_at_tools(doctor *d)
{
	const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
	if (in_path("bwrap"))
		say(d, OK, "bwrap", _("confined shell agents can run"));
	else
		say(d, WARN, "bwrap", _("not found: shell agents that name network, read or write do not start; install bubblewrap"));
	if ((visual && visual[0]) || (editor && editor[0]))
		say(d, OK, "editor", "%s", visual && visual[0] ? visual : editor);
	else
		say(d, WARN, "editor", _("neither VISUAL nor EDITOR is set; the console's e needs one: export EDITOR=nano"));
}

/* ---- the workspace ----------------------------------------------------------------------------- */

static void look_at_mode(doctor *d, const char *path, mode_t want, bool needed)
{
	struct stat st;
	if (lstat(path, &st) < 0) {
		if (needed)
			say(d, FAIL, "files", _("%s is not there; `capstan init` makes it, or it was lost: restore it"), path);
		return;
	}
	if (st.st_uid != geteuid())
		say(d, FAIL, "files", _("%s belongs to another user; run as that user"), path);
	else if ((st.st_mode & 0777 & ~want) != 0)
		say(d, FAIL, "files", _("%s can be used by others (%o): chmod %o %s"), path, st.st_mode & 0777, want, path);
	else
		say(d, OK, "files", "%s %o", path, st.st_mode & 0777);
}

static void look_at_files(doctor *d)
{
	static const struct { const char *name; mode_t mode; bool needed; } names[] = {
		{ "key", 0600, true }, { "capstan.db", 0600, false }, { "capstan.db-wal", 0600, false }, { "anchor", 0600, false }, { "key.pub", 0600, false },
		{ "lock", 0600, false }, { "vault", 0600, false }, { CS_SOCKET_NAME, 0600, false },
	};
	look_at_mode(d, d->c->state_dir, 0700, true);
	for (size_t i = 0; i < CS_ARRAY_LEN(names); i++) {
		CS_AUTOFREE char *path = cs_path_join(d->c->state_dir, names[i].name);
		look_at_mode(d, path, names[i].mode, names[i].needed);
	}
}

static void look_at_definitions(doctor *d)
{
	cs_err err = { 0 };
	int r = cs_cli_load(d->c, &err);
	if (r < 0)
		say(d, FAIL, "check", "%s", err.msg);
	else if (d->c->diags.errors > 0)
		say(d, WARN, "check", P_("%zu finding in the flows; `capstan check` shows it", "%zu findings in the flows; `capstan check` "
		    "shows them", d->c->diags.errors), d->c->diags.errors);
	else
		say(d, OK, "check", _("the files are in order"));
}

static void look_at_live(doctor *d)
{
	if (!d->c->ws)
		return;
	if (!d->c->ws->live_wish)
		say(d, OK, "mode", _("simulate: nothing leaves"));
	else if (cs_cli_machine_is_live(d->c))
		say(d, OK, "mode", _("live: effects leave from this machine"));
	else
		say(d, WARN, "mode", "%s", _(cs_cli_live_unsaid));
}

/* Only one that is live has anything to note. */
static void look_at_seen(doctor *d)
{
	CS_AUTOFREE char *dir = NULL;
	cs_err err = { 0 };
	if (!d->c->ws || !d->c->ws->live_wish)
		return;
	if (cs_seen_folder(&dir, &err) == CS_OK)
		say(d, OK, "put back", _("what was last done from here is noted in %s"), dir);
	else
		say(d, WARN, "put back", _("%s; without it an older .capstan that is put back over itself is not noticed"), err.msg);
}

static void look_at_engine(doctor *d)
{
	pid_t holder = cs_lease_holder(d->c->state_dir);
	cs_client *client = NULL;
	cs_err err = { 0 };
	if (holder == 0) {
		say(d, OK, "engine", _("none runs; a command that needs one starts it"));
		return;
	}
	int r = cs_client_open(d->c->dir, CS_CLIENT_ATTACH, d->c->opts->engine, NULL, NULL, &client, &err);
	if (r < 0)
		say(d, FAIL, "engine", "%s", err.msg);
	else
		say(d, OK, "engine", _("process %ld holds the workspace and answers"), (long)holder);
	cs_client_close(client);
}

static void look_at_database(doctor *d)
{
	CS_AUTOJSON json_t *rows = NULL;
	cs_err err = { 0 };
	int r = cs_cli_reader(d->c, &err);
	if (r == CS_OK && !d->c->reader) {
		say(d, OK, "database", _("none yet; the first run makes it"));
		return;
	}
	if (r == CS_OK)
		r = cs_cli_query(d->c, "SELECT quick_check AS says FROM pragma_quick_check(1)", NULL, &rows, &err);
	const char *says = cs_json_str_or(json_array_get(rows, 0), "says", "");
	if (r < 0)
		say(d, FAIL, "database", "%s", err.msg);
	else if (strcmp(says, "ok") != 0)
		say(d, FAIL, "database", _("%s; stop the engine, copy .capstan away, then look with `capstan verify`"), says);
	else
		say(d, OK, "database", _("%lld events; the pages are sound (the chain: `capstan verify`)"),
		    (long long)cs_reader_last_seq(d->c->reader));
}

typedef struct archive_look {
	doctor *d;
	size_t sound;
} archive_look;

static int look_at_segment(void *ctx, const char *segment, int64_t first, int64_t last, const cs_err *why)
{
	archive_look *l = ctx;
	if (why)
		say(l->d, FAIL, "archive", _("%s, events %lld to %lld: %s"), segment, (long long)first, (long long)last, why->msg);
	else
		l->sound++;
	return 0;
}

/* Each is read whole: what was damaged in the middle of one is found too. */
static void look_at_archive(doctor *d)
{
	archive_look l = { .d = d };
	cs_err err = { 0 };
	if (!d->c->reader)
		return;
	if (cs_reader_segments(d->c->reader, look_at_segment, &l, &err) < 0)
		say(d, FAIL, "archive", "%s", err.msg);
	else if (l.sound > 0)
		say(d, OK, "archive", P_("%zu segment is as it was written", "%zu segments are as they were written", l.sound), l.sound);
}

static void look_at_schedules(doctor *d)
{
	CS_AUTOJSON json_t *list = NULL;
	cs_err err = { 0 };
	size_t i;
	json_t *one;
	if (cs_cli_schedules(d->c, &list, &err) < 0) {
		say(d, FAIL, "schedule", "%s", err.msg);
		return;
	}
	json_array_foreach(list, i, one) {
		const char *name = cs_json_str_or(one, "schedule", ""), *at = cs_json_str_or(one, "at", "");
		if (cs_json_int_or(one, "due", 0) < cs_clock_wall_ms())
			say(d, WARN, "schedule", _("%s was due at %s and waits for an engine: `capstan serve`"), name, at);
		else
			say(d, OK, "schedule", _("%s: next at %s"), name, at);
	}
	if (json_array_size(list) == 0 && cs_cli_has_schedules(d->c))
		say(d, WARN, "schedule", _("nothing is armed yet; an engine counts from when it first runs: `capstan serve`"));
}

/* Before 3.51.3 two connections that checkpoint can lose rows: ours never do, only the writer does. */
static void look_at_sqlite(doctor *d)
{
	CS_AUTOJSON json_t *rows = NULL;
	if (!d->c->reader || cs_cli_query(d->c, "SELECT sqlite_version() AS v", NULL, &rows, NULL) < 0)
		return;
	say(d, OK, "sqlite", _("%s; only the engine checkpoints, so keep other programs from writing to the database"),
	    cs_json_str_or(json_array_get(rows, 0), "v", "?"));
}

int cs_cmd_doctor(cs_cli *c, const cs_cli_args *a)
{
	(void)a;
	doctor d = { .c = c };
	cs_err err = { 0 };
	say(&d, OK, "capstan", "%s, jansson %s", PACKAGE_VERSION, jansson_version_str());
	look_at_clock(&d);
	look_at_tools(&d);
	if (cs_cli_dir(c, &err) < 0) {
		say(&d, WARN, "workspace", "%s", err.msg);
		return CS_EXIT_DONE;
	}
	say(&d, OK, "workspace", "%s", c->dir);
	look_at_files(&d);
	look_at_definitions(&d);
	look_at_live(&d);
	look_at_seen(&d);
	look_at_engine(&d);
	look_at_database(&d);
	look_at_archive(&d);
	look_at_schedules(&d);
	look_at_sqlite(&d);
	return d.worst == FAIL ? CS_EXIT_FAILED : CS_EXIT_DONE;
}
