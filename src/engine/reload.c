/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changed files, taken whole or not at all. Runs keep the flow and the roles that they have pinned
 * (bundle.c); connectors, policies, fixtures and settings are from then on the new ones. */
#include <stdlib.h>
#include "base/json.h"
#include "engine/engine_priv.h"

enum { JQ_CHILDREN = 1, JQ_MS = 5000 };

/* The first finding stands for all: `capstan check` lists them. */
static int refuse(const cs_diags *d, cs_err *err)
{
	size_t i = 0;
	while (i < d->n && d->items[i].warning)
		i++;
	const cs_diag *g = i < d->n ? &d->items[i] : NULL;
	return cs_err_set(err, CS_EINVAL, "nothing was changed: %s:%u:%u: %s (%zu in all; see `capstan check`)", g && g->file ? g->file : "",
			  g ? g->line : 0, g ? g->col : 0, g ? g->message : "findings", d->errors);
}

static int load_checked(cs_engine *e, cs_workspace **ret, cs_err *err)
{
	cs_diags d;
	cs_workspace *ws = NULL;
	cs_err why = { 0 };
	cs_diags_init(&d);
	int rc = cs_workspace_load(e->dir, false, &d, &ws, &why);
	if (rc == CS_OK) {
		cs_jq_pool *jq = cs_jq_pool_new(e->opts.exe, JQ_CHILDREN, JQ_MS);
		rc = cs_workspace_check_expressions(ws, jq, &d, &why);
		cs_jq_pool_free(jq);
	}
	if (d.errors > 0)
		rc = refuse(&d, err);
	else if (rc != CS_OK)
		cs_err_set(err, rc, "nothing was changed: %s", why.msg);
	cs_diags_fini(&d);
	if (rc != CS_OK) {
		cs_workspace_free(ws);
		return rc;
	}
	*ret = ws;
	return CS_OK;
}

/* A call under way still holds functions of the files that it began with: they are kept until no
 * run is in memory. */
static void retire(cs_engine *e, cs_workspace *old)
{
	if (e->n_runs == 0 && e->in_flight == 0 && e->evaluating == 0)
		cs_retired_free(e);
	e->retired = cs_xrealloc(e->retired, (e->n_retired + 1) * sizeof(cs_workspace *));
	e->retired[e->n_retired++] = old;
}

void cs_retired_free(cs_engine *e)
{
	for (size_t i = 0; i < e->n_retired; i++)
		cs_workspace_free(e->retired[i]);
	free(e->retired);
	e->retired = NULL;
	e->n_retired = 0;
}

int cs_engine_reload(cs_engine *e, json_t **ret, cs_err *err)
{
	cs_workspace *ws = NULL;
	cs_policy *policy = NULL;
	int rc = load_checked(e, &ws, err);
	if (rc == CS_OK)
		rc = cs_policy_new(ws->policies, &policy, err);
	/* The last that can fail: it changes nothing then. */
	if (rc == CS_OK && e->opts.fixtures.load != NULL)
		rc = e->opts.fixtures.load(e->opts.fixtures.ctx, ws->fixtures, err);
	if (rc != CS_OK) {
		cs_policy_free(policy);
		cs_workspace_free(ws);
		return rc;
	}
	cs_policy_free(e->policy);
	retire(e, e->ws);
	e->policy = policy;
	e->ws = ws;
	e->step.grace_ms = ws->grace_ms;
	e->step.expire_ms = ws->expire_ms;
	*ret = json_pack("{s:I, s:I}", "flows", (json_int_t)ws->n_flows, "functions", (json_int_t)ws->n_functions);
	return CS_OK;
}
