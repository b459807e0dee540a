/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes between the pool and a jq child: frames of a length (four bytes, the lowest first) and
 * that many bytes, of which the first says what it is. */
#ifndef CS_FLOW_JQ_WIRE_H
#define CS_FLOW_JQ_WIRE_H

#include <stdint.h>
#include "base/buf.h"

#define CS_JQ_FRAME_MAX ((8u << 20) + 4096)   /* bytes after the length, both ways */
#define CS_JQ_SLOTS 4                         /* programs a child keeps compiled */
#define CS_JQ_TIMEOUT_MAX_MS 60000            /* longest time for one request */
#define CS_JQ_ORPHAN_S 90                     /* a child whose parent is gone ends by itself */

enum {
	CS_JQ_LOAD = 'L',    /* slot, the program's text */
	CS_JQ_EVAL = 'E',    /* slot, {"i": which expression, "d": its input, "v": its names} */
	CS_JQ_VALUE = '=',   /* the value as JSON; nothing after LOAD */
	CS_JQ_ERROR = '!',   /* a sentence */
	CS_JQ_BIG = '+',     /* a sentence: over a limit */
};

/* Begins a frame in B: room for the length. */
void cs_jq_frame_begin(cs_buf *b, char kind);
/* Writes the length into its room. CS_ETOOBIG. */
int cs_jq_frame_end(cs_buf *b);
uint32_t cs_jq_frame_length(const unsigned char head[4]);

#endif
