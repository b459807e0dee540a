/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum style { COMPACT, PRETTY, CANONICAL };

struct member {
	const char *key;
	size_t key_len;
	const json_t *value;
};

/* A container being written. Sorted members lie in writer.members from BASE on. */
struct frame {
	const json_t *v;
	void *iter;
	size_t next, end, base;
};

/* The stack is the heap's, not the thread's: depth is bounded by the memory of the output, which
 * holds at least one byte a level. */
struct writer {
	cs_buf *out;
	enum style style;
	struct frame *frames, few_frames[24];
	size_t depth, frames_cap;
	struct member *members, few_members[48];
	size_t members_len, members_cap;
};

static int write_string(cs_buf *out, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	static const char named[32] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
	size_t start = 0;
	cs_buf_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		cs_buf_add(out, s + start, i - start);
		start = i + 1;
		char escape[6] = { '\\', (char)c };
		size_t n = 2;
		if (c < 0x20 && named[c]) {
			escape[1] = named[c];
		} else if (c < 0x20) {
			memcpy(escape, "\\u00", 4);
			escape[4] = hex[c >> 4];
			escape[5] = hex[c & 15];
			n = 6;
		}
		cs_buf_add(out, escape, n);
	}
	cs_buf_add(out, s + start, len - start);
	return cs_buf_addc(out, '"');
}

static int write_integer(cs_buf *out, json_int_t i)
{
	char text[24], *p = text + sizeof text;
	unsigned long long v = i < 0 ? 0 - (unsigned long long)i : (unsigned long long)i;
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	if (i < 0)
		*--p = '-';
	return cs_buf_add(out, p, (size_t)(text + sizeof text - p));
}

static int write_real(cs_buf *out, double d)
{
	char text[32];
	int n = cs_json_number(d, text, sizeof text);
	/* Jansson makes no reals that are not finite; JSON has no word for them. */
	if (n < 0)
		return out->failed ? out->failed : (out->failed = CS_EINVAL);
	return cs_buf_add(out, text, (size_t)n);
}

static int write_scalar(cs_buf *out, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		return write_string(out, json_string_value(v), json_string_length(v));
	case JSON_INTEGER:
		return write_integer(out, json_integer_value(v));
	case JSON_REAL:
		return write_real(out, json_real_value(v));
	case JSON_TRUE:
		return cs_buf_add(out, "true", 4);
	case JSON_FALSE:
		return cs_buf_add(out, "false", 5);
	default:
		return cs_buf_add(out, "null", 4);
	}
}

/* Order by UTF-16 code units: that of the bytes, but for the characters beyond U+FFFF (bytes from
 * F0), whose surrogates sort before U+E000 to U+FFFF (bytes EE and EF). */
static int by_utf16(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t n = x->key_len < y->key_len ? x->key_len : y->key_len, i = 0;
	while (i < n && x->key[i] == y->key[i])
		i++;
	if (i == n)
		return (x->key_len > y->key_len) - (x->key_len < y->key_len);
	unsigned char p = (unsigned char)x->key[i], q = (unsigned char)y->key[i];
	if (p >= 0xEE && q >= 0xEE && (p >= 0xF0) != (q >= 0xF0))
		return p >= 0xF0 ? -1 : 1;
	return p < q ? -1 : 1;
}

static void sort(struct member *m, size_t n)
{
	if (n > 16) {
		qsort(m, n, sizeof *m, by_utf16);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct member x = m[i];
		size_t j = i;
		for (; j > 0 && by_utf16(&m[j - 1], &x) > 0; j--)
			m[j] = m[j - 1];
		m[j] = x;
	}
}

/* Room for NEED items in an array that starts as FEW inside the writer. */
static void *grow(void *items, const void *few, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return items;
	size_t more = *cap * 2 > need ? *cap * 2 : need;
	void *p = items == few ? malloc(more * size) : realloc(items, more * size);
	if (p && items == few)
		memcpy(p, few, *cap * size);
	if (p)
		*cap = more;
	return p;
}

static int out_of_memory(struct writer *w)
{
	return w->out->failed = CS_ENOMEM;
}

static int gather_sorted(struct writer *w, struct frame *f)
{
	json_t *v = (json_t *)f->v;
	size_t n = json_object_size(v);
	void *p = grow(w->members, w->few_members, &w->members_cap, w->members_len + n, sizeof *w->members);
	if (!p)
		return out_of_memory(w);
	w->members = p;
	f->base = f->next = w->members_len;
	for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it))
		w->members[w->members_len++] =
			(struct member){ json_object_iter_key(it), json_object_iter_key_len(it), json_object_iter_value(it) };
	f->end = w->members_len;
	sort(w->members + f->base, n);
	return 0;
}

static int open_container(struct writer *w, const json_t *v)
{
	bool object = json_is_object(v);
	size_t n = object ? json_object_size(v) : json_array_size(v);
	if (n == 0)
		return cs_buf_add(w->out, object ? "{}" : "[]", 2);
	void *p = grow(w->frames, w->few_frames, &w->frames_cap, w->depth + 1, sizeof *w->frames);
	if (!p)
		return out_of_memory(w);
	w->frames = p;
	struct frame *f = &w->frames[w->depth++];
	*f = (struct frame){ .v = v, .end = n, .base = w->members_len };
	cs_buf_addc(w->out, object ? '{' : '[');
	if (object && w->style == CANONICAL)
		return gather_sorted(w, f);
	if (object)
		f->iter = json_object_iter((json_t *)v);
	return w->out->failed;
}

static int begin(struct writer *w, const json_t *v)
{
	return json_is_object(v) || json_is_array(v) ? open_container(w, v) : write_scalar(w->out, v);
}

static void line(struct writer *w)
{
	if (w->style != PRETTY)
		return;
	cs_buf_addc(w->out, '\n');
	for (size_t i = 0; i < w->depth; i++)
		cs_buf_add(w->out, "  ", 2);
}

/* The next member of the object of F, or element of its array. */
static struct member next_of(struct writer *w, struct frame *f)
{
	struct member m = { 0 };
	if (json_is_array(f->v)) {
		m.value = json_array_get(f->v, f->next);
	} else if (w->style == CANONICAL) {
		m = w->members[f->next];
	} else {
		m = (struct member){ json_object_iter_key(f->iter), json_object_iter_key_len(f->iter),
				     json_object_iter_value(f->iter) };
		f->iter = json_object_iter_next((json_t *)f->v, f->iter);
	}
	f->next++;
	return m;
}

static int step(struct writer *w)
{
	struct frame *f = &w->frames[w->depth - 1];
	bool object = json_is_object(f->v);
	if (f->next == f->end) {
		w->members_len = f->base;
		w->depth--;
		line(w);
		return cs_buf_addc(w->out, object ? '}' : ']');
	}
	bool first = f->next == (object && w->style == CANONICAL ? f->base : 0);
	if (!first)
		cs_buf_addc(w->out, ',');
	line(w);
	struct member m = next_of(w, f);
	if (m.key) {
		write_string(w->out, m.key, m.key_len);
		cs_buf_add(w->out, ": ", w->style == PRETTY ? 2 : 1);
	}
	return begin(w, m.value);
}

static int write_value(const json_t *v, cs_buf *out, enum style style)
{
	struct writer w;
	/* Not an initialiser: the small arrays are large enough to be worth not clearing. */
	w.out = out;
	w.style = style;
	w.frames = w.few_frames;
	w.frames_cap = CS_ARRAY_LEN(w.few_frames);
	w.members = w.few_members;
	w.members_cap = CS_ARRAY_LEN(w.few_members);
	w.depth = w.members_len = 0;
	int r = out->failed ? out->failed : begin(&w, v);
	while (r >= 0 && w.depth > 0)
		r = step(&w);
	if (w.frames != w.few_frames)
		free(w.frames);
	if (w.members != w.few_members)
		free(w.members);
	return r;
}

int cs_json_write(const json_t *v, cs_buf *out)
{
	return write_value(v, out, COMPACT);
}

int cs_json_write_pretty(const json_t *v, cs_buf *out)
{
	return write_value(v, out, PRETTY);
}

int cs_json_canonical(const json_t *v, cs_buf *out)
{
	return write_value(v, out, CANONICAL);
}

char *cs_json_text(const json_t *v)
{
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, SIZE_MAX);
	if (cs_json_write(v, &b) < 0)
		abort();
	return cs_buf_steal(&b);
}

void cs_json_digest(const json_t *v, char ret_hex[65])
{
	CS_AUTOBUF cs_buf b;
	cs_buf_init(&b, SIZE_MAX);
	if (cs_json_canonical(v, &b) < 0)
		abort();
	cs_hash_hex(b.data, b.len, ret_hex);
}
