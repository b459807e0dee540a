/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segments of the log, out of the database: DIR/archive/FIRST-LAST.zst holds every event from FIRST to
 * LAST with the bodies that they name. The file is frames of zstd, so that `zstdcat` shows it, each of
 * some hundred events:
 *
 *   B HEX LEN <newline> LEN bytes <newline>   a body, before the first event of the frame that names it
 *   E LEN <newline> LEN bytes <newline>       an event, as it is hashed (event_bytes.h)
 *
 * and at its end a frame that is skipped, with a trailer: JSON {capstan "segment", format 1, first, last,
 * before (hash of the event before FIRST), hash (of LAST), frames [[seq, offset, hash before]], content
 * (SHA-256 of all frames), key, signature (Ed25519, the pair of the workspace's key, over the rest)}, its
 * length in 8 bytes, least first, and "capstan\n". The log has an event log.archived for each, with the hash of its
 * trailer: so the chain of the log holds what is in the segments too. */
#ifndef CS_STORE_SEGMENT_H
#define CS_STORE_SEGMENT_H

#include <stdint.h>
#include <jansson.h>
#include <sqlite3.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/checkpoint.h"
#include "store/store.h"

#define CS_ARCHIVE_DIR "archive"
#define CS_SEGMENT_FORMAT 1
/* A segment ends at the first of these; one event may be larger than all of it. */
enum { CS_SEGMENT_EVENTS = 20000, CS_SEGMENT_BYTES = 16 * 1024 * 1024 };

/* As the log tells of it. */
typedef struct cs_segment {
	int64_t first, last;
	uint8_t before[CS_HASH_LEN], hash[CS_HASH_LEN];
	char trailer[CS_HEX_SIZE];
} cs_segment;

/* All of a log, in order. Zero-initialised is ready. */
typedef struct cs_segments {
	cs_segment *list;
	size_t n;
	int64_t told;                  /* seq of the log.archived of the last; 0: none */
	sqlite3_stmt *st;              /* kept; of the database that they were loaded from */
} cs_segments;

/* Those that DB's log tells of; does nothing where S has them already. CS_EIO: they do not follow each other. */
int cs_segments_load(sqlite3 *db, cs_segments *s, cs_err *err);
void cs_segments_fini(cs_segments *s);
/* Seq of the last event that is in one; 0: none. */
int64_t cs_segments_last(const cs_segments *s);
/* "archive/1-20000.zst", malloc'ed. */
char *cs_segment_name(const cs_segment *s);

/* One event of a segment. All is borrowed, until the next. */
typedef struct cs_segment_row {
	int64_t seq;
	const char *bytes;             /* as it is hashed */
	size_t len;
	const uint8_t *before, *hash;
	json_t *bodies;                /* hex -> text of those in its frame */
} cs_segment_row;

/* The row taken apart. Its texts are those of HEAD. */
typedef struct cs_segment_event {
	cs_event ev;
	json_t *head, *data;
} cs_segment_event;
/* CS_EIO: it is not one of ours. WHOLE false: without its data. For cs_segment_event_fini. */
int cs_segment_event_of(const cs_segment_row *row, bool whole, cs_segment_event *ret, cs_err *err);
void cs_segment_event_fini(cs_segment_event *e);
/* The data of a row as the column of the database has it; *LEN of it, borrowed. NULL: it is not one of ours. */
const char *cs_segment_data(const cs_segment_row *row, size_t *len);

typedef int cs_segment_fn(void *ctx, const cs_segment_row *row);
/* Calls FN for each event of S from FROM to TO, in order; a non-zero return stops and is returned. Every frame
 * that is read is held to the hashes that the trailer has, and that to the one of the log. CS_EUNAVAIL: the file is not there,
 * with its name; CS_EIO: it was changed. */
int cs_segment_read(const char *dir, const cs_segment *s, int64_t from, int64_t to, cs_segment_fn *fn, void *ctx, cs_err *err);
/* As cs_segment_read, for the events SEQS alone, N of them in order; the file is opened once, and only the frames that have one
 * of them are read. */
int cs_segment_pick(const char *dir, const cs_segment *s, const int64_t *seqs, size_t n, cs_segment_fn *fn, void *ctx, cs_err *err);
/* Whether S's trailer is signed by PUBLIC, and its frames are what it says. CS_EIO: not. */
int cs_segment_signed(const char *dir, const cs_segment *s, const uint8_t public[CS_SIGN_PUBLIC], cs_err *err);

/* ---- writing ------------------------------------------------------------------------------- */

typedef struct cs_segment_writer cs_segment_writer;
cs_segment_writer *cs_segment_writer_new(int64_t first, const uint8_t before[CS_HASH_LEN]);
void cs_segment_writer_free(cs_segment_writer *w);      /* NULL is fine */
/* A body that the next event names; the same one again in a frame is left out. */
int cs_segment_put_body(cs_segment_writer *w, const char *hex, const void *p, size_t n, cs_err *err);
int cs_segment_put_event(cs_segment_writer *w, const char *bytes, size_t len, const uint8_t hash[CS_HASH_LEN], cs_err *err);
/* So many bytes in it, before they are compressed. */
size_t cs_segment_size(const cs_segment_writer *w);
/* Signs it and writes the file, whole and synced; *ret_bytes is its size. */
int cs_segment_finish(cs_segment_writer *w, const char *dir, const cs_signer *signer, cs_segment *ret, int64_t *ret_bytes, cs_err *err);

#endif
