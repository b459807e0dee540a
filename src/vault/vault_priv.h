/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the vault: its file as JSON, and what its key does to it. */
#ifndef CS_VAULT_VAULT_PRIV_H
#define CS_VAULT_VAULT_PRIV_H

#include "base/json.h"
#include "vault/vault.h"

enum { CS_VAULT_VERSION = 1, CS_VAULT_ENTRIES = 1000 };

/* ---- vault_file.c: the document, without the key ---- */
/* Reads and checks the form of everything in it. */
int cs_vault_file_read(const char *path, json_t **ret, cs_err *err);
int cs_vault_file_write(const char *path, const json_t *doc, cs_err *err);

/* ---- vault_seal.c: the key's part ---- */
/* A new document with a random key (into KEY), wrapped by the passphrase, or by OPENER, the bytes of the
 * file at PATH. */
int cs_seal_new(const char *passphrase, size_t n, const uint8_t *opener, const char *path, uint8_t key[CS_VAULT_KEY],
		json_t **ret, cs_err *err);
/* The key out of DOC. CS_EREFUSED: another passphrase, another file. */
int cs_seal_open_passphrase(const json_t *doc, const char *passphrase, size_t n, uint8_t key[CS_VAULT_KEY], cs_err *err);
int cs_seal_open_file(const json_t *doc, const uint8_t *opener, uint8_t key[CS_VAULT_KEY], cs_err *err);
/* Does KEY belong to DOC as it stands? CS_EREFUSED: no, or DOC was changed without it. */
int cs_seal_verify(const json_t *doc, const uint8_t key[CS_VAULT_KEY], cs_err *err);
/* Puts the digest that cs_seal_verify compares. */
void cs_seal_sign(json_t *doc, const uint8_t key[CS_VAULT_KEY]);
json_t *cs_seal_value(const char *name, const char *value, size_t n, int64_t now_ms, const uint8_t key[CS_VAULT_KEY]);
int cs_seal_unvalue(const char *name, const json_t *entry, const uint8_t key[CS_VAULT_KEY], char **ret, size_t *ret_n, cs_err *err);

#endif
