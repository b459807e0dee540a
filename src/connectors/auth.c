/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connectors/auth.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"

enum { QUERY_MAX = 64 << 10 };

void cs_auth_fini(cs_auth *a)
{
	char *const all[] = { a->header, a->value, a->query, a->user, a->password };
	for (size_t i = 0; i < CS_ARRAY_LEN(all); i++)
		cs_secret_free(all[i]);
	*a = (cs_auth){ 0 };
}

/* ---- what the secret says ---- */

/* A member of the secret NAME; CS_ENOTFOUND where it is no object, or has none of it. */
static int member(const cs_effect *e, cs_granted *g, const char *name, const char *of, char **ret, cs_err *err)
{
	char *dotted CS_AUTOFREE = cs_xasprintf("%s.%s", name, of);
	return cs_granted_value(e, g, dotted, ret, err);
}

static int whole_pair(const cs_effect *e, cs_granted *g, const char *name, cs_auth *a, cs_err *err)
{
	char *text CS_AUTOSECRET = NULL;
	int rc = cs_granted_value(e, g, name, &text, err);
	char *colon = rc == CS_OK ? strchr(text, ':') : NULL;
	if (rc != CS_OK)
		return rc;
	if (!colon || text[0] == '{')
		return cs_err_set(err, CS_EINVAL, "the secret %s is neither user:password nor an object {\"username\", \"password\"}; set it again", name);
	a->user = cs_xstrndup(text, (size_t)(colon - text));
	a->password = cs_xstrdup(colon + 1);
	cs_granted_hide(g, a->password);
	return CS_OK;
}

static int named_pair(const cs_effect *e, cs_granted *g, const char *name, cs_auth *a, cs_err *err)
{
	int rc = member(e, g, name, "username", &a->user, NULL);
	if (rc == CS_OK)
		return member(e, g, name, "password", &a->password, err);
	return whole_pair(e, g, name, a, err);
}

static int named_token(const cs_effect *e, cs_granted *g, const char *name, char **ret, cs_err *err)
{
	int rc = member(e, g, name, "token", ret, NULL);
	return rc == CS_OK ? rc : cs_granted_value(e, g, name, ret, err);
}

/* ---- what the policy says, its stand-ins put in ---- */

static int said_text(const json_t *policy, const char *key, char **ret, cs_err *err)
{
	const json_t *v = json_is_string(policy) ? policy : json_object_get(policy, key);
	if (json_is_number(v))
		*ret = cs_json_text(v);
	else if (json_is_string(v) && json_string_length(v) > 0 && strlen(json_string_value(v)) == json_string_length(v))
		*ret = cs_xstrdup(json_string_value(v));
	else
		return cs_err_set(err, CS_EINVAL, "authentication: the %s must be a text that is not empty", key);
	return CS_OK;
}

static int said_pair(const json_t *policy, cs_auth *a, cs_err *err)
{
	int rc = said_text(policy, "username", &a->user, err);
	return rc == CS_OK ? said_text(policy, "password", &a->password, err) : rc;
}

/* ---- what is sent ---- */

static void send_as(cs_auth *a, cs_granted *g, const char *header, const char *scheme, const char *token)
{
	a->header = cs_xstrdup(header);
	a->value = cs_xasprintf("%s%s", scheme, token);
	cs_granted_hide(g, token);
}

/* RFC 7617. */
static int send_basic(cs_auth *a, cs_granted *g, cs_err *err)
{
	if (strchr(a->user, ':'))
		return cs_err_set(err, CS_EINVAL, "authentication: a user name cannot hold ':'");
	char *pair CS_AUTOSECRET = cs_xasprintf("%s:%s", a->user, a->password);
	char *token CS_AUTOSECRET = cs_base64(pair, strlen(pair));
	send_as(a, g, "Authorization", "Basic ", token);
	cs_granted_hide(g, pair);
	cs_secret_freep(&a->user);           /* not for Digest */
	cs_secret_freep(&a->password);
	return CS_OK;
}

static int from_policy(const cs_effect *e, cs_granted *g, cs_auth *a, cs_err *err)
{
	json_t *policy CS_AUTOJSON = cs_swaps_json(&g->swaps, e->policy);
	const char *scheme = json_object_iter_key(json_object_iter(policy));
	const json_t *said = json_object_get(policy, scheme ? scheme : "");
	const char *use = json_object_size(said) == 1 ? cs_json_str(said, "use") : NULL;
	if (scheme && strcmp(scheme, "bearer") == 0) {
		char *token CS_AUTOSECRET = NULL;
		int rc = use ? named_token(e, g, use, &token, err) : said_text(said, "token", &token, err);
		if (rc == CS_OK)
			send_as(a, g, "Authorization", "Bearer ", token);
		return rc;
	}
	int rc = use ? named_pair(e, g, use, a, err) : said_pair(said, a, err);
	return rc == CS_OK && scheme && strcmp(scheme, "basic") == 0 ? send_basic(a, g, err) : rc;
}

static int as_query(cs_auth *a, const char *name, const char *value, cs_err *err)
{
	cs_buf out CS_AUTOBUF;
	const cs_swap both[] = { { .from = (char *)(uintptr_t)"~n~", .to = (char *)(uintptr_t)name },
				 { .from = (char *)(uintptr_t)"~v~", .to = (char *)(uintptr_t)value } };
	const cs_swaps swaps = { .list = (cs_swap *)(uintptr_t)both, .n = 2 };
	cs_buf_init(&out, QUERY_MAX);
	if (cs_swaps_text(&swaps, "~n~=~v~", 7, true, &out) != CS_OK)
		return cs_err_set(err, CS_ETOOBIG, "the secret is too long for a query");
	a->query = cs_buf_steal(&out);
	return CS_OK;
}

static int from_connector(const cs_effect *e, const json_t *auth, cs_granted *g, cs_auth *a, cs_err *err)
{
	const json_t *as = json_object_get(auth, "as");
	const char *use = cs_json_str_or(auth, "use", ""), *header = cs_json_str(as, "header"), *query = cs_json_str(as, "query");
	char *token CS_AUTOSECRET = NULL;
	if (json_is_string(as) && strcmp(json_string_value(as), "basic") == 0) {
		int rc = named_pair(e, g, use, a, err);
		return rc == CS_OK ? send_basic(a, g, err) : rc;
	}
	int rc = named_token(e, g, use, &token, err);
	if (rc != CS_OK)
		return rc;
	if (query)
		return as_query(a, query, token, err);
	send_as(a, g, header ? header : "Authorization", header ? "" : "Bearer ", token);
	return CS_OK;
}

int cs_auth_make(const cs_effect *e, cs_granted *g, cs_auth *ret, cs_err *err)
{
	const json_t *auth = json_object_get(e->connector, "auth");
	if (e->policy)
		return from_policy(e, g, ret, err);
	return auth ? from_connector(e, auth, g, ret, err) : CS_OK;
}
