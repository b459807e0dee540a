/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow/jq_wire.h"

void cs_jq_frame_begin(cs_buf *b, char kind)
{
	cs_buf_reset(b);
	cs_buf_add(b, "\0\0\0\0", 4);
	cs_buf_addc(b, kind);
}

int cs_jq_frame_end(cs_buf *b)
{
	if (b->failed || b->len - 4 > CS_JQ_FRAME_MAX)
		return b->failed ? b->failed : CS_ETOOBIG;
	size_t n = b->len - 4;
	for (int i = 0; i < 4; i++, n >>= 8)
		b->data[i] = (char)(n & 0xFF);
	return 0;
}

uint32_t cs_jq_frame_length(const unsigned char head[4])
{
	return (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
}
