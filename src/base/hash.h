/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256, HMAC-SHA-256, hex and base64, over libcrypto. */
#ifndef CS_BASE_HASH_H
#define CS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define CS_HASH_LEN 32
#define CS_HEX_SIZE 65

/* A reusable hasher: one allocation for a lifetime of hashes. */
typedef struct cs_sha256 cs_sha256;
cs_sha256 *cs_sha256_new(void);
void cs_sha256_free(cs_sha256 *h);
void cs_sha256_begin(cs_sha256 *h);
void cs_sha256_add(cs_sha256 *h, const void *p, size_t n);
void cs_sha256_end(cs_sha256 *h, uint8_t out[CS_HASH_LEN]);   /* then begin again */

void cs_hash(const void *p, size_t n, uint8_t out[CS_HASH_LEN]);
void cs_hash_hex(const void *p, size_t n, char out[CS_HEX_SIZE]);
/* MD5 as 32 hex digits plus NUL: for protocols that have nothing better, never for our own. */
void cs_md5_hex(const void *p, size_t n, char *out);
void cs_hmac(const void *key, size_t key_len, const void *p, size_t n, uint8_t out[CS_HASH_LEN]);
void cs_hex(const uint8_t *p, size_t n, char *out);           /* 2n digits plus NUL */
int cs_unhex(const char *s, uint8_t *out, size_t n);          /* exactly 2n digits, or CS_EINVAL */
/* malloc'ed standard base64 with padding. */
char *cs_base64(const void *p, size_t n);

#endif
