/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An operator's folder, loaded and checked: capstan.yaml, flows, agents, connectors, policies,
 * fixtures, runbooks. Immutable once loaded; a reload makes a new one. */
#ifndef CS_FLOW_WORKSPACE_H
#define CS_FLOW_WORKSPACE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/hash.h"
#include "flow/diag.h"
#include "flow/flow.h"
#include "flow/function.h"
#include "flow/hours.h"

#define CS_SUB_DEPTH 16               /* flows that run flows, at most so deep */

/* What becomes of the occurrences that came due while no engine ran. */
typedef enum cs_missed { CS_MISSED_LATEST, CS_MISSED_SKIP, CS_MISSED_ALL } cs_missed;

/* One entry of flows.NAME.starts: by exactly one of on, cron, every. */
typedef struct cs_start {
	cs_event_filter *on;           /* what an event must be; NULL */
	char *cron;                    /* five fields; NULL */
	cs_cron when;                  /* the same, read */
	int64_t every_ms;              /* 0: none */
	cs_missed missed;              /* cron, every */
	cs_template *with;             /* the run's input: of `on`, with `.` the event; else a constant. NULL: the event's data; {} */
	cs_template *once;             /* on: the business value, `.` the event; NULL: none */
	char digest[CS_HEX_SIZE];      /* of the entry as it stands: what it was is told from what it is */
} cs_start;

/* Which runs of a flow may not go on beside each other. */
typedef enum cs_alone { CS_ALONE_NONE, CS_ALONE_SUBJECT, CS_ALONE_FLOW } cs_alone;

typedef struct cs_flow_settings {      /* flows.NAME of capstan.yaml */
	char *flow;
	cs_template *subject;          /* `$start` is the input; NULL: none */
	bool compensate;               /* on-fault: what was done is taken back; else it is kept */
	cs_alone alone;                /* one-at-a-time */
	unsigned concurrent;           /* 0: as many as come */
	bool background;               /* lane */
	cs_start *starts; size_t n_starts;
} cs_flow_settings;

typedef struct cs_workspace {
	char *dir;                     /* absolute */
	char *name, *operator_name, *timezone;
	cs_zone *zone;                 /* of that name; NULL: this machine has no time zones, and nothing starts by cron */
	cs_hours *hours;               /* working hours; NULL: none are said */
	bool live_wish;                /* mode: live in the file */
	unsigned snapshot_every;       /* retention.snapshot-every, default 200: events of a run between two snapshots; 0: none */
	int64_t archive_ms;            /* retention.archive, default 30 days: what `capstan archive` leaves in the database */
	int64_t grace_ms;              /* approvals.grace, default 30 s */
	int64_t expire_ms;             /* approvals.expire; 0: never */
	unsigned workers, mailbox;     /* engine: */
	cs_flow **flows; size_t n_flows;
	cs_function **functions; size_t n_functions;      /* agents and operations, sorted by name */
	const char **callables;        /* their names and those of the built-ins, NULL-terminated */
	json_t *connectors;            /* name -> document */
	json_t *policies;              /* array of documents, in file-name order */
	json_t *fixtures;              /* array of documents */
	char **runbooks;               /* names of the files in runbooks/, NULL-terminated; NULL: not looked at */
	json_t *scenarios;             /* {"scenarios/x.yaml": document}, in file-name order */
	json_t *settings;              /* capstan.yaml as it stands */
	json_t *files;                 /* path below dir -> SHA-256 of its bytes, of every file read */
	cs_exprset *exprs;             /* of the settings */
	cs_places places;              /* where those stand, for check */
	cs_flow_settings *flow_settings; size_t n_flow_settings;
} cs_workspace;

/* Nearest folder upward from FROM (NULL: here) with a capstan.yaml; malloc'ed. CS_ENOTFOUND names `capstan init`. */
int cs_workspace_find(const char *from, char **ret, cs_err *err);
/* Loads everything; findings go to D. CS_EINVAL when there are errors (nothing is returned), unless
 * LENIENT, where what did load is returned and the broken files are left out. D->ask
 * gathers the expressions of the broken ones too. */
int cs_workspace_load(const char *dir, bool lenient, cs_diags *d, cs_workspace **ret, cs_err *err);
void cs_workspace_free(cs_workspace *w);
/* Has jq compile every expression that is not plain: what a load leaves out, because it takes some
 * 20 ms a file. Findings go to D; negative when jq cannot be asked. */
int cs_workspace_check_expressions(const cs_workspace *w, cs_jq_pool *pool, cs_diags *d, cs_err *err);
/* NAME, NAMESPACE/NAME, NAME:VERSION, NAMESPACE/NAME:VERSION; without a version the highest. NULL: none,
 * or the name stands in two namespaces. Borrowed. */
const cs_flow *cs_workspace_flow(const cs_workspace *w, const char *name);
/* What capstan.yaml says of the flow of that name; NULL: nothing. Borrowed. */
const cs_flow_settings *cs_workspace_flow_settings(const cs_workspace *w, const char *name);
/* Roles, operations, built-ins, http. Borrowed. */
const cs_function *cs_workspace_function(const cs_workspace *w, const char *name);
bool cs_workspace_callable(void *w, const char *name);
/* A cs_catalog_fn over a workspace: catalogs are folders below it, laid out as the standard's own
 * (functions/NAME/VERSION/function.yaml). CS_ENOTFOUND, CS_EREFUSED for a file outside. */
int cs_workspace_catalog(void *w, const char *full, const char *endpoint, const char *name, const char *version,
			 json_t **ret, cs_source **ret_src, cs_err *err);
/* A cs_resource_fn over a workspace: files below it, at most 256 KiB of UTF-8. */
int cs_workspace_resource(void *w, const char *uri, char **ret, cs_err *err);
/* The flow that S names, NULL where W has none of that version. Borrowed. */
const cs_flow *cs_workspace_sub(const cs_workspace *w, const cs_sub *s);
/* One file by its kind, which its own keys say, for `check FILE` and `run FILE`. Findings go to D and
 * give CS_EINVAL; *ret_flow (may be NULL) is set when it is a flow without errors: a reference. */
int cs_workspace_check_file(const cs_workspace *w /* NULL: without one */, const char *path, cs_diags *d, cs_flow **ret_flow, cs_err *err);
/* A runbook's text, malloc'ed; NULL: none of that name. */
char *cs_workspace_runbook(const cs_workspace *w, const char *name);

#endif
