/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jq in child processes: started when first needed, without files, environment, clock or network,
 * with little memory, killed and replaced when an expression runs past its time. Usable by several
 * threads at once; every call blocks, so none belongs on the engine's own thread. */
#ifndef CS_FLOW_JQ_POOL_H
#define CS_FLOW_JQ_POOL_H

#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "flow/expr.h"

typedef struct cs_jq_pool cs_jq_pool;

/* EXE is run as EXE "jq-worker"; SIZE children at most; TIMEOUT_MS for one evaluation. */
cs_jq_pool *cs_jq_pool_new(const char *exe, unsigned size, int64_t timeout_ms);
/* No call may be under way. */
void cs_jq_pool_free(cs_jq_pool *p);

/* VARS: an object of name to value with at least cs_expr_vars(e). CS_EINVAL: jq's own error, no value,
 * more than one value, NaN or infinity, a name missing in VARS, an integer beyond 2^53 in what the
 * expression is given, or a child that died of the expression. CS_ETIMEOUT: "ran past N ms".
 * CS_ETOOBIG: over the limits of expr.h or CS_JSON_DEPTH. CS_EUNAVAIL: no child can be started. */
int cs_jq_pool_eval(cs_jq_pool *p, const cs_exprset *set, const cs_expr *e, const json_t *dot,
		    const json_t *vars, json_t **ret_new, cs_err *err);
/* Compiles the expressions of SET that are not plain. CS_ESYNTAX: *ret_index_of_bad is the first that does not compile,
 * the message is jq's. */
int cs_jq_pool_check(cs_jq_pool *p, const cs_exprset *set, unsigned *ret_index_of_bad, cs_err *err);

/* The child: reads requests on 0, answers on 1, until 0 ends. The exit status. */
int cs_jq_worker_main(void);

#endif
