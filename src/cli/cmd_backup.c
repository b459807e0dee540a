/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backup and restore: the state of a workspace in one file, and back. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli_priv.h"
#include "engine/restore.h"

const cs_cli_flag cs_cli_flags_backup[] = {
	{ "--without-key", NULL, N_("leave the workspace's key out") }, { NULL, NULL, NULL },
};
const cs_cli_flag cs_cli_flags_restore[] = {
	{ "--key-file", "FILE", N_("the workspace's key, where the backup has it not") }, { NULL, NULL, NULL },
};

/* ---- how far it is ------------------------------------------------------------------------- */

enum { QUIET_MS = 1000 };

typedef struct progress {
	int64_t begun, shown;        /* monotonic ns */
	bool line;                   /* there is one, to be ended */
} progress;

static const char *words_of(const char *word)
{
	static const struct {
		const char *word, *says;
	} words[] = {
		{ "copy", N_("copying the database") }, { "check", N_("checking the copy") }, { "write", N_("writing the file") },
		{ "read", N_("reading the file") },
	};
	for (size_t i = 0; i < CS_ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return _(words[i].says);
	return word;
}

/* Only where someone looks on, and only when it takes long. */
static void show_progress(void *ctx, const char *word, int64_t done, int64_t total)
{
	progress *p = ctx;
	int64_t now = cs_clock_mono_ns();
	if (!isatty(STDERR_FILENO) || now - p->begun < QUIET_MS * INT64_C(1000000) || now - p->shown < INT64_C(200000000))
		return;
	p->shown = now;
	p->line = true;
	fprintf(stderr, "\r\033[Kcapstan: %s: %d%%", words_of(word), total > 0 ? (int)(done * 100 / total) : 0);
}

static cs_backup_ear listen_to(progress *p)
{
	*p = (progress){ .begun = cs_clock_mono_ns() };
	return (cs_backup_ear){ .fn = show_progress, .ctx = p };
}

static void end_progress(progress *p)
{
	if (p->line)
		fputs("\r\033[K", stderr);
	p->line = false;
}

/* ---- the commands ---------------------------------------------------------------------------- */

static json_t *backup_json(const char *file, const cs_backup *b)
{
	char at[CS_TIME_SIZE];
	cs_time_format(b->at, at);
	return json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:b, s:b}", "file", file, "at", at, "events", (json_int_t)b->events, "head", b->head,
			 "format", (json_int_t)b->format, "incarnation", (json_int_t)b->incarnation, "bytes", (json_int_t)b->bytes, "key", (int)b->key,
			 "vault", (int)b->vault);
}

int cs_cmd_backup(cs_cli *c, const cs_cli_args *a)
{
	const char *file = a->words[0];
	cs_backup b = { 0 };
	progress p;
	cs_err err = { 0 };
	int r = cs_cli_reader(c, &err);
	if (r == CS_OK && !c->reader)
		r = cs_err_set(&err, CS_ENOTFOUND, _("there is no database yet: nothing has run in this workspace"));
	if (r == CS_OK)
		r = cs_backup_write(c->state_dir, file, !cs_cli_arg(a, "--without-key"), listen_to(&p), &b, &err);
	else
		(void)listen_to(&p);
	end_progress(&p);
	if (r < 0)
		return cs_cli_fail(c, "backup", &err);
	if (c->json) {
		CS_AUTOJSON json_t *report = backup_json(file, &b);
		cs_cli_print_json(report);
		return CS_EXIT_DONE;
	}
	printf(_("%s: %lld events, %lld bytes, checked and read back\n"), cs_cli_show(c, file), (long long)b.events, (long long)b.bytes);
	if (b.key)
		puts(_("it holds the workspace's key: whoever has it can go on in this workspace's name; keep it where only you can read it"));
	else
		puts(_("it does not hold the workspace's key: keep .capstan/key apart, nothing is restored without it"));
	puts(_("it does not hold the workspace's own files (capstan.yaml, flows, agents, connectors, policies, ...): keep them too"));
	return CS_EXIT_DONE;
}

/* Who restores, where the files that say so are there. */
static void find_operator(cs_cli *c, const char *dir)
{
	CS_AUTOFREE char *mark = cs_path_join(dir, "capstan.yaml");
	if (!cs_file_exists(mark))
		return;
	c->where = dir;
	if (cs_cli_dir(c, NULL) == CS_OK)
		(void)cs_cli_load(c, NULL);
}

static void say_restored(cs_cli *c, const char *dir, const cs_restored *r)
{
	CS_AUTOFREE char *mark = cs_path_join(dir, "capstan.yaml");
	printf(_("%s: restored as it was at %s, as incarnation %lld: %lld events, %lld open runs\n"), cs_cli_show(c, dir), r->since,
	       (long long)r->incarnation, (long long)r->backup.events, (long long)r->open);
	puts(_("It starts simulated and held. See that the other does not go on; then `capstan live` where it was live, and\n"
	       "`capstan release`. What it would send of what began before comes into the inbox first."));
	if (!cs_file_exists(mark))
		puts(_("The workspace's own files (capstan.yaml, flows, connectors, ...) are not in a backup: put them there first."));
}

int cs_cmd_restore(cs_cli *c, const cs_cli_args *a)
{
	cs_restored restored = { 0 };
	progress p;
	cs_err err = { 0 };
	cs_backup_ear ear = listen_to(&p);
	int r = CS_OK;
	if (a->n_words < 2)
		r = cs_cli_dir(c, &err);
	CS_AUTOFREE char *dir = cs_xstrdup(a->n_words < 2 ? c->dir : a->words[1]);
	if (r == CS_OK) {
		find_operator(c, dir);
		r = cs_restore(a->words[0], dir, cs_cli_arg(a, "--key-file"), c->actor ? c->actor : "operator:owner", ear, &restored, &err);
	}
	end_progress(&p);
	if (r < 0)
		return cs_cli_fail(c, "restore", &err);
	if (c->json) {
		CS_AUTOJSON json_t *report = backup_json(a->words[0], &restored.backup);
		json_object_set_new(report, "dir", json_string(dir));
		json_object_set_new(report, "since", json_string(restored.since));
		json_object_set_new(report, "incarnation", json_integer((json_int_t)restored.incarnation));
		json_object_set_new(report, "open", json_integer((json_int_t)restored.open));
		cs_cli_print_json(report);
	} else {
		say_restored(c, dir, &restored);
	}
	return CS_EXIT_DONE;
}
