/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void cs_buf_init(cs_buf *b, size_t max)
{
	/* One byte is kept for the NUL, so the arithmetic below cannot wrap. */
	*b = (cs_buf){ .max = max < SIZE_MAX / 4 ? max : SIZE_MAX / 4 };
}

void cs_buf_fini(cs_buf *b)
{
	free(b->data);
	cs_buf_init(b, b->max);
}

void cs_buf_reset(cs_buf *b)
{
	b->len = 0;
	b->failed = 0;
	if (b->data)
		b->data[0] = '\0';
}

/* There is room for N more bytes and the NUL: all but a few of the calls end here. */
static inline bool fits(const cs_buf *b, size_t n)
{
	return !b->failed && n < b->cap - b->len;
}

/* Makes room for N more bytes and the NUL. */
static int reserve(cs_buf *b, size_t n)
{
	if (b->failed)
		return b->failed;
	if (n > b->max - b->len)
		return b->failed = CS_ETOOBIG;
	size_t need = b->len + n + 1;
	if (need <= b->cap)
		return 0;
	size_t cap = b->cap ? b->cap * 2 : 64;
	if (cap < need)
		cap = need;
	if (cap > b->max + 1)
		cap = b->max + 1;
	char *p = realloc(b->data, cap);
	if (!p)
		return b->failed = CS_ENOMEM;
	b->data = p;
	b->cap = cap;
	return 0;
}

int cs_buf_add(cs_buf *b, const void *p, size_t n)
{
	int r = fits(b, n) ? 0 : reserve(b, n);
	if (r < 0)
		return r;
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
	return 0;
}

int cs_buf_adds(cs_buf *b, const char *s)
{
	return cs_buf_add(b, s, strlen(s));
}

int cs_buf_addc(cs_buf *b, char c)
{
	if (!fits(b, 1))
		return cs_buf_add(b, &c, 1);
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
	return 0;
}

int cs_buf_addf(cs_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	int r = n < 0 ? (b->failed = CS_EINVAL) : reserve(b, (size_t)n);
	if (r == 0) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	return r;
}

const char *cs_buf_str(const cs_buf *b)
{
	return b->data ? b->data : "";
}

char *cs_buf_steal(cs_buf *b)
{
	char *s = b->data ? CS_STEAL(b->data) : cs_xstrdup("");
	cs_buf_init(b, b->max);
	return s;
}
