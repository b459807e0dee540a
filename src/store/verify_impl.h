/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rooms of verify share: the walk along the log, and what it is held to. */
#ifndef CS_STORE_VERIFY_IMPL_H
#define CS_STORE_VERIFY_IMPL_H

#include <stdbool.h>
#include <sqlite3.h>
#include "base/buf.h"
#include "base/hash.h"
#include "store/checkpoint.h"
#include "store/store.h"

typedef struct cs_verifier {
	const char *dir;
	sqlite3 *db;
	sqlite3_stmt *has_body;
	cs_sha256 *hasher;
	cs_buf bytes;
	uint8_t head[CS_HASH_LEN];
	int64_t anchor_seq;
	uint8_t anchor_hash[CS_HASH_LEN];
	uint8_t public[CS_SIGN_PUBLIC];
	bool has_public;
	cs_verify_report report;
} cs_verifier;

/* Notes what was found, and ends the walk: CS_EINVAL. */
int cs_verify_found(cs_verifier *v, int64_t seq, const char *fmt, ...) CS_PRINTF(3, 4);
/* ST's row holds what an event may hold. */
int cs_verify_columns(cs_verifier *v, sqlite3_stmt *st, int64_t expected);
int cs_verify_body_there(cs_verifier *v, int64_t seq, const char *name, const char *hex, cs_err *err);
/* The bodies that EV, whose data is DATA, names are in the database. */
int cs_verify_named_bodies(cs_verifier *v, const cs_event *ev, const char *data, size_t len, cs_err *err);
int cs_verify_anchored(cs_verifier *v, const cs_event *ev);
/* The part of the log that is in segments, and what of it is in the database too. */
int cs_verify_segments(cs_verifier *v, cs_err *err);

#endif
