/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Authentication policies: written at an endpoint, or in `use.authentications` and named there.
 * Source: dsl-reference.md, "Authentication". */
#include "flow/flow_priv.h"

#include <string.h>
#include "base/json.h"
#include "base/mem.h"
#include "flow/secret.h"

#define TEXT (CS_IS_STRING | CS_IS_NUMBER | CS_IS_INTEGER)

static const cs_key pair_keys[] = {
	{ "username", TEXT | CS_KEY_REQUIRED }, { "password", TEXT | CS_KEY_REQUIRED }, { NULL, 0 },
};
static const cs_key bearer_keys[] = { { "token", CS_IS_STRING | CS_KEY_REQUIRED }, { NULL, 0 } };
static const cs_key oidc_keys[] = {
	{ "authority", CS_IS_STRING | CS_KEY_REQUIRED }, { "grant", CS_IS_STRING }, { "client", CS_IS_OBJECT },
	{ "request", CS_IS_OBJECT }, { "issuers", CS_IS_ARRAY }, { "scopes", CS_IS_ARRAY }, { "audiences", CS_IS_ARRAY },
	{ "username", CS_IS_STRING }, { "password", CS_IS_STRING }, { "subject", CS_IS_OBJECT }, { "actor", CS_IS_OBJECT },
	{ NULL, 0 },
};
static const cs_key oauth2_keys[] = {
	{ "authority", CS_IS_STRING | CS_KEY_REQUIRED }, { "grant", CS_IS_STRING }, { "client", CS_IS_OBJECT },
	{ "endpoints", CS_IS_OBJECT }, { "request", CS_IS_OBJECT }, { "issuers", CS_IS_ARRAY }, { "scopes", CS_IS_ARRAY },
	{ "audiences", CS_IS_ARRAY }, { "username", CS_IS_STRING }, { "password", CS_IS_STRING },
	{ "subject", CS_IS_OBJECT }, { "actor", CS_IS_OBJECT }, { NULL, 0 },
};

static const struct {
	const char *name;
	const cs_key *keys;
	bool obeyed;              /* else a run that comes to it faults with a sentence */
	bool text;                /* may be written as the one text that it needs */
} schemes[] = {
	{ "basic", pair_keys, true, false },    { "bearer", bearer_keys, true, true },
	{ "digest", pair_keys, true, false },  { "oauth2", oauth2_keys, false, false },
	{ "oidc", oidc_keys, false, false },
};

/* A name of `use.secrets`, whose value is the whole policy. */
static void check_secret(cs_build *b, const char *name)
{
	if (!cs_build_secret_listed(b, name))
		cs_check_error(&b->c, "'use.secrets' names no '%.80s'", name);
}

static void check_scheme(cs_build *b, size_t i, const json_t *v)
{
	if (json_is_string(v) && schemes[i].text)
		return;
	const char *secret = cs_json_str(v, "use");
	if (secret && json_object_size(v) == 1) {
		size_t mark = cs_check_push(&b->c, "use");
		check_secret(b, secret);
		cs_check_pop(&b->c, mark);
		return;
	}
	char what[32];
	snprintf(what, sizeof what, "'%s'", schemes[i].name);
	cs_check_object(&b->c, v, schemes[i].keys, what);
}

/* Is the value under the cursor one policy of a known scheme? Reported when not. */
static bool check_policy(cs_build *b, const json_t *v)
{
	const char *names[CS_ARRAY_LEN(schemes) + 1] = { NULL };
	if (!cs_check_type(&b->c, v, CS_IS_OBJECT, "an authentication policy"))
		return false;
	for (size_t i = 0; i < CS_ARRAY_LEN(schemes); i++)
		names[i] = schemes[i].name;
	if (json_object_size(v) != 1) {
		cs_check_error(&b->c, "an authentication policy is one of basic, bearer, digest, oauth2, oidc");
		return false;
	}
	const char *name = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)v));
	for (size_t i = 0; i < CS_ARRAY_LEN(schemes); i++) {
		if (strcmp(schemes[i].name, name) != 0)
			continue;
		size_t errors = b->c.d->errors, mark = cs_check_push(&b->c, name);
		check_scheme(b, i, json_object_get(v, name));
		if (!schemes[i].obeyed)
			cs_check_warn(&b->c, NULL, "'%s' is read, but a run that comes to it faults: this version authenticates with basic, bearer and digest", name);
		cs_check_pop(&b->c, mark);
		return b->c.d->errors == errors;
	}
	cs_check_unknown(&b->c, "the authentication scheme", name, names);
	return false;
}

/* POLICY, a good one, is row ID's own: what it needs of the vault is granted to it. */
static void keep_policy(cs_build *b, const json_t *policy, int id)
{
	json_t *scheme = json_object_iter_value(json_object_iter((json_t *)(uintptr_t)policy));
	const char *secret = cs_json_str(scheme, "use");
	int around = cs_build_secrets_for(b, id);
	cs_build_template(b, policy, CS_TEMPLATE_STRICT, &b->f->tasks[id].authentication);
	cs_build_secrets_for(b, around);
	if (secret && json_object_size(scheme) == 1)
		b->f->tasks[id].secret = cs_xstrdup(secret);
}

void cs_build_authentication(cs_build *b, const json_t *obj, int id)
{
	const json_t *v = json_object_get(obj, "authentication");
	if (!v)
		return;
	size_t mark = cs_check_push(&b->c, "authentication");
	const char *name = json_is_string(v) ? json_string_value(v) : cs_json_str(v, "use");
	cs_check saved;
	if (name) {
		v = cs_use_find(b, "authentications", name, &saved);
		if (v && check_policy(b, v))
			keep_policy(b, v, id);
		if (v)
			cs_use_done(b, &saved);
	} else if (check_policy(b, v)) {
		keep_policy(b, v, id);
	}
	cs_check_pop(&b->c, mark);
}

void cs_build_use_authentications(cs_build *b, const json_t *use)
{
	const char *name;
	json_t *v;
	size_t i, mark = cs_check_push(&b->c, "authentications");
	json_object_foreach(json_object_get(use, "authentications"), name, v) {
		size_t at = cs_check_push(&b->c, name);
		check_policy(b, v);
		cs_check_pop(&b->c, at);
	}
	cs_check_pop(&b->c, mark);
	mark = cs_check_push(&b->c, "secrets");
	json_array_foreach(json_object_get(use, "secrets"), i, v) {
		size_t at = cs_check_push_index(&b->c, i);
		if (!json_is_string(v) || json_string_length(v) == 0)
			cs_check_error(&b->c, "'secrets' lists names");
		else if (!cs_secret_name_ok(json_string_value(v)))
			cs_check_error(&b->c, "a secret's name is of letters, digits, - and _, at most 63; '%.80s' is not", json_string_value(v));
		cs_check_pop(&b->c, at);
	}
	cs_check_pop(&b->c, mark);
}
