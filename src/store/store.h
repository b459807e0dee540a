/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The database: an append-only event log with its hash chain, and the projections folded from
 * it in the same transaction. One writer (the thread that opened it for writing); any number of
 * read-only readers, each used by one thread at a time. */
#ifndef CS_STORE_STORE_H
#define CS_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/hash.h"
#include "base/id.h"

/* One row of the log. Data is an object whose top-level names are ours. A top-level member whose
 * text is longer than CS_STORE_INLINE is kept once in the body table and the stored data has
 * "NAME@": "SHA256-hex" in its place; reading puts it back. */
typedef struct cs_event {
	int64_t seq;             /* 1..n; given by append */
	int64_t at;              /* wall ms */
	char run[CS_ID_SIZE];    /* "" for events of the workspace itself */
	const char *task;        /* the standard's reference "/do/0/name", or NULL */
	int occurrence;          /* nth entry of that task in the run, from 1; 0 without a task */
	const char *type;        /* "task.completed", … */
	const char *actor;       /* "operator:NAME", "agent:ROLE@HASH", "engine", … */
	int64_t cause;           /* seq of the event that led to this; 0: none */
	bool simulated;
	json_t *data;            /* an object or NULL (as {}) */
	uint8_t hash[CS_HASH_LEN]; /* given by append: SHA-256(previous hash + canonical bytes) */
} cs_event;

#define CS_STORE_INLINE 4096
#define CS_STORE_VERSION 10

/* ---- writer ---------------------------------------------------------------------------- */

typedef struct cs_store cs_store;

/* DIR is the state folder (.capstan, 0700; made when create is set). Takes no lock: engine/lease
 * does. Refuses a network file system, a newer user_version (CS_EUNSUPPORTED), a database that is
 * not ours. Migrates an older one. */
int cs_store_open(const char *dir, bool create, cs_store **ret, cs_err *err);
/* Which format DIR's database is of, without changing it: one before CS_STORE_VERSION is brought up to date by
 * opening it here. */
int cs_store_format(const char *dir, int64_t *ret, cs_err *err);
void cs_store_close(cs_store *s);                /* checkpoints; NULL is fine */

/* A commit group. begin … append* … commit. After a failed append only rollback is allowed,
 * but for CS_ETOOBIG, the event is larger than one may be (64 MiB of data), and CS_EINVAL, it is none or lacks what the
 * projections need: nothing of it was written.
 * A failed commit has an unknown outcome: the store refuses everything from then on (I17). */
int cs_store_begin(cs_store *s, cs_err *err);                   /* proves the epoch: the write lock is held from here to the commit */
int cs_store_append(cs_store *s, cs_event *ev, cs_err *err);   /* sets seq and hash; folds the projections */
int cs_store_commit(cs_store *s, cs_err *err);                 /* synced when it returns CS_OK */
void cs_store_rollback(cs_store *s);
/* True once the store refuses everything: a commit failed, the disk did, or another epoch is
 * there. Every call then fails with CS_EUNAVAIL and the first reason. */
bool cs_store_dead(const cs_store *s);
/* The last committed event, which is synced. False: there is none, or the store is dead. */
bool cs_store_head(const cs_store *s, int64_t *ret_seq, uint8_t ret_hash[CS_HASH_LEN]);
int64_t cs_store_last_seq(const cs_store *s);    /* of what is committed plus the open group */
/* Content by hash, in the open group; the same bytes twice are one row. */
int cs_store_put_body(cs_store *s, const void *p, size_t n, char ret_hex[CS_HEX_SIZE], cs_err *err);
/* Signs what is not signed yet, and lets the writer checkpoint when it is idle and the WAL is over 1 MiB. A busy writer does so by
 * itself at 8 MiB. */
int cs_store_idle(cs_store *s, cs_err *err);
/* Moves all of the log's tail into the database and syncs that, also what a reader would hold up
 * (CS_EUNAVAIL). Not inside a group. */
int cs_store_settle(cs_store *s, cs_err *err);
/* The epoch row: increments and returns it; every later commit proves it (I13: CS_EREFUSED when
 * another epoch is there). */
int cs_store_claim_epoch(cs_store *s, int64_t *ret_epoch, cs_err *err);
/* Head anchor file, synced: seq and hash of the last committed event. Nothing to do when it
 * already says so. Not inside a group. */
int cs_store_anchor(cs_store *s, cs_err *err);
/* Takes DIR's key (a file "key" of 32 bytes) to sign with from now on, and writes its public half
 * beside it: the log gets a signed checkpoint at least each 1,000 events and each second, in the commit that
 * makes it due, and by cs_store_idle and cs_store_close. Opening does so where the key is there.
 * CS_ENOTFOUND: it is not; CS_EUNAVAIL: the log was signed with another. */
int cs_store_take_key(cs_store *s, cs_err *err);
/* The public half for the key in DIR, without a database. */
int cs_store_publish_key(const char *dir, cs_err *err);
/* The state of a setting that events change ("hold", "live", "connector:NAME"); malloc'ed in
 * *ret, NULL when never set. For the writer's own checks in the intent's transaction. */
int cs_store_setting(cs_store *s, const char *name, char **ret, cs_err *err);

/* The latest attempt under a business key, of the open group too. CS_ENOTFOUND: there was none. TASK is
 * the caller's to free. */
typedef struct cs_once_row {
	char state[16];          /* intent retry-wait probing in-doubt done failed superseded reversing reversed */
	char run[CS_ID_SIZE], attempt[CS_HEX_SIZE], digest[CS_HEX_SIZE];
	char *task;
	unsigned n;              /* attempts so far */
	int64_t seq;             /* of the attempt's latest event */
} cs_once_row;
int cs_store_once(cs_store *s, const char *key, cs_once_row *ret, cs_err *err);

/* The state of a run as it was at its event SEQ, one for each run: no part of the log, only what saves folding it.
 * All is borrowed; what is in it and whether it is genuine is for the caller to say. */
typedef struct cs_snapshot_row {
	const char *run;
	int64_t seq;
	const char *hash;        /* of that event, 64 hex digits */
	const char *definition;  /* that the run has, 64 hex digits */
	const char *layout, *mac;
	const char *state;       /* text */
	size_t size;
} cs_snapshot_row;
/* In the open group: in place of the one that the run has. */
int cs_store_put_snapshot(cs_store *s, const cs_snapshot_row *row, cs_err *err);
int cs_store_drop_snapshot(cs_store *s, const char *run, cs_err *err);
/* The hash of the event SEQ, of the open group too, as hex. CS_ENOTFOUND: it is not in the database. */
int cs_store_event_hash(cs_store *s, int64_t seq, char ret[CS_HEX_SIZE], cs_err *err);

/* ---- the archive ------------------------------------------------------------------------ */

typedef struct cs_archive_step {
	int64_t first, last;           /* of the segment that was written; 0: there is nothing more to archive */
	int64_t bytes, raw;            /* its size, and that of what is in it */
	int64_t pruned;                /* events that left the database */
	int64_t bodies;                /* bodies that only such events named; with the last segment */
	bool more;                     /* there is more to archive */
	int64_t db_bytes, db_free;     /* the database, and what of it is free for the log to grow into */
	char file[128];                /* below the state's folder */
} cs_archive_step;
/* In the open group: moves at most one segment (store/segment.h) of what is older than BEFORE (wall ms), and signed, out of the
 * database: written, synced, read back and held against the log; then the event log.archived by ACTOR is appended, and
 * what of it is no longer needed here deleted: the events of runs that ended before BEFORE and wait for nothing, and
 * of the workspace itself. Where the group does not come through, the rows are there, and the file too. Needs the key
 * (CS_EUNAVAIL). After a failure only rollback is allowed where cs_store_last_seq has moved. */
int cs_store_archive(cs_store *s, int64_t before, int64_t now, const char *actor, cs_archive_step *ret, cs_err *err);

/* ---- readers --------------------------------------------------------------------------- */

typedef struct cs_reader cs_reader;
int cs_reader_open(const char *dir, cs_reader **ret, cs_err *err);  /* CS_ENOTFOUND: no database yet */
void cs_reader_close(cs_reader *r);
/* Calls FN for each event in order; RUN "" or NULL: all; from_seq inclusive. FN's event and its
 * data are borrowed; a non-zero return stops and is returned. */
typedef int cs_event_fn(void *ctx, const cs_event *ev);
int cs_reader_events(cs_reader *r, const char *run, int64_t from_seq, int64_t to_seq, cs_event_fn *fn, void *ctx, cs_err *err);
int cs_reader_event(cs_reader *r, int64_t seq, cs_event_fn *fn, void *ctx, cs_err *err);
/* Why the last of these failed, where it was a segment of the archive that is missing or was changed: its name, and what to do.
 * NULL: it did not, or for another reason. Borrowed, until the next. */
const char *cs_reader_lost(const cs_reader *r);
/* Calls FN for each of the events SEQS, N of them in order and none twice, that there is: first those of the database, then those
 * that were archived, each segment opened once. A segment that cannot be read does not stop it: LOST, an array, is given
 * {segment, first, last, says} for it. */
int cs_reader_pick(cs_reader *r, const int64_t *seqs, size_t n, cs_event_fn *fn, void *ctx, json_t *lost, cs_err *err);
/* Each segment that the log tells of, read whole: WHY is NULL where it is as it was written. */
typedef int cs_segment_seen_fn(void *ctx, const char *segment, int64_t first, int64_t last, const cs_err *why);
int cs_reader_segments(cs_reader *r, cs_segment_seen_fn *fn, void *ctx, cs_err *err);
int cs_reader_body(cs_reader *r, const char *hex, json_t **ret, cs_err *err);   /* parsed JSON */
int64_t cs_reader_last_seq(cs_reader *r);
/* Holds one state of the database over several calls, until released; nests. */
int cs_reader_hold(cs_reader *r, cs_err *err);
void cs_reader_release(cs_reader *r);
/* A query over the projections: rows as an array of objects with the columns' names; integers,
 * reals, text (JSON columns stay text). Parameters: PARAMS is an array bound to ?1… . SQL is ours, const. */
int cs_reader_query(cs_reader *r, const char *sql, const json_t *params, json_t **ret_rows, cs_err *err);
/* A run that is not over. */
typedef struct cs_open_run {
	char id[CS_ID_SIZE];
	char definition[CS_HEX_SIZE];    /* what it has now */
	bool waits;                  /* it waits, no run started it, and none of its attempts is under way, in doubt or tried again */
} cs_open_run;
/* Calls FN for each of them, oldest first. FN's row is borrowed, and it may not read from R; a non-zero return stops and is returned. */
typedef int cs_open_run_fn(void *ctx, const cs_open_run *run);
int cs_reader_open_runs(cs_reader *r, cs_open_run_fn *fn, void *ctx, cs_err *err);
/* A run or item id from a unique beginning or end. CS_ENOTFOUND, or CS_EINVAL when not unique. */
int cs_reader_find_run(cs_reader *r, const char *part, char ret[CS_ID_SIZE], cs_err *err);
int cs_reader_find_item(cs_reader *r, const char *part, char ret[CS_ID_SIZE], cs_err *err);

/* ---- the whole log --------------------------------------------------------------------- */

typedef struct cs_verify_report {
	int64_t events, first_bad;     /* first_bad 0: clean */
	char head[CS_HEX_SIZE];
	char finding[512];             /* "" : clean; otherwise what, where, what it means */
	int64_t bodies, anchor_seq;    /* anchor_seq 0: there is no anchor */
	int64_t archived, segments;    /* the last event that is in a segment of the archive, and how many there are; 0: none */
	int64_t checkpoints, signed_seq;   /* of the last checkpoint; 0: there is none */
	char signer[CS_HEX_SIZE];      /* the public key that they were checked with; "": there is no key */
	const char *cannot;            /* what a clean report does not prove; constant text */
} cs_verify_report;
/* Chain, gap-free seqs, known types, bodies by their hash and none missing, anchor, signed checkpoints. CS_OK with a
 * finding is not clean. Works beside a running writer: it reads one state. */
int cs_store_verify(const char *dir, cs_verify_report *ret, cs_err *err);
/* Folds the log again. CHECK: into a scratch database, and each differing row is handed to fn as
 * {table, key, have, want}; otherwise replaces the projections in one transaction (needs the lease). */
typedef int cs_row_fn(void *ctx, const json_t *row);
int cs_store_rebuild_check(const char *dir, cs_row_fn *fn, void *ctx, cs_err *err);
int cs_store_rebuild(cs_store *s, cs_err *err);

#endif
