/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The credential of a call, from the task's authentication policy: made just before it is needed,
 * kept in memory only, and in no event, digest or card. */
#include <string.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/frame.h"
#include "flow/secret.h"

enum { CREDENTIAL_MAX = 16 << 10 };

/* A text, or a number as the flow writes it. */
static int add_text(cs_buf *b, const json_t *v, const char *what, cs_err *why)
{
	if (json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v)) {
		cs_buf_adds(b, json_string_value(v));
	} else if (json_is_number(v)) {
		CS_AUTOFREE char *text = cs_json_text(v);
		cs_buf_adds(b, text);
	} else {
		return cs_err_set(why, CS_EINVAL, "authentication: the %s must be a text; its expression gave something else", what);
	}
	return b->failed ? cs_err_set(why, CS_ETOOBIG, "authentication: the %s is too long", what) : CS_OK;
}

/* RFC 7617. */
static int basic(const json_t *policy, char **ret, cs_err *why)
{
	CS_AUTOBUF cs_buf pair;
	cs_buf_init(&pair, CREDENTIAL_MAX);
	int rc = add_text(&pair, json_object_get(policy, "username"), "user name", why);
	if (rc == CS_OK && pair.len > 0 && memchr(pair.data, ':', pair.len))
		rc = cs_err_set(why, CS_EINVAL, "authentication: a user name cannot hold ':'");
	if (rc == CS_OK)
		cs_buf_addc(&pair, ':');
	if (rc == CS_OK)
		rc = add_text(&pair, json_object_get(policy, "password"), "password", why);
	if (rc == CS_OK) {
		CS_AUTOFREE char *b64 = cs_base64(pair.data, pair.len);
		*ret = cs_xasprintf("Basic %s", b64);
		explicit_bzero(b64, strlen(b64));
	}
	if (pair.len > 0)
		explicit_bzero(pair.data, pair.len);
	return rc;
}

/* RFC 6750, 2.1. */
static int bearer(const json_t *policy, char **ret, cs_err *why)
{
	CS_AUTOBUF cs_buf token;
	cs_buf_init(&token, CREDENTIAL_MAX);
	int rc = add_text(&token, json_is_string(policy) ? policy : json_object_get(policy, "token"), "token", why);
	if (rc == CS_OK && token.len == 0)
		rc = cs_err_set(why, CS_EINVAL, "authentication: the token is empty");
	if (rc == CS_OK)
		*ret = cs_xasprintf("Bearer %s", cs_buf_str(&token));
	if (token.len > 0)
		explicit_bzero(token.data, token.len);
	return rc;
}

static const struct {
	const char *name;
	int (*make)(const json_t *policy, char **ret, cs_err *why);
} schemes[] = {
	{ "basic", basic }, { "bearer", bearer },
	{ "digest", NULL },      /* answers what the server asks: made where the reply comes in */
};

/* A value of the vault is put in where the request is made. */
static bool has_stand_in(cs_run *r, cs_step *s, const json_t *policy)
{
	const char *dotted;
	json_t *stand_in;
	json_object_foreach((json_t *)(uintptr_t)cs_run_stand_ins(r, s), dotted, stand_in)
		if (cs_secret_is_in(policy, json_string_value(stand_in)))
			return true;
	return false;
}

int cs_call_credential(cs_run *r, cs_step *s, cs_frame *f, cs_err *why)
{
	cs_call *c = f->call;
	if (f->task->authentication == NULL || c->credential != NULL || c->policy != NULL || r->shadow)
		return CS_OK;
	cs_view_of v = cs_call_view(r, s, f);
	CS_AUTOJSON json_t *policy = NULL;
	int rc = cs_look(&v, CS_PHASE_AUTHENTICATION, f->task->authentication, f->input, &policy, why);
	if (rc == CS_EAGAIN)
		return rc;
	if (rc != CS_OK)         /* jq's own words may quote what it was given */
		return cs_err_set(why, CS_EINVAL, "authentication: its expression failed; what it was given is not shown");
	const char *name = json_object_iter_key(json_object_iter(policy));
	for (size_t i = 0; i < CS_ARRAY_LEN(schemes); i++) {
		if (strcmp(schemes[i].name, name) != 0)
			continue;
		if (schemes[i].make != NULL && f->task->secret == NULL && !has_stand_in(r, s, policy))
			return schemes[i].make(json_object_get(policy, name), &c->credential, why);
		c->policy = CS_STEAL(policy);
		return CS_OK;
	}
	return cs_err_set(why, CS_EUNSUPPORTED,
			  "authentication by %s is not in this version; use basic, bearer or digest, or an operation of a connector", name);
}
