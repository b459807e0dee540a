/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/match.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/mem.h"

bool cs_strategy_may_match(const cs_strategy *s, const json_t *event)
{
	for (int i = 0; i < s->n_filters; i++)
		if (cs_filter_may_match(&s->filters[i], event))
			return true;
	return s->how == CS_LISTEN_ANY && s->n_filters == 0;
}

/* An expression that cannot be evaluated for this event does not hold for it: what came from outside
 * cannot fault the run. */
static int evaluate(cs_match *m, cs_phase phase, const cs_template *t, json_t *dot, json_t **ret)
{
	cs_err why = { 0 };
	int rc = cs_look(&m->v, phase, t, dot, ret, &why);
	if (rc == CS_OK || rc == CS_EAGAIN)
		return rc;
	m->yes = false;
	if (rc == CS_EUNAVAIL && m->lost != NULL) {
		*m->lost = why;
		return rc;
	}
	if (m->why == NULL)
		m->why = cs_xstrdup(why.msg);
	return CS_OK;
}

/* true and false say it themselves; another value is what the attribute must be. */
static int want_holds(cs_match *m, const cs_event_want *w)
{
	json_t *have = json_object_get(m->event, w->name);
	bool data = strcmp(w->name, "data") == 0;
	if (w->literal != NULL || (have == NULL && !data)) {
		m->yes = w->literal != NULL && cs_want_met(w, have);
		return CS_OK;
	}
	CS_AUTOJSON json_t *value = NULL;
	int rc = evaluate(m, data ? CS_PHASE_DATA : CS_PHASE_EVENT, w->value, data ? have : m->event, &value);
	if (rc != CS_OK || value == NULL)
		return rc;
	if (json_is_boolean(value))
		m->yes = json_is_true(value);
	else
		m->yes = data ? !json_is_null(value) && cs_data_within(value, have) : cs_json_equal(value, have);
	return CS_OK;
}

/* A constant is text; what the event gives may be a number. */
static bool same_value(const cs_correlation *k, const json_t *want, const json_t *have)
{
	if (cs_json_equal(want, have))
		return true;
	if (!cs_template_is_const(k->expect) || !json_is_string(want) || json_is_string(have))
		return false;
	CS_AUTOFREE char *text = cs_json_text(have);
	return text != NULL && strcmp(text, json_string_value(want)) == 0;
}

static int key_holds(cs_match *m, const cs_correlation *k)
{
	CS_AUTOJSON json_t *have = NULL;
	CS_AUTOJSON json_t *want = NULL;
	int rc = evaluate(m, CS_PHASE_EVENT, k->from, m->event, &have);
	if (rc != CS_OK || have == NULL)
		return rc;
	if (json_is_null(have)) {
		m->yes = false;
		return CS_OK;
	}
	if (k->expect != NULL) {
		rc = evaluate(m, CS_PHASE_EXPECT, k->expect, m->v.input, &want);
		if (rc == CS_OK && want != NULL)
			m->yes = same_value(k, want, have);
		return rc;
	}
	json_t *settled = json_object_get(m->settled, k->name);
	if (settled != NULL)
		m->yes = cs_json_equal(settled, have);
	else
		json_object_set(m->keys, k->name, have);
	return CS_OK;
}

static int filter_holds(cs_match *m, const cs_event_filter *f)
{
	m->yes = true;
	json_object_clear(m->keys);
	for (int i = 0; i < f->n_wants && m->yes; i++) {
		int rc = want_holds(m, &f->wants[i]);
		if (rc != CS_OK)
			return rc;
	}
	for (int i = 0; i < f->n_keys && m->yes; i++) {
		int rc = key_holds(m, &f->keys[i]);
		if (rc != CS_OK)
			return rc;
	}
	return CS_OK;
}

int cs_match_choose(cs_match *m, const cs_strategy *s, const bool *met, int *ret)
{
	*ret = -1;
	if (s->how == CS_LISTEN_ANY && s->n_filters == 0)
		*ret = 0;
	for (int i = 0; i < s->n_filters && *ret < 0; i++) {
		if (s->how == CS_LISTEN_ALL && met[i])
			continue;
		int rc = filter_holds(m, &s->filters[i]);
		if (rc != CS_OK)
			return rc;
		if (m->yes)
			*ret = i;
	}
	if (*ret < 0)
		json_object_clear(m->keys);
	return CS_OK;
}
