/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ids: 26 characters of Crockford base 32, time first, monotonic within a generator (ULID). */
#ifndef CS_BASE_ID_H
#define CS_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CS_ID_LEN 26
#define CS_ID_SIZE (CS_ID_LEN + 1)

typedef struct cs_idgen {           /* zero-initialised is ready; seeds itself from the kernel */
	uint64_t last_ms;
	uint8_t random[10];
	bool seeded;
} cs_idgen;

void cs_id_next(cs_idgen *g, int64_t wall_ms, char out[CS_ID_SIZE]);
bool cs_id_valid(const char *s);
/* Bytes from the kernel; aborts when it has none. */
void cs_random_bytes(void *out, size_t n);

#endif
