/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/touched.h"
#include <string.h>

/* Where RUN is, or would be: there are twice as many slots as places, so one is free. An id's end is
 * what differs between ids of one moment. */
static uint16_t *slot_of(cs_touched *t, const char *run)
{
	uint64_t end;
	memcpy(&end, run + CS_ID_LEN - sizeof end, sizeof end);
	/* Only the product's topmost bits follow all of its bytes. */
	size_t i = (end * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - CS_TOUCHED_SLOT_BITS);
	for (;; i++) {
		uint16_t *slot = &t->slots[i % CS_TOUCHED_SLOTS];
		if (*slot == 0 || memcmp(t->list[*slot - 1].run, run, CS_ID_LEN) == 0)
			return slot;
	}
}

bool cs_touched_note(cs_touched *t, const char *run, int64_t at, int64_t seq)
{
	uint16_t *slot = slot_of(t, run);
	if (*slot == 0) {
		if (t->n == CS_TOUCHED_MAX)
			return false;
		memcpy(t->list[t->n].run, run, CS_ID_LEN);
		t->list[t->n].run[CS_ID_LEN] = '\0';
		*slot = (uint16_t)++t->n;
	}
	cs_touch *one = &t->list[*slot - 1];
	one->written = false;
	one->at = at;
	one->seq = seq;
	return true;
}

void cs_touched_written(cs_touched *t, const char *run)
{
	const uint16_t *slot = slot_of(t, run);
	if (*slot != 0)
		t->list[*slot - 1].written = true;
}

void cs_touched_clear(cs_touched *t)
{
	if (t->n > 0)
		memset(t->slots, 0, sizeof t->slots);
	t->n = 0;
}
