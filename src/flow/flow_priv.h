/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The compiler of a flow, from the inside: one cs_build walks the document once, top down, and
 * fills the table of tasks. Each room compiles one part of the language and reports what it finds
 * at the cursor; nothing stops at the first finding. */
#ifndef CS_FLOW_FLOW_PRIV_H
#define CS_FLOW_FLOW_PRIV_H

#include "flow/check.h"
#include "flow/flow.h"

#define CS_BUILD_VARS 128        /* for and try nest at most as deep as the document */
#define CS_BUILD_CALLS 16        /* functions that call functions */
#define CS_BUILD_TASKS 20000     /* with the bodies of functions, each as often as it is called */

enum { CS_SECRETS_FLOW = -1, CS_SECRETS_NONE = -2 };

typedef struct cs_mention {      /* `$tasks.NAME` in an expression */
	char *name;
	unsigned line, col;
} cs_mention;

typedef struct cs_build {
	cs_flow *f;
	cs_check c;
	const cs_source *src;              /* the flow's own file */
	int cap_tasks;
	cs_callable_fn *callable;
	cs_names_fn *names, *runbooks;
	cs_function_fn *function;
	void *ctx;
	const char *vars[CS_BUILD_VARS];   /* of the for and catch around, borrowed */
	size_t n_vars, first_var;          /* a function's body does not see those before first_var */
	bool loose;                        /* evaluate.mode */
	bool event_only;                   /* outside of a flow: an expression sees the event, and no variable */
	cs_catalog_fn *catalog;
	cs_resource_fn *resource;
	bool verbatim;                     /* `code` in what is compiled now is a program's text */
	const json_t *functions[CS_BUILD_CALLS];   /* whose bodies are being compiled, outermost first */
	size_t n_functions, first_function;        /* an extension's tasks are in none of those before first_function */
	bool in_extension;                 /* what is compiled now is itself extended by nothing */
	bool again;                        /* and was compiled before, for another task: its findings are known */
	bool *extensions_seen;             /* by index: compiled at least once; NULL: there are none */
	const char *ref_base;              /* in a function's body: the reference that stands for the path of */
	size_t ref_skip;                   /* that many bytes; NULL: references are paths */
	cs_mention *mentions;
	size_t n_mentions, cap_mentions;
	int secrets_for;                   /* whose secrets the template being compiled may name: a row, CS_SECRETS_FLOW, CS_SECRETS_NONE */
	bool secrets_in_input;             /* it is `input.from` */
} cs_build;

/* The tasks among which a `then` may choose. */
typedef struct cs_siblings {
	const int *ids;
	int n;
	const int *by_name;                /* the ids, sorted by name */
	bool branches;                     /* of a fork: they have no order to choose in */
} cs_siblings;

/* flow_list.c: compiles the list under the cursor as children of PARENT (-1: the flow's own), and
 * resolves where `then` leads. WHAT names the list in messages. */
void cs_build_list(cs_build *b, json_t *list, int parent, bool handler, bool branches, const char *what,
		   int **ret_ids, int *ret_n);
/* A new row of the table, the INDEXth child of PARENT; its reference is where the cursor stands. */
int cs_build_row(cs_build *b, const char *name, json_t *def, int parent, int index);
/* The definition under the cursor as the one child of PARENT. */
void cs_build_only(cs_build *b, const char *name, json_t *def, int parent);
int cs_build_then(cs_build *b, json_t *obj, const cs_siblings *sibs);
/* The sibling of that name; CS_THEN_CONTINUE: there is none. */
int cs_build_sibling(const cs_build *b, const cs_siblings *sibs, const char *name);
/* Where the cursor stands, as a task's reference. New text. */
char *cs_build_reference(const cs_build *b);
/* NAME as one part of a JSON pointer. New text. */
char *cs_pointer_part(const char *name);

/* flow_reach.c: warns of each task of a compiled list that the run never comes to; of a switch, the cases that
 * are never taken, and a `then` that is never followed. */
void cs_build_warn_unreachable(cs_build *b, const int *ids, int n);
void cs_build_warn_cases(cs_build *b, const cs_task *t, json_t *def);

/* flow_task.c: one task; its row in the table is there, its name and place are set. */
void cs_build_task(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
/* The word that says what kind of task DEF is; NULL: none does. */
const char *cs_build_keyword(const json_t *def);

/* flow_extension.c: one task with the extensions that are for it around it: row ID stays in the list
 * and becomes the outermost of them. */
void cs_build_extended(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
/* use.extensions by itself, before any task; the cursor is on `use`. */
void cs_build_use_extensions(cs_build *b, const json_t *use);
/* An extension that is for no task was not compiled: said when all tasks are. */
void cs_build_check_extensions(cs_build *b);

/* flow_value.c: templates, schemas, and the three places where data is shaped. The cursor stands on
 * the object that holds KEY; *ret stays NULL when there is no such key or it was reported. */
void cs_build_template(cs_build *b, const json_t *value, int mode, cs_template **ret);
/* MODE, for a value of which the language says that any of it may be an expression. */
int cs_build_mode(const cs_build *b, int mode);
void cs_build_template_key(cs_build *b, const json_t *obj, const char *key, int mode, cs_template **ret);
void cs_build_schema_key(cs_build *b, const json_t *obj, cs_schema **ret);
/* `input` {schema, from}, `output` {schema, as}, `export` {schema, as} at KEY of OBJ. */
void cs_build_shape(cs_build *b, const json_t *obj, const char *key, const char *expression,
		    cs_schema **ret_schema, cs_template **ret_template);
/* Is NAME fit for a variable of its own? Reported when not. */
bool cs_build_variable(cs_build *b, const json_t *obj, const char *key, const char *otherwise, char **ret);
bool cs_is_variable_name(const char *s);     /* letters, digits and _, no digit first */
bool cs_build_enter(cs_build *b, const char *var);
void cs_build_leave(cs_build *b, size_t n);

/* flow_names.c: what `$tasks` is asked for; held against the names when all are known. */
void cs_build_mentions(cs_build *b, const char *source, const char *pointer);
void cs_build_check_mentions(cs_build *b);
void cs_build_fini(cs_build *b);

/* One function for each kind of task: fills row ID from DEF. Never keep a cs_task pointer over
 * cs_build_list: the table moves. */
void cs_build_do(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_set(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_switch(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_for(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_fork(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_try(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_raise(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_emit(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_run(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_call(cs_build *b, int id, json_t *def, const cs_siblings *sibs);

/* flow_time.c: wait, and `timeout` of a task or of the flow. */
void cs_build_wait(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_build_timeout(cs_build *b, const json_t *obj, cs_template **ret);

/* flow_function.c: `call` of a function of `use.functions` or of a catalog: its task is compiled as the
 * body of row ID, with `with` as its input. False: NAME is neither. */
bool cs_build_function(cs_build *b, int id, json_t *def);
/* use.functions and use.catalogs, each by itself; the cursor is on `use`. */
void cs_build_use_functions(cs_build *b, const json_t *use);

/* flow_call.c: WITH of an http call, as the body of row ID; the cursor is on it. */
void cs_build_http_arguments(cs_build *b, int id, json_t *with);
/* flow_arguments.c: holds WITH, on which the cursor stands, against SCHEMA, compiled from DOCUMENT, of what NAME
 * calls: what is written out, also beside expressions; of what is required, that none is missing. */
void cs_build_check_arguments(cs_build *b, const char *name, const json_t *with, const cs_schema *schema, const json_t *document);
/* flow_run.c: the text of the file at URI (`file:`), kept with the flow; NULL after a report at the cursor. WHAT is
 * what it is of. Borrowed. */
json_t *cs_build_resource(cs_build *b, const char *uri, const char *what);
/* flow_openapi.c: row ID reads the document and calls the operation. */
void cs_build_openapi(cs_build *b, int id, json_t *def);

/* flow_secret.c: from here on templates may name secrets for OWNER (a row, CS_SECRETS_FLOW, CS_SECRETS_NONE);
 * what it was before. */
int cs_build_secrets_for(cs_build *b, int owner);
/* The secrets that E names, at POINTER of the template; what is wrong with them is reported. */
void cs_build_secrets(cs_build *b, const cs_expr *e, const char *pointer);
/* `use.secrets` has NAME. */
bool cs_build_secret_listed(cs_build *b, const char *name);
/* OWNER is granted DOTTED. */
void cs_build_grant(cs_build *b, int owner, const char *dotted);

/* flow_auth.c: the policy at `authentication` of OBJ, written out or by name, as row ID's own. */
void cs_build_authentication(cs_build *b, const json_t *obj, int id);
/* use.authentications and use.secrets; the cursor is on `use`. */
void cs_build_use_authentications(cs_build *b, const json_t *use);

/* flow_listen.c: listen, with its strategies, filters and foreach. */
void cs_build_listen(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
void cs_listen_free(cs_listen *l);               /* takes NULL */
/* The attributes of a filter, WITH, the cursor on them; the whole strategy at KEY of OBJ, into L. */
void cs_build_event_with(cs_build *b, cs_event_filter *f, json_t *with);
void cs_build_listen_to(cs_build *b, cs_listen *l, const json_t *obj, const char *key);

/* flow_schedule.c: `schedule` of the document; flow_schedule_on.c: its `on` and `read`, the cursor on it. */
void cs_build_schedule(cs_build *b, const json_t *doc);
void cs_build_schedule_on(cs_build *b, cs_flow_schedule *s, const json_t *schedule);
void cs_flow_schedule_free(cs_flow_schedule *s);     /* takes NULL */
void cs_sub_free(cs_sub *s);                     /* flow_run.c; takes NULL */

/* flow_use.c: checks `use`; a definition of use.SECTION by name with the cursor moved onto it, or
 * NULL after a report at the cursor. *ret_saved is handed to cs_use_done. */
void cs_build_use(cs_build *b, json_t *doc);
json_t *cs_use_find(cs_build *b, const char *section, const char *name, cs_check *ret_saved);
void cs_use_done(cs_build *b, const cs_check *saved);
/* An error's definition and a retry policy, under the cursor. */
bool cs_check_error_definition(cs_build *b, const json_t *v);
void cs_build_retry(cs_build *b, const json_t *v, cs_catch *k);

/* flow_metadata.c: metadata.ask and metadata.effect of a task. */
void cs_build_metadata(cs_build *b, int id, json_t *def, const cs_siblings *sibs);
/* `back` and `rounds` of OBJ, on which the cursor stands, as what an answer to row ID leads to. */
void cs_build_back(cs_build *b, int id, const json_t *obj, const cs_siblings *sibs);
/* `runbook` of OBJ names a file that is there. */
void cs_build_runbook(cs_build *b, const json_t *obj);

/* function_builtin.c: the arguments of a built-in, literal where they are; the cursor is on `with`. */
void cs_builtin_check(cs_check *c, const char *name, const json_t *with);
/* `allow` of OBJ: a list of accept, edit, respond, reject. */
void cs_check_allow(cs_check *c, const json_t *obj);

#endif
