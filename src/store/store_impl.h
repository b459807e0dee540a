/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rooms of the writer share. */
#ifndef CS_STORE_STORE_IMPL_H
#define CS_STORE_STORE_IMPL_H

#include <sqlite3.h>
#include "base/buf.h"
#include "base/hash.h"
#include "store/checkpoint.h"
#include "store/event_bytes.h"
#include "store/projection.h"
#include "store/store.h"

typedef enum keep_statement {
	KEEP_BEGIN, KEEP_COMMIT, KEEP_EPOCH, KEEP_EPOCH_SET, KEEP_INCARNATION, KEEP_HEAD, KEEP_EVENT, KEEP_BODY,
	KEEP_SETTING, KEEP_ONCE, KEEP_CHECKPOINT, KEEP_SNAPSHOT, KEEP_SNAPSHOT_DROP, KEEP_EVENT_HASH, KEEP_COUNT
} keep_statement;

struct cs_store {
	sqlite3 *db;
	char *dir;
	cs_fold *fold;
	cs_sha256 *hasher;
	cs_buf data, bytes;            /* of the event being appended */
	sqlite3_stmt *kept[KEEP_COUNT];
	int64_t epoch;                 /* 0: none claimed */
	int64_t seq, committed_seq, anchored_seq;
	uint8_t head[CS_HASH_LEN], committed_head[CS_HASH_LEN];
	cs_signer signer;
	cs_checkpoint signed_last, signing;   /* committed; of the open group (seq 0: none) */
	int64_t signed_at;             /* monotonic ns; 0: not since this one opened */
	bool sign_now;                 /* the open group is there for its checkpoint */
	int64_t page_size, wal_pages, checkpointed_pages;
	bool in_group, group_failed, dead;
	char why_dead[512];
};

/* CS_OK in an open group of which nothing has failed. */
int cs_store_in_group(const cs_store *s, cs_err *err);

#endif
