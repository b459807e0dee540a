/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands share: the table's row, parsed arguments, the session (workspace, reader,
 * client), and the ways out for text and JSON. */
#ifndef CS_CLI_CLI_PRIV_H
#define CS_CLI_CLI_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/i18n.h"
#include "base/id.h"
#include "base/json.h"
#include "cli/cli.h"
#include "engine/engine.h"
#include "flow/workspace.h"
#include "view/view.h"

enum { CS_EXIT_DONE = 0, CS_EXIT_FAILED = 1, CS_EXIT_USAGE = 2, CS_EXIT_NOT_FOUND = 3, CS_EXIT_REFUSED = 4,
       CS_EXIT_UNAVAILABLE = 5, CS_EXIT_EXPIRED = 75, CS_EXIT_INTERRUPTED = 130 };

/* A clock that is due within this is waited out; a later one fires when an engine next runs. */
#define CS_CLI_CLOCK_MS 60000
/* The most that is read from stdin or a file of the operator's. */
#define CS_CLI_INPUT ((size_t)1 << 20)

/* ---- the table ------------------------------------------------------------------------------- */

typedef struct cs_cli cs_cli;
typedef struct cs_cli_args cs_cli_args;

typedef struct cs_cli_flag {
	const char *name;            /* "--note" */
	const char *value;           /* what its value is, for the help; NULL: it has none */
	const char *help;            /* N_() */
} cs_cli_flag;

typedef struct cs_cli_command {
	const char *name;
	const char *synopsis;        /* what follows the name */
	const char *help;            /* N_(): one line */
	int (*run)(cs_cli *c, const cs_cli_args *a);   /* the exit status */
	const cs_cli_flag *flags;        /* ended by a NULL name; NULL: none */
	int min, max;                /* words beside the flags; max -1: any number */
	const char *more;            /* N_(): paragraphs for `help COMMAND`; NULL: none */
} cs_cli_command;

extern const cs_cli_command cs_cli_commands[];      /* ended by a NULL name */
/* Words that DESIGN's table has and this version does not, ended by NULL. */
extern const char *const cs_cli_commands_later[];
const cs_cli_command *cs_cli_command_find(const char *name);

/* ---- arguments ------------------------------------------------------------------------------- */

struct cs_cli_args {
	const cs_cli_command *command;
	const char **words;
	size_t n_words;
	struct { const cs_cli_flag *flag; const char *value; } *given;
	size_t n_given;
	bool help;
};

/* Parses what follows the command's name; takes -C and --json out for the session. CS_EINVAL. */
int cs_cli_args_parse(cs_cli_args *a, cs_cli *c, const cs_cli_command *command, int argc, char **argv, cs_err *err);
void cs_cli_args_fini(cs_cli_args *a);
/* The flag's value, the last when repeated; "" for a flag without one; NULL when it was not given. */
const char *cs_cli_arg(const cs_cli_args *a, const char *flag);
/* Each value of a repeated flag: *at starts at 0. NULL after the last. */
const char *cs_cli_arg_each(const cs_cli_args *a, const char *flag, size_t *at);

/* ---- the session ----------------------------------------------------------------------------- */

struct cs_cli {
	const cs_cli_opts *opts;
	const char *where;           /* -C */
	bool json;
	char *dir, *state_dir;       /* of the workspace; NULL until it is looked for */
	bool loaded;                 /* tried to */
	cs_workspace *ws;            /* NULL: not loaded, not loadable, or handed to the engine */
	cs_diags diags;
	cs_err load_err;
	char *name, *actor;
	cs_reader *reader;
	cs_client *client;
	int signals;                 /* signalfd; -1: none */
	bool watch;                  /* an engine of ours takes changed files by itself */
	bool interrupted;
	char **shown;                /* strings given out by cs_cli_show */
	size_t n_shown, cap_shown;
	cs_idgen ids;
};

/* Finds the workspace. CS_ENOTFOUND names `capstan init`. */
int cs_cli_dir(cs_cli *c, cs_err *err);
/* Loads it as far as it goes (broken flows are left out), once. */
int cs_cli_load(cs_cli *c, cs_err *err);
/* Opens the database for reading. *ret NULL: there is none yet. */
int cs_cli_reader(cs_cli *c, cs_err *err);
/* Attaches to the engine, or starts one. Signals to end are from here on taken by cs_cli_wait. */
int cs_cli_client(cs_cli *c, cs_err *err);
/* The same, with signals left as they are. */
int cs_cli_client_for_console(cs_cli *c, cs_err *err);
/* Another client in place of ours, whose engine is gone. */
int cs_cli_reopen(cs_cli *c, cs_err *err);
/* Lets go; an engine of our own ends. */
void cs_cli_close(cs_cli *c);
/* One request with the operator as its actor; takes REQUEST over. When the engine went away before
 * it took the request, another is found. */
int cs_cli_call(cs_cli *c, json_t *request, json_t **ret_ok, cs_err *err);
/* Waits until something was committed, at most timeout_ms. False: the operator wants to end. An
 * engine that went away is replaced. */
int cs_cli_wait(cs_cli *c, int timeout_ms, cs_err *err);   /* CS_OK, CS_EAGAIN: a signal to end */

int cs_cli_find_run(cs_cli *c, const char *part, char ret[CS_ID_SIZE], cs_err *err);
int cs_cli_find_item(cs_cli *c, const char *part, char ret[CS_ID_SIZE], cs_err *err);
/* Rows of a query with one text parameter (NULL: none). */
int cs_cli_query(cs_cli *c, const char *sql, const char *param, json_t **ret_rows, cs_err *err);
/* What a clock starts next, soonest first: [{schedule, at, due}]; empty without a database. */
int cs_cli_schedules(cs_cli *c, json_t **ret, cs_err *err);
/* Do the files that are loaded have a schedule by cron or interval? */
bool cs_cli_has_schedules(const cs_cli *c);
/* Whether `capstan live` was said on this machine. False where there is no database yet. */
bool cs_cli_machine_is_live(cs_cli *c);
/* What to say where capstan.yaml wishes it and nobody said it; through _(). */
extern const char cs_cli_live_unsaid[];
/* Why nothing real leaves from here though nothing is held, with what comes next, through _(); NULL: it may. */
const char *cs_cli_not_live(cs_cli *c);

/* ---- driving a run --------------------------------------------------------------------------- */

enum {
	CS_DRIVE_QUIET = 1,          /* no progress on stderr */
	CS_DRIVE_NEWS = 2,           /* only what happens from now on */
	CS_DRIVE_CLOCKS = 4,         /* also through retries of the flow that another's engine makes soon */
	CS_DRIVE_MANY = 8,           /* one of many: when its clock rings is not said */
};
/* Follows RUN until it rests: it has ended, is paused, or waits for a person or a clock that is not
 * due soon. *ret_run (may be NULL) is the view's object with `items`. CS_EAGAIN: the operator
 * ended the wait. */
int cs_cli_drive(cs_cli *c, const char *run, unsigned how, json_t **ret_run, cs_err *err);
/* With an engine of our own: drives it on until it rests, and says what it waits for. Another's
 * engine does so by itself. The exit status. */
int cs_cli_drive_on(cs_cli *c, const char *run);
/* What was held goes out now: an engine of our own sends it before it lets go. The exit status. */
int cs_cli_drive_held(cs_cli *c);
/* What a run that rests without an end waits for, with the exact next commands, to stderr. */
void cs_cli_say_waiting(cs_cli *c, const json_t *run);
/* False also where it cannot be read. */
bool cs_cli_all_held(cs_cli *c);
/* 0 completed or waiting, 1 faulted or cancelled. */
int cs_cli_run_status(const json_t *run);

/* ---- ways out -------------------------------------------------------------------------------- */

/* S made safe for a terminal, on one line; lives as long as the session. NULL gives "". */
const char *cs_cli_show(cs_cli *c, const char *s);
/* A JSON value on one line, a string as its text; cut at COLS columns with an ellipsis (0: not). */
const char *cs_cli_show_json(cs_cli *c, const json_t *v, int cols);
/* What the operator changed in RUN, the view's object, a line each. */
void cs_cli_print_changes(cs_cli *c, const json_t *run);
/* Several lines, newlines kept, to F with INDENT before each. */
void cs_cli_print_block(FILE *f, const char *text, const char *indent);
/* S in COLS columns, cut or filled; S has been made safe. */
void cs_cli_print_cell(FILE *f, const char *s, int cols);
/* One line of compact JSON on stdout. */
void cs_cli_print_json(const json_t *v);
/* The elements of ARRAY, a line each. */
void cs_cli_print_json_lines(const json_t *array);
/* "4m" since an RFC 3339 time, "" for null. */
const char *cs_cli_show_age(cs_cli *c, const json_t *time);
const char *cs_cli_show_money(cs_cli *c, int64_t micro);
const char *cs_cli_short_id(const char *id);         /* its end: unique enough to be typed */

/* `capstan: WHAT: why` on stderr; the exit status for ERR. */
int cs_cli_fail(cs_cli *c, const char *what, const cs_err *err);
/* Findings about the operator's files on stderr. */
void cs_cli_print_diags(const cs_diags *d, FILE *f);
/* The same in F, each with the line that it stands in and a caret under the place. DIR: what the
 * names of the files are relative to; NULL: the folder that one is in. */
void cs_cli_print_findings(const char *dir, const cs_diags *d, FILE *f);
/* Everything in the workspace's folder, its expressions too. CS_OK with findings in D. */
int cs_cli_check_all(cs_cli *c, cs_diags *d, cs_err *err);

/* ---- values the operator gives --------------------------------------------------------------- */

/* JSON, @FILE or - (stdin). CS_EINVAL with the place of what does not parse. */
int cs_cli_input(const char *text, json_t **ret, cs_err *err);
/* PATH=VALUE… of FLAG, or of --set: an array of {path, value} in *ret, empty when none was given. */
int cs_cli_pairs(const cs_cli_args *a, const char *flag, json_t **ret, cs_err *err);
int cs_cli_sets(const cs_cli_args *a, json_t **ret, cs_err *err);
/* Everything on stdin, at most CS_CLI_INPUT. */
int cs_cli_stdin(cs_buf *out, cs_err *err);
/* The flow in FILE, for an engine: its document. Findings are printed; CS_ESYNTAX then. */
int cs_cli_flow_file(cs_cli *c, const char *path, json_t **ret_doc, cs_err *err);
/* The same of the file that --flow names, with the workspace loaded for it; *RET_DOC stays where it is not said. */
int cs_cli_flow_said(cs_cli *c, const cs_cli_args *a, json_t **ret_doc, cs_err *err);

/* What is most of a passphrase or a secret that is read here. */
#define CS_CLI_SECRET ((size_t)16 << 10)
/* From the terminal, without an echo; for cs_secret_free. CS_EINVAL without a terminal, CS_EREFUSED after Ctrl-C. */
int cs_cli_ask_secret(const char *prompt, char **ret, cs_err *err);
/* All that FD has, without one end of line. */
int cs_cli_read_secret(int fd, char **ret, cs_err *err);
/* The vault's passphrase, from --passphrase-fd or the terminal; asked for TWICE where it is new. */
int cs_cli_passphrase(const cs_cli_args *a, bool twice, char **ret, cs_err *err);
/* Warns of secrets that the file at PATH, or those of the workspace, name and the vault has not. */
void cs_cli_check_secrets(const char *state_dir, const char *path, const char *shown, cs_diags *d);
void cs_cli_check_all_secrets(const cs_cli *c, cs_diags *d);

/* What the words of A name, into RUNS, an object by id: runs; or, where the verb is one for faults, items of
 * the inbox, each of which is every run that waits there for the same cause. A word that names none is told;
 * the exit status of the first such. */
int cs_cli_runs_of(cs_cli *c, const cs_cli_args *a, json_t *runs);
/* What is done to one run, an exit status: BATCH is the name of what is done to several at once, else NULL. */
typedef int cs_cli_run_fn(cs_cli *c, const cs_cli_args *a, const json_t *request, const char *run, const char *batch);
/* Before RUN is retried: REQUEST gets `seen`, to which the engine holds it. CS_EREFUSED where the effect that it would
 * send once more is there already, without --word repeat. */
int cs_cli_may_retry(cs_cli *c, const cs_cli_args *a, const char *run, json_t *request, cs_err *err);
/* Does ONE to each of RUNS; one that cannot be is taken out of RUNS, alone. STATUS, or the first of ONE's that is not done. */
int cs_cli_each_run(cs_cli *c, const cs_cli_args *a, json_t *runs, cs_cli_run_fn *one, const json_t *request, int status);

/* ---- commands -------------------------------------------------------------------------------- */

#define CS_COMMAND(name) int cs_cmd_##name(cs_cli *c, const cs_cli_args *a)
CS_COMMAND(init); CS_COMMAND(check); CS_COMMAND(run); CS_COMMAND(serve); CS_COMMAND(live);
CS_COMMAND(runs); CS_COMMAND(show); CS_COMMAND(trace); CS_COMMAND(why); CS_COMMAND(inbox);
CS_COMMAND(decide); CS_COMMAND(resolve); CS_COMMAND(control); CS_COMMAND(replay); CS_COMMAND(diff);
CS_COMMAND(hold); CS_COMMAND(release); CS_COMMAND(ask); CS_COMMAND(verify); CS_COMMAND(rebuild);
CS_COMMAND(doctor); CS_COMMAND(stats); CS_COMMAND(console); CS_COMMAND(help); CS_COMMAND(completion);
CS_COMMAND(version); CS_COMMAND(test); CS_COMMAND(new); CS_COMMAND(reload); CS_COMMAND(emit);
CS_COMMAND(vault); CS_COMMAND(connectors); CS_COMMAND(correct); CS_COMMAND(backup); CS_COMMAND(restore); CS_COMMAND(export); CS_COMMAND(import); CS_COMMAND(archive);

extern const cs_cli_flag cs_cli_flags_run[], cs_cli_flags_trace[], cs_cli_flags_inbox[], cs_cli_flags_decide[], cs_cli_flags_snooze[],
	cs_cli_flags_delegate[], cs_cli_flags_respond[], cs_cli_flags_resolve[], cs_cli_flags_control[], cs_cli_flags_retry[], cs_cli_flags_rollback[], cs_cli_flags_replay[], cs_cli_flags_hold[], cs_cli_flags_correct[],
	cs_cli_flags_ask[], cs_cli_flags_emit[], cs_cli_flags_rebuild[], cs_cli_flags_console[], cs_cli_flags_init[], cs_cli_flags_runs[],
	cs_cli_flags_check[], cs_cli_flags_test[], cs_cli_flags_new[], cs_cli_flags_vault[], cs_cli_flags_live[], cs_cli_flags_backup[], cs_cli_flags_restore[],
	cs_cli_flags_export[], cs_cli_flags_import[], cs_cli_flags_archive[];
/* The overview of `capstan help`. */
void cs_cli_help_all(FILE *f);
void cs_cli_help_one(FILE *f, const cs_cli_command *command);

#endif
