/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the ledger server answers a path. */
#ifndef CS_TESTS_LEDGER_ANSWERS_H
#define CS_TESTS_LEDGER_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct request {
	int fd;
	unsigned long n;           /* place in the ledger, from 1 */
	const char *head;          /* the whole request head */
	const char *method, *path;
	const char *body;
	size_t body_len;
	unsigned seen;             /* times this path was asked, this one included */
} request;

typedef enum answer_end {
	ANSWER_KEEP,               /* the connection stays */
	ANSWER_CLOSE,
	ANSWER_RESET,
	ANSWER_LURE,               /* stays, and dies on the next request without an answer */
} answer_end;

/* Answers R as its path says:
 *   /status/CODE[/SECONDS]   that status, with Retry-After
 *   /flaky/TIMES/CODE…       CODE the first TIMES that path is asked, then 200
 *   /delay/MS                200 after so long
 *   /drip/MS                 200, a byte of the body each so often
 *   /reset /close            no reply: RST, or FIN
 *   /half /cut /cutchunk     half a head; less body than announced; a chunk that does not end
 *   /chunked /stream         a whole reply in chunks; one that the end of the connection ends
 *   /redirect/N /goto?URL    302, N times to itself; 302 to URL
 *   /big/BYTES /text /binary /badjson /empty
 *   /head                    the request's head as text
 *   /echo                    head and body, as they are and in base64, hex and percent-encoded, in JSON and in headers
 *   /digest/ALGORITHM        401 and a Digest challenge, until an answer to it comes; then as /head
 *   /lure                    200, and the connection dies on its next request
 * anything else: 200 and {"ok":true,"n":N,"method":…}. */
answer_end answer(const request *r);

bool send_all(int fd, const void *p, size_t n);

#endif
