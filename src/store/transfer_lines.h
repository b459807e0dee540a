/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of an export: their sums, and what is signed at the end. */
#ifndef CS_STORE_TRANSFER_LINES_H
#define CS_STORE_TRANSFER_LINES_H

#include <stdint.h>
#include "base/hash.h"
#include "store/checkpoint.h"

/* What stands between a line's own part and its sum, and behind that. */
#define CS_LINE_SUM ",\"sum\":\""
#define CS_LINE_END "\"}"
#define CS_LINE_TAIL (sizeof CS_LINE_SUM - 1 + CS_HEX_SIZE - 1 + sizeof CS_LINE_END - 1)

/* What is signed: which kind of text, how many lines, the last sum. */
enum { CS_LINES_MESSAGE = 32 + 8 + CS_HASH_LEN };

/* The sum after PREVIOUS for a line's own part, moved on in place. */
void cs_line_sum(cs_sha256 *h, uint8_t sum[CS_HASH_LEN], const char *own, size_t len);
void cs_lines_message(int64_t lines, const uint8_t sum[CS_HASH_LEN], uint8_t ret[CS_LINES_MESSAGE]);

#endif
