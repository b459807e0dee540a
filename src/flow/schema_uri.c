/* SPDX-License-Identifier: GPL-3.0-or-later */
/* References against base URIs: RFC 3986, sections 5.2 and 5.3. */
#include <string.h>
#include "base/ascii.h"
#include "base/mem.h"
#include "flow/schema_in.h"

/* A slice of the reference; no text (NULL) is not the same as empty text. */
typedef struct part {
	const char *s;
	size_t n;
} part;

typedef struct uri {
	part scheme, authority, path, query;
} uri;

static bool is_scheme_char(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return !first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.');
}

static size_t scheme_len(const char *s)
{
	size_t n = 0;

	while (is_scheme_char(s[n], n == 0))
		n++;
	return n > 0 && s[n] == ':' ? n : 0;
}

static uri split(const char *s)
{
	uri u = { 0 };
	size_t n = scheme_len(s);

	if (n > 0) {
		u.scheme = (part) { s, n };
		s += n + 1;
	}
	if (s[0] == '/' && s[1] == '/') {
		n = strcspn(s + 2, "/?#");
		u.authority = (part) { s + 2, n };
		s += 2 + n;
	}
	n = strcspn(s, "?#");
	u.path = (part) { s, n };
	s += n;
	if (*s == '?')
		u.query = (part) { s + 1, strcspn(s + 1, "#") };
	return u;
}

static size_t last_slash(const char *s, size_t n)
{
	while (n > 0 && s[n - 1] != '/')
		n--;
	return n;
}

/* Section 5.2.4, segment by segment, in place. */
static void remove_dots(char *path)
{
	char *out = path;
	const char *in = path;

	while (*in != '\0') {
		const char *seg = in;
		size_t lead = *in == '/' ? 1 : 0;
		size_t n = strcspn(in + lead, "/");
		bool dot = n == 1 && seg[lead] == '.';
		bool dots = n == 2 && seg[lead] == '.' && seg[lead + 1] == '.';
		bool last = in[lead + n] == '\0';

		in += lead + n;
		if (dots && out > path) {
			out = path + last_slash(path, (size_t)(out - path));
			if (out > path)
				out--;   /* its slash goes too */
		}
		if ((dot || dots) && last && lead > 0)
			*out++ = '/';
		if (dot || dots)
			continue;
		memmove(out, seg, lead + n);
		out += lead + n;
	}
	*out = '\0';
}

static char *merge(const uri *base, part path)
{
	size_t keep = last_slash(base->path.s, base->path.n);
	const char *slash = base->authority.s != NULL && base->path.n == 0 ? "/" : "";

	return cs_xasprintf("%s%.*s%.*s", slash, (int)keep, base->path.s, (int)path.n, path.s);
}

static char *compose(const uri *u, const char *path)
{
	return cs_xasprintf("%.*s%s%s%.*s%s%s%.*s",
			    (int)u->scheme.n, u->scheme.s != NULL ? u->scheme.s : "", u->scheme.s != NULL ? ":" : "",
			    u->authority.s != NULL ? "//" : "", (int)u->authority.n, u->authority.s != NULL ? u->authority.s : "",
			    path, u->query.s != NULL ? "?" : "", (int)u->query.n, u->query.s != NULL ? u->query.s : "");
}

char *cs_uri_resolve(const char *base, const char *ref)
{
	uri b = split(base), r = split(ref), t = r;
	CS_AUTOFREE char *path = NULL;

	if (r.scheme.s != NULL || r.authority.s != NULL || (r.path.n > 0 && r.path.s[0] == '/')) {
		path = cs_xstrndup(r.path.s, r.path.n);
	} else if (r.path.n > 0) {
		path = merge(&b, r.path);
	} else {
		/* The base's own path, as it stands: a URN has no segments to tidy. */
		path = cs_xstrndup(b.path.s, b.path.n);
		t.query = r.query.s != NULL ? r.query : b.query;
	}
	if (r.scheme.s == NULL) {
		t.scheme = b.scheme;
		if (r.authority.s == NULL)
			t.authority = b.authority;
	}
	if (r.path.n > 0 && (path[0] == '/' || t.scheme.s == NULL))
		remove_dots(path);
	return compose(&t, path);
}

char *cs_uri_fragment(const char *ref)
{
	const char *s = strchr(ref, '#');
	CS_AUTOFREE char *out = cs_xstrdup(s != NULL ? s + 1 : "");
	char *to = out;

	for (const char *from = out; *from != '\0'; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		int high = cs_ascii_hex(from[1]), low = high >= 0 ? cs_ascii_hex(from[2]) : -1;

		if (low < 0 || (high == 0 && low == 0))
			return NULL;
		*to++ = (char)(high * 16 + low);
		from += 2;
	}
	*to = '\0';
	return CS_STEAL(out);
}
