/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify and rebuild: the log, and the tables made from it. */
#include <string.h>

#include "cli/cli_priv.h"
#include "engine/lease.h"

const cs_cli_flag cs_cli_flags_rebuild[] = { { "--check", NULL, N_("only print the rows that differ") }, { NULL, NULL, NULL } };

static json_t *report_json(const cs_verify_report *v)
{
	return json_pack("{s:b, s:I, s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:s, s:s, s:I, s:I}", "clean", v->finding[0] == '\0', "events", (json_int_t)v->events,
			 "head", v->head, "bodies", (json_int_t)v->bodies, "anchor_seq", (json_int_t)v->anchor_seq, "checkpoints",
			 (json_int_t)v->checkpoints, "signed_seq", (json_int_t)v->signed_seq, "signer", v->signer, "first_bad", (json_int_t)v->first_bad, "finding", v->finding, "cannot", v->cannot ? v->cannot : "", "archived", (json_int_t)v->archived,
			 "segments", (json_int_t)v->segments);
}

int cs_cmd_verify(cs_cli *c, const cs_cli_args *a)
{
	(void)a;
	cs_verify_report v = { 0 };
	cs_err err = { 0 };
	int r = cs_cli_dir(c, &err);
	if (r == CS_OK)
		r = cs_store_verify(c->state_dir, &v, &err);
	if (r < 0)
		return cs_cli_fail(c, "verify", &err);
	int status = v.finding[0] ? CS_EXIT_FAILED : CS_EXIT_DONE;
	if (c->json) {
		CS_AUTOJSON json_t *report = report_json(&v);
		cs_cli_print_json(report);
		return status;
	}
	if (v.finding[0])
		printf(_("NOT clean, from event %lld on: %s\n"), (long long)v.first_bad, cs_cli_show(c, v.finding));
	else
		printf(_("clean: %lld events, %lld bodies, head %s, anchored at %lld\n"), (long long)v.events, (long long)v.bodies, v.head,
		       (long long)v.anchor_seq);
	if (v.segments > 0 && !v.finding[0])
		printf(_("archived: events 1 to %lld, in %lld segments\n"), (long long)v.archived, (long long)v.segments);
	if (v.checkpoints > 0 && !v.finding[0])
		printf(_("signed: %lld checkpoints, the last at %lld, by %s\n"), (long long)v.checkpoints, (long long)v.signed_seq, v.signer);
	if (v.cannot)
		printf("%s\n", cs_cli_show(c, v.cannot));
	return status;
}

static int print_difference(void *ctx, const json_t *row)
{
	size_t *n = ctx;
	++*n;
	cs_cli_print_json(row);
	return 0;
}

static int check(cs_cli *c)
{
	size_t differing = 0;
	cs_err err = { 0 };
	int r = cs_store_rebuild_check(c->state_dir, print_difference, &differing, &err);
	if (r < 0)
		return cs_cli_fail(c, "rebuild", &err);
	return differing > 0 ? CS_EXIT_FAILED : CS_EXIT_DONE;
}

static void release(cs_lease **l)
{
	cs_lease_release(*l);
}

static void close_store(cs_store **s)
{
	cs_store_close(*s);
}

static int replace(cs_cli *c)
{
	CS_CLEANUP(release) cs_lease *lease = NULL;
	CS_CLEANUP(close_store) cs_store *store = NULL;
	int64_t epoch;
	cs_err err = { 0 };
	int r = cs_lease_take(c->state_dir, &lease, &err);
	if (r == CS_OK)
		r = cs_store_open(c->state_dir, false, &store, &err);
	if (r == CS_OK)
		r = cs_store_claim_epoch(store, &epoch, &err);
	if (r == CS_OK)
		r = cs_store_rebuild(store, &err);
	if (r < 0)
		return cs_cli_fail(c, "rebuild", &err);
	if (!c->json)
		puts(_("the tables are made again from the log"));
	return CS_EXIT_DONE;
}

int cs_cmd_rebuild(cs_cli *c, const cs_cli_args *a)
{
	cs_err err = { 0 };
	int r = cs_cli_reader(c, &err);
	if (r == CS_OK && !c->reader)
		r = cs_err_set(&err, CS_ENOTFOUND, _("there is no database yet: nothing has run in this workspace"));
	if (r < 0)
		return cs_cli_fail(c, "rebuild", &err);
	return cs_cli_arg(a, "--check") ? check(c) : replace(c);
}
