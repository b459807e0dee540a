/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/mem.h"

struct cs_sha256 {
	EVP_MD_CTX *ctx;
};

/* Fetching an algorithm takes longer than hashing an event; once is enough for the process. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MAC *hmac;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	/* A libcrypto without SHA-256 cannot run this program at all. */
	if (!sha256 || !hmac)
		abort();
}

static void must(int ok)
{
	if (!ok)
		abort();
}

static EVP_MD_CTX *new_ctx(void)
{
	must(pthread_once(&once, fetch) == 0);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	must(ctx && EVP_DigestInit_ex2(ctx, sha256, NULL));
	return ctx;
}

cs_sha256 *cs_sha256_new(void)
{
	cs_sha256 *h = cs_xcalloc(1, sizeof *h);
	h->ctx = new_ctx();
	return h;
}

void cs_sha256_free(cs_sha256 *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void cs_sha256_begin(cs_sha256 *h)
{
	must(EVP_DigestInit_ex2(h->ctx, NULL, NULL));
}

void cs_sha256_add(cs_sha256 *h, const void *p, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, p, n));
}

void cs_sha256_end(cs_sha256 *h, uint8_t out[CS_HASH_LEN])
{
	unsigned len = 0;
	must(EVP_DigestFinal_ex(h->ctx, out, &len) && len == CS_HASH_LEN);
}

void cs_hash(const void *p, size_t n, uint8_t out[CS_HASH_LEN])
{
	cs_sha256 h = { new_ctx() };
	cs_sha256_add(&h, p, n);
	cs_sha256_end(&h, out);
	EVP_MD_CTX_free(h.ctx);
}

void cs_hash_hex(const void *p, size_t n, char out[CS_HEX_SIZE])
{
	uint8_t hash[CS_HASH_LEN];
	cs_hash(p, n, hash);
	cs_hex(hash, sizeof hash, out);
}

void cs_md5_hex(const void *p, size_t n, char *out)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	must(EVP_Digest(p, n, digest, &len, EVP_md5(), NULL));
	cs_hex(digest, len, out);
}

void cs_hmac(const void *key, size_t key_len, const void *p, size_t n, uint8_t out[CS_HASH_LEN])
{
	must(pthread_once(&once, fetch) == 0);
	char name[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);
	/* A NULL key would mean "the key of before" to libcrypto. */
	must(ctx && EVP_MAC_init(ctx, key_len ? key : (const void *)"", key_len, params));
	size_t len = 0;
	must(EVP_MAC_update(ctx, p, n));
	must(EVP_MAC_final(ctx, out, &len, CS_HASH_LEN) && len == CS_HASH_LEN);
	EVP_MAC_CTX_free(ctx);
}

void cs_hex(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}

int cs_unhex(const char *s, uint8_t *out, size_t n)
{
	if (strnlen(s, 2 * n + 1) != 2 * n)
		return CS_EINVAL;
	for (size_t i = 0; i < 2 * n; i++)
		if (cs_ascii_hex(s[i]) < 0)
			return CS_EINVAL;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(cs_ascii_hex(s[2 * i]) << 4 | cs_ascii_hex(s[2 * i + 1]));
	return 0;
}

char *cs_base64(const void *p, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = p;
	if (n > SIZE_MAX / 2)
		abort();
	char *out = cs_xcalloc(1, (n + 2) / 3 * 4 + 1), *o = out;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;
		v |= i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0;
		v |= i + 2 < n ? (uint32_t)in[i + 2] : 0;
		*o++ = alphabet[v >> 18];
		*o++ = alphabet[v >> 12 & 63];
		*o++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
		*o++ = i + 2 < n ? alphabet[v & 63] : '=';
	}
	return out;
}
