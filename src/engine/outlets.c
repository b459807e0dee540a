/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine/outlet_priv.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

void cs_outlet_unref(cs_outlet *o)
{
	if (o == NULL || atomic_fetch_sub(&o->refs, 1) != 1)
		return;
	for (size_t i = 0; i < o->n_targets; i++)
		cs_target_unref(o->targets[i]);
	free(o->targets);
	free(o->sent);
	json_decref(o->waiting);
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

/* A connector whose file is gone keeps what it said of limits and of the breaker. */
static void renew(const cs_engine *e, cs_outlet *o)
{
	int file = (int)file_mode(e, o->name);
	if (known(e, o->name) || o->rules.breaker.failures == 0)
		cs_outlet_rules_of(file_of(e, o->name), &o->rules);
	atomic_store(&o->mode, o->said >= 0 && o->said < file ? o->said : file);
}

static cs_outlet *find(const cs_engine *e, const char *name)
{
	for (size_t i = 0; i < e->n_outlets; i++)
		if (strcmp(e->outlets[i]->name, name) == 0)
			return e->outlets[i];
	return NULL;
}

cs_outlet *cs_outlet_of(cs_engine *e, const char *name)
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

/* ---- limits -------------------------------------------------------------------------------------------------- */

static void note_sent(cs_outlet *o, int64_t at)
{
	if (o->rules.limits.rate == 0)
		return;
	if (o->n_sent == o->cap_sent) {
		o->cap_sent = o->cap_sent > 0 ? 2 * o->cap_sent : 64;
		o->sent = cs_xrealloc(o->sent, o->cap_sent * sizeof *o->sent);
	}
	o->sent[o->n_sent++] = at;
}

/* Those that do not count any more at NOW go. */
static void drop_sent(cs_outlet *o, int64_t now)
{
	size_t n = 0;
	while (n < o->n_sent && (o->rules.limits.rate == 0 || o->sent[n] <= now - o->rules.limits.rate_ms))
		n++;
	o->n_sent -= n;
	if (n > 0)
		memmove(o->sent, o->sent + n, o->n_sent * sizeof *o->sent);
}

/* How many more may begin now. */
static size_t room(const cs_outlet *o)
{
	const cs_outlet_limits *l = &o->rules.limits;
	size_t places = l->concurrent == 0 ? SIZE_MAX : l->concurrent > o->open ? l->concurrent - o->open : 0;
	size_t rate = l->rate == 0 ? SIZE_MAX : l->rate > o->n_sent ? l->rate - o->n_sent : 0;
	return places < rate ? places : rate;
}

/* When the rate lets another one go that waits; 0: it does, or nobody waits. */
static int64_t rate_due(const cs_outlet *o)
{
	const cs_outlet_limits *l = &o->rules.limits;
	if (json_object_size(o->waiting) == 0 || l->rate == 0 || o->n_sent < l->rate)
		return 0;
	return o->sent[o->n_sent - l->rate] + l->rate_ms;
}

/* What went out within the rate's span before this engine began counts too. */
static int recover_sent(cs_engine *e, const char *name, cs_err *err)
{
	cs_outlet_rules rules;
	cs_outlet_rules_of(file_of(e, name), &rules);
	if (rules.limits.rate == 0)
		return CS_OK;
	CS_AUTOJSON json_t *params = json_pack("[s, I, i]", name, (json_int_t)(e->step.now - rules.limits.rate_ms), (int)rules.limits.rate);
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(e->reader, "SELECT started FROM attempt WHERE connector = ?1 AND connector IS NOT NULL AND simulated = 0 AND started > ?2"
				 " ORDER BY started DESC LIMIT ?3", params, &rows, err);
	for (size_t i = json_array_size(rows); i-- > 0;)
		note_sent(cs_outlet_of(e, name), cs_json_int_or(json_array_get(rows, i), "started", 0));
	return rc;
}

int cs_outlets_recover(cs_engine *e, cs_err *err)
{
	CS_AUTOJSON json_t *rows = NULL;
	int rc = cs_reader_query(e->reader, "SELECT substr(name, 11) AS name, value FROM setting WHERE name LIKE 'connector:%'", NULL, &rows, err);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) {
		cs_mode mode = CS_MODE_OFF;      /* what cannot be read is as careful as can be */
		cs_outlet *o = cs_outlet_of(e, cs_json_str_or(row, "name", ""));
		(void)cs_mode_parse(cs_json_str(row, "value"), &mode, NULL);
		o->said = (int)mode;
		renew(e, o);
	}
	if (rc == CS_OK)
		rc = cs_targets_recover(e, err);
	const char *name;
	json_t *doc;
	json_object_foreach(e->ws->connectors, name, doc)
		rc = rc == CS_OK ? recover_sent(e, name, err) : rc;
	return rc;
}

void cs_outlets_free(cs_engine *e)
{
	for (size_t i = 0; i < e->n_outlets; i++)
		cs_outlet_unref(e->outlets[i]);
	free(e->outlets);
	e->outlets = NULL;
	e->n_outlets = 0;
}

/* ---- in the transaction of the intent ----------------------------------------------------------------------- */

cs_mode cs_outlet_mode(cs_engine *e, const cs_function *fn)
{
	const char *name = cs_function_outlet(fn);
	return name == NULL ? CS_MODE_LIVE : (cs_mode)atomic_load(&cs_outlet_of(e, name)->mode);
}

const char *cs_outlet_held(cs_engine *e, const cs_run *r, const cs_function *fn, const cs_call *c)
{
	const char *name = cs_function_outlet(fn);
	cs_outlet *o = name != NULL ? cs_outlet_of(e, name) : NULL;
	if (o == NULL)
		return NULL;
	if (atomic_load(&o->mode) == CS_MODE_OFF)
		return "off";
	cs_target *t = cs_target_of(o, c);
	if (t != NULL && !cs_target_lets(t, r->id))
		return "breaker";
	drop_sent(o, e->step.now);
	if (room(o) > 0)
		return NULL;
	cs_waiting_add(&o->waiting, r->id);
	return "limit";
}

void cs_outlet_sent(cs_engine *e, const cs_function *fn, const cs_call *c)
{
	const char *name = cs_function_outlet(fn);
	if (name == NULL)
		return;
	cs_outlet *o = cs_outlet_of(e, name);
	cs_target *t = cs_target_of(o, c);
	o->open++;
	note_sent(o, e->step.now);
	if (t != NULL && t->breaker.state == CS_BREAKER_HALF_OPEN)
		memcpy(t->probe, c->key, sizeof t->probe);
}

void cs_outlet_back(cs_outlet *o)
{
	if (o != NULL && o->open > 0)
		o->open--;
}

int cs_outlets_fire(cs_engine *e, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; rc == CS_OK && i < e->n_outlets; i++)
		rc = cs_targets_fire(e, e->outlets[i], err);
	return rc;
}

int cs_outlets_settle(cs_engine *e, cs_err *err)
{
	int rc = CS_OK;
	for (size_t i = 0; rc == CS_OK && i < e->n_outlets; i++) {
		cs_outlet *o = e->outlets[i];
		rc = cs_targets_settle(e, o, err);
		drop_sent(o, e->step.now);
		if (rc == CS_OK && json_object_size(o->waiting) > 0)
			rc = cs_waiting_wake(e, o->waiting, room(o), err);
	}
	return rc;
}

int64_t cs_outlets_next_due(const cs_engine *e, bool waited_for)
{
	int64_t next = 0;
	for (size_t i = 0; i < e->n_outlets; i++) {
		const int64_t due[] = { cs_targets_due(e->outlets[i], waited_for), rate_due(e->outlets[i]) };
		for (size_t k = 0; k < CS_ARRAY_LEN(due); k++)
			if (due[k] > 0 && (next == 0 || due[k] < next))
				next = due[k];
	}
	return next;
}

/* ---- just before the first byte ------------------------------------------------------------------------------ */

void cs_pass_init(cs_pass *p, cs_engine *e, const cs_function *fn, const cs_call *c, bool simulated)
{
	const char *name = cs_function_outlet(fn);
	p->door = e->door;
	p->approved = c->approval[0] != '\0';
	p->sends = cs_effect_class_sends(c->effect) && !simulated;
	if (name == NULL || simulated)
		return;
	p->outlet = cs_outlet_of(e, name);
	p->target = cs_target_of(p->outlet, c);
	atomic_fetch_add(&p->outlet->refs, 1);
	if (p->target == NULL)
		return;
	p->probe = p->target->breaker.state == CS_BREAKER_HALF_OPEN && strcmp(p->target->probe, c->key) == 0;
	atomic_fetch_add(&p->target->refs, 1);
}

void cs_pass_fini(cs_pass *p)
{
	cs_outlet_unref(p->outlet);
	cs_target_unref(p->target);
	p->outlet = NULL;
	p->target = NULL;
}

static bool passes(const cs_pass *p)
{
	if (p->outlet == NULL)
		return true;
	if (p->target != NULL && atomic_load(&p->target->shut) && !p->probe)
		return false;
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
	cs_outlet *o = cs_outlet_of(e, name);
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
