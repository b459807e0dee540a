/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MAX_MS ((UINT64_C(1) << 48) - 1)

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void cs_random_bytes(void *out, size_t n)
{
	unsigned char *p = out;
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		p += got;
		n -= (size_t)got;
	}
}

/* False when all 80 bits were ones. */
static bool increment(uint8_t random[10])
{
	for (int i = 9; i >= 0; i--)
		if (++random[i] != 0)
			return true;
	return false;
}

void cs_id_next(cs_idgen *g, int64_t wall_ms, char out[CS_ID_SIZE])
{
	uint64_t ms = wall_ms < 0 ? 0 : (uint64_t)wall_ms > MAX_MS ? MAX_MS : (uint64_t)wall_ms;
	/* A clock that stands still or steps back must not make ids that sort before older ones. */
	if (g->seeded && ms <= g->last_ms) {
		if (!increment(g->random))
			g->last_ms++;
	} else {
		cs_random_bytes(g->random, sizeof g->random);
		/* Room to count up within one millisecond. */
		g->random[0] &= 0x7F;
		g->last_ms = ms;
		g->seeded = true;
	}
	uint8_t bytes[16];
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(g->last_ms >> (8 * (5 - i)));
	memcpy(bytes + 6, g->random, sizeof g->random);
	/* 26 digits hold 130 bits: the first carries only the top three of our 128. */
	unsigned acc = 0, bits = 2;
	size_t n = 0;
	for (size_t i = 0; i < sizeof bytes; i++) {
		acc = (acc << 8) | bytes[i];
		for (bits += 8; bits >= 5; bits -= 5)
			out[n++] = alphabet[(acc >> (bits - 5)) & 31];
		acc &= 0xFF;
	}
	out[n] = '\0';
}

/* Of the alphabet: digits, and capitals without I, L, O and U. */
static bool is_digit(unsigned char c)
{
	const unsigned missing = 1u << ('I' - 'A') | 1u << ('L' - 'A') | 1u << ('O' - 'A') | 1u << ('U' - 'A');
	if (c >= '0' && c <= '9')
		return true;
	return c >= 'A' && c <= 'Z' && !(missing >> (c - 'A') & 1);
}

bool cs_id_valid(const char *s)
{
	if (!s || s[0] < '0' || s[0] > '7')
		return false;
	for (size_t i = 0; i < CS_ID_LEN; i++)
		if (!is_digit((unsigned char)s[i]))
			return false;
	return s[CS_ID_LEN] == '\0';
}
