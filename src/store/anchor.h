/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The head anchor: seq and hash of a committed event in a second file, because a log that was
 * cut off is consistent in itself. One line: "capstan-anchor 1 SEQ HASH". */
#ifndef CS_STORE_ANCHOR_H
#define CS_STORE_ANCHOR_H

#include <stdint.h>
#include "base/err.h"
#include "base/hash.h"

#define CS_ANCHOR_FILE "anchor"

/* Whole or not at all, synced when it returns CS_OK. */
int cs_anchor_write(const char *dir, int64_t seq, const uint8_t hash[CS_HASH_LEN], cs_err *err);
/* CS_ENOTFOUND: there is none; CS_EINVAL: not one of ours. */
int cs_anchor_read(const char *dir, int64_t *ret_seq, uint8_t ret_hash[CS_HASH_LEN], cs_err *err);

#endif
