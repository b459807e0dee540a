/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connectors/digest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

enum { ANSWER_MAX = 16 << 10 };

static const char count[] = "00000001";        /* a challenge is answered once */

static void sha256(const void *p, size_t n, char *out)
{
	cs_hash_hex(p, n, out);
}

/* The strongest first. */
static const struct algorithm {
	const char *name;
	void (*hash)(const void *p, size_t n, char *out);
	bool session;
} algorithms[] = {
	{ "SHA-256", sha256, false }, { "SHA-256-sess", sha256, true }, { "MD5", cs_md5_hex, false }, { "MD5-sess", cs_md5_hex, true },
};

typedef struct challenge {
	char *realm, *nonce, *opaque, *algorithm, *qop, *userhash;
} challenge;

static void challenge_fini(challenge *c)
{
	char *const all[] = { c->realm, c->nonce, c->opaque, c->algorithm, c->qop, c->userhash };
	for (size_t i = 0; i < CS_ARRAY_LEN(all); i++)
		free(all[i]);
	*c = (challenge){ 0 };
}

/* A token, or a quoted string without its quotes and escapes; the text after it in *P. */
static char *read_value(const char **p)
{
	const char *s = *p;
	if (*s != '"') {
		size_t n = strcspn(s, ", \t");
		*p = s + n;
		return cs_xstrndup(s, n);
	}
	char *out = cs_xcalloc(strlen(s) + 1, 1), *o = out;
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		*o++ = *s;
	}
	*p = *s ? s + 1 : s;
	return out;
}

static void read_challenge(const char *text, challenge *c)
{
	const struct { const char *name; char **slot; } names[] = {
		{ "realm", &c->realm }, { "nonce", &c->nonce }, { "opaque", &c->opaque }, { "algorithm", &c->algorithm },
		{ "qop", &c->qop }, { "userhash", &c->userhash },
	};
	for (const char *p = text; *p;) {
		p += strspn(p, ", \t");
		size_t n = strcspn(p, "=, \t");
		const char *name = p;
		p += n;
		if (*p != '=')
			return;          /* the next scheme, or no challenge any more */
		p++;
		char *value CS_AUTOFREE = read_value(&p);
		for (size_t i = 0; i < CS_ARRAY_LEN(names); i++)
			if (strlen(names[i].name) == n && strncasecmp(names[i].name, name, n) == 0 && !*names[i].slot)
				*names[i].slot = CS_STEAL(value);
	}
}

/* Index of the challenge's algorithm; the table's length for another. */
static size_t rank(const challenge *c)
{
	const char *said = c->algorithm ? c->algorithm : "MD5";
	size_t i = 0;
	while (i < CS_ARRAY_LEN(algorithms) && strcasecmp(algorithms[i].name, said) != 0)
		i++;
	return i;
}

/* `auth` is in the list, or there is no list at all. */
static bool auth_offered(const challenge *c)
{
	for (const char *p = c->qop ? c->qop : "auth"; *p;) {
		p += strspn(p, ", \t");
		size_t n = strcspn(p, ", \t");
		if (n == 4 && strncasecmp(p, "auth", 4) == 0)
			return true;
		p += n;
	}
	return false;
}

static bool usable(const challenge *c)
{
	return c->realm && c->nonce && auth_offered(c) && rank(c) < CS_ARRAY_LEN(algorithms);
}

static int choose(const cs_headers *headers, challenge *best, cs_err *err)
{
	bool any = false;
	for (size_t i = 0; i < headers->count; i++) {
		const char *value = headers->list[i].value;
		if (strcasecmp(headers->list[i].name, "WWW-Authenticate") != 0)
			continue;
		const char *at = strcasestr(value, "digest ");
		if (!at || (at > value && at[-1] != ' ' && at[-1] != ','))
			continue;
		challenge c CS_CLEANUP(challenge_fini) = { 0 };
		any = true;
		read_challenge(at + 7, &c);
		if (!usable(&c) || (best->nonce && rank(best) <= rank(&c)))
			continue;
		challenge_fini(best);
		*best = c;
		c = (challenge){ 0 };
	}
	if (best->nonce)
		return CS_OK;
	return any ? cs_err_set(err, CS_EUNSUPPORTED, "the server asks for a Digest that is not known here: MD5 and SHA-256 are, with qop auth")
		   : cs_err_set(err, CS_ENOTFOUND, "the server does not ask for Digest authentication; use what it asks for");
}

/* H(A:B), and H(A:B:C) where there is a C. */
static void hash_of(const struct algorithm *a, const char *x, const char *y, const char *z, char out[CS_HEX_SIZE])
{
	char *text = cs_xasprintf("%s:%s%s%s", x, y, z ? ":" : "", z ? z : "");
	a->hash(text, strlen(text), out);
	cs_secret_free(text);
}

static void response(const challenge *c, const struct algorithm *a, const cs_digest_login *l, char out[CS_HEX_SIZE])
{
	char ha1[CS_HEX_SIZE], ha2[CS_HEX_SIZE], session[CS_HEX_SIZE];
	hash_of(a, l->user, c->realm, l->password, ha1);
	if (a->session) {
		hash_of(a, ha1, c->nonce, l->cnonce, session);
		memcpy(ha1, session, sizeof ha1);
	}
	hash_of(a, l->method, l->target, NULL, ha2);
	if (!c->qop) {
		hash_of(a, ha1, c->nonce, ha2, out);
	} else {
		char *middle CS_AUTOFREE = cs_xasprintf("%s:%s:%s:auth", c->nonce, count, l->cnonce);
		hash_of(a, ha1, middle, ha2, out);
	}
	explicit_bzero(ha1, sizeof ha1);
}

static void add_quoted(cs_buf *out, const char *name, const char *value)
{
	cs_buf_addf(out, "%s%s=\"", out->len > 7 ? ", " : "", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			cs_buf_addc(out, '\\');
		cs_buf_addc(out, *value);
	}
	cs_buf_addc(out, '"');
}

int cs_digest_answer(const cs_headers *headers, const cs_digest_login *l, char **ret, cs_err *err)
{
	challenge c CS_CLEANUP(challenge_fini) = { 0 };
	cs_buf out CS_AUTOBUF;
	char answer[CS_HEX_SIZE], user[CS_HEX_SIZE];
	cs_buf_init(&out, ANSWER_MAX);
	int rc = choose(headers, &c, err);
	if (rc != CS_OK)
		return rc;
	const struct algorithm *a = &algorithms[rank(&c)];
	bool hashed = c.userhash && strcasecmp(c.userhash, "true") == 0;
	response(&c, a, l, answer);
	hash_of(a, l->user, c.realm, NULL, user);
	cs_buf_adds(&out, "Digest ");
	add_quoted(&out, "username", hashed ? user : l->user);
	add_quoted(&out, "realm", c.realm);
	add_quoted(&out, "nonce", c.nonce);
	add_quoted(&out, "uri", l->target);
	add_quoted(&out, "response", answer);
	if (c.opaque)
		add_quoted(&out, "opaque", c.opaque);
	if (c.algorithm)
		cs_buf_addf(&out, ", algorithm=%s", a->name);
	if (c.qop)
		cs_buf_addf(&out, ", qop=auth, nc=%s, cnonce=\"%s\"", count, l->cnonce);
	if (hashed)
		cs_buf_adds(&out, ", userhash=true");
	if (out.failed)
		return cs_err_set(err, CS_ETOOBIG, "the server's challenge is larger than an answer can be");
	*ret = cs_buf_steal(&out);
	return CS_OK;
}
