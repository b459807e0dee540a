/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the vault's key does, over libsodium: XChaCha20-Poly1305, Argon2id, keyed BLAKE2b. */
#include "vault/vault_priv.h"

#include <sodium.h>
#include <string.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define WRAPPED ((size_t)CS_VAULT_KEY + TAG)
#define DIGEST 32

_Static_assert(CS_VAULT_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES && CS_VAULT_KEY == crypto_kdf_KEYBYTES,
	       "one size of key for all of it");

/* Argon2id as libsodium's "moderate": about a second. What a file asks for is bounded, as it may be a stranger's. */
#define OPS crypto_pwhash_OPSLIMIT_MODERATE
#define MEM crypto_pwhash_MEMLIMIT_MODERATE
enum { OPS_MAX = 16 };
#define MEM_MAX ((int64_t)1 << 30)

enum { FOR_VALUES = 1, FOR_DIGEST = 2 };

static void subkey(const uint8_t key[CS_VAULT_KEY], uint64_t what, uint8_t out[CS_VAULT_KEY])
{
	crypto_kdf_derive_from_key(out, CS_VAULT_KEY, what, "capvault", key);
}

static json_t *hex(const uint8_t *p, size_t n)
{
	CS_AUTOFREE char *text = cs_xcalloc(2 * n + 1, 1);
	cs_hex(p, n, text);
	return json_string(text);
}

/* ---- the key, wrapped ---- */

static const char wrap_ad[] = "capstan vault 1 key";

static json_t *wrap(const uint8_t key[CS_VAULT_KEY], const uint8_t opener[CS_VAULT_KEY])
{
	uint8_t nonce[NONCE], sealed[WRAPPED];
	randombytes_buf(nonce, sizeof nonce);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, key, CS_VAULT_KEY, (const uint8_t *)wrap_ad, sizeof wrap_ad, NULL, nonce,
						   opener);
	return json_pack("{s:o, s:o}", "nonce", hex(nonce, sizeof nonce), "sealed", hex(sealed, sizeof sealed));
}

static bool unwrap(const json_t *doc, const uint8_t opener[CS_VAULT_KEY], uint8_t key[CS_VAULT_KEY])
{
	const json_t *wrapped = json_object_get(doc, "key");
	uint8_t nonce[NONCE], sealed[WRAPPED], opened[CS_VAULT_KEY];
	if (cs_unhex(cs_json_str_or(wrapped, "nonce", ""), nonce, sizeof nonce) < 0 ||
	    cs_unhex(cs_json_str_or(wrapped, "sealed", ""), sealed, sizeof sealed) < 0 ||
	    crypto_aead_xchacha20poly1305_ietf_decrypt(opened, NULL, NULL, sealed, sizeof sealed, (const uint8_t *)wrap_ad, sizeof wrap_ad,
						       nonce, opener) != 0)
		return false;
	memcpy(key, opened, CS_VAULT_KEY);
	sodium_memzero(opened, sizeof opened);
	return true;
}

static int stretch(const char *passphrase, size_t n, const uint8_t *salt, int64_t ops, int64_t mem, uint8_t out[CS_VAULT_KEY], cs_err *err)
{
	if (ops > OPS_MAX || mem > MEM_MAX)
		return cs_err_set(err, CS_EINVAL, "the vault asks for more work than a passphrase is worth; it is damaged or not ours");
	if (crypto_pwhash(out, CS_VAULT_KEY, passphrase, n, salt, (unsigned long long)ops, (size_t)mem, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return cs_err_set(err, CS_ENOMEM, "there is not enough memory to try the passphrase: %lld MiB are needed", (long long)(mem >> 20));
	return CS_OK;
}

int cs_seal_new(const char *passphrase, size_t n, const uint8_t *opener, const char *path, uint8_t key[CS_VAULT_KEY],
		json_t **ret, cs_err *err)
{
	uint8_t salt[crypto_pwhash_SALTBYTES], stretched[CS_VAULT_KEY];
	json_t *unlock;
	if (!opener) {
		randombytes_buf(salt, sizeof salt);
		int rc = stretch(passphrase, n, salt, OPS, MEM, stretched, err);
		if (rc != CS_OK)
			return rc;
		opener = stretched;
		unlock = json_pack("{s:s, s:I, s:I, s:o}", "by", "passphrase", "ops", (json_int_t)OPS, "mem", (json_int_t)MEM, "salt",
				   hex(salt, sizeof salt));
	} else {
		unlock = json_pack("{s:s, s:s}", "by", "file", "path", path);
	}
	randombytes_buf(key, CS_VAULT_KEY);
	json_t *doc = json_pack("{s:s, s:i, s:o, s:o, s:{}}", "capstan", "vault", "version", (int)CS_VAULT_VERSION, "unlock", unlock, "key",
				wrap(key, opener), "secrets");
	sodium_memzero(stretched, sizeof stretched);
	if (!doc)
		return cs_err_set(err, CS_EINVAL, "the key file's path is not UTF-8 text");
	cs_seal_sign(doc, key);
	*ret = doc;
	return CS_OK;
}

int cs_seal_open_passphrase(const json_t *doc, const char *passphrase, size_t n, uint8_t key[CS_VAULT_KEY], cs_err *err)
{
	const json_t *unlock = json_object_get(doc, "unlock");
	uint8_t salt[crypto_pwhash_SALTBYTES], stretched[CS_VAULT_KEY];
	if (strcmp(cs_json_str_or(unlock, "by", ""), "passphrase") != 0)
		return cs_err_set(err, CS_EREFUSED, "this vault is opened by the key file %s, not by a passphrase", cs_json_str_or(unlock, "path", "?"));
	if (cs_unhex(cs_json_str_or(unlock, "salt", ""), salt, sizeof salt) < 0)
		return cs_err_set(err, CS_EINVAL, "the vault is damaged (its salt); nothing was changed: restore the file from a backup");
	int rc = stretch(passphrase, n, salt, cs_json_int_or(unlock, "ops", 0), cs_json_int_or(unlock, "mem", 0), stretched, err);
	if (rc != CS_OK)
		return rc;
	bool right = unwrap(doc, stretched, key);
	sodium_memzero(stretched, sizeof stretched);
	return right ? CS_OK : cs_err_set(err, CS_EREFUSED, "this is not the vault's passphrase; nothing was changed, try again");
}

int cs_seal_open_file(const json_t *doc, const uint8_t *opener, uint8_t key[CS_VAULT_KEY], cs_err *err)
{
	if (unwrap(doc, opener, key))
		return CS_OK;
	return cs_err_set(err, CS_EREFUSED, "the key file does not belong to this vault; restore the one that `vault init` made");
}

/* ---- the whole ---- */

static void digest_of(const json_t *doc, const uint8_t key[CS_VAULT_KEY], uint8_t out[DIGEST])
{
	CS_AUTOJSON json_t *plain = json_copy((json_t *)(uintptr_t)doc);
	CS_AUTOBUF cs_buf text;
	uint8_t mine[CS_VAULT_KEY];
	json_object_del(plain, "digest");
	cs_buf_init(&text, (size_t)64 << 20);
	(void)cs_json_canonical(plain, &text);
	subkey(key, FOR_DIGEST, mine);
	crypto_generichash(out, DIGEST, (const uint8_t *)cs_buf_str(&text), text.len, mine, sizeof mine);
	sodium_memzero(mine, sizeof mine);
}

void cs_seal_sign(json_t *doc, const uint8_t key[CS_VAULT_KEY])
{
	uint8_t digest[DIGEST];
	digest_of(doc, key, digest);
	json_object_set_new(doc, "digest", hex(digest, sizeof digest));
}

int cs_seal_verify(const json_t *doc, const uint8_t key[CS_VAULT_KEY], cs_err *err)
{
	uint8_t have[DIGEST], want[DIGEST];
	digest_of(doc, key, want);
	if (cs_unhex(cs_json_str_or(doc, "digest", ""), have, sizeof have) == CS_OK && sodium_memcmp(have, want, sizeof want) == 0)
		return CS_OK;
	return cs_err_set(err, CS_EREFUSED, "the vault was changed by something that does not have its key; nothing is read from it: restore the file from a backup");
}

/* ---- one value ---- */

static char *value_ad(const char *name, int64_t set)
{
	return cs_xasprintf("capstan vault 1 secret %s %lld", name, (long long)set);
}

json_t *cs_seal_value(const char *name, const char *value, size_t n, int64_t now_ms, const uint8_t key[CS_VAULT_KEY])
{
	uint8_t nonce[NONCE], mine[CS_VAULT_KEY];
	CS_AUTOFREE uint8_t *sealed = cs_xcalloc(n + TAG, 1);
	CS_AUTOFREE char *ad = value_ad(name, now_ms);
	randombytes_buf(nonce, sizeof nonce);
	subkey(key, FOR_VALUES, mine);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, (const uint8_t *)value, n, (const uint8_t *)ad, strlen(ad), NULL, nonce, mine);
	sodium_memzero(mine, sizeof mine);
	return json_pack("{s:I, s:o, s:o}", "set", (json_int_t)now_ms, "nonce", hex(nonce, sizeof nonce), "sealed", hex(sealed, n + TAG));
}

int cs_seal_unvalue(const char *name, const json_t *entry, const uint8_t key[CS_VAULT_KEY], char **ret, size_t *ret_n, cs_err *err)
{
	const char *text = cs_json_str_or(entry, "sealed", "");
	size_t n = strlen(text) / 2;
	uint8_t nonce[NONCE], mine[CS_VAULT_KEY];
	CS_AUTOFREE uint8_t *sealed = cs_xcalloc(n + 1, 1);
	CS_AUTOFREE char *ad = value_ad(name, cs_json_int_or(entry, "set", 0));
	char *value = cs_xcalloc(n + 1, 1);
	subkey(key, FOR_VALUES, mine);
	bool ok = n >= TAG && cs_unhex(text, sealed, n) == CS_OK && cs_unhex(cs_json_str_or(entry, "nonce", ""), nonce, sizeof nonce) == CS_OK &&
		  crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)value, NULL, NULL, sealed, n, (const uint8_t *)ad, strlen(ad), nonce,
							     mine) == 0;
	sodium_memzero(mine, sizeof mine);
	if (!ok) {
		free(value);
		return cs_err_set(err, CS_EREFUSED, "the secret %s was not sealed with this vault's key; set it again: capstan vault set %s", name, name);
	}
	*ret = value;
	*ret_n = n - TAG;
	return CS_OK;
}
