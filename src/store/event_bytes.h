/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes of an event that its hash covers, and what the data column holds. */
#ifndef CS_STORE_EVENT_BYTES_H
#define CS_STORE_EVENT_BYTES_H

#include <sqlite3.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/store.h"

/* Largest data of one event, its bodies included. */
#define CS_EVENT_MAX ((size_t)64 * 1024 * 1024)

/* Appends the canonical bytes (RFC 8785): the object of actor, at, cause, data, occurrence, run,
 * seq, simulated, task, type, with DATA, which is canonical already, as it stands. All texts are
 * UTF-8. EV's data is not looked at. */
int cs_event_bytes(const cs_event *ev, const char *data, size_t data_len, cs_buf *out);
/* SHA-256(PREV || the bytes), through H; SCRATCH is reset and reused. */
int cs_event_hash(cs_sha256 *h, const uint8_t prev[CS_HASH_LEN], const cs_event *ev, const char *data,
		  size_t data_len, cs_buf *scratch, uint8_t ret[CS_HASH_LEN]);

/* Called for each member that goes to the body table. */
typedef int cs_body_fn(void *ctx, const char *bytes, size_t n, char ret_hex[CS_HEX_SIZE], cs_err *err);
/* Writes DATA (an object; NULL as {}) as the column holds it: canonical, with members longer
 * than CS_STORE_INLINE handed to PUT and replaced by "NAME@": "hash". A member whose name ends
 * in @ is refused. */
int cs_data_write(const json_t *data, cs_body_fn *put, void *ctx, cs_buf *out, cs_err *err);
/* Parses the column's text and puts the bodies back from DB; *slot keeps the statement.
 * CS_EIO when a body is not there or does not match its name. */
int cs_data_read(sqlite3 *db, sqlite3_stmt **slot, const char *text, size_t len, json_t **ret, cs_err *err);
/* True where the column's text may name a body: cheap, never false for one that does. */
bool cs_data_may_have_body(const char *text, size_t len);
/* The bytes of a body in OUT. CS_ENOTFOUND, CS_EIO (not what its name says). */
int cs_body_read(sqlite3 *db, sqlite3_stmt **slot, const char *hex, cs_buf *out, cs_err *err);

/* The columns of an event in the order of cs_event_from_row. */
#define CS_EVENT_COLUMNS "seq, at, run, task, occurrence, type, actor, cause, simulated, data, hash"
/* Fills EV (all but data) from a row; texts are the statement's until its next step. */
void cs_event_from_row(sqlite3_stmt *st, cs_event *ev);
#define CS_EVENT_DATA_COLUMN 9

#endif
