/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a flow's `call` can name: an agent's role, CONNECTOR.OPERATION, a built-in, http. */
#ifndef CS_FLOW_FUNCTION_H
#define CS_FLOW_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "flow/diag.h"
#include "flow/effect_class.h"
#include "flow/places.h"
#include "flow/schema.h"
#include "flow/template.h"
#include "flow/yaml.h"

typedef enum cs_function_kind {
	CS_FUNCTION_BUILTIN,      /* approve ask notify: the engine itself */
	CS_FUNCTION_AGENT,
	CS_FUNCTION_OPERATION,    /* of a connector of kind http */
	CS_FUNCTION_HTTP,         /* `call: http` written out in the flow */
	CS_FUNCTION_PROCESS,      /* `run: shell` and `run: script`: not for `call` */
} cs_function_kind;

typedef struct cs_function {
	cs_function_kind kind;
	char *name;               /* "qualifier", "mail.send", "approve", "http" */
	char *performer;          /* "rules" "shell" "model" "http"; NULL for a built-in */
	char *connector;          /* "mail", or NULL */
	json_t *def;              /* the agent's document or the operation's object, as in the file */
	json_t *connector_def;    /* the connector's document, or NULL */
	char hash[65];            /* canonical digest of def */
	cs_effect_class effect;
	json_t *touches;          /* array of words, never NULL */
	cs_schema *input, *output;           /* NULL: anything */
	int64_t timeout_ms;       /* default 30 s for agents and operations */
	unsigned attempts;        /* technical attempts in all, default 1 */
	int64_t delay_ms, max_delay_ms;      /* before the second attempt */
	unsigned backoff;         /* 0 constant, 1 linear, 2 exponential */
	unsigned jitter_percent;
	cs_places places;         /* of the expressions, for check */
	cs_exprset *exprs;        /* those of the templates below; `.` is the validated input unless said */
	cs_template *card;        /* how a person reads it; a string */
	cs_template *request;     /* http: {method,path,query,headers,as,body} */
	cs_template *fails;       /* `.` is the reply's content */
	cs_template *result;      /* `.` is the reply's content */
	cs_template *reach;       /* {people, money, currency}: the blast radius on the card, or NULL */
	cs_template *once;        /* the business key: what is done once in whatever run; NULL: there is none */
	cs_template *text;        /* kind text: the text that it gives; kind model: its prompt */
	char *keyed_header;       /* effect keyed: the header that carries the key */
	int64_t keyed_window_ms;
	char *probe_call;         /* effect probe: what is asked whether it happened; NULL: nothing */
	cs_template *probe_with;             /* `.` is the input; NULL: {} */
	cs_template *found;                  /* `.` is what that gave; true: it happened, and that is its result */
	char *probe_file; unsigned probe_line, probe_col;         /* as of reverse */
	bool reverse_none;        /* said on the card */
	char *reverse_call;       /* what takes it back; NULL: nothing is declared */
	cs_template *reverse_with;           /* `.` is {input, result}; NULL: {} */
	char *reverse_file; unsigned reverse_line, reverse_col;   /* where that is said, for check; NULL: a stored definition */
} cs_function;

/* From an agent's document or one operation of a connector's. SRC and FILE may be NULL (a stored
 * definition): then findings have no place. CS_EINVAL with findings in D. */
int cs_function_agent(const json_t *doc, const cs_source *src, cs_diags *d, cs_function **ret);
/* The connector's document without its operations. */
int cs_connector_check(const json_t *doc, const cs_source *src, cs_diags *d);
int cs_function_operation(const json_t *connector, const char *operation, const cs_source *src, cs_diags *d, cs_function **ret);
void cs_function_free(cs_function *f);
/* An agent that makes its answer of its input alone: rules and texts. It runs in every mode. */
bool cs_function_computes(const cs_function *f);
/* The built-ins and http: a const table; borrowed, NULL when there is none of that name. */
const cs_function *cs_function_builtin(const char *name);
/* What the built-in NAME is called with by a run, its expressions evaluated: has each member the type and the words
 * that it may have? PARTLY: members that it needs may stand elsewhere. One that may be left out may be null. CS_EINVAL
 * says of the first what is wrong. Another name has no such table. */
int cs_function_builtin_args(const char *name, const json_t *args, bool partly, cs_err *err);
/* Their names by number; NULL past the end. */
const char *cs_function_builtin_name(size_t i);
/* A built-in that this version does not have yet. */
bool cs_function_builtin_later(const char *name);

#endif
