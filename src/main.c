/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program above all floors: builds the performers, hands them to the engine as a table, and
 * starts the command line, which starts the console. */
#include "config.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agents/fixture.h"
#include "agents/rules.h"
#include "agents/shell.h"
#include "agents/text.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "connectors/http.h"
#include "flow/jq_pool.h"
#include "net/http.h"
#include "tui/console.h"
#include "tui/live.h"

static void set_locale(void)
{
	/* A locale that is not installed leaves "C", which is good enough to go on with. */
	(void)setlocale(LC_ALL, "");
	(void)setlocale(LC_NUMERIC, "C");      /* numbers are JSON's */
	(void)bindtextdomain(CS_TEXT_DOMAIN, CS_LOCALEDIR);
	(void)bind_textdomain_codeset(CS_TEXT_DOMAIN, "UTF-8");
	(void)textdomain(CS_TEXT_DOMAIN);
}

/* ---- the scripted answers, which come with the workspace ----------------------------------------- */

static int load_fixtures(void *ctx, const json_t *docs, cs_err *err)
{
	return cs_fixtures_replace(ctx, docs, err);
}

static void fixture_used(void *ctx, const char *run, const char *function, size_t answer)
{
	cs_fixtures_used(ctx, run, function, answer);
}

static void forget_run(void *ctx, const char *run)
{
	cs_fixtures_forget(ctx, run);
}

static bool has_fixture(void *ctx, const char *function)
{
	return cs_fixtures_has(ctx, function);
}

static cs_fixture_port fixture_port(cs_fixtures *f)
{
	return (cs_fixture_port){ .ctx = f, .load = load_fixtures, .used = fixture_used, .forget = forget_run, .has = has_fixture };
}

/* ---- the console --------------------------------------------------------------------------------- */

static int show_console(void *ctx, const cs_cli_facts *facts, cs_client *client, cs_err *err)
{
	(void)ctx;
	cs_source source;
	const cs_live_opts live = { .dir = facts->dir, .workspace = facts->name, .mode = facts->mode, .actor = facts->actor,
				    .reopen = facts->reopen, .ctx = facts->ctx };
	int r = cs_live_open(&live, client, &source, err);
	if (r < 0)
		return r;
	const cs_console_opts opts = { .engine_inside = cs_client_is_engine(client), .workspace_dir = facts->dir,
				       .hand_over = facts->hand_over };
	r = facts->plain ? cs_console_plain(&source, &opts, err) : cs_console_run(&source, &opts, err);
	cs_live_close(&source);
	return r;
}

int main(int argc, char **argv)
{
	/* Our own child, not a command: before the locale, which it can neither read nor needs. */
	if (argc == 2 && strcmp(argv[1], "jq-worker") == 0)
		return cs_jq_worker_main();
	cs_mem_strict();
	set_locale();
	/* A reader that goes away is an error of the write, not the end of the engine. */
	(void)signal(SIGPIPE, SIG_IGN);
	CS_AUTOJSON json_t *none = json_array();
	cs_fixtures *fixtures = NULL;
	if (cs_fixtures_new(none, &fixtures, NULL) < 0)
		abort();
	cs_rules *rules = cs_rules_new();
	cs_http *http = cs_http_new();
	const cs_performer performers[] = {
		cs_http_performer(http), cs_shell_performer(), cs_rules_performer(rules), cs_text_performer(),
		cs_fixtures_performer(fixtures),
	};
	const cs_engine_opts engine = { .fixtures = fixture_port(fixtures), .performers = performers,
					.n_performers = CS_ARRAY_LEN(performers), .exe = "/proc/self/exe", .version = PACKAGE_VERSION };
	const cs_cli_opts opts = { .engine = &engine, .console = show_console };
	int status = cs_cli_main(argc, argv, &opts);
	cs_http_free(http);
	cs_rules_free(rules);
	cs_fixtures_free(fixtures);
	return status;
}
