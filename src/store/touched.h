/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runs whose rows are behind their events: each event of a run moves the run's `updated` and
 * `last_seq`, and what a group moves ten times is written once, when the group is committed. */
#ifndef CS_STORE_TOUCHED_H
#define CS_STORE_TOUCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"

enum { CS_TOUCHED_SLOT_BITS = 12, CS_TOUCHED_SLOTS = 1 << CS_TOUCHED_SLOT_BITS, CS_TOUCHED_MAX = CS_TOUCHED_SLOTS / 2 };

typedef struct cs_touch {
	char run[CS_ID_SIZE];
	bool written;                /* an event that came later wrote the row itself */
	int64_t at, seq;             /* wall ms; of the run's last event */
} cs_touch;

/* Zero-initialised is empty. In the order in which the runs were first touched. */
typedef struct cs_touched {
	size_t n;
	cs_touch list[CS_TOUCHED_MAX];
	uint16_t slots[CS_TOUCHED_SLOTS];   /* by the run's id: its place in list, from 1; 0: free */
} cs_touched;

/* RUN, an id, has an event of the time AT and the number SEQ. False when it is full: then nothing is noted. */
bool cs_touched_note(cs_touched *t, const char *run, int64_t at, int64_t seq);
/* The row of RUN has been written with all that came so far. */
void cs_touched_written(cs_touched *t, const char *run);
void cs_touched_clear(cs_touched *t);

#endif
