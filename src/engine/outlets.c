/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/outlets.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"

struct cs_outlet {
	char *name;
	atomic_uint refs;            /* the engine's, and one for each attempt under way */
	atomic_int mode;             /* the one that holds; passes look at it */
	int said;                    /* a cs_mode, by command; -1: nothing was said */
};

static void outlet_unref(cs_outlet *o)
{
	if (o == NULL || atomic_fetch_sub(&o->refs, 1) != 1)
		return;
	free(o->name);
	free(o);
}

/* ---- which ------------------------------------------------------------------------------------------------ */

/* What today's file of NAME says; NULL: there is none. */
static const json_t *file_of(const cs_engine *e, const char *name)
{
	return json_object_get(e->ws->connectors, name);
}

static bool known(const cs_engine *e, const char *name)
{
	return strcmp(name, "http") == 0 || file_of(e, name) != NULL;
}

static cs_mode file_mode(const cs_engine *e, const char *name)
{
	cs_outlet_rules rules;
	if (!known(e, name))
		return CS_MODE_DRY;
	cs_outlet_rules_of(file_of(e, name), &rules);
	return rules.mode;
}

static void renew(const cs_engine *e, cs_outlet *o)
{
	int file = (int)file_mode(e, o->name);
	atomic_store(&o->mode, o->said >= 0 && o->said < file ? o->said : file);
}

static cs_outlet *find(const cs_engine *e, const char *name)
{
	for (size_t i = 0; i < e->n_outlets; i++)
		if (strcmp(e->outlets[i]->name, name) == 0)
			return e->outlets[i];
	return NULL;
}

static cs_outlet *outlet_of(cs_engine *e, const char *name)
{
	cs_outlet *o = find(e, name);
	if (o != NULL)
		return o;
	o = cs_xcalloc(1, sizeof *o);
	o->name = cs_xstrdup(name);
	o->said = -1;
	atomic_init(&o->refs, 1);
	renew(e, o);
	e->outlets = cs_xrealloc(e->outlets, (e->n_outlets + 1) * sizeof(cs_outlet *));
	e->outlets[e->n_outlets++] = o;
	return o;
}

void cs_outlets_renew(cs_engine *e)
{
	for (size_t i = 0; i < e->n_outlets; i++)
		renew(e, e->outlets[i]);
}

int cs_outlets_recover(cs_engine *e, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(e->reader, "SELECT substr(name, 11) AS name, value FROM setting WHERE name LIKE 'connector:%'", NULL, &rows, err);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		cs_mode mode = CS_MODE_OFF;      /* what cannot be read is as careful as can be */
		cs_outlet *o = outlet_of(e, cs_json_str_or(row, "name", ""));
		(void)cs_mode_parse(cs_json_str(row, "value"), &mode, NULL);
		o->said = (int)mode;
		renew(e, o);
	}
	return rc;
}

void cs_outlets_free(cs_engine *e)
{
	for (size_t i = 0; i < e->n_outlets; i++)
		outlet_unref(e->outlets[i]);
	free(e->outlets);
	e->outlets = NULL;
	e->n_outlets = 0;
}

/* ---- in the transaction of the intent ----------------------------------------------------------------------- */

cs_mode cs_outlet_mode(cs_engine *e, const cs_function *fn)
{
	const char *name = cs_function_outlet(fn);
	return name == NULL ? CS_MODE_LIVE : (cs_mode)atomic_load(&outlet_of(e, name)->mode);
}

const char *cs_outlet_held(cs_engine *e, const cs_run *r, const cs_function *fn, const cs_call *c)
{
	(void)r;
	(void)c;
	return cs_outlet_mode(e, fn) == CS_MODE_OFF ? "hold" : NULL;
}

/* ---- just before the first byte ------------------------------------------------------------------------------ */

void cs_pass_init(cs_pass *p, cs_engine *e, const cs_function *fn, const cs_call *c, bool simulated)
{
	const char *name = cs_function_outlet(fn);
	p->door = e->door;
	p->approved = c->approval[0] != '\0';
	p->simulated = simulated;
	p->sends = cs_effect_class_sends(c->effect) && !simulated;
	if (name == NULL || simulated)
		return;
	p->outlet = outlet_of(e, name);
	atomic_fetch_add(&p->outlet->refs, 1);
}

void cs_pass_fini(cs_pass *p)
{
	outlet_unref(p->outlet);
	p->outlet = NULL;
}

static bool passes(const cs_pass *p)
{
	if (p->outlet == NULL)
		return true;
	cs_mode mode = (cs_mode)atomic_load(&p->outlet->mode);
	return mode == CS_MODE_LIVE || (mode == CS_MODE_HOLD && p->approved);
}

bool cs_pass_gate(void *ctx)
{
	cs_pass *p = ctx;
	bool open = cs_door_gate(p->door, p->sends) && passes(p);
	if (!open)
		atomic_store(&p->refused, true);
	return open;
}

/* ---- the command --------------------------------------------------------------------------------------------- */

int cs_command_connector(cs_engine *e, json_t *req, json_t **ret, cs_err *err)
{
	const char *name = cs_json_str_or(req, "name", "");
	cs_mode mode = CS_MODE_OFF;
	if (!known(e, name))
		return cs_err_set(err, CS_ENOTFOUND, "there is no connector %.100s; `capstan connectors` lists them", name);
	int rc = cs_mode_parse(cs_json_str(req, "mode"), &mode, err);
	if (rc != CS_OK)
		return rc;
	cs_outlet *o = outlet_of(e, name);
	int before = atomic_load(&o->mode);
	if (o->said != (int)mode) {
		rc = cs_command_write(e, "connector.mode", json_pack("{s:s, s:s}", "name", name, "mode", cs_mode_names[mode]), err);
		if (rc != CS_OK)
			return rc;
		o->said = (int)mode;
		renew(e, o);
	}
	int now = atomic_load(&o->mode);
	*ret = json_pack("{s:s, s:s, s:s, s:s}", "name", name, "mode", cs_mode_names[now], "file", cs_mode_names[file_mode(e, name)],
			 "command", cs_mode_names[mode]);
	/* What waits for a person or for this may now go otherwise: each looks for itself. */
	return now != before ? cs_runs_all_ready(e, err) : CS_OK;
}
