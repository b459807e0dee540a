/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A compiled flow: an Open Workflow DSL 1.0.3 document as a table of tasks with their
 * expressions and schemas. Immutable, refcounted, usable by several threads.
 * Source: dsl-reference.md of open-workflow-specification/specification at 4d42471. */
#ifndef CS_FLOW_FLOW_H
#define CS_FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/regex.h"
#include "flow/cron.h"
#include "flow/diag.h"
#include "flow/error.h"
#include "flow/expr.h"
#include "flow/places.h"
#include "flow/schema.h"
#include "flow/template.h"
#include "flow/yaml.h"

typedef enum cs_task_kind {
	CS_TASK_DO, CS_TASK_SET, CS_TASK_SWITCH, CS_TASK_FOR, CS_TASK_FORK, CS_TASK_TRY,
	CS_TASK_RAISE, CS_TASK_EMIT, CS_TASK_CALL, CS_TASK_WAIT, CS_TASK_LISTEN, CS_TASK_RUN,
} cs_task_kind;
const char *cs_task_kind_name(cs_task_kind k);

/* Where `then` leads. */
enum { CS_THEN_CONTINUE = -1, CS_THEN_EXIT = -2, CS_THEN_END = -3 };   /* >= 0: a task's id, a sibling */

typedef struct cs_switch_case {
	char *name;
	cs_template *when;        /* NULL: the default case */
	int then;
} cs_switch_case;

/* One `catch` of a try. */
typedef struct cs_catch {
	cs_template *with;        /* errors.with: members that must be equal; NULL: every error */
	cs_template *when, *except_when;
	char *as;                 /* the variable, "error" by default */
	int then;
	bool has_retry;
	unsigned retry_attempts;  /* limit.attempt.count; 0: no limit said */
	int64_t retry_delay_ms, retry_for_ms;   /* limit.duration; 0: none */
	unsigned retry_backoff;   /* 0 constant, 1 linear, 2 exponential */
	int64_t jitter_from_ms, jitter_to_ms;
	cs_template *retry_when, *retry_except_when;
} cs_catch;

/* What one attribute of an event must be. */
typedef struct cs_event_want {
	char *name;
	cs_template *value;
	const json_t *literal;    /* the value where it holds no expression; borrowed; NULL: it does */
	cs_regex *pattern;        /* of a literal text that is one; NULL */
} cs_event_want;

typedef struct cs_correlation {
	char *name;
	cs_template *from, *expect;   /* expect NULL: what the first event gives */
} cs_correlation;

typedef struct cs_event_filter {
	cs_event_want *wants; int n_wants;
	cs_correlation *keys; int n_keys;
} cs_event_filter;

typedef enum cs_listen_how { CS_LISTEN_ONE, CS_LISTEN_ANY, CS_LISTEN_ALL } cs_listen_how;
typedef struct cs_strategy {
	cs_listen_how how;
	cs_event_filter *filters; int n_filters;   /* ANY without filters: every event */
} cs_strategy;

typedef enum cs_listen_read { CS_READ_DATA, CS_READ_ENVELOPE, CS_READ_RAW } cs_listen_read;

/* What a listen task is about. */
typedef struct cs_listen {
	cs_strategy to;
	cs_strategy *until_events;   /* ANY: the events that end it; NULL */
	cs_template *until;          /* ANY: the condition that ends it; NULL */
	cs_listen_read read;
	bool each;                   /* there is a foreach */
	cs_schema *item_schema, *context_schema;   /* its output.schema, export.schema */
	cs_template *item_as, *context_as;         /* its output.as, export.as */
} cs_listen;

/* `schedule`: what starts the flow by itself. Each as far as it is said. */
typedef struct cs_flow_schedule {
	char *cron;                  /* five fields; NULL: none */
	cs_cron when;                /* the same, read */
	int64_t every_ms, after_ms;  /* 0: none; `after` counts from the end of the run before */
	cs_listen *on;               /* to, until and read are its; NULL: none */
} cs_flow_schedule;

/* What a task starts as a run of its own: another flow, or a process that is not awaited. */
typedef struct cs_sub {
	char *ns, *name, *version;   /* the flow; version may be "latest"; name NULL: MADE */
	struct cs_flow *made;        /* the process as a flow of one task, whose input is the task's body */
	bool await;
	bool silent;                 /* return: none */
} cs_sub;

/* What a task is to an extension. */
typedef enum cs_task_role {
	CS_ROLE_PLAIN,
	CS_ROLE_EXTENSION,        /* stands around the task that it extends: [before,] that task [, after] */
	CS_ROLE_BEFORE, CS_ROLE_AFTER,   /* the lists of an extension, each one sequence */
} cs_task_role;

typedef struct cs_task {
	int id, parent;           /* index into flow->tasks; parent -1: in the flow's own `do` */
	int index;                /* position among the siblings */
	cs_task_kind kind;
	char *name, *ref;         /* ref: "/do/0/name", "/do/1/t/try/0/x", "/do/2/f/fork/branches/0/b", "/do/3/l/do/0/x", "…/catch/do/0/h", "/do/4/n/foreach/do/0/y",
				   * "REF/extensions/EXT", "REF/extensions/EXT/before/0/z" */
	char *place;              /* pointer of def within the flow's file; NULL: it stands in a catalog */
	json_t *def;              /* the task's definition; borrowed from the flow's document */
	char hash[65];            /* canonical digest of def */
	int *children, n_children;   /* DO, FOR, TRY, LISTEN: the sequence; FORK: the branches; DO with a body: a function's task */
	int *handler, n_handler;     /* TRY: catch.do */
	bool in_handler;          /* this task is a child of its parent's catch.do */
	cs_task_role role;
	int extended;             /* EXTENSION, and all that is in its lists: the task that it is about; else -1 */
	int wrapper;              /* the outermost EXTENSION around this task, which it stands in for among its siblings; -1: none */
	cs_template *cond;        /* if */
	cs_schema *input_schema, *output_schema, *export_schema;
	cs_template *input_from, *output_as, *export_as;
	int then;                 /* the task's own directive */
	cs_template *timeout;     /* timeout.after, a duration; NULL: none */
	cs_template *body;        /* WAIT: the duration; SET: the value; RAISE: the error; EMIT: event.with; CALL: with (http: whole
				   * with; without one: {}); DO: what goes into the function */
	cs_switch_case *cases; int n_cases;
	char *each, *at;          /* FOR, LISTEN: "item", "index" by default */
	cs_template *in, *loop_while;
	bool compete;             /* FORK */
	cs_catch *catch;          /* TRY */
	cs_listen *listen;        /* LISTEN */
	cs_sub *sub;              /* RUN; its body is the input, NULL: {} */
	char *call;               /* CALL: function name */
	cs_template *authentication;   /* CALL: {SCHEME: {…}}, never part of body; NULL: none */
	char *secret;             /* the secret that is all of that policy, {SCHEME: {use: NAME}}; NULL: none */
	cs_template *ask_title;   /* metadata.ask.title, or NULL */
	json_t *secrets;          /* owned set of names, NAME or NAME.MEMBER, that this task names itself; NULL: none */
	bool returned_to;         /* some sibling's ask_back leads here */
	int ask_back;             /* CALL: the sibling that an answer goes back to (`back`); -1: none */
	json_t *metadata;         /* borrowed, or NULL; ask (flow/ask.h) and effect are checked */
} cs_task;

typedef struct cs_flow {
	char *ns, *name, *version;
	char hash[65];            /* canonical digest of the document */
	json_t *def;
	json_t *cataloged;        /* "NAME:VERSION@CATALOG" -> the function's document; NULL: none is called */
	json_t *made;             /* definitions of tasks that stand in no document; NULL: there are none */
	cs_task *tasks; int n_tasks;
	json_t *secrets;          /* all secrets that are named, as in cs_task; NULL: none */
	json_t *granted;          /* those of `input.from`, which every task may pass on; NULL: none */
	int n_listens, n_subs;    /* how many of them listen, start runs */
	json_t *resources;        /* URI -> text of the scripts that stand in files; NULL: none does */
	int *roots, n_roots;      /* the flow's `do` */
	int *by_ref;              /* n_tasks ids, sorted by ref */
	cs_schema *input_schema, *output_schema;
	cs_template *input_from, *output_as, *timeout;
	cs_flow_schedule *schedule;   /* NULL: none */
	cs_exprset *exprs;
	cs_places places;         /* of the expressions, for check */
	int refs;
} cs_flow;

void cs_event_filter_fini(cs_event_filter *f);

/* Does NAME name something callable? For the check of `call`. The built-ins and http are known
 * without being asked for. */
typedef bool cs_callable_fn(void *ctx, const char *name);
/* The names that are callable, NULL-terminated, for a suggestion. */
typedef const char *const *cs_names_fn(void *ctx);

/* The document of the function NAME:VERSION in the catalog at ENDPOINT (its URI): a new reference, and its
 * source (may stay NULL). What is wrong goes to ERR as a sentence. FULL is how the flow calls it. */
typedef int cs_catalog_fn(void *ctx, const char *full, const char *endpoint, const char *name, const char *version,
			  json_t **ret, cs_source **ret_src, cs_err *err);

/* The text at URI (file:…), malloc'ed. What is wrong goes to ERR as a sentence. */
typedef int cs_resource_fn(void *ctx, const char *uri, char **ret, cs_err *err);

/* What NAME calls, with the schema of its arguments; NULL: nothing. Borrowed. */
struct cs_function;
typedef const struct cs_function *cs_function_fn(void *ctx, const char *name);

/* What a flow may name outside of its own document; each may be NULL, and then nothing is held against it. */
typedef struct cs_flow_world {
	cs_callable_fn *callable;
	cs_names_fn *names;
	cs_catalog_fn *catalog;
	cs_function_fn *function;
	cs_names_fn *runbooks;    /* the files in runbooks/ */
	cs_resource_fn *resource;
	void *ctx;
} cs_flow_world;

/* Compiles DOC (kept by reference). What the language has and this version does not obey is an
 * error by name and place. SRC may be NULL (a stored definition). CS_EINVAL: findings are in D. */
int cs_flow_new(json_t *doc, const cs_source *src, cs_callable_fn *callable, void *ctx, cs_diags *d, cs_flow **ret);
int cs_flow_new_in(json_t *doc, const cs_source *src, const cs_flow_world *w, cs_diags *d, cs_flow **ret);
cs_flow *cs_flow_ref(const cs_flow *f);         /* atomic count */
void cs_flow_unref(cs_flow *f);
/* May TASK pass the secret DOTTED on: do it, the tasks around it or the flow's `input.from` name it? */
bool cs_flow_grants(const cs_flow *f, const cs_task *t, const char *dotted);
const cs_task *cs_flow_task(const cs_flow *f, const char *ref);   /* NULL: none */
/* T, or where T is an EXTENSION the task that it extends. */
const cs_task *cs_flow_extended(const cs_flow *f, const cs_task *t);

/* A duration's value: ISO 8601 text, or {days, hours, minutes, seconds, milliseconds}. CS_EINVAL. */
int cs_duration_value(const json_t *v, int64_t *ret_ms, cs_err *err);

#endif
