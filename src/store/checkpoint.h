/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signed checkpoints: who has the database but not the workspace's key cannot write another
 * history that verifies. Each holds seq and hash of a committed event, the incarnation of the
 * workspace, and a hash of the checkpoint before it, signed with Ed25519 (RFC 8032) by a pair that
 * follows from the workspace's key, so that no other workspace's fits. */
#ifndef CS_STORE_CHECKPOINT_H
#define CS_STORE_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sqlite3.h>
#include "base/err.h"
#include "base/hash.h"
#include "store/store.h"

#define CS_KEY_FILE "key"              /* 32 secret bytes */
#define CS_PUBLIC_FILE "key.pub"       /* one line: "capstan-key 1 HEX" */

/* A commit that leaves as many events behind the last checkpoint writes the next, so that no more
 * are ever without one; so does one that comes as long after it. */
enum { CS_CHECKPOINT_EVENTS = 1000, CS_CHECKPOINT_MS = 1000, CS_SIGN_PUBLIC = 32, CS_SIGN_SECRET = 64, CS_SIGNATURE = 64 };

typedef struct cs_signer {
	bool signs;                            /* false: there is no key yet */
	uint8_t public[CS_SIGN_PUBLIC], secret[CS_SIGN_SECRET];
} cs_signer;

typedef struct cs_checkpoint {
	int64_t seq, at;                       /* of the event; wall ms of the signing */
	int64_t previous;                      /* seq of the checkpoint before; 0: none */
	int64_t incarnation;
	uint8_t hash[CS_HASH_LEN];             /* of the event */
	uint8_t link[CS_HASH_LEN];             /* of the checkpoint before; zeros: none */
	uint8_t signature[CS_SIGNATURE];
} cs_checkpoint;

/* The pair of DIR's key. CS_ENOTFOUND: there is none; CS_EINVAL: it is not one of ours. */
int cs_signer_load(const char *dir, cs_signer *ret, cs_err *err);
void cs_signer_wipe(cs_signer *s);
/* Writes the public half beside the key, where it is not there yet. */
int cs_signer_publish(const char *dir, const cs_signer *s, cs_err *err);
/* What DIR's checkpoints are checked with: of the key, and where that is not there, the public half.
 * CS_ENOTFOUND: neither is there; CS_EINVAL: one is not ours, or they are not of one pair. */
int cs_signer_public(const char *dir, uint8_t ret[CS_SIGN_PUBLIC], cs_err *err);

/* The last checkpoint; seq 0: there is none. */
int cs_checkpoint_last(sqlite3 *db, cs_checkpoint *ret, cs_err *err);
bool cs_checkpoint_signed(const cs_checkpoint *c, const uint8_t public[CS_SIGN_PUBLIC]);
/* The log that ends at SEQ must hold what the last checkpoint signed. CS_EUNAVAIL: it does not. */
int cs_checkpoint_hold(sqlite3 *db, int64_t seq, const cs_checkpoint *last, const cs_signer *s, cs_err *err);
/* Writes one for SEQ and HASH, after LAST, in the open transaction. */
int cs_checkpoint_write(sqlite3 *db, sqlite3_stmt **slot, const cs_signer *s, const cs_checkpoint *last, int64_t seq,
			const uint8_t hash[CS_HASH_LEN], cs_checkpoint *ret, cs_err *err);
/* All of them against a log whose chain holds and that ends at REPORT's events; what is wrong goes
 * into REPORT. PUBLIC NULL: there is nothing to check a signature with. */
int cs_checkpoints_verify(sqlite3 *db, const uint8_t *public, cs_verify_report *report, cs_err *err);

#endif
