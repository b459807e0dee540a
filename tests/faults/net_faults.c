/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/net_faults.h"

#include <stdint.h>
#include <string.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define KB "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define TEXT(s) .say = (s), .say_len = sizeof (s) - 1

/* Bytes that unpack to 158 times as many, more than any reply may have: nobody asked for them packed. */
enum { BOMB_BYTES = 64 << 10, BODY_BYTES = 8 << 20, HEAD_BYTES = 256 << 10 };
static char bomb[BOMB_BYTES + 256];

static net_fault faults[NET_FAULTS] = {
	{ .name = "slow-network", .forwards = true, .wait_ms = 150, .known = NET_WHOLE },
	{ .name = "slow-drip-in-time", .forwards = true, .drip_ms = 1, .known = NET_WHOLE },
	{ .name = "refused", .cut = NET_CUT_REFUSED, .known = NET_NOT_SENT },
	{ .name = "tls-cut", .cut = NET_CUT_FIRST, .tls = true, .known = NET_NOT_SENT },
	{ .name = "reset-after-first-bytes", .cut = NET_CUT_FIRST, .known = NET_CUT },
	{ .name = "reset-before-last-byte", .cut = NET_CUT_LAST, .known = NET_CUT },
	{ .name = "half-closed", .cut = NET_CUT_HALF, .forwards = true, .say = "", .after = NET_KEEP, .known = NET_CUT },
	{ .name = "reset-after-last-byte", .forwards = true, .say = "", .after = NET_RST, .known = NET_CUT },
	{ .name = "closed-after-last-byte", .say = "", .after = NET_FIN, .known = NET_CUT },
	{ .name = "silence", .forwards = true, .say = "", .timed = true, .known = NET_CUT },
	{ .name = "reset-in-head", .forwards = true, TEXT(OK "Content-Le"), .after = NET_RST, .known = NET_CUT },
	{ .name = "reset-in-body", .forwards = true, TEXT(OK "Content-Length: 20\r\n\r\n{\"ok\":"), .after = NET_RST, .known = NET_CUT },
	{ .name = "head-drips", .forwards = true, TEXT("HTTP/1.1 200 OK\r\nX: "), .endless = "x", .drip_ms = 50, .timed = true, .known = NET_CUT },
	{ .name = "body-drips", .forwards = true, TEXT(OK "Content-Length: 1000\r\n\r\n"), .endless = " ", .drip_ms = 50, .timed = true, .known = NET_CUT },
	{ .name = "garbage", .forwards = true, TEXT("\x16\x03\x01\0\0\xff\xfe garbage\r\n\r\n"), .after = NET_FIN, .known = NET_CUT },
	{ .name = "other-protocol", .forwards = true, TEXT("220 mail.example.com ESMTP\r\n"), .after = NET_FIN, .known = NET_CUT },
	{ .name = "length-too-long", .forwards = true, TEXT(OK "Content-Length: 900\r\n\r\n{\"ok\":true}"), .after = NET_FIN, .known = NET_CUT },
	{ .name = "length-too-short", .forwards = true, TEXT(OK "Content-Length: 11\r\n\r\n{\"ok\":true}{\"ok\":false}"), .after = NET_FIN, .known = NET_WHOLE },
	{ .name = "length-below-zero", .forwards = true, TEXT(OK "Content-Length: -11\r\n\r\n{\"ok\":true}"), .after = NET_FIN, .known = NET_CUT },
	{ .name = "chunk-size-nonsense", .forwards = true, TEXT(OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), .after = NET_FIN, .known = NET_CUT },
	{ .name = "chunk-too-large", .forwards = true, TEXT(OK "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}"), .after = NET_FIN, .known = NET_CUT },
	{ .name = "chunks-without-end", .forwards = true, TEXT(OK "Transfer-Encoding: chunked\r\n\r\n"), .endless = "80\r\n" KB "\r\n", .keeps = BODY_BYTES, .known = NET_CUT },
	{ .name = "trailers-without-end", .forwards = true, TEXT(OK "Transfer-Encoding: chunked\r\n\r\n0\r\n"),
	  .endless = "X: " KB "\r\n", .keeps = HEAD_BYTES, .known = NET_CUT },
	{ .name = "head-without-end", .forwards = true, TEXT("HTTP/1.1 200 OK\r\n"), .endless = "X: " KB "\r\n", .keeps = HEAD_BYTES, .known = NET_CUT },
	{ .name = "line-without-end", .forwards = true, TEXT("HTTP/1.1 200 OK\r\nX: "), .endless = KB, .keeps = HEAD_BYTES, .known = NET_CUT },
	{ .name = "body-without-end", .forwards = true, TEXT("HTTP/1.1 200 OK\r\n\r\n"), .endless = KB, .keeps = BODY_BYTES, .known = NET_CUT },
	{ .name = "storm-of-interim-replies", .forwards = true, .say = "",
	  .endless = "HTTP/1.1 103 Early Hints\r\nLink: <" KB ">\r\n\r\n", .keeps = HEAD_BYTES, .known = NET_CUT },
	{ .name = "a-few-interim-replies", .forwards = true,
	  TEXT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\n" OK "Content-Length: 11\r\n\r\n{\"ok\":true}"), .known = NET_WHOLE },
	{ .name = "packed-bomb", .forwards = true, .say = bomb, .after = NET_FIN, .known = NET_WHOLE },
};

/* Deflate with its fixed code: the letter a, and then "258 times what was one before", 13 bits each. */
static void make_bomb(void)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 65536\r\n\r\n", gzip[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03";
	static const uint8_t first[] = { 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1 }, again[] = { 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0 };
	size_t at = sizeof head - 1, bits = 0, n = 10;
	memcpy(bomb, head, at);
	memcpy(bomb + at, gzip, n);
	for (; bits < (BOMB_BYTES - n) * 8; bits++) {
		uint8_t bit = bits < sizeof first ? first[bits] : again[(bits - sizeof first) % sizeof again];
		char *byte = &bomb[at + n + bits / 8];
		*byte = (char)(*byte | bit << bits % 8);
	}
	for (size_t i = 0; i < NET_FAULTS; i++)
		if (faults[i].say == bomb)
			faults[i].say_len = at + BOMB_BYTES;
}

const net_fault *net_faults(void)
{
	if (bomb[0] == '\0')
		make_bomb();
	return faults;
}

size_t net_faults_count(void)
{
	size_t n = 0;
	while (n < NET_FAULTS && faults[n].name != NULL)
		n++;
	return n;
}
