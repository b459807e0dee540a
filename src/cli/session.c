/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One command's hold on a workspace: its folder, its files, its database, its engine. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli_priv.h"
#include "engine/incarnation.h"
#include "engine/lease.h"

#define ATTEMPTS 30           /* engines that went away before they took the request */

int cs_cli_dir(cs_cli *c, cs_err *err)
{
	if (c->dir)
		return CS_OK;
	int r = cs_workspace_find(c->where, &c->dir, err);
	if (r == CS_OK)
		c->state_dir = cs_path_join(c->dir, CS_STATE_DIR);
	return r;
}

/* A broken flow only means that this flow cannot be started. A broken policy, agent or connector
 * would change what the others do: then no engine starts. */
static bool only_flows(const cs_diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (!d->items[i].warning && strncmp(d->items[i].file, "flows/", 6) != 0 &&
		    strncmp(d->items[i].file, "scenarios/", 10) != 0)      /* no run knows of them */
			return false;
	return true;
}

static int load(cs_cli *c, cs_err *err)
{
	cs_diags_fini(&c->diags);
	cs_diags_init(&c->diags);
	int r = cs_workspace_load(c->dir, true, &c->diags, &c->ws, err);
	if (r < 0)
		return r;
	if (!c->actor) {
		c->name = cs_xstrdup(c->ws->name);
		c->actor = cs_xasprintf("operator:%s", c->ws->operator_name ? c->ws->operator_name : "owner");
	}
	if (only_flows(&c->diags))
		return CS_OK;
	cs_workspace_free(c->ws);
	c->ws = NULL;
	return cs_err_set(err, CS_ESYNTAX, _("%s has findings, and no engine starts on it; mend them, `capstan check` lists them"),
			  c->dir);
}

int cs_cli_load(cs_cli *c, cs_err *err)
{
	if (!c->loaded || (!c->ws && c->load_err.code == CS_OK)) {
		c->loaded = true;
		c->load_err.code = load(c, &c->load_err);
	}
	if (c->load_err.code < 0 && err)
		*err = c->load_err;
	return c->load_err.code;
}

static bool is_older(const cs_cli *c)
{
	int64_t format;
	return cs_store_format(c->state_dir, &format, NULL) == CS_OK && format < CS_STORE_VERSION;
}

static void release(cs_lease **l)
{
	cs_lease_release(*l);
}

/* A database of an earlier release: nobody else has it, or that one is of that release too, and is named. */
static int bring_up_to_date(const cs_cli *c, cs_err *err)
{
	CS_CLEANUP(release) cs_lease *lease = NULL;
	cs_store *s = NULL;
	int r = cs_lease_take(c->state_dir, &lease, err);
	if (r == CS_OK)
		r = cs_store_open(c->state_dir, false, &s, err);
	if (r < 0)
		return r;
	cs_store_close(s);
	fprintf(stderr, _("capstan: the database of an earlier release was brought up to date (format %d)\n"), CS_STORE_VERSION);
	return CS_OK;
}

int cs_cli_reader(cs_cli *c, cs_err *err)
{
	int r = cs_cli_dir(c, err);
	if (r < 0 || c->reader)
		return r;
	r = cs_reader_open(c->state_dir, &c->reader, err);
	if (r == CS_EUNAVAIL && is_older(c) && (r = bring_up_to_date(c, err)) == CS_OK)
		r = cs_reader_open(c->state_dir, &c->reader, err);
	if (r == CS_OK || r == CS_ENOTFOUND)
		return CS_OK;
	if (err)                         /* whatever is wrong with it: the store cannot be had */
		err->code = CS_EUNAVAIL;
	return CS_EUNAVAIL;
}

/* ---- the engine ------------------------------------------------------------------------------ */

static int give_workspace(void *ctx, cs_workspace **ret, cs_err *err)
{
	cs_cli *c = ctx;
	int r = cs_cli_load(c, err);
	if (r < 0) {
		cs_cli_print_diags(&c->diags, stderr);
		return r;
	}
	*ret = CS_STEAL(c->ws);
	return CS_OK;
}

/* From here on a signal to end is something to wait for: an engine of ours must end in order. */
static int take_signals(cs_cli *c, cs_err *err)
{
	if (c->signals >= 0)
		return CS_OK;
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	c->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->signals < 0 ? cs_err_sys(err, errno, "cannot wait for signals") : CS_OK;
}

/* A second signal ends the program at once. */
static void give_signals_back(cs_cli *c)
{
	sigset_t none;
	if (c->signals < 0)
		return;
	close(c->signals);
	c->signals = -1;
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static int open_client(cs_cli *c, cs_err *err)
{
	cs_engine_opts engine = *c->opts->engine;
	engine.watch = c->watch;
	int r = cs_client_open(c->dir, 0, &engine, give_workspace, c, &c->client, err);
	if (r < 0)
		return r;
	/* The engine may just have made the database. */
	return cs_cli_reader(c, err);
}

int cs_cli_client(cs_cli *c, cs_err *err)
{
	if (c->client)
		return CS_OK;
	int r = cs_cli_dir(c, err);
	if (r < 0)
		return r;
	(void)cs_cli_load(c, NULL);      /* who acts; that it is broken matters only to an engine of our own */
	r = take_signals(c, err);
	return r < 0 ? r : open_client(c, err);
}

int cs_cli_client_for_console(cs_cli *c, cs_err *err)
{
	return c->client ? CS_OK : open_client(c, err);
}

static int find_another(cs_cli *c, cs_err *err)
{
	cs_client_close(CS_STEAL(c->client));
	return open_client(c, err);
}

/* Asked twice these are as asked once, so that an engine which went away without an answer is no
 * reason to bother the operator. */
static bool may_repeat(const json_t *request)
{
	static const char *const cmds[] = { "decide", "hold", "live", "settle", "status" };
	if (strcmp(cs_json_str_or(json_object_get(request, "decision"), "verb", ""), "edit") == 0)
		return false;
	for (size_t i = 0; i < CS_ARRAY_LEN(cmds); i++)
		if (strcmp(cmds[i], cs_json_str_or(request, "cmd", "")) == 0)
			return true;
	return cs_json_str(request, "key") != NULL;
}

int cs_cli_reopen(cs_cli *c, cs_err *err)
{
	return find_another(c, err);
}

int cs_cli_call(cs_cli *c, json_t *request, json_t **ret_ok, cs_err *err)
{
	CS_AUTOJSON json_t *mine = request;
	json_object_set_new(mine, "actor", json_string(c->actor ? c->actor : "operator:owner"));
	int r = CS_OK;
	for (int i = 0; i < ATTEMPTS; i++) {
		CS_AUTOJSON json_t *copy = json_copy(mine);     /* it is taken over, and may be needed again */
		r = cs_client_call(c->client, CS_STEAL(copy), -1, ret_ok, err);
		if (cs_client_is_engine(c->client) || !(r == CS_EUNAVAIL || (r == CS_EIO && may_repeat(mine))))
			return r;
		cs_err again = { 0 };
		if (find_another(c, &again) < 0) {
			*err = again;
			return again.code;
		}
	}
	return r;
}

/* Takes all messages; CS_EUNAVAIL when an engine of our own has failed. */
static int drain(cs_cli *c, cs_err *err)
{
	for (;;) {
		CS_AUTOJSON json_t *m = NULL;
		int r = cs_client_next(c->client, 0, &m, err);
		if (r == CS_EAGAIN)
			return CS_OK;
		const char *gone = r == CS_OK ? cs_json_str(m, "gone") : err->msg;
		if (!gone)
			continue;
		if (cs_client_is_engine(c->client))
			return cs_err_set(err, CS_EUNAVAIL, _("the engine has stopped: %s"), gone);
		return find_another(c, err);
	}
}

int cs_cli_wait(cs_cli *c, int timeout_ms, cs_err *err)
{
	int r = take_signals(c, err);
	if (r < 0)
		return r;
	struct pollfd p[2] = {
		{ .fd = c->signals, .events = POLLIN },
		{ .fd = c->client ? cs_client_fd(c->client) : -1, .events = POLLIN },
	};
	if (poll(p, 2, timeout_ms) < 0 && errno != EINTR)
		return cs_err_sys(err, errno, "waiting");
	struct signalfd_siginfo got;
	if (p[0].revents && read(c->signals, &got, sizeof got) == (ssize_t)sizeof got) {
		c->interrupted = true;
		return cs_err_set(err, CS_EAGAIN, _("ended by a signal"));
	}
	return c->client ? drain(c, err) : CS_OK;
}

void cs_cli_close(cs_cli *c)
{
	give_signals_back(c);
	cs_client_close(c->client);
	cs_reader_close(c->reader);
	cs_workspace_free(c->ws);
	cs_diags_fini(&c->diags);
	for (size_t i = 0; i < c->n_shown; i++)
		free(c->shown[i]);
	free(c->shown);
	free(c->dir);
	free(c->state_dir);
	free(c->name);
	free(c->actor);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int need_reader(cs_cli *c, const char *what, const char *part, cs_err *err)
{
	int r = cs_cli_reader(c, err);
	if (r == CS_OK && !c->reader)
		return cs_err_set(err, CS_ENOTFOUND, _("there is no %s %s: nothing has run in this workspace yet"), what, part);
	return r;
}

int cs_cli_find_run(cs_cli *c, const char *part, char ret[CS_ID_SIZE], cs_err *err)
{
	int r = need_reader(c, "run", part, err);
	return r < 0 ? r : cs_reader_find_run(c->reader, part, ret, err);
}

int cs_cli_find_item(cs_cli *c, const char *part, char ret[CS_ID_SIZE], cs_err *err)
{
	int r = need_reader(c, "item", part, err);
	return r < 0 ? r : cs_reader_find_item(c->reader, part, ret, err);
}

int cs_cli_query(cs_cli *c, const char *sql, const char *param, json_t **ret_rows, cs_err *err)
{
	CS_AUTOJSON json_t *params = json_array();
	if (param)
		json_array_append_new(params, json_string(param));
	return cs_reader_query(c->reader, sql, params, ret_rows, err);
}

const char cs_cli_live_unsaid[] = N_("capstan.yaml says `mode: live`, but nobody said `capstan live` on this machine: runs are simulated, "
				     "nothing leaves");

bool cs_cli_machine_is_live(cs_cli *c)
{
	CS_AUTOJSON json_t *rows = NULL;
	char machine[CS_HEX_SIZE], place[CS_HEX_SIZE];
	if (cs_cli_reader(c, NULL) != CS_OK || !c->reader ||
	    cs_cli_query(c, "SELECT value, (SELECT value FROM setting WHERE name = 'place') AS place FROM setting WHERE name = 'live'", NULL,
			 &rows, NULL) != CS_OK || cs_incarnation_place(c->state_dir, place, NULL) != CS_OK)
		return false;
	cs_engine_machine(machine);
	const json_t *row = json_array_get(rows, 0);
	return strstr(cs_json_str_or(row, "value", ""), machine) != NULL && strcmp(cs_json_str_or(row, "place", place), place) == 0;
}

const char *cs_cli_not_live(cs_cli *c)
{
	if (cs_cli_dir(c, NULL) < 0)
		return NULL;
	if (cs_cli_load(c, NULL) == CS_OK && c->ws && !c->ws->live_wish)
		return N_("`mode: live` in capstan.yaml, and `capstan live`");
	return cs_cli_machine_is_live(c) ? NULL : N_("this machine to be the live one; next: capstan live");
}
