/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/granted.h"

#include "base/json.h"
#include "base/mem.h"

void cs_granted_hide(cs_granted *g, const char *text)
{
	if (g->mask == NULL)
		g->mask = cs_mask_new();
	cs_mask_add(g->mask, text);
}

int cs_granted_value(const cs_effect *e, cs_granted *g, const char *name, char **ret, cs_err *err)
{
	CS_AUTOSECRET char *value = NULL;
	if (e->secret == NULL)
		return cs_err_set(err, CS_EUNAVAIL, "there is no vault here to take the secret %s from", name);
	int rc = e->secret(e->secret_ctx, name, &value, err);
	if (rc != CS_OK)
		return rc;
	cs_granted_hide(g, value);
	*ret = CS_STEAL(value);
	return CS_OK;
}

int cs_granted_take(const cs_effect *e, cs_granted *ret, cs_err *err)
{
	const char *name;
	json_t *stand_in;
	json_object_foreach(e->secrets, name, stand_in) {
		CS_AUTOSECRET char *value = NULL;
		if (!json_is_string(stand_in))
			continue;
		int rc = cs_granted_value(e, ret, name, &value, err);
		if (rc != CS_OK)
			return rc;
		cs_swaps_add(&ret->swaps, json_string_value(stand_in), value);
	}
	return CS_OK;
}

void cs_granted_fini(cs_granted *g)
{
	cs_swaps_fini(&g->swaps);
	cs_mask_free(g->mask);
	g->mask = NULL;
}

void cs_granted_clean(const cs_granted *g, cs_outcome *o)
{
	json_t **const all[] = { &o->result, &o->error, &o->record };
	for (size_t i = 0; g->mask != NULL && i < CS_ARRAY_LEN(all); i++) {
		json_t *masked = cs_mask_json(g->mask, *all[i]);
		json_decref(*all[i]);
		*all[i] = masked;
	}
}

cs_outcome *cs_granted_refused(int rc, const cs_err *err)
{
	bool access = rc == CS_ENOTFOUND || rc == CS_EREFUSED || rc == CS_EUNAVAIL;
	return cs_outcome_failed(CS_OUTCOME_NOT_SENT, access ? CS_ERROR_AUTHORIZATION : CS_ERROR_CONFIGURATION, 0, NULL, "%s", err->msg);
}
