/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the writer and the reader of segments agree on beside segment.h. */
#ifndef CS_STORE_SEGMENT_FILE_H
#define CS_STORE_SEGMENT_FILE_H

#include "store/event_bytes.h"
#include "store/segment.h"

#define CS_TRAILER_FRAME 0x184D2A50u          /* the first of the frames that zstd skips */
#define CS_TRAILER_WORD "capstan\n"
enum { CS_TRAILER_WORD_LEN = 8, CS_TRAILER_MAX = 4 * 1024 * 1024, CS_TRAILER_MESSAGE = 32 + CS_HEX_SIZE - 1 };
/* The most that one frame holds: an event, and its data twice, inline and as bodies. */
#define CS_FRAME_MAX (CS_EVENT_MAX * 2 + (size_t)4 * 1024 * 1024)

/* What a trailer's signature is over. */
void cs_trailer_message(const json_t *trailer, uint8_t ret[CS_TRAILER_MESSAGE]);

#endif
