/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/mask.h"

#include <stdlib.h>
#include <string.h>
#include "base/ascii.h"
#include "base/hash.h"
#include "base/mem.h"

enum { SHIFTS = 3 };

/* One secret, and its base64 as it stands after 0, 1 or 2 bytes of something else. */
struct needle {
	char *bytes;
	size_t n;
	char *base64[SHIFTS];
};

struct cs_mask {
	struct needle *list;
	size_t n;
};

cs_mask *cs_mask_new(void)
{
	return cs_xcalloc(1, sizeof(cs_mask));
}

void cs_mask_free(cs_mask *m)
{
	for (size_t i = 0; m && i < m->n; i++) {
		cs_secret_free(m->list[i].bytes);
		for (int k = 0; k < SHIFTS; k++)
			cs_secret_free(m->list[i].base64[k]);
	}
	if (m)
		free(m->list);
	free(m);
}

void cs_mask_freep(cs_mask **m)
{
	cs_mask_free(*m);
	*m = NULL;
}

bool cs_mask_empty(const cs_mask *m)
{
	return !m || m->n == 0;
}

/* The characters that are the secret's alone: those at the ends hold bits of their neighbours. */
static char *shifted(const char *s, size_t n, size_t shift)
{
	char *padded = cs_xcalloc(n + shift + 1, 1);
	memcpy(padded + shift, s, n);
	char *whole = cs_base64(padded, n + shift);
	size_t from = (8 * shift + 5) / 6, to = 8 * (shift + n) / 6;
	char *inner = cs_xstrndup(whole + from, to - from);
	explicit_bzero(padded, n + shift);
	free(padded);
	cs_secret_free(whole);
	return inner;
}

void cs_mask_add(cs_mask *m, const char *secret)
{
	size_t n = strlen(secret);
	if (n < CS_SECRET_MIN)
		return;
	m->list = cs_xrealloc(m->list, (m->n + 1) * sizeof *m->list);
	struct needle *x = &m->list[m->n++];
	*x = (struct needle){ .bytes = cs_xstrdup(secret), .n = n };
	for (int k = 0; k < SHIFTS; k++)
		x->base64[k] = shifted(secret, n, (size_t)k);
}

/* ---- forms ---- */

/* The byte that two hex digits at S say, or -1. */
static int hex_byte(const char *s)
{
	int high = cs_ascii_hex(s[0]), low = cs_ascii_hex(s[1]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* An escape of JSON at S, of at least two bytes: \uXXXX or a short one. */
static size_t escaped_byte(unsigned char c, const char *s, size_t n)
{
	static const char escaped[] = "\"\\/\b\f\n\r\t", letters[] = "\"\\/bfnrt";
	if (s[1] == 'u')
		return n >= 6 && s[2] == '0' && s[3] == '0' && hex_byte(s + 4) == c ? 6 : 0;
	const char *at = strchr(letters, s[1]);
	return at && s[1] && (unsigned char)escaped[at - letters] == c ? 2 : 0;
}

/* Bytes that stand for C at S: C itself, %XX, an escape of JSON, + for a space. 0: none. */
static size_t one_byte(unsigned char c, const char *s, size_t n)
{
	if (n == 0)
		return 0;
	if (((unsigned char)s[0] == c && c != '\\') || (s[0] == '+' && c == ' '))
		return 1;
	if (s[0] == '%' && n >= 3)
		return hex_byte(s + 1) == c ? 3 : 0;
	return s[0] == '\\' && n >= 2 ? escaped_byte(c, s, n) : 0;
}

static size_t as_text(const struct needle *x, const char *s, size_t n)
{
	size_t at = 0;
	if (n >= x->n && memcmp(s, x->bytes, x->n) == 0)
		return x->n;
	for (size_t i = 0; i < x->n; i++) {
		size_t k = one_byte((unsigned char)x->bytes[i], s + at, n - at);
		if (k == 0)
			return 0;
		at += k;
	}
	return at;
}

static size_t as_hex(const struct needle *x, const char *s, size_t n)
{
	if (n / 2 < x->n)
		return 0;
	for (size_t i = 0; i < x->n; i++)
		if (cs_ascii_hex(s[2 * i]) != (unsigned char)x->bytes[i] >> 4 || cs_ascii_hex(s[2 * i + 1]) != ((unsigned char)x->bytes[i] & 15))
			return 0;
	return 2 * x->n;
}

static size_t as_base64(const struct needle *x, const char *s, size_t n)
{
	for (int k = 0; k < SHIFTS; k++) {
		const char *want = x->base64[k];
		size_t i = 0;
		while (i < n && want[i] && (s[i] == want[i] || (s[i] == '-' && want[i] == '+') || (s[i] == '_' && want[i] == '/')))
			i++;
		if (!want[i])
			return i;
	}
	return 0;
}

/* Length of the secret that begins at S; 0: none does. */
static size_t found(const cs_mask *m, const char *s, size_t n)
{
	static size_t (*const forms[])(const struct needle *x, const char *s, size_t n) = { as_text, as_hex, as_base64 };
	size_t longest = 0;
	for (size_t i = 0; i < m->n; i++)
		for (size_t f = 0; f < CS_ARRAY_LEN(forms); f++) {
			size_t len = forms[f](&m->list[i], s, n);
			longest = len > longest ? len : longest;
		}
	return longest;
}

/* ---- places ---- */

int cs_mask_bytes(const cs_mask *m, const char *s, size_t n, cs_buf *out, bool *ret_found)
{
	size_t from = 0;
	bool any = false;
	for (size_t i = 0; !cs_mask_empty(m) && i < n;) {
		size_t len = found(m, s + i, n - i);
		if (len == 0) {
			i++;
			continue;
		}
		any = true;
		cs_buf_add(out, s + from, i - from);
		cs_buf_adds(out, CS_MASK);
		i += len;
		from = i;
	}
	cs_buf_add(out, s + from, n - from);
	if (ret_found)
		*ret_found = any;
	return out->failed;
}

/* A masked text is at most so much longer: the shortest secret gives way to the mask. */
static size_t room(size_t n)
{
	return n * sizeof CS_MASK + 64;
}

char *cs_mask_text(const cs_mask *m, const char *s)
{
	cs_buf out CS_AUTOBUF;
	cs_buf_init(&out, room(strlen(s)));
	cs_mask_bytes(m, s, strlen(s), &out, NULL);
	return cs_buf_steal(&out);
}

static json_t *mask_string(const cs_mask *m, json_t *v)
{
	cs_buf out CS_AUTOBUF;
	bool any = false;
	cs_buf_init(&out, room(json_string_length(v)));
	cs_mask_bytes(m, json_string_value(v), json_string_length(v), &out, &any);
	if (!any)
		return json_incref(v);
	/* A place may end in the middle of a character only where the text was none to begin with. */
	json_t *masked = json_stringn(cs_buf_str(&out), out.len);
	return masked ? masked : json_string(CS_MASK);
}

static json_t *mask_object(const cs_mask *m, json_t *v)
{
	json_t *out = json_object(), *member;
	const char *name;
	bool same = true;
	json_object_foreach(v, name, member) {
		char *shown CS_AUTOFREE = cs_mask_text(m, name);
		json_t *masked = cs_mask_json(m, member);
		same = same && masked == member && strcmp(shown, name) == 0;
		if (json_object_set_new(out, shown, masked) < 0)
			json_object_set_new(out, CS_MASK, json_null());
	}
	if (!same)
		return out;
	json_decref(out);
	return json_incref(v);
}

static json_t *mask_array(const cs_mask *m, json_t *v)
{
	json_t *out = json_array(), *item;
	size_t i;
	bool same = true;
	json_array_foreach(v, i, item) {
		json_t *masked = cs_mask_json(m, item);
		same = same && masked == item;
		json_array_append_new(out, masked);
	}
	if (!same)
		return out;
	json_decref(out);
	return json_incref(v);
}

json_t *cs_mask_json(const cs_mask *m, json_t *v)
{
	if (cs_mask_empty(m) || !v)
		return json_incref(v);
	switch (json_typeof(v)) {
	case JSON_STRING:
		return mask_string(m, v);
	case JSON_OBJECT:
		return mask_object(m, v);
	case JSON_ARRAY:
		return mask_array(m, v);
	default:
		return json_incref(v);
	}
}
