/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vault: named secrets of a workspace in one file, `vault` in its state folder. Names and dates can be
 * read by whoever may read the file; values only with the vault's key, which a passphrase or a key file
 * opens. One object may be used by several threads; the file by several processes.
 *
 * The file is JSON, 0600, replaced whole. The key is random, wrapped by what opens it: Argon2id of the
 * passphrase (RFC 9106), or the bytes of the key file. Each value is sealed by XChaCha20-Poly1305 with the
 * name and the date as associated data, and the whole file has a keyed digest, so that an entry taken out,
 * put back or given another name is noticed when the vault is opened. An unlocked vault keeps its key in
 * locked memory, and the process makes no core from then on. */
#ifndef CS_VAULT_VAULT_H
#define CS_VAULT_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/mask.h"

#define CS_VAULT_FILE "vault"
#define CS_VAULT_KEY 32                      /* bytes of its key */
#define CS_SECRET_MAX ((size_t)8 << 10)

typedef struct cs_vault cs_vault;

/* Reads nothing yet; a vault need not be there. Never fails. */
cs_vault *cs_vault_new(const char *state_dir);
void cs_vault_free(cs_vault *v);             /* takes NULL; forgets the key */
void cs_vault_freep(cs_vault **v);

/* Makes the file and leaves the vault unlocked. CS_EREFUSED when there is one. An empty passphrase is
 * CS_EINVAL. */
int cs_vault_create(cs_vault *v, const char *passphrase, size_t n, cs_err *err);
/* The same, opened by a file of random bytes that is made at PATH (absolute, 0600); CS_EREFUSED when that
 * file is there already. The vault remembers where it is. */
int cs_vault_create_with_file(cs_vault *v, const char *path, cs_err *err);

/* Each of the following first looks whether the file was changed by another process and reads it again
 * then. CS_ENOTFOUND: there is no vault (the message names `capstan vault init`). CS_EINVAL: it is
 * damaged; CS_EUNSUPPORTED: of a newer version. Nothing is written in these cases. */

/* CS_OK: there is one that can be read. */
int cs_vault_look(cs_vault *v, cs_err *err);
/* The key file's path, malloc'ed; NULL: it opens by a passphrase, or is not there. */
char *cs_vault_key_file(cs_vault *v);
bool cs_vault_unlocked(cs_vault *v);
/* Takes about a second and 256 MiB. CS_EREFUSED: another passphrase. */
int cs_vault_unlock(cs_vault *v, const char *passphrase, size_t n, cs_err *err);
/* By its key file. CS_EREFUSED: it is not opened so, or the file is another's. */
int cs_vault_unlock_with_file(cs_vault *v, cs_err *err);
/* By the key itself, from a process that has unlocked it. */
int cs_vault_unlock_with_key(cs_vault *v, const uint8_t key[CS_VAULT_KEY], cs_err *err);
/* Copies the key out, for such another process; CS_EUNAVAIL when locked. */
int cs_vault_key(cs_vault *v, uint8_t out[CS_VAULT_KEY], cs_err *err);
void cs_vault_lock(cs_vault *v);

/* Letters, digits, - and _, 63 at most. */
bool cs_vault_name_ok(const char *name);
/* CS_OK: there is a secret of that name; CS_ENOTFOUND: there is none, or no vault. Needs no key. */
int cs_vault_has(cs_vault *v, const char *name, cs_err *err);
/* [{name, set: wall ms}], sorted by name. Needs no key. New reference. */
int cs_vault_list(cs_vault *v, json_t **ret, cs_err *err);
/* The value, NUL-terminated, for cs_secret_free of base/mem.h. NAME is "name", or "name.member" where the value is a
 * JSON object. CS_EUNAVAIL: locked. CS_ENOTFOUND: no such name or member. */
int cs_vault_get(cs_vault *v, const char *name, char **ret, cs_err *err);
/* Needs the key (CS_EUNAVAIL). The value is UTF-8 without NUL, of CS_SECRET_MIN to CS_SECRET_MAX bytes. */
int cs_vault_set(cs_vault *v, const char *name, const char *value, size_t n, int64_t now_ms, cs_err *err);
int cs_vault_remove(cs_vault *v, const char *name, cs_err *err);

/* No core of this process from here on, and no other user's look into its memory. */
void cs_vault_harden(void);

#endif
