/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A growing byte buffer that must be told its maximum. Always NUL-terminated after a
 * successful call (the NUL is not counted). After the first failure every later call fails
 * the same way, so a caller may check once at the end. */
#ifndef CS_BASE_BUF_H
#define CS_BASE_BUF_H

#include <stddef.h>
#include <stdarg.h>
#include "base/err.h"

typedef struct cs_buf {
	char *data;      /* NULL until something is added */
	size_t len, cap, max;
	int failed;      /* 0, CS_ETOOBIG or CS_ENOMEM */
} cs_buf;

void cs_buf_init(cs_buf *b, size_t max);
void cs_buf_fini(cs_buf *b);                      /* frees; as after init */
void cs_buf_reset(cs_buf *b);                     /* length 0, memory kept, failure cleared */
int cs_buf_add(cs_buf *b, const void *p, size_t n);
int cs_buf_adds(cs_buf *b, const char *s);
int cs_buf_addc(cs_buf *b, char c);
int cs_buf_addf(cs_buf *b, const char *fmt, ...) CS_PRINTF(2, 3);
const char *cs_buf_str(const cs_buf *b);          /* "" when empty; borrowed */
char *cs_buf_steal(cs_buf *b);                    /* malloc'ed string, never NULL; buffer emptied */
#define CS_AUTOBUF CS_CLEANUP(cs_buf_fini)

#endif
