/* SPDX-License-Identifier: GPL-3.0-or-later */
/* archive: old events go from the database into segments, a segment a request. */
#include <string.h>

#include "cli/cli_priv.h"

const cs_cli_flag cs_cli_flags_archive[] = {
	{ "--older-than", "DURATION", N_("what is older (P30D, or what capstan.yaml says as retention.archive)") },
	{ NULL, NULL, NULL },
};

typedef struct totals {
	int64_t segments, events, pruned, bodies, bytes, raw, database, free, last;
} totals;

static double mib(int64_t bytes)
{
	return (double)bytes / (1 << 20);
}

static void add(totals *t, const json_t *step)
{
	int64_t first = cs_json_int_or(step, "first", 0), last = cs_json_int_or(step, "last", 0);
	t->database = cs_json_int_or(step, "database", 0);
	t->free = cs_json_int_or(step, "free", 0);
	if (first == 0)
		return;
	t->segments++;
	t->last = last;
	t->events += last - first + 1;
	t->pruned += cs_json_int_or(step, "pruned", 0);
	t->bodies += cs_json_int_or(step, "bodies", 0);
	t->bytes += cs_json_int_or(step, "bytes", 0);
	t->raw += cs_json_int_or(step, "raw", 0);
}

static void say_step(cs_cli *c, const json_t *step)
{
	fprintf(stderr, _("%s: events %lld to %lld, %.1f MiB in %.1f, read back; %lld of them left the database\n"),
		cs_cli_show(c, cs_json_str_or(step, "file", "")), (long long)cs_json_int_or(step, "first", 0),
		(long long)cs_json_int_or(step, "last", 0), mib(cs_json_int_or(step, "raw", 0)), mib(cs_json_int_or(step, "bytes", 0)),
		(long long)cs_json_int_or(step, "pruned", 0));
}

/* Ctrl-C between two segments leaves what was done done. */
static int archive_all(cs_cli *c, int64_t older, totals *t, cs_err *err)
{
	for (bool more = true; more; ) {
		CS_AUTOJSON json_t *step = NULL;
		json_t *request = json_pack("{s:s}", "cmd", "archive");
		if (older >= 0)
			json_object_set_new(request, "older", json_integer(older));
		int r = cs_cli_call(c, request, &step, err);
		if (r < 0)
			return r;
		add(t, step);
		more = cs_json_true(step, "more");
		if (cs_json_int_or(step, "first", 0) > 0 && !c->json)
			say_step(c, step);
		if (more && cs_cli_wait(c, 0, err) == CS_EAGAIN)
			return CS_EAGAIN;
	}
	return CS_OK;
}

static void print_totals(cs_cli *c, const totals *t)
{
	if (c->json) {
		CS_AUTOJSON json_t *v = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "segments", (json_int_t)t->segments, "events",
						  (json_int_t)t->events, "pruned", (json_int_t)t->pruned, "bodies", (json_int_t)t->bodies, "bytes",
						  (json_int_t)t->bytes, "raw", (json_int_t)t->raw, "database", (json_int_t)t->database, "free",
						  (json_int_t)t->free);
		cs_cli_print_json(v);
		return;
	}
	if (t->segments == 0)
		puts(_("there is nothing to archive: no run that is over is so old"));
	else
		printf(_("archived up to event %lld: %lld segments, %.1f MiB; %lld events and %lld bodies left the database\n"), (long long)t->last,
		       (long long)t->segments, mib(t->bytes), (long long)t->pruned, (long long)t->bodies);
	printf(_("the database has %.1f MiB, of which %.1f are free for the log to grow into\n"), mib(t->database), mib(t->free));
}

int cs_cmd_archive(cs_cli *c, const cs_cli_args *a)
{
	const char *text = cs_cli_arg(a, "--older-than");
	int64_t older = -1;
	totals t = { .segments = 0 };
	cs_err err = { 0 };
	int r = CS_OK;
	if (text && cs_duration_parse(text, &older, NULL) < 0)
		r = cs_err_set(&err, CS_EINVAL, _("--older-than %.80s: give a duration, like P30D or PT12H"), text);
	if (r == CS_OK)
		r = cs_cli_client(c, &err);
	if (r == CS_OK)
		r = archive_all(c, older, &t, &err);
	if (r < 0 && r != CS_EAGAIN)
		return cs_cli_fail(c, "archive", &err);
	print_totals(c, &t);
	return r == CS_EAGAIN ? CS_EXIT_INTERRUPTED : CS_EXIT_DONE;
}
